//! What the groups of a plan send: the texts it has, or the files it names, read once before the run.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use jiff::Timestamp;

use crate::bench::payloads::Payloads;
use crate::bench::plan::content::{Content, Source};
use crate::bench::plan::{Plan, Publishers};
use crate::exit::Exit;

/// For each group that publishes what it sends.
///
/// # Errors
/// When a file cannot be read or is empty, or a template is none.
pub(super) fn payloads(plan: &Plan) -> anyhow::Result<Vec<Arc<Payloads>>> {
    let groups = plan.publish.iter();
    groups.map(|group| of_group(group).map(Arc::new)).collect()
}

fn of_group(group: &Publishers) -> anyhow::Result<Payloads> {
    let (name, texts) = match &group.payload {
        None => (String::new(), Vec::new()),
        Some(Content { source, .. }) => match source {
            Source::Texts(texts) => {
                let texts = texts.iter().map(|text| text.clone().into_bytes());
                ("the payload".to_owned(), texts.collect())
            }
            Source::Files(files) => {
                let texts = files.iter().map(|file| read(file));
                (
                    "a payload file".to_owned(),
                    texts.collect::<Result<_, _>>()?,
                )
            }
            Source::Lines(file) => (file.display().to_string(), lines(&read(file)?)),
        },
    };
    Payloads::new(group, texts, Timestamp::now)
        .map_err(|words| Exit::Usage.because(format!("{name}: {words}")))
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    fs::read(file).with_context(|| format!("could not read the payload {}", file.display()))
}

/// The lines without their ends, of which the last may have none.
fn lines(text: &[u8]) -> Vec<Vec<u8>> {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    let lines = text.split(|byte| *byte == b'\n');
    let lines = lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line).to_vec());
    match text {
        [] => Vec::new(),
        _ => lines.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_ends_with_a_line_feed_and_the_last_need_not() {
        for (text, expected) in [
            ("", &[][..]),
            ("\n", &[]),
            ("a", &["a"]),
            ("a\nb\n", &["a", "b"]),
            ("a\r\n\nb", &["a", "", "b"]),
        ] {
            assert_eq!(
                lines(text.as_bytes()),
                expected
                    .iter()
                    .map(|line| line.as_bytes())
                    .collect::<Vec<_>>()
            );
        }
    }
}
