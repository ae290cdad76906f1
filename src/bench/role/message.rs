//! The measurement header, by which a message is known again, and by which it is seen whether it arrived as it was sent.
//!
//! It is the beginning of the payload, or in MQTT 5 the value of a user property, so that the payload may be anything.
//! Three layouts, told apart by their first byte, all numbers big-endian:
//!
//! ```text
//! full, 32 bytes      0xB3 | stream u24 | run u32 | sequence u48 | due u56, ns | sent u56, ns | check u32
//! compact, 20 bytes   0xB2 | stream u24 | run u16 | sequence u40 | sent u40, µs | check u32
//! smallest, 16 bytes  0xB1 | stream u24 | run u16 | sequence u40 | sent u40, µs
//! ```
//! Times count from the start of the run, which 56 bits of nanoseconds do for two years. The compact layouts have no due
//! time: whoever has the plan computes it from stream and sequence. What stands behind the header is either filler,
//! which everybody knows, and the check is the length of the whole payload; or, when 8 is added to the first byte,
//! anything, and the check is its CRC-32.
//!
//! A user property is text, so there the full layout is written as 64 hexadecimal digits, under the name `bench`.

use serde::{Deserialize, Serialize};

use crate::mqtt::codec::property_block;

/// The smallest payload that can carry a header.
pub const SMALLEST: usize = 16;

/// How many streams the header can tell apart.
pub const MOST_STREAMS: u32 = 1 << 24;

/// The full header, which has room for the due time.
pub const FULL: usize = 32;
/// The compact header that has room for the check.
pub const COMPACT: usize = 20;

const FULL_MAGIC: u8 = 0xB3;
const COMPACT_MAGIC: u8 = 0xB2;
const SMALLEST_MAGIC: u8 = 0xB1;
/// Added where the check is a checksum.
const SUM: u8 = 8;

/// The due time of a message that has none, because the run is not paced.
const NOT_PACED: u64 = (1 << 56) - 1;

/// Where a group's messages carry the measurement header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// At the beginning of the payload: 32 bytes where they fit, otherwise the compact 20 or 16.
    Payload,
    /// At the beginning of the payload, as short as it may be.
    Compact,
    /// In a user property, which only MQTT 5 has.
    Property,
    /// Nowhere: messages are counted, and that is all.
    None,
}

impl Form {
    /// As it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Form::Payload => "payload",
            Form::Compact => "compact",
            Form::Property => "property",
            Form::None => "none",
        }
    }

    /// How many bytes of a payload of `length` the header takes where that is filler.
    pub fn room(self, length: usize) -> usize {
        match (self, length) {
            (Form::Property | Form::None, _) => 0,
            (Form::Payload, FULL..) => FULL,
            (_, COMPACT..) => COMPACT,
            _ => SMALLEST,
        }
    }

    /// How many bytes it takes in front of a payload that is not filler, whose checksum it must hold.
    pub fn front(self) -> usize {
        match self {
            Form::Property | Form::None => 0,
            Form::Payload => FULL,
            Form::Compact => COMPACT,
        }
    }
}

/// What the header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Number of the stream, from 0: a publisher's messages to one of its topics.
    pub stream: u32,
    /// Number of the message in its stream, from 0.
    pub sequence: u64,
    /// When it was due, in nanoseconds since the start of the run; `None` when the run is not paced, and
    /// always in the compact layouts.
    pub due_ns: Option<u64>,
    /// When it was handed to the connection, in nanoseconds since the start of the run; whole microseconds
    /// in the compact layouts.
    pub sent_ns: u64,
}

/// By what it is seen whether the payload is the one that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// It is filler, so long with its header.
    Filler(u32),
    /// Behind the header it has this CRC-32.
    Sum(u32),
}

impl Check {
    /// Of bytes that nobody knows beforehand.
    pub fn of(bytes: &[u8]) -> Check {
        Check::Sum(crc32fast::hash(bytes))
    }
}

/// A header as it was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// What it says.
    pub header: Header,
    /// How the rest is checked; the smallest layout has no room for it.
    check: Option<Check>,
    /// Bytes of payload it takes.
    room: usize,
}

