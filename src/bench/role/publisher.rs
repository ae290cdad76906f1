//! The publishing role: messages in the order of the schedule, at most a window of them unacknowledged.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::in_flight::InFlight;
use super::message::{self, Check, Form, Header};
use super::payloads::{Draw, Payloads};
use crate::bench::measure::Recorder;
use crate::bench::measure::ledger::{Sent, Sequences};
use crate::bench::plan::pattern::{Pattern, Values};
use crate::bench::plan::schedule::Schedule;
use crate::bench::plan::{Plan, Publishers};
use crate::bench::role::{self, Fault, Incoming, Next, Phase, Progress, Role, State, TURN, kind};
use crate::mqtt::codec::{self, PublishView, TooLarge};
use crate::mqtt::{Property, QoS, Version};

/// One publisher.
pub struct Publisher {
    run: u32,
    /// The stream of its first topic; the others follow.
    stream: u32,
    version: Version,
    qos: QoS,
    retain: bool,
    is_answered: bool,
    schedule: Schedule,
    /// Where the measurement ends, as far as that is known.
    to_ns: u64,
    /// How many measured messages are still to be sent, when a count decides.
    share: Option<u64>,
    /// What stands before the payload: one head for each topic, which take turns.
    heads: Vec<Head>,
    /// What the placeholders of the topics stand for.
    values: Values,
    /// The topic of one message, where it varies.
    topic: String,
    /// The payload, where all messages have the same; the header is written over its beginning. One for all publishers.
    same: Option<(Arc<[u8]>, Check)>,
    /// The payloads, where they differ.
    draw: Draw,
    payloads: Arc<Payloads>,
    in_flight: InFlight,
    /// The next sequence number.
    next: u64,
    finished: bool,
    /// When flow control last gave way, in nanoseconds since the start.
    ready_ns: u64,
    /// What the broker refused, or forgot with the session.
    refused: Sequences,
    /// How often the broker refused a publish, by reason.
    refusals: BTreeMap<u8, u64>,
    stray_acknowledgements: u64,
}

/// A PUBLISH up to its payload.
struct Head {
    /// As the plan has it.
    topic: Pattern,
    /// Encoded, with room for the measurement header at the end where it goes there.
    properties: Vec<u8>,
    /// The broker knows the topic by the number in the properties, so it is not sent.
    is_aliased: bool,
    /// What follows its first message.
    then: Option<Box<Head>>,
    /// All of it with the place of the packet identifier, where only that differs from message to message.
    same: Option<(Vec<u8>, usize)>,
}

/// The number that stands for a topic (3.3.2.3.4 of MQTT 5).
#[derive(Clone, Copy)]
enum Alias {
    None,
    /// It comes with the topic.
    Introduced(u16),
    /// It comes in its place.
    Used(u16),
}

/// What a publisher did.
#[derive(Debug, Clone, Default)]
pub struct Published {
    /// For the ledger: one for each of its streams.
    pub sent: Vec<Sent>,
    /// Messages that were due and were never sent, because flow control or the generator held them back.
    pub unsent: u64,
    /// How often the broker refused a publish, by the code of its reason.
    pub refusals: BTreeMap<u8, u64>,
    /// Acknowledgements for which there was no publish.
    pub stray_acknowledgements: u64,
}

