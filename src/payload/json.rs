//! A message as a line of JSON, as `mqtt sub --json` prints it: what goes out there comes in here byte for byte.
//!
//! | member | meaning |
//! |---|---|
//! | `topic` | text |
//! | `payload` | text; or null for no bytes; or any other value, whose JSON is the payload as it stands |
//! | `payload_base64` | instead of `payload`, for bytes that are no text |
//! | `qos`, `retain` | 0 to 2, true or false |
//! | `payload_format_indicator`, `message_expiry_interval` | numbers |
//! | `content_type`, `response_topic` | text |
//! | `correlation_data`, `correlation_data_base64` | text, or base64 |
//! | `user_properties` | `[["name", "value"], ...]`, or `{"name": "value", ...}` |
//!
//! Every other member is passed over: a receiver's time, packet identifier and subscription identifiers say nothing
//! about the message that is to be published.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::Draft;
use super::encoding::base64;
use crate::mqtt::{Properties, Property, QoS};

/// The members that count.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    topic: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "as_it_stands")]
    payload: Option<&'a RawValue>,
    #[serde(borrow)]
    payload_base64: Option<Cow<'a, str>>,
    qos: Option<u8>,
    retain: Option<bool>,
    payload_format_indicator: Option<u8>,
    message_expiry_interval: Option<u32>,
    content_type: Option<String>,
    response_topic: Option<String>,
    correlation_data: Option<String>,
    correlation_data_base64: Option<String>,
    user_properties: Option<UserProperties>,
}

/// A plain `Option` would not tell `null` from nothing.
fn as_it_stands<'de: 'a, 'a, D: Deserializer<'de>>(
    json: D,
) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(json).map(Some)
}

/// In the order in which they stand there, which is part of the message.
struct UserProperties(Vec<(String, String)>);

impl<'de> Deserialize<'de> for UserProperties {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<UserProperties, D::Error> {
        json.deserialize_any(Pairs).map(UserProperties)
    }
}

struct Pairs;

impl<'de> Visitor<'de> for Pairs {
    type Value = Vec<(String, String)>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("[[\"name\", \"value\"], ...] or {\"name\": \"value\", ...}")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = list.next_element()? {
            pairs.push(pair);
        }
        Ok(pairs)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = object.next_entry()? {
            pairs.push(pair);
        }
        Ok(pairs)
    }
}

/// The message a line of JSON describes.
///
/// # Errors
/// Says what is wrong with the line.
pub(super) fn draft(line: &[u8]) -> Result<Draft, String> {
    let text = std::str::from_utf8(line).map_err(|_| "it is not UTF-8".to_owned())?;
    // An array would be taken for the members in their order.
    if !text.trim_start().starts_with('{') {
        return Err("it is no JSON object".to_owned());
    }
    let line: Line<'_> = serde_json::from_str(text).map_err(|error| words(&error))?;
    let properties = properties(&line)?;
    let payload = payload(&line)?;
    let qos = match line.qos {
        None => None,
        Some(number) => {
            Some(QoS::from_number(number).ok_or(format!("qos is 0, 1 or 2, not {number}"))?)
        }
    };
    Ok(Draft {
        topic: line.topic.map(|topic| topic.into_owned().into()),
        payload,
        qos,
        retain: line.retain,
        properties,
    })
}

/// What serde_json says, with the column and without the line, which is always the first.
fn words(error: &serde_json::Error) -> String {
    let words = error.to_string();
    let words = words.split(" at line ").next().unwrap_or_default();
    match error.column() {
        0 => format!("it is no message: {words}"),
        column => format!("it is no message: {words}, at column {column}"),
    }
}

