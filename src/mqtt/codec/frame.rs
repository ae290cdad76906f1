//! Where a packet ends: the fixed header (2.1) and the variable byte integer (1.5.5).

use super::super::ReasonCode;
use super::{MAXIMUM_REMAINING_LENGTH, Malformed, TooLarge, malformed, refused};
use crate::mqtt::Version;

/// The packet types, the upper half of the first byte (2.1.2).
pub(super) mod kind {
    pub(in super::super) const CONNECT: u8 = 1;
    pub(in super::super) const CONNACK: u8 = 2;
    pub(in super::super) const PUBLISH: u8 = 3;
    pub(in super::super) const PUBACK: u8 = 4;
    pub(in super::super) const PUBREC: u8 = 5;
    pub(in super::super) const PUBREL: u8 = 6;
    pub(in super::super) const PUBCOMP: u8 = 7;
    pub(in super::super) const SUBSCRIBE: u8 = 8;
    pub(in super::super) const SUBACK: u8 = 9;
    pub(in super::super) const UNSUBSCRIBE: u8 = 10;
    pub(in super::super) const UNSUBACK: u8 = 11;
    pub(in super::super) const PINGREQ: u8 = 12;
    pub(in super::super) const PINGRESP: u8 = 13;
    pub(in super::super) const DISCONNECT: u8 = 14;
    pub(in super::super) const AUTH: u8 = 15;
}

/// The name of a packet type, for messages.
pub(super) fn name(kind: u8) -> &'static str {
    match kind {
        kind::CONNECT => "CONNECT",
        kind::CONNACK => "CONNACK",
        kind::PUBLISH => "PUBLISH",
        kind::PUBACK => "PUBACK",
        kind::PUBREC => "PUBREC",
        kind::PUBREL => "PUBREL",
        kind::PUBCOMP => "PUBCOMP",
        kind::SUBSCRIBE => "SUBSCRIBE",
        kind::SUBACK => "SUBACK",
        kind::UNSUBSCRIBE => "UNSUBSCRIBE",
        kind::UNSUBACK => "UNSUBACK",
        kind::PINGREQ => "PINGREQ",
        kind::PINGRESP => "PINGRESP",
        kind::DISCONNECT => "DISCONNECT",
        kind::AUTH => "AUTH",
        _ => "a reserved packet type",
    }
}

/// One whole packet at the beginning of a buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The first byte: packet type and flags.
    pub header: u8,
    /// What the remaining length counts: variable header and payload.
    pub body: &'a [u8],
    /// Bytes of the whole packet on the wire, fixed header included.
    pub length: usize,
}

impl Frame<'_> {
    /// Whether the remaining length was written in as few bytes as possible, which MQTT 5 demands [MQTT-1.5.5-1]
    /// and earlier versions do not. [`super::decode`] checks it; whoever calls [`super::publish_view`] does it here.
    pub fn is_minimal(&self) -> bool {
        self.length - self.body.len() - 1 == minimal_width(self.body.len() as u32)
    }
}

/// The packet `buffer` begins with, or `None` as long as its end has not arrived. `maximum` is the largest packet
/// accepted, in bytes on the wire, fixed header included.
///
/// # Errors
/// As early as it can be known: a first byte that begins no packet in any version, a remaining length of more
/// than four bytes, or a packet over the maximum ([`ReasonCode::PACKET_TOO_LARGE`]) before its body has come.
#[inline]
pub fn frame(buffer: &[u8], maximum: u32) -> Result<Option<Frame<'_>>, Malformed> {
    let Some((&header, rest)) = buffer.split_first() else {
        return Ok(None);
    };
    if !BEGINS_A_PACKET[usize::from(header)] {
        return Err(bad_header(header));
    }
    let Some((remaining, width)) = variable(rest)? else {
        return Ok(None);
    };
    let length = 1 + width + remaining as usize;
    if length > maximum as usize {
        return Err(too_large(length, maximum));
    }
    Ok(buffer.get(1 + width..length).map(|body| Frame {
        header,
        body,
        length,
    }))
}

