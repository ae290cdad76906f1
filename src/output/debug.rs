//! Packets as lines, in the words of mosquitto's clients under `-d`.

use std::collections::HashMap;

use crate::client::trace::Direction;
use crate::dialect::Program;
use crate::mqtt::Packet;
use crate::mqtt::packet::{Acknowledgement, Publish, Subscribe};

/// What has to be remembered between the lines.
#[derive(Debug, Default)]
pub struct DebugLines {
    client_id: String,
    /// Which of mosquitto's clients speaks, if one does.
    program: Option<Program>,
    /// Packet identifiers as mosquitto's library counts them: messages of QoS 0 have one too, which nobody else sees.
    counted: u16,
    /// As one of mosquitto's clients: what was counted for the packet identifiers that were sent, which our library uses
    /// again sooner than mosquitto's.
    shown: HashMap<u16, u16>,
    /// A message has come.
    is_answered: bool,
    /// What mosquitto_sub itself says, and not its library, is left out, as by `--quiet`.
    is_quiet: bool,
}

impl DebugLines {
    /// Of a connection not yet made.
    pub fn new(program: Option<Program>, is_quiet: bool) -> DebugLines {
        DebugLines {
            program,
            is_quiet,
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
                let shown = match publish.dup {
                    true => self.shown(publish.packet_id),
                    false => self.count(publish.packet_id),
                };
                format!("sending PUBLISH {}", message(publish, shown))
            }
            Packet::PubAck(each) => format!("sending PUBACK {}", answer(each)),
            Packet::PubRec(each) => format!("sending PUBREC {}", answer(each)),
            Packet::PubRel(each) => format!("sending PUBREL (m{})", self.shown(each.packet_id)),
            Packet::PubComp(each) => format!("sending PUBCOMP (m{})", each.packet_id),
            Packet::Subscribe(subscribe) => {
                let shown = self.count(subscribe.packet_id);
                return subscriptions(subscribe, shown);
            }
            Packet::Unsubscribe(unsubscribe) => {
                // Mosquitto's clients send one for each filter.
                let line = |filter| {
                    let shown = self.count(unsubscribe.packet_id);
                    format!("sending UNSUBSCRIBE (Mid: {shown}, Topic: {filter})")
                };
                return unsubscribe.filters.iter().map(line).collect();
            }
            Packet::PingReq => "sending PINGREQ".to_owned(),
            // mosquitto_rr closes the connection without one when it has its answer.
            Packet::Disconnect(_) if self.program == Some(Program::Rr) && self.is_answered => {
                return Vec::new();
            }
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
                self.is_answered = true;
                format!("received PUBLISH {}", message(publish, publish.packet_id))
            }
            Packet::PubAck(each) => format!("received PUBACK {}", self.outcome(each)),
            Packet::PubRec(each) => {
                format!("received PUBREC (Mid: {})", self.shown(each.packet_id))
            }
            Packet::PubRel(each) => format!("received PUBREL (Mid: {})", each.packet_id),
            Packet::PubComp(each) => format!("received PUBCOMP {}", self.outcome(each)),
            Packet::SubAck(answer) => {
                let mut lines = vec!["received SUBACK".to_owned()];
                if self.program == Some(Program::Sub) && !self.is_quiet {
                    let granted = answer.reasons.iter().map(|reason| reason.0.to_string());
                    let granted = granted.collect::<Vec<_>>().join(", ");
                    lines.push(format!(
                        "=Subscribed (mid: {}): {granted}",
                        self.shown(answer.packet_id)
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

    /// The number to show for a packet that is sent for the first time.
    fn count(&mut self, packet_id: u16) -> u16 {
        let next = self.counted.wrapping_add(1).max(1);
        match (self.program, packet_id) {
            (None, 1..) => {
                self.counted = packet_id.max(self.counted);
                return packet_id;
            }
            (None, 0) => {}
            (Some(_), _) => drop(self.shown.insert(packet_id, next)),
        }
        self.counted = next;
        next
    }

    /// The number that was shown when a packet with this identifier was sent.
    fn shown(&self, packet_id: u16) -> u16 {
        self.shown.get(&packet_id).copied().unwrap_or(packet_id)
    }

    fn outcome(&self, each: &Acknowledgement) -> String {
        let shown = self.shown(each.packet_id);
        format!("(Mid: {shown}, RC:{})", each.reason.0)
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

fn subscriptions(subscribe: &Subscribe, id: u16) -> Vec<String> {
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
