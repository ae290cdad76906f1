//! What a run is worth: the verdict on the generator and the check of what was delivered.
//!
//! The verdict asks one question: was the generator itself what was measured? It is INVALID when
//! * the 99th percentile of the generator's own delay ([`Recorder::lag`](crate::bench::measure::Recorder::lag)) is over 1 ms and over a tenth of that
//!   of the response latency: a paced message then waits for its sender rather than for the broker;
//! * one of its threads stood still for more than a hundredth of the time, and for longer than a busy machine lets wait;
//! * in an unpaced run its threads were busy for over 90 % of the time: faster than this it cannot go;
//! * the latency was another in the second half than in the first, surely and by more than half of it: then the
//!   numbers describe a moment between the two;
//! * the clock was set meanwhile, so that the run cannot be put beside others;
//! * a connection was lost or not made, or the run came to a standstill: then not all of the load was there. Where connecting
//!   is measured a refusal is what was found, unless nobody was let in at all.
//!
//! A broker that holds publishers back by flow control makes a run slow, not invalid.

use std::iter::repeat;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Latencies;
use super::generator::Generator;
use super::steadiness::{Drift, LITTLE_US};
use crate::bench::load::tally::Measurement;
use crate::bench::measure::connects::Connections;
use crate::bench::measure::latency::Latency;
use crate::bench::measure::ledger::Delivery;
use crate::bench::measure::series::Moment;
use crate::bench::plan::{Plan, Scenario, Stop};
use crate::bench::role::Phase;

/// Whether the numbers can be relied on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Verdict {
    /// `false` when the run does not describe the broker.
    pub valid: bool,
    /// Why not; empty when valid.
    pub reasons: Vec<String>,
    /// The same for a program: of each reason what kind it is.
    #[serde(default)]
    pub causes: Vec<Cause>,
}

/// A kind of reason why a run is INVALID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The load tester was stopped, or had no processor.
    StoodStill,
    /// It was late. That makes latencies larger and nothing smaller: what holds all the same would hold without it.
    Late,
    /// Its threads were busy all the time.
    Busy,
    /// The proxy of the faults was.
    ProxyBusy,
    /// One half of the run was unlike the other.
    Unsteady,
    /// Somebody set the clock.
    ClockSet,
    /// Connections were not made.
    NotConnected,
    /// Connections were lost.
    ConnectionLost,
    /// Nothing moved any more.
    Standstill,
    /// The clocks of several machines are known too badly.
    Clocks,
    /// What another version of this program knows.
    #[serde(other)]
    Other,
}

impl Verdict {
    /// Nothing speaks against the run.
    pub const VALID: Verdict = Verdict {
        valid: true,
        reasons: Vec::new(),
        causes: Vec::new(),
    };

    /// Something does.
    pub fn add(&mut self, cause: Cause, reason: String) {
        self.valid = false;
        self.reasons.push(reason);
        self.causes.push(cause);
    }

    /// Takes over what speaks against another run that is a part of this one.
    pub(super) fn merge(&mut self, other: Verdict) {
        self.valid &= other.valid;
        let causes = other.causes.into_iter().chain(repeat(Cause::Other));
        for (reason, cause) in other.reasons.into_iter().zip(causes) {
            if !self.reasons.contains(&reason) {
                self.add(cause, reason);
            }
        }
    }

    /// Whether objectives that are met are not shown by that, see [`Verdict::doubts`].
    pub fn is_in_doubt(&self) -> bool {
        self.doubts().next().is_some()
    }

    /// The reasons why a latency that is short enough, a rate that is high enough, or nothing lost is no proof that the
    /// broker is as good as that.
    pub fn doubts(&self) -> impl Iterator<Item = &String> {
        let causes = self.causes.iter().copied().chain(repeat(Cause::Other));
        let all = self.reasons.iter().zip(causes);
        all.filter(|(_, cause)| *cause != Cause::Late)
            .map(|(reason, _)| reason)
    }

