//! rumqttc's MQTT 5 half in our words: options, requests and events.

use std::time::Duration;

use bytes::Bytes;
use rumqttc5::mqttbytes::v5::{
    ConnectProperties, DisconnectProperties, DisconnectReasonCode, LastWill, LastWillProperties,
    Packet, PubAck, PubRec, PublishProperties, RetainForwardRule, SubscribeProperties,
    SubscribeReasonCode, UnsubscribeProperties,
};
use rumqttc5::{
    AckMode, AsyncClient, ConnectionError, Event, EventLoop, ManualAck, MqttOptions, Outgoing,
    PublishOptions, StateError, SubscribeFilterInput,
};

use super::accepted::Accepted;
use super::driver::{Events, Signal};
use super::failure::Failure;
use super::kept::NothingUnderWay;
use super::notes::Notes;
use super::options::ConnectOptions;
use super::wire::Wire;
use super::{BATCH, WINDOW};
use crate::mqtt::packet::{Publish, RetainHandling, Subscription};
use crate::mqtt::{ByteString, Properties, Property, QoS, ReasonCode};

/// A client and its event loop, not yet connected.
pub(super) fn client(options: &ConnectOptions, notes: Notes) -> (AsyncClient, EventLoop) {
    let endpoint = &options.endpoint;
    let mut library = MqttOptions::new(
        options.client_id.clone(),
        (endpoint.host.clone(), endpoint.port),
    );
    library
        .set_keep_alive(options.keep_alive)
        .set_max_request_batch(BATCH)
        .set_read_batch_size(BATCH)
        .set_pending_throttle(Duration::ZERO)
        // Unset, it reserves 16 MB for 65,535 messages.
        .set_outgoing_inflight_upper_limit(options.max_in_flight.unwrap_or(WINDOW))
        .set_clean_start(options.clean_start)
        // A session that outlived the program that made it is what --disable-clean-session asks for.
        .set_session_store(NothingUnderWay::new(options))
        // Connecting has our own limit.
        .set_connect_timeout(Duration::from_secs(u64::from(u32::MAX)))
        .set_ack_mode(AckMode::Manual)
        .set_socket_connector(move |_, _| Wire::connect(notes.clone()));
    library.set_connect_properties(connect_properties(options));
    // Last: the setters of properties put the limit of 10 KiB back.
    match options.properties.maximum_packet_size() {
        None => library.set_unlimited_incoming_packet_size(),
        Some(maximum) => library.set_max_packet_size(Some(maximum)),
    };
    match (&options.username, &options.password) {
        (Some(name), Some(password)) => {
            library.set_credentials(name.clone(), password.clone());
        }
        (Some(name), None) => {
            library.set_username(name.clone());
        }
        (None, Some(password)) => {
            library.set_password(password.clone());
        }
        (None, None) => {}
    }
    if let Some(will) = &options.will {
        library.set_last_will(LastWill {
            topic: will.topic.as_bytes().clone(),
            message: will.payload.clone(),
            qos: to_library(will.qos),
            retain: will.retain,
            properties: will_properties(&will.properties),
        });
    }
    AsyncClient::builder(library).unbounded().build()
}

/// Queues a PUBLISH.
pub(super) fn publish(client: &AsyncClient, publish: &Publish) -> Result<(), String> {
    let mut options = PublishOptions::new(to_library(publish.qos)).retain(publish.retain);
    if !publish.properties.is_empty() {
        options = options.properties(publish_properties(&publish.properties));
    }
    client
        .try_publish(&*publish.topic, publish.payload.clone(), options)
        .map_err(|error| error.to_string())
}

/// Queues a SUBSCRIBE with its subscription identifier and user properties (3.8.2.1).
pub(super) fn subscribe(
    client: &AsyncClient,
    filters: &[Subscription],
    properties: &Properties,
) -> Result<(), String> {
    let filters = filters.iter().map(|each| {
        SubscribeFilterInput::new(&*each.filter, to_library(each.qos))
            .no_local(each.no_local)
            .preserve_retain(each.retain_as_published)
            .retain_forward_rule(match each.retain_handling {
                RetainHandling::Always => RetainForwardRule::OnEverySubscribe,
                RetainHandling::IfNew => RetainForwardRule::OnNewSubscribe,
                RetainHandling::Never => RetainForwardRule::Never,
            })
    });
    if properties.is_empty() {
        return client
            .try_subscribe_many(filters)
            .map_err(|error| error.to_string());
    }
    let properties = SubscribeProperties {
        id: properties
            .subscription_identifier()
            .and_then(|number| usize::try_from(number).ok()),
        user_properties: user_properties(properties),
    };
    client
        .try_subscribe_many_with_properties(filters, properties)
        .map_err(|error| error.to_string())
}

