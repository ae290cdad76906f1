//! The messages that are on their way: which is meant by an acknowledgement, and whether there is room for more. Pure.

use std::collections::{BTreeMap, VecDeque};

use super::session::Event;
use crate::mqtt::packet::Publish;
use crate::mqtt::{QoS, ReasonCode};

/// The most messages of QoS 0 handed over and not yet written.
const UNWRITTEN: usize = 1024;
/// The most bytes handed over and not yet written or acknowledged, but for a single message that has more.
const BYTES: usize = 1 << 20;

/// The messages handed to the library whose delivery is not complete.
#[derive(Default)]
pub(super) struct Outgoing {
    /// QoS 0, in order: the number and the length of each.
    unwritten: VecDeque<(u64, usize)>,
    /// QoS 1 and 2 without a packet identifier yet, in order.
    unnumbered: VecDeque<(u64, Publish)>,
    /// QoS 1 and 2, each at its packet identifier; the library counts from 1 to [`WINDOW`](super::WINDOW).
    unacknowledged: Vec<Option<(u64, Publish)>>,
    unacknowledged_count: usize,
    /// What PUBREC said, where it was more than yes.
    received: BTreeMap<u16, ReasonCode>,
    bytes: usize,
    /// Of all messages so far.
    pub(super) highest_qos: QoS,
}

impl Outgoing {
    pub(super) fn has_room(&self, window: usize) -> bool {
        self.is_empty()
            || self.bytes < BYTES && self.unwritten.len() < UNWRITTEN && self.under_way() < window
    }

    /// Messages of QoS 1 and 2 that are not complete.
    pub(super) fn under_way(&self) -> usize {
        self.unnumbered.len() + self.unacknowledged_count
    }

    pub(super) fn is_empty(&self) -> bool {
        self.unwritten.is_empty() && self.unnumbered.is_empty() && self.unacknowledged_count == 0
    }

    pub(super) fn add(&mut self, number: u64, publish: Publish) {
        let length = publish.payload.len();
        self.bytes += length;
        self.highest_qos = self.highest_qos.max(publish.qos);
        match publish.qos {
            QoS::AtMostOnce => self.unwritten.push_back((number, length)),
            _ => self.unnumbered.push_back((number, publish)),
        }
    }

    pub(super) fn sent(&mut self, packet_id: u16) -> Option<Event> {
        if packet_id == 0 {
            let (number, length) = self.unwritten.pop_front()?;
            self.bytes -= length;
            let reason = ReasonCode::SUCCESS;
            return Some(Event::Complete { number, reason });
        }
        let index = usize::from(packet_id);
        if self.unacknowledged.len() <= index {
            self.unacknowledged.resize_with(index + 1, || None);
        }
        // One that is there already was sent again on a resumed session.
        let again = self.unacknowledged[index].is_some();
        if !again {
            self.unacknowledged[index] = self.unnumbered.pop_front();
            self.unacknowledged_count += usize::from(self.unacknowledged[index].is_some());
        }
        let (number, _) = self.unacknowledged[index].as_ref()?;
        Some(Event::Sent {
            number: *number,
            packet_id,
            again,
        })
    }

    /// PUBREC came; PUBCOMP will not repeat its reason.
    pub(super) fn received(&mut self, packet_id: u16, reason: ReasonCode) {
        if reason != ReasonCode::SUCCESS {
            self.received.insert(packet_id, reason);
        }
    }

    pub(super) fn acknowledged(&mut self, packet_id: u16, reason: ReasonCode) -> Option<Event> {
        let slot = self.unacknowledged.get_mut(usize::from(packet_id))?;
        let (number, publish) = slot.take()?;
        self.unacknowledged_count -= 1;
        self.bytes -= publish.payload.len();
        let reason = match self.received.remove(&packet_id) {
            Some(received) if !reason.is_failure() => received,
            _ => reason,
        };
        Some(Event::Complete { number, reason })
    }

    /// Forgets the messages of QoS 0 and returns how many there were.
    pub(super) fn drop_unwritten(&mut self) -> usize {
        let count = self.unwritten.len();
        for (_, length) in self.unwritten.drain(..) {
            self.bytes -= length;
        }
        count
    }

    /// All messages of QoS 1 and 2 in their order, none of them with a packet identifier.
    pub(super) fn start_over(&mut self) -> Vec<Publish> {
        let mut all: Vec<(u64, Publish)> = self.unacknowledged.drain(..).flatten().collect();
        all.extend(self.unnumbered.drain(..));
        all.sort_by_key(|(number, _)| *number);
        self.unacknowledged_count = 0;
        self.received.clear();
        self.unnumbered = all.into();
        self.unnumbered
            .iter()
            .map(|(_, publish)| publish.clone())
            .collect()
    }
}
