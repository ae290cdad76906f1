//! `mqtt bench agent`: lend this machine to runs that a coordinator (`mqtt bench --agents`) starts elsewhere.
//!
//! It does what a plan can say and nothing else. What comes is checked as if it had been typed here.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::{Notify, mpsc};

use super::files::Files;
use super::payloads::{names_files, payloads};
use super::post::{Letter, Mail, Post, last_will};
use super::preflight;
use super::trial::{threads, warn_of_debug_build};
use crate::bench::agents::clock::Watch;
use crate::bench::agents::seconds::Second;
use crate::bench::agents::words::{
    Answer, Call, Card, Order, Ordered, PROTOCOL, Preparation, Presence, Topics, agent_name,
};
use crate::bench::load::Load;
use crate::bench::load::cast::Cast;
use crate::bench::load::company::{Company, Cue, Told};
use crate::bench::load::standing::Standing;
use crate::bench::plan::{Pattern, Plan, Run};
use crate::bench::report::Report;
use crate::bench::report::environment::Environment;
use crate::bench::report::limits::Need;
use crate::cli::bench::verbs::AgentArgs;
use crate::client::transport::tls::TlsOptions;
use crate::client::{Retry, Takeover, Will};
use crate::commands::connection;
use crate::commands::signals::Signals;
use crate::exit::{self, Exit};
use crate::mqtt::{Properties, QoS};
use crate::open_files;
use crate::output::say;

/// How often an agent lets itself be heard of in a run.
const BEAT: Duration = Duration::from_secs(1);

/// How long an agent that has handed its results over waits to be dismissed.
const DISMISSAL: Duration = Duration::from_secs(60);

/// Waits for runs and carries them out, until a signal comes.
///
/// # Errors
/// When the control broker is not reached, refuses the connection, or what is to be said over it.
pub(super) fn run(args: &AgentArgs) -> anyhow::Result<Exit> {
    open_files::allow();
    warn_of_debug_build();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let outcome = runtime.block_on(serve(args));
    // Threads that are still waiting for a broker need not be waited for.
    runtime.shutdown_background();
    outcome
}

async fn serve(args: &AgentArgs) -> anyhow::Result<Exit> {
    let mut signals = Signals::new()?;
    let environment = Environment::here();
    let name = match &args.name {
        Some(name) => name.clone(),
        None => usual_name(&environment.host),
    };
    let topics = args.control_topic.clone();
    let mut options = connection::target(&args.connection)?.options;
    options.client_id = format!("bench-agent-{name}");
    options.takeover = Takeover::Stop;
    options.will = Some(Will {
        topic: topics.presence(&name).into(),
        payload: last_will(&Presence::Gone),
        qos: QoS::AtLeastOnce,
        retain: false,
        properties: Properties::default(),
    });
    let filters = vec![topics.call().into(), topics.to(&name).into()];
    let endpoint = options.endpoint.to_string();
    let post = tokio::select! {
        post = Post::open(&options, Retry::FOREVER, filters) => post?,
        () = signals.next() => return Ok(Exit::Done),
    };
    say(format_args!(
        "agent {name} waits at {endpoint} under {topics}"
    ));
    let mut agent = Agent {
        card: Card {
            protocol: PROTOCOL,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            group: args.group.clone(),
            host: environment.host,
            cpus: environment.cpus,
            run: None,
        },
        name,
        topics,
        tls: connection::tls(&args.connection)?,
        only: args.only.clone(),
        sources: args.source.clone(),
        post,
        watch: Watch::new(Instant::now(), SystemTime::now()),
        signals,
    };
    agent.announce();
    let outcome = agent.work(args.once).await;
    let gone = agent.topics.presence(&agent.name);
    agent.post.send(&gone, &Presence::Gone, QoS::AtLeastOnce);
    agent.post.close().await;
    outcome
}

/// The machine's name, as far as it can stand in a topic, and something that tells two agents on it apart.
fn usual_name(host: &str) -> String {
    let host: String = host
        .chars()
        .filter(|char| char.is_ascii_alphanumeric() || "-._".contains(*char))
        .collect();
    let name = format!("{host}-{}", std::process::id());
    agent_name(&name).unwrap_or_else(|_| std::process::id().to_string())
}

struct Agent {
    name: String,
    card: Card,
    topics: Topics,
    /// What TLS uses here, whatever broker it is spoken to.
    tls: TlsOptions,
    /// The hosts a load may be put on; any when empty.
    only: Vec<String>,
    /// Addresses of ours, which the clients connect from in turn.
    sources: Vec<IpAddr>,
    post: Post,
    watch: Watch,
    signals: Signals,
}

