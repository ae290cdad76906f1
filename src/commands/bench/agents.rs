//! `mqtt bench --agents`: one plan, one moment to start, one report, and the load from several machines.
//!
//! The agents do what a run on this machine would do; here it is only decided when: who takes part, how far apart the
//! clocks are, when everyone connects and starts, and when everything has arrived.

mod acts;
mod clocks;
mod find;
mod hear;

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

use self::hear::Heard;
use super::files::Files;
use super::payloads::without_files;
use super::post::{Post, last_will};
use super::progress::Progress;
use super::trial::Target;
use crate::bench::agents::books::Books;
use crate::bench::agents::clock::{Offset, Watch};
use crate::bench::agents::machine::{Clocks, Machine};
use crate::bench::agents::seconds::Seconds;
use crate::bench::agents::words::{
    self, Call, Order, Ordered, PROTOCOL, Preparation, Presence, Topics,
};
use crate::bench::load::cast::{Cast, Place, Spread, crossings};
use crate::bench::load::standing::Standing;
use crate::bench::measure::Window;
use crate::bench::plan::{Plan, Run};
use crate::bench::report::Report;
use crate::bench::report::environment::Environment;
use crate::bench::report::merge;
use crate::bench::report::verdict::Cause;
use crate::cli::bench::{AgentsArgs, LoadArgs, Wanted};
use crate::cli::connection::ConnectionArgs;
use crate::client::{BrokerUrl, ConnectOptions, Retry, Will};
use crate::commands::connection;
use crate::commands::signals::Signals;
use crate::exit::{self, Exit};
use crate::mqtt::{Properties, QoS};
use crate::output::say;

/// The agents that put the load on a broker, where it does not come from this machine.
pub(super) struct Fleet {
    wanted: Wanted,
    group: Option<String>,
    patience: Duration,
    spread: Spread,
    topics: Topics,
    workers: Option<u16>,
    /// How to reach the broker over which they are talked to.
    control: ConnectOptions,
    target: Target,
}

impl Fleet {
    /// Those that were asked for, which put the load on this broker.
    ///
    /// # Errors
    /// When the control broker is not to be made out, or something was said that only holds on this machine.
    pub(super) fn new(
        wanted: &Wanted,
        args: &AgentsArgs,
        load: &LoadArgs,
        target: Target,
    ) -> anyhow::Result<Fleet> {
        if !load.source.is_empty() {
            return Err(Exit::Usage.because(
                "--source has addresses of this machine, and no load comes from it with --agents: give each agent its own, as mqtt \
                 bench agent --source ADDRESS",
            ));
        }
        Ok(Fleet {
            wanted: wanted.clone(),
            group: args.agents_group.clone(),
            patience: args.agents_timeout,
            spread: args.spread,
            topics: args.control_topic.clone(),
            workers: load.workers,
            control: control(args, &load.connection)?,
            target,
        })
    }

    /// Runs the plan; `None` when a second signal asked to leave at once.
    ///
    /// # Errors
    /// When there are too few agents, one refuses, fails, or is gone, or the control broker is.
    pub(super) fn run(
        &self,
        plan: Plan,
        files: &mut Files,
        verbose: bool,
    ) -> anyhow::Result<Option<Report>> {
        let target = self.target.told(&plan)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let work = async {
            let mut signals = Signals::new()?;
            let mut coordinator = Coordinator::open(self, plan, files, verbose).await?;
            let outcome = coordinator.work(self, target, &mut signals).await;
            coordinator.progress.finish();
            coordinator.leave().await;
            outcome
        };
        runtime.block_on(work)
    }
}

/// Whether an agent could not go on with a run, which says something of the load; otherwise it is of the fleet itself.
pub(super) fn is_of_an_agent(error: &anyhow::Error) -> bool {
    exit::cause::<hear::AgentFailed>(error).is_some()
}

