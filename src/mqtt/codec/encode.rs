//! Packets to bytes. Writes what it is given, in the shortest form the version has; that the values make sense
//! is the caller's business, except for lengths, which could not be written truthfully.

use super::frame::{encode_variable, kind};
use super::property::{write_binary, write_property};
use super::{PublishView, TooLarge, reason};
use crate::mqtt::packet::{
    Acknowledgement, Auth, ConnAck, Connect, Disconnect, Publish, SubAck, Subscribe, Subscription,
    Unsubscribe, Will,
};
use crate::mqtt::{Packet, Properties, ReasonCode, Version};

/// Appends `packet` to `out`. A CONNECT is written in the version it names itself, every other packet in
/// `version`; before MQTT 5 properties are dropped and reason codes become the nearest return code there is.
/// AUTH, which only MQTT 5 has, is written as it is there.
///
/// # Errors
/// A string or binary value over 65,535 bytes or a packet over 268,435,455; `out` is then as it was.
pub fn write(packet: &Packet, version: Version, out: &mut Vec<u8>) -> Result<(), TooLarge> {
    let start = out.len();
    let written = match packet {
        Packet::Connect(connect) => whole(kind::CONNECT, out, |out| write_connect(connect, out)),
        Packet::ConnAck(connack) => whole(kind::CONNACK, out, |out| {
            write_connack(connack, version, out)
        }),
        Packet::Publish(publish) => write_publish(publish, version, out),
        Packet::PubAck(ack) => whole(kind::PUBACK, out, |out| {
            write_acknowledgement(ack, version, out)
        }),
        Packet::PubRec(ack) => whole(kind::PUBREC, out, |out| {
            write_acknowledgement(ack, version, out)
        }),
        Packet::PubRel(ack) => whole(kind::PUBREL, out, |out| {
            write_acknowledgement(ack, version, out)
        }),
        Packet::PubComp(ack) => whole(kind::PUBCOMP, out, |out| {
            write_acknowledgement(ack, version, out)
        }),
        Packet::Subscribe(subscribe) => whole(kind::SUBSCRIBE, out, |out| {
            write_subscribe(subscribe, version, out)
        }),
        Packet::SubAck(suback) => {
            whole(kind::SUBACK, out, |out| write_suback(suback, version, out))
        }
        Packet::Unsubscribe(unsubscribe) => whole(kind::UNSUBSCRIBE, out, |out| {
            write_unsubscribe(unsubscribe, version, out)
        }),
        Packet::UnsubAck(suback) => whole(kind::UNSUBACK, out, |out| {
            write_unsuback(suback, version, out)
        }),
        Packet::PingReq => whole(kind::PINGREQ, out, |_| Ok(())),
        Packet::PingResp => whole(kind::PINGRESP, out, |_| Ok(())),
        Packet::Disconnect(disconnect) => whole(kind::DISCONNECT, out, |out| {
            write_disconnect(disconnect, version, out)
        }),
        Packet::Auth(auth) => whole(kind::AUTH, out, |out| write_auth(auth, out)),
    };
    if written.is_err() {
        out.truncate(start);
    }
    written
}

type Written = Result<(), TooLarge>;

/// Fixed header and body.
fn whole(kind: u8, out: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>) -> Written) -> Written {
    let flags = match kind {
        kind::PUBREL | kind::SUBSCRIBE | kind::UNSUBSCRIBE => 0b0010,
        _ => 0,
    };
    out.push(kind << 4 | flags);
    counted("packet in bytes", out, body)
}

/// What `content` writes, with its length as a variable byte integer before it. One byte is kept free for the
/// length; the rare content that needs more is moved.
fn counted(
    what: &'static str,
    out: &mut Vec<u8>,
    content: impl FnOnce(&mut Vec<u8>) -> Written,
) -> Written {
    let start = out.len();
    out.push(0);
    content(out)?;
    let (length, width) = encode_variable(out.len() - start - 1, what)?;
    out.splice(start..=start, length[..width].iter().copied());
    Ok(())
}

/// The properties with their length; nothing before MQTT 5.
fn write_properties(properties: &Properties, version: Version, out: &mut Vec<u8>) -> Written {
    if version != Version::V5 {
        return Ok(());
    }
    counted("properties in bytes", out, |out| {
        properties
            .0
            .iter()
            .try_for_each(|property| write_property(property, out))
    })
}

fn write_connect(connect: &Connect, out: &mut Vec<u8>) -> Written {
    let version = connect.version;
    let name: &[u8] = if version == Version::V31 {
        b"MQIsdp"
    } else {
        b"MQTT"
    };
    write_binary(name, "protocol name in bytes", out)?;
    out.push(version as u8);
    let will_flags = connect.will.as_ref().map_or(0, |will| {
        u8::from(will.retain) << 5 | will.qos.number() << 3 | 1 << 2
    });
    out.push(
        u8::from(connect.username.is_some()) << 7
            | u8::from(connect.password.is_some()) << 6
            | will_flags
            | u8::from(connect.clean_start) << 1,
    );
    out.extend_from_slice(&connect.keep_alive.to_be_bytes());
    write_properties(&connect.properties, version, out)?;
    write_binary(
        connect.client_id.as_bytes(),
        "client identifier in bytes",
        out,
    )?;
    if let Some(will) = &connect.will {
        write_will(will, version, out)?;
    }
    if let Some(username) = &connect.username {
        write_binary(username.as_bytes(), "user name in bytes", out)?;
    }
    if let Some(password) = &connect.password {
        write_binary(password, "password in bytes", out)?;
    }
    Ok(())
}

