//! Where messages go: to stdout, into files, or to a command each.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Received;
use super::workers::{Ended, Workers};
use crate::commands::exec::Failed;
use crate::commands::owed::{Owed, Ticket};
use crate::exit::Exit;
use crate::mqtt::packet::Publish;
use crate::output::{Files, MessageFormat, Outlet, Unwritable, say, say_either};

/// How the messages that go to stdout or into files look.
pub(super) struct Form {
    pub(super) format: MessageFormat,
    pub(super) line_feed: bool,
    pub(super) zone: TimeZone,
}

/// A destination.
pub(super) enum Sink {
    Stdout(Form, Outlet<std::io::Stdout>),
    Files(Form, Files),
    Commands(Commands),
}

/// A command for each message.
pub(super) struct Commands {
    workers: Workers,
    /// A message is settled when its command has ended well, and not already when it has begun.
    settles_late: bool,
    failures: u64,
}

impl Commands {
    pub(super) fn new(workers: Workers, settles_late: bool) -> Commands {
        Commands {
            workers,
            settles_late,
            failures: 0,
        }
    }
}

impl Sink {
    /// Takes a message. What is printed is not written yet.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub(super) fn take(
        &mut self,
        received: Received,
        ticket: Option<Ticket>,
        owed: &mut Owed,
    ) -> anyhow::Result<()> {
        let Received { publish, at } = received;
        match self {
            Sink::Stdout(form, output) => form.write(&publish, at, &mut output.buffer),
            Sink::Files(form, files) => {
                files.prepare(at)?;
                let before = files.buffer.len();
                form.write(&publish, at, &mut files.buffer);
                files.appended(before, at)?;
            }
            Sink::Commands(commands) => {
                commands.workers.take(publish, ticket);
                commands.settle_begun(owed);
            }
        }
        Ok(())
    }

    /// Whether so much has come together that it should be handed on before more is taken.
    pub(super) fn is_full(&self) -> bool {
        match self {
            Sink::Stdout(_, output) => output.is_full(),
            Sink::Files(_, files) => files.is_full(),
            Sink::Commands(_) => false,
        }
    }

    /// Whether messages must wait on the connection.
    pub(super) fn is_choked(&self) -> bool {
        match self {
            Sink::Commands(commands) => commands.workers.is_full(),
            _ => false,
        }
    }

    /// Writes what was taken, and settles it. Returns how to end when nobody reads it any more.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) async fn hand_on(&mut self, owed: &mut Owed) -> anyhow::Result<Option<Exit>> {
        match self {
            Sink::Stdout(_, output) => match output.flush().await {
                Ok(()) => {}
                Err(Unwritable::Closed) => return Ok(Some(Exit::Done)),
                Err(error) => return Err(error.into()),
            },
            Sink::Files(_, files) => files.flush()?,
            // Each is settled on its own.
            Sink::Commands(_) => return Ok(None),
        }
        owed.settle_all();
        Ok(None)
    }

    /// Waits for something to happen in here. Nothing is lost when this is cancelled.
    pub(super) async fn next(&mut self) -> Ended {
        match self {
            Sink::Commands(commands) => commands.workers.next().await,
            _ => std::future::pending().await,
        }
    }

    /// A command has ended.
    ///
    /// # Errors
    /// When nothing can go on after it: there is no such program, or its message must not be acknowledged, nor, because
    /// acknowledgements keep the order of the messages, any behind it.
    pub(super) fn ended(&mut self, ended: Ended, owed: &mut Owed) -> anyhow::Result<()> {
        let Sink::Commands(commands) = self else {
            return Ok(());
        };
        match ended.outcome {
            Ok(()) => {
                if let Some(ticket) = ended.ticket {
                    owed.settle(ticket);
                }
            }
            Err(failed @ Failed::NoProgram { .. }) => return Err(failed.into()),
            Err(failed) if commands.settles_late && ended.ticket.is_some() => {
                return Err(Exit::Failed.because(format!(
                    "{failed}; its message is not acknowledged, and a kept session brings it again"
                )));
            }
            Err(failed) => {
                commands.failures += 1;
                say(failed);
            }
        }
        commands.workers.begin();
        commands.settle_begun(owed);
        Ok(())
    }

    /// Whether nothing is under way in here.
    pub(super) fn is_idle(&self) -> bool {
        match self {
            Sink::Commands(commands) => commands.workers.is_idle(),
            _ => true,
        }
    }

    /// Begins nothing more.
    pub(super) fn drop_waiting(&mut self) {
        if let Sink::Commands(commands) = self {
            commands.workers.drop_waiting();
        }
    }

    /// What to say in the end about commands that failed.
    pub(super) fn complaint(&self) -> Option<String> {
        match self {
            Sink::Commands(Commands { failures: 1.., .. }) => Some("a command failed".to_owned()),
            _ => None,
        }
    }
}

impl Commands {
    fn settle_begun(&mut self, owed: &mut Owed) {
        for ticket in self.workers.begun.drain(..) {
            if !self.settles_late {
                owed.settle(ticket);
            }
        }
    }
}

impl Form {
    fn write(&self, publish: &Publish, at: Timestamp, out: &mut Vec<u8>) {
        let complaint = self
            .format
            .write(publish, at, &self.zone, self.line_feed, out);
        if let Some(complaint) = complaint {
            say_either(&complaint, complaint.mosquitto());
        }
    }
}
