//! What nobody should send, on the port of a broker that must go on serving everybody else.

use mqtt_toolbox::mqtt::packet::Packet;
use mqtt_toolbox::mqtt::{Property, QoS, Version, codec};

use crate::servers::MqttServe;
use crate::wire::{Bystander, Wire, connect, publish, subscribe};

/// The same numbers in every run: a linear congruential generator (Knuth's constants).
struct Noise(u64);

impl Noise {
    fn byte(&mut self) -> u8 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 56) as u8
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.byte()).collect()
    }
}

#[test]
fn noise_on_the_port_disturbs_nobody() {
    let mut broker = MqttServe::start([""; 0]);
    let mut bystander = Bystander::new(broker.port);
    let mut noise = Noise(1);
    for round in 0..300 {
        let length = 1 + usize::from(noise.byte()) * 4;
        let bytes = noise.bytes(length);
        let mut wire = Wire::connect(broker.port, Version::V311);
        // The broker may close before it has read everything.
        drop(std::io::Write::write_all(&mut wire.stream, &bytes));
        if round % 30 == 0 {
            bystander.is_served();
        }
    }
    bystander.is_served();
    assert!(broker.process.is_running());
}

#[test]
fn noise_after_a_good_connect_disturbs_nobody() {
    let mut broker = MqttServe::start([""; 0]);
    let mut bystander = Bystander::new(broker.port);
    let mut noise = Noise(2);
    for round in 0..300 {
        let version = [Version::V31, Version::V311, Version::V5][round % 3];
        let mut wire = Wire::session(broker.port, version, &format!("noise-{round}"));
        // A packet of a random type with a body of a believable length gets further in than plain noise.
        let length = noise.byte() & 0x3f;
        let mut bytes = vec![noise.byte(), length];
        bytes.extend(noise.bytes(usize::from(length)));
        drop(std::io::Write::write_all(&mut wire.stream, &bytes));
        if round % 30 == 0 {
            bystander.is_served();
        }
    }
    bystander.is_served();
    assert!(broker.process.is_running());
}

#[test]
fn packets_cut_off_at_any_byte_disturb_nobody() {
    let mut broker = MqttServe::start([""; 0]);
    let mut bystander = Bystander::new(broker.port);
    let packets = [
        Packet::Connect(connect(Version::V5, "cut")),
        subscribe(1, "温度/#", QoS::ExactlyOnce),
        publish("温度/厨房", b"21.5", QoS::ExactlyOnce, 7),
    ];
    for (index, packet) in packets.into_iter().enumerate() {
        let mut bytes = Vec::new();
        codec::write(&packet, Version::V5, &mut bytes).unwrap();
        for length in 0..bytes.len() {
            let mut wire = match index {
                0 => Wire::connect(broker.port, Version::V5),
                _ => Wire::session(broker.port, Version::V5, "cut"),
            };
            wire.send_bytes(&bytes[..length]);
        }
        bystander.is_served();
    }
    assert!(broker.process.is_running());
}

#[test]
fn what_is_not_allowed_ends_its_own_connection_only() {
    let mut broker = MqttServe::start([""; 0]);
    let mut bystander = Bystander::new(broker.port);
    let wrongs: [(&str, &[u8]); 8] = [
        (
            "a second CONNECT",
            b"\x10\x0f\x00\x04MQTT\x04\x02\x00\x3c\x00\x03bad",
        ),
        ("a wildcard in a topic name", b"\x30\x05\x00\x03a/#"),
        ("an empty topic name", b"\x30\x02\x00\x00"),
        (
            "a topic name that is not UTF-8",
            b"\x30\x04\x00\x02\xff\xfe",
        ),
        ("QoS 3", b"\x36\x05\x00\x01a\x00\x01"),
        ("packet identifier 0", b"\x32\x05\x00\x01a\x00\x00"),
        ("a packet only a server sends", b"\x20\x02\x00\x00"),
        ("a length without an end", b"\x30\xff\xff\xff\xff\xff"),
    ];
    for (name, bytes) in wrongs {
        let mut wire = Wire::session(broker.port, Version::V311, "wrong");
        wire.send_bytes(bytes);
        assert_eq!(wire.rest(), [], "{name}");
        bystander.is_served();
    }
    assert!(broker.process.is_running());
}

#[test]
fn many_short_publishes_to_an_alias_of_a_long_topic_disturb_nobody() {
    let mut broker = MqttServe::start(["--workers", "2"]);
    let mut bystander = Bystander::new(broker.port);
    let mut wire = Wire::session(broker.port, Version::V5, "alias");
    let aliased = |topic: &str| {
        let Packet::Publish(mut packet) = publish(topic, b"", QoS::AtMostOnce, 0) else {
            unreachable!("publish makes a PUBLISH");
        };
        packet.properties.push(Property::TopicAlias(1));
        Packet::Publish(packet)
    };
    wire.send(aliased(&"x".repeat(60_000)));
    // A socket's read of 64 KiB holds 8,000 of these, which are half a gigabyte with their topic.
    let mut bytes = Vec::new();
    for _ in 0..10_000 {
        codec::write(&aliased(""), Version::V5, &mut bytes).expect("a small packet");
    }
    wire.send_bytes(&bytes);
    wire.send(Packet::PingReq);
    bystander.is_served();
    assert_eq!(wire.receive(), Packet::PingResp);
    bystander.is_served();
    assert!(broker.process.is_running());
}
