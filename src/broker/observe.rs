//! What the broker says about itself: the `$SYS` tree under the names mosquitto uses, and the Prometheus endpoint. Both
//! render one [`Overview`]; neither touches a session.

use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;

use super::counters::{Census, Count, Counters, LATENCY_BOUNDS};
use super::front::Mail;

/// All partitions as one.
pub struct Overview {
    counters: Vec<Arc<Counters>>,
    census: Census,
    uptime: Duration,
}

/// Where an overview comes from.
#[derive(Clone)]
pub struct Observer {
    /// The counters of every partition.
    pub counters: Vec<Arc<Counters>>,
    /// The partitions themselves, to be asked.
    pub partitions: Vec<UnboundedSender<Mail>>,
    /// When the broker started.
    pub started: Instant,
}

impl Observer {
    /// Asks every partition to look around.
    pub async fn overview(&self) -> Overview {
        let mut census = Census::default();
        for partition in &self.partitions {
            let (answer, answered) = oneshot::channel();
            // A partition that is gone has ended the broker; what it had does not count any more.
            let _ = partition.send(Mail::Census(answer));
            let one = answered.await.unwrap_or_default();
            census.sessions += one.sessions;
            census.connected += one.connected;
            census.subscriptions += one.subscriptions;
            census.shared_subscriptions += one.shared_subscriptions;
            census.queued += one.queued;
            census.queued_bytes += one.queued_bytes;
            census.in_flight += one.in_flight;
            census.unread_bytes += one.unread_bytes;
            census.retained = census.retained.max(one.retained);
        }
        Overview {
            counters: self.counters.clone(),
            census,
            uptime: self.started.elapsed(),
        }
    }
}

impl Overview {
    fn sum(&self, count: impl Fn(&Counters) -> &Count) -> u64 {
        self.counters
            .iter()
            .map(|counters| count(counters).value())
            .sum()
    }

    fn by_qos(&self, counts: impl Fn(&Counters) -> &[Count; 3]) -> [u64; 3] {
        [0, 1, 2].map(|qos| self.sum(|counters| &counts(counters)[qos]))
    }

    fn publishes_received(&self) -> u64 {
        self.by_qos(|counters| &counters.publishes_received)
            .iter()
            .sum()
    }

    fn publishes_sent(&self) -> u64 {
        self.by_qos(|counters| &counters.publishes_sent)
            .iter()
            .sum()
    }

    fn dropped(&self) -> u64 {
        self.sum(|counters| &counters.dropped_queue_full)
            + self.sum(|counters| &counters.dropped_expired)
            + self.sum(|counters| &counters.dropped_too_large)
    }
}

/// What `$SYS/broker/load` averages, a minute each.
const LOADS: [&str; 8] = [
    "messages/received",
    "messages/sent",
    "publish/received",
    "publish/sent",
    "publish/dropped",
    "bytes/received",
    "bytes/sent",
    "connections",
];

/// Minutes of its three averages.
const WINDOWS: [u32; 3] = [1, 5, 15];

/// The `$SYS` tree from one overview to the next: averages need a past, and only what changed is published.
#[derive(Default)]
pub struct SystemTopics {
    totals: [u64; LOADS.len()],
    averages: [[f64; WINDOWS.len()]; LOADS.len()],
    most_connected: usize,
    published: std::collections::HashMap<String, String>,
}

impl SystemTopics {
    /// Topics and payloads that have changed; `elapsed` is the time since the last call.
    pub fn update(&mut self, overview: &Overview, elapsed: Duration) -> Vec<(String, String)> {
        let mut topics = Vec::new();
        let mut add =
            |name: &str, value: String| topics.push((format!("$SYS/broker/{name}"), value));
        let Census {
            sessions,
            connected,
            ..
        } = overview.census;
        self.most_connected = self.most_connected.max(sessions);
        add(
            "version",
            concat!("mqtt ", env!("CARGO_PKG_VERSION")).to_owned(),
        );
        add("uptime", format!("{} seconds", overview.uptime.as_secs()));
        add("clients/total", sessions.to_string());
        add("clients/maximum", self.most_connected.to_string());
        add("clients/connected", connected.to_string());
        add("clients/active", connected.to_string());
        add("clients/disconnected", (sessions - connected).to_string());
        add("clients/inactive", (sessions - connected).to_string());
        add(
            "clients/expired",
            overview
                .sum(|counters| &counters.sessions_expired)
                .to_string(),
        );
        add(
            "messages/received",
            overview
                .sum(|counters| &counters.packets_received)
                .to_string(),
        );
        add(
            "messages/sent",
            overview.sum(|counters| &counters.packets_sent).to_string(),
        );
        add(
            "messages/stored",
            (overview.census.queued + overview.census.retained).to_string(),
        );
        add("messages/inflight", overview.census.in_flight.to_string());
        add("store/messages/count", overview.census.queued.to_string());
        add(
            "store/messages/bytes",
            overview.census.queued_bytes.to_string(),
        );
        add(
            "publish/messages/received",
            overview.publishes_received().to_string(),
        );
        add(
            "publish/messages/sent",
            overview.publishes_sent().to_string(),
        );
        add("publish/messages/dropped", overview.dropped().to_string());
        add(
            "publish/bytes/received",
            overview
                .by_qos(|counters| &counters.payload_received)
                .iter()
                .sum::<u64>()
                .to_string(),
        );
        add(
            "publish/bytes/sent",
            overview
                .by_qos(|counters| &counters.payload_sent)
                .iter()
                .sum::<u64>()
                .to_string(),
        );
        add(
            "bytes/received",
            overview
                .sum(|counters| &counters.bytes_received)
                .to_string(),
        );
        add(
            "bytes/sent",
            overview.sum(|counters| &counters.bytes_sent).to_string(),
        );
        add(
            "retained messages/count",
            overview.census.retained.to_string(),
        );
        add(
            "subscriptions/count",
            overview.census.subscriptions.to_string(),
        );
        add(
            "shared_subscriptions/count",
            overview.census.shared_subscriptions.to_string(),
        );
        for (load, averages) in LOADS.iter().zip(self.averages(overview, elapsed)) {
            for (window, average) in WINDOWS.iter().zip(averages) {
                add(&format!("load/{load}/{window}min"), format!("{average:.2}"));
            }
        }
        topics.retain(|(topic, value)| {
            self.published.insert(topic.clone(), value.clone()).as_ref() != Some(value)
        });
        topics
    }

