//! Shared subscriptions (4.8.2 of MQTT 5): one ledger for all members of a group, because each message is due to one of
//! them, whichever. What a member alone can tell, the order of what came to it, it tells itself.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::ledger::{Delivery, Ledger, Sent};
use crate::bench::plan::{self, Plan};
use crate::mqtt::QoS;

/// The ledger of one shared subscription.
#[derive(Debug, Default)]
pub struct SharedLedger(Mutex<Ledger>);

/// One member's view of it.
#[derive(Debug)]
pub struct Membership {
    ledger: Arc<SharedLedger>,
    /// For each stream one more than the highest number this member received.
    next: HashMap<u32, u64>,
    reordered: u64,
}

impl SharedLedger {
    /// For each subscriber the ledger it shares with others, if its subscription is a shared one.
    pub(in crate::bench) fn of(
        plan: &Plan,
        audience: &[Vec<u32>],
    ) -> Vec<Option<Arc<SharedLedger>>> {
        let mut known: HashMap<String, Arc<SharedLedger>> = HashMap::new();
        let share = |subscriber: u32| {
            let filter = plan.filter_of(subscriber);
            plan::shared(&filter)?;
            let streams = || audience[subscriber as usize].iter().copied();
            let ledger = known
                .entry(filter)
                .or_insert_with(|| Arc::new(SharedLedger::new(streams())));
            Some(Arc::clone(ledger))
        };
        (0..plan.subscribers()).map(share).collect()
    }

    /// Of these streams, ascending.
    pub fn new(streams: impl IntoIterator<Item = u32>) -> SharedLedger {
        SharedLedger(Mutex::new(Ledger::new(streams)))
    }

    /// Closes the books of the group, see [`Ledger::settle`]; order is each member's own affair.
    pub fn settle(&self, sent: &[Sent], granted: QoS, connected: bool) -> Delivery {
        Delivery {
            reordered: 0,
            ..self.ledger().settle(sent, granted, connected)
        }
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Membership {
    /// Of one more member.
    pub fn new(ledger: Arc<SharedLedger>) -> Membership {
        Membership {
            ledger,
            next: HashMap::new(),
            reordered: 0,
        }
    }

    /// Enters a message, which the broker had `marked` as sent before (DUP) or not; whether it is the first copy in the
    /// group.
    pub fn enter(&mut self, stream: u32, sequence: u64, marked: bool) -> bool {
        let first = self.ledger.ledger().enter(stream, sequence, marked);
        let next = self.next.entry(stream).or_default();
        // A second copy is none of the order's business.
        self.reordered += u64::from(first && sequence < *next);
        *next = (*next).max(sequence + 1);
        first
    }

    /// Enters that the message now entered has other bytes than were sent.
    pub fn enter_corrupted(&self) {
        self.ledger.ledger().enter_corrupted();
    }

    /// Enters that the message now entered came under another topic than it was published to.
    pub fn enter_misaddressed(&self) {
        self.ledger.ledger().enter_misaddressed();
    }

    /// Enters a message that is not of this run.
    pub fn enter_foreign(&self) {
        self.ledger.ledger().enter_foreign();
    }

    /// What this member alone can tell.
    pub fn settle(&self) -> Delivery {
        Delivery {
            reordered: self.reordered,
            ..Delivery::default()
        }
    }
}

/// How a shared subscription spread its messages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Share {
    /// The whole filter, `$share/GROUP/FILTER`.
    pub filter: String,
    /// How many messages each member received.
    pub members: Vec<u64>,
    /// Jain's index of fairness: 1 when all received equally many, 1 / members when one received all.
    pub fairness: f64,
}

impl Share {
    /// Of what the members received.
    pub fn new(filter: String, members: Vec<u64>) -> Share {
        Share {
            fairness: fairness(&members),
            filter,
            members,
        }
    }

    /// Whether it is the same subscription of another run.
    pub(in crate::bench) fn is_like(&self, other: &Share) -> bool {
        self.filter == other.filter && self.members.len() == other.members.len()
    }

    /// Adds what the same members received in another run.
    pub(in crate::bench) fn add(&mut self, other: &Share) {
        for (ours, theirs) in self.members.iter_mut().zip(&other.members) {
            *ours += theirs;
        }
        self.fairness = fairness(&self.members);
    }
}

/// The square of the sum over count times the sum of squares.
fn fairness(members: &[u64]) -> f64 {
    let sum: f64 = members.iter().map(|count| *count as f64).sum();
    let squares: f64 = members.iter().map(|count| (*count as f64).powi(2)).sum();
    match squares {
        0.0 => 1.0,
        squares => sum * sum / (members.len() as f64 * squares),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fairness_is_one_when_all_get_the_same_and_falls_to_one_of_many() {
        assert_eq!(fairness(&[5, 5, 5, 5]), 1.0);
        assert_eq!(fairness(&[20, 0, 0, 0]), 0.25);
        assert_eq!(fairness(&[0, 0]), 1.0);
        assert!((fairness(&[1, 2, 3]) - 36.0 / 42.0).abs() < 1e-12);
    }

    #[test]
    fn the_group_misses_what_no_member_got_and_each_member_sees_its_own_order() {
        let ledger = Arc::new(SharedLedger::new([0]));
        let [mut one, mut other] = [0, 1].map(|_| Membership::new(Arc::clone(&ledger)));
        // Message 4 is lost, 2 comes to both, and 1 comes after 3 to the same member.
        for sequence in [0, 3, 1] {
            assert!(one.enter(0, sequence, false));
        }
        assert!(other.enter(0, 2, true));
        assert!(!one.enter(0, 2, true), "a second copy");
        one.enter_corrupted();
        let sent = [Sent {
            count: 5,
            qos: QoS::AtLeastOnce,
            ..Sent::default()
        }];
        let mut delivery = ledger.settle(&sent, QoS::AtLeastOnce, true);
        delivery.merge(&one.settle());
        delivery.merge(&other.settle());
        assert_eq!(
            delivery,
            Delivery {
                expected: 5,
                received: 4,
                lost_acknowledged: 1,
                duplicates: 1,
                duplicates_marked: 1,
                corrupted: 1,
                reordered: 1,
                ..Delivery::default()
            }
        );
    }
}
