//! What a group's messages carry, where it is not filler: texts, files, the lines of a file, as they are or as templates.
//! Nothing is read here: a plan names its files.

use std::fmt;
use std::path::PathBuf;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use super::text;

/// What messages carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// Where it comes from.
    pub source: Source,
    /// Which of several a message carries.
    pub order: Order,
    /// Whether `{{...}}` is filled in for each message.
    pub template: bool,
}

/// Where the payloads of a group come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// These texts.
    Texts(Vec<String>),
    /// Each of these files, whole.
    Files(Vec<PathBuf>),
    /// Each line of this file, without its end.
    Lines(PathBuf),
}

/// Which of several payloads a message carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// One after the other.
    #[default]
    Turn,
    /// Any, as it follows from the run.
    Random,
}

impl Order {
    /// As it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Order::Turn => "turn",
            Order::Random => "random",
        }
    }
}

impl From<String> for Content {
    fn from(text: String) -> Content {
        Content {
            source: Source::Texts(vec![text]),
            order: Order::Turn,
            template: false,
        }
    }
}

/// As it is written: a text, or a table.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        with = "text::one_or_more"
    )]
    text: Vec<String>,
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        with = "text::one_or_more"
    )]
    file: Vec<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lines: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "text::is_default")]
    order: Order,
    #[serde(default, skip_serializing_if = "text::is_default")]
    template: bool,
}

impl Serialize for Content {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Content {
            source,
            order,
            template,
        } = self.clone();
        let (mut texts, mut files, mut lines) = (Vec::new(), Vec::new(), None);
        match source {
            Source::Texts(source) => texts = source,
            Source::Files(source) => files = source,
            Source::Lines(source) => lines = Some(source),
        }
        match &texts[..] {
            [text] if !template && order == Order::Turn => text.serialize(serializer),
            _ => Written {
                text: texts,
                file: files,
                lines,
                order,
                template,
            }
            .serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Content, D::Error> {
        deserializer.deserialize_any(Words)
    }
}

struct Words;

impl<'de> Visitor<'de> for Words {
    type Value = Content;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a text, or a table with text, file or lines")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Content, E> {
        Ok(text.to_owned().into())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Content, A::Error> {
        let Written {
            text,
            file,
            lines,
            order,
            template,
        } = Written::deserialize(MapAccessDeserializer::new(map))?;
        let source = match (text.is_empty(), file.is_empty(), lines) {
            (false, true, None) => Source::Texts(text),
            (true, false, None) => Source::Files(file),
            (true, true, Some(lines)) => Source::Lines(lines),
            _ => {
                return Err(A::Error::custom(
                    "a payload has exactly one of text, file and lines",
                ));
            }
        };
        Ok(Content {
            source,
            order,
            template,
        })
    }
}