    /// Whether a processor was what was measured.
    fn check_processors(&mut self, plan: &Plan, generator: &Generator) {
        if let (false, Some(busiest)) = (plan.is_paced(), generator.busiest)
            && busiest > 0.9
        {
            self.add(Cause::Busy, format!(
                "the generator was at its limit: a thread of it was busy {:.0} % of the time; the broker may be faster",
                busiest * 100.0
            ));
        }
        if let Some(busy) = generator.proxy_busy.filter(|busy| *busy > 0.9) {
            self.add(Cause::ProxyBusy, format!(
                "the proxy of --fault was at its limit: it was busy {:.0} % of the time; the broker may be faster",
                busy * 100.0
            ));
        }
    }

    /// Whether all of the load was there.
    fn check_connections(
        &mut self,
        plan: &Plan,
        measurement: &Measurement,
        connections: &Connections,
    ) {
        match connections.failed() {
            0 => {}
            _ if connections.made == 0 => {
                self.add(Cause::NotConnected, "no connection was made".to_owned())
            }
            // Where connecting is what is measured, a refusal is what was found.
            _ if plan.scenario.connects() => {}
            1 => self.add(Cause::NotConnected, "a connection was not made".to_owned()),
            failed => self.add(
                Cause::NotConnected,
                format!("{failed} connections were not made"),
            ),
        }
        match measurement.lost_connections.len() {
            0 => {}
            1 => self.add(Cause::ConnectionLost, "a connection was lost".to_owned()),
            lost => self.add(
                Cause::ConnectionLost,
                format!("{lost} connections were lost"),
            ),
        }
    }
}

/// The delivery check.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Check {
    /// Nothing acknowledged was lost, nothing doubled at QoS 2, nothing out of order.
    pub passed: bool,
    /// What was broken.
    pub faults: Vec<String>,
}

/// The verdict.
pub(super) fn verdict(
    plan: &Plan,
    measurement: &Measurement,
    measured: Duration,
    connections: &Connections,
    latency: &Latencies,
    generator: &Generator,
    series: &[Moment],
) -> Verdict {
    let mut verdict = Verdict::VALID;
    let legs = &connections.latency_us;
    let (own, whole) = match plan.scenario {
        Scenario::Conn => (&legs.generator_delay, &legs.response),
        _ => (&latency.generator_delay, &latency.response),
    };
    let p99 = |latency: &Option<Latency>| {
        latency
            .as_ref()
            .map(|latency| latency.p99.unwrap_or(latency.max))
    };
    let still = latency.loop_delay.as_ref().map_or(0, |delay| delay.max);
    let still = Duration::from_micros(still);
    if still > STILL.max(measured / 100) {
        verdict.add(Cause::StoodStill, format!(
            "the load tester stood still for {:.2} s, in which it neither sent nor timed anything: it was stopped, or had no processor",
            still.as_secs_f64()
        ));
    } else if let Some(delay) = p99(own) {
        // Without subscribers there is no response to compare with, and 1 ms alone decides.
        let tenth = p99(whole).unwrap_or(0) / 10;
        if delay > tenth.max(1000) {
            verdict.add(
                Cause::Late,
                format!(
                    "the generator was too slow: its own delay is {:.1} ms at the 99th percentile; \
                 lower --rate, or give the load more processors",
                    delay as f64 / 1000.0
                ),
            );
        }
    }
    verdict.check_processors(plan, generator);
    // Who puts something in the way does not expect one half to be like the other.
    if plan.fault.is_empty()
        && !plan.has_slow()
        && !plan.publish.iter().any(|group| group.rate.changes())
        && let Some(words) = unsteady(series)
    {
        verdict.add(Cause::Unsteady, words);
    }
    if measurement.clock_set > CLOCK {
        verdict.add(
            Cause::ClockSet,
            format!(
                "the clock was set by {:.1} s while the load ran",
                measurement.clock_set.as_secs_f64()
            ),
        );
    }
    verdict.check_connections(plan, measurement, connections);
    if measurement.stalled && matches!(plan.stop, Stop::Count(_)) {
        verdict.add(
            Cause::Standstill,
            "the load came to a standstill before everything was sent".to_owned(),
        );
    }
    verdict
}

/// For so long a thread may stand still on a machine that does other things as well.
const STILL: Duration = Duration::from_millis(250);

