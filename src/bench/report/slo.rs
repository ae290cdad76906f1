//! What a run is held to: `p99<10ms,loss=0,rate>=99%`, read into comparisons and judged against the report.
//!
//! A figure that does not exist, such as a percentile of too few samples, meets no objective: nobody has shown
//! that it holds.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Report;
use crate::bench::measure::latency::Latency;
use crate::bench::measure::series::Moment;

/// What is found of a percentile that wants more samples.
pub const TOO_FEW: &str = "not known from so few samples";

/// Some objectives, separated by commas.
#[derive(Debug, Clone, PartialEq)]
pub struct Slo(pub Vec<Objective>);

/// One comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct Objective {
    figure: Figure,
    comparison: Comparison,
    limit: Limit,
}

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Figure {
    Latency(Source, Statistic),
    Count(Counted),
    Rate,
}

/// Which latency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// The one that counts in the scenario: response where it is paced, otherwise service; without subscribers
    /// the acknowledgement; in `conn` and `idle` that of connecting.
    Main,
    Response,
    Service,
    Acknowledgement,
    SendDelay,
    Tcp,
    ConnAck,
}

const SOURCES: [(&str, Source); 7] = [
    ("", Source::Main),
    ("response.", Source::Response),
    ("service.", Source::Service),
    ("ack.", Source::Acknowledgement),
    ("send.", Source::SendDelay),
    ("tcp.", Source::Tcp),
    ("connack.", Source::ConnAck),
];

/// Which figure of a latency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Statistic {
    P50,
    P90,
    P99,
    P999,
    P9999,
    Max,
    Mean,
}

const STATISTICS: [(&str, Statistic); 7] = [
    ("p50", Statistic::P50),
    ("p90", Statistic::P90),
    ("p99", Statistic::P99),
    ("p99.9", Statistic::P999),
    ("p99.99", Statistic::P9999),
    ("max", Statistic::Max),
    ("mean", Statistic::Mean),
];

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counted {
    /// Deliveries that never came, acknowledged or not, and messages that were due and never sent.
    Loss,
    Duplicates,
    Reordered,
    /// Publishes the broker refused and connections that were not made.
    Refused,
    /// Connections that were lost.
    Disconnects,
}

const COUNTED: [(&str, Counted); 5] = [
    ("loss", Counted::Loss),
    ("duplicates", Counted::Duplicates),
    ("reordered", Counted::Reordered),
    ("refused", Counted::Refused),
    ("disconnects", Counted::Disconnects),
];

/// How it is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    LessOrEqual,
    GreaterOrEqual,
    Less,
    Greater,
    Equal,
}

/// The longer signs first, as they are looked for in this order.
const COMPARISONS: [(&str, Comparison); 5] = [
    ("<=", Comparison::LessOrEqual),
    (">=", Comparison::GreaterOrEqual),
    ("<", Comparison::Less),
    (">", Comparison::Greater),
    ("=", Comparison::Equal),
];

/// What it is compared with.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Limit {
    Time(Duration),
    Number(f64),
    /// Of the deliveries expected, or of the rate offered.
    Percent(f64),
}

/// A figure by its name, to be looked up without comparing it with anything: `p99`, `ack.p50`, `rate`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric(Figure);

impl Metric {
    /// In seconds, or as a number; or why there is none.
    ///
    /// # Errors
    /// Why the run does not know it.
    pub fn of(self, report: &Report) -> Result<f64, &'static str> {
        match self.0 {
            Figure::Latency(source, statistic) => {
                let latency = source.of(report).as_ref().ok_or("was not measured")?;
                let us = statistic.of(latency);
                Ok(us.ok_or(TOO_FEW)? / 1e6)
            }
            Figure::Count(counted) => Ok(counted.of(report) as f64),
            Figure::Rate => rate(report, false),
        }
    }

    /// The same of one second; `None` where it is not known of seconds or there is too little.
    pub fn of_moment(self, moment: &Moment) -> Option<f64> {
        match self.0 {
            Figure::Latency(Source::Main, statistic) => {
                let latency = Latency::of(&moment.latency.0)?;
                Some(statistic.of(&latency)? / 1e6)
            }
            Figure::Rate => {
                let counts = [moment.delivered, moment.acknowledged, moment.sent];
                let count = counts.into_iter().find(|count| *count > 0)?;
                Some(count as f64 / (moment.to_s - moment.from_s).max(0.001))
            }
            _ => None,
        }
    }

    /// Whether it is a time, in seconds.
    pub fn is_time(self) -> bool {
        matches!(self.0, Figure::Latency(..))
    }

    /// Whether more is better.
    pub fn more_is_better(self) -> bool {
        self.0 == Figure::Rate
    }
}

