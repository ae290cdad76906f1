//! Why a connection did not come about or came to an end, in words for the user and with what to do about it.

use std::time::Duration;

use super::detour::Detour;
use super::takeover::ENOUGH;
use crate::exit::Exit;
use crate::mqtt::{ReasonCode, Version};

/// The end of a connection or of an attempt to make one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Something on this side keeps us from trying: a file that cannot be read, a certificate that cannot be used.
    #[error("{0}")]
    Unusable(String),
    /// No CONNACK: name not found, TCP failed, time ran out, or something else than a broker answered.
    #[error("{words}")]
    NotReached {
        /// What was tried, what came of it, and what to do next.
        words: String,
        /// What was in the way.
        obstacle: Obstacle,
    },
    /// A CONNACK that says no.
    #[error("{}", refused(.broker, *.version, *.reason, .text))]
    Refused {
        /// The broker's URL.
        broker: String,
        /// What was spoken to it.
        version: Version,
        /// The reason; a return code of the older versions in the words of MQTT 5.
        reason: ReasonCode,
        /// The reason string of MQTT 5.
        text: Option<String>,
    },
    /// A CONNACK or a DISCONNECT that names another broker, or says that there is one (4.11).
    #[error("{}", moved(.broker, *.reason, .text, .reference, *.was_up))]
    Moved {
        /// The broker's URL.
        broker: String,
        /// For now or for good.
        reason: ReasonCode,
        /// The reason string.
        text: Option<String>,
        /// The other broker.
        reference: Option<String>,
        /// It had accepted us before.
        was_up: bool,
    },
    /// The same, but the other broker is none to go to, or leads in a circle.
    #[error("{0}")]
    Astray(String),
    /// The connection failed, and the next attempt goes another way.
    #[error("{0}")]
    Detour(Detour),
    /// The broker ended the connection with a DISCONNECT (MQTT 5, 3.14).
    #[error("{}", disconnected(*.reason, .text))]
    Disconnected {
        /// Why.
        reason: ReasonCode,
        /// The reason string.
        text: Option<String>,
    },
    /// The broker accepted the connection and closed it at once, again and again: another client comes back with the
    /// same client id each time, and before MQTT 5 no broker says so.
    #[error("{}", contested(.client_id))]
    Contested {
        /// The client id.
        client_id: String,
    },
    /// The connection broke.
    #[error("{0}")]
    Lost(String),
    /// The broker sent what no broker may send.
    #[error("the broker broke the protocol: {0}")]
    Forbidden(String),
}

/// What was in the way of a connection, for those who have words of their own for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// The name has no address.
    Name,
    /// The operating system said no, with this number.
    System(i32),
    /// The TLS handshake failed.
    Tls,
    /// There was a connection, and no CONNACK in time.
    Silence,
    /// There was a connection, and it ended before CONNACK.
    Closed,
    /// Anything else.
    Other,
}

impl Failure {
    /// The broker was not reached, for no reason that has a name.
    pub fn not_reached(words: impl Into<String>) -> Failure {
        Failure::obstructed(Obstacle::Other, words)
    }

    /// The broker was not reached.
    pub fn obstructed(obstacle: Obstacle, words: impl Into<String>) -> Failure {
        Failure::NotReached {
            words: words.into(),
            obstacle,
        }
    }

    /// The status a program that gives up because of this ends with.
    pub fn exit(&self) -> Exit {
        match self {
            Failure::Unusable(_) => Exit::Failed,
            Failure::NotReached { .. } => Exit::NotReached,
            Failure::Refused { .. } | Failure::Moved { was_up: false, .. } | Failure::Astray(_) => {
                Exit::Refused
            }
            Failure::Moved { was_up: true, .. }
            | Failure::Disconnected { .. }
            | Failure::Contested { .. }
            | Failure::Detour(_)
            | Failure::Lost(_)
            | Failure::Forbidden(_) => Exit::Lost,
        }
    }

    /// The failure as an error that carries its exit status.
    pub fn into_error(self) -> anyhow::Error {
        self.exit().because_of(self)
    }

    /// What to say when the next attempt begins after so long.
    pub fn and_again_in(&self, delay: Duration) -> String {
        match self {
            Failure::Detour(detour) => detour.to_string(),
            failure => format!("{failure}; trying again in {:.1} s", delay.as_secs_f64()),
        }
    }

    /// Whether the broker says that another client has taken the session.
    pub(super) fn is_takeover(&self) -> bool {
        let taken = ReasonCode::SESSION_TAKEN_OVER;
        matches!(self, Failure::Disconnected { reason, .. } if *reason == taken)
    }

