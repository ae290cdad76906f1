//! What can be told from the packets a broker sends before the library has seen them: whether it accepts, how it says
//! goodbye, and whether it is a broker at all. Pure: bytes in, findings out.

use bytes::Bytes;

use crate::mqtt::{Packet, ReasonCode, Version, codec};

/// The first byte of CONNACK and of DISCONNECT.
const CONNACK: u8 = 0x20;
const DISCONNECT: u8 = 0xE0;

/// Follows the packets of one direction by their lengths, and opens the few that matter.
pub(super) struct Watch {
    version: Version,
    is_first: bool,
    /// Bytes of the present packet still to come.
    left: usize,
    /// A DISCONNECT has been seen: nothing more is passed on.
    is_over: bool,
    /// Packets that have been passed on to their end.
    pub(super) whole: u64,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Seen {
    Accepted,
    Refused {
        reason: ReasonCode,
        text: Option<String>,
        /// The broker that is to be used instead.
        reference: Option<String>,
    },
    /// A CONNACK of 3.1.1 to an MQTT 5 client.
    OldRefusal(ReasonCode),
    Disconnected {
        reason: ReasonCode,
        text: Option<String>,
        /// The broker that is to be used instead.
        reference: Option<String>,
    },
    Foreign(&'static str),
}

impl Watch {
    pub(super) fn new(version: Version) -> Watch {
        Watch {
            version,
            is_first: true,
            left: 0,
            is_over: false,
            whole: 0,
        }
    }

    /// How many of these bytes may be handed on, and what was seen. When something was seen, the bytes after it
    /// have not been looked at.
    pub(super) fn look(&mut self, bytes: &[u8]) -> (usize, Option<Seen>) {
        let mut position = 0;
        loop {
            let step = self.left.min(bytes.len() - position);
            position += step;
            self.left -= step;
            self.whole += u64::from(step > 0 && self.left == 0);
            let rest = &bytes[position..];
            if self.left > 0 || rest.is_empty() {
                return (position, None);
            }
            if self.is_first && rest[0] != CONNACK {
                return (position, Some(Seen::Foreign(foreign(rest))));
            }
            let Some(length) = packet_length(rest) else {
                return (position, None);
            };
            // Before MQTT 5 a server sends none.
            let is_disconnect = rest[0] == DISCONNECT && self.version == Version::V5;
            if self.is_first || is_disconnect {
                if rest.len() < length {
                    return (position, None);
                }
                let (packet, is_connack) = (&rest[..length], self.is_first);
                self.is_first = false;
                if is_connack {
                    self.whole += 1;
                    return (position + length, Some(self.connack(packet)));
                }
                self.is_over = true;
                return (position, Some(self.disconnect(packet)));
            }
            self.left = length;
        }
    }

    fn connack(&self, packet: &[u8]) -> Seen {
        // Some have learned the new form and kept the old numbers, which are no reason codes.
        let is_old = |code: &u8| packet.len() == 4 || (1..=5).contains(code);
        if self.version == Version::V5
            && let [first, _, flags, code, ..] = packet
            && is_old(code)
        {
            let reason = match decoded(&[*first, 2, *flags, *code], Version::V311) {
                Some(Packet::ConnAck(connack)) if connack.reason.is_failure() => connack.reason,
                _ => ReasonCode::UNSUPPORTED_PROTOCOL_VERSION,
            };
            return Seen::OldRefusal(reason);
        }
        match decoded(packet, self.version) {
            Some(Packet::ConnAck(connack)) if connack.reason.is_failure() => Seen::Refused {
                reason: connack.reason,
                text: connack.properties.reason_string().map(Into::into),
                reference: connack.properties.server_reference().map(Into::into),
            },
            // One our codec does not like is left to the library.
            _ => Seen::Accepted,
        }
    }

    fn disconnect(&self, packet: &[u8]) -> Seen {
        match decoded(packet, self.version) {
            Some(Packet::Disconnect(disconnect)) => Seen::Disconnected {
                reason: disconnect.reason,
                text: disconnect.properties.reason_string().map(Into::into),
                reference: disconnect.properties.server_reference().map(Into::into),
            },
            _ => Seen::Disconnected {
                reason: ReasonCode(packet.get(2).copied().unwrap_or(0)),
                text: None,
                reference: None,
            },
        }
    }
}

fn decoded(packet: &[u8], version: Version) -> Option<Packet> {
    codec::decode(Bytes::copy_from_slice(packet), version).ok()
}

/// The length of the whole packet these bytes begin; `None` while it is not known. A remaining length of more
/// than four bytes is given out as one that never ends, and left to the library to complain about.
fn packet_length(bytes: &[u8]) -> Option<usize> {
    let mut remaining = 0;
    for (index, &byte) in bytes.iter().skip(1).take(4).enumerate() {
        remaining |= usize::from(byte & 0x7F) << (7 * index);
        if byte < 0x80 {
            return Some(2 + index + remaining);
        }
    }
    (bytes.len() > 4).then_some(usize::MAX)
}

/// What the first bytes of something else than a broker may be.
fn foreign(bytes: &[u8]) -> &'static str {
    match bytes {
        [0x15, 0x03, ..] => "it wants TLS (mqtts://)",
        [b'H', b'T' | b'2', ..] | [b'H'] => {
            "it speaks HTTP; is it a port for WebSocket (ws://, wss://)?"
        }
        [b'S', b'S', ..] => "it speaks SSH",
        _ => "its first packet is no CONNACK",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is handed on and what is seen, which must not depend on the pieces the bytes come in.
    fn watched(version: Version, bytes: &[u8]) -> (Vec<u8>, Vec<Seen>) {
        let whole = watched_in_pieces(version, bytes, bytes.len());
        for size in 1..bytes.len() {
            let outcome = watched_in_pieces(version, bytes, size);
            assert_eq!(outcome, whole, "in pieces of {size}");
        }
        whole
    }

    fn watched_in_pieces(version: Version, bytes: &[u8], size: usize) -> (Vec<u8>, Vec<Seen>) {
        let mut watch = Watch::new(version);
        let (mut held, mut passed, mut all) = (Vec::new(), Vec::new(), Vec::new());
        for piece in bytes.chunks(size) {
            held.extend_from_slice(piece);
            while !watch.is_over {
                let (count, seen) = watch.look(&held);
                passed.extend(held.drain(..count));
                match seen {
                    None => break,
                    Some(Seen::Foreign(_)) => return (passed, seen.into_iter().collect()),
                    Some(seen) => all.push(seen),
                }
            }
        }
        (passed, all)
    }

    const ACCEPTED_5: [u8; 5] = [0x20, 3, 0, 0, 0];
    const PUBLISH_5: [u8; 7] = [0x30, 5, 0, 1, b'a', 0, b'x'];

    #[test]
    fn messages_pass_unchanged() {
        let bytes = [&ACCEPTED_5[..], &PUBLISH_5, &PUBLISH_5].concat();
        assert_eq!(
            watched(Version::V5, &bytes),
            (bytes.clone(), vec![Seen::Accepted])
        );
        let bytes = [&[0x20, 2, 0, 0][..], &[0x30, 4, 0, 1, b'a', b'x']].concat();
        assert_eq!(
            watched(Version::V311, &bytes),
            (bytes.clone(), vec![Seen::Accepted])
        );
    }

    #[test]
    fn every_form_of_disconnect_is_understood_and_ends_the_stream() {
        for (disconnect, reason, text) in [
            (&[0xE0, 0][..], ReasonCode::SUCCESS, None),
            (&[0xE0, 1, 0x8E], ReasonCode::SESSION_TAKEN_OVER, None),
            (&[0xE0, 2, 0x8B, 0], ReasonCode::SERVER_SHUTTING_DOWN, None),
            (
                &[0xE0, 8, 0x98, 6, 0x1F, 0, 3, b'b', b'y', b'e'],
                ReasonCode::ADMINISTRATIVE_ACTION,
                Some("bye".to_owned()),
            ),
        ] {
            let before = [&ACCEPTED_5[..], &PUBLISH_5].concat();
            let bytes = [&before[..], disconnect, &PUBLISH_5].concat();
            let farewell = Seen::Disconnected {
                reason,
                text,
                reference: None,
            };
            let seen = vec![Seen::Accepted, farewell];
            assert_eq!(watched(Version::V5, &bytes), (before, seen));
        }
    }

    #[test]
    fn a_disconnect_may_name_another_broker() {
        let disconnect = [0xE0, 6, 0x9C, 4, 0x1C, 0, 1, b'h'];
        let farewell = Seen::Disconnected {
            reason: ReasonCode::USE_ANOTHER_SERVER,
            text: None,
            reference: Some("h".to_owned()),
        };
        assert_eq!(
            watched(Version::V5, &[&ACCEPTED_5[..], &disconnect].concat()).1,
            [Seen::Accepted, farewell]
        );
    }

    #[test]
    fn an_old_brokers_answer_to_an_mqtt_5_client_is_a_refusal() {
        for (code, reason) in [
            (0, ReasonCode::UNSUPPORTED_PROTOCOL_VERSION),
            (1, ReasonCode::UNSUPPORTED_PROTOCOL_VERSION),
            (5, ReasonCode::NOT_AUTHORIZED),
        ] {
            let seen = watched(Version::V5, &[0x20, 2, 0, code]).1;
            assert_eq!(seen, [Seen::OldRefusal(reason)]);
            if code > 0 {
                let seen = watched(Version::V5, &[0x20, 3, 0, code, 0]).1;
                assert_eq!(seen, [Seen::OldRefusal(reason)]);
            }
        }
    }

    #[test]
    fn a_refusal_is_understood_in_both_forms() {
        let refused = |reason, text: Option<&str>| Seen::Refused {
            reason,
            text: text.map(str::to_owned),
            reference: None,
        };
        assert_eq!(
            watched(Version::V311, &[0x20, 2, 0, 5]).1,
            [refused(ReasonCode::NOT_AUTHORIZED, None)]
        );
        let bytes = [0x20, 9, 0, 0x87, 6, 0x1F, 0, 3, b'n', b'o', b'!'];
        assert_eq!(
            watched(Version::V5, &bytes).1,
            [refused(ReasonCode::NOT_AUTHORIZED, Some("no!"))]
        );
    }

    #[test]
    fn what_is_no_broker_is_recognised_at_its_first_byte() {
        for bytes in [
            &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..],
            b"SSH-2.0-x",
            &[0x15, 3, 1, 0, 2],
            &[0, 0, 0],
        ] {
            for size in [1, 2, 5] {
                let seen = watched_in_pieces(Version::V311, bytes, size).1;
                assert!(matches!(seen[..], [Seen::Foreign(_)]), "{seen:?}");
            }
        }
    }
}
