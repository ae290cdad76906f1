//! Puts the load on the broker: threads, connections, and the phases of the run.
//!
//! Every thread has a runtime of its own and keeps its connections, its buffers and its recorder, so nothing is
//! shared while the load runs. Here is what happens between them: everyone is connected and subscribed before
//! the first publish; the load ends by time, count or signal; what is on its way may arrive; the books are
//! closed. It prints nothing: what happens meanwhile is handed to an observer.

use std::future::Future;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime};

use anyhow::Context;
use tokio::sync::{mpsc, watch};

use super::connection::{Stage, Thread, Way};
use super::measure::{Recorder, Window};
use super::plan::{Plan, Scenario, Stop};
use super::role::Phase;
use super::shares::SharedLedger;
use super::tally::{LostConnection, Measurement, Tally};
use super::thread::{self, Crew, Note};
use crate::client::{ConnectOptions, Endpoint, Failure};
use crate::exit::Exit;

/// How long publishers may go on sending what was due before the end of a paced run; what is left then counts
/// as never sent.
const GRACE: Duration = Duration::from_secs(1);

/// How long nothing may arrive before what is missing counts as lost.
const QUIET: Duration = Duration::from_secs(2);

/// How long nothing at all may happen before a run that ends by count is given up.
const STALLED: Duration = Duration::from_secs(10);

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
    /// How to connect; the client id is replaced by one for each connection.
    pub options: ConnectOptions,
    /// Several brokers, which the clients take in turn; none for that of `options`.
    pub brokers: Vec<Endpoint>,
    /// Addresses of ours, which the clients connect from in turn; none for what the system chooses.
    pub sources: Vec<IpAddr>,
    /// How many threads share the connections.
    pub threads: usize,
}

impl Load {
    /// Runs to the end, or until `stop`.
    ///
    /// # Errors
    /// When not everyone could connect and subscribe, with the exit status that says why, or when `stop` came
    /// before the load had started.
    pub async fn run(
        self,
        stop: impl Future<Output = ()>,
        mut observe: impl FnMut(Event),
    ) -> anyhow::Result<Measurement> {
        let load = Arc::new(self);
        let ways = ways(&load).await?;
        let setup = Instant::now();
        let (stages, _) = watch::channel(Stage {
            phase: Phase::Setup,
            start: None,
        });
        let (notes, heard) = mpsc::unbounded_channel();
        let audience = load
            .plan
            .audience()
            .map_err(|words| Exit::Usage.because(words))?;
        let shares = SharedLedger::of(&load.plan, &audience);
        let listeners = load.plan.listeners(&audience);
        let crew = Arc::new(Crew {
            load: Arc::clone(&load),
            ways,
            audience,
            listeners,
            shares,
            replies: load.plan.replies().into(),
            fillers: thread::fillers(&load.plan),
            timetable: Arc::new(load.plan.timetable()),
            window: window_of(&load.plan),
            limits: OnceLock::new(),
            began: setup,
        });
        let threads = (0..load.threads)
            .map(|number| thread::start(number, &crew, &notes, &stages))
            .collect::<anyhow::Result<Vec<_>>>()?;
        drop(notes);
        let mut run = Run {
            plan: &load.plan,
            crew,
            threads,
            heard,
            stages,
            tally: Tally::default(),
            observe: &mut observe,
        };
        run.conduct(setup, stop).await
    }
}

fn window_of(plan: &Plan) -> Window {
    let from = plan.warmup;
    Window {
        from_ns: from.as_nanos() as u64,
        to_ns: match plan.stop {
            Stop::After(duration) => from.saturating_add(duration).as_nanos() as u64,
            Stop::Count(_) => u64::MAX,
        },
    }
}

