//! `mqtt bench calibrate`, and the calibration of a run: the load tester against a broker that does nothing.

use std::time::Duration;

use super::files::Files;
use super::plan::plan;
use super::shown::Saved;
use super::trial::{Target, Trial, warn_of_debug_build};
use crate::bench::plan::disturbance::Disturbance;
use crate::bench::plan::pace::Pace;
use crate::bench::plan::{Plan, Run, Scenario, Stop, Warmup};
use crate::bench::report::Report;
use crate::bench::trials::calibration::{Calibration, Limits};
use crate::cli::bench::LoadArgs;
use crate::cli::bench::verbs::CalibrateArgs;
use crate::exit::Exit;
use crate::output;

/// How long a run is calibrated.
const SHORT: Duration = Duration::from_secs(2);

/// Messages per second of the floor when no rate was asked for.
const SLOW: f64 = 1000.0;

/// Prints the floor and the ceiling.
///
/// # Errors
/// When the options contradict each other, or the null broker cannot be started.
pub(super) fn run(args: CalibrateArgs) -> anyhow::Result<Exit> {
    let plan = calibrated(plan(&args.load)?)?;
    let saved = Saved::new(&args.json)?;
    warn_of_debug_build();
    let mut slow = plan.clone();
    if paces(&mut slow).all(|pace| *pace == Pace::Max) {
        let groups = paces(&mut slow).count().max(1) as f64;
        let share = (SLOW / groups).to_string().parse().unwrap_or_default();
        paces(&mut slow).for_each(|pace| *pace = share);
    }
    let mut fast = plan;
    paces(&mut fast).for_each(|pace| *pace = Pace::Max);
    let mut reports = Vec::new();
    for plan in [slow, fast] {
        match measure(plan, &args.load, args.verbose)? {
            Some(report) if !report.interrupted => reports.push(report),
            _ => return Ok(Exit::Interrupted),
        }
    }
    let (Some(ceiling), Some(floor)) = (reports.pop(), reports.pop()) else {
        return Ok(Exit::Interrupted);
    };
    let limits = Limits {
        schema: 1,
        floor,
        ceiling,
    };
    saved.write(&limits, output::calibration::text)?;
    Ok(Exit::Done)
}

/// The same load for a short time, for what is printed beside a result; `None` when a signal came.
///
/// # Errors
/// As for [`run`].
pub(super) fn beside(
    plan: &Plan,
    load: &LoadArgs,
    verbose: bool,
) -> anyhow::Result<Option<Calibration>> {
    let mut short = calibrated(plan.clone())?;
    if let Stop::After(duration) = short.stop {
        short.stop = Stop::After(duration.min(SHORT));
        short.warmup = Warmup::Fixed(short.warmup.longest().min(SHORT / 4));
    }
    let report = measure(short, load, verbose)?.filter(|report| !report.interrupted);
    Ok(report.as_ref().map(Calibration::of))
}

/// A plan as it is calibrated, unless it needs others to publish.
fn calibrated(mut plan: Plan) -> anyhow::Result<Plan> {
    // The run has its own name.
    plan.run = Run::random();
    // The proxy stays, for what it costs; what it does does not happen.
    plan.fault.iter_mut().for_each(Disturbance::never);
    match plan.scenario {
        Scenario::Sub => Err(Exit::Usage.because(
            "there is nothing to calibrate in `mqtt bench sub`: it counts what others publish",
        )),
        Scenario::PubSub
        | Scenario::Pub
        | Scenario::Conn
        | Scenario::Idle
        | Scenario::Shared
        | Scenario::Req
        | Scenario::Churn
        | Scenario::ReconnectStorm
        | Scenario::Mixed => Ok(plan),
        Scenario::Slow => Err(Exit::Usage.because(
            "the null broker holds everybody up for who reads slowly, so there is nothing to calibrate in `mqtt bench slow`",
        )),
        scenario => Err(Exit::Usage.because(format!(
            "the null broker keeps no sessions, wills and retained messages, which `mqtt bench {scenario}` is about; the floor \
             of its messages is that of `mqtt bench calibrate pubsub`"
        ))),
    }
}

/// When each group sends or connects.
fn paces(plan: &mut Plan) -> impl Iterator<Item = &mut Pace> {
    let publish = plan.publish.iter_mut().map(|group| &mut group.rate);
    publish.chain(plan.connect.iter_mut().map(|group| &mut group.rate))
}

fn measure(plan: Plan, load: &LoadArgs, verbose: bool) -> anyhow::Result<Option<Report>> {
    let target = Target::null(load)?;
    let mut files = Files::new(plan.scenario, None, None)?;
    let trial = Trial {
        plan,
        target: &target,
        workers: load.workers,
    };
    trial.run(&mut files, verbose)
}
