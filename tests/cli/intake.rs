//! `mqtt pub`: the forms its input may have, and what it says of what it sends.

use crate::clients::{brokers, numbers, publish, subscribed};
use crate::harness::Mqtt;
use crate::servers::{MqttServe, free_port};

#[test]
fn what_sub_prints_as_json_pub_sends_on_byte_for_byte() {
    for broker in brokers() {
        let url = &broker.url;
        let v5 = ["-V", "5", "-q", "2"];
        let there = [&["-t", "from/#", "-C", "5", "--json"][..], &v5].concat();
        let mut recorder = subscribed(url, &there);
        let send = |topic, rest: &[&'static str]| {
            publish(url, &[&["-t", topic], &v5[..], rest].concat()).stderr_any()
        };
        send("from/ü", &["-m", "say \"hi\"\n\\"]).run();
        send("from/b", &["-s"])
            .stdin((0..=255).collect::<Vec<u8>>())
            .run();
        send("from/c", &["-n", "-r", "--content-type", "text/plain"]).run();
        let all = [
            "-m",
            "x",
            "--user-property",
            "k=1",
            "--user-property",
            "k=2",
            "--response-topic",
            "r",
            "--correlation-data",
            "c\u{1}",
            "--payload-format-indicator",
            "--message-expiry-interval",
            "600",
        ];
        send("from/d", &all).run();
        let recorded = recorder.wait().stdout_text();
        let lines: Vec<&str> = recorded.lines().skip(1).collect();
        assert_eq!(lines.len(), 4, "{recorded}");
        // The same again, under other names: what is received the second time is the same but for time and topic.
        let renamed = lines.join("\n").replace("\"from/", "\"to/");
        let here = [&["-t", "to/#", "-C", "5", "--json"][..], &v5].concat();
        let mut second = subscribed(url, &here);
        publish(url, &["--json", "-V", "5"])
            .stdin(renamed.clone())
            .run();
        let received = second.wait().stdout_text();
        let without_time = |text: &str| -> Vec<serde_json::Value> {
            let parse = |line| {
                let mut json: serde_json::Value = serde_json::from_str(line).unwrap();
                let members = json.as_object_mut().unwrap();
                for name in ["time", "packet_id"] {
                    members.remove(name);
                }
                json
            };
            text.lines().map(parse).collect()
        };
        let received: Vec<&str> = received.lines().skip(1).collect();
        assert_eq!(
            without_time(&received.join("\n")),
            without_time(&renamed),
            "{}",
            broker.name
        );
    }
}

#[test]
fn a_line_that_is_no_message_is_named_and_the_others_are_sent() {
    let broker = MqttServe::start([""; 0]);
    let mut subscriber = subscribed(&broker.url(), &["-t", "a/#", "-t", "z", "-v", "-C", "4"]);
    let lines = [
        r#"{"topic":"a/1","payload":{"v": 1.50},"more":1}"#,
        r#"{"topic":"a/2""#,
        r#"{"payload":"to the topic of the option"}"#,
        r#"{"topic":"a/+","payload":""}"#,
        r#"{"topic":"a/3","payload":"x","content_type":"t"}"#,
        r#"{"topic":"a/4","payload_base64":"YWI="}"#,
    ];
    publish(&broker.url(), &["--json", "-t", "z"])
        .stdin(lines.join("\n"))
        .stderr(
            "mqtt: line 4 was not sent: \"a/+\" is no topic to publish to: + and # stand in topic filters only\n\
             mqtt: line 5 was not sent: it has properties, which MQTT 3.1.1 has not; add --protocol-version 5\n\
             mqtt: line 2 was not sent: it is no message: EOF while parsing an object, at column 14\n",
        )
        .status(1)
        .run();
    assert_eq!(
        subscriber.wait().stdout_text(),
        "ready ready\na/1 {\"v\": 1.50}\nz to the topic of the option\na/4 ab\n"
    );
}

#[test]
fn a_record_ends_where_the_delimiter_says_and_may_begin_with_its_topic() {
    let broker = MqttServe::start([""; 0]);
    let url = broker.url();
    let mut subscriber = subscribed(&url, &["-t", "a/#", "-F", "%t=%p|", "-N", "-C", "8"]);
    publish(
        &url,
        &["-t", "a/1", "-t", "a/2", "-l", "--delimiter", "\\0"],
    )
    .stdin("one\n\0two")
    .run();
    publish(&url, &["-l", "--topic-from", ": "])
        .stdin("a/3: x: y\na/4: \nnothing\n")
        .stderr("mqtt: line 3 was not sent: there is no \": \" after a topic\n")
        .status(1)
        .run();
    publish(
        &url,
        &["-t", "a/5", "-l", "--format", "hex", "--delimiter", "--"],
    )
    .stdin("00 41--4g")
    .stderr("mqtt: record 2 was not sent: it is not hexadecimal: 'g' at byte 2\n")
    .status(1)
    .run();
    assert_eq!(
        subscriber.wait().stdout_text(),
        "ready=ready|a/1=one\n|a/2=one\n|a/1=two|a/2=two|a/3=x: y|a/4=|a/5=\0A|"
    );
}

