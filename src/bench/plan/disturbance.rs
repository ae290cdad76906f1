//! A fault as it is asked for: what happens to which connections, when and for how long. Plain data with one grammar for
//! the command line and a plan's tables; `proxy` does it.
//!
//! ```text
//! at=10s cut=30% for=2s            at=5s stall=up share=3 for=500ms every=10s
//! at=10s half-open=10%             at=0s delay=20ms jitter=5ms of=subscribers
//! ```

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::pace::Rate;

/// One fault.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Words", into = "Words")]
pub struct Disturbance {
    /// When it begins, from the start of the load, warm-up included.
    pub at: Duration,
    /// How long it lasts; `None` up to the end of the load.
    pub lasts: Option<Duration>,
    /// How long after its beginning it begins again; `None` for once.
    pub every: Option<Duration>,
    /// What happens.
    pub harm: Harm,
    /// To how many connections.
    pub share: Share,
    /// Of which clients.
    pub of: Clientele,
}

/// What happens to a connection.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Harm {
    /// It is closed, and while the fault lasts every new one is as well.
    Cut,
    /// Nothing goes through, and nothing is lost.
    Stall(Direction),
    /// From now on nothing goes through and all is lost, and nobody is told: only keep alive can notice.
    HalfOpen,
    /// All bytes are held, each for this time give or take up to the jitter, and passed on in their order.
    Delay {
        /// How long.
        by: Duration,
        /// How much less or more.
        jitter: Duration,
    },
    /// No more than so many bytes a second go through in each direction.
    Rate(Rate),
}

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To the broker.
    Up,
    /// To the client.
    Down,
    /// Both ways.
    Both,
}

impl Direction {
    /// Whether what goes `way` is meant.
    pub fn includes(self, way: Direction) -> bool {
        self == Direction::Both || self == way
    }
}

/// Which clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clientele {
    /// Whatever they do.
    All,
    /// Those that publish.
    Publishers,
    /// Those that subscribe and do not publish.
    Subscribers,
    /// Those that only keep their connection alive.
    Clients,
}

impl Clientele {
    /// Those that are told apart.
    pub const KINDS: [Clientele; 3] = [
        Clientele::Publishers,
        Clientele::Subscribers,
        Clientele::Clients,
    ];

    fn name(self) -> &'static str {
        match self {
            Clientele::All => "all",
            Clientele::Publishers => "publishers",
            Clientele::Subscribers => "subscribers",
            Clientele::Clients => "clients",
        }
    }

    /// Whether those are among them.
    pub fn includes(self, kind: Clientele) -> bool {
        self == Clientele::All || self == kind
    }
}

/// How many connections.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Share {
    /// Of 100 of those that are open.
    Percent(f64),
    /// So many, or all when there are fewer.
    Count(u32),
}

impl Share {
    /// All of them.
    pub const ALL: Share = Share::Percent(100.0);

    /// How many of so many: to the nearest, and at least one where there is one.
    pub fn of(self, open: usize) -> usize {
        match self {
            Share::Count(count) => open.min(count as usize),
            Share::Percent(percent) => {
                ((open as f64 * percent / 100.0).round() as usize).clamp(open.min(1), open)
            }
        }
    }
}

/// The longest time in a fault.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

impl Disturbance {
    /// It does not begin in any run.
    pub fn never(&mut self) {
        self.at = Duration::MAX;
    }

    /// What happens, without when.
    pub fn what(&self) -> String {
        let words = Words::from(*self);
        let words = Words {
            at: None,
            lasts: None,
            every: None,
            ..words
        };
        words.to_string()
    }
}

impl FromStr for Disturbance {
    type Err = String;

    fn from_str(text: &str) -> Result<Disturbance, String> {
        let mut words = Words::default();
        for part in text.split_whitespace() {
            let (key, value) = match part.split_once('=') {
                Some((key, value)) => (key, Word(value.to_owned())),
                None => (part, Word::bare()),
            };
            let Some(place) = words.place(key) else {
                return Err(format!("{key:?} is not part of a fault; there are {KEYS}"));
            };
            if place.replace(value).is_some() {
                return Err(format!("{key} is said twice"));
            }
        }
        words.try_into()
    }
}

impl fmt::Display for Disturbance {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        Words::from(*self).fmt(out)
    }
}

/// The parts of a fault, for whoever misspelt one.
const KEYS: &str = "at=, for=, every=, share=, of=, and one of cut, stall, half-open, delay= (with jitter=) and rate=";

