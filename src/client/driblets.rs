//! When a stream comes in driblets, and how long to let it gather.
//!
//! A broker that writes each packet for itself wakes us for each, and a wake-up, a read and a write cost many times the packet; the
//! wake-up is the broker's to pay. What comes alone is no stream, and is never waited with.

use std::time::Duration;

/// Fewer at once are driblets: far less than one read can bring.
pub(super) const FEW: usize = 64;

/// With so many of our messages under way an answer that comes alone is not the last.
const MANY: usize = 10;

/// For messages. Who sends them has more to do than we can know.
const MESSAGES: Duration = Duration::from_micros(100);

/// For answers, for each message under way: the broker has to read and to answer it, and is not kept waiting.
const ANSWER: Duration = Duration::from_micros(1);

/// For answers, at most: a broker that answers a thousand in a millisecond shall have work all the time.
const ANSWERS: Duration = Duration::from_micros(150);

/// What came since it was last asked for.
#[derive(Debug, Default)]
pub(super) struct Driblets {
    messages: usize,
    answers: usize,
}

impl Driblets {
    /// A message came, or the end of its handshake.
    pub(super) fn message(&mut self) {
        self.messages += 1;
    }

    /// A step came of the handshake of a message of ours.
    pub(super) fn answer(&mut self) {
        self.answers += 1;
    }

    /// How long to let more gather, with so many messages of ours under way; counts anew.
    pub(super) fn rest(&mut self, under_way: usize) -> Option<Duration> {
        let Driblets { messages, answers } = std::mem::take(self);
        let have_all_come = under_way < MANY || answers >= under_way;
        if (1..FEW).contains(&answers) && !have_all_come {
            let count = u32::try_from(under_way).unwrap_or(u32::MAX);
            return Some(ANSWER.saturating_mul(count).min(ANSWERS));
        }
        (2..FEW).contains(&messages).then_some(MESSAGES)
    }
}

/// Lets the thread sleep: the runtime's own wait would end with the next packet.
pub(super) fn sleep(duration: Duration) {
    // Linux may add 50 µs, which is longer than the broker has work. It is said for the thread: each command has one.
    #[cfg(target_os = "linux")]
    {
        static PUNCTUAL: std::sync::Once = std::sync::Once::new();
        PUNCTUAL.call_once(|| {
            let _ = rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1));
        });
    }
    std::thread::sleep(duration);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rest(messages: usize, answers: usize, under_way: usize) -> Option<Duration> {
        let mut driblets = Driblets { messages, answers };
        let rest = driblets.rest(under_way);
        assert_eq!(driblets.rest(under_way), None, "it counts anew");
        rest
    }

    #[test]
    fn messages_that_come_alone_or_in_large_pieces_are_not_waited_with() {
        for messages in [0, 1, 64, 1000] {
            assert_eq!(rest(messages, 0, 0), None);
        }
        for messages in [2, 63] {
            assert_eq!(rest(messages, 0, 0), Some(MESSAGES));
        }
    }

    #[test]
    fn the_more_is_under_way_the_more_answers_may_gather() {
        for (under_way, microseconds) in [(10, 10), (20, 20), (100, 100), (1000, 150)] {
            let expected = Duration::from_micros(microseconds);
            assert_eq!(rest(0, 1, under_way), Some(expected));
        }
    }

    #[test]
    fn the_last_answers_are_not_waited_with() {
        assert_eq!(rest(0, 1, 9), None);
        assert_eq!(rest(0, 3, 0), None);
    }

    #[test]
    fn a_broker_that_answers_many_at_once_is_not_waited_for() {
        assert_eq!(rest(0, 64, 900), None);
        assert_eq!(rest(0, 20, 20), None);
    }
}
