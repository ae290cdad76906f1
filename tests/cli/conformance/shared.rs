//! Shared subscriptions (4.8.2).

use mqtt_toolbox::mqtt::packet::*;
use mqtt_toolbox::mqtt::{Property, QoS, ReasonCode, Version};

use super::client::{Client, QUALITIES, VERSIONS, greeting_with, request};
use crate::servers::MqttServe;
use crate::wire::subscribe;

fn start() -> MqttServe {
    MqttServe::start(["--workers", "3"])
}

/// One partition: what ends one connection and what another sends then are in that order for everybody.
fn start_with_one_worker() -> MqttServe {
    MqttServe::start(["--workers", "1"])
}

#[test]
fn each_message_goes_to_one_member_and_they_take_turns() {
    let broker = start();
    for version in VERSIONS {
        let mut publisher = Client::join(&broker, version, "publisher");
        let mut members: Vec<Client> = (0..3)
            .map(|number| {
                let mut member = Client::join(&broker, version, &format!("member-{number}"));
                member.subscribe("$share/group/work/+", QoS::AtLeastOnce);
                member
            })
            .collect();
        let mut other_group = Client::join(&broker, version, "other group");
        other_group.subscribe("$share/other/work/#", QoS::AtLeastOnce);
        let mut alone = Client::join(&broker, version, "alone");
        alone.subscribe("work/1", QoS::AtLeastOnce);
        for number in 0..30 {
            publisher.publish("work/1", &number.to_string(), QoS::AtLeastOnce);
        }
        let mut all: Vec<String> = Vec::new();
        for member in &mut members {
            let heard = member.hears();
            assert_eq!(heard.len(), 10, "{heard:?}");
            all.extend(heard);
        }
        all.sort();
        let mut expected: Vec<String> =
            (0..30).map(|number| format!("work/1 {number} 1")).collect();
        assert_eq!(alone.hears(), expected);
        assert_eq!(other_group.hears(), expected);
        expected.sort();
        assert_eq!(all, expected);
        // Who is in a group and subscribes by itself as well, gets both.
        let mut both = members.remove(0);
        drop(members);
        both.subscribe("work/2", QoS::AtMostOnce);
        let mut heard = Vec::new();
        for _ in 0..3 {
            publisher.publish("work/2", "x", QoS::AtLeastOnce);
            heard.extend(both.hears());
        }
        let own = heard.iter().filter(|words| *words == "work/2 x 0");
        assert_eq!(own.count(), 3);
    }
}

#[test]
fn each_member_is_sent_messages_with_the_quality_it_was_granted() {
    let broker = start();
    for version in VERSIONS {
        let mut publisher = Client::join(&broker, version, "publisher");
        let mut members: Vec<Client> = QUALITIES
            .iter()
            .map(|qos| {
                let mut member = Client::join(&broker, version, &format!("member-{qos}"));
                member.subscribe("$share/group/work", *qos);
                member
            })
            .collect();
        for published in QUALITIES {
            for _ in 0..3 {
                publisher.publish("work", "x", published);
            }
            for (member, granted) in members.iter_mut().zip(QUALITIES) {
                let lower = published.min(granted).number();
                assert_eq!(member.hears(), [format!("work x {lower}")]);
            }
        }
    }
}

#[test]
fn no_retained_messages_are_sent_to_a_shared_subscription() {
    let broker = start();
    for version in VERSIONS {
        let mut member = Client::join(&broker, version, "member");
        member.retain("work", "kept", QoS::AtLeastOnce);
        for _ in 0..2 {
            member.subscribe("$share/group/work", QoS::AtLeastOnce);
            assert_eq!(member.hears(), [""; 0]);
        }
        member.publish("work", "x", QoS::AtLeastOnce);
        assert_eq!(member.hears(), ["work x 1"]);
    }
}

#[test]
fn no_local_with_a_shared_subscription_is_a_protocol_error() {
    let broker = start();
    let mut client = Client::join(&broker, Version::V5, "member");
    let Packet::Subscribe(mut packet) = subscribe(1, "$share/group/work", QoS::AtMostOnce) else {
        unreachable!("subscribe makes a SUBSCRIBE");
    };
    packet.filters[0].no_local = true;
    let mut bytes = Vec::new();
    let packet = Packet::Subscribe(packet);
    // The codec does not write it; the options byte is the last.
    if mqtt_toolbox::mqtt::codec::write(&packet, Version::V5, &mut bytes).is_ok() {
        client.wire.send_bytes(&bytes);
    }
    client.ends_with(0x82);
}

