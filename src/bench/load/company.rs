//! The other machines of a run, as one of them sees it: what it waits for between the acts, and what it tells.
//!
//! A run without company goes from phase to phase by itself. One with company says how far it is and waits for its cue,
//! because only who hears all machines knows whether everyone is connected, has published, and has got everything.

use std::time::{Instant, SystemTime};

use anyhow::Context;
use tokio::sync::mpsc;

use super::standing::Standing;
use crate::bench::agents::books::Books;

/// A way to the other machines.
pub struct Company {
    /// What they are waiting for.
    pub told: mpsc::UnboundedSender<Told>,
    /// What they have decided.
    pub cues: mpsc::UnboundedReceiver<Cue>,
}

/// What a run tells.
#[derive(Debug)]
pub enum Told {
    /// All its clients are connected and subscribed.
    Ready,
    /// How far it is.
    Standing(Standing),
    /// What its clients sent.
    Books(Books),
}

/// What a run waits for.
#[derive(Debug)]
pub enum Cue {
    /// Connect, from this moment on.
    Connect(Instant),
    /// Begin the load at this moment, which is this one everywhere.
    Start(Instant, SystemTime),
    /// Nobody publishes any more.
    Drain,
    /// Nothing is on its way any more.
    Close,
    /// What the clients of all machines sent.
    Books(Books),
}

impl Company {
    /// Says something. Whoever listened may have left, which the next cue tells.
    pub(super) fn tell(&self, told: Told) {
        let _ = self.told.send(told);
    }
}

/// The next cue; without company there is none. Nothing is lost when this is cancelled.
///
/// # Errors
/// When nobody is left to give one.
pub(super) async fn next_cue(company: &mut Option<Company>) -> anyhow::Result<Cue> {
    match company {
        Some(company) => company
            .cues
            .recv()
            .await
            .context("the coordinator of the run is gone"),
        None => std::future::pending().await,
    }
}
