//! What a running broker says about itself: packet trace, `$SYS` topics, Prometheus endpoint.

use std::io::{Read, Write};
use std::net::TcpStream;

use mqtt_toolbox::mqtt::packet::Packet;
use mqtt_toolbox::mqtt::{QoS, Version};
use serde_json::Value;

use crate::harness::{Mqtt, eventually};
use crate::servers::MqttServe;
use crate::wire::{Wire, publish};

#[test]
fn the_trace_shows_the_packets_of_the_client_one_asks_for() {
    let mut broker = MqttServe::start(["--trace", "--trace-client", "watched"]);
    let mut other = Wire::session(broker.port, Version::V311, "other");
    other.send(publish("a", b"not shown", QoS::AtLeastOnce, 1));
    other.receive();
    let mut watched = Wire::session(broker.port, Version::V311, "watched");
    watched.send(publish("a/b", b"shown", QoS::AtLeastOnce, 7));
    watched.receive();
    broker
        .process
        .wait_for_stdout(|line| line.ends_with("\"watched\" <- PUBACK packet_id=7"));
    let shown = broker.process.stop("TERM").stdout_text();
    assert!(!shown.contains("not shown"), "{shown}");
    let packets: Vec<&str> = shown
        .lines()
        .skip(1)
        .map(|line| line.split_once("\"watched\" ").unwrap().1)
        .collect();
    assert_eq!(
        packets[..4],
        [
            "-> CONNECT version=\"3.1.1\" clean_start=true keep_alive=60",
            "<- CONNACK session_present=false reason=\"success (0x00)\"",
            "-> PUBLISH topic=\"a/b\" qos=1 retain=false dup=false packet_id=7 payload_length=5 payload=\"shown\"",
            "<- PUBACK packet_id=7",
        ]
    );
}

#[test]
fn the_trace_can_be_json_and_follow_a_topic() {
    let mut broker = MqttServe::start([
        "--trace=json",
        "--trace-topic",
        "a/#",
        "--trace-payload",
        "2",
    ]);
    let mut wire = Wire::session(broker.port, Version::V5, "c");
    wire.send(publish("b", b"elsewhere", QoS::AtLeastOnce, 1));
    wire.receive();
    wire.send(publish("a/x", b"here", QoS::AtLeastOnce, 2));
    let line = broker.process.wait_for_stdout(|line| line.starts_with('{'));
    let packet: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(packet["packet"], "PUBLISH");
    assert_eq!(packet["topic"], "a/x");
    assert_eq!(packet["payload"], "he");
    assert_eq!(packet["payload_length"], 4);
    assert_eq!(packet["client_id"], "c");
}

#[test]
fn the_log_can_be_json() {
    let mut broker = MqttServe::start(["-v", "--log-format", "json"]);
    let _wire = Wire::session(broker.port, Version::V5, "c");
    let line = broker
        .process
        .wait_for_stderr(|line| line.contains("connected"));
    let event: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(event["level"], "INFO");
}

#[test]
fn system_topics_count_what_happens() {
    let broker = MqttServe::start(["--sys-interval", "100ms"]);
    let mut wire = Wire::session(broker.port, Version::V311, "c");
    for packet_id in 1..=10 {
        wire.send(publish("a", b"12345", QoS::AtLeastOnce, packet_id));
        wire.receive();
    }
    wire.subscribe("$SYS/broker/publish/#", QoS::AtMostOnce);
    eventually(
        "the count of ten publishes and their fifty bytes",
        || match wire.receive() {
            Packet::Publish(publish) => {
                let is = |topic: &str, payload: &str| {
                    &*publish.topic == topic && publish.payload == payload
                };
                is("$SYS/broker/publish/bytes/received", "50").then_some(())
            }
            other => panic!("{other:?}"),
        },
    );
}

#[test]
fn without_an_interval_there_are_no_system_topics() {
    let broker = MqttServe::start(["--sys-interval", "0"]);
    let mut wire = Wire::session(broker.port, Version::V311, "c");
    wire.subscribe("$SYS/#", QoS::AtMostOnce);
    wire.subscribe("a", QoS::AtMostOnce);
    wire.send(publish("$SYS/broker/uptime", b"mine", QoS::AtMostOnce, 0));
    wire.send(publish("a", b"the end", QoS::AtMostOnce, 0));
    match wire.receive() {
        Packet::Publish(publish) => assert_eq!(publish.payload, "the end"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn prometheus_is_answered() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap().to_string();
    drop(free);
    let broker = MqttServe::start(["--metrics", &address]);
    let mut wire = Wire::session(broker.port, Version::V311, "c");
    wire.send(publish("a", b"12345", QoS::ExactlyOnce, 1));
    wire.receive();
    let mut stream = TcpStream::connect(&address).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.0 200 OK"), "{answer}");
    for line in [
        "mqtt_connections 1",
        "mqtt_publishes_received_total{qos=\"2\"} 1",
        "mqtt_publish_latency_seconds_count",
    ] {
        assert!(answer.contains(line), "{line} is not in {answer}");
    }
    Mqtt::new(["serve", "-p", "0", "--metrics", &address])
        .status(1)
        .stderr_contains("could not listen for metrics on 127.0.0.1 port")
        .run();
}
