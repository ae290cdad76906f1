//! What was found, as plain data with units in the names: the load's [`Measurement`] beside the plan that made
//! it, and the verdict. `--json` prints it as it is, and a saved run is read back as it was; docs/bench-json.md tells
//! what the fields mean. They stay, or [`Report::schema`] changes. Several saved runs become one in `merge`.

pub mod environment;
pub mod figure;
pub mod generator;
pub mod isolation;
pub mod limits;
pub mod merge;
pub mod messages;
pub mod rates;
pub mod recovery;
pub mod slo;
pub mod steadiness;
pub mod verdict;

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::bench::agents::machine::{Clocks, Machine};
use crate::bench::load::cast::{Cast, Place};
use crate::bench::load::tally::{LostConnection, Measurement, Warmed};
use crate::bench::measure::connects::Connections;
use crate::bench::measure::histograms::Histograms;
use crate::bench::measure::latency::Latency;
use crate::bench::measure::ledger::Delivery;
use crate::bench::measure::portion::AtBroker;
use crate::bench::measure::series::Moment;
use crate::bench::measure::shares::Share;
use crate::bench::plan::{Plan, Run, Scenario};
use crate::bench::report::environment::Environment;
use crate::bench::report::generator::Generator;
use crate::bench::report::isolation::Isolation;
use crate::bench::report::limits::BrokerLimits;
use crate::bench::report::messages::Messages;
use crate::bench::report::rates::{Rates, span};
use crate::bench::report::recovery::Recovery;
use crate::bench::report::slo::Judgement;
use crate::bench::report::verdict::{Check, Verdict, check, verdict};
use crate::bench::trials::calibration::Calibration;
use crate::client::ConnectOptions;
use crate::mqtt::{QoS, ReasonCode};

/// Everything about one run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Report {
    /// The version of this structure. Fields may be added within a version.
    pub schema: u32,
    /// What made it.
    pub tool: Tool,
    /// When the report was made, RFC 3339.
    pub finished_at: String,
    /// The machine.
    pub environment: Environment,
    /// The other side.
    pub broker: Broker,
    /// What was to be done.
    pub plan: Plan,
    /// The runs this is the sum of, in the order of time; one, unless runs were merged.
    pub parts: Vec<Part>,
    /// The machines the load came from, when `--agents` spread it over several; empty otherwise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub machines: Vec<Machine>,
    /// What their clocks leave uncertain; `null` on one machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clocks: Option<Clocks>,
    /// Whether the numbers describe the broker.
    pub verdict: Verdict,
    /// Whether what MQTT promises was kept.
    pub check: Check,
    /// The objectives the run was held to, one by one; empty without any.
    pub objectives: Vec<Judgement>,
    /// The connections.
    pub connections: Connections,
    /// Seconds from the first connection attempt to the last SUBACK.
    pub setup_s: f64,
    /// Seconds of the measurement, warm-up and drain left out; with `--count` up to the last delivery. Of merged runs
    /// the time that any of them measured.
    pub measured_s: f64,
    /// The warm-up, where it was to end by itself.
    #[serde(default)]
    pub warm_up: Option<Warmed>,
    /// The run was ended by a signal.
    pub interrupted: bool,
    /// Messages per second.
    pub rate_per_s: Rates,
    /// Messages of the whole run, warm-up and drain included.
    pub messages: Messages,
    /// What became of them, counted in deliveries.
    pub delivery: Delivery,
    /// What each of several brokers had of the load; empty with one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub brokers: Vec<AtBroker>,
    /// How shared subscriptions spread their messages; empty without any.
    #[serde(default)]
    pub shares: Vec<Share>,
    /// Latencies of the measured messages.
    pub latency_us: Latencies,
    /// Refused publishes by reason.
    pub refusals: Vec<Refusal>,
    /// Connections that were lost, but for those that a fault of the plan had hit.
    pub lost_connections: Vec<LostConnection>,
    /// What the faults of the plan did, each time one happened; empty without any.
    #[serde(default)]
    pub faults: Vec<Recovery>,
    /// What slow subscribers did to the others; `null` without any.
    #[serde(default)]
    pub isolation: Option<Isolation>,
    /// The load tester's own work.
    pub generator: Generator,
    /// What the same load did against a broker that does nothing; `null` without `--calibrate`.
    #[serde(default)]
    pub calibration: Option<Calibration>,
    /// Every latency in full, by tag; in microseconds.
    pub histograms: Histograms,
    /// The run in intervals of a second, longer ones in a run over twenty minutes.
    pub series: Vec<Moment>,
}

