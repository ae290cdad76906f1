//! The `mqtt` command: parse, run, and turn the outcome into an exit status.

use std::process::ExitCode;

use clap::Parser;
use mqtt_toolbox::{cli::Cli, exit};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let exit = mqtt_toolbox::run(cli).unwrap_or_else(|error| exit::report(&error));
    exit.into()
}
