//! Options of `mqtt bench`: of a run here, of the other verbs in `verbs`.

pub mod brokers;
pub mod faults;
pub mod messages;
pub mod presets;
pub mod verbs;

use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::PossibleValue;
use clap::{ArgAction, Args, Parser, ValueEnum};

use super::connection::{ConnectionArgs, SessionPropertyArgs, WillArgs};
use super::properties::PacketPropertyArgs;
use crate::bench::agents::words::{Topics, agent_name};
use crate::bench::load::cast::Spread;
use crate::bench::plan::pace::Pace;
use crate::bench::plan::speed::Speed;
use crate::bench::plan::{Pattern, Run, Scenario, Warmup};
use crate::bench::report::slo::Slo;
use crate::client::Endpoint;
use crate::span;
use brokers::BrokersArgs;
use faults::FaultArgs;
use messages::MessageArgs;
use presets::PresetArgs;
use verbs::Verb;

/// A run, or what the verb says.
#[derive(Debug, Args)]
#[command(
    disable_help_flag = true,
    disable_help_subcommand = true,
    args_conflicts_with_subcommands = true,
    subcommand_value_name = "VERB",
    subcommand_help_heading = "Verbs"
)]
pub struct BenchArgs {
    /// What to do instead of a run.
    #[command(subcommand)]
    pub verb: Option<Verb>,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub load: LoadArgs,

    /// What the run must hold, as p99<10ms,loss=0,rate>=99%: otherwise the status is 8. There are p50, p90, p99, p99.9,
    /// p99.99, max and mean of the response latency (service without --rate, acknowledgement without subscribers,
    /// connecting in conn and idle), or of another one after response., service., ack., send., tcp. or connack.; the
    /// counts loss (also in %), duplicates, reordered, refused and disconnects; and rate, per second or in % of what
    /// is offered. Compared by <, <=, =, >= or >; a figure of too few samples holds nothing, and an INVALID run shows nothing
    #[arg(long, value_name = "OBJECTIVES")]
    pub slo: Option<Slo>,

    /// Write the latencies of every second to FILE, in the log format of HdrHistogram and in microseconds, each kind of
    /// latency with a tag of its own: response, service, ack, send, generator and connect.*
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub hlog: Option<PathBuf>,

    /// Write the rates and latencies of every second to FILE as a table with commas
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub csv: Option<PathBuf>,

    /// Write the report to FILE as a page for a browser: percentiles, latency and rates over time, and all that
    /// belongs to them; it loads nothing
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub html: Option<PathBuf>,

    /// Print the report as JSON, or write it to FILE beside what is printed: the whole run with its plan, its
    /// histograms and its seconds, as `report` and `compare` read it
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, value_hint = clap::ValueHint::FilePath)]
    pub json: Option<Option<PathBuf>>,

    /// Print the plan of this command line as TOML instead of running it
    #[arg(long)]
    pub print_plan: bool,

    /// Measure the same load against a broker that does nothing first, for two seconds, and print its latency beside
    /// the result: so much of it is the load tester's own
    #[arg(long)]
    pub calibrate: bool,

    /// Show the run to Prometheus while it goes on, at http://ADDRESS/metrics
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub prometheus: Option<std::net::SocketAddr>,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub agents: AgentsArgs,

    /// One line on stderr every second while the load runs, instead of a bar on a terminal and a line every ten seconds
    /// elsewhere
    #[arg(short, long)]
    pub verbose: bool,

    /// Print help
    #[arg(long, action = clap::ArgAction::Help)]
    pub help: Option<bool>,
}

/// The machines that share a run.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Several machines")]
pub struct AgentsArgs {
    /// Let the load come from so many machines on which `mqtt bench agent` runs, or from the agents of these names, A,B,C.
    /// All run the same plan from one moment on; the report is that of all of them
    #[arg(long, value_name = "N|NAMES", conflicts_with = "serve")]
    pub agents: Option<Wanted>,

    /// The broker over which this program and the agents talk, a URL, mqtt[s]://[USER[:PASSWORD]@]HOST[:PORT]. TLS options
    /// are its [default: the broker under test]
    #[arg(long, value_name = "URL", requires = "agents")]
    pub control: Option<String>,