/// One run of those that were merged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// The identity of the run.
    pub run: Run,
    /// The machine the load came from.
    pub host: String,
    /// The broker.
    pub endpoint: String,
    /// What was measured, from and to, in seconds since 1970.
    pub measured_unix_s: (f64, f64),
    /// Its verdict.
    pub valid: bool,
}

/// The program.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Tool {
    pub name: String,
    pub version: String,
}

/// The broker as it was reached.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Broker {
    /// URL without user and password; of several brokers all, with commas between them.
    pub endpoint: String,
    /// MQTT version spoken.
    pub version: String,
    /// It ran in this process, and shared its processors with the load.
    pub embedded: bool,
    /// The lowest quality of service it granted a subscription.
    pub granted_qos: u8,
    /// The most publishes a publisher had in flight, as far as the broker allowed; `null` at QoS 0.
    pub window: Option<u16>,
    /// What its first CONNACK said it allows.
    #[serde(default)]
    pub limits: BrokerLimits,
}

/// The latencies of messages. Without pacing no message is due, and only the service latency exists.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Latencies {
    /// From due to arrived.
    pub response: Option<Latency>,
    /// From sent to arrived.
    pub service: Option<Latency>,
    /// From due, or unpaced from sent, to PUBACK (QoS 1) or PUBCOMP (QoS 2); `null` at QoS 0.
    pub acknowledgement: Option<Latency>,
    /// From due to sent.
    pub send_delay: Option<Latency>,
    /// The part of the send delay that flow control does not explain.
    pub generator_delay: Option<Latency>,
    /// From when a client came back, came late or was taken over to when that was complete; `null` where none did.
    #[serde(default)]
    pub completion: Option<Latency>,
    /// How late the load tester's threads came round to what was due, looked at every 10 ms.
    #[serde(default)]
    pub loop_delay: Option<Latency>,
}

/// How often the broker gave this reason.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Refusal {
    pub reason: String,
    pub count: u64,
}

/// The largest count that a saved run may have: up to there JSON is exact in every program, and sums have room to spare.
pub const LARGEST: u64 = 1 << 53;

impl Report {
    /// The version of the structure.
    pub const SCHEMA: u32 = 1;

