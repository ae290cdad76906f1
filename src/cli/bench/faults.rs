//! What is to go wrong while a load runs, and whether its clients keep their sessions.

use clap::Args;

use crate::bench::plan::disturbance::Disturbance;

/// Faults, and what helps against them.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Faults")]
pub struct FaultArgs {
    /// What is to happen to the connections while the load runs, by a proxy between them and the broker; may be repeated.
    /// at=TIME says when, from the start of the load; for=TIME how long, every=TIME how long until it happens again; and
    /// what: cut=SHARE, connections are closed, and new ones as well for the time; stall, stall=up (to the broker) or
    /// stall=down, nothing goes through and nothing is lost; half-open=SHARE, all is lost and nobody is told; delay=TIME
    /// jitter=TIME, all is late; rate=BYTES, no more goes through in a second. share=SHARE says to how many
    /// connections, 30% or 5, and of= to whose: publishers, subscribers or clients. Example: 'at=10s cut=30% for=2s'
    #[arg(long, value_name = "FAULT")]
    pub fault: Vec<Disturbance>,

    /// The clients keep their sessions when they lose their connection, so that what was on its way is sent again: no
    /// clean session, and in MQTT 5 an expiry of an hour. At the end they are taken away
    #[arg(long)]
    pub persistent: bool,
}
