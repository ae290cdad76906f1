//! `mqtt install-links`: make the names of mosquitto's clients stand for this program.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::Context;

use crate::cli::install_links::InstallLinksArgs;
use crate::dialect::Program;
use crate::exit::Exit;
use crate::output::say;

/// Makes the links, all or none: what is in the way of one is found before the first is made.
///
/// # Errors
/// By exit status: 1 when something else has one of the names, or the folder cannot be written to.
pub fn run(args: InstallLinksArgs) -> anyhow::Result<Exit> {
    let program = std::env::current_exe().context("cannot find out where this program is")?;
    let folder = &args.directory;
    if !folder.is_dir() {
        return Err(Exit::Failed.because(format!("{} is no folder", folder.display())));
    }
    let mut missing = Vec::new();
    for name in Program::ALL.map(Program::name) {
        let place = folder.join(name);
        match found(&place, &program)? {
            Found::Link => say(format_args!("{} is there already", place.display())),
            Found::Other(_) if !args.force => {
                return Err(Exit::Failed.because(format!(
                    "{} is in the way and is not a link to this program; --force replaces it",
                    place.display()
                )));
            }
            Found::Other(is_folder) if is_folder => {
                return Err(Exit::Failed.because(format!("{} is a folder", place.display())));
            }
            found => missing.push((place, matches!(found, Found::Other(_)))),
        }
    }
    for (place, is_taken) in missing {
        let shown = place.display().to_string();
        if is_taken {
            fs::remove_file(&place).with_context(|| format!("cannot remove {shown}"))?;
        }
        link(&program, &place).with_context(|| format!("cannot make the link {shown}"))?;
        say(format_args!("{shown} -> {}", program.display()));
    }
    Ok(Exit::Done)
}

/// What has the name now.
enum Found {
    Nothing,
    /// Something that leads to this program.
    Link,
    /// Anything else; whether it is a folder.
    Other(bool),
}

fn found(place: &Path, program: &Path) -> anyhow::Result<Found> {
    let what = match fs::symlink_metadata(place) {
        Ok(what) => what,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => {
            return Err(error).with_context(|| format!("cannot look at {}", place.display()));
        }
    };
    let leads_here = fs::canonicalize(place).ok() == fs::canonicalize(program).ok();
    Ok(match leads_here {
        true => Found::Link,
        false => Found::Other(what.is_dir()),
    })
}

#[cfg(unix)]
fn link(program: &Path, place: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(program, place)
}

/// A copy, because making links is not everybody's right there.
#[cfg(windows)]
fn link(program: &Path, place: &Path) -> std::io::Result<()> {
    fs::copy(program, place.with_extension("exe")).map(drop)
}
