//! One end of a conversation without the connection: what a client wants to write, and what it makes of what it
//! reads. No sockets and no clock, so that publisher and subscriber are tested by handing them bytes and times.

pub mod idle;
pub(super) mod in_flight;
pub mod message;
pub mod payloads;
pub mod publisher;
pub mod requester;
pub mod subscriber;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::bench::measure::Recorder;
use crate::bench::plan::speed::Appetite;
use crate::mqtt::codec::{self, Frame, Malformed};
use crate::mqtt::{Packet, ReasonCode, Version};

/// Where the run is; every role sees the phases in this order and may skip none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Connections are made and subscriptions acknowledged; nothing is published.
    #[serde(rename = "connect")]
    Setup,
    /// Publishers publish.
    Load,
    /// Nothing new is published; what is on its way may arrive.
    Drain,
    /// Connections are ended.
    #[serde(rename = "end")]
    Close,
}

/// What a role is waiting for, beside whatever the broker sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// There is more to write at once.
    More,
    /// A message is due at this time, in nanoseconds since the start of the run.
    At(u64),
    /// Nothing.
    Wait,
    /// The end of this connection.
    Leave,
}

/// Why a connection cannot go on.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Fault {
    /// The broker ended it without a word.
    #[error("the broker closed the connection")]
    Closed,
    /// The network failed.
    #[error("{0}")]
    Network(String),
    /// The broker ended it with DISCONNECT.
    #[error("the broker disconnected: {0}")]
    Disconnected(ReasonCode),
    /// The broker refused the subscription.
    #[error("subscription to {filter} refused: {reason}")]
    Denied {
        /// The topic filter.
        filter: String,
        /// SUBACK's reason code.
        reason: ReasonCode,
    },
    /// The broker sent what is no packet.
    #[error("what the broker sent is not MQTT: {0}")]
    Malformed(#[from] Malformed),
    /// The broker sent a packet that has no place here.
    #[error("the broker sent {0} out of place")]
    Unexpected(&'static str),
    /// The broker did not answer PINGREQ.
    #[error("no answer to PINGREQ within the keep alive time")]
    Silent,
}

/// A publisher or a subscriber.
pub trait Role {
    /// How far it is.
    fn state(&self) -> State;

    /// Appends what can be written at `now_ns` to `out`, up to about [`TURN`] bytes. `ready_ns` is when the
    /// connection last took everything it was given.
    fn turn(
        &mut self,
        phase: Phase,
        now_ns: u64,
        ready_ns: u64,
        out: &mut Vec<u8>,
        recorder: &mut Recorder,
    ) -> Next;

    /// How much may be read at this time; asked before and after each reading.
    fn appetite(&mut self, _phase: Phase, _now_ns: u64) -> Appetite {
        Appetite::All
    }

    /// So many bytes were read, when not all might be.
    fn took(&mut self, _bytes: usize) {}

    /// The connection is another one since `now_ns`: appends what is to be said first. `resumed` says whether the broker
    /// has kept the session (3.2.2.2); if not, it is over on both sides.
    fn come_back(&mut self, _resumed: bool, _now_ns: u64, _out: &mut Vec<u8>) {}

    /// Appends what is to be written last, before DISCONNECT.
    fn farewell(&mut self, _out: &mut Vec<u8>) {}

    /// Takes in one packet that was read at `now_ns`; answers go to `out`.
    ///
    /// # Errors
    /// When the connection is of no further use.
    fn packet(
        &mut self,
        packet: Incoming<'_>,
        now_ns: u64,
        out: &mut Vec<u8>,
        recorder: &mut Recorder,
    ) -> Result<(), Fault>;
}

/// How far a client is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct State {
    /// Whether the load may start as far as this client is concerned.
    pub ready: bool,
    /// What is still to come from it.
    pub progress: Progress,
    /// How many messages it has published.
    pub published: u64,
}

/// What is still to come from a client. A subscriber is [`Progress::Settled`] from the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Progress {
    /// It will publish more.
    #[default]
    Publishing,
    /// It waits for acknowledgements.
    Settling,
    /// It has nothing left to do.
    Settled,
}

/// How many bytes one turn may write before the others on the same thread have theirs.
pub const TURN: usize = 32 * 1024;

/// Packet types, the upper half of the first byte (2.1.2).
pub mod kind {
    #![allow(missing_docs)]
    pub const PUBLISH: u8 = 3;
    pub const PUBACK: u8 = 4;
    pub const PUBREC: u8 = 5;
    pub const PUBREL: u8 = 6;
    pub const PUBCOMP: u8 = 7;
    pub const SUBACK: u8 = 9;
    pub const PINGRESP: u8 = 13;
    pub const DISCONNECT: u8 = 14;
}

/// Appends PUBACK, PUBREC, PUBREL or PUBCOMP without a reason code, which means success in every version.
pub fn write_acknowledgement(kind: u8, packet_id: u16, out: &mut Vec<u8>) {
    // PUBREL has the fixed flags 0010 (3.6.1).
    let flags = if kind == kind::PUBREL { 0b0010 } else { 0 };
    let [high, low] = packet_id.to_be_bytes();
    out.extend_from_slice(&[kind << 4 | flags, 2, high, low]);
}

/// One packet as it was read.
#[derive(Debug, Clone, Copy)]
pub struct Incoming<'a> {
    /// Its first byte and its body.
    pub frame: Frame<'a>,
    /// All of its bytes.
    pub bytes: &'a [u8],
}

impl Incoming<'_> {
    /// The packet type, see [`kind`].
    pub fn kind(&self) -> u8 {
        self.frame.header >> 4
    }

    /// The whole packet, for the types that come rarely.
    ///
    /// # Errors
    /// [`Fault::Malformed`] when the codec refuses it.
    pub fn decode(&self, version: Version) -> Result<Packet, Fault> {
        Ok(codec::decode(Bytes::copy_from_slice(self.bytes), version)?)
    }

    /// The packet identifier and reason of an acknowledgement, read where it lies when it is the plain one.
    ///
    /// # Errors
    /// [`Fault::Malformed`] when the codec refuses it.
    pub fn acknowledgement(&self, version: Version) -> Result<(u16, ReasonCode), Fault> {
        if let [high, low] = *self.frame.body
            && let packet_id @ 1.. = u16::from_be_bytes([high, low])
        {
            return Ok((packet_id, ReasonCode::SUCCESS));
        }
        match self.decode(version)? {
            Packet::PubAck(ack)
            | Packet::PubRec(ack)
            | Packet::PubRel(ack)
            | Packet::PubComp(ack) => Ok((ack.packet_id, ack.reason)),
            _ => Err(Fault::Unexpected("an acknowledgement")),
        }
    }

    /// What a packet means that this kind of client does not expect.
    ///
    /// # Errors
    /// Always: why the connection ends.
    pub fn refuse(&self, version: Version) -> Result<(), Fault> {
        Err(match self.kind() {
            kind::DISCONNECT => match self.decode(version)? {
                Packet::Disconnect(disconnect) => Fault::Disconnected(disconnect.reason),
                _ => Fault::Unexpected("DISCONNECT"),
            },
            kind::PUBLISH => Fault::Unexpected("PUBLISH to a publisher"),
            kind::PUBACK..=kind::PUBCOMP => Fault::Unexpected("an acknowledgement"),
            _ => Fault::Unexpected("a packet of another kind"),
        })
    }
}
