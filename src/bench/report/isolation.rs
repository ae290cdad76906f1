//! Whether subscribers that read slowly are the others' business: what reached the others before and beside them, and
//! what became of the slow ones. Arithmetic on the [`Pulse`], in which only the others are counted.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::merge::joined;
use crate::bench::load::tally::LostConnection;
use crate::bench::measure::histograms::Encoded;
use crate::bench::measure::latency::Latency;
use crate::bench::measure::ledger::Delivery;
use crate::bench::measure::pulse::{Beat, Pulse};
use crate::bench::plan::Plan;
use crate::bench::plan::speed::Speed;

/// What was found.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Isolation {
    /// How many read slowly.
    pub clients: u32,
    /// How fast, as it is typed.
    pub reads: String,
    /// From when on, in seconds since the start of the load.
    pub from_s: f64,
    /// What reached the others before; `null` when there was no such time.
    pub before: Option<Others>,
    /// What reached them from then on to the end of the load.
    pub beside: Option<Others>,
    /// The others were served as before: at least nine tenths of the rate, and 99 of 100 messages no later than twice as
    /// late, or a millisecond more. `null` when there is nothing to compare.
    pub isolated: Option<bool>,
    /// Messages the slow ones had read by the end of the load, since they were slow.
    pub read: u64,
    /// What became of their messages in the end: after the load they read whatever comes.
    pub delivery: Delivery,
    /// The slow ones whose connection ended before the run.
    pub disconnected: Vec<LostConnection>,
}

/// What reached the subscribers that read whatever comes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Others {
    /// Messages per second.
    pub rate_per_s: f64,
    /// From when they were due, or unpaced sent; to two digits.
    pub latency_us: Latency,
    /// All of these, in microseconds.
    #[serde(default)]
    pub histogram: Encoded,
}

impl Others {
    fn of(beat: &Beat, beats: usize, length: Duration) -> Option<Others> {
        let seconds = (length * u32::try_from(beats).ok()?).as_secs_f64();
        Some(Others {
            rate_per_s: beat.count as f64 / seconds,
            latency_us: Latency::of(&beat.latency)?,
            histogram: Encoded(beat.latency.clone()),
        })
    }

    /// Adds what reached others: at the same time, or in another run.
    fn merge(&mut self, other: &Others, beside: bool) {
        let of = |others: &Others| (others.latency_us.samples, others.rate_per_s);
        self.rate_per_s = joined(of(self), of(other), beside);
        self.histogram.add(&other.histogram);
        if let Some(latency) = Latency::of(&self.histogram.0) {
            self.latency_us = latency;
        }
    }

    fn p99(&self) -> u64 {
        self.latency_us.p99.unwrap_or(self.latency_us.max)
    }
}

impl Isolation {
    /// Adds another machine's part of the run, or another run of the plan.
    pub(super) fn merge(&mut self, other: Isolation, beside: bool) {
        for (ours, theirs) in [
            (&mut self.before, other.before),
            (&mut self.beside, other.beside),
        ] {
            match (ours.as_mut(), theirs) {
                (Some(ours), Some(theirs)) => ours.merge(&theirs, beside),
                (None, theirs) => *ours = theirs,
                (Some(_), None) => {}
            }
        }
        self.isolated = is_isolated(self.before.as_ref(), self.beside.as_ref());
        self.read += other.read;
        self.delivery.merge(&other.delivery);
        self.disconnected.extend(other.disconnected);
    }
}

/// See [`Isolation::isolated`].
fn is_isolated(before: Option<&Others>, beside: Option<&Others>) -> Option<bool> {
    let before = before?;
    let usual = before.p99();
    Some(beside.is_some_and(|beside| {
        beside.rate_per_s >= before.rate_per_s * 0.9
            && beside.p99() <= (usual * 2).max(usual + 1000)
    }))
}

/// The books of the slow ones.
#[derive(Debug, Clone, Default)]
pub(in crate::bench) struct Slow {
    /// Messages they had read while they were slow.
    pub(in crate::bench) read: u64,
    /// What became of theirs.
    pub(in crate::bench) delivery: Delivery,
    /// Whose connection ended.
    pub(in crate::bench) disconnected: Vec<LostConnection>,
}

