//! The connections through the proxy, and what happens to them when. The clock is the runtime's, the streams are passed
//! in: all of it runs in a test on paused time.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::pump::{Condition, pump};
use super::strikes::{Strike, Strikes};
use crate::bench::plan::disturbance::{Clientele, Direction, Disturbance, Harm, Share};
use crate::bench::random::Random;

/// How much is read at once, for all connections.
const SCRATCH: usize = 64 * 1024;

/// All of them.
pub(super) struct Links {
    open: RefCell<BTreeMap<u64, Link>>,
    /// The faults that last at present, by the number of their strike.
    running: RefCell<BTreeMap<usize, Disturbance>>,
    random: RefCell<Random>,
    scratch: RefCell<Vec<u8>>,
    strikes: Arc<Strikes>,
}

struct Link {
    /// The address of the client's end.
    client: SocketAddr,
    /// What the client does.
    kind: Clientele,
    conditions: watch::Sender<Condition>,
    /// The strikes it suffers.
    suffers: Vec<usize>,
    /// Nothing comes through any more, whatever else is over.
    dead: bool,
}

impl Links {
    /// None yet. What is random follows from `seed`.
    pub(super) fn new(seed: u64, strikes: Arc<Strikes>) -> Links {
        Links {
            open: RefCell::default(),
            running: RefCell::default(),
            random: RefCell::new(Random::of(&[seed])),
            scratch: RefCell::new(vec![0; SCRATCH]),
            strikes,
        }
    }

    /// Whether new connections of such clients are closed at once.
    pub(super) fn refuses(&self, kind: Clientele) -> bool {
        let running = self.running.borrow();
        let mut faults = running.values();
        faults.any(|fault| fault.harm == Harm::Cut && fault.of.includes(kind))
    }

    /// Carries bytes between the two ends until both have ended, or one fails, or the connection is cut. `client` is the
    /// address of the client's end, `kind` what the client does.
    pub(super) async fn carry(
        &self,
        client: SocketAddr,
        kind: Clientele,
        near: impl AsyncRead + AsyncWrite + Unpin,
        far: impl AsyncRead + AsyncWrite + Unpin,
    ) {
        self.strikes.forget(client);
        let (registered, conditions) = self.register(client, kind);
        let (from_client, to_client) = tokio::io::split(near);
        let (from_broker, to_broker) = tokio::io::split(far);
        let seeds = [0, 1].map(|_| Random::of(&[self.random.borrow_mut().next()]));
        let up = pump(
            Direction::Up,
            from_client,
            to_broker,
            conditions.clone(),
            seeds[0],
            &self.scratch,
        );
        let down = pump(
            Direction::Down,
            from_broker,
            to_client,
            conditions,
            seeds[1],
            &self.scratch,
        );
        // However it ends, it is over for both sides.
        let _ = tokio::try_join!(up, down);
        drop(registered);
    }

    fn register(
        &self,
        client: SocketAddr,
        kind: Clientele,
    ) -> (Registered<'_>, watch::Receiver<Condition>) {
        let mut suffers = Vec::new();
        for (strike, fault) in self.running.borrow().iter() {
            let hit = match fault.share {
                _ if !fault.of.includes(kind) => false,
                Share::Percent(percent) => self.random.borrow_mut().unit() * 100.0 < percent,
                Share::Count(_) => false,
            };
            if hit {
                suffers.push(*strike);
            }
        }
        let (sender, conditions) = watch::channel(Condition::default());
        let mut open = self.open.borrow_mut();
        let number = open.last_key_value().map_or(0, |(last, _)| last + 1);
        let mut link = Link {
            client,
            kind,
            conditions: sender,
            suffers: Vec::new(),
            dead: false,
        };
        for strike in suffers {
            self.hit(&mut link, strike);
        }
        open.insert(number, link);
        let links = self;
        (Registered { links, number }, conditions)
    }

    fn hit(&self, link: &mut Link, strike: usize) {
        self.strikes.hit(strike, link.client);
        link.suffers.push(strike);
        self.adjust(link);
    }

