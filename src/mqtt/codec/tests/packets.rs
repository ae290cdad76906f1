//! Strategies for every packet a version can express.

use bytes::Bytes;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::mqtt::packet::*;
use crate::mqtt::{ByteString, Packet, Properties, Property, QoS, ReasonCode, Version};

/// Any packet that `version` can express, with the properties and reason codes it has there.
pub(super) fn packet(version: Version) -> BoxedStrategy<Packet> {
    let any_version = prop_oneof![
        connect(version).prop_map(|connect| Packet::Connect(Box::new(connect))),
        connack(version).prop_map(Packet::ConnAck),
        publish(version).prop_map(Packet::Publish),
        acknowledgement(version, &[0, 0x10, 0x87, 0x97]).prop_map(Packet::PubAck),
        acknowledgement(version, &[0, 0x10, 0x91, 0x99]).prop_map(Packet::PubRec),
        acknowledgement(version, &[0, 0x92]).prop_map(Packet::PubRel),
        acknowledgement(version, &[0, 0x92]).prop_map(Packet::PubComp),
        subscribe(version).prop_map(Packet::Subscribe),
        suback(version, &[0, 1, 2, 0x80], &[0x8F, 0xA2], 1).prop_map(Packet::SubAck),
        unsubscribe(version).prop_map(Packet::Unsubscribe),
        unsuback(version).prop_map(Packet::UnsubAck),
        Just(Packet::PingReq),
        Just(Packet::PingResp),
        disconnect(version).prop_map(Packet::Disconnect),
    ];
    match version {
        Version::V5 => prop_oneof![14 => any_version, 1 => auth().prop_map(Packet::Auth)].boxed(),
        _ => any_version.boxed(),
    }
}

/// Short texts of all kinds, and some that need a second byte for their length.
fn text() -> impl Strategy<Value = ByteString> {
    prop_oneof![
        8 => "[^\u{0}]{0,6}",
        2 => "[a-z温🏠]{1,4}",
        1 => "x{120,300}",
    ]
    .prop_map(ByteString::from)
}

fn topic() -> impl Strategy<Value = ByteString> {
    prop_oneof![8 => "[^+#\u{0}]{1,8}", 1 => "[a-z/]{120,300}"].prop_map(ByteString::from)
}

fn binary() -> impl Strategy<Value = Bytes> {
    prop_oneof![8 => vec(any::<u8>(), 0..12), 1 => vec(any::<u8>(), 100..400)].prop_map(Bytes::from)
}

fn quality() -> impl Strategy<Value = QoS> {
    (0..3u8).prop_map(|number| QoS::from_number(number).unwrap())
}

fn reason(codes: &'static [u8]) -> impl Strategy<Value = ReasonCode> {
    proptest::sample::select(codes).prop_map(ReasonCode)
}

/// Success, or before MQTT 5 nothing else.
fn reason_of(version: Version, codes: &'static [u8]) -> BoxedStrategy<ReasonCode> {
    match version {
        Version::V5 => reason(codes).boxed(),
        _ => Just(ReasonCode::SUCCESS).boxed(),
    }
}

fn user_property() -> BoxedStrategy<Property> {
    (text(), text())
        .prop_map(|(name, value)| Property::UserProperty(name, value))
        .boxed()
}

/// Each of these at most once, in any order, with user properties among them; none before MQTT 5.
fn properties(
    version: Version,
    choices: Vec<BoxedStrategy<Property>>,
) -> BoxedStrategy<Properties> {
    if version != Version::V5 {
        return Just(Properties::default()).boxed();
    }
    let choices: Vec<_> = choices
        .into_iter()
        .chain([user_property(), user_property()])
        .map(|choice| option::weighted(0.3, choice))
        .collect();
    choices
        .prop_shuffle()
        .prop_map(|chosen| with_method(chosen.into_iter().flatten().collect()))
        .boxed()
}

/// Authentication data never comes without a method.
fn with_method(mut properties: Vec<Property>) -> Properties {
    let is_method = |property: &Property| matches!(property, Property::AuthenticationMethod(_));
    if !properties.iter().any(is_method) {
        properties.retain(|property| !matches!(property, Property::AuthenticationData(_)));
    }
    Properties(properties)
}

fn flag(make: fn(u8) -> Property) -> BoxedStrategy<Property> {
    (0..2u8).prop_map(make).boxed()
}

