//! Tables of the specification, written down a second time from the other side and gone through to the end.

use bytes::Bytes;

use super::super::*;
use super::generated::framed;
use crate::mqtt::Version;

/// Table 2-4, as the specification prints it: identifier, a value, and the packets it is for.
const PROPERTIES: &[(u8, &[u8], &str)] = &[
    (0x01, &[1], "PUBLISH, Will Properties"),
    (0x02, &[0, 0, 0, 1], "PUBLISH, Will Properties"),
    (0x03, &[0, 1, b'x'], "PUBLISH, Will Properties"),
    (0x08, &[0, 1, b'x'], "PUBLISH, Will Properties"),
    (0x09, &[0, 1, 0xFF], "PUBLISH, Will Properties"),
    (0x0B, &[0x80, 1], "PUBLISH, SUBSCRIBE"),
    (0x11, &[0, 0, 0, 1], "CONNECT, CONNACK, DISCONNECT"),
    (0x12, &[0, 1, b'x'], "CONNACK"),
    (0x13, &[0, 1], "CONNACK"),
    (0x15, &[0, 1, b'x'], "CONNECT, CONNACK, AUTH"),
    (0x16, &[0, 1, 0xFF, 0x15, 0, 0], "CONNECT, CONNACK, AUTH"),
    (0x17, &[1], "CONNECT"),
    (0x18, &[0, 0, 0, 1], "Will Properties"),
    (0x19, &[1], "CONNECT"),
    (0x1A, &[0, 1, b'x'], "CONNACK"),
    (0x1C, &[0, 1, b'x'], "CONNACK, DISCONNECT"),
    (
        0x1F,
        &[0, 1, b'x'],
        "CONNACK, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK, UNSUBACK, DISCONNECT, AUTH",
    ),
    (0x21, &[0, 1], "CONNECT, CONNACK"),
    (0x22, &[0, 1], "CONNECT, CONNACK"),
    (0x23, &[0, 1], "PUBLISH"),
    (0x24, &[1], "CONNACK"),
    (0x25, &[1], "CONNACK"),
    (
        0x26,
        &[0, 1, b'x', 0, 1, b'y'],
        "CONNECT, CONNACK, PUBLISH, Will Properties, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBSCRIBE, SUBACK, \
         UNSUBSCRIBE, UNSUBACK, DISCONNECT, AUTH",
    ),
    (0x27, &[0, 0, 0, 1], "CONNECT, CONNACK"),
    (0x28, &[1], "CONNACK"),
    (0x29, &[1], "CONNACK"),
    (0x2A, &[1], "CONNACK"),
];

/// Every packet with properties: its name, first byte, and what stands before and after the property length.
const CARRIERS: &[(&str, u8, &[u8], &[u8])] = &[
    ("CONNECT", 0x10, b"\0\x04MQTT\x05\x02\0\0", b"\0\0"),
    (
        "Will Properties",
        0x10,
        b"\0\x04MQTT\x05\x06\0\0\0\0\0",
        b"\0\x01w\0\0",
    ),
    ("CONNACK", 0x20, &[0, 0], b""),
    ("PUBLISH", 0x30, b"\0\x01t", b"payload"),
    ("PUBACK", 0x40, &[0, 1, 0], b""),
    ("PUBREC", 0x50, &[0, 1, 0], b""),
    ("PUBREL", 0x62, &[0, 1, 0], b""),
    ("PUBCOMP", 0x70, &[0, 1, 0], b""),
    ("SUBSCRIBE", 0x82, &[0, 1], b"\0\x01f\0"),
    ("SUBACK", 0x90, &[0, 1], b"\0"),
    ("UNSUBSCRIBE", 0xA2, &[0, 1], b"\0\x01f"),
    ("UNSUBACK", 0xB0, &[0, 1], b"\0"),
    ("DISCONNECT", 0xE0, &[0], b""),
    ("AUTH", 0xF0, &[0x18], b""),
];

/// The bytes of this carrier with this property block.
fn carry(&(name, header, before, after): &(&str, u8, &[u8], &[u8]), block: &[u8]) -> Bytes {
    let mut block = block.to_vec();
    if name == "AUTH" && !block.contains(&0x15) {
        block.extend_from_slice(&[0x15, 0, 0]);
    }
    let length = u8::try_from(block.len()).unwrap();
    framed(header, &[before, &[length], &block, after].concat()).into()
}

