//! `mqtt bench --agents` and `mqtt bench agent`: one run from several machines, here several processes.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::scripted::{Deed, Scripted};
use super::{WARNING, json as parse};
use crate::harness::{Finished, Mqtt, Running};
use crate::servers::{Mosquitto, MqttServe};

/// An agent that waits at this broker.
fn agent(control: &str, name: &str, more: &[&str]) -> Running {
    let arguments = ["bench", "agent", "--url", control, "--name", name];
    let mut agent = Mqtt::new(arguments.iter().chain(more)).start();
    agent.wait_for_stderr(|line| line.contains(&format!("agent {name} waits at ")));
    agent
}

/// A run with agents over this broker.
fn coordinate<'a>(control: &'a str, agents: &'a str, arguments: &[&'a str]) -> Mqtt {
    let first = ["bench", "--control", control, "--agents", agents];
    Mqtt::new(first.iter().chain(arguments))
}

fn report(control: &str, agents: &str, arguments: &[&str], status: i32) -> Value {
    let arguments = [arguments, &["--json"]].concat();
    let run = coordinate(control, agents, &arguments);
    parse(&run.status(status).stdout_any().run())
}

/// Ends agents as a signal does, and expects no complaint.
fn dismiss(agents: impl IntoIterator<Item = Running>) -> Vec<Finished> {
    let finished = agents.into_iter().map(|mut agent| agent.stop("TERM"));
    let finished: Vec<Finished> = finished.collect();
    for finished in &finished {
        assert_eq!(finished.status, 0, "{finished:?}");
        assert!(finished.stdout.is_empty(), "{finished:?}");
    }
    finished
}

#[test]
fn two_agents_make_one_report_and_say_what_they_do() {
    let (control, target) = (MqttServe::start([""; 0]), Mosquitto::start([]));
    let url = control.url();
    let agents = [agent(&url, "north", &[]), agent(&url, "south", &[])];
    let port = target.port();
    let load = [
        "-h",
        "127.0.0.1",
        "-p",
        &port,
        "--publishers",
        "4",
        "--subscribers",
        "4",
        "--rate",
        "400",
        "--duration",
        "1s",
    ];
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
        let words: Vec<&str> = line
            .split(' ')
            .chain(["-h", "127.0.0.1", "-p", &port])
            .collect();
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
fn parcels_are_as_small_as_the_control_broker_wants_them() {
    let control = Mosquitto::start(["max_packet_size 2000"]);
    let target = MqttServe::start([""; 0]);
    let url = control.url();
    let agents = [
        agent(&url, "a", &["-V", "5"]),
        agent(&url, "b", &["-V", "5"]),
    ];
    let port = target.port();
    let load = [
        "-V",
        "5",
        "-h",
        "127.0.0.1",
        "-p",
        &port,
        "--count",
        "2000",
        "-q",
        "0",
    ];
    let found = report(&url, "2", &load, 0);
    assert_eq!(found["broker"]["version"], "5");
    assert_eq!(found["delivery"]["received"], 2000, "{found:#}");
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
fn an_agent_that_is_cut_off_ends_the_run_and_the_other_waits_for_the_next() {
    let (control, target) = (MqttServe::start([""; 0]), MqttServe::start([""; 0]));
    let url = control.url();
    let (mut one, mut other) = (agent(&url, "one", &[]), agent(&url, "other", &[]));
    let port = target.port();
    let load = [
        "-h",
        "127.0.0.1",
        "-p",
        &port,
        "--rate",
        "100",
        "--duration",
        "1h",
    ];
    let mut run = coordinate(&url, "one,other", &[&load[..], &["-v"]].concat()).start();
    run.wait_for_stderr(|line| line.contains("everyone connected"));
    one.kill();
    let finished = run.wait();
    assert_eq!(finished.status, 7, "{finished:?}");
    assert!(finished.stdout.is_empty());
    let last = finished.stderr.lines().last().unwrap();
    assert!(
        last.starts_with("mqtt: agent one on ")
            && last.ends_with(" is gone; the run was ended on all machines"),
        "{last}"
    );
    let again = ["-h", "127.0.0.1", "-p", &port, "--count", "100"];
    let found = report(&url, "other", &again, 0);
    assert_eq!(found["delivery"]["received"], 100);
    other.wait_for_stderr(|line| line.ends_with(" is over"));
    dismiss([other]);
}

#[test]
fn an_agent_that_is_silent_is_given_up() {
    let (control, target) = (MqttServe::start([""; 0]), MqttServe::start([""; 0]));
    let url = control.url();
    let mut mute = agent(&url, "mute", &[]);
    let port = target.port();
    let load = [
        "-h",
        "127.0.0.1",
        "-p",
        &port,
        "--rate",
        "10",
        "--duration",
        "1h",
        "-v",
    ];
    let mut run = coordinate(&url, "mute", &load).start();
    run.wait_for_stderr(|line| line.contains("everyone connected"));
    mute.signal("STOP");
    let finished = run.wait();
    assert_eq!(finished.status, 7, "{finished:?}");
    let last = finished.stderr.lines().last().unwrap();
    let end = " has not been heard of for 10 s; the run was ended on all machines";
    assert!(
        last.starts_with("mqtt: agent mute on ") && last.ends_with(end),
        "{last}"
    );
    mute.kill();
}

/// How late what comes from the server is at the client.
const LATE: Duration = Duration::from_millis(40);

/// A way to a server that is quick there and slow back.
fn slow_back(server: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let relay = |mut from: TcpStream, mut to: TcpStream, late: Duration| {
        std::thread::spawn(move || {
            let mut buffer = [0; 65_536];
            while let Ok(count @ 1..) = from.read(&mut buffer) {
                let until = Instant::now() + late;
                while Instant::now() < until {
                    std::thread::park_timeout(until.saturating_duration_since(Instant::now()));
                }
                if to.write_all(&buffer[..count]).is_err() {
                    return;
                }
            }
            let _ = to.shutdown(Shutdown::Both);
        });
    };
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let upstream = TcpStream::connect(&server).unwrap();
            relay(
                client.try_clone().unwrap(),
                upstream.try_clone().unwrap(),
                Duration::ZERO,
            );
            relay(upstream, client, LATE);
        }
    });
    address
}

