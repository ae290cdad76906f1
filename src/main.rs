//! The `mqtt` command: parse, run, and turn the outcome into an exit status.

use std::env;
use std::process::ExitCode;

use mqtt_toolbox::{exit, settings};

fn main() -> ExitCode {
    let exit = settings::parse(env::args_os(), env::vars_os())
        .and_then(mqtt_toolbox::run)
        .unwrap_or_else(|error| exit::report(&error));
    exit.into()
}
