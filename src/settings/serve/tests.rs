//! Layering, and the words for what is wrong.

use std::fs;
use std::time::Duration;
use toml::de::DeTable;

use super::*;
use crate::cli::serve::{LogFormat, ServeArgs};
use crate::exit::{self, Exit};
use crate::settings::{Setting, parse};

/// What `mqtt serve` understands when this is typed, and this stands in the environment and in the file.
fn serve(
    typed: &[&str],
    environment: &[(&str, &str)],
    file: Option<&str>,
) -> anyhow::Result<ServeArgs> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("broker.toml");
    let mut words: Vec<OsString> = ["mqtt", "serve"].map(OsString::from).into();
    words.extend(typed.iter().map(OsString::from));
    if let Some(file) = file {
        fs::write(&path, file).unwrap();
        words.extend(["--config".into(), path.into_os_string()]);
    }
    let environment = environment.iter();
    let environment = environment.map(|(name, value)| (name.into(), value.into()));
    match parse(words, environment)?.command {
        Command::Serve(args) => Ok(*args),
        other => panic!("{other:?}"),
    }
}

/// The status and the words of an error, without the folder of the file.
#[track_caller]
fn wrong(outcome: anyhow::Result<ServeArgs>) -> (Exit, String) {
    let error = outcome.unwrap_err();
    let text = format!("{error:#}");
    let place = text.find("broker.toml").unwrap_or(0);
    (exit::of(&error), text[place..].to_owned())
}

#[test]
fn the_first_that_speaks_wins() {
    let environment = [("MQTT_SERVE_PORT", "2")];
    let file = Some("port = 3\nhost = \"::1\"");
    let port = |typed: &[&str], environment, file| {
        let args = serve(typed, environment, file).unwrap();
        (args.port, args.host)
    };
    let here = "127.0.0.1".to_owned();
    let there = "::1".to_owned();
    assert_eq!(port(&["-p", "1"], &environment, file), (1, there.clone()));
    assert_eq!(port(&[], &environment, file), (2, there.clone()));
    assert_eq!(port(&[], &[], file), (3, there));
    assert_eq!(port(&[], &[], None), (1883, here));
}

#[test]
fn every_type_of_the_file_becomes_what_would_have_been_typed() {
    let args = serve(
        &[],
        &[],
        Some(
            "max-packet-size = 0x1_000\nsys-interval = 2.5\nverbose = 2\njson = true\nqueue-qos0 = false\n\
             log-format = 'json'\ntrace = true\ntrace-client = ['a', '-b', 'c\"d,e']\ntrace-topic = 'x/#'\n",
        ),
    )
    .unwrap();
    assert_eq!(args.max_packet_size, 4096);
    assert_eq!(args.sys_interval, Duration::from_millis(2500));
    assert_eq!((args.verbose, args.json, args.queue_qos0), (2, true, false));
    assert_eq!(args.log_format, LogFormat::Json);
    assert!(args.trace.is_some());
    assert_eq!(args.trace_client, ["a", "-b", "c\"d,e"]);
    assert_eq!(args.trace_topic, ["x/#"]);
}

#[test]
fn lists_and_counts_replace_each_other_and_do_not_add_up() {
    let file = Some("trace = 'text'\ntrace-client = ['a', 'b']\nverbose = 2");
    let args = serve(&["--trace-client", "c", "-v"], &[], file).unwrap();
    assert_eq!((args.trace_client, args.verbose), (vec!["c".to_owned()], 1));
}

#[test]
fn a_variable_switches_off_what_the_file_switches_on() {
    let environment = [("MQTT_SERVE_JSON", "false"), ("MQTT_SERVE_TRACE", "0")];
    let args = serve(&[], &environment, Some("json = true\ntrace = 'json'")).unwrap();
    assert!(!args.json);
    assert!(args.trace.is_none());
}

