//! What a client asks for on its connection, packet by packet, once it is connected (chapter 3 and 4 of both
//! specifications): publishes, acknowledgements, subscriptions, pings and the end.

use std::collections::HashMap;
use std::rc::Rc;

use bytes::Bytes;

use tokio::time::Instant;

use super::in_flight::Answer;
use super::lifecycle::{Ending, TOPIC_ALIAS_MAXIMUM};
use super::link::Link;
use super::partition::Partition;
use super::record::{Envelope, forwarded_properties, has_subscription_identifier, topic_alias};
use super::subscriptions::{self, Wish};
use super::trace::Tracer;
use crate::mqtt::codec::{self, Frame, Malformed, PublishView};
use crate::mqtt::packet::{Acknowledgement, Disconnect, Packet};
use crate::mqtt::{QoS, ReasonCode, Version};

/// Topics that only the broker publishes to.
pub const SYSTEM: &str = "$SYS/";

/// What one connection remembers of its client: nothing that outlives it.
#[derive(Debug)]
pub struct Peer {
    /// The session's place.
    pub place: u32,
    /// The session's number.
    pub number: u32,
    /// The client's identity.
    pub identity: u64,
    /// The connection.
    pub link: Rc<Link>,
    /// Topic aliases of this connection (3.3.2.3.4).
    pub aliases: HashMap<u16, Box<str>>,
    /// Traces its packets, if that was asked for.
    pub tracer: Option<Tracer>,
}

/// Why the client's packets are not read any further.
#[derive(Debug)]
pub enum Stop {
    /// The client said DISCONNECT.
    Disconnected(Ending),
    /// The client broke the protocol.
    Fault(Malformed),
}

impl From<Malformed> for Stop {
    fn from(malformed: Malformed) -> Stop {
        Stop::Fault(malformed)
    }
}

fn fault(reason: ReasonCode, message: &'static str) -> Stop {
    Stop::Fault(Malformed {
        reason,
        message: message.into(),
    })
}

/// The delivery it belongs to could never be completed, and would hold its place in the window for ever.
fn wrong_answer() -> Stop {
    fault(
        ReasonCode::PROTOCOL_ERROR,
        "an answer that is not due in the handshake of this packet identifier",
    )
}

impl Partition {
    /// Handles one packet of a connected client. `bytes` is the whole packet on the wire.
    ///
    /// # Errors
    /// [`Stop`] when the connection ends with this packet.
    pub fn handle(
        &mut self,
        peer: &mut Peer,
        frame: &Frame<'_>,
        bytes: &[u8],
        now: Instant,
    ) -> Result<(), Stop> {
        let version = peer.link.version;
        self.means.counters.packets_received.add(1);
        if frame.header >> 4 == 3 {
            if version == Version::V5 && !frame.is_minimal() {
                return Err(fault(
                    ReasonCode::MALFORMED_PACKET,
                    "the remaining length is longer than it needs to be",
                ));
            }
            let view = codec::publish_view(frame.header, frame.body, version)?;
            return self.publish(peer, &view);
        }
        match decode(frame, bytes, version)? {
            Packet::PubAck(acknowledgement) => {
                let answer = self.session_of(peer).puback(acknowledgement.packet_id);
                self.complete(peer, answer, now)?;
            }
            Packet::PubRec(acknowledgement) => self.pubrec(peer, &acknowledgement, now)?,
            Packet::PubRel(acknowledgement) => self.pubrel(peer, &acknowledgement),
            Packet::PubComp(acknowledgement) => {
                let answer = self.session_of(peer).pubcomp(acknowledgement.packet_id);
                self.complete(peer, answer, now)?;
            }
            Packet::Subscribe(subscribe) => {
                if let Some(words) = subscriptions::protocol_error(&subscribe) {
                    return Err(fault(ReasonCode::PROTOCOL_ERROR, words));
                }
                self.defer(peer, Wish::Subscribe(subscribe));
            }
            Packet::Unsubscribe(unsubscribe) => self.defer(peer, Wish::Unsubscribe(unsubscribe)),
            Packet::PingReq => self.defer(peer, Wish::Ping),
            Packet::Disconnect(disconnect) => return Err(self.disconnect(peer, &disconnect)),
            Packet::Connect(_) => {
                return Err(fault(ReasonCode::PROTOCOL_ERROR, "a second CONNECT"));
            }
            Packet::Auth(_) => {
                return Err(fault(
                    ReasonCode::PROTOCOL_ERROR,
                    "AUTH without an authentication method",
                ));
            }
            _ => {
                return Err(fault(
                    ReasonCode::PROTOCOL_ERROR,
                    "a packet that only a server sends",
                ));
            }
        }
        Ok(())
    }

