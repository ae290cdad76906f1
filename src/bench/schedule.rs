//! When a client's n-th message (or connection) is due, as pure arithmetic: a [`Pace`] is what was asked for, a
//! [`Schedule`] one client's part of it.
//!
//! The clock never enters: a message is due at its time whatever the broker does, so a stall delays messages
//! and is seen in their latency instead of quietly lowering the load (coordinated omission).

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use super::random::Random;

/// A rate in messages per second; kept as whole messages per 1,000 s so that no rounding adds up over a long run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    per_1000_s: u64,
}

/// The fastest rate accepted. Beyond one message a nanosecond a due time cannot be told from the next.
const FASTEST: f64 = 1e9;

impl Rate {
    /// Messages per second.
    pub fn per_second(self) -> f64 {
        self.per_1000_s as f64 / 1000.0
    }

    fn times(self, factor: u32) -> Rate {
        Rate {
            per_1000_s: self.per_1000_s.saturating_mul(factor.into()),
        }
    }
}

/// `1000`, `0.5`, `20k` or `1.5M`.
impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Rate, String> {
        let text = text.trim();
        let (number, factor) = match text.char_indices().last() {
            Some((end, 'k' | 'K')) => (&text[..end], 1e3),
            Some((end, 'M')) => (&text[..end], 1e6),
            _ => (text, 1.0),
        };
        let rate = number.parse::<f64>().map_err(|_| {
            format!("{text:?} is no rate; write messages per second, for example 500, 20k or max")
        })? * factor;
        if !(0.001..=FASTEST).contains(&rate) {
            return Err(format!(
                "a rate of {text}/s is out of range, 0.001 to {FASTEST:e}"
            ));
        }
        Ok(Rate {
            per_1000_s: (rate * 1000.0).round() as u64,
        })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.per_second())
    }
}

/// How the messages of a group are spread over time.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Pace {
    /// As fast as flow control allows: nothing is due.
    #[default]
    Max,
    /// At times, all clients together.
    Total(Shape),
    /// At times, each client so many.
    PerClient(Shape),
}

/// The form of a load over time. Times count from the start of the load, warm-up included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shape {
    /// At equal distances.
    Constant(Rate),
    /// At random, independently of each other: each client is a Poisson process.
    Poisson(Rate),
    /// From one rate evenly to another within a time, and on at that.
    Ramp(Rate, Rate, Duration),
    /// From one rate to another in so many steps, each of this length, and on at the last.
    Stairs(Rate, Rate, u32, Duration),
    /// So many at once, every so often.
    Burst(u32, Duration),
}

/// The most steps.
const MOST_STEPS: u32 = 10_000;

impl Pace {
    /// Messages per second of so many clients; `None` without a pace or when it changes.
    pub fn per_second(self, clients: u32) -> Option<f64> {
        let (shape, factor) = match self {
            Pace::Max => return None,
            Pace::Total(shape) => (shape, 1.0),
            Pace::PerClient(shape) => (shape, f64::from(clients)),
        };
        match shape {
            Shape::Constant(rate) | Shape::Poisson(rate) => Some(rate.per_second() * factor),
            Shape::Burst(count, every) => Some(f64::from(count) * factor / every.as_secs_f64()),
            Shape::Ramp(..) | Shape::Stairs(..) => None,
        }
    }

    /// Whether the rate changes as the run goes on.
    pub fn changes(self) -> bool {
        matches!(
            self,
            Pace::Total(Shape::Ramp(..) | Shape::Stairs(..))
                | Pace::PerClient(Shape::Ramp(..) | Shape::Stairs(..))
        )
    }

    /// Whether times can only be told one after the other.
    pub fn is_random(self) -> bool {
        matches!(
            self,
            Pace::Total(Shape::Poisson(_)) | Pace::PerClient(Shape::Poisson(_))
        )
    }
}

/// `max`, `1000`, `poisson:1000`, `ramp:100..5000:30s`, `stairs:1000..5000:5x10s` or `burst:100:1s`; behind it
/// `/client` when it is each client's own.
impl FromStr for Pace {
    type Err = String;

    fn from_str(text: &str) -> Result<Pace, String> {
        let text = text.trim();
        if text == "max" {
            return Ok(Pace::Max);
        }
        match text.strip_suffix("/client") {
            Some(own) => own.parse().map(Pace::PerClient),
            None => text.parse().map(Pace::Total),
        }
    }
}

impl FromStr for Shape {
    type Err = String;

