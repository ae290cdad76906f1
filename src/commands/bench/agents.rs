//! `mqtt bench --agents`: one plan, one moment to start, one report, and the load from several machines.
//!
//! The agents do what a run on this machine would do; here it is only decided when: who takes part, how far apart the
//! clocks are, when everyone connects and starts, and when everything has arrived.

mod find;

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

use super::payloads::without_files;
use super::post::{Letter, Mail, Post, last_will};
use super::progress::Progress;
use super::trial::Target;
use crate::bench::agents::books::Books;
use crate::bench::agents::clock::{Offset, Round, Watch};
use crate::bench::agents::machine::{Clocks, Machine};
use crate::bench::agents::words::{
    self, Answer, Call, Order, Ordered, PROTOCOL, Preparation, Presence, Topics,
};
use crate::bench::load::cast::{Cast, Place, Spread, crossings};
use crate::bench::load::standing::Standing;
use crate::bench::load::{Event, Snapshot};
use crate::bench::measure::{Recorder, Window};
use crate::bench::plan::{Plan, Run, Scenario};
use crate::bench::report::Report;
use crate::bench::report::environment::Environment;
use crate::bench::report::merge;
use crate::bench::role::Phase;
use crate::cli::bench::{AgentsArgs, BenchArgs, Wanted};
use crate::cli::connection::ConnectionArgs;
use crate::client::{BrokerUrl, ConnectOptions, Retry, Will};
use crate::commands::connection;
use crate::commands::signals::Signals;
use crate::exit::Exit;
use crate::mqtt::{Properties, QoS};
use crate::output::say;

/// How often the clocks are compared before the run, and again after it.
const ROUNDS: u32 = 40;

/// How long the answer of a clock may take.
const ROUND: Duration = Duration::from_secs(1);

/// An agent that is not heard of for so long in a run is given up: it speaks every second.
const SILENCE: Duration = Duration::from_secs(10);

/// How long before its moment a start is announced, at least.
const LEAD: Duration = Duration::from_millis(300);

/// How often it is looked whether the run has come further.
const LOOK: Duration = Duration::from_millis(50);

/// How often progress is shown.
const SHOW: Duration = Duration::from_millis(500);

