//! A folder that holds messages until their handshakes are complete, so that they outlive the process and, where that
//! is wanted, the machine.
//!
//! A message is accepted, waits, is sent under a packet identifier, at QoS 2 received, and done. Each of these steps is a
//! record in a journal ([`record`] has the format), and [`Spool::commit`] puts them on the disk: the caller commits before
//! it lets anybody know. What that buys:
//!
//! - accepted and committed: the message will be sent, if not by this process then by the next;
//! - sent and committed *before* PUBLISH goes out: after a crash it goes out again under the same identifier, so that a
//!   broker that keeps the session can tell that it has it already (4.4);
//! - received and committed *before* PUBREL goes out: after PUBREL the broker forgets the identifier, and a PUBLISH sent
//!   again would be a second message (4.3.3).
//!
//! Messages are sent in the order in which they were accepted. That is why memory holds only those under way and a
//! handful of those that wait, whatever stands on the disk. Left out is the connection: the caller sends.

mod flights;
mod home;
mod journal;
mod record;

use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context;
use bytes::Bytes;

use self::flights::Flights;
use self::journal::{Journals, Reader};
use self::record::{Position, Record};
use crate::exit::Exit;
use crate::mqtt::codec::{self, TooLarge};
use crate::mqtt::packet::Publish;
use crate::mqtt::{Packet, Version};

pub use self::flights::Flight;

/// The most waiting messages held in memory, and their bytes, but for a single message that has more.
const HELD: usize = 256;
const HELD_BYTES: usize = 512 << 10;

/// What a spool is to be like.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder.
    pub directory: PathBuf,
    /// The client id of a spool that is made; one that exists keeps its own.
    pub client_id: String,
    /// Whether that id was made up, and is nobody's but the spool's.
    pub is_made_up: bool,
    /// Wait until what is committed is on the disk: it outlives the machine and not only the process.
    pub syncs: bool,
    /// Bytes of the journals from which on no more messages are to be accepted.
    pub limit: u64,
}

/// An open spool. No other process can open it.
pub struct Spool {
    options: Options,
    journals: Journals,
    client_id: String,
    is_made_up: bool,
    home: Option<String>,
    /// The number of the next message that is accepted.
    next: u64,
    flights: Flights,
    /// The first of those that wait.
    held: VecDeque<Waiting>,
    held_bytes: usize,
    /// How many wait behind them, on the disk only, and from where on.
    on_disk: u64,
    read_from: Position,
    reader: Option<Reader>,
    _lock: File,
}

struct Waiting {
    number: u64,
    position: Position,
    publish: Publish,
}

impl Spool {
    /// Opens a spool, or makes one.
    ///
    /// # Errors
    /// When another process has it open, or it cannot be read or written.
    pub fn open(options: Options) -> anyhow::Result<Spool> {
        let lock = lock(&options.directory)?;
        let name = options.directory.display().to_string();
        let mut history = History::default();
        let opening = Record::Opened {
            next: 1,
            is_made_up: options.is_made_up,
            client_id: options.client_id.as_str().into(),
        };
        let journals = Journals::open(
            &options.directory,
            opening,
            (options.syncs, options.limit),
            &mut |position, record| history.take(position, record),
        )
        .with_context(|| format!("cannot open the spool {name}"))?;
        let Record::Opened {
            is_made_up,
            client_id,
            ..
        } = journals.opening().clone()
        else {
            return Err(Exit::Failed.because(format!("the spool {name} has no beginning")));
        };
        let mut spool = Spool {
            next: history.next.max(1),
            client_id: client_id.to_string(),
            is_made_up,
            home: home::read(&options.directory)
                .with_context(|| format!("cannot read the spool {name}"))?,
            options,
            flights: Flights::default(),
            held: VecDeque::new(),
            held_bytes: 0,
            on_disk: 0,
            read_from: journals.end(),
            reader: None,
            journals,
            _lock: lock,
        };
        spool
            .restore(history)
            .with_context(|| format!("cannot read the spool {name}"))?;
        Ok(spool)
    }

