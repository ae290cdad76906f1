//! The two ends of a round trip: one publishes and hears its own messages come back, the other sends them back.

use std::collections::VecDeque;
use std::sync::Arc;

use super::in_flight::InFlight;
use super::message;
use super::publisher::Publisher;
use super::subscriber::Subscriber;
use crate::bench::measure::Recorder;
use crate::bench::role::{self, Fault, Incoming, Next, Phase, Progress, Role, State, kind};
use crate::mqtt::codec::{self, PublishView};
use crate::mqtt::{QoS, Version};

/// A publisher that subscribes to the answers.
pub struct Requester {
    /// What it asks.
    pub publisher: Publisher,
    /// What it hears.
    pub subscriber: Subscriber,
}

impl Role for Requester {
    fn state(&self) -> State {
        State {
            ready: self.subscriber.state().ready,
            ..self.publisher.state()
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
        self.publisher.turn(phase, now_ns, ready_ns, out, recorder)
    }

    fn come_back(&mut self, resumed: bool, now_ns: u64, out: &mut Vec<u8>) {
        self.subscriber.come_back(resumed, now_ns, out);
        self.publisher.come_back(resumed, now_ns, out);
    }

    fn packet(
        &mut self,
        packet: Incoming<'_>,
        now_ns: u64,
        out: &mut Vec<u8>,
        recorder: &mut Recorder,
    ) -> Result<(), Fault> {
        match packet.kind() {
            kind::PUBLISH | kind::PUBREL | kind::SUBACK => {
                self.subscriber.packet(packet, now_ns, out, recorder)
            }
            _ => self.publisher.packet(packet, now_ns, out, recorder),
        }
    }
}

/// A subscriber that publishes what it receives to where its publisher expects it.
pub struct Responder {
    version: Version,
    subscriber: Subscriber,
    /// Where the answers to each stream go.
    replies: Arc<[String]>,
    in_flight: InFlight,
    /// How many answers were sent at QoS 1 and 2.
    answered: u64,
    /// Answers that flow control holds back.
    waiting: VecDeque<Answer>,
}

/// An answer: what was received, and its measurement header where that was in a property.
struct Answer {
    stream: u32,
    qos: QoS,
    properties: Vec<u8>,
    payload: Vec<u8>,
}

impl Responder {
    /// One that hears as `subscriber` does and has at most `window` answers in flight, in a session that may outlast its
    /// connection.
    pub fn new(
        version: Version,
        subscriber: Subscriber,
        replies: Arc<[String]>,
        window: u16,
        persistent: bool,
    ) -> Responder {
        Responder {
            version,
            subscriber,
            replies,
            in_flight: InFlight::new(window, persistent),
            answered: 0,
            waiting: VecDeque::new(),
        }
    }

    /// What it heard, and its subscription.
    pub fn into_subscriber(self) -> Subscriber {
        self.subscriber
    }

    fn answer(&mut self, out: &mut Vec<u8>) {
        while let Some(next) = self.waiting.front() {
            if next.qos > QoS::AtMostOnce && self.in_flight.is_full() {
                return;
            }
            let Some(Answer {
                stream,
                qos,
                properties,
                payload,
            }) = self.waiting.pop_front()
            else {
                return;
            };
            let Some(topic) = self.replies.get(stream as usize) else {
                continue;
            };
            let packet_id = match qos {
                QoS::AtMostOnce => 0,
                _ => {
                    self.answered += 1;
                    self.in_flight.add(self.answered, 0)
                }
            };
            let start = out.len();
            PublishView {
                dup: false,
                qos,
                retain: false,
                topic,
                packet_id,
                properties: &properties,
                payload: &payload,
            }
            .write(self.version, out)
            .expect("as long as what was received, to a topic that was checked");
            if packet_id > 0 {
                self.in_flight.keep(packet_id, &out[start..]);
            }
        }
    }
}

impl Role for Responder {
    fn state(&self) -> State {
        State {
            progress: Progress::Settled,
            ..self.subscriber.state()
        }
    }

    fn come_back(&mut self, resumed: bool, now_ns: u64, out: &mut Vec<u8>) {
        self.in_flight.come_back(resumed, out);
        self.subscriber.come_back(resumed, now_ns, out);
    }

    fn turn(&mut self, _: Phase, _: u64, _: u64, out: &mut Vec<u8>, _: &mut Recorder) -> Next {
        self.answer(out);
        Next::Wait
    }

    fn packet(
        &mut self,
        packet: Incoming<'_>,
        now_ns: u64,
        out: &mut Vec<u8>,
        recorder: &mut Recorder,
    ) -> Result<(), Fault> {
        match packet.kind() {
            kind::PUBACK | kind::PUBREC | kind::PUBCOMP => {
                let (packet_id, reason) = packet.acknowledgement(self.version)?;
                if self.in_flight.find(packet_id).is_some() {
                    match packet.kind() == kind::PUBREC && !reason.is_failure() {
                        true => {
                            self.in_flight.received(packet_id);
                            role::write_acknowledgement(kind::PUBREL, packet_id, out);
                        }
                        false => self.in_flight.remove(packet_id),
                    }
                }
                Ok(())
            }
            kind::PUBLISH => {
                let view =
                    codec::publish_view(packet.frame.header, packet.frame.body, self.version)?;
                if let Some(mark) = self.subscriber.mark(&view) {
                    self.waiting.push_back(Answer {
                        stream: mark.header.stream,
                        qos: view.qos,
                        properties: message::property(view.properties)
                            .unwrap_or_default()
                            .to_vec(),
                        payload: view.payload.to_vec(),
                    });
                }
                self.subscriber.packet(packet, now_ns, out, recorder)
            }
            _ => self.subscriber.packet(packet, now_ns, out, recorder),
        }
    }
}
