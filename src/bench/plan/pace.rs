//! How the messages (or connections) of a group are spread over time, as it is typed and written: a [`Rate`], a
//! [`Shape`], and whose they are. When the n-th one is due follows in `schedule`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// A rate in messages per second; kept as whole messages per 1,000 s so that no rounding adds up over a long run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Messages per 1,000 s.
    pub(super) per_1000_s: u64,
}

/// The fastest rate accepted. Beyond one message a nanosecond a due time cannot be told from the next.
const FASTEST: f64 = 1e9;

impl Rate {
    /// Messages per second.
    pub fn per_second(self) -> f64 {
        self.per_1000_s as f64 / 1000.0
    }

    /// So many times as fast.
    pub(in crate::bench) fn times(self, factor: u32) -> Rate {
        Rate {
            per_1000_s: self.per_1000_s.saturating_mul(factor.into()),
        }
    }
}

/// `1000`, `0.5`, `20k` or `1.5M`.
impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Rate, String> {
        let text = text.trim();
        let (number, factor) = match text.char_indices().last() {
            Some((end, 'k' | 'K')) => (&text[..end], 1e3),
            Some((end, 'M')) => (&text[..end], 1e6),
            _ => (text, 1.0),
        };
        let rate = number.parse::<f64>().map_err(|_| {
            format!("{text:?} is no rate; write messages per second, for example 500, 20k or 0.5")
        })? * factor;
        if !(0.001..=FASTEST).contains(&rate) {
            return Err(format!(
                "a rate of {text}/s is out of range, 0.001 to {FASTEST:e}"
            ));
        }
        Ok(Rate {
            per_1000_s: (rate * 1000.0).round() as u64,
        })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.per_second())
    }
}

/// How the messages of a group are spread over time.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Pace {
    /// As fast as flow control allows: nothing is due.
    #[default]
    Max,
    /// At times, all clients together.
    Total(Shape),
    /// At times, each client so many.
    PerClient(Shape),
}

/// The form of a load over time. Times count from the start of the load, warm-up included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shape {
    /// At equal distances.
    Constant(Rate),
    /// At random, independently of each other: each client is a Poisson process.
    Poisson(Rate),
    /// From one rate evenly to another within a time, and on at that.
    Ramp(Rate, Rate, Duration),
    /// From one rate to another in so many steps, each of this length, and on at the last.
    Stairs(Rate, Rate, u32, Duration),
    /// So many at once, every so often.
    Burst(u32, Duration),
}

/// The most steps.
const MOST_STEPS: u32 = 10_000;

impl Pace {
    /// Messages per second of so many clients; `None` without a pace or when it changes.
    pub fn per_second(self, clients: u32) -> Option<f64> {
        let (shape, factor) = match self {
            Pace::Max => return None,
            Pace::Total(shape) => (shape, 1.0),
            Pace::PerClient(shape) => (shape, f64::from(clients)),
        };
        match shape {
            Shape::Constant(rate) | Shape::Poisson(rate) => Some(rate.per_second() * factor),
            Shape::Burst(count, every) => Some(f64::from(count) * factor / every.as_secs_f64()),
            Shape::Ramp(..) | Shape::Stairs(..) => None,
        }
    }

    /// Whether the rate changes as the run goes on.
    pub fn changes(self) -> bool {
        matches!(
            self,
            Pace::Total(Shape::Ramp(..) | Shape::Stairs(..))
                | Pace::PerClient(Shape::Ramp(..) | Shape::Stairs(..))
        )
    }

    /// Whether times can only be told one after the other.
    pub fn is_random(self) -> bool {
        matches!(
            self,
            Pace::Total(Shape::Poisson(_)) | Pace::PerClient(Shape::Poisson(_))
        )
    }
}

/// `max`, `1000`, `poisson:1000`, `ramp:100..5000:30s`, `stairs:1000..5000:5x10s` or `burst:100:1s`; behind it
/// `/client` when it is each client's own.
impl FromStr for Pace {
    type Err = String;

    fn from_str(text: &str) -> Result<Pace, String> {
        let text = text.trim();
        if text == "max" {
            return Ok(Pace::Max);
        }
        match text.strip_suffix("/client") {
            Some(own) => own.parse().map(Pace::PerClient),
            None => text.parse().map(Pace::Total),
        }
    }
}

impl FromStr for Shape {
    type Err = String;

    fn from_str(text: &str) -> Result<Shape, String> {
        let Some((form, rest)) = text.split_once(':') else {
            return text.parse().map(Shape::Constant);
        };
        let wish = match form {
            "poisson" => return rest.parse().map(Shape::Poisson),
            "ramp" => "ramp:FROM..TO:TIME, for example ramp:100..5k:30s",
            "stairs" => "stairs:FROM..TO:STEPSxTIME, for example stairs:1k..5k:5x10s",
            "burst" => "burst:MESSAGES:EVERY, for example burst:100:1s",
            _ => {
                return Err(format!(
                    "{form:?} is no form of a load; there are poisson:, ramp:, stairs: and burst:"
                ));
            }
        };
        let wrong = || format!("{text:?} is not of the form {wish}");
        let (first, last) = rest.split_once(':').ok_or_else(wrong)?;
        let time = |text: &str| match humantime::parse_duration(text.trim()) {
            Ok(time) if !time.is_zero() && time <= LONGEST => Ok(time),
            _ => Err(wrong()),
        };
        if form == "burst" {
            return match first.trim().parse() {
                Ok(count @ 1..) => Ok(Shape::Burst(count, time(last)?)),
                _ => Err(wrong()),
            };
        }
        let (from, to) = first.split_once("..").ok_or_else(wrong)?;
        let (from, to) = (rate_or_none(from)?, rate_or_none(to)?);
        if from.per_1000_s + to.per_1000_s == 0 {
            return Err(wrong());
        }
        if form == "ramp" {
            return Ok(Shape::Ramp(from, to, time(last)?));
        }
        let (steps, each) = last.split_once('x').ok_or_else(wrong)?;
        match steps.trim().parse() {
            Ok(steps @ 2..=MOST_STEPS) => Ok(Shape::Stairs(from, to, steps, time(each)?)),
            _ => Err(wrong()),
        }
    }
}

