//! Packets beside their bytes, written down by hand from the specifications.

use bytes::{Bytes, BytesMut};

use super::super::*;
use crate::mqtt::packet::*;
use crate::mqtt::{Properties, Property, QoS};

/// Both ways: these bytes are this packet.
fn same(version: Version, bytes: &[u8], packet: Packet) {
    assert_eq!(
        decode(Bytes::copy_from_slice(bytes), version).as_ref(),
        Ok(&packet),
        "{bytes:02x?}"
    );
    let mut out = vec![7];
    write(&packet, version, &mut out).unwrap();
    assert_eq!(&out[1..], bytes, "{packet:?}");
}

/// One way: these bytes, a longer or older form, are this packet too.
fn also(version: Version, bytes: &[u8], packet: Packet) {
    assert_eq!(
        decode(Bytes::copy_from_slice(bytes), version).as_ref(),
        Ok(&packet),
        "{bytes:02x?}"
    );
}

fn connect(version: Version) -> Connect {
    Connect {
        version,
        clean_start: true,
        keep_alive: 60,
        client_id: "c".into(),
        will: None,
        username: None,
        password: None,
        properties: Properties::default(),
    }
}

fn publish(topic: &'static str, payload: &'static str) -> Publish {
    Publish {
        dup: false,
        qos: QoS::AtMostOnce,
        retain: false,
        topic: topic.into(),
        packet_id: 0,
        properties: Properties::default(),
        payload: payload.into(),
    }
}

#[test]
fn connect_in_three_versions() {
    for version in [Version::V31, Version::V311, Version::V5] {
        // The version that is passed in does not matter: CONNECT names its own.
        same(
            version,
            b"\x10\x0f\0\x06MQIsdp\x03\x02\0\x3c\0\x01c",
            Packet::Connect(connect(Version::V31).into()),
        );
        same(
            version,
            b"\x10\x0d\0\x04MQTT\x04\x02\0\x3c\0\x01c",
            Packet::Connect(connect(Version::V311).into()),
        );
        same(
            version,
            b"\x10\x0e\0\x04MQTT\x05\x02\0\x3c\0\0\x01c",
            Packet::Connect(connect(Version::V5).into()),
        );
    }
}

#[test]
fn connect_with_will_user_name_and_password() {
    let will = Will {
        topic: "w".into(),
        payload: Bytes::from_static(&[0xFF, 0]),
        qos: QoS::ExactlyOnce,
        retain: true,
        properties: Properties::default(),
    };
    let full = Connect {
        will: Some(will.clone()),
        username: Some("u".into()),
        password: Some(Bytes::from_static(&[0, 0xFE])),
        clean_start: false,
        ..connect(Version::V311)
    };
    same(
        Version::V311,
        b"\x10\x1b\0\x04MQTT\x04\xf4\0\x3c\0\x01c\0\x01w\0\x02\xff\0\0\x01u\0\x02\0\xfe",
        Packet::Connect(full.clone().into()),
    );
    let full = Connect {
        version: Version::V5,
        properties: Properties(vec![
            Property::SessionExpiryInterval(10),
            Property::ReceiveMaximum(20),
        ]),
        will: Some(Will {
            properties: Properties(vec![Property::WillDelayInterval(5)]),
            ..will
        }),
        ..full
    };
    same(
        Version::V5,
        b"\x10\x2a\0\x04MQTT\x05\xf4\0\x3c\x08\x11\0\0\0\x0a\x21\0\x14\0\x01c\x05\x18\0\0\0\x05\0\x01w\0\x02\xff\0\0\x01u\0\x02\0\xfe",
        Packet::Connect(full.into()),
    );
}

#[test]
fn a_password_without_a_user_name_is_for_mqtt_5() {
    let token = Connect {
        password: Some("p".into()),
        ..connect(Version::V5)
    };
    same(
        Version::V5,
        b"\x10\x11\0\x04MQTT\x05\x42\0\x3c\0\0\x01c\0\x01p",
        Packet::Connect(token.into()),
    );
}

