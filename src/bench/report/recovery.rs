//! What each fault did: whom it hit, when they were back, when everything was as before. Arithmetic on what the proxy,
//! the clients and the [`Pulse`] have seen.
//!
//! *As before* is half a second in which at least nine tenths of the rate arrived that arrived before the first fault, and
//! 99 of 100 no later than twice what was usual then, or a millisecond more.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::bench::load::returning::Return;
use crate::bench::measure::pulse::{Beat, Pulse};
use crate::bench::plan::disturbance::Disturbance;
use crate::bench::proxy::Strike;

/// What one fault did, one of the times it happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recovery {
    /// What happened, as it is typed.
    pub fault: String,
    /// When, in seconds from the start of the load.
    pub at_s: f64,
    /// How long, in seconds.
    pub lasted_s: f64,
    /// Connections that it could have hit when it began.
    pub open: u64,
    /// Connections it hit.
    pub hit: u64,
    /// Clients that lost their connection by it.
    pub lost: u64,
    /// Of those, clients that were back before the end of the run.
    pub back: u64,
    /// Of those, clients whose session the broker had kept.
    pub resumed: u64,
    /// How often they tried to come back, all together.
    pub attempts: u64,
    /// Connections that could not be made because of it where clients come or come back in the load, as in churn.
    #[serde(default)]
    pub not_made: u64,
    /// Seconds from the fault's beginning until the last was back; `null` when none was lost or not all came back.
    pub back_after_s: Option<f64>,
    /// Seconds from the fault's beginning until rate and latency were as before; `null` when they were not, or when too
    /// little arrived before the first fault to say.
    pub recovered_after_s: Option<f64>,
    /// The longest latency from its beginning up to the next fault, in microseconds.
    pub worst_us: Option<u64>,
    /// What is compared with: messages per second before the first fault.
    pub rate_before_per_s: Option<f64>,
    /// And their latency at the 99th percentile, in microseconds.
    pub p99_before_us: Option<u64>,
}

/// How long everything must be as before.
const STEADY: Duration = Duration::from_millis(500);

/// How much of the time before the first fault is compared with.
const BEFORE: Duration = Duration::from_secs(10);

/// Fewer messages than this in [`STEADY`] say nothing about a rate.
const FEW: f64 = 5.0;

/// How it was before the first fault.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Usual {
    per_beat: f64,
    p99_us: u64,
}

impl Usual {
    fn of(pulse: &Pulse, from: usize, to: usize) -> Option<Usual> {
        let sum = pulse.sum(from, to);
        let per_beat = sum.count as f64 / to.checked_sub(from).filter(|beats| *beats > 0)? as f64;
        let enough = per_beat * steady(pulse) as f64 >= FEW;
        Some(Usual {
            per_beat,
            p99_us: sum.p99_us().filter(|_| enough)?,
        })
    }

    fn is_like(&self, beats: usize, beat: &Beat) -> bool {
        let enough = beat.count as f64 >= self.per_beat * beats as f64 * 0.9;
        let limit = (self.p99_us * 2).max(self.p99_us + 1000);
        enough && beat.p99_us().is_some_and(|p99| p99 <= limit)
    }
}

fn steady(pulse: &Pulse) -> usize {
    (STEADY.as_nanos().div_ceil(pulse.beat().as_nanos())).max(1) as usize
}

/// What every strike did. `from` is where the warm-up ends, `end` where the load does.
pub(in crate::bench) fn recoveries(
    faults: &[Disturbance],
    strikes: &[Strike],
    returns: &[Return],
    kept_out: &BTreeMap<usize, u64>,
    pulse: &Pulse,
    from: Duration,
    end: Duration,
) -> Vec<Recovery> {
    let Some(first) = strikes.iter().map(|strike| strike.began).min() else {
        return Vec::new();
    };
    let from = match first > from {
        true => from.max(first.saturating_sub(BEFORE)),
        false => first.saturating_sub(BEFORE),
    };
    // The first beat of all is not a whole one: the clients start within it.
    let usual = Usual::of(pulse, pulse.place(from) + 1, pulse.place(first));
    let one = |(number, strike): (usize, &Strike)| {
        let next = strikes[number + 1..].iter().map(|next| next.began).min();
        let until = next.unwrap_or(end);
        let of_this: Vec<&Return> = returns.iter().filter(|one| one.strike == number).collect();
        let count = |which: fn(&Return) -> bool| of_this.iter().filter(|one| which(one)).count();
        let back = count(|one| one.back_ns.is_some());
        let last = of_this.iter().filter_map(|one| one.back_ns).max();
        let since = |moment: Duration| moment.saturating_sub(strike.began).as_secs_f64();
        let worst = match next {
            Some(next) => pulse.sum(pulse.place(strike.began), pulse.place(next)),
            None => pulse.sum(pulse.place(strike.began), pulse.len()),
        };
        let fault = faults.get(strike.fault);
        Recovery {
            fault: fault.map_or(String::new(), Disturbance::what),
            at_s: strike.began.as_secs_f64(),
            lasted_s: since(strike.ended.unwrap_or(end)),
            open: strike.open,
            hit: strike.hit,
            lost: of_this.len() as u64,
            back: back as u64,
            resumed: count(|one| one.resumed) as u64,
            attempts: of_this.iter().map(|one| one.attempts).sum(),
            not_made: kept_out.get(&number).copied().unwrap_or(0),
            back_after_s: last
                .filter(|_| back == of_this.len())
                .map(|last| since(Duration::from_nanos(last))),
            recovered_after_s: usual
                .and_then(|usual| recovered(usual, strike, pulse, until))
                .map(since),
            worst_us: Some(worst.worst_us).filter(|_| worst.count > 0),
            rate_before_per_s: usual.map(|usual| usual.per_beat / pulse.beat().as_secs_f64()),
            p99_before_us: usual.map(|usual| usual.p99_us),
        }
    };
    strikes.iter().enumerate().map(one).collect()
}

