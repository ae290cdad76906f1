//! The eight cases of the Open MQTT Benchmark Suite as plans, whole or scaled. Their numbers are the suite's.

use super::{Plan, Run};

/// One case of the suite: QoS 1, payloads of 16 bytes, half an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preset {
    /// As the suite calls it.
    pub name: &'static str,
    /// What it is, with its numbers.
    pub words: &'static str,
    shape: Shape,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// Connections, and how many a second.
    Connections(u32, u32),
    /// Publishers with a topic each, how many messages a second each; subscribers to all of them.
    FanOut(u32, u32, u32),
    /// Publishers of one message a second with a topic and a subscriber each.
    Pairs(u32),
    /// Publishers of one message a second with a topic each; members of one shared subscription to all of them.
    Shared(u32, u32),
}

/// The cases: the basic set, then the enterprise set.
pub const ALL: [Preset; 8] = [
    Preset {
        name: "conn-tcp-10K-100",
        words: "10,000 connections, 100 a second, then held",
        shape: Shape::Connections(10_000, 100),
    },
    Preset {
        name: "fanout-1-1K-1-1K",
        words: "1 publisher, 1 message/s, to 1,000 subscribers",
        shape: Shape::FanOut(1, 1, 1000),
    },
    Preset {
        name: "p2p-1K-1K-1K-1K",
        words: "1,000 publishers, 1 message/s each, each to one subscriber",
        shape: Shape::Pairs(1000),
    },
    Preset {
        name: "sharedsub-1K-5-1K-1K",
        words: "1,000 publishers, 1 message/s each, to 5 members of a shared subscription",
        shape: Shape::Shared(1000, 5),
    },
    Preset {
        name: "conn-tcp-1M-5K",
        words: "1,000,000 connections, 5,000 a second, then held",
        shape: Shape::Connections(1_000_000, 5000),
    },
    Preset {
        name: "fanout-5-1000-5-250K",
        words: "5 publishers, 50 messages/s each, all to 1,000 subscribers",
        shape: Shape::FanOut(5, 50, 1000),
    },
    Preset {
        name: "p2p-50K-50K-50K-50K",
        words: "50,000 publishers, 1 message/s each, each to one subscriber",
        shape: Shape::Pairs(50_000),
    },
    Preset {
        name: "sharedsub-50K-500-50K-50K",
        words: "50,000 publishers, 1 message/s each, to 500 members of a shared subscription",
        shape: Shape::Shared(50_000, 500),
    },
];

/// Seconds between keep alive packets, in every case.
const KEEP_ALIVE: u16 = 300;

