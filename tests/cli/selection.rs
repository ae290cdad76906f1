//! Which messages `mqtt sub` prints, how often, and in which form.

use crate::clients::{publish, subscribe, subscribed};
use crate::harness::{Mqtt, eventually};
use crate::servers::MqttServe;

/// What a subscriber with these arguments prints of these messages, one `topic payload` a line, at QoS 1.
fn printed(arguments: &[&str], messages: &[(&str, &str)]) -> String {
    let broker = MqttServe::start([""; 0]);
    let url = broker.url();
    let common = ["-t", "#", "-q", "1", "-R"];
    let mut subscriber =
        Mqtt::new(["sub", "-L", &url].iter().chain(&common).chain(arguments)).start();
    eventually("it is subscribed", || {
        publish(&url, &["-t", "ready", "-m", "{\"ready\":1}", "-q", "1"]).run();
        (!subscriber.stdout().is_empty()).then_some(())
    });
    for (topic, payload) in messages {
        publish(&url, &["-t", topic, "-m", payload, "-q", "1"]).run();
    }
    publish(&url, &["-t", "end", "-m", "{\"ready\":1}", "-q", "1"]).run();
    subscriber.wait_for_stdout(|line| line.starts_with("end"));
    let finished = subscriber.stop("TERM");
    assert_eq!((finished.status, &*finished.stderr), (0, ""));
    let text = finished.stdout_text();
    text.lines()
        .filter(|line| !line.starts_with("ready") && !line.starts_with("end"))
        .map(|line| format!("{line}\n"))
        .collect()
}

#[test]
fn only_messages_that_meet_all_conditions_are_printed() {
    let messages = [
        (
            "home/kitchen/climate",
            "{\"temperature\":21.5,\"unit\":\"C\"}",
        ),
        (
            "home/kitchen/climate",
            "{\"temperature\":22,\"unit\":\"C\"}",
        ),
        ("home/bath/climate", "{\"temperature\":25,\"unit\":\"C\"}"),
        ("home/kitchen/climate", "broken"),
    ];
    let always = "topic[0]~^(home|ready|end)$";
    assert_eq!(
        printed(
            &[
                "-v",
                "--where",
                always,
                "--where",
                "payload~ready|[2]2|broken"
            ],
            &messages
        ),
        "home/kitchen/climate {\"temperature\":22,\"unit\":\"C\"}\nhome/kitchen/climate broken\n"
    );
    let condition = "\"/temperature\">21.5";
    let broker = MqttServe::start([""; 0]);
    for (topic, payload) in [
        ("a/1", messages[0].1),
        ("a/2", messages[1].1),
        ("b/3", messages[2].1),
    ] {
        publish(
            &broker.url(),
            &["-t", topic, "-m", payload, "-r", "-q", "1"],
        )
        .run();
    }
    let wanted = ["-t", "#", "--where", condition, "--where", "topic[0]=a"];
    subscribe(
        &broker.url(),
        &[&wanted[..], &["-F", "%t", "--retained-only"]].concat(),
    )
    .stdout("a/2\n")
    .run();
}

#[test]
fn a_condition_that_is_none_is_refused_with_what_is_expected() {
    for (condition, words) in [
        (
            "temperature>5",
            "it begins with topic, topic[N], payload or a JSON pointer such as /temperature",
        ),
        (
            "payload~[",
            "\"[\" is no regular expression: unclosed character class",
        ),
    ] {
        Mqtt::new(["sub", "-t", "a", "--where", condition])
            .status(2)
            .stderr_contains(words)
            .run();
    }
}

#[test]
fn a_message_that_says_nothing_new_is_not_printed() {
    let messages = [
        ("a", "1"),
        ("a", "1"),
        ("b", "1"),
        ("a", "2"),
        ("b", "1"),
        ("a", "1"),
    ];
    assert_eq!(
        printed(&["-v", "--changed"], &messages),
        "a 1\nb 1\na 2\na 1\n"
    );
}

