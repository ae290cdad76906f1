//! What the threads of a run tell, added up: a [`Tally`] while it goes on, the [`Measurement`] when the books are closed.

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};

use super::returning::Return;
use super::thread::{Crew, Harvest, Note};
use crate::bench::measure::Recorder;
use crate::bench::measure::connects::ConnectFailure;
use crate::bench::measure::ledger::{Delivery, Sent};
use crate::bench::measure::pulse::Pulse;
use crate::bench::measure::shares::Share;
use crate::bench::plan;
use crate::bench::report::isolation::{Isolation, Slow, isolation};
use crate::bench::report::limits::BrokerLimits;
use crate::bench::report::recovery::Recovery;
use crate::bench::role::subscriber::Subscriber;
use crate::mqtt::QoS;

/// A connection that ended before the run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LostConnection {
    /// Which: `publisher 1`, `subscriber 12`.
    pub client: String,
    /// When, in seconds since the start of the load.
    pub at_s: f64,
    /// Why.
    pub reason: String,
}

/// Everything that was found.
#[derive(Debug)]
pub struct Measurement {
    /// When the load started; where connecting is measured and interrupted, the first connection.
    pub started: SystemTime,
    /// From the first connection attempt to the last SUBACK.
    pub setup: Duration,
    /// Counts and histograms of all threads.
    pub recorder: Recorder,
    /// What became of the messages.
    pub delivery: Delivery,
    /// How shared subscriptions spread their messages.
    pub shares: Vec<Share>,
    /// Messages that were due and never sent.
    pub unsent: u64,
    /// Publishes at QoS 1 and 2 that were sent and never answered.
    pub unanswered: u64,
    /// Publishes the broker refused, by the code of the reason.
    pub refusals: BTreeMap<u8, u64>,
    /// Acknowledgements for which there was no publish.
    pub stray_acknowledgements: u64,
    /// The lowest quality of service a subscription was granted.
    pub granted: QoS,
    /// The most messages a publisher had in flight, as far as the broker let it.
    pub window: u16,
    /// The brokers the clients took in turn, where there were several.
    pub brokers: Vec<String>,
    /// What the broker allows.
    pub limits: BrokerLimits,
    /// By how much the clock of the day was set while the load ran.
    pub clock_set: Duration,
    /// Connections that were not made, where that is what is measured.
    pub failures: Vec<ConnectFailure>,
    /// Connections that were lost.
    pub lost_connections: Vec<LostConnection>,
    /// The warm-up, where it ended by itself.
    pub warm_up: Option<Warmed>,
    /// The work of the threads within the measured time.
    pub threads: Vec<Work>,
    /// Whether the run was ended by the stop signal.
    pub interrupted: bool,
    /// Whether nothing moved any more although there was more to send.
    pub stalled: bool,
    /// What the faults of the plan did.
    pub faults: Vec<Recovery>,
    /// The work of the proxy that did them, while the load ran.
    pub proxy: Option<Work>,
    /// What slow subscribers did to the others.
    pub isolation: Option<Isolation>,
}

/// A warm-up that was to last until the load was steady.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Warmed {
    /// How long it lasted, in seconds.
    pub lasted_s: f64,
    /// Whether the load was steady then; if not, it had had as long as it may take.
    pub steady: bool,
}

/// What a thread did in the measured time.
#[derive(Debug, Clone, Copy)]
pub struct Work {
    /// The processor's time; `None` where the system does not tell.
    pub cpu: Option<Duration>,
    /// Real time.
    pub wall: Duration,
}

/// What the notes add up to.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) started: Option<SystemTime>,
    /// Both clocks at the start of the load.
    pub(super) clock: Option<(Instant, SystemTime)>,
    pub(super) ready: u32,
    pub(super) warm_up: Option<Warmed>,
    /// Connections that were not made.
    pub(super) failures: Vec<ConnectFailure>,
    /// Publishers that will not publish any more.
    pub(super) done: u32,
    /// Those of them whose messages are all acknowledged.
    pub(super) settled: u32,
    /// How many deliveries the messages of those who are done make.
    pub(super) expected: u64,
    pub(super) lost: Vec<LostConnection>,
    /// Of those that read slowly.
    pub(super) slow_lost: Vec<LostConnection>,
    /// Clients that a fault had cut off.
    pub(super) returns: Vec<Return>,
    /// How many connections were not made because of each strike.
    pub(super) kept_out: BTreeMap<usize, u64>,
    pub(super) harvests: Vec<Harvest>,
}

impl Tally {
    /// Enters what a thread tells.
    ///
    /// # Errors
    /// Why the run cannot go on.
    pub(super) fn take(&mut self, note: Note) -> anyhow::Result<()> {
        match note {
            Note::Ready => self.ready += 1,
            Note::Done(deliveries) => {
                self.done += 1;
                self.expected += deliveries;
            }
            Note::Settled => self.settled += 1,
            Note::Failed(error) => return Err(error),
            Note::Unconnected(failure) => {
                let reason = failure.to_string();
                let failures = &mut self.failures;
                match failures.iter_mut().find(|known| known.reason == reason) {
                    Some(known) => known.count += 1,
                    None => failures.push(ConnectFailure {
                        reason,
                        count: 1,
                        exit: failure.exit(),
                    }),
                }
            }
            Note::KeptOut(strike) => *self.kept_out.entry(strike).or_default() += 1,
            Note::Lost(lost) => self.lost.push(lost),
            Note::SlowLost(lost) => self.slow_lost.push(lost),
            Note::Returned(one) => self.returns.push(one),
            Note::Finished(harvest) => self.harvests.push(harvest),
        }
        Ok(())
    }

