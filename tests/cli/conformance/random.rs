//! Random clients against a small model of what MQTT sessions are: who must receive what, how often and in which order.
//!
//! One action happens at a time and each is over before the next, so the model knows every packet the broker owes to
//! every client, not only the set of them. A failing run says its seed and its last actions; `MODEL_SEED=seed` plays it again.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher};
use std::io::Write;

use mqtt_toolbox::mqtt::packet::*;
use mqtt_toolbox::mqtt::{Properties, Property, QoS, ReasonCode, Version};

use super::client::{Client, KEPT, QUALITIES, request};
use super::model::{
    Connection, Delivery, Flight, Message, Options, Owed, Peer, Unanswered, matches,
};
use crate::servers::MqttServe;
use crate::wire::{connect, publish};

const STEPS: usize = 600;
const CLIENTS: usize = 4;
const TOPICS: [&str; 4] = ["t", "t/a", "t/b", "t/a/b"];
const FILTERS: [&str; 8] = ["t", "t/a", "t/b", "t/+", "t/#", "#", "+/a/#", "+/b"];

#[test]
fn random_clients_receive_what_the_model_says() {
    let given = std::env::var("MODEL_SEED").ok();
    let seeds: Vec<u64> = match given {
        Some(seed) => vec![seed.parse().expect("a seed is a number")],
        None => {
            let fresh = std::hash::RandomState::new().build_hasher().finish();
            (1..=20).chain([fresh]).collect()
        }
    };
    for seed in seeds {
        World::new(seed).run();
    }
}

struct World {
    seed: u64,
    random: u64,
    actions: Vec<String>,
    broker: MqttServe,
    /// Sees every message, so that one knows when something nobody waits for has passed.
    watcher: Client,
    peers: [Peer; CLIENTS],
    retained: BTreeMap<&'static str, Message>,
    messages: usize,
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let from = self.actions.len().saturating_sub(60);
            let last = self.actions[from..].join("\n  ");
            let _ = writeln!(
                std::io::stderr(),
                "MODEL_SEED={} failed at step {}; the last ones were\n  {last}",
                self.seed,
                self.actions.len()
            );
        }
    }
}

impl World {
    fn new(seed: u64) -> World {
        let workers = (seed % 3 + 1).to_string();
        let broker = MqttServe::start(["--workers", &workers]);
        let mut watcher = Client::join(&broker, Version::V5, "watcher");
        watcher.subscribe("t/#", QoS::AtMostOnce);
        World {
            seed,
            random: seed,
            actions: Vec::new(),
            broker,
            watcher,
            peers: Default::default(),
            retained: BTreeMap::new(),
            messages: 0,
        }
    }

    fn run(&mut self) {
        for _ in 0..STEPS {
            let peer = self.below(CLIENTS);
            if self.peers[peer].connection.is_none() {
                self.connect(peer);
                continue;
            }
            match self.below(40) {
                0 => self.connect(peer),
                1 => self.vanish(peer),
                2 => self.leave(peer),
                3 => self.publish_and_vanish(peer),
                4..=8 => self.subscribe(peer),
                9..=10 => self.unsubscribe(peer),
                11..=20 => self.publish(peer),
                21..=22 => self.publish_half(peer),
                23..=24 => self.repeat(peer),
                25..=28 => self.look(peer),
                _ => self.answer(peer),
            }
        }
        // In the end everybody comes back, takes everything, and nothing is left over.
        for number in 0..CLIENTS {
            if self.peers[number]
                .session
                .as_ref()
                .is_none_or(|session| !session.kept)
            {
                continue;
            }
            self.greet(number, Version::V5, false, true, None, None);
            self.look(number);
            while let Some(Unanswered { .. }) = self.connection(number).unanswered.first() {
                self.answer_at(number, 0, false);
                self.look(number);
            }
            let session = self.peers[number].session.as_ref().unwrap();
            assert!(session.queue.is_empty() && session.flights.is_empty());
        }
    }

    /// A number below the limit, by SplitMix64.
    fn below(&mut self, limit: usize) -> usize {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % limit as u64) as usize
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn note(&mut self, number: usize, action: String) {
        self.actions.push(format!("client {number}: {action}"));
    }

