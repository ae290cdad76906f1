//! A peer that says exactly what a test tells it to: packets, or bytes that are none, over a plain socket or whatever else
//! carries bytes.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};

use bytes::{Bytes, BytesMut};
use mqtt_toolbox::mqtt::packet::*;
use mqtt_toolbox::mqtt::{Properties, Property, QoS, ReasonCode, Version, codec};

use crate::harness::PATIENCE;

/// What a connection runs over.
pub trait Stream: Read + Write {
    /// Says nothing more, and still listens.
    fn finish(&mut self);
}

impl Stream for TcpStream {
    fn finish(&mut self) {
        self.shutdown(Shutdown::Write)
            .expect("the connection is open");
    }
}

/// One end of a connection; at the broker's end it can play a broker as well.
pub struct Wire<S = TcpStream> {
    pub stream: S,
    pub version: Version,
    incoming: BytesMut,
}

impl Wire<TcpStream> {
    /// A connection to 127.0.0.1 on which nothing has been said yet.
    #[track_caller]
    pub fn connect(port: u16, version: Version) -> Wire {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("somebody listens there");
        Wire::new(stream, version)
    }

    /// The next connection of a listener, on which nothing has been said yet.
    #[track_caller]
    pub fn accept(listener: &TcpListener, version: Version) -> Wire {
        let (stream, _) = listener.accept().expect("somebody connects");
        Wire::new(stream, version)
    }

    /// The next connection of a listener, whose CONNECT has this answer.
    #[track_caller]
    pub fn answered(listener: &TcpListener, version: Version, connack: Packet) -> Wire {
        let mut wire = Wire::accept(listener, version);
        let connect = wire.receive();
        assert!(matches!(connect, Packet::Connect(_)), "{connect:?}");
        wire.send(connack);
        wire
    }

    fn new(stream: TcpStream, version: Version) -> Wire {
        stream.set_nodelay(true).expect("a TCP socket");
        stream
            .set_read_timeout(Some(PATIENCE))
            .expect("a TCP socket");
        Wire::over(stream, version)
    }

    /// A client with a clean session, accepted by the broker.
    #[track_caller]
    pub fn session(port: u16, version: Version, client_id: &str) -> Wire {
        let mut wire = Wire::connect(port, version);
        wire.send(Packet::Connect(connect(version, client_id)));
        match wire.receive() {
            Packet::ConnAck(answer) if answer.reason == ReasonCode::SUCCESS => wire,
            other => panic!("{other:?} is not the CONNACK of an accepted connection"),
        }
    }
}

impl<S: Stream> Wire<S> {
    /// A connection over this stream, on which nothing has been said yet.
    pub fn over(stream: S, version: Version) -> Wire<S> {
        Wire {
            stream,
            version,
            incoming: BytesMut::new(),
        }
    }

    /// Sends one packet.
    #[track_caller]
    pub fn send(&mut self, packet: Packet) {
        let mut bytes = Vec::new();
        codec::write(&packet, self.version, &mut bytes).expect("a packet of ordinary size");
        self.send_bytes(&bytes);
    }

