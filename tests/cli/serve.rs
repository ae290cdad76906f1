//! `mqtt serve` as scripts and people at a terminal meet it.

use mqtt_toolbox::mqtt::packet::{Disconnect, Packet};
use mqtt_toolbox::mqtt::{Properties, QoS, ReasonCode, Version};

use crate::harness::{Mqtt, eventually};
use crate::servers::MqttServe;
use crate::wire::{Wire, connect, publish};

#[test]
fn the_ready_line_is_all_it_prints() {
    for signal in ["TERM", "INT"] {
        let mut broker = MqttServe::start([""; 0]);
        let finished = broker.process.stop(signal);
        assert_eq!(
            finished.stdout_text(),
            format!("listening on {}\n", broker.url())
        );
        assert_eq!(
            (finished.stderr.as_str(), finished.status),
            ("", 0),
            "{signal}"
        );
    }
}

#[test]
fn the_ready_line_can_be_json() {
    let mut broker = Mqtt::new(["serve", "-p", "0", "--json"]).start();
    let line = broker.wait_for_stdout(|_| true);
    let event: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(event["event"], "listening");
    let port = u16::try_from(event["port"].as_u64().unwrap()).unwrap();
    assert_eq!(event["url"], format!("mqtt://127.0.0.1:{port}"));
    Wire::session(port, Version::V5, "a");
}

#[test]
fn the_ready_file_appears_when_clients_can_connect() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("ready");
    let path = file.to_str().unwrap();
    let broker = Mqtt::new(["serve", "-p", "0", "--ready-file", path]).start();
    let url = eventually("the ready file", || std::fs::read_to_string(&file).ok());
    let port = url.trim_end().strip_prefix("mqtt://127.0.0.1:").unwrap();
    Wire::session(port.parse().unwrap(), Version::V311, "a");
    drop(broker);
}

#[test]
fn a_ready_file_that_cannot_be_written_is_status_1_and_named() {
    Mqtt::new(["serve", "-p", "0", "--ready-file", "/nonexistent/ready"])
        .status(1)
        .stderr_contains("could not write the ready file /nonexistent/ready: No such file")
        .run();
}

#[test]
fn a_taken_port_is_status_1_and_named() {
    let first = MqttServe::start([""; 0]);
    let port = first.port;
    Mqtt::new(["serve", "-p", &first.port()])
        .status(1)
        .stderr(format!(
            "mqtt: could not listen on 127.0.0.1 port {port} (another port: -p PORT, any free one: -p 0): \
             Address already in use (os error 98)\n"
        ))
        .run();
}

#[test]
fn it_listens_on_an_ipv6_address_when_told() {
    let mut broker = Mqtt::new(["serve", "-p", "0", "-h", "::1"]).start();
    let line = broker.wait_for_stdout(|_| true);
    let url = line.strip_prefix("listening on ").unwrap().to_owned();
    assert!(url.starts_with("mqtt://[::1]:"), "{url}");
    Mqtt::new(["pub", "-L", &url, "-t", "a", "-m", "x", "-q", "2"]).run();
}

#[test]
fn clients_are_told_when_it_stops() {
    let mut broker = MqttServe::start([""; 0]);
    let mut old = Wire::session(broker.port, Version::V311, "old");
    let mut new = Wire::session(broker.port, Version::V5, "new");
    let finished = broker.process.stop("TERM");
    assert_eq!(finished.status, 0);
    assert_eq!(old.rest(), []);
    let farewell = Disconnect {
        reason: ReasonCode::SERVER_SHUTTING_DOWN,
        properties: Properties::default(),
    };
    assert_eq!(new.rest(), [Packet::Disconnect(farewell)]);
}

