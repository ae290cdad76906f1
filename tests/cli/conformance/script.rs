//! The language of `tests/conformance/cases/`: a conformance case as plain data, bytes to send and packets to expect.
//!
//! A file is a list of cases. A case begins with a line that gives the protocol levels it is tried in, the section or
//! statement it stands on, and what it is about; its steps follow, one a line:
//!
//! ```text
//! case 4 5 | 2.3.1-6 | a publish at QoS 1 is acknowledged with its identifier
//! a > PUBLISH:2 't/~' #7 {} "hello"
//! a < PUBACK #7
//! ```
//!
//! Packets are written as a name and what follows the remaining length, which is counted. `PUBLISH:2` has flags 0010, two
//! hexadecimal digits are a byte, `'text'` is a string with its length before it, `"text"` is bytes without one, `#7` is
//! a two-byte number and `#name` one that the broker chose, `<100` a message expiry interval below that. `( ... )` has
//! the length of what is in it before it; `{ ... }` is a block of properties with its length, and nothing at all before
//! MQTT 5. A token behind `5:` counts in MQTT 5 only, one behind `4:` before it. A `~` in text becomes a word of this
//! case and this level alone, so that cases do not meet.
//!
//! `= NAME: A ; B` under the first line is an entry: each makes a case of its own, with its name for `%` in the first
//! line and `A` and `B` for `%1` and `%2` in the steps. `list NAME` begins a list of entries, and `all NAME but X, Y`
//! under a first line takes them over. `ours` and `mosquitto`, before the first case, are the arguments and a line of the
//! configuration that the brokers are started with for this file.

use std::collections::BTreeMap;

use mqtt_toolbox::mqtt::Version;

/// One case at one protocol level.
#[derive(Debug, Clone)]
pub struct Case {
    /// The file it stands in, without its ending.
    pub chapter: String,
    /// The protocol level it is tried in.
    pub version: Version,
    /// The statement or section it stands on.
    pub statement: String,
    /// What it is about.
    pub words: String,
    /// The same with `%` where entries differ.
    pub family: String,
    /// What happens.
    pub steps: Vec<Step>,
    /// How the brokers of its file are started.
    pub brokers: Brokers,
}

/// How brokers are started: most files need nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Brokers {
    /// Arguments of `mqtt serve`.
    pub ours: Vec<String>,
    /// Lines for mosquitto's configuration.
    pub mosquitto: Vec<String>,
}

/// One line of a case: who, and what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The name of the client.
    pub client: char,
    /// The protocol level it speaks.
    pub version: Version,
    /// What it does, or what comes to it.
    pub action: Action,
    /// The line as it is written.
    pub line: String,
}

/// What a step is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// `opens`: a connection on which nothing is said yet.
    Opens,
    /// `joins`: a session that ends with its connection. `joins as 4`: at another protocol level than the case.
    Joins,
    /// `stays`: the same, with a session that is kept and is new.
    Stays,
    /// `resumes`: back to the session there is.
    Resumes,
    /// `>`: one packet, with its remaining length counted.
    Sends(Vec<Token>),
    /// `>>`: bytes as they are.
    SendsBytes(Vec<Token>),
    /// `<`: the next packet is one of these, or the connection ends.
    Receives(Vec<Answer>),
    /// `pings`: PINGRESP is the next packet, so nothing else was on its way.
    Pings,
    /// `leaves`: DISCONNECT, and no packet until the connection is closed.
    Leaves,
    /// `vanishes`: closes without a word, and no packet until the broker has closed too.
    Vanishes,
    /// `passes 2`: so many seconds pass, by the broker's own clock: a will that is delayed by them arrives.
    Passes(u32),
    /// `has 12`, `lacks 12`: the packet that came last has a property of this kind, or none.
    Property { id: u8, present: bool },
}

/// What may come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A packet.
    Packet(Vec<Token>),
    /// The end of the connection: in MQTT 5 behind a DISCONNECT with one of these codes, before without a word.
    Ends(Vec<u8>),
    /// The end of the connection behind a CONNACK with one of these codes; before MQTT 5 their return codes are meant.
    Refused(Vec<u8>),
    /// The end of the connection without a word.
    Closed,
}

/// A part of a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    /// Bytes as they are.
    Bytes(Vec<u8>),
    /// Text, with `~` still in it; with its length before it or without.
    Text { text: String, counted: bool },
    /// A two-byte number that the broker chose.
    Name(String),
    /// A four-byte number of seconds below this one.
    Below(u32),
    /// Properties, with their length.
    Block(Vec<Token>),
    /// Text or bytes put together, with their length.
    Group(Vec<Token>),
}

