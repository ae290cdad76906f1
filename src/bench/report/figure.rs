//! What can be asked of a report by its name: `p99`, `ack.p50`, `loss`, `rate`. With what it is compared is another matter.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Report;
use crate::bench::measure::latency::Latency;
use crate::bench::measure::series::Moment;

/// Why a report does not know a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unknown {
    /// The run had no such latency.
    #[error("was not measured")]
    NotMeasured,
    /// A percentile that wants more samples.
    #[error("not known from so few samples")]
    TooFew,
    /// Messages that nobody knows again.
    #[error("messages without measurement header are only counted")]
    Unmarked,
    /// There was no time that a rate could be of.
    #[error("the run was too short to tell")]
    TooShort,
    /// A share of a rate without a rate.
    #[error("nothing was offered; give --rate")]
    NotOffered,
    /// A share of the deliveries without deliveries.
    #[error("nothing was to be delivered")]
    NothingDue,
    /// A latency that more messages do not have than it leaves out.
    #[error("not known, too many of those that were due never came")]
    Missing,
}

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Figure {
    Latency(Source, Statistic),
    Count(Counted),
    Rate,
}

/// Which latency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
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
pub(super) enum Statistic {
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
pub(super) enum Counted {
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

/// A figure by its name, to be looked up without comparing it with anything: `p99`, `ack.p50`, `rate`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric(pub(super) Figure);

impl Metric {
    /// In seconds, or as a number; or why there is none.
    ///
    /// # Errors
    /// Why the run does not know it.
    pub fn of(self, report: &Report) -> Result<f64, Unknown> {
        match self.0 {
            Figure::Latency(source, statistic) => {
                let latency = source.of(report).as_ref().ok_or(Unknown::NotMeasured)?;
                let us = statistic.of(latency);
                Ok(us.ok_or(Unknown::TooFew)? / 1e6)
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

pub(super) fn figure(name: &str) -> Result<Figure, String> {
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

pub(super) fn name_of<T: Copy + PartialEq>(table: &[(&'static str, T)], wanted: T) -> &'static str {
    let found = table.iter().find(|(_, value)| *value == wanted);
    found.map_or("", |(name, _)| name)
}

/// Whether no message is known again when it arrives.
pub(super) fn is_unmarked(report: &Report) -> bool {
    report.plan.has_unmarked() && !report.plan.has_streams()
}

/// What arrived of what was offered: connections, deliveries, or without subscribers what was sent.
pub(super) fn rate(report: &Report, in_percent: bool) -> Result<f64, Unknown> {
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
    let found = found.ok_or(Unknown::TooShort)?;
    if !in_percent {
        return Ok(found);
    }
    let offered = offered.ok_or(Unknown::NotOffered)?;
    if is_unmarked(report) && report.plan.subscribers() > 0 {
        return Err(Unknown::Unmarked);
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
    pub(super) fn missing(self, report: &Report) -> f64 {
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
    pub(super) fn may_miss(self) -> f64 {
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
    pub(super) fn of(self, report: &Report) -> u64 {
        let delivery = &report.delivery;
        match self {
            Counted::Loss => delivery.lost() + report.messages.never_sent,
            Counted::Duplicates => delivery.duplicates,
            Counted::Reordered => delivery.reordered,
            Counted::Refused => report.messages.refused + report.connections.failed(),
            Counted::Disconnects => report.lost_connections.len() as u64,
        }
    }
}
