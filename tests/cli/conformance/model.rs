//! What MQTT sessions are, as plainly as can be said: subscriptions, a queue, what is in flight, and what the broker owes to
//! whoever is connected. `random` acts; nothing here talks to a broker.

use std::collections::{BTreeMap, VecDeque};

use mqtt_toolbox::mqtt::QoS;

use super::client::Client;

/// A message as it was published.
#[derive(Debug, Clone)]
pub struct Message {
    pub publisher: usize,
    pub topic: &'static str,
    pub payload: String,
    pub qos: QoS,
    pub retain: bool,
}

/// A message as one session is to see it.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    pub topic: String,
    pub payload: String,
    pub qos: QoS,
    pub retain: bool,
    pub identifiers: Vec<u32>,
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
    pub kept: bool,
    pub filters: BTreeMap<&'static str, Options>,
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

pub struct Connection {
    pub client: Client,
    pub will: Option<Message>,
    pub window: usize,
    pub owed: Vec<Owed>,
    pub unanswered: Vec<Unanswered>,
}

#[derive(Default)]
pub struct Peer {
    pub connection: Option<Connection>,
    pub session: Option<Session>,
    pub last_packet_id: u16,
    pub last_serial: u64,
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

    /// Sends what may be sent: first what an earlier connection left, then the queue.
    pub fn pump(&mut self) {
        let (Some(connection), Some(session)) = (&mut self.connection, &mut self.session) else {
            return;
        };
        while session.flights.len() < connection.window
            && let Some(flight) = session.again.pop_front()
        {
            connection.owed.push(match flight.released {
                true => Owed::Release(flight.serial),
                false => Owed::Publish {
                    delivery: flight.delivery.clone(),
                    serial: Some(flight.serial),
                    dup: true,
                },
            });
            session.flights.push(flight);
        }
        if !session.again.is_empty() {
            return;
        }
        while let Some(delivery) = session.queue.front() {
            let counted = delivery.qos > QoS::AtMostOnce;
            if counted && session.flights.len() >= connection.window {
                return;
            }
            let delivery = session.queue.pop_front().unwrap();
            let mut serial = None;
            if counted {
                self.last_serial += 1;
                serial = Some(self.last_serial);
                session.flights.push(Flight {
                    serial: self.last_serial,
                    delivery: delivery.clone(),
                    packet_id: None,
                    released: false,
                });
            }
            connection.owed.push(Owed::Publish {
                delivery,
                serial,
                dup: false,
            });
        }
    }

    /// The connection is gone; so is the session, unless it is kept.
    pub fn detach(&mut self) {
        self.connection = None;
        let Some(session) = &mut self.session else {
            return;
        };
        if !session.kept {
            self.session = None;
            return;
        }
        // Sent again is what was sent on this connection, and behind it what waited for that.
        let mut again: VecDeque<Flight> = session.flights.drain(..).collect();
        again.append(&mut session.again);
        session.again = again;
    }

    /// What this peer's subscriptions together make of a message.
    pub fn wants(&self, number: usize, message: &Message) -> Option<Delivery> {
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
        let mut identifiers: Vec<u32> = matching.iter().map(|options| options.identifier).collect();
        identifiers.retain(|identifier| *identifier > 0);
        identifiers.sort_unstable();
        Some(Delivery {
            topic: message.topic.to_owned(),
            payload: message.payload.clone(),
            qos: message.qos.min(granted),
            retain: message.retain && matching.iter().any(|options| options.as_published),
            identifiers,
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
