//! A message that is kept, and a publish on its way out to one client.

use std::rc::Rc;

use tokio::time::Instant;

use super::record::{Envelope, MESSAGE_EXPIRY_INTERVAL};
use crate::mqtt::codec::{PublishView, TooLarge};
use crate::mqtt::{Property, QoS, Version, codec};

/// A message kept beyond the moment it passed: queued, in flight, retained. One allocation of its own size.
#[derive(Debug)]
pub struct Message {
    /// Quality of service it was published with.
    pub qos: QoS,
    /// The identity of the client that published it.
    pub publisher: u64,
    /// When its message expiry interval ends (3.3.2.3.3).
    pub expires: Option<Instant>,
    topic_length: usize,
    properties_length: usize,
    parts: Box<[u8]>,
}

impl Message {
    /// Copies an envelope out of its record.
    pub fn new(envelope: &Envelope<'_>, now: Instant) -> Rc<Message> {
        let parts = [
            envelope.topic.as_bytes(),
            envelope.properties,
            envelope.payload,
        ]
        .concat();
        Rc::new(Message {
            qos: envelope.qos,
            publisher: envelope.publisher,
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

    /// Seconds it may still be delivered, rounded up: what a delivery says after it has waited here [MQTT-3.3.2-6].
    pub fn expiry_left(&self, now: Instant) -> Option<u32> {
        let left = self.expires?.saturating_duration_since(now);
        Some(u32::try_from(left.as_millis().div_ceil(1000)).unwrap_or(u32::MAX))
    }
}

/// A publish on its way out, with what this delivery adds to it.
#[derive(Debug, Clone, Copy)]
pub struct Outgoing<'a> {
    /// The packet; its property block as published.
    pub publish: PublishView<'a>,
    /// Identifiers of all matching subscriptions that have one (3.3.2.3.8).
    pub identifiers: &'a [u32],
    /// Replaces the message expiry interval, when the message has waited here.
    pub expiry_left: Option<u32>,
    /// The alias of its topic on this connection (3.3.2.3.4).
    pub alias: Option<u16>,
}

impl Outgoing<'_> {
    /// Encodes it. `scratch` is only touched when the property block has to change.
    ///
    /// # Errors
    /// When what was added makes the packet larger than MQTT can carry; `out` is then as it was.
    pub fn write(
        &self,
        version: Version,
        scratch: &mut Vec<u8>,
        out: &mut Vec<u8>,
    ) -> Result<(), TooLarge> {
        let unchanged =
            self.identifiers.is_empty() && self.expiry_left.is_none() && self.alias.is_none();
        if version < Version::V5 || unchanged {
            return self.publish.write(version, out);
        }
        scratch.clear();
        write_block(self.publish.properties, self.expiry_left, scratch);
        for identifier in self.identifiers {
            codec::write_property(&Property::SubscriptionIdentifier(*identifier), scratch)?;
        }
        if let Some(alias) = self.alias {
            codec::write_property(&Property::TopicAlias(alias), scratch)?;
        }
        PublishView {
            properties: scratch,
            ..self.publish
        }
        .write(version, out)
    }
}

/// Copies a property block with the message expiry interval replaced.
pub fn write_block(properties: &[u8], expiry_left: Option<u32>, out: &mut Vec<u8>) {
    for (identifier, property) in codec::property_block(properties) {
        match expiry_left {
            Some(left) if identifier == MESSAGE_EXPIRY_INTERVAL => {
                out.push(MESSAGE_EXPIRY_INTERVAL);
                out.extend_from_slice(&left.to_be_bytes());
            }
            _ => out.extend_from_slice(property),
        }
    }
}
