//! What a run will do: checked, printable, and free of flags and I/O. Everything else follows from it.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::message;
use super::schedule::{Rate, Schedule};
use crate::mqtt::codec::MAXIMUM_REMAINING_LENGTH;
use crate::mqtt::{QoS, topic};

/// The longest measurement and the longest warm-up. Times are nanoseconds in 64 bits, which end after 584 years.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

/// Who takes part in a run, and so what it measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scenario {
    /// Publishers and subscribers; every message is followed from one to the other.
    PubSub,
    /// Publishers only; the broker's acknowledgement is all that comes back.
    Pub,
    /// Subscribers only, to what others publish: it is counted, whatever it is.
    Sub,
    /// Clients that connect, one after another or as fast as they are accepted.
    Conn,
    /// Clients that are connected and do nothing but keep the connection alive.
    Idle,
}

impl Scenario {
    /// As it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Scenario::PubSub => "pubsub",
            Scenario::Pub => "pub",
            Scenario::Sub => "sub",
            Scenario::Conn => "conn",
            Scenario::Idle => "idle",
        }
    }

    /// Whether there are publishers.
    pub fn publishes(self) -> bool {
        matches!(self, Scenario::PubSub | Scenario::Pub)
    }

    /// Whether there are clients that only connect, and the rate is one of connections.
    pub fn connects(self) -> bool {
        matches!(self, Scenario::Conn | Scenario::Idle)
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

/// The description of one run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Plan {
    /// Who takes part.
    pub scenario: Scenario,
    /// Marks the messages of this run.
    pub run: Run,
    /// How many connections neither publish nor subscribe.
    pub clients: u32,
    /// How many connections publish.
    pub publishers: u32,
    /// How many connections subscribe.
    pub subscribers: u32,
    /// Where publisher number `%i` publishes to.
    pub topic: Pattern,
    /// What subscriber number `%i` subscribes to; the same as `topic` unless given.
    pub filter: Option<Pattern>,
    /// Of publishes and of subscriptions.
    #[serde(serialize_with = "as_number", deserialize_with = "of_number")]
    pub qos: QoS,
    /// Bytes of payload, measurement header included.
    pub size: usize,
    /// Messages per second, all publishers together, or new connections per second where nobody publishes;
    /// `None` is as fast as flow control allows, or as the broker accepts them.
    #[serde(
        rename = "rate_per_s",
        serialize_with = "as_rate",
        deserialize_with = "of_rate"
    )]
    pub rate: Option<Rate>,
    /// Load that is not measured, before the measurement.
    #[serde(
        rename = "warmup_s",
        serialize_with = "as_seconds",
        deserialize_with = "of_seconds"
    )]
    pub warmup: Duration,
    /// When enough is measured.
    pub stop: Stop,
    /// The most publishes one publisher has in flight at QoS 1 and 2.
    pub window: u16,
}

/// When the measurement ends. The warm-up comes on top.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stop {
    /// After this time.
    #[serde(
        rename = "after_s",
        serialize_with = "as_seconds",
        deserialize_with = "of_seconds"
    )]
    After(Duration),
    /// After this many messages, all publishers together.
    #[serde(rename = "count")]
    Count(u64),
}

/// The identity of a run, in its messages, its client ids and its default topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run(pub u32);

impl fmt::Display for Run {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:08x}", self.0)
    }
}

impl Serialize for Run {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Run {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Run, D::Error> {
        let text = String::deserialize(deserializer)?;
        let number = u32::from_str_radix(&text, 16);
        number.map(Run).map_err(D::Error::custom)
    }
}

/// A text with the client's number in it: `%i`, anywhere; `%%` is one percent sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// The texts between the numbers.
    parts: Vec<String>,
}

impl FromStr for Pattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Pattern, String> {
        let mut parts = vec![String::new()];
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            let next = match character {
                '%' => characters.next().map(Err),
                other => Some(Ok(other)),
            };
            match (next, parts.last_mut()) {
                (Some(Ok(plain)), Some(part)) => part.push(plain),
                (Some(Err('%')), Some(part)) => part.push('%'),
                (Some(Err('i')), _) => parts.push(String::new()),
                (other, _) => {
                    let found = other.map_or(String::new(), |(Ok(letter) | Err(letter))| {
                        letter.to_string()
                    });
                    return Err(format!(
                        "{text:?} has %{found}; there is %i, the client's number, and %%, a percent sign"
                    ));
                }
            }
        }
        Ok(Pattern { parts })
    }
}

