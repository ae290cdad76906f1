//! The acknowledgements that are owed to the broker, in the order of the messages [MQTT-4.6.0-2].
//!
//! A message is settled when what was to be done with it is done, whatever the order; its acknowledgement goes out when
//! all before it have gone.

use std::collections::VecDeque;

use crate::mqtt::QoS;
use crate::mqtt::packet::Publish;

/// What is owed.
#[derive(Debug, Default)]
pub(super) struct Owed {
    queue: VecDeque<Entry>,
    /// The ticket of the first in the queue.
    first: u64,
}

/// Names a message until it is settled.
pub(super) type Ticket = u64;

#[derive(Debug)]
struct Entry {
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
        self.queue.push_back(Entry {
            qos: message.qos,
            packet_id: message.packet_id,
            is_settled: false,
        });
        Some(self.first + self.queue.len() as u64 - 1)
    }

    /// Whether this is a message that is noted already, sent again after the connection was lost: what is to be done
    /// with it is being done.
    pub(super) fn has(&self, message: &Publish) -> bool {
        message.dup
            && self
                .queue
                .iter()
                .any(|entry| entry.packet_id == message.packet_id && entry.qos == message.qos)
    }

    /// The message has been dealt with. A ticket from before [`Owed::forget`] is passed over.
    pub(super) fn settle(&mut self, ticket: Ticket) {
        let entry = ticket.checked_sub(self.first);
        let entry = entry.and_then(|index| self.queue.get_mut(usize::try_from(index).ok()?));
        if let Some(entry) = entry {
            entry.is_settled = true;
        }
    }

    /// All messages so far have been dealt with.
    pub(super) fn settle_all(&mut self) {
        for entry in &mut self.queue {
            entry.is_settled = true;
        }
    }

    /// The next acknowledgement that may go out.
    pub(super) fn next(&mut self) -> Option<(QoS, u16)> {
        let entry = self.queue.pop_front_if(|entry| entry.is_settled)?;
        self.first += 1;
        Some((entry.qos, entry.packet_id))
    }

    /// The broker has forgotten the session: what it sends from now on are other messages, under any packet identifier.
    pub(super) fn forget(&mut self) {
        self.first += self.queue.len() as u64;
        self.queue.clear();
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
        owed.forget();
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
}
