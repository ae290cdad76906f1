//! The acts of a run: everyone connects, the load, what is on its way, the books; and what is shown meanwhile.

use std::time::{Duration, Instant};

use super::hear::Heard;
use super::{Coordinator, State};
use crate::bench::agents::books::Books;
use crate::bench::agents::words::Order;
use crate::bench::load::standing::Standing;
use crate::bench::load::{Event, Snapshot};
use crate::bench::measure::{Recorder, Window};
use crate::bench::plan::Scenario;
use crate::bench::role::Phase;
use crate::commands::signals::Signals;
use crate::exit::Exit;
use crate::output::say;

/// How long before its moment a start is announced, at least.
const LEAD: Duration = Duration::from_millis(300);

/// How often it is shown how many are connected.
const SHOW: Duration = Duration::from_millis(500);

impl Coordinator<'_> {
    /// The run from the first connection to the last report; whether it was interrupted, and `None` when a second
    /// signal came.
    pub(super) async fn conduct(&mut self, signals: &mut Signals) -> anyhow::Result<Option<bool>> {
        let began = Instant::now() + LEAD;
        self.order_at(began, |at_ns| Order::Connect { at_ns });
        let mut shown = Instant::now();
        while !self.agents.iter().all(|agent| agent.state == State::Ready) {
            if let Heard::Signal = self.listen(signals).await? {
                if self.plan.scenario != Scenario::Conn || self.signals > 1 {
                    return Err(
                        Exit::Interrupted.because("interrupted before the load had started")
                    );
                }
                self.order_all(&Order::Stop);
                return self.close(signals, true).await;
            }
            if shown.elapsed() >= SHOW {
                shown = Instant::now();
                self.show_connecting(began);
            }
        }
        self.progress.show(Event::Started(began.elapsed()));
        let start = Instant::now() + self.lead();
        let unix_ns = self.watch.shows(start);
        self.order_at(start, |at_ns| Order::Start { at_ns, unix_ns });

        let mut interrupted = false;
        let mut moved = (0, Instant::now());
        for phase in [Phase::Load, Phase::Drain] {
            loop {
                if let Heard::Signal = self.listen(signals).await? {
                    if self.signals > 1 {
                        return Ok(None);
                    }
                    self.progress
                        .bar
                        .suspend(|| say("ending the run; once more to leave at once"));
                    self.order_all(&Order::Stop);
                    interrupted = true;
                }
                let standing = self.standing();
                if moved.0 != standing.movement() {
                    moved = (standing.movement(), Instant::now());
                }
                let (elapsed, still) = (start.elapsed(), moved.1.elapsed());
                let over = match phase {
                    Phase::Load => {
                        interrupted
                            || !elapsed.is_zero()
                                && standing.load_is_over(&self.plan, elapsed, still)
                    }
                    _ => standing.drain_is_over(&self.plan, still),
                };
                if over {
                    break;
                }
            }
            match phase {
                Phase::Load => {
                    self.order_all(&Order::Drain);
                    self.progress.show(Event::Draining);
                    moved.1 = Instant::now();
                }
                _ => self.order_all(&Order::Close),
            }
        }
        self.close(signals, interrupted).await
    }

    /// Tells everyone what everyone sent, and waits for the reports.
    async fn close(
        &mut self,
        signals: &mut Signals,
        interrupted: bool,
    ) -> anyhow::Result<Option<bool>> {
        while self.agents.iter().any(|agent| agent.books.is_none()) {
            if let Heard::Signal = self.listen(signals).await? {
                return Ok(None);
            }
        }
        let mut books = Books::default();
        for agent in &mut self.agents {
            books.extend(agent.books.take().unwrap_or_default());
        }
        self.order_all(&Order::Books { books });
        while self.agents.iter().any(|agent| agent.report.is_none()) {
            if let Heard::Signal = self.listen(signals).await? {
                return Ok(None);
            }
        }
        Ok(Some(interrupted))
    }

    /// How long before its moment the start is announced: ten times the longest way to an agent.
    fn lead(&self) -> Duration {
        let clocks = self.agents.iter().filter_map(|agent| agent.clock);
        let longest = clocks.map(|clock| clock.uncertainty_ns).max().unwrap_or(0);
        LEAD.max(Duration::from_nanos(longest.saturating_mul(20)))
    }

    fn standing(&self) -> Standing {
        let mut all = Standing::default();
        for agent in &self.agents {
            all.add(&agent.standing);
        }
        all
    }

    /// Shows how many are connected. Where connecting is what is measured, the seconds tell.
    fn show_connecting(&mut self, began: Instant) {
        if self.plan.scenario == Scenario::Conn {
            return;
        }
        let standing = self.standing();
        let mut recorder = Recorder::new(Window::NOT_YET);
        recorder.connects.made = standing.connected;
        self.show(Event::Connecting(Box::new(Snapshot {
            elapsed: began.elapsed(),
            phase: Phase::Setup,
            recorder,
            lost: standing.lost as usize,
        })));
    }

    /// Shows what all have told by now.
    pub(super) fn show_seconds(&mut self) {
        while let Some(event) = self.seconds.advance() {
            self.show(self.seconds.struck());
            self.show(event);
        }
    }

    fn show(&mut self, event: Event) {
        self.files.take(&event);
        self.progress.show(event);
    }
}
