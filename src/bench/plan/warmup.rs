//! How long a load goes on before it is measured.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use crate::span;

/// Load that is not measured, before the measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Warmup {
    /// For this time.
    Fixed(Duration),
    /// Until rate and latency are steady, but for no longer than this.
    Auto(Duration),
}

/// How long a warm-up lasts at most that ends by itself.
const LIMIT: Duration = Duration::from_secs(60);

impl Default for Warmup {
    fn default() -> Warmup {
        Warmup::Fixed(Duration::ZERO)
    }
}

impl Warmup {
    /// How long it is; `None` when that shows only in the run.
    pub fn fixed(self) -> Option<Duration> {
        match self {
            Warmup::Fixed(duration) => Some(duration),
            Warmup::Auto(_) => None,
        }
    }

    /// How long it is at most.
    pub fn longest(self) -> Duration {
        let (Warmup::Fixed(duration) | Warmup::Auto(duration)) = self;
        duration
    }
}

/// `2s`, seconds, `auto` or `auto:30s`.
impl FromStr for Warmup {
    type Err = String;

    fn from_str(text: &str) -> Result<Warmup, String> {
        let text = text.trim();
        let time = |text: &str| {
            span::parse(text).map_err(|words| format!("{words}; auto or auto:30s is possible too"))
        };
        match text.strip_prefix("auto") {
            Some("") => Ok(Warmup::Auto(LIMIT)),
            Some(rest) => match rest.strip_prefix(':').map(time) {
                Some(Ok(limit)) if !limit.is_zero() => Ok(Warmup::Auto(limit)),
                Some(Err(words)) => Err(words),
                _ => Err(format!(
                    "{text:?} is not of the form auto:LIMIT, for example auto:30s"
                )),
            },
            None => time(text).map(Warmup::Fixed),
        }
    }
}

impl fmt::Display for Warmup {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Warmup::Fixed(duration) => humantime::format_duration(*duration).fmt(out),
            Warmup::Auto(LIMIT) => out.write_str("auto"),
            Warmup::Auto(limit) => write!(out, "auto:{}", humantime::format_duration(*limit)),
        }
    }
}

impl Serialize for Warmup {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Warmup {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Warmup, D::Error> {
        deserializer.deserialize_any(Words)
    }
}

struct Words;

impl Visitor<'_> for Words {
    type Value = Warmup;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a duration, for example \"1m 30s\" or 2.5, or \"auto\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Warmup, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_f64<E: Error>(self, seconds: f64) -> Result<Warmup, E> {
        self.visit_str(&seconds.to_string())
    }

    fn visit_i64<E: Error>(self, seconds: i64) -> Result<Warmup, E> {
        self.visit_str(&seconds.to_string())
    }

    fn visit_u64<E: Error>(self, seconds: u64) -> Result<Warmup, E> {
        self.visit_str(&seconds.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_warm_up_is_a_time_or_ends_by_itself() {
        let seconds = Duration::from_secs;
        for (text, expected) in [
            ("0", Warmup::Fixed(Duration::ZERO)),
            ("2.5", Warmup::Fixed(Duration::from_millis(2500))),
            ("1m 30s", Warmup::Fixed(seconds(90))),
            ("auto", Warmup::Auto(seconds(60))),
            ("auto:30s", Warmup::Auto(seconds(30))),
            ("auto: 5", Warmup::Auto(seconds(5))),
        ] {
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
        for (text, words) in [
            (
                "",
                "write for example 500ms, 10s, 1m 30s or 2.5; auto or auto:30s is possible too",
            ),
            ("-1", "out of range"),
            ("automatic", "for example auto:30s"),
            ("auto:", "write for example 500ms"),
            ("auto:0s", "for example auto:30s"),
        ] {
            let error = text.parse::<Warmup>().unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn a_warm_up_is_read_as_it_is_written(ns in 1u64..1 << 50, auto: bool) {
            let time = Duration::from_nanos(ns);
            let warmup = if auto { Warmup::Auto(time) } else { Warmup::Fixed(time) };
            prop_assert_eq!(warmup.to_string().parse(), Ok(warmup));
        }

        #[test]
        fn any_text_is_a_warm_up_or_refused(text in "(auto:?)?[0-9.msh -]{0,8}") {
            if let Ok(warmup) = text.parse::<Warmup>() {
                prop_assert_eq!(warmup.to_string().parse(), Ok(warmup));
            }
        }
    }
}
