//! `mqtt pub`.

use std::io::{Read, Write};
use std::thread;

use mqtt_toolbox::mqtt::packet::{Acknowledgement, ConnAck};
use mqtt_toolbox::mqtt::{Packet, Properties, Property, ReasonCode, Version};

use crate::clients::{brokers, numbers, publish, subscribe, subscribed};
use crate::harness::{Mqtt, eventually};
use crate::servers::{Mosquitto, free_port};
use crate::wire::{Wire, accepted, listen};

#[test]
fn every_payload_source_sends_its_bytes_unchanged() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let binary: Vec<u8> = (0..=255).chain(*b"\n\n").collect();
    let large = binary.repeat(5000);
    for broker in brokers() {
        let url = &broker.url;
        let mut subscriber =
            subscribed(url, &["-t", "a/#", "-q", "2", "-N", "-F", "%p|", "-C", "9"]);
        let to_a = |arguments: &[&'static str]| {
            publish(url, &[&["-t", "a/数据/🦀", "-q", "2"], arguments].concat())
        };
        to_a(&["-m", "text"]).run();
        to_a(&["-m", "-1"]).run();
        to_a(&["-n"]).run();
        to_a(&["-s"]).stdin(binary.clone()).run();
        to_a(&["-s"]).stdin("").run();
        std::fs::write(file.path(), &large).unwrap();
        publish(
            url,
            &["-t", "a", "-q", "2", "-f", &file.path().to_string_lossy()],
        )
        .run();
        to_a(&["-l"]).stdin("no line feed\0\r").run();
        to_a(&["-l"]).stdin("\n").run();
        let expected = [
            &b"ready|text|-1||"[..],
            &binary,
            b"||",
            &large,
            b"|no line feed\0\r||",
        ]
        .concat();
        assert!(subscriber.wait().stdout == expected, "{}", broker.name);
    }
}

#[test]
fn each_delivery_is_reported_when_it_is_complete() {
    for broker in brokers() {
        for version in ["31", "311", "5"] {
            let deliver = |qos| {
                publish(
                    &broker.url,
                    &["-t", "a", "-V", version, "-q", qos, "-l", "-v"],
                )
            };
            deliver("0")
                .stdin("x\n\n")
                .stderr_like(|text| {
                    text.starts_with("mqtt: sent: message 1 to a, QoS 0, 1 bytes\nmqtt: sent: message 2 to a, QoS 0, 0 bytes\nmqtt: 2 messages, 1 bytes, in ")
                        && text.ends_with("/s): 2 delivered\n")
                })
                .run();
            for qos in ["1", "2"] {
                let number = |word: &str| word.to_owned();
                let expected = move |text: &str| {
                    let lines: Vec<String> = text.lines().map(number).collect();
                    lines.len() == 3
                        && lines[0].starts_with("mqtt: delivered")
                        && lines[1].ends_with(&format!("message 2 to a, QoS {qos}, 0 bytes"))
                        && lines[2].contains("/s): 2 delivered")
                };
                deliver(qos).stdin("x\n\n").stderr_like(expected).run();
            }
        }
    }
}

#[test]
fn a_hundred_thousand_lines_arrive_once_each_and_in_order() {
    for broker in brokers() {
        for qos in ["0", "1", "2"] {
            let lines = numbers(100_000);
            let topic = format!("lines/{qos}");
            let arguments = ["-t", &topic, "-q", qos, "-C", "100001"];
            let mut subscriber = subscribed(&broker.url, &arguments);
            publish(&broker.url, &["-t", &topic, "-q", qos, "-l"])
                .stdin(lines.clone())
                .run();
            let printed = subscriber.wait().stdout;
            let count = printed.iter().filter(|byte| **byte == b'\n').count();
            assert!(
                printed == format!("ready\n{lines}").as_bytes(),
                "{}, QoS {qos}: {count} lines came",
                broker.name
            );
        }
    }
}

