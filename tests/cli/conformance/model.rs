//! What MQTT sessions are, as plainly as can be said: subscriptions, a queue, what is in flight, when a session ends and a
//! will is due, and what the broker owes to whoever is connected. `world` acts; nothing here talks to a broker.
//! `parcel` has what is special about shared subscriptions.

use std::collections::{BTreeMap, VecDeque};

use mqtt_toolbox::mqtt::{QoS, Version};

use super::parcel::{Parcel, filter_of};

pub const CLIENTS: usize = 4;

/// A session that never ends by itself (3.1.2.11.2).
pub const FOR_EVER: u32 = u32::MAX;

/// A message as it is published.
#[derive(Debug, Clone)]
pub struct Message {
    pub publisher: usize,
    pub topic: &'static str,
    pub payload: String,
    pub qos: QoS,
    pub retain: bool,
    /// Message expiry interval in seconds.
    pub expiry: Option<u32>,
}

/// A message as one session is to see it.
#[derive(Debug, Clone)]
pub struct Delivery {
    pub message: Message,
    pub qos: QoS,
    pub retain: bool,
    pub identifiers: Vec<u32>,
    /// When it expires, in milliseconds of the model.
    pub expires: Option<u64>,
    /// The shared subscription it comes through.
    pub share: Option<&'static str>,
    /// Its parcel, as long as it is not known who has it.
    pub parcel: Option<usize>,
}

/// A delivery that was sent and is not acknowledged to the end.
#[derive(Debug, Clone)]
pub struct Flight {
    pub serial: u64,
    pub delivery: Delivery,
    pub packet_id: Option<u16>,
    pub released: bool,
}

#[derive(Debug, Clone, Copy)]
pub struct Options {
    pub qos: QoS,
    pub no_local: bool,
    pub as_published: bool,
    pub identifier: u32,
}

/// What the broker keeps for a client id.
#[derive(Debug, Default)]
pub struct Session {
    /// Seconds it outlives its connection.
    pub expiry: u32,
    /// When it ends, while there is no connection.
    pub ends: Option<u64>,
    /// When its will is due, and the will.
    pub will_due: Option<(u64, Message)>,
    pub filters: BTreeMap<&'static str, Options>,
    /// Shared subscriptions.
    pub shares: BTreeMap<&'static str, Options>,
    pub queue: VecDeque<Delivery>,
    /// In flight on an earlier connection, and not sent again yet.
    pub again: VecDeque<Flight>,
    pub flights: Vec<Flight>,
    /// QoS 2 publishes of the client that it has not released.
    pub unreleased: Vec<(u16, Message)>,
}

/// A packet the broker owes.
#[derive(Debug, Clone)]
pub enum Owed {
    Publish {
        delivery: Delivery,
        /// The message expiry interval it has to say.
        expiry_left: Option<u32>,
        serial: Option<u64>,
        dup: bool,
    },
    Release(u64),
}

/// What the client has not answered yet: to which flight, and whether with PUBCOMP.
#[derive(Debug, Clone, Copy)]
pub struct Unanswered {
    pub serial: u64,
    pub qos: QoS,
    pub complete: bool,
}

#[derive(Debug)]
pub struct Connection {
    pub version: Version,
    /// The will and its delay in seconds.
    pub will: Option<(Message, u32)>,
    pub window: usize,
    pub owed: Vec<Owed>,
    pub unanswered: Vec<Unanswered>,
}

#[derive(Debug, Default)]
pub struct Peer {
    pub connection: Option<Connection>,
    pub session: Option<Session>,
    /// Whether it ever was in a group: then its window is never small, so that what is only perhaps there holds nothing up.
    pub is_member: bool,
    last_packet_id: u16,
    last_serial: u64,
}

/// Something that happens by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Due {
    SessionEnd,
    Will,
}

#[derive(Debug, Default)]
pub struct Model {
    /// Milliseconds.
    pub now: u64,
    pub peers: [Peer; CLIENTS],
    /// The last message of each topic to be retained, expired or not.
    pub retained: BTreeMap<&'static str, Delivery>,
    pub parcels: Vec<Parcel>,
    /// Wills that were published, for whoever waits until they have passed.
    pub wills: Vec<Message>,
}

impl Model {
    pub fn session(&mut self, number: usize) -> &mut Session {
        let session = self.peers[number].session.as_mut();
        session.expect("it has a session")
    }

    pub fn connection(&mut self, number: usize) -> &mut Connection {
        let connection = self.peers[number].connection.as_mut();
        connection.expect("it is connected")
    }

    /// A new connection takes over from the one there may be, and attaches to the session there is or to a new one. Says
    /// whether there was one.
    pub fn greet(
        &mut self,
        number: usize,
        connection: Connection,
        clean: bool,
        expiry: u32,
    ) -> bool {
        let will = self.let_go(number, true);
        if clean && let Some(session) = &mut self.peers[number].session {
            session.will_due = session
                .will_due
                .take()
                .or(will.clone().map(|will| (0, will)));
            self.end_session(number);
        }
        let peer = &mut self.peers[number];
        peer.connection = Some(connection);
        let present = peer.session.is_some();
        let session = peer.session.get_or_insert_default();
        (session.expiry, session.ends, session.will_due) = (expiry, None, None);
        self.pump(number);
        if let Some(will) = will.filter(|_| !clean) {
            self.publish_will(will, Some(number));
        }
        present
    }

