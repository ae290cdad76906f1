//! Under the name of one of mosquitto's clients: its configuration file and its command line, as words for clap.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Parser;

use super::options::first_paragraph;
use crate::cli::{Cli, mosquitto};
use crate::dialect::{Dialect, Mosquitto, Program, Refusal};

/// What the file and the typed words mean. The file may be missing.
pub(super) fn understand(
    program: Program,
    typed: impl Iterator<Item = OsString>,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> (Dialect, anyhow::Result<Cli>) {
    let typed: Vec<OsString> = typed.collect();
    let plain = Dialect::Mosquitto(Mosquitto {
        program,
        is_strict: false,
        json: Default::default(),
    });
    let path = match mosquitto::options_file(program, &typed) {
        Ok(Some(path)) => Some(PathBuf::from(path)),
        Ok(None) => usual_file(program, environment),
        Err(refusal) => return (plain, Err(refusal.into())),
    };
    let file = path
        .and_then(|path| std::fs::read(path).ok())
        .unwrap_or_default();
    match mosquitto::translate(program, &file, &typed) {
        Err(refusal) => (plain, Err(refusal.into())),
        Ok(translation) => {
            let cli = Cli::try_parse_from(&translation.words).map_err(|error| {
                // Something mosquitto's grammar lets pass and ours does not.
                let stderr = format!("Error: {}\n", first_paragraph(&error));
                Refusal {
                    stdout: String::new(),
                    stderr,
                }
                .into()
            });
            (translation.dialect, cli)
        }
    }
}

/// Below `XDG_CONFIG_HOME` or, where that is not set, `HOME`.
fn usual_file(
    program: Program,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Option<PathBuf> {
    let (mut configuration, mut home) = (None, None);
    for (name, value) in environment {
        match name.to_str() {
            Some("XDG_CONFIG_HOME") => configuration = Some(PathBuf::from(value)),
            Some("HOME") => home = Some(PathBuf::from(value).join(".config")),
            _ => {}
        }
    }
    Some(configuration.or(home)?.join(program.name()))
}
