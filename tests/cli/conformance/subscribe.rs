//! SUBSCRIBE, UNSUBSCRIBE and which message goes to whom (3.3.4, 3.8 to 3.11, 4.7).

use mqtt_toolbox::mqtt::packet::*;
use mqtt_toolbox::mqtt::{Property, QoS, Version};

use super::client::{Client, QUALITIES, VERSIONS, in_words, request};
use crate::servers::MqttServe;
use crate::wire::publish;

fn start() -> MqttServe {
    MqttServe::start([""; 0])
}

#[test]
fn each_filter_is_granted_or_refused_in_its_place() {
    let broker = start();
    for version in VERSIONS {
        let mut client = Client::join(&broker, version, "subscriber");
        let refused = if version == Version::V5 { 0x8F } else { 0x80 };
        let asked = [
            ("a", 0, 0),
            ("a/#/b", 1, refused),
            ("#", 1, 1),
            ("a#", 2, refused),
            ("+", 2, 2),
            ("a+", 0, refused),
            ("+a/b", 0, refused),
            ("a/+b", 0, refused),
            ("##", 0, refused),
            ("", 0, refused),
            ("/", 1, 1),
            ("+/+/#", 2, 2),
            ("a//b", 0, 0),
            ("$share/g", 0, refused),
            ("$share//a", 0, refused),
            ("$share/g/", 0, refused),
            ("$share/g+/a", 0, refused),
            ("$share/#/a", 0, refused),
            ("$share/g/a#", 0, refused),
            ("$share/g/a/#", 1, 1),
            ("$sharing/is/caring", 1, 1),
        ];
        let filters = asked.map(|(filter, qos, _)| request(filter, QUALITIES[qos]));
        let answered = client.subscribe_to(filters.to_vec(), &[]);
        assert_eq!(answered, asked.map(|(_, _, code)| code), "{version:?}");
    }
}

#[test]
fn a_thousand_filters_in_one_packet_are_a_thousand_subscriptions() {
    let broker = start();
    for version in VERSIONS {
        let mut client = Client::join(&broker, version, "subscriber");
        let filters: Vec<String> = (0..1000).map(|number| format!("many/{number}")).collect();
        let qos = |number: usize| QUALITIES[number % 3];
        let requests = filters.iter().enumerate();
        let requests = requests.map(|(number, filter)| request(filter, qos(number)));
        let answered = client.subscribe_to(requests.collect(), &[]);
        let expected: Vec<u8> = (0..1000).map(|number| qos(number).number()).collect();
        assert_eq!(answered, expected);
        for number in [0, 1, 500, 999] {
            client.publish(&filters[number], "x", QoS::ExactlyOnce);
            let granted = qos(number).number();
            assert_eq!(client.hears(), [format!("many/{number} x {granted}")]);
        }
        let names: Vec<&str> = filters.iter().map(String::as_str).collect();
        let answered = client.unsubscribe(&names);
        let codes = if version == Version::V5 { 1000 } else { 0 };
        assert_eq!(answered, vec![0; codes]);
        client.publish("many/1", "x", QoS::AtLeastOnce);
        assert_eq!(client.hears(), [""; 0]);
    }
}

#[test]
fn wildcards_match_as_the_specification_says() {
    let broker = start();
    let topics = [
        "sport",
        "sport/",
        "sport/tennis",
        "sport/tennis/player1",
        "sport/tennis/player1/ranking",
        "sports",
        "/finance",
        "finance",
        "/",
        "//",
        "$SPORT",
        "$SPORT/tennis",
        "体育/网球",
    ];
    let rows: [(&str, &[&str]); 15] = [
        (
            "#",
            &[
                "sport",
                "sport/",
                "sport/tennis",
                "sport/tennis/player1",
                "sport/tennis/player1/ranking",
                "sports",
                "/finance",
                "finance",
                "/",
                "//",
                "体育/网球",
            ],
        ),
        (
            "sport/#",
            &[
                "sport",
                "sport/",
                "sport/tennis",
                "sport/tennis/player1",
                "sport/tennis/player1/ranking",
            ],
        ),
        ("sport/tennis/+", &["sport/tennis/player1"]),
        ("sport/+", &["sport/", "sport/tennis"]),
        ("+", &["sport", "sports", "finance"]),
        (
            "+/+",
            &["sport/", "sport/tennis", "/finance", "/", "体育/网球"],
        ),
        ("/+", &["/finance", "/"]),
        ("/#", &["/finance", "/", "//"]),
        (
            "+/tennis/#",
            &[
                "sport/tennis",
                "sport/tennis/player1",
                "sport/tennis/player1/ranking",
            ],
        ),
        ("+/tennis/+/ranking", &["sport/tennis/player1/ranking"]),
        ("+/+/+", &["sport/tennis/player1", "//"]),
        ("$SPORT/#", &["$SPORT", "$SPORT/tennis"]),
        ("$SPORT/+", &["$SPORT/tennis"]),
        ("体育/+", &["体育/网球"]),
        ("sport", &["sport"]),
    ];
    for version in VERSIONS {
        let mut client = Client::join(&broker, version, "subscriber");
        for (filter, expected) in rows {
            client.subscribe(filter, QoS::AtMostOnce);
            for topic in topics {
                client.publish(topic, "", QoS::AtLeastOnce);
            }
            let heard = client.takes();
            let heard: Vec<&str> = heard.iter().map(|message| &*message.topic).collect();
            assert_eq!(heard, expected, "{filter}");
            client.unsubscribe(&[filter]);
        }
    }
}

