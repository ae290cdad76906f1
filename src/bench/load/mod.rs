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
mod keep_alive;
pub(super) mod line;
pub(super) mod lives;
pub(super) mod name;
pub(super) mod returning;
mod run;
pub mod standing;
pub mod tally;
pub(super) mod thread;
pub mod way;

use std::future::Future;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, watch};

use crate::bench::load::cast::{Cast, Place};
use crate::bench::load::company::{Company, Cue, next_cue};
use crate::bench::load::connection::Stage;
use crate::bench::load::run::{Run, WarmingUp};
use crate::bench::load::tally::{LostConnection, Measurement, Tally};
use crate::bench::load::thread::Crew;
use crate::bench::load::way::Way;
use crate::bench::measure::shares::SharedLedger;
use crate::bench::measure::{Recorder, Window};
use crate::bench::plan::{Plan, Stop, Warmup};
use crate::bench::proxy::Proxy;
use crate::bench::role::Phase;
use crate::bench::role::payloads::Payloads;
use crate::bench::role::subscriber::Expected;
use crate::client::{ConnectOptions, Endpoint, Failure};
use crate::exit::Exit;

/// Something worth telling while the run goes on.
#[derive(Debug)]
pub enum Event {
    /// Where connecting is, every half second until everyone is connected.
    Connecting(Box<Snapshot>),
    /// Everyone is connected and subscribed after this time; the load starts.
    Started(Duration),
    /// Where the run is, every half second.
    Shown(Box<Snapshot>),
    /// The faults of the plan that happened so far, as far as they touch what is shown next.
    Struck(Vec<Struck>),
    /// A connection was lost.
    Lost(LostConnection),
    /// Nothing new is published from here on.
    Draining,
    /// Where the run was at its very end.
    Ended(Box<Snapshot>),
}

/// A fault that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Struck {
    /// What happens, without when.
    pub what: String,
    /// When it began, from the start of the load.
    pub began: Duration,
    /// When it ended; `None` while it lasts.
    pub ended: Option<Duration>,
}

impl Struck {
    /// Whether it was on at some time between these two.
    pub fn was_on(&self, from: Duration, to: Duration) -> bool {
        self.began < to && self.ended.is_none_or(|ended| ended >= from)
    }
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
        for (place, broker) in brokers.iter().enumerate() {
            let way = Way::find(broker, source, &load.options).await;
            let mut way = way.map_err(Failure::into_error)?;
            way.broker = place;
            ways.push(way);
        }
    }
    Ok(ways)
}
