//! The delivery ledger: which messages of which stream, one publisher's to one topic, reached one subscriber, how often, in what order.
//!
//! Exact and small. Sequence numbers have no holes when they are sent, so a stream that arrives in order is
//! one number, and only what is missing is remembered, as ranges. A stream remembers at most
//! [`REMEMBERED`] ranges; past that the oldest is settled as lost, and a message that turns up from before
//! that point can no longer be told from a duplicate: it is counted as [`Delivery::unclassified`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::mqtt::QoS;

/// How many separate gaps one publisher-to-subscriber stream remembers: at 64 bytes each 64 KiB at most.
const REMEMBERED: usize = 1024;

/// A set of sequence numbers, kept as ranges.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sequences {
    /// First number of a range to the first number behind it. Ranges neither touch nor overlap.
    ranges: BTreeMap<u64, u64>,
}

impl Sequences {
    /// Adds `from..to`, all of which must be above every number in the set.
    fn append(&mut self, from: u64, to: u64) {
        match self.ranges.last_entry() {
            Some(mut last) if *last.get() == from => {
                last.insert(to);
            }
            _ => {
                self.ranges.insert(from, to);
            }
        }
    }

    /// These ranges, each the first number and the first one behind it.
    ///
    /// # Errors
    /// When they are not ascending and apart.
    pub fn of(ranges: &[(u64, u64)]) -> Result<Sequences, String> {
        let mut behind = None;
        for (from, to) in ranges {
            if from >= to || behind.is_some_and(|behind| *from <= behind) {
                return Err(format!(
                    "{from} to {to} is no range behind the one before it"
                ));
            }
            behind = Some(*to);
        }
        Ok(Sequences {
            ranges: ranges.iter().copied().collect(),
        })
    }

    /// The ranges, ascending: the first number of each and the first one behind it.
    pub fn ranges(&self) -> impl Iterator<Item = (u64, u64)> {
        self.ranges.iter().map(|(&from, &to)| (from, to))
    }

    /// The numbers, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u64> {
        self.ranges.iter().flat_map(|(&start, &end)| start..end)
    }

    /// Adds one number.
    pub fn insert(&mut self, number: u64) {
        let mut from = number;
        let mut to = number + 1;
        if let Some((&start, &end)) = self.ranges.range(..=number).next_back() {
            if number < end {
                return;
            }
            if end == number {
                from = start;
            }
        }
        if let Some(end) = self.ranges.remove(&to) {
            to = end;
        }
        self.ranges.insert(from, to);
    }

    /// Takes one number out; whether it was there.
    pub fn remove(&mut self, number: u64) -> bool {
        let Some((&start, &end)) = self.ranges.range(..=number).next_back() else {
            return false;
        };
        if number >= end {
            return false;
        }
        self.ranges.remove(&start);
        if start < number {
            self.ranges.insert(start, number);
        }
        if number + 1 < end {
            self.ranges.insert(number + 1, end);
        }
        true
    }

    /// Whether the number is in the set.
    pub fn contains(&self, number: u64) -> bool {
        self.ranges
            .range(..=number)
            .next_back()
            .is_some_and(|(_, &end)| number < end)
    }

    /// How many numbers are in the set.
    pub fn count(&self) -> u64 {
        self.ranges.iter().map(|(start, end)| end - start).sum()
    }

    /// How many numbers are below `limit`.
    fn count_below(&self, limit: u64) -> u64 {
        self.ranges
            .range(..limit)
            .map(|(start, &end)| end.min(limit) - start)
            .sum()
    }

    /// How many numbers are in both sets.
    fn count_common(&self, other: &Sequences) -> u64 {
        // For every range of ours, the ranges of the other that can reach into it.
        let overlap = |(&start, &end): (&u64, &u64)| -> u64 {
            let first = other.ranges.range(..=start).next_back();
            let rest = other.ranges.range(start + 1..end.max(start + 1));
            first
                .into_iter()
                .chain(rest)
                .map(|(&from, &to)| to.min(end).saturating_sub(from.max(start)))
                .sum()
        };
        self.ranges.iter().map(overlap).sum()
    }
}

/// What was sent in one stream, as far as the ledger needs it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sent {
    /// Messages 0 to `count` - 1 were sent.
    pub count: u64,
    /// Their quality of service.
    pub qos: QoS,
    /// They went to several topics, between which MQTT promises no order.
    pub varies: bool,
    /// Those of them the broker did not acknowledge, or refused. At QoS 0 it acknowledges none, and this is empty.
    pub unacknowledged: Sequences,
}

