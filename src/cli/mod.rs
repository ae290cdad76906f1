//! What may be typed: clap structs only, one file per command. Nothing here does anything.
//!
//! `-h` is the host wherever there is a host, as in mosquitto's clients; help is `--help` alone.

pub mod bench;
pub mod connection;
pub mod publish;
pub mod serve;
pub mod subscribe;

use clap::{Parser, Subcommand};

/// An MQTT broker, publisher, subscriber and load tester in one command.
#[derive(Debug, Parser)]
#[command(
    name = "mqtt",
    version,
    disable_help_subcommand = true,
    max_term_width = 100
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start a broker in this terminal
    Serve(serve::ServeArgs),
    /// Publish messages
    Pub(publish::PublishArgs),
    /// Subscribe to topics and print what arrives
    Sub(subscribe::SubscribeArgs),
    /// Measure a broker's throughput and latency
    Bench(bench::BenchArgs),
}
