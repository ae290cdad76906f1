//! One direction of a connection through the proxy: what is read is held as long as the conditions say, and passed on in
//! its order. No socket and no clock of its own: the streams are passed in, the time is the runtime's.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::{pending, poll_fn};
use std::io;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::bench::plan::disturbance::{Direction, Harm};
use crate::bench::random::Random;

/// What a connection suffers at present.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Condition {
    /// It is over.
    pub(super) cut: bool,
    /// Nothing comes through, and nobody is told.
    dead: bool,
    stalled_up: bool,
    stalled_down: bool,
    delay: Duration,
    jitter: Duration,
    /// Bytes per second.
    rate: Option<f64>,
}

/// The most bytes held in one direction; nothing more is read until some have gone.
const HELD: usize = 4 * 1024 * 1024;

/// A limited bandwidth passes on what goes through in this time at once.
const GRAIN: f64 = 0.02;

impl Condition {
    /// One harm more. Delays add up, of bandwidths the smallest counts.
    pub(super) fn add(&mut self, harm: Harm) {
        match harm {
            Harm::Cut => self.cut = true,
            Harm::HalfOpen => self.dead = true,
            Harm::Stall(direction) => {
                self.stalled_up |= direction.includes(Direction::Up);
                self.stalled_down |= direction.includes(Direction::Down);
            }
            Harm::Delay { by, jitter } => {
                self.delay += by;
                self.jitter += jitter;
            }
            Harm::Rate(rate) => {
                let rate = rate.per_second();
                self.rate = Some(self.rate.map_or(rate, |other| other.min(rate)));
            }
        }
    }

    fn stalls(&self, direction: Direction) -> bool {
        match direction {
            Direction::Up => self.stalled_up,
            Direction::Down => self.stalled_down,
            Direction::Both => self.stalled_up || self.stalled_down,
        }
    }
}

/// Bytes on their way, and when they may go on.
struct Held {
    due: Instant,
    bytes: Vec<u8>,
    written: usize,
}

/// What is between reading and writing.
struct Queue {
    held: VecDeque<Held>,
    length: usize,
    /// When the last byte may go on; none overtakes another.
    last: Option<Instant>,
    random: Random,
}

impl Queue {
    fn hold(&mut self, bytes: Vec<u8>, condition: &Condition) {
        let now = Instant::now();
        let spread = condition.jitter.mul_f64(2.0 * self.random.unit());
        let mut due = now + (condition.delay + spread).saturating_sub(condition.jitter);
        if let Some(rate) = condition.rate {
            let takes = Duration::from_secs_f64(bytes.len() as f64 / rate);
            due = due.max(self.last.map_or(now, |last| last.max(now)) + takes);
        }
        due = self.last.map_or(due, |last| last.max(due));
        self.last = Some(due);
        self.length += bytes.len();
        self.held.push_back(Held {
            due,
            bytes,
            written: 0,
        });
    }

    fn wrote(&mut self, count: usize) {
        let Some(front) = self.held.front_mut() else {
            return;
        };
        front.written += count;
        self.length -= count;
        if front.written == front.bytes.len() {
            self.held.pop_front();
        }
    }

    fn clear(&mut self) {
        self.held.clear();
        self.length = 0;
    }

    fn has_room(&self, condition: &Condition) -> bool {
        match condition.rate {
            // What waits for bandwidth waits at its sender.
            Some(_) => self.held.is_empty(),
            None => self.length < HELD,
        }
    }
}

/// Passes bytes on until there are no more (`Ok`), or the connection cannot go on. `scratch` is where everyone reads.
///
/// # Errors
/// When a side has failed or left, or the connection is cut.
pub(super) async fn pump(
    direction: Direction,
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut conditions: watch::Receiver<Condition>,
    random: Random,
    scratch: &RefCell<Vec<u8>>,
) -> io::Result<()> {
    let mut queue = Queue {
        held: VecDeque::new(),
        length: 0,
        last: None,
        random,
    };
    let mut ended = false;
    loop {
        let condition = *conditions.borrow_and_update();
        if condition.cut {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        if condition.dead {
            queue.clear();
        } else if ended && queue.held.is_empty() {
            return to.shutdown().await;
        }
        let flows = !condition.stalls(direction);
        let due = queue.held.front().map(|front| front.due).filter(|_| flows);
        let writes = due.is_some_and(|due| due <= Instant::now());
        let reads = flows && !ended && (condition.dead || queue.has_room(&condition));
        let most = match condition.rate {
            Some(rate) => ((rate * GRAIN) as usize).max(1),
            None => usize::MAX,
        };
        let wait = async {
            match due {
                Some(due) => sleep_until(due).await,
                None => pending().await,
            }
        };
        tokio::select! {
            biased;
            changed = conditions.changed() => {
                if changed.is_err() {
                    return Err(io::ErrorKind::ConnectionAborted.into());
                }
            }
            written = to.write(queue.front()), if writes => queue.wrote(written?),
            read = read(&mut from, scratch, most), if reads => {
                let bytes = read?;
                ended = bytes.is_empty();
                match condition.dead {
                    // The client has noticed. That the broker has is none of the client's business.
                    true if ended && direction == Direction::Up => {
                        return Err(io::ErrorKind::ConnectionAborted.into());
                    }
                    false if !ended => queue.hold(bytes, &condition),
                    _ => {}
                }
            }
            () = wait, if !writes => {}
        }
    }
}

impl Queue {
    fn front(&self) -> &[u8] {
        self.held
            .front()
            .map_or(&[], |front| &front.bytes[front.written..])
    }
}

/// What there is to read, at most so many bytes; nothing at the end. A connection that is idle has no buffer.
async fn read(
    from: &mut (impl AsyncRead + Unpin),
    scratch: &RefCell<Vec<u8>>,
    most: usize,
) -> io::Result<Vec<u8>> {
    poll_fn(|context| {
        let mut scratch = scratch.borrow_mut();
        let most = most.min(scratch.len());
        let mut space = ReadBuf::new(&mut scratch[..most]);
        match Pin::new(&mut *from).poll_read(context, &mut space) {
            Poll::Ready(Ok(())) => Poll::Ready(Ok(space.filled().to_vec())),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}
