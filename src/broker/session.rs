//! A session: what the broker keeps for one client id (4.1), and how a message becomes bytes for its connection.
//!
//! A message goes straight into the connection's output while there is room; what does not fit waits in the
//! session's queue. The session does no I/O: it fills the link's output and wakes the task that writes it.

use std::cell::{Cell, OnceCell, RefCell, RefMut};
use std::collections::{HashMap, HashSet, VecDeque};
use std::rc::Rc;
use std::task::Waker;
use std::time::{Duration, Instant};

use foldhash::fast::RandomState;

use super::agenda;
use super::in_flight::{Delivery, InFlight, Stage};
use super::message::{Message, Outgoing};
use super::partition::Subscription;
use super::record::Envelope;
use crate::mqtt::codec::PublishView;
use crate::mqtt::packet::{Acknowledgement, Disconnect, Packet, Will};
use crate::mqtt::{ByteString, Properties, QoS, ReasonCode, Version, codec};

/// Bytes of output that may wait for a connection's socket; beyond that messages wait in the queue. Two socket
/// buffers' worth: enough to keep the socket busy, little enough to keep for many connections.
const OUT_LIMIT: usize = 256 << 10;

/// A connected client's queue beyond this makes the partition wait for it, for a while.
const CONGESTED_MESSAGES: usize = 20_000;
const CONGESTED_BYTES: usize = 8 << 20;

/// Output buffers that no connection is using, so that an idle one holds none and a busy one finds a warm one.
#[derive(Debug, Default)]
pub struct Buffers(RefCell<Vec<Vec<u8>>>);

/// Idle buffers worth keeping for a partition, and the largest that is worth it.
const BUFFERS: usize = 64;
const BUFFER_LIMIT: usize = 2 * OUT_LIMIT;

impl Buffers {
    /// Gives a buffer back.
    pub fn give_back(&self, mut buffer: Vec<u8>) {
        let mut buffers = self.0.borrow_mut();
        if buffer.capacity() > 0 && buffer.capacity() <= BUFFER_LIMIT && buffers.len() < BUFFERS {
            buffer.clear();
            buffers.push(buffer);
        }
    }

    fn take(&self) -> Vec<u8> {
        self.0.borrow_mut().pop().unwrap_or_default()
    }
}

/// How long a partition waits for one client that has fallen behind before it goes on without it.
const PATIENCE: Duration = Duration::from_secs(1);

/// The connection a session is attached to, as the partition sees it.
#[derive(Debug)]
pub struct Link {
    /// Encoded packets that the connection's task has to write.
    out: RefCell<Vec<u8>>,
    /// Where output buffers come from.
    pub buffers: Rc<Buffers>,
    /// The task to wake when there is something to write, or to read again.
    pub waker: RefCell<Option<Waker>>,
    /// Write what is in `out`, then close.
    pub closing: Cell<bool>,
    /// When the last packet of the client arrived, for keep alive.
    pub last_heard: Cell<Instant>,
    /// Version of this connection.
    pub version: Version,
    /// Most unacknowledged publishes the client takes (3.1.2.11.3).
    pub receive_maximum: u16,
    /// Largest packet the client takes, in bytes (3.1.2.11.4).
    pub maximum_packet_size: u32,
    /// Topic aliases the client takes (3.1.2.11.5).
    pub topic_alias_maximum: u16,
    /// Those in use, by topic.
    pub aliases: RefCell<HashMap<Box<str>, u16, RandomState>>,
}

impl Link {
    /// A fresh connection with nothing to write.
    pub fn new(version: Version, buffers: Rc<Buffers>) -> Link {
        Link {
            out: RefCell::default(),
            buffers,
            waker: RefCell::default(),
            closing: Cell::new(false),
            last_heard: Cell::new(Instant::now()),
            version,
            receive_maximum: u16::MAX,
            maximum_packet_size: u32::MAX,
            topic_alias_maximum: 0,
            aliases: RefCell::default(),
        }
    }

    /// Takes all there is to write. The buffer goes back to [`Link::buffers`].
    pub fn take_output(&self) -> Vec<u8> {
        self.out.take()
    }

    /// Bytes that wait to be written.
    pub fn output_length(&self) -> usize {
        self.out.borrow().len()
    }

