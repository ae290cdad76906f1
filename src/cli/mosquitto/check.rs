//! What the options must be together, in the order in which mosquitto's clients look at it.

use std::ffi::OsStr;

use super::Translation;
use super::given::{Given, Outcome, text};
use crate::dialect::{Program, Refusal};
use crate::mqtt::typed::{Carrier, TypedProperty};
use crate::mqtt::{Property, Version};

impl Given {
    /// Looks at everything for the last time.
    ///
    /// # Errors
    /// What mosquitto's client says of what does not go together.
    pub(super) fn finish(mut self) -> Result<Translation, Refusal> {
        self.check_together()
            .map_err(|message| Refusal::usage(self.program, &message))?;
        self.check_properties()?;
        self.check_program()?;
        self.check_client()?;
        self.check_address()?;
        Ok(self.translation())
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
        let is_nobody = match self.values.get("-i") {
            Some(id) => id.is_empty(),
            None => self.keeps_session && !self.has("-I"),
        };
        if is_nobody {
            return Err(self.quietly(match self.program {
                Program::Pub => "Error: Invalid id.\n",
                Program::Sub | Program::Rr => "Error: Invalid id and/or clean_session.\n",
            }));
        }
        let nameless = self.has("-P") && !self.has("-u") && self.version < Version::V5;
        if nameless || !is_text("-u") {
            return Err(self.quietly("Error: Problem setting username and/or password.\n"));
        }
        if (self.values.get("--cafile")).is_some_and(|file| file.is_empty()) {
            return Err(self.quietly("Error: Problem setting TLS options: File not found.\n"));
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
            None | Some("pem") => {}
            Some("engine") => {
                return Err(self.quietly("Error: keys of engines are not supported here.\n"));
            }
            Some(_) => {
                return Err(self.quietly(
                    "Error: Problem setting key form, it must be one of 'pem' or 'engine'.\n",
                ));
            }
        }
        let version = self.values.get("--tls-version");
        let versions = ["tlsv1.1", "tlsv1.2", "tlsv1.3"];
        match version.is_none_or(|version| versions.iter().any(|known| version == known)) {
            true => Ok(()),
            false => {
                Err(self
                    .quietly("Error: Problem setting TLS options, check the options are valid.\n"))
            }
        }
    }

    /// Where there is nothing to connect to.
    fn check_address(&self) -> Result<(), Refusal> {
        let host = self.host.as_deref().map(OsStr::to_str);
        let is_empty = host == Some(Some(""));
        let words = match self.port() {
            0 if is_empty => "Invalid function arguments provided.",
            port if !(0..=65_535).contains(&port) => "Invalid function arguments provided.",
            0 => return Ok(()),
            _ if is_empty || host == Some(None) => "Lookup error.",
            _ => return Ok(()),
        };
        Err(self.quietly(&format!("Unable to connect ({words}).\n")))
    }

    /// What `--quiet` keeps from being said.
    fn quietly(&self, message: &str) -> Refusal {
        Refusal::saying(if self.has("--quiet") { "" } else { message })
    }
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