    fn connection(&mut self, number: usize) -> &mut Connection {
        self.peers[number]
            .connection
            .as_mut()
            .expect("it is connected")
    }

    fn message(&mut self, publisher: usize) -> Message {
        self.messages += 1;
        let retain = self.one_in(5);
        let empty = retain && self.one_in(2);
        Message {
            publisher,
            topic: TOPICS[self.below(TOPICS.len())],
            payload: if empty {
                String::new()
            } else {
                self.messages.to_string()
            },
            qos: QUALITIES[self.below(3)],
            retain,
        }
    }

    /// The message has passed the broker: everybody is owed it who wants it.
    fn passed(&mut self, message: &Message) {
        if message.retain && message.payload.is_empty() {
            self.retained.remove(message.topic);
        } else if message.retain {
            self.retained.insert(message.topic, message.clone());
        }
        for (number, peer) in self.peers.iter_mut().enumerate() {
            let Some(delivery) = peer.wants(number, message) else {
                continue;
            };
            if peer.connection.is_some() || delivery.qos > QoS::AtMostOnce {
                let session = peer.session.as_mut().expect("it wants something");
                session.queue.push_back(delivery);
            }
            peer.pump();
        }
    }

    /// Waits until a message that nobody acknowledges to us has passed.
    fn await_passing(&mut self, message: &Message) {
        self.watcher.waits_for(&message.payload);
        self.watcher.fence();
    }

    fn connect(&mut self, number: usize) {
        let version = [Version::V311, Version::V5][self.below(2)];
        let clean = self.one_in(4);
        let kept = match version {
            Version::V5 => !self.one_in(4),
            _ => !clean,
        };
        let window = match self.below(4) {
            _ if version == Version::V311 => None,
            0 => Some(1),
            1 => Some(2),
            2 => Some(7),
            _ => None,
        };
        let will = self.one_in(2).then(|| {
            let mut will = self.message(number);
            if will.payload.is_empty() {
                // One has to be able to wait for it.
                will.payload = format!("will {}", self.messages);
            }
            will
        });
        self.greet(number, version, clean, kept, window, will);
    }

    /// CONNECT, which takes a connection there may be over.
    fn greet(
        &mut self,
        number: usize,
        version: Version,
        clean: bool,
        kept: bool,
        window: Option<u16>,
        will: Option<Message>,
    ) {
        self.note(
            number,
            format!(
                "connect {version:?} clean={clean} kept={kept} window={window:?} will={will:?}"
            ),
        );
        let mut greeting = connect(version, &format!("client-{number}"));
        greeting.clean_start = clean;
        greeting.keep_alive = 0;
        greeting.will = will.as_ref().map(|will| Will {
            topic: will.topic.into(),
            payload: will.payload.clone().into(),
            qos: will.qos,
            retain: will.retain,
            properties: Properties::default(),
        });
        if version == Version::V5 {
            let expiry = if kept { KEPT } else { 0 };
            greeting
                .properties
                .push(Property::SessionExpiryInterval(expiry));
            let window = window.map(Property::ReceiveMaximum);
            greeting.properties.0.extend(window);
        }
        let client = Client::greet(&self.broker, greeting);
        let peer = &mut self.peers[number];
        let old = peer.connection.take();
        let last_will = old.and_then(|mut old| {
            let old_version = old.client.wire.version;
            let rest = old.client.wire.rest();
            let taken_over = |goodbye: &Disconnect| goodbye.reason == ReasonCode(0x8E);
            let last = rest.last();
            let five = old_version == Version::V5;
            assert!(
                !five || matches!(last, Some(Packet::Disconnect(goodbye)) if taken_over(goodbye))
            );
            old.will
        });
        peer.detach();
        if clean {
            peer.session = None;
        }
        assert_eq!(client.connack.session_present, peer.session.is_some());
        peer.session.get_or_insert_default().kept = kept;
        peer.connection = Some(Connection {
            client,
            will,
            window: window.map_or(1000, usize::from),
            owed: Vec::new(),
            unanswered: Vec::new(),
        });
        peer.pump();
        if let Some(will) = last_will {
            self.await_passing(&will);
            self.passed(&will);
        }
    }

