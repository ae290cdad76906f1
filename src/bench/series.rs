//! A run cut into intervals: what was recorded between one look and the next.
//!
//! Recorders only grow, so an interval is the later one less the earlier one, exactly: added up, the intervals are
//! the whole run again.

use std::time::Duration;

use super::load::Snapshot;
use super::measure::Recorder;
use super::role::Phase;

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

/// Cuts a run into intervals of at least a given length.
#[derive(Debug)]
pub struct Series {
    length: Duration,
    from: Duration,
    before: Option<Recorder>,
}

impl Series {
    /// With intervals of this length, to the precision of the snapshots.
    pub fn new(length: Duration) -> Series {
        Series {
            length,
            from: Duration::ZERO,
            before: None,
        }
    }

    /// The interval up to this snapshot, if it is long enough or the `last` one.
    pub fn take(&mut self, now: &Snapshot, last: bool) -> Option<Interval> {
        // Snapshots come a little early or late.
        let slack = self.length / 10;
        if !last && now.elapsed + slack < self.from + self.length {
            return None;
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

#[cfg(test)]
mod tests {
    use super::super::measure::Window;
    use super::*;

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
}
