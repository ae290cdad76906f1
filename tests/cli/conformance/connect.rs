//! CONNECT and CONNACK, and how connections end (3.1, 3.2, 3.12, 3.14, 4.12, 4.13).

use mqtt_toolbox::mqtt::packet::*;
use mqtt_toolbox::mqtt::{Properties, Property, QoS, ReasonCode, Version};

use super::client::{Client, VERSIONS, greeting_with};
use crate::servers::MqttServe;
use crate::wire::{Wire, connect, publish, subscribe};

fn start() -> MqttServe {
    MqttServe::start([""; 0])
}

#[test]
fn nothing_but_connect_may_come_first() {
    let broker = start();
    for version in VERSIONS {
        for first in [
            Packet::PingReq,
            publish("a", b"x", QoS::AtMostOnce, 0),
            subscribe(1, "a", QoS::AtMostOnce),
        ] {
            let mut wire = Wire::connect(broker.port, version);
            wire.send(first);
            assert_eq!(wire.rest(), [], "{version:?}");
        }
    }
}

#[test]
fn a_second_connect_ends_the_connection() {
    let broker = start();
    for version in VERSIONS {
        let mut client = Client::join(&broker, version, "twice");
        client.wire.send(Packet::Connect(connect(version, "twice")));
        client.ends_with(0x82);
    }
}

#[test]
fn connack_is_the_first_packet_and_the_only_one_of_its_kind() {
    let broker = start();
    for version in VERSIONS {
        let mut wire = Wire::connect(broker.port, version);
        // All in one go: a client need not wait for the answer.
        wire.send(Packet::Connect(connect(version, "eager")));
        wire.send(subscribe(1, "a", QoS::AtMostOnce));
        wire.send(publish("a", b"x", QoS::AtMostOnce, 0));
        wire.send(Packet::PingReq);
        assert!(matches!(wire.receive(), Packet::ConnAck(_)));
        assert!(matches!(wire.receive(), Packet::SubAck(_)));
        let rest = [wire.receive(), wire.receive()];
        assert!(
            rest.contains(&Packet::PingResp)
                && rest
                    .iter()
                    .any(|packet| matches!(packet, Packet::Publish(_))),
            "{rest:?}"
        );
    }
}

#[test]
fn what_comes_behind_a_refused_connect_is_not_processed() {
    let broker = start();
    let mut watcher = Client::join(&broker, Version::V5, "watcher");
    watcher.subscribe("#", QoS::AtMostOnce);
    let mut wire = Wire::connect(broker.port, Version::V5);
    let method = Property::AuthenticationMethod("unheard of".into());
    wire.send(Packet::Connect(greeting_with("refused", &[method])));
    let mut bytes = Vec::new();
    let message = publish("a", b"x", QoS::AtMostOnce, 0);
    mqtt_toolbox::mqtt::codec::write(&message, Version::V5, &mut bytes).unwrap();
    // The other end may have closed already, which is as it should be.
    let _ = std::io::Write::write_all(&mut wire.stream, &bytes);
    assert!(matches!(
        wire.receive_or_end(),
        Some(Packet::ConnAck(_)) | None
    ));
    let mut other = Client::join(&broker, Version::V5, "other");
    other.publish("b", "fence", QoS::AtLeastOnce);
    assert_eq!(watcher.hears(), ["b fence 0"]);
}

