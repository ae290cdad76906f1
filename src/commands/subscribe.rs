//! The command.

use crate::cli::subscribe::SubscribeArgs;
use crate::exit::Exit;

/// Runs it.
///
/// # Errors
/// None yet.
pub fn run(_args: SubscribeArgs) -> anyhow::Result<Exit> {
    Ok(Exit::Done)
}