fn number(make: fn(u32) -> Property) -> BoxedStrategy<Property> {
    any::<u32>().prop_map(make).boxed()
}

fn small(make: fn(u16) -> Property) -> BoxedStrategy<Property> {
    (1..=u16::MAX).prop_map(make).boxed()
}

fn words(make: fn(ByteString) -> Property) -> BoxedStrategy<Property> {
    text().prop_map(make).boxed()
}

fn bytes(make: fn(Bytes) -> Property) -> BoxedStrategy<Property> {
    binary().prop_map(make).boxed()
}

fn subscription_identifier() -> BoxedStrategy<Property> {
    prop_oneof![1..200u32, 1..=268_435_455u32]
        .prop_map(Property::SubscriptionIdentifier)
        .boxed()
}

/// The properties of an application message.
fn message_properties() -> Vec<BoxedStrategy<Property>> {
    vec![
        flag(Property::PayloadFormatIndicator),
        number(Property::MessageExpiryInterval),
        words(Property::ContentType),
        topic().prop_map(Property::ResponseTopic).boxed(),
        bytes(Property::CorrelationData),
    ]
}

/// The properties that CONNECT and CONNACK have in common.
fn opening_properties() -> Vec<BoxedStrategy<Property>> {
    vec![
        number(Property::SessionExpiryInterval),
        words(Property::AuthenticationMethod),
        bytes(Property::AuthenticationData),
        small(Property::ReceiveMaximum),
        small(Property::TopicAliasMaximum),
        (1..=u32::MAX).prop_map(Property::MaximumPacketSize).boxed(),
    ]
}

fn connect(version: Version) -> impl Strategy<Value = Connect> {
    let mut choices = opening_properties();
    choices.extend([
        flag(Property::RequestProblemInformation),
        flag(Property::RequestResponseInformation),
    ]);
    let identity = (any::<bool>(), any::<u16>(), text());
    let credentials = (option::of(text()), option::of(binary()));
    (
        identity,
        option::of(will(version)),
        credentials,
        properties(version, choices),
    )
        .prop_map(
            move |(
                (clean_start, keep_alive, client_id),
                will,
                (username, password),
                properties,
            )| Connect {
                version,
                clean_start,
                keep_alive,
                // A server accepts no session without a name before MQTT 5.
                client_id: if client_id.is_empty() && version != Version::V5 {
                    "c".into()
                } else {
                    client_id
                },
                will,
                password: password.filter(|_| version == Version::V5 || username.is_some()),
                username,
                properties,
            },
        )
}

fn will(version: Version) -> impl Strategy<Value = Will> {
    let mut choices = message_properties();
    choices.push(number(Property::WillDelayInterval));
    (
        topic(),
        binary(),
        quality(),
        any::<bool>(),
        properties(version, choices),
    )
        .prop_map(|(topic, payload, qos, retain, properties)| Will {
            topic,
            payload,
            qos,
            retain,
            properties,
        })
}

fn connack(version: Version) -> impl Strategy<Value = ConnAck> {
    let codes: &[u8] = match version {
        Version::V5 => &[0, 0, 0, 0x80, 0x84, 0x8A, 0x9F],
        _ => &[0, 0, 0, 0x84, 0x85, 0x88, 0x86, 0x87],
    };
    let mut choices = opening_properties();
    choices.extend([
        words(Property::AssignedClientIdentifier),
        any::<u16>().prop_map(Property::ServerKeepAlive).boxed(),
        words(Property::ResponseInformation),
        words(Property::ServerReference),
        words(Property::ReasonString),
        flag(Property::MaximumQoS),
        flag(Property::RetainAvailable),
        flag(Property::WildcardSubscriptionAvailable),
        flag(Property::SubscriptionIdentifierAvailable),
        flag(Property::SharedSubscriptionAvailable),
    ]);
    (any::<bool>(), reason(codes), properties(version, choices)).prop_map(
        |(present, reason, properties)| ConnAck {
            session_present: present && reason == ReasonCode::SUCCESS,
            reason,
            properties,
        },
    )
}

