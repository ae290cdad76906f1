//! Brokers that send a client to another one, when it connects or later (MQTT 5, 4.11).

use std::net::TcpListener;
use std::thread::JoinHandle;

use mqtt_toolbox::mqtt::packet::{Acknowledgement, ConnAck, Disconnect, SubAck};
use mqtt_toolbox::mqtt::{Packet, Properties, Property, ReasonCode, Version};

use crate::connecting::{answer, broker, publish};
use crate::harness::{Mqtt, eventually};
use crate::servers::{Mosquitto, MqttServe};
use crate::wire::{Wire, listen};

/// The next connection, answered with this.
fn connected(listener: &TcpListener, reason: ReasonCode, properties: Vec<Property>) -> Wire {
    let connack = ConnAck {
        session_present: false,
        reason,
        properties: Properties(properties),
    };
    Wire::answered(listener, Version::V5, Packet::ConnAck(connack))
}

fn reference(url: &str) -> Vec<Property> {
    vec![Property::ServerReference(url.to_owned().into())]
}

/// A broker that takes a client in, hears so many packets from it, grants what it subscribes to, and then sends it
/// elsewhere.
fn leaving(
    packets: usize,
    reason: ReasonCode,
    properties: Vec<Property>,
) -> (String, JoinHandle<()>) {
    let (listener, url) = listen();
    let thread = std::thread::spawn(move || {
        let mut wire = connected(&listener, ReasonCode::SUCCESS, Vec::new());
        for _ in 0..packets {
            if let Packet::Subscribe(subscribe) = wire.receive() {
                wire.send(Packet::SubAck(SubAck {
                    packet_id: subscribe.packet_id,
                    reasons: vec![ReasonCode::GRANTED_QOS_1],
                    properties: Properties::default(),
                }));
            }
        }
        wire.send(Packet::Disconnect(Disconnect {
            reason,
            properties: Properties(properties),
        }));
        wire.rest();
    });
    (url, thread)
}

fn moves(from: &str, to: &str) -> String {
    format!("mqtt: {from} sends us to {to}\nmqtt: connected again\n")
}

#[test]
fn a_server_reference_is_followed_on_request_and_explained_without() {
    let target = Mosquitto::start([]);
    let reference = || Property::ServerReference(format!("127.0.0.1:{}", target.port).into());
    let (url, thread) = broker(vec![
        (
            Version::V5,
            answer(ReasonCode::USE_ANOTHER_SERVER, vec![reference()]),
        ),
        (
            Version::V5,
            answer(ReasonCode::SERVER_MOVED, vec![reference()]),
        ),
        (Version::V5, answer(ReasonCode::SERVER_MOVED, Vec::new())),
    ]);
    publish(&url, &["--follow-redirects", "-q", "1"])
        .stderr(format!("mqtt: {url} sends us to {}\n", target.url()))
        .run();
    publish(&url, &["-V", "5"])
        .status(4)
        .stderr(format!(
            "mqtt: {url} refused the connection: server moved: 127.0.0.1:{}; --follow-redirects goes there\n",
            target.port
        ))
        .run();
    publish(&url, &["--follow-redirects"])
        .status(4)
        .stderr(format!(
            "mqtt: {url} refused the connection: server moved, but it does not say which\n"
        ))
        .run();
    thread.join().unwrap();
}

#[test]
fn what_was_under_way_reaches_the_broker_that_a_disconnect_names() {
    let (listener, there) = listen();
    let target = std::thread::spawn(move || {
        let mut wire = connected(&listener, ReasonCode::SUCCESS, Vec::new());
        let Packet::Publish(publish) = wire.receive() else {
            panic!("no PUBLISH");
        };
        wire.send(Packet::PubAck(Acknowledgement::success(publish.packet_id)));
        assert!(matches!(wire.receive(), Packet::Disconnect(_)));
        publish.payload
    });
    let (url, leaving) = leaving(1, ReasonCode::USE_ANOTHER_SERVER, reference(&there));
    publish(&url, &["--follow-redirects", "-q", "1"])
        .stderr(moves(&url, &there))
        .run();
    assert_eq!(target.join().unwrap(), "b");
    leaving.join().unwrap();
}

