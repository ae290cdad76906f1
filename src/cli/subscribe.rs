//! Options of `mqtt sub`.

use std::ffi::OsString;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, ValueEnum};

use super::client::{ClientArgs, format_string};
use super::connection::{ConnectionArgs, SessionArgs, WillArgs};
use crate::condition::Condition;
use crate::output::{FileName, Template};
use crate::size;
use crate::span;

/// The topic filters and the qualities of service, whose order on the command line matters.
///
/// One `-q` is for all filters, wherever it stands, as in mosquitto_sub. Of several each is for the filters between the
/// one before and itself, and the last one also for those behind it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TopicArgs {
    /// Each filter with its quality of service, 0 to 2.
    pub filters: Vec<(String, u8)>,
    /// The last one typed: for a topic that comes from elsewhere.
    pub qos: u8,
}

impl Args for TopicArgs {
    fn augment_args(command: Command) -> Command {
        command
            .arg(
                Arg::new("topic")
                    .short('t')
                    .long("topic")
                    .value_name("FILTER")
                    .action(ArgAction::Append)
                    .allow_hyphen_values(true)
                    .help("Topic filter to subscribe to, as often as wanted; also the path of --url"),
            )
            .arg(
                Arg::new("qos")
                    .short('q')
                    .long("qos")
                    .value_name("QOS")
                    .action(ArgAction::Append)
                    .value_parser(clap::value_parser!(u8).range(0..=2))
                    .help(
                        "Highest quality of service to receive with: 0 at most once, 1 at least once, 2 exactly once; given once it is \
                         for all filters, else each for the --topic before it [default: 0]",
                    ),
            )
    }

    fn augment_args_for_update(command: Command) -> Command {
        TopicArgs::augment_args(command)
    }
}

impl FromArgMatches for TopicArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<TopicArgs, clap::Error> {
        let typed: Vec<(usize, u8)> = positions(matches, "qos");
        let qos = typed.last().map_or(0, |(_, qos)| *qos);
        let of = |place: usize| {
            let next = typed.iter().find(|(other, _)| *other > place);
            next.map_or(qos, |(_, qos)| *qos)
        };
        let filters = positions(matches, "topic").into_iter();
        Ok(TopicArgs {
            filters: filters
                .map(|(place, filter): (usize, String)| (filter, of(place)))
                .collect(),
            qos,
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = TopicArgs::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The values of an option, each with its place on the command line.
fn positions<T: Clone + Send + Sync + 'static>(matches: &ArgMatches, id: &str) -> Vec<(usize, T)> {
    let places = matches.indices_of(id).into_iter().flatten();
    let values = matches.get_many::<T>(id).into_iter().flatten();
    places.zip(values.cloned()).collect()
}

/// Which retained messages a subscription brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RetainHandlingArg {
    /// At every subscription
    #[value(alias = "0")]
    Always,
    /// When the subscription did not exist yet
    #[value(alias = "1")]
    New,
    /// Never
    #[value(alias = "2")]
    Never,
}

/// How payloads are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EncodingArg {
    /// Hexadecimal, two lower-case digits a byte
    Hex,
    /// Base64
    Base64,
}

/// Whether to do something that a terminal invites to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// At a terminal
    Auto,
    /// Everywhere
    Always,
    /// Nowhere
    Never,
}

fn some_bytes(text: &str) -> Result<u64, String> {
    size::bytes(text)
        .filter(|bytes| *bytes > 0)
        .ok_or_else(|| "write a number of bytes, for example 500k, 10M or 1G".to_owned())
}

/// A number of workers.
pub(super) fn workers(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number @ 1..=1024) => Ok(number),
        _ => Err("it is between 1 and 1024".to_owned()),
    }
}

fn percent(text: &str) -> Result<f64, String> {
    match text.strip_suffix('%').unwrap_or(text).parse() {
        Ok(percent) if (0.1..=100.0).contains(&percent) => Ok(percent),
        _ => Err("it is between 0.1 and 100".to_owned()),
    }
}

