//! A property of MQTT 5 as a person writes it: the packet it belongs to, its name, and its value in words.
//!
//! Names are those of the specification's table 2-4 with hyphens, as in `content-type`; letters may be large or small.
//! Which packet may carry what is said by the codec's table and nowhere else.

use std::ffi::OsStr;
use std::fmt;
use std::str::FromStr;

use bytes::Bytes;

use super::codec::{self, Place, Shape};
use super::properties::Property;

/// What carries a property that a client may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Carrier {
    Connect,
    Publish,
    Subscribe,
    Unsubscribe,
    Disconnect,
    Will,
}

/// The words for what carries a property; `None` for a packet whose properties nobody can choose here.
const CARRIERS: [(&str, Place, Option<Carrier>); 12] = [
    ("connect", Place::CONNECT, Some(Carrier::Connect)),
    ("connack", Place::CONNACK, None),
    ("publish", Place::PUBLISH, Some(Carrier::Publish)),
    ("puback", Place::ACKNOWLEDGEMENT, None),
    ("pubrec", Place::ACKNOWLEDGEMENT, None),
    ("pubrel", Place::ACKNOWLEDGEMENT, None),
    ("pubcomp", Place::ACKNOWLEDGEMENT, None),
    ("subscribe", Place::SUBSCRIBE, Some(Carrier::Subscribe)),
    (
        "unsubscribe",
        Place::UNSUBSCRIBE,
        Some(Carrier::Unsubscribe),
    ),
    ("disconnect", Place::DISCONNECT, Some(Carrier::Disconnect)),
    ("auth", Place::AUTH, None),
    ("will", Place::WILL, Some(Carrier::Will)),
];

/// A property and what is to carry it.
#[derive(Debug, Clone, PartialEq)]
pub struct TypedProperty {
    /// The packet, or the will in CONNECT.
    pub carrier: Carrier,
    /// Name and value.
    pub property: Property,
}

/// What is wrong with the words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)]
pub enum Fault {
    #[error(
        "a property is a command, a name and a value, as in publish content-type text/plain; a user-property has a name and a value of its own"
    )]
    TooFew,
    #[error(
        "{0:?} has no properties; say connect, publish, subscribe, unsubscribe, disconnect or will"
    )]
    Command(String),
    #[error("there is no property {0:?}")]
    Name(String),
    #[error("{name} is no property of {command}")]
    NotAllowed { name: String, command: String },
    #[error("{name} cannot be chosen for {command}")]
    NotSupported { name: String, command: String },
    #[error("{name} takes a whole number, not {value:?}")]
    NoNumber { name: String, value: String },
    #[error("{value} is out of range for {name}")]
    OutOfRange { name: String, value: i64 },
    #[error("the value of {name} is longer than 65535 bytes")]
    TooLong { name: String },
    /// With the number of the kind of value in mosquitto's library.
    #[error("{name} cannot have this value: it is too large, or no UTF-8 text without NUL")]
    Unsayable { name: String, kind: u8 },
}

impl TypedProperty {
    /// Reads the property at the beginning of `words`, numbers with `number`, and says how many of the words it takes.
    ///
    /// # Errors
    /// What is wrong with it, the leftmost word first.
    pub fn parse(
        words: &[&OsStr],
        number: fn(&str) -> Option<i64>,
    ) -> Result<(TypedProperty, usize), Fault> {
        let [command, name, value, rest @ ..] = words else {
            return Err(Fault::TooFew);
        };
        let command = command.to_string_lossy().into_owned();
        let (_, place, carrier) = *CARRIERS
            .iter()
            .find(|(word, ..)| command.eq_ignore_ascii_case(word))
            .ok_or_else(|| Fault::Command(command.clone()))?;
        let typed = name.to_string_lossy();
        let (identifier, shape, places, name) = codec::property_rules()
            .map(|(identifier, shape, places, name)| {
                (identifier, shape, places, name.replace(' ', "-"))
            })
            .find(|(.., name)| typed.eq_ignore_ascii_case(name))
            .ok_or_else(|| Fault::Name(typed.into_owned()))?;
        if !places.has(place) {
            return Err(Fault::NotAllowed { name, command });
        }
        let carrier = match carrier {
            // A client says nothing of this in PUBLISH (3.3.2.3.8).
            Some(Carrier::Publish) if shape == Shape::Variable => None,
            carrier => carrier,
        };
        let Some(carrier) = carrier else {
            return Err(Fault::NotSupported { name, command });
        };
        let (value, taken) = match (shape, rest) {
            (Shape::Pair, []) => return Err(Fault::TooFew),
            (Shape::Pair, [second, ..]) => (Written::Pair(value, second), 4),
            _ => (Written::One(value), 3),
        };
        let property = value.read(identifier, shape, &name, number)?;
        Ok((TypedProperty { carrier, property }, taken))
    }

