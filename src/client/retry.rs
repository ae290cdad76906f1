//! How long to wait before the next attempt, and when to give up. Pure: chance and time are handed in.

use std::time::Duration;

/// The longest delay, before jitter.
pub(super) const LONGEST: Duration = Duration::from_secs(30);
/// A connection that lived this long was a good one: the next loss starts with the first delay again.
pub(super) const GOOD: Duration = Duration::from_secs(10);

/// What to do when a connection that once stood is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// The attempts without success after which to give up.
    pub attempts: u32,
    /// The first delay, before jitter; each further one doubles.
    pub first: Duration,
    /// The longest delay, before jitter.
    pub longest: Duration,
}

impl Retry {
    /// Give up at once.
    pub const NEVER: Retry = Retry::attempts(0);

    /// Go on until the program is stopped.
    pub const FOREVER: Retry = Retry::attempts(u32::MAX);

    /// Go on, about once a second.
    pub const EVERY_SECOND: Retry = Retry {
        attempts: u32::MAX,
        first: Duration::from_secs(1),
        longest: Duration::from_secs(1),
    };

    /// Give up after so many attempts without success.
    pub const fn attempts(attempts: u32) -> Retry {
        Retry {
            attempts,
            first: Duration::from_millis(500),
            longest: LONGEST,
        }
    }

    /// The delay before attempt number `attempt` (from 0), or `None` to give up. `chance` is between 0 and 1: of many
    /// clients that lost the same broker not all shall come back in the same moment.
    pub fn delay(self, attempt: u32, chance: f64) -> Option<Duration> {
        let grown = self.first.saturating_mul(1 << attempt.min(20));
        (attempt < self.attempts).then(|| grown.min(self.longest).mul_f64(0.5 + chance / 2.0))
    }
}

/// A number from 0 up to 1, different each time.
pub fn chance() -> f64 {
    use std::hash::{BuildHasher, RandomState};
    // 53 bits are what a double keeps exactly.
    (RandomState::new().hash_one(0) >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_half_a_minute() {
        let delays: Vec<u128> = (0..9)
            .map(|attempt| Retry::FOREVER.delay(attempt, 1.0).unwrap().as_millis())
            .collect();
        assert_eq!(
            delays,
            [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]
        );
        assert!(Retry::FOREVER.delay(4_000_000_000, 0.0).is_some());
    }

    #[test]
    fn jitter_takes_away_up_to_half() {
        assert_eq!(
            Retry::FOREVER.delay(1, 0.0),
            Some(Duration::from_millis(500))
        );
        assert_eq!(
            Retry::FOREVER.delay(1, 0.5),
            Some(Duration::from_millis(750))
        );
    }

    #[test]
    fn giving_up_is_counted() {
        assert_eq!(Retry::NEVER.delay(0, 0.0), None);
        assert!(Retry::attempts(2).delay(1, 0.0).is_some());
        assert_eq!(Retry::attempts(2).delay(2, 0.0), None);
    }

    #[test]
    fn chance_is_a_fraction() {
        for _ in 0..100 {
            assert!((0.0..1.0).contains(&chance()));
        }
    }
}
