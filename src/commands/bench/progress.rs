//! How far a run is, on stderr.

use std::collections::BTreeSet;
use std::io::{self, IsTerminal};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::bench::load::tally::LostConnection;
use crate::bench::load::{Event, Snapshot, Struck};
use crate::bench::measure::{Count, Window};
use crate::bench::plan::{Plan, Stop};
use crate::bench::role::Phase;
use crate::mqtt::QoS;
use crate::output::{self, say};

/// What is shown on stderr while the load runs: a bar on a terminal, lines elsewhere and where they were asked for.
pub(super) struct Progress {
    plan: Plan,
    pub(super) bar: ProgressBar,
    verbose: bool,
    /// How often a line is due; without lines there is the bar.
    pace: Option<Duration>,
    /// What was shown last.
    last: Option<Snapshot>,
    /// The faults of late.
    struck: Vec<Struck>,
    lost: usize,
}

/// How many lost connections are named while the load runs.
const LOST_SHOWN: usize = 10;

/// Between two lines when more was asked for, and when a log or a pipe shows that a long run is alive. Snapshots come every
/// half second, some a little early.
const OFTEN: Duration = Duration::from_millis(900);
const SELDOM: Duration = Duration::from_millis(9900);

impl Progress {
    pub(super) fn new(plan: &Plan, verbose: bool) -> Progress {
        let pace = pace(verbose, io::stderr().is_terminal());
        let bar = match pace {
            None => ProgressBar::with_draw_target(Some(1000), ProgressDrawTarget::stderr()),
            Some(_) => ProgressBar::hidden(),
        };
        let style = ProgressStyle::with_template("{elapsed:>4} {bar:20} {msg}");
        bar.set_style(style.expect("a template that is tested by every run"));
        bar.set_message("connecting");
        Progress {
            plan: plan.clone(),
            bar,
            verbose,
            pace,
            last: None,
            struck: Vec::new(),
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
            Event::Struck(struck) => self.struck = struck,
            Event::Ended(_) => {}
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
        let shown = self
            .last
            .as_ref()
            .map_or(Duration::ZERO, |last| last.elapsed);
        if self
            .pace
            .is_some_and(|pace| snapshot.elapsed.saturating_sub(shown) < pace)
        {
            return;
        }
        let line = line(&self.plan, self.last.as_ref(), &snapshot, &self.struck);
        if self.pace.is_some() {
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

/// How often a line is due; never where a bar is shown.
fn pace(verbose: bool, is_terminal: bool) -> Option<Duration> {
    match (verbose, is_terminal) {
        (true, _) => Some(OFTEN),
        (false, true) => None,
        (false, false) => Some(SELDOM),
    }
}

/// Rates since the last snapshot, and the rest so far.
fn line(plan: &Plan, last: Option<&Snapshot>, now: &Snapshot, struck: &[Struck]) -> String {
    let from = last.map_or(Duration::ZERO, |last| last.elapsed);
    let since = now.elapsed.saturating_sub(from);
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
    let on = struck
        .iter()
        .filter(|fault| fault.was_on(from, now.elapsed));
    let on: BTreeSet<&str> = on.map(|fault| &*fault.what).collect();
    parts.extend(on.iter().map(|what| format!("[{what}]")));
    if now.lost > 0 {
        parts.push(format!("{} lost connections", now.lost));
    }
    parts.retain(|part| !part.is_empty());
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_gets_lines_and_a_terminal_a_bar() {
        assert_eq!(pace(false, true), None);
        assert_eq!(pace(false, false), Some(SELDOM));
        assert_eq!(pace(true, true), Some(OFTEN));
        assert_eq!(pace(true, false), Some(OFTEN));
    }
}
