//! A bench's report for a person: what was done, whether it can be trusted, how fast, how late, what was lost.

use std::fmt::Write;
use std::time::Duration;

use colored::Colorize;

use super::figures::{time, whole};
use super::headline::{headline, measurement, target};
use super::machines::machines;
use super::shares::{brokers, shares};
use super::{isolation, recovery, without_controls};
use crate::bench::measure::latency::Latency;
use crate::bench::plan::Scenario;
use crate::bench::report::Report;
use crate::mqtt::QoS;

/// The whole report, in colour where stdout shows it.
pub fn text(report: &Report) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write_report(&mut out, report);
    out
}

fn write_report(out: &mut String, report: &Report) -> std::fmt::Result {
    let plan = &report.plan;
    writeln!(out, "{}", headline(report).bold())?;
    writeln!(out, "{}", target(report))?;
    writeln!(out, "{}\n", measurement(report))?;
    verdict(out, report)?;
    match plan.scenario.connects() {
        true => connections(out, report)?,
        false => {
            rates(out, report)?;
            latencies(out, report)?;
            delivery(out, report)?;
            shares(out, report)?;
        }
    }
    brokers(out, report)?;
    for (place, line) in (0..).zip(report.isolation.iter().flat_map(isolation::fate)) {
        let head = if place == 0 { "slow" } else { "" };
        writeln!(out, "{:<13}{line}", head.dimmed())?;
    }
    faults(out, report)?;
    lost_connections(out, report)?;
    machines(out, report)?;
    generator(out, report)
}

fn verdict(out: &mut String, report: &Report) -> std::fmt::Result {
    let (verdict, check) = (&report.verdict, &report.check);
    match verdict.valid {
        true => writeln!(out, "{}", "VALID".green().bold())?,
        false => writeln!(
            out,
            "{}  {}",
            "INVALID".red().bold(),
            verdict.reasons.join("; ")
        )?,
    }
    match check.passed {
        _ if !report.plan.has_streams() => {}
        true => writeln!(out, "{}", "DELIVERY CHECK PASSED".green().bold())?,
        false => writeln!(
            out,
            "{}  {}",
            "DELIVERY CHECK FAILED".red().bold(),
            check.faults.join("; ")
        )?,
    }
    if let Some(found) = &report.isolation {
        let (word, words) = isolation::verdict(found);
        let word = match found.isolated {
            Some(true) => word.green().bold(),
            _ => word.red().bold(),
        };
        writeln!(out, "{word}  {words}")?;
    }
    for judgement in &report.objectives {
        let (verdict, but) = match (judgement.met, report.verdict.is_in_doubt()) {
            (true, false) => ("OBJECTIVE MET".green().bold(), ""),
            (true, true) => (
                "OBJECTIVE NOT SHOWN".red().bold(),
                ", but the run is INVALID",
            ),
            (false, _) => ("OBJECTIVE MISSED".red().bold(), ""),
        };
        writeln!(
            out,
            "{verdict}  {}: {}{but}",
            judgement.objective, judgement.found
        )?;
    }
    writeln!(out)
}

fn rates(out: &mut String, report: &Report) -> std::fmt::Result {
    let rate = &report.rate_per_s;
    let rows = [
        ("offered", rate.offered),
        ("sent", rate.sent),
        ("acknowledged", rate.acknowledged),
        ("delivered", rate.delivered),
    ];
    if rows.iter().all(|(_, value)| value.is_none()) {
        return Ok(());
    }
    writeln!(
        out,
        "{}",
        format!("{:<13}{:>12}", "rate", "messages/s").dimmed()
    )?;
    for (name, value) in rows {
        if let Some(value) = value {
            write!(out, "{name:<13}{:>12}", whole(value))?;
            match rate.offered {
                Some(offered) if name == "sent" && value < offered * 0.99 => {
                    writeln!(
                        out,
                        "   {:.1} % of what was offered",
                        value / offered * 100.0
                    )?;
                }
                _ => writeln!(out)?,
            }
        }
    }
    writeln!(out)
}

