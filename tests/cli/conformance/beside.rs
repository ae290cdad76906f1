//! The cases of `tests/conformance/cases/`, played on our broker, which must do as every one of them says, and on
//! mosquitto, so that `tests/conformance/beside_mosquitto.md` can say what another broker makes of them.
//!
//! `UPDATE_ARTIFACTS=1 cargo test --test cli beside` writes that page anew.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::script::{self, Brokers, Case, Step};
use super::stage::{Found, Outcome, play};
use crate::harness::PATIENCE;
use crate::servers::{Mosquitto, MqttServe};

/// Cases that are played beside each other: they wait more than they work.
const PLAYERS: usize = 12;

/// How long a broker is given that is known to say nothing.
const SILENCE: Duration = Duration::from_millis(300);

/// How long it is given when nothing is known yet.
const TRIAL: Duration = Duration::from_secs(15);

#[test]
fn every_case_goes_as_it_is_written() {
    let cases = cases();
    let brokers = started(&cases, |brokers| MqttServe::start(&brokers.ours));
    let port = |case: &Case| brokers[&case.brokers].port;
    let results = play_all(&cases, port, |_, _| PATIENCE);
    let wrong: Vec<String> = cases
        .iter()
        .zip(results)
        .filter_map(|(case, result)| Some(format!("{}: {}", title(case), result.err()?)))
        .collect();
    assert!(
        wrong.is_empty(),
        "{} of {} cases:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
    assert!(cases.len() > 600, "{} cases", cases.len());
}

#[test]
fn the_page_about_mosquitto_says_what_it_does() {
    let page = folder().join("beside_mosquitto.md");
    let written = fs::read_to_string(&page).unwrap_or_default();
    let update = std::env::var_os("UPDATE_ARTIFACTS").is_some();
    let cases = cases();
    let brokers = started(&cases, |brokers| {
        Mosquitto::start(brokers.mosquitto.iter().map(String::as_str))
    });
    let port = |case: &Case| brokers[&case.brokers].port;
    let results = play_all(&cases, port, |case, step| {
        // Whoever is known to say nothing need not be waited for; a broker that has been slow once must not change the page.
        let row = row_start(case);
        match written.lines().find(|line| line.starts_with(&row)) {
            _ if update => TRIAL,
            Some(line) if line.contains(&asked(step)) && line.ends_with("| nothing |") => SILENCE,
            _ => PATIENCE,
        }
    });
    let found = render(&mosquitto_version(), &cases, &results);
    if update {
        fs::write(&page, found).unwrap();
        return;
    }
    // Another version does otherwise; the page is about the one that Debian 12 has.
    let version = |page: &str| page.lines().next().unwrap_or_default().to_owned();
    if version(&written) != version(&found) {
        eprintln!(
            "not compared: the page says {:?}, here is {:?}",
            version(&written),
            version(&found)
        );
        return;
    }
    assert!(
        written == found,
        "{} is out of date; UPDATE_ARTIFACTS=1 cargo test --test cli beside\n{}",
        page.display(),
        difference(&written, &found)
    );
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance")
}

/// Every case, chapter by chapter.
fn cases() -> Vec<Case> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder().join("cases"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "txt"))
        .collect();
    files.sort();
    let read = |path: &PathBuf| {
        let chapter = path.file_stem().unwrap().to_string_lossy().into_owned();
        script::cases(&chapter, &fs::read_to_string(path).unwrap())
    };
    let cases: Vec<Case> = files.iter().flat_map(read).collect();
    let mut titles = HashSet::new();
    for case in &cases {
        assert!(titles.insert(title(case)), "{} is there twice", title(case));
    }
    cases
}

fn title(case: &Case) -> String {
    format!("{}, MQTT {}: {}", case.chapter, case.version, case.words)
}

/// A broker for each way the cases want one started.
fn started<B>(cases: &[Case], start: impl Fn(&Brokers) -> B) -> HashMap<&Brokers, B> {
    let mut running = HashMap::new();
    for case in cases {
        let wanted = &case.brokers;
        running.entry(wanted).or_insert_with(|| start(wanted));
    }
    running
}

/// Plays every case on the broker at its port, many beside each other.
fn play_all(
    cases: &[Case],
    port: impl Fn(&Case) -> u16,
    patience: impl Fn(&Case, &Step) -> Duration + Sync,
) -> Vec<Outcome> {
    let ports: Vec<u16> = cases.iter().map(port).collect();
    let next = AtomicUsize::new(0);
    let results: Vec<Mutex<Outcome>> = cases.iter().map(|_| Mutex::new(Ok(()))).collect();
    std::thread::scope(|scope| {
        for _ in 0..PLAYERS {
            scope.spawn(|| {
                while let Some(number) = Some(next.fetch_add(1, Ordering::Relaxed))
                    .filter(|number| *number < cases.len())
                {
                    let case = &cases[number];
                    let result = play(case, ports[number], &format!("case{number}"), |step| {
                        patience(case, step)
                    });
                    *results[number]
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner) = result;
                }
            });
        }
    });
    results
        .into_iter()
        .map(|result| result.into_inner().unwrap_or_else(PoisonError::into_inner))
        .collect()
}

