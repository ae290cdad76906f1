//! What may be typed: clap structs only, one file per command. Nothing here does anything.
//!
//! `-h` is the host wherever there is a host, as in mosquitto's clients; help is `--help` alone.

// Help texts put what may be left out in brackets.
#![allow(rustdoc::broken_intra_doc_links)]

pub mod bench;
pub mod client;
pub mod connection;
pub mod context;
pub mod install_links;
pub mod mosquitto;
pub mod pages;
pub mod properties;
pub mod publish;
pub mod reply;
pub mod request;
pub mod serve;
pub mod subscribe;
pub mod tls;

use clap::{CommandFactory, Parser, Subcommand};

/// An MQTT broker, publisher, subscriber and load tester in one command.
#[derive(Debug, Parser)]
#[command(
    name = "mqtt",
    version,
    disable_help_subcommand = true,
    subcommand_value_name = "COMMAND",
    max_term_width = 100,
    after_long_help = pages::MQTT.after_help()
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The definition of all commands with all their options, for whoever looks at more than the one command that was typed.
pub fn definition() -> clap::Command {
    let mut definition = Cli::command();
    definition.build();
    definition
}

/// The commands. The options of one are only put together when it is typed: all of them are two thirds of the start-up of a `pub`.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum Command {
    /// Start a broker in this terminal
    #[command(after_long_help = pages::SERVE.after_help())]
    Serve(Box<serve::ServeArgs>),
    /// Publish messages
    #[command(after_long_help = pages::PUB.after_help())]
    Pub(Box<publish::PublishArgs>),
    /// Subscribe to topics and print what arrives
    #[command(after_long_help = pages::SUB.after_help())]
    Sub(Box<subscribe::SubscribeArgs>),
    /// Ask, and print the reply
    #[command(after_long_help = pages::REQ.after_help())]
    Req(Box<request::RequestArgs>),
    /// Answer requests: a device to test against, in one line
    #[command(after_long_help = pages::REPLY.after_help())]
    Reply(Box<reply::ReplyArgs>),
    /// Measure a broker's throughput and latency
    #[command(after_long_help = pages::BENCH.after_help())]
    Bench(Box<bench::BenchArgs>),
    /// Save connection options under names, and see which are in effect
    #[command(after_long_help = pages::CONTEXT.after_help())]
    Context(context::ContextArgs),
    /// Take the place of mosquitto's clients
    #[command(after_long_help = pages::INSTALL_LINKS.after_help())]
    InstallLinks(install_links::InstallLinksArgs),
}