#[test]
fn an_empty_variable_is_not_set() {
    let args = serve(&[], &[("MQTT_SERVE_PORT", "")], Some("port = 3")).unwrap();
    assert_eq!(args.port, 3);
}

#[test]
fn what_an_option_needs_may_come_from_elsewhere() {
    let trace = ("MQTT_SERVE_TRACE", "text");
    let client = ("MQTT_SERVE_TRACE_CLIENT", "a");
    for (typed, environment, file) in [
        (&["--trace"][..], &[client][..], None),
        (&["--trace-client", "a"], &[trace], None),
        (&["--trace-client", "a"], &[], Some("trace = true")),
        (&["--trace"], &[], Some("trace-client = 'a'")),
        (&[], &[trace], Some("trace-client = 'a'")),
    ] {
        let args = serve(typed, environment, file).unwrap();
        assert_eq!(args.trace_client, ["a"]);
    }
    let missing = "the following required arguments were not provided: --trace[=<FORMAT>]";
    assert_eq!(
        wrong(serve(&[], &[], Some("port = 1\ntrace-client = 'a'"))),
        (
            Exit::Failed,
            format!("broker.toml line 2: trace-client: {missing}")
        )
    );
    assert_eq!(
        wrong(serve(&[], &[client], Some("trace = false"))),
        (Exit::Usage, format!("MQTT_SERVE_TRACE_CLIENT: {missing}"))
    );
    let (exit, words) = wrong(serve(&["--trace-client", "a"], &[], Some("port = 1")));
    assert_eq!(exit, Exit::Usage);
    assert!(
        words.starts_with("error: the following required"),
        "{words}"
    );
}

#[test]
fn a_fault_in_the_file_is_told_with_its_line() {
    let list = "(`mqtt serve --help` lists the options)";
    for (file, words) in [
        (
            "\nprot = 1",
            &*format!("2: unknown key \"prot\", did you mean port? {list}"),
        ),
        (
            "max_queued = 1",
            &*format!("1: unknown key \"max_queued\", did you mean max-queued? {list}"),
        ),
        ("[serve]", &*format!("1: unknown key \"serve\" {list}")),
        ("help = true", &*format!("1: unknown key \"help\" {list}")),
        (
            "config = 'a'",
            &*format!("1: unknown key \"config\" {list}"),
        ),
        ("'\\n' = 'a'", &*format!("1: unknown key \"\\\\n\" {list}")),
        ("'' = 'a'", &*format!("1: unknown key \"\" {list}")),
        (
            "port = '1'",
            "1: port: a whole number is wanted, and this is a string",
        ),
        (
            "port = 1.0",
            "1: port: a whole number is wanted, and this is a number with a fraction",
        ),
        ("port = 70000", "1: port: 70000 is not in 0..=65535"),
        (
            "port = [1]",
            "1: port: a whole number is wanted, and this is a list",
        ),
        (
            "host = 5",
            "1: host: a string is wanted, and this is a whole number",
        ),
        (
            "trace-client = ['a', 5]",
            "1: trace-client: a string is wanted, and this is a whole number",
        ),
        (
            "json = 1",
            "1: json: true or false is wanted, and this is a whole number",
        ),
        (
            "verbose = 256",
            "1: verbose: a number from 0 to 255 is wanted",
        ),
        (
            "log-format = 'xml'",
            "1: log-format: possible values: text, json",
        ),
        (
            "sys-interval = -1",
            "1: sys-interval: -1 is out of range, 0 to 100 years",
        ),
        (
            "port = 1\nhost = 'a\n",
            "2: this is not TOML: invalid literal string, expected `'`",
        ),
        ("port = 1\n\nport = 2", "3: this is not TOML: duplicate key"),
    ] {
        let told = wrong(serve(&[], &[], Some(file)));
        assert_eq!(
            told,
            (Exit::Failed, format!("broker.toml line {words}")),
            "{file}"
        );
    }
}

