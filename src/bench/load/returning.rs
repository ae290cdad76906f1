//! How a client comes back whose connection a fault of the plan has hit: again and again, more and more patiently, with
//! the session the broker has kept if the plan asks for one. What is to be said on the new connection its role knows.

use std::net::SocketAddr;
use std::time::Duration;

use super::connection::Connection;
use super::name::Name;
use super::thread::{Member, Note};
use crate::bench::plan::disturbance::{Clientele, Disturbance, Harm};
use crate::bench::random::Random;
use crate::bench::role::idle::Idle;
use crate::bench::role::{Phase, Progress, Role, State};

/// How long a client waits before it tries to come back; each time twice as long as before, and so that not all come at
/// the same moment somewhere between half of it and all.
const SOON: Duration = Duration::from_millis(50);

/// The longest it waits.
const PATIENT: Duration = Duration::from_secs(1);

/// How long a broker keeps a session whose client is away, in seconds.
pub(super) const SESSION_EXPIRY: u32 = 3600;

/// What became of a client whose connection a fault had hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::bench) struct Return {
    /// The number of the strike.
    pub(in crate::bench) strike: usize,
    /// When the connection was lost, in nanoseconds since the start of the load.
    pub(in crate::bench) lost_ns: u64,
    /// When the broker had it back; `None` when the run ended before.
    pub(in crate::bench) back_ns: Option<u64>,
    /// How often it tried.
    pub(in crate::bench) attempts: u64,
    /// Whether the broker had kept its session.
    pub(in crate::bench) resumed: bool,
}

impl Member {
    /// Which strike hit this connection, by its number; `None` when it was lost for another reason.
    pub(super) fn struck(&self, connection: &Connection) -> Option<usize> {
        let strikes = self.crew.strikes.as_ref()?;
        strikes.on(connection.local_address()?)
    }

    /// Whether the connection from this address was hit by what ends connections, or keeps their ends from hearing of each
    /// other.
    pub(super) fn severed(&self, local: Option<SocketAddr>) -> bool {
        self.hit_by(local, Disturbance::severs)
    }

    /// Whether the connection from this address is half open, so that what was sent on it is lost and nobody was told.
    pub(super) fn half_open(&self, local: Option<SocketAddr>) -> bool {
        self.hit_by(local, |fault| fault.harm == Harm::HalfOpen)
    }

    fn hit_by(&self, local: Option<SocketAddr>, is_meant: impl Fn(&Disturbance) -> bool) -> bool {
        let Some((strikes, local)) = self.crew.strikes.as_ref().zip(local) else {
            return false;
        };
        let faults = &self.crew.load.plan.fault;
        let mut hit = strikes.faults_on(local).into_iter();
        hit.any(|fault| is_meant(&faults[fault]))
    }

    /// Which strike keeps clients like this one from connecting, by its number, if one did at some time since `from_ns`.
    pub(super) fn kept_out(&self, name: Name, from_ns: u64) -> Option<usize> {
        let kind = Clientele::KINDS[name.kind()];
        let faults = &self.crew.load.plan.fault;
        let keeps_out = |fault: usize| faults[fault].severs() && faults[fault].of.includes(kind);
        let strikes = self.crew.strikes.as_ref()?;
        strikes.since(Duration::from_nanos(from_ns), keeps_out)
    }

    /// Comes back, and says whether to the session it had; `None` when the run ends before that.
    pub(super) async fn return_from(
        &self,
        strike: usize,
        name: Name,
        role: &mut impl Role,
        tell: &mut impl FnMut(State),
    ) -> Option<(Connection, bool)> {
        let mut stages = self.stages.clone();
        let lost_ns = stages.borrow().now_ns();
        let mut tried = Return {
            strike,
            lost_ns,
            back_ns: None,
            attempts: 0,
            resumed: false,
        };
        let mut ending = self.stages.clone();
        let opened = tokio::select! {
            opened = self.keep_trying(name, &mut tried.attempts, lost_ns) => Some(opened),
            () = async {
                // While it is away the load may end: from then on it publishes nothing new.
                let _ = stages.wait_for(|stage| stage.phase > Phase::Load).await;
                let state = role.state();
                let progress = state.progress.max(Progress::Settling);
                tell(State { progress, ..state });
                let _ = ending.wait_for(|stage| stage.phase == Phase::Close).await;
            } => None,
        };
        let Some((mut connection, resumed)) = opened else {
            self.tell(Note::Returned(tried));
            return None;
        };
        let now_ns = stages.borrow().now_ns();
        let mut first = Vec::new();
        role.come_back(resumed, now_ns, &mut first);
        connection.enqueue(&first);
        let plan = &self.crew.load.plan;
        if !plan.has_latecomers() && !plan.measures_coming_back() {
            self.thread.desk().recorder.completed(lost_ns, now_ns);
        }
        self.tell(Note::Returned(Return {
            back_ns: Some(now_ns),
            resumed,
            ..tried
        }));
        Some((connection, resumed))
    }

    async fn keep_trying(&self, name: Name, attempts: &mut u64, seed: u64) -> (Connection, bool) {
        let options = self.options_of(name);
        let mut random =
            Random::of(&[self.crew.load.plan.run.0.into(), name.number().into(), seed]);
        let mut wait = SOON;
        loop {
            tokio::time::sleep(wait.mul_f64(0.5 + random.unit() / 2.0)).await;
            wait = (wait * 2).min(PATIENT);
            *attempts += 1;
            if let Ok((connection, connack, _)) = Connection::open(self.way(name), &options).await {
                return (connection, connack.session_present);
            }
        }
    }

    /// Has the broker forget the session of a client that has left.
    pub(super) async fn forget_session(&self, name: Name) {
        let options = crate::client::ConnectOptions {
            clean_start: true,
            session_expiry: 0,
            ..self.options_of(name)
        };
        if let Ok((connection, ..)) = Connection::open(self.way(name), &options).await {
            let stage = *self.stages.borrow();
            let mut idle = Idle {
                version: options.version,
                until_ns: None,
            };
            connection.close(&mut idle, &self.thread, stage).await;
        }
    }
}