    /// Whether trying again would meet the same answer, or do harm: two clients with one client id would throw each
    /// other out for ever.
    pub fn is_final(&self) -> bool {
        match self {
            Failure::Unusable(_) => true,
            Failure::NotReached { .. }
            | Failure::Detour(_)
            | Failure::Lost(_)
            | Failure::Forbidden(_) => false,
            Failure::Contested { .. } | Failure::Moved { .. } | Failure::Astray(_) => true,
            Failure::Refused { reason, .. } => !matches!(
                *reason,
                ReasonCode::SERVER_UNAVAILABLE
                    | ReasonCode::SERVER_BUSY
                    | ReasonCode::UNSPECIFIED_ERROR
                    | ReasonCode::QUOTA_EXCEEDED
                    | ReasonCode::CONNECTION_RATE_EXCEEDED
            ),
            Failure::Disconnected { reason, .. } => !matches!(
                *reason,
                ReasonCode::SUCCESS
                    | ReasonCode::UNSPECIFIED_ERROR
                    | ReasonCode::IMPLEMENTATION_SPECIFIC_ERROR
                    | ReasonCode::SERVER_BUSY
                    | ReasonCode::SERVER_SHUTTING_DOWN
                    | ReasonCode::KEEP_ALIVE_TIMEOUT
                    | ReasonCode::RECEIVE_MAXIMUM_EXCEEDED
                    | ReasonCode::MESSAGE_RATE_TOO_HIGH
                    | ReasonCode::QUOTA_EXCEEDED
                    | ReasonCode::ADMINISTRATIVE_ACTION
                    | ReasonCode::CONNECTION_RATE_EXCEEDED
                    | ReasonCode::MAXIMUM_CONNECT_TIME
            ),
        }
    }
}

fn contested(client_id: &str) -> String {
    format!(
        "the broker accepted the connection and closed it at once, {ENOUGH} times in a row: another client seems to use the \
         client id {client_id:?} as well; {SEPARATE}"
    )
}

/// What to do about two clients with one client id.
const SEPARATE: &str = "give each its own --id, or see --takeover";

fn refused(broker: &str, version: Version, reason: ReasonCode, text: &Option<String>) -> String {
    let advice = match reason {
        ReasonCode::UNSUPPORTED_PROTOCOL_VERSION => match version {
            Version::V5 => {
                "; try --protocol-version auto or 311, and no option that only MQTT 5 has"
            }
            _ => "; try another --protocol-version",
        },
        ReasonCode::BAD_USER_NAME_OR_PASSWORD => "; check --username and --password-file",
        ReasonCode::NOT_AUTHORIZED => {
            "; it may want a --username and --password-file, or other ones"
        }
        ReasonCode::CLIENT_IDENTIFIER_NOT_VALID => "; try another --id",
        _ => "",
    };
    format!(
        "{broker} refused the connection: {}{}{advice}",
        reason.name(),
        quoted(text)
    )
}

fn moved(
    broker: &str,
    reason: ReasonCode,
    text: &Option<String>,
    reference: &Option<String>,
    was_up: bool,
) -> String {
    let did = match was_up {
        true => "ended",
        false => "refused",
    };
    let whom = match reference {
        Some(reference) => format!(": {reference}; --follow-redirects goes there"),
        None => ", but it does not say which".to_owned(),
    };
    format!(
        "{broker} {did} the connection: {}{}{whom}",
        reason.name(),
        quoted(text)
    )
}

fn disconnected(reason: ReasonCode, text: &Option<String>) -> String {
    let (name, text) = (reason.name(), quoted(text));
    let words = format!("the broker ended the connection: {name}{text}");
    match reason {
        ReasonCode::SESSION_TAKEN_OVER => {
            format!("{words}: another client connected with the same client id; {SEPARATE}")
        }
        _ => words,
    }
}

fn quoted(text: &Option<String>) -> String {
    match text {
        Some(text) => format!(" ({text})"),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(version: Version, reason: ReasonCode, text: Option<&str>) -> Failure {
        Failure::Refused {
            broker: "mqtt://h:1883".to_owned(),
            version,
            reason,
            text: text.map(str::to_owned),
        }
    }

    #[test]
    fn a_refusal_names_the_broker_the_reason_and_the_next_step() {
        for (version, reason, text, words) in [
            (
                Version::V311,
                ReasonCode::NOT_AUTHORIZED,
                None,
                "mqtt://h:1883 refused the connection: not authorized; it may want a --username and --password-file, or other ones",
            ),
            (
                Version::V5,
                ReasonCode::BANNED,
                Some("go away"),
                "mqtt://h:1883 refused the connection: banned (go away)",
            ),
            (
                Version::V5,
                ReasonCode::UNSUPPORTED_PROTOCOL_VERSION,
                None,
                "mqtt://h:1883 refused the connection: unsupported protocol version; try --protocol-version auto or 311, and no option that only MQTT 5 has",
            ),
        ] {
            assert_eq!(refusal(version, reason, text).to_string(), words);
        }
    }

    #[test]
    fn what_would_be_answered_the_same_is_final() {
        for (reason, is_final) in [
            (ReasonCode::NOT_AUTHORIZED, true),
            (ReasonCode::BAD_USER_NAME_OR_PASSWORD, true),
            (ReasonCode::SERVER_UNAVAILABLE, false),
            (ReasonCode::SERVER_BUSY, false),
        ] {
            assert_eq!(refusal(Version::V5, reason, None).is_final(), is_final);
        }
        let goodbye = |reason| Failure::Disconnected { reason, text: None };
        assert!(goodbye(ReasonCode::SESSION_TAKEN_OVER).is_final());
        assert!(!goodbye(ReasonCode::SERVER_SHUTTING_DOWN).is_final());
        assert!(!Failure::Lost("x".to_owned()).is_final());
    }
}