#[test]
fn topics_are_compared_byte_by_byte() {
    let broker = start();
    // Capitals, spaces, separators, composed and decomposed letters, byte order marks: nothing is made the same.
    let topics = [
        "accounts",
        "Accounts",
        "accounts ",
        "accounts payable",
        "/accounts",
        "accounts/",
        "accounts//",
        "caf\u{E9}",
        "cafe\u{301}",
        "\u{FEFF}accounts",
        "acco\u{FEFF}unts",
        "\u{FFFD}",
        ".",
        "..",
        "a/../b",
        "b",
    ];
    for version in VERSIONS {
        let mut client = Client::join(&broker, version, "subscriber");
        for filter in topics {
            client.subscribe(filter, QoS::AtMostOnce);
            for topic in topics {
                client.publish(topic, "", QoS::AtLeastOnce);
            }
            let heard = client.takes();
            assert_eq!(heard.len(), 1, "{filter:?}: {heard:?}");
            assert_eq!(&*heard[0].topic, filter);
            client.unsubscribe(&[filter]);
        }
    }
}

#[test]
fn topics_and_filters_may_be_as_long_as_a_string_can_be() {
    let broker = start();
    for version in VERSIONS {
        let mut client = Client::join(&broker, version, "subscriber");
        let longest = "x".repeat(65_535);
        client.subscribe(&longest, QoS::AtMostOnce);
        client.publish(&longest, "long", QoS::AtLeastOnce);
        client.publish(&longest[1..], "shorter", QoS::AtLeastOnce);
        let heard = client.takes();
        assert_eq!(heard.len(), 1);
        assert_eq!(*heard[0].topic, *longest);
        // As many levels as fit are a topic too.
        let levels = "/".repeat(65_535);
        client.publish(&levels, "deep", QoS::AtLeastOnce);
        client.subscribe("//////#", QoS::AtMostOnce);
        client.publish(&levels, "deep", QoS::AtLeastOnce);
        assert_eq!(client.takes().len(), 1);
    }
}

#[test]
fn subscribing_again_replaces_the_subscription() {
    let broker = start();
    for version in VERSIONS {
        let mut client = Client::join(&broker, version, "subscriber");
        for qos in [QoS::AtMostOnce, QoS::ExactlyOnce, QoS::AtLeastOnce] {
            client.subscribe("again/#", qos);
            client.publish("again/1", "x", QoS::ExactlyOnce);
            assert_eq!(client.hears(), [format!("again/1 x {}", qos.number())]);
        }
        // Twice in one packet is the same as one after the other.
        let twice = [QoS::ExactlyOnce, QoS::AtMostOnce].map(|qos| request("twice", qos));
        assert_eq!(client.subscribe_to(twice.to_vec(), &[]), [2, 0]);
        client.publish("twice", "x", QoS::ExactlyOnce);
        assert_eq!(client.hears(), ["twice x 0"]);
        client.unsubscribe(&["again/#", "twice"]);
        client.publish("again/1", "x", QoS::AtLeastOnce);
        client.publish("twice", "x", QoS::AtLeastOnce);
        assert_eq!(client.hears(), [""; 0]);
    }
    let mut client = Client::join(&broker, Version::V5, "subscriber");
    let identifier = Property::SubscriptionIdentifier;
    let ask = || vec![request("again", QoS::AtMostOnce)];
    for (property, expected) in [
        (vec![identifier(1)], vec![identifier(1)]),
        (vec![identifier(2)], vec![identifier(2)]),
        (vec![], vec![]),
    ] {
        client.subscribe_to(ask(), &property);
        client.publish("again", "x", QoS::AtLeastOnce);
        let heard = client.takes();
        assert_eq!(heard.len(), 1);
        assert_eq!(heard[0].properties.0, expected);
    }
}

