//! Which client of a run this is, as it is told and as the broker knows it.

use std::fmt;

use crate::bench::plan::speed::Speed;
use crate::bench::plan::{Plan, When};

/// Which client.
#[derive(Debug, Clone, Copy)]
pub(super) enum Name {
    Publisher(u32),
    Subscriber(u32),
    Client(u32),
}

impl Name {
    /// What tells clients of several groups apart that would have the same id: nothing when there is only one group.
    pub(super) fn suffix(self, plan: &Plan) -> &'static str {
        match self {
            _ if plan.groups() == 1 => "",
            Name::Publisher(_) => "-p",
            Name::Subscriber(_) => "-s",
            Name::Client(_) => "-c",
        }
    }

    /// From 0, among those of its role.
    pub(super) fn number(self) -> u32 {
        let (Name::Publisher(number) | Name::Subscriber(number) | Name::Client(number)) = self;
        number
    }

    /// The place of its role in [`Clientele::KINDS`].
    ///
    /// [`Clientele::KINDS`]: crate::bench::plan::disturbance::Clientele::KINDS
    pub(super) fn kind(self) -> usize {
        match self {
            Name::Publisher(_) => 0,
            Name::Subscriber(_) => 1,
            Name::Client(_) => 2,
        }
    }

    /// Whether it reads slowly.
    pub(super) fn is_slow(self, plan: &Plan) -> bool {
        match self {
            Name::Subscriber(number) => plan.subscriber(number).group.reads != Speed::All,
            Name::Publisher(_) | Name::Client(_) => false,
        }
    }

    /// Whether its session is to outlast its connection.
    pub(super) fn persists(self, plan: &Plan) -> bool {
        match self {
            Name::Publisher(number) => plan.publisher(number).group.persistent,
            Name::Subscriber(number) => {
                let group = plan.subscriber(number).group;
                group.persistent || group.when == When::Away
            }
            Name::Client(_) => false,
        }
    }

    /// At most 23 bytes up to client 99,999, because MQTT 3.1 allows no more.
    pub(super) fn client_id(self, plan: &Plan) -> String {
        let run = plan.run;
        match self {
            Name::Publisher(number) => format!("bench-{run}-p{}", number + 1),
            Name::Subscriber(number) => format!("bench-{run}-s{}", number + 1),
            Name::Client(number) => format!("bench-{run}-c{}", number + 1),
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Name::Publisher(number) => write!(out, "publisher {}", number + 1),
            Name::Subscriber(number) => write!(out, "subscriber {}", number + 1),
            Name::Client(number) => write!(out, "client {}", number + 1),
        }
    }
}