    /// The topic below which they talk, as the agents have it
    #[arg(
        long,
        value_name = "TOPIC",
        default_value = "mqtt-bench",
        requires = "agents"
    )]
    pub control_topic: Topics,

    /// Ask agents of this group only
    #[arg(long, value_name = "NAME", requires = "agents")]
    pub agents_group: Option<String>,

    /// How long to wait for the agents
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = span::parse, requires = "agents")]
    pub agents_timeout: Duration,

    /// Where the clients are
    #[arg(
        long,
        value_name = "HOW",
        value_enum,
        default_value = "together",
        requires = "agents"
    )]
    pub spread: Spread,
}

/// Which agents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// So many, whichever.
    Any(usize),
    /// Those of these names.
    Named(Vec<String>),
}

impl Wanted {
    /// How many.
    pub fn count(&self) -> usize {
        match self {
            Wanted::Any(count) => *count,
            Wanted::Named(names) => names.len(),
        }
    }
}

/// `3`, or `a,b,c`.
impl FromStr for Wanted {
    type Err = String;

    fn from_str(text: &str) -> Result<Wanted, String> {
        match text.parse() {
            Ok(0) => return Err("it takes at least one agent".to_owned()),
            Ok(count @ 1..=MOST_AGENTS) => return Ok(Wanted::Any(count)),
            Ok(_) => return Err(format!("it is at most {MOST_AGENTS}")),
            Err(_) => {}
        }
        let mut names = Vec::new();
        for name in text.split(',') {
            let name = agent_name(name)?;
            if names.contains(&name) {
                return Err(format!("{name} is named twice"));
            }
            names.push(name);
        }
        Ok(Wanted::Named(names))
    }
}

/// The most agents that can be asked for.
const MOST_AGENTS: usize = 1000;

impl ValueEnum for Spread {
    fn value_variants<'a>() -> &'a [Spread] {
        &[Spread::Together, Spread::Apart, Spread::Roles]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let (name, help) = match self {
            Spread::Together => (
                "together",
                "Publishers and subscribers of the same number on the same machine: one clock times a pair's messages",
            ),
            Spread::Apart => (
                "apart",
                "On different machines: every message of a pair goes from one to another",
            ),
            Spread::Roles => (
                "roles",
                "The first half of the machines publishes, the second subscribes",
            ),
        };
        Some(PossibleValue::new(name).help(help))
    }
}

impl BenchArgs {
    /// What `mqtt bench` says and nothing behind it: every default.
    pub fn untyped() -> Option<BenchArgs> {
        #[derive(Parser)]
        struct Alone {
            #[command(flatten)]
            bench: BenchArgs,
        }
        Alone::try_parse_from(["bench"])
            .ok()
            .map(|alone| alone.bench)
    }
}

/// The options that say what a load is. Who takes it from a plan or a preset cannot also type it.
const LOAD: [&str; 30] = [
    "scenario",
    "publishers",
    "subscribers",
    "clients",
    "rate",
    "count",
    "warmup",
    "qos",
    "window",
    "topic",
    "filter",
    "disable_clean_session",
    "size",
    "payload",
    "payload_file",
    "payload_lines",
    "payload_order",
    "template",
    "header",
    "retain",
    "topic_alias",
    "response_topic",
    "correlation_data",
    "PropertyArgs",
    "SessionPropertyArgs",
    "WillArgs",
    "fault",
    "persistent",
    "reads",
    "property",
];

/// What is published, by how many, how fast and how long; against which broker.
#[derive(Debug, Clone, Args)]
#[command(
    mut_arg("host", |host| host.action(ArgAction::Append).help(
        "Host name or address of the broker; of several the clients take one after the other [default: localhost]"
    )),
    mut_arg("port", |port| port.action(ArgAction::Append).help(
        "Port of the broker; several for one host, or as many as there are hosts [default: 1883, with TLS 8883, WebSocket 80, both 443]"
    )),
    mut_arg("url", |url| url.action(ArgAction::Append).help(
        "Broker as one URL, or several: mqtt[s]://[USER[:PASSWORD]@]HOST[:PORT], ws[s]://HOST[:PORT][/PATH] or unix:///PATH [env: MQTT_URL]"
    )),
    mut_arg("property", |property| property
        .help(
            "Property of MQTT 5 for connect, publish or will, as often as wanted, as in -D publish content-type text/plain; the \
             options of the same names say the same"
        )
        .long_help(None)
        .help_heading("MQTT 5 properties of the message"))
)]
pub struct LoadArgs {
    /// What is measured [default: pubsub; in `mqtt bench`, when nothing is said of a load, a tour]
    #[arg(value_name = "SCENARIO", value_enum)]
    pub scenario: Option<Scenario>,

