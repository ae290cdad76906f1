//! MQTT 5 properties on the wire (2.2.2): one table says of each identifier what it carries and where it may
//! appear; reading, checking, walking and writing follow it.

use bytes::Bytes;

use super::frame::encode_variable;
use super::reader::Reader;
use super::{Malformed, TooLarge, malformed, protocol_error, refused};
use crate::mqtt::topic::is_valid_topic_name;
use crate::mqtt::{ByteString, Properties, Property, ReasonCode};

/// Where properties stand; one bit each, so that a rule is a set of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::mqtt) struct Place(u16);

impl Place {
    pub(in crate::mqtt) const CONNECT: Place = Place(1 << 0);
    pub(in crate::mqtt) const CONNACK: Place = Place(1 << 1);
    pub(in crate::mqtt) const PUBLISH: Place = Place(1 << 2);
    pub(in crate::mqtt) const WILL: Place = Place(1 << 3);
    /// PUBACK, PUBREC, PUBREL and PUBCOMP.
    pub(in crate::mqtt) const ACKNOWLEDGEMENT: Place = Place(1 << 4);
    pub(in crate::mqtt) const SUBSCRIBE: Place = Place(1 << 5);
    /// SUBACK and UNSUBACK.
    pub(in crate::mqtt) const SUBACK: Place = Place(1 << 6);
    pub(in crate::mqtt) const UNSUBSCRIBE: Place = Place(1 << 7);
    pub(in crate::mqtt) const DISCONNECT: Place = Place(1 << 8);
    pub(in crate::mqtt) const AUTH: Place = Place(1 << 9);

    const fn or(self, other: Place) -> Place {
        Place(self.0 | other.0)
    }

    /// Whether `place` is one of these.
    pub(in crate::mqtt) const fn has(self, place: Place) -> bool {
        self.0 & place.0 != 0
    }

    fn name(self) -> &'static str {
        match self {
            Place::CONNECT => "CONNECT",
            Place::CONNACK => "CONNACK",
            Place::PUBLISH => "PUBLISH",
            Place::WILL => "a will",
            Place::ACKNOWLEDGEMENT => "an acknowledgement",
            Place::SUBSCRIBE => "SUBSCRIBE",
            Place::SUBACK => "SUBACK or UNSUBACK",
            Place::UNSUBSCRIBE => "UNSUBSCRIBE",
            Place::DISCONNECT => "DISCONNECT",
            _ => "AUTH",
        }
    }
}

/// What a property carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::mqtt) enum Shape {
    /// A byte which is 0 or 1.
    Flag,
    TwoBytes,
    /// Two bytes, never 0.
    Positive,
    FourBytes,
    /// Four bytes, never 0.
    Large,
    /// A variable byte integer, never 0.
    Variable,
    Text,
    Pair,
    Binary,
}

/// The identifiers that the code names; all others stand in the table only.
const RESPONSE_TOPIC: u8 = 8;
const SUBSCRIPTION_IDENTIFIER: u8 = 11;
const TOPIC_ALIAS: u8 = 35;
const USER_PROPERTY: u8 = 38;

/// Table 2-4: shape, places and name of each identifier.
const fn rule(identifier: u8) -> Option<(Shape, Place, &'static str)> {
    const MESSAGE: Place = Place::PUBLISH.or(Place::WILL);
    const OPENING: Place = Place::CONNECT.or(Place::CONNACK);
    const ANSWER: Place = Place::CONNACK
        .or(Place::ACKNOWLEDGEMENT)
        .or(Place::SUBACK)
        .or(CLOSING);
    const CLOSING: Place = Place::DISCONNECT.or(Place::AUTH);
    Some(match identifier {
        1 => (Shape::Flag, MESSAGE, "payload format indicator"),
        2 => (Shape::FourBytes, MESSAGE, "message expiry interval"),
        3 => (Shape::Text, MESSAGE, "content type"),
        RESPONSE_TOPIC => (Shape::Text, MESSAGE, "response topic"),
        9 => (Shape::Binary, MESSAGE, "correlation data"),
        SUBSCRIPTION_IDENTIFIER => (
            Shape::Variable,
            Place::PUBLISH.or(Place::SUBSCRIBE),
            "subscription identifier",
        ),
        17 => (
            Shape::FourBytes,
            OPENING.or(Place::DISCONNECT),
            "session expiry interval",
        ),
        18 => (Shape::Text, Place::CONNACK, "assigned client identifier"),
        19 => (Shape::TwoBytes, Place::CONNACK, "server keep alive"),
        21 => (
            Shape::Text,
            OPENING.or(Place::AUTH),
            "authentication method",
        ),
        22 => (
            Shape::Binary,
            OPENING.or(Place::AUTH),
            "authentication data",
        ),
        23 => (Shape::Flag, Place::CONNECT, "request problem information"),
        24 => (Shape::FourBytes, Place::WILL, "will delay interval"),
        25 => (Shape::Flag, Place::CONNECT, "request response information"),
        26 => (Shape::Text, Place::CONNACK, "response information"),
        28 => (
            Shape::Text,
            Place::CONNACK.or(Place::DISCONNECT),
            "server reference",
        ),
        31 => (Shape::Text, ANSWER, "reason string"),
        33 => (Shape::Positive, OPENING, "receive maximum"),
        34 => (Shape::TwoBytes, OPENING, "topic alias maximum"),
        TOPIC_ALIAS => (Shape::Positive, Place::PUBLISH, "topic alias"),
        36 => (Shape::Flag, Place::CONNACK, "maximum quality of service"),
        37 => (Shape::Flag, Place::CONNACK, "retain available"),
        USER_PROPERTY => (Shape::Pair, Place(u16::MAX), "user property"),
        39 => (Shape::Large, OPENING, "maximum packet size"),
        40 => (
            Shape::Flag,
            Place::CONNACK,
            "wildcard subscription available",
        ),
        41 => (
            Shape::Flag,
            Place::CONNACK,
            "subscription identifier available",
        ),
        42 => (Shape::Flag, Place::CONNACK, "shared subscription available"),
        _ => return None,
    })
}