/// Every case of a file.
///
/// # Panics
/// When the file is not written in the language above; the message names the line.
pub fn cases(chapter: &str, text: &str) -> Vec<Case> {
    let mut reader = Reader {
        chapter,
        brokers: Brokers::default(),
        lists: BTreeMap::new(),
        cases: Vec::new(),
        heads: Vec::new(),
        entries: Vec::new(),
        lines: Vec::new(),
        list: None,
    };
    for line in text.lines().map(str::trim) {
        if !line.is_empty() && !line.starts_with("//") {
            reader.line(line);
        }
    }
    reader.finish();
    reader.cases
}

type Entries = Vec<(String, String)>;

struct Reader<'a> {
    chapter: &'a str,
    brokers: Brokers,
    lists: BTreeMap<String, Entries>,
    cases: Vec<Case>,
    /// The first line of the case that is being read: levels, statement, words.
    heads: Vec<String>,
    entries: Entries,
    lines: Vec<String>,
    /// The list that is being read.
    list: Option<String>,
}

impl Reader<'_> {
    fn line(&mut self, line: &str) {
        if let Some(arguments) = line.strip_prefix("ours ") {
            let arguments = arguments.split(' ').map(str::to_owned);
            self.brokers.ours.extend(arguments);
        } else if let Some(line) = line.strip_prefix("mosquitto ") {
            self.brokers.mosquitto.push(line.to_owned());
        } else if let Some(name) = line.strip_prefix("list ") {
            self.finish();
            self.list = Some(name.to_owned());
        } else if let Some(head) = line.strip_prefix("case ") {
            self.finish();
            self.heads = head.splitn(3, " | ").map(str::to_owned).collect();
            assert_eq!(self.heads.len(), 3, "{line:?} has not three parts");
        } else if let Some(entry) = line.strip_prefix("= ") {
            let (name, bytes) = entry.split_once(": ").unwrap_or((entry, ""));
            self.entries.push((name.to_owned(), bytes.to_owned()));
        } else if let Some(wanted) = line.strip_prefix("all ") {
            let (name, but) = wanted.split_once(" but ").unwrap_or((wanted, ""));
            let list = self.lists.get(name);
            let list = list.unwrap_or_else(|| panic!("{line:?}: there is no such list"));
            let but: Vec<&str> = but.split(", ").filter(|name| !name.is_empty()).collect();
            for name in &but {
                let known = list.iter().any(|(entry, _)| entry == name);
                assert!(known, "{line:?}: there is no {name}");
            }
            let wanted = list
                .iter()
                .filter(|(name, _)| !but.contains(&name.as_str()));
            self.entries.extend(wanted.cloned());
        } else {
            self.lines.push(line.to_owned());
        }
    }

    /// The case or list that was being read is complete.
    fn finish(&mut self) {
        let entries = std::mem::take(&mut self.entries);
        let lines = std::mem::take(&mut self.lines);
        if let Some(name) = self.list.take() {
            self.lists.insert(name, entries);
            return;
        }
        let heads = std::mem::take(&mut self.heads);
        let [levels, statement, words] = &heads[..] else {
            assert!(lines.is_empty(), "{lines:?} stand before the first case");
            return;
        };
        let entries = match entries.is_empty() {
            true => vec![(String::new(), String::new())],
            false => entries,
        };
        for (name, bytes) in entries {
            for level in levels.split(' ') {
                let version = version(level);
                let mut spoken = BTreeMap::new();
                let filled = lines.iter().map(|line| filled(line, &bytes));
                self.cases.push(Case {
                    chapter: self.chapter.to_owned(),
                    version,
                    statement: statement.clone(),
                    words: words.replace('%', &name),
                    family: words.clone(),
                    brokers: self.brokers.clone(),
                    steps: filled
                        .map(|line| step(&line, version, &mut spoken))
                        .collect(),
                });
            }
        }
    }
}

/// A step with the parts of an entry in it.
fn filled(line: &str, entry: &str) -> String {
    let parts = entry.split(" ; ").enumerate();
    parts.fold(line.to_owned(), |line, (index, part)| {
        line.replace(&format!("%{}", index + 1), part)
    })
}

fn version(level: &str) -> Version {
    match level {
        "3" => Version::V31,
        "4" => Version::V311,
        "5" => Version::V5,
        _ => panic!("{level:?} is no protocol level"),
    }
}

