//! Wills (3.1.2.5, 3.1.3.2, 3.14.4).

use mqtt_toolbox::mqtt::packet::*;
use mqtt_toolbox::mqtt::{Properties, Property, QoS, Version};

use super::client::{Client, KEPT, QUALITIES, VERSIONS, kept};
use crate::servers::MqttServe;
use crate::wire::connect;

/// One partition: what ends one connection and what another sends then are in that order for everybody.
fn start() -> MqttServe {
    MqttServe::start(["--workers", "1"])
}

fn with_will(version: Version, client_id: &str, properties: &[Property]) -> Box<Connect> {
    let mut greeting = connect(version, client_id);
    greeting.will = Some(Will {
        topic: "will".into(),
        payload: client_id.to_owned().into(),
        qos: QoS::AtLeastOnce,
        retain: false,
        properties: Properties(properties.to_vec()),
    });
    greeting
}

fn watcher(broker: &MqttServe, version: Version) -> Client {
    let mut watcher = Client::join(broker, version, "watcher");
    watcher.subscribe("will", QoS::ExactlyOnce);
    watcher
}

/// What the watcher hears up to a message that is published behind everything a test has done.
#[track_caller]
fn heard_by(watcher: &mut Client) -> Vec<String> {
    watcher.publish("will", "fence", QoS::AtLeastOnce);
    let mut heard = watcher.hears();
    assert_eq!(heard.pop().as_deref(), Some("will fence 1"));
    heard
}

#[test]
fn a_connection_that_breaks_leaves_the_will_and_a_normal_disconnect_does_not() {
    let broker = start();
    for version in VERSIONS {
        let mut watcher = watcher(&broker, version);
        Client::greet(&broker, with_will(version, "gone", &[])).vanish();
        assert_eq!(heard_by(&mut watcher), ["will gone 1"]);
        Client::greet(&broker, with_will(version, "left", &[])).leave();
        assert_eq!(heard_by(&mut watcher), [""; 0]);
        // A will is published once: not again for the connections of the session that come after.
        let mut greeting = with_will(version, "kept", &[]);
        greeting.clean_start = false;
        greeting.properties = kept(version, "").properties;
        Client::greet(&broker, greeting).vanish();
        assert_eq!(heard_by(&mut watcher), ["will kept 1"]);
        Client::resume(&broker, version, "kept").vanish();
        Client::resume(&broker, version, "kept").leave();
        Client::join(&broker, version, "kept").vanish();
        Client::join(&broker, version, "without").vanish();
        assert_eq!(heard_by(&mut watcher), [""; 0]);
    }
}

#[test]
fn a_fault_of_the_client_leaves_its_will() {
    let broker = start();
    for version in VERSIONS {
        let mut watcher = watcher(&broker, version);
        let mut client = Client::greet(&broker, with_will(version, "faulty", &[]));
        client
            .wire
            .send(Packet::Connect(connect(version, "faulty")));
        client.ends_with(0x82);
        assert_eq!(heard_by(&mut watcher), ["will faulty 1"]);
        let mut client = Client::greet(&broker, with_will(version, "malformed", &[]));
        client.wire.send_bytes(b"\xff\xff\xff\xff\xff");
        client.wire.rest();
        assert_eq!(heard_by(&mut watcher), ["will malformed 1"]);
    }
}

#[test]
fn disconnect_can_ask_for_the_will() {
    let broker = start();
    let mut watcher = watcher(&broker, Version::V5);
    for reason in [0x04, 0x80, 0x81, 0x99] {
        Client::greet(&broker, with_will(Version::V5, "asked", &[])).leave_with(reason, &[]);
        assert_eq!(heard_by(&mut watcher), ["will asked 1"], "0x{reason:02X}");
    }
}

#[test]
fn taking_a_session_over_leaves_the_will_of_the_old_connection() {
    let broker = start();
    for version in VERSIONS {
        let mut watcher = watcher(&broker, version);
        for clean_start in [true, false] {
            let mut greeting = with_will(version, "same", &[]);
            greeting.clean_start = false;
            greeting.properties = kept(version, "").properties;
            let old = Client::greet(&broker, greeting);
            let mut greeting = kept(version, "same");
            greeting.clean_start = clean_start;
            let new = Client::greet(&broker, greeting);
            old.ends_with(0x8E);
            assert_eq!(heard_by(&mut watcher), ["will same 1"]);
            new.vanish();
            assert_eq!(heard_by(&mut watcher), [""; 0], "the new one has none");
        }
        Client::join(&broker, version, "same").leave();
    }
}