impl Publisher {
    /// Publisher number `number` (from 0) of the plan. `window` is the most messages it may have in flight,
    /// which the broker can make smaller than the plan's, `aliases` how many topic aliases it takes.
    ///
    /// # Errors
    /// When the topic or the whole packet is longer than MQTT can say.
    pub fn new(
        plan: &Plan,
        number: u32,
        version: Version,
        window: u16,
        aliases: u16,
        payloads: Arc<Payloads>,
    ) -> Result<Publisher, TooLarge> {
        let group = plan.publisher(number).group;
        let values = plan.publisher_values(number);
        let same = payloads.same();
        let head = |(number, topic): (u16, &Pattern)| {
            let payload = same.as_ref().map(|(payload, _)| &**payload);
            let head = |alias| Head::new(topic, values, group, version, payload, alias);
            if !group.topic_alias || number > aliases {
                return head(Alias::None);
            }
            let mut first = head(Alias::Introduced(number))?;
            first.then = Some(Box::new(head(Alias::Used(number))?));
            Ok(first)
        };
        let topics = (1..=u16::MAX).zip(&group.topic);
        let heads = topics.map(head).collect::<Result<_, _>>()?;
        Ok(Publisher {
            run: plan.run.0,
            stream: plan.streams_of(number).start,
            version,
            qos: group.qos,
            retain: group.retain,
            is_answered: group.reply.is_some(),
            schedule: plan.schedule_of(number),
            to_ns: u64::MAX,
            share: plan.share_of(number),
            heads,
            values,
            topic: String::new(),
            same,
            draw: Draw::new(Arc::clone(&payloads), values.seed),
            payloads,
            in_flight: match group.qos {
                QoS::AtMostOnce => InFlight::default(),
                _ => InFlight::new(window, group.persistent || plan.session.keep),
            },
            next: 0,
            finished: false,
            ready_ns: 0,
            refused: Sequences::default(),
            refusals: BTreeMap::new(),
            stray_acknowledgements: 0,
        })
    }

    /// The most messages it has in flight; `None` at QoS 0, where nothing is.
    pub fn window(&self) -> Option<u16> {
        (self.qos != QoS::AtMostOnce).then_some(self.in_flight.limit())
    }

    /// Bytes of one PUBLISH on the wire, about: the largest.
    pub fn packet_size(&self) -> usize {
        let head = |head: &Head| match &head.same {
            Some((bytes, _)) => bytes.len(),
            None => head.topic.with(self.values).len() + head.properties.len() + 9,
        };
        self.heads.iter().map(head).max().unwrap_or(0) + self.payloads.longest()
    }

    /// What it did, at the end. `interrupted_ns` is when the run was ended before its time: what would have been
    /// due after it is not missing.
    pub fn published(self, interrupted_ns: Option<u64>) -> Published {
        let unsent = self.unsent(interrupted_ns);
        let topics = self.heads.len() as u64;
        let mut sent: Vec<Sent> = (0..topics)
            .map(|topic| Sent {
                count: (self.next + topics - 1 - topic) / topics,
                qos: self.qos,
                // Answers may come from several responders, between which there is no order either.
                varies: self.is_answered || self.heads[topic as usize].topic.varies(),
                unacknowledged: Sequences::default(),
            })
            .collect();
        let refused = self.refused.iter();
        for number in refused.chain(self.in_flight.unacknowledged()) {
            let (topic, sequence) = (number % topics, number / topics);
            sent[topic as usize].unacknowledged.insert(sequence);
        }
        Published {
            sent,
            unsent,
            refusals: self.refusals,
            stray_acknowledgements: self.stray_acknowledgements,
        }
    }

    fn unsent(&self, interrupted_ns: Option<u64>) -> u64 {
        let end_ns = interrupted_ns.unwrap_or(u64::MAX).min(self.to_ns);
        if let (Some(share), u64::MAX) = (self.share, end_ns) {
            return share;
        }
        let due = self.schedule.due_before(Duration::from_nanos(end_ns));
        match (due, self.share, interrupted_ns) {
            (Some(due), share, _) => due.saturating_sub(self.next).min(share.unwrap_or(u64::MAX)),
            (None, Some(share), None) => share,
            (None, _, _) => 0,
        }
    }