    /// What MQTT 5 has against the value, in words; reading one only asks whether it can be said.
    pub fn fault(&self) -> Option<String> {
        let is_its = |(.., carrier): &&(_, _, Option<Carrier>)| *carrier == Some(self.carrier);
        let (_, place, _) = CARRIERS.iter().find(is_its)?;
        codec::property_fault(&self.property, *place)
    }
}

/// A value as it was typed.
enum Written<'a> {
    One(&'a OsStr),
    Pair(&'a OsStr, &'a OsStr),
}

impl Written<'_> {
    fn read(
        &self,
        identifier: u8,
        shape: Shape,
        name: &str,
        number: fn(&str) -> Option<i64>,
    ) -> Result<Property, Fault> {
        let (one, second) = match self {
            Written::One(value) => (*value, *value),
            Written::Pair(value, second) => (*value, *second),
        };
        let name = || name.to_owned();
        let unsayable = |kind| Fault::Unsayable { name: name(), kind };
        let within = |most: i64| {
            let text = one.to_string_lossy();
            let value = number(&text).ok_or_else(|| Fault::NoNumber {
                name: name(),
                value: text.into_owned(),
            })?;
            match (0..=most).contains(&value) {
                true => Ok(value),
                false => Err(Fault::OutOfRange {
                    name: name(),
                    value,
                }),
            }
        };
        let text = |value: &OsStr, kind| {
            if value.len() > usize::from(u16::MAX) {
                return Err(Fault::TooLong { name: name() });
            }
            let text = value.to_str().filter(|text| !text.contains('\0'));
            Ok(text.ok_or_else(|| unsayable(kind))?.to_owned())
        };
        let mut wire = vec![identifier];
        match shape {
            Shape::Flag => wire.push(within(u8::MAX.into())? as u8),
            Shape::TwoBytes | Shape::Positive => {
                wire.extend((within(u16::MAX.into())? as u16).to_be_bytes());
            }
            Shape::FourBytes | Shape::Large => {
                wire.extend((within(u32::MAX.into())? as u32).to_be_bytes());
            }
            Shape::Variable => {
                let value = within(u32::MAX.into())? as u32;
                return match value {
                    0..=codec::MAXIMUM_REMAINING_LENGTH => {
                        Ok(Property::SubscriptionIdentifier(value))
                    }
                    _ => Err(unsayable(4)),
                };
            }
            Shape::Text => counted(text(one, 6)?.as_bytes(), &mut wire),
            Shape::Pair => {
                counted(text(one, 7)?.as_bytes(), &mut wire);
                counted(text(second, 7)?.as_bytes(), &mut wire);
            }
            Shape::Binary => match one.len() {
                0..=0xFFFF => counted(one.as_encoded_bytes(), &mut wire),
                _ => return Err(Fault::TooLong { name: name() }),
            },
        }
        codec::unchecked_property(&Bytes::from(wire)).ok_or_else(|| unsayable(0))
    }
}

/// Bytes with their length before them (1.5.4, 1.5.6); there are at most 65,535.
fn counted(bytes: &[u8], wire: &mut Vec<u8>) {
    wire.extend((bytes.len() as u16).to_be_bytes());
    wire.extend(bytes);
}

/// The packet's word, a colon, and the property as it is on the wire, in hexadecimal: any property in one word, whatever
/// its value.
impl fmt::Display for TypedProperty {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let carrier = CARRIERS
            .iter()
            .find(|(.., carrier)| *carrier == Some(self.carrier));
        let (word, ..) = carrier.ok_or(fmt::Error)?;
        let mut wire = Vec::new();
        codec::write_property(&self.property, &mut wire).map_err(|_| fmt::Error)?;
        write!(out, "{word}:")?;
        wire.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

impl FromStr for TypedProperty {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<TypedProperty, &'static str> {
        let read = || {
            let (word, digits) = text.split_once(':')?;
            let (.., carrier) = CARRIERS.iter().find(|(each, ..)| *each == word)?;
            let pairs = digits.as_bytes().chunks(2);
            let byte = |pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok();
            let wire: Option<Vec<u8>> = pairs.map(byte).collect();
            let property = codec::unchecked_property(&Bytes::from(wire?))?;
            Some(TypedProperty {
                carrier: (*carrier)?,
                property,
            })
        };
        read().ok_or("it is a packet, a colon and a property in hexadecimal")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(words: &[&str]) -> Result<(TypedProperty, usize), Fault> {
        let words: Vec<&OsStr> = words.iter().map(OsStr::new).collect();
        TypedProperty::parse(&words, |text| text.parse().ok())
    }

