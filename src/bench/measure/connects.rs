//! Connecting, measured: how many were accepted, how fast, and how long each leg took.
//!
//! Connections are made before the load starts, so none of this belongs to the measured window of the messages.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use super::histograms::Histograms;
use super::latency::Latency;
use super::{difference, histogram, record};
use crate::exit::Exit;

/// How long one connection took to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Legs {
    /// From the call to the established TCP connection.
    pub tcp: Duration,
    /// From there until TLS, WebSocket and proxy were agreed upon; `None` over bare TCP.
    pub tls: Option<Duration>,
    /// From there, when CONNECT is written, to CONNACK.
    pub connack: Duration,
}

/// The connections of one thread, or of all when merged. Histograms are in microseconds.
#[derive(Debug, Clone)]
pub struct Connects {
    /// Connections the broker accepted.
    pub made: u64,
    /// When the first and the last of them were, in nanoseconds since the start of the run.
    accepted_ns: Option<(u64, u64)>,
    /// From when it was due to when it was begun: the generator's own delay. Empty when not paced.
    pub lag: Histogram<u64>,
    /// See [`Legs::tcp`].
    pub tcp: Histogram<u64>,
    /// See [`Legs::tls`].
    pub tls: Histogram<u64>,
    /// See [`Legs::connack`].
    pub connack: Histogram<u64>,
    /// From begun to accepted.
    pub service: Histogram<u64>,
    /// From due to accepted. Empty when not paced.
    pub response: Histogram<u64>,
}

impl Default for Connects {
    fn default() -> Connects {
        Connects {
            made: 0,
            accepted_ns: None,
            lag: histogram(),
            tcp: histogram(),
            tls: histogram(),
            connack: histogram(),
            service: histogram(),
            response: histogram(),
        }
    }
}

impl Connects {
    /// The broker accepted a connection that was due and begun at these times, in nanoseconds since the start of
    /// the run.
    pub fn made(&mut self, due_ns: Option<u64>, begun_ns: u64, legs: Legs) {
        let tcp_ns = begun_ns + legs.tcp.as_nanos() as u64;
        let tls_ns = tcp_ns + legs.tls.unwrap_or_default().as_nanos() as u64;
        let accepted_ns = tls_ns + legs.connack.as_nanos() as u64;
        self.made += 1;
        self.extend((accepted_ns, accepted_ns));
        record(&mut self.tcp, begun_ns, tcp_ns);
        if legs.tls.is_some() {
            record(&mut self.tls, tcp_ns, tls_ns);
        }
        record(&mut self.connack, tls_ns, accepted_ns);
        record(&mut self.service, begun_ns, accepted_ns);
        if let Some(due_ns) = due_ns {
            record(&mut self.lag, due_ns, begun_ns);
            record(&mut self.response, due_ns, accepted_ns);
        }
    }

    fn extend(&mut self, (first, last): (u64, u64)) {
        let (earliest, latest) = self.accepted_ns.unwrap_or((first, last));
        self.accepted_ns = Some((earliest.min(first), latest.max(last)));
    }

    /// Accepted connections per second, from the first to the last; `None` when there are not two.
    pub fn per_second(&self) -> Option<f64> {
        let (first, last) = self.accepted_ns?;
        (last > first).then(|| (self.made - 1) as f64 * 1e9 / (last - first) as f64)
    }

    /// What was recorded since this one was like `earlier`.
    pub fn since(&self, earlier: &Connects) -> Connects {
        Connects {
            made: self.made - earlier.made,
            accepted_ns: self.accepted_ns,
            lag: difference(&self.lag, &earlier.lag),
            tcp: difference(&self.tcp, &earlier.tcp),
            tls: difference(&self.tls, &earlier.tls),
            connack: difference(&self.connack, &earlier.connack),
            service: difference(&self.service, &earlier.service),
            response: difference(&self.response, &earlier.response),
        }
    }

    /// Adds what another one recorded.
    pub fn merge(&mut self, other: &Connects) {
        self.made += other.made;
        if let Some(accepted_ns) = other.accepted_ns {
            self.extend(accepted_ns);
        }
        for (ours, theirs) in [
            (&mut self.lag, &other.lag),
            (&mut self.tcp, &other.tcp),
            (&mut self.tls, &other.tls),
            (&mut self.connack, &other.connack),
            (&mut self.service, &other.service),
            (&mut self.response, &other.response),
        ] {
            ours.add(theirs)
                .expect("a histogram that resizes itself takes any other");
        }
    }
}

