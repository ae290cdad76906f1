//! What a run with agents writes and shows while it goes on, and the verbs and loads that they take part in.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

use super::*;
use crate::bench::ways::doorman;
use crate::harness::eventually;
use crate::servers::{Mosquitto, MqttServe};

/// A control broker, a broker under test, and two agents.
fn two() -> (MqttServe, Mosquitto, [Running; 2]) {
    let control = MqttServe::start([""; 0]);
    let target = Mosquitto::start(["max_queued_messages 0", "max_inflight_messages 0"]);
    let agents = ["a", "b"].map(|name| agent(&control.url(), name, &[]));
    (control, target, agents)
}

/// The samples and the median of each tag of an HdrHistogram log, as an independent reader has them.
fn log_of(file: &Path) -> Vec<(String, u64, u64)> {
    let home = env!("CARGO_MANIFEST_DIR");
    let python = format!("{home}/target/peers/python/bin/python");
    let script = format!("{home}/tests/peers/read_hlog.py");
    let read = Mqtt::program(&python, [&*script, file.to_str().unwrap()]);
    let text = read.stdout_any().run().stdout_text();
    let line = |line: &str| {
        let mut words = line.split(' ');
        let tag = words.next().unwrap().to_owned();
        let mut number = || words.next().unwrap().parse().unwrap();
        (tag, number(), number())
    };
    text.lines().map(line).collect()
}

#[test]
fn every_second_of_all_machines_is_in_the_files() {
    let (control, target, agents) = two();
    let folder = tempfile::tempdir().unwrap();
    let (log, table) = (folder.path().join("log"), folder.path().join("table"));
    let port = target.port();
    for load in [
        "--rate 400 --duration 2s --warmup 0s --spread apart",
        "conn --clients 60 --rate 40",
    ] {
        let mut words = at(&port, load);
        words.extend(["--hlog", log.to_str().unwrap()]);
        words.extend(["--csv", table.to_str().unwrap()]);
        let found = report(&control.url(), "2", &words, 0);
        let connections = &found["connections"]["latency_us"];
        let latency = &found["latency_us"];
        let read = log_of(&log);
        for (tag, latency) in [
            ("response", &latency["response"]),
            ("service", &latency["service"]),
            ("ack", &latency["acknowledgement"]),
            ("send", &latency["send_delay"]),
            ("connect.tcp", &connections["tcp"]),
            ("connect.response", &connections["response"]),
        ] {
            let of_tag = read.iter().find(|line| line.0 == tag);
            let samples = of_tag.map(|line| line.1);
            assert_eq!(
                samples,
                latency["samples"].as_u64(),
                "{load} {tag} {read:?}"
            );
            if let Some(median) = latency["p50"].as_u64() {
                assert_eq!(of_tag.map(|line| line.2), Some(median), "{load} {tag}");
            }
        }
        let table = std::fs::read_to_string(&table).unwrap();
        let (mut from, mut connected, mut sent) = (0.0, 0.0, 0.0);
        for line in table.lines().skip(1) {
            let cells: Vec<&str> = line.split(',').collect();
            let number = |place: usize| cells[place].parse::<f64>().unwrap();
            let seconds = (number(0) - from).max(0.001);
            from = number(0);
            connected += number(3) * seconds;
            sent += number(4) * seconds;
        }
        let near = |sum: f64, count: &Value| (sum - count.as_f64().unwrap()).abs() < 5.0;
        assert!(near(sent, &found["messages"]["sent"]), "{sent} {table}");
        assert!(
            near(connected, &found["connections"]["made"]),
            "{connected} {table}"
        );
        assert!(table.lines().count() > 2, "{table}");
    }
    dismiss(agents);
}

#[test]
fn prometheus_sees_the_messages_of_all_machines_while_they_go() {
    let (control, target, agents) = two();
    let (url, port) = (control.url(), target.port());
    let load = at(
        &port,
        "--rate 300 --duration 1h --warmup 0s --prometheus 127.0.0.1:0",
    );
    let mut running = coordinate(&url, "2", &load).start();
    let line = running.wait_for_stderr(|line| line.contains("metrics at http://"));
    let address = line.split(['/']).nth(2).unwrap().to_owned();
    let count = |page: &str, name: &str| {
        let line = page.lines().find(|line| line.starts_with(name))?;
        line.rsplit(' ').next()?.parse::<f64>().ok()
    };
    eventually("both machines have delivered something", || {
        let mut stream = TcpStream::connect(&address).unwrap();
        stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").unwrap();
        let mut page = String::new();
        stream.read_to_string(&mut page).unwrap();
        let samples = count(
            &page,
            "mqtt_bench_latency_seconds_count{latency=\"response\"}",
        );
        let connections = count(&page, "mqtt_bench_connections_total");
        // 20 clients on two machines.
        (samples > Some(100.0) && connections == Some(20.0)).then_some(())
    });
    assert_eq!(running.stop("INT").status, 130);
    dismiss(agents);
}

