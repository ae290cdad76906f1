//! Options of `mqtt serve`.

use std::path::PathBuf;

use clap::{ArgAction, Args};

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

    /// Threads that sessions are spread over [default: one per processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub workers: Option<u16>,

    /// Write the URL to FILE once connections are accepted
    #[arg(long, value_name = "FILE")]
    pub ready_file: Option<PathBuf>,

    /// Print the ready line as JSON
    #[arg(long)]
    pub json: bool,

    /// Say who connects, disconnects and subscribes; twice: every message too
    #[arg(short, long, action = ArgAction::Count)]
    pub verbose: u8,

    /// Print help
    #[arg(long, action = ArgAction::Help)]
    pub help: Option<bool>,
}
