//! One field of a format string, `%[-][0][width][.precision][separator]X`: how it is written and what it prints.
//! Widths, precisions and zeros mean what they mean in mosquitto_sub, and so mostly what they mean in C.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::super::mosquitto::{self, JsonForm};
use super::{Complaint, FormatFault, Rest, local};
use crate::mqtt::packet::Publish;

/// The letters after `%`.
const FIELDS: &[u8] = b"%ACDEFIJPRSUXdfjlmpqrtx";
/// What may stand between groups of hexadecimal digits.
const SEPARATORS: &[u8] = b" !\"#$&'()*+,-./:;<=>?@[\\]^_`{|}~";

/// What stands between `%` and its letter, and the letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) letter: u8,
    is_left: bool,
    pad: u8,
    width: usize,
    precision: Option<usize>,
    separator: Option<u8>,
}

impl Field {
    /// Reads what follows `%`.
    pub(super) fn parse(rest: &mut Rest<'_>) -> Result<Field, FormatFault> {
        let is_left = rest.next_if_eq(&b'-').is_some();
        let pad = rest.next_if_eq(&b'0').unwrap_or(b' ');
        let width = number(rest)?.unwrap_or(0);
        let precision = match rest.next_if_eq(&b'.') {
            None => None,
            Some(_) => Some(number(rest)?.unwrap_or(0)),
        };
        // Without a length there are no groups to separate.
        let separator = precision.and_then(|_| rest.next_if(|byte| SEPARATORS.contains(byte)));
        match rest.next() {
            None => Err(FormatFault::OpenField),
            Some(letter) if FIELDS.contains(&letter) => Ok(Field {
                letter,
                is_left,
                pad,
                width,
                precision,
                separator,
            }),
            Some(letter) => Err(FormatFault::Field(letter)),
        }
    }

    /// Appends the field of this message.
    ///
    /// # Errors
    /// When the payload is not what the letter prints; nothing is appended then.
    pub(super) fn write(
        &self,
        message: &Publish,
        received: Timestamp,
        zone: &TimeZone,
        json: JsonForm,
        out: &mut Vec<u8>,
    ) -> Result<(), Complaint> {
        let properties = &message.properties;
        let payload = &message.payload;
        match self.letter {
            b'A' => self.number(properties.topic_alias(), out),
            b'C' => self.text(properties.content_type().as_deref(), out),
            b'D' => out.extend_from_slice(&properties.correlation_data().unwrap_or_default()),
            b'E' => self.number(properties.message_expiry_interval(), out),
            b'F' => self.number(properties.payload_format_indicator(), out),
            b'I' => self.text(local("%FT%T%z", received, zone).as_deref(), out),
            b'j' | b'J' => {
                let time = local("%Y-%m-%dT%H:%M:%S.%6f%z", received, zone).unwrap_or_default();
                let payload = match self.letter {
                    b'j' => mosquitto::as_string(payload),
                    _ => mosquitto::as_json(payload)
                        .ok_or_else(|| Complaint::Json(message.topic.clone()))?,
                };
                mosquitto::write(message, &time, payload, json, out);
            }
            b'l' => self.number(Some(payload.len()), out),
            b'm' => self.number(Some(message.packet_id), out),
            b'P' => {
                for (index, (name, value)) in properties.user_properties().enumerate() {
                    if index > 0 {
                        out.push(b' ');
                    }
                    out.extend_from_slice(format!("{name}:{value}").as_bytes());
                }
            }
            b'p' => {
                let shown = self.cut(payload);
                self.padded(shown, out);
            }
            b'q' => out.push(b'0' + message.qos.number()),
            b'R' => {
                if let Some(topic) = properties.response_topic() {
                    self.text(Some(&*topic), out);
                }
            }
            b'r' => out.push(if message.retain { b'1' } else { b'0' }),
            b'S' => self.number(properties.subscription_identifier(), out),
            b't' => self.text(Some(&*message.topic), out),
            b'U' => {
                let time = format!(
                    "{}.{:09}",
                    received.as_second(),
                    received.subsec_nanosecond()
                );
                out.extend_from_slice(time.as_bytes());
            }
            b'x' | b'X' => self.hexadecimal(payload, out),
            b'f' => match <[u8; 4]>::try_from(&payload[..]) {
                Ok(bytes) => self.float(f64::from(f32::from_ne_bytes(bytes)), out),
                Err(_) => return Err(self.no_float(message, 4)),
            },
            b'd' => match <[u8; 8]>::try_from(&payload[..]) {
                Ok(bytes) => self.float(f64::from_ne_bytes(bytes), out),
                Err(_) => return Err(self.no_float(message, 8)),
            },
            other => unreachable!("{other} is not in FIELDS"),
        }
        Ok(())
    }

