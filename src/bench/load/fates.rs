//! What happens to the clients that neither publish nor subscribe: they stay, they leave and come, they are cut off, with
//! or without a will, or another of the same name takes their place.

use std::future::poll_fn;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::connection::{Connection, Stage};
use super::name::Name;
use super::thread::{Client, Member, Note};
use crate::bench::plan::Fate;
use crate::bench::role::Phase;
use crate::bench::role::idle::Idle;
use crate::bench::role::message::{self, Check, Header};
use crate::client::{ConnectOptions, Failure, Will};
use crate::mqtt::{Properties, QoS};

/// How long a client that could not come back waits before it tries again.
const PAUSE: Duration = Duration::from_millis(100);

/// How long a broker may take to end the old connection of a client that was taken over.
const TAKEN_OVER: Duration = Duration::from_secs(10);

impl Member {
    pub(super) async fn connect(&self, number: u32, opening: &Semaphore) -> Option<Client> {
        let plan = &self.crew.load.plan;
        let name = Name::Client(number);
        let options = Box::new(self.options_of(name));
        let fate = plan.client(number).group.fate;
        if fate == Fate::Churn {
            Box::pin(self.churn(name, number, &options)).await;
            return None;
        }
        let (connection, _) = self.open(name, &options, opening).await?;
        if fate == Fate::Stay {
            // It will not connect again by itself, and thousands of them only stay: they keep no room for anything else.
            drop(options);
            self.play(name, connection, &mut self.idle()).await;
            return None;
        }
        Box::pin(self.meet(fate, name, number, connection, &options)).await
    }

    /// Stays connected until the moment of its fate, and meets it.
    async fn meet(
        &self,
        fate: Fate,
        name: Name,
        number: u32,
        connection: Connection,
        options: &ConnectOptions,
    ) -> Option<Client> {
        let plan = &self.crew.load.plan;
        let mut idle = self.idle();
        let due_ns = self.due_ns(number, 0);
        idle.until_ns = Some(due_ns.unwrap_or(0));
        self.tell(Note::Ready);
        let Some(connection) = self.stay(name, connection, &mut idle).await else {
            self.done(0);
            return None;
        };
        let stage = *self.stages.borrow();
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
                let stream = plan.will_of(number).map(|(_, stream)| stream);
                self.done(stream.map_or(0, |stream| self.crew.listeners[stream as usize]));
                return stream.map(Client::Dead);
            }
            Fate::Takeover => {
                let old = async {
                    let (mut idle, local) = (self.idle(), connection.local_address());
                    let ended = connection.ended(&mut idle, &self.thread, stage);
                    let ended = tokio::time::timeout(TAKEN_OVER, ended).await;
                    (ended.is_ok().then(|| stage.now_ns()), self.severed(local))
                };
                let back = self.come_back(name, options, due_ns, stage);
                let (new, (ended_ns, severed)) = tokio::join!(back, old);
                // What a fault has ended, or kept from hearing of its end, says nothing of the broker, nor does an end without
                // a takeover.
                if let (Some(ended_ns), Some(_), false) = (ended_ns, &new, severed) {
                    self.thread.desk().recorder.completed(from_ns, ended_ns);
                }
                if ended_ns.is_none() && !severed {
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
                let new = self.come_back(name, options, due_ns, stage).await;
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
            let Some(connection) = opened else {
                continue;
            };
            let mut idle = self.idle();
            idle.until_ns = due(turn + 1);
            if let Some(connection) = self.stay(name, connection, &mut idle).await {
                let stage = *stages.borrow();
                connection.close(&mut idle, &self.thread, stage).await;
            }
        }
        self.done(0);
    }

    /// Stays connected until its moment or the end of the run, and comes back when a fault of the plan cuts it off before;
    /// `None` when the connection was lost otherwise, or the run ended before it was back.
    async fn stay(
        &self,
        name: Name,
        mut connection: Connection,
        idle: &mut Idle,
    ) -> Option<Connection> {
        let mut stages = self.stages.clone();
        loop {
            let played = connection
                .play(idle, &self.thread, &mut stages, |_| {})
                .await;
            let Err(fault) = played else {
                return Some(connection);
            };
            let Some(strike) = self.struck(&connection) else {
                self.lost(name, *stages.borrow(), &fault);
                return None;
            };
            drop(connection);
            let returned = self.return_from(strike, name, idle, &mut |_| {}).await;
            (connection, _) = returned?;
        }
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
                recorder.connected(connection.broker, due_ns, begun_ns, legs);
                Some(connection)
            }
            Err(failure) => {
                let refused = matches!(failure, Failure::Refused { .. });
                let strike = self.kept_out(name, begun_ns).filter(|_| !refused);
                self.tell(match strike {
                    Some(strike) => Note::KeptOut(strike),
                    None => Note::Unconnected(failure),
                });
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
    pub(super) fn will(&self, topic: String, stream: u32) -> Will {
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
        let check = Check::Filler(payload.len() as u32);
        header.write(plan.run.0, check, &mut payload);
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
}
