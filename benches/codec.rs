//! What one message costs in the codec: nanoseconds a PUBLISH to find and look at, to decode, and to write, and the
//! same for rumqttc's codec on the same bytes.
//!
//! Every figure is the best of several rounds over a buffer of many publishes, on one thread: what the machine can
//! do when nothing else disturbs it. `cargo bench --bench codec -- [--rounds 20]`
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use mqtt_toolbox::mqtt::codec::{PublishView, decode, frame, publish_view, read, write};
use mqtt_toolbox::mqtt::packet::Publish;
use mqtt_toolbox::mqtt::{Packet, Properties, Property, QoS, Version};
use rumqttc::mqttbytes::v4;
use rumqttc5::mqttbytes::v5;

/// Publishes in one buffer, about as many as one read of a busy socket brings.
const MESSAGES: usize = 1_000;

/// The publishes that are measured.
struct Case {
    name: &'static str,
    version: Version,
    qos: QoS,
    topic: &'static str,
    payload: usize,
    properties: fn() -> Properties,
}

const CASES: [Case; 7] = [
    case(
        "3.1.1 QoS 0, 64 B",
        Version::V311,
        QoS::AtMostOnce,
        "bench/publisher/17",
        64,
    ),
    case(
        "3.1.1 QoS 1, 64 B",
        Version::V311,
        QoS::AtLeastOnce,
        "bench/publisher/17",
        64,
    ),
    case(
        "3.1.1 QoS 0, 64 B, long topic",
        Version::V311,
        QoS::AtMostOnce,
        LONG_TOPIC,
        64,
    ),
    case(
        "3.1.1 QoS 0, 64 B, topic in Chinese",
        Version::V311,
        QoS::AtMostOnce,
        "工厂/三号车间/温度传感器/十七",
        64,
    ),
    case(
        "5 QoS 0, 64 B",
        Version::V5,
        QoS::AtMostOnce,
        "bench/publisher/17",
        64,
    ),
    Case {
        properties: message_properties,
        ..case(
            "5 QoS 1, 64 B, four properties",
            Version::V5,
            QoS::AtLeastOnce,
            "bench/publisher/17",
            64,
        )
    },
    case(
        "3.1.1 QoS 0, 4 KiB",
        Version::V311,
        QoS::AtMostOnce,
        "bench/publisher/17",
        4_096,
    ),
];

const LONG_TOPIC: &str =
    "eu-central/plant-03/hall-b/line-07/station-12/robot-2/axis-5/temperature/celsius/filtered";

const fn case(
    name: &'static str,
    version: Version,
    qos: QoS,
    topic: &'static str,
    payload: usize,
) -> Case {
    Case {
        name,
        version,
        qos,
        topic,
        payload,
        properties: Properties::default,
    }
}

fn message_properties() -> Properties {
    Properties(vec![
        Property::PayloadFormatIndicator(1),
        Property::MessageExpiryInterval(60),
        Property::ContentType("application/json".into()),
        Property::UserProperty("trace".into(), "7f3a".into()),
    ])
}

fn main() {
    let mut rounds = 20;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--rounds" => {
                rounds = arguments
                    .next()
                    .and_then(|text| text.parse().ok())
                    .expect("--rounds NUMBER")
            }
            // Cargo says so to every bench.
            "--bench" => {}
            _ => panic!("unknown argument {argument}"),
        }
    }
    println!("ns per PUBLISH, best of {rounds} rounds of {MESSAGES}");
    println!(
        "{:<38}{:>8}{:>8}{:>8}{:>8}  | {:>12}{:>14}",
        "", "view", "decode", "read", "write", "rumqttc read", "rumqttc write"
    );
    for case in &CASES {
        let bytes = case.bytes();
        println!(
            "{:<38}{:>8.1}{:>8.1}{:>8.1}{:>8.1}  | {:>12.1}{:>14.1}",
            case.name,
            best(rounds, || (), |()| view_all(&bytes, case.version)),
            best(rounds, || (), |()| decode_all(&bytes, case.version)),
            best(
                rounds,
                || BytesMut::from(&bytes[..]),
                |buffer| read_all(buffer, case.version)
            ),
            best(
                rounds,
                || case.view_of(&bytes),
                |view| write_all(view, case.version, bytes.len())
            ),
            best(
                rounds,
                || BytesMut::from(&bytes[..]),
                |buffer| theirs_read(buffer, case.version)
            ),
            theirs_write_best(rounds, &bytes, case.version),
        );
    }
}

