//! A session with a broker: publish, subscribe, receive, over as many connections as it takes.
//!
//! The library's `publish` only queues, and acknowledgements come back as packet identifiers. The one hard thing
//! is therefore to know which message an acknowledgement is for, also when the connection changes in between:
//!
//! - Messages are handed to the library in order, and it numbers them in order. [`Signal::Sent`] tells the number it
//!   gave to the oldest message that has none yet.
//! - A broker that kept the session gets the unacknowledged messages again from the library, with the same numbers.
//! - From one that did not, the library forgets everything it holds, and all of it is handed over anew from here.
//!   What it is handed between the loss and the next connection it would not forget, and send twice: so it is
//!   handed nothing then, and does not connect before the loss was taken note of here. Both run on one thread, which
//!   makes the loss and [`Notes::set_up`] one step.
//!
//! Received messages are acknowledged by the caller, once it has done with them what it was asked to.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::sync::mpsc::{self, error::TryRecvError};
use tokio::time::Instant;

use super::accepted::{Accepted, Unfit};
use super::driblets::Driblets;
use super::driver::{Signal, drive};
use super::failure::Failure;
use super::losses::Losses;
use super::notes::Notes;
use super::options::ConnectOptions;
use super::outgoing::Outgoing;
use super::retry::Retry;
use super::{v3, v5};
use crate::mqtt::packet::{Publish, Subscription};
use crate::mqtt::{ByteString, Properties, QoS, ReasonCode, Version};

/// How long the broker may take to close its side after DISCONNECT.
const FAREWELL: Duration = Duration::from_millis(500);

/// What happens on a session.
#[derive(Debug)]
pub enum Event {
    /// Connected, again: the first time is the return of [`connect`].
    Connected,
    /// The answer to the SUBSCRIBE, one reason code for each filter; after a reconnection as well.
    Subscribed(Vec<ReasonCode>),
    /// The answer to the UNSUBSCRIBE, one reason code for each filter; none before MQTT 5.
    Unsubscribed(Vec<ReasonCode>),
    /// A message arrived; to be acknowledged with [`Session::acknowledge`].
    Message(Publish),
    /// A message of QoS 1 or 2 was written. Not yet complete.
    Sent {
        /// What [`Session::publish`] returned.
        number: u64,
        /// Its packet identifier.
        packet_id: u16,
        /// It had been sent before, on a connection that is gone.
        again: bool,
    },
    /// A delivery is complete: QoS 0 on its way, 1 and 2 acknowledged, or refused with the reason (MQTT 5).
    Complete {
        /// What [`Session::publish`] returned.
        number: u64,
        /// Success or why not.
        reason: ReasonCode,
    },
    /// The connection was lost, or an attempt to regain it failed.
    Lost {
        /// Why.
        failure: Failure,
        /// When the next attempt begins; `None` when there will be none.
        retry_in: Option<Duration>,
        /// Messages of QoS 0 that were not written, and now never will be.
        unwritten: usize,
    },
}

/// A session, driven by [`Session::next`].
pub struct Session {
    client: Client,
    notes: Notes,
    signals: mpsc::Receiver<Vec<Signal>>,
    batch: std::vec::IntoIter<Signal>,
    attempts: mpsc::Sender<Duration>,
    losses: Losses,
    /// Since when, if connected.
    connected: Option<Instant>,
    is_first: bool,
    limits: Accepted,
    version: Version,
    subscriptions: (Vec<Subscription>, Properties),
    unsubscriptions: (Vec<ByteString>, Properties),
    /// The most messages of QoS 1 and 2 under way, where somebody has said so.
    window: Option<u16>,
    /// The properties of DISCONNECT.
    farewell: Properties,
    next_number: u64,
    outgoing: Outgoing,
    /// Packet identifiers of QoS 2 messages that were acknowledged and whose PUBREL has not come.
    unreleased: BTreeSet<u16>,
    /// QoS 1 messages that were acknowledged and whose PUBACK is not written.
    unsettled: usize,
    driblets: Driblets,
}

enum Client {
    V3(rumqttc::AsyncClient),
    V5(rumqttc5::AsyncClient),
}

