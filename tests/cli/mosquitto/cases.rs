//! Command lines, as data: with each of them both programs say and do the same, or differ as the second table says.
//!
//! A line begins with `pub`, `sub` or `rr`. Behind it the address of the broker is put, unless the line begins with `!`;
//! `PORT` is its port.

use std::fs;

use mqtt_toolbox::mqtt::packet::{Packet, Publish};
use mqtt_toolbox::mqtt::{Properties, Property, QoS, Version};

use super::beside::{Clients, Outcome, Whose, all_hold, words};
use crate::servers::Mosquitto;
use crate::wire::Wire;

/// A line with what it needs.
struct Case {
    line: &'static str,
    stdin: &'static [u8],
    /// The configuration file of the program.
    file: &'static str,
    /// Digits are those of the clock or of a process: one is as good as another.
    any_digits: bool,
}

const fn case(line: &'static str) -> Case {
    Case {
        line,
        stdin: b"",
        file: "",
        any_digits: false,
    }
}

impl Case {
    const fn stdin(self, stdin: &'static [u8]) -> Case {
        Case { stdin, ..self }
    }

    const fn file(self, file: &'static str) -> Case {
        Case { file, ..self }
    }

    const fn any_digits(self) -> Case {
        Case {
            any_digits: true,
            ..self
        }
    }

    /// Client ids are each case's own: `me` stands for one.
    fn words(&self, port: u16) -> Vec<String> {
        let line = self.line.replace("PORT", &port.to_string());
        let (line, is_bare) = match line.strip_prefix('!') {
            Some(line) => (line, true),
            None => (line.as_str(), false),
        };
        let mut words = words(line);
        for word in words.iter_mut().filter(|word| *word == "me") {
            *word = format!("me{:p}", self);
        }
        words[0] = format!("mosquitto_{}", words[0]);
        if !is_bare {
            let address = ["-h", "127.0.0.1", "-p", &port.to_string()].map(str::to_owned);
            words.splice(1..1, address);
        }
        words
    }