    fn vanish(&mut self, number: usize) {
        self.note(number, "vanish".into());
        let connection = self.peers[number].connection.take().unwrap();
        connection.client.vanish();
        self.peers[number].detach();
        if let Some(will) = connection.will {
            self.await_passing(&will);
            self.passed(&will);
        }
    }

    fn leave(&mut self, number: usize) {
        let version = self.connection(number).client.wire.version;
        let (ask_for_will, forget) = match version {
            Version::V5 => (self.one_in(3), self.one_in(4)),
            _ => (false, false),
        };
        self.note(
            number,
            format!("disconnect, ask_for_will={ask_for_will} forget={forget}"),
        );
        let connection = self.peers[number].connection.take().unwrap();
        let expiry = [Property::SessionExpiryInterval(0)];
        connection.client.leave_with(
            if ask_for_will { 4 } else { 0 },
            if forget { &expiry } else { &[] },
        );
        if forget {
            self.peers[number].session = None;
        }
        self.peers[number].detach();
        if let Some(will) = connection.will.filter(|_| ask_for_will) {
            self.await_passing(&will);
            self.passed(&will);
        }
    }

    /// The last thing it says, and nobody hears the answer.
    fn publish_and_vanish(&mut self, number: usize) {
        let mut message = self.message(number);
        if message.payload.is_empty() {
            message.payload = format!("last {}", self.messages);
        }
        if self.peers[number].wants(number, &message).is_some() {
            // Whether it still reaches the connection that is closing may go either way.
            return self.vanish(number);
        }
        self.note(number, format!("publish and vanish: {message:?}"));
        let packet_id = self.peers[number].packet_id();
        let mut connection = self.peers[number].connection.take().unwrap();
        let mut packet = publish(
            message.topic,
            message.payload.as_bytes(),
            message.qos,
            packet_id,
        );
        if let Packet::Publish(packet) = &mut packet {
            packet.retain = message.retain;
        }
        connection.client.wire.send(packet);
        connection.client.vanish();
        let session = self.peers[number].session.as_mut().unwrap();
        if message.qos == QoS::ExactlyOnce {
            session.unreleased.push((packet_id, message.clone()));
        }
        self.peers[number].detach();
        self.await_passing(&message);
        self.passed(&message);
        if let Some(will) = connection.will {
            self.await_passing(&will);
            self.passed(&will);
        }
    }

    fn subscribe(&mut self, number: usize) {
        let five = self.connection(number).client.wire.version == Version::V5;
        let filter = FILTERS[self.below(FILTERS.len())];
        let options = Options {
            qos: QUALITIES[self.below(3)],
            no_local: five && self.one_in(4),
            as_published: five && self.one_in(3),
            identifier: if five { self.below(3) as u32 } else { 0 },
        };
        let handling = match self.below(4) {
            0 if five => RetainHandling::IfNew,
            1 if five => RetainHandling::Never,
            _ => RetainHandling::Always,
        };
        self.note(
            number,
            format!("subscribe {filter} {options:?} {handling:?}"),
        );
        let mut asked = request(filter, options.qos);
        (asked.no_local, asked.retain_as_published) = (options.no_local, options.as_published);
        asked.retain_handling = handling;
        let identifier = (options.identifier > 0)
            .then_some(Property::SubscriptionIdentifier(options.identifier));
        let client = &mut self.connection(number).client;
        let granted = client.subscribe_to(vec![asked], identifier.as_slice());
        assert_eq!(granted, [options.qos.number()]);
        let peer = &mut self.peers[number];
        let session = peer.session.as_mut().unwrap();
        let new = session.filters.insert(filter, options).is_none();
        let wanted = match handling {
            RetainHandling::Always => true,
            RetainHandling::IfNew => new,
            RetainHandling::Never => false,
        };
        // Which topic comes first is not promised by anybody; the broker has them in order.
        for message in self
            .retained
            .values()
            .filter(|message| wanted && matches(filter, message.topic))
            .filter(|message| !(options.no_local && message.publisher == number))
        {
            session.queue.push_back(Delivery {
                topic: message.topic.to_owned(),
                payload: message.payload.clone(),
                qos: message.qos.min(options.qos),
                retain: true,
                identifiers: Some(options.identifier)
                    .filter(|id| *id > 0)
                    .into_iter()
                    .collect(),
            });
        }
        peer.pump();
    }

