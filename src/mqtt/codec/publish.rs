//! PUBLISH where it lies (3.3): the form in which a broker or a load generator handles every message, without
//! an allocation on the way in or out.

use super::frame::{bad_header, encode_variable, header_is_valid, kind};
use super::property::{self, Place};
use super::reader::{Reader, utf8};
use super::{Malformed, TooLarge, protocol_error, refused};
use crate::mqtt::topic::has_no_wildcard;
use crate::mqtt::{QoS, ReasonCode, Version};

/// A PUBLISH whose parts are borrowed from the buffer it lies in, or from anywhere else when it is to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublishView<'a> {
    /// Set on a re-delivery only.
    pub dup: bool,
    /// Quality of service.
    pub qos: QoS,
    /// Retain flag.
    pub retain: bool,
    /// A valid topic name; empty only in MQTT 5 with a topic alias.
    pub topic: &'a str,
    /// 0 exactly when the quality of service is 0.
    pub packet_id: u16,
    /// The validated property block without its length prefix; empty before MQTT 5. [`super::property_block`]
    /// walks it.
    pub properties: &'a [u8],
    /// Payload: bytes of any kind, possibly none.
    pub payload: &'a [u8],
}

/// Reads the PUBLISH with this first byte and this body, as found by [`super::frame`].
///
/// # Errors
/// Whatever [`super::decode`] would refuse, but for a remaining length that is not minimal, which can no longer
/// be seen here ([`super::Frame::is_minimal`]).
#[inline]
pub fn publish_view(
    header: u8,
    body: &[u8],
    version: Version,
) -> Result<PublishView<'_>, Malformed> {
    if header >> 4 != kind::PUBLISH || !header_is_valid(header, version) {
        return Err(bad_header(header));
    }
    let qos = match header & 0b0110 {
        0b0000 => QoS::AtMostOnce,
        0b0010 => QoS::AtLeastOnce,
        _ => QoS::ExactlyOnce,
    };
    let mut reader = Reader::new(body);
    let topic = utf8(reader.binary("topic name")?, "topic name")?;
    if !has_no_wildcard(topic) {
        return Err(bad_topic(topic));
    }
    let packet_id = match qos {
        QoS::AtMostOnce => 0,
        _ => reader.packet_id()?,
    };
    let mut properties: &[u8] = &[];
    let mut alias = false;
    if version == Version::V5 {
        properties = reader.property_block()?;
        if !properties.is_empty() {
            alias = property::has_topic_alias(property::check(properties, Place::PUBLISH)?);
        }
    }
    if topic.is_empty() && !alias {
        return Err(no_topic(version));
    }
    Ok(PublishView {
        dup: header & 0b1000 != 0,
        qos,
        retain: header & 0b0001 != 0,
        topic,
        packet_id,
        properties,
        payload: reader.rest,
    })
}

#[cold]
fn bad_topic(topic: &str) -> Malformed {
    if topic.contains('\0') {
        return super::malformed("the topic name contains the null character");
    }
    refused(
        ReasonCode::TOPIC_NAME_INVALID,
        format!("the topic name {topic:?} contains a wildcard"),
    )
}

#[cold]
fn no_topic(version: Version) -> Malformed {
    match version {
        Version::V5 => protocol_error("the topic name is empty and there is no topic alias"),
        _ => refused(ReasonCode::TOPIC_NAME_INVALID, "the topic name is empty"),
    }
}

impl PublishView<'_> {
    /// Bytes the packet takes on the wire in this version, fixed header included; what a client's maximum packet
    /// size is held against (3.1.2.11.4).
    pub fn encoded_length(&self, version: Version) -> usize {
        let remaining = self.remaining_length(version);
        1 + super::frame::minimal_width(u32::try_from(remaining).unwrap_or(u32::MAX)) + remaining
    }

    fn remaining_length(&self, version: Version) -> usize {
        let packet_id = if self.qos == QoS::AtMostOnce { 0 } else { 2 };
        let properties = match version {
            Version::V5 => {
                let length = self.properties.len();
                super::frame::minimal_width(u32::try_from(length).unwrap_or(u32::MAX)) + length
            }
            _ => 0,
        };
        2 + self.topic.len() + packet_id + properties + self.payload.len()
    }

    /// Appends the packet to `out`, which grows at most once. The properties are written as they are in MQTT 5
    /// and dropped before.
    ///
    /// # Errors
    /// A topic of more than 65,535 bytes or a packet over 268,435,455; `out` is then as it was.
    #[inline]
    pub fn write(&self, version: Version, out: &mut Vec<u8>) -> Result<(), TooLarge> {
        let Ok(topic_length) = u16::try_from(self.topic.len()) else {
            return Err(TooLarge {
                what: "topic name in bytes",
                length: self.topic.len(),
                limit: usize::from(u16::MAX),
            });
        };
        let remaining = self.remaining_length(version);
        let (length, width) = encode_variable(remaining, "packet in bytes")?;
        out.reserve(1 + width + remaining);
        out.push(
            kind::PUBLISH << 4
                | u8::from(self.dup) << 3
                | self.qos.number() << 1
                | u8::from(self.retain),
        );
        out.extend_from_slice(&length[..width]);
        out.extend_from_slice(&topic_length.to_be_bytes());
        out.extend_from_slice(self.topic.as_bytes());
        if self.qos != QoS::AtMostOnce {
            out.extend_from_slice(&self.packet_id.to_be_bytes());
        }
        if version == Version::V5 {
            let (length, width) = encode_variable(self.properties.len(), "properties in bytes")?;
            out.extend_from_slice(&length[..width]);
            out.extend_from_slice(self.properties);
        }
        out.extend_from_slice(self.payload);
        Ok(())
    }
}
