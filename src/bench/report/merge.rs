//! Several runs of one plan as one report.
//!
//! Histograms and counts are added, so nothing is lost and no percentile is averaged. A rate is what happened over the
//! time in which any of the runs measured: runs side by side add up, runs one after the other average, and the rule
//! is the same.

use std::collections::BTreeMap;

use super::rates::Rates;
use super::slo::{Objective, Slo};
use super::verdict::{Verdict, check};
use super::{Broker, Latencies, Report};
use crate::bench::measure::connects::{ConnectLatencies, Connections};
use crate::bench::measure::series::Moment;

/// One report of all; at least one.
///
/// # Errors
/// When there is none, or they are not of one plan: what is different.
pub fn merge(mut runs: Vec<Report>) -> Result<Report, String> {
    runs.sort_by(|one, other| start(one).total_cmp(&start(other)));
    let mut rest = runs.into_iter();
    let mut whole = rest.next().ok_or("there is no run to report")?;
    for run in rest {
        if let Some(difference) = difference(&whole, &run) {
            return Err(format!(
                "runs of different plans cannot be merged: {difference}; mqtt bench compare tells them apart"
            ));
        }
        add(&mut whole, run);
    }
    Ok(whole)
}

fn start(report: &Report) -> f64 {
    report
        .parts
        .first()
        .map_or(0.0, |part| part.measured_unix_s.0)
}

/// The first thing that two plans do not have in common, beside what names the run.
pub fn difference(one: &Report, other: &Report) -> Option<String> {
    let plan = |report: &Report| {
        let run = report.plan.run.to_string();
        let text = serde_json::to_string(&report.plan).unwrap_or_default();
        // The run's own name is also in its topics.
        let text = text.replace(&run, "RUN");
        let mut leaves = BTreeMap::new();
        flatten(
            "",
            &serde_json::from_str(&text).unwrap_or_default(),
            &mut leaves,
        );
        leaves
    };
    let (one, other) = (plan(one), plan(other));
    let keys = one.keys().chain(other.keys());
    let value = |plan: &BTreeMap<String, String>, key| {
        plan.get(key).map_or("not there", String::as_str).to_owned()
    };
    keys.map(|key| (key, value(&one, key), value(&other, key)))
        .find(|(_, one, other)| one != other)
        .map(|(key, one, other)| format!("{key} is {one} in one and {other} in another"))
}

/// Every value of a JSON text by where it stands: `publish.0.size`.
fn flatten(path: &str, value: &serde_json::Value, leaves: &mut BTreeMap<String, String>) {
    let below = |key: &str| match path {
        "" => key.to_owned(),
        path => format!("{path}.{key}"),
    };
    match value {
        serde_json::Value::Object(members) => {
            for (key, value) in members {
                flatten(&below(key), value, leaves);
            }
        }
        serde_json::Value::Array(values) => {
            for (place, value) in values.iter().enumerate() {
                flatten(&below(&place.to_string()), value, leaves);
            }
        }
        value => {
            leaves.insert(path.to_owned(), value.to_string());
        }
    }
}

