//! Texts with placeholders: topics, filters, client ids and credentials that differ from client to client or from
//! message to message.
//!
//! ```text
//! %i         the client's number in its group, from 1
//! %n         how many clients the group has
//! %s         the message's number at its publisher, from 1
//! %r{a..b}   a random whole number from a to b
//! %%         a percent sign
//! ```
//! They stand anywhere in the text. What is random follows from the run, the client and the message, so a client that
//! comes back has its name again and a plan that is run again is the same run.

use std::fmt::{self, Write};
use std::str::FromStr;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::bench::random::Random;

/// A text with placeholders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Number,
    Total,
    Sequence,
    Random(u64, u64),
}

/// What the placeholders stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Values {
    /// `%i`.
    pub number: u32,
    /// `%n`.
    pub total: u32,
    /// `%s`; 0 where there is no message.
    pub sequence: u64,
    /// What `%r` follows from, beside `sequence`.
    pub seed: u64,
}

impl FromStr for Pattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Pattern, String> {
        let mut pattern = Pattern { parts: Vec::new() };
        let mut rest = text;
        while let Some(at) = rest.find('%') {
            pattern.push_text(&rest[..at]);
            let behind = &rest[at + 1..];
            let mut characters = behind.chars();
            match characters.next() {
                Some('%') => pattern.push_text("%"),
                Some('i') => pattern.parts.push(Part::Number),
                Some('n') => pattern.parts.push(Part::Total),
                Some('s') => pattern.parts.push(Part::Sequence),
                Some('r') => {
                    let (part, length) = random(&behind[1..])
                        .ok_or_else(|| format!("{text:?}: after %r stands a range of whole numbers, for example %r{{1..100}}"))?;
                    pattern.parts.push(part);
                    rest = &behind[1 + length..];
                    continue;
                }
                other => {
                    let found = other.map_or(String::new(), String::from);
                    return Err(format!(
                        "{text:?} has %{found}; there are %i, the client's number, %n, how many there are, %s, the message's \
                         number, %r{{a..b}}, a random number, and %%, a percent sign"
                    ));
                }
            }
            rest = characters.as_str();
        }
        pattern.push_text(rest);
        Ok(pattern)
    }
}

/// `{a..b}` at the beginning of a text, and its length.
fn random(text: &str) -> Option<(Part, usize)> {
    let (inner, _) = text.strip_prefix('{')?.split_once('}')?;
    let (from, to) = inner.split_once("..")?;
    let (from, to) = (from.parse().ok()?, to.parse().ok()?);
    (from <= to).then_some((Part::Random(from, to), inner.len() + 2))
}

impl Pattern {
    /// Adds text behind what there is.
    fn push_text(&mut self, text: &str) {
        match self.parts.last_mut() {
            _ if text.is_empty() => {}
            Some(Part::Text(last)) => last.push_str(text),
            _ => self.parts.push(Part::Text(text.to_owned())),
        }
    }

    /// Whether it differs from message to message of the same client.
    pub fn varies(&self) -> bool {
        let varies = |part: &Part| matches!(part, Part::Sequence | Part::Random(..));
        self.parts.iter().any(varies)
    }

    /// Whether `%s` stands in it.
    pub fn counts(&self) -> bool {
        self.parts.contains(&Part::Sequence)
    }

    /// The text.
    pub fn with(&self, values: Values) -> String {
        let mut out = String::new();
        self.write(values, &mut out);
        out
    }

    /// Appends the text to `out`.
    pub fn write(&self, values: Values, out: &mut String) {
        let mut random = None;
        for part in &self.parts {
            // Writing to a string cannot fail.
            let _ = match part {
                Part::Text(text) => out.write_str(text),
                Part::Number => write!(out, "{}", values.number),
                Part::Total => write!(out, "{}", values.total),
                Part::Sequence => write!(out, "{}", values.sequence),
                Part::Random(from, to) => {
                    let random =
                        random.get_or_insert_with(|| Random::of(&[values.seed, values.sequence]));
                    write!(out, "{}", random.between(*from, *to))
                }
            };
        }
    }

    /// The text with `unknown` in place of what differs from message to message.
    pub fn outline(&self, values: Values, unknown: char) -> String {
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Part::Sequence | Part::Random(..) => out.push(unknown),
                fixed => Pattern {
                    parts: vec![fixed.clone()],
                }
                .write(values, &mut out),
            }
        }
        out
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.parts {
            match part {
                Part::Text(text) => out.write_str(&text.replace('%', "%%"))?,
                Part::Number => out.write_str("%i")?,
                Part::Total => out.write_str("%n")?,
                Part::Sequence => out.write_str("%s")?,
                Part::Random(from, to) => write!(out, "%r{{{from}..{to}}}")?,
            }
        }
        Ok(())
    }
}

impl Serialize for Pattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Pattern, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const VALUES: Values = Values {
        number: 7,
        total: 12,
        sequence: 3,
        seed: 99,
    };

    #[test]
    fn placeholders_stand_anywhere_and_a_pattern_prints_as_it_was_read() {
        for (text, expected) in [
            ("", ""),
            ("plain", "plain"),
            ("a/%i/b%i", "a/7/b7"),
            ("%i%n", "712"),
            ("温度/%s", "温度/3"),
            ("100%%/%%i", "100%/%i"),
            ("%r{5..5}x{}", "5x{}"),
        ] {
            let pattern: Pattern = text.parse().unwrap();
            assert_eq!(pattern.with(VALUES), expected);
            assert_eq!(pattern.to_string(), text);
        }
    }

    #[test]
    fn what_is_no_placeholder_is_refused_with_all_that_are() {
        for text in ["%", "a%x", "%é", "50%/a"] {
            let error = text.parse::<Pattern>().unwrap_err();
            assert!(error.contains("there are %i"), "{error}");
        }
        for text in [
            "%r",
            "%r{}",
            "%r{1..}",
            "%r{2..1}",
            "%r{1..2",
            "%r{-1..2}",
            "%r{1-2}",
        ] {
            let error = text.parse::<Pattern>().unwrap_err();
            assert!(error.contains("%r{1..100}"), "{error}");
        }
    }

    #[test]
    fn what_is_random_follows_from_the_client_and_the_message() {
        let pattern: Pattern = "%r{1..1000000}/%r{1..1000000}".parse().unwrap();
        assert!(pattern.varies() && !pattern.counts());
        let text = pattern.with(VALUES);
        let (one, other) = text.split_once('/').unwrap();
        assert_ne!(one, other, "each has a number of its own");
        assert_eq!(text, pattern.with(VALUES));
        assert_ne!(
            text,
            pattern.with(Values {
                sequence: 4,
                ..VALUES
            })
        );
        assert_ne!(text, pattern.with(Values { seed: 5, ..VALUES }));
        assert_eq!(pattern.outline(VALUES, '?'), "?/?");
    }

    proptest! {
        #[test]
        fn a_pattern_comes_back_from_its_text(text in "([a-z/%]|%i|%n|%s|%r\\{[0-9]\\.\\.9\\}|%%){0,20}") {
            if let Ok(pattern) = text.parse::<Pattern>() {
                let again: Pattern = pattern.to_string().parse().unwrap();
                prop_assert_eq!(again.with(VALUES), pattern.with(VALUES));
                prop_assert_eq!(again, pattern);
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text: String) {
            let _ = text.parse::<Pattern>();
        }
    }
}
