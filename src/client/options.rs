//! What CONNECT says, and to whom: plain data.
//!
//! It opens nothing and reads no flag, file or environment; `commands::connection` does that once.

use std::time::Duration;

use bytes::Bytes;

use super::Takeover;
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
    /// Will message.
    pub will: Option<Will>,
    /// From the first look-up to CONNACK.
    pub connect_timeout: Duration,
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
            will: None,
            connect_timeout: Duration::from_secs(10),
        }
    }

    /// The CONNECT that says all this; MQTT 3.1's is 3.1.1's until the wire has rewritten it.
    pub(super) fn packet(&self) -> Connect {
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
            will,
            connect_timeout: _,
        } = self.clone();
        let mut properties = Properties::default();
        if version == Version::V5 {
            if session_expiry > 0 {
                properties.push(Property::SessionExpiryInterval(session_expiry));
            }
            properties
                .0
                .extend(receive_maximum.map(Property::ReceiveMaximum));
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
