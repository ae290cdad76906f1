//! Several runs: compared with each other, one after the other in search of the highest load, as a tour, or against a broker that does
//! nothing. What runs them is in `commands`; only [`null`] has a socket.

pub mod calibration;
pub mod climb;
pub mod compare;
pub mod null;
pub mod search;
pub mod statistics;
pub mod tour;
