//! A well-behaved client in few words, with its wire in reach for what a test wants done otherwise.
//!
//! Nothing is waited for by the clock. A publish above QoS 0 is acknowledged once every subscriber's output has it, and
//! a PINGRESP comes behind whatever was put there before: that is how a test knows that nothing else was sent.

use std::net::TcpStream;

use mqtt_toolbox::mqtt::packet::*;
use mqtt_toolbox::mqtt::{Properties, Property, QoS, ReasonCode, Version};

use crate::servers::MqttServe;
use crate::wire::{Stream, Wire, connect, publish};

/// The versions every rule that is older than MQTT 5 is tried in.
pub const VERSIONS: [Version; 2] = [Version::V311, Version::V5];

/// The three qualities of service.
pub const QUALITIES: [QoS; 3] = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce];

/// Seconds a session is kept that a test wants kept.
pub const KEPT: u32 = 1000;

/// A connected client.
pub struct Client<S = TcpStream> {
    pub wire: Wire<S>,
    /// What its CONNECT was answered with.
    pub connack: ConnAck,
    inbox: Vec<Packet>,
    last_packet_id: u16,
}

impl Client<TcpStream> {
    /// Connects with a clean session that ends with the connection.
    #[track_caller]
    pub fn join(broker: &MqttServe, version: Version, client_id: &str) -> Client {
        Client::greet(broker, connect(version, client_id))
    }

    /// Connects to the session there is, or to a new one that is kept.
    #[track_caller]
    pub fn resume(broker: &MqttServe, version: Version, client_id: &str) -> Client {
        Client::greet(broker, kept(version, client_id))
    }

    /// Connects with exactly this CONNECT.
    #[track_caller]
    pub fn greet(broker: &MqttServe, greeting: Box<Connect>) -> Client {
        Client::over(Wire::connect(broker.port, greeting.version), greeting)
    }
}

impl<S: Stream> Client<S> {
    /// Connects over this wire.
    #[track_caller]
    pub fn over(mut wire: Wire<S>, greeting: Box<Connect>) -> Client<S> {
        wire.send(Packet::Connect(greeting));
        let connack = match wire.receive() {
            Packet::ConnAck(connack) if connack.reason == ReasonCode::SUCCESS => connack,
            other => panic!("{other:?} does not accept the connection"),
        };
        Client {
            wire,
            connack,
            inbox: Vec::new(),
            last_packet_id: 0,
        }
    }

    /// A packet identifier that this client has not used yet.
    pub fn packet_id(&mut self) -> u16 {
        self.last_packet_id += 1;
        self.last_packet_id
    }

    /// Subscribes to one filter and is granted it.
    #[track_caller]
    pub fn subscribe(&mut self, filter: &str, qos: QoS) {
        assert_eq!(
            self.subscribe_to(vec![request(filter, qos)], &[]),
            [qos.number()],
            "{filter}"
        );
    }

    /// Subscribes with options; the reason codes of the answer.
    #[track_caller]
    pub fn subscribe_to(&mut self, filters: Vec<Subscription>, properties: &[Property]) -> Vec<u8> {
        let packet_id = self.packet_id();
        self.wire.send(Packet::Subscribe(Subscribe {
            packet_id,
            filters,
            properties: Properties(properties.to_vec()),
        }));
        self.codes(|packet| match packet {
            Packet::SubAck(answer) if answer.packet_id == packet_id => Some(answer.reasons.clone()),
            _ => None,
        })
    }

    /// Unsubscribes; the reason codes of the answer, which before MQTT 5 has none.
    #[track_caller]
    pub fn unsubscribe(&mut self, filters: &[&str]) -> Vec<u8> {
        let packet_id = self.packet_id();
        self.wire.send(Packet::Unsubscribe(Unsubscribe {
            packet_id,
            filters: filters.iter().map(|filter| (*filter).into()).collect(),
            properties: Properties::default(),
        }));
        self.codes(|packet| match packet {
            Packet::UnsubAck(answer) if answer.packet_id == packet_id => {
                Some(answer.reasons.clone())
            }
            _ => None,
        })
    }

