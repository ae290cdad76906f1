//! The front: takes in TCP connections, reads their CONNECT within a time limit, and sends each to the partition its
//! client id belongs to. Handshakes run beside each other, never in the accept loop.

use std::hash::{BuildHasher, Hasher};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;

use super::Config;
use super::counters::Census;
use crate::mqtt::codec::{self, Malformed};
use crate::mqtt::packet::{ConnAck, Connect, Packet};
use crate::mqtt::{ByteString, Properties, Property, ReasonCode, Version};

/// A client has this long from the accepted connection to a whole CONNECT.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// A CONNECT with every field at its largest: client id, will topic, will payload, user name, password and two
/// property blocks would be more, but nobody sends those; 1 MiB before anything is known about a client is enough.
const CONNECT_LIMIT: u32 = 1 << 20;

/// Pause after an accept that failed for want of file descriptors or memory.
const BREATH: Duration = Duration::from_millis(100);

/// A client whose CONNECT was read.
#[derive(Debug)]
pub struct Newcomer<S> {
    /// Number of the connection, from 1.
    pub id: u64,
    /// Its stream.
    pub stream: S,
    /// Where it comes from.
    pub address: SocketAddr,
    /// What it said.
    pub connect: Connect,
    /// A hash of its client id: the same for every session it ever has here.
    pub identity: u64,
    /// Whether its client id was made here.
    pub assigned: bool,
    /// What it sent behind the CONNECT.
    pub early: Bytes,
}

/// What a partition is told from outside. A stream travels free of the front's runtime.
#[derive(Debug)]
pub enum Mail<S = std::net::TcpStream> {
    /// A client to attach.
    Newcomer(Box<Newcomer<S>>),
    /// Look around and say what there is.
    Census(oneshot::Sender<Census>),
    /// Publish these topics and payloads, retained, in the broker's own name.
    Publish(Vec<(String, String)>),
    /// Say goodbye to everyone and end.
    Stop,
}

/// Accepts connections until the future is dropped.
pub async fn accept(
    listener: TcpListener,
    partitions: Vec<UnboundedSender<Mail>>,
    config: Arc<Config>,
) {
    // Keyed anew in every process: nobody can choose client ids that share an identity or crowd one partition.
    let hasher = std::hash::RandomState::new();
    let partitions = Arc::new(partitions);
    let mut id = 0;
    loop {
        let (stream, address) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(
                    "could not accept a connection: {error}; raise the limit of open files (ulimit -n)"
                );
                tokio::time::sleep(BREATH).await;
                continue;
            }
        };
        id += 1;
        let partitions = Arc::clone(&partitions);
        let (hasher, config) = (hasher.clone(), Arc::clone(&config));
        tokio::spawn(async move {
            if stream.set_nodelay(true).is_err() {
                return;
            }
            if let Some(newcomer) = admit(id, stream, address, &config, &hasher).await
                && let Ok(newcomer) = newcomer.try_map(TcpStream::into_std)
            {
                introduce(newcomer, &partitions);
            }
        });
    }
}

impl<S> Newcomer<S> {
    /// The same with another stream.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn try_map<T, E>(self, change: impl FnOnce(S) -> Result<T, E>) -> Result<Newcomer<T>, E> {
        Ok(Newcomer {
            id: self.id,
            stream: change(self.stream)?,
            address: self.address,
            connect: self.connect,
            identity: self.identity,
            assigned: self.assigned,
            early: self.early,
        })
    }
}

/// Sends a newcomer to the partition its client id belongs to.
pub fn introduce<S>(newcomer: Newcomer<S>, partitions: &[UnboundedSender<Mail<S>>]) {
    let index = newcomer.identity as usize % partitions.len();
    // A partition that is gone has ended the broker; there is nobody left to tell.
    let _ = partitions[index].send(Mail::Newcomer(Box::new(newcomer)));
}

/// Reads the CONNECT of a connection, within a time limit; refuses with the right CONNACK what cannot be served (3.1.4,
/// 3.2.2).
pub async fn admit<S: AsyncRead + AsyncWrite + Unpin>(
    id: u64,
    stream: S,
    address: SocketAddr,
    config: &Config,
    hasher: &impl BuildHasher,
) -> Option<Newcomer<S>> {
    let handshake = shake_hands(id, stream, address, config, hasher);
    match tokio::time::timeout(HANDSHAKE, handshake).await {
        Ok(newcomer) => newcomer,
        Err(_) => {
            tracing::info!("{address} sent no CONNECT within {HANDSHAKE:?}, closing");
            None
        }
    }
}

