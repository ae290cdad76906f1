//! `mqtt bench compare`: two brokers in turn, two files of saved runs, and its statistics against SciPy's.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::bench::{bench, json as parsed};
use crate::harness::Mqtt;
use crate::saved::save;
use crate::servers::{Mosquitto, MqttServe};

#[test]
fn two_brokers_are_measured_in_turn() {
    let (serve, mosquitto) = (MqttServe::start::<&str>([]), Mosquitto::start([]));
    let urls = [
        serve.url(),
        format!("mqtt://127.0.0.1:{}", mosquitto.port()),
    ];
    let load = [
        "--runs",
        "2",
        "--count",
        "300",
        "--rate",
        "2k",
        "--publishers",
        "2",
        "--subscribers",
        "2",
    ];
    let compare = |more: &'static [&str]| {
        let all = ["compare", &*urls[0], &*urls[1]].into_iter().chain(load);
        bench(all.chain(more.iter().copied())).stdout_any().run()
    };
    let found = parsed(&compare(&["--json"]));
    for (side, url) in [("first", &urls[0]), ("second", &urls[1])] {
        assert_eq!(found[side]["runs"], 2, "{found:#}");
        assert_eq!(found[side]["name"], **url);
        assert_eq!(found[side]["broken"], 0);
    }
    let names = [0, 1, 2].map(|place| &found["figures"][place]["name"]);
    assert_eq!(names, ["rate", "p50", "p99"]);
    assert_eq!(found["figures"][1]["first"].as_array().unwrap().len(), 2);
    assert_eq!(found["worse"], false, "two runs prove nothing");
    let shown = compare(&[]).stdout_text();
    assert!(shown.contains("too few runs"), "{shown}");
    assert!(shown.ends_with("NO DIFFERENCE FOUND\n"), "{shown}");
}

#[test]
fn saved_runs_are_compared_and_worse_is_status_8() {
    let folder = tempfile::tempdir().unwrap();
    let run = saved_run(folder.path());
    let us = |values: [u64; 5]| values.map(|us| with(&run, us as f64, 1000.0));
    let before = write(folder.path(), "before", &us([100, 101, 102, 103, 104]));
    let after = write(folder.path(), "after", &us([110, 111, 112, 113, 114]));
    let compare = |more: &'static [&str], status| {
        let all = ["bench", "compare", &*before, &*after]
            .into_iter()
            .chain(more.iter().copied());
        Mqtt::new(all)
            .status(status)
            .stdout_any()
            .run()
            .stdout_text()
    };
    let text = compare(&[], 8);
    assert!(text.contains("B IS WORSE  p50, p99\n"), "{text}");
    let text = compare(&["--tolerance", "20%"], 0);
    assert!(
        text.ends_with("NO DIFFERENCE FOUND beyond the 20 % that are tolerated\n"),
        "{text}"
    );
    let text = compare(&["--on", "rate"], 0);
    assert!(text.ends_with("NO DIFFERENCE FOUND\n"), "{text}");
}

#[test]
fn two_single_runs_are_compared_by_their_seconds() {
    let serve = MqttServe::start::<&str>([]);
    let folder = tempfile::tempdir().unwrap();
    let [one, two] = ["one", "two"].map(|name| folder.path().join(name));
    for path in [&one, &two] {
        save(&serve.port(), path, &["--duration", "1s", "--warmup", "0s"]);
    }
    let names = [&one, &two].map(|path| path.display().to_string());
    let text = Mqtt::new(["bench", "compare", &names[0], &names[1]])
        .stdout_any()
        .run()
        .stdout_text();
    assert!(
        text.contains("One run of each: their seconds stand for runs"),
        "{text}"
    );
}

#[test]
fn what_cannot_be_compared_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let run = saved_run(folder.path());
    let one = write(folder.path(), "one", std::slice::from_ref(&run));
    let mut other = run;
    other["plan"]["publish"][0]["qos"] = json!(2);
    let other = write(folder.path(), "other", &[other]);
    for (sides, status, words) in [
        ([&*one, "mqtt://127.0.0.1:1"], 2, "not one of each"),
        (
            [&*one, &*other],
            2,
            "runs of different plans cannot be compared: publish.0.qos is 1 in one and 2 in another",
        ),
        ([&*one, "nothing"], 1, "could not read nothing"),
    ] {
        Mqtt::new(["bench", "compare", sides[0], sides[1]])
            .status(status)
            .stderr_contains(words)
            .run();
    }
    Mqtt::new(["bench", "compare", "mqtt://a", "mqtt://b", "-h", "c"])
        .status(2)
        .stderr_contains("--host, --port, --url and --serve have no place")
        .run();
}

#[test]
fn the_statistics_are_those_of_scipy() {
    let folder = tempfile::tempdir().unwrap();
    let run = saved_run(folder.path());
    // Without equal values and with; few and many. Any numbers would do, these are the same every time.
    let mut state = 42_u64;
    let mut random = |most: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % most
    };
    for (n, m, most) in [
        (5, 5, 1_000_000),
        (20, 15, 1_000_000),
        (12, 10, 6),
        (60, 50, 1_000_000),
    ] {
        let mut side = |name, count, more| {
            let runs: Vec<Value> = (0..count)
                .map(|_| {
                    with(
                        &run,
                        (random(most) + more + 1) as f64,
                        random(most) as f64 + 1.0,
                    )
                })
                .collect();
            write(folder.path(), name, &runs)
        };
        let (first, second) = (side("first", n, 0), side("second", m, most / 5));
        let found = Mqtt::new([
            "bench",
            "compare",
            &first,
            &second,
            "--json",
            "--tolerance",
            "1000%",
        ])
        .stdout_any()
        .run();
        let said = scipy(&found.stdout);
        assert_eq!(said, "checked 3\n", "{n} and {m} of {most}");
    }
}

/// What the script says of a comparison.
fn scipy(comparison: &[u8]) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut script = Command::new(root.join("target/peers/python/bin/python"))
        .arg(root.join("tests/peers/compare_statistics.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("tests/setup installs SciPy");
    std::io::Write::write_all(&mut script.stdin.take().unwrap(), comparison).unwrap();
    let output = script.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

/// A run that was really made.
fn saved_run(folder: &Path) -> Value {
    let serve = MqttServe::start::<&str>([]);
    let path = folder.join("run");
    save(&serve.port(), &path, &["--count", "40"]);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// The same with another latency, in microseconds, and another rate.
fn with(run: &Value, us: f64, rate: f64) -> Value {
    let mut run = run.clone();
    run["latency_us"]["response"]["p50"] = json!(us as u64);
    run["latency_us"]["response"]["p99"] = json!(us as u64 * 2);
    run["rate_per_s"]["delivered"] = json!(rate);
    run
}

/// Writes runs one after the other; the name of the file.
fn write(folder: &Path, name: &str, runs: &[Value]) -> String {
    let path = folder.join(name);
    let text: String = runs.iter().map(Value::to_string).collect();
    fs::write(&path, text).unwrap();
    path.display().to_string()
}
