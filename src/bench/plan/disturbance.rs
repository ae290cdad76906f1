//! A fault as it is asked for: what happens to which connections, when and for how long. Plain data with one grammar for
//! the command line and a plan's tables; `proxy` does it.
//!
//! ```text
//! at=10s cut=30% for=2s            at=5s stall=up share=3 for=500ms every=10s
//! at=10s half-open=10%             at=0s delay=20ms jitter=5ms of=subscribers
//! ```

mod words;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use self::words::{KEYS, Word, Words};
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

impl Disturbance {
    /// It does not begin in any run.
    pub fn never(&mut self) {
        self.at = Duration::MAX;
    }

    /// Whether it ends connections, keeps them from being made, or their ends from hearing of each other.
    pub fn severs(&self) -> bool {
        matches!(self.harm, Harm::Cut | Harm::Stall(_) | Harm::HalfOpen)
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
