//! Publishers and subscribers against a broker of a few lines, in a time that only the test moves.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::measure::ledger::{Delivery, Ledger};
use super::measure::{Recorder, Window};
use super::plan::size::Size;
use super::plan::tests::plan;
use super::plan::{Plan, Stop, When};
use super::role::payloads::Payloads;
use super::role::publisher::Publisher;
use super::role::subscriber::{Books, Expected, Subscriber};
use super::role::{Incoming, Next, Phase, Progress, Role, kind, write_acknowledgement};
use crate::mqtt::codec::{self, PublishView};
use crate::mqtt::{QoS, ReasonCode, Version};

const MS: u64 = 1_000_000;
const OPEN: Window = Window {
    from_ns: 0,
    to_ns: u64::MAX,
};

fn window(plan: &Plan) -> Window {
    match plan.stop {
        Stop::After(duration) => Window {
            from_ns: 0,
            to_ns: duration.as_nanos() as u64,
        },
        Stop::Count(_) => OPEN,
    }
}

fn publisher(plan: &Plan, number: u32) -> Publisher {
    let group = plan.publisher(number).group;
    let payloads = Arc::new(Payloads::filler(group));
    Publisher::new(plan, number, Version::V311, group.window, 0, payloads).unwrap()
}

fn subscriber(plan: &Plan, number: u32) -> Subscriber {
    let ledger = Ledger::new(plan.audience().unwrap()[number as usize].iter().copied());
    let filter = plan.filter_of(number);
    Subscriber::new(
        plan.run.0,
        Version::V311,
        filter,
        plan.subscriber(number).group.qos,
        Arc::new(plan.timetable()),
        Books::Own(ledger),
        When::Always,
        Expected::of(plan, &[Arc::new(Payloads::filler(&plan.publish[0]))]),
    )
}

/// What a role made of these bytes.
fn hand(role: &mut impl Role, mut bytes: &[u8], now_ns: u64, recorder: &mut Recorder) -> Vec<u8> {
    let mut out = Vec::new();
    while let Some(frame) = codec::frame(bytes, u32::MAX).unwrap() {
        let (packet, rest) = bytes.split_at(frame.length);
        let incoming = Incoming {
            frame,
            bytes: packet,
        };
        role.packet(incoming, now_ns, &mut out, recorder).unwrap();
        bytes = rest;
    }
    out
}

/// The packets in `bytes`, each on its own.
fn packets(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut packets = Vec::new();
    while let Some(frame) = codec::frame(bytes, u32::MAX).unwrap() {
        packets.push(bytes[..frame.length].to_vec());
        bytes = &bytes[frame.length..];
    }
    packets
}

fn turn(role: &mut impl Role, now_ns: u64, recorder: &mut Recorder) -> (Next, Vec<Vec<u8>>) {
    let mut out = Vec::new();
    let next = role.turn(Phase::Load, now_ns, 0, &mut out, recorder);
    (next, packets(&out))
}

fn packet_id(publish: &[u8]) -> u16 {
    let frame = codec::frame(publish, u32::MAX).unwrap().unwrap();
    codec::publish_view(frame.header, frame.body, Version::V311)
        .unwrap()
        .packet_id
}

fn acknowledge(
    role: &mut impl Role,
    kind: u8,
    packet_id: u16,
    now_ns: u64,
    recorder: &mut Recorder,
) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_acknowledgement(kind, packet_id, &mut bytes);
    hand(role, &bytes, now_ns, recorder)
}