#[test]
fn faults_wills_kept_sessions_and_slow_subscribers_are_everyones() {
    let (control, target, agents) = two();
    let (url, port) = (control.url(), target.port());
    let run = |load: &str, more: &[&str]| {
        let words = [&at(&port, load)[..], more].concat();
        report(&url, "2", &words, 0)
    };

    // Half of ten clients on each machine.
    let load = "--publishers 10 --subscribers 10 --rate 200 --duration 3s --warmup 0s --persistent";
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("table");
    let more = ["--fault", "at=1s cut=50% for=300ms", "--csv"];
    let found = run(load, &[&more[..], &[table.to_str().unwrap()]].concat());
    let table = std::fs::read_to_string(table).unwrap();
    let with_fault = table.lines().filter(|line| line.ends_with(",cut=50%"));
    assert!((1..3).contains(&with_fault.count()), "{table}");
    assert_eq!(found["faults"].as_array().unwrap().len(), 2, "{found:#}");
    for fault in found["faults"].as_array().unwrap() {
        assert_eq!(fault["hit"], 5, "{fault:#}");
        assert_eq!(fault["back"], 5, "{fault:#}");
    }
    assert_eq!(found["delivery"]["lost_acknowledged"], 0);
    assert_eq!(found["check"]["passed"], true);
    assert_eq!(found["delivery"]["received"], found["delivery"]["expected"]);

    let will = "--will-topic bench/will --will-payload gone --disable-clean-session -i kept-%i";
    let found = run(will, &["--count", "200"]);
    assert_eq!(found["delivery"]["received"], 200, "{found:#}");

    let slow = "slow --publishers 4 --subscribers 4 --rate 200 --duration 2s --warmup 0s";
    let found = run(slow, &["--reads", "none"]);
    let isolation = &found["isolation"];
    assert_eq!(isolation["clients"], 1, "{found:#}");
    // The slow one, to whom all are due, is on one machine; the others on both.
    assert_eq!(isolation["delivery"]["expected"], 400);
    let samples = ["before", "beside"].map(|part| {
        let latency = &isolation[part]["latency_us"];
        latency["samples"].as_u64().unwrap()
    });
    // Of 1,600 those in the first beat are left out.
    assert!(samples[0] + samples[1] > 1000, "{isolation:#}");
    dismiss(agents);
}

#[test]
fn the_search_and_the_comparison_put_their_loads_on_agents() {
    let (control, target, agents) = two();
    let (url, port) = (control.url(), target.port());
    let all = format!(
        "bench max conn --of clients --rate 500 --from 4 --to 8 --agents 2 --slo max<0ms --json --control {url} \
         -h 127.0.0.1 -p {port}"
    );
    let climb = parse(&Mqtt::new(all.split(' ')).status(8).stdout_any().run());
    let steps = climb["steps"].as_array().unwrap();
    assert!(!steps.is_empty(), "{climb:#}");
    for step in steps {
        let why = step["failures"][0].as_str().unwrap();
        assert!(why.starts_with("max<0ns: "), "{step}");
        assert!(step["max_s"].is_number(), "{step}");
    }

    let all = format!(
        "bench compare mqtt://127.0.0.1:{port} {url} --runs 1 --count 100 --json --agents a,b"
    );
    Mqtt::new(all.split(' '))
        .status(2)
        .stderr("mqtt: of two brokers neither is the one that the agents talk over: name that by --control\n")
        .run();
    let all = format!("{all} --control {url}");
    let found = parse(&Mqtt::new(all.split(' ')).stdout_any().run());
    assert_eq!(found["first"]["runs"], 1, "{found:#}");
    assert_eq!(found["second"]["name"], url);

    // An agent that is gone is no load that is too much.
    let [first, second] = agents;
    let all = format!(
        "bench max --from 100 --duration 1h --slo p99<99s --agents 2 --agents-timeout 300ms --control {url} -h 127.0.0.1 -p {port}"
    );
    dismiss([second]);
    Mqtt::new(all.split(' '))
        .status(1)
        .stderr_like(|text| text.starts_with("mqtt: of 2 agents 1 answered within 300 ms at "))
        .run();
    dismiss([first]);
}

#[test]
fn several_brokers_and_what_only_mqtt_5_says_reach_the_agents() {
    let (control, target, agents) = two();
    let other = Mosquitto::start([]);
    let (url, ports) = (control.url(), [target.port(), other.port()]);
    let load = "--publishers 4 --subscribers 4 --count 100 --topic-alias";
    let words = [&at(&ports[0], load)[..], &["-p", &ports[1]]].concat();
    let found = report(&url, "2", &words, 0);
    assert_eq!(found["broker"]["version"], "5", "{found:#}");
    assert_eq!(found["delivery"]["received"], 100);
    for place in 0..2 {
        assert_eq!(found["brokers"][place]["connections"], 4, "{found:#}");
        assert_eq!(found["brokers"][place]["sent"], 50, "{found:#}");
    }
    let endpoint = found["broker"]["endpoint"].as_str().unwrap();
    for port in &ports {
        assert!(endpoint.contains(&**port), "{endpoint}");
    }
    dismiss(agents);
}

#[test]
fn an_agent_connects_its_clients_from_its_own_addresses() {
    let control = MqttServe::start([""; 0]);
    let url = control.url();
    let lone = agent(&url, "lone", &["--source", "127.0.0.2,127.0.0.3"]);
    let (broker, told) = doorman();
    let port = broker.rsplit(':').next().unwrap();
    let found = report(&url, "1", &at(port, "conn --clients 6"), 0);
    assert_eq!(found["connections"]["made"], 6);
    let from: Vec<String> = told.into_iter().take(6).map(|(from, _)| from).collect();
    for address in ["127.0.0.2", "127.0.0.3"] {
        let clients = from.iter().filter(|from| *from == address);
        assert_eq!(clients.count(), 3, "{from:?}");
    }
    let words = "no load comes from it with --agents: give each agent its own, as mqtt bench agent --source ADDRESS\n";
    coordinate(&url, "1", &at(port, "--source 127.0.0.1"))
        .status(2)
        .stderr(format!(
            "mqtt: --source has addresses of this machine, and {words}"
        ))
        .run();
    dismiss([lone]);
}
