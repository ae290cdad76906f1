//! How large payloads are: always the same, or drawn for each message.

use std::fmt;
use std::str::FromStr;

use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use crate::bench::random::Random;
use crate::size;

/// Bytes of payload, measurement header included where it is in the payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Size {
    /// Always the same.
    Fixed(u32),
    /// Evenly from one to the other, both included.
    Uniform(u32, u32),
    /// Around a mean with a standard deviation, cut off at four of them.
    Normal(u32, u32),
    /// Many small ones and a few large ones around a mean, cut off at ten times of it.
    Exponential(u32),
    /// So many of each size as its weight says.
    Mix(Vec<(u32, u32)>),
}

/// The largest size that can be written, which is far over what a packet may have.
const LARGEST: u32 = 1 << 30;

/// What a size of 64 bytes is where none is given.
impl Default for Size {
    fn default() -> Size {
        Size::Fixed(64)
    }
}

impl Size {
    /// The smallest that is drawn. That of a normal or exponential distribution is moved up to what is needed.
    pub fn smallest(&self) -> u32 {
        match self {
            Size::Fixed(size) | Size::Uniform(size, _) => *size,
            Size::Normal(mean, deviation) => mean.saturating_sub(deviation.saturating_mul(4)),
            Size::Exponential(_) => 0,
            Size::Mix(sizes) => sizes.iter().map(|(size, _)| *size).min().unwrap_or(0),
        }
    }

    /// The largest that is drawn.
    pub fn largest(&self) -> u32 {
        match self {
            Size::Fixed(size) | Size::Uniform(_, size) => *size,
            Size::Normal(mean, deviation) => mean.saturating_add(deviation.saturating_mul(4)),
            Size::Exponential(mean) => mean.saturating_mul(10),
            Size::Mix(sizes) => sizes.iter().map(|(size, _)| *size).max().unwrap_or(0),
        }
    }

    /// Whether it has a tail that is cut off, so that nobody asked for its smallest.
    pub fn has_tail(&self) -> bool {
        matches!(self, Size::Normal(..) | Size::Exponential(_))
    }

    /// The size of one message, at least `least`.
    pub fn draw(&self, random: &mut Random, least: usize) -> usize {
        let size = match self {
            Size::Fixed(size) => *size,
            Size::Uniform(from, to) => random.between((*from).into(), (*to).into()) as u32,
            Size::Normal(mean, deviation) => {
                (f64::from(*mean) + random.normal() * f64::from(*deviation)).round() as u32
            }
            Size::Exponential(mean) => (random.exponential() * f64::from(*mean)).round() as u32,
            Size::Mix(sizes) => {
                let all: u64 = sizes.iter().map(|(_, weight)| u64::from(*weight)).sum();
                let mut left = random.between(1, all);
                let mut sizes = sizes.iter();
                loop {
                    match sizes.next() {
                        Some((size, weight)) if left <= u64::from(*weight) => break *size,
                        Some((_, weight)) => left -= u64::from(*weight),
                        None => break 0,
                    }
                }
            }
        };
        (size.clamp(self.smallest(), self.largest()) as usize).max(least)
    }
}

/// `64`, `uniform:64..4k`, `normal:1k:200`, `exp:512` or `64:80%,4k:20%`.
impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Size, String> {
        let text = text.trim();
        let Some((form, rest)) = text.split_once(':') else {
            return bytes(text).map(Size::Fixed);
        };
        let wrong = |wish: &str| format!("{text:?} is not of the form {wish}");
        match form {
            "uniform" => {
                let wish = "uniform:FROM..TO, for example uniform:64..4k";
                let (from, to) = rest.split_once("..").ok_or_else(|| wrong(wish))?;
                match (bytes(from)?, bytes(to)?) {
                    (from, to) if from < to => Ok(Size::Uniform(from, to)),
                    _ => Err(wrong(wish)),
                }
            }
            "normal" => {
                let wish = "normal:MEAN:DEVIATION, for example normal:1k:200";
                let (mean, deviation) = rest.split_once(':').ok_or_else(|| wrong(wish))?;
                match (bytes(mean)?, bytes(deviation)?) {
                    (mean @ 1.., deviation @ 1..) => Ok(Size::Normal(mean, deviation)),
                    _ => Err(wrong(wish)),
                }
            }
            "exp" => match bytes(rest)? {
                0 => Err(wrong("exp:MEAN, for example exp:512")),
                mean => Ok(Size::Exponential(mean)),
            },
            _ if form.starts_with(|first: char| first.is_ascii_digit()) => mix(text),
            _ => Err(format!(
                "{form:?} is no distribution of sizes; there are uniform:, normal:, exp: and mixes like 64:80%,4k:20%"
            )),
        }
    }
}

