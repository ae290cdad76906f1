//! The exit statuses: their numbers, their names and their words, in one place.
//!
//! An error that should end the program with something other than [`Exit::Failed`] is made with
//! [`Exit::because`]; context may be wrapped around it and the status is still found.

use std::any::Any;
use std::process::ExitCode;

/// How the program ends. The same table stands in every man page and in the README.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done; also when an open-ended `sub` or `serve` was stopped by a signal, or the reader of stdout left.
    Done = 0,
    /// A local file, the output, or something else failed.
    Failed = 1,
    /// The command line is wrong.
    Usage = 2,
    /// The broker was not reached.
    NotReached = 3,
    /// The broker refused the connection.
    Refused = 4,
    /// The broker refused a subscription or a publish.
    Denied = 5,
    /// The connection was lost and not regained.
    Lost = 7,
    /// A threshold or the delivery check of a bench failed.
    CheckFailed = 8,
    /// The time given with `-W` ran out.
    TimedOut = 27,
    /// A signal came before the work was done.
    Interrupted = 130,
}

/// Every status with the words that explain it, in the order of the numbers.
pub const TABLE: [(Exit, &str); 10] = [
    (Exit::Done, "done"),
    (
        Exit::Failed,
        "failed: a local file, the output, or anything not listed here",
    ),
    (Exit::Usage, "the command line is wrong"),
    (
        Exit::NotReached,
        "broker not reached: name not found, TCP or TLS failed, or no answer within --connect-timeout",
    ),
    (Exit::Refused, "connection refused by the broker (CONNACK)"),
    (
        Exit::Denied,
        "subscription or publish refused by the broker",
    ),
    (Exit::Lost, "connection lost and not regained"),
    (
        Exit::CheckFailed,
        "a bench's thresholds or delivery check failed",
    ),
    (Exit::TimedOut, "the time given with -W ran out"),
    (
        Exit::Interrupted,
        "interrupted before bounded work was done",
    ),
];

/// An error that knows its exit status.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
struct Failure {
    exit: Exit,
    message: String,
    cause: Option<Box<dyn Any + Send + Sync>>,
}

impl Exit {
    /// The one with this number; [`Exit::Failed`] when there is none.
    pub fn numbered(status: u8) -> Exit {
        let known = TABLE.iter().find(|(exit, _)| *exit as u8 == status);
        known.map_or(Exit::Failed, |(exit, _)| *exit)
    }

    /// An error with this status and these words: what was tried, on what, and what to do next.
    pub fn because(self, message: impl Into<String>) -> anyhow::Error {
        anyhow::Error::new(Failure {
            exit: self,
            message: message.into(),
            cause: None,
        })
    }

    /// An error with this status and the words of its cause, which [`cause`] finds again.
    pub fn because_of(
        self,
        cause: impl std::error::Error + Send + Sync + 'static,
    ) -> anyhow::Error {
        anyhow::Error::new(Failure {
            exit: self,
            message: cause.to_string(),
            cause: Some(Box::new(cause)),
        })
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// The status an error ends the program with: [`Exit::Failed`] unless it was made by [`Exit::because`] or by clap.
pub fn of(error: &anyhow::Error) -> Exit {
    if let Some(typed) = error.downcast_ref::<clap::Error>() {
        return match typed.use_stderr() {
            true => Exit::Usage,
            false => Exit::Done,
        };
    }
    error
        .downcast_ref::<Failure>()
        .map_or(Exit::Failed, |failure| failure.exit)
}

/// What [`Exit::because_of`] was given, if it is of this type.
pub fn cause<T: 'static>(error: &anyhow::Error) -> Option<&T> {
    error
        .downcast_ref::<Failure>()?
        .cause
        .as_ref()?
        .downcast_ref()
}

/// Says the error on stderr and returns its status. What clap has to say it says itself, help on stdout.
pub fn report(error: &anyhow::Error) -> Exit {
    match error.downcast_ref::<clap::Error>() {
        // A reader who has left, of help for example, needs no words.
        Some(typed) => drop(typed.print()),
        None => crate::output::say(format_args!("{error:#}")),
    }
    of(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[test]
    fn the_status_is_found_under_context() {
        let error = Exit::Denied
            .because("refused")
            .context("could not subscribe to a");
        assert_eq!(of(&error), Exit::Denied);
        assert_eq!(format!("{error:#}"), "could not subscribe to a: refused");
    }

    #[test]
    fn an_ordinary_error_is_status_1() {
        let error = std::fs::read("/nonexistent")
            .context("reading")
            .unwrap_err();
        assert_eq!(of(&error), Exit::Failed);
    }

    #[test]
    fn the_table_lists_every_status_once_in_order() {
        let numbers: Vec<u8> = TABLE.iter().map(|(exit, _)| *exit as u8).collect();
        assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 7, 8, 27, 130]);
        assert!(
            numbers
                .iter()
                .all(|number| Exit::numbered(*number) as u8 == *number)
        );
        assert_eq!(Exit::numbered(6), Exit::Failed);
    }
}
