//! What `mqtt bench` can do beside a run.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{AgentsArgs, LoadArgs};
use crate::bench::agents::words::{Topics, agent_name};
use crate::bench::report::figure::Metric;
use crate::bench::report::slo::Slo;
use crate::cli::connection::ConnectionArgs;
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
    /// Find the highest load that holds what it must hold
    #[command(after_long_help = pages::BENCH_MAX.after_help())]
    Max(Box<MaxArgs>),
    /// Measure the load tester itself, against a broker that does nothing
    #[command(after_long_help = pages::BENCH_CALIBRATE.after_help())]
    Calibrate(Box<CalibrateArgs>),
    /// Lend this machine to runs that another one starts with --agents
    #[command(after_long_help = pages::BENCH_AGENT.after_help())]
    Agent(Box<AgentArgs>),
}

/// Who this machine is to whom.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub struct AgentArgs {
    /// The name this agent is asked for by; no two may have the same [default: the machine's name and the process id]
    #[arg(long, value_name = "NAME", value_parser = agent_name)]
    pub name: Option<String>,

    /// The group it belongs to, for --agents-group
    #[arg(long, value_name = "NAME")]
    pub group: Option<String>,

    /// The topic below which agents and coordinators talk. Who may write there, may have this machine put a load on any
    /// broker: the control broker's access list should say who that is
    #[arg(long, value_name = "TOPIC", default_value = "mqtt-bench")]
    pub control_topic: Topics,

    /// Put a load on these brokers only, by their host names or addresses; may be repeated [default: on any]
    #[arg(long, value_name = "HOST", value_delimiter = ',')]
    pub only: Vec<String>,

    /// Addresses of this machine which its clients connect from in turn, for more connections than one has ports
    #[arg(long, value_name = "ADDRESS", value_delimiter = ',')]
    pub source: Vec<IpAddr>,

    /// End after one run, with its status
    #[arg(long)]
    pub once: bool,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub connection: ConnectionArgs,

    /// Print help
    #[arg(long, action = clap::ArgAction::Help)]
    pub help: Option<bool>,
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

    /// Write the report to FILE as a page for a browser: percentiles, latency and rates over time, and all that
    /// belongs to them; it loads nothing
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub html: Option<PathBuf>,

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

    #[command(flatten)]
    #[allow(missing_docs)]
    pub agents: AgentsArgs,

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

    /// One line on stderr every second while a load runs, instead of a bar on a terminal and a line every ten seconds
    /// elsewhere
    #[arg(short, long)]
    pub verbose: bool,

    /// Print help
    #[arg(long, action = clap::ArgAction::Help)]
    pub help: Option<bool>,
}

/// Which load is raised, and what it must hold.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub struct MaxArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub load: LoadArgs,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub agents: AgentsArgs,

    /// What each load must hold, as in a run. Beside it no promise of MQTT may be broken and the run must be valid
    #[arg(long, value_name = "OBJECTIVES", default_value = "p99<10ms,loss=0")]
    pub slo: Slo,

    /// What is raised
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = Raised::Rate)]
    pub of: Raised,

    /// Where to begin [default: 1000/s; 10 clients]
    #[arg(long, value_name = "N", value_parser = load)]
    pub from: Option<f64>,

    /// Where to end at the latest [default: 10 million/s; 1 million clients]
    #[arg(long, value_name = "N", value_parser = load)]
    pub to: Option<f64>,

    /// How much too low the answer may be
    #[arg(long, value_name = "PERCENT", default_value = "5%", value_parser = percent)]
    pub precision: f64,

    /// How often the answer must hold again
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(0..=100))]
    pub confirm: u32,

    /// Print what was found as JSON, or write it to FILE beside what is printed
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, value_hint = clap::ValueHint::FilePath)]
    pub json: Option<Option<PathBuf>>,

    /// One line on stderr for each load, and every second while it runs, instead of a bar on a terminal and a line every
    /// ten seconds elsewhere
    #[arg(short, long)]
    pub verbose: bool,

    /// Print help
    #[arg(long, action = clap::ArgAction::Help)]
    pub help: Option<bool>,
}

/// What can be raised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Raised {
    /// Messages per second, or connections per second in conn
    Rate,
    /// Connections, in conn and idle
    Clients,
    /// Connections that publish
    Publishers,
    /// Connections that subscribe
    Subscribers,
}

/// Which load the load tester is measured with.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub struct CalibrateArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub load: LoadArgs,

    /// Print both reports as JSON, or write them to FILE beside what is printed
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, value_hint = clap::ValueHint::FilePath)]
    pub json: Option<Option<PathBuf>>,

    /// One line on stderr every second while a load runs, instead of a bar on a terminal and a line every ten seconds
    /// elsewhere
    #[arg(short, long)]
    pub verbose: bool,

    /// Print help
    #[arg(long, action = clap::ArgAction::Help)]
    pub help: Option<bool>,
}

/// `1000`, `20k` or `1.5M`, at least 1.
fn load(text: &str) -> Result<f64, String> {
    let (number, factor) = match text.strip_suffix('k') {
        Some(number) => (number, 1e3),
        None => text
            .strip_suffix('M')
            .map_or((text, 1.0), |number| (number, 1e6)),
    };
    let load = number.trim().parse::<f64>().map(|number| number * factor);
    load.ok()
        .filter(|load| (1.0..=1e9).contains(load))
        .ok_or_else(|| format!("{text:?} is no load; write for example 500, 20k or 1.5M"))
}

/// `5` or `5%`.
fn percent(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').unwrap_or(text).trim().parse::<f64>();
    number
        .ok()
        .filter(|percent| (0.0..=1000.0).contains(percent))
        .ok_or_else(|| format!("{text:?} is no percentage from 0 to 1000"))
}
