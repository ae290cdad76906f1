//! The lean connection of the load tester: one task, one socket, no buffers of its own while it is idle.
//!
//! What is read goes through the thread's scratch buffer and is handed to the [`Role`] where it lies; what is
//! written is encoded into the thread's other buffer and leaves in one call for all packets of a turn. Only the
//! beginning of a packet whose end has not come, and what the socket would not take, are kept. Reconnecting is
//! deliberately left out: a connection that is lost is a result, and whoever wants another opens it.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::sync::watch;

use super::alarm::Alarm;
use super::keep_alive::{Heard, KeepAlive};
use super::line::Line;
use super::way::Way;
use crate::bench::measure::Recorder;
use crate::bench::measure::connects::Legs;
use crate::bench::plan::speed::Appetite;
use crate::bench::role::{Fault, Incoming, Next, Phase, Progress, Role, State, kind};
use crate::client::{ConnectOptions, Failure};
use crate::mqtt::codec::{self, MAXIMUM_REMAINING_LENGTH};
use crate::mqtt::packet::{ConnAck, Connect, Disconnect};
use crate::mqtt::{Packet, Properties, ReasonCode, Version};

/// The largest packet read: all MQTT allows.
const LARGEST: u32 = MAXIMUM_REMAINING_LENGTH + 5;

/// The size of a thread's read buffer; a larger packet makes it grow.
const SCRATCH: usize = 128 * 1024;

/// How often one turn reads before the others on the same thread have theirs.
const READS: usize = 4;

/// How long the broker may take to answer the last PINGREQ before DISCONNECT.
const LAST_ANSWER: Duration = Duration::from_secs(2);

/// What all connections of one thread share.
pub struct Thread {
    /// Paces the publishers.
    pub alarm: Alarm,
    /// Locked for the length of one turn, which never waits. Nobody else is on this thread; the lock is for
    /// whoever watches from another one.
    pub desk: Mutex<Desk>,
}

/// The buffers and the books of a thread.
pub struct Desk {
    scratch: Vec<u8>,
    out: Vec<u8>,
    /// What has been measured.
    pub recorder: Recorder,
}

impl Thread {
    /// With this recorder and empty buffers.
    ///
    /// # Errors
    /// When there is no timer.
    pub fn new(recorder: Recorder) -> io::Result<Thread> {
        Ok(Thread {
            alarm: Alarm::new()?,
            desk: Mutex::new(Desk {
                scratch: vec![0; SCRATCH],
                out: Vec::new(),
                recorder,
            }),
        })
    }

    /// The buffers and the books.
    pub fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where the run is, and since when the load runs.
#[derive(Debug, Clone, Copy)]
pub struct Stage {
    /// The phase.
    pub phase: Phase,
    /// When the load starts or started; before that no time passes.
    pub start: Option<Instant>,
}

impl Stage {
    /// Nanoseconds since the start of the load.
    pub fn now_ns(&self) -> u64 {
        self.start
            .map_or(0, |start| start.elapsed().as_nanos() as u64)
    }
}

/// A connection that CONNACK has accepted.
pub struct Connection {
    line: Line,
    /// Which of several brokers it goes to.
    pub(super) broker: usize,
    /// Our end of it.
    local: Option<SocketAddr>,
    version: Version,
    /// Zero for none.
    keep_alive: Duration,
    /// What the socket has not taken yet.
    unwritten: Vec<u8>,
    /// The beginning of a packet.
    partial: Vec<u8>,
    /// `partial` came with CONNACK and nobody has looked at it yet.
    untouched: bool,
}

impl Connection {
    /// Goes `way` to its end and connects with the client id, session and will of `options`.
    ///
    /// # Errors
    /// When there is no connection, no answer in time, no broker, or the broker refuses.
    pub async fn open(
        way: &Way,
        options: &ConnectOptions,
    ) -> Result<(Connection, ConnAck, Legs), Failure> {
        // Put aside, because it is large and short-lived, and an idle client shall not keep room for it.
        let opened = Box::pin(connect(way, options));
        tokio::time::timeout(options.connect_timeout, opened)
            .await
            .unwrap_or_else(|_| Err(way.late(options.connect_timeout)))
    }

    /// The address of our end; `None` over a unix socket.
    pub fn local_address(&self) -> Option<SocketAddr> {
        self.local
    }

    /// Puts bytes before everything else that will be written.
    pub fn enqueue(&mut self, bytes: &[u8]) {
        self.unwritten.extend_from_slice(bytes);
    }

