//! The report of a run: what was done, and exact counts at every quality of service, size and shape of load.

use super::scripted::{Deed, Scripted};
use super::{bench, json, report};
use crate::harness::Mqtt;
use crate::servers::{Mosquitto, MqttServe};

#[test]
fn it_measures_its_own_broker_without_being_told_anything_else() {
    let finished = bench(["--serve", "--duration", "1s", "--warmup", "100ms"])
        .stdout_any()
        .run();
    let text = finished.stdout_text();
    assert!(text.starts_with(
        "10 publishers to 10 subscribers, QoS 1, 64 bytes, as fast as flow control allows\n"
    ));
    for words in [
        "DELIVERY CHECK PASSED",
        "delivered",
        "p99.99",
        "none lost, doubled or out of order",
    ] {
        assert!(text.contains(words), "no {words:?} in\n{text}");
    }
    assert!(!text.contains('\x1b'), "colour in a pipe:\n{text}");
    assert!(
        !text.contains("response"),
        "nothing is due without a rate:\n{text}"
    );
}

#[test]
fn an_objective_that_is_met_in_an_invalid_run_is_not_shown() {
    let line = "--serve --publishers 1 --subscribers 1 --count 100 --json";
    let finished = bench(line.split(' ')).stdout_any().run();
    let mut run = json(&finished);
    for (causes, status, words) in [
        (&[][..], 0, "\nOBJECTIVE MET  loss=0: 0\n"),
        (&["late"], 0, "\nOBJECTIVE MET  loss=0: 0\n"),
        (
            &["late", "unsteady"],
            8,
            "\nOBJECTIVE NOT SHOWN  loss=0: 0, but the run is INVALID\n",
        ),
        (
            &["of a later version"],
            8,
            "\nOBJECTIVE NOT SHOWN  loss=0: 0, but the run is INVALID\n",
        ),
    ] {
        run["verdict"] = serde_json::json!({
            "valid": causes.is_empty(),
            "reasons": causes.iter().map(|cause| format!("because: {cause}")).collect::<Vec<_>>(),
            "causes": causes,
        });
        let report = |more: &[&str], status| {
            let arguments = [&["bench", "report", "-"], more].concat();
            let report = Mqtt::new(arguments).stdin(run.to_string());
            report.status(status).stdout_any().run().stdout_text()
        };
        let text = report(&["--slo", "loss=0"], status);
        assert!(text.contains(words), "{causes:?}\n{text}");
        report(&[], 0);
    }
}

#[test]
fn counts_are_exact_at_every_quality_of_service_in_every_version() {
    // By its default limits mosquitto drops acknowledged messages when a subscriber falls behind.
    let mosquitto = Mosquitto::start(["max_queued_messages 0", "max_inflight_messages 0"]);
    let serve = MqttServe::start::<&str>([]);
    for port in [mosquitto.port(), serve.port()] {
        for (qos, version) in [
            ("0", "311"),
            ("1", "31"),
            ("1", "5"),
            ("2", "311"),
            ("2", "5"),
        ] {
            let report = report(
                &[
                    "-h",
                    "127.0.0.1",
                    "-p",
                    &port,
                    "-q",
                    qos,
                    "-V",
                    version,
                    "--publishers",
                    "3",
                    "--subscribers",
                    "3",
                    "--count",
                    "1000",
                    "--rate",
                    "5k",
                ],
                0,
            );
            assert_eq!(report["messages"]["sent"], 1000, "{report:#}");
            assert_eq!(report["delivery"]["expected"], 1000);
            assert_eq!(report["delivery"]["received"], 1000);
            assert_eq!(report["latency_us"]["response"]["samples"], 1000);
            assert_eq!(report["latency_us"]["service"]["samples"], 1000);
            assert_eq!(report["latency_us"]["send_delay"]["samples"], 1000);
            assert!(report["latency_us"]["response"]["p99"].is_u64());
            assert!(
                report["latency_us"]["response"]["p99.9"].is_null(),
                "too few samples"
            );
            assert_eq!(report["rate_per_s"]["offered"], 5000.0);
            let acknowledged = &report["messages"]["acknowledged"];
            assert!(match qos {
                "0" => acknowledged.is_null(),
                _ => *acknowledged == 1000,
            });
        }
    }
}

