//! Holds what a client was sent against what it is owed, packet by packet.

use mqtt_toolbox::mqtt::packet::*;
use mqtt_toolbox::mqtt::{Property, QoS, Version};

use super::model::{Delivery, Flight, Owed, Unanswered};
use super::world::{Broker, World};

/// A PUBLISH as a client sees it.
#[derive(Debug, PartialEq)]
struct Seen {
    topic: String,
    payload: String,
    qos: QoS,
    retain: bool,
    dup: bool,
    identifiers: Vec<u32>,
    expiry_left: Option<u32>,
}

impl Seen {
    fn of(publish: &Publish) -> Seen {
        let identifiers = |property: &Property| match property {
            Property::SubscriptionIdentifier(identifier) => Some(*identifier),
            _ => None,
        };
        let properties = &publish.properties;
        let mut identifiers: Vec<u32> = properties.0.iter().filter_map(identifiers).collect();
        identifiers.sort_unstable();
        Seen {
            topic: publish.topic.to_string(),
            payload: String::from_utf8_lossy(&publish.payload).into_owned(),
            qos: publish.qos,
            retain: publish.retain,
            dup: publish.dup,
            identifiers,
            expiry_left: properties.message_expiry_interval(),
        }
    }

    fn expected(delivery: &Delivery, dup: bool, expiry_left: Option<u32>, five: bool) -> Seen {
        Seen {
            topic: delivery.message.topic.to_owned(),
            payload: delivery.message.payload.clone(),
            qos: delivery.qos,
            retain: delivery.retain,
            dup,
            identifiers: match five {
                true => delivery.identifiers.clone(),
                false => Vec::new(),
            },
            expiry_left: expiry_left.filter(|_| five),
        }
    }
}

impl<B: Broker> World<'_, B> {
    /// Everything that has come is what was owed.
    pub fn look(&mut self, number: usize) {
        self.note(number, "look".into());
        let packets = self.client(number).sees();
        let owed = std::mem::take(&mut self.model.connection(number).owed);
        let five = self.model.connection(number).version == Version::V5;
        let mut came = packets.iter().peekable();
        for owed in &owed {
            match owed {
                Owed::Release(serial) => match came.next() {
                    Some(Packet::PubRel(release)) => self.is_released(number, *serial, release),
                    other => panic!("{other:?} came, owed is {owed:?}"),
                },
                Owed::Publish {
                    delivery,
                    expiry_left,
                    serial,
                    dup,
                } => {
                    let expected = Seen::expected(delivery, *dup, *expiry_left, five);
                    let is_this = |packet: &Packet| match packet {
                        Packet::Publish(publish) => Seen::of(publish) == expected,
                        _ => false,
                    };
                    let is_here = came.peek().is_some_and(|packet| is_this(packet));
                    if !self.is_due(number, delivery.parcel, *serial, is_here) {
                        continue;
                    }
                    match came.next() {
                        Some(Packet::Publish(publish)) if is_here => {
                            self.is_sent(number, *serial, publish);
                        }
                        other => panic!("{other:?} came, owed is {expected:?}\nof {owed:#?}"),
                    }
                }
            }
        }
        let more: Vec<_> = came.collect();
        assert!(more.is_empty(), "{more:#?} came, owed was only {owed:#?}");
    }

    /// Whether the delivery has to be here. One that was only perhaps has been found, or is found to be somewhere else.
    fn is_due(
        &mut self,
        number: usize,
        parcel: Option<usize>,
        serial: Option<u64>,
        is_here: bool,
    ) -> bool {
        let Some(parcel) = parcel else { return true };
        let is_found = self.model.parcels[parcel].is_found;
        let flights = &mut self.model.session(number).flights;
        if is_found || !is_here {
            flights.retain(|flight| Some(flight.serial) != serial);
            if !is_found {
                self.model.void(Some(parcel), None);
            }
            return false;
        }
        let mine = |flight: &&mut Flight| Some(flight.serial) == serial;
        if let Some(flight) = flights.iter_mut().find(mine) {
            flight.delivery.parcel = None;
        }
        self.model.parcels[parcel].is_found = true;
        true
    }

    fn is_sent(&mut self, number: usize, serial: Option<u64>, publish: &Publish) {
        let Some(serial) = serial else { return };
        let packet_id = publish.packet_id;
        let flights = &mut self.model.session(number).flights;
        let used = |flight: &Flight| flight.serial != serial && flight.packet_id == Some(packet_id);
        assert!(!flights.iter().any(used), "{packet_id} is in use");
        let flight = flights.iter_mut().find(|flight| flight.serial == serial);
        let flight = flight.expect("it is in flight");
        assert_eq!(*flight.packet_id.get_or_insert(packet_id), packet_id);
        self.model.connection(number).unanswered.push(Unanswered {
            serial,
            qos: publish.qos,
            complete: false,
        });
    }

    fn is_released(&mut self, number: usize, serial: u64, release: &Acknowledgement) {
        let flights = &self.model.session(number).flights;
        let flight = flights.iter().find(|flight| flight.serial == serial);
        let packet_id = flight.and_then(|flight| flight.packet_id);
        assert_eq!(packet_id, Some(release.packet_id));
        self.model.connection(number).unanswered.push(Unanswered {
            serial,
            qos: QoS::ExactlyOnce,
            complete: true,
        });
    }
}
