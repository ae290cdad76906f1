//! Which options mean something in which scenario. One that would change nothing is a mistake of whoever typed it.

use super::session::message_properties;
use crate::bench::plan::Scenario::{
    self, Churn, Conn, Idle, Offline, Pub, PubSub, ReconnectStorm, Req, RetainedStorm, Shared,
    Slow, Sub, TakeoverStorm, WillStorm,
};
use crate::cli::bench::LoadArgs;
use crate::exit::Exit;

/// With clients that publish.
const PUBLISH: &[Scenario] = &[PubSub, Pub, Shared, Req, RetainedStorm, Offline, Slow];

/// With clients that subscribe.
const SUBSCRIBE: &[Scenario] = &[
    PubSub,
    Sub,
    Shared,
    Req,
    WillStorm,
    RetainedStorm,
    Offline,
    Slow,
];

/// With clients that connect and do nothing else.
const CONNECT: &[Scenario] = &[Conn, Idle, Churn, ReconnectStorm, TakeoverStorm, WillStorm];

/// Whose messages can be counted.
const COUNTED: &[Scenario] = &[PubSub, Pub, Sub, Shared, Req, RetainedStorm, Offline];

/// Which go on for as long as they are let.
const LASTING: &[Scenario] = &[PubSub, Pub, Sub, Shared, Req, Slow];

/// Checks that every option that was typed makes a difference, and that what the scenario needs was typed.
///
/// # Errors
/// Names the option, and the scenario in which it has no meaning.
pub(super) fn check(args: &LoadArgs, scenario: Scenario) -> anyhow::Result<()> {
    let wrong = |words: String| Err(Exit::Usage.because(words));
    let options = of_publishers(args)?.into_iter().chain(of_the_load(args));
    for (flag, is_typed, scenarios) in options {
        if is_typed && !scenarios.iter().any(|some| some.contains(&scenario)) {
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

/// An option, whether it was typed, and the scenarios in which it means something.
type Meaning = (&'static str, bool, &'static [&'static [Scenario]]);

fn of_the_load(args: &LoadArgs) -> Vec<Meaning> {
    vec![
        ("--subscribers", args.subscribers.is_some(), &[SUBSCRIBE]),
        ("--clients", args.clients.is_some(), &[CONNECT]),
        ("--rate", args.rate.is_some(), &[PUBLISH, CONNECT]),
        ("--count", args.count.is_some(), &[COUNTED]),
        ("--warmup", args.warmup.is_some(), &[LASTING]),
        ("--qos", args.qos.is_some(), &[PUBLISH, SUBSCRIBE]),
        (
            "--topic",
            args.topic.is_some(),
            &[&[PubSub, Pub, Sub, Offline]],
        ),
        (
            "--filter",
            args.filter.is_some(),
            &[&[PubSub, Shared, Offline]],
        ),
        ("--reads", args.reads.is_some(), &[&[Slow]]),
        ("--persistent", args.faults.persistent, &[LASTING]),
    ]
}

fn of_publishers(args: &LoadArgs) -> anyhow::Result<Vec<Meaning>> {
    let messages = &args.messages;
    let properties = message_properties(messages)?;
    let typed = [
        ("--publishers", args.publishers.is_some()),
        ("--window", args.window.is_some()),
        ("--size", messages.size.is_some()),
        ("--payload", !messages.payload.is_empty()),
        ("--payload-file", !messages.payload_file.is_empty()),
        ("--payload-lines", messages.payload_lines.is_some()),
        ("--template", messages.template),
        ("--header", messages.header.is_some()),
        ("--retain", messages.retain),
        ("--topic-alias", messages.topic_alias),
        ("an MQTT 5 property of messages", !properties.is_empty()),
    ];
    Ok(typed
        .map(|(flag, is_typed)| (flag, is_typed, &[PUBLISH] as &[_]))
        .to_vec())
}
