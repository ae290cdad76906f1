//! Saved runs of `mqtt bench`: written, shown again, merged.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::bench::{bench, json};
use crate::harness::Mqtt;
use crate::servers::MqttServe;

/// Runs a small load and saves it.
pub fn save(port: &str, path: &Path, more: &[&str]) {
    let file = format!("--json={}", path.display());
    let all = [
        "-h",
        "127.0.0.1",
        "-p",
        port,
        "--publishers",
        "2",
        "--subscribers",
        "2",
        "--rate",
        "2k",
        &file,
    ];
    bench(all.iter().chain(more).copied()).stdout_any().run();
}

#[test]
fn a_saved_run_is_shown_again_as_it_was_and_several_become_one() {
    let serve = MqttServe::start::<&str>([]);
    let folder = tempfile::tempdir().unwrap();
    let [one, two] = ["one.json", "two.json"].map(|name| folder.path().join(name));
    let file = format!("--json={}", one.display());
    let port = serve.port();
    let load = [
        "-h",
        "127.0.0.1",
        "-p",
        &port,
        "--count",
        "300",
        "--rate",
        "2k",
    ];
    let load = [
        &load[..],
        &["--publishers", "2", "--subscribers", "2", "--slo", "loss=0"],
    ]
    .concat();
    let shown = bench(load.iter().copied().chain([&*file]))
        .stdout_any()
        .run();
    let names = [&one, &two].map(|path| path.display().to_string());
    let again = Mqtt::new(["bench", "report", &names[0]]).stdout_any().run();
    assert_eq!(again.stdout_text(), shown.stdout_text());

    save(&port, &two, &["--count", "300"]);
    let merged = Mqtt::new(["bench", "report", "--json", &names[0], &names[1]]);
    let merged = json(&merged.stdout_any().run());
    assert_eq!(merged["messages"]["sent"], 600);
    assert_eq!(merged["latency_us"]["response"]["samples"], 600);
    assert_eq!(merged["parts"].as_array().unwrap().len(), 2);
    assert_eq!(merged["objectives"][0]["met"], true, "{merged:#}");

    // The same two in one file, and from a pipe; an objective that cannot be met.
    let both = fs::read_to_string(&one).unwrap() + &fs::read_to_string(&two).unwrap();
    let piped = Mqtt::new(["bench", "report", "-", "--slo", "max<0ms"])
        .stdin(both)
        .status(8)
        .stdout_any()
        .run();
    let text = piped.stdout_text();
    assert!(text.contains("2 runs merged"), "{text}");
    assert!(text.contains("OBJECTIVE MISSED  max<0ns: "), "{text}");
    assert!(
        text.lines()
            .any(|line| line.starts_with("response") && line.ends_with(" 600"))
    );
}

#[test]
fn what_is_no_saved_run_is_refused_in_words() {
    let serve = MqttServe::start::<&str>([]);
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("empty"), "").unwrap();
    fs::write(path("text"), "hello").unwrap();
    fs::write(path("other"), "{\"schema\": 99}").unwrap();
    fs::write(path("foreign"), "{\"a\": 1}").unwrap();
    let broken = |name: &str, words: &'static str| {
        let path = path(name).display().to_string();
        Mqtt::new(["bench", "report", &path])
            .status(1)
            .stderr_contains(words)
            .run();
    };
    broken("missing", "could not read ");
    broken("empty", "it is empty\n");
    broken("text", "expected value at line 1 column 1\n");
    broken("other", "its schema is 99, not 1\n");
    broken("foreign", "it has no \"schema\"\n");
    let [one, two] = ["one", "two"].map(path);
    save(&serve.port(), &one, &["--count", "20", "--size", "64"]);
    save(&serve.port(), &two, &["--count", "20", "--size", "65"]);
    let run = fs::read_to_string(&one).unwrap();
    let wrong = run.replacen("\"sent\": 20,", "\"sent\": 18446744073709551615,", 1);
    assert_ne!(wrong, run);
    fs::write(path("wrong"), wrong).unwrap();
    broken(
        "wrong",
        "18446744073709551615 is more than can be counted\n",
    );
    let names = [&one, &two].map(|path| path.display().to_string());
    Mqtt::new(["bench", "report", &names[0], &names[1]])
        .status(2)
        .stderr_contains(
            "runs of different plans cannot be merged: publish.0.size is 64 in one and 65 in another",
        )
        .run();
}

#[test]
fn the_document_names_every_field() {
    let serve = MqttServe::start::<&str>([]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.json");
    save(&serve.port(), &path, &["--count", "50"]);
    let report: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/bench-json.md");
    let document = fs::read_to_string(document).unwrap();
    for (name, value) in report.as_object().unwrap() {
        let row = format!("| `{name}` |");
        let row = document.lines().find(|line| line.starts_with(&row));
        let row = row.unwrap_or_else(|| panic!("{name} is not in the document"));
        // The plan is described where plans are, and histograms are named by their tags.
        if !["plan", "histograms"].contains(&&**name) {
            for key in keys(value) {
                assert!(row.contains(&format!("`{key}`")), "{key} is not in\n{row}");
            }
        }
    }
}

/// The names of an object, or of the first object of a list.
fn keys(value: &Value) -> Vec<String> {
    let object = value.get(0).unwrap_or(value).as_object();
    object.map_or_else(Vec::new, |object| object.keys().cloned().collect())
}
