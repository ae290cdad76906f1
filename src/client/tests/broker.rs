//! A scripted broker.

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::client::ConnectOptions;
use crate::mqtt::packet::{Acknowledgement, ConnAck, Publish};
use crate::mqtt::{Packet, Properties, ReasonCode, Version, codec};

/// A broker that does what the test tells it, step by step.
pub(super) struct Broker {
    listener: TcpListener,
    version: Version,
}

/// Its side of one connection.
pub(super) struct Peer {
    stream: TcpStream,
    version: Version,
    received: BytesMut,
}

impl Broker {
    pub(super) async fn new(version: Version) -> Broker {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Broker { listener, version }
    }

    pub(super) fn options(&self) -> ConnectOptions {
        let address = self.listener.local_addr().unwrap();
        let mut options = ConnectOptions::new(format!("mqtt://{address}").parse().unwrap());
        options.version = self.version;
        options.client_id = "tester".to_owned();
        options
    }

    /// The next connection, its CONNECT read.
    pub(super) async fn accept(&self) -> Peer {
        let (stream, _) = self.listener.accept().await.unwrap();
        let mut peer = Peer {
            stream,
            version: self.version,
            received: BytesMut::new(),
        };
        let Packet::Connect(connect) = peer.read().await else {
            panic!("the first packet is no CONNECT");
        };
        assert_eq!(connect.version, self.version);
        peer
    }

    /// The next connection, accepted.
    pub(super) async fn welcome(&self, session_present: bool, properties: Properties) -> Peer {
        let mut peer = self.accept().await;
        peer.write(Packet::ConnAck(ConnAck {
            session_present,
            reason: ReasonCode::SUCCESS,
            properties,
        }))
        .await;
        peer
    }
}

impl Peer {
    pub(super) async fn read(&mut self) -> Packet {
        self.read_if_open().await.expect("the client went away")
    }

    /// `None` at the end of the connection.
    pub(super) async fn read_if_open(&mut self) -> Option<Packet> {
        loop {
            if let Some(packet) = codec::read(&mut self.received, self.version, u32::MAX).unwrap() {
                return Some(packet);
            }
            if self.stream.read_buf(&mut self.received).await.unwrap_or(0) == 0 {
                return None;
            }
        }
    }

    pub(super) async fn publish(&mut self) -> Publish {
        match self.read().await {
            Packet::Publish(publish) => publish,
            other => panic!("{other:?} is no PUBLISH"),
        }
    }

    pub(super) async fn write(&mut self, packet: Packet) {
        let mut bytes = Vec::new();
        codec::write(&packet, self.version, &mut bytes).unwrap();
        self.write_bytes(&bytes).await;
    }

    pub(super) async fn write_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    pub(super) async fn acknowledge(&mut self, packet_id: u16) {
        self.write(Packet::PubAck(Acknowledgement::success(packet_id)))
            .await;
    }
}
