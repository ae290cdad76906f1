//! What the broker has said in CONNACK, and which messages can therefore be sent. Pure.

use crate::mqtt::packet::Publish;
use crate::mqtt::{QoS, Version, codec};

/// What CONNACK said (3.2). Before MQTT 5 there are no limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Accepted {
    /// Whether the broker had kept the session.
    pub(super) session_present: bool,
    /// The largest packet it takes, in bytes on the wire.
    pub(super) maximum_packet_size: Option<u32>,
    /// The highest quality of service it takes.
    pub(super) maximum_qos: Option<u8>,
    /// The highest topic alias it takes.
    pub(super) topic_alias_maximum: u16,
    /// Whether it keeps retained messages.
    pub(super) retain_available: bool,
    /// What topics for replies to us begin with, if we have asked (3.2.2.3.15).
    pub(super) response_information: Option<String>,
}

/// Nothing was said.
impl Default for Accepted {
    fn default() -> Accepted {
        Accepted {
            session_present: false,
            maximum_packet_size: None,
            maximum_qos: None,
            topic_alias_maximum: u16::MAX,
            retain_available: true,
            response_information: None,
        }
    }
}

/// Why a message cannot be sent to this broker.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)]
pub enum Unfit {
    #[error("the message makes a packet of {length} bytes, and the broker takes at most {maximum}")]
    TooLarge { length: usize, maximum: usize },
    #[error("the broker keeps no retained messages")]
    RetainNotAvailable,
    #[error("the broker takes messages of QoS {0} at most")]
    QoSNotAvailable(u8),
    #[error("its topic alias is {alias}, and {}", most_aliases(*maximum))]
    NoSuchAlias { alias: u16, maximum: u16 },
    #[error("{0}")]
    Library(String),
}

fn most_aliases(maximum: u16) -> String {
    match maximum {
        0 => "the broker takes none; leave topic-alias out".to_owned(),
        maximum => format!("the broker takes at most {maximum}; lower topic-alias"),
    }
}

impl Accepted {
    pub(super) fn check(&self, publish: &Publish, version: Version) -> Result<(), Unfit> {
        if publish.retain && !self.retain_available {
            return Err(Unfit::RetainNotAvailable);
        }
        match self.maximum_qos {
            Some(maximum) if publish.qos.number() > maximum => {
                return Err(Unfit::QoSNotAvailable(maximum));
            }
            _ => {}
        }
        match publish.properties.topic_alias() {
            Some(alias) if alias > self.topic_alias_maximum => {
                return Err(Unfit::NoSuchAlias {
                    alias,
                    maximum: self.topic_alias_maximum,
                });
            }
            _ => {}
        }
        let length = packet_length(publish, version);
        let limit = 5 + codec::MAXIMUM_REMAINING_LENGTH;
        let maximum = self.maximum_packet_size.unwrap_or(limit).min(limit) as usize;
        match length > maximum {
            true => Err(Unfit::TooLarge { length, maximum }),
            false => Ok(()),
        }
    }
}

/// Bytes of the whole PUBLISH on the wire (3.3).
fn packet_length(publish: &Publish, version: Version) -> usize {
    let properties = match version {
        Version::V5 if publish.properties.is_empty() => 1,
        Version::V5 => {
            let mut block = Vec::new();
            for property in &publish.properties.0 {
                // One that has no encoding is refused by the library.
                let _ = codec::write_property(property, &mut block);
            }
            block.len() + width(block.len())
        }
        _ => 0,
    };
    let packet_id = if publish.qos == QoS::AtMostOnce { 0 } else { 2 };
    let remaining = 2 + publish.topic.len() + packet_id + properties + publish.payload.len();
    1 + width(remaining) + remaining
}

/// Bytes of a variable byte integer (1.5.5).
fn width(number: usize) -> usize {
    match number {
        0..=0x7F => 1,
        0x80..=0x3FFF => 2,
        0x4000..=0x1F_FFFF => 3,
        _ => 4,
    }
}
