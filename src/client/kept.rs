//! A session that the broker has kept for an earlier run of the program, of which nothing is known here.
//!
//! rumqttc's MQTT 5 half takes such a session only in a mode in which it silently drops every SUBSCRIBE and every PUBLISH
//! of QoS 1 and 2, because it cannot know which packet identifiers the broker still has in use for this client. It is told
//! instead that none are: that the earlier run had nothing under way.

use std::pin::Pin;

use rumqttc5::{
    PersistedAckMode, PersistedSession, SessionStore, SessionStoreError, SessionStoreKey,
};

use super::WINDOW;
use super::options::ConnectOptions;

type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, SessionStoreError>> + Send + 'a>>;

/// Remembers that there is nothing to remember.
#[derive(Debug)]
pub(super) struct NothingUnderWay(PersistedSession);

impl NothingUnderWay {
    pub(super) fn new(options: &ConnectOptions) -> NothingUnderWay {
        NothingUnderWay(PersistedSession {
            format_version: 1,
            client_id: options.client_id.clone(),
            clean_start: options.clean_start,
            session_expiry_interval: (options.session_expiry > 0).then_some(options.session_expiry),
            outgoing_inflight_upper_limit: Some(WINDOW),
            ack_mode: PersistedAckMode::Manual,
            last_pkid: 0,
            last_puback: 0,
            replay: Vec::new(),
            incoming_qos2: Vec::new(),
        })
    }
}

impl SessionStore for NothingUnderWay {
    fn load<'a>(&'a self, _: &'a SessionStoreKey) -> Answer<'a, Option<PersistedSession>> {
        Box::pin(std::future::ready(Ok(Some(self.0.clone()))))
    }

    fn save<'a>(&'a self, _: &'a SessionStoreKey, _: &'a PersistedSession) -> Answer<'a, ()> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn clear<'a>(&'a self, _: &'a SessionStoreKey) -> Answer<'a, ()> {
        Box::pin(std::future::ready(Ok(())))
    }
}
