//! What a partition counts as it works, and what it finds when it is asked to look around. Counting is for the hot
//! path: each partition has its own counters, written by its thread alone and read by anyone.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A number that only its own thread raises.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// Raises it. With one writer a load and a store are enough, and cost no locked instruction.
    pub fn add(&self, number: u64) {
        self.0
            .store(self.0.load(Ordering::Relaxed) + number, Ordering::Relaxed);
    }

    /// Its value; a reader on another thread may see it a moment late.
    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Upper bounds of the buckets of the latency histogram, in microseconds; above the last there is one more.
pub const LATENCY_BOUNDS: [u64; 15] = [
    10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 500_000,
    1_000_000,
];

/// Everything one partition counts since it started.
#[derive(Debug, Default)]
pub struct Counters {
    /// Connections that were accepted with CONNACK.
    pub connections: Count,
    /// Control packets from clients.
    pub packets_received: Count,
    /// Control packets to clients.
    pub packets_sent: Count,
    /// Bytes from clients.
    pub bytes_received: Count,
    /// Bytes to clients.
    pub bytes_sent: Count,
    /// Publishes from clients, by quality of service.
    pub publishes_received: [Count; 3],
    /// Publishes to clients, by quality of service, re-deliveries included.
    pub publishes_sent: [Count; 3],
    /// Payload bytes from clients, by quality of service.
    pub payload_received: [Count; 3],
    /// Payload bytes to clients, by quality of service.
    pub payload_sent: [Count; 3],
    /// Messages dropped because a session's queue was full.
    pub dropped_queue_full: Count,
    /// Messages dropped because their expiry interval passed while they waited.
    pub dropped_expired: Count,
    /// Messages dropped because they are larger than the client takes.
    pub dropped_too_large: Count,
    /// Sessions that expired.
    pub sessions_expired: Count,
    /// Time from a publish's arrival at the broker to its place in this partition's queues, by
    /// [`LATENCY_BOUNDS`].
    pub latency: [Count; LATENCY_BOUNDS.len() + 1],
    /// The sum of those times, in microseconds.
    pub latency_sum: Count,
}

impl Counters {
    /// Notes that this many publishes took so long through the log.
    pub fn took(&self, latency: Duration, publishes: u64) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        let bucket = LATENCY_BOUNDS.partition_point(|bound| *bound < micros);
        self.latency[bucket].add(publishes);
        self.latency_sum.add(micros.saturating_mul(publishes));
    }
}

/// What a partition finds when it looks around.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Census {
    /// Sessions, connected or not.
    pub sessions: usize,
    /// Those with a connection.
    pub connected: usize,
    /// Subscriptions, shared ones not included.
    pub subscriptions: usize,
    /// Shared subscriptions.
    pub shared_subscriptions: usize,
    /// Messages waiting in queues.
    pub queued: usize,
    /// Bytes they occupy.
    pub queued_bytes: usize,
    /// Publishes sent and not acknowledged.
    pub in_flight: usize,
    /// Retained messages; the same in every partition.
    pub retained: usize,
    /// Bytes this partition appended to the log that some partition has not read.
    pub unread_bytes: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_latency_falls_into_the_bucket_whose_bound_it_does_not_exceed() {
        let counters = Counters::default();
        counters.took(Duration::from_micros(10), 3);
        counters.took(Duration::from_micros(11), 1);
        counters.took(Duration::from_secs(9), 2);
        let counts: Vec<u64> = counters.latency.iter().map(Count::value).collect();
        assert_eq!(counts, [3, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]);
        assert_eq!(counters.latency_sum.value(), 30 + 11 + 18_000_000);
    }
}
