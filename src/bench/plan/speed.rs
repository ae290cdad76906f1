//! How fast a subscriber reads: as fast as it can, so many messages or bytes a second, or not at all. A slow reader leaves
//! what comes in its socket, as a program does that is busy with something else.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::pace::Rate;

/// How fast.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Speed {
    /// Whatever comes.
    #[default]
    All,
    /// So many messages a second.
    Messages(Rate),
    /// So many bytes a second.
    Bytes(Rate),
    /// Nothing.
    None,
}

impl FromStr for Speed {
    type Err = String;

    fn from_str(text: &str) -> Result<Speed, String> {
        let wrong = || {
            format!("{text:?} is no speed to read at; write for example 100/s, 20kB/s, none or all")
        };
        let text = text.trim();
        match text {
            "all" => return Ok(Speed::All),
            "none" => return Ok(Speed::None),
            _ => {}
        }
        let number = text.strip_suffix("/s").ok_or_else(wrong)?;
        let speed = match number.strip_suffix('B') {
            Some(bytes) => bytes.parse().map(Speed::Bytes),
            None => number.parse().map(Speed::Messages),
        };
        speed.map_err(|_: String| wrong())
    }
}

impl fmt::Display for Speed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Speed::All => out.write_str("all"),
            Speed::Messages(rate) => write!(out, "{rate}/s"),
            Speed::Bytes(rate) => write!(out, "{rate}B/s"),
            Speed::None => out.write_str("none"),
        }
    }
}

impl Serialize for Speed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Speed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Speed, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}

/// What may be read at present.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appetite {
    /// Whatever is there.
    All,
    /// At most so many bytes at a time.
    Bytes(usize),
    /// Nothing before this time, in nanoseconds since the start of the load.
    Until(u64),
    /// Nothing.
    Nothing,
}

/// Of messages, whose length nobody knows before, so much is read at a time.
const BITE: usize = 512;

/// Bytes are read in pieces of this time's worth, so that a reader does not wake for each of them.
const GRAIN: Duration = Duration::from_millis(20);

/// A reader that is slow from a moment on.
#[derive(Debug, Clone, Copy)]
pub(in crate::bench) struct Reader {
    speed: Speed,
    from_ns: u64,
    /// Messages or bytes since then.
    taken: u64,
}

impl Reader {
    pub(in crate::bench) fn new(speed: Speed, from: Duration) -> Reader {
        Reader {
            speed,
            from_ns: from.as_nanos() as u64,
            taken: 0,
        }
    }

    /// Whether it ever is.
    pub(in crate::bench) fn is_slow(&self) -> bool {
        self.speed != Speed::All
    }

    /// Whether it is slow by now.
    pub(in crate::bench) fn is_slow_at(&self, now_ns: u64) -> bool {
        self.is_slow() && now_ns >= self.from_ns
    }

    /// It has read so much.
    pub(in crate::bench) fn took(&mut self, messages: u64, bytes: usize) {
        match self.speed {
            Speed::Messages(_) => self.taken += messages,
            Speed::Bytes(_) => self.taken += bytes as u64,
            Speed::All | Speed::None => {}
        }
    }

    /// What it may read at this time of the load.
    pub(in crate::bench) fn appetite(&self, now_ns: u64) -> Appetite {
        if !self.is_slow_at(now_ns) {
            return Appetite::All;
        }
        let (rate, least) = match self.speed {
            Speed::All => return Appetite::All,
            Speed::None => return Appetite::Nothing,
            Speed::Messages(rate) => (rate.per_second(), 1.0),
            Speed::Bytes(rate) => {
                let rate = rate.per_second();
                (rate, (rate * GRAIN.as_secs_f64()).max(1.0))
            }
        };
        let allowed = (now_ns - self.from_ns) as f64 / 1e9 * rate - self.taken as f64;
        // What is missing by rounding is not waited for: it might be missing again.
        if allowed + ROUNDING < least {
            let wait_ns = (self.taken as f64 + least) / rate * 1e9;
            return Appetite::Until(self.from_ns + wait_ns as u64 + 1);
        }
        Appetite::Bytes(match self.speed {
            Speed::Bytes(_) => (allowed as usize).max(1),
            _ => BITE,
        })
    }
}

/// Of a message or a byte.
const ROUNDING: f64 = 1e-3;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_speed_is_written_as_it_is_read() {
        for (text, written) in [
            ("all", "all"),
            ("none", "none"),
            ("100/s", "100/s"),
            ("0.5/s", "0.5/s"),
            ("20kB/s", "20000B/s"),
        ] {
            assert_eq!(
                text.parse()
                    .map(|speed: Speed| speed.to_string())
                    .as_deref(),
                Ok(written)
            );
        }
        for text in ["", "fast", "10", "10B", "-1/s", "B/s"] {
            let words = text.parse::<Speed>().unwrap_err();
            assert!(words.contains("100/s, 20kB/s, none or all"), "{words}");
        }
    }

    /// How much a reader takes in so many seconds when everything is always there.
    fn taken(speed: &str, seconds: u64, bytes_each: usize) -> (u64, usize) {
        let mut reader = Reader::new(speed.parse().unwrap(), Duration::from_secs(1));
        let (mut now_ns, mut messages, mut bytes) = (1_000_000_000, 0, 0);
        while now_ns < (1 + seconds) * 1_000_000_000 {
            match reader.appetite(now_ns) {
                Appetite::Bytes(most) => {
                    bytes += most;
                    let new = (bytes / bytes_each) as u64 - messages;
                    messages += new;
                    reader.took(new, most);
                }
                Appetite::Until(next_ns) => {
                    assert!(next_ns > now_ns, "it would never come");
                    now_ns = next_ns;
                }
                Appetite::All | Appetite::Nothing => unreachable!(),
            }
        }
        (messages, bytes)
    }

    #[test]
    fn it_reads_at_its_speed_from_its_moment_on() {
        let (messages, _) = taken("100/s", 10, 100);
        assert!((990..=1010).contains(&messages), "{messages}");
        let (messages, _) = taken("10/s", 10, 5000);
        assert!((99..=101).contains(&messages), "{messages}");
        let (_, bytes) = taken("5kB/s", 10, 100);
        assert!((49_500..=50_500).contains(&bytes), "{bytes}");
        let before = Reader::new("none".parse().unwrap(), Duration::from_secs(1));
        assert_eq!(before.appetite(999_999_999), Appetite::All);
        assert_eq!(before.appetite(1_000_000_000), Appetite::Nothing);
    }

    proptest! {
        #[test]
        fn any_speed_is_read_as_it_was_written(number in 1_u32.., kind in 0..2) {
            let unit = ["/s", "B/s"][kind as usize];
            let speed: Speed = format!("{number}{unit}").parse().unwrap_or_default();
            prop_assert_eq!(speed.to_string().parse(), Ok(speed));
        }

        #[test]
        fn any_text_is_a_speed_or_an_error(text in "[0-9a-zB./]{0,8}") {
            if let Ok(speed) = text.parse::<Speed>() {
                prop_assert_eq!(speed.to_string().parse(), Ok(speed));
            }
        }
    }
}
