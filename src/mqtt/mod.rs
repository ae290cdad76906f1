//! What MQTT itself defines: packets, properties, reason codes, topic names and filters, and the wire codec
//! for MQTT 3.1 (CONNECT only differs), 3.1.1 and 5.
//!
//! Everything here is pure: bytes and values in, bytes and values out. It knows no socket, no clock and no
//! session; what a packet *means* for a session is the broker's or the client's business.

pub mod codec;
pub mod packet;
pub mod properties;
pub mod reason;
pub mod topic;
pub mod typed;

pub use bytestring::ByteString;
pub use packet::Packet;
pub use properties::{Properties, Property};
pub use reason::ReasonCode;

use std::fmt;

/// The protocol level byte of CONNECT (3.1.2.2 in both specifications).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Version {
    /// MQTT 3.1 (`MQIsdp`); differs from 3.1.1 in CONNECT only.
    V31 = 3,
    /// MQTT 3.1.1.
    V311 = 4,
    /// MQTT 5.0.
    V5 = 5,
}

impl fmt::Display for Version {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Version::V31 => "3.1",
            Version::V311 => "3.1.1",
            Version::V5 => "5",
        })
    }
}

/// Quality of service of a publish, or the most a subscription wants (4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(u8)]
pub enum QoS {
    /// QoS 0.
    #[default]
    AtMostOnce = 0,
    /// QoS 1.
    AtLeastOnce = 1,
    /// QoS 2.
    ExactlyOnce = 2,
}

impl QoS {
    /// The quality of service with this number; `None` for 3 and above.
    pub fn from_number(number: u8) -> Option<QoS> {
        match number {
            0 => Some(QoS::AtMostOnce),
            1 => Some(QoS::AtLeastOnce),
            2 => Some(QoS::ExactlyOnce),
            _ => None,
        }
    }

    /// 0, 1 or 2.
    pub fn number(self) -> u8 {
        self as u8
    }
}

impl fmt::Display for QoS {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.number())
    }
}