#[test]
fn a_packet_over_the_limit_is_refused_with_its_reason() {
    let broker = MqttServe::start(["--max-packet-size", "1000"]);
    let mut wire = Wire::session(broker.port, Version::V5, "large");
    wire.send(publish("a", &[0; 900], QoS::AtMostOnce, 0));
    wire.send(publish("a", &[0; 1100], QoS::AtMostOnce, 0));
    match &wire.rest()[..] {
        [Packet::Disconnect(farewell)] => {
            assert_eq!(farewell.reason, ReasonCode::PACKET_TOO_LARGE);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn verbose_names_who_connects_subscribes_and_leaves() {
    let mut broker = MqttServe::start(["-v"]);
    let mut wire = Wire::session(broker.port, Version::V5, "someone");
    broker.process.wait_for_stderr(|line| {
        line.contains("someone") && line.contains("connected") && line.contains("MQTT 5")
    });
    wire.subscribe("温度/#", QoS::AtLeastOnce);
    broker
        .process
        .wait_for_stderr(|line| line.contains("someone") && line.contains("温度/#"));
    drop(wire);
    broker
        .process
        .wait_for_stderr(|line| line.contains("someone"));
}

#[test]
fn twice_verbose_names_every_message() {
    let mut broker = MqttServe::start(["-vv"]);
    let mut wire = Wire::session(broker.port, Version::V311, "someone");
    wire.send(publish("温度/厨房", b"21.5", QoS::AtMostOnce, 0));
    broker
        .process
        .wait_for_stderr(|line| line.contains("someone") && line.contains("温度/厨房"));
}

/// The reason codes of the answers to a QoS 1 and a QoS 2 publish to this topic.
fn answers(wire: &mut Wire, topic: &str) -> Vec<ReasonCode> {
    wire.send(publish(topic, b"x", QoS::AtLeastOnce, 1));
    wire.send(publish(topic, b"x", QoS::ExactlyOnce, 2));
    (0..2)
        .map(|_| match wire.receive() {
            Packet::PubAck(answer) | Packet::PubRec(answer) => answer.reason,
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn a_publisher_of_mqtt_5_is_told_when_nobody_subscribes() {
    let broker = MqttServe::start(["--workers", "3"]);
    // Several subscribers, so that some are in another partition than the publisher.
    let mut subscribers: Vec<Wire> = (0..6)
        .map(|number| Wire::session(broker.port, Version::V5, &format!("subscriber {number}")))
        .collect();
    for (number, subscriber) in subscribers.iter_mut().enumerate() {
        subscriber.subscribe(&format!("heard/{number}"), QoS::AtMostOnce);
    }
    for number in 0..6 {
        let mut wire = Wire::session(broker.port, Version::V5, &format!("publisher {number}"));
        assert_eq!(
            answers(&mut wire, &format!("heard/{number}")),
            [ReasonCode::SUCCESS; 2]
        );
        assert_eq!(
            answers(&mut wire, "unheard")[0],
            ReasonCode::NO_MATCHING_SUBSCRIBERS
        );
    }
    let mut wire = Wire::session(broker.port, Version::V5, "publisher");
    assert_eq!(
        answers(&mut wire, "unheard"),
        [ReasonCode::NO_MATCHING_SUBSCRIBERS; 2]
    );
    let mut wire = Wire::session(broker.port, Version::V5, "publisher");
    assert_eq!(
        answers(&mut wire, "$SYS/broker/uptime"),
        [ReasonCode::NOT_AUTHORIZED; 2]
    );
    let mut wire = Wire::session(broker.port, Version::V311, "publisher");
    assert_eq!(answers(&mut wire, "unheard"), [ReasonCode::SUCCESS; 2]);
}

#[test]
fn a_session_is_present_except_for_mqtt_3_1_which_has_no_word_for_it() {
    let broker = MqttServe::start([""; 0]);
    for (version, expected) in [(Version::V31, [0, 0]), (Version::V311, [0, 1])] {
        let mut greeting = connect(version, &format!("kept {version}"));
        greeting.clean_start = false;
        for flags in expected {
            let mut wire = Wire::connect(broker.port, version);
            wire.send(Packet::Connect(greeting.clone()));
            match wire.receive() {
                Packet::ConnAck(answer) => {
                    assert_eq!(u8::from(answer.session_present), flags, "{version}")
                }
                other => panic!("{other:?}"),
            }
        }
    }
}
