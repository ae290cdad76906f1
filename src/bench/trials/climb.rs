//! What a search for the highest load found: every load that was tried, and whether it held.

use serde::Serialize;

use crate::bench::report::Report;
use crate::bench::report::figure::{Metric, Unknown};
use crate::bench::report::slo::Slo;
use crate::bench::trials::search::Outcome;

/// A finished search, or what there was of it.
#[derive(Debug, Clone, Serialize)]
pub struct Climb {
    /// The version of this structure. Fields may be added within a version.
    pub schema: u32,
    /// What was raised: `rate`, `clients`, `publishers` or `subscribers`.
    pub of: String,
    /// What each load had to hold.
    pub objectives: Vec<String>,
    /// The highest load that held; `null` when none did, or the search was ended before.
    pub found: Option<f64>,
    /// How often it held again.
    pub confirmed: u32,
    /// It was ended by a signal.
    pub interrupted: bool,
    /// Everything that was tried, in this order.
    pub steps: Vec<Step>,
}

/// One load.
#[derive(Debug, Clone, Serialize)]
pub struct Step {
    /// How much: messages or connections per second, or clients.
    pub load: f64,
    /// It had held before and was to hold again.
    pub again: bool,
    /// Why it did not hold; empty when it did.
    pub failures: Vec<Failure>,
    /// What arrived per second.
    pub rate_per_s: Option<f64>,
    /// Median of the latency that counts, in seconds.
    pub p50_s: Option<f64>,
    /// Its 99th percentile.
    pub p99_s: Option<f64>,
    /// Its largest value.
    pub max_s: Option<f64>,
}

/// Why a load did not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(into = "String")]
pub struct Failure {
    /// In words.
    pub words: String,
    /// There were too few samples to tell, so that it says nothing of the load.
    pub is_silent: bool,
}

impl From<String> for Failure {
    fn from(words: String) -> Failure {
        Failure {
            words,
            is_silent: false,
        }
    }
}

impl From<Failure> for String {
    fn from(failure: Failure) -> String {
        failure.words
    }
}

impl Step {
    /// What became of a load, held to the objectives.
    pub fn of(load: f64, again: bool, report: &Report, slo: &Slo) -> Step {
        let figure = |name: &str| {
            name.parse()
                .ok()
                .and_then(|metric: Metric| metric.of(report).ok())
        };
        let missed = slo.judge(report).into_iter().filter(|one| !one.met);
        let mut failures: Vec<Failure> = missed
            .map(|one| Failure {
                words: format!("{}: {}", one.objective, one.found),
                is_silent: one.unknown == Some(Unknown::TooFew),
            })
            .collect();
        failures.extend(report.check.faults.iter().cloned().map(Failure::from));
        let reasons: Vec<&String> = match failures.iter().all(|why| why.is_silent) {
            true => report.verdict.doubts().collect(),
            false => report.verdict.reasons.iter().collect(),
        };
        failures.extend(reasons.into_iter().cloned().map(Failure::from));
        Step {
            load,
            again,
            failures,
            rate_per_s: figure("rate"),
            p50_s: figure("p50"),
            p99_s: figure("p99"),
            max_s: figure("max"),
        }
    }

    /// A load that did not get as far as a report.
    pub fn broken(load: f64, again: bool, why: String) -> Step {
        Step {
            load,
            again,
            failures: vec![why.into()],
            rate_per_s: None,
            p50_s: None,
            p99_s: None,
            max_s: None,
        }
    }

    /// What it says about higher and lower loads.
    pub fn outcome(&self) -> Outcome {
        match self.held() {
            true => Outcome::Passed,
            false if self.failures.iter().all(|why| why.is_silent) => Outcome::Silent,
            false => Outcome::Failed,
        }
    }

    /// Whether it held.
    pub fn held(&self) -> bool {
        self.failures.is_empty()
    }
}

impl Climb {
    /// The lowest load above the answer that did not hold: what limited it.
    pub fn limit(&self) -> Option<&Step> {
        let above = |step: &&Step| !step.held() && self.found.is_none_or(|found| step.load > found);
        let steps = self.steps.iter().filter(above);
        steps.min_by(|one, other| one.load.total_cmp(&other.load))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::report::tests::report;
    use crate::bench::report::verdict::Cause;

    #[test]
    fn a_load_holds_when_nothing_is_missed_broken_or_invalid() {
        let slo: Slo = "p99<1ms,rate>=99%".parse().unwrap();
        let good = Step::of(10_000.0, false, &report(1, |_| {}), &slo);
        assert!(good.held(), "{:?}", good.failures);
        assert_eq!(
            (good.rate_per_s, good.p99_s),
            (Some(10_000.0), Some(120e-6))
        );
        let bad = report(1, |found| found.delivery.lost_acknowledged = 1);
        let slo: Slo = "p99<0.1ms".parse().unwrap();
        let step = Step::of(1.0, false, &bad, &slo);
        let failures = ["p99<100µs: 120µs", "1 acknowledged and lost"];
        assert_eq!(
            step.failures,
            failures.map(|words| Failure::from(words.to_owned()))
        );
        let late = |word: &str| {
            let mut late = report(1, |_| {});
            late.verdict.add(Cause::Late, "agent x: late".to_owned());
            Step::of(1.0, false, &late, &word.parse().unwrap())
        };
        assert!(late("p99<1ms").held(), "it would hold without it");
        assert_eq!(late("p99<0.1ms").failures.len(), 2);
        let few = late("p99.99<1s");
        assert_eq!(few.outcome(), Outcome::Silent, "{:?}", few.failures);
        assert_eq!(
            (good.outcome(), step.outcome()),
            (Outcome::Passed, Outcome::Failed)
        );
        let slo: Slo = "p99.99<1s".parse().unwrap();
        let few = Step::of(1.0, false, &report(1, |_| {}), &slo);
        assert_eq!(few.outcome(), Outcome::Silent, "{:?}", few.failures);
        let climb = Climb {
            schema: 1,
            of: "rate".to_owned(),
            objectives: Vec::new(),
            found: Some(0.5),
            confirmed: 0,
            interrupted: false,
            steps: vec![
                Step {
                    load: 4.0,
                    ..step.clone()
                },
                step,
                good,
            ],
        };
        assert_eq!(climb.limit().unwrap().load, 1.0);
    }
}
