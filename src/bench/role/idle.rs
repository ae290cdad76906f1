//! The role of a client that does nothing: its connection is made, kept alive and ended.

use super::{Fault, Incoming, Next, Phase, Progress, Role, State};
use crate::bench::measure::Recorder;
use crate::mqtt::Version;

/// A client that neither publishes nor subscribes.
pub struct Idle {
    /// Spoken.
    pub version: Version,
    /// When it leaves, in nanoseconds since the start of the load.
    pub until_ns: Option<u64>,
}

impl Role for Idle {
    fn state(&self) -> State {
        State {
            ready: true,
            progress: Progress::Settled,
            published: 0,
        }
    }

    fn turn(
        &mut self,
        phase: Phase,
        now_ns: u64,
        _: u64,
        _: &mut Vec<u8>,
        _: &mut Recorder,
    ) -> Next {
        match self.until_ns {
            Some(until_ns) if phase == Phase::Load && now_ns >= until_ns => Next::Leave,
            Some(until_ns) if phase == Phase::Load => Next::At(until_ns),
            // What was to happen to it does not any more.
            Some(_) if phase > Phase::Load => Next::Leave,
            _ => Next::Wait,
        }
    }

    fn packet(
        &mut self,
        packet: Incoming<'_>,
        _: u64,
        _: &mut Vec<u8>,
        _: &mut Recorder,
    ) -> Result<(), Fault> {
        packet.refuse(self.version)
    }
}
