//! Messages of shared subscriptions in the model (4.8.2).
//!
//! Who is given one is the broker's choice. It is owed *perhaps* to each candidate, as a [`Parcel`] with several places; where
//! it turns up the other places are void, and where it does not, that place is. It turns up in one of them, or there is an
//! excuse.

use mqtt_toolbox::mqtt::QoS;

use super::model::{CLIENTS, Delivery, Message, Model, Peer, expiry_left, matches};

/// A message of a shared subscription on its way to one of several clients.
#[derive(Debug, Clone)]
pub struct Parcel {
    pub delivery: Delivery,
    pub is_found: bool,
    /// Places where it may be.
    places: usize,
    /// Whether it may be gone, and why.
    excuse: Option<&'static str>,
}

impl Model {
    /// The message has passed the broker: each group it is for is given it. `resting` was not there at that moment, but is by
    /// now.
    pub fn passed_to_groups(&mut self, message: &Message, resting: Option<usize>) {
        let expires = self.expires(message);
        for share in self.groups() {
            if !matches(filter_of(share), message.topic) {
                continue;
            }
            let (candidates, _) = self.candidates(share, resting);
            let delivery = Delivery {
                message: message.clone(),
                qos: message.qos,
                retain: false,
                identifiers: Vec::new(),
                expires,
                share: Some(share),
                parcel: None,
            };
            let parcel = self.new_parcel(delivery, 0);
            for candidate in candidates {
                self.place(parcel, share, message, candidate);
            }
        }
    }

    /// Another place for the message in every group where only members that are away are left.
    pub fn passed_on<'a>(
        &mut self,
        message: &Message,
        shares: impl Iterator<Item = &'a &'static str>,
    ) -> Vec<Delivery> {
        let mut late = Vec::new();
        for share in shares.filter(|share| matches(filter_of(share), message.topic)) {
            let is_this = |parcel: &Parcel| {
                parcel.delivery.share == Some(*share)
                    && parcel.delivery.message.payload == message.payload
            };
            if let Some(parcel) = self.parcels.iter().position(is_this)
                && !self.candidates(share, None).1
            {
                self.parcels[parcel].places += 1;
                late.push(Delivery {
                    parcel: Some(parcel),
                    ..self.parcels[parcel].delivery.clone()
                });
            }
        }
        late
    }

    /// What a member had not taken goes to another one.
    pub fn give_back(&mut self, mut delivery: Delivery) {
        let Some(share) = delivery.share else { return };
        let parcel = match delivery.parcel.take() {
            Some(parcel) if self.parcels[parcel].is_found => return,
            Some(parcel) => parcel,
            None => self.new_parcel(delivery.clone(), 1),
        };
        let (candidates, _) = self.candidates(share, None);
        let excuse = if delivery.expires.is_some_and(|at| at <= self.now) {
            Some("expired")
        } else if candidates.is_empty() {
            Some("nobody is left in the group")
        } else {
            // It travels on with what is left of its time, in whole seconds.
            let mut message = delivery.message.clone();
            message.expiry = expiry_left(&delivery, self.now);
            message.retain = false;
            for candidate in candidates {
                self.place(parcel, share, &message, candidate);
            }
            None
        };
        self.void(Some(parcel), excuse);
    }

    /// The shares that have members.
    fn groups(&self) -> Vec<&'static str> {
        let sessions = self.peers.iter().filter_map(|peer| peer.session.as_ref());
        let mut groups: Vec<_> = sessions
            .flat_map(|session| session.shares.keys().copied())
            .collect();
        groups.sort_unstable();
        groups.dedup();
        groups
    }

    /// Who may be given the next message: those who are there, or when nobody is, everybody. Says whether anybody is.
    fn candidates(&self, share: &str, resting: Option<usize>) -> (Vec<usize>, bool) {
        let is_member = |peer: &Peer| {
            let session = peer.session.as_ref();
            session.is_some_and(|session| session.shares.contains_key(share))
        };
        let is_there =
            |number: &usize| self.peers[*number].connection.is_some() && Some(*number) != resting;
        let numbers = (0..CLIENTS).filter(|number| is_member(&self.peers[*number]));
        let (there, away): (Vec<usize>, Vec<usize>) = numbers.partition(is_there);
        let anybody = !there.is_empty();
        (if anybody { there } else { away }, anybody)
    }

    fn new_parcel(&mut self, delivery: Delivery, places: usize) -> usize {
        self.parcels.push(Parcel {
            delivery,
            is_found: false,
            places,
            excuse: None,
        });
        self.parcels.len() - 1
    }

    /// Perhaps this client was given it.
    fn place(&mut self, parcel: usize, share: &'static str, message: &Message, number: usize) {
        let options = self.session(number).shares[share];
        let delivery = Delivery {
            message: message.clone(),
            qos: message.qos.min(options.qos),
            retain: message.retain && options.as_published,
            identifiers: options.identifiers(),
            expires: self.expires(message),
            share: Some(share),
            parcel: Some(parcel),
        };
        if self.peers[number].connection.is_none() && delivery.qos == QoS::AtMostOnce {
            self.parcels[parcel].excuse = Some("at QoS 0 to who is away");
            return;
        }
        self.parcels[parcel].places += 1;
        self.session(number).queue.push_back(delivery);
        self.pump(number);
    }

    /// It is not, or no longer, in one of the places where it might have been.
    pub fn void(&mut self, parcel: Option<usize>, excuse: Option<&'static str>) {
        let Some(parcel) = parcel else { return };
        let parcel = &mut self.parcels[parcel];
        parcel.places -= 1;
        parcel.excuse = parcel.excuse.or(excuse);
        assert!(
            parcel.is_found || parcel.places > 0 || parcel.excuse.is_some(),
            "nobody was given {:?}",
            parcel.delivery
        );
    }

    /// Everybody has looked: each parcel was found, or may be gone.
    pub fn assert_that_nothing_is_lost(&self) {
        let is_lost = |parcel: &&Parcel| !parcel.is_found && parcel.excuse.is_none();
        let lost: Vec<&Parcel> = self.parcels.iter().filter(is_lost).collect();
        assert!(lost.is_empty(), "nobody was given {lost:#?}");
    }
}

/// The filter in `$share/group/filter`.
pub fn filter_of(share: &str) -> &str {
    share.splitn(3, '/').nth(2).expect("it is a share")
}