#[test]
fn an_authentication_method_is_refused_with_its_reason() {
    let broker = start();
    let mut wire = Wire::connect(broker.port, Version::V5);
    let method = Property::AuthenticationMethod("SCRAM-SHA-1".into());
    let data = Property::AuthenticationData("client-first".into());
    wire.send(Packet::Connect(greeting_with("scram", &[method, data])));
    match &wire.rest()[..] {
        [Packet::ConnAck(refusal)] => {
            assert_eq!(refusal.reason, ReasonCode(0x8C));
            assert!(!refusal.session_present);
            assert_eq!(refusal.properties.authentication_method(), None);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_refusal_is_no_larger_than_the_client_takes() {
    let broker = start();
    for (maximum, expected) in [
        (5, Some(false)),
        (17, Some(false)),
        (1000, Some(true)),
        (4, None),
    ] {
        let mut wire = Wire::connect(broker.port, Version::V5);
        let method = Property::AuthenticationMethod("SCRAM-SHA-1".into());
        let properties = [method, Property::MaximumPacketSize(maximum)];
        wire.send(Packet::Connect(greeting_with("small", &properties)));
        let explained = wire.rest().first().map(|packet| match packet {
            Packet::ConnAck(refusal) => refusal.properties.reason_string().is_some(),
            other => panic!("{other:?}"),
        });
        assert_eq!(explained, expected, "{maximum}");
    }
}

#[test]
fn a_goodbye_is_no_larger_than_the_client_takes() {
    let broker = start();
    for (maximum, explained) in [(12, false), (1000, true)] {
        let small = Property::MaximumPacketSize(maximum);
        let mut client = Client::greet(&broker, greeting_with("small", &[small]));
        client
            .wire
            .send(Packet::Connect(connect(Version::V5, "small")));
        match &client.wire.rest()[..] {
            [Packet::Disconnect(goodbye)] => {
                assert_eq!(goodbye.reason, ReasonCode(0x82));
                assert_eq!(goodbye.properties.reason_string().is_some(), explained);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn auth_without_a_method_at_connect_ends_the_connection() {
    let broker = start();
    let mut client = Client::join(&broker, Version::V5, "auth");
    assert_eq!(client.connack.properties.authentication_method(), None);
    client.wire.send(Packet::Auth(Auth {
        reason: ReasonCode(0x19),
        properties: Properties(vec![Property::AuthenticationMethod("SCRAM-SHA-1".into())]),
    }));
    client.ends_with(0x82);
}

#[test]
fn a_packet_that_only_a_server_sends_ends_the_connection() {
    let broker = start();
    for version in VERSIONS {
        for bytes in [
            &b"\x20\x02\0\0"[..],
            b"\x90\x03\0\x01\0",
            b"\xb0\x02\0\x01",
            b"\xd0\0",
        ] {
            let mut client = Client::join(&broker, version, "confused");
            client.wire.send_bytes(bytes);
            let rest = client.wire.rest();
            // In MQTT 5 the first three are malformed on top of it; either reason is right.
            assert!(
                rest.len() == usize::from(version == Version::V5),
                "{rest:?}"
            );
        }
    }
}

#[test]
fn user_names_and_passwords_of_any_size_are_taken() {
    let broker = start();
    for version in VERSIONS {
        for length in [0, 1, 65_535] {
            let mut greeting = connect(version, "named");
            greeting.username = Some("u".repeat(length).into());
            greeting.password = Some(vec![0xFF; length].into());
            Client::greet(&broker, greeting).leave();
            let mut greeting = connect(version, "named");
            greeting.username = Some("u".repeat(length).into());
            Client::greet(&broker, greeting).leave();
        }
    }
    // A password without a user name is allowed in MQTT 5.
    let mut greeting = connect(Version::V5, "named");
    greeting.password = Some("secret".into());
    Client::greet(&broker, greeting);
}

#[test]
fn a_silent_client_is_ended_after_one_and_a_half_times_its_keep_alive() {
    let broker = start();
    let started = std::time::Instant::now();
    for version in VERSIONS {
        let mut greeting = connect(version, "silent");
        greeting.keep_alive = 1;
        Client::greet(&broker, greeting).ends_with(0x8D);
    }
    assert!(
        started.elapsed().as_millis() >= 3000,
        "earlier than allowed"
    );
}

#[test]
fn the_keep_alive_of_the_client_stands() {
    let broker = start();
    for keep_alive in [0, 1, 60, u16::MAX] {
        let mut greeting = connect(Version::V5, "patient");
        greeting.keep_alive = keep_alive;
        let client = Client::greet(&broker, greeting);
        assert_eq!(client.connack.properties.server_keep_alive(), None);
    }
}

#[test]
fn a_keep_alive_that_is_given_is_the_one_that_counts() {
    let broker = MqttServe::start(["--max-keep-alive", "1"]);
    for keep_alive in [0, 60] {
        let mut greeting = connect(Version::V5, "silent");
        greeting.keep_alive = keep_alive;
        let client = Client::greet(&broker, greeting);
        assert_eq!(client.connack.properties.server_keep_alive(), Some(1));
        client.ends_with(0x8D);
        // Before MQTT 5 nobody can be told, and so is refused.
        let mut wire = Wire::connect(broker.port, Version::V311);
        let mut greeting = connect(Version::V311, "silent");
        greeting.keep_alive = keep_alive;
        wire.send(Packet::Connect(greeting));
        let refusal = Packet::ConnAck(ConnAck {
            session_present: false,
            reason: ReasonCode::CLIENT_IDENTIFIER_NOT_VALID,
            properties: Properties::default(),
        });
        assert_eq!(wire.rest(), [refusal]);
    }
}

#[test]
fn pings_are_answered_one_by_one() {
    let broker = start();
    for version in VERSIONS {
        let mut client = Client::join(&broker, version, "ping");
        for _ in 0..3 {
            client.wire.send(Packet::PingReq);
            assert_eq!(client.wire.receive(), Packet::PingResp);
        }
        assert_eq!(client.sees(), []);
    }
}

#[test]
fn after_disconnect_the_broker_closes_and_says_nothing_more() {
    let broker = start();
    for version in VERSIONS {
        let mut client = Client::join(&broker, version, "leaving");
        client.subscribe("a", QoS::AtLeastOnce);
        client.wire.send(Packet::Disconnect(Disconnect {
            reason: ReasonCode::SUCCESS,
            properties: Properties::default(),
        }));
        assert_eq!(client.wire.rest(), []);
    }
}

#[test]
fn nothing_is_sent_behind_the_disconnect_of_the_broker() {
    let broker = start();
    let mut client = Client::join(&broker, Version::V5, "faulty");
    client.subscribe("a", QoS::AtMostOnce);
    let mut publisher = Client::join(&broker, Version::V5, "publisher");
    let mut bytes = Vec::new();
    for packet in [
        publish("a", b"before", QoS::AtLeastOnce, 9),
        Packet::Connect(connect(Version::V5, "faulty")),
        publish("a", b"behind", QoS::AtLeastOnce, 10),
        Packet::PingReq,
    ] {
        mqtt_toolbox::mqtt::codec::write(&packet, Version::V5, &mut bytes).unwrap();
    }
    client.wire.send_bytes(&bytes);
    publisher.publish("a", "meanwhile", QoS::AtLeastOnce);
    let rest = client.wire.rest();
    assert!(
        matches!(rest.last(), Some(Packet::Disconnect(goodbye)) if goodbye.reason.0 == 0x82),
        "{rest:?}"
    );
    let goodbyes = rest
        .iter()
        .filter(|packet| matches!(packet, Packet::Disconnect(_)));
    assert_eq!(goodbyes.count(), 1);
    assert!(!rest.contains(&Packet::PingResp));
}

#[test]
fn connack_tells_what_the_broker_takes_and_only_what_differs_from_everything() {
    let broker = MqttServe::start(["--max-packet-size", "5000"]);
    let client = Client::join(&broker, Version::V5, "curious");
    let told = &client.connack.properties;
    assert_eq!(told.maximum_packet_size(), Some(5000));
    assert!(
        told.topic_alias_maximum()
            .is_some_and(|aliases| aliases > 0)
    );
    // Absent means that it is all there (3.2.2.3).
    assert_eq!(told.maximum_qos(), None);
    assert_eq!(told.retain_available(), None);
    assert_eq!(told.response_information(), None);
    assert!(!told.0.iter().any(|property| matches!(
        property,
        Property::WildcardSubscriptionAvailable(0)
            | Property::SubscriptionIdentifierAvailable(0)
            | Property::SharedSubscriptionAvailable(0)
    )));
}

#[test]
fn response_information_is_given_to_who_asks_and_stays_the_clients_own() {
    let broker = start();
    let asking = |client_id: &str, properties: &[Property]| {
        let asks = Property::RequestResponseInformation(1);
        let properties: Vec<Property> = properties.iter().cloned().chain([asks]).collect();
        let client = Client::greet(&broker, greeting_with(client_id, &properties));
        let root = client.connack.properties.response_information();
        (client, root.map(|root| root.to_string()))
    };
    let not_asking = [vec![], vec![Property::RequestResponseInformation(0)]];
    for properties in not_asking {
        let client = Client::greet(&broker, greeting_with("silent", &properties));
        assert_eq!(client.connack.properties.response_information(), None);
    }
    let (client, first) = asking("requester", &[]);
    client.leave();
    // The same in its next session, another for another client.
    let (mut requester, second) = asking("requester", &[]);
    let (_other, foreign) = asking("other", &[]);
    let (_nameless, assigned) = asking("", &[]);
    assert_eq!(first, second);
    assert!(foreign.is_some() && assigned.is_some() && foreign != second && assigned != foreign);
    // Replies that are sent below it arrive, and nobody with a wildcard overhears them.
    let root = second.expect("it has asked");
    let mut everywhere = Client::join(&broker, Version::V5, "everywhere");
    everywhere.subscribe("#", QoS::AtLeastOnce);
    requester.subscribe(&format!("{root}/#"), QoS::AtLeastOnce);
    let mut responder = Client::join(&broker, Version::V311, "responder");
    responder.publish(&format!("{root}/1"), "reply", QoS::AtLeastOnce);
    assert_eq!(requester.hears(), [format!("{root}/1 reply 1")]);
    assert_eq!(everywhere.hears(), [""; 0]);
    // It is left out for a client that takes no CONNACK of that size.
    let (_small, none) = asking("small", &[Property::MaximumPacketSize(20)]);
    assert_eq!(none, None);
}

#[test]
fn without_request_problem_information_only_connack_disconnect_and_publish_explain() {
    let broker = start();
    let silent = Property::RequestProblemInformation(0);
    let mut client = Client::greet(&broker, greeting_with("terse", &[silent]));
    client.wire.send(subscribe(1, "a/#/b", QoS::AtMostOnce));
    client.wire.send(Packet::Unsubscribe(Unsubscribe {
        packet_id: 2,
        filters: vec!["nothing".into()],
        properties: Properties::default(),
    }));
    client
        .wire
        .send(publish("$SYS/mine", b"x", QoS::AtLeastOnce, 3));
    client
        .wire
        .send(publish("$SYS/mine", b"x", QoS::ExactlyOnce, 4));
    client
        .wire
        .send(Packet::PubRel(Acknowledgement::success(9)));
    client
        .wire
        .send(Packet::PubRec(Acknowledgement::success(9)));
    let mut failures = 0;
    for packet in client.sees() {
        let (reasons, properties) = match packet {
            Packet::SubAck(answer) | Packet::UnsubAck(answer) => {
                (answer.reasons, answer.properties)
            }
            Packet::PubAck(answer)
            | Packet::PubRec(answer)
            | Packet::PubRel(answer)
            | Packet::PubComp(answer) => (vec![answer.reason], answer.properties),
            other => panic!("{other:?}"),
        };
        failures += usize::from(reasons[0] != ReasonCode::SUCCESS);
        assert_eq!(properties, Properties::default(), "{reasons:?}");
    }
    assert_eq!(failures, 6);
}

#[test]
fn nothing_larger_than_the_client_takes_is_sent() {
    let broker = start();
    let mut publisher = Client::join(&broker, Version::V5, "publisher");
    let small = Property::MaximumPacketSize(60);
    let mut client = Client::greet(&broker, greeting_with("small", &[small]));
    for qos in super::client::QUALITIES {
        let filter = format!("size/{}", qos.number());
        client.subscribe(&filter, qos);
        for length in [30, 45, 46, 47, 48, 49, 200] {
            publisher.publish(&filter, &"x".repeat(length), qos);
        }
        publisher.publish(&filter, "last", qos);
        // Header 2, topic 2 + 6, properties 1, identifier 2 above QoS 0: the rest is for the payload.
        let most = if qos == QoS::AtMostOnce { 49 } else { 47 };
        let lengths: Vec<usize> = client.takes().iter().map(|p| p.payload.len()).collect();
        let expected: Vec<usize> = [30, 45, 46, 47, 48, 49]
            .into_iter()
            .filter(|length| *length <= most)
            .chain([4])
            .collect();
        assert_eq!(lengths, expected, "{qos}");
    }
    // A retained message and one that waited for the client are no different.
    publisher.retain("kept/large", &"x".repeat(100), QoS::AtLeastOnce);
    publisher.retain("kept/small", "x", QoS::AtLeastOnce);
    client.subscribe("kept/#", QoS::AtLeastOnce);
    assert_eq!(client.hears(), ["kept/small x 1 retain"]);
    // Neither is an answer of the broker: the connection ends instead.
    let filters =
        (0..60).map(|number| super::client::request(&number.to_string(), QoS::AtMostOnce));
    client.wire.send(Packet::Subscribe(Subscribe {
        packet_id: 7,
        filters: filters.collect(),
        properties: Properties::default(),
    }));
    client.ends_with(0x95);
}
