//! `mqtt pub --spool`: what was accepted is delivered, whoever is killed on the way.

use std::net::TcpListener;
use std::path::Path;

use mqtt_toolbox::mqtt::packet::{Acknowledgement, Disconnect, Publish};
use mqtt_toolbox::mqtt::{Packet, Properties, Property, ReasonCode, Version};

use crate::clients::{brokers, numbers, publish, subscribed};
use crate::harness::{Mqtt, eventually};
use crate::servers::{Mosquitto, MqttServe, free_port};
use crate::wire::{self, Wire, listen};

/// Arguments for a spool in this folder.
fn spooled<'a>(directory: &'a str, rest: &[&'a str]) -> Vec<&'a str> {
    [&["--spool", directory][..], rest].concat()
}

/// Chance that can be had again: a test prints its seed when it fails.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        // xorshift64
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// How many messages the spool has accepted in its life, found out by one more.
fn accepted(directory: &str) -> u64 {
    let nowhere = format!("mqtt://127.0.0.1:{}", free_port());
    let probe = ["-t", "probe", "-m", "x", "-q", "1", "--report-acks"];
    let probe = publish(&nowhere, &spooled(directory, &probe))
        .stdout_any()
        .stderr_any()
        .status(3)
        .run()
        .stdout_text();
    let json: serde_json::Value = serde_json::from_str(probe.trim()).unwrap();
    json["number"].as_u64().unwrap()
}

/// Publishes the numbers up to `count` with a program that is killed again and again, whenever it has reported a random
/// number of steps. Returns how often it was.
fn publish_with_kills(
    url: &str,
    arguments: &[&str],
    directory: &str,
    count: u64,
    seed: u64,
) -> u64 {
    let mut chance = Chance(seed);
    let mut kills = 0;
    loop {
        // Each look has added a message of its own.
        let done = match kills {
            0 => 0,
            _ => accepted(directory) - kills,
        };
        let rest: String = (done + 1..=count)
            .map(|number| format!("{number}\n"))
            .collect();
        let mut running = publish(url, &[arguments, &["-l", "--report-acks"]].concat())
            .stdin(rest)
            .start();
        // More with each time: a thousand that are under way are reported again before the first of them is acknowledged, and
        // who is killed before that, always, never comes further.
        let steps = chance.below(3 * count / 4 + 50 * kills);
        for _ in 0..steps {
            if !running.try_wait_for_stdout() {
                let finished = running.wait();
                assert_eq!((finished.status, &*finished.stderr), (0, ""), "seed {seed}");
                return kills;
            }
        }
        running.kill();
        kills += 1;
    }
}

#[test]
fn whatever_moment_the_program_is_killed_in_nothing_is_lost_and_at_qos_2_nothing_doubled() {
    const COUNT: u64 = 1000;
    let seed = std::collections::hash_map::RandomState::new();
    let seed = std::hash::BuildHasher::hash_one(&seed, 0) | 1;
    for broker in brokers() {
        for (qos, version, sync) in [
            ("1", "311", "always"),
            ("2", "311", "never"),
            ("2", "5", "never"),
        ] {
            let name = format!("{}, QoS {qos}, MQTT {version}, seed {seed}", broker.name);
            let directory = tempfile::tempdir().unwrap();
            let directory = directory.path().to_str().unwrap();
            let topic = format!("killed/{qos}/{version}");
            let mut subscriber = subscribed(&broker.url, &["-t", &topic, "-q", "2"]);
            let arguments = ["-t", &topic, "-q", qos, "-V", version, "--spool-sync", sync];
            let arguments = spooled(directory, &arguments);
            let kills = publish_with_kills(&broker.url, &arguments, directory, COUNT, seed);
            publish(&broker.url, &["-t", &topic, "-q", "2", "-m", "end"]).run();
            subscriber.wait_for_stdout(|line| line == "end");
            let printed = String::from_utf8(subscriber.stdout()).unwrap();
            let mut seen = vec![0_u32; COUNT as usize + 1];
            for number in printed
                .lines()
                .filter_map(|line| line.parse::<usize>().ok())
            {
                seen[number] += 1;
            }
            let lost = seen[1..].iter().filter(|times| **times == 0).count();
            let doubled = seen[1..].iter().filter(|times| **times > 1).count();
            assert_eq!(lost, 0, "{name}, {kills} kills");
            assert!(
                qos == "1" || doubled == 0,
                "{name}, {kills} kills: {doubled} doubled"
            );
        }
    }
}

fn connack(session_present: bool) -> Packet {
    wire::accepted(session_present, Vec::new())
}

fn next_publish(wire: &mut Wire) -> Publish {
    match wire.receive() {
        Packet::Publish(publish) => publish,
        other => panic!("{other:?} is no PUBLISH"),
    }
}

/// A listener whose connections a test plays the broker on.
struct Stage {
    listener: TcpListener,
    url: String,
    version: Version,
}

impl Stage {
    fn new(version: Version) -> Stage {
        let (listener, url) = listen();
        Stage {
            listener,
            url,
            version,
        }
    }

    fn accept(&self, session_present: bool) -> Wire {
        let (mut wire, is_clean) = self.connect();
        assert!(!is_clean);
        wire.send(connack(session_present));
        wire
    }

    /// The next connection, not yet answered, and whether it wants a session that knows nothing.
    fn connect(&self) -> (Wire, bool) {
        let mut wire = Wire::accept(&self.listener, self.version);
        match wire.receive() {
            Packet::Connect(connect) => (wire, connect.clean_start),
            other => panic!("{other:?} is no CONNECT"),
        }
    }

    /// `mqtt pub --drain` on this folder.
    fn drain(&self, directory: &str) -> Mqtt {
        let version = match self.version {
            Version::V5 => "5",
            _ => "311",
        };
        publish(&self.url, &spooled(directory, &["--drain", "-V", version]))
    }
}

fn fill(directory: &str, qos: &str, lines: &str) {
    let nowhere = format!("mqtt://127.0.0.1:{}", free_port());
    publish(&nowhere, &spooled(directory, &["-t", "a", "-q", qos, "-l"]))
        .stdin(lines)
        .stderr_like(|text| text.ends_with(" --drain\n"))
        .status(3)
        .run();
}

#[test]
fn a_kept_session_gets_the_same_packet_ids_again_and_pubrel_where_pubrec_had_come() {
    for version in [Version::V311, Version::V5] {
        let stage = Stage::new(version);
        let directory = tempfile::tempdir().unwrap();
        let directory = directory.path().to_str().unwrap();
        fill(directory, "2", "received\nsent\n");
        let mut first = stage.drain(directory).start();
        let mut wire = stage.accept(false);
        let (received, sent) = (next_publish(&mut wire), next_publish(&mut wire));
        assert_eq!(
            (received.dup, &received.payload[..]),
            (false, &b"received"[..])
        );
        wire.send(Packet::PubRec(Acknowledgement::success(received.packet_id)));
        assert!(matches!(wire.receive(), Packet::PubRel(_)));
        first.kill();

        let second = stage.drain(directory).start();
        let mut wire = stage.accept(true);
        let Packet::PubRel(released) = wire.receive() else {
            panic!("what was received is released, not published again");
        };
        assert_eq!(released.packet_id, received.packet_id);
        let again = next_publish(&mut wire);
        assert_eq!(again, Publish { dup: true, ..sent });
        // The broker had forgotten the first one, which had been completed: MQTT 5 says so.
        let forgotten = Acknowledgement {
            reason: match version {
                Version::V5 => ReasonCode::PACKET_IDENTIFIER_NOT_FOUND,
                _ => ReasonCode::SUCCESS,
            },
            ..Acknowledgement::success(released.packet_id)
        };
        wire.send(Packet::PubComp(forgotten));
        let answer = Acknowledgement::success(again.packet_id);
        wire.send(Packet::PubRec(answer.clone()));
        assert!(matches!(wire.receive(), Packet::PubRel(_)));
        wire.send(Packet::PubComp(answer));
        assert!(matches!(wire.receive(), Packet::Disconnect(_)));
        let mut second = second;
        let finished = second.wait();
        assert_eq!((finished.status, &*finished.stderr), (0, ""));
        // Nothing is left: nobody is even connected to.
        Mqtt::new(["pub", "-p", "1", "--spool", directory, "--drain"]).run();
    }
}

#[test]
fn a_broker_that_has_lost_the_session_gets_everything_as_if_for_the_first_time() {
    let stage = Stage::new(Version::V311);
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path().to_str().unwrap();
    fill(directory, "2", "one\ntwo\n");
    let mut first = stage.drain(directory).start();
    let mut wire = stage.accept(false);
    let one = next_publish(&mut wire);
    next_publish(&mut wire);
    wire.send(Packet::PubRec(Acknowledgement::success(one.packet_id)));
    assert!(matches!(wire.receive(), Packet::PubRel(_)));
    first.kill();
    let mut second = stage.drain(directory).start();
    let mut wire = stage.accept(false);
    for text in ["one", "two"] {
        let publish = next_publish(&mut wire);
        assert_eq!(
            (publish.dup, &publish.payload[..]),
            (false, text.as_bytes())
        );
        let answer = Acknowledgement::success(publish.packet_id);
        wire.send(Packet::PubRec(answer.clone()));
        wire.send(Packet::PubComp(answer));
    }
    let finished = second.wait();
    assert_eq!(
        (finished.status, &*finished.stderr),
        (
            0,
            "mqtt: the broker has lost the session; 2 messages of QoS 2 are sent again, and may arrive twice\n"
        )
    );
}

#[test]
fn a_refused_message_leaves_the_spool_and_is_reported() {
    let stage = Stage::new(Version::V5);
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path().to_str().unwrap();
    fill(directory, "1", "no\nyes\n");
    let mut running = stage.drain(directory).start();
    let mut wire = stage.accept(false);
    for reason in [ReasonCode::NOT_AUTHORIZED, ReasonCode::SUCCESS] {
        let publish = next_publish(&mut wire);
        wire.send(Packet::PubAck(Acknowledgement {
            reason,
            ..Acknowledgement::success(publish.packet_id)
        }));
    }
    let finished = running.wait();
    assert_eq!(
        (finished.status, &*finished.stderr),
        (5, "mqtt: cannot publish to a: not authorized (0x87)\n")
    );
    Mqtt::new(["pub", "-p", "1", "--spool", directory, "--drain"]).run();
}

#[test]
fn a_stream_goes_on_while_the_broker_is_away() {
    let port = free_port();
    let line = format!("listener {port} 127.0.0.1");
    let mut broker = Mosquitto::start([&*line]);
    let url = format!("mqtt://127.0.0.1:{port}");
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path().to_str().unwrap();
    let arguments = spooled(directory, &["-t", "a", "-q", "1", "-l", "--report-acks"]);
    let mut running = publish(&url, &arguments).stdin_open().start();
    let event = |number: u64, event: &'static str| {
        let start = format!("{{\"event\":\"{event}\",");
        let number = format!("\"number\":{number},");
        move |line: &str| line.starts_with(&start) && line.contains(&number)
    };
    running.write("before\n");
    running.wait_for_stdout(event(1, "acknowledged"));
    broker.process.kill();
    running.wait_for_stderr(|line| line.contains("; trying again in "));
    for number in 2..=50 {
        running.write(format!("{number}\n"));
        running.wait_for_stdout(event(number, "accepted"));
    }
    let broker = eventually("the port is free again", || {
        std::panic::catch_unwind(|| Mosquitto::start([&*line])).ok()
    });
    running.wait_for_stdout(event(50, "acknowledged"));
    running.close_stdin();
    assert_eq!(running.wait().status, 0);
    drop(broker);
}