    fn output(&self) -> RefMut<'_, Vec<u8>> {
        let mut out = self.out.borrow_mut();
        if out.capacity() == 0 {
            *out = self.buffers.take();
        }
        out
    }

    /// The alias of a topic on this connection, and whether the client knows it already. The first topics get one.
    fn alias_of(&self, topic: &str) -> (Option<u16>, bool) {
        let mut aliases = self.aliases.borrow_mut();
        if let Some(alias) = aliases.get(topic) {
            return (Some(*alias), true);
        }
        if aliases.len() >= usize::from(self.topic_alias_maximum) {
            return (None, false);
        }
        // Aliases are never taken back but the one given last, so the next number is free.
        let alias = aliases.len() as u16 + 1;
        aliases.insert(topic.into(), alias);
        (Some(alias), false)
    }

    /// Wakes the connection's task.
    pub fn wake(&self) {
        if let Some(waker) = self.waker.borrow_mut().take() {
            waker.wake();
        }
    }

    /// Encodes a packet into the output and wakes the writer.
    pub fn send(&self, packet: &Packet) {
        let mut out = self.output();
        let before = out.len();
        // Every packet the broker makes is far below the limits, but what it repeats of a client's (a reason
        // string, a client id) is not its own: such a packet is left out whole.
        if codec::write(packet, self.version, &mut out).is_err() {
            out.truncate(before);
        }
        drop(out);
        self.wake();
    }

    /// Says goodbye where the version has words for it (3.14 of MQTT 5), and closes once it is written.
    pub fn close(&self, reason: ReasonCode) {
        if self.closing.get() {
            return;
        }
        if self.version == Version::V5 {
            self.send(&Packet::Disconnect(Disconnect {
                reason,
                properties: Properties::default(),
            }));
        }
        self.closing.set(true);
        self.wake();
    }
}

/// A publish as it arrives from the log; copied out of its record at most once, when somebody has to keep it.
pub struct Arrival<'a> {
    /// The publish.
    pub envelope: Envelope<'a>,
    /// When it arrived at this partition.
    pub now: Instant,
    kept: OnceCell<Rc<Message>>,
}

impl<'a> Arrival<'a> {
    /// A publish that nobody keeps yet.
    pub fn new(envelope: Envelope<'a>, now: Instant) -> Arrival<'a> {
        Arrival {
            envelope,
            now,
            kept: OnceCell::new(),
        }
    }

    /// The copy to keep.
    pub fn message(&self) -> Rc<Message> {
        Rc::clone(
            self.kept
                .get_or_init(|| Message::new(&self.envelope, self.now)),
        )
    }
}

/// What the matching subscriptions of one session ask for, taken together.
#[derive(Debug, Clone, Copy)]
pub struct Grant<'a> {
    /// Highest granted quality of service.
    pub qos: QoS,
    /// The retain flag to show.
    pub retain: bool,
    /// Identifiers of all of them that have one.
    pub identifiers: &'a [u32],
    /// The shared subscription it is, if it is one.
    pub share: Option<&'a Rc<str>>,
}

impl Grant<'_> {
    fn keep(&self, message: Rc<Message>, qos: QoS) -> Delivery {
        Delivery {
            message,
            qos,
            retain: self.retain,
            identifiers: self.identifiers.into(),
            share: self.share.cloned(),
        }
    }
}

/// Whether the session keeps up with what is sent to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// Its queue is short, or it is offline.
    Keeping,
    /// Its queue is long; the partition waits for it until the instant.
    Congested(Instant),
    /// It was waited for in vain; until its queue is empty nobody waits for it again.
    Lagging,
}

/// What is kept for one client id.
#[derive(Debug)]
pub struct Session {
    /// The client's name.
    pub client_id: ByteString,
    /// Tells sessions of a partition apart, for ever: a place in the table is used again.
    pub number: u32,
    /// Topic filters subscribed to; their options are in the partition's tree.
    pub filters: HashSet<Box<str>, RandomState>,
    /// Shared subscriptions and their options; who takes turns with whom is in the partition's groups.
    pub shares: Vec<(Box<str>, Subscription)>,
    /// Seconds the session outlives its connection; `u32::MAX` is for ever (3.1.2.11.2).
    pub expiry: u32,
    /// Published when the connection ends without a normal DISCONNECT.
    pub will: Option<Will>,
    /// The connection, while there is one.
    pub link: Option<Rc<Link>>,
    /// Packet ids of QoS 2 publishes from the client that are not released yet (4.3.3).
    pub received: HashSet<u16, RandomState>,
    /// Whether it keeps up.
    pub pace: Pace,
    /// The last message seen by the matcher, to notice overlapping subscriptions.
    pub stamp: u64,
    /// How long the client may be silent; none when keep alive is off (3.1.2.10).
    pub keep_alive: Option<Duration>,
    /// Its entries in the agenda.
    pub keep_alive_due: Option<agenda::Key>,
    /// When the session ends, or its will is due.
    pub expiry_due: Option<agenda::Key>,
    /// When its will is due.
    pub will_due: Option<agenda::Key>,
    in_flight: InFlight,
    queue: VecDeque<Delivery>,
    queued_bytes: usize,
    /// Messages dropped because the queue was full, since the last report.
    pub dropped: u64,
}

