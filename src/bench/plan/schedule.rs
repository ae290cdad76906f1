//! When a client's n-th message (or connection) is due, as pure arithmetic: a [`Schedule`] is one client's part of a
//! [`Pace`].
//!
//! The clock never enters: a message is due at its time whatever the broker does, so a stall delays messages
//! and is seen in their latency instead of quietly lowering the load (coordinated omission).

use std::time::Duration;

use super::pace::{Pace, Shape};
use crate::bench::random::Random;

/// When one client's messages are due.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// Which client this is, from 0.
    client: u64,
    /// How many take turns.
    clients: u64,
    times: Times,
}

/// When the messages of a load are due: of the whole load, but for `Poisson`.
#[derive(Debug, Clone, PartialEq)]
enum Times {
    /// As soon as flow control allows.
    Unpaced,
    /// Every `nanoseconds / messages`, reduced.
    Constant { nanoseconds: u64, messages: u64 },
    /// Rates per second and seconds.
    Ramp { from: f64, to: f64, over: f64 },
    /// Rates per second and seconds.
    Stairs {
        from: f64,
        rise: f64,
        steps: u32,
        each: f64,
    },
    /// Nanoseconds.
    Burst { count: u64, every: u64 },
    /// Each client's own: where it is, and how it goes on.
    Poisson {
        start: Random,
        next: Random,
        number: u64,
        at_ns: f64,
        mean_ns: f64,
    },
}

/// A time that never comes.
const NEVER: Duration = Duration::from_nanos(u64::MAX);

impl Schedule {
    /// The schedule of client number `client` (from 0) of `clients`. What is random in it follows from `seed`.
    pub fn new(pace: Pace, seed: u64, client: u32, clients: u32) -> Schedule {
        let (shape, factor) = match pace {
            Pace::Max => (None, 1),
            Pace::Total(shape) => (Some(shape), 1),
            Pace::PerClient(shape) => (Some(shape), clients),
        };
        let times = match shape {
            None => Times::Unpaced,
            Some(Shape::Constant(rate)) => {
                let nanoseconds = 1_000_000_000_000; // 1,000 s
                let messages = rate.times(factor).per_1000_s;
                let divisor = greatest_common_divisor(nanoseconds, messages);
                Times::Constant {
                    nanoseconds: nanoseconds / divisor,
                    messages: messages / divisor,
                }
            }
            Some(Shape::Ramp(from, to, over)) => Times::Ramp {
                from: from.times(factor).per_second(),
                to: to.times(factor).per_second(),
                over: over.as_secs_f64(),
            },
            Some(Shape::Stairs(from, to, steps, each)) => {
                let (from, to) = (
                    from.times(factor).per_second(),
                    to.times(factor).per_second(),
                );
                Times::Stairs {
                    from,
                    rise: (to - from) / f64::from(steps - 1),
                    steps,
                    each: each.as_secs_f64(),
                }
            }
            Some(Shape::Burst(count, every)) => Times::Burst {
                count: u64::from(count) * u64::from(factor),
                every: every.as_nanos() as u64,
            },
            Some(Shape::Poisson(rate)) => {
                let own = rate.times(factor).per_second() / f64::from(clients);
                let start = Random::of(&[seed, client.into()]);
                Times::poisson(start, 1e9 / own)
            }
        };
        Schedule {
            client: client.into(),
            clients: clients.into(),
            times,
        }
    }

    /// The schedule of another client of the same load; not for one that is random.
    pub fn of(&self, client: u32) -> Schedule {
        Schedule {
            client: client.into(),
            ..self.clone()
        }
    }

