//! The MQTT 5 properties of messages, of wills and of CONNECT, as a plan has them.

use serde::{Deserialize, Serialize};

use super::text;
use crate::mqtt::{Properties, Property, topic};

/// What every message of a group, or a will, says beside its payload (3.3.2.3).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MessageProperties {
    /// The payload is UTF-8 text.
    #[serde(default, skip_serializing_if = "text::is_default")]
    pub payload_format_indicator: bool,
    /// Seconds after which it is not delivered any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_expiry_interval: Option<u32>,
    /// What the payload is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// Where an answer should go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_topic: Option<String>,
    /// What an answer should repeat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_data: Option<String>,
    /// Names and values, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub user_property: Vec<(String, String)>,
}

impl MessageProperties {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        *self == MessageProperties::default()
    }

    /// As they are sent.
    pub fn properties(&self) -> Properties {
        let mut properties = Properties::default();
        let mut add = |property: Option<Property>| properties.0.extend(property);
        let of = |text: &Option<String>| text.as_deref().map(Into::into);
        add(self
            .payload_format_indicator
            .then_some(Property::PayloadFormatIndicator(1)));
        add(self
            .message_expiry_interval
            .map(Property::MessageExpiryInterval));
        add(of(&self.content_type).map(Property::ContentType));
        add(of(&self.response_topic).map(Property::ResponseTopic));
        let data = self.correlation_data.clone();
        add(data.map(|data| Property::CorrelationData(data.into())));
        add_user_properties(&mut properties, &self.user_property);
        properties
    }

    /// Whether MQTT can say them.
    ///
    /// # Errors
    /// The first that it cannot, and why.
    pub fn check(&self) -> Result<(), String> {
        if let Some(text) = &self.content_type {
            check("content_type", text)?;
        }
        if let Some(response) = &self.response_topic
            && !topic::is_valid_topic_name(response)
        {
            return Err(format!(
                "response_topic must be a topic to publish to, which {response:?} is not"
            ));
        }
        if let Some(data) = &self.correlation_data
            && data.len() > usize::from(u16::MAX)
        {
            return Err("correlation_data must be at most 65535 bytes long".to_owned());
        }
        check_user_properties(&self.user_property)
    }
}

/// Adds user properties in their order.
pub(super) fn add_user_properties(properties: &mut Properties, pairs: &[(String, String)]) {
    for (name, value) in pairs {
        let (name, value) = (name.as_str().into(), value.as_str().into());
        properties.push(Property::UserProperty(name, value));
    }
}

/// Whether MQTT can say them.
pub(super) fn check_user_properties(pairs: &[(String, String)]) -> Result<(), String> {
    pairs.iter().try_for_each(|(name, value)| {
        check("the name of a user_property", name)?;
        check("the value of a user_property", value)
    })
}

/// Whether MQTT can say it: at most 65,535 bytes without NUL (1.5.4).
fn check(what: &str, text: &str) -> Result<(), String> {
    match text.len() {
        65_536.. => Err(format!("{what} must be at most 65535 bytes long")),
        _ if text.contains('\0') => Err(format!("{what} must be without NUL")),
        _ => Ok(()),
    }
}
