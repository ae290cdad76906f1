//! What a run will do: plain data that can be printed, saved and read again, free of flags and I/O. Everything else
//! follows from it. Which broker it is done to, and how one connects there, is not part of it.
//!
//! A plan has groups of clients by what they do: those that publish, those that subscribe, those that only connect.
//! Within a role the clients are numbered through all groups, from 0. `groups` has the groups, `scenario` what is measured; `file` writes and reads a plan as TOML, `text`
//! knows how its values are written there, `audience` who hears whom, `timetable` when each message was due.

mod audience;
mod check;
pub mod content;
pub mod disturbance;
pub mod file;
mod groups;
pub mod pace;
pub mod pattern;
pub mod preset;
pub mod properties;
mod scenario;
pub mod schedule;
pub mod session;
pub mod size;
pub mod speed;
#[cfg(test)]
pub mod tests;
mod text;
mod timetable;
pub mod topics;
mod warmup;

use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::ops::Range;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use audience::shared;
pub use check::Wrong;
pub use groups::{Clients, Fate, Member, Publishers, Subscribers, When};
pub use pattern::Pattern;
pub use scenario::Scenario;
pub use session::Session;
pub use timetable::Timetable;
pub use warmup::Warmup;

use crate::bench::measure::pulse::Pulse;
use crate::bench::plan::disturbance::Disturbance;
use crate::bench::plan::pace::Pace;
use crate::bench::plan::schedule::Schedule;
use crate::bench::plan::speed::Speed;
use crate::bench::random::Random;
use crate::mqtt::QoS;
use groups::{Group, count, member};
use pattern::Values;

/// The description of one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// What is measured.
    #[serde(default)]
    pub scenario: Scenario,
    /// Marks the messages of this run; what is random in it follows from this. A new one when not given.
    #[serde(default = "Run::random")]
    pub run: Run,
    /// Load that is not measured, before the measurement.
    #[serde(default)]
    pub warmup: Warmup,
    /// When enough is measured.
    pub stop: Stop,
    /// What kind of session every client has.
    #[serde(default, skip_serializing_if = "text::is_default")]
    pub session: Session,
    /// Clients that publish.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub publish: Vec<Publishers>,
    /// Clients that subscribe.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subscribe: Vec<Subscribers>,
    /// Clients that do neither.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub connect: Vec<Clients>,
    /// What happens to their connections while the load runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fault: Vec<Disturbance>,
}

/// When the measurement ends. The warm-up comes on top.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stop {
    /// After this time.
    After(#[serde(with = "text::duration")] Duration),
    /// After this many messages, all publishers together and evenly from each.
    Count(u64),
}

/// The identity of a run, in its messages, its client ids and its default topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run(pub u32);

impl Run {
    /// One that nobody has had.
    pub fn random() -> Run {
        Run(RandomState::new().build_hasher().finish() as u32)
    }
}

impl FromStr for Run {
    type Err = String;

    fn from_str(text: &str) -> Result<Run, String> {
        let number = u32::from_str_radix(text, 16);
        number
            .map(Run)
            .map_err(|_| format!("{text:?} is no run: eight hexadecimal digits"))
    }
}

impl fmt::Display for Run {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:08x}", self.0)
    }
}

impl Plan {
    /// How many connections publish.
    pub fn publishers(&self) -> u32 {
        count(&self.publish)
    }

    /// How many connections subscribe.
    pub fn subscribers(&self) -> u32 {
        count(&self.subscribe)
    }

    /// Whether anybody publishes.
    pub fn publishes(&self) -> bool {
        !self.publish.is_empty()
    }

    /// How many connections do neither.
    pub fn clients(&self) -> u32 {
        count(&self.connect)
    }

    /// How many connections there are.
    pub fn connections(&self) -> u32 {
        self.publishers() + self.subscribers() + self.clients()
    }

