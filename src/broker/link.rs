//! The connection a session is attached to, as the partition sees it: output to be written, a task to wake, and what the
//! client said it can take. The bytes are moved by `connection`.

use std::cell::{Cell, RefCell, RefMut};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;

use foldhash::fast::RandomState;

use tokio::time::Instant;

use super::counters::Counters;
use crate::mqtt::packet::{Disconnect, Packet};
use crate::mqtt::{Properties, Property, ReasonCode, Version, codec};

/// Bytes of output that may wait for a connection's socket; beyond that messages wait in the queue. Two socket
/// buffers' worth: enough to keep the socket busy, little enough to keep for many connections.
pub const OUT_LIMIT: usize = 256 << 10;

/// Output buffers that no connection is using, so that an idle one holds none and a busy one finds a warm one.
#[derive(Debug, Default)]
pub struct Buffers(RefCell<Vec<Vec<u8>>>);

/// Idle buffers worth keeping for a partition, and the largest that is worth it.
const BUFFERS: usize = 64;
const BUFFER_LIMIT: usize = 2 * OUT_LIMIT;

impl Buffers {
    /// Gives a buffer back.
    pub fn give_back(&self, mut buffer: Vec<u8>) {
        let mut buffers = self.0.borrow_mut();
        if buffer.capacity() > 0 && buffer.capacity() <= BUFFER_LIMIT && buffers.len() < BUFFERS {
            buffer.clear();
            buffers.push(buffer);
        }
    }

    fn take(&self) -> Vec<u8> {
        self.0.borrow_mut().pop().unwrap_or_default()
    }
}

/// The connection a session is attached to, as the partition sees it.
#[derive(Debug)]
pub struct Link {
    /// Encoded packets that the connection's task has to write.
    out: RefCell<Vec<u8>>,
    /// Where what it sends is counted.
    pub counters: Arc<Counters>,
    /// Where output buffers come from.
    pub buffers: Rc<Buffers>,
    /// The task to wake when there is something to write, or to read again.
    pub waker: RefCell<Option<Waker>>,
    /// Write what is in `out`, then close.
    pub closing: Cell<bool>,
    /// When the last packet of the client arrived, for keep alive.
    pub last_heard: Cell<Instant>,
    /// Version of this connection.
    pub version: Version,
    /// Most unacknowledged publishes the client takes (3.1.2.11.3).
    pub receive_maximum: u16,
    /// Publishes above QoS 0 the client has sent on this connection that are not answered to their end (4.9).
    pub unanswered: Cell<u16>,
    /// Largest packet the client takes, in bytes (3.1.2.11.4).
    pub maximum_packet_size: u32,
    /// Topic aliases the client takes (3.1.2.11.5).
    pub topic_alias_maximum: u16,
    /// Those in use, by topic.
    pub aliases: RefCell<HashMap<Box<str>, u16, RandomState>>,
}

impl Link {
    /// A fresh connection with nothing to write.
    pub fn new(version: Version, buffers: Rc<Buffers>, counters: Arc<Counters>) -> Link {
        Link {
            out: RefCell::default(),
            buffers,
            counters,
            waker: RefCell::default(),
            closing: Cell::new(false),
            last_heard: Cell::new(Instant::now()),
            version,
            receive_maximum: u16::MAX,
            unanswered: Cell::new(0),
            maximum_packet_size: u32::MAX,
            topic_alias_maximum: 0,
            aliases: RefCell::default(),
        }
    }

    /// Takes all there is to write. The buffer goes back to [`Link::buffers`].
    pub fn take_output(&self) -> Vec<u8> {
        self.out.take()
    }

    /// Bytes that wait to be written.
    pub fn output_length(&self) -> usize {
        self.out.borrow().len()
    }

    /// The output, to add a whole packet to.
    pub fn output(&self) -> RefMut<'_, Vec<u8>> {
        let mut out = self.out.borrow_mut();
        if out.capacity() == 0 {
            *out = self.buffers.take();
        }
        out
    }

    /// The alias of a topic on this connection, and whether the client knows it already. The first topics get one.
    pub fn alias_of(&self, topic: &str) -> (Option<u16>, bool) {
        let mut aliases = self.aliases.borrow_mut();
        if let Some(alias) = aliases.get(topic) {
            return (Some(*alias), true);
        }
        if aliases.len() >= usize::from(self.topic_alias_maximum) {
            return (None, false);
        }
        // Aliases are never taken back but the one given last, so the next number is free.
        let alias = aliases.len() as u16 + 1;
        aliases.insert(topic.into(), alias);
        (Some(alias), false)
    }

    /// Counts a publish above QoS 0 that the client sends; `false` when it is more than `maximum`. There are no more
    /// identifiers than the largest maximum, so that need not be watched.
    pub fn takes_another(&self, maximum: u16) -> bool {
        if maximum == u16::MAX {
            return true;
        }
        let takes = self.unanswered.get() < maximum;
        if takes {
            self.unanswered.set(self.unanswered.get() + 1);
        }
        takes
    }

    /// One of them is answered to its end. That of an earlier connection may be, so there need not be any.
    pub fn has_answered(&self) {
        self.unanswered.set(self.unanswered.get().saturating_sub(1));
    }

    /// Wakes the connection's task.
    pub fn wake(&self) {
        if let Some(waker) = self.waker.borrow_mut().take() {
            waker.wake();
        }
    }

    /// Encodes a packet into the output and wakes the writer. Nothing follows a goodbye; and a packet larger than the
    /// client takes is not sent [MQTT-3.1.2-24], but then the client would wait for it in vain, so that is the end.
    pub fn send(&self, packet: &Packet) {
        if !self.closing.get() && !self.encode(packet) {
            self.close(ReasonCode::PACKET_TOO_LARGE);
        }
    }

    /// Whether the client takes a packet of this size.
    pub fn takes(&self, packet: &Packet) -> bool {
        let mut bytes = Vec::new();
        codec::write(packet, self.version, &mut bytes).is_ok()
            && bytes.len() <= self.maximum_packet_size as usize
    }

    /// Whether the client takes a packet of this size; only then it is in the output.
    fn encode(&self, packet: &Packet) -> bool {
        let mut out = self.output();
        let before = out.len();
        let written = codec::write(packet, self.version, &mut out).is_ok();
        let fits = written && out.len() - before <= self.maximum_packet_size as usize;
        if fits {
            self.counters.packets_sent.add(1);
        } else {
            out.truncate(before);
        }
        drop(out);
        self.wake();
        fits
    }

    /// Says goodbye where the version has words for it (3.14 of MQTT 5), and closes once it is written.
    pub fn close(&self, reason: ReasonCode) {
        self.close_because(reason, None);
    }

    /// The same, with the reason in words when they fit into what the client takes [MQTT-3.14.2-3].
    pub fn close_because(&self, reason: ReasonCode, words: Option<&str>) {
        if self.closing.replace(true) {
            return;
        }
        if self.version == Version::V5 {
            let goodbye = |words: Option<&str>| {
                let words = words.map(|words| Property::ReasonString(words.into()));
                let properties = Properties(words.into_iter().collect());
                self.encode(&Packet::Disconnect(Disconnect { reason, properties }))
            };
            // To a client that does not even take two bytes, nothing is said.
            let _ = goodbye(words) || words.is_some() && goodbye(None);
        }
        self.wake();
    }
}