    /// Plays a role on this connection until the run closes or the role leaves (`Ok`), or the connection fails. `tell`
    /// is told whenever the role gets further.
    ///
    /// # Errors
    /// Why the connection was lost.
    pub async fn play(
        &mut self,
        role: &mut impl Role,
        thread: &Arc<Thread>,
        stages: &mut watch::Receiver<Stage>,
        mut tell: impl FnMut(State),
    ) -> Result<(), Fault> {
        let mut stage = *stages.borrow_and_update();
        let mut told = (false, Progress::Publishing);
        let mut registered = None;
        // When the socket last took everything.
        let mut ready_ns = 0;
        let mut life = KeepAlive::new(self.keep_alive, Instant::now());
        let mut keep_alive = pin!(tokio::time::sleep(self.keep_alive));

        while stage.phase < Phase::Close {
            let Turn { next, more } =
                self.turn(role, &mut thread.desk(), stage, &mut ready_ns, &mut life)?;
            let state = role.state();
            if (state.ready, state.progress) != told {
                told = (state.ready, state.progress);
                tell(state);
            }
            if next == Next::Leave {
                return Ok(());
            }
            let appetite = role.appetite(stage.phase, stage.now_ns());
            // A bite leaves something behind, for which no event comes.
            if next == Next::More || (more && matches!(appetite, Appetite::Bytes(_))) {
                tokio::task::yield_now().await;
                if stages.has_changed().unwrap_or(true) {
                    stage = *stages.borrow_and_update();
                }
                continue;
            }
            let deadline = stage.start.zip(earliest(next, appetite));
            let deadline = deadline.map(|(start, at_ns)| start + Duration::from_nanos(at_ns));
            let due = poll_fn(|context| match deadline {
                Some(deadline) => thread.alarm.poll(deadline, &mut registered, context),
                None => Poll::Pending,
            });
            let reads = matches!(appetite, Appetite::All | Appetite::Bytes(_));
            let interest = match (reads, self.unwritten.is_empty()) {
                (true, true) => Interest::READABLE,
                (true, false) => Interest::READABLE | Interest::WRITABLE,
                (false, _) => Interest::WRITABLE,
            };
            tokio::select! {
                biased;
                ready = self.line.ready(interest), if reads || !self.unwritten.is_empty() => {
                    ready.map_err(network)?;
                }
                () = due => {}
                changed = stages.changed() => {
                    if changed.is_err() {
                        return Ok(()); // Nobody is interested any more.
                    }
                    stage = *stages.borrow_and_update();
                }
                () = &mut keep_alive, if !self.keep_alive.is_zero() => {
                    if life.ran_out(Instant::now(), appetite == Appetite::All)? {
                        self.write(&PINGREQ)?;
                    }
                    let next = life.next(Instant::now());
                    keep_alive.as_mut().reset(next.into());
                }
            }
        }
        Ok(())
    }

    /// Reads, has the role take its turn and writes, without ever waiting.
    fn turn(
        &mut self,
        role: &mut impl Role,
        desk: &mut Desk,
        stage: Stage,
        ready_ns: &mut u64,
        life: &mut KeepAlive,
    ) -> Result<Turn, Fault> {
        desk.out.clear();
        let was_blocked = !self.unwritten.is_empty();
        let heard = match role.appetite(stage.phase, stage.now_ns()) {
            Appetite::All => self.read(role, desk, stage, usize::MAX)?,
            Appetite::Bytes(most) => self.read(role, desk, stage, most)?,
            Appetite::Until(_) | Appetite::Nothing => Heard::Nothing,
        };
        life.heard(heard);
        if was_blocked && self.flush()? {
            *ready_ns = stage.now_ns();
        }
        let mut next = Next::Wait;
        if self.unwritten.is_empty() || stage.phase != Phase::Load {
            let Desk { out, recorder, .. } = desk;
            recorder.turn_to(self.broker);
            next = role.turn(stage.phase, stage.now_ns(), *ready_ns, out, recorder);
        }
        if !desk.out.is_empty() {
            self.write(&desk.out)?;
            life.wrote(Instant::now());
        }
        Ok(Turn {
            next,
            more: heard != Heard::Nothing,
        })
    }

