//! `mqtt sub`.

use std::thread;

use mqtt_toolbox::mqtt::{ReasonCode, Version};
use serde_json::Value;

use crate::clients::{brokers, numbers, publish, subscribe, subscribed};
use crate::harness::{Mqtt, eventually};
use crate::servers::{Mosquitto, MqttServe, free_port};
use crate::wire::{Wire, accepted, listen};

#[test]
fn it_prints_what_mosquitto_sub_prints() {
    let broker = Mosquitto::start([]);
    let port = broker.port();
    let properties: Vec<&str> = "-D publish user-property k v -D publish user-property k w \
        -D publish content-type text/plain -D publish correlation-data c:d -D publish response-topic answer \
        -D publish payload-format-indicator 1"
        .split_whitespace()
        .collect();
    let retained = ["-p", &port, "-V", "5", "-r", "-q", "1"];
    for (topic, payload) in [
        ("g/text/ü", "hello world"),
        ("g/number", "12.5"),
        ("g/json", "{\"a\":[1,2]}"),
    ] {
        Mqtt::program(
            "mosquitto_pub",
            retained
                .iter()
                .chain(&["-t", topic, "-m", payload])
                .chain(&properties),
        )
        .run();
    }
    let all = ["-p", &port, "-V", "5", "-C", "3", "-q", "1", "-t", "g/#"];
    let formats = [
        "%t %p",
        "%%|%@|",
        "[%q] [%r] [%l]",
        "%A|%C|%D|%E|%F|%P|%R|%S",
        "%x %X",
        "[%20t] [%-20t] [%020t]",
        "[%.3t] [%8.3t] [%-8.3t]",
        "[%5l] [%05l] [%-5l] [%-05l]",
        "[%4A] [%04A] [%-4A]",
        "[%20C] [%-20C] [%.4C]",
        "[%5F] [%05F]",
        "[%3p] [%15p] [%-15p] [%015p]",
        "[%12R] [%.2R]",
        "@Y-@m-@d @y @j @a @A @b @B @U @W @u @w @z @Z @D @F @%",
        r"a\tb\nc\\d\0e\a\e\r\v",
        "@@ %q%q",
    ];
    for format in formats
        .iter()
        .filter(|format| !format.contains("%@") && !format.contains("@%"))
    {
        same(&all, &["-F", format]);
        same(&all, &["-N", "-F", format]);
    }
    for flags in [
        &[][..],
        &["-v"],
        &["-N"],
        &["-v", "-N"],
        &["-T", "g/number", "-C", "2"],
        &["-T", "+/number", "-C", "2", "-v"],
    ] {
        same(&all, flags);
    }
}

/// Runs both with the same arguments; what they print must be the same byte for byte.
#[track_caller]
fn same(common: &[&str], more: &[&str]) {
    let arguments: Vec<&str> = common.iter().chain(more).copied().collect();
    let theirs = Mqtt::program("mosquitto_sub", &arguments)
        .stdout_any()
        .run();
    let ours = Mqtt::new(["sub"].iter().chain(&arguments))
        .stdout_any()
        .run();
    assert_eq!(
        String::from_utf8_lossy(&ours.stdout),
        String::from_utf8_lossy(&theirs.stdout),
        "{more:?}"
    );
}

#[test]
fn empty_payloads_are_printed_as_mosquitto_sub_prints_them() {
    let broker = Mosquitto::start([]);
    let port = broker.port();
    for flags in [&[][..], &["-v"], &["-N"], &["-v", "-N"]] {
        let topics = ["-p", &port, "-t", "empty", "-t", "ready", "-C", "3"];
        publish(&broker.url(), &["-t", "ready", "-m", "ready", "-r"]).run();
        let arguments: Vec<&str> = topics.iter().chain(flags).copied().collect();
        let mut theirs = Mqtt::program("mosquitto_sub", &arguments).start();
        let mut ours = Mqtt::new(["sub"].iter().chain(&arguments)).start();
        theirs.wait_for_output(b"ready");
        ours.wait_for_output(b"ready");
        publish(&broker.url(), &["-t", "empty", "-n"]).run();
        publish(&broker.url(), &["-t", "empty", "-m", "x"]).run();
        let (ours, theirs) = (ours.wait(), theirs.wait());
        assert_eq!(ours.stdout_text(), theirs.stdout_text(), "{flags:?}");
    }
}

#[test]
fn messages_of_every_quality_of_service_and_version_pass() {
    for broker in brokers() {
        for version in ["31", "311", "5"] {
            for qos in ["0", "1", "2"] {
                let topic = format!("温度/{version}/🦀/{qos}");
                let wanted = ["-t", &topic, "-q", qos, "-V", version, "-v", "-C", "4"];
                let mut subscriber = subscribed(&broker.url, &wanted);
                for payload in ["one", "two", "三"] {
                    publish(
                        &broker.url,
                        &["-t", &topic, "-q", qos, "-V", version, "-m", payload],
                    )
                    .run();
                }
                let printed = subscriber.wait().stdout_text();
                let expected = format!("ready ready\n{topic} one\n{topic} two\n{topic} 三\n");
                assert_eq!(printed, expected, "{}", broker.name);
            }
        }
    }
}

