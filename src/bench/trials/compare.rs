//! Two brokers, or one before and after: are the runs of the second better or worse than those of the first?
//!
//! The unit is the run: messages of one run depend on each other, and a thousand of them say nothing of the next run. Only
//! where both sides are a single run its seconds stand for runs, and the comparison says so.

use serde::{Deserialize, Serialize};

use super::statistics::{ALPHA, Difference, difference, holm, median};
use crate::bench::report::Report;
use crate::bench::report::figure::Metric;
use crate::bench::role::Phase;

/// What was found.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Comparison {
    /// The version of this structure. Fields may be added within a version.
    pub schema: u32,
    /// The first side, to which the other is compared.
    pub first: Side,
    /// The second side.
    pub second: Side,
    /// Both were a single run, and their seconds stand for runs.
    pub by_seconds: bool,
    /// How much worse is not yet worse, in percent of the first side's median.
    pub tolerance_percent: f64,
    /// What was compared.
    pub figures: Vec<Figure>,
    /// A figure of the second side is worse.
    pub worse: bool,
}

/// One side.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Side {
    /// What it is called: a file or a broker.
    pub name: String,
    /// How many runs.
    pub runs: usize,
    /// How many of them are invalid.
    pub invalid: usize,
    /// In how many of them a promise of MQTT was broken.
    pub broken: usize,
}

/// One figure of both sides.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Figure {
    /// As in an objective: `p99`, `rate`.
    pub name: String,
    /// It is in seconds; otherwise a number.
    pub is_time: bool,
    /// One value for each run of the first side.
    pub first: Vec<f64>,
    /// One value for each run of the second side.
    pub second: Vec<f64>,
    /// The difference; `null` when one side does not know the figure.
    pub difference: Option<Difference>,
    /// The p-value, corrected for the number of figures after Holm.
    pub p_adjusted: Option<f64>,
    /// What it comes to.
    pub outcome: Outcome,
}

/// What a figure's difference comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The second side is better, surely.
    Better,
    /// The second side is worse, surely and by more than the tolerance.
    Worse,
    /// No difference was found, or none that matters.
    Same,
    /// One side does not know the figure.
    Unknown,
}

impl Figure {
    /// The middle of each side; `None` where one is not known.
    pub fn medians(&self) -> Option<(f64, f64)> {
        let middle = |values: &[f64]| {
            let mut sorted = values.to_vec();
            sorted.sort_by(f64::total_cmp);
            (!sorted.is_empty()).then(|| median(&sorted))
        };
        middle(&self.first).zip(middle(&self.second))
    }
}

/// Compares the runs of two sides, each with its name and at least one run.
pub fn compare(
    first: (String, &[Report]),
    second: (String, &[Report]),
    metrics: &[Metric],
    tolerance_percent: f64,
) -> Comparison {
    let by_seconds = first.1.len() == 1 && second.1.len() == 1;
    let values = |runs: &[Report], metric: Metric| match (by_seconds, runs) {
        (true, [run]) => seconds(run, metric),
        _ => runs.iter().filter_map(|run| metric.of(run).ok()).collect(),
    };
    let mut figures: Vec<Figure> = metrics
        .iter()
        .map(|&metric| {
            let (first, second): (Vec<f64>, Vec<f64>) =
                (values(first.1, metric), values(second.1, metric));
            let known = !first.is_empty() && !second.is_empty();
            Figure {
                name: metric.to_string(),
                is_time: metric.is_time(),
                difference: known.then(|| difference(&first, &second)),
                first,
                second,
                p_adjusted: None,
                outcome: Outcome::Unknown,
            }
        })
        .collect();
    let p: Vec<f64> = figures
        .iter()
        .filter_map(|figure| Some(figure.difference.as_ref()?.p))
        .collect();
    let known = figures
        .iter_mut()
        .filter(|figure| figure.difference.is_some());
    for (figure, p) in known.zip(holm(&p)) {
        figure.p_adjusted = Some(p);
    }
    for (figure, metric) in figures.iter_mut().zip(metrics) {
        figure.outcome = outcome(figure, metric.more_is_better(), tolerance_percent);
    }
    let side = |(name, runs): (String, &[Report])| Side {
        name,
        runs: runs.len(),
        invalid: runs.iter().filter(|run| !run.verdict.valid).count(),
        broken: runs.iter().filter(|run| !run.check.passed).count(),
    };
    Comparison {
        schema: 1,
        first: side(first),
        second: side(second),
        by_seconds,
        tolerance_percent,
        worse: figures
            .iter()
            .any(|figure| figure.outcome == Outcome::Worse),
        figures,
    }
}

