//! A broker and the model of it, side by side: every action is done to both. One happens at a time and each is over before
//! the next, so the model knows every packet the broker owes to every client, not only the set of them.

use std::io::Write;

use mqtt_toolbox::mqtt::packet::*;
use mqtt_toolbox::mqtt::{Properties, Property, QoS, ReasonCode, Version};

use super::client::{Client, request};
use super::in_process::{InProcess, Memory};
use super::model::{CLIENTS, Connection, FOR_EVER, Message, Model, Options, Owed, Unanswered};
use crate::servers::MqttServe;
use crate::wire::{Stream, Wire, connect, publish};

/// What an action takes, in milliseconds, where time is the test's: nothing falls on the same instant as anything else.
const TICK: u64 = 5;

/// A broker to try.
pub trait Broker {
    type Stream: Stream;

    /// Whether its time passes only in [`Broker::advance`].
    const OWNS_TIME: bool;

    fn open(&self) -> Self::Stream;

    fn advance(&self, milliseconds: u64);
}

impl Broker for InProcess {
    type Stream = Memory;
    const OWNS_TIME: bool = true;

    fn open(&self) -> Memory {
        InProcess::open(self)
    }

    fn advance(&self, milliseconds: u64) {
        InProcess::advance(self, milliseconds);
    }
}

impl Broker for MqttServe {
    type Stream = std::net::TcpStream;
    const OWNS_TIME: bool = false;

    fn open(&self) -> std::net::TcpStream {
        Wire::connect(self.port, Version::V5).stream
    }

    fn advance(&self, _: u64) {}
}

/// What a client connects with.
#[derive(Debug)]
pub struct Greeting {
    pub version: Version,
    pub clean: bool,
    /// Seconds the session is to outlive the connection.
    pub expiry: u32,
    pub window: Option<u16>,
    /// The will, and its delay in seconds.
    pub will: Option<(Message, u32)>,
}

pub struct World<'b, B: Broker> {
    pub model: Model,
    pub clients: [Option<Client<B::Stream>>; CLIENTS],
    broker: &'b B,
    /// Sees every message, so that one knows when something nobody waits for has passed.
    watcher: Client<B::Stream>,
    name: String,
    actions: Vec<String>,
}

impl<B: Broker> Drop for World<'_, B> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let from = self.actions.len().saturating_sub(60);
            let last = self.actions[from..].join("\n  ");
            let (name, steps) = (&self.name, self.actions.len());
            let _ = writeln!(
                std::io::stderr(),
                "{name} failed at step {steps}; the last ones were\n  {last}"
            );
        }
    }
}