#[test]
fn a_paced_publisher_sends_what_is_due_and_says_when_to_wake_it() {
    let mut plan = plan(2, 0);
    plan.publish[0].qos = QoS::AtMostOnce;
    plan.publish[0].rate = "200".parse().unwrap(); // Each publisher every 10 ms, the second 5 ms after the first.
    let mut recorder = Recorder::new(OPEN);
    let mut second = publisher(&plan, 1);
    assert_eq!(
        turn(&mut second, 0, &mut recorder),
        (Next::At(5 * MS), vec![])
    );
    let (next, sent) = turn(&mut second, 5 * MS, &mut recorder);
    assert_eq!((next, sent.len()), (Next::At(15 * MS), 1));
    let (next, sent) = turn(&mut second, 47 * MS, &mut recorder);
    assert_eq!(
        (next, sent.len()),
        (Next::At(55 * MS), 4),
        "15, 25, 35 and 45 ms"
    );
    assert_eq!(recorder.send_delay.len(), 5);
    assert!(
        recorder
            .send_delay
            .equivalent(recorder.send_delay.max(), 32_000)
    );
    assert_eq!(
        recorder.send_delay.max(),
        recorder.lag.max(),
        "nothing held it back but its driver"
    );
}

#[test]
fn a_full_window_holds_back_and_an_acknowledgement_lets_go() {
    let mut plan = plan(1, 0);
    plan.publish[0].window = 3;
    plan.publish[0].rate = "1000".parse().unwrap();
    let mut recorder = Recorder::new(OPEN);
    let mut publisher = publisher(&plan, 0);
    let (next, sent) = turn(&mut publisher, 10 * MS, &mut recorder);
    assert_eq!((next, sent.len()), (Next::Wait, 3));
    acknowledge(
        &mut publisher,
        kind::PUBACK,
        packet_id(&sent[1]),
        50 * MS,
        &mut recorder,
    );
    let (next, sent) = turn(&mut publisher, 50 * MS, &mut recorder);
    assert_eq!((next, sent.len()), (Next::Wait, 1));
    assert!(
        recorder
            .send_delay
            .equivalent(recorder.send_delay.max(), 47_000),
        "due at 3 ms"
    );
    assert!(
        recorder.lag.max() < 11_000,
        "the wait for the broker is not the generator's"
    );
    assert_eq!(recorder.acknowledged.total, 1);
}

#[test]
fn a_count_is_sent_exactly_and_settled_when_all_is_acknowledged() {
    let mut plan = plan(1, 0);
    plan.stop = Stop::Count(5);
    let mut recorder = Recorder::new(OPEN);
    let mut publisher = publisher(&plan, 0);
    let (next, sent) = turn(&mut publisher, 0, &mut recorder);
    assert_eq!((next, sent.len()), (Next::Wait, 5));
    assert_eq!(publisher.state().progress, Progress::Settling);
    for publish in &sent {
        acknowledge(
            &mut publisher,
            kind::PUBACK,
            packet_id(publish),
            1,
            &mut recorder,
        );
    }
    assert_eq!(publisher.state().progress, Progress::Settled);
    let published = publisher.published(None);
    assert_eq!((published.sent[0].count, published.unsent), (5, 0));
    assert_eq!(published.sent[0].unacknowledged.count(), 0);
}

#[test]
fn the_warm_up_is_sent_beside_the_count() {
    let mut plan = plan(1, 0);
    plan.publish[0].qos = QoS::AtMostOnce;
    plan.stop = Stop::Count(5);
    plan.publish[0].rate = "1000".parse().unwrap();
    let measured = Window {
        from_ns: 10 * MS,
        to_ns: u64::MAX,
    };
    let mut recorder = Recorder::new(measured);
    let payloads = Arc::new(Payloads::filler(&plan.publish[0]));
    let mut publisher = Publisher::new(&plan, 0, Version::V5, 1, 0, payloads).unwrap();
    let (next, sent) = turn(&mut publisher, 1000 * MS, &mut recorder);
    assert_eq!((next, sent.len()), (Next::Wait, 15));
    assert_eq!(recorder.send_delay.len(), 5);
}

