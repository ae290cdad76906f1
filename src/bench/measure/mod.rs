//! What is counted and timed while a load runs: one [`Recorder`] per thread, merged at the end.
//!
//! Percentiles are read from merged histograms only, never averaged. Latency belongs to the messages that
//! were due (or, unpaced, sent) within the measurement, however late they arrive; a rate counts what happened
//! within it. Nothing here reads a clock: times come in as nanoseconds since the start of the run.

pub mod connects;
pub mod histograms;
pub mod latency;
pub mod ledger;
pub mod portion;
pub mod pulse;
pub mod series;
pub mod shares;

use hdrhistogram::Histogram;

use crate::bench::measure::connects::{Connects, Legs};
use crate::bench::measure::histograms::Histograms;
use crate::bench::measure::portion::{Main, Portion};
use crate::bench::measure::pulse::Pulse;

/// Values are recorded up to an hour; a longer wait counts as an hour.
const LONGEST_US: u64 = 3_600_000_000;

/// The measured part of a run, in nanoseconds since its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Where the warm-up ends.
    pub from_ns: u64,
    /// Where the measurement ends; `u64::MAX` while that is not known.
    pub to_ns: u64,
}

impl Window {
    /// A measurement of which it is not known yet when it begins.
    pub const NOT_YET: Window = Window {
        from_ns: u64::MAX,
        to_ns: u64::MAX,
    };

    /// Whether something that happened at this time is measured.
    pub fn contains(self, at_ns: u64) -> bool {
        (self.from_ns..self.to_ns).contains(&at_ns)
    }
}

/// How often something happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// In the whole run.
    pub total: u64,
    /// Within the window.
    pub measured: u64,
    /// The last time within the window, in nanoseconds since the start.
    pub last_ns: u64,
}

impl Count {
    fn add(&mut self, window: Window, at_ns: u64) {
        self.total += 1;
        if window.contains(at_ns) {
            self.measured += 1;
            self.last_ns = self.last_ns.max(at_ns);
        }
    }

    fn since(self, earlier: Count) -> Count {
        Count {
            total: self.total - earlier.total,
            measured: self.measured - earlier.measured,
            last_ns: self.last_ns,
        }
    }

    fn merge(&mut self, other: Count) {
        self.total += other.total;
        self.measured += other.measured;
        self.last_ns = self.last_ns.max(other.last_ns);
    }
}

/// The counts and histograms of one thread, or of all when merged. Histograms are in microseconds with three
/// significant digits.
#[derive(Debug, Clone)]
pub struct Recorder {
    window: Window,
    /// Messages handed to a connection.
    pub sent: Count,
    /// PUBACK (QoS 1) or PUBCOMP (QoS 2) received for a publish.
    pub acknowledged: Count,
    /// First copies that arrived at a subscriber.
    pub delivered: Count,
    /// The connections made.
    pub connects: Connects,
    /// From due to sent. Empty when the run is not paced.
    pub send_delay: Histogram<u64>,
    /// What would be response, service or acknowledgement, before the measurement.
    pub warm_up: Histogram<u64>,
    /// The part of the send delay that is the generator's own fault: from when the message was due *and* flow
    /// control let it go to when it was sent.
    pub lag: Histogram<u64>,
    /// How late a thread came round to what was due, looked at every 10 ms.
    pub turns: Histogram<u64>,
    /// From due, or unpaced from sent, to PUBACK or PUBCOMP.
    pub acknowledgement: Histogram<u64>,
    /// From sent to arrived.
    pub service: Histogram<u64>,
    /// From due to arrived. Empty when the run is not paced.
    pub response: Histogram<u64>,
    /// From when a client came back, came late or was taken over to when that was complete: everything had arrived,
    /// the broker had it back, its old connection had ended.
    pub completion: Histogram<u64>,
    /// What arrives or, without subscribers, is acknowledged, in short intervals; where that is of interest.
    pub pulse: Option<Box<Pulse>>,
    /// What the pulse and the portions are of.
    main: Main,
    /// What each of several brokers had; none with one.
    pub portions: Vec<Portion>,
    /// The broker whose turn it is.
    broker: usize,
}

