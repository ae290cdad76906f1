//! Where payloads come from: the command line, a file, stdin as a whole or stdin line by line.

use std::io::{self, Read};
use std::path::PathBuf;

use anyhow::Context;
use bytes::{Bytes, BytesMut};

use crate::exit::Exit;
use crate::mqtt::codec::MAXIMUM_REMAINING_LENGTH;

/// How much of stdin is read at once; the lines of one block are passed on together.
const BLOCK: usize = 64 * 1024;

/// The one source of a run's payloads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PayloadSource {
    /// This text.
    Text(String),
    /// The contents of a file.
    File(PathBuf),
    /// All of stdin.
    Stdin,
    /// Each line of stdin is a payload of its own.
    StdinLines,
    /// No bytes at all.
    Empty,
}

impl PayloadSource {
    /// The source that was asked for, of those of which there can be one.
    pub fn of(
        text: Option<&String>,
        file: Option<&PathBuf>,
        stdin: bool,
        lines: bool,
    ) -> PayloadSource {
        match (text, file) {
            (Some(text), _) => PayloadSource::Text(text.clone()),
            (None, Some(file)) => PayloadSource::File(file.clone()),
            (None, None) if stdin => PayloadSource::Stdin,
            (None, None) if lines => PayloadSource::StdinLines,
            (None, None) => PayloadSource::Empty,
        }
    }

    /// The payload, or `None` for lines, which are read with [`read_lines`].
    ///
    /// # Errors
    /// When the file or stdin cannot be read, or is longer than any packet.
    pub fn read(&self, stdin: impl Read) -> anyhow::Result<Option<Bytes>> {
        Ok(Some(match self {
            PayloadSource::Text(text) => text.clone().into(),
            PayloadSource::Empty => Bytes::new(),
            PayloadSource::File(path) => {
                let name = path.display();
                let file =
                    std::fs::File::open(path).with_context(|| format!("cannot open {name}"))?;
                whole(file, &format!("the file {name}"))?
            }
            PayloadSource::Stdin => whole(stdin, "stdin")?,
            PayloadSource::StdinLines => return Ok(None),
        }))
    }
}

fn whole(reader: impl Read, name: &str) -> anyhow::Result<Bytes> {
    let most = u64::from(MAXIMUM_REMAINING_LENGTH);
    let mut payload = Vec::new();
    reader
        .take(most + 1)
        .read_to_end(&mut payload)
        .with_context(|| format!("cannot read {name}"))?;
    match payload.len() as u64 > most {
        true => Err(Exit::Failed.because(too_long(name))),
        false => Ok(payload.into()),
    }
}

fn too_long(name: &str) -> String {
    format!("{name} is longer than a message can be ({MAXIMUM_REMAINING_LENGTH} bytes)")
}

/// Reads lines until the end and hands them on, those of one block together, as slices of it. What is between two
/// line feeds is a line, whatever its bytes; the last one needs none. Stops early when `hand_on` returns `false`.
///
/// # Errors
/// When the reader fails, or a line is longer than any packet.
pub fn read_lines(
    mut reader: impl Read,
    mut hand_on: impl FnMut(Vec<Bytes>) -> bool,
) -> io::Result<()> {
    let mut buffer = BytesMut::new();
    // The beginning of the present line that is known to hold no line feed.
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
        let mut lines = Vec::new();
        while let Some(length) = buffer[searched..].iter().position(|byte| *byte == b'\n') {
            let mut line = buffer.split_to(searched + length + 1);
            line.truncate(searched + length);
            lines.push(line.freeze());
            searched = 0;
        }
        searched = buffer.len();
        if searched > MAXIMUM_REMAINING_LENGTH as usize {
            return Err(io::Error::other(too_long("a line")));
        }
        if !lines.is_empty() && !hand_on(lines) {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[u8]) -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        read_lines(text, |lines| {
            all.extend(lines.iter().map(|line| line.to_vec()));
            true
        })
        .unwrap();
        all
    }

    #[test]
    fn lines_keep_every_byte_but_the_line_feed() {
        assert_eq!(lines(b""), Vec::<Vec<u8>>::new());
        assert_eq!(lines(b"\n"), [b""]);
        assert_eq!(lines(b"a\n\nb"), [&b"a"[..], b"", b"b"]);
        assert_eq!(lines(b"a\0b\r\n\xff\n"), [&b"a\0b\r"[..], b"\xff"]);
    }

    #[test]
    fn lines_longer_than_a_block_are_whole() {
        let long = vec![b'x'; 3 * BLOCK + 1];
        let text = [&b"a\n"[..], &long, b"\n", &long].concat();
        assert_eq!(lines(&text), [b"a".to_vec(), long.clone(), long]);
    }

    #[test]
    fn many_lines_come_in_order_however_the_reads_fall() {
        struct Dribble<'a>(&'a [u8]);
        impl Read for Dribble<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let count = self.0.len().min(buffer.len()).min(7);
                buffer[..count].copy_from_slice(&self.0[..count]);
                self.0 = &self.0[count..];
                Ok(count)
            }
        }
        let text: String = (0..10_000).map(|number| format!("{number}\n")).collect();
        let mut next = 0;
        read_lines(Dribble(text.as_bytes()), |lines| {
            for line in lines {
                assert_eq!(line, next.to_string());
                next += 1;
            }
            true
        })
        .unwrap();
        assert_eq!(next, 10_000);
    }

    #[test]
    fn a_reader_of_lines_stops_when_told_so() {
        let text = "a\n".repeat(BLOCK);
        let mut calls = 0;
        read_lines(text.as_bytes(), |_| {
            calls += 1;
            false
        })
        .unwrap();
        assert_eq!(calls, 1);
    }

    #[test]
    fn a_failing_reader_is_reported_after_the_lines_before_it() {
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
        let outcome = read_lines(Broken(false), |lines| {
            count += lines.len();
            true
        });
        assert_eq!(
            (outcome.unwrap_err().to_string(), count),
            ("broken".to_owned(), 1)
        );
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = PayloadSource::File("/nonexistent/payload".into())
            .read(io::empty())
            .unwrap_err();
        assert_eq!(
            format!("{error:#}"),
            "cannot open /nonexistent/payload: No such file or directory (os error 2)"
        );
    }
}
