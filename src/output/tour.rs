//! A tour for a person: a line for each stage, what was bad, and where there is more to learn.

use std::fmt::Write;
use std::time::Duration;

use colored::Colorize;

use super::figures::{time, whole};
use super::headline;
use super::without_controls;
use crate::bench::measure::latency::Latency;
use crate::bench::plan::Scenario;
use crate::bench::report::Report;
use crate::bench::trials::tour::Tour;

/// The whole tour, in colour where stdout shows it.
pub fn text(tour: &Tour) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write_tour(&mut out, tour);
    out
}

fn write_tour(out: &mut String, tour: &Tour) -> std::fmt::Result {
    let Some(first) = tour.runs.first() else {
        return writeln!(out, "interrupted before there was anything to tell");
    };
    writeln!(out, "{}", headline::target(first).bold())?;
    for run in &tour.runs {
        writeln!(out, "{:<13}{}", name(run), headline::headline(run))?;
    }
    writeln!(out)?;
    verdict(out, tour)?;
    let heads = format!(
        "{:<13}{:>11}{:>11}{:>11}{:>11}{:>11}{:>11}{:>8}{:>9}{:>10}",
        "stage",
        "offered/s",
        "arrived/s",
        "ack p50",
        "ack p99",
        "p50",
        "p99",
        "lost",
        "doubled",
        "disorder"
    );
    writeln!(out, "{}", heads.dimmed())?;
    for run in &tour.runs {
        writeln!(out, "{}", line(run))?;
    }
    let meaning = "p50 and p99 count from when a message was due to its arrival, ack to PUBACK or PUBCOMP; \
                   for connections both to CONNACK, ack from CONNECT";
    writeln!(out, "{}", meaning.dimmed())?;
    let more =
        "a stage in full: mqtt bench pubsub -q 1 --rate 5k; how much is held: mqtt bench max";
    writeln!(out, "{}", more.dimmed())
}

/// What a stage is called: `connections`, or `QoS 1`.
fn name(run: &Report) -> String {
    match run.plan.scenario {
        Scenario::Conn => "connections".to_owned(),
        _ => format!("QoS {}", run.plan.qos()),
    }
}

/// What holds of all stages in a word; otherwise which one it was, and why.
fn verdict(out: &mut String, tour: &Tour) -> std::fmt::Result {
    let invalid = tour.runs.iter().filter(|run| !run.verdict.valid);
    let invalid: Vec<String> = invalid
        .map(|run| format!("{}: {}", name(run), run.verdict.reasons.join("; ")))
        .collect();
    let failed = tour.runs.iter().filter(|run| !run.check.passed);
    let failed: Vec<String> = failed
        .map(|run| format!("{}: {}", name(run), run.check.faults.join("; ")))
        .collect();
    if invalid.is_empty() {
        writeln!(out, "{}", "VALID".green().bold())?;
    }
    for words in invalid {
        writeln!(out, "{}  {words}", "INVALID".red().bold())?;
    }
    if failed.is_empty() {
        writeln!(out, "{}", "DELIVERY CHECK PASSED".green().bold())?;
    }
    for words in failed {
        writeln!(out, "{}  {words}", "DELIVERY CHECK FAILED".red().bold())?;
    }
    for run in &tour.runs {
        for words in trouble(run) {
            writeln!(out, "{:<13}{words}", name(run))?;
        }
    }
    writeln!(out)
}

/// What went wrong with connections and messages, beside what the ledger counts.
fn trouble(run: &Report) -> Vec<String> {
    let mut words = Vec::new();
    for failure in &run.connections.failures {
        let count = whole(failure.count as f64);
        let reason = without_controls(&failure.reason);
        words.push(format!("{count} not connected: {reason}"));
    }
    if let Some(first) = run.lost_connections.first() {
        let count = whole(run.lost_connections.len() as f64);
        words.push(format!(
            "{count} lost the connection, {} after {:.1} s: {}",
            without_controls(&first.client),
            first.at_s,
            without_controls(&first.reason)
        ));
    }
    for refusal in &run.refusals {
        let count = whole(refusal.count as f64);
        words.push(format!("{count} refused: {}", refusal.reason));
    }
    if run.messages.never_sent > 0 {
        let count = whole(run.messages.never_sent as f64);
        words.push(format!("{count} due and never sent"));
    }
    let granted = run.broker.granted_qos;
    if granted < run.plan.qos().number() {
        words.push(format!("the broker granted only QoS {granted}"));
    }
    if run.interrupted {
        words.push("interrupted".to_owned());
    }
    words
}

