//! The in-flight window of one session: QoS 1 and 2 publishes sent to the client and not yet acknowledged, in the
//! order they were sent (4.3, 4.4, 4.6). Pure bookkeeping; what is written to the wire is the session's business.

use std::collections::VecDeque;
use std::rc::Rc;

use super::message::Message;
use crate::mqtt::QoS;

/// A message on its way to one session.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// What was published.
    pub message: Rc<Message>,
    /// min(published, granted).
    pub qos: QoS,
    /// The retain flag this subscriber is to see.
    pub retain: bool,
    /// Identifiers of the matching subscriptions.
    pub identifiers: Box<[u32]>,
    /// The shared subscription it was given through, if it was.
    pub share: Option<Rc<str>>,
}

/// How far the handshake of an in-flight publish has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// PUBLISH at QoS 1 sent: waits for PUBACK.
    AtLeastOnce,
    /// PUBLISH at QoS 2 sent: waits for PUBREC.
    ExactlyOnce,
    /// PUBREL sent: waits for PUBCOMP.
    Released,
    /// Complete; the entry only keeps its place until those before it are complete.
    Done,
}

/// What the client's answer to a publish is to the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The one that was waited for, or the last one once more.
    Awaited,
    /// Nothing is under way with this identifier, at least not on this connection: an answer that comes late, or for nothing.
    Unknown,
    /// Another one was due: the client does not keep to the handshake (4.3).
    Wrong,
}

/// One publish in flight.
#[derive(Debug)]
pub struct Entry {
    /// Packet identifier.
    pub packet_id: u16,
    /// How far it is.
    pub stage: Stage,
    /// What to send again after a reconnect; none when the session ends with its connection.
    pub delivery: Option<Delivery>,
}

/// The window. Packet identifiers are given out in turn, so an entry's place follows from its identifier.
#[derive(Debug, Default)]
pub struct InFlight {
    entries: VecDeque<Entry>,
    /// Entries of this connection that are not done; what counts against the receive maximum.
    open: usize,
    last_packet_id: u16,
    /// Entries from here on belong to an earlier connection and have not been sent again yet.
    resend_from: Option<usize>,
}

/// No more entries than packet identifiers that can be told apart; a few are left for the search of a free one.
const MOST: usize = 65_000;

impl InFlight {
    /// How many are sent on this connection and not complete.
    pub fn open(&self) -> usize {
        self.open
    }

    /// Whether another publish may be sent under this receive maximum (4.9).
    pub fn has_room(&self, receive_maximum: u16) -> bool {
        self.open < usize::from(receive_maximum) && self.entries.len() < MOST
    }

    /// Whether entries of an earlier connection still have to be sent again.
    pub fn is_resending(&self) -> bool {
        self.resend_from.is_some()
    }

    /// Takes the next free packet identifier (2.2.1) for a publish that is sent now.
    pub fn push(&mut self, qos: QoS, delivery: Option<Delivery>) -> u16 {
        let mut packet_id = self.last_packet_id;
        loop {
            packet_id = packet_id.checked_add(1).unwrap_or(1);
            // At most MOST of 65,535 are in use, so this ends; in practice at the first.
            if self.place(packet_id).is_none() {
                break;
            }
        }
        self.last_packet_id = packet_id;
        let stage = if qos == QoS::ExactlyOnce {
            Stage::ExactlyOnce
        } else {
            Stage::AtLeastOnce
        };
        self.entries.push_back(Entry {
            packet_id,
            stage,
            delivery,
        });
        self.open += 1;
        packet_id
    }

    fn place(&self, packet_id: u16) -> Option<usize> {
        let front = self.entries.front()?.packet_id;
        // Identifiers run 1..=65,535 and wrap, so the distance is modulo 65,535.
        let guess = (usize::from(packet_id) + 65_535 - usize::from(front)) % 65_535;
        if self
            .entries
            .get(guess)
            .is_some_and(|entry| entry.packet_id == packet_id)
        {
            return Some(guess);
        }
        // Only when an identifier in use was skipped is the entry elsewhere, and then behind a longer window.
        if self.is_contiguous() {
            None
        } else {
            self.entries
                .iter()
                .position(|entry| entry.packet_id == packet_id)
        }
    }

    /// Whether no identifier was skipped, so that guesses are exact.
    fn is_contiguous(&self) -> bool {
        match (self.entries.front(), self.entries.back()) {
            (Some(front), Some(back)) => {
                let span =
                    (usize::from(back.packet_id) + 65_535 - usize::from(front.packet_id)) % 65_535;
                span + 1 == self.entries.len()
            }
            _ => true,
        }
    }

    /// A PUBACK, a PUBCOMP, or a PUBREC that reports failure: the publish is complete, if `expected` is where it stands.
    pub fn acknowledged(&mut self, packet_id: u16, expected: Stage) -> Answer {
        let Some(place) = self.place(packet_id) else {
            return Answer::Unknown;
        };
        let stage = self.entries[place].stage;
        if stage == Stage::Done || self.resend_from.is_some_and(|from| place >= from) {
            return Answer::Unknown;
        }
        if stage != expected {
            return Answer::Wrong;
        }
        self.entries[place].stage = Stage::Done;
        self.entries[place].delivery = None;
        self.open -= 1;
        while self
            .entries
            .front()
            .is_some_and(|entry| entry.stage == Stage::Done)
        {
            self.entries.pop_front();
            self.resend_from = self.resend_from.map(|from| from.saturating_sub(1));
        }
        if self.entries.is_empty() {
            // An idle session should not keep the window of its busiest hour.
            self.entries.shrink_to(64);
        }
        Answer::Awaited
    }

