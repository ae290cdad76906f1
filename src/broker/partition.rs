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
use super::log::{LogEnded, Passage, RECORD, Record, Writer};
use super::record::{Envelope, envelopes};
use super::retained::Retained;
use super::session::{Arrival, Grant, Link, Pace, Session};
use super::tree::Tree;
use crate::mqtt::packet::{Acknowledgement, Packet};
use crate::mqtt::{ByteString, QoS};

/// How long a partition waits for one client that has fallen behind before it goes on without it.
const PATIENCE: Duration = Duration::from_secs(1);

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

/// A publisher's QoS 1 or 2 publish that is acknowledged when every partition has passed its record.
#[derive(Debug)]
struct Awaiting {
    sequence: u64,
    link: Rc<Link>,
    packet_id: u16,
    qos: QoS,
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
    /// Retained messages of the whole broker.
    pub retained: Retained,
    /// What is due when.
    pub agenda: Agenda,
    /// Told when the agenda's first entry may have changed.
    pub agenda_changed: Rc<Notify>,
    /// A buffer lent to whoever reads a socket; an idle connection holds none.
    pub scratch: Vec<u8>,
    /// A buffer for property blocks.
    pub block: Vec<u8>,
    /// The number of the last session.
    pub last_number: u32,
    /// Whether the broker is stopping.
    pub stopping: bool,
    writer: Writer,
    passage: Passage,
    /// The body of the record that is being gathered.
    gathered: Vec<u8>,
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
}

/// A partition as its tasks share it.
pub type Shared = Rc<RefCell<Partition>>;

impl Partition {
    /// A partition without sessions.
    pub fn new(index: usize, config: Arc<Config>, writer: Writer, passage: Passage) -> Partition {
        Partition {
            index,
            config,
            sessions: Slab::new(),
            by_client_id: HashMap::default(),
            tree: Tree::default(),
            retained: Retained::default(),
            agenda: Agenda::default(),
            agenda_changed: Rc::default(),
            scratch: Vec::new(),
            block: Vec::new(),
            last_number: 0,
            stopping: false,
            writer,
            passage,
            gathered: Vec::new(),
            gathered_some: Rc::default(),
            awaiting: VecDeque::new(),
            waiting_for_room: Vec::new(),
            congested: Vec::new(),
            relief: Rc::default(),
            stamp: 0,
            hits: Vec::new(),
            identifiers: Vec::new(),
        }
    }

    /// Adds a publish to the record that is being gathered. With a link it is acknowledged once every
    /// partition has it.
    pub fn gather(&mut self, envelope: &Envelope<'_>, packet_id: u16, link: Option<&Rc<Link>>) {
        // A large publish travels in a record of its own, so that no record is much larger than a full one or it.
        if !self.gathered.is_empty() && self.gathered.len() + envelope.payload.len() > RECORD {
            self.append();
        }
        if self.gathered.is_empty() {
            self.gathered_some.notify_one();
        }
        envelope.write(&mut self.gathered);
        if let Some(link) = link
            && envelope.qos > QoS::AtMostOnce
        {
            self.await_passage(self.writer.next_sequence(), packet_id, envelope.qos, link);
        }
    }

    /// Acknowledges again a QoS 2 publish that is already on its way or through: once all that was appended so
    /// far has been passed.
    pub fn acknowledge_again(&mut self, packet_id: u16, link: &Rc<Link>) {
        let sequence = self.writer.next_sequence() - u64::from(self.gathered.is_empty());
        self.await_passage(sequence, packet_id, QoS::ExactlyOnce, link);
        self.settle();
    }

    fn await_passage(&mut self, sequence: u64, packet_id: u16, qos: QoS, link: &Rc<Link>) {
        self.awaiting.push_back(Awaiting {
            sequence,
            link: Rc::clone(link),
            packet_id,
            qos,
        });
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
        while let Some(awaiting) = self.awaiting.front() {
            if awaiting.sequence > passed {
                break;
            }
            let Some(Awaiting {
                link,
                packet_id,
                qos,
                ..
            }) = self.awaiting.pop_front()
            else {
                break;
            };
            if link.closing.get() {
                continue;
            }
            let acknowledgement = Acknowledgement::success(packet_id);
            link.send(&match qos {
                QoS::ExactlyOnce => Packet::PubRec(acknowledgement),
                _ => Packet::PubAck(acknowledgement),
            });
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

    /// Matches and delivers every publish of a record.
    fn deliver(&mut self, record: &Record, now: Instant) {
        for envelope in envelopes(&record.body) {
            let arrival = Arrival::new(envelope, now);
            if envelope.retain {
                self.retained.store(arrival.message());
            }
            self.deliver_one(&arrival, record.origin == self.index);
        }
    }

    fn deliver_one(&mut self, arrival: &Arrival<'_>, from_here: bool) {
        let Partition {
            tree,
            sessions,
            hits,
            identifiers,
            block,
            stamp,
            congested,
            config,
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
            session.deliver(arrival, grant, config.max_queued, block);
            if session.link.is_some() && session.pace == Pace::Keeping && session.is_congested() {
                session.pace = Pace::Congested(arrival.now + PATIENCE);
                congested.push(place);
            }
        }
    }

    /// Moves what waits for a session into its output, and notices when it has caught up.
    pub fn fill(&mut self, place: u32, now: Instant) {
        let Some(session) = self.sessions.get_mut(place as usize) else {
            return;
        };
        if session.has_waiting() {
            session.fill(now, &mut self.block);
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
