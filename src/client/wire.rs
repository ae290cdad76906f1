//! The socket under rumqttc: it connects, watches what passes, and writes in large pieces.
//!
//! rumqttc asks for a stream and speaks MQTT over it. What it cannot tell us, or would get wrong, is seen here:
//!
//! - how far an attempt came (name, TCP, CONNACK), so that an error can say which step failed;
//! - a DISCONNECT of two bytes, `E0 01 8E`, which the library takes for an incomplete packet, and the reason of every other;
//! - a CONNACK in the form of 3.1.1 sent to an MQTT 5 client, on which the library waits for ever, and an answer that is no MQTT at all;
//! - the end of a connection, found by a read or by a write, which must not come in one turn with the last packets: the
//!   library's MQTT 5 half then throws away what they brought, acknowledgements and all;
//! - a peer that takes nothing any more, which the library's MQTT 5 half would wait for without end;
//! - MQTT 3.1, which the library does not speak: only CONNECT differs, and is rewritten on its way.
//!
//! Writes are collected until the library waits for something to read, or until [`LARGE`] bytes have come together:
//! it flushes after every acknowledgement, which would cost a system call each.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::driblets;
use super::failure::Failure;
use super::notes::{Notes, Reached};
use super::trace::Direction;
use super::transport::Stream;
use super::watch::{Seen, Watch};
use crate::mqtt::{Packet, ReasonCode, Version, codec};

/// Bytes read at once, and bytes collected before they are written.
const LARGE: usize = 64 * 1024;

/// Bytes read at once in the beginning. A read that fills the space makes it grow: who publishes one message receives a few
/// bytes, and [`LARGE`] zeros would be a good part of the work.
const SMALL: usize = 4 * 1024;

/// So many bytes, and the rest of a packet, are read before the driver passes on what they bring: it comes in pieces of that
/// size, of which a few are held until they are taken.
const PIECE: usize = 256 * 1024;

/// The stream handed to rumqttc.
pub(super) struct Wire {
    /// Taken out by `drop` only.
    socket: Option<Stream>,
    watch: Watch,
    /// Read from the socket up to `filled`; `delivered..checked` is to be handed on.
    incoming: Vec<u8>,
    delivered: usize,
    checked: usize,
    filled: usize,
    turn: Turn,
    /// Something was handed on since the library last had to wait.
    is_fresh: bool,
    /// Nothing more will come.
    is_over: bool,
    /// Nothing more can be written. The library learns of it as the end of what it reads, in a turn of its own.
    is_deaf: bool,
    /// To be written; `..written` is.
    outgoing: Vec<u8>,
    written: usize,
    connect_written: bool,
    /// Runs while the socket takes nothing.
    stalled: Option<Pin<Box<Sleep>>>,
    notes: Notes,
}

/// What was read since the driver last passed it on.
#[derive(Default)]
struct Turn {
    number: u64,
    bytes: usize,
    /// Whole packets before it.
    whole: u64,
}

impl Wire {
    /// Connects; called by rumqttc for every attempt.
    pub(super) async fn connect(notes: Notes) -> io::Result<Wire> {
        notes.begin();
        let destination = notes.destination();
        let dialed = (destination.dialer)
            .dial(|leg| notes.reach(Reached::Way(leg)))
            .await;
        let (stream, _) = dialed.map_err(|failure| notes.fail(failure))?;
        notes.reach(Reached::End);
        Ok(Wire {
            socket: Some(stream),
            watch: Watch::new(notes.version),
            incoming: vec![0; SMALL],
            delivered: 0,
            checked: 0,
            filled: 0,
            turn: Turn::default(),
            is_fresh: false,
            is_over: false,
            is_deaf: false,
            outgoing: Vec::new(),
            written: 0,
            connect_written: false,
            stalled: None,
            notes,
        })
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let wire = &mut *self;
        loop {
            if !wire.notes.is_reading() {
                return wire.poll_wait(context);
            }
            if wire.delivered < wire.checked {
                let count = buffer.remaining().min(wire.checked - wire.delivered);
                let passed = &wire.incoming[wire.delivered..wire.delivered + count];
                buffer.put_slice(passed);
                if let Some(mut trace) = wire.notes.trace() {
                    trace.note(Direction::Received, passed);
                }
                wire.delivered += count;
                wire.is_fresh = true;
                return Poll::Ready(Ok(()));
            }
            if wire.is_over {
                // When the library sees the end in the same turn as what came before it, it throws that away.
                if std::mem::take(&mut wire.is_fresh) {
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
                return Poll::Ready(Ok(()));
            }
            if wire.has_read_its_piece() {
                return wire.poll_wait(context);
            }
            match wire.poll_fill(context) {
                Poll::Ready(()) => wire.check()?,
                Poll::Pending if wire.is_deaf => wire.is_over = true,
                Poll::Pending => return wire.poll_wait(context),
            }
        }
    }
}

impl Wire {
    /// The library is about to wait: what it has written so far must go.
    fn poll_wait(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let was_deaf = self.is_deaf;
        self.is_fresh = false;
        let is_written = self.poll_drain(context).is_ready();
        if is_written && let Some(rest) = self.notes.take_rest() {
            driblets::sleep(rest);
        }
        if self.is_deaf && !was_deaf {
            context.waker().wake_by_ref();
        }
        Poll::Pending
    }

