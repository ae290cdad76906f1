//! A connection for messages whose packet identifiers somebody else has given, and who keeps their state.
//!
//! rumqttc gives the identifiers itself and keeps the state of its handshakes in memory. It can be handed that state when it
//! starts, and asked for a copy of all of it before each packet; what it cannot do is let go of PUBREL only when a disk
//! has PUBREC, for many messages at once. So this is a connection of our own: it says what it is told to say, and tells
//! what the broker answers. It shares the wire, with everything below it, and the words for what goes wrong.
//!
//! Nothing is subscribed here. What a broker sends all the same, to a session that has subscriptions, is left
//! unacknowledged for whoever takes the session next.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::accepted::{Accepted, Unfit};
use super::failure::Failure;
use super::losses::Losses;
use super::notes::Notes;
use super::options::ConnectOptions;
use super::retry::Retry;
use super::wire::Wire;
use super::{WINDOW, window};
use crate::mqtt::packet::{Acknowledgement, ConnAck, Disconnect, Publish};
use crate::mqtt::{Packet, Properties, Property, QoS, ReasonCode, Version, codec};

/// How long the farewell of TLS or WebSocket may take.
const FAREWELL: Duration = Duration::from_millis(500);

/// Bytes read at once.
const LARGE: usize = 64 * 1024;

/// What a courier brings back.
#[derive(Debug)]
pub enum Answer {
    /// Connected. What had been sent before has to be sent again now: with the same packet identifiers if the session is
    /// present, else as if for the first time.
    Connected {
        /// Whether the broker has kept the session.
        session_present: bool,
    },
    /// PUBREC: the broker has the message, and waits for [`Courier::release`].
    Received(u16, ReasonCode),
    /// PUBACK, PUBCOMP, or a PUBREC that refuses.
    Complete(u16, ReasonCode),
    /// The connection was lost, or an attempt to make one failed. `retry_in` as in [`super::Event::Lost`]; what was to be
    /// sent and has not been is forgotten.
    Lost {
        /// Why.
        failure: Failure,
        /// When the next attempt begins; `None` when there will be none.
        retry_in: Option<Duration>,
    },
}

/// A connection that is made again whenever it is lost, driven by [`Courier::next`].
pub struct Courier {
    notes: Notes,
    /// Has the options of the next connection.
    losses: Losses,
    /// The broker whose session is that of the messages.
    home: Option<String>,
    /// Since when, if connected.
    connected: Option<Instant>,
    limits: Accepted,
    window: u16,
    stage: Stage,
}

/// An attempt to connect.
type Attempt = dyn Future<Output = Result<(Link, ConnAck), Failure>> + Send;

enum Stage {
    Connecting(Pin<Box<Attempt>>),
    Up(Box<Link>),
    Resting(Pin<Box<Sleep>>),
    Over,
}

impl Courier {
    /// Not yet connected. `home` is the broker, as [`Courier::broker`] names it, with which the messages have their session:
    /// what another one has kept under this client id is out of date, and is discarded before anything is sent there.
    ///
    /// # Errors
    /// When there is no way to connect as the options say.
    pub fn new(options: &ConnectOptions, home: Option<String>) -> Result<Courier, Failure> {
        let mut courier = Courier {
            notes: Notes::new(options)?,
            losses: Losses::new(options, options.retry(Retry::FOREVER)),
            home,
            connected: None,
            limits: Accepted::default(),
            window: 0,
            stage: Stage::Over,
        };
        courier.stage = courier.attempt();
        Ok(courier)
    }

    /// The broker of this connection, or of the next.
    pub fn broker(&self) -> String {
        self.losses.options.endpoint.to_string()
    }

    /// What is spoken to it.
    pub fn version(&self) -> Version {
        self.losses.options.version
    }

    fn attempt(&self) -> Stage {
        let options = self.losses.options.clone();
        let broker = options.endpoint.to_string();
        let is_home = self.home.as_ref().is_none_or(|home| *home == broker);
        Stage::Connecting(Box::pin(open(options, self.notes.clone(), is_home)))
    }

