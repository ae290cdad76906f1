//! What the report of a run on several machines says of each, and what their clocks leave uncertain.

use serde::{Deserialize, Serialize};

use super::clock::Offset;
use crate::bench::report::Report;

/// One machine's part of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// The agent's name.
    pub name: String,
    /// The machine's.
    pub host: String,
    /// Connections that were to be made.
    pub connections: u32,
    /// Messages sent.
    pub sent: u64,
    /// First copies that arrived.
    pub arrived: u64,
    /// Share of the time that its busiest thread worked.
    pub busiest: Option<f64>,
    /// Its verdict.
    pub valid: bool,
    /// Its clock before the run, against the coordinator's.
    pub clock: Offset,
    /// And after the run; `null` when it did not answer any more.
    pub clock_after: Option<Offset>,
}

/// What is known of the clocks of all machines together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Clocks {
    /// Pairs of a stream of messages and who hears it.
    pub streams: u64,
    /// Of those, between two machines: their latencies are the difference of two clocks.
    pub between_machines: u64,
    /// A latency between two machines is wrong by at most this, in microseconds.
    pub uncertainty_us: u64,
}

impl Machine {
    /// Of its own report.
    pub fn of(
        name: String,
        report: &Report,
        clock: Offset,
        clock_after: Option<Offset>,
    ) -> Machine {
        Machine {
            name,
            host: report.environment.host.clone(),
            connections: report.connections.asked,
            sent: report.messages.sent,
            arrived: report.messages.arrived,
            busiest: report.generator.busiest,
            valid: report.verdict.valid,
            clock,
            clock_after,
        }
    }

    /// How wrong its clock was taken at any time of the run, at most, in nanoseconds.
    fn worst_ns(&self) -> u64 {
        match self.clock_after {
            Some(after) => self.clock.worst_until(after),
            None => self.clock.uncertainty_ns,
        }
    }
}

impl Clocks {
    /// Of so many pairs of a stream and a listener, those with their ends on two machines, and all.
    pub fn of(machines: &[Machine], (between_machines, streams): (u64, u64)) -> Clocks {
        let mut worst: Vec<u64> = machines.iter().map(Machine::worst_ns).collect();
        worst.sort_unstable_by(|one, other| other.cmp(one));
        // The two worst may be the two ends of a message.
        let sum_ns: u64 = worst.iter().take(2).sum();
        Clocks {
            streams,
            between_machines,
            uncertainty_us: match between_machines {
                0 => 0,
                _ => sum_ns.div_ceil(1000),
            },
        }
    }

    /// Of two runs together.
    pub fn and(&self, other: &Clocks) -> Clocks {
        Clocks {
            streams: self.streams + other.streams,
            between_machines: self.between_machines + other.between_machines,
            uncertainty_us: self.uncertainty_us.max(other.uncertainty_us),
        }
    }

    /// Why the latencies are not to be believed, if they are not: more is uncertain than they are long.
    pub fn fault(&self, report: &Report) -> Option<String> {
        let latency = &report.latency_us;
        let latency = latency.response.as_ref().or(latency.service.as_ref())?;
        let middle = latency.p50.unwrap_or(latency.mean as u64);
        (self.between_machines > 0 && self.uncertainty_us > middle).then(|| {
            format!(
                "the clocks of the agents are known to within {:.2} ms, and the median latency is {:.2} ms; \
                 --spread together keeps both ends of a pair on one machine",
                self.uncertainty_us as f64 / 1000.0,
                middle as f64 / 1000.0
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::report::tests::report;

    fn machine(uncertainty_ns: u64, after: Option<(i64, u64)>) -> Machine {
        let offset = |ahead_ns, uncertainty_ns| Offset {
            ahead_ns,
            uncertainty_ns,
        };
        let report = report(1, |_| {});
        let after = after.map(|(ahead_ns, uncertainty_ns)| offset(ahead_ns, uncertainty_ns));
        Machine::of("a".to_owned(), &report, offset(0, uncertainty_ns), after)
    }

    #[test]
    fn between_two_machines_both_clocks_may_be_wrong_and_drift() {
        let machines = [
            machine(1000, Some((0, 10))),
            machine(2000, Some((-50_000, 500))),
            machine(3000, None),
        ];
        let clocks = Clocks::of(&machines, (1, 10));
        assert_eq!(clocks.uncertainty_us, 54);
        assert_eq!(Clocks::of(&machines, (0, 10)).uncertainty_us, 0);
        assert_eq!(Clocks::of(&[], (0, 0)).uncertainty_us, 0);
    }

    #[test]
    fn what_is_more_uncertain_than_long_is_not_valid() {
        let report = report(1, |_| {});
        let clocks = |between_machines, uncertainty_us| Clocks {
            streams: 4,
            between_machines,
            uncertainty_us,
        };
        assert_eq!(clocks(1, 120).fault(&report), None);
        assert_eq!(clocks(0, 121).fault(&report), None);
        let words = clocks(1, 121).fault(&report).unwrap();
        assert!(words.starts_with(
            "the clocks of the agents are known to within 0.12 ms, and the median latency is 0.12 ms"
        ));
    }
}
