//! What the groups of a plan send: the texts it has, or the files it names, read once before the run.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use jiff::Timestamp;

use crate::bench::plan::content::{Content, Source};
use crate::bench::plan::{Plan, Publishers};
use crate::bench::role::payloads::Payloads;
use crate::exit::Exit;

/// For each group that publishes what it sends. `environment` has the variables that templates may show.
///
/// # Errors
/// When a file cannot be read or is empty, or a template is none.
pub(super) fn payloads(
    plan: &Plan,
    environment: impl Fn(&str) -> Option<String>,
) -> anyhow::Result<Vec<Arc<Payloads>>> {
    let groups = plan.publish.iter();
    groups
        .map(|group| of_group(group, &environment).map(Arc::new))
        .collect()
}

/// The plan with what is in its files in place of their names, for machines that have no such files.
///
/// # Errors
/// When a file cannot be read, or is no text.
pub(super) fn without_files(plan: &Plan) -> anyhow::Result<Plan> {
    let mut plan = plan.clone();
    for content in plan
        .publish
        .iter_mut()
        .filter_map(|group| group.payload.as_mut())
    {
        let (name, texts) = texts_of(&content.source)?;
        let texts = texts.into_iter().map(String::from_utf8);
        let texts: Result<Vec<String>, _> = texts.collect();
        let no_text = || format!("{name} is no text in UTF-8, which agents could not be told");
        content.source = Source::Texts(texts.map_err(|_| Exit::Usage.because(no_text()))?);
    }
    Ok(plan)
}

/// Whether a plan names files.
pub(super) fn names_files(plan: &Plan) -> bool {
    let contents = plan
        .publish
        .iter()
        .filter_map(|group| group.payload.as_ref());
    contents
        .map(|content| &content.source)
        .any(|source| !matches!(source, Source::Texts(_)))
}

fn of_group(
    group: &Publishers,
    environment: impl Fn(&str) -> Option<String>,
) -> anyhow::Result<Payloads> {
    let (name, texts) = match &group.payload {
        None => (String::new(), Vec::new()),
        Some(Content { source, .. }) => texts_of(source)?,
    };
    Payloads::new(group, texts, Timestamp::now, environment)
        .map_err(|words| Exit::Usage.because(format!("{name}: {words}")))
}

/// What a source has, and what to call it.
fn texts_of(source: &Source) -> anyhow::Result<(String, Vec<Vec<u8>>)> {
    Ok(match source {
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
    })
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
