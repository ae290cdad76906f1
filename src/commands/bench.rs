//! `mqtt bench`: put a load on a broker and report what it did with it.

use std::fs::File;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, BufWriter, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::sync::Notify;

use crate::bench::load::{Event, Load, LostConnection, Snapshot};
use crate::bench::measure::Count;
use crate::bench::plan::{Plan, Run, Scenario, Stop};
use crate::bench::report::Report;
use crate::bench::role::Phase;
use crate::bench::series::Series;
use crate::broker::{self, Broker};
use crate::cli::bench::BenchArgs;
use crate::client::{Endpoint, Scheme};
use crate::commands::connection::target;
use crate::commands::signals::Signals;
use crate::exit::Exit;
use crate::mqtt::QoS;
use crate::output::series::{HistogramLog, Table};
use crate::output::{self, Output, Unwritable, say};

/// Runs the load, prints the report on stdout, and ends with what the report says.
///
/// # Errors
/// When the options contradict each other, or not everyone could connect and subscribe.
pub fn run(args: BenchArgs) -> anyhow::Result<Exit> {
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

/// What was typed becomes what is meant.
fn plan(args: &BenchArgs) -> anyhow::Result<Plan> {
    let run = Run(RandomState::new().build_hasher().finish() as u32);
    let pattern = |text: String| {
        text.parse()
            .map_err(|error: String| Exit::Usage.because(error))
    };
    let scenario = args.scenario;
    refuse_what_has_no_meaning(args)?;
    let some = |wanted: bool, given: Option<u32>, default: u32| match wanted {
        true => given.unwrap_or(default),
        false => 0,
    };
    let plan = Plan {
        scenario,
        run,
        clients: some(scenario.connects(), args.clients, 100),
        publishers: some(scenario.publishes(), args.publishers, 10),
        subscribers: some(
            matches!(scenario, Scenario::PubSub | Scenario::Sub),
            args.subscribers,
            10,
        ),
        topic: match &args.topic {
            Some(topic) => topic.clone(),
            None => pattern(format!("bench/{run}/%i"))?,
        },
        filter: args.filter.clone(),
        qos: QoS::from_number(args.qos.unwrap_or(1))
            .context("a quality of service is 0, 1 or 2")?,
        size: args.size.unwrap_or(64),
        rate: args.rate.and_then(|pace| pace.0),
        warmup: args.warmup.unwrap_or(match args.count {
            None if !scenario.connects() => Duration::from_secs(1),
            _ => Duration::ZERO,
        }),
        stop: match (args.count, args.duration) {
            (Some(count), _) => Stop::Count(count),
            (None, Some(duration)) => Stop::After(duration),
            (None, None) if scenario == Scenario::Conn => Stop::After(Duration::ZERO),
            (None, None) => Stop::After(Duration::from_secs(5)),
        },
        window: args.window.unwrap_or(100),
    };
    plan.check().map_err(|error| Exit::Usage.because(error))?;
    Ok(plan)
}

/// An option that would change nothing is a mistake of whoever typed it.
fn refuse_what_has_no_meaning(args: &BenchArgs) -> anyhow::Result<()> {
    use Scenario::{Conn, Idle, Pub, PubSub, Sub};
    let scenario = args.scenario;
    let wrong = |words: String| Err(Exit::Usage.because(words));
    for (flag, given, scenarios) in [
        (
            "--publishers",
            args.publishers.is_some(),
            &[PubSub, Pub][..],
        ),
        ("--subscribers", args.subscribers.is_some(), &[PubSub, Sub]),
        ("--clients", args.clients.is_some(), &[Conn, Idle]),
        ("--rate", args.rate.is_some(), &[PubSub, Pub, Conn, Idle]),
        ("--count", args.count.is_some(), &[PubSub, Pub, Sub]),
        ("--warmup", args.warmup.is_some(), &[PubSub, Pub, Sub]),
        ("--size", args.size.is_some(), &[PubSub, Pub]),
        ("--qos", args.qos.is_some(), &[PubSub, Pub, Sub]),
        ("--window", args.window.is_some(), &[PubSub, Pub]),
        ("--topic", args.topic.is_some(), &[PubSub, Pub, Sub]),
        ("--filter", args.filter.is_some(), &[PubSub]),
    ] {
        if given && !scenarios.contains(&scenario) {
            return wrong(format!("{flag} has no meaning in `mqtt bench {scenario}`"));
        }
    }
    if scenario == Sub && args.topic.is_none() {
        return wrong(
            "`mqtt bench sub` needs a topic filter, for example --topic 'sensors/#'".to_owned(),
        );
    }
    if scenario == Sub && args.serve {
        return wrong(
            "`mqtt bench sub` counts what others publish, and nobody else knows the broker of --serve"
                .to_owned(),
        );
    }
    Ok(())
}

fn threads(args: &BenchArgs, plan: &Plan) -> usize {
    let clients = plan.connections() as usize;
    let wanted = match args.workers {
        Some(workers) => workers.into(),
        None => std::thread::available_parallelism().map_or(1, usize::from),
    };
    wanted.min(clients)
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

/// The files a run writes while it goes on, a line for each second.
struct Files {
    scenario: Scenario,
    series: Series,
    log: Option<(PathBuf, HistogramLog<BufWriter<File>>)>,
    table: Option<(PathBuf, Table<BufWriter<File>>)>,
    /// What could not be written, once: the run goes on without.
    failure: Option<anyhow::Error>,
}

impl Files {
    fn new(args: &BenchArgs) -> anyhow::Result<Files> {
        let create = |path: &Path| File::create(path).map(BufWriter::new);
        let failed = |path: &Path| format!("could not write {}", path.display());
        let log = args.hlog.as_ref().map(|path| {
            let log = create(path).and_then(HistogramLog::new);
            log.map(|log| (path.clone(), log))
                .with_context(|| failed(path))
        });
        let table = args.csv.as_ref().map(|path| {
            let table = create(path).and_then(Table::new);
            table
                .map(|table| (path.clone(), table))
                .with_context(|| failed(path))
        });
        Ok(Files {
            scenario: args.scenario,
            series: Series::new(Duration::from_secs(1)),
            log: log.transpose()?,
            table: table.transpose()?,
            failure: None,
        })
    }

    /// Connections where they are what is measured, otherwise what follows them.
    fn take(&mut self, event: &Event) {
        if self.log.is_none() && self.table.is_none() {
            return;
        }
        let (snapshot, last) = match event {
            Event::Connecting(snapshot) if self.scenario == Scenario::Conn => (snapshot, false),
            Event::Shown(snapshot) if self.scenario != Scenario::Conn => (snapshot, false),
            Event::Ended(snapshot) => (snapshot, true),
            _ => return,
        };
        let Some(interval) = self.series.take(snapshot, last) else {
            return;
        };
        let log = self
            .log
            .as_mut()
            .map(|(path, log)| (path, log.write(&interval)));
        let table = self
            .table
            .as_mut()
            .map(|(path, table)| (path, table.write(&interval)));
        for (path, written) in log.into_iter().chain(table) {
            if let (Err(error), None) = (written, &self.failure) {
                let words = format!("could not write {}", path.display());
                self.failure = Some(anyhow::Error::new(error).context(words));
            }
        }
    }

    fn finish(self) -> anyhow::Result<()> {
        self.failure.map_or(Ok(()), Err)
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

/// What is shown on stderr while the load runs: a bar on a terminal, lines where they were asked for.
struct Progress {
    plan: Plan,
    bar: ProgressBar,
    verbose: bool,
    /// What was shown last.
    last: Option<Snapshot>,
    lost: usize,
}

/// How many lost connections are named while the load runs.
const LOST_SHOWN: usize = 10;

impl Progress {
    fn new(plan: &Plan, verbose: bool) -> Progress {
        let bar = match io::stderr().is_terminal() && !verbose {
            true => ProgressBar::with_draw_target(Some(1000), ProgressDrawTarget::stderr()),
            false => ProgressBar::hidden(),
        };
        let style = ProgressStyle::with_template("{elapsed:>4} {bar:20} {msg}");
        bar.set_style(style.expect("a template that is tested by every run"));
        bar.set_message("connecting");
        Progress {
            plan: plan.clone(),
            bar,
            verbose,
            last: None,
            lost: 0,
        }
    }

    fn show(&mut self, event: Event) {
        match event {
            Event::Connecting(snapshot) => {
                let made = snapshot.recorder.connects.made;
                let all = self.plan.connections();
                let line = format!(
                    "connected {} of {}",
                    output::report::whole(made as f64),
                    output::report::whole(all.into())
                );
                if self.verbose {
                    say(&line);
                }
                self.bar.set_message(line);
            }
            Event::Started(setup) => {
                self.bar.reset_elapsed();
                if self.verbose {
                    say(format_args!(
                        "everyone connected after {}",
                        output::report::time(setup)
                    ));
                }
            }
            Event::Shown(snapshot) => self.show_snapshot(*snapshot),
            Event::Lost(lost) => self.show_lost(&lost),
            Event::Draining => self.bar.set_message("waiting for what is on its way"),
            Event::Ended(_) => {}
        }
    }

    fn show_lost(&mut self, lost: &LostConnection) {
        self.lost += 1;
        let words = match self.lost {
            ..=LOST_SHOWN => format!("{} lost its connection: {}", lost.client, lost.reason),
            _ if self.lost == LOST_SHOWN + 1 => "and more; the report counts them".to_owned(),
            _ => return,
        };
        self.bar.suspend(|| say(words));
    }

    fn show_snapshot(&mut self, snapshot: Snapshot) {
        let due = match &self.last {
            Some(last) => {
                snapshot.elapsed.saturating_sub(last.elapsed) >= Duration::from_millis(900)
            }
            None => true,
        };
        if self.verbose && !due {
            return;
        }
        let line = line(&self.plan, self.last.as_ref(), &snapshot);
        if self.verbose {
            say(format_args!(
                "{:.0}s {line}",
                snapshot.elapsed.as_secs_f64()
            ));
        }
        self.bar
            .set_position((self.share(&snapshot) * 1000.0) as u64);
        self.bar.set_message(line);
        self.last = Some(snapshot);
    }

    /// How much of the load is behind us, from 0 to 1.
    fn share(&self, snapshot: &Snapshot) -> f64 {
        match self.plan.stop {
            Stop::After(duration) => {
                snapshot.elapsed.as_secs_f64() / (self.plan.warmup + duration).as_secs_f64()
            }
            Stop::Count(count) => snapshot.recorder.sent.total as f64 / count as f64,
        }
        .min(1.0)
    }

    fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// Rates since the last snapshot, and the rest so far.
fn line(plan: &Plan, last: Option<&Snapshot>, now: &Snapshot) -> String {
    let since = now
        .elapsed
        .saturating_sub(last.map_or(Duration::ZERO, |last| last.elapsed));
    let rate = |count: fn(&Snapshot) -> Count| {
        let new = count(now).total - last.map_or(0, |last| count(last).total);
        output::report::whole(new as f64 / since.as_secs_f64().max(0.001))
    };
    let mut parts = vec![match (now.phase, now.elapsed < plan.warmup) {
        (Phase::Load, true) => "warming up:".to_owned(),
        (Phase::Load, false) => String::new(),
        _ => "draining:".to_owned(),
    }];
    if plan.scenario.connects() {
        let made = now.recorder.connects.made;
        parts.push(format!("{} connected", output::report::whole(made as f64)));
    }
    if plan.scenario.publishes() {
        parts.push(format!(
            "sent {}/s",
            rate(|snapshot| snapshot.recorder.sent)
        ));
    }
    if plan.subscribers > 0 {
        parts.push(format!(
            "delivered {}/s",
            rate(|snapshot| snapshot.recorder.delivered)
        ));
    }
    let recorder = &now.recorder;
    let latency = match recorder.response.is_empty() {
        true => &recorder.service,
        false => &recorder.response,
    };
    if !latency.is_empty() {
        let p99 = Duration::from_micros(latency.value_at_quantile(0.99));
        parts.push(format!("p99 {}", output::report::time(p99)));
    }
    if plan.scenario.publishes() && plan.qos > QoS::AtMostOnce {
        let in_flight = recorder.sent.total - recorder.acknowledged.total;
        parts.push(format!(
            "in flight {}",
            output::report::whole(in_flight as f64)
        ));
    }
    if now.lost > 0 {
        parts.push(format!("{} lost connections", now.lost));
    }
    parts.retain(|part| !part.is_empty());
    parts.join(" ")
}
