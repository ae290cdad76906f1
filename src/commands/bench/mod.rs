//! `mqtt bench`: put a load on a broker and report what it did with it. One file a verb; `trial` is what they share.

mod agent;
mod agents;
mod brokers;
mod calibrate;
mod compare;
mod files;
mod max;
mod meaning;
mod payloads;
mod plan;
mod post;
mod preflight;
mod progress;
mod properties;
mod report;
mod run;
mod scrape;
mod session;
mod shown;
mod site;
mod tour;
mod trial;

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use crate::cli::bench::BenchArgs;
use crate::cli::bench::verbs::Verb;
use crate::exit::Exit;

/// Does what the verb says; without one, runs the scenario, and without that the tour.
///
/// # Errors
/// When the options contradict each other, or not everyone could connect and subscribe.
pub fn run(mut args: BenchArgs) -> anyhow::Result<Exit> {
    match args.verb.take() {
        None if tour::is_meant(&args) => tour::run(&args),
        None => run::run(args),
        Some(Verb::Report(args)) => report::run(args),
        Some(Verb::Compare(args)) => compare::run(*args),
        Some(Verb::Max(args)) => max::run(*args),
        Some(Verb::Calibrate(args)) => calibrate::run(*args),
        Some(Verb::Agent(args)) => agent::run(&args),
    }
}

/// What is in a file; `-` is stdin.
fn text_of(path: &Path) -> io::Result<String> {
    if path.as_os_str() != "-" {
        return fs::read_to_string(path);
    }
    let mut text = String::new();
    io::stdin().read_to_string(&mut text)?;
    Ok(text)
}
