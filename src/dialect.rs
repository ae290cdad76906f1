//! Whose words and numbers the program ends with: our own, or those of the mosquitto client it was called as.
//!
//! What was typed is translated in [`crate::cli::mosquitto`]; this is the other end, from outcomes to stderr and the exit
//! status. A command asks for the dialect only where mosquitto's client does something else than ours would.

use std::ffi::OsStr;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use crate::client::{Failure, Obstacle};
use crate::exit::{self, Exit};
use crate::mqtt::{ReasonCode, Version};
use crate::output::{self, JsonForm, Voice};

/// Whose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dialect {
    /// Called as `mqtt`.
    #[default]
    Ours,
    /// Called as one of mosquitto's clients.
    Mosquitto(Mosquitto),
}

/// One of mosquitto's clients, and how much like it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mosquitto {
    /// Which.
    pub program: Program,
    /// `--strict`: exit statuses are mosquitto's even where they call a failure a success.
    pub is_strict: bool,
    /// `--pretty`, and `--json-compat`, by which JSON has the form of mosquitto 2.1 instead of 2.0.
    pub json: JsonForm,
}

/// One of mosquitto's three clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// `mosquitto_pub`
    Pub,
    /// `mosquitto_sub`
    Sub,
    /// `mosquitto_rr`
    Rr,
}

impl Program {
    /// All of them.
    pub const ALL: [Program; 3] = [Program::Pub, Program::Sub, Program::Rr];

    /// The client this name of a program, with or without folders before it, stands for.
    pub fn called(name: &OsStr) -> Option<Program> {
        let name = Path::new(name).file_stem()?;
        Program::ALL
            .into_iter()
            .find(|program| name == program.name())
    }

    /// `mosquitto_pub` and so on.
    pub fn name(self) -> &'static str {
        match self {
            Program::Pub => "mosquitto_pub",
            Program::Sub => "mosquitto_sub",
            Program::Rr => "mosquitto_rr",
        }
    }
}

/// A command line that is not carried out: what to say where. The status is 1.
#[derive(Debug, Clone, PartialEq, Eq, Default, thiserror::Error)]
#[error("{stderr}")]
pub struct Refusal {
    /// For stdout, to its last line feed.
    pub stdout: String,
    /// For stderr, to its last line feed.
    pub stderr: String,
}

/// What mosquitto's clients say of a connection that was lost.
pub const LOST: &str = "Error: The connection was lost.";

/// An error in the words of mosquitto's clients, to be said as they are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
struct Said(String);

impl Dialect {
    /// An error with this status: in mosquitto's words, which may be none, as one of its clients, else in ours.
    pub fn because(self, exit: Exit, ours: impl Into<String>, mosquitto: &str) -> anyhow::Error {
        match self {
            Dialect::Ours => exit.because(ours),
            Dialect::Mosquitto(_) => exit.because_of(Said(mosquitto.to_owned())),
        }
    }

    /// The client it was called as.
    pub fn mosquitto(self) -> Option<Mosquitto> {
        match self {
            Dialect::Ours => None,
            Dialect::Mosquitto(mosquitto) => Some(mosquitto),
        }
    }

    /// Says from now on whose voice stderr has.
    pub fn speak(self, is_quiet: bool) {
        output::speak_as(match self {
            _ if is_quiet => Voice::Silent,
            Dialect::Ours => Voice::Ours,
            Dialect::Mosquitto(_) => Voice::Mosquitto,
        });
    }

    /// The form of `%j` and `%J`: mosquitto 2.1's, unless a client of mosquitto was asked for another; indented if wanted.
    pub fn json(self, is_pretty: bool) -> JsonForm {
        let form = self.mosquitto().map(|mosquitto| mosquitto.json);
        form.unwrap_or(JsonForm {
            is_pretty,
            ..JsonForm::default()
        })
    }

    /// Whether this is that client of mosquitto's.
    pub fn is_called(self, program: Program) -> bool {
        self.mosquitto()
            .is_some_and(|mosquitto| mosquitto.program == program)
    }

