//! `mqtt serve` with options from a file and from the environment.

use std::fs;

use mqtt_toolbox::mqtt::Version;
use tempfile::TempDir;

use crate::harness::Mqtt;
use crate::wire::Wire;

/// A folder with this `broker.toml` in it.
fn folder(file: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("broker.toml"), file).unwrap();
    folder
}

#[test]
fn a_flag_wins_over_the_environment_and_that_over_the_file() {
    let folder = folder("verbose = 1\nport = 70\njson = true\nmax-queued = 5\n");
    Mqtt::new([
        "serve",
        "--config",
        "broker.toml",
        "--print-config",
        "-p",
        "0",
    ])
    .directory(&folder)
    .env("MQTT_SERVE_PORT", "71")
    .env("MQTT_SERVE_MAX_QUEUED", "6")
    .stdout_like(|text| {
        [
            "port = 0 # flag",
            "max-queued = 6 # MQTT_SERVE_MAX_QUEUED",
            "json = true # broker.toml line 3",
            "verbose = 1 # broker.toml line 1",
            "host = \"127.0.0.1\" # default",
            "# workers = N # not set",
        ]
        .iter()
        .all(|wanted| text.lines().any(|line| line == *wanted))
    })
    .run();
}

#[test]
fn the_broker_does_what_the_file_and_the_environment_say() {
    let folder = folder("port = 0\nverbose = 1\nready-file = \"ready\"\n");
    let mut broker = Mqtt::new(["serve"])
        .directory(&folder)
        .env("MQTT_SERVE_CONFIG", "broker.toml")
        .env("MQTT_SERVE_JSON", "true")
        .start();
    let line = broker.wait_for_stdout(|_| true);
    let event: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert!(folder.path().join("ready").exists());
    let port = u16::try_from(event["port"].as_u64().unwrap()).unwrap();
    Wire::session(port, Version::V5, "someone");
    broker.wait_for_stderr(|line| line.contains("someone"));
}

#[test]
fn what_is_printed_can_be_given_back() {
    let folder = folder("sys-interval = \"1m 30s\"\ntrace-client = [\"a\", \"b\"]\n");
    let before = Mqtt::new([
        "serve",
        "--print-config",
        "--config",
        "broker.toml",
        "--trace=json",
        "-vv",
    ])
    .directory(&folder)
    .stdout_any()
    .run()
    .stdout_text();
    fs::write(folder.path().join("again.toml"), &before).unwrap();
    let after = Mqtt::new(["serve", "--print-config", "--config", "again.toml"])
        .directory(&folder)
        .stdout_any()
        .run()
        .stdout_text();
    let values = |text: &str| -> Vec<String> {
        let value = |line: &str| line.rsplit_once(" # ").unwrap().0.to_owned();
        text.lines().map(value).collect()
    };
    assert_eq!(values(&before), values(&after));
    let verbose = after
        .lines()
        .position(|line| line.starts_with("verbose = 2 # again.toml line "));
    let line = verbose.unwrap() + 1;
    assert!(
        after.contains(&format!("verbose = 2 # again.toml line {line}\n")),
        "{after}"
    );
}

#[test]
fn a_reader_who_leaves_ends_the_printing_quietly() {
    Mqtt::shell("mqtt serve --print-config | true").run();
}

#[test]
fn what_is_wrong_with_the_file_is_status_1_and_one_line() {
    for (file, words) in [
        (
            "# mine\nprot = 1\n",
            "line 2: unknown key \"prot\", did you mean port? (`mqtt serve --help` lists the options)",
        ),
        (
            "port = \"1883\"\n",
            "line 1: port: a whole number is wanted, and this is a string",
        ),
        (
            "json = true\nport = 70000\n",
            "line 2: port: 70000 is not in 0..=65535",
        ),
        (
            "port = 1\nport = 2\n",
            "line 2: this is not TOML: duplicate key",
        ),
        (
            "\ntrace-topic = [\"a\"]\n",
            "line 2: trace-topic: the following required arguments were not provided: --trace[=<FORMAT>]",
        ),
    ] {
        let folder = folder(file);
        Mqtt::new(["serve", "-p", "0", "--config", "broker.toml"])
            .directory(&folder)
            .status(1)
            .stderr(format!("mqtt: broker.toml {words}\n"))
            .run();
    }
}

#[test]
fn a_file_that_is_not_there_is_named_with_who_named_it() {
    let words = |source| {
        format!(
            "mqtt: cannot read /nonexistent/broker.toml ({source}): No such file or directory (os error 2)\n"
        )
    };
    Mqtt::new(["serve", "--config", "/nonexistent/broker.toml"])
        .status(1)
        .stderr(words("--config"))
        .run();
    Mqtt::new(["serve"])
        .env("MQTT_SERVE_CONFIG", "/nonexistent/broker.toml")
        .status(1)
        .stderr(words("MQTT_SERVE_CONFIG"))
        .run();
}

#[test]
fn what_is_wrong_with_a_variable_is_status_2_and_named() {
    for (name, value, words) in [
        ("MQTT_SERVE_PORT", "70000", "70000 is not in 0..=65535"),
        (
            "MQTT_SERVE_LOG_FORMAT",
            "xml",
            "possible values: text, json",
        ),
        (
            "MQTT_SERVE_PROT",
            "1",
            "unknown variable, did you mean MQTT_SERVE_PORT? (`mqtt serve --help` lists the options)",
        ),
    ] {
        Mqtt::new(["serve"])
            .env(name, value)
            .status(2)
            .stderr(format!("mqtt: {name}: {words}\n"))
            .run();
    }
}

#[test]
fn help_is_given_whatever_the_environment_says() {
    Mqtt::new(["serve", "--help", "--config", "/nonexistent"])
        .env("MQTT_SERVE_PORT", "x")
        .stdout_contains("MQTT_SERVE_*")
        .run();
}
