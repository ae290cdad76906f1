//! The messages that have been sent and whose handshake is not complete: how far each has come, and under which packet
//! identifier. Pure.

use std::collections::BTreeMap;

use super::record::Position;
use crate::mqtt::packet::Publish;

/// A message under way.
#[derive(Debug, Clone, PartialEq)]
pub struct Flight {
    /// 0 when the broker has lost the session: then it is to be sent as if for the first time.
    pub packet_id: u16,
    /// PUBREC has come: what is to be sent is PUBREL (4.3.3).
    pub is_received: bool,
    /// The message, without packet identifier.
    pub publish: Publish,
    pub(super) position: Position,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Flights {
    /// By number, which is the order in which they were sent.
    by_number: BTreeMap<u64, Flight>,
    by_packet_id: BTreeMap<u16, u64>,
    /// The identifier given last. They are taken in turn, so that a late answer finds none rather than another message.
    last: u16,
    bytes: usize,
}

impl Flights {
    pub(super) fn len(&self) -> usize {
        self.by_number.len()
    }

    /// Bytes of their payloads.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &Flight)> {
        self.by_number
            .iter()
            .map(|(number, flight)| (*number, flight))
    }

    /// A packet identifier that is not in use; there is one, because few messages are under way at once.
    pub(super) fn free_packet_id(&self) -> u16 {
        let mut packet_id = self.last;
        loop {
            packet_id = packet_id.checked_add(1).unwrap_or(1);
            if !self.by_packet_id.contains_key(&packet_id) {
                return packet_id;
            }
        }
    }

    pub(super) fn add(&mut self, number: u64, flight: Flight) {
        self.bytes += flight.publish.payload.len();
        if flight.packet_id != 0 {
            self.last = flight.packet_id;
            self.by_packet_id.insert(flight.packet_id, number);
        }
        if let Some(old) = self.by_number.insert(number, flight) {
            self.bytes -= old.publish.payload.len();
        }
    }

    pub(super) fn number(&self, packet_id: u16) -> Option<u64> {
        self.by_packet_id.get(&packet_id).copied()
    }

    /// Notes PUBREC; `false` for an identifier that no message of QoS 2 has.
    pub(super) fn receive(&mut self, packet_id: u16) -> bool {
        let number = self.by_packet_id.get(&packet_id);
        match number.and_then(|number| self.by_number.get_mut(number)) {
            Some(flight) => {
                flight.is_received = true;
                true
            }
            None => false,
        }
    }

    pub(super) fn remove(&mut self, number: u64) -> Option<Flight> {
        let flight = self.by_number.remove(&number)?;
        self.by_packet_id.remove(&flight.packet_id);
        self.bytes -= flight.publish.payload.len();
        Some(flight)
    }

    /// The broker knows none of the identifiers any more.
    pub(super) fn forget(&mut self) {
        self.by_packet_id.clear();
        for flight in self.by_number.values_mut() {
            (flight.packet_id, flight.is_received) = (0, false);
        }
    }
}