#[test]
fn a_megabyte_arrives_whole() {
    let payload: Vec<u8> = (0..1 << 20)
        .map(|number: u32| (number % 251) as u8)
        .collect();
    for broker in brokers() {
        for version in ["311", "5"] {
            let wanted = ["-t", "large", "-q", "1", "-V", version, "-N", "-C", "2"];
            let mut subscriber = subscribed(&broker.url, &wanted);
            publish(
                &broker.url,
                &["-t", "large", "-q", "1", "-V", version, "-s"],
            )
            .stdin(payload.clone())
            .run();
            let printed = subscriber.wait().stdout;
            assert!(
                printed[5..] == payload,
                "{} {version}: {} bytes",
                broker.name,
                printed.len()
            );
        }
    }
}

#[test]
fn json_is_a_valid_line_for_any_payload() {
    let broker = MqttServe::start([""; 0]);
    let mut subscriber = subscribed(
        &broker.url(),
        &["-t", "a/ü", "-q", "1", "-V", "5", "--json", "-C", "4"],
    );
    publish(
        &broker.url(),
        &["-t", "a/ü", "-q", "1", "-m", "say \"hi\"\n"],
    )
    .run();
    publish(&broker.url(), &["-t", "a/ü", "-q", "1", "-s"])
        .stdin(b"\0\xff\n")
        .run();
    publish(&broker.url(), &["-t", "a/ü", "-n"]).run();
    let printed = subscriber.wait().stdout_text();
    let lines: Vec<Value> = printed
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 4, "{printed}");
    assert_eq!(
        (&lines[0]["topic"], &lines[0]["retain"]),
        (&"ready".into(), &true.into())
    );
    assert_eq!(lines[1]["topic"], "a/ü");
    assert_eq!(lines[1]["payload"], "say \"hi\"\n");
    assert_eq!(lines[1]["qos"], 1);
    assert!(lines[1]["packet_id"].is_u64());
    assert_eq!(lines[2]["payload_base64"], "AP8K");
    assert_eq!(lines[2].get("payload"), None);
    assert_eq!(
        (&lines[3]["payload"], &lines[3]["qos"]),
        (&"".into(), &0.into())
    );
    for line in &lines {
        let time = line["time"].as_str().unwrap();
        assert!(humantime_like(time), "{time}");
    }
}

/// `2026-11-23T04:58:05.194902+01:00`
fn humantime_like(time: &str) -> bool {
    let pattern = "dddd-dd-ddTdd:dd:dd.ddddddsdd:dd";
    time.len() == pattern.len()
        && time
            .chars()
            .zip(pattern.chars())
            .all(|(character, expected)| match expected {
                'd' => character.is_ascii_digit(),
                's' => matches!(character, '+' | '-'),
                other => character == other,
            })
}

#[test]
fn retained_messages_may_be_left_out_or_be_the_only_ones() {
    for broker in brokers() {
        for version in ["311", "5"] {
            let url = &broker.url;
            publish(url, &["-t", "r/1", "-m", "old", "-r"]).run();
            publish(url, &["-t", "r/2", "-m", "older", "-r"]).run();
            let only = ["-t", "r/#", "--retained-only", "-F", "%t", "-V", version];
            let finished = subscribe(url, &only).stdout_any().run();
            let mut lines: Vec<String> =
                finished.stdout_text().lines().map(str::to_owned).collect();
            lines.sort();
            assert_eq!(lines, ["r/1", "r/2"], "{}", broker.name);
            // The live one can only be told to have come when it has: the retained ones would come before it.
            let live = ["-t", "r/#", "-R", "-C", "1", "-V", version];
            let mut subscriber = subscribe(url, &live).start();
            let finished = eventually("the live message is printed", || {
                publish(url, &["-t", "r/1", "-m", "live"]).run();
                (!subscriber.is_running()).then(|| subscriber.wait())
            });
            assert_eq!(finished.stdout_text(), "live\n", "{}", broker.name);
        }
    }
}

#[test]
fn the_time_given_runs_out_with_status_27_connected_or_not() {
    let broker = Mosquitto::start([]);
    subscribe(&broker.url(), &["-t", "a", "-W", "0.2"])
        .stderr("mqtt: timed out after 200ms\n")
        .status(27)
        .run();
    let (_listener, silent) = listen();
    subscribe(&silent, &["-t", "a", "-W", "0.2"])
        .stderr("mqtt: timed out after 200ms\n")
        .status(27)
        .run();
}

