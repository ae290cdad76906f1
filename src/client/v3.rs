//! rumqttc's MQTT 3.1.1 half in our words: options, requests and events.

use std::time::Duration;

use bytes::Bytes;
use rumqttc::{
    AckMode, AsyncClient, ConnectionError, Event, EventLoop, LastWill, ManualAck, MqttOptions,
    Outgoing, Packet, PubAck, PubRec, PublishOptions, StateError, SubscribeFilterInput,
    SubscribeReasonCode,
};

use super::accepted::Accepted;
use super::driver::{Events, Signal};
use super::failure::Failure;
use super::notes::Notes;
use super::options::ConnectOptions;
use super::wire::Wire;
use super::{BATCH, WINDOW};
use crate::mqtt::packet::{Publish, Subscription};
use crate::mqtt::{ByteString, Properties, QoS, ReasonCode};

/// A client and its event loop, not yet connected.
pub(super) fn client(options: &ConnectOptions, notes: Notes) -> (AsyncClient, EventLoop) {
    let endpoint = &options.endpoint;
    let mut library = MqttOptions::new(
        options.client_id.clone(),
        (endpoint.host.clone(), endpoint.port),
    );
    library
        .set_keep_alive(options.keep_alive)
        .set_max_packet_size(usize::MAX, usize::MAX)
        .set_max_request_batch(BATCH)
        .set_read_batch_size(BATCH)
        .set_pending_throttle(Duration::ZERO)
        .set_inflight(options.max_in_flight.unwrap_or(WINDOW))
        .set_ack_mode(AckMode::Manual)
        .set_socket_connector(move |_, _| Wire::connect(notes.clone()));
    match (&options.username, &options.password) {
        (Some(name), Some(password)) => {
            library.set_credentials(name.clone(), password.clone());
        }
        (Some(name), None) => {
            library.set_username(name.clone());
        }
        (None, _) => {}
    }
    if let Some(will) = &options.will {
        library.set_last_will(LastWill {
            topic: will.topic.to_string(),
            message: will.payload.clone(),
            qos: to_library(will.qos),
            retain: will.retain,
        });
    }
    if !options.clean_start {
        library.set_clean_session(false);
    }
    let (client, mut events) = AsyncClient::builder(library).unbounded().build();
    // Connecting has our own limit, and flushing one that asks for progress.
    events
        .network_options
        .set_connection_timeout(u64::from(u32::MAX));
    (client, events)
}

/// Queues a PUBLISH.
pub(super) fn publish(client: &AsyncClient, publish: &Publish) -> Result<(), String> {
    let options = PublishOptions::new(to_library(publish.qos)).retain(publish.retain);
    client
        .try_publish(&*publish.topic, publish.payload.clone(), options)
        .map_err(|error| error.to_string())
}

/// Queues a SUBSCRIBE; the options MQTT 5 added are not said.
pub(super) fn subscribe(client: &AsyncClient, filters: &[Subscription]) -> Result<(), String> {
    let filters = filters
        .iter()
        .map(|each| SubscribeFilterInput::new(&*each.filter, to_library(each.qos)));
    client
        .try_subscribe_many(filters)
        .map_err(|error| error.to_string())
}

/// Queues an UNSUBSCRIBE.
pub(super) fn unsubscribe(client: &AsyncClient, filters: &[ByteString]) -> Result<(), String> {
    client
        .try_unsubscribe_many(filters.iter().map(|filter| filter.to_string()))
        .map_err(|error| error.to_string())
}

/// Queues PUBACK or PUBREC.
pub(super) fn acknowledge(client: &AsyncClient, qos: QoS, packet_id: u16) -> Result<(), String> {
    let acknowledgement = match qos {
        QoS::AtMostOnce => return Ok(()),
        QoS::AtLeastOnce => ManualAck::PubAck(PubAck::new(packet_id)),
        QoS::ExactlyOnce => ManualAck::PubRec(PubRec::new(packet_id)),
    };
    client
        .try_manual_ack(acknowledgement)
        .map_err(|error| error.to_string())
}

