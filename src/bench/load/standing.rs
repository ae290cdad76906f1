//! How far a run is: counts that add up over machines, and what follows from them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::bench::plan::{Plan, Stop};

/// How long publishers may go on sending what was due before the end of a paced run; what is left then counts
/// as never sent.
const GRACE: Duration = Duration::from_secs(1);

/// How long nothing may arrive before what is missing counts as lost.
const QUIET: Duration = Duration::from_secs(2);

/// How long nothing at all may happen before a run that ends by count is given up.
const STALLED: Duration = Duration::from_secs(10);

/// How far the clients of a plan are, or those of one machine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Clients that will not publish, come or leave any more.
    pub done: u32,
    /// Those of them whose messages are all acknowledged.
    pub settled: u32,
    /// How many deliveries the messages of those who are done make.
    pub expected: u64,
    /// Messages handed to a connection.
    pub sent: u64,
    /// Messages acknowledged.
    pub acknowledged: u64,
    /// First copies that arrived.
    pub delivered: u64,
    /// Of those, within the measurement.
    pub measured: u64,
    /// Connections made.
    pub connected: u64,
    /// Connections lost.
    pub lost: u64,
}

impl Standing {
    /// Adds another machine's.
    pub fn add(&mut self, other: &Standing) {
        self.done += other.done;
        self.settled += other.settled;
        self.expected += other.expected;
        self.sent += other.sent;
        self.acknowledged += other.acknowledged;
        self.delivered += other.delivered;
        self.measured += other.measured;
        self.connected += other.connected;
        self.lost += other.lost;
    }

    /// A number that changes whenever anything is sent, acknowledged or delivered.
    pub fn movement(&self) -> u64 {
        self.sent + self.acknowledged + self.delivered + self.connected
    }

    /// Whether something has come to an end since then.
    pub fn is_further_than(&self, earlier: &Standing) -> bool {
        let ends = |standing: &Standing| (standing.done, standing.settled, standing.lost);
        ends(self) != ends(earlier)
    }

    /// Whether the load of the whole plan is over. `elapsed` is the time since its start, `still` since anything moved.
    pub fn load_is_over(&self, plan: &Plan, elapsed: Duration, still: Duration) -> bool {
        let end = match plan.warmup.fixed() {
            Some(_) => plan.end().unwrap_or_default(),
            // While it warms up nobody knows.
            None => Duration::MAX,
        };
        if plan.actors() == 0 {
            return match plan.stop {
                Stop::After(_) => elapsed >= end,
                Stop::Count(count) => self.measured >= count,
            };
        }
        if self.done == plan.actors() && (self.settled == plan.actors() || !plan.has_latecomers()) {
            return true;
        }
        match plan.stop {
            Stop::After(_) => elapsed >= end.saturating_add(GRACE),
            Stop::Count(_) => elapsed >= end && still >= STALLED + plan.longest_fault(),
        }
    }

    /// Whether nothing of the whole plan is on its way any more.
    pub fn drain_is_over(&self, plan: &Plan, still: Duration) -> bool {
        let settled = self.settled == plan.actors();
        (settled && self.delivered >= self.expected) || still >= QUIET
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::plan::tests::plan;

    const NONE: Duration = Duration::ZERO;

    #[test]
    fn the_load_is_over_when_all_are_done_or_its_time_and_patience_are() {
        let mut plan = plan(3, 3);
        plan.publish[0].rate = "10".parse().unwrap();
        plan.stop = Stop::After(Duration::from_secs(5));
        let standing = |done, settled| Standing {
            done,
            settled,
            ..Standing::default()
        };
        let over = |plan: &Plan, standing: Standing, ms: u64| {
            standing.load_is_over(plan, Duration::from_millis(ms), NONE)
        };
        assert!(over(&plan, standing(3, 0), 10));
        assert!(!over(&plan, standing(2, 2), 5999));
        assert!(over(&plan, standing(2, 2), 6000));
        plan.subscribe[0].when = crate::bench::plan::When::Late;
        assert!(
            !over(&plan, standing(3, 2), 10),
            "latecomers wait for the acknowledgements"
        );
        assert!(over(&plan, standing(3, 3), 10));
        plan.stop = Stop::Count(1000);
        plan.publish[0].rate = "max".parse().unwrap();
        assert!(!over(&plan, standing(2, 2), 600_000));
        assert!(standing(2, 2).load_is_over(&plan, NONE, STALLED));
        plan.publish.clear();
        let arrived = |measured| Standing {
            measured,
            ..Standing::default()
        };
        assert!(!over(&plan, arrived(999), 600_000));
        assert!(over(&plan, arrived(1000), 0));
    }

    #[test]
    fn the_drain_is_over_when_everything_has_arrived_on_whatever_machine() {
        let plan = plan(2, 2);
        let sender = Standing {
            done: 2,
            settled: 2,
            expected: 100,
            sent: 100,
            ..Standing::default()
        };
        let mut all = sender;
        all.add(&Standing {
            delivered: 99,
            ..Standing::default()
        });
        assert!(!all.drain_is_over(&plan, NONE));
        assert!(all.drain_is_over(&plan, QUIET));
        assert_eq!(all.movement(), sender.movement() + 99);
        all.delivered += 1;
        assert!(all.drain_is_over(&plan, NONE));
    }
}
