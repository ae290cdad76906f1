//! `mqtt serve` under other people's clients, and `mqtt pub` and `mqtt sub` under another broker.

use std::path::Path;

use crate::harness::{Mqtt, Running};
use crate::servers::{Mosquitto, MqttServe};

const PAHO: [&str; 11] = [
    "every_quality_of_service",
    "many_in_flight_arrive_in_order_once",
    "retained_messages",
    "a_will_is_published_when_its_client_is_cut_off",
    "a_will_is_published_when_its_client_falls_silent",
    "a_session_is_kept_with_what_came_meanwhile",
    "a_second_client_of_the_same_name_takes_over",
    "the_will_of_a_client_that_was_taken_over_is_published",
    "payloads_of_every_kind",
    "topics_of_every_script",
    "unsubscribing_ends_the_messages",
];
const PAHO_SINCE_311: [&str; 1] = ["a_server_assigns_an_id_to_the_nameless"];
const PAHO_5: [&str; 6] = [
    "properties_travel_with_the_message",
    "subscription_options",
    "a_topic_alias_stands_for_its_topic",
    "a_session_without_expiry_ends_with_its_connection",
    "an_expired_message_is_not_delivered",
    "a_shared_subscription_gives_each_message_to_one",
];
const MQTT_JS: [&str; 6] = [
    "every quality of service",
    "retained messages",
    "a will is published when its client is cut off",
    "a session is kept with what came meanwhile",
    "payloads and topics of every kind",
    "a client that was taken over is told",
];
const MQTT_JS_5: [&str; 3] = [
    "properties travel with the message",
    "a small receive maximum holds messages back and loses none",
    "a bad topic filter fails its own subscription",
];

#[test]
fn paho_finds_what_it_expects_in_3_1() {
    paho("3", &[&PAHO]);
}

#[test]
fn paho_finds_what_it_expects_in_3_1_1() {
    paho("4", &[&PAHO, &PAHO_SINCE_311]);
}

#[test]
fn paho_finds_what_it_expects_in_5() {
    paho("5", &[&PAHO, &PAHO_SINCE_311, &PAHO_5]);
}

#[test]
fn mqtt_js_finds_what_it_expects_in_3_1() {
    mqtt_js("3", &[&MQTT_JS]);
}

#[test]
fn mqtt_js_finds_what_it_expects_in_3_1_1() {
    mqtt_js("4", &[&MQTT_JS]);
}

#[test]
fn mqtt_js_finds_what_it_expects_in_5() {
    mqtt_js("5", &[&MQTT_JS, &MQTT_JS_5]);
}

fn paho(version: &str, scenarios: &[&[&str]]) {
    let broker = MqttServe::start([""; 0]);
    let script = repository("tests/peers/paho_client.py");
    Mqtt::program(
        repository("target/peers/python/bin/python"),
        [script.as_str(), &broker.port(), version],
    )
    .stdout(lines(scenarios))
    .run();
}

fn mqtt_js(version: &str, scenarios: &[&[&str]]) {
    let broker = MqttServe::start([""; 0]);
    let script = repository("tests/peers/mqttjs_client.mjs");
    let modules = repository("target/peers/node");
    Mqtt::program("node", [script.as_str(), &modules, &broker.port(), version])
        .stdout(lines(scenarios))
        .run();
}

fn repository(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    assert!(path.exists(), "{path:?} is made by tests/setup");
    path.to_string_lossy().into_owned()
}

fn lines(scenarios: &[&[&str]]) -> String {
    let names = scenarios.iter().copied().flatten();
    names.map(|name| format!("{name}\n")).collect()
}

#[test]
fn mosquitto_clients_pass_messages_at_every_quality_of_service_and_version() {
    let broker = MqttServe::start([""; 0]);
    let port = broker.port();
    for version in ["mqttv31", "mqttv311", "mqttv5"] {
        for qos in ["0", "1", "2"] {
            let topic = format!("{version}/{qos}");
            let common = ["-p", &port, "-V", version, "-q", qos, "-t", &topic];
            let mut subscriber = mosquitto_sub(&broker, &common, &["-F", "%q %p", "-C", "4"]);
            for payload in ["one", "two", "three"] {
                mosquitto_pub(&common, &["-m", payload]).run();
            }
            let printed = subscriber.wait().stdout;
            let expected = format!("0 ready\n{qos} one\n{qos} two\n{qos} three\n");
            assert_eq!(String::from_utf8_lossy(&printed), expected, "{topic}");
        }
    }
}

#[test]
fn mosquitto_clients_pass_binary_and_empty_and_large_payloads() {
    let broker = MqttServe::start([""; 0]);
    let port = broker.port();
    let mut binary: Vec<u8> = (0..=255).collect();
    binary.extend(b"\n\n\0");
    let large = binary.repeat(4096);
    let file = tempfile::NamedTempFile::new().unwrap();
    for payload in [&binary[..], &large[..1 << 20], b""] {
        std::fs::write(file.path(), payload).unwrap();
        let common = ["-p", &port, "-q", "2", "-t", "payload"];
        let mut subscriber = mosquitto_sub(&broker, &common, &["-N", "-C", "2"]);
        let path = file.path().to_string_lossy();
        match payload {
            b"" => mosquitto_pub(&common, &["-n"]).run(),
            _ => mosquitto_pub(&common, &["-f", &path]).run(),
        };
        let printed = subscriber.wait().stdout;
        assert!(
            printed == [b"ready", payload].concat(),
            "{} bytes came",
            printed.len()
        );
    }
}

