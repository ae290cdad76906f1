//! Options of `mqtt sub`.

use std::time::Duration;

use clap::Args;

use super::connection::{ConnectionArgs, SessionArgs, WillArgs, some_duration};
use crate::output::Template;

/// Subscribes to topics and prints what arrives, until it is stopped.
///
/// A lost connection is made again, with growing pauses; what the broker refuses for good ends the command. A message
/// of QoS 1 or 2 is acknowledged when it has been written to stdout. The letters are those of mosquitto_sub.
#[derive(Debug, Args)]
#[command(disable_help_flag = true, args_override_self = true)]
pub struct SubscribeArgs {
    /// Topic filter to subscribe to, as often as wanted; also the path of --url
    #[arg(short, long, value_name = "FILTER", allow_hyphen_values = true)]
    pub topic: Vec<String>,

    /// Highest quality of service to receive with: 0 at most once, 1 at least once, 2 exactly once
    #[arg(short, long, value_name = "QOS", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=2))]
    pub qos: u8,

    /// End after N messages were printed
    #[arg(short = 'C', long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub count: Option<u64>,

    /// End with status 27 after this time, counted from the start of the program
    #[arg(short = 'W', long, value_name = "DURATION", value_parser = some_duration)]
    pub timeout: Option<Duration>,

    /// Do not print retained messages
    #[arg(short = 'R', long, conflicts_with = "retained_only")]
    pub no_retained: bool,

    /// Print the retained messages only, and end when no more come: at the first other message or after a quiet second
    #[arg(long)]
    pub retained_only: bool,

    /// Do not print messages whose topic matches this filter, as often as wanted
    #[arg(short = 'T', long, value_name = "FILTER", allow_hyphen_values = true)]
    pub filter_out: Vec<String>,

    /// Print the topic before the payload, and (null) for an empty payload
    #[arg(short, long, help_heading = "Output")]
    pub verbose: bool,

    /// Print one line of JSON for each message
    ///
    /// Members: time (RFC 3339), topic, qos, retain, dup, packet_id (QoS 1 and 2 only), payload, or payload_base64 when
    /// the payload is not UTF-8. From MQTT 5, where the message has them: payload_format_indicator,
    /// message_expiry_interval, content_type, response_topic, correlation_data or correlation_data_base64,
    /// subscription_identifiers (an array of numbers), user_properties (an array of [name, value]).
    #[arg(long, conflicts_with_all = ["verbose", "format", "no_line_feed"], help_heading = "Output")]
    pub json: bool,

    /// Print each message in this form, with the specifiers of mosquitto_sub
    ///
    /// %t topic, %p payload, %x %X payload in hexadecimal, %l its length, %q QoS, %r retain, %m packet id, %j JSON, %J JSON
    /// with a JSON payload in place, %I local time, %U Unix time, %f %d payload as a float or a double; from MQTT 5: %A
    /// topic alias, %C content type, %D correlation data, %E message expiry interval, %F payload format indicator, %P user
    /// properties, %R response topic, %S subscription identifier. @Y @m @d @H @M @S and so on are parts of the local time
    /// as in strftime, @N its nanoseconds. \n \t \r \0 \a \e \v \\ are characters, %% and @@ stand for themselves. Between
    /// the % and the letter may stand a width, as in %-20t or %06l, a precision, as in %.8t, and for %x and %X a length of
    /// groups with what separates them, as in %.2:x.
    #[arg(
        short = 'F',
        long,
        value_name = "FORMAT",
        allow_hyphen_values = true,
        help_heading = "Output"
    )]
    pub format: Option<Template>,

    /// Do not end each message with a line feed
    #[arg(short = 'N', long, help_heading = "Output")]
    pub no_line_feed: bool,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub connection: ConnectionArgs,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub session: SessionArgs,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub will: WillArgs,

    /// Print help
    #[arg(long, action = clap::ArgAction::Help)]
    pub help: Option<bool>,
}
