//! The overview in Prometheus' text format.

use std::fmt::Write;

use super::Overview;
use crate::broker::counters::{Census, Count, Counters, LATENCY_BOUNDS};

/// Where the numbers of a family come from, and so what kind it is.
enum Source {
    /// Found when looked for.
    Gauge(fn(&Census) -> usize),
    /// Counted.
    Counter(fn(&Counters) -> &Count),
    /// Counted for each quality of service.
    ByQos(fn(&Counters) -> &[Count; 3]),
}

/// Name, what it says, and where it comes from.
type Family = (&'static str, &'static str, Source);

const FAMILIES: [Family; 19] = [
    (
        "connections",
        "Connected clients.",
        Source::Gauge(|census| census.connected),
    ),
    (
        "sessions",
        "Sessions, connected or not.",
        Source::Gauge(|census| census.sessions),
    ),
    (
        "subscriptions",
        "Subscriptions, shared ones not included.",
        Source::Gauge(|census| census.subscriptions),
    ),
    (
        "shared_subscriptions",
        "Shared subscriptions.",
        Source::Gauge(|census| census.shared_subscriptions),
    ),
    (
        "retained_messages",
        "Retained messages.",
        Source::Gauge(|census| census.retained),
    ),
    (
        "queued_messages",
        "Messages waiting in session queues.",
        Source::Gauge(|census| census.queued),
    ),
    (
        "queued_bytes",
        "Bytes waiting in session queues.",
        Source::Gauge(|census| census.queued_bytes),
    ),
    (
        "in_flight_messages",
        "Publishes sent and not acknowledged.",
        Source::Gauge(|census| census.in_flight),
    ),
    (
        "log_unread_bytes",
        "Bytes in the log that some partition has not read.",
        Source::Gauge(|census| census.unread_bytes),
    ),
    (
        "connections_total",
        "Connections accepted.",
        Source::Counter(|counters| &counters.connections),
    ),
    (
        "sessions_expired_total",
        "Sessions that expired.",
        Source::Counter(|counters| &counters.sessions_expired),
    ),
    (
        "publishes_received_total",
        "Publishes from clients.",
        Source::ByQos(|counters| &counters.publishes_received),
    ),
    (
        "publishes_sent_total",
        "Publishes to clients.",
        Source::ByQos(|counters| &counters.publishes_sent),
    ),
    (
        "payload_bytes_received_total",
        "Payload bytes from clients.",
        Source::ByQos(|counters| &counters.payload_received),
    ),
    (
        "payload_bytes_sent_total",
        "Payload bytes to clients.",
        Source::ByQos(|counters| &counters.payload_sent),
    ),
    (
        "packets_received_total",
        "Control packets from clients.",
        Source::Counter(|counters| &counters.packets_received),
    ),
    (
        "packets_sent_total",
        "Control packets to clients.",
        Source::Counter(|counters| &counters.packets_sent),
    ),
    (
        "bytes_received_total",
        "Bytes from clients.",
        Source::Counter(|counters| &counters.bytes_received),
    ),
    (
        "bytes_sent_total",
        "Bytes to clients.",
        Source::Counter(|counters| &counters.bytes_sent),
    ),
];

/// A reason, and what is counted for it.
type Reason = (&'static str, fn(&Counters) -> &Count);

/// Why messages are dropped.
const REASONS: [Reason; 3] = [
    ("queue_full", |counters| &counters.dropped_queue_full),
    ("expired", |counters| &counters.dropped_expired),
    ("too_large", |counters| &counters.dropped_too_large),
];

/// Every family, with its help and its kind.
pub fn exposition(overview: &Overview) -> String {
    let mut text = String::new();
    begin(
        "uptime_seconds",
        "gauge",
        "Time since the broker started.",
        &mut text,
    );
    let _ = writeln!(text, "mqtt_uptime_seconds {}", overview.uptime.as_secs());
    for (name, help, source) in FAMILIES {
        match source {
            Source::Gauge(number) => {
                begin(name, "gauge", help, &mut text);
                let _ = writeln!(text, "mqtt_{name} {}", number(&overview.census));
            }
            Source::Counter(count) => {
                begin(name, "counter", help, &mut text);
                let _ = writeln!(text, "mqtt_{name} {}", overview.sum(count));
            }
            Source::ByQos(counts) => {
                begin(name, "counter", help, &mut text);
                for (qos, number) in overview.by_qos(counts).into_iter().enumerate() {
                    let _ = writeln!(text, "mqtt_{name}{{qos=\"{qos}\"}} {number}");
                }
            }
        }
    }
    begin(
        "messages_dropped_total",
        "counter",
        "Messages dropped, by reason.",
        &mut text,
    );
    for (reason, count) in REASONS {
        let _ = writeln!(
            text,
            "mqtt_messages_dropped_total{{reason=\"{reason}\"}} {}",
            overview.sum(count)
        );
    }
    latency(overview, &mut text);
    text
}

fn begin(name: &str, kind: &str, help: &str, text: &mut String) {
    let _ = writeln!(text, "# HELP mqtt_{name} {help}\n# TYPE mqtt_{name} {kind}");
}

/// A publish is counted once in every partition, because it waits for the slowest.
fn latency(overview: &Overview, text: &mut String) {
    let name = "mqtt_publish_latency_seconds";
    let _ = writeln!(
        text,
        "# HELP {name} From a publish's arrival to its place in a partition's queues."
    );
    let _ = writeln!(text, "# TYPE {name} histogram");
    let mut count = 0;
    for (bucket, bound) in LATENCY_BOUNDS.iter().enumerate() {
        count += overview.sum(|counters| &counters.latency[bucket]);
        let _ = writeln!(
            text,
            "{name}_bucket{{le=\"{}\"}} {count}",
            *bound as f64 / 1e6
        );
    }
    count += overview.sum(|counters| &counters.latency[LATENCY_BOUNDS.len()]);
    let sum = overview.sum(|counters| &counters.latency_sum) as f64 / 1e6;
    let _ = writeln!(
        text,
        "{name}_bucket{{le=\"+Inf\"}} {count}\n{name}_sum {sum}\n{name}_count {count}"
    );
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::super::tests::overview;
    use super::*;

    #[test]
    fn the_exposition_is_well_formed_and_its_histogram_cumulative() {
        let counters = Arc::new(Counters::default());
        counters.publishes_sent[1].add(5);
        counters.took(Duration::from_micros(20), 4);
        counters.took(Duration::from_secs(5), 1);
        let text = exposition(&overview(&counters));
        for line in [
            "mqtt_connections 2",
            "mqtt_publishes_sent_total{qos=\"1\"} 5",
            "mqtt_publish_latency_seconds_bucket{le=\"0.00001\"} 0",
            "mqtt_publish_latency_seconds_bucket{le=\"0.000025\"} 4",
            "mqtt_publish_latency_seconds_bucket{le=\"1\"} 4",
            "mqtt_publish_latency_seconds_bucket{le=\"+Inf\"} 5",
            "mqtt_publish_latency_seconds_count 5",
        ] {
            assert!(
                text.lines().any(|found| found == line),
                "{line} is not in\n{text}"
            );
        }
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let value = line.rsplit(' ').next().unwrap();
            assert!(value.parse::<f64>().is_ok(), "{line}");
        }
    }
}
