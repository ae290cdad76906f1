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

const fn gauge(name: &'static str, says: &'static str, of: fn(&Census) -> usize) -> Family {
    (name, says, Source::Gauge(of))
}

const fn counter(name: &'static str, says: &'static str, of: fn(&Counters) -> &Count) -> Family {
    (name, says, Source::Counter(of))
}

const fn by_qos(
    name: &'static str,
    says: &'static str,
    of: fn(&Counters) -> &[Count; 3],
) -> Family {
    (name, says, Source::ByQos(of))
}

#[rustfmt::skip] // A table: one family a line.
const FAMILIES: [Family; 19] = [
    gauge("connections", "Connected clients.", |census| census.connected),
    gauge("sessions", "Sessions, connected or not.", |census| census.sessions),
    gauge("subscriptions", "Subscriptions, shared ones not included.", |census| census.subscriptions),
    gauge("shared_subscriptions", "Shared subscriptions.", |census| census.shared_subscriptions),
    gauge("retained_messages", "Retained messages.", |census| census.retained),
    gauge("queued_messages", "Messages waiting in session queues.", |census| census.queued),
    gauge("queued_bytes", "Bytes waiting in session queues.", |census| census.queued_bytes),
    gauge("in_flight_messages", "Publishes sent and not acknowledged.", |census| census.in_flight),
    gauge("log_unread_bytes", "Bytes in the log that some partition has not read.", |census| census.unread_bytes),
    counter("connections_total", "Connections accepted.", |counters| &counters.connections),
    counter("sessions_expired_total", "Sessions that expired.", |counters| &counters.sessions_expired),
    by_qos("publishes_received_total", "Publishes from clients.", |counters| &counters.publishes_received),
    by_qos("publishes_sent_total", "Publishes to clients.", |counters| &counters.publishes_sent),
    by_qos("payload_bytes_received_total", "Payload bytes from clients.", |counters| &counters.payload_received),
    by_qos("payload_bytes_sent_total", "Payload bytes to clients.", |counters| &counters.payload_sent),
    counter("packets_received_total", "Control packets from clients.", |counters| &counters.packets_received),
    counter("packets_sent_total", "Control packets to clients.", |counters| &counters.packets_sent),
    counter("bytes_received_total", "Bytes from clients.", |counters| &counters.bytes_received),
    counter("bytes_sent_total", "Bytes to clients.", |counters| &counters.bytes_sent),
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
