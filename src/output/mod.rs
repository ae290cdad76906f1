//! How messages and reports are shown. Values in, bytes out; the clock and the writer are handed in.

pub mod bench_metrics;
pub mod calibration;
pub mod climb;
pub mod comparison;
pub mod debug;
pub mod delivery;
pub mod figures;
mod files;
pub mod format;
mod headline;
pub mod html;
mod isolation;
mod machines;
pub mod message;
mod mosquitto;
mod outlet;
mod pretty;
mod recovery;
pub mod report;
pub mod series;
mod shares;
pub mod tour;
pub mod trace;

use std::ffi::OsStr;
use std::fmt;
use std::io::{self, Write};
use std::sync::OnceLock;

pub use files::{FileError, FileName, Files, Rotation};
pub use format::{Complaint, FormatFault, Template};
pub use message::{Encoding, MessageFormat};
pub use mosquitto::JsonForm;
pub use outlet::Outlet;

/// Who speaks on stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Voice {
    /// `mqtt: `, and all there is to say.
    Ours,
    /// One of mosquitto's clients, which say nothing but why they end.
    Mosquitto,
    /// `--quiet`: nobody.
    Silent,
}

/// Set once, when the command line is understood; [`Voice::Ours`] before.
static VOICE: OnceLock<Voice> = OnceLock::new();

/// Who speaks from now on; the first call counts.
pub fn speak_as(voice: Voice) {
    let _ = VOICE.set(voice);
}

/// A terminal that says of itself that it is dumb gets no colour, unless the environment insists.
pub fn spare_dumb_terminal(terminal: Option<&OsStr>, is_forced: bool) {
    if terminal.is_some_and(|name| name == "dumb") && !is_forced {
        colored::control::set_override(false);
    }
}

/// Who speaks.
pub fn voice() -> Voice {
    VOICE.get().copied().unwrap_or(Voice::Ours)
}

/// Says one line on stderr, in one write: other programs say theirs on the same terminal.
pub fn say(words: impl fmt::Display) {
    if voice() != Voice::Ours {
        return;
    }
    let words = words.to_string();
    // Words of our own may have several lines; what came from elsewhere does not steer a terminal.
    let tame: Vec<String> = words.split('\n').map(without_controls).collect();
    let line = format!("mqtt: {}\n", tame.join("\n"));
    // Nobody can be told that stderr is gone.
    let _ = io::stderr().write_all(line.as_bytes());
}

/// The text with its control characters written as what they are: it may come from a broker, a message or a file.
fn without_controls(text: &str) -> String {
    let shown = |character: char| match character.is_control() {
        true => character.escape_default().to_string(),
        false => character.to_string(),
    };
    text.chars().map(shown).collect()
}

/// Says something that mosquitto's clients have words of their own for.
pub fn say_either(ours: impl fmt::Display, mosquitto: impl fmt::Display) {
    match voice() {
        Voice::Ours => say(ours),
        // Nobody can be told that stderr is gone.
        Voice::Mosquitto => drop(io::stderr().write_all(format!("{mosquitto}\n").as_bytes())),
        Voice::Silent => {}
    }
}

/// Enough for one write; more is not kept back.
const FULL: usize = 64 * 1024;

/// A writer, in practice stdout, and what is to be written to it.
pub struct Output<W> {
    writer: W,
    /// To be filled; [`Output::flush`] empties it.
    pub buffer: Vec<u8>,
}

/// Why nothing more can be written.
#[derive(Debug, thiserror::Error)]
pub enum Unwritable {
    /// The reader has left, which is its right.
    #[error("the reader of stdout has left")]
    Closed,
    /// Anything else, a full disk for example.
    #[error("cannot write to stdout: {0}")]
    Failed(io::Error),
}

impl<W: Write> Output<W> {
    /// Nothing to be written yet.
    pub fn new(writer: W) -> Output<W> {
        Output {
            writer,
            buffer: Vec::new(),
        }
    }

    /// Whether so much has come together that it should be written.
    pub fn is_full(&self) -> bool {
        self.buffer.len() >= FULL
    }

    /// Writes everything.
    ///
    /// # Errors
    /// When the reader has left or the writer fails.
    pub fn flush(&mut self) -> Result<(), Unwritable> {
        let outcome = self
            .writer
            .write_all(&self.buffer)
            .and_then(|()| self.writer.flush());
        self.buffer.clear();
        self.buffer.shrink_to(4 * FULL);
        outcome.map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => Unwritable::Closed,
            _ => Unwritable::Failed(error),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_who_left_is_told_from_a_full_disk() {
        struct Failing(io::ErrorKind);
        impl Write for Failing {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(self.0.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let outcome = |kind| {
            let mut output = Output::new(Failing(kind));
            output.buffer.push(b'x');
            output.flush()
        };
        assert!(matches!(
            outcome(io::ErrorKind::BrokenPipe),
            Err(Unwritable::Closed)
        ));
        assert!(matches!(
            outcome(io::ErrorKind::StorageFull),
            Err(Unwritable::Failed(_))
        ));
    }
    /// Every number of a JSON text, one after the other, replaced by `number`.
    fn changed(value: &serde_json::Value, number: &serde_json::Value) -> Vec<serde_json::Value> {
        fn places(value: &serde_json::Value, path: &str, found: &mut Vec<String>) {
            match value {
                serde_json::Value::Number(_) => found.push(path.to_owned()),
                serde_json::Value::Array(values) => (values.iter().enumerate())
                    .for_each(|(place, value)| places(value, &format!("{path}/{place}"), found)),
                serde_json::Value::Object(members) => (members.iter())
                    .for_each(|(name, value)| places(value, &format!("{path}/{name}"), found)),
                _ => {}
            }
        }
        let mut found = Vec::new();
        places(value, "", &mut found);
        let with = |path: &String| {
            let mut value = value.clone();
            if let Some(place) = value.pointer_mut(path) {
                *place = number.clone();
            }
            value
        };
        found.iter().map(with).collect()
    }

    #[test]
    fn whatever_numbers_stand_in_a_saved_run_it_is_shown() {
        use crate::bench::report::merge::merge;
        use crate::bench::report::{LARGEST, Report, tests::report};
        use crate::bench::trials::compare::compare;
        let run = serde_json::to_value(report(1, |_| {})).unwrap();
        let read = |value: &serde_json::Value| serde_json::from_value::<Report>(value.clone());
        for number in [
            serde_json::json!(0),
            serde_json::json!(-1),
            serde_json::json!(1e300),
            serde_json::json!(u32::MAX),
            serde_json::json!(LARGEST),
        ] {
            for value in changed(&run, &number) {
                let Ok(report) = read(&value) else { continue };
                report::text(&report);
                html::page(&report);
                let again = read(&value).unwrap();
                if let Ok(merged) = merge(vec![report.clone(), again]) {
                    report::text(&merged);
                    html::page(&merged);
                }
                let metrics = ["rate", "p50", "p99"].map(|name| name.parse().unwrap());
                let sides = ["a", "b"].map(str::to_owned);
                let [first, second] = sides.map(|name| (name, std::slice::from_ref(&report)));
                comparison::text(&compare(first, second, &metrics, 0.0));
            }
        }
    }
}