    #[test]
    fn every_property_a_client_may_send_can_be_written() {
        for (words, property) in [
            (
                "connect authentication-method x",
                Property::AuthenticationMethod("x".into()),
            ),
            (
                "connect authentication-data x",
                Property::AuthenticationData("x".into()),
            ),
            (
                "connect maximum-packet-size 5",
                Property::MaximumPacketSize(5),
            ),
            ("connect receive-maximum 5", Property::ReceiveMaximum(5)),
            (
                "connect request-problem-information 0",
                Property::RequestProblemInformation(0),
            ),
            (
                "connect request-response-information 1",
                Property::RequestResponseInformation(1),
            ),
            (
                "connect session-expiry-interval 5",
                Property::SessionExpiryInterval(5),
            ),
            (
                "connect topic-alias-maximum 5",
                Property::TopicAliasMaximum(5),
            ),
            ("publish content-type x", Property::ContentType("x".into())),
            (
                "publish correlation-data x",
                Property::CorrelationData("x".into()),
            ),
            (
                "publish message-expiry-interval 5",
                Property::MessageExpiryInterval(5),
            ),
            (
                "publish payload-format-indicator 1",
                Property::PayloadFormatIndicator(1),
            ),
            (
                "PUBLISH Response-Topic x",
                Property::ResponseTopic("x".into()),
            ),
            ("publish topic-alias 5", Property::TopicAlias(5)),
            (
                "subscribe subscription-identifier 300",
                Property::SubscriptionIdentifier(300),
            ),
            (
                "disconnect reason-string x",
                Property::ReasonString("x".into()),
            ),
            (
                "disconnect session-expiry-interval 5",
                Property::SessionExpiryInterval(5),
            ),
            ("will will-delay-interval 5", Property::WillDelayInterval(5)),
            (
                "unsubscribe user-property k v",
                Property::UserProperty("k".into(), "v".into()),
            ),
        ] {
            let words: Vec<&str> = words.split(' ').collect();
            let (typed, taken) = parse(&words).unwrap();
            assert_eq!((typed.property, taken), (property, words.len()));
        }
    }

    #[test]
    fn each_mistake_is_told() {
        for (words, message) in [
            ("publish content-type", Fault::TooFew.to_string()),
            ("publish user-property k", Fault::TooFew.to_string()),
            ("suback reason-string x", "\"suback\" has no properties; say connect, publish, subscribe, unsubscribe, disconnect or will".to_owned()),
            ("publish colour red", "there is no property \"colour\"".to_owned()),
            ("subscribe content-type x", "content-type is no property of subscribe".to_owned()),
            ("publish subscription-identifier 1", "subscription-identifier cannot be chosen for publish".to_owned()),
            ("connack user-property k v", "user-property cannot be chosen for connack".to_owned()),
            ("publish topic-alias x", "topic-alias takes a whole number, not \"x\"".to_owned()),
            ("publish topic-alias 65536", "65536 is out of range for topic-alias".to_owned()),
            ("publish payload-format-indicator -1", "-1 is out of range for payload-format-indicator".to_owned()),
        ] {
            let words: Vec<&str> = words.split(' ').collect();
            assert_eq!(parse(&words).unwrap_err().to_string(), message);
        }
        let long = "x".repeat(65_536);
        let error = parse(&["publish", "content-type", &long]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the value of content-type is longer than 65535 bytes"
        );
    }

    proptest! {
        #[test]
        fn one_word_says_the_same(name in "[^\0]{0,9}", value in "[^\0]{0,9}") {
            let (typed, _) = parse(&["will", "user-property", &name, &value]).unwrap();
            prop_assert_eq!(typed.to_string().parse(), Ok(typed));
        }

        #[test]
        fn no_words_are_too_strange(words: Vec<String>) {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let _ = parse(&words);
        }

        #[test]
        fn no_word_is_too_strange(word: String, digits in "[a-z]{4,9}:[0-9a-f]{0,20}") {
            let _ = (word.parse::<TypedProperty>(), digits.parse::<TypedProperty>());
        }
    }
}