fn add(whole: &mut Report, run: Report) {
    let beside = overlap(whole, &run);
    let rates_before = [&*whole, &run].map(Counted::of);
    whole.parts.extend(run.parts);
    whole.measured_s = covered(whole);
    whole.finished_at = whole.finished_at.clone().max(run.finished_at);
    whole.setup_s = whole.setup_s.max(run.setup_s);
    if let (Some(whole), Some(run)) = (&mut whole.warm_up, &run.warm_up) {
        whole.lasted_s = whole.lasted_s.max(run.lasted_s);
        whole.steady &= run.steady;
    }
    whole.interrupted |= run.interrupted;
    whole.environment.debug_build |= run.environment.debug_build;

    whole.messages.merge(&run.messages);
    whole.delivery.merge(&run.delivery);
    whole.histograms.merge(&run.histograms);
    whole.latency_us = Latencies::of(&whole.histograms);
    whole.rate_per_s = rates(whole, rates_before, beside);
    connections(&mut whole.connections, run.connections, beside);
    whole.connections.latency_us = ConnectLatencies::of(&whole.histograms);
    for theirs in run.brokers {
        let mut known = whole.brokers.iter_mut();
        match known.find(|ours| ours.endpoint == theirs.endpoint) {
            Some(ours) => ours.add(&theirs),
            None => whole.brokers.push(theirs),
        }
    }
    for refusal in run.refusals {
        let mut known = whole.refusals.iter_mut();
        match known.find(|known| known.reason == refusal.reason) {
            Some(known) => known.count += refusal.count,
            None => whole.refusals.push(refusal),
        }
    }
    whole.lost_connections.extend(run.lost_connections);
    whole.faults.extend(run.faults);
    for share in run.shares {
        match whole.shares.iter_mut().find(|known| known.is_like(&share)) {
            Some(known) => known.add(&share),
            None => whole.shares.push(share),
        }
    }
    whole.machines.extend(run.machines);
    whole.clocks = match (whole.clocks.take(), run.clocks) {
        (Some(ours), Some(theirs)) => Some(ours.and(&theirs)),
        (ours, theirs) => ours.or(theirs),
    };
    match (&mut whole.isolation, run.isolation) {
        (Some(ours), Some(theirs)) => ours.merge(theirs, beside),
        (ours, theirs) => *ours = ours.take().or(theirs),
    }

    broker(&mut whole.broker, &run.broker);
    (whole.generator).merge(&run.generator, beside, &whole.messages);
    series(&mut whole.series, run.series, beside);
    judge(
        whole,
        run.verdict,
        run.objectives.into_iter().map(|one| one.objective),
    );
}

/// What the rates of a run say that cannot be had from the sums.
struct Counted {
    /// Messages that were offered.
    offered: Option<f64>,
    /// Messages that arrived, and how many a second.
    arrived: (u64, Option<f64>),
}

impl Counted {
    fn of(report: &Report) -> Counted {
        let rate = &report.rate_per_s;
        Counted {
            offered: rate.offered.map(|rate| rate * report.measured_s),
            arrived: (report.messages.arrived, rate.delivered),
        }
    }
}

/// The rates of a report whose counts are those of both runs by now.
fn rates(whole: &Report, [one, other]: [Counted; 2], beside: bool) -> Rates {
    let seconds = whole.measured_s.max(0.001);
    let (messages, given) = (&whole.messages, &whole.rate_per_s);
    let rate = |given: Option<f64>, count: u64| given.map(|_| count as f64 / seconds);
    let offered = one.offered.zip(other.offered);
    Rates {
        offered: offered.map(|(one, other)| (one + other) / seconds),
        sent: rate(given.sent, messages.sent_measured),
        acknowledged: rate(given.acknowledged, messages.acknowledged_measured),
        delivered: match whole.plan.only_fetches() {
            true => both(one.arrived, other.arrived, beside),
            false => rate(given.delivered, messages.arrived_measured),
        },
    }
}

fn connections(ours: &mut Connections, theirs: Connections, beside: bool) {
    ours.offered_per_s = both(
        (ours.asked.into(), ours.offered_per_s),
        (theirs.asked.into(), theirs.offered_per_s),
        beside,
    );
    ours.made_per_s = both(
        (ours.made, ours.made_per_s),
        (theirs.made, theirs.made_per_s),
        beside,
    );
    ours.asked = ours.asked.saturating_add(theirs.asked);
    ours.made += theirs.made;
    for failure in theirs.failures {
        let mut known = ours.failures.iter_mut();
        match known.find(|known| known.reason == failure.reason) {
            Some(known) => known.count += failure.count,
            None => ours.failures.push(failure),
        }
    }
}