    /// When message `n` (from 0) is due, counted from the start of the load; `None` for "as soon as possible". Where
    /// times are random they are told quickly for ascending `n` only.
    pub fn due(&mut self, n: u64) -> Option<Duration> {
        let turn = n.saturating_mul(self.clients).saturating_add(self.client);
        Some(match &mut self.times {
            Times::Unpaced => return None,
            Times::Constant {
                nanoseconds,
                messages,
            } => Duration::from_nanos(match turn.checked_mul(*nanoseconds) {
                Some(product) => product / *messages,
                None => {
                    (u128::from(turn) * u128::from(*nanoseconds) / u128::from(*messages)) as u64
                }
            }),
            Times::Ramp { from, to, over } => seconds(ramp(*from, *to, *over, turn as f64)),
            Times::Stairs {
                from,
                rise,
                steps,
                each,
            } => seconds(stairs(*from, *rise, *steps, *each, turn as f64)),
            Times::Burst { count, every } => {
                Duration::from_nanos((turn / *count).saturating_mul(*every))
            }
            Times::Poisson {
                start,
                next,
                number,
                at_ns,
                mean_ns,
            } => {
                if n < *number {
                    self.times = Times::poisson(*start, *mean_ns);
                    return self.due(n);
                }
                while *number < n {
                    *number += 1;
                    *at_ns += next.exponential() * *mean_ns;
                }
                Duration::from_nanos(*at_ns as u64)
            }
        })
    }

    /// How many messages are due before `elapsed`; `None` when none has a due time.
    pub fn due_before(&self, elapsed: Duration) -> Option<u64> {
        match self.times {
            Times::Unpaced => None,
            Times::Constant {
                nanoseconds,
                messages,
            } => {
                let turns =
                    (elapsed.as_nanos() * u128::from(messages)).div_ceil(nanoseconds.into());
                let turns = u64::try_from(turns).unwrap_or(u64::MAX);
                Some(turns.saturating_sub(self.client).div_ceil(self.clients))
            }
            // Nothing is skipped: each time follows from the one before.
            Times::Poisson { .. } => {
                let mut schedule = self.clone();
                (0..).find(|n| schedule.due(*n).is_none_or(|due| due >= elapsed))
            }
            _ => {
                let mut schedule = self.clone();
                let mut is_before = |n| schedule.due(n).is_some_and(|due| due < elapsed);
                let (mut before, mut behind) = (0, 1);
                while is_before(behind - 1) {
                    (before, behind) = (behind, behind.saturating_mul(2));
                    if before == behind {
                        return Some(u64::MAX);
                    }
                }
                while before + 1 < behind {
                    let middle = before + (behind - before) / 2;
                    match is_before(middle - 1) {
                        true => before = middle,
                        false => behind = middle,
                    }
                }
                Some(before)
            }
        }
    }
}

impl Times {
    fn poisson(start: Random, mean_ns: f64) -> Times {
        let mut next = start;
        let at_ns = next.exponential() * mean_ns;
        Times::Poisson {
            start,
            next,
            number: 0,
            at_ns,
            mean_ns,
        }
    }
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).map_or(NEVER, |due| due.min(NEVER))
}

/// When a load that goes evenly from one rate to another comes to message `turn`, in seconds: after t its messages are
/// `from * t + (to - from) / (2 * over) * t²`, which is solved for t.
fn ramp(from: f64, to: f64, over: f64, turn: f64) -> f64 {
    let whole = (from + to) / 2.0 * over;
    if turn >= whole {
        return over + (turn - whole) / to;
    }
    let curve = (to - from) / (2.0 * over);
    let root = (from * from + 4.0 * curve * turn).max(0.0).sqrt();
    match from + root {
        0.0 => 0.0,
        both => 2.0 * turn / both,
    }
}