/// From when on it was as before: the beginning of the first such stretch that is over before `until`, and not before
/// the fault was.
fn recovered(usual: Usual, strike: &Strike, pulse: &Pulse, until: Duration) -> Option<Duration> {
    let over = strike.ended?;
    let beats = steady(pulse);
    let last = pulse.place(until);
    let mut from = pulse.place(over);
    while from + beats <= last {
        if usual.is_like(beats, &pulse.sum(from, from + beats)) {
            let moment = pulse.beat() * u32::try_from(from).unwrap_or(u32::MAX);
            return Some(moment.max(over));
        }
        from += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn seconds(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    /// 1,000 messages a second for ten seconds, each as late as `late_ms` says of the millisecond it is due in; `None`
    /// for one that never comes.
    fn pulse(late_ms: impl Fn(u64) -> Option<u64>) -> Pulse {
        let mut pulse = Pulse::new(Some(seconds(10.0)));
        for due in 0..10_000 {
            if let Some(late) = late_ms(due) {
                pulse.arrived(due * MS, (due + late) * MS);
            }
        }
        pulse
    }

    fn strike(began: f64, ended: f64) -> Strike {
        Strike {
            fault: 0,
            began: seconds(began),
            ended: Some(seconds(ended)),
            open: 10,
            hit: 3,
        }
    }

    fn of(strikes: &[Strike], returns: &[Return], pulse: &Pulse) -> Vec<Recovery> {
        let faults = ["at=4s cut=30%".parse().unwrap()];
        recoveries(
            &faults,
            strikes,
            returns,
            &BTreeMap::from([(0, 7)]),
            pulse,
            seconds(1.0),
            seconds(10.0),
        )
    }

    #[test]
    fn it_has_recovered_when_rate_and_latency_are_as_before() {
        // For two seconds nothing comes, then within half a second all of it.
        let stalled = pulse(|due| match due {
            4000..6000 => Some(6000 - due + due % 500),
            _ => Some(2),
        });
        let found = &of(&[strike(4.0, 6.0)], &[], &stalled)[0];
        assert_eq!(found.rate_before_per_s, Some(1000.0));
        let p99 = found.p99_before_us.unwrap();
        assert!((2000..2200).contains(&p99), "{p99}: to one digit");
        let recovered = found.recovered_after_s.unwrap();
        assert!((2.4..=2.6).contains(&recovered), "{recovered}");
        assert_eq!(found.worst_us, Some(2_000_000));
        assert_eq!((found.lasted_s, found.hit, found.not_made), (2.0, 3, 7));
        // Half of them never come again.
        let halved = pulse(|due| (due < 4000 || due % 2 == 0).then_some(2));
        assert_eq!(
            of(&[strike(4.0, 4.0)], &[], &halved)[0].recovered_after_s,
            None
        );
        let unhurt = pulse(|_| Some(2));
        assert_eq!(
            of(&[strike(4.0, 4.0)], &[], &unhurt)[0].recovered_after_s,
            Some(0.0)
        );
        assert_eq!(
            of(&[strike(4.0, 5.0)], &[], &unhurt)[0].recovered_after_s,
            Some(1.0)
        );
    }

    #[test]
    fn without_enough_messages_before_the_fault_nothing_is_said_of_recovery() {
        let few = pulse(|due| due.is_multiple_of(1000).then_some(2));
        let found = &of(&[strike(4.0, 4.0)], &[], &few)[0];
        assert_eq!(
            (found.recovered_after_s, found.rate_before_per_s),
            (None, None)
        );
        assert_eq!(found.worst_us, Some(2000));
        let nothing = Pulse::new(None);
        assert_eq!(of(&[strike(4.0, 4.0)], &[], &nothing)[0].worst_us, None);
        assert_eq!(of(&[], &[], &nothing), []);
    }

    #[test]
    fn everyone_is_back_when_the_last_is() {
        let back = |strike, back_ms: Option<u64>, resumed| Return {
            strike,
            lost_ns: 4_000_000_000,
            back_ns: back_ms.map(|ms| ms * MS),
            attempts: 2,
            resumed,
        };
        let strikes = [strike(4.0, 4.0), strike(6.0, 6.0), strike(8.0, 8.0)];
        let returns = [
            back(0, Some(4100), true),
            back(0, Some(4250), false),
            back(1, Some(6500), true),
            back(1, None, false),
        ];
        let found = of(&strikes, &returns, &pulse(|_| Some(1)));
        assert_eq!(
            (
                found[0].lost,
                found[0].back,
                found[0].resumed,
                found[0].attempts
            ),
            (2, 2, 1, 4)
        );
        assert_eq!(found[0].back_after_s, Some(0.25));
        assert_eq!(
            (found[1].lost, found[1].back, found[1].back_after_s),
            (2, 1, None)
        );
        assert_eq!((found[2].lost, found[2].back_after_s), (0, None));
    }
}
