//! Faults on purpose: connections that are cut, stalled, delayed and left half open, on our broker and on mosquitto, and
//! what is lost and sent again because of it.

use serde_json::Value;

use super::{WARNING, bench, is_valid, json, report};
use crate::certificates::Authority;
use crate::harness::Mqtt;
use crate::servers::{Mosquitto, MqttServe};

const ROOMY: [&str; 2] = ["max_queued_messages 0", "max_inflight_messages 0"];

/// What both brokers make of it. No promise of MQTT may be broken, and no connection lost but by the fault.
fn on_both(line: &str, faults: &[&str], check: impl Fn(Value)) {
    let mosquitto = Mosquitto::start(ROOMY);
    let serve = MqttServe::start::<&str>([]);
    for port in [serve.port(), mosquitto.port()] {
        let mut words: Vec<&str> = line.split(' ').collect();
        words.extend(["-h", "127.0.0.1", "-p", &port]);
        words.extend(faults.iter().flat_map(|fault| ["--fault", *fault]));
        words.push("--json");
        // A run over ten seconds shows that it is alive.
        let run = bench(words).stderr_like(|text| text.starts_with(WARNING));
        let found = json(&run.stdout_any().run());
        assert_eq!(found["check"]["passed"], true, "{found:#}");
        assert_eq!(
            found["lost_connections"],
            serde_json::json!([]),
            "{found:#}"
        );
        check(found);
    }
}

