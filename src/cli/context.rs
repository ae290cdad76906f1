//! Options of `mqtt context`, one verb each.

use clap::{Args, Subcommand};

use super::connection::{ConnectionArgs, SessionArgs};
use super::pages;
use crate::settings::Setting;

/// What to do with the contexts.
#[derive(Debug, Args)]
#[command(
    disable_help_flag = true,
    disable_help_subcommand = true,
    subcommand_value_name = "VERB",
    subcommand_help_heading = "Verbs"
)]
pub struct ContextArgs {
    /// The verb.
    #[command(subcommand)]
    pub verb: Verb,

    /// Print help
    #[arg(long, action = clap::ArgAction::Help, global = true)]
    pub help: Option<bool>,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Save connection options under a name
    #[command(disable_help_flag = true, after_long_help = pages::CONTEXT_ADD.after_help())]
    Add(Box<AddArgs>),
    /// List the contexts
    #[command(disable_help_flag = true, after_long_help = pages::CONTEXT_LS.after_help())]
    Ls(ListArgs),
    /// Print the connection options in effect, each with where it comes from
    #[command(disable_help_flag = true, after_long_help = pages::CONTEXT_SHOW.after_help())]
    Show(Box<ShowArgs>),
    /// Use a context wherever nothing else is said
    #[command(disable_help_flag = true, after_long_help = pages::CONTEXT_SELECT.after_help())]
    Select(SelectArgs),
    /// Remove contexts
    #[command(disable_help_flag = true, after_long_help = pages::CONTEXT_RM.after_help())]
    Rm(RemoveArgs),
}

/// A name, and what it is to stand for.
#[derive(Debug, Args)]
pub struct AddArgs {
    /// Name of the context: letters, digits, and . _ - inside
    #[arg(value_name = "NAME")]
    pub name: String,

    /// Replace the context of this name, if there is one
    #[arg(long)]
    pub replace: bool,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub connection: ConnectionArgs,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub session: SessionArgs,

    /// The options as they are in effect, and who said so.
    #[arg(skip)]
    pub settings: Vec<Setting>,
}

/// How the list looks.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Print one JSON object a line
    #[arg(long)]
    pub json: bool,
}

/// Which options are shown.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// Context to show, as with --context [default: what applies in this folder]
    #[arg(value_name = "NAME", conflicts_with = "context")]
    pub name: Option<String>,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub connection: ConnectionArgs,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub session: SessionArgs,

    /// The options as they are in effect, and who said so.
    #[arg(skip)]
    pub settings: Vec<Setting>,
}

/// Which context is selected.
#[derive(Debug, Args)]
pub struct SelectArgs {
    /// Name of the context
    #[arg(value_name = "NAME", required_unless_present = "none")]
    pub name: Option<String>,

    /// Select none
    #[arg(long, conflicts_with = "name")]
    pub none: bool,
}

/// Which contexts go.
#[derive(Debug, Args)]
pub struct RemoveArgs {
    /// Names of the contexts
    #[arg(value_name = "NAME", required = true)]
    pub names: Vec<String>,
}
