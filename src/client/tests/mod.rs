//! The faults of the library beneath, each played by a scripted broker: what it would have done is in the comments.

pub(crate) mod broker;
mod last_turn;
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

async fn refusal(options: &ConnectOptions) -> Failure {
    match connect(options, SOON).await {
        Ok(_) => panic!("it connected"),
        Err(failure) => failure,
    }
}

// The library takes `E0 01 xx` for the beginning of a longer packet and swallows it.
#[tokio::test]
async fn a_disconnect_without_properties_says_its_reason() {
    let broker = Broker::new(Version::V5).await;
    let options = broker.options();
    let (mut session, mut peer) = established(&broker, &options, SOON).await;
    peer.write_bytes(&[0xE0, 0x01, 0x8E]).await;
    let Event::Lost {
        failure, retry_in, ..
    } = session.next().await
    else {
        panic!("not lost");
    };
    assert_eq!(
        failure.to_string(),
        "the broker ended the connection: session taken over: another client connected with the same client id; \
         give each its own --id, or see --takeover"
    );
    // Coming back would throw the other one out.
    assert_eq!((failure.exit(), retry_in), (Exit::Lost, None));
}

// The library waits for the rest of a CONNACK of MQTT 5 until its timeout.
#[tokio::test]
async fn an_old_broker_is_recognised_at_once_by_its_connack() {
    let broker = Broker::new(Version::V5).await;
    let options = broker.options();
    let (failure, ()) = tokio::join!(refusal(&options), async {
        let mut peer = broker.accept().await;
        peer.write_bytes(&[0x20, 0x02, 0x00, 0x01]).await;
        assert!(peer.read_if_open().await.is_none());
    });
    assert_eq!(failure.exit(), Exit::Refused);
    let words = failure.to_string();
    assert!(
        words.ends_with("unsupported protocol version; try --protocol-version auto or 311, and no option that only MQTT 5 has"),
        "{words}"
    );
}

// The library reports a refusal without the reason string.
#[tokio::test]
async fn a_refusal_is_reported_in_the_brokers_words() {
    let broker = Broker::new(Version::V5).await;
    let options = broker.options();
    let (failure, ()) = tokio::join!(refusal(&options), async {
        let mut peer = broker.accept().await;
        let reason_string = Property::ReasonString("not on Sundays".into());
        peer.write(Packet::ConnAck(ConnAck {
            session_present: false,
            reason: ReasonCode::BANNED,
            properties: Properties(vec![reason_string]),
        }))
        .await;
    });
    assert_eq!(failure.exit(), Exit::Refused);
    let words = failure.to_string();
    assert!(words.ends_with("banned (not on Sundays)"), "{words}");
}

// The library returns an error and keeps the messages before it in its queue.
#[tokio::test]
async fn messages_that_arrive_together_with_the_end_are_not_withheld() {
    for version in VERSIONS {
        let broker = Broker::new(version).await;
        let options = broker.options();
        let (mut session, mut peer) = established(&broker, &options, Retry::NEVER).await;
        let mut bytes = Vec::new();
        for payload in ["one", "two", "three"] {
            let packet = Packet::Publish(message(QoS::AtMostOnce, payload));
            codec::write(&packet, version, &mut bytes).unwrap();
        }
        peer.write_bytes(&bytes).await;
        drop(peer);
        for payload in ["one", "two", "three"] {
            let event = session.next().await;
            let Event::Message(message) = event else {
                panic!("{version}: {payload} is missing: {event:?}");
            };
            assert_eq!(message.payload, payload);
        }
        let Event::Lost { failure, .. } = session.next().await else {
            panic!("not lost");
        };
        assert_eq!(failure.to_string(), "the broker closed the connection");
    }
}

// The library cuts off at 10 KiB, closes the connection, and does so again for ever if the message is retained.
#[tokio::test]
async fn a_large_message_is_no_poison() {
    for version in VERSIONS {
        let broker = Broker::new(version).await;
        let options = broker.options();
        let (mut session, mut peer) = established(&broker, &options, Retry::NEVER).await;
        let large = "x".repeat(3_000_000);
        let packet = Packet::Publish(message(QoS::AtMostOnce, &large));
        let (event, ()) = tokio::join!(async { session.next().await }, peer.write(packet));
        let Event::Message(message) = event else {
            panic!("{version}: {event:?}");
        };
        assert!(message.payload == large, "{version}");
    }
}