#[test]
fn what_was_due_and_never_left_is_counted() {
    let mut plan = plan(1, 0);
    plan.publish[0].window = 2;
    plan.publish[0].rate = "1000".parse().unwrap();
    plan.stop = Stop::After(Duration::from_millis(100));
    let mut recorder = Recorder::new(window(&plan));
    let stuck = |interrupted_ns| {
        let mut publisher = publisher(&plan, 0);
        turn(&mut publisher, 500 * MS, &mut Recorder::new(window(&plan)));
        publisher.published(interrupted_ns).unsent
    };
    assert_eq!(stuck(None), 98);
    assert_eq!(stuck(Some(50 * MS)), 48);
    let mut publisher = publisher(&plan, 0);
    turn(&mut publisher, 0, &mut recorder);
    assert_eq!(publisher.state().progress, Progress::Publishing);
    publisher.turn(Phase::Drain, 0, 0, &mut Vec::new(), &mut recorder);
    assert_eq!(publisher.state().progress, Progress::Settling);
}

#[test]
fn at_qos_2_the_broker_is_responsible_from_pubrec_on() {
    let mut plan = plan(1, 0);
    plan.publish[0].qos = QoS::ExactlyOnce;
    plan.stop = Stop::Count(3);
    let mut recorder = Recorder::new(OPEN);
    let mut publisher = publisher(&plan, 0);
    let (_, sent) = turn(&mut publisher, 0, &mut recorder);
    let ids: Vec<u16> = sent.iter().map(|publish| packet_id(publish)).collect();
    let answer = acknowledge(&mut publisher, kind::PUBREC, ids[0], 1, &mut recorder);
    assert_eq!(answer, [0x62, 2, 0, 1], "PUBREL");
    acknowledge(&mut publisher, kind::PUBREC, ids[1], 1, &mut recorder);
    acknowledge(&mut publisher, kind::PUBCOMP, ids[1], 2, &mut recorder);
    assert_eq!(recorder.acknowledged.total, 1);
    let published = publisher.published(None);
    assert!(published.sent[0].unacknowledged.contains(2));
    assert_eq!(
        published.sent[0].unacknowledged.count(),
        1,
        "0 is received, 1 complete"
    );
}

#[test]
fn acknowledgements_of_nothing_are_counted_and_change_nothing() {
    let plan = plan(1, 0);
    let mut recorder = Recorder::new(OPEN);
    let mut publisher = publisher(&plan, 0);
    let (_, sent) = turn(&mut publisher, 0, &mut recorder);
    let id = packet_id(&sent[0]);
    acknowledge(&mut publisher, kind::PUBACK, id, 1, &mut recorder);
    turn(&mut publisher, 1, &mut recorder);
    for (kind, id) in [
        (kind::PUBACK, id),
        (kind::PUBACK, 60_000),
        (kind::PUBREC, id + 1),
    ] {
        acknowledge(&mut publisher, kind, id, 2, &mut recorder);
    }
    assert_eq!(recorder.acknowledged.total, 1);
    assert_eq!(publisher.published(None).stray_acknowledgements, 3);
}

#[test]
fn a_refused_publish_is_neither_acknowledged_nor_in_flight() {
    let mut plan = plan(1, 0);
    plan.stop = Stop::Count(1);
    let mut recorder = Recorder::new(OPEN);
    let payloads = Arc::new(Payloads::filler(&plan.publish[0]));
    let mut publisher = Publisher::new(&plan, 0, Version::V5, 1, 0, payloads).unwrap();
    turn(&mut publisher, 0, &mut recorder);
    hand(&mut publisher, &[0x40, 3, 0, 1, 0x97], 1, &mut recorder);
    assert_eq!(publisher.state().progress, Progress::Settled);
    let published = publisher.published(None);
    assert_eq!(
        published.refusals.get(&ReasonCode::QUOTA_EXCEEDED.0),
        Some(&1)
    );
    assert_eq!(published.sent[0].unacknowledged.count(), 1);
}

