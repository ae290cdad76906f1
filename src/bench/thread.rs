//! One thread of the load: its runtime, its share of the clients, and what it brings home.

use std::fmt;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;

use super::connection::{Connection, Stage, Thread};
use super::idle::Idle;
use super::ledger::Ledger;
use super::load::{Load, LostConnection, Work};
use super::measure::{Recorder, Window};
use super::message;
use super::plan::{Plan, Publishers, Scenario, Stop, Timetable};
use super::publisher::Publisher;
use super::role::{Fault, Phase, Progress, Role, State};
use super::subscriber::Subscriber;
use crate::client::Failure;
use crate::exit::Exit;
use crate::mqtt::packet::ConnAck;

/// How many connections one thread opens at a time: enough to be quick, too few to overrun a listen queue of 128.
const OPENING: usize = 32;

/// What the threads have in common.
pub(super) struct Crew {
    pub(super) load: Arc<Load>,
    pub(super) addresses: Vec<SocketAddr>,
    /// For each subscriber the streams it hears.
    pub(super) audience: Vec<Vec<u32>>,
    /// For each stream how many hear it.
    pub(super) listeners: Vec<u64>,
    /// For each group of publishers a payload.
    pub(super) fillers: Vec<Arc<[u8]>>,
    pub(super) timetable: Arc<Timetable>,
    pub(super) window: Window,
    /// When the first connection is due.
    pub(super) began: Instant,
}

/// What the threads tell.
pub(super) enum Note {
    Ready,
    /// A publisher will not publish any more than this.
    Done {
        publisher: u32,
        published: u64,
    },
    /// All that publisher's messages are acknowledged.
    Settled,
    /// A connection could not be made, where that is what is measured.
    Unconnected(Failure),
    Failed(anyhow::Error),
    Lost(LostConnection),
    Finished(Harvest),
}

/// What a thread brings home.
pub(super) struct Harvest {
    pub(super) publishers: Vec<(u32, Publisher)>,
    pub(super) subscribers: Vec<(Subscriber, bool)>,
    pub(super) window: u16,
    pub(super) work: Work,
}

