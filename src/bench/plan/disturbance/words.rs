//! A fault in words: the one grammar of the command line and of a plan's tables, read and written.

use std::fmt;
use std::time::Duration;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::{Clientele, Direction, Disturbance, Harm, Share};
use crate::bench::plan::pace::Rate;

/// The longest time in a fault.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

/// The parts of a fault, for whoever misspelt one.
pub(super) const KEYS: &str = "at=, for=, every=, share=, of=, and one of cut, stall, half-open, delay= (with jitter=) and rate=";

/// A fault as it is written: on the command line `key=value`, in a plan a table.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Words {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) at: Option<Word>,
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    pub(super) lasts: Option<Word>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) every: Option<Word>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) cut: Option<Word>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) stall: Option<Word>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) half_open: Option<Word>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) delay: Option<Word>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) jitter: Option<Word>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) rate: Option<Word>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) share: Option<Word>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) of: Option<Word>,
}

impl Words {
    fn named(&self) -> [(&'static str, &Option<Word>); 11] {
        [
            ("at", &self.at),
            ("cut", &self.cut),
            ("stall", &self.stall),
            ("half-open", &self.half_open),
            ("delay", &self.delay),
            ("jitter", &self.jitter),
            ("rate", &self.rate),
            ("share", &self.share),
            ("of", &self.of),
            ("for", &self.lasts),
            ("every", &self.every),
        ]
    }

    pub(super) fn place(&mut self, key: &str) -> Option<&mut Option<Word>> {
        Some(match key {
            "at" => &mut self.at,
            "for" => &mut self.lasts,
            "every" => &mut self.every,
            "cut" => &mut self.cut,
            "stall" => &mut self.stall,
            "half-open" => &mut self.half_open,
            "delay" => &mut self.delay,
            "jitter" => &mut self.jitter,
            "rate" => &mut self.rate,
            "share" => &mut self.share,
            "of" => &mut self.of,
            _ => return None,
        })
    }
}

impl fmt::Display for Words {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = self.named().into_iter();
        let mut gap = "";
        for (key, word) in said.filter_map(|(key, word)| Some((key, word.as_ref()?))) {
            write!(out, "{gap}{key}={}", word.0)?;
            gap = " ";
        }
        Ok(())
    }
}

/// A value: in a plan also a number, or `true` where the key alone says it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Word(pub(super) String);

impl Word {
    pub(super) fn bare() -> Word {
        Word(String::new())
    }
}

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Word, D::Error> {
        deserializer.deserialize_any(Values)
    }
}

struct Values;