#[test]
fn a_fault_in_the_environment_names_the_variable() {
    let list = "(`mqtt serve --help` lists the options)";
    for (name, value, words) in [
        ("PORT", "x", "invalid digit found in string"),
        ("JSON", "perhaps", "true or false is wanted"),
        ("VERBOSE", "-1", "a number from 0 to 255 is wanted"),
        (
            "PROT",
            "1",
            &*format!("unknown variable, did you mean MQTT_SERVE_PORT? {list}"),
        ),
        (
            "port",
            "1",
            &*format!("unknown variable, did you mean MQTT_SERVE_PORT? {list}"),
        ),
    ] {
        let name = format!("{PREFIX}{name}");
        let told = wrong(serve(&[], &[(&name, value)], None));
        assert_eq!(told, (Exit::Usage, format!("{name}: {words}")));
    }
}

#[test]
fn only_serve_listens_to_the_environment() {
    let words = ["mqtt", "pub", "-t", "a", "-m", "b"].map(OsString::from);
    let environment = [("MQTT_SERVE_NONSENSE".into(), "1".into())];
    assert!(parse(words, environment).is_ok());
}

#[test]
fn every_setting_is_shown_with_its_origin_and_can_be_read_again() {
    let typed = [
        "--print-config",
        "--trace",
        "--trace-client=a \"b\" \\ \n\u{7f}",
        "--trace-client=温",
        "-p007",
        "--max-queued=18446744073709551615",
    ];
    let environment = [("MQTT_SERVE_VERBOSE", "2")];
    let before = serve(&typed, &environment, Some("\nsys-interval = 5")).unwrap();
    let origin = |args: &ServeArgs, key: &str| {
        let setting = args.settings.iter().find(|setting| setting.key == key);
        let origin = setting.unwrap().origin.clone();
        origin.rsplit('/').next().unwrap().to_owned()
    };
    assert_eq!(origin(&before, "port"), "flag");
    assert_eq!(origin(&before, "verbose"), "MQTT_SERVE_VERBOSE");
    assert_eq!(origin(&before, "sys-interval"), "broker.toml line 2");
    assert_eq!(origin(&before, "host"), "default");

    let lines: Vec<String> = before.settings.iter().map(Setting::to_string).collect();
    assert!(lines.iter().all(|line| !line.contains('\n')), "{lines:?}");
    let after = serve(&["--print-config"], &[], Some(&lines.join("\n"))).unwrap();
    assert_eq!(after.trace_client, before.trace_client);
    for (before, after) in before.settings.iter().zip(&after.settings) {
        assert_eq!((&before.key, &before.value), (&after.key, &after.value));
    }
    assert_eq!(origin(&after, "port"), "broker.toml line 2");
}

#[test]
fn a_files_name_does_not_end_the_comment_it_stands_in() {
    let origin = Origin::Line(PathBuf::from("a\nb"), 3);
    assert_eq!(origin.to_string(), "a\\nb line 3");
}

/// Kinds of option that `mqtt serve` has not got so far, but may get.
#[test]
fn an_option_that_is_told_true_or_false_is_a_boolean() {
    let option = || {
        clap::Arg::new("x")
            .long("x")
            .value_parser(clap::value_parser!(bool))
    };
    let file = DeTable::parse("yes = false\nno = 'false'").unwrap();
    let value = |key: &str| file.get_ref().get(key).unwrap().get_ref();
    let words = value::typed_toml(&option(), "x", value("yes")).unwrap();
    assert_eq!(words, ["--x=false"]);
    let command = clap::Command::new("mqtt")
        .no_binary_name(true)
        .arg(option());
    let matches = command.try_get_matches_from(words).unwrap();
    let shown = value::toml(&option(), "x", &matches).unwrap();
    assert_eq!(shown.as_deref(), Some("false"));
    assert!(value::typed_toml(&option(), "x", value("no")).is_err());
}