#[test]
fn a_message_is_repeated_as_often_as_asked() {
    let broker = Mosquitto::start([]);
    let mut subscriber = subscribed(&broker.url(), &["-t", "tick", "-C", "4"]);
    let tick = [
        "-t",
        "tick",
        "-m",
        "now",
        "--repeat",
        "3",
        "--repeat-delay",
        "10ms",
    ];
    publish(&broker.url(), &tick).run();
    assert_eq!(subscriber.wait().stdout_text(), "ready\nnow\nnow\nnow\n");
}

#[test]
fn a_retained_message_stays_until_an_empty_one_takes_it_away() {
    for broker in brokers() {
        let url = &broker.url;
        publish(url, &["-t", "kept", "-m", "for later", "-r"]).run();
        subscribe(url, &["-t", "kept", "-C", "1"])
            .stdout("for later\n")
            .run();
        publish(url, &["-t", "kept", "-n", "-r"]).run();
        subscribe(url, &["-t", "kept", "--retained-only"]).run();
    }
}

#[test]
fn the_topic_may_come_with_the_url() {
    let broker = Mosquitto::start([]);
    let url = format!("{}/path/of%20the/url", broker.url());
    Mqtt::new(["pub", "-L", &url, "-m", "by flag", "-r"]).run();
    Mqtt::new(["sub", "-C", "1", "-v"])
        .env("MQTT_URL", &url)
        .stdout("path/of the/url by flag\n")
        .run();
    // What is typed wins.
    Mqtt::new(["pub", "-t", "typed", "-m", "by environment", "-r"])
        .env("MQTT_URL", &url)
        .run();
    Mqtt::new(["sub", "-t", "typed", "-C", "1", "-v"])
        .env("MQTT_URL", &url)
        .stdout("typed by environment\n")
        .run();
}

#[test]
fn a_wrong_command_line_is_status_2_before_anything_is_connected() {
    // Nobody listens there: had it connected, the status would be 3.
    let port = free_port().to_string();
    let run =
        |arguments: &[&str]| Mqtt::new(["pub", "-p", &port].iter().chain(arguments)).status(2);
    for (arguments, words) in [
        (&["-t", "a"][..], "required arguments were not provided"),
        (&["-t", "a", "-m", "x", "-n"], "cannot be used with"),
        (&["-m", "x"], "mqtt: no topic; add --topic TOPIC\n"),
        (&["-t", "", "-m", "x"], "mqtt: the topic is empty\n"),
        (
            &["-t", "a/+/b", "-m", "x"],
            "mqtt: \"a/+/b\" is no topic to publish to: + and # stand in topic filters only\n",
        ),
        (
            &["-t", "a", "-m", "x", "-c"],
            "mqtt: --disable-clean-session keeps the session of a named client; add --id NAME\n",
        ),
        (
            &["-t", "a", "-m", "x", "-k", "4"],
            "0 or between 5 and 65535 seconds",
        ),
        (&["-t", "a", "-m", "x", "-q", "3"], "3 is not in 0..=2"),
        (&["-t", "a", "-m", "x", "--repeat", "0"], "0 is not in 1.."),
        (
            &["-t", "a", "-m", "x", "--will-payload", "y"],
            "--will-topic",
        ),
        (
            &["-t", "a", "-m", "x", "--will-topic", "#"],
            "mqtt: \"#\" is no topic for a will: it must not be empty or contain + or #\n",
        ),
        (&["-t", "a", "-m", "x", "-P", "secret"], "add --username\n"),
    ] {
        run(arguments).stderr_contains(words).run();
    }
    let long = "x".repeat(65_536);
    run(&["-t", &long, "-m", "x"])
        .stderr("mqtt: the topic is longer than 65535 bytes\n")
        .run();
}

#[test]
fn a_payload_that_cannot_be_read_is_status_1() {
    let broker = Mosquitto::start([]);
    publish(&broker.url(), &["-t", "a", "-f", "/nonexistent"])
        .stderr("mqtt: cannot open /nonexistent: No such file or directory (os error 2)\n")
        .status(1)
        .run();
    let shell = |option| format!("mqtt pub -L {} -t a {option} < /", broker.url());
    Mqtt::shell(&shell("-s"))
        .stderr("mqtt: cannot read stdin: Is a directory (os error 21)\n")
        .status(1)
        .run();
    Mqtt::shell(&shell("-l"))
        .stderr("mqtt: cannot read stdin: Is a directory (os error 21)\n")
        .status(1)
        .run();
}

