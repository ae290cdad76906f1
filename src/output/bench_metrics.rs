//! A run as Prometheus reads it, in its text format.

use std::fmt::Write;

use crate::bench::load::Snapshot;

/// The page for one moment of a run.
pub fn page(snapshot: &Snapshot) -> String {
    let mut out = String::new();
    let recorder = &snapshot.recorder;
    let counts = [
        ("sent", "Messages sent.", recorder.sent.total),
        (
            "acknowledged",
            "Messages the broker acknowledged.",
            recorder.acknowledged.total,
        ),
        (
            "delivered",
            "First copies that arrived.",
            recorder.delivered.total,
        ),
        (
            "connections",
            "Connections the broker accepted.",
            recorder.connects.made,
        ),
        (
            "lost_connections",
            "Connections lost.",
            snapshot.lost as u64,
        ),
    ];
    // Writing to a string cannot fail.
    for (name, help, count) in counts {
        let name = format!("mqtt_bench_{name}_total");
        let _ = write!(
            out,
            "# HELP {name} {help}\n# TYPE {name} counter\n{name} {count}\n"
        );
    }
    let name = "mqtt_bench_latency_seconds";
    let help = "Latency of the measured messages and of connecting, by what it counts from and to.";
    let _ = write!(out, "# HELP {name} {help}\n# TYPE {name} summary\n");
    for (tag, histogram) in recorder.histograms() {
        if histogram.is_empty() {
            continue;
        }
        for quantile in [0.5, 0.9, 0.99, 0.999, 0.9999] {
            let seconds = histogram.value_at_quantile(quantile) as f64 / 1e6;
            let _ = writeln!(
                out,
                "{name}{{latency=\"{tag}\",quantile=\"{quantile}\"}} {seconds}"
            );
        }
        let sum = histogram.mean() * histogram.len() as f64 / 1e6;
        let _ = writeln!(out, "{name}_sum{{latency=\"{tag}\"}} {sum}");
        let _ = writeln!(out, "{name}_count{{latency=\"{tag}\"}} {}", histogram.len());
    }
    out
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::bench::measure::{Recorder, Window};
    use crate::bench::role::Phase;

    #[test]
    fn counts_are_counters_and_latencies_summaries_in_seconds() {
        let mut recorder = Recorder::new(Window {
            from_ns: 0,
            to_ns: u64::MAX,
        });
        recorder.sent(None, 0, 0);
        recorder.delivered(None, 0, 2_000_000);
        let page = page(&Snapshot {
            elapsed: Duration::from_secs(1),
            phase: Phase::Load,
            recorder,
            lost: 3,
        });
        for line in [
            "mqtt_bench_sent_total 1",
            "mqtt_bench_lost_connections_total 3",
            "# TYPE mqtt_bench_latency_seconds summary",
            "mqtt_bench_latency_seconds{latency=\"service\",quantile=\"0.99\"} 0.002",
            "mqtt_bench_latency_seconds_count{latency=\"service\"} 1",
        ] {
            assert!(
                page.lines().any(|found| found == line),
                "{line} is not in\n{page}"
            );
        }
        assert!(!page.contains("response"), "nothing was due");
    }
}
