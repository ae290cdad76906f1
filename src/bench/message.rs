//! The measurement header: the first bytes of every payload, by which a message is known again.
//!
//! Two forms, told apart by their first byte, all numbers big-endian:
//!
//! ```text
//! full, 32 bytes      0xB3 | stream u24 | run u32 | sequence u64 | due u64, ns | sent u64, ns
//! compact, 16 bytes   0xB1 | stream u24 | run u16 | sequence u40 | sent u40, µs
//! ```
//! Times count from the start of the run. The compact form, for payloads under 32 bytes, has no due time:
//! whoever has the plan computes it from stream and sequence.

/// The smallest payload that can be measured: the compact header.
pub const SMALLEST: usize = COMPACT;

/// How many streams the header can tell apart.
pub const MOST_STREAMS: u32 = 1 << 24;

/// The full header, which has room for the due time.
pub const FULL: usize = 32;
const COMPACT: usize = 16;
const FULL_MAGIC: u32 = 0xB3;
const COMPACT_MAGIC: u32 = 0xB1;

/// The due time of a message that has none, because the run is not paced.
const NOT_PACED: u64 = u64::MAX;

/// What the header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Number of the stream, from 0: a publisher's messages to one of its topics.
    pub stream: u32,
    /// Number of the message in its stream, from 0.
    pub sequence: u64,
    /// When it was due, in nanoseconds since the start of the run; `None` when the run is not paced, and
    /// always in the compact form.
    pub due_ns: Option<u64>,
    /// When it was handed to the connection, in nanoseconds since the start of the run; whole microseconds
    /// in the compact form.
    pub sent_ns: u64,
}

impl Header {
    /// Writes the form that fits to the front of `payload`, which must hold [`SMALLEST`] bytes.
    pub fn write(&self, run: u32, payload: &mut [u8]) {
        if payload.len() >= FULL {
            payload[..4].copy_from_slice(&(FULL_MAGIC << 24 | self.stream).to_be_bytes());
            payload[4..8].copy_from_slice(&run.to_be_bytes());
            payload[8..16].copy_from_slice(&self.sequence.to_be_bytes());
            payload[16..24].copy_from_slice(&self.due_ns.unwrap_or(NOT_PACED).to_be_bytes());
            payload[24..32].copy_from_slice(&self.sent_ns.to_be_bytes());
        } else {
            payload[..4].copy_from_slice(&(COMPACT_MAGIC << 24 | self.stream).to_be_bytes());
            payload[4..6].copy_from_slice(&(run as u16).to_be_bytes());
            payload[6..11].copy_from_slice(&self.sequence.to_be_bytes()[3..]);
            payload[11..16].copy_from_slice(&(self.sent_ns / 1000).to_be_bytes()[3..]);
        }
    }

    /// The header of a payload; `None` when it is no message of run `run`.
    pub fn read(run: u32, payload: &[u8]) -> Option<Header> {
        let first = number(payload.get(..4)?) as u32;
        let stream = first & 0x00FF_FFFF;
        if first >> 24 == FULL_MAGIC && payload.len() >= FULL {
            let due_ns = number(&payload[16..24]);
            return (number(&payload[4..8]) == u64::from(run)).then_some(Header {
                stream,
                sequence: number(&payload[8..16]),
                due_ns: (due_ns != NOT_PACED).then_some(due_ns),
                sent_ns: number(&payload[24..32]),
            });
        }
        let compact = first >> 24 == COMPACT_MAGIC && (COMPACT..FULL).contains(&payload.len());
        (compact && number(&payload[4..6]) == u64::from(run as u16)).then(|| Header {
            stream,
            sequence: number(&payload[6..11]),
            due_ns: None,
            sent_ns: number(&payload[11..16]) * 1000,
        })
    }
}

/// At most eight big-endian bytes.
fn number(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// `size` bytes that do not compress, the same ones every time: what stands behind the header.
pub fn filler(size: usize) -> Vec<u8> {
    // xorshift64: any generator would do, this one needs no crate.
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    (0..size)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as u8
        })
        .collect()
}

/// Whether the bytes behind the header are those of the filler, which is at least as long as any payload of the run.
pub fn is_whole(payload: &[u8], filler: &[u8]) -> bool {
    let header = match payload.len() {
        ..FULL => COMPACT,
        _ => FULL,
    };
    filler
        .get(..payload.len())
        .is_some_and(|filler| payload.get(header..) == filler.get(header..))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RUN: u32 = 0xDEAD_BEEF;

    #[test]
    fn a_small_payload_keeps_microseconds_and_no_due_time() {
        let header = Header {
            stream: MOST_STREAMS - 1,
            sequence: (1 << 40) - 1,
            due_ns: Some(5),
            sent_ns: 123_456_789,
        };
        let mut payload = filler(SMALLEST);
        header.write(RUN, &mut payload);
        assert_eq!(
            Header::read(RUN, &payload),
            Some(Header {
                due_ns: None,
                sent_ns: 123_456_000,
                ..header
            })
        );
    }

    #[test]
    fn a_changed_byte_behind_the_header_is_found() {
        let longest = filler(1000);
        for size in [16, 31, 32, 33, 1000] {
            let mut payload = filler(size);
            payload[0] = !payload[0];
            assert!(
                is_whole(&payload, &longest),
                "the header is not the filler's"
            );
            if size > 32 {
                payload[size - 1] ^= 1;
                assert!(!is_whole(&payload, &longest));
            }
        }
        assert!(
            !is_whole(&filler(1001), &longest),
            "longer than anything that was sent"
        );
    }

    #[test]
    fn another_run_and_foreign_payloads_are_not_ours() {
        for size in [16, 31, 32, 1000] {
            let mut payload = filler(size);
            assert_eq!(Header::read(RUN, &payload), None);
            let header = Header {
                stream: 1,
                sequence: 2,
                due_ns: None,
                sent_ns: 3000,
            };
            header.write(RUN, &mut payload);
            assert_eq!(Header::read(RUN, &payload), Some(header));
            assert_eq!(Header::read(RUN + 1, &payload), None);
        }
        for payload in [&b""[..], b"\xB3", b"\xB3\0\0\0", &[0xB1; 15], &[0xB3; 31]] {
            assert_eq!(Header::read(0, payload), None);
        }
    }

    proptest! {
        #[test]
        fn a_header_comes_back_as_it_was_written(
            size in 32usize..100, stream in 0..MOST_STREAMS, sequence: u64, due_ns in proptest::option::of(0u64..u64::MAX), sent_ns: u64,
        ) {
            let header = Header { stream, sequence, due_ns, sent_ns };
            let mut payload = filler(size);
            header.write(RUN, &mut payload);
            prop_assert_eq!(Header::read(RUN, &payload), Some(header));
        }

        #[test]
        fn any_bytes_can_be_read(payload: Vec<u8>) {
            Header::read(RUN, &payload);
        }
    }
}
