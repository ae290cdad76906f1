//! Whether a load is what it will be, or still on its way there: the test by which a run is called unsteady, and by
//! which a warm-up ends.
//!
//! Both cut the time into intervals and hold the second half of them against the first. A figure is unsteady when it
//! shifted by much; a run is told so only if that is also sure beyond chance, while a warm-up goes on as long as it is
//! not ruled out. A warm-up looks at the rate and at the 99th percentile of the latency, a run at the median.

use std::collections::VecDeque;
use std::time::Duration;

use crate::bench::trials::statistics::{difference, median};

/// So sure must it be that the two halves differ.
const SURE: f64 = 0.01;

/// Less than this does not matter in a latency, in microseconds.
pub const LITTLE_US: f64 = 1000.0;

/// How the second half of some values is unlike the first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Drift {
    /// The median of the first half.
    pub before: f64,
    /// The median of the second.
    pub after: f64,
    shift: f64,
    p: f64,
}

impl Drift {
    /// Of values in the order of time; `None` of fewer than two.
    pub fn of(values: &[f64]) -> Option<Drift> {
        let (first, second) = values.split_at(values.len() / 2);
        if first.is_empty() {
            return None;
        }
        let difference = difference(first, second);
        let middle = |half: &[f64]| {
            let mut sorted = half.to_vec();
            sorted.sort_by(f64::total_cmp);
            median(&sorted)
        };
        Some(Drift {
            before: middle(first),
            after: middle(second),
            shift: difference.shift,
            p: difference.p,
        })
    }

    /// Whether it is more than this share of the smaller half, and more than what does not matter.
    pub fn is_much(&self, share: f64, little: f64) -> bool {
        self.shift.abs() > little.max(self.before.min(self.after) * share)
    }

    /// Whether it is no chance.
    pub fn is_sure(&self) -> bool {
        self.p < SURE
    }
}

/// How many intervals a warm-up is judged by.
const INTERVALS: usize = 10;

/// The shortest interval.
const SHORTEST: Duration = Duration::from_millis(200);

/// How many messages an interval should have: their number then differs by a tenth from one to the next by chance.
const MESSAGES: f64 = 100.0;

/// By how much of itself the rate may differ from one half to the other, and the latency.
const RATE_SHARE: f64 = 0.1;
const LATENCY_SHARE: f64 = 0.5;

/// A warm-up that lasts until the load is steady.
#[derive(Debug)]
pub struct Settling {
    interval: Duration,
    limit: Duration,
    /// When the current interval began, from the start of the load.
    since: Duration,
    /// Rate and 99th percentile of the last intervals.
    figures: VecDeque<(f64, Option<f64>)>,
}

/// How a warm-up ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// The load is steady.
    Steady,
    /// It lasted as long as it may, and the load is not.
    GivenUp,
}

impl Settling {
    /// Of a load of so many messages a second, if that is known, for at most `limit`.
    pub fn new(rate: Option<f64>, limit: Duration) -> Settling {
        let filled = rate.map_or(SHORTEST, |rate| {
            Duration::try_from_secs_f64(MESSAGES / rate).unwrap_or(limit)
        });
        // Half of the limit for the intervals of the first judgement, the rest for more of them.
        let longest = limit / (2 * INTERVALS as u32);
        Settling {
            interval: filled.max(SHORTEST).min(longest.max(SHORTEST)),
            limit,
            since: Duration::ZERO,
            figures: VecDeque::new(),
        }
    }

    /// Whether an interval is over at `elapsed`.
    pub fn is_due(&self, elapsed: Duration) -> bool {
        elapsed >= (self.since + self.interval).min(self.limit)
    }

    /// Takes in what happened in the interval that is over now: so many messages, and the 99th percentile of their
    /// latency in microseconds. Says when the warm-up is over.
    pub fn enter(
        &mut self,
        elapsed: Duration,
        messages: u64,
        p99_us: Option<f64>,
    ) -> Option<Settled> {
        let length = elapsed.saturating_sub(self.since).as_secs_f64();
        self.since = elapsed;
        if length > 0.0 {
            self.figures.push_back((messages as f64 / length, p99_us));
        }
        if self.figures.len() > INTERVALS {
            self.figures.pop_front();
        }
        if self.is_steady() {
            return Some(Settled::Steady);
        }
        (elapsed >= self.limit).then_some(Settled::GivenUp)
    }