/// More than a clock is slewed by in any run.
const CLOCK: Duration = Duration::from_millis(500);

/// By so much of itself may the latency differ from one half to the other.
const HALF: f64 = 0.5;

/// How the second half of the run was unlike the first; `None` also when it was too short to tell.
fn unsteady(series: &[Moment]) -> Option<String> {
    let measured = series
        .iter()
        .filter(|moment| moment.phase == Phase::Load && moment.latency.0.len() >= 20);
    let middles: Vec<f64> = measured
        .map(|moment| moment.latency.0.value_at_quantile(0.5) as f64)
        .collect();
    let drift = Drift::of(&middles)?;
    let Drift { before, after, .. } = drift;
    (drift.is_sure() && drift.is_much(HALF, LITTLE_US)).then(|| {
        format!(
            "not steady: the median latency was {:.1} ms in the first half and {:.1} ms in the second; \
             measure longer, warm up longer, or lower --rate",
            before / 1000.0,
            after / 1000.0
        )
    })
}

/// The delivery check.
pub(super) fn check(delivery: &Delivery) -> Check {
    let mut faults = Vec::new();
    let mut fault = |count: u64, words: &str| {
        if count > 0 {
            faults.push(format!("{count} {words}"));
        }
    };
    fault(delivery.lost_acknowledged, "acknowledged and lost");
    fault(
        delivery.duplicates_at_qos_2,
        "delivered more than once at QoS 2",
    );
    fault(delivery.reordered, "delivered out of order");
    fault(delivery.corrupted, "with other bytes than were sent");
    fault(delivery.misaddressed, "delivered under another topic");
    fault(
        delivery.unexpected,
        "delivered to a subscriber that had not asked",
    );
    Check {
        passed: faults.is_empty(),
        faults,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::bench::load::cast::Place;
    use crate::bench::load::tally::LostConnection;
    use crate::bench::measure::Recorder;
    use crate::bench::plan::tests::plan;
    use crate::bench::report::Report;
    use crate::bench::report::tests::{measurement, report};
    use crate::client::{ConnectOptions, Endpoint};

    const S: u64 = 1_000_000_000;

    #[test]
    fn the_check_fails_when_a_promise_of_mqtt_is_broken() {
        let faults = |qos, change: fn(&mut Measurement)| {
            let check = report(qos, change).check;
            assert_eq!(check.passed, check.faults.is_empty());
            check.faults.join("; ")
        };
        assert_eq!(faults(1, |_| {}), "");
        let lost: fn(&mut Measurement) = |found| found.delivery.lost_acknowledged = 2;
        assert_eq!(faults(1, lost), "2 acknowledged and lost");
        let unpromised: fn(&mut Measurement) = |found| {
            found.delivery.lost_unacknowledged = 2;
            found.delivery.lost_disconnected = 2;
            found.delivery.foreign = 2;
            found.unsent = 2;
        };
        assert_eq!(faults(2, unpromised), "");
        let doubled: fn(&mut Measurement) = |found| found.delivery.duplicates = 1;
        assert_eq!(faults(1, doubled), "");
        let doubled: fn(&mut Measurement) = |found| found.delivery.duplicates_at_qos_2 = 1;
        assert_eq!(faults(2, doubled), "1 delivered more than once at QoS 2");
        let reordered: fn(&mut Measurement) = |found| found.delivery.reordered = 3;
        assert_eq!(faults(0, reordered), "3 delivered out of order");
        let elsewhere: fn(&mut Measurement) = |found| found.delivery.misaddressed = 3;
        assert_eq!(faults(0, elsewhere), "3 delivered under another topic");
    }

    #[test]
    fn a_run_whose_generator_was_late_is_invalid_and_one_held_back_by_the_broker_is_not() {
        let late = |ready: bool, late_us: u64, response_us: u64| {
            let change = |found: &mut Measurement| {
                let mut recorder = Recorder::new(found.recorder.window());
                for n in 0..1000 {
                    let due_ns = S + n * 1000;
                    let sent_ns = due_ns + late_us * 1000;
                    recorder.sent(Some(due_ns), if ready { 0 } else { sent_ns }, sent_ns);
                    recorder.delivered(Some(due_ns), sent_ns, due_ns + response_us * 1000);
                }
                found.recorder = recorder;
            };
            report(1, change).verdict
        };
        assert!(
            late(true, 900, 1000).valid,
            "below a millisecond nobody is late"
        );
        assert!(
            late(true, 5000, 100_000).valid,
            "a twentieth of the response"
        );
        let verdict = late(true, 5000, 10_000);
        assert!(!verdict.valid);
        assert!(
            verdict.reasons[0].contains("its own delay is 5.0 ms"),
            "{verdict:?}"
        );
        assert!(late(false, 5000, 10_000).valid, "flow control held it back");
    }

    #[test]
    fn a_run_whose_generator_stood_still_is_invalid_whatever_its_percentiles_say() {
        let still = |ms: u64| {
            let change = |found: &mut Measurement| {
                let mut recorder = Recorder::new(found.recorder.window());
                for n in 0..90 {
                    recorder.came_round(S + n * 10_000_000, S + n * 10_000_000 + 1000);
                }
                recorder.came_round(S, S + ms * 1_000_000);
                found.recorder = recorder;
            };
            report(1, change).verdict
        };
        assert!(still(200).valid, "other programs run as well");
        let reasons = still(400).reasons;
        assert!(
            reasons[0].contains("the load tester stood still for 0.40 s"),
            "{reasons:?}"
        );
    }

    #[test]
    fn an_unpaced_run_is_invalid_when_the_generator_had_no_time_left() {
        let verdict = |cpu_ms| {
            let mut plan = plan(1, 1);
            plan.stop = Stop::After(Duration::from_secs(1));
            let busy =
                measurement(|found| found.threads[0].cpu = Some(Duration::from_millis(cpu_ms)));
            let options = ConnectOptions::new(Endpoint::default());
            Report::new(plan, Place::ALONE, &options, false, Vec::new(), busy).verdict
        };
        assert!(verdict(890).valid);
        let short = |found: &mut Measurement| {
            found.threads[0].cpu = Some(Duration::from_micros(400));
            found.threads[0].wall = Duration::from_micros(400);
        };
        assert!(
            report(1, short)
                .generator
                .busiest
                .is_some_and(|busiest| busiest < 0.5)
        );
        let verdict = verdict(950);
        assert!(verdict.reasons[0].contains("busy 95 %"), "{verdict:?}");
    }

    #[test]
    fn a_run_that_becomes_slower_is_not_steady() {
        use crate::bench::measure::histogram;
        use crate::bench::measure::histograms::Encoded;
        let moment = |second: u32, us: u64| {
            let mut latency = histogram();
            latency.record_n(us, 100).unwrap();
            Moment {
                from_s: f64::from(second),
                to_s: f64::from(second + 1),
                phase: Phase::Load,
                connected: 2,
                lost_connections: 0,
                sent: 100,
                acknowledged: 100,
                delivered: 100,
                latency: Encoded(latency),
            }
        };
        let run = |seconds, us: fn(u64) -> u64| {
            let moments: Vec<Moment> = (0..seconds).map(|s| moment(s, us(s.into()))).collect();
            unsteady(&moments)
        };
        assert_eq!(run(20, |_| 5000), None);
        assert_eq!(run(20, |s| 5000 + s % 3 * 1000), None, "up and down");
        assert_eq!(
            run(20, |s| 100 + s * 10),
            None,
            "nobody sees a tenth of a millisecond"
        );
        assert_eq!(run(4, |s| 5000 + s * 5000), None, "too short to tell");
        let words = run(20, |s| 5000 + s * 1000).unwrap();
        assert!(
            words.starts_with("not steady: the median latency was 9."),
            "{words}"
        );
    }

    #[test]
    fn a_lost_connection_makes_a_run_invalid() {
        let lost = |found: &mut Measurement| {
            found.lost_connections.push(LostConnection {
                client: "publisher 1".to_owned(),
                at_s: 0.5,
                reason: "the broker closed the connection".to_owned(),
            });
        };
        assert_eq!(report(1, lost).verdict.reasons, ["a connection was lost"]);
    }
}