fn publish(version: Version) -> impl Strategy<Value = Publish> {
    let mut choices = message_properties();
    choices.push(small(Property::TopicAlias));
    choices.extend((0..4).map(|_| subscription_identifier()));
    let flags = (any::<bool>(), quality(), any::<bool>(), 1..=u16::MAX);
    (
        flags,
        topic(),
        any::<bool>(),
        properties(version, choices),
        binary(),
    )
        .prop_map(
            |((dup, qos, retain, packet_id), topic, by_alias, properties, payload)| Publish {
                dup: dup && qos != QoS::AtMostOnce,
                qos,
                retain,
                topic: if by_alias && properties.topic_alias().is_some() {
                    "".into()
                } else {
                    topic
                },
                packet_id: if qos == QoS::AtMostOnce { 0 } else { packet_id },
                properties,
                payload,
            },
        )
}

fn acknowledgement(
    version: Version,
    codes: &'static [u8],
) -> impl Strategy<Value = Acknowledgement> {
    let choices = vec![words(Property::ReasonString)];
    (
        1..=u16::MAX,
        reason_of(version, codes),
        properties(version, choices),
    )
        .prop_map(|(packet_id, reason, properties)| Acknowledgement {
            packet_id,
            reason,
            properties,
        })
}

fn subscription(version: Version) -> impl Strategy<Value = Subscription> {
    let handling = proptest::sample::select(vec![
        RetainHandling::Always,
        RetainHandling::IfNew,
        RetainHandling::Never,
    ]);
    (text(), quality(), any::<bool>(), any::<bool>(), handling).prop_map(
        move |(filter, qos, no_local, retain_as_published, retain_handling)| {
            let plain = Subscription {
                filter,
                qos,
                no_local: false,
                retain_as_published: false,
                retain_handling: RetainHandling::Always,
            };
            match version {
                Version::V5 => Subscription {
                    no_local,
                    retain_as_published,
                    retain_handling,
                    ..plain
                },
                _ => plain,
            }
        },
    )
}

fn subscribe(version: Version) -> impl Strategy<Value = Subscribe> {
    let choices = vec![subscription_identifier()];
    (
        1..=u16::MAX,
        vec(subscription(version), 1..5),
        properties(version, choices),
    )
        .prop_map(|(packet_id, filters, properties)| Subscribe {
            packet_id,
            filters,
            properties,
        })
}

fn suback(
    version: Version,
    codes: &'static [u8],
    codes_of_mqtt_5: &'static [u8],
    least: usize,
) -> impl Strategy<Value = SubAck> {
    let codes = match version {
        Version::V5 => [codes, codes_of_mqtt_5].concat(),
        _ => codes.to_vec(),
    };
    let reasons = vec(
        proptest::sample::select(codes).prop_map(ReasonCode),
        least..5,
    );
    let choices = vec![words(Property::ReasonString)];
    (1..=u16::MAX, reasons, properties(version, choices)).prop_map(
        |(packet_id, reasons, properties)| SubAck {
            packet_id,
            reasons,
            properties,
        },
    )
}

fn unsuback(version: Version) -> impl Strategy<Value = SubAck> {
    suback(version, &[0], &[0x11, 0x80, 0x8F], 1).prop_map(move |mut unsuback| {
        if version != Version::V5 {
            unsuback.reasons.clear();
        }
        unsuback
    })
}

fn unsubscribe(version: Version) -> impl Strategy<Value = Unsubscribe> {
    (1..=u16::MAX, vec(text(), 1..5), properties(version, vec![])).prop_map(
        |(packet_id, filters, properties)| Unsubscribe {
            packet_id,
            filters,
            properties,
        },
    )
}

fn disconnect(version: Version) -> impl Strategy<Value = Disconnect> {
    let choices = vec![
        number(Property::SessionExpiryInterval),
        words(Property::ServerReference),
        words(Property::ReasonString),
    ];
    let reasons = reason_of(version, &[0, 4, 0x81, 0x8B, 0x8E, 0x9D]);
    (reasons, properties(version, choices))
        .prop_map(|(reason, properties)| Disconnect { reason, properties })
}

fn auth() -> impl Strategy<Value = Auth> {
    let choices = vec![
        bytes(Property::AuthenticationData),
        words(Property::ReasonString),
    ];
    // Drawn apart, because whatever is not a bare success must have it.
    let method = text().prop_map(Property::AuthenticationMethod);
    let full = (
        reason(&[0, 0x18, 0x19]),
        method,
        properties(Version::V5, choices),
    )
        .prop_map(|(reason, method, mut properties)| {
            properties.push(method);
            Auth { reason, properties }
        });
    let bare = Just(Auth {
        reason: ReasonCode::SUCCESS,
        properties: Properties::default(),
    });
    prop_oneof![9 => full, 1 => bare]
}