fn latencies(out: &mut String, report: &Report) -> std::fmt::Result {
    let latency = &report.latency_us;
    let calibration = report.calibration.as_ref();
    let calibrated = calibration.and_then(|calibration| calibration.latency_us.clone());
    let rows = [
        ("response", &latency.response),
        ("service", &latency.service),
        ("ack", &latency.acknowledgement),
        ("send delay", &latency.send_delay),
        (completion(report), &latency.completion),
        ("null broker", &calibrated),
    ];
    if rows.iter().all(|(_, latency)| latency.is_none()) {
        return Ok(());
    }
    latency_table(out, &rows)?;
    let meaning = match (
        latency.response.is_some() || report.plan.is_paced(),
        report.plan.subscribers(),
    ) {
        (true, 0) => "ack counts from when a message was due to PUBACK or PUBCOMP",
        (true, _) => {
            "response and ack count from when a message was due, service from when it was sent"
        }
        (false, _) => "all count from when a message was sent; without --rate none is due",
    };
    let fetched = match report.plan.has_latecomers() && latency.completion.is_some() {
        true => format!(", {} from when a client came for it", completion(report)),
        false => String::new(),
    };
    writeln!(out, "{}", format!("{meaning}{fetched}").dimmed())?;
    if let Some(share) = report.missing().filter(|share| *share > UNSEEN) {
        let words = format!(
            "{:.2} % of what was due never arrived and has no latency: the percentiles are those of the rest",
            share * 100.0
        );
        writeln!(out, "{}", words.yellow())?;
    }
    writeln!(out)
}

/// A share of the messages that changes none of the percentiles, of which the last is the 99.99th.
const UNSEEN: f64 = 0.0001;

fn connections(out: &mut String, report: &Report) -> std::fmt::Result {
    let connections = &report.connections;
    if let Some(made) = connections.made_per_s {
        let head = format!("{:<13}{:>13}", "rate", "connections/s");
        writeln!(out, "{}", head.dimmed())?;
        if let Some(offered) = connections.offered_per_s {
            writeln!(out, "{:<13}{:>13}", "offered", whole(offered))?;
        }
        writeln!(out, "{:<13}{:>13}\n", "made", whole(made))?;
    }
    let latency = &connections.latency_us;
    let rows = [
        ("response", &latency.response),
        ("service", &latency.service),
        ("TCP", &latency.tcp),
        ("TLS", &latency.tls),
        ("CONNACK", &latency.connack),
        (completion(report), &report.latency_us.completion),
    ];
    if latency.service.is_some() {
        latency_table(out, &rows)?;
        let meaning = match latency.response {
            Some(_) => {
                "response counts from when a connection was due, service from when it was begun, CONNACK from CONNECT"
            }
            None => {
                "service counts from when a connection was begun, CONNACK from CONNECT; without --rate none is due"
            }
        };
        writeln!(out, "{}\n", meaning.dimmed())?;
    }
    write!(
        out,
        "{:<13}{} of {} made",
        "connections".dimmed(),
        whole(connections.made as f64),
        whole(connections.asked.into())
    )?;
    match report.lost_connections.len() {
        0 => writeln!(out, ", none lost")?,
        lost => writeln!(out, ", {} lost", whole(lost as f64))?,
    }
    for failure in &connections.failures {
        writeln!(
            out,
            "{:<13}{} not made: {}",
            "",
            whole(failure.count as f64),
            without_controls(&failure.reason)
        )?;
    }
    Ok(())
}

/// What is complete when a client's part is, in a word or two.
fn completion(report: &Report) -> &'static str {
    match report.plan.scenario {
        Scenario::TakeoverStorm => "old one gone",
        Scenario::ReconnectStorm => "back",
        _ if !report.plan.fault.is_empty() => "back",
        _ if report.delivery.lost() > 0 => "last to come",
        _ => "all there",
    }
}

