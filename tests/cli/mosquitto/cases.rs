//! Command lines, as data: with each of them both programs say and do the same, or differ as the second table says.
//!
//! A line begins with `pub`, `sub` or `rr`. Behind it the address of the broker is put, unless the line begins with `!`;
//! `PORT` is its port. The lines are in files of their own.

use std::ffi::OsString;
use std::fs;

use mqtt_toolbox::mqtt::packet::{Packet, Publish};
use mqtt_toolbox::mqtt::{Properties, Property, QoS, Version};

use super::beside::{Clients, Outcome, Whose, all_hold, words};
use super::publishing::{ASKING, PUBLISHING};
use super::subscribing::{FORMATS, SUBSCRIBING};
use super::wrong::WRONG;
use crate::servers::Mosquitto;
use crate::wire::Wire;

/// A line with what it needs.
pub struct Case {
    pub line: &'static str,
    stdin: &'static [u8],
    /// The configuration file of the program.
    pub file: &'static str,
    /// Digits are those of the clock or of a process: one is as good as another.
    any_digits: bool,
    /// Ours adds why.
    says_more: bool,
}

pub const fn case(line: &'static str) -> Case {
    Case {
        line,
        stdin: b"",
        file: "",
        any_digits: false,
        says_more: false,
    }
}

impl Case {
    pub const fn stdin(self, stdin: &'static [u8]) -> Case {
        Case { stdin, ..self }
    }

    pub const fn file(self, file: &'static str) -> Case {
        Case { file, ..self }
    }

    pub const fn any_digits(self) -> Case {
        Case {
            any_digits: true,
            ..self
        }
    }

    pub const fn says_more(self) -> Case {
        Case {
            says_more: true,
            ..self
        }
    }

    /// Client ids are each case's own: `me` stands for one.
    fn words(&self, place: &Place) -> Vec<OsString> {
        let port = place.port.to_string();
        let mut line = self.line.replace("PORT", &port);
        for (name, value) in &place.names {
            line = line.replace(name, value);
        }
        let (line, is_bare) = match line.strip_prefix('!') {
            Some(line) => (line, true),
            None => (&*line, false),
        };
        let mut words = words(line);
        for word in words.iter_mut().filter(|word| *word == "me") {
            *word = format!("me{:p}", self).into();
        }
        words[0] = format!("mosquitto_{}", words[0].display()).into();
        if !is_bare {
            let address = ["-h", "127.0.0.1", "-p", &port].map(OsString::from);
            words.splice(1..1, address);
        }
        words
    }

    pub fn run(&self, clients: &Clients, whose: Whose, place: &Place) -> Outcome {
        let words = self.words(place);
        let home = tempfile::tempdir().expect("a temporary folder");
        if !self.file.is_empty() {
            let folder = home.path().join(".config");
            fs::create_dir(&folder).expect("an empty folder");
            let text = self.file.replace("PORT", &place.port.to_string());
            fs::write(folder.join(&words[0]), text).expect("an empty folder");
        }
        let mut outcome = clients.run(whose, &words, self.stdin, home.path());
        outcome.stdout = without_chance(&outcome.stdout);
        if self.any_digits {
            let any = |digit: char| if digit.is_ascii_digit() { '#' } else { digit };
            outcome.stdout = outcome.stdout.chars().map(any).collect();
        }
        outcome
    }
}

/// Client ids that the broker made up, and the moment in JSON, which 2.0.11 writes with a `Z` too many.
fn without_chance(text: &str) -> String {
    let mut text = text.to_owned();
    for (start_of_id, length) in [("auto-", 41), ("mosq-", 23), ("Client mqtt", 27)] {
        while let Some(start) = text.find(start_of_id) {
            let id = if start_of_id.starts_with("Client") {
                "Client MADE-UP"
            } else {
                "MADE-UP"
            };
            text.replace_range(start..(start + length).min(text.len()), id);
        }
    }
    for key in ["\"tst\":\"", "\"tst\":\t\""] {
        let parts: Vec<&str> = text.split(key).collect();
        let rest = parts[1..].iter().map(|part| {
            let (moment, rest) = part.split_once('"').unwrap_or(("", part));
            let mask = |digit: char| if digit.is_ascii_digit() { '#' } else { digit };
            let moment: String = moment.replace('Z', "").chars().map(mask).collect();
            format!("{key}{moment}\"{rest}")
        });
        text = std::iter::once(parts[0].to_owned()).chain(rest).collect();
    }
    text
}

