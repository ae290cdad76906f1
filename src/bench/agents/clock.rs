//! How far another machine's clock is ahead of ours, from questions and answers over a network of unknown delay.
//!
//! A question leaves at `asked` and arrives at `came`, the answer leaves at `went` and is here at `answered`; the two in
//! the middle are the other clock's. Nothing arrives before it leaves, so `went - answered <= ahead <= came - asked`, whatever
//! the delays are and however unlike each other. Every round gives such an interval, and the offset lies in all of them:
//! what they have in common is often much narrower than the best of them, because the quickest way out and the quickest way
//! back need not be of the same round. Its middle is the estimate, half its width the uncertainty; for one round these are
//! ((came - asked) + (went - answered)) / 2 and half the round trip.

use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};

/// A clock that nobody sets: the time of the day when it was made, and what a steady clock has counted since.
#[derive(Debug, Clone, Copy)]
pub struct Watch {
    made: Instant,
    unix_ns: i64,
}

impl Watch {
    /// Made at this moment, which the day calls so.
    pub fn new(made: Instant, day: SystemTime) -> Watch {
        let since_1970 = day.duration_since(SystemTime::UNIX_EPOCH);
        Watch {
            made,
            unix_ns: nanoseconds(since_1970.unwrap_or_default()),
        }
    }

    /// What it shows at a moment, in nanoseconds since 1970.
    pub fn shows(&self, at: Instant) -> i64 {
        let since = nanoseconds(at.saturating_duration_since(self.made));
        let before = nanoseconds(self.made.saturating_duration_since(at));
        self.unix_ns + since - before
    }

    /// The moment at which it shows this; `None` for one that this machine cannot tell.
    pub fn moment(&self, unix_ns: i64) -> Option<Instant> {
        let since = unix_ns.checked_sub(self.unix_ns)?;
        let distance = Duration::from_nanos(since.unsigned_abs());
        match since {
            0.. => self.made.checked_add(distance),
            _ => self.made.checked_sub(distance),
        }
    }
}

/// As many as there are room for.
fn nanoseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

/// One question and its answer. All in nanoseconds, each clock from an origin of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Round {
    /// When the question left, by our clock.
    pub asked: i64,
    /// When it arrived, by theirs.
    pub came: i64,
    /// When the answer left, by theirs.
    pub went: i64,
    /// When it was here, by ours.
    pub answered: i64,
}

/// How far their clock is ahead of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offset {
    /// The estimate, in nanoseconds; negative when theirs is behind.
    pub ahead_ns: i64,
    /// The estimate is wrong by at most this, in nanoseconds.
    pub uncertainty_ns: u64,
}

impl Offset {
    /// What these rounds say together; `None` without any. Clocks that did not run alike meanwhile leave no offset that
    /// agrees with all: then the estimate is in the middle of the disagreement, and the uncertainty reaches to both ends.
    pub fn of(rounds: &[Round]) -> Option<Offset> {
        let least = rounds
            .iter()
            .map(|round| round.went - round.answered)
            .max()?;
        let most = rounds.iter().map(|round| round.came - round.asked).min()?;
        Some(Offset {
            ahead_ns: least + (most - least) / 2,
            uncertainty_ns: (most - least).unsigned_abs().div_ceil(2),
        })
    }

    /// Their time at a moment of ours.
    pub fn theirs(self, ours_ns: i64) -> i64 {
        ours_ns + self.ahead_ns
    }

    /// How wrong this estimate was at most while the clocks drifted to `later`: what it is wrong by at both ends, and in
    /// between as well when they drift evenly.
    pub fn worst_until(self, later: Offset) -> u64 {
        let drift = (later.ahead_ns - self.ahead_ns).unsigned_abs();
        self.uncertainty_ns
            .max(drift.saturating_add(later.uncertainty_ns))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_watch_goes_on_from_the_time_it_was_made() {
        let made = Instant::now();
        let watch = Watch::new(made, SystemTime::UNIX_EPOCH + Duration::from_secs(5));
        let later = made + Duration::from_nanos(7);
        assert_eq!(watch.shows(later), 5_000_000_007);
        assert_eq!(watch.moment(5_000_000_007), Some(later));
        let earlier = watch.moment(4_999_999_990).unwrap();
        assert_eq!(watch.shows(earlier), 4_999_999_990);
        assert_eq!(watch.moment(i64::MIN), None);
    }

    /// A round that began at `at` by our clock, with these delays; theirs is `ahead`.
    fn round(at: i64, ahead: i64, there: i64, thinking: i64, back: i64) -> Round {
        Round {
            asked: at,
            came: at + there + ahead,
            went: at + there + thinking + ahead,
            answered: at + there + thinking + back,
        }
    }

    #[test]
    fn one_round_is_the_classic_estimate_with_half_the_round_trip() {
        let offset = Offset::of(&[round(0, 1000, 300, 50, 100)]).unwrap();
        assert_eq!(
            offset,
            Offset {
                ahead_ns: 1100,
                uncertainty_ns: 200
            }
        );
        assert_eq!(Offset::of(&[]), None);
    }

    #[test]
    fn the_quickest_ways_of_two_rounds_tell_more_than_either_round() {
        let rounds = [round(0, -5000, 10, 5, 400), round(900, -5000, 400, 5, 10)];
        let offset = Offset::of(&rounds).unwrap();
        assert_eq!((offset.ahead_ns, offset.uncertainty_ns), (-5000, 10));
    }

    #[test]
    fn clocks_that_ran_apart_between_the_rounds_are_not_taken_for_well_known() {
        let offset = Offset::of(&[round(0, 0, 10, 5, 10), round(900, 100, 10, 5, 10)]).unwrap();
        assert_eq!((offset.ahead_ns, offset.uncertainty_ns), (50, 40));
    }

    #[test]
    fn a_drift_makes_the_first_estimate_worse() {
        let offset = |ahead_ns, uncertainty_ns| Offset {
            ahead_ns,
            uncertainty_ns,
        };
        assert_eq!(offset(100, 20).worst_until(offset(105, 4)), 20);
        assert_eq!(offset(100, 20).worst_until(offset(40, 4)), 64);
        assert_eq!(offset(100, 20).theirs(7), 107);
    }

    proptest! {
        #[test]
        fn the_offset_is_never_further_off_than_the_uncertainty_however_unlike_the_two_ways_are(
            ahead in -1_000_000_000_000i64..1_000_000_000_000,
            delays in proptest::collection::vec((0i64..50_000_000, 0i64..1_000_000, 0i64..50_000_000), 1..40),
        ) {
            let rounds: Vec<Round> = delays.iter().zip(0..).map(|((there, thinking, back), n)| {
                round(n * 200_000_000, ahead, *there, *thinking, *back)
            }).collect();
            let offset = Offset::of(&rounds).unwrap();
            prop_assert!((offset.ahead_ns - ahead).unsigned_abs() <= offset.uncertainty_ns);
            let best = rounds.iter().filter_map(|one| Offset::of(&[*one])).map(|one| one.uncertainty_ns).min().unwrap();
            prop_assert!(offset.uncertainty_ns <= best, "all together know at least what the best round knows");
        }
    }
}