    fn is_steady(&self) -> bool {
        let rates: Vec<f64> = self.figures.iter().map(|(rate, _)| *rate).collect();
        let latencies: Vec<f64> = self.figures.iter().filter_map(|(_, p99)| *p99).collect();
        let has_settled = |values: &[f64], share, little| {
            Drift::of(values).is_none_or(|drift| !drift.is_much(share, little))
        };
        rates.len() == INTERVALS
            && rates.iter().any(|rate| *rate > 0.0)
            && has_settled(&rates, RATE_SHARE, 0.0)
            && has_settled(&latencies, LATENCY_SHARE, LITTLE_US)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMIT: Duration = Duration::from_secs(60);

    /// When a load of which this is the n-th interval's rate and latency counts as steady.
    fn settled(figures: impl Fn(u64) -> (u64, u64)) -> (Settled, Duration) {
        let mut settling = Settling::new(None, LIMIT);
        let mut now = Duration::ZERO;
        for n in 0.. {
            let (rate, p99_us) = figures(n);
            now = (now + SHORTEST).min(LIMIT);
            assert!(settling.is_due(now) && !settling.is_due(now - Duration::from_millis(1)));
            let p99_us = (p99_us > 0).then_some(p99_us as f64);
            if let Some(settled) = settling.enter(now, rate / 5, p99_us) {
                return (settled, now);
            }
        }
        unreachable!("there is a limit")
    }

    fn seconds(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    #[test]
    fn a_load_that_is_steady_from_the_first_is_known_after_ten_intervals() {
        assert_eq!(settled(|_| (5000, 800)), (Settled::Steady, seconds(2.0)));
        assert_eq!(
            settled(|_| (5000, 0)),
            (Settled::Steady, seconds(2.0)),
            "nobody hears it"
        );
        let up_and_down = |n: u64| (5000 + n % 3 * 200, 5000 + n % 2 * 3000);
        assert_eq!(settled(up_and_down), (Settled::Steady, seconds(2.0)));
    }

    #[test]
    fn a_load_that_grows_is_warm_when_it_has_stopped_growing() {
        // Up to 10,000/s within 4 s: it is over when most of the ten intervals are behind that.
        let (how, when) = settled(|n| (500 * n.min(20), 800));
        assert_eq!(how, Settled::Steady);
        assert!((4.0..6.0).contains(&when.as_secs_f64()), "{when:?}");
        // A latency that falls by a fifth each time, down to 5 ms.
        let falling = |n: u64| 200_000.0 * 0.8_f64.powf(n as f64);
        let (how, when) = settled(|n| (5000, falling(n).max(5000.0) as u64));
        assert_eq!(how, Settled::Steady);
        assert!((3.0..6.0).contains(&when.as_secs_f64()), "{when:?}");
    }

    #[test]
    fn a_load_that_never_settles_is_given_up_at_the_limit() {
        let growing = |n: u64, by: f64| (10_000.0 * by.powf(n as f64)) as u64;
        for figures in [(1.05, 1.0), (1.0, 1.12)] {
            let ended = settled(|n| (growing(n, figures.0), growing(n, figures.1)));
            assert_eq!(ended, (Settled::GivenUp, LIMIT), "{figures:?}");
        }
        assert_eq!(
            settled(|_| (0, 0)),
            (Settled::GivenUp, LIMIT),
            "nothing is no load"
        );
    }

    #[test]
    fn an_interval_has_enough_messages_and_ten_of_them_have_room() {
        for (rate, limit, expected) in [
            (None, 60.0, 0.2),
            (Some(10_000.0), 60.0, 0.2),
            (Some(100.0), 60.0, 1.0),
            (Some(1.0), 60.0, 3.0),
            (Some(0.001), 60.0, 3.0),
            (Some(100.0), 1.0, 0.2),
        ] {
            let settling = Settling::new(rate, seconds(limit));
            assert_eq!(settling.interval, seconds(expected), "{rate:?} {limit}");
        }
        let mut short = Settling::new(None, seconds(0.1));
        assert!(short.is_due(seconds(0.1)));
        assert_eq!(short.enter(seconds(0.1), 5, None), Some(Settled::GivenUp));
    }

    proptest! {
        #[test]
        fn it_ends_by_the_limit_whatever_happens(figures in proptest::collection::vec((0u64..1 << 40, 0u64..1 << 40), 300)) {
            let (_, when) = settled(|n| figures[n as usize]);
            prop_assert!((seconds(2.0)..=LIMIT).contains(&when));
        }

        #[test]
        fn a_factor_changes_nothing(rates in proptest::collection::vec(1000u64..1 << 30, 10)) {
            let steady = |factor: u64| {
                let mut settling = Settling::new(None, LIMIT);
                let mut last = None;
                for (n, rate) in (1..).zip(&rates) {
                    last = settling.enter(SHORTEST * n, rate * factor, None);
                }
                last
            };
            prop_assert_eq!(steady(1), steady(16));
        }
    }
}