impl<'b, B: Broker> World<'b, B> {
    /// Nobody is there yet. The name is what is said when it fails.
    pub fn new(broker: &'b B, name: String) -> World<'b, B> {
        let wire = Wire::over(broker.open(), Version::V5);
        let mut greeting = connect(Version::V5, "watcher");
        greeting.keep_alive = 0;
        let mut watcher = Client::over(wire, greeting);
        watcher.subscribe("t/#", QoS::AtMostOnce);
        World {
            model: Model::default(),
            clients: Default::default(),
            broker,
            watcher,
            name,
            actions: Vec::new(),
        }
    }

    pub fn note(&mut self, number: usize, action: String) {
        self.actions.push(format!("client {number}: {action}"));
    }

    pub fn client(&mut self, number: usize) -> &mut Client<B::Stream> {
        self.clients[number].as_mut().expect("it is connected")
    }

    fn version(&mut self, number: usize) -> Version {
        self.client(number).wire.version
    }

    fn settle(&mut self) {
        self.let_it_pass();
        self.tick();
    }

    /// Something ended: returns when its will has passed, and whatever else that brought about.
    fn let_it_pass(&mut self) {
        for will in std::mem::take(&mut self.model.wills) {
            self.watcher.waits_for(&will.payload);
        }
        self.watcher.fence();
        if self.model.peers.iter().any(|peer| peer.is_member) {
            // What a member leaves behind may be passed on once more, behind the first of them.
            self.watcher.fence();
        }
    }

    fn tick(&mut self) {
        if B::OWNS_TIME {
            self.broker.advance(TICK);
            self.model.now += TICK;
        }
    }

    /// Lets seconds pass, and whatever is due in them happen one by one.
    pub fn pass(&mut self, seconds: u64) {
        self.actions.push(format!("{seconds} seconds pass"));
        let end = self.model.now + seconds * 1000;
        while let Some((at, due, number)) = self.model.due().filter(|(at, _, _)| *at < end) {
            // A little later, because timers are exact to the millisecond only.
            self.advance_to(at + 2);
            self.note(number, format!("{due:?}"));
            self.model.happens(due, number);
            // The first exchange gives the broker's timers their turn.
            self.watcher.fence();
            self.let_it_pass();
        }
        self.advance_to(end);
        self.tick();
    }

    fn advance_to(&mut self, at: u64) {
        self.broker.advance(at - self.model.now);
        self.model.now = at;
    }

    /// CONNECT, which takes a connection there may be over.
    pub fn greet(&mut self, number: usize, greeting: Greeting) {
        self.note(number, format!("{greeting:?}"));
        let Greeting {
            version,
            clean,
            expiry,
            window,
            will,
        } = greeting;
        let five = version == Version::V5;
        let mut packet = connect(version, &format!("client-{number}"));
        (packet.clean_start, packet.keep_alive) = (clean, 0);
        packet.will = will.as_ref().map(|(will, delay)| {
            let delay = Property::WillDelayInterval(*delay);
            let mut properties = properties_of(will);
            properties.0.extend(five.then_some(delay));
            Will {
                topic: will.topic.into(),
                payload: will.payload.clone().into(),
                qos: will.qos,
                retain: will.retain,
                properties,
            }
        });
        if five {
            let expiry = Property::SessionExpiryInterval(expiry);
            let window = window.map(Property::ReceiveMaximum);
            packet
                .properties
                .0
                .extend([expiry].into_iter().chain(window));
        }
        let wire = Wire::over(self.broker.open(), version);
        let client = Client::over(wire, packet);
        let present = client.connack.session_present;
        if let Some(old) = self.clients[number].replace(client) {
            is_taken_over(old);
        }
        let connection = Connection {
            version,
            will,
            window: window.map_or(1000, usize::from),
            owed: Vec::new(),
            unanswered: Vec::new(),
        };
        assert_eq!(present, self.model.greet(number, connection, clean, expiry));
        self.settle();
    }

    pub fn vanish(&mut self, number: usize) {
        self.note(number, "vanish".into());
        self.take_client(number).vanish();
        self.model.hang_up(number, true);
        self.settle();
    }

    /// DISCONNECT, perhaps with a new session expiry interval.
    pub fn leave(&mut self, number: usize, with_will: bool, expiry: Option<u32>) {
        self.note(
            number,
            format!("disconnect with_will={with_will} expiry={expiry:?}"),
        );
        let properties: Vec<Property> = expiry
            .map(Property::SessionExpiryInterval)
            .into_iter()
            .collect();
        let reason = if with_will { 4 } else { 0 };
        self.take_client(number).leave_with(reason, &properties);
        if let Some(expiry) = expiry {
            self.model.session(number).expiry = expiry;
        }
        self.model.hang_up(number, with_will);
        self.settle();
    }

    fn take_client(&mut self, number: usize) -> Client<B::Stream> {
        self.clients[number].take().expect("it is connected")
    }

    /// The last thing it says, and nobody hears the answer.
    pub fn publish_and_vanish(&mut self, number: usize, message: Message) {
        if self.model.peers[number].may_be_sent(number, &message) {
            // Whether it still reaches the connection that is closing may go either way.
            return self.vanish(number);
        }
        self.note(number, format!("publish and vanish: {message:?}"));
        let packet_id = self.model.peers[number].packet_id();
        let mut client = self.take_client(number);
        client.wire.send(packet_of(&message, packet_id, false));
        client.vanish();
        if message.qos == QoS::ExactlyOnce {
            let unreleased = &mut self.model.session(number).unreleased;
            unreleased.push((packet_id, message.clone()));
        }
        self.model.passed(&message, None);
        self.watcher.waits_for(&message.payload);
        self.model.hang_up(number, true);
        self.settle();
    }

    /// SUBSCRIBE to a filter or to a share.
    pub fn subscribe(
        &mut self,
        number: usize,
        filter: &'static str,
        options: Options,
        handling: RetainHandling,
    ) {
        self.note(
            number,
            format!("subscribe {filter} {options:?} {handling:?}"),
        );
        let mut asked = request(filter, options.qos);
        (asked.no_local, asked.retain_as_published) = (options.no_local, options.as_published);
        asked.retain_handling = handling;
        let identifiers: Vec<Property> = options
            .identifiers()
            .into_iter()
            .map(Property::SubscriptionIdentifier)
            .collect();
        let granted = self.client(number).subscribe_to(vec![asked], &identifiers);
        assert_eq!(granted, [options.qos.number()]);
        let peer = &mut self.model.peers[number];
        let session = peer.session.as_mut().expect("it is connected");
        if filter.starts_with("$share/") {
            session.shares.insert(filter, options);
            peer.is_member = true;
            return self.tick();
        }
        let new = session.filters.insert(filter, options).is_none();
        if match handling {
            RetainHandling::Always => true,
            RetainHandling::IfNew => new,
            RetainHandling::Never => false,
        } {
            self.model.send_retained(number, filter, options);
        }
        self.tick();
    }

    /// UNSUBSCRIBE from a filter or from a share.
    pub fn unsubscribe(&mut self, number: usize, filter: &'static str) {
        self.note(number, format!("unsubscribe {filter}"));
        let codes = self.client(number).unsubscribe(&[filter]);
        let five = self.version(number) == Version::V5;
        let session = self.model.session(number);
        let removed = match filter.starts_with("$share/") {
            true => session.shares.remove(filter),
            false => session.filters.remove(filter),
        };
        let code = if removed.is_some() { 0 } else { 0x11 };
        assert_eq!(codes, if five { vec![code] } else { vec![] });
        // The answer does not wait for the other partitions; this does.
        self.client(number).fence();
        self.tick();
    }

    /// PUBLISH with its whole handshake.
    pub fn publish(&mut self, number: usize, message: Message) {
        self.note(number, format!("publish {message:?}"));
        let packet_id = self.model.peers[number].packet_id();
        let client = self.client(number);
        client.publish_as(message.topic, &message.payload, message.qos, |packet| {
            let Packet::Publish(whole) = packet_of(&message, packet_id, false) else {
                unreachable!("it is a PUBLISH");
            };
            *packet = whole;
        });
        self.model.passed(&message, None);
        self.tick();
    }

    /// The first half of a QoS 2 handshake.
    pub fn publish_half(&mut self, number: usize, message: Message) {
        let packet_id = self.model.peers[number].packet_id();
        self.note(
            number,
            format!("publish up to PUBREC as {packet_id} {message:?}"),
        );
        self.send_until_pubrec(number, packet_id, &message, false);
        let unreleased = &mut self.model.session(number).unreleased;
        unreleased.push((packet_id, message.clone()));
        self.model.passed(&message, None);
        self.tick();
    }

    /// Repeats a QoS 2 publish that is not released, which nobody is to notice, and perhaps releases it.
    pub fn repeat(&mut self, number: usize, place: usize, release: bool) {
        let (packet_id, message) = self.model.session(number).unreleased[place].clone();
        self.note(number, format!("repeat {packet_id}, release={release}"));
        self.send_until_pubrec(number, packet_id, &message, true);
        if release {
            let client = self.client(number);
            client
                .wire
                .send(Packet::PubRel(Acknowledgement::success(packet_id)));
            client.expect(|packet| {
                matches!(packet, Packet::PubComp(answer) if answer.packet_id == packet_id && answer.reason == ReasonCode::SUCCESS)
                    .then_some(())
            });
            self.model.session(number).unreleased.remove(place);
        }
        self.tick();
    }

    fn send_until_pubrec(&mut self, number: usize, packet_id: u16, message: &Message, dup: bool) {
        let client = self.client(number);
        client.wire.send(packet_of(message, packet_id, dup));
        client.expect(|packet| {
            matches!(packet, Packet::PubRec(answer) if answer.packet_id == packet_id).then_some(())
        });
    }

    /// Answers one of the packets it has seen, perhaps with a refusal.
    pub fn answer_at(&mut self, number: usize, place: usize, refuse: bool) {
        let connection = self.model.connection(number);
        let five = connection.version == Version::V5;
        let Unanswered {
            serial,
            qos,
            complete,
        } = connection.unanswered.remove(place);
        let flights = &mut self.model.session(number).flights;
        let found = flights.iter().position(|flight| flight.serial == serial);
        let found = found.expect("it is in flight");
        let packet_id = flights[found].packet_id.expect("it was seen");
        let refuse = refuse && !complete && five;
        let mut answer = Acknowledgement::success(packet_id);
        if refuse {
            answer.reason = ReasonCode(0x97);
        }
        let is_received = qos == QoS::ExactlyOnce && !complete && !refuse;
        if is_received {
            flights[found].released = true;
            let owed = &mut self.model.connection(number).owed;
            owed.push(Owed::Release(serial));
        } else {
            flights.remove(found);
            self.model.pump(number);
        }
        let packet = match qos {
            _ if complete => Packet::PubComp(answer),
            QoS::ExactlyOnce => Packet::PubRec(answer),
            _ => Packet::PubAck(answer),
        };
        self.note(number, format!("{packet:?}"));
        self.client(number).wire.send(packet);
    }

    /// In the end everybody comes back, takes everything and leaves for good, and nothing is left over.
    pub fn end(mut self) {
        for number in 0..CLIENTS {
            let session = self.model.peers[number].session.as_ref();
            if session.is_some_and(|session| session.expiry > 0) {
                let greeting = Greeting {
                    version: Version::V5,
                    clean: false,
                    expiry: FOR_EVER,
                    window: None,
                    will: None,
                };
                self.greet(number, greeting);
            }
        }
        let there: Vec<usize> = (0..CLIENTS)
            .filter(|number| self.clients[*number].is_some())
            .collect();
        for number in there.iter().copied() {
            self.look(number);
            while !self.model.connection(number).unanswered.is_empty() {
                self.answer_at(number, 0, false);
                self.look(number);
            }
            let session = self.model.session(number);
            assert!(session.queue.is_empty() && session.flights.is_empty());
        }
        self.model.assert_that_nothing_is_lost();
        for number in there {
            let five = self.version(number) == Version::V5;
            self.leave(number, false, five.then_some(0));
        }
        for topic in std::mem::take(&mut self.model.retained).into_keys() {
            self.watcher.retain(topic, "", QoS::AtLeastOnce);
        }
        let goodbye = Disconnect {
            reason: ReasonCode::SUCCESS,
            properties: Properties::default(),
        };
        self.watcher.wire.send(Packet::Disconnect(goodbye));
        self.watcher.wire.rest();
    }
}

/// A client that has lost its session to another one is told so, as far as its version has words for it.
fn is_taken_over<S: Stream>(mut old: Client<S>) {
    let rest = old.wire.rest();
    let taken_over = |goodbye: &Disconnect| goodbye.reason == ReasonCode(0x8E);
    assert!(
        old.wire.version < Version::V5
            || matches!(rest.last(), Some(Packet::Disconnect(goodbye)) if taken_over(goodbye))
    );
}

fn properties_of(message: &Message) -> Properties {
    let expiry = message.expiry.map(Property::MessageExpiryInterval);
    Properties(expiry.into_iter().collect())
}

fn packet_of(message: &Message, packet_id: u16, dup: bool) -> Packet {
    let payload = message.payload.as_bytes();
    let mut packet = publish(message.topic, payload, message.qos, packet_id);
    if let Packet::Publish(packet) = &mut packet {
        (packet.retain, packet.dup) = (message.retain, dup);
        packet.properties = properties_of(message);
    }
    packet
}