/// The connections of a run in its report.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Connections {
    /// How many there were to be.
    pub asked: u32,
    /// How many the broker accepted.
    pub made: u64,
    /// New connections per second asked for; `null` when they were not paced.
    pub offered_per_s: Option<f64>,
    /// New connections per second, from the first accepted to the last.
    pub made_per_s: Option<f64>,
    /// How long they took.
    pub latency_us: ConnectLatencies,
    /// Those that were not made, by reason. Only where connecting is what is measured; elsewhere the first one
    /// ends the run.
    pub failures: Vec<ConnectFailure>,
}

/// The legs of a connection.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ConnectLatencies {
    /// From due to CONNACK; `null` when not paced.
    pub response: Option<Latency>,
    /// From begun to CONNACK.
    pub service: Option<Latency>,
    /// From begun to the established TCP connection.
    pub tcp: Option<Latency>,
    /// From there until TLS, WebSocket and proxy were agreed upon; `null` over bare TCP.
    #[serde(default)]
    pub tls: Option<Latency>,
    /// From CONNECT to CONNACK.
    pub connack: Option<Latency>,
    /// From due to begun; `null` when not paced.
    pub generator_delay: Option<Latency>,
}

/// Why connections were not made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ConnectFailure {
    /// In words.
    pub reason: String,
    /// How many.
    pub count: u64,
    /// How a program ends that fails like this.
    #[serde(skip, default = "not_reached")]
    pub exit: Exit,
}

/// The status is not saved, and of a saved run nobody asks for it.
fn not_reached() -> Exit {
    Exit::NotReached
}

impl Connections {
    /// What was found, of `asked` connections at `offered_per_s`.
    pub fn new(
        asked: u32,
        offered_per_s: Option<f64>,
        found: &Connects,
        histograms: &Histograms,
        failures: Vec<ConnectFailure>,
    ) -> Connections {
        Connections {
            asked,
            made: found.made,
            offered_per_s,
            made_per_s: found.per_second(),
            latency_us: ConnectLatencies::of(histograms),
            failures,
        }
    }

    /// How many were not made.
    pub fn failed(&self) -> u64 {
        self.failures.iter().map(|failure| failure.count).sum()
    }
}

impl ConnectLatencies {
    /// What the histograms say.
    pub fn of(histograms: &Histograms) -> ConnectLatencies {
        let tagged = |tag| histograms.tagged(tag).and_then(Latency::of);
        ConnectLatencies {
            response: tagged("connect.response"),
            service: tagged("connect.service"),
            tcp: tagged("connect.tcp"),
            tls: tagged("connect.tls"),
            connack: tagged("connect.connack"),
            generator_delay: tagged("connect.generator"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn legs(tcp_ms: u64, connack_ms: u64) -> Legs {
        Legs {
            tcp: Duration::from_millis(tcp_ms),
            tls: None,
            connack: Duration::from_millis(connack_ms),
        }
    }

    #[test]
    fn a_connection_is_timed_by_leg_and_from_when_it_was_due() {
        let mut connects = Connects::default();
        connects.made(Some(100 * MS), 130 * MS, legs(20, 50));
        for (histogram, expected_ms) in [
            (&connects.lag, 30),
            (&connects.tcp, 20),
            (&connects.connack, 50),
            (&connects.service, 70),
            (&connects.response, 100),
        ] {
            assert!(histogram.equivalent(histogram.max(), expected_ms * 1000));
            assert_eq!(histogram.len(), 1);
        }
        connects.made(None, 130 * MS, legs(20, 50));
        assert_eq!((connects.service.len(), connects.response.len()), (2, 1));
    }

    #[test]
    fn the_rate_is_that_between_the_first_and_the_last_of_all_threads() {
        let (mut one, mut other) = (Connects::default(), Connects::default());
        assert_eq!(one.per_second(), None);
        one.made(None, 0, legs(1, 0));
        assert_eq!(one.per_second(), None);
        other.made(None, 500 * MS, legs(1, 0));
        other.made(None, 2000 * MS, legs(1, 0));
        one.merge(&other);
        assert_eq!((one.made, one.per_second()), (3, Some(1.0)));
    }
}