#[test]
fn user_name_and_password_may_be_announced_and_missing_in_3_1() {
    let bytes = b"\x10\x0f\0\x06MQIsdp\x03\xc2\0\x3c\0\x01c";
    also(
        Version::V31,
        bytes,
        Packet::Connect(connect(Version::V31).into()),
    );
}

#[test]
fn connack_reason_codes_are_return_codes_before_mqtt_5() {
    let codes = [
        (0, ReasonCode::SUCCESS),
        (1, ReasonCode::UNSUPPORTED_PROTOCOL_VERSION),
        (2, ReasonCode::CLIENT_IDENTIFIER_NOT_VALID),
        (3, ReasonCode::SERVER_UNAVAILABLE),
        (4, ReasonCode::BAD_USER_NAME_OR_PASSWORD),
        (5, ReasonCode::NOT_AUTHORIZED),
    ];
    for (code, reason) in codes {
        let connack = ConnAck {
            session_present: false,
            reason,
            properties: Properties::default(),
        };
        same(
            Version::V311,
            &[0x20, 2, 0, code],
            Packet::ConnAck(connack.clone()),
        );
        same(
            Version::V5,
            &[0x20, 3, 0, reason.0, 0],
            Packet::ConnAck(connack.clone()),
        );
        if code > 0 {
            // An older server to a client that spoke MQTT 5.
            also(Version::V5, &[0x20, 2, 0, code], Packet::ConnAck(connack));
        }
    }
    let resumed = ConnAck {
        session_present: true,
        reason: ReasonCode::SUCCESS,
        properties: Properties(vec![
            Property::AssignedClientIdentifier("a".into()),
            Property::ServerKeepAlive(0),
        ]),
    };
    same(
        Version::V5,
        b"\x20\x0a\x01\0\x07\x12\0\x01a\x13\0\0",
        Packet::ConnAck(resumed),
    );
}

#[test]
fn a_reason_without_a_return_code_becomes_the_nearest() {
    for (reason, code) in [
        (ReasonCode::BANNED, 5),
        (ReasonCode::BAD_AUTHENTICATION_METHOD, 4),
        (ReasonCode::QUOTA_EXCEEDED, 3),
    ] {
        let connack = ConnAck {
            session_present: false,
            reason,
            properties: Properties::default(),
        };
        let mut out = Vec::new();
        write(&Packet::ConnAck(connack), Version::V311, &mut out).unwrap();
        assert_eq!(out, [0x20, 2, 0, code]);
    }
}

#[test]
fn publish_of_each_quality_of_service() {
    same(
        Version::V311,
        b"\x30\x06\0\x03a/bc",
        Packet::Publish(publish("a/b", "c")),
    );
    same(
        Version::V5,
        b"\x30\x07\0\x03a/b\0c",
        Packet::Publish(publish("a/b", "c")),
    );
    let again = Publish {
        dup: true,
        qos: QoS::AtLeastOnce,
        retain: true,
        packet_id: 0x102,
        ..publish("温", "")
    };
    same(
        Version::V311,
        "\x3b\x07\0\x03温\x01\x02".as_bytes(),
        Packet::Publish(again.clone()),
    );
    same(
        Version::V5,
        "\x3b\x08\0\x03温\x01\x02\0".as_bytes(),
        Packet::Publish(again),
    );
    let aliased = Publish {
        qos: QoS::ExactlyOnce,
        packet_id: 1,
        properties: Properties(vec![Property::TopicAlias(3)]),
        ..publish("", "x")
    };
    same(
        Version::V5,
        b"\x34\x09\0\0\0\x01\x03\x23\0\x03x",
        Packet::Publish(aliased),
    );
}

#[test]
fn a_publish_may_carry_any_number_of_subscription_identifiers() {
    let identifiers = [1, 127, 128, 16_383, 268_435_455].map(Property::SubscriptionIdentifier);
    let delivered = Publish {
        properties: Properties(identifiers.into()),
        ..publish("a", "payload")
    };
    same(
        Version::V5,
        b"\x30\x1a\0\x01a\x0f\x0b\x01\x0b\x7f\x0b\x80\x01\x0b\xff\x7f\x0b\xff\xff\xff\x7fpayload",
        Packet::Publish(delivered),
    );
}