#[test]
fn a_broker_that_is_not_there_is_status_3() {
    let url = format!("mqtt://127.0.0.1:{}", free_port());
    let words = format!(
        "mqtt: cannot connect to {url}: connection refused; is a broker running there? `mqtt serve` starts one\n"
    );
    publish(&url, &["-t", "a", "-m", "x"])
        .stderr(words)
        .status(3)
        .run();
    Mqtt::new(["pub", "-h", "no.such.host.invalid", "-t", "a", "-m", "x"])
        .stderr_like(|text| {
            text.starts_with("mqtt: cannot find the address of no.such.host.invalid: ")
                && text.ends_with("; check --host\n")
        })
        .status(3)
        .run();
}

#[test]
fn a_broker_that_says_nothing_is_status_3_after_the_connect_timeout() {
    let (_listener, url) = listen();
    publish(&url, &["-t", "a", "-m", "x", "--connect-timeout", "200ms"])
        .stderr(format!(
            "mqtt: {url} takes connections but sent no CONNACK within 200ms (--connect-timeout); is it an MQTT broker?\n"
        ))
        .status(3)
        .run();
}

#[test]
fn a_web_server_is_no_broker() {
    let (listener, url) = listen();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .unwrap();
    });
    publish(&url, &["-t", "a", "-m", "x"])
        .stderr(format!("mqtt: {url} does not speak MQTT: it speaks HTTP; is it a port for WebSocket (ws://, wss://)?\n"))
        .status(3)
        .run();
    server.join().unwrap();
}

#[test]
fn a_wrong_password_is_status_4_and_a_right_one_may_come_from_anywhere() {
    let directory = tempfile::tempdir().unwrap();
    let passwords = directory.path().join("passwords");
    Mqtt::program(
        "mosquitto_passwd",
        [
            "-b",
            "-c",
            &passwords.to_string_lossy(),
            "ann",
            "pa:ss@wörd",
        ],
    )
    .stderr_any()
    .run();
    let line = format!("password_file {}", passwords.display());
    let broker = Mosquitto::start(["allow_anonymous false", &line]);
    let url = broker.url();
    let message = ["-t", "a", "-m", "x"];
    for version in ["31", "311", "5"] {
        let reason = "not authorized; it may want a --username and --password-file, or other ones";
        publish(
            &url,
            &[&message[..], &["-V", version, "-u", "ann", "-P", "wrong"]].concat(),
        )
        .stderr(format!("mqtt: {url} refused the connection: {reason}\n"))
        .status(4)
        .run();
    }
    publish(
        &url,
        &[&message[..], &["-u", "ann", "-P", "pa:ss@wörd"]].concat(),
    )
    .run();
    publish(&url, &message)
        .env("MQTT_USERNAME", "ann")
        .env("MQTT_PASSWORD", "pa:ss@wörd")
        .run();
    let file = directory.path().join("password");
    std::fs::write(&file, "pa:ss@wörd\n").unwrap();
    let file = file.to_string_lossy();
    publish(
        &url,
        &[&message[..], &["-u", "ann", "--password-file", &file]].concat(),
    )
    .run();
    let with_user = url.replace("mqtt://", "mqtt://ann:pa%3ass%40w%C3%B6rd@");
    publish(&with_user, &message).run();
}

#[test]
fn a_refused_message_is_status_5_with_the_reason() {
    let directory = tempfile::tempdir().unwrap();
    let rules = directory.path().join("acl");
    std::fs::write(&rules, "topic write allowed\n").unwrap();
    let line = format!("acl_file {}", rules.display());
    let broker = Mosquitto::start([&*line]);
    for qos in ["1", "2"] {
        publish(
            &broker.url(),
            &["-V", "5", "-q", qos, "-t", "denied", "-m", "x"],
        )
        .stderr("mqtt: cannot publish to denied: not authorized (0x87)\n")
        .status(5)
        .run();
    }
    publish(
        &broker.url(),
        &["-V", "5", "-q", "1", "-t", "allowed", "-m", "x"],
    )
    .run();
}