impl Visitor<'_> for Values {
    type Value = Word;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a text, a number or true")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Word, E> {
        Ok(Word(text.to_owned()))
    }

    fn visit_bool<E: Error>(self, said: bool) -> Result<Word, E> {
        match said {
            true => Ok(Word::bare()),
            false => Err(E::custom("leave it out instead of false")),
        }
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Word, E> {
        Ok(Word(number.to_string()))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Word, E> {
        Ok(Word(number.to_string()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Word, E> {
        Ok(Word(number.to_string()))
    }
}

impl TryFrom<Words> for Disturbance {
    type Error = String;

    fn try_from(words: Words) -> Result<Disturbance, String> {
        words.name_one_harm()?;
        let at = match &words.at {
            Some(word) => time("at", word)?,
            None => return Err("it does not say when: at=, for example at=10s".to_owned()),
        };
        let (harm, own) = words.harm()?;
        let lasts = words.lasts(harm)?;
        let every = match &words.every {
            Some(word) => Some(time("every", word)?),
            None => None,
        };
        if let Some(every) = every
            && (every.is_zero() || lasts.is_none_or(|lasts| lasts >= every))
        {
            return Err("every must be longer than the fault lasts".to_owned());
        }
        let share = match (own, &words.share) {
            (Some(_), Some(_)) => return Err("how many connections is said twice".to_owned()),
            (Some(share), None) => share,
            (None, Some(word)) => share("share", word)?.unwrap_or(Share::ALL),
            (None, None) => Share::ALL,
        };
        Ok(Disturbance {
            at,
            lasts,
            every,
            harm,
            share,
            of: words.of()?,
        })
    }
}

impl Words {
    /// # Errors
    /// When it is not one thing that happens.
    fn name_one_harm(&self) -> Result<(), String> {
        let named = self.named().into_iter();
        let harms = named.filter(|(key, word)| {
            word.is_some() && ["cut", "stall", "half-open", "delay", "rate"].contains(key)
        });
        let found: Vec<&str> = harms.map(|(key, _)| key).collect();
        match found.as_slice() {
            [] => Err(
                "it does not say what happens: cut, stall, half-open, delay= or rate=".to_owned(),
            ),
            [_] if self.jitter.is_some() && self.delay.is_none() => {
                Err("jitter belongs to delay=".to_owned())
            }
            [_] => Ok(()),
            several => Err(format!(
                "{} are faults of their own: give each its own --fault or [[fault]]",
                several.join(" and ")
            )),
        }
    }

    /// What happens, and to how many where that is said with it: `cut=30%`.
    fn harm(&self) -> Result<(Harm, Option<Share>), String> {
        match self {
            Words {
                cut: Some(word), ..
            } => Ok((Harm::Cut, share("cut", word)?)),
            Words {
                half_open: Some(word),
                ..
            } => Ok((Harm::HalfOpen, share("half-open", word)?)),
            Words {
                stall: Some(word), ..
            } => match word.0.as_str() {
                "up" => Ok((Harm::Stall(Direction::Up), None)),
                "down" => Ok((Harm::Stall(Direction::Down), None)),
                "both" => Ok((Harm::Stall(Direction::Both), None)),
                _ => share("stall", word)
                    .map(|own| (Harm::Stall(Direction::Both), own))
                    .map_err(|words| format!("{words}; or up, down or both")),
            },
            Words {
                delay: Some(word),
                jitter,
                ..
            } => {
                let by = time("delay", word)?;
                let jitter = match jitter {
                    Some(word) => time("jitter", word)?,
                    None => Duration::ZERO,
                };
                if by.is_zero() || jitter > by {
                    return Err("delay must not be 0, and jitter not more than it".to_owned());
                }
                Ok((Harm::Delay { by, jitter }, None))
            }
            words => Ok((Harm::Rate(bytes_per_second(&words.rate)?), None)),
        }
    }

    /// How long it does; `None` for as long as the run.
    fn lasts(&self, harm: Harm) -> Result<Option<Duration>, String> {
        let is_moment = matches!(harm, Harm::Cut | Harm::HalfOpen);
        match (&self.lasts, harm) {
            (Some(_), Harm::HalfOpen) => Err(
                "half-open has no end: what was lost does not come back; leave for= out".to_owned(),
            ),
            (Some(word), _) => match time("for", word)? {
                Duration::ZERO if !is_moment => Err("for must not be 0".to_owned()),
                lasts => Ok(Some(lasts)),
            },
            (None, Harm::Cut | Harm::HalfOpen) => Ok(Some(Duration::ZERO)),
            (None, Harm::Stall(_)) => {
                Err("stall must say how long: for=, for example for=2s".to_owned())
            }
            (None, Harm::Delay { .. } | Harm::Rate(_)) => Ok(None),
        }
    }

    /// To whose connections.
    fn of(&self) -> Result<Clientele, String> {
        let Some(Word(text)) = &self.of else {
            return Ok(Clientele::All);
        };
        let mut kinds = Clientele::KINDS.into_iter().chain([Clientele::All]);
        kinds.find(|kind| kind.name() == text).ok_or_else(|| {
            format!("of={text} are none; there are publishers, subscribers, clients and all")
        })
    }
}

impl From<Disturbance> for Words {
    fn from(disturbance: Disturbance) -> Words {
        let Disturbance {
            at,
            lasts,
            every,
            harm,
            share,
            of,
        } = disturbance;
        let time = |time: Duration| {
            Word(
                humantime::format_duration(time)
                    .to_string()
                    .replace(' ', ""),
            )
        };
        let said = match share {
            Share::Percent(percent) => Word(format!("{percent}%")),
            Share::Count(count) => Word(count.to_string()),
        };
        let mut words = Words {
            at: Some(time(at)),
            lasts: lasts.filter(|lasts| !lasts.is_zero()).map(time),
            every: every.map(time),
            of: (of != Clientele::All).then(|| Word(of.name().to_owned())),
            ..Words::default()
        };
        match harm {
            Harm::Cut => words.cut = Some(said.clone()),
            Harm::HalfOpen => words.half_open = Some(said.clone()),
            Harm::Stall(direction) => {
                let direction = match direction {
                    Direction::Up => "up",
                    Direction::Down => "down",
                    Direction::Both => "both",
                };
                words.stall = Some(Word(direction.to_owned()));
            }
            Harm::Delay { by, jitter } => {
                words.delay = Some(time(by));
                words.jitter = Some(jitter).filter(|jitter| !jitter.is_zero()).map(time);
            }
            Harm::Rate(rate) => words.rate = Some(Word(rate.to_string())),
        }
        if !matches!(harm, Harm::Cut | Harm::HalfOpen) && share != Share::ALL {
            words.share = Some(said);
        }
        words
    }
}

/// A time as `10s`, `1m30s`, or a number of seconds.
fn time(key: &str, word: &Word) -> Result<Duration, String> {
    let text = word.0.as_str();
    let seconds = || {
        let seconds = text.parse::<f64>().ok()?;
        Duration::try_from_secs_f64(seconds).ok()
    };
    let time = humantime::parse_duration(text).ok().or_else(seconds);
    time.filter(|time| *time <= LONGEST).ok_or_else(|| {
        format!("{key}={text} is no time of at most a year; write for example 500ms, 10s or 1m30s")
    })
}

/// `30%` or a number of connections; nothing where the key stands alone.
fn share(key: &str, word: &Word) -> Result<Option<Share>, String> {
    let text = word.0.as_str();
    if text.is_empty() {
        return Ok(None);
    }
    let share = match text.strip_suffix('%') {
        Some(percent) => percent
            .parse()
            .ok()
            .filter(|percent| *percent > 0.0 && *percent <= 100.0)
            .map(Share::Percent),
        None => text
            .parse()
            .ok()
            .filter(|count| *count > 0)
            .map(Share::Count),
    };
    share.map(Some).ok_or_else(|| {
        format!("{key}={text} is no share of the connections; write for example 30% or 5")
    })
}

fn bytes_per_second(word: &Option<Word>) -> Result<Rate, String> {
    let text = word.as_ref().map_or("", |word| word.0.as_str());
    let rate: Option<Rate> = text.parse().ok();
    rate.filter(|rate| rate.per_second() >= 1.0).ok_or_else(|| {
        format!("rate={text} is no bandwidth; write bytes per second, for example 5000, 20k or 1M")
    })
}
