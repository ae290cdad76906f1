//! `mqtt bench --agents` and `mqtt bench agent`: one run from several machines, here several processes.

mod outputs;
mod runs;
mod troubles;
mod ways;

use serde_json::Value;

use super::json as parse;
use crate::harness::{Finished, Mqtt, Running};

/// An agent that waits at this broker.
fn agent(control: &str, name: &str, more: &[&str]) -> Running {
    let arguments = ["bench", "agent", "--url", control, "--name", name];
    let mut agent = Mqtt::new(arguments.iter().chain(more)).start();
    agent.wait_for_stderr(|line| line.contains(&format!("agent {name} waits at ")));
    agent
}

/// A run with agents over this broker.
fn coordinate<'a>(control: &'a str, agents: &'a str, arguments: &[&'a str]) -> Mqtt {
    let first = ["bench", "--control", control, "--agents", agents];
    Mqtt::new(first.iter().chain(arguments))
}

/// The options of a load on the broker at this port.
fn at<'a>(port: &'a str, load: &'a str) -> Vec<&'a str> {
    let broker = ["-h", "127.0.0.1", "-p", port];
    broker.into_iter().chain(load.split_whitespace()).collect()
}

fn report(control: &str, agents: &str, arguments: &[&str], status: i32) -> Value {
    let arguments = [arguments, &["--json"]].concat();
    let run = coordinate(control, agents, &arguments);
    parse(&run.status(status).stdout_any().run())
}

/// Ends agents as a signal does, and expects no complaint.
fn dismiss(agents: impl IntoIterator<Item = Running>) -> Vec<Finished> {
    let finished = agents.into_iter().map(|mut agent| agent.stop("TERM"));
    let finished: Vec<Finished> = finished.collect();
    for finished in &finished {
        assert_eq!(finished.status, 0, "{finished:?}");
        assert!(finished.stdout.is_empty(), "{finished:?}");
    }
    finished
}
