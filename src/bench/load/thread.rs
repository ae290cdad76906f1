//! One thread of the load: its runtime, its share of the clients, and what it brings home.

use std::future::poll_fn;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;

use super::Load;
use super::cast::Cast;
use super::connection::{Stage, Thread};
use super::returning::Return;
use super::tally::{LostConnection, Work};
use super::way::Way;
use crate::bench::measure::portion::Main;
use crate::bench::measure::shares::SharedLedger;
use crate::bench::measure::{Recorder, Window};
use crate::bench::plan::{Scenario, Stop, Timetable};
use crate::bench::proxy::Strikes;
use crate::bench::report::limits::BrokerLimits;
use crate::bench::role::Phase;
use crate::bench::role::publisher::Publisher;
use crate::bench::role::subscriber::{Expected, Subscriber};
use crate::client::Failure;

/// How many connections one thread opens at a time: enough to be quick, too few to overrun a listen queue of 128.
const OPENING: usize = 32;

/// How often a thread's turns are looked at.
const TURNS: Duration = Duration::from_millis(10);

/// What the threads have in common.
pub(super) struct Crew {
    pub(super) load: Arc<Load>,
    /// The clients that are here.
    pub(super) cast: Cast,
    /// The ways to the brokers, which the clients take in turn.
    pub(super) ways: Vec<Way>,
    /// For each subscriber the streams it hears.
    pub(super) audience: Vec<Vec<u32>>,
    /// For each stream how many hear it.
    pub(super) listeners: Vec<u64>,
    /// For each subscriber its shared subscription's ledger, if it has one.
    pub(super) shares: Vec<Option<Arc<SharedLedger>>>,
    /// For each stream where the answers go; empty where nobody expects any.
    pub(super) replies: Arc<[String]>,
    /// What the messages look like.
    pub(super) expected: Expected,
    pub(super) timetable: Arc<Timetable>,
    pub(super) window: Window,
    /// What the first CONNACK said the broker allows.
    pub(super) limits: OnceLock<BrokerLimits>,
    /// What the faults of the plan do, if it has any.
    pub(super) strikes: Option<Arc<Strikes>>,
    /// When the first connection is due.
    pub(super) began: Instant,
}

impl Crew {
    /// An empty one for a thread. With faults or slow readers it also says when things are as before.
    fn recorder(&self) -> Recorder {
        let plan = &self.load.plan;
        let main = match plan.subscribers() {
            _ if plan.scenario.connects() => Main::Connecting,
            0 => Main::Acknowledgement,
            _ => Main::Arrival,
        };
        let recorder = Recorder::new(self.window).of_brokers(self.load.brokers.len(), main);
        match plan.fault.is_empty() && !plan.has_slow() {
            true => recorder,
            false => recorder.with_pulse(plan.pulse()),
        }
    }
}

/// What the threads tell.
pub(super) enum Note {
    Ready,
    /// A client will not do any more, and what it did makes this many deliveries.
    Done(u64),
    /// All of it is acknowledged.
    Settled,
    /// A connection could not be made, where that is what is measured.
    Unconnected(Failure),
    /// A connection could not be made because of a fault of the plan; the number of its strike.
    KeptOut(usize),
    Failed(anyhow::Error),
    Lost(LostConnection),
    /// A connection of a subscriber that reads slowly was lost, which is a result.
    SlowLost(LostConnection),
    /// A client whose connection a fault of the plan had hit is back, or is not.
    Returned(Return),
    Finished(Harvest),
}

/// What a thread brings home.
pub(super) struct Harvest {
    pub(super) publishers: Vec<(u32, Publisher)>,
    pub(super) subscribers: Vec<(Subscriber, bool)>,
    /// The streams of the wills that were left.
    pub(super) wills: Vec<u32>,
    pub(super) window: u16,
    pub(super) work: Work,
}

/// Starts one thread with its share of the clients.
pub(super) fn start(
    number: usize,
    crew: &Arc<Crew>,
    notes: &mpsc::UnboundedSender<Note>,
    stages: &watch::Sender<Stage>,
) -> anyhow::Result<Arc<Thread>> {
    let runtime = Builder::new_current_thread()
        .enable_all()
        // Look for what has arrived often: publishers at full speed would keep subscribers waiting.
        .event_interval(4)
        .build()
        .context("could not start a thread of the load")?;
    let thread = {
        let _inside = runtime.enter();
        Arc::new(Thread::new(crew.recorder()).context("could not make a timer")?)
    };
    let member = Member {
        number,
        crew: Arc::clone(crew),
        thread: Arc::clone(&thread),
        notes: notes.clone(),
        stages: stages.subscribe(),
    };
    std::thread::Builder::new()
        .name(format!("load-{number}"))
        .spawn(move || member.work(&runtime))
        .context("could not start a thread of the load")?;
    Ok(thread)
}

/// One thread's view.
pub(super) struct Member {
    number: usize,
    pub(super) crew: Arc<Crew>,
    pub(super) thread: Arc<Thread>,
    notes: mpsc::UnboundedSender<Note>,
    pub(super) stages: watch::Receiver<Stage>,
}

/// What is left of a client at the end.
pub(super) enum Client {
    Publisher(u32, Box<Publisher>),
    Subscriber(Subscriber, bool),
    /// A publisher that heard the answers.
    Requester(u32, Box<Publisher>, Subscriber, bool),
    /// It left a will, of this stream.
    Dead(u32),
}

