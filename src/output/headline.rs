//! What a bench did, in the first lines of its report: the load, the broker, and for how long.

use std::collections::HashSet;
use std::time::Duration;

use super::figures::{seconds, time, whole};
use crate::bench::plan::content::{Content, Source};
use crate::bench::plan::pace::{Pace, Shape};
use crate::bench::plan::{Fate, Plan, Publishers, Scenario, Stop};
use crate::bench::report::Report;

/// What was done, in one line.
pub(super) fn headline(report: &Report) -> String {
    let plan = &report.plan;
    match plan.scenario {
        // Their clients say it all.
        Scenario::PubSub | Scenario::Pub | Scenario::Sub | Scenario::Conn | Scenario::Mixed => {
            load(plan)
        }
        scenario => format!("{scenario}: {}", load(plan)),
    }
}

/// To which broker.
pub(super) fn target(report: &Report) -> String {
    let broker = &report.broker;
    let embedded = if broker.embedded {
        ", in this process"
    } else {
        ""
    };
    format!("{} with MQTT {}{embedded}", broker.endpoint, broker.version)
}

/// `10 publishers to 10 subscribers, QoS 1, 64 bytes, as fast as flow control allows`
fn load(plan: &Plan) -> String {
    let mut publish: Vec<String> = plan.publish.iter().map(publishers).collect();
    let count: u32 = plan.subscribers();
    let mut subscribe = some(count, "subscriber");
    if plan.scenario == Scenario::Sub {
        let filters: Vec<String> = plan
            .subscribe
            .iter()
            .map(|group| group.filter.to_string())
            .collect();
        subscribe += &format!(" to {}, QoS {}", filters.join(", "), plan.qos());
    }
    match (publish.first_mut(), count) {
        (_, 0) => {}
        (Some(first), _) if plan.publish.len() == 1 => {
            // Between the publishers and how they publish.
            let (who, how) = first.split_once(',').unwrap_or((first, ""));
            *first = format!("{who} to {subscribe},{how}");
        }
        _ => publish.push(subscribe),
    }
    let connect = plan.connect.iter().map(|group| {
        let rate = match group.rate {
            Pace::Max if group.fate == Fate::Stay => "as fast as they are accepted".to_owned(),
            Pace::Max => "all at once".to_owned(),
            rate => pace(rate),
        };
        format!("{}, {rate}", some(group.clients, "connection"))
    });
    publish
        .into_iter()
        .chain(connect)
        .collect::<Vec<_>>()
        .join("; ")
}

fn publishers(group: &Publishers) -> String {
    let rate = match group.rate {
        Pace::Max => "as fast as flow control allows".to_owned(),
        rate => pace(rate),
    };
    let Publishers { qos, payload, .. } = group;
    let payload = match payload {
        None => format!("{} bytes", group.size()),
        Some(content) => carried(content),
    };
    format!(
        "{}, QoS {qos}, {payload}, {rate}",
        some(group.clients, "publisher")
    )
}

/// What messages carry, where it is not filler.
fn carried(content: &Content) -> String {
    let what = if content.template { "template" } else { "text" };
    match &content.source {
        Source::Texts(texts) => match &texts[..] {
            [text] if !content.template => format!("a text of {} bytes", text.len()),
            texts => some(texts.len() as u32, what),
        },
        Source::Files(files) => match &files[..] {
            [file] => format!("the contents of {}", file.display()),
            files => some(files.len() as u32, "file"),
        },
        Source::Lines(file) => format!("the lines of {}", file.display()),
    }
}

fn some(count: u32, what: &str) -> String {
    format!(
        "{} {what}{}",
        whole(count.into()),
        if count == 1 { "" } else { "s" }
    )
}

/// `1,000/s`, or the form of the load as it is typed.
fn pace(pace: Pace) -> String {
    match pace {
        Pace::Total(Shape::Constant(rate)) => format!("{}/s", whole(rate.per_second())),
        Pace::PerClient(Shape::Constant(rate)) => format!("{}/s each", whole(rate.per_second())),
        pace => pace.to_string(),
    }
}

/// For how long, and what else is to be known of it.
pub(super) fn measurement(report: &Report) -> String {
    let measured = seconds(report.measured_s);
    let mut text = match report.plan.stop {
        Stop::After(_) if matches!(report.plan.scenario, Scenario::Conn | Scenario::Idle) => {
            let setup = seconds(report.setup_s);
            match report.measured_s {
                0.0 => format!("made in {setup}"),
                _ => format!("made in {setup}, held for {measured}"),
            }
        }
        Stop::After(_) => format!("measured for {measured}"),
        Stop::Count(1) => format!("measured 1 message in {measured}"),
        Stop::Count(count) => format!("measured {} messages in {measured}", whole(count as f64)),
    };
    let given = report.plan.warmup.fixed();
    let found = report
        .warm_up
        .map(|warm_up| Duration::try_from_secs_f64(warm_up.lasted_s).unwrap_or_default());
    if let Some(warmup) = found.or(given).filter(|warmup| !warmup.is_zero()) {
        text += &format!(" after {} of warm-up", time(warmup));
    }
    if report.warm_up.is_some_and(|warm_up| !warm_up.steady) {
        text += ", in which the load did not become steady";
    }
    if report.interrupted {
        text += ", interrupted";
    }
    let runs = match report.machines.len() {
        0 => report.parts.len(),
        machines => {
            text += &format!(", from {}", some(machines as u32, "machine"));
            let runs: HashSet<u32> = report.parts.iter().map(|part| part.run.0).collect();
            runs.len()
        }
    };
    if runs > 1 {
        text += &format!(", {runs} runs merged");
    }
    text
}
