//! `--exec`: a command for each message, so many at a time.
//!
//! Messages are begun in their order. Those that come while all workers are busy wait here; when many wait, no more are
//! taken from the connection, so that it is the broker that keeps them.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::task::JoinSet;

use crate::commands::exec::{Exec, Failed};
use crate::commands::owed::Ticket;
use crate::mqtt::packet::Publish;

/// Messages that may wait.
const WAITING: usize = 1024;
/// Bytes of payload that may wait, but for a single message that has more.
const BYTES: usize = 1 << 20;

/// The commands that run and the messages that wait for one.
pub(super) struct Workers {
    exec: Arc<Exec>,
    limit: usize,
    waiting: VecDeque<(Publish, Option<Ticket>)>,
    bytes: usize,
    running: JoinSet<Ended>,
    /// Messages whose command has begun since this was last looked at.
    pub(super) begun: Vec<Ticket>,
}

/// A command that has ended.
pub(super) struct Ended {
    /// The message's; `None` when nothing is owed for it.
    pub(super) ticket: Option<Ticket>,
    pub(super) outcome: Result<(), Failed>,
}

impl Workers {
    pub(super) fn new(exec: Exec, limit: usize) -> Workers {
        Workers {
            exec: Arc::new(exec),
            limit,
            waiting: VecDeque::new(),
            bytes: 0,
            running: JoinSet::new(),
            begun: Vec::new(),
        }
    }

    /// Whether no more messages should be brought.
    pub(super) fn is_full(&self) -> bool {
        self.waiting.len() >= WAITING || self.bytes >= BYTES
    }

    /// Takes a message; its command begins now or when a worker is free.
    pub(super) fn take(&mut self, message: Publish, ticket: Option<Ticket>) {
        self.bytes += message.payload.len();
        self.waiting.push_back((message, ticket));
        self.begin();
    }

    /// The next command that ends, after which [`Workers::begin`] goes on. Never, while none runs; nothing is lost when this is cancelled.
    pub(super) async fn next(&mut self) -> Ended {
        match self.running.join_next().await {
            Some(Ok(ended)) => ended,
            Some(Err(error)) => std::panic::resume_unwind(error.into_panic()),
            None => std::future::pending().await,
        }
    }

    /// Whether nothing runs and nothing waits.
    pub(super) fn is_idle(&self) -> bool {
        self.running.is_empty() && self.waiting.is_empty()
    }

    /// Begins nothing more.
    pub(super) fn drop_waiting(&mut self) {
        self.waiting.clear();
        self.bytes = 0;
    }

    /// Begins the commands there are workers for.
    pub(super) fn begin(&mut self) {
        while self.running.len() < self.limit
            && let Some((message, ticket)) = self.waiting.pop_front()
        {
            self.bytes -= message.payload.len();
            self.begun.extend(ticket);
            let exec = Arc::clone(&self.exec);
            self.running.spawn(async move {
                let outcome = exec.run(&message).await;
                Ended { ticket, outcome }
            });
        }
    }
}
