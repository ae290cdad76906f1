//! The words of ours for what the options add up to.

use std::ffi::{OsStr, OsString};

use super::given::Given;
use super::{Translation, command};
use crate::dialect::{Dialect, Mosquitto, Program};
use crate::mqtt::Version;
use crate::mqtt::typed::Carrier;
use crate::output::JsonForm;

impl Given {
    /// What does nothing beside something else here is an error with ours.
    fn drop_idle(&mut self) {
        // mosquitto_rr takes the options of a subscription, and subscribes without them.
        let says_how = self.version == Version::V5 && self.program == Program::Sub;
        let nothing = [
            (!says_how, "--retain-as-published"),
            (!says_how, "--retain-handling"),
            (self.has("-R"), "--retain-handling"),
            (self.has("-R"), "--remove-retained"),
            (self.has("-E"), "--retained-only"),
            (self.has("-E"), "-C"),
            (self.has("-l"), "--repeat"),
            (self.has("-l"), "--repeat-delay"),
            (true, "--keyform"),
        ];
        for (_, name) in nothing.into_iter().filter(|(is_idle, _)| *is_idle) {
            self.values.remove(name);
            self.switches.remove(name);
        }
    }

    /// The words for clap, and the dialect.
    pub(super) fn translation(mut self) -> Translation {
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
        if (self.values.get("--tls-version")).is_some_and(|version| version == "tlsv1.1") {
            // It is the oldest version to accept, and nobody here speaks it.
            self.values.remove("--tls-version");
        }
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

    /// The port, which may be none; 0 when the host is the path of a Unix socket.
    pub(super) fn port(&self) -> i32 {
        match self.port {
            Some(port) => port,
            None if self.has_authorities() => 8883,
            None => 1883,
        }
    }

    fn has_authorities(&self) -> bool {
        self.has("--cafile") || self.has("--capath") || self.has("--psk")
    }

    /// Host, port and what the port alone says about TLS.
    fn address(&mut self, add: &mut impl FnMut(&str, &OsStr)) {
        let has_authorities = self.has_authorities();
        let port = self.port();
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