    /// A publisher (from 0) in its group.
    pub fn publisher(&self, number: u32) -> Member<'_, Publishers> {
        member(&self.publish, number)
    }

    /// A subscriber (from 0) in its group.
    pub fn subscriber(&self, number: u32) -> Member<'_, Subscribers> {
        member(&self.subscribe, number)
    }

    /// The highest quality of service of anyone who publishes, or where nobody does, who subscribes.
    pub fn qos(&self) -> QoS {
        let publish = self.publish.iter().map(|group| group.qos).max();
        let subscribe = || self.subscribe.iter().map(|group| group.qos).max();
        publish.or_else(subscribe).unwrap_or_default()
    }

    /// The largest window.
    pub fn window(&self) -> u16 {
        let windows = self.publish.iter().map(|group| group.window);
        windows.max().unwrap_or(0)
    }

    /// Whether some message has a due time.
    pub fn is_paced(&self) -> bool {
        self.publish.iter().any(|group| group.rate != Pace::Max)
    }

    /// Messages per second asked for; `None` when some publisher is not paced, or nobody publishes.
    pub fn rate(&self) -> Option<f64> {
        total(
            self.publish
                .iter()
                .map(|group| group.rate.per_second(group.clients)),
        )
    }

    /// New connections per second asked for; `None` when some are not paced, or nobody only connects.
    pub fn connect_rate(&self) -> Option<f64> {
        total(
            self.connect
                .iter()
                .map(|group| group.rate.per_second(group.clients)),
        )
    }

    /// When client `client` (from 0) is to connect, counted from the start of the run; `None` for as soon as the
    /// others let it.
    pub fn connect_due(&self, client: u32) -> Option<Duration> {
        match self.client(client).group.fate {
            Fate::Stay => self.client_schedule(client).due(0),
            _ => None,
        }
    }

    /// A client (from 0) in its group.
    pub fn client(&self, number: u32) -> Member<'_, Clients> {
        member(&self.connect, number)
    }

    /// When things are due to a client.
    pub fn client_schedule(&self, client: u32) -> Schedule {
        let Member {
            group,
            place,
            index,
        } = self.client(client);
        Schedule::new(group.rate, self.seed(2, place), index, group.clients)
    }

    /// How many clients have something to do in the load.
    pub fn actors(&self) -> u32 {
        let active = self.connect.iter().filter(|group| group.fate != Fate::Stay);
        self.publishers() + active.map(Group::clients).sum::<u32>()
    }

    /// Whether some subscribers only come when everything is published and acknowledged.
    pub fn has_latecomers(&self) -> bool {
        self.subscribe
            .iter()
            .any(|group| group.when != When::Always)
    }

    /// Whether all subscribers come when everything is published, to fetch what was kept for them.
    pub fn only_fetches(&self) -> bool {
        let mut groups = self.subscribe.iter();
        !self.subscribe.is_empty() && groups.all(|group| group.when != When::Always)
    }

    /// How many clients leave a will.
    pub fn wills(&self) -> u32 {
        let wills = self.connect.iter().filter(|group| group.will.is_some());
        wills.map(Group::clients).sum()
    }

    /// Which client leaves will number `will` (from 0).
    pub fn will_client(&self, will: u32) -> u32 {
        let mut clients = 0..self.clients();
        let mut wills = clients
            .by_ref()
            .filter(|client| self.client(*client).group.will.is_some());
        wills.nth(will as usize).unwrap_or(0)
    }

    /// Whether anybody publishes, be it a will, what is known again when it arrives.
    pub fn has_streams(&self) -> bool {
        self.wills() > 0 || self.publish.iter().any(Publishers::is_marked)
    }

    /// Whether properties are wanted that only MQTT 5 has, so that nothing else will do.
    pub fn needs_version_5(&self) -> bool {
        let of_group = |group: &Publishers| group.topic_alias || !group.properties.is_empty();
        self.session.needs_version_5() || self.publish.iter().any(of_group)
    }

    /// Whether some messages carry no measurement header.
    pub fn has_unmarked(&self) -> bool {
        !self.publish.iter().all(Publishers::is_marked)
    }

    /// Leaves out the streams whose messages are not known again when they arrive.
    pub fn marked(&self, mut audience: Vec<Vec<u32>>) -> Vec<Vec<u32>> {
        let mut first = 0;
        for group in &self.publish {
            let streams = first..first + group.streams();
            first = streams.end;
            if !group.is_marked() {
                for heard in &mut audience {
                    heard.retain(|stream| !streams.contains(stream));
                }
            }
        }
        audience
    }

    /// Whether clients connect within the load, so that this is measured and not that they connect before.
    pub fn measures_coming_back(&self) -> bool {
        let fates = [Fate::Churn, Fate::Reconnect, Fate::Takeover];
        self.connect.iter().any(|group| fates.contains(&group.fate))
    }

    /// For each stream where the answers go; empty when nobody expects any.
    pub fn replies(&self) -> Vec<String> {
        if self.publish.iter().all(|group| group.reply.is_none()) {
            return Vec::new();
        }
        let replies = (0..self.publishers()).flat_map(|publisher| {
            let reply = self.publisher(publisher).group.reply.as_ref();
            let topic = reply.map(|reply| reply.with(self.publisher_values(publisher)));
            self.streams_of(publisher)
                .map(move |_| topic.clone().unwrap_or_default())
        });
        replies.collect()
    }

    /// Where a client's will goes, and its stream.
    pub fn will_of(&self, client: u32) -> Option<(String, u32)> {
        let Member {
            group,
            place,
            index,
        } = self.client(client);
        let before = self.connect[..place]
            .iter()
            .filter(|group| group.will.is_some());
        let stream = self.published_streams() + before.map(Group::clients).sum::<u32>() + index;
        let values = self.values(2, place, index, None, group.clients);
        Some((group.will.as_ref()?.with(values), stream))
    }

    /// What the placeholders of a publisher's topics stand for, but for the message.
    pub fn publisher_values(&self, publisher: u32) -> Values {
        let Member {
            group,
            place,
            index,
        } = self.publisher(publisher);
        self.values(0, place, index, group.numbers, group.clients)
    }

    /// What the placeholders of another client's texts stand for.
    pub fn client_values(&self, client: u32) -> Values {
        let Member {
            group,
            place,
            index,
        } = self.client(client);
        self.values(2, place, index, None, group.clients)
    }

    /// How many groups there are.
    pub fn groups(&self) -> usize {
        self.publish.len() + self.subscribe.len() + self.connect.len()
    }

    /// What the placeholders of a subscriber's filter stand for.
    pub fn subscriber_values(&self, subscriber: u32) -> Values {
        let Member {
            group,
            place,
            index,
        } = self.subscriber(subscriber);
        self.values(1, place, index, group.numbers, group.clients)
    }

    fn values(
        &self,
        role: u64,
        place: usize,
        index: u32,
        numbers: Option<u32>,
        total: u32,
    ) -> Values {
        Values {
            number: index % numbers.unwrap_or(u32::MAX) + 1,
            total,
            sequence: 0,
            seed: Random::of(&[self.seed(role, place), index.into()]).next(),
        }
    }

    /// What is random in a group follows from this.
    fn seed(&self, role: u64, place: usize) -> u64 {
        Random::of(&[self.run.0.into(), role, place as u64]).next()
    }

    /// What a subscriber (from 0) subscribes to.
    pub fn filter_of(&self, subscriber: u32) -> String {
        let Member { group, .. } = self.subscriber(subscriber);
        group.filter.with(self.subscriber_values(subscriber))
    }

    /// When a publisher's messages are due.
    pub fn schedule_of(&self, publisher: u32) -> Schedule {
        let Member {
            group,
            place,
            index,
        } = self.publisher(publisher);
        Schedule::new(group.rate, self.seed(0, place), index, group.clients)
    }

    /// A publisher's streams: one for each of its topics. In a stream messages are numbered without holes, and the
    /// ledger is kept by stream.
    pub fn streams_of(&self, publisher: u32) -> Range<u32> {
        let Member {
            group,
            place,
            index,
        } = self.publisher(publisher);
        let before = self.publish[..place].iter().map(Publishers::streams);
        let topics = group.topic.len() as u32;
        let first = before.sum::<u32>() + index * topics;
        first..first + topics
    }

    fn published_streams(&self) -> u32 {
        let streams = self.publish.iter().map(Publishers::streams);
        streams.fold(0, u32::saturating_add)
    }

    /// How many streams there are; each will is one of its own.
    pub fn streams(&self) -> u32 {
        let wills = self.connect.iter().filter(|group| group.will.is_some());
        wills
            .map(Group::clients)
            .fold(self.published_streams(), u32::saturating_add)
    }

    /// How many measured messages a publisher has to send; `None` when time decides.
    pub fn share_of(&self, publisher: u32) -> Option<u64> {
        match self.stop {
            Stop::After(_) => None,
            Stop::Count(count) => Some(
                count
                    .saturating_sub(publisher.into())
                    .div_ceil(self.publishers().into()),
            ),
        }
    }

    /// Whether some subscribers read slowly.
    pub fn has_slow(&self) -> bool {
        let mut groups = self.subscribe.iter();
        groups.any(|group| group.reads != Speed::All)
    }

    /// What is to be seen interval by interval: with slow readers finer than faults need.
    pub fn pulse(&self) -> Pulse {
        match self.has_slow() {
            true => Pulse::fine(self.end()),
            false => Pulse::new(self.end()),
        }
    }

    /// How long nothing may move because of a fault that ends.
    pub fn longest_fault(&self) -> Duration {
        let lasting = self.fault.iter().filter_map(|fault| fault.lasts);
        lasting.max().unwrap_or_default()
    }

    /// When the last message is due, from the start of the load; `None` when that is not known beforehand.
    pub fn end(&self) -> Option<Duration> {
        if let Stop::After(duration) = self.stop {
            return Some(self.warmup.fixed()?.saturating_add(duration));
        }
        let mut end = None;
        for publisher in 0..self.publishers() {
            let mut schedule = self.schedule_of(publisher);
            let before = schedule.due_before(self.warmup.fixed()?)?;
            if let Some(last @ 1..) = self.share_of(publisher) {
                end = end.max(Some(schedule.due(before + last - 1)?));
            }
        }
        end
    }
}

/// The sum, when there is something and all of it is known.
fn total(mut rates: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let first = rates.next()??;
    rates.try_fold(first, |sum, rate| Some(sum + rate?))
}
