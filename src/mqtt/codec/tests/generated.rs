//! Promises that hold for every packet and for any bytes.

use bytes::{Bytes, BytesMut};
use proptest::collection::vec;
use proptest::prelude::*;

use super::super::*;
use super::packets::packet;
use crate::mqtt::{Packet, Version};

const VERSIONS: [Version; 3] = [Version::V31, Version::V311, Version::V5];

fn version() -> impl Strategy<Value = Version> {
    proptest::sample::select(&VERSIONS[..])
}

fn written(packet: &Packet, version: Version) -> Vec<u8> {
    let mut out = Vec::new();
    write(packet, version, &mut out).unwrap();
    out
}

/// What holds for any bytes whatever: no panic, and what is understood can be written and is understood the same.
fn check_any(bytes: &[u8], version: Version) {
    let bytes = Bytes::copy_from_slice(bytes);
    let _ = refusal_version(&bytes);
    let Ok(Some(found)) = frame(&bytes, u32::MAX) else {
        return;
    };
    let packet = bytes.slice(..found.length);
    let decoded = decode(packet.clone(), version);
    let view = publish_view(found.header, found.body, version);
    if let Ok(view) = view {
        let walked: usize = property_block(view.properties)
            .map(|(_, whole)| whole.len())
            .sum();
        assert_eq!(walked, view.properties.len());
        let mut out = Vec::new();
        view.write(version, &mut out).unwrap();
        assert_eq!(out.len(), view.encoded_length(version));
        if found.is_minimal() {
            assert_eq!(out, packet, "a view is written as it was read");
        }
    }
    if found.header >> 4 == 3 && found.is_minimal() {
        assert_eq!(
            view.map(|_| ()),
            decoded.clone().map(|_| ()),
            "both ways in agree"
        );
    }
    if let Ok(packet) = decoded {
        let again = Bytes::from(written(&packet, version));
        assert_eq!(decode(again, version), Ok(packet));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn every_packet_is_read_as_it_was_written(
        (version, packet) in version().prop_flat_map(|version| (Just(version), packet(version))),
    ) {
        let bytes = written(&packet, version);
        prop_assert_eq!(decode(Bytes::from(bytes), version), Ok(packet));
    }

    #[test]
    fn every_prefix_of_a_packet_is_incomplete_and_not_an_error(
        (version, packet) in version().prop_flat_map(|version| (Just(version), packet(version))),
    ) {
        let bytes = written(&packet, version);
        for length in 0..bytes.len() {
            prop_assert_eq!(frame(&bytes[..length], u32::MAX), Ok(None));
            let mut buffer = BytesMut::from(&bytes[..length]);
            prop_assert_eq!(read(&mut buffer, version, u32::MAX), Ok(None));
            prop_assert_eq!(buffer.len(), length, "nothing is taken");
        }
    }

    #[test]
    fn a_packet_cut_short_by_its_own_length_never_panics(
        (version, packet) in version().prop_flat_map(|version| (Just(version), packet(version))),
    ) {
        let bytes = written(&packet, version);
        let found = frame(&bytes, u32::MAX).unwrap().unwrap();
        for length in 0..found.body.len() {
            check_any(&framed(found.header, &found.body[..length]), version);
        }
    }

    #[test]
    fn packets_in_a_row_are_read_one_by_one(
        (version, packets) in version().prop_flat_map(|version| (Just(version), vec(packet(version), 0..6))),
        pieces in vec(1..50usize, 1..20),
    ) {
        let stream: Vec<u8> = packets.iter().flat_map(|packet| written(packet, version)).collect();
        let (mut buffer, mut read_packets, mut rest) = (BytesMut::new(), Vec::new(), stream.as_slice());
        for piece in pieces.iter().cycle() {
            while let Some(packet) = read(&mut buffer, version, u32::MAX).unwrap() {
                read_packets.push(packet);
            }
            if rest.is_empty() {
                break;
            }
            let (now, later) = rest.split_at((*piece).min(rest.len()));
            buffer.extend_from_slice(now);
            rest = later;
        }
        prop_assert_eq!(read_packets, packets);
        prop_assert!(buffer.is_empty());
    }

    #[test]
    fn any_bytes_are_safe(bytes in vec(any::<u8>(), 0..200), version in version()) {
        check_any(&bytes, version);
    }

    #[test]
    fn any_body_is_safe(header in any::<u8>(), body in vec(any::<u8>(), 0..200), version in version()) {
        check_any(&framed(header, &body), version);
    }

    #[test]
    fn any_body_of_small_numbers_is_safe(
        header in any::<u8>(),
        // Small bytes make lengths and identifiers that fit, so that more of the packet is looked at.
        body in vec(prop_oneof![8 => 0..8u8, 4 => 8..48u8, 1 => any::<u8>()], 0..60),
        version in version(),
    ) {
        check_any(&framed(header, &body), version);
    }

    #[test]
    fn any_packet_with_a_few_bytes_changed_is_safe(
        (version, packet) in version().prop_flat_map(|version| (Just(version), packet(version))),
        changes in vec((any::<proptest::sample::Index>(), any::<u8>()), 1..4),
        other in version(),
    ) {
        let mut bytes = written(&packet, version);
        for (index, byte) in changes {
            let index = index.index(bytes.len());
            bytes[index] = byte;
        }
        check_any(&bytes, version);
        check_any(&bytes, other);
    }
}

/// A packet with this first byte and this body.
pub(super) fn framed(header: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![header];
    let mut rest = body.len();
    loop {
        let byte = (rest % 128) as u8;
        rest /= 128;
        if rest == 0 {
            out.push(byte);
            break;
        }
        out.push(byte | 0x80);
    }
    out.extend_from_slice(body);
    out
}
