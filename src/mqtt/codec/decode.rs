//! Bytes to packets: one function a packet type, in the order of chapter 3.

use bytes::Bytes;

use super::frame::{Frame, bad_header, frame, header_is_valid, kind, name, variable};
use super::property::{self, Place, share_text};
use super::publish::publish_view;
use super::reader::{Reader, cut};
use super::{Malformed, malformed, protocol_error, reason, refused};
use crate::mqtt::packet::{
    Acknowledgement, Auth, ConnAck, Connect, Disconnect, Publish, RetainHandling, SubAck,
    Subscribe, Subscription, Unsubscribe, Will,
};
use crate::mqtt::topic::is_valid_topic_name;
use crate::mqtt::{ByteString, Packet, Properties, QoS, ReasonCode, Version};

/// Reads one whole packet; its strings and payloads are slices of `packet`. A CONNECT is read by the version it
/// names itself, every other packet by `version`.
///
/// # Errors
/// Whatever the specification of that version does not allow, with the reason code it asks a server to answer
/// with; also when `packet` is less or more than one packet.
pub fn decode(packet: Bytes, version: Version) -> Result<Packet, Malformed> {
    decode_shared(&packet, version)
}

/// [`decode`] for who needs the bytes afterwards.
pub(super) fn decode_shared(packet: &Bytes, version: Version) -> Result<Packet, Malformed> {
    let Some(frame) = frame(packet, u32::MAX)? else {
        return Err(cut("packet"));
    };
    if frame.length != packet.len() {
        return Err(malformed("there are bytes after the end of the packet"));
    }
    let mut body = Body {
        packet,
        reader: Reader::new(frame.body),
        version,
    };
    let kind = frame.header >> 4;
    if kind == kind::CONNECT {
        body.version = body.protocol()?;
    }
    check_fixed_header(&frame, body.version)?;
    Ok(match kind {
        kind::CONNECT => Packet::Connect(Box::new(body.connect()?)),
        kind::CONNACK => Packet::ConnAck(body.connack()?),
        kind::PUBLISH => Packet::Publish(body.publish(frame.header)?),
        kind::PUBACK => Packet::PubAck(body.acknowledgement(kind)?),
        kind::PUBREC => Packet::PubRec(body.acknowledgement(kind)?),
        kind::PUBREL => Packet::PubRel(body.acknowledgement(kind)?),
        kind::PUBCOMP => Packet::PubComp(body.acknowledgement(kind)?),
        kind::SUBSCRIBE => Packet::Subscribe(body.subscribe()?),
        kind::SUBACK => Packet::SubAck(body.suback(kind)?),
        kind::UNSUBSCRIBE => Packet::Unsubscribe(body.unsubscribe()?),
        kind::UNSUBACK => Packet::UnsubAck(body.suback(kind)?),
        kind::PINGREQ => body.reader.end("PINGREQ").map(|()| Packet::PingReq)?,
        kind::PINGRESP => body.reader.end("PINGRESP").map(|()| Packet::PingResp)?,
        kind::DISCONNECT => Packet::Disconnect(body.disconnect()?),
        kind::AUTH => Packet::Auth(body.auth()?),
        _ => return Err(bad_header(frame.header)),
    })
}

/// The version in which to refuse a CONNECT that [`decode`] or [`frame`] did not accept, of which `bytes` are at
/// least the beginning: its own as far as it can be made out, 3.1.1 for an older one, 5 for a newer one. `None` if
/// the bytes are no CONNECT at all, and so deserve no answer (3.1.4).
pub fn refusal_version(bytes: &[u8]) -> Option<Version> {
    let (&header, rest) = bytes.split_first()?;
    if header != kind::CONNECT << 4 {
        return None;
    }
    let (_, width) = variable(rest).ok()??;
    let mut reader = Reader::new(&rest[width..]);
    let name = reader.binary("protocol name").ok()?;
    let level = reader.byte("protocol level").ok()?;
    match (name, level) {
        (b"MQTT", 5..0x80) => Some(Version::V5),
        (b"MQTT" | b"MQIsdp", _) => Some(Version::V311),
        _ => None,
    }
}

fn check_fixed_header(frame: &Frame<'_>, version: Version) -> Result<(), Malformed> {
    if !header_is_valid(frame.header, version) {
        return Err(bad_header(frame.header));
    }
    if version == Version::V5 && !frame.is_minimal() {
        return Err(malformed(
            "the remaining length is written with more bytes than it needs",
        ));
    }
    Ok(())
}

