//! What was typed becomes what is meant: flags, or a file, into a [`Plan`].

use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use anyhow::Context;

use crate::bench::plan::{
    Clients, Pattern, Plan, Publishers, Run, Scenario, Stop, Subscribers, Wrong,
};
use crate::cli::bench::LoadArgs;
use crate::exit::Exit;
use crate::mqtt::QoS;

/// The plan of a command line, or of the file it names.
///
/// # Errors
/// When an option has no meaning in the scenario, the file is no plan, or the run could not be carried out.
pub(super) fn plan(args: &LoadArgs) -> anyhow::Result<Plan> {
    match &args.plan {
        Some(path) => read(path),
        None => typed(args),
    }
}

/// The plan in a file; `-` is stdin.
fn read(path: &Path) -> anyhow::Result<Plan> {
    let name = path.display();
    let text = match path.as_os_str() == "-" {
        true => {
            let mut text = String::new();
            io::stdin().read_to_string(&mut text).map(|_| text)
        }
        false => fs::read_to_string(path),
    };
    let text = text.with_context(|| format!("could not read --plan {name}"))?;
    let wrong = |words: String| Exit::Failed.because(format!("--plan {name}: {words}"));
    let plan = Plan::from_toml(&text).map_err(wrong)?;
    plan.check().map_err(|error| wrong(error.to_string()))?;
    plan.audience().map_err(wrong)?;
    Ok(plan)
}

fn typed(args: &LoadArgs) -> anyhow::Result<Plan> {
    let scenario = args.scenario.unwrap_or(Scenario::PubSub);
    refuse_what_has_no_meaning(args, scenario)?;
    let run = Run::random();
    let topic = match &args.topic {
        Some(topic) => topic.clone(),
        None => pattern(&format!("bench/{run}/%i"))?,
    };
    let publishes = matches!(scenario, Scenario::PubSub | Scenario::Pub);
    let subscribes = matches!(scenario, Scenario::PubSub | Scenario::Sub);
    let connects = scenario.connects();
    let some = |wanted: bool, given: Option<u32>, default: u32| match wanted {
        true => given.unwrap_or(default),
        false => 0,
    };
    let publishers = some(publishes, args.publishers, 10);
    let subscribers = some(subscribes, args.subscribers, 10);
    // Without a filter of their own the larger of the two groups starts over at the size of the smaller one, so that
    // everyone has a partner: 10 and 10 are pairs, 1 and 10 a fan-out, 10 and 1 a fan-in, 10 and 20 two subscribers each.
    let numbers = match (&args.filter, publishers.min(subscribers)) {
        (Some(_), _) | (None, 0) => None,
        (None, smaller) => Some(smaller),
    };
    let qos =
        QoS::from_number(args.qos.unwrap_or(1)).context("a quality of service is 0, 1 or 2")?;
    let rate = args.rate.unwrap_or_default();
    let publish = Publishers {
        clients: publishers,
        topic: vec![topic.clone()],
        numbers,
        qos,
        rate,
        window: args.window.unwrap_or(100),
        size: args.size.unwrap_or(64),
    };
    let subscribe = Subscribers {
        clients: subscribers,
        filter: args.filter.clone().unwrap_or(topic),
        numbers,
        qos,
    };
    let connect = Clients {
        clients: some(connects, args.clients, 100),
        rate,
    };
    let plan = Plan {
        scenario,
        run,
        warmup: args.warmup.unwrap_or(match args.count {
            None if !connects && !rate.changes() => Duration::from_secs(1),
            _ => Duration::ZERO,
        }),
        stop: match (args.count, args.duration) {
            (Some(count), _) => Stop::Count(count),
            (None, Some(duration)) => Stop::After(duration),
            (None, None) if scenario == Scenario::Conn => Stop::After(Duration::ZERO),
            (None, None) => Stop::After(Duration::from_secs(5)),
        },
        publish: Vec::from_iter(publishes.then_some(publish)),
        // Without subscribers it is told how many are to be: nobody.
        subscribe: Vec::from_iter((subscribes && subscribers > 0).then_some(subscribe)),
        connect: Vec::from_iter(connects.then_some(connect)),
    };
    if scenario == Scenario::Sub && plan.subscribe.is_empty() {
        return Err(Exit::Usage.because("--subscribers must be at least 1"));
    }
    let own_filter = args.filter.is_some();
    plan.check()
        .map_err(|wrong| Exit::Usage.because(in_words_of_flags(&wrong, own_filter)))?;
    plan.audience()
        .map_err(|words| Exit::Usage.because(words))?;
    Ok(plan)
}

fn pattern(text: &str) -> anyhow::Result<Pattern> {
    text.parse()
        .map_err(|error: String| Exit::Usage.because(error))
}

/// What is wrong, by the option that says it.
fn in_words_of_flags(wrong: &Wrong, own_filter: bool) -> String {
    let flag = match (wrong.table, wrong.key) {
        ("publish", "clients") => "publishers",
        ("subscribe", "clients") => "subscribers",
        ("subscribe", "filter") if !own_filter => "topic",
        (_, key) => key,
    };
    format!("--{flag} {}", wrong.words)
}

/// An option that would change nothing is a mistake of whoever typed it.
fn refuse_what_has_no_meaning(args: &LoadArgs, scenario: Scenario) -> anyhow::Result<()> {
    use Scenario::{Conn, Idle, Pub, PubSub, Sub};
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