/// Percentiles by name; a row that has nothing is left out.
pub(super) fn latency_table(
    out: &mut String,
    rows: &[(&str, &Option<Latency>)],
) -> std::fmt::Result {
    let heads = ["p50", "p90", "p99", "p99.9", "p99.99", "max"].map(|head| format!("{head:>9}"));
    writeln!(
        out,
        "{}",
        format!("{:<13}{}{:>13}", "latency", heads.concat(), "samples").dimmed()
    )?;
    for (name, latency) in rows {
        if let Some(latency) = latency {
            let Latency {
                p50,
                p90,
                p99,
                p99_9,
                p99_99,
                max,
                samples,
                ..
            } = latency;
            write!(out, "{name:<13}")?;
            for percentile in [*p50, *p90, *p99, *p99_9, *p99_99, Some(*max)] {
                let text = percentile.map_or("-".to_owned(), |us| time(Duration::from_micros(us)));
                write!(out, "{text:>9}")?;
            }
            writeln!(out, "{:>13}", whole(*samples as f64))?;
        }
    }
    Ok(())
}

fn delivery(out: &mut String, report: &Report) -> std::fmt::Result {
    let (delivery, messages) = (&report.delivery, &report.messages);
    let mut facts = Vec::new();
    let mut fact = |count: u64, words: &str| {
        if count > 0 {
            facts.push(format!("{} {words}", whole(count as f64)));
        }
    };
    fact(delivery.lost_acknowledged, "acknowledged and lost");
    match report.plan.qos() {
        QoS::AtMostOnce => fact(delivery.lost_unacknowledged, "lost"),
        _ => fact(delivery.lost_unacknowledged, "lost without acknowledgement"),
    }
    fact(
        delivery.lost_disconnected,
        "lost with a subscriber's connection",
    );
    fact(delivery.duplicates, "duplicates");
    fact(delivery.duplicates_marked, "of them marked DUP");
    fact(delivery.corrupted, "corrupted");
    fact(delivery.misaddressed, "under another topic");
    fact(delivery.reordered, "out of order");
    fact(delivery.unexpected, "at the wrong subscriber");
    fact(delivery.unclassified, "too late to tell from duplicates");
    fact(delivery.foreign, "not of this run");
    fact(messages.never_sent, "due and never sent");
    fact(messages.never_acknowledged, "sent and never acknowledged");
    fact(
        messages.stray_acknowledgements,
        "acknowledgements of nothing",
    );
    for refusal in &report.refusals {
        fact(refusal.count, &format!("refused: {}", refusal.reason));
    }
    let arrived = match report.plan.subscribers() {
        1.. if !report.plan.has_streams() => {
            format!("{} arrived", whole(messages.arrived as f64))
        }
        0 => format!("{} sent", whole(messages.sent as f64)),
        _ => format!(
            "{} of {} arrived",
            whole(delivery.received as f64),
            whole(delivery.expected as f64)
        ),
    };
    facts.insert(0, arrived);
    if facts.len() == 1 && delivery.expected > 0 {
        facts.push("none lost, doubled or out of order".to_owned());
    }
    writeln!(out, "{:<13}{}", "messages".dimmed(), facts.join(", "))?;
    if report.plan.has_unmarked() {
        let whose = match report.plan.has_streams() {
            true => "those",
            false => "messages",
        };
        writeln!(
            out,
            "{:<13}{whose} without measurement header are counted, and neither timed nor missed",
            ""
        )?;
    }
    let wanted = report.plan.window();
    if let Some(window) = report.broker.window.filter(|window| *window < wanted) {
        writeln!(
            out,
            "{:<13}each publisher had at most {window} in flight and not {wanted}, as the broker's receive maximum wants it",
            ""
        )?;
    }
    let granted = report.broker.granted_qos;
    if granted < report.plan.qos().number() {
        writeln!(out, "{:<13}the broker granted only QoS {granted}", "")?;
    }
    Ok(())
}

