//! The broker as the sender: identifiers, resends, windows, aliases (3.3 to 3.7, 4.3, 4.4, 4.6, 4.9).

use mqtt_toolbox::mqtt::packet::*;
use mqtt_toolbox::mqtt::{Property, QoS, ReasonCode, Version};

use super::client::{Client, KEPT, QUALITIES, VERSIONS, greeting_with, in_words, kept};
use crate::servers::MqttServe;

fn start() -> MqttServe {
    MqttServe::start([""; 0])
}

#[test]
fn to_a_subscriber_every_message_has_an_identifier_of_its_own() {
    let broker = start();
    for version in VERSIONS {
        let mut publisher = Client::join(&broker, version, "publisher");
        let mut subscriber = Client::join(&broker, version, "subscriber");
        subscriber.subscribe("a", QoS::ExactlyOnce);
        for qos in QUALITIES.into_iter().cycle().take(90) {
            publisher.publish("a", "x", qos);
        }
        let mut ids: Vec<u16> = Vec::new();
        for packet in subscriber.sees() {
            let Packet::Publish(message) = packet else {
                panic!("{packet:?}")
            };
            assert!(!message.dup);
            assert_eq!(message.qos == QoS::AtMostOnce, message.packet_id == 0);
            ids.extend((message.packet_id > 0).then_some(message.packet_id));
        }
        let unlike: std::collections::HashSet<&u16> = ids.iter().collect();
        assert_eq!((ids.len(), unlike.len()), (60, 60));
    }
}

