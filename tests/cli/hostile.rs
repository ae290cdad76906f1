//! The codec's list of malformed packets, thrown at a running broker row by row: each is answered as its version
//! asks, and nobody else notices.

use std::io::Write;

use mqtt_toolbox::mqtt::packet::{ConnAck, Disconnect, Packet, Will};
use mqtt_toolbox::mqtt::{Properties, Property, QoS, ReasonCode, Version};

use crate::malformed::{ANSWERS, CONNECT, FIXED_HEADERS, PUBLISH, REQUESTS};
use crate::servers::MqttServe;
use crate::wire::{Bystander, Wire, connect, publish};

fn version(level: u8) -> Version {
    match level {
        3 => Version::V31,
        4 => Version::V311,
        _ => Version::V5,
    }
}

/// The reason in words, as MQTT 5 carries it.
fn said(words: &str) -> Properties {
    let words = (!words.is_empty()).then(|| Property::ReasonString(words.into()));
    Properties(words.into_iter().collect())
}

fn disconnect(reason: u8, words: &str) -> Packet {
    Packet::Disconnect(Disconnect {
        reason: ReasonCode(reason),
        properties: said(words),
    })
}

fn refusal(reason: u8, words: &str) -> Packet {
    Packet::ConnAck(ConnAck {
        session_present: false,
        reason: ReasonCode(reason),
        properties: said(words),
    })
}

#[test]
fn every_malformed_packet_in_a_session_ends_it_with_its_reason_and_disturbs_nobody() {
    let mut broker = MqttServe::start([""; 0]);
    let mut bystander = Bystander::new(broker.port);
    let rows = [PUBLISH, REQUESTS, ANSWERS].into_iter().flatten();
    let rows = rows
        .map(|row| (row.levels, row.wire(), row.reason, row.fault))
        .chain(
            FIXED_HEADERS
                .iter()
                .map(|&(levels, bytes, reason, fault)| (levels, bytes.to_vec(), reason, fault)),
        );
    for (levels, bytes, reason, fault) in rows {
        for &level in levels {
            let mut wire = Wire::session(broker.port, version(level), "hostile");
            wire.send_bytes(&bytes);
            // Before MQTT 5 a server has no packet to say it with.
            let expected = if level == 5 {
                vec![disconnect(reason, fault)]
            } else {
                vec![]
            };
            assert_eq!(
                wire.rest(),
                expected,
                "level {level}, {fault}: {bytes:02x?}"
            );
            bystander.is_served();
        }
    }
    assert!(broker.process.is_running());
}

#[test]
fn every_malformed_connect_is_refused_in_its_own_version_and_disturbs_nobody() {
    let mut broker = MqttServe::start([""; 0]);
    let mut bystander = Bystander::new(broker.port);
    for row in CONNECT {
        let &[level] = row.levels else {
            panic!("{}: a CONNECT names one level", row.fault);
        };
        let mut wire = Wire::connect(broker.port, version(level));
        wire.send_bytes(&row.wire());
        // Before MQTT 5 a CONNECT that is not well-formed gets no answer [MQTT-3.1.4-1]: only what a return code
        // can say is said, and only to who speaks MQTT.
        let foreign = row.fault.starts_with("protocol ")
            && !["\"MQTT\"", "\"MQIsdp\""]
                .iter()
                .any(|name| row.fault.contains(name));
        let answered = !foreign && (level == 5 || matches!(row.reason, 0x84 | 0x85));
        let expected = if answered {
            let words = if level == 5 { row.fault } else { "" };
            vec![refusal(row.reason, words)]
        } else {
            vec![]
        };
        assert_eq!(wire.rest(), expected, "{}: {:02x?}", row.fault, row.wire());
        bystander.is_served();
    }
    assert!(broker.process.is_running());
}

#[test]
fn what_came_before_a_malformed_packet_is_delivered_and_the_will_after_it() {
    let broker = MqttServe::start([""; 0]);
    for version in [Version::V31, Version::V311, Version::V5] {
        let mut bystander = Bystander::new(broker.port);
        let mut wire = Wire::connect(broker.port, version);
        let mut greeting = connect(version, "hostile");
        greeting.will = Some(Will {
            topic: "bystander/will".into(),
            payload: "gone".into(),
            qos: QoS::AtMostOnce,
            retain: false,
            properties: Properties::default(),
        });
        wire.send(Packet::Connect(greeting));
        assert!(matches!(wire.receive(), Packet::ConnAck(_)));
        let mut bytes = Vec::new();
        for payload in ["one", "two", "three"] {
            let message = publish("bystander/said", payload.as_bytes(), QoS::AtMostOnce, 0);
            mqtt_toolbox::mqtt::codec::write(&message, version, &mut bytes).unwrap();
        }
        bytes.extend_from_slice(b"\x36\x05\0\x01t\0\x01");
        wire.send_bytes(&bytes);
        for payload in [&b"one"[..], b"two", b"three", b"gone"] {
            bystander.receives(payload);
        }
    }
}