    fn from_str(text: &str) -> Result<Shape, String> {
        let Some((form, rest)) = text.split_once(':') else {
            return text.parse().map(Shape::Constant);
        };
        let wish = match form {
            "poisson" => return rest.parse().map(Shape::Poisson),
            "ramp" => "ramp:FROM..TO:TIME, for example ramp:100..5k:30s",
            "stairs" => "stairs:FROM..TO:STEPSxTIME, for example stairs:1k..5k:5x10s",
            "burst" => "burst:MESSAGES:EVERY, for example burst:100:1s",
            _ => {
                return Err(format!(
                    "{form:?} is no form of a load; there are poisson:, ramp:, stairs: and burst:"
                ));
            }
        };
        let wrong = || format!("{text:?} is not of the form {wish}");
        let (first, last) = rest.split_once(':').ok_or_else(wrong)?;
        let time = |text: &str| match humantime::parse_duration(text.trim()) {
            Ok(time) if !time.is_zero() && time <= LONGEST => Ok(time),
            _ => Err(wrong()),
        };
        if form == "burst" {
            return match first.trim().parse() {
                Ok(count @ 1..) => Ok(Shape::Burst(count, time(last)?)),
                _ => Err(wrong()),
            };
        }
        let (from, to) = first.split_once("..").ok_or_else(wrong)?;
        let (from, to) = (rate_or_none(from)?, rate_or_none(to)?);
        if from.per_1000_s + to.per_1000_s == 0 {
            return Err(wrong());
        }
        if form == "ramp" {
            return Ok(Shape::Ramp(from, to, time(last)?));
        }
        let (steps, each) = last.split_once('x').ok_or_else(wrong)?;
        match steps.trim().parse() {
            Ok(steps @ 2..=MOST_STEPS) => Ok(Shape::Stairs(from, to, steps, time(each)?)),
            _ => Err(wrong()),
        }
    }
}

/// The longest time in a pace.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

/// A rate that may be 0, where it does not stay there.
fn rate_or_none(text: &str) -> Result<Rate, String> {
    match text.trim() {
        "0" => Ok(Rate { per_1000_s: 0 }),
        text => text.parse(),
    }
}

impl fmt::Display for Pace {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pace::Max => out.write_str("max"),
            Pace::Total(shape) => shape.fmt(out),
            Pace::PerClient(shape) => write!(out, "{shape}/client"),
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = |time: &Duration| {
            humantime::format_duration(*time)
                .to_string()
                .replace(' ', "")
        };
        match self {
            Shape::Constant(rate) => rate.fmt(out),
            Shape::Poisson(rate) => write!(out, "poisson:{rate}"),
            Shape::Ramp(from, to, over) => write!(out, "ramp:{from}..{to}:{}", time(over)),
            Shape::Stairs(from, to, steps, each) => {
                write!(out, "stairs:{from}..{to}:{steps}x{}", time(each))
            }
            Shape::Burst(count, every) => write!(out, "burst:{count}:{}", time(every)),
        }
    }
}

/// A number where a number says it, otherwise the text.
impl Serialize for Pace {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Pace::Total(Shape::Constant(rate)) if rate.per_1000_s.is_multiple_of(1000) => {
                serializer.serialize_u64(rate.per_1000_s / 1000)
            }
            pace => serializer.collect_str(pace),
        }
    }
}

impl<'de> Deserialize<'de> for Pace {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Pace, D::Error> {
        deserializer.deserialize_any(Words)
    }
}

struct Words;

impl Visitor<'_> for Words {
    type Value = Pace;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a rate, for example 500, \"20k\" or \"max\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Pace, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_f64<E: Error>(self, rate: f64) -> Result<Pace, E> {
        self.visit_str(&rate.to_string())
    }

    fn visit_i64<E: Error>(self, rate: i64) -> Result<Pace, E> {
        self.visit_str(&rate.to_string())
    }

    fn visit_u64<E: Error>(self, rate: u64) -> Result<Pace, E> {
        self.visit_str(&rate.to_string())
    }
}

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
    fn a_rate_is_a_number_with_an_optional_unit() {
        for (text, expected) in [
            ("1000", 1000.0),
            ("0.5", 0.5),
            ("20k", 20_000.0),
            ("1.5M", 1_500_000.0),
        ] {
            assert_eq!(text.parse::<Rate>().unwrap().per_second(), expected);
        }
        for text in ["", "k", "-1", "0", "1e30", "NaN", "10 apples", "ä"] {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_pace_has_a_form_and_says_whose_it_is() {
        for (text, per_second) in [
            ("max", None),
            ("500", Some(500.0)),
            ("5/client", Some(50.0)),
            ("poisson:200", Some(200.0)),
            ("poisson:0.5/client", Some(5.0)),
            ("burst:100:2s", Some(50.0)),
            ("burst:3:500ms/client", Some(60.0)),
            ("ramp:0..5000:1m30s", None),
            ("stairs:1000..5000:5x10s", None),
        ] {
            let pace: Pace = text.parse().unwrap();
            assert_eq!(pace.per_second(10), per_second, "{text}");
            assert_eq!(pace.to_string(), text);
            assert_eq!(pace.changes(), text.contains(".."));
        }
        for (text, words) in [
            ("fast", "is no rate"),
            ("sine:5", "there are poisson:, ramp:, stairs: and burst:"),
            ("poisson:", "is no rate"),
            ("ramp:5..6", "for example ramp:100..5k:30s"),
            ("ramp:0..0:5s", "for example ramp:100..5k:30s"),
            ("ramp:5..6:0s", "for example ramp:100..5k:30s"),
            ("ramp:5..fast:3s", "is no rate"),
            ("stairs:5..6:1x5s", "for example stairs:1k..5k:5x10s"),
            ("burst:0:5s", "for example burst:100:1s"),
            ("max/client", "is no rate"),
        ] {
            let error = text.parse::<Pace>().unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
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

        #[test]
        fn any_text_is_a_pace_or_refused_and_a_pace_prints_as_it_is_read(text in "(max|poisson:|ramp:|stairs:|burst:)?[0-9.k:xs]{0,12}(/client)?") {
            if let Ok(pace) = text.parse::<Pace>() {
                prop_assert_eq!(pace.to_string().parse::<Pace>().unwrap(), pace);
            }
        }
    }
}
