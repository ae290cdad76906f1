//! Puts the load on the broker: threads, connections, and the phases of the run.
//!
//! Every thread has a runtime of its own and keeps its connections, its buffers and its recorder, so nothing is
//! shared while the load runs. Here is what happens between them: everyone is connected and subscribed before
//! the first publish; the load ends by time, count or signal; what is on its way may arrive; the books are
//! closed. It prints nothing: what happens meanwhile is handed to an observer.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::future::Future;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime};

use anyhow::Context;
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, watch};

use super::connection::{Stage, Thread, Way};
use super::connects::ConnectFailure;
use super::ledger::{Delivery, Sent};
use super::limits::BrokerLimits;
use super::measure::{Recorder, Window};
use super::plan::{self, Plan, Scenario, Stop};
use super::role::Phase;
use super::shares::{Share, SharedLedger};
use super::subscriber::Subscriber;
use super::thread::{self, Crew, Harvest, Note};
use crate::client::{ConnectOptions, Endpoint, Failure};
use crate::exit::Exit;
use crate::mqtt::QoS;

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

/// A connection that ended before the run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LostConnection {
    /// Which: `publisher 1`, `subscriber 12`.
    pub client: String,
    /// When, in seconds since the start of the load.
    pub at_s: f64,
    /// Why.
    pub reason: String,
}

/// Everything that was found.
#[derive(Debug)]
pub struct Measurement {
    /// When the load started; where connecting is measured and interrupted, the first connection.
    pub started: SystemTime,
    /// From the first connection attempt to the last SUBACK.
    pub setup: Duration,
    /// Counts and histograms of all threads.
    pub recorder: Recorder,
    /// What became of the messages.
    pub delivery: Delivery,
    /// How shared subscriptions spread their messages.
    pub shares: Vec<Share>,
    /// Messages that were due and never sent.
    pub unsent: u64,
    /// Publishes the broker refused, by the code of the reason.
    pub refusals: BTreeMap<u8, u64>,
    /// Acknowledgements for which there was no publish.
    pub stray_acknowledgements: u64,
    /// The lowest quality of service a subscription was granted.
    pub granted: QoS,
    /// The most messages a publisher had in flight, as far as the broker let it.
    pub window: u16,
    /// What the broker allows.
    pub limits: BrokerLimits,
    /// By how much the clock of the day was set while the load ran.
    pub clock_set: Duration,
    /// Connections that were not made, where that is what is measured.
    pub failures: Vec<ConnectFailure>,
    /// Connections that were lost.
    pub lost_connections: Vec<LostConnection>,
    /// The work of the threads within the measured time.
    pub threads: Vec<Work>,
    /// Whether the run was ended by the stop signal.
    pub interrupted: bool,
    /// Whether nothing moved any more although there was more to send.
    pub stalled: bool,
}

