//! What kind of session every client has: what CONNECT says beside who connects where (3.1.2).

use serde::{Deserialize, Serialize};

use super::pattern::Values;
use super::properties::{MessageProperties, add_user_properties, check_user_properties};
use super::{Pattern, text};
use crate::client::{ConnectOptions, Will};
use crate::mqtt::{Property, QoS, topic};

/// The session of each client. What is not given is as MQTT has it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Session {
    /// The broker is to take up the session it has, and to keep it.
    #[serde(default, skip_serializing_if = "text::is_default")]
    pub keep: bool,
    /// Seconds between keep alive packets, 0 for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_alive: Option<u16>,
    /// Seconds the broker keeps it after the connection. MQTT 5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiry_interval: Option<u32>,
    /// The most messages of QoS 1 and 2 a client takes that are not acknowledged. MQTT 5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receive_maximum: Option<u16>,
    /// The largest packet a client takes, in bytes. MQTT 5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum_packet_size: Option<u32>,
    /// How many numbers in place of topics the broker may use. MQTT 5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic_alias_maximum: Option<u16>,
    /// Names and values, in order. MQTT 5.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub user_property: Vec<(String, String)>,
    /// What the broker publishes when a client is cut off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub will: Option<Testament>,
}

/// The will of each client. It is not measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Testament {
    /// Where it goes.
    pub topic: Pattern,
    /// What it says.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub payload: String,
    /// Its quality of service.
    #[serde(default = "text::at_most_once", with = "text::qos")]
    pub qos: QoS,
    /// Whether the broker keeps it.
    #[serde(default, skip_serializing_if = "text::is_default")]
    pub retain: bool,
    /// Seconds the broker waits for the client to come back. MQTT 5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_interval: Option<u32>,
    /// What else it says. MQTT 5.
    #[serde(default, skip_serializing_if = "MessageProperties::is_empty")]
    pub properties: MessageProperties,
}

impl Session {
    /// Whether only MQTT 5 can say it.
    pub fn needs_version_5(&self) -> bool {
        let plain = Session {
            keep: self.keep,
            keep_alive: self.keep_alive,
            will: None,
            ..Session::default()
        };
        let of_will =
            |will: &Testament| will.delay_interval.is_some() || !will.properties.is_empty();
        let rest = Session {
            will: None,
            ..self.clone()
        };
        rest != plain || self.will.as_ref().is_some_and(of_will)
    }

    /// Puts it into what a client connects with, whose placeholders stand for `values`.
    pub fn put_into(&self, options: &mut ConnectOptions, values: Values) {
        if self.keep {
            options.clean_start = false;
            options.session_expiry = u32::MAX;
        }
        if let Some(seconds) = self.expiry_interval {
            options.session_expiry = seconds;
        }
        options.keep_alive = self.keep_alive.unwrap_or(options.keep_alive);
        options.receive_maximum = self.receive_maximum;
        let mut add = |property: Option<Property>| options.properties.0.extend(property);
        add(self.maximum_packet_size.map(Property::MaximumPacketSize));
        add(self.topic_alias_maximum.map(Property::TopicAliasMaximum));
        add_user_properties(&mut options.properties, &self.user_property);
        options.will = self.will.as_ref().map(|will| will.with(values));
    }

    /// Whether MQTT can say it.
    ///
    /// # Errors
    /// What is wrong: the key, and what it must be.
    pub(super) fn check(&self, values: Values) -> Result<(), (&'static str, String)> {
        let wrong = |key, words: &str| Err((key, words.to_owned()));
        if self.receive_maximum == Some(0) {
            return wrong("receive_maximum", "must be at least 1");
        }
        if matches!(self.keep_alive, Some(1..5)) {
            return wrong("keep_alive", "must be 0 or at least 5");
        }
        if self.maximum_packet_size.is_some_and(|bytes| bytes < 16) {
            return wrong("maximum_packet_size", "must be at least 16");
        }
        let is_said = |checked: Result<(), String>, key| checked.map_err(|words| (key, words));
        is_said(check_user_properties(&self.user_property), "user_property")?;
        let Some(will) = &self.will else {
            return Ok(());
        };
        is_said(will.properties.check(), "will")?;
        let topic = will.topic.with(values);
        if will.topic.counts() || !topic::is_valid_topic_name(&topic) {
            let words =
                format!("must have a topic to publish to without %s, which {topic:?} is not");
            return Err(("will", words));
        }
        match will.payload.len() {
            65_536.. => wrong("will", "must have a payload of at most 65535 bytes"),
            _ => Ok(()),
        }
    }
}

impl Testament {
    fn with(&self, values: Values) -> Will {
        let mut properties = self.properties.properties();
        if let Some(seconds) = self.delay_interval {
            properties.push(Property::WillDelayInterval(seconds));
        }
        Will {
            topic: self.topic.with(values).into(),
            payload: self.payload.clone().into(),
            qos: self.qos,
            retain: self.retain,
            properties,
        }
    }
}
