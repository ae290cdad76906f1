//! How a packet of the broker's trace is shown: a line of text, or a line of JSON. Both come from one description of the
//! packet, so neither knows more than the other.

use std::time::SystemTime;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use super::message::{rfc_3339, text_or_base64};
use crate::broker::trace::{Direction, Traced};
use crate::mqtt::packet::{Acknowledgement, Packet, SubAck};
use crate::mqtt::{Properties, ReasonCode};

/// How the trace is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TraceFormat {
    /// A line of text a packet.
    Text,
    /// A line of JSON a packet.
    Json,
}

/// Adds one line. Payloads are cut after `most` bytes; passwords are never shown.
pub fn write(
    format: TraceFormat,
    traced: &Traced,
    most: usize,
    zone: &TimeZone,
    out: &mut Vec<u8>,
) {
    let time = rfc_3339(timestamp(traced.time), zone);
    let (name, fields) = match &traced.packet {
        Ok(packet) => describe(packet, most),
        Err(malformed) => (
            "MALFORMED",
            fields([("fault", json!(malformed.to_string()))]),
        ),
    };
    let line = match format {
        TraceFormat::Json => {
            let mut object = fields_of(traced, &time, name);
            object.extend(fields);
            Value::Object(object).to_string()
        }
        TraceFormat::Text => text(traced, &time, name, &fields),
    };
    out.extend_from_slice(line.as_bytes());
    out.push(b'\n');
}

fn timestamp(time: SystemTime) -> Timestamp {
    Timestamp::try_from(time).unwrap_or_default()
}

fn fields_of(traced: &Traced, time: &str, name: &str) -> Map<String, Value> {
    let mut object = fields([
        ("time", json!(time)),
        ("connection", json!(traced.connection)),
        ("client_id", json!(&*traced.client_id)),
        ("address", json!(traced.address.to_string())),
        (
            "direction",
            json!(if traced.direction == Direction::Received {
                "received"
            } else {
                "sent"
            }),
        ),
        ("packet", json!(name)),
    ]);
    if traced.length > 0 {
        object.insert("length".into(), json!(traced.length));
    }
    if traced.missed > 0 {
        object.insert("missed_before".into(), json!(traced.missed));
    }
    object
}

fn text(traced: &Traced, time: &str, name: &str, fields: &Map<String, Value>) -> String {
    let arrow = if traced.direction == Direction::Received {
        "->"
    } else {
        "<-"
    };
    let mut line = format!(
        "{time} #{} {:?} {arrow} {name}",
        traced.connection, &*traced.client_id
    );
    for (field, value) in fields {
        line.push_str(&format!(" {field}={value}"));
    }
    if traced.missed > 0 {
        line.push_str(&format!(
            " ({} packets before this one are missing: the trace is read too slowly)",
            traced.missed
        ));
    }
    line
}

