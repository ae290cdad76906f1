//! What the options read so far add up to.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::slice;

use super::number::{atof, atoi, atol, strtol};
use super::options::MosquittoOption;
use super::url::{BrokerUrl, ProxyUrl};
use crate::dialect::Program;
use crate::mqtt::Version;
use crate::mqtt::topic;
use crate::mqtt::typed::{Fault, TypedProperty};
use crate::output::{FormatFault, Template};

/// The message is without `Use ... --help`, but with its empty line.
pub(super) type Outcome = Result<(), String>;

/// Where the payload comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Text,
    File,
    Stdin,
    Lines,
    Empty,
}

impl Source {
    fn name(self) -> &'static str {
        match self {
            Source::Text => "-m",
            Source::File => "-f",
            Source::Stdin => "-s",
            Source::Lines => "-l",
            Source::Empty => "-n",
        }
    }
}

/// Everything said so far.
pub(super) struct Given {
    pub(super) program: Program,
    /// Options of which the last one counts, under our names.
    pub(super) values: BTreeMap<&'static str, OsString>,
    pub(super) switches: BTreeSet<&'static str>,
    /// Options that add up, in their order.
    pub(super) lists: Vec<(&'static str, OsString)>,
    pub(super) payload: Option<Source>,
    pub(super) host: Option<OsString>,
    /// 0 when the host is the path of a Unix socket.
    pub(super) port: Option<i32>,
    pub(super) version: Version,
    pub(super) keeps_session: bool,
    pub(super) session_expiry: Option<u32>,
    pub(super) properties: Vec<TypedProperty>,
    pub(super) is_strict: bool,
    pub(super) json_is_newer: bool,
}

impl Given {
    /// Nothing yet.
    pub(super) fn new(program: Program) -> Given {
        Given {
            program,
            values: BTreeMap::new(),
            switches: BTreeSet::new(),
            lists: Vec::new(),
            payload: None,
            host: None,
            port: None,
            version: match program {
                Program::Pub | Program::Sub => Version::V311,
                Program::Rr => Version::V5,
            },
            keeps_session: false,
            session_expiry: None,
            properties: Vec::new(),
            is_strict: false,
            json_is_newer: false,
        }
    }

    pub(super) fn set(&mut self, name: &'static str, value: &OsStr) -> Outcome {
        self.values.insert(name, value.to_owned());
        Ok(())
    }

    pub(super) fn turn_on(&mut self, name: &'static str) -> Outcome {
        self.switches.insert(name);
        Ok(())
    }

    pub(super) fn be_strict(&mut self) -> Outcome {
        self.is_strict = true;
        Ok(())
    }

    pub(super) fn keep_session(&mut self) -> Outcome {
        self.keeps_session = true;
        Ok(())
    }

    pub(super) fn host(&mut self, value: &OsStr) -> Outcome {
        self.host = Some(value.to_owned());
        Ok(())
    }

    pub(super) fn unix(&mut self, value: &OsStr) -> Outcome {
        self.port = Some(0);
        self.host(value)
    }

    pub(super) fn set_port(&mut self, value: &OsStr) -> Outcome {
        let port = atoi(&text(value));
        self.port = Some(port);
        match port {
            0..=65_535 => Ok(()),
            port => Err(format!("Error: Invalid port given: {port}\n")),
        }
    }

    pub(super) fn url(&mut self, value: &OsStr) -> Outcome {
        let url = text(value);
        let url = BrokerUrl::parse(&url)?;
        self.topic(OsStr::new(url.topic), "-L topic")?;
        self.port = Some(url.port);
        if url.has_tls {
            self.switches.insert("--tls-use-os-certs");
        }
        if url.has_websocket {
            self.switches.insert("--ws");
        }
        if let Some((name, password)) = url.user {
            self.values.insert("-u", name.into());
            if let Some(password) = password {
                self.values.insert("-P", password.into());
            }
        }
        self.host(OsStr::new(url.host))
    }

