//! How long to wait before the next attempt, and when to give up. Pure: chance and time are handed in.

use std::time::Duration;

/// The first delay, before jitter; each further one doubles.
const FIRST: Duration = Duration::from_millis(500);
/// The longest delay, before jitter.
const LONGEST: Duration = Duration::from_secs(30);
/// A connection that lived this long was a good one: the next loss starts with [`FIRST`] again.
pub(super) const GOOD: Duration = Duration::from_secs(10);

/// What to do when a connection that once stood is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Give up at once.
    Never,
    /// Give up after this many attempts without success in between.
    Attempts(u32),
    /// Go on until the program is stopped.
    Forever,
}

impl Retry {
    /// The delay before attempt number `attempt` (from 0), or `None` to give up. `chance` is between 0 and 1: of many
    /// clients that lost the same broker not all shall come back in the same moment.
    pub(super) fn delay(self, attempt: u32, chance: f64) -> Option<Duration> {
        let most = match self {
            Retry::Never => 0,
            Retry::Attempts(most) => most,
            Retry::Forever => u32::MAX,
        };
        let grown = FIRST.saturating_mul(1_u32.checked_shl(attempt.min(31)).unwrap_or(u32::MAX));
        (attempt < most).then(|| grown.min(LONGEST).mul_f64(0.5 + chance / 2.0))
    }
}

/// A number from 0 up to 1, different each time.
pub(super) fn chance() -> f64 {
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
            .map(|attempt| Retry::Forever.delay(attempt, 1.0).unwrap().as_millis())
            .collect();
        assert_eq!(
            delays,
            [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]
        );
        assert!(Retry::Forever.delay(4_000_000_000, 0.0).is_some());
    }

    #[test]
    fn jitter_takes_away_up_to_half() {
        assert_eq!(
            Retry::Forever.delay(1, 0.0),
            Some(Duration::from_millis(500))
        );
        assert_eq!(
            Retry::Forever.delay(1, 0.5),
            Some(Duration::from_millis(750))
        );
    }

    #[test]
    fn giving_up_is_counted() {
        assert_eq!(Retry::Never.delay(0, 0.0), None);
        assert!(Retry::Attempts(2).delay(1, 0.0).is_some());
        assert_eq!(Retry::Attempts(2).delay(2, 0.0), None);
    }

    #[test]
    fn chance_is_a_fraction() {
        for _ in 0..100 {
            assert!((0.0..1.0).contains(&chance()));
        }
    }
}
