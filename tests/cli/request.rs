//! `mqtt req` against brokers, and somebody who answers.

use mqtt_toolbox::mqtt::packet::{Packet, Publish, SubAck};
use mqtt_toolbox::mqtt::{ByteString, Properties, Property, QoS, ReasonCode, Version};

use crate::harness::{Mqtt, Running};
use crate::servers::{Mosquitto, MqttServe};
use crate::wire::{Wire, accepted, listen, publish};

/// Subscribes to the topic of the requests, before they are made.
fn answerer(port: u16, version: Version) -> Wire {
    let mut wire = Wire::session(port, version, "answerer");
    wire.subscribe("ask", QoS::AtLeastOnce);
    wire
}

fn request(wire: &mut Wire) -> Publish {
    match wire.receive() {
        Packet::Publish(request) => request,
        other => panic!("{other:?}"),
    }
}

fn reply(wire: &mut Wire, topic: ByteString, payload: &'static str, correlation: Option<&[u8]>) {
    let correlation = correlation.map(|bytes| Property::CorrelationData(bytes.to_vec().into()));
    wire.send(Packet::Publish(Publish {
        dup: false,
        qos: QoS::AtMostOnce,
        retain: false,
        topic,
        packet_id: 0,
        properties: Properties(correlation.into_iter().collect()),
        payload: payload.into(),
    }));
}

fn ask(port: u16, arguments: &[&str]) -> Running {
    let port = port.to_string();
    let mut all = vec!["req", "-p", &port, "-t", "ask", "-m", "what?"];
    all.extend(arguments);
    Mqtt::new(all).start()
}

#[test]
fn the_reply_with_the_right_correlation_data_is_printed_and_no_other() {
    let (ours, theirs) = (MqttServe::start([""; 0]), Mosquitto::start([]));
    for port in [ours.port, theirs.port] {
        let mut wire = answerer(port, Version::V5);
        let mut asking = ask(port, &["--replies", "2", "-v"]);
        let request = request(&mut wire);
        assert_eq!(request.payload, "what?");
        let topic = request.properties.response_topic().unwrap();
        // Ours says what topics for replies are to begin with, mosquitto does not.
        let root = if port == ours.port {
            "$response/"
        } else {
            "reply/"
        };
        assert!(topic.starts_with(root), "{topic}");
        let correlation = request.properties.correlation_data().unwrap();
        reply(&mut wire, topic.clone(), "not yours", Some(b"other"));
        reply(&mut wire, topic.clone(), "42", Some(&correlation));
        reply(&mut wire, topic.clone(), "without", None);
        let finished = asking.wait();
        assert_eq!(
            finished.stdout_text(),
            format!("{topic} 42\n{topic} without\n")
        );
        assert_eq!((finished.stderr.as_str(), finished.status), ("", 0));
    }
}

#[test]
fn before_mqtt_5_the_response_topic_is_agreed_on() {
    let broker = MqttServe::start([""; 0]);
    let mut wire = answerer(broker.port, Version::V311);
    let mut asking = ask(broker.port, &["-V", "311", "-e", "answers", "-q", "1"]);
    let request = request(&mut wire);
    assert_eq!(request.payload, "what?");
    wire.send(publish("answers", b"this", QoS::AtLeastOnce, 1));
    let finished = asking.wait();
    assert_eq!(
        (
            finished.stdout_text().as_str(),
            finished.stderr.as_str(),
            finished.status
        ),
        ("this\n", "", 0)
    );
    Mqtt::new(["req", "-V", "311", "-t", "ask", "-n"])
        .status(2)
        .stderr(
            "mqtt: MQTT 3.1.1 cannot tell the other side where to reply; agree on a topic and add --response-topic TOPIC\n",
        )
        .run();
}

#[test]
fn a_request_that_nobody_gets_ends_at_once_and_one_that_nobody_answers_in_time() {
    let broker = MqttServe::start([""; 0]);
    Mqtt::new(["req", "-p", &broker.port(), "-t", "ask", "-n", "-q", "1"])
        .status(5)
        .stderr("mqtt: nobody subscribes to ask, so nobody will reply\n")
        .run();
    Mqtt::new([
        "req",
        "-p",
        &broker.port(),
        "-t",
        "ask",
        "-n",
        "-W",
        "200ms",
    ])
    .status(27)
    .stderr("mqtt: timed out after 200ms\n")
    .run();
}

#[test]
fn the_latency_is_said_and_a_kept_message_is_no_reply() {
    let broker = MqttServe::start([""; 0]);
    Mqtt::new([
        "pub",
        "-p",
        &broker.port(),
        "-t",
        "answers",
        "-m",
        "old",
        "-r",
        "-q",
        "1",
    ])
    .run();
    let mut wire = answerer(broker.port, Version::V311);
    let mut asking = ask(broker.port, &["-V", "311", "-e", "answers", "--latency"]);
    request(&mut wire);
    wire.send(publish("answers", b"new", QoS::AtMostOnce, 0));
    let finished = asking.wait();
    assert_eq!(
        (finished.stdout_text().as_str(), finished.status),
        ("new\n", 0)
    );
    assert!(
        finished.stderr.starts_with("mqtt: reply after "),
        "{}",
        finished.stderr
    );
}

#[test]
fn a_broker_may_say_what_the_response_topic_begins_with() {
    for (information, is_typed, expected) in [
        ("answers/to/me/", false, Ok("answers/to/me/")),
        ("answers", false, Ok("answers/")),
        ("answers", true, Ok("typed")),
        ("a/#", false, Err(())),
    ] {
        let (listener, url) = listen();
        let server = std::thread::spawn(move || {
            let mut wire = Wire::accept(&listener, Version::V5);
            let Packet::Connect(connect) = wire.receive() else {
                panic!("no CONNECT");
            };
            let asked = connect.properties.request_response_information();
            assert_eq!(asked, (!is_typed).then_some(1));
            // Whoever has not asked must not be told.
            let told = asked.map(|_| Property::ResponseInformation(information.into()));
            wire.send(accepted(false, told.into_iter().collect()));
            let packet = wire.receive();
            let Packet::Subscribe(subscribe) = packet else {
                assert!(matches!(packet, Packet::Disconnect(_)), "{packet:?}");
                return;
            };
            wire.send(Packet::SubAck(SubAck {
                packet_id: subscribe.packet_id,
                reasons: vec![ReasonCode::SUCCESS],
                properties: Properties::default(),
            }));
            let request = request(&mut wire);
            let topic = request.properties.response_topic().unwrap();
            assert!(topic.starts_with(expected.unwrap()), "{topic}");
            assert_eq!(subscribe.filters[0].filter, topic);
            reply(&mut wire, topic, "42", None);
            wire.rest();
        });
        let typed = ["-e", "typed"];
        let ask = ["req", "-L", &url, "-t", "ask", "-n"];
        let typed = if is_typed { &typed[..] } else { &[] };
        let asking = Mqtt::new(ask.iter().chain(typed));
        match expected {
            Ok(_) => asking.stdout("42\n").run(),
            Err(()) => asking
                .status(5)
                .stderr("mqtt: the broker's response information \"a/#\" makes no topic for the reply; name one with --response-topic\n")
                .run(),
        };
        server.join().unwrap();
    }
}
