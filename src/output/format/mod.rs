//! The format strings of `-F`, with every specifier of mosquitto_sub 2.1.
//!
//! `%[-][0][width][.precision][separator]X` is a [`Field`], `@X` a part of the local time of receipt as in strftime,
//! `\n` and the like a character. Where mosquitto_sub loses data or prints what is no JSON, this does not.

mod field;

use std::str::FromStr;

use jiff::Timestamp;
use jiff::fmt::strtime::{BrokenDownTime, Config, PosixCustom};
use jiff::tz::TimeZone;

use super::mosquitto::JsonForm;
use crate::mqtt::ByteString;
use crate::mqtt::packet::Publish;
use field::Field;

/// A parsed format string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    pieces: Vec<Piece>,
    json: JsonForm,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Literal(Vec<u8>),
    /// For strftime.
    Time(String),
    Nanoseconds,
    Field(Field),
}

/// A message is not what a format expects.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)]
pub enum Complaint {
    #[error("the payload is not valid JSON on topic {0}")]
    Json(ByteString),
    #[error(
        "%{letter} prints a payload of {expected} bytes, and there are {length} on topic {topic}"
    )]
    Float {
        letter: char,
        expected: usize,
        length: usize,
        topic: ByteString,
    },
}

impl Complaint {
    /// The same in the words of mosquitto_sub.
    pub fn mosquitto(&self) -> String {
        match self {
            Complaint::Json(topic) => {
                format!("Error: Message payload is not valid JSON on topic {topic}.")
            }
            Complaint::Float { letter: 'f', .. } => {
                "requested float printing, but non-float data received".to_owned()
            }
            Complaint::Float { .. } => {
                "requested double printing, but non-double data received".to_owned()
            }
        }
    }
}

/// What is wrong with a format string.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)]
pub enum FormatFault {
    #[error("incomplete: a letter follows %")]
    OpenField,
    #[error("invalid format specifier %{}", .0.escape_ascii())]
    Field(u8),
    #[error("incomplete: a character follows @")]
    OpenTime,
    #[error("invalid time specifier @{}", .0.escape_ascii())]
    Time(u8),
    #[error("incomplete: a letter follows \\")]
    OpenEscape,
    #[error("invalid escape \\{}", .0.escape_ascii())]
    Escape(u8),
    #[error("a width is at most 65535")]
    Width,
}

/// The bytes not yet looked at.
type Rest<'a> = std::iter::Peekable<std::iter::Copied<std::slice::Iter<'a, u8>>>;

impl FromStr for Template {
    type Err = FormatFault;

    fn from_str(text: &str) -> Result<Template, FormatFault> {
        Template::parse(text.as_bytes())
    }
}

impl Template {
    /// Reads a format string. What is no UTF-8 is text like any other.
    ///
    /// # Errors
    /// The leftmost mistake.
    pub fn parse(text: &[u8]) -> Result<Template, FormatFault> {
        let mut pieces = Vec::new();
        let mut literal = Vec::new();
        let mut rest = text.iter().copied().peekable();
        while let Some(byte) = rest.next() {
            let piece = match byte {
                b'%' => match Field::parse(&mut rest)? {
                    Field { letter: b'%', .. } => {
                        literal.push(b'%');
                        continue;
                    }
                    field => Piece::Field(field),
                },
                b'@' => match rest.next() {
                    None => return Err(FormatFault::OpenTime),
                    Some(b'@') => {
                        literal.push(b'@');
                        continue;
                    }
                    Some(b'N') => Piece::Nanoseconds,
                    Some(letter) => time(letter)?,
                },
                b'\\' => {
                    literal.push(escape(rest.next())?);
                    continue;
                }
                byte => {
                    literal.push(byte);
                    continue;
                }
            };
            if !literal.is_empty() {
                pieces.push(Piece::Literal(std::mem::take(&mut literal)));
            }
            pieces.push(piece);
        }
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal));
        }
        Ok(Template {
            pieces,
            json: JsonForm::default(),
        })
    }
}

fn time(letter: u8) -> Result<Piece, FormatFault> {
    // The last are the library's own, and not of C.
    if !letter.is_ascii_alphabetic() || b"fqQ".contains(&letter) {
        return Err(FormatFault::Time(letter));
    }
    let specifier = format!("%{}", char::from(letter));
    // Tried once here, so that it cannot fail later.
    match local(&specifier, Timestamp::UNIX_EPOCH, &TimeZone::UTC) {
        Some(_) => Ok(Piece::Time(specifier)),
        None => Err(FormatFault::Time(letter)),
    }
}

fn escape(letter: Option<u8>) -> Result<u8, FormatFault> {
    Ok(match letter {
        Some(b'\\') => b'\\',
        Some(b'0') => 0,
        Some(b'a') => 0x07,
        Some(b'e') => 0x1B,
        Some(b'n') => b'\n',
        Some(b'r') => b'\r',
        Some(b't') => b'\t',
        Some(b'v') => 0x0B,
        None => return Err(FormatFault::OpenEscape),
        Some(other) => return Err(FormatFault::Escape(other)),
    })
}