/// `64:80%,4k:20%`, or with any weights `64:4,4k:1`.
fn mix(text: &str) -> Result<Size, String> {
    let wrong = || {
        format!("{text:?} is not of the form SIZE:WEIGHT,SIZE:WEIGHT, for example 64:80%,4k:20%")
    };
    let mut sizes = Vec::new();
    let mut percents = 0;
    for each in text.split(',') {
        let (size, weight) = each.split_once(':').ok_or_else(wrong)?;
        let (number, percent) = match weight.trim().strip_suffix('%') {
            Some(number) => (number, 1),
            None => (weight.trim(), 0),
        };
        percents += percent;
        match number.parse() {
            Ok(weight @ 1..=LARGEST) => sizes.push((bytes(size)?, weight)),
            _ => return Err(wrong()),
        }
    }
    let all: u64 = sizes.iter().map(|(_, weight)| u64::from(*weight)).sum();
    match percents {
        0 => Ok(Size::Mix(sizes)),
        some if some != sizes.len() => Err(wrong()),
        _ if all != 100 => Err(format!("{text:?} makes {all} % and not 100")),
        _ => Ok(Size::Mix(sizes)),
    }
}

fn bytes(text: &str) -> Result<u32, String> {
    match size::bytes(text) {
        Some(bytes) if bytes <= LARGEST.into() => Ok(bytes as u32),
        Some(_) => Err(format!(
            "{text} bytes are more than a packet of MQTT can have"
        )),
        None => Err(format!(
            "{text:?} is no size; write bytes, for example 64, 4k or 1M, or uniform:64..4k"
        )),
    }
}

impl fmt::Display for Size {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Size::Fixed(size) => size.fmt(out),
            Size::Uniform(from, to) => write!(out, "uniform:{from}..{to}"),
            Size::Normal(mean, deviation) => write!(out, "normal:{mean}:{deviation}"),
            Size::Exponential(mean) => write!(out, "exp:{mean}"),
            Size::Mix(sizes) => {
                let all: u64 = sizes.iter().map(|(_, weight)| u64::from(*weight)).sum();
                let percent = if all == 100 { "%" } else { "" };
                for (place, (size, weight)) in sizes.iter().enumerate() {
                    let comma = if place > 0 { "," } else { "" };
                    write!(out, "{comma}{size}:{weight}{percent}")?;
                }
                Ok(())
            }
        }
    }
}

/// A number where a number says it, otherwise the text.
impl Serialize for Size {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Size::Fixed(size) => serializer.serialize_u32(*size),
            size => serializer.collect_str(size),
        }
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Size, D::Error> {
        deserializer.deserialize_any(Words)
    }
}

struct Words;