/// Runs the plan on the agents; `None` when a second signal asked to leave at once.
///
/// # Errors
/// When there are too few agents, one refuses, fails, or is gone, or the control broker is.
pub(super) fn run(args: &BenchArgs, wanted: &Wanted, plan: Plan) -> anyhow::Result<Option<Report>> {
    let target = Target::new(&args.load)?;
    plan.check_version(target.options.version)
        .map_err(|words| Exit::Usage.because(words))?;
    let target = words::Target::of(&target.options, &args.load.broker)
        .map_err(|words| Exit::Usage.because(words))?;
    let options = control(&args.agents, &args.load.connection)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let work = async {
        let mut signals = Signals::new()?;
        let mut coordinator = Coordinator::open(args, plan, options).await?;
        let outcome = coordinator.work(args, wanted, target, &mut signals).await;
        coordinator.progress.finish();
        coordinator.leave().await;
        outcome
    };
    runtime.block_on(work)
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

/// What there is to hear.
enum Heard {
    /// The time of an agent, by its place: to which question, when it came and went there, when it was here.
    Time(usize, u32, i64, i64, Instant),
    /// Something else, that was taken note of.
    Note,
    /// Nothing for a while.
    Nothing,
    /// A signal.
    Signal,
}

struct Coordinator {
    run: Run,
    plan: Plan,
    topics: Topics,
    post: Post,
    endpoint: String,
    watch: Watch,
    agents: Vec<Agent>,
    /// Agents that have shown themselves, while some are looked for.
    cards: BTreeMap<String, Presence>,
    progress: Progress,
    /// How many signals have come.
    signals: u32,
}

impl Coordinator {
    async fn open(
        args: &BenchArgs,
        plan: Plan,
        mut options: ConnectOptions,
    ) -> anyhow::Result<Coordinator> {
        let (run, topics) = (plan.run, args.agents.control_topic.clone());
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
            progress: Progress::new(&plan, args.verbose),
            plan,
            post: Post::open(&options, Retry::NEVER, filters).await?,
            endpoint: options.endpoint.to_string(),
            topics,
            watch: Watch::new(Instant::now(), SystemTime::now()),
            agents: Vec::new(),
            cards: BTreeMap::new(),
            signals: 0,
        })
    }

    async fn work(
        &mut self,
        args: &BenchArgs,
        wanted: &Wanted,
        target: words::Target,
        signals: &mut Signals,
    ) -> anyhow::Result<Option<Report>> {
        let AgentsArgs {
            agents_group,
            agents_timeout,
            spread,
            ..
        } = &args.agents;
        let group = agents_group.as_deref();
        if !self.find(wanted, group, *agents_timeout, signals).await? {
            return Ok(None);
        }
        if args.verbose {
            let names: Vec<&str> = self.agents.iter().map(|agent| &*agent.name).collect();
            say(format_args!("agents: {}", names.join(", ")));
        }
        let casts = self.casts(*spread)?;
        let crossings =
            crossings(&self.plan, &casts).map_err(|words| Exit::Usage.because(words))?;
        self.prepare(target, *spread, args.load.workers)?;
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

    /// Asks every clock often, each time another one first.
    async fn compare_clocks(
        &mut self,
        signals: &mut Signals,
    ) -> anyhow::Result<Vec<Option<Offset>>> {
        let count = self.agents.len();
        let mut rounds: Vec<Vec<Round>> = vec![Vec::new(); count];
        for round in 0..ROUNDS {
            let mut asked = vec![None; count];
            for turn in 0..count {
                let place = (turn + round as usize) % count;
                asked[place] = Some(Instant::now());
                self.order(place, Order::Clock { round });
            }
            let until = Instant::now() + ROUND;
            while asked.iter().any(Option::is_some) && Instant::now() < until {
                match self.listen(signals).await? {
                    Heard::Time(place, number, came, went, at) if number == round => {
                        if let Some(asked) = asked[place].take() {
                            rounds[place].push(Round {
                                asked: self.watch.shows(asked),
                                came,
                                went,
                                answered: self.watch.shows(at),
                            });
                        }
                    }
                    Heard::Signal => return Err(Exit::Interrupted.because("interrupted")),
                    _ => {}
                }
            }
        }
        Ok(rounds.iter().map(|rounds| Offset::of(rounds)).collect())
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

    /// The run from the first connection to the last report; whether it was interrupted, and `None` when a second
    /// signal came.
    async fn conduct(&mut self, signals: &mut Signals) -> anyhow::Result<Option<bool>> {
        let began = Instant::now() + LEAD;
        self.order_at(began, |at_ns| Order::Connect { at_ns });
        let mut shown = Instant::now();
        while !self.agents.iter().all(|agent| agent.state == State::Ready) {
            if let Heard::Signal = self.listen(signals).await? {
                if self.plan.scenario != Scenario::Conn || self.signals > 1 {
                    return Err(
                        Exit::Interrupted.because("interrupted before the load had started")
                    );
                }
                self.order_all(&Order::Stop);
                return self.close(signals, true).await;
            }
            if shown.elapsed() >= SHOW {
                shown = Instant::now();
                let snapshot = self.snapshot(began, Phase::Setup);
                self.progress.show(Event::Connecting(snapshot));
            }
        }
        self.progress.show(Event::Started(began.elapsed()));
        let start = Instant::now() + self.lead();
        let unix_ns = self.watch.shows(start);
        self.order_at(start, |at_ns| Order::Start { at_ns, unix_ns });

        let mut interrupted = false;
        let mut moved = (0, Instant::now());
        for phase in [Phase::Load, Phase::Drain] {
            loop {
                if let Heard::Signal = self.listen(signals).await? {
                    if self.signals > 1 {
                        return Ok(None);
                    }
                    say("ending the run; once more to leave at once");
                    self.order_all(&Order::Stop);
                    interrupted = true;
                }
                let standing = self.standing();
                if moved.0 != standing.movement() {
                    moved = (standing.movement(), Instant::now());
                }
                let (elapsed, still) = (start.elapsed(), moved.1.elapsed());
                let over = match phase {
                    Phase::Load => {
                        interrupted
                            || !elapsed.is_zero()
                                && standing.load_is_over(&self.plan, elapsed, still)
                    }
                    _ => standing.drain_is_over(&self.plan, still),
                };
                if shown.elapsed() >= SHOW {
                    shown = Instant::now();
                    let snapshot = self.snapshot(start, phase);
                    self.progress.show(Event::Shown(snapshot));
                }
                if over {
                    break;
                }
            }
            match phase {
                Phase::Load => {
                    self.order_all(&Order::Drain);
                    self.progress.show(Event::Draining);
                    moved.1 = Instant::now();
                }
                _ => self.order_all(&Order::Close),
            }
        }
        self.close(signals, interrupted).await
    }

    /// Tells everyone what everyone sent, and waits for the reports.
    async fn close(
        &mut self,
        signals: &mut Signals,
        interrupted: bool,
    ) -> anyhow::Result<Option<bool>> {
        while self.agents.iter().any(|agent| agent.books.is_none()) {
            if let Heard::Signal = self.listen(signals).await? {
                return Ok(None);
            }
        }
        let mut books = Books::default();
        for agent in &mut self.agents {
            books.extend(agent.books.take().unwrap_or_default());
        }
        self.order_all(&Order::Books { books });
        while self.agents.iter().any(|agent| agent.report.is_none()) {
            if let Heard::Signal = self.listen(signals).await? {
                return Ok(None);
            }
        }
        Ok(Some(interrupted))
    }

    /// How long before its moment the start is announced: ten times the longest way to an agent.
    fn lead(&self) -> Duration {
        let clocks = self.agents.iter().filter_map(|agent| agent.clock);
        let longest = clocks.map(|clock| clock.uncertainty_ns).max().unwrap_or(0);
        LEAD.max(Duration::from_nanos(longest.saturating_mul(20)))
    }

    fn standing(&self) -> Standing {
        let mut all = Standing::default();
        for agent in &self.agents {
            all.add(&agent.standing);
        }
        all
    }

    /// What is shown while the run goes on: counts only, latencies come with the reports.
    fn snapshot(&self, start: Instant, phase: Phase) -> Box<Snapshot> {
        let standing = self.standing();
        let mut recorder = Recorder::new(Window {
            from_ns: 0,
            to_ns: u64::MAX,
        });
        recorder.sent.total = standing.sent;
        recorder.acknowledged.total = standing.acknowledged;
        recorder.delivered.total = standing.delivered;
        recorder.connects.made = standing.connected;
        Box::new(Snapshot {
            elapsed: start.elapsed(),
            phase,
            recorder,
            lost: standing.lost as usize,
        })
    }

    /// What comes next, or a signal, or nothing for a moment.
    ///
    /// # Errors
    /// When an agent has failed, is gone, or has not been heard of for too long.
    async fn listen(&mut self, signals: &mut Signals) -> anyhow::Result<Heard> {
        let heard = tokio::select! {
            biased;
            () = signals.next() => {
                self.signals += 1;
                return Ok(Heard::Signal);
            }
            heard = self.hear() => heard?,
            () = tokio::time::sleep(LOOK) => Heard::Nothing,
        };
        let silent = self
            .agents
            .iter()
            .find(|agent| agent.heard.elapsed() > SILENCE);
        match silent {
            Some(agent) => Err(Exit::Lost.because(format!(
                "agent {} on {} has not been heard of for {} s; the run was ended on all machines",
                agent.name,
                agent.host,
                SILENCE.as_secs()
            ))),
            None => Ok(heard),
        }
    }

    async fn hear(&mut self) -> anyhow::Result<Heard> {
        match self.post.next().await? {
            Mail::Letter(letter) => self.take(letter),
            Mail::Nonsense(words) => {
                say(words);
                Ok(Heard::Note)
            }
            Mail::Lost(failure, _) => {
                let words = format!("the control connection: {failure}");
                Err(failure.exit().because(words))
            }
            Mail::Back => Ok(Heard::Note),
        }
    }

    fn take(&mut self, letter: Letter) -> anyhow::Result<Heard> {
        let Some((from, name)) = letter.topic.rsplit_once('/') else {
            return Ok(Heard::Note);
        };
        let place = self.agents.iter().position(|agent| agent.name == name);
        if self.topics.presence(name) == letter.topic {
            self.meet(name, place, &letter.text)?;
            return Ok(Heard::Note);
        }
        let Some(place) = place.filter(|_| self.topics.from(self.run, name) == letter.topic) else {
            return Ok(Heard::Note);
        };
        let answer = serde_json::from_str(&letter.text);
        let answer: Answer = answer.map_err(|error| {
            Exit::Failed.because(format!(
                "agent {name} said on {from} what is no answer: {error}"
            ))
        })?;
        let agent = &mut self.agents[place];
        agent.heard = letter.at;
        match answer {
            Answer::Prepared => agent.state = agent.state.max(State::Prepared),
            Answer::Ready => agent.state = State::Ready,
            Answer::Standing { standing } => agent.standing = standing,
            Answer::Books { books } => agent.books = Some(books),
            Answer::Saved { report } => agent.report = Some(report),
            Answer::Clock {
                round,
                came_ns,
                went_ns,
            } => return Ok(Heard::Time(place, round, came_ns, went_ns, letter.at)),
            Answer::Failed { words, status } => {
                return Err(Exit::numbered(status).because(format!("agent {name}: {words}")));
            }
        }
        Ok(Heard::Note)
    }

    /// An agent shows itself, or that it is gone.
    fn meet(&mut self, name: &str, place: Option<usize>, text: &str) -> anyhow::Result<()> {
        let presence = match Presence::read(text) {
            Ok(presence) => presence,
            Err(words) => {
                say(format_args!(
                    "agent {name} said what is no announcement: {words}"
                ));
                return Ok(());
            }
        };
        if let (Presence::Gone, Some(place)) = (&presence, place) {
            return Err(Exit::Lost.because(format!(
                "agent {name} on {} is gone; the run was ended on all machines",
                self.agents[place].host
            )));
        }
        self.cards.insert(name.to_owned(), presence);
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
            whole.verdict.valid = false;
            whole.verdict.reasons.push(fault);
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
