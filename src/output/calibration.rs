//! The load tester's own limits for a person.

use colored::Colorize;

use super::figures::whole;
use super::headline::headline;
use super::report::latency_table;
use crate::bench::trials::calibration::{Calibration, Limits};

/// Floor and ceiling, in colour where stdout shows it.
pub fn text(limits: &Limits) -> String {
    let (floor, ceiling) = (
        Calibration::of(&limits.floor),
        Calibration::of(&limits.ceiling),
    );
    let mut out = String::new();
    out += &format!("{}\n", headline(&limits.floor).bold());
    out += "floor: against a broker that does nothing, this much is the load tester's own\n\n";
    // Writing to a string cannot fail.
    let _ = latency_table(&mut out, &[("null broker", &floor.latency_us)]);
    out += &format!("\n{}\n", headline(&limits.ceiling).bold());
    out += "ceiling: faster than this it cannot go on this machine\n\n";
    let rates = &ceiling.rate_per_s;
    for (name, rate) in [
        ("sent", rates.sent),
        ("acknowledged", rates.acknowledged),
        ("delivered", rates.delivered),
        (
            "connected",
            limits
                .ceiling
                .connections
                .made_per_s
                .filter(|_| rates.sent.is_none()),
        ),
    ] {
        if let Some(rate) = rate {
            out += &format!("{name:<13}{:>12}/s\n", whole(rate));
        }
    }
    if let Some(messages) = ceiling.messages_per_cpu_s {
        out += &format!(
            "{:<13}{:>12} messages per processor second\n",
            "generator",
            whole(messages)
        );
    }
    out
}
