//! The command.

use crate::cli::publish::PublishArgs;
use crate::exit::Exit;

/// Runs it.
///
/// # Errors
/// None yet.
pub fn run(_args: PublishArgs) -> anyhow::Result<Exit> {
    Ok(Exit::Done)
}
