//! The load tester: an open-loop instrument that says how late, how much and what was lost, and whether it can
//! be believed.
//!
//! ```text
//! Plan -> Schedule -> Publisher, Subscriber (roles) on Connections -> Recorder per thread -> Measurement -> Report
//!                                                                  -> Ledger per subscriber -^
//! ```
//! A room for each question:
//!
//! - [`plan`]: what the load is, as plain data with a text of its own, down to when each message is due;
//! - [`role`]: one end of a conversation without its connection: it publishes, subscribes, asks, answers or does nothing;
//! - [`load`]: the run: threads, lean connections, what each client does from its first to its last, what other machines do meanwhile;
//! - [`measure`]: what is counted and timed: recorders, ledgers, histograms, a run cut into intervals;
//! - [`report`]: what was found, and what it is worth;
//! - [`trials`]: several runs: compared, in search of a limit, as a tour, or against a broker that does nothing;
//! - [`proxy`]: who does the faults of a plan; [`agents`]: what several machines say to each other; [`random`]: numbers from a seed.
//!
//! Sockets and clocks are in [`load`], [`proxy`] and [`trials::null`] alone; the rest is arithmetic. Nothing here prints or knows of flags.

pub mod agents;
pub mod load;
pub mod measure;
pub mod plan;
pub mod proxy;
pub mod random;
pub mod report;
pub mod role;
pub mod trials;

#[cfg(test)]
mod tests;