/// What stands behind the header, for each group of publishers.
pub(super) fn fillers(plan: &Plan) -> Vec<Arc<[u8]>> {
    let filler = |group: &Publishers| message::filler(group.size).into();
    plan.publish.iter().map(filler).collect()
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
        Arc::new(Thread::new(Recorder::new(crew.window)).context("could not make a timer")?)
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
struct Member {
    number: usize,
    crew: Arc<Crew>,
    thread: Arc<Thread>,
    notes: mpsc::UnboundedSender<Note>,
    stages: watch::Receiver<Stage>,
}

/// What is left of a client at the end.
enum Client {
    Publisher(u32, Box<Publisher>),
    Subscriber(Subscriber, bool),
}

impl Member {
    fn work(self, runtime: &Runtime) {
        runtime.block_on(async {
            let member = Arc::new(self);
            let alarm = Arc::clone(&member.thread);
            tokio::spawn(async move { alarm.alarm.run().await });
            let opening = Arc::new(Semaphore::new(OPENING));
            let mut clients = JoinSet::new();
            let plan = &member.crew.load.plan;
            // A pair's two ends are on different threads, so that neither waits for the other.
            for subscriber in 0..plan.subscribers() {
                if (subscriber as usize + 1) % member.crew.load.threads == member.number {
                    let (member, opening) = (Arc::clone(&member), Arc::clone(&opening));
                    clients.spawn(async move { member.subscribe(subscriber, &opening).await });
                }
            }
            for publisher in 0..plan.publishers() {
                if publisher as usize % member.crew.load.threads == member.number {
                    let (member, opening) = (Arc::clone(&member), Arc::clone(&opening));
                    clients.spawn(async move { member.publish(publisher, &opening).await });
                }
            }
            for client in 0..plan.clients() {
                if client as usize % member.crew.load.threads == member.number {
                    let (member, opening) = (Arc::clone(&member), Arc::clone(&opening));
                    clients.spawn(async move { member.idle(client, &opening).await });
                }
            }
            let work = member.measure_work().await;
            let mut harvest = Harvest {
                publishers: Vec::new(),
                subscribers: Vec::new(),
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
                    Ok(None) => {}
                    Err(error) => member.tell(Note::Failed(error.into())),
                }
            }
            member.tell(Note::Finished(harvest));
        });
    }

    /// Whoever listened may have left: then the run is over for everyone.
    fn tell(&self, note: Note) {
        let _ = self.notes.send(note);
    }

    async fn subscribe(&self, number: u32, opening: &Semaphore) -> Option<Client> {
        let plan = &self.crew.load.plan;
        let version = self.crew.load.options.version;
        let mut subscriber = Subscriber::new(
            plan.run.0,
            version,
            plan.filter_of(number),
            plan.subscriber(number).group.qos,
            Arc::clone(&self.crew.timetable),
            plan.publishes()
                .then(|| Ledger::new(self.crew.audience[number as usize].iter().copied())),
        );
        let name = Name::Subscriber(number);
        let (mut connection, _) = self.open(name, opening).await?;
        let mut subscribe = Vec::new();
        if let Err(error) = subscriber.write_subscribe(&mut subscribe) {
            self.tell(Note::Failed(
                Exit::Usage.because(format!("the topic filter: {error}")),
            ));
            return None;
        }
        connection.enqueue(&subscribe);
        let connected = self.play(name, connection, &mut subscriber).await;
        Some(Client::Subscriber(subscriber, connected))
    }

    async fn publish(&self, number: u32, opening: &Semaphore) -> Option<Client> {
        let plan = &self.crew.load.plan;
        let name = Name::Publisher(number);
        let (connection, connack) = self.open(name, opening).await?;
        let group = plan.publisher(number);
        let publisher = Publisher::new(
            plan,
            number,
            self.crew.load.options.version,
            connack
                .properties
                .receive_maximum()
                .unwrap_or(u16::MAX)
                .min(group.group.window),
            Arc::clone(&self.crew.fillers[group.place]),
        );
        let limit = connack.properties.maximum_packet_size().unwrap_or(u32::MAX);
        let allowed = connack.properties.maximum_qos().unwrap_or(2);
        let refusal = match &publisher {
            Err(error) => Some(Exit::Usage.because(error.to_string())),
            Ok(publisher) if publisher.packet_size() > limit as usize => Some(Exit::Denied.because(format!(
                "the broker takes packets of at most {limit} bytes, these have {}; make --size smaller",
                publisher.packet_size()
            ))),
            Ok(_) if group.group.qos.number() > allowed => Some(Exit::Denied.because(format!(
                "the broker takes publishes of at most QoS {allowed}; run with -q {allowed}"
            ))),
            Ok(_) => None,
        };
        if let Some(error) = refusal {
            self.tell(Note::Failed(error));
            return None;
        }
        let mut publisher = publisher.ok()?;
        self.play(name, connection, &mut publisher).await;
        Some(Client::Publisher(number, Box::new(publisher)))
    }

    async fn idle(&self, number: u32, opening: &Semaphore) -> Option<Client> {
        let name = Name::Client(number);
        let (connection, _) = self.open(name, opening).await?;
        let mut idle = Idle(self.crew.load.options.version);
        self.play(name, connection, &mut idle).await;
        None
    }

    /// Connects when it is due, whatever became of the others; without a due time when fewer than [`OPENING`]
    /// others of this thread are at it.
    async fn open(&self, name: Name, opening: &Semaphore) -> Option<(Connection, ConnAck)> {
        let Load { plan, options, .. } = &*self.crew.load;
        let due = match name {
            Name::Client(number) => plan.connect_due(number),
            Name::Publisher(_) | Name::Subscriber(_) => None,
        };
        let mut stages = self.stages.clone();
        let open = async {
            let _permit = match due {
                Some(due) => {
                    let (due, mut registered) = (self.crew.began + due, None);
                    poll_fn(|context| self.thread.alarm.poll(due, &mut registered, context)).await;
                    None
                }
                None => opening.acquire().await.ok(),
            };
            let begun_ns = self.crew.began.elapsed().as_nanos() as u64;
            let client_id = name.client_id(plan);
            let opened = Connection::open(&self.crew.addresses, options, client_id).await;
            (begun_ns, opened)
        };
        let (begun_ns, opened) = tokio::select! {
            opened = open => opened,
            _ = stages.wait_for(|stage| stage.phase == Phase::Close) => return None,
        };
        match opened {
            Ok((connection, connack, legs)) => {
                let due_ns = due.map(|due| due.as_nanos() as u64);
                let recorder = &mut self.thread.desk().recorder;
                recorder.connects.made(due_ns, begun_ns, legs);
                Some((connection, connack))
            }
            Err(failure) => {
                self.tell(match plan.scenario {
                    Scenario::Conn => Note::Unconnected(failure),
                    _ => Note::Failed(failure.exit().because(format!("{name}: {failure}"))),
                });
                None
            }
        }
    }

    /// Plays the role to the end of the run; whether the connection lasted that long.
    async fn play(&self, name: Name, mut connection: Connection, role: &mut impl Role) -> bool {
        let mut stages = self.stages.clone();
        let mut told = State::default();
        let mut tell = |state: State| {
            if state.ready && !told.ready {
                self.tell(Note::Ready);
            }
            if let Name::Publisher(publisher) = name {
                let published = state.published;
                if state.progress > Progress::Publishing && told.progress == Progress::Publishing {
                    self.tell(Note::Done {
                        publisher,
                        published,
                    });
                }
                if state.progress == Progress::Settled && told.progress < Progress::Settled {
                    self.tell(Note::Settled);
                }
            }
            told = state;
        };
        let played = connection
            .play(role, &self.thread, &mut stages, &mut tell)
            .await;
        let stage = *stages.borrow();
        let fault = match played {
            Ok(()) => {
                connection.close(role, &self.thread, stage).await;
                return true;
            }
            Err(fault) => fault,
        };
        if stage.phase == Phase::Setup && self.crew.load.plan.scenario != Scenario::Conn {
            let exit = match fault {
                Fault::Denied { .. } => Exit::Denied,
                _ => Exit::Lost,
            };
            self.tell(Note::Failed(exit.because(format!("{name}: {fault}"))));
        } else {
            tell(State {
                progress: Progress::Settled,
                ..role.state()
            });
            self.tell(Note::Lost(LostConnection {
                client: name.to_string(),
                at_s: stage.now_ns() as f64 / 1e9,
                reason: fault.to_string(),
            }));
        }
        false
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
        sleep_or(Some(plan.warmup)).await;
        let (cpu, wall) = (processor_time(), Instant::now());
        sleep_or(plan.end().filter(|_| last == Phase::Drain)).await;
        work(cpu, wall)
    }
}

/// The processor time of the current thread so far.
#[cfg(unix)]
fn processor_time() -> Option<Duration> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).ok()
}

#[cfg(not(unix))]
fn processor_time() -> Option<Duration> {
    None
}

/// Which client.
#[derive(Debug, Clone, Copy)]
enum Name {
    Publisher(u32),
    Subscriber(u32),
    Client(u32),
}

impl Name {
    /// At most 23 bytes up to client 99,999, because MQTT 3.1 allows no more.
    fn client_id(self, plan: &Plan) -> String {
        let run = plan.run;
        match self {
            Name::Publisher(number) => format!("bench-{run}-p{}", number + 1),
            Name::Subscriber(number) => format!("bench-{run}-s{}", number + 1),
            Name::Client(number) => format!("bench-{run}-c{}", number + 1),
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Name::Publisher(number) => write!(out, "publisher {}", number + 1),
            Name::Subscriber(number) => write!(out, "subscriber {}", number + 1),
            Name::Client(number) => write!(out, "client {}", number + 1),
        }
    }
}
