//! `mqtt bench report`: saved runs shown again, several as one.

use std::path::Path;

use anyhow::Context;
use serde_json::Value;

use super::shown::{Destination, Saved, distinct, json_file, outcome};
use super::tour;
use crate::bench::report::{LARGEST, Report, merge};
use crate::bench::trials::tour::Tour;
use crate::cli::bench::verbs::ReportArgs;
use crate::exit::Exit;
use crate::output;

/// Prints the report of the runs in the files, and ends as the run did.
///
/// # Errors
/// When a file cannot be read, holds no run, or the runs are not of one plan.
pub(super) fn run(args: ReportArgs) -> anyhow::Result<Exit> {
    distinct(&[
        ("--json", json_file(&args.json)),
        ("--html", args.html.as_deref()),
    ])?;
    let (mut runs, mut tours) = (Vec::new(), Vec::new());
    for path in &args.files {
        for found in saved(path)? {
            match found {
                Found::Run(report) => runs.push(*report),
                Found::Tour(tour) => tours.push(tour),
            }
        }
    }
    match (runs.is_empty(), tours.is_empty()) {
        (false, false) => Err(Exit::Usage
            .because("a tour and a run of one scenario cannot be merged: report them one by one")),
        (true, _) => report_tour(&args, tours),
        (false, true) => report_run(&args, runs),
    }
}

fn report_run(args: &ReportArgs, runs: Vec<Report>) -> anyhow::Result<Exit> {
    let mut report = merge::merge(runs).map_err(|words| Exit::Usage.because(words))?;
    if let Some(slo) = &args.slo {
        report.objectives = slo.judge(&report);
    }
    Saved::new(&args.json)?.write(&report, output::report::text)?;
    if let Some(path) = &args.html {
        Destination::new(path)?.write(&output::html::page(&report))?;
    }
    Ok(outcome(&report))
}

fn report_tour(args: &ReportArgs, tours: Vec<Tour>) -> anyhow::Result<Exit> {
    if args.slo.is_some() {
        return Err(Exit::Usage.because(
            "a tour has several loads, and no objective is for all of them: hold the runs of one scenario to --slo",
        ));
    }
    let tour = Tour::merge(tours).map_err(|words| Exit::Usage.because(words))?;
    Saved::new(&args.json)?.write(&tour, output::tour::text)?;
    if let Some(path) = &args.html {
        Destination::new(path)?.write(&output::html::tour(&tour))?;
    }
    Ok(tour::ending(&tour))
}

/// What `--json` saves.
enum Found {
    Run(Box<Report>),
    Tour(Tour),
}

/// The runs saved in a file, at least one; `-` is stdin.
///
/// # Errors
/// When it cannot be read or holds something else, or a tour.
pub(super) fn read(path: &Path) -> anyhow::Result<Vec<Report>> {
    let runs = saved(path)?.into_iter().map(|found| match found {
        Found::Run(report) => Ok(*report),
        Found::Tour(_) => Err(Exit::Usage.because(format!(
            "{} holds a tour, several loads in one: compare the runs of a scenario, as mqtt bench pubsub saves them",
            path.display()
        ))),
    });
    runs.collect()
}

/// The runs and tours saved in a file, at least one; `-` is stdin.
fn saved(path: &Path) -> anyhow::Result<Vec<Found>> {
    let name = path.display();
    let text = super::text_of(path).with_context(|| format!("could not read {name}"))?;
    let wrong = |what: String| {
        Exit::Failed.because(format!(
            "{name} holds no run of this version saved with --json: {what}"
        ))
    };
    let mut runs = Vec::new();
    for value in serde_json::Deserializer::from_str(&text).into_iter::<Value>() {
        let value = value.map_err(|error| wrong(error.to_string()))?;
        let schema = value.get("schema").and_then(Value::as_u64);
        if schema != Some(Report::SCHEMA.into()) {
            return Err(wrong(match schema {
                Some(schema) => format!("its schema is {schema}, not {}", Report::SCHEMA),
                None => "it has no \"schema\"".to_owned(),
            }));
        }
        if let Some(count) = too_large(&value) {
            return Err(wrong(format!("{count} is more than can be counted")));
        }
        let found = match value.get("runs") {
            Some(_) => serde_json::from_value(value).map(Found::Tour),
            None => serde_json::from_value(value).map(|report| Found::Run(Box::new(report))),
        };
        runs.push(found.map_err(|error| wrong(error.to_string()))?);
    }
    match runs.is_empty() {
        true => Err(wrong("it is empty".to_owned())),
        false => Ok(runs),
    }
}

/// A count that no run arrives at. Nanoseconds are none: they may be those since 1970.
fn too_large(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64().filter(|count| *count > LARGEST),
        Value::Array(values) => values.iter().find_map(too_large),
        Value::Object(members) => members
            .iter()
            .filter(|(name, _)| !name.ends_with("_ns"))
            .find_map(|(_, value)| too_large(value)),
        _ => None,
    }
}
