//! `mqtt bench SCENARIO`: each of the scenarios against a real broker.

use serde_json::Value;

use crate::bench::{bench, json, report};
use crate::harness::Mqtt;
use crate::servers::{Mosquitto, MqttServe, free_port};

/// Samples of a latency.
fn samples(latency: &Value) -> u64 {
    latency["samples"].as_u64().unwrap_or(0)
}

#[test]
fn conn_times_each_connection_by_leg() {
    let mosquitto = Mosquitto::start([]);
    let port = mosquitto.port();
    let paced = report(
        &[
            "conn",
            "-h",
            "127.0.0.1",
            "-p",
            &port,
            "-c",
            "150",
            "--rate",
            "1000",
        ],
        0,
    );
    let connections = &paced["connections"];
    assert_eq!(paced["plan"]["scenario"], "conn");
    assert_eq!(
        (&connections["asked"], &connections["made"]),
        (&150.into(), &150.into())
    );
    assert_eq!(connections["offered_per_s"], 1000.0);
    assert!(connections["made_per_s"].is_f64());
    for leg in ["response", "service", "tcp", "connack", "generator_delay"] {
        assert_eq!(samples(&connections["latency_us"][leg]), 150, "{leg}");
    }
    assert!(
        paced["rate_per_s"]["offered"].is_null(),
        "no message is offered"
    );
    let unpaced = report(
        &[
            "conn",
            "-h",
            "127.0.0.1",
            "-p",
            &port,
            "-c",
            "150",
            "-V",
            "5",
        ],
        0,
    );
    let latency = &unpaced["connections"]["latency_us"];
    assert_eq!(samples(&latency["connack"]), 150);
    assert!(
        latency["response"].is_null(),
        "nothing is due without a rate"
    );
}

#[test]
fn conn_counts_what_was_refused_and_goes_on() {
    let mosquitto = Mosquitto::start(["max_connections 5"]);
    let port = mosquitto.port();
    let found = json(
        &bench([
            "conn",
            "-h",
            "127.0.0.1",
            "-p",
            &port,
            "-c",
            "8",
            "--duration",
            "200ms",
            "--json",
        ])
        .status(3)
        .stdout_any()
        .run(),
    );
    let connections = &found["connections"];
    assert_eq!(connections["made"], 5, "{found:#}");
    let failures = connections["failures"].as_array().unwrap();
    let failed = failures.iter().filter_map(|each| each["count"].as_u64());
    assert_eq!(failed.sum::<u64>(), 3);
    assert_eq!(found["verdict"]["valid"], true, "it is what was found");
    let nobody = free_port().to_string();
    let finished = bench(["conn", "-h", "127.0.0.1", "-p", &nobody, "-c", "2"])
        .status(3)
        .stdout_any()
        .run();
    let text = finished.stdout_text();
    assert!(text.contains("2 not made: cannot connect to"), "{text}");
}

#[test]
fn conn_that_is_interrupted_reports_what_was_made() {
    let serve = MqttServe::start::<&str>([]);
    let port = serve.port();
    let mut running = bench([
        "conn",
        "-h",
        "127.0.0.1",
        "-p",
        &port,
        "-c",
        "900",
        "--rate",
        "20",
        "-v",
        "--json",
    ])
    .start();
    running.wait_for_stderr(|line| line.contains("connected 1") && line.contains(" of 900"));
    let finished = running.stop("INT");
    assert_eq!(finished.status, 130, "{}", finished.stderr);
    let found = json(&finished);
    assert_eq!(found["interrupted"], true);
    assert!(found["connections"]["made"].as_u64() > Some(0));
}

#[test]
fn idle_connections_are_kept_alive() {
    // Mosquitto closes a connection that is silent for one and a half times its keep alive.
    let mosquitto = Mosquitto::start([]);
    let found = report(
        &[
            "idle",
            "-h",
            "127.0.0.1",
            "-p",
            &mosquitto.port(),
            "-c",
            "20",
            "-k",
            "5",
            "--duration",
            "9s",
        ],
        0,
    );
    assert_eq!(found["connections"]["made"], 20);
    assert_eq!(found["lost_connections"], Value::Array(Vec::new()));
    assert_eq!(found["messages"]["sent"], 0);
}

#[test]
fn pub_needs_nobody_who_listens() {
    let found = report(
        &["pub", "--serve", "--publishers", "3", "--count", "300"],
        0,
    );
    assert!(found["plan"]["subscribe"].is_null());
    assert_eq!(found["messages"]["acknowledged"], 300);
    assert_eq!(found["delivery"]["expected"], 0);
    assert!(found["rate_per_s"]["delivered"].is_null());
}

#[test]
fn sub_counts_what_others_publish() {
    let serve = MqttServe::start::<&str>([]);
    let port = serve.port();
    let mut running = bench([
        "sub",
        "-h",
        "127.0.0.1",
        "-p",
        &port,
        "-t",
        "others/#",
        "--subscribers",
        "2",
        "--count",
        "40",
        "--warmup",
        "0s",
        "-v",
        "--json",
    ])
    .start();
    running.wait_for_stderr(|line| line.contains("everyone connected"));
    Mqtt::shell(&format!(
        "seq 20 | mqtt pub -h 127.0.0.1 -p {port} -t others/a -l -q 1"
    ))
    .run();
    let finished = running.wait();
    assert_eq!(finished.status, 0, "{}", finished.stderr);
    let found = json(&finished);
    assert_eq!(
        found["messages"]["arrived"], 40,
        "20 messages to 2 subscribers"
    );
    assert!(
        found["latency_us"]["service"].is_null(),
        "nobody knows when they were sent"
    );
    assert_eq!(found["plan"]["subscribe"][0]["filter"], "others/#");
}

