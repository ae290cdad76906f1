//! The command.

use crate::cli::serve::ServeArgs;
use crate::exit::Exit;

/// Runs it.
///
/// # Errors
/// None yet.
pub fn run(_args: ServeArgs) -> anyhow::Result<Exit> {
    Ok(Exit::Done)
}
