//! `mqtt pub`, `sub` and `req` beside mosquitto's clients: the same letters, the same packets and the same output.

use super::beside::{Clients, Whose, all_hold, words};
use super::cases::{Case, Place, broker};
use super::publishing::ASKING;
use super::subscribing::{FORMATS, SUBSCRIBING};
use super::wire;

/// Of what each client sends, what is ours to choose is left out: see [`wire::common`].
#[test]
fn a_letter_makes_the_same_packets() {
    let clients = Clients::new();
    // The first connection is tried again by mosquitto's clients only.
    let is_alike = |case: &wire::Case| !is_different(case.0) && case.2 != wire::Broker::Closing;
    let cases: Vec<wire::Case> = wire::same().into_iter().filter(is_alike).collect();
    assert!(cases.len() > 85, "{} are left", cases.len());
    all_hold(&cases, |case| {
        let theirs = wire::common(wire::run(&clients, Whose::Theirs, *case).0);
        let ours = wire::common(wire::run(&clients, Whose::OursByName, *case).0);
        match theirs == ours {
            true => Ok(()),
            false => Err(format!(
                "{case:?}\n  theirs {theirs:#?}\n  ours   {ours:#?}"
            )),
        }
    });
}

/// What is printed, where it goes to stdout with both: ours says what it does on stderr, and JSON in the form of mosquitto 2.1.
#[test]
fn a_letter_prints_the_same() {
    let broker = broker([]);
    let place = Place::at(broker.port);
    let clients = Clients::new();
    let cases: Vec<&Case> = [SUBSCRIBING, FORMATS, ASKING]
        .into_iter()
        .flatten()
        .filter(|case| case.file.is_empty() && !is_different(case.line))
        .collect();
    assert!(cases.len() > 75, "{} are left", cases.len());
    all_hold(&cases, |case| {
        let theirs = case.run(&clients, Whose::Theirs, &place);
        let ours = case.run(&clients, Whose::OursByName, &place);
        match theirs.stdout == ours.stdout {
            true => Ok(()),
            false => Err(format!(
                "{}\n  theirs {theirs:?}\n  ours   {ours:?}",
                case.line
            )),
        }
    });
}

/// Whether the line is about a difference that docs/mosquitto.md names.
fn is_different(line: &str) -> bool {
    let words = words(line);
    let has = |typed: &str| {
        let typed = super::beside::words(typed);
        words.windows(typed.len()).any(|part| part == typed)
    };
    DIFFERENT.iter().any(|(typed, _)| has(typed))
}

/// Words of lines that are about a difference, and what docs/mosquitto.md says of it.
const DIFFERENT: &[(&str, &str)] = &[
    ("-d", "| `-d` |"),
    ("--debug", "| `-d` |"),
    ("-F %j", "| `%j` and `%J` |"),
    ("-F %J", "| `%j` and `%J` |"),
    ("-F %J%t", "| `%j` and `%J` |"),
    ("-F '%t %J'", "| `%j` and `%J` |"),
    (
        "-F @é|@@é|%p",
        "| `@` and a letter that strftime does not know |",
    ),
    ("-F '%t %q %r %R %D.'", "| mosquitto_rr |"),
    (
        "-F @Q@q@f|@@",
        "| `@` and a letter that strftime does not know |",
    ),
    ("-t nobody -e r/1", "| mosquitto_rr |"),
    ("-e $share/g/r/1", "| mosquitto_rr |"),
    ("-W 5 --retain-as-published", "| mosquitto_rr |"),
    ("-C 1 --pretty", "| `--pretty` |"),
    (
        "-E --retain-as-published",
        "| `-x`, `--retain-as-published` |",
    ),
    ("-x 60", "| `-x`, `--retain-as-published` |"),
    ("-x 0x10", "| numbers |"),
    ("-x -0", "| numbers |"),
    ("-C 2147483648", "| numbers |"),
    ("-C 4294967297", "| numbers |"),
    ("--random-filter 1000", "| numbers |"),
    ("payload-format-indicator abc", "| numbers |"),
    ("user-property -k -v", "| `-D` |"),
    ("-D will content-type x", "| `-D` |"),
    ("--insecure", "| options of TLS |"),
    ("--ciphers", "| options of TLS |"),
    ("--tls-version", "| options of TLS |"),
    ("--tls-alpn", "| options of TLS |"),
    ("-L mqtt://127.0.0.1:PORT/r/1 -t", "| `-L` |"),
    ("-p 1 -p", "| numbers |"),
];

#[test]
fn each_difference_is_documented() {
    let documented = include_str!("../../../docs/mosquitto.md");
    for (typed, row) in DIFFERENT {
        assert!(documented.contains(row), "{typed}: {row}");
    }
}