impl FromStr for Metric {
    type Err = String;

    fn from_str(text: &str) -> Result<Metric, String> {
        figure(text.trim()).map(Metric)
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Figure::Rate => out.write_str("rate"),
            Figure::Count(counted) => out.write_str(name_of(&COUNTED, counted)),
            Figure::Latency(source, statistic) => {
                out.write_str(name_of(&SOURCES, source))?;
                out.write_str(name_of(&STATISTICS, statistic))
            }
        }
    }
}

/// What became of an objective.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// As it was written.
    pub objective: String,
    /// Whether the run met it.
    pub met: bool,
    /// What was found, in words.
    pub found: String,
}

impl Slo {
    /// Holds a report to every objective.
    pub fn judge(&self, report: &Report) -> Vec<Judgement> {
        self.0
            .iter()
            .map(|objective| objective.judge(report))
            .collect()
    }
}

impl FromStr for Slo {
    type Err = String;

    fn from_str(text: &str) -> Result<Slo, String> {
        let objectives = text.split(',').map(|part| part.trim().parse());
        objectives.collect::<Result<_, _>>().map(Slo)
    }
}

impl FromStr for Objective {
    type Err = String;

    fn from_str(text: &str) -> Result<Objective, String> {
        let at = text.find(['<', '>', '=']).ok_or_else(|| {
            format!("{text:?} compares nothing; write for example p99<10ms, loss=0 or rate>=99%")
        })?;
        let (name, rest) = text.split_at(at);
        let (comparison, value) = COMPARISONS
            .iter()
            .find_map(|(sign, comparison)| Some((*comparison, rest.strip_prefix(sign)?.trim())))
            .ok_or_else(|| format!("{text:?} compares by an unknown sign"))?;
        let figure = figure(name.trim())?;
        let limit = limit(value).ok_or_else(|| {
            format!("{text:?}: {value:?} is no time (10ms), number (0, 20k) or percentage (99%)")
        })?;
        match (figure, limit) {
            (Figure::Latency(..), Limit::Time(_))
            | (Figure::Count(Counted::Loss) | Figure::Rate, Limit::Percent(_))
            | (Figure::Count(_) | Figure::Rate, Limit::Number(_)) => Ok(Objective {
                figure,
                comparison,
                limit,
            }),
            (Figure::Latency(..), _) => Err(format!("{text:?}: a latency is compared with a time")),
            (Figure::Rate, _) => Err(format!(
                "{text:?}: a rate is compared with a number per second or a percentage of what is offered"
            )),
            (Figure::Count(_), _) => Err(format!("{text:?}: a count is compared with a number")),
        }
    }
}

fn figure(name: &str) -> Result<Figure, String> {
    if name == "rate" {
        return Ok(Figure::Rate);
    }
    if let Some((_, counted)) = COUNTED.iter().find(|(known, _)| *known == name) {
        return Ok(Figure::Count(*counted));
    }
    for (prefix, source) in SOURCES {
        let statistic = name
            .strip_prefix(prefix)
            .and_then(|rest| STATISTICS.iter().find(|(known, _)| *known == rest));
        if let Some((_, statistic)) = statistic {
            return Ok(Figure::Latency(source, *statistic));
        }
    }
    let names = |names: Vec<&str>| names.join(", ");
    Err(format!(
        "{name:?} is not measured; there are rate, {}, {}, the latter also after {}",
        names(COUNTED.map(|(name, _)| name).to_vec()),
        names(STATISTICS.map(|(name, _)| name).to_vec()),
        names(SOURCES[1..].iter().map(|(prefix, _)| *prefix).collect())
    ))
}

