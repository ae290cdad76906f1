//! `mqtt sub --exec`: a command for each message, and what becomes of the message when the command fails.

use std::fs;

use mqtt_toolbox::mqtt::{Packet, QoS, ReasonCode, Version};

use crate::clients::{brokers, numbers, publish, subscribe, subscribed};
use crate::harness::{Mqtt, eventually};
use crate::servers::MqttServe;
use crate::wire::{Wire, accepted, listen};

#[test]
fn a_command_gets_the_payload_and_is_told_the_rest() {
    let broker = MqttServe::start([""; 0]);
    let url = broker.url();
    let message = [
        "-t",
        "a/$(reboot)",
        "-m",
        "x; `id` \"$HOME\"\n",
        "-q",
        "1",
        "-r",
        "-V",
        "5",
        "--content-type",
        "text/plain",
        "--user-property",
        "trace-id=1 2",
    ];
    publish(&url, &message).run();
    let command = "cat; echo \"$MQTT_TOPIC|$MQTT_QOS|$MQTT_RETAIN|$MQTT_PROPERTY_CONTENT_TYPE|$MQTT_PROPERTY_USER_TRACE_ID\"";
    subscribe(
        &url,
        &[
            "-t", "a/#", "-q", "1", "-V", "5", "-C", "1", "--exec", "sh", "-c", command,
        ],
    )
    .stdout("x; `id` \"$HOME\"\na/$(reboot)|1|1|text/plain|1 2\n")
    .run();
    // What follows the ; is ours again.
    subscribe(&url, &["-t", "a/#", "--exec", "wc", "-c", ";", "-C", "1"])
        .stdout("16\n")
        .run();
}

#[test]
fn commands_run_one_after_the_other_or_as_many_at_a_time_as_allowed() {
    let broker = MqttServe::start([""; 0]);
    let folder = tempfile::tempdir().unwrap();
    let run = |workers: &str, script: &str| {
        let url = broker.url();
        let arguments = [
            "-t",
            "n",
            "-t",
            "ready",
            "-q",
            "1",
            "-C",
            "9",
            "--exec-workers",
            workers,
            "--exec",
            "sh",
            "-c",
            script,
        ];
        publish(&url, &["-t", "ready", "-m", "ready", "-r", "-q", "1"]).run();
        let mut running = Mqtt::new(["sub", "-L", &url].iter().chain(&arguments))
            .directory(folder.path())
            .start();
        running.wait_for_output(b"ready");
        publish(&url, &["-t", "n", "-q", "1", "-l"])
            .stdin(numbers(8))
            .run();
        let finished = running.wait();
        assert_eq!((finished.status, &*finished.stderr), (0, ""));
        finished.stdout_text()
    };
    let one = run(
        "1",
        "read line; mkdir busy || echo two at once; echo $line; rmdir busy",
    );
    assert_eq!(one, format!("ready\n{}", numbers(8)));
    // Each waits until four have come, so it would never end with fewer workers.
    let script = "read line; test $line = ready && { echo ready; exit; }; \
        touch came-$line; until test $(ls came-* | wc -l) -ge 4; do sleep 0.01; done; echo $line";
    let mut four: Vec<String> = run("4", script).lines().map(str::to_owned).collect();
    four.sort();
    assert_eq!(four, ["1", "2", "3", "4", "5", "6", "7", "8", "ready"]);
}

#[test]
fn a_command_that_fails_is_named_and_the_next_one_runs_all_the_same() {
    let broker = MqttServe::start([""; 0]);
    let url = broker.url();
    for (topic, payload) in [("a/1", "1"), ("a/2", "2")] {
        publish(&url, &["-t", topic, "-m", payload, "-r", "-q", "1"]).run();
    }
    let script = "read number; echo $number; test $number != 1";
    subscribe(
        &url,
        &["-t", "a/#", "-C", "2", "--exec", "sh", "-c", script],
    )
    .stdout_like(|text| text.len() == 4 && text.contains("1\n") && text.contains("2\n"))
    .stderr("mqtt: sh failed on topic a/1: it ended with status 1\nmqtt: a command failed\n")
    .status(1)
    .run();
    subscribe(&url, &["-t", "a/#", "--exec", "no-such-program"])
        .stderr("mqtt: there is no program no-such-program; check --exec\n")
        .status(1)
        .run();
}

