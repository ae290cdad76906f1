//! What each of several brokers had of a load.

use serde::{Deserialize, Serialize};

use super::histograms::Encoded;
use super::latency::Latency;

/// The latency that counts in a load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Main {
    /// Of what arrives: response, without pacing service.
    Arrival,
    /// Of what is acknowledged, where nobody subscribes.
    Acknowledgement,
    /// Of connecting, where nothing is sent.
    Connecting,
}

/// What one broker had.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Portion {
    /// Connections made.
    pub connections: u64,
    /// Messages handed to its connections.
    pub sent: u64,
    /// First copies that arrived from it.
    pub delivered: u64,
    /// The latency that counts, of what is measured.
    pub latency: Encoded,
}

impl Portion {
    /// Adds another one's.
    pub fn merge(&mut self, other: &Portion) {
        self.connections += other.connections;
        self.sent += other.sent;
        self.delivered += other.delivered;
        self.latency.add(&other.latency);
    }
}

/// The same in a report.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AtBroker {
    /// URL without user and password.
    pub endpoint: String,
    /// Connections made.
    pub connections: u64,
    /// Messages handed to its connections.
    pub sent: u64,
    /// First copies that arrived from it.
    pub delivered: u64,
    /// The latency that counts in the load; `null` without any.
    pub latency_us: Option<Latency>,
    /// The same in full.
    pub histogram: Encoded,
}

impl AtBroker {
    /// What the broker at this endpoint had.
    pub fn new(endpoint: String, portion: &Portion) -> AtBroker {
        AtBroker {
            endpoint,
            connections: portion.connections,
            sent: portion.sent,
            delivered: portion.delivered,
            latency_us: Latency::of(&portion.latency.0),
            histogram: portion.latency.clone(),
        }
    }

    /// Adds what it had in another run.
    pub(in crate::bench) fn add(&mut self, other: &AtBroker) {
        self.connections += other.connections;
        self.sent += other.sent;
        self.delivered += other.delivered;
        self.histogram.add(&other.histogram);
        self.latency_us = Latency::of(&self.histogram.0);
    }
}