/// Connects, and returns when the broker has accepted.
///
/// # Errors
/// Why it did not come about. The first connection is tried once only.
pub async fn connect(options: &ConnectOptions, retry: Retry) -> Result<Session, Failure> {
    let notes = Notes::new(options)?;
    let (signals_in, signals) = mpsc::channel(1);
    let (attempts, attempts_out) = mpsc::channel(1);
    let client = match options.version {
        Version::V31 | Version::V311 => {
            let (client, events) = v3::client(options, notes.clone());
            tokio::spawn(drive(events, notes.clone(), signals_in, attempts_out));
            Client::V3(client)
        }
        Version::V5 => {
            let (client, events) = v5::client(options, notes.clone());
            tokio::spawn(drive(events, notes.clone(), signals_in, attempts_out));
            Client::V5(client)
        }
    };
    // The first time it is for the caller to go another way.
    let straight = ConnectOptions {
        falls_back: false,
        follows_redirects: false,
        ..options.clone()
    };
    let mut session = Session {
        client,
        notes,
        signals,
        batch: Vec::new().into_iter(),
        attempts,
        losses: Losses::new(&straight, Retry::NEVER),
        connected: None,
        is_first: true,
        limits: Accepted::default(),
        version: options.version,
        subscriptions: Default::default(),
        unsubscriptions: Default::default(),
        window: options.max_in_flight,
        farewell: options.disconnect.clone(),
        next_number: 0,
        outgoing: Outgoing::default(),
        unreleased: BTreeSet::new(),
        unsettled: 0,
        driblets: Driblets::default(),
    };
    loop {
        match session.next().await {
            Event::Connected => break,
            Event::Lost { failure, .. } => return Err(failure),
            _ => {}
        }
    }
    session.losses = Losses::new(options, retry);
    session.losses.options.falls_back = false;
    Ok(session)
}

impl Session {
    /// What is spoken.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Whether the broker had kept the session from an earlier connection.
    pub fn is_resumed(&self) -> bool {
        self.limits.session_present
    }

    /// The largest packet the broker takes, where it has said so (MQTT 5, 3.2.2.3.6).
    pub fn packet_limit(&self) -> Option<u32> {
        self.limits.maximum_packet_size
    }

    /// What topics for replies to us are to begin with, if the broker was asked and has said so.
    pub fn response_information(&self) -> Option<&str> {
        self.limits.response_information.as_deref()
    }

    /// Whether a message may be published now: connected, and not too much under way.
    pub fn has_room(&self) -> bool {
        let usual = super::window(self.version, self.outgoing.highest_qos);
        let window = self.window.map_or(usual, usize::from);
        self.is_up() && self.outgoing.has_room(window)
    }

    /// Whether every published message is complete.
    pub fn is_complete(&self) -> bool {
        self.outgoing.is_empty()
    }

    /// Hands a message over, to be called while [`Session::has_room`]. [`Event::Complete`] follows with the number
    /// returned here, in the order in which the broker answers.
    ///
    /// # Errors
    /// When the broker has said that it does not take such a message.
    pub fn publish(&mut self, publish: Publish) -> Result<u64, Unfit> {
        self.limits.check(&publish, self.version)?;
        self.client.publish(&publish).map_err(Unfit::Library)?;
        let number = self.next_number;
        self.next_number += 1;
        self.outgoing.add(number, publish);
        Ok(number)
    }

    /// Subscribes, now and after every reconnection to a broker that has not kept the session. The properties are those
    /// of SUBSCRIBE (MQTT 5, 3.8.2.1): a subscription identifier and user properties.
    ///
    /// # Errors
    /// When the library refuses the filters.
    pub fn subscribe(
        &mut self,
        filters: Vec<Subscription>,
        properties: Properties,
    ) -> Result<(), String> {
        self.subscriptions = (filters, properties);
        self.client.subscribe(&self.subscriptions)
    }

    /// Unsubscribes, behind what was subscribed, now and after every such reconnection. The properties are those of
    /// UNSUBSCRIBE (MQTT 5, 3.10.2.1): user properties.
    ///
    /// # Errors
    /// When the library refuses the filters.
    pub fn unsubscribe(
        &mut self,
        filters: Vec<ByteString>,
        properties: Properties,
    ) -> Result<(), String> {
        self.unsubscriptions = (filters, properties);
        self.client.unsubscribe(&self.unsubscriptions)
    }

