//! Where options come from that were not typed. For `serve` that is `MQTT_SERVE_*` and the file of `--config`; for the
//! commands that connect, a context or the `.mqtt.toml` of a folder.
//!
//! The clap definition is the only list of options: their long names are the files' keys and, in capitals, the variables.
//! What is said elsewhere becomes the words one would have typed, unless they were typed, and clap judges
//! all of them alike. So this module has no list of its own, and knows neither ranges nor defaults.

mod client;
pub mod contexts;
mod mosquitto;
mod options;
mod serve;
mod value;

pub use client::{fault_of_url, without_secrets};

use std::ffi::OsString;
use std::fmt;
use std::path::Path;

use clap::Parser;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::cli::{self, Cli};
use crate::dialect::{Dialect, Program};

/// One option as it is in effect. Displayed, it is a line of the configuration file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The option's long name.
    pub key: String,
    /// Its value in TOML, or `None` for an option without a default that nobody has given.
    pub value: Option<String>,
    /// What its help calls the value.
    pub placeholder: String,
    /// Who said so: `flag`, a variable, a file and line, or `default`.
    pub origin: String,
}

impl fmt::Display for Setting {
    fn fmt(&self, line: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Setting { key, origin, .. } = self;
        match &self.value {
            Some(value) => write!(line, "{key} = {value} # {origin}"),
            None => write!(line, "# {key} = {} # not set", self.placeholder),
        }
    }
}

/// Understands the command line `words`: as that of the mosquitto client the first word names, or as our own.
pub fn understand(
    words: impl IntoIterator<Item = OsString>,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> (Dialect, anyhow::Result<Cli>) {
    let mut words = words.into_iter().peekable();
    match words.peek().and_then(|name| Program::called(name)) {
        Some(program) => mosquitto::understand(program, words.skip(1), environment),
        None => (Dialect::Ours, parse(words, environment)),
    }
}

/// Understands the command line `words`, the program's name first, and whatever is said elsewhere about the options of its
/// command.
///
/// # Errors
/// A [`clap::Error`] for what was typed, help included; status 2 for a variable and status 1 for a file.
pub fn parse(
    words: impl IntoIterator<Item = OsString>,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> anyhow::Result<Cli> {
    // In a folder that is gone there is no file either.
    let here = std::env::current_dir().unwrap_or_default();
    parse_in(&here, words, environment).map_err(|error| match error.downcast() {
        Ok(fault) => named_rightly(fault).into(),
        Err(other) => other,
    })
}

/// Calls a word too many in `bench` an unexpected argument; clap takes it for a verb that stands in a wrong place.
fn named_rightly(fault: clap::Error) -> clap::Error {
    let word = match (fault.kind(), fault.get(ContextKind::InvalidSubcommand)) {
        (ErrorKind::ArgumentConflict, Some(ContextValue::String(word))) => word,
        _ => return fault,
    };
    let mut definition = cli::definition();
    definition.build();
    match definition.find_subcommand_mut("bench") {
        Some(bench) if bench.find_subcommand(word).is_none() => bench.error(
            ErrorKind::UnknownArgument,
            format!("unexpected argument '{word}' found"),
        ),
        _ => fault,
    }
}

fn parse_in(
    here: &Path,
    words: impl IntoIterator<Item = OsString>,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> anyhow::Result<Cli> {
    let words: Vec<OsString> = words.into_iter().collect();
    let environment: Vec<(OsString, OsString)> = environment.into_iter().collect();
    if words.get(1).is_some_and(|command| command == "serve") {
        return serve::parse(&words, environment);
    }
    // The common case by the shortest way: building the definition takes a good part of the time of a small `pub`.
    if !client::may_be_said(&words, &environment, here) {
        return Ok(Cli::try_parse_from(words)?);
    }
    let path = path_of(&words);
    match client::connects(&path) {
        true => client::parse(&path, &words, environment, here),
        false => Ok(Cli::try_parse_from(words)?),
    }
}

/// The words that lead to a command, by the names in its definition.
fn path_of(words: &[OsString]) -> Vec<&str> {
    let mut command = cli::definition();
    let mut path = vec!["mqtt"];
    for word in words.iter().skip(1).map_while(|word| word.to_str()) {
        let Some(verb) = command.find_subcommand(word) else {
            break;
        };
        command = verb.clone();
        path.push(word);
    }
    path
}
