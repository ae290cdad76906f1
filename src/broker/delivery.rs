//! The reading half of a partition: every record of the log is gone through once, its publishes are matched with the
//! subscriptions of the partition's own sessions and delivered. A client that falls behind is waited for,
//! for a while.

use std::rc::Rc;
use std::time::Duration;

use tokio::time::Instant;

use super::groups::Member;
use super::in_flight::Delivery;
use super::log::{LogEnded, Record};
use super::message::Message;
use super::partition::{Partition, Shared, Subscription};
use super::record::{self, Entry};
use super::retained::Walk;
use super::session::{Arrival, Grant, Pace, Session};
use crate::mqtt::QoS;

impl Partition {
    /// Goes through a record: matches and delivers its publishes, and follows the groups.
    fn deliver(&mut self, record: &Record, now: Instant) {
        let (head, entries) = record::open(&record.body);
        let mut publishes = 0u32;
        self.used.clear();
        for entry in entries {
            match entry {
                Entry::Publish(envelope) => {
                    let arrival = Arrival::new(envelope, now);
                    if envelope.retain {
                        self.retained.store(arrival.message(), now);
                    }
                    let one = self.deliver_one(&arrival);
                    let shared = self.deliver_shared(&arrival);
                    if head.asks && (one || shared) {
                        set_bit(&mut self.used, publishes);
                    }
                    publishes += 1;
                }
                Entry::Mark if record.origin == self.index => self.do_deferred(now),
                Entry::Mark => {}
                Entry::Again(share, envelope) => {
                    if let Some((share, member)) = self.groups.turn_of(share) {
                        self.deliver_to_member(&Arrival::new(envelope, now), &share, member);
                    }
                }
                Entry::Member {
                    share,
                    number,
                    place,
                    change,
                } => {
                    let member = Member {
                        partition: record.origin,
                        number,
                        place,
                    };
                    self.groups.change(share, member, change);
                }
            }
        }
        let latency = self
            .started
            .elapsed()
            .saturating_sub(Duration::from_micros(head.arrived));
        self.means.counters.took(latency, u64::from(publishes));
    }

    /// Says whether there is a group for it.
    fn deliver_shared(&mut self, arrival: &Arrival<'_>) -> bool {
        let mut chosen = std::mem::take(&mut self.chosen);
        let found = |share: &Rc<str>, member| chosen.push((Rc::clone(share), member));
        self.groups.each_turn(arrival.envelope.topic, found);
        let any = !chosen.is_empty();
        for (share, member) in chosen.drain(..) {
            self.deliver_to_member(arrival, &share, member);
        }
        self.chosen = chosen;
        any
    }

    /// Delivers to the member whose turn it is, if it is one of ours. For one that has left since then, and whose leaving
    /// is still on its way through the log, the message goes back to the group.
    fn deliver_to_member(&mut self, arrival: &Arrival<'_>, share: &Rc<str>, member: Member) {
        if member.partition != self.index {
            return;
        }
        let session = self
            .sessions
            .get_mut(member.place as usize)
            .filter(|session| session.number == member.number);
        let subscription = session
            .as_ref()
            .and_then(|session| session.subscription_of(share));
        let (Some(session), Some(subscription)) = (session, subscription) else {
            let delivery = Delivery {
                message: arrival.message(),
                qos: arrival.envelope.qos,
                retain: false,
                identifiers: Box::default(),
                share: Some(Rc::clone(share)),
            };
            self.gathering.again(&delivery, arrival.now);
            return;
        };
        let identifier = [subscription.identifier];
        let grant = Grant {
            qos: subscription.qos,
            retain: arrival.envelope.retain && subscription.retain_as_published,
            identifiers: if subscription.identifier == 0 {
                &[]
            } else {
                &identifier
            },
            share: Some(share),
        };
        session.deliver(arrival, grant, &mut self.means);
        if session.became_congested(arrival.now) {
            self.congested.push(member.place);
        }
    }