fn mosquitto_version() -> String {
    let help = Command::new("/usr/sbin/mosquitto").arg("-h").output();
    let help = help
        .or_else(|_| Command::new("mosquitto").arg("-h").output())
        .unwrap();
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    help.lines()
        .next()
        .unwrap_or_default()
        .replace("version ", "")
}

/// A case, and what a broker made of it.
type Played<'a> = (&'a Case, &'a Outcome);

/// The page.
fn render(version: &str, cases: &[Case], results: &[Outcome]) -> String {
    let mut page = format!(
        "# The conformance cases beside {version}\n\n\
         Every case in `cases/` is played on `mqtt serve`, which must do exactly what it says, and on mosquitto as Debian 12 has it, with its\n\
         own defaults, or the few lines a chapter begins with. The cases are ours; which situations to try was learned from the suites of mqtt-lib, Eclipse Paho, mosquitto, EMQX, VerneMQ,\n\
         Aedes and FlashMQ. `UPDATE_ARTIFACTS=1 cargo test --test cli beside` writes this page, the test compares it.\n\n\
         To close a connection without the DISCONNECT or CONNACK that would say why is allowed (4.13): such cases are counted apart.\n\n\
         | chapter | cases | `mqtt serve` | mosquitto | closes without a word | does otherwise |\n|---|---|---|---|---|---|\n"
    );
    let mut chapters: Vec<&str> = cases.iter().map(|case| case.chapter.as_str()).collect();
    chapters.dedup();
    let all = cases.iter().zip(results);
    for chapter in chapters {
        let of = all.clone().filter(|(case, _)| case.chapter == chapter);
        count(&mut page, chapter, of);
    }
    count(&mut page, "**all**", all.clone());
    otherwise(&mut page, all.clone());
    mute(&mut page, all);
    page
}

fn otherwise<'a>(page: &mut String, results: impl Iterator<Item = Played<'a>>) {
    *page += "\n## Does otherwise\n\n| chapter | MQTT | about | statement | asked for | found |\n|---|---|---|---|---|---|\n";
    for (case, result) in results {
        if let Err(deviation) = result
            && deviation.found != Found::ClosedWithoutAWord
        {
            let (row, asked, found) = (row_start(case), asked(&deviation.step), &deviation.found);
            writeln!(page, "{row} {} | {asked} | {found} |", case.statement).unwrap();
        }
    }
}

/// Those that differ in an entry only are one row.
fn mute<'a>(page: &mut String, results: impl Iterator<Item = Played<'a>>) {
    *page += "\n## Closes without a word\n\n| chapter | MQTT | about | statement | cases |\n|---|---|---|---|---|\n";
    let mut rows: Vec<(String, usize)> = Vec::new();
    for (case, _) in results.filter(|(_, result)| is_mute(result)) {
        let (chapter, version, statement) = (&case.chapter, case.version, &case.statement);
        let about = escaped(&case.family.replace('%', "…"));
        let row = format!("| {chapter} | {version} | {about} | {statement} |");
        match rows.iter_mut().find(|(known, _)| *known == row) {
            Some((_, count)) => *count += 1,
            None => rows.push((row, 1)),
        }
    }
    for (row, count) in rows {
        writeln!(page, "{row} {count} |").unwrap();
    }
}

fn is_mute(result: &Outcome) -> bool {
    matches!(result, Err(deviation) if deviation.found == Found::ClosedWithoutAWord)
}

/// What the row of a case begins with.
fn row_start(case: &Case) -> String {
    format!(
        "| {} | {} | {} |",
        case.chapter,
        case.version,
        escaped(&case.words)
    )
}

fn asked(step: &Step) -> String {
    format!("`{}`", escaped(&step.line))
}

/// Text for a cell.
fn escaped(text: &str) -> String {
    text.replace('|', "\\|")
}

fn count<'a>(page: &mut String, chapter: &str, results: impl Iterator<Item = Played<'a>> + Clone) {
    let total = results.clone().count();
    let passed = results.clone().filter(|(_, result)| result.is_ok()).count();
    let mute = results.filter(|(_, result)| is_mute(result)).count();
    let otherwise = total - passed - mute;
    writeln!(
        page,
        "| {chapter} | {total} | {total} | {passed} | {mute} | {otherwise} |"
    )
    .unwrap();
}

/// The lines that only one of the two has.
fn difference(written: &str, found: &str) -> String {
    let only = |sign: char, here: &str, there: &str| -> String {
        let lines = here
            .lines()
            .filter(|line| !there.lines().any(|other| other == *line));
        lines.map(|line| format!("{sign} {line}\n")).collect()
    };
    only('-', written, found) + &only('+', found, written)
}
