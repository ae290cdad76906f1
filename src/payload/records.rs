//! Cutting a stream into records: lines, or whatever stands between two delimiters.

use std::io::{self, Read};

use bytes::{Bytes, BytesMut};
use memchr::memmem::Finder;

use super::too_long;
use crate::mqtt::codec::MAXIMUM_REMAINING_LENGTH;

/// How much is read at once; the records of one block are passed on together.
pub(super) const BLOCK: usize = 64 * 1024;

/// How many records are passed on together at most: short ones take more memory than their block.
const MANY: usize = 4096;

/// Reads records until the end and hands them on, those of one block together, or some thousand, as slices of it. What is between two
/// delimiters is a record, whatever its bytes; the last one needs none. Stops early when `hand_on` returns `false`.
///
/// # Errors
/// When the reader fails, or a record is longer than any packet.
pub fn read_records(
    mut reader: impl Read,
    delimiter: &[u8],
    mut hand_on: impl FnMut(Vec<Bytes>) -> bool,
) -> io::Result<()> {
    let finder = Finder::new(delimiter);
    let mut buffer = BytesMut::new();
    // The beginning of the present record in which no delimiter begins.
    let mut searched = 0;
    loop {
        let filled = buffer.len();
        buffer.resize(filled + BLOCK, 0);
        let count = loop {
            match reader.read(&mut buffer[filled..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                outcome => break outcome?,
            }
        };
        buffer.truncate(filled + count);
        if count == 0 {
            if !buffer.is_empty() {
                hand_on(vec![buffer.freeze()]);
            }
            return Ok(());
        }
        let mut records = Vec::new();
        while let Some(length) = finder.find(&buffer[searched..]) {
            let mut record = buffer.split_to(searched + length + delimiter.len());
            record.truncate(searched + length);
            records.push(record.freeze());
            searched = 0;
            if records.len() == MANY && !hand_on(std::mem::take(&mut records)) {
                return Ok(());
            }
        }
        // A delimiter may have begun that the next block completes.
        searched = searched.max((buffer.len() + 1).saturating_sub(delimiter.len()));
        if searched > MAXIMUM_REMAINING_LENGTH as usize {
            return Err(io::Error::other(too_long("a record")));
        }
        if !records.is_empty() && !hand_on(records) {
            return Ok(());
        }
    }
}

/// The bytes a delimiter typed as text stands for: `\n`, `\t`, `\r`, `\0`, `\\` and `\xHH` are escapes.
///
/// # Errors
/// Says which escape is none, or that there are no bytes.
pub fn delimiter(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut rest = text.chars();
    while let Some(each) = rest.next() {
        if each != '\\' {
            bytes.extend_from_slice(each.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        bytes.push(match rest.next() {
            Some('n') => b'\n',
            Some('t') => b'\t',
            Some('r') => b'\r',
            Some('0') => 0,
            Some('\\') => b'\\',
            Some('x') => {
                let digits: Option<String> = [rest.next(), rest.next()].into_iter().collect();
                digits
                    .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
                    .and_then(|digits| u8::from_str_radix(&digits, 16).ok())
                    .ok_or("two hexadecimal digits follow \\x")?
            }
            Some(other) => {
                return Err(format!(
                    "\\{other} is no escape; there are \\n \\t \\r \\0 \\\\ and \\xHH"
                ));
            }
            None => return Err("a backslash at the end escapes nothing; write \\\\".to_owned()),
        });
    }
    match bytes.is_empty() {
        true => Err("it is not empty".to_owned()),
        false => Ok(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn records(text: &[u8], delimiter: &[u8]) -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        read_records(text, delimiter, |records| {
            all.extend(records.iter().map(|record| record.to_vec()));
            true
        })
        .unwrap();
        all
    }

    /// Gives a few bytes at a time.
    struct Dribble<'a>(&'a [u8], usize);

    impl Read for Dribble<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.0.len().min(buffer.len()).min(self.1);
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    #[test]
    fn records_keep_every_byte_but_the_delimiter() {
        assert_eq!(records(b"", b"\n"), Vec::<Vec<u8>>::new());
        assert_eq!(records(b"\n", b"\n"), [b""]);
        assert_eq!(records(b"a\n\nb", b"\n"), [&b"a"[..], b"", b"b"]);
        assert_eq!(records(b"a\0b\r\n\xff\n", b"\n"), [&b"a\0b\r"[..], b"\xff"]);
        assert_eq!(records(b"a\n\0b\0", b"\0"), [&b"a\n"[..], b"b"]);
        assert_eq!(records(b"a--b---c", b"--"), [&b"a"[..], b"b", b"-c"]);
    }

    #[test]
    fn records_longer_than_a_block_are_whole() {
        let long = vec![b'x'; 3 * BLOCK + 1];
        let text = [&b"a\n"[..], &long, b"\n", &long].concat();
        assert_eq!(records(&text, b"\n"), [b"a".to_vec(), long.clone(), long]);
    }

    #[test]
    fn no_more_records_are_passed_on_at_once_than_are_meant_to_be_in_memory() {
        let text = vec![b'\n'; 2 * BLOCK];
        let mut count = 0;
        read_records(&text[..], b"\n", |records| {
            assert!((1..=MANY).contains(&records.len()));
            count += records.len();
            true
        })
        .unwrap();
        assert_eq!(count, text.len());
    }

    #[test]
    fn a_reader_of_records_stops_when_told_so() {
        let text = "a\n".repeat(BLOCK);
        let mut calls = 0;
        read_records(text.as_bytes(), b"\n", |_| {
            calls += 1;
            false
        })
        .unwrap();
        assert_eq!(calls, 1);
    }

    #[test]
    fn a_failing_reader_is_reported_after_the_records_before_it() {
        struct Broken(bool);
        impl Read for Broken {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                if std::mem::replace(&mut self.0, true) {
                    return Err(io::Error::other("broken"));
                }
                buffer[..2].copy_from_slice(b"a\n");
                Ok(2)
            }
        }
        let mut count = 0;
        let outcome = read_records(Broken(false), b"\n", |records| {
            count += records.len();
            true
        });
        assert_eq!(
            (outcome.unwrap_err().to_string(), count),
            ("broken".to_owned(), 1)
        );
    }

    #[test]
    fn a_delimiter_is_text_or_escapes() {
        for (text, bytes) in [
            ("\\n", &b"\n"[..]),
            ("\\0", b"\0"),
            ("\\r\\n", b"\r\n"),
            ("--\\t\\\\", b"--\t\\"),
            ("\\x1e", b"\x1e"),
            ("ü", "ü".as_bytes()),
        ] {
            assert_eq!(delimiter(text).unwrap(), bytes, "{text}");
        }
        for text in ["", "\\", "\\q", "\\x1", "\\x+1", "\\xgg"] {
            assert!(delimiter(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn joined_records_come_apart_again_however_the_reads_fall(
            parts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..9), 0..20),
            delimiter in proptest::collection::vec(any::<u8>(), 1..4),
            step in 1_usize..5,
        ) {
            let text = parts.iter().flat_map(|part| [&part[..], &delimiter].concat()).collect::<Vec<u8>>();
            let mut all = Vec::new();
            read_records(Dribble(&text, step), &delimiter, |records| {
                all.extend(records.iter().map(|record| record.to_vec()));
                true
            }).unwrap();
            // What a simple split says, but for the nothing after the last delimiter.
            let mut expected = Vec::new();
            let mut rest = &text[..];
            while let Some(at) = memchr::memmem::find(rest, &delimiter) {
                expected.push(rest[..at].to_vec());
                rest = &rest[at + delimiter.len()..];
            }
            if !rest.is_empty() {
                expected.push(rest.to_vec());
            }
            prop_assert_eq!(all, expected);
        }

        #[test]
        fn any_text_is_a_delimiter_or_refused(text in ".*") {
            let _ = delimiter(&text);
        }
    }
}
