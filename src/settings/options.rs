//! The options of a command as the clap definition has them, given in a file or a variable: to the words one would have typed,
//! and from what clap makes of all of them back to who said what.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches};
use toml::de::DeTable;

use super::{Setting, value};
use crate::cli;
use crate::exit::Exit;

/// What the environment and the file say, by the option's long name.
pub(super) type Given = BTreeMap<String, Words>;

/// An option as it would have been typed; no words for a switch that is said to be off.
#[derive(Debug)]
pub(super) struct Words {
    pub(super) words: Vec<OsString>,
    pub(super) origin: Origin,
}

/// Who gave an option, other than the one who typed.
#[derive(Debug)]
pub(super) enum Origin {
    Variable(String),
    Line(PathBuf, usize),
}

impl Origin {
    pub(super) fn because(&self, words: impl fmt::Display) -> anyhow::Error {
        let exit = match self {
            Origin::Variable(_) => Exit::Usage,
            Origin::Line(..) => Exit::Failed,
        };
        exit.because(format!("{self}: {words}"))
    }

    /// A variable's name says which option it is; a line does not.
    pub(super) fn because_of(&self, key: &str, words: impl fmt::Display) -> anyhow::Error {
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

/// The options of one command that can be given elsewhere too.
pub(super) struct Options {
    program: clap::Command,
    /// The words that lead to the command, the program's name first.
    path: Vec<String>,
    is_key: Box<dyn Fn(&str) -> bool>,
}

impl Options {
    /// Those options of the command `path` leads to whose long names are keys.
    pub(super) fn new(path: &[&str], is_key: impl Fn(&str) -> bool + 'static) -> Options {
        Options {
            program: cli::definition(),
            path: path.iter().map(|word| (*word).to_owned()).collect(),
            is_key: Box::new(is_key),
        }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &Arg)> {
        let (_, verbs) = self.path.split_first().unwrap_or((&self.path[0], &[]));
        let mut command = Some(&self.program);
        for verb in verbs {
            command = command.and_then(|command| command.find_subcommand(verb));
        }
        let options = command.into_iter().flat_map(clap::Command::get_arguments);
        options
            .filter(|option| !matches!(option.get_action(), ArgAction::Help | ArgAction::Version))
            .filter_map(|option| Some((option.get_long()?, option)))
            .filter(|(key, _)| (self.is_key)(key))
    }

    pub(super) fn find(&self, wanted: &str) -> Option<&Arg> {
        self.all()
            .find_map(|(key, option)| (key == wanted).then_some(option))
    }

    pub(super) fn source(&self, matches: &ArgMatches, key: &str) -> Option<ValueSource> {
        matches.value_source(self.find(key)?.get_id().as_str())
    }

    pub(super) fn read_file(&self, path: &Path, source: String) -> anyhow::Result<Given> {
        let text = fs::read_to_string(path)
            .with_context(|| format!("cannot read {} ({source})", path.display()))?;
        let origin = |place: usize| Origin::Line(path.to_owned(), line_of(&text, place));
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
                return Err(origin.because(self.unknown(&what, self.near(key))));
            };
            let words = value::typed_toml(option, key, value.get_ref());
            given.insert(key.to_owned(), self.checked(key, words, origin)?);
        }
        Ok(given)
    }

    /// Words for a key or variable that is none.
    pub(super) fn unknown(&self, what: &str, near: Option<String>) -> String {
        let near = near.map(|near| format!(", did you mean {near}?"));
        let near = near.unwrap_or_default();
        let command = self.path.join(" ");
        format!("unknown {what}{near} (`{command} --help` lists the options)")
    }

    /// The option with the most similar name, if one is similar.
    pub(super) fn near(&self, key: &str) -> Option<String> {
        if self.find(key).is_some() {
            return Some(key.to_owned());
        }
        let typed = self.path.iter().cloned().chain([format!("--{key}=")]);
        let error = self.program.clone().try_get_matches_from(typed).err()?;
        match error.get(ContextKind::SuggestedArg)? {
            ContextValue::String(near) => {
                let near = near.strip_prefix("--")?;
                self.find(near).is_some().then(|| near.to_owned())
            }
            _ => None,
        }
    }

    /// Words that clap takes for one option. What they need beside them is seen when all are together.
    pub(super) fn checked(
        &self,
        key: &str,
        words: Result<Vec<OsString>, String>,
        origin: Origin,
    ) -> anyhow::Result<Words> {
        let words = words.map_err(|wish| origin.because_of(key, wish))?;
        let typed = self.path.iter().map(OsString::from);
        let typed = typed.chain(words.iter().cloned());
        match self.program.clone().try_get_matches_from(typed) {
            Err(error) if !is_about_others(&error) => Err(origin.because_of(key, fault(&error))),
            _ => Ok(Words { words, origin }),
        }
    }

    /// What clap makes of the typed words and of those that were given elsewhere.
    pub(super) fn together(&self, typed: &[OsString], given: &Given) -> anyhow::Result<ArgMatches> {
        let parse = |words: Vec<&OsString>| self.program.clone().try_get_matches_from(words);
        let (start, rest) = typed.split_at(self.path.len());
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

    /// Every option as it is in effect, in the order of the help; those that no help shows only where they are given.
    pub(super) fn settings(
        &self,
        matches: &ArgMatches,
        given: &Given,
    ) -> anyhow::Result<Vec<Setting>> {
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
        let is_shown =
            |(key, option): &(&str, &Arg)| !option.is_hide_set() || given.contains_key(*key);
        self.all().filter(is_shown).map(setting).collect()
    }
}

/// The line of a text in which this place is, from 1.
pub(super) fn line_of(text: &str, place: usize) -> usize {
    text[..place].matches('\n').count() + 1
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
pub(super) fn first_paragraph(error: &clap::Error) -> String {
    let text = error.to_string();
    let paragraph = text.split("\n\n").next().unwrap_or_default();
    one_line(paragraph.trim_start_matches("error: "))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
