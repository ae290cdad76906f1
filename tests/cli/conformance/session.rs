//! Whose session it is, how long it is kept, and who takes it over (3.1.2.4, 3.1.2.11.2, 3.1.3.1, 3.1.4, 4.1).

use mqtt_toolbox::mqtt::packet::*;
use mqtt_toolbox::mqtt::{Properties, Property, QoS, ReasonCode, Version};

use super::client::{Client, KEPT, VERSIONS, greeting_with, kept};
use crate::servers::MqttServe;
use crate::wire::connect;

fn start() -> MqttServe {
    MqttServe::start([""; 0])
}

#[test]
fn session_present_says_whether_there_was_one() {
    let broker = start();
    for version in VERSIONS {
        let id = format!("present-{version:?}");
        let first = Client::resume(&broker, version, &id);
        assert!(!first.connack.session_present, "there was none");
        first.leave();
        let second = Client::resume(&broker, version, &id);
        assert!(second.connack.session_present, "it was kept");
        second.vanish();
        let third = Client::resume(&broker, version, &id);
        assert!(third.connack.session_present, "it outlived an abrupt end");
        third.leave();
        let clean = Client::join(&broker, version, &id);
        assert!(!clean.connack.session_present, "it was not asked for");
        clean.leave();
        let last = Client::resume(&broker, version, &id);
        assert!(!last.connack.session_present, "it was discarded");
    }
}

#[test]
fn a_clean_start_forgets_subscriptions_and_messages() {
    let broker = start();
    for version in VERSIONS {
        let mut publisher = Client::join(&broker, version, "publisher");
        let mut client = Client::resume(&broker, version, "forgetful");
        client.subscribe("a", QoS::AtLeastOnce);
        client.leave();
        publisher.publish("a", "missed", QoS::AtLeastOnce);
        let mut clean = connect(version, "forgetful");
        clean.properties = kept(version, "").properties;
        let mut client = Client::greet(&broker, clean);
        publisher.publish("a", "unheard", QoS::AtLeastOnce);
        assert_eq!(client.hears(), [""; 0]);
        client.leave();
    }
}

#[test]
fn a_session_without_expiry_ends_with_its_connection() {
    let broker = start();
    for (version, expiry) in [
        (Version::V311, None),
        (Version::V5, None),
        (Version::V5, Some(0)),
    ] {
        let mut greeting = connect(version, "fleeting");
        if let Some(expiry) = expiry {
            greeting.clean_start = false;
            greeting
                .properties
                .push(Property::SessionExpiryInterval(expiry));
        }
        let mut client = Client::greet(&broker, greeting);
        client.subscribe("a", QoS::AtLeastOnce);
        client.vanish();
        let mut client = Client::resume(&broker, version, "fleeting");
        assert!(!client.connack.session_present);
        client.publish("a", "unheard", QoS::AtLeastOnce);
        assert_eq!(client.hears(), [""; 0]);
        client.leave();
        Client::join(&broker, version, "fleeting").leave();
    }
}

#[test]
fn a_session_expires_when_its_interval_has_passed_and_not_before() {
    let broker = MqttServe::start(["-v"]);
    let soon = Property::SessionExpiryInterval(1);
    let mut greeting = greeting_with("soon", std::slice::from_ref(&soon));
    greeting.clean_start = false;
    Client::greet(&broker, greeting.clone()).leave();
    let again = Client::greet(&broker, greeting.clone());
    assert!(again.connack.session_present, "it was kept meanwhile");
    // A clock that was started before the reconnect must not end the session under it.
    let mut other = greeting_with("other", &[soon]);
    other.clean_start = false;
    Client::greet(&broker, other.clone()).leave();
    crate::harness::eventually("the other session expires", || {
        let mut peek = other.clone();
        peek.properties = Properties(vec![Property::SessionExpiryInterval(1)]);
        let peek = Client::greet(&broker, peek);
        let present = peek.connack.session_present;
        peek.leave();
        std::thread::park_timeout(std::time::Duration::from_millis(1100));
        (!present).then_some(())
    });
    again.leave();
    assert!(Client::greet(&broker, greeting).connack.session_present);
}

#[test]
fn a_session_that_never_expires_is_there_still() {
    let broker = start();
    let never = greeting_with("ever", &[Property::SessionExpiryInterval(u32::MAX)]);
    Client::greet(&broker, never.clone()).leave();
    let mut resumed = never;
    resumed.clean_start = false;
    assert!(Client::greet(&broker, resumed).connack.session_present);
}

