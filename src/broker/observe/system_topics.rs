//! The `$SYS` tree under the names mosquitto uses.

use std::collections::HashMap;
use std::time::Duration;

use super::Overview;

/// The end of a topic, and its number.
type Number = (&'static str, fn(&Overview) -> u64);

/// Numbers as they are, by topic below `$SYS/broker/`.
const NUMBERS: [Number; 22] = [
    ("clients/total", |overview| overview.census.sessions as u64),
    ("clients/connected", |overview| {
        overview.census.connected as u64
    }),
    ("clients/active", |overview| {
        overview.census.connected as u64
    }),
    ("clients/disconnected", |overview| overview.disconnected()),
    ("clients/inactive", |overview| overview.disconnected()),
    ("clients/expired", |overview| {
        overview.sum(|counters| &counters.sessions_expired)
    }),
    ("messages/received", |overview| {
        overview.sum(|counters| &counters.packets_received)
    }),
    ("messages/sent", |overview| {
        overview.sum(|counters| &counters.packets_sent)
    }),
    ("messages/stored", |overview| {
        (overview.census.queued + overview.census.retained) as u64
    }),
    ("messages/inflight", |overview| {
        overview.census.in_flight as u64
    }),
    ("store/messages/count", |overview| {
        overview.census.queued as u64
    }),
    ("store/messages/bytes", |overview| {
        overview.census.queued_bytes as u64
    }),
    ("publish/messages/received", Overview::publishes_received),
    ("publish/messages/sent", Overview::publishes_sent),
    ("publish/messages/dropped", Overview::dropped),
    ("publish/bytes/received", |overview| {
        overview
            .by_qos(|counters| &counters.payload_received)
            .iter()
            .sum()
    }),
    ("publish/bytes/sent", |overview| {
        overview
            .by_qos(|counters| &counters.payload_sent)
            .iter()
            .sum()
    }),
    ("bytes/received", |overview| {
        overview.sum(|counters| &counters.bytes_received)
    }),
    ("bytes/sent", |overview| {
        overview.sum(|counters| &counters.bytes_sent)
    }),
    ("retained messages/count", |overview| {
        overview.census.retained as u64
    }),
    ("subscriptions/count", |overview| {
        overview.census.subscriptions as u64
    }),
    ("shared_subscriptions/count", |overview| {
        overview.census.shared_subscriptions as u64
    }),
];

/// Totals whose rates a minute are averaged, by topic below `$SYS/broker/load/`.
const LOADS: [Number; 8] = [
    ("messages/received", |overview| {
        overview.sum(|counters| &counters.packets_received)
    }),
    ("messages/sent", |overview| {
        overview.sum(|counters| &counters.packets_sent)
    }),
    ("publish/received", Overview::publishes_received),
    ("publish/sent", Overview::publishes_sent),
    ("publish/dropped", Overview::dropped),
    ("bytes/received", |overview| {
        overview.sum(|counters| &counters.bytes_received)
    }),
    ("bytes/sent", |overview| {
        overview.sum(|counters| &counters.bytes_sent)
    }),
    ("connections", |overview| {
        overview.sum(|counters| &counters.connections)
    }),
];

/// Minutes of the three averages.
const WINDOWS: [u32; 3] = [1, 5, 15];

/// The tree from one overview to the next: averages need a past, and only what changed is published.
#[derive(Default)]
pub struct SystemTopics {
    totals: [u64; LOADS.len()],
    averages: [[f64; WINDOWS.len()]; LOADS.len()],
    most_clients: usize,
    published: HashMap<String, String>,
}

impl SystemTopics {
    /// Topics and payloads that have changed; `elapsed` is the time since the last call.
    pub fn update(&mut self, overview: &Overview, elapsed: Duration) -> Vec<(String, String)> {
        self.most_clients = self.most_clients.max(overview.census.sessions);
        self.average(overview, elapsed);
        let mut topics = vec![
            (
                "version".to_owned(),
                concat!("mqtt ", env!("CARGO_PKG_VERSION")).to_owned(),
            ),
            (
                "uptime".to_owned(),
                format!("{} seconds", overview.uptime.as_secs()),
            ),
            ("clients/maximum".to_owned(), self.most_clients.to_string()),
        ];
        topics
            .extend(NUMBERS.map(|(name, number)| (name.to_owned(), number(overview).to_string())));
        for ((load, _), averages) in LOADS.iter().zip(self.averages) {
            let windows = WINDOWS.iter().zip(averages);
            topics.extend(windows.map(|(window, average)| {
                (format!("load/{load}/{window}min"), format!("{average:.2}"))
            }));
        }
        let changed = |(name, value): (String, String)| {
            let last = self.published.insert(name.clone(), value.clone());
            (last.as_ref() != Some(&value)).then(|| (format!("$SYS/broker/{name}"), value))
        };
        topics.into_iter().filter_map(changed).collect()
    }

    /// Moves each average towards the rate since the last call, further the longer that is against its window.
    fn average(&mut self, overview: &Overview, elapsed: Duration) {
        let minutes = elapsed.as_secs_f64() / 60.0;
        for (place, (_, total)) in LOADS.iter().enumerate() {
            let total = total(overview);
            let per_minute = (total - self.totals[place]) as f64 / minutes.max(1e-9);
            self.totals[place] = total;
            for (average, window) in self.averages[place].iter_mut().zip(WINDOWS) {
                let kept = (-minutes / f64::from(window)).exp();
                *average = per_minute + kept * (*average - per_minute);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::tests::overview;
    use super::*;
    use crate::broker::counters::Counters;

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
}
