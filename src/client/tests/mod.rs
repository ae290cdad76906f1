//! The faults of the library beneath, each played by a scripted broker: what it would have done is in the comments.

pub(crate) mod broker;
mod comeback;
mod connecting;
mod ending;
mod handshakes;
mod last_turn;
mod limits;
mod slow_reader;

use std::time::Duration;

use self::broker::{Broker, Peer};
use super::*;
use crate::exit::Exit;
use crate::mqtt::packet::{
    Acknowledgement, ConnAck, Publish, RetainHandling, SubAck, Subscription,
};
use crate::mqtt::{Packet, Properties, Property, QoS, ReasonCode, Version, codec};

fn message(qos: QoS, payload: &str) -> Publish {
    Publish {
        dup: false,
        qos,
        retain: false,
        topic: "a".into(),
        packet_id: 0,
        properties: Properties::default(),
        payload: payload.to_owned().into(),
    }
}

fn to(filter: &str) -> Vec<Subscription> {
    vec![Subscription {
        filter: filter.into(),
        qos: QoS::ExactlyOnce,
        no_local: false,
        retain_as_published: false,
        retain_handling: RetainHandling::Always,
    }]
}

/// For ever, and without the waiting.
const SOON: Retry = Retry {
    attempts: u32::MAX,
    first: Duration::from_millis(1),
    longest: Duration::from_millis(1),
};

const VERSIONS: [Version; 2] = [Version::V311, Version::V5];

/// A session with this broker, and the broker's side of it.
async fn established(broker: &Broker, options: &ConnectOptions, retry: Retry) -> (Session, Peer) {
    let (session, peer) = tokio::join!(
        connect(options, retry),
        broker.welcome(false, Properties::default())
    );
    (session.unwrap(), peer)
}
