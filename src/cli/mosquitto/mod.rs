//! The command lines of `mosquitto_pub`, `mosquitto_sub` and `mosquitto_rr`, as words for `mqtt pub`, `sub` and `req`.
//!
//! Their grammar is a loop of its own: every word is compared as a whole, so that `-q1`, `--qos=1`, `--` and positional
//! words are unknown options, and whatever follows an option that takes a value is its value. What was said last counts,
//! lists grow, numbers are read as C's `atoi` reads them, and each mistake has its words. [`options`] is the list of the
//! options, [`given`] what they add up to, [`check`] what they must be together, [`words`] how ours say it, [`file`] the
//! lines of a configuration file.
//!
//! Pure: words in, words or a refusal out. clap's definition of our own commands stays the judge of what comes out.

mod check;
mod file;
mod given;
mod number;
mod options;
mod url;
mod usage;
mod words;

#[cfg(test)]
mod tests;

use std::ffi::{OsStr, OsString};

use crate::dialect::{Dialect, Program, Refusal};
use given::Given;

impl Refusal {
    /// `message` on stderr as it is.
    fn saying(message: impl Into<String>) -> Refusal {
        Refusal {
            stderr: message.into(),
            ..Refusal::default()
        }
    }

    /// `message` and where to find help, which every wrong option ends with.
    fn usage(program: Program, message: &str) -> Refusal {
        let name = program.name();
        Refusal::saying(format!("{message}\nUse '{name} --help' to see usage.\n"))
    }
}

/// The command of ours that does a client's work.
fn command(program: Program) -> &'static str {
    match program {
        Program::Pub => "pub",
        Program::Sub => "sub",
        Program::Rr => "req",
    }
}

/// A command line in our words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Translation {
    /// For clap: `mqtt`, the command, and options with their values in one word each.
    pub words: Vec<OsString>,
    /// How the program is to speak and to end.
    pub dialect: Dialect,
}

/// Translates what the configuration file and the command line say.
///
/// # Errors
/// The refusal mosquitto's client would answer with.
pub fn translate(
    program: Program,
    file: &[u8],
    typed: &[OsString],
) -> Result<Translation, Refusal> {
    let mut given = Given::new(program);
    for line in file::lines(file) {
        read(&mut given, &line)?;
    }
    read(&mut given, typed)?;
    given.finish()
}

/// The file of `-o`, which is read instead of the usual one (mosquitto 2.1).
///
/// # Errors
/// When there are two of them, or none after the `-o`.
pub fn options_file(program: Program, typed: &[OsString]) -> Result<Option<&OsStr>, Refusal> {
    let mut places = (0..typed.len()).filter(|place| typed[*place] == "-o");
    let Some(place) = places.next() else {
        return Ok(None);
    };
    let refusal = |words| Err(Refusal::usage(program, words));
    match (typed.get(place + 1), places.next()) {
        (_, Some(_)) => refusal("Error: Duplicate -o argument given.\n\n"),
        (None, _) => refusal("Error: -o argument given but no options file specified.\n\n"),
        (Some(path), None) => Ok(Some(path)),
    }
}

/// Adds the words of a command line, or the one or two of a line of the file.
fn read(given: &mut Given, words: &[OsString]) -> Result<(), Refusal> {
    let program = given.program;
    let refusal = |message: String| Err(Refusal::usage(program, &message));
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let shown = word.to_string_lossy();
        match word.to_str() {
            Some("--help") => return Err(Refusal::help(program)),
            Some("--version") => return Err(Refusal::version(program)),
            Some("-D" | "--property") => {
                given.property(&mut words).or_else(refusal)?;
                continue;
            }
            _ => {}
        }
        let option = options::find(program, word);
        let Some(option) = option else {
            return refusal(format!("Error: Unknown option '{shown}'.\n"));
        };
        let value = match (option.value, words.as_slice()) {
            _ if given.payload_twice(option) => {
                return refusal(
                    "Error: Only one type of message can be sent at once.\n\n".to_owned(),
                );
            }
            (None, _) => OsStr::new(""),
            (Some(missing), []) => return refusal(format!("Error: {missing} specified.\n\n")),
            (Some(_), [value, ..]) => {
                words.next();
                value
            }
        };
        option.act(given, value).or_else(refusal)?;
    }
    Ok(())
}
