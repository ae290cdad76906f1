//! The seconds of a run as its machines tell them: each says what it recorded in one, and together they are the run so far.
//!
//! Every machine cuts its time at whole seconds from the same start, so the seconds of one number belong together. A
//! second that a machine has missed is in its next one.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::bench::load::{Event, Snapshot, Struck};
use crate::bench::measure::histograms::Histograms;
use crate::bench::measure::series::Interval;
use crate::bench::measure::{Recorder, Window};
use crate::bench::role::Phase;

/// What one machine recorded in a second or so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Second {
    /// Where it ends, in nanoseconds; see [`Interval::to`].
    to_ns: u64,
    phase: Phase,
    /// The machine records nothing more.
    #[serde(default)]
    last: bool,
    sent: u64,
    acknowledged: u64,
    delivered: u64,
    /// Connections made in it.
    connected: u64,
    /// Connections lost up to its end.
    lost: u64,
    /// The latencies of what was measured in it.
    histograms: Histograms,
    /// The faults of the plan that were on in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    struck: Vec<Struck>,
}

impl Second {
    /// An interval, the `last` one or not, and the faults that were on in it, as it leaves the process.
    pub fn of(interval: &Interval, last: bool, struck: Vec<Struck>) -> Second {
        let recorder = &interval.recorder;
        Second {
            to_ns: interval.to.as_nanos() as u64,
            phase: interval.phase,
            last,
            sent: recorder.sent.total,
            acknowledged: recorder.acknowledged.total,
            delivered: recorder.delivered.total,
            connected: recorder.connects.made,
            lost: interval.lost as u64,
            histograms: Histograms::of(recorder),
            struck,
        }
    }

    /// Which one it is: the nearest whole number.
    fn number(&self) -> u64 {
        self.to_ns.saturating_add(500_000_000) / 1_000_000_000
    }
}

/// The seconds of all machines, put together as soon as all have told theirs.
#[derive(Debug)]
pub struct Seconds {
    machines: Vec<Machine>,
    /// The run up to the last second that all have told.
    run: Recorder,
    elapsed: Duration,
    /// The faults that were on in that second.
    struck: Vec<Struck>,
}

/// One who tells.
#[derive(Debug, Default)]
struct Machine {
    /// What the others have not told yet.
    waiting: VecDeque<Second>,
    is_over: bool,
    lost: u64,
}

impl Seconds {
    /// Of so many machines that measure within this window.
    pub fn new(machines: usize, window: Window) -> Seconds {
        Seconds {
            machines: (0..machines).map(|_| Machine::default()).collect(),
            run: Recorder::new(window),
            elapsed: Duration::ZERO,
            struck: Vec::new(),
        }
    }

    /// Takes one in. What comes behind the last second of a machine is left aside.
    pub fn take(&mut self, machine: usize, second: Second) {
        let Some(machine) = self.machines.get_mut(machine) else {
            return;
        };
        if !machine.is_over {
            machine.is_over = second.last;
            machine.waiting.push_back(second);
        }
    }

    /// The faults that were on in the last second that all have told, on each machine.
    pub fn struck(&self) -> Event {
        Event::Struck(self.struck.clone())
    }