    /// Says whether it has a subscriber here.
    fn deliver_one(&mut self, arrival: &Arrival<'_>) -> bool {
        let Partition {
            tree,
            sessions,
            hits,
            identifiers,
            means,
            stamp,
            congested,
            ..
        } = self;
        let envelope = &arrival.envelope;
        hits.clear();
        tree.each_match(envelope.topic, |place, subscription| {
            hits.push((place, *subscription))
        });
        *stamp += 1;
        let overlapping = hits
            .iter()
            .filter(|(place, _)| {
                std::mem::replace(&mut sessions[*place as usize].stamp, *stamp) == *stamp
            })
            .count();
        if overlapping > 0 {
            hits.sort_by_key(|(place, _)| *place);
        }
        for group in hits.chunk_by(|(place, _), (next, _)| place == next) {
            let place = group[0].0;
            let session = &mut sessions[place as usize];
            let own = session.identity == envelope.publisher;
            let Some(grant) = combine(group, own, envelope.retain, identifiers) else {
                continue;
            };
            session.deliver(arrival, grant, means);
            if session.became_congested(arrival.now) {
                congested.push(place);
            }
        }
        !hits.is_empty()
    }

    /// Sends a new subscription its retained messages: the first step of them at once, so that few come before
    /// whatever is published next.
    pub fn start_walk(&mut self, walk: Walk, now: Instant) {
        self.walks
            .retain(|other| other.number != walk.number || other.filter != walk.filter);
        self.step(walk, now);
    }

    /// Takes the first walk one step further that can be; a session with much to write waits until it has written it.
    /// Says whether there was one.
    fn walk_on(&mut self, now: Instant) -> bool {
        let Partition {
            walks, sessions, ..
        } = self;
        let ready = |walk: &Walk| {
            let session = sessions.get(walk.place as usize);
            session
                .is_none_or(|session| session.number != walk.number || session.backlog().0 < STEP)
        };
        let walk = walks
            .iter()
            .position(ready)
            .and_then(|place| walks.remove(place));
        walk.map(|walk| self.step(walk, now)).is_some()
    }

    fn step(&mut self, mut walk: Walk, now: Instant) {
        let wants = |session: &&mut Session| {
            session.number == walk.number && session.filters.contains(&walk.filter)
        };
        // A session that is gone, or has unsubscribed, wants no more of them.
        let Some(session) = self.sessions.get_mut(walk.place as usize).filter(wants) else {
            return;
        };
        let identifier = [walk.identifier];
        let identifiers: &[u32] = if walk.identifier == 0 {
            &[]
        } else {
            &identifier
        };
        let grant = Grant {
            qos: walk.qos,
            retain: true,
            identifiers,
            share: None,
        };
        let counters = &self.means.counters;
        let found = |message: &Rc<Message>| {
            if !(walk.no_local && message.publisher == session.identity) {
                session.enqueue_retained(message, grant, counters);
            }
        };
        walk.after = self
            .retained
            .walk(&walk.filter, walk.after.as_deref(), STEP, found);
        let place = walk.place;
        if walk.after.is_some() {
            self.walks.push_back(walk);
        }
        self.fill(place, now);
    }

    /// Moves what waits for a session into its output, and notices when it has caught up.
    pub fn fill(&mut self, place: u32, now: Instant) {
        let Some(session) = self.sessions.get_mut(place as usize) else {
            return;
        };
        if session.has_waiting() {
            session.fill(now, &mut self.means);
        }
        if !self.walks.is_empty() {
            self.walks_changed.notify_one();
        }
        let caught_up = match session.pace {
            Pace::Keeping => false,
            Pace::Congested(_) => session.is_relieved(),
            Pace::Lagging => !session.has_waiting(),
        };
        if caught_up {
            if session.dropped > 0 {
                tracing::warn!(
                    "client {:?} has caught up; {} messages were dropped for it",
                    session.client_id,
                    session.dropped
                );
                session.dropped = 0;
            }
            self.stop_waiting_for(place, Pace::Keeping);
        }
    }