/// What a thread did in the measured time.
#[derive(Debug, Clone, Copy)]
pub struct Work {
    /// The processor's time; `None` where the system does not tell.
    pub cpu: Option<Duration>,
    /// Real time.
    pub wall: Duration,
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
        let shares = shares(&load.plan, &audience);
        let listeners = listeners(&load.plan, &audience);
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

/// For each subscriber the ledger it shares with others, if its subscription is a shared one.
fn shares(plan: &Plan, audience: &[Vec<u32>]) -> Vec<Option<Arc<SharedLedger>>> {
    let mut known: HashMap<String, Arc<SharedLedger>> = HashMap::new();
    let share = |subscriber: u32| {
        let filter = plan.filter_of(subscriber);
        plan::shared(&filter)?;
        let streams = || audience[subscriber as usize].iter().copied();
        let ledger = known
            .entry(filter)
            .or_insert_with(|| Arc::new(SharedLedger::new(streams())));
        Some(Arc::clone(ledger))
    };
    (0..plan.subscribers()).map(share).collect()
}

/// For each stream how many hear it: a group of a shared subscription counts once, and who expects answers hears its own.
fn listeners(plan: &Plan, audience: &[Vec<u32>]) -> Vec<u64> {
    let mut listeners = vec![0; plan.streams() as usize];
    let mut counted = HashSet::new();
    for (subscriber, streams) in (0..).zip(audience) {
        let filter = plan.filter_of(subscriber);
        let again = plan::shared(&filter).is_some() && !counted.insert(filter);
        if !again && !plan.subscriber(subscriber).group.answers {
            streams
                .iter()
                .for_each(|stream| listeners[*stream as usize] += 1);
        }
    }
    for publisher in 0..plan.publishers() {
        if plan.publisher(publisher).group.reply.is_some() {
            plan.streams_of(publisher)
                .for_each(|stream| listeners[stream as usize] += 1);
        }
    }
    listeners
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

/// What the notes add up to.
#[derive(Default)]
struct Tally {
    started: Option<SystemTime>,
    /// Both clocks at the start of the load.
    clock: Option<(Instant, SystemTime)>,
    ready: u32,
    /// Connections that were not made.
    failures: Vec<ConnectFailure>,
    /// Publishers that will not publish any more.
    done: u32,
    /// Those of them whose messages are all acknowledged.
    settled: u32,
    /// How many deliveries the messages of those who are done make.
    expected: u64,
    lost: Vec<LostConnection>,
    harvests: Vec<Harvest>,
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
        match note {
            Note::Ready => self.tally.ready += 1,
            Note::Done(deliveries) => {
                self.tally.done += 1;
                self.tally.expected += deliveries;
            }
            Note::Settled => self.tally.settled += 1,
            Note::Failed(error) => return Err(error),
            Note::Unconnected(failure) => {
                let reason = failure.to_string();
                let failures = &mut self.tally.failures;
                match failures.iter_mut().find(|known| known.reason == reason) {
                    Some(known) => known.count += 1,
                    None => failures.push(ConnectFailure {
                        reason,
                        count: 1,
                        exit: failure.exit(),
                    }),
                }
            }
            Note::Lost(lost) => {
                self.tally.lost.push(lost.clone());
                (self.observe)(Event::Lost(lost));
            }
            Note::Finished(harvest) => self.tally.harvests.push(harvest),
        }
        Ok(())
    }

    /// Closes the books.
    fn add_up(&mut self, setup: Duration, interrupted: bool, stalled: bool) -> Measurement {
        let recorder = self.recorded();
        let interrupted_ns = interrupted.then(|| recorder.window().to_ns);
        let harvests = std::mem::take(&mut self.tally.harvests);
        let mut measurement = Measurement {
            started: self.tally.started.unwrap_or_else(SystemTime::now),
            setup,
            recorder,
            delivery: Delivery::default(),
            shares: Vec::new(),
            unsent: 0,
            refusals: BTreeMap::new(),
            stray_acknowledgements: 0,
            granted: QoS::ExactlyOnce,
            window: self.plan.window(),
            limits: self.crew.limits.get().cloned().unwrap_or_default(),
            clock_set: self.tally.clock.map_or(Duration::ZERO, |(instant, day)| {
                let expected = day + instant.elapsed();
                let now = SystemTime::now();
                now.duration_since(expected)
                    .unwrap_or_else(|earlier| earlier.duration())
            }),
            failures: std::mem::take(&mut self.tally.failures),
            lost_connections: std::mem::take(&mut self.tally.lost),
            threads: Vec::new(),
            interrupted,
            stalled,
        };
        let mut sent = vec![Sent::default(); self.plan.streams() as usize];
        let mut subscribers = Vec::new();
        for harvest in harvests {
            for (number, publisher) in harvest.publishers {
                let published = publisher.published(interrupted_ns);
                measurement.unsent += published.unsent;
                measurement.stray_acknowledgements += published.stray_acknowledgements;
                for (reason, count) in published.refusals {
                    *measurement.refusals.entry(reason).or_default() += count;
                }
                for (stream, published) in self.plan.streams_of(number).zip(published.sent) {
                    sent[stream as usize] = published;
                }
            }
            measurement.window = measurement.window.min(harvest.window);
            for stream in harvest.wills {
                sent[stream as usize] = Sent {
                    count: 1,
                    qos: QoS::AtLeastOnce,
                    ..Sent::default()
                };
            }
            measurement.threads.push(harvest.work);
            subscribers.extend(harvest.subscribers);
        }
        measurement.granted = self.plan.qos();
        for (subscriber, connected) in &subscribers {
            let delivery = subscriber.settle(&sent, *connected);
            measurement.delivery.merge(&delivery);
            if let Some(granted) = subscriber.granted_less() {
                measurement.granted = measurement.granted.min(granted);
            }
        }
        self.settle_shares(&mut measurement, &subscribers, &sent);
        measurement
    }

    /// Closes the books of the shared subscriptions, and says who got how much.
    fn settle_shares(
        &self,
        measurement: &mut Measurement,
        subscribers: &[(Subscriber, bool)],
        sent: &[Sent],
    ) {
        let mut settled = HashSet::new();
        for (number, ledger) in (0..).zip(&self.crew.shares) {
            let filter = self.plan.filter_of(number);
            let Some(ledger) = ledger.as_ref().filter(|_| settled.insert(filter.clone())) else {
                continue;
            };
            let members = subscribers
                .iter()
                .filter(|(member, _)| member.filter() == filter);
            let received = members
                .clone()
                .map(|(member, _)| member.received())
                .collect();
            let group = self.plan.subscriber(number).group;
            if !group.answers && self.plan.has_streams() {
                let granted = measurement.granted.min(group.qos);
                let connected = members.clone().any(|(_, connected)| *connected);
                measurement
                    .delivery
                    .merge(&ledger.settle(sent, granted, connected));
            }
            measurement.shares.push(Share::new(filter, received));
        }
    }
}