fn limit(text: &str) -> Option<Limit> {
    if let Some(percent) = text.strip_suffix('%') {
        return number(percent).map(Limit::Percent);
    }
    let (plain, factor) = match text.char_indices().last()? {
        (end, 'k') => (&text[..end], 1e3),
        (end, 'M') => (&text[..end], 1e6),
        _ => (text, 1.0),
    };
    if let Some(number) = number(plain) {
        return Some(Limit::Number(number * factor));
    }
    // `1.5ms`: a number with a fraction is more than the durations of flags are allowed.
    let unit = text.find(|letter: char| letter.is_alphabetic())?;
    let (number, seconds) = (number(text[..unit].trim())?, text[unit..].trim());
    let seconds = match seconds {
        "us" | "µs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" | "min" => 60.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(number * seconds)
        .ok()
        .map(Limit::Time)
}

/// A number that is neither negative nor infinite.
fn number(text: &str) -> Option<f64> {
    let plain = !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
    text.parse().ok().filter(|_| plain)
}

impl fmt::Display for Objective {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.figure.fmt(out)?;
        out.write_str(name_of(&COMPARISONS, self.comparison))?;
        match self.limit {
            Limit::Time(time) => write!(out, "{time:?}"),
            Limit::Number(number) => write!(out, "{number}"),
            Limit::Percent(percent) => write!(out, "{percent}%"),
        }
    }
}

