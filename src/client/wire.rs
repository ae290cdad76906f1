//! The socket under rumqttc: it connects, watches what passes, and writes in large pieces.
//!
//! rumqttc asks for a stream and speaks MQTT over it. What it cannot tell us, or would get wrong, is seen here:
//!
//! - how far an attempt came (name, TCP, CONNACK), so that an error can say which step failed;
//! - a DISCONNECT of two bytes, `E0 01 8E`, which the library takes for an incomplete packet, and the reason of every other;
//! - a CONNACK in the form of 3.1.1 sent to an MQTT 5 client, on which the library waits for ever, and an answer that is no MQTT at all;
//! - the end of a connection, which must not come in one turn with the last messages: the library's MQTT 5 half then
//!   throws them away;
//! - a peer that takes nothing any more, which the library's MQTT 5 half would wait for without end;
//! - MQTT 3.1, which the library does not speak: only CONNECT differs, and is rewritten on its way.
//!
//! Writes are collected until the library waits for something to read, or until [`LARGE`] bytes have come together:
//! it flushes after every acknowledgement, which would cost a system call each.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::sync::Notify;
use tokio::time::{Instant, Sleep};

use super::failure::{Failure, Obstacle};
use super::options::ConnectOptions;
use super::trace::{Direction, Trace};
use super::transport::{Dialer, Leg, Stream};
use super::url::{Endpoint, Scheme};
use super::watch::{Seen, Watch};
use crate::mqtt::{Packet, ReasonCode, Version, codec};

/// Bytes read at once, and bytes collected before they are written.
const LARGE: usize = 64 * 1024;

/// Bytes read at once in the beginning. A read that fills the space makes it grow: who publishes one message receives a few
/// bytes, and [`LARGE`] zeros would be a good part of the work.
const SMALL: usize = 4 * 1024;

/// What is known about the connection, shared by the wire, which lives inside rumqttc, and the session.
#[derive(Clone)]
pub(super) struct Notes {
    endpoint: Endpoint,
    dialer: Arc<Dialer>,
    version: Version,
    connect_timeout: Duration,
    /// From the stream to CONNACK, where that has a limit of its own.
    answer_timeout: Option<Duration>,
    /// Told when there is a stream.
    arrival: Arc<Notify>,
    /// The longest a write may make no progress: 1.5 times the keep alive, after which the peer may leave as well (3.1.2.10).
    stall: Option<Duration>,
    attempt: Arc<Mutex<Attempt>>,
    is_up: Arc<AtomicBool>,
    trace: Option<Arc<Mutex<Trace>>>,
}

/// The present attempt, or the connection it became.
#[derive(Default)]
struct Attempt {
    reached: Reached,
    /// What was seen to go wrong, in better words than the library's.
    failure: Option<Failure>,
    /// Put here when the library drops it after DISCONNECT.
    socket: Option<Stream>,
    /// From now on a flush is a write.
    closing: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reached {
    #[default]
    Nothing,
    /// This leg has begun.
    Way(Leg),
    /// There is a stream.
    End,
    Broker,
}

impl Notes {
    /// # Errors
    /// When the way to the broker cannot be prepared.
    pub(super) fn new(options: &ConnectOptions) -> Result<Notes, Failure> {
        let keep_alive = Duration::from_secs(u64::from(options.keep_alive));
        Ok(Notes {
            endpoint: options.endpoint.clone(),
            dialer: Arc::new(Dialer::new(&options.endpoint, &options.route)?),
            version: options.version,
            connect_timeout: options.connect_timeout,
            answer_timeout: options.answer_timeout,
            arrival: Arc::default(),
            stall: (!keep_alive.is_zero()).then(|| keep_alive.mul_f64(1.5)),
            attempt: Arc::default(),
            is_up: Arc::default(),
            trace: options.tracer.clone().map(|tracer| {
                let trace = Trace::new(tracer, options.version);
                Arc::new(Mutex::new(trace))
            }),
        })
    }

