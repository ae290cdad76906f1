//! A scripted broker, and a clock that only the test moves.

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use crate::client::ConnectOptions;
use crate::mqtt::packet::{Acknowledgement, ConnAck, Publish};
use crate::mqtt::{Packet, Properties, ReasonCode, Version, codec};

/// A broker that does what the test tells it, step by step.
pub(crate) struct Broker {
    listener: TcpListener,
    version: Version,
}

/// Its side of one connection.
pub(crate) struct Peer {
    from_client: FromClient,
    to_client: ToClient,
}

/// What comes from the client.
pub(crate) struct FromClient {
    stream: OwnedReadHalf,
    version: Version,
    received: BytesMut,
}

/// What goes to the client.
pub(crate) struct ToClient {
    stream: OwnedWriteHalf,
    version: Version,
}

/// Time that is paused stands still while this lives, and goes on with [`tokio::time::advance`] only. Without it, it runs on
/// while something is on its way between two sockets.
pub(crate) struct StoppedClock {
    /// While it is there, there is work outside the runtime, for which the clock waits.
    _work: std::sync::mpsc::Sender<()>,
}

impl StoppedClock {
    pub(crate) fn new() -> StoppedClock {
        let (_work, end) = std::sync::mpsc::channel();
        tokio::task::spawn_blocking(move || end.recv());
        StoppedClock { _work }
    }
}

impl Broker {
    pub(crate) async fn new(version: Version) -> Broker {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Broker { listener, version }
    }

    pub(crate) fn options(&self) -> ConnectOptions {
        let address = self.listener.local_addr().unwrap();
        let mut options = ConnectOptions::new(format!("mqtt://{address}").parse().unwrap());
        options.version = self.version;
        options.client_id = "tester".to_owned();
        options
    }

    /// The next connection, its CONNECT read.
    pub(crate) async fn accept(&self) -> Peer {
        let (stream, _) = self.listener.accept().await.unwrap();
        let (from_client, to_client) = stream.into_split();
        let version = self.version;
        let mut peer = Peer {
            from_client: FromClient {
                stream: from_client,
                version,
                received: BytesMut::new(),
            },
            to_client: ToClient {
                stream: to_client,
                version,
            },
        };
        let Packet::Connect(connect) = peer.read().await else {
            panic!("the first packet is no CONNECT");
        };
        assert_eq!(connect.version, self.version);
        peer
    }

    /// The next connection, accepted.
    pub(crate) async fn welcome(&self, session_present: bool, properties: Properties) -> Peer {
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

impl FromClient {
    pub(crate) async fn read(&mut self) -> Packet {
        self.read_if_open().await.expect("the client went away")
    }

    /// `None` at the end of the connection.
    pub(crate) async fn read_if_open(&mut self) -> Option<Packet> {
        loop {
            if let Some(packet) = codec::read(&mut self.received, self.version, u32::MAX).unwrap() {
                return Some(packet);
            }
            if self.stream.read_buf(&mut self.received).await.unwrap_or(0) == 0 {
                return None;
            }
        }
    }
}

impl ToClient {
    pub(crate) async fn write(&mut self, packet: Packet) {
        let mut bytes = Vec::new();
        codec::write(&packet, self.version, &mut bytes).unwrap();
        self.write_bytes(&bytes).await;
    }

    pub(crate) async fn write_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }
}

impl Peer {
    /// Its two directions, each on its own.
    pub(crate) fn split(self) -> (FromClient, ToClient) {
        (self.from_client, self.to_client)
    }

    pub(crate) async fn read(&mut self) -> Packet {
        self.from_client.read().await
    }

    /// `None` at the end of the connection.
    pub(crate) async fn read_if_open(&mut self) -> Option<Packet> {
        self.from_client.read_if_open().await
    }

    pub(crate) async fn publish(&mut self) -> Publish {
        match self.read().await {
            Packet::Publish(publish) => publish,
            other => panic!("{other:?} is no PUBLISH"),
        }
    }

    pub(crate) async fn write(&mut self, packet: Packet) {
        self.to_client.write(packet).await;
    }

    pub(crate) async fn write_bytes(&mut self, bytes: &[u8]) {
        self.to_client.write_bytes(bytes).await;
    }

    pub(crate) async fn acknowledge(&mut self, packet_id: u16) {
        self.write(Packet::PubAck(Acknowledgement::success(packet_id)))
            .await;
    }
}