#[test]
fn a_wrong_command_line_is_status_2() {
    let port = free_port().to_string();
    for (arguments, words) in [
        (
            &[][..],
            "mqtt: nothing to subscribe to; add --topic FILTER\n",
        ),
        (&["-t", ""], "mqtt: a topic filter is empty\n"),
        (&["-t", "a#"], "mqtt: \"a#\" is no topic filter"),
        (
            &["-t", "a", "-T", "a/#/b"],
            "mqtt: \"a/#/b\" is no topic filter",
        ),
        (&["-t", "a", "-C", "0"], "0 is not in 1.."),
        (&["-t", "a", "-W", "0"], "longer than 0"),
        (&["-t", "a", "-R", "--retained-only"], "cannot be used with"),
        (&["-t", "a", "-F", "%y"], "invalid format specifier %y"),
        (&["-t", "a", "-F", "%t", "--json"], "cannot be used with"),
        (&["-t", "a", "-c"], "add --id NAME\n"),
    ] {
        Mqtt::new(["sub", "-p", &port].iter().chain(arguments))
            .stderr_contains(words)
            .status(2)
            .run();
    }
}

#[test]
fn a_broker_that_is_not_there_is_status_3_at_once() {
    let url = format!("mqtt://127.0.0.1:{}", free_port());
    subscribe(&url, &["-t", "a"])
        .stderr(format!(
            "mqtt: cannot connect to {url}: connection refused; is a broker running there? `mqtt serve` starts one\n"
        ))
        .status(3)
        .run();
}

#[test]
fn a_signal_ends_an_open_subscription_well_and_a_counted_one_early() {
    let broker = Mosquitto::start([]);
    for signal in ["INT", "TERM"] {
        let finished = subscribed(&broker.url(), &["-t", "a"]).stop(signal);
        assert_eq!((finished.status, &*finished.stderr), (0, ""));
        let finished = subscribed(&broker.url(), &["-t", "a", "-C", "5"]).stop(signal);
        assert_eq!((finished.status, &*finished.stderr), (130, ""));
    }
}

#[test]
fn a_reader_who_leaves_ends_it_quietly() {
    for broker in brokers() {
        let url = &broker.url;
        // A will would tell if it had gone without DISCONNECT.
        let mut watcher = subscribed(url, &["-t", "will", "-t", "end"]);
        let script =
            format!("mqtt sub -L {url} -t a --will-topic will --will-payload lost | head -n 1");
        let mut running = Mqtt::shell(&script).start();
        let finished = eventually("the pipe ends", || {
            publish(url, &["-t", "a", "-m", "x"]).run();
            (!running.is_running()).then(|| running.wait())
        });
        assert_eq!(
            (finished.status, &*finished.stderr, &*finished.stdout_text()),
            (0, "", "x\n")
        );
        publish(url, &["-t", "end", "-m", "end"]).run();
        assert_eq!(
            watcher.wait_for_stdout(|line| line != "ready"),
            "end",
            "{}",
            broker.name
        );
    }
}

#[test]
fn a_subscriber_that_is_cut_off_leaves_its_will_and_one_that_ends_does_not() {
    for broker in brokers() {
        for version in ["31", "311", "5"] {
            let url = &broker.url;
            let mut watcher = subscribed(url, &["-t", "will/#", "-q", "2", "-F", "%t %p %q %r"]);
            let with_will = |topic: &'static str| {
                let will = [
                    "--will-topic",
                    topic,
                    "--will-payload",
                    "再见",
                    "--will-qos",
                    "2",
                    "--will-retain",
                ];
                subscribed(url, &[&["-t", "a", "-V", version][..], &will].concat())
            };
            with_will("will/never").stop("TERM");
            with_will("will/cut").kill();
            let line = watcher.wait_for_stdout(|line| line.starts_with("will"));
            assert_eq!(line, "will/cut 再见 2 0", "{} {version}", broker.name);
            subscribe(url, &["-t", "will/#", "-C", "1"])
                .stdout("再见\n")
                .run();
            publish(url, &["-t", "will/cut", "-n", "-r"]).run();
        }
    }
}

#[test]
fn a_kept_session_gets_what_it_missed_and_only_what_was_printed_is_gone() {
    for broker in brokers() {
        for version in ["311", "5"] {
            for qos in ["1", "2"] {
                let url = &broker.url;
                let (id, topic) = (
                    format!("keeper-{version}-{qos}"),
                    format!("kept/{version}/{qos}"),
                );
                let session = ["-i", &id, "-c", "-t", &topic, "-q", qos, "-V", version];
                subscribed(url, &session).stop("TERM");
                publish(url, &["-t", &topic, "-q", qos, "-l"])
                    .stdin(numbers(100))
                    .run();
                // Fewer than the broker sends ahead: the rest must be there for the next.
                let take =
                    |count: &'static str| subscribe(url, &[&session[..], &["-C", count]].concat());
                let mut received = String::new();
                for count in ["7", "1", "92"] {
                    received += &take(count).stdout_any().run().stdout_text();
                }
                received = received.replace("ready\n", "");
                let expected = numbers(100);
                assert!(
                    expected.starts_with(&received) && received.lines().count() >= 97,
                    "{} {version} {qos}: {received}",
                    broker.name
                );
            }
        }
    }
}