    /// Says what ended the program, if anything needs saying, and gives its status.
    pub fn conclude(self, outcome: anyhow::Result<Exit>) -> ExitCode {
        match (self, outcome) {
            (Dialect::Ours, Ok(exit)) => exit.into(),
            (Dialect::Ours, Err(error)) => exit::report(&error).into(),
            (Dialect::Mosquitto(_), Err(error)) if error.is::<Refusal>() => {
                let refusal = error.downcast::<Refusal>().unwrap_or_default();
                // A reader who has left needs no words.
                let _ = std::io::stdout().write_all(refusal.stdout.as_bytes());
                let _ = std::io::stderr().write_all(refusal.stderr.as_bytes());
                ExitCode::FAILURE
            }
            (Dialect::Mosquitto(mosquitto), outcome) => {
                let (words, status) = match outcome {
                    Ok(exit) => mosquitto.done(exit),
                    Err(error) => mosquitto.failed(&error),
                };
                if output::voice() != Voice::Silent {
                    let _ = std::io::stderr().write_all(words.as_bytes());
                }
                ExitCode::from(status)
            }
        }
    }
}

impl Mosquitto {
    fn done(self, exit: Exit) -> (String, u8) {
        match (exit, self.program) {
            (Exit::TimedOut, _) => ("Timed out\n".to_owned(), exit as u8),
            // mosquitto_sub takes a signal for a wish, the others die of it.
            (Exit::Interrupted, Program::Sub) => (String::new(), 0),
            _ => (String::new(), exit as u8),
        }
    }

    fn failed(self, error: &anyhow::Error) -> (String, u8) {
        let status = self.status(exit::of(error));
        match (exit::cause::<Failure>(error), exit::cause::<Said>(error)) {
            (Some(failure), _) => self.lost(failure),
            (None, Some(Said(words))) if words.is_empty() => (String::new(), status),
            (None, Some(Said(words))) => (format!("{words}\n"), status),
            (None, None) => (format!("Error: {error:#}\n"), status),
        }
    }

    fn status(self, exit: Exit) -> u8 {
        match exit {
            Exit::Denied if self.is_strict => 0,
            Exit::Usage | Exit::NotReached => 1,
            exit => exit as u8,
        }
    }

    fn lost(self, failure: &Failure) -> (String, u8) {
        match failure {
            Failure::NotReached { words, obstacle } => not_reached(words, *obstacle),
            Failure::Refused {
                version, reason, ..
            } => self.refused(*version, *reason),
            Failure::Moved { reason, .. } => self.refused(Version::V5, *reason),
            Failure::Disconnected { .. }
            | Failure::Contested { .. }
            | Failure::Lost(_)
            | Failure::Forbidden(_) => (format!("{LOST}\n"), 7),
            other => (format!("Error: {other}\n"), self.status(other.exit())),
        }
    }

    fn refused(self, version: Version, reason: ReasonCode) -> (String, u8) {
        let (mut words, status, second) = match version {
            Version::V31 | Version::V311 => {
                let (status, words) = match reason {
                    ReasonCode::UNSUPPORTED_PROTOCOL_VERSION => {
                        (1, "unacceptable protocol version")
                    }
                    ReasonCode::CLIENT_IDENTIFIER_NOT_VALID => (2, "identifier rejected"),
                    ReasonCode::SERVER_UNAVAILABLE => (3, "broker unavailable"),
                    ReasonCode::BAD_USER_NAME_OR_PASSWORD => (4, "bad user name or password"),
                    ReasonCode::NOT_AUTHORIZED => (5, "not authorised"),
                    other => (other.0, "unknown reason"),
                };
                let words = format!("Connection error: Connection Refused: {words}.\n");
                (words, status, "The connection was refused.")
            }
            Version::V5 => {
                let advice = match (reason, self.program) {
                    (ReasonCode::UNSUPPORTED_PROTOCOL_VERSION, Program::Rr) => {
                        ". mosquitto_rr only supports connecting to an MQTT v5 broker"
                    }
                    (ReasonCode::UNSUPPORTED_PROTOCOL_VERSION, _) => {
                        ". Try connecting to an MQTT v5 broker, or use MQTT v3.x mode."
                    }
                    _ => "",
                };
                let words = format!("Connection error: {}{advice}\n", reason_name(reason));
                let second =
                    "A network protocol error occurred when communicating with the broker.";
                (words, reason.0, second)
            }
        };
        if self.program == Program::Pub {
            words += &format!("Error: {second}\n");
        }
        (words, status)
    }
}

