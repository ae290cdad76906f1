//! SUBSCRIBE, UNSUBSCRIBE and PINGREQ (3.8 to 3.13), done at their place in the log.
//!
//! A subscription begins at a place in the total order of all publishes: what stands before it has become a retained message,
//! what stands behind it is delivered, and nothing is missed or seen twice between the two. So a request goes into
//! the log as a mark, and is done when the partition reads its own mark. Whoever was delivered a message and then subscribes
//! elsewhere finds it retained there.

use std::rc::Rc;

use tokio::time::Instant;

use super::groups::Change;
use super::link::Link;
use super::partition::{Partition, Subscription};
use super::protocol::Peer;
use super::retained::Walk;
use crate::mqtt::packet::{
    Packet, RetainHandling, SubAck, Subscribe, Subscription as Request, Unsubscribe,
};
use crate::mqtt::{Properties, ReasonCode, Version, topic};

/// Levels a topic filter may have. The tree is as deep as its deepest filter and is walked recursively; nobody has
/// topics of more levels, and 65,535 of them would exhaust the stack.
const LEVELS: usize = 200;

/// What a shared subscription begins with (4.8.2). Taken as one in the older versions too, as mosquitto does.
const SHARE: &str = "$share/";

/// What a client wants to be done in its turn.
#[derive(Debug)]
pub enum Wish {
    /// 3.8
    Subscribe(Subscribe),
    /// 3.10
    Unsubscribe(Unsubscribe),
    /// 3.12: answered in its turn too, so that whoever has the answer has everything that was published before.
    Ping,
}

/// Who wants it: the session, and the connection to answer on.
#[derive(Debug)]
struct Asker {
    place: u32,
    number: u32,
    link: Rc<Link>,
}

/// A request on its way through the log.
#[derive(Debug)]
pub struct Deferred {
    asker: Asker,
    wish: Wish,
}

/// What is wrong with a SUBSCRIBE as a whole.
pub fn protocol_error(subscribe: &Subscribe) -> Option<&'static str> {
    // [MQTT-3.8.3-4]
    let no_local = |request: &Request| request.no_local && request.filter.starts_with(SHARE);
    subscribe
        .filters
        .iter()
        .any(no_local)
        .then_some("no local with a shared subscription")
}

impl Partition {
    /// Puts a request into the log.
    pub fn defer(&mut self, peer: &Peer, wish: Wish) {
        let asker = Asker {
            place: peer.place,
            number: peer.number,
            link: Rc::clone(&peer.link),
        };
        self.deferred.push_back(Deferred { asker, wish });
        self.gathering.mark();
    }

    /// Does the request whose mark has just been read. The session may have ended in the meantime.
    pub fn do_deferred(&mut self, now: Instant) {
        let Some(Deferred { asker, wish }) = self.deferred.pop_front() else {
            return;
        };
        let session = self.sessions.get(asker.place as usize);
        if session.is_none_or(|session| session.number != asker.number) {
            return;
        }
        match wish {
            Wish::Subscribe(subscribe) => self.subscribe(&asker, &subscribe, now),
            Wish::Unsubscribe(unsubscribe) => self.unsubscribe(&asker, &unsubscribe),
            Wish::Ping => asker.link.send(&Packet::PingResp),
        }
    }

