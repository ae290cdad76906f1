//! Whether another client takes this session away, which a broker of MQTT 5 may say and one before it cannot. Pure:
//! times are handed in.

use std::time::Duration;

/// What to do when another client connects with the same client id, upon which the broker closes this connection
/// (3.1.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Takeover {
    /// Leave the session to the other one: two that come back each time would throw each other out for ever.
    Stop,
    /// The same, but only when the broker says so. For a random client id, which nobody else has.
    #[default]
    StopWhenTold,
    /// Come back.
    Fight,
}

/// A connection that the broker closes sooner than this after its CONNACK ended suspiciously early. The other client
/// waits that long at most before it comes back: others wait a second, we begin with half a second.
const EARLY: Duration = Duration::from_secs(5);

/// So many early ends in a row are no coincidence. The client that was there first has one late end before them, so
/// it is the newcomer who stops.
pub(super) const ENOUGH: u32 = 3;

/// Counts the connections that were accepted and closed again at once.
#[derive(Debug, Default)]
pub(super) struct EarlyEnds(u32);

impl EarlyEnds {
    /// Notes the end of a connection that lived so long after CONNACK, or of an attempt that had none. Returns whether
    /// there are enough of them.
    pub(super) fn note(&mut self, lived: Option<Duration>) -> bool {
        self.0 = match lived {
            Some(lived) if lived < EARLY => self.0.saturating_add(1),
            _ => 0,
        };
        self.0 >= ENOUGH
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_early_ends_in_a_row_are_enough_and_anything_else_starts_the_count_again() {
        let (early, late) = (Some(EARLY / 2), Some(EARLY));
        for (ends, expected) in [
            (&[early, early, early][..], true),
            (&[late, early, early, early, early], true),
            (&[early, early], false),
            (&[early, early, late, early, early], false),
            (&[early, early, None, early], false),
        ] {
            let mut counted = EarlyEnds::default();
            let found = ends.iter().fold(false, |_, lived| counted.note(*lived));
            assert_eq!(found, expected, "{ends:?}");
        }
    }
}
