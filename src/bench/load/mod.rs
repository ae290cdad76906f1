//! Puts the load on the broker: threads, connections, and the phases of the run.
//!
//! Every thread has a runtime of its own and keeps its connections, its buffers and its recorder, so nothing is
//! shared while the load runs. Here is what happens between them: everyone is connected and subscribed before
//! the first publish; the load ends by time, count or signal; what is on its way may arrive; the books are
//! closed. It prints nothing: what happens meanwhile is handed to an observer.

pub mod alarm;
pub mod cast;
pub mod company;
pub mod connection;
pub(super) mod fates;
pub(super) mod line;
pub(super) mod lives;
pub(super) mod name;
pub(super) mod returning;
pub mod standing;
pub mod tally;
pub(super) mod thread;

use std::future::Future;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime};

use anyhow::Context;
use hdrhistogram::Histogram;
use tokio::sync::{mpsc, watch};

use crate::bench::agents::books::Books;
use crate::bench::load::cast::{Cast, Place};
use crate::bench::load::company::{Company, Cue, Told, next_cue};
use crate::bench::load::connection::{Stage, Thread, Way};
use crate::bench::load::standing::Standing;
use crate::bench::load::tally::{LostConnection, Measurement, Tally, Warmed};
use crate::bench::load::thread::{Crew, Note};
use crate::bench::measure::pulse::Pulse;
use crate::bench::measure::shares::SharedLedger;
use crate::bench::measure::{Recorder, Window, difference, histogram};
use crate::bench::plan::{Plan, Scenario, Stop, Warmup};
use crate::bench::proxy::Proxy;
use crate::bench::report::recovery::{Recovery, recoveries};
use crate::bench::report::steadiness::{Settled, Settling};
use crate::bench::role::Phase;
use crate::bench::role::payloads::Payloads;
use crate::bench::role::subscriber::Expected;
use crate::client::{ConnectOptions, Endpoint, Failure};
use crate::exit::Exit;
use crate::mqtt::QoS;

/// How often the observer is shown where the run is.
const SHOW: Duration = Duration::from_millis(500);

/// How often the end of the load is looked for when nobody tells it.
const LOOK: Duration = Duration::from_millis(50);

/// How often it is looked whether everything has arrived.
const LOOK_CLOSELY: Duration = Duration::from_millis(5);

/// Something worth telling while the run goes on.
#[derive(Debug)]
pub enum Event {
    /// Where connecting is, every half second until everyone is connected.
    Connecting(Box<Snapshot>),
    /// Everyone is connected and subscribed after this time; the load starts.
    Started(Duration),
    /// Where the run is, every half second.
    Shown(Box<Snapshot>),
    /// A connection was lost.
    Lost(LostConnection),
    /// Nothing new is published from here on.
    Draining,
    /// Where the run was at its very end.
    Ended(Box<Snapshot>),
}

/// Where a run is.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Since the start of the load; while connecting, of the run.
    pub elapsed: Duration,
    /// The phase.
    pub phase: Phase,
    /// Everything recorded so far, by all threads.
    pub recorder: Recorder,
    /// Connections lost so far.
    pub lost: usize,
}

/// A run, ready to start.
pub struct Load {
    /// What to do.
    pub plan: Arc<Plan>,
    /// What each group of publishers sends.
    pub payloads: Vec<Arc<Payloads>>,
    /// How to connect; the client id is replaced by one for each connection.
    pub options: ConnectOptions,
    /// Several brokers, which the clients take in turn; none for that of `options`.
    pub brokers: Vec<Endpoint>,
    /// Addresses of ours, which the clients connect from in turn; none for what the system chooses.
    pub sources: Vec<IpAddr>,
    /// How many threads share the connections.
    pub threads: usize,
    /// Which of the plan's clients are here.
    pub place: Place,
}