/// Every property: identifier, shape, places and name.
pub(in crate::mqtt) fn property_rules() -> impl Iterator<Item = (u8, Shape, Place, &'static str)> {
    (0..=u8::MAX).filter_map(|identifier| {
        let (shape, places, name) = rule(identifier)?;
        Some((identifier, shape, places, name))
    })
}

/// The property these bytes are, identifier first, whatever its value.
pub(in crate::mqtt) fn unchecked_property(wire: &Bytes) -> Option<Property> {
    let mut reader = Reader::new(wire);
    let identifier = reader.byte("property identifier").ok()?;
    let (shape, _, name) = rule(identifier)?;
    let value = value(&mut reader, shape, name).ok()?;
    own(wire, identifier, value)
}

/// The value of one property, where it lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Value<'a> {
    Byte(u8),
    TwoBytes(u16),
    FourBytes(u32),
    Variable(u32),
    Text(&'a str),
    Pair(&'a str, &'a str),
    Binary(&'a [u8]),
}

/// Reads one property and holds it against the rules. `seen` has a bit for every identifier that came before.
fn next<'a>(
    reader: &mut Reader<'a>,
    place: Place,
    seen: &mut u64,
) -> Result<(u8, Value<'a>), Malformed> {
    // Formally a variable byte integer, but all identifiers there are fit into its first byte.
    let identifier = reader.byte("property identifier")?;
    let Some((shape, places, name)) = rule(identifier) else {
        return Err(malformed(format!(
            "there is no property 0x{identifier:02X}"
        )));
    };
    if !places.has(place) {
        return Err(malformed(format!(
            "the {name} is no property of {}",
            place.name()
        )));
    }
    let value = value(reader, shape, name)?;
    let repeats = match identifier {
        USER_PROPERTY => true,
        // A message carries one for every subscription it matched (3.3.2.3.8).
        SUBSCRIPTION_IDENTIFIER => place == Place::PUBLISH,
        _ => false,
    };
    if *seen & 1 << identifier != 0 && !repeats {
        return Err(protocol_error(format!("the {name} is given twice")));
    }
    *seen |= 1 << identifier;
    match (shape, value) {
        (Shape::Flag, Value::Byte(2..)) => {
            Err(protocol_error(format!("the {name} is neither 0 nor 1")))
        }
        (Shape::Positive, Value::TwoBytes(0)) if identifier == TOPIC_ALIAS => Err(refused(
            ReasonCode::TOPIC_ALIAS_INVALID,
            "the topic alias is 0",
        )),
        (Shape::Positive, Value::TwoBytes(0))
        | (Shape::Large, Value::FourBytes(0))
        | (Shape::Variable, Value::Variable(0)) => Err(protocol_error(format!("the {name} is 0"))),
        (_, Value::Text(topic)) if identifier == RESPONSE_TOPIC && !is_valid_topic_name(topic) => {
            Err(protocol_error(
                "the response topic is empty or contains wildcards",
            ))
        }
        _ => Ok((identifier, value)),
    }
}

fn value<'a>(
    reader: &mut Reader<'a>,
    shape: Shape,
    name: &'static str,
) -> Result<Value<'a>, Malformed> {
    Ok(match shape {
        Shape::Flag => Value::Byte(reader.byte(name)?),
        Shape::TwoBytes | Shape::Positive => Value::TwoBytes(reader.two_bytes(name)?),
        Shape::FourBytes | Shape::Large => Value::FourBytes(reader.four_bytes(name)?),
        Shape::Variable => Value::Variable(reader.variable(name)?),
        Shape::Text => Value::Text(reader.text(name)?),
        Shape::Pair => Value::Pair(reader.text(name)?, reader.text(name)?),
        Shape::Binary => Value::Binary(reader.binary(name)?),
    })
}