/// The histograms of a recorder by the tags they have in files, lent out by `&` or `&mut`.
macro_rules! tagged {
    ($recorder:ident, $($lend:tt)+) => {
        [
            ("response", $($lend)+ $recorder.response),
            ("service", $($lend)+ $recorder.service),
            ("ack", $($lend)+ $recorder.acknowledgement),
            ("send", $($lend)+ $recorder.send_delay),
            ("generator", $($lend)+ $recorder.lag),
            ("completion", $($lend)+ $recorder.completion),
            ("loop", $($lend)+ $recorder.turns),
            ("connect.response", $($lend)+ $recorder.connects.response),
            ("connect.service", $($lend)+ $recorder.connects.service),
            ("connect.tcp", $($lend)+ $recorder.connects.tcp),
            ("connect.tls", $($lend)+ $recorder.connects.tls),
            ("connect.connack", $($lend)+ $recorder.connects.connack),
            ("connect.generator", $($lend)+ $recorder.connects.lag),
        ]
    };
}

impl Recorder {
    /// An empty one.
    pub fn new(window: Window) -> Recorder {
        Recorder {
            window,
            sent: Count::default(),
            acknowledged: Count::default(),
            delivered: Count::default(),
            connects: Connects::default(),
            send_delay: histogram(),
            warm_up: histogram(),
            lag: histogram(),
            turns: histogram(),
            acknowledgement: histogram(),
            service: histogram(),
            response: histogram(),
            completion: histogram(),
            pulse: None,
            main: Main::Arrival,
            portions: Vec::new(),
            broker: 0,
        }
    }

    /// The same for so many brokers and a load in which this latency counts; of one broker nothing more is kept.
    pub fn of_brokers(self, brokers: usize, main: Main) -> Recorder {
        let portions = if brokers > 1 { brokers } else { 0 };
        Recorder {
            portions: vec![Portion::default(); portions],
            main,
            ..self
        }
    }

    /// The same with a pulse, of the latency that counts.
    pub fn with_pulse(self, pulse: Pulse) -> Recorder {
        Recorder {
            pulse: Some(Box::new(pulse)),
            ..self
        }
    }

    /// What is recorded next happens on a connection to this broker.
    pub fn turn_to(&mut self, broker: usize) {
        self.broker = broker;
    }

    /// A connection to a broker was accepted, which was due and begun at these times and took so long.
    pub fn connected(&mut self, broker: usize, due_ns: Option<u64>, begun_ns: u64, legs: Legs) {
        self.connects.made(due_ns, begun_ns, legs);
        let Some(portion) = self.portions.get_mut(broker) else {
            return;
        };
        portion.connections += 1;
        if self.main == Main::Connecting {
            let took = legs.tcp + legs.tls.unwrap_or_default() + legs.connack;
            let at_ns = begun_ns + took.as_nanos() as u64;
            record(&mut portion.latency.0, due_ns.unwrap_or(begun_ns), at_ns);
        }
    }

    /// A message was handed to its connection. `ready_ns` is when flow control last gave way to its publisher.
    pub fn sent(&mut self, due_ns: Option<u64>, ready_ns: u64, at_ns: u64) {
        self.sent.add(self.window, at_ns);
        if let Some(portion) = self.portions.get_mut(self.broker) {
            portion.sent += 1;
        }
        if let Some(due_ns) = due_ns
            && self.window.contains(due_ns)
        {
            record(&mut self.send_delay, due_ns, at_ns);
            record(&mut self.lag, due_ns.max(ready_ns), at_ns);
        }
    }

    /// The broker took responsibility for a message that was due, or unpaced sent, at `since_ns`.
    pub fn acknowledged(&mut self, since_ns: u64, at_ns: u64) {
        self.acknowledged.add(self.window, at_ns);
        if let (Some(pulse), Main::Acknowledgement) = (&mut self.pulse, self.main) {
            pulse.arrived(since_ns, at_ns);
        }
        if self.window.contains(since_ns) {
            if let (Some(portion), Main::Acknowledgement) =
                (self.portions.get_mut(self.broker), self.main)
            {
                record(&mut portion.latency.0, since_ns, at_ns);
            }
            record(&mut self.acknowledgement, since_ns, at_ns);
        } else if at_ns < self.window.from_ns {
            record(&mut self.warm_up, since_ns, at_ns);
        }
    }

    /// The first copy of a message arrived.
    pub fn delivered(&mut self, due_ns: Option<u64>, sent_ns: u64, at_ns: u64) {
        self.delivered.add(self.window, at_ns);
        if let (Some(pulse), Main::Arrival) = (&mut self.pulse, self.main) {
            pulse.arrived(due_ns.unwrap_or(sent_ns), at_ns);
        }
        let is_measured = self.window.contains(due_ns.unwrap_or(sent_ns));
        if let Some(portion) = self.portions.get_mut(self.broker) {
            portion.delivered += 1;
            if is_measured {
                record(&mut portion.latency.0, due_ns.unwrap_or(sent_ns), at_ns);
            }
        }
        if is_measured {
            record(&mut self.service, sent_ns, at_ns);
            if let Some(due_ns) = due_ns {
                record(&mut self.response, due_ns, at_ns);
            }
        } else if at_ns < self.window.from_ns {
            record(&mut self.warm_up, due_ns.unwrap_or(sent_ns), at_ns);
        }
    }