    /// Takes in what the broker had sent before it saw the end, then says DISCONNECT. A broker answers PINGREQ
    /// in turn, so behind its answer nothing of this run can come.
    pub async fn close(mut self, role: &mut impl Role, thread: &Arc<Thread>, stage: Stage) {
        let answered = async {
            let mut last = Vec::new();
            role.farewell(&mut last);
            self.write(&last)?;
            self.write(&PINGREQ)?;
            loop {
                {
                    let mut desk = thread.desk();
                    let desk = &mut *desk;
                    desk.out.clear();
                    let answered = self.read(role, desk, stage, usize::MAX)? == Heard::Answer;
                    let out = std::mem::take(&mut desk.out);
                    self.write(&out)?;
                    desk.out = out;
                    if self.flush()? && answered {
                        return Ok::<(), Fault>(());
                    }
                }
                let interest = match self.unwritten.is_empty() {
                    true => Interest::READABLE,
                    false => Interest::READABLE | Interest::WRITABLE,
                };
                self.line.ready(interest).await.map_err(network)?;
            }
        };
        if let Ok(Ok(())) = tokio::time::timeout(LAST_ANSWER, answered).await {
            let disconnect = Packet::Disconnect(Disconnect {
                reason: ReasonCode::SUCCESS,
                properties: Properties::default(),
            });
            let mut bytes = Vec::new();
            // The connection ends either way, and nothing is left that could be lost.
            let _ = codec::write(&disconnect, self.version, &mut bytes);
            let _ = self.line.try_write(&bytes);
        }
    }

    /// Waits until the broker ends the connection.
    pub async fn ended(mut self, role: &mut impl Role, thread: &Arc<Thread>, stage: Stage) {
        loop {
            if self
                .read(role, &mut thread.desk(), stage, usize::MAX)
                .is_err()
            {
                return;
            }
            if self.line.ready(Interest::READABLE).await.is_err() {
                return;
            }
        }
    }

    /// Reads what is there, or a bite of `most` bytes, and hands it to the role.
    fn read(
        &mut self,
        role: &mut impl Role,
        desk: &mut Desk,
        stage: Stage,
        most: usize,
    ) -> Result<Heard, Fault> {
        let mut heard = Heard::Nothing;
        for _ in 0..READS {
            let kept = self.partial.len();
            // A packet larger than the scratch: give it room to grow, twice what it has by now.
            if desk.scratch.len() < kept * 2 {
                desk.scratch.resize(kept * 2, 0);
            }
            let end = desk.scratch.len().min(kept.saturating_add(most));
            let count = match self.line.try_read(&mut desk.scratch[kept..end]) {
                Ok(0) => return Err(Fault::Closed),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
                Err(error) => return Err(network(error)),
            };
            if count == 0 && !self.untouched {
                break;
            }
            self.untouched = false;
            desk.scratch[..kept].copy_from_slice(&self.partial);
            heard = heard.max(match self.take_in(kept + count, role, desk, stage)? {
                true => Heard::Answer,
                false => Heard::Something,
            });
            if most < usize::MAX {
                role.took(count);
                break;
            }
            if kept + count < desk.scratch.len() {
                self.line.is_empty();
                break;
            }
        }
        Ok(heard)
    }

    /// Hands the packets in the first `length` bytes of the scratch to the role and keeps the rest; whether PINGRESP was
    /// among them.
    fn take_in(
        &mut self,
        length: usize,
        role: &mut impl Role,
        desk: &mut Desk,
        stage: Stage,
    ) -> Result<bool, Fault> {
        let mut answered = false;
        let now_ns = stage.now_ns();
        desk.recorder.turn_to(self.broker);
        let mut rest = &desk.scratch[..length];
        while let Some(frame) = codec::frame(rest, LARGEST)? {
            let (bytes, behind) = rest.split_at(frame.length);
            match frame.header >> 4 {
                kind::PINGRESP => answered = true,
                _ => role.packet(
                    Incoming { frame, bytes },
                    now_ns,
                    &mut desk.out,
                    &mut desk.recorder,
                )?,
            }
            rest = behind;
        }
        if rest.is_empty() {
            self.partial = Vec::new(); // An idle connection holds no buffer.
        } else {
            self.partial.clear();
            self.partial.extend_from_slice(rest);
        }
        Ok(answered)
    }

    /// Writes `bytes` behind what is unwritten; what the socket does not take is kept.
    fn write(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let mut taken = 0;
        while self.unwritten.is_empty() && taken < bytes.len() {
            match self.line.try_write(&bytes[taken..]) {
                Ok(count) => taken += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(network(error)),
            }
        }
        if taken < bytes.len() {
            self.unwritten.extend_from_slice(&bytes[taken..]);
        }
        Ok(())
    }

