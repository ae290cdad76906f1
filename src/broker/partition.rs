//! A partition: the sessions of the client ids that hash to it, their subscriptions, the retained messages, and its seat at
//! the log. It lives on one thread; everything about one client happens here, so nothing is locked.
//!
//! This file is what the partition does with the log: publishes are gathered into records and appended, records are
//! matched and delivered, publishers are acknowledged. What clients ask for is in `protocol`, who comes and
//! goes in `lifecycle`.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

use foldhash::fast::RandomState;
use slab::Slab;
use tokio::sync::Notify;

use super::Config;
use super::agenda::Agenda;
use super::counters::{Census, Counters};
use super::groups::{Change, Groups, Member};
use super::in_flight::Delivery;
use super::link::Link;
use super::log::{LogEnded, Passage, RECORD, Record, Writer};
use super::message::write_block;
use super::record::{self, Entry, Envelope, write_member};
use super::retained::Retained;
use super::session::{Arrival, Grant, Means, Pace, Session};
use super::tree::Tree;
use crate::mqtt::packet::{Acknowledgement, Packet};
use crate::mqtt::{ByteString, QoS, ReasonCode, Version};

/// A subscription as the matcher finds it: the options of one filter of one session (3.8.3.1).
#[derive(Debug, Clone, Copy)]
pub struct Subscription {
    /// Granted quality of service.
    pub qos: QoS,
    /// Not for what this session published itself.
    pub no_local: bool,
    /// Keep the publisher's retain flag.
    pub retain_as_published: bool,
    /// Subscription identifier, 0 for none.
    pub identifier: u32,
}

/// An answer that a client gets when every partition has passed a record.
#[derive(Debug)]
struct Awaiting {
    sequence: u64,
    link: Rc<Link>,
    answer: Answer,
}

#[derive(Debug)]
enum Answer {
    /// PUBACK or PUBREC to its publish.
    Acknowledge {
        /// Of the publish.
        packet_id: u16,
        /// Of the publish.
        qos: QoS,
        /// Its place among the publishes of its record, if its publisher is told when it finds no subscriber.
        asks: Option<u32>,
    },
    /// SUBACK, once the groups it joined are the same everywhere.
    Say(Box<Packet>),
}

/// The state of one partition.
pub struct Partition {
    /// Its number.
    pub index: usize,
    /// What the broker was started with.
    pub config: Arc<Config>,
    /// Its sessions.
    pub sessions: Slab<Session>,
    /// Their places by client id.
    pub by_client_id: HashMap<ByteString, u32, RandomState>,
    /// Their subscriptions.
    pub tree: Tree<Subscription>,
    /// Groups of shared subscriptions of the whole broker.
    pub groups: Groups,
    /// Retained messages of the whole broker.
    pub retained: Retained,
    /// What is due when.
    pub agenda: Agenda,
    /// Told when the agenda's first entry may have changed.
    pub agenda_changed: Rc<Notify>,
    /// A buffer lent to whoever reads a socket; an idle connection holds none.
    pub scratch: Vec<u8>,
    /// What delivering takes.
    pub means: Means,
    /// The number of the last session.
    pub last_number: u32,
    /// Whether the broker is stopping.
    pub stopping: bool,
    /// When the broker started; records carry times against it.
    started: Instant,
    writer: Writer,
    passage: Passage,
    /// The body of the record that is being gathered.
    gathered: Vec<u8>,
    gathered_publishes: u32,
    /// Told when something was gathered, so it is appended once the tasks that are ready now had their turn.
    gathered_some: Rc<Notify>,
    awaiting: VecDeque<Awaiting>,
    /// Connections that wait to read until the log has room.
    waiting_for_room: Vec<Waker>,
    /// Sessions the partition waits for.
    congested: Vec<u32>,
    /// Told when one of them has caught up.
    relief: Rc<Notify>,
    /// Numbers the messages, to notice overlapping subscriptions.
    stamp: u64,
    hits: Vec<(u32, Subscription)>,
    identifiers: Vec<u32>,
    chosen: Vec<(Rc<str>, Member)>,
    /// Which publishes of the record at hand found a subscriber here.
    used: Vec<u64>,
}

/// A partition as its tasks share it.
pub type Shared = Rc<RefCell<Partition>>;