/// A fault as it is written: on the command line `key=value`, in a plan a table.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Words {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at: Option<Word>,
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    lasts: Option<Word>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    every: Option<Word>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cut: Option<Word>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stall: Option<Word>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    half_open: Option<Word>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    delay: Option<Word>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    jitter: Option<Word>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rate: Option<Word>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    share: Option<Word>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    of: Option<Word>,
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

    fn place(&mut self, key: &str) -> Option<&mut Option<Word>> {
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
struct Word(String);

impl Word {
    fn bare() -> Word {
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
        let said: Vec<&str> = words
            .named()
            .into_iter()
            .filter(|(_, word)| word.is_some())
            .map(|(key, _)| key)
            .collect();
        let harms = ["cut", "stall", "half-open", "delay", "rate"];
        let found: Vec<&str> = harms.into_iter().filter(|key| said.contains(key)).collect();
        if found.len() != 1 {
            return Err(match found.as_slice() {
                [] => "it does not say what happens: cut, stall, half-open, delay= or rate="
                    .to_owned(),
                several => format!(
                    "{} are faults of their own: give each its own --fault or [[fault]]",
                    several.join(" and ")
                ),
            });
        }
        if words.jitter.is_some() && words.delay.is_none() {
            return Err("jitter belongs to delay=".to_owned());
        }
        let at = match &words.at {
            Some(word) => time("at", word)?,
            None => return Err("it does not say when: at=, for example at=10s".to_owned()),
        };
        let mut own = None;
        let harm = match &words {
            Words {
                cut: Some(word), ..
            } => {
                own = share("cut", word)?;
                Harm::Cut
            }
            Words {
                half_open: Some(word),
                ..
            } => {
                own = share("half-open", word)?;
                Harm::HalfOpen
            }
            Words {
                stall: Some(word), ..
            } => Harm::Stall(match word.0.as_str() {
                "up" => Direction::Up,
                "down" => Direction::Down,
                "both" => Direction::Both,
                _ => {
                    own = share("stall", word)
                        .map_err(|words| format!("{words}; or up, down or both"))?;
                    Direction::Both
                }
            }),
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
                Harm::Delay { by, jitter }
            }
            words => Harm::Rate(bytes_per_second(&words.rate)?),
        };
        let lasts = match (&words.lasts, harm) {
            (Some(_), Harm::HalfOpen) => {
                return Err(
                    "half-open has no end: what was lost does not come back; leave for= out"
                        .to_owned(),
                );
            }
            (Some(word), _) => Some(time("for", word)?),
            (None, Harm::Cut | Harm::HalfOpen) => Some(Duration::ZERO),
            (None, Harm::Stall(_)) => {
                return Err("stall must say how long: for=, for example for=2s".to_owned());
            }
            (None, Harm::Delay { .. } | Harm::Rate(_)) => None,
        };
        if lasts == Some(Duration::ZERO) && !matches!(harm, Harm::Cut | Harm::HalfOpen) {
            return Err("for must not be 0".to_owned());
        }
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
        let of = match &words.of {
            None => Clientele::All,
            Some(Word(text)) => Clientele::KINDS
                .into_iter()
                .chain([Clientele::All])
                .find(|kind| kind.name() == text)
                .ok_or_else(|| {
                    format!(
                        "of={text} are none; there are publishers, subscribers, clients and all"
                    )
                })?,
        };
        Ok(Disturbance {
            at,
            lasts,
            every,
            harm,
            share,
            of,
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

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(text: &str) -> Result<String, String> {
        let fault: Disturbance = text.parse()?;
        Ok(fault.to_string())
    }

    #[test]
    fn a_fault_is_written_as_it_is_read() {
        for (text, written) in [
            ("at=10s cut=30% for=2s", "at=10s cut=30% for=2s"),
            ("cut at=1.5", "at=1s500ms cut=100%"),
            ("at=1s  cut share=3", "at=1s cut=3"),
            (
                "at=1s cut=30% of=subscribers",
                "at=1s cut=30% of=subscribers",
            ),
            ("at=1s cut=3 of=all", "at=1s cut=3"),
            ("at=1s stall for=1m30s", "at=1s stall=both for=1m30s"),
            ("at=1s stall=5% for=2s", "at=1s stall=both share=5% for=2s"),
            (
                "at=1s stall=up share=5 of=clients for=2s every=3s",
                "at=1s stall=up share=5 of=clients for=2s every=3s",
            ),
            ("at=0s half-open=10", "at=0s half-open=10"),
            ("at=1s delay=20ms jitter=5ms", "at=1s delay=20ms jitter=5ms"),
            ("at=1s delay=20ms share=100%", "at=1s delay=20ms"),
            ("at=1s rate=20k for=1s", "at=1s rate=20000 for=1s"),
        ] {
            assert_eq!(parsed(text).as_deref(), Ok(written), "{text}");
            assert_eq!(parsed(written).as_deref(), Ok(written));
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, words) in [
            ("cut=30%", "it does not say when: at="),
            ("at=1s", "it does not say what happens"),
            (
                "at=1s for=2s cutt",
                "\"cutt\" is not part of a fault; there are at=",
            ),
            ("at=1s at=2s cut", "at is said twice"),
            (
                "at=1s cut stall for=1s",
                "cut and stall are faults of their own",
            ),
            ("at=soon cut", "at=soon is no time"),
            ("at=1s cut=130%", "cut=130% is no share"),
            ("at=1s cut=0", "cut=0 is no share"),
            ("at=1s cut=5 share=5", "how many connections is said twice"),
            ("at=1s cut of=5", "of=5 are none; there are publishers"),
            ("at=1s stall", "stall must say how long"),
            ("at=1s stall=left for=1s", "or up, down or both"),
            ("at=1s half-open for=1s", "half-open has no end"),
            ("at=1s delay=1ms jitter=2ms", "jitter not more than it"),
            ("at=1s cut jitter=2ms", "jitter belongs to delay="),
            ("at=1s rate=fast", "rate=fast is no bandwidth"),
            ("at=1s cut for=2s every=2s", "every must be longer"),
            ("at=1s delay=1ms every=2s", "every must be longer"),
        ] {
            let found = parsed(text).unwrap_err();
            assert!(found.contains(words), "{text}: {found}");
        }
    }

    #[test]
    fn a_share_is_of_those_that_are_there() {
        assert_eq!(Share::Percent(30.0).of(10), 3);
        assert_eq!(Share::Percent(1.0).of(10), 1);
        assert_eq!(Share::Percent(1.0).of(0), 0);
        assert_eq!(Share::ALL.of(7), 7);
        assert_eq!(Share::Count(5).of(3), 3);
    }

    #[test]
    fn in_a_plan_a_fault_is_a_table() {
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        struct Plan {
            fault: Vec<Disturbance>,
        }
        let plan: Plan = toml::from_str(
            "[[fault]]\nat = 10\ncut = '30%'\nfor = '2s'\n[[fault]]\nat = '1s'\nhalf-open = true\nshare = 3\n",
        )
        .unwrap();
        let written: Vec<String> = plan.fault.iter().map(ToString::to_string).collect();
        assert_eq!(written, ["at=10s cut=30% for=2s", "at=1s half-open=3"]);
        let again: Plan = toml::from_str(&toml::to_string(&plan).unwrap()).unwrap();
        assert_eq!(again, plan);
        let wrong = toml::from_str::<Plan>("[[fault]]\nat = 1\ncut = true\nspeed = 2\n");
        assert!(wrong.unwrap_err().to_string().contains("speed"));
    }

    fn any_time() -> impl Strategy<Value = Duration> {
        (1_u64..100_000_000).prop_map(Duration::from_millis)
    }

    prop_compose! {
        pub(in crate::bench) fn any_fault()(
            at in any_time(), lasts in any_time(), more in any_time(), repeats: bool, kind in 0..7, of in 0_usize..4, percent in 1_u32..=1000,
            count in 1_u32.., counted: bool, jitter in 0.0..=1.0,
        ) -> Disturbance {
            let rate = |number: u32| number.to_string().parse().unwrap();
            let harm = match kind {
                0 => Harm::Cut,
                1 => Harm::HalfOpen,
                2 => Harm::Stall(Direction::Up),
                3 => Harm::Stall(Direction::Down),
                4 => Harm::Stall(Direction::Both),
                5 => Harm::Delay { by: more, jitter: more.mul_f64(jitter) },
                _ => Harm::Rate(rate(count % 1_000_000 + 1)),
            };
            Disturbance {
                at,
                lasts: Some(if harm == Harm::HalfOpen { Duration::ZERO } else { lasts }),
                every: repeats.then_some(lasts + more),
                harm,
                share: if counted { Share::Count(count) } else { Share::Percent(f64::from(percent) / 10.0) },
                of: Clientele::KINDS.get(of).copied().unwrap_or(Clientele::All),
            }
        }
    }

    proptest! {
        #[test]
        fn any_fault_is_read_as_it_was_written(fault in any_fault()) {
            prop_assert_eq!(fault.to_string().parse(), Ok(fault));
            let table = toml::to_string(&fault).unwrap();
            prop_assert_eq!(toml::from_str(&table), Ok(fault));
        }

        #[test]
        fn any_text_is_a_fault_or_an_error(text in "[a-z0-9=%. -]{0,60}") {
            if let Ok(fault) = text.parse::<Disturbance>() {
                prop_assert_eq!(fault.to_string().parse(), Ok(fault));
            }
        }

        #[test]
        fn words_in_any_order_are_a_fault_or_an_error(
            words in proptest::collection::vec(
                proptest::sample::select(vec!["at=1s", "for=2s", "every=3s", "share=5%", "of=publishers", "cut", "cut=3", "stall", "stall=up", "half-open", "delay=9ms", "jitter=1ms", "rate=1k"]),
                0..6,
            ),
        ) {
            if let Ok(fault) = words.join(" ").parse::<Disturbance>() {
                prop_assert_eq!(fault.to_string().parse(), Ok(fault));
            }
        }
    }
}