    /// Whether the driver has to pass on what was read before there is more. Without a whole packet in it there is nothing to
    /// pass on, and the library would wait for ever.
    fn has_read_its_piece(&mut self) -> bool {
        let number = self.notes.turn();
        if self.turn.number != number {
            self.turn = Turn {
                number,
                bytes: 0,
                whole: self.watch.whole,
            };
        }
        self.turn.bytes >= PIECE && self.watch.whole > self.turn.whole
    }

    /// Reads once, after everything checked has been handed on; an incomplete packet moves to the front.
    fn poll_fill(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.incoming.copy_within(self.checked..self.filled, 0);
        self.filled -= self.checked;
        (self.delivered, self.checked) = (0, 0);
        if self.filled == self.incoming.len() {
            self.incoming.resize(2 * self.filled, 0);
        }
        let mut space = ReadBuf::new(&mut self.incoming[self.filled..]);
        let outcome = ready!(socket(&mut self.socket).poll_read(context, &mut space));
        let count = space.filled().len();
        self.filled += count;
        if self.filled == self.incoming.len() && self.filled < LARGE {
            self.incoming.resize(LARGE, 0);
        }
        self.turn.bytes += count;
        match outcome {
            Ok(()) if count > 0 => return Poll::Ready(()),
            // An unexpected end is that of a broker that leaves without TLS's farewell, as many do.
            Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => self.notes.broke(&error),
            _ => self.notes.lost("the broker closed the connection"),
        };
        self.is_over = true;
        Poll::Ready(())
    }

    /// Looks at all that was read and sets `checked`.
    fn check(&mut self) -> io::Result<()> {
        loop {
            let (passed, seen) = self.watch.look(&self.incoming[self.checked..self.filled]);
            self.checked += passed;
            let Some(seen) = seen else { return Ok(()) };
            let broker = || self.notes.destination().endpoint.to_string();
            let refused = |reason, text| Failure::Refused {
                broker: broker(),
                version: self.notes.version,
                reason,
                text,
            };
            let moved = |reason, text, reference, was_up| Failure::Moved {
                broker: broker(),
                reason,
                text,
                reference,
                was_up,
            };
            match seen {
                Seen::Accepted => self.notes.reach(Reached::Broker),
                // Handed on all the same, so that the library ends the attempt itself.
                Seen::Refused {
                    reason: reason @ (ReasonCode::USE_ANOTHER_SERVER | ReasonCode::SERVER_MOVED),
                    text,
                    reference,
                } => drop(self.notes.fail(moved(reason, text, reference, false))),
                Seen::Refused { reason, text, .. } => drop(self.notes.fail(refused(reason, text))),
                Seen::OldRefusal(reason) => return Err(self.notes.fail(refused(reason, None))),
                // After it nothing follows: to the library it is the end of the stream.
                Seen::Disconnected {
                    reason,
                    text,
                    reference,
                } => {
                    self.notes.fail(match reason {
                        ReasonCode::USE_ANOTHER_SERVER | ReasonCode::SERVER_MOVED => {
                            moved(reason, text, reference, true)
                        }
                        _ => Failure::Disconnected { reason, text },
                    });
                    self.is_over = true;
                    return Ok(());
                }
                Seen::Foreign(what) => {
                    let words = format!("{} does not speak MQTT: {what}", broker());
                    return Err(self.notes.fail(Failure::not_reached(words)));
                }
            }
        }
    }