// The library would send it, lose the connection, and send it again for ever.
#[tokio::test]
async fn what_the_broker_said_it_does_not_take_is_not_sent() {
    let broker = Broker::new(Version::V5).await;
    let options = broker.options();
    let limits = Properties(vec![
        Property::MaximumPacketSize(100),
        Property::MaximumQoS(1),
        Property::RetainAvailable(0),
    ]);
    let (session, mut peer) = tokio::join!(
        connect(&options, Retry::NEVER),
        broker.welcome(false, limits)
    );
    let mut session = session.unwrap();
    // 1 + 1 for the fixed header, 3 for the topic, 2 for the packet id, 1 for the properties.
    let mut retained = message(QoS::AtMostOnce, "x");
    retained.retain = true;
    for (publish, error) in [
        (
            message(QoS::AtLeastOnce, &"x".repeat(93)),
            Unfit::TooLarge {
                length: 101,
                maximum: 100,
            },
        ),
        (retained, Unfit::RetainNotAvailable),
        (message(QoS::ExactlyOnce, "x"), Unfit::QoSNotAvailable(1)),
    ] {
        assert_eq!(session.publish(publish), Err(error));
    }
    let fits = message(QoS::AtLeastOnce, &"x".repeat(92));
    session.publish(fits.clone()).unwrap();
    assert_eq!(peer.publish().await.payload, fits.payload);
}

// The library drops everything it has queued when the broker has not kept the session.
#[tokio::test]
async fn nothing_unacknowledged_is_forgotten_when_the_broker_forgot_the_session() {
    for version in VERSIONS {
        let broker = Broker::new(version).await;
        let options = broker.options();
        let (mut session, mut peer) = established(&broker, &options, SOON).await;
        let payloads = ["0", "1", "2", "3", "4", "5"];
        for payload in payloads {
            session.publish(message(QoS::AtLeastOnce, payload)).unwrap();
        }
        let mut complete = Vec::new();
        let work = async {
            while complete.len() < payloads.len() {
                if let Event::Complete { number, reason } = session.next().await {
                    assert_eq!(reason, ReasonCode::SUCCESS);
                    complete.push(number);
                }
            }
        };
        let script = async {
            let mut ids = Vec::new();
            for _ in payloads {
                ids.push(peer.publish().await.packet_id);
            }
            // Out of order, and then the end.
            peer.acknowledge(ids[1]).await;
            drop(peer);
            let mut peer = broker.welcome(false, Properties::default()).await;
            for payload in ["0", "2", "3", "4", "5"] {
                let publish = peer.publish().await;
                assert_eq!(publish.payload, payload);
                assert!(!publish.dup, "to this session it is new");
                peer.acknowledge(publish.packet_id).await;
            }
            peer
        };
        let ((), _peer) = tokio::join!(work, script);
        assert_eq!(complete, [1, 0, 2, 3, 4, 5]);
        assert!(session.is_complete());
    }
}

#[tokio::test]
async fn a_kept_session_gets_the_unacknowledged_messages_again_and_each_completes_once() {
    for version in VERSIONS {
        let broker = Broker::new(version).await;
        let mut options = broker.options();
        options.clean_start = false;
        options.session_expiry = u32::MAX;
        let (mut session, mut peer) = established(&broker, &options, SOON).await;
        for payload in ["0", "1", "2"] {
            session.publish(message(QoS::AtLeastOnce, payload)).unwrap();
        }
        let mut complete = Vec::new();
        let work = async {
            while complete.len() < 3 {
                if let Event::Complete { number, .. } = session.next().await {
                    complete.push(number);
                }
            }
        };
        let script = async {
            let ids = [
                peer.publish().await.packet_id,
                peer.publish().await.packet_id,
                peer.publish().await.packet_id,
            ];
            peer.acknowledge(ids[0]).await;
            // The end may overtake nothing: the client has read the acknowledgement when it connects again.
            drop(peer);
            let mut peer = broker.welcome(true, Properties::default()).await;
            let mut again = Vec::new();
            while again.len() < 2 {
                let publish = peer.publish().await;
                assert!(publish.dup);
                again.push((publish.packet_id, publish.payload.clone()));
                peer.acknowledge(publish.packet_id).await;
            }
            assert_eq!(again, [(ids[1], "1".into()), (ids[2], "2".into())]);
            peer
        };
        let ((), _peer) = tokio::join!(work, script);
        assert_eq!(complete, [0, 1, 2]);
    }
}

