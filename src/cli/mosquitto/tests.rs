//! Command lines of mosquitto's clients and the words of ours for them, as tables.

use std::ffi::OsString;

use clap::Parser;
use proptest::prelude::*;

use super::options::OPTIONS;
use super::*;
use crate::cli::Cli;

fn words(line: &str) -> Vec<OsString> {
    line.split_whitespace().map(OsString::from).collect()
}

/// Our words, or what is said instead.
fn translated(program: Program, file: &str, line: &str) -> Result<String, Refusal> {
    let translation = translate(program, file.as_bytes(), &words(line))?;
    let words: Vec<_> = translation
        .words
        .iter()
        .map(|word| word.to_string_lossy())
        .collect();
    Ok(words[1..].join(" "))
}

#[test]
fn what_is_typed_is_said_in_our_words() {
    for (program, file, line, ours) in [
        (
            Program::Pub,
            "",
            "-t a -m b",
            "pub -V=311 -h=localhost -p=1883 -i= -m=b -t=a",
        ),
        (
            Program::Pub,
            "",
            "-t a -t b -m -5 -q 2x2 -q 1x -V 31 --id me",
            "pub -V=31 -h=localhost -p=1883 -i=me -m=-5 -q=1 -t=b",
        ),
        (
            Program::Pub,
            "-h far\n-p 1884\n-q 2\n",
            "-t a -n -h near",
            "pub -V=311 -h=near -p=1884 -i= -q=2 -t=a -n",
        ),
        (
            Program::Sub,
            "-t one",
            "-t two/# -T two/x -V mqttv5 -x 0x10",
            "sub -V=5 -h=localhost -p=1883 -i= -x=16 -t=one -t=two/# -T=two/x",
        ),
        (
            Program::Sub,
            "",
            "-L mqtts://u:p%40@[::1]/a/b",
            "sub -V=311 -h=::1 -p=8883 -i= -P=p%40 -u=u -t=a/b --tls-use-os-certs",
        ),
        (
            Program::Sub,
            "",
            "-L MQTT://h:7/a -p 0 -h /run/socket",
            "sub -V=311 --unix=/run/socket -i= -t=a",
        ),
        (
            Program::Sub,
            "",
            "-t a --cafile ca.pem --no-tls",
            "sub -V=311 -h=localhost -p=8883 -i= -t=a",
        ),
        (
            Program::Rr,
            "",
            "-t a -e b -m c -i me -c",
            "req -V=5 -h=localhost -p=1883 -x=4294967295 -e=b -i=me -m=c -t=a -c",
        ),
        (
            Program::Pub,
            "",
            "-t a -m b -D Publish topic-alias 5x -D will user-property -k -v --will-topic w",
            "pub -V=5 -h=localhost -p=1883 -i= --will-topic=w -m=b -t=a --property-on-wire=publish:230005 \
             --property-on-wire=will:2600022d6b00022d76",
        ),
    ] {
        let ours = format!("{ours} --takeover=fight --retry-max-delay=1");
        assert_eq!(translated(program, file, line), Ok(ours), "{line}");
    }
}

#[test]
fn the_first_mistake_is_told_as_mosquitto_tells_it() {
    for (program, line, message) in [
        (Program::Pub, "-q 3 -q1", "Error: Invalid QoS given: 3\n"),
        (Program::Pub, "-q1 -q 3", "Error: Unknown option '-q1'.\n"),
        (
            Program::Pub,
            "--qos=1",
            "Error: Unknown option '--qos=1'.\n",
        ),
        (Program::Pub, "--", "Error: Unknown option '--'.\n"),
        (Program::Pub, "-C 1", "Error: Unknown option '-C'.\n"),
        (Program::Rr, "-l", "Error: Unknown option '-l'.\n"),
        (
            Program::Pub,
            "-m",
            "Error: -m argument given but no message specified.\n\n",
        ),
        (
            Program::Pub,
            "-n -m",
            "Error: Only one type of message can be sent at once.\n\n",
        ),
        (
            Program::Sub,
            "-t a/#/b",
            "Error: Invalid subscription topic 'a/#/b', are all '+' and '#' wildcards correct?\n",
        ),
        (
            Program::Sub,
            "-t a -F %y",
            "Error: Invalid format specifier 'y'.\n",
        ),
        (
            Program::Sub,
            "-t a -c",
            "Error: You must provide a client id if you are using the -c option.\n",
        ),
        (
            Program::Sub,
            "-U a -D publish",
            "Error: --property argument given but not enough arguments specified.\n\n",
        ),
        (
            Program::Pub,
            "-D connect receive-maximum 0",
            "Error in CONNECT properties: A network protocol error occurred when communicating with the broker.\n",
        ),
        (Program::Pub, "-D connack user-property a b", ""),
    ] {
        let refusal = translated(program, "", line).unwrap_err();
        let hint = format!("\nUse '{} --help' to see usage.\n", program.name());
        assert_eq!(refusal.stderr, message.to_owned() + &hint, "{line}");
        assert_eq!(refusal.stdout, "");
    }
}

