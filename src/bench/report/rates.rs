//! How many messages a second, and over which time that is counted.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::bench::load::cast::Cast;
use crate::bench::measure::{Count, Recorder};
use crate::bench::plan::{Plan, Stop};
use crate::mqtt::QoS;

/// Messages per second within the measurement.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Rates {
    /// Asked for; `null` when not paced.
    pub offered: Option<f64>,
    /// Handed to the connections.
    pub sent: Option<f64>,
    /// Acknowledged by the broker; `null` at QoS 0.
    pub acknowledged: Option<f64>,
    /// Arrived at subscribers. Where they only fetch what was kept for them: all of that, in the time the last of them
    /// took. `null` where there are only wills.
    pub delivered: Option<f64>,
}

impl Rates {
    /// What was asked of this cast, and what the recorder has counted.
    pub(super) fn of(plan: &Plan, cast: &Cast, recorder: &Recorder) -> Rates {
        let rate = |count: Count| {
            let seconds = span(plan, recorder, count).as_secs_f64();
            // Less than a millisecond is no time to speak of rates.
            (seconds >= 0.001).then(|| count.measured as f64 / seconds)
        };
        Rates {
            offered: cast.rate(plan),
            sent: rate(recorder.sent).filter(|_| plan.publishes()),
            acknowledged: match plan.qos() {
                QoS::AtMostOnce => None,
                _ if !plan.publishes() => None,
                _ => rate(recorder.acknowledged),
            },
            delivered: match plan.subscribers() {
                0 => None,
                _ if plan.only_fetches() => fetched(recorder),
                // Wills come when connections have been cut; the last of them ends the measurement.
                _ if plan.wills() > 0 && !plan.publishes() => None,
                _ => rate(recorder.delivered),
            },
        }
    }
}

/// How long the measurement took as far as `count` is concerned: the window where its end is known, otherwise up
/// to the last of the events.
pub(super) fn span(plan: &Plan, recorder: &Recorder, count: Count) -> Duration {
    let window = recorder.window();
    let end_ns = match (plan.stop, window.to_ns) {
        (Stop::Count(_), u64::MAX) => count.last_ns,
        (_, to_ns) => to_ns,
    };
    Duration::from_nanos(end_ns.saturating_sub(window.from_ns))
}

/// How fast subscribers fetched what was kept for them: all of it, in the time the last of them took.
fn fetched(recorder: &Recorder) -> Option<f64> {
    let seconds = recorder.completion.max() as f64 / 1e6;
    (seconds >= 0.001).then(|| recorder.delivered.total as f64 / seconds)
}