#[tokio::test]
async fn a_broker_that_forgot_the_session_is_subscribed_to_again() {
    for version in VERSIONS {
        let broker = Broker::new(version).await;
        let options = broker.options();
        let (mut session, mut peer) = established(&broker, &options, SOON).await;
        session.subscribe(to("a/#"), Properties::default()).unwrap();
        let work = async {
            let mut granted = 0;
            while granted < 2 {
                if let Event::Subscribed(reasons) = session.next().await {
                    assert_eq!(reasons, [ReasonCode::GRANTED_QOS_2]);
                    granted += 1;
                }
            }
        };
        let script = async {
            grant(&mut peer).await;
            drop(peer);
            let mut peer = broker.welcome(false, Properties::default()).await;
            grant(&mut peer).await;
            peer
        };
        let ((), _peer) = tokio::join!(work, script);
    }
}

async fn grant(peer: &mut Peer) {
    let Packet::Subscribe(subscribe) = peer.read().await else {
        panic!("no SUBSCRIBE");
    };
    peer.write(Packet::SubAck(SubAck {
        packet_id: subscribe.packet_id,
        reasons: vec![ReasonCode::GRANTED_QOS_2; subscribe.filters.len()],
        properties: Properties::default(),
    }))
    .await;
}

// The library acknowledges whatever it has read, at most 128 messages ahead of us.
#[tokio::test]
async fn only_what_was_dealt_with_is_acknowledged() {
    for version in VERSIONS {
        let broker = Broker::new(version).await;
        let options = broker.options();
        let (mut session, mut peer) = established(&broker, &options, Retry::NEVER).await;
        for packet_id in 1..=3 {
            let mut publish = message(QoS::AtLeastOnce, "x");
            publish.packet_id = packet_id;
            peer.write(Packet::Publish(publish)).await;
        }
        for packet_id in 1..=3 {
            let Event::Message(message) = session.next().await else {
                panic!("no message");
            };
            assert_eq!(message.packet_id, packet_id);
        }
        session.acknowledge(QoS::AtLeastOnce, 1);
        session.acknowledge(QoS::AtLeastOnce, 2);
        let farewell = async {
            let mut packets = Vec::new();
            while let Some(packet) = peer.read_if_open().await {
                packets.push(packet);
            }
            drop(peer);
            packets
        };
        let (outcome, packets) = tokio::join!(session.disconnect(), farewell);
        outcome.unwrap();
        let acknowledgement = |id| Packet::PubAck(Acknowledgement::success(id));
        assert_eq!(packets[..2], [acknowledgement(1), acknowledgement(2)]);
        assert!(
            matches!(packets[2..], [Packet::Disconnect(_)]),
            "{packets:?}"
        );
    }
}

#[tokio::test]
async fn leaving_waits_until_a_qos_2_message_has_arrived_for_good() {
    for version in VERSIONS {
        let broker = Broker::new(version).await;
        let options = broker.options();
        let (mut session, mut peer) = established(&broker, &options, Retry::NEVER).await;
        let mut publish = message(QoS::ExactlyOnce, "x");
        publish.packet_id = 9;
        peer.write(Packet::Publish(publish)).await;
        assert!(matches!(session.next().await, Event::Message(_)));
        session.acknowledge(QoS::ExactlyOnce, 9);
        let script = async {
            assert!(matches!(peer.read().await, Packet::PubRec(rec) if rec.packet_id == 9));
            peer.write(Packet::PubRel(Acknowledgement::success(9)))
                .await;
            assert!(matches!(peer.read().await, Packet::PubComp(comp) if comp.packet_id == 9));
            assert!(matches!(peer.read().await, Packet::Disconnect(_)));
        };
        let (outcome, ()) = tokio::join!(session.disconnect(), script);
        outcome.unwrap();
    }
}

#[tokio::test]
async fn a_refused_publish_completes_with_its_reason() {
    let broker = Broker::new(Version::V5).await;
    let options = broker.options();
    let (mut session, mut peer) = established(&broker, &options, Retry::NEVER).await;
    for qos in [QoS::AtLeastOnce, QoS::ExactlyOnce] {
        let number = session.publish(message(qos, "x")).unwrap();
        let publish = peer.publish().await;
        let refusal = Acknowledgement {
            reason: ReasonCode::NOT_AUTHORIZED,
            ..Acknowledgement::success(publish.packet_id)
        };
        peer.write(match qos {
            QoS::AtLeastOnce => Packet::PubAck(refusal),
            _ => Packet::PubRec(refusal),
        })
        .await;
        assert!(matches!(
            session.next().await,
            Event::Sent { again: false, .. }
        ));
        let Event::Complete {
            number: complete,
            reason,
        } = session.next().await
        else {
            panic!("not complete");
        };
        assert_eq!((complete, reason), (number, ReasonCode::NOT_AUTHORIZED));
    }
    assert!(session.is_complete());
}