#[test]
fn a_mosquitto_client_that_is_cut_off_leaves_its_will() {
    let broker = MqttServe::start([""; 0]);
    let port = broker.port();
    let watch = ["-p", &port, "-q", "2", "-t", "last/words"];
    let mut watcher = mosquitto_sub(&broker, &watch, &["-F", "%q %r %p", "-C", "2"]);
    let will = [
        "--will-topic",
        "last/words",
        "--will-payload",
        "再见",
        "--will-qos",
        "2",
    ];
    let doomed = ["-p", &port, "-t", "doomed"];
    let mut doomed = mosquitto_sub(&broker, &doomed, &will);
    doomed.kill();
    let printed = watcher.wait().stdout_text();
    assert_eq!(printed, "0 1 ready\n2 0 再见\n");
}

#[test]
fn a_persistent_mosquitto_client_gets_what_it_missed() {
    let broker = MqttServe::start([""; 0]);
    let port = broker.port();
    let session = [
        "-p", &port, "-q", "1", "-t", "missed", "-i", "archive", "-c",
    ];
    mosquitto_sub(&broker, &session, &["-C", "1"]).wait();
    let numbers: String = (1..=500).map(|number| format!("{number}\n")).collect();
    mosquitto_pub(&["-p", &port, "-q", "1", "-t", "missed"], &["-l"])
        .stdin(numbers.clone())
        .run();
    // What was kept for the session comes before the answer to its new subscription.
    Mqtt::program("mosquitto_sub", session.iter().chain(&["-C", "500"]))
        .stdout(numbers)
        .run();
}

#[test]
fn a_hundred_thousand_lines_go_through_the_broker_in_order() {
    let broker = MqttServe::start([""; 0]);
    let port = broker.port();
    // Past 65,535 acknowledged lines mosquitto_pub stops early, with status 0.
    for (qos, count) in [("0", 100_000), ("1", 50_000), ("2", 50_000)] {
        let topic = format!("lines/{qos}");
        let common = ["-p", &port, "-q", qos, "-t", &topic];
        let numbers: String = (1..=count).map(|number| format!("{number}\n")).collect();
        let take = (count + 1).to_string();
        let mut subscriber = mosquitto_sub(&broker, &common, &["-C", &take]);
        mosquitto_pub(&common, &["-l"]).stdin(numbers.clone()).run();
        let printed = subscriber.wait().stdout_text();
        assert!(
            printed == format!("ready\n{numbers}"),
            "{qos}: {}",
            printed.lines().count()
        );
    }
}

#[test]
fn our_clients_pass_messages_through_mosquitto() {
    let broker = Mosquitto::start(["max_queued_messages 0", "max_inflight_messages 1000"]);
    let port = broker.port();
    for version in ["31", "311", "5"] {
        for qos in ["0", "1", "2"] {
            let topic = format!("温度/{version}/🦀/{qos}");
            let common = [
                "-h",
                "127.0.0.1",
                "-p",
                &port,
                "-V",
                version,
                "-q",
                qos,
                "-t",
                &topic,
            ];
            let mut publish = vec!["pub"];
            publish.extend(common);
            let mut subscribe = vec!["sub"];
            subscribe.extend(common);
            subscribe.extend(["-v", "-C", "1001"]);
            let ready = publish.iter().chain(&["-m", "ready", "-r"]);
            Mqtt::new(ready).run();
            let mut subscriber = Mqtt::new(&subscribe).start();
            subscriber.wait_for_stdout(|line| line.ends_with("ready"));
            let lines: String = (1..=1000).map(|number| format!("{number}\n")).collect();
            Mqtt::new(publish.iter().chain(&["-l"])).stdin(lines).run();
            let finished = subscriber.wait();
            let expected: String = std::iter::once("ready".to_owned())
                .chain((1..=1000).map(|number| number.to_string()))
                .map(|payload| format!("{topic} {payload}\n"))
                .collect();
            assert!(finished.stdout_text() == expected, "{topic}: {finished:?}");
            assert_eq!(
                (finished.status, finished.stderr.as_str()),
                (0, ""),
                "{topic}"
            );
        }
    }
}

/// A `mosquitto_sub` whose subscription is known to stand: a retained `ready` has come through it.
fn mosquitto_sub(broker: &MqttServe, common: &[&str], more: &[&str]) -> Running {
    let topic = common[common
        .iter()
        .position(|word| *word == "-t")
        .expect("a topic")
        + 1];
    let subscriber = Mqtt::program("mosquitto_sub", common.iter().chain(more));
    once_subscribed(broker, topic, subscriber)
}

fn once_subscribed(broker: &MqttServe, topic: &str, subscriber: Mqtt) -> Running {
    let retained = ["-p", &broker.port(), "-t", topic, "-r"];
    mosquitto_pub(&retained, &["-m", "ready"]).run();
    let mut running = subscriber.start();
    running.wait_for_output(b"ready");
    running
}

fn mosquitto_pub(common: &[&str], more: &[&str]) -> Mqtt {
    Mqtt::program("mosquitto_pub", common.iter().chain(more))
}
