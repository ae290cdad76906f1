//! What a record of the log carries: the entries one origin gathered, one after the other in one allocation. Nearly
//! all are publishes; the rest keeps the groups of shared subscriptions the same in every partition.
//!
//! The format never leaves the process. Payloads are copied here out of the read buffers they came in, so a
//! small message never keeps a large buffer alive.

use std::time::Duration;

use super::groups::Change;
use crate::mqtt::{QoS, codec};

/// Identifiers of the properties that the broker looks at or that belong to one hop only (MQTT 5, 2.2.2.2).
pub const MESSAGE_EXPIRY_INTERVAL: u8 = 0x02;
const SUBSCRIPTION_IDENTIFIER: u8 = 0x0B;
const TOPIC_ALIAS: u8 = 0x23;

/// Flags byte (bits 0-1 QoS, bit 2 retain, bits 6-7 kind of entry), publisher (u64), topic length (u16), property
/// length (u32), payload length (u32): all in front, so an entry is read with one bounds check.
const PREFIX: usize = 1 + 8 + 2 + 4 + 4;
const RETAIN: u8 = 0b100;
const KIND: u8 = 0b1100_0000;
const AGAIN: u8 = 0b0100_0000;
const MEMBER: u8 = 0b1000_0000;
const MARK: u8 = 0b1100_0000;

/// One entry of a record.
#[derive(Debug, Clone, Copy)]
pub enum Entry<'a> {
    /// A publish, for everybody.
    Publish(Envelope<'a>),
    /// A publish that a member of this group was given and did not take before its session ended, for another one.
    Again(&'a str, Envelope<'a>),
    /// A change in the group of this shared subscription: the member's session, by its number and place in the
    /// partition of origin.
    Member {
        /// `$share/group/filter`.
        share: &'a str,
        /// The session's number.
        number: u32,
        /// The session's place.
        place: u32,
        /// What happens to it.
        change: Change,
    },
    /// A place that its origin waits to come to.
    Mark,
}

/// A publish on its way through the log.
#[derive(Debug, Clone, Copy)]
pub struct Envelope<'a> {
    /// The identity of the client that published it, 0 for the broker itself.
    pub publisher: u64,
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
    /// Adds it to a record's body, for everybody.
    pub fn write(&self, body: &mut Vec<u8>) {
        self.write_as(0, body);
    }

    /// Adds it to a record's body, for another member of this group.
    pub fn write_again(&self, share: &str, body: &mut Vec<u8>) {
        self.write_as(AGAIN, body);
        body.extend_from_slice(&(share.len() as u16).to_be_bytes());
        body.extend_from_slice(share.as_bytes());
    }

    fn write_as(&self, kind: u8, body: &mut Vec<u8>) {
        body.reserve(self.size());
        body.push(kind | self.qos.number() | if self.retain { RETAIN } else { 0 });
        body.extend_from_slice(&self.publisher.to_be_bytes());
        body.extend_from_slice(&(self.topic.len() as u16).to_be_bytes());
        body.extend_from_slice(&(self.properties.len() as u32).to_be_bytes());
        body.extend_from_slice(&(self.payload.len() as u32).to_be_bytes());
        body.extend_from_slice(self.topic.as_bytes());
        body.extend_from_slice(self.properties);
        body.extend_from_slice(self.payload);
    }

    /// Bytes it takes in a record.
    pub fn size(&self) -> usize {
        PREFIX + self.topic.len() + self.properties.len() + self.payload.len()
    }

    /// How long the message may still be delivered, if its publisher set a limit.
    pub fn expiry(&self) -> Option<Duration> {
        codec::property_block(self.properties)
            .find(|(identifier, _)| *identifier == MESSAGE_EXPIRY_INTERVAL)
            .map(|(_, property)| Duration::from_secs(u64::from(be_u32(&property[1..]))))
    }
}

/// What stands before the entries of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// When its first entry arrived, in microseconds of the broker's life.
    pub arrived: u64,
    /// Whether the origin wants to know which publishes found a subscriber.
    pub asks: bool,
}

/// Begins a record's body. Whether it asks is only known later.
pub fn begin(arrived: u64, body: &mut Vec<u8>) {
    body.extend_from_slice(&arrived.to_be_bytes());
    body.push(0);
}

/// Makes a record ask which of its publishes found a subscriber.
pub fn ask(body: &mut [u8]) {
    body[8] = 1;
}

/// What stands before a record's entries, and the entries.
pub fn open(body: &[u8]) -> (Head, impl Iterator<Item = Entry<'_>>) {
    let ([arrived @ .., asks], rest) = body.split_first_chunk::<9>().unwrap_or((&[0; 9], &[]));
    (
        Head {
            arrived: u64::from_be_bytes(*arrived),
            asks: *asks == 1,
        },
        entries(rest),
    )
}