/// How to reach the control broker: what was typed for the broker under test, unless it is another one.
fn control(args: &AgentsArgs, typed: &ConnectionArgs) -> anyhow::Result<ConnectOptions> {
    let mut connection = typed.clone();
    if let Some(url) = &args.control {
        let parsed: BrokerUrl = url
            .parse()
            .map_err(|error| Exit::Usage.because(format!("--control: {error}")))?;
        // What is said of the broker under test, its password above all, is none of this one's business.
        connection = ConnectionArgs {
            url: Some(url.clone()),
            host: None,
            port: None,
            unix: None,
            ws: false,
            ws_path: None,
            ws_header: Vec::new(),
            srv: false,
            username: None,
            password: None,
            password_file: None,
            password_command: None,
            ask_password: false,
            ..connection
        };
        connection.tls.no_tls = !parsed.endpoint.scheme.has_tls();
    }
    Ok(connection::target(&connection)?.options)
}

/// One who takes part.
struct Agent {
    name: String,
    host: String,
    /// When it was last heard of.
    heard: Instant,
    state: State,
    standing: Standing,
    clock: Option<Offset>,
    books: Option<Books>,
    report: Option<Box<Report>>,
}

/// How far an agent is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Asked,
    Prepared,
    Ready,
}

struct Coordinator<'a> {
    run: Run,
    plan: Plan,
    topics: Topics,
    post: Post,
    endpoint: String,
    watch: Watch,
    agents: Vec<Agent>,
    /// Agents that have shown themselves, while some are looked for.
    cards: BTreeMap<String, Presence>,
    /// What the agents record, as it comes.
    seconds: Seconds,
    files: &'a mut Files,
    progress: Progress,
    verbose: bool,
    /// How many signals have come.
    signals: u32,
}