    /// Measure the broker of this program, started in the same process on a free port
    #[arg(long, conflicts_with_all = ["host", "port", "url"])]
    pub serve: bool,

    /// Connections that publish, in req that ask [default: 10, in retained-storm 1]
    #[arg(long, value_name = "N", help_heading = "Load")]
    pub publishers: Option<u32>,

    /// Connections that subscribe, in req that answer [default: 10, in req and will-storm 1]
    #[arg(long, value_name = "N", help_heading = "Load")]
    pub subscribers: Option<u32>,

    /// Connections of conn, idle, churn and the storms of clients [default: 100]
    #[arg(short = 'c', long, value_name = "N", help_heading = "Load")]
    pub clients: Option<u32>,

    /// Messages per second, all publishers together, as 500, 20k or 1.5M, or each for itself, as 5/client; in the form
    /// poisson:500, ramp:100..5k:30s, stairs:1k..5k:5x10s or burst:100:1s when they are not to be even; or max: as fast
    /// as flow control allows, which is TCP's at QoS 0 and --window at QoS 1 and 2. In conn and idle new connections per
    /// second; max keeps at most 32 per thread on their way. In churn and the storms of clients how many a second it
    /// happens to [default: max, in churn 50]
    #[arg(long, value_name = "RATE", help_heading = "Load")]
    pub rate: Option<Pace>,

