//! When a connection has to say something to stay alive (3.1.2.10), and when the broker has been silent for too long.
//! Values in, a decision out; the timer and the socket are the connection's.

use std::time::{Duration, Instant};

use crate::bench::role::Fault;

/// What was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Heard {
    Nothing,
    Something,
    /// A PINGRESP.
    Answer,
}

/// What both sides have said since the keep alive time last ran out.
pub(super) struct KeepAlive {
    limit: Duration,
    /// When something was last written.
    wrote: Instant,
    /// When a PINGREQ was written that has had no answer yet.
    asked: Option<Instant>,
    /// Whether anything came.
    heard: bool,
}

impl KeepAlive {
    /// CONNECT was written just before `now`.
    pub(super) fn new(limit: Duration, now: Instant) -> KeepAlive {
        KeepAlive {
            limit,
            wrote: now,
            asked: None,
            heard: false,
        }
    }

    /// Something was read, or nothing.
    pub(super) fn heard(&mut self, heard: Heard) {
        self.heard |= heard != Heard::Nothing;
        if heard == Heard::Answer {
            self.asked = None;
        }
    }

    /// Something was written.
    pub(super) fn wrote(&mut self, now: Instant) {
        self.wrote = now;
    }

    /// The time has run out: whether a PINGREQ is to be written now. `listens` says whether all is read that comes.
    ///
    /// # Errors
    /// When the last PINGREQ has had no answer for as long as the keep alive time.
    pub(super) fn ran_out(&mut self, now: Instant, listens: bool) -> Result<bool, Fault> {
        // Who does not read cannot complain of silence.
        self.asked = self.asked.filter(|_| listens);
        if self.asked.is_some_and(|asked| now - asked >= self.limit) {
            return Err(Fault::Silent);
        }
        // Who only sends must ask as well: a broker that is gone takes no notice.
        let asks = now - self.wrote >= self.limit || !std::mem::take(&mut self.heard);
        if asks {
            self.wrote = now;
            self.asked.get_or_insert(now);
        }
        Ok(asks)
    }

    /// When the time runs out next.
    pub(super) fn next(&self, now: Instant) -> Instant {
        now + self.limit.saturating_sub(now - self.wrote)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    #[test]
    fn who_says_nothing_asks_and_who_is_answered_asks_again() {
        let start = Instant::now();
        let mut life = KeepAlive::new(LIMIT, start);
        for turn in 1..4 {
            let now = start + turn * LIMIT;
            assert_eq!(life.next(now - LIMIT), now);
            assert_eq!(life.ran_out(now, true), Ok(true));
            life.heard(Heard::Answer);
        }
    }

    #[test]
    fn who_sends_and_is_answered_need_not_ask() {
        let start = Instant::now();
        let mut life = KeepAlive::new(LIMIT, start);
        life.wrote(start + LIMIT / 2);
        life.heard(Heard::Something);
        assert_eq!(life.ran_out(start + LIMIT, true), Ok(false));
        assert_eq!(life.next(start + LIMIT), start + LIMIT * 3 / 2);
    }

    #[test]
    fn who_sends_and_hears_nothing_asks_too_and_ends_when_there_is_no_answer() {
        let start = Instant::now();
        let mut life = KeepAlive::new(LIMIT, start);
        life.wrote(start + LIMIT / 2);
        assert_eq!(life.ran_out(start + LIMIT, true), Ok(true));
        // Acknowledgements from before, but no PINGRESP.
        life.heard(Heard::Something);
        assert_eq!(life.ran_out(start + LIMIT * 2, true), Err(Fault::Silent));
    }

    #[test]
    fn who_does_not_read_does_not_take_silence_for_an_end() {
        let start = Instant::now();
        let mut life = KeepAlive::new(LIMIT, start);
        for turn in 1..4 {
            assert_eq!(life.ran_out(start + turn * LIMIT, false), Ok(true));
        }
    }
}