#[test]
fn a_subscriber_a_question_and_an_answer_follow_too() {
    let target = MqttServe::start([""; 0]);
    let there = target.url();
    publish(&there, &["-r", "-q", "1"]).run();
    let (url, thread) = leaving(1, ReasonCode::SERVER_MOVED, reference(&there));
    Mqtt::new([
        "sub",
        "-V",
        "5",
        "-L",
        &url,
        "-t",
        "a",
        "-C",
        "1",
        "--follow-redirects",
    ])
    .stdout("b\n")
    .stderr(moves(&url, &there))
    .run();
    thread.join().unwrap();
    let (url, thread) = leaving(1, ReasonCode::SERVER_MOVED, reference(&there));
    let mut answering = Mqtt::new([
        "reply",
        "-L",
        &url,
        "-t",
        "ask",
        "-m",
        "42",
        "-q",
        "1",
        "--follow-redirects",
    ])
    .start();
    answering.wait_for_stderr(|line| line == "mqtt: connected again");
    thread.join().unwrap();
    eventually("somebody answers", || {
        let ask = ["req", "-L", &there, "-t", "ask", "-n", "-q", "1"];
        let asked = Mqtt::new(ask).start().wait();
        (asked.status == 0).then_some(())
    });
    // It subscribes and asks; the broker it asked first never hands its question on.
    let (url, thread) = leaving(2, ReasonCode::SERVER_MOVED, reference(&there));
    Mqtt::new(["req", "-L", &url, "-t", "ask", "-n", "--follow-redirects"])
        .stdout("42\n")
        .stderr(moves(&url, &there).replace("mqtt: connected again\n", ""))
        .run();
    thread.join().unwrap();
}

#[test]
fn a_disconnect_that_names_another_broker_is_explained() {
    for (command, status) in [
        (&["pub", "-t", "a", "-m", "b", "-q", "1", "-V", "5"][..], 7),
        (&["sub", "-t", "a", "-V", "5"], 7),
        (&["reply", "-t", "a", "--echo"], 7),
    ] {
        let properties = [
            reference("elsewhere:7"),
            vec![Property::ReasonString("maintenance".into())],
        ];
        let (url, thread) = leaving(1, ReasonCode::USE_ANOTHER_SERVER, properties.concat());
        let after = match command[0] {
            "pub" => "; not every message was delivered",
            _ => "",
        };
        Mqtt::new(command.iter().chain(&["-L", &url]))
            .status(status)
            .stderr(format!(
                "mqtt: {url} ended the connection: use another server (maintenance): elsewhere:7; --follow-redirects goes there{after}\n"
            ))
            .run();
        thread.join().unwrap();
    }
}

#[test]
fn brokers_that_send_a_client_in_a_circle_are_named() {
    let ((first, here), (second, there)) = (listen(), listen());
    let (to_first, to_second) = (reference(&here), reference(&there));
    let (here, there) = (&here, &there);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for _ in 0..2 {
                let moved = ReasonCode::USE_ANOTHER_SERVER;
                connected(&first, moved, to_second.clone()).rest();
            }
        });
        scope.spawn(move || {
            let mut wire = connected(&second, ReasonCode::SUCCESS, Vec::new());
            wire.receive();
            wire.send(Packet::Disconnect(Disconnect {
                reason: ReasonCode::USE_ANOTHER_SERVER,
                properties: Properties(to_first),
            }));
            wire.rest();
        });
        Mqtt::new([
            "sub",
            "-V",
            "5",
            "-L",
            here,
            "-t",
            "a",
            "--follow-redirects",
        ])
        .status(4)
        .stderr(format!(
            "mqtt: {here} sends us to {there}\nmqtt: {there} sends us to {here}\n\
                 mqtt: the brokers send us in a circle: {there} to {here} to {there}\n"
        ))
        .run();
    });
}