#[test]
fn objectives_decide_the_status_and_each_is_printed_with_what_was_found() {
    let serve = MqttServe::start::<&str>([]);
    let port = serve.port();
    let paced = ["-p", &port, "--count", "500", "--rate", "1000"];
    let paced = [&["-h", "127.0.0.1"], &paced[..]].concat();
    // Whatever other programs did to the load tester meanwhile: it is the objectives that decide here.
    let mut run = report(&paced, 0);
    run["verdict"] = serde_json::json!({"valid": true, "reasons": []});
    let met = "p90<1m,ack.p50<1m,loss=0,disconnects=0";
    let text = Mqtt::new(["bench", "report", "-", "--slo", met])
        .stdin(run.to_string())
        .stdout_any()
        .run()
        .stdout_text();
    for line in [
        "p90<60s: ",
        "ack.p50<60s: ",
        "loss=0: 0",
        "disconnects=0: 0",
    ] {
        assert!(text.contains(&format!("OBJECTIVE MET  {line}")), "{text}");
    }
    let missed = ["--slo", "loss=0,max<1us,p99.99<1m"];
    let text = bench([&paced[..], &missed].concat())
        .status(8)
        .stdout_any()
        .run()
        .stdout_text();
    assert!(text.contains("  loss=0: 0"), "{text}");
    assert!(text.contains("OBJECTIVE MISSED  max<1µs: "), "{text}");
    assert!(
        text.contains("OBJECTIVE MISSED  p99.99<60s: not known from so few samples\n"),
        "{text}"
    );
}

#[test]
fn objectives_are_in_the_json_and_work_for_connections_and_acknowledgements() {
    let serve = MqttServe::start::<&str>([]);
    let port = serve.port();
    let conn = [
        "conn",
        "-h",
        "127.0.0.1",
        "-p",
        &port,
        "-c",
        "50",
        "--slo",
        "connack.p50<1m,refused=0",
    ];
    let found = report(&conn, 0);
    assert_eq!(found["objectives"][0]["objective"], "connack.p50<60s");
    assert_eq!(found["objectives"][0]["met"], true);
    assert_eq!(found["objectives"][1]["found"], "0");
    let acknowledged = [
        "pub",
        "-h",
        "127.0.0.1",
        "-p",
        &port,
        "-q",
        "2",
        "--count",
        "100",
        "--slo",
        "max<1us",
    ];
    let found = report(&acknowledged, 8);
    assert_eq!(found["objectives"][0]["met"], false);
    assert_eq!(samples(&found["latency_us"]["acknowledgement"]), 100);
}

#[test]
fn every_second_is_written_to_files_that_other_tools_read() {
    let serve = MqttServe::start::<&str>([]);
    let directory = tempfile::tempdir().unwrap();
    let (log, table) = (
        directory.path().join("run.hlog"),
        directory.path().join("run.csv"),
    );
    let port = serve.port();
    let arguments = [
        "-h",
        "127.0.0.1",
        "-p",
        &port,
        "--rate",
        "500",
        "--duration",
        "2s",
        "--warmup",
        "0s",
        "--hlog",
        log.to_str().unwrap(),
        "--csv",
        table.to_str().unwrap(),
    ];
    let found = report(&arguments, 0);

    let python = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/target/peers/python/bin/python"
    );
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/read_hlog.py");
    let read = Mqtt::program(python, [script, log.to_str().unwrap()])
        .stdout_any()
        .run();
    let text = read.stdout_text();
    let read: Vec<Vec<&str>> = text.lines().map(|line| line.split(' ').collect()).collect();
    for (tag, latency) in [
        ("response", &found["latency_us"]["response"]),
        ("service", &found["latency_us"]["service"]),
        ("ack", &found["latency_us"]["acknowledgement"]),
        ("send", &found["latency_us"]["send_delay"]),
        ("connect.tcp", &found["connections"]["latency_us"]["tcp"]),
    ] {
        let line = read.iter().find(|line| line[0] == tag);
        let line = line.unwrap_or_else(|| panic!("no {tag} in {read:?}"));
        assert_eq!(line[1], latency["samples"].to_string(), "{tag}");
        if let Some(median) = latency["p50"].as_u64() {
            assert_eq!(line[2], median.to_string(), "{tag}");
        }
    }

    let table = std::fs::read_to_string(table).unwrap();
    let lines: Vec<Vec<&str>> = table
        .lines()
        .map(|line| line.split(',').collect())
        .collect();
    assert_eq!(lines[0][0], "elapsed_s");
    assert!(lines.len() >= 3, "{table}");
    assert!(
        lines.iter().all(|line| line.len() == lines[0].len()),
        "{table}"
    );
    let mut from = 0.0;
    let mut sent = 0.0;
    for line in &lines[1..] {
        let to: f64 = line[0].parse().unwrap();
        sent += line[4].parse::<f64>().unwrap() * (to - from);
        from = to;
    }
    let expected = found["messages"]["sent"].as_f64().unwrap();
    assert!(
        (sent - expected).abs() < 5.0,
        "{sent} of {expected}\n{table}"
    );
}

#[test]
fn a_file_that_cannot_be_written_is_told_before_the_run() {
    for flag in ["--hlog", "--csv"] {
        Mqtt::new(["bench", "--serve", flag, "/nowhere/run"])
            .status(1)
            .stderr("mqtt: could not write /nowhere/run: No such file or directory (os error 2)\n")
            .run();
    }
}