    /// Writes what is unwritten; whether nothing is left.
    fn flush(&mut self) -> Result<bool, Fault> {
        let bytes = std::mem::take(&mut self.unwritten);
        self.write(&bytes)?;
        Ok(self.unwritten.is_empty())
    }
}

/// What a turn of a role leaves to be done.
struct Turn {
    next: Next,
    /// Something came, and more may be there.
    more: bool,
}

/// When the role wants its next turn, whatever happens before.
fn earliest(next: Next, appetite: Appetite) -> Option<u64> {
    match (next, appetite) {
        (Next::At(at_ns), Appetite::Until(until_ns)) => Some(at_ns.min(until_ns)),
        (Next::At(at_ns), _) | (_, Appetite::Until(at_ns)) => Some(at_ns),
        _ => None,
    }
}

/// The PINGREQ packet (3.12).
const PINGREQ: [u8; 2] = [0xC0, 0];

fn network(error: io::Error) -> Fault {
    match error.kind() {
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => Fault::Closed,
        _ => Fault::Network(plain(&error)),
    }
}

/// An I/O error without its number: `connection refused`.
fn plain(error: &io::Error) -> String {
    match error.kind().to_string() {
        vague if vague == "uncategorized error" => error.to_string(),
        plain => plain,
    }
}

async fn connect(
    way: &Way,
    options: &ConnectOptions,
) -> Result<(Connection, ConnAck, Legs), Failure> {
    let endpoint = way.endpoint();
    let failed = |error: io::Error| {
        Failure::not_reached(format!("cannot connect to {endpoint}: {}", plain(&error)))
    };
    let not_mqtt =
        |words: &str| Failure::not_reached(format!("{endpoint} is no MQTT broker: {words}"));
    let (mut stream, dialed) = way.go().await?;
    let local = stream.local_address();
    let begun = Instant::now();
    let connect = Packet::Connect(Box::new(Connect {
        version: options.version,
        ..options.packet()
    }));
    let mut bytes = Vec::new();
    codec::write(&connect, options.version, &mut bytes)
        .map_err(|error| Failure::not_reached(format!("CONNECT cannot be written: {error}")))?;
    stream.write_all(&bytes).await.map_err(failed)?;
    stream.flush().await.map_err(failed)?;
    let mut read = BytesMut::new();
    let connack = loop {
        if stream.read_buf(&mut read).await.map_err(failed)? == 0 {
            return Err(Failure::not_reached(format!(
                "{endpoint} closed the connection without CONNACK: it takes no more, or is no MQTT broker"
            )));
        }
        // An older broker refuses MQTT 5 in the only words it has, those of 3.1.1.
        let older = match options.version {
            Version::V5 => codec::read(&mut read.clone(), Version::V311, LARGEST)
                .ok()
                .flatten(),
            _ => None,
        };
        match (codec::read(&mut read, options.version, LARGEST), older) {
            (Ok(Some(Packet::ConnAck(connack))), _) | (Err(_), Some(Packet::ConnAck(connack))) => {
                break connack;
            }
            (Ok(Some(_)), _) => return Err(not_mqtt("its first packet is not CONNACK")),
            (Ok(None), _) => {}
            (Err(malformed), _) => return Err(not_mqtt(&malformed.to_string())),
        }
    };
    let tcp = dialed.connect.unwrap_or_default();
    let legs = Legs {
        tcp,
        tls: Some(dialed.total() - tcp).filter(|more| !more.is_zero()),
        connack: begun.elapsed(),
    };
    if connack.reason.is_failure() {
        return Err(Failure::Refused {
            broker: endpoint.to_string(),
            version: options.version,
            reason: connack.reason,
            text: connack
                .properties
                .reason_string()
                .map(|text| text.to_string()),
        });
    }
    let keep_alive = connack
        .properties
        .server_keep_alive()
        .unwrap_or(options.keep_alive);
    let connection = Connection {
        line: Line::new(stream),
        broker: way.broker,
        local,
        version: options.version,
        keep_alive: Duration::from_secs(keep_alive.into()),
        unwritten: Vec::new(),
        untouched: !read.is_empty(),
        partial: read.to_vec(),
    };
    Ok((connection, connack, legs))
}