/// Worse is what is worse everywhere in the interval by more than the tolerance, and not by chance.
fn outcome(figure: &Figure, more_is_better: bool, tolerance_percent: f64) -> Outcome {
    let (Some(difference), Some((middle, _))) = (&figure.difference, figure.medians()) else {
        return Outcome::Unknown;
    };
    let sure = figure.p_adjusted.is_some_and(|p| p < ALPHA);
    let Some((low, high)) = difference.interval.filter(|_| sure) else {
        return Outcome::Same;
    };
    // Turned so that more is worse.
    let (low, high) = match more_is_better {
        true => (-high, -low),
        false => (low, high),
    };
    let tolerated = middle.abs() * tolerance_percent / 100.0;
    match (low > tolerated, high < 0.0) {
        (true, _) => Outcome::Worse,
        (_, true) => Outcome::Better,
        _ => Outcome::Same,
    }
}

/// At most this many values stand for the seconds of a run: longer stretches depend less on each other.
const STRETCHES: usize = 20;

/// A value for each stretch of the measurement.
fn seconds(run: &Report, metric: Metric) -> Vec<f64> {
    // Only what is measured has a latency.
    let measured = run
        .series
        .iter()
        .filter(|moment| moment.phase <= Phase::Load && !moment.latency.0.is_empty());
    let measured: Vec<_> = measured.collect();
    let length = measured.len().div_ceil(STRETCHES).max(1);
    let stretches = measured.chunks_exact(length);
    stretches
        .filter_map(|stretch| {
            let mut whole = (*stretch.first()?).clone();
            stretch[1..].iter().for_each(|next| whole.extend(next));
            metric.of_moment(&whole)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::report::tests::report;

    /// Runs whose response takes so many microseconds.
    fn runs(us: &[u64]) -> Vec<Report> {
        let run = |&us: &u64| {
            report(1, |found| {
                let response = &mut found.recorder.response;
                response.reset();
                response.record_n(us, 10_000).unwrap();
            })
        };
        us.iter().map(run).collect()
    }

    fn compared(first: &[u64], second: &[u64], tolerance: f64) -> Comparison {
        let metrics = ["rate", "p50", "p99"].map(|name| name.parse().unwrap());
        compare(
            ("a".to_owned(), &runs(first)),
            ("b".to_owned(), &runs(second)),
            &metrics,
            tolerance,
        )
    }

    #[test]
    fn a_broker_that_is_slower_in_every_run_is_worse() {
        let found = compared(&[100, 101, 102, 103, 104], &[200, 201, 202, 203, 204], 0.0);
        let outcomes: Vec<Outcome> = found.figures.iter().map(|figure| figure.outcome).collect();
        assert_eq!(outcomes, [Outcome::Same, Outcome::Worse, Outcome::Worse]);
        assert!(found.worse && !found.by_seconds);
        let back = compared(&[200, 201, 202, 203, 204], &[100, 101, 102, 103, 104], 0.0);
        assert_eq!(back.figures[2].outcome, Outcome::Better);
        assert!(!back.worse);
    }

    #[test]
    fn a_difference_within_the_tolerance_or_by_chance_is_none() {
        let slower = [[100, 101, 102, 103, 104], [104, 105, 106, 107, 108]];
        assert!(compared(&slower[0], &slower[1], 0.0).worse);
        assert!(!compared(&slower[0], &slower[1], 10.0).worse);
        assert!(!compared(&[100, 140, 102, 90, 104], &[110, 95, 120, 101, 99], 0.0).worse);
        assert!(
            !compared(&[100, 101], &[900, 901], 0.0).worse,
            "two runs prove nothing"
        );
    }

    #[test]
    fn what_one_side_does_not_know_is_unknown() {
        let metrics = ["tcp.p50".parse().unwrap(), "loss".parse().unwrap()];
        let runs = runs(&[1, 2]);
        let found = compare(
            ("a".to_owned(), &runs),
            ("b".to_owned(), &runs),
            &metrics,
            0.0,
        );
        assert_eq!(found.figures[0].outcome, Outcome::Unknown);
        assert_eq!(found.figures[1].outcome, Outcome::Same);
    }
}
