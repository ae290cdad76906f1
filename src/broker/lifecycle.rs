//! Who comes and goes: connections that attach to sessions, take them over and leave them; wills; sessions that end.

use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use tokio::time::Instant;

use super::PACKET_LIMIT;
use super::agenda::Due;
use super::front::granted_keep_alive;
use super::groups::Change;
use super::link::Link;
use super::partition::{Partition, Shared};
use super::protocol::{Peer, SYSTEM};
use super::record::Envelope;
use super::session::{Pace, Session};
use crate::mqtt::packet::{ConnAck, Connect, Packet, Will};
use crate::mqtt::{Properties, Property, ReasonCode, Version, codec};

/// Unacknowledged publishes sent to a client that did not say how many it takes. The specification's default is
/// 65,535; a thousand keeps the line busy and a slow client's memory small.
const RECEIVE_MAXIMUM: u16 = 1_000;

/// Topic aliases a client may use on its connection.
pub const TOPIC_ALIAS_MAXIMUM: u16 = 128;

/// Where the topics are that clients which ask for response information may have replies sent to (3.2.2.3.15). The `$`
/// keeps them out of everybody's `#`.
const RESPONSES: &str = "$response";

/// How a connection ended, as far as session and will are concerned (3.1.2.5, 3.14).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// DISCONNECT from the client: the will is discarded.
    Normal,
    /// Anything else: the will is published.
    Abnormal,
    /// The broker stops: sessions stay, wills are not published.
    Stopping,
}

impl Partition {
    /// Attaches a connection whose CONNECT was accepted, and answers it with CONNACK. `assigned` says that the client
    /// id was made here (3.1.3.1).
    pub fn attach(
        &mut self,
        connect: Connect,
        identity: u64,
        assigned: bool,
        mut link: Link,
    ) -> Peer {
        let now = Instant::now();
        let properties = &connect.properties;
        link.receive_maximum = properties.receive_maximum().unwrap_or(RECEIVE_MAXIMUM);
        link.maximum_packet_size = properties.maximum_packet_size().unwrap_or(u32::MAX);
        link.topic_alias_maximum = properties.topic_alias_maximum().unwrap_or(0);
        let link = Rc::new(link);
        self.means.counters.connections.add(1);
        self.means.counters.packets_received.add(1);

        let existing = self.by_client_id.get(&connect.client_id).copied();
        if let Some(place) = existing {
            self.take_over(place, connect.clean_start, now);
        }
        let existing = self.by_client_id.get(&connect.client_id).copied();
        let place = existing.unwrap_or_else(|| self.create_session(&connect, identity));
        self.agenda_cancel(place);

        let given_keep_alive = granted_keep_alive(&connect, self.config.max_keep_alive);
        let mut granted = Properties::default();
        if link.version == Version::V5 {
            granted.push(Property::TopicAliasMaximum(TOPIC_ALIAS_MAXIMUM));
            if self.config.receive_maximum < u16::MAX {
                granted.push(Property::ReceiveMaximum(self.config.receive_maximum));
            }
            // [MQTT-3.1.2-21]
            if let Some(keep_alive) = given_keep_alive {
                granted.push(Property::ServerKeepAlive(keep_alive));
            }
            if self.config.max_packet_size < PACKET_LIMIT {
                granted.push(Property::MaximumPacketSize(self.config.max_packet_size));
            }
            if assigned {
                granted.push(Property::AssignedClientIdentifier(
                    connect.client_id.clone(),
                ));
            }
        }
        let mut connack = ConnAck {
            // MQTT 3.1 has no such flag; the byte is reserved there.
            session_present: existing.is_some() && link.version > Version::V31,
            reason: ReasonCode::SUCCESS,
            properties: granted,
        };
        if connect.properties.request_response_information() == Some(1) {
            // The root of topics that stay the client's own, because nobody else knows the key of the hash.
            let root = format!("{RESPONSES}/{identity:016x}");
            let root = Property::ResponseInformation(root.into());
            connack.properties.push(root);
            if !link.takes(&Packet::ConnAck(connack.clone())) {
                connack.properties.0.pop();
            }
        }
        link.send(&Packet::ConnAck(connack));

        let session = &mut self.sessions[place as usize];
        session.expiry = match link.version {
            Version::V5 => connect.properties.session_expiry_interval().unwrap_or(0),
            _ if connect.clean_start => 0,
            _ => u32::MAX,
        };
        session.will = connect.will;
        session.attach(Rc::clone(&link));
        let keep_alive = given_keep_alive.unwrap_or(connect.keep_alive);
        if keep_alive > 0 {
            // [MQTT-3.1.2-22]: one and a half times the keep alive.
            let grace = Duration::from_millis(u64::from(keep_alive) * 1500);
            session.keep_alive = Some(grace);
            session.keep_alive_due = Some(self.agenda.add(now + grace, Due::KeepAlive(place)));
            self.agenda_changed.notify_one();
        } else {
            session.keep_alive = None;
        }
        let session = &self.sessions[place as usize];
        let number = session.number;
        self.tell_groups(place, Change::Joins);
        self.fill(place, now);
        Peer {
            place,
            number,
            identity,
            link,
            aliases: HashMap::new(),
            tracer: None,
        }
    }