impl Preset {
    /// The load, so much of it: that many fewer clients, each of which does what it does in the suite. Of a fan-out the subscribers are
    /// fewer, because five publishers are few already; connections come more slowly, so that they take as long. One client of
    /// each kind remains.
    ///
    /// # Errors
    /// When there is no such load: the scale is out of range.
    pub fn plan(self, scale: f64, run: Run) -> Result<Plan, String> {
        let some = |clients: u32| (f64::from(clients) * scale).round().max(1.0) as u64;
        let publish = |clients: u64, rate: u32| {
            format!(
                "[[publish]]\nclients = {clients}\ntopic = 'bench/{run}/%i'\nsize = 16\nrate = '{rate}/client'\n"
            )
        };
        let subscribe = |clients: u64, filter: &str| {
            format!("[[subscribe]]\nclients = {clients}\nfilter = '{filter}'\n")
        };
        let (scenario, warmup, groups) = match self.shape {
            Shape::Connections(clients, rate) => {
                let (clients, rate) = (some(clients), f64::from(rate) * scale);
                let group = format!("[[connect]]\nclients = {clients}\nrate = '{rate}'\n");
                ("conn", "0s", group)
            }
            Shape::FanOut(publishers, rate, subscribers) => {
                let all = subscribe(some(subscribers), &format!("bench/{run}/+"));
                ("pubsub", "1s", publish(publishers.into(), rate) + &all)
            }
            Shape::Pairs(pairs) => {
                let own = subscribe(some(pairs), &format!("bench/{run}/%i"));
                ("pubsub", "1s", publish(some(pairs), 1) + &own)
            }
            Shape::Shared(publishers, members) => {
                let shared = subscribe(some(members), &format!("$share/bench/bench/{run}/+"));
                ("shared", "1s", publish(some(publishers), 1) + &shared)
            }
        };
        Plan::from_toml(&format!(
            "scenario = '{scenario}'\nrun = '{run}'\nwarmup = '{warmup}'\nstop = {{ after = '30m' }}\n\
             session = {{ keep_alive = {KEEP_ALIVE} }}\n{groups}"
        ))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::bench::plan::Stop;
    use crate::mqtt::QoS;

    /// Publishers, subscribers, others, messages and connections per second.
    fn numbers(name: &str, scale: f64) -> (u32, u32, u32, Option<f64>, Option<f64>) {
        let preset = ALL.iter().find(|preset| preset.name == name).unwrap();
        let plan = preset.plan(scale, Run(7)).unwrap();
        plan.check().unwrap();
        plan.audience().unwrap();
        (
            plan.publishers(),
            plan.subscribers(),
            plan.clients(),
            plan.rate(),
            plan.connect_rate(),
        )
    }

    #[test]
    fn each_case_has_the_numbers_of_the_suite() {
        for (name, expected) in [
            ("conn-tcp-10K-100", (0, 0, 10_000, None, Some(100.0))),
            ("fanout-1-1K-1-1K", (1, 1000, 0, Some(1.0), None)),
            ("p2p-1K-1K-1K-1K", (1000, 1000, 0, Some(1000.0), None)),
            ("sharedsub-1K-5-1K-1K", (1000, 5, 0, Some(1000.0), None)),
            ("conn-tcp-1M-5K", (0, 0, 1_000_000, None, Some(5000.0))),
            ("fanout-5-1000-5-250K", (5, 1000, 0, Some(250.0), None)),
            (
                "p2p-50K-50K-50K-50K",
                (50_000, 50_000, 0, Some(50_000.0), None),
            ),
            (
                "sharedsub-50K-500-50K-50K",
                (50_000, 500, 0, Some(50_000.0), None),
            ),
        ] {
            assert_eq!(numbers(name, 1.0), expected, "{name}");
        }
        let plan = ALL[6].plan(1.0, Run(7)).unwrap();
        assert_eq!(plan.publish[0].size().to_string(), "16");
        assert_eq!(plan.qos(), QoS::AtLeastOnce);
        assert_eq!(plan.stop, Stop::After(Duration::from_secs(1800)));
    }

    #[test]
    fn a_part_of_a_case_has_that_many_fewer_clients_that_do_the_same() {
        for (name, scale, expected) in [
            ("conn-tcp-1M-5K", 0.01, (0, 0, 10_000, None, Some(50.0))),
            ("fanout-5-1000-5-250K", 0.01, (5, 10, 0, Some(250.0), None)),
            (
                "p2p-50K-50K-50K-50K",
                0.01,
                (500, 500, 0, Some(500.0), None),
            ),
            (
                "sharedsub-50K-500-50K-50K",
                0.01,
                (500, 5, 0, Some(500.0), None),
            ),
            ("sharedsub-1K-5-1K-1K", 0.001, (1, 1, 0, Some(1.0), None)),
        ] {
            assert_eq!(numbers(name, scale), expected, "{name}");
        }
    }

    proptest! {
        #[test]
        fn every_scale_makes_a_plan(scale in 0.0001..=10.0_f64, case in 0..ALL.len()) {
            let plan = ALL[case].plan(scale, Run(7));
            prop_assert!(plan.as_ref().is_ok_and(|plan| plan.check().is_ok()), "{plan:?}");
        }
    }
}