/// One stage: rates, latencies and the ledger.
fn line(run: &Report) -> String {
    let (connections, rate) = (&run.connections, &run.rate_per_s);
    let conn = run.plan.scenario == Scenario::Conn;
    let (offered, done, ack, response) = match conn {
        true => (
            connections.offered_per_s,
            connections.made_per_s,
            &connections.latency_us.connack,
            &connections.latency_us.response,
        ),
        false => (
            rate.offered,
            rate.delivered,
            &run.latency_us.acknowledgement,
            &run.latency_us.response,
        ),
    };
    let per_second = |rate: Option<f64>| rate.map_or_else(|| "-".to_owned(), whole);
    let percentile = |latency: &Option<Latency>, of: fn(&Latency) -> Option<u64>| {
        let us = latency.as_ref().and_then(of);
        us.map_or_else(|| "-".to_owned(), |us| time(Duration::from_micros(us)))
    };
    let count = |count: u64| match conn {
        true => "-".to_owned(),
        false => whole(count as f64),
    };
    let delivery = &run.delivery;
    format!(
        "{:<13}{:>11}{:>11}{:>11}{:>11}{:>11}{:>11}{:>8}{:>9}{:>10}",
        name(run),
        per_second(offered),
        per_second(done),
        percentile(ack, |ack| ack.p50),
        percentile(ack, |ack| ack.p99),
        percentile(response, |response| response.p50),
        percentile(response, |response| response.p99),
        count(delivery.lost()),
        count(delivery.duplicates),
        count(delivery.reordered)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::load::tally::LostConnection;
    use crate::bench::report::tests::report;

    #[test]
    fn a_tour_reads_at_a_glance() {
        colored::control::set_override(false);
        let expected = "\
mqtt://localhost:1883 with MQTT 3.1.1
QoS 1        1 publisher to 1 subscriber, QoS 1, 64 bytes, 10,000/s
QoS 2        1 publisher to 1 subscriber, QoS 2, 64 bytes, 10,000/s

VALID
DELIVERY CHECK PASSED

stage          offered/s  arrived/s    ack p50    ack p99        p50        p99    lost  doubled  disorder
QoS 1             10,000     10,000      60 µs      60 µs     120 µs     120 µs       0        0         0
QoS 2             10,000     10,000      60 µs      60 µs     120 µs     120 µs       0        0         0
p50 and p99 count from when a message was due to its arrival, ack to PUBACK or PUBCOMP; for connections both to CONNACK, ack from CONNECT
a stage in full: mqtt bench pubsub -q 1 --rate 5k; how much is held: mqtt bench max
";
        let tour = Tour::new(vec![report(1, |_| {}), report(2, |_| {})]);
        assert_eq!(text(&tour), expected);
        assert!(text(&Tour::new(Vec::new())).starts_with("interrupted"));
    }

    #[test]
    fn what_was_bad_is_said_of_its_stage() {
        colored::control::set_override(false);
        let bad = report(2, |found| {
            found.delivery.lost_acknowledged = 7;
            found.unsent = 12;
            found.lost_connections = vec![LostConnection {
                client: "publisher 1".to_owned(),
                at_s: 0.5,
                reason: "the broker closed the connection".to_owned(),
            }];
        });
        let text = text(&Tour::new(vec![report(1, |_| {}), bad]));
        for line in [
            "INVALID  QoS 2: a connection was lost",
            "DELIVERY CHECK FAILED  QoS 2: 7 acknowledged and lost",
            "QoS 2        1 lost the connection, publisher 1 after 0.5 s: the broker closed the connection",
            "QoS 2        12 due and never sent",
        ] {
            assert!(
                text.lines().any(|found| found == line),
                "{line:?} is not in\n{text}"
            );
        }
    }
}