#[test]
fn connections_that_say_nothing_or_half_a_connect_keep_nobody_out() {
    let mut broker = MqttServe::start([""; 0]);
    let mut bystander = Bystander::new(broker.port);
    let greeting = b"\x10\x0d\0\x04MQTT\x04\x02\0\x3c\0\x01h";
    let held: Vec<Wire> = (0..300)
        .map(|number| {
            let mut wire = Wire::connect(broker.port, Version::V311);
            wire.send_bytes(&greeting[..number % greeting.len()]);
            wire
        })
        .collect();
    bystander.is_served();
    // And who comes after them is let in.
    let mut late = Wire::session(broker.port, Version::V311, "late");
    late.send(publish("bystander/late", b"hello", QoS::AtMostOnce, 0));
    bystander.receives(b"hello");
    drop(held);
    bystander.is_served();
    assert!(broker.process.is_running());
}

#[test]
fn a_session_that_dribbles_in_byte_by_byte_is_a_session_like_any_other() {
    let broker = MqttServe::start([""; 0]);
    let mut bystander = Bystander::new(broker.port);
    for version in [Version::V31, Version::V311, Version::V5] {
        let mut bytes = Vec::new();
        for packet in [
            Packet::Connect(connect(version, "slow")),
            publish("bystander/温度", "21,5 °C".as_bytes(), QoS::AtLeastOnce, 9),
            Packet::PingReq,
        ] {
            mqtt_toolbox::mqtt::codec::write(&packet, version, &mut bytes).unwrap();
        }
        let mut wire = Wire::connect(broker.port, version);
        for byte in bytes {
            wire.send_bytes(&[byte]);
            wire.stream.flush().unwrap();
        }
        bystander.receives("21,5 °C".as_bytes());
        let said: Vec<Packet> = (0..3).map(|_| wire.receive()).collect();
        assert!(matches!(said[0], Packet::ConnAck(_)), "{said:?}");
        // Which of the two comes first is not promised.
        assert!(
            said.iter()
                .any(|packet| matches!(packet, Packet::PubAck(ack) if ack.packet_id == 9)),
            "{said:?}"
        );
        assert!(said.contains(&Packet::PingResp), "{said:?}");
    }
}

#[test]
fn a_packet_over_the_limit_is_refused_by_its_length_alone() {
    let mut broker = MqttServe::start(["--max-packet-size", "1000"]);
    let mut bystander = Bystander::new(broker.port);
    let words = |length: u32| format!("a packet of {length} bytes, at most 1000 are accepted");
    let too_large: [(u8, &[u8], u32); 3] = [
        (5, b"\x30\xe6\x07", 1001), // 998 and three bytes before them
        (5, b"\x30\xff\xff\xff\x7f", 268_435_460), // the largest there is
        (4, b"\x30\xff\xff\xff\x7f", 268_435_460),
    ];
    for (level, bytes, length) in too_large {
        let mut wire = Wire::session(broker.port, version(level), "hostile");
        wire.send_bytes(bytes);
        let expected = if level == 5 {
            vec![disconnect(0x95, &words(length))]
        } else {
            vec![]
        };
        assert_eq!(wire.rest(), expected, "{bytes:02x?}");
        bystander.is_served();
    }
    let mut wire = Wire::connect(broker.port, Version::V5);
    wire.send_bytes(b"\x10\xff\xff\xff\x7f\0\x04MQTT\x05");
    assert_eq!(wire.rest(), [refusal(0x95, &words(268_435_460))]);
    // 997 and three are the thousand that is allowed.
    let mut wire = Wire::session(broker.port, Version::V5, "large");
    wire.send(publish("bystander/large", &[b'x'; 979], QoS::AtMostOnce, 0));
    bystander.receives(&[b'x'; 979]);
    assert!(broker.process.is_running());
}