impl<'a> Coordinator<'a> {
    async fn open(
        fleet: &Fleet,
        plan: Plan,
        files: &'a mut Files,
        verbose: bool,
    ) -> anyhow::Result<Coordinator<'a>> {
        let (run, topics) = (plan.run, fleet.topics.clone());
        let mut options = fleet.control.clone();
        options.will = Some(Will {
            topic: topics.call().into(),
            payload: last_will(&Call::Over { run }),
            qos: QoS::AtLeastOnce,
            retain: false,
            properties: Properties::default(),
        });
        let filters = vec![topics.presence("+").into(), topics.from(run, "+").into()];
        Ok(Coordinator {
            run,
            progress: Progress::new(&plan, verbose),
            plan,
            post: Post::open(&options, Retry::NEVER, filters).await?,
            endpoint: options.endpoint.to_string(),
            topics,
            watch: Watch::new(Instant::now(), SystemTime::now()),
            agents: Vec::new(),
            cards: BTreeMap::new(),
            seconds: Seconds::new(0, Window::NOT_YET),
            files,
            verbose,
            signals: 0,
        })
    }

    async fn work(
        &mut self,
        fleet: &Fleet,
        target: words::Target,
        signals: &mut Signals,
    ) -> anyhow::Result<Option<Report>> {
        if !self.find(fleet, signals).await? {
            return Ok(None);
        }
        if self.verbose {
            let names: Vec<&str> = self.agents.iter().map(|agent| &*agent.name).collect();
            say(format_args!("agents: {}", names.join(", ")));
        }
        self.seconds = Seconds::new(
            self.agents.len(),
            Window {
                from_ns: self.plan.warmup.fixed().unwrap_or_default().as_nanos() as u64,
                to_ns: u64::MAX,
            },
        );
        let casts = self.casts(fleet.spread)?;
        let crossings =
            crossings(&self.plan, &casts).map_err(|words| Exit::Usage.because(words))?;
        self.prepare(target, fleet.spread, fleet.workers)?;
        self.until(signals, |agent| agent.state >= State::Prepared)
            .await?;
        let clocks = self.compare_clocks(signals).await?;
        for (place, clock) in clocks.iter().enumerate() {
            let missing = || {
                format!(
                    "agent {} does not say what time it is",
                    self.agents[place].name
                )
            };
            let clock = clock.ok_or_else(|| Exit::Lost.because(missing()))?;
            self.agents[place].clock = Some(clock);
        }
        let Some(interrupted) = self.conduct(signals).await? else {
            return Ok(None);
        };
        let after = match interrupted {
            true => vec![None; self.agents.len()],
            false => self.compare_clocks(signals).await?,
        };
        self.report(&after, crossings).map(Some)
    }

    /// Who plays where. An agent with nothing to do is a mistake.
    fn casts(&self, spread: Spread) -> anyhow::Result<Vec<Cast>> {
        let places = Place::all(self.agents.len() as u32, spread);
        let casts: Vec<Cast> = places.map(|place| Cast::of(&self.plan, place)).collect();
        let idle = casts.iter().position(|cast| cast.connections() == 0);
        match idle {
            Some(place) => Err(Exit::Usage.because(format!(
                "agent {} has nothing to do: {} publishers, {} subscribers and {} other clients on {} machines; \
                 use fewer agents, more clients, or another --spread",
                self.agents[place].name,
                self.plan.publishers(),
                self.plan.subscribers(),
                self.plan.clients(),
                casts.len()
            ))),
            None => Ok(casts),
        }
    }

    fn prepare(
        &mut self,
        target: words::Target,
        spread: Spread,
        workers: Option<u16>,
    ) -> anyhow::Result<()> {
        let coordinator = Environment::here().host;
        let text = without_files(&self.plan)?.to_toml();
        let places: Vec<Place> = Place::all(self.agents.len() as u32, spread).collect();
        for (number, place) in places.into_iter().enumerate() {
            let preparation = Preparation {
                protocol: PROTOCOL,
                coordinator: coordinator.clone(),
                plan: text.clone(),
                place,
                target: target.clone(),
                workers,
            };
            self.order(number, Order::Prepare(preparation));
        }
        Ok(())
    }

    fn order(&mut self, place: usize, order: Order) {
        let qos = match order {
            Order::Clock { .. } => QoS::AtMostOnce,
            _ => QoS::AtLeastOnce,
        };
        let topic = self.topics.to(&self.agents[place].name);
        let run = self.run;
        self.post.send(&topic, &Ordered { run, order }, qos);
    }

    fn order_all(&mut self, order: &Order) {
        for place in 0..self.agents.len() {
            self.order(place, order.clone());
        }
    }

    /// Orders something for one moment, which each agent's clock calls by another name.
    fn order_at(&mut self, at: Instant, order: impl Fn(i64) -> Order) {
        let at_ns = self.watch.shows(at);
        for place in 0..self.agents.len() {
            let clock = self.agents[place].clock;
            let theirs = clock.map_or(at_ns, |clock| clock.theirs(at_ns));
            self.order(place, order(theirs));
        }
    }

    /// Waits until all agents are so far.
    async fn until(
        &mut self,
        signals: &mut Signals,
        is_so_far: impl Fn(&Agent) -> bool,
    ) -> anyhow::Result<()> {
        while !self.agents.iter().all(&is_so_far) {
            if let Heard::Signal = self.listen(signals).await? {
                return Err(Exit::Interrupted.because("interrupted before the load had started"));
            }
        }
        Ok(())
    }

    /// One report of all.
    fn report(
        &mut self,
        after: &[Option<Offset>],
        crossings: (u64, u64),
    ) -> anyhow::Result<Report> {
        let mut reports = Vec::new();
        let mut machines = Vec::new();
        let several = self.agents.len() > 1;
        for (agent, after) in self.agents.iter_mut().zip(after) {
            let (Some(mut report), Some(clock)) = (agent.report.take(), agent.clock) else {
                continue;
            };
            if several {
                for reason in &mut report.verdict.reasons {
                    *reason = format!("agent {}: {reason}", agent.name);
                }
            }
            machines.push(Machine::of(agent.name.clone(), &report, clock, *after));
            reports.push(*report);
        }
        let mut whole = merge::merge(reports).map_err(anyhow::Error::msg)?;
        let clocks = Clocks::of(&machines, crossings);
        if let Some(fault) = clocks.fault(&whole) {
            whole.verdict.add(Cause::Clocks, fault);
        }
        // As it was typed: with the names of files, not with what is in them.
        whole.plan.clone_from(&self.plan);
        whole.machines = machines;
        whole.clocks = Some(clocks);
        Ok(whole)
    }

    /// Dismisses everyone and leaves.
    async fn leave(mut self) {
        self.order_all(&Order::Leave);
        self.post.close().await;
    }
}
