//! `mqtt bench SCENARIO`: one run, and its report.

use std::io;
use std::sync::Arc;

use anyhow::Context;
use indicatif::ProgressBar;
use tokio::sync::Notify;

use super::files::Files;
use super::plan::{plan, threads};
use super::progress::Progress;
use crate::bench::load::Load;
use crate::bench::report::Report;
use crate::broker::{self, Broker};
use crate::cli::bench::BenchArgs;
use crate::client::{Endpoint, Scheme};
use crate::commands::connection::target;
use crate::commands::signals::Signals;
use crate::exit::Exit;
use crate::output::{self, Output, Unwritable, say};

/// Runs the load, prints the report on stdout, and ends with what the report says.
///
/// # Errors
/// When the options contradict each other, or not everyone could connect and subscribe.
pub(super) fn run(args: BenchArgs) -> anyhow::Result<Exit> {
    let plan = plan(&args)?;
    let mut options = target(&args.connection)?.options;
    let mut files = Files::new(&args)?;
    allow_open_files();
    let broker = args.serve.then(start_broker).transpose()?;
    if let Some(broker) = &broker {
        options.endpoint = endpoint_of(broker);
    }
    if cfg!(debug_assertions) {
        say(
            "warning: built without optimisation, the numbers say little; use cargo build --release",
        );
    }
    let load = Load {
        threads: threads(&args, &plan),
        plan: Arc::new(plan.clone()),
        options: options.clone(),
    };
    let mut progress = Progress::new(&plan, args.verbose);
    let bar = progress.bar.clone();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let measured = runtime.block_on(async {
        let first = Notify::new();
        tokio::select! {
            biased;
            measured = load.run(first.notified(), |event| {
                files.take(&event);
                progress.show(event);
            }) => measured.map(Some),
            left = two_signals(&first, bar) => left.map(|()| None),
        }
    });
    // Threads that are still waiting for a broker need not be waited for.
    runtime.shutdown_background();
    progress.finish();
    let Some(measurement) = measured? else {
        return Ok(Exit::Interrupted);
    };
    if let Some(broker) = broker {
        broker.stop();
    }
    let mut report = Report::new(plan, &options, args.serve, measurement);
    if let Some(slo) = &args.slo {
        report.objectives = slo.judge(&report);
    }
    print(&report, args.json)?;
    files.finish()?;
    Ok(outcome(&report))
}

/// As many open files as the system allows without asking: one for each connection, and with `--serve` two.
fn allow_open_files() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, getrlimit, setrlimit};
        let mut limit = getrlimit(Resource::Nofile);
        limit.current = limit.maximum;
        // If it is refused, what it was has to do.
        let _ = setrlimit(Resource::Nofile, limit);
    }
}

fn start_broker() -> anyhow::Result<Broker> {
    let config = broker::Config {
        port: 0,
        ..broker::Config::default()
    };
    Broker::start(config).context("could not start the broker of --serve")
}

fn endpoint_of(broker: &Broker) -> Endpoint {
    Endpoint {
        scheme: Scheme::Mqtt,
        host: broker.address().ip().to_string(),
        port: broker.address().port(),
    }
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

fn outcome(report: &Report) -> Exit {
    match report {
        Report {
            interrupted: true, ..
        } => Exit::Interrupted,
        Report { connections, .. } if connections.failed() > 0 => connections
            .failures
            .first()
            .map_or(Exit::NotReached, |failure| failure.exit),
        report if !report.check.passed => Exit::CheckFailed,
        report if report.objectives.iter().any(|objective| !objective.met) => Exit::CheckFailed,
        report if !report.lost_connections.is_empty() => Exit::Lost,
        _ => Exit::Done,
    }
}

/// A reader who has left has seen enough.
fn print(report: &Report, json: bool) -> anyhow::Result<()> {
    let text = match json {
        true => serde_json::to_string_pretty(report)? + "\n",
        false => output::report::text(report),
    };
    let mut stdout = Output::new(io::stdout().lock());
    stdout.buffer.extend_from_slice(text.as_bytes());
    match stdout.flush() {
        Ok(()) | Err(Unwritable::Closed) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
