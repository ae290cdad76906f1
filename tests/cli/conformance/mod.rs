//! What the two specifications demand of a server, tried on the real broker packet by packet.
//! `tests/conformance/statements.md` says which test shows which statement, and `table` that none is left out.

mod beside;
mod churn;
mod client;
mod connect;
mod deliver;
mod in_process;
mod limits;
mod look;
mod model;
mod parcel;
mod publish;
mod random;
mod retained;
mod script;
mod session;
mod shared;
mod stage;
mod subscribe;
mod table;
mod will;
mod world;