/// What became of the messages, counted in deliveries: a message to three subscribers is three.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Messages sent times their subscribers.
    pub expected: u64,
    /// Of those, arrived at least once.
    pub received: u64,
    /// Acknowledged by the broker, never arrived. A fault of the broker.
    pub lost_acknowledged: u64,
    /// Never acknowledged (or refused, or QoS 0 on one of its two ways), never arrived. Nothing was promised.
    pub lost_unacknowledged: u64,
    /// Never arrived because the subscriber's connection had been lost.
    pub lost_disconnected: u64,
    /// Arrived again.
    pub duplicates: u64,
    /// Of those, at QoS 2 on both ways, which promises that it does not happen.
    pub duplicates_at_qos_2: u64,
    /// Of the duplicates, those the broker had marked as such (DUP).
    #[serde(default)]
    pub duplicates_marked: u64,
    /// Arrived with other bytes behind the header than were sent.
    #[serde(default)]
    pub corrupted: u64,
    /// Arrived under another topic than they were published to.
    #[serde(default)]
    pub misaddressed: u64,
    /// Arrived after a later message of the same publisher.
    pub reordered: u64,
    /// Arrived, but no subscription of this client asked for it.
    pub unexpected: u64,
    /// Arrived so late, after so many gaps, that late and duplicate cannot be told apart.
    pub unclassified: u64,
    /// Payloads that are not of this run.
    pub foreign: u64,
}

impl Delivery {
    /// Adds what another ledger found.
    pub fn merge(&mut self, other: &Delivery) {
        self.expected += other.expected;
        self.received += other.received;
        self.lost_acknowledged += other.lost_acknowledged;
        self.lost_unacknowledged += other.lost_unacknowledged;
        self.lost_disconnected += other.lost_disconnected;
        self.duplicates += other.duplicates;
        self.duplicates_at_qos_2 += other.duplicates_at_qos_2;
        self.duplicates_marked += other.duplicates_marked;
        self.corrupted += other.corrupted;
        self.misaddressed += other.misaddressed;
        self.reordered += other.reordered;
        self.unexpected += other.unexpected;
        self.unclassified += other.unclassified;
        self.foreign += other.foreign;
    }

    /// Everything that never arrived.
    pub fn lost(&self) -> u64 {
        self.lost_acknowledged + self.lost_unacknowledged + self.lost_disconnected
    }
}

/// What one subscriber received.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    /// The streams this subscriber asked for, by their numbers.
    streams: Vec<(u32, Stream)>,
    unexpected: u64,
    foreign: u64,
    duplicates_marked: u64,
    corrupted: u64,
    misaddressed: u64,
}

impl Ledger {
    /// The ledger of a subscriber to these streams, in ascending order.
    pub fn new(streams: impl IntoIterator<Item = u32>) -> Ledger {
        let mut streams: Vec<(u32, Stream)> = streams
            .into_iter()
            .map(|stream| (stream, Stream::default()))
            .collect();
        streams.shrink_to_fit();
        Ledger {
            streams,
            unexpected: 0,
            foreign: 0,
            duplicates_marked: 0,
            corrupted: 0,
            misaddressed: 0,
        }
    }

    /// Enters a message, which the broker had `marked` as sent before (DUP) or not; whether it is the first copy of one
    /// that was asked for.
    pub fn enter(&mut self, stream: u32, sequence: u64, marked: bool) -> bool {
        let place = self
            .streams
            .binary_search_by_key(&stream, |(number, _)| *number);
        let Ok(place) = place else {
            self.unexpected += 1;
            return false;
        };
        let stream = &mut self.streams[place].1;
        let before = stream.duplicates;
        let first = stream.enter(sequence);
        if marked {
            self.duplicates_marked += stream.duplicates - before;
        }
        first
    }

    /// Enters that the message just entered had other bytes than were sent.
    pub fn enter_corrupted(&mut self) {
        self.corrupted += 1;
    }

    /// Enters that the message now entered came under another topic than it was published to.
    pub fn enter_misaddressed(&mut self) {
        self.misaddressed += 1;
    }

    /// Enters a message that is not of this run.
    pub fn enter_foreign(&mut self) {
        self.foreign += 1;
    }