/// A plan that can be carried out here.
struct Part {
    run: Run,
    plan: Arc<Plan>,
    load: Load,
    workers: usize,
}

/// Why a run ended here before its end.
enum Ended {
    /// A signal came: so does the agent.
    Signal,
    /// The coordinator has sent us away, is gone, or cannot be heard any more.
    Dismissed,
    /// It cannot go on, and the coordinator was told.
    Failed(Exit),
}

impl Agent {
    /// Says that it is there, and what it is doing.
    fn announce(&mut self) {
        let topic = self.topics.presence(&self.name);
        let here = Presence::Here(self.card.clone());
        self.post.send(&topic, &here, QoS::AtLeastOnce);
    }

    fn answer(&mut self, run: Run, answer: &Answer) {
        let qos = match answer {
            // A time that comes late is worth nothing.
            Answer::Clock { .. } => QoS::AtMostOnce,
            _ => QoS::AtLeastOnce,
        };
        let topic = self.topics.from(run, &self.name);
        self.post.send(&topic, answer, qos);
    }

    fn fail(&mut self, run: Run, error: &anyhow::Error) -> Exit {
        let words = format!("{error:#}");
        let status = exit::of(error);
        say(format_args!("run {run}: {words}"));
        self.answer(
            run,
            &Answer::Failed {
                words,
                status: status as u8,
            },
        );
        status
    }

    async fn work(&mut self, once: bool) -> anyhow::Result<Exit> {
        loop {
            let mail = tokio::select! {
                mail = self.post.next() => mail?,
                () = self.signals.next() => return Ok(Exit::Done),
            };
            let Some((run, order)) = self.idle_mail(mail) else {
                continue;
            };
            let Order::Prepare(preparation) = order else {
                // Of a run that is over here, it may be that this agent was started anew.
                if !matches!(order, Order::Leave) {
                    let words = format!("agent {} knows nothing of run {run}", self.name);
                    self.fail(run, &Exit::Failed.because(words));
                }
                continue;
            };
            let part = match self.prepare(run, &preparation) {
                Ok(part) => part,
                Err(error) => {
                    let status = self.fail(run, &error);
                    match once {
                        true => return Ok(status),
                        false => continue,
                    }
                }
            };
            self.card.run = Some(run);
            let ended = self.perform(part, &preparation.coordinator).await;
            self.card.run = None;
            self.announce();
            match ended? {
                Ended::Signal => return Ok(Exit::Done),
                Ended::Dismissed if once => return Ok(Exit::Done),
                Ended::Failed(status) if once => return Ok(status),
                Ended::Dismissed | Ended::Failed(_) => {}
            }
        }
    }

    /// Whatever comes between two runs; an order, if it is one.
    fn idle_mail(&mut self, mail: Mail) -> Option<(Run, Order)> {
        match mail {
            Mail::Letter(letter) if letter.topic == self.topics.call() => {
                if let Ok(Call::Who) = serde_json::from_str(&letter.text) {
                    self.announce();
                }
                None
            }
            Mail::Letter(letter) => match order(&letter) {
                Ok(Ordered { run, order }) => Some((run, order)),
                Err(words) => {
                    say(words);
                    None
                }
            },
            Mail::Nonsense(words) => {
                say(words);
                None
            }
            Mail::Lost(failure, delay) => {
                let delay = delay.as_secs_f64();
                say(format_args!("{failure}; trying again in {delay:.1} s"));
                None
            }
            Mail::Back => {
                say("connected again");
                self.announce();
                None
            }
        }
    }