#[test]
fn packet_identifiers_go_round_and_skip_what_is_in_flight() {
    let mut plan = plan(1, 0);
    plan.publish[0].window = 2;
    plan.stop = Stop::Count(200_000);
    let mut recorder = Recorder::new(OPEN);
    let mut publisher = publisher(&plan, 0);
    let (_, sent) = turn(&mut publisher, 0, &mut recorder);
    let stuck = packet_id(&sent[0]);
    let mut next = packet_id(&sent[1]);
    for _ in 0..100_000 {
        acknowledge(&mut publisher, kind::PUBACK, next, 1, &mut recorder);
        let (_, sent) = turn(&mut publisher, 1, &mut recorder);
        next = packet_id(&sent[0]);
        assert!(next != stuck && next != 0);
    }
    acknowledge(&mut publisher, kind::PUBACK, stuck, 2, &mut recorder);
    assert_eq!(recorder.acknowledged.total, 100_001);
}

#[test]
fn a_qos_2_message_that_is_sent_again_before_pubrel_is_not_delivered_twice() {
    let mut plan = plan(1, 1);
    plan.publish[0].qos = QoS::ExactlyOnce;
    let mut recorder = Recorder::new(OPEN);
    let (_, sent) = turn(&mut publisher(&plan, 0), 0, &mut recorder);
    let mut subscriber = subscriber(&plan, 0);
    let mut receive = |bytes: &[u8]| hand(&mut subscriber, bytes, 1, &mut recorder);
    assert_eq!(receive(&sent[0]), [0x50, 2, 0, 1], "PUBREC");
    assert_eq!(receive(&sent[0]), [0x50, 2, 0, 1]);
    assert_eq!(receive(&[0x62, 2, 0, 1]), [0x70, 2, 0, 1], "PUBCOMP");
    receive(&sent[0]); // Released, so this is a new message to MQTT and a duplicate to us.
    let mut sent = publisher(&plan, 0).published(None).sent;
    sent[0].count = 1;
    let delivery = subscriber.settle(&sent, true);
    assert_eq!((delivery.received, delivery.duplicates), (1, 1));
}

#[test]
fn a_small_payload_still_has_a_response_latency() {
    let mut plan = plan(3, 3);
    plan.publish[0].size = Some(Size::Fixed(16));
    plan.publish[0].rate = "300".parse().unwrap();
    let mut recorder = Recorder::new(OPEN);
    let (_, sent) = turn(&mut publisher(&plan, 2), 17 * MS, &mut recorder);
    assert_eq!(sent.len(), 2, "due at 6.667 and 16.667 ms");
    hand(
        &mut subscriber(&plan, 2),
        &sent.concat(),
        20 * MS,
        &mut recorder,
    );
    assert!(
        recorder
            .response
            .equivalent(recorder.response.max(), 13_333)
    );
    assert!(recorder.service.equivalent(recorder.service.max(), 3000));
}

/// 2,000 messages/s for 30 s through a broker that answers in no time but freezes for 1.4 s. Of all messages
/// 4.67 % are due while it is frozen, so the 99th percentile is 1.4 s * (1 - 1 / 4.67) = 1.1 s. Counted from when they
/// were sent, the stall is next to invisible: the window holds the publishers back.
#[test]
fn a_stall_is_seen_in_full_by_the_response_latency() {
    let mut plan = plan(1, 1);
    plan.publish[0].window = 1;
    plan.publish[0].rate = "2000".parse().unwrap();
    plan.stop = Stop::After(Duration::from_secs(30));
    let mut recorder = Recorder::new(window(&plan));
    let (mut publisher, mut subscriber) = (publisher(&plan, 0), subscriber(&plan, 0));
    let mut waiting: VecDeque<Vec<u8>> = VecDeque::new();
    for step in 0..310_000 {
        let now_ns = step * MS / 10;
        loop {
            waiting.extend(turn(&mut publisher, now_ns, &mut recorder).1);
            if (10_000 * MS..11_400 * MS).contains(&now_ns) {
                break;
            }
            let Some(publish) = waiting.pop_front() else {
                break;
            };
            acknowledge(
                &mut publisher,
                kind::PUBACK,
                packet_id(&publish),
                now_ns,
                &mut recorder,
            );
            hand(&mut subscriber, &publish, now_ns, &mut recorder);
        }
    }
    let p99 = |histogram: &hdrhistogram::Histogram<u64>| histogram.value_at_quantile(0.99);
    assert_eq!(recorder.response.len(), 60_000);
    assert!(
        (1_080_000..1_120_000).contains(&p99(&recorder.response)),
        "{}",
        p99(&recorder.response)
    );
    assert!(p99(&recorder.service) < 1000, "{}", p99(&recorder.service));
    assert!(p99(&recorder.lag) < 1000, "nor is it the generator's fault");
}