    /// Goes on without waiting for this session.
    pub fn stop_waiting_for(&mut self, place: u32, pace: Pace) {
        if let Some(session) = self.sessions.get_mut(place as usize) {
            session.pace = pace;
        }
        self.congested.retain(|congested| *congested != place);
        self.relief.notify_one();
    }

    /// The instant until which the partition waits for its slowest clients, if it does.
    fn waits_until(&mut self, now: Instant) -> Option<Instant> {
        let place = *self.congested.first()?;
        match self
            .sessions
            .get(place as usize)
            .map(|session| session.pace)
        {
            Some(Pace::Congested(until)) if until > now => Some(until),
            Some(Pace::Congested(_)) => {
                let session = &self.sessions[place as usize];
                tracing::warn!(
                    "client {:?} reads too slowly; not waiting for it any longer",
                    session.client_id
                );
                self.stop_waiting_for(place, Pace::Lagging);
                self.waits_until(now)
            }
            _ => {
                self.congested.remove(0);
                self.waits_until(now)
            }
        }
    }
}

/// Retained topics looked at before others have their turn, and messages of them that wait for one client: a
/// fraction of a millisecond's work.
const STEP: usize = 512;

/// Takes new subscriptions through the retained messages, step by step.
pub async fn walk_retained(partition: Shared) {
    let changed = Rc::clone(&partition.borrow().walks_changed);
    loop {
        let walked = partition.borrow_mut().walk_on(Instant::now());
        if walked {
            tokio::task::yield_now().await;
        } else {
            changed.notified().await;
        }
    }
}

fn set_bit(bits: &mut Vec<u64>, place: u32) {
    let word = place as usize / 64;
    bits.resize(bits.len().max(word + 1), 0);
    bits[word] |= 1 << (place % 64);
}

/// What several subscriptions of one session ask for together (3.3.4): one copy, the highest quality of service, all
/// identifiers. `None` when none of them wants the message.
fn combine<'a>(
    group: &[(u32, Subscription)],
    own: bool,
    retain: bool,
    identifiers: &'a mut Vec<u32>,
) -> Option<Grant<'a>> {
    identifiers.clear();
    let mut grant: Option<(QoS, bool)> = None;
    for (_, subscription) in group
        .iter()
        .filter(|(_, subscription)| !(own && subscription.no_local))
    {
        let (qos, as_published) = grant.unwrap_or_default();
        grant = Some((
            qos.max(subscription.qos),
            as_published || subscription.retain_as_published,
        ));
        if subscription.identifier != 0 {
            identifiers.push(subscription.identifier);
        }
    }
    grant.map(|(qos, as_published)| Grant {
        qos,
        retain: retain && as_published,
        identifiers,
        share: None,
    })
}

/// Reads the log and delivers, for as long as there is a log. A partition that has a congested client does not read on
/// until it has caught up or the patience with it is over: that holds the publishers back.
pub async fn read_log(partition: Shared, mut reader: super::log::Reader) -> LogEnded {
    let relief = Rc::clone(&partition.borrow().relief);
    loop {
        let record = match reader.next().await {
            Ok(record) => record,
            Err(ended) => return ended,
        };
        let now = Instant::now();
        partition.borrow_mut().deliver(&record, now);
        let used = std::mem::take(&mut partition.borrow_mut().used);
        if !used.is_empty() {
            reader.say_used(&record, &used);
        }
        partition.borrow_mut().used = used;
        reader.passed(&record);
        loop {
            let until = partition.borrow_mut().waits_until(Instant::now());
            let Some(until) = until else { break };
            // Either way the question is asked again.
            let _ = tokio::time::timeout_at(until, relief.notified()).await;
        }
        // Let the connections write what was just delivered, and read what answers it.
        tokio::task::yield_now().await;
    }
}