/// Of TLS and of a connection closed too soon mosquitto's clients only say that it failed; why is added, because nobody can do anything with that.
fn not_reached(words: &str, obstacle: Obstacle) -> (String, u8) {
    match obstacle {
        Obstacle::Name => ("Unable to connect (Lookup error.).\n".to_owned(), 1),
        Obstacle::System(number) => {
            let error = std::io::Error::from_raw_os_error(number).to_string();
            let name = error.split(" (os error").next().unwrap_or_default();
            (format!("Error: {name}\n"), 1)
        }
        Obstacle::Tls => (format!("Error: A TLS error occurred.\nError: {words}\n"), 8),
        Obstacle::Silence => ("Error: Keepalive exceeded\n".to_owned(), 19),
        Obstacle::Closed => (format!("{LOST}\nError: {words}\n"), 7),
        Obstacle::Other => (format!("Error: {words}\n"), 1),
    }
}

/// A reason code of MQTT 5 as mosquitto's clients write it.
pub fn reason_name(reason: ReasonCode) -> String {
    match reason.0 {
        0x81 => "Malformed Packet".to_owned(),
        0x82 => "Protocol Error".to_owned(),
        0x84 => "Unsupported Protocol Version".to_owned(),
        0x85 => "Client Identifier not valid".to_owned(),
        0x86 => "Bad User Name or Password".to_owned(),
        0x8D => "Keep Alive timeout".to_owned(),
        0x8F => "Topic Filter invalid".to_owned(),
        0x90 => "Topic Name invalid".to_owned(),
        0x91 => "Packet Identifier in use".to_owned(),
        0x92 => "Packet Identifier not found".to_owned(),
        0x93 => "Receive Maximum exceeded".to_owned(),
        0x94 => "Topic Alias invalid".to_owned(),
        0xA1 => "Subscription identifiers not supported".to_owned(),
        _ if reason.name() == "unknown reason code" => "Unknown reason".to_owned(),
        _ => {
            let name = reason.name();
            let (first, rest) = name.split_at(1);
            first.to_uppercase() + rest
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_known_by_the_last_part_of_its_name() {
        for (name, program) in [
            ("mosquitto_pub", Some(Program::Pub)),
            ("/usr/local/bin/mosquitto_sub", Some(Program::Sub)),
            ("./mosquitto_rr.exe", Some(Program::Rr)),
            ("mqtt", None),
            ("mosquitto_pub2", None),
            ("", None),
        ] {
            assert_eq!(Program::called(OsStr::new(name)), program, "{name}");
        }
    }

    #[test]
    fn a_refused_connection_has_the_number_of_its_version() {
        let mosquitto = |program| Mosquitto {
            program,
            is_strict: false,
            json: JsonForm::default(),
        };
        for (program, version, reason, words, status) in [
            (
                Program::Pub,
                Version::V311,
                ReasonCode::NOT_AUTHORIZED,
                "Connection error: Connection Refused: not authorised.\nError: The connection was refused.\n",
                5,
            ),
            (
                Program::Sub,
                Version::V5,
                ReasonCode::BAD_USER_NAME_OR_PASSWORD,
                "Connection error: Bad User Name or Password\n",
                134,
            ),
            (
                Program::Sub,
                Version::V5,
                ReasonCode::UNSUPPORTED_PROTOCOL_VERSION,
                "Connection error: Unsupported Protocol Version. Try connecting to an MQTT v5 broker, or use MQTT v3.x mode.\n",
                132,
            ),
        ] {
            let said = mosquitto(program).refused(version, reason);
            assert_eq!(said, (words.to_owned(), status));
        }
    }
}