    pub(super) fn topic(&mut self, value: &OsStr, option: &str) -> Outcome {
        let topic = utf8(value, option)?;
        match self.program {
            Program::Sub => {
                let words = || {
                    format!(
                        "Error: Invalid subscription topic '{topic}', are all '+' and '#' wildcards correct?\n"
                    )
                };
                filter(topic).map_err(|()| words())?;
                self.lists.push(("-t", topic.into()));
                Ok(())
            }
            Program::Pub | Program::Rr => {
                name(topic).map_err(|()| {
                    format!("Error: Invalid publish topic '{topic}', does it contain '+' or '#'?\n")
                })?;
                self.set("-t", value)
            }
        }
    }

    pub(super) fn response_topic(&mut self, value: &OsStr) -> Outcome {
        let topic = utf8(value, "-e")?;
        name(topic).map_err(|()| {
            format!("Error: Invalid response topic '{topic}', does it contain '+' or '#'?\n")
        })?;
        self.set("-e", value)
    }

    pub(super) fn will_topic(&mut self, value: &OsStr) -> Outcome {
        let topic = utf8(value, "--will-topic")?;
        name(topic).map_err(|()| {
            format!("Error: Invalid will topic '{topic}', does it contain '+' or '#'?\n")
        })?;
        self.set("--will-topic", value)
    }

    pub(super) fn filter_out(&mut self, value: &OsStr) -> Outcome {
        let topic = utf8(value, "-T")?;
        filter(topic).map_err(|()| {
            format!(
                "Error: Invalid filter topic '{topic}', are all '+' and '#' wildcards correct?\n"
            )
        })?;
        self.lists.push(("-T", topic.into()));
        Ok(())
    }

    pub(super) fn unsubscribe(&mut self, value: &OsStr) -> Outcome {
        let topic = utf8(value, "-U")?;
        filter(topic).map_err(|()| {
            format!("Error: Invalid unsubscribe topic '{topic}', are all '+' and '#' wildcards correct?\n")
        })?;
        self.lists.push(("-U", topic.into()));
        Ok(())
    }

    /// Whether the option names a payload when there is one already, which is seen even before its value is missed.
    pub(super) fn payload_twice(&self, option: &MosquittoOption) -> bool {
        let is_payload = ["-m", "-f", "-s", "-l", "-n"].contains(&option.names[0]);
        is_payload && self.payload.is_some()
    }

    pub(super) fn payload(&mut self, source: Source, value: &OsStr) -> Outcome {
        self.payload = Some(source);
        match source {
            Source::Text | Source::File => self.set(source.name(), value),
            Source::Stdin | Source::Lines | Source::Empty => self.turn_on(source.name()),
        }
    }

    pub(super) fn id(&mut self, value: &OsStr) -> Outcome {
        self.one_id("-I")?;
        self.set("-i", value)
    }

    pub(super) fn id_prefix(&mut self, value: &OsStr) -> Outcome {
        self.one_id("-i")?;
        self.set("-I", value)
    }

    fn one_id(&self, other: &str) -> Outcome {
        match self.values.contains_key(other) {
            true => Err("Error: -i and -I argument cannot be used together.\n\n".to_owned()),
            false => Ok(()),
        }
    }

    pub(super) fn format(&mut self, value: &OsStr) -> Outcome {
        let mut format = value.to_owned();
        loop {
            let fault = match Template::parse(format.as_encoded_bytes()) {
                Ok(_) => return self.set("-F", &format),
                Err(fault) => fault,
            };
            let words = match fault {
                // To strftime this is text.
                FormatFault::Time(letter) => {
                    format = without_time(&text(&format), letter).into();
                    continue;
                }
                FormatFault::OpenField | FormatFault::OpenTime => {
                    "Incomplete format specifier.".to_owned()
                }
                FormatFault::Field(letter) => {
                    format!("Invalid format specifier '{}'.", shown(letter))
                }
                FormatFault::OpenEscape => "Incomplete escape specifier.".to_owned(),
                FormatFault::Escape(letter) => {
                    format!("Invalid escape specifier '{}'.", shown(letter))
                }
                FormatFault::Width => fault.to_string(),
            };
            return Err(format!("Error: {words}\n"));
        }
    }