#[test]
fn a_will_waits_for_its_delay_and_a_reconnect_in_time_takes_it_back() {
    let broker = start();
    let mut watcher = watcher(&broker, Version::V5);
    let delayed = |client_id: &str, delay| {
        let delay = Property::WillDelayInterval(delay);
        let mut greeting = with_will(Version::V5, client_id, &[delay]);
        greeting.clean_start = false;
        greeting.properties = Properties(vec![Property::SessionExpiryInterval(KEPT)]);
        greeting
    };
    // Back in time.
    Client::greet(&broker, delayed("back", 1)).vanish();
    Client::resume(&broker, Version::V5, "back").leave();
    // Taken over in time.
    let old = Client::greet(&broker, delayed("taken over", 1000));
    let new = Client::resume(&broker, Version::V5, "taken over");
    old.ends_with(0x8E);
    new.leave();
    // A normal end while the delay would run has none at all.
    Client::greet(&broker, delayed("left", 1)).leave();
    // Not back: after a second, and the message says nothing of the delay.
    let before = std::time::Instant::now();
    Client::greet(&broker, delayed("gone", 1)).vanish();
    assert_eq!(heard_by(&mut watcher), [""; 0], "too early");
    let will = watcher.message();
    assert!(before.elapsed().as_millis() >= 1000, "too early");
    watcher.acknowledge(&will);
    assert_eq!(will.payload, "gone");
    assert_eq!(will.properties, Properties::default());
    // The session's end is the will's last moment: here at once, by a clean start and by an expiry of 0.
    Client::greet(&broker, delayed("clean", 1000)).vanish();
    Client::join(&broker, Version::V5, "clean").leave();
    assert_eq!(heard_by(&mut watcher), ["will clean 1"]);
    let delay = Property::WillDelayInterval(1000);
    Client::greet(&broker, with_will(Version::V5, "no session", &[delay])).vanish();
    assert_eq!(heard_by(&mut watcher), ["will no session 1"]);
    // And by the expiry interval.
    let mut greeting = delayed("expired", 1000);
    greeting.properties = Properties(vec![Property::SessionExpiryInterval(1)]);
    Client::greet(&broker, greeting).vanish();
    let will = watcher.message();
    watcher.acknowledge(&will);
    assert_eq!(will.payload, "expired");
}

#[test]
fn a_silent_client_leaves_its_will() {
    let broker = start();
    let mut watcher = watcher(&broker, Version::V5);
    let mut greeting = with_will(Version::V5, "silent", &[]);
    greeting.keep_alive = 1;
    Client::greet(&broker, greeting).ends_with(0x8D);
    assert_eq!(heard_by(&mut watcher), ["will silent 1"]);
}

#[test]
fn a_will_has_the_quality_flag_and_properties_it_was_given() {
    let broker = start();
    for version in VERSIONS {
        let mut watcher = Client::join(&broker, version, "watcher");
        watcher.subscribe("will/+", QoS::ExactlyOnce);
        for qos in QUALITIES {
            for retain in [false, true] {
                let topic = format!("will/{retain}");
                let mut greeting = with_will(version, "gone", &[]);
                let will = greeting.will.as_mut().unwrap();
                will.topic = topic.as_str().into();
                (will.qos, will.retain) = (qos, retain);
                Client::greet(&broker, greeting).vanish();
                watcher.fence();
                let words = format!("{topic} gone {}", qos.number());
                assert_eq!(watcher.hears(), std::slice::from_ref(&words));
                let mut late = Client::join(&broker, version, "late");
                late.subscribe(&topic, QoS::ExactlyOnce);
                let expected = retain.then(|| format!("{words} retain"));
                assert_eq!(late.hears(), expected.as_slice());
                late.retain(&topic, "", QoS::AtLeastOnce);
                assert_eq!(watcher.hears(), [format!("{topic}  1")]);
            }
        }
        // An empty will is a message, too.
        let mut greeting = with_will(version, "gone", &[]);
        let will = greeting.will.as_mut().unwrap();
        (will.topic, will.payload) = ("will/empty".into(), "".into());
        Client::greet(&broker, greeting).vanish();
        watcher.fence();
        assert_eq!(watcher.hears(), ["will/empty  1"]);
    }
    let mut watcher = watcher(&broker, Version::V5);
    let user = |name: &str, value: &str| Property::UserProperty(name.into(), value.into());
    let properties = [
        user("b", "1"),
        Property::PayloadFormatIndicator(1),
        Property::MessageExpiryInterval(100),
        Property::ContentType("text/plain".into()),
        Property::ResponseTopic("answers".into()),
        Property::CorrelationData("data".into()),
        user("a", "2"),
        user("b", "0"),
    ];
    Client::greet(&broker, with_will(Version::V5, "gone", &properties)).vanish();
    watcher.fence();
    assert_eq!(watcher.takes()[0].properties.0, properties);
}

#[test]
fn when_the_broker_stops_no_will_is_published() {
    let mut broker = start();
    let mut watcher = watcher(&broker, Version::V5);
    let client = Client::greet(&broker, with_will(Version::V5, "served", &[]));
    broker.process.stop("TERM");
    client.ends_with(0x8B);
    match &watcher.wire.rest()[..] {
        [Packet::Disconnect(goodbye)] => assert_eq!(goodbye.reason.0, 0x8B),
        other => panic!("{other:?}"),
    }
}
