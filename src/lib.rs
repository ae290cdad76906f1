//! The library under the `mqtt` command. Its interface is for the binary and its tests and may change at any
//! time; the stable interface is the command line.
//!
//! ```text
//! main -> settings -> cli
//!      -> run -> commands -> { client, broker, bench, payload, spool, output } -> mqtt
//! ```
//! `cli` says what may be typed and `exit` how a program ends; ARCHITECTURE.md has the map.

pub mod bench;
pub mod broker;
pub mod cli;
pub mod client;
pub mod commands;
pub mod condition;
pub mod dialect;
pub mod exit;
pub mod mqtt;
pub mod open_files;
pub mod output;
pub mod payload;
pub mod settings;
pub mod size;
pub mod span;
pub mod spool;

use cli::{Cli, Command};
use dialect::Dialect;
use exit::Exit;

/// Runs the command that was typed and returns the status the process should end with.
///
/// # Errors
/// Whatever ended the command early, with the words for the user; [`exit::of`] knows its status.
pub fn run(cli: Cli, dialect: Dialect) -> anyhow::Result<Exit> {
    match cli.command {
        Command::Serve(args) => commands::serve::run(*args),
        Command::Pub(args) => {
            dialect.speak(args.client.quiet);
            commands::publish::run(*args, dialect)
        }
        Command::Sub(args) => {
            dialect.speak(args.client.quiet);
            commands::subscribe::run(*args, dialect)
        }
        Command::Req(args) => {
            dialect.speak(args.client.quiet);
            commands::request::run(*args, dialect)
        }
        Command::Reply(args) => commands::reply::run(*args),
        Command::Bench(args) => commands::bench::run(*args),
        Command::Context(args) => commands::context::run(args),
        Command::InstallLinks(args) => commands::install_links::run(args),
    }
}