fn payload(line: &Line<'_>) -> Result<Bytes, String> {
    match (&line.payload, &line.payload_base64) {
        (Some(_), Some(_)) => Err("it has both payload and payload_base64".to_owned()),
        (None, None) => Err("it has neither payload nor payload_base64".to_owned()),
        (None, Some(digits)) => {
            base64(digits.as_bytes()).map_err(|error| format!("payload_base64: {error}"))
        }
        (Some(value), None) => match value.get() {
            "null" => Ok(Bytes::new()),
            text if text.starts_with('"') => serde_json::from_str::<String>(text)
                .map(Bytes::from)
                .map_err(|error| words(&error)),
            json => Ok(Bytes::copy_from_slice(json.as_bytes())),
        },
    }
}

/// In the order of their identifiers (3.3.2.3).
fn properties(line: &Line<'_>) -> Result<Properties, String> {
    let mut properties = Properties::default();
    if let Some(value) = line.payload_format_indicator {
        if value > 1 {
            return Err(format!("payload_format_indicator is 0 or 1, not {value}"));
        }
        properties.push(Property::PayloadFormatIndicator(value));
    }
    if let Some(seconds) = line.message_expiry_interval {
        properties.push(Property::MessageExpiryInterval(seconds));
    }
    if let Some(text) = &line.content_type {
        properties.push(Property::ContentType(text.clone().into()));
    }
    if let Some(topic) = &line.response_topic {
        properties.push(Property::ResponseTopic(topic.clone().into()));
    }
    match (&line.correlation_data, &line.correlation_data_base64) {
        (None, None) => {}
        (Some(_), Some(_)) => {
            return Err("it has both correlation_data and correlation_data_base64".to_owned());
        }
        (Some(text), None) => properties.push(Property::CorrelationData(text.clone().into())),
        (None, Some(digits)) => properties.push(Property::CorrelationData(
            base64(digits.as_bytes())
                .map_err(|error| format!("correlation_data_base64: {error}"))?,
        )),
    }
    if let Some(UserProperties(pairs)) = &line.user_properties {
        let pair = |(name, value): &(String, String)| {
            Property::UserProperty(name.clone().into(), value.clone().into())
        };
        properties.0.extend(pairs.iter().map(pair));
    }
    Ok(properties)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mqtt::packet::Publish;
    use crate::output::MessageFormat;
    use jiff::Timestamp;
    use jiff::tz::TimeZone;
    use proptest::prelude::*;

    fn read(line: &str) -> Draft {
        draft(line.as_bytes()).unwrap_or_else(|error| panic!("{line}: {error}"))
    }

    #[test]
    fn a_payload_is_text_or_the_json_that_stands_there() {
        for (value, payload) in [
            (r#""a\n\"\u00fc\u0000""#, "a\n\"ü\0"),
            ("\"\"", ""),
            ("null", ""),
            ("21.50", "21.50"),
            ("true", "true"),
            ("[1, 2]", "[1, 2]"),
            ("{ \"a\": 1e3 }", "{ \"a\": 1e3 }"),
        ] {
            let line = format!("{{\"topic\":\"a\",\"payload\":{value}}}");
            assert_eq!(read(&line).payload, payload, "{line}");
        }
        assert_eq!(read(r#"{"payload_base64":"AP8="}"#).payload, &b"\0\xff"[..]);
    }

    #[test]
    fn what_is_not_said_is_left_open_and_what_is_unknown_passed_over() {
        let draft =
            read(r#"{"payload":"x","time":1,"dup":"?","packet_id":null,"more":{"topic":[]}}"#);
        assert_eq!(
            draft,
            Draft {
                topic: None,
                payload: "x".into(),
                qos: None,
                retain: None,
                properties: Properties::default(),
            }
        );
    }

    #[test]
    fn user_properties_may_be_an_object_and_keep_their_order() {
        let user = |name: &str, value: &str| Property::UserProperty(name.into(), value.into());
        for text in [
            r#"[["b","1"],["a","2"],["b","3"]]"#,
            r#"{"b":"1","a":"2","b":"3"}"#,
        ] {
            let line = format!("{{\"payload\":\"\",\"user_properties\":{text}}}");
            assert_eq!(
                read(&line).properties.0,
                [user("b", "1"), user("a", "2"), user("b", "3")],
                "{line}"
            );
        }
    }

    #[test]
    fn what_is_wrong_with_a_line_is_said() {
        for (line, words) in [
            ("", "it is no JSON object"),
            ("[\"a\", \"x\"]", "it is no JSON object"),
            ("{x", "it is no message: key must be a string, at column 2"),
            ("{}", "it has neither payload nor payload_base64"),
            (
                r#"{"payload":"","payload_base64":""}"#,
                "it has both payload and payload_base64",
            ),
            (
                r#"{"payload_base64":"?"}"#,
                "payload_base64: it is not base64: ",
            ),
            (r#"{"payload":"","qos":3}"#, "qos is 0, 1 or 2, not 3"),
            (
                r#"{"payload":"","qos":"1"}"#,
                "it is no message: invalid type: string \"1\", expected u8, at column 23",
            ),
            (
                r#"{"payload":"","payload_format_indicator":2}"#,
                "payload_format_indicator is 0 or 1, not 2",
            ),
            (
                r#"{"payload":""} x"#,
                "it is no message: trailing characters, at column 16",
            ),
        ] {
            let error = draft(line.as_bytes()).unwrap_err();
            assert!(error.starts_with(words), "{line}: {error}");
        }
        assert_eq!(draft(b"\"\xff\"").unwrap_err(), "it is not UTF-8");
    }

    fn property() -> impl Strategy<Value = Property> {
        let text = || ".{0,6}".prop_map(|text: String| text.into());
        let bytes = proptest::collection::vec(any::<u8>(), 0..6);
        prop_oneof![
            (0..=1_u8).prop_map(Property::PayloadFormatIndicator),
            any::<u32>().prop_map(Property::MessageExpiryInterval),
            text().prop_map(Property::ContentType),
            text().prop_map(Property::ResponseTopic),
            bytes.prop_map(|bytes| Property::CorrelationData(bytes.into())),
        ]
    }

    proptest! {
        #[test]
        fn what_sub_prints_is_read_byte_for_byte(
            topic in ".{1,8}",
            payload in prop_oneof![
                proptest::collection::vec(any::<u8>(), 0..20),
                ".{0,20}".prop_map(String::into_bytes),
            ],
            qos in 0..=2_u8,
            retain: bool,
            properties in proptest::collection::vec(property(), 0..6),
            users in proptest::collection::vec((".{0,4}", ".{0,4}"), 0..4),
        ) {
            // Each kind at most once, in the order of their identifiers, as a broker sends them.
            let mut properties = properties;
            let rank = |property: &Property| match property {
                Property::PayloadFormatIndicator(_) => 0,
                Property::MessageExpiryInterval(_) => 1,
                Property::ContentType(_) => 2,
                Property::ResponseTopic(_) => 3,
                _ => 4,
            };
            properties.sort_by_key(rank);
            properties.dedup_by_key(|property| rank(property));
            properties.extend(users.into_iter().map(|(name, value)| Property::UserProperty(name.into(), value.into())));
            let properties = Properties(properties);
            let qos = QoS::from_number(qos).unwrap();
            let message = Publish {
                dup: false, qos, retain, topic: topic.clone().into(), packet_id: 0,
                properties: properties.clone(), payload: payload.clone().into(),
            };
            let mut line = Vec::new();
            MessageFormat::Json.write(&message, Timestamp::UNIX_EPOCH, &TimeZone::UTC, false, &mut line);
            prop_assert_eq!(draft(&line), Ok(Draft {
                topic: Some(topic.into()), payload: payload.into(), qos: Some(qos), retain: Some(retain), properties,
            }));
        }

        #[test]
        fn any_line_is_a_message_or_refused(line in "[\\[\\]{}:,\"0-9a-z _\\\\]{0,40}") {
            let _ = draft(line.as_bytes());
        }
    }
}
