//! A run cut into intervals: what was recorded between one look and the next.
//!
//! Recorders only grow, so an interval is the later one less the earlier one, exactly: added up, the intervals are
//! the whole run again. What is kept of them to the end of a run is a [`Timeline`], whose length has a limit.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Recorder;
use super::histograms::Encoded;
use crate::bench::load::Snapshot;
use crate::bench::role::Phase;

/// What happened in one interval.
#[derive(Debug)]
pub struct Interval {
    /// Where it begins, from the start of the load; where connecting is measured, of the run.
    pub from: Duration,
    /// Where it ends.
    pub to: Duration,
    /// What the run was doing at its end.
    pub phase: Phase,
    /// What was recorded in between.
    pub recorder: Recorder,
    /// Connections made up to its end.
    pub connected: u64,
    /// Connections lost up to its end.
    pub lost: usize,
}

/// Cuts a run into intervals of a given length, all from its start, so that those of several machines go together.
#[derive(Debug)]
pub struct Series {
    length: Duration,
    from: Duration,
    /// Where the next cut is due.
    due: Duration,
    before: Option<Recorder>,
}

impl Series {
    /// With intervals of this length, to the precision of the snapshots.
    pub fn new(length: Duration) -> Series {
        Series {
            length,
            from: Duration::ZERO,
            due: length,
            before: None,
        }
    }

    /// The interval up to this snapshot, if a cut is due or it is the `last` one.
    pub fn take(&mut self, now: &Snapshot, last: bool) -> Option<Interval> {
        // Snapshots come a little early or late.
        let slack = self.length / 10;
        let reached = now.elapsed + slack;
        if !last && reached < self.due {
            return None;
        }
        while self.due <= reached {
            self.due += self.length;
        }
        let recorder = match &self.before {
            Some(before) => now.recorder.since(before),
            None => now.recorder.clone(),
        };
        let interval = Interval {
            from: self.from,
            to: now.elapsed.max(self.from),
            phase: now.phase,
            recorder,
            connected: now.recorder.connects.made,
            lost: now.lost,
        };
        self.from = interval.to;
        self.before = Some(now.recorder.clone());
        Some(interval)
    }
}

/// What is kept of an interval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Moment {
    /// Where it begins, in seconds; see [`Interval::from`].
    pub from_s: f64,
    /// Where it ends.
    pub to_s: f64,
    /// What the run was doing at its end.
    pub phase: Phase,
    /// Connections made up to its end.
    pub connected: u64,
    /// Connections lost up to its end.
    pub lost_connections: u64,
    /// Messages sent in it, warm-up included.
    pub sent: u64,
    /// Messages acknowledged in it.
    pub acknowledged: u64,
    /// Messages delivered in it.
    pub delivered: u64,
    /// Latency of what was measured in it, in microseconds: response, without pacing service, without subscribers
    /// acknowledgement; of connecting while that is what goes on.
    pub latency: Encoded,
}

impl Moment {
    /// What is kept of an interval.
    pub fn of(interval: &Interval) -> Moment {
        let recorder = &interval.recorder;
        let connects = &recorder.connects;
        let candidates = match interval.phase {
            Phase::Setup => [&connects.response, &connects.service, &connects.service],
            _ => [
                &recorder.response,
                &recorder.service,
                &recorder.acknowledgement,
            ],
        };
        let latency = candidates.iter().find(|latency| !latency.is_empty());
        Moment {
            from_s: interval.from.as_secs_f64(),
            to_s: interval.to.as_secs_f64(),
            phase: interval.phase,
            connected: interval.connected,
            lost_connections: interval.lost as u64,
            sent: recorder.sent.total,
            acknowledged: recorder.acknowledged.total,
            delivered: recorder.delivered.total,
            latency: Encoded((**latency.unwrap_or(&candidates[0])).clone()),
        }
    }

    /// Adds one that follows.
    pub(in crate::bench) fn extend(&mut self, next: &Moment) {
        self.to_s = next.to_s;
        self.phase = next.phase;
        self.connected = next.connected;
        self.lost_connections = next.lost_connections;
        self.count(next);
    }

