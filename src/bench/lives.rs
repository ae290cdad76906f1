//! What each kind of client does from its first connection to its last.
//!
//! A client is a task of its thread: it connects, plays its role on that connection, and may leave and come again. The
//! roles know what to say, the connection how; when is decided here.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::connection::{Connection, Stage, Way};
use super::idle::Idle;
use super::ledger::Ledger;
use super::limits::BrokerLimits;
use super::load::{Load, LostConnection};
use super::message::{self, Header};
use super::plan::{Fate, Pattern, Plan, Scenario, When};
use super::publisher::Publisher;
use super::requester::{Requester, Responder};
use super::role::{Fault, Phase, Progress, Role, State};
use super::shares::Membership;
use super::subscriber::{Books, Subscriber};
use super::thread::{Client, Member, Note};
use crate::client::{ConnectOptions, Will};
use crate::exit::Exit;
use crate::mqtt::packet::ConnAck;
use crate::mqtt::{Properties, QoS};

/// How long a client that could not come back waits before it tries again.
const PAUSE: Duration = Duration::from_millis(100);

/// How long a broker may take to end the old connection of a client that was taken over.
const TAKEN_OVER: Duration = Duration::from_secs(10);

/// How long a broker keeps a session whose client is away, in seconds.
const SESSION_EXPIRY: u32 = 3600;

impl Member {
    pub(super) async fn subscribe(&self, number: u32, opening: &Semaphore) -> Option<Client> {
        let plan = &self.crew.load.plan;
        let version = self.crew.load.options.version;
        let group = plan.subscriber(number).group;
        let books = match &self.crew.shares[number as usize] {
            _ if group.answers => Books::Relay,
            _ if !plan.has_streams() => Books::None,
            Some(ledger) => Books::Shared(Membership::new(Arc::clone(ledger))),
            None => Books::Own(Ledger::new(
                self.crew.audience[number as usize].iter().copied(),
            )),
        };
        let mut subscriber = Subscriber::new(
            plan.run.0,
            version,
            plan.filter_of(number),
            group.qos,
            Arc::clone(&self.crew.timetable),
            books,
            group.when,
        )
        .expecting(self.crew.longest_filler());
        let name = Name::Subscriber(number);
        let mut options = self.options_of(name);
        if group.when == When::Away {
            options.clean_start = false;
            options.session_expiry = SESSION_EXPIRY;
        }
        let (mut connection, connack) = self.open(name, &options, opening).await?;
        if group.when != When::Late {
            self.write_subscribe(&subscriber, &mut connection)?;
        }
        if group.answers {
            let window = connack.properties.receive_maximum().unwrap_or(100).min(100);
            let replies = Arc::clone(&self.crew.replies);
            let mut responder = Responder::new(plan.run.0, version, subscriber, replies, window);
            let connected = self.play(name, connection, &mut responder).await;
            return Some(Client::Subscriber(responder.into_subscriber(), connected));
        }
        let connected = match group.when {
            When::Away => {
                self.stay_away(name, connection, &mut subscriber, &options)
                    .await
            }
            _ => self.play(name, connection, &mut subscriber).await,
        };
        if let Some((from_ns, last_ns)) = subscriber.waits() {
            self.thread.desk().recorder.completed(from_ns, last_ns);
        }
        Some(Client::Subscriber(subscriber, connected))
    }

    fn write_subscribe(&self, subscriber: &Subscriber, connection: &mut Connection) -> Option<()> {
        let mut bytes = Vec::new();
        match subscriber.write_subscribe(&mut bytes) {
            Ok(()) => {
                connection.enqueue(&bytes);
                Some(())
            }
            Err(error) => {
                let words = format!("the topic filter: {error}");
                self.tell(Note::Failed(Exit::Usage.because(words)));
                None
            }
        }
    }

    /// Leaves when it is subscribed, comes back when everything is published, and takes its session away at the end.
    async fn stay_away(
        &self,
        name: Name,
        mut connection: Connection,
        subscriber: &mut Subscriber,
        options: &ConnectOptions,
    ) -> bool {
        let mut stages = self.stages.clone();
        let played = connection
            .play(subscriber, &self.thread, &mut stages, |_| {})
            .await;
        if let Err(fault) = played {
            self.tell(Note::Failed(Exit::Lost.because(format!("{name}: {fault}"))));
            return false;
        }
        let stage = *stages.borrow();
        connection.close(subscriber, &self.thread, stage).await;
        self.tell(Note::Ready);
        let _ = stages.wait_for(|stage| stage.phase >= Phase::Drain).await;
        let stage = *stages.borrow();
        subscriber.came_back(stage.now_ns());
        let opened = Connection::open(self.way(name), options).await;
        let connected = match opened {
            Ok((mut connection, _, _)) => {
                let played = connection
                    .play(subscriber, &self.thread, &mut stages, |_| {})
                    .await;
                let stage = *stages.borrow();
                match played {
                    Ok(()) => {
                        connection.close(subscriber, &self.thread, stage).await;
                        true
                    }
                    Err(fault) => self.lost(name, stage, &fault),
                }
            }
            Err(failure) => self.lost(name, stage, &failure),
        };
        let clean = ConnectOptions {
            clean_start: true,
            session_expiry: 0,
            ..options.clone()
        };
        if let Ok((connection, ..)) = Connection::open(self.way(name), &clean).await {
            let stage = *stages.borrow();
            let mut idle = Idle {
                version: options.version,
                until_ns: None,
            };
            connection.close(&mut idle, &self.thread, stage).await;
        }
        connected
    }