#[test]
fn a_client_with_the_same_id_takes_the_session_over_and_the_first_does_not_fight() {
    // Debian's mosquitto closes the first connection without a word.
    for broker in brokers()
        .iter()
        .filter(|broker| broker.name == "mqtt serve")
    {
        let arguments = ["-t", "a", "-V", "5", "-i", "twin"];
        let mut first = subscribed(&broker.url, &arguments);
        let mut second = subscribed(&broker.url, &arguments);
        let finished = first.wait();
        assert_eq!(finished.status, 7, "{}", broker.name);
        assert_eq!(
            finished.stderr,
            "mqtt: the broker ended the connection: session taken over: another client connected with the same client id; \
             give each its own --id, or see --takeover\n",
            "{}",
            broker.name
        );
        publish(&broker.url, &["-t", "a", "-m", "x"]).run();
        second.wait_for_stdout(|line| line == "x");
    }
}

#[test]
fn it_comes_back_to_a_broker_that_restarts_and_says_so() {
    let port = free_port();
    let line = format!("listener {port} 127.0.0.1");
    let mut broker = Mosquitto::start([&*line]);
    let url = format!("mqtt://127.0.0.1:{port}");
    let mut subscriber = subscribed(&url, &["-t", "a", "-q", "1"]);
    broker.process.kill();
    let lost = subscriber.wait_for_stderr(|_| true);
    assert!(lost.contains("; trying again in "), "{lost}");
    let _broker = eventually("the port is free again", || {
        std::panic::catch_unwind(|| Mosquitto::start([&*line])).ok()
    });
    subscriber.wait_for_stderr(|line| line == "mqtt: connected again");
    // The new broker knows nothing of the old one's subscriptions.
    eventually("a message comes", || {
        publish(&url, &["-t", "a", "-m", "after"]).run();
        subscriber.stdout().ends_with(b"after\n").then_some(())
    });
}

#[test]
fn refused_filters_are_named_and_status_5_when_there_is_no_other() {
    for (answers, status, words) in [
        (
            [0x80, 0x87],
            5,
            "mqtt: the broker refused to subscribe to a (unspecified error), b/# (not authorized)\n",
        ),
        (
            [1, 0x8F],
            0,
            "mqtt: the broker refused to subscribe to b/# (topic filter invalid)\n",
        ),
    ] {
        let (listener, url) = listen();
        let server = thread::spawn(move || {
            let mut wire = Wire::answered(&listener, Version::V5, accepted(false, Vec::new()));
            wire.grant(answers.map(ReasonCode).to_vec());
            while wire.receive_or_end().is_some() {}
        });
        let mut subscriber =
            subscribe(&url, &["-V", "5", "-q", "1", "-t", "a", "-t", "b/#"]).start();
        subscriber.wait_for_stderr(|line| line.contains("refused"));
        let finished = match status {
            0 => subscriber.stop("TERM"),
            _ => subscriber.wait(),
        };
        assert_eq!((finished.status, &*finished.stderr), (status, words));
        server.join().unwrap();
    }
}

#[test]
fn an_mqtt_5_client_at_an_old_broker_is_told_what_to_do() {
    let (listener, url) = listen();
    let server = thread::spawn(move || {
        let mut wire = Wire::accept(&listener, Version::V5);
        wire.receive();
        wire.send_bytes(&[0x20, 2, 0, 1]);
    });
    subscribe(&url, &["-t", "a", "-V", "5"])
        .stderr(format!(
            "mqtt: {url} refused the connection: unsupported protocol version; try --protocol-version auto or 311, and no option that only MQTT 5 has\n"
        ))
        .status(4)
        .run();
    server.join().unwrap();
}

#[test]
fn a_burst_of_messages_is_printed_whole_even_when_the_count_ends_it() {
    for broker in brokers() {
        let mut subscriber = subscribed(&broker.url, &["-t", "burst", "-C", "5001", "-N"]);
        publish(&broker.url, &["-t", "burst", "-l"])
            .stdin(numbers(20_000))
            .run();
        let expected = format!("ready{}", numbers(5000).replace('\n', ""));
        assert!(
            subscriber.wait().stdout_text() == expected,
            "{}",
            broker.name
        );
    }
}