    /// Whether anything can be sent now.
    pub fn is_up(&self) -> bool {
        matches!(self.stage, Stage::Up(_))
    }

    /// How many messages may be under way whose highest quality of service is this.
    pub fn window(&self, highest: QoS) -> usize {
        let options = &self.losses.options;
        let usual = window(options.version, highest);
        let wanted = options.max_in_flight.map_or(usual, usize::from);
        wanted.min(usize::from(self.window))
    }

    /// Whether the broker takes such a message.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, publish: &Publish) -> Result<(), Unfit> {
        self.limits.check(publish, self.version())
    }

    /// Sends PUBLISH as it is, packet identifier and all.
    pub fn publish(&mut self, publish: Publish) {
        self.send(&Packet::Publish(publish));
    }

    /// Sends PUBREL.
    pub fn release(&mut self, packet_id: u16) {
        self.send(&Packet::PubRel(Acknowledgement::success(packet_id)));
    }

    fn send(&mut self, packet: &Packet) {
        let version = self.version();
        if let Stage::Up(link) = &mut self.stage {
            // A message that has no encoding was refused by `check`.
            let _ = codec::write(packet, version, &mut link.outgoing);
        }
    }

    /// The next answer. Nothing is lost when this is cancelled.
    pub async fn next(&mut self) -> Answer {
        let answer = poll_fn(|context| self.poll_next(context)).await;
        self.tell();
        answer
    }

    /// Whoever watches the packets is told.
    fn tell(&self) {
        if let Some(mut trace) = self.notes.trace() {
            // Nobody hands messages on here, so there is none to wait for.
            trace.tell_all();
        }
    }

    /// An answer that is already there; also sees what was sent on its way.
    pub async fn next_ready(&mut self) -> Option<Answer> {
        let answer = poll_fn(|context| match self.poll_next(context) {
            Poll::Ready(answer) => Poll::Ready(Some(answer)),
            Poll::Pending => Poll::Ready(None),
        })
        .await;
        self.tell();
        answer
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Answer> {
        loop {
            match &mut self.stage {
                Stage::Connecting(attempt) => {
                    return Poll::Ready(match ready!(attempt.as_mut().poll(context)) {
                        Ok((link, connack)) => self.begin(link, &connack),
                        Err(failure) => self.end(failure),
                    });
                }
                Stage::Up(link) => {
                    return Poll::Ready(match ready!(link.poll(context)) {
                        Ok(answer) => {
                            self.losses.forget();
                            answer
                        }
                        Err(failure) => {
                            let failure = self.notes.failure(failure);
                            self.end(failure)
                        }
                    });
                }
                Stage::Resting(sleep) => {
                    ready!(sleep.as_mut().poll(context));
                    self.stage = self.attempt();
                }
                Stage::Over => return Poll::Pending,
            }
        }
    }

    fn begin(&mut self, link: Link, connack: &ConnAck) -> Answer {
        let properties = &connack.properties;
        self.limits = Accepted {
            session_present: connack.session_present,
            maximum_packet_size: properties.maximum_packet_size(),
            maximum_qos: properties.maximum_qos(),
            topic_alias_maximum: properties.topic_alias_maximum().unwrap_or(0),
            retain_available: properties.retain_available() != Some(0),
            response_information: None,
        };
        self.losses.arrived();
        self.home = Some(self.broker());
        self.window = properties.receive_maximum().unwrap_or(WINDOW).min(WINDOW);
        self.stage = Stage::Up(Box::new(link));
        self.connected = Some(Instant::now());
        Answer::Connected {
            session_present: connack.session_present,
        }
    }

    fn end(&mut self, failure: Failure) -> Answer {
        let lived = self.connected.take().map(|since| since.elapsed());
        let (mut failure, mut retry_in) = self.losses.note(failure, lived);
        let options = &self.losses.options;
        if self.notes.version != options.version
            || self.notes.destination().endpoint != options.endpoint
        {
            match Notes::new(options) {
                Ok(notes) => self.notes = notes,
                Err(unusable) => (failure, retry_in) = (unusable, None),
            }
        }
        self.stage = match retry_in {
            Some(delay) => Stage::Resting(Box::pin(tokio::time::sleep(delay))),
            None => Stage::Over,
        };
        Answer::Lost { failure, retry_in }
    }

    /// Says DISCONNECT and returns when it has left this host. With `ends_session` a broker of MQTT 5 is told that
    /// nobody will come back for the session.
    ///
    /// # Errors
    /// When the connection is lost on the way.
    pub async fn disconnect(self, ends_session: bool) -> Result<(), Failure> {
        let Stage::Up(mut link) = self.stage else {
            return Ok(());
        };
        let mut properties = self.losses.options.disconnect.clone();
        if ends_session && properties.session_expiry_interval().is_none() {
            properties.push(Property::SessionExpiryInterval(0));
        }
        let disconnect = Packet::Disconnect(Disconnect {
            reason: ReasonCode::SUCCESS,
            properties,
        });
        let _ = codec::write(&disconnect, link.version, &mut link.outgoing);
        self.notes.close_soon();
        let farewell = async {
            link.wire.write_all(&link.outgoing).await?;
            link.wire.flush().await
        };
        farewell
            .await
            .map_err(|error: io::Error| self.notes.failure(lost(error)))?;
        if let Some(mut trace) = self.notes.trace() {
            trace.tell_end();
        }
        drop(link);
        if self.notes.has_farewell() {
            // A broker that does not close its side loses nothing but our patience.
            let _ = tokio::time::timeout(FAREWELL, self.notes.close(false)).await;
        }
        Ok(())
    }
}

