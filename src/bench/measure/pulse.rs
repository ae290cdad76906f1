//! What arrived and how late, interval by interval: fine enough to see when a broker is again as it was before a fault.
//! By the time of arrival, so that a backlog that is worked off counts as late.

use std::time::Duration;

use hdrhistogram::Histogram;

/// The counts and latencies of a run, cut into beats of one length.
#[derive(Debug, Clone)]
pub struct Pulse {
    beat_ns: u64,
    /// Significant digits of the latencies.
    digits: u8,
    beats: Vec<Beat>,
}

/// One interval, or several added up.
#[derive(Debug, Clone)]
pub struct Beat {
    /// How many arrived.
    pub count: u64,
    /// In microseconds.
    pub latency: Histogram<u64>,
    /// The worst, exactly, in microseconds.
    pub worst_us: u64,
}

/// The length of a beat where the run is not too long for it.
const BEAT: Duration = Duration::from_millis(100);

/// Beats of a run whose length is known; longer ones have longer beats.
const MOST: u32 = 2000;

/// The same for fine ones, which take more memory.
const MOST_FINE: u32 = 400;

/// Beats of a run whose length is not known; what comes after them is not kept.
const KEPT: usize = 20_000;

impl Beat {
    fn new(digits: u8) -> Beat {
        Beat {
            count: 0,
            latency: Histogram::new(digits).expect("up to five digits are allowed"),
            worst_us: 0,
        }
    }

    /// The latency that 99 of 100 did not exceed; `None` when nothing arrived.
    pub fn p99_us(&self) -> Option<u64> {
        (!self.latency.is_empty()).then(|| self.latency.value_at_quantile(0.99))
    }

    fn add(&mut self, other: &Beat) {
        self.count += other.count;
        self.worst_us = self.worst_us.max(other.worst_us);
        self.latency
            .add(&other.latency)
            .expect("a histogram that resizes itself takes any other");
    }
}

impl Pulse {
    /// Of a run of this length, if that is known; with latencies to one digit, enough to see what has doubled.
    pub fn new(length: Option<Duration>) -> Pulse {
        Pulse::of(length, MOST, 1)
    }

    /// With latencies to two digits, and fewer beats for it.
    pub fn fine(length: Option<Duration>) -> Pulse {
        Pulse::of(length, MOST_FINE, 2)
    }

    fn of(length: Option<Duration>, most: u32, digits: u8) -> Pulse {
        let beat = length.map_or(BEAT, |length| BEAT.max(length / most));
        Pulse {
            beat_ns: beat.as_nanos() as u64,
            digits,
            beats: Vec::new(),
        }
    }

    fn grow(&mut self, beats: usize) {
        let digits = self.digits;
        if self.beats.len() < beats {
            self.beats.resize_with(beats, || Beat::new(digits));
        }
    }

    /// Something arrived at `at_ns` that was due, or unpaced sent, at `since_ns`.
    pub(in crate::bench) fn arrived(&mut self, since_ns: u64, at_ns: u64) {
        let place = (at_ns / self.beat_ns) as usize;
        if place >= KEPT {
            return;
        }
        self.grow(place + 1);
        let beat = &mut self.beats[place];
        beat.count += 1;
        super::record(&mut beat.latency, since_ns, at_ns);
        beat.worst_us = beat.worst_us.max(at_ns.saturating_sub(since_ns) / 1000);
    }

    /// Adds what another thread saw.
    pub fn merge(&mut self, other: &Pulse) {
        self.grow(other.beats.len());
        for (ours, theirs) in self.beats.iter_mut().zip(&other.beats) {
            ours.add(theirs);
        }
    }

    /// The length of a beat.
    pub fn beat(&self) -> Duration {
        Duration::from_nanos(self.beat_ns)
    }

    /// The number of the beat this moment is in.
    pub fn place(&self, moment: Duration) -> usize {
        (moment.as_nanos() / u128::from(self.beat_ns)) as usize
    }

    /// Where the last beat ends.
    pub fn end(&self) -> Duration {
        self.beat() * u32::try_from(self.beats.len()).unwrap_or(u32::MAX)
    }

    /// How many beats there are.
    pub fn len(&self) -> usize {
        self.beats.len()
    }

    /// Whether nothing has arrived.
    pub fn is_empty(&self) -> bool {
        self.beats.is_empty()
    }

    /// The beats from one to another, without that, as one. Where nothing arrived there is an empty one.
    pub fn sum(&self, from: usize, to: usize) -> Beat {
        let mut sum = Beat::new(self.digits);
        let to = to.min(self.beats.len());
        for beat in self.beats.get(from..to).unwrap_or_default() {
            sum.add(beat);
        }
        sum
    }
}