    #[track_caller]
    fn codes(&mut self, answer: impl Fn(&Packet) -> Option<Vec<ReasonCode>>) -> Vec<u8> {
        let codes = self.expect(answer);
        codes.into_iter().map(|reason| reason.0).collect()
    }

    /// Publishes and goes through the whole handshake.
    #[track_caller]
    pub fn publish(&mut self, topic: &str, payload: &str, qos: QoS) {
        self.publish_as(topic, payload, qos, |_| {});
    }

    /// Publishes as a message to be retained.
    #[track_caller]
    pub fn retain(&mut self, topic: &str, payload: &str, qos: QoS) {
        self.publish_as(topic, payload, qos, |publish| publish.retain = true);
    }

    /// Publishes with something changed in the packet. QoS 0 is followed by an exchange that is behind it on the way
    /// to every subscriber.
    #[track_caller]
    pub fn publish_as(
        &mut self,
        topic: &str,
        payload: &str,
        qos: QoS,
        change: impl FnOnce(&mut Publish),
    ) {
        let packet_id = self.packet_id();
        let Packet::Publish(mut packet) = publish(topic, payload.as_bytes(), qos, packet_id) else {
            unreachable!("publish makes a PUBLISH");
        };
        change(&mut packet);
        let packet_id = packet.packet_id;
        self.wire.send(Packet::Publish(packet));
        match qos {
            QoS::AtMostOnce => self.fence(),
            QoS::AtLeastOnce => self.expect(|packet| match packet {
                Packet::PubAck(answer) if answer.packet_id == packet_id => taken(answer),
                _ => None,
            }),
            QoS::ExactlyOnce => {
                self.expect(|packet| match packet {
                    Packet::PubRec(answer) if answer.packet_id == packet_id => taken(answer),
                    _ => None,
                });
                self.wire
                    .send(Packet::PubRel(Acknowledgement::success(packet_id)));
                self.expect(|packet| match packet {
                    Packet::PubComp(answer) if answer.packet_id == packet_id => taken(answer),
                    _ => None,
                });
            }
        }
    }

    /// Returns when everything the broker was given before has reached every subscriber's output: this is behind it.
    #[track_caller]
    pub fn fence(&mut self) {
        self.publish("$fence", "", QoS::AtLeastOnce);
    }

    /// Receives until the awaited packet; what comes before it is kept for [`Client::takes`].
    #[track_caller]
    pub fn expect<T>(&mut self, awaited: impl Fn(&Packet) -> Option<T>) -> T {
        loop {
            let packet = self.wire.receive();
            if let Some(found) = awaited(&packet) {
                return found;
            }
            self.inbox.push(packet);
        }
    }

    /// Every packet that is on its way here by now, none of them acknowledged.
    #[track_caller]
    pub fn sees(&mut self) -> Vec<Packet> {
        self.is_heard();
        std::mem::take(&mut self.inbox)
    }

    /// Returns when the broker has dealt with everything this client has sent.
    #[track_caller]
    pub fn is_heard(&mut self) {
        self.wire.send(Packet::PingReq);
        self.expect(|packet| (*packet == Packet::PingResp).then_some(()));
    }

    /// Every message that is on its way here by now, acknowledged to the end.
    #[track_caller]
    pub fn takes(&mut self) -> Vec<Publish> {
        let mut taken = Vec::new();
        loop {
            let packets = self.sees();
            if packets.is_empty() {
                return taken;
            }
            for packet in packets {
                match packet {
                    Packet::Publish(publish) => {
                        self.acknowledge(&publish);
                        taken.push(publish);
                    }
                    Packet::PubRel(release) => self
                        .wire
                        .send(Packet::PubComp(Acknowledgement::success(release.packet_id))),
                    other => panic!("{other:?} is no message"),
                }
            }
        }
    }

    /// [`Client::takes`] in words: `topic payload qos`, and the flags that are set.
    #[track_caller]
    pub fn hears(&mut self) -> Vec<String> {
        self.takes().iter().map(in_words).collect()
    }