/// Connects and reads CONNACK, which says yes. Where we are not at home, the session there is a new one.
async fn open(
    mut options: ConnectOptions,
    notes: Notes,
    is_home: bool,
) -> Result<(Link, ConnAck), Failure> {
    if !is_home {
        options.clean_start = true;
    }
    if !is_home && options.version < Version::V5 {
        // There a session that begins clean also ends with its connection: one such ends the old one.
        let (mut link, _) = connect(&options, &notes).await?;
        let disconnect = Packet::Disconnect(Disconnect {
            reason: ReasonCode::SUCCESS,
            properties: Properties::default(),
        });
        let _ = codec::write(&disconnect, options.version, &mut link.outgoing);
        let farewell = async {
            link.wire.write_all(&link.outgoing).await?;
            link.wire.shutdown().await
        };
        farewell
            .await
            .map_err(|error: io::Error| notes.failure(lost(error)))?;
        options.clean_start = false;
    }
    connect(&options, &notes).await
}

/// Connects and reads CONNACK, which says yes.
async fn connect(options: &ConnectOptions, notes: &Notes) -> Result<(Link, ConnAck), Failure> {
    let attempt = async {
        let mut link = Link::new(Wire::connect(notes.clone()).await?, options);
        let mut connect = Vec::new();
        let packet = Packet::Connect(Box::new(options.packet()));
        codec::write(&packet, options.version, &mut connect).map_err(io::Error::other)?;
        // In one piece: the wire looks at it.
        link.wire.write_all(&connect).await?;
        link.wire.flush().await?;
        loop {
            let read = codec::read(&mut link.incoming, options.version, u32::MAX);
            match read.map_err(io::Error::other)? {
                Some(Packet::ConnAck(connack)) => return Ok((link, connack)),
                Some(_) => return Err(io::Error::other("its first packet is no CONNACK")),
                None => {}
            }
            let count = link.wire.read(&mut link.space).await?;
            if count == 0 {
                return Err(io::Error::other("the broker closed the connection"));
            }
            link.incoming.extend_from_slice(&link.space[..count]);
        }
    };
    match tokio::time::timeout(options.connect_timeout, attempt).await {
        Err(_) => Err(notes.too_slow()),
        Ok(Err(error)) => Err(notes.failure(lost(error))),
        Ok(Ok((_, connack))) if connack.reason.is_failure() => {
            Err(notes.failure(lost(connack.reason)))
        }
        Ok(Ok((mut link, connack))) => {
            if let Some(seconds) = connack.properties.server_keep_alive() {
                link.set_keep_alive(seconds);
            }
            Ok((link, connack))
        }
    }
}