/// Queues an UNSUBSCRIBE with its user properties (3.10.2.1).
pub(super) fn unsubscribe(
    client: &AsyncClient,
    filters: &[ByteString],
    properties: &Properties,
) -> Result<(), String> {
    let filters = filters.iter().map(|filter| filter.to_string());
    match properties.is_empty() {
        true => client.try_unsubscribe_many(filters),
        false => {
            let user_properties = user_properties(properties);
            let properties = UnsubscribeProperties { user_properties };
            client.try_unsubscribe_many_with_properties(filters, properties)
        }
    }
    .map_err(|error| error.to_string())
}

fn user_properties(properties: &Properties) -> Vec<(String, String)> {
    properties
        .user_properties()
        .map(|(name, value)| (name.to_string(), value.to_string()))
        .collect()
}

/// Queues PUBACK or PUBREC.
pub(super) fn acknowledge(client: &AsyncClient, qos: QoS, packet_id: u16) -> Result<(), String> {
    let acknowledgement = match qos {
        QoS::AtMostOnce => return Ok(()),
        QoS::AtLeastOnce => ManualAck::PubAck(PubAck::new(packet_id, None)),
        QoS::ExactlyOnce => ManualAck::PubRec(PubRec::new(packet_id, None)),
    };
    client
        .try_manual_ack(acknowledgement)
        .map_err(|error| error.to_string())
}

/// Queues DISCONNECT: behind everything else, or at once.
pub(super) fn disconnect(
    client: &AsyncClient,
    at_once: bool,
    given: &Properties,
) -> Result<(), String> {
    let reason = DisconnectReasonCode::NormalDisconnection;
    let properties = DisconnectProperties {
        session_expiry_interval: given.session_expiry_interval(),
        reason_string: given.reason_string().map(String::from),
        user_properties: user_properties(given),
        server_reference: None,
    };
    match (at_once, given.is_empty()) {
        (true, true) => client.try_disconnect_now(),
        (false, true) => client.try_disconnect(),
        (true, false) => client.try_disconnect_now_with_properties(reason, properties),
        (false, false) => client.try_disconnect_with_properties(reason, properties),
    }
    .map_err(|error| error.to_string())
}