#[test]
fn a_message_whose_command_failed_comes_again_with_those_behind_it() {
    for broker in brokers() {
        for version in ["311", "5"] {
            for qos in ["1", "2"] {
                let folder = tempfile::tempdir().unwrap();
                let id = format!("worker-{version}-{qos}");
                let topic = format!("jobs/{version}/{qos}");
                let session = ["-V", version, "-i", &id, "-c", "-q", qos, "-t", &topic];
                subscribe(&broker.url, &[&session[..], &["-E"]].concat()).run();
                publish(&broker.url, &["-t", &topic, "-q", qos, "-l"])
                    .stdin(numbers(6))
                    .run();
                let work = |arguments: &[&str], script: &str| {
                    let command = ["--ack-after-exec", "--exec", "sh", "-c", script];
                    Mqtt::new(
                        ["sub", "-L", &broker.url]
                            .iter()
                            .chain(&session)
                            .chain(arguments)
                            .chain(&command),
                    )
                    .directory(folder.path())
                    .stdout_any()
                    .stderr_any()
                    .start()
                    .wait()
                };
                let failed = work(&[], "read job; test $job != 3 && echo $job >> done");
                let name = format!("{} {version} {qos}", broker.name);
                assert_eq!(failed.status, 1, "{name}: {}", failed.stderr);
                assert_eq!(
                    failed.stderr,
                    format!(
                        "mqtt: sh failed on topic {topic}: it ended with status 1; its message is not acknowledged, and a kept \
                         session brings it again\n"
                    )
                );
                let finished = work(&["-C", "4"], "read job; echo $job >> done");
                assert_eq!((finished.status, &*finished.stderr), (0, ""), "{name}");
                let done = fs::read_to_string(folder.path().join("done")).unwrap();
                assert_eq!(done, numbers(6), "{name}");
            }
        }
    }
}

// Before the broker has sent it again it does not expect an acknowledgement, and the library would end the connection.
#[test]
fn a_message_whose_command_outlives_the_connection_is_acknowledged_when_it_has_come_again() {
    for (version, number) in [(Version::V311, "311"), (Version::V5, "5")] {
        for qos in [QoS::AtLeastOnce, QoS::ExactlyOnce] {
            let (listener, url) = listen();
            let folder = tempfile::tempdir().unwrap();
            let script = "name=$(cat); echo begun $name; until [ -e \"$0/$name\" ]; do sleep 0.01; done; echo done $name";
            let mut running = subscribe(
                &url,
                &[
                    "-V",
                    number,
                    "-t",
                    "n",
                    "-q",
                    "2",
                    "-c",
                    "-i",
                    "me",
                    "--ack-after-exec",
                    "--exec",
                    "sh",
                    "-c",
                    script,
                    folder.path().to_str().unwrap(),
                ],
            )
            .stderr_any()
            .start();
            let mut wire = Wire::answered(&listener, version, accepted(false, Vec::new()));
            wire.grant(vec![ReasonCode::GRANTED_QOS_2]);
            wire.send(crate::wire::publish("n", b"old", qos, 7));
            running.wait_for_stdout(|line| line == "begun old");
            drop(wire);
            let mut wire = Wire::answered(&listener, version, accepted(true, Vec::new()));
            running.wait_for_stderr(|line| line.ends_with("connected again"));
            fs::write(folder.path().join("old"), "").unwrap();
            running.wait_for_stdout(|line| line == "done old");
            fs::write(folder.path().join("new"), "").unwrap();
            wire.send(crate::wire::publish("n", b"new", qos, 8));
            assert_eq!(acknowledged(&mut wire), 8, "{version}, {qos:?}");
            let Packet::Publish(mut again) = crate::wire::publish("n", b"old", qos, 7) else {
                unreachable!();
            };
            again.dup = true;
            wire.send(Packet::Publish(again));
            assert_eq!(acknowledged(&mut wire), 7, "{version}, {qos:?}");
            running.kill();
            let printed = String::from_utf8(running.stdout()).unwrap();
            assert_eq!(printed, "begun old\ndone old\nbegun new\ndone new\n");
        }
    }
}

