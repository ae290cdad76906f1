//! This program under the names of mosquitto's clients, beside Debian's clients with the same words.

mod beside;
mod cases;
mod checklist;
mod chosen;
mod letters;
mod links;
mod publishing;
mod routes;
mod subscribing;
mod wire;
mod wrong;