#[test]
fn no_message_is_lost_while_a_subscription_is_replaced() {
    let broker = start();
    for version in VERSIONS {
        let mut subscriber = Client::join(&broker, version, "subscriber");
        let mut publisher = Client::join(&broker, version, "publisher");
        subscriber.subscribe("flow", QoS::AtLeastOnce);
        let publishing = std::thread::spawn(move || {
            for number in 0..1000 {
                publisher.publish("flow", &number.to_string(), QoS::AtLeastOnce);
            }
        });
        let mut heard = Vec::new();
        while !publishing.is_finished() {
            subscriber.subscribe("flow", QUALITIES[1 + heard.len() % 2]);
            heard.extend(subscriber.takes());
        }
        publishing.join().unwrap();
        heard.extend(subscriber.takes());
        let numbers = heard.iter().map(|message| message.payload.to_vec());
        let expected = (0..1000).map(|number: u32| number.to_string().into_bytes());
        assert!(numbers.eq(expected), "{} came", heard.len());
    }
}

#[test]
fn overlapping_subscriptions_give_one_copy_with_the_highest_quality_and_all_identifiers() {
    let broker = start();
    for version in VERSIONS {
        let mut client = Client::join(&broker, version, "subscriber");
        client.subscribe("overlap/#", QoS::AtMostOnce);
        client.subscribe("overlap/+", QoS::ExactlyOnce);
        client.subscribe("overlap/1", QoS::AtLeastOnce);
        for qos in QUALITIES {
            client.publish("overlap/1", "x", qos);
            assert_eq!(client.hears(), [format!("overlap/1 x {}", qos.number())]);
        }
        client.unsubscribe(&["overlap/+"]);
        client.publish("overlap/1", "x", QoS::ExactlyOnce);
        assert_eq!(client.hears(), ["overlap/1 x 1"]);
    }
    let mut client = Client::join(&broker, Version::V5, "subscriber");
    let most = 268_435_455;
    for (filter, identifier) in [
        ("overlap/#", Some(1)),
        ("overlap/+", Some(most)),
        ("+/1", None),
        ("overlap/1", Some(1)),
        ("overlap/2", Some(7)),
    ] {
        let identifier = identifier.map(Property::SubscriptionIdentifier);
        let asked = vec![request(filter, QoS::AtMostOnce)];
        client.subscribe_to(asked, identifier.as_slice());
    }
    client.publish("overlap/1", "x", QoS::AtLeastOnce);
    let heard = client.takes();
    assert_eq!(heard.len(), 1);
    let mut identifiers: Vec<u32> = heard[0]
        .properties
        .0
        .iter()
        .map(|property| match property {
            Property::SubscriptionIdentifier(identifier) => *identifier,
            other => panic!("{other:?}"),
        })
        .collect();
    identifiers.sort_unstable();
    assert_eq!(identifiers, [1, 1, most]);
}

#[test]
fn subscription_identifiers_come_with_every_kind_of_message() {
    let broker = start();
    let mut publisher = Client::join(&broker, Version::V5, "publisher");
    publisher.retain("kept", "x", QoS::AtLeastOnce);
    let mut client = Client::resume(&broker, Version::V5, "subscriber");
    let identifier = Property::SubscriptionIdentifier(300);
    let asked = vec![request("kept", QoS::AtLeastOnce)];
    client.subscribe_to(asked, std::slice::from_ref(&identifier));
    let carries = |message: &Publish| {
        assert_eq!(message.properties.0, std::slice::from_ref(&identifier));
    };
    let retained = client.message();
    carries(&retained);
    client.vanish();
    publisher.publish("kept", "while away", QoS::AtLeastOnce);
    let mut client = Client::resume(&broker, Version::V5, "subscriber");
    let heard = client.takes();
    heard.iter().for_each(carries);
    assert_eq!(
        heard.iter().map(in_words).collect::<Vec<_>>(),
        ["kept x 1 retain dup", "kept while away 1"]
    );
    // A client cannot send one along.
    let Packet::Publish(mut packet) = publish("kept", b"x", QoS::AtMostOnce, 0) else {
        unreachable!("publish makes a PUBLISH");
    };
    packet
        .properties
        .push(Property::SubscriptionIdentifier(300));
    publisher.wire.send(Packet::Publish(packet));
    publisher.ends_with(0x82);
}

