//! The forms a received message can be printed in: its payload, topic and payload, a line of JSON, or a template.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::{Complaint, Template, pretty};
use crate::mqtt::packet::Publish;
use crate::mqtt::{Properties, Property};

/// A form.
#[derive(Debug, Clone)]
pub enum MessageFormat {
    /// The payload; nothing at all for an empty one, as mosquitto_sub has it.
    Payload(Encoding),
    /// Topic, space, payload; `(null)` stands for an empty payload.
    Verbose(Encoding),
    /// One line of JSON, whatever the payload.
    Json,
    /// What `-F` describes.
    Template(Template),
    /// For a person at a terminal; each message ends with a line feed, wanted or not.
    Pretty {
        /// With colours.
        in_color: bool,
    },
}

/// How the bytes of a payload are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encoding {
    /// As they are.
    #[default]
    Raw,
    /// Two lower-case digits each.
    Hexadecimal,
    /// Base64 (RFC 4648, 4), with padding.
    Base64,
}

impl Encoding {
    fn write(self, bytes: &[u8], out: &mut Vec<u8>) {
        match self {
            Encoding::Raw => out.extend_from_slice(bytes),
            Encoding::Hexadecimal => {
                const DIGITS: &[u8; 16] = b"0123456789abcdef";
                out.extend(
                    bytes
                        .iter()
                        .flat_map(|byte| [byte >> 4, byte & 0x0F])
                        .map(|nibble| DIGITS[usize::from(nibble)]),
                );
            }
            Encoding::Base64 => out.extend_from_slice(BASE64.encode(bytes).as_bytes()),
        }
    }
}

impl MessageFormat {
    /// The zone for its times. To find the system's takes longer than to connect, so that is left out where there are none.
    pub fn zone(&self) -> TimeZone {
        match self {
            MessageFormat::Payload(_) | MessageFormat::Verbose(_) => TimeZone::UTC,
            MessageFormat::Json | MessageFormat::Template(_) | MessageFormat::Pretty { .. } => {
                TimeZone::system()
            }
        }
    }

    /// Appends the message, received at this time, and a line feed where one is wanted. Returns a complaint for
    /// stderr when the message is not what the format expects.
    pub fn write(
        &self,
        message: &Publish,
        received: Timestamp,
        zone: &TimeZone,
        line_feed: bool,
        out: &mut Vec<u8>,
    ) -> Option<Complaint> {
        let is_empty = message.payload.is_empty();
        let complaint = match self {
            // Without a payload and without a line feed mosquitto_sub prints not even the topic.
            MessageFormat::Verbose(_) if is_empty && !line_feed => return None,
            MessageFormat::Payload(_) if is_empty => return None,
            MessageFormat::Payload(encoding) => {
                encoding.write(&message.payload, out);
                None
            }
            MessageFormat::Verbose(encoding) => {
                out.extend_from_slice(message.topic.as_bytes());
                out.push(b' ');
                match is_empty {
                    true => out.extend_from_slice(b"(null)"),
                    false => encoding.write(&message.payload, out),
                }
                None
            }
            MessageFormat::Pretty { in_color } => {
                pretty::write(message, received, zone, *in_color, out);
                return None;
            }
            MessageFormat::Json => {
                json(message, received, zone, out);
                None
            }
            MessageFormat::Template(template) => template.write(message, received, zone, out),
        };
        if line_feed {
            out.push(b'\n');
        }
        complaint
    }
}

/// The members of a message in `--json`, in their order; those that do not apply are left out.
#[derive(Serialize)]
struct JsonMessage<'a> {
    time: String,
    topic: &'a str,
    qos: u8,
    retain: bool,
    dup: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    packet_id: Option<u16>,
    #[serde(flatten)]
    properties: JsonProperties<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload_base64: Option<String>,
}

#[derive(Serialize, Default)]
struct JsonProperties<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    payload_format_indicator: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_expiry_interval: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_topic: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation_data: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation_data_base64: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    subscription_identifiers: Vec<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    user_properties: Vec<(&'a str, &'a str)>,
}

fn json(message: &Publish, received: Timestamp, zone: &TimeZone, out: &mut Vec<u8>) {
    let (payload, payload_base64) = text_or_base64(&message.payload);
    let message = JsonMessage {
        time: rfc_3339(received, zone),
        topic: &message.topic,
        qos: message.qos.number(),
        retain: message.retain,
        dup: message.dup,
        packet_id: (message.packet_id != 0).then_some(message.packet_id),
        properties: json_properties(&message.properties),
        payload,
        payload_base64,
    };
    // Strings and numbers always have a form in JSON, and a Vec takes everything.
    let _ = serde_json::to_writer(out, &message);
}

/// `2026-11-23T04:58:05.194902+01:00`
pub(super) fn rfc_3339(time: Timestamp, zone: &TimeZone) -> String {
    let offset = zone.to_offset(time);
    format!("{:.6}", time.display_with_offset(offset))
}

fn json_properties(properties: &Properties) -> JsonProperties<'_> {
    let mut json = JsonProperties::default();
    for property in &properties.0 {
        match property {
            Property::PayloadFormatIndicator(value) => json.payload_format_indicator = Some(*value),
            Property::MessageExpiryInterval(value) => json.message_expiry_interval = Some(*value),
            Property::ContentType(text) => json.content_type = Some(text),
            Property::ResponseTopic(text) => json.response_topic = Some(text),
            Property::CorrelationData(bytes) => {
                (json.correlation_data, json.correlation_data_base64) = text_or_base64(bytes);
            }
            Property::SubscriptionIdentifier(value) => json.subscription_identifiers.push(*value),
            Property::UserProperty(name, value) => json.user_properties.push((name, value)),
            _ => {}
        }
    }
    json
}

