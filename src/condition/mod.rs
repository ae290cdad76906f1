//! `--where`: which messages are meant, by topic, by level of the topic, by payload or by a member of a JSON payload.
//!
//! ```text
//! condition = subject operator value | pointer
//! subject   = "topic" | "topic[" N "]" | "payload" | pointer
//! operator  = "=" | "!=" | "<" | "<=" | ">" | ">=" | "~" | "!~"
//! ```
//! N counts the levels of the topic from 0, or from -1 at the end. A pointer is a JSON pointer (RFC 6901), `/a/0/b`; alone
//! it asks whether the payload has that member. It ends at the first operator, so one with an operator or with spaces at
//! its end in it stands in double quotes; `~0` and `~1` are its escapes, so a space stands before a `~` that is followed by
//! such a digit. Spaces around the operator mean nothing.
//!
//! The value of `~` is a regular expression, which is found anywhere in the subject. Any other value is what JSON makes of
//! it, else text. Numbers are compared as numbers, also with a subject that is text and reads as a number; texts byte by
//! byte. What cannot be compared is different: neither equal nor less nor greater. A message without the subject does
//! not meet the condition, whatever the operator.
//!
//! It is no language: conditions are joined by being several, and all must be met.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::str::FromStr;

use regex::bytes::Regex;
use serde::de::IgnoredAny;
use serde_json::{Number, Value};

use self::member::Pointer;

use crate::mqtt::packet::Publish;

/// Something a message is asked for.
#[derive(Debug, Clone)]
pub struct Condition {
    subject: Subject,
    test: Test,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Subject {
    Topic,
    /// From 0, or from -1 at the end.
    Level(isize),
    Payload,
    Member(Pointer),
}

#[derive(Debug, Clone)]
enum Test {
    Exists,
    Compare(Operator, Operand),
    Matches { expression: Regex, wanted: bool },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// What was typed, and what JSON makes of it.
#[derive(Debug, Clone, PartialEq)]
struct Operand {
    text: String,
    value: Value,
}

impl Condition {
    /// Whether the message meets it. Memory beside the message's own is that of the member that is asked for.
    pub fn is_met(&self, message: &Publish) -> bool {
        let (topic, payload) = (&message.topic, &*message.payload);
        let text = match (&self.subject, &self.test) {
            (Subject::Topic, _) => Some(&**topic.as_bytes()),
            (Subject::Level(place), _) => level(topic, *place).map(str::as_bytes),
            (Subject::Payload, _) => Some(payload),
            (Subject::Member(pointer), Test::Exists) => {
                return pointer.follow::<IgnoredAny>(payload).is_some();
            }
            (Subject::Member(pointer), test) => {
                let found = pointer.follow(payload);
                return found.is_some_and(|value| test.holds_for_value(&value));
            }
        };
        text.is_some_and(|text| self.test.holds_for_text(text))
    }
}

fn level(topic: &str, place: isize) -> Option<&str> {
    match usize::try_from(place) {
        Ok(place) => topic.split('/').nth(place),
        Err(_) => topic.rsplit('/').nth(place.unsigned_abs() - 1),
    }
}

impl Test {
    fn holds_for_text(&self, text: &[u8]) -> bool {
        match self {
            Test::Exists => true,
            Test::Compare(operator, operand) => operator.holds(operand.compared_to_text(text)),
            Test::Matches { expression, wanted } => expression.is_match(text) == *wanted,
        }
    }

    fn holds_for_value(&self, value: &Value) -> bool {
        match (self, value) {
            (test, Value::String(text)) => test.holds_for_text(text.as_bytes()),
            (Test::Exists, _) => true,
            (Test::Compare(operator, operand), value) => {
                operator.holds(operand.compared_to_value(value))
            }
            (Test::Matches { expression, wanted }, value) => {
                expression.is_match(value.to_string().as_bytes()) == *wanted
            }
        }
    }
}

impl Operand {
    /// How the text stands to this.
    fn compared_to_text(&self, text: &[u8]) -> Option<Ordering> {
        if let Value::Number(number) = &self.value {
            return match serde_json::from_slice(text) {
                Ok(found) => compare(&found, number),
                Err(_) => (text == self.text.as_bytes()).then_some(Ordering::Equal),
            };
        }
        Some(text.cmp(self.text.as_bytes()))
    }

    /// How a value that is no string stands to this.
    fn compared_to_value(&self, found: &Value) -> Option<Ordering> {
        match (found, &self.value) {
            (Value::Number(found), Value::Number(number)) => compare(found, number),
            (found, value) => (found == value).then_some(Ordering::Equal),
        }
    }
}

/// Integers exactly, everything else as doubles.
fn compare(a: &Number, b: &Number) -> Option<Ordering> {
    match (a.as_i128(), b.as_i128()) {
        (Some(a), Some(b)) => Some(a.cmp(&b)),
        _ => a.as_f64()?.partial_cmp(&b.as_f64()?),
    }
}

impl Operator {
    fn holds(self, ordering: Option<Ordering>) -> bool {
        match self {
            Operator::Equal => ordering == Some(Ordering::Equal),
            Operator::NotEqual => ordering != Some(Ordering::Equal),
            Operator::Less => ordering == Some(Ordering::Less),
            Operator::LessOrEqual => ordering.is_some_and(Ordering::is_le),
            Operator::Greater => ordering == Some(Ordering::Greater),
            Operator::GreaterOrEqual => ordering.is_some_and(Ordering::is_ge),
        }
    }
}

impl FromStr for Condition {
    type Err = String;

