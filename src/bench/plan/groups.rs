//! The groups of clients that a plan is made of, by what they do, and one client as a member of its group.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::content::Content;
use super::pace::Pace;
use super::properties::MessageProperties;
use super::size::Size;
use super::speed::Speed;
use super::{Pattern, text};
use crate::bench::role::message::{self, Form};
use crate::mqtt::QoS;

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
    /// Bytes of payload, measurement header included where it is in the payload; not where a payload is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
    /// Where the messages carry the measurement header; not given, in a payload of filler and beside any other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<Form>,
    /// The broker is to keep each topic's last message. At the end of the run they are taken away again.
    #[serde(default, skip_serializing_if = "text::is_default")]
    pub retain: bool,
    /// Where each expects the answers to what it publishes: it subscribes there, and the round trip is measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<Pattern>,
    /// What the messages carry, where it is not filler.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<Content>,
    /// The broker keeps their sessions while their connection is lost. At the end of the run they are taken away.
    #[serde(default, skip_serializing_if = "text::is_default")]
    pub persistent: bool,
    /// A topic is named by a number from its second message on. MQTT 5.
    #[serde(default, skip_serializing_if = "text::is_default")]
    pub topic_alias: bool,
    /// What else each message says. MQTT 5.
    #[serde(default, skip_serializing_if = "MessageProperties::is_empty")]
    pub properties: MessageProperties,
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
    /// How fast they read while the load runs.
    #[serde(default, skip_serializing_if = "text::is_default")]
    pub reads: Speed,
    /// From when on they read no faster, from the start of the load.
    #[serde(
        default,
        skip_serializing_if = "text::is_default",
        with = "text::duration"
    )]
    pub from: Duration,
    /// The broker keeps their sessions while their connection is lost. At the end of the run they are taken away.
    #[serde(default, skip_serializing_if = "text::is_default")]
    pub persistent: bool,
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
pub(super) trait Group {
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

pub(super) fn count(groups: &[impl Group]) -> u32 {
    let clients = groups.iter().map(Group::clients);
    clients.fold(0, u32::saturating_add)
}

pub(super) fn member<G: Group>(groups: &[G], number: u32) -> Member<'_, G> {
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

impl Publishers {
    /// How large the payloads of filler are.
    pub fn size(&self) -> Size {
        self.size.clone().unwrap_or_default()
    }

    /// Where the messages carry the measurement header.
    pub fn form(&self) -> Form {
        self.header.unwrap_or(match &self.payload {
            None => Form::Payload,
            Some(_) => Form::Property,
        })
    }

    /// Whether a message is known again when it arrives.
    pub fn is_marked(&self) -> bool {
        self.form() != Form::None
    }

    /// The smallest payload of filler that carries what is measured: with random arrivals the due time is part of it,
    /// because nobody else knows it.
    pub fn least(&self) -> usize {
        match self.form() {
            Form::Payload if self.rate.is_random() => message::FULL,
            Form::Payload | Form::Compact => message::SMALLEST,
            Form::Property | Form::None => 0,
        }
    }

    /// How many streams its clients have: one for each topic of each.
    pub(super) fn streams(&self) -> u32 {
        self.clients.saturating_mul(self.topic.len() as u32)
    }
}