#[test]
fn what_the_broker_does_not_take_is_said_and_not_sent() {
    let (listener, url) = listen();
    let server = thread::spawn(move || {
        let small = vec![Property::MaximumPacketSize(64)];
        let mut wire = Wire::answered(&listener, Version::V5, accepted(false, small));
        let mut packets = Vec::new();
        while let Some(packet) = wire.receive_or_end() {
            if let Packet::Publish(publish) = &packet {
                wire.send(Packet::PubAck(Acknowledgement::success(publish.packet_id)));
            }
            packets.push(packet);
        }
        packets
    });
    let lines = format!("short\n{}\nshort again\n", "x".repeat(100));
    publish(&url, &["-V", "5", "-q", "1", "-t", "a", "-l"])
        .stdin(lines)
        .stderr("mqtt: cannot publish to a: the message makes a packet of 108 bytes, and the broker takes at most 64\n")
        .status(5)
        .run();
    let packets = server.join().unwrap();
    let payloads: Vec<&[u8]> = packets
        .iter()
        .filter_map(|packet| match packet {
            Packet::Publish(publish) => Some(&publish.payload[..]),
            _ => None,
        })
        .collect();
    assert_eq!(payloads, [&b"short"[..], b"short again"]);
    assert!(matches!(packets.last(), Some(Packet::Disconnect(_))));
}

#[test]
fn what_a_broker_says_does_not_steer_the_terminal() {
    let (listener, url) = listen();
    let server = thread::spawn(move || {
        let refusal = ConnAck {
            session_present: false,
            reason: ReasonCode(0x88),
            properties: Properties(vec![Property::ReasonString("\x1b[2Jgone\u{9b}m".into())]),
        };
        Wire::answered(&listener, Version::V5, Packet::ConnAck(refusal));
    });
    publish(&url, &["-V", "5", "-t", "a", "-m", "x"])
        .stderr(format!(
            "mqtt: {url} refused the connection: server unavailable (\\u{{1b}}[2Jgone\\u{{9b}}m)\n"
        ))
        .status(4)
        .run();
    server.join().unwrap();
}

#[test]
fn a_connection_lost_before_the_acknowledgement_is_status_7() {
    let (listener, url) = listen();
    let server = thread::spawn(move || {
        let mut wire = Wire::answered(&listener, Version::V311, accepted(false, Vec::new()));
        assert!(matches!(wire.receive(), Packet::Publish(_)));
    });
    publish(&url, &["-t", "a", "-m", "x", "-q", "1"])
        .stderr("mqtt: the broker closed the connection; not every message was delivered\n")
        .status(7)
        .run();
    server.join().unwrap();
}

#[test]
fn a_broker_that_never_acknowledges_is_waited_for_as_long_as_was_said() {
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("spool").display().to_string();
    let kept = format!("1 message is kept in {spool}; deliver with --spool {spool} --drain");
    for (more, rest) in [
        (&[][..], "0 of 1 messages were delivered"),
        (&["--spool", &spool], &kept),
    ] {
        let (listener, url) = listen();
        let server = thread::spawn(move || {
            let mut wire = Wire::answered(&listener, Version::V311, accepted(false, Vec::new()));
            let published = wire.receive();
            (published, wire.receive_or_end())
        });
        let message = ["-t", "a", "-m", "x", "-q", "1", "-W", "300ms"];
        publish(&url, &[&message[..], more].concat())
            .stderr(format!("mqtt: timed out after 300ms; {rest}\n"))
            .status(27)
            .run();
        let (published, farewell) = server.join().unwrap();
        assert!(matches!(published, Packet::Publish(_)));
        assert!(matches!(farewell, Some(Packet::Disconnect(_))));
    }
    // Before CONNACK as well.
    let (_silent, url) = listen();
    publish(&url, &["-t", "a", "-m", "x", "-W", "300ms"])
        .stderr("mqtt: timed out after 300ms\n")
        .status(27)
        .run();
}

