//! Full speed: nothing lost, nothing twice, everything in order, and memory that does not grow.
//!
//! `LOAD_SECONDS=30 cargo test --release --test cli full_speed` runs it for longer than the four seconds of every day.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use mqtt_toolbox::mqtt::packet::{Acknowledgement, Packet};
use mqtt_toolbox::mqtt::{QoS, Version, codec};

use crate::harness::eventually;
use crate::servers::MqttServe;
use crate::wire::{Wire, publish};

const CLIENTS: usize = 10;
/// Publishes in one write.
const BATCH: u64 = 50;
/// Publishes a publisher has under way.
const WINDOW: u64 = 500;

#[test]
fn ten_publishers_and_ten_subscribers_at_full_speed_lose_nothing() {
    let seconds = std::env::var("LOAD_SECONDS").map_or(4.0, |text| text.parse().unwrap());
    let broker = MqttServe::start([""; 0]);
    let port = broker.port;
    let published: [AtomicU64; CLIENTS] = Default::default();
    let received: [AtomicU64; CLIENTS] = Default::default();
    let until = Instant::now() + Duration::from_secs_f64(seconds);
    let mut memory = Vec::new();
    thread::scope(|scope| {
        // Each subscriber hears two publishers: its own and the next.
        let subscribers: Vec<Wire> = (0..CLIENTS)
            .map(|number| {
                let mut wire = Wire::session(port, Version::V311, &format!("subscriber-{number}"));
                for heard in [number, (number + 1) % CLIENTS] {
                    wire.subscribe(&format!("load/{heard}"), QoS::AtLeastOnce);
                }
                wire
            })
            .collect();
        for (wire, received) in subscribers.into_iter().zip(&received) {
            scope.spawn(move || hear(wire, received));
        }
        let publishers: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let published = &published[number];
                scope.spawn(move || speak(port, number, until, published))
            })
            .collect();
        while !publishers.iter().all(|publisher| publisher.is_finished()) {
            memory.push(resident(broker.process.id()));
            thread::park_timeout(Duration::from_millis(20));
        }
        for (number, received) in received.iter().enumerate() {
            let count = |number: usize| published[number % CLIENTS].load(Ordering::Relaxed);
            let expected = count(number) + count(number + 1);
            eventually(
                &format!("subscriber {number} has all {expected} messages"),
                || (received.load(Ordering::Relaxed) == expected).then_some(()),
            );
        }
        // The subscribers read until the broker goes.
        broker.process.signal("TERM");
    });
    let (first, second) = memory.split_at(memory.len() / 2);
    let most = |samples: &[u64]| samples.iter().copied().max().unwrap_or_default();
    let (early, late) = (most(first), most(second));
    assert!(
        late < early + early / 2 + 8192,
        "the broker grew from {early} to {late} KiB: {memory:?}"
    );
    let total: u64 = published
        .iter()
        .map(|count| count.load(Ordering::Relaxed))
        .sum();
    println!("{total} published in {seconds} s, memory at most {early} KiB, then {late} KiB");
}

/// Publishes numbered messages until the time is over and all are acknowledged.
fn speak(port: u16, number: usize, until: Instant, published: &AtomicU64) {
    let mut wire = Wire::session(port, Version::V311, &format!("publisher-{number}"));
    let topic = format!("load/{number}");
    let (mut sent, mut acknowledged) = (0, 0);
    while acknowledged < sent || Instant::now() < until {
        if Instant::now() < until && sent - acknowledged <= WINDOW - BATCH {
            let mut bytes = Vec::new();
            for sequence in sent..sent + BATCH {
                let mut payload = [0; 64];
                payload[..8].copy_from_slice(&(number as u64).to_be_bytes());
                payload[8..16].copy_from_slice(&sequence.to_be_bytes());
                let packet_id = (sequence % 65_535 + 1) as u16;
                let packet = publish(&topic, &payload, QoS::AtLeastOnce, packet_id);
                codec::write(&packet, Version::V311, &mut bytes).unwrap();
            }
            wire.send_bytes(&bytes);
            sent += BATCH;
            published.store(sent, Ordering::Relaxed);
        } else {
            match wire.receive() {
                Packet::PubAck(ack) => {
                    assert_eq!(
                        u64::from(ack.packet_id),
                        acknowledged % 65_535 + 1,
                        "in order"
                    );
                    acknowledged += 1;
                }
                other => panic!("{other:?} came to a publisher"),
            }
        }
    }
}

/// Acknowledges and counts what comes, and checks each publisher's numbers, until the broker closes.
fn hear(mut wire: Wire, received: &AtomicU64) {
    let mut next = [0; CLIENTS];
    let mut answers = Vec::new();
    while let Some(packet) = wire.receive_or_end() {
        let Packet::Publish(message) = packet else {
            panic!("{packet:?} came to a subscriber");
        };
        let number = |range: std::ops::Range<usize>| {
            u64::from_be_bytes(message.payload[range].try_into().unwrap())
        };
        let (publisher, sequence) = (number(0..8) as usize, number(8..16));
        assert_eq!(sequence, next[publisher], "from publisher {publisher}");
        next[publisher] += 1;
        let ack = Packet::PubAck(Acknowledgement::success(message.packet_id));
        codec::write(&ack, Version::V311, &mut answers).unwrap();
        received.fetch_add(1, Ordering::Relaxed);
        if !wire.has_more() {
            wire.send_bytes(&answers);
            answers.clear();
        }
    }
}

/// Memory of a process, in KiB.
pub fn resident(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS"))
        .expect("VmRSS");
    line.split_whitespace()
        .nth(1)
        .and_then(|word| word.parse().ok())
        .expect("a number of KiB")
}