    /// Closes the books: what was sent (by the stream's number) against what arrived. `granted` is the most the broker
    /// granted this subscriber, `connected` says whether it was there to the end.
    pub fn settle(&self, sent: &[Sent], granted: QoS, connected: bool) -> Delivery {
        let mut delivery = Delivery {
            unexpected: self.unexpected,
            foreign: self.foreign,
            duplicates_marked: self.duplicates_marked,
            corrupted: self.corrupted,
            misaddressed: self.misaddressed,
            ..Delivery::default()
        };
        for (number, stream) in &self.streams {
            let sent = &sent[*number as usize];
            let qos = sent.qos.min(granted);
            let lost = sent.count.saturating_sub(stream.received);
            let missing = stream.missing_of(sent.count);
            let unacknowledged = if qos > QoS::AtMostOnce {
                // Of what is no longer remembered, as much as possible is taken for unacknowledged: the
                // broker is not accused on a guess.
                let forgotten = lost - missing.count();
                let doubtful = sent.unacknowledged.count_below(stream.settled);
                missing.count_common(&sent.unacknowledged) + forgotten.min(doubtful)
            } else {
                lost
            };
            delivery.expected += sent.count;
            delivery.received += stream.received;
            delivery.duplicates += stream.duplicates;
            if qos == QoS::ExactlyOnce {
                delivery.duplicates_at_qos_2 += stream.duplicates;
            }
            if !sent.varies {
                delivery.reordered += stream.reordered;
            }
            delivery.unclassified += stream.unclassified;
            if connected {
                delivery.lost_unacknowledged += unacknowledged;
                delivery.lost_acknowledged += lost - unacknowledged;
            } else {
                delivery.lost_disconnected += lost;
            }
        }
        delivery
    }
}

/// What arrived of one stream.
#[derive(Debug, Clone, Default)]
struct Stream {
    /// One more than the highest sequence number that arrived.
    next: u64,
    /// Below this nothing is remembered any more.
    settled: u64,
    /// What has not arrived between `settled` and `next`. Boxed: most streams never need it.
    missing: Option<Box<Sequences>>,
    received: u64,
    duplicates: u64,
    reordered: u64,
    unclassified: u64,
}

impl Stream {
    fn enter(&mut self, sequence: u64) -> bool {
        if sequence == self.next {
            self.next += 1;
            self.received += 1;
            return true;
        }
        if sequence > self.next {
            self.skip_to(sequence);
            self.next = sequence + 1;
            self.received += 1;
            return true;
        }
        if sequence < self.settled {
            self.unclassified += 1;
            return false;
        }
        let late = self
            .missing
            .as_mut()
            .is_some_and(|missing| missing.remove(sequence));
        if late {
            self.reordered += 1;
            self.received += 1;
            self.forget_oldest();
        } else {
            self.duplicates += 1;
        }
        late
    }

    fn skip_to(&mut self, sequence: u64) {
        self.missing
            .get_or_insert_default()
            .append(self.next, sequence);
        self.forget_oldest();
    }

    fn forget_oldest(&mut self) {
        let Some(missing) = &mut self.missing else {
            return;
        };
        if missing.ranges.len() > REMEMBERED
            && let Some((_, end)) = missing.ranges.pop_first()
        {
            self.settled = end;
        }
    }