/// Which message the next packet acknowledges.
fn acknowledged(wire: &mut Wire) -> u16 {
    match wire.receive() {
        Packet::PubAck(answer) | Packet::PubRec(answer) => answer.packet_id,
        other => panic!("{other:?} is no acknowledgement"),
    }
}

#[test]
fn a_signal_waits_for_the_command_that_runs_and_a_second_one_does_not() {
    let broker = MqttServe::start([""; 0]);
    let folder = tempfile::tempdir().unwrap();
    let start = || {
        publish(&broker.url(), &["-t", "a", "-m", "x", "-r", "-q", "1"]).run();
        let script = "echo begun; until test -e go; do sleep 0.01; done; echo ended";
        let mut running = subscribe(&broker.url(), &["-t", "a", "--exec", "sh", "-c", script])
            .directory(folder.path())
            .start();
        running.wait_for_output(b"begun");
        running
    };
    let mut patient = start();
    patient.signal("TERM");
    fs::write(folder.path().join("go"), "").unwrap();
    let finished = patient.wait();
    assert_eq!(
        (finished.status, &*finished.stdout_text()),
        (0, "begun\nended\n")
    );
    fs::remove_file(folder.path().join("go")).unwrap();
    let mut hasty = start();
    eventually("it leaves", || {
        if hasty.is_running() {
            hasty.signal("TERM");
        }
        (!hasty.is_running()).then_some(())
    });
    // The command itself goes on, and must not outlive the test.
    fs::write(folder.path().join("go"), "").unwrap();
    assert_eq!(hasty.wait().status, 0);
}

#[test]
fn a_consumer_that_is_killed_again_and_again_loses_nothing() {
    for broker in brokers() {
        for version in ["311", "5"] {
            let url = &broker.url;
            let (id, topic) = (format!("victim-{version}"), format!("stream/{version}"));
            let session = ["-V", version, "-i", &id, "-c", "-q", "1", "-t", &topic];
            subscribe(url, &[&session[..], &["-E"]].concat()).run();
            let count = 3000;
            publish(url, &["-t", &topic, "-q", "1", "-l"])
                .stdin(numbers(count))
                .run();
            let mut seen = vec![false; count as usize];
            let mut runs = 0;
            while !seen.iter().all(|seen| *seen) {
                runs += 1;
                assert!(
                    runs < 200,
                    "{} {version}: something never comes",
                    broker.name
                );
                let mut running = subscribe(url, &session).start();
                // Killed in the middle of its work, as soon as a little more has come than the run before.
                eventually("it prints, or everything has come", || {
                    let printed = running.stdout();
                    note(&printed, &mut seen);
                    let all = seen.iter().all(|seen| *seen);
                    (all || printed.len() > runs * 97).then_some(())
                });
                note(&running.kill().stdout, &mut seen);
            }
            assert!(
                runs > 1,
                "{} {version}: it was never killed early",
                broker.name
            );
        }
    }
}

/// Marks the numbers that stand in whole lines.
fn note(printed: &[u8], seen: &mut [bool]) {
    let text = String::from_utf8_lossy(printed);
    for line in text.split_inclusive('\n') {
        if let Some(number) = line.strip_suffix('\n') {
            seen[number.parse::<usize>().unwrap() - 1] = true;
        }
    }
}

