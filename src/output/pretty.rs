//! A message for a person at a terminal: when, where, and the payload by its kind: text as it is, JSON indented, anything
//! else as a hex dump.
//!
//! Nothing that a message carries reaches the terminal as a control character.

use std::io::Write;

use anstyle::{AnsiColor, Style};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::without_controls;
use crate::mqtt::packet::Publish;
use crate::mqtt::{Property, QoS};

/// The most bytes of a payload that is dumped.
const DUMPED: usize = 4096;
/// What stands deeper is not indented further: spaces are many times what the payload was otherwise.
const DEEPEST: usize = 40;
/// Bytes in a line of the dump.
const LINE: usize = 16;

const DIM: Style = Style::new().dimmed();
const TOPIC: Style = Style::new().bold();
const NAME: Style = AnsiColor::Blue.on_default();
const STRING: Style = AnsiColor::Green.on_default();
const NUMBER: Style = AnsiColor::Yellow.on_default();
const WORD: Style = AnsiColor::Magenta.on_default();

/// How a payload is shown.
enum Kind<'a> {
    Empty,
    /// Without control characters but for tabs and line breaks.
    Text(&'a str),
    /// An object or an array.
    Json(&'a str),
    Bytes(&'a [u8]),
}

impl Kind<'_> {
    fn of(payload: &[u8]) -> Kind<'_> {
        let is_plain = |character: char| !character.is_control() || "\t\r\n".contains(character);
        match std::str::from_utf8(payload) {
            Ok("") => Kind::Empty,
            Ok(text) if text.chars().all(is_plain) => match is_structure(text) {
                true => Kind::Json(text),
                false => Kind::Text(text),
            },
            _ => Kind::Bytes(payload),
        }
    }
}

fn is_structure(text: &str) -> bool {
    text.trim_start().starts_with(['{', '['])
        && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

/// Appends the message, received at this time, with its last line feed.
pub(super) fn write(
    message: &Publish,
    received: Timestamp,
    zone: &TimeZone,
    in_color: bool,
    out: &mut Vec<u8>,
) {
    let mut page = Page { out, in_color };
    let time = received.to_zoned(zone.clone());
    page.styled(DIM, &time.strftime("%H:%M:%S%.3f").to_string());
    page.plain(" ");
    page.styled(TOPIC, &without_controls(&message.topic));
    let marks = marks(message);
    if !marks.is_empty() {
        page.plain(" ");
        page.styled(DIM, &marks.join(" "));
    }
    match Kind::of(&message.payload) {
        Kind::Empty => {
            page.plain(" ");
            page.styled(DIM, "(empty)");
            page.properties(message);
        }
        Kind::Text(text) if !text.contains(['\n', '\r']) => {
            page.plain(" ");
            page.plain(text);
            page.properties(message);
        }
        Kind::Text(text) => {
            page.properties(message);
            for line in text.lines() {
                page.plain("\n  ");
                page.plain(&line.replace('\r', "\\r"));
            }
        }
        Kind::Json(text) => {
            page.properties(message);
            page.plain("\n  ");
            page.json(text);
        }
        Kind::Bytes(bytes) => {
            page.plain(" ");
            page.styled(DIM, &format!("{} bytes", bytes.len()));
            page.properties(message);
            page.dump(bytes);
        }
    }
    page.plain("\n");
}

/// What is out of the ordinary about the message.
fn marks(message: &Publish) -> Vec<&'static str> {
    let qos = match message.qos {
        QoS::AtMostOnce => None,
        QoS::AtLeastOnce => Some("QoS 1"),
        QoS::ExactlyOnce => Some("QoS 2"),
    };
    let retained = message.retain.then_some("retained");
    let again = message.dup.then_some("again");
    [qos, retained, again].into_iter().flatten().collect()
}

struct Page<'a> {
    out: &'a mut Vec<u8>,
    in_color: bool,
}