    /// Moves each average towards the rate since the last call, further the longer that is against its window.
    fn averages(
        &mut self,
        overview: &Overview,
        elapsed: Duration,
    ) -> [[f64; WINDOWS.len()]; LOADS.len()] {
        let totals = [
            overview.sum(|counters| &counters.packets_received),
            overview.sum(|counters| &counters.packets_sent),
            overview.publishes_received(),
            overview.publishes_sent(),
            overview.dropped(),
            overview.sum(|counters| &counters.bytes_received),
            overview.sum(|counters| &counters.bytes_sent),
            overview.sum(|counters| &counters.connections),
        ];
        let minutes = elapsed.as_secs_f64() / 60.0;
        for (load, total) in totals.into_iter().enumerate() {
            let per_minute = (total - self.totals[load]) as f64 / minutes.max(1e-9);
            for (average, window) in self.averages[load].iter_mut().zip(WINDOWS) {
                let kept = (-minutes / f64::from(window)).exp();
                *average = per_minute + kept * (*average - per_minute);
            }
        }
        self.totals = totals;
        self.averages
    }
}

/// Publishes the `$SYS` tree every `interval`, through the first partition.
pub async fn publish_system_topics(observer: Observer, interval: Duration) {
    let mut topics = SystemTopics::default();
    let mut last = observer.started;
    let mut ticks = tokio::time::interval(interval);
    loop {
        ticks.tick().await;
        let overview = observer.overview().await;
        let now = Instant::now();
        let changed = topics.update(&overview, now - last);
        last = now;
        if observer.partitions[0].send(Mail::Publish(changed)).is_err() {
            return;
        }
    }
}

/// Answers `GET /metrics` until the future is dropped.
pub async fn serve_metrics(listener: tokio::net::TcpListener, observer: Observer) {
    let metrics = move || {
        let observer = observer.clone();
        async move {
            let text = exposition(&observer.overview().await);
            (
                [(
                    axum::http::header::CONTENT_TYPE,
                    "text/plain; version=0.0.4; charset=utf-8",
                )],
                text,
            )
        }
    };
    let router = axum::Router::new().route("/metrics", axum::routing::get(metrics));
    if let Err(error) = axum::serve(listener, router).await {
        tracing::warn!("the metrics endpoint has ended: {error}");
    }
}

