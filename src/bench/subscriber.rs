//! The subscribing role: acknowledges what arrives, enters it in the ledger and times it.

use std::sync::Arc;

use super::ledger::{Delivery, Ledger, Sent};
use super::measure::Recorder;
use super::message::Header;
use super::plan::Timetable;
use super::role::{self, Fault, Incoming, Next, Phase, Progress, Role, State, kind};
use crate::mqtt::codec::{self, PublishView, TooLarge};
use crate::mqtt::packet::{RetainHandling, Subscribe, Subscription};
use crate::mqtt::{Packet, Properties, QoS, ReasonCode, Version};

/// One subscriber.
pub struct Subscriber {
    run: u32,
    version: Version,
    filter: String,
    qos: QoS,
    /// Tells the due time of a message whose header has no room for it.
    timetable: Arc<Timetable>,
    /// What the broker granted, once it has.
    granted: Option<QoS>,
    /// What it must receive; `None` when it counts whatever comes.
    ledger: Option<Ledger>,
    /// Packet identifiers of QoS 2 messages that are received and not released (4.3.3).
    held: PacketIds,
}

/// The packet identifier of the only SUBSCRIBE.
const SUBSCRIBE_ID: u16 = 1;

impl Subscriber {
    /// A subscriber to `filter` at `qos`, for the messages of run `run` with this timetable. Without a ledger it
    /// counts whatever comes.
    pub fn new(
        run: u32,
        version: Version,
        filter: String,
        qos: QoS,
        timetable: Arc<Timetable>,
        ledger: Option<Ledger>,
    ) -> Subscriber {
        Subscriber {
            run,
            version,
            filter,
            qos,
            timetable,
            granted: None,
            ledger,
            held: PacketIds::default(),
        }
    }

    /// Appends the SUBSCRIBE.
    ///
    /// # Errors
    /// When the filter is longer than MQTT can say.
    pub fn write_subscribe(&self, out: &mut Vec<u8>) -> Result<(), TooLarge> {
        let subscribe = Subscribe {
            packet_id: SUBSCRIBE_ID,
            filters: vec![Subscription {
                filter: self.filter.as_str().into(),
                qos: self.qos,
                no_local: false,
                retain_as_published: false,
                // Retained messages are older than the run and would only be foreign to it.
                retain_handling: RetainHandling::Never,
            }],
            properties: Properties::default(),
        };
        codec::write(&Packet::Subscribe(subscribe), self.version, out)
    }

    /// What the broker granted, when that is less than what was asked for.
    pub fn granted_less(&self) -> Option<QoS> {
        self.granted.filter(|granted| *granted < self.qos)
    }

    /// Closes the ledger, see [`Ledger::settle`].
    pub fn settle(&self, sent: &[Sent], connected: bool) -> Delivery {
        match &self.ledger {
            Some(ledger) => ledger.settle(sent, self.granted.unwrap_or_default(), connected),
            None => Delivery::default(),
        }
    }

    fn arrived(&mut self, payload: &[u8], now_ns: u64, recorder: &mut Recorder) {
        let Some(ledger) = &mut self.ledger else {
            recorder.arrived(now_ns);
            return;
        };
        let Some(header) = Header::read(self.run, payload) else {
            ledger.enter_foreign();
            return;
        };
        if ledger.enter(header.stream, header.sequence) {
            let due_ns = header
                .due_ns
                .or_else(|| self.timetable.due_ns(header.stream, header.sequence));
            recorder.delivered(due_ns, header.sent_ns, now_ns);
        }
    }
}

impl Role for Subscriber {
    fn state(&self) -> State {
        State {
            ready: self.granted.is_some(),
            progress: Progress::Settled,
            published: 0,
        }
    }

    fn turn(&mut self, _: Phase, _: u64, _: u64, _: &mut Vec<u8>, _: &mut Recorder) -> Next {
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
            kind::PUBLISH => {
                let PublishView {
                    qos,
                    packet_id,
                    payload,
                    ..
                } = codec::publish_view(packet.frame.header, packet.frame.body, self.version)?;
                match qos {
                    QoS::AtMostOnce => self.arrived(payload, now_ns, recorder),
                    QoS::AtLeastOnce => {
                        self.arrived(payload, now_ns, recorder);
                        role::write_acknowledgement(kind::PUBACK, packet_id, out);
                    }
                    QoS::ExactlyOnce => {
                        if self.held.insert(packet_id) {
                            self.arrived(payload, now_ns, recorder);
                        }
                        role::write_acknowledgement(kind::PUBREC, packet_id, out);
                    }
                }
                Ok(())
            }
            kind::PUBREL => {
                let (packet_id, _) = packet.acknowledgement(self.version)?;
                self.held.remove(packet_id);
                role::write_acknowledgement(kind::PUBCOMP, packet_id, out);
                Ok(())
            }
            kind::SUBACK => {
                let reason = match packet.decode(self.version)? {
                    Packet::SubAck(suback) => suback.reasons.first().copied(),
                    _ => None,
                };
                let reason = reason.unwrap_or(ReasonCode::UNSPECIFIED_ERROR);
                self.granted = QoS::from_number(reason.0);
                if self.granted.is_none() {
                    return Err(Fault::Denied {
                        filter: self.filter.clone(),
                        reason,
                    });
                }
                Ok(())
            }
            _ => packet.refuse(self.version),
        }
    }
}

/// A set of packet identifiers: nothing while unused, 8 KiB from the first on.
#[derive(Default)]
struct PacketIds {
    words: Vec<u64>,
}

impl PacketIds {
    /// Whether the identifier is new.
    fn insert(&mut self, packet_id: u16) -> bool {
        if self.words.is_empty() {
            self.words = vec![0; 65_536 / 64];
        }
        let (word, bit) = PacketIds::place(packet_id);
        let new = self.words[word] & bit == 0;
        self.words[word] |= bit;
        new
    }

    fn remove(&mut self, packet_id: u16) {
        let (word, bit) = PacketIds::place(packet_id);
        if let Some(word) = self.words.get_mut(word) {
            *word &= !bit;
        }
    }

    fn place(packet_id: u16) -> (usize, u64) {
        (usize::from(packet_id) / 64, 1 << (packet_id % 64))
    }
}