/// Reads a step; `spoken` are the clients that speak another version than the case.
fn step(line: &str, version_of_case: Version, spoken: &mut BTreeMap<char, Version>) -> Step {
    let mut words = line.splitn(3, ' ');
    let client = words.next().and_then(|word| word.chars().next());
    let client = client.expect("a line is not empty");
    let verb = words
        .next()
        .unwrap_or_else(|| panic!("{line:?} has no verb"));
    let rest = words.next().unwrap_or("");
    if let Some(level) = rest.strip_prefix("as ") {
        spoken.insert(client, version(level));
    }
    let spoken = spoken.get(&client).copied().unwrap_or(version_of_case);
    let action = match verb {
        "opens" => Action::Opens,
        "joins" => Action::Joins,
        "stays" => Action::Stays,
        "resumes" => Action::Resumes,
        ">" => Action::Sends(packet(rest, spoken)),
        ">>" => Action::SendsBytes(tokens(rest, spoken)),
        "<" => Action::Receives(rest.split(" | ").map(|one| answer(one, spoken)).collect()),
        "pings" => Action::Pings,
        "leaves" => Action::Leaves,
        "vanishes" => Action::Vanishes,
        "passes" => Action::Passes(rest.parse().expect("a number of seconds")),
        "has" | "lacks" => Action::Property {
            id: byte(rest).unwrap_or_else(|| panic!("{line:?} names no property")),
            present: verb == "has",
        },
        _ => panic!("{line:?} has no verb that is known"),
    };
    Step {
        client,
        version: spoken,
        action,
        line: line.to_owned(),
    }
}

fn answer(text: &str, version: Version) -> Answer {
    let codes = |text: &str| -> Vec<u8> {
        let codes = text.split_whitespace();
        codes
            .map(|code| byte(code).unwrap_or_else(|| panic!("{text:?} are no codes")))
            .collect()
    };
    let for_version = |text: &str| -> String {
        let wanted = text
            .split_whitespace()
            .filter_map(|word| conditional(word, version));
        wanted.collect::<Vec<&str>>().join(" ")
    };
    match text.trim().split_once(' ').unwrap_or((text.trim(), "")) {
        ("closed", "") => Answer::Closed,
        ("ends", rest) => Answer::Ends(codes(&for_version(rest))),
        ("refused", rest) => match codes(&for_version(rest)) {
            codes if codes.is_empty() => Answer::Closed,
            codes => Answer::Refused(codes),
        },
        _ => Answer::Packet(packet(text.trim(), version)),
    }
}

/// A word that may count in some versions only.
fn conditional(word: &str, version: Version) -> Option<&str> {
    if let Some(word) = word.strip_prefix("5:") {
        return (version == Version::V5).then_some(word);
    }
    if let Some(word) = word.strip_prefix("4:") {
        return (version != Version::V5).then_some(word);
    }
    Some(word)
}

const NAMES: [(&str, u8); 15] = [
    ("CONNECT", 0x10),
    ("CONNACK", 0x20),
    ("PUBLISH", 0x30),
    ("PUBACK", 0x40),
    ("PUBREC", 0x50),
    ("PUBREL", 0x62),
    ("PUBCOMP", 0x70),
    ("SUBSCRIBE", 0x82),
    ("SUBACK", 0x90),
    ("UNSUBSCRIBE", 0xA2),
    ("UNSUBACK", 0xB0),
    ("PINGREQ", 0xC0),
    ("PINGRESP", 0xD0),
    ("DISCONNECT", 0xE0),
    ("AUTH", 0xF0),
];

/// A packet: the first token is its first byte, by name or in hexadecimal digits.
fn packet(text: &str, version: Version) -> Vec<Token> {
    let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
    let (name, flags) = first.split_once(':').unwrap_or((first, ""));
    let known = NAMES.iter().find(|(known, _)| *known == name);
    let header = match known {
        Some((_, header)) if flags.is_empty() => *header,
        Some((_, header)) => {
            header & 0xF0 | u8::from_str_radix(flags, 16).expect("flags are one hexadecimal digit")
        }
        None => byte(first).unwrap_or_else(|| panic!("{text:?} begins with no packet")),
    };
    let mut all = vec![Token::Bytes(vec![header])];
    all.extend(tokens(rest, version));
    all
}

fn byte(word: &str) -> Option<u8> {
    (word.len() == 2).then(|| u8::from_str_radix(word, 16).ok())?
}

