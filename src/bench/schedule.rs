//! When a publisher's n-th message is due, as pure arithmetic.
//!
//! The clock never enters: a message is due at its time whatever the broker does, so a stall delays messages
//! and is seen in their latency instead of quietly lowering the load (coordinated omission).

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A rate in messages per second, all publishers together; kept as whole messages per 1,000 s so that no
/// rounding adds up over a long run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    per_1000_s: u64,
}

/// The fastest rate accepted. Beyond one message a nanosecond a due time cannot be told from the next.
const FASTEST: f64 = 1e9;

impl Rate {
    /// Messages per second.
    pub fn per_second(self) -> f64 {
        self.per_1000_s as f64 / 1000.0
    }
}

/// `1000`, `0.5`, `20k` or `1.5M`.
impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Rate, String> {
        let text = text.trim();
        let (number, factor) = match text.char_indices().last() {
            Some((end, 'k' | 'K')) => (&text[..end], 1e3),
            Some((end, 'M')) => (&text[..end], 1e6),
            _ => (text, 1.0),
        };
        let rate = number.parse::<f64>().map_err(|_| {
            format!("{text:?} is no rate; write messages per second, for example 500, 20k or max")
        })? * factor;
        if !(0.001..=FASTEST).contains(&rate) {
            return Err(format!(
                "a rate of {text}/s is out of range, 0.001 to {FASTEST:e}"
            ));
        }
        Ok(Rate {
            per_1000_s: (rate * 1000.0).round() as u64,
        })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.per_second())
    }
}

/// When one publisher's messages are due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schedule {
    /// As soon as flow control allows: no message has a due time.
    Unpaced,
    /// This publisher's share of a constant total rate. The publishers take turns, so each starts one
    /// message later than the one before it and they never send in step.
    Constant {
        /// Nanoseconds from one message to the next of the whole load: `nanoseconds / messages`, reduced.
        nanoseconds: u64,
        /// See `nanoseconds`.
        messages: u64,
        /// Which publisher this is, from 0.
        publisher: u64,
        /// How many take turns.
        publishers: u64,
    },
}

impl Schedule {
    /// The schedule of publisher number `publisher` (from 0) of `publishers`.
    pub fn new(rate: Option<Rate>, publisher: u32, publishers: u32) -> Schedule {
        let Some(rate) = rate else {
            return Schedule::Unpaced;
        };
        let nanoseconds = 1_000_000_000_000; // 1,000 s
        let divisor = greatest_common_divisor(nanoseconds, rate.per_1000_s);
        Schedule::Constant {
            nanoseconds: nanoseconds / divisor,
            messages: rate.per_1000_s / divisor,
            publisher: publisher.into(),
            publishers: publishers.into(),
        }
    }

    /// The schedule of another publisher of the same load.
    pub fn of(self, number: u32) -> Schedule {
        match self {
            Schedule::Unpaced => Schedule::Unpaced,
            Schedule::Constant {
                nanoseconds,
                messages,
                publishers,
                ..
            } => Schedule::Constant {
                nanoseconds,
                messages,
                publisher: number.into(),
                publishers,
            },
        }
    }

    /// When message `n` (from 0) is due, counted from the start of the run; `None` for "as soon as possible".
    pub fn due(&self, n: u64) -> Option<Duration> {
        let Schedule::Constant {
            nanoseconds,
            messages,
            publisher,
            publishers,
        } = *self
        else {
            return None;
        };
        let turn = n * publishers + publisher;
        let due = match turn.checked_mul(nanoseconds) {
            Some(product) => product / messages,
            None => (u128::from(turn) * u128::from(nanoseconds) / u128::from(messages)) as u64,
        };
        Some(Duration::from_nanos(due))
    }