// The library's PUBCOMP does not repeat what PUBREC said.
#[tokio::test]
async fn a_publish_nobody_subscribes_to_completes_with_that_reason() {
    let broker = Broker::new(Version::V5).await;
    let options = broker.options();
    let (mut session, mut peer) = established(&broker, &options, Retry::NEVER).await;
    session
        .publish(message(QoS::ExactlyOnce, "unheard"))
        .unwrap();
    session.publish(message(QoS::ExactlyOnce, "heard")).unwrap();
    let script = async {
        for reason in [ReasonCode::NO_MATCHING_SUBSCRIBERS, ReasonCode::SUCCESS] {
            let publish = peer.publish().await;
            let answer = Acknowledgement::success(publish.packet_id);
            let received = Acknowledgement {
                reason,
                ..answer.clone()
            };
            peer.write(Packet::PubRec(received)).await;
        }
        for _ in 0..2 {
            let Packet::PubRel(released) = peer.read().await else {
                panic!("no PUBREL");
            };
            let answer = Acknowledgement::success(released.packet_id);
            peer.write(Packet::PubComp(answer)).await;
        }
    };
    let watching = async {
        let mut reasons = Vec::new();
        while !session.is_complete() {
            if let Event::Complete { reason, .. } = session.next().await {
                reasons.push(reason);
            }
        }
        reasons
    };
    let (reasons, ()) = tokio::join!(watching, script);
    assert_eq!(
        reasons,
        [ReasonCode::NO_MATCHING_SUBSCRIBERS, ReasonCode::SUCCESS]
    );
}

// The library's MQTT 5 half waits without end for a socket that takes nothing.
#[tokio::test]
async fn a_broker_that_takes_nothing_any_more_is_given_up() {
    for version in VERSIONS {
        let broker = Broker::new(version).await;
        let mut options = broker.options();
        options.keep_alive = 1;
        let (mut session, peer) = established(&broker, &options, Retry::NEVER).await;
        let large = message(QoS::AtMostOnce, &"x".repeat(32_000_000));
        session.publish(large).unwrap();
        loop {
            if let Event::Lost { failure, .. } = session.next().await {
                assert_eq!(
                    failure.to_string(),
                    "the broker took nothing for 1s 500ms (1.5 times --keepalive)"
                );
                break;
            }
        }
        drop(peer);
    }
}

#[tokio::test]
async fn a_broker_that_is_silent_after_connect_is_named() {
    for version in VERSIONS {
        let broker = Broker::new(version).await;
        let mut options = broker.options();
        options.connect_timeout = Duration::from_secs(1);
        let (failure, _peer) = tokio::join!(refusal(&options), broker.accept());
        let endpoint = &options.endpoint;
        assert_eq!(
            failure,
            Failure::obstructed(
                Obstacle::Silence,
                format!(
                    "{endpoint} takes connections but sent no CONNACK within 1s (--connect-timeout); is it an MQTT broker?"
                )
            )
        );
    }
}

#[tokio::test]
async fn an_answer_may_have_a_limit_of_its_own() {
    let broker = Broker::new(Version::V311).await;
    let mut options = broker.options();
    options.connect_timeout = Duration::from_secs(600);
    options.answer_timeout = Some(Duration::from_secs(1));
    let (failure, _peer) = tokio::join!(refusal(&options), broker.accept());
    let words = failure.to_string();
    assert!(
        words.contains("sent no CONNACK within 1s (--keepalive)"),
        "{words}"
    );
}

#[tokio::test]
async fn a_broker_that_hangs_up_before_connack_was_not_reached() {
    let broker = Broker::new(Version::V311).await;
    let options = broker.options();
    let (failure, ()) = tokio::join!(refusal(&options), async {
        drop(broker.accept().await);
    });
    assert_eq!(failure.exit(), Exit::NotReached);
    let words = failure.to_string();
    assert!(
        words
            .ends_with("the broker closed the connection before CONNACK; does it take MQTT 3.1.1, or only TLS (mqtts://)?"),
        "{words}"
    );
}

