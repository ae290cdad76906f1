//! The command line itself: help, version, and what is wrong with what was typed.

use crate::harness::Mqtt;
use crate::servers::Mosquitto;

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