impl Partition {
    /// A partition without sessions.
    pub fn new(
        index: usize,
        config: Arc<Config>,
        counters: Arc<Counters>,
        started: Instant,
        writer: Writer,
        passage: Passage,
    ) -> Partition {
        let means = Means {
            max_queued: config.max_queued,
            max_queued_bytes: config.max_queued_bytes,
            queue_qos0: config.queue_qos0,
            counters,
            scratch: Vec::new(),
        };
        Partition {
            index,
            config,
            sessions: Slab::new(),
            by_client_id: HashMap::default(),
            tree: Tree::default(),
            groups: Groups::default(),
            retained: Retained::default(),
            agenda: Agenda::default(),
            agenda_changed: Rc::default(),
            scratch: Vec::new(),
            means,
            last_number: 0,
            stopping: false,
            started,
            writer,
            passage,
            gathered: Vec::new(),
            gathered_publishes: 0,
            used: Vec::new(),
            gathered_some: Rc::default(),
            awaiting: VecDeque::new(),
            waiting_for_room: Vec::new(),
            congested: Vec::new(),
            relief: Rc::default(),
            stamp: 0,
            hits: Vec::new(),
            identifiers: Vec::new(),
            chosen: Vec::new(),
        }
    }

    /// Adds a publish to the record that is being gathered. With a link it is acknowledged once every
    /// partition has it.
    pub fn gather(&mut self, envelope: &Envelope<'_>, packet_id: u16, link: Option<&Rc<Link>>) {
        self.make_room(envelope.size());
        envelope.write(&mut self.gathered);
        if let Some(link) = link
            && envelope.qos > QoS::AtMostOnce
        {
            let sequence = self.writer.next_sequence();
            let asks = (link.version == Version::V5).then_some(self.gathered_publishes);
            if asks.is_some() {
                record::ask(&mut self.gathered);
            }
            let answer = Answer::Acknowledge {
                packet_id,
                qos: envelope.qos,
                asks,
            };
            self.awaiting.push_back(Awaiting {
                sequence,
                link: Rc::clone(link),
                answer,
            });
        }
        self.gathered_publishes += 1;
    }

    /// Tells every partition of a change in the group of a shared subscription.
    pub fn gather_member(&mut self, share: &str, place: u32, change: Change) {
        self.make_room(share.len());
        let number = self.sessions[place as usize].number;
        write_member(share, number, place, change, &mut self.gathered);
    }

    /// Gives a message back to the group it came through.
    pub fn gather_again(&mut self, delivery: &Delivery, now: Instant) {
        let (Some(share), message) = (&delivery.share, &delivery.message) else {
            return;
        };
        if message.has_expired(now) {
            return;
        }
        let mut properties = Vec::new();
        write_block(
            message.properties(),
            message.expiry_left(now),
            &mut properties,
        );
        let envelope = Envelope {
            publisher: 0,
            qos: message.qos,
            retain: false,
            topic: message.topic(),
            properties: &properties,
            payload: message.payload(),
        };
        self.make_room(envelope.size() + share.len());
        envelope.write_again(share, &mut self.gathered);
    }

    /// A large entry travels in a record of its own, so that no record is much larger than a full one or it.
    fn make_room(&mut self, size: usize) {
        if !self.gathered.is_empty() && self.gathered.len() + size > RECORD {
            self.append();
        }
        if self.gathered.is_empty() {
            record::begin(
                self.started.elapsed().as_micros() as u64,
                &mut self.gathered,
            );
            self.gathered_some.notify_one();
        }
    }

    /// Acknowledges again a QoS 2 publish that is already on its way or through: once all that was gathered so
    /// far has been passed.
    pub fn acknowledge_again(&mut self, packet_id: u16, link: &Rc<Link>) {
        self.answer_when_passed(
            link,
            Answer::Acknowledge {
                packet_id,
                qos: QoS::ExactlyOnce,
                asks: None,
            },
        );
    }

    /// Says this to the client once all that was gathered so far has been passed by every partition.
    pub fn say_when_passed(&mut self, link: &Rc<Link>, packet: Packet) {
        self.answer_when_passed(link, Answer::Say(Box::new(packet)));
    }

    fn answer_when_passed(&mut self, link: &Rc<Link>, answer: Answer) {
        let sequence = self.writer.next_sequence() - u64::from(self.gathered.is_empty());
        self.awaiting.push_back(Awaiting {
            sequence,
            link: Rc::clone(link),
            answer,
        });
        self.settle();
    }