#[test]
fn disconnect_changes_how_long_the_session_is_kept() {
    let broker = start();
    // Kept till now, and not any longer.
    let client = Client::resume(&broker, Version::V5, "shorter");
    client.leave_with(0, &[Property::SessionExpiryInterval(0)]);
    let client = Client::resume(&broker, Version::V5, "shorter");
    assert!(!client.connack.session_present);
    // For ever instead of for a second.
    let greeting = greeting_with("longer", &[Property::SessionExpiryInterval(1)]);
    Client::greet(&broker, greeting).leave_with(0, &[Property::SessionExpiryInterval(u32::MAX)]);
    assert!(
        Client::resume(&broker, Version::V5, "longer")
            .connack
            .session_present
    );
    // But a session that was to end with its connection cannot be kept after all.
    let mut client = Client::join(&broker, Version::V5, "too late");
    client.wire.send(Packet::Disconnect(Disconnect {
        reason: ReasonCode::SUCCESS,
        properties: Properties(vec![Property::SessionExpiryInterval(KEPT)]),
    }));
    client.ends_with(0x82);
    assert!(
        !Client::resume(&broker, Version::V5, "too late")
            .connack
            .session_present
    );
}

#[test]
fn a_client_without_a_name_is_given_one_of_its_own() {
    let broker = start();
    let mut names = Vec::new();
    for clean_start in [true, false] {
        let mut greeting = connect(Version::V5, "");
        greeting.clean_start = clean_start;
        let client = Client::greet(&broker, greeting);
        assert!(!client.connack.session_present);
        let name = client.connack.properties.assigned_client_identifier();
        names.push((name.expect("the name is told"), client));
    }
    assert_ne!(names[0].0, names[1].0);
    // It is a name like any other: its session can be come back to.
    let mut greeting = connect(Version::V5, "");
    greeting
        .properties
        .push(Property::SessionExpiryInterval(KEPT));
    let client = Client::greet(&broker, greeting);
    let name = client.connack.properties.assigned_client_identifier();
    client.leave();
    let client = Client::resume(&broker, Version::V5, &name.unwrap());
    assert!(client.connack.session_present);
    assert_eq!(client.connack.properties.assigned_client_identifier(), None);
    // 3.1.1 has no words for the name, but two without one do not take each other's session over.
    let mut first = Client::join(&broker, Version::V311, "");
    let mut second = Client::join(&broker, Version::V311, "");
    first.subscribe("a", QoS::AtMostOnce);
    second.publish("a", "x", QoS::AtLeastOnce);
    assert_eq!(
        (first.hears(), second.hears()),
        (vec!["a x 0".into()], vec![])
    );
}

#[test]
fn client_ids_of_any_length_and_script_are_names() {
    let broker = start();
    let longest = "x".repeat(65_535);
    let longest_of_four = "🦀".repeat(16_383);
    let letters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let names = [
        "a",
        &letters[..23],
        &letters[23..46],
        &letters[46..],
        "MQTT/+/#",
        "$share/g/f",
        "名前 with spaces\tand\u{FEFF}marks",
        "\u{FEFF}",
        &longest,
        &longest_of_four,
    ];
    for version in VERSIONS {
        for name in names {
            let client = Client::resume(&broker, version, name);
            assert!(!client.connack.session_present, "{name:.20}");
            client.leave();
        }
        // Names that differ in the last byte or by a mark are different names.
        let last = format!("{}y", &longest[1..]);
        for name in [&last, "名前 with spaces\tandmarks", "A"] {
            let client = Client::join(&broker, version, name);
            assert!(!client.connack.session_present, "{name:.20}");
        }
        for name in names {
            let client = Client::resume(&broker, version, name);
            assert!(client.connack.session_present, "{name:.20}");
            client.leave();
            Client::join(&broker, version, name).leave();
        }
    }
}

#[test]
fn a_connection_with_the_same_client_id_takes_the_session_over() {
    let broker = start();
    for version in VERSIONS {
        let mut first = Client::resume(&broker, version, "same");
        first.subscribe("a", QoS::AtLeastOnce);
        let mut second = Client::resume(&broker, version, "same");
        assert!(second.connack.session_present);
        first.ends_with(0x8E);
        second.publish("a", "x", QoS::AtLeastOnce);
        assert_eq!(second.hears(), ["a x 1"]);
        let mut third = Client::join(&broker, version, "same");
        assert!(!third.connack.session_present);
        second.ends_with(0x8E);
        third.publish("a", "unheard", QoS::AtLeastOnce);
        assert_eq!(third.hears(), [""; 0]);
        third.leave();
    }
}

#[test]
fn a_session_may_be_taken_over_by_another_version() {
    let broker = start();
    let mut old = Client::resume(&broker, Version::V311, "grown up");
    old.subscribe("a", QoS::ExactlyOnce);
    let mut new = Client::resume(&broker, Version::V5, "grown up");
    assert!(new.connack.session_present);
    old.ends_with(0x8E);
    new.publish("a", "x", QoS::ExactlyOnce);
    assert_eq!(new.hears(), ["a x 2"]);
}
