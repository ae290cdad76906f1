//! What a record of the log carries: the publishes one origin gathered, one after the other in one allocation.
//!
//! The format never leaves the process. Payloads are copied here out of the read buffers they came in, so a
//! small message never keeps a large buffer alive.

use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::mqtt::codec::{PublishView, TooLarge};
use crate::mqtt::{Property, QoS, codec};

/// Identifiers of the properties that the broker looks at or that belong to one hop only (MQTT 5, 2.2.2.2).
const MESSAGE_EXPIRY_INTERVAL: u8 = 0x02;
const SUBSCRIPTION_IDENTIFIER: u8 = 0x0B;
const TOPIC_ALIAS: u8 = 0x23;

/// Flags byte (bits 0-1 QoS, bit 2 retain), publisher (u32), topic length (u16), property length (u32), payload
/// length (u32): all in front, so an envelope is read with one bounds check.
const PREFIX: usize = 1 + 4 + 2 + 4 + 4;
const RETAIN: u8 = 0b100;

/// A publish on its way through the log.
#[derive(Debug, Clone, Copy)]
pub struct Envelope<'a> {
    /// The session that published it, by its number in the partition of origin.
    pub publisher: u32,
    /// Quality of service it was published with.
    pub qos: QoS,
    /// Retain flag it was published with.
    pub retain: bool,
    /// Topic name, never empty.
    pub topic: &'a str,
    /// MQTT 5 property block without what belongs to the publisher's hop.
    pub properties: &'a [u8],
    /// Payload.
    pub payload: &'a [u8],
}

impl Envelope<'_> {
    /// Adds it to a record's body.
    pub fn write(&self, body: &mut Vec<u8>) {
        body.reserve(PREFIX + self.topic.len() + self.properties.len() + self.payload.len());
        body.push(self.qos.number() | if self.retain { RETAIN } else { 0 });
        body.extend_from_slice(&self.publisher.to_be_bytes());
        body.extend_from_slice(&(self.topic.len() as u16).to_be_bytes());
        body.extend_from_slice(&(self.properties.len() as u32).to_be_bytes());
        body.extend_from_slice(&(self.payload.len() as u32).to_be_bytes());
        body.extend_from_slice(self.topic.as_bytes());
        body.extend_from_slice(self.properties);
        body.extend_from_slice(self.payload);
    }

    /// How long the message may still be delivered, if its publisher set a limit.
    pub fn expiry(&self) -> Option<Duration> {
        codec::property_block(self.properties)
            .find(|(identifier, _)| *identifier == MESSAGE_EXPIRY_INTERVAL)
            .map(|(_, property)| Duration::from_secs(u64::from(be_u32(&property[1..]))))
    }
}

/// The envelopes of a record's body, in the order they were written.
pub fn envelopes(mut body: &[u8]) -> impl Iterator<Item = Envelope<'_>> {
    std::iter::from_fn(move || {
        let (prefix, rest) = body.split_first_chunk::<PREFIX>()?;
        let topic_length = usize::from(u16::from_be_bytes([prefix[5], prefix[6]]));
        let (topic, rest) = rest.split_at(topic_length);
        let (properties, rest) = rest.split_at(be_u32(&prefix[7..]) as usize);
        let (payload, rest) = rest.split_at(be_u32(&prefix[11..]) as usize);
        body = rest;
        Some(Envelope {
            publisher: be_u32(&prefix[1..]),
            qos: QoS::from_number(prefix[0] & 0b11).unwrap_or_default(),
            retain: prefix[0] & RETAIN != 0,
            // Written from a `str` by this process; checking it again would cost as much as the matching.
            topic: std::str::from_utf8(topic).unwrap_or_default(),
            properties,
            payload,
        })
    })
}

fn be_u32(bytes: &[u8]) -> u32 {
    u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

/// The part of a property block that travels on to subscribers: all but topic alias and subscription identifiers,
/// which belong to one hop (3.3.2.3.4, 3.3.2.3.8). Borrowed when nothing has to go.
pub fn forwarded_properties(block: &[u8]) -> std::borrow::Cow<'_, [u8]> {
    let stays = |identifier: u8| !matches!(identifier, SUBSCRIPTION_IDENTIFIER | TOPIC_ALIAS);
    if codec::property_block(block).all(|(identifier, _)| stays(identifier)) {
        return block.into();
    }
    codec::property_block(block)
        .filter(|(identifier, _)| stays(*identifier))
        .flat_map(|(_, property)| property.iter().copied())
        .collect::<Vec<u8>>()
        .into()
}