impl Pattern {
    /// The text for one client.
    pub fn with(&self, number: u32) -> String {
        self.parts.join(&number.to_string())
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let escaped: Vec<String> = self
            .parts
            .iter()
            .map(|part| part.replace('%', "%%"))
            .collect();
        out.write_str(&escaped.join("%i"))
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

impl Plan {
    /// Whether the run can be carried out and measured.
    ///
    /// # Errors
    /// The first thing that is wrong, in the words of the command line.
    pub fn check(&self) -> Result<(), String> {
        let least = u32::from(self.scenario.publishes());
        if !(least..message::MOST_PUBLISHERS).contains(&self.publishers) {
            return Err(format!(
                "--publishers must be {least} to {}",
                message::MOST_PUBLISHERS - 1
            ));
        }
        if self.scenario == Scenario::Sub && self.subscribers == 0 {
            return Err("--subscribers must be at least 1".to_owned());
        }
        let least = u32::from(self.scenario.connects());
        if !(least..message::MOST_PUBLISHERS).contains(&self.clients) {
            return Err(format!(
                "--clients must be {least} to {}",
                message::MOST_PUBLISHERS - 1
            ));
        }
        if self.subscribers >= message::MOST_PUBLISHERS {
            return Err(format!(
                "--subscribers must be less than {}",
                message::MOST_PUBLISHERS
            ));
        }
        if self.size > MAXIMUM_REMAINING_LENGTH as usize {
            return Err(format!(
                "--size must be at most {MAXIMUM_REMAINING_LENGTH}, the largest packet of MQTT"
            ));
        }
        if self.size < message::SMALLEST {
            return Err(format!(
                "--size must be at least {}: the payload carries the measurement header",
                message::SMALLEST
            ));
        }
        if self.window == 0 {
            return Err("--window must be at least 1".to_owned());
        }
        match self.stop {
            Stop::After(Duration::ZERO) if self.scenario != Scenario::Conn => {
                return Err("--duration must not be 0".to_owned());
            }
            Stop::Count(0) => return Err("--count must not be 0".to_owned()),
            Stop::After(duration) if duration > LONGEST => {
                return Err("--duration must be at most a year".to_owned());
            }
            Stop::After(_) | Stop::Count(_) => {}
        }
        if self.warmup > LONGEST {
            return Err("--warmup must be at most a year".to_owned());
        }
        let topic = self.topic_of(self.publishers.saturating_sub(1));
        if self.publishers > 0 && !topic::is_valid_topic_name(&topic) {
            return Err(format!(
                "--topic: {topic:?} is no topic to publish to; subscribe with wildcards by --filter"
            ));
        }
        let filter = self.filter_of(self.subscribers.saturating_sub(1));
        if self.publishers > 0 && filter.starts_with("$share/") {
            return Err(
                "--filter: a shared subscription gives each message to one of several subscribers, \
                 which the delivery check cannot follow; give a plain filter"
                    .to_owned(),
            );
        }
        if !topic::is_valid_topic_filter(&filter) {
            let flag = match self.filter {
                Some(_) => "--filter",
                None => "--topic",
            };
            return Err(format!("{flag}: {filter:?} is no topic filter"));
        }
        Ok(())
    }

    /// How many connections there are.
    pub fn connections(&self) -> u32 {
        self.publishers + self.subscribers + self.clients
    }

    /// When client `client` (from 0) is to connect, counted from the start of the run; `None` for as soon as the
    /// others let it.
    pub fn connect_due(&self, client: u32) -> Option<Duration> {
        Schedule::new(self.rate, client, self.clients).due(0)
    }

    /// The number `%i` stands for, from 1. Without a filter of their own the larger of the two groups starts
    /// over at the size of the smaller one, so that everyone has a partner: 10 and 10 are pairs, 1 and 10
    /// a fan-out, 10 and 1 a fan-in, 10 and 20 two subscribers each.
    fn number_of(&self, client: u32) -> u32 {
        let numbers = match (&self.filter, self.publishers.min(self.subscribers)) {
            (Some(_), _) | (None, 0) => u32::MAX,
            (None, smaller) => smaller,
        };
        client % numbers + 1
    }

    /// What a publisher (from 0) publishes to.
    pub fn topic_of(&self, publisher: u32) -> String {
        self.topic.with(self.number_of(publisher))
    }

    /// What a subscriber (from 0) subscribes to.
    pub fn filter_of(&self, subscriber: u32) -> String {
        self.filter
            .as_ref()
            .unwrap_or(&self.topic)
            .with(self.number_of(subscriber))
    }

    /// For each subscriber the publishers, ascending, whose messages it must receive.
    pub fn audience(&self) -> Vec<Vec<u32>> {
        let mut publishers: HashMap<String, Vec<u32>> = HashMap::new();
        for publisher in 0..self.publishers {
            publishers
                .entry(self.topic_of(publisher))
                .or_default()
                .push(publisher);
        }
        let mut known: HashMap<String, Vec<u32>> = HashMap::new();
        (0..self.subscribers)
            .map(|subscriber| {
                let filter = self.filter_of(subscriber);
                if let Some(publishers) = publishers.get(&filter) {
                    return publishers.clone();
                }
                let search = |filter: &str| {
                    let mut matching: Vec<u32> = publishers
                        .iter()
                        .filter(|(topic, _)| topic::matches(filter, topic))
                        .flat_map(|(_, publishers)| publishers.iter().copied())
                        .collect();
                    matching.sort_unstable();
                    matching
                };
                known
                    .entry(filter)
                    .or_insert_with_key(|filter| search(filter))
                    .clone()
            })
            .collect()
    }

    /// When a publisher's messages are due.
    pub fn schedule_of(&self, publisher: u32) -> Schedule {
        Schedule::new(self.rate, publisher, self.publishers)
    }

    /// How many measured messages a publisher has to send; `None` when time decides.
    pub fn share_of(&self, publisher: u32) -> Option<u64> {
        match self.stop {
            Stop::After(_) => None,
            Stop::Count(count) => Some(
                count
                    .saturating_sub(publisher.into())
                    .div_ceil(self.publishers.into()),
            ),
        }
    }

    /// When the last message is due, from the start of the run; `None` when that is not known beforehand.
    pub fn end(&self) -> Option<Duration> {
        match (self.stop, self.rate) {
            (Stop::After(duration), _) => Some(self.warmup.saturating_add(duration)),
            (Stop::Count(count), Some(rate)) => {
                let needed = Duration::try_from_secs_f64(count as f64 / rate.per_second());
                Some(self.warmup.saturating_add(needed.unwrap_or(Duration::MAX)))
            }
            (Stop::Count(_), None) => None,
        }
    }
}

fn as_number<S: Serializer>(qos: &QoS, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u8(qos.number())
}

fn as_rate<S: Serializer>(rate: &Option<Rate>, serializer: S) -> Result<S::Ok, S::Error> {
    rate.map(Rate::per_second).serialize(serializer)
}

fn as_seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}

fn of_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<QoS, D::Error> {
    QoS::from_number(u8::deserialize(deserializer)?)
        .ok_or_else(|| D::Error::custom("a quality of service is 0, 1 or 2"))
}

fn of_rate<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Rate>, D::Error> {
    let rate = Option::<f64>::deserialize(deserializer)?;
    let rate = rate.map(|rate| rate.to_string().parse());
    rate.transpose().map_err(D::Error::custom)
}

fn of_seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    Duration::try_from_secs_f64(f64::deserialize(deserializer)?).map_err(D::Error::custom)
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A plan to be varied.
    pub fn plan(publishers: u32, subscribers: u32) -> Plan {
        Plan {
            scenario: Scenario::PubSub,
            run: Run(0xC0FFEE),
            clients: 0,
            publishers,
            subscribers,
            topic: "t/%i".parse().unwrap(),
            filter: None,
            qos: QoS::AtLeastOnce,
            size: 64,
            rate: None,
            warmup: Duration::ZERO,
            stop: Stop::Count(100),
            window: 10,
        }
    }

