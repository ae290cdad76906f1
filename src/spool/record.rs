//! What stands in a journal, byte by byte. All numbers are big-endian.
//!
//! A journal begins with the eight bytes of [`MAGIC`], the last of which is the number of this format. Records follow:
//!
//! | bytes | what |
//! |---|---|
//! | 4 | length of kind and contents |
//! | 4 | CRC-32 (IEEE) of kind and contents |
//! | 1 | kind |
//! | n | contents |
//!
//! | kind | record | contents |
//! |---|---|---|
//! | 1 | opened | number of the next message (8); 1 if the client id was made up here, else 0 (1); client id |
//! | 2 | message | its number (8); a PUBLISH packet of MQTT 5 with packet identifier 1 |
//! | 3 | sent | number (8); packet identifier (2); where the message stands: journal (8) and offset (8) |
//! | 4 | received | packet identifier (2) of a message of QoS 2: PUBREC has come, PUBREL may go |
//! | 5 | done | number (8): the handshake is complete, or the broker has refused the message |
//! | 6 | forgotten | none: the broker has lost the session; no message has a packet identifier any more |

use bytes::{Buf, Bytes};

use crate::mqtt::{ByteString, codec};

/// The first bytes of a journal.
pub(super) const MAGIC: &[u8; 8] = b"mqttspl\x01";

/// Length and checksum.
pub(super) const HEAD: usize = 8;

/// The longest record: a PUBLISH packet as large as MQTT allows, and what stands around it.
const LONGEST: u32 = codec::MAXIMUM_REMAINING_LENGTH + 64;

/// Where a record begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position {
    /// Which journal.
    pub(super) journal: u64,
    /// Bytes from its beginning.
    pub(super) offset: u64,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Record {
    Opened {
        next: u64,
        is_made_up: bool,
        client_id: ByteString,
    },
    Message {
        number: u64,
        packet: Bytes,
    },
    Sent {
        number: u64,
        packet_id: u16,
        position: Position,
    },
    Received {
        packet_id: u16,
    },
    Done {
        number: u64,
    },
    Forgotten,
}

/// The length and the checksum a record claims; `None` when it cannot be one.
pub(super) fn head(bytes: [u8; HEAD]) -> Option<(usize, u32)> {
    let mut bytes = &bytes[..];
    let (length, checksum) = (bytes.get_u32(), bytes.get_u32());
    (1..=LONGEST)
        .contains(&length)
        .then_some((length as usize, checksum))
}

/// Whether a record may begin here, from its first bytes: most do not, and a checksum need not be computed.
pub(super) fn may_begin(bytes: &[u8]) -> bool {
    bytes.get(HEAD).is_some_and(|kind| (1..=6).contains(kind))
}

impl Record {
    /// Appends the record.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&[0; HEAD]);
        match self {
            Record::Opened {
                next,
                is_made_up,
                client_id,
            } => {
                out.push(1);
                out.extend_from_slice(&next.to_be_bytes());
                out.push(u8::from(*is_made_up));
                out.extend_from_slice(client_id.as_bytes());
            }
            Record::Message { number, packet } => {
                out.push(2);
                out.extend_from_slice(&number.to_be_bytes());
                out.extend_from_slice(packet);
            }
            Record::Sent {
                number,
                packet_id,
                position,
            } => {
                out.push(3);
                out.extend_from_slice(&number.to_be_bytes());
                out.extend_from_slice(&packet_id.to_be_bytes());
                out.extend_from_slice(&position.journal.to_be_bytes());
                out.extend_from_slice(&position.offset.to_be_bytes());
            }
            Record::Received { packet_id } => {
                out.push(4);
                out.extend_from_slice(&packet_id.to_be_bytes());
            }
            Record::Done { number } => {
                out.push(5);
                out.extend_from_slice(&number.to_be_bytes());
            }
            Record::Forgotten => out.push(6),
        }
        let length = (out.len() - start - HEAD) as u32;
        let checksum = crc32fast::hash(&out[start + HEAD..]);
        out[start..start + 4].copy_from_slice(&length.to_be_bytes());
        out[start + 4..start + HEAD].copy_from_slice(&checksum.to_be_bytes());
    }

    /// The record with this kind and these contents, if they have this checksum and are one.
    pub(super) fn read(mut bytes: Bytes, checksum: u32) -> Option<Record> {
        if crc32fast::hash(&bytes) != checksum {
            return None;
        }
        let record = match bytes.try_get_u8().ok()? {
            1 => Record::Opened {
                next: bytes.try_get_u64().ok()?,
                is_made_up: bytes.try_get_u8().ok()? != 0,
                client_id: ByteString::try_from(std::mem::take(&mut bytes)).ok()?,
            },
            2 => Record::Message {
                number: bytes.try_get_u64().ok()?,
                packet: std::mem::take(&mut bytes),
            },
            3 => Record::Sent {
                number: bytes.try_get_u64().ok()?,
                packet_id: bytes.try_get_u16().ok()?,
                position: Position {
                    journal: bytes.try_get_u64().ok()?,
                    offset: bytes.try_get_u64().ok()?,
                },
            },
            4 => Record::Received {
                packet_id: bytes.try_get_u16().ok()?,
            },
            5 => Record::Done {
                number: bytes.try_get_u64().ok()?,
            },
            6 => Record::Forgotten,
            _ => return None,
        };
        bytes.is_empty().then_some(record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn record() -> impl Strategy<Value = Record> {
        let bytes = proptest::collection::vec(any::<u8>(), 0..20);
        let message = (any::<u64>(), bytes);
        let message = message.prop_map(|(number, bytes)| Record::Message {
            number,
            packet: bytes.into(),
        });
        let sent = (any::<u64>(), any::<u16>(), any::<u64>(), any::<u64>());
        let sent = sent.prop_map(|(number, packet_id, journal, offset)| Record::Sent {
            number,
            packet_id,
            position: Position { journal, offset },
        });
        prop_oneof![
            message,
            sent,
            any::<u16>().prop_map(|packet_id| Record::Received { packet_id }),
            any::<u64>().prop_map(|number| Record::Done { number }),
            Just(Record::Forgotten),
            (any::<u64>(), any::<bool>(), "[a-z]{0,9}").prop_map(|(next, is_made_up, id)| {
                Record::Opened {
                    next,
                    is_made_up,
                    client_id: id.into(),
                }
            }),
        ]
    }

    fn read(bytes: &[u8]) -> Option<Record> {
        let (length, checksum) = head(bytes.first_chunk().copied()?)?;
        let contents = bytes.get(HEAD..HEAD + length)?;
        Record::read(Bytes::copy_from_slice(contents), checksum)
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(record in record()) {
            let mut out = Vec::new();
            record.write(&mut out);
            prop_assert_eq!(read(&out), Some(record));
        }

        #[test]
        fn a_bit_that_fell_over_is_found(record in record(), at: prop::sample::Index, bit in 0..8_u32) {
            let mut out = Vec::new();
            record.write(&mut out);
            let at = at.index(out.len());
            out[at] ^= 1_u8 << bit;
            prop_assert_eq!(read(&out), None);
        }

        #[test]
        fn any_bytes_are_a_record_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let checksum = crc32fast::hash(&bytes);
            let _ = Record::read(Bytes::from(bytes), checksum);
        }
    }
}
