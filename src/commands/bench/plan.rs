//! What was typed becomes what is meant: flags into a [`Plan`].

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use anyhow::Context;

use crate::bench::plan::{Plan, Run, Scenario, Stop};
use crate::cli::bench::LoadArgs;
use crate::exit::Exit;
use crate::mqtt::QoS;

/// The plan of a command line.
///
/// # Errors
/// When an option has no meaning in the scenario, or the run could not be carried out.
pub(super) fn plan(args: &LoadArgs) -> anyhow::Result<Plan> {
    let run = Run(RandomState::new().build_hasher().finish() as u32);
    let pattern = |text: String| {
        text.parse()
            .map_err(|error: String| Exit::Usage.because(error))
    };
    let scenario = args.scenario;
    refuse_what_has_no_meaning(args)?;
    let some = |wanted: bool, given: Option<u32>, default: u32| match wanted {
        true => given.unwrap_or(default),
        false => 0,
    };
    let plan = Plan {
        scenario,
        run,
        clients: some(scenario.connects(), args.clients, 100),
        publishers: some(scenario.publishes(), args.publishers, 10),
        subscribers: some(
            matches!(scenario, Scenario::PubSub | Scenario::Sub),
            args.subscribers,
            10,
        ),
        topic: match &args.topic {
            Some(topic) => topic.clone(),
            None => pattern(format!("bench/{run}/%i"))?,
        },
        filter: args.filter.clone(),
        qos: QoS::from_number(args.qos.unwrap_or(1))
            .context("a quality of service is 0, 1 or 2")?,
        size: args.size.unwrap_or(64),
        rate: args.rate.and_then(|pace| pace.0),
        warmup: args.warmup.unwrap_or(match args.count {
            None if !scenario.connects() => Duration::from_secs(1),
            _ => Duration::ZERO,
        }),
        stop: match (args.count, args.duration) {
            (Some(count), _) => Stop::Count(count),
            (None, Some(duration)) => Stop::After(duration),
            (None, None) if scenario == Scenario::Conn => Stop::After(Duration::ZERO),
            (None, None) => Stop::After(Duration::from_secs(5)),
        },
        window: args.window.unwrap_or(100),
    };
    plan.check().map_err(|error| Exit::Usage.because(error))?;
    Ok(plan)
}

/// An option that would change nothing is a mistake of whoever typed it.
fn refuse_what_has_no_meaning(args: &LoadArgs) -> anyhow::Result<()> {
    use Scenario::{Conn, Idle, Pub, PubSub, Sub};
    let scenario = args.scenario;
    let wrong = |words: String| Err(Exit::Usage.because(words));
    for (flag, given, scenarios) in [
        (
            "--publishers",
            args.publishers.is_some(),
            &[PubSub, Pub][..],
        ),
        ("--subscribers", args.subscribers.is_some(), &[PubSub, Sub]),
        ("--clients", args.clients.is_some(), &[Conn, Idle]),
        ("--rate", args.rate.is_some(), &[PubSub, Pub, Conn, Idle]),
        ("--count", args.count.is_some(), &[PubSub, Pub, Sub]),
        ("--warmup", args.warmup.is_some(), &[PubSub, Pub, Sub]),
        ("--size", args.size.is_some(), &[PubSub, Pub]),
        ("--qos", args.qos.is_some(), &[PubSub, Pub, Sub]),
        ("--window", args.window.is_some(), &[PubSub, Pub]),
        ("--topic", args.topic.is_some(), &[PubSub, Pub, Sub]),
        ("--filter", args.filter.is_some(), &[PubSub]),
    ] {
        if given && !scenarios.contains(&scenario) {
            return wrong(format!("{flag} has no meaning in `mqtt bench {scenario}`"));
        }
    }
    if scenario == Sub && args.topic.is_none() {
        return wrong(
            "`mqtt bench sub` needs a topic filter, for example --topic 'sensors/#'".to_owned(),
        );
    }
    if scenario == Sub && args.serve {
        return wrong(
            "`mqtt bench sub` counts what others publish, and nobody else knows the broker of --serve"
                .to_owned(),
        );
    }
    Ok(())
}
