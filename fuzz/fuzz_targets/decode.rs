//! Any bytes, in each version: never a panic, and whatever is understood is written and understood the same again.
#![no_main]

use bytes::{Bytes, BytesMut};
use libfuzzer_sys::fuzz_target;
use mqtt_toolbox::mqtt::codec::{
    decode, frame, property_block, publish_view, read, refusal_version, write,
};
use mqtt_toolbox::mqtt::{Packet, Version};

fuzz_target!(|bytes: &[u8]| {
    let _ = refusal_version(bytes);
    for version in [Version::V31, Version::V311, Version::V5] {
        let mut buffer = BytesMut::from(bytes);
        // As a connection does: packet after packet, until one is refused or not whole.
        while let Ok(Some(packet)) = read(&mut buffer, version, 1_000_000) {
            written_and_read_again(&packet, version);
        }
        first_publish(bytes, version);
    }
});

fn written_and_read_again(packet: &Packet, version: Version) {
    let mut out = Vec::new();
    write(packet, version, &mut out).expect("it was read, so it is not too large");
    let again = decode(Bytes::from(out), version);
    assert_eq!(again.as_ref(), Ok(packet), "{version}");
}

/// Both ways to read a PUBLISH agree, and the property block is walked to its end.
fn first_publish(bytes: &[u8], version: Version) {
    let Ok(Some(found)) = frame(bytes, u32::MAX) else {
        return;
    };
    let view = publish_view(found.header, found.body, version);
    let decoded = decode(Bytes::copy_from_slice(&bytes[..found.length]), version);
    match view {
        Ok(view) => {
            let walked: usize = property_block(view.properties)
                .map(|(_, whole)| whole.len())
                .sum();
            assert_eq!(walked, view.properties.len());
            let mut out = Vec::new();
            view.write(version, &mut out)
                .expect("it was read, so it is not too large");
            assert_eq!(out.len(), view.encoded_length(version));
            if found.is_minimal() {
                assert_eq!(out, bytes[..found.length]);
                assert!(matches!(decoded, Ok(Packet::Publish(_))));
            }
        }
        Err(_) => assert!(!matches!(decoded, Ok(Packet::Publish(_)))),
    }
    // Not what the walk is for, and it must not panic all the same.
    property_block(found.body).for_each(drop);
}