impl Page<'_> {
    fn plain(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    fn styled(&mut self, style: Style, text: &str) {
        // Writing to a Vec cannot fail.
        let _ = match self.in_color {
            true => write!(self.out, "{style}{text}{style:#}"),
            false => write!(self.out, "{text}"),
        };
    }

    fn properties(&mut self, message: &Publish) {
        for property in &message.properties.0 {
            let (name, value) = match property {
                Property::PayloadFormatIndicator(value) => {
                    ("payload format indicator", value.to_string())
                }
                Property::MessageExpiryInterval(value) => ("expires in", format!("{value} s")),
                Property::ContentType(text) => ("content type", text.to_string()),
                Property::ResponseTopic(text) => ("response topic", text.to_string()),
                Property::CorrelationData(bytes) => {
                    ("correlation data", bytes.escape_ascii().to_string())
                }
                Property::SubscriptionIdentifier(value) => {
                    ("subscription identifier", value.to_string())
                }
                Property::UserProperty(name, value) => {
                    self.property(name, value);
                    continue;
                }
                _ => continue,
            };
            self.property(name, &value);
        }
    }

    fn property(&mut self, name: &str, value: &str) {
        self.plain("\n  ");
        let line = format!("{}: {}", without_controls(name), without_controls(value));
        self.styled(DIM, &line);
    }

    /// Indents what is known to be JSON. Its numbers and strings stay as they were written.
    fn json(&mut self, text: &str) {
        let mut depth = 1;
        let mut rest = text.trim();
        while let Some(first) = rest.chars().next() {
            let length = match first {
                '"' => length_of_string(rest),
                '{' | '[' | '}' | ']' | ',' | ':' => 1,
                _ => rest
                    .find(|character: char| ",:{}[]\" \t\r\n".contains(character))
                    .unwrap_or(rest.len()),
            };
            let (token, after) = rest.split_at(length);
            rest = after.trim_start();
            match first {
                '{' | '[' if rest.starts_with(['}', ']']) => {
                    self.plain(token);
                    self.plain(&rest[..1]);
                    rest = rest[1..].trim_start();
                }
                '{' | '[' => {
                    depth += 1;
                    self.plain(token);
                    self.indent(depth);
                }
                '}' | ']' => {
                    depth -= 1;
                    self.indent(depth);
                    self.plain(token);
                }
                ',' => {
                    self.plain(token);
                    self.indent(depth);
                }
                ':' => self.plain(": "),
                '"' if rest.starts_with(':') => self.styled(NAME, token),
                '"' => self.styled(STRING, token),
                't' | 'f' | 'n' => self.styled(WORD, token),
                _ => self.styled(NUMBER, token),
            }
        }
    }

    fn indent(&mut self, depth: usize) {
        self.plain("\n");
        self.plain(&"  ".repeat(depth.min(DEEPEST)));
    }

    fn dump(&mut self, bytes: &[u8]) {
        for (index, line) in bytes[..bytes.len().min(DUMPED)].chunks(LINE).enumerate() {
            self.plain("\n  ");
            self.styled(DIM, &format!("{:08x}", index * LINE));
            let hexadecimal: String = (0..LINE)
                .map(|place| {
                    let gap = if place == LINE / 2 { " " } else { "" };
                    match line.get(place) {
                        Some(byte) => format!("{gap} {byte:02x}"),
                        None => format!("{gap}   "),
                    }
                })
                .collect();
            self.plain(&format!(" {hexadecimal}  "));
            let shown = |byte: &u8| match byte {
                b' '..=b'~' => char::from(*byte),
                _ => '.',
            };
            self.styled(STRING, &line.iter().map(shown).collect::<String>());
        }
        if bytes.len() > DUMPED {
            self.plain("\n  ");
            self.styled(DIM, &format!("and {} more bytes", bytes.len() - DUMPED));
        }
    }
}

