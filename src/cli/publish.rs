//! Options of `mqtt pub`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args, ValueEnum};

use super::client::ClientArgs;
use super::connection::{ConnectionArgs, SessionArgs, WillArgs};
use super::properties::{AskingArgs, PropertyArgs};
use crate::bench::plan::pace::Rate;
use crate::payload::{Encoding, delimiter};
use crate::size;
use crate::span;

/// Publishes one message, the same one repeatedly, several files, each line of stdin, or messages written as JSON.
///
/// The command ends when every delivery is complete: handed to the network for QoS 0, acknowledged by the broker for
/// QoS 1 and 2. Its letters are those of mosquitto_pub.
#[derive(Debug, Args)]
#[command(disable_help_flag = true, args_override_self = true)]
#[command(group(ArgGroup::new("payload").required(true)))]
pub struct PublishArgs {
    /// Topic to publish to, also the path of --url; with several each message goes to every one
    #[arg(short, long, value_name = "TOPIC", allow_hyphen_values = true)]
    pub topic: Vec<String>,

    /// Quality of service: 0 at most once, 1 at least once, 2 exactly once
    #[arg(short, long, value_name = "QOS", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=2))]
    pub qos: u8,

    /// Let the broker keep the message for later subscribers
    #[arg(short, long)]
    pub retain: bool,

    /// Give up with status 27 after this time, counted from the start of the program
    #[arg(short = 'W', long, value_name = "DURATION", value_parser = span::positive)]
    pub timeout: Option<Duration>,

    /// Report each delivery on stderr when it is complete, and at the end how many there were
    #[arg(short, long)]
    pub verbose: bool,

    /// Print what becomes of each message as a line of JSON: accepted, sent, acknowledged or refused
    #[arg(long)]
    pub report_acks: bool,

    /// Make it an error when the broker says that nobody subscribes; needs QoS 1 or 2 and makes the connection one of MQTT 5
    #[arg(long)]
    pub require_subscribers: bool,

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

    /// Send the contents of FILE as one message; several files, each as one
    #[arg(
        short,
        long,
        value_name = "FILE",
        group = "payload",
        help_heading = "Payload"
    )]
    pub file: Vec<PathBuf>,

    /// Send all of stdin as one message
    #[arg(short, long, group = "payload", help_heading = "Payload")]
    pub stdin_file: bool,

    /// Send each line of stdin as a message; a lost connection is made again, and what was not acknowledged sent again
    #[arg(short = 'l', long, group = "payload", help_heading = "Payload")]
    pub stdin_line: bool,

    /// Send an empty message, which with --retain deletes the one the broker keeps
    #[arg(short, long, group = "payload", help_heading = "Payload")]
    pub null_message: bool,

    /// Send each line of stdin as the message it describes in JSON: topic, payload or payload_base64, qos, retain and
    /// MQTT 5 properties, as mqtt sub --json prints them
    #[arg(long, group = "payload", help_heading = "Payload")]
    pub json: bool,

    /// With -l: each line is a topic, SEPARATOR and a payload; escapes as for --delimiter
    #[arg(long, value_name = "SEPARATOR", value_parser = Bytes::parse, allow_hyphen_values = true, requires = "stdin_line", conflicts_with = "topic", help_heading = "Payload")]
    pub topic_from: Option<Bytes>,

    /// With -l or --json: what ends a message instead of a line feed; \n \t \r \0 \\ and \xHH are escapes
    #[arg(long, value_name = "TEXT", value_parser = Bytes::parse, allow_hyphen_values = true, help_heading = "Payload")]
    pub delimiter: Option<Bytes>,

    /// How payloads are written, to be decoded before they are sent
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "raw",
        conflicts_with = "json",
        help_heading = "Payload"
    )]
    pub format: Format,

    /// Fill in {{count}}, {{now}}, {{uuid}}, {{rand 1 6}} and {{env NAME}} in payloads and topics
    #[arg(long, help_heading = "Payload")]
    pub template: bool,

    /// Start the chance of {{uuid}} and {{rand}} with N, so that it can be repeated
    #[arg(
        long,
        value_name = "N",
        requires = "template",
        help_heading = "Payload"
    )]
    pub seed: Option<u64>,

    /// Send the message, or all files, N times
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..), conflicts_with_all = ["stdin_line", "json"], help_heading = "Payload")]
    pub repeat: u64,

    /// Pause between the completion of one message and the next
    #[arg(long, value_name = "DURATION", default_value = "0", value_parser = span::parse, conflicts_with_all = ["stdin_line", "json"], help_heading = "Payload")]
    pub repeat_delay: Duration,

    /// Send at most RATE messages a second, evenly: 0.5, 200, 20k
    #[arg(
        long,
        value_name = "RATE",
        conflicts_with = "repeat_delay",
        help_heading = "Payload"
    )]
    pub rate: Option<Rate>,

    /// Write every message to DIR before it is sent and keep it there until its handshake is complete; what an earlier
    /// run has left there is delivered first; needs QoS 1 or 2
    #[arg(long, value_name = "DIR", help_heading = "Durable publishing")]
    pub spool: Option<PathBuf>,

    /// Deliver what is in the spool, and nothing else
    #[arg(
        long,
        requires = "spool",
        group = "payload",
        help_heading = "Durable publishing"
    )]
    pub drain: bool,

    /// When what was written has to be on the disk itself and not only with the operating system
    #[arg(
        long,
        value_name = "WHEN",
        default_value = "always",
        requires = "spool",
        help_heading = "Durable publishing"
    )]
    pub spool_sync: SpoolSync,

    /// Take in no more messages while the spool is larger than this: bytes, or 500k, 64M, 2G
    #[arg(long, value_name = "SIZE", default_value = "1G", value_parser = spool_limit, requires = "spool", help_heading = "Durable publishing")]
    pub spool_limit: u64,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub properties: PropertyArgs,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub asking: AskingArgs,

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

/// How payloads are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// As they are
    Raw,
    /// Hexadecimal digits
    Hex,
    /// Base64
    Base64,
}

impl From<Format> for Encoding {
    fn from(format: Format) -> Encoding {
        match format {
            Format::Raw => Encoding::Plain,
            Format::Hex => Encoding::Hex,
            Format::Base64 => Encoding::Base64,
        }
    }
}

/// What outlives what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SpoolSync {
    /// Before a message or an acknowledgement goes out: nothing is lost when the power fails
    Always,
    /// When the operating system sees fit: nothing is lost when the program is killed
    Never,
}

/// So many bytes that the journals of a spool have room.
fn spool_limit(text: &str) -> Result<u64, String> {
    size::bytes(text)
        .filter(|bytes| *bytes >= 4096)
        .ok_or_else(|| {
            "write a number of bytes from 4096 on, for example 1000000, 500k, 64M or 2G".to_owned()
        })
}

/// Bytes typed as text with escapes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

impl Bytes {
    fn parse(text: &str) -> Result<Bytes, String> {
        delimiter(text).map(Bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spool_is_not_smaller_than_its_first_journal() {
        for (text, bytes) in [("4095", None), ("4k", Some(4096)), ("1G", Some(1 << 30))] {
            assert_eq!(spool_limit(text).ok(), bytes, "{text}");
        }
    }
}