    fn create_session(&mut self, connect: &Connect, identity: u64) -> u32 {
        self.last_number = self.last_number.wrapping_add(1);
        // A copy of its own: the client id in the packet would keep the whole read buffer alive.
        let client_id = crate::mqtt::ByteString::from(connect.client_id.to_string());
        let place =
            self.sessions
                .insert(Session::new(client_id.clone(), identity, self.last_number))
                as u32;
        self.by_client_id.insert(client_id, place);
        place
    }

    /// A new connection with the client id of an existing session [MQTT-3.1.4-3].
    fn take_over(&mut self, place: u32, clean_start: bool, now: Instant) {
        let link = self.sessions[place as usize].link.clone();
        if let Some(link) = link {
            link.close(ReasonCode::SESSION_TAKEN_OVER);
            tracing::info!(
                "client {:?} taken over by a new connection",
                self.sessions[place as usize].client_id
            );
            self.detach(place, &link, Ending::Abnormal, now);
        }
        // Detaching ends a session whose expiry interval is 0; otherwise it is still there.
        if clean_start && self.sessions.contains(place as usize) {
            self.end_session(place);
        }
    }

    /// The connection is gone. Does nothing when the session has another one by now.
    pub fn detach(&mut self, place: u32, link: &Rc<Link>, ending: Ending, now: Instant) {
        let Some(session) = self.sessions.get_mut(place as usize) else {
            return;
        };
        if !session
            .link
            .as_ref()
            .is_some_and(|current| Rc::ptr_eq(current, link))
        {
            return;
        }
        session.link = None;
        self.agenda.cancel(&mut session.keep_alive_due);
        self.tell_groups(place, Change::Rests);
        let session = &mut self.sessions[place as usize];
        if session.pace != Pace::Keeping {
            self.stop_waiting_for(place, Pace::Keeping);
        }
        let session = &mut self.sessions[place as usize];
        match ending {
            Ending::Abnormal => {
                let delay = session
                    .will
                    .as_ref()
                    .and_then(|will| will.properties.will_delay_interval())
                    .unwrap_or(0);
                if delay == 0 {
                    self.publish_will(place);
                } else {
                    let at = now + Duration::from_secs(u64::from(delay));
                    session.will_due = Some(self.agenda.add(at, Due::Will(place)));
                    self.agenda_changed.notify_one();
                }
            }
            Ending::Normal | Ending::Stopping => session.will = None,
        }
        let session = &mut self.sessions[place as usize];
        match session.expiry {
            0 => self.end_session(place),
            u32::MAX => {}
            seconds => {
                let at = now + Duration::from_secs(u64::from(seconds));
                session.expiry_due = Some(self.agenda.add(at, Due::SessionEnd(place)));
                self.agenda_changed.notify_one();
            }
        }
    }