/// As strftime in the C locale.
fn local(specifier: &str, time: Timestamp, zone: &TimeZone) -> Option<String> {
    let config = Config::new().custom(PosixCustom::new());
    BrokenDownTime::from(&time.to_zoned(zone.clone()))
        .to_string_with_config(&config, specifier)
        .ok()
}

impl Template {
    /// With `%j` and `%J` in this form.
    pub fn with_json(self, json: JsonForm) -> Template {
        Template { json, ..self }
    }

    /// Appends the message in this form, without a line feed; returns a complaint when a field cannot be printed.
    pub fn write(
        &self,
        message: &Publish,
        received: Timestamp,
        zone: &TimeZone,
        out: &mut Vec<u8>,
    ) -> Option<Complaint> {
        let mut complaint = None;
        for piece in &self.pieces {
            match piece {
                Piece::Literal(bytes) => out.extend_from_slice(bytes),
                Piece::Time(specifier) => {
                    let text = local(specifier, received, zone).unwrap_or_default();
                    out.extend_from_slice(text.as_bytes());
                }
                Piece::Nanoseconds => {
                    out.extend_from_slice(
                        format!("{:09}", received.subsec_nanosecond()).as_bytes(),
                    );
                }
                Piece::Field(field) => {
                    if let Err(words) = field.write(message, received, zone, self.json, out) {
                        complaint = Some(words);
                    }
                }
            }
        }
        complaint
    }
}

#[cfg(test)]
mod tests {
    use super::super::message::tests::{message, moment};
    use super::*;
    use crate::mqtt::{Properties, Property};
    use bytes::Bytes;

    fn printed(format: &str, message: &Publish) -> String {
        let (received, zone) = moment();
        let mut out = Vec::new();
        let template: Template = format.parse().unwrap();
        let complaint = template.write(message, received, &zone, &mut out);
        assert_eq!(complaint, None);
        String::from_utf8(out).unwrap()
    }

    fn with_properties() -> Publish {
        let mut message = message(b"hello world");
        message.properties = Properties(vec![
            Property::PayloadFormatIndicator(1),
            Property::MessageExpiryInterval(60),
            Property::ContentType("text/plain".into()),
            Property::ResponseTopic("answer/here".into()),
            Property::CorrelationData(Bytes::from_static(b"c d")),
            Property::SubscriptionIdentifier(3),
            Property::UserProperty("k".into(), "v".into()),
            Property::UserProperty("k".into(), "w".into()),
        ]);
        message
    }

    #[test]
    fn every_field_is_printed() {
        for (format, expected) in [
            ("%% %t %p", "% a/ü hello world"),
            ("%q %r %m %l", "1 1 7 11"),
            (
                "%C|%D|%E|%F|%R|%S|%A|%P",
                "text/plain|c d|60|1|answer/here|3||k:v k:w",
            ),
            ("%x", "68656c6c6f20776f726c64"),
            ("%X", "68656C6C6F20776F726C64"),
            ("%I", "2026-11-23T04:58:05+0100"),
            ("%U", "1795406285.194902123"),
            (
                "@Y-@m-@d @H:@M:@S.@N @z",
                "2026-11-23 04:58:05.194902123 +0100",
            ),
            ("@a @b @j @s @@", "Mon Nov 327 1795406285 @"),
            (
                "@c|@x|@X|@D|@p",
                "Mon Nov 23 04:58:05 2026|11/23/26|04:58:05|11/23/26|AM",
            ),
            (r"a\tb\\\n\0\a\e\r\v", "a\tb\\\n\0\u{7}\u{1b}\r\u{b}"),
        ] {
            assert_eq!(printed(format, &with_properties()), expected, "{format}");
        }
    }

    #[test]
    fn widths_and_precisions_are_those_of_c() {
        for (format, expected) in [
            ("[%5l]", "[   11]"),
            ("[%05l]", "[00011]"),
            ("[%-5l]", "[11   ]"),
            ("[%-05l]", "[11   ]"),
            ("[%6t]", "[  a/ü]"),
            ("[%06t]", "[  a/ü]"),
            ("[%-6t]", "[a/ü  ]"),
            ("[%.1t]", "[a]"),
            ("[%4.1t]", "[   a]"),
            ("[%3p]", "[hel]"),
            ("[%13p]", "[  hello world]"),
            ("[%013p]", "[00hello world]"),
            ("[%-13p]", "[hello world  ]"),
            ("[%3x]", "[68656c]"),
            ("[%4A]", "[    ]"),
            ("[%04A]", "[0000]"),
            ("[%25I]", "[ 2026-11-23T04:58:05+0100]"),
            ("[%.10I]", "[2026-11-23]"),
            ("[%.2:x]", "[68:65:6c:6c:6f:20:77:6f:72:6c:64]"),
            ("[%.4-X]", "[6865-6C6C-6F20-776F-726C-64]"),
            ("[%.1 x]", "[6 8 6 5 6 c 6 c 6 f 2 0 7 7 6 f 7 2 6 c 6 4]"),
        ] {
            assert_eq!(printed(format, &with_properties()), expected, "{format}");
        }
    }