#[test]
fn several_files_are_as_many_messages_as_often_as_asked() {
    let broker = MqttServe::start([""; 0]);
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = directory.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_string_lossy().into_owned()
    };
    let (first, second) = (file("first", b"AP8="), file("second", b"b2s="));
    let mut subscriber = subscribed(&broker.url(), &["-t", "a", "-F", "%p|", "-N", "-C", "5"]);
    let arguments = ["-t", "a", "-f", &first, "-f", &second];
    let decoded = ["--repeat", "2", "--format", "base64"];
    publish(&broker.url(), &[&arguments[..], &decoded].concat()).run();
    assert_eq!(
        subscriber.wait().stdout,
        b"ready|\0\xff|ok|\0\xff|ok|".as_slice()
    );
    publish(
        &broker.url(),
        &["-t", "a", "-f", &first, "-f", "/nonexistent"],
    )
    .stderr("mqtt: cannot open /nonexistent: No such file or directory (os error 2)\n")
    .status(1)
    .run();
}

#[test]
fn a_template_is_filled_anew_for_each_message() {
    let broker = MqttServe::start([""; 0]);
    let url = broker.url();
    let mut subscriber = subscribed(&url, &["-t", "dev/#", "-v", "-C", "7"]);
    let fixed = ["--template", "--seed", "7", "--repeat", "3"];
    let message = [
        "-t",
        "dev/{{count}}",
        "-m",
        "{{rand 1 6}} {{uuid}} {{env WHO}}",
    ];
    for _ in 0..2 {
        publish(&url, &[&message[..], &fixed].concat())
            .env("WHO", "me")
            .run();
    }
    let printed = subscriber.wait().stdout_text();
    let lines: Vec<&str> = printed.lines().skip(1).collect();
    assert_eq!(lines[..3], lines[3..], "the same seed gives the same");
    assert!(lines.iter().all(|line| line.ends_with(" me")), "{printed}");
    assert!(lines[0].starts_with("dev/1 ") && lines[2].starts_with("dev/3 "));
    assert_ne!(lines[0][6..], lines[1][6..]);
    publish(&url, &["-t", "a", "-m", "{{nonsense}}", "--template"])
        .stderr_contains("mqtt: {{nonsense}} is not known; there are {{count}}, ")
        .status(2)
        .run();
    // Without the switch braces are braces.
    let mut plain = subscribed(&url, &["-t", "a", "-C", "2"]);
    publish(&url, &["-t", "a", "-m", "{{count}}"]).run();
    assert_eq!(plain.wait().stdout_text(), "ready\n{{count}}\n");
}

#[test]
fn each_step_of_each_message_is_reported_on_stdout() {
    let broker = MqttServe::start([""; 0]);
    let steps = |qos: &'static str| -> Vec<String> {
        let run = publish(
            &broker.url(),
            &["-t", "a", "-q", qos, "-l", "--report-acks", "-V", "5"],
        )
        .stdin("x\nyy\n")
        .stdout_any()
        .run();
        let text = run.stdout_text();
        let line = |line| {
            let json: serde_json::Value = serde_json::from_str(line).unwrap();
            assert!(json["time"].is_string() && json["topic"] == "a", "{line}");
            format!(
                "{} {} {} {} {}",
                json["number"],
                json["event"].as_str().unwrap(),
                json["bytes"],
                json["packet_id"],
                json["reason"]
            )
        };
        let mut steps: Vec<String> = text.lines().map(line).collect();
        steps.sort_by_key(|step| step[..1].to_owned());
        steps
    };
    assert_eq!(
        steps("0"),
        [
            "1 accepted 1 null null",
            "1 sent 1 null null",
            "2 accepted 2 null null",
            "2 sent 2 null null"
        ]
    );
    for qos in ["1", "2"] {
        assert_eq!(
            steps(qos),
            [
                "1 accepted 1 null null",
                "1 sent 1 1 null",
                "1 acknowledged 1 null \"no matching subscribers\"",
                "2 accepted 2 null null",
                "2 sent 2 2 null",
                "2 acknowledged 2 null \"no matching subscribers\""
            ]
        );
    }
}

#[test]
fn a_reader_of_reports_who_leaves_ends_the_program_quietly() {
    let broker = MqttServe::start([""; 0]);
    Mqtt::shell(&format!(
        "yes | mqtt pub -L {} -t a -q 1 -l --report-acks | head -1 | wc -l",
        broker.url()
    ))
    .stdout("1\n")
    .status(141)
    .stderr_any()
    .run();
}

