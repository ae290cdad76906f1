//! Which reason codes each packet may carry (2.4, table 2-6), and the return codes of 3.1.1 they stand for.

use super::frame::{kind, name};
use super::{Malformed, protocol_error};
use crate::mqtt::ReasonCode;

/// A reason code of MQTT 5, if a packet of this type may carry it.
pub(super) fn check(code: u8, packet: u8) -> Result<ReasonCode, Malformed> {
    let allowed = match packet {
        kind::CONNACK => {
            matches!(code, 0 | 0x80..=0x8A | 0x8C | 0x90 | 0x95 | 0x97 | 0x99..=0x9D | 0x9F)
        }
        kind::PUBACK | kind::PUBREC => {
            matches!(
                code,
                0 | 0x10 | 0x80 | 0x83 | 0x87 | 0x90 | 0x91 | 0x97 | 0x99
            )
        }
        kind::PUBREL | kind::PUBCOMP => matches!(code, 0 | 0x92),
        kind::SUBACK => {
            matches!(
                code,
                0..=2 | 0x80 | 0x83 | 0x87 | 0x8F | 0x91 | 0x97 | 0x9E | 0xA1 | 0xA2
            )
        }
        kind::UNSUBACK => matches!(code, 0 | 0x11 | 0x80 | 0x83 | 0x87 | 0x8F | 0x91),
        kind::DISCONNECT => matches!(
            code,
            0 | 4 | 0x80..=0x83 | 0x87 | 0x89 | 0x8B..=0x90 | 0x93..=0xA2
        ),
        kind::AUTH => matches!(code, 0 | 0x18 | 0x19),
        _ => false,
    };
    let reason = ReasonCode(code);
    match allowed {
        true => Ok(reason),
        false => Err(protocol_error(format!(
            "{} with reason code {reason}",
            name(packet)
        ))),
    }
}

/// What a CONNACK return code of 3.1.1 means in MQTT 5 (3.1.1, table 3.1); `None` for a reserved one.
pub(super) fn from_return_code(code: u8) -> Option<ReasonCode> {
    Some(match code {
        0 => ReasonCode::SUCCESS,
        1 => ReasonCode::UNSUPPORTED_PROTOCOL_VERSION,
        2 => ReasonCode::CLIENT_IDENTIFIER_NOT_VALID,
        3 => ReasonCode::SERVER_UNAVAILABLE,
        4 => ReasonCode::BAD_USER_NAME_OR_PASSWORD,
        5 => ReasonCode::NOT_AUTHORIZED,
        _ => return None,
    })
}

/// Whether a CONNACK before MQTT 5 has a return code for just this reason. What has none, a CONNECT that is not
/// well-formed for example, ends the connection without an answer [MQTT-3.1.4-1].
pub fn has_return_code(reason: ReasonCode) -> bool {
    from_return_code(to_return_code(reason)) == Some(reason)
}

/// The return code of 3.1.1 that comes closest to a reason.
pub(super) fn to_return_code(reason: ReasonCode) -> u8 {
    match reason {
        ReasonCode::SUCCESS => 0,
        ReasonCode::UNSUPPORTED_PROTOCOL_VERSION => 1,
        ReasonCode::CLIENT_IDENTIFIER_NOT_VALID => 2,
        ReasonCode::BAD_USER_NAME_OR_PASSWORD | ReasonCode::BAD_AUTHENTICATION_METHOD => 4,
        ReasonCode::NOT_AUTHORIZED | ReasonCode::BANNED => 5,
        _ => 3,
    }
}