/// What follows the fixed header.
struct Body<'a> {
    packet: &'a Bytes,
    reader: Reader<'a>,
    version: Version,
}

impl Body<'_> {
    fn text(&mut self, what: &'static str) -> Result<ByteString, Malformed> {
        let text = self.reader.text(what)?;
        Ok(share_text(self.packet, text))
    }

    fn binary(&mut self, what: &'static str) -> Result<Bytes, Malformed> {
        let bytes = self.reader.binary(what)?;
        Ok(self.packet.slice_ref(bytes))
    }

    /// The properties, which only MQTT 5 has.
    fn properties(&mut self, place: Place) -> Result<Properties, Malformed> {
        if self.version != Version::V5 {
            return Ok(Properties::default());
        }
        let block = self.reader.property_block()?;
        property::read(self.packet, block, place)
    }

    /// Protocol name and level, the beginning of CONNECT (3.1.2.1, 3.1.2.2).
    fn protocol(&mut self) -> Result<Version, Malformed> {
        let name = self.reader.binary("protocol name")?;
        let level = self.reader.byte("protocol level")?;
        match (name, level) {
            (b"MQIsdp", 3) => Ok(Version::V31),
            (b"MQTT", 4) => Ok(Version::V311),
            (b"MQTT", 5) => Ok(Version::V5),
            _ => Err(refused(
                ReasonCode::UNSUPPORTED_PROTOCOL_VERSION,
                format!("protocol \"{}\" level {level}", name.escape_ascii()),
            )),
        }
    }

    /// CONNECT after protocol name and level (3.1).
    fn connect(&mut self) -> Result<Connect, Malformed> {
        let flags = ConnectFlags::read(self.reader.byte("connect flags")?, self.version)?;
        let keep_alive = self.reader.two_bytes("keep alive")?;
        let properties = self.properties(Place::CONNECT)?;
        check_authentication(&properties)?;
        let client_id = self.text("client identifier")?;
        let nameless = match self.version {
            Version::V31 => client_id.is_empty(),
            Version::V311 => client_id.is_empty() && !flags.clean_start,
            Version::V5 => false,
        };
        if nameless {
            return Err(refused(
                ReasonCode::CLIENT_IDENTIFIER_NOT_VALID,
                "the client identifier is empty, and so no session can be kept for it",
            ));
        }
        let will = match flags.will {
            Some((qos, retain)) => Some(self.will(qos, retain)?),
            None => None,
        };
        // In 3.1 a user name or password that was announced may still be missing at the end (3.1, section 3.1).
        let missing = |body: &Self| body.version == Version::V31 && body.reader.rest.is_empty();
        let username = match flags.username && !missing(self) {
            true => Some(self.text("user name")?),
            false => None,
        };
        let password = match flags.password && !missing(self) {
            true => Some(self.binary("password")?),
            false => None,
        };
        self.reader.end("CONNECT")?;
        Ok(Connect {
            version: self.version,
            clean_start: flags.clean_start,
            keep_alive,
            client_id,
            will,
            username,
            password,
            properties,
        })
    }

    /// Will properties, topic and payload (3.1.3.2 to 3.1.3.4).
    fn will(&mut self, qos: QoS, retain: bool) -> Result<Will, Malformed> {
        let properties = self.properties(Place::WILL)?;
        let topic = self.text("will topic")?;
        if !is_valid_topic_name(&topic) {
            return Err(refused(
                ReasonCode::TOPIC_NAME_INVALID,
                format!(
                    "the will topic {:?} is empty or contains a wildcard",
                    &*topic
                ),
            ));
        }
        Ok(Will {
            topic,
            payload: self.binary("will payload")?,
            qos,
            retain,
            properties,
        })
    }

    /// 3.2
    fn connack(&mut self) -> Result<ConnAck, Malformed> {
        let flags = self.reader.byte("acknowledge flags")?;
        if flags > 1 {
            return Err(malformed("reserved acknowledge flags are set"));
        }
        let code = self.reader.byte("reason code")?;
        // A server which does not know MQTT 5 refuses it in the words of its own version, without properties
        // (3.1.1, [MQTT-3.1.2-2]). Its return codes 1 to 5 are no reason codes, so there is no mistaking them.
        let older =
            self.version != Version::V5 || self.reader.rest.is_empty() && (1..=5).contains(&code);
        let (reason, properties) = if older {
            let reason = reason::from_return_code(code).ok_or_else(|| {
                protocol_error(format!("CONNACK with the reserved return code {code}"))
            })?;
            (reason, Properties::default())
        } else {
            let reason = reason::check(code, kind::CONNACK)?;
            (reason, self.properties(Place::CONNACK)?)
        };
        self.reader.end("CONNACK")?;
        if flags == 1 && reason != ReasonCode::SUCCESS {
            return Err(protocol_error(
                "CONNACK refuses the connection and reports a session",
            ));
        }
        check_authentication(&properties)?;
        Ok(ConnAck {
            session_present: flags == 1,
            reason,
            properties,
        })
    }

    /// 3.3
    fn publish(&mut self, header: u8) -> Result<Publish, Malformed> {
        let view = publish_view(header, self.reader.rest, self.version)?;
        Ok(Publish {
            dup: view.dup,
            qos: view.qos,
            retain: view.retain,
            topic: share_text(self.packet, view.topic),
            packet_id: view.packet_id,
            properties: property::read(self.packet, view.properties, Place::PUBLISH)?,
            payload: self.packet.slice_ref(view.payload),
        })
    }

    /// 3.4 to 3.7. MQTT 5 may leave out the properties, and a success too.
    fn acknowledgement(&mut self, kind: u8) -> Result<Acknowledgement, Malformed> {
        let packet_id = self.reader.packet_id()?;
        let (reason, properties) = self.short_form(kind, Place::ACKNOWLEDGEMENT)?;
        self.reader.end(name(kind))?;
        Ok(Acknowledgement {
            packet_id,
            reason,
            properties,
        })
    }

    /// Reason code and properties as acknowledgements and DISCONNECT end with: each may be missing, the properties
    /// before the reason code (3.4.2.1, 3.14.2.1).
    fn short_form(
        &mut self,
        kind: u8,
        place: Place,
    ) -> Result<(ReasonCode, Properties), Malformed> {
        if self.version != Version::V5 || self.reader.rest.is_empty() {
            return Ok((ReasonCode::SUCCESS, Properties::default()));
        }
        let reason = reason::check(self.reader.byte("reason code")?, kind)?;
        let properties = match self.reader.rest.is_empty() {
            true => Properties::default(),
            false => self.properties(place)?,
        };
        Ok((reason, properties))
    }

    /// 3.8
    fn subscribe(&mut self) -> Result<Subscribe, Malformed> {
        let packet_id = self.reader.packet_id()?;
        let properties = self.properties(Place::SUBSCRIBE)?;
        let mut filters = Vec::new();
        while !self.reader.rest.is_empty() {
            let filter = self.text("topic filter")?;
            let options = self.reader.byte("subscription options")?;
            filters.push(subscription(filter, options, self.version)?);
        }
        if filters.is_empty() {
            return Err(protocol_error("SUBSCRIBE without a topic filter"));
        }
        Ok(Subscribe {
            packet_id,
            filters,
            properties,
        })
    }

    /// SUBACK (3.9) and UNSUBACK (3.11), which had no payload before MQTT 5.
    fn suback(&mut self, kind: u8) -> Result<SubAck, Malformed> {
        let packet_id = self.reader.packet_id()?;
        let properties = self.properties(Place::SUBACK)?;
        if kind == kind::UNSUBACK && self.version != Version::V5 {
            self.reader.end("UNSUBACK")?;
            return Ok(SubAck {
                packet_id,
                reasons: Vec::new(),
                properties,
            });
        }
        let codes = self.reader.rest;
        if codes.is_empty() {
            return Err(protocol_error(format!(
                "{} without a reason code",
                name(kind)
            )));
        }
        let reason = |&code: &u8| match self.version {
            Version::V5 => reason::check(code, kind),
            _ if matches!(code, 0..=2 | 0x80) => Ok(ReasonCode(code)),
            _ => Err(protocol_error(format!(
                "SUBACK with the reserved return code {code}"
            ))),
        };
        Ok(SubAck {
            packet_id,
            reasons: codes.iter().map(reason).collect::<Result<_, _>>()?,
            properties,
        })
    }

    /// 3.10
    fn unsubscribe(&mut self) -> Result<Unsubscribe, Malformed> {
        let packet_id = self.reader.packet_id()?;
        let properties = self.properties(Place::UNSUBSCRIBE)?;
        let mut filters = Vec::new();
        while !self.reader.rest.is_empty() {
            filters.push(self.text("topic filter")?);
        }
        if filters.is_empty() {
            return Err(protocol_error("UNSUBSCRIBE without a topic filter"));
        }
        Ok(Unsubscribe {
            packet_id,
            filters,
            properties,
        })
    }

    /// 3.14
    fn disconnect(&mut self) -> Result<Disconnect, Malformed> {
        let (reason, properties) = self.short_form(kind::DISCONNECT, Place::DISCONNECT)?;
        self.reader.end("DISCONNECT")?;
        Ok(Disconnect { reason, properties })
    }

    /// 3.15
    fn auth(&mut self) -> Result<Auth, Malformed> {
        let (reason, properties) = match self.reader.rest.is_empty() {
            true => (ReasonCode::SUCCESS, Properties::default()),
            false => {
                let reason = reason::check(self.reader.byte("reason code")?, kind::AUTH)?;
                (reason, self.properties(Place::AUTH)?)
            }
        };
        self.reader.end("AUTH")?;
        check_authentication(&properties)?;
        let bare_success = reason == ReasonCode::SUCCESS && properties.is_empty();
        if !bare_success && properties.authentication_method().is_none() {
            return Err(protocol_error("AUTH without an authentication method"));
        }
        Ok(Auth { reason, properties })
    }
}