/// The overview in Prometheus' text format.
pub fn exposition(overview: &Overview) -> String {
    let mut text = String::new();
    let mut family = |name: &str, kind: &str, help: &str, samples: &[(String, u64)]| {
        let _ = writeln!(text, "# HELP mqtt_{name} {help}\n# TYPE mqtt_{name} {kind}");
        for (labels, value) in samples {
            let _ = writeln!(text, "mqtt_{name}{labels} {value}");
        }
    };
    let one = |value: u64| [(String::new(), value)];
    let gauge = |value: usize| [(String::new(), value as u64)];
    let census = &overview.census;
    let by_qos = |counts: fn(&Counters) -> &[Count; 3]| {
        let numbers = overview.by_qos(counts).into_iter().enumerate();
        numbers
            .map(|(qos, number)| (format!("{{qos=\"{qos}\"}}"), number))
            .collect::<Vec<_>>()
    };
    let reasons = [
        (
            "{reason=\"queue_full\"}".to_owned(),
            overview.sum(|counters| &counters.dropped_queue_full),
        ),
        (
            "{reason=\"expired\"}".to_owned(),
            overview.sum(|counters| &counters.dropped_expired),
        ),
        (
            "{reason=\"too_large\"}".to_owned(),
            overview.sum(|counters| &counters.dropped_too_large),
        ),
    ];
    family(
        "uptime_seconds",
        "gauge",
        "Time since the broker started.",
        &one(overview.uptime.as_secs()),
    );
    family(
        "connections",
        "gauge",
        "Connected clients.",
        &gauge(census.connected),
    );
    family(
        "sessions",
        "gauge",
        "Sessions, connected or not.",
        &gauge(census.sessions),
    );
    family(
        "subscriptions",
        "gauge",
        "Subscriptions, shared ones not included.",
        &gauge(census.subscriptions),
    );
    family(
        "shared_subscriptions",
        "gauge",
        "Shared subscriptions.",
        &gauge(census.shared_subscriptions),
    );
    family(
        "retained_messages",
        "gauge",
        "Retained messages.",
        &gauge(census.retained),
    );
    family(
        "queued_messages",
        "gauge",
        "Messages waiting in session queues.",
        &gauge(census.queued),
    );
    family(
        "queued_bytes",
        "gauge",
        "Bytes waiting in session queues.",
        &gauge(census.queued_bytes),
    );
    family(
        "in_flight_messages",
        "gauge",
        "Publishes sent and not acknowledged.",
        &gauge(census.in_flight),
    );
    family(
        "log_unread_bytes",
        "gauge",
        "Bytes in the log that some partition has not read.",
        &gauge(census.unread_bytes),
    );
    let connections = overview.sum(|counters| &counters.connections);
    family(
        "connections_total",
        "counter",
        "Connections accepted.",
        &one(connections),
    );
    let expired = overview.sum(|counters| &counters.sessions_expired);
    family(
        "sessions_expired_total",
        "counter",
        "Sessions that expired.",
        &one(expired),
    );
    let received = by_qos(|counters| &counters.publishes_received);
    family(
        "publishes_received_total",
        "counter",
        "Publishes from clients.",
        &received,
    );
    let sent = by_qos(|counters| &counters.publishes_sent);
    family(
        "publishes_sent_total",
        "counter",
        "Publishes to clients.",
        &sent,
    );
    let received = by_qos(|counters| &counters.payload_received);
    family(
        "payload_bytes_received_total",
        "counter",
        "Payload bytes from clients.",
        &received,
    );
    let sent = by_qos(|counters| &counters.payload_sent);
    family(
        "payload_bytes_sent_total",
        "counter",
        "Payload bytes to clients.",
        &sent,
    );
    family(
        "messages_dropped_total",
        "counter",
        "Messages dropped, by reason.",
        &reasons,
    );
    for (name, help, count) in [
        (
            "packets_received_total",
            "Control packets from clients.",
            (|c| &c.packets_received) as fn(&Counters) -> &Count,
        ),
        ("packets_sent_total", "Control packets to clients.", |c| {
            &c.packets_sent
        }),
        ("bytes_received_total", "Bytes from clients.", |c| {
            &c.bytes_received
        }),
        ("bytes_sent_total", "Bytes to clients.", |c| &c.bytes_sent),
    ] {
        family(name, "counter", help, &one(overview.sum(count)));
    }
    latency(overview, &mut text);
    text
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
    use super::*;

    fn overview(counters: &Arc<Counters>) -> Overview {
        let census = Census {
            sessions: 3,
            connected: 2,
            retained: 7,
            ..Census::default()
        };
        Overview {
            counters: vec![Arc::clone(counters)],
            census,
            uptime: Duration::from_secs(60),
        }
    }

    #[test]
    fn system_topics_are_published_when_they_change_and_averages_follow_the_rate() {
        let counters = Arc::new(Counters::default());
        counters.bytes_received.add(600);
        let mut topics = SystemTopics::default();
        let first = topics.update(&overview(&counters), Duration::from_secs(60));
        let value = |topics: &[(String, String)], name: &str| {
            topics
                .iter()
                .find(|(topic, _)| topic == name)
                .map(|(_, value)| value.clone())
        };
        assert_eq!(
            value(&first, "$SYS/broker/clients/disconnected").as_deref(),
            Some("1")
        );
        assert_eq!(
            value(&first, "$SYS/broker/retained messages/count").as_deref(),
            Some("7")
        );
        // 600 a minute for one minute: 600 * (1 - 1/e).
        assert_eq!(
            value(&first, "$SYS/broker/load/bytes/received/1min").as_deref(),
            Some("379.27")
        );
        counters.bytes_received.add(600);
        let second = topics.update(&overview(&counters), Duration::from_secs(60));
        assert_eq!(value(&second, "$SYS/broker/clients/total"), None);
        assert_eq!(
            value(&second, "$SYS/broker/bytes/received").as_deref(),
            Some("1200")
        );
        assert_eq!(
            value(&second, "$SYS/broker/load/bytes/received/1min").as_deref(),
            Some("518.80")
        );
    }

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