#[test]
fn a_member_that_leaves_gives_back_what_it_did_not_take() {
    for broker in [start(), start_with_one_worker()] {
        for version in VERSIONS {
            let mut publisher = Client::join(&broker, version, "publisher");
            let mut stays = Client::join(&broker, version, "stays");
            let mut leaves = Client::join(&broker, version, "leaves");
            stays.subscribe("$share/group/work", QoS::AtLeastOnce);
            leaves.subscribe("$share/group/work", QoS::AtLeastOnce);
            for number in 0..20 {
                publisher.publish("work", &number.to_string(), QoS::AtLeastOnce);
            }
            let mut taken: Vec<Publish> = stays.takes();
            assert_eq!(taken.len(), 10);
            let first = leaves.message();
            leaves.acknowledge(&first);
            taken.push(first);
            leaves.sees();
            leaves.vanish();
            publisher.publish("work", "20", QoS::AtLeastOnce);
            while taken.len() < 21 {
                let message = stays.message();
                stays.acknowledge(&message);
                taken.push(message);
            }
            let number = |message: &Publish| String::from_utf8_lossy(&message.payload).parse();
            let mut numbers: Vec<u32> = taken.iter().map(|each| number(each).unwrap()).collect();
            numbers.sort_unstable();
            assert_eq!(numbers, (0..=20).collect::<Vec<u32>>());
            assert_eq!(stays.sees(), []);
        }
    }
}

#[test]
fn a_qos_2_message_that_was_begun_is_completed_with_the_same_member() {
    let broker = start_with_one_worker();
    for version in VERSIONS {
        let mut publisher = Client::join(&broker, version, "publisher");
        let mut member = Client::resume(&broker, version, "member");
        let mut other = Client::join(&broker, version, "other");
        member.subscribe("$share/group/work", QoS::ExactlyOnce);
        other.subscribe("$share/group/work", QoS::ExactlyOnce);
        publisher.publish("work", "x", QoS::ExactlyOnce);
        publisher.publish("work", "x", QoS::ExactlyOnce);
        let begun = member.message();
        assert_eq!(other.hears().len(), 1);
        member.vanish();
        publisher.publish("work", "later", QoS::ExactlyOnce);
        assert_eq!(
            other.hears(),
            ["work later 2"],
            "those who are there are asked"
        );
        let mut member = Client::resume(&broker, version, "member");
        let again = member.takes();
        assert_eq!(again.len(), 1);
        assert_eq!((again[0].packet_id, again[0].dup), (begun.packet_id, true));
        member.leave();
        Client::join(&broker, version, "member").leave();
    }
}

#[test]
fn a_qos_2_message_that_was_begun_ends_with_the_session_of_its_member() {
    let broker = start_with_one_worker();
    for version in VERSIONS {
        let mut publisher = Client::join(&broker, version, "publisher");
        let mut member = Client::join(&broker, version, "member");
        member.subscribe("$share/group/work", QoS::ExactlyOnce);
        publisher.publish("work", "begun", QoS::ExactlyOnce);
        publisher.publish("work", "received", QoS::ExactlyOnce);
        member.message();
        let second = member.message();
        member.acknowledge(&second);
        let mut other = Client::join(&broker, version, "other");
        other.subscribe("$share/group/work", QoS::ExactlyOnce);
        member.vanish();
        publisher.publish("work", "fence", QoS::ExactlyOnce);
        assert_eq!(other.hears(), ["work fence 2"]);
    }
}

#[test]
fn a_message_a_member_refuses_is_given_to_nobody_else() {
    let broker = start_with_one_worker();
    let mut publisher = Client::join(&broker, Version::V5, "publisher");
    let mut picky = Client::join(&broker, Version::V5, "picky");
    picky.subscribe("$share/group/work", QoS::ExactlyOnce);
    for qos in [QoS::AtLeastOnce, QoS::ExactlyOnce] {
        publisher.publish("work", "x", qos);
        let message = picky.message();
        let mut refusal = Acknowledgement::success(message.packet_id);
        refusal.reason = ReasonCode(0x83);
        picky.wire.send(match qos {
            QoS::ExactlyOnce => Packet::PubRec(refusal),
            _ => Packet::PubAck(refusal),
        });
    }
    let mut other = Client::join(&broker, Version::V5, "other");
    other.subscribe("$share/group/work", QoS::ExactlyOnce);
    assert_eq!(picky.sees(), []);
    picky.vanish();
    publisher.publish("work", "fence", QoS::AtLeastOnce);
    assert_eq!(other.hears(), ["work fence 1"]);
}

