//! One subscriber that reads slowly beside others: what reaches them, and what becomes of it, on our broker and on mosquitto.

use super::{bench, report};
use crate::servers::{Mosquitto, MqttServe};

const LINE: &str = "slow --publishers 2 --subscribers 2 --rate 200 --duration 2s --warmup 0s";

#[test]
fn the_others_are_measured_before_and_beside_a_slow_subscriber() {
    let mosquitto = Mosquitto::start(["max_queued_messages 0", "max_inflight_messages 0"]);
    let serve = MqttServe::start::<&str>([]);
    for port in [serve.port(), mosquitto.port()] {
        for (more, most) in [
            ("--reads none -q 1", 0),
            ("--reads 5/s -q 1 -V 5", 10),
            ("--reads 4kB/s -q 0", 10),
        ] {
            let words =
                LINE.split(' ')
                    .chain(more.split(' '))
                    .chain(["-h", "127.0.0.1", "-p", &port]);
            let found = report(&words.collect::<Vec<_>>(), 0);
            let isolation = &found["isolation"];
            assert_eq!(isolation["clients"], 1, "{found:#}");
            assert_eq!(isolation["from_s"], 1.0);
            assert!(isolation["isolated"].is_boolean());
            for part in ["before", "beside"] {
                let samples = isolation[part]["latency_us"]["samples"].as_u64().unwrap();
                assert!(samples > 0, "{found:#}");
            }
            assert!(isolation["read"].as_u64().unwrap() <= most, "{found:#}");
            // After the load it reads what was kept for it.
            assert_eq!(isolation["delivery"]["received"], 400, "{found:#}");
            assert_eq!(isolation["disconnected"], serde_json::json!([]));
            assert_eq!(found["delivery"]["expected"], 800, "{found:#}");
            assert_eq!(found["delivery"]["received"], 800);
            assert_eq!(found["check"]["passed"], true);
            assert_eq!(found["latency_us"]["service"]["samples"], 800);
        }
    }
}

#[test]
fn what_a_broker_drops_for_a_slow_subscriber_is_told_and_no_fault_of_the_run() {
    let mosquitto = Mosquitto::start(["max_queued_messages 10", "max_inflight_messages 20"]);
    let words = LINE
        .split(' ')
        .chain(["--reads", "none", "-h", "127.0.0.1"]);
    let port = mosquitto.port();
    let text = bench(words.chain(["-p", &port]))
        .stdout_any()
        .run()
        .stdout_text();
    for words in [
        "DELIVERY CHECK PASSED\n",
        "ISOLATED  the others had ",
        "1 subscriber read nothing from 1.00 s on, 0 messages up to the end of the load\n",
        " arrived in the end, the broker dropped ",
        "the broker kept the connection\n",
    ] {
        assert!(text.contains(words), "no {words:?} in\n{text}");
    }
}

#[test]
fn a_plan_says_who_reads_slowly_and_from_when() {
    let printed = crate::harness::Mqtt::new(["bench", "slow", "--print-plan", "--reads", "20kB/s"])
        .stdout_any()
        .run()
        .stdout_text();
    assert!(
        printed.contains("reads = \"20000B/s\"\nfrom = \"6s\"\n"),
        "{printed}"
    );
    for (arguments, words) in [
        (
            &["slow", "--reads", "slowly"][..],
            "\"slowly\" is no speed to read at",
        ),
        (
            &["pubsub", "--reads", "1/s"],
            "--reads has no meaning in `mqtt bench pubsub`",
        ),
        (
            &["slow", "--count", "5"],
            "--count has no meaning in `mqtt bench slow`",
        ),
        (
            &["calibrate", "slow"],
            "holds everybody up for who reads slowly",
        ),
    ] {
        crate::harness::Mqtt::new([&["bench"], arguments].concat())
            .status(2)
            .stderr_contains(words)
            .run();
    }
}