    /// Checks the plan as if it had been typed here.
    fn prepare(&self, run: Run, preparation: &Preparation) -> anyhow::Result<Part> {
        let refused = |words: String| Exit::Usage.because(format!("the plan is refused: {words}"));
        if preparation.protocol != PROTOCOL {
            return Err(Exit::Failed.because(format!(
                "the coordinator speaks version {} of the control protocol, this agent version {PROTOCOL} (mqtt {}); \
                 use the same release",
                preparation.protocol,
                env!("CARGO_PKG_VERSION")
            )));
        }
        let plan = Plan::from_toml(&preparation.plan).map_err(refused)?;
        plan.check().map_err(|wrong| refused(wrong.to_string()))?;
        plan.audience().map_err(refused)?;
        if names_files(&plan) {
            // A coordinator sends what is in its files. Those here are none of its business.
            return Err(refused(
                "it names files, and an agent reads none".to_owned(),
            ));
        }
        let place = preparation.place;
        if plan.run != run || place.machine >= place.machines {
            return Err(refused("it does not go with its order".to_owned()));
        }
        let (mut options, brokers) = preparation.target.options().map_err(refused)?;
        plan.check_version(options.version).map_err(refused)?;
        let password = options.password.as_deref().map(std::str::from_utf8);
        let password = password.transpose().unwrap_or_default();
        for text in [
            Some(&*options.client_id),
            options.username.as_deref(),
            password,
        ] {
            if let Some(Err(_)) = text.map(str::parse::<Pattern>) {
                let words = "client id, user name or password have placeholders that there are not";
                return Err(refused(words.to_owned()));
            }
        }
        let hosts = std::iter::once(&options.endpoint).chain(&brokers);
        for host in hosts.map(|endpoint| &endpoint.host) {
            if !self.only.is_empty() && !self.only.contains(host) {
                return Err(Exit::Denied.because(format!(
                    "this agent puts no load on {host:?}, only on {} (--only)",
                    self.only.join(", ")
                )));
            }
        }
        options.route.tls = self.tls.clone();
        let connections = Cast::of(&plan, place).connections();
        if connections == 0 {
            return Err(refused("it has nothing to do for this agent".to_owned()));
        }
        preflight::check(Need {
            connections: connections.into(),
            ways: (brokers.len().max(1) * self.sources.len().max(1)) as u64,
            embedded: false,
            proxied: !plan.fault.is_empty(),
        })?;
        let plan = Arc::new(plan);
        let workers = threads(preparation.workers, connections);
        Ok(Part {
            run,
            load: Load {
                // What a variable of this machine holds is none of a coordinator's business either.
                payloads: payloads(&plan, |_| None)?,
                plan: Arc::clone(&plan),
                options,
                brokers,
                sources: self.sources.clone(),
                threads: workers,
                place,
            },
            plan,
            workers,
        })
    }

    /// Does its part of a run.
    async fn perform(&mut self, part: Part, coordinator: &str) -> anyhow::Result<Ended> {
        let Part {
            run,
            plan,
            load,
            workers,
        } = part;
        let (options, place) = (load.options.clone(), load.place);
        let cast = Cast::of(&plan, place);
        say(format_args!(
            "run {run} for {coordinator}: {} connections to {} by {workers} threads, as machine {} of {}",
            cast.connections(),
            options.endpoint,
            place.machine + 1,
            place.machines
        ));
        self.watch = Watch::new(Instant::now(), SystemTime::now());
        let (cues, cues_out) = mpsc::unbounded_channel();
        let (told, mut told_out) = mpsc::unbounded_channel();
        let company = Company {
            told,
            cues: cues_out,
        };
        let stop = Notify::new();
        let mut files = Files::new(plan.scenario, None, None)?;
        let mut last = Standing::default();
        let mut beat = tokio::time::interval(BEAT);
        self.answer(run, &Answer::Prepared);
        let (seconds, mut seconds_out) = mpsc::unbounded_channel();
        let measured = {
            let observe = |event| {
                if let Some((interval, last)) = files.take(&event) {
                    let _ = seconds.send(Second::of(&interval, last, files.struck_in(&interval)));
                }
            };
            let mut running = std::pin::pin!(load.run(Some(company), stop.notified(), observe));
            loop {
                tokio::select! {
                    biased;
                    mail = self.post.next() => {
                        if let Some(ended) = self.run_mail(run, mail?, &cues, &stop) {
                            return Ok(ended);
                        }
                    }
                    () = self.signals.next() => {
                        let words = "the agent was stopped by a signal";
                        self.fail(run, &Exit::Lost.because(words));
                        return Ok(Ended::Signal);
                    }
                    Some(second) = seconds_out.recv() => self.answer(run, &Answer::Second { second }),
                    Some(told) = told_out.recv() => {
                        if let Told::Standing(standing) = &told {
                            last = *standing;
                        }
                        self.answer(run, &answer_of(told));
                    }
                    _ = beat.tick() => self.answer(run, &Answer::Standing { standing: last }),
                    measured = &mut running => match measured {
                        Ok(measured) => break measured,
                        Err(error) => return Ok(Ended::Failed(self.fail(run, &error))),
                    },
                }
            }
        };
        let series = files.moments();
        let plan = Arc::unwrap_or_clone(plan);
        let report = Report::new(plan, place, &options, false, series, measured);
        let report = Box::new(report);
        self.answer(run, &Answer::Saved { report });
        // The clocks are compared once more.
        let until = Instant::now() + DISMISSAL;
        loop {
            tokio::select! {
                mail = self.post.next() => {
                    if let Some(ended) = self.run_mail(run, mail?, &cues, &stop) {
                        say(format_args!("run {run} is over"));
                        return Ok(ended);
                    }
                }
                () = self.signals.next() => return Ok(Ended::Signal),
                () = tokio::time::sleep_until(until.into()) => return Ok(Ended::Dismissed),
            }
        }
    }