impl Member {
    fn work(self, runtime: &Runtime) {
        runtime.block_on(async {
            let member = Arc::new(self);
            let alarm = Arc::clone(&member.thread);
            tokio::spawn(async move { alarm.alarm.run().await });
            tokio::spawn(Arc::clone(&member).watch_turns());
            let opening = Arc::new(Semaphore::new(OPENING));
            let mut clients = JoinSet::new();
            let plan = &member.crew.load.plan;
            let Cast {
                publishers,
                subscribers,
                clients: others,
            } = &member.crew.cast;
            let of_this_thread = |turn: usize| turn % member.crew.load.threads == member.number;
            // A pair's two ends are on different threads, so that neither waits for the other.
            for (turn, &subscriber) in subscribers.iter().enumerate() {
                if of_this_thread(turn + 1) {
                    let (member, opening) = (Arc::clone(&member), Arc::clone(&opening));
                    clients.spawn(async move { member.subscribe(subscriber, &opening).await });
                }
            }
            for (turn, &publisher) in publishers.iter().enumerate() {
                if of_this_thread(turn) {
                    let (member, opening) = (Arc::clone(&member), Arc::clone(&opening));
                    clients.spawn(async move { member.publish(publisher, &opening).await });
                }
            }
            for (turn, &client) in others.iter().enumerate() {
                if of_this_thread(turn) {
                    let (member, opening) = (Arc::clone(&member), Arc::clone(&opening));
                    clients.spawn(async move { member.connect(client, &opening).await });
                }
            }
            let work = member.measure_work().await;
            let mut harvest = Harvest {
                publishers: Vec::new(),
                subscribers: Vec::new(),
                wills: Vec::new(),
                window: plan.window(),
                work,
            };
            while let Some(client) = clients.join_next().await {
                match client {
                    Ok(Some(Client::Publisher(number, publisher))) => {
                        harvest.window = harvest.window.min(publisher.window().unwrap_or(u16::MAX));
                        harvest.publishers.push((number, *publisher));
                    }
                    Ok(Some(Client::Subscriber(subscriber, connected))) => {
                        harvest.subscribers.push((subscriber, connected));
                    }
                    Ok(Some(Client::Requester(number, publisher, subscriber, connected))) => {
                        harvest.publishers.push((number, *publisher));
                        harvest.subscribers.push((subscriber, connected));
                    }
                    Ok(Some(Client::Dead(stream))) => harvest.wills.push(stream),
                    Ok(None) => {}
                    Err(error) => member.tell(Note::Failed(error.into())),
                }
            }
            member.tell(Note::Finished(harvest));
        });
    }

    /// Notes how late this thread comes round to what is due, which is how late a message may be by its own doing.
    async fn watch_turns(self: Arc<Self>) {
        let mut registered = None;
        loop {
            let due = Instant::now() + TURNS;
            poll_fn(|context| self.thread.alarm.poll(due, &mut registered, context)).await;
            let late = due.elapsed();
            let stage = *self.stages.borrow();
            if stage.phase == Phase::Load {
                let now_ns = stage.now_ns();
                let due_ns = now_ns.saturating_sub(late.as_nanos() as u64);
                self.thread.desk().recorder.came_round(due_ns, now_ns);
            }
        }
    }

    /// Whoever listened may have left: then the run is over for everyone.
    pub(super) fn tell(&self, note: Note) {
        let _ = self.notes.send(note);
    }

    /// What this thread does from the end of the warm-up to the end of the measurement, or of the run when only
    /// that is known; where connecting is measured, from the first connection to the last.
    async fn measure_work(&self) -> Work {
        let mut stages = self.stages.clone();
        let plan = &self.crew.load.plan;
        let (cpu, wall) = (processor_time(), Instant::now());
        let work = |cpu: Option<Duration>, wall: Instant| Work {
            cpu: processor_time().zip(cpu).map(|(end, start)| end - start),
            wall: wall.elapsed(),
        };
        if plan.scenario == Scenario::Conn {
            let _ = stages.wait_for(|stage| stage.phase >= Phase::Load).await;
            return work(cpu, wall);
        }
        let last = match plan.stop {
            Stop::After(_) => Phase::Drain,
            Stop::Count(_) => Phase::Close,
        };
        let start = match stages.wait_for(|stage| stage.phase >= Phase::Load).await {
            Ok(stage) => tokio::time::Instant::from_std(stage.start.unwrap_or_else(Instant::now)),
            Err(_) => tokio::time::Instant::now(),
        };
        let mut sleep_or = async |deadline: Option<Duration>| {
            let sleep = async {
                match deadline {
                    Some(deadline) => tokio::time::sleep_until(start + deadline).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = sleep => {}
                _ = stages.wait_for(|stage| stage.phase >= last) => {}
            }
        };
        let window = || self.thread.desk().recorder.window();
        match plan.warmup.fixed() {
            Some(warmup) => sleep_or(Some(warmup)).await,
            None => {
                let mut at = Duration::ZERO;
                while window() == Window::NOT_YET && self.stages.borrow().phase < last {
                    at += TURNS;
                    sleep_or(Some(at)).await;
                }
                sleep_or(Some(Duration::from_nanos(window().from_ns))).await;
            }
        }
        let (cpu, wall) = (processor_time(), Instant::now());
        let end = match plan.warmup.fixed() {
            Some(_) => plan.end(),
            None => Some(Duration::from_nanos(window().to_ns)),
        };
        sleep_or(end.filter(|_| last == Phase::Drain)).await;
        work(cpu, wall)
    }
}

/// The processor time of the current thread so far.
#[cfg(unix)]
pub(in crate::bench) fn processor_time() -> Option<Duration> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).ok()
}

#[cfg(not(unix))]
pub(in crate::bench) fn processor_time() -> Option<Duration> {
    None
}
