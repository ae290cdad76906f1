//! A message as the JSON of mosquitto_sub 2.1, for `%j` and `%J`. Unlike there it is always valid.

use serde_json::{Map, Value, json};

use super::message::text_or_base64;
use crate::mqtt::packet::Publish;
use crate::mqtt::{Properties, Property};

/// As a string, or where mosquitto_sub would print what is no JSON, in base64 under another name.
pub(super) fn as_string(payload: &[u8]) -> (&'static str, String) {
    let (name, value) = match text_or_base64(payload) {
        _ if payload.is_empty() => ("payload", Value::Null),
        (Some(text), _) => ("payload", text.into()),
        (None, base64) => ("payload_base64", base64.into()),
    };
    (name, value.to_string())
}

/// As the JSON it is; `None` if it is none.
pub(super) fn as_json(payload: &[u8]) -> Option<(&'static str, String)> {
    match payload {
        b"" => Some(("payload", Value::Null.to_string())),
        payload => Some(("payload", compact(payload)?)),
    }
}

/// JSON without the spaces between its parts; numbers and the order of members stay as they were written.
fn compact(json: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(json).ok()?;
    serde_json::from_str::<serde::de::IgnoredAny>(text).ok()?;
    let (mut in_string, mut escaped) = (false, false);
    let keep = |character: &char| {
        let is_kept = in_string || !character.is_ascii_whitespace();
        if !escaped && *character == '"' {
            in_string = !in_string;
        }
        escaped = in_string && !escaped && *character == '\\';
        is_kept
    };
    Some(text.chars().filter(keep).collect())
}

/// Appends the message, received at `time`, with its payload under the name and in the form given.
pub(super) fn write(
    message: &Publish,
    time: &str,
    (name, payload): (&str, String),
    out: &mut Vec<u8>,
) {
    // Written member by member, because their order is part of the form.
    let mut members = vec![
        ("tst", json!(time)),
        ("topic", json!(&*message.topic)),
        ("qos", json!(message.qos.number())),
        ("retain", json!(message.retain)),
        ("payloadlen", json!(message.payload.len())),
    ];
    if message.packet_id != 0 {
        members.push(("mid", json!(message.packet_id)));
    }
    write_members(&members, out);
    let properties = properties(&message.properties);
    if !properties.is_empty() {
        out.extend_from_slice(b",\"properties\":");
        write_members(&properties, out);
        out.push(b'}');
    }
    out.extend_from_slice(format!(",\"{name}\":{payload}}}").as_bytes());
}

/// An object without its closing brace.
fn write_members(members: &[(&str, Value)], out: &mut Vec<u8>) {
    for (index, (name, value)) in members.iter().enumerate() {
        out.push(if index == 0 { b'{' } else { b',' });
        write_member(name, value, out);
    }
}

fn write_member(name: &str, value: &Value, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("{}:{value}", Value::from(name)).as_bytes());
}

fn properties(properties: &Properties) -> Vec<(&'static str, Value)> {
    let mut members: Vec<(&'static str, Value)> = Vec::new();
    for property in &properties.0 {
        let member = match property {
            Property::PayloadFormatIndicator(value) => ("payload-format-indicator", json!(value)),
            Property::MessageExpiryInterval(value) => ("message-expiry-interval", json!(value)),
            Property::ContentType(text) => ("content-type", json!(&**text)),
            Property::ResponseTopic(text) => ("response-topic", json!(&**text)),
            Property::CorrelationData(bytes) => match text_or_base64(bytes) {
                (Some(text), _) => ("correlation-data", json!(text)),
                (None, base64) => ("correlation-data-base64", json!(base64)),
            },
            Property::SubscriptionIdentifier(value) => ("subscription-identifier", json!(value)),
            Property::TopicAlias(value) => ("topic-alias", json!(value)),
            Property::UserProperty(name, value) => {
                let pair = Value::Object(Map::from_iter([(name.to_string(), json!(&**value))]));
                let known = members
                    .iter_mut()
                    .find(|(name, _)| *name == "user-properties");
                match known {
                    Some((_, Value::Array(pairs))) => {
                        pairs.push(pair);
                        continue;
                    }
                    _ => ("user-properties", Value::Array(vec![pair])),
                }
            }
            _ => continue,
        };
        members.push(member);
    }
    members
}
