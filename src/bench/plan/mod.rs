//! What a run will do: plain data that can be printed, saved and read again, free of flags and I/O. Everything else
//! follows from it. Which broker it is done to, and how one connects there, is not part of it.
//!
//! A plan has groups of clients by what they do: those that publish, those that subscribe, those that only connect.
//! Within a role the clients are numbered through all groups, from 0. `file` writes and reads a plan as TOML, `text`
//! knows how its values are written there, `audience` who hears whom.

mod audience;
mod check;
pub mod file;
pub mod pattern;
#[cfg(test)]
pub mod tests;
mod text;

use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::ops::Range;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use audience::shared;
pub use check::Wrong;
pub use pattern::Pattern;

use super::random::Random;
use super::schedule::{Pace, Schedule};
use crate::mqtt::QoS;
use pattern::Values;

/// What a run measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scenario {
    /// Publishers and subscribers; every message is followed from one to the other.
    #[serde(rename = "pubsub")]
    PubSub,
    /// Publishers only; the broker's acknowledgement is all that comes back.
    Pub,
    /// Subscribers only, to what others publish: it is counted, whatever it is.
    Sub,
    /// Clients that connect, one after another or as fast as they are accepted.
    Conn,
    /// Clients that are connected and do nothing but keep the connection alive.
    Idle,
    /// Members of a shared subscription: how the messages are spread over them.
    Shared,
    /// Requests that are answered: the time of the round trip.
    Req,
    /// Clients that leave and come again, at a rate.
    Churn,
    /// Clients that are all cut off at once and all come again.
    ReconnectStorm,
    /// Clients that are all cut off at once and leave a will each.
    WillStorm,
    /// Clients that all ask at once for very many retained messages.
    RetainedStorm,
    /// Clients that are all taken over at once by others of the same name.
    TakeoverStorm,
    /// Persistent sessions that fetch what was published while they were away.
    Offline,
    /// Whatever a plan's groups do.
    #[default]
    Mixed,
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
            Scenario::Shared => "shared",
            Scenario::Req => "req",
            Scenario::Churn => "churn",
            Scenario::ReconnectStorm => "reconnect-storm",
            Scenario::WillStorm => "will-storm",
            Scenario::RetainedStorm => "retained-storm",
            Scenario::TakeoverStorm => "takeover-storm",
            Scenario::Offline => "offline",
            Scenario::Mixed => "mixed",
        }
    }

    /// Whether connecting is what is measured, and the rate is one of connections.
    pub fn connects(self) -> bool {
        use Scenario::{Churn, Conn, Idle, ReconnectStorm, TakeoverStorm};
        matches!(self, Conn | Idle | Churn | ReconnectStorm | TakeoverStorm)
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

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
    #[serde(default, with = "text::duration")]
    pub warmup: Duration,
    /// When enough is measured.
    pub stop: Stop,
    /// Clients that publish.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub publish: Vec<Publishers>,
    /// Clients that subscribe.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subscribe: Vec<Subscribers>,
    /// Clients that do neither.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub connect: Vec<Clients>,
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

/// A group of clients that publish.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Publishers {
    /// How many.
    #[serde(default = "text::one")]
    pub clients: u32,
    /// Where each publishes to; of several, to one after the other.
    #[serde(with = "text::one_or_more")]
    pub topic: Vec<Pattern>,
    /// `%i` starts over after this many; never, when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub numbers: Option<u32>,
    /// Of the publishes.
    #[serde(default = "text::at_least_once", with = "text::qos")]
    pub qos: QoS,
    /// When messages are due.
    #[serde(default)]
    pub rate: Pace,
    /// The most publishes one client has in flight at QoS 1 and 2.
    #[serde(default = "text::window")]
    pub window: u16,
    /// Bytes of payload, measurement header included.
    #[serde(default = "text::size")]
    pub size: usize,
    /// The broker is to keep each topic's last message. At the end of the run they are taken away again.
    #[serde(default, skip_serializing_if = "text::is_default")]
    pub retain: bool,
    /// Where each expects the answers to what it publishes: it subscribes there, and the round trip is measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<Pattern>,
}

/// A group of clients that subscribe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subscribers {
    /// How many.
    #[serde(default = "text::one")]
    pub clients: u32,
    /// What each subscribes to.
    pub filter: Pattern,
    /// `%i` starts over after this many; never, when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub numbers: Option<u32>,
    /// Asked for in the subscription.
    #[serde(default = "text::at_least_once", with = "text::qos")]
    pub qos: QoS,
    /// When they are there.
    #[serde(default, skip_serializing_if = "text::is_default")]
    pub when: When,
    /// They send back what they receive, to where its publisher expects the answer.
    #[serde(default, skip_serializing_if = "text::is_default")]
    pub answers: bool,
}

