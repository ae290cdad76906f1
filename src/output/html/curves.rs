//! The charts of a report: latency by percentile, latency over time, rates over time.

use std::time::Duration;

use hdrhistogram::Histogram;

use super::chart::{Chart, Scale};
use crate::bench::measure::series::Moment;
use crate::bench::report::Report;
use crate::bench::role::Phase;
use crate::output::figures::{time, whole};
use crate::output::recovery;

/// What has a line of its own: its tag, what it is called, its colour in the style sheet.
const LATENCIES: [(&str, &str, &str); 8] = [
    ("response", "response", "one"),
    ("service", "service", "two"),
    ("ack", "acknowledgement", "three"),
    ("send", "send delay", "four"),
    ("connect.response", "response", "one"),
    ("connect.service", "service", "two"),
    ("connect.tcp", "TCP", "three"),
    ("connect.connack", "CONNACK", "four"),
];

/// What the lines of a chart are called, and their colours in the style sheet.
pub(super) type Legend = Vec<(&'static str, &'static str)>;

/// The latencies that are shown, with names and colours: those of messages, without any those of connecting.
pub(super) fn latencies(report: &Report) -> Vec<(&Histogram<u64>, &'static str, &'static str)> {
    let found = |connect: bool| {
        let wanted = LATENCIES
            .iter()
            .filter(move |(tag, ..)| tag.starts_with("connect.") == connect);
        let found = wanted
            .filter_map(|(tag, name, class)| Some((report.histograms.tagged(tag)?, *name, *class)));
        found.collect::<Vec<_>>()
    };
    let messages = found(false);
    match messages.is_empty() {
        true => found(true),
        false => messages,
    }
}

