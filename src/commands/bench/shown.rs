//! What is done with what was found: printed, saved, and turned into the exit status.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Serialize;

use crate::bench::report::Report;
use crate::exit::Exit;
use crate::output::{Output, Unwritable};

/// Where a report goes.
pub(super) struct Saved {
    /// On stdout as JSON instead of text.
    json: bool,
    /// As JSON into this file.
    file: Option<Destination>,
}

/// A file for one text. It is made before the run, so that a wrong path does not cost one.
pub(super) struct Destination {
    path: PathBuf,
    file: File,
}

impl Destination {
    /// Makes the file.
    ///
    /// # Errors
    /// When that is not possible.
    pub(super) fn new(path: &Path) -> anyhow::Result<Destination> {
        let file = File::create(path);
        Ok(Destination {
            path: path.to_owned(),
            file: file.with_context(|| format!("could not write {}", path.display()))?,
        })
    }

    /// Writes the text.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn write(mut self, text: &str) -> anyhow::Result<()> {
        let written = self.file.write_all(text.as_bytes());
        written.with_context(|| format!("could not write {}", self.path.display()))
    }
}

/// Refuses files that would be written over each other, and `-` for a file: stdout has the report.
///
/// # Errors
/// Which option names what.
pub(super) fn distinct(files: &[(&str, Option<&Path>)]) -> anyhow::Result<()> {
    let files = files.iter();
    let named: Vec<(&str, &Path)> = files
        .filter_map(|(flag, path)| Some((*flag, (*path)?)))
        .collect();
    for (place, (flag, path)) in named.iter().enumerate() {
        if path.as_os_str() == "-" {
            let instead = match *flag {
                "--json" => "--json alone prints JSON there",
                _ => "name a file",
            };
            let words = format!("{flag}: stdout has the report; {instead}");
            return Err(Exit::Usage.because(words));
        }
        // A device takes whatever comes.
        let is_device = path.metadata().is_ok_and(|found| !found.is_file());
        let other = named[..place].iter().find(|(_, other)| other == path);
        if let (Some((other, _)), false) = (other, is_device) {
            let words = format!("{other} and {flag} name the same file, {}", path.display());
            return Err(Exit::Usage.because(words));
        }
    }
    Ok(())
}

/// The file of `--json[=FILE]`.
pub(super) fn json_file(json: &Option<Option<PathBuf>>) -> Option<&Path> {
    json.as_ref().and_then(Option::as_deref)
}

impl Saved {
    /// What `--json[=FILE]` asks for.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub(super) fn new(json: &Option<Option<PathBuf>>) -> anyhow::Result<Saved> {
        distinct(&[("--json", json_file(json))])?;
        Ok(Saved {
            json: matches!(json, Some(None)),
            file: json_file(json).map(Destination::new).transpose()?,
        })
    }

    /// Prints what was found, as JSON or in the words of `text`, and saves it. A reader of stdout who has left has seen enough.
    ///
    /// # Errors
    /// When something cannot be written.
    pub(super) fn write<T: Serialize>(
        self,
        found: &T,
        text: impl Fn(&T) -> String,
    ) -> anyhow::Result<()> {
        let json = || serde_json::to_string_pretty(found).map(|text| text + "\n");
        // A full disk does not keep anybody from reading what was found.
        let printed = print(&match self.json {
            true => json()?,
            false => text(found),
        });
        if let Some(file) = self.file {
            file.write(&json()?)?;
        }
        printed
    }
}

/// Prints on stdout; a reader who has left has seen enough.
///
/// # Errors
/// When stdout cannot be written.
pub(super) fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = Output::new(io::stdout().lock());
    stdout.buffer.extend_from_slice(text.as_bytes());
    match stdout.flush() {
        Ok(()) | Err(Unwritable::Closed) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// How a program ends that found this.
pub(super) fn outcome(report: &Report) -> Exit {
    match report {
        Report {
            interrupted: true, ..
        } => Exit::Interrupted,
        Report { connections, .. } if connections.failed() > 0 => connections
            .failures
            .first()
            .map_or(Exit::NotReached, |failure| failure.exit),
        report if !report.check.passed => Exit::CheckFailed,
        report if report.objectives.iter().any(|objective| !objective.met) => Exit::CheckFailed,
        report if !report.lost_connections.is_empty() => Exit::Lost,
        // An objective that is met in a run that shows nothing is not shown.
        report if !report.objectives.is_empty() && report.verdict.is_in_doubt() => {
            Exit::CheckFailed
        }
        _ => Exit::Done,
    }
}