/// Takes the next message of QoS 2 through its handshake.
fn deliver(wire: &mut Wire, payload: &str) {
    let publish = next_publish(wire);
    assert_eq!(
        (publish.dup, &publish.payload[..]),
        (false, payload.as_bytes())
    );
    let answer = Acknowledgement::success(publish.packet_id);
    wire.send(Packet::PubRec(answer.clone()));
    assert!(matches!(wire.receive(), Packet::PubRel(_)));
    wire.send(Packet::PubComp(answer));
}

#[test]
fn a_spool_follows_to_another_broker_and_never_trusts_what_the_one_before_has_kept() {
    let (here, there) = (Stage::new(Version::V5), Stage::new(Version::V5));
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path().to_str().unwrap();
    fill(directory, "2", "one\n");
    let follow = ["--drain", "--follow-redirects"];
    let mut running = publish(&here.url, &spooled(directory, &follow)).start();
    let mut wire = here.accept(false);
    let one = next_publish(&mut wire);
    wire.send(Packet::PubRec(Acknowledgement::success(one.packet_id)));
    assert!(matches!(wire.receive(), Packet::PubRel(_)));
    wire.send(Packet::Disconnect(Disconnect {
        reason: ReasonCode::USE_ANOTHER_SERVER,
        properties: Properties(vec![Property::ServerReference(there.url.clone().into())]),
    }));
    // A session that the other one may have is of an earlier time.
    let (mut wire, is_clean) = there.connect();
    assert!(is_clean);
    wire.send(connack(false));
    deliver(&mut wire, "one");
    wire.rest();
    let finished = running.wait();
    assert_eq!(
        (finished.status, finished.stderr),
        (
            0,
            format!(
                "mqtt: {} sends us to {}\nmqtt: connected again\n\
                 mqtt: the broker has lost the session; 1 messages of QoS 2 are sent again, and may arrive twice\n",
                here.url, there.url
            )
        )
    );
    // The first one still waits for a handshake under the packet identifier that the next message gets.
    fill(directory, "2", "two\n");
    let mut running = here.drain(directory).start();
    let (mut wire, is_clean) = here.connect();
    assert!(is_clean);
    wire.send(connack(false));
    deliver(&mut wire, "two");
    wire.rest();
    assert_eq!(running.wait().status, 0);
    // And at home it takes up what is there.
    fill(directory, "2", "three\n");
    let mut running = here.drain(directory).start();
    let mut wire = here.accept(true);
    deliver(&mut wire, "three");
    wire.rest();
    assert_eq!(running.wait().status, 0);
}