impl Header {
    /// Writes the layout that fits exactly: `out` has 32, 20 or 16 bytes.
    pub fn write(&self, run: u32, check: Check, out: &mut [u8]) {
        let (sum, check) = match check {
            Check::Filler(length) => (0, length),
            Check::Sum(sum) => (SUM, sum),
        };
        let first = |magic: u8| u32::from(magic | sum) << 24 | self.stream;
        match out.len() {
            FULL => {
                let due_ns = self.due_ns.unwrap_or(NOT_PACED);
                let run_and_stream = u64::from(first(FULL_MAGIC)) << 32 | u64::from(run);
                out[..8].copy_from_slice(&run_and_stream.to_be_bytes());
                // Each number overwrites what the one before left of its last word.
                out[8..16].copy_from_slice(&(self.sequence << 16).to_be_bytes());
                out[14..22].copy_from_slice(&(due_ns << 8).to_be_bytes());
                out[21..29].copy_from_slice(&(self.sent_ns << 8).to_be_bytes());
                out[28..32].copy_from_slice(&check.to_be_bytes());
            }
            length => {
                let magic = match length {
                    COMPACT => COMPACT_MAGIC,
                    _ => SMALLEST_MAGIC,
                };
                out[..4].copy_from_slice(&first(magic).to_be_bytes());
                out[4..6].copy_from_slice(&(run as u16).to_be_bytes());
                out[6..11].copy_from_slice(&self.sequence.to_be_bytes()[3..]);
                out[11..16].copy_from_slice(&(self.sent_ns / 1000).to_be_bytes()[3..]);
                if let Some(place) = out.get_mut(16..20) {
                    place.copy_from_slice(&check.to_be_bytes());
                }
            }
        }
    }

    /// Writes the full layout as the text of a user property, [`PROPERTY`] bytes.
    pub fn write_text(&self, run: u32, check: Check, out: &mut [u8]) {
        let mut bytes = [0; FULL];
        self.write(run, check, &mut bytes);
        for (pair, byte) in out.chunks_exact_mut(2).zip(bytes) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
    }
}

const DIGITS: [u8; 16] = *b"0123456789abcdef";

/// Bytes of the text that a user property carries.
pub const PROPERTY: usize = 2 * FULL;

/// The user property up to its value: identifier 38, the name, and the value's length.
const PROPERTY_HEAD: [u8; 10] = [38, 0, 5, b'b', b'e', b'n', b'c', b'h', 0, PROPERTY as u8];

/// Appends the user property with room for the text at its end.
pub fn write_property(out: &mut Vec<u8>) {
    out.extend_from_slice(&PROPERTY_HEAD);
    out.resize(out.len() + PROPERTY, b'0');
}

/// The user property in a block of them, with all its bytes.
pub fn property(block: &[u8]) -> Option<&[u8]> {
    let mut properties = property_block(block).map(|(_, whole)| whole);
    properties.find(|whole| whole.starts_with(&PROPERTY_HEAD))
}

impl Mark {
    /// The header at the beginning of a payload; `None` when it is no message of run `run`.
    #[inline]
    pub fn read(run: u32, payload: &[u8]) -> Option<Mark> {
        let first = payload.first()?;
        match first & !SUM {
            FULL_MAGIC => Mark::read_full(run, payload.first_chunk()?),
            COMPACT_MAGIC => {
                let check = number(payload.get(16..COMPACT)?) as u32;
                Mark::read_compact(run, payload, Some(check), COMPACT)
            }
            SMALLEST_MAGIC if (SMALLEST..COMPACT).contains(&payload.len()) => {
                Mark::read_compact(run, payload, None, SMALLEST)
            }
            _ => None,
        }
    }

