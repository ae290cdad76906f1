//! The options of `mqtt serve`: what was typed, then `MQTT_SERVE_*`, then the file of `--config`, then the default; the first
//! that speaks wins.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser};

use super::options::{Given, Options, Origin};
use super::value;
use crate::cli::{Cli, Command};

/// What every variable begins with.
const PREFIX: &str = "MQTT_SERVE_";

/// Options that say where the others come from, and so cannot come from there.
const TYPED_ONLY: [&str; 2] = ["config", "print-config"];

/// Understands `words`, which begin with `mqtt serve`.
///
/// # Errors
/// A [`clap::Error`] for what was typed, help included; status 2 for a variable and status 1 for the file.
pub(super) fn parse(
    words: &[OsString],
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> anyhow::Result<Cli> {
    // What is wrong is said by the last look at the words; but --help is answered here.
    let typed = Cli::command()
        .ignore_errors(true)
        .try_get_matches_from(words)?;
    let Some(typed) = typed.subcommand_matches("serve") else {
        return Ok(Cli::try_parse_from(words)?);
    };

    let options = Options::new(&["mqtt", "serve"], |key| !TYPED_ONLY.contains(&key));
    let variables = Variables::new(environment);
    let mut given = match variables.config_file(typed) {
        Some((path, source)) => options.read_file(&path, source)?,
        None => Given::new(),
    };
    given.extend(read_environment(&options, &variables)?);
    given.retain(|key, _| options.source(typed, key) != Some(ValueSource::CommandLine));

    let matches = options.together(words, &given)?;
    let mut cli = Cli::from_arg_matches(&matches)?;
    if let (Command::Serve(args), Some(serve)) =
        (&mut cli.command, matches.subcommand_matches("serve"))
        && args.print_config
    {
        args.settings = options.settings(serve, &given)?;
    }
    Ok(cli)
}

/// The environment by name, as far as it is ours. An empty variable counts as not set.
struct Variables(BTreeMap<String, OsString>);

impl Variables {
    fn new(environment: impl IntoIterator<Item = (OsString, OsString)>) -> Variables {
        let environment = environment.into_iter();
        let named = environment.filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        let ours = named.filter(|(name, value)| name.starts_with(PREFIX) && !value.is_empty());
        Variables(ours.collect())
    }

    /// The configuration file, and who named it.
    fn config_file(&self, typed: &ArgMatches) -> Option<(PathBuf, String)> {
        match typed.get_one::<PathBuf>("config") {
            Some(path) => Some((path.clone(), "--config".to_owned())),
            None => {
                let name = variable("config");
                Some((PathBuf::from(self.0.get(&name)?), name))
            }
        }
    }
}

/// The name of an option's variable.
fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.to_uppercase().replace('-', "_"))
}

fn read_environment(options: &Options, variables: &Variables) -> anyhow::Result<Given> {
    let mut given = Given::new();
    for (name, text) in &variables.0 {
        let origin = Origin::Variable(name.clone());
        let Some((key, option)) = options.all().find(|(key, _)| variable(key) == *name) else {
            if *name == variable("config") {
                continue;
            }
            let near = name[PREFIX.len()..].to_lowercase().replace('_', "-");
            let near = options.near(&near).map(|near| variable(&near));
            return Err(origin.because(options.unknown("variable", near)));
        };
        let words = value::typed_text(option, key, text);
        given.insert(key.to_owned(), options.checked(key, words, origin)?);
    }
    Ok(given)
}

#[cfg(test)]
mod tests;
