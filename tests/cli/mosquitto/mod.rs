//! This program under the names of mosquitto's clients, beside Debian's clients with the same words.

mod beside;
mod cases;
mod links;
mod wire;
