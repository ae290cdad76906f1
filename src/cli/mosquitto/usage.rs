//! What `--help` and `--version` say under mosquitto's names: the options by their letters, and where to read more.

use super::command;
use super::options::OPTIONS;
use crate::dialect::{Program, Refusal};

/// The version of mosquitto's clients whose command line is understood here.
const VERSION: &str = "2.0.11";

impl Refusal {
    /// `--version`
    pub(super) fn version(program: Program) -> Refusal {
        Refusal {
            stdout: version(program),
            ..Refusal::default()
        }
    }

    /// `--help`
    pub(super) fn help(program: Program) -> Refusal {
        Refusal {
            stdout: help(program),
            ..Refusal::default()
        }
    }

    /// What is missing on stderr, and the whole help on stdout.
    pub(super) fn with_help(program: Program, message: &str) -> Refusal {
        Refusal {
            stdout: help(program),
            stderr: message.to_owned(),
        }
    }
}

/// The second version is where a script looks for that of the library.
fn version(program: Program) -> String {
    format!(
        "{} version {VERSION} running on mqtt {}.\n",
        program.name(),
        env!("CARGO_PKG_VERSION")
    )
}

fn help(program: Program) -> String {
    let (what, needed) = match program {
        Program::Pub => (
            "publishes messages to a topic",
            "{-t TOPIC | -L URL} {-m TEXT | -f FILE | -l | -n | -s}",
        ),
        Program::Sub => (
            "subscribes to topics and prints what arrives",
            "{-t FILTER | -L URL}...",
        ),
        Program::Rr => (
            "publishes a request and prints the reply",
            "{-t TOPIC | -L URL} -e TOPIC {-m TEXT | -f FILE | -n | -s}",
        ),
    };
    let name = program.name();
    let command = command(program);
    let mut text = format!(
        "{name}, as mqtt speaks it, {what}.\n{}\nUsage: {name} [OPTION [VALUE]]... {needed}\n\nOptions:\n",
        version(program)
    );
    text += "  -D, --property COMMAND NAME VALUE\n";
    for option in OPTIONS {
        if option.programs.contains(&program) {
            let value = if option.value.is_some() { " VALUE" } else { "" };
            text += &format!("  {}{value}\n", option.names.join(", "));
        }
    }
    text += "  --help\n  --version\n\n";
    text += &format!(
        "They mean what they mean in `mqtt {command}`, whose --help explains them. --strict ends with mosquitto's exit\n\
         status where `mqtt {command}` would call it an error.\n"
    );
    text
}
