//! Messages with a part that differs each time: `{{count}}`, `{{now}}`, `{{uuid}}`, `{{rand 1 6}}`, `{{env HOME}}`.
//!
//! Opt-in, because braces are ordinary bytes everywhere else. Only what a clock and dice can fill in is here; anything
//! that reads, computes or decides is a program's business, which can write JSON lines.

use std::io::Write;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use memchr::memmem;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A text and the places in it to be filled in.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq)]
enum Part {
    Bytes(Vec<u8>),
    Count,
    Now(Clock),
    Uuid,
    Integer(i64, i64),
    /// From, to, and the digits after the point.
    Decimal(f64, f64, usize),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Clock {
    Rfc3339,
    Seconds,
    Milliseconds,
    Microseconds,
    Nanoseconds,
}

/// What the places of one message are filled with.
#[derive(Debug)]
pub struct Filling<'a> {
    /// Which message this is, from 1.
    pub count: u64,
    /// When it is made.
    pub now: Timestamp,
    /// Where chance comes from.
    pub dice: &'a mut Dice,
}

/// Chance that can be repeated: one seed always gives the same numbers.
#[derive(Debug, Clone)]
pub struct Dice(ChaCha8Rng);

impl Dice {
    /// With this seed, or one of its own.
    pub fn new(seed: Option<u64>) -> Dice {
        use std::hash::{BuildHasher, RandomState};
        Dice(ChaCha8Rng::seed_from_u64(
            seed.unwrap_or_else(|| RandomState::new().hash_one(0)),
        ))
    }
}

impl Template {
    /// Reads a template. Environment variables are put in here, once.
    ///
    /// # Errors
    /// Says which `{{...}}` is not understood.
    pub fn parse(
        text: &[u8],
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Template, String> {
        let mut parts = Vec::new();
        let mut bytes = Vec::new();
        let mut rest = text;
        while let Some(at) = memmem::find(rest, b"{{") {
            bytes.extend_from_slice(&rest[..at]);
            rest = &rest[at..];
            match rest.iter().take_while(|byte| **byte == b'{').count() {
                2 => {}
                3 => {
                    bytes.push(b'{');
                    rest = &rest[1..];
                }
                _ => {
                    bytes.extend_from_slice(b"{{");
                    rest = &rest[4..];
                    continue;
                }
            }
            let inside = &rest[2..];
            let end = memmem::find(inside, b"}}").ok_or_else(|| {
                format!(
                    "{} has no end; a literal {{{{ is written {{{{{{{{",
                    excerpt(rest)
                )
            })?;
            let words = String::from_utf8_lossy(&inside[..end]);
            match place(&words, &environment)? {
                Part::Bytes(value) => bytes.extend(value),
                part => {
                    parts.extend(literal(&mut bytes));
                    parts.push(part);
                }
            }
            rest = &inside[end + 2..];
        }
        bytes.extend_from_slice(rest);
        parts.extend(literal(&mut bytes));
        Ok(Template { parts })
    }

    /// The text with every place filled in.
    pub fn fill(&self, filling: &mut Filling<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        self.fill_into(filling, &mut out);
        out
    }

    /// Appends the text with every place filled in.
    pub fn fill_into(&self, filling: &mut Filling<'_>, out: &mut Vec<u8>) {
        for part in &self.parts {
            let written = match part {
                Part::Bytes(bytes) => out.write_all(bytes),
                Part::Count => write!(out, "{}", filling.count),
                Part::Now(clock) => write!(out, "{}", clock.show(filling.now)),
                Part::Uuid => {
                    let random = uuid::Builder::from_random_bytes(filling.dice.0.r#gen());
                    write!(out, "{}", random.into_uuid())
                }
                Part::Integer(from, to) => {
                    write!(out, "{}", filling.dice.0.gen_range(*from..=*to))
                }
                Part::Decimal(from, to, digits) => {
                    let number = filling.dice.0.gen_range(*from..=*to);
                    write!(out, "{number:.digits$}")
                }
            };
            written.expect("a vector takes whatever is written to it");
        }
    }
}

fn literal(bytes: &mut Vec<u8>) -> Option<Part> {
    (!bytes.is_empty()).then(|| Part::Bytes(std::mem::take(bytes)))
}

fn excerpt(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(20)]).into_owned()
}

fn place(words: &str, environment: impl Fn(&str) -> Option<String>) -> Result<Part, String> {
    let unknown = || {
        format!(
            "{{{{{words}}}}} is not known; there are {{{{count}}}}, {{{{now}}}}, {{{{uuid}}}}, {{{{rand 1 6}}}} and {{{{env NAME}}}}"
        )
    };
    let words: Vec<&str> = words.split_whitespace().collect();
    Ok(match words[..] {
        ["count"] => Part::Count,
        ["now"] => Part::Now(Clock::Rfc3339),
        ["now", unit] => Part::Now(match unit {
            "s" => Clock::Seconds,
            "ms" => Clock::Milliseconds,
            "us" => Clock::Microseconds,
            "ns" => Clock::Nanoseconds,
            _ => {
                return Err(format!(
                    "{{{{now {unit}}}}} is not known; there are {{{{now}}}} and {{{{now s}}}}, ms, us and ns"
                ));
            }
        }),
        ["uuid"] => Part::Uuid,
        ["rand", from, to] => range(from, to)?,
        ["env", name] => Part::Bytes(
            environment(name)
                .ok_or_else(|| format!("{{{{env {name}}}}}: the variable {name} is not set"))?
                .into_bytes(),
        ),
        _ => return Err(unknown()),
    })
}