#[test]
fn before_mqtt_5_another_brokers_old_session_is_ended_first() {
    let (here, there) = (Stage::new(Version::V311), Stage::new(Version::V311));
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path().to_str().unwrap();
    for (stage, is_known) in [(&here, true), (&there, false)] {
        fill(directory, "2", "x\n");
        let mut running = stage.drain(directory).start();
        if !is_known {
            let (mut wire, is_clean) = stage.connect();
            assert!(is_clean);
            wire.send(connack(false));
            assert!(matches!(wire.rest()[..], [Packet::Disconnect(_)]));
        }
        let mut wire = stage.accept(false);
        deliver(&mut wire, "x");
        wire.rest();
        assert_eq!(running.wait().status, 0);
    }
}

#[test]
fn a_spool_falls_back_to_an_older_mqtt_but_drops_no_property_for_it() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path().to_str().unwrap();
    let (listener, url) = listen();
    let nowhere = format!("mqtt://127.0.0.1:{}", free_port());
    let json = "{\"topic\":\"a\",\"payload\":\"plain\",\"qos\":2}\n\
                {\"topic\":\"a\",\"payload\":\"typed\",\"qos\":2,\"content_type\":\"x\"}\n";
    publish(&nowhere, &spooled(directory, &["--json", "-V", "auto"]))
        .stdin(json)
        .stderr_like(|text| text.ends_with(" --drain\n"))
        .status(3)
        .run();
    let mut running = publish(&url, &spooled(directory, &["--drain", "-V", "auto"])).start();
    drop(Wire::accept(&listener, Version::V5).receive());
    let mut wire = Wire::answered(&listener, Version::V311, connack(false));
    wire.rest();
    let finished = running.wait();
    let words = format!(
        "mqtt: {url} closed the connection upon a CONNECT of MQTT 5; trying MQTT 3.1.1\n\
         mqtt: message 2 to a has properties, which MQTT 3.1.1 has not; 2 messages are kept in {directory}; \
         deliver with --spool {directory} --drain\n"
    );
    assert_eq!((finished.stderr, finished.status), (words, 5));
    let broker = MqttServe::start([""; 0]);
    let mut subscriber = subscribed(&broker.url(), &["-t", "a", "-q", "2", "-C", "3"]);
    publish_at(&broker, directory, &["--drain", "-V", "5"])
        .stderr_any()
        .run();
    assert_eq!(subscriber.wait().stdout_text(), "ready\nplain\ntyped\n");
}