    /// What comes within a run; why the run is over here, if it is.
    fn run_mail(
        &mut self,
        run: Run,
        mail: Mail,
        cues: &mpsc::UnboundedSender<Cue>,
        stop: &Notify,
    ) -> Option<Ended> {
        let letter = match mail {
            Mail::Letter(letter) => letter,
            Mail::Nonsense(words) => {
                say(words);
                return None;
            }
            Mail::Lost(failure, _) => {
                // The coordinator has our will by now.
                say(format_args!("run {run} is given up: {failure}"));
                return Some(Ended::Dismissed);
            }
            Mail::Back => return None,
        };
        if letter.topic == self.topics.call() {
            match serde_json::from_str(&letter.text) {
                Ok(Call::Who) => self.announce(),
                Ok(Call::Over { run: over }) if over == run => {
                    say(format_args!(
                        "run {run} is given up: its coordinator is gone"
                    ));
                    return Some(Ended::Dismissed);
                }
                _ => {}
            }
            return None;
        }
        match order(&letter) {
            Ok(ordered) if ordered.run == run => {
                self.obey(run, ordered.order, letter.at, cues, stop)
            }
            Ok(Ordered {
                run: other,
                order: Order::Prepare(_),
            }) => {
                let words = format!("it is busy with run {run}");
                let status = Exit::Failed as u8;
                self.answer(other, &Answer::Failed { words, status });
                None
            }
            Ok(_) => None,
            Err(words) => {
                say(words);
                None
            }
        }
    }

    /// Does what this run asks for; why it is over here, if it is.
    fn obey(
        &mut self,
        run: Run,
        order: Order,
        came: Instant,
        cues: &mpsc::UnboundedSender<Cue>,
        stop: &Notify,
    ) -> Option<Ended> {
        let wrong = |words: String| Exit::Failed.because(words);
        let cue = match order {
            Order::Clock { round } => {
                let answer = Answer::Clock {
                    round,
                    came_ns: self.watch.shows(came),
                    went_ns: self.watch.shows(Instant::now()),
                };
                self.answer(run, &answer);
                return None;
            }
            Order::Stop => {
                stop.notify_one();
                return None;
            }
            Order::Leave => return Some(Ended::Dismissed),
            Order::Prepare(_) => return None, // It has come again.
            Order::Connect { at_ns } => match self.watch.moment(at_ns) {
                Some(at) => Cue::Connect(at),
                None => {
                    let error = wrong("the time to connect is none of this machine's".to_owned());
                    return Some(Ended::Failed(self.fail(run, &error)));
                }
            },
            Order::Start { at_ns, unix_ns } => {
                let at = self.watch.moment(at_ns).filter(|at| *at > came);
                let day = Duration::from_nanos(u64::try_from(unix_ns).unwrap_or_default());
                match at {
                    Some(at) => Cue::Start(at, SystemTime::UNIX_EPOCH + day),
                    None => {
                        let late = self.watch.shows(came).saturating_sub(at_ns) / 1_000_000;
                        let error = wrong(format!("the start came {late} ms late"));
                        return Some(Ended::Failed(self.fail(run, &error)));
                    }
                }
            }
            Order::Drain => Cue::Drain,
            Order::Close => Cue::Close,
            Order::Books { books } => Cue::Books(books),
        };
        // Who has finished waits for no cue.
        let _ = cues.send(cue);
        None
    }
}

fn order(letter: &Letter) -> Result<Ordered, String> {
    serde_json::from_str(&letter.text)
        .map_err(|error| format!("on {} came what is no order: {error}", letter.topic))
}

fn answer_of(told: Told) -> Answer {
    match told {
        Told::Ready => Answer::Ready,
        Told::Standing(standing) => Answer::Standing { standing },
        Told::Books(books) => Answer::Books { books },
    }
}
