//! Every row of the list of faults, and what is refused on the way out.

use bytes::{Bytes, BytesMut};

use super::super::*;
use super::malformed::{ANSWERS, CONNECT, FIXED_HEADERS, PUBLISH, REQUESTS};
use crate::mqtt::packet::*;
use crate::mqtt::{ByteString, Properties, Property, QoS, Version};

fn version(level: u8) -> Version {
    match level {
        3 => Version::V31,
        4 => Version::V311,
        _ => Version::V5,
    }
}

/// All rows: level, bytes, reason code, fault.
fn rows() -> impl Iterator<Item = (u8, Vec<u8>, u8, &'static str)> {
    let packets = [CONNECT, PUBLISH, REQUESTS, ANSWERS]
        .into_iter()
        .flatten()
        .flat_map(|row| {
            row.levels
                .iter()
                .map(|&level| (level, row.wire(), row.reason, row.fault))
        });
    let fixed_headers = FIXED_HEADERS
        .iter()
        .flat_map(|&(levels, bytes, reason, fault)| {
            levels
                .iter()
                .map(move |&level| (level, bytes.to_vec(), reason, fault))
        });
    packets.chain(fixed_headers)
}

#[test]
fn every_malformed_packet_is_refused_with_its_reason() {
    let mut wrong = Vec::new();
    for (level, bytes, reason, fault) in rows() {
        let expected = Err(Malformed {
            reason: ReasonCode(reason),
            message: fault.into(),
        });
        let found = read(&mut BytesMut::from(&bytes[..]), version(level), 1_000);
        if found != expected {
            wrong.push(format!(
                "{bytes:02x?} level {level}\n  found    {found:?}\n  expected {expected:?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(rows().count() > 200);
}

#[test]
fn a_malformed_publish_is_refused_in_the_same_words_where_it_lies() {
    for (level, bytes, reason, fault) in rows() {
        if bytes[0] >> 4 != 3 {
            continue;
        }
        let seen = frame(&bytes, 1_000).and_then(|found| {
            let found = found.expect("the row is a whole packet");
            publish_view(found.header, found.body, version(level)).map(|_| ())
        });
        let expected = Malformed {
            reason: ReasonCode(reason),
            message: fault.into(),
        };
        assert_eq!(seen, Err(expected), "{bytes:02x?} level {level}");
    }
}

#[test]
fn no_two_rows_are_the_same() {
    let mut seen = std::collections::HashSet::new();
    for (level, bytes, ..) in rows() {
        assert!(
            seen.insert((level, bytes.clone())),
            "{bytes:02x?} level {level}"
        );
    }
}

#[test]
fn more_or_less_than_one_packet_is_refused() {
    for (bytes, fault) in [
        (
            &b"\xC0\0\xC0\0"[..],
            "there are bytes after the end of the packet",
        ),
        (b"\xC0", "the packet ends inside the packet"),
        (b"\x30\x05\0", "the packet ends inside the packet"),
        (b"", "the packet ends inside the packet"),
    ] {
        let found = decode(Bytes::copy_from_slice(bytes), Version::V311);
        assert_eq!(found.unwrap_err().message, fault);
    }
}

#[test]
fn a_fault_reads_as_reason_and_words() {
    let fault = decode(Bytes::from_static(b"\x36\x05\0\x01t\0\x01"), Version::V311).unwrap_err();
    assert_eq!(
        fault.to_string(),
        "malformed packet: PUBLISH with quality of service 3"
    );
}

const TOO_LONG: usize = 65_536;

fn long_text() -> ByteString {
    "x".repeat(TOO_LONG).into()
}

/// Writes with something before, which must be all that is left when the packet cannot be written.
fn refused_to_write(packet: Packet, version: Version) -> String {
    let mut out = b"before".to_vec();
    let error = write(&packet, version, &mut out).unwrap_err();
    assert_eq!(out, b"before", "nothing of the packet is left behind");
    error.to_string()
}

#[test]
fn a_string_over_65535_bytes_is_never_written() {
    let publish = Publish {
        dup: false,
        qos: QoS::AtMostOnce,
        retain: false,
        topic: "t".into(),
        packet_id: 0,
        properties: Properties::default(),
        payload: Bytes::new(),
    };
    let connect = Connect {
        version: Version::V5,
        clean_start: true,
        keep_alive: 0,
        client_id: "c".into(),
        will: None,
        username: None,
        password: None,
        properties: Properties::default(),
    };
    let will = Will {
        topic: "w".into(),
        payload: Bytes::new(),
        qos: QoS::AtMostOnce,
        retain: false,
        properties: Properties::default(),
    };
    let long_bytes = Bytes::from(vec![0; TOO_LONG]);
    let in_connect = |connect: Connect| Packet::Connect(connect.into());
    let with_property = |property| {
        Packet::Publish(Publish {
            properties: Properties(vec![property]),
            ..publish.clone()
        })
    };
    let rows = [
        (
            Packet::Publish(Publish {
                topic: long_text(),
                ..publish.clone()
            }),
            "topic name in bytes",
        ),
        (
            with_property(Property::ContentType(long_text())),
            "content type",
        ),
        (
            with_property(Property::CorrelationData(long_bytes.clone())),
            "correlation data",
        ),
        (
            with_property(Property::UserProperty(long_text(), "".into())),
            "user property name in bytes",
        ),
        (
            with_property(Property::UserProperty("".into(), long_text())),
            "user property value in bytes",
        ),
        (
            in_connect(Connect {
                client_id: long_text(),
                ..connect.clone()
            }),
            "client identifier in bytes",
        ),
        (
            in_connect(Connect {
                username: Some(long_text()),
                ..connect.clone()
            }),
            "user name in bytes",
        ),
        (
            in_connect(Connect {
                password: Some(long_bytes.clone()),
                ..connect.clone()
            }),
            "password in bytes",
        ),
        (
            in_connect(Connect {
                will: Some(Will {
                    topic: long_text(),
                    ..will.clone()
                }),
                ..connect.clone()
            }),
            "will topic in bytes",
        ),
        (
            in_connect(Connect {
                will: Some(Will {
                    payload: long_bytes,
                    ..will
                }),
                ..connect
            }),
            "will payload in bytes",
        ),
        (
            Packet::Unsubscribe(Unsubscribe {
                packet_id: 1,
                filters: vec!["f".into(), long_text()],
                properties: Properties::default(),
            }),
            "topic filter in bytes",
        ),
    ];
    for (packet, what) in rows {
        let message = refused_to_write(packet, Version::V5);
        assert_eq!(
            message,
            format!("{what} is 65536, MQTT carries at most 65535")
        );
    }
}

#[test]
fn the_longest_string_is_written_and_read() {
    let packet = Packet::Publish(Publish {
        dup: false,
        qos: QoS::AtMostOnce,
        retain: false,
        topic: "x".repeat(65_535).into(),
        packet_id: 0,
        properties: Properties(vec![Property::ContentType("y".repeat(65_535).into())]),
        payload: Bytes::new(),
    });
    let mut out = Vec::new();
    write(&packet, Version::V5, &mut out).unwrap();
    assert_eq!(decode(out.into(), Version::V5), Ok(packet));
}

#[test]
fn a_packet_over_the_longest_remaining_length_is_never_written() {
    let payload = vec![0; MAXIMUM_REMAINING_LENGTH as usize - 3];
    let view = |payload| PublishView {
        dup: false,
        qos: QoS::AtMostOnce,
        retain: false,
        topic: "t",
        packet_id: 0,
        properties: &[],
        payload,
    };
    let mut out = Vec::new();
    view(&payload[..]).write(Version::V311, &mut out).unwrap();
    assert_eq!(out.len(), MAXIMUM_REMAINING_LENGTH as usize + 5);
    let whole = frame(&out, u32::MAX).unwrap().unwrap();
    assert_eq!(whole.length, out.len());
    // The property length of MQTT 5 is the one byte too many.
    out.clear();
    let error = view(&payload[..]).write(Version::V5, &mut out).unwrap_err();
    assert_eq!(
        error.to_string(),
        "packet in bytes is 268435456, MQTT carries at most 268435455"
    );
    assert!(out.is_empty());
}

#[test]
fn a_subscription_identifier_beyond_its_range_is_never_written() {
    let packet = Packet::Subscribe(Subscribe {
        packet_id: 1,
        filters: vec![],
        properties: Properties(vec![Property::SubscriptionIdentifier(268_435_456)]),
    });
    let message = refused_to_write(packet, Version::V5);
    assert_eq!(
        message,
        "subscription identifier is 268435456, MQTT carries at most 268435455"
    );
}