// Polling the library under a time limit while it connects starts anew each time.
#[tokio::test]
async fn waiting_for_an_event_may_be_cancelled_while_connecting() {
    let broker = Broker::new(Version::V311).await;
    let options = broker.options();
    let (mut session, peer) = established(&broker, &options, SOON).await;
    drop(peer);
    assert!(matches!(session.next().await, Event::Lost { .. }));
    let slow = async {
        let mut peer = broker.accept().await;
        // Longer than each of the waits.
        tokio::time::sleep(Duration::from_millis(50)).await;
        peer.write_bytes(&[0x20, 2, 0, 0]).await;
        peer
    };
    let impatient = async {
        loop {
            let wait = tokio::time::timeout(Duration::from_millis(5), session.next());
            if let Ok(event) = wait.await {
                return event;
            }
        }
    };
    let (event, _peer) = tokio::join!(impatient, slow);
    assert!(matches!(event, Event::Connected), "{event:?}");
}

// Unset, the library reserves 16 MB in its MQTT 5 half.
#[tokio::test]
async fn no_more_messages_are_under_way_than_the_broker_wants() {
    let broker = Broker::new(Version::V5).await;
    let options = broker.options();
    let limit = Properties(vec![Property::ReceiveMaximum(2)]);
    let (session, mut peer) = tokio::join!(
        connect(&options, Retry::NEVER),
        broker.welcome(false, limit)
    );
    let mut session = session.unwrap();
    for _ in 0..5 {
        assert!(session.has_room());
        session.publish(message(QoS::AtLeastOnce, "x")).unwrap();
    }
    let work = async {
        while !session.is_complete() {
            session.next().await;
        }
    };
    let script = async {
        for expected in [1, 2] {
            assert_eq!(peer.publish().await.packet_id, expected);
        }
        for _ in 0..3 {
            let nothing = tokio::time::timeout(Duration::from_millis(20), peer.publish()).await;
            assert!(
                nothing.is_err(),
                "a third message before the first is acknowledged"
            );
            peer.acknowledge(1).await;
            assert_eq!(peer.publish().await.packet_id, 1);
        }
        peer.acknowledge(1).await;
        peer.acknowledge(2).await;
    };
    tokio::join!(work, script);
}

#[tokio::test]
async fn an_mqtt_3_1_broker_is_spoken_to_in_its_version() {
    let broker = Broker::new(Version::V31).await;
    let options = broker.options();
    let (mut session, mut peer) = established(&broker, &options, Retry::NEVER).await;
    session.publish(message(QoS::AtMostOnce, "x")).unwrap();
    assert_eq!(peer.publish().await.payload, "x");
}

// The library forgets what it was told to acknowledge when the connection ends before it has.
#[tokio::test]
async fn a_qos_2_message_whose_pubrec_was_lost_is_not_delivered_twice() {
    for version in VERSIONS {
        let broker = Broker::new(version).await;
        let mut options = broker.options();
        options.clean_start = false;
        let (mut session, mut peer) = established(&broker, &options, SOON).await;
        let mut publish = message(QoS::ExactlyOnce, "once");
        publish.packet_id = 5;
        peer.write(Packet::Publish(publish.clone())).await;
        assert!(matches!(session.next().await, Event::Message(_)));
        drop(peer);
        assert!(matches!(session.next().await, Event::Lost { .. }));
        // Dealt with only now.
        session.acknowledge(QoS::ExactlyOnce, 5);
        publish.dup = true;
        let mut last = message(QoS::AtMostOnce, "another");
        last.packet_id = 0;
        let script = async {
            let mut peer = broker.welcome(true, Properties::default()).await;
            peer.write(Packet::Publish(publish)).await;
            assert!(matches!(peer.read().await, Packet::PubRec(rec) if rec.packet_id == 5));
            peer.write(Packet::PubRel(Acknowledgement::success(5)))
                .await;
            assert!(matches!(peer.read().await, Packet::PubComp(comp) if comp.packet_id == 5));
            peer.write(Packet::Publish(last)).await;
            peer
        };
        let work = async {
            loop {
                if let Event::Message(message) = session.next().await {
                    return message.payload;
                }
            }
        };
        let (payload, _peer) = tokio::join!(work, script);
        assert_eq!(payload, "another");
    }
}