/// All ways the clients take in turn: every broker from every source.
async fn ways(load: &Load) -> anyhow::Result<Vec<Way>> {
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

/// The run as seen from outside its threads.
struct Run<'a> {
    plan: &'a Plan,
    crew: Arc<Crew>,
    threads: Vec<Arc<Thread>>,
    heard: mpsc::UnboundedReceiver<Note>,
    stages: watch::Sender<Stage>,
    tally: Tally,
    observe: &'a mut dyn FnMut(Event),
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
        let start = Instant::now();
        self.tally.started = Some(SystemTime::now());
        self.tally.clock = self.tally.started.map(|day| (Instant::now(), day));
        if !connected {
            self.enter(Phase::Close, start);
            self.gather().await?;
            let end = self.snapshot(began, Phase::Setup);
            (self.observe)(Event::Ended(end));
            return Ok(self.add_up(setup, true, false));
        }
        self.enter(Phase::Load, start);
        (self.observe)(Event::Started(setup));

        let interrupted = self.watch(Phase::Load, start, &mut stop).await?;
        let stalled = !interrupted && self.tally.done < self.plan.actors();
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
        Ok(self.add_up(setup, interrupted, stalled))
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
            if u64::from(self.tally.ready) + failed >= self.plan.connections().into() {
                return Ok(true);
            }
            tokio::select! {
                biased;
                note = self.heard.recv() => self.take(note.context("a thread of the load ended")?)?,
                () = &mut *stop => {
                    return match self.plan.scenario {
                        Scenario::Conn => Ok(false),
                        _ => Err(Exit::Interrupted.because("interrupted before the load had started")),
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
        loop {
            tokio::select! {
                biased;
                () = &mut *stop => return Ok(true),
                Some(note) = self.heard.recv() => self.take(note)?,
                _ = look.tick() => {}
            }
            let movement = self.movement();
            if moved.0 != movement {
                moved = (movement, Instant::now());
            }
            let over = match phase {
                Phase::Load => self.load_is_over(start.elapsed(), moved.1.elapsed()),
                _ => self.drain_is_over(moved.1.elapsed()),
            };
            if over {
                return Ok(false);
            }
            if shown.elapsed() >= SHOW {
                shown = Instant::now();
                let snapshot = self.snapshot(start, phase);
                (self.observe)(Event::Shown(snapshot));
            }
        }
    }

    fn snapshot(&self, start: Instant, phase: Phase) -> Box<Snapshot> {
        Box::new(Snapshot {
            elapsed: start.elapsed(),
            phase,
            recorder: self.recorded(),
            lost: self.tally.lost.len(),
        })
    }

    fn load_is_over(&self, elapsed: Duration, still: Duration) -> bool {
        let end = self.plan.end().unwrap_or_default();
        if self.plan.actors() == 0 {
            return match self.plan.stop {
                Stop::After(_) => elapsed >= end,
                Stop::Count(count) => self.recorded().delivered.measured >= count,
            };
        }
        if self.tally.done == self.plan.actors()
            && (self.tally.settled == self.plan.actors() || !self.plan.has_latecomers())
        {
            return true;
        }
        match self.plan.stop {
            Stop::After(_) => elapsed >= end + GRACE,
            Stop::Count(_) => elapsed >= end && still >= STALLED,
        }
    }

    fn drain_is_over(&self, still: Duration) -> bool {
        let settled = self.tally.settled == self.plan.actors();
        let delivered = || -> u64 {
            let of = |thread: &Arc<Thread>| thread.desk().recorder.delivered.total;
            self.threads.iter().map(of).sum()
        };
        (settled && delivered() >= self.tally.expected) || still >= QUIET
    }

    /// A number that changes whenever anything is sent, acknowledged or delivered.
    fn movement(&self) -> u64 {
        let of = |thread: &Arc<Thread>| {
            let recorder = &thread.desk().recorder;
            recorder.sent.total
                + recorder.acknowledged.total
                + recorder.delivered.total
                + recorder.connects.made
        };
        self.threads.iter().map(of).sum()
    }

    fn recorded(&self) -> Recorder {
        let mut all = Recorder::new(window_of(self.plan));
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

    fn add_up(&mut self, setup: Duration, interrupted: bool, stalled: bool) -> Measurement {
        let recorder = self.recorded();
        let tally = std::mem::take(&mut self.tally);
        tally.close(&self.crew, setup, recorder, interrupted, stalled)
    }
}
