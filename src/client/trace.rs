//! Every packet of a connection, told in order to whoever wants to watch.
//!
//! Packets are noted where they pass, on the wire, and told when the session gets there: a message that was received is
//! told when it is handed to the command and not when it was read, so that what is told of it and what is done with it
//! stand in order.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use bytes::BytesMut;

use crate::mqtt::{Packet, Version, codec};

/// Which way a packet went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To the broker.
    Sent,
    /// From the broker.
    Received,
}

type Tell = dyn Fn(Direction, &Packet) + Send + Sync;

/// What is called for every packet.
#[derive(Clone)]
pub struct Tracer(Arc<Tell>);

impl Tracer {
    /// Calls `tell` for every packet, on the thread that drives the session.
    pub fn new(tell: impl Fn(Direction, &Packet) + Send + Sync + 'static) -> Tracer {
        Tracer(Arc::new(tell))
    }
}

impl fmt::Debug for Tracer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Tracer")
    }
}

/// What has passed and is not told yet.
pub(super) struct Trace {
    tracer: Tracer,
    version: Version,
    /// The beginnings of packets, sent and received.
    open: [BytesMut; 2],
    waiting: VecDeque<(Direction, Packet)>,
}

impl Trace {
    pub(super) fn new(tracer: Tracer, version: Version) -> Trace {
        Trace {
            tracer,
            // What the library writes; CONNECT becomes one of 3.1 behind it.
            version: version.max(Version::V311),
            open: Default::default(),
            waiting: VecDeque::new(),
        }
    }

    /// A new connection begins: nothing of the old one continues.
    pub(super) fn begin(&mut self) {
        self.open = Default::default();
    }

    /// Bytes pass. What is no packet to our codec, because it is broken or belongs to an older version, is left out.
    pub(super) fn note(&mut self, direction: Direction, bytes: &[u8]) {
        let open = &mut self.open[direction as usize];
        open.extend_from_slice(bytes);
        while let Ok(Some(packet)) = codec::read(open, self.version, u32::MAX) {
            self.waiting.push_back((direction, packet));
        }
    }

    /// Tells what comes before the next message that was received and, if that is at hand, the message too.
    pub(super) fn tell(&mut self, has_message: bool) {
        while let Some((direction, packet)) = self.waiting.front() {
            let is_message =
                *direction == Direction::Received && matches!(packet, Packet::Publish(_));
            if is_message && !has_message {
                return;
            }
            (self.tracer.0)(*direction, packet);
            self.waiting.pop_front();
            if is_message {
                return;
            }
        }
    }

    /// Tells everything.
    pub(super) fn tell_all(&mut self) {
        for (direction, packet) in self.waiting.drain(..) {
            (self.tracer.0)(direction, &packet);
        }
    }

    /// Tells what was sent at the end. What was received then is of no interest to anybody.
    pub(super) fn tell_end(&mut self) {
        for (direction, packet) in self.waiting.drain(..) {
            if direction == Direction::Sent {
                (self.tracer.0)(direction, &packet);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mqtt::packet::Disconnect;
    use crate::mqtt::{Properties, ReasonCode};
    use std::sync::Mutex;

    #[test]
    fn a_message_is_told_with_its_delivery_and_what_is_behind_it_later() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let tell = {
            let told = Arc::clone(&told);
            move |direction, packet: &Packet| {
                let name = match packet {
                    Packet::Publish(publish) => publish.topic.to_string(),
                    Packet::PingReq => "ping".to_owned(),
                    Packet::Disconnect(_) => "bye".to_owned(),
                    other => panic!("{other:?}"),
                };
                told.lock().unwrap().push((direction, name));
            }
        };
        let mut trace = Trace::new(Tracer::new(tell), Version::V311);
        let mut disconnect = Vec::new();
        let packet = Packet::Disconnect(Disconnect {
            reason: ReasonCode::SUCCESS,
            properties: Properties::default(),
        });
        codec::write(&packet, Version::V311, &mut disconnect).unwrap();
        trace.note(Direction::Sent, &[0xC0]);
        trace.note(Direction::Received, b"\x30\x03\x00\x01a\x30\x03\x00\x01");
        trace.note(Direction::Sent, &[0]);
        trace.note(Direction::Received, b"b");
        trace.note(Direction::Sent, &disconnect);
        let mut now = |step: fn(&mut Trace)| {
            step(&mut trace);
            let names = std::mem::take(&mut *told.lock().unwrap());
            names.into_iter().map(|(_, name)| name).collect::<Vec<_>>()
        };
        assert_eq!(now(|trace| trace.tell(false)), [""; 0]);
        assert_eq!(now(|trace| trace.tell(true)), ["a"]);
        assert_eq!(now(|trace| trace.tell(false)), ["ping"]);
        assert_eq!(now(Trace::tell_end), ["bye"]);
    }
}