/// What a run with slow subscribers shows; `None` without any. `end` is where the load ended.
pub(in crate::bench) fn isolation(
    plan: &Plan,
    slow: Slow,
    pulse: &Pulse,
    end: Duration,
) -> Option<Isolation> {
    let groups = plan
        .subscribe
        .iter()
        .filter(|group| group.reads != Speed::All);
    let clients = groups.clone().map(|group| group.clients).sum();
    let first = groups.min_by_key(|group| group.from)?;
    // Only whole beats, and not the first: the clients start within it.
    let warmup = plan.warmup.fixed().unwrap_or_default();
    let from = pulse.place(warmup) + 1;
    let turn = pulse.place(first.from);
    let end = pulse.place(end);
    let part = |from: usize, to: usize| {
        let beats = to.checked_sub(from).filter(|beats| *beats > 0)?;
        Others::of(&pulse.sum(from, to), beats, pulse.beat())
    };
    let before = part(from, turn);
    let beside = part(turn.max(from.saturating_sub(1)) + 1, end);
    Some(Isolation {
        clients,
        reads: first.reads.to_string(),
        from_s: first.from.as_secs_f64(),
        isolated: is_isolated(before.as_ref(), beside.as_ref()),
        before,
        beside,
        read: slow.read,
        delivery: slow.delivery,
        disconnected: slow.disconnected,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::plan::tests::plan;
    use crate::bench::plan::{Stop, Subscribers};

    const MS: u64 = 1_000_000;

    /// 1,000 messages a second for four seconds, the last two beside a slow reader.
    fn found(late_ms: impl Fn(u64) -> Option<u64>, from: Duration) -> Isolation {
        let mut plan = plan(1, 1);
        plan.stop = Stop::After(Duration::from_secs(4));
        plan.subscribe.push(Subscribers {
            reads: Speed::None,
            from,
            ..plan.subscribe[0].clone()
        });
        let mut pulse = plan.pulse();
        for due in 0..4000 {
            if let Some(late) = late_ms(due) {
                pulse.arrived(due * MS, (due + late) * MS);
            }
        }
        isolation(&plan, Slow::default(), &pulse, Duration::from_secs(4)).unwrap()
    }

    #[test]
    fn the_others_are_isolated_when_they_are_served_as_before() {
        let half = Duration::from_secs(2);
        let same = found(|_| Some(3), half);
        assert_eq!((same.isolated, same.clients), (Some(true), 1));
        for others in [same.before.unwrap(), same.beside.unwrap()] {
            assert!((others.rate_per_s - 1000.0).abs() < 1e-6, "{others:?}");
        }
        let later = found(|due| Some(if due < 2000 { 3 } else { 9 }), half);
        assert_eq!(later.isolated, Some(false));
        let fewer = found(|due| (due < 2000 || due % 5 > 0).then_some(3), half);
        assert_eq!(fewer.isolated, Some(false));
        let nothing = found(|due| (due < 2000).then_some(3), half);
        assert_eq!(
            (nothing.isolated, nothing.beside.is_none()),
            (Some(false), true)
        );
        let from_the_first = found(|_| Some(3), Duration::ZERO);
        assert!(from_the_first.before.is_none() && from_the_first.isolated.is_none());
        assert!(isolation(&plan(1, 1), Slow::default(), &Pulse::new(None), half).is_none());
    }
    #[test]
    fn machines_side_by_side_add_up_and_runs_one_after_the_other_average() {
        let half = Duration::from_secs(2);
        let merged = |second: fn(u64) -> Option<u64>, beside| {
            let mut first = found(|_| Some(3), half);
            first.merge(found(second, half), beside);
            let of = |others: &Option<Others>| {
                let others = others.as_ref().unwrap();
                let latency = &others.latency_us;
                (others.rate_per_s.round(), latency.p50, latency.samples)
            };
            (of(&first.before), of(&first.beside), first.isolated)
        };
        let samples = merged(|_| Some(3), true).0.2;
        assert_eq!(
            merged(|_| Some(3), true).0,
            (2000.0, Some(3007), samples),
            "two machines"
        );
        assert_eq!(merged(|_| Some(3), false).0, (1000.0, Some(3007), samples));
        // The other machine's subscribers were held up, which the first one has not seen.
        let (_, beside, isolated) = merged(|due| Some(if due < 2000 { 3 } else { 90 }), true);
        assert_eq!(isolated, Some(false), "{beside:?}");
        // Nobody on the other machine: what was found here stays.
        let alone = merged(|_| None, true);
        assert_eq!((alone.0.0, alone.2), (1000.0, Some(true)));
    }
}