    /// Adds one of the same time.
    pub(in crate::bench) fn beside(&mut self, other: &Moment) {
        self.to_s = self.to_s.max(other.to_s);
        self.connected += other.connected;
        self.lost_connections += other.lost_connections;
        self.count(other);
    }

    fn count(&mut self, other: &Moment) {
        self.sent += other.sent;
        self.acknowledged += other.acknowledged;
        self.delivered += other.delivered;
        self.latency.add(&other.latency);
    }
}

/// The moments of a run. When they become too many, each two become one.
#[derive(Debug, Default)]
pub struct Timeline {
    moments: Vec<Moment>,
    /// How many intervals make a moment, less one.
    doubled: u32,
    /// How many intervals the last moment has.
    filled: u32,
}

/// How many moments are kept: twenty minutes of seconds.
const KEPT: usize = 1200;

impl Timeline {
    /// Adds the next interval.
    pub fn add(&mut self, interval: &Interval) {
        let next = Moment::of(interval);
        match self.moments.last_mut() {
            Some(last) if self.filled <= self.doubled => {
                last.extend(&next);
                self.filled += 1;
            }
            _ => {
                self.moments.push(next);
                self.filled = 1;
            }
        }
        if self.moments.len() > KEPT {
            let mut halved: Vec<Moment> = Vec::new();
            for (place, moment) in self.moments.drain(..).enumerate() {
                match halved.last_mut() {
                    Some(last) if place % 2 == 1 => last.extend(&moment),
                    _ => halved.push(moment),
                }
            }
            self.doubled = self.doubled * 2 + 1;
            self.moments = halved;
        }
    }

    /// The moments, in their order.
    pub fn into_moments(self) -> Vec<Moment> {
        self.moments
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::measure::Window;

    #[test]
    fn the_intervals_add_up_to_the_run() {
        let window = Window {
            from_ns: 0,
            to_ns: u64::MAX,
        };
        let mut series = Series::new(Duration::from_secs(1));
        let mut recorder = Recorder::new(window);
        let mut sum = Recorder::new(window);
        let mut taken = Vec::new();
        for half in 1..=9_u64 {
            for n in 0..half * 10 {
                let due_ns = half * 500_000_000;
                recorder.sent(Some(due_ns), 0, due_ns + n * 1000);
                recorder.acknowledged(due_ns, due_ns + n * 77_000);
                recorder.delivered(Some(due_ns), due_ns + n * 1000, due_ns + n * half * 90_000);
            }
            let snapshot = Snapshot {
                elapsed: Duration::from_millis(half * 500 - half % 2 * 20),
                phase: Phase::Load,
                recorder: recorder.clone(),
                lost: 0,
            };
            if let Some(interval) = series.take(&snapshot, half == 9) {
                taken.push((interval.from.as_millis(), interval.to.as_millis()));
                sum.merge(&interval.recorder);
            }
        }
        assert_eq!(
            taken,
            [
                (0, 1000),
                (1000, 2000),
                (2000, 3000),
                (3000, 4000),
                (4000, 4480)
            ]
        );
        assert_eq!(sum.sent.total, recorder.sent.total);
        assert_eq!(sum.response, recorder.response);
        assert_eq!(sum.acknowledgement, recorder.acknowledgement);
    }

    #[test]
    fn a_long_run_keeps_a_limited_number_of_moments_and_loses_nothing() {
        let mut timeline = Timeline::default();
        for second in 0..5000 {
            let mut recorder = Recorder::new(Window {
                from_ns: 0,
                to_ns: u64::MAX,
            });
            recorder.sent(None, 0, 1);
            recorder.delivered(None, 0, 1_000_000);
            timeline.add(&Interval {
                from: Duration::from_secs(second),
                to: Duration::from_secs(second + 1),
                phase: Phase::Load,
                recorder,
                connected: 2,
                lost: 0,
            });
        }
        let moments = timeline.into_moments();
        assert!((KEPT / 2..=KEPT).contains(&moments.len()));
        assert_eq!(moments.iter().map(|moment| moment.sent).sum::<u64>(), 5000);
        let samples: u64 = moments.iter().map(|moment| moment.latency.0.len()).sum();
        assert_eq!(samples, 5000);
        let touching = |pair: &[Moment]| pair[0].to_s == pair[1].from_s;
        assert!(moments.windows(2).all(touching));
    }
}
