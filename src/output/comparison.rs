//! A comparison for a person: a line for each figure, and what it comes to.

use std::fmt::Write;

use colored::Colorize;

use super::figures::{seconds, whole};
use crate::bench::trials::compare::{Comparison, Figure, Outcome, Side};

/// The whole comparison, in colour where stdout shows it.
pub fn text(comparison: &Comparison) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write_comparison(&mut out, comparison);
    out
}

fn write_comparison(out: &mut String, comparison: &Comparison) -> std::fmt::Result {
    for (letter, side) in [("A", &comparison.first), ("B", &comparison.second)] {
        writeln!(out, "{letter}  {}", described(side))?;
    }
    if comparison.by_seconds {
        writeln!(
            out,
            "One run of each: their seconds stand for runs, which says nothing of how runs differ."
        )?;
    }
    writeln!(out)?;
    let head = format!(
        "{:<13}{:>11}{:>11}{:>11}{:>24}{:>8}{:>12}",
        "figure", "A", "B", "difference", "95 % interval", "p", "detectable"
    );
    writeln!(out, "{}", head.dimmed())?;
    for figure in &comparison.figures {
        line(out, figure)?;
    }
    let meaning = "difference, interval and what 80 % would detect are in percent of A's median; p is corrected for the number of figures";
    writeln!(out, "{}\n", meaning.dimmed())?;
    conclusion(out, comparison)
}

fn described(side: &Side) -> String {
    let runs = match side.runs {
        1 => "1 run".to_owned(),
        runs => format!("{runs} runs"),
    };
    let mut text = format!("{}, {runs}", side.name);
    if side.invalid > 0 {
        text += &format!(", {} INVALID", side.invalid);
    }
    if side.broken > 0 {
        text += &format!(", {} with a failed delivery check", side.broken);
    }
    text
}

fn line(out: &mut String, figure: &Figure) -> std::fmt::Result {
    let (Some(difference), Some((one, other))) = (&figure.difference, figure.medians()) else {
        return writeln!(out, "{:<13}not known of both", figure.name);
    };
    let value = |value: f64| match figure.is_time {
        true => seconds(value),
        false => whole(value),
    };
    // Of nothing there are no percent.
    let part = |change: f64| match one {
        0.0 => format!("{change:+.1}"),
        one => format!("{:+.1} %", change * 100.0 / one.abs()),
    };
    let interval = match difference.interval {
        Some((low, high)) => format!("{} to {}", part(low), part(high)),
        None => "too few runs".to_owned(),
    };
    let detectable = difference
        .detectable
        .map_or_else(|| "-".to_owned(), |least| part(least).replace('+', ""));
    let p = figure.p_adjusted.unwrap_or(difference.p);
    let text = format!(
        "{:<13}{:>11}{:>11}{:>11}{interval:>24}{p:>8.3}{detectable:>12}",
        figure.name,
        value(one),
        value(other),
        part(difference.shift),
    );
    match figure.outcome {
        Outcome::Worse => writeln!(out, "{}", text.red()),
        Outcome::Better => writeln!(out, "{}", text.green()),
        Outcome::Same | Outcome::Unknown => writeln!(out, "{text}"),
    }
}

fn conclusion(out: &mut String, comparison: &Comparison) -> std::fmt::Result {
    let named = |outcome: Outcome| {
        let figures = comparison.figures.iter();
        let names: Vec<&str> = figures
            .filter(|figure| figure.outcome == outcome)
            .map(|figure| &*figure.name)
            .collect();
        names.join(", ")
    };
    let (worse, better) = (named(Outcome::Worse), named(Outcome::Better));
    if !worse.is_empty() {
        writeln!(out, "{}  {worse}", "B IS WORSE".red().bold())?;
    }
    if !better.is_empty() {
        writeln!(out, "{}  {better}", "B IS BETTER".green().bold())?;
    }
    if worse.is_empty() && better.is_empty() {
        let tolerated = match comparison.tolerance_percent {
            0.0 => String::new(),
            percent => format!(" beyond the {percent} % that are tolerated"),
        };
        writeln!(out, "{}{tolerated}", "NO DIFFERENCE FOUND".bold())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::trials::statistics::difference;

    #[test]
    fn every_figure_has_its_line_and_the_end_says_what_it_comes_to() {
        colored::control::set_override(false);
        let side = |name: &str, invalid| Side {
            name: name.to_owned(),
            runs: 5,
            invalid,
            broken: 0,
        };
        let figure = |name: &str, is_time, first: [f64; 5], second: [f64; 5], outcome| Figure {
            name: name.to_owned(),
            is_time,
            difference: Some(difference(&first, &second)),
            first: first.to_vec(),
            second: second.to_vec(),
            p_adjusted: Some(0.016),
            outcome,
        };
        let comparison = Comparison {
            schema: 1,
            first: side("a.json", 0),
            second: side("b.json", 2),
            by_seconds: false,
            tolerance_percent: 0.0,
            figures: vec![
                figure("rate", false, [1000.0; 5], [1000.0; 5], Outcome::Same),
                figure(
                    "p99",
                    true,
                    [0.010, 0.011, 0.012, 0.013, 0.014],
                    [0.020, 0.021, 0.022, 0.023, 0.024],
                    Outcome::Worse,
                ),
                Figure {
                    difference: None,
                    ..figure("tcp.p50", true, [0.0; 5], [0.0; 5], Outcome::Unknown)
                },
            ],
            worse: true,
        };
        let expected = "\
A  a.json, 5 runs
B  b.json, 5 runs, 2 INVALID

figure                 A          B difference           95 % interval       p  detectable
rate               1,000      1,000     +0.0 %        +0.0 % to +0.0 %   0.016       0.0 %
p99              12.0 ms    22.0 ms    +83.3 %     +58.3 % to +108.3 %   0.016      26.6 %
tcp.p50      not known of both
difference, interval and what 80 % would detect are in percent of A's median; p is corrected for the number of figures

B IS WORSE  p99
";
        assert_eq!(text(&comparison), expected);
    }
}
