//! PUBLISH and its handshakes, in both directions (3.3 to 3.7, 4.3, 4.6, 4.9).

use mqtt_toolbox::mqtt::packet::*;
use mqtt_toolbox::mqtt::{Properties, Property, QoS, ReasonCode, Version};

use super::client::{Client, KEPT, QUALITIES, VERSIONS, greeting_with, in_words, kept, request};
use crate::servers::MqttServe;
use crate::wire::publish;

fn start() -> MqttServe {
    MqttServe::start([""; 0])
}

#[test]
fn a_message_comes_with_the_lower_of_its_quality_and_the_subscription_s() {
    let broker = start();
    for version in VERSIONS {
        let mut publisher = Client::join(&broker, version, "publisher");
        let mut subscriber = Client::join(&broker, version, "subscriber");
        for published in QUALITIES {
            for granted in QUALITIES {
                subscriber.subscribe("lower", granted);
                publisher.publish("lower", "x", published);
                let lower = published.min(granted).number();
                assert_eq!(subscriber.hears(), [format!("lower x {lower}")]);
            }
        }
    }
}

#[test]
fn each_quality_of_service_is_answered_with_its_own_packets_and_identifier() {
    let broker = start();
    for version in VERSIONS {
        let mut client = Client::join(&broker, version, "publisher");
        for packet_id in [1, 2, 255, 256, 65_535] {
            let success = Acknowledgement::success;
            let code = |packet: Packet| match packet {
                Packet::PubAck(mut answer) => {
                    answer.reason = ReasonCode::SUCCESS;
                    Packet::PubAck(answer)
                }
                Packet::PubRec(mut answer) => {
                    answer.reason = ReasonCode::SUCCESS;
                    Packet::PubRec(answer)
                }
                other => other,
            };
            let wire = &mut client.wire;
            wire.send(publish("a", b"x", QoS::AtLeastOnce, packet_id));
            assert_eq!(code(wire.receive()), Packet::PubAck(success(packet_id)));
            wire.send(publish("a", b"x", QoS::ExactlyOnce, packet_id));
            assert_eq!(code(wire.receive()), Packet::PubRec(success(packet_id)));
            wire.send(Packet::PubRel(success(packet_id)));
            assert_eq!(wire.receive(), Packet::PubComp(success(packet_id)));
        }
        client.wire.send(publish("a", b"x", QoS::AtMostOnce, 0));
        assert_eq!(client.sees(), [], "QoS 0 has no answer");
    }
}

#[test]
fn acknowledgements_come_in_the_order_of_the_publishes() {
    let broker = start();
    for version in VERSIONS {
        let mut client = Client::join(&broker, version, "publisher");
        for qos in [QoS::AtLeastOnce, QoS::ExactlyOnce] {
            let ids: Vec<u16> = (0..500).map(|number| number * 7 % 500 + 1).collect();
            for id in &ids {
                client.wire.send(publish("a", b"x", qos, *id));
            }
            let answered = ids.iter().map(|_| match client.wire.receive() {
                Packet::PubAck(answer) | Packet::PubRec(answer) => answer.packet_id,
                other => panic!("{other:?}"),
            });
            assert_eq!(answered.collect::<Vec<u16>>(), ids);
        }
    }
}

#[test]
fn a_duplicate_at_qos_1_is_a_message_of_its_own_and_its_flag_stays_behind() {
    let broker = start();
    for version in VERSIONS {
        let mut publisher = Client::join(&broker, version, "publisher");
        let mut subscriber = Client::join(&broker, version, "subscriber");
        subscriber.subscribe("a", QoS::ExactlyOnce);
        for qos in [QoS::AtLeastOnce, QoS::ExactlyOnce] {
            publisher.publish_as("a", "again", qos, |publish| publish.dup = true);
        }
        let same = |publish: &mut Publish| publish.dup = true;
        publisher.publish_as("a", "and again", QoS::AtLeastOnce, same);
        assert_eq!(
            subscriber.hears(),
            ["a again 1", "a again 2", "a and again 1"]
        );
    }
}