    fn run(&self, clients: &Clients, whose: Whose, port: u16) -> Outcome {
        let words = self.words(port);
        let home = tempfile::tempdir().expect("a temporary folder");
        if !self.file.is_empty() {
            let place = home.path().join(".config");
            fs::create_dir(&place).expect("an empty folder");
            let text = self.file.replace("PORT", &port.to_string());
            fs::write(place.join(&words[0]), text).expect("an empty folder");
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

fn same(cases: &[Case], port: u16) {
    let clients = Clients::new();
    all_hold(cases, |case| {
        let theirs = case.run(&clients, Whose::Theirs, port);
        let ours = case.run(&clients, Whose::Ours, port);
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
fn broker() -> Mosquitto {
    let broker = Mosquitto::start([]);
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
    same(WRONG, broker().port);
}

const WRONG: &[Case] = &[
    case("sub"),
    case("rr"),
    case("rr -t a -e b"),
    case("rr -t a -m x"),
    case("rr -e a -m x"),
    case("rr -t a -e b -l"),
    case("rr -t a -e b -r"),
    case("rr -t a -e b/# -m x"),
    case("pub -t a -m b -n"),
    case("pub -t a -m b -m"),
    case("pub -t a -m b -l"),
    case("pub -t a -m b -s"),
    case("pub -t a -m b -f a"),
    case("pub -t a/+ -m x"),
    case("pub -t a/# -m x"),
    case("pub -t a -m x -q 3"),
    case("pub -t a -m x -q -1"),
    case("pub -t a -m x -q1"),
    case("pub -t a -m x --qos=1"),
    case("pub -t a -m x --"),
    case("pub -t a -m x y"),
    case("pub -t a -m x -rq 1"),
    case("pub -t a -m x --keep 5"),
    case("pub --nope"),
    case("pub -t a -m x -W 3"),
    case("pub -t a -m x -N"),
    case("pub -t a -m x -R"),
    case("pub -t a -m x -v"),
    case("pub -t a -m x -C 1"),
    case("pub -t a -m x -S"),
    case("pub -t a -m x -p 70000"),
    case("pub -t a -m x -p -1"),
    case("pub -t a -m x -k 4"),
    case("pub -t a -m x -k 65536"),
    case("pub -t a -m x -k abc"),
    case("pub -t a -m x -i a -I b"),
    case("pub -t a -m x -I a -i b"),
    case("pub -t a -m x -i ~"),
    case("sub -t a -i ~"),
    case("rr -t a -e b -m x -i ~"),
    case("pub -t a -m x -P x"),
    case("pub -t a -m x -c"),
    case("pub -t a -m x -c -I a"),
    case("pub -t a -m x -c -V 5"),
    case("sub -t a -c"),
    case("pub -t a -m x -x 5z"),
    case("pub -t a -m x -x 99999999999"),
    case("pub -t a -m x -x -2"),
    case("pub -t a -m x -x -1 -V 5"),
    case("pub -t a -m x -x ∞ -V 5"),
    case("pub -t a -m x -V 4"),
    case("pub -t a -m x -V 3.1.1"),
    case("pub -t a -m x -M 0"),
    case("pub -t a -m x --repeat 0"),
    case("pub -t a -m x --repeat-delay -1"),
    case("pub -t a -m x --will-payload z"),
    case("pub -t a -m x --will-retain"),
    case("pub -t a -m x --will-qos 3"),
    case("pub -t a -m x --will-topic a/#"),
    case("pub -t a -m x --cert a"),
    case("pub -t a -m x --key a"),
    case("pub -t a -m x --keyform pem"),
    case("pub -t a -m x --keyform foo --key /etc/hostname --cert /etc/hostname"),
    case("pub -t a -m x --tls-engine foo"),
    case("pub -t a -m x --tls-engine-kpass-sha1 x"),
    case("pub -t a -m x --psk ab"),
    case("pub -t a -m x --psk ab --psk-identity x --cafile b"),
    case("pub -t a -m x --proxy http://x"),
    case("pub -t a -m x --proxy socks5h://h:0"),
    case("pub -t a -m x --proxy socks5h://:"),
    case("pub -t a -m x -L foo://x/y"),
    case("pub -t a -m x -L mqtt://x"),
    case("pub -t a -m x -L mqtt://x/a/+"),
    case("sub -t a -C 0"),
    case("sub -t a -C -1"),
    case("sub -t a -W 0"),
    case("sub -t a -W 0.5"),
    case("sub -t a/#/b"),
    case("sub -t a+"),
    case("sub -t a -T a#"),
    case("sub -t a -U a#"),
    case("sub -t a -m x"),
    case("sub -t a -l"),
    case("sub -t a -F %"),
    case("sub -t a -F %5"),
    case("sub -t a -F %y"),
    case("sub -t a -F @"),
    case("sub -t a -F \\x"),
    case("sub -t a -F \\"),
    case("sub -t a --random-filter 0"),
    case("sub -t a --random-filter 1001"),
    case("sub -t a -R --retained-only"),
    case("pub -q 9 --help"),
    case("pub -t a -m x -D"),
    case("pub -t a -m x -D publish"),
    case("pub -t a -m x -D publish content-type"),
    case("pub -t a -m x -D publish user-property a"),
    case("pub -t a -m x -D publ content-type x"),
    case("pub -t a -m x -D publish content-typ x"),
    case("pub -t a -m x -D publish -D publish"),
    case("pub -t a -m x -D subscribe content-type x"),
    case("pub -t a -m x -D publish payload-format-indicator 256"),
    case("pub -t a -m x -D publish payload-format-indicator -1"),
    case("pub -t a -m x -D publish topic-alias 65536"),
    case("pub -t a -m x -D publish topic-alias 0"),
    case("pub -t a -m x -D publish message-expiry-interval 99999999999"),
    case("pub -t a -m x -D publish subscription-identifier 1"),
    case("pub -t a -m x -D subscribe subscription-identifier 268435456"),
    case("pub -t a -m x -D publish content-type a -D publish content-type b"),
    case("pub -t a -m x -D connack user-property a b"),
    case("pub -t a -m x -D auth user-property a b"),
    case("pub -t a -m x -D suback reason-string b"),
    case("pub -t a -m x -D connect server-keep-alive 5"),
    case("pub -t a -m x -D connect receive-maximum 0"),
    case("pub -t a -m x -D connect maximum-packet-size 0"),
    case("pub -t a -m x -D connect request-problem-information 2"),
    case("pub -t a -m x -D connect session-expiry-interval 5 -x 6"),
    case("pub -t a -m x -D connect receive-maximum 0 --quiet"),
    case("pub -t a -m x -D will topic-alias 1"),
    case("pub -t a -m x -D unsubscribe reason-string x"),
    case("rr -t a -e b -m x -D publish response-topic z"),
    case("!pub -A"),
    case("!pub --cafile"),
    case("!pub --capath"),
    case("!pub --cert"),
    case("!pub --ciphers"),
    case("!sub -C"),
    case("!rr -e"),
    case("!pub -f"),
    case("!sub -F"),
    case("!pub -h"),
    case("!pub -i"),
    case("!pub -I"),
    case("!pub -k"),
    case("!pub --key"),
    case("!pub --keyform"),
    case("!pub -L"),
    case("!pub -m"),
    case("!pub -M"),
    case("!pub -p"),
    case("!pub -P"),
    case("!pub --pw"),
    case("!pub --proxy"),
    case("!pub --psk"),
    case("!pub --psk-identity"),
    case("!pub -q"),
    case("!sub --random-filter"),
    case("!pub --repeat"),
    case("!pub --repeat-delay"),
    case("!pub -t"),
    case("!pub --topic"),
    case("!sub -T"),
    case("!pub --tls-alpn"),
    case("!pub --tls-engine"),
    case("!pub --tls-engine-kpass-sha1"),
    case("!pub --tls-version"),
    case("!sub -U"),
    case("!pub -u"),
    case("!pub --unix"),
    case("!pub -V"),
    case("!sub -W"),
    case("!pub --will-payload"),
    case("!pub --will-qos"),
    case("!pub --will-topic"),
    case("!pub -x"),
    case("pub -t a -m x").file("-q 3"),
    case("pub -t a -m x").file("-q"),
    case("pub -t a -m x").file("--qos=1\n"),
    case("pub -t a -m x").file("-D publish content-type x"),
    case("pub -t a -m x").file("-m y"),
    case("pub -t a -m x").file("  -x  5\n"),
];

#[test]
fn publishing_is_alike() {
    same(PUBLISHING, broker().port);
}

const PUBLISHING: &[Case] = &[
    case("pub -t a -m x"),
    case("pub -t a -m x -d"),
    case("pub -t a -m x -d -q 1 -i me"),
    case("pub -t a -m x -d -q 2 -i me -r"),
    case("pub -t a -m x -d -V 31 -i me"),
    case("pub -t a -m x -d -V mqttv31"),
    case("pub -t a -m x -d -V 5"),
    case("pub -t a -m x -d -V mqttv5 -q 1"),
    case("pub -t a -m x -d -I prefix").any_digits(),
    case("pub --topic a --message x --debug --qos 1 --retain --id me --keepalive 5"),
    case("pub -t b -t a -m -x -d"),
    case("pub -t a -m x -q abc -d"),
    case("pub -t a -n -d"),
    case("pub -t a -f /dev/null -d"),
    case("pub -t a -f /etc/hostname -d"),
    case("pub -t a -s -d").stdin(b"one\ntwo"),
    case("pub -t a -l -d -q 0").stdin(b"one\n"),
    case("pub -t a -l -q 1").stdin(b"one\n\ntwo\r\nthree"),
    case("pub -t a -l").stdin(b""),
    case("pub -t a -m x --repeat 3 -d"),
    case("pub -t a -m x --repeat 2 --repeat-delay 0.01 -q 1 -d -i me"),
    case("pub -t a -m x -M 1 -q 2 --repeat 2 -i me"),
    case("pub -t a -m x -u user -P word -d"),
    case("pub -t a -m x -u user -d"),
    case("pub -t a -m x -P word -V 5 -d"),
    case("pub -t a -m x -c -i me -d"),
    case("pub -t a -m x -x 5 -d"),
    case("pub -t a -m x --will-topic w --will-payload gone --will-qos 1 --will-retain -d"),
    case("pub -t a -m x --quiet"),
    case("!pub -L mqtt://127.0.0.1:PORT/b -m x -d"),
    case("!pub -L MQTT://user:word@127.0.0.1:PORT/b/c -m x -d"),
    case("!pub -p 1 -h 127.0.0.1 -t a -m x"),
    case("!pub -p 1 -h 127.0.0.1 -t a -m x --quiet"),
    case("!pub -h nope.invalid -t a -m x"),
    case("pub -t a -m x -D connect authentication-method x"),
    case("pub -t a -m x -D PUBLISH Content-Type x -d"),
    case("pub -t a -m x -D will content-type x -d"),
    case("pub -t a -m x -d").file("-i from-file\n"),
    case("pub -m x -d").file("# comment\n-t a\n\n--id me\r\n-q 1\n"),
    case("pub -t a -d").file("-m  two spaces  and \"quotes\"\n"),
    case("!pub -t a -m x -d").file("-h 127.0.0.1\n-p PORT\n"),
    case("pub -t a -f /nonexistent"),
    case("pub -t a -f /nonexistent --quiet"),
    case("pub -t a -s"),
];

#[test]
fn subscribing_is_alike() {
    same(SUBSCRIBING, broker().port);
}

const SUBSCRIBING: &[Case] = &[
    case("sub -t r/# -C 2"),
    case("sub -t r/1 -t r/2 -C 2 -v"),
    case("sub -t r/# -C 2 -N"),
    case("sub -t r/# -C 2 -N -v"),
    case("sub -t r/# -W 1 -v"),
    case("sub -t r/# -W 1 --quiet"),
    case("sub -t r/1 -C 1 -d -i me"),
    case("sub -t r/# -C 2 -d -i me"),
    case("sub -t r/# -C 1 -d -i me -V 5"),
    case("sub -t r/# -C 1 -d -i me -V 31"),
    case("sub -t nothing -E -d -i me -q 1"),
    case("sub -t nothing -t r/none -t $SYS/none -E -d -i me -q 2 -V 5"),
    case("sub -t nothing -W 1 -d -i me -U r/1"),
    case("sub -t r/# -T r/1 -C 1 -v"),
    case("sub -t r/# -T r/1 -T r/2 -W 1 -v"),
    case("sub -t r/# -R -W 1"),
    case("sub -t r/# -R -W 1 -V 5 -d -i me"),
    case("sub -t r/# --retained-only -W 1"),
    case("sub -t r/1 --retain-as-published -V 5 -C 1 -d -i me"),
    case("sub -t r/1 --retain-as-published -C 1 -d -i me"),
    case("sub -t r/# -C 2 --random-filter 1000"),
    case("!sub -L mqtt://127.0.0.1:PORT/r/1 -C 1"),
    case("!sub -L mqtt://127.0.0.1:PORT/r/1 -t r/2 -C 2 -v"),
    case("!sub -p 1 -h 127.0.0.1 -t a"),
    case("!sub -h nope.invalid -t a"),
    case("sub -t b/binary -C 1 -v -N"),
    case("sub -t r/# -C 1 --retained-only -d -i me"),
    case("sub -t r/# -C 1 -i me -c"),
    case("sub -t r/1 -C 1 -D subscribe subscription-identifier 5 -F %S"),
    case("sub -C 1").file("-t r/2\n-v\n"),
    case("sub -t r/1 -C 2").file("-t r/2\n-v\n-F %p:%t\n"),
];

#[test]
fn asking_is_alike() {
    same(ASKING, broker().port);
}

const ASKING: &[Case] = &[
    case("rr -t echo/1 -e echo/1 -m x -W 5"),
    case("rr -t echo/2 -e echo/2 -m x -W 5 -v"),
    case("rr -t echo/3 -e echo/3 -m x -W 5 -N"),
    case("rr -t echo/4 -e echo/4 -n -W 5 -v"),
    case("rr -t echo/6 -e echo/6 -m x -W 5 -F '%t %q %r %R %D.'"),
    case("rr -t echo/7 -e echo/7 -m x -W 5 -V 311"),
    case("rr -t nobody/1 -e silence/1 -m x -W 1"),
    case("rr -t nobody/2 -e silence/2 -m x -W 1 -d -i me"),
    case("rr -t nobody/3 -e silence/3 -m x -W 1 -V 311 -R"),
    case("rr -t nobody -e r/1 -m x -W 1"),
    case("rr -t nobody -e r/1 -m x -W 1 -R"),
    case("!rr -p 1 -h 127.0.0.1 -t a -e b -m x"),
];

#[test]
fn formats_are_alike() {
    same(FORMATS, broker().port);
}

const FORMATS: &[Case] = &[
    case("sub -t p/+ -C 2 -F %%|%t|%p|%q|%r|%m|%l|@@|\\\\|\\n|\\t|\\0|\\a|\\e|\\r|\\v|"),
    case("sub -t p/+ -C 2 -V 5 -F %A|%5A|%-5A|%05A|%5.2A|%-05A|"),
    case("sub -t p/+ -C 2 -V 5 -F %C|%4C|%-4C|%14C|%-14C|%014C|%.4C|%8.4C|%-8.4C|%.0C|"),
    case("sub -t p/+ -C 2 -V 5 -F %D|%9D|%-9D|%.1D|"),
    case("sub -t p/+ -C 2 -V 5 -F %E|%3E|%9E|%-9E|%09E|%.2E|").any_digits(),
    case("sub -t p/+ -C 2 -V 5 -F %F|%3F|%-3F|%03F|%.2F|"),
    case("sub -t p/+ -C 2 -F %I|%30I|%-30I|%030I|%.10I|%12.10I|%-12.10I|").any_digits(),
    case("sub -t p/+ -C 2 -F %l|%1l|%5l|%-5l|%05l|%-05l|%.3l|%5.3l|"),
    case("sub -t p/+ -C 2 -q 1 -F %m|%5m|%-5m|%05m|%.3m|"),
    case("sub -t p/+ -C 2 -V 5 -F %P|%9P|%-9P|%.1P|"),
    case("sub -t p/+ -C 2 -F %p|%3p|%-3p|%03p|%15p|%-15p|%015p|%.3p|%15.3p|%-015p|"),
    case("sub -t p/+ -C 2 -q 1 -F %q|%5q|%-5q|%05q|"),
    case("sub -t p/+ -C 2 -V 5 -F %R|%4R|%14R|%-14R|%014R|%.3R|%8.3R|%-8.3R|"),
    case("sub -t p/+ -C 2 -F %r|%5r|%-5r|%05r|"),
    case("sub -t p/+ -C 2 -D subscribe subscription-identifier 300 -F %S|%5S|%-5S|%05S|%.1S|"),
    case("sub -t p/+ -C 2 -V 5 -F %S|%5S|%-5S|%05S|"),
    case("sub -t p/+ -C 2 -F %t|%3t|%12t|%-12t|%012t|%.2t|%8.2t|%-8.2t|%.0t|"),
    case("sub -t p/+ -C 2 -F %U|%30U|%-30U|%.3U|").any_digits(),
    case("sub -t p/+ -C 2 -F %x|%.3x|"),
    case("sub -t p/+ -C 2 -F %X|%.3X|"),
    case("sub -t b/binary -C 1 -F %x|%X|%l|"),
    case(
        "sub -t p/+ -C 2 -F @Y@m@d@H@M@S@N@z@s@j@y@e@k@I@l@p@U@W@V@w@u@G@g@C@n@t@D@F@T@R@r@c@x@X@h",
    )
    .any_digits(),
    case("sub -t p/+ -C 1 -F '@a @A @b @B @Z'"),
    case("sub -t p/+ -C 1 -F '@! @1 x@'").any_digits(),
    case("sub -t p/+ -C 2 -N -F %t,"),
    case("sub -t p/+ -C 2 -v -F %t"),
    case("sub -t p/+ -C 2 -F ~"),
    case("sub -t p/+ -C 2 -F %j"),
    case("sub -t pp/few -C 1 -F %j -V 5"),
    case("sub -t p/+ -C 2 -F %j -q 1"),
    case("sub -t b/+ -T b/binary -T b/empty -C 3 -F %j"),
    case("sub -t b/json -t b/number -C 2 -F %J"),
    case("sub -t pp/few -C 1 -V 5 -F %j --pretty"),
    case("sub -t b/json -C 1 -F %J --pretty"),
    case("sub -t b/text -C 1 -F %J"),
    case("sub -t b/text -C 1 -F %J --quiet"),
    case("sub -t b/text -C 1 -F %J%t"),
];

/// Where mosquitto 2.0.11 loses or spoils something: what it does and what we do. `{}` stands for what begins every line of
/// JSON.
#[test]
fn what_mosquitto_spoils_is_not_spoiled_here() {
    let broker = broker();
    let clients = Clients::new();
    all_hold(SPOILED, |(case, theirs, ours)| {
        for (whose, expected) in [(Whose::Theirs, theirs), (Whose::Ours, ours)] {
            let outcome = case.run(&clients, whose, broker.port);
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