    /// The name under which the messages are sent, always the same, because the broker's half of their state hangs on it.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// Whether the client id was made up, and the session therefore is the spool's alone.
    pub fn has_session_of_its_own(&self) -> bool {
        self.is_made_up
    }

    /// The broker with which the messages under way have their session.
    pub fn home(&self) -> Option<&str> {
        self.home.as_deref()
    }

    /// From now on it is this broker. Its session has to be a new one, which knows nothing of the messages under way.
    ///
    /// # Errors
    /// When it cannot be written: then nothing must be sent there.
    pub fn move_to(&mut self, broker: &str) -> anyhow::Result<()> {
        // First what was with the old one is forgotten, or the new one would be asked for it.
        self.commit()?;
        home::write(&self.options.directory, broker, self.options.syncs)
            .map_err(|error| unwritable(&self.options.directory, error))?;
        self.home = Some(broker.to_owned());
        Ok(())
    }

    /// How many messages are not done.
    pub fn len(&self) -> u64 {
        self.flights.len() as u64 + self.held.len() as u64 + self.on_disk
    }

    /// Whether all messages are done.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether another message may be accepted.
    pub fn has_room(&self) -> bool {
        self.journals.length() < self.options.limit
    }

    /// Takes a message in, QoS 1 or 2, and returns its number. It is safe after [`Spool::commit`].
    ///
    /// # Errors
    /// When it is larger than MQTT can say.
    pub fn accept(&mut self, publish: Publish) -> Result<u64, TooLarge> {
        let record = Record::Message {
            number: self.next,
            packet: encoded(&publish)?,
        };
        let number = self.next;
        self.next += 1;
        let position = self.journals.append(&record);
        self.journals.count(number, false);
        if self.on_disk > 0 || !self.has_place(publish.payload.len()) {
            self.on_disk += 1;
            return Ok(number);
        }
        self.read_from = self.journals.end();
        self.hold(Waiting {
            number,
            position,
            publish,
        });
        Ok(number)
    }

    /// Whether another message could wait in memory.
    pub fn has_place_in_memory(&self) -> bool {
        self.on_disk == 0 && self.has_place(0)
    }

    /// The messages under way, in the order in which they were sent.
    pub fn flights(&self) -> impl Iterator<Item = (u64, &Flight)> {
        self.flights.iter()
    }

    /// How many messages are under way, and the bytes of their payloads.
    pub fn under_way(&self) -> (usize, usize) {
        (self.flights.len(), self.flights.bytes())
    }

    /// The message that has waited longest, and its number. It stays where it is until it is sent or done.
    ///
    /// # Errors
    /// When the disk cannot be read.
    pub fn waiting(&mut self) -> io::Result<Option<(u64, &Publish)>> {
        if self.held.is_empty() && self.on_disk > 0 {
            self.fetch()?;
        }
        let first = self.held.front();
        Ok(first.map(|waiting| (waiting.number, &waiting.publish)))
    }

    /// The message that has waited longest goes under way: what to send after [`Spool::commit`].
    pub fn send(&mut self) -> Option<(u64, Publish)> {
        let Waiting {
            number,
            position,
            publish,
        } = self.take_held()?;
        Some((number, self.send_under(number, position, publish)))
    }

    /// One that is under way without a packet identifier gets one: what to send after [`Spool::commit`].
    pub fn send_again(&mut self, number: u64) -> Option<Publish> {
        let flight = self.flights.remove(number)?;
        Some(self.send_under(number, flight.position, flight.publish))
    }

    fn send_under(&mut self, number: u64, position: Position, publish: Publish) -> Publish {
        let packet_id = self.flights.free_packet_id();
        self.journals.append(&Record::Sent {
            number,
            packet_id,
            position,
        });
        let flight = Flight {
            packet_id,
            is_received: false,
            publish: publish.clone(),
            position,
        };
        self.flights.add(number, flight);
        Publish {
            packet_id,
            ..publish
        }
    }