    #[test]
    fn numbers_in_binary_are_printed_as_numbers() {
        let mut float = message(b"");
        float.payload = Bytes::copy_from_slice(&1.5_f32.to_ne_bytes());
        assert_eq!(
            printed("%f %.2f [%6.1f] [%06.1f]", &float),
            "1.500000 1.50 [   1.5] [0001.5]"
        );
        let mut double = message(b"");
        double.payload = Bytes::copy_from_slice(&(-2.25_f64).to_ne_bytes());
        assert_eq!(
            printed("%d [%-7.1d] [%07.2d]", &double),
            "-2.250000 [-2.2   ] [-002.25]"
        );
        let mut none = message(b"");
        none.payload = Bytes::copy_from_slice(&f64::NAN.to_ne_bytes());
        assert_eq!(printed("%d", &none), "nan");
    }

    #[test]
    fn a_payload_that_is_no_number_or_no_json_is_complained_about() {
        let (received, zone) = moment();
        for (format, complaint) in [
            (
                "%f",
                "%f prints a payload of 4 bytes, and there are 11 on topic a/ü",
            ),
            (
                "%d",
                "%d prints a payload of 8 bytes, and there are 11 on topic a/ü",
            ),
            ("%J", "the payload is not valid JSON on topic a/ü"),
        ] {
            let mut out = Vec::new();
            let template: Template = format.parse().unwrap();
            let said = template.write(&with_properties(), received, &zone, &mut out);
            assert_eq!(
                said.map(|said| said.to_string()).as_deref(),
                Some(complaint)
            );
            assert_eq!(out, b"");
        }
    }

    #[test]
    fn json_has_the_members_of_mosquitto_2_1_in_their_order() {
        assert_eq!(
            printed("%j", &with_properties()),
            "{\"tst\":\"2026-11-23T04:58:05.194902+0100\",\"topic\":\"a/ü\",\"qos\":1,\"retain\":true,\"payloadlen\":11,\
             \"mid\":7,\"properties\":{\"payload-format-indicator\":1,\"message-expiry-interval\":60,\
             \"content-type\":\"text/plain\",\"response-topic\":\"answer/here\",\"correlation-data\":\"c d\",\
             \"subscription-identifier\":3,\"user-properties\":[{\"k\":\"v\"},{\"k\":\"w\"}]},\"payload\":\"hello world\"}"
        );
        let mut number = message(b" [1.0, {\"b\\\" \" : 2 , \"a\":18446744073709551617}]\n");
        number.retain = false;
        assert_eq!(
            printed("%J", &number),
            "{\"tst\":\"2026-11-23T04:58:05.194902+0100\",\"topic\":\"a/ü\",\"qos\":1,\"retain\":false,\"payloadlen\":48,\
             \"mid\":7,\"payload\":[1.0,{\"b\\\" \":2,\"a\":18446744073709551617}]}"
        );
        assert!(printed("%j", &message(b"")).ends_with("\"payload\":null}"));
        assert!(printed("%J", &message(b"")).ends_with("\"payload\":null}"));
        assert!(printed("%j", &message(b"\xff")).ends_with("\"payload_base64\":\"/w==\"}"));
    }

    #[test]
    fn bytes_that_are_no_text_are_printed_as_they_are() {
        let (received, zone) = moment();
        let mut out = Vec::new();
        let template = Template::parse(b"\xff%q\xfe|").unwrap();
        assert_eq!(
            template.write(&message(b""), received, &zone, &mut out),
            None
        );
        assert_eq!(out, b"\xff1\xfe|");
    }

    #[test]
    fn a_wrong_format_is_refused_before_anything_is_printed() {
        for (format, error) in [
            ("%", "incomplete: a letter follows %"),
            ("%-5", "incomplete: a letter follows %"),
            ("%y", "invalid format specifier %y"),
            ("%0-5t", "invalid format specifier %-"),
            ("% t", "invalid format specifier % "),
            ("%ü", "invalid format specifier %\\xc3"),
            ("a@", "incomplete: a character follows @"),
            ("@!", "invalid time specifier @!"),
            ("@Q", "invalid time specifier @Q"),
            ("\\", "incomplete: a letter follows \\"),
            ("\\x41", "invalid escape \\x"),
            ("%99999999p", "a width is at most 65535"),
        ] {
            let fault = format.parse::<Template>().unwrap_err();
            assert_eq!(fault.to_string(), error);
        }
    }
}