fn tokens(text: &str, version: Version) -> Vec<Token> {
    let mut rest = text.trim();
    let mut stack: Vec<Vec<Token>> = vec![Vec::new()];
    while let Some(first) = rest.chars().next() {
        let top = stack.len() - 1;
        let token;
        (token, rest) = word(rest);
        match first {
            '{' | '(' => stack.push(Vec::new()),
            '}' | ')' => {
                let inside = stack.pop().expect("a block that ends has begun");
                let outer = stack.last_mut();
                let outer = outer.unwrap_or_else(|| panic!("{text:?}: too many ends of blocks"));
                match first {
                    ')' => outer.push(Token::Group(inside)),
                    _ if version == Version::V5 => outer.push(Token::Block(inside)),
                    _ => {}
                }
            }
            _ => {
                if let Some(word) = conditional(token, version) {
                    stack[top].push(single(word));
                }
            }
        }
        rest = rest.trim_start();
    }
    assert_eq!(stack.len(), 1, "{text:?}: a block does not end");
    stack.pop().expect("one is left")
}

/// Splits off a word; text in quotes is one, with what stands before it.
fn word(text: &str) -> (&str, &str) {
    if text.starts_with(['{', '}', '(', ')']) {
        return text.split_at(1);
    }
    let space = text.find(' ').unwrap_or(text.len());
    match text.find(['\'', '"']) {
        Some(start) if start < space => {
            let quote = &text[start..=start];
            let length = text[start + 1..].find(quote);
            let length = length.unwrap_or_else(|| panic!("{text:?}: the text does not end"));
            text.split_at(start + length + 2)
        }
        _ => text.split_at(space),
    }
}

fn single(word: &str) -> Token {
    let inside = |quote: char| {
        word.strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote))
    };
    if let Some(text) = inside('\'') {
        return Token::Text {
            text: text.to_owned(),
            counted: true,
        };
    }
    if let Some(text) = inside('"') {
        return Token::Text {
            text: text.to_owned(),
            counted: false,
        };
    }
    if let Some(number) = word.strip_prefix('#') {
        return match number.parse::<u16>() {
            Ok(number) => Token::Bytes(number.to_be_bytes().to_vec()),
            Err(_) => Token::Name(number.to_owned()),
        };
    }
    if let Some(limit) = word.strip_prefix('<') {
        return Token::Below(limit.parse().expect("a number of seconds"));
    }
    let digits = word.len().is_multiple_of(2) && word.chars().all(|char| char.is_ascii_hexdigit());
    assert!(
        digits && !word.is_empty(),
        "{word:?} is no part of a packet"
    );
    let bytes = (0..word.len()).step_by(2);
    let bytes = bytes.map(|at| u8::from_str_radix(&word[at..at + 2], 16).expect("they are digits"));
    Token::Bytes(bytes.collect())
}

/// The limit of a message expiry interval that is asked for.
pub fn limit(tokens: &[Token]) -> Option<u32> {
    tokens.iter().find_map(|token| match token {
        Token::Below(limit) => Some(*limit),
        Token::Block(inside) => self::limit(inside),
        _ => None,
    })
}

/// The bytes of tokens. `own` stands for `~`, `named` finds the numbers the broker chose.
pub fn bytes(tokens: &[Token], own: &str, named: &dyn Fn(&str) -> u16) -> Vec<u8> {
    let mut all = Vec::new();
    for token in tokens {
        match token {
            Token::Bytes(bytes) => all.extend_from_slice(bytes),
            Token::Text {
                text,
                counted: true,
            } => all.extend(counted(text.replace('~', own).as_bytes())),
            Token::Text { text, .. } => all.extend_from_slice(text.replace('~', own).as_bytes()),
            Token::Name(name) => all.extend_from_slice(&named(name).to_be_bytes()),
            Token::Below(limit) => all.extend_from_slice(&(limit - 1).to_be_bytes()),
            Token::Block(inside) => {
                let inside = bytes(inside, own, named);
                all.extend(variable(inside.len()));
                all.extend(inside);
            }
            Token::Group(inside) => all.extend(counted(&bytes(inside, own, named))),
        }
    }
    all
}

fn counted(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).expect("text is short");
    [&length.to_be_bytes()[..], bytes].concat()
}

/// A packet whose first byte is the first of `bytes`, with its remaining length.
pub fn framed(bytes: &[u8]) -> Vec<u8> {
    let (header, body) = bytes.split_first().expect("a packet has a first byte");
    [&[*header][..], &variable(body.len()), body].concat()
}

fn variable(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (value % 128) as u8;
        value /= 128;
        bytes.push(if value > 0 { low | 0x80 } else { low });
        if value == 0 {
            return bytes;
        }
    }
}
