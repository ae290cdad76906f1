//! The `mqtt` command: understand, run, and turn the outcome into words and an exit status.

use std::env;
use std::process::ExitCode;

use mqtt_toolbox::{output, settings};

fn main() -> ExitCode {
    let is_forced = env::var_os("CLICOLOR_FORCE").is_some_and(|value| value != "0");
    output::spare_dumb_terminal(env::var_os("TERM").as_deref(), is_forced);
    let (dialect, cli) = settings::understand(env::args_os(), env::vars_os());
    let outcome = cli.and_then(|cli| mqtt_toolbox::run(cli, dialect));
    dialect.conclude(outcome)
}
