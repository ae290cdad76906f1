//! What each kind of client does from its first connection to its last.
//!
//! A client is a task of its thread: it connects, plays its role on that connection, and may leave and come again. The
//! roles know what to say, the connection how; when is decided here.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;

use tokio::sync::Semaphore;

use super::Load;
use super::connection::{Connection, Stage};
use super::name::Name;
use super::returning::SESSION_EXPIRY;
use super::tally::LostConnection;
use super::thread::{Client, Member, Note};
use super::way::Way;
use crate::bench::measure::ledger::Ledger;
use crate::bench::measure::shares::Membership;
use crate::bench::plan::disturbance::Clientele;
use crate::bench::plan::{Pattern, Scenario, When};
use crate::bench::report::limits::BrokerLimits;
use crate::bench::role::publisher::Publisher;
use crate::bench::role::requester::{Requester, Responder};
use crate::bench::role::subscriber::{Books, Subscriber};
use crate::bench::role::{Fault, Phase, Progress, Role, State};
use crate::client::ConnectOptions;
use crate::exit::Exit;
use crate::mqtt::packet::ConnAck;

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
            self.crew.expected.clone(),
        )
        .reading(group.reads, group.from);
        let name = Name::Subscriber(number);
        let options = self.options_of(name);
        let (mut connection, connack) = self.open(name, &options, opening).await?;
        if group.when != When::Late {
            self.write_subscribe(&subscriber, &mut connection)?;
        }
        if group.answers {
            let window = connack.properties.receive_maximum().unwrap_or(100).min(100);
            let replies = Arc::clone(&self.crew.replies);
            let persistent = group.persistent || plan.session.keep;
            let mut responder = Responder::new(version, subscriber, replies, window, persistent);
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
        if let Some((from_ns, last_ns)) = subscriber.waits().filter(|(from, last)| from < last) {
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
        self.forget_session(name).await;
        connected
    }

    pub(super) async fn publish(&self, number: u32, opening: &Semaphore) -> Option<Client> {
        let plan = &self.crew.load.plan;
        let version = self.crew.load.options.version;
        let name = Name::Publisher(number);
        let (mut connection, connack) = self.open(name, &self.options_of(name), opening).await?;
        let group = plan.publisher(number);
        let aliases = connack.properties.topic_alias_maximum().unwrap_or(0);
        let publisher = Publisher::new(
            plan,
            number,
            version,
            connack
                .properties
                .receive_maximum()
                .unwrap_or(u16::MAX)
                .min(group.group.window),
            aliases,
            Arc::clone(&self.crew.load.payloads[group.place]),
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
            Ok(_) if group.group.topic_alias && aliases == 0 => Some(Exit::Denied.because(
                "the broker takes no topic aliases; run without --topic-alias",
            )),
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
            self.crew.expected.clone().answers(),
        );
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

    pub(super) fn lost(&self, name: Name, stage: Stage, reason: &impl fmt::Display) -> bool {
        let lost = LostConnection {
            client: name.to_string(),
            at_s: stage.now_ns() as f64 / 1e9,
            reason: reason.to_string(),
        };
        self.tell(match name.is_slow(&self.crew.load.plan) {
            true => Note::SlowLost(lost),
            false => Note::Lost(lost),
        });
        false
    }

    /// The way a client takes.
    pub(super) fn way(&self, name: Name) -> &Way {
        let ways = &self.crew.ways;
        let kinds = match self.crew.strikes {
            Some(_) => Clientele::KINDS.len(),
            None => 1,
        };
        let each = ways.len() / kinds;
        let first = name.kind() % kinds * each;
        &ways[first + name.number() as usize % each]
    }

    /// How a client connects.
    pub(super) fn options_of(&self, name: Name) -> ConnectOptions {
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
        let mut options = ConnectOptions {
            client_id: match options.client_id.is_empty() {
                true => name.client_id(plan),
                false => fill(&options.client_id) + name.suffix(plan),
            },
            username: options.username.as_deref().map(fill),
            password,
            clean_start: !name.persists(plan),
            session_expiry: match name.persists(plan) {
                true => SESSION_EXPIRY,
                false => 0,
            },
            ..options.clone()
        };
        plan.session.put_into(&mut options, values);
        if let Name::Client(number) = name
            && let Some((topic, stream)) = plan.will_of(number)
        {
            options.will = Some(self.will(topic, stream));
        }
        options
    }

    /// Connects when it is due, whatever became of the others; without a due time when fewer than a few others of this
    /// thread are at it.
    pub(super) async fn open(
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
                    recorder.connected(connection.broker, due_ns, begun_ns, legs);
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

    /// Plays the role to the end of the run; whether the connection, or the session, lasted that long.
    pub(super) async fn play(
        &self,
        name: Name,
        connection: Connection,
        role: &mut impl Role,
    ) -> bool {
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
    pub(super) async fn play_on(
        &self,
        name: Name,
        connection: Connection,
        role: &mut impl Role,
    ) -> bool {
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
        let mut lasted = true;
        let (stage, fault) = loop {
            let played = connection
                .play(role, &self.thread, &mut stages, &mut tell)
                .await;
            let stage = *stages.borrow();
            let fault = match played {
                Ok(()) => {
                    // Keep alive had no time to notice.
                    lasted &= !self.half_open(connection.local_address());
                    // Put aside, as what is done once at the end; so is coming back below, which is rare.
                    Box::pin(connection.close(role, &self.thread, stage)).await;
                    if name.persists(&self.crew.load.plan) {
                        Box::pin(self.forget_session(name)).await;
                    }
                    return lasted;
                }
                Err(fault) => fault,
            };
            let Some(strike) = self.struck(&connection) else {
                break (stage, fault);
            };
            drop(connection);
            let returned = Box::pin(self.return_from(strike, name, role, &mut tell)).await;
            let Some((new, resumed)) = returned else {
                tell(State {
                    progress: Progress::Settled,
                    ..role.state()
                });
                return false;
            };
            // What came while there was no session is nobody's fault but the connection's.
            lasted &= resumed;
            connection = new;
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
