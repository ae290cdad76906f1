//! `mqtt bench compare`: two brokers in turn, or two files of saved runs.

use std::path::Path;

use super::files::Files;
use super::plan::plan;
use super::report::read;
use super::shown::Saved;
use super::site::Site;
use crate::bench::report::Report;
use crate::bench::report::merge;
use crate::bench::trials::compare::{Comparison, compare};
use crate::cli::bench::verbs::CompareArgs;
use crate::exit::Exit;
use crate::output::{self, say};

/// Prints the comparison, and ends with 8 when the second side is worse or broke a promise.
///
/// # Errors
/// When a file holds no runs, the runs are not of one plan, or a run fails.
pub(super) fn run(args: CompareArgs) -> anyhow::Result<Exit> {
    let saved = Saved::new(&args.json)?;
    let sides = match [&args.first, &args.second].map(|side| side.contains("://")) {
        [true, true] => measure(&args)?,
        [false, false] => {
            let (first, second) = (
                read(Path::new(&args.first))?,
                read(Path::new(&args.second))?,
            );
            Some((first, second))
        }
        _ => {
            return Err(Exit::Usage.because(
                "compare takes two brokers (mqtt://HOST) or two files of saved runs, not one of each",
            ));
        }
    };
    let Some((first, second)) = sides else {
        return Ok(Exit::Interrupted);
    };
    for run in first.iter().chain(&second) {
        if let Some(difference) = merge::difference(&first[0], run) {
            return Err(Exit::Usage.because(format!(
                "runs of different plans cannot be compared: {difference}"
            )));
        }
    }
    let comparison = compare(
        (name(&args.first), &first),
        (name(&args.second), &second),
        &args.on,
        args.tolerance,
    );
    saved.write(&comparison, output::comparison::text)?;
    Ok(outcome(&comparison))
}

/// The broker without user and password; a file as it is.
fn name(side: &str) -> String {
    side.parse::<crate::client::BrokerUrl>()
        .map_or_else(|_| side.to_owned(), |url| url.endpoint.to_string())
}

fn outcome(comparison: &Comparison) -> Exit {
    match comparison.worse || comparison.second.broken > 0 {
        true => Exit::CheckFailed,
        false => Exit::Done,
    }
}

/// Runs against both brokers in turn; `None` when a signal came between.
fn measure(args: &CompareArgs) -> anyhow::Result<Option<(Vec<Report>, Vec<Report>)>> {
    let sites = [&args.first, &args.second].map(|url| Site::at(url, &args.load, &args.agents));
    let [first, second] = sites;
    let sites = [first?, second?];
    sites[0].warn_of_debug_build();
    let mut found = [Vec::new(), Vec::new()];
    for number in 0..args.runs {
        // A B, B A, A B: what grows or shrinks with time meets both alike.
        let order = match number % 2 {
            0 => [0, 1],
            _ => [1, 0],
        };
        for side in order {
            if args.verbose {
                let letter = ["A", "B"][side];
                say(format_args!(
                    "run {} of {}: {letter}",
                    number + 1,
                    args.runs
                ));
            }
            let plan = plan(&args.load)?;
            let mut files = Files::new(plan.scenario, None, None)?;
            match sites[side].run(plan, &mut files, args.verbose)? {
                Some(report) if !report.interrupted => found[side].push(report),
                _ => return Ok(None),
            }
        }
    }
    let [first, second] = found;
    Ok(Some((first, second)))
}
