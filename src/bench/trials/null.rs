//! A broker that does as little as a broker can, in a thread of its own: what a load costs against it is what the load
//! tester costs.
//!
//! It answers every packet and forwards every message at once to whoever's filter matches; of a shared subscription one
//! member after the other has its turn. There are no sessions, no retained messages, no wills, no redelivery and no limits,
//! on purpose. When somebody reads more slowly than the others publish, nobody is read from until it has caught up.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;

use anyhow::Context;
use bytes::BytesMut;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};
use tokio::task::LocalSet;

use crate::bench::role::{kind, write_acknowledgement};
use crate::mqtt::codec::{self, MAXIMUM_REMAINING_LENGTH, Malformed, PublishView};
use crate::mqtt::packet::{ConnAck, SubAck};
use crate::mqtt::{Packet, Properties, QoS, ReasonCode, Version, topic};

/// The largest packet read: all MQTT allows.
const LARGEST: u32 = MAXIMUM_REMAINING_LENGTH + 5;

/// With more than this unwritten for one client nobody is read from.
const CONGESTED: usize = 4 * 1024 * 1024;

/// The size of the buffer everyone is read into; a larger packet makes it grow.
const SCRATCH: usize = 256 * 1024;

/// One that runs until it is dropped.
pub struct NullBroker {
    /// Where it listens, on the loopback interface.
    pub address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl NullBroker {
    /// Starts one on a free port.
    ///
    /// # Errors
    /// When there is no port or no thread left.
    pub fn start() -> anyhow::Result<NullBroker> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .event_interval(16)
            .build()?;
        let listener = runtime
            .block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
            .context("could not listen for the null broker")?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::Builder::new()
            .name("null-broker".to_owned())
            .spawn(move || {
                LocalSet::new().block_on(&runtime, async {
                    tokio::select! {
                        () = accept(listener) => {}
                        _ = stopped => {}
                    }
                });
            })
            .context("could not start the null broker")?;
        Ok(NullBroker {
            address,
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for NullBroker {
    fn drop(&mut self) {
        // Whether it is told or its channel ends, it ends.
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It cannot panic on what clients send, and nobody is left to care.
            let _ = thread.join();
        }
    }
}

async fn accept(listener: TcpListener) {
    let room = Rc::new(Room::default());
    loop {
        // Out of descriptors: the client finds out when its connection is not answered.
        let Ok((stream, _)) = listener.accept().await else {
            tokio::task::yield_now().await;
            continue;
        };
        let room = Rc::clone(&room);
        tokio::task::spawn_local(async move {
            if stream.set_nodelay(true).is_ok() {
                let client = Rc::new(Client::new(stream));
                // However a connection ends, it is over.
                let _ = serve(&room, &client).await;
                room.leave(&client);
            }
        });
    }
}

/// What all connections share.
#[derive(Default)]
struct Room {
    subscriptions: RefCell<Vec<Subscription>>,
    /// Who hears a topic, until somebody subscribes or leaves.
    known: RefCell<HashMap<String, Rc<Audience>>>,
    /// How many clients have more than [`CONGESTED`] unwritten.
    congested: Cell<usize>,
    eased: Notify,
    scratch: RefCell<Vec<u8>>,
}

struct Subscription {
    filter: String,
    qos: QoS,
    client: Rc<Client>,
}

/// Who hears a topic.
#[derive(Default)]
struct Audience {
    all: Vec<Member>,
    /// Groups that take turns, with whose turn it is.
    groups: Vec<(Vec<Member>, Cell<usize>)>,
}

/// A client and the quality of service it was granted.
type Member = (Rc<Client>, QoS);

struct Client {
    stream: TcpStream,
    version: Cell<Version>,
    unwritten: RefCell<Vec<u8>>,
    /// Something was put into `unwritten` that has not been tried to be written.
    touched: Cell<bool>,
    congested: Cell<bool>,
    packet_id: Cell<u16>,
    /// The socket did not take everything.
    blocked: Notify,
}

impl Client {
    fn new(stream: TcpStream) -> Client {
        Client {
            stream,
            version: Cell::new(Version::V311),
            unwritten: RefCell::default(),
            touched: Cell::new(false),
            congested: Cell::new(false),
            packet_id: Cell::new(0),
            blocked: Notify::new(),
        }
    }

    fn next_packet_id(&self) -> u16 {
        let next = self.packet_id.get().checked_add(1).unwrap_or(1);
        self.packet_id.set(next);
        next
    }

    /// Writes what the socket takes; whether nothing is left. A connection that fails ends where it is read.
    fn flush(&self) -> bool {
        self.touched.set(false);
        let mut unwritten = self.unwritten.borrow_mut();
        let mut taken = 0;
        while taken < unwritten.len() {
            match self.stream.try_write(&unwritten[taken..]) {
                Ok(count) => taken += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => taken = unwritten.len(),
            }
        }
        if taken == unwritten.len() {
            unwritten.clear();
            unwritten.shrink_to(64 * 1024);
        } else {
            unwritten.drain(..taken);
        }
        unwritten.is_empty()
    }
}

/// Why a connection ends; nobody asks for more.
struct Over;

impl From<io::Error> for Over {
    fn from(_: io::Error) -> Over {
        Over
    }
}

impl From<Malformed> for Over {
    fn from(_: Malformed) -> Over {
        Over
    }
}

async fn serve(room: &Rc<Room>, client: &Rc<Client>) -> Result<(), Over> {
    let mut partial = Vec::new();
    let mut touched = Vec::new();
    let mut greeted = false;
    loop {
        let blocked = !client.unwritten.borrow().is_empty();
        let readable = async {
            while room.congested.get() > 0 {
                room.eased.notified().await;
            }
            client.stream.readable().await
        };
        tokio::select! {
            biased;
            ready = client.stream.writable(), if blocked => {
                ready?;
                client.flush();
                room.measure(client);
                continue;
            }
            ready = readable => ready?,
            () = client.blocked.notified() => continue,
        }
        let mut scratch = room.scratch.borrow_mut();
        let kept = partial.len();
        let least = SCRATCH.max(kept * 2);
        if scratch.len() < least {
            scratch.resize(least, 0);
        }
        let count = match client.stream.try_read(&mut scratch[kept..]) {
            Ok(0) => return Err(Over),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
            Err(error) => return Err(error.into()),
        };
        scratch[..kept].copy_from_slice(&partial);
        let mut rest = &scratch[..kept + count];
        while let Some(frame) = codec::frame(rest, LARGEST)? {
            let (bytes, behind) = rest.split_at(frame.length);
            if greeted {
                room.take(client, frame.header, frame.body, bytes, &mut touched)?;
            } else {
                greet(client, bytes)?;
                greeted = true;
            }
            rest = behind;
        }
        partial.clear();
        partial.extend_from_slice(rest);
        drop(scratch);
        client.touched.set(true);
        touched.push(Rc::clone(client));
        for written in touched.drain(..) {
            if written.touched.get() {
                if !written.flush() {
                    written.blocked.notify_one();
                }
                room.measure(&written);
            }
        }
    }
}

fn greet(client: &Client, bytes: &[u8]) -> Result<(), Over> {
    let mut buffer = BytesMut::from(bytes);
    let Ok(Some(Packet::Connect(connect))) = codec::read(&mut buffer, Version::V5, LARGEST) else {
        return Err(Over);
    };
    client.version.set(connect.version);
    client.answer(&Packet::ConnAck(ConnAck {
        session_present: false,
        reason: ReasonCode::SUCCESS,
        properties: Properties::default(),
    }))
}

impl Client {
    fn answer(&self, packet: &Packet) -> Result<(), Over> {
        let mut out = self.unwritten.borrow_mut();
        codec::write(packet, self.version.get(), &mut out).map_err(|_| Over)
    }
}

impl Room {
    /// Takes in one packet.
    fn take(
        &self,
        client: &Rc<Client>,
        header: u8,
        body: &[u8],
        bytes: &[u8],
        touched: &mut Vec<Rc<Client>>,
    ) -> Result<(), Over> {
        let version = client.version.get();
        match header >> 4 {
            kind::PUBLISH => {
                let publish = codec::publish_view(header, body, version)?;
                self.forward(&publish, bytes, version, touched);
                let answer = match publish.qos {
                    QoS::AtMostOnce => return Ok(()),
                    QoS::AtLeastOnce => kind::PUBACK,
                    QoS::ExactlyOnce => kind::PUBREC,
                };
                write_acknowledgement(
                    answer,
                    publish.packet_id,
                    &mut client.unwritten.borrow_mut(),
                );
                Ok(())
            }
            kind::PUBACK | kind::PUBCOMP => Ok(()),
            answered @ (kind::PUBREC | kind::PUBREL) => {
                let &[high, low, ..] = body else {
                    return Err(Over);
                };
                let answer = match answered {
                    kind::PUBREC => kind::PUBREL,
                    _ => kind::PUBCOMP,
                };
                let packet_id = u16::from_be_bytes([high, low]);
                write_acknowledgement(answer, packet_id, &mut client.unwritten.borrow_mut());
                Ok(())
            }
            _ => self.take_rare(client, bytes),
        }
    }

    fn take_rare(&self, client: &Rc<Client>, bytes: &[u8]) -> Result<(), Over> {
        let mut buffer = BytesMut::from(bytes);
        match codec::read(&mut buffer, client.version.get(), LARGEST)? {
            Some(Packet::Subscribe(subscribe)) => {
                let mut reasons = Vec::new();
                for asked in subscribe.filters {
                    reasons.push(ReasonCode(asked.qos.number()));
                    self.subscriptions.borrow_mut().push(Subscription {
                        filter: asked.filter.to_string(),
                        qos: asked.qos,
                        client: Rc::clone(client),
                    });
                }
                self.known.borrow_mut().clear();
                client.answer(&Packet::SubAck(SubAck {
                    packet_id: subscribe.packet_id,
                    reasons,
                    properties: Properties::default(),
                }))
            }
            Some(Packet::Unsubscribe(unsubscribe)) => {
                let gone = |one: &Subscription| {
                    let filters = &unsubscribe.filters;
                    Rc::ptr_eq(&one.client, client)
                        && filters.iter().any(|filter| **filter == *one.filter)
                };
                self.subscriptions.borrow_mut().retain(|one| !gone(one));
                self.known.borrow_mut().clear();
                client.answer(&Packet::UnsubAck(SubAck {
                    packet_id: unsubscribe.packet_id,
                    reasons: vec![ReasonCode::SUCCESS; unsubscribe.filters.len()],
                    properties: Properties::default(),
                }))
            }
            Some(Packet::PingReq) => client.answer(&Packet::PingResp),
            _ => Err(Over),
        }
    }

    /// Puts a message into the buffers of everyone whose turn it is.
    fn forward(
        &self,
        publish: &PublishView<'_>,
        bytes: &[u8],
        version: Version,
        touched: &mut Vec<Rc<Client>>,
    ) {
        let audience = self.audience(publish.topic);
        let turns = audience.groups.iter().filter_map(|(members, turn)| {
            let place = turn.get() % members.len().max(1);
            turn.set(place + 1);
            members.get(place)
        });
        for (client, granted) in audience.all.iter().chain(turns) {
            let qos = publish.qos.min(*granted);
            let out = &mut client.unwritten.borrow_mut();
            if qos == QoS::AtMostOnce
                && publish.qos == qos
                && client.version.get() == version
                && !publish.retain
            {
                out.extend_from_slice(bytes);
            } else {
                let view = PublishView {
                    dup: false,
                    qos,
                    retain: false,
                    packet_id: match qos {
                        QoS::AtMostOnce => 0,
                        _ => client.next_packet_id(),
                    },
                    properties: if version == client.version.get() {
                        publish.properties
                    } else {
                        &[]
                    },
                    ..*publish
                };
                // It was no larger when it came.
                let _ = view.write(client.version.get(), out);
            }
            if !client.touched.replace(true) {
                touched.push(Rc::clone(client));
            }
        }
    }

    fn audience(&self, topic: &str) -> Rc<Audience> {
        if let Some(known) = self.known.borrow().get(topic) {
            return Rc::clone(known);
        }
        let mut audience = Audience::default();
        let mut groups: HashMap<String, Vec<Member>> = HashMap::new();
        for one in self.subscriptions.borrow().iter() {
            let member = (Rc::clone(&one.client), one.qos);
            match topic::share_of(&one.filter) {
                Some(shared) if topic::matches(shared.filter, topic) => {
                    groups.entry(one.filter.clone()).or_default().push(member);
                }
                None if topic::matches(&one.filter, topic) => audience.all.push(member),
                _ => {}
            }
        }
        audience.groups = groups
            .into_values()
            .map(|members| (members, Cell::new(0)))
            .collect();
        let audience = Rc::new(audience);
        let mut known = self.known.borrow_mut();
        // Topics that never come again need not be known for ever.
        if known.len() >= 100_000 {
            known.clear();
        }
        known.insert(topic.to_owned(), Rc::clone(&audience));
        audience
    }

    /// Keeps count of who is far behind.
    fn measure(&self, client: &Client) {
        let now = client.unwritten.borrow().len() > CONGESTED;
        let before = client.congested.replace(now);
        match (before, now) {
            (false, true) => self.congested.set(self.congested.get() + 1),
            (true, false) => {
                self.congested.set(self.congested.get() - 1);
                self.eased.notify_waiters();
            }
            _ => {}
        }
    }

    fn leave(&self, client: &Rc<Client>) {
        client.unwritten.borrow_mut().clear();
        self.measure(client);
        self.subscriptions
            .borrow_mut()
            .retain(|one| !Rc::ptr_eq(&one.client, client));
        self.known.borrow_mut().clear();
    }
}