/// Whole numbers, or with as many digits after the point as the bound that has more of them.
fn range(from: &str, to: &str) -> Result<Part, String> {
    let here = format!("{{{{rand {from} {to}}}}}");
    let wrong = |what: &str| format!("{here}: {what}");
    let part = match (from.parse(), to.parse()) {
        (Ok(from), Ok(to)) => Part::Integer(from, to),
        _ => {
            let number = |text: &str| {
                let number = text.parse().ok().filter(|number: &f64| number.is_finite());
                number.ok_or_else(|| wrong(&format!("{text} is no number")))
            };
            let digits = |text: &str| text.split_once('.').map_or(0, |(_, digits)| digits.len());
            // More a double does not have.
            let digits = digits(from).max(digits(to)).min(17);
            Part::Decimal(number(from)?, number(to)?, digits)
        }
    };
    match part {
        Part::Integer(from, to) if from > to => Err(wrong("the first is the smaller one")),
        Part::Decimal(from, to, _) if from > to => Err(wrong("the first is the smaller one")),
        Part::Decimal(from, to, _) if !(to - from).is_finite() => Err(wrong("it is out of range")),
        part => Ok(part),
    }
}

impl Clock {
    fn show(self, now: Timestamp) -> String {
        match self {
            Clock::Rfc3339 => {
                let zone = TimeZone::UTC.to_offset(now);
                format!("{:.6}", now.display_with_offset(zone))
            }
            Clock::Seconds => now.as_second().to_string(),
            Clock::Milliseconds => now.as_millisecond().to_string(),
            Clock::Microseconds => now.as_microsecond().to_string(),
            Clock::Nanoseconds => now.as_nanosecond().to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn environment(name: &str) -> Option<String> {
        (name == "NAME").then(|| "va{{lue".to_owned())
    }

    fn filled(text: &str, seed: u64) -> String {
        let template = Template::parse(text.as_bytes(), environment).unwrap();
        let mut filling = Filling {
            count: 7,
            now: Timestamp::new(1_795_406_285, 194_902_123).unwrap(),
            dice: &mut Dice::new(Some(seed)),
        };
        String::from_utf8(template.fill(&mut filling)).unwrap()
    }

    fn refused(text: &str) -> String {
        Template::parse(text.as_bytes(), environment).unwrap_err()
    }

    #[test]
    fn each_place_is_filled_with_what_it_names() {
        for (text, expected) in [
            ("", ""),
            ("plain } text {", "plain } text {"),
            ("{{count}}/{{ count }}", "7/7"),
            ("{{now}}", "2026-11-23T03:58:05.194902+00:00"),
            ("{{now s}} {{now ms}}", "1795406285 1795406285194"),
            (
                "{{now us}} {{now ns}}",
                "1795406285194902 1795406285194902123",
            ),
            ("{{env NAME}}", "va{{lue"),
            ("{\"a\":{{count}}}", "{\"a\":7}"),
            ("{{{count}}}", "{7}"),
            ("{{{{count}}", "{{count}}"),
            ("{{rand 3 3}} {{rand -1.50 -1.5}}", "3 -1.50"),
        ] {
            assert_eq!(filled(text, 1), expected, "{text}");
        }
    }

    #[test]
    fn chance_is_repeated_with_the_seed_and_stays_in_its_bounds() {
        let text = "{{uuid}} {{rand 1 6}} {{rand 0.0 1}}";
        let text = text.repeat(20);
        assert_eq!(filled(&text, 1), filled(&text, 1));
        assert_ne!(filled(&text, 1), filled(&text, 2));
        let dice = filled(&"{{rand 1 6}}".repeat(300), 3);
        for number in '1'..='6' {
            assert!(dice.contains(number), "{number} never came");
        }
        assert!(dice.chars().all(|each| ('1'..='6').contains(&each)));
        let uuid = filled("{{uuid}}", 4);
        let parsed = uuid::Uuid::parse_str(&uuid).unwrap();
        assert_eq!(parsed.get_version_num(), 4);
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (text, words) in [
            (
                "{{counter}}",
                "{{counter}} is not known; there are {{count}}, ",
            ),
            ("{{}}", "{{}} is not known"),
            (
                "a{{count",
                "{{count has no end; a literal {{ is written {{{{",
            ),
            ("{{env NONE}}", "{{env NONE}}: the variable NONE is not set"),
            ("{{rand 6 1}}", "{{rand 6 1}}: the first is the smaller one"),
            ("{{rand a 1}}", "{{rand a 1}}: a is no number"),
            ("{{rand nan 1}}", "{{rand nan 1}}: nan is no number"),
            (
                "{{now h}}",
                "{{now h}} is not known; there are {{now}} and ",
            ),
        ] {
            let error = refused(text);
            assert!(error.starts_with(words), "{error}");
        }
    }

    proptest! {
        #[test]
        fn bytes_without_two_braces_stay_as_they_are(bytes in proptest::collection::vec(any::<u8>(), 0..50)) {
            prop_assume!(memmem::find(&bytes, b"{{").is_none());
            let template = Template::parse(&bytes, environment).unwrap();
            let mut dice = Dice::new(Some(0));
            let mut filling = Filling { count: 1, now: Timestamp::UNIX_EPOCH, dice: &mut dice };
            prop_assert_eq!(template.fill(&mut filling), bytes);
        }

        #[test]
        fn anything_is_a_template_or_refused(text in "(\\{|\\}|count|rand|[ -9.]|env|NAME){0,12}") {
            if let Ok(template) = Template::parse(text.as_bytes(), environment) {
                let mut dice = Dice::new(Some(0));
                let mut filling = Filling { count: 1, now: Timestamp::UNIX_EPOCH, dice: &mut dice };
                template.fill(&mut filling);
            }
        }
    }
}
