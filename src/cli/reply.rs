//! Options of `mqtt reply`.

use std::ffi::OsString;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args};

use super::client::format_string;
use super::connection::{ConnectionArgs, SessionArgs, WillArgs};
use super::properties::PropertyArgs;
use super::subscribe::workers;
use crate::output::Template;
use crate::span;

/// Answers requests: a device to test against, in one line.
///
/// The reply goes to the request's response topic and carries its correlation data (MQTT 5, spoken here unless the broker does not know it). A request that
/// names no response topic, and every one before MQTT 5, is answered where --response-topic says, by default on the topic
/// of the request with /reply behind it.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
#[command(mut_arg("protocol_version", |version| version.default_value("auto")))]
#[command(group(ArgGroup::new("answer").required(true)))]
pub struct ReplyArgs {
    /// Topic filter of the requests, as often as wanted; also the path of --url
    #[arg(short, long, value_name = "FILTER", allow_hyphen_values = true)]
    pub topic: Vec<String>,

    /// Topic of replies to requests that name none, in the specifiers of --format: %t is the topic of the request
    #[arg(
        short = 'e',
        long,
        value_name = "FORMAT",
        default_value = "%t/reply",
        allow_hyphen_values = true
    )]
    pub response_topic: Template,

    /// Quality of service of requests and replies: 0 at most once, 1 at least once, 2 exactly once
    #[arg(short, long, value_name = "QOS", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=2))]
    pub qos: u8,

    /// Wait so long before each reply; with A..B a time between the two, at random
    #[arg(long, value_name = "DURATION[..DURATION]", default_value = "0", value_parser = delay)]
    pub delay: RangeInclusive<Duration>,

    /// Leave this share of the requests without a reply, at random: 0 to 100 percent
    #[arg(long, value_name = "PERCENT", default_value = "0", value_parser = percent)]
    pub fail: f64,

    /// End after N requests
    #[arg(short = 'C', long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub count: Option<u64>,

    /// End with status 27 after this time, counted from the start of the program
    #[arg(short = 'W', long, value_name = "DURATION", value_parser = span::positive)]
    pub timeout: Option<Duration>,

    /// Say on stderr what becomes of each request
    #[arg(short, long)]
    pub verbose: bool,

    /// Print help
    #[arg(long, action = clap::ArgAction::Help)]
    pub help: Option<bool>,

    /// Reply with the payload of the request
    #[arg(long, group = "answer", help_heading = "Reply")]
    pub echo: bool,

    /// Reply with TEXT
    #[arg(
        short,
        long,
        value_name = "TEXT",
        group = "answer",
        allow_hyphen_values = true,
        help_heading = "Reply"
    )]
    pub message: Option<String>,

    /// Reply with the contents of FILE, as they are when the command starts
    #[arg(
        short,
        long,
        value_name = "FILE",
        group = "answer",
        help_heading = "Reply"
    )]
    pub file: Option<PathBuf>,

    /// Reply with an empty message
    #[arg(short, long, group = "answer", help_heading = "Reply")]
    pub null_message: bool,

    /// Reply in this form, with the specifiers of `mqtt sub --format` filled from the request
    #[arg(
        short = 'F',
        long,
        value_name = "FORMAT",
        value_parser = format_string(),
        group = "answer",
        allow_hyphen_values = true,
        help_heading = "Reply"
    )]
    pub format: Option<Template>,

    /// Reply with what a command prints, never through a shell: all words up to the end or to a ;
    ///
    /// The payload of the request is on its stdin, its environment is that of `mqtt sub --exec`. When it fails there is no
    /// reply, and standard error says why.
    #[arg(
        long,
        value_name = "COMMAND",
        group = "answer",
        num_args = 1..,
        allow_hyphen_values = true,
        value_terminator = ";",
        help_heading = "Reply"
    )]
    pub exec: Vec<OsString>,

    /// Run up to N commands at a time; with one, the requests are answered one after the other
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1,
        requires = "exec",
        value_parser = workers,
        help_heading = "Reply"
    )]
    pub exec_workers: usize,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub properties: PropertyArgs,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub connection: ConnectionArgs,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub session: SessionArgs,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub will: WillArgs,
}

/// `200ms`, or `10ms..200ms`.
fn delay(text: &str) -> Result<RangeInclusive<Duration>, String> {
    let (shortest, longest) = text.split_once("..").unwrap_or((text, text));
    let range = span::parse(shortest)?..=span::parse(longest)?;
    match range.is_empty() {
        true => Err("the longer time stands behind the ..".to_owned()),
        false => Ok(range),
    }
}

fn percent(text: &str) -> Result<f64, String> {
    match text.strip_suffix('%').unwrap_or(text).parse() {
        Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(percent),
        _ => Err("it is between 0 and 100".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_delay_is_one_time_or_two() {
        let milliseconds = Duration::from_millis;
        for (text, expected) in [
            ("0", Some(Duration::ZERO..=Duration::ZERO)),
            ("200ms", Some(milliseconds(200)..=milliseconds(200))),
            ("10ms..0.2", Some(milliseconds(10)..=milliseconds(200))),
            ("1s..1s", Some(milliseconds(1000)..=milliseconds(1000))),
            ("2s..1s", None),
            ("..1s", None),
            ("1s..", None),
            ("fast", None),
        ] {
            assert_eq!(delay(text).ok(), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parsers_panic(text in "[0-9.ms% -]{0,12}") {
            let _ = (delay(&text), percent(&text));
        }
    }
}
