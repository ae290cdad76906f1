//! The writing half of a partition: publishes are gathered into a record, the record is appended to the log once the tasks
//! that are ready now had their turn, and publishers are answered when every partition has passed it. Holds
//! back the readers of sockets while the log has no room.

use std::collections::VecDeque;
use std::rc::Rc;
use std::task::Waker;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::groups::Change;
use super::in_flight::Delivery;
use super::link::Link;
use super::log::{Passage, RECORD, Writer};
use super::message::write_block;
use super::partition::Shared;
use super::record::{self, Envelope, write_member};
use crate::mqtt::packet::{Acknowledgement, Packet};
use crate::mqtt::{QoS, ReasonCode, Version};

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

/// The record that is being gathered, and who waits for what was gathered before.
pub struct Gathering {
    /// When the broker started; records carry times against it.
    started: Instant,
    writer: Writer,
    passage: Passage,
    /// The body of the record.
    body: Vec<u8>,
    /// Publishes in it.
    publishes: u32,
    /// Told when a record was begun.
    begun: Rc<Notify>,
    awaiting: VecDeque<Awaiting>,
    /// Connections that wait to read until the log has room.
    waiting_for_room: Vec<Waker>,
}

impl Gathering {
    /// Nothing gathered yet.
    pub fn new(started: Instant, writer: Writer, passage: Passage) -> Gathering {
        Gathering {
            started,
            writer,
            passage,
            body: Vec::new(),
            publishes: 0,
            begun: Rc::default(),
            awaiting: VecDeque::new(),
            waiting_for_room: Vec::new(),
        }
    }

    /// Bytes appended that some partition may not have read.
    pub fn unread_bytes(&self) -> usize {
        self.writer.unread_bytes()
    }

    /// Adds a publish to the record that is being gathered. With a link it is acknowledged once every
    /// partition has it.
    pub fn publish(&mut self, envelope: &Envelope<'_>, packet_id: u16, link: Option<&Rc<Link>>) {
        self.make_room(envelope.size());
        envelope.write(&mut self.body);
        if let Some(link) = link
            && envelope.qos > QoS::AtMostOnce
        {
            let sequence = self.writer.next_sequence();
            let asks = (link.version == Version::V5).then_some(self.publishes);
            if asks.is_some() {
                record::ask(&mut self.body);
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
        self.publishes += 1;
    }

    /// Tells every partition of a change in the group of a shared subscription.
    pub fn member(&mut self, share: &str, number: u32, place: u32, change: Change) {
        self.make_room(share.len());
        write_member(share, number, place, change, &mut self.body);
    }

    /// Marks this place in the log, for the origin itself.
    pub fn mark(&mut self) {
        self.make_room(0);
        record::write_mark(&mut self.body);
    }

    /// Gives a message back to the group it came through.
    pub fn again(&mut self, delivery: &Delivery, now: Instant) {
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
        envelope.write_again(share, &mut self.body);
    }

    /// A large entry travels in a record of its own, so that no record is much larger than a full one or it.
    fn make_room(&mut self, size: usize) {
        if !self.body.is_empty() && self.body.len() + size > RECORD {
            self.append();
        }
        if self.body.is_empty() {
            record::begin(self.started.elapsed().as_micros() as u64, &mut self.body);
            self.begun.notify_one();
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
        let sequence = self.writer.next_sequence() - u64::from(self.body.is_empty());
        self.awaiting.push_back(Awaiting {
            sequence,
            link: Rc::clone(link),
            answer,
        });
        self.settle();
    }

    /// Appends what was gathered as one record.
    pub fn append(&mut self) {
        if self.body.is_empty() {
            return;
        }
        if let Err(ended) = self.writer.append(&self.body) {
            // The reader meets the same end and stops the partition; until then nothing more is acknowledged.
            tracing::error!("{ended}");
        }
        self.body.clear();
        self.publishes = 0;
        // The buffer of an outsized publish is not kept.
        self.body.shrink_to(2 * RECORD);
        self.say_what_is_wanted();
    }

    fn say_what_is_wanted(&self) {
        let acknowledgement = self.awaiting.front().map(|awaiting| awaiting.sequence);
        let room = if self.waiting_for_room.is_empty() && !self.writer.is_behind() {
            None
        } else {
            self.writer.oldest_unread()
        };
        self.passage
            .want([acknowledgement, room].into_iter().flatten().min());
    }

    /// Acknowledges every publish whose record all partitions have passed, in the order they came
    /// [MQTT-4.6.0-2, MQTT-4.6.0-3], and lets connections read again when the log has room.
    pub fn settle(&mut self) {
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
                    if qos == QoS::ExactlyOnce {
                        link.send(&Packet::PubRec(acknowledgement));
                    } else {
                        link.has_answered();
                        link.send(&Packet::PubAck(acknowledgement));
                    }
                }
            }
        }
        if let Err(ended) = self.writer.go_on() {
            tracing::error!("{ended}");
        }
        if !self.waiting_for_room.is_empty() && self.writer.has_room() {
            self.waiting_for_room.drain(..).for_each(Waker::wake);
        }
        self.say_what_is_wanted();
    }

    /// Whether the log takes more without waiting.
    pub fn has_room(&mut self) -> bool {
        self.writer.has_room()
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
}

fn has_bit(bits: &[u64], place: u32) -> bool {
    bits.get(place as usize / 64)
        .is_some_and(|word| word >> (place % 64) & 1 == 1)
}

/// Appends what the tasks of one turn have gathered.
pub async fn append_gathered(partition: Shared) {
    let gathered_some = Rc::clone(&partition.borrow().gathering.begun);
    loop {
        gathered_some.notified().await;
        partition.borrow_mut().gathering.append();
    }
}

/// Acknowledges publishers as their records are passed.
pub async fn acknowledge_passed(partition: Shared) {
    let passage = partition.borrow().gathering.passage.clone();
    loop {
        passage.wait().await;
        partition.borrow_mut().gathering.settle();
    }
}
