//! A bench's report as one HTML file: it loads nothing, runs no script, and is readable in light and dark and on paper.

mod chart;
mod curves;

use std::fmt::Write;
use std::time::Duration;

use serde_json::Value;

use self::chart::escaped;
use super::figures::{time, whole};
use super::{headline, isolation, machines, recovery};
use crate::bench::measure::latency::Latency;
use crate::bench::measure::portion::AtBroker;
use crate::bench::report::Report;
use crate::bench::report::recovery::Recovery;
use crate::bench::trials::tour::Tour;

/// The whole page.
pub fn page(report: &Report) -> String {
    let title = headline::headline(report);
    document(&title, &run(report, &title))
}

/// The page of a tour: each stage in full, one after the other.
pub fn tour(tour: &Tour) -> String {
    let broker = tour.runs.first().map(headline::target);
    let runs = tour.runs.iter();
    let stages: String = runs
        .map(|report| run(report, &headline::headline(report)))
        .collect();
    document(
        &format!("A tour of {}", broker.unwrap_or_default()),
        &stages,
    )
}

/// Everything about one run.
fn run(report: &Report, title: &str) -> String {
    [
        header(report, title),
        tiles(report),
        charts(report),
        latency_table(report),
        brokers_table(report),
        deliveries(report),
        faults(report),
        machines(report),
        trouble(report),
        conditions(report),
        footer(report),
    ]
    .concat()
}

fn document(title: &str, body: &str) -> String {
    // A page that is told to load nothing cannot be made to, whatever a broker wrote into a reason.
    let policy = "default-src 'none'; style-src 'unsafe-inline'";
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{}</title>\n<style>\n{}</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n",
        escaped(title),
        include_str!("style.css")
    )
}

fn header(report: &Report, title: &str) -> String {
    let mut stamps = String::new();
    let mut stamp = |good: bool, word: &str, more: &str| {
        let class = if good { "good" } else { "bad" };
        let more = match more {
            "" => String::new(),
            more => format!(" <span>{}</span>", escaped(more)),
        };
        stamps += &format!("<li class=\"{class}\">{}{more}</li>\n", escaped(word));
    };
    let verdict = &report.verdict;
    stamp(
        verdict.valid,
        if verdict.valid { "VALID" } else { "INVALID" },
        &verdict.reasons.join("; "),
    );
    if report.messages.sent > 0 {
        let word = match report.check.passed {
            true => "DELIVERY CHECK PASSED",
            false => "DELIVERY CHECK FAILED",
        };
        stamp(report.check.passed, word, &report.check.faults.join("; "));
    }
    if let Some(found) = &report.isolation {
        let (word, words) = isolation::verdict(found);
        stamp(found.isolated == Some(true), word, &words);
    }
    for judgement in &report.objectives {
        let in_doubt = judgement.met && report.verdict.is_in_doubt();
        let but = if in_doubt { ", not shown" } else { "" };
        let found = format!("{}{but}", judgement.found);
        stamp(judgement.met && !in_doubt, &judgement.objective, &found);
    }
    format!(
        "<header>\n<h1>{}</h1>\n<p>{}</p>\n<p>{}</p>\n<ul class=\"stamps\">\n{stamps}</ul>\n</header>\n",
        escaped(title),
        escaped(&headline::target(report)),
        escaped(&headline::measurement(report))
    )
}

fn tiles(report: &Report) -> String {
    let rate = &report.rate_per_s;
    let latency = curves::latencies(report);
    let headline = latency
        .first()
        .and_then(|(histogram, name, _)| Some((Latency::of(histogram)?, *name)));
    let mut tiles = Vec::new();
    let rates = [
        (rate.delivered, "messages delivered / s"),
        (rate.acknowledged, "messages acknowledged / s"),
        (rate.sent, "messages sent / s"),
        (report.connections.made_per_s, "connections / s"),
    ];
    if let Some((rate, words)) = rates
        .into_iter()
        .find_map(|(rate, words)| Some((rate?, words)))
    {
        tiles.push((whole(rate), words.to_owned()));
    }
    if let Some((latency, name)) = headline {
        let times = [
            ("p50", latency.p50),
            ("p99", latency.p99),
            ("p99.9", latency.p99_9),
            ("max", Some(latency.max)),
        ];
        for (percentile, us) in times {
            if let Some(us) = us {
                tiles.push((micros(us), format!("{percentile} {name}")));
            }
        }
    }
    if report.delivery.expected > 0 {
        tiles.push((
            whole(report.delivery.lost() as f64),
            "messages lost".to_owned(),
        ));
    }
    let tile = |(value, words): &(String, String)| {
        format!(
            "<div><b>{}</b><span>{}</span></div>\n",
            escaped(value),
            escaped(words)
        )
    };
    format!(
        "<div class=\"tiles\">\n{}</div>\n",
        tiles.iter().map(tile).collect::<String>()
    )
}

