//! What it costs to find the subscribers of a topic among very many subscriptions.
//!
//! `cargo bench --bench matching`. Nanoseconds for one topic name, median of several rounds, among 100,000 distinct filters of
//! different kinds; matching each filter by itself stands beside it.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::hint::black_box;
use std::time::Instant;

use mqtt_toolbox::broker::tree::Tree;
use mqtt_toolbox::mqtt::topic;

const FILTERS: u32 = 100_000;
const TOPICS: u32 = 10_000;

/// The N-th filter of a kind.
type Kind = fn(u32) -> String;

fn main() {
    let kinds: [(&str, Kind); 4] = [
        ("exact, site/N/device/N/state", |n| {
            format!("site/{}/device/{n}/state", n % 100)
        }),
        ("one +, site/+/device/N/state", |n| {
            format!("site/+/device/{n}/state")
        }),
        ("last #, site/N/device/N/#", |n| {
            format!("site/{}/device/{n}/#", n % 100)
        }),
        ("two +, +/N/+/N/state", |n| {
            format!("+/{}/+/{n}/state", n % 100)
        }),
    ];
    println!("{FILTERS} filters, {TOPICS} topics, each with one subscriber\n");
    for (name, filter) in kinds {
        let filters: Vec<String> = (0..FILTERS).map(filter).collect();
        let mut tree = Tree::default();
        for (owner, filter) in filters.iter().enumerate() {
            tree.insert(filter, owner as u32, ());
        }
        let topics: Vec<String> = (0..TOPICS)
            .map(|n| n * 7 % FILTERS)
            .map(|n| format!("site/{}/device/{n}/state", n % 100))
            .collect();
        let mut rounds: Vec<f64> = (0..9).map(|_| round(&tree, &topics)).collect();
        rounds.sort_by(f64::total_cmp);
        let started = Instant::now();
        let found = filters
            .iter()
            .filter(|filter| topic::matches(filter, black_box(&topics[5])))
            .count();
        assert_eq!(found, 1);
        println!(
            "{name:<32} {:>7.0} ns; one filter at a time {:>9} ns",
            rounds[4],
            started.elapsed().as_nanos()
        );
    }
}

/// Nanoseconds a topic.
fn round(tree: &Tree<()>, topics: &[String]) -> f64 {
    let started = Instant::now();
    let mut found = 0;
    for topic in topics {
        tree.each_match(black_box(topic), |_, ()| found += 1);
    }
    assert_eq!(found, topics.len());
    started.elapsed().as_nanos() as f64 / topics.len() as f64
}