impl Visitor<'_> for Words {
    type Value = Size;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a size in bytes, for example 64, \"4k\" or \"uniform:64..4k\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Size, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_i64<E: Error>(self, bytes: i64) -> Result<Size, E> {
        self.visit_str(&bytes.to_string())
    }

    fn visit_u64<E: Error>(self, bytes: u64) -> Result<Size, E> {
        self.visit_str(&bytes.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn size(text: &str) -> Size {
        text.parse().unwrap()
    }

    #[test]
    fn a_size_is_a_number_a_distribution_or_a_mix() {
        for (text, expected) in [
            ("64", Size::Fixed(64)),
            ("4k", Size::Fixed(4096)),
            ("1M", Size::Fixed(1 << 20)),
            ("uniform:64..4k", Size::Uniform(64, 4096)),
            ("normal:1k:200", Size::Normal(1024, 200)),
            ("exp:512", Size::Exponential(512)),
            ("64:80%,4k:20%", Size::Mix(vec![(64, 80), (4096, 20)])),
            ("64:4, 4k:1", Size::Mix(vec![(64, 4), (4096, 1)])),
        ] {
            assert_eq!(size(text), expected);
        }
        for (text, words) in [
            ("", "is no size"),
            ("k", "is no size"),
            ("-1", "is no size"),
            ("+1", "is no size"),
            ("1.5k", "is no size"),
            ("2048M", "more than a packet"),
            ("99999999999999999999k", "is no size"),
            ("uniform:5", "for example uniform:64..4k"),
            ("uniform:9..5", "for example uniform:64..4k"),
            ("normal:5", "for example normal:1k:200"),
            ("normal:0:5", "for example normal:1k:200"),
            ("exp:0", "for example exp:512"),
            ("zipf:5", "there are uniform:, normal:, exp: and mixes"),
            ("64:80%,4k:30%", "makes 110 % and not 100"),
            ("64:80%,4k:20", "for example 64:80%,4k:20%"),
            ("64:0,4k:1", "for example 64:80%,4k:20%"),
            ("64:1,", "for example 64:80%,4k:20%"),
        ] {
            let error = text.parse::<Size>().unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }

    #[test]
    fn sizes_are_drawn_as_their_law_has_it() {
        const MANY: usize = 100_000;
        let draw = |text: &str| -> Vec<f64> {
            let (size, mut random) = (size(text), Random::of(&[7]));
            (0..MANY)
                .map(|_| size.draw(&mut random, 16) as f64)
                .collect()
        };
        let mean = |drawn: &[f64]| drawn.iter().sum::<f64>() / MANY as f64;
        for (text, expected, slack) in [
            ("uniform:100..300", 200.0, 2.0),
            ("normal:1000:100", 1000.0, 3.0),
            // What is below 16 is 16: 1.6 % of them, by 8 on average.
            ("exp:1000", 1000.0, 20.0),
            ("64:80%,1064:20%", 264.0, 10.0),
        ] {
            let found = mean(&draw(text));
            assert!((found - expected).abs() < slack, "{text}: {found}");
        }
        let deviation = |drawn: &[f64]| {
            let mean = mean(drawn);
            let squares = drawn.iter().map(|size| (size - mean).powi(2));
            (squares.sum::<f64>() / MANY as f64).sqrt()
        };
        assert!((deviation(&draw("normal:1000:100")) - 100.0).abs() < 2.0);
        assert!((deviation(&draw("exp:1000")) - 1000.0).abs() < 30.0);
        let small = draw("64:4,4k:1");
        let small = small.iter().filter(|size| **size == 64.0).count();
        assert!((small as f64 / MANY as f64 - 0.8).abs() < 0.01, "{small}");
    }

    fn any_size() -> impl Strategy<Value = Size> {
        let bytes = 0..=LARGEST;
        prop_oneof![
            bytes.clone().prop_map(Size::Fixed),
            (0..LARGEST, 1..1000_u32)
                .prop_map(|(from, more)| Size::Uniform(from, (from + more).min(LARGEST))),
            (1..=LARGEST, 1..=LARGEST).prop_map(|(mean, deviation)| Size::Normal(mean, deviation)),
            (1..=LARGEST).prop_map(Size::Exponential),
            proptest::collection::vec((bytes, 1..200_u32), 1..5).prop_map(Size::Mix),
        ]
    }

    proptest! {
        #[test]
        fn a_size_is_read_as_it_is_written_and_drawn_within_its_bounds(size in any_size(), seed: u64) {
            prop_assert_eq!(size.to_string().parse::<Size>().unwrap(), size.clone());
            let json = serde_json::to_string(&size).unwrap();
            prop_assert_eq!(serde_json::from_str::<Size>(&json).unwrap(), size.clone());
            let mut random = Random::of(&[seed]);
            let drawn = size.draw(&mut random, 0);
            prop_assert!((size.smallest() as usize..=size.largest() as usize).contains(&drawn));
            prop_assert!(size.draw(&mut random, 1 << 31) >= 1 << 31);
        }

        #[test]
        fn any_text_is_a_size_or_refused(text in "(uniform:|normal:|exp:)?[0-9kM:.,% -]{0,14}") {
            if let Ok(size) = text.parse::<Size>() {
                prop_assert_eq!(size.to_string().parse::<Size>().unwrap(), size);
            }
        }
    }
}