/// Authentication data means nothing without a method (3.1.2.11.10).
fn check_authentication(properties: &Properties) -> Result<(), Malformed> {
    if properties.authentication_data().is_some() && properties.authentication_method().is_none() {
        return Err(protocol_error(
            "authentication data without an authentication method",
        ));
    }
    Ok(())
}

/// The byte that says what a CONNECT contains (3.1.2.3).
struct ConnectFlags {
    clean_start: bool,
    /// Quality of service and retain flag, if there is a will.
    will: Option<(QoS, bool)>,
    username: bool,
    password: bool,
}

impl ConnectFlags {
    fn read(flags: u8, version: Version) -> Result<ConnectFlags, Malformed> {
        let is_set = |bit: u8| flags & 1 << bit != 0;
        // 3.1 left the lowest bit to whoever wanted it.
        if is_set(0) && version != Version::V31 {
            return Err(malformed("the reserved connect flag is set"));
        }
        let Some(will_qos) = QoS::from_number(flags >> 3 & 0b11) else {
            return Err(malformed("the will has quality of service 3"));
        };
        let will_retain = is_set(5);
        let will = is_set(2).then_some((will_qos, will_retain));
        if will.is_none() && (will_qos != QoS::AtMostOnce || will_retain) {
            return Err(malformed(
                "will quality of service or will retain without a will",
            ));
        }
        let (username, password) = (is_set(7), is_set(6));
        if password && !username && version != Version::V5 {
            return Err(malformed(
                "a password without a user name, which only MQTT 5 allows",
            ));
        }
        Ok(ConnectFlags {
            clean_start: is_set(1),
            will,
            username,
            password,
        })
    }
}

/// One topic filter with its subscription options (3.8.3.1).
fn subscription(
    filter: ByteString,
    options: u8,
    version: Version,
) -> Result<Subscription, Malformed> {
    let reserved = if version == Version::V5 {
        0b1100_0000
    } else {
        0b1111_1100
    };
    if options & reserved != 0 {
        return Err(malformed("reserved subscription options are set"));
    }
    let Some(qos) = QoS::from_number(options & 0b11) else {
        let message = "a subscription with quality of service 3";
        return Err(match version {
            Version::V5 => protocol_error(message),
            _ => malformed(message),
        });
    };
    let retain_handling = match options >> 4 {
        0 => RetainHandling::Always,
        1 => RetainHandling::IfNew,
        2 => RetainHandling::Never,
        _ => return Err(protocol_error("a subscription with retain handling 3")),
    };
    let no_local = options & 0b100 != 0;
    if no_local && filter.starts_with("$share/") {
        return Err(protocol_error(
            "a shared subscription with the no local option",
        ));
    }
    Ok(Subscription {
        filter,
        qos,
        no_local,
        retain_as_published: options & 0b1000 != 0,
        retain_handling,
    })
}