#[test]
fn every_property_is_accepted_where_it_belongs_and_nowhere_else() {
    for carrier in CARRIERS {
        assert!(
            decode(carry(carrier, &[]), Version::V5).is_ok(),
            "{}",
            carrier.0
        );
        for identifier in 0..=u8::MAX {
            let known = PROPERTIES.iter().find(|row| row.0 == identifier);
            let value = known.map_or(&[0; 8][..], |row| row.1);
            let result = decode(
                carry(carrier, &[&[identifier], value].concat()),
                Version::V5,
            );
            let belongs =
                known.is_some_and(|row| row.2.split(", ").any(|place| place == carrier.0));
            match belongs {
                true => assert!(
                    result.is_ok(),
                    "{} 0x{identifier:02x}: {result:?}",
                    carrier.0
                ),
                false => assert_eq!(
                    result.map_err(|fault| fault.reason),
                    Err(ReasonCode::MALFORMED_PACKET),
                    "{} 0x{identifier:02x}",
                    carrier.0
                ),
            }
        }
    }
}

#[test]
fn every_property_but_two_is_given_at_most_once() {
    for carrier in CARRIERS {
        for &(identifier, value, places) in PROPERTIES {
            if !places.split(", ").any(|place| place == carrier.0) {
                continue;
            }
            // Authentication data brings its method in the same value.
            let value = if identifier == 0x16 {
                &value[..3]
            } else {
                value
            };
            let one = [&[identifier], value].concat();
            let method: &[u8] = if identifier == 0x16 {
                &[0x15, 0, 0]
            } else {
                &[]
            };
            let result = decode(carry(carrier, &[&one, &one, method].concat()), Version::V5);
            let repeats = identifier == 0x26 || identifier == 0x0B && carrier.0 == "PUBLISH";
            match repeats {
                true => assert!(
                    result.is_ok(),
                    "{} 0x{identifier:02x}: {result:?}",
                    carrier.0
                ),
                false => assert_eq!(
                    result.map_err(|fault| fault.reason),
                    Err(ReasonCode::PROTOCOL_ERROR),
                    "{} 0x{identifier:02x}",
                    carrier.0
                ),
            }
        }
    }
}

#[test]
fn every_property_cut_short_is_malformed() {
    for carrier in CARRIERS {
        for &(identifier, value, places) in PROPERTIES {
            if !places.split(", ").any(|place| place == carrier.0) {
                continue;
            }
            let value = if identifier == 0x16 {
                &value[..3]
            } else {
                value
            };
            for length in 0..value.len() {
                let mut block = vec![identifier];
                block.extend_from_slice(&value[..length]);
                // Not through `carry`, whose method would complete it.
                let &(_, header, before, after) = carrier;
                let bytes = framed(
                    header,
                    &[before, &[block.len() as u8], &block, after].concat(),
                );
                let result = decode(bytes.into(), Version::V5);
                assert_eq!(
                    result.map_err(|fault| fault.reason),
                    Err(ReasonCode::MALFORMED_PACKET),
                    "{} 0x{identifier:02x} {length}",
                    carrier.0
                );
            }
        }
    }
}

/// Table 2-6, as the specification prints it: reason code, and the packets it is for.
const REASONS: &[(u8, &str)] = &[
    (
        0x00,
        "CONNACK, PUBACK, PUBREC, PUBREL, PUBCOMP, UNSUBACK, AUTH, DISCONNECT, SUBACK",
    ),
    (0x01, "SUBACK"),
    (0x02, "SUBACK"),
    (0x04, "DISCONNECT"),
    (0x10, "PUBACK, PUBREC"),
    (0x11, "UNSUBACK"),
    (0x18, "AUTH"),
    (0x19, "AUTH"),
    (
        0x80,
        "CONNACK, PUBACK, PUBREC, SUBACK, UNSUBACK, DISCONNECT",
    ),
    (0x81, "CONNACK, DISCONNECT"),
    (0x82, "CONNACK, DISCONNECT"),
    (
        0x83,
        "CONNACK, PUBACK, PUBREC, SUBACK, UNSUBACK, DISCONNECT",
    ),
    (0x84, "CONNACK"),
    (0x85, "CONNACK"),
    (0x86, "CONNACK"),
    (
        0x87,
        "CONNACK, PUBACK, PUBREC, SUBACK, UNSUBACK, DISCONNECT",
    ),
    (0x88, "CONNACK"),
    (0x89, "CONNACK, DISCONNECT"),
    (0x8A, "CONNACK"),
    (0x8B, "DISCONNECT"),
    (0x8C, "CONNACK, DISCONNECT"),
    (0x8D, "DISCONNECT"),
    (0x8E, "DISCONNECT"),
    (0x8F, "SUBACK, UNSUBACK, DISCONNECT"),
    (0x90, "CONNACK, PUBACK, PUBREC, DISCONNECT"),
    (0x91, "PUBACK, PUBREC, SUBACK, UNSUBACK"),
    (0x92, "PUBREL, PUBCOMP"),
    (0x93, "DISCONNECT"),
    (0x94, "DISCONNECT"),
    (0x95, "CONNACK, DISCONNECT"),
    (0x96, "DISCONNECT"),
    (0x97, "CONNACK, PUBACK, PUBREC, SUBACK, DISCONNECT"),
    (0x98, "DISCONNECT"),
    (0x99, "CONNACK, PUBACK, PUBREC, DISCONNECT"),
    (0x9A, "CONNACK, DISCONNECT"),
    (0x9B, "CONNACK, DISCONNECT"),
    (0x9C, "CONNACK, DISCONNECT"),
    (0x9D, "CONNACK, DISCONNECT"),
    (0x9E, "SUBACK, DISCONNECT"),
    (0x9F, "CONNACK, DISCONNECT"),
    (0xA0, "DISCONNECT"),
    (0xA1, "SUBACK, DISCONNECT"),
    (0xA2, "SUBACK, DISCONNECT"),
];

