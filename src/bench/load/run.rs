//! One run as seen from outside its threads: everyone connects, the load starts and ends, what is on its way may arrive,
//! the books are closed. The threads do the work; here is counted how far they are, and decided when a phase is over.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use anyhow::Context;
use hdrhistogram::Histogram;
use tokio::sync::{mpsc, watch};

use super::company::{Company, Cue, Told, next_cue};
use super::connection::{Stage, Thread};
use super::standing::Standing;
use super::tally::{Measurement, Tally, Warmed};
use super::thread::{Crew, Note};
use super::{Event, Snapshot, Struck, window_of};
use crate::bench::agents::books::Books;
use crate::bench::measure::pulse::Pulse;
use crate::bench::measure::{Recorder, difference, histogram};
use crate::bench::plan::{Plan, Scenario, Warmup};
use crate::bench::proxy::Proxy;
use crate::bench::report::recovery::{Recovery, recoveries};
use crate::bench::report::steadiness::{Settled, Settling};
use crate::bench::role::Phase;
use crate::exit::Exit;
use crate::mqtt::QoS;

/// How often the observer is shown where the run is.
const SHOW: Duration = Duration::from_millis(500);

/// For so long faults that are over are still shown: longer than an interval of any series.
const RECENT: Duration = Duration::from_secs(5);

/// How often the end of the load is looked for when nobody tells it.
const LOOK: Duration = Duration::from_millis(50);

/// How often it is looked whether everything has arrived.
const LOOK_CLOSELY: Duration = Duration::from_millis(5);

/// A warm-up that ends by itself, and where it was when it was last looked at.
pub(super) struct WarmingUp {
    settling: Settling,
    messages: u64,
    latency: Histogram<u64>,
}

impl WarmingUp {
    pub(super) fn new(rate: Option<f64>, limit: Duration) -> WarmingUp {
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

/// The run.
pub(super) struct Run<'a> {
    /// As it is known by now: a warm-up that has ended by itself has its length.
    pub(super) plan: Arc<Plan>,
    /// The warm-up, while it goes on, where it ends by itself.
    pub(super) settling: Option<WarmingUp>,
    pub(super) crew: Arc<Crew>,
    pub(super) threads: Vec<Arc<Thread>>,
    pub(super) heard: mpsc::UnboundedReceiver<Note>,
    pub(super) stages: watch::Sender<Stage>,
    pub(super) proxy: Option<Proxy>,
    pub(super) tally: Tally,
    pub(super) company: Option<Company>,
    pub(super) observe: &'a mut dyn FnMut(Event),
}

/// Whatever ends the run ends its threads.
impl Drop for Run<'_> {
    fn drop(&mut self) {
        self.stages.send_modify(|stage| stage.phase = Phase::Close);
    }
}

impl Run<'_> {
    pub(super) async fn conduct(
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
        self.show_faults(start);
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
                while shown.elapsed() >= SHOW {
                    shown += SHOW;
                }
                self.show_faults(start);
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

    /// Shows the faults that are not long over.
    fn show_faults(&mut self, start: Instant) {
        let Some(proxy) = &self.proxy else {
            return;
        };
        let long_ago = start.elapsed().saturating_sub(RECENT);
        let strikes = proxy.strikes.so_far().into_iter();
        let recent = strikes.filter(|strike| strike.ended.is_none_or(|ended| ended >= long_ago));
        let struck = recent.map(|strike| Struck {
            what: self.plan.fault[strike.fault].what(),
            began: strike.began,
            ended: strike.ended,
        });
        let struck = struck.collect();
        (self.observe)(Event::Struck(struck));
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
            &tally.kept_out,
            pulse,
            self.plan.warmup.fixed().unwrap_or_default(),
            end,
        )
    }
}

fn too_early() -> anyhow::Error {
    Exit::Interrupted.because("interrupted before the load had started")
}
