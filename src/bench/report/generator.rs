//! What the load tester itself did and cost. Whether it was the limit is for the verdict.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::environment::peak_memory;
use super::messages::Messages;
use crate::bench::load::tally::{Measurement, Work};

/// The load tester's own work within the measurement.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Generator {
    /// Threads that share the connections.
    pub threads: usize,
    /// Processor seconds of all of them; `null` where the system does not tell.
    pub cpu_s: Option<f64>,
    /// Processor time over real time of the busiest thread; `null` for a measurement under 0.1 s.
    pub busiest: Option<f64>,
    /// Messages sent and delivered per processor second.
    pub messages_per_cpu_s: Option<f64>,
    /// Processor seconds of the proxy that does the faults of a plan; `null` without one.
    #[serde(default)]
    pub proxy_cpu_s: Option<f64>,
    /// Its processor time over real time.
    #[serde(default)]
    pub proxy_busy: Option<f64>,
    /// The most memory the process has had, an embedded broker's included; `null` where the system does not tell.
    #[serde(default)]
    pub memory_bytes: Option<u64>,
}

/// In less time than this a share of the processor says nothing.
const SHORTEST: Duration = Duration::from_millis(100);

/// In less processor time than this messages per second of it say nothing.
const SHORTEST_CPU_S: f64 = 0.01;

impl Generator {
    /// That of a run of its own.
    pub(super) fn of(measurement: &Measurement) -> Generator {
        let threads = &measurement.threads;
        let cpu: Option<Duration> = threads.iter().map(|work| work.cpu).sum();
        let cpu_s = cpu.map(|cpu| cpu.as_secs_f64());
        let busy = |work: &Work| {
            let busy = work.cpu?.as_secs_f64() / work.wall.as_secs_f64();
            (work.wall >= SHORTEST).then_some(busy)
        };
        let recorder = &measurement.recorder;
        Generator {
            threads: threads.len(),
            cpu_s,
            busiest: threads.iter().filter_map(busy).reduce(f64::max),
            messages_per_cpu_s: per_second(
                recorder.sent.measured + recorder.delivered.measured,
                cpu_s,
            ),
            proxy_cpu_s: measurement
                .proxy
                .and_then(|work| work.cpu)
                .map(|cpu| cpu.as_secs_f64()),
            proxy_busy: measurement.proxy.as_ref().and_then(busy),
            memory_bytes: peak_memory(),
        }
    }

    /// Adds that of another run, `beside` this one or after it; `messages` are those of both.
    pub(super) fn merge(&mut self, other: &Generator, beside: bool, messages: &Messages) {
        let sum = |one: Option<f64>, other: Option<f64>| Some(one? + other?);
        let most =
            |one: Option<f64>, other: Option<f64>| one.into_iter().chain(other).reduce(f64::max);
        self.threads = match beside {
            true => self.threads + other.threads,
            false => self.threads.max(other.threads),
        };
        self.cpu_s = sum(self.cpu_s, other.cpu_s);
        self.busiest = most(self.busiest, other.busiest);
        self.messages_per_cpu_s = per_second(
            messages.sent_measured + messages.arrived_measured,
            self.cpu_s,
        );
        self.proxy_cpu_s = sum(self.proxy_cpu_s, other.proxy_cpu_s);
        self.proxy_busy = most(self.proxy_busy, other.proxy_busy);
        self.memory_bytes = self.memory_bytes.max(other.memory_bytes);
    }
}

/// Messages per processor second.
fn per_second(messages: u64, cpu_s: Option<f64>) -> Option<f64> {
    cpu_s
        .filter(|cpu_s| messages > 0 && *cpu_s >= SHORTEST_CPU_S)
        .map(|cpu_s| messages as f64 / cpu_s)
}