impl Load {
    /// Runs to the end, or until `stop`; in step with the other machines, if there are any.
    ///
    /// # Errors
    /// When not everyone could connect and subscribe, with the exit status that says why, or when `stop` came
    /// before the load had started.
    pub async fn run(
        self,
        mut company: Option<Company>,
        stop: impl Future<Output = ()>,
        mut observe: impl FnMut(Event),
    ) -> anyhow::Result<Measurement> {
        if company.is_some() && self.plan.warmup.fixed().is_none() {
            return Err(Exit::Usage.because(
                "--warmup auto knows the clients of one machine only: give a time where several share a run",
            ));
        }
        let load = Arc::new(self);
        let mut ways = ways(&load).await?;
        let (stages, _) = watch::channel(Stage {
            phase: Phase::Setup,
            start: None,
        });
        let proxy = match load.plan.fault.is_empty() {
            true => None,
            false => Some(Proxy::before(&mut ways, &load, &stages).await?),
        };
        let (notes, heard) = mpsc::unbounded_channel();
        let audience = load
            .plan
            .audience()
            .map_err(|words| Exit::Usage.because(words))?;
        let listeners = load.plan.listeners(&audience);
        let audience = load.plan.marked(audience);
        let shares = SharedLedger::of(&load.plan, &audience);
        let setup = match &mut company {
            Some(_) => loop {
                if let Cue::Connect(at) = next_cue(&mut company).await? {
                    tokio::time::sleep_until(at.into()).await;
                    break at;
                }
            },
            None => Instant::now(),
        };
        let crew = Arc::new(Crew {
            load: Arc::clone(&load),
            cast: Cast::of(&load.plan, load.place),
            ways,
            audience,
            listeners,
            shares,
            replies: load.plan.replies().into(),
            expected: Expected::of(&load.plan, &load.payloads),
            timetable: Arc::new(load.plan.timetable()),
            window: window_of(&load.plan),
            limits: OnceLock::new(),
            strikes: proxy.as_ref().map(|proxy| Arc::clone(&proxy.strikes)),
            began: setup + lead(&load),
        });
        let threads = (0..load.threads)
            .map(|number| thread::start(number, &crew, &notes, &stages))
            .collect::<anyhow::Result<Vec<_>>>()?;
        drop(notes);
        let mut run = Run {
            settling: match load.plan.warmup {
                Warmup::Fixed(_) => None,
                Warmup::Auto(limit) => Some(WarmingUp::new(load.plan.rate(), limit)),
            },
            plan: Arc::clone(&load.plan),
            crew,
            threads,
            heard,
            stages,
            proxy,
            tally: Tally::default(),
            company,
            observe: &mut observe,
        };
        run.conduct(setup, stop).await
    }
}

/// How long after the start the first connection of a rate is due. A thread makes all of its clients before one of them begins, a few
/// microseconds each, and that is not to count as the delay of the first ones.
fn lead(load: &Load) -> Duration {
    let plan = &load.plan;
    let is_paced = plan.connect_rate().is_some() && plan.clients() == plan.connections();
    match (is_paced, load.threads as u32) {
        (true, threads @ 1..) => {
            Duration::from_millis(10) + Duration::from_micros(20) * plan.clients() / threads
        }
        _ => Duration::ZERO,
    }
}

fn window_of(plan: &Plan) -> Window {
    let Warmup::Fixed(from) = plan.warmup else {
        return Window::NOT_YET;
    };
    Window {
        from_ns: from.as_nanos() as u64,
        to_ns: match plan.stop {
            Stop::After(duration) => from.saturating_add(duration).as_nanos() as u64,
            Stop::Count(_) => u64::MAX,
        },
    }
}

/// All ways the clients take in turn: every broker from every source.
pub(super) async fn ways(load: &Load) -> anyhow::Result<Vec<Way>> {
    let brokers = match load.brokers.is_empty() {
        true => std::slice::from_ref(&load.options.endpoint),
        false => &load.brokers,
    };
    let sources: Vec<Option<IpAddr>> = match load.sources.is_empty() {
        true => vec![None],
        false => load.sources.iter().copied().map(Some).collect(),
    };
    let mut ways = Vec::new();
    for source in sources {
        for broker in brokers {
            let way = Way::find(broker, source, &load.options).await;
            ways.push(way.map_err(Failure::into_error)?);
        }
    }
    Ok(ways)
}

fn too_early() -> anyhow::Error {
    Exit::Interrupted.because("interrupted before the load had started")
}