impl Session {
    /// A new session without connection.
    pub fn new(client_id: ByteString, number: u32) -> Session {
        Session {
            client_id,
            number,
            filters: HashSet::default(),
            shares: Vec::new(),
            expiry: 0,
            will: None,
            link: None,
            received: HashSet::default(),
            pace: Pace::Keeping,
            stamp: 0,
            keep_alive: None,
            keep_alive_due: None,
            expiry_due: None,
            will_due: None,
            in_flight: InFlight::default(),
            queue: VecDeque::new(),
            queued_bytes: 0,
            dropped: 0,
        }
    }

    /// Whether unacknowledged messages have to outlive the connection.
    fn is_kept(&self) -> bool {
        self.expiry > 0
    }

    /// Delivers one publish: into the output if it can go now, else into the queue. `most` is the number of
    /// messages the queue takes while the client is away or lags; beyond it the new message is dropped and counted.
    pub fn deliver(
        &mut self,
        arrival: &Arrival<'_>,
        grant: Grant<'_>,
        most: usize,
        scratch: &mut Vec<u8>,
    ) {
        let envelope = &arrival.envelope;
        let qos = envelope.qos.min(grant.qos);
        let Some(link) = &self.link else {
            // A QoS 0 message is for those who are there (4.3.1).
            if qos > QoS::AtMostOnce {
                self.enqueue(arrival.message(), qos, grant, most);
            }
            return;
        };
        let goes_now = self.queue.is_empty()
            && !self.in_flight.is_resending()
            && link.output_length() < OUT_LIMIT
            && (qos == QoS::AtMostOnce || self.in_flight.has_room(link.receive_maximum));
        if !goes_now {
            let most = if self.pace == Pace::Lagging {
                if qos == QoS::AtMostOnce {
                    most.min(CONGESTED_MESSAGES)
                } else {
                    most
                }
            } else {
                usize::MAX
            };
            self.enqueue(arrival.message(), qos, grant, most);
            return;
        }
        let link = Rc::clone(link);
        let packet_id = match qos {
            QoS::AtMostOnce => 0,
            _ => {
                let kept = self.is_kept() || grant.share.is_some();
                self.in_flight
                    .push(qos, kept.then(|| grant.keep(arrival.message(), qos)))
            }
        };
        let publish = PublishView {
            dup: false,
            qos,
            retain: grant.retain,
            topic: envelope.topic,
            packet_id,
            properties: envelope.properties,
            payload: envelope.payload,
        };
        let outgoing = Outgoing {
            publish,
            identifiers: grant.identifiers,
            expiry_left: None,
            alias: None,
        };
        self.write(&link, outgoing, scratch);
        link.wake();
    }

    /// Writes one PUBLISH, or nothing when it is larger than the client takes: then it counts as delivered
    /// [MQTT-3.1.2-25].
    fn write(&mut self, link: &Link, mut outgoing: Outgoing<'_>, scratch: &mut Vec<u8>) {
        let mut out = link.output();
        let before = out.len();
        let topic = outgoing.publish.topic;
        let mut introduced = false;
        if link.topic_alias_maximum > 0 {
            let (alias, known) = link.alias_of(topic);
            outgoing.alias = alias;
            introduced = alias.is_some() && !known;
            if known {
                outgoing.publish.topic = "";
            }
        }
        let written = outgoing.write(link.version, scratch, &mut out);
        if written.is_err() || out.len() - before > link.maximum_packet_size as usize {
            out.truncate(before);
            if introduced {
                link.aliases.borrow_mut().remove(topic);
            }
            let publish = &outgoing.publish;
            let stage = if publish.qos == QoS::ExactlyOnce {
                Stage::ExactlyOnce
            } else {
                Stage::AtLeastOnce
            };
            self.in_flight.acknowledged(publish.packet_id, stage);
        }
    }

    fn enqueue(&mut self, message: Rc<Message>, qos: QoS, grant: Grant<'_>, most: usize) {
        if self.queue.len() >= most {
            self.dropped += 1;
            return;
        }
        self.queued_bytes += message.size();
        self.queue.push_back(grant.keep(message, qos));
    }

    /// Queues a retained message for a new subscription. Retained messages are not limited by the queue: the
    /// subscriber asked for them.
    pub fn enqueue_retained(&mut self, message: &Rc<Message>, grant: Grant<'_>) {
        let qos = message.qos.min(grant.qos);
        self.enqueue(Rc::clone(message), qos, grant, usize::MAX);
    }

    /// Moves what waits into the output as far as there is room: first what an earlier connection left
    /// unacknowledged, then the queue. Called whenever the output was written, or the window opened.
    pub fn fill(&mut self, now: Instant, scratch: &mut Vec<u8>) {
        let Some(link) = self.link.clone() else {
            return;
        };
        let before = link.output_length();
        while link.output_length() < OUT_LIMIT {
            if self.in_flight.is_resending() {
                if !self.in_flight.has_room(link.receive_maximum) {
                    break;
                }
                self.resend_one(&link, now, scratch);
            } else if !self.send_queued(&link, now, scratch) {
                break;
            }
        }
        if self.queue.is_empty() && self.queue.capacity() > 64 {
            self.queue.shrink_to(0);
        }
        if link.output_length() > before {
            link.wake();
        }
    }

