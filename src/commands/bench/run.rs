//! `mqtt bench SCENARIO`: one run, and its report.

use std::io;

use super::files::Files;
use super::plan::plan;
use super::scrape::Scrape;
use super::shown::{Destination, Saved, outcome};
use super::trial::{Target, Trial, warn_of_debug_build};
use super::{agents, calibrate};
use crate::bench::plan::Plan;
use crate::bench::report::Report;
use crate::cli::bench::BenchArgs;
use crate::exit::Exit;
use crate::output::html;
use crate::output::report::text;
use crate::output::{Output, Unwritable};

/// Runs the load, prints the report on stdout, and ends with what the report says.
///
/// # Errors
/// When the options contradict each other, or not everyone could connect and subscribe.
pub(super) fn run(args: BenchArgs) -> anyhow::Result<Exit> {
    let plan = plan(&args.load)?;
    if args.print_plan {
        return print_plan(&plan);
    }
    let saved = Saved::new(&args.json)?;
    let page = args.html.as_deref().map(Destination::new).transpose()?;
    let found = match &args.agents.agents {
        Some(wanted) => agents::run(&args, wanted, plan)?,
        None => here(&args, plan)?,
    };
    let Some(mut report) = found else {
        return Ok(Exit::Interrupted);
    };
    if let Some(slo) = &args.slo {
        report.objectives = slo.judge(&report);
    }
    saved.write(&report, text)?;
    if let Some(page) = page {
        page.write(&html::page(&report))?;
    }
    Ok(outcome(&report))
}

/// The run on this machine; `None` when a second signal asked to leave at once.
fn here(args: &BenchArgs, plan: Plan) -> anyhow::Result<Option<Report>> {
    let mut files = Files::new(plan.scenario, args.hlog.as_deref(), args.csv.as_deref())?;
    if let Some(address) = args.prometheus {
        files.show_at(Scrape::start(address)?);
    }
    let target = Target::new(&args.load)?;
    warn_of_debug_build();
    let calibration = match args.calibrate {
        true => match calibrate::beside(&plan, &args.load, args.verbose)? {
            None => return Ok(None),
            found => found,
        },
        false => None,
    };
    let trial = Trial {
        plan,
        target: &target,
        workers: args.load.workers,
    };
    let Some(mut report) = trial.run(&mut files, args.verbose)? else {
        return Ok(None);
    };
    target.stop();
    report.calibration = calibration;
    files.finish()?;
    Ok(Some(report))
}

/// The plan on stdout, for `--plan`.
fn print_plan(plan: &Plan) -> anyhow::Result<Exit> {
    let mut stdout = Output::new(io::stdout().lock());
    stdout.buffer.extend_from_slice(plan.to_toml().as_bytes());
    match stdout.flush() {
        Ok(()) | Err(Unwritable::Closed) => Ok(Exit::Done),
        Err(error) => Err(error.into()),
    }
}