    /// The header in the properties of a message.
    pub fn read_property(run: u32, block: &[u8]) -> Option<Mark> {
        let text = &property(block)?[PROPERTY_HEAD.len()..];
        let mut bytes = [0; FULL];
        for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
            let digit = |digit: u8| char::from(digit).to_digit(16);
            *byte = (digit(pair[0])? << 4 | digit(pair[1])?) as u8;
        }
        let is_full = bytes[0] & !SUM == FULL_MAGIC;
        let mark = Mark::read_full(run, &bytes).filter(|_| is_full)?;
        Some(Mark { room: 0, ..mark })
    }

    #[inline]
    fn read_full(run: u32, bytes: &[u8; FULL]) -> Option<Mark> {
        let word = |at: usize| number(&bytes[at..at + 8]);
        let (first, due_ns) = (word(0), word(13) & NOT_PACED);
        (first as u32 == run).then(|| Mark {
            header: Header {
                stream: (first >> 32) as u32 & 0x00FF_FFFF,
                sequence: word(8) >> 16,
                due_ns: (due_ns != NOT_PACED).then_some(due_ns),
                sent_ns: word(21) >> 8,
            },
            check: Some(check(bytes[0], word(24) as u32)),
            room: FULL,
        })
    }

    fn read_compact(run: u32, bytes: &[u8], sum: Option<u32>, room: usize) -> Option<Mark> {
        (number(&bytes[4..6]) == u64::from(run as u16)).then(|| Mark {
            header: Header {
                stream: number(&bytes[1..4]) as u32,
                sequence: number(&bytes[6..11]),
                due_ns: None,
                sent_ns: number(&bytes[11..16]) * 1000,
            },
            check: sum.map(|sum| check(bytes[0], sum)),
            room,
        })
    }

    /// Whether the payload it came with is the one that was sent. The filler is at least as long as any of the run.
    #[inline]
    pub fn is_whole(&self, payload: &[u8], filler: &[u8]) -> bool {
        match self.check {
            Some(Check::Sum(sum)) => crc32fast::hash(&payload[self.room..]) == sum,
            Some(Check::Filler(length)) if length as usize != payload.len() => false,
            _ => filler
                .get(self.room..payload.len())
                .is_some_and(|filler| payload[self.room..] == *filler),
        }
    }
}

fn check(magic: u8, check: u32) -> Check {
    match magic & SUM {
        0 => Check::Filler(check),
        _ => Check::Sum(check),
    }
}