#[test]
fn a_signal_before_the_work_is_done_is_status_130() {
    let broker = Mosquitto::start([]);
    for signal in ["INT", "TERM"] {
        let mut subscriber = subscribed(&broker.url(), &["-t", "a", "-C", "2"]);
        let mut running = publish(&broker.url(), &["-t", "a", "-l"])
            .stdin_open()
            .start();
        running.write("first\n");
        subscriber.wait();
        let finished = running.stop(signal);
        assert_eq!((finished.status, &*finished.stderr), (130, ""), "{signal}");
    }
}

#[test]
fn a_line_is_sent_when_it_is_written_not_when_stdin_ends() {
    for broker in brokers() {
        let mut subscriber = subscribed(&broker.url, &["-t", "a", "-q", "1"]);
        let mut running = publish(&broker.url, &["-t", "a", "-q", "1", "-l"])
            .stdin_open()
            .start();
        for line in ["one", "two"] {
            running.write(format!("{line}\n"));
            subscriber.wait_for_stdout(|printed| printed == line);
        }
        running.close_stdin();
        assert_eq!(running.wait().status, 0);
    }
}

#[test]
fn a_stream_of_lines_waits_for_a_broker_that_restarts() {
    let port = free_port();
    let line = format!("listener {port} 127.0.0.1");
    let mut broker = Mosquitto::start([&*line]);
    let url = format!("mqtt://127.0.0.1:{port}");
    let mut running = publish(&url, &["-t", "a", "-q", "1", "-l", "-v"])
        .stdin_open()
        .start();
    running.write("before\n");
    running.wait_for_stderr(|line| line.contains("message 1 to a"));
    broker.process.kill();
    running.wait_for_stderr(|line| line.contains("; trying again in "));
    running.write("while it is away\n");
    let _broker = eventually("the port is free again", || {
        std::panic::catch_unwind(|| Mosquitto::start([&*line])).ok()
    });
    running.wait_for_stderr(|line| line == "mqtt: connected again");
    running.wait_for_stderr(|line| line.contains("message 2 to a, QoS 1, 16 bytes"));
    running.close_stdin();
    assert_eq!(running.wait().status, 0);
}

#[test]
fn memory_does_not_grow_with_the_input() {
    let broker = Mosquitto::start([]);
    let mut running = publish(&broker.url(), &["-t", "a", "-l", "-q", "0"])
        .stdin_open()
        .start();
    let block = format!("{}\n", "x".repeat(999)).repeat(1000);
    let mut peak = 0;
    for _ in 0..100 {
        running.write(&block);
        peak = running.peak_memory();
    }
    running.close_stdin();
    assert_eq!(running.wait().status, 0);
    // 100 MB went through it. In a debug build the program itself takes about 20 MB.
    assert!(peak < 40_000, "{peak} KB");
}

#[test]
fn a_large_file_is_in_memory_twice_and_not_more() {
    const SIZE: usize = 64 << 20;
    let file = tempfile::NamedTempFile::new().unwrap();
    file.as_file().set_len(SIZE as u64).unwrap();
    let (broker, url) = listen();
    let path = file.path().to_str().unwrap();
    let mut running = publish(&url, &["-t", "a", "-f", path]).start();
    let (mut stream, _) = broker.accept().unwrap();
    assert!(stream.read(&mut [0; 1000]).unwrap() > 0, "no CONNECT");
    stream.write_all(&[0x20, 2, 0, 0]).unwrap();
    stream.read_exact(&mut vec![0; 1 << 20]).unwrap();
    let peak = running.peak_memory();
    drop(stream);
    assert_eq!(running.wait().status, 7);
    // As it was read, and as a packet; in a debug build the program itself takes about 20 MB.
    assert!(peak < 2 * SIZE as u64 / 1000 + 40_000, "{peak} KB");
}
