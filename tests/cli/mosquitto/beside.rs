//! Two programs with the same words, and what they say compared.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use std::io::Write;

/// What a program did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

/// Debian's clients and ours by the same names.
pub struct Clients {
    folder: tempfile::TempDir,
}

/// Whose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    Theirs,
    Ours,
    /// As `mqtt pub`, `mqtt sub` and `mqtt req`.
    OursByName,
}

impl Clients {
    /// With links to the binary under test, and a folder for configuration files.
    pub fn new() -> Clients {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for name in ["mosquitto_pub", "mosquitto_sub", "mosquitto_rr"] {
            std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_mqtt"), folder.path().join(name))
                .expect("a link in an empty folder");
        }
        Clients { folder }
    }

    fn program(&self, whose: Whose, name: &OsStr) -> Vec<PathBuf> {
        match whose {
            // Looked for in PATH.
            Whose::Theirs => vec![PathBuf::from(name)],
            Whose::Ours => vec![self.folder.path().join(name)],
            Whose::OursByName => {
                let command = match name.to_str() {
                    Some("mosquitto_pub") => "pub",
                    Some("mosquitto_sub") => "sub",
                    _ => "req",
                };
                vec![env!("CARGO_BIN_EXE_mqtt").into(), command.into()]
            }
        }
    }

    /// Runs one of them to its end. `words` begin with its name.
    pub fn run(&self, whose: Whose, words: &[OsString], stdin: &[u8], home: &Path) -> Outcome {
        // One that does not end by itself shall not hold the others up.
        let mut child = Command::new("timeout")
            .arg("20")
            .args(self.program(whose, &words[0]))
            .args(&words[1..])
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", home)
            .env("TZ", "UTC")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{words:?}: {error}; tests/setup installs it"));
        let mut input = child.stdin.take().expect("a pipe");
        // A program that ends before it has read everything closes the pipe.
        let _ = input.write_all(stdin);
        drop(input);
        let output = child.wait_with_output().expect("it ends");
        Outcome {
            status: output.status.code().unwrap_or(-1),
            stdout: shown(&output.stdout),
            stderr: shown(&output.stderr),
        }
    }
}

/// Bytes as text, whatever they are.
fn shown(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.escape_ascii().to_string(),
    }
}

/// The words of a line; single quotes hold together, `~` in the place of a word is an empty one, and `\xHH` a byte.
pub fn words(line: &str) -> Vec<OsString> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() {
        let (word, after) = match rest.strip_prefix('\'') {
            Some(quoted) => quoted.split_once('\'').expect("a closing quote"),
            None => rest.split_once(' ').unwrap_or((rest, "")),
        };
        words.push(if word == "~" {
            OsString::new()
        } else {
            OsString::from_vec(bytes(word))
        });
        rest = after.trim_start();
    }
    words
}

fn bytes(word: &str) -> Vec<u8> {
    let mut parts = word.split("\\x");
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let code = part.get(..2).map(|digits| u8::from_str_radix(digits, 16));
        match code {
            Some(Ok(byte)) => bytes.push(byte),
            _ => bytes.extend_from_slice(br"\x"),
        }
        let rest = if matches!(code, Some(Ok(_))) { 2 } else { 0 };
        bytes.extend_from_slice(&part.as_bytes()[rest..]);
    }
    bytes
}

/// Tries each case, several at a time, and fails with all that were not as expected.
pub fn all_hold<C: Sync>(cases: &[C], holds: impl Fn(&C) -> Result<(), String> + Sync) {
    let next = AtomicUsize::new(0);
    let complaints = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(complaint) = holds(case) {
                        complaints.lock().expect("nobody panics").push(complaint);
                    }
                }
            });
        }
    });
    let complaints = complaints.into_inner().expect("nobody panics");
    assert!(
        complaints.is_empty(),
        "{} of {} cases differ\n{}",
        complaints.len(),
        cases.len(),
        complaints.join("\n")
    );
}