    #[test]
    fn a_pattern_has_the_number_anywhere_and_prints_as_it_was_read() {
        for (text, expected) in [
            ("plain", "plain"),
            ("a/%i/b%i", "a/7/b7"),
            ("%i", "7"),
            ("温度/%i", "温度/7"),
            ("100%%/%%i", "100%/%i"),
        ] {
            let pattern: Pattern = text.parse().unwrap();
            assert_eq!(pattern.with(7), expected);
            assert_eq!(pattern.to_string(), text);
        }
        for text in ["%", "a%n", "%é", "50%/a"] {
            let error = text.parse::<Pattern>().unwrap_err();
            assert!(error.contains("%i"), "{error}");
        }
    }

    #[test]
    fn a_plan_comes_back_from_json_as_it_was() {
        let mut one = plan(2, 3);
        one.rate = "12.5k".parse().ok();
        one.filter = "t/+".parse().ok();
        one.warmup = Duration::from_millis(1500);
        let mut other = plan(1, 0);
        other.stop = Stop::After(Duration::from_secs(7));
        for plan in [one, other] {
            let json = serde_json::to_string(&plan).unwrap();
            let back: Plan = serde_json::from_str(&json).unwrap();
            assert_eq!(serde_json::to_string(&back).unwrap(), json);
        }
        assert!(serde_json::from_str::<Plan>("{}").is_err());
    }