    /// How many messages are due before `elapsed`; `None` when none has a due time.
    pub fn due_before(&self, elapsed: Duration) -> Option<u64> {
        let Schedule::Constant {
            nanoseconds,
            messages,
            publisher,
            publishers,
        } = *self
        else {
            return None;
        };
        let turns = (elapsed.as_nanos() * u128::from(messages)).div_ceil(nanoseconds.into());
        let turns = u64::try_from(turns).unwrap_or(u64::MAX);
        Some(turns.saturating_sub(publisher).div_ceil(publishers))
    }
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 {
        a
    } else {
        greatest_common_divisor(b, a % b)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn constant(rate: &str, publisher: u32, publishers: u32) -> Schedule {
        Schedule::new(Some(rate.parse().unwrap()), publisher, publishers)
    }

    #[test]
    fn a_rate_is_a_number_with_an_optional_unit() {
        for (text, expected) in [
            ("1000", 1000.0),
            ("0.5", 0.5),
            ("20k", 20_000.0),
            ("1.5M", 1_500_000.0),
        ] {
            assert_eq!(text.parse::<Rate>().unwrap().per_second(), expected);
        }
        for text in ["", "k", "-1", "0", "1e30", "NaN", "10 apples", "ä"] {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
    }

    #[test]
    fn one_publisher_sends_at_equal_distances_from_the_start() {
        let schedule = constant("4", 0, 1);
        let due: Vec<u128> = (0..5)
            .map(|n| schedule.due(n).unwrap().as_millis())
            .collect();
        assert_eq!(due, [0, 250, 500, 750, 1000]);
    }

    #[test]
    fn publishers_take_turns() {
        let schedules = [0, 1, 2, 3].map(|publisher| constant("8", publisher, 4));
        let first = schedules.map(|schedule| schedule.due(0).unwrap().as_millis());
        let second = schedules.map(|schedule| schedule.due(1).unwrap().as_millis());
        assert_eq!(first, [0, 125, 250, 375]);
        assert_eq!(second, [500, 625, 750, 875]);
    }

    #[test]
    fn an_awkward_rate_does_not_drift() {
        // 7 messages a second do not divide a second; after a week the error is still below a nanosecond.
        let schedule = constant("7", 0, 1);
        let week = 7 * 24 * 3600;
        assert_eq!(schedule.due(7 * week), Some(Duration::from_secs(week)));
        assert_eq!(
            constant("99999", 2, 3).due_before(Duration::from_secs(1000)),
            Some(33_333_000)
        );
    }

    #[test]
    fn a_century_at_the_fastest_rate_does_not_overflow() {
        let century = Duration::from_secs(100 * 365 * 86400);
        let n = constant("1000M", 0, 1).due_before(century).unwrap();
        assert_eq!(constant("1000M", 0, 1).due(n), Some(century));
    }

    #[test]
    fn without_a_rate_nothing_has_a_due_time() {
        assert_eq!(Schedule::new(None, 0, 1).due(5), None);
        assert_eq!(Schedule::new(None, 0, 1).due_before(Duration::MAX), None);
    }

    proptest! {
        #[test]
        fn due_before_counts_exactly_what_is_due(
            per_1000_s in 1u64..5_000_000_000, publishers in 1u32..50, publisher in 0u32..50, n in 0u64..1_000_000,
        ) {
            let publisher = publisher % publishers;
            let schedule = Schedule::new(Some(Rate { per_1000_s }), publisher, publishers);
            let due = schedule.due(n).unwrap();
            prop_assert!(schedule.due(n + 1).unwrap() >= due);
            let before = schedule.due_before(due).unwrap();
            prop_assert!(before <= n);
            prop_assert!(before == 0 || schedule.due(before - 1).unwrap() < due);
            prop_assert!(schedule.due_before(due + Duration::from_nanos(1)).unwrap() > n);
        }

        #[test]
        fn all_publishers_together_make_the_rate(rate in 1u64..2_000_000, publishers in 1u32..100) {
            let sent: u64 = (0..publishers)
                .map(|publisher| {
                    Schedule::new(Some(Rate { per_1000_s: rate * 1000 }), publisher, publishers)
                        .due_before(Duration::from_secs(10))
                        .unwrap()
                })
                .sum();
            prop_assert_eq!(sent, rate * 10);
        }
    }
}
