//! Retained messages (3.3.1.3, 3.8.3.1).

use mqtt_toolbox::mqtt::packet::*;
use mqtt_toolbox::mqtt::{Properties, QoS, Version};

use super::client::{Client, QUALITIES, VERSIONS, request};
use crate::servers::MqttServe;
use crate::wire::connect;

fn start() -> MqttServe {
    MqttServe::start([""; 0])
}

#[test]
fn the_last_retained_message_of_each_topic_is_sent_to_new_subscriptions() {
    let broker = start();
    for version in VERSIONS {
        let mut publisher = Client::join(&broker, version, "publisher");
        publisher.retain("r/1", "old", QoS::ExactlyOnce);
        for (topic, qos) in [("r/1", 0), ("r/2", 1), ("r/3", 2), ("r", 1), ("$r/1", 1)] {
            publisher.retain(topic, "new", QUALITIES[qos]);
        }
        publisher.publish("r/2", "not retained", QoS::AtLeastOnce);
        publisher.publish("r/3", "", QoS::AtLeastOnce);
        // They are not part of any session.
        publisher.leave();
        let mut client = Client::join(&broker, version, "subscriber");
        for (filter, granted, expected) in [
            ("r/1", 2, vec!["r/1 new 0 retain"]),
            ("r/3", 2, vec!["r/3 new 2 retain"]),
            ("r/3", 1, vec!["r/3 new 1 retain"]),
            ("r/3", 0, vec!["r/3 new 0 retain"]),
            (
                "r/#",
                1,
                vec![
                    "r new 1 retain",
                    "r/1 new 0 retain",
                    "r/2 new 1 retain",
                    "r/3 new 1 retain",
                ],
            ),
            ("+/2", 1, vec!["r/2 new 1 retain"]),
            ("$r/+", 1, vec!["$r/1 new 1 retain"]),
            ("r/4", 1, vec![]),
        ] {
            client.subscribe(filter, QUALITIES[granted]);
            assert_eq!(client.hears(), expected, "{filter}");
            client.unsubscribe(&[filter]);
        }
        // Several filters in one packet are as many subscriptions.
        let both = ["r/1", "r/+"].map(|filter| request(filter, QoS::AtMostOnce));
        client.subscribe_to(both.to_vec(), &[]);
        assert_eq!(
            client.hears(),
            [
                "r/1 new 0 retain",
                "r/1 new 0 retain",
                "r/2 new 0 retain",
                "r/3 new 0 retain"
            ]
        );
        for topic in ["r/1", "r/2", "r/3", "r", "$r/1"] {
            client.retain(topic, "", QoS::AtMostOnce);
        }
    }
}

#[test]
fn to_standing_subscriptions_the_retain_flag_is_not_shown_unless_wanted() {
    let broker = start();
    for version in VERSIONS {
        let mut client = Client::join(&broker, version, "subscriber");
        client.subscribe("r", QoS::AtLeastOnce);
        client.retain("r", "x", QoS::AtLeastOnce);
        assert_eq!(client.hears(), ["r x 1"]);
        client.retain("r", "", QoS::AtLeastOnce);
        assert_eq!(client.hears(), ["r  1"]);
    }
    let mut client = Client::join(&broker, Version::V5, "subscriber");
    let mut as_published = request("r", QoS::AtLeastOnce);
    as_published.retain_as_published = true;
    client.subscribe_to(vec![as_published], &[]);
    client.retain("r", "x", QoS::AtLeastOnce);
    client.publish("r", "y", QoS::AtLeastOnce);
    client.retain("r", "", QoS::AtLeastOnce);
    assert_eq!(client.hears(), ["r x 1 retain", "r y 1", "r  1 retain"]);
}

#[test]
fn what_is_kept_for_a_client_that_is_away_shows_the_flag_in_the_same_way() {
    let broker = start();
    let mut publisher = Client::join(&broker, Version::V5, "publisher");
    for as_published in [false, true] {
        let mut client = Client::resume(&broker, Version::V5, "subscriber");
        let mut request = request("r", QoS::AtLeastOnce);
        request.retain_as_published = as_published;
        client.subscribe_to(vec![request], &[]);
        client.leave();
        publisher.retain("r", "x", QoS::AtLeastOnce);
        let mut client = Client::resume(&broker, Version::V5, "subscriber");
        let expected = if as_published {
            "r x 1 retain"
        } else {
            "r x 1"
        };
        assert_eq!(client.hears(), [expected]);
        client.leave();
        publisher.retain("r", "", QoS::AtLeastOnce);
        Client::join(&broker, Version::V5, "subscriber").leave();
    }
}