fn name_of<T: Copy + PartialEq>(table: &[(&'static str, T)], wanted: T) -> &'static str {
    let found = table.iter().find(|(_, value)| *value == wanted);
    found.map_or("", |(name, _)| name)
}

impl Objective {
    fn judge(&self, report: &Report) -> Judgement {
        let (value, found) = match (self.found(report), self.limit) {
            (Err(missing), _) => (None, missing.to_owned()),
            (Ok(value), Limit::Time(_)) => {
                let time = Duration::try_from_secs_f64(value).unwrap_or_default();
                (Some(value), format!("{time:?}"))
            }
            (Ok(value), Limit::Number(_)) => {
                (Some(value), format!("{}", (value * 100.0).round() / 100.0))
            }
            (Ok(value), Limit::Percent(_)) => (Some(value), format!("{value:.3}%")),
        };
        let limit = match self.limit {
            Limit::Time(time) => time.as_secs_f64(),
            Limit::Number(number) | Limit::Percent(number) => number,
        };
        let met = value.is_some_and(|value| match self.comparison {
            Comparison::LessOrEqual => value <= limit,
            Comparison::GreaterOrEqual => value >= limit,
            Comparison::Less => value < limit,
            Comparison::Greater => value > limit,
            Comparison::Equal => value == limit,
        });
        Judgement {
            objective: self.to_string(),
            met,
            found,
        }
    }

    /// The figure in the unit of the limit: seconds, a number, or percent; or why there is none.
    fn found(&self, report: &Report) -> Result<f64, &'static str> {
        match self.figure {
            Figure::Latency(source, statistic) => {
                let value = Metric(self.figure).of(report)?;
                match source.missing(report) > statistic.may_miss() {
                    true => Err(MISSING),
                    false => Ok(value),
                }
            }
            Figure::Count(Counted::Loss | Counted::Duplicates | Counted::Reordered)
                if is_unmarked(report) =>
            {
                Err(UNMARKED)
            }
            Figure::Count(counted) => {
                let count = counted.of(report) as f64;
                match (
                    self.limit,
                    report.delivery.expected + report.messages.never_sent,
                ) {
                    (Limit::Percent(_), 0) => Err("nothing was to be delivered"),
                    (Limit::Percent(_), expected) => Ok(count * 100.0 / expected as f64),
                    _ => Ok(count),
                }
            }
            Figure::Rate => rate(report, matches!(self.limit, Limit::Percent(_))),
        }
    }
}

/// What is found of a latency that more messages do not have than it leaves out.
const MISSING: &str = "not known, too many of those that were due never came";

/// Why there is no figure.
const UNMARKED: &str = "messages without measurement header are only counted";

/// Whether no message is known again when it arrives.
fn is_unmarked(report: &Report) -> bool {
    report.plan.has_unmarked() && !report.plan.has_streams()
}

/// What arrived of what was offered: connections, deliveries, or without subscribers what was sent.
fn rate(report: &Report, in_percent: bool) -> Result<f64, &'static str> {
    let rates = &report.rate_per_s;
    let scenario = report.plan.scenario;
    let (offered, found) = match scenario.connects() {
        true => (
            report.connections.offered_per_s,
            report.connections.made_per_s,
        ),
        false => (
            rates.offered,
            rates.delivered.or(rates.acknowledged).or(rates.sent),
        ),
    };
    let found = found.ok_or("the run was too short to tell")?;
    if !in_percent {
        return Ok(found);
    }
    let offered = offered.ok_or("nothing was offered; give --rate")?;
    if is_unmarked(report) && report.plan.subscribers() > 0 {
        return Err(UNMARKED);
    }
    // A message counts as often as it is to be delivered.
    let copies = match (report.plan.subscribers(), report.messages.sent) {
        (0, _) | (_, 0) => 1.0,
        (_, sent) => report.delivery.expected as f64 / sent as f64,
    };
    Ok(found * 100.0 / (offered * copies))
}

impl Source {
    fn of(self, report: &Report) -> &Option<Latency> {
        let messages = &report.latency_us;
        let legs = &report.connections.latency_us;
        match self {
            Source::Main if report.plan.scenario.connects() => match legs.response {
                Some(_) => &legs.response,
                None => &legs.service,
            },
            Source::Main if report.plan.subscribers() == 0 => &messages.acknowledgement,
            Source::Main if !report.plan.is_paced() => &messages.service,
            Source::Main | Source::Response if !report.plan.scenario.connects() => {
                &messages.response
            }
            Source::Main | Source::Response => &legs.response,
            Source::Service if report.plan.scenario.connects() => &legs.service,
            Source::Service => &messages.service,
            Source::Acknowledgement => &messages.acknowledgement,
            Source::SendDelay => &messages.send_delay,
            Source::Tcp => &legs.tcp,
            Source::ConnAck => &legs.connack,
        }
    }
}

impl Source {
    /// The share of the messages, or connections, that should have this latency and do not have it.
    fn missing(self, report: &Report) -> f64 {
        let messages = &report.messages;
        let delivered = self == Source::Response || self == Source::Service;
        match self {
            _ if report.plan.scenario.connects() => {
                let failed = report.connections.failed();
                failed as f64 / (report.connections.made + failed).max(1) as f64
            }
            Source::Main if report.plan.subscribers() > 0 => report.missing().unwrap_or(0.0),
            _ if delivered => report.missing().unwrap_or(0.0),
            Source::Main | Source::Acknowledgement => {
                let missing = messages.never_acknowledged + messages.never_sent;
                missing as f64 / (messages.sent + messages.never_sent).max(1) as f64
            }
            _ => 0.0,
        }
    }
}

impl Statistic {
    /// The share of the messages that it does not depend on, if they are the slowest.
    fn may_miss(self) -> f64 {
        match self {
            Statistic::P50 => 0.5,
            Statistic::P90 => 0.1,
            Statistic::P99 => 0.01,
            Statistic::P999 => 0.001,
            Statistic::P9999 => 0.0001,
            Statistic::Max | Statistic::Mean => 0.0,
        }
    }

    /// In microseconds.
    fn of(self, latency: &Latency) -> Option<f64> {
        let whole = match self {
            Statistic::P50 => latency.p50,
            Statistic::P90 => latency.p90,
            Statistic::P99 => latency.p99,
            Statistic::P999 => latency.p99_9,
            Statistic::P9999 => latency.p99_99,
            Statistic::Max => Some(latency.max),
            Statistic::Mean => return Some(latency.mean),
        };
        whole.map(|us| us as f64)
    }
}

impl Counted {
    fn of(self, report: &Report) -> u64 {
        let delivery = &report.delivery;
        match self {
            Counted::Loss => {
                delivery.lost_acknowledged
                    + delivery.lost_unacknowledged
                    + delivery.lost_disconnected
                    + report.messages.never_sent
            }
            Counted::Duplicates => delivery.duplicates,
            Counted::Reordered => delivery.reordered,
            Counted::Refused => report.messages.refused + report.connections.failed(),
            Counted::Disconnects => report.lost_connections.len() as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::load::tally::Measurement;
    use crate::bench::report::tests::report;

    /// Holds a run of 10,000/s at 120 µs to these objectives: which are met, and what was found.
    fn judged(text: &str) -> Vec<(bool, String)> {
        let slo: Slo = text.parse().unwrap();
        let report = report(1, |found| found.delivery.lost_unacknowledged = 3);
        let judgements = slo.judge(&report).into_iter();
        judgements.map(|each| (each.met, each.found)).collect()
    }

    fn one(text: &str) -> (bool, String) {
        judged(text).remove(0)
    }

    #[test]
    fn a_percentile_is_not_known_when_more_never_arrived_than_it_leaves_out() {
        let judged = |text: &str, change: fn(&mut Measurement)| {
            let slo: Slo = text.parse().unwrap();
            slo.judge(&report(1, change)).remove(0).met
        };
        // 2 % of 15,000 deliveries, and what would have been as many.
        assert!(judged("p99<1s", |_| {}));
        assert!(judged("max<1s", |_| {}));
        let lost: fn(&mut Measurement) = |found| found.delivery.lost_unacknowledged = 300;
        assert!(!judged("p99<1s", lost) && judged("p90<1s", lost));
        let unsent: fn(&mut Measurement) = |found| found.unsent = 300;
        assert!(!judged("response.p99<1s", unsent) && judged("p90<1s", unsent));
        let silent: fn(&mut Measurement) = |found| found.unanswered = 300;
        assert!(!judged("ack.p99<1s", silent) && judged("p99<1s", silent));
    }

    #[test]
    fn objectives_are_compared_with_what_was_found() {
        for (text, met, found) in [
            ("p99<10ms", true, "120µs"),
            ("p99<120us", false, "120µs"),
            ("p99<=120µs", true, "120µs"),
            ("service.p50<0.1ms", false, "100µs"),
            ("service.p90<=0.1 ms", true, "100µs"),
            (
                "max<1s",
                false,
                "not known, too many of those that were due never came",
            ),
            ("send.max<1s", true, "20µs"),
            ("send.p50=20us", true, "20µs"),
            ("ack.p99<50us", false, "60µs"),
            ("loss=0", false, "3"),
            ("loss<=3", true, "3"),
            ("loss<0.1%", true, "0.020%"),
            ("duplicates=0", true, "0"),
            ("rate>=99%", true, "100.000%"),
            ("rate>10k", false, "10000"),
            ("rate>=10k", true, "10000"),
            ("p99.99<1s", false, "not known from so few samples"),
            ("tcp.p99<1s", false, "was not measured"),
        ] {
            assert_eq!(one(text), (met, found.to_owned()), "{text}");
        }
    }

    #[test]
    fn several_are_judged_one_by_one() {
        let met: Vec<bool> = judged("p99 < 10ms, loss = 0,rate>=99%")
            .into_iter()
            .map(|(met, _)| met)
            .collect();
        assert_eq!(met, [true, false, true]);
    }

    #[test]
    fn an_objective_prints_as_one_that_reads_the_same() {
        for text in [
            "p99<10ms",
            "loss=0",
            "rate>=99%",
            "ack.p99.9<=1.5s",
            "rate>20000",
            "mean>0ns",
        ] {
            if let Ok(objective) = text.parse::<Objective>() {
                assert_eq!(objective.to_string(), text);
            } else {
                assert_eq!(text, "mean>0ns");
            }
        }
    }

    #[test]
    fn what_compares_nothing_is_refused_with_what_there_is() {
        for (text, words) in [
            ("", "compares nothing"),
            ("p99", "compares nothing"),
            ("p98<1ms", "\"p98\" is not measured; there are rate, loss"),
            ("p99<10", "a latency is compared with a time"),
            ("loss=0ms", "a count is compared with a number"),
            ("duplicates<1%", "a count is compared with a number"),
            ("rate>=1s", "a rate is compared with"),
            ("loss=-1", "is no time"),
            ("p99<infs", "is no time"),
            ("p99<1e999ms", "is no time"),
            ("loss=", "is no time"),
            ("p99=<1ms", "is no time"),
            ("p99<10ms,,loss=0", "compares nothing"),
        ] {
            let error = text.parse::<Slo>().unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
