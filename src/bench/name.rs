//! Which client of a run this is, as it is told and as the broker knows it.

use std::fmt;

use super::plan::Plan;

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