    fn session_of(&mut self, peer: &Peer) -> &mut super::session::Session {
        &mut self.sessions[peer.place as usize]
    }

    /// PUBLISH from a client (3.3): into the record that is being gathered. It is acknowledged from there.
    fn publish(&mut self, peer: &mut Peer, view: &PublishView<'_>) -> Result<(), Stop> {
        let mut topic = view.topic;
        let alias = if view.properties.is_empty() {
            None
        } else {
            self.check_properties(view)?
        };
        if let Some(alias) = alias {
            if alias > TOPIC_ALIAS_MAXIMUM {
                return Err(fault(
                    ReasonCode::TOPIC_ALIAS_INVALID,
                    "topic alias above the topic alias maximum",
                ));
            }
            if !topic.is_empty() {
                peer.aliases.insert(alias, topic.into());
            }
            let Some(named) = peer.aliases.get(&alias) else {
                return Err(fault(ReasonCode::PROTOCOL_ERROR, "unknown topic alias"));
            };
            topic = named;
        }
        if view.qos > QoS::AtMostOnce
            && peer.link.version == Version::V5
            && !peer.link.takes_another(self.config.receive_maximum)
        {
            return Err(fault(
                ReasonCode::RECEIVE_MAXIMUM_EXCEEDED,
                "more unacknowledged publishes than the receive maximum",
            ));
        }
        tracing::debug!(
            "client {:?} publishes to {topic:?}, QoS {}, {} bytes{}",
            self.sessions[peer.place as usize].client_id,
            view.qos,
            view.payload.len(),
            if view.retain { ", retained" } else { "" }
        );
        let counters = &self.means.counters;
        counters.publishes_received[usize::from(view.qos.number())].add(1);
        counters.payload_received[usize::from(view.qos.number())].add(view.payload.len() as u64);
        if topic.starts_with(SYSTEM) {
            // The tree is the broker's own; as mosquitto does, a client's publish there goes nowhere.
            self.acknowledge_unheard(view.qos, view.packet_id, &peer.link);
            return Ok(());
        }
        if view.qos == QoS::ExactlyOnce && !self.session_of(peer).received.insert(view.packet_id) {
            // [MQTT-4.3.3-10]: the same publish once more; it is on its way already.
            self.gathering.acknowledge_again(view.packet_id, &peer.link);
            return Ok(());
        }
        let properties = forwarded_properties(view.properties);
        let envelope = Envelope {
            publisher: peer.identity,
            qos: view.qos,
            retain: view.retain,
            topic,
            properties: &properties,
            payload: view.payload,
        };
        self.gathering
            .publish(&envelope, view.packet_id, Some(&peer.link));
        Ok(())
    }

    /// Answers a publish that may not be made (3.4.2.1). Before MQTT 5 there is no word for it but success.
    fn acknowledge_unheard(&mut self, qos: QoS, packet_id: u16, link: &Rc<Link>) {
        let mut answer = Acknowledgement::success(packet_id);
        if link.version == Version::V5 {
            answer.reason = ReasonCode::NOT_AUTHORIZED;
        }
        match qos {
            QoS::AtMostOnce => return,
            QoS::AtLeastOnce => link.send(&Packet::PubAck(answer)),
            QoS::ExactlyOnce => link.send(&Packet::PubRec(answer)),
        }
        link.has_answered();
    }

