//! Where the options of `mqtt serve` come from: what was typed, then `MQTT_SERVE_*`, then the file of `--config`, then the
//! default; the first that speaks wins.
//!
//! The clap definition is the only list of options: their long names are the file's keys and, in capitals, the variables.
//! What the environment and the file say becomes the words one would have typed, unless they were typed, and clap judges
//! all of them alike. So this module has no list of its own, and knows neither ranges nor defaults.

mod value;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, CommandFactory, FromArgMatches, Parser};
use toml::de::DeTable;

use crate::cli::{Cli, Command};
use crate::exit::Exit;

/// What every variable begins with.
const PREFIX: &str = "MQTT_SERVE_";

/// Options that say where the others come from, and so cannot come from there.
const TYPED_ONLY: [&str; 2] = ["config", "print-config"];

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

/// Understands the command line `words`, the program's name first, and for `serve` the environment and the
/// configuration file too.
///
/// # Errors
/// A [`clap::Error`] for what was typed, help included; status 2 for a variable and status 1 for the file.
pub fn parse(
    words: impl IntoIterator<Item = OsString>,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> anyhow::Result<Cli> {
    let words: Vec<OsString> = words.into_iter().collect();
    if words.get(1).is_none_or(|command| command != "serve") {
        return Ok(Cli::try_parse_from(words)?);
    }
    // What is wrong is said by the last look at the words; but --help is answered here.
    let typed = Cli::command()
        .ignore_errors(true)
        .try_get_matches_from(&words)?;
    let Some(typed) = typed.subcommand_matches("serve") else {
        return Ok(Cli::try_parse_from(words)?);
    };

    let options = Options::new();
    let variables = Variables::new(environment);
    let mut given = match variables.config_file(typed) {
        Some((path, source)) => options.read_file(&path, source)?,
        None => Given::new(),
    };
    given.extend(options.read_environment(&variables)?);
    given.retain(|key, _| options.source(typed, key) != Some(ValueSource::CommandLine));

    let matches = options.together(&words, &given)?;
    let mut cli = Cli::from_arg_matches(&matches)?;
    if let (Command::Serve(args), Some(serve)) =
        (&mut cli.command, matches.subcommand_matches("serve"))
        && args.print_config
    {
        args.settings = options.settings(serve, &given)?;
    }
    Ok(cli)
}

/// What the environment and the file say, by the option's long name.
type Given = BTreeMap<String, Words>;

/// An option as it would have been typed; no words for a switch that is said to be off.
#[derive(Debug)]
struct Words {
    words: Vec<OsString>,
    origin: Origin,
}

/// Who gave an option, other than the one who typed.
#[derive(Debug)]
enum Origin {
    Variable(String),
    Line(PathBuf, usize),
}

impl Origin {
    fn because(&self, words: impl fmt::Display) -> anyhow::Error {
        let exit = match self {
            Origin::Variable(_) => Exit::Usage,
            Origin::Line(..) => Exit::Failed,
        };
        exit.because(format!("{self}: {words}"))
    }

    /// A variable's name says which option it is; a line does not.
    fn because_of(&self, key: &str, words: impl fmt::Display) -> anyhow::Error {
        match self {
            Origin::Variable(_) => self.because(words),
            Origin::Line(..) => self.because(format!("{key}: {words}")),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Variable(name) => write!(text, "{name}"),
            // A file's name may hold a line's end, which must not end a comment.
            Origin::Line(path, line) => {
                for each in path.to_string_lossy().chars() {
                    match each.is_control() {
                        true => write!(text, "{}", each.escape_default())?,
                        false => write!(text, "{each}")?,
                    }
                }
                write!(text, " line {line}")
            }
        }
    }
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

/// The options of `mqtt serve` that can be given by a variable or in the file.
struct Options {
    command: clap::Command,
}

impl Options {
    fn new() -> Options {
        Options {
            command: Cli::command(),
        }
    }

    fn all(&self) -> impl Iterator<Item = (&str, &Arg)> {
        let serve = self.command.find_subcommand("serve");
        let options = serve.into_iter().flat_map(clap::Command::get_arguments);
        options
            .filter(|option| !matches!(option.get_action(), ArgAction::Help | ArgAction::Version))
            .filter_map(|option| Some((option.get_long()?, option)))
            .filter(|(key, _)| !TYPED_ONLY.contains(key))
    }

    fn find(&self, wanted: &str) -> Option<&Arg> {
        self.all()
            .find_map(|(key, option)| (key == wanted).then_some(option))
    }

    fn source(&self, matches: &ArgMatches, key: &str) -> Option<ValueSource> {
        matches.value_source(self.find(key)?.get_id().as_str())
    }

    fn read_environment(&self, variables: &Variables) -> anyhow::Result<Given> {
        let mut given = Given::new();
        for (name, text) in &variables.0 {
            let origin = Origin::Variable(name.clone());
            let Some((key, option)) = self.all().find(|(key, _)| variable(key) == *name) else {
                if *name == variable("config") {
                    continue;
                }
                let near = name[PREFIX.len()..].to_lowercase().replace('_', "-");
                let near = self.near(&near).map(|near| variable(&near));
                return Err(origin.because(unknown("variable", near)));
            };
            let words = value::typed_text(option, key, text);
            given.insert(key.to_owned(), self.checked(key, words, origin)?);
        }
        Ok(given)
    }

    fn read_file(&self, path: &Path, source: String) -> anyhow::Result<Given> {
        let text = fs::read_to_string(path)
            .with_context(|| format!("cannot read {} ({source})", path.display()))?;
        let origin = |place: usize| {
            let line = text[..place].matches('\n').count() + 1;
            Origin::Line(path.to_owned(), line)
        };
        let table = DeTable::parse(&text).map_err(|error| {
            let place = error.span().map_or(0, |span| span.start);
            origin(place).because(one_line(&format!("this is not TOML: {}", error.message())))
        })?;
        let mut given = Given::new();
        // In the order of the file, so that the first fault is the one that is told.
        let mut entries: Vec<_> = table.get_ref().iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        for (key, value) in entries {
            let origin = origin(key.span().start);
            let key = key.get_ref().as_ref();
            let Some(option) = self.find(key) else {
                let what = format!("key {}", value::quoted(key));
                return Err(origin.because(unknown(&what, self.near(key))));
            };
            let words = value::typed_toml(option, key, value.get_ref());
            given.insert(key.to_owned(), self.checked(key, words, origin)?);
        }
        Ok(given)
    }

    /// The option with the most similar name, if one is similar.
    fn near(&self, key: &str) -> Option<String> {
        if self.find(key).is_some() {
            return Some(key.to_owned());
        }
        let typed = ["mqtt".into(), "serve".into(), format!("--{key}=")];
        let error = self.command.clone().try_get_matches_from(typed).err()?;
        match error.get(ContextKind::SuggestedArg)? {
            ContextValue::String(near) => {
                let near = near.strip_prefix("--")?;
                self.find(near).is_some().then(|| near.to_owned())
            }
            _ => None,
        }
    }

    /// Words that clap takes for one option. What they need beside them is seen when all are together.
    fn checked(
        &self,
        key: &str,
        words: Result<Vec<OsString>, String>,
        origin: Origin,
    ) -> anyhow::Result<Words> {
        let words = words.map_err(|wish| origin.because_of(key, wish))?;
        let typed = ["mqtt".into(), "serve".into()];
        let typed = typed.into_iter().chain(words.iter().cloned());
        match self.command.clone().try_get_matches_from(typed) {
            Err(error) if !is_about_others(&error) => Err(origin.because_of(key, fault(&error))),
            _ => Ok(Words { words, origin }),
        }
    }

    /// What clap makes of the typed words and of those that were given elsewhere.
    fn together(&self, typed: &[OsString], given: &Given) -> anyhow::Result<ArgMatches> {
        let parse = |words: Vec<&OsString>| self.command.clone().try_get_matches_from(words);
        let (start, rest) = typed.split_at(2);
        let elsewhere = given.values().flat_map(|given| &given.words);
        let error = match parse(start.iter().chain(elsewhere).chain(rest).collect()) {
            Ok(matches) => return Ok(matches),
            Err(error) => error,
        };
        // Typed alone it would be right: then it is one of the others that asks for something or excludes it.
        let alone = parse(typed.iter().collect());
        let fails = |given: &Words| parse(start.iter().chain(&given.words).collect()).is_err();
        let named = |key: &str| first_paragraph(&error).contains(&format!("--{key}"));
        let culprit = given.iter().find(|(_, given)| fails(given));
        let culprit = culprit.or_else(|| given.iter().find(|(key, _)| named(key)));
        match (alone, culprit) {
            (Ok(_), Some((key, given))) => {
                Err(given.origin.because_of(key, first_paragraph(&error)))
            }
            _ => Err(error.into()),
        }
    }

    /// Every option as it is in effect, in the order of the help.
    fn settings(&self, matches: &ArgMatches, given: &Given) -> anyhow::Result<Vec<Setting>> {
        let setting = |(key, option): (&str, &Arg)| {
            let names = option.get_value_names().unwrap_or_default();
            let origin = match (given.get(key), self.source(matches, key)) {
                (Some(given), _) => given.origin.to_string(),
                (None, Some(ValueSource::CommandLine)) => "flag".to_owned(),
                (None, _) => "default".to_owned(),
            };
            Ok(Setting {
                key: key.to_owned(),
                value: value::toml(option, key, matches)?,
                placeholder: names.join(" "),
                origin,
            })
        };
        self.all().map(setting).collect()
    }
}

/// An error that depends on which other options there are.
fn is_about_others(error: &clap::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::MissingRequiredArgument | ErrorKind::ArgumentConflict
    )
}

/// What is wrong with a value, without the option, which the reader has been told already.
fn fault(error: &clap::Error) -> String {
    use std::error::Error;
    match (error.source(), error.get(ContextKind::ValidValue)) {
        (Some(source), _) => source.to_string(),
        (_, Some(ContextValue::Strings(values))) => {
            format!("possible values: {}", values.join(", "))
        }
        _ => first_paragraph(error),
    }
}

/// clap's words on one line, without its usage and hints.
fn first_paragraph(error: &clap::Error) -> String {
    let text = error.to_string();
    let paragraph = text.split("\n\n").next().unwrap_or_default();
    one_line(paragraph.trim_start_matches("error: "))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn unknown(what: &str, near: Option<String>) -> String {
    let near = near.map(|near| format!(", did you mean {near}?"));
    let near = near.unwrap_or_default();
    format!("unknown {what}{near} (`mqtt serve --help` lists the options)")
}

#[cfg(test)]
mod tests;