    pub(super) async fn publish(&self, number: u32, opening: &Semaphore) -> Option<Client> {
        let plan = &self.crew.load.plan;
        let version = self.crew.load.options.version;
        let name = Name::Publisher(number);
        let (mut connection, connack) = self.open(name, &self.options_of(name), opening).await?;
        let group = plan.publisher(number);
        let publisher = Publisher::new(
            plan,
            number,
            version,
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
        let Some(reply) = &group.group.reply else {
            self.play(name, connection, &mut publisher).await;
            return Some(Client::Publisher(number, Box::new(publisher)));
        };
        let subscriber = Subscriber::new(
            plan.run.0,
            version,
            reply.with(plan.publisher_values(number)),
            group.group.qos,
            Arc::clone(&self.crew.timetable),
            Books::Own(Ledger::new(plan.streams_of(number))),
            When::Always,
        )
        .expecting(self.crew.longest_filler());
        self.write_subscribe(&subscriber, &mut connection)?;
        let mut requester = Requester {
            publisher,
            subscriber,
        };
        let connected = self.play(name, connection, &mut requester).await;
        let Requester {
            publisher,
            subscriber,
        } = requester;
        Some(Client::Requester(
            number,
            Box::new(publisher),
            subscriber,
            connected,
        ))
    }

    pub(super) async fn connect(&self, number: u32, opening: &Semaphore) -> Option<Client> {
        let plan = &self.crew.load.plan;
        let name = Name::Client(number);
        let mut options = self.options_of(name);
        let fate = plan.client(number).group.fate;
        if fate == Fate::Churn {
            self.churn(name, number, &options).await;
            return None;
        }
        let will = plan.will_of(number);
        options.will = will.clone().map(|(topic, stream)| self.will(topic, stream));
        let (mut connection, _) = self.open(name, &options, opening).await?;
        let mut idle = self.idle();
        if fate == Fate::Stay {
            self.play(name, connection, &mut idle).await;
            return None;
        }
        let due_ns = self.due_ns(number, 0);
        idle.until_ns = Some(due_ns.unwrap_or(0));
        let mut stages = self.stages.clone();
        self.tell(Note::Ready);
        let played = connection
            .play(&mut idle, &self.thread, &mut stages, |_| {})
            .await;
        let stage = *stages.borrow();
        if let Err(fault) = played {
            self.lost(name, stage, &fault);
            self.done(0);
            return None;
        }
        if stage.phase > Phase::Load {
            connection.close(&mut idle, &self.thread, stage).await;
            self.done(0);
            return None;
        }
        let from_ns = due_ns.unwrap_or_else(|| stage.now_ns());
        idle.until_ns = None;
        match fate {
            Fate::Cut => {
                drop(connection);
                let stream = will.map(|(_, stream)| stream);
                self.done(stream.map_or(0, |stream| self.crew.listeners[stream as usize]));
                return stream.map(Client::Dead);
            }
            Fate::Takeover => {
                let old = async {
                    let mut idle = self.idle();
                    let ended = connection.ended(&mut idle, &self.thread, stage);
                    let ended = tokio::time::timeout(TAKEN_OVER, ended).await;
                    if ended.is_ok() {
                        let now_ns = stage.now_ns();
                        self.thread.desk().recorder.completed(from_ns, now_ns);
                    }
                    ended.is_ok()
                };
                let (new, ended) = tokio::join!(self.come_back(name, &options, due_ns, stage), old);
                if !ended {
                    let limit = TAKEN_OVER.as_secs();
                    let words =
                        format!("its old connection stayed open for {limit} s after the takeover");
                    self.lost(name, stage, &words);
                }
                self.done(0);
                self.play_on(name, new?, &mut idle).await;
            }
            Fate::Reconnect | Fate::Stay | Fate::Churn => {
                drop(connection);
                let new = self.come_back(name, &options, due_ns, stage).await;
                if new.is_some() {
                    let now_ns = stage.now_ns();
                    self.thread.desk().recorder.completed(from_ns, now_ns);
                }
                self.done(0);
                self.play_on(name, new?, &mut idle).await;
            }
        }
        None
    }

    /// Leaves and comes whenever it is this client's turn.
    async fn churn(&self, name: Name, number: u32, options: &ConnectOptions) {
        let mut stages = self.stages.clone();
        self.tell(Note::Ready);
        let _ = stages.wait_for(|stage| stage.phase >= Phase::Load).await;
        let mut schedule = self.crew.load.plan.client_schedule(number);
        let mut due = |turn| schedule.due(turn).map(|due| due.as_nanos() as u64);
        for turn in 0.. {
            let stage = *stages.borrow();
            let end_ns = self.thread.desk().recorder.window().to_ns;
            let Some(due_ns) =
                due(turn).filter(|due_ns| *due_ns < end_ns && stage.phase == Phase::Load)
            else {
                break;
            };
            if !self.wait_until(stage, due_ns).await {
                break;
            }
            let opened = self.open_now(name, options, Some(due_ns), stage).await;
            let Some(mut connection) = opened else {
                continue;
            };
            let mut idle = self.idle();
            idle.until_ns = due(turn + 1);
            let played = connection
                .play(&mut idle, &self.thread, &mut stages, |_| {})
                .await;
            let stage = *stages.borrow();
            match played {
                Ok(()) => connection.close(&mut idle, &self.thread, stage).await,
                Err(fault) => drop(self.lost(name, stage, &fault)),
            }
        }
        self.done(0);
    }

    /// Waits for a moment of the load; `false` when the load ends before it.
    async fn wait_until(&self, stage: Stage, due_ns: u64) -> bool {
        let Some(start) = stage.start else {
            return false;
        };
        let (due, mut registered) = (start + Duration::from_nanos(due_ns), None);
        let mut stages = self.stages.clone();
        tokio::select! {
            () = poll_fn(|context| self.thread.alarm.poll(due, &mut registered, context)) => true,
            _ = stages.wait_for(|stage| stage.phase > Phase::Load) => false,
        }
    }

    /// Connects within the load, as often as it takes; `None` when the run ends before that.
    async fn come_back(
        &self,
        name: Name,
        options: &ConnectOptions,
        due_ns: Option<u64>,
        stage: Stage,
    ) -> Option<Connection> {
        let mut stages = self.stages.clone();
        let back = async {
            loop {
                if let Some(connection) = self.open_now(name, options, due_ns, stage).await {
                    return connection;
                }
                tokio::time::sleep(PAUSE).await;
            }
        };
        tokio::select! {
            connection = back => Some(connection),
            _ = stages.wait_for(|stage| stage.phase > Phase::Load) => None,
        }
    }

    /// One attempt to connect, measured.
    async fn open_now(
        &self,
        name: Name,
        options: &ConnectOptions,
        due_ns: Option<u64>,
        stage: Stage,
    ) -> Option<Connection> {
        let begun_ns = stage.now_ns();
        match Connection::open(self.way(name), options).await {
            Ok((connection, _, legs)) => {
                let recorder = &mut self.thread.desk().recorder;
                recorder.connects.made(due_ns, begun_ns, legs);
                Some(connection)
            }
            Err(failure) => {
                self.tell(Note::Unconnected(failure));
                None
            }
        }
    }

    fn due_ns(&self, client: u32, turn: u64) -> Option<u64> {
        let mut schedule = self.crew.load.plan.client_schedule(client);
        schedule.due(turn).map(|due| due.as_nanos() as u64)
    }

    fn idle(&self) -> Idle {
        Idle {
            version: self.crew.load.options.version,
            until_ns: None,
        }
    }

    /// A will that is known again: due, and as good as sent, when its client is cut off.
    fn will(&self, topic: String, stream: u32) -> Will {
        let plan = &self.crew.load.plan;
        let first = plan.streams() - plan.wills();
        let due_ns = self.due_ns(plan.will_client(stream - first), 0);
        let mut payload = message::filler(message::FULL);
        let header = Header {
            stream,
            sequence: 0,
            due_ns: Some(due_ns.unwrap_or(0)),
            sent_ns: due_ns.unwrap_or(0),
        };
        header.write(plan.run.0, &mut payload);
        Will {
            topic: topic.into(),
            payload: payload.into(),
            qos: QoS::AtLeastOnce,
            retain: false,
            properties: Properties::default(),
        }
    }

    fn done(&self, deliveries: u64) {
        self.tell(Note::Done(deliveries));
        self.tell(Note::Settled);
    }

    fn lost(&self, name: Name, stage: Stage, reason: &impl fmt::Display) -> bool {
        self.tell(Note::Lost(LostConnection {
            client: name.to_string(),
            at_s: stage.now_ns() as f64 / 1e9,
            reason: reason.to_string(),
        }));
        false
    }

    /// The way a client takes.
    fn way(&self, name: Name) -> &Way {
        let (Name::Publisher(number) | Name::Subscriber(number) | Name::Client(number)) = name;
        let ways = &self.crew.ways;
        &ways[number as usize % ways.len()]
    }

    /// How a client connects.
    fn options_of(&self, name: Name) -> ConnectOptions {
        let Load { plan, options, .. } = &*self.crew.load;
        let values = match name {
            Name::Publisher(number) => plan.publisher_values(number),
            Name::Subscriber(number) => plan.subscriber_values(number),
            Name::Client(number) => plan.client_values(number),
        };
        // What has no meaning as a pattern was refused before the run.
        let fill = |text: &str| {
            text.parse()
                .map_or(text.to_owned(), |text: Pattern| text.with(values))
        };
        let password = options.password.as_ref().map(|password| {
            let text = std::str::from_utf8(password);
            text.map_or(password.clone(), |text| fill(text).into())
        });
        ConnectOptions {
            client_id: match options.client_id.is_empty() {
                true => name.client_id(plan),
                false => fill(&options.client_id) + name.suffix(plan),
            },
            username: options.username.as_deref().map(fill),
            password,
            ..options.clone()
        }
    }

    /// Connects when it is due, whatever became of the others; without a due time when fewer than a few others of this
    /// thread are at it.
    async fn open(
        &self,
        name: Name,
        options: &ConnectOptions,
        opening: &Semaphore,
    ) -> Option<(Connection, ConnAck)> {
        let plan = &self.crew.load.plan;
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
            let opened = Connection::open(self.way(name), options).await;
            (begun_ns, opened)
        };
        let (begun_ns, opened) = tokio::select! {
            opened = open => opened,
            _ = stages.wait_for(|stage| stage.phase == Phase::Close) => return None,
        };
        match opened {
            Ok((connection, connack, legs)) => {
                let due_ns = due.map(|due| due.as_nanos() as u64);
                self.crew.limits.get_or_init(|| BrokerLimits::of(&connack));
                if !plan.measures_coming_back() {
                    let recorder = &mut self.thread.desk().recorder;
                    recorder.connects.made(due_ns, begun_ns, legs);
                }
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
    async fn play(&self, name: Name, connection: Connection, role: &mut impl Role) -> bool {
        let mut told = State::default();
        let tell = |state: State| {
            if state.ready && !told.ready {
                self.tell(Note::Ready);
            }
            if let Name::Publisher(publisher) = name {
                let published = state.published;
                if state.progress > Progress::Publishing && told.progress == Progress::Publishing {
                    self.tell(Note::Done(self.deliveries(publisher, published)));
                }
                if state.progress == Progress::Settled && told.progress < Progress::Settled {
                    self.tell(Note::Settled);
                }
            }
            told = state;
        };
        self.play_telling(name, connection, role, tell).await
    }

    /// The same for a client that has told everything.
    async fn play_on(&self, name: Name, connection: Connection, role: &mut impl Role) -> bool {
        self.play_telling(name, connection, role, |_| {}).await
    }

    async fn play_telling(
        &self,
        name: Name,
        mut connection: Connection,
        role: &mut impl Role,
        mut tell: impl FnMut(State),
    ) -> bool {
        let mut stages = self.stages.clone();
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
            return false;
        }
        tell(State {
            progress: Progress::Settled,
            ..role.state()
        });
        self.lost(name, stage, &fault)
    }

    /// How many deliveries the messages of a publisher make.
    fn deliveries(&self, publisher: u32, published: u64) -> u64 {
        let streams = self.crew.load.plan.streams_of(publisher);
        let topics = u64::from(streams.end - streams.start);
        let of = |(topic, stream): (usize, u32)| {
            let sent = (published + topics - 1 - topic as u64) / topics;
            sent * self.crew.listeners[stream as usize]
        };
        streams.enumerate().map(of).sum()
    }
}

/// Which client.
#[derive(Debug, Clone, Copy)]
enum Name {
    Publisher(u32),
    Subscriber(u32),
    Client(u32),
}

impl Name {
    /// What tells clients of several groups apart that would have the same id: nothing when there is only one group.
    fn suffix(self, plan: &Plan) -> &'static str {
        match self {
            _ if plan.groups() == 1 => "",
            Name::Publisher(_) => "-p",
            Name::Subscriber(_) => "-s",
            Name::Client(_) => "-c",
        }
    }

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
