//! `mqtt bench SCENARIO`: one run, and its report.

use super::calibrate;
use super::files::Files;
use super::plan::plan;
use super::scrape::Scrape;
use super::shown::{Destination, Saved, distinct, json_file, outcome, print};
use super::site::Site;
use crate::cli::bench::BenchArgs;
use crate::exit::Exit;
use crate::output::html;
use crate::output::report::text;

/// Runs the load, prints the report on stdout, and ends with what the report says.
///
/// # Errors
/// When the options contradict each other, or not everyone could connect and subscribe.
pub(super) fn run(args: BenchArgs) -> anyhow::Result<Exit> {
    let plan = plan(&args.load)?;
    if args.print_plan {
        print(&plan.to_toml())?;
        return Ok(Exit::Done);
    }
    distinct(&[
        ("--json", json_file(&args.json)),
        ("--html", args.html.as_deref()),
        ("--hlog", args.hlog.as_deref()),
        ("--csv", args.csv.as_deref()),
    ])?;
    if args.calibrate && args.agents.agents.is_some() {
        return Err(Exit::Usage.because(
            "--calibrate tells the floor of this machine, and no load comes from it with --agents: run `mqtt bench calibrate` on \
             the machine of each agent",
        ));
    }
    let saved = Saved::new(&args.json)?;
    let page = args.html.as_deref().map(Destination::new).transpose()?;
    let mut files = Files::new(plan.scenario, args.hlog.as_deref(), args.csv.as_deref())?;
    if let Some(address) = args.prometheus {
        files.show_at(Scrape::start(address)?);
    }
    let site = Site::new(&args.load, &args.agents)?;
    site.warn_of_debug_build();
    let calibration = match args.calibrate {
        true => match calibrate::beside(&plan, &args.load, args.verbose)? {
            None => return Ok(Exit::Interrupted),
            found => found,
        },
        false => None,
    };
    let Some(mut report) = site.run(plan, &mut files, args.verbose)? else {
        return Ok(Exit::Interrupted);
    };
    site.stop();
    report.calibration = calibration;
    if let Some(slo) = &args.slo {
        report.objectives = slo.judge(&report);
    }
    // What cannot be written is no reason not to show what can.
    let shown = saved.write(&report, text);
    let page = page.map_or(Ok(()), |page| page.write(&html::page(&report)));
    let files = files.finish();
    shown.and(page).and(files)?;
    Ok(outcome(&report))
}