#[test]
fn acknowledgements_in_short_and_long_form() {
    type Make = fn(Acknowledgement) -> Packet;
    let packets: [(u8, Make, ReasonCode); 4] = [
        (0x40, Packet::PubAck, ReasonCode::NO_MATCHING_SUBSCRIBERS),
        (0x50, Packet::PubRec, ReasonCode::QUOTA_EXCEEDED),
        (
            0x62,
            Packet::PubRel,
            ReasonCode::PACKET_IDENTIFIER_NOT_FOUND,
        ),
        (
            0x70,
            Packet::PubComp,
            ReasonCode::PACKET_IDENTIFIER_NOT_FOUND,
        ),
    ];
    for (header, make, reason) in packets {
        let plain = || make(Acknowledgement::success(0x1234));
        same(Version::V311, &[header, 2, 0x12, 0x34], plain());
        same(Version::V5, &[header, 2, 0x12, 0x34], plain());
        also(Version::V5, &[header, 3, 0x12, 0x34, 0], plain());
        also(Version::V5, &[header, 4, 0x12, 0x34, 0, 0], plain());
        let failed = Acknowledgement {
            reason,
            ..Acknowledgement::success(0x1234)
        };
        same(
            Version::V5,
            &[header, 3, 0x12, 0x34, reason.0],
            make(failed.clone()),
        );
        also(
            Version::V5,
            &[header, 4, 0x12, 0x34, reason.0, 0],
            make(failed.clone()),
        );
        let explained = Acknowledgement {
            properties: Properties(vec![Property::ReasonString("n".into())]),
            ..failed
        };
        same(
            Version::V5,
            &[header, 8, 0x12, 0x34, reason.0, 4, 31, 0, 1, b'n'],
            make(explained),
        );
    }
    // MQTT 3.1 marks a PUBREL that is sent again.
    also(
        Version::V31,
        &[0x6A, 2, 0, 1],
        Packet::PubRel(Acknowledgement::success(1)),
    );
}

#[test]
fn subscribe_and_its_options() {
    let plain = |filter: &'static str, qos| Subscription {
        filter: filter.into(),
        qos,
        no_local: false,
        retain_as_published: false,
        retain_handling: RetainHandling::Always,
    };
    let subscribe = Subscribe {
        packet_id: 10,
        filters: vec![plain("a/#", QoS::AtMostOnce), plain("+", QoS::ExactlyOnce)],
        properties: Properties::default(),
    };
    same(
        Version::V311,
        b"\x82\x0c\0\x0a\0\x03a/#\0\0\x01+\x02",
        Packet::Subscribe(subscribe.clone()),
    );
    also(
        Version::V31,
        b"\x8a\x0c\0\x0a\0\x03a/#\0\0\x01+\x02",
        Packet::Subscribe(subscribe),
    );
    let subscribe = Subscribe {
        packet_id: 10,
        filters: vec![Subscription {
            no_local: true,
            retain_as_published: true,
            retain_handling: RetainHandling::Never,
            ..plain("a", QoS::AtLeastOnce)
        }],
        properties: Properties(vec![Property::SubscriptionIdentifier(200)]),
    };
    same(
        Version::V5,
        b"\x82\x0a\0\x0a\x03\x0b\xc8\x01\0\x01a\x2d",
        Packet::Subscribe(subscribe),
    );
}

#[test]
fn suback_and_unsuback() {
    let suback = |reasons: &[ReasonCode]| SubAck {
        packet_id: 10,
        reasons: reasons.to_vec(),
        properties: Properties::default(),
    };
    let reasons = [
        ReasonCode::GRANTED_QOS_2,
        ReasonCode::UNSPECIFIED_ERROR,
        ReasonCode::SUCCESS,
    ];
    same(
        Version::V311,
        b"\x90\x05\0\x0a\x02\x80\0",
        Packet::SubAck(suback(&reasons)),
    );
    let reasons = [ReasonCode::GRANTED_QOS_1, ReasonCode::TOPIC_FILTER_INVALID];
    same(
        Version::V5,
        b"\x90\x05\0\x0a\0\x01\x8f",
        Packet::SubAck(suback(&reasons)),
    );
    let mut out = Vec::new();
    write(&Packet::SubAck(suback(&reasons)), Version::V311, &mut out).unwrap();
    assert_eq!(
        out, b"\x90\x04\0\x0a\x01\x80",
        "before MQTT 5 all failures are 0x80"
    );
    same(
        Version::V311,
        b"\xb0\x02\0\x0a",
        Packet::UnsubAck(suback(&[])),
    );
    let reasons = [ReasonCode::SUCCESS, ReasonCode::NO_SUBSCRIPTION_EXISTED];
    same(
        Version::V5,
        b"\xb0\x05\0\x0a\0\0\x11",
        Packet::UnsubAck(suback(&reasons)),
    );
}

