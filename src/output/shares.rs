//! Who had how much of the load: each of several brokers, each member of a shared subscription. What the machines of
//! `--agents` had is told by `machines`.

use std::fmt::{self, Write};
use std::time::Duration;

use colored::Colorize;

use super::figures::{time, whole};
use crate::bench::report::Report;

/// What each of several brokers had of the load.
pub(super) fn brokers(out: &mut String, report: &Report) -> fmt::Result {
    if report.brokers.is_empty() {
        return Ok(());
    }
    let head = format!(
        "\n{:<13}{:>11}{:>12}{:>12}{:>9}{:>9}{:>9}   of",
        "brokers", "connections", "sent", "delivered", "p50", "p99", "max"
    );
    writeln!(out, "{}", head.dimmed())?;
    for (number, broker) in (1..).zip(&report.brokers) {
        let latency = broker.latency_us.as_ref();
        let time =
            |us: Option<u64>| us.map_or("-".to_owned(), |us| time(Duration::from_micros(us)));
        writeln!(
            out,
            "{number:<13}{:>11}{:>12}{:>12}{:>9}{:>9}{:>9}   {}",
            whole(broker.connections as f64),
            whole(broker.sent as f64),
            whole(broker.delivered as f64),
            time(latency.and_then(|latency| latency.p50)),
            time(latency.and_then(|latency| latency.p99)),
            time(latency.map(|latency| latency.max)),
            broker.endpoint
        )?;
    }
    writeln!(out)
}

/// How evenly shared subscriptions were served.
pub(super) fn shares(out: &mut String, report: &Report) -> fmt::Result {
    for share in &report.shares {
        let (least, most) = (share.members.iter().min(), share.members.iter().max());
        let count = |count: Option<&u64>| whole(count.copied().unwrap_or(0) as f64);
        writeln!(
            out,
            "{:<13}{} members of {}, {} to {} messages each, fairness {:.3}",
            "share".dimmed(),
            share.members.len(),
            share.filter,
            count(least),
            count(most),
            share.fairness
        )?;
        if most == Some(&0) && report.messages.sent > 0 {
            let words = "not one message came: does this broker know shared subscriptions?";
            writeln!(out, "{:<13}{}", "", words.yellow())?;
        }
    }
    Ok(())
}