    fn check_properties(&self, view: &PublishView<'_>) -> Result<Option<u16>, Stop> {
        if has_subscription_identifier(view.properties) {
            return Err(fault(
                ReasonCode::PROTOCOL_ERROR,
                "a subscription identifier from a client",
            ));
        }
        Ok(topic_alias(view.properties))
    }

    /// PUBREC (3.5): goes on with PUBREL, also for an identifier that is not known (4.3.3, 3.6.2.1).
    fn pubrec(
        &mut self,
        peer: &Peer,
        acknowledgement: &Acknowledgement,
        now: Instant,
    ) -> Result<(), Stop> {
        let answer = self.session_of(peer).pubrec(acknowledgement);
        if acknowledgement.reason.is_failure() {
            return self.complete(peer, answer, now);
        }
        let mut release = Acknowledgement::success(acknowledgement.packet_id);
        match answer {
            Answer::Awaited => {}
            Answer::Wrong => return Err(wrong_answer()),
            Answer::Unknown if peer.link.version == Version::V5 => {
                release.reason = ReasonCode::PACKET_IDENTIFIER_NOT_FOUND;
            }
            Answer::Unknown => {}
        }
        peer.link.send(&Packet::PubRel(release));
        Ok(())
    }

    /// An answer that ends a delivery: another message may have its place.
    fn complete(&mut self, peer: &Peer, answer: Answer, now: Instant) -> Result<(), Stop> {
        if answer == Answer::Wrong {
            return Err(wrong_answer());
        }
        self.fill(peer.place, now);
        Ok(())
    }

    /// PUBREL (3.6): the identifier may be used again.
    fn pubrel(&mut self, peer: &Peer, acknowledgement: &Acknowledgement) {
        let found = self
            .session_of(peer)
            .received
            .remove(&acknowledgement.packet_id);
        let mut complete = Acknowledgement::success(acknowledgement.packet_id);
        if !found && peer.link.version == Version::V5 {
            complete.reason = ReasonCode::PACKET_IDENTIFIER_NOT_FOUND;
        }
        peer.link.has_answered();
        peer.link.send(&Packet::PubComp(complete));
    }

    /// DISCONNECT from the client (3.14).
    fn disconnect(&mut self, peer: &Peer, disconnect: &Disconnect) -> Stop {
        let session = self.session_of(peer);
        if let Some(expiry) = disconnect.properties.session_expiry_interval() {
            if session.expiry == 0 && expiry != 0 {
                return fault(
                    ReasonCode::PROTOCOL_ERROR,
                    "a session that ends with its connection cannot be extended",
                );
            }
            session.expiry = expiry;
        }
        let with_will = disconnect.reason != ReasonCode::SUCCESS;
        Stop::Disconnected(if with_will {
            Ending::Abnormal
        } else {
            Ending::Normal
        })
    }
}

/// The plain acknowledgements make up half of the packets at QoS 1 and 2; they are read without an allocation.
fn decode(frame: &Frame<'_>, bytes: &[u8], version: Version) -> Result<Packet, Malformed> {
    if let [high, low] = *frame.body
        && (high, low) != (0, 0)
        && bytes.len() == 4
    {
        let acknowledgement = Acknowledgement::success(u16::from_be_bytes([high, low]));
        match frame.header {
            0x40 => return Ok(Packet::PubAck(acknowledgement)),
            0x50 => return Ok(Packet::PubRec(acknowledgement)),
            0x62 => return Ok(Packet::PubRel(acknowledgement)),
            0x70 => return Ok(Packet::PubComp(acknowledgement)),
            _ => {}
        }
    }
    codec::decode(Bytes::copy_from_slice(bytes), version)
}
