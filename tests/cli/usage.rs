//! The command line itself: help, version, and what is wrong with what was typed.

use crate::harness::Mqtt;
use crate::servers::{Mosquitto, free_port};

const COMMANDS: [&str; 4] = ["serve", "pub", "sub", "bench"];

#[test]
fn the_version_is_one_line_on_stdout() {
    let version = format!("mqtt {}\n", env!("CARGO_PKG_VERSION"));
    Mqtt::new(["--version"]).stdout(version.clone()).run();
    Mqtt::new(["-V"]).stdout(version).run();
}

#[test]
fn help_lists_every_command_on_stdout() {
    let help = Mqtt::new(["--help"]).stdout_any().run().stdout_text();
    for command in COMMANDS {
        let listed = help
            .lines()
            .any(|line| line.trim_start().starts_with(&format!("{command} ")));
        assert!(listed, "{command} is missing in\n{help}");
    }
}

#[test]
fn every_command_explains_itself() {
    for command in COMMANDS {
        let help = Mqtt::new([command, "--help"])
            .stdout_any()
            .run()
            .stdout_text();
        assert!(help.contains(&format!("Usage: mqtt {command}")), "{help}");
    }
}

#[test]
fn no_command_is_a_usage_error_that_shows_the_commands() {
    let stderr = Mqtt::new([""; 0]).status(2).stderr_any().run().stderr;
    for command in COMMANDS {
        assert!(
            stderr.contains(command),
            "{command} is missing in\n{stderr}"
        );
    }
}

#[test]
fn an_unknown_command_names_the_one_that_was_meant() {
    Mqtt::new(["serv"])
        .status(2)
        .stderr_like(|text| text.contains("'serv'") && text.contains("'serve'"))
        .run();
}

#[test]
fn an_unknown_option_is_a_usage_error() {
    for command in COMMANDS {
        Mqtt::new([command, "--colour-of-the-broker"])
            .status(2)
            .stderr_contains("--colour-of-the-broker")
            .run();
    }
}

#[test]
fn mosquitto_is_there_for_the_tests_that_need_it() {
    let mut broker = Mosquitto::start([]);
    let topic = "$SYS/broker/version";
    Mqtt::program(
        "mosquitto_sub",
        ["-p", &broker.port(), "-t", topic, "-C", "1"],
    )
    .stdout_contains("mosquitto version")
    .run();
    assert!(broker.process.is_running());
}

#[test]
fn what_is_wrong_with_a_command_line_is_said() {
    let publish = |more: &[&'static str]| [&["pub", "-t", "a", "-m", "x"], more].concat();
    for (typed, words) in [
        (vec!["pub", "-t", "a"], "--stdin-line"),
        (vec!["pub", "-m", "x"], "no topic; add --topic"),
        (
            vec!["pub", "-t", "a/#", "-m", "x"],
            "\"a/#\" is no topic to publish to",
        ),
        (vec!["pub", "-t", "", "-m", "x"], "the topic is empty"),
        (vec!["serve", "-p", "70000"], "70000 is not in 0..=65535"),
        (vec!["serve", "extra"], "unexpected argument 'extra'"),
        (publish(&["-n"]), "cannot be used with '--null-message'"),
        (publish(&["-q", "3"]), "3 is not in 0..=2"),
        (publish(&["-p", "0"]), "0 is not in 1..=65535"),
        (publish(&["-k", "3"]), "0 or between 5 and 65535"),
        (publish(&["-V", "6"]), "possible values: 31, 311, 5"),
        (publish(&["-c"]), "add --id"),
        (
            publish(&["-L", "mqtt://a", "-h", "b"]),
            "cannot be used with '--host",
        ),
        (
            publish(&["-L", "nonsense"]),
            "a broker URL looks like mqtt://HOST",
        ),
        (publish(&["-P", "secret"]), "add --username"),
        (publish(&["--will-payload", "x"]), "--will-topic"),
        (
            publish(&["--will-topic", "a/+"]),
            "\"a/+\" is no topic for a will",
        ),
        (
            publish(&["--connect-timeout", "soon"]),
            "write for example 500ms",
        ),
    ] {
        Mqtt::new(&typed)
            .status(2)
            .stderr_like(move |text| text.contains(words))
            .run();
    }
}

#[test]
fn a_broker_that_is_not_there_is_status_3_and_one_line() {
    let port = free_port();
    Mqtt::new([
        "pub",
        "-h",
        "127.0.0.1",
        "-p",
        &port.to_string(),
        "-t",
        "a",
        "-m",
        "x",
    ])
    .status(3)
    .stderr(format!(
        "mqtt: cannot connect to mqtt://127.0.0.1:{port}: connection refused; \
             is a broker running there? `mqtt serve` starts one\n"
    ))
    .run();
}

#[test]
fn a_file_that_is_not_there_is_status_1_and_named() {
    Mqtt::new(["pub", "-t", "a", "-f", "/nonexistent/payload"])
        .status(1)
        .stderr_contains("cannot open /nonexistent/payload: No such file")
        .run();
}
