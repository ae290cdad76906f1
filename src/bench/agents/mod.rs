//! A run on several machines, as far as it is arithmetic and texts: what a coordinator and its agents say to each other
//! ([`words`], cut to size in [`parcel`]), how their clocks are compared ([`clock`]), what happens while the run goes
//! on ([`seconds`]), what was sent ([`books`]), and what the report says of each machine ([`machine`]).
//!
//! Who speaks when, and the broker in between, are in `commands`. docs/bench-agents.md is the protocol for others.

pub mod books;
pub mod clock;
pub mod machine;
pub mod parcel;
pub mod seconds;
pub mod words;