    /// Writes what was collected, as far as the socket takes it; when it takes nothing any more, that is thrown away.
    fn poll_drain(&mut self, context: &mut Context<'_>) -> Poll<()> {
        while self.written < self.outgoing.len() && !self.is_deaf {
            let rest = &self.outgoing[self.written..];
            match socket(&mut self.socket).poll_write(context, rest) {
                Poll::Ready(Ok(count)) => {
                    self.written += count;
                    self.stalled = None;
                }
                Poll::Ready(Err(error)) => self.deafen(&self.notes.broken(&error)),
                Poll::Pending => ready!(self.poll_stall(context)),
            }
        }
        self.outgoing.clear();
        self.written = 0;
        if self.outgoing.capacity() > 4 * LARGE {
            self.outgoing = Vec::new();
        }
        // TLS and WebSocket have a buffer of their own.
        while !self.is_deaf {
            match socket(&mut self.socket).poll_flush(context) {
                Poll::Ready(Ok(())) => {
                    self.stalled = None;
                    break;
                }
                Poll::Ready(Err(error)) => self.deafen(&self.notes.broken(&error)),
                Poll::Pending => ready!(self.poll_stall(context)),
            }
        }
        Poll::Ready(())
    }

    /// Ready when the socket has taken nothing for too long.
    fn poll_stall(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some(limit) = self.notes.stall else {
            return Poll::Pending;
        };
        let stalled = self
            .stalled
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(Instant::now() + limit)));
        ready!(stalled.as_mut().poll(context));
        let limit = humantime::format_duration(limit);
        self.deafen(&format!(
            "the broker took nothing for {limit} (1.5 times --keepalive)"
        ));
        Poll::Ready(())
    }

    fn deafen(&mut self, words: &str) {
        self.is_deaf = true;
        self.notes.lost(words);
    }

    /// What became of a write that nothing is read after.
    fn farewell(&self) -> io::Result<()> {
        match self.is_deaf {
            true => Err(io::ErrorKind::BrokenPipe.into()),
            false => Ok(()),
        }
    }
}

fn socket(socket: &mut Option<Stream>) -> Pin<&mut Stream> {
    Pin::new(socket.as_mut().expect("only drop takes the socket"))
}

impl Drop for Wire {
    fn drop(&mut self) {
        let mut attempt = self.notes.attempt();
        if attempt.closing {
            attempt.socket = self.socket.take();
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.outgoing.len() >= LARGE {
            ready!(self.poll_drain(context));
        }
        // A large packet goes through in pieces, not once more as a whole in memory; CONNECT is looked at.
        let bytes = match self.connect_written {
            true => &bytes[..bytes.len().min(LARGE)],
            false => bytes,
        };
        match self.notes.version {
            Version::V31 if !self.connect_written => {
                let connect = as_version_31(bytes).map_err(io::Error::other)?;
                self.outgoing.extend_from_slice(&connect);
            }
            _ => self.outgoing.extend_from_slice(bytes),
        }
        if let Some(mut trace) = self.notes.trace() {
            if !self.connect_written {
                trace.begin();
            }
            trace.note(Direction::Sent, bytes);
        }
        self.connect_written = true;
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let closing = self.notes.attempt().closing;
        if closing || self.outgoing.len() >= LARGE {
            ready!(self.poll_drain(context));
        }
        Poll::Ready(if closing { self.farewell() } else { Ok(()) })
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_drain(context));
        Poll::Ready(self.farewell())
    }
}

/// The library's CONNECT, which is always the whole of its first write, as MQTT 3.1 has it.
fn as_version_31(connect: &[u8]) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
    let mut packet = codec::decode(Bytes::copy_from_slice(connect), Version::V311)?;
    if let Packet::Connect(connect) = &mut packet {
        connect.version = Version::V31;
    }
    let mut rewritten = Vec::new();
    codec::write(&packet, Version::V31, &mut rewritten)?;
    Ok(rewritten)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connect_is_rewritten_for_mqtt_3_1() {
        let connect = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01a";
        assert_eq!(
            as_version_31(connect).unwrap(),
            b"\x10\x0f\x00\x06MQIsdp\x03\x02\x00\x3c\x00\x01a"
        );
    }
}