#[test]
fn a_broker_that_was_never_reached_is_tried_again_as_often_as_asked() {
    let stage = Stage::new(Version::V311);
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path().to_str().unwrap();
    let options = ["-t", "a", "-q", "2", "-m", "x", "--retry", "1"];
    let mut running = publish(&stage.url, &spooled(directory, &options))
        .stderr_any()
        .start();
    drop(stage.connect());
    deliver(&mut stage.accept(false), "x");
    assert_eq!(running.wait().status, 0);
}

#[test]
fn what_is_acknowledged_is_delivered_however_the_connection_ends() {
    for version in [Version::V311, Version::V5] {
        for is_spooled in [false, true] {
            let (listener, url) = listen();
            let directory = tempfile::tempdir().unwrap();
            let number = if version == Version::V5 { "5" } else { "311" };
            let message = ["-t", "a", "-q", "1", "-m", "x", "-V", number];
            let spool = ["--spool", directory.path().to_str().unwrap()];
            let spool = if is_spooled { &spool[..] } else { &[] };
            let mut running = publish(&url, &[&message[..], spool].concat()).start();
            let mut wire = Wire::answered(&listener, version, connack(false));
            let packet_id = next_publish(&mut wire).packet_id;
            wire.send(Packet::PubAck(Acknowledgement::success(packet_id)));
            drop(wire);
            let finished = running.wait();
            assert_eq!((&*finished.stderr, finished.status), ("", 0), "{version}");
        }
    }
}