#[test]
fn an_empty_payload_clears_what_is_retained_but_only_with_the_flag() {
    let broker = start();
    for version in VERSIONS {
        let mut client = Client::join(&broker, version, "client");
        for qos in QUALITIES {
            client.retain("r", "x", qos);
            client.publish("r", "", qos);
            client.subscribe("r", QoS::ExactlyOnce);
            let qos = qos.number();
            assert_eq!(client.hears(), [format!("r x {qos} retain")]);
            client.retain("r", "", QUALITIES[usize::from(qos)]);
            assert_eq!(client.hears(), [format!("r  {qos}")]);
            client.unsubscribe(&["r"]);
            client.subscribe("r", QoS::ExactlyOnce);
            assert_eq!(
                client.hears(),
                [""; 0],
                "neither the message nor an empty one"
            );
            client.unsubscribe(&["r"]);
        }
        // Clearing what is not there is nothing.
        client.retain("never", "", QoS::AtLeastOnce);
    }
}

#[test]
fn retain_handling_says_when_retained_messages_are_wanted() {
    let broker = start();
    let mut client = Client::join(&broker, Version::V5, "client");
    client.retain("r", "x", QoS::AtLeastOnce);
    let mut ask = |handling, again: bool| {
        let mut request = request("r", QoS::AtLeastOnce);
        request.retain_handling = handling;
        client.subscribe_to(vec![request], &[]);
        let heard = client.hears();
        if !again {
            client.unsubscribe(&["r"]);
        }
        heard.len()
    };
    assert_eq!(ask(RetainHandling::Always, true), 1);
    assert_eq!(ask(RetainHandling::Always, true), 1);
    assert_eq!(ask(RetainHandling::IfNew, true), 0);
    assert_eq!(ask(RetainHandling::Never, false), 0);
    assert_eq!(ask(RetainHandling::IfNew, true), 1);
    assert_eq!(ask(RetainHandling::IfNew, false), 0);
    assert_eq!(ask(RetainHandling::Never, true), 0);
    assert_eq!(ask(RetainHandling::IfNew, true), 0);
    assert_eq!(ask(RetainHandling::Always, false), 1);
    // Neither is a session come back to a new subscription.
    let mut client = Client::resume(&broker, Version::V5, "other");
    client.subscribe("r", QoS::AtLeastOnce);
    assert_eq!(client.hears(), ["r x 1 retain"]);
    client.leave();
    assert_eq!(
        Client::resume(&broker, Version::V5, "other").hears(),
        [""; 0]
    );
}

#[test]
fn before_mqtt_5_every_subscribe_is_answered_with_the_retained_messages() {
    let broker = start();
    let mut client = Client::join(&broker, Version::V311, "client");
    client.retain("r", "x", QoS::AtLeastOnce);
    for _ in 0..3 {
        client.subscribe("r", QoS::AtLeastOnce);
        assert_eq!(client.hears(), ["r x 1 retain"]);
    }
}

#[test]
fn with_no_local_a_client_is_not_sent_what_it_retained_itself() {
    for workers in ["1", "3"] {
        let broker = MqttServe::start(["--workers", workers]);
        let mut client = Client::join(&broker, Version::V5, "both");
        let mut other = Client::join(&broker, Version::V5, "other");
        client.retain("room/1", "mine", QoS::AtLeastOnce);
        other.retain("room/2", "theirs", QoS::AtLeastOnce);
        // So does its will: it is published in the client's name.
        client.leave();
        let mut greeting = connect(Version::V5, "both");
        greeting.will = Some(Will {
            topic: "room/3".into(),
            payload: "mine too".into(),
            qos: QoS::AtLeastOnce,
            retain: true,
            properties: Properties::default(),
        });
        Client::greet(&broker, greeting).leave_with(4, &[]);
        // It is the client id that counts: this is another session.
        let mut client = Client::join(&broker, Version::V5, "both");
        let mut quiet = request("room/+", QoS::ExactlyOnce);
        for _ in 0..2 {
            quiet.no_local = true;
            client.subscribe_to(vec![quiet.clone()], &[]);
            assert_eq!(client.hears(), ["room/2 theirs 1 retain"]);
        }
        quiet.no_local = false;
        client.subscribe_to(vec![quiet.clone()], &[]);
        let all = [
            "room/1 mine 1 retain",
            "room/2 theirs 1 retain",
            "room/3 mine too 1 retain",
        ];
        assert_eq!(client.hears(), all);
        // And others are sent all of it, whatever they publish themselves.
        quiet.no_local = true;
        other.subscribe_to(vec![quiet], &[]);
        assert_eq!(
            other.hears(),
            ["room/1 mine 1 retain", "room/3 mine too 1 retain"]
        );
    }
}