#[test]
fn help_and_version_end_the_reading_where_they_stand() {
    let help = translated(Program::Pub, "", "-t a --help -q 9").unwrap_err();
    assert!(help.stdout.contains("--will-topic VALUE") && help.stderr.is_empty());
    let version = translated(Program::Rr, "", "--version --nonsense").unwrap_err();
    assert!(
        version
            .stdout
            .starts_with("mosquitto_rr version 2.0.11 running on mqtt ")
    );
    let both = translated(Program::Pub, "", "-t a").unwrap_err();
    assert!(both.stdout.contains("Usage: mosquitto_pub") && both.stderr.contains("Both topic"));
}

#[test]
fn the_file_of_o_is_found_wherever_it_stands() {
    let file = |line: &str| {
        let words = words(line);
        let found = options_file(Program::Pub, &words).map(|path| path.map(OsStr::to_owned));
        found.map_err(|refusal| refusal.stderr.lines().next().unwrap_or_default().to_owned())
    };
    assert_eq!(file("-t a"), Ok(None));
    assert_eq!(file("-t a -o x -m b"), Ok(Some("x".into())));
    assert_eq!(
        file("-o"),
        Err("Error: -o argument given but no options file specified.".to_owned())
    );
    assert_eq!(
        file("-o a -o b"),
        Err("Error: Duplicate -o argument given.".to_owned())
    );
}

/// The names our commands give to what mosquitto's clients can do, letter for letter: an option with a value has one here as
/// well, a switch has none, and what is long there is long here.
#[test]
fn every_letter_is_one_of_ours_with_the_same_shape() {
    let documented = include_str!("../../../docs/mosquitto.md");
    let cli = crate::cli::definition();
    let mut complaints: Vec<String> = Vec::new();
    for option in OPTIONS {
        for program in option.programs {
            let ours = super::command(*program);
            let command = cli.find_subcommand(ours).unwrap();
            for name in option.names {
                let is_it = |argument: &&clap::Arg| match name.strip_prefix("--") {
                    Some(long) => {
                        let longs = argument.get_long_and_visible_aliases().unwrap_or_default();
                        let hidden = argument.get_all_aliases().unwrap_or_default();
                        longs.contains(&long) || hidden.contains(&long)
                    }
                    None => argument.get_short() == name.chars().nth(1),
                };
                let has_value = command.get_arguments().find(is_it).map(|argument| {
                    argument
                        .get_num_args()
                        .is_some_and(|range| range.takes_values())
                        || argument.get_action().takes_values()
                });
                let is_documented = documented.contains(&format!("`{name}`"));
                match has_value {
                    Some(has_value)
                        if has_value == option.value.is_some() || *name == "--pretty" => {}
                    None if is_documented => {}
                    other => complaints.push(format!("mqtt {ours} {name}: {other:?}")),
                }
            }
        }
    }
    assert_eq!(complaints, [""; 0]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is typed, it is translated to words clap can read, or refused.
    #[test]
    fn no_line_is_too_strange(
        line in prop::collection::vec(
            prop_oneof![
                prop::sample::select(OPTIONS.iter().flat_map(|option| option.names).copied().collect::<Vec<_>>()).prop_map(str::to_owned),
                Just("-D".to_owned()),
                Just("publish".to_owned()),
                "[-a-z0-9/#+:%@]{0,6}",
            ],
            0..12,
        ),
        program in prop::sample::select(Program::ALL.to_vec()),
    ) {
        let words: Vec<OsString> = line.into_iter().map(OsString::from).collect();
        if let Ok(translation) = translate(program, b"", &words) {
            let _ = Cli::try_parse_from(translation.words);
        }
    }
}