    fn resend_one(&mut self, link: &Link, now: Instant, scratch: &mut Vec<u8>) {
        let Some(entry) = self.in_flight.resend() else {
            return;
        };
        let packet_id = entry.packet_id;
        let Some(delivery) = entry.delivery.clone() else {
            link.send(&Packet::PubRel(Acknowledgement::success(packet_id)));
            return;
        };
        self.write_delivery(link, &delivery, packet_id, true, now, scratch);
    }

    fn send_queued(&mut self, link: &Link, now: Instant, scratch: &mut Vec<u8>) -> bool {
        let Some(delivery) = self.queue.front() else {
            return false;
        };
        if delivery.qos > QoS::AtMostOnce && !self.in_flight.has_room(link.receive_maximum) {
            return false;
        }
        let Some(delivery) = self.queue.pop_front() else {
            return false;
        };
        self.queued_bytes -= delivery.message.size();
        if delivery.message.has_expired(now) {
            return true;
        }
        let packet_id = match delivery.qos {
            QoS::AtMostOnce => 0,
            qos => self
                .in_flight
                .push(qos, self.is_kept().then(|| delivery.clone())),
        };
        self.write_delivery(link, &delivery, packet_id, false, now, scratch);
        true
    }

    fn write_delivery(
        &mut self,
        link: &Link,
        delivery: &Delivery,
        packet_id: u16,
        dup: bool,
        now: Instant,
        scratch: &mut Vec<u8>,
    ) {
        let message = &delivery.message;
        let publish = PublishView {
            dup,
            qos: delivery.qos,
            retain: delivery.retain,
            topic: message.topic(),
            packet_id,
            properties: message.properties(),
            payload: message.payload(),
        };
        let expiry_left = message.expiry_left(now);
        let outgoing = Outgoing {
            publish,
            identifiers: &delivery.identifiers,
            expiry_left,
            alias: None,
        };
        self.write(link, outgoing, scratch);
    }

    /// Takes out what shared subscriptions gave this session and it has not taken, when it ends: for another member.
    pub fn give_back(&mut self) -> Vec<Delivery> {
        let mut given_back: Vec<Delivery> = self.in_flight.give_back().collect();
        given_back.extend(
            self.queue
                .drain(..)
                .filter(|delivery| delivery.share.is_some()),
        );
        given_back
    }

    /// Attaches a connection and puts everything unacknowledged up for sending again (4.4).
    pub fn attach(&mut self, link: Rc<Link>) {
        self.link = Some(link);
        self.pace = Pace::Keeping;
        self.in_flight.reconnected();
    }

    /// PUBACK from the client (3.4).
    pub fn puback(&mut self, packet_id: u16) -> bool {
        self.in_flight.acknowledged(packet_id, Stage::AtLeastOnce)
    }

    /// PUBREC from the client (3.5). Says whether the packet identifier was found.
    pub fn pubrec(&mut self, acknowledgement: &Acknowledgement) -> bool {
        if acknowledgement.reason.is_failure() {
            return self
                .in_flight
                .acknowledged(acknowledgement.packet_id, Stage::ExactlyOnce);
        }
        self.in_flight.received(acknowledgement.packet_id)
    }

    /// PUBCOMP from the client (3.7).
    pub fn pubcomp(&mut self, packet_id: u16) -> bool {
        self.in_flight.acknowledged(packet_id, Stage::Released)
    }

    /// Whether messages wait that could go out as soon as there is room.
    pub fn has_waiting(&self) -> bool {
        !self.queue.is_empty() || self.in_flight.is_resending()
    }

    /// Whether only now so much waits for a connected client that the partition should wait for it.
    pub fn became_congested(&mut self, now: Instant) -> bool {
        let much = self.queue.len() >= CONGESTED_MESSAGES || self.queued_bytes >= CONGESTED_BYTES;
        let became = much && self.pace == Pace::Keeping && self.link.is_some();
        if became {
            self.pace = Pace::Congested(now + PATIENCE);
        }
        became
    }

    /// The options of one of its shared subscriptions.
    pub fn subscription_of(&self, share: &str) -> Option<Subscription> {
        self.shares
            .iter()
            .find(|(own, _)| **own == *share)
            .map(|(_, subscription)| *subscription)
    }

    /// Whether a congested client has caught up enough to go on.
    pub fn is_relieved(&self) -> bool {
        self.queue.len() < CONGESTED_MESSAGES / 2 && self.queued_bytes < CONGESTED_BYTES / 2
    }
}
