//! What a user sees, tried with the real binary: whole stdout, whole stderr and the exit status of each run.

// Nothing is reachable from outside a test crate, and `pub` reads better than `pub(crate)`.
#![allow(unreachable_pub)]
// A panic is how a test fails.
#![allow(clippy::unwrap_used)]

// A language is larger than what has been said in it so far.
mod certificates;
mod clients;
#[allow(dead_code)]
mod harness;
// The codec's own list of faults: one list for both.
#[path = "../../src/mqtt/codec/tests/malformed.rs"]
mod malformed;
mod nameserver;
mod proxies;
#[allow(dead_code)]
mod servers;
mod ways;
#[allow(dead_code)]
mod wire;

mod abuse;
mod bench;
mod compare;
mod config;
mod conformance;
mod connecting;
mod context;
mod cut;
mod exec;
mod hostile;
mod html;
mod intake;
mod interop;
mod limits;
mod load;
mod mosquitto;
mod names;
mod observe;
mod properties;
mod publish;
mod readme;
mod redirection;
mod reply;
mod request;
mod saved;
mod scenarios;
mod secrets;
mod selection;
mod serve;
mod slow_reader;
mod spool;
mod subscribe;
mod subscription;
mod takeover;
mod through_proxies;
mod tls;
mod transport;
mod usage;