    pub(super) fn count(&mut self, value: &OsStr) -> Outcome {
        self.positive("-C", atoi(&text(value)), |count| {
            format!("Error: Invalid message count \"{count}\".\n\n")
        })
    }

    pub(super) fn timeout(&mut self, value: &OsStr) -> Outcome {
        self.positive("-W", atoi(&text(value)), |time| {
            format!("Error: Invalid timeout \"{time}\".\n\n")
        })
    }

    pub(super) fn in_flight(&mut self, value: &OsStr) -> Outcome {
        self.positive("-M", atoi(&text(value)), |_| {
            "Error: Maximum inflight messages must be greater than 0.\n\n".to_owned()
        })
    }

    pub(super) fn repeat(&mut self, value: &OsStr) -> Outcome {
        self.positive("--repeat", atoi(&text(value)), |_| {
            "Error: --repeat argument must be >0.\n\n".to_owned()
        })
    }

    fn positive(&mut self, name: &'static str, number: i32, wrong: fn(i32) -> String) -> Outcome {
        match number {
            1.. => self.set(name, OsStr::new(&number.to_string())),
            number => Err(wrong(number)),
        }
    }

    pub(super) fn repeat_delay(&mut self, value: &OsStr) -> Outcome {
        match atof(&text(value)) {
            seconds if seconds < 0.0 => {
                Err("Error: --repeat-delay argument must be >=0.0.\n\n".to_owned())
            }
            seconds => self.set("--repeat-delay", OsStr::new(&format!("{seconds}"))),
        }
    }

    pub(super) fn random_filter(&mut self, value: &OsStr) -> Outcome {
        // In tenths of a percent, and only what is no tenth of anything is refused.
        match (10.0 * atof(&text(value))) as i64 {
            tenths @ 1..=10_000 => {
                let percent = tenths.min(1000) as f64 / 10.0;
                self.set("--random-filter", OsStr::new(&percent.to_string()))
            }
            _ => Err("Error: --random-filter chance must be between 0.1-100.0\n\n".to_owned()),
        }
    }

    pub(super) fn keepalive(&mut self, value: &OsStr) -> Outcome {
        match atoi(&text(value)) {
            seconds @ 5..=65_535 => self.set("-k", OsStr::new(&seconds.to_string())),
            _ => Err(
                "Error: Invalid keepalive given, it must be between 5 and 65535 inclusive.\n\n"
                    .to_owned(),
            ),
        }
    }

    pub(super) fn qos(&mut self, value: &OsStr) -> Outcome {
        match atoi(&text(value)) {
            qos @ 0..=2 => self.set("-q", OsStr::new(&qos.to_string())),
            qos => Err(format!("Error: Invalid QoS given: {qos}\n")),
        }
    }

    pub(super) fn will_qos(&mut self, value: &OsStr) -> Outcome {
        match atoi(&text(value)) {
            qos @ 0..=2 => self.set("--will-qos", OsStr::new(&qos.to_string())),
            qos => Err(format!("Error: Invalid will QoS {qos}.\n\n")),
        }
    }

    pub(super) fn version(&mut self, value: &OsStr) -> Outcome {
        self.version = match value.to_str() {
            Some("mqttv31" | "31") => Version::V31,
            Some("mqttv311" | "311") => Version::V311,
            Some("mqttv5" | "5") => Version::V5,
            _ => return Err("Error: Invalid protocol version argument given.\n\n".to_owned()),
        };
        Ok(())
    }

    pub(super) fn session_expiry(&mut self, value: &OsStr) -> Outcome {
        let value = text(value);
        let seconds = match strtol(&value) {
            _ if value == "∞" => u32::MAX.into(),
            None => return Err("Error: session-expiry-interval not a number.\n\n".to_owned()),
            Some(-1) => u32::MAX.into(),
            Some(seconds) => seconds,
        };
        match u32::try_from(seconds) {
            Ok(seconds) => self.session_expiry = Some(seconds),
            Err(_) => return Err("Error: session-expiry-interval out of range.\n\n".to_owned()),
        }
        Ok(())
    }