async fn shake_hands<S: AsyncRead + AsyncWrite + Unpin>(
    id: u64,
    mut stream: S,
    address: SocketAddr,
    config: &Config,
    hasher: &impl BuildHasher,
) -> Option<Newcomer<S>> {
    let mut buffer = BytesMut::with_capacity(1024);
    let limit = config.max_packet_size.min(CONNECT_LIMIT);
    let (version, maximum, fault) = match read_packet(&mut stream, &mut buffer, limit).await {
        Ok(None) => return None,
        Ok(Some(packet)) => match check(packet, config.max_keep_alive) {
            Ok((connect, assigned)) => {
                return Some(Newcomer {
                    id,
                    stream,
                    address,
                    identity: hasher.hash_one(&*connect.client_id),
                    connect,
                    assigned,
                    early: buffer.freeze(),
                });
            }
            Err(refused) => refused,
        },
        Err(malformed) => (codec::refusal_version(&buffer), u32::MAX, malformed),
    };
    tracing::info!("{address} refused: {fault}");
    if let Some(version) = version
        && (version == Version::V5 || codec::has_return_code(fault.reason))
    {
        refuse(&mut stream, version, maximum, &fault).await;
    }
    None
}

/// The first packet; none when the client goes away before it is complete.
async fn read_packet(
    stream: &mut (impl AsyncRead + Unpin),
    buffer: &mut BytesMut,
    limit: u32,
) -> Result<Option<Packet>, Malformed> {
    loop {
        // CONNECT is checked by the version it names itself.
        if let Some(packet) = codec::read(buffer, Version::V5, limit)? {
            return Ok(Some(packet));
        }
        match stream.read_buf(buffer).await {
            Ok(0) | Err(_) => return Ok(None),
            Ok(_) => {}
        }
    }
}

/// Checks what the first packet asks for, and gives a client without a name one; otherwise says in which version to
/// refuse it, if it deserves an answer, in how many bytes at most, and why.
fn check(
    packet: Packet,
    max_keep_alive: Option<u16>,
) -> Result<(Connect, bool), (Option<Version>, u32, Malformed)> {
    let mut maximum = u32::MAX;
    let refused = |version, maximum, reason, message: &'static str| {
        Err((
            version,
            maximum,
            Malformed {
                reason,
                message: message.into(),
            },
        ))
    };
    let Packet::Connect(mut connect) = packet else {
        return refused(
            None,
            maximum,
            ReasonCode::PROTOCOL_ERROR,
            "the first packet is not CONNECT",
        );
    };
    let version = Some(connect.version);
    maximum = connect.properties.maximum_packet_size().unwrap_or(maximum);
    if connect.properties.authentication_method().is_some() {
        let words = "there is no extended authentication here";
        return refused(
            version,
            maximum,
            ReasonCode::BAD_AUTHENTICATION_METHOD,
            words,
        );
    }
    if connect.version < Version::V5 && granted_keep_alive(&connect, max_keep_alive).is_some() {
        // As later versions of mosquitto do; no return code says it better.
        let words =
            "the keep alive is longer than is taken here, and this version has no way to be told";
        return refused(
            version,
            maximum,
            ReasonCode::CLIENT_IDENTIFIER_NOT_VALID,
            words,
        );
    }
    if !connect.client_id.is_empty() {
        return Ok((*connect, false));
    }
    // [MQTT-3.1.3-8]: before MQTT 5 a client without a name cannot ask for a session that stays.
    if connect.version < Version::V5 && !connect.clean_start {
        let words = "a client without an id cannot have a session that stays";
        return refused(
            version,
            maximum,
            ReasonCode::CLIENT_IDENTIFIER_NOT_VALID,
            words,
        );
    }
    connect.client_id = assigned_client_id();
    Ok((*connect, true))
}

/// The keep alive that a client has to take instead of the one it asked for, if that is too long. 0 asks for none at all.
pub fn granted_keep_alive(connect: &Connect, longest: Option<u16>) -> Option<u16> {
    longest.filter(|longest| connect.keep_alive == 0 || connect.keep_alive > *longest)
}

/// 128 random bits: nobody can guess another client's name and take its session.
fn assigned_client_id() -> ByteString {
    let random = || std::hash::RandomState::new().build_hasher().finish();
    format!("auto-{:016x}{:016x}", random(), random()).into()
}

/// Answers with a CONNACK of at most `maximum` bytes: in words if they fit [MQTT-3.2.2-19].
async fn refuse(
    stream: &mut (impl AsyncWrite + Unpin),
    version: Version,
    maximum: u32,
    fault: &Malformed,
) {
    let mut connack = ConnAck {
        session_present: false,
        reason: fault.reason,
        properties: Properties::default(),
    };
    // Fixed header, flags, reason code, property length and the property's own three bytes take at most 13.
    if version == Version::V5 && fault.message.len() + 13 <= maximum as usize {
        let words = Property::ReasonString((*fault.message).into());
        connack.properties.push(words);
    }
    let mut bytes = Vec::new();
    if codec::write(&Packet::ConnAck(connack), version, &mut bytes).is_ok()
        && bytes.len() <= maximum as usize
    {
        // The client may be gone by now; there is nothing to do about it.
        let _ = stream.write_all(&bytes).await;
        let _ = stream.shutdown().await;
    }
}