#[test]
fn a_way_that_is_slower_back_than_there_does_not_deceive_the_clocks() {
    let (control, target) = (MqttServe::start([""; 0]), MqttServe::start([""; 0]));
    let url = control.url();
    let slow = format!(
        "mqtt://{}",
        slow_back(format!("127.0.0.1:{}", control.port()))
    );
    let agents = [agent(&slow, "far", &[]), agent(&url, "near", &[])];
    let port = target.port();
    let load = [
        "-h",
        "127.0.0.1",
        "-p",
        &port,
        "--spread",
        "apart",
        "--rate",
        "500",
        "--duration",
        "1s",
    ];
    let found = report(&url, "far,near", &load, 0);
    for machine in found["machines"].as_array().unwrap() {
        // All clocks are this machine's, and none is ahead.
        for clock in ["clock", "clock_after"] {
            let ahead = machine[clock]["ahead_ns"].as_i64().unwrap();
            let uncertainty = machine[clock]["uncertainty_ns"].as_i64().unwrap();
            assert!(ahead.abs() <= uncertainty, "{machine}");
            let least = if machine["name"] == "far" {
                LATE.as_nanos() as i64 / 2
            } else {
                0
            };
            assert!(uncertainty >= least, "{machine}");
        }
    }
    assert_eq!(found["clocks"]["between_machines"], 10);
    assert!(
        found["clocks"]["uncertainty_us"].as_u64().unwrap() >= 20_000,
        "{found:#}"
    );
    assert_eq!(found["delivery"]["received"], found["delivery"]["expected"]);
    dismiss(agents);
}

#[test]
fn agents_give_a_run_up_whose_coordinator_is_gone() {
    let (control, target) = (MqttServe::start([""; 0]), MqttServe::start([""; 0]));
    let url = control.url();
    let mut lone = agent(&url, "lone", &[]);
    let port = target.port();
    let load = [
        "-h",
        "127.0.0.1",
        "-p",
        &port,
        "--duration",
        "1h",
        "--rate",
        "10",
        "-v",
    ];
    let mut run = coordinate(&url, "1", &load).start();
    run.wait_for_stderr(|line| line.contains("everyone connected"));
    run.kill();
    lone.wait_for_stderr(|line| line.ends_with(" is given up: its coordinator is gone"));
    let found = report(
        &url,
        "1",
        &["-h", "127.0.0.1", "-p", &port, "--count", "100"],
        0,
    );
    assert_eq!(found["delivery"]["received"], 100);
    dismiss([lone]);
}