/// When subscribers are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum When {
    /// From before the first message to the end.
    #[default]
    Always,
    /// From after the last: what they get is retained.
    Late,
    /// Before the first and after the last: what they get was kept in their session.
    Away,
}

/// A group of clients that connect and only keep the connection alive.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clients {
    /// How many.
    #[serde(default = "text::one")]
    pub clients: u32,
    /// When connections are due; where they do something, when that is.
    #[serde(default)]
    pub rate: Pace,
    /// What happens to them.
    #[serde(default, skip_serializing_if = "text::is_default")]
    pub fate: Fate,
    /// Where each one's will goes, when it is cut off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub will: Option<Pattern>,
}

/// What happens to clients that neither publish nor subscribe, once the load has started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fate {
    /// Nothing.
    #[default]
    Stay,
    /// Each connects, and when its next turn comes leaves and connects again.
    Churn,
    /// Each is cut off and connects again, until the broker has it back.
    Reconnect,
    /// Each is cut off and stays away.
    Cut,
    /// Another client of the same name connects.
    Takeover,
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

impl fmt::Display for Run {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:08x}", self.0)
    }
}

/// One client as a member of its group.
#[derive(Debug)]
pub struct Member<'a, G> {
    /// The group.
    pub group: &'a G,
    /// The group's place among those of its role.
    pub place: usize,
    /// The client's number in the group, from 0.
    pub index: u32,
}

impl<G> Clone for Member<'_, G> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<G> Copy for Member<'_, G> {}

/// What the groups have in common.
trait Group {
    fn clients(&self) -> u32;
}

impl Group for Publishers {
    fn clients(&self) -> u32 {
        self.clients
    }
}

impl Group for Subscribers {
    fn clients(&self) -> u32 {
        self.clients
    }
}

impl Group for Clients {
    fn clients(&self) -> u32 {
        self.clients
    }
}

fn count(groups: &[impl Group]) -> u32 {
    let clients = groups.iter().map(Group::clients);
    clients.fold(0, u32::saturating_add)
}

fn member<G: Group>(groups: &[G], number: u32) -> Member<'_, G> {
    let mut index = number;
    for (place, group) in groups.iter().enumerate() {
        if index < group.clients() {
            return Member {
                group,
                place,
                index,
            };
        }
        index -= group.clients();
    }
    unreachable!("client {number} is one of {}", count(groups));
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

    /// Whether anybody publishes, be it a will.
    pub fn has_streams(&self) -> bool {
        self.streams() > 0
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

    /// Tells when a message of a stream was due.
    pub fn timetable(&self) -> Timetable {
        let mut first = 0;
        let groups = self.publish.iter().enumerate().map(|(place, group)| {
            let entry = TimetableEntry {
                first,
                topics: group.topic.len() as u32,
                schedule: Schedule::new(group.rate, self.seed(0, place), 0, group.clients),
            };
            first += group.streams();
            entry
        });
        Timetable(groups.collect())
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

    /// When the last message is due, from the start of the load; `None` when that is not known beforehand.
    pub fn end(&self) -> Option<Duration> {
        if let Stop::After(duration) = self.stop {
            return Some(self.warmup.saturating_add(duration));
        }
        let mut end = None;
        for publisher in 0..self.publishers() {
            let mut schedule = self.schedule_of(publisher);
            let before = schedule.due_before(self.warmup)?;
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

impl Publishers {
    fn streams(&self) -> u32 {
        self.clients.saturating_mul(self.topic.len() as u32)
    }
}

/// When the messages of all streams are due: for messages whose header has no room for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Timetable(Vec<TimetableEntry>);

#[derive(Debug, Clone, PartialEq)]
struct TimetableEntry {
    /// The group's first stream.
    first: u32,
    /// How many each client has.
    topics: u32,
    /// Of its first client.
    schedule: Schedule,
}

impl Timetable {
    /// When message `sequence` of a stream was due, in nanoseconds; `None` when it had no time.
    pub fn due_ns(&self, stream: u32, sequence: u64) -> Option<u64> {
        let groups = self.0.partition_point(|group| group.first <= stream);
        let group = self.0.get(groups.checked_sub(1)?)?;
        let (client, topic) = (
            (stream - group.first) / group.topics,
            (stream - group.first) % group.topics,
        );
        let message = sequence * u64::from(group.topics) + u64::from(topic);
        let due = group.schedule.of(client).due(message)?;
        Some(due.as_nanos() as u64)
    }
}