    /// The connection is gone.
    pub fn hang_up(&mut self, number: usize, with_will: bool) {
        if let Some(will) = self.let_go(number, with_will) {
            self.publish_will(will, None);
        }
    }

    /// The same; returns the will if it is to be published now.
    fn let_go(&mut self, number: usize, with_will: bool) -> Option<Message> {
        let connection = self.peers[number].connection.take()?;
        for owed in &connection.owed {
            if let Owed::Publish {
                delivery,
                serial: None,
                ..
            } = owed
            {
                self.void(delivery.parcel, Some("sent at QoS 0 to who left"));
            }
        }
        let now = self.now;
        let session = self.session(number);
        // Sent again is what was sent on this connection, and behind it what waited for that.
        let mut again: VecDeque<Flight> = session.flights.drain(..).collect();
        again.append(&mut session.again);
        session.again = again;
        let due = |seconds: u32| now + u64::from(seconds) * 1000;
        session.ends = (session.expiry < FOR_EVER).then(|| due(session.expiry));
        let will = connection.will.filter(|_| with_will);
        session.will_due = will.map(|(will, delay)| (due(delay), will));
        if session.expiry == 0 {
            self.end_session(number);
            return None;
        }
        let published = session.will_due.take_if(|(at, _)| *at == now);
        published.map(|(_, will)| will)
    }

    fn publish_will(&mut self, will: Message, resting: Option<usize>) {
        self.passed(&will, resting);
        self.wills.push(will);
    }

    /// Does what is due.
    pub fn happens(&mut self, due: Due, number: usize) {
        if due == Due::SessionEnd {
            return self.end_session(number);
        }
        let will = self.session(number).will_due.take();
        will.into_iter()
            .for_each(|(_, will)| self.publish_will(will, None));
    }

    /// The session ends: its will is published if it is not yet, and what shared subscriptions gave it goes to others.
    pub fn end_session(&mut self, number: usize) {
        let Some(session) = self.peers[number].session.take() else {
            return;
        };
        let mut given_back = Vec::new();
        for Flight { delivery, .. } in session.flights.into_iter().chain(session.again) {
            match delivery.qos {
                QoS::ExactlyOnce => {
                    self.void(delivery.parcel, Some("begun at QoS 2 with who left"))
                }
                _ => given_back.push(delivery),
            }
        }
        given_back.extend(session.queue);
        if let Some((_, will)) = session.will_due {
            self.publish_will(will.clone(), None);
            // Its turn may have come to the one that leaves; then it is passed on behind what that one leaves.
            let late = self.passed_on(&will, session.shares.keys());
            given_back.extend(late);
        }
        for delivery in given_back {
            self.give_back(delivery);
        }
    }

    /// The next thing that happens by itself, and when.
    pub fn due(&self) -> Option<(u64, Due, usize)> {
        let due = |(number, peer): (usize, &Peer)| {
            let session = peer.session.as_ref()?;
            let ends = session.ends.map(|at| (at, Due::SessionEnd, number));
            let will = session.will_due.as_ref();
            let will = will.map(|(at, _)| (*at, Due::Will, number));
            ends.into_iter().chain(will).min()
        };
        self.peers.iter().enumerate().filter_map(due).min()
    }

    /// The message has passed the broker: everybody is owed it who wants it. `resting` was not there at that moment, but is
    /// by now.
    pub fn passed(&mut self, message: &Message, resting: Option<usize>) {
        let expires = self.expires(message);
        if message.retain && message.payload.is_empty() {
            self.retained.remove(message.topic);
        } else if message.retain {
            let kept = Delivery {
                message: message.clone(),
                qos: message.qos,
                retain: true,
                identifiers: Vec::new(),
                expires,
                share: None,
                parcel: None,
            };
            self.retained.insert(message.topic, kept);
        }
        for number in 0..CLIENTS {
            let delivery = self.peers[number].wants(number, message, expires);
            let Some(delivery) = delivery else { continue };
            if self.peers[number].connection.is_some() || delivery.qos > QoS::AtMostOnce {
                self.session(number).queue.push_back(delivery);
                self.pump(number);
            }
        }
        self.passed_to_groups(message, resting);
    }

