//! Random clients against a small model of what MQTT sessions are: who must receive what, how often and in which order.
//!
//! `world` does what is chosen here, to a broker and to the model. Most runs are short ones against a broker in this process,
//! whose time passes when a run says so; some are long ones against the real program. A failing run says its seed
//! and its last actions; `MODEL_SEED=seed` plays it again, `MODEL_RUNS=100000` plays as many.

use std::hash::{BuildHasher, Hasher};

use mqtt_toolbox::mqtt::packet::RetainHandling;
use mqtt_toolbox::mqtt::{QoS, Version};

use super::client::{KEPT, QUALITIES};
use super::in_process::InProcess;
use super::model::{CLIENTS, FOR_EVER, Message, Options};
use super::world::{Broker, Greeting, World};
use crate::servers::MqttServe;

const TOPICS: [&str; 4] = ["t", "t/a", "t/b", "t/a/b"];
const FILTERS: [&str; 8] = ["t", "t/a", "t/b", "t/+", "t/#", "#", "+/a/#", "+/b"];

/// No topic is in two of them, so that the order of a client's messages is known.
const SHARES: [&str; 3] = ["$share/one/t", "$share/one/t/b", "$share/two/t/a/#"];

/// Runs against the broker in this process, and how long they are; with a tick for every action they fit into a second.
const RUNS: u64 = 2_000;
const SHORT: usize = 40;

/// Runs against a broker before it is replaced: whatever one leaves behind may disturb the next.
const RUNS_PER_BROKER: u64 = 100;

const PROCESSES: u64 = 24;
const LONG: usize = 300;

#[test]
fn random_clients_receive_what_the_model_says() {
    for seed in seeds(PROCESSES) {
        let workers = seed % 3 + 1;
        let broker = MqttServe::start(["--workers", &workers.to_string()]);
        let name = format!("MODEL_SEED={seed}");
        // When a member leaves, only with one partition it is known which messages its group was sent before.
        let shared_of_ten = if workers == 1 { 3 } else { 0 };
        Play::new(seed, &broker, name, shared_of_ten).run(LONG);
    }
}

#[test]
fn thousands_of_short_runs_in_which_time_passes_go_as_the_model_says() {
    let runs = std::env::var("MODEL_RUNS").map_or(RUNS, |text| text.parse().expect("a number"));
    let mut broker = InProcess::start(1);
    for (run, seed) in (0..).zip(seeds(runs)) {
        if run % RUNS_PER_BROKER == 0 {
            broker = InProcess::start((seed % 3 + 1) as usize);
        }
        let name = format!("MODEL_SEED={seed}");
        let shared_of_ten = [3, 8][(seed / 3 % 2) as usize];
        Play::new(seed, &broker, name, shared_of_ten).run(SHORT);
        for census in broker.census() {
            let left = (
                census.sessions,
                census.subscriptions + census.shared_subscriptions,
                census.retained + census.queued + census.in_flight,
            );
            assert_eq!(left, (0, 0, 0), "MODEL_SEED={seed} left this behind");
        }
    }
}

/// The one that was asked for; or so many that are always the same, and one that nobody has tried yet.
fn seeds(count: u64) -> Vec<u64> {
    match std::env::var("MODEL_SEED") {
        Ok(seed) => vec![seed.parse().expect("a seed is a number")],
        Err(_) => {
            let fresh = std::hash::RandomState::new().build_hasher().finish();
            (1..count).chain([fresh]).collect()
        }
    }
}

/// A run: what happens in a world, by the throw of dice.
struct Play<'b, B: Broker> {
    random: u64,
    world: World<'b, B>,
    /// So many of ten subscriptions are shared ones.
    shared_of_ten: usize,
    messages: usize,
}