#[test]
fn files_follow_each_other_and_hold_every_message() {
    let broker = MqttServe::start([""; 0]);
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log-%Y.txt");
    let arguments = [
        "-t",
        "n",
        "-q",
        "1",
        "-C",
        "1001",
        "--output",
        log.to_str().unwrap(),
        "--rotate-size",
        "1k",
        "--keep",
        "100",
    ];
    publish(
        &broker.url(),
        &["-t", "ready", "-m", "ready", "-r", "-q", "1"],
    )
    .run();
    let with_ready = [&arguments[..], &["-t", "ready"]].concat();
    let mut running = subscribe(&broker.url(), &with_ready).start();
    let files = || {
        let mut files: Vec<(u32, String)> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| {
                let name = entry.file_name().into_string().unwrap();
                let number = name.rsplit_once(".txt").unwrap().1.trim_start_matches('.');
                // The one without a number is the newest.
                (
                    number.parse().unwrap_or(u32::MAX),
                    fs::read_to_string(entry.path()).unwrap(),
                )
            })
            .collect();
        files.sort();
        files
    };
    eventually("it writes", || {
        files()
            .iter()
            .any(|(_, text)| text == "ready\n")
            .then_some(())
    });
    publish(&broker.url(), &["-t", "n", "-q", "1", "-l"])
        .stdin(numbers(1000))
        .run();
    let finished = running.wait();
    assert_eq!(
        (finished.status, &*finished.stdout_text(), &*finished.stderr),
        (0, "", "")
    );
    let files = files();
    assert!(
        files.len() > 3
            && files
                .iter()
                .all(|(_, text)| text.len() <= 1024 && text.ends_with('\n'))
    );
    let all: String = files.into_iter().map(|(_, text)| text).collect();
    assert_eq!(all, format!("ready\n{}", numbers(1000)));
    Mqtt::new(["sub", "-t", "a", "--output", "log", "--keep", "3"])
        .stderr(
            "mqtt: --keep is for files that follow each other; add --rotate-size, --rotate-every or a time in the name of --output\n",
        )
        .status(2)
        .run();
}

#[test]
fn what_is_printed_as_json_is_published_again_byte_for_byte() {
    let (from, to) = (MqttServe::start([""; 0]), MqttServe::start([""; 0]));
    let wanted = [
        "-t",
        "b/#",
        "-q",
        "2",
        "-V",
        "5",
        "--json",
        "--retain-as-published",
        "-C",
    ];
    let mut source = subscribed(&from.url(), &[&wanted[..], &["5"]].concat());
    let all: Vec<u8> = (0..=255).collect();
    let properties = [
        "--content-type",
        "text/plain",
        "--user-property",
        "k=1",
        "--user-property",
        "k=2",
        "--response-topic",
        "r",
        "--correlation-data",
        "c",
    ];
    for (topic, more, payload) in [
        ("b/all", &["-s", "-q", "1", "-r"][..], &all[..]),
        ("b/\"ü\"", &["-s", "-q", "2"], b"say \"hi\"\n\0"),
        ("b/json", &["-s"], b" {\"a\": 1.0} "),
        ("b/none", &["-n"], b""),
    ] {
        publish(
            &from.url(),
            &[&["-t", topic, "-V", "5"], more, &properties].concat(),
        )
        .stdin(payload)
        .run();
    }
    let lines = source.wait().stdout;
    // One more: what tells that it is subscribed.
    let mut copy = subscribed(&to.url(), &[&wanted[..], &["6"]].concat());
    publish(&to.url(), &["-V", "5", "--json"])
        .stdin(lines.clone())
        .run();
    let copied = copy.wait().stdout;
    assert_eq!(messages(&lines), messages(&copied)[1..]);
}

/// The lines as JSON, by topic, without what belongs to the receipt and not to the message.
fn messages(lines: &[u8]) -> Vec<serde_json::Value> {
    let text = std::str::from_utf8(lines).unwrap();
    let mut messages: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    for message in &mut messages {
        let members = message.as_object_mut().unwrap();
        members.remove("time").unwrap();
        members.remove("packet_id");
    }
    messages.sort_by_key(|message| (message["topic"] != "ready", message["topic"].to_string()));
    messages
}