    /// Sends what may be sent: first what an earlier connection left, then the queue.
    pub fn pump(&mut self, number: usize) {
        let now = self.now;
        loop {
            let parcels = &self.parcels;
            let is_elsewhere = |delivery: &Delivery| {
                delivery
                    .parcel
                    .is_some_and(|parcel| parcels[parcel].is_found)
            };
            let Peer {
                connection: Some(connection),
                session: Some(session),
                last_serial,
                ..
            } = &mut self.peers[number]
            else {
                return;
            };
            let has_room = session.flights.len() < connection.window;
            if let Some(flight) = session.again.pop_front_if(|_| has_room) {
                if is_elsewhere(&flight.delivery) {
                    continue;
                }
                connection.owed.push(match flight.released {
                    true => Owed::Release(flight.serial),
                    false => Owed::Publish {
                        delivery: flight.delivery.clone(),
                        expiry_left: expiry_left(&flight.delivery, now),
                        serial: Some(flight.serial),
                        dup: true,
                    },
                });
                session.flights.push(flight);
                continue;
            }
            let may_go = |delivery: &mut Delivery| has_room || delivery.qos == QoS::AtMostOnce;
            if !session.again.is_empty() {
                return;
            }
            let Some(delivery) = session.queue.pop_front_if(may_go) else {
                return;
            };
            if is_elsewhere(&delivery) {
                continue;
            }
            if delivery.expires.is_some_and(|at| at <= now) {
                self.void(delivery.parcel, Some("expired"));
                continue;
            }
            let mut serial = None;
            if delivery.qos > QoS::AtMostOnce {
                *last_serial += 1;
                serial = Some(*last_serial);
                session.flights.push(Flight {
                    serial: *last_serial,
                    delivery: delivery.clone(),
                    packet_id: None,
                    released: false,
                });
            }
            connection.owed.push(Owed::Publish {
                expiry_left: expiry_left(&delivery, now),
                delivery,
                serial,
                dup: false,
            });
        }
    }

    /// Retained messages for a new subscription. Which topic comes first is not promised by anybody; the broker has them in
    /// order.
    pub fn send_retained(&mut self, number: usize, filter: &str, options: Options) {
        let retained = self.retained.values();
        let wanted = retained
            .filter(|kept| matches(filter, kept.message.topic))
            .filter(|kept| !(options.no_local && kept.message.publisher == number))
            .map(|kept| Delivery {
                qos: kept.qos.min(options.qos),
                identifiers: options.identifiers(),
                ..kept.clone()
            });
        let wanted: Vec<Delivery> = wanted.collect();
        self.session(number).queue.extend(wanted);
        self.pump(number);
    }

    pub fn expires(&self, message: &Message) -> Option<u64> {
        let seconds = message.expiry.map(u64::from);
        seconds.map(|seconds| self.now + seconds * 1000)
    }
}

/// Seconds that are left, the one that has begun included (3.3.2.3.3).
pub fn expiry_left(delivery: &Delivery, now: u64) -> Option<u32> {
    let left = delivery.expires?.saturating_sub(now).div_ceil(1000);
    Some(u32::try_from(left).expect("it was a u32"))
}

impl Options {
    pub fn identifiers(&self) -> Vec<u32> {
        Some(self.identifier)
            .filter(|identifier| *identifier > 0)
            .into_iter()
            .collect()
    }
}

impl Peer {
    pub fn packet_id(&mut self) -> u16 {
        loop {
            self.last_packet_id = self.last_packet_id % 1000 + 1;
            let id = self.last_packet_id;
            let session = self.session.as_ref();
            let taken = session
                .is_some_and(|session| session.unreleased.iter().any(|(other, _)| *other == id));
            if !taken {
                return id;
            }
        }
    }

    /// Whether any of its subscriptions, shared or not, matches.
    pub fn may_be_sent(&self, number: usize, message: &Message) -> bool {
        let shares = self
            .session
            .iter()
            .flat_map(|session| session.shares.keys());
        self.wants(number, message, None).is_some()
            || shares
                .into_iter()
                .any(|share| matches(filter_of(share), message.topic))
    }

    /// What this peer's own subscriptions together make of a message.
    fn wants(&self, number: usize, message: &Message, expires: Option<u64>) -> Option<Delivery> {
        let session = self.session.as_ref()?;
        let matching: Vec<&Options> = session
            .filters
            .iter()
            .filter(|(filter, options)| {
                matches(filter, message.topic) && !(options.no_local && message.publisher == number)
            })
            .map(|(_, options)| options)
            .collect();
        let granted = matching.iter().map(|options| options.qos).max()?;
        let mut identifiers: Vec<u32> = matching
            .iter()
            .flat_map(|options| options.identifiers())
            .collect();
        identifiers.sort_unstable();
        Some(Delivery {
            message: message.clone(),
            qos: message.qos.min(granted),
            retain: message.retain && matching.iter().any(|options| options.as_published),
            identifiers,
            expires,
            share: None,
            parcel: None,
        })
    }
}

/// The rules of 4.7 once more, as plainly as can be; no topic here begins with `$`.
pub fn matches(filter: &str, topic: &str) -> bool {
    let (mut levels, mut names) = (filter.split('/'), topic.split('/'));
    loop {
        match (levels.next(), names.next()) {
            (Some("#"), _) | (None, None) => return true,
            (Some("+"), Some(_)) => {}
            (Some(level), Some(name)) if level == name => {}
            _ => return false,
        }
    }
}