/// Holds a whole block, without its length prefix, against the rules. The result has a bit for every identifier
/// that occurs.
pub(super) fn check(block: &[u8], place: Place) -> Result<u64, Malformed> {
    let mut reader = Reader::new(block);
    let mut seen = 0;
    while !reader.rest.is_empty() {
        next(&mut reader, place, &mut seen)?;
    }
    Ok(seen)
}

/// What the rules have against this property in this place, in words.
pub(in crate::mqtt) fn property_fault(property: &Property, place: Place) -> Option<String> {
    let mut wire = Vec::new();
    match write_property(property, &mut wire) {
        Err(too_large) => Some(too_large.to_string()),
        Ok(()) => check(&wire, place)
            .err()
            .map(|fault| fault.message.into_owned()),
    }
}

/// Whether [`check`] saw a topic alias.
pub(super) fn has_topic_alias(seen: u64) -> bool {
    seen & 1 << TOPIC_ALIAS != 0
}

/// Reads a whole block, without its length prefix, that lies in `packet` and shares its memory.
pub(super) fn read(packet: &Bytes, block: &[u8], place: Place) -> Result<Properties, Malformed> {
    let mut reader = Reader::new(block);
    let mut seen = 0;
    let mut properties = Vec::new();
    while !reader.rest.is_empty() {
        let (identifier, value) = next(&mut reader, place, &mut seen)?;
        properties.extend(own(packet, identifier, value));
    }
    Ok(Properties(properties))
}

/// The slice of `packet` that `text` is.
pub(super) fn share_text(packet: &Bytes, text: &str) -> ByteString {
    ByteString::try_from(packet.slice_ref(text.as_bytes())).expect("it was a str")
}

/// The property a value of the right shape stands for; `None` for an identifier that [`rule`] does not know.
fn own(packet: &Bytes, identifier: u8, value: Value<'_>) -> Option<Property> {
    Some(match value {
        Value::Byte(value) => match identifier {
            1 => Property::PayloadFormatIndicator(value),
            23 => Property::RequestProblemInformation(value),
            25 => Property::RequestResponseInformation(value),
            36 => Property::MaximumQoS(value),
            37 => Property::RetainAvailable(value),
            40 => Property::WildcardSubscriptionAvailable(value),
            41 => Property::SubscriptionIdentifierAvailable(value),
            42 => Property::SharedSubscriptionAvailable(value),
            _ => return None,
        },
        Value::TwoBytes(value) => match identifier {
            19 => Property::ServerKeepAlive(value),
            33 => Property::ReceiveMaximum(value),
            34 => Property::TopicAliasMaximum(value),
            TOPIC_ALIAS => Property::TopicAlias(value),
            _ => return None,
        },
        Value::FourBytes(value) => match identifier {
            2 => Property::MessageExpiryInterval(value),
            17 => Property::SessionExpiryInterval(value),
            24 => Property::WillDelayInterval(value),
            39 => Property::MaximumPacketSize(value),
            _ => return None,
        },
        Value::Variable(value) => Property::SubscriptionIdentifier(value),
        Value::Text(text) => {
            let text = share_text(packet, text);
            match identifier {
                3 => Property::ContentType(text),
                RESPONSE_TOPIC => Property::ResponseTopic(text),
                18 => Property::AssignedClientIdentifier(text),
                21 => Property::AuthenticationMethod(text),
                26 => Property::ResponseInformation(text),
                28 => Property::ServerReference(text),
                31 => Property::ReasonString(text),
                _ => return None,
            }
        }
        Value::Pair(name, value) => {
            Property::UserProperty(share_text(packet, name), share_text(packet, value))
        }
        Value::Binary(bytes) => {
            let bytes = packet.slice_ref(bytes);
            match identifier {
                9 => Property::CorrelationData(bytes),
                22 => Property::AuthenticationData(bytes),
                _ => return None,
            }
        }
    })
}