    /// Appends what was gathered as one record.
    fn append(&mut self) {
        if self.gathered.is_empty() {
            return;
        }
        if let Err(ended) = self.writer.append(&self.gathered) {
            // The reader meets the same end and stops the partition; until then nothing more is acknowledged.
            tracing::error!("{ended}");
        }
        self.gathered.clear();
        self.gathered_publishes = 0;
        // The buffer of an outsized publish is not kept.
        self.gathered.shrink_to(2 * RECORD);
        self.say_what_is_wanted();
    }

    fn say_what_is_wanted(&self) {
        let acknowledgement = self.awaiting.front().map(|awaiting| awaiting.sequence);
        let room = if self.waiting_for_room.is_empty() {
            None
        } else {
            self.writer.oldest_unread()
        };
        self.passage
            .want([acknowledgement, room].into_iter().flatten().min());
    }

    /// Acknowledges every publish whose record all partitions have passed, in the order they came
    /// [MQTT-4.6.0-2, MQTT-4.6.0-3], and lets connections read again when the log has room.
    fn settle(&mut self) {
        let passed = self.writer.passed();
        // The record whose answers are at hand, and which of its publishes found a subscriber.
        let mut used = (0, Vec::new());
        while let Some(awaiting) = self.awaiting.front() {
            if awaiting.sequence > passed {
                break;
            }
            let Some(Awaiting {
                sequence,
                link,
                answer,
            }) = self.awaiting.pop_front()
            else {
                break;
            };
            if link.closing.get() {
                continue;
            }
            match answer {
                Answer::Say(packet) => link.send(&packet),
                Answer::Acknowledge {
                    packet_id,
                    qos,
                    asks,
                } => {
                    if asks.is_some() && used.0 != sequence {
                        used = (sequence, self.writer.take_used(sequence));
                    }
                    let mut acknowledgement = Acknowledgement::success(packet_id);
                    if asks.is_some_and(|place| !has_bit(&used.1, place)) {
                        acknowledgement.reason = ReasonCode::NO_MATCHING_SUBSCRIBERS;
                    }
                    link.send(&match qos {
                        QoS::ExactlyOnce => Packet::PubRec(acknowledgement),
                        _ => Packet::PubAck(acknowledgement),
                    });
                }
            }
        }
        if !self.waiting_for_room.is_empty() && self.writer.has_room() {
            self.waiting_for_room.drain(..).for_each(Waker::wake);
        }
        self.say_what_is_wanted();
    }

    /// Whether a connection may read: the log takes what it would bring. If not, it is woken when it does.
    pub fn may_read(&mut self, waker: &Waker) -> bool {
        if self.writer.has_room() {
            return true;
        }
        if !self
            .waiting_for_room
            .iter()
            .any(|waiting| waiting.will_wake(waker))
        {
            self.waiting_for_room.push(waker.clone());
        }
        self.say_what_is_wanted();
        false
    }

    /// Goes through a record: matches and delivers its publishes, and follows the groups.
    fn deliver(&mut self, record: &Record, now: Instant) {
        let (head, entries) = record::open(&record.body);
        let mut publishes = 0u32;
        self.used.clear();
        for entry in entries {
            match entry {
                Entry::Publish(envelope) => {
                    let arrival = Arrival::new(envelope, now);
                    if envelope.retain {
                        self.retained.store(arrival.message(), now);
                    }
                    let one = self.deliver_one(&arrival, record.origin == self.index);
                    let shared = self.deliver_shared(&arrival);
                    if head.asks && (one || shared) {
                        set_bit(&mut self.used, publishes);
                    }
                    publishes += 1;
                }
                Entry::Again(share, envelope) => {
                    if let Some((share, member)) = self.groups.turn_of(share) {
                        self.deliver_to_member(&Arrival::new(envelope, now), &share, member);
                    }
                }
                Entry::Member {
                    share,
                    number,
                    place,
                    change,
                } => {
                    let member = Member {
                        partition: record.origin,
                        number,
                        place,
                    };
                    self.groups.change(share, member, change);
                }
            }
        }
        let latency = self
            .started
            .elapsed()
            .saturating_sub(Duration::from_micros(head.arrived));
        self.means.counters.took(latency, u64::from(publishes));
    }