#[test]
fn every_reason_code_is_accepted_where_it_belongs_and_nowhere_else() {
    type Body = fn(u8) -> Vec<u8>;
    let carriers: [(&str, u8, Body); 9] = [
        ("CONNACK", 0x20, |code| vec![0, code, 0]),
        ("PUBACK", 0x40, |code| vec![0, 1, code]),
        ("PUBREC", 0x50, |code| vec![0, 1, code]),
        ("PUBREL", 0x62, |code| vec![0, 1, code]),
        ("PUBCOMP", 0x70, |code| vec![0, 1, code]),
        ("SUBACK", 0x90, |code| vec![0, 1, 0, code]),
        ("UNSUBACK", 0xB0, |code| vec![0, 1, 0, code]),
        ("DISCONNECT", 0xE0, |code| vec![code]),
        ("AUTH", 0xF0, |code| vec![code, 3, 0x15, 0, 0]),
    ];
    for (name, header, body) in carriers {
        for code in 0..=u8::MAX {
            let result = decode(framed(header, &body(code)).into(), Version::V5);
            let row = REASONS.iter().find(|row| row.0 == code);
            let belongs = row.is_some_and(|row| row.1.split(", ").any(|packet| packet == name));
            match belongs {
                true => assert!(result.is_ok(), "{name} 0x{code:02x}: {result:?}"),
                false => assert_eq!(
                    result.map_err(|fault| fault.reason),
                    Err(ReasonCode::PROTOCOL_ERROR),
                    "{name} 0x{code:02x}"
                ),
            }
        }
    }
}

#[test]
fn return_codes_before_mqtt_5_are_those_of_3_1_1() {
    for version in [Version::V31, Version::V311] {
        for code in 0..=u8::MAX {
            let connack = decode(vec![0x20, 2, 0, code].into(), version);
            assert_eq!(connack.is_ok(), code <= 5, "CONNACK {code}");
            let suback = decode(vec![0x90, 3, 0, 1, code].into(), version);
            assert_eq!(
                suback.is_ok(),
                matches!(code, 0..=2 | 0x80),
                "SUBACK {code}"
            );
        }
    }
}

#[test]
fn every_first_byte_begins_a_packet_only_where_the_specification_says() {
    /// A body that is right for the type.
    fn body(kind: u8, header: u8, version: Version) -> Vec<u8> {
        let none = if version == Version::V5 {
            &[0][..]
        } else {
            &[]
        };
        match kind {
            1 => match version {
                Version::V31 => b"\0\x06MQIsdp\x03\x02\0\0\0\x01c".to_vec(),
                Version::V311 => b"\0\x04MQTT\x04\x02\0\0\0\0".to_vec(),
                Version::V5 => b"\0\x04MQTT\x05\x02\0\0\0\0\0".to_vec(),
            },
            2 => [&[0, 0], none].concat(),
            3 if header & 0b0110 == 0 => [b"\0\x01t", none].concat(),
            3 => [b"\0\x01t\0\x01", none].concat(),
            4..=7 => vec![0, 1],
            8 => [&[0, 1], none, b"\0\x01f\0"].concat(),
            9 => [&[0, 1], none, &[0]].concat(),
            10 => [&[0, 1], none, b"\0\x01f"].concat(),
            11 if version == Version::V5 => vec![0, 1, 0, 0],
            11 => vec![0, 1],
            _ => vec![],
        }
    }
    for version in [Version::V31, Version::V311, Version::V5] {
        for header in 0..=u8::MAX {
            let (kind, flags) = (header >> 4, header & 0x0F);
            let valid = match kind {
                0 => false,
                1 => flags == 0 || version == Version::V31,
                // Duplicate, two bits of quality of service, retain.
                3 => ![6, 7, 8, 9, 14, 15].contains(&flags),
                6 | 8 | 10 => flags == 2 || flags == 10 && version == Version::V31,
                15 => flags == 0 && version == Version::V5,
                _ => flags == 0,
            };
            let result = decode(framed(header, &body(kind, header, version)).into(), version);
            match valid {
                true => assert!(result.is_ok(), "{version} 0x{header:02x}: {result:?}"),
                false => assert_eq!(
                    result.map_err(|fault| fault.reason),
                    Err(ReasonCode::MALFORMED_PACKET),
                    "{version} 0x{header:02x}"
                ),
            }
        }
    }
}