/// Identifier and value of a property: the way back from [`own`].
fn parts(property: &Property) -> (u8, Value<'_>) {
    match property {
        Property::PayloadFormatIndicator(value) => (1, Value::Byte(*value)),
        Property::MessageExpiryInterval(value) => (2, Value::FourBytes(*value)),
        Property::ContentType(text) => (3, Value::Text(text)),
        Property::ResponseTopic(text) => (RESPONSE_TOPIC, Value::Text(text)),
        Property::CorrelationData(bytes) => (9, Value::Binary(bytes)),
        Property::SubscriptionIdentifier(value) => {
            (SUBSCRIPTION_IDENTIFIER, Value::Variable(*value))
        }
        Property::SessionExpiryInterval(value) => (17, Value::FourBytes(*value)),
        Property::AssignedClientIdentifier(text) => (18, Value::Text(text)),
        Property::ServerKeepAlive(value) => (19, Value::TwoBytes(*value)),
        Property::AuthenticationMethod(text) => (21, Value::Text(text)),
        Property::AuthenticationData(bytes) => (22, Value::Binary(bytes)),
        Property::RequestProblemInformation(value) => (23, Value::Byte(*value)),
        Property::WillDelayInterval(value) => (24, Value::FourBytes(*value)),
        Property::RequestResponseInformation(value) => (25, Value::Byte(*value)),
        Property::ResponseInformation(text) => (26, Value::Text(text)),
        Property::ServerReference(text) => (28, Value::Text(text)),
        Property::ReasonString(text) => (31, Value::Text(text)),
        Property::ReceiveMaximum(value) => (33, Value::TwoBytes(*value)),
        Property::TopicAliasMaximum(value) => (34, Value::TwoBytes(*value)),
        Property::TopicAlias(value) => (TOPIC_ALIAS, Value::TwoBytes(*value)),
        Property::MaximumQoS(value) => (36, Value::Byte(*value)),
        Property::RetainAvailable(value) => (37, Value::Byte(*value)),
        Property::UserProperty(name, value) => (USER_PROPERTY, Value::Pair(name, value)),
        Property::MaximumPacketSize(value) => (39, Value::FourBytes(*value)),
        Property::WildcardSubscriptionAvailable(value) => (40, Value::Byte(*value)),
        Property::SubscriptionIdentifierAvailable(value) => (41, Value::Byte(*value)),
        Property::SharedSubscriptionAvailable(value) => (42, Value::Byte(*value)),
    }
}

/// Appends one property, identifier first. Several of them, one after the other, are a block as
/// [`super::PublishView`] carries it.
///
/// # Errors
/// A string or binary value of more than 65,535 bytes, or a subscription identifier over 268,435,455; `out` is
/// then left with a part of the property.
pub fn write_property(property: &Property, out: &mut Vec<u8>) -> Result<(), TooLarge> {
    let (identifier, value) = parts(property);
    out.push(identifier);
    match value {
        Value::Byte(value) => out.push(value),
        Value::TwoBytes(value) => out.extend_from_slice(&value.to_be_bytes()),
        Value::FourBytes(value) => out.extend_from_slice(&value.to_be_bytes()),
        Value::Variable(value) => {
            let (bytes, width) = encode_variable(value as usize, "subscription identifier")?;
            out.extend_from_slice(&bytes[..width]);
        }
        Value::Text(text) => write_binary(text.as_bytes(), property_name(identifier), out)?,
        Value::Pair(name, value) => {
            write_binary(name.as_bytes(), "user property name in bytes", out)?;
            write_binary(value.as_bytes(), "user property value in bytes", out)?;
        }
        Value::Binary(bytes) => write_binary(bytes, property_name(identifier), out)?,
    }
    Ok(())
}

fn property_name(identifier: u8) -> &'static str {
    rule(identifier).map_or("property", |(_, _, name)| name)
}

/// Binary data or a string with its length of two bytes (1.5.4, 1.5.6).
pub(super) fn write_binary(
    bytes: &[u8],
    what: &'static str,
    out: &mut Vec<u8>,
) -> Result<(), TooLarge> {
    let Ok(length) = u16::try_from(bytes.len()) else {
        return Err(TooLarge {
            what,
            length: bytes.len(),
            limit: usize::from(u16::MAX),
        });
    };
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(bytes);
    Ok(())
}

/// Walks an already validated block: each property as its identifier and all its bytes, identifier included, so
/// that a block can be copied without some of its properties. Ends early at what is not a property.
pub fn property_block(block: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut rest = block;
    std::iter::from_fn(move || {
        let (&identifier, value) = rest.split_first()?;
        let (shape, ..) = rule(identifier)?;
        let (whole, after) = rest.split_at_checked(1 + width(shape, value)?)?;
        rest = after;
        Some((identifier, whole))
    })
}

/// How many of `bytes` a value of this shape takes.
fn width(shape: Shape, bytes: &[u8]) -> Option<usize> {
    let counted = |bytes: &[u8]| Some(2 + usize::from(u16::from_be_bytes(*bytes.first_chunk()?)));
    Some(match shape {
        Shape::Flag => 1,
        Shape::TwoBytes | Shape::Positive => 2,
        Shape::FourBytes | Shape::Large => 4,
        Shape::Variable => 1 + bytes.iter().position(|&byte| byte < 0x80)?,
        Shape::Text | Shape::Binary => counted(bytes)?,
        Shape::Pair => {
            let name = counted(bytes)?;
            name + counted(bytes.get(name..)?)?
        }
    })
}