    /// Publishes what the broker says of itself, retained.
    pub fn publish_own(&mut self, topics: &[(String, String)]) {
        for (topic, payload) in topics {
            let envelope = Envelope {
                publisher: 0,
                qos: QoS::AtMostOnce,
                retain: true,
                topic,
                properties: &[],
                payload: payload.as_bytes(),
            };
            self.gather(&envelope, 0, None);
        }
    }

    /// Looks around.
    pub fn census(&self) -> Census {
        let mut census = Census {
            sessions: self.sessions.len(),
            subscriptions: self.tree.len(),
            retained: self.retained.len(),
            unread_bytes: self.writer.unread_bytes(),
            ..Census::default()
        };
        for (_, session) in &self.sessions {
            let (queued, queued_bytes, in_flight) = session.backlog();
            census.connected += usize::from(session.link.is_some());
            census.shared_subscriptions += session.shares.len();
            census.queued += queued;
            census.queued_bytes += queued_bytes;
            census.in_flight += in_flight;
        }
        census
    }

    /// Says whether there is a group for it.
    fn deliver_shared(&mut self, arrival: &Arrival<'_>) -> bool {
        let mut chosen = std::mem::take(&mut self.chosen);
        let found = |share: &Rc<str>, member| chosen.push((Rc::clone(share), member));
        self.groups.each_turn(arrival.envelope.topic, found);
        let any = !chosen.is_empty();
        for (share, member) in chosen.drain(..) {
            self.deliver_to_member(arrival, &share, member);
        }
        self.chosen = chosen;
        any
    }

    /// Delivers to the member whose turn it is, if it is one of ours. For one that has left since then, and whose leaving
    /// is still on its way through the log, the message goes back to the group.
    fn deliver_to_member(&mut self, arrival: &Arrival<'_>, share: &Rc<str>, member: Member) {
        if member.partition != self.index {
            return;
        }
        let session = self
            .sessions
            .get_mut(member.place as usize)
            .filter(|session| session.number == member.number);
        let subscription = session
            .as_ref()
            .and_then(|session| session.subscription_of(share));
        let (Some(session), Some(subscription)) = (session, subscription) else {
            let delivery = Delivery {
                message: arrival.message(),
                qos: arrival.envelope.qos,
                retain: false,
                identifiers: Box::default(),
                share: Some(Rc::clone(share)),
            };
            self.gather_again(&delivery, arrival.now);
            return;
        };
        let identifier = [subscription.identifier];
        let grant = Grant {
            qos: subscription.qos,
            retain: arrival.envelope.retain && subscription.retain_as_published,
            identifiers: if subscription.identifier == 0 {
                &[]
            } else {
                &identifier
            },
            share: Some(share),
        };
        session.deliver(arrival, grant, &mut self.means);
        if session.became_congested(arrival.now) {
            self.congested.push(member.place);
        }
    }

    /// Says whether it has a subscriber here.
    fn deliver_one(&mut self, arrival: &Arrival<'_>, from_here: bool) -> bool {
        let Partition {
            tree,
            sessions,
            hits,
            identifiers,
            means,
            stamp,
            congested,
            ..
        } = self;
        let envelope = &arrival.envelope;
        hits.clear();
        tree.each_match(envelope.topic, |place, subscription| {
            hits.push((place, *subscription))
        });
        *stamp += 1;
        let overlapping = hits
            .iter()
            .filter(|(place, _)| {
                std::mem::replace(&mut sessions[*place as usize].stamp, *stamp) == *stamp
            })
            .count();
        if overlapping > 0 {
            hits.sort_by_key(|(place, _)| *place);
        }
        for group in hits.chunk_by(|(place, _), (next, _)| place == next) {
            let place = group[0].0;
            let session = &mut sessions[place as usize];
            let own = from_here && session.number == envelope.publisher;
            let Some(grant) = combine(group, own, envelope.retain, identifiers) else {
                continue;
            };
            session.deliver(arrival, grant, means);
            if session.became_congested(arrival.now) {
                congested.push(place);
            }
        }
        !hits.is_empty()
    }

