//! How many messages, of the whole run and of its measurement. What became of each of them is in the ledgers' `Delivery`.

use serde::{Deserialize, Serialize};

use crate::bench::load::tally::Measurement;

/// Counts of the whole run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Messages {
    /// Handed to the connections.
    pub sent: u64,
    /// Of those, within the measurement.
    pub sent_measured: u64,
    /// Acknowledged within the measurement.
    pub acknowledged_measured: u64,
    /// Arrived within the measurement.
    pub arrived_measured: u64,
    /// First copies that arrived; where nobody of the run publishes, whatever arrived.
    pub arrived: u64,
    /// Acknowledged by the broker; `null` at QoS 0.
    pub acknowledged: Option<u64>,
    /// Refused by the broker.
    pub refused: u64,
    /// Due and never sent.
    pub never_sent: u64,
    /// Sent at QoS 1 or 2, and neither acknowledged nor refused.
    #[serde(default)]
    pub never_acknowledged: u64,
    /// Acknowledgements for which there was no publish.
    pub stray_acknowledgements: u64,
}

impl Messages {
    /// Those of a run whose messages are acknowledged, or are not.
    pub(super) fn of(measurement: &Measurement, acknowledges: bool) -> Messages {
        let recorder = &measurement.recorder;
        Messages {
            sent: recorder.sent.total,
            sent_measured: recorder.sent.measured,
            acknowledged_measured: recorder.acknowledged.measured,
            arrived_measured: recorder.delivered.measured,
            arrived: recorder.delivered.total,
            acknowledged: acknowledges.then_some(recorder.acknowledged.total),
            refused: measurement.refusals.values().sum(),
            never_sent: measurement.unsent,
            never_acknowledged: measurement.unanswered,
            stray_acknowledgements: measurement.stray_acknowledgements,
        }
    }

    /// Adds those of another run.
    pub(super) fn merge(&mut self, other: &Messages) {
        self.sent += other.sent;
        self.sent_measured += other.sent_measured;
        self.acknowledged_measured += other.acknowledged_measured;
        self.arrived_measured += other.arrived_measured;
        self.arrived += other.arrived;
        self.acknowledged = self
            .acknowledged
            .zip(other.acknowledged)
            .map(|(a, b)| a + b);
        self.refused += other.refused;
        self.never_sent += other.never_sent;
        self.never_acknowledged += other.never_acknowledged;
        self.stray_acknowledgements += other.stray_acknowledgements;
    }
}