    #[test]
    fn everyone_has_a_partner() {
        assert_eq!(plan(3, 3).audience(), [[0], [1], [2]], "pairs");
        assert_eq!(plan(1, 3).audience(), [[0], [0], [0]], "fan-out");
        assert_eq!(plan(3, 1).audience(), [[0, 1, 2]], "fan-in");
        assert_eq!(plan(2, 4).audience(), [[0], [1], [0], [1]]);
        assert_eq!(plan(4, 2).audience(), [[0, 2], [1, 3]]);
        assert!(plan(2, 0).audience().is_empty());
    }

    #[test]
    fn one_topic_for_all_is_a_broadcast() {
        let mut plan = plan(2, 2);
        plan.topic = "all".parse().unwrap();
        assert_eq!(plan.audience(), [[0, 1], [0, 1]]);
    }

    #[test]
    fn a_filter_of_its_own_keeps_the_numbers_as_they_are() {
        let mut plan = plan(12, 2);
        plan.filter = Some("t/+".parse().unwrap());
        assert_eq!(plan.topic_of(11), "t/12");
        let all: Vec<u32> = (0..12).collect();
        assert_eq!(plan.audience(), [all.clone(), all]);
        plan.filter = Some("t/1%i".parse().unwrap());
        assert_eq!(plan.audience(), [[10], [11]]);
    }

    #[test]
    fn the_shares_add_up_to_the_count() {
        for (publishers, count) in [(1, 1), (3, 10), (7, 3), (10, 1_000_000)] {
            let mut plan = plan(publishers, 1);
            plan.stop = Stop::Count(count);
            let shares = (0..publishers).map(|publisher| plan.share_of(publisher).unwrap());
            assert_eq!(shares.sum::<u64>(), count);
        }
    }

    #[test]
    fn what_cannot_be_carried_out_is_refused_in_the_words_of_the_command_line() {
        let refused = |change: fn(&mut Plan)| {
            let mut plan = plan(2, 2);
            change(&mut plan);
            plan.check().unwrap_err()
        };
        assert!(refused(|plan| plan.publishers = 0).starts_with("--publishers"));
        assert!(refused(|plan| plan.scenario = Scenario::Idle).starts_with("--clients must be 1"));
        assert!(refused(|plan| plan.size = 15).starts_with("--size"));
        assert!(refused(|plan| plan.size = 1 << 40).starts_with("--size"));
        assert!(refused(|plan| plan.subscribers = u32::MAX).starts_with("--subscribers"));
        assert!(refused(|plan| plan.warmup = Duration::MAX).starts_with("--warmup"));
        assert!(refused(|plan| plan.stop = Stop::After(Duration::MAX)).starts_with("--duration"));
        assert!(refused(|plan| plan.window = 0).starts_with("--window"));
        assert!(refused(|plan| plan.stop = Stop::Count(0)).starts_with("--count"));
        assert!(refused(|plan| plan.stop = Stop::After(Duration::ZERO)).starts_with("--duration"));
        assert!(refused(|plan| plan.topic = "a/+".parse().unwrap()).starts_with("--topic"));
        assert!(refused(|plan| plan.filter = "a/#/b".parse().ok()).starts_with("--filter"));
        assert!(refused(|plan| plan.filter = "$share/g/a".parse().ok()).contains("shared"));
        assert_eq!(plan(2, 2).check(), Ok(()));
    }

    #[test]
    fn the_end_is_known_when_time_or_rate_say_so() {
        let mut plan = plan(2, 2);
        plan.warmup = Duration::from_secs(1);
        assert_eq!(plan.end(), None);
        plan.rate = "50".parse().ok();
        assert_eq!(plan.end(), Some(Duration::from_secs(3)));
        plan.stop = Stop::After(Duration::from_secs(5));
        assert_eq!(plan.end(), Some(Duration::from_secs(6)));
    }
}