    fn no_float(&self, message: &Publish, expected: usize) -> Complaint {
        Complaint::Float {
            letter: char::from(self.letter),
            expected,
            length: message.payload.len(),
            topic: message.topic.clone(),
        }
    }

    fn padded(&self, bytes: &[u8], out: &mut Vec<u8>) {
        let missing = self.width.saturating_sub(bytes.len());
        if self.is_left {
            out.extend_from_slice(bytes);
            // Spaces on the right, as C has it.
            out.extend(std::iter::repeat_n(b' ', missing));
        } else {
            out.extend(std::iter::repeat_n(self.pad, missing));
            out.extend_from_slice(bytes);
        }
    }

    fn number(&self, number: Option<impl ToString>, out: &mut Vec<u8>) {
        match number {
            Some(number) => self.padded(number.to_string().as_bytes(), out),
            None => out.extend(std::iter::repeat_n(self.pad, self.width)),
        }
    }

    /// Texts are never padded with zeros; an absent one is all spaces.
    fn text(&self, text: Option<&str>, out: &mut Vec<u8>) {
        let text = text.unwrap_or_default();
        let shown = self.precision.unwrap_or(usize::MAX).min(text.len());
        let spaces = Field {
            pad: b' ',
            ..self.clone()
        };
        spaces.padded(&text.as_bytes()[..shown], out);
    }

    fn float(&self, value: f64, out: &mut Vec<u8>) {
        let precision = self.precision.unwrap_or(6);
        let text = match value.is_finite() {
            true => format!("{value:.precision$}"),
            false => value.to_string().to_lowercase(),
        };
        match text.strip_prefix('-') {
            // Zeros stand between the sign and the digits.
            Some(digits) if self.pad == b'0' && !self.is_left && value.is_finite() => {
                let zeros = self.width.saturating_sub(text.len());
                out.push(b'-');
                out.extend(std::iter::repeat_n(b'0', zeros));
                out.extend_from_slice(digits.as_bytes());
            }
            _ => self.padded(text.as_bytes(), out),
        }
    }

    /// The width of a payload is also its most.
    fn cut<'a>(&self, payload: &'a [u8]) -> &'a [u8] {
        match self.width {
            0 => payload,
            width => &payload[..payload.len().min(width)],
        }
    }

    fn hexadecimal(&self, payload: &[u8], out: &mut Vec<u8>) {
        let digits: &[u8; 16] = match self.letter {
            b'x' => b"0123456789abcdef",
            _ => b"0123456789ABCDEF",
        };
        let text: Vec<u8> = self
            .cut(payload)
            .iter()
            .flat_map(|byte| [byte >> 4, byte & 0x0F])
            .map(|nibble| digits[usize::from(nibble)])
            .collect();
        let (Some(group @ 1..), Some(separator)) = (self.precision, self.separator) else {
            return self.padded(&text, out);
        };
        let mut padded = Vec::new();
        self.padded(&text, &mut padded);
        for (index, group) in padded.chunks(group).enumerate() {
            if index > 0 {
                out.push(separator);
            }
            out.extend_from_slice(group);
        }
    }
}

fn number(rest: &mut Rest<'_>) -> Result<Option<usize>, FormatFault> {
    let mut number = None;
    while let Some(digit) = rest.next_if(u8::is_ascii_digit) {
        let grown = number.unwrap_or(0) * 10 + usize::from(digit - b'0');
        if grown > 65_535 {
            return Err(FormatFault::Width);
        }
        number = Some(grown);
    }
    Ok(number)
}
