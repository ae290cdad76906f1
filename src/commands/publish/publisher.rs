//! Sending what the feed gives, over a session, until every delivery is complete.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::books::Books;
use super::feed::{Feed, Item};
use super::pace::Pace;
use crate::client::{Event, Session};
use crate::dialect::{self, Dialect};
use crate::exit::Exit;
use crate::mqtt::ByteString;
use crate::mqtt::packet::Publish;
use crate::output::Unwritable;
use crate::payload::compose::Composer;

/// When to send the next message.
pub(super) enum Tempo {
    /// As soon as there is room.
    Free,
    /// Evenly.
    Paced(Pace),
    /// So long after the one before it is complete.
    Pause(Duration),
}

pub(super) struct Publisher {
    pub(super) session: Session,
    pub(super) composer: Composer,
    pub(super) tempo: Tempo,
    pub(super) books: Books,
    /// Whose words the end of the connection has.
    pub(super) dialect: Dialect,
    /// Whether a message after the first names its topic by its alias alone, which counts for one connection only.
    pub(super) trusts_alias: bool,
}

/// Why nothing more is sent.
#[derive(Debug, thiserror::Error)]
pub(super) enum End {
    /// The reader of stdout has left, which is its right.
    #[error("the reader of stdout has left")]
    Unread,
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

impl From<Unwritable> for End {
    fn from(error: Unwritable) -> End {
        match error {
            Unwritable::Closed => End::Unread,
            failed => End::Failed(failed.into()),
        }
    }
}

impl Publisher {
    /// Sends everything, and waits until it is delivered.
    pub(super) async fn publish(&mut self, mut feed: Feed) -> Result<(), End> {
        let mut count = 0;
        loop {
            while let Some(item) = feed.next_ready() {
                self.wait_for_its_turn(count).await?;
                count += 1;
                self.send_all(item, count).await?;
            }
            self.books.flush().await?;
            tokio::select! {
                more = feed.ready() => match more {
                    Ok(true) => {}
                    Ok(false) => return self.complete().await,
                    Err(error) => {
                        self.complete().await?;
                        return Err(anyhow::Error::new(error).context("cannot read stdin").into());
                    }
                },
                event = self.session.next() => self.take(event)?,
            }
        }
    }

    async fn wait_for_its_turn(&mut self, count: u64) -> Result<(), End> {
        match &mut self.tempo {
            Tempo::Free => Ok(()),
            Tempo::Paced(pace) => {
                let due = pace.next(Instant::now());
                self.wait_until(due).await
            }
            Tempo::Pause(_) if count == 0 => Ok(()),
            Tempo::Pause(pause) => {
                let pause = *pause;
                self.complete().await?;
                self.wait_until(Instant::now() + pause).await
            }
        }
    }

    async fn send_all(&mut self, item: Item, count: u64) -> Result<(), End> {
        let messages = match item.draft {
            Ok(draft) => self.composer.compose(draft, count, Timestamp::now),
            Err(words) => Err(words),
        };
        match messages {
            Ok(messages) => {
                for message in messages {
                    self.send(message).await?;
                }
            }
            Err(words) => self.books.unusable(&item.origin, &words),
        }
        Ok(())
    }

    /// Sends one message as soon as there is room for it.
    async fn send(&mut self, mut message: Publish) -> Result<(), End> {
        let number = self.books.accepted(&message);
        if self.trusts_alias && number > 1 {
            message.topic = ByteString::default();
        }
        while !self.session.has_room() {
            self.next().await?;
        }
        match self.session.publish(message.clone()) {
            Ok(session_number) => self.books.handed_over(session_number, number, &message),
            Err(error) => self.books.unfit(number, &message, error.to_string()),
        }
        Ok(())
    }

    async fn complete(&mut self) -> Result<(), End> {
        while !self.session.is_complete() {
            self.next().await?;
        }
        Ok(self.books.flush().await?)
    }

    async fn wait_until(&mut self, due: Instant) -> Result<(), End> {
        if due <= Instant::now() {
            return Ok(());
        }
        self.books.flush().await?;
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(due) => return Ok(()),
                event = self.session.next() => {
                    self.take(event)?;
                    self.books.flush().await?;
                }
            }
        }
    }

    /// Takes note of the next event, and tells others what has come to light before waiting for it.
    async fn next(&mut self) -> Result<(), End> {
        let event = match self.session.next_ready() {
            Some(event) => event,
            None => {
                self.books.flush().await?;
                self.session.rest();
                self.session.next().await
            }
        };
        self.take(event)
    }

    fn take(&mut self, event: Event) -> Result<(), End> {
        match event {
            Event::Sent {
                number,
                packet_id,
                again,
            } => self.books.sent(number, packet_id, again),
            Event::Complete { number, reason } => self.books.complete(number, reason),
            Event::Lost {
                failure,
                retry_in,
                unwritten,
            } => {
                self.books.lost();
                if unwritten > 0 {
                    self.books
                        .say(format_args!("{unwritten} messages of QoS 0 were not sent"));
                }
                let Some(delay) = retry_in else {
                    return Err(End::Failed(match failure.exit() {
                        Exit::Refused => failure.into_error(),
                        _ => {
                            let words = format!("{failure}; not every message was delivered");
                            self.dialect.because(Exit::Lost, words, dialect::LOST)
                        }
                    }));
                };
                self.books.say(failure.and_again_in(delay));
            }
            Event::Connected => self.books.say("connected again"),
            Event::Message(_) | Event::Subscribed(_) | Event::Unsubscribed(_) => {}
        }
        Ok(())
    }
}