#[test]
fn a_qos_2_publish_is_passed_on_once_however_often_it_is_repeated() {
    let broker = start();
    for version in VERSIONS {
        let mut subscriber = Client::join(&broker, version, "subscriber");
        subscriber.subscribe("a", QoS::ExactlyOnce);
        let mut publisher = Client::resume(&broker, version, "publisher");
        let recorded = |client: &mut Client| {
            client.expect(|packet| match packet {
                Packet::PubRec(answer) => Some(answer.packet_id),
                _ => None,
            })
        };
        let repeated = |dup| {
            let Packet::Publish(mut packet) = publish("a", b"once", QoS::ExactlyOnce, 5) else {
                unreachable!("publish makes a PUBLISH");
            };
            packet.dup = dup;
            Packet::Publish(packet)
        };
        publisher.wire.send(repeated(false));
        publisher.wire.send(repeated(true));
        publisher.wire.send(repeated(false));
        for _ in 0..3 {
            assert_eq!(recorded(&mut publisher), 5);
        }
        // Also across connections, until PUBREL.
        publisher.vanish();
        let mut publisher = Client::resume(&broker, version, "publisher");
        assert!(publisher.connack.session_present);
        publisher.wire.send(repeated(true));
        assert_eq!(recorded(&mut publisher), 5);
        for _ in 0..2 {
            // The second one is for an identifier that is not known any more.
            publisher
                .wire
                .send(Packet::PubRel(Acknowledgement::success(5)));
            publisher.expect(|packet| {
                matches!(packet, Packet::PubComp(answer) if answer.packet_id == 5).then_some(())
            });
        }
        publisher.publish("a", "fence", QoS::AtLeastOnce);
        assert_eq!(subscriber.hears(), ["a once 2", "a fence 1"]);
        // After PUBCOMP the identifier stands for a new message.
        publisher.wire.send(repeated(true));
        assert_eq!(recorded(&mut publisher), 5);
        assert_eq!(subscriber.hears(), ["a once 2"]);
        publisher.vanish();
        Client::join(&broker, version, "publisher").leave();
    }
}