    fn publish(&mut self, due_ns: Option<u64>, now_ns: u64, out: &mut Vec<u8>) {
        let topics = self.heads.len() as u64;
        let (topic, sequence) = (self.next % topics, self.next / topics);
        let packet_id = match self.qos {
            QoS::AtMostOnce => 0,
            _ => self.in_flight.add(self.next, due_ns.unwrap_or(now_ns)),
        };
        let start = out.len();
        let head = &self.heads[topic as usize];
        let (length, check) = match (&head.same, &self.same) {
            (Some((bytes, packet_id_at)), Some((payload, check))) => {
                let at = out.len() + packet_id_at;
                out.extend_from_slice(bytes);
                if packet_id > 0 {
                    out[at..at + 2].copy_from_slice(&packet_id.to_be_bytes());
                }
                out.extend_from_slice(payload);
                (payload.len(), *check)
            }
            (_, same) => {
                let (payload, check) = match same {
                    Some((payload, check)) => (&**payload, *check),
                    None => self.draw.next(self.next),
                };
                self.values.sequence = self.next + 1;
                self.topic.clear();
                if !head.is_aliased {
                    head.topic.write(self.values, &mut self.topic);
                }
                PublishView {
                    dup: false,
                    qos: self.qos,
                    retain: self.retain,
                    topic: &self.topic,
                    packet_id,
                    properties: &head.properties,
                    payload,
                }
                .write(self.version, out)
                .expect("the plan keeps topics and payloads below the limits of MQTT");
                (payload.len(), check)
            }
        };
        let header = Header {
            stream: self.stream + topic as u32,
            sequence,
            due_ns,
            sent_ns: now_ns,
        };
        let payload_at = out.len() - length;
        match self.payloads.form() {
            Form::Payload | Form::Compact => {
                let room = self.payloads.room(length);
                header.write(self.run, check, &mut out[payload_at..payload_at + room]);
            }
            Form::Property => {
                let text = &mut out[payload_at - message::PROPERTY..payload_at];
                header.write_text(self.run, check, text);
            }
            Form::None => {}
        }
        let head = &mut self.heads[topic as usize];
        if let Some(then) = head.then.take() {
            *head = *then;
        }
        self.next += 1;
        if packet_id > 0 {
            self.in_flight.keep(packet_id, &out[start..]);
        }
    }
}

impl Head {
    /// `payload` is that of all messages, if they have one in common.
    fn new(
        topic: &Pattern,
        values: Values,
        group: &Publishers,
        version: Version,
        payload: Option<&[u8]>,
        alias: Alias,
    ) -> Result<Head, TooLarge> {
        let mut properties = Vec::new();
        if let Alias::Introduced(number) | Alias::Used(number) = alias {
            codec::write_property(&Property::TopicAlias(number), &mut properties)?;
        }
        for property in &group.properties.properties().0 {
            codec::write_property(property, &mut properties)?;
        }
        if group.form() == Form::Property {
            message::write_property(&mut properties);
        }
        let same = match payload {
            Some(payload) if !topic.varies() => {
                let mut bytes = Vec::new();
                let topic = match alias {
                    Alias::Used(_) => String::new(),
                    _ => topic.with(values),
                };
                PublishView {
                    dup: false,
                    qos: group.qos,
                    retain: group.retain,
                    topic: &topic,
                    packet_id: 0,
                    properties: &properties,
                    payload,
                }
                .write(version, &mut bytes)?;
                bytes.truncate(bytes.len() - payload.len());
                bytes.shrink_to_fit();
                // Before it stand the first byte, the length in bytes of which all but the last have their upper bit
                // set, and the topic with its own length (2.1.4, 3.3.2).
                let length = bytes[1..].iter().take_while(|byte| **byte >= 0x80).count() + 1;
                let packet_id_at = 1 + length + 2 + topic.len();
                Some((bytes, packet_id_at))
            }
            _ => None,
        };
        Ok(Head {
            topic: topic.clone(),
            properties,
            is_aliased: matches!(alias, Alias::Used(_)),
            then: None,
            same,
        })
    }
}

impl Role for Publisher {
    fn state(&self) -> State {
        State {
            ready: true,
            progress: match (self.finished, self.in_flight.count()) {
                (false, _) => Progress::Publishing,
                (true, 0) => Progress::Settled,
                (true, _) => Progress::Settling,
            },
            published: self.next,
        }
    }

