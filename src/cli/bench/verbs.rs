//! What `mqtt bench` can do beside a run.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::bench::slo::Slo;
use crate::cli::pages;

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Show saved runs again, several as one
    #[command(after_long_help = pages::BENCH_REPORT.after_help())]
    Report(ReportArgs),
}

/// Which runs, and how they are shown.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub struct ReportArgs {
    /// Runs saved with --json; - is stdin. A file may hold several, one after the other
    #[arg(required = true, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub files: Vec<PathBuf>,

    /// Hold them to these objectives instead of the ones they were run with
    #[arg(long, value_name = "OBJECTIVES")]
    pub slo: Option<Slo>,

    /// Print the report as JSON, or write it to FILE beside what is printed
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, value_hint = clap::ValueHint::FilePath)]
    pub json: Option<Option<PathBuf>>,

    /// Print help
    #[arg(long, action = clap::ArgAction::Help)]
    pub help: Option<bool>,
}