    /// Makes the report of the clients that are here. `embedded` says whether the broker ran in this process.
    pub fn new(
        plan: Plan,
        place: Place,
        options: &ConnectOptions,
        embedded: bool,
        series: Vec<Moment>,
        measurement: Measurement,
    ) -> Report {
        let environment = Environment::here();
        let cast = Cast::of(&plan, place);
        let acknowledges = plan.publishes() && plan.qos() != QoS::AtMostOnce;
        let recorder = &measurement.recorder;
        let histograms = Histograms::of(recorder);
        let latency_us = Latencies::of(&histograms);
        let generator = Generator::of(&measurement);
        let failed: u64 = measurement.failures.iter().map(|one| one.count).sum();
        let connections = Connections::new(
            match plan.scenario {
                // As often as there were turns.
                Scenario::Churn => (recorder.connects.made + failed)
                    .try_into()
                    .unwrap_or(u32::MAX),
                _ if plan.measures_coming_back() => cast.clients.len() as u32,
                _ => cast.connections(),
            },
            cast.connect_rate(&plan),
            &recorder.connects,
            &histograms,
            measurement.failures.clone(),
        );
        let measured =
            span(&plan, recorder, recorder.delivered).max(span(&plan, recorder, recorder.sent));
        let endpoint = match &measurement.brokers[..] {
            [] => options.endpoint.to_string(),
            several => several.join(", "),
        };
        let portions = measurement.brokers.iter().zip(&recorder.portions);
        let brokers = portions
            .map(|(endpoint, portion)| AtBroker::new(endpoint.clone(), portion))
            .collect();
        let verdict = verdict(
            &plan,
            &measurement,
            measured,
            &connections,
            &latency_us,
            &generator,
            &series,
        );
        let from = measurement.started + Duration::from_nanos(recorder.window().from_ns);
        Report {
            schema: Report::SCHEMA,
            tool: Tool {
                name: "mqtt bench".to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
            },
            finished_at: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
            broker: Broker {
                endpoint: endpoint.clone(),
                version: options.version.to_string(),
                embedded,
                granted_qos: measurement.granted.number(),
                window: acknowledges.then_some(measurement.window),
                limits: measurement.limits.clone(),
            },
            parts: vec![Part {
                run: plan.run,
                host: environment.host.clone(),
                endpoint,
                measured_unix_s: (unix(from), unix(from + measured)),
                valid: verdict.valid,
            }],
            machines: Vec::new(),
            clocks: None,
            verdict,
            check: check(&measurement.delivery),
            objectives: Vec::new(),
            connections,
            setup_s: measurement.setup.as_secs_f64(),
            measured_s: measured.as_secs_f64(),
            warm_up: measurement.warm_up,
            interrupted: measurement.interrupted,
            rate_per_s: Rates::of(&plan, &cast, recorder),
            messages: Messages::of(&measurement, acknowledges),
            delivery: measurement.delivery,
            brokers,
            shares: measurement.shares,
            latency_us,
            refusals: measurement
                .refusals
                .iter()
                .map(|(&code, &count)| Refusal {
                    reason: ReasonCode(code).to_string(),
                    count,
                })
                .collect(),
            lost_connections: measurement.lost_connections,
            faults: measurement.faults,
            isolation: measurement.isolation,
            generator,
            calibration: None,
            histograms,
            series,
            environment,
            plan,
        }
    }

    /// The share of the deliveries that were due and never came, and so are in no percentile; `None` where nothing was due.
    pub fn missing(&self) -> Option<f64> {
        let sent = self.messages.sent.max(1) as f64;
        // What was not sent would have had as many subscribers as what was.
        let never_sent = match (self.delivery.expected, self.messages.sent) {
            (_, 0) => self.messages.never_sent as f64,
            (expected, _) => self.messages.never_sent as f64 * (expected as f64 / sent),
        };
        let due = self.delivery.expected as f64 + never_sent;
        (due > 0.0).then(|| (self.delivery.lost() as f64 + never_sent) / due)
    }
}

impl Latencies {
    /// What the histograms say.
    pub fn of(histograms: &Histograms) -> Latencies {
        let tagged = |tag| histograms.tagged(tag).and_then(Latency::of);
        Latencies {
            response: tagged("response"),
            service: tagged("service"),
            acknowledgement: tagged("ack"),
            send_delay: tagged("send"),
            generator_delay: tagged("generator"),
            completion: tagged("completion"),
            loop_delay: tagged("loop"),
        }
    }
}

/// Seconds since 1970.
fn unix(time: SystemTime) -> f64 {
    time.duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs_f64()
}

