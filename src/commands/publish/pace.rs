//! When the next message of a paced stream is due. Pure: the time is handed in.

use std::time::Duration;

use tokio::time::Instant;

use crate::bench::plan::pace::Rate;

/// How much of the time lost while nothing could be sent is made up for. Timers tick in milliseconds, so that a fast
/// stream needs some of it to keep its rate; a burst after a lost connection is not what was asked for.
const CATCH_UP: Duration = Duration::from_millis(50);

/// An even stream of messages.
pub(super) struct Pace {
    interval: Duration,
    next: Option<Instant>,
}

impl Pace {
    pub(super) fn new(rate: Rate) -> Pace {
        Pace {
            interval: Duration::from_secs_f64(1.0 / rate.per_second()),
            next: None,
        }
    }

    /// When the next message is due: at once for the first, then one interval after the one before it.
    pub(super) fn next(&mut self, now: Instant) -> Instant {
        let due = match self.next {
            None => now,
            Some(next) => next.max(now.checked_sub(CATCH_UP).unwrap_or(now)),
        };
        self.next = Some(due + self.interval);
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_due_at_even_intervals_however_late_the_ones_before_were() {
        let start = Instant::now();
        let mut pace = Pace::new("100".parse().unwrap());
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        assert_eq!(pace.next(start), start);
        assert_eq!(pace.next(at(1)), at(10));
        assert_eq!(pace.next(at(25)), at(20));
        assert_eq!(pace.next(at(25)), at(30));
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_each_message_sends_an_even_stream() {
        let start = Instant::now();
        let mut pace = Pace::new("0.5".parse().unwrap());
        let mut sent = Vec::new();
        for _ in 0..4 {
            tokio::time::sleep_until(pace.next(Instant::now())).await;
            sent.push(start.elapsed().as_secs());
        }
        assert_eq!(sent, [0, 2, 4, 6]);
    }

    #[test]
    fn a_long_standstill_is_not_made_up_for() {
        let start = Instant::now();
        let mut pace = Pace::new("100".parse().unwrap());
        pace.next(start);
        let later = start + Duration::from_secs(60);
        let burst = (0..100).take_while(|_| pace.next(later) <= later).count();
        assert_eq!(burst, 6);
    }
}