/// The variable byte integer `bytes` begin with, and how many bytes it takes; `None` if it is cut off.
#[inline]
pub(super) fn variable(bytes: &[u8]) -> Result<Option<(u32, usize)>, Malformed> {
    let mut value = 0;
    for (index, &byte) in bytes.iter().take(4).enumerate() {
        value |= u32::from(byte & 0x7F) << (7 * index);
        if byte < 0x80 {
            return Ok(Some((value, index + 1)));
        }
    }
    match bytes.len() {
        0..4 => Ok(None),
        _ => Err(malformed(
            "a variable byte integer has more than four bytes",
        )),
    }
}

/// How many bytes the shortest encoding of `value` takes.
pub(super) fn minimal_width(value: u32) -> usize {
    match value {
        0..128 => 1,
        128..16_384 => 2,
        16_384..2_097_152 => 3,
        _ => 4,
    }
}

/// The shortest encoding of `value`: the first so many of four bytes. `what` is told when there is none.
#[inline]
pub(super) fn encode_variable(
    value: usize,
    what: &'static str,
) -> Result<([u8; 4], usize), TooLarge> {
    if value > MAXIMUM_REMAINING_LENGTH as usize {
        return Err(TooLarge {
            what,
            length: value,
            limit: MAXIMUM_REMAINING_LENGTH as usize,
        });
    }
    let value = value as u32;
    let width = minimal_width(value);
    let mut bytes = [0; 4];
    for (index, byte) in bytes.iter_mut().enumerate().take(width) {
        let more = if index + 1 < width { 0x80 } else { 0 };
        *byte = (value >> (7 * index)) as u8 & 0x7F | more;
    }
    Ok((bytes, width))
}

/// Whether a packet of this version may begin with this byte (2.1.3, tables 2.1 and 2.2).
pub(super) const fn header_is_valid(header: u8, version: Version) -> bool {
    let flags = header & 0x0F;
    match header >> 4 {
        // MQTT 3.1 does not use them in CONNECT, and so does not ask for 0.
        kind::CONNECT => flags == 0 || matches!(version, Version::V31),
        // Not 3 as the quality of service, and nothing to re-deliver at 0.
        kind::PUBLISH => flags & 0b0110 != 0b0110 && flags & 0b1110 != 0b1000,
        // MQTT 3.1 sets DUP when one of these is sent again; later versions never send them twice.
        kind::PUBREL | kind::SUBSCRIBE | kind::UNSUBSCRIBE => {
            flags == 0b0010 || flags == 0b1010 && matches!(version, Version::V31)
        }
        kind::AUTH => flags == 0 && matches!(version, Version::V5),
        0 => false,
        _ => flags == 0,
    }
}

/// Indexed by the first byte: whether it begins a packet in at least one version.
static BEGINS_A_PACKET: [bool; 256] = {
    let mut table = [false; 256];
    let mut header = 0;
    while header < 256 {
        table[header] = header_is_valid(header as u8, Version::V31)
            || header_is_valid(header as u8, Version::V5);
        header += 1;
    }
    table
};

/// Why [`header_is_valid`] said no.
#[cold]
pub(super) fn bad_header(header: u8) -> Malformed {
    let flags = header & 0x0F;
    match header >> 4 {
        0 => malformed("packet type 0 is reserved"),
        kind::AUTH if flags == 0 => malformed("AUTH exists only in MQTT 5"),
        kind::PUBLISH if flags & 0b0110 == 0b0110 => malformed("PUBLISH with quality of service 3"),
        kind::PUBLISH => malformed("PUBLISH with quality of service 0 is marked as a duplicate"),
        kind => malformed(format!("the flags of {} are {flags:04b}", name(kind))),
    }
}

#[cold]
fn too_large(length: usize, maximum: u32) -> Malformed {
    refused(
        ReasonCode::PACKET_TOO_LARGE,
        format!("a packet of {length} bytes, at most {maximum} are accepted"),
    )
}