#[test]
fn the_first_signal_ends_the_run_everywhere_and_the_report_is_printed() {
    let (control, target) = (MqttServe::start([""; 0]), MqttServe::start([""; 0]));
    let url = control.url();
    let agents = [agent(&url, "a", &[]), agent(&url, "b", &[])];
    let port = target.port();
    let load = [
        "-h",
        "127.0.0.1",
        "-p",
        &port,
        "--rate",
        "500",
        "--duration",
        "1h",
        "--warmup",
        "0s",
        "-v",
    ];
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

#[test]
fn too_few_agents_are_told_with_those_that_are_there() {
    let control = MqttServe::start([""; 0]);
    let url = control.url();
    let lone = agent(&url, "lone", &["--group", "lab"]);
    let run = |agents, more: &[&str], words: String| {
        let more = [&["--agents-timeout", "300ms"], more].concat();
        let end = "start one on each machine with `mqtt bench agent`, connected to this broker\n";
        let words = format!("mqtt: {words}; {end}");
        coordinate(&url, agents, &more)
            .status(1)
            .stderr(words)
            .run();
    };
    let at = format!("at {url} under mqtt-bench");
    run(
        "2",
        &[],
        format!("of 2 agents 1 answered within 300 ms {at}: free are lone"),
    );
    run(
        "lone,b",
        &[],
        format!("no answer within 300 ms {at} from the agents b: free are lone"),
    );
    run(
        "1",
        &["--agents-group", "field"],
        format!(
            "of 1 agents of group field 0 answered within 300 ms {at}: lone is of another group"
        ),
    );
    run(
        "1",
        &["--control-topic", "elsewhere"],
        format!("of 1 agents 0 answered within 300 ms at {url} under elsewhere"),
    );
    // An agent of a later release.
    let card = "5 1/1\n{\"agent\":\"here\",\"protocol\":9,\"version\":\"7.0.0\",\"what\":1}";
    Mqtt::new([
        "pub",
        "--url",
        &url,
        "-r",
        "-t",
        "mqtt-bench/agents/new",
        "-m",
        card,
    ])
    .run();
    let version = env!("CARGO_PKG_VERSION");
    let foreign = format!(
        "new speaks version 9 of the control protocol (mqtt 7.0.0), this program version 1 (mqtt {version}): use the same release"
    );
    run(
        "2",
        &[],
        format!("of 2 agents 1 answered within 300 ms {at}: free are lone; {foreign}"),
    );
    coordinate(&url, "lone,new", &[])
        .status(1)
        .stderr(format!("mqtt: agent {foreign}\n"))
        .run();
    dismiss([lone]);
}

#[test]
fn what_an_agent_does_not_do_it_refuses_in_words() {
    let control = MqttServe::start([""; 0]);
    let url = control.url();
    let careful = agent(&url, "careful", &["--only", "broker.example,10.0.0.1"]);
    coordinate(&url, "careful", &["-h", "127.0.0.1"])
        .status(5)
        .stderr("mqtt: agent careful: this agent puts no load on \"127.0.0.1\", only on broker.example, 10.0.0.1 (--only)\n")
        .run();
    // What a coordinator that is none of ours might say.
    let prepare = |protocol: u8, plan: &str| {
        let target = json!({"brokers": ["mqtt://broker.example"], "version": "5", "keep_alive": 60, "connect_timeout_ms": 100});
        let place = json!({"machine": 0, "machines": 1, "spread": "together"});
        json!({
            "run": "00000001", "order": "prepare", "protocol": protocol, "coordinator": "x", "plan": plan, "place": place,
            "target": target,
        })
    };
    let version = env!("CARGO_PKG_VERSION");
    for (id, order, words) in [
        (
            1,
            prepare(1, "clients = 1\nstop = { count = 1 }"),
            "the plan is refused: line 1: unknown field `clients`".to_owned(),
        ),
        (
            2,
            prepare(
                1,
                "run = \"00000001\"\nstop = { count = 1 }\n[[publish]]\ntopic = \"a\"\nsize = 3",
            ),
            "the plan is refused: ".to_owned(),
        ),
        (
            5,
            prepare(
                1,
                "run = \"00000001\"\nstop = { count = 1 }\n[[publish]]\ntopic = \"a\"\npayload = { file = \"/etc/passwd\" }",
            ),
            "the plan is refused: it names files, and an agent reads none".to_owned(),
        ),
        (
            6,
            prepare(
                1,
                "run = \"00000001\"\nstop = { count = 1 }\n[[publish]]\ntopic = \"a\"\npayload = { text = \"{{env HOME}}\", template = true }",
            ),
            "the payload: {{env HOME}}: the variable HOME is not set".to_owned(),
        ),
        (
            3,
            prepare(9, ""),
            format!(
                "the coordinator speaks version 9 of the control protocol, this agent version 1 (mqtt {version}); use the same release"
            ),
        ),
        (
            4,
            json!({"run": "00000001", "order": "close"}),
            "agent careful knows nothing of run 00000001".to_owned(),
        ),
    ] {
        let parcel = format!("{id} 1/1\n{order}");
        let ask = [
            "req",
            "--url",
            &url,
            "-t",
            "mqtt-bench/to/careful",
            "-e",
            "mqtt-bench/from/00000001/careful",
            "-m",
            &parcel,
        ];
        let answer = Mqtt::new(ask).stdout_any().run().stdout_text();
        let (_, answer) = answer.split_once('\n').unwrap();
        let answer: Value = serde_json::from_str(answer).unwrap();
        assert_eq!(answer["answer"], "failed");
        let found = answer["words"].as_str().unwrap();
        assert!(found.starts_with(&words), "{found}");
    }
    // What makes no sense at all does no harm.
    for (topic, words) in [
        ("to/careful", "dance"),
        ("to/careful", "7 1/1\n{}"),
        ("call", "8 1/1\n[]"),
    ] {
        Mqtt::new([
            "pub",
            "--url",
            &url,
            "-t",
            &format!("mqtt-bench/{topic}"),
            "-m",
            words,
        ])
        .run();
    }
    let target = MqttServe::start([""; 0]);
    let port = target.port();
    let finished = dismiss([careful]).swap_remove(0);
    for words in [
        "mqtt: run 00000001: the plan is refused: ",
        "mqtt: on mqtt-bench/to/careful came no parcel: it does not begin with ID PART/PARTS\n",
        "mqtt: on mqtt-bench/to/careful came what is no order: missing field `run`",
    ] {
        assert!(
            finished.stderr.contains(words),
            "{words:?} is not in\n{}",
            finished.stderr
        );
    }
    // A run that cannot connect has the status of that.
    let plain = agent(&url, "plain", &[]);
    drop(target);
    coordinate(&url, "plain", &["-h", "127.0.0.1", "-p", &port])
        .status(3)
        .stderr_like(|text| {
            text.starts_with("mqtt: agent plain: ") && text.contains("cannot connect to")
        })
        .run();
    dismiss([plain]);
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
fn what_makes_no_sense_with_agents_is_a_usage_error() {
    let control = MqttServe::start([""; 0]);
    let url = control.url();
    let agents = [agent(&url, "a", &[]), agent(&url, "b", &[])];
    for (arguments, words) in [
        (&["--agents", "0"][..], "it takes at least one agent"),
        (
            &["--agents", "a,b/c"],
            "a name has none of / + # and the comma",
        ),
        (&["--agents", "a,a"], "a is named twice"),
        (
            &["--control", "mqtt://h"],
            "required arguments were not provided",
        ),
        (&["--agents", "2", "--serve"], "cannot be used with"),
        (&["--agents", "2", "--hlog", "x"], "cannot be used with"),
        (&["--agents", "2", "--control", "h"], "--control: no scheme"),
        (
            &["--agents", "2", "--control-topic", "a/#"],
            "it is a topic, without + and #",
        ),
        (
            &["--agents", "2", "-A", "127.0.0.1"],
            "--bind is of this machine, and has no place with --agents",
        ),
        (
            &[
                "--agents",
                "a,b",
                "--control",
                &url,
                "--publishers",
                "1",
                "--subscribers",
                "1",
            ],
            "agent b has nothing to do: 1 publishers, 1 subscribers and 0 other clients on 2 machines; use fewer agents, more \
             clients, or another --spread",
        ),
    ] {
        let words = words.to_owned();
        Mqtt::new(["bench"].iter().chain(arguments))
            .status(2)
            .stderr_like(move |text| text.contains(&words))
            .run();
    }
    dismiss(agents);
}