/// The topic alias in a property block (3.3.2.3.4).
pub fn topic_alias(block: &[u8]) -> Option<u16> {
    codec::property_block(block)
        .find(|(identifier, _)| *identifier == TOPIC_ALIAS)
        .map(|(_, property)| u16::from_be_bytes([property[1], property[2]]))
}

/// Whether a property block has a subscription identifier, which a client must not send (3.3.4).
pub fn has_subscription_identifier(block: &[u8]) -> bool {
    codec::property_block(block).any(|(identifier, _)| identifier == SUBSCRIPTION_IDENTIFIER)
}

/// A message kept beyond the moment it passed: queued, in flight, retained. One allocation of its own size.
#[derive(Debug)]
pub struct Message {
    /// Quality of service it was published with.
    pub qos: QoS,
    /// Retain flag it was published with.
    pub retain: bool,
    /// When its message expiry interval ends (3.3.2.3.3).
    pub expires: Option<Instant>,
    topic_length: usize,
    properties_length: usize,
    parts: Box<[u8]>,
}

impl Message {
    /// Copies an envelope out of its record.
    pub fn new(envelope: &Envelope<'_>, now: Instant) -> Rc<Message> {
        let mut parts = Vec::with_capacity(
            envelope.topic.len() + envelope.properties.len() + envelope.payload.len(),
        );
        parts.extend_from_slice(envelope.topic.as_bytes());
        parts.extend_from_slice(envelope.properties);
        parts.extend_from_slice(envelope.payload);
        Rc::new(Message {
            qos: envelope.qos,
            retain: envelope.retain,
            expires: envelope.expiry().map(|left| now + left),
            topic_length: envelope.topic.len(),
            properties_length: envelope.properties.len(),
            parts: parts.into_boxed_slice(),
        })
    }

    /// Topic name.
    pub fn topic(&self) -> &str {
        std::str::from_utf8(&self.parts[..self.topic_length]).unwrap_or_default()
    }

    /// Property block as published.
    pub fn properties(&self) -> &[u8] {
        &self.parts[self.topic_length..][..self.properties_length]
    }

    /// Payload.
    pub fn payload(&self) -> &[u8] {
        &self.parts[self.topic_length + self.properties_length..]
    }

    /// Bytes it occupies.
    pub fn size(&self) -> usize {
        self.parts.len() + size_of::<Message>()
    }

    /// Whether its message expiry interval has passed (3.3.2.3.3).
    pub fn has_expired(&self, now: Instant) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}

/// What one delivery to one session adds to a publish.
#[derive(Debug, Clone, Copy)]
pub struct Outgoing<'a> {
    /// Set on a re-delivery only.
    pub dup: bool,
    /// min(published, granted).
    pub qos: QoS,
    /// As the subscription wants it.
    pub retain: bool,
    /// 0 at QoS 0.
    pub packet_id: u16,
    /// Identifiers of all matching subscriptions that have one.
    pub identifiers: &'a [u32],
    /// Seconds the message may still be delivered, when it waited here; replaces the interval in the block.
    pub expiry_left: Option<u32>,
}

/// Encodes a PUBLISH to a subscriber, adding to the property block what this delivery needs (3.3.2.3).
/// `scratch` is only touched when there is something to add.
///
/// # Errors
/// When what was added makes the packet larger than MQTT can carry; `out` is then as it was.
pub fn write_publish(
    out: &mut Vec<u8>,
    scratch: &mut Vec<u8>,
    version: crate::mqtt::Version,
    topic: &str,
    properties: &[u8],
    payload: &[u8],
    outgoing: &Outgoing<'_>,
) -> Result<(), TooLarge> {
    let block = if outgoing.identifiers.is_empty() && outgoing.expiry_left.is_none() {
        properties
    } else {
        scratch.clear();
        for (identifier, property) in codec::property_block(properties) {
            match outgoing.expiry_left {
                Some(left) if identifier == MESSAGE_EXPIRY_INTERVAL => {
                    scratch.push(MESSAGE_EXPIRY_INTERVAL);
                    scratch.extend_from_slice(&left.to_be_bytes());
                }
                _ => scratch.extend_from_slice(property),
            }
        }
        for identifier in outgoing.identifiers {
            codec::write_property(&Property::SubscriptionIdentifier(*identifier), scratch)?;
        }
        scratch
    };
    PublishView {
        dup: outgoing.dup,
        qos: outgoing.qos,
        retain: outgoing.retain,
        topic,
        packet_id: outgoing.packet_id,
        properties: block,
        payload,
    }
    .write(version, out)
}
