//! Messages from a publisher through the broker: its handshakes, and what of a PUBLISH arrives at the other end (3.3, 4.3).

use mqtt_toolbox::mqtt::packet::*;
use mqtt_toolbox::mqtt::{Properties, Property, QoS, ReasonCode, Version};

use super::client::{Client, QUALITIES, VERSIONS, request};
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