/// Queues DISCONNECT: behind everything else, or at once.
pub(super) fn disconnect(client: &AsyncClient, at_once: bool) -> Result<(), String> {
    match at_once {
        true => client.try_disconnect_now(),
        false => client.try_disconnect(),
    }
    .map_err(|error| error.to_string())
}

impl Events for EventLoop {
    async fn poll(&mut self) -> Result<Option<Signal>, Failure> {
        match EventLoop::poll(self).await {
            Ok(event) => Ok(signal(event)),
            Err(error) => Err(failure(&error)),
        }
    }

    fn ready(&mut self) -> Option<Option<Signal>> {
        self.state.events.pop_front().map(signal)
    }

    fn forgive_silence(&mut self) {
        if self.state.await_pingresp() {
            let _ = self.state.handle_incoming_packet(Packet::PingResp);
        }
    }
}

fn signal(event: Event) -> Option<Signal> {
    Some(match event {
        Event::Incoming(Packet::ConnAck(connack)) => Signal::Connected(Accepted {
            session_present: connack.session_present,
            ..Accepted::default()
        }),
        Event::Incoming(Packet::Publish(publish)) => Signal::Message(Publish {
            dup: publish.dup,
            qos: from_library(publish.qos),
            retain: publish.retain,
            topic: text(publish.topic),
            packet_id: publish.pkid,
            properties: Properties::default(),
            payload: publish.payload,
        }),
        Event::Incoming(Packet::PubAck(puback)) => {
            Signal::Acknowledged(puback.pkid, ReasonCode::SUCCESS)
        }
        Event::Incoming(Packet::PubRec(pubrec)) => {
            Signal::Received(pubrec.pkid, ReasonCode::SUCCESS)
        }
        Event::Incoming(Packet::PubComp(pubcomp)) => {
            Signal::Acknowledged(pubcomp.pkid, ReasonCode::SUCCESS)
        }
        Event::Incoming(Packet::SubAck(suback)) => {
            Signal::SubAck(suback.return_codes.into_iter().map(reason).collect())
        }
        Event::Incoming(Packet::UnsubAck(_)) => Signal::UnsubAck(Vec::new()),
        Event::Outgoing(Outgoing::Publish(packet_id)) => Signal::Sent(packet_id),
        Event::Outgoing(Outgoing::PubAck(_)) => Signal::Settled,
        Event::Outgoing(Outgoing::PubComp(packet_id)) => Signal::Released(packet_id),
        Event::Outgoing(Outgoing::Disconnect) => Signal::Disconnected,
        _ => return None,
    })
}

/// The library has checked that a topic is UTF-8.
fn text(bytes: Bytes) -> ByteString {
    ByteString::try_from(bytes).unwrap_or_default()
}

fn reason(code: SubscribeReasonCode) -> ReasonCode {
    match code {
        SubscribeReasonCode::Success(qos) => ReasonCode(qos as u8),
        SubscribeReasonCode::Failure => ReasonCode::UNSPECIFIED_ERROR,
    }
}

fn to_library(qos: QoS) -> rumqttc::QoS {
    match qos {
        QoS::AtMostOnce => rumqttc::QoS::AtMostOnce,
        QoS::AtLeastOnce => rumqttc::QoS::AtLeastOnce,
        QoS::ExactlyOnce => rumqttc::QoS::ExactlyOnce,
    }
}

fn from_library(qos: rumqttc::QoS) -> QoS {
    match qos {
        rumqttc::QoS::AtMostOnce => QoS::AtMostOnce,
        rumqttc::QoS::AtLeastOnce => QoS::AtLeastOnce,
        rumqttc::QoS::ExactlyOnce => QoS::ExactlyOnce,
    }
}

fn failure(error: &ConnectionError) -> Failure {
    match error {
        ConnectionError::MqttState(StateError::AwaitPingResp) => {
            Failure::Lost("the broker did not answer PINGREQ within --keepalive".to_owned())
        }
        ConnectionError::MqttState(StateError::ConnectionAborted) => {
            Failure::Lost("the broker closed the connection".to_owned())
        }
        error => Failure::Forbidden(error.to_string()),
    }
}