    /// What is told of the packets that pass, if somebody watches.
    pub(super) fn trace(&self) -> Option<MutexGuard<'_, Trace>> {
        let trace = self.trace.as_ref()?;
        Some(trace.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Connects; called by rumqttc for every attempt.
    pub(super) async fn connect(self) -> io::Result<Wire> {
        *self.attempt() = Attempt::default();
        let dialed = self
            .dialer
            .dial(|leg| self.attempt().reached = Reached::Way(leg));
        let (stream, _) = dialed.await.map_err(|failure| self.fail(failure))?;
        self.attempt().reached = Reached::End;
        self.arrival.notify_one();
        Ok(Wire {
            socket: Some(stream),
            watch: Watch::new(self.version),
            incoming: vec![0; SMALL],
            delivered: 0,
            checked: 0,
            filled: 0,
            is_fresh: false,
            is_over: false,
            outgoing: Vec::new(),
            written: 0,
            connect_written: false,
            stalled: None,
            notes: self,
        })
    }

    /// Why the attempt or the connection ended: what was seen here, else what the library says.
    pub(super) fn failure(&self, library: String) -> Failure {
        let attempt = self.attempt();
        match (&attempt.failure, attempt.reached) {
            (Some(failure), _) => failure.clone(),
            (None, Reached::Broker) => Failure::Lost(library),
            (None, _) => {
                Failure::not_reached(format!("cannot connect to {}: {library}", self.endpoint))
            }
        }
    }

    /// Waits for as long as the present attempt may take.
    pub(super) async fn patience(&self) {
        let arrived = self.arrival.notified();
        match self.answer_timeout {
            None => tokio::time::sleep(self.connect_timeout).await,
            Some(limit) => {
                if tokio::time::timeout(self.connect_timeout, arrived)
                    .await
                    .is_ok()
                {
                    tokio::time::sleep(limit).await;
                }
            }
        }
    }

    /// What to say when the attempt did not end within its time.
    pub(super) fn too_slow(&self) -> Failure {
        let limit = humantime::format_duration(self.connect_timeout);
        let endpoint = &self.endpoint;
        let reached = self.attempt().reached;
        let answer_limit = match self.answer_timeout {
            Some(own) => format!("{} (--keepalive)", humantime::format_duration(own)),
            None => format!("{limit} (--connect-timeout)"),
        };
        let obstacle = match reached {
            Reached::End | Reached::Broker => Obstacle::Silence,
            _ => Obstacle::Other,
        };
        let words = match reached {
            Reached::Nothing | Reached::Way(Leg::Name) => format!(
                "cannot find the address of {} within {limit} (--connect-timeout)",
                endpoint.host
            ),
            Reached::Way(Leg::Connect) => format!(
                "no answer from {endpoint} within {limit} (--connect-timeout); is it the right host, and reachable?"
            ),
            Reached::Way(Leg::Proxy) => format!(
                "the proxy did not connect to {endpoint} within {limit} (--connect-timeout)"
            ),
            Reached::Way(Leg::Tls) => format!(
                "{endpoint} takes connections but did not finish the TLS handshake within {limit} (--connect-timeout); does it speak TLS?"
            ),
            Reached::Way(Leg::WebSocket) => format!(
                "{endpoint} takes connections but did not answer the WebSocket handshake within {limit} (--connect-timeout)"
            ),
            Reached::End | Reached::Broker => format!(
                "{endpoint} takes connections but sent no CONNACK within {answer_limit}; is it an MQTT broker?"
            ),
        };
        Failure::obstructed(obstacle, words)
    }

    /// Whether the library may be handed something. Once it has put its messages aside for the next connection, what
    /// it gets would outlive a session that the broker has not kept.
    pub(super) fn is_up(&self) -> bool {
        self.is_up.load(Ordering::Relaxed)
    }

    /// Said by the driver in the same turn in which the library connects or fails.
    pub(super) fn set_up(&self, is_up: bool) {
        self.is_up.store(is_up, Ordering::Relaxed);
    }

    /// From now on everything written goes out at once: the next packet is DISCONNECT.
    pub(super) fn close_soon(&self) {
        self.attempt().closing = true;
    }

    /// Whether TLS or WebSocket have a farewell of their own.
    pub(super) fn has_farewell(&self) -> bool {
        let scheme = self.endpoint.scheme;
        scheme.has_tls() || scheme.has_websocket()
    }

    /// Half-closes the socket the library has let go of and, if anything may be on its way to us, waits for the peer to
    /// do the same. Merely closing it while something unread has arrived resets the connection, and the broker might
    /// never read our DISCONNECT.
    pub(super) async fn close(&self, waits: bool) {
        let Some(mut socket) = self.attempt().socket.take() else {
            return;
        };
        if socket.shutdown().await.is_ok() && waits {
            let mut waste = vec![0; LARGE];
            while matches!(socket.read(&mut waste).await, Ok(1..)) {}
        }
    }

    fn attempt(&self) -> MutexGuard<'_, Attempt> {
        self.attempt.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes the first failure of the attempt; the error only ends the library's work.
    fn fail(&self, failure: Failure) -> io::Error {
        let error = io::Error::other(failure.to_string());
        self.attempt().failure.get_or_insert(failure);
        error
    }

    /// What an error of the stream means.
    fn broken(&self, error: &io::Error) -> String {
        format!("the connection broke: {}", self.dialer.words(error))
    }

    fn lost(&self, words: &str) -> io::Error {
        let reached = self.attempt().reached;
        self.fail(match reached {
            Reached::Broker => Failure::Lost(words.to_owned()),
            _ if self.dialer.lacks_certificate() => Failure::obstructed(
                Obstacle::Tls,
                format!(
                    "{}: the broker wants a client certificate; add --cert and --key",
                    self.endpoint
                ),
            ),
            _ => {
                let or_tls = match self.endpoint.scheme {
                    Scheme::Mqtt => ", or only TLS (mqtts://)",
                    _ => "",
                };
                let words = format!(
                    "{}: {words} before CONNACK; does it take MQTT {}{or_tls}?",
                    self.endpoint, self.version
                );
                Failure::obstructed(Obstacle::Closed, words)
            }
        })
    }
}

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
    /// Something was handed on since the library last had to wait.
    is_fresh: bool,
    /// Nothing more will come.
    is_over: bool,
    /// To be written; `..written` is.
    outgoing: Vec<u8>,
    written: usize,
    connect_written: bool,
    /// Runs while the socket takes nothing.
    stalled: Option<Pin<Box<Sleep>>>,
    notes: Notes,
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let wire = &mut *self;
        loop {
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
            match wire.poll_fill(context) {
                Poll::Ready(()) => wire.check()?,
                Poll::Pending => {
                    // The library is about to wait: what it has written so far must go.
                    wire.is_fresh = false;
                    let _ = wire.poll_drain(context)?;
                    return Poll::Pending;
                }
            }
        }
    }
}

