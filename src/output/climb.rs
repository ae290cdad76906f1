//! A search for the highest load for a person: the answer, what limited it, and the whole curve.

use std::fmt::Write;

use colored::Colorize;

use super::figures::{seconds, whole};
use crate::bench::trials::climb::{Climb, Failure, Step};

/// The whole search, in colour where stdout shows it.
pub fn text(climb: &Climb) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write_climb(&mut out, climb);
    out
}

fn write_climb(out: &mut String, climb: &Climb) -> std::fmt::Result {
    let head = format!(
        "{:<14}{:>12}{:>11}{:>11}{:>11}",
        climb.of, "arrived/s", "p50", "p99", "max"
    );
    writeln!(out, "{}", head.dimmed())?;
    let mut steps: Vec<&Step> = climb.steps.iter().collect();
    steps.sort_by(|one, other| one.load.total_cmp(&other.load));
    for step in steps {
        let (figures, end) = parts(step);
        match step.failures.is_empty() {
            true => writeln!(out, "{figures}{end}")?,
            false => writeln!(out, "{figures}{}", end.red())?,
        }
    }
    writeln!(out)?;
    let unit = if climb.of == "rate" { "/s" } else { "" };
    let objectives = climb.objectives.join(", ");
    match climb.found {
        Some(found) => {
            let confirmed = match climb.confirmed {
                0 => String::new(),
                1 => ", held again once".to_owned(),
                times => format!(", held again {times} times"),
            };
            let answer = format!("{} {}{unit}", climb.of, whole(found))
                .green()
                .bold();
            writeln!(
                out,
                "{answer}  the highest that holds {objectives}{confirmed}"
            )?;
        }
        None if climb.interrupted => writeln!(out, "interrupted before there was an answer")?,
        None => writeln!(out, "{}  {objectives}", "NO LOAD HOLDS".red().bold())?,
    }
    match climb.limit() {
        Some(step) => writeln!(
            out,
            "limited by  {} at {}{unit}",
            words(&step.failures),
            whole(step.load)
        ),
        None if climb.interrupted => Ok(()),
        None => writeln!(out, "limited by  --to: nothing higher was tried"),
    }
}

/// One load, as it is said while the search goes on.
pub fn line(step: &Step) -> String {
    let (figures, end) = parts(step);
    figures + end
}

/// What one load did, and how it ended.
fn parts(step: &Step) -> (String, &str) {
    let latency = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), seconds);
    let figures = format!(
        "{:<14}{:>12}{:>11}{:>11}{:>11}   ",
        whole(step.load),
        step.rate_per_s.map_or_else(|| "-".to_owned(), whole),
        latency(step.p50_s),
        latency(step.p99_s),
        latency(step.max_s)
    );
    // Too few samples say nothing; what else there is does.
    let why = step.failures.iter().find(|why| !why.is_silent);
    let end = match (why.or(step.failures.first()), step.again) {
        (Some(first), _) => &*first.words,
        (None, true) => "held again",
        (None, false) => "held",
    };
    (figures, end)
}

fn words(failures: &[Failure]) -> String {
    let words: Vec<&str> = failures.iter().map(|why| why.words.as_str()).collect();
    words.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_curve_stands_in_the_order_of_the_loads_and_the_answer_below_it() {
        colored::control::set_override(false);
        let step = |load: f64, again, failure: &str| Step {
            load,
            again,
            failures: if failure.is_empty() {
                Vec::new()
            } else {
                vec![failure.to_owned().into()]
            },
            rate_per_s: Some(load * 0.999),
            p50_s: Some(0.0001),
            p99_s: Some(load / 1e6),
            max_s: None,
        };
        let climb = Climb {
            schema: 1,
            of: "rate".to_owned(),
            objectives: vec!["p99<10ms".to_owned()],
            found: Some(8000.0),
            confirmed: 1,
            interrupted: false,
            steps: vec![
                step(8000.0, false, ""),
                step(16000.0, false, "p99<10ms: 16ms"),
                step(4000.0, false, ""),
                step(8000.0, true, ""),
            ],
        };
        let expected = "\
rate             arrived/s        p50        p99        max
4,000                3,996     100 µs    4.00 ms          -   held
8,000                7,992     100 µs    8.00 ms          -   held
8,000                7,992     100 µs    8.00 ms          -   held again
16,000              15,984     100 µs    16.0 ms          -   p99<10ms: 16ms

rate 8,000/s  the highest that holds p99<10ms, held again once
limited by  p99<10ms: 16ms at 16,000/s
";
        assert_eq!(text(&climb), expected);
    }
    #[test]
    fn what_made_a_load_too_much_is_said_before_what_is_not_known() {
        colored::control::set_override(false);
        let mut step = Step::broken(200.0, false, "p99<10ms: not known".to_owned());
        step.failures[0].is_silent = true;
        assert!(line(&step).ends_with("   p99<10ms: not known"));
        let other = "the generator was too slow".to_owned();
        step.failures.push(other.into());
        assert!(line(&step).ends_with("   the generator was too slow"));
    }
}
