//! What the broker says about itself: the `$SYS` tree ([`system_topics`]) and the Prometheus endpoint ([`prometheus`]).
//! Both render one [`Overview`]; neither touches a session.

pub mod prometheus;
pub mod system_topics;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::counters::{Census, Count, Counters};
use super::front::Mail;
use system_topics::SystemTopics;

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

    fn disconnected(&self) -> u64 {
        (self.census.sessions - self.census.connected) as u64
    }

    fn dropped(&self) -> u64 {
        self.sum(|counters| &counters.dropped_queue_full)
            + self.sum(|counters| &counters.dropped_expired)
            + self.sum(|counters| &counters.dropped_too_large)
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
            let text = prometheus::exposition(&observer.overview().await);
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Three sessions, two of them connected, seven retained messages, a minute after the start.
    pub(super) fn overview(counters: &Arc<Counters>) -> Overview {
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
}