impl<'b, B: Broker> Play<'b, B> {
    fn new(seed: u64, broker: &'b B, name: String, shared_of_ten: usize) -> Play<'b, B> {
        Play {
            random: seed,
            world: World::new(broker, name),
            shared_of_ten,
            messages: 0,
        }
    }

    fn run(mut self, steps: usize) {
        for _ in 0..steps {
            let number = self.below(CLIENTS);
            if B::OWNS_TIME && self.one_in(25) {
                let seconds = self.one_of([1, 1, 2, 2, 3, 5, 2000]);
                self.world.pass(seconds);
            } else if self.world.clients[number].is_none() {
                self.connect(number);
            } else {
                self.act(number);
            }
        }
        self.world.end();
    }

    fn act(&mut self, number: usize) {
        match self.below(40) {
            0..=1 => self.connect(number),
            2..=3 => self.world.vanish(number),
            4..=5 => self.leave(number),
            6 => {
                let message = self.last_message(number);
                self.world.publish_and_vanish(number, message);
            }
            7..=11 => self.subscribe(number),
            12..=13 => self.unsubscribe(number),
            14..=22 => {
                let message = self.message(number);
                self.world.publish(number, message);
            }
            23..=24 => {
                let mut message = self.message(number);
                message.qos = QoS::ExactlyOnce;
                self.world.publish_half(number, message);
            }
            25..=26 => self.repeat(number),
            27..=30 => self.world.look(number),
            _ => self.answer(number),
        }
    }

    /// A number below the limit, by SplitMix64.
    fn below(&mut self, limit: usize) -> usize {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % limit as u64) as usize
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn one_of<T: Copy, const N: usize>(&mut self, values: [T; N]) -> T {
        values[self.below(N)]
    }

    fn is_five(&mut self, number: usize) -> bool {
        self.world.client(number).wire.version == Version::V5
    }

    fn message(&mut self, publisher: usize) -> Message {
        let five = self.is_five(publisher);
        self.message_in(publisher, five)
    }

    fn message_in(&mut self, publisher: usize, five: bool) -> Message {
        self.messages += 1;
        let retain = self.one_in(5);
        let empty = retain && self.one_in(2);
        let expires = B::OWNS_TIME && five && self.one_in(3);
        Message {
            publisher,
            topic: self.one_of(TOPICS),
            payload: if empty {
                String::new()
            } else {
                self.messages.to_string()
            },
            qos: self.one_of(QUALITIES),
            retain,
            expiry: expires.then(|| self.one_of([1, 3, 1500])),
        }
    }

    /// One that can be waited for.
    fn last_message(&mut self, publisher: usize) -> Message {
        let five = self.is_five(publisher);
        self.last_message_in(publisher, five)
    }

    fn last_message_in(&mut self, publisher: usize, five: bool) -> Message {
        let mut message = self.message_in(publisher, five);
        if message.payload.is_empty() {
            message.payload = format!("last {}", self.messages);
        }
        message
    }

    fn connect(&mut self, number: usize) {
        let version = self.one_of([Version::V311, Version::V5]);
        let five = version == Version::V5;
        let clean = self.one_in(4);
        let expiry = match version {
            Version::V5 if B::OWNS_TIME => self.one_of([0, 2, 4, KEPT, FOR_EVER]),
            Version::V5 => self.one_of([0, KEPT, KEPT, FOR_EVER]),
            _ if clean => 0,
            _ => FOR_EVER,
        };
        let window = self.one_of([None, Some(1), Some(2), Some(7)]);
        let window = window.filter(|_| five && !self.world.model.peers[number].is_member);
        let will = self.one_in(2).then(|| {
            let delay = match five {
                true if B::OWNS_TIME => self.one_of([0, 0, 1, 3, KEPT]),
                true => self.one_of([0, 0, KEPT]),
                false => 0,
            };
            (self.last_message_in(number, five), delay)
        });
        let greeting = Greeting {
            version,
            clean,
            expiry,
            window,
            will,
        };
        self.world.greet(number, greeting);
    }

    fn leave(&mut self, number: usize) {
        if !self.is_five(number) {
            return self.world.leave(number, false, None);
        }
        let with_will = self.one_in(3);
        let expiry = match self.world.model.session(number).expiry {
            // A session that ends with its connection cannot be extended.
            0 => None,
            _ => self.one_of([None, None, Some(0), Some(KEPT)]),
        };
        self.world.leave(number, with_will, expiry);
    }

    fn subscribe(&mut self, number: usize) {
        let five = self.is_five(number);
        let has_room = self.world.model.connection(number).window == 1000;
        let shared = has_room && self.below(10) < self.shared_of_ten;
        let filter = match shared {
            true => self.one_of(SHARES),
            false => self.one_of(FILTERS),
        };
        let options = Options {
            qos: self.one_of(QUALITIES),
            no_local: five && !shared && self.one_in(4),
            as_published: five && self.one_in(3),
            identifier: if five { self.below(3) as u32 } else { 0 },
        };
        let handling = match self.below(4) {
            0 if five => RetainHandling::IfNew,
            1 if five => RetainHandling::Never,
            _ => RetainHandling::Always,
        };
        self.world.subscribe(number, filter, options, handling);
    }

    fn unsubscribe(&mut self, number: usize) {
        let filter = match self.below(10) < self.shared_of_ten {
            true => self.one_of(SHARES),
            false => self.one_of(FILTERS),
        };
        self.world.unsubscribe(number, filter);
    }

    fn repeat(&mut self, number: usize) {
        let count = self.world.model.session(number).unreleased.len();
        if count > 0 {
            let (place, release) = (self.below(count), self.one_in(2));
            self.world.repeat(number, place, release);
        }
    }

    fn answer(&mut self, number: usize) {
        let count = self.world.model.connection(number).unanswered.len();
        if count == 0 {
            return self.world.look(number);
        }
        for _ in 0..=self.below(count) {
            // Nearly always the first: that is what the specification asks of clients.
            let left = self.world.model.connection(number).unanswered.len();
            let place = if self.one_in(8) { self.below(left) } else { 0 };
            let refuse = self.one_in(10);
            self.world.answer_at(number, place, refuse);
        }
        self.world.client(number).is_heard();
    }
}
