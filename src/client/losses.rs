//! What the loss of a connection means: whether to try again, when, and where.

use std::time::Duration;

use super::detour::Detours;
use super::failure::Failure;
use super::options::ConnectOptions;
use super::retry::{self, Retry};
use super::takeover::{EarlyEnds, Takeover};

/// The losses of one client so far.
pub(super) struct Losses {
    /// What is asked of the next connection, which a detour changes.
    pub(super) options: ConnectOptions,
    pub(super) retry: Retry,
    failures: u32,
    early_ends: EarlyEnds,
    detours: Detours,
}

impl Losses {
    pub(super) fn new(options: &ConnectOptions, retry: Retry) -> Losses {
        Losses {
            options: options.clone(),
            retry,
            failures: 0,
            early_ends: EarlyEnds::default(),
            detours: Detours::default(),
        }
    }

    /// The broker has accepted us.
    pub(super) fn arrived(&mut self) {
        self.detours.arrived();
    }

    /// The broker does its work: the next loss is the first again.
    pub(super) fn forget(&mut self) {
        self.failures = 0;
    }

    /// Notes the end of a connection that lived so long after CONNACK, or of an attempt that had none. Returns what to
    /// say about it, and when to try again, if at all; the options say where.
    pub(super) fn note(
        &mut self,
        failure: Failure,
        lived: Option<Duration>,
    ) -> (Failure, Option<Duration>) {
        if lived.is_some_and(|lived| lived >= retry::GOOD) {
            self.failures = 0;
            self.detours.forget();
        }
        let is_contested = self.early_ends.note(lived);
        let failure = match self.detours.after(failure, &mut self.options) {
            Ok(detour) => return (Failure::Detour(detour), Some(Duration::ZERO)),
            Err(failure) => failure,
        };
        let (failure, is_final) = match (self.options.takeover, failure) {
            (Takeover::Fight, failure) if failure.is_takeover() => (failure, false),
            (Takeover::Stop, Failure::Lost(_)) if is_contested => {
                let client_id = self.options.client_id.clone();
                (Failure::Contested { client_id }, true)
            }
            (_, failure) => {
                let is_final = failure.is_final();
                (failure, is_final)
            }
        };
        let retry_in = match is_final {
            true => None,
            false => self.retry.delay(self.failures, retry::chance()),
        };
        self.failures = self.failures.saturating_add(1);
        (failure, retry_in)
    }
}