/// When a load that climbs `steps` steps comes to message `turn`, in seconds: before step s there are
/// `each * (from * s + rise * s * (s - 1) / 2)`.
fn stairs(from: f64, rise: f64, steps: u32, each: f64, turn: f64) -> f64 {
    let before = |step: u32| {
        let step = f64::from(step);
        each * (from * step + rise * step * (step - 1.0) / 2.0)
    };
    // The last step that begins at or before this message and has any.
    let (mut step, mut behind) = (0, steps);
    while step + 1 < behind {
        let middle = step.midpoint(behind);
        match before(middle) <= turn {
            true => step = middle,
            false => behind = middle,
        }
    }
    let rate = from + rise * f64::from(step);
    each * f64::from(step) + (turn - before(step)) / rate
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 {
        a
    } else {
        greatest_common_divisor(b, a % b)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn schedule(pace: &str, client: u32, clients: u32) -> Schedule {
        Schedule::new(pace.parse().unwrap(), 77, client, clients)
    }

    /// The due times of one client before so many seconds.
    fn times(pace: &str, client: u32, clients: u32, seconds: u64) -> Vec<f64> {
        let mut schedule = schedule(pace, client, clients);
        let count = schedule.due_before(Duration::from_secs(seconds)).unwrap();
        (0..count)
            .map(|n| schedule.due(n).unwrap().as_secs_f64())
            .collect()
    }

    #[test]
    fn one_publisher_sends_at_equal_distances_from_the_start() {
        assert_eq!(times("4", 0, 1, 1), [0.0, 0.25, 0.5, 0.75]);
    }

    #[test]
    fn publishers_take_turns() {
        for (client, expected) in [(0, [0.0, 0.5]), (1, [0.125, 0.625]), (3, [0.375, 0.875])] {
            assert_eq!(times("8", client, 4, 1), expected);
            assert_eq!(times("2/client", client, 4, 1), expected);
        }
    }

    #[test]
    fn an_awkward_rate_does_not_drift() {
        // 7 messages a second do not divide a second; after a week the error is still below a nanosecond.
        let week = 7 * 24 * 3600;
        assert_eq!(
            schedule("7", 0, 1).due(7 * week),
            Some(Duration::from_secs(week))
        );
        assert_eq!(
            schedule("99999", 2, 3).due_before(Duration::from_secs(1000)),
            Some(33_333_000)
        );
    }

    #[test]
    fn a_century_at_the_fastest_rate_does_not_overflow() {
        let century = Duration::from_secs(100 * 365 * 86400);
        let mut schedule = schedule("1000M", 0, 1);
        let n = schedule.due_before(century).unwrap();
        assert_eq!(schedule.due(n), Some(century));
    }

    #[test]
    fn without_a_rate_nothing_has_a_due_time() {
        assert_eq!(schedule("max", 0, 1).due(5), None);
        assert_eq!(schedule("max", 0, 1).due_before(Duration::MAX), None);
    }

    #[test]
    fn a_burst_is_due_all_at_once_and_shared_by_the_clients() {
        assert_eq!(times("burst:4:2s", 0, 2, 5), [0.0, 0.0, 2.0, 2.0, 4.0, 4.0]);
        assert_eq!(times("burst:2:2s/client", 1, 2, 3), [0.0, 0.0, 2.0, 2.0]);
    }

    #[test]
    fn a_ramp_sends_the_area_below_it() {
        // 0 to 100/s within 10 s are 500 messages; the one in the middle comes after 10 s / sqrt(2).
        let all = times("ramp:0..100:10s", 0, 1, 12);
        assert_eq!(all.len(), 500 + 200);
        assert!(
            (all[250] - 10.0 / 2_f64.sqrt()).abs() < 1e-9,
            "{}",
            all[250]
        );
        assert_eq!(all[500], 10.0);
        // Down as well, and to nothing.
        let down = times("ramp:100..20:10s", 0, 1, 20);
        assert_eq!(down.len(), 600 + 200);
        assert!(down[0] == 0.0 && down.is_sorted());
        assert_eq!(times("ramp:100..0:10s", 0, 1, 1_000_000).len(), 500);
    }

    #[test]
    fn stairs_send_the_area_below_each_step() {
        let all = times("stairs:10..30:3x10s", 0, 1, 40);
        let within = |from: f64, to: f64| all.iter().filter(|at| (from..to).contains(*at)).count();
        assert_eq!(
            [
                within(0.0, 10.0),
                within(10.0, 20.0),
                within(20.0, 30.0),
                within(30.0, 40.0)
            ],
            [100, 200, 300, 300]
        );
        assert!((all[101] - all[100] - 1.0 / 20.0).abs() < 1e-9);
        assert_eq!(
            times("stairs:0..10:2x5s", 0, 1, 7).len(),
            20,
            "nothing on the first step"
        );
    }

    #[test]
    fn poisson_arrivals_have_the_mean_and_the_variance_of_their_law() {
        // 8 clients at 2,000/s together for 50 s. Per 10 ms there are 20 on average, with a variance of 20.
        let mut bins = vec![0_u32; 5000];
        let mut gaps = Vec::new();
        for client in 0..8 {
            let all = times("poisson:2000", client, 8, 50);
            gaps.extend(all.windows(2).map(|pair| pair[1] - pair[0]));
            for at in all {
                bins[(at * 100.0) as usize] += 1;
            }
        }
        let count = bins.len() as f64;
        let mean = bins.iter().sum::<u32>() as f64 / count;
        let variance = bins
            .iter()
            .map(|bin| (f64::from(*bin) - mean).powi(2))
            .sum::<f64>()
            / count;
        // Standard errors: sqrt(20 / 5000) = 0.06, and 20 * sqrt(2 / 5000) = 0.4.
        assert!((mean - 20.0).abs() < 0.3, "{mean}");
        assert!((variance - 20.0).abs() < 2.0, "{variance}");
        // Gaps of one client: mean 4 ms, and a standard deviation as large as the mean.
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let deviation =
            (gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64).sqrt();
        assert!(
            (mean - 0.004).abs() < 0.0001 && (deviation - 0.004).abs() < 0.0001,
            "{mean} {deviation}"
        );
    }

    #[test]
    fn poisson_arrivals_are_the_same_again_and_others_for_another_client() {
        let mut one = schedule("poisson:100", 0, 2);
        let later = one.due(500);
        let first = one.due(0);
        assert_eq!(schedule("poisson:100", 0, 2).due(500), later);
        assert_ne!(schedule("poisson:100", 1, 2).due(0), first);
    }

    fn any_pace() -> impl Strategy<Value = String> {
        prop_oneof![
            (1u64..5_000_000).prop_map(|rate| format!("{rate}")),
            (1u64..5_000_000).prop_map(|rate| format!("0.{rate:03}")),
            (0u64..500_000, 1u64..500_000, 1u64..5000)
                .prop_map(|(from, to, s)| format!("ramp:{from}..{to}:{s}s")),
            (1u64..500_000, 1u64..500_000, 2u32..50, 1u64..500)
                .prop_map(|(from, to, steps, s)| format!("stairs:{from}..{to}:{steps}x{s}s")),
            (1u64..5000, 1u64..5000).prop_map(|(count, ms)| format!("burst:{count}:{ms}ms")),
            (1u64..500).prop_map(|rate| format!("poisson:{rate}")),
        ]
    }

    proptest! {
        #[test]
        fn due_before_counts_exactly_what_is_due(
            pace in any_pace(), clients in 1u32..50, client in 0u32..50, n in 0u64..5_000,
        ) {
            let mut schedule = schedule(&pace, client % clients, clients);
            let due = schedule.due(n).unwrap();
            prop_assert!(schedule.due(n + 1).unwrap() >= due);
            let before = schedule.due_before(due).unwrap();
            prop_assert!(before <= n);
            prop_assert!(before == 0 || schedule.due(before - 1).unwrap() < due);
            prop_assert!(schedule.due_before(due + Duration::from_nanos(1)).unwrap() > n);
        }

        #[test]
        fn all_publishers_together_make_the_rate(rate in 1u64..2_000_000, clients in 1u32..100) {
            let rate = rate.to_string();
            let sent: u64 = (0..clients)
                .map(|client| schedule(&rate, client, clients).due_before(Duration::from_secs(10)).unwrap())
                .sum();
            prop_assert_eq!(sent, rate.parse::<u64>().unwrap() * 10);
        }
    }
}