/// One connection.
struct Link {
    wire: Wire,
    version: Version,
    space: Vec<u8>,
    incoming: BytesMut,
    /// To be handed to the wire; `..written` is.
    outgoing: Vec<u8>,
    written: usize,
    keep_alive: Option<(Duration, Pin<Box<Sleep>>)>,
    /// PINGREQ was sent and not answered.
    is_asking: bool,
}

impl Link {
    fn new(wire: Wire, options: &ConnectOptions) -> Link {
        let mut link = Link {
            wire,
            version: options.version,
            space: vec![0; LARGE],
            incoming: BytesMut::new(),
            outgoing: Vec::new(),
            written: 0,
            keep_alive: None,
            is_asking: false,
        };
        link.set_keep_alive(options.keep_alive);
        link
    }

    fn set_keep_alive(&mut self, seconds: u16) {
        let period = Duration::from_secs(u64::from(seconds));
        self.keep_alive = (seconds > 0).then(|| (period, Box::pin(tokio::time::sleep(period))));
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Answer, Failure>> {
        loop {
            if let Err(error) = self.write(context) {
                return Poll::Ready(Err(lost(error)));
            }
            match codec::read(&mut self.incoming, self.version, u32::MAX) {
                Ok(Some(packet)) => match self.answer(&packet) {
                    Some(answer) => return Poll::Ready(Ok(answer)),
                    None => continue,
                },
                Ok(None) => {}
                Err(malformed) => {
                    return Poll::Ready(Err(Failure::Forbidden(malformed.to_string())));
                }
            }
            let mut space = ReadBuf::new(&mut self.space);
            match Pin::new(&mut self.wire).poll_read(context, &mut space) {
                Poll::Ready(Ok(())) if space.filled().is_empty() => {
                    return Poll::Ready(Err(lost("the broker closed the connection")));
                }
                Poll::Ready(Ok(())) => {
                    self.incoming.extend_from_slice(space.filled());
                    continue;
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(lost(error))),
                Poll::Pending => {}
            }
            if let Some((period, sleep)) = &mut self.keep_alive {
                ready!(sleep.as_mut().poll(context));
                if std::mem::replace(&mut self.is_asking, true) {
                    let words = "the broker did not answer PINGREQ within --keepalive";
                    return Poll::Ready(Err(lost(words)));
                }
                sleep.as_mut().reset(Instant::now() + *period);
                let _ = codec::write(&Packet::PingReq, self.version, &mut self.outgoing);
                continue;
            }
            return Poll::Pending;
        }
    }

    /// Hands as much to the wire as it takes.
    fn write(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        while self.written < self.outgoing.len() {
            let rest = &self.outgoing[self.written..];
            match Pin::new(&mut self.wire).poll_write(context, rest) {
                Poll::Ready(count) => self.written += count?,
                Poll::Pending => return Ok(()),
            }
        }
        self.outgoing.clear();
        self.outgoing.shrink_to(4 * LARGE);
        self.written = 0;
        Ok(())
    }

    fn answer(&mut self, packet: &Packet) -> Option<Answer> {
        match packet {
            Packet::PubAck(answer) => Some(Answer::Complete(answer.packet_id, answer.reason)),
            // The broker had forgotten the identifier, which it does after PUBREL: this was a second one.
            Packet::PubComp(answer) if answer.reason == ReasonCode::PACKET_IDENTIFIER_NOT_FOUND => {
                Some(Answer::Complete(answer.packet_id, ReasonCode::SUCCESS))
            }
            Packet::PubComp(answer) => Some(Answer::Complete(answer.packet_id, answer.reason)),
            // One that refuses is the end of the delivery (4.3.3).
            Packet::PubRec(answer) if answer.reason.is_failure() => {
                Some(Answer::Complete(answer.packet_id, answer.reason))
            }
            Packet::PubRec(answer) => Some(Answer::Received(answer.packet_id, answer.reason)),
            Packet::PingResp => {
                self.is_asking = false;
                None
            }
            _ => None,
        }
    }
}

fn lost(words: impl ToString) -> Failure {
    Failure::Lost(words.to_string())
}
