//! Options of `mqtt install-links`.

use std::path::PathBuf;

use clap::Args;

/// Makes mosquitto_pub, mosquitto_sub and mosquitto_rr in a folder, as links to this program.
///
/// Called by one of these names it takes the command line of that client: options, configuration files, output and exit
/// statuses.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub struct InstallLinksArgs {
    /// Folder to make them in, best one that comes early in PATH
    #[arg(value_name = "DIR")]
    pub directory: PathBuf,

    /// Replace files of these names that are something else
    #[arg(long)]
    pub force: bool,

    /// Print help
    #[arg(long, action = clap::ArgAction::Help)]
    pub help: Option<bool>,
}
