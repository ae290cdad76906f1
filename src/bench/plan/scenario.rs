//! What a run measures, by the name it is typed by.

use std::fmt;

use serde::{Deserialize, Serialize};

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
    /// Subscribers beside one that reads slowly.
    Slow,
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
            Scenario::Slow => "slow",
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
