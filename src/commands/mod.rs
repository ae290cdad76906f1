//! One file per command: what was typed becomes what is meant, then it is done. The only rooms besides
//! `output` and `main` that touch stdout and stderr.

pub mod bench;
mod client;
pub mod connection;
pub mod context;
mod exec;
pub mod install_links;
mod limit;
mod owed;
mod properties;
pub mod publish;
pub mod reply;
pub mod request;
mod runtime;
pub mod serve;
mod signals;
pub mod subscribe;
