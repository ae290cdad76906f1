//! Options of `mqtt req`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args};

use super::client::{ClientArgs, format_string};
use super::connection::{ConnectionArgs, SessionArgs, WillArgs};
use super::properties::PropertyArgs;
use crate::output::Template;
use crate::span;

/// Publishes a request and prints the reply.
///
/// With MQTT 5, spoken here unless the broker does not know it, the request carries a response topic and correlation data, and only replies with that
/// correlation data, or with none, are taken. The letters are those of mosquitto_rr.
#[derive(Debug, Args)]
#[command(disable_help_flag = true, args_override_self = true)]
#[command(mut_arg("protocol_version", |version| version.default_value("auto")))]
#[command(group(ArgGroup::new("payload").required(true)))]
pub struct RequestArgs {
    /// Topic to publish the request to; also the path of --url
    #[arg(short, long, value_name = "TOPIC", allow_hyphen_values = true)]
    pub topic: Option<String>,

    /// Topic the reply comes to [default with MQTT 5: one of its own, beginning as the broker wants it]
    #[arg(short = 'e', long, value_name = "TOPIC", allow_hyphen_values = true)]
    pub response_topic: Option<String>,

    /// Quality of service of the request and of the reply: 0 at most once, 1 at least once, 2 exactly once
    #[arg(short, long, value_name = "QOS", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=2))]
    pub qos: u8,

    /// Wait for this many replies
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    pub replies: u64,

    /// End with status 27 after this time, counted from the start of the program
    #[arg(short = 'W', long, value_name = "DURATION", value_parser = span::positive)]
    pub timeout: Option<Duration>,

    /// Say on stderr how long each reply took, from the request's way to the network
    #[arg(long)]
    pub latency: bool,

    /// Does nothing, as in mosquitto_rr: what the broker has kept is never taken for a reply here
    #[arg(short = 'R', long, hide = true)]
    pub no_retained: bool,

    /// Print help
    #[arg(long, action = clap::ArgAction::Help)]
    pub help: Option<bool>,

    /// Send TEXT
    #[arg(
        short,
        long,
        value_name = "TEXT",
        group = "payload",
        allow_hyphen_values = true,
        help_heading = "Payload"
    )]
    pub message: Option<OsString>,

    /// Send the contents of FILE
    #[arg(
        short,
        long,
        value_name = "FILE",
        group = "payload",
        help_heading = "Payload"
    )]
    pub file: Option<PathBuf>,

    /// Send all of stdin
    #[arg(short, long, group = "payload", help_heading = "Payload")]
    pub stdin_file: bool,

    /// Send an empty message
    #[arg(short, long, group = "payload", help_heading = "Payload")]
    pub null_message: bool,

    /// Print the topic before the payload, and (null) for an empty payload
    #[arg(short, long, help_heading = "Output")]
    pub verbose: bool,

    /// Print one line of JSON for each reply, as `mqtt sub --json` does
    #[arg(long, conflicts_with_all = ["verbose", "format", "no_line_feed"], help_heading = "Output")]
    pub json: bool,

    /// Print each reply in this form, with the specifiers of `mqtt sub --format`
    #[arg(
        short = 'F',
        long,
        value_name = "FORMAT",
        value_parser = format_string(),
        allow_hyphen_values = true,
        help_heading = "Output"
    )]
    pub format: Option<Template>,

    /// Indent what %j and %J of --format print
    #[arg(long, help_heading = "Output")]
    pub pretty: bool,

    /// Do not end each reply with a line feed
    #[arg(short = 'N', long, help_heading = "Output")]
    pub no_line_feed: bool,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub properties: PropertyArgs,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub client: ClientArgs,

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