    fn turn(
        &mut self,
        phase: Phase,
        now_ns: u64,
        ready_ns: u64,
        out: &mut Vec<u8>,
        recorder: &mut Recorder,
    ) -> Next {
        if phase != Phase::Load {
            self.finished |= phase > Phase::Load;
            return Next::Wait;
        }
        self.ready_ns = self.ready_ns.max(ready_ns);
        self.to_ns = recorder.window().to_ns;
        let from_ns = recorder.window().from_ns;
        while !self.finished {
            let due_ns = self
                .schedule
                .due(self.next)
                .map(|due| due.as_nanos() as u64);
            let time_ns = due_ns.unwrap_or(now_ns);
            if time_ns >= self.to_ns || self.share == Some(0) {
                self.finished = true;
                break;
            }
            if time_ns > now_ns {
                return Next::At(time_ns);
            }
            if self.in_flight.is_full() {
                break;
            }
            if out.len() >= TURN {
                return Next::More;
            }
            self.publish(due_ns, now_ns, out);
            recorder.sent(due_ns, self.ready_ns, now_ns);
            if let Some(share) = &mut self.share
                && time_ns >= from_ns
            {
                *share -= 1;
            }
        }
        Next::Wait
    }

    fn come_back(&mut self, resumed: bool, now_ns: u64, out: &mut Vec<u8>) {
        self.ready_ns = self.ready_ns.max(now_ns);
        for sequence in self.in_flight.come_back(resumed, out) {
            self.refused.insert(sequence);
        }
    }

    /// Takes away what it let the broker keep.
    fn farewell(&mut self, out: &mut Vec<u8>) {
        let topics = self.heads.len() as u64;
        for number in 0..self.next.min(if self.retain { u64::MAX } else { 0 }) {
            self.topic.clear();
            let pattern = &self.heads[(number % topics) as usize].topic;
            self.values.sequence = number + 1;
            if !pattern.varies() && number >= topics {
                continue;
            }
            pattern.write(self.values, &mut self.topic);
            PublishView {
                dup: false,
                qos: QoS::AtMostOnce,
                retain: true,
                topic: &self.topic,
                packet_id: 0,
                properties: &[],
                payload: &[],
            }
            .write(self.version, out)
            .expect("a topic that was published to before");
        }
    }

    fn packet(
        &mut self,
        packet: Incoming<'_>,
        now_ns: u64,
        out: &mut Vec<u8>,
        recorder: &mut Recorder,
    ) -> Result<(), Fault> {
        let kind = packet.kind();
        if !matches!(kind, kind::PUBACK | kind::PUBREC | kind::PUBCOMP) {
            return packet.refuse(self.version);
        }
        let (packet_id, reason) = packet.acknowledgement(self.version)?;
        let Some(slot) = self.in_flight.find(packet_id) else {
            self.stray_acknowledgements += 1;
            return Ok(());
        };
        match (self.qos, kind, slot.received, reason.is_failure()) {
            (QoS::ExactlyOnce, kind::PUBREC, false, false) => {
                slot.received = true;
                role::write_acknowledgement(kind::PUBREL, packet_id, out);
                return Ok(());
            }
            (QoS::AtLeastOnce, kind::PUBACK, _, false)
            | (QoS::ExactlyOnce, kind::PUBCOMP, true, _) => {
                recorder.acknowledged(slot.since_ns, now_ns);
            }
            (QoS::AtLeastOnce, kind::PUBACK, _, true)
            | (QoS::ExactlyOnce, kind::PUBREC, false, true) => {
                self.refused.insert(slot.sequence);
                *self.refusals.entry(reason.0).or_default() += 1;
            }
            _ => {
                self.stray_acknowledgements += 1;
                return Ok(());
            }
        }
        if self.in_flight.is_full() {
            self.ready_ns = now_ns;
        }
        self.in_flight.remove(packet_id);
        Ok(())
    }
}
