//! The table of statements against the tests that are there.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

const HERE: &str = env!("CARGO_MANIFEST_DIR");

#[test]
fn every_statement_names_tests_that_exist_or_says_why_not() {
    let tests = tests_in(&Path::new(HERE).join("tests/cli"));
    let table =
        fs::read_to_string(Path::new(HERE).join("tests/conformance/statements.md")).unwrap();
    let mut rows = 0;
    let mut seen = HashSet::new();
    let mut named = HashSet::new();
    let mut chapter = "";
    for line in table.lines() {
        chapter = line.strip_prefix("## ").unwrap_or(chapter);
        let Some(row) = line.strip_prefix("| ").filter(|row| row.contains('.')) else {
            continue;
        };
        let cells: Vec<&str> = row.trim_end_matches(" |").split(" | ").collect();
        let [statement, words, shown] = cells[..] else {
            panic!("{line:?} has not three columns");
        };
        rows += 1;
        let numbered = statement.contains('-');
        assert!(
            !numbered || seen.insert((chapter, statement)),
            "{statement} is there twice"
        );
        assert!(!words.trim().is_empty(), "{line}");
        if let Some(reason) = shown.strip_prefix("— ") {
            assert!(!reason.trim().is_empty(), "{line}");
            continue;
        }
        for test in shown.split(", ") {
            let test = test.trim_matches('`').to_owned();
            assert!(
                tests.contains(&test),
                "{statement}: there is no test {test}"
            );
            named.insert(test);
        }
    }
    assert!(rows > 390, "{rows} rows");
    let here = tests_in(&Path::new(HERE).join("tests/cli/conformance"));
    let others = ["table::", "random::", "churn::", "limits::", "beside::"];
    let unnamed: Vec<&String> = here
        .iter()
        .filter(|test| {
            !named.contains(*test) && !others.iter().any(|other| test.starts_with(other))
        })
        .collect();
    assert!(unnamed.is_empty(), "{unnamed:?} show nothing in the table");
}

/// `module::name` of every test in the files of a folder and the folders in it.
fn tests_in(folder: &Path) -> HashSet<String> {
    let mut tests = HashSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            tests.extend(tests_in(&path));
            continue;
        }
        let module = path.file_stem().unwrap().to_string_lossy().into_owned();
        let source = fs::read_to_string(&path).unwrap();
        for after in source.split("#[test]\n").skip(1) {
            let name = after.trim_start().strip_prefix("fn ").unwrap();
            let name = name.split('(').next().unwrap();
            tests.insert(format!("{module}::{name}"));
        }
    }
    tests
}