    fn publish_will(&mut self, place: u32) {
        let session = &mut self.sessions[place as usize];
        self.agenda.cancel(&mut session.will_due);
        // The system topics are the broker's own, for wills as for publishes.
        let will = session.will.take();
        if let Some(will) = will.filter(|will| !will.topic.starts_with(SYSTEM)) {
            let identity = session.identity;
            self.gather_own(identity, &will);
        }
    }

    /// Publishes a message that did not come as a PUBLISH.
    fn gather_own(&mut self, publisher: u64, will: &Will) {
        let mut properties = Vec::new();
        for property in &will.properties.0 {
            // The delay is between this client and the broker; the rest is the message's (3.1.3.2).
            if !matches!(property, Property::WillDelayInterval(_))
                && codec::write_property(property, &mut properties).is_err()
            {
                return;
            }
        }
        let envelope = Envelope {
            publisher,
            qos: will.qos,
            retain: will.retain,
            topic: &will.topic,
            properties: &properties,
            payload: &will.payload,
        };
        self.gathering.publish(&envelope, 0, None);
    }

    /// Ends a session: its will is due at the latest now (3.1.3.2.2), its subscriptions and messages go.
    fn end_session(&mut self, place: u32) {
        self.publish_will(place);
        self.agenda_cancel(place);
        self.tell_groups(place, Change::Leaves);
        let now = Instant::now();
        for delivery in self.sessions[place as usize].give_back() {
            self.gathering.again(&delivery, now);
        }
        let session = self.sessions.remove(place as usize);
        self.by_client_id.remove(&session.client_id);
        for filter in &session.filters {
            self.tree.remove(filter, place);
        }
    }

    /// Tells the groups of the session's shared subscriptions that it is there, away or gone.
    fn tell_groups(&mut self, place: u32, change: Change) {
        let number = self.sessions[place as usize].number;
        let shares = std::mem::take(&mut self.sessions[place as usize].shares);
        for (share, _) in &shares {
            self.gathering.member(share, number, place, change);
        }
        self.sessions[place as usize].shares = shares;
    }

    fn agenda_cancel(&mut self, place: u32) {
        let session = &mut self.sessions[place as usize];
        self.agenda.cancel(&mut session.keep_alive_due);
        self.agenda.cancel(&mut session.expiry_due);
        self.agenda.cancel(&mut session.will_due);
    }

    /// Does what is due.
    fn keep_agenda(&mut self, now: Instant) {
        while let Some(due) = self.agenda.take_due(now) {
            match due {
                Due::KeepAlive(place) => self.check_keep_alive(place, now),
                Due::Will(place) => {
                    self.sessions[place as usize].will_due = None;
                    self.publish_will(place);
                }
                Due::SessionEnd(place) => {
                    self.sessions[place as usize].expiry_due = None;
                    self.means.counters.sessions_expired.add(1);
                    self.end_session(place);
                }
            }
        }
    }

    /// One look a period: the client's packets only note the time. What is due is found on time because the next look
    /// is set to the last packet plus the grace.
    fn check_keep_alive(&mut self, place: u32, now: Instant) {
        let session = &mut self.sessions[place as usize];
        session.keep_alive_due = None;
        let (Some(link), Some(grace)) = (session.link.clone(), session.keep_alive) else {
            return;
        };
        let at = link.last_heard.get() + grace;
        if at > now {
            session.keep_alive_due = Some(self.agenda.add(at, Due::KeepAlive(place)));
            return;
        }
        tracing::info!(
            "client {:?} has been silent for {grace:?}, closing",
            session.client_id
        );
        link.close(ReasonCode::KEEP_ALIVE_TIMEOUT);
        self.detach(place, &link, Ending::Abnormal, now);
    }
}

/// Keeps the agenda for as long as the partition runs.
pub async fn keep_agenda(partition: Shared) {
    let changed = Rc::clone(&partition.borrow().agenda_changed);
    loop {
        let next = partition.borrow().agenda.next();
        match next {
            Some(at) => {
                let _ = tokio::time::timeout_at(at, changed.notified()).await;
            }
            None => changed.notified().await,
        }
        partition.borrow_mut().keep_agenda(Instant::now());
    }
}