/// What the broker does with one delivery.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Arrives,
    Lost,
    Doubled,
    /// Changes places with the next one of the same publisher.
    Late,
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        20 => Just(Fate::Arrives),
        1 => Just(Fate::Lost),
        1 => Just(Fate::Doubled),
        1 => Just(Fate::Late),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Every publisher is heard by every subscriber, each over a route of its own with its own misfortunes.
    #[test]
    fn the_ledger_finds_exactly_what_the_broker_did(
        publishers in 1u32..5, subscribers in 1u32..4, qos in 0u8..3, fates in proptest::collection::vec(fate(), 1..300),
    ) {
        let mut plan = plan(publishers, subscribers);
        plan.publish[0].topic[0] = "all".parse().unwrap();
        plan.subscribe[0].filter = "all".parse().unwrap();
        plan.publish[0].qos = QoS::from_number(qos).unwrap();
        plan.stop = Stop::Count(u64::from(publishers) * 100);
        plan.publish[0].window = 1000;
        let mut recorder = Recorder::new(OPEN);
        let mut all: Vec<Publisher> = (0..publishers).map(|number| publisher(&plan, number)).collect();
        let messages: Vec<Vec<Vec<u8>>> = all.iter_mut().map(|publisher| turn(publisher, 0, &mut recorder).1).collect();
        for (publisher, messages) in all.iter_mut().zip(&messages) {
            for id in messages.iter().map(|message| packet_id(message)) {
                match plan.qos() {
                    QoS::AtMostOnce => {}
                    QoS::AtLeastOnce => drop(acknowledge(publisher, kind::PUBACK, id, 1, &mut recorder)),
                    QoS::ExactlyOnce => {
                        acknowledge(publisher, kind::PUBREC, id, 1, &mut recorder);
                        acknowledge(publisher, kind::PUBCOMP, id, 1, &mut recorder);
                    }
                }
            }
        }
        let sent: Vec<_> = all.into_iter().flat_map(|publisher| publisher.published(None).sent).collect();

        let mut expected = Delivery::default();
        let mut found = Delivery::default();
        let mut fates = fates.iter().cycle().copied();
        for number in 0..subscribers {
            let mut routes: Vec<Vec<&Vec<u8>>> = Vec::new();
            for messages in &messages {
                let mut route = Vec::new();
                let mut held: Option<&Vec<u8>> = None;
                for message in messages {
                    expected.expected += 1;
                    let fate = fates.next().unwrap();
                    if let (Fate::Late, None) = (fate, held) {
                        held = Some(message);
                        continue;
                    }
                    match fate {
                        Fate::Lost => {}
                        Fate::Doubled => route.extend([message, message]),
                        Fate::Arrives | Fate::Late => route.push(message),
                    }
                    if let (true, Some(late)) = (!matches!(fate, Fate::Lost), held) {
                        route.push(late);
                        expected.reordered += 1;
                        held = None;
                    }
                    expected.duplicates += u64::from(matches!(fate, Fate::Doubled));
                    expected.duplicates_at_qos_2 += u64::from(qos == 2 && matches!(fate, Fate::Doubled));
                    match (qos, matches!(fate, Fate::Lost)) {
                        (_, false) => {}
                        (0, true) => expected.lost_unacknowledged += 1,
                        (_, true) => expected.lost_acknowledged += 1,
                    }
                }
                route.extend(held);
                routes.push(route);
            }
            // What a broker may do: mix the publishers.
            let mut subscriber = subscriber(&plan, number);
            hand(&mut subscriber, &[0x90, 3, 0, 1, 2], 0, &mut recorder); // SUBACK
            let mut queues: Vec<VecDeque<_>> = routes.into_iter().map(VecDeque::from).collect();
            let mut packet_id = 0;
            while queues.iter().any(|queue| !queue.is_empty()) {
                for queue in &mut queues {
                    if let Some(message) = queue.pop_front() {
                        packet_id = packet_id % 60_000 + 1;
                        let forwarded = forward(message, packet_id);
                        hand(&mut subscriber, &forwarded, 2, &mut recorder);
                    }
                }
            }
            found.merge(&subscriber.settle(&sent, true));
        }
        expected.received = expected.expected - expected.lost();
        prop_assert_eq!(found, expected);
        prop_assert_eq!(recorder.delivered.total, expected.received);
    }
}