    fn from_str(text: &str) -> Result<Condition, String> {
        let (subject, rest) = subject(text.trim_start())?;
        let rest = rest.trim();
        if rest.is_empty() {
            return match subject {
                Subject::Member(_) => Ok(Condition {
                    subject,
                    test: Test::Exists,
                }),
                _ => Err(format!("{} after {text}", EXPECTED_OPERATOR)),
            };
        }
        // The longer ones first.
        let operators = [
            ("!=", Some(Operator::NotEqual)),
            ("<=", Some(Operator::LessOrEqual)),
            (">=", Some(Operator::GreaterOrEqual)),
            ("!~", None),
            ("==", Some(Operator::Equal)),
            ("=", Some(Operator::Equal)),
            ("<", Some(Operator::Less)),
            (">", Some(Operator::Greater)),
            ("~", None),
        ];
        let found = operators
            .into_iter()
            .find_map(|(sign, operator)| Some((sign, operator, rest.strip_prefix(sign)?)));
        let Some((sign, operator, value)) = found else {
            return Err(format!("{EXPECTED_OPERATOR} before {rest}"));
        };
        let value = value.trim_start();
        let test = match operator {
            Some(operator) => Test::Compare(operator, operand(value)),
            None => Test::Matches {
                expression: expression(value)?,
                wanted: sign == "~",
            },
        };
        Ok(Condition { subject, test })
    }
}

const EXPECTED_OPERATOR: &str = "one of = != < <= > >= ~ !~ is expected";

/// The subject and what follows it.
fn subject(text: &str) -> Result<(Subject, &str), String> {
    if let Some(rest) = text.strip_prefix("topic[") {
        let (place, rest) = rest.split_once(']').ok_or("there is no ] after topic[")?;
        return match place.trim().parse() {
            Ok(place) if place != isize::MIN => Ok((Subject::Level(place), rest)),
            _ => Err(format!(
                "{place:?} is no level of a topic: 0 is the first, -1 the last"
            )),
        };
    }
    if let Some(rest) = text.strip_prefix("topic") {
        return Ok((Subject::Topic, rest));
    }
    if let Some(rest) = text.strip_prefix("payload") {
        return Ok((Subject::Payload, rest));
    }
    let (pointer, rest): (Cow<'_, str>, &str) = match text.chars().next() {
        Some('/') => {
            let (pointer, rest) = text.split_at(end_of_pointer(text));
            (pointer.trim_end().into(), rest)
        }
        Some('"') => {
            let mut values = serde_json::Deserializer::from_str(text).into_iter::<String>();
            let pointer = match values.next() {
                Some(Ok(pointer)) => pointer,
                _ => return Err("the double quotes do not end".to_owned()),
            };
            let rest = &text[values.byte_offset()..];
            (pointer.into(), rest)
        }
        _ => {
            return Err(
                "it begins with topic, topic[N], payload or a JSON pointer such as /temperature"
                    .to_owned(),
            );
        }
    };
    match Pointer::new(&pointer) {
        Some(pointer) => Ok((Subject::Member(pointer), rest)),
        None => Err(format!(
            "{pointer:?} is no JSON pointer, which begins with /"
        )),
    }
}

/// Where the first operator begins, or the text ends.
fn end_of_pointer(text: &str) -> usize {
    let bytes = text.as_bytes();
    let begins_operator = |index: &usize| match bytes[*index] {
        b'=' | b'<' | b'>' => true,
        b'!' => matches!(bytes.get(index + 1), Some(b'=' | b'~')),
        // An escape of the pointer, unless something parts them.
        b'~' => !matches!(bytes.get(index + 1), Some(b'0' | b'1')) || bytes[index - 1] == b' ',
        _ => false,
    };
    (1..bytes.len())
        .find(begins_operator)
        .unwrap_or(bytes.len())
}

fn operand(text: &str) -> Operand {
    let text = text.trim_end();
    match serde_json::from_str(text) {
        Ok(Value::String(quoted)) => Operand {
            text: quoted.clone(),
            value: Value::String(quoted),
        },
        Ok(value) => Operand {
            text: text.to_owned(),
            value,
        },
        Err(_) => Operand {
            text: text.to_owned(),
            value: Value::String(text.to_owned()),
        },
    }
}

fn expression(text: &str) -> Result<Regex, String> {
    Regex::new(text).map_err(|error| {
        // The last of several lines says what is wrong; those before it point at it.
        let words = error.to_string();
        let last = words.lines().last().unwrap_or_default();
        let last = last.strip_prefix("error: ").unwrap_or(last);
        format!("{text:?} is no regular expression: {last}")
    })
}

mod member;
#[cfg(test)]
mod tests;