    /// What of messages 0 to `count` - 1 is still remembered as missing.
    fn missing_of(&self, count: u64) -> Sequences {
        let mut missing = self.missing.as_deref().cloned().unwrap_or_default();
        if self.next < count {
            missing.append(self.next, count);
        }
        missing
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    const QOS_1: QoS = QoS::AtLeastOnce;

    fn all(count: u64) -> Vec<Sent> {
        vec![Sent {
            count,
            qos: QOS_1,
            varies: false,
            unacknowledged: Sequences::default(),
        }]
    }

    fn ledger_of(arrivals: impl IntoIterator<Item = u64>) -> Ledger {
        let mut ledger = Ledger::new([0]);
        for sequence in arrivals {
            ledger.enter(0, sequence, false);
        }
        ledger
    }

    #[test]
    fn messages_in_order_are_all_there_is_to_say() {
        let delivery = ledger_of(0..1000).settle(&all(1000), QOS_1, true);
        assert_eq!(
            delivery,
            Delivery {
                expected: 1000,
                received: 1000,
                ..Delivery::default()
            }
        );
    }

    #[test]
    fn what_never_came_is_split_by_what_the_broker_had_acknowledged() {
        let mut sent = all(10);
        for sequence in [3, 8, 9] {
            sent[0].unacknowledged.insert(sequence); // 8 arrived all the same
        }
        let delivery = ledger_of([0, 1, 4, 5, 6, 8]).settle(&sent, QOS_1, true);
        assert_eq!(delivery.lost_unacknowledged, 2, "3 and 9");
        assert_eq!(delivery.lost_acknowledged, 2, "2 and 7");
        let at_qos_0 = ledger_of([0, 1, 4, 5, 6, 8]).settle(&sent, QoS::AtMostOnce, true);
        assert_eq!(
            (at_qos_0.lost_unacknowledged, at_qos_0.lost_acknowledged),
            (4, 0)
        );
        let cut_off = ledger_of([0, 1]).settle(&sent, QOS_1, false);
        assert_eq!((cut_off.lost_disconnected, cut_off.lost()), (8, 8));
    }

    #[test]
    fn a_late_message_is_reordered_and_a_second_copy_is_a_duplicate() {
        let delivery = ledger_of([0, 2, 1, 1, 3, 3, 0]).settle(&all(4), QOS_1, true);
        assert_eq!(
            delivery,
            Delivery {
                expected: 4,
                received: 4,
                reordered: 1,
                duplicates: 3,
                ..Delivery::default()
            }
        );
    }

    #[test]
    fn a_second_copy_may_be_marked_as_such() {
        let mut ledger = ledger_of([0, 1]);
        assert!(!ledger.enter(0, 1, true));
        assert!(
            ledger.enter(0, 2, true),
            "its first copy was lost on the way"
        );
        ledger.enter_corrupted();
        let delivery = ledger.settle(&all(3), QOS_1, true);
        assert_eq!((delivery.duplicates, delivery.duplicates_marked), (1, 1));
        assert_eq!((delivery.received, delivery.corrupted), (3, 1));
    }

    #[test]
    fn publishers_are_kept_apart() {
        let mut ledger = Ledger::new([1, 5]);
        for sequence in 0..10 {
            assert!(ledger.enter(1, sequence, false));
            assert!(sequence == 4 || ledger.enter(5, sequence, false));
        }
        assert!(!ledger.enter(2, 0, false), "nobody asked for publisher 2");
        ledger.enter_foreign();
        let sent = vec![all(10)[0].clone(); 6];
        assert_eq!(
            ledger.settle(&sent, QOS_1, true),
            Delivery {
                expected: 20,
                received: 19,
                lost_acknowledged: 1,
                unexpected: 1,
                foreign: 1,
                ..Delivery::default()
            }
        );
    }

    #[test]
    fn memory_stays_bounded_when_every_other_message_is_lost() {
        let count = 100_000;
        let ledger = ledger_of((0..count).filter(|sequence| sequence % 2 == 0));
        let ranges = &ledger.streams[0].1.missing.as_ref().unwrap().ranges;
        assert_eq!(ranges.len(), REMEMBERED);
        assert_eq!(
            ledger.settle(&all(count), QOS_1, true).lost_acknowledged,
            50_000
        );
    }

    #[test]
    fn a_message_from_before_everything_remembered_is_not_guessed_about() {
        let mut ledger = ledger_of((0..10_000).filter(|sequence| sequence % 2 == 0));
        assert!(!ledger.enter(0, 1, false));
        assert_eq!(ledger.settle(&all(10_000), QOS_1, true).unclassified, 1);
    }

    #[test]
    fn refusals_that_are_no_longer_remembered_are_not_held_against_the_broker() {
        let mut sent = all(100_000);
        let mut ledger = Ledger::new([0]);
        for sequence in 0..100_000 {
            match sequence % 2 {
                0 => drop(ledger.enter(0, sequence, false)),
                _ => sent[0].unacknowledged.insert(sequence),
            }
        }
        let delivery = ledger.settle(&sent, QOS_1, true);
        assert_eq!(
            (delivery.lost_unacknowledged, delivery.lost_acknowledged),
            (50_000, 0)
        );
    }

    proptest! {
        /// Against the obvious model: remember everything.
        #[test]
        fn the_ledger_agrees_with_remembering_everything(
            arrivals in proptest::collection::vec(0u64..60, 0..200), unacknowledged in proptest::collection::btree_set(0u64..60, 0..20),
        ) {
            let (mut seen, mut highest, mut duplicates, mut reordered) = (BTreeSet::new(), None, 0, 0);
            for &sequence in &arrivals {
                if !seen.insert(sequence) {
                    duplicates += 1;
                } else if highest.is_some_and(|highest| sequence < highest) {
                    reordered += 1;
                }
                highest = highest.max(Some(sequence));
            }
            let mut sent = all(60);
            for &sequence in &unacknowledged {
                sent[0].unacknowledged.insert(sequence);
            }
            let lost = |acknowledged: bool| {
                (0..60).filter(|sequence| !seen.contains(sequence) && unacknowledged.contains(sequence) != acknowledged).count() as u64
            };
            prop_assert_eq!(ledger_of(arrivals.clone()).settle(&sent, QOS_1, true), Delivery {
                expected: 60,
                received: seen.len() as u64,
                lost_acknowledged: lost(true),
                lost_unacknowledged: lost(false),
                duplicates,
                reordered,
                ..Delivery::default()
            });
        }

        #[test]
        fn a_set_of_sequences_is_a_set(steps in proptest::collection::vec((any::<bool>(), 0u64..40), 0..100)) {
            let (mut set, mut model) = (Sequences::default(), BTreeSet::new());
            for (insert, number) in steps {
                if insert {
                    set.insert(number);
                    model.insert(number);
                } else {
                    prop_assert_eq!(set.remove(number), model.remove(&number));
                }
            }
            prop_assert_eq!(set.count(), model.len() as u64);
            prop_assert_eq!(set.count_below(20), model.range(..20).count() as u64);
            prop_assert!((0..40).all(|number| set.contains(number) == model.contains(&number)));
        }
    }
}