impl Wire {
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
        let end = match outcome {
            Ok(()) if count > 0 => return Poll::Ready(()),
            Ok(()) => "the broker closed the connection".to_owned(),
            // A broker that leaves without TLS's farewell, as many do.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                "the broker closed the connection".to_owned()
            }
            Err(error) => self.notes.broken(&error),
        };
        self.notes.lost(&end);
        self.is_over = true;
        Poll::Ready(())
    }

    /// Looks at all that was read and sets `checked`.
    fn check(&mut self) -> io::Result<()> {
        loop {
            let (passed, seen) = self.watch.look(&self.incoming[self.checked..self.filled]);
            self.checked += passed;
            let Some(seen) = seen else { return Ok(()) };
            let refused = |reason, text| Failure::Refused {
                broker: self.notes.endpoint.to_string(),
                version: self.notes.version,
                reason,
                text,
            };
            match seen {
                Seen::Accepted => self.notes.attempt().reached = Reached::Broker,
                // Handed on all the same, so that the library ends the attempt itself.
                Seen::Refused {
                    reason: reason @ (ReasonCode::USE_ANOTHER_SERVER | ReasonCode::SERVER_MOVED),
                    reference,
                    ..
                } => {
                    let broker = self.notes.endpoint.to_string();
                    drop(self.notes.fail(Failure::Moved {
                        broker,
                        reason,
                        reference,
                    }));
                }
                Seen::Refused { reason, text, .. } => drop(self.notes.fail(refused(reason, text))),
                Seen::OldRefusal(reason) => return Err(self.notes.fail(refused(reason, None))),
                // After it nothing follows: to the library it is the end of the stream.
                Seen::Disconnected { reason, text } => {
                    self.notes.fail(Failure::Disconnected { reason, text });
                    self.is_over = true;
                    return Ok(());
                }
                Seen::Foreign(what) => {
                    let words = format!("{} does not speak MQTT: {what}", self.notes.endpoint);
                    return Err(self.notes.fail(Failure::not_reached(words)));
                }
            }
        }
    }

    /// Writes what was collected, as far as the socket takes it.
    fn poll_drain(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.written < self.outgoing.len() {
            let rest = &self.outgoing[self.written..];
            match socket(&mut self.socket).poll_write(context, rest) {
                Poll::Ready(Ok(count)) => {
                    self.written += count;
                    self.stalled = None;
                }
                Poll::Ready(Err(error)) => {
                    let words = self.notes.broken(&error);
                    return Poll::Ready(Err(self.notes.lost(&words)));
                }
                Poll::Pending => return self.poll_stall(context),
            }
        }
        self.outgoing.clear();
        self.written = 0;
        if self.outgoing.capacity() > 4 * LARGE {
            self.outgoing = Vec::new();
        }
        // TLS and WebSocket have a buffer of their own.
        match socket(&mut self.socket).poll_flush(context) {
            Poll::Ready(Ok(())) => {
                self.stalled = None;
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(error)) => {
                let words = self.notes.broken(&error);
                Poll::Ready(Err(self.notes.lost(&words)))
            }
            Poll::Pending => self.poll_stall(context),
        }
    }

    fn poll_stall(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(limit) = self.notes.stall else {
            return Poll::Pending;
        };
        let stalled = self
            .stalled
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(Instant::now() + limit)));
        ready!(stalled.as_mut().poll(context));
        let limit = humantime::format_duration(limit);
        let words = format!("the broker took nothing for {limit} (1.5 times --keepalive)");
        Poll::Ready(Err(self.notes.lost(&words)))
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
            ready!(self.poll_drain(context))?;
        }
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
            return self.poll_drain(context);
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_drain(context)
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
