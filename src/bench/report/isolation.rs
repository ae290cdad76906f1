//! Whether subscribers that read slowly are the others' business: what reached the others before and beside them, and
//! what became of the slow ones. Arithmetic on the [`Pulse`], in which only the others are counted.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::bench::load::tally::LostConnection;
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
}

impl Others {
    fn of(beat: &Beat, beats: usize, length: Duration) -> Option<Others> {
        let seconds = (length * u32::try_from(beats).ok()?).as_secs_f64();
        Some(Others {
            rate_per_s: beat.count as f64 / seconds,
            latency_us: Latency::of(&beat.latency)?,
        })
    }

    fn p99(&self) -> u64 {
        self.latency_us.p99.unwrap_or(self.latency_us.max)
    }
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
    let isolated = before.as_ref().map(|before| {
        beside.as_ref().is_some_and(|beside| {
            let usual = before.p99();
            beside.rate_per_s >= before.rate_per_s * 0.9
                && beside.p99() <= (usual * 2).max(usual + 1000)
        })
    });
    Some(Isolation {
        clients,
        reads: first.reads.to_string(),
        from_s: first.from.as_secs_f64(),
        before,
        beside,
        isolated,
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
}
