//! The wire codec: bytes to packets and back, for MQTT 3.1, 3.1.1 and 5.
//!
//! Strict by both specifications and safe on any bytes: what cannot be a packet becomes a [`Malformed`] with the
//! reason code a server must answer with, never a panic, and nothing is allocated by a length that was only
//! claimed. Strings and payloads are slices of the buffer they came in.
//!
//! There are two ways in. [`decode`] makes an owned [`Packet`] of any type; [`publish_view`] only looks at a
//! PUBLISH where it lies, for the paths that carry every message. Both stand on [`frame`], which finds the end
//! of a packet.
//!
//! Left out is what needs to know who sent a packet or what came before it: a second CONNECT, a SUBACK sent by
//! a client, a topic alias above the agreed maximum, a quality of service the server does not offer. Topic
//! filters are passed on as they came, because a bad one fails its own subscription and not the connection.

mod decode;
mod encode;
mod frame;
mod property;
mod publish;
mod reader;
mod reason;

use std::borrow::Cow;
use std::fmt;

use bytes::BytesMut;

use super::{Packet, ReasonCode, Version};

pub use decode::{decode, refusal_version};
pub use encode::write;
pub use frame::{Frame, frame};
pub(super) use property::{Place, Shape, property_fault, property_rules, unchecked_property};
pub use property::{property_block, write_property};
pub use publish::{PublishView, publish_view};
pub use reason::has_return_code;

/// The largest value of a variable byte integer, and so of a remaining length (1.5.5).
pub const MAXIMUM_REMAINING_LENGTH: u32 = 268_435_455;

/// Bytes that are not a packet their sender may send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// What an MQTT 5 DISCONNECT or CONNACK says to the sender (4.13); before MQTT 5 the connection just ends,
    /// but for the return codes of CONNACK.
    pub reason: ReasonCode,
    /// The fault in words, lower case.
    pub message: Cow<'static, str>,
}

impl fmt::Display for Malformed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.reason.name(), self.message)
    }
}

impl std::error::Error for Malformed {}

/// The packet cannot be parsed according to the specification.
#[cold]
fn malformed(message: impl Into<Cow<'static, str>>) -> Malformed {
    refused(ReasonCode::MALFORMED_PACKET, message)
}

/// The packet can be parsed, and contains what the protocol does not allow.
#[cold]
fn protocol_error(message: impl Into<Cow<'static, str>>) -> Malformed {
    refused(ReasonCode::PROTOCOL_ERROR, message)
}

#[cold]
fn refused(reason: ReasonCode, message: impl Into<Cow<'static, str>>) -> Malformed {
    Malformed {
        reason,
        message: message.into(),
    }
}

/// A packet that has no encoding, because a part of it is longer than MQTT can say.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} is {length}, MQTT carries at most {limit}")]
pub struct TooLarge {
    /// The part, with its unit, as in `topic name in bytes`.
    pub what: &'static str,
    /// How large it is.
    pub length: usize,
    /// How large it may be.
    pub limit: usize,
}

/// Takes the first packet off `buffer`, once it is complete; `maximum` is the largest packet accepted, in bytes
/// on the wire.
///
/// # Errors
/// What [`frame`] and [`decode`] refuse. The buffer then still begins with the fault, for [`refusal_version`] to
/// look at, but is of no further use: MQTT has no way to find the next packet after a malformed one.
pub fn read(
    buffer: &mut BytesMut,
    version: Version,
    maximum: u32,
) -> Result<Option<Packet>, Malformed> {
    let Some(length) = frame(buffer, maximum)?.map(|frame| frame.length) else {
        return Ok(None);
    };
    let packet = buffer.split_to(length).freeze();
    decode::decode_shared(&packet, version)
        .map(Some)
        .inspect_err(|_| {
            let rest = std::mem::replace(buffer, BytesMut::from(&packet[..]));
            buffer.extend_from_slice(&rest);
        })
}

#[cfg(test)]
mod tests;