    /// Sends bytes as they are.
    #[track_caller]
    pub fn send_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("the other end is open");
    }

    /// The next packet.
    #[track_caller]
    pub fn receive(&mut self) -> Packet {
        self.receive_or_end()
            .expect("the other end closed the connection")
    }

    /// The next packet, or `None` when the other end has closed.
    #[track_caller]
    pub fn receive_or_end(&mut self) -> Option<Packet> {
        loop {
            let packet = codec::read(&mut self.incoming, self.version, u32::MAX);
            if let Some(packet) = packet.expect("the other end sends well-formed packets") {
                return Some(packet);
            }
            let mut buffer = [0; 1 << 14];
            match self.stream.read(&mut buffer) {
                Ok(0) => return None,
                Ok(count) => self.incoming.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("nothing came: {error}"),
            }
        }
    }

    /// Whether bytes have been read that no packet has been made of.
    pub fn has_more(&self) -> bool {
        !self.incoming.is_empty()
    }

    /// Everything the other end says until it closes.
    #[track_caller]
    pub fn rest(&mut self) -> Vec<Packet> {
        std::iter::from_fn(|| self.receive_or_end()).collect()
    }

    /// Takes a SUBSCRIBE in and answers it.
    #[track_caller]
    pub fn grant(&mut self, reasons: Vec<ReasonCode>) -> Subscribe {
        let Packet::Subscribe(subscribe) = self.receive() else {
            panic!("no SUBSCRIBE");
        };
        self.send(Packet::SubAck(SubAck {
            packet_id: subscribe.packet_id,
            reasons,
            properties: Properties::default(),
        }));
        subscribe
    }

    /// Subscribes and waits for the answer, which must grant what was asked for.
    #[track_caller]
    pub fn subscribe(&mut self, filter: &str, qos: QoS) {
        self.send(subscribe(1, filter, qos));
        match self.receive() {
            Packet::SubAck(answer) => {
                assert_eq!(answer.reasons, [ReasonCode(qos.number())], "{filter}");
            }
            other => panic!("{other:?} is not a SUBACK"),
        }
    }
}

/// A client in good standing, which is sent what it subscribed to whatever others do.
pub struct Bystander(Wire);

impl Bystander {
    /// Connected and subscribed to `bystander/#`.
    #[track_caller]
    pub fn new(port: u16) -> Bystander {
        let mut wire = Wire::session(port, Version::V5, "bystander");
        wire.subscribe("bystander/#", QoS::AtMostOnce);
        Bystander(wire)
    }

    /// The next message has this payload.
    #[track_caller]
    pub fn receives(&mut self, payload: &[u8]) {
        match self.0.receive() {
            Packet::Publish(message) => assert_eq!(&message.payload[..], payload),
            other => panic!("{other:?} is not the message"),
        }
    }

    /// A message of its own comes back.
    #[track_caller]
    pub fn is_served(&mut self) {
        self.0
            .send(publish("bystander/own", b"still here", QoS::AtMostOnce, 0));
        self.receives(b"still here");
    }
}

/// A listener to play a broker on, and the URL that leads there.
pub fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("a bound socket");
    (listener, format!("mqtt://{address}"))
}

/// CONNACK that accepts a connection, with these properties.
pub fn accepted(session_present: bool, properties: Vec<Property>) -> Packet {
    Packet::ConnAck(ConnAck {
        session_present,
        reason: ReasonCode::SUCCESS,
        properties: Properties(properties),
    })
}

/// A plain CONNECT: clean, keep alive of a minute, no will, no user.
pub fn connect(version: Version, client_id: &str) -> Box<Connect> {
    Box::new(Connect {
        version,
        clean_start: true,
        keep_alive: 60,
        client_id: client_id.into(),
        will: None,
        username: None,
        password: None,
        properties: Properties::default(),
    })
}

/// A plain PUBLISH; the packet identifier counts above QoS 0 only.
pub fn publish(topic: &str, payload: &[u8], qos: QoS, packet_id: u16) -> Packet {
    Packet::Publish(Publish {
        dup: false,
        qos,
        retain: false,
        topic: topic.into(),
        packet_id: if qos == QoS::AtMostOnce { 0 } else { packet_id },
        properties: Properties::default(),
        payload: Bytes::copy_from_slice(payload),
    })
}

/// A SUBSCRIBE for one filter.
pub fn subscribe(packet_id: u16, filter: &str, qos: QoS) -> Packet {
    Packet::Subscribe(Subscribe {
        packet_id,
        filters: vec![Subscription {
            filter: filter.into(),
            qos,
            no_local: false,
            retain_as_published: false,
            retain_handling: RetainHandling::Always,
        }],
        properties: Properties::default(),
    })
}