#[test]
fn unsubscribe() {
    let unsubscribe = Packet::Unsubscribe(Unsubscribe {
        packet_id: 10,
        filters: vec!["a".into(), "b/+".into()],
        properties: Properties::default(),
    });
    same(
        Version::V311,
        b"\xa2\x0a\0\x0a\0\x01a\0\x03b/+",
        unsubscribe.clone(),
    );
    same(
        Version::V5,
        b"\xa2\x0b\0\x0a\0\0\x01a\0\x03b/+",
        unsubscribe,
    );
}

#[test]
fn ping_disconnect_and_auth() {
    let disconnect = |reason| {
        Packet::Disconnect(Disconnect {
            reason,
            properties: Properties::default(),
        })
    };
    for version in [Version::V31, Version::V311, Version::V5] {
        same(version, b"\xc0\0", Packet::PingReq);
        same(version, b"\xd0\0", Packet::PingResp);
        same(version, b"\xe0\0", disconnect(ReasonCode::SUCCESS));
    }
    // As mosquitto sends it: a reason code, and the property length left out.
    same(
        Version::V5,
        b"\xe0\x01\x8e",
        disconnect(ReasonCode::SESSION_TAKEN_OVER),
    );
    also(
        Version::V5,
        b"\xe0\x02\x8e\0",
        disconnect(ReasonCode::SESSION_TAKEN_OVER),
    );
    also(Version::V5, b"\xe0\x01\0", disconnect(ReasonCode::SUCCESS));
    let auth = |reason, properties| Packet::Auth(Auth { reason, properties });
    same(
        Version::V5,
        b"\xf0\0",
        auth(ReasonCode::SUCCESS, Properties::default()),
    );
    let properties = Properties(vec![
        Property::AuthenticationMethod("m".into()),
        Property::AuthenticationData(Bytes::from_static(&[1])),
    ]);
    same(
        Version::V5,
        b"\xf0\x0a\x18\x08\x15\0\x01m\x16\0\x01\x01",
        auth(ReasonCode::CONTINUE_AUTHENTICATION, properties),
    );
}

#[test]
fn strings_and_payloads_are_slices_of_the_packet() {
    let packet = Bytes::from_static(b"\x30\x07\0\x03a/b\0c");
    let Ok(Packet::Publish(publish)) = decode(packet.clone(), Version::V5) else {
        panic!("no PUBLISH");
    };
    assert_eq!(publish.payload.as_ptr(), packet[8..].as_ptr());
    assert_eq!(publish.topic.as_bytes().as_ptr(), packet[4..].as_ptr());
}

#[test]
fn packets_are_read_one_after_the_other() {
    let mut buffer = BytesMut::from(&b"\xc0\0\x30\x06\0\x03a/bc\xe0"[..]);
    assert_eq!(
        read(&mut buffer, Version::V311, 100),
        Ok(Some(Packet::PingReq))
    );
    assert_eq!(
        read(&mut buffer, Version::V311, 100),
        Ok(Some(Packet::Publish(publish("a/b", "c"))))
    );
    assert_eq!(read(&mut buffer, Version::V311, 100), Ok(None));
    assert_eq!(buffer, &b"\xe0"[..]);
}

#[test]
fn a_refused_packet_stays_in_the_buffer() {
    let bytes = b"\x10\x0d\0\x04MQTT\x05\xff\0\x3c\0\x01c\xc0\0";
    let mut buffer = BytesMut::from(&bytes[..]);
    assert!(read(&mut buffer, Version::V311, 100).is_err());
    assert_eq!(buffer, &bytes[..]);
    assert_eq!(refusal_version(&buffer), Some(Version::V5));
}

