//! A session: what the broker keeps for one client id (4.1), and how a message becomes bytes for its connection.
//!
//! A message goes straight into the connection's output while there is room; what does not fit waits in the
//! session's queue. The session does no I/O: it fills the link's output and wakes the task that writes it.

use std::cell::OnceCell;
use std::collections::{HashSet, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use foldhash::fast::RandomState;

use tokio::time::Instant;

use super::agenda;
use super::counters::Counters;
use super::in_flight::{Answer, Delivery, InFlight, Stage};
use super::link::{Link, OUT_LIMIT};
use super::message::{Message, Outgoing};
use super::partition::Subscription;
use super::record::Envelope;
use crate::mqtt::codec::PublishView;
use crate::mqtt::packet::{Acknowledgement, Packet, Will};
use crate::mqtt::{ByteString, QoS};

/// A connected client's queue beyond this makes the partition wait for it, for a while.
const CONGESTED_MESSAGES: usize = 20_000;
const CONGESTED_BYTES: usize = 8 << 20;

/// A queue's limit in messages and bytes, for those that are limited by the partition's waiting.
const UNLIMITED: (usize, usize) = (usize::MAX, usize::MAX);

/// How long a partition waits for one client that has fallen behind before it goes on without it.
const PATIENCE: Duration = Duration::from_secs(1);

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

/// What delivering takes besides the session: one for a partition, lent to each.
#[derive(Debug, Default)]
pub struct Means {
    /// Messages a session's queue takes while its client is away or lags.
    pub max_queued: usize,
    /// Bytes it takes then.
    pub max_queued_bytes: usize,
    /// Whether QoS 0 messages are queued for clients that are away.
    pub queue_qos0: bool,
    /// Where what happens is counted.
    pub counters: Arc<Counters>,
    /// A buffer for property blocks.
    pub scratch: Vec<u8>,
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
    /// A hash of the client's name, which its messages carry.
    pub identity: u64,
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
    pub fn new(client_id: ByteString, identity: u64, number: u32) -> Session {
        Session {
            client_id,
            identity,
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

    /// Delivers one publish: into the output if it can go now, else into the queue. Beyond what the queue takes while
    /// the client is away or lags, the new message is dropped and counted.
    pub fn deliver(&mut self, arrival: &Arrival<'_>, grant: Grant<'_>, means: &mut Means) {
        let envelope = &arrival.envelope;
        let qos = envelope.qos.min(grant.qos);
        let Some(link) = &self.link else {
            // A QoS 0 message is for those who are there (4.3.1), unless asked otherwise.
            if qos > QoS::AtMostOnce || means.queue_qos0 {
                let limit = (means.max_queued, means.max_queued_bytes);
                self.enqueue(arrival.message(), qos, grant, limit, &means.counters);
            }
            return;
        };
        let goes_now = self.queue.is_empty()
            && !self.in_flight.is_resending()
            && link.output_length() < OUT_LIMIT
            && (qos == QoS::AtMostOnce || self.in_flight.has_room(link.receive_maximum));
        if !goes_now {
            let limit = match (self.pace, qos) {
                (Pace::Lagging, QoS::AtMostOnce) => (
                    means.max_queued.min(CONGESTED_MESSAGES),
                    means.max_queued_bytes.min(CONGESTED_BYTES),
                ),
                (Pace::Lagging, _) => (means.max_queued, means.max_queued_bytes),
                _ => UNLIMITED,
            };
            self.enqueue(arrival.message(), qos, grant, limit, &means.counters);
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
        self.write(&link, outgoing, means);
        link.wake();
    }

    /// Writes one PUBLISH, or nothing when it is larger than the client takes: then it counts as delivered
    /// [MQTT-3.1.2-25].
    fn write(&mut self, link: &Link, mut outgoing: Outgoing<'_>, means: &mut Means) {
        if link.closing.get() {
            // Nothing follows the goodbye [MQTT-3.14.4-1]; what has to arrive is sent again on the next connection.
            return;
        }
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
        let written = outgoing.write(link.version, &mut means.scratch, &mut out);
        if written.is_err() || out.len() - before > link.maximum_packet_size as usize {
            out.truncate(before);
            means.counters.dropped_too_large.add(1);
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
            return;
        }
        let publish = &outgoing.publish;
        means.counters.packets_sent.add(1);
        let qos = usize::from(publish.qos.number());
        means.counters.publishes_sent[qos].add(1);
        means.counters.payload_sent[qos].add(publish.payload.len() as u64);
    }

    fn enqueue(
        &mut self,
        message: Rc<Message>,
        qos: QoS,
        grant: Grant<'_>,
        limit: (usize, usize),
        counters: &Counters,
    ) {
        let (messages, bytes) = limit;
        if self.queue.len() >= messages || self.queued_bytes >= bytes {
            self.dropped += 1;
            counters.dropped_queue_full.add(1);
            return;
        }
        self.queued_bytes += message.size();
        self.queue.push_back(grant.keep(message, qos));
    }

    /// Queues a retained message for a new subscription. Retained messages are not limited by the queue: the
    /// subscriber asked for them.
    pub fn enqueue_retained(
        &mut self,
        message: &Rc<Message>,
        grant: Grant<'_>,
        counters: &Counters,
    ) {
        let qos = message.qos.min(grant.qos);
        if self.link.is_none() && qos == QoS::AtMostOnce {
            return;
        }
        self.enqueue(Rc::clone(message), qos, grant, UNLIMITED, counters);
    }

    /// Moves what waits into the output as far as there is room: first what an earlier connection left
    /// unacknowledged, then the queue. Called whenever the output was written, or the window opened.
    pub fn fill(&mut self, now: Instant, means: &mut Means) {
        let Some(link) = self.link.clone() else {
            return;
        };
        let before = link.output_length();
        while link.output_length() < OUT_LIMIT {
            if self.in_flight.is_resending() {
                if !self.in_flight.has_room(link.receive_maximum) {
                    break;
                }
                self.resend_one(&link, now, means);
            } else if !self.send_queued(&link, now, means) {
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

    fn resend_one(&mut self, link: &Link, now: Instant, means: &mut Means) {
        let Some(entry) = self.in_flight.resend() else {
            return;
        };
        let packet_id = entry.packet_id;
        let Some(delivery) = entry.delivery.clone() else {
            link.send(&Packet::PubRel(Acknowledgement::success(packet_id)));
            return;
        };
        self.write_delivery(link, &delivery, packet_id, true, now, means);
    }

    fn send_queued(&mut self, link: &Link, now: Instant, means: &mut Means) -> bool {
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
            means.counters.dropped_expired.add(1);
            return true;
        }
        let packet_id = match delivery.qos {
            QoS::AtMostOnce => 0,
            qos => {
                let kept = self.is_kept() || delivery.share.is_some();
                self.in_flight.push(qos, kept.then(|| delivery.clone()))
            }
        };
        self.write_delivery(link, &delivery, packet_id, false, now, means);
        true
    }

    fn write_delivery(
        &mut self,
        link: &Link,
        delivery: &Delivery,
        packet_id: u16,
        dup: bool,
        now: Instant,
        means: &mut Means,
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
        self.write(link, outgoing, means);
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
    pub fn puback(&mut self, packet_id: u16) -> Answer {
        self.in_flight.acknowledged(packet_id, Stage::AtLeastOnce)
    }

    /// PUBREC from the client (3.5).
    pub fn pubrec(&mut self, acknowledgement: &Acknowledgement) -> Answer {
        if acknowledgement.reason.is_failure() {
            return self
                .in_flight
                .acknowledged(acknowledgement.packet_id, Stage::ExactlyOnce);
        }
        self.in_flight.received(acknowledgement.packet_id)
    }

    /// PUBCOMP from the client (3.7).
    pub fn pubcomp(&mut self, packet_id: u16) -> Answer {
        self.in_flight.acknowledged(packet_id, Stage::Released)
    }

    /// Messages that wait, the bytes they occupy, and publishes sent and not acknowledged.
    pub fn backlog(&self) -> (usize, usize, usize) {
        (self.queue.len(), self.queued_bytes, self.in_flight.open())
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