    /// Acknowledges a message returned by the last [`Session::next`] or an earlier one, in their order. When its
    /// connection is gone by now the broker will send it again, and one of QoS 2 is then kept from the caller. To
    /// acknowledge it on another connection before it has come there is a breach of the protocol, and ends that connection.
    pub fn acknowledge(&mut self, qos: QoS, packet_id: u16) {
        if qos == QoS::ExactlyOnce {
            self.unreleased.insert(packet_id);
        }
        if self.is_up() && qos != QoS::AtMostOnce {
            // It fails only when the driver has ended, which `next` reports.
            let _ = self.client.acknowledge(qos, packet_id);
            self.unsettled += usize::from(qos == QoS::AtLeastOnce);
        }
    }

    /// An event that has already arrived; `None` when the connection has momentarily run dry.
    pub fn next_ready(&mut self) -> Option<Event> {
        let event = self.next_event();
        if let Some(mut trace) = self.notes.trace() {
            trace.tell(matches!(event, Some(Event::Message(_))));
        }
        event
    }

    fn next_event(&mut self) -> Option<Event> {
        loop {
            while let Some(signal) = self.batch.next() {
                if let Some(event) = self.event(signal) {
                    return Some(event);
                }
            }
            match self.signals.try_recv() {
                Ok(batch) => self.batch = batch.into_iter(),
                Err(TryRecvError::Empty) => return None,
                Err(TryRecvError::Disconnected) => {
                    return Some(Event::Lost {
                        failure: Failure::Lost("the connection has ended".to_owned()),
                        retry_in: None,
                        unwritten: 0,
                    });
                }
            }
        }
    }

    /// For who has dealt with everything that came and is about to wait: lets a stream that comes in driblets gather, for a
    /// moment that nobody notices, behind what was handed over.
    pub fn rest(&mut self) {
        if let Some(rest) = self.driblets.rest(self.outgoing.under_way()) {
            self.notes.rest(rest);
        }
    }

    /// Waits until [`Session::next_ready`] may have something. Nothing is lost when this is cancelled.
    pub async fn ready(&mut self) {
        if self.batch.len() == 0
            && let Some(batch) = self.signals.recv().await
        {
            self.batch = batch.into_iter();
        }
    }

    /// The next event. Nothing is lost when this is cancelled.
    pub async fn next(&mut self) -> Event {
        loop {
            if let Some(event) = self.next_ready() {
                return event;
            }
            self.ready().await;
        }
    }

    /// Says DISCONNECT, so that the broker discards the will, and returns when everything written has left this host.
    ///
    /// # Errors
    /// When the connection is lost on the way.
    pub async fn disconnect(self) -> Result<(), Failure> {
        let notes = self.notes.clone();
        let outcome = self.say_disconnect().await;
        if let Some(mut trace) = notes.trace() {
            trace.tell_end();
        }
        outcome
    }

    async fn say_disconnect(mut self) -> Result<(), Failure> {
        if self.connected.is_none() {
            return Ok(());
        }
        while self.owes() {
            match self.next_ready() {
                Some(Event::Lost { failure, .. }) => return Err(failure),
                Some(_) => {}
                None if !self.owes() => {}
                None => self.ready().await,
            }
        }
        self.notes.close_soon();
        // With messages under way the library would wait for their acknowledgements first.
        let _ = self.client.disconnect(!self.is_complete(), &self.farewell);
        loop {
            for signal in self.batch.by_ref() {
                match signal {
                    Signal::Disconnected => {
                        // Only to a subscriber is anything on its way now that could reset the connection.
                        let waits =
                            !self.subscriptions.0.is_empty() || !self.unsubscriptions.0.is_empty();
                        if waits || self.notes.has_farewell() {
                            while self.signals.recv().await.is_some() {}
                            // A broker that does not close its side loses nothing but our patience.
                            let _ = tokio::time::timeout(FAREWELL, self.notes.close(waits)).await;
                        }
                        return Ok(());
                    }
                    Signal::Lost(failure) => return Err(failure),
                    _ => {}
                }
            }
            match self.signals.recv().await {
                Some(batch) => self.batch = batch.into_iter(),
                None => return Ok(()),
            }
        }
    }