fn fields<const N: usize>(fields: [(&str, Value); N]) -> Map<String, Value> {
    fields
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// The packet's name and what is in it, in the order of the wire.
fn describe(packet: &Packet, most: usize) -> (&'static str, Map<String, Value>) {
    match packet {
        Packet::Connect(connect) => {
            let mut object = fields([
                ("version", json!(connect.version.to_string())),
                ("clean_start", json!(connect.clean_start)),
                ("keep_alive", json!(connect.keep_alive)),
            ]);
            if let Some(will) = &connect.will {
                let mut shown = fields([
                    ("topic", json!(&*will.topic)),
                    ("qos", json!(will.qos.number())),
                    ("retain", json!(will.retain)),
                ]);
                payload(&will.payload, most, &mut shown);
                properties(&will.properties, &mut shown);
                object.insert("will".into(), Value::Object(shown));
            }
            if let Some(username) = &connect.username {
                object.insert("username".into(), json!(&**username));
            }
            if connect.password.is_some() {
                object.insert("password".into(), json!("(hidden)"));
            }
            properties(&connect.properties, &mut object);
            ("CONNECT", object)
        }
        Packet::ConnAck(connack) => {
            let mut object = fields([("session_present", json!(connack.session_present))]);
            object.insert("reason".into(), reason(connack.reason));
            properties(&connack.properties, &mut object);
            ("CONNACK", object)
        }
        Packet::Publish(publish) => {
            let mut object = fields([
                ("topic", json!(&*publish.topic)),
                ("qos", json!(publish.qos.number())),
                ("retain", json!(publish.retain)),
                ("dup", json!(publish.dup)),
            ]);
            if publish.packet_id > 0 {
                object.insert("packet_id".into(), json!(publish.packet_id));
            }
            properties(&publish.properties, &mut object);
            payload(&publish.payload, most, &mut object);
            ("PUBLISH", object)
        }
        Packet::PubAck(acknowledgement) => ("PUBACK", acknowledged(acknowledgement)),
        Packet::PubRec(acknowledgement) => ("PUBREC", acknowledged(acknowledgement)),
        Packet::PubRel(acknowledgement) => ("PUBREL", acknowledged(acknowledgement)),
        Packet::PubComp(acknowledgement) => ("PUBCOMP", acknowledged(acknowledgement)),
        Packet::Subscribe(subscribe) => {
            let filters = subscribe.filters.iter().map(|request| {
                json!({
                    "filter": &*request.filter,
                    "qos": request.qos.number(),
                    "no_local": request.no_local,
                    "retain_as_published": request.retain_as_published,
                    "retain_handling": request.retain_handling as u8,
                })
            });
            let mut object = fields([
                ("packet_id", json!(subscribe.packet_id)),
                ("filters", filters.collect()),
            ]);
            properties(&subscribe.properties, &mut object);
            ("SUBSCRIBE", object)
        }
        Packet::SubAck(suback) => ("SUBACK", answered(suback)),
        Packet::Unsubscribe(unsubscribe) => {
            let filters = unsubscribe.filters.iter().map(|filter| json!(&**filter));
            let mut object = fields([
                ("packet_id", json!(unsubscribe.packet_id)),
                ("filters", filters.collect()),
            ]);
            properties(&unsubscribe.properties, &mut object);
            ("UNSUBSCRIBE", object)
        }
        Packet::UnsubAck(unsuback) => ("UNSUBACK", answered(unsuback)),
        Packet::PingReq => ("PINGREQ", Map::new()),
        Packet::PingResp => ("PINGRESP", Map::new()),
        Packet::Disconnect(disconnect) => (
            "DISCONNECT",
            reasoned(disconnect.reason, &disconnect.properties),
        ),
        Packet::Auth(auth) => ("AUTH", reasoned(auth.reason, &auth.properties)),
    }
}

fn reason(reason: ReasonCode) -> Value {
    json!(reason.to_string())
}

fn reasoned(code: ReasonCode, all: &Properties) -> Map<String, Value> {
    let mut object = fields([("reason", reason(code))]);
    properties(all, &mut object);
    object
}

fn acknowledged(acknowledgement: &Acknowledgement) -> Map<String, Value> {
    let mut object = fields([("packet_id", json!(acknowledgement.packet_id))]);
    if acknowledgement.reason != ReasonCode::SUCCESS {
        object.insert("reason".into(), reason(acknowledgement.reason));
    }
    properties(&acknowledgement.properties, &mut object);
    object
}

fn answered(answer: &SubAck) -> Map<String, Value> {
    let reasons = answer.reasons.iter().map(|code| reason(*code));
    let mut object = fields([
        ("packet_id", json!(answer.packet_id)),
        ("reasons", reasons.collect()),
    ]);
    properties(&answer.properties, &mut object);
    object
}

/// Properties as the codec names them, in their order.
fn properties(all: &Properties, object: &mut Map<String, Value>) {
    if !all.is_empty() {
        let shown = all.0.iter().map(|property| json!(format!("{property:?}")));
        object.insert("properties".into(), shown.collect());
    }
}

fn payload(bytes: &[u8], most: usize, object: &mut Map<String, Value>) {
    object.insert("payload_length".into(), json!(bytes.len()));
    // A cut in the middle of a character would make text look like something else.
    let mut end = bytes.len().min(most);
    while end < bytes.len() && end > 0 && bytes[end] & 0xC0 == 0x80 && most - end < 4 {
        end -= 1;
    }
    match text_or_base64(&bytes[..end]) {
        (Some(text), _) => object.insert("payload".into(), json!(text)),
        (None, base64) => object.insert("payload_base64".into(), json!(base64)),
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mqtt::packet::{Connect, Publish};
    use crate::mqtt::{QoS, Version};
    use bytes::Bytes;

    fn line(format: TraceFormat, packet: Packet) -> String {
        let traced = Traced {
            time: SystemTime::UNIX_EPOCH,
            connection: 3,
            client_id: "c".into(),
            address: "127.0.0.1:5000".parse().unwrap(),
            direction: Direction::Received,
            length: 9,
            packet: Ok(packet),
            missed: 0,
        };
        let mut out = Vec::new();
        write(format, &traced, 6, &TimeZone::UTC, &mut out);
        String::from_utf8(out).unwrap()
    }

    fn publish(payload: &'static [u8]) -> Packet {
        Packet::Publish(Publish {
            dup: false,
            qos: QoS::AtLeastOnce,
            retain: true,
            topic: "温度/1".into(),
            packet_id: 7,
            properties: Properties::default(),
            payload: Bytes::from_static(payload),
        })
    }

    #[test]
    fn a_publish_is_a_line_with_its_payload_cut() {
        assert_eq!(
            line(TraceFormat::Text, publish(b"hello world")),
            "1970-01-01T00:00:00.000000+00:00 #3 \"c\" -> PUBLISH topic=\"温度/1\" qos=1 retain=true dup=false packet_id=7 \
             payload_length=11 payload=\"hello \"\n"
        );
    }

    #[test]
    fn json_says_the_same_and_a_cut_never_splits_a_character() {
        let value: Value =
            serde_json::from_str(&line(TraceFormat::Json, publish("abcde温度".as_bytes())))
                .unwrap();
        assert_eq!(value["packet"], "PUBLISH");
        assert_eq!(value["direction"], "received");
        assert_eq!(value["connection"], 3);
        assert_eq!(value["payload"], "abcde");
        let value: Value =
            serde_json::from_str(&line(TraceFormat::Json, publish(b"\xff\xfe"))).unwrap();
        assert_eq!(value["payload_base64"], "//4=");
    }

    #[test]
    fn a_password_is_not_shown() {
        let connect = Packet::Connect(Box::new(Connect {
            version: Version::V311,
            clean_start: true,
            keep_alive: 60,
            client_id: "c".into(),
            will: None,
            username: Some("user".into()),
            password: Some(Bytes::from_static(b"secret")),
            properties: Properties::default(),
        }));
        let text = line(TraceFormat::Text, connect);
        assert!(
            text.contains("username=\"user\" password=\"(hidden)\"") && !text.contains("secret"),
            "{text}"
        );
    }
}