#[test]
fn the_report_says_what_was_done_to_whom_and_in_which_form() {
    let serve = MqttServe::start::<&str>([]);
    let report = report(
        &[
            "-L",
            &serve.url(),
            "--publishers",
            "1",
            "--subscribers",
            "1",
            "--count",
            "50",
            "-t",
            "a/%i%%",
            "--size",
            "100",
            "--window",
            "7",
            "-V",
            "5",
        ],
        0,
    );
    assert_eq!(report["schema"], 1);
    assert_eq!(report["tool"]["name"], "mqtt bench");
    assert_eq!(report["broker"]["endpoint"], serve.url());
    assert_eq!(report["broker"]["version"], "5");
    assert_eq!(report["broker"]["embedded"], false);
    assert_eq!(report["broker"]["window"], 7);
    assert_eq!(report["plan"]["publish"][0]["topic"], "a/%i%%");
    assert_eq!(report["plan"]["stop"]["count"], 50);
    assert_eq!(report["plan"]["publish"][0]["size"], 100);
    assert_eq!(report["plan"]["publish"][0]["rate"], "max");
    assert!(
        report["latency_us"]["response"].is_null(),
        "nothing is due without a rate"
    );
    assert!(report["latency_us"]["service"]["p50"].is_u64());
    assert!(report["environment"]["cpus"].is_u64());
    assert_eq!(report["environment"]["debug_build"], cfg!(debug_assertions));
}

#[test]
fn a_message_to_many_subscribers_is_counted_for_each() {
    let serve = MqttServe::start::<&str>([]);
    let run = |more: &[&str]| {
        let port = serve.port();
        let all = [&["-h", "127.0.0.1", "-p", &port, "--count", "100"], more].concat();
        let report = report(&all, 0);
        (
            report["delivery"]["expected"].as_u64(),
            report["delivery"]["received"].as_u64(),
        )
    };
    assert_eq!(
        run(&["--publishers", "1", "--subscribers", "20"]),
        (Some(2000), Some(2000)),
        "fan-out"
    );
    assert_eq!(
        run(&["--publishers", "20", "--subscribers", "1"]),
        (Some(100), Some(100)),
        "fan-in"
    );
    assert_eq!(
        run(&["--publishers", "4", "--subscribers", "3", "-t", "all"]),
        (Some(300), Some(300)),
        "broadcast"
    );
    assert_eq!(
        run(&[
            "--publishers",
            "4",
            "--subscribers",
            "2",
            "-t",
            "%i/温度",
            "--filter",
            "+/温度"
        ]),
        (Some(200), Some(200)),
        "a filter with a wildcard"
    );
    assert_eq!(
        run(&["--publishers", "2", "--subscribers", "0"]),
        (Some(0), Some(0)),
        "nobody listens"
    );
}

#[test]
fn payloads_may_be_as_small_as_the_header_or_larger_than_any_buffer() {
    let serve = MqttServe::start::<&str>([]);
    for (size, count) in [
        ("16", "500"),
        ("31", "500"),
        ("32", "500"),
        ("1000000", "20"),
    ] {
        let report = report(
            &[
                "-h",
                "127.0.0.1",
                "-p",
                &serve.port(),
                "--publishers",
                "2",
                "--subscribers",
                "2",
                "--size",
                size,
                "--count",
                count,
                "--rate",
                "5k",
            ],
            0,
        );
        assert_eq!(report["delivery"]["received"].to_string(), count);
        assert_eq!(
            report["latency_us"]["response"]["samples"].to_string(),
            count
        );
    }
}

#[test]
fn the_first_signal_ends_the_run_and_the_report_is_printed() {
    let serve = MqttServe::start::<&str>([]);
    let mut running = bench([
        "-h",
        "127.0.0.1",
        "-p",
        &serve.port(),
        "--duration",
        "1h",
        "--rate",
        "1000",
        "--warmup",
        "0s",
        "--json",
    ])
    .start();
    // The line of ten seconds, which a log gets without being asked for it.
    let line = running.wait_for_stderr(|line| line.contains("delivered"));
    assert!(line.starts_with("mqtt: 1"), "{line}");
    let finished = running.stop("INT");
    assert_eq!(finished.status, 130, "{}", finished.stderr);
    assert!(
        finished.stderr.contains("ending the run"),
        "{}",
        finished.stderr
    );
    let report = json(&finished);
    assert_eq!(report["interrupted"], true);
    assert_eq!(
        report["delivery"]["expected"],
        report["delivery"]["received"]
    );
    assert_eq!(report["check"]["passed"], true);
}

#[test]
fn the_second_signal_leaves_at_once() {
    let broker = Scripted::start(|_| Deed::Lose);
    let mut running = bench([
        "-h",
        "127.0.0.1",
        "-p",
        &broker.port,
        "--duration",
        "1h",
        "--rate",
        "100",
        "-v",
    ])
    .start();
    running.wait_for_stderr(|line| line.contains("sent"));
    running.signal("INT");
    running.wait_for_stderr(|line| line.contains("ending the run"));
    let finished = running.stop("INT");
    assert_eq!(finished.status, 130);
    assert!(finished.stdout.is_empty(), "{}", finished.stdout_text());
}

#[test]
fn a_reader_who_leaves_is_no_error() {
    Mqtt::shell("mqtt bench --serve --count 10 --json 2>/dev/null | head -c 1; echo")
        .stdout("{\n")
        .run();
}