    /// PUBREC has come. PUBREL may go after [`Spool::commit`]. Returns the message's number, if there is such a one.
    pub fn received(&mut self, packet_id: u16) -> Option<u64> {
        let number = self.flights.number(packet_id)?;
        if self.flights.receive(packet_id) {
            self.journals.append(&Record::Received { packet_id });
        }
        Some(number)
    }

    /// The handshake is complete, or was refused. Returns the message's number, if there is such a one.
    pub fn complete(&mut self, packet_id: u16) -> Option<u64> {
        let number = self.flights.number(packet_id)?;
        self.flights.remove(number);
        self.done(number);
        Some(number)
    }

    /// The message that has waited longest is given up: no broker will take it. Or, if it is under way, that one.
    pub fn give_up(&mut self, number: u64) {
        if self.flights.remove(number).is_none()
            && self
                .held
                .front()
                .is_some_and(|first| first.number == number)
        {
            self.take_held();
        }
        self.done(number);
    }

    /// The broker has lost the session: what is under way has to be sent as if for the first time.
    pub fn forget_session(&mut self) {
        if self.flights.len() > 0 {
            self.journals.append(&Record::Forgotten);
            self.flights.forget();
        }
    }

    /// Makes safe what has happened since the last time.
    ///
    /// # Errors
    /// When it cannot be written: then nothing of it must be sent.
    pub fn commit(&mut self) -> anyhow::Result<()> {
        (self.journals.commit(self.next))
            .map_err(|error| unwritable(&self.options.directory, error))
    }

    /// Commits, and leaves as little behind as possible.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn close(mut self) -> anyhow::Result<()> {
        self.commit()?;
        if self.is_empty() {
            self.journals.begin_another(self.next)?;
            self.commit()?;
        }
        Ok(())
    }

    fn done(&mut self, number: u64) {
        self.journals.append(&Record::Done { number });
        self.journals.count(number, true);
    }

    fn has_place(&self, bytes: usize) -> bool {
        self.held.is_empty() || self.held.len() < HELD && self.held_bytes + bytes <= HELD_BYTES
    }

    fn hold(&mut self, waiting: Waiting) {
        self.held_bytes += waiting.publish.payload.len();
        self.held.push_back(waiting);
    }

    fn take_held(&mut self) -> Option<Waiting> {
        let waiting = self.held.pop_front()?;
        self.held_bytes -= waiting.publish.payload.len();
        Some(waiting)
    }

    /// Reads the next ones that wait from the disk.
    fn fetch(&mut self) -> io::Result<()> {
        self.journals.write()?;
        let mut reader = match self.reader.take() {
            Some(reader) if reader.position() == self.read_from => reader,
            _ => self.journals.read_from(self.read_from)?,
        };
        while self.on_disk > 0 {
            let position = reader.position();
            match reader.next()? {
                Some(Record::Message { number, packet }) => {
                    self.on_disk -= 1;
                    self.hold(Waiting {
                        number,
                        position,
                        publish: decoded(packet, number)?,
                    });
                }
                Some(_) => {}
                None => match self.journals.after(position.journal) {
                    Some(next) => reader = self.journals.read_from(next)?,
                    None => {
                        return Err(io::Error::other(format!(
                            "{} messages are missing",
                            self.on_disk
                        )));
                    }
                },
            }
            self.read_from = reader.position();
            if self.held.len() >= HELD || self.held_bytes >= HELD_BYTES {
                break;
            }
        }
        self.reader = Some(reader);
        Ok(())
    }

    /// Takes up where an earlier process stopped.
    fn restore(&mut self, history: History) -> io::Result<()> {
        let last_sent = history.last_sent.max(self.journals.first() - 1);
        for (number, sent) in &history.sent {
            let mut reader = self.journals.read_from(sent.position)?;
            let Some(Record::Message { packet, .. }) = reader.next()? else {
                return Err(io::Error::other(format!("message {number} is missing")));
            };
            let flight = Flight {
                packet_id: sent.packet_id,
                is_received: sent.is_received,
                publish: decoded(packet, *number)?,
                position: sent.position,
            };
            self.flights.add(*number, flight);
            self.journals.count(*number, false);
        }
        let first_waiting = last_sent + 1;
        self.on_disk = self.next.saturating_sub(first_waiting);
        for number in first_waiting..self.next {
            self.journals.count(number, false);
        }
        if self.on_disk > 0 {
            let mut reader = self
                .journals
                .read_from(self.journals.before(first_waiting))?;
            loop {
                let position = reader.position();
                match reader.next()? {
                    Some(Record::Message { number, .. }) if number >= first_waiting => {
                        self.read_from = position;
                        return Ok(());
                    }
                    Some(_) => {}
                    None => match self.journals.after(position.journal) {
                        Some(next) => reader = self.journals.read_from(next)?,
                        None => {
                            return Err(io::Error::other(format!(
                                "message {first_waiting} is missing"
                            )));
                        }
                    },
                }
            }
        }
        Ok(())
    }
}