    /// Tells a link what it suffers at present.
    fn adjust(&self, link: &Link) {
        let running = self.running.borrow();
        let mut condition = Condition::default();
        if link.dead {
            condition.add(Harm::HalfOpen);
        }
        for fault in link.suffers.iter().filter_map(|strike| running.get(strike)) {
            condition.add(fault.harm);
        }
        link.conditions.send_if_modified(|known| {
            condition.cut |= known.cut;
            let changed = *known != condition;
            *known = condition;
            changed
        });
    }

    /// A fault begins: the number of its strike.
    fn begin(&self, number: usize, fault: Disturbance, now: Duration) -> usize {
        let mut open = self.open.borrow_mut();
        let meant = open.iter().filter(|(_, link)| fault.of.includes(link.kind));
        let mut order: Vec<u64> = meant.map(|(number, _)| *number).collect();
        let mut random = self.random.borrow_mut();
        for place in 1..order.len() {
            let other = random.between(0, place as u64) as usize;
            order.swap(place, other);
        }
        let strike = self.strikes.begin(Strike {
            fault: number,
            began: now,
            ended: None,
            open: order.len() as u64,
            hit: 0,
        });
        self.running.borrow_mut().insert(strike, fault);
        order.truncate(fault.share.of(order.len()));
        for number in order {
            if let Some(link) = open.get_mut(&number) {
                link.dead |= fault.harm == Harm::HalfOpen;
                self.hit(link, strike);
            }
        }
        strike
    }

    /// A fault is over.
    fn end(&self, strike: usize, now: Duration) {
        self.running.borrow_mut().remove(&strike);
        self.strikes.end(strike, now);
        for link in self.open.borrow_mut().values_mut() {
            if link.suffers.contains(&strike) {
                link.suffers.retain(|other| *other != strike);
                self.adjust(link);
            }
        }
    }

    /// All that still lasts is over.
    pub(super) fn calm(&self, now: Duration) {
        let running: Vec<usize> = self.running.borrow().keys().copied().collect();
        for strike in running {
            self.end(strike, now);
        }
    }

    /// Begins and ends the faults in their time, counted from `start`. It does not return: what is to come after the
    /// load does not come.
    pub(super) async fn suffer(&self, faults: &[Disturbance], start: Instant) {
        let mut turns: Vec<Turn> = faults
            .iter()
            .map(|fault| Turn {
                next: Some(fault.at),
                running: None,
            })
            .collect();
        loop {
            let moments = turns.iter().enumerate().flat_map(|(place, turn)| {
                let end = turn.running.and_then(|(_, end)| end);
                let end = end.map(|end| (end, place, true));
                [end, turn.next.map(|begin| (begin, place, false))]
            });
            let Some((at, place, ends)) = moments.flatten().min() else {
                return pending().await;
            };
            match start.checked_add(at) {
                Some(moment) => sleep_until(moment).await,
                None => pending().await,
            }
            let (turn, fault) = (&mut turns[place], faults[place]);
            if ends {
                if let Some((strike, _)) = turn.running.take() {
                    self.end(strike, start.elapsed());
                }
                continue;
            }
            let strike = self.begin(place, fault, start.elapsed());
            turn.next = fault.every.and_then(|every| at.checked_add(every));
            match fault.lasts {
                Some(Duration::ZERO) => self.end(strike, start.elapsed()),
                lasts => turn.running = Some((strike, lasts.map(|lasts| at + lasts))),
            }
        }
    }
}

/// How far a fault is.
struct Turn {
    /// When it begins next.
    next: Option<Duration>,
    /// The number of its strike, and when that ends.
    running: Option<(usize, Option<Duration>)>,
}

/// Stands in the list as long as it lives.
struct Registered<'a> {
    links: &'a Links,
    number: u64,
}

impl Drop for Registered<'_> {
    fn drop(&mut self) {
        self.links.open.borrow_mut().remove(&self.number);
    }
}
