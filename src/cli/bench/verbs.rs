//! What `mqtt bench` can do beside a run.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::LoadArgs;
use crate::bench::slo::{Metric, Slo};
use crate::cli::pages;

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Show saved runs again, several as one
    #[command(after_long_help = pages::BENCH_REPORT.after_help())]
    Report(ReportArgs),
    /// Tell two brokers apart, or two sets of saved runs
    #[command(after_long_help = pages::BENCH_COMPARE.after_help())]
    Compare(Box<CompareArgs>),
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

/// Which two sides, and what of them.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub struct CompareArgs {
    /// Saved runs in a file, or a broker as a URL, mqtt://[USER[:PASSWORD]@]HOST[:PORT]
    #[arg(value_name = "A", value_hint = clap::ValueHint::FilePath)]
    pub first: String,

    /// What is compared with it, the same way
    #[arg(value_name = "B", value_hint = clap::ValueHint::FilePath)]
    pub second: String,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub load: LoadArgs,

    /// Runs against each broker, in the order A B B A A B and so on
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub runs: u16,

    /// What is compared, by the names that --slo has
    #[arg(
        long,
        value_name = "FIGURES",
        value_delimiter = ',',
        default_value = "rate,p50,p99"
    )]
    pub on: Vec<Metric>,

    /// How much worse B may be, in percent of A
    #[arg(long, value_name = "PERCENT", default_value_t = 0.0, value_parser = percent)]
    pub tolerance: f64,

    /// Print the comparison as JSON, or write it to FILE beside what is printed
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, value_hint = clap::ValueHint::FilePath)]
    pub json: Option<Option<PathBuf>>,

    /// One line on stderr every second while a load runs
    #[arg(short, long)]
    pub verbose: bool,

    /// Print help
    #[arg(long, action = clap::ArgAction::Help)]
    pub help: Option<bool>,
}

/// `5` or `5%`.
fn percent(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').unwrap_or(text).trim().parse::<f64>();
    number
        .ok()
        .filter(|percent| (0.0..=1000.0).contains(percent))
        .ok_or_else(|| format!("{text:?} is no percentage from 0 to 1000"))
}