    /// The load starts, at this time of the day.
    pub(super) fn start(&mut self, day: SystemTime) {
        self.started = Some(day);
        self.clock = Some((Instant::now(), SystemTime::now()));
    }

    /// Adds up what the clients did. What became of it is settled when all books are there.
    pub(super) fn close(
        self,
        crew: &Crew,
        setup: Duration,
        recorder: Recorder,
        interrupted: bool,
        stalled: bool,
    ) -> Harvested {
        let plan = &crew.load.plan;
        let interrupted_ns = interrupted.then(|| recorder.window().to_ns);
        let mut measurement = Measurement {
            started: self.started.unwrap_or_else(SystemTime::now),
            setup,
            recorder,
            delivery: Delivery::default(),
            shares: Vec::new(),
            unsent: 0,
            unanswered: 0,
            refusals: BTreeMap::new(),
            stray_acknowledgements: 0,
            granted: QoS::ExactlyOnce,
            window: plan.window(),
            brokers: crew.load.brokers.iter().map(ToString::to_string).collect(),
            limits: crew.limits.get().cloned().unwrap_or_default(),
            clock_set: self.clock.map_or(Duration::ZERO, |(instant, day)| {
                let expected = day + instant.elapsed();
                let now = SystemTime::now();
                now.duration_since(expected)
                    .unwrap_or_else(|earlier| earlier.duration())
            }),
            failures: self.failures,
            lost_connections: self.lost,
            warm_up: self.warm_up,
            threads: Vec::new(),
            interrupted,
            stalled,
            faults: Vec::new(),
            proxy: None,
            isolation: None,
        };
        let mut sent = vec![Sent::default(); plan.streams() as usize];
        let mut subscribers = Vec::new();
        for harvest in self.harvests {
            for (number, publisher) in harvest.publishers {
                let published = publisher.published(interrupted_ns);
                measurement.unsent += published.unsent;
                measurement.stray_acknowledgements += published.stray_acknowledgements;
                let unacknowledged = published
                    .sent
                    .iter()
                    .map(|sent| sent.unacknowledged.count());
                let refused: u64 = published.refusals.values().sum();
                measurement.unanswered += unacknowledged.sum::<u64>().saturating_sub(refused);
                for (reason, count) in published.refusals {
                    *measurement.refusals.entry(reason).or_default() += count;
                }
                for (stream, published) in plan.streams_of(number).zip(published.sent) {
                    sent[stream as usize] = published;
                }
            }
            measurement.window = measurement.window.min(harvest.window);
            for stream in harvest.wills {
                sent[stream as usize] = Sent {
                    count: 1,
                    qos: QoS::AtLeastOnce,
                    ..Sent::default()
                };
            }
            measurement.threads.push(harvest.work);
            subscribers.extend(harvest.subscribers);
        }
        Harvested {
            slow: Slow {
                disconnected: self.slow_lost,
                ..Slow::default()
            },
            measurement,
            sent,
            subscribers,
        }
    }
}

/// What the clients brought home.
pub(super) struct Harvested {
    measurement: Measurement,
    /// What was sent, by stream.
    pub(super) sent: Vec<Sent>,
    subscribers: Vec<(Subscriber, bool)>,
    slow: Slow,
}

impl Harvested {
    /// Closes the ledgers. `seen` is what reached the subscribers that are not slow, `end` where the load ended.
    pub(super) fn settle(self, crew: &Crew, seen: &Pulse, end: Duration) -> Measurement {
        let Harvested {
            mut slow,
            mut measurement,
            sent,
            subscribers,
        } = self;
        let plan = &crew.load.plan;
        measurement.granted = plan.qos();
        // Order is promised to subscriptions that are not shared (4.6 of MQTT 5): what was to go to a member that is cut off
        // may come to another one late.
        let is_ordered = |subscriber: &Subscriber| {
            plan.fault.is_empty() || plan::shared(subscriber.filter()).is_none()
        };
        for (subscriber, connected) in &subscribers {
            let mut delivery = subscriber.settle(&sent, *connected);
            if !is_ordered(subscriber) {
                delivery.reordered = 0;
            }
            match subscriber.slowly() {
                Some(read) => {
                    slow.read += read;
                    slow.delivery.merge(&delivery);
                }
                None => measurement.delivery.merge(&delivery),
            }
            if let Some(granted) = subscriber.granted_less() {
                measurement.granted = measurement.granted.min(granted);
            }
        }
        settle_shares(crew, &mut measurement, &subscribers, &sent);
        measurement.isolation = isolation(plan, slow, seen, end);
        measurement
    }
}

/// Closes the books of the shared subscriptions, and says who got how much.
fn settle_shares(
    crew: &Crew,
    measurement: &mut Measurement,
    subscribers: &[(Subscriber, bool)],
    sent: &[Sent],
) {
    let plan = &crew.load.plan;
    let mut settled = HashSet::new();
    for &number in &crew.cast.subscribers {
        let ledger = &crew.shares[number as usize];
        let filter = plan.filter_of(number);
        let Some(ledger) = ledger.as_ref().filter(|_| settled.insert(filter.clone())) else {
            continue;
        };
        let members = subscribers
            .iter()
            .filter(|(member, _)| member.filter() == filter);
        let received = members
            .clone()
            .map(|(member, _)| member.received())
            .collect();
        let group = plan.subscriber(number).group;
        if !group.answers && plan.has_streams() {
            let granted = measurement.granted.min(group.qos);
            // Nobody knows to which member it was to go.
            let connected = members.clone().all(|(_, connected)| *connected);
            measurement
                .delivery
                .merge(&ledger.settle(sent, granted, connected));
        }
        measurement.shares.push(Share::new(filter, received));
    }
}