    /// A thread came round at `now_ns` to what was due at `due_ns`.
    pub fn came_round(&mut self, due_ns: u64, now_ns: u64) {
        if self.window.contains(due_ns) {
            record(&mut self.turns, due_ns, now_ns);
        }
    }

    /// A message arrived that is none of this run's: it is counted, and has no times.
    pub fn arrived(&mut self, at_ns: u64) {
        self.delivered.add(self.window, at_ns);
        if let Some(portion) = self.portions.get_mut(self.broker) {
            portion.delivered += 1;
        }
    }

    /// What began for one client at `from_ns` is complete.
    pub fn completed(&mut self, from_ns: u64, at_ns: u64) {
        record(&mut self.completion, from_ns, at_ns);
    }

    /// Begins the measurement, which had not begun.
    pub fn open(&mut self, window: Window) {
        self.window = window;
    }

    /// Ends the measurement here, unless it has ended before: what happens from now on is no longer measured.
    pub fn close(&mut self, at_ns: u64) {
        self.window.to_ns = self.window.to_ns.min(at_ns);
        self.window.from_ns = self.window.from_ns.min(at_ns);
    }

    /// The measured part of the run.
    pub fn window(&self) -> Window {
        self.window
    }

    /// What was recorded since this one was like `earlier`, but for what each broker had.
    pub fn since(&self, earlier: &Recorder) -> Recorder {
        Recorder {
            window: self.window,
            sent: self.sent.since(earlier.sent),
            acknowledged: self.acknowledged.since(earlier.acknowledged),
            delivered: self.delivered.since(earlier.delivered),
            connects: self.connects.since(&earlier.connects),
            send_delay: difference(&self.send_delay, &earlier.send_delay),
            warm_up: difference(&self.warm_up, &earlier.warm_up),
            lag: difference(&self.lag, &earlier.lag),
            turns: difference(&self.turns, &earlier.turns),
            acknowledgement: difference(&self.acknowledgement, &earlier.acknowledgement),
            service: difference(&self.service, &earlier.service),
            response: difference(&self.response, &earlier.response),
            completion: difference(&self.completion, &earlier.completion),
            pulse: None,
            main: self.main,
            portions: Vec::new(),
            broker: 0,
        }
    }

