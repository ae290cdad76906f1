//! What the broker keeps for clients that are away or do not read, and where it stops.

use mqtt_toolbox::mqtt::codec;
use mqtt_toolbox::mqtt::packet::*;
use mqtt_toolbox::mqtt::{QoS, Version};

use super::client::{Client, VERSIONS};
use crate::servers::MqttServe;
use crate::wire::{Bystander, publish, subscribe};

/// A client that subscribes and leaves, twenty messages, and what is there when it is back.
fn missed(arguments: &[&str], version: Version, qos: QoS) -> Vec<String> {
    let broker = MqttServe::start(arguments);
    let mut publisher = Client::join(&broker, version, "publisher");
    let mut client = Client::resume(&broker, version, "away");
    client.subscribe("a", QoS::ExactlyOnce);
    client.leave();
    for number in 0..20 {
        publisher.publish("a", &format!("{number:0100}"), qos);
    }
    let heard = Client::resume(&broker, version, "away").takes();
    let number = |message: &Publish| {
        let digits = std::str::from_utf8(&message.payload).unwrap();
        digits.parse::<u32>().unwrap().to_string()
    };
    heard.iter().map(number).collect()
}

#[test]
fn beyond_its_limit_a_queue_keeps_what_came_first() {
    let numbers = |count: u32| -> Vec<String> { (0..count).map(|each| each.to_string()).collect() };
    for version in VERSIONS {
        for qos in [QoS::AtLeastOnce, QoS::ExactlyOnce] {
            assert_eq!(missed(&["--max-queued", "5"], version, qos), numbers(5));
            let bytes = missed(&["--max-queued-bytes", "1000"], version, qos);
            assert!((1..10).contains(&bytes.len()), "{bytes:?}");
            assert_eq!(bytes, numbers(bytes.len() as u32));
            assert_eq!(missed(&[""; 0], version, qos), numbers(20));
        }
    }
}

#[test]
fn qos_0_messages_wait_only_when_that_was_asked_for() {
    for version in VERSIONS {
        assert_eq!(missed(&[""; 0], version, QoS::AtMostOnce), [""; 0]);
        let kept = missed(&["--queue-qos0"], version, QoS::AtMostOnce);
        assert_eq!(kept.len(), 20);
    }
}

#[test]
fn a_hundred_thousand_retained_messages_come_to_one_wildcard_and_others_are_served_meanwhile() {
    let broker = MqttServe::start(["--workers", "1"]);
    let mut bystander = Bystander::new(broker.port);
    let mut publisher = Client::join(&broker, Version::V311, "publisher");
    let mut bytes = Vec::new();
    for number in 0..100_000 {
        let topic = format!("many/{}/{number}", number % 100);
        let Packet::Publish(mut message) = publish(&topic, b"x", QoS::AtMostOnce, 0) else {
            unreachable!("publish makes a PUBLISH");
        };
        message.retain = true;
        codec::write(&Packet::Publish(message), Version::V311, &mut bytes).unwrap();
    }
    publisher.wire.send_bytes(&bytes);
    publisher.fence();
    let mut client = Client::join(&broker, Version::V311, "subscriber");
    client.wire.send(subscribe(1, "many/+/#", QoS::AtLeastOnce));
    // Nothing of it has been read, nor need it be.
    for _ in 0..10 {
        bystander.is_served();
    }
    assert!(matches!(client.wire.receive(), Packet::SubAck(_)));
    let topics: std::collections::HashSet<String> = (0..100_000)
        .map(|_| {
            let message = client.message();
            assert!(message.retain);
            message.topic.to_string()
        })
        .collect();
    assert_eq!(topics.len(), 100_000);
    assert_eq!(client.sees(), []);
    // One level of them is found without the rest.
    client.subscribe("many/42/+", QoS::AtLeastOnce);
    assert_eq!(client.takes().len(), 1000);
}