    fn event(&mut self, signal: Signal) -> Option<Event> {
        match signal {
            Signal::Connected(accepted) => self.begin(accepted),
            Signal::Message(publish) => {
                self.driblets.message();
                return self.message(publish);
            }
            Signal::Sent(packet_id) => return self.outgoing.sent(packet_id),
            Signal::Acknowledged(packet_id, reason) => {
                self.losses.forget();
                self.driblets.answer();
                return self.outgoing.acknowledged(packet_id, reason);
            }
            Signal::Received(packet_id, reason) => {
                self.driblets.answer();
                self.outgoing.received(packet_id, reason);
                return None;
            }
            Signal::Settled => {
                self.unsettled = self.unsettled.saturating_sub(1);
                return None;
            }
            Signal::Released(packet_id) => {
                self.driblets.message();
                self.unreleased.remove(&packet_id);
                return None;
            }
            Signal::SubAck(reasons) => return Some(Event::Subscribed(reasons)),
            Signal::UnsubAck(reasons) => return Some(Event::Unsubscribed(reasons)),
            Signal::Disconnected => return None,
            Signal::Lost(failure) => return Some(self.end(failure)),
        }
        Some(Event::Connected)
    }

    /// Whether handshakes of received messages are still to be finished: DISCONNECT may overtake them.
    fn owes(&self) -> bool {
        self.unsettled > 0 && !self.is_complete() || !self.unreleased.is_empty()
    }

    /// Whether there is a connection at this moment.
    pub fn is_up(&self) -> bool {
        self.connected.is_some() && self.notes.is_up()
    }

    fn message(&mut self, publish: Publish) -> Option<Event> {
        if publish.qos == QoS::ExactlyOnce && self.unreleased.contains(&publish.packet_id) {
            // Our PUBREC was lost with the connection (4.3.3).
            self.acknowledge(publish.qos, publish.packet_id);
            if let Some(mut trace) = self.notes.trace() {
                trace.tell(true);
            }
            return None;
        }
        Some(Event::Message(publish))
    }

    fn begin(&mut self, accepted: Accepted) {
        let is_resumed = accepted.session_present;
        let is_first = std::mem::take(&mut self.is_first);
        self.connected = Some(Instant::now());
        self.losses.arrived();
        self.limits = accepted;
        if is_resumed && !is_first {
            return;
        }
        self.unreleased.clear();
        for publish in self.outgoing.start_over() {
            let _ = self.client.publish(&publish);
        }
        if !self.subscriptions.0.is_empty() {
            let _ = self.client.subscribe(&self.subscriptions);
        }
        if !self.unsubscriptions.0.is_empty() {
            let _ = self.client.unsubscribe(&self.unsubscriptions);
        }
    }

    fn end(&mut self, failure: Failure) -> Event {
        self.unsettled = 0;
        let lived = self.connected.take().map(|since| since.elapsed());
        let (mut failure, mut retry_in) = self.losses.note(failure, lived);
        // The library's MQTT 5 half has thrown away what came in the same read, acknowledgements too.
        let is_unsure = matches!(failure, Failure::Forbidden(_)) && self.version == Version::V5;
        if is_unsure && !self.is_complete() {
            retry_in = None;
        }
        if let Err(unusable) = self.notes.go_to(&self.losses.options) {
            (failure, retry_in) = (unusable, None);
        }
        if let Some(delay) = retry_in {
            // There is room: the driver takes each delay before it can fail again.
            let _ = self.attempts.try_send(delay);
        }
        Event::Lost {
            failure,
            retry_in,
            unwritten: self.outgoing.drop_unwritten(),
        }
    }
}

impl Client {
    fn publish(&self, publish: &Publish) -> Result<(), String> {
        match self {
            Client::V3(client) => v3::publish(client, publish),
            Client::V5(client) => v5::publish(client, publish),
        }
    }

    fn subscribe(
        &self,
        (filters, properties): &(Vec<Subscription>, Properties),
    ) -> Result<(), String> {
        match self {
            Client::V3(client) => v3::subscribe(client, filters),
            Client::V5(client) => v5::subscribe(client, filters, properties),
        }
    }

    fn unsubscribe(
        &self,
        (filters, properties): &(Vec<ByteString>, Properties),
    ) -> Result<(), String> {
        match self {
            Client::V3(client) => v3::unsubscribe(client, filters),
            Client::V5(client) => v5::unsubscribe(client, filters, properties),
        }
    }

    fn acknowledge(&self, qos: QoS, packet_id: u16) -> Result<(), String> {
        match self {
            Client::V3(client) => v3::acknowledge(client, qos, packet_id),
            Client::V5(client) => v5::acknowledge(client, qos, packet_id),
        }
    }

    fn disconnect(&self, at_once: bool, properties: &Properties) -> Result<(), String> {
        match self {
            Client::V3(client) => v3::disconnect(client, at_once),
            Client::V5(client) => v5::disconnect(client, at_once, properties),
        }
    }
}