#[test]
fn every_subscription_options_byte_is_judged_as_the_specification_says() {
    for options in 0..=u8::MAX {
        let result = |version, before: &[u8]| {
            let body = [before, b"\0\x01f", &[options]].concat();
            decode(framed(0x82, &body).into(), version)
                .map(|_| ())
                .map_err(|fault| fault.reason)
        };
        let expected_5 = if options & 0b1100_0000 != 0 {
            Err(ReasonCode::MALFORMED_PACKET)
        } else if options & 0b11 == 3 || options >> 4 & 0b11 == 3 {
            Err(ReasonCode::PROTOCOL_ERROR)
        } else {
            Ok(())
        };
        assert_eq!(result(Version::V5, &[0, 1, 0]), expected_5, "{options:08b}");
        let expected = if options < 3 {
            Ok(())
        } else {
            Err(ReasonCode::MALFORMED_PACKET)
        };
        assert_eq!(result(Version::V311, &[0, 1]), expected, "{options:08b}");
    }
}

#[test]
fn every_connect_flags_byte_is_judged_as_the_specification_says() {
    for flags in 0..=u8::MAX {
        let bit = |bit: u8| flags >> bit & 1 == 1;
        let (username, password, will_retain, will) = (bit(7), bit(6), bit(5), bit(2));
        let will_qos = flags >> 3 & 3;
        for version in [Version::V31, Version::V311, Version::V5] {
            let (name, none): (&[u8], &[u8]) = match version {
                Version::V31 => (b"\0\x06MQIsdp\x03", &[]),
                Version::V311 => (b"\0\x04MQTT\x04", &[]),
                Version::V5 => (b"\0\x04MQTT\x05", &[0]),
            };
            let mut body = [name, &[flags, 0, 0], none, b"\0\x01c"].concat();
            if will {
                body.extend_from_slice(&[none, b"\0\x01w\0\0"].concat());
            }
            body.extend_from_slice(if username { b"\0\x01u" } else { b"" });
            body.extend_from_slice(if password { b"\0\x01p" } else { b"" });
            let valid = (version == Version::V31 || !bit(0))
                && will_qos < 3
                && (will || will_qos == 0 && !will_retain)
                && (version == Version::V5 || username || !password);
            let result = decode(framed(0x10, &body).into(), version);
            match valid {
                true => assert!(result.is_ok(), "{version} {flags:08b}: {result:?}"),
                false => assert_eq!(
                    result.map_err(|fault| fault.reason),
                    Err(ReasonCode::MALFORMED_PACKET),
                    "{version} {flags:08b}"
                ),
            }
        }
    }
}

#[test]
fn variable_byte_integers_are_read_and_written_at_every_border() {
    let borders: [(usize, &[u8]); 9] = [
        (0, &[0]),
        (1, &[1]),
        (127, &[0x7F]),
        (128, &[0x80, 1]),
        (16_383, &[0xFF, 0x7F]),
        (16_384, &[0x80, 0x80, 1]),
        (2_097_151, &[0xFF, 0xFF, 0x7F]),
        (2_097_152, &[0x80, 0x80, 0x80, 1]),
        (268_435_455, &[0xFF, 0xFF, 0xFF, 0x7F]),
    ];
    for (value, expected) in borders {
        let (bytes, width) = super::super::frame::encode_variable(value, "value").unwrap();
        assert_eq!(&bytes[..width], expected);
        let read = super::super::frame::variable(expected).unwrap();
        assert_eq!(read, Some((value as u32, width)));
    }
    assert!(super::super::frame::encode_variable(268_435_456, "value").is_err());
}

#[test]
fn the_version_only_matters_once_connect_is_over() {
    for level in 0..=u8::MAX {
        for (name, known) in [
            (&b"MQTT"[..], &[4, 5][..]),
            (b"MQIsdp", &[3]),
            (b"mqtt", &[]),
            (b"", &[]),
        ] {
            let mut body = vec![0, name.len() as u8];
            body.extend_from_slice(name);
            body.extend_from_slice(&[level, 2, 0, 0]);
            body.extend_from_slice(if level == 5 { b"\0\0\x01c" } else { b"\0\x01c" });
            let result = decode(framed(0x10, &body).into(), Version::V311);
            match known.contains(&level) {
                true => assert!(result.is_ok(), "{level}: {result:?}"),
                false => assert_eq!(
                    result.map_err(|fault| fault.reason),
                    Err(ReasonCode::UNSUPPORTED_PROTOCOL_VERSION),
                    "{level}"
                ),
            }
        }
    }
}
