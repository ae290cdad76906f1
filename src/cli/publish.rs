//! Options of `mqtt pub`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args};

use super::connection::{ConnectionArgs, SessionArgs, WillArgs, duration};
use super::properties::PropertyArgs;

/// Publishes one message, the same one repeatedly, or each line of stdin.
///
/// The command ends when every delivery is complete: handed to the network for QoS 0, acknowledged by the broker for
/// QoS 1 and 2. Its letters are those of mosquitto_pub.
#[derive(Debug, Args)]
#[command(disable_help_flag = true, args_override_self = true)]
#[command(group(ArgGroup::new("payload").required(true)))]
pub struct PublishArgs {
    /// Topic to publish to; also the path of --url
    #[arg(short, long, value_name = "TOPIC", allow_hyphen_values = true)]
    pub topic: Option<String>,

    /// Quality of service: 0 at most once, 1 at least once, 2 exactly once
    #[arg(short, long, value_name = "QOS", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=2))]
    pub qos: u8,

    /// Let the broker keep the message for later subscribers
    #[arg(short, long)]
    pub retain: bool,

    /// Report each delivery on stderr when it is complete
    #[arg(short, long)]
    pub verbose: bool,

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
    pub message: Option<String>,

    /// Send the contents of FILE as one message
    #[arg(
        short,
        long,
        value_name = "FILE",
        group = "payload",
        help_heading = "Payload"
    )]
    pub file: Option<PathBuf>,

    /// Send all of stdin as one message
    #[arg(short, long, group = "payload", help_heading = "Payload")]
    pub stdin_file: bool,

    /// Send each line of stdin as a message; a lost connection is made again, and what was not acknowledged sent again
    #[arg(short = 'l', long, group = "payload", help_heading = "Payload")]
    pub stdin_line: bool,

    /// Send an empty message, which with --retain deletes the one the broker keeps
    #[arg(short, long, group = "payload", help_heading = "Payload")]
    pub null_message: bool,

    /// Send the message N times
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..), conflicts_with = "stdin_line", help_heading = "Payload")]
    pub repeat: u64,

    /// Pause between the completion of one message and the next
    #[arg(long, value_name = "DURATION", default_value = "0", value_parser = duration, conflicts_with = "stdin_line", help_heading = "Payload")]
    pub repeat_delay: Duration,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub properties: PropertyArgs,

    /// Topic a reply should go to, as an MQTT 5 property
    #[arg(
        long,
        value_name = "TOPIC",
        allow_hyphen_values = true,
        help_heading = "MQTT 5 properties of the message"
    )]
    pub response_topic: Option<String>,

    /// What a reply should repeat, as an MQTT 5 property
    #[arg(
        long,
        value_name = "TEXT",
        allow_hyphen_values = true,
        help_heading = "MQTT 5 properties of the message"
    )]
    pub correlation_data: Option<String>,

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