#[test]
fn with_no_local_a_client_does_not_hear_itself() {
    let broker = start();
    let mut client = Client::resume(&broker, Version::V5, "subscriber");
    let mut other = Client::join(&broker, Version::V5, "other");
    let mut quiet = request("room/+", QoS::ExactlyOnce);
    quiet.no_local = true;
    client.subscribe_to(vec![quiet], &[]);
    for qos in QUALITIES {
        client.publish("room/1", "mine", qos);
    }
    other.publish("room/1", "theirs", QoS::AtLeastOnce);
    assert_eq!(client.hears(), ["room/1 theirs 1"]);
    // It is the client id that counts, not the connection.
    client.vanish();
    let mut client = Client::resume(&broker, Version::V5, "subscriber");
    client.publish("room/1", "mine", QoS::AtLeastOnce);
    assert_eq!(client.hears(), [""; 0]);
    // With an overlapping subscription without the option it hears itself through that one.
    client.subscribe("room/#", QoS::AtMostOnce);
    client.publish("room/1", "mine", QoS::ExactlyOnce);
    assert_eq!(client.hears(), ["room/1 mine 0"]);
    client.unsubscribe(&["room/#"]);
    // And it may change its mind.
    client.subscribe("room/+", QoS::AtMostOnce);
    client.publish("room/1", "mine", QoS::ExactlyOnce);
    assert_eq!(client.hears(), ["room/1 mine 0"]);
}

#[test]
fn unsubscribing_takes_away_exactly_what_is_named_and_says_what_there_was() {
    let broker = start();
    for version in VERSIONS {
        let mut client = Client::join(&broker, version, "subscriber");
        for filter in ["a/b", "a/+", "a/#", "A/b"] {
            client.subscribe(filter, QoS::AtMostOnce);
        }
        let codes = |codes: &[u8]| match version {
            Version::V5 => codes.to_vec(),
            _ => vec![],
        };
        let gone = client.unsubscribe(&["a/+", "a/c", "+/b", "a/b/", "a/b", "a/b"]);
        assert_eq!(gone, codes(&[0, 0x11, 0x11, 0x11, 0, 0x11]));
        client.publish("a/b", "x", QoS::AtLeastOnce);
        client.publish("A/b", "x", QoS::AtLeastOnce);
        assert_eq!(client.hears(), ["a/b x 0", "A/b x 0"]);
        assert_eq!(client.unsubscribe(&["a/#"]), codes(&[0]));
        assert_eq!(client.unsubscribe(&["never"]), codes(&[0x11]));
        client.publish("a/b", "x", QoS::AtLeastOnce);
        assert_eq!(client.hears(), [""; 0]);
    }
}

#[test]
fn deliveries_that_have_begun_are_completed_after_unsubscribing() {
    let broker = start();
    for version in VERSIONS {
        let mut publisher = Client::join(&broker, version, "publisher");
        let mut client = Client::resume(&broker, version, "subscriber");
        client.subscribe("a", QoS::ExactlyOnce);
        publisher.publish("a", "1", QoS::AtLeastOnce);
        publisher.publish("a", "2", QoS::ExactlyOnce);
        client.unsubscribe(&["a"]);
        publisher.publish("a", "3", QoS::ExactlyOnce);
        client.vanish();
        let mut client = Client::resume(&broker, version, "subscriber");
        assert_eq!(client.hears(), ["a 1 1 dup", "a 2 2 dup"]);
        client.leave();
        Client::join(&broker, version, "subscriber").leave();
    }
}

#[test]
fn subscriptions_and_messages_wait_for_a_client_that_is_away() {
    let broker = start();
    for version in VERSIONS {
        let mut publisher = Client::join(&broker, version, "publisher");
        let mut client = Client::resume(&broker, version, "subscriber");
        client.subscribe("a/+", QoS::ExactlyOnce);
        client.subscribe("b", QoS::AtMostOnce);
        client.leave();
        let mut expected = Vec::new();
        for number in 0..30 {
            let qos = QUALITIES[number % 3];
            publisher.publish("a/1", &number.to_string(), qos);
            if qos > QoS::AtMostOnce {
                expected.push(format!("a/1 {number} {}", qos.number()));
            }
        }
        publisher.publish("b", "granted 0", QoS::ExactlyOnce);
        let mut client = Client::resume(&broker, version, "subscriber");
        assert_eq!(client.hears(), expected);
        publisher.publish("b", "there again", QoS::ExactlyOnce);
        assert_eq!(client.hears(), ["b there again 0"]);
        client.leave();
        Client::join(&broker, version, "subscriber").leave();
    }
}