/// What each fault did; of many the first.
fn faults(out: &mut String, report: &Report) -> std::fmt::Result {
    for fault in report.faults.iter().take(FAULTS) {
        writeln!(out, "{:<13}{}", "fault".dimmed(), recovery::head(fault))?;
        for line in recovery::outcome(fault) {
            writeln!(out, "{:<13}{line}", "")?;
        }
    }
    if let Some(more @ 1..) = report.faults.len().checked_sub(FAULTS) {
        writeln!(out, "{:<13}and {more} more, in --json", "")?;
    }
    for planned in &report.plan.fault {
        let (what, at) = (planned.what(), time(planned.at));
        if !report.faults.iter().any(|fault| fault.fault == what) {
            let words = format!("{what} at {at} did not happen: the load was over before");
            writeln!(out, "{:<13}{words}", "fault".dimmed())?;
        }
    }
    Ok(())
}

/// How many faults are shown.
const FAULTS: usize = 10;

fn lost_connections(out: &mut String, report: &Report) -> std::fmt::Result {
    for lost in report.lost_connections.iter().take(10) {
        writeln!(
            out,
            "{:<13}{} lost its connection after {:.1} s: {}",
            "",
            without_controls(&lost.client),
            lost.at_s,
            without_controls(&lost.reason)
        )?;
    }
    if let Some(more @ 1..) = report.lost_connections.len().checked_sub(10) {
        writeln!(out, "{:<13}and {more} more", "")?;
    }
    Ok(())
}

