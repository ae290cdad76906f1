//! What several machines do together: one report, exact ledgers, every scenario.

use serde_json::json;

use super::*;
use crate::bench::WARNING;
use crate::bench::scripted::{Deed, Scripted};
use crate::servers::{Mosquitto, MqttServe};

#[test]
fn two_agents_make_one_report_and_say_what_they_do() {
    let (control, target) = (MqttServe::start([""; 0]), Mosquitto::start([]));
    let url = control.url();
    let agents = [agent(&url, "north", &[]), agent(&url, "south", &[])];
    let port = target.port();
    let load = at(
        &port,
        "--publishers 4 --subscribers 4 --rate 400 --duration 1s",
    );
    let found = report(&url, "2", &load, 0);
    assert_eq!(found["plan"]["publish"][0]["clients"], 4, "{found:#}");
    assert_eq!(found["delivery"]["expected"], 800);
    assert_eq!(found["delivery"]["received"], 800);
    assert_eq!(found["connections"]["asked"], 8);
    assert_eq!(found["connections"]["made"], 8);
    assert_eq!(found["rate_per_s"]["offered"], 400.0);
    assert_eq!(found["parts"].as_array().unwrap().len(), 2);
    assert_eq!(
        found["parts"][0]["measured_unix_s"],
        found["parts"][1]["measured_unix_s"]
    );
    assert_eq!(found["measured_s"].as_f64().unwrap().round(), 1.0);
    assert_eq!(found["latency_us"]["response"]["samples"], 400);
    for (machine, name) in [(0, "north"), (1, "south")] {
        let machine = &found["machines"][machine];
        assert_eq!(machine["name"], name);
        assert_eq!(
            (
                &machine["connections"],
                &machine["sent"],
                &machine["arrived"]
            ),
            (&json!(4), &json!(400), &json!(400))
        );
        // Both clocks are this machine's.
        let ahead = machine["clock"]["ahead_ns"].as_i64().unwrap();
        let uncertainty = machine["clock"]["uncertainty_ns"].as_i64().unwrap();
        assert!(ahead.abs() <= uncertainty, "{machine}");
        assert!(machine["clock_after"]["uncertainty_ns"].is_u64());
    }
    assert_eq!(
        found["clocks"],
        json!({"streams": 4, "between_machines": 0, "uncertainty_us": 0})
    );

    let text = coordinate(&url, "south,north", &load)
        .stdout_any()
        .run()
        .stdout_text();
    for words in [
        " of warm-up, from 2 machines\n",
        "\nDELIVERY CHECK PASSED\n",
        "\nmessages     800 of 800 arrived, none lost, doubled or out of order\nmachines     south on ",
        ": 4 connections, 400 sent, 400 arrived, busiest ",
        "\nclocks       every message was sent and received on one machine, so one clock timed it\n",
    ] {
        assert!(text.contains(words), "{words:?} is not in\n{text}");
    }

    for (finished, name) in dismiss(agents).iter().zip(["north", "south"]) {
        let mut lines = finished.stderr.strip_prefix(WARNING).unwrap().lines();
        let first = format!("mqtt: agent {name} waits at {url} under mqtt-bench");
        assert_eq!(lines.next(), Some(&*first));
        for machine in match name {
            "north" => [1, 2],
            _ => [2, 1],
        } {
            let line = lines.next().unwrap_or_default();
            let end = format!(
                "4 connections to mqtt://127.0.0.1:{port} by 2 threads, as machine {machine} of 2"
            );
            assert!(
                line.starts_with("mqtt: run ")
                    && (line.ends_with(&end) || line.contains(" thread")),
                "{line}"
            );
            assert!(lines.next().is_some_and(|line| line.ends_with(" is over")));
        }
        assert_eq!(lines.next(), None);
    }
}

#[test]
fn what_one_agent_sent_and_another_received_is_accounted_for_exactly() {
    let control = MqttServe::start([""; 0]);
    let broker = Scripted::start(|sequence| match sequence % 50 {
        7 => Deed::Lose,
        17 => Deed::Double,
        27 => Deed::Swap,
        _ => Deed::Deliver,
    });
    let url = control.url();
    let agents = [agent(&url, "a", &[]), agent(&url, "b", &[])];
    for (spread, sent, between) in [
        ("roles", [1000, 0], 8),
        ("apart", [500, 500], 8),
        ("together", [500, 500], 0),
    ] {
        let found = report(
            &url,
            "a,b",
            &[
                "-h",
                "127.0.0.1",
                "-p",
                &broker.port,
                "--publishers",
                "4",
                "--subscribers",
                "8",
                "--count",
                "1000",
                "--spread",
                spread,
            ],
            8,
        );
        // 4 publishers with 250 messages each: 5 of each deed, and everyone has 2 subscribers.
        let delivery = &found["delivery"];
        assert_eq!(delivery["expected"], 2000, "{spread} {found:#}");
        assert_eq!(delivery["received"], 1960, "{spread}");
        assert_eq!(delivery["lost_acknowledged"], 40, "{spread}");
        assert_eq!(delivery["lost_unacknowledged"], 0, "{spread}");
        assert_eq!(delivery["duplicates"], 40, "{spread}");
        assert_eq!(delivery["reordered"], 40, "{spread}");
        assert_eq!(found["clocks"]["between_machines"], between, "{spread}");
        let found_sent = [0, 1].map(|machine| found["machines"][machine]["sent"].as_u64().unwrap());
        assert_eq!(found_sent, sent, "{spread}");
    }
    dismiss(agents);
}

