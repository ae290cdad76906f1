//! The load tester: an open-loop instrument that says how late, how much and what was lost, and whether it can
//! be believed.
//!
//! ```text
//! Plan -> Schedule -> Publisher, Subscriber (roles) on Connections -> Recorder per thread -> Measurement -> Report
//!                                                                  -> Ledger per subscriber -^
//! ```
//! `plan`, `pace`, `schedule`, `size`, `payloads`, `message`, `ledger`, `measure`, `connects`, `publisher`, `subscriber`, `idle`, `report`,
//! `latency`, `histograms`, `merge`, `verdict`, `slo`, `statistics`, `steadiness`, `compare`, `search`, `climb`, `calibration` and
//! `series` are arithmetic: no socket, no clock; so are `cast`, which says whose clients are whose when several machines
//! share a run, `standing`, how far all of them are, and `agents`, what they say to each other. `connection` is the socket, `thread` the clients of one thread, `lives`
//! and `fates` what each of them does from first to last, `load` the phases of a run, `company` what it hears of other machines, `tally` what the threads bring home;
//! `speed` is how fast a subscriber reads, `isolation` whether a slow one is the others' business;
//! `disturbance` is what a fault is and `recovery` what came of it, `pulse` what tells when; `proxy` does it, `returning` is how clients come back;
//! `null` is a broker that does nothing, to measure the load tester itself.
//! Nothing here prints or knows of flags.

pub mod agents;
pub mod alarm;
pub mod calibration;
pub mod cast;
pub mod climb;
pub mod company;
pub mod compare;
pub mod connection;
pub mod connects;
pub mod disturbance;
pub mod environment;
mod fates;
pub mod histograms;
pub mod idle;
mod in_flight;
pub mod isolation;
pub mod latency;
pub mod ledger;
pub mod limits;
mod line;
mod lives;
pub mod load;
pub mod measure;
pub mod merge;
pub mod message;
mod name;
pub mod null;
pub mod pace;
pub mod payloads;
pub mod plan;
pub mod proxy;
pub mod publisher;
pub mod pulse;
pub mod random;
pub mod recovery;
pub mod report;
pub mod requester;
mod returning;
pub mod role;
pub mod schedule;
pub mod search;
pub mod series;
pub mod shares;
pub mod size;
pub mod slo;
pub mod speed;
pub mod standing;
pub mod statistics;
pub mod steadiness;
pub mod subscriber;
pub mod tally;
mod thread;
pub mod tour;
pub mod verdict;

#[cfg(test)]
mod tests;