fn broker(ours: &mut Broker, theirs: &Broker) {
    for endpoint in theirs.endpoint.split(", ") {
        if !ours.endpoint.split(", ").any(|known| known == endpoint) {
            ours.endpoint = format!("{}, {endpoint}", ours.endpoint);
        }
    }
    ours.granted_qos = ours.granted_qos.min(theirs.granted_qos);
    let windows = ours.window.zip(theirs.window);
    ours.window = windows.map(|(one, other)| one.min(other));
}

/// [`joined`] where both have a rate.
fn both(one: (u64, Option<f64>), other: (u64, Option<f64>), beside: bool) -> Option<f64> {
    Some(joined((one.0, one.1?), (other.0, other.1?), beside))
}

/// The rate of two counts with theirs: the sum when they were counted at the same time, otherwise what both make in the
/// time of both.
pub(super) fn joined(one: (u64, f64), other: (u64, f64), beside: bool) -> f64 {
    if beside {
        return one.1 + other.1;
    }
    let seconds = |(count, rate): (u64, f64)| count as f64 / rate;
    let both = seconds(one) + seconds(other);
    match both.is_normal() {
        true => (one.0 + other.0) as f64 / both,
        false => f64::midpoint(one.1, other.1),
    }
}

/// Whether the run was measured at the same time as one of the others.
fn overlap(whole: &Report, run: &Report) -> bool {
    run.parts.iter().any(|new| {
        let (from, to) = new.measured_unix_s;
        let meets =
            |known: &super::Part| known.measured_unix_s.0 < to && from < known.measured_unix_s.1;
        whole.parts.iter().any(meets)
    })
}

/// Seconds in which any part was measured.
fn covered(report: &Report) -> f64 {
    let mut spans: Vec<(f64, f64)> = report
        .parts
        .iter()
        .map(|part| part.measured_unix_s)
        .collect();
    spans.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mut reached = f64::NEG_INFINITY;
    let mut seconds = 0.0;
    for (from, to) in spans {
        seconds += (to - from.max(reached)).max(0.0);
        reached = reached.max(to);
    }
    seconds
}

/// Runs side by side have their seconds in common; those of a later run come behind.
fn series(whole: &mut Vec<Moment>, run: Vec<Moment>, beside: bool) {
    let behind = whole.last().map_or(0.0, |last| last.to_s);
    for mut moment in run {
        if beside {
            let same = whole.iter_mut().find(|known| {
                let middle = f64::midpoint(moment.from_s, moment.to_s);
                known.phase == moment.phase && (known.from_s..known.to_s).contains(&middle)
            });
            match same {
                Some(known) => known.beside(&moment),
                None => whole.push(moment),
            }
        } else {
            moment.from_s += behind;
            moment.to_s += behind;
            whole.push(moment);
        }
    }
    whole.sort_by(|one, other| one.from_s.total_cmp(&other.from_s));
}