fn generator(out: &mut String, report: &Report) -> std::fmt::Result {
    let generator = &report.generator;
    let mut facts = vec![match generator.threads {
        1 => "1 thread".to_owned(),
        threads => format!("{threads} threads"),
    }];
    if let (Some(cpu), Some(busiest)) = (generator.cpu_s, generator.busiest) {
        facts.push(format!("{cpu:.2} s of processor time"));
        facts.push(format!("busiest {:.0} %", busiest * 100.0));
    }
    if let Some(messages) = generator.messages_per_cpu_s {
        facts.push(format!("{} messages per processor second", whole(messages)));
    }
    if let Some(p99) = report
        .latency_us
        .loop_delay
        .as_ref()
        .and_then(|delay| delay.p99)
    {
        facts.push(format!(
            "loop delay p99 {}",
            time(Duration::from_micros(p99))
        ));
    }
    if let (Some(cpu), Some(busy)) = (generator.proxy_cpu_s, generator.proxy_busy) {
        facts.push(format!(
            "beside them the proxy of the faults {cpu:.2} s, busy {:.0} %",
            busy * 100.0
        ));
    }
    if let Some(bytes) = generator.memory_bytes {
        facts.push(format!("{} MB", whole(bytes as f64 / 1e6)));
    }
    if report.environment.debug_build {
        facts.push("built without optimisation".to_owned());
    }
    writeln!(out, "{:<13}{}", "generator".dimmed(), facts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::load::tally::LostConnection;
    use crate::bench::measure::connects::{ConnectFailure, Legs};
    use crate::bench::plan::{Clients, Fate, Stop};
    use crate::bench::report::tests::report;
    use crate::exit::Exit;

    fn plain(report: &Report) -> String {
        // Tests run without a terminal, but the one who runs them may have asked for colours.
        colored::control::set_override(false);
        let mut report = report.clone();
        report.environment.debug_build = false;
        report.generator.memory_bytes = Some(7_000_000);
        text(&report)
    }

    #[test]
    fn a_good_run_reads_at_a_glance() {
        let expected = "\
1 publisher to 1 subscriber, QoS 1, 64 bytes, 10,000/s
mqtt://localhost:1883 with MQTT 3.1.1
measured for 1.00 s after 1.00 s of warm-up

VALID
DELIVERY CHECK PASSED

rate           messages/s
offered            10,000
sent               10,000
acknowledged       10,000
delivered          10,000

latency            p50      p90      p99    p99.9   p99.99      max      samples
response        120 µs   120 µs   120 µs   120 µs        -   120 µs       10,000
service         100 µs   100 µs   100 µs   100 µs        -   100 µs       10,000
ack              60 µs    60 µs    60 µs    60 µs        -    60 µs       10,000
send delay       20 µs    20 µs    20 µs    20 µs        -    20 µs       10,000
response and ack count from when a message was due, service from when it was sent

messages     15,000 of 15,000 arrived, none lost, doubled or out of order
generator    2 threads, 0.50 s of processor time, busiest 40 %, 40,000 messages per processor second, 7 MB
";
        assert_eq!(plain(&report(1, |_| {})), expected);
    }

    #[test]
    fn connections_are_shown_by_leg_and_those_not_made_by_reason() {
        let mut found = report(1, |found| {
            let legs = Legs {
                tcp: Duration::from_millis(1),
                tls: None,
                connack: Duration::from_millis(2),
            };
            for n in 0..20 {
                let due_ns = n * 100_000_000;
                let connects = &mut found.recorder.connects;
                connects.made(Some(due_ns), due_ns + 1_000_000, legs);
            }
            found.failures.push(ConnectFailure {
                reason: "no".to_owned(),
                count: 3,
                exit: Exit::Refused,
            });
        });
        found.plan.scenario = Scenario::Conn;
        found.plan.publish.clear();
        found.plan.subscribe.clear();
        found.plan.connect = vec![Clients {
            clients: 23,
            rate: "10".parse().unwrap(),
            fate: Fate::Stay,
            will: None,
        }];
        found.connections.asked = 23;
        let expected = "\
23 connections, 10/s
mqtt://localhost:1883 with MQTT 3.1.1
made in 5.00 ms, held for 1.00 s after 1.00 s of warm-up

INVALID  3 connections were not made

rate         connections/s
made                    10

latency            p50      p90      p99    p99.9   p99.99      max      samples
response       4.00 ms        -        -        -        -  4.00 ms           20
service        3.00 ms        -        -        -        -  3.00 ms           20
TCP            1.00 ms        -        -        -        -  1.00 ms           20
CONNACK        2.00 ms        -        -        -        -  2.00 ms           20
response counts from when a connection was due, service from when it was begun, CONNACK from CONNECT

connections  20 of 23 made, none lost
             3 not made: no
generator    2 threads, 0.50 s of processor time, busiest 40 %, 40,000 messages per processor second, 7 MB
";
        assert_eq!(plain(&found), expected);
    }

    #[test]
    fn a_load_is_named_where_its_clients_do_not_tell_and_what_has_no_rate_has_no_table_of_rates() {
        let mut found = report(1, |_| {});
        found.plan.scenario = Scenario::Offline;
        found.rate_per_s.offered = None;
        found.rate_per_s.sent = None;
        found.rate_per_s.acknowledged = None;
        found.rate_per_s.delivered = None;
        found.plan.stop = Stop::Count(1);
        let text = plain(&found);
        assert!(
            text.starts_with("offline: 1 publisher to 1 subscriber, QoS 1,"),
            "{text}"
        );
        assert!(text.contains("\nmeasured 1 message in "), "{text}");
        assert!(!text.contains("messages/s"), "{text}");
    }

    #[test]
    fn a_bad_run_says_what_was_bad() {
        let text = plain(&report(2, |found| {
            found.delivery.received = 14_000;
            found.delivery.lost_acknowledged = 999;
            found.delivery.lost_unacknowledged = 1;
            found.delivery.duplicates = 7;
            found.unsent = 12;
            found.refusals.insert(0x97, 1);
            found.granted = QoS::AtLeastOnce;
            found.recorder.sent.measured = 8000;
            found.lost_connections = (1..=12)
                .map(|number| LostConnection {
                    client: format!("publisher {number}"),
                    at_s: 0.5,
                    reason: "the broker closed the connection".to_owned(),
                })
                .collect();
        }));
        for line in [
            "INVALID  12 connections were lost",
            "DELIVERY CHECK FAILED  999 acknowledged and lost",
            "sent                8,000   80.0 % of what was offered",
            "messages     14,000 of 15,000 arrived, 999 acknowledged and lost, 1 lost without acknowledgement, 7 duplicates, \
             12 due and never sent, 1 refused: quota exceeded (0x97)",
            "             the broker granted only QoS 1",
            "             publisher 10 lost its connection after 0.5 s: the broker closed the connection",
            "             and 2 more",
        ] {
            assert!(
                text.lines().any(|found| found == line),
                "{line:?} is not in\n{text}"
            );
        }
    }
}