#[test]
fn of_many_messages_the_first_and_the_last_are_printed_and_none_is_kept_back_for_good() {
    // The end comes before the hour is over.
    let messages = [("a", "1"), ("a", "2"), ("b", "1"), ("a", "3")];
    assert_eq!(
        printed(&["-v", "--throttle", "1h"], &messages),
        "a 1\nb 1\na 3\n"
    );
    let broker = MqttServe::start([""; 0]);
    let mut subscriber = subscribed(
        &broker.url(),
        &["-t", "a", "-v", "--throttle", "1s", "-C", "3"],
    );
    publish(&broker.url(), &["-t", "a", "-l"])
        .stdin("1\n2\n3\n")
        .run();
    assert_eq!(subscriber.wait().stdout_text(), "ready ready\na 1\na 3\n");
}

#[test]
fn payloads_are_printed_in_the_encoding_asked_for() {
    let broker = MqttServe::start([""; 0]);
    publish(&broker.url(), &["-t", "a", "-s", "-r", "-q", "1"])
        .stdin(b"\0\xff\n!")
        .run();
    for (arguments, expected) in [
        (&["--encode", "hex"][..], "00ff0a21\n"),
        (&["--encode", "base64", "-v"], "a AP8KIQ==\n"),
    ] {
        subscribe(
            &broker.url(),
            &[&["-t", "a", "-C", "1"], arguments].concat(),
        )
        .stdout(expected)
        .run();
    }
}

#[test]
fn a_terminal_gets_the_pretty_view_and_a_pipe_the_plain_bytes() {
    let broker = MqttServe::start([""; 0]);
    let url = broker.url();
    publish(&url, &["-t", "a", "-m", "{\"on\":true}", "-r", "-q", "1"]).run();
    let command = format!("{} sub -L {url} -t a -C 1", env!("CARGO_BIN_EXE_mqtt"));
    let at_terminal = |more: &str| {
        let command = format!("{command} {more}");
        let finished = Mqtt::program("script", ["-qec", &command, "/dev/null"])
            .env("TERM", "xterm")
            .stdout_any()
            .run();
        finished.stdout_text().replace("\r\n", "\n")
    };
    let pretty = at_terminal("");
    assert!(
        pretty.contains("\u{1b}[34m\"on\"\u{1b}[0m: \u{1b}[35mtrue\u{1b}[0m\n"),
        "{pretty:?}"
    );
    assert_eq!(at_terminal("--pretty never"), "{\"on\":true}\n");
    assert_eq!(at_terminal("-v"), "a {\"on\":true}\n");
    for (name, value) in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        let plain = Mqtt::program("script", ["-qec", &command, "/dev/null"])
            .env("TERM", "xterm")
            .env(name, value)
            .stdout_any()
            .run();
        let plain = plain.stdout_text().replace("\r\n", "\n");
        assert_eq!(
            &plain[12..],
            " a retained\n  {\n    \"on\": true\n  }\n",
            "{name}"
        );
    }
    subscribe(&url, &["-t", "a", "-C", "1"])
        .stdout("{\"on\":true}\n")
        .run();
    subscribe(&url, &["-t", "a", "-C", "1", "--pretty"])
        .stdout_like(|text| text[12..] == *" a retained\n  {\n    \"on\": true\n  }\n")
        .run();
}

#[test]
fn a_member_is_found_without_the_whole_payload_in_memory_as_a_tree() {
    let broker = MqttServe::start([""; 0]);
    let url = broker.url();
    let items = "1,".repeat(4_000_000);
    let payload = format!("{{\"items\":[{items}1],\"last\":{{\"is\":5}}}}");
    let length = payload.len();
    publish(&url, &["-t", "a", "-s", "-r", "-q", "1"])
        .stdin(payload)
        .run();
    let conditions = ["--where", "/items", "--where", "/last/is=5"];
    let conditions = [&conditions[..], &["--where", "/items/4000000=1"]].concat();
    let all = ["-t", "a", "-F", "%l", "--where", "payload!=1"];
    let mut running = subscribe(&url, &[&all[..], &conditions].concat()).start();
    running.wait_for_stdout(|line| line == length.to_string());
    // A tree of them takes 300 MB. In a debug build the program itself takes about 30 MB.
    let peak = running.peak_memory();
    assert!(peak < 70_000, "{peak} KiB");
}