#[test]
fn every_scenario_runs_on_several_machines() {
    let (control, target) = (MqttServe::start([""; 0]), MqttServe::start([""; 0]));
    let url = control.url();
    let agents = [
        agent(&url, "a", &[]),
        agent(&url, "b", &[]),
        agent(&url, "c", &[]),
    ];
    let port = target.port();
    for (line, expected) in [
        (
            "pubsub --count 300 --publishers 6 --subscribers 1 --spread apart",
            300,
        ),
        (
            "pubsub --count 300 --publishers 1 --subscribers 6 -q 2",
            1800,
        ),
        ("pub --count 300 --publishers 6", 0),
        ("shared --count 300 --publishers 6 --subscribers 3", 300),
        (
            "req --count 300 --publishers 6 --subscribers 2 --spread apart",
            300,
        ),
        (
            "retained-storm --count 100 --subscribers 6 --spread apart",
            600,
        ),
        (
            "offline --count 300 --publishers 6 --subscribers 6 --spread apart",
            300,
        ),
        ("will-storm --clients 30 --subscribers 1", 30),
        ("conn --clients 30 --rate 300", 0),
        ("churn --clients 6 --rate 60 --duration 500ms", 0),
        ("reconnect-storm --clients 30", 0),
        ("takeover-storm --clients 30", 0),
        ("idle --clients 30 --duration 200ms", 0),
    ] {
        let words: Vec<&str> = line.split(' ').chain(at(&port, "")).collect();
        let found = report(&url, "3", &words, 0);
        assert_eq!(found["delivery"]["expected"], expected, "{line} {found:#}");
        assert_eq!(found["delivery"]["received"], expected, "{line}");
        assert_eq!(found["check"]["passed"], true, "{line}");
        assert_eq!(
            found["connections"]["asked"], found["connections"]["made"],
            "{line}"
        );
        assert_eq!(found["machines"].as_array().unwrap().len(), 3, "{line}");
        if line.starts_with("shared") {
            let members = found["shares"][0]["members"].as_array().unwrap();
            let received: u64 = members.iter().filter_map(Value::as_u64).sum();
            assert_eq!((members.len(), received), (3, 300), "{found:#}");
        }
    }
    dismiss(agents);
}

#[test]
fn what_is_in_the_files_of_a_plan_is_sent_to_the_agents() {
    let (control, target) = (MqttServe::start([""; 0]), MqttServe::start([""; 0]));
    let url = control.url();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lines");
    std::fs::write(&file, "one\ntwo \u{e4}\nthree\n").unwrap();
    let agents = [agent(&url, "a", &[]), agent(&url, "b", &[])];
    let (port, lines) = (target.port(), file.to_str().unwrap());
    let load = [
        "-V",
        "5",
        "-h",
        "127.0.0.1",
        "-p",
        &port,
        "--count",
        "300",
        "--spread",
        "apart",
        "--payload-lines",
        lines,
    ];
    let found = report(&url, "2", &load, 0);
    assert_eq!(found["delivery"]["received"], 300, "{found:#}");
    assert_eq!(found["delivery"]["corrupted"], 0);
    assert_eq!(
        found["plan"]["publish"][0]["payload"]["lines"], lines,
        "as it was typed"
    );
    std::fs::write(&file, b"\xff\n").unwrap();
    coordinate(&url, "2", &load)
        .status(2)
        .stderr(format!(
            "mqtt: {lines} is no text in UTF-8, which agents could not be told\n"
        ))
        .run();
    dismiss(agents);
}

#[test]
fn an_agent_for_one_run_ends_with_it() {
    let control = MqttServe::start([""; 0]);
    let url = control.url();
    let port = control.port();
    let mut once = agent(&url, "once", &["--once"]);
    // Without --control the broker under test is the one to talk over.
    let load = [
        "bench",
        "-h",
        "127.0.0.1",
        "-p",
        &port,
        "--agents",
        "once",
        "--count",
        "50",
    ];
    Mqtt::new(load).stdout_contains("50 of 50 arrived").run();
    assert_eq!(once.wait().status, 0);
    let mut busy = agent(&url, "busy", &["--once", "--only", "nowhere"]);
    let refused = ["bench", "-h", "127.0.0.1", "-p", &port, "--agents", "busy"];
    Mqtt::new(refused)
        .status(5)
        .stderr_contains("agent busy: ")
        .run();
    assert_eq!(busy.wait().status, 5);
}

#[test]
fn the_first_signal_ends_the_run_everywhere_and_the_report_is_printed() {
    let (control, target) = (MqttServe::start([""; 0]), MqttServe::start([""; 0]));
    let url = control.url();
    let agents = [agent(&url, "a", &[]), agent(&url, "b", &[])];
    let port = target.port();
    let load = at(&port, "--rate 500 --duration 1h --warmup 0s -v");
    let mut run = coordinate(&url, "2", &load).start();
    run.wait_for_stderr(|line| line.contains("delivered") && !line.contains("delivered 0/s"));
    let finished = run.stop("INT");
    assert_eq!(finished.status, 130, "{finished:?}");
    let text = finished.stdout_text();
    assert!(text.contains(", interrupted, from 2 machines\n"), "{text}");
    assert!(
        text.contains("none lost, doubled or out of order"),
        "{text}"
    );
    dismiss(agents);
}
