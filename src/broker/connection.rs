//! One connected client's socket: reads packets and hands them to the partition, writes what the partition has put
//! into the link. One task, one future, no buffer while idle.
//!
//! The stream may be anything that reads and writes; what the packets mean is the partition's business.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::lifecycle::Ending;
use super::partition::Shared;
use super::protocol::{Peer, Stop};
use super::trace::Direction;
use crate::mqtt::codec;

/// Bytes taken from a socket at a time, into a buffer all connections of a partition share.
const READ: usize = super::log::RECORD;

/// Longest time for the last packets of a connection that is being closed.
const FAREWELL: Duration = Duration::from_secs(5);

/// Reads of one connection before the others have their turn.
const TURN: usize = 4;

/// Serves an attached connection until it ends, and detaches it. `early` are bytes that came behind the CONNECT.
pub async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    shared: Shared,
    stream: S,
    peer: Peer,
    early: Bytes,
) {
    // Detaches also when a fault of ours unwinds this task: the session must not keep a dead connection.
    let mut connection = Attached {
        shared,
        peer,
        ending: Ending::Abnormal,
        stream,
        partial: Vec::new(),
        held_up: false,
        writing: Vec::new(),
        written: 0,
        farewell: None,
    };
    if !connection.peer.link.closing.get() {
        let handled = connection.take_in(&early);
        connection.keep(&early[handled..]);
    }
    // An idle connection would keep the buffer of its CONNECT.
    drop(early);
    poll_fn(|context| connection.poll(context)).await;
}

struct Attached<S> {
    shared: Shared,
    peer: Peer,
    ending: Ending,
    stream: S,
    /// The beginning of a packet whose end has not come yet.
    partial: Vec<u8>,
    /// Whether there are whole packets in it, because the log had no room for more.
    held_up: bool,
    /// Output that is being written, and how much of it is.
    writing: Vec<u8>,
    written: usize,
    /// Runs while the last packets wait for a client that does not read them.
    farewell: Option<Pin<Box<tokio::time::Sleep>>>,
}

