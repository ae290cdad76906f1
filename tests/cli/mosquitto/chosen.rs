//! Which messages are printed, where chance or the broker's state has a part in it.

use mqtt_toolbox::mqtt::packet::{Packet, Publish};
use mqtt_toolbox::mqtt::{QoS, Version};

use super::beside::{Clients, Whose, words};
use super::cases::broker;
use crate::servers::Mosquitto;
use crate::wire::{Wire, publish};

/// Of 4000 messages 30 % are 1200, with a standard deviation of 29. Six and a half of those, 188, are passed by once in
/// 10^10 runs. 2.0.11 counts in ten-thousandths what it has read as thousandths, and so prints 3 %: 120 and six and a half
/// times 10.8. What is left out counts for `-C` all the same.
#[test]
fn a_share_is_printed_and_all_are_counted() {
    let broker = Mosquitto::start(["max_queued_messages 0"]);
    let mut wire = Wire::session(broker.port, Version::V311, "keeper");
    for number in 0..4000 {
        let last = number == 3999;
        let qos = if last {
            QoS::AtLeastOnce
        } else {
            QoS::AtMostOnce
        };
        let Packet::Publish(message) = publish(&format!("s/{number}"), b"x", qos, u16::from(last))
        else {
            unreachable!("it makes a PUBLISH");
        };
        wire.send(Packet::Publish(Publish {
            retain: true,
            ..message
        }));
    }
    wire.receive();
    let clients = Clients::new();
    let home = tempfile::tempdir().unwrap();
    for (whose, expected) in [(Whose::Theirs, 50..=190), (Whose::Ours, 1012..=1388)] {
        let line = format!(
            "mosquitto_sub -h 127.0.0.1 -p {} -t s/+ -C 4000 --random-filter 30",
            broker.port
        );
        let outcome = clients.run(whose, &words(&line), b"", home.path());
        let printed = outcome.stdout.lines().count();
        assert_eq!(outcome.status, 0, "{whose:?}: {printed} {}", outcome.stderr);
        assert!(expected.contains(&printed), "{whose:?}: {printed}");
    }
}

#[test]
fn retained_messages_are_removed_alike() {
    let clients = Clients::new();
    let home = tempfile::tempdir().unwrap();
    let outcomes = [Whose::Theirs, Whose::Ours].map(|whose| {
        let broker = broker([]);
        let run = |line: &str| {
            let line = format!("mosquitto_sub -h 127.0.0.1 -p {} {line}", broker.port);
            clients.run(whose, &words(&line), b"", home.path())
        };
        [
            run("-t r/# -T r/2 --remove-retained -W 1 -v -q 1"),
            run("-t r/# -W 1 -v"),
        ]
    });
    assert_eq!(outcomes[0], outcomes[1]);
    // The removal itself comes back as a message.
    assert_eq!(outcomes[1][0].stdout, "r/1 one\nr/1 (null)\n");
    assert_eq!(outcomes[1][1].stdout, "r/2 two\n");
}

/// 2.0.11 goes on for ever here.
#[test]
fn removing_ends_when_there_are_enough() {
    let broker = broker([]);
    let clients = Clients::new();
    let home = tempfile::tempdir().unwrap();
    for (line, printed) in [
        ("-t r/1 --remove-retained -C 1 -v", "r/1 one\n"),
        ("-t r/2 --remove-retained --retained-only -v", "r/2 two\n"),
    ] {
        let line = format!("mosquitto_sub -h 127.0.0.1 -p {} {line}", broker.port);
        let outcome = clients.run(Whose::Ours, &words(&line), b"", home.path());
        assert_eq!((outcome.status, &*outcome.stdout), (0, printed));
    }
    let mut wire = Wire::session(broker.port, Version::V311, "other");
    wire.subscribe("r/#", QoS::AtMostOnce);
    wire.send(publish("r/end", b"", QoS::AtMostOnce, 0));
    assert_eq!(wire.receive(), publish("r/end", b"", QoS::AtMostOnce, 0));
}

/// 2.0.11 cuts the line there and loses the next one.
#[test]
fn a_line_keeps_its_nul() {
    let broker = Mosquitto::start([]);
    let mut wire = Wire::session(broker.port, Version::V311, "other");
    wire.subscribe("a", QoS::AtMostOnce);
    let clients = Clients::new();
    let home = tempfile::tempdir().unwrap();
    let line = format!("mosquitto_pub -h 127.0.0.1 -p {} -t a -l", broker.port);
    let outcome = clients.run(Whose::Ours, &words(&line), b"a\0b\n\0\nc", home.path());
    assert_eq!(outcome.status, 0);
    for payload in [&b"a\0b"[..], b"\0", b"c"] {
        assert_eq!(wire.receive(), publish("a", payload, QoS::AtMostOnce, 0));
    }
}

/// Since mosquitto 2.1; 2.0.11 wants a topic to subscribe to.
#[test]
fn unsubscribing_is_enough() {
    let broker = Mosquitto::start([]);
    let clients = Clients::new();
    let home = tempfile::tempdir().unwrap();
    let run = |line: &str| {
        let line = format!(
            "mosquitto_sub -h 127.0.0.1 -p {} -c -i me {line}",
            broker.port
        );
        clients.run(Whose::Ours, &words(&line), b"", home.path())
    };
    run("-t a -q 1 -E");
    let outcome = run("-U a -d");
    assert_eq!(
        (outcome.status, &*outcome.stderr, &*outcome.stdout),
        (
            0,
            "",
            "Client me sending CONNECT\nClient me received CONNACK (0)\n\
             Client me sending UNSUBSCRIBE (Mid: 1, Topic: a)\nClient me received UNSUBACK\n\
             Client me sending DISCONNECT\n"
        )
    );
    let mut wire = Wire::session(broker.port, Version::V311, "other");
    wire.send(publish("a", b"x", QoS::AtLeastOnce, 1));
    wire.receive();
    let outcome = run("-t b -W 1");
    assert_eq!((outcome.status, &*outcome.stdout), (27, ""));
}