    /// How long to measure; in conn and idle how long the connections are held once all are made; in the storms of
    /// clients how long they may take to be back [default: 5s, in conn 0s, in the storms 30s]
    #[arg(
        long,
        value_name = "DURATION",
        value_parser = span::parse,
        conflicts_with = "count",
        help_heading = "Load"
    )]
    pub duration: Option<Duration>,

    /// Measure this many messages, all publishers together, instead of a time; in sub as many that arrive
    #[arg(long, value_name = "N", help_heading = "Load")]
    pub count: Option<u64>,

    /// Load before the measurement that does not count: a time, or auto for until it is steady, which is when neither the
    /// rate (by a tenth) nor the 99th percentile of the latency (by half, and a millisecond) shifts from one half to the
    /// other of the last ten intervals, of 200 ms or more at low rates. auto:30s ends after 30 s at the latest, auto after
    /// a minute, and the report says when the load was not steady then [default: 1s, with --count 0s]
    #[arg(long, value_name = "DURATION", help_heading = "Load")]
    pub warmup: Option<Warmup>,

    /// Quality of service of publishes and subscriptions [default: 1]
    #[arg(short, long, value_name = "QOS", value_parser = clap::value_parser!(u8).range(0..=2), help_heading = "Load")]
    pub qos: Option<u8>,

    /// Most publishes a publisher has in flight at QoS 1 and 2; fewer when the broker's receive maximum says so [default: 100]
    #[arg(long, value_name = "N", help_heading = "Load")]
    pub window: Option<u16>,

    /// Topic; %i is the client's number from 1, %n how many there are, %s the message's number at its publisher, %r{a..b}
    /// a random number, %% a percent sign. Where the publishers and subscribers are not
    /// equally many, the numbers of the larger group start over at the size of the smaller one, so that everyone has
    /// a partner: 10 and 10 are pairs, 1 and 10 a fan-out, 10 and 1 a fan-in. In sub it is the topic filter, and
    /// must be given [default: bench/RUN/%i]
    #[arg(short, long, value_name = "TOPIC", help_heading = "Load")]
    pub topic: Option<Pattern>,

    /// What the subscribers subscribe to, when it is not the topic; %i is then each client's own number. It must ask for
    /// all messages of a topic that varies, or for none
    #[arg(long, value_name = "FILTER", help_heading = "Load")]
    pub filter: Option<Pattern>,

    /// Eight hexadecimal digits that mark the messages and the clients of this run; what is random in it follows from
    /// them [default: new ones]
    #[arg(long, value_name = "RUN", help_heading = "Load")]
    pub run: Option<Run>,

    /// How fast the slow subscriber of slow reads in the second half of the run: so many messages, 10/s, or bytes,
    /// 20kB/s, or none; after the load it reads whatever comes [default: 10/s]
    #[arg(long, value_name = "SPEED", help_heading = "Load")]
    pub reads: Option<Speed>,

    /// Threads that share the connections [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024), help_heading = "Load")]
    pub workers: Option<u16>,

    /// Run the plan in FILE, as --print-plan writes it; - is stdin. It says what the load is; the other options say
    /// which broker it is put on
    #[arg(
        long,
        value_name = "FILE",
        value_hint = clap::ValueHint::FilePath,
        help_heading = "Load",
        conflicts_with_all = LOAD,
        conflicts_with_all = ["duration", "run"]
    )]
    pub plan: Option<PathBuf>,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub properties: PacketPropertyArgs,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub presets: PresetArgs,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub messages: MessageArgs,

    /// Client id of each client, with the placeholders of --topic; -p, -s or -c is put behind it where there are several
    /// groups. User name and password may have placeholders too [default: bench-RUN-p1 and so on]
    #[arg(short = 'i', long, value_name = "ID", help_heading = "Load")]
    pub id: Option<Pattern>,

    /// One of several brokers, a URL, which the clients take in turn; with --host or --url it is not needed
    #[arg(
        long,
        value_name = "URL",
        conflicts_with_all = ["host", "port", "url", "serve"],
        help_heading = "Load"
    )]
    pub broker: Vec<Endpoint>,

    /// Addresses of this machine which the clients connect from in turn, for more connections than one has ports;
    /// for a broker on this machine 127.0.0.1, 127.0.0.2 and so on
    #[arg(
        long,
        value_name = "ADDRESS",
        value_delimiter = ',',
        help_heading = "Load"
    )]
    pub source: Vec<IpAddr>,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub faults: FaultArgs,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub brokers: BrokersArgs,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub connection: ConnectionArgs,

    /// Let the broker take up the session it has of each client, and keep it (before MQTT 5: no clean session)
    #[arg(long, help_heading = "Session")]
    pub disable_clean_session: bool,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub session: SessionPropertyArgs,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub will: WillArgs,
}

impl ValueEnum for Scenario {
    fn value_variants<'a>() -> &'a [Scenario] {
        &[
            Scenario::PubSub,
            Scenario::Pub,
            Scenario::Sub,
            Scenario::Conn,
            Scenario::Idle,
            Scenario::Shared,
            Scenario::Req,
            Scenario::Churn,
            Scenario::ReconnectStorm,
            Scenario::TakeoverStorm,
            Scenario::WillStorm,
            Scenario::RetainedStorm,
            Scenario::Offline,
            Scenario::Slow,
        ]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self {
            Scenario::PubSub => {
                "Publishers and subscribers: rates, latency, and what became of every message"
            }
            Scenario::Pub => "Publishers only: how fast the broker takes messages",
            Scenario::Sub => "Subscribers only: counts what others publish",
            Scenario::Conn => "Connections: how fast, and how long TCP and CONNACK take",
            Scenario::Idle => "Connections that are held and only kept alive",
            Scenario::Shared => "A shared subscription: how evenly, and nothing twice",
            Scenario::Req => "Requests and answers: the time of the round trip",
            Scenario::Churn => "Clients that leave and come again, at a rate",
            Scenario::ReconnectStorm => "All clients are cut off at once and come again",
            Scenario::TakeoverStorm => {
                "All clients are taken over at once by others of the same name"
            }
            Scenario::WillStorm => "All clients are cut off at once, and each leaves a will",
            Scenario::RetainedStorm => "Subscribers ask at once for many retained messages",
            Scenario::Offline => {
                "Sessions that fetch what was published while their clients were away"
            }
            Scenario::Slow => {
                "Subscribers beside one that reads slowly: does it hold up the others?"
            }
            Scenario::Mixed => return None,
        };
        Some(PossibleValue::new(self.name()).help(help))
    }
}
