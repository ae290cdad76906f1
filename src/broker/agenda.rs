//! What is due when: keep alive checks, session ends and delayed wills of one partition, in one ordered map.
//! Entries are taken out when they are overtaken by events, so a churn of clients leaves nothing behind.

use std::collections::BTreeMap;

use tokio::time::Instant;

/// Names an entry, to take it out again.
pub type Key = (Instant, u64);

/// Something that has to happen to a session at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// Look whether the client has been heard in time (3.1.2.10).
    KeepAlive(u32),
    /// The session expires (3.1.2.11.2).
    SessionEnd(u32),
    /// The will delay interval is over (3.1.3.2.2).
    Will(u32),
}

/// The entries, by time.
#[derive(Debug, Default)]
pub struct Agenda {
    entries: BTreeMap<Key, Due>,
    last: u64,
}

impl Agenda {
    /// Puts something on the agenda.
    pub fn add(&mut self, at: Instant, due: Due) -> Key {
        self.last += 1;
        let key = (at, self.last);
        self.entries.insert(key, due);
        key
    }

    /// Takes an entry out, if there is one.
    pub fn cancel(&mut self, key: &mut Option<Key>) {
        if let Some(key) = key.take() {
            self.entries.remove(&key);
        }
    }

    /// When the next entry is due.
    pub fn next(&self) -> Option<Instant> {
        self.entries.first_key_value().map(|((at, _), _)| *at)
    }

    /// Takes out the earliest entry if its time has come.
    pub fn take_due(&mut self, now: Instant) -> Option<Due> {
        let entry = self.entries.first_entry()?;
        (entry.key().0 <= now).then(|| entry.remove())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn entries_come_in_time_order_and_cancelled_ones_never() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut agenda = Agenda::default();
        agenda.add(at(3), Due::Will(3));
        let mut cancelled = Some(agenda.add(at(1), Due::KeepAlive(1)));
        agenda.add(at(2), Due::SessionEnd(2));
        agenda.cancel(&mut cancelled);
        assert_eq!(cancelled, None);
        assert_eq!(agenda.next(), Some(at(2)));
        assert_eq!(agenda.take_due(at(1)), None);
        assert_eq!(agenda.take_due(at(5)), Some(Due::SessionEnd(2)));
        assert_eq!(agenda.take_due(at(5)), Some(Due::Will(3)));
        assert_eq!(agenda.take_due(at(5)), None);
    }
}