impl<S> Drop for Attached<S> {
    fn drop(&mut self) {
        self.peer
            .link
            .buffers
            .give_back(std::mem::take(&mut self.writing));
        self.peer
            .link
            .buffers
            .give_back(self.peer.link.take_output());
        if let Ok(mut partition) = self.shared.try_borrow_mut() {
            let ending = if partition.stopping {
                Ending::Stopping
            } else {
                self.ending
            };
            partition.detach(self.peer.place, &self.peer.link, ending, Instant::now());
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Attached<S> {
    /// Writes and reads until both have to wait; ready when the connection is over.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let mut readable = true;
        let mut reads = 0;
        loop {
            match self.poll_write(context) {
                Poll::Ready(Ok(())) if self.peer.link.closing.get() => {
                    let _ = Pin::new(&mut self.stream).poll_shutdown(context);
                    return Poll::Ready(());
                }
                Poll::Ready(Ok(())) if !readable => break,
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => return self.lost(&error),
                Poll::Pending if self.peer.link.closing.get() => {
                    let farewell = self
                        .farewell
                        .get_or_insert_with(|| Box::pin(tokio::time::sleep(FAREWELL)));
                    return farewell.as_mut().poll(context);
                }
                Poll::Pending if !readable => break,
                Poll::Pending => {}
            }
            match self.poll_read(context) {
                Poll::Ready(Ok(0)) => return self.lost(&"closed by the client without DISCONNECT"),
                Poll::Ready(Ok(_)) if reads < TURN => reads += 1,
                Poll::Ready(Ok(_)) => {
                    context.waker().wake_by_ref();
                    readable = false;
                }
                Poll::Ready(Err(error)) => return self.lost(&error),
                // What was read last may have put something into the output.
                Poll::Pending => readable = false,
            }
        }
        *self.peer.link.waker.borrow_mut() = Some(context.waker().clone());
        Poll::Pending
    }

    fn lost(&self, why: &dyn std::fmt::Display) -> Poll<()> {
        if !self.peer.link.closing.get() {
            let partition = self.shared.borrow();
            let client_id = &partition.sessions[self.peer.place as usize].client_id;
            tracing::info!("client {client_id:?} lost: {why}");
        }
        Poll::Ready(())
    }

    /// Ready when all output is written.
    fn poll_write(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let link = Rc::clone(&self.peer.link);
        loop {
            if self.written == self.writing.len() {
                if self.written > 0 {
                    link.buffers.give_back(std::mem::take(&mut self.writing));
                    self.written = 0;
                    self.shared
                        .borrow_mut()
                        .fill(self.peer.place, Instant::now());
                }
                if link.output_length() == 0 {
                    return Poll::Ready(Ok(()));
                }
                self.writing = link.take_output();
                if let Some(tracer) = &self.peer.tracer {
                    tracer.packets(Direction::Sent, &self.writing);
                }
            }
            let count = ready!(
                Pin::new(&mut self.stream).poll_write(context, &self.writing[self.written..])
            )?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written += count;
            link.counters.bytes_sent.add(count as u64);
        }
    }

    /// Reads once and handles what came; 0 at the end of the stream.
    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if self.peer.link.closing.get()
            || !self.shared.borrow_mut().gathering.may_read(context.waker())
        {
            return Poll::Pending;
        }
        if std::mem::take(&mut self.held_up) {
            let bytes = std::mem::take(&mut self.partial);
            let handled = self.take_in(&bytes);
            self.keep(&bytes[handled..]);
            // Not 0, which is the end of the stream.
            return Poll::Ready(Ok(handled.max(1)));
        }
        if self.partial.len() >= READ / 2 {
            return self.poll_read_large(context);
        }
        let mut buffer = std::mem::take(&mut self.shared.borrow_mut().scratch);
        buffer.resize(READ, 0);
        let have = self.partial.len();
        buffer[..have].copy_from_slice(&self.partial);
        let mut free = ReadBuf::new(&mut buffer[have..]);
        let polled = Pin::new(&mut self.stream).poll_read(context, &mut free);
        let count = free.filled().len();
        self.peer.link.counters.bytes_received.add(count as u64);
        if count > 0 {
            let bytes = &buffer[..have + count];
            let handled = self.take_in(bytes);
            self.keep(&bytes[handled..]);
        }
        self.shared.borrow_mut().scratch = buffer;
        polled.map_ok(|()| count)
    }

    /// Reads the rest of a packet too large for the shared buffer into a buffer that grows with what has come, not
    /// with what was announced.
    fn poll_read_large(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let have = self.partial.len();
        self.partial.resize(2 * have.max(READ), 0);
        let mut free = ReadBuf::new(&mut self.partial[have..]);
        let polled = Pin::new(&mut self.stream).poll_read(context, &mut free);
        let count = free.filled().len();
        self.partial.truncate(have + count);
        self.peer.link.counters.bytes_received.add(count as u64);
        if count > 0 {
            let bytes = std::mem::take(&mut self.partial);
            match self.take_in(&bytes) {
                0 => self.partial = bytes,
                handled => self.keep(&bytes[handled..]),
            }
        }
        polled.map_ok(|()| count)
    }

    /// Keeps the beginning of a packet; without one, no buffer either.
    fn keep(&mut self, rest: &[u8]) {
        if rest.is_empty() {
            self.partial = Vec::new();
        } else {
            self.partial.clear();
            self.partial.extend_from_slice(rest);
        }
    }

    /// Handles the whole packets in `bytes`, which begin with what was kept before, until the log is full; returns how many
    /// bytes that were. A few bytes with a topic alias can be a long publish, so one read can bring more than the log takes.
    fn take_in(&mut self, bytes: &[u8]) -> usize {
        let mut partition = self.shared.borrow_mut();
        let now = Instant::now();
        self.peer.link.last_heard.set(now);
        let mut rest = bytes;
        let stop = loop {
            if rest.len() < bytes.len() && !partition.gathering.has_room() {
                self.held_up = true;
                break None;
            }
            let frame = match codec::frame(rest, partition.config.max_packet_size) {
                Ok(Some(frame)) => frame,
                Ok(None) => break None,
                Err(malformed) => {
                    if let Some(tracer) = &self.peer.tracer {
                        tracer.malformed(rest.len(), malformed.clone());
                    }
                    break Some(Stop::from(malformed));
                }
            };
            if let Some(tracer) = &self.peer.tracer {
                tracer.packets(Direction::Received, &rest[..frame.length]);
            }
            if let Err(stop) = partition.handle(&mut self.peer, &frame, &rest[..frame.length], now)
            {
                break Some(stop);
            }
            rest = &rest[frame.length..];
        };
        let handled = bytes.len() - rest.len();
        if let Some(stop) = stop {
            let client_id = &partition.sessions[self.peer.place as usize].client_id;
            match stop {
                Stop::Disconnected(ending) => {
                    tracing::info!("client {client_id:?} disconnected");
                    self.ending = ending;
                    self.peer.link.closing.set(true);
                }
                Stop::Fault(fault) => {
                    tracing::info!("client {client_id:?} closed: {fault}");
                    self.peer
                        .link
                        .close_because(fault.reason, Some(&fault.message));
                }
            }
            partition.detach(self.peer.place, &self.peer.link, self.ending, now);
        }
        handled
    }
}
