//! The README's examples, typed into a shell in order, print what the README says; its tables are the program's.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use mqtt_toolbox::cli::pages;
use mqtt_toolbox::exit;

use crate::harness::{Mqtt, PATIENCE};
use crate::servers::free_port;

#[test]
fn the_examples_print_what_the_readme_says() {
    let port = free_port().to_string();
    let folder = tempfile::tempdir().unwrap();
    let mut shell = Mqtt::shell("exec bash -eu")
        .env("XDG_CONFIG_HOME", folder.path().join("config"))
        .env("MQTT_URL", format!("mqtt://127.0.0.1:{port}"))
        .stdin_open()
        .start();
    shell.write(format!("exec 2>&1; cd '{}'\n", folder.path().display()));
    for (number, step) in steps().iter().enumerate() {
        let seen_before = shell.stdout().len();
        // The port that everybody has at home may be taken where the tests run.
        let typed = step
            .typed
            .replace("mqtt serve", &format!("mqtt serve -p {port}"));
        let typed = typed.replace("-h 127.0.0.1", &format!("-h 127.0.0.1 -p {port}"));
        shell.write(format!("{typed}\necho step {number} is done\n"));
        let end = format!("step {number} is done");
        let wanted = step.printed.iter().chain(std::iter::once(&end));
        let mut missing: Vec<&String> = wanted.collect();
        let deadline = Instant::now() + PATIENCE;
        while !missing.is_empty() {
            let running = shell.is_running() && Instant::now() < deadline;
            let printed = shell.stdout().split_off(seen_before);
            let printed = String::from_utf8_lossy(&printed).into_owned();
            missing.retain(|line| !printed.lines().any(|seen| is_like(seen, line)));
            let done = missing.is_empty();
            assert!(
                running || done,
                "{missing:#?} is missing in\n{printed}\nof\n{typed}"
            );
            thread::park_timeout(Duration::from_millis(5));
        }
    }
}

#[test]
fn the_tables_are_the_programs() {
    let readme = readme();
    for (status, meaning) in exit::TABLE {
        let row = format!("| {} | {meaning} |\n", status as u8);
        assert!(readme.contains(&row), "the README lacks {row}");
    }
    for (name, meaning) in pages::ALL.iter().flat_map(|page| page.environment) {
        let row = format!("| {name} | {meaning} |\n");
        assert!(readme.contains(&row), "the README lacks {row}");
    }
}

#[test]
fn ci_runs_the_two_commands_of_the_readme() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(".ci/run");
    let script = std::fs::read_to_string(path).unwrap();
    let readme = readme();
    for command in ["cargo run --release -- bench --serve", "cargo test"] {
        assert!(
            readme.contains(&format!("```sh\n{command}\n```")),
            "{command}"
        );
        assert!(script.contains(&format!("\nstep {command}\n")), "{command}");
    }
}

/// What is typed at once, and what is then seen, in whatever order.
struct Step {
    typed: String,
    printed: Vec<String>,
}

/// The shell blocks of the two sections that are to be pasted, each with the text block after it, if there is one.
fn steps() -> Vec<Step> {
    let readme = readme();
    let from = readme.find("\n## Examples\n").expect("a section");
    let to = readme.find("\n## Exit statuses\n").expect("a section");
    let mut steps: Vec<Step> = Vec::new();
    // Text stands at the even places, blocks at the odd ones.
    for block in readme[from..to].split("```").skip(1).step_by(2) {
        let (kind, content) = block
            .split_once('\n')
            .expect("a block begins with its kind");
        match (kind, steps.last_mut()) {
            ("sh", _) => steps.push(Step {
                typed: content.to_owned(),
                printed: Vec::new(),
            }),
            ("text", Some(step)) => {
                let lines = content.lines().filter(|line| *line != "...");
                step.printed = lines.map(str::to_owned).collect();
            }
            other => panic!("{:?} has no place among the examples", other.0),
        }
    }
    assert!(steps.len() >= 5, "five examples");
    steps
}

fn readme() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    std::fs::read_to_string(path).unwrap()
}

/// Whether a line is as in the README: numbers may be others, and three dots stand for anything.
fn is_like(seen: &str, line: &str) -> bool {
    let (seen, line) = (without_numbers(seen), without_numbers(line));
    match line.split_once("...") {
        Some((begin, end)) => seen.starts_with(begin) && seen.ends_with(end),
        None => seen == line,
    }
}

/// Times, ports and message ids differ from run to run; numbers that were typed, as in `client 2`, stay.
fn without_numbers(line: &str) -> String {
    let digit = |each: char| each.is_ascii_digit();
    if line.contains("\"time\":") || line.contains("mqtt://") {
        return line.replace(digit, "");
    }
    match line.split_once(", message ") {
        Some((begin, end)) => format!("{begin}, message {}", end.trim_start_matches(digit)),
        None => line.to_owned(),
    }
}