#[test]
fn unacknowledged_messages_come_again_on_the_next_connection_in_their_order_and_marked() {
    let broker = start();
    for version in VERSIONS {
        let mut publisher = Client::join(&broker, version, "publisher");
        let mut subscriber = Client::resume(&broker, version, "subscriber");
        subscriber.subscribe("a", QoS::ExactlyOnce);
        for number in 0..6 {
            publisher.publish("a", &number.to_string(), QUALITIES[1 + number % 2]);
        }
        let first: Vec<Publish> = (0..6).map(|_| subscriber.message()).collect();
        // One is taken, one is half taken; nothing is sent twice on one connection.
        subscriber.acknowledge(&first[2]);
        subscriber.acknowledge(&first[3]);
        match &subscriber.sees()[..] {
            [Packet::PubRel(release)] => assert_eq!(release.packet_id, first[3].packet_id),
            other => panic!("{other:?}"),
        }
        subscriber.vanish();
        publisher.publish("a", "meanwhile", QoS::AtLeastOnce);
        publisher.publish("a", "not kept", QoS::AtMostOnce);
        let mut subscriber = Client::resume(&broker, version, "subscriber");
        let again = subscriber.sees();
        let words: Vec<String> = again
            .iter()
            .map(|packet| match packet {
                Packet::Publish(publish) => in_words(publish),
                Packet::PubRel(release) => {
                    assert_eq!(release.packet_id, first[3].packet_id);
                    "PUBREL".into()
                }
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(
            words,
            [
                "a 0 1 dup",
                "a 1 2 dup",
                "PUBREL",
                "a 4 1 dup",
                "a 5 2 dup",
                "a meanwhile 1"
            ]
        );
        for packet in &again {
            if let Packet::Publish(publish) = packet
                && publish.dup
            {
                let number: usize = std::str::from_utf8(&publish.payload)
                    .unwrap()
                    .parse()
                    .unwrap();
                assert_eq!(publish.packet_id, first[number].packet_id);
            }
        }
        subscriber.vanish();
        // Those that were only sent come again; a meanwhile that was sent is a duplicate now too.
        let mut subscriber = Client::resume(&broker, version, "subscriber");
        let words: Vec<String> = subscriber.takes().iter().map(in_words).collect();
        assert_eq!(
            words,
            [
                "a 0 1 dup",
                "a 1 2 dup",
                "a 4 1 dup",
                "a 5 2 dup",
                "a meanwhile 1 dup"
            ]
        );
        subscriber.leave();
        let mut subscriber = Client::resume(&broker, version, "subscriber");
        assert_eq!(subscriber.sees(), []);
        subscriber.leave();
        Client::join(&broker, version, "subscriber").leave();
    }
}

#[test]
fn a_qos_2_message_is_not_sent_again_once_it_is_received() {
    let broker = start();
    for version in VERSIONS {
        let mut publisher = Client::join(&broker, version, "publisher");
        let mut subscriber = Client::resume(&broker, version, "subscriber");
        subscriber.subscribe("a", QoS::ExactlyOnce);
        publisher.publish("a", "once", QoS::ExactlyOnce);
        let message = subscriber.message();
        subscriber.acknowledge(&message);
        let release = subscriber.wire.receive();
        let expected = Packet::PubRel(Acknowledgement::success(message.packet_id));
        assert_eq!(release, expected);
        // PUBREL is unacknowledged until PUBCOMP, and so it is what comes again, every time.
        for _ in 0..3 {
            subscriber.vanish();
            subscriber = Client::resume(&broker, version, "subscriber");
            assert_eq!(subscriber.sees(), std::slice::from_ref(&expected));
        }
        let complete = Acknowledgement::success(message.packet_id);
        subscriber.wire.send(Packet::PubComp(complete));
        assert_eq!(subscriber.sees(), []);
        subscriber.vanish();
        let mut subscriber = Client::resume(&broker, version, "subscriber");
        assert_eq!(subscriber.sees(), []);
        subscriber.leave();
        Client::join(&broker, version, "subscriber").leave();
    }
}

#[test]
fn pubrel_follows_the_order_of_the_pubrecs() {
    let broker = start();
    for version in VERSIONS {
        let mut publisher = Client::join(&broker, version, "publisher");
        let mut subscriber = Client::join(&broker, version, "subscriber");
        subscriber.subscribe("a", QoS::ExactlyOnce);
        for _ in 0..50 {
            publisher.publish("a", "x", QoS::ExactlyOnce);
        }
        let messages: Vec<Publish> = (0..50).map(|_| subscriber.message()).collect();
        let received: Vec<u16> = (0..50)
            .map(|number| messages[number * 7 % 50].packet_id)
            .collect();
        for packet_id in &received {
            let answer = Acknowledgement::success(*packet_id);
            subscriber.wire.send(Packet::PubRec(answer));
        }
        let expected = received.into_iter().map(Acknowledgement::success);
        let expected: Vec<Packet> = expected.map(Packet::PubRel).collect();
        assert_eq!(subscriber.sees(), expected);
    }
}

#[test]
fn a_message_the_client_refuses_is_done_with() {
    let broker = start();
    let mut publisher = Client::join(&broker, Version::V5, "publisher");
    let one = Property::ReceiveMaximum(1);
    let expiry = Property::SessionExpiryInterval(KEPT);
    let greeting = greeting_with("picky", &[one, expiry]);
    let mut subscriber = Client::greet(&broker, greeting);
    subscriber.subscribe("a", QoS::ExactlyOnce);
    for qos in [QoS::AtLeastOnce, QoS::ExactlyOnce, QoS::ExactlyOnce] {
        publisher.publish("a", "x", qos);
    }
    for _ in 0..3 {
        let message = subscriber.message();
        let mut refusal = Acknowledgement::success(message.packet_id);
        refusal.reason = ReasonCode(0x97);
        subscriber.wire.send(match message.qos {
            QoS::AtLeastOnce => Packet::PubAck(refusal),
            _ => Packet::PubRec(refusal),
        });
    }
    assert_eq!(subscriber.sees(), [], "no PUBREL for what was refused");
    subscriber.vanish();
    let mut subscriber = Client::resume(&broker, Version::V5, "picky");
    assert_eq!(subscriber.sees(), []);
}

#[test]
fn no_more_messages_are_under_way_than_the_client_takes_and_all_else_goes_on() {
    let broker = start();
    let mut publisher = Client::join(&broker, Version::V5, "publisher");
    for maximum in [1, 2, 10] {
        let property = Property::ReceiveMaximum(maximum);
        let mut subscriber = Client::greet(&broker, greeting_with("narrow", &[property]));
        subscriber.subscribe("a", QoS::ExactlyOnce);
        for number in 0..30 {
            publisher.publish("a", &number.to_string(), QUALITIES[1 + number % 2]);
        }
        let mut under_way = Vec::new();
        for packet in subscriber.sees() {
            let Packet::Publish(message) = packet else {
                panic!("{packet:?}")
            };
            under_way.push(message);
        }
        assert_eq!(under_way.len(), usize::from(maximum));
        // Subscribing, publishing and pinging are as quick as ever.
        subscriber.subscribe("b", QoS::AtMostOnce);
        subscriber.publish("c", "x", QoS::ExactlyOnce);
        assert_eq!(subscriber.unsubscribe(&["b"]), [0]);
        // PUBREC alone makes no room, PUBACK and PUBCOMP do.
        let mut order = Vec::new();
        while let Some(message) = (!under_way.is_empty()).then(|| under_way.remove(0)) {
            order.push(String::from_utf8_lossy(&message.payload).into_owned());
            subscriber.acknowledge(&message);
            if message.qos == QoS::ExactlyOnce {
                match &subscriber.sees()[..] {
                    [Packet::PubRel(release)] => {
                        assert_eq!(release.packet_id, message.packet_id);
                    }
                    other => panic!("{other:?}"),
                }
                let complete = Acknowledgement::success(message.packet_id);
                subscriber.wire.send(Packet::PubComp(complete));
            }
            for packet in subscriber.sees() {
                let Packet::Publish(message) = packet else {
                    panic!("{packet:?}")
                };
                under_way.push(message);
            }
            assert!(under_way.len() <= usize::from(maximum));
        }
        let expected: Vec<String> = (0..30).map(|number| number.to_string()).collect();
        assert_eq!(order, expected);
        subscriber.leave();
    }
}

#[test]
fn the_window_of_the_new_connection_holds_for_what_comes_again() {
    let broker = start();
    let mut publisher = Client::join(&broker, Version::V5, "publisher");
    let mut subscriber = Client::resume(&broker, Version::V5, "narrower");
    subscriber.subscribe("a", QoS::AtLeastOnce);
    for number in 0..5 {
        publisher.publish("a", &number.to_string(), QoS::AtLeastOnce);
    }
    assert_eq!(subscriber.sees().len(), 5);
    subscriber.vanish();
    let mut greeting = kept(Version::V5, "narrower");
    greeting.properties.push(Property::ReceiveMaximum(2));
    let mut subscriber = Client::greet(&broker, greeting);
    let two = subscriber.sees();
    assert_eq!(two.len(), 2);
    for packet in two {
        if let Packet::Publish(message) = packet {
            subscriber.acknowledge(&message);
        }
    }
    assert_eq!(subscriber.hears(), ["a 2 1 dup", "a 3 1 dup", "a 4 1 dup"]);
}

#[test]
fn a_client_is_sent_no_more_topic_aliases_than_it_takes() {
    let broker = start();
    let mut publisher = Client::join(&broker, Version::V5, "publisher");
    for maximum in [0, 1, 3] {
        let expiry = Property::SessionExpiryInterval(KEPT);
        let mut greeting =
            greeting_with("aliased", &[Property::TopicAliasMaximum(maximum), expiry]);
        greeting.clean_start = false;
        for _connection in 0..2 {
            let mut subscriber = Client::greet(&broker, greeting.clone());
            subscriber.subscribe("t/#", QoS::AtMostOnce);
            for round in 0..2 {
                for topic in ["t/1", "t/2", "t/3", "t/4"] {
                    publisher.publish(topic, &round.to_string(), QoS::AtLeastOnce);
                }
            }
            let mut known = std::collections::HashMap::new();
            let mut topics = Vec::new();
            for message in subscriber.takes() {
                let alias = message.properties.topic_alias();
                assert!(alias.is_none_or(|alias| alias > 0 && alias <= maximum));
                match alias {
                    Some(alias) if message.topic.is_empty() => {
                        let named: &String =
                            known.get(&alias).expect("introduced on this connection");
                        topics.push(named.clone());
                    }
                    Some(alias) => {
                        known.insert(alias, message.topic.to_string());
                        topics.push(message.topic.to_string());
                    }
                    None => topics.push(message.topic.to_string()),
                }
            }
            let one = ["t/1", "t/2", "t/3", "t/4"];
            assert_eq!(topics, [one, one].concat());
            assert_eq!(known.len(), usize::from(maximum));
            subscriber.vanish();
        }
    }
}
