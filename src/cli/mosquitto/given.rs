//! What the options read so far add up to, and the words of ours for it.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::slice;

use super::number::{atof, atoi, atol, strtol};
use super::options::MosquittoOption;
use super::{Translation, command};
use crate::dialect::{Dialect, Mosquitto, Program, Refusal};
use crate::mqtt::topic;
use crate::mqtt::typed::{Carrier, Fault, TypedProperty};
use crate::mqtt::{Property, Version};
use crate::output::{FormatFault, JsonForm, Template};

/// What an option does with its value, or says about it.
pub(super) type Act = fn(&mut Given, &OsStr) -> Outcome;

/// The message is without `Use ... --help`, but with its empty line.
type Outcome = Result<(), String>;

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
    values: BTreeMap<&'static str, OsString>,
    switches: BTreeSet<&'static str>,
    /// Options that add up, in their order.
    lists: Vec<(&'static str, OsString)>,
    payload: Option<Source>,
    host: Option<OsString>,
    /// 0 when the host is the path of a Unix socket.
    port: Option<i32>,
    version: Version,
    keeps_session: bool,
    session_expiry: Option<u32>,
    properties: Vec<TypedProperty>,
    is_strict: bool,
    json_is_newer: bool,
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

    pub(super) fn port(&mut self, value: &OsStr) -> Outcome {
        let port = atoi(&text(value));
        self.port = Some(port);
        match port {
            0..=65_535 => Ok(()),
            port => Err(format!("Error: Invalid port given: {port}\n")),
        }
    }

    /// No percent-decoding: a password that works with mosquitto's client shall work here.
    pub(super) fn url(&mut self, value: &OsStr) -> Outcome {
        let url = text(value);
        let schemes = [
            ("mqtt://", 1883, None, None),
            ("mqtts://", 8883, Some("--tls-use-os-certs"), None),
            ("ws://", 1883, None, Some("--ws")),
            ("wss://", 8883, Some("--tls-use-os-certs"), Some("--ws")),
        ];
        let scheme = schemes.into_iter().find_map(|(prefix, port, tls, ws)| {
            let (start, rest) = url.split_at_checked(prefix.len())?;
            let is_it = start.eq_ignore_ascii_case(prefix);
            is_it.then_some((rest, port, tls, ws))
        });
        let Some((rest, port, tls, ws)) = scheme else {
            return Err("Error: unsupported URL scheme.\n\n".to_owned());
        };
        self.port = Some(port);
        self.switches.extend(tls.into_iter().chain(ws));
        let Some((authority, topic)) = rest.split_once('/') else {
            return Err(
                "Error: Invalid URL for -L argument specified - topic missing.\n".to_owned(),
            );
        };
        self.topic(OsStr::new(topic), "-L topic")?;
        let address = match authority.split_once('@') {
            None => authority,
            Some((user, address)) => {
                let (name, password) = match user.split_once(':') {
                    Some((name, password)) => (name, Some(password)),
                    None => (user, None),
                };
                self.values.insert("-u", name.into());
                if let Some(password) = password {
                    self.values.insert("-P", password.into());
                }
                address
            }
        };
        let (host, port) = match address
            .strip_prefix('[')
            .and_then(|address| address.split_once(']'))
        {
            Some((host, port)) => (host, port.strip_prefix(':')),
            None => match address.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (address, None),
            },
        };
        if let Some(port) = port {
            self.port = Some(atoi(port));
        }
        self.host(OsStr::new(host))
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
        let mut format = text(value).into_owned();
        loop {
            let fault = match format.parse::<Template>() {
                Ok(_) => return self.set("-F", OsStr::new(&format)),
                Err(fault) => fault,
            };
            let words = match fault {
                // To strftime this is text.
                FormatFault::Time(letter) => {
                    let letter = char::from(letter);
                    format = format.replace(&format!("@{letter}"), &format!("%%{letter}"));
                    continue;
                }
                FormatFault::OpenField | FormatFault::OpenTime => {
                    "Incomplete format specifier.".to_owned()
                }
                FormatFault::Field(letter) => {
                    format!("Invalid format specifier '{}'.", char::from(letter))
                }
                FormatFault::OpenEscape => "Incomplete escape specifier.".to_owned(),
                FormatFault::Escape(letter) => {
                    format!("Invalid escape specifier '{}'.", char::from(letter))
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

    /// Looked at here as far as mosquitto's client has words for what is wrong.
    pub(super) fn proxy(&mut self, value: &OsStr) -> Outcome {
        let url = text(value);
        let Some(address) = url.strip_prefix("socks5h://") else {
            return Err(format!("Error: Unsupported proxy protocol: {url}\n"));
        };
        let (user, place) = match address.split_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, address),
        };
        let (host, port) = match place.split_once(':') {
            Some((host, port)) => (host, Some(atoi(port))),
            None => (place, None),
        };
        if host.is_empty() || user.is_some_and(|user| user.is_empty() || user.starts_with(':')) {
            let has_words = address.is_empty();
            return Err(if has_words {
                "Error: Invalid proxy.\n"
            } else {
                ""
            }
            .to_owned());
        }
        match port {
            None | Some(1..=65_535) => self.set("--proxy", value),
            Some(port) => Err(format!("Error: Invalid proxy port {port}\n")),
        }
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

    /// The last look at everything, and the words.
    pub(super) fn finish(mut self) -> Result<Translation, Refusal> {
        self.check_together()
            .map_err(|message| Refusal::usage(self.program, &message))?;
        self.check_properties()?;
        self.check_program()?;
        self.check_client()?;
        Ok(self.translation())
    }

    fn has(&self, name: &str) -> bool {
        self.values.contains_key(name) || self.switches.contains(name)
    }

    fn check_together(&mut self) -> Outcome {
        let both = [
            (
                self.has("--will-payload") && !self.has("--will-topic"),
                "Error: Will payload given, but no will topic given.\n",
            ),
            (
                self.has("--will-retain") && !self.has("--will-topic"),
                "Error: Will retain given, but no will topic given.\n",
            ),
            (
                self.has("--cert") != self.has("--key"),
                "Error: Both certfile and keyfile must be provided if one of them is set.\n",
            ),
            (
                self.has("--keyform") && !self.has("--key"),
                "Error: If keyform is set, keyfile must be also specified.\n",
            ),
            (
                self.has("--tls-engine-kpass-sha1")
                    && !(self.has("--keyform") && self.has("--tls-engine")),
                "Error: when using tls-engine-kpass-sha1, both tls-engine and keyform must also be provided.\n",
            ),
            (
                self.has("--psk") && (self.has("--cafile") || self.has("--capath")),
                "Error: Only one of --psk or --cafile/--capath may be used at once.\n",
            ),
            (
                self.has("--psk") && !self.has("--psk-identity"),
                "Error: --psk-identity required if --psk used.\n",
            ),
        ];
        if let Some((_, message)) = both.into_iter().find(|(is_wrong, _)| *is_wrong) {
            return Err(message.to_owned());
        }
        let has_id = self.values.contains_key("-i");
        if self.version == Version::V5 {
            if self.keeps_session && self.session_expiry.is_none() {
                self.session_expiry = Some(u32::MAX);
            }
            if self.session_expiry == Some(u32::MAX) && !has_id {
                return Err("Error: You must provide a client id if you are using an infinite session expiry interval.\n".to_owned());
            }
        } else if self.keeps_session && !has_id {
            return Err(
                "Error: You must provide a client id if you are using the -c option.\n".to_owned(),
            );
        }
        let has = |list: &str| self.lists.iter().any(|(name, _)| *name == list);
        if self.program == Program::Sub && !has("-t") && !has("-U") {
            return Err("Error: You must specify a topic to subscribe to.\n".to_owned());
        }
        Ok(())
    }

    /// What the properties of one packet must be together.
    fn check_properties(&self) -> Result<(), Refusal> {
        let carriers = [
            (Carrier::Connect, "CONNECT"),
            (Carrier::Publish, "PUBLISH"),
            (Carrier::Subscribe, "SUBSCRIBE"),
            (Carrier::Unsubscribe, "UNSUBSCRIBE"),
            (Carrier::Disconnect, "DISCONNECT"),
            (Carrier::Will, "Will"),
        ];
        for (carrier, name) in carriers {
            let mut all: Vec<&Property> = Vec::new();
            for typed in self
                .properties
                .iter()
                .filter(|each| each.carrier == carrier)
            {
                all.push(&typed.property);
            }
            let expiry = self.session_expiry.unwrap_or_default();
            let expiry = Property::SessionExpiryInterval(expiry);
            if carrier == Carrier::Connect && self.speaks_of_expiry() {
                all.push(&expiry);
            }
            let is_wrong = all.iter().any(|property| is_refused(property));
            let is_twice = all.iter().enumerate().any(|(place, property)| {
                let same = |other: &&Property| {
                    std::mem::discriminant(*other) == std::mem::discriminant(*property)
                };
                !matches!(property, Property::UserProperty(..)) && all[..place].iter().any(same)
            });
            let fault = match (is_wrong, is_twice) {
                (true, _) => {
                    "A network protocol error occurred when communicating with the broker."
                }
                (_, true) => "Duplicate property in property list",
                _ => continue,
            };
            let message = match self.has("--quiet") {
                true => String::new(),
                false => format!("Error in {name} properties: {fault}\n"),
            };
            return Err(Refusal::usage(self.program, &message));
        }
        Ok(())
    }

    fn speaks_of_expiry(&self) -> bool {
        self.version == Version::V5 && self.session_expiry.is_some_and(|seconds| seconds > 0)
    }

    /// What each client cannot do without.
    fn check_program(&self) -> Result<(), Refusal> {
        let has_message = self.has("-t") && self.payload.is_some();
        match self.program {
            Program::Pub if !has_message => Err(Refusal::with_help(
                self.program,
                "Error: Both topic and message must be supplied.\n",
            )),
            Program::Sub if self.has("-R") && self.has("--retained-only") => Err(Refusal::saying(
                "\nError: Combining '-R' and '--retained-only' makes no sense.\n",
            )),
            Program::Rr if !has_message || !self.has("-e") => Err(Refusal::usage(
                self.program,
                "Error: All of topic, message, and response topic must be supplied.\n",
            )),
            Program::Rr if self.answers_elsewhere() => {
                Err(self.quietly("Error in PUBLISH properties: Duplicate response topic.\n"))
            }
            _ => Ok(()),
        }
    }

    fn answers_elsewhere(&self) -> bool {
        let is_response_topic = |typed: &TypedProperty| {
            typed.carrier == Carrier::Publish
                && matches!(typed.property, Property::ResponseTopic(_))
        };
        self.properties.iter().any(is_response_topic)
    }

    /// What the library refuses before it connects.
    fn check_client(&self) -> Result<(), Refusal> {
        let is_text = |name: &str| {
            let value = self.values.get(name);
            value.is_none_or(|value| value.to_str().is_some())
        };
        if !is_text("-i") || !is_text("-I") {
            return Err(Refusal::default());
        }
        if self.values.get("-i").is_some_and(|id| id.is_empty()) {
            return Err(self.quietly(match self.program {
                Program::Pub => "Error: Invalid id.\n",
                Program::Sub | Program::Rr => "Error: Invalid id and/or clean_session.\n",
            }));
        }
        let nameless = self.has("-P") && !self.has("-u") && self.version < Version::V5;
        if nameless || !is_text("-u") {
            return Err(self.quietly("Error: Problem setting username and/or password.\n"));
        }
        if let Some(engine) = self.values.get("--tls-engine") {
            let engine = text(engine);
            return Err(self.quietly(&format!(
                "Error: Problem setting TLS engine, is {engine} a valid engine?\n"
            )));
        }
        match self
            .values
            .get("--keyform")
            .map(|form| text(form))
            .as_deref()
        {
            None | Some("pem") => Ok(()),
            Some("engine") => Err(self.quietly("Error: keys of engines are not supported here.\n")),
            Some(_) => Err(self.quietly(
                "Error: Problem setting key form, it must be one of 'pem' or 'engine'.\n",
            )),
        }
    }

    /// What `--quiet` keeps from being said.
    fn quietly(&self, message: &str) -> Refusal {
        Refusal::saying(if self.has("--quiet") { "" } else { message })
    }

    /// What does nothing beside something else here is an error with ours.
    fn drop_idle(&mut self) {
        let nothing = [
            (self.version < Version::V5, "--retain-as-published"),
            (self.version < Version::V5, "--retain-handling"),
            (self.has("-R"), "--retain-handling"),
            (self.has("-R"), "--remove-retained"),
            (self.has("-E"), "--retained-only"),
            (self.has("-E"), "-C"),
            (true, "--keyform"),
        ];
        for (_, name) in nothing.into_iter().filter(|(is_idle, _)| *is_idle) {
            self.values.remove(name);
            self.switches.remove(name);
        }
    }

    fn translation(mut self) -> Translation {
        self.drop_idle();
        let dialect = Dialect::Mosquitto(Mosquitto {
            program: self.program,
            is_strict: self.is_strict,
            json: JsonForm {
                is_pretty: self.switches.remove("--pretty"),
                is_older: !self.json_is_newer,
            },
        });
        let mut words: Vec<OsString> = vec!["mqtt".into(), command(self.program).into()];
        let mut add = |name: &str, value: &OsStr| {
            let mut word = OsString::from(format!("{name}="));
            word.push(value);
            words.push(word);
        };
        let version = match self.version {
            Version::V31 => "31",
            Version::V311 => "311",
            Version::V5 => "5",
        };
        add("-V", OsStr::new(version));
        self.address(&mut add);
        if !self.has("-i") && !self.has("-I") && self.version > Version::V31 {
            // The broker makes one up; MQTT 3.1 has no such thing.
            add("-i", OsStr::new(""));
        }
        if self.version == Version::V5 && self.session_expiry.is_some() {
            let seconds = self.session_expiry.unwrap_or_default();
            add("-x", OsStr::new(&seconds.to_string()));
        }
        for (name, value) in &self.values {
            add(name, value);
        }
        for (name, value) in &self.lists {
            add(name, value);
        }
        let has_will = self.has("--will-topic");
        for property in &self.properties {
            if property.carrier == Carrier::Will && !has_will {
                continue;
            }
            add("--property-on-wire", OsStr::new(&property.to_string()));
        }
        if self.keeps_session {
            words.push("-c".into());
        }
        words.extend(self.switches.into_iter().map(OsString::from));
        // They come back whatever the reason was.
        words.push("--takeover=fight".into());
        words.push("--retry-max-delay=1".into());
        Translation { words, dialect }
    }

    /// Host, port and what the port alone says about TLS.
    fn address(&mut self, add: &mut impl FnMut(&str, &OsStr)) {
        let has_authorities = self.has("--cafile") || self.has("--capath") || self.has("--psk");
        let port = match (self.port, has_authorities) {
            (Some(port), _) => port,
            (None, true) => 8883,
            (None, false) => 1883,
        };
        let host = self.host.take().unwrap_or_else(|| "localhost".into());
        if port == 0 {
            return add("--unix", &host);
        }
        add("-h", &host);
        add("-p", OsStr::new(&port.to_string()));
        let no_tls = self.switches.remove("--no-tls");
        if no_tls {
            self.forget_tls();
        } else if port == 8883 && !has_authorities {
            self.switches.insert("--tls-use-os-certs");
        } else if !has_authorities && !self.has("--tls-use-os-certs") {
            // The other options of TLS do not turn it on.
            self.forget_tls();
        }
    }
}

impl Given {
    fn forget_tls(&mut self) {
        self.values.retain(|name, _| !is_about_tls(name));
        self.switches.retain(|name| !is_about_tls(name));
    }
}

fn is_about_tls(name: &str) -> bool {
    name.starts_with("--tls-")
        || [
            "--cafile",
            "--capath",
            "--cert",
            "--key",
            "--ciphers",
            "--insecure",
        ]
        .contains(&name)
        || name.starts_with("--psk")
}

/// For options whose value is read as a number or compared: what is no UTF-8 is neither.
fn text(value: &OsStr) -> std::borrow::Cow<'_, str> {
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

/// Values that MQTT 5 does not allow where mosquitto's library looks.
fn is_refused(property: &Property) -> bool {
    matches!(
        property,
        Property::TopicAlias(0)
            | Property::ReceiveMaximum(0)
            | Property::MaximumPacketSize(0)
            | Property::RequestProblemInformation(2..)
            | Property::RequestResponseInformation(2..)
    )
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
        Fault::NotSupported { name, command } if matches!(&**command, "publish" | "auth") => {
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