/// What was said of the runs holds for all of them together; what can be found anew is.
fn judge(whole: &mut Report, verdict: Verdict, objectives: impl Iterator<Item = String>) {
    whole.verdict.merge(verdict);
    whole.check = check(&whole.delivery);
    let mut texts: Vec<String> = Vec::new();
    let known = whole.objectives.iter().map(|one| one.objective.clone());
    for text in known.chain(objectives) {
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    let objectives: Vec<Objective> = texts.iter().filter_map(|text| text.parse().ok()).collect();
    whole.objectives = Slo(objectives).judge(whole);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::load::tally::Measurement;
    use crate::bench::plan::size::Size;
    use crate::bench::report::tests::report;
    use crate::bench::report::verdict::Cause;

    /// A run of a second that began at `at_s`.
    fn run(at_s: f64, change: impl FnOnce(&mut Measurement)) -> Report {
        let mut report = report(1, change);
        report.parts[0].measured_unix_s = (at_s, at_s + 1.0);
        report
    }

    #[test]
    fn one_run_stays_as_it_is_and_comes_back_from_json_as_it_was() {
        let one = run(100.0, |_| {});
        let json = serde_json::to_string(&one).unwrap();
        let back: Report = serde_json::from_str(&json).unwrap();
        let merged = merge(vec![back]).unwrap();
        assert_eq!(serde_json::to_string(&merged).unwrap(), json);
        assert!(merge(Vec::new()).is_err());
    }

    #[test]
    fn runs_side_by_side_add_up_and_runs_one_after_the_other_average() {
        let merged = |at_s| merge(vec![run(at_s, |_| {}), run(100.0, |_| {})]).unwrap();
        let (beside, after) = (merged(100.0), merged(500.0));
        for both in [&beside, &after] {
            assert_eq!(both.messages.sent_measured, 20_000);
            assert_eq!(both.delivery.received, 30_000);
            assert_eq!(both.latency_us.response.as_ref().unwrap().samples, 20_000);
            assert_eq!(both.parts.len(), 2);
        }
        assert_eq!((beside.measured_s, after.measured_s), (1.0, 2.0));
        assert_eq!(beside.rate_per_s.delivered, Some(20_000.0));
        assert_eq!(after.rate_per_s.delivered, Some(10_000.0));
        assert_eq!(after.rate_per_s.offered, Some(10_000.0));
        assert_eq!(
            after.parts[0].measured_unix_s.0, 100.0,
            "in the order of time"
        );
    }

    #[test]
    fn rates_of_runs_one_after_the_other_count_for_as_long_as_they_lasted() {
        // Three runs of a second each.
        let two = joined((100, 100.0), (400, 400.0), false);
        assert_eq!(joined((500, two), (100, 100.0), false), 200.0);
        assert_eq!(joined((1, 3.0), (9, 4.0), true), 7.0);
        assert_eq!(joined((0, 0.0), (0, 5.0), false), 2.5);
    }

    #[test]
    fn the_percentile_of_all_is_that_of_their_histograms() {
        let slow = run(300.0, |found| {
            let recorder = &mut found.recorder;
            recorder.response.reset();
            recorder.response.record_n(9_000, 10_000).unwrap();
        });
        let merged = merge(vec![run(100.0, |_| {}), slow]).unwrap();
        let response = merged.latency_us.response.unwrap();
        assert_eq!((response.p50, response.p90), (Some(120), Some(9_007)));
    }

    #[test]
    fn a_fault_of_one_run_is_a_fault_of_all_and_objectives_are_judged_anew() {
        let mut bad = run(300.0, |found| found.delivery.lost_acknowledged = 3);
        bad.verdict.add(Cause::ClockSet, "the moon".to_owned());
        let slo: Slo = "loss=0,p99<1ms".parse().unwrap();
        let mut good = run(100.0, |_| {});
        good.objectives = slo.judge(&good);
        assert!(good.objectives.iter().all(|one| one.met));
        let merged = merge(vec![good, bad]).unwrap();
        assert_eq!(merged.verdict.reasons, ["the moon"]);
        assert_eq!(merged.verdict.causes, [Cause::ClockSet]);
        assert_eq!(merged.check.faults, ["3 acknowledged and lost"]);
        let met: Vec<bool> = merged.objectives.iter().map(|one| one.met).collect();
        assert_eq!(met, [false, true]);
    }

    #[test]
    fn runs_of_different_plans_are_refused_with_what_is_different() {
        let mut other = run(300.0, |_| {});
        other.plan.publish[0].size = Some(Size::Fixed(65));
        let error = merge(vec![run(100.0, |_| {}), other]).unwrap_err();
        assert!(
            error.contains("publish.0.size is 64 in one and 65 in another"),
            "{error}"
        );
        let mut same = run(300.0, |_| {});
        same.plan.run.0 = 7;
        same.plan.publish[0].topic[0] = "bench/00000007/%i".parse().unwrap();
        let mut first = run(100.0, |_| {});
        first.plan.publish[0].topic[0] = "bench/00c0ffee/%i".parse().unwrap();
        assert!(
            merge(vec![first, same]).is_ok(),
            "only the run's name differs"
        );
    }
}