fn count(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

#[test]
fn with_persistent_sessions_a_cut_loses_nothing_at_qos_1_and_2() {
    for (version, qos) in [("311", "1"), ("311", "2"), ("5", "1"), ("5", "2")] {
        on_both(
            &format!(
                "--publishers 4 --subscribers 4 --rate 400 --duration 1s --warmup 0s --persistent -V {version} -q {qos}"
            ),
            &["at=300ms cut=50% for=100ms"],
            |found| {
                assert_eq!(found["delivery"]["expected"], 400, "{found:#}");
                assert_eq!(found["delivery"]["received"], 400, "{found:#}");
                assert_eq!(found["messages"]["never_sent"], 0);
                let fault = &found["faults"][0];
                assert_eq!(fault["fault"], "cut=50%");
                for (what, expected) in [
                    ("open", 8),
                    ("hit", 4),
                    ("lost", 4),
                    ("back", 4),
                    ("resumed", 4),
                ] {
                    assert_eq!(fault[what], expected, "{what} in {found:#}");
                }
                assert!(fault["back_after_s"].as_f64().unwrap() >= 0.1);
                assert!(count(&fault["attempts"]) >= 4);
                assert_eq!(found["latency_us"]["completion"]["samples"], 4);
            },
        );
    }
}

#[test]
fn what_a_cut_loses_at_qos_0_is_counted_and_no_fault() {
    on_both(
        "--publishers 1 --subscribers 3 --rate 500 --duration 1s --warmup 0s -q 0",
        &["at=200ms cut for=300ms of=subscribers"],
        |found| {
            let fault = &found["faults"][0];
            assert_eq!(
                (&fault["open"], &fault["hit"]),
                (&3.into(), &3.into()),
                "{found:#}"
            );
            assert_eq!((&fault["back"], &fault["resumed"]), (&3.into(), &0.into()));
            let (delivery, sent) = (&found["delivery"], &found["messages"]["sent"]);
            assert_eq!(*sent, 500);
            assert_eq!(delivery["expected"], 1500);
            // Some 150 messages were due to each while nobody was let in.
            let lost = count(&delivery["lost_disconnected"]);
            assert!(lost > 0, "{found:#}");
            assert_eq!(count(&delivery["received"]) + lost, 1500);
        },
    );
    let words = "--serve -q 0 --publishers 1 --subscribers 1 --rate 100 --duration 1s --warmup 0s";
    let words = words
        .split(' ')
        .chain(["--fault", "at=200ms cut for=300ms of=subscribers"]);
    let directory = tempfile::tempdir().unwrap();
    let table = directory.path().join("run.csv");
    let words = words.chain(["--csv", table.to_str().unwrap()]);
    let text = bench(words).stdout_any().run().stdout_text();
    let table = std::fs::read_to_string(table).unwrap();
    let mut lines = table.lines();
    let head = lines.next().unwrap();
    assert!(head.ends_with(",lost_connections,faults"), "{table}");
    assert!(
        lines
            .clone()
            .any(|line| line.ends_with(",cut=100% of=subscribers")),
        "{table}"
    );
    assert!(
        lines.all(|line| line.split(',').count() == head.split(',').count()),
        "{table}"
    );
    for words in [
        "lost with a subscriber's connection",
        " ms: cut=100% of=subscribers for ",
        "1 of 1 connections hit",
        "1 clients lost their connection, the last was back after ",
        "beside them the proxy of the faults",
    ] {
        assert!(text.contains(words), "no {words:?} in\n{text}");
    }
}

#[test]
fn without_a_session_what_was_in_flight_is_nobodys_promise() {
    on_both(
        "--publishers 4 --subscribers 1 --rate 400 --duration 1s --warmup 0s -q 2",
        &["at=200ms cut of=publishers every=200ms"],
        |found| {
            assert!(found["faults"].as_array().unwrap().len() >= 4, "{found:#}");
            assert_eq!(found["delivery"]["lost_acknowledged"], 0);
            assert_eq!(found["delivery"]["lost_disconnected"], 0);
            assert_eq!(found["delivery"]["duplicates_at_qos_2"], 0);
            assert_eq!(found["faults"][0]["resumed"], 0);
        },
    );
}

#[test]
fn a_stall_and_a_delay_lose_nothing_and_are_seen_in_the_latency() {
    on_both(
        "--publishers 2 --subscribers 2 --rate 200 --duration 1s --warmup 0s -q 1",
        &[
            "at=300ms stall for=400ms",
            "at=0s delay=20ms jitter=5ms of=publishers",
        ],
        |found| {
            assert_eq!(found["delivery"]["received"], 200, "{found:#}");
            assert_eq!(found["delivery"]["duplicates"], 0);
            assert_eq!(
                found["faults"][0]["fault"],
                "delay=20ms jitter=5ms of=publishers"
            );
            let stall = &found["faults"][1];
            assert_eq!((&stall["hit"], &stall["lost"]), (&4.into(), &0.into()));
            assert!(count(&stall["worst_us"]) >= 390_000, "{found:#}");
            assert!(
                count(&found["latency_us"]["service"]["p50"]) >= 15_000,
                "{found:#}"
            );
        },
    );
}

#[test]
fn only_keep_alive_notices_a_half_open_connection() {
    on_both(
        "--publishers 2 --subscribers 2 --rate 100 --duration 14s --warmup 0s -k 5 --persistent -q 1",
        &["at=500ms half-open=50%"],
        |found| {
            let fault = &found["faults"][0];
            assert_eq!(fault["hit"], 2, "{found:#}");
            assert_eq!(
                (&fault["lost"], &fault["back"]),
                (&2.into(), &2.into()),
                "{found:#}"
            );
            assert!(fault["back_after_s"].as_f64().unwrap() >= 5.0);
            assert_eq!(found["delivery"]["lost_acknowledged"], 0);
            assert_eq!(found["delivery"]["lost_unacknowledged"], 0);
            assert_eq!(found["delivery"]["lost_disconnected"], 0, "{found:#}");
        },
    );
}

#[test]
fn what_a_half_open_connection_swallows_up_to_the_end_is_not_the_brokers_fault() {
    for persistent in ["", " --persistent"] {
        on_both(
            &format!(
                "--publishers 2 --subscribers 2 --rate 100 --duration 1s --warmup 0s -q 1{persistent}"
            ),
            &["at=300ms half-open of=subscribers"],
            |found| {
                assert_eq!(found["faults"][0]["lost"], 0, "{found:#}");
                let delivery = &found["delivery"];
                assert!(count(&delivery["lost_disconnected"]) > 0, "{found:#}");
                assert_eq!(delivery["lost_acknowledged"], 0, "{found:#}");
            },
        );
    }
}

#[test]
fn a_member_of_a_shared_subscription_that_is_cut_off_is_no_fault_of_the_broker() {
    for line in ["", " --persistent"] {
        for fault in [
            "at=300ms cut=50% of=subscribers",
            "at=300ms half-open=50% of=subscribers",
        ] {
            on_both(
                &format!(
                    "shared --publishers 2 --subscribers 4 --rate 1k --duration 1s --warmup 0s -q 1{line}"
                ),
                &[fault],
                |found| {
                    assert_eq!(found["faults"][0]["hit"], 2, "{found:#}");
                    assert_eq!(found["delivery"]["lost_acknowledged"], 0, "{found:#}");
                    assert_eq!(found["delivery"]["reordered"], 0, "{found:#}");
                },
            );
        }
    }
}

#[test]
fn round_trips_and_idle_clients_survive_a_cut() {
    on_both(
        "req --publishers 3 --rate 300 --duration 1s --warmup 0s --persistent -q 1",
        &["at=300ms cut for=100ms"],
        |found| {
            assert_eq!(found["faults"][0]["back"], 4, "{found:#}");
            assert_eq!(found["delivery"]["received"], found["messages"]["sent"]);
        },
    );
    on_both("idle -c 10 --duration 1s", &["at=200ms cut=3"], |found| {
        let fault = &found["faults"][0];
        assert_eq!(
            (&fault["hit"], &fault["back"]),
            (&3.into(), &3.into()),
            "{found:#}"
        );
        assert!(is_valid(&found), "{found:#}");
    });
}

#[test]
fn faults_happen_below_tls_and_websocket() {
    let authority = Authority::new("Test CA");
    authority.issue("server", &["localhost", "127.0.0.1"]);
    let tls = authority.listener("server");
    let tls = Mosquitto::start(tls.iter().map(String::as_str).chain(ROOMY));
    let port = crate::servers::free_port();
    let web = [
        format!("listener {port} 127.0.0.1"),
        "protocol websockets".to_owned(),
    ];
    let _web = Mosquitto::start(web.iter().map(String::as_str).chain(ROOMY));
    let ca = authority.ca();
    for (url, more) in [
        (
            format!("mqtts://localhost:{}", tls.port()),
            &["--cafile", &ca][..],
        ),
        (format!("ws://127.0.0.1:{port}"), &[]),
    ] {
        let words =
            "--publishers 2 --subscribers 2 --rate 200 --duration 1s --warmup 0s --persistent";
        let words: Vec<&str> = words
            .split(' ')
            .chain(["-L", &url, "--fault", "at=300ms cut=2"])
            .chain(more.iter().copied())
            .collect();
        let found = report(&words, 0);
        assert_eq!(found["delivery"]["received"], 200, "{found:#}");
        assert_eq!(found["faults"][0]["back"], 2);
        assert_eq!(found["faults"][0]["resumed"], 2);
    }
}

#[test]
fn a_plan_has_faults_and_calibration_goes_through_the_proxy() {
    let line = [
        "--publishers",
        "1",
        "--subscribers",
        "1",
        "--rate",
        "200",
        "--duration",
        "1s",
        "--warmup",
        "0s",
        "--persistent",
        "--fault",
        "at=100ms stall=up for=50ms every=400ms share=1",
        "--fault",
        "half-open=2 at=700ms of=clients",
    ];
    let words = ["bench", "--print-plan"].into_iter().chain(line);
    let printed = Mqtt::new(words).stdout_any().run().stdout_text();
    assert!(
        printed.contains(
            "[[fault]]\nat = \"100ms\"\nfor = \"50ms\"\nevery = \"400ms\"\nstall = \"up\"\nshare = \"1\"\n\n\
             [[fault]]\nat = \"700ms\"\nhalf-open = \"2\"\nof = \"clients\"\n"
        ),
        "{printed}"
    );
    assert_eq!(printed.matches("persistent = true").count(), 2, "{printed}");
    let serve = MqttServe::start::<&str>([]);
    let finished = bench(["--plan", "-", "--json", "--calibrate", "-L", &serve.url()])
        .stdin(printed.clone())
        .stdout_any()
        .run();
    let found = json(&finished);
    assert_eq!(found["faults"].as_array().unwrap().len(), 4, "{found:#}");
    assert_eq!(found["delivery"]["received"], 200);
    assert_eq!(found["faults"][2]["hit"], 0);
    assert!(
        found["calibration"]["latency_us"]["samples"]
            .as_u64()
            .unwrap()
            > 0
    );
    assert!(found["generator"]["proxy_cpu_s"].as_f64().unwrap() >= 0.0);
}

#[test]
fn in_churn_and_storms_faults_come_on_top_of_what_happens_there() {
    on_both(
        "churn -c 10 --rate 100 --duration 1s",
        &["at=300ms cut for=200ms"],
        |found| {
            let fault = &found["faults"][0];
            assert_eq!(fault["lost"], fault["back"], "{found:#}");
            let hurt = count(&fault["lost"]) + count(&fault["not_made"]);
            assert!(hurt > 0, "{found:#}");
            assert!(count(&found["connections"]["made"]) >= 50, "{found:#}");
            assert_eq!(found["connections"]["failures"], serde_json::json!([]));
            assert!(is_valid(&found), "{found:#}");
        },
    );
    on_both(
        "reconnect-storm -c 20 --duration 5s",
        &["at=0s cut for=300ms"],
        |found| {
            let fault = &found["faults"][0];
            let hurt = count(&fault["lost"]) + count(&fault["not_made"]);
            assert!(hurt >= 20, "{found:#}");
            assert_eq!(found["connections"]["made"], 20, "{found:#}");
            assert_eq!(found["connections"]["failures"], serde_json::json!([]));
        },
    );
    // Whoever is cut off before its turn comes back and waits for it; what is timed is the storm.
    for storm in ["reconnect-storm", "takeover-storm"] {
        on_both(
            &format!("{storm} -c 20 --rate 20 --duration 5s"),
            &["at=200ms cut=5", "at=0s delay=20ms"],
            |found| {
                let fault = &found["faults"][1];
                assert_eq!(fault["hit"], 5, "{found:#}");
                // One or two of them may have been about to leave.
                assert!(count(&fault["lost"]) >= 3, "{found:#}");
                assert_eq!(fault["lost"], fault["back"], "{found:#}");
                assert_eq!(found["connections"]["made"], 20, "{found:#}");
                let back = &found["latency_us"]["completion"];
                assert!(count(&back["max"]) >= 20_000, "{found:#}");
                assert!(is_valid(&found), "{found:#}");
            },
        );
    }
    on_both(
        "will-storm -c 20 --rate 40 --subscribers 2",
        &[
            "at=0s delay=20ms",
            "at=200ms stall=down for=100ms of=subscribers",
        ],
        |found| {
            assert_eq!(found["delivery"]["received"], 40, "{found:#}");
            let response = &found["latency_us"]["response"];
            assert!(count(&response["p50"]) >= 20_000, "{found:#}");
        },
    );
    // All at once and over before the fault.
    let text = bench([
        "reconnect-storm",
        "-c",
        "5",
        "--serve",
        "--fault",
        "at=20s cut",
    ])
    .stdout_any()
    .run()
    .stdout_text();
    let words = "fault        cut=100% at 20.0 s did not happen: the load was over before\n";
    assert!(text.contains(words), "{text}");
}

#[test]
fn faults_happen_before_a_unix_socket_as_well() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("broker.sock");
    let listener = format!("listener 0 {}", socket.display());
    let _mosquitto = Mosquitto::start([&*listener].into_iter().chain(ROOMY));
    let words =
        "--publishers 2 --subscribers 2 --rate 200 --duration 1s --warmup 0s --persistent --unix";
    let words = words.split(' ').chain([
        socket.to_str().unwrap(),
        "--fault",
        "at=300ms cut=2 for=100ms",
    ]);
    let found = report(&words.collect::<Vec<_>>(), 0);
    assert_eq!(found["delivery"]["received"], 200, "{found:#}");
    assert_eq!(
        (&found["faults"][0]["hit"], &found["faults"][0]["resumed"]),
        (&2.into(), &2.into())
    );
    // The socket that is not there is named, not the proxy.
    bench(["--unix", "/nowhere/broker.sock", "--fault", "at=1s cut"])
        .status(3)
        .stderr_contains("cannot connect to unix:///nowhere/broker.sock: ")
        .run();
}

#[test]
fn a_fault_that_cannot_happen_is_refused() {
    for (arguments, words) in [
        (
            &["--fault", "cut=30%"][..],
            "it does not say when: at=, for example at=10s",
        ),
        (
            &["--fault", "at=1s kill=30%"],
            "\"kill\" is not part of a fault; there are at=, for=, ",
        ),
        (
            &["--fault", "at=10s cut"],
            "--fault at= must be before the end of the load, which is after 6s",
        ),
        (
            &["will-storm", "--fault", "at=1s cut"],
            "--fault of= must be subscribers where clients leave wills: whom a fault cuts off leaves its will before its time",
        ),
        (
            &["conn", "--persistent"],
            "--persistent has no meaning in `mqtt bench conn`",
        ),
    ] {
        Mqtt::new([&["bench"], arguments].concat())
            .status(2)
            .stderr_contains(words)
            .run();
    }
    // The broker that is not there is named, not the proxy.
    bench(["-h", "127.0.0.1", "-p", "1", "--fault", "at=1s cut"])
        .status(3)
        .stderr(format!(
            "{WARNING}mqtt: cannot connect to mqtt://127.0.0.1:1: connection refused; is a broker running there? `mqtt serve` starts one\n"
        ))
        .run();
}