/// A warm-up that ends by itself, and where it was when it was last looked at.
struct WarmingUp {
    settling: Settling,
    messages: u64,
    latency: Histogram<u64>,
}

impl WarmingUp {
    fn new(rate: Option<f64>, limit: Duration) -> WarmingUp {
        WarmingUp {
            settling: Settling::new(rate, limit),
            messages: 0,
            latency: histogram(),
        }
    }

    /// Takes in the messages and latencies of the whole warm-up so far.
    fn enter(
        &mut self,
        elapsed: Duration,
        messages: u64,
        latency: Histogram<u64>,
    ) -> Option<Settled> {
        let new = difference(&latency, &self.latency);
        let p99_us = (!new.is_empty()).then(|| new.value_at_quantile(0.99) as f64);
        let count = messages - self.messages;
        (self.messages, self.latency) = (messages, latency);
        self.settling.enter(elapsed, count, p99_us)
    }
}

/// How soon the measurement begins once it is decided: the threads must know before it does.
const SOON: Duration = Duration::from_millis(20);

/// The run as seen from outside its threads.
struct Run<'a> {
    /// As it is known by now: a warm-up that has ended by itself has its length.
    plan: Arc<Plan>,
    /// The warm-up, while it goes on, where it ends by itself.
    settling: Option<WarmingUp>,
    crew: Arc<Crew>,
    threads: Vec<Arc<Thread>>,
    heard: mpsc::UnboundedReceiver<Note>,
    stages: watch::Sender<Stage>,
    proxy: Option<Proxy>,
    tally: Tally,
    company: Option<Company>,
    observe: &'a mut dyn FnMut(Event),
}

/// Whatever ends the run ends its threads.
impl Drop for Run<'_> {
    fn drop(&mut self) {
        self.stages.send_modify(|stage| stage.phase = Phase::Close);
    }
}