#[test]
fn a_packet_over_the_maximum_is_refused_before_its_body_has_come() {
    fn early(bytes: &[u8], maximum: u32) -> Result<bool, ReasonCode> {
        let found = frame(bytes, maximum).map_err(|fault| fault.reason);
        found.map(|frame| frame.is_some())
    }
    assert_eq!(
        early(b"\x30\x80\x01", 130),
        Err(ReasonCode::PACKET_TOO_LARGE)
    );
    assert_eq!(early(b"\x30\x80\x01", 131), Ok(false));
    assert_eq!(early(b"\x30\x80", 2), Ok(false));
    assert_eq!(early(b"\x30\xff\xff\xff\x7f", u32::MAX), Ok(false));
    assert_eq!(
        early(b"\x30\xff\xff\xff\x7f", 268_435_459),
        Err(ReasonCode::PACKET_TOO_LARGE)
    );
}

#[test]
fn a_longer_remaining_length_than_needed_is_for_versions_before_mqtt_5() {
    for bytes in [&b"\xc0\x80\0"[..], b"\xc0\x80\x80\0", b"\xc0\x80\x80\x80\0"] {
        also(Version::V311, bytes, Packet::PingReq);
        let fault = decode(Bytes::copy_from_slice(bytes), Version::V5).unwrap_err();
        assert_eq!(fault.reason, ReasonCode::MALFORMED_PACKET);
        assert!(!frame(bytes, 100).unwrap().unwrap().is_minimal());
    }
}

#[test]
fn a_view_is_written_and_read_the_same() {
    let block = b"\x01\x01\x26\0\x01k\0\x01v\x0b\x05\x0b\xff\x7f";
    let view = PublishView {
        dup: true,
        qos: QoS::AtLeastOnce,
        retain: true,
        topic: "a/b",
        packet_id: 7,
        properties: block,
        payload: &[1; 300],
    };
    for version in [Version::V311, Version::V5] {
        let mut out = Vec::new();
        view.write(version, &mut out).unwrap();
        assert_eq!(out.len(), view.encoded_length(version));
        let frame = frame(&out, u32::MAX).unwrap().unwrap();
        let expected = PublishView {
            properties: if version == Version::V5 { block } else { b"" },
            ..view
        };
        assert_eq!(
            publish_view(frame.header, frame.body, version),
            Ok(expected)
        );
    }
    let walked: Vec<(u8, &[u8])> = property_block(block).collect();
    assert_eq!(
        walked,
        [
            (1, &b"\x01\x01"[..]),
            (38, b"\x26\0\x01k\0\x01v"),
            (11, b"\x0b\x05"),
            (11, b"\x0b\xff\x7f")
        ]
    );
}

#[test]
fn a_refused_connect_is_answered_in_its_own_version() {
    let refusal = |name: &[u8], level| {
        let mut packet = vec![0x10, name.len() as u8 + 3, 0, name.len() as u8];
        packet.extend_from_slice(name);
        packet.push(level);
        refusal_version(&packet)
    };
    assert_eq!(refusal(b"MQTT", 5), Some(Version::V5));
    assert_eq!(refusal(b"MQTT", 6), Some(Version::V5));
    assert_eq!(refusal(b"MQTT", 4), Some(Version::V311));
    assert_eq!(refusal(b"MQTT", 3), Some(Version::V311));
    assert_eq!(refusal(b"MQIsdp", 3), Some(Version::V311));
    assert_eq!(
        refusal(b"MQTT", 0x84),
        Some(Version::V311),
        "a mosquitto bridge, which then comes back with 4"
    );
    assert_eq!(refusal(b"HTTP", 4), None);
    // Too large to be read to its end, and refused for that.
    assert_eq!(
        refusal_version(b"\x10\xff\xff\x7f\0\x04MQTT\x05"),
        Some(Version::V5)
    );
    assert_eq!(refusal_version(b"\xc0\0"), None);
    assert_eq!(refusal_version(b"\x10\x02\0"), None);
    assert_eq!(refusal_version(b"GET / HTTP/1.1\r\n"), None);
}