fn write_will(will: &Will, version: Version, out: &mut Vec<u8>) -> Written {
    write_properties(&will.properties, version, out)?;
    write_binary(will.topic.as_bytes(), "will topic in bytes", out)?;
    write_binary(&will.payload, "will payload in bytes", out)
}

fn write_connack(connack: &ConnAck, version: Version, out: &mut Vec<u8>) -> Written {
    out.push(u8::from(connack.session_present));
    out.push(match version {
        Version::V5 => connack.reason.0,
        _ => reason::to_return_code(connack.reason),
    });
    write_properties(&connack.properties, version, out)
}

fn write_publish(publish: &Publish, version: Version, out: &mut Vec<u8>) -> Written {
    let mut properties = Vec::new();
    if version == Version::V5 {
        for property in &publish.properties.0 {
            write_property(property, &mut properties)?;
        }
    }
    let view = PublishView {
        dup: publish.dup,
        qos: publish.qos,
        retain: publish.retain,
        topic: &publish.topic,
        packet_id: publish.packet_id,
        properties: &properties,
        payload: &publish.payload,
    };
    view.write(version, out)
}

fn write_acknowledgement(ack: &Acknowledgement, version: Version, out: &mut Vec<u8>) -> Written {
    out.extend_from_slice(&ack.packet_id.to_be_bytes());
    write_short_form(ack.reason, &ack.properties, version, out)
}

/// Reason code and properties, without what may be left out at the end (3.4.2.1, 3.14.2.1).
fn write_short_form(
    reason: ReasonCode,
    properties: &Properties,
    version: Version,
    out: &mut Vec<u8>,
) -> Written {
    if version != Version::V5 || reason == ReasonCode::SUCCESS && properties.is_empty() {
        return Ok(());
    }
    out.push(reason.0);
    if properties.is_empty() {
        return Ok(());
    }
    write_properties(properties, version, out)
}

fn write_subscribe(subscribe: &Subscribe, version: Version, out: &mut Vec<u8>) -> Written {
    out.extend_from_slice(&subscribe.packet_id.to_be_bytes());
    write_properties(&subscribe.properties, version, out)?;
    for subscription in &subscribe.filters {
        write_binary(subscription.filter.as_bytes(), "topic filter in bytes", out)?;
        out.push(match version {
            Version::V5 => options(subscription),
            _ => subscription.qos.number(),
        });
    }
    Ok(())
}

/// The subscription options byte (3.8.3.1).
fn options(subscription: &Subscription) -> u8 {
    (subscription.retain_handling as u8) << 4
        | u8::from(subscription.retain_as_published) << 3
        | u8::from(subscription.no_local) << 2
        | subscription.qos.number()
}

fn write_suback(suback: &SubAck, version: Version, out: &mut Vec<u8>) -> Written {
    out.extend_from_slice(&suback.packet_id.to_be_bytes());
    write_properties(&suback.properties, version, out)?;
    out.extend(suback.reasons.iter().map(|reason| match version {
        Version::V5 => reason.0,
        _ if reason.is_failure() => ReasonCode::UNSPECIFIED_ERROR.0,
        _ => reason.0,
    }));
    Ok(())
}

fn write_unsubscribe(unsubscribe: &Unsubscribe, version: Version, out: &mut Vec<u8>) -> Written {
    out.extend_from_slice(&unsubscribe.packet_id.to_be_bytes());
    write_properties(&unsubscribe.properties, version, out)?;
    unsubscribe
        .filters
        .iter()
        .try_for_each(|filter| write_binary(filter.as_bytes(), "topic filter in bytes", out))
}

fn write_unsuback(suback: &SubAck, version: Version, out: &mut Vec<u8>) -> Written {
    match version {
        Version::V5 => write_suback(suback, version, out),
        _ => {
            out.extend_from_slice(&suback.packet_id.to_be_bytes());
            Ok(())
        }
    }
}

fn write_disconnect(disconnect: &Disconnect, version: Version, out: &mut Vec<u8>) -> Written {
    write_short_form(disconnect.reason, &disconnect.properties, version, out)
}

fn write_auth(auth: &Auth, out: &mut Vec<u8>) -> Written {
    if auth.reason == ReasonCode::SUCCESS && auth.properties.is_empty() {
        return Ok(());
    }
    out.push(auth.reason.0);
    write_properties(&auth.properties, Version::V5, out)
}
