//! The command.

use crate::cli::bench::BenchArgs;
use crate::exit::Exit;

/// Runs it.
///
/// # Errors
/// None yet.
pub fn run(_args: BenchArgs) -> anyhow::Result<Exit> {
    Ok(Exit::Done)
}