/// The bytes as text, or in base64 if they are none.
pub(super) fn text_or_base64(bytes: &[u8]) -> (Option<&str>, Option<String>) {
    match std::str::from_utf8(bytes) {
        Ok(text) => (Some(text), None),
        Err(_) => (None, Some(BASE64.encode(bytes))),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::mqtt::QoS;
    use bytes::Bytes;

    /// 2026-11-23 03:58:05.194902123 UTC, at +01:00.
    pub(in super::super) fn moment() -> (Timestamp, TimeZone) {
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        (Timestamp::new(1_795_406_285, 194_902_123).unwrap(), zone)
    }

    pub(in super::super) fn message(payload: &'static [u8]) -> Publish {
        Publish {
            dup: false,
            qos: QoS::AtLeastOnce,
            retain: true,
            topic: "a/ü".into(),
            packet_id: 7,
            properties: Properties::default(),
            payload: Bytes::from_static(payload),
        }
    }

    pub(in super::super) fn written(format: &MessageFormat, message: &Publish) -> String {
        let (received, zone) = moment();
        let mut out = Vec::new();
        let complaint = format.write(message, received, &zone, true, &mut out);
        assert_eq!(complaint, None);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_payload_is_printed_as_it_is_and_an_empty_one_not_at_all() {
        let (received, zone) = moment();
        for (format, payload, line_feed, expected) in [
            (
                MessageFormat::Payload(Encoding::Raw),
                &b"x\0\xff"[..],
                true,
                &b"x\0\xff\n"[..],
            ),
            (MessageFormat::Payload(Encoding::Raw), b"x", false, b"x"),
            (MessageFormat::Payload(Encoding::Raw), b"", true, b""),
            (
                MessageFormat::Verbose(Encoding::Raw),
                b"x",
                true,
                b"a/\xc3\xbc x\n",
            ),
            (
                MessageFormat::Verbose(Encoding::Raw),
                b"x",
                false,
                b"a/\xc3\xbc x",
            ),
            (
                MessageFormat::Verbose(Encoding::Raw),
                b"",
                true,
                b"a/\xc3\xbc (null)\n",
            ),
            (MessageFormat::Verbose(Encoding::Raw), b"", false, b""),
            (
                MessageFormat::Payload(Encoding::Hexadecimal),
                b"\0\xfe\x10",
                true,
                b"00fe10\n",
            ),
            (
                MessageFormat::Payload(Encoding::Base64),
                b"\0\xfe\x10!",
                true,
                b"AP4QIQ==\n",
            ),
            (
                MessageFormat::Verbose(Encoding::Base64),
                b"\0",
                true,
                b"a/\xc3\xbc AA==\n",
            ),
            (
                MessageFormat::Verbose(Encoding::Hexadecimal),
                b"",
                true,
                b"a/\xc3\xbc (null)\n",
            ),
            (
                MessageFormat::Payload(Encoding::Hexadecimal),
                b"",
                true,
                b"",
            ),
        ] {
            let mut out = Vec::new();
            format.write(&message(payload), received, &zone, line_feed, &mut out);
            assert_eq!(out, expected, "{format:?} {payload:?} {line_feed}");
        }
    }

    #[test]
    fn json_is_one_line_with_what_applies() {
        assert_eq!(
            written(&MessageFormat::Json, &message(b"say \"hi\"\n")),
            "{\"time\":\"2026-11-23T04:58:05.194902+01:00\",\"topic\":\"a/ü\",\"qos\":1,\"retain\":true,\"dup\":false,\
             \"packet_id\":7,\"payload\":\"say \\\"hi\\\"\\n\"}\n"
        );
        let mut qos_0 = message(b"");
        (qos_0.qos, qos_0.packet_id, qos_0.retain) = (QoS::AtMostOnce, 0, false);
        assert_eq!(
            written(&MessageFormat::Json, &qos_0),
            "{\"time\":\"2026-11-23T04:58:05.194902+01:00\",\"topic\":\"a/ü\",\"qos\":0,\"retain\":false,\"dup\":false,\
             \"payload\":\"\"}\n"
        );
    }

    #[test]
    fn json_is_valid_whatever_the_payload() {
        let all: &'static [u8] = Box::leak((0..=255).collect::<Vec<u8>>().into_boxed_slice());
        let line = written(&MessageFormat::Json, &message(all));
        let json: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(json.get("payload"), None);
        let decoded = BASE64.decode(json["payload_base64"].as_str().unwrap());
        assert_eq!(decoded.unwrap(), all);
    }

    #[test]
    fn json_has_every_property_of_a_publish() {
        let mut message = message(b"x");
        message.properties = Properties(vec![
            Property::PayloadFormatIndicator(1),
            Property::MessageExpiryInterval(60),
            Property::ContentType("text/plain".into()),
            Property::ResponseTopic("r".into()),
            Property::CorrelationData(Bytes::from_static(&[0xff])),
            Property::SubscriptionIdentifier(3),
            Property::SubscriptionIdentifier(4),
            Property::UserProperty("k".into(), "1".into()),
            Property::UserProperty("k".into(), "2".into()),
        ]);
        let json: serde_json::Value =
            serde_json::from_str(&written(&MessageFormat::Json, &message)).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "time": "2026-11-23T04:58:05.194902+01:00", "topic": "a/ü", "qos": 1, "retain": true, "dup": false,
                "packet_id": 7, "payload": "x",
                "payload_format_indicator": 1, "message_expiry_interval": 60, "content_type": "text/plain",
                "response_topic": "r", "correlation_data_base64": "/w==", "subscription_identifiers": [3, 4],
                "user_properties": [["k", "1"], ["k", "2"]],
            })
        );
    }
}