#[test]
fn leaving_the_group_is_answered_and_ends_the_turns() {
    let broker = start();
    for version in VERSIONS {
        let mut publisher = Client::join(&broker, version, "publisher");
        let mut stays = Client::join(&broker, version, "stays");
        let mut leaves = Client::join(&broker, version, "leaves");
        for member in [&mut stays, &mut leaves] {
            member.subscribe("$share/group/work", QoS::AtLeastOnce);
        }
        let codes = leaves.unsubscribe(&["$share/group/work", "$share/other/work", "work"]);
        let expected: &[u8] = match version {
            Version::V5 => &[0, 0x11, 0x11],
            _ => &[],
        };
        assert_eq!(codes, expected);
        // The answer does not wait for the other partitions; a publish does.
        leaves.publish("elsewhere", "fence", QoS::AtLeastOnce);
        for _ in 0..4 {
            publisher.publish("work", "x", QoS::AtLeastOnce);
        }
        assert_eq!((stays.hears().len(), leaves.hears().len()), (4, 0));
    }
}

#[test]
fn a_group_waits_for_its_members_when_all_are_away() {
    let broker = start();
    for version in VERSIONS {
        let mut publisher = Client::join(&broker, version, "publisher");
        let mut member = Client::resume(&broker, version, "member");
        member.subscribe("$share/group/work", QoS::AtLeastOnce);
        member.leave();
        publisher.publish("work", "waits", QoS::AtLeastOnce);
        let mut member = Client::resume(&broker, version, "member");
        assert_eq!(member.hears(), ["work waits 1"]);
        member.leave();
        Client::join(&broker, version, "member").leave();
    }
}

#[test]
fn a_shared_subscription_has_identifier_and_options_like_any_other() {
    let broker = start();
    let mut member = Client::join(&broker, Version::V5, "member");
    let identifier = Property::SubscriptionIdentifier(77);
    let mut ask = request("$share/group/work", QoS::AtLeastOnce);
    ask.retain_as_published = true;
    member.subscribe_to(vec![ask], std::slice::from_ref(&identifier));
    member.retain("work", "x", QoS::AtLeastOnce);
    let taken = member.takes();
    assert_eq!(taken[0].properties.0, [identifier]);
    assert!(taken[0].retain);
    // Subscribing again replaces it; there is still one of it.
    member.subscribe("$share/group/work", QoS::AtMostOnce);
    member.retain("work", "y", QoS::AtLeastOnce);
    assert_eq!(member.hears(), ["work y 0"]);
}

#[test]
fn a_member_may_leave_behind_more_than_the_log_holds() {
    let broker = start();
    let mut publisher = Client::join(&broker, Version::V5, "publisher");
    let mut member = Client::resume(&broker, Version::V5, "member");
    member.subscribe("$share/group/work", QoS::AtLeastOnce);
    member.leave();
    let much = "x".repeat(100_000);
    for number in 0..400 {
        let payload = format!("{number} {much}");
        publisher.publish("work", &payload, QoS::AtLeastOnce);
    }
    let mut other = Client::join(&broker, Version::V5, "other");
    other.subscribe("$share/group/work", QoS::AtLeastOnce);
    // The session ends, and all that waits in it goes back to the group at once.
    Client::join(&broker, Version::V5, "member").leave();
    let mut numbers: Vec<u32> = Vec::new();
    while numbers.len() < 400 {
        for message in other.takes() {
            let payload = String::from_utf8_lossy(&message.payload);
            let number = payload.split(' ').next().and_then(|word| word.parse().ok());
            numbers.push(number.expect("it begins with its number"));
        }
    }
    assert_eq!(numbers, (0..400).collect::<Vec<u32>>());
}

#[test]
fn what_waited_for_a_members_window_is_given_back_too() {
    let broker = start_with_one_worker();
    let mut publisher = Client::join(&broker, Version::V5, "publisher");
    let mut member = Client::greet(
        &broker,
        greeting_with("member", &[Property::ReceiveMaximum(1)]),
    );
    member.subscribe("$share/group/work", QoS::AtLeastOnce);
    for payload in ["taken", "sent from the queue", "never sent"] {
        publisher.publish("work", payload, QoS::AtLeastOnce);
    }
    let first = member.message();
    member.acknowledge(&first);
    assert_eq!(member.message().payload, "sent from the queue");
    let mut other = Client::join(&broker, Version::V5, "other");
    other.subscribe("$share/group/work", QoS::AtLeastOnce);
    member.vanish();
    publisher.publish("elsewhere", "fence", QoS::AtLeastOnce);
    assert_eq!(
        other.hears(),
        ["work sent from the queue 1", "work never sent 1"]
    );
}
