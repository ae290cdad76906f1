//! `mqtt bench` and nothing else: connections, then messages at each quality of service, in a quarter of a minute.

use std::time::Duration;

use super::files::Files;
use super::plan::plan;
use super::shown::{Destination, Saved, distinct, json_file, outcome};
use super::trial::{Target, Trial, warn_of_debug_build};
use crate::bench::plan::pace::Pace;
use crate::bench::plan::{Plan, Scenario, Warmup};
use crate::bench::trials::tour::Tour;
use crate::cli::bench::{BenchArgs, LoadArgs};
use crate::exit::Exit;
use crate::output::{html, say, tour};

/// Connections of the first stage: enough for a 99th percentile.
const CONNECTIONS: u32 = 1000;

/// How many of them a second.
const CONNECT_RATE: &str = "500";

/// Messages per second of the other stages. Little for a broker, so that their latency is not that of a queue.
const RATE: &str = "5k";

/// How long each of the other stages is measured, after [`WARMUP`]: 2 + 3 * (0.5 + 3) is 12.5 s for all.
const DURATION: Duration = Duration::from_secs(3);

/// Of each of the other stages.
const WARMUP: Duration = Duration::from_millis(500);

/// Whether the command line says no more than which broker, and how the report is shown. Whoever says what the load is,
/// what it must hold or what is kept of a run means one run.
pub(super) fn is_meant(args: &BenchArgs) -> bool {
    // What nothing but `mqtt bench` says, and what a tour takes beside it. Any other option makes a difference, a new
    // one too.
    let Some(mut tour) = BenchArgs::untyped() else {
        return false;
    };
    tour.json.clone_from(&args.json);
    tour.html.clone_from(&args.html);
    tour.verbose = args.verbose;
    let (load, typed) = (&mut tour.load, &args.load);
    load.serve = typed.serve;
    load.workers = typed.workers;
    load.id.clone_from(&typed.id);
    load.broker.clone_from(&typed.broker);
    load.brokers.clone_from(&typed.brokers);
    load.source.clone_from(&typed.source);
    load.connection.clone_from(&typed.connection);
    // Two command lines are alike when they print alike.
    format!("{tour:?}") == format!("{args:?}")
}

/// Runs the stages one after the other, prints a line for each, and ends with what the worst says.
///
/// # Errors
/// When nobody could connect, or in a later stage not everyone.
pub(super) fn run(args: &BenchArgs) -> anyhow::Result<Exit> {
    let stages = stages(&args.load)?;
    distinct(&[
        ("--json", json_file(&args.json)),
        ("--html", args.html.as_deref()),
    ])?;
    let saved = Saved::new(&args.json)?;
    let page = args.html.as_deref().map(Destination::new).transpose()?;
    let target = Target::new(&args.load)?;
    warn_of_debug_build();
    let mut runs = Vec::new();
    for plan in stages {
        if args.verbose {
            say(format_args!("{} at QoS {}", plan.scenario, plan.qos()));
        }
        let mut files = Files::new(plan.scenario, None, None)?;
        let trial = Trial {
            plan,
            target: &target,
            workers: args.load.workers,
        };
        let Some(report) = trial.run(&mut files, args.verbose)? else {
            return Ok(Exit::Interrupted);
        };
        // Where nobody is connected there is nothing to tour.
        let nobody = report.connections.made == 0 && !report.interrupted;
        if let (true, Some(first)) = (nobody, report.connections.failures.first()) {
            return Err(first.exit.because(first.reason.clone()));
        }
        let interrupted = report.interrupted;
        runs.push(report);
        if interrupted {
            break;
        }
    }
    target.stop();
    let found = Tour::new(runs);
    let exit = ending(&found);
    saved.write(&found, tour::text)?;
    if let Some(page) = page {
        page.write(&html::tour(&found))?;
    }
    Ok(exit)
}

/// How a program ends that found this: a broken promise counts for more than a lost connection.
pub(super) fn ending(tour: &Tour) -> Exit {
    let ends = tour.runs.iter().map(outcome);
    let bad: Vec<Exit> = ends.filter(|exit| *exit != Exit::Done).collect();
    [Exit::Interrupted, Exit::CheckFailed]
        .into_iter()
        .find(|exit| bad.contains(exit))
        .or(bad.first().copied())
        .unwrap_or(Exit::Done)
}

/// The plans of the stages, of what was typed and a load of their own.
fn stages(typed: &LoadArgs) -> anyhow::Result<Vec<Plan>> {
    let rate = |text: &str| -> anyhow::Result<Option<Pace>> {
        let pace = text.parse();
        pace.map(Some)
            .map_err(|error: String| anyhow::anyhow!(error))
    };
    let mut stages = vec![plan(&LoadArgs {
        scenario: Some(Scenario::Conn),
        clients: Some(CONNECTIONS),
        rate: rate(CONNECT_RATE)?,
        ..typed.clone()
    })?];
    for qos in 0..=2 {
        stages.push(plan(&LoadArgs {
            scenario: Some(Scenario::PubSub),
            qos: Some(qos),
            rate: rate(RATE)?,
            duration: Some(DURATION),
            warmup: Some(Warmup::Fixed(WARMUP)),
            ..typed.clone()
        })?);
    }
    Ok(stages)
}