    fn unsubscribe(&mut self, number: usize) {
        let filter = FILTERS[self.below(FILTERS.len())];
        self.note(number, format!("unsubscribe {filter}"));
        let connection = self.connection(number);
        let codes = connection.client.unsubscribe(&[filter]);
        let five = connection.client.wire.version == Version::V5;
        let session = self.peers[number].session.as_mut().unwrap();
        let code = if session.filters.remove(filter).is_some() {
            0
        } else {
            0x11
        };
        assert_eq!(codes, if five { vec![code] } else { vec![] });
    }

    fn publish(&mut self, number: usize) {
        let message = self.message(number);
        self.note(number, format!("publish {message:?}"));
        let packet_id = self.peers[number].packet_id();
        let Message {
            topic,
            payload,
            qos,
            retain,
            ..
        } = &message;
        let client = &mut self.connection(number).client;
        client.publish_as(topic, payload, *qos, |packet| {
            packet.retain = *retain;
            packet.packet_id = if *qos == QoS::AtMostOnce {
                0
            } else {
                packet_id
            };
        });
        self.passed(&message);
    }

    /// The first half of a QoS 2 handshake.
    fn publish_half(&mut self, number: usize) {
        let mut message = self.message(number);
        message.qos = QoS::ExactlyOnce;
        let packet_id = self.peers[number].packet_id();
        self.note(
            number,
            format!("publish up to PUBREC as {packet_id} {message:?}"),
        );
        self.send_until_pubrec(number, packet_id, &message, false);
        let session = self.peers[number].session.as_mut().unwrap();
        session.unreleased.push((packet_id, message.clone()));
        self.passed(&message);
    }

    /// Repeats a QoS 2 publish that is not released, which nobody is to notice, and perhaps releases it.
    fn repeat(&mut self, number: usize) {
        let unreleased = &self.peers[number].session.as_ref().unwrap().unreleased;
        let count = unreleased.len();
        if count == 0 {
            return;
        }
        let place = self.below(count);
        let (packet_id, message) =
            self.peers[number].session.as_ref().unwrap().unreleased[place].clone();
        self.note(number, format!("repeat {packet_id}"));
        self.send_until_pubrec(number, packet_id, &message, true);
        if self.one_in(2) {
            self.note(number, format!("release {packet_id}"));
            let client = &mut self.connection(number).client;
            client
                .wire
                .send(Packet::PubRel(Acknowledgement::success(packet_id)));
            client.expect(|packet| {
                matches!(packet, Packet::PubComp(answer) if answer.packet_id == packet_id && answer.reason == ReasonCode::SUCCESS)
                    .then_some(())
            });
            self.peers[number]
                .session
                .as_mut()
                .unwrap()
                .unreleased
                .remove(place);
        }
    }

    fn send_until_pubrec(&mut self, number: usize, packet_id: u16, message: &Message, dup: bool) {
        let mut packet = publish(
            message.topic,
            message.payload.as_bytes(),
            QoS::ExactlyOnce,
            packet_id,
        );
        if let Packet::Publish(packet) = &mut packet {
            (packet.retain, packet.dup) = (message.retain, dup);
        }
        let client = &mut self.connection(number).client;
        client.wire.send(packet);
        client.expect(|packet| {
            matches!(packet, Packet::PubRec(answer) if answer.packet_id == packet_id).then_some(())
        });
    }

