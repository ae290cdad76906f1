//! What a run is held to: `p99<10ms,loss=0,rate>=99%`, read into comparisons and judged against the report.
//!
//! A figure that does not exist, such as a percentile of too few samples, meets no objective: nobody has shown
//! that it holds.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Report;
use super::figure::{self, Counted, Figure, Metric, Unknown, figure, is_unmarked, name_of};

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

/// What became of an objective.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// As it was written.
    pub objective: String,
    /// Whether the run met it.
    pub met: bool,
    /// What was found, in words.
    pub found: String,
    /// Why nothing was found, if nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown: Option<Unknown>,
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

impl Objective {
    fn judge(&self, report: &Report) -> Judgement {
        let found = self.found(report);
        let unknown = found.err();
        let (value, found) = match (found, self.limit) {
            (Err(unknown), _) => (None, unknown.to_string()),
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
            unknown,
        }
    }

    /// The figure in the unit of the limit: seconds, a number, or percent; or why there is none.
    fn found(&self, report: &Report) -> Result<f64, Unknown> {
        match self.figure {
            Figure::Latency(source, statistic) => {
                let value = Metric(self.figure).of(report)?;
                match source.missing(report) > statistic.may_miss() {
                    true => Err(Unknown::Missing),
                    false => Ok(value),
                }
            }
            Figure::Count(Counted::Loss | Counted::Duplicates | Counted::Reordered)
                if is_unmarked(report) =>
            {
                Err(Unknown::Unmarked)
            }
            Figure::Count(counted) => {
                let count = counted.of(report) as f64;
                match (
                    self.limit,
                    report.delivery.expected + report.messages.never_sent,
                ) {
                    (Limit::Percent(_), 0) => Err(Unknown::NothingDue),
                    (Limit::Percent(_), expected) => Ok(count * 100.0 / expected as f64),
                    _ => Ok(count),
                }
            }
            Figure::Rate => figure::rate(report, matches!(self.limit, Limit::Percent(_))),
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
