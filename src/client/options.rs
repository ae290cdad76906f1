//! What CONNECT says, and to whom: plain data.
//!
//! It opens nothing and reads no flag, file or environment; `commands::connection` does that once.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::SetOnce;
use tokio::time::Instant;

use super::Takeover;
use super::retry::Retry;
use super::trace::Tracer;
use super::transport::Route;
use super::url::Endpoint;
use crate::mqtt::packet::Connect;
pub use crate::mqtt::packet::Will;
use crate::mqtt::{Properties, Property, Version};

/// Everything needed to connect: the endpoint and the contents of CONNECT (3.1).
#[derive(Clone)]
pub struct ConnectOptions {
    /// Where the broker is.
    pub endpoint: Endpoint,
    /// How to get there.
    pub route: Route,
    /// The protocol version to speak.
    pub version: Version,
    /// Empty: the broker assigns one, which MQTT 3.1 does not know.
    pub client_id: String,
    /// User name.
    pub username: Option<String>,
    /// Password: bytes, not text. Before MQTT 5 only beside a user name.
    pub password: Option<Bytes>,
    /// Seconds; 0 for no keep alive.
    pub keep_alive: u16,
    /// Clean session (3.1.1) or clean start (5).
    pub clean_start: bool,
    /// Seconds the broker keeps the session after the connection; `u32::MAX` for ever. MQTT 5 only.
    pub session_expiry: u32,
    /// The most QoS 1 and 2 messages the broker may send before they are acknowledged. MQTT 5 only.
    pub receive_maximum: Option<u16>,
    /// What to do when another client takes the session.
    pub takeover: Takeover,
    /// Properties of DISCONNECT (3.14.2.2). MQTT 5 only.
    pub disconnect: Properties,
    /// The most QoS 1 and 2 messages to have under way; `None` leaves it to the session.
    pub max_in_flight: Option<u16>,
    /// Is told when the first connection stood, TLS and what is said on it not counted.
    pub first_reached: Option<Arc<SetOnce<Instant>>>,
    /// Is told of every packet.
    pub tracer: Option<Tracer>,
    /// Will message.
    pub will: Option<Will>,
    /// What else CONNECT says in MQTT 5: maximum packet size, topic alias maximum, user properties (3.1.2.11).
    pub properties: Properties,
    /// From the first look-up to CONNACK.
    pub connect_timeout: Duration,
    /// From CONNECT to CONNACK, if that has a limit of its own: then the one above ends with the connection.
    pub answer_timeout: Option<Duration>,
    /// Speak MQTT 3.1.1 to a broker that does not know MQTT 5.
    pub falls_back: bool,
    /// Go to the broker that the one we know names in its refusal (4.11).
    pub follows_redirects: bool,
    /// How often to try again, also the first time; `None` for what is usual where it is used, and the first time once.
    pub retries: Option<u32>,
    /// The longest delay between two attempts, before jitter.
    pub longest_delay: Duration,
}

impl ConnectOptions {
    /// A clean MQTT 3.1.1 session at `endpoint`: keep alive 60 s, 10 s to connect, client id chosen by the broker.
    pub fn new(endpoint: Endpoint) -> ConnectOptions {
        ConnectOptions {
            endpoint,
            route: Route::default(),
            version: Version::V311,
            client_id: String::new(),
            username: None,
            password: None,
            keep_alive: 60,
            clean_start: true,
            session_expiry: 0,
            receive_maximum: None,
            takeover: Takeover::default(),
            disconnect: Properties::default(),
            max_in_flight: None,
            first_reached: None,
            tracer: None,
            will: None,
            properties: Properties::default(),
            connect_timeout: Duration::from_secs(10),
            answer_timeout: None,
            falls_back: false,
            follows_redirects: false,
            retries: None,
            longest_delay: super::retry::LONGEST,
        }
    }

    /// From now on it is MQTT 5 or nothing: something was asked for that older versions cannot say.
    pub fn need_version_5(&mut self) {
        self.version = Version::V5;
        self.falls_back = false;
    }

    /// How to try again: as the options say, else as is usual.
    pub fn retry(&self, usual: Retry) -> Retry {
        Retry {
            attempts: self.retries.unwrap_or(usual.attempts),
            longest: self.longest_delay,
            ..usual
        }
    }

    /// The same at another broker, which a server reference (3.2.2.3.16) names: `HOST[:PORT]` or a URL, the first of several that
    /// can be used. What only counts for the broker we know is left behind. `None` if there is none, or it would give TLS up.
    pub fn redirected(&self, reference: &str) -> Option<ConnectOptions> {
        let known = &self.endpoint;
        let endpoint = reference.split_whitespace().find_map(|each| {
            let endpoint = match each.contains("://") {
                true => each.parse().ok()?,
                false => {
                    let parts = super::url::parts(each).ok()?;
                    let port = parts.port.unwrap_or(known.scheme.default_port());
                    Endpoint {
                        path: known.path.clone(),
                        ..Endpoint::new(known.scheme, parts.host, port)
                    }
                }
            };
            (endpoint.scheme.has_tls() || !known.scheme.has_tls()).then_some(endpoint)
        })?;
        let mut elsewhere = ConnectOptions {
            endpoint,
            ..self.clone()
        };
        elsewhere.route.srv = false;
        elsewhere.route.tls.server_name = None;
        Some(elsewhere)
    }

    /// The CONNECT that says all this; MQTT 3.1's is 3.1.1's until the wire has rewritten it.
    pub fn packet(&self) -> Connect {
        // Whoever adds a member decides here whether CONNECT says it.
        let ConnectOptions {
            endpoint: _,
            route: _,
            version,
            client_id,
            username,
            password,
            keep_alive,
            clean_start,
            session_expiry,
            receive_maximum,
            takeover: _,
            disconnect: _,
            max_in_flight: _,
            first_reached: _,
            tracer: _,
            will,
            properties: others,
            connect_timeout: _,
            answer_timeout: _,
            falls_back: _,
            follows_redirects: _,
            retries: _,
            longest_delay: _,
        } = self.clone();
        let mut properties = Properties::default();
        if version == Version::V5 {
            if session_expiry > 0 {
                properties.push(Property::SessionExpiryInterval(session_expiry));
            }
            properties
                .0
                .extend(receive_maximum.map(Property::ReceiveMaximum));
            properties.0.extend(others.0);
        }
        Connect {
            version: version.max(Version::V311),
            clean_start,
            keep_alive,
            client_id: client_id.into(),
            will,
            username: username.map(Into::into),
            password,
            properties,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_reference_leads_to_the_first_broker_that_can_be_used() {
        for (from, reference, to) in [
            ("mqtt://h:7", "other", Some("mqtt://other:1883")),
            ("mqtts://h:7", "other:8 third:9", Some("mqtts://other:8")),
            ("ws://h/path", "[::1]:9001", Some("ws://[::1]:9001/path")),
            ("mqtt://h", ":::x other:5", Some("mqtt://other:5")),
            ("mqtt://h", "mqtts://other", Some("mqtts://other:8883")),
            ("mqtts://h", "mqtt://other", None),
            (
                "mqtts://h",
                "mqtt://other mqtts://third",
                Some("mqtts://third:8883"),
            ),
            ("mqtt://h", "", None),
        ] {
            let options = ConnectOptions::new(from.parse().unwrap());
            let found = options
                .redirected(reference)
                .map(|options| options.endpoint.to_string());
            assert_eq!(found.as_deref(), to, "{from} {reference}");
        }
    }
}