#[cfg(test)]
pub mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::bench::load::tally::Work;
    use crate::bench::measure::{Recorder, Window};
    use crate::bench::plan::tests::plan;
    use crate::bench::plan::{Stop, Warmup};
    use crate::client::Endpoint;

    const S: u64 = 1_000_000_000;

    /// A second of 10,000 messages, each sent 20 µs late and delivered 100 µs after that, and then some.
    pub fn measurement(change: impl FnOnce(&mut Measurement)) -> Measurement {
        let mut recorder = Recorder::new(Window {
            from_ns: S,
            to_ns: 2 * S,
        });
        for n in 0..15_000 {
            let due_ns = n * 100_000 + S / 2;
            recorder.sent(Some(due_ns), 0, due_ns + 20_000);
            recorder.acknowledged(due_ns, due_ns + 60_000);
            recorder.delivered(Some(due_ns), due_ns + 20_000, due_ns + 120_000);
        }
        let mut measurement = Measurement {
            started: SystemTime::UNIX_EPOCH,
            setup: Duration::from_millis(5),
            recorder,
            delivery: Delivery {
                expected: 15_000,
                received: 15_000,
                ..Delivery::default()
            },
            shares: Vec::new(),
            unsent: 0,
            refusals: BTreeMap::new(),
            unanswered: 0,
            stray_acknowledgements: 0,
            granted: QoS::ExactlyOnce,
            window: 100,
            brokers: Vec::new(),
            limits: BrokerLimits::default(),
            clock_set: Duration::ZERO,
            failures: Vec::new(),
            lost_connections: Vec::new(),
            warm_up: None,
            threads: vec![
                Work {
                    cpu: Some(Duration::from_millis(100)),
                    wall: Duration::from_secs(1),
                },
                Work {
                    cpu: Some(Duration::from_millis(400)),
                    wall: Duration::from_secs(1),
                },
            ],
            interrupted: false,
            stalled: false,
            faults: Vec::new(),
            proxy: None,
            isolation: None,
        };
        change(&mut measurement);
        measurement
    }

    /// The report on it, of a plan that asked for 10,000 messages a second for one second.
    pub fn report(qos: u8, change: impl FnOnce(&mut Measurement)) -> Report {
        let mut plan = plan(1, 1);
        plan.publish[0].qos = QoS::from_number(qos).unwrap();
        plan.subscribe[0].qos = plan.publish[0].qos;
        plan.publish[0].rate = "10k".parse().unwrap();
        plan.warmup = Warmup::Fixed(Duration::from_secs(1));
        plan.stop = Stop::After(Duration::from_secs(1));
        let options = ConnectOptions::new(Endpoint::default());
        Report::new(
            plan,
            Place::ALONE,
            &options,
            false,
            Vec::new(),
            measurement(change),
        )
    }

    #[test]
    fn rates_are_what_happened_within_the_measurement() {
        let rates = report(1, |_| {}).rate_per_s;
        assert_eq!(rates.offered, Some(10_000.0));
        assert_eq!(rates.sent, Some(10_000.0));
        assert_eq!(rates.acknowledged, Some(10_000.0));
        assert_eq!(rates.delivered, Some(10_000.0));
        assert_eq!(report(0, |_| {}).rate_per_s.acknowledged, None);
    }

    #[test]
    fn json_has_the_units_in_its_names_and_null_for_what_does_not_exist() {
        let json = serde_json::to_value(report(0, |found| {
            found.recorder.response.reset();
            found.refusals.insert(0x97, 4);
        }))
        .unwrap();
        assert_eq!(json["schema"], 1);
        assert_eq!(json["plan"]["publish"][0]["rate"], 10_000);
        assert_eq!(json["plan"]["stop"]["after"], "1s");
        assert_eq!(json["plan"]["warmup"], "1s");
        assert_eq!(json["plan"]["run"], "00c0ffee");
        assert_eq!(json["latency_us"]["service"]["p99"], 100);
        assert_eq!(json["latency_us"]["service"]["p99.9"], 100);
        assert!(json["latency_us"]["service"]["p99.99"].is_null());
        assert!(json["latency_us"]["response"].is_null());
        assert!(json["messages"]["acknowledged"].is_null());
        assert_eq!(json["refusals"][0]["reason"], "quota exceeded (0x97)");
        assert_eq!(json["generator"]["busiest"], 0.4);
    }
}
