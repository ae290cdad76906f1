//! The role of a client that does nothing: its connection is made, kept alive and ended.

use super::measure::Recorder;
use super::role::{Fault, Incoming, Next, Phase, Progress, Role, State};
use crate::mqtt::Version;

/// A client that neither publishes nor subscribes.
pub struct Idle(pub Version);

impl Role for Idle {
    fn state(&self) -> State {
        State {
            ready: true,
            progress: Progress::Settled,
            published: 0,
        }
    }

    fn turn(&mut self, _: Phase, _: u64, _: u64, _: &mut Vec<u8>, _: &mut Recorder) -> Next {
        Next::Wait
    }

    fn packet(
        &mut self,
        packet: Incoming<'_>,
        _: u64,
        _: &mut Vec<u8>,
        _: &mut Recorder,
    ) -> Result<(), Fault> {
        packet.refuse(self.0)
    }
}
