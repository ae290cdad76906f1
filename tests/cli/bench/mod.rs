//! `mqtt bench`: against mosquitto, our own broker, and brokers that lose, double, reorder, refuse and hang up.

mod agents;
mod faults;
mod options;
mod payloads;
mod plan;
mod presets;
mod proxied;
mod report;
pub mod scripted;
mod slow;
mod storms;
mod tour;
mod usage;
mod verdict;
mod warmup;
mod ways;

use serde_json::Value;

use crate::harness::{Finished, Mqtt};

/// What a program built without optimisation says before it measures.
pub const WARNING: &str = if cfg!(debug_assertions) {
    "mqtt: warning: built without optimisation, the numbers say little; use cargo build --release\n"
} else {
    ""
};

pub fn bench<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Mqtt {
    Mqtt::new(std::iter::once("bench").chain(arguments)).stderr(WARNING)
}

/// Runs it with `--json`.
pub fn report(arguments: &[&str], status: i32) -> Value {
    let all = arguments.iter().copied().chain(["--json"]);
    json(&bench(all).status(status).stdout_any().run())
}

/// Whether nothing speaks against the run but what other programs on this machine may have done to it.
pub fn is_valid(report: &Value) -> bool {
    let reasons = report["verdict"]["reasons"].as_array();
    reasons.expect("reasons").iter().all(|reason| {
        let reason = reason.as_str().expect("words");
        reason.starts_with("the load tester stood still") || reason.starts_with("the generator was")
    })
}

pub fn json(finished: &Finished) -> Value {
    serde_json::from_slice(&finished.stdout).expect("the report is JSON")
}