    /// Everything that has come is what was owed.
    fn look(&mut self, number: usize) {
        self.note(number, "look".into());
        let Peer {
            connection,
            session,
            ..
        } = &mut self.peers[number];
        let (connection, session) = (connection.as_mut().unwrap(), session.as_mut().unwrap());
        let packets = connection.client.sees();
        let owed = std::mem::take(&mut connection.owed);
        let five = connection.client.wire.version == Version::V5;
        assert_eq!(
            packets.len(),
            owed.len(),
            "came {packets:#?}\nowed {owed:#?}"
        );
        for (packet, owed) in packets.iter().zip(owed) {
            match (packet, &owed) {
                (
                    Packet::Publish(came),
                    Owed::Publish {
                        delivery,
                        serial,
                        dup,
                    },
                ) => {
                    let identifiers = |property: &Property| match property {
                        Property::SubscriptionIdentifier(identifier) => Some(*identifier),
                        _ => None,
                    };
                    let mut identifiers: Vec<u32> =
                        came.properties.0.iter().filter_map(identifiers).collect();
                    identifiers.sort_unstable();
                    let mut expected = delivery.clone();
                    if !five {
                        expected.identifiers.clear();
                    }
                    let came_as = Delivery {
                        topic: came.topic.to_string(),
                        payload: String::from_utf8_lossy(&came.payload).into_owned(),
                        qos: came.qos,
                        retain: came.retain,
                        identifiers,
                    };
                    assert_eq!((came_as, came.dup), (expected, *dup));
                    let Some(serial) = *serial else { continue };
                    let used = |flight: &Flight| {
                        flight.serial != serial && flight.packet_id == Some(came.packet_id)
                    };
                    assert!(
                        !session.flights.iter().any(used),
                        "{} is in use",
                        came.packet_id
                    );
                    let flight = session
                        .flights
                        .iter_mut()
                        .find(|flight| flight.serial == serial)
                        .unwrap();
                    assert_eq!(
                        *flight.packet_id.get_or_insert(came.packet_id),
                        came.packet_id
                    );
                    connection.unanswered.push(Unanswered {
                        serial,
                        qos: came.qos,
                        complete: false,
                    });
                }
                (Packet::PubRel(release), Owed::Release(serial)) => {
                    let flight = session
                        .flights
                        .iter()
                        .find(|flight| flight.serial == *serial)
                        .unwrap();
                    assert_eq!(flight.packet_id, Some(release.packet_id));
                    connection.unanswered.push(Unanswered {
                        serial: *serial,
                        qos: QoS::ExactlyOnce,
                        complete: true,
                    });
                }
                _ => panic!("{packet:?} came, owed is {owed:?}"),
            }
        }
    }

    fn answer(&mut self, number: usize) {
        let count = self.connection(number).unanswered.len();
        if count == 0 {
            return self.look(number);
        }
        for _ in 0..=self.below(count) {
            // Nearly always the first: that is what the specification asks of clients.
            let left = self.connection(number).unanswered.len();
            let place = if self.one_in(8) { self.below(left) } else { 0 };
            let refuse = self.one_in(10);
            self.answer_at(number, place, refuse);
        }
        self.connection(number).client.is_heard();
    }

    fn answer_at(&mut self, number: usize, place: usize, refuse: bool) {
        let Peer {
            connection,
            session,
            ..
        } = &mut self.peers[number];
        let (connection, session) = (connection.as_mut().unwrap(), session.as_mut().unwrap());
        let Unanswered {
            serial,
            qos,
            complete,
        } = connection.unanswered.remove(place);
        let found = session
            .flights
            .iter()
            .position(|flight| flight.serial == serial)
            .unwrap();
        let packet_id = session.flights[found].packet_id.unwrap();
        let refuse = refuse && !complete && connection.client.wire.version == Version::V5;
        let mut answer = Acknowledgement::success(packet_id);
        if refuse {
            answer.reason = ReasonCode(0x97);
        }
        let packet = match qos {
            _ if complete => Packet::PubComp(answer),
            QoS::ExactlyOnce => Packet::PubRec(answer),
            _ => Packet::PubAck(answer),
        };
        let words = format!("{packet:?}");
        connection.client.wire.send(packet);
        if qos == QoS::ExactlyOnce && !complete && !refuse {
            session.flights[found].released = true;
            connection.owed.push(Owed::Release(serial));
        } else {
            session.flights.remove(found);
            self.peers[number].pump();
        }
        self.note(number, words);
    }
}
