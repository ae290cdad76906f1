//! Packets as lines, in the words of mosquitto's clients under `-d`.

use crate::client::trace::Direction;
use crate::mqtt::Packet;
use crate::mqtt::packet::{Acknowledgement, Publish, Subscribe};

/// What has to be remembered between the lines.
#[derive(Debug, Default)]
pub struct DebugLines {
    client_id: String,
    /// Packet identifiers as mosquitto's library counts them: messages of QoS 0 have one too, which nobody else sees.
    counted: u16,
    /// Say in a subscriber's words what the broker has granted.
    says_granted: bool,
}

impl DebugLines {
    /// Of a connection not yet made.
    pub fn new(says_granted: bool) -> DebugLines {
        DebugLines {
            says_granted,
            ..DebugLines::default()
        }
    }

    /// The lines for a packet, each with its line feed.
    pub fn of(&mut self, direction: Direction, packet: &Packet) -> String {
        let direct = match direction {
            Direction::Sent => self.sent(packet),
            Direction::Received => self.received(packet),
        };
        let id = match self.client_id.as_str() {
            "" => "(null)",
            id => id,
        };
        direct
            .into_iter()
            .map(|line| match line.strip_prefix('=') {
                Some(line) => format!("{line}\n"),
                None => format!("Client {id} {line}\n"),
            })
            .collect()
    }

    fn sent(&mut self, packet: &Packet) -> Vec<String> {
        vec![match packet {
            Packet::Connect(connect) => {
                self.client_id = connect.client_id.to_string();
                "sending CONNECT".to_owned()
            }
            Packet::Publish(publish) => {
                let shown = self.count(publish.packet_id);
                format!("sending PUBLISH {}", message(publish, shown))
            }
            Packet::PubAck(each) => format!("sending PUBACK {}", answer(each)),
            Packet::PubRec(each) => format!("sending PUBREC {}", answer(each)),
            Packet::PubRel(each) => format!("sending PUBREL (m{})", each.packet_id),
            Packet::PubComp(each) => format!("sending PUBCOMP (m{})", each.packet_id),
            Packet::Subscribe(subscribe) => {
                self.count(subscribe.packet_id);
                return subscriptions(subscribe);
            }
            Packet::Unsubscribe(unsubscribe) => {
                let id = self.count(unsubscribe.packet_id);
                let line = |filter| format!("sending UNSUBSCRIBE (Mid: {id}, Topic: {filter})");
                return unsubscribe.filters.iter().map(line).collect();
            }
            Packet::PingReq => "sending PINGREQ".to_owned(),
            Packet::Disconnect(_) => "sending DISCONNECT".to_owned(),
            Packet::Auth(_) => "sending AUTH".to_owned(),
            _ => return Vec::new(),
        }]
    }

    fn received(&mut self, packet: &Packet) -> Vec<String> {
        vec![match packet {
            Packet::ConnAck(connack) => {
                if let Some(id) = connack.properties.assigned_client_identifier() {
                    self.client_id = id.to_string();
                }
                format!("received CONNACK ({})", connack.reason.0)
            }
            Packet::Publish(publish) => {
                format!("received PUBLISH {}", message(publish, publish.packet_id))
            }
            Packet::PubAck(each) => format!("received PUBACK {}", outcome(each)),
            Packet::PubRec(each) => format!("received PUBREC (Mid: {})", each.packet_id),
            Packet::PubRel(each) => format!("received PUBREL (Mid: {})", each.packet_id),
            Packet::PubComp(each) => format!("received PUBCOMP {}", outcome(each)),
            Packet::SubAck(answer) => {
                let mut lines = vec!["received SUBACK".to_owned()];
                if self.says_granted {
                    let granted = answer.reasons.iter().map(|reason| reason.0.to_string());
                    let granted = granted.collect::<Vec<_>>().join(", ");
                    lines.push(format!(
                        "=Subscribed (mid: {}): {granted}",
                        answer.packet_id
                    ));
                }
                return lines;
            }
            Packet::UnsubAck(_) => "received UNSUBACK".to_owned(),
            Packet::PingResp => "received PINGRESP".to_owned(),
            Packet::Disconnect(disconnect) => {
                format!("=Received DISCONNECT ({})", disconnect.reason.0)
            }
            Packet::Auth(_) => "received AUTH".to_owned(),
            _ => return Vec::new(),
        }]
    }

    fn count(&mut self, packet_id: u16) -> u16 {
        self.counted = match packet_id {
            0 => self.counted.wrapping_add(1).max(1),
            packet_id => packet_id.max(self.counted),
        };
        match packet_id {
            0 => self.counted,
            packet_id => packet_id,
        }
    }
}

fn message(publish: &Publish, packet_id: u16) -> String {
    let topic = match &*publish.topic {
        "" => "(null)",
        topic => topic,
    };
    format!(
        "(d{}, q{}, r{}, m{packet_id}, '{topic}', ... ({} bytes))",
        u8::from(publish.dup),
        publish.qos,
        u8::from(publish.retain),
        publish.payload.len()
    )
}

fn subscriptions(subscribe: &Subscribe) -> Vec<String> {
    let id = subscribe.packet_id;
    let line = |each: &crate::mqtt::packet::Subscription| {
        let options = u8::from(each.no_local) << 2
            | u8::from(each.retain_as_published) << 3
            | (each.retain_handling as u8) << 4;
        format!(
            "sending SUBSCRIBE (Mid: {id}, Topic: {}, QoS: {}, Options: 0x{options:02x})",
            each.filter, each.qos
        )
    };
    subscribe.filters.iter().map(line).collect()
}

fn answer(each: &Acknowledgement) -> String {
    format!("(m{}, rc{})", each.packet_id, each.reason.0)
}

fn outcome(each: &Acknowledgement) -> String {
    format!("(Mid: {}, RC:{})", each.packet_id, each.reason.0)
}
