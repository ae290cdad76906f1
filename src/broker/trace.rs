//! The packet trace: every packet of the clients one asks for, as it was on the wire, handed out decoded. Nothing is shown
//! here, and nobody waits for whoever shows it: what it cannot take in time is counted and left out.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError};
use std::time::SystemTime;

use bytes::Bytes;

use crate::mqtt::codec::{self, Malformed};
use crate::mqtt::packet::Packet;
use crate::mqtt::{ByteString, Version, topic};

/// Which way a packet went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the client.
    Received,
    /// To the client.
    Sent,
}

/// One packet of the trace.
#[derive(Debug)]
pub struct Traced {
    /// When it was read, or put into the output.
    pub time: SystemTime,
    /// Number of the connection, from 1.
    pub connection: u64,
    /// The client.
    pub client_id: ByteString,
    /// Where it is.
    pub address: SocketAddr,
    /// Which way.
    pub direction: Direction,
    /// Bytes on the wire.
    pub length: usize,
    /// What it is, or why it is no packet.
    pub packet: Result<Packet, Malformed>,
    /// Packets left out just before this one.
    pub missed: u64,
}

/// What is traced, and for whom.
#[derive(Debug)]
pub struct Trace {
    /// Takes what was traced.
    pub sink: SyncSender<Traced>,
    /// Only these clients; all when there is none.
    pub client_ids: Vec<String>,
    /// Only packets that name a topic one of these filters matches, or one of these filters; all when there is none.
    pub topic_filters: Vec<String>,
    /// Packets left out since the last that was taken.
    pub missed: AtomicU64,
}

impl Trace {
    /// The tracer of a new connection, if it is to be traced.
    pub fn connection(
        self: &Arc<Trace>,
        connection: u64,
        client_id: &ByteString,
        address: SocketAddr,
        version: Version,
    ) -> Option<Tracer> {
        let wanted = self.client_ids.is_empty()
            || self.client_ids.iter().any(|wanted| **wanted == **client_id);
        wanted.then(|| Tracer {
            trace: Arc::clone(self),
            connection,
            client_id: client_id.clone(),
            address,
            version,
        })
    }

    fn wants(&self, packet: &Packet) -> bool {
        let of = |name: &str| {
            self.topic_filters
                .iter()
                .any(|filter| filter == name || topic::matches(filter, name))
        };
        self.topic_filters.is_empty()
            || match packet {
                Packet::Publish(publish) => of(&publish.topic),
                Packet::Subscribe(subscribe) => {
                    subscribe.filters.iter().any(|request| of(&request.filter))
                }
                Packet::Unsubscribe(unsubscribe) => {
                    unsubscribe.filters.iter().any(|filter| of(filter))
                }
                _ => false,
            }
    }
}

/// Traces one connection.
#[derive(Debug)]
pub struct Tracer {
    trace: Arc<Trace>,
    connection: u64,
    client_id: ByteString,
    address: SocketAddr,
    version: Version,
}

impl Tracer {
    /// Traces the whole packets in `bytes`.
    pub fn packets(&self, direction: Direction, mut bytes: &[u8]) {
        while let Ok(Some(frame)) = codec::frame(bytes, u32::MAX) {
            let (packet, rest) = bytes.split_at(frame.length);
            bytes = rest;
            self.hand_over(
                direction,
                packet.len(),
                codec::decode(Bytes::copy_from_slice(packet), self.version),
            );
        }
    }

    /// Traces a packet that is already decoded.
    pub fn packet(&self, direction: Direction, packet: Packet) {
        self.hand_over(direction, 0, Ok(packet));
    }

    /// Traces bytes that are not the beginning of a packet.
    pub fn malformed(&self, length: usize, malformed: Malformed) {
        self.hand_over(Direction::Received, length, Err(malformed));
    }

    fn hand_over(&self, direction: Direction, length: usize, packet: Result<Packet, Malformed>) {
        if packet
            .as_ref()
            .is_ok_and(|packet| !self.trace.wants(packet))
        {
            return;
        }
        let traced = Traced {
            time: SystemTime::now(),
            connection: self.connection,
            client_id: self.client_id.clone(),
            address: self.address,
            direction,
            length,
            packet,
            missed: self.trace.missed.swap(0, Ordering::Relaxed),
        };
        if let Err(TrySendError::Full(traced)) = self.trace.sink.try_send(traced) {
            self.trace
                .missed
                .fetch_add(traced.missed + 1, Ordering::Relaxed);
        }
    }
}
