//! Options of `mqtt serve`.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::PossibleValue;
use clap::{ArgAction, Args, ValueEnum};

use crate::output::trace::TraceFormat;
use crate::settings::Setting;
use crate::span;

/// A broker for MQTT 3.1, 3.1.1 and 5 that starts with one word.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub struct ServeArgs {
    /// Name or address to listen on
    #[arg(short = 'h', long, value_name = "HOST", default_value = "127.0.0.1")]
    pub host: String,

    /// Port to listen on, 0 for any free one
    #[arg(short, long, value_name = "PORT", default_value_t = 1883)]
    pub port: u16,

    /// Largest packet taken from a client, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 268_435_460, value_parser = clap::value_parser!(u32).range(64..=268_435_460))]
    pub max_packet_size: u32,

    /// Longest keep alive, in seconds; MQTT 5 clients that ask for a longer one, or for none, are given this one, others are refused
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u16).range(1..))]
    pub max_keep_alive: Option<u16>,

    /// Unacknowledged publishes above QoS 0 that an MQTT 5 client may have under way; who sends more is disconnected
    #[arg(long, value_name = "MESSAGES", default_value_t = u16::MAX, value_parser = clap::value_parser!(u16).range(1..))]
    pub receive_maximum: u16,

    /// Threads that sessions are spread over [default: one per processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub workers: Option<u16>,

    /// Messages kept for a session whose client is away or does not keep up; beyond it new ones are dropped
    #[arg(long, value_name = "MESSAGES", default_value_t = 100_000)]
    pub max_queued: usize,

    /// Bytes kept for such a session
    #[arg(long, value_name = "BYTES", default_value_t = 268_435_456)]
    pub max_queued_bytes: usize,

    /// Keep QoS 0 messages too for clients that are away
    #[arg(long)]
    pub queue_qos0: bool,

    /// Time between two updates of the $SYS topics, 0 for none
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = span::parse)]
    pub sys_interval: Duration,

    /// Answer Prometheus at http://ADDRESS/metrics, for example 127.0.0.1:9883
    #[arg(long, value_name = "ADDRESS", value_parser = host_and_port)]
    pub metrics: Option<(String, u16)>,

    /// Print every packet on stdout, as a line of text or of JSON
    #[arg(long, value_name = "FORMAT", num_args = 0..=1, require_equals = true, default_missing_value = "text")]
    pub trace: Option<TraceFormat>,

    /// Trace only the packets of this client; may be repeated
    #[arg(long, value_name = "CLIENT_ID", requires = "trace")]
    pub trace_client: Vec<String>,

    /// Trace only packets with a topic that this filter matches; may be repeated
    #[arg(long, value_name = "FILTER", requires = "trace")]
    pub trace_topic: Vec<String>,

    /// Show this much of a payload in the trace
    #[arg(long, value_name = "BYTES", default_value_t = 64)]
    pub trace_payload: usize,

    /// Say what is logged as lines of text or of JSON
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub log_format: LogFormat,

    /// Write the URL to FILE once connections are accepted
    #[arg(long, value_name = "FILE")]
    pub ready_file: Option<PathBuf>,

    /// Print the ready line as JSON
    #[arg(long)]
    pub json: bool,

    /// Say who connects, disconnects and subscribes; twice: every message too
    #[arg(short, long, action = ArgAction::Count)]
    pub verbose: u8,

    /// Take what is not typed from FILE, in TOML: the long names of the options and their values
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Print every option with its value and where that comes from, as such a file, and do nothing else
    #[arg(long)]
    pub print_config: bool,

    /// What `print_config` asks for; empty without it.
    #[arg(skip)]
    pub settings: Vec<Setting>,

    /// Print help
    #[arg(long, action = ArgAction::Help)]
    pub help: Option<bool>,
}

/// How the log on stderr is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// A line of text an event
    Text,
    /// A line of JSON an event
    Json,
}

/// `HOST:PORT`, with brackets around an IPv6 address.
fn host_and_port(text: &str) -> Result<(String, u16), String> {
    let wanted = "write HOST:PORT, for example 127.0.0.1:9883";
    let (host, port) = text.rsplit_once(':').ok_or(wanted)?;
    let host = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    let port = port.parse().map_err(|_| wanted)?;
    Ok((host.to_owned(), port))
}

impl ValueEnum for TraceFormat {
    fn value_variants<'a>() -> &'a [TraceFormat] {
        &[TraceFormat::Text, TraceFormat::Json]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            TraceFormat::Text => PossibleValue::new("text").help("A line of text a packet"),
            TraceFormat::Json => PossibleValue::new("json").help("A line of JSON a packet"),
        })
    }
}