/// The same message with the broker's own packet identifier.
fn forward(publish: &[u8], packet_id: u16) -> Vec<u8> {
    let frame = codec::frame(publish, u32::MAX).unwrap().unwrap();
    let view = codec::publish_view(frame.header, frame.body, Version::V311).unwrap();
    let mut bytes = Vec::new();
    let packet_id = if view.qos == QoS::AtMostOnce {
        0
    } else {
        packet_id
    };
    PublishView { packet_id, ..view }
        .write(Version::V311, &mut bytes)
        .unwrap();
    bytes
}

/// A publisher of six messages with a window of four, and what it has written.
fn in_flight(qos: QoS) -> (Publisher, Vec<Vec<u8>>, Recorder) {
    let mut plan = plan(1, 1);
    plan.stop = Stop::Count(6);
    plan.publish[0].qos = qos;
    plan.publish[0].window = 4;
    plan.publish[0].persistent = true;
    let mut publisher = publisher(&plan, 0);
    let mut recorder = Recorder::new(OPEN);
    let (_, sent) = turn(&mut publisher, MS, &mut recorder);
    assert_eq!(sent.len(), 4);
    (publisher, sent, recorder)
}

/// What it says first on a new connection.
fn come_back(publisher: &mut Publisher, resumed: bool) -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    publisher.come_back(resumed, 3 * MS, &mut out);
    packets(&out)
}

#[test]
fn in_a_session_that_was_kept_the_rest_is_sent_again_in_order_with_dup() {
    for qos in [QoS::AtLeastOnce, QoS::ExactlyOnce] {
        let (mut publisher, sent, mut recorder) = in_flight(qos);
        let kind = match qos {
            QoS::AtLeastOnce => kind::PUBACK,
            _ => kind::PUBREC,
        };
        let second = packet_id(&sent[1]);
        acknowledge(&mut publisher, kind, second, 2 * MS, &mut recorder);
        let again = come_back(&mut publisher, true);
        let marked = |place: usize| {
            let mut packet = sent[place].clone();
            packet[0] |= 0b1000;
            packet
        };
        match qos {
            QoS::AtLeastOnce => assert_eq!(again, [marked(0), marked(2), marked(3)]),
            _ => {
                let mut release = Vec::new();
                write_acknowledgement(kind::PUBREL, second, &mut release);
                assert_eq!(again, [marked(0), release, marked(2), marked(3)]);
            }
        }
    }
}

#[test]
fn what_was_in_flight_when_a_session_ended_is_not_held_against_the_broker() {
    let (mut publisher, sent, mut recorder) = in_flight(QoS::AtLeastOnce);
    let second = packet_id(&sent[1]);
    acknowledge(&mut publisher, kind::PUBACK, second, 2 * MS, &mut recorder);
    assert!(come_back(&mut publisher, false).is_empty());
    let (_, more) = turn(&mut publisher, 4 * MS, &mut recorder);
    assert_eq!(more.len(), 2, "the window is free again");
    let unacknowledged = &publisher.published(None).sent[0].unacknowledged;
    assert_eq!(unacknowledged.iter().collect::<Vec<_>>(), [0, 2, 3, 4, 5]);
}