/// The message as it stands in a journal: without what belongs to one connection only.
fn encoded(publish: &Publish) -> Result<Bytes, TooLarge> {
    let packet = Packet::Publish(Publish {
        dup: false,
        packet_id: 1,
        ..publish.clone()
    });
    let mut bytes = Vec::new();
    codec::write(&packet, Version::V5, &mut bytes)?;
    Ok(bytes.into())
}

fn decoded(packet: Bytes, number: u64) -> io::Result<Publish> {
    match codec::decode(packet, Version::V5) {
        Ok(Packet::Publish(publish)) => Ok(Publish {
            packet_id: 0,
            ..publish
        }),
        _ => Err(io::Error::other(format!("message {number} is no PUBLISH"))),
    }
}

/// What the journals say, read from the beginning.
#[derive(Default)]
struct History {
    next: u64,
    /// Messages are sent in order: all up to this one have been.
    last_sent: u64,
    /// Those that are not done.
    sent: BTreeMap<u64, Sent>,
}

struct Sent {
    packet_id: u16,
    is_received: bool,
    position: Position,
}

impl History {
    fn take(&mut self, _: Position, record: Record) {
        match record {
            Record::Opened { next, .. } => self.next = self.next.max(next),
            Record::Message { number, .. } => self.next = self.next.max(number + 1),
            Record::Sent {
                number,
                packet_id,
                position,
            } => {
                self.last_sent = self.last_sent.max(number);
                self.sent.insert(
                    number,
                    Sent {
                        packet_id,
                        is_received: false,
                        position,
                    },
                );
            }
            Record::Received { packet_id } => {
                let with_it = |sent: &&mut Sent| sent.packet_id == packet_id;
                if let Some(sent) = self.sent.values_mut().find(with_it) {
                    sent.is_received = true;
                }
            }
            Record::Done { number } => {
                self.last_sent = self.last_sent.max(number);
                self.sent.remove(&number);
            }
            Record::Forgotten => {
                for sent in self.sent.values_mut() {
                    (sent.packet_id, sent.is_received) = (0, false);
                }
            }
        }
    }
}

fn unwritable(directory: &Path, error: io::Error) -> anyhow::Error {
    let remedy = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            " (make room on its disk and start again; what it holds is safe)"
        }
        _ => "",
    };
    let name = directory.display();
    anyhow::Error::new(error).context(format!("cannot write the spool {name}{remedy}"))
}

/// Makes the folder, readable for its owner only, and takes possession of it.
fn lock(directory: &Path) -> anyhow::Result<File> {
    let name = directory.display();
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .recursive(true)
        .create(directory)
        .with_context(|| format!("cannot make the spool {name}"))?;
    let lock = File::create(directory.join("lock"))
        .with_context(|| format!("cannot write the spool {name}"))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(Exit::Failed.because(format!(
            "the spool {name} is in use by another process; every sender needs a --spool of its own"
        ))),
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock the spool {name}"))
        }
    }
}

#[cfg(test)]
mod tests;
