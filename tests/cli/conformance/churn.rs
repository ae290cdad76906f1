//! Client ids, topics and filters that come and go: the broker counts nothing afterwards, and has not grown.
//!
//! Every name is a kilobyte long: a broker that kept one name of each client of the second half would grow by more than is
//! allowed. `CHURN_ROUNDS=2000 cargo test --release --test cli churn` is an hour of it.

use std::io::{Read, Write};
use std::net::TcpStream;

use mqtt_toolbox::mqtt::packet::*;
use mqtt_toolbox::mqtt::{Properties, Property, QoS, Version};

use super::client::{Client, KEPT, kept, request};
use crate::harness::eventually;
use crate::servers::{MqttServe, free_port};

const CLIENTS: usize = 150;
const FILTERS: usize = 4;

/// Bytes the broker may have grown by for each client that is gone: less than one of its names, and uneven pages of the
/// allocator, which a busy machine has more of.
const LIMIT: usize = 768;

/// What must be nothing in the end.
const GAUGES: [&str; 7] = [
    "sessions",
    "subscriptions",
    "shared_subscriptions",
    "retained_messages",
    "queued_messages",
    "queued_bytes",
    "in_flight_messages",
];

#[test]
fn nothing_is_kept_of_clients_topics_and_filters_that_are_gone() {
    let rounds = std::env::var("CHURN_ROUNDS").map_or(20, |text: String| text.parse().unwrap());
    let metrics = format!("127.0.0.1:{}", free_port());
    let broker = MqttServe::start(["--metrics", &metrics, "--sys-interval", "0"]);
    let mut memory = Vec::new();
    for round in 0..rounds {
        come_and_go(&broker, round);
        let left = || {
            let text = scrape(&metrics);
            let values = GAUGES.map(|gauge| (gauge, value(&text, gauge)));
            values.iter().all(|(_, value)| *value == 0).then_some(())
        };
        // A socket that was closed without a word is noticed a moment later.
        eventually("the broker has nothing left", left);
        memory.push(crate::load::resident(broker.process.id()));
    }
    // The first half fills the log's segments and the allocator's pools.
    let (half, end) = (memory[rounds / 2 - 1], memory[rounds - 1]);
    let clients = (rounds - rounds / 2) * CLIENTS;
    let grown = end.saturating_sub(half) as usize * 1024 / clients;
    let measured = format!(
        "{} clients came and went, each with {FILTERS} filters and a topic of its own; during the last {clients} the broker \
         went from {half} to {end} KiB, {grown} bytes a client\n",
        rounds * CLIENTS,
    );
    // Straight to the terminal: it is of interest also when all is well.
    let _ = std::io::stderr().write_all(measured.as_bytes());
    assert!(grown < LIMIT, "{measured}after each round: {memory:?}");
}

/// A round of clients, each with names nobody had before, until all of them are gone.
fn come_and_go(broker: &MqttServe, round: usize) {
    let name = |kind: &str, number: usize| format!("{kind}-{round}-{number}-{:x<1000}", "");
    let mut publisher = Client::join(broker, Version::V5, "publisher");
    let alias = |alias: usize| Property::TopicAlias(alias as u16 + 1);
    let mut away = Vec::new();
    for number in 0..CLIENTS {
        let version = [Version::V311, Version::V5][number % 2];
        let (id, topic) = (name("client", number), name("topic", number));
        let mut greeting = kept(version, &id);
        greeting.will = Some(Will {
            topic: name("will", number).into(),
            payload: id.clone().into(),
            qos: QoS::AtLeastOnce,
            retain: number % 3 == 0,
            properties: match version {
                Version::V5 => Properties(vec![Property::WillDelayInterval(KEPT)]),
                _ => Properties::default(),
            },
        });
        if version == Version::V5 {
            greeting.properties.push(Property::TopicAliasMaximum(10));
        }
        let mut client = Client::greet(broker, greeting);
        let filters: [String; FILTERS] = [
            topic.clone(),
            format!("{topic}/#"),
            format!("{topic}/+/{}", name("level", number)),
            format!("$share/{}/{topic}", name("group", number)),
        ];
        let filters = filters.map(|filter| request(&filter, QoS::ExactlyOnce));
        client.subscribe_to(filters.to_vec(), &[]);
        for qos in [QoS::AtMostOnce, QoS::ExactlyOnce] {
            publisher.publish_as(&topic, &id, qos, |publish| {
                publish.retain = true;
                publish.properties.push(alias(number % 50));
            });
        }
        match number % 4 {
            // Some take everything and unsubscribe, some only unsubscribe, some take nothing, some are cut off.
            0 => {
                client.takes();
                client.unsubscribe(&[&topic, &format!("{topic}/#")]);
                client.leave();
            }
            1 => {
                client.unsubscribe(&[&topic]);
                client.leave();
            }
            2 => client.leave(),
            _ => client.vanish(),
        }
        publisher.publish(&topic, "while away", QoS::ExactlyOnce);
        away.push((version, id, topic));
    }
    for (version, id, topic) in away {
        let client = Client::resume(broker, version, &id);
        assert!(client.connack.session_present);
        match version {
            Version::V5 => client.leave_with(0, &[Property::SessionExpiryInterval(0)]),
            _ => {
                client.vanish();
                Client::join(broker, version, &id).leave();
            }
        }
        publisher.retain(&topic, "", QoS::AtLeastOnce);
    }
    // Wills that are retained came at the end of their connections, or of their sessions.
    for number in 0..CLIENTS {
        publisher.retain(&name("will", number), "", QoS::AtLeastOnce);
    }
    publisher.leave();
}

/// The broker's metrics.
fn scrape(address: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("the metrics are served there");
    let question = b"GET /metrics HTTP/1.0\r\n\r\n";
    stream.write_all(question).expect("the question is taken");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("an answer");
    text
}

fn value(text: &str, name: &str) -> u64 {
    let name = format!("mqtt_{name} ");
    let value = text.lines().find_map(|line| line.strip_prefix(&name));
    value
        .and_then(|value| value.parse().ok())
        .unwrap_or_else(|| panic!("{name}is not in {text}"))
}