/// The bytes of the JSON string that `text` begins with.
fn length_of_string(text: &str) -> usize {
    let mut is_escaped = false;
    for (index, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            b'"' if !is_escaped => return index + 1,
            b'\\' => is_escaped = !is_escaped,
            _ => is_escaped = false,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::super::message::tests::{message, moment};
    use super::*;
    use crate::mqtt::Properties;
    use bytes::Bytes;
    use proptest::prelude::*;

    fn shown(message: &Publish, in_color: bool) -> String {
        let (received, zone) = moment();
        let mut out = Vec::new();
        write(message, received, &zone, in_color, &mut out);
        String::from_utf8(out).unwrap()
    }

    fn payload(bytes: &'static [u8]) -> String {
        let mut message = message(bytes);
        (message.retain, message.qos) = (false, QoS::AtMostOnce);
        shown(&message, false)
    }

    #[test]
    fn a_payload_is_shown_by_its_kind() {
        for (bytes, expected) in [
            (&b"21.5"[..], "04:58:05.194 a/ü 21.5\n"),
            (b"", "04:58:05.194 a/ü (empty)\n"),
            (b"one\ntwo\n", "04:58:05.194 a/ü\n  one\n  two\n"),
            (
                br#"{"b":1.50,"a":[1,{}, []],"c":"x\"}","d":null,"e":{"f":true}}"#,
                "04:58:05.194 a/ü\n  {\n    \"b\": 1.50,\n    \"a\": [\n      1,\n      {},\n      []\n    ],\n    \
                 \"c\": \"x\\\"}\",\n    \"d\": null,\n    \"e\": {\n      \"f\": true\n    }\n  }\n",
            ),
            (b"{broken", "04:58:05.194 a/ü {broken\n"),
            (
                b"\x1b[31mred\0 and mor",
                "04:58:05.194 a/ü 17 bytes\n  \
                 00000000  1b 5b 33 31 6d 72 65 64  00 20 61 6e 64 20 6d 6f  .[31mred. and mo\n  \
                 00000010  72                                                r\n",
            ),
        ] {
            assert_eq!(payload(bytes), expected);
        }
    }

    #[test]
    fn what_is_out_of_the_ordinary_is_marked_and_properties_follow() {
        let mut message = message(b"x");
        message.dup = true;
        message.properties = Properties(vec![
            Property::ContentType("text/plain".into()),
            Property::CorrelationData(Bytes::from_static(b"\xff1")),
            Property::UserProperty("k".into(), "v\u{1b}".into()),
        ]);
        assert_eq!(
            shown(&message, false),
            "04:58:05.194 a/ü QoS 1 retained again x\n  content type: text/plain\n  correlation data: \\xff1\n  k: v\\u{1b}\n"
        );
    }

    #[test]
    fn a_long_dump_is_cut() {
        let long: &'static [u8] = Box::leak(vec![0; DUMPED + 7].into_boxed_slice());
        let shown = payload(long);
        assert!(shown.ends_with("\n  and 7 more bytes\n"));
        assert_eq!(shown.lines().count(), 1 + DUMPED / LINE + 1);
    }

    #[test]
    fn brackets_within_brackets_do_not_make_a_wall_of_spaces() {
        let nested = "[".repeat(10_000) + &"]".repeat(10_000);
        let mut message = message(b"");
        message.payload = nested.into_bytes().into();
        let widest = shown(&message, false).lines().map(str::len).max();
        assert_eq!(widest, Some(2 * DEEPEST + "[]".len()));
    }

    #[test]
    fn colours_are_put_around_the_parts_and_taken_back() {
        assert_eq!(
            shown(&message(b"{\"a\":1}"), true),
            "\x1b[2m04:58:05.194\x1b[0m \x1b[1ma/ü\x1b[0m \x1b[2mQoS 1 retained\x1b[0m\n  {\n    \
             \x1b[34m\"a\"\x1b[0m: \x1b[33m1\x1b[0m\n  }\n"
        );
    }

    proptest! {
        #[test]
        fn no_message_brings_a_control_character_to_the_terminal(
            topic in "\\PC{0,8}[\\x00-\\x1f\\x7f-\\x9f]{0,3}",
            bytes in prop::collection::vec(any::<u8>(), 0..60),
            property in ".{0,10}",
        ) {
            let mut message = message(b"");
            message.topic = topic.into();
            message.payload = bytes.into();
            message.properties = Properties(vec![Property::UserProperty(property.clone().into(), property.into())]);
            let shown = shown(&message, false);
            let is_tame = |character: char| !character.is_control() || "\n\t".contains(character);
            prop_assert!(shown.chars().all(is_tame), "{shown:?}");
        }

        #[test]
        fn indented_json_is_the_same_json(
            json in prop::collection::vec(("[a-z\"\\\\{}]{0,4}", any::<i64>()), 0..6).prop_map(|members| {
                let list: Vec<serde_json::Value> = members.into_iter().map(|(name, number)| serde_json::json!({ name: [number, "x", null] })).collect();
                serde_json::Value::Array(list)
            }),
        ) {
            let mut out = Vec::new();
            Page { out: &mut out, in_color: false }.json(&json.to_string());
            prop_assert_eq!(serde_json::from_slice::<serde_json::Value>(&out).unwrap(), json);
        }
    }
}