#[test]
fn an_unknown_identifier_is_answered_and_said_to_be_unknown() {
    let broker = start();
    for version in VERSIONS {
        let mut client = Client::join(&broker, version, "lost");
        client
            .wire
            .send(Packet::PubRel(Acknowledgement::success(77)));
        client
            .wire
            .send(Packet::PubRec(Acknowledgement::success(78)));
        client
            .wire
            .send(Packet::PubAck(Acknowledgement::success(79)));
        client
            .wire
            .send(Packet::PubComp(Acknowledgement::success(80)));
        let unknown = |packet_id| Acknowledgement {
            reason: ReasonCode(if version == Version::V5 { 0x92 } else { 0 }),
            ..Acknowledgement::success(packet_id)
        };
        assert_eq!(
            client.sees(),
            [Packet::PubComp(unknown(77)), Packet::PubRel(unknown(78))]
        );
    }
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
fn every_property_travels_and_user_properties_keep_their_order() {
    let broker = start();
    let mut publisher = Client::join(&broker, Version::V5, "publisher");
    let mut subscriber = Client::join(&broker, Version::V5, "subscriber");
    let mut old = Client::join(&broker, Version::V311, "old");
    subscriber.subscribe("all", QoS::ExactlyOnce);
    old.subscribe("all", QoS::ExactlyOnce);
    let user = |name: &str, value: &str| Property::UserProperty(name.into(), value.into());
    let long = "x".repeat(65_535);
    let properties = vec![
        user("z", "last letter first"),
        Property::PayloadFormatIndicator(1),
        user("a", "1"),
        Property::ContentType("text/plain; charset=\u{FEFF}utf-8".into()),
        Property::ResponseTopic("answers/to/名前".into()),
        Property::CorrelationData(vec![0, 1, 2, 255].into()),
        user("a", "1"),
        user("", ""),
        user("a", "0"),
        user("名前", &long),
    ];
    for qos in QUALITIES {
        publisher.publish_as("all", "x", qos, |publish| {
            publish.properties = Properties(properties.clone());
        });
        match &subscriber.takes()[..] {
            [message] => assert_eq!(message.properties.0, properties),
            other => panic!("{other:?}"),
        }
        assert_eq!(old.hears(), [format!("all x {}", qos.number())]);
    }
    // Also after they were kept, retained or for a client that was away.
    publisher.publish_as("all", "x", QoS::AtLeastOnce, |publish| {
        publish.retain = true;
        publish.properties = Properties(properties.clone());
    });
    let mut late = Client::join(&broker, Version::V5, "late");
    late.subscribe("all", QoS::AtLeastOnce);
    match &late.takes()[..] {
        [message] => assert_eq!(message.properties.0, properties),
        other => panic!("{other:?}"),
    }
    // No property is added to a message that has none.
    publisher.publish("all", "bare", QoS::AtLeastOnce);
    assert_eq!(late.takes()[0].properties, Properties::default());
}

#[test]
fn payloads_of_any_size_and_content_arrive_as_they_are() {
    let broker = start();
    for version in VERSIONS {
        let mut publisher = Client::join(&broker, version, "publisher");
        let mut subscriber = Client::join(&broker, version, "subscriber");
        subscriber.subscribe("a", QoS::AtLeastOnce);
        for length in [0, 1, 127, 128, 16_383, 16_384, 70_000, 2_097_152] {
            let payload: Vec<u8> = (0..length).map(|byte| byte as u8).collect();
            publisher.publish_as("a", "", QoS::AtLeastOnce, |publish| {
                publish.payload = payload.clone().into();
            });
            let taken = subscriber.takes();
            assert!(taken.len() == 1 && taken[0].payload == payload, "{length}");
        }
    }
}

#[test]
fn a_topic_alias_stands_for_its_topic_on_its_connection() {
    let broker = start();
    let mut subscriber = Client::join(&broker, Version::V5, "subscriber");
    subscriber.subscribe("#", QoS::AtLeastOnce);
    let mut publisher = Client::resume(&broker, Version::V5, "publisher");
    let most = publisher.connack.properties.topic_alias_maximum().unwrap();
    let aliased = |client: &mut Client, topic: &str, payload: &str, alias: u16| {
        client.publish_as(topic, payload, QoS::AtLeastOnce, |publish| {
            publish.properties.push(Property::TopicAlias(alias));
        });
    };
    for alias in [1, most / 2, most] {
        aliased(&mut publisher, &format!("topic/{alias}"), "named", alias);
    }
    for alias in [1, most / 2, most] {
        aliased(&mut publisher, "", "by alias", alias);
    }
    aliased(&mut publisher, "other", "renamed", 1);
    aliased(&mut publisher, "", "by alias", 1);
    let (half, words) = (most / 2, subscriber.hears());
    assert_eq!(
        words,
        [
            "topic/1 named 1".to_owned(),
            format!("topic/{half} named 1"),
            format!("topic/{most} named 1"),
            "topic/1 by alias 1".to_owned(),
            format!("topic/{half} by alias 1"),
            format!("topic/{most} by alias 1"),
            "other renamed 1".to_owned(),
            "other by alias 1".to_owned(),
        ]
    );
    // The subscriber wanted no aliases and got none; they end with the connection, as does a publish without one.
    publisher.leave();
    for (alias, reason) in [(1, 0x82), (most + 1, 0x94), (u16::MAX, 0x94)] {
        let mut publisher = Client::resume(&broker, Version::V5, "publisher");
        let Packet::Publish(mut packet) = publish("", b"x", QoS::AtMostOnce, 0) else {
            unreachable!("publish makes a PUBLISH");
        };
        packet.properties.push(Property::TopicAlias(alias));
        publisher.wire.send(Packet::Publish(packet));
        publisher.ends_with(reason);
    }
    assert_eq!(subscriber.hears(), [""; 0]);
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

#[test]
fn message_expiry_counts_down_while_a_message_waits_and_then_it_is_gone() {
    let broker = start();
    let mut publisher = Client::join(&broker, Version::V5, "publisher");
    let mut subscriber = Client::resume(&broker, Version::V5, "subscriber");
    subscriber.subscribe("expiring/#", QoS::ExactlyOnce);
    let expiring = |client: &mut Client, topic: &str, qos, seconds: u32, retain| {
        client.publish_as(topic, "x", qos, |publish| {
            publish.retain = retain;
            let expiry = Property::MessageExpiryInterval(seconds);
            publish.properties.push(expiry);
        });
    };
    let expiries = |messages: &[Publish]| -> Vec<(String, Option<u32>)> {
        let each = messages.iter();
        each.map(|message| {
            let left = message.properties.message_expiry_interval();
            (message.topic.to_string(), left)
        })
        .collect()
    };
    // To those who are there it comes as it was published.
    expiring(&mut publisher, "expiring/now", QoS::ExactlyOnce, 100, false);
    assert_eq!(
        expiries(&subscriber.takes()),
        [("expiring/now".to_owned(), Some(100))]
    );
    // What has been sent goes on to its end, however long the client takes.
    expiring(&mut publisher, "expiring/sent", QoS::ExactlyOnce, 1, false);
    let sent = subscriber.message();
    assert_eq!(&*sent.topic, "expiring/sent");
    subscriber.acknowledge(&sent);
    assert!(matches!(subscriber.wire.receive(), Packet::PubRel(_)));
    subscriber.vanish();
    for qos in [QoS::AtLeastOnce, QoS::ExactlyOnce] {
        // The publisher's handshake does not mind that the message is gone before it ends.
        expiring(&mut publisher, "expiring/at once", qos, 0, false);
        expiring(&mut publisher, "expiring/soon", qos, 1, false);
        expiring(&mut publisher, "expiring/later", qos, 100, false);
    }
    expiring(
        &mut publisher,
        "expiring/kept/soon",
        QoS::AtLeastOnce,
        1,
        true,
    );
    expiring(
        &mut publisher,
        "expiring/kept/later",
        QoS::AtLeastOnce,
        100,
        true,
    );
    std::thread::park_timeout(std::time::Duration::from_millis(2100));
    let mut late = Client::join(&broker, Version::V5, "late");
    late.subscribe("expiring/kept/#", QoS::AtLeastOnce);
    let retained = expiries(&late.takes());
    assert_eq!(retained.len(), 1, "{retained:?}");
    assert_eq!(retained[0].0, "expiring/kept/later");
    assert!(retained[0].1.is_some_and(|left| (1..=98).contains(&left)));
    let mut subscriber = Client::resume(&broker, Version::V5, "subscriber");
    let packets = subscriber.sees();
    let release = Packet::PubRel(Acknowledgement::success(sent.packet_id));
    assert_eq!(packets[0], release, "the handshake goes on");
    let messages: Vec<Publish> = packets[1..]
        .iter()
        .map(|packet| match packet {
            Packet::Publish(publish) => publish.clone(),
            other => panic!("{other:?}"),
        })
        .collect();
    let waited = expiries(&messages);
    let topics: Vec<&str> = waited.iter().map(|(topic, _)| &**topic).collect();
    assert_eq!(
        topics,
        ["expiring/later", "expiring/later", "expiring/kept/later"]
    );
    assert!(
        waited
            .iter()
            .all(|(_, left)| left.is_some_and(|left| (1..=98).contains(&left)))
    );
}

#[test]
fn messages_of_one_publisher_to_one_topic_keep_their_order() {
    let broker = MqttServe::start(["--workers", "3"]);
    for version in VERSIONS {
        let mut subscribers: Vec<Client> = (0..4)
            .map(|number| {
                let mut client = Client::join(&broker, version, &format!("subscriber-{number}"));
                client.subscribe("order/+", QoS::ExactlyOnce);
                client
            })
            .collect();
        let mut publishers: Vec<Client> = (0..4)
            .map(|number| Client::join(&broker, version, &format!("publisher-{number}")))
            .collect();
        for number in 0..200 {
            for (index, publisher) in publishers.iter_mut().enumerate() {
                let qos = QUALITIES[index % 3];
                let topic = format!("order/{index}");
                publisher.wire.send(publish(
                    &topic,
                    number.to_string().as_bytes(),
                    qos,
                    number + 1,
                ));
            }
        }
        for publisher in &mut publishers {
            let unused = |packet: &mut Publish| packet.packet_id = 60_000;
            publisher.publish_as("fence", "", QoS::AtLeastOnce, unused);
        }
        for subscriber in &mut subscribers {
            let mut next = [0u32; 4];
            for message in subscriber.takes() {
                let index: usize = message.topic["order/".len()..].parse().unwrap();
                let number = std::str::from_utf8(&message.payload).unwrap();
                assert_eq!(number, next[index].to_string(), "{}", message.topic);
                next[index] += 1;
            }
            assert_eq!(next, [200; 4]);
        }
    }
}

#[test]
fn a_publish_to_the_topics_of_the_broker_is_refused_and_goes_nowhere() {
    let broker = start();
    let mut watcher = Client::join(&broker, Version::V5, "watcher");
    watcher.subscribe("$SYS/mine", QoS::AtMostOnce);
    watcher.subscribe("own", QoS::AtMostOnce);
    let mut client = Client::join(&broker, Version::V5, "pretender");
    client
        .wire
        .send(publish("$SYS/mine", b"x", QoS::AtLeastOnce, 1));
    client
        .wire
        .send(publish("$SYS/mine", b"x", QoS::ExactlyOnce, 2));
    let reasons: Vec<ReasonCode> = client
        .sees()
        .iter()
        .map(|packet| match packet {
            Packet::PubAck(answer) | Packet::PubRec(answer) => answer.reason,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(reasons, [ReasonCode(0x87), ReasonCode(0x87)]);
    // After a refusing PUBREC the identifier is free for a new message.
    client.publish_as("own", "x", QoS::ExactlyOnce, |publish| {
        publish.packet_id = 2;
    });
    assert_eq!(watcher.hears(), ["own x 0"]);
    // Before MQTT 5 there is no refusal: it is acknowledged, or the connection closed (3.3.5 of 3.1.1).
    let mut old = Client::join(&broker, Version::V311, "old pretender");
    old.publish("$SYS/mine", "x", QoS::ExactlyOnce);
    // A will is no way round it.
    let mut greeting = super::client::kept(Version::V5, "will");
    greeting.will = Some(Will {
        topic: "$SYS/mine".into(),
        payload: "x".into(),
        qos: QoS::AtLeastOnce,
        retain: true,
        properties: Properties::default(),
    });
    Client::greet(&broker, greeting).vanish();
    client.publish_as("a", "fence", QoS::AtLeastOnce, |publish| {
        publish.packet_id = 4
    });
    assert_eq!(watcher.hears(), [""; 0]);
    assert_eq!(
        watcher.subscribe_to(vec![request("$SYS/mine", QoS::AtMostOnce)], &[]),
        [0]
    );
    assert_eq!(watcher.hears(), [""; 0]);
}
