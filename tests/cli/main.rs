//! What a user sees, tried with the real binary: whole stdout, whole stderr and the exit status of each run.

// Nothing is reachable from outside a test crate, and `pub` reads better than `pub(crate)`.
#![allow(unreachable_pub)]
// A panic is how a test fails.
#![allow(clippy::unwrap_used)]

// A language is larger than what has been said in it so far.
#[allow(dead_code)]
mod harness;
#[allow(dead_code)]
mod servers;
#[allow(dead_code)]
mod wire;

mod abuse;
mod interop;
mod load;
mod serve;
mod usage;