    /// Moves what waits for a session into its output, and notices when it has caught up.
    pub fn fill(&mut self, place: u32, now: Instant) {
        let Some(session) = self.sessions.get_mut(place as usize) else {
            return;
        };
        if session.has_waiting() {
            session.fill(now, &mut self.means);
        }
        let caught_up = match session.pace {
            Pace::Keeping => false,
            Pace::Congested(_) => session.is_relieved(),
            Pace::Lagging => !session.has_waiting(),
        };
        if caught_up {
            if session.dropped > 0 {
                tracing::warn!(
                    "client {:?} has caught up; {} messages were dropped for it",
                    session.client_id,
                    session.dropped
                );
                session.dropped = 0;
            }
            self.stop_waiting_for(place, Pace::Keeping);
        }
    }

    /// Goes on without waiting for this session.
    pub fn stop_waiting_for(&mut self, place: u32, pace: Pace) {
        if let Some(session) = self.sessions.get_mut(place as usize) {
            session.pace = pace;
        }
        self.congested.retain(|congested| *congested != place);
        self.relief.notify_one();
    }

    /// The instant until which the partition waits for its slowest clients, if it does.
    fn waits_until(&mut self, now: Instant) -> Option<Instant> {
        let place = *self.congested.first()?;
        match self
            .sessions
            .get(place as usize)
            .map(|session| session.pace)
        {
            Some(Pace::Congested(until)) if until > now => Some(until),
            Some(Pace::Congested(_)) => {
                let session = &self.sessions[place as usize];
                tracing::warn!(
                    "client {:?} reads too slowly; not waiting for it any longer",
                    session.client_id
                );
                self.stop_waiting_for(place, Pace::Lagging);
                self.waits_until(now)
            }
            _ => {
                self.congested.remove(0);
                self.waits_until(now)
            }
        }
    }
}

fn set_bit(bits: &mut Vec<u64>, place: u32) {
    let word = place as usize / 64;
    bits.resize(bits.len().max(word + 1), 0);
    bits[word] |= 1 << (place % 64);
}

fn has_bit(bits: &[u64], place: u32) -> bool {
    bits.get(place as usize / 64)
        .is_some_and(|word| word >> (place % 64) & 1 == 1)
}

/// What several subscriptions of one session ask for together (3.3.4): one copy, the highest quality of service, all
/// identifiers. `None` when none of them wants the message.
fn combine<'a>(
    group: &[(u32, Subscription)],
    own: bool,
    retain: bool,
    identifiers: &'a mut Vec<u32>,
) -> Option<Grant<'a>> {
    identifiers.clear();
    let mut grant: Option<(QoS, bool)> = None;
    for (_, subscription) in group
        .iter()
        .filter(|(_, subscription)| !(own && subscription.no_local))
    {
        let (qos, as_published) = grant.unwrap_or_default();
        grant = Some((
            qos.max(subscription.qos),
            as_published || subscription.retain_as_published,
        ));
        if subscription.identifier != 0 {
            identifiers.push(subscription.identifier);
        }
    }
    grant.map(|(qos, as_published)| Grant {
        qos,
        retain: retain && as_published,
        identifiers,
        share: None,
    })
}

/// Reads the log and delivers, for as long as there is a log. A partition that has a congested client does not read on
/// until it has caught up or the patience with it is over: that holds the publishers back.
pub async fn read_log(partition: Shared, mut reader: super::log::Reader) -> LogEnded {
    let relief = Rc::clone(&partition.borrow().relief);
    loop {
        let record = match reader.next().await {
            Ok(record) => record,
            Err(ended) => return ended,
        };
        let now = Instant::now();
        partition.borrow_mut().deliver(&record, now);
        let used = std::mem::take(&mut partition.borrow_mut().used);
        if !used.is_empty() {
            reader.say_used(&record, &used);
        }
        partition.borrow_mut().used = used;
        reader.passed(&record);
        loop {
            let until = partition.borrow_mut().waits_until(Instant::now());
            let Some(until) = until else { break };
            // Either way the question is asked again.
            let _ = tokio::time::timeout_at(until.into(), relief.notified()).await;
        }
        // Let the connections write what was just delivered, and read what answers it.
        tokio::task::yield_now().await;
    }
}

/// Appends what the tasks of one turn have gathered.
pub async fn append_gathered(partition: Shared) {
    let gathered_some = Rc::clone(&partition.borrow().gathered_some);
    loop {
        gathered_some.notified().await;
        partition.borrow_mut().append();
    }
}

/// Acknowledges publishers as their records are passed.
pub async fn acknowledge_passed(partition: Shared) {
    let passage = partition.borrow().passage.clone();
    loop {
        passage.wait().await;
        partition.borrow_mut().settle();
    }
}
