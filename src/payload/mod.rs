//! Where messages come from: the command line, files, stdin as a whole, or stdin record by record, and what one record
//! says: a payload, a topic and a payload, or a message in JSON.
//!
//! Bytes in, [`Draft`]s out. What a draft leaves open, its topic for example, the options of the command say
//! ([`compose`]); sending is the client's.

pub mod compose;
mod encoding;
mod json;
mod records;
mod template;

use std::ffi::OsString;
use std::io::Read;
use std::path::PathBuf;

use anyhow::Context;
use bytes::Bytes;

use crate::exit::Exit;
use crate::mqtt::codec::MAXIMUM_REMAINING_LENGTH;
use crate::mqtt::{ByteString, Properties, QoS};

pub use encoding::Encoding;
pub use records::{delimiter, read_records};
pub use template::{Dice, Filling, Template};

/// A message as far as its source describes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// Where it goes, if that is said.
    pub topic: Option<ByteString>,
    /// Its payload.
    pub payload: Bytes,
    /// Quality of service, if that is said.
    pub qos: Option<QoS>,
    /// Whether it is to be retained, if that is said.
    pub retain: Option<bool>,
    /// Properties of its own.
    pub properties: Properties,
}

impl From<Bytes> for Draft {
    fn from(payload: Bytes) -> Draft {
        Draft {
            topic: None,
            payload,
            qos: None,
            retain: None,
            properties: Properties::default(),
        }
    }
}

/// The one source of a run's messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Each of these is a message.
    Pieces(Vec<Piece>),
    /// Stdin, cut at each delimiter.
    Records {
        /// What stands between two records.
        delimiter: Vec<u8>,
        /// What a record says.
        shape: Shape,
    },
}

/// A payload in one piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// What was typed. On Unix that may be any bytes but NUL.
    Typed(OsString),
    /// The contents of a file.
    File(PathBuf),
    /// All of stdin.
    Stdin,
    /// No bytes at all.
    Empty,
}

/// What a record says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// It is a payload.
    Payload,
    /// It is a topic, these bytes, and a payload.
    TopicAndPayload(Vec<u8>),
    /// It is a message in JSON.
    Json,
}

impl Source {
    /// Whether its messages may say themselves where they go.
    pub fn names_topics(&self) -> bool {
        matches!(
            self,
            Source::Records {
                shape: Shape::Json | Shape::TopicAndPayload(_),
                ..
            }
        )
    }
}

impl Piece {
    /// The payload.
    ///
    /// # Errors
    /// When the file or stdin cannot be read, or is longer than any packet.
    pub fn read(&self, stdin: impl Read) -> anyhow::Result<Bytes> {
        Ok(match self {
            Piece::Typed(text) => text.clone().into_encoded_bytes().into(),
            Piece::Empty => Bytes::new(),
            Piece::File(path) => {
                let name = path.display();
                let file =
                    std::fs::File::open(path).with_context(|| format!("cannot open {name}"))?;
                // What is no ordinary file says 0 of itself.
                let length = file.metadata().map_or(0, |about| about.len());
                whole(file, length, &format!("the file {name}"))?
            }
            Piece::Stdin => whole(stdin, 0, "stdin")?,
        })
    }
}

impl Shape {
    /// What this record describes.
    ///
    /// # Errors
    /// Says why it describes no message.
    pub fn draft(&self, record: Bytes) -> Result<Draft, String> {
        match self {
            Shape::Payload => Ok(record.into()),
            Shape::TopicAndPayload(separator) => {
                let at = memchr::memmem::find(&record, separator).ok_or_else(|| {
                    format!(
                        "there is no {:?} after a topic",
                        String::from_utf8_lossy(separator)
                    )
                })?;
                let topic = ByteString::try_from(record.slice(..at))
                    .map_err(|_| "its topic is not UTF-8".to_owned())?;
                Ok(Draft {
                    topic: Some(topic),
                    ..record.slice(at + separator.len()..).into()
                })
            }
            Shape::Json => json::draft(&record),
        }
    }
}

/// Reads to the end, after about so many bytes. What is too long is not read first where that is known.
fn whole(reader: impl Read, expected: u64, name: &str) -> anyhow::Result<Bytes> {
    let most = u64::from(MAXIMUM_REMAINING_LENGTH);
    if expected > most {
        return Err(Exit::Failed.because(too_long(name)));
    }
    let mut payload = Vec::with_capacity(expected as usize);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_is_named() {
        let error = Piece::File("/nonexistent/payload".into())
            .read(std::io::empty())
            .unwrap_err();
        assert_eq!(
            format!("{error:#}"),
            "cannot open /nonexistent/payload: No such file or directory (os error 2)"
        );
    }

    #[test]
    fn a_file_longer_than_a_message_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("payload");
        let file = std::fs::File::create(&path).unwrap();
        file.set_len(1 << 40).unwrap();
        let error = Piece::File(path.clone()).read(std::io::empty());
        let most = MAXIMUM_REMAINING_LENGTH;
        assert_eq!(
            error.unwrap_err().to_string(),
            format!(
                "the file {} is longer than a message can be ({most} bytes)",
                path.display()
            )
        );
        file.set_len(5).unwrap();
        let payload = Piece::File(path).read(std::io::empty()).unwrap();
        assert_eq!(payload, [0; 5][..]);
    }

    #[test]
    fn a_record_is_cut_at_the_first_separator() {
        let shape = Shape::TopicAndPayload(b": ".to_vec());
        let draft = shape.draft("a/b: c: d".into()).unwrap();
        assert_eq!(draft.topic.as_deref(), Some("a/b"));
        assert_eq!(draft.payload, "c: d");
        let draft = shape.draft(": ".into()).unwrap();
        assert_eq!((draft.topic.as_deref(), draft.payload.len()), (Some(""), 0));
        assert_eq!(
            shape.draft("a/b".into()).unwrap_err(),
            "there is no \": \" after a topic"
        );
        let error = shape.draft(Bytes::from_static(b"\xff: x")).unwrap_err();
        assert_eq!(error, "its topic is not UTF-8");
    }
}
