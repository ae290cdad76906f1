//! One run from its plan to its report, as every verb needs it: the broker, the threads, the signals, and what is shown
//! and written meanwhile.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use anyhow::Context;
use indicatif::ProgressBar;
use tokio::sync::Notify;

use super::brokers::brokers;
use super::files::Files;
use super::payloads::payloads;
use super::preflight;
use super::progress::Progress;
use crate::bench::agents::words;
use crate::bench::load::Load;
use crate::bench::load::cast::Place;
use crate::bench::plan::{Pattern, Plan};
use crate::bench::report::Report;
use crate::bench::report::limits::Need;
use crate::bench::trials::null::NullBroker;
use crate::broker::{self, Broker};
use crate::cli::bench::LoadArgs;
use crate::cli::connection::ConnectionArgs;
use crate::client::{ConnectOptions, Endpoint, Scheme};
use crate::commands::connection;
use crate::commands::signals::Signals;
use crate::exit::Exit;
use crate::open_files;
use crate::output::say;

/// The broker under test: a running one, or one in this process.
pub(super) struct Target {
    options: ConnectOptions,
    brokers: Vec<Endpoint>,
    sources: Vec<IpAddr>,
    own: Own,
}

enum Own {
    None,
    /// With `--serve`.
    Serve(Broker),
    /// It ends when it is dropped.
    Null(#[allow(dead_code)] NullBroker),
}

impl Target {
    /// The broker that was typed; starts the one of `--serve`.
    ///
    /// # Errors
    /// When it is not said which, or our own cannot be started.
    pub(super) fn new(args: &LoadArgs) -> anyhow::Result<Target> {
        let (brokers, connection) = brokers(args)?;
        let mut options = options_of(args, &connection)?;
        open_files::allow();
        let own = match args.serve {
            true => {
                let broker = start_broker()?;
                options.endpoint = endpoint_of(broker.address());
                Own::Serve(broker)
            }
            false => Own::None,
        };
        if let Some(first) = brokers.first() {
            options.endpoint = first.clone();
        }
        Ok(Target {
            options,
            brokers,
            sources: args.source.clone(),
            own,
        })
    }

    /// The broker of a URL, reached with the other options that were typed.
    ///
    /// # Errors
    /// When the URL is none, or an option names another broker.
    pub(super) fn at(url: &str, args: &LoadArgs) -> anyhow::Result<Target> {
        let typed = &args.connection;
        if typed.host.is_some() || typed.port.is_some() || typed.url.is_some() || args.serve {
            return Err(Exit::Usage.because(
                "the brokers are named as arguments here: --host, --port, --url and --serve have no place",
            ));
        }
        let mut connection = typed.clone();
        connection.url = Some(url.to_owned());
        open_files::allow();
        Ok(Target {
            options: options_of(args, &connection)?,
            brokers: Vec::new(),
            sources: args.source.clone(),
            own: Own::None,
        })
    }

    /// A broker that does nothing, whatever broker was typed; spoken to in the version that was typed.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(super) fn null(args: &LoadArgs) -> anyhow::Result<Target> {
        let typed = connection::target(&args.connection)?.options;
        open_files::allow();
        let broker = NullBroker::start()?;
        let mut options = ConnectOptions::new(endpoint_of(broker.address));
        options.version = typed.version;
        options.keep_alive = typed.keep_alive;
        options.connect_timeout = typed.connect_timeout;
        Ok(Target {
            options,
            brokers: Vec::new(),
            sources: Vec::new(),
            own: Own::Null(broker),
        })
    }

    /// How the clients of a plan connect there.
    ///
    /// # Errors
    /// When the version that was typed cannot say what the plan says.
    fn options(&self, plan: &Plan) -> anyhow::Result<ConnectOptions> {
        let mut options = self.options.clone();
        if plan.needs_version_5() {
            options.need_version_5();
        }
        plan.check_version(options.version)
            .map_err(|words| Exit::Usage.because(words))?;
        Ok(options)
    }

    /// What agents are told of it, for a plan.
    ///
    /// # Errors
    /// As [`Target::options`], or when it only holds on this machine.
    pub(super) fn told(&self, plan: &Plan) -> anyhow::Result<words::Target> {
        words::Target::of(&self.options(plan)?, &self.brokers)
            .map_err(|words| Exit::Usage.because(words))
    }

