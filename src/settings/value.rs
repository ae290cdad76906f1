//! An option's value: from a variable or from TOML to the words one would have typed, and from clap's matches to TOML.

use std::any::TypeId;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use clap::{Arg, ArgAction, ArgMatches};
use toml::de::DeValue;

use crate::cli::connection::Extent;

/// The words for a variable's value.
pub(super) fn typed_text(option: &Arg, key: &str, text: &OsStr) -> Result<Vec<OsString>, String> {
    let kind = Kind::of(option);
    match (kind, text.to_str()) {
        (_, Some("true" | "1")) if is_bare(option) => Ok(bare(key, true)),
        (_, Some("false" | "0")) if is_bare(option) => Ok(bare(key, false)),
        (Kind::Switch, _) => Err(kind.wish().to_owned()),
        (Kind::Count, text) => repeated(key, text.unwrap_or_default()),
        _ => Ok(vec![with_value(key, text)]),
    }
}

/// The words for a value in the file.
pub(super) fn typed_toml(
    option: &Arg,
    key: &str,
    value: &DeValue<'_>,
) -> Result<Vec<OsString>, String> {
    let kind = Kind::of(option);
    match (kind, value) {
        (_, DeValue::Boolean(given)) if is_bare(option) => Ok(bare(key, *given)),
        (_, DeValue::Array(values)) if is_list(option) => {
            let words = values.iter().map(|value| match value.get_ref() {
                DeValue::Array(_) => Err(kind.wish().to_owned()),
                value => typed_toml(option, key, value),
            });
            Ok(words.collect::<Result<Vec<_>, _>>()?.concat())
        }
        (Kind::Count, DeValue::Integer(_)) => repeated(key, &scalar(value)),
        (Kind::Integer, DeValue::Integer(_))
        | (Kind::Extent, DeValue::Integer(_) | DeValue::String(_))
        | (Kind::Duration, DeValue::Integer(_) | DeValue::Float(_) | DeValue::String(_))
        | (Kind::Boolean, DeValue::Boolean(_))
        | (Kind::Text, DeValue::String(_)) => Ok(vec![with_value(key, scalar(value).as_ref())]),
        _ => Err(format!("{}, and this is {}", kind.wish(), named(value))),
    }
}

/// An option's value in TOML; `Ok(None)` for one that has none.
///
/// # Errors
/// When it is not UTF-8, which TOML cannot say.
pub(super) fn toml(
    option: &Arg,
    key: &str,
    matches: &ArgMatches,
) -> anyhow::Result<Option<String>> {
    let id = option.get_id().as_str();
    let kind = Kind::of(option);
    match kind {
        Kind::Switch => return Ok(Some(matches.get_flag(id).to_string())),
        Kind::Count => return Ok(Some(matches.get_count(id).to_string())),
        _ => {}
    }
    let raw = matches.get_raw(id).into_iter().flatten();
    let values: Vec<String> = raw
        .map(|raw| {
            let text = raw
                .to_str()
                .with_context(|| format!("--{key} is not UTF-8 and cannot be shown in TOML"))?;
            Ok(match (kind, text.parse::<i128>()) {
                (Kind::Integer | Kind::Extent, Ok(number)) => number.to_string(),
                (Kind::Boolean, _) => text.to_owned(),
                _ => quoted(text),
            })
        })
        .collect::<anyhow::Result<_>>()?;
    Ok(match values.first() {
        _ if is_list(option) => Some(format!("[{}]", values.join(", "))),
        None if is_bare(option) => Some("false".to_owned()),
        first => first.cloned(),
    })
}

/// Whether an option's value is the path of a file or folder.
pub(super) fn is_path(option: &Arg) -> bool {
    option.get_value_parser().type_id() == TypeId::of::<PathBuf>()
}

/// The value in a word that gives one to the option.
pub(super) fn value_of(word: &OsStr, key: &str) -> Option<PathBuf> {
    let value = word.to_str()?.strip_prefix(&format!("--{key}="))?;
    Some(PathBuf::from(value))
}

/// A string in TOML, always on one line.
pub(super) fn quoted(text: &str) -> String {
    // JSON's string is TOML's, but for the one control character that JSON lets stand.
    let json = serde_json::Value::from(text).to_string();
    json.replace('\u{7f}', "\\u007F")
}

/// What TOML calls the value of an option, which follows from what clap makes of it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Given or not
    Switch,
    /// Given so many times
    Count,
    /// With `true` or `false` after it
    Boolean,
    Integer,
    /// A number, or a word for no end.
    Extent,
    Duration,
    Text,
}

impl Kind {
    fn of(option: &Arg) -> Kind {
        let parsed = option.get_value_parser().type_id();
        let integers = [
            TypeId::of::<u8>(),
            TypeId::of::<u16>(),
            TypeId::of::<u32>(),
            TypeId::of::<u64>(),
            TypeId::of::<usize>(),
            TypeId::of::<i32>(),
            TypeId::of::<i64>(),
        ];
        match option.get_action() {
            ArgAction::SetTrue => Kind::Switch,
            ArgAction::Count => Kind::Count,
            _ if integers.iter().any(|integer| parsed == *integer) => Kind::Integer,
            _ if parsed == TypeId::of::<bool>() => Kind::Boolean,
            _ if parsed == TypeId::of::<Extent>() => Kind::Extent,
            _ if parsed == TypeId::of::<Duration>() => Kind::Duration,
            _ => Kind::Text,
        }
    }

    fn wish(self) -> &'static str {
        match self {
            Kind::Switch | Kind::Boolean => "true or false is wanted",
            Kind::Count => "a number from 0 to 255 is wanted",
            Kind::Integer => "a whole number is wanted",
            Kind::Extent => "a whole number or a word is wanted",
            Kind::Duration => {
                "a duration is wanted, as in \"500ms\", \"1m 30s\" or a number of seconds"
            }
            Kind::Text => "a string is wanted",
        }
    }
}

/// May be given more than once.
fn is_list(option: &Arg) -> bool {
    matches!(option.get_action(), ArgAction::Append)
}

/// May be given without a value, as in `--trace`.
fn is_bare(option: &Arg) -> bool {
    let values = option.get_num_args();
    values.is_some_and(|values| values.min_values() == 0) || Kind::of(option) == Kind::Switch
}

fn bare(key: &str, given: bool) -> Vec<OsString> {
    vec![format!("--{key}").into(); usize::from(given)]
}

fn repeated(key: &str, times: &str) -> Result<Vec<OsString>, String> {
    let times = times.parse::<u8>().map_err(|_| Kind::Count.wish())?;
    Ok(vec![format!("--{key}").into(); usize::from(times)])
}

/// The word that gives an option a value.
pub(super) fn with_value(key: &str, value: &OsStr) -> OsString {
    let mut word = OsString::from(format!("--{key}="));
    word.push(value);
    word
}

/// A value as one would type it; hexadecimal numbers become decimal.
fn scalar(value: &DeValue<'_>) -> String {
    match value {
        DeValue::Integer(number) => i128::from_str_radix(number.as_str(), number.radix())
            .map_or_else(|_| number.to_string(), |number| number.to_string()),
        DeValue::Float(number) => number.as_str().to_owned(),
        DeValue::String(text) => text.to_string(),
        DeValue::Boolean(truth) => truth.to_string(),
        _ => String::new(),
    }
}

fn named(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