#[test]
fn what_a_spool_cannot_do_is_said() {
    let broker = MqttServe::start([""; 0]);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("spool");
    let path = path.to_str().unwrap();
    let run = |rest: &[&'static str]| publish_at(&broker, path, rest);
    run(&["-t", "a", "-m", "x"])
        .stderr("mqtt: a --spool takes QoS 1 and 2, which have a handshake to complete; add --qos 1 or --qos 2\n")
        .status(2)
        .run();
    assert!(!Path::new(path).exists());
    run(&["--json"])
        .stdin("{\"topic\":\"a\",\"payload\":\"\",\"qos\":0}\n")
        .stderr("mqtt: line 1 was not sent: QoS 0 will not do: a --spool takes QoS 1 and 2, which have a handshake to complete\n")
        .status(1)
        .run();
    run(&["-t", "a", "-m", "x", "-q", "1", "-i", "me"])
        .stderr_like(|text| {
            text.starts_with("mqtt: the spool ")
                && text.ends_with("; leave --id away, or give another --spool\n")
        })
        .status(2)
        .run();
    let mut holder = run(&["-t", "a", "-q", "1", "-l", "--report-acks"])
        .stdin_open()
        .start();
    holder.write("x\n");
    holder.wait_for_stdout(|line| line.contains("acknowledged"));
    run(&["--drain"])
        .stderr_contains(" is in use by another process; every sender needs a --spool of its own\n")
        .status(1)
        .run();
    let finished = holder.stop("INT");
    assert_eq!((finished.status, &*finished.stderr), (130, ""));
    for arguments in [
        &["--drain"][..],
        &["--drain", "-m", "x"],
        &["-m", "x", "--spool-sync", "never"],
    ] {
        Mqtt::new(["pub", "-t", "a"].iter().chain(arguments))
            .stderr_contains("--")
            .status(2)
            .run();
    }
    // A file is no folder.
    let file = directory.path().join("file");
    std::fs::write(&file, "").unwrap();
    let file = file.to_str().unwrap();
    publish(
        &broker.url(),
        &spooled(file, &["-t", "a", "-m", "x", "-q", "1"]),
    )
    .stderr_contains(&*Box::leak(
        format!("mqtt: cannot make the spool {file}: ").into_boxed_str(),
    ))
    .status(1)
    .run();
}

fn publish_at(broker: &MqttServe, directory: &str, rest: &[&str]) -> Mqtt {
    let arguments = spooled(directory, rest);
    publish(&broker.url(), &arguments)
}

#[test]
fn a_full_spool_holds_the_source_back_and_loses_nothing() {
    let broker = Mosquitto::start(["max_queued_messages 0"]);
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path().to_str().unwrap();
    let mut subscriber = subscribed(&broker.url(), &["-t", "a", "-q", "1", "-C", "5001"]);
    let limited = [
        "-t",
        "a",
        "-q",
        "1",
        "-l",
        "--spool-limit",
        "20k",
        "--spool-sync",
        "never",
    ];
    publish(&broker.url(), &spooled(directory, &limited))
        .stdin(numbers(5000))
        .run();
    assert!(subscriber.wait().stdout == format!("ready\n{}", numbers(5000)).as_bytes());
    // And without a broker it fills up to its limit, and says what is there.
    let nowhere = format!("mqtt://127.0.0.1:{}", free_port());
    let mut waiting = publish(&nowhere, &spooled(directory, &limited))
        .stdin(numbers(5000))
        .start();
    waiting.wait_for_stderr(|line| line.contains("; trying again in "));
    eventually("the spool is full", || {
        let mut bytes = 0;
        for entry in std::fs::read_dir(directory).unwrap() {
            bytes += entry.unwrap().metadata().map_or(0, |data| data.len());
        }
        (bytes > 20_000).then_some(())
    });
    let finished = waiting.stop("TERM");
    assert_eq!(finished.status, 130);
    let mut rest = subscribed(&broker.url(), &["-t", "a", "-q", "1"]);
    let drain = spooled(directory, &["--drain", "-v"]);
    let said = publish(&broker.url(), &drain).stderr_any().run().stderr;
    let delivered = said.matches("mqtt: delivered: message ").count();
    assert!((300..5000).contains(&delivered), "{said}");
    publish(&broker.url(), &["-t", "a", "-q", "1", "-m", "end"]).run();
    rest.wait_for_stdout(|line| line == "end");
    let expected = format!("ready\n{}end\n", numbers(delivered as u32));
    assert!(rest.stdout() == expected.as_bytes());
}

#[test]
fn a_spool_that_is_not_there_is_named_and_not_made_to_be_drained() {
    let directory = tempfile::tempdir().unwrap();
    let mistyped = directory.path().join("mistyped");
    let mistyped = mistyped.to_str().unwrap();
    Mqtt::new(["pub", "-p", "1", "--spool", mistyped, "--drain"])
        .stderr(format!(
            "mqtt: there is no spool {mistyped}, so nothing is delivered\n"
        ))
        .run();
    assert!(!std::path::Path::new(mistyped).exists());
}