impl Events for EventLoop {
    async fn poll(&mut self) -> Result<Option<Signal>, Failure> {
        match EventLoop::poll(self).await {
            Ok(event) => {
                if let Event::Incoming(Packet::ConnAck(_)) = event {
                    // It has served its purpose, and would be shown all that is under way after every batch.
                    self.options.clear_session_store();
                }
                Ok(signal(event))
            }
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
        Event::Incoming(Packet::ConnAck(connack)) => {
            let properties = connack.properties.as_ref();
            Signal::Connected(Accepted {
                session_present: connack.session_present,
                maximum_packet_size: properties.and_then(|each| each.max_packet_size),
                maximum_qos: properties.and_then(|each| each.max_qos),
                topic_alias_maximum: properties
                    .and_then(|each| each.topic_alias_max)
                    .unwrap_or(0),
                retain_available: properties.and_then(|each| each.retain_available) != Some(0),
                response_information: properties.and_then(|each| each.response_information.clone()),
            })
        }
        Event::Incoming(Packet::Publish(publish)) => Signal::Message(Publish {
            dup: publish.dup,
            qos: from_library(publish.qos),
            retain: publish.retain,
            topic: text(publish.topic),
            packet_id: publish.pkid,
            properties: publish.properties.map(properties).unwrap_or_default(),
            payload: publish.payload,
        }),
        Event::Incoming(Packet::PubAck(puback)) => {
            Signal::Acknowledged(puback.pkid, ReasonCode(puback.reason as u8))
        }
        // A PUBREC that refuses is the end of the delivery; one that accepts is followed by PUBCOMP (4.3.3).
        Event::Incoming(Packet::PubRec(pubrec)) => {
            let reason = ReasonCode(pubrec.reason as u8);
            match reason.is_failure() {
                true => Signal::Acknowledged(pubrec.pkid, reason),
                false => Signal::Received(pubrec.pkid, reason),
            }
        }
        Event::Incoming(Packet::PubComp(pubcomp)) => {
            Signal::Acknowledged(pubcomp.pkid, ReasonCode::SUCCESS)
        }
        Event::Incoming(Packet::SubAck(suback)) => {
            Signal::SubAck(suback.return_codes.into_iter().map(reason).collect())
        }
        Event::Incoming(Packet::UnsubAck(unsuback)) => Signal::UnsubAck(
            (unsuback.reasons.into_iter())
                .map(|reason| ReasonCode(reason as u8))
                .collect(),
        ),
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

/// The properties of a will as the library takes them (3.1.3.2).
fn will_properties(given: &Properties) -> Option<LastWillProperties> {
    (!given.is_empty()).then(|| LastWillProperties {
        delay_interval: given.will_delay_interval(),
        payload_format_indicator: given.payload_format_indicator(),
        message_expiry_interval: given.message_expiry_interval(),
        content_type: given.content_type().map(String::from),
        response_topic: given.response_topic().map(String::from),
        correlation_data: given.correlation_data(),
        user_properties: user_properties(given),
    })
}

/// The properties of CONNECT as the library takes them (3.1.2.11).
fn connect_properties(options: &ConnectOptions) -> ConnectProperties {
    let given = &options.properties;
    ConnectProperties {
        session_expiry_interval: (options.session_expiry > 0).then_some(options.session_expiry),
        receive_maximum: options.receive_maximum,
        max_packet_size: given.maximum_packet_size(),
        topic_alias_max: given.topic_alias_maximum(),
        request_response_info: given.request_response_information(),
        request_problem_info: given.request_problem_information(),
        user_properties: user_properties(given),
        authentication_method: given.authentication_method().map(String::from),
        authentication_data: given.authentication_data(),
    }
}

/// The properties of a PUBLISH as the library takes them. It knows those of 3.3.2.3 that a client may send.
fn publish_properties(given: &Properties) -> PublishProperties {
    PublishProperties {
        payload_format_indicator: given.payload_format_indicator(),
        message_expiry_interval: given.message_expiry_interval(),
        topic_alias: given.topic_alias(),
        response_topic: given.response_topic().map(String::from),
        correlation_data: given.correlation_data(),
        user_properties: user_properties(given),
        subscription_identifiers: Vec::new(),
        content_type: given.content_type().map(String::from),
    }
}

/// The properties of a PUBLISH, in the order of their identifiers (3.3.2.3).
fn properties(given: PublishProperties) -> Properties {
    let mut properties = Properties::default();
    let mut add = |property: Option<Property>| {
        if let Some(property) = property {
            properties.push(property);
        }
    };
    add(given
        .payload_format_indicator
        .map(Property::PayloadFormatIndicator));
    add(given
        .message_expiry_interval
        .map(Property::MessageExpiryInterval));
    add(given
        .content_type
        .map(|text| Property::ContentType(text.into())));
    add(given
        .response_topic
        .map(|text| Property::ResponseTopic(text.into())));
    add(given.correlation_data.map(Property::CorrelationData));
    for identifier in given.subscription_identifiers {
        add(u32::try_from(identifier)
            .ok()
            .map(Property::SubscriptionIdentifier));
    }
    add(given.topic_alias.map(Property::TopicAlias));
    for (name, value) in given.user_properties {
        add(Some(Property::UserProperty(name.into(), value.into())));
    }
    properties
}

fn reason(code: SubscribeReasonCode) -> ReasonCode {
    match code {
        SubscribeReasonCode::Success(qos) => ReasonCode(qos as u8),
        SubscribeReasonCode::Failure | SubscribeReasonCode::Unspecified => {
            ReasonCode::UNSPECIFIED_ERROR
        }
        SubscribeReasonCode::ImplementationSpecific => ReasonCode::IMPLEMENTATION_SPECIFIC_ERROR,
        SubscribeReasonCode::NotAuthorized => ReasonCode::NOT_AUTHORIZED,
        SubscribeReasonCode::TopicFilterInvalid => ReasonCode::TOPIC_FILTER_INVALID,
        SubscribeReasonCode::PkidInUse => ReasonCode::PACKET_IDENTIFIER_IN_USE,
        SubscribeReasonCode::QuotaExceeded => ReasonCode::QUOTA_EXCEEDED,
        SubscribeReasonCode::SharedSubscriptionsNotSupported => {
            ReasonCode::SHARED_SUBSCRIPTIONS_NOT_SUPPORTED
        }
        SubscribeReasonCode::SubscriptionIdNotSupported => {
            ReasonCode::SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED
        }
        SubscribeReasonCode::WildcardSubscriptionsNotSupported => {
            ReasonCode::WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED
        }
    }
}

fn to_library(qos: QoS) -> rumqttc5::QoS {
    match qos {
        QoS::AtMostOnce => rumqttc5::QoS::AtMostOnce,
        QoS::AtLeastOnce => rumqttc5::QoS::AtLeastOnce,
        QoS::ExactlyOnce => rumqttc5::QoS::ExactlyOnce,
    }
}

fn from_library(qos: rumqttc5::QoS) -> QoS {
    match qos {
        rumqttc5::QoS::AtMostOnce => QoS::AtMostOnce,
        rumqttc5::QoS::AtLeastOnce => QoS::AtLeastOnce,
        rumqttc5::QoS::ExactlyOnce => QoS::ExactlyOnce,
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
