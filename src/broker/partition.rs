//! A partition: the sessions of the client ids that hash to it, their subscriptions, the retained messages, and its seat at
//! the log. It lives on one thread; everything about one client happens here, so nothing is locked.
//!
//! This file is the state. What is done with it: `protocol` for what clients ask, `lifecycle` for who comes and goes,
//! `gathering` for what goes into the log, `delivery` for what comes out of it.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;

use foldhash::fast::RandomState;
use slab::Slab;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::Config;
use super::agenda::Agenda;
use super::counters::{Census, Counters};
use super::gathering::Gathering;
use super::groups::{Groups, Member};
use super::log::{Passage, Writer};
use super::record::Envelope;
use super::retained::{Retained, Walk};
use super::session::{Means, Session};
use super::subscriptions::Deferred;
use super::tree::Tree;
use crate::mqtt::{ByteString, QoS};

/// A subscription as the matcher finds it: the options of one filter of one session (3.8.3.1).
#[derive(Debug, Clone, Copy)]
pub struct Subscription {
    /// Granted quality of service.
    pub qos: QoS,
    /// Not for what this client published itself.
    pub no_local: bool,
    /// Keep the publisher's retain flag.
    pub retain_as_published: bool,
    /// Subscription identifier, 0 for none.
    pub identifier: u32,
}

/// The state of one partition.
pub struct Partition {
    /// Its number.
    pub index: usize,
    /// What the broker was started with.
    pub config: Arc<Config>,
    /// Its sessions.
    pub sessions: Slab<Session>,
    /// Their places by client id.
    pub by_client_id: HashMap<ByteString, u32, RandomState>,
    /// Their subscriptions.
    pub tree: Tree<Subscription>,
    /// Groups of shared subscriptions of the whole broker.
    pub groups: Groups,
    /// Retained messages of the whole broker.
    pub retained: Retained,
    /// What is due when.
    pub agenda: Agenda,
    /// Told when the agenda's first entry may have changed.
    pub agenda_changed: Rc<Notify>,
    /// A buffer lent to whoever reads a socket; an idle connection holds none.
    pub scratch: Vec<u8>,
    /// What delivering takes.
    pub means: Means,
    /// The number of the last session.
    pub last_number: u32,
    /// Whether the broker is stopping.
    pub stopping: bool,
    /// Its writing half.
    pub gathering: Gathering,
    /// When the broker started; records carry times against it.
    pub started: Instant,
    /// Requests whose marks are on their way through the log, in their order.
    pub deferred: VecDeque<Deferred>,
    /// New subscriptions that have not been sent all their retained messages yet.
    pub walks: VecDeque<Walk>,
    /// Told when there is one, or when a session has room for more of them.
    pub walks_changed: Rc<Notify>,
    /// Sessions the partition waits for.
    pub congested: Vec<u32>,
    /// Told when one of them has caught up.
    pub relief: Rc<Notify>,
    /// Numbers the messages, to notice overlapping subscriptions.
    pub stamp: u64,
    pub hits: Vec<(u32, Subscription)>,
    pub identifiers: Vec<u32>,
    pub chosen: Vec<(Rc<str>, Member)>,
    /// Which publishes of the record at hand found a subscriber here.
    pub used: Vec<u64>,
}

/// A partition as its tasks share it.
pub type Shared = Rc<RefCell<Partition>>;

impl Partition {
    /// A partition without sessions.
    pub fn new(
        index: usize,
        config: Arc<Config>,
        counters: Arc<Counters>,
        started: Instant,
        writer: Writer,
        passage: Passage,
    ) -> Partition {
        let means = Means {
            max_queued: config.max_queued,
            max_queued_bytes: config.max_queued_bytes,
            queue_qos0: config.queue_qos0,
            counters,
            scratch: Vec::new(),
        };
        Partition {
            index,
            config,
            sessions: Slab::new(),
            by_client_id: HashMap::default(),
            tree: Tree::default(),
            groups: Groups::default(),
            retained: Retained::default(),
            agenda: Agenda::default(),
            agenda_changed: Rc::default(),
            scratch: Vec::new(),
            means,
            last_number: 0,
            stopping: false,
            gathering: Gathering::new(started, writer, passage),
            started,
            used: Vec::new(),
            deferred: VecDeque::new(),
            walks: VecDeque::new(),
            walks_changed: Rc::default(),
            congested: Vec::new(),
            relief: Rc::default(),
            stamp: 0,
            hits: Vec::new(),
            identifiers: Vec::new(),
            chosen: Vec::new(),
        }
    }

    /// Publishes what the broker says of itself, retained.
    pub fn publish_own(&mut self, topics: &[(String, String)]) {
        for (topic, payload) in topics {
            let envelope = Envelope {
                publisher: 0,
                qos: QoS::AtMostOnce,
                retain: true,
                topic,
                properties: &[],
                payload: payload.as_bytes(),
            };
            self.gathering.publish(&envelope, 0, None);
        }
    }

    /// Looks around.
    pub fn census(&self) -> Census {
        let mut census = Census {
            sessions: self.sessions.len(),
            subscriptions: self.tree.len(),
            retained: self.retained.len(),
            unread_bytes: self.gathering.unread_bytes(),
            ..Census::default()
        };
        for (_, session) in &self.sessions {
            let (queued, queued_bytes, in_flight) = session.backlog();
            census.connected += usize::from(session.link.is_some());
            census.shared_subscriptions += session.shares.len();
            census.queued += queued;
            census.queued_bytes += queued_bytes;
            census.in_flight += in_flight;
        }
        census
    }
}
