//! What the two specifications demand of a server, tried on the real broker packet by packet.
//! `tests/conformance/statements.md` says which test shows which statement, and `table` that none is left out.

mod beside;
mod churn;
mod client;
mod connect;
mod deliver;
mod limits;
mod model;
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
