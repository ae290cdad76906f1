//! The files that are made from the command line's definition and committed: completions/ and man/.
//!
//! A package or a user finds them without building anything, and nothing in the program carries them.
//! `UPDATE_ARTIFACTS=1 cargo test --test artifacts` writes them anew.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};
use mqtt_toolbox::cli::Cli;
use mqtt_toolbox::cli::pages::{self, Page};
use mqtt_toolbox::exit;

/// The day in the man pages' footers; moves with a release.
const DATE: &str = "2026-11-23";

#[test]
fn the_committed_files_are_what_the_definition_says() {
    let update = std::env::var_os("UPDATE_ARTIFACTS").is_some();
    let expected = artifacts();
    let mut stale = Vec::new();
    for (path, content) in &expected {
        if std::fs::read(root().join(path)).ok().as_ref() == Some(content) {
            continue;
        }
        if update {
            let path = root().join(path);
            std::fs::create_dir_all(path.parent().expect("a folder and a name")).unwrap();
            std::fs::write(path, content).unwrap();
        } else {
            stale.push(path.clone());
        }
    }
    for folder in ["completions", "man"] {
        for entry in std::fs::read_dir(root().join(folder)).into_iter().flatten() {
            let path = Path::new(folder).join(entry.unwrap().file_name());
            match expected.contains_key(&path) {
                true => {}
                false if update => std::fs::remove_file(root().join(path)).unwrap(),
                false => stale.push(path),
            }
        }
    }
    assert!(
        stale.is_empty(),
        "{stale:?} do not say what the command line says now; \
         refresh them with UPDATE_ARTIFACTS=1 cargo test --test artifacts"
    );
}

#[test]
fn the_man_pages_pass_the_linter() {
    for (path, page) in artifacts() {
        if !path.starts_with("man") {
            continue;
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), page).unwrap();
        let mandoc = Command::new("mandoc")
            .args(["-Tlint", "-Wwarning"])
            .arg(file.path())
            .output()
            .expect("mandoc is installed by tests/setup");
        let complaints = String::from_utf8_lossy(&mandoc.stdout);
        assert!(
            mandoc.status.success() && complaints.is_empty(),
            "{path:?}\n{complaints}"
        );
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file by its path from the root of the repository.
fn artifacts() -> BTreeMap<PathBuf, Vec<u8>> {
    let shells = [
        (Shell::Bash, "mqtt.bash"),
        (Shell::Zsh, "_mqtt"),
        (Shell::Fish, "mqtt.fish"),
        (Shell::PowerShell, "mqtt.ps1"),
        (Shell::Elvish, "mqtt.elv"),
    ];
    let completions = shells.map(|(shell, name)| {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Cli::command(), "mqtt", &mut script);
        (Path::new("completions").join(name), script)
    });
    let man = pages::ALL.map(|page| {
        let name = format!("{}.1", title(page));
        let page = man_page(page).expect("memory takes what is written");
        (Path::new("man").join(name), page)
    });
    completions.into_iter().chain(man).collect()
}

/// `mqtt` or `mqtt-pub`.
fn title(page: &Page) -> String {
    match page.command {
        "" => "mqtt".to_owned(),
        command => format!("mqtt-{}", command.replace(' ', "-")),
    }
}

fn man_page(page: &Page) -> std::io::Result<Vec<u8>> {
    let mut cli = Cli::command();
    cli.build();
    let command = match page.command {
        "" => cli.subcommand_help_heading("COMMANDS"),
        path => path
            .split(' ')
            .fold(&cli, |command, name| {
                let found = command.find_subcommand(name);
                found.expect("every page has a command")
            })
            .clone(),
    };
    let man = Man::new(command.clone())
        .title(title(page).to_uppercase())
        .date(DATE)
        .source(format!("mqtt {}", env!("CARGO_PKG_VERSION")))
        .manual("User Commands");
    let mut sections: Vec<u8> = Vec::new();
    let out = &mut sections;
    man.render_title(out)?;
    man.render_name_section(out)?;
    man.render_synopsis_section(out)?;
    description(page, &command).to_writer(out)?;
    out.extend(options(&man, &command)?);
    if command.has_subcommands() {
        man.render_subcommands_section(out)?;
    }
    for section in [
        examples(page),
        statuses(),
        environment(page),
        see_also(page),
    ] {
        section.to_writer(out)?;
    }
    Ok(tidy(&String::from_utf8_lossy(&sections)))
}

fn description(page: &Page, command: &clap::Command) -> Roff {
    let about = command.get_about().expect("every command has its line");
    let mut roff = Roff::new();
    roff.control("SH", ["DESCRIPTION"]).text([roman(format!(
        "{}.",
        about.to_string().trim_end_matches('.')
    ))]);
    for paragraph in page.description {
        roff.control("PP", []).text([roman(*paragraph)]);
    }
    roff
}

/// The groups of options are parts of OPTIONS, and not sections beside it.
fn options(man: &Man, command: &clap::Command) -> std::io::Result<Vec<u8>> {
    let mut section = Vec::new();
    man.render_options_section(&mut section)?;
    let mut section = String::from_utf8_lossy(&section).into_owned();
    for heading in command
        .get_arguments()
        .filter_map(clap::Arg::get_help_heading)
    {
        let title = format!(".SH {}\n", heading.to_uppercase());
        section = section.replace(&title, &format!(".SS {heading}\n"));
    }
    Ok(section.into_bytes())
}

fn examples(page: &Page) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["EXAMPLES"]);
    for (wish, line) in page.examples {
        roff.control("TP", [])
            .text([roman(format!("{wish}:"))])
            .text([bold(*line)]);
    }
    roff
}

fn statuses() -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["EXIT STATUS"]);
    for (status, meaning) in exit::TABLE {
        roff.control("TP", [])
            .text([bold((status as u8).to_string())])
            .text([roman(meaning)]);
    }
    roff
}

fn environment(page: &Page) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["ENVIRONMENT"]);
    for (name, meaning) in page.environment {
        roff.control("TP", [])
            .text([bold(*name)])
            .text([roman(*meaning)]);
    }
    roff
}

fn see_also(page: &Page) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["SEE ALSO"]);
    let others: Vec<String> = pages::ALL
        .iter()
        .filter(|other| other.command != page.command)
        .map(|other| format!("{}(1)", title(other)))
        .collect();
    roff.text([roman(others.join(", "))]);
    roff
}

/// Each section brings its own definition of the apostrophe; one is enough. No line ends with a space.
fn tidy(page: &str) -> Vec<u8> {
    let preamble: Vec<&str> = page.lines().take(2).collect();
    assert_eq!(
        preamble,
        [r".ie \n(.g .ds Aq \(aq", r".el .ds Aq '"],
        "roff's way to begin"
    );
    // Before a list of possible values a line is broken twice, with an empty one in between.
    let page = page.replace("\n.br\n\n.br\n", "\n.br\n");
    let body = page.lines().filter(|line| !preamble.contains(line));
    let lines = preamble.iter().copied().chain(body);
    lines
        .flat_map(|line| [line.trim_end(), "\n"])
        .collect::<String>()
        .into_bytes()
}
