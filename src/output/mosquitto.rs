//! A message as the JSON of mosquitto_sub 2.1, for `%j` and `%J`. Unlike there it is always valid.

use serde_json::{Value, json};

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

/// Which of its forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct JsonForm {
    /// Over several lines, with tabs, as `--pretty` of mosquitto_sub has it.
    pub is_pretty: bool,
    /// That of mosquitto 2.0: `retain` is a number, and user properties are members of one object, of which two may have
    /// the same name.
    pub is_older: bool,
}

/// Appends the message, received at `time`, with its payload under the name and in the form given.
pub(super) fn write(
    message: &Publish,
    time: &str,
    (name, payload): (&str, String),
    form: JsonForm,
    out: &mut Vec<u8>,
) {
    let retain = match form.is_older {
        true => json!(u8::from(message.retain)),
        false => json!(message.retain),
    };
    // Written member by member, because their order is part of the form, and a name may come twice.
    let mut members = vec![
        ("tst", json!(time).to_string()),
        ("topic", json!(&*message.topic).to_string()),
        ("qos", json!(message.qos.number()).to_string()),
        ("retain", retain.to_string()),
        ("payloadlen", json!(message.payload.len()).to_string()),
    ];
    if message.packet_id != 0 {
        members.push(("mid", json!(message.packet_id).to_string()));
    }
    let properties = properties(&message.properties, form);
    if !properties.is_empty() {
        members.push(("properties", object(&properties)));
    }
    members.push((name, payload));
    let text = object(&members);
    match form.is_pretty {
        true => pretty(&text, out),
        false => out.extend_from_slice(text.as_bytes()),
    }
}

fn object<N: AsRef<str>>(members: &[(N, String)]) -> String {
    let members = members
        .iter()
        .map(|(name, value)| format!("{}:{value}", json!(name.as_ref())));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

fn properties(properties: &Properties, form: JsonForm) -> Vec<(&'static str, String)> {
    let mut members: Vec<(&'static str, String)> = Vec::new();
    let mut users = Vec::new();
    let mut users_at = None;
    for property in &properties.0 {
        let (name, value) = match property {
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
                users_at.get_or_insert(members.len());
                users.push((name.to_string(), json!(&**value).to_string()));
                continue;
            }
            _ => continue,
        };
        members.push((name, value.to_string()));
    }
    if let Some(place) = users_at {
        let value = match form.is_older {
            true => object(&users),
            false => {
                let pairs = users.chunks(1).map(object).collect::<Vec<_>>();
                format!("[{}]", pairs.join(","))
            }
        };
        members.insert(place, ("user-properties", value));
    }
    members
}

/// mosquitto_sub reads nothing deeper. Here it is not indented further: tabs are many times what the payload was otherwise.
const DEEPEST: usize = 1000;

/// Valid JSON without spaces, spread over lines: members on lines of their own, a tab behind the colon, the elements of an
/// array beside each other. Arrays count in the indentation of what is in them, though they have no lines of their own.
fn pretty(text: &str, out: &mut Vec<u8>) {
    let mut open: Vec<char> = Vec::new();
    let (mut in_string, mut escaped) = (false, false);
    let mut before = ' ';
    let new_line = |depth: usize, out: &mut Vec<u8>| {
        out.push(b'\n');
        out.extend(std::iter::repeat_n(b'\t', depth.min(DEEPEST)));
    };
    for character in text.chars() {
        if in_string {
            in_string = escaped || character != '"';
            escaped = !escaped && character == '\\';
        } else {
            match character {
                '"' => in_string = true,
                '}' => {
                    open.pop();
                    new_line(open.len(), out);
                }
                ']' => {
                    open.pop();
                }
                _ => {}
            }
            if before == '{' && character != '}' {
                new_line(open.len(), out);
            }
            if let '{' | '[' = character {
                open.push(character);
            }
        }
        let mut bytes = [0; 4];
        out.extend_from_slice(character.encode_utf8(&mut bytes).as_bytes());
        before = character;
        if in_string {
            before = ' ';
            continue;
        }
        match (character, open.last()) {
            (':', _) => out.push(b'\t'),
            (',', Some('{')) => new_line(open.len(), out),
            (',', _) => out.push(b' '),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_within_members_do_not_make_a_wall_of_tabs() {
        let depth = 2 * DEEPEST;
        let mut out = Vec::new();
        pretty(
            &("{\"a\":".repeat(depth) + "1" + &"}".repeat(depth)),
            &mut out,
        );
        let widest = out.split(|byte| *byte == b'\n').map(<[u8]>::len).max();
        assert_eq!(widest, Some(DEEPEST + "\"a\":\t{".len()));
    }
}