fn charts(report: &Report) -> String {
    let mut out = String::new();
    let lines: Vec<(&str, &str)> = curves::latencies(report)
        .iter()
        .map(|(_, name, class)| (*name, *class))
        .collect();
    if let Some(chart) = curves::percentiles(report) {
        let note = match report.plan.scenario.connects() {
            true => {
                "How long the slowest share of all connections took; each nine has the same room. Response counts from when a \
                 connection was due, service from when it was begun."
            }
            false => {
                "How late the slowest share of all messages was; each nine has the same room. Response counts from when a message \
                 was due, service from when it was sent."
            }
        };
        out += &section("Latency by percentile", note, &lines, &chart);
    }
    if let Some(chart) = curves::heat_map(report) {
        let note = "Where the messages of each moment lie; the denser the more, by the square root. Grey does not count.";
        let mut legend = vec![("median", "median"), ("p99", "late")];
        legend.extend(curves::STRIP.filter(|_| curves::has_strips(report)));
        out += &section("Latency over time", note, &legend, &chart);
    }
    if let Some((chart, legend)) = curves::rates(report) {
        out += &section("Rates", "Messages per second over time.", &legend, &chart);
    }
    out
}

fn section(title: &str, note: &str, legend: &[(&str, &str)], chart: &str) -> String {
    let entries = legend
        .iter()
        .map(|(name, class)| format!("<li><i class=\"{class}\"></i>{name}</li>"));
    format!(
        "<section>\n<h2>{title}</h2>\n<p class=\"note\">{note}</p>\n<ul class=\"legend\">{}</ul>\n<div class=\"wide\">{chart}</div></section>\n",
        entries.collect::<String>()
    )
}

/// What each of several brokers had of the load.
fn brokers_table(report: &Report) -> String {
    let row = |broker: &AtBroker| {
        let latency = broker.latency_us.as_ref();
        let times = [
            latency.and_then(|latency| latency.p50),
            latency.and_then(|latency| latency.p99),
            latency.map(|latency| latency.max),
        ];
        let counts = [broker.connections, broker.sent, broker.delivered];
        let counts = counts.map(|count| format!("<td>{}</td>", whole(count as f64)));
        let times = times.map(|us| format!("<td>{}</td>", us.map_or("–".to_owned(), micros)));
        let name = escaped(&broker.endpoint);
        format!(
            "<tr><td>{name}</td>{}{}</tr>\n",
            counts.concat(),
            times.concat()
        )
    };
    let rows: String = report.brokers.iter().map(row).collect();
    if rows.is_empty() {
        return String::new();
    }
    let heads = [
        "broker",
        "connections",
        "sent",
        "delivered",
        "p50",
        "p99",
        "max",
    ];
    let heads = heads.map(|head| format!("<th>{head}</th>")).concat();
    let title = "<section>\n<h2>The brokers</h2>";
    format!(
        "{title}\n<div class=\"wide\"><table><tr>{heads}</tr>\n{rows}</table></div>\n</section>\n"
    )
}

fn latency_table(report: &Report) -> String {
    let rows: String = curves::latencies(report)
        .iter()
        .filter_map(|(histogram, name, _)| Some((Latency::of(histogram)?, name)))
        .map(|(latency, name)| {
            let Latency {
                min,
                mean,
                p50,
                p90,
                p99,
                p99_9,
                p99_99,
                max,
                samples,
            } = latency;
            let times = [
                Some(min),
                Some(mean as u64),
                p50,
                p90,
                p99,
                p99_9,
                p99_99,
                Some(max),
            ];
            let cells = times.map(|us| format!("<td>{}</td>", us.map_or("–".to_owned(), micros)));
            format!(
                "<tr><td>{name}</td>{}<td>{}</td></tr>\n",
                cells.concat(),
                whole(samples as f64)
            )
        })
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    let heads = [
        "latency", "min", "mean", "p50", "p90", "p99", "p99.9", "p99.99", "max", "samples",
    ];
    let heads = heads.map(|head| format!("<th>{head}</th>")).concat();
    format!(
        "<section>\n<h2>Latency in numbers</h2>\n<p class=\"note\">A percentile with fewer than ten samples beyond it is not given.</p>\n\
         <div class=\"wide\"><table><tr>{heads}</tr>\n{rows}</table></div>\n</section>\n"
    )
}

fn deliveries(report: &Report) -> String {
    if report.messages.sent == 0 && report.messages.arrived == 0 {
        return String::new();
    }
    let counted = |value: &Value| {
        let fields = value.as_object().into_iter().flatten();
        let rows = fields
            .filter_map(|(name, count)| Some((name.replace('_', " "), whole(count.as_f64()?))));
        rows.collect::<Vec<_>>()
    };
    let json = |value: serde_json::Result<Value>| value.unwrap_or_default();
    format!(
        "<div class=\"pair\">\n{}{}</div>\n",
        words(
            "Messages",
            &counted(&json(serde_json::to_value(&report.messages)))
        ),
        words(
            "Deliveries",
            &counted(&json(serde_json::to_value(report.delivery)))
        )
    )
}

