//! The acknowledgements that are owed to the broker, in the order of the messages [MQTT-4.6.0-2].
//!
//! A message is settled when what was to be done with it is done, whatever the order; its acknowledgement goes out when
//! all before it have gone. One whose connection is lost before that is acknowledged when the broker has sent it again on
//! the next: until then it knows of no delivery there, and an acknowledgement would break the protocol.

use std::collections::{BTreeMap, VecDeque};

use crate::mqtt::QoS;
use crate::mqtt::packet::Publish;

/// What is owed.
#[derive(Debug, Default)]
pub(super) struct Owed {
    /// What the broker has sent on the present connection, in that order.
    queue: VecDeque<Entry>,
    /// What it has sent on an earlier one, and has not sent again, by packet identifier.
    earlier: BTreeMap<u16, Entry>,
    next: Ticket,
}

/// Names a message until it is settled.
pub(super) type Ticket = u64;

#[derive(Debug)]
struct Entry {
    ticket: Ticket,
    qos: QoS,
    packet_id: u16,
    is_settled: bool,
}

impl Owed {
    /// Notes a message of QoS 1 or 2. `None` for QoS 0, to which nothing is owed.
    pub(super) fn add(&mut self, message: &Publish) -> Option<Ticket> {
        if message.qos == QoS::AtMostOnce {
            return None;
        }
        // Who gives the identifier to another message has done with the one before, which may have expired.
        self.earlier.remove(&message.packet_id);
        let ticket = self.next;
        self.next += 1;
        self.queue.push_back(Entry {
            ticket,
            qos: message.qos,
            packet_id: message.packet_id,
            is_settled: false,
        });
        Some(ticket)
    }

    /// Whether this is a message that is noted already, sent again after the connection was lost: what is to be done
    /// with it is being done, or has been, and from now on it may be acknowledged.
    pub(super) fn has(&mut self, message: &Publish) -> bool {
        let (qos, packet_id) = (message.qos, message.packet_id);
        if !message.dup {
            return false;
        }
        if let Some(entry) = self.earlier.remove(&packet_id)
            && entry.qos == qos
        {
            self.queue.push_back(entry);
            return true;
        }
        (self.queue.iter()).any(|entry| entry.packet_id == packet_id && entry.qos == qos)
    }

    /// The message has been dealt with. A ticket of which nothing is known any more is passed over.
    pub(super) fn settle(&mut self, ticket: Ticket) {
        // One of the last, when it needs nothing, or one of the first.
        let entry = match self.queue.back_mut() {
            Some(last) if last.ticket == ticket => Some(last),
            _ => {
                let mut all = self.queue.iter_mut().chain(self.earlier.values_mut());
                all.find(|entry| entry.ticket == ticket)
            }
        };
        if let Some(entry) = entry {
            entry.is_settled = true;
        }
    }

    /// All messages so far have been dealt with.
    pub(super) fn settle_all(&mut self) {
        for entry in self.queue.iter_mut().chain(self.earlier.values_mut()) {
            entry.is_settled = true;
        }
    }

    /// The next acknowledgement that may go out.
    pub(super) fn next(&mut self) -> Option<(QoS, u16)> {
        let entry = self.queue.pop_front_if(|entry| entry.is_settled)?;
        Some((entry.qos, entry.packet_id))
    }

    /// There is another connection. A broker that has kept the session sends again what is owed to it. To one that has
    /// forgotten it nothing is: what it sends from now on are other messages, under any packet identifier.
    pub(super) fn reconnected(&mut self, is_resumed: bool) {
        let before = self.queue.drain(..).map(|entry| (entry.packet_id, entry));
        if is_resumed {
            self.earlier.extend(before);
        } else {
            drop(before);
            self.earlier.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mqtt::Properties;
    use proptest::prelude::*;

    fn message(packet_id: u16) -> Publish {
        Publish {
            dup: false,
            qos: QoS::AtLeastOnce,
            retain: false,
            topic: "a".into(),
            packet_id,
            properties: Properties::default(),
            payload: Default::default(),
        }
    }

    proptest! {
        #[test]
        fn acknowledgements_go_out_in_the_order_of_the_messages_however_they_are_settled(
            order in Just((1..40_u16).collect::<Vec<_>>()).prop_shuffle(),
        ) {
            let mut owed = Owed::default();
            let tickets: Vec<Ticket> = (1..40).map(|id| owed.add(&message(id)).unwrap()).collect();
            let mut sent = Vec::new();
            for id in &order {
                owed.settle(tickets[usize::from(*id) - 1]);
                while let Some((_, packet_id)) = owed.next() {
                    sent.push(packet_id);
                }
            }
            prop_assert_eq!(sent, (1..40).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_forgotten_session_settles_nothing_of_the_next_one() {
        let mut owed = Owed::default();
        let old = owed.add(&message(1)).unwrap();
        owed.reconnected(false);
        let new = owed.add(&message(1)).unwrap();
        owed.settle(old);
        assert_eq!(owed.next(), None);
        owed.settle(new);
        assert_eq!(owed.next(), Some((QoS::AtLeastOnce, 1)));
    }

    #[test]
    fn only_what_is_sent_again_is_known() {
        let mut owed = Owed::default();
        owed.add(&message(7)).unwrap();
        let mut again = message(7);
        assert!(!owed.has(&again));
        again.dup = true;
        assert!(owed.has(&again));
        assert_eq!(
            owed.add(&Publish {
                qos: QoS::AtMostOnce,
                ..message(0)
            }),
            None
        );
    }

    #[test]
    fn a_kept_session_is_acknowledged_to_when_it_has_asked_again() {
        let mut owed = Owed::default();
        let tickets: Vec<Ticket> = (1..=3).map(|id| owed.add(&message(id)).unwrap()).collect();
        owed.settle(tickets[0]);
        owed.reconnected(true);
        owed.settle(tickets[2]);
        assert_eq!(owed.next(), None);
        let mut again = message(1);
        again.dup = true;
        assert!(owed.has(&again));
        assert_eq!(owed.next(), Some((QoS::AtLeastOnce, 1)));
        // The second has expired in between, and is not sent again.
        again.packet_id = 3;
        assert!(owed.has(&again));
        assert_eq!(owed.next(), Some((QoS::AtLeastOnce, 3)));
        owed.settle(tickets[1]);
        assert_eq!(owed.next(), None);
    }

    #[test]
    fn a_packet_id_given_anew_is_another_message() {
        let mut owed = Owed::default();
        let old = owed.add(&message(1)).unwrap();
        owed.reconnected(true);
        assert!(!owed.has(&message(1)));
        let new = owed.add(&message(1)).unwrap();
        owed.settle(old);
        assert_eq!(owed.next(), None);
        owed.settle(new);
        assert_eq!(owed.next(), Some((QoS::AtLeastOnce, 1)));
        assert_eq!(owed.next(), None);
    }
}