    /// A PUBREC: from now on only PUBREL is sent for this identifier, and again for every repeated PUBREC.
    pub fn received(&mut self, packet_id: u16) -> Answer {
        let Some(place) = self.place(packet_id) else {
            return Answer::Unknown;
        };
        match self.entries[place].stage {
            Stage::ExactlyOnce => {
                self.entries[place].stage = Stage::Released;
                self.entries[place].delivery = None;
                Answer::Awaited
            }
            Stage::Released => Answer::Awaited,
            Stage::AtLeastOnce if self.resend_from.is_none_or(|from| place < from) => Answer::Wrong,
            Stage::AtLeastOnce | Stage::Done => Answer::Unknown,
        }
    }

    /// Takes out the deliveries of shared subscriptions whose publish may not have arrived, for another member. A QoS 2
    /// publish is never given to another [MQTT-4.8.2-5].
    pub fn give_back(&mut self) -> impl Iterator<Item = Delivery> {
        self.entries
            .drain(..)
            .filter(|entry| entry.stage == Stage::AtLeastOnce)
            .filter_map(|entry| entry.delivery)
            .filter(|delivery| delivery.share.is_some())
    }

    /// A new connection of the session: everything that is not done has to be sent again, in order [MQTT-4.6.0-1].
    pub fn reconnected(&mut self) {
        self.entries.retain(|entry| entry.stage != Stage::Done);
        self.open = 0;
        self.resend_from = (!self.entries.is_empty()).then_some(0);
    }

    /// The next entry to send again; counts as sent from then on.
    pub fn resend(&mut self) -> Option<&Entry> {
        let place = self.resend_from?;
        self.resend_from = (place + 1 < self.entries.len()).then_some(place + 1);
        self.open += 1;
        self.entries.get(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acknowledgements_free_the_window_in_any_order() {
        let mut window = InFlight::default();
        let ids: Vec<u16> = (0..4)
            .map(|_| window.push(QoS::AtLeastOnce, None))
            .collect();
        assert_eq!(ids, [1, 2, 3, 4]);
        assert!(!window.has_room(4));
        for id in [3, 1, 4, 2] {
            assert_eq!(window.acknowledged(id, Stage::AtLeastOnce), Answer::Awaited);
            let twice = window.acknowledged(id, Stage::AtLeastOnce);
            assert_eq!(twice, Answer::Unknown, "{id} twice");
        }
        assert_eq!((window.open, window.entries.len()), (0, 0));
    }

    #[test]
    fn identifiers_wrap_and_skip_those_in_use() {
        let mut window = InFlight::default();
        assert_eq!(window.push(QoS::ExactlyOnce, None), 1);
        for expected in 2..=65_535u16 {
            assert_eq!(window.push(QoS::AtLeastOnce, None), expected);
            let answer = window.acknowledged(expected, Stage::AtLeastOnce);
            assert_eq!(answer, Answer::Awaited);
            if expected % 1000 == 0 {
                window.entries.retain(|entry| entry.stage != Stage::Done);
            }
        }
        window.entries.retain(|entry| entry.stage != Stage::Done);
        assert_eq!(window.push(QoS::AtLeastOnce, None), 2, "1 is still in use");
        assert_eq!(window.received(1), Answer::Awaited);
        assert_eq!(window.acknowledged(1, Stage::Released), Answer::Awaited);
        assert_eq!(window.acknowledged(2, Stage::AtLeastOnce), Answer::Awaited);
    }

    #[test]
    fn exactly_once_takes_two_steps_and_the_wrong_packet_is_refused() {
        let mut window = InFlight::default();
        let id = window.push(QoS::ExactlyOnce, None);
        assert_eq!(window.acknowledged(id, Stage::AtLeastOnce), Answer::Wrong);
        assert_eq!(window.acknowledged(id, Stage::Released), Answer::Wrong);
        assert_eq!(window.received(id), Answer::Awaited);
        assert_eq!(window.received(id), Answer::Awaited, "a repeated PUBREC");
        assert_eq!(window.acknowledged(id, Stage::ExactlyOnce), Answer::Wrong);
        assert_eq!(window.acknowledged(id, Stage::Released), Answer::Awaited);
        assert_eq!(window.received(id), Answer::Unknown);
        let id = window.push(QoS::AtLeastOnce, None);
        assert_eq!(window.received(id), Answer::Wrong);
        window.reconnected();
        assert_eq!(window.received(id), Answer::Unknown, "not sent again yet");
    }

    #[test]
    fn after_a_reconnect_everything_open_is_sent_again_in_order() {
        let mut window = InFlight::default();
        for _ in 0..3 {
            window.push(QoS::ExactlyOnce, None);
        }
        assert_eq!(window.received(2), Answer::Awaited);
        assert_eq!(window.acknowledged(2, Stage::Released), Answer::Awaited);
        assert_eq!(window.received(3), Answer::Awaited);
        window.reconnected();
        assert_eq!(window.open, 0);
        let early = window.acknowledged(3, Stage::Released);
        assert_eq!(early, Answer::Unknown, "not sent again yet");
        let first = window.resend().map(|entry| (entry.packet_id, entry.stage));
        assert_eq!(first, Some((1, Stage::ExactlyOnce)));
        assert!(window.is_resending());
        let second = window.resend().map(|entry| (entry.packet_id, entry.stage));
        assert_eq!(second, Some((3, Stage::Released)));
        assert!(!window.is_resending());
        assert_eq!(window.open, 2);
    }
}
