//! The messages that are sent and not acknowledged, by packet identifier.

use super::{kind, write_acknowledgement};

/// The messages in flight. Identifiers go round through all 65,535 of them, so that a late second acknowledgement is not
/// taken for that of a newer message.
#[derive(Default)]
pub(super) struct InFlight {
    /// A power of two at least as large as `limit`; an identifier has its place by its lower bits.
    slots: Vec<Slot>,
    /// What was sent, in the same places; nothing where nothing will have to be sent again.
    kept: Vec<Vec<u8>>,
    limit: usize,
    count: usize,
    /// The last identifier given out.
    last: u16,
}

#[derive(Clone, Default)]
pub(super) struct Slot {
    /// 0 when the slot is free.
    packet_id: u16,
    /// Whether PUBREC has come: the broker has the message, PUBCOMP is outstanding.
    pub(super) received: bool,
    pub(super) sequence: u64,
    /// When it was due, or unpaced sent, in nanoseconds since the start.
    pub(super) since_ns: u64,
}

impl InFlight {
    /// With room for so many. In a session that is `persistent` what is sent is kept until it is acknowledged.
    pub(super) fn new(limit: u16, persistent: bool) -> InFlight {
        let limit = usize::from(limit);
        let places = limit.next_power_of_two();
        InFlight {
            slots: vec![Slot::default(); places],
            kept: match persistent {
                true => vec![Vec::new(); places],
                false => Vec::new(),
            },
            limit,
            count: 0,
            last: 0,
        }
    }

    /// The most there can be.
    pub(super) fn limit(&self) -> u16 {
        self.limit as u16
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    pub(super) fn is_full(&self) -> bool {
        !self.slots.is_empty() && self.count == self.limit
    }

    fn place(&self, packet_id: u16) -> usize {
        usize::from(packet_id) & (self.slots.len() - 1)
    }

    /// Gives a message an identifier. There must be room.
    pub(super) fn add(&mut self, sequence: u64, since_ns: u64) -> u16 {
        loop {
            self.last = self.last.checked_add(1).unwrap_or(1);
            let place = self.place(self.last);
            if self.slots[place].packet_id == 0 {
                self.slots[place] = Slot {
                    packet_id: self.last,
                    received: false,
                    sequence,
                    since_ns,
                };
                self.count += 1;
                return self.last;
            }
        }
    }

    /// Remembers the PUBLISH of an identifier, if that may be wanted again.
    pub(super) fn keep(&mut self, packet_id: u16, publish: &[u8]) {
        if !self.kept.is_empty() {
            let place = self.place(packet_id);
            self.kept[place].clear();
            self.kept[place].extend_from_slice(publish);
        }
    }

    pub(super) fn find(&mut self, packet_id: u16) -> Option<&mut Slot> {
        if self.slots.is_empty() {
            return None;
        }
        let place = self.place(packet_id);
        let slot = &mut self.slots[place];
        (slot.packet_id == packet_id).then_some(slot)
    }

    /// The broker has the message with this identifier.
    pub(super) fn received(&mut self, packet_id: u16) {
        if let Some(slot) = self.find(packet_id) {
            slot.received = true;
        }
    }

    pub(super) fn remove(&mut self, packet_id: u16) {
        let place = self.place(packet_id);
        self.slots[place].packet_id = 0;
        self.count -= 1;
    }

    /// On another connection. With its session the broker has kept what it had taken over: the rest is appended again,
    /// in its order and with DUP (4.4). Without one all are given up, and returned: the broker may have them or not,
    /// and owes nothing.
    pub(super) fn come_back(&mut self, resumed: bool, out: &mut Vec<u8>) -> Vec<u64> {
        let mut open: Vec<Slot> = self.slots.clone();
        open.retain(|slot| slot.packet_id != 0);
        open.sort_unstable_by_key(|slot| slot.sequence);
        let mut given_up = Vec::new();
        for slot in open {
            if !resumed || self.kept.is_empty() {
                self.remove(slot.packet_id);
                given_up.push(slot.sequence);
            } else if slot.received {
                write_acknowledgement(kind::PUBREL, slot.packet_id, out);
            } else {
                let start = out.len();
                out.extend_from_slice(&self.kept[self.place(slot.packet_id)]);
                out[start] |= DUP;
            }
        }
        given_up
    }

    /// The messages the broker has not taken responsibility for.
    pub(super) fn unacknowledged(&self) -> impl Iterator<Item = u64> {
        self.slots
            .iter()
            .filter(|slot| slot.packet_id != 0 && !slot.received)
            .map(|slot| slot.sequence)
    }
}

/// In the first byte of a PUBLISH: it was sent before (3.3.1.1).
const DUP: u8 = 0b1000;
