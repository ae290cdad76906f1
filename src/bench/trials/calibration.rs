//! The load tester measured: what it does against a broker that does nothing.

use serde::{Deserialize, Serialize};

use crate::bench::measure::latency::Latency;
use crate::bench::report::Report;
use crate::bench::report::rates::Rates;

/// What is printed beside a result, so that one sees how much of it is the load tester's own.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Calibration {
    /// Messages per second.
    pub rate_per_s: Rates,
    /// Of the latency that counts in the report, against the null broker.
    pub latency_us: Option<Latency>,
    /// Messages sent and delivered per processor second.
    pub messages_per_cpu_s: Option<f64>,
}

impl Calibration {
    /// What a run against the null broker says.
    pub fn of(report: &Report) -> Calibration {
        let messages = &report.latency_us;
        let legs = &report.connections.latency_us;
        let candidates = [
            &messages.response,
            &messages.service,
            &messages.acknowledgement,
            &legs.response,
            &legs.service,
        ];
        Calibration {
            rate_per_s: report.rate_per_s.clone(),
            latency_us: candidates.into_iter().flatten().next().cloned(),
            messages_per_cpu_s: report.generator.messages_per_cpu_s,
        }
    }
}

/// Both ends of what the load tester can measure.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Limits {
    /// The version of this structure. Fields may be added within a version.
    pub schema: u32,
    /// At a rate: the latency below which nothing can be told.
    pub floor: Report,
    /// As fast as it goes: the rate above which nothing can be told.
    pub ceiling: Report,
}