/// Where the broker is, and words of the lines that stand for something there.
pub struct Place {
    pub port: u16,
    pub names: Vec<(&'static str, String)>,
}

impl Place {
    /// With nothing but a port.
    pub fn at(port: u16) -> Place {
        Place {
            port,
            names: Vec::new(),
        }
    }
}

pub fn same(cases: &[Case], place: &Place) {
    let clients = Clients::new();
    all_hold(cases, |case| {
        let theirs = case.run(&clients, Whose::Theirs, place);
        let mut ours = case.run(&clients, Whose::Ours, place);
        if case.says_more && ours.stderr.len() > theirs.stderr.len() {
            ours.stderr.truncate(theirs.stderr.len());
        }
        match theirs == ours {
            true => Ok(()),
            false => Err(format!(
                "{}\n  theirs {theirs:?}\n  ours   {ours:?}",
                case.line
            )),
        }
    });
}

/// Mosquitto with retained messages of every kind below `r/`, `p/` and `b/`.
pub fn broker<'a>(lines: impl IntoIterator<Item = &'a str>) -> Mosquitto {
    let broker = Mosquitto::start(lines);
    let mut wire = Wire::session(broker.port, Version::V5, "keeper");
    let all = Properties(vec![
        Property::PayloadFormatIndicator(1),
        Property::MessageExpiryInterval(200_000),
        Property::ContentType("text/plain".into()),
        Property::ResponseTopic("answer/here".into()),
        Property::CorrelationData("c d".into()),
        Property::UserProperty("k".into(), "v".into()),
        Property::UserProperty("l".into(), "w x".into()),
    ]);
    let few = Properties(vec![
        Property::PayloadFormatIndicator(1),
        Property::ContentType("text/plain".into()),
        Property::CorrelationData("c d".into()),
        Property::UserProperty("k".into(), "v".into()),
        Property::UserProperty("l".into(), "w x".into()),
    ]);
    let none = Properties::default;
    for (topic, payload, properties) in [
        ("r/1", &b"one"[..], none()),
        ("r/2", b"two", none()),
        ("p/all", b"hello world", all),
        ("p/none", b"hello world", none()),
        ("pp/few", b"hello world", few),
        ("b/empty", b"{\"a\":{},\"b\":[],\"c\":[{\"d\":1}]}", none()),
        ("b/json", b" {\"b\": [1, 2.5, \"x\"], \"a\":null}", none()),
        ("b/text", b"say \"hi\"\t\\ \xc3\xbc/", none()),
        ("b/number", b"42", none()),
        ("b/binary", b"\x00\x01\xfe\xff", none()),
        (
            "n/deep",
            b"[[{\"a\":[{},[],[1,{\"b\":{\"c\":[]}}]]}],{}]",
            none(),
        ),
        (
            "n/objects",
            b"{\"a\":[{\"b\":[{\"c\":1,\"d\":[2,3]}]},{}],\"e\":{\"f\":[[]]}}",
            none(),
        ),
        ("n/string", b"[\"{[,:]}\\\"\",{\"\\\\\":\"\"}]", none()),
    ] {
        wire.send(Packet::Publish(Publish {
            dup: false,
            qos: QoS::AtLeastOnce,
            retain: true,
            topic: topic.into(),
            packet_id: 1,
            properties,
            payload: payload.into(),
        }));
        wire.receive();
    }
    broker
}

#[test]
fn wrong_command_lines_are_refused_alike() {
    same(WRONG, &Place::at(broker([]).port));
}

#[test]
fn publishing_is_alike() {
    same(PUBLISHING, &Place::at(broker([]).port));
}

#[test]
fn subscribing_is_alike() {
    same(SUBSCRIBING, &Place::at(broker([]).port));
}

#[test]
fn asking_is_alike() {
    same(ASKING, &Place::at(broker([]).port));
}

#[test]
fn formats_are_alike() {
    same(FORMATS, &Place::at(broker([]).port));
}

/// Where mosquitto 2.0.11 loses or spoils something: what it does and what we do. `{}` stands for what begins every line of
/// JSON.
#[test]
fn what_mosquitto_spoils_is_not_spoiled_here() {
    let broker = broker([]);
    let place = Place::at(broker.port);
    let clients = Clients::new();
    all_hold(SPOILED, |(case, theirs, ours)| {
        for (whose, expected) in [(Whose::Theirs, theirs), (Whose::Ours, ours)] {
            let outcome = case.run(&clients, whose, &place);
            if outcome.stdout != *expected {
                return Err(format!("{} {whose:?}: {outcome:?}", case.line));
            }
        }
        Ok(())
    });
}

const SPOILED: &[(Case, &str, &str)] = &[
    // Half of what a width leaves of the payload is missing.
    (
        case("sub -t p/none -C 1 -F %20x|%8X"),
        "          68656c6c6f|68656C6C\n",
        "68656c6c6f20776f726c64|68656C6C6F20776F\n",
    ),
    // What is aligned to the left is followed by as many spaces as it has bytes.
    (
        case("sub -t p/none -C 1 -F %-p|%-x|"),
        "hello world           |68656c6c6f20776f726c64           |\n",
        "hello world|68656c6c6f20776f726c64|\n",
    ),
    // What -s reads is never sent.
    (
        case("rr -t echo/s -e echo/s -s -W 5").stdin(b"x"),
        "",
        "x\n",
    ),
    // A payload that is no text ends at its first NUL, or makes what is no JSON.
    (
        case("sub -t b/binary -C 1 -F %j"),
        "{\"tst\":\"####-##-##T##:##:##.######+####\",\"topic\":\"b/binary\",\"qos\":0,\"retain\":1,\"payloadlen\":4,\"payload\":\"\"}\n",
        "{\"tst\":\"####-##-##T##:##:##.######+####\",\"topic\":\"b/binary\",\"qos\":0,\"retain\":1,\"payloadlen\":4,\"payload_base64\":\"AAH+/w==\"}\n",
    ),
];