    /// Ends our own broker.
    pub(super) fn stop(self) {
        if let Own::Serve(broker) = self.own {
            broker.stop();
        }
    }
}

/// A run, ready to start.
pub(super) struct Trial<'a> {
    pub(super) plan: Plan,
    pub(super) target: &'a Target,
    /// Threads asked for.
    pub(super) workers: Option<u16>,
}

impl Trial<'_> {
    /// Runs to the end; `None` when a second signal asked to leave at once.
    ///
    /// # Errors
    /// When not everyone could connect and subscribe.
    pub(super) fn run(self, files: &mut Files, verbose: bool) -> anyhow::Result<Option<Report>> {
        let Trial {
            plan,
            target,
            workers,
        } = self;
        let embedded = !matches!(target.own, Own::None);
        let options = target.options(&plan)?;
        let payloads = payloads(&plan, |name| std::env::var(name).ok())?;
        preflight::check(Need {
            connections: plan.connections().into(),
            ways: (target.brokers.len().max(1) * target.sources.len().max(1)) as u64,
            embedded,
            proxied: !plan.fault.is_empty(),
        })?;
        let load = Load {
            threads: threads(workers, plan.connections()),
            plan: Arc::new(plan.clone()),
            payloads,
            options: options.clone(),
            brokers: target.brokers.clone(),
            sources: target.sources.clone(),
            place: Place::ALONE,
        };
        let mut progress = Progress::new(&plan, verbose);
        let bar = progress.bar.clone();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let measured = runtime.block_on(async {
            let first = Notify::new();
            tokio::select! {
                biased;
                measured = load.run(None, first.notified(), |event| {
                    files.take(&event);
                    progress.show(event);
                }) => measured.map(Some),
                left = two_signals(&first, bar) => left.map(|()| None),
            }
        });
        // Threads that are still waiting for a broker need not be waited for.
        runtime.shutdown_background();
        progress.finish();
        let series = files.moments();
        Ok(measured?
            .map(|found| Report::new(plan, Place::ALONE, &options, embedded, series, found)))
    }
}

/// The numbers of a program built without optimisation say little.
pub(super) fn warn_of_debug_build() {
    if cfg!(debug_assertions) {
        say(
            "warning: built without optimisation, the numbers say little; use cargo build --release",
        );
    }
}

/// As many as asked for or as there are processors, none without work.
pub(super) fn threads(workers: Option<u16>, connections: u32) -> usize {
    let wanted = match workers {
        Some(workers) => workers.into(),
        None => std::thread::available_parallelism().map_or(1, usize::from),
    };
    wanted.min(connections as usize)
}

fn start_broker() -> anyhow::Result<Broker> {
    let config = broker::Config {
        port: 0,
        ..broker::Config::default()
    };
    Broker::start(config).context("could not start the broker of --serve")
}

/// The broker that was typed and how one connects there, placeholders included.
fn options_of(args: &LoadArgs, connection: &ConnectionArgs) -> anyhow::Result<ConnectOptions> {
    let mut options = connection::target(connection)?.options;
    options.client_id = args.id.as_ref().map_or(String::new(), ToString::to_string);
    if options.falls_back {
        return Err(
            Exit::Usage.because("a bench speaks one version of MQTT: -V 311 or -V 5, not auto")
        );
    }
    let password = options.password.as_deref().map(std::str::from_utf8);
    for (what, text) in [
        ("--username", options.username.as_deref()),
        ("--pw", password.and_then(Result::ok)),
    ] {
        if let Some(Err(words)) = text.map(str::parse::<Pattern>) {
            // A password is not for the screen.
            let shown = format!("{:?}", text.unwrap_or_default());
            let words = words.replace(&shown, "it");
            return Err(
                Exit::Usage.because(format!("{what}: {words}; write a plain percent sign as %%"))
            );
        }
    }
    Ok(options)
}

fn endpoint_of(address: SocketAddr) -> Endpoint {
    Endpoint::new(Scheme::Mqtt, address.ip().to_string(), address.port())
}

/// The first signal is passed on, the second returns.
async fn two_signals(first: &Notify, bar: ProgressBar) -> anyhow::Result<()> {
    let mut signals = Signals::new()?;
    signals.next().await;
    bar.suspend(|| say("ending the run; once more to leave at once"));
    first.notify_one();
    signals.next().await;
    Ok(())
}