    /// Where the run was at the end of the next second that all have told, as a run on one machine shows it.
    pub fn advance(&mut self) -> Option<Event> {
        let tells = |machine: &&Machine| !(machine.is_over && machine.waiting.is_empty());
        let first = |machine: &Machine| machine.waiting.front().map(Second::number);
        let firsts: Option<Vec<u64>> = self.machines.iter().filter(tells).map(first).collect();
        let number = firsts?.into_iter().min()?;
        let mut phase = Phase::Setup;
        self.struck.clear();
        for machine in &mut self.machines {
            while let Some(second) = machine.waiting.pop_front_if(|next| next.number() <= number) {
                self.elapsed = self.elapsed.max(Duration::from_nanos(second.to_ns));
                phase = phase.max(second.phase);
                machine.lost = second.lost;
                let Recorder {
                    sent,
                    acknowledged,
                    delivered,
                    connects,
                    ..
                } = &mut self.run;
                sent.total = sent.total.saturating_add(second.sent);
                acknowledged.total = acknowledged.total.saturating_add(second.acknowledged);
                delivered.total = delivered.total.saturating_add(second.delivered);
                connects.made = connects.made.saturating_add(second.connected);
                self.run.enter(&second.histograms);
                self.struck.extend(second.struck);
            }
        }
        let snapshot = Box::new(Snapshot {
            elapsed: self.elapsed,
            phase,
            recorder: self.run.clone(),
            lost: self
                .machines
                .iter()
                .map(|machine| machine.lost as usize)
                .sum(),
        });
        Some(
            match (self.machines.iter().any(|machine| tells(&machine)), phase) {
                (false, _) => Event::Ended(snapshot),
                (true, Phase::Setup) => Event::Connecting(snapshot),
                (true, _) => Event::Shown(snapshot),
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::measure::connects::Legs;

    const ALL: Window = Window {
        from_ns: 0,
        to_ns: u64::MAX,
    };

    /// A second that ends there, with so many messages, each as late as there are.
    fn second(to_ms: u64, messages: u64, last: bool) -> Second {
        let mut recorder = Recorder::new(ALL);
        for _ in 0..messages {
            recorder.sent(Some(0), 0, 5000);
            recorder.acknowledged(0, 7000);
            recorder.delivered(Some(0), 5000, messages * 1_000_000);
            recorder.completed(0, 9000);
            recorder.came_round(0, 1000);
            let legs = Legs {
                tcp: Duration::from_micros(3),
                tls: Some(Duration::from_micros(4)),
                connack: Duration::from_micros(5),
            };
            recorder.connects.made(Some(0), 2000, legs);
        }
        let interval = Interval {
            from: Duration::from_millis(to_ms.saturating_sub(1000)),
            to: Duration::from_millis(to_ms),
            phase: Phase::Load,
            connected: messages,
            lost: messages as usize,
            recorder,
        };
        let struck = Struck {
            what: "cut=100%".to_owned(),
            began: interval.from,
            ended: None,
        };
        let json = serde_json::to_string(&Second::of(&interval, last, vec![struck])).unwrap();
        serde_json::from_str(&json).unwrap()
    }

    fn sent(event: Option<Event>) -> Option<(u64, u128, usize, bool)> {
        let (now, is_end) = match event? {
            Event::Shown(now) => (now, false),
            Event::Ended(now) => (now, true),
            other => panic!("{other:?}"),
        };
        Some((
            now.recorder.sent.total,
            now.elapsed.as_millis(),
            now.lost,
            is_end,
        ))
    }

    #[test]
    fn a_second_is_complete_when_all_have_told_it_and_the_run_is_over_with_the_last() {
        let mut seconds = Seconds::new(2, ALL);
        assert_eq!(sent(seconds.advance()), None);
        seconds.take(0, second(1040, 3, false));
        seconds.take(0, second(1950, 4, false));
        assert_eq!(sent(seconds.advance()), None, "the other has told nothing");
        seconds.take(1, second(1010, 10, false));
        assert_eq!(sent(seconds.advance()), Some((13, 1040, 13, false)));
        assert_eq!(sent(seconds.advance()), None);
        // It stood still for two seconds; what it tells then is of the third.
        seconds.take(1, second(4020, 20, false));
        seconds.take(0, second(3000, 5, false));
        seconds.take(0, second(4000, 6, false));
        assert_eq!(sent(seconds.advance()), Some((17, 1950, 14, false)));
        assert_eq!(sent(seconds.advance()), Some((22, 3000, 15, false)));
        assert_eq!(sent(seconds.advance()), Some((48, 4020, 26, false)));
        let Event::Struck(struck) = seconds.struck() else {
            panic!("no faults");
        };
        let began: Vec<Duration> = struck.iter().map(|fault| fault.began).collect();
        assert_eq!(began, [3000, 3020].map(Duration::from_millis));
        seconds.take(1, second(4200, 1, true));
        seconds.take(1, second(4300, 99, true));
        assert_eq!(sent(seconds.advance()), None);
        seconds.take(0, second(5000, 7, false));
        assert_eq!(sent(seconds.advance()), Some((49, 4200, 7, false)));
        assert_eq!(sent(seconds.advance()), Some((56, 5000, 8, false)));
        seconds.take(0, second(5100, 0, true));
        seconds.take(7, second(5100, 1, true));
        assert_eq!(sent(seconds.advance()), Some((56, 5100, 1, true)));
        assert_eq!(sent(seconds.advance()), None);
    }

    #[test]
    fn every_kind_of_latency_comes_over() {
        let mut seconds = Seconds::new(2, ALL);
        seconds.take(0, second(1000, 2, true));
        seconds.take(1, second(1000, 4, true));
        let Some(Event::Ended(now)) = seconds.advance() else {
            panic!("no end");
        };
        for (tag, histogram) in now.recorder.histograms() {
            assert_eq!(histogram.len(), 6, "{tag}");
        }
        let response = &now.recorder.response;
        assert!(response.equivalent(response.max(), 4000));
        assert_eq!(now.recorder.connects.made, 6);
        assert_eq!(
            (
                now.recorder.acknowledged.total,
                now.recorder.delivered.total
            ),
            (6, 6)
        );
    }
}
