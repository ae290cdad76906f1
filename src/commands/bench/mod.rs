//! `mqtt bench`: put a load on a broker and report what it did with it. One file a verb.

mod files;
mod plan;
mod progress;
mod run;

use crate::cli::bench::BenchArgs;
use crate::exit::Exit;

/// Does what the verb says; without one, runs the scenario.
///
/// # Errors
/// When the options contradict each other, or not everyone could connect and subscribe.
pub fn run(args: BenchArgs) -> anyhow::Result<Exit> {
    run::run(args)
}