/// At most eight big-endian bytes.
#[inline]
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RUN: u32 = 0xDEAD_BEEF;

    /// A payload of filler with its header.
    fn filled(header: Header, form: Form, size: usize) -> Vec<u8> {
        let mut payload = filler(size);
        let room = form.room(size);
        header.write(RUN, Check::Filler(size as u32), &mut payload[..room]);
        payload
    }

    const HEADER: Header = Header {
        stream: MOST_STREAMS - 1,
        sequence: (1 << 40) - 1,
        due_ns: Some(5),
        sent_ns: 123_456_789,
    };

    #[test]
    fn a_small_payload_keeps_microseconds_and_no_due_time() {
        for (form, size) in [
            (Form::Payload, 16),
            (Form::Payload, 31),
            (Form::Compact, 1000),
        ] {
            let payload = filled(HEADER, form, size);
            let expected = Header {
                due_ns: None,
                sent_ns: 123_456_000,
                ..HEADER
            };
            assert_eq!(Mark::read(RUN, &payload).unwrap().header, expected);
        }
    }

    #[test]
    fn a_changed_a_missing_and_a_further_byte_are_found() {
        let longest = filler(2000);
        for (form, size) in [
            (Form::Payload, 20),
            (Form::Payload, 31),
            (Form::Payload, 32),
            (Form::Payload, 33),
            (Form::Payload, 1000),
            (Form::Compact, 1000),
        ] {
            let is_whole = |payload: &[u8]| {
                Mark::read(RUN, payload)
                    .unwrap()
                    .is_whole(payload, &longest)
            };
            let payload = filled(HEADER, form, size);
            assert!(is_whole(&payload));
            assert!(!is_whole(&longer(&payload)), "{form:?} {size}");
            if size > form.room(size) {
                let mut changed = payload.clone();
                changed[size - 1] ^= 1;
                assert!(!is_whole(&changed));
                assert!(!is_whole(&payload[..size - 1]));
            }
            // Anything behind the header.
            let mut own = vec![0; form.front()];
            own.extend_from_slice(b"{\"temperature\":21}");
            let check = Check::of(&own[form.front()..]);
            HEADER.write(RUN, check, &mut own[..form.front()]);
            assert!(is_whole(&own));
            let last = own.len() - 1;
            assert!(!is_whole(&own[..last]) && !is_whole(&longer(&own)));
            own[last] ^= 0x10;
            assert!(!is_whole(&own));
        }
    }

    /// As the filler goes on.
    fn longer(payload: &[u8]) -> Vec<u8> {
        let mut longer = payload.to_vec();
        longer.push(filler(payload.len() + 1)[payload.len()]);
        longer
    }

    #[test]
    fn a_property_stands_among_others_and_checks_the_whole_payload() {
        let mut block = vec![38, 0, 1, b'a', 0, 1, b'b'];
        write_property(&mut block);
        let end = block.len();
        let text = &mut block[end - PROPERTY..];
        HEADER.write_text(RUN, Check::of(b"hello"), text);
        block.extend_from_slice(&[1, 1]); // payload format indicator
        let mark = Mark::read_property(RUN, &block).unwrap();
        assert_eq!(mark.header, HEADER);
        assert!(mark.is_whole(b"hello", &[]) && !mark.is_whole(b"hallo", &[]));
        assert_eq!(property(&block).map(<[u8]>::len), Some(10 + PROPERTY));
        assert_eq!(Mark::read_property(RUN + 1, &block), None);
        assert_eq!(Mark::read_property(RUN, &block[..7]), None);
        let text = &mut block[end - PROPERTY..end];
        HEADER.write_text(RUN, Check::Filler(100), text);
        let mark = Mark::read_property(RUN, &block).unwrap();
        let payload = filler(100);
        assert!(mark.is_whole(&payload, &filler(200)));
        assert!(!mark.is_whole(&payload[..99], &filler(200)));
        block[end - 1] = b'x';
        assert_eq!(Mark::read_property(RUN, &block), None);
    }

    #[test]
    fn another_run_and_foreign_payloads_are_not_ours() {
        for size in [16, 31, 32, 1000] {
            assert_eq!(Mark::read(RUN, &filler(size)), None);
            let payload = filled(HEADER, Form::Payload, size);
            assert!(Mark::read(RUN, &payload).is_some());
            assert_eq!(Mark::read(RUN + 1, &payload), None);
        }
        for payload in [
            &b""[..],
            b"\xB3",
            b"\xB3\0\0\0",
            &[0xB1; 15],
            &[0xB2; 19],
            &[0xB3; 31],
        ] {
            assert_eq!(Mark::read(0, payload), None);
        }
    }

    proptest! {
        #[test]
        fn a_header_comes_back_as_it_was_written(
            size in 32usize..100, stream in 0..MOST_STREAMS, sequence in 0u64..1 << 48,
            due_ns in proptest::option::of(0u64..NOT_PACED), sent_ns in 0u64..1 << 56, sum: u32,
        ) {
            let header = Header { stream, sequence, due_ns, sent_ns };
            prop_assert_eq!(Mark::read(RUN, &filled(header, Form::Payload, size)).unwrap().header, header);
            let mut bytes = [0; FULL];
            header.write(RUN, Check::Sum(sum), &mut bytes);
            let expected = Mark { header, check: Some(Check::Sum(sum)), room: FULL };
            prop_assert_eq!(Mark::read(RUN, &bytes), Some(expected));
        }

        #[test]
        fn any_bytes_can_be_read(payload: Vec<u8>) {
            if let Some(mark) = Mark::read(0, &payload) {
                mark.is_whole(&payload, &[]);
            }
            Mark::read_property(0, &payload);
        }

        #[test]
        fn the_first_byte_of_a_header_is_no_promise(first in 0xB0u8..0xC0, mut payload in proptest::collection::vec(any::<u8>(), 1..50)) {
            payload[0] = first;
            let run = payload.get(4..8).map_or(0, |run| number(run) as u32);
            for run in [run, run >> 16] {
                if let Some(mark) = Mark::read(run, &payload) {
                    mark.is_whole(&payload, &[]);
                }
            }
        }
    }
}