    /// Every histogram by the tag it has in files.
    pub fn histograms(&self) -> [(&'static str, &Histogram<u64>); 13] {
        tagged!(self, &)
    }

    /// Adds the latencies that another one recorded, by their tags; those of a tag there is not are left aside.
    pub fn enter(&mut self, histograms: &Histograms) {
        for (tag, ours) in tagged!(self, &mut) {
            if let Some(theirs) = histograms.tagged(tag) {
                ours.add(theirs)
                    .expect("a histogram that resizes itself takes any other");
            }
        }
    }

    /// Adds what another one recorded, but for its pulse: that is asked for once, at the end.
    pub fn merge(&mut self, other: &Recorder) {
        let brokers = self.portions.len().max(other.portions.len());
        self.portions.resize_with(brokers, Portion::default);
        for (ours, theirs) in self.portions.iter_mut().zip(&other.portions) {
            ours.merge(theirs);
        }
        self.window.to_ns = self.window.to_ns.min(other.window.to_ns);
        self.window.from_ns = self.window.from_ns.min(other.window.from_ns);
        self.sent.merge(other.sent);
        self.acknowledged.merge(other.acknowledged);
        self.delivered.merge(other.delivered);
        self.connects.merge(&other.connects);
        for (ours, theirs) in [
            (&mut self.send_delay, &other.send_delay),
            (&mut self.warm_up, &other.warm_up),
            (&mut self.lag, &other.lag),
            (&mut self.turns, &other.turns),
            (&mut self.acknowledgement, &other.acknowledgement),
            (&mut self.service, &other.service),
            (&mut self.response, &other.response),
            (&mut self.completion, &other.completion),
        ] {
            ours.add(theirs)
                .expect("a histogram that resizes itself takes any other");
        }
    }
}

/// An empty histogram of three significant digits, which grows as it must.
pub(super) fn histogram() -> Histogram<u64> {
    Histogram::new(3).expect("three significant digits are allowed")
}

/// What a histogram holds more than it did earlier.
pub(super) fn difference(now: &Histogram<u64>, earlier: &Histogram<u64>) -> Histogram<u64> {
    let mut difference = now.clone();
    difference
        .subtract(earlier)
        .expect("a histogram that only grew holds all it held earlier");
    difference
}

/// Adds one time, in microseconds.
pub(super) fn record(histogram: &mut Histogram<u64>, from_ns: u64, to_ns: u64) {
    let us = to_ns.saturating_sub(from_ns) / 1000;
    histogram
        .record(us.min(LONGEST_US))
        .expect("a histogram that resizes itself takes up to an hour");
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WINDOW: Window = Window {
        from_ns: 1_000_000,
        to_ns: 2_000_000,
    };

    #[test]
    fn the_warm_up_is_counted_but_not_measured() {
        let mut recorder = Recorder::new(WINDOW);
        for at_ns in [0, 999_999, 1_000_000, 1_999_999, 2_000_000] {
            recorder.sent(Some(at_ns), 0, at_ns);
            recorder.acknowledged(at_ns, at_ns);
            recorder.delivered(Some(at_ns), at_ns, at_ns);
        }
        let expected = Count {
            total: 5,
            measured: 2,
            last_ns: 1_999_999,
        };
        assert_eq!(recorder.sent, expected);
        assert_eq!(recorder.acknowledged, expected);
        assert_eq!(recorder.delivered, expected);
        assert_eq!(recorder.response.len(), 2);
    }

    #[test]
    fn a_message_due_in_time_is_measured_however_late_it_arrives() {
        let mut recorder = Recorder::new(WINDOW);
        recorder.sent(Some(1_500_000), 2_100_000, 2_200_000);
        recorder.acknowledged(1_500_000, 4_500_000);
        recorder.delivered(Some(1_500_000), 2_200_000, 5_500_000);
        assert_eq!(recorder.send_delay.max(), 700);
        assert_eq!(recorder.lag.max(), 100, "the broker held it back for 600");
        let acknowledgement = &recorder.acknowledgement;
        assert!(acknowledgement.equivalent(acknowledgement.max(), 3000));
        assert!(recorder.service.equivalent(recorder.service.max(), 3300));
        assert!(recorder.response.equivalent(recorder.response.max(), 4000));
        assert_eq!(
            recorder.delivered.measured, 0,
            "the rate counts arrivals within the window"
        );
    }

    #[test]
    fn an_unpaced_message_has_service_latency_only() {
        let mut recorder = Recorder::new(WINDOW);
        recorder.sent(None, 0, 1_200_000);
        recorder.delivered(None, 1_200_000, 1_300_000);
        assert_eq!(recorder.service.len(), 1);
        assert!(recorder.response.is_empty() && recorder.send_delay.is_empty());
    }

    #[test]
    fn closing_early_ends_the_measurement() {
        let mut recorder = Recorder::new(WINDOW);
        recorder.close(1_500_000);
        recorder.close(1_700_000);
        recorder.acknowledged(1_200_000, 1_600_000);
        assert_eq!(recorder.window().to_ns, 1_500_000);
        assert_eq!(recorder.acknowledged.measured, 0);
    }

    proptest! {
        #[test]
        fn two_recorders_merged_are_one_that_saw_everything(
            events in proptest::collection::vec((any::<bool>(), 0u64..3_000_000, 0u64..3_000_000, 0u64..9_000_000_000), 0..200),
        ) {
            let (mut a, mut b, mut all) = (Recorder::new(WINDOW), Recorder::new(WINDOW), Recorder::new(WINDOW));
            for (left, due_ns, delay_ns, later_ns) in events {
                let sent_ns = due_ns + delay_ns;
                for recorder in [if left { &mut a } else { &mut b }, &mut all] {
                    recorder.sent(Some(due_ns), due_ns + delay_ns / 2, sent_ns);
                    recorder.acknowledged(due_ns, sent_ns);
                    recorder.delivered(Some(due_ns), sent_ns, sent_ns + later_ns);
                }
            }
            a.merge(&b);
            prop_assert_eq!((a.sent, a.acknowledged, a.delivered), (all.sent, all.acknowledged, all.delivered));
            for (merged, one) in [(a.send_delay, all.send_delay), (a.lag, all.lag), (a.acknowledgement, all.acknowledgement), (a.service, all.service), (a.response, all.response)] {
                prop_assert_eq!(merged, one);
            }
        }
    }
}
