//! How far a run is, on stderr.

use std::io::{self, IsTerminal};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::bench::load::tally::LostConnection;
use crate::bench::load::{Event, Snapshot};
use crate::bench::measure::{Count, Window};
use crate::bench::plan::{Plan, Stop};
use crate::bench::role::Phase;
use crate::mqtt::QoS;
use crate::output::{self, say};

/// What is shown on stderr while the load runs: a bar on a terminal, lines where they were asked for.
pub(super) struct Progress {
    plan: Plan,
    pub(super) bar: ProgressBar,
    verbose: bool,
    /// What was shown last.
    last: Option<Snapshot>,
    lost: usize,
}

/// How many lost connections are named while the load runs.
const LOST_SHOWN: usize = 10;

impl Progress {
    pub(super) fn new(plan: &Plan, verbose: bool) -> Progress {
        let bar = match io::stderr().is_terminal() && !verbose {
            true => ProgressBar::with_draw_target(Some(1000), ProgressDrawTarget::stderr()),
            false => ProgressBar::hidden(),
        };
        let style = ProgressStyle::with_template("{elapsed:>4} {bar:20} {msg}");
        bar.set_style(style.expect("a template that is tested by every run"));
        bar.set_message("connecting");
        Progress {
            plan: plan.clone(),
            bar,
            verbose,
            last: None,
            lost: 0,
        }
    }

    pub(super) fn show(&mut self, event: Event) {
        match event {
            Event::Connecting(snapshot) => {
                let made = snapshot.recorder.connects.made;
                let all = self.plan.connections();
                let line = format!(
                    "connected {} of {}",
                    output::figures::whole(made as f64),
                    output::figures::whole(all.into())
                );
                if self.verbose {
                    say(&line);
                }
                self.bar.set_message(line);
            }
            Event::Started(setup) => {
                self.bar.reset_elapsed();
                if self.verbose {
                    say(format_args!(
                        "everyone connected after {}",
                        output::figures::time(setup)
                    ));
                }
            }
            Event::Shown(snapshot) => self.show_snapshot(*snapshot),
            Event::Lost(lost) => self.show_lost(&lost),
            Event::Draining => self.bar.set_message("waiting for what is on its way"),
            Event::Struck(_) | Event::Ended(_) => {}
        }
    }

    fn show_lost(&mut self, lost: &LostConnection) {
        self.lost += 1;
        let words = match self.lost {
            ..=LOST_SHOWN => format!("{} lost its connection: {}", lost.client, lost.reason),
            _ if self.lost == LOST_SHOWN + 1 => "and more; the report counts them".to_owned(),
            _ => return,
        };
        self.bar.suspend(|| say(words));
    }

    fn show_snapshot(&mut self, snapshot: Snapshot) {
        let due = match &self.last {
            Some(last) => {
                snapshot.elapsed.saturating_sub(last.elapsed) >= Duration::from_millis(900)
            }
            None => true,
        };
        if self.verbose && !due {
            return;
        }
        let line = line(&self.plan, self.last.as_ref(), &snapshot);
        if self.verbose {
            say(format_args!(
                "{:.0}s {line}",
                snapshot.elapsed.as_secs_f64()
            ));
        }
        self.bar
            .set_position((self.share(&snapshot) * 1000.0) as u64);
        self.bar.set_message(line);
        self.last = Some(snapshot);
    }

    /// How much of the load is behind us, from 0 to 1.
    fn share(&self, snapshot: &Snapshot) -> f64 {
        match self.plan.stop {
            Stop::After(duration) => match snapshot.recorder.window() {
                Window::NOT_YET => 0.0,
                _ => {
                    let from = snapshot.recorder.window().from_ns as f64 / 1e9;
                    snapshot.elapsed.as_secs_f64() / (from + duration.as_secs_f64())
                }
            },
            Stop::Count(count) => snapshot.recorder.sent.total as f64 / count as f64,
        }
        .min(1.0)
    }

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// Rates since the last snapshot, and the rest so far.
fn line(plan: &Plan, last: Option<&Snapshot>, now: &Snapshot) -> String {
    let since = now
        .elapsed
        .saturating_sub(last.map_or(Duration::ZERO, |last| last.elapsed));
    let rate = |count: fn(&Snapshot) -> Count| {
        let new = count(now).total - last.map_or(0, |last| count(last).total);
        output::figures::whole(new as f64 / since.as_secs_f64().max(0.001))
    };
    let mut parts = vec![match (
        now.phase,
        now.elapsed.as_nanos() < now.recorder.window().from_ns.into(),
    ) {
        (Phase::Load, true) => "warming up:".to_owned(),
        (Phase::Load, false) => String::new(),
        _ => "draining:".to_owned(),
    }];
    if plan.scenario.connects() {
        let made = now.recorder.connects.made;
        parts.push(format!("{} connected", output::figures::whole(made as f64)));
    }
    if plan.publishes() {
        parts.push(format!(
            "sent {}/s",
            rate(|snapshot| snapshot.recorder.sent)
        ));
    }
    if plan.subscribers() > 0 {
        parts.push(format!(
            "delivered {}/s",
            rate(|snapshot| snapshot.recorder.delivered)
        ));
    }
    let recorder = &now.recorder;
    let latency = match recorder.response.is_empty() {
        true => &recorder.service,
        false => &recorder.response,
    };
    if !latency.is_empty() {
        let p99 = Duration::from_micros(latency.value_at_quantile(0.99));
        parts.push(format!("p99 {}", output::figures::time(p99)));
    }
    if plan.publishes() && plan.qos() > QoS::AtMostOnce {
        let in_flight = recorder.sent.total - recorder.acknowledged.total;
        parts.push(format!(
            "in flight {}",
            output::figures::whole(in_flight as f64)
        ));
    }
    if now.lost > 0 {
        parts.push(format!("{} lost connections", now.lost));
    }
    parts.retain(|part| !part.is_empty());
    parts.join(" ")
}