/// Adds a change of a group to a record's body: as a publish to the share would be, its publisher the session's number, with
/// the place for a payload.
pub fn write_member(share: &str, number: u32, place: u32, change: Change, body: &mut Vec<u8>) {
    body.push(MEMBER | change as u8);
    body.extend_from_slice(&u64::from(number).to_be_bytes());
    body.extend_from_slice(&(share.len() as u16).to_be_bytes());
    body.extend_from_slice(&0u32.to_be_bytes());
    body.extend_from_slice(&4u32.to_be_bytes());
    body.extend_from_slice(share.as_bytes());
    body.extend_from_slice(&place.to_be_bytes());
}

/// Adds a mark to a record's body: the prefix of an entry with nothing in it.
pub fn write_mark(body: &mut Vec<u8>) {
    body.push(MARK);
    body.resize(body.len() + PREFIX - 1, 0);
}

/// The entries of a record's body, in the order they were written.
fn entries(mut body: &[u8]) -> impl Iterator<Item = Entry<'_>> {
    std::iter::from_fn(move || {
        let (prefix, rest) = body.split_first_chunk::<PREFIX>()?;
        let topic_length = usize::from(u16::from_be_bytes([prefix[9], prefix[10]]));
        let (topic, rest) = rest.split_at(topic_length);
        let (properties, rest) = rest.split_at(be_u32(&prefix[11..]) as usize);
        let (payload, rest) = rest.split_at(be_u32(&prefix[15..]) as usize);
        body = rest;
        let envelope = Envelope {
            publisher: publisher(prefix),
            qos: QoS::from_number(prefix[0] & 0b11).unwrap_or_default(),
            retain: prefix[0] & RETAIN != 0,
            topic: text(topic),
            properties,
            payload,
        };
        Some(match prefix[0] & KIND {
            AGAIN => {
                let (share, rest) =
                    body[2..].split_at(usize::from(u16::from_be_bytes([body[0], body[1]])));
                body = rest;
                Entry::Again(text(share), envelope)
            }
            MARK => Entry::Mark,
            MEMBER => Entry::Member {
                share: envelope.topic,
                // It was a u32 when it was written.
                number: envelope.publisher as u32,
                place: be_u32(payload),
                change: Change::from_number(prefix[0] & !KIND),
            },
            _ => Entry::Publish(envelope),
        })
    })
}

/// Written from a `str` by this process; the check costs little beside the matching.
fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

fn publisher(prefix: &[u8; PREFIX]) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&prefix[1..9]);
    u64::from_be_bytes(bytes)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_entry_comes_out_of_a_record_as_it_went_in() {
        let envelope = Envelope {
            publisher: u64::MAX - 7,
            qos: QoS::ExactlyOnce,
            retain: true,
            topic: "温度/1",
            properties: &[MESSAGE_EXPIRY_INTERVAL, 0, 0, 0, 9],
            payload: b"21.5",
        };
        let mut body = Vec::new();
        begin(12_345, &mut body);
        envelope.write(&mut body);
        envelope.write_again("$share/g/#", &mut body);
        write_member("$share/g/a", 3, 4, Change::Rests, &mut body);
        write_mark(&mut body);
        envelope.write(&mut body);
        let expected = [
            Entry::Publish(envelope),
            Entry::Again("$share/g/#", envelope),
            Entry::Member {
                share: "$share/g/a",
                number: 3,
                place: 4,
                change: Change::Rests,
            },
            Entry::Mark,
            Entry::Publish(envelope),
        ];
        assert_eq!(
            open(&body)
                .1
                .map(|entry| format!("{entry:?}"))
                .collect::<Vec<_>>(),
            expected.map(|entry| format!("{entry:?}"))
        );
        assert_eq!(
            open(&body).0,
            Head {
                arrived: 12_345,
                asks: false
            }
        );
        ask(&mut body);
        assert!(open(&body).0.asks);
        assert_eq!(envelope.expiry(), Some(Duration::from_secs(9)));
    }

    #[test]
    fn what_belongs_to_one_hop_does_not_travel_on() {
        let block = [TOPIC_ALIAS, 0, 5, 1, 1, SUBSCRIPTION_IDENTIFIER, 0x80, 0x01];
        assert_eq!(forwarded_properties(&block)[..], [1, 1]);
        assert_eq!(topic_alias(&block), Some(5));
        assert!(has_subscription_identifier(&block));
        assert_eq!(forwarded_properties(&[1, 1])[..], [1, 1]);
    }
}