    /// The first answer to a message: PUBACK or PUBREC.
    #[track_caller]
    pub fn acknowledge(&mut self, publish: &Publish) {
        let answer = Acknowledgement::success(publish.packet_id);
        match publish.qos {
            QoS::AtMostOnce => {}
            QoS::AtLeastOnce => self.wire.send(Packet::PubAck(answer)),
            QoS::ExactlyOnce => self.wire.send(Packet::PubRec(answer)),
        }
    }

    /// Receives until a message with this payload, and forgets everything up to it.
    #[track_caller]
    pub fn waits_for(&mut self, payload: &str) {
        let awaited = |packet: &Packet| matches!(packet, Packet::Publish(publish) if publish.payload == payload);
        while !self.inbox.iter().any(awaited) {
            let packet = self.wire.receive();
            self.inbox.push(packet);
        }
        self.inbox.clear();
    }

    /// The next packet, which is a message.
    #[track_caller]
    pub fn message(&mut self) -> Publish {
        match self.wire.receive() {
            Packet::Publish(publish) => publish,
            other => panic!("{other:?} is no message"),
        }
    }

    /// Says DISCONNECT, and returns when the broker has let go of the connection.
    #[track_caller]
    pub fn leave(self) {
        self.leave_with(0, &[]);
    }

    /// DISCONNECT with a reason code and properties.
    #[track_caller]
    pub fn leave_with(mut self, reason: u8, properties: &[Property]) {
        self.wire.send(Packet::Disconnect(Disconnect {
            reason: ReasonCode(reason),
            properties: Properties(properties.to_vec()),
        }));
        let rest = self.wire.rest();
        let goodbye = |packet: &Packet| matches!(packet, Packet::Disconnect(_));
        assert!(!rest.iter().any(goodbye), "{rest:?}");
    }

    /// Closes without a word, and returns when the broker has noticed.
    #[track_caller]
    pub fn vanish(mut self) {
        self.wire.stream.finish();
        self.wire.rest();
    }

    /// The broker ends this connection with the reason code, as far as the version has words for it, and nothing else.
    #[track_caller]
    pub fn ends_with(mut self, reason: u8) {
        let rest = self.wire.rest();
        match self.wire.version {
            Version::V5 => match &rest[..] {
                [Packet::Disconnect(goodbye)] => assert_eq!(goodbye.reason, ReasonCode(reason)),
                other => panic!("{other:?} is not DISCONNECT 0x{reason:02X}"),
            },
            _ => assert_eq!(rest, []),
        }
    }
}

#[track_caller]
fn taken(answer: &Acknowledgement) -> Option<()> {
    assert!(!answer.reason.is_failure(), "{answer:?}");
    Some(())
}

/// A CONNECT for the session there is, or a new one that is kept.
pub fn kept(version: Version, client_id: &str) -> Box<Connect> {
    let mut greeting = connect(version, client_id);
    greeting.clean_start = false;
    if version == Version::V5 {
        let expiry = Property::SessionExpiryInterval(KEPT);
        greeting.properties = Properties(vec![expiry]);
    }
    greeting
}

/// A CONNECT of MQTT 5 with these properties.
pub fn greeting_with(client_id: &str, properties: &[Property]) -> Box<Connect> {
    let mut greeting = connect(Version::V5, client_id);
    greeting.properties = Properties(properties.to_vec());
    greeting
}

/// A plain subscription.
pub fn request(filter: &str, qos: QoS) -> Subscription {
    Subscription {
        filter: filter.into(),
        qos,
        no_local: false,
        retain_as_published: false,
        retain_handling: RetainHandling::Always,
    }
}

/// `topic payload qos`, and the flags that are set.
pub fn in_words(publish: &Publish) -> String {
    format!(
        "{} {} {}{}{}",
        publish.topic,
        String::from_utf8_lossy(&publish.payload),
        publish.qos.number(),
        if publish.retain { " retain" } else { "" },
        if publish.dup { " dup" } else { "" },
    )
}