    pub(super) fn retain_handling(&mut self, value: &OsStr) -> Outcome {
        match value.to_str() {
            Some("always" | "new" | "never") => self.set("--retain-handling", value),
            _ => Err(format!(
                "Error: Unknown value '{}' for --retain-handling.\n\n",
                text(value)
            )),
        }
    }

    pub(super) fn json_compat(&mut self, value: &OsStr) -> Outcome {
        self.json_is_newer = match value.to_str() {
            Some("2.0") => false,
            Some("2.1") => true,
            _ => return Err("Error: --json-compat is 2.0 or 2.1.\n\n".to_owned()),
        };
        Ok(())
    }

    pub(super) fn proxy(&mut self, value: &OsStr) -> Outcome {
        let url = ProxyUrl::parse(&text(value))?;
        self.set("--proxy", OsStr::new(&url.ours()))
    }

    /// The words of one `-D`, which takes three, or four for a user property.
    pub(super) fn property(&mut self, words: &mut slice::Iter<'_, OsString>) -> Outcome {
        let typed: Vec<&OsStr> = words.as_slice().iter().take(4).map(AsRef::as_ref).collect();
        self.version = Version::V5;
        let (property, taken) = TypedProperty::parse(&typed, |text| Some(atol(text)))
            .map_err(|fault| complaint(&fault))?;
        words.nth(taken - 1);
        self.properties.push(property);
        Ok(())
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.values.contains_key(name) || self.switches.contains(name)
    }
}

/// A byte of a format; a part of a longer character is none of its own.
fn shown(byte: u8) -> char {
    match byte.is_ascii() {
        true => byte.into(),
        false => char::REPLACEMENT_CHARACTER,
    }
}

/// The format with its first `@` before this byte as text.
fn without_time(format: &str, letter: u8) -> String {
    let bytes = format.as_bytes();
    let mut place = 0;
    while let Some([first, second]) = bytes.get(place..place + 2) {
        match (*first == b'@', *second == letter) {
            (true, true) => return format!("{}%%{}", &format[..place], &format[place + 1..]),
            (true, false) => place += 2,
            (false, _) => place += 1,
        }
    }
    format.replace('@', "%%")
}

/// For options whose value is read as a number or compared: what is no UTF-8 is neither.
pub(super) fn text(value: &OsStr) -> std::borrow::Cow<'_, str> {
    value.to_string_lossy()
}

fn utf8<'a>(value: &'a OsStr, option: &str) -> Result<&'a str, String> {
    let malformed = || format!("Error: Malformed UTF-8 in {option} argument.\n\n");
    value.to_str().ok_or_else(malformed)
}

/// An empty topic is found out later.
fn name(topic: &str) -> Result<(), ()> {
    let is_valid = topic.is_empty() || topic::is_valid_topic_name(topic);
    is_valid.then_some(()).ok_or(())
}

fn filter(topic: &str) -> Result<(), ()> {
    let is_valid = topic::is_valid_topic_filter(topic);
    is_valid.then_some(()).ok_or(())
}

/// What mosquitto's clients say of it.
fn complaint(fault: &Fault) -> String {
    let words = match fault {
        Fault::TooFew => "--property argument given but not enough arguments specified.".to_owned(),
        Fault::Command(_) => "Invalid command given in --property argument.".to_owned(),
        Fault::Name(_) => "Invalid property name given in --property argument.".to_owned(),
        Fault::NotAllowed { name, command } => {
            format!("{name} property not allowed for {command} in --property argument.")
        }
        Fault::NotSupported { name, command }
            if ["publish", "auth"].contains(&&*command.to_lowercase()) =>
        {
            format!("{name} property not supported for {command} in --property argument.")
        }
        Fault::NotSupported { .. } => return String::new(),
        Fault::OutOfRange { name, value } => {
            format!("Property value ({value}) out of range for property {name}.")
        }
        Fault::TooLong { name } => format!("Property value too long for property {name}."),
        Fault::NoNumber { name, .. } => {
            format!("Property value (0) out of range for property {name}.")
        }
        Fault::Unsayable { name, kind } => return format!("Error adding property {name} {kind}\n"),
    };
    format!("Error: {words}\n\n")
}