impl Run<'_> {
    async fn conduct(
        &mut self,
        began: Instant,
        stop: impl Future<Output = ()>,
    ) -> anyhow::Result<Measurement> {
        let mut stop = pin!(stop);
        let connected = self.connect(began, &mut stop).await?;
        let setup = began.elapsed();
        if !connected {
            let start = Instant::now();
            self.tally.start(SystemTime::now());
            self.enter(Phase::Close, start);
            self.gather().await?;
            let end = self.snapshot(began, Phase::Setup);
            (self.observe)(Event::Ended(end));
            return self.add_up(setup, true, false).await;
        }
        let (start, day) = self.curtain(&mut stop).await?;
        self.tally.start(day);
        self.enter(Phase::Load, start);
        (self.observe)(Event::Started(setup));

        let interrupted = self.watch(Phase::Load, start, &mut stop).await?;
        let stalled = !interrupted && self.tally.done < self.crew.cast.actors(&self.plan);
        // A storm is over when everyone has been through it.
        let over = !self.plan.publishes() && self.plan.actors() > 0;
        if interrupted || over || !self.tally.lost.is_empty() {
            // Nobody is left who does anything, so the measurement ends here and not at its planned end.
            let at_ns = start.elapsed().as_nanos() as u64;
            for thread in &self.threads {
                thread.desk().recorder.close(at_ns);
            }
        }
        self.enter(Phase::Drain, start);
        (self.observe)(Event::Draining);
        self.watch(Phase::Drain, start, &mut pin!(std::future::pending()))
            .await?;
        self.enter(Phase::Close, start);
        self.gather().await?;
        let end = self.snapshot(start, Phase::Close);
        (self.observe)(Event::Ended(end));
        self.add_up(setup, interrupted, stalled).await
    }

    /// When the load starts: now, or when it does everywhere.
    async fn curtain(
        &mut self,
        stop: &mut (impl Future<Output = ()> + Unpin),
    ) -> anyhow::Result<(Instant, SystemTime)> {
        let Some(company) = &self.company else {
            return Ok((Instant::now(), SystemTime::now()));
        };
        company.tell(Told::Ready);
        let mut start = None;
        loop {
            let begins = async {
                match start {
                    Some((at, _)) => tokio::time::sleep_until(Instant::into(at)).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                note = self.heard.recv() => self.take(note.context("a thread of the load ended")?)?,
                () = &mut *stop => return Err(too_early()),
                cue = next_cue(&mut self.company) => if let Cue::Start(at, day) = cue? {
                    start = Some((at, day));
                    // What others send before we are awake has its time all the same.
                    self.enter(Phase::Setup, at);
                },
                () = begins => if let Some(start) = start {
                    return Ok(start);
                }
            }
        }
    }

    /// Until everyone is ready, or where connecting is measured until everyone has tried; `false` when that was
    /// measured up to `stop`.
    async fn connect(
        &mut self,
        began: Instant,
        stop: &mut (impl Future<Output = ()> + Unpin),
    ) -> anyhow::Result<bool> {
        let mut show = tokio::time::interval_at(tokio::time::Instant::now() + SHOW, SHOW);
        loop {
            let failed: u64 = self.tally.failures.iter().map(|one| one.count).sum();
            if u64::from(self.tally.ready) + failed >= self.crew.cast.connections().into() {
                return Ok(true);
            }
            tokio::select! {
                biased;
                note = self.heard.recv() => self.take(note.context("a thread of the load ended")?)?,
                () = &mut *stop => {
                    return match self.plan.scenario {
                        Scenario::Conn => Ok(false),
                        _ => Err(too_early()),
                    };
                }
                _ = show.tick() => {
                    let snapshot = self.snapshot(began, Phase::Setup);
                    (self.observe)(Event::Connecting(snapshot));
                }
            }
        }
    }

    /// Waits for what the threads bring home.
    async fn gather(&mut self) -> anyhow::Result<()> {
        while self.tally.harvests.len() < self.threads.len() {
            let note = self.heard.recv().await;
            self.take(note.context("a thread of the load ended without its results")?)?;
        }
        Ok(())
    }

    fn enter(&self, phase: Phase, start: Instant) {
        self.stages.send_replace(Stage {
            phase,
            start: Some(start),
        });
    }

    /// Stays in a phase to its end; whether `stop` ended it.
    async fn watch(
        &mut self,
        phase: Phase,
        start: Instant,
        stop: &mut (impl Future<Output = ()> + Unpin),
    ) -> anyhow::Result<bool> {
        let mut look = tokio::time::interval(match phase {
            Phase::Load => LOOK,
            _ => LOOK_CLOSELY,
        });
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut shown = Instant::now();
        let mut moved = (0, Instant::now());
        let mut told = Standing::default();
        loop {
            tokio::select! {
                biased;
                () = &mut *stop => return Ok(true),
                cue = next_cue(&mut self.company) => match (phase, cue?) {
                    (Phase::Load, Cue::Drain) | (Phase::Drain, Cue::Close) => return Ok(false),
                    _ => {}
                },
                Some(note) = self.heard.recv() => self.take(note)?,
                _ = look.tick() => {}
            }
            let standing = self.standing();
            let movement = standing.movement();
            if moved.0 != movement {
                moved = (movement, Instant::now());
            }
            if phase == Phase::Load {
                self.warm_up(start.elapsed(), &standing);
            }
            let is_due = shown.elapsed() >= SHOW;
            match &self.company {
                Some(company) => {
                    let is_news = match phase {
                        Phase::Load if self.plan.actors() > 0 => standing.is_further_than(&told),
                        _ => standing != told,
                    };
                    if is_news || is_due {
                        told = standing;
                        company.tell(Told::Standing(standing));
                    }
                }
                None => {
                    let still = moved.1.elapsed();
                    let over = match phase {
                        Phase::Load => standing.load_is_over(&self.plan, start.elapsed(), still),
                        _ => standing.drain_is_over(&self.plan, still),
                    };
                    if over {
                        return Ok(false);
                    }
                }
            }
            if is_due {
                shown = Instant::now();
                let snapshot = self.snapshot(start, phase);
                (self.observe)(Event::Shown(snapshot));
            }
        }
    }

    /// Begins the measurement when the load is steady, or has had its time to become so.
    fn warm_up(&mut self, elapsed: Duration, standing: &Standing) {
        let due = self.settling.as_ref();
        if due.is_none_or(|warming| !warming.settling.is_due(elapsed)) {
            return;
        }
        let messages = match (self.plan.subscribers(), self.plan.qos()) {
            (1.., _) => standing.delivered,
            (0, QoS::AtMostOnce) => standing.sent,
            (0, _) => standing.acknowledged,
        };
        let mut latency = histogram();
        for thread in &self.threads {
            latency
                .add(&thread.desk().recorder.warm_up)
                .expect("a histogram that resizes itself takes any other");
        }
        let warming = self.settling.as_mut();
        let Some(how) = warming.and_then(|warming| warming.enter(elapsed, messages, latency))
        else {
            return;
        };
        self.settling = None;
        let from = elapsed + SOON;
        self.plan = Arc::new(Plan {
            warmup: Warmup::Fixed(from),
            ..Plan::clone(&self.plan)
        });
        let window = window_of(&self.plan);
        for thread in &self.threads {
            thread.desk().recorder.open(window);
        }
        self.tally.warm_up = Some(Warmed {
            lasted_s: from.as_secs_f64(),
            steady: how == Settled::Steady,
        });
    }

    fn snapshot(&self, start: Instant, phase: Phase) -> Box<Snapshot> {
        Box::new(Snapshot {
            elapsed: start.elapsed(),
            phase,
            recorder: self.recorded(),
            lost: self.tally.lost.len(),
        })
    }

    /// How far the clients here are.
    fn standing(&self) -> Standing {
        let mut standing = Standing {
            done: self.tally.done,
            settled: self.tally.settled,
            expected: self.tally.expected,
            lost: self.tally.lost.len() as u64,
            ..Standing::default()
        };
        for thread in &self.threads {
            let recorder = &thread.desk().recorder;
            standing.sent += recorder.sent.total;
            standing.acknowledged += recorder.acknowledged.total;
            standing.delivered += recorder.delivered.total;
            standing.measured += recorder.delivered.measured;
            standing.connected += recorder.connects.made;
        }
        standing
    }

    fn recorded(&self) -> Recorder {
        let mut all = Recorder::new(window_of(&self.plan));
        for thread in &self.threads {
            all.merge(&thread.desk().recorder);
        }
        all
    }

    fn take(&mut self, note: Note) -> anyhow::Result<()> {
        if let Note::Lost(lost) = &note {
            (self.observe)(Event::Lost(lost.clone()));
        }
        self.tally.take(note)
    }

    /// Closes the books, with those of the other machines.
    async fn add_up(
        &mut self,
        setup: Duration,
        interrupted: bool,
        stalled: bool,
    ) -> anyhow::Result<Measurement> {
        let recorder = self.recorded();
        let tally = std::mem::take(&mut self.tally);
        let mut pulse = self.plan.pulse();
        for thread in &self.threads {
            if let Some(other) = &thread.desk().recorder.pulse {
                pulse.merge(other);
            }
        }
        let measured = Duration::from_nanos(recorder.window().to_ns);
        let end = self.plan.end().unwrap_or(pulse.end()).min(measured);
        let faults = self.recoveries(&tally, &pulse, end);
        let proxy = self.proxy.take().and_then(Proxy::stop);
        let mut harvested = tally.close(&self.crew, setup, recorder, interrupted, stalled);
        if let Some(company) = &self.company {
            company.tell(Told::Books(Books::of(&harvested.sent)));
            let books = loop {
                if let Cue::Books(books) = next_cue(&mut self.company).await? {
                    break books;
                }
            };
            books
                .enter(&mut harvested.sent)
                .map_err(anyhow::Error::msg)?;
        }
        Ok(Measurement {
            faults,
            proxy,
            ..harvested.settle(&self.crew, &pulse, end)
        })
    }

    /// What the faults of the plan did.
    fn recoveries(&self, tally: &Tally, pulse: &Pulse, end: Duration) -> Vec<Recovery> {
        let Some(proxy) = &self.proxy else {
            return Vec::new();
        };
        recoveries(
            &self.plan.fault,
            &proxy.strikes.so_far(),
            &tally.returns,
            pulse,
            self.plan.warmup.fixed().unwrap_or_default(),
            end,
        )
    }
}
