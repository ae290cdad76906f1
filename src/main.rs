//! The `mqtt` command: understand, run, and turn the outcome into words and an exit status.

use std::env;
use std::process::ExitCode;

use mqtt_toolbox::settings;

fn main() -> ExitCode {
    let (dialect, cli) = settings::understand(env::args_os(), env::vars_os());
    let outcome = cli.and_then(|cli| mqtt_toolbox::run(cli, dialect));
    dialect.conclude(outcome)
}