/// Percentiles from left to right, each next nine as wide as the one before; latency upwards in powers of ten.
pub(super) fn percentiles(report: &Report) -> Option<String> {
    let found = latencies(report);
    let most = found.iter().map(|(histogram, ..)| histogram.len()).max()?;
    // As far as there are samples: the last tenth of a nine has one.
    let nines = (most as f64).log10().max(1.0);
    // What hardly any message is below of would only take room from the rest.
    let least = found
        .iter()
        .map(|(found, ..)| found.value_at_quantile(0.02))
        .min()?;
    let highest = found.iter().map(|(histogram, ..)| histogram.max()).max()?;
    let height = 380.0;
    let (across, up) = (
        Scale::across(0.0, nines),
        Scale::up_by_powers(least as f64, highest as f64, height),
    );
    let mut chart = Chart::new(height, "latency by percentile");
    chart.vertical_axis(&up, round_time);
    let mut marks = vec![(across.at(0.0), "min".to_owned())];
    let names = [
        "p50", "p90", "p99", "p99.9", "p99.99", "p99.999", "p99.9999",
    ];
    let places = [2_f64.log10(), 1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    let known = names
        .iter()
        .zip(places)
        .filter(|(_, place)| *place <= nines + 1e-9);
    marks.extend(
        known
            .clone()
            .map(|(name, place)| (across.at(place), (*name).to_owned())),
    );
    chart.horizontal_axis(&marks, "percentile");
    for (histogram, name, class) in found.iter().rev() {
        let end = (histogram.len() as f64).log10();
        let steps = (end * 24.0).ceil() as u32;
        let points: Vec<(f64, f64)> = (0..=steps)
            .map(|step| {
                let place = (f64::from(step) / 24.0).min(end);
                let us = match step == steps {
                    true => histogram.max(),
                    false => histogram.value_at_quantile(1.0 - 10_f64.powf(-place)),
                };
                (across.at(place), up.at(us as f64))
            })
            .collect();
        chart.line(class, &points);
        for (percentile, place) in known
            .clone()
            .filter(|(_, place)| *place <= end - 1.0 + 1e-9)
        {
            let us = histogram.value_at_quantile(1.0 - 10_f64.powf(-place));
            let says = format!("{name} {percentile}: {}", micros(us));
            chart.point(class, (across.at(place), up.at(us as f64)), &says);
        }
    }
    Some(chart.finish())
}

/// Most columns of the heat map.
const COLUMNS: usize = 160;

/// How many rows a power of ten has.
const ROWS: f64 = 12.0;

/// Time from left to right, latency upwards; a cell is the denser the more of its time's messages are in it.
pub(super) fn heat_map(report: &Report) -> Option<String> {
    let moments = shown(&report.series);
    let measured = moments.iter().filter(|moment| !moment.latency.0.is_empty());
    let least = measured
        .clone()
        .map(|moment| moment.latency.0.min())
        .min()?;
    let most = measured.map(|moment| moment.latency.0.max()).max()?;
    let height = 340.0;
    let across = Scale::across(moments.first()?.from_s, moments.last()?.to_s);
    let up = Scale::up_by_powers(least as f64, most as f64, height);
    let mut chart = Chart::new(height, "latency over time");
    chart.vertical_axis(&up, round_time);
    chart.horizontal_axis(&seconds(&across), "seconds");
    strips(&mut chart, &across, report);
    let (mut middle, mut late) = (Vec::new(), Vec::new());
    for column in moments.chunks(moments.len().div_ceil(COLUMNS)) {
        let (from, to) = (column.first()?.from_s, column.last()?.to_s);
        let mut whole = column[0].latency.0.clone();
        for moment in &column[1..] {
            // It resizes itself, so it takes any other.
            let _ = whole.add(&moment.latency.0);
        }
        let (left, right) = (across.at(from), across.at(to));
        if whole.is_empty() {
            chart.shade(left, right, word(column[0].phase));
            continue;
        }
        cells(&mut chart, &whole, (left, right), &up, from);
        let centre = f64::midpoint(left, right);
        let at = |quantile| (centre, up.at(whole.value_at_quantile(quantile) as f64));
        middle.push(at(0.5));
        late.push(at(0.99));
    }
    chart.line("median", &middle);
    chart.line("late", &late);
    Some(chart.finish())
}

/// One column of the heat map.
fn cells(
    chart: &mut Chart,
    found: &Histogram<u64>,
    (left, right): (f64, f64),
    up: &Scale,
    from_s: f64,
) {
    let mut rows: Vec<(i64, u64)> = Vec::new();
    for value in found.iter_recorded() {
        let us = value.value_iterated_to().max(1) as f64;
        let row = (us.log10() * ROWS).floor() as i64;
        match rows.last_mut() {
            Some((last, count)) if *last == row => *count += value.count_since_last_iteration(),
            _ => rows.push((row, value.count_since_last_iteration())),
        }
    }
    let most = rows.iter().map(|(_, count)| *count).max().unwrap_or(1) as f64;
    for (row, count) in rows {
        let edge = |row: i64| 10_f64.powf(row as f64 / ROWS);
        let (bottom, top) = (up.at(edge(row)), up.at(edge(row + 1)));
        let says = format!(
            "{from_s:.0} s, {} to {}: {}",
            micros(edge(row) as u64),
            micros(edge(row + 1) as u64),
            whole(count as f64)
        );
        // By the square root, so that a few late ones are seen beside a hundred thousand.
        let share = 0.07 + 0.93 * (count as f64 / most).sqrt();
        chart.cell(
            (left, top.min(bottom - 1.0)),
            (right + 0.3, bottom),
            share,
            &says,
        );
    }
}

/// Messages or connections per second over time.
pub(super) fn rates(report: &Report) -> Option<(String, Legend)> {
    let moments = shown(&report.series);
    let of = |count: fn(&Moment) -> u64| -> Vec<(f64, f64)> {
        let rate = |moment: &Moment| {
            let length = (moment.to_s - moment.from_s).max(0.001);
            let middle = f64::midpoint(moment.from_s, moment.to_s);
            // The remainder at the end is too short to tell a rate.
            (length > 0.25).then_some((middle, count(moment) as f64 / length))
        };
        moments.iter().filter_map(rate).collect()
    };
    let mut lines = vec![
        ("delivered", "one", of(|moment| moment.delivered)),
        ("sent", "two", of(|moment| moment.sent)),
        ("acknowledged", "three", of(|moment| moment.acknowledged)),
    ];
    lines.retain(|(_, _, line)| line.iter().any(|(_, rate)| *rate > 0.0));
    let offered = report.rate_per_s.offered;
    let rates = lines
        .iter()
        .flat_map(|(_, _, line)| line.iter().map(|(_, rate)| *rate));
    let most = rates.chain(offered).reduce(f64::max)?;
    let height = 260.0;
    let across = Scale::across(moments.first()?.from_s, moments.last()?.to_s);
    let up = Scale::up(most * 1.02, height);
    let mut chart = Chart::new(height, "rates over time");
    chart.vertical_axis(&up, whole);
    chart.horizontal_axis(&seconds(&across), "seconds");
    strips(&mut chart, &across, report);
    for moment in moments.iter().filter(|moment| moment.latency.0.is_empty()) {
        let (from, to) = (across.at(moment.from_s), across.at(moment.to_s));
        chart.shade(from, to, word(moment.phase));
    }
    let mut legend: Legend = lines
        .iter()
        .map(|(name, class, _)| (*name, *class))
        .collect();
    if let Some(offered) = offered {
        let ends = [moments.first()?.from_s, moments.last()?.to_s];
        chart.line("offered", &ends.map(|at| (across.at(at), up.at(offered))));
        legend.push(("offered", "offered"));
    }
    legend.extend(STRIP.filter(|_| has_strips(report)));
    for (name, class, line) in lines.iter().rev() {
        let points: Vec<(f64, f64)> = line
            .iter()
            .map(|(x, y)| (across.at(*x), up.at(*y)))
            .collect();
        chart.line(class, &points);
        if points.len() <= 60 {
            for (point, (at_s, rate)) in points.iter().zip(line) {
                chart.point(
                    class,
                    *point,
                    &format!("{name} at {at_s:.1} s: {}/s", whole(*rate)),
                );
            }
        }
    }
    Some((chart.finish(), legend))
}

/// What a strip is called and looks like.
pub(super) const STRIP: Option<(&str, &str)> = Some(("fault", "strip"));

/// Whether the charts have any.
pub(super) fn has_strips(report: &Report) -> bool {
    let is_one = report.parts.len() == 1 || !report.machines.is_empty();
    is_one && !report.faults.is_empty()
}

/// Where faults of the plan were on. Runs that were merged have their own times, and their faults no place.
fn strips(chart: &mut Chart, across: &Scale, report: &Report) {
    for fault in report.faults.iter().filter(|_| has_strips(report)) {
        let (from, to) = (fault.at_s, fault.at_s + fault.lasted_s);
        chart.strip(across.at(from), across.at(to), &recovery::head(fault));
    }
}

/// What has a place over time: the load; where there was none, connecting.
fn shown(series: &[Moment]) -> Vec<Moment> {
    let load = |moment: &&Moment| moment.phase > Phase::Setup;
    let longest = series
        .iter()
        .filter(load)
        .any(|moment| moment.sent + moment.delivered > 0);
    let moments = series.iter().filter(|moment| !longest || load(moment));
    moments.cloned().collect()
}

fn word(phase: Phase) -> &'static str {
    match phase {
        Phase::Setup => "connecting",
        Phase::Load => "warm-up: does not count",
        Phase::Drain | Phase::Close => "waiting for what was on its way: does not count",
    }
}

fn seconds(across: &Scale) -> Vec<(f64, String)> {
    let ticks = across.ticks();
    let label = |at: f64| {
        if at.fract() == 0.0 {
            format!("{at:.0}")
        } else {
            format!("{at:.1}")
        }
    };
    ticks
        .into_iter()
        .map(|at| (across.at(at), label(at)))
        .collect()
}

fn micros(us: u64) -> String {
    time(Duration::from_micros(us))
}

/// `100 µs`, `5 ms`: a round time without digits behind the point.
fn round_time(us: f64) -> String {
    match us {
        ..1e3 => format!("{us:.0} µs"),
        ..1e6 => format!("{:.0} ms", us / 1e3),
        _ => format!("{:.0} s", us / 1e6),
    }
}