/// The longest time in a pace.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

/// A rate that may be 0, where it does not stay there.
fn rate_or_none(text: &str) -> Result<Rate, String> {
    match text.trim() {
        "0" => Ok(Rate { per_1000_s: 0 }),
        text => text.parse(),
    }
}

impl fmt::Display for Pace {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pace::Max => out.write_str("max"),
            Pace::Total(shape) => shape.fmt(out),
            Pace::PerClient(shape) => write!(out, "{shape}/client"),
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = |time: &Duration| {
            humantime::format_duration(*time)
                .to_string()
                .replace(' ', "")
        };
        match self {
            Shape::Constant(rate) => rate.fmt(out),
            Shape::Poisson(rate) => write!(out, "poisson:{rate}"),
            Shape::Ramp(from, to, over) => write!(out, "ramp:{from}..{to}:{}", time(over)),
            Shape::Stairs(from, to, steps, each) => {
                write!(out, "stairs:{from}..{to}:{steps}x{}", time(each))
            }
            Shape::Burst(count, every) => write!(out, "burst:{count}:{}", time(every)),
        }
    }
}

/// A number where a number says it, otherwise the text.
impl Serialize for Pace {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Pace::Total(Shape::Constant(rate)) if rate.per_1000_s.is_multiple_of(1000) => {
                serializer.serialize_u64(rate.per_1000_s / 1000)
            }
            pace => serializer.collect_str(pace),
        }
    }
}

impl<'de> Deserialize<'de> for Pace {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Pace, D::Error> {
        deserializer.deserialize_any(Words)
    }
}

struct Words;

impl Visitor<'_> for Words {
    type Value = Pace;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a rate, for example 500, \"20k\" or \"max\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Pace, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_f64<E: Error>(self, rate: f64) -> Result<Pace, E> {
        self.visit_str(&rate.to_string())
    }

    fn visit_i64<E: Error>(self, rate: i64) -> Result<Pace, E> {
        self.visit_str(&rate.to_string())
    }

    fn visit_u64<E: Error>(self, rate: u64) -> Result<Pace, E> {
        self.visit_str(&rate.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_rate_is_a_number_with_an_optional_unit() {
        for (text, expected) in [
            ("1000", 1000.0),
            ("0.5", 0.5),
            ("20k", 20_000.0),
            ("1.5M", 1_500_000.0),
        ] {
            assert_eq!(text.parse::<Rate>().unwrap().per_second(), expected);
        }
        for text in ["", "k", "-1", "0", "1e30", "NaN", "10 apples", "ä"] {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_pace_has_a_form_and_says_whose_it_is() {
        for (text, per_second) in [
            ("max", None),
            ("500", Some(500.0)),
            ("5/client", Some(50.0)),
            ("poisson:200", Some(200.0)),
            ("poisson:0.5/client", Some(5.0)),
            ("burst:100:2s", Some(50.0)),
            ("burst:3:500ms/client", Some(60.0)),
            ("ramp:0..5000:1m30s", None),
            ("stairs:1000..5000:5x10s", None),
        ] {
            let pace: Pace = text.parse().unwrap();
            assert_eq!(pace.per_second(10), per_second, "{text}");
            assert_eq!(pace.to_string(), text);
            assert_eq!(pace.changes(), text.contains(".."));
        }
        for (text, words) in [
            ("fast", "is no rate"),
            ("sine:5", "there are poisson:, ramp:, stairs: and burst:"),
            ("poisson:", "is no rate"),
            ("ramp:5..6", "for example ramp:100..5k:30s"),
            ("ramp:0..0:5s", "for example ramp:100..5k:30s"),
            ("ramp:5..6:0s", "for example ramp:100..5k:30s"),
            ("ramp:5..fast:3s", "is no rate"),
            ("stairs:5..6:1x5s", "for example stairs:1k..5k:5x10s"),
            ("burst:0:5s", "for example burst:100:1s"),
            ("max/client", "is no rate"),
        ] {
            let error = text.parse::<Pace>().unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_pace_or_refused_and_a_pace_prints_as_it_is_read(text in "(max|poisson:|ramp:|stairs:|burst:)?[0-9.k:xs]{0,12}(/client)?") {
            if let Ok(pace) = text.parse::<Pace>() {
                prop_assert_eq!(pace.to_string().parse::<Pace>().unwrap(), pace);
            }
        }
    }
}