#[test]
fn nobody_listening_is_an_error_when_subscribers_are_required() {
    for broker in brokers() {
        let url = &broker.url;
        // Mosquitto answers a message of QoS 2 before it looks for subscribers.
        let levels = match broker.name {
            "mosquitto" => &["1"][..],
            _ => &["1", "2"],
        };
        for qos in levels {
            let send = || {
                publish(
                    url,
                    &["-t", "a", "-m", "x", "-q", qos, "--require-subscribers"],
                )
            };
            send()
                .stderr("mqtt: cannot publish to a: no matching subscribers (0x10)\n")
                .status(5)
                .run();
            let mut subscriber = subscribed(url, &["-t", "a", "-C", "2"]);
            send().run();
            subscriber.wait();
        }
    }
}

#[test]
fn paced_messages_all_arrive() {
    let broker = MqttServe::start([""; 0]);
    for qos in ["0", "1"] {
        let mut subscriber = subscribed(&broker.url(), &["-t", qos, "-q", "1", "-C", "21"]);
        let paced = ["-t", qos, "-q", qos, "-l", "--rate", "1k"];
        publish(&broker.url(), &paced).stdin(numbers(20)).run();
        let expected = format!("ready\n{}", numbers(20));
        assert_eq!(subscriber.wait().stdout_text(), expected);
    }
}

#[test]
fn progress_is_shown_on_a_terminal_and_nowhere_else() {
    let broker = MqttServe::start([""; 0]);
    let line = format!(
        "mqtt pub -L {} -t a -m x --repeat 20 --rate 20",
        broker.url()
    );
    // Without a terminal nothing at all is said.
    Mqtt::shell(&line.replace("--rate 20", "--rate 20k")).run();
    // `script` runs it on a terminal of its own and copies what that shows.
    let shown = Mqtt::shell(&format!(
        "TERM=xterm script -qec '{line}' /dev/null < /dev/null"
    ))
    .stdout_any()
    .run()
    .stdout_text();
    assert!(shown.contains(" of 20 messages"), "{shown:?}");
}

#[test]
fn options_that_make_no_sense_together_are_refused_at_once() {
    // Nobody listens there: had it connected, the status would be 3.
    let port = free_port().to_string();
    for (arguments, words) in [
        (
            &["-m", "x", "--delimiter", "\\0"][..],
            "add --stdin-line or --json",
        ),
        (
            &["-l", "--delimiter", "\\q"],
            "\\q is no escape; there are ",
        ),
        (&["-l", "--delimiter", ""], "it is not empty"),
        (&["-m", "x", "--topic-from", ","], "--topic-from"),
        (&["-l", "--topic-from", ","], "cannot be used with"),
        (&["--json", "--format", "hex"], "cannot be used with"),
        (
            &["-m", "xyz", "--format", "hex"],
            "mqtt: it is not hexadecimal: 'x' at byte 1\n",
        ),
        (&["-m", "x", "--seed", "1"], "--template"),
        (&["-m", "x", "--rate", "0"], "out of range"),
        (
            &["-m", "x", "--require-subscribers"],
            "mqtt: --require-subscribers takes QoS 1 and 2, which the broker answers; add --qos 1 or --qos 2\n",
        ),
        (
            &["-m", "x", "--repeat-delay", "1", "--rate", "1"],
            "cannot be used with",
        ),
    ] {
        Mqtt::new(["pub", "-p", &port, "-t", "a"].iter().chain(arguments))
            .stderr_contains(words)
            .status(2)
            .run();
    }
}

#[test]
fn json_that_goes_on_for_ever_needs_no_more_memory() {
    let broker = MqttServe::start([""; 0]);
    let mut running = publish(&broker.url(), &["--json", "-q", "1"])
        .stdin_open()
        .start();
    let line = format!(r#"{{"topic":"a","payload":"{}"}}"#, "x".repeat(500));
    let block = format!("{line}\n").repeat(1000);
    let status = format!("/proc/{}/status", running.id());
    let peak = || {
        let text = std::fs::read_to_string(&status).unwrap();
        let mut lines = text.lines();
        let line = lines.find(|line| line.starts_with("VmHWM:")).unwrap();
        let kilobytes = line.split_whitespace().nth(1).unwrap();
        kilobytes.parse::<u32>().unwrap()
    };
    // What the program itself takes, in a debug build twice the rest, and a window full of messages.
    (0..20).for_each(|_| running.write(&block));
    let early = peak();
    (0..60).for_each(|_| running.write(&block));
    let late = peak();
    running.close_stdin();
    assert_eq!(running.wait().status, 0);
    // 32 MB went through it in between.
    assert!(late < early + 4_000, "{early} KB, then {late} KB");
}
