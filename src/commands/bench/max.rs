//! `mqtt bench max`: the highest load that holds what it must hold.

use super::files::Files;
use super::plan::plan;
use super::shown::Saved;
use super::site::Site;
use crate::bench::report::Report;
use crate::bench::report::slo::Slo;
use crate::bench::trials::climb::{Climb, Step};
use crate::bench::trials::search::{Next, Range, Search};
use crate::cli::bench::LoadArgs;
use crate::cli::bench::verbs::{MaxArgs, Raised};
use crate::exit::Exit;
use crate::output::{climb, say};

/// Prints the curve and the answer, and ends with 8 when no load holds.
///
/// # Errors
/// When the options contradict each other, or the first load cannot be run at all.
pub(super) fn run(args: MaxArgs) -> anyhow::Result<Exit> {
    if args.load.plan.is_some() || args.load.presets.preset.is_some() {
        return Err(Exit::Usage.because(
            "which of the groups of a plan is to be raised? Describe the load by options instead of --plan or --preset",
        ));
    }
    let slo = objectives(&args);
    let mut search = Search::new(range(&args));
    plan(&raised(&args, start(&args))?)?;
    let saved = Saved::new(&args.json)?;
    let site = Site::new(&args.load, &args.agents)?;
    site.warn_of_debug_build();
    let mut ended = Ok(());
    let mut found = Climb {
        schema: 1,
        of: name(args.of).to_owned(),
        objectives: slo.0.iter().map(ToString::to_string).collect(),
        found: None,
        confirmed: 0,
        interrupted: false,
        steps: Vec::new(),
    };
    loop {
        let (load, again) = match search.next() {
            Next::Try(load) => (load, false),
            Next::Confirm(load) => (load, true),
            Next::Found(answer) => {
                found.found = answer;
                break;
            }
        };
        let step = match measure(&args, &site, load) {
            Ok(Some(report)) if !report.interrupted => Step::of(load, again, &report, &slo),
            Ok(_) => {
                found.interrupted = true;
                break;
            }
            Err(error) if found.steps.is_empty() => return Err(error),
            // What cannot even be connected is too much, unless it was so from the first.
            Err(error) if site.is_of_the_load(&error) => {
                Step::broken(load, again, format!("{error:#}"))
            }
            Err(error) => {
                found.interrupted = true;
                ended = Err(error);
                break;
            }
        };
        if args.verbose {
            say(climb::line(&step));
        }
        search.tell(load, step.outcome());
        found.steps.push(step);
    }
    site.stop();
    let again = |step: &&Step| step.again && step.held() && Some(step.load) == found.found;
    found.confirmed = found.steps.iter().filter(again).count() as u32;
    saved.write(&found, climb::text)?;
    ended?;
    Ok(match (found.interrupted, found.found) {
        (true, _) => Exit::Interrupted,
        (false, None) => Exit::CheckFailed,
        (false, Some(_)) => Exit::Done,
    })
}

fn measure(args: &MaxArgs, site: &Site, load: f64) -> anyhow::Result<Option<Report>> {
    let plan = plan(&raised(args, load)?)?;
    let mut files = Files::new(plan.scenario, None, None)?;
    site.run(plan, &mut files, args.verbose)
}

/// What was typed, with the load in its place.
fn raised(args: &MaxArgs, load: f64) -> anyhow::Result<LoadArgs> {
    let mut typed = args.load.clone();
    let clients = Some(load as u32);
    match args.of {
        Raised::Rate => {
            typed.rate = Some(
                load.to_string()
                    .parse()
                    .map_err(|error: String| Exit::Usage.because(error))?,
            );
        }
        Raised::Clients => typed.clients = clients,
        Raised::Publishers => typed.publishers = clients,
        Raised::Subscribers => typed.subscribers = clients,
    }
    Ok(typed)
}

/// When the rate is raised, it must also arrive.
fn objectives(args: &MaxArgs) -> Slo {
    let mut slo = args.slo.clone();
    let speaks_of_rate = slo
        .0
        .iter()
        .any(|objective| objective.to_string().starts_with("rate"));
    if args.of == Raised::Rate && !speaks_of_rate {
        slo.0.extend("rate>=99%".parse());
    }
    slo
}

fn start(args: &MaxArgs) -> f64 {
    args.from.unwrap_or(match args.of {
        Raised::Rate => 1000.0,
        _ => 10.0,
    })
}

fn range(args: &MaxArgs) -> Range {
    let most = match args.of {
        Raised::Rate => 1e7,
        _ => 1e6,
    };
    Range {
        from: start(args),
        least: match (args.of, &args.agents.agents) {
            // An agent without a client is a mistake, and no load.
            (Raised::Clients, Some(wanted)) => wanted.count() as f64,
            _ => 1.0,
        },
        most: args.to.unwrap_or(most),
        whole: args.of != Raised::Rate,
        precision: args.precision / 100.0,
        confirmations: args.confirm,
    }
}

fn name(raised: Raised) -> &'static str {
    match raised {
        Raised::Rate => "rate",
        Raised::Clients => "clients",
        Raised::Publishers => "publishers",
        Raised::Subscribers => "subscribers",
    }
}