impl Case {
    fn packet(&self) -> Packet {
        Packet::Publish(Publish {
            dup: false,
            qos: self.qos,
            retain: false,
            topic: self.topic.into(),
            packet_id: if self.qos == QoS::AtMostOnce { 0 } else { 77 },
            properties: (self.properties)(),
            payload: vec![b'x'; self.payload].into(),
        })
    }

    /// All publishes, one after the other.
    fn bytes(&self) -> Bytes {
        let mut one = Vec::new();
        write(&self.packet(), self.version, &mut one).unwrap();
        one.repeat(MESSAGES).into()
    }

    fn view_of<'a>(&self, bytes: &'a [u8]) -> PublishView<'a> {
        let found = frame(bytes, u32::MAX).unwrap().unwrap();
        publish_view(found.header, found.body, self.version).unwrap()
    }
}

/// Nanoseconds a message in the fastest round; `prepare` is not counted.
fn best<T>(rounds: usize, mut prepare: impl FnMut() -> T, mut work: impl FnMut(T)) -> f64 {
    let mut best = Duration::MAX;
    for _ in 0..rounds {
        let prepared = prepare();
        let start = Instant::now();
        work(prepared);
        best = best.min(start.elapsed());
    }
    best.as_nanos() as f64 / MESSAGES as f64
}

/// As a broker takes a read of a socket apart.
fn view_all(mut buffer: &[u8], version: Version) {
    while let Some(found) = frame(buffer, u32::MAX).unwrap() {
        black_box(publish_view(found.header, found.body, version).unwrap());
        buffer = &buffer[found.length..];
    }
}

fn decode_all(bytes: &Bytes, version: Version) {
    let mut start = 0;
    while let Some(found) = frame(&bytes[start..], u32::MAX).unwrap() {
        let end = start + found.length;
        black_box(decode(bytes.slice(start..end), version).unwrap());
        start = end;
    }
}

fn read_all(mut buffer: BytesMut, version: Version) {
    while let Some(packet) = read(&mut buffer, version, u32::MAX).unwrap() {
        black_box(packet);
    }
}

fn write_all(view: PublishView<'_>, version: Version, capacity: usize) {
    let mut out = Vec::with_capacity(capacity);
    for _ in 0..MESSAGES {
        black_box(&view).write(version, &mut out).unwrap();
    }
    black_box(out);
}

fn theirs_read(mut buffer: BytesMut, version: Version) {
    for _ in 0..MESSAGES {
        match version {
            Version::V5 => drop(black_box(v5::Packet::read(&mut buffer, None).unwrap())),
            _ => drop(black_box(
                v4::Packet::read(&mut buffer, usize::MAX).unwrap(),
            )),
        }
    }
}

fn theirs_write_best(rounds: usize, bytes: &Bytes, version: Version) -> f64 {
    let mut first = BytesMut::from(&bytes[..]);
    let room = || BytesMut::with_capacity(bytes.len());
    match version {
        Version::V5 => {
            let packet = v5::Packet::read(&mut first, None).unwrap();
            best(rounds, room, |mut out| {
                for _ in 0..MESSAGES {
                    black_box(&packet).write(&mut out, None).unwrap();
                }
                black_box(out);
            })
        }
        _ => {
            let packet = v4::Packet::read(&mut first, usize::MAX).unwrap();
            best(rounds, room, |mut out| {
                for _ in 0..MESSAGES {
                    black_box(&packet).write(&mut out, usize::MAX).unwrap();
                }
                black_box(out);
            })
        }
    }
}