/// Subscribes to topics and prints what arrives, until it is stopped.
///
/// A lost connection is made again, with growing pauses; what the broker refuses for good ends the command. A message
/// of QoS 1 or 2 is acknowledged when it has been written to stdout. The letters are those of mosquitto_sub.
#[derive(Debug, Args)]
#[command(disable_help_flag = true, args_override_self = true)]
pub struct SubscribeArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub topics: TopicArgs,

    /// End after N messages were printed
    #[arg(short = 'C', long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub count: Option<u64>,

    /// End with status 27 after this time, counted from the start of the program
    #[arg(short = 'W', long, value_name = "DURATION", value_parser = span::positive)]
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

    /// Print only messages that meet this condition, as often as wanted: all must be met
    ///
    /// A condition is a subject, one of = != < <= > >= ~ !~ and a value. Subjects: topic, the level topic[0] or topic[-1]
    /// (from the end), payload, and a member of a JSON payload by its JSON pointer, /sensors/0/name, which may also stand
    /// alone: the member is there. Numbers are compared as numbers, true, false and null as what they are, texts byte by byte;
    /// double quotes make a value a text. ~ finds a regular expression anywhere in the subject, !~ does not. A message
    /// without the subject does not meet the condition. A pointer with an operator in it stands in double quotes; ~0 and ~1
    /// are its escapes, so put a space before a ~ that is followed by 0 or 1.
    #[arg(long = "where", value_name = "CONDITION", allow_hyphen_values = true)]
    pub conditions: Vec<Condition>,

    /// Print a message only when its payload is another one than that of the last printed message of its topic
    ///
    /// The 65,536 topics last seen are remembered at least. Of a topic that was forgotten the next message is printed.
    #[arg(long)]
    pub changed: bool,

    /// Print at most one message of a topic in this time: the first at once, then the last that came, when the time is over
    ///
    /// What is held back at the end is printed before the command ends. What is held back counts as received: at QoS 1 and 2
    /// it has been acknowledged. More than 4 MiB or 16,384 topics are not held back: the oldest are then printed sooner.
    #[arg(long, value_name = "DURATION", value_parser = span::positive)]
    pub throttle: Option<Duration>,

    /// End a subscription of a kept session, as often as wanted; without --topic the command ends when it is done
    #[arg(short = 'U', long, value_name = "FILTER", allow_hyphen_values = true)]
    pub unsubscribe: Vec<String>,

    /// End when the broker has answered the subscription; makes a session with --disable-clean-session and --id
    #[arg(short = 'E', long, conflicts_with_all = ["count", "retained_only", "idle"])]
    pub exit_after_subscribe: bool,

    /// End when no message has come for this time, counted from the broker's answer to the subscription
    #[arg(long, value_name = "DURATION", value_parser = span::positive)]
    pub idle: Option<Duration>,

    /// Delete each retained message that comes and is not filtered out, by publishing an empty one in its place
    #[arg(long, conflicts_with = "no_retained")]
    pub remove_retained: bool,

    /// Print this share of the messages only, chosen at random: 0.1 to 100 percent
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    pub random_filter: Option<f64>,

    /// Do not receive what this client itself publishes, with --remove-retained or as its will [MQTT 5]
    #[arg(long, help_heading = "MQTT 5 options of the subscription")]
    pub no_local: bool,

    /// Keep the retain flag of each message as its publisher set it; without, it marks what was kept before [MQTT 5]
    #[arg(long, help_heading = "MQTT 5 options of the subscription")]
    pub retain_as_published: bool,

    /// Receive the retained messages: always, only for a new subscription, or never [MQTT 5]
    #[arg(
        long,
        value_name = "WHEN",
        conflicts_with = "no_retained",
        help_heading = "MQTT 5 options of the subscription"
    )]
    pub retain_handling: Option<RetainHandlingArg>,

    /// Number that comes back with each message of these subscriptions, 1 to 268435455 [MQTT 5]
    #[arg(
        long,
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..=268_435_455),
        help_heading = "MQTT 5 options of the subscription"
    )]
    pub subscription_identifier: Option<u32>,

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
        value_parser = format_string(),
        allow_hyphen_values = true,
        help_heading = "Output"
    )]
    pub format: Option<Template>,

    /// Print payloads in hexadecimal or base64; with --verbose behind the topic
    #[arg(
        long,
        value_name = "ENCODING",
        conflicts_with_all = ["json", "format"],
        help_heading = "Output"
    )]
    pub encode: Option<EncodingArg>,

    /// Print each message for people, with its time, colours, indented JSON and a hex dump of what is no text; with --format
    /// indent what %j and %J print
    ///
    /// auto is for a terminal, when no other form is asked for; what goes elsewhere stays plain bytes. Colours follow
    /// NO_COLOR and CLICOLOR_FORCE. No control character of a message reaches the terminal.
    #[arg(
        long,
        value_name = "WHEN",
        num_args = 0..=1,
        default_value = "auto",
        default_missing_value = "always",
        conflicts_with_all = ["json", "verbose", "no_line_feed", "encode"],
        help_heading = "Output"
    )]
    pub pretty: When,

    /// Write to FILE instead of stdout, behind what is there; %Y-%m-%d and the like, as in strftime, are the local time
    ///
    /// When the name becomes another one, that file is the next. A message of QoS 1 or 2 is acknowledged when it has been
    /// written to the file.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub output: Option<FileName>,

    /// Begin a new file before one has more bytes than this: 500k, 10M, 1G; the old one becomes FILE.1, then FILE.2 and so on
    #[arg(long, value_name = "SIZE", requires = "output", value_parser = some_bytes, help_heading = "Output")]
    pub rotate_size: Option<u64>,

    /// Begin a new file when one is this old; the old one becomes FILE.1, then FILE.2 and so on
    #[arg(long, value_name = "DURATION", requires = "output", value_parser = span::positive, help_heading = "Output")]
    pub rotate_every: Option<Duration>,

    /// Keep the N newest of the files that are done, and remove the others
    #[arg(long, value_name = "N", requires = "output", help_heading = "Output")]
    pub keep: Option<usize>,

    /// Run a command for each message instead of printing it, never through a shell: all words up to the end or to a ;
    ///
    /// The payload is on its stdin. Its environment has MQTT_TOPIC, MQTT_QOS, MQTT_RETAIN (0 or 1) and, for what a message of
    /// MQTT 5 carries, MQTT_PROPERTY_CONTENT_TYPE, _RESPONSE_TOPIC, _CORRELATION_DATA (or _CORRELATION_DATA_BASE64 when it
    /// is no text), _MESSAGE_EXPIRY_INTERVAL, _PAYLOAD_FORMAT_INDICATOR, _SUBSCRIPTION_IDENTIFIER and MQTT_PROPERTY_USER_NAME
    /// for the user property "name". What it prints goes where this program prints. A command that fails is named on stderr, and
    /// makes the status 1 in the end. A message of QoS 1 or 2 is acknowledged when its command has begun.
    #[arg(
        long,
        value_name = "COMMAND",
        num_args = 1..,
        allow_hyphen_values = true,
        value_terminator = ";",
        conflicts_with_all = ["json", "format", "verbose", "no_line_feed", "encode", "pretty", "output"],
        help_heading = "Commands"
    )]
    pub exec: Vec<OsString>,

    /// Run up to N commands at a time; with one, each ends before the next begins
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1,
        requires = "exec",
        value_parser = workers,
        help_heading = "Commands"
    )]
    pub exec_workers: usize,

    /// Acknowledge a message of QoS 1 or 2 only when its command has ended with status 0
    ///
    /// Acknowledgements keep the order of the messages, so none behind a failure could ever follow: the first command that
    /// fails ends this one with status 1. Its message and those behind it stay with the broker and come again when the
    /// session is taken up; for that it must be a kept one, --disable-clean-session with --id.
    #[arg(
        long,
        requires = "exec",
        conflicts_with = "throttle",
        help_heading = "Commands"
    )]
    pub ack_after_exec: bool,

    /// Do not end each message with a line feed
    #[arg(short = 'N', long, help_heading = "Output")]
    pub no_line_feed: bool,

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

    /// Print help
    #[arg(long, action = clap::ArgAction::Help)]
    pub help: Option<bool>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Typed {
        #[command(flatten)]
        topics: TopicArgs,
    }

    #[test]
    fn each_quality_of_service_is_for_the_topics_before_it_and_a_single_one_for_all() {
        for (typed, expected) in [
            ("-t a -t b", "a0 b0"),
            ("-t a -q 1 -t b", "a1 b1"),
            ("-q 2 -t a -t b", "a2 b2"),
            ("-t a -t b -q1", "a1 b1"),
            ("-t a -q 1 -t b -q 0", "a1 b0"),
            ("-t a -t b -q 2 -t c --qos=1", "a2 b2 c1"),
            ("-q 2 -t a -q 1 -t b", "a1 b1"),
            ("-t a -q 1 -t b -q 0 -t c", "a1 b0 c0"),
            ("-t a -q 1 -q 2 -t b -q 0", "a1 b0"),
        ] {
            let words = std::iter::once("sub").chain(typed.split(' '));
            let topics = Typed::try_parse_from(words).unwrap().topics;
            let shown: Vec<String> = topics
                .filters
                .iter()
                .map(|(filter, qos)| format!("{filter}{qos}"))
                .collect();
            assert_eq!(shown.join(" "), expected, "{typed}");
        }
    }
}