fn faults(report: &Report) -> String {
    let row = |fault: &Recovery| (recovery::head(fault), recovery::outcome(fault).join("; "));
    let mut rows: Vec<(String, String)> = report.faults.iter().map(row).collect();
    let slow = report.isolation.as_ref();
    rows.extend(slow.map(|found| {
        (
            "slow subscribers".to_owned(),
            isolation::fate(found).join("; "),
        )
    }));
    match rows.is_empty() {
        true => String::new(),
        false => words("Faults", &rows),
    }
}

fn machines(report: &Report) -> String {
    let rows = machines::rows(report);
    match rows.is_empty() {
        true => String::new(),
        false => words("Machines", &rows),
    }
}

fn trouble(report: &Report) -> String {
    let mut rows = Vec::new();
    for failure in &report.connections.failures {
        rows.push((
            format!("{} connections not made", whole(failure.count as f64)),
            failure.reason.clone(),
        ));
    }
    for refusal in &report.refusals {
        rows.push((
            format!("{} publishes refused", whole(refusal.count as f64)),
            refusal.reason.clone(),
        ));
    }
    let lost = &report.lost_connections;
    for one in lost.iter().take(20) {
        rows.push((
            format!("{} lost its connection", one.client),
            format!("after {:.1} s: {}", one.at_s, one.reason),
        ));
    }
    if let Some(more @ 1..) = lost.len().checked_sub(20) {
        rows.push((format!("and {more} more"), String::new()));
    }
    match rows.is_empty() {
        true => String::new(),
        false => words("Errors", &rows),
    }
}

fn conditions(report: &Report) -> String {
    let rows = |value: serde_json::Result<Value>| {
        let mut rows = Vec::new();
        flatten("", &value.unwrap_or_default(), &mut rows);
        rows
    };
    let mut environment = rows(serde_json::to_value(&report.environment));
    environment.extend(
        rows(serde_json::to_value(&report.generator))
            .into_iter()
            .map(|(name, value)| (format!("generator {name}"), value)),
    );
    format!(
        "<div class=\"pair\">\n{}{}</div>\n",
        words("Plan", &rows(serde_json::to_value(&report.plan))),
        words("Environment", &environment)
    )
}

/// Every value with the names on the way to it; what does not exist is left out.
fn flatten(path: &str, value: &Value, rows: &mut Vec<(String, String)>) {
    let join = |name: &str| match path {
        "" => name.replace('_', " "),
        path => format!("{path} {}", name.replace('_', " ")),
    };
    match value {
        Value::Object(fields) => fields
            .iter()
            .for_each(|(name, value)| flatten(&join(name), value, rows)),
        Value::Array(values) => values
            .iter()
            .enumerate()
            .for_each(|(place, value)| flatten(&join(&(place + 1).to_string()), value, rows)),
        Value::Null => {}
        Value::String(text) if text.is_empty() => {}
        Value::String(text) => rows.push((path.to_owned(), text.clone())),
        Value::Number(number) => {
            let number = number.as_f64().unwrap_or_default();
            rows.push((path.to_owned(), whole((number * 100.0).round() / 100.0)));
        }
        Value::Bool(yes) => {
            rows.push((path.to_owned(), if *yes { "yes" } else { "no" }.to_owned()))
        }
    }
}

/// A table of names and what they say.
fn words(title: &str, rows: &[(String, String)]) -> String {
    let mut out = format!(
        "<section>\n<h2>{}</h2>\n<table class=\"words\">\n",
        escaped(title)
    );
    for (name, value) in rows {
        // Writing to a string cannot fail.
        let _ = writeln!(
            out,
            "<tr><th>{}</th><td>{}</td></tr>",
            escaped(name),
            escaped(value)
        );
    }
    out + "</table>\n</section>\n"
}

fn footer(report: &Report) -> String {
    format!(
        "<footer>{} {}, {}</footer>\n",
        escaped(&report.tool.name),
        escaped(&report.tool.version),
        escaped(&report.finished_at)
    )
}

fn micros(us: u64) -> String {
    time(Duration::from_micros(us))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::report::tests::report;

    #[test]
    fn the_page_loads_nothing_and_what_others_wrote_is_no_markup() {
        let found = report(1, |found| {
            found
                .lost_connections
                .push(crate::bench::load::tally::LostConnection {
                    client: "publisher 1".to_owned(),
                    at_s: 1.0,
                    reason: "<script src=\"//evil\">".to_owned(),
                });
        });
        let page = page(&found);
        for word in [
            "<script", "http:", "https:", "src=\"", "href=", "url(", "@import",
        ] {
            let shown = page.replace("&lt;script src=&quot;", "");
            assert!(!shown.contains(word), "{word} is in the page");
        }
        assert!(page.contains("&lt;script src="));
        for part in [
            "class=\"line one\"",
            "class=\"line two\"",
            "10,000",
            "p99.9",
            "DELIVERY CHECK PASSED",
        ] {
            assert!(page.contains(part), "{part}");
        }
        for element in ["section", "table", "svg", "div", "ul", "main"] {
            let (open, close) = (format!("<{element}"), format!("</{element}>"));
            assert_eq!(
                page.matches(&open).count(),
                page.matches(&close).count(),
                "{element}"
            );
        }
    }
}