    /// SUBSCRIBE (3.8), answered filter by filter, and the retained messages it asks for.
    fn subscribe(&mut self, asker: &Asker, subscribe: &Subscribe, now: Instant) {
        let identifier = subscribe.properties.subscription_identifier().unwrap_or(0);
        let mut reasons = Vec::with_capacity(subscribe.filters.len());
        let mut wanted = Vec::new();
        let mut joins = false;
        for request in &subscribe.filters {
            let share = request.filter.starts_with(SHARE);
            if let Err(reason) = refuse(&request.filter) {
                let client_id = &self.sessions[asker.place as usize].client_id;
                tracing::info!(
                    "client {client_id:?} may not subscribe to {:?}: {reason}",
                    request.filter
                );
                let version = asker.link.version;
                reasons.push(if version == Version::V5 {
                    reason
                } else {
                    ReasonCode::UNSPECIFIED_ERROR
                });
                continue;
            }
            reasons.push(ReasonCode(request.qos.number()));
            let new = self.add_subscription(asker, request, identifier);
            joins |= share;
            let retained = match request.retain_handling {
                RetainHandling::Always => true,
                RetainHandling::IfNew => new,
                RetainHandling::Never => false,
            };
            if retained && !share {
                wanted.push(request);
            }
        }
        let packet_id = subscribe.packet_id;
        let suback = Packet::SubAck(SubAck {
            packet_id,
            reasons,
            properties: Properties::default(),
        });
        if joins {
            self.gathering.say_when_passed(&asker.link, suback);
        } else {
            asker.link.send(&suback);
        }
        for request in wanted {
            let filter: Box<str> = (*request.filter).into();
            let (place, number) = (asker.place, asker.number);
            let (qos, no_local) = (request.qos, request.no_local);
            self.start_walk(
                Walk {
                    place,
                    number,
                    filter,
                    qos,
                    no_local,
                    identifier,
                    after: None,
                },
                now,
            );
        }
        self.fill(asker.place, now);
    }

    /// Says whether the subscription is new; one that exists is replaced [MQTT-3.8.4-3].
    fn add_subscription(&mut self, asker: &Asker, request: &Request, identifier: u32) -> bool {
        let subscription = Subscription {
            qos: request.qos,
            no_local: request.no_local,
            retain_as_published: request.retain_as_published,
            identifier,
        };
        let client_id = &self.sessions[asker.place as usize].client_id;
        tracing::info!(
            "client {client_id:?} subscribes to {:?}, QoS {}",
            request.filter,
            request.qos
        );
        let filter: Box<str> = (*request.filter).into();
        if filter.starts_with(SHARE) {
            let shares = &mut self.sessions[asker.place as usize].shares;
            if let Some((_, options)) = shares.iter_mut().find(|(share, _)| *share == filter) {
                *options = subscription;
                return false;
            }
            shares.push((filter, subscription));
            self.gathering
                .member(&request.filter, asker.number, asker.place, Change::Joins);
            return true;
        }
        let new = self
            .tree
            .insert(&filter, asker.place, subscription)
            .is_none();
        if new {
            self.sessions[asker.place as usize].filters.insert(filter);
        }
        new
    }

    /// UNSUBSCRIBE (3.10). Messages that are queued already are still delivered.
    fn unsubscribe(&mut self, asker: &Asker, unsubscribe: &Unsubscribe) {
        let mut reasons = Vec::with_capacity(unsubscribe.filters.len());
        for filter in &unsubscribe.filters {
            let existed = self.remove_subscription(asker, filter);
            tracing::info!(
                "client {:?} unsubscribes from {filter:?}",
                self.sessions[asker.place as usize].client_id
            );
            reasons.push(match refuse(filter) {
                Err(reason) => reason,
                Ok(()) if existed => ReasonCode::SUCCESS,
                Ok(()) => ReasonCode::NO_SUBSCRIPTION_EXISTED,
            });
        }
        let packet_id = unsubscribe.packet_id;
        asker.link.send(&Packet::UnsubAck(SubAck {
            packet_id,
            reasons,
            properties: Properties::default(),
        }));
    }

    fn remove_subscription(&mut self, asker: &Asker, filter: &str) -> bool {
        if !filter.starts_with(SHARE) {
            self.sessions[asker.place as usize].filters.remove(filter);
            return self.tree.remove(filter, asker.place).is_some();
        }
        let shares = &mut self.sessions[asker.place as usize].shares;
        let Some(place) = shares.iter().position(|(share, _)| **share == *filter) else {
            return false;
        };
        shares.swap_remove(place);
        self.gathering
            .member(filter, asker.number, asker.place, Change::Leaves);
        true
    }
}

/// Why there can be no such subscription (3.9.3, 3.11.3).
fn refuse(filter: &str) -> Result<(), ReasonCode> {
    let levels = filter.split('/').count();
    if !topic::is_valid_subscription(filter) || levels > LEVELS {
        return Err(ReasonCode::TOPIC_FILTER_INVALID);
    }
    Ok(())
}
