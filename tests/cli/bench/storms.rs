//! Shared subscriptions, round trips, storms and sessions that fetch their backlog, on our broker and on mosquitto.

use serde_json::Value;

use super::scripted::{Deed, Scripted};
use super::{bench, is_valid, report};
use crate::servers::{Mosquitto, MqttServe};

/// What both brokers make of it.
fn on_both(line: &str, check: impl Fn(Value)) {
    let mosquitto = Mosquitto::start(["max_queued_messages 0", "max_inflight_messages 0"]);
    let serve = MqttServe::start::<&str>([]);
    for port in [serve.port(), mosquitto.port()] {
        let words = line.split(' ').chain(["-h", "127.0.0.1", "-p", &port]);
        let found = report(&words.collect::<Vec<_>>(), 0);
        assert_eq!(found["check"]["passed"], true, "{found:#}");
        check(found);
    }
}

#[test]
fn a_shared_subscription_is_counted_once_and_for_each_member() {
    on_both(
        "shared --publishers 3 --subscribers 4 --count 600 -q 1",
        |found| {
            assert_eq!(found["delivery"]["expected"], 600, "{found:#}");
            assert_eq!(found["delivery"]["received"], 600);
            let share = &found["shares"][0];
            let members: Vec<u64> = serde_json::from_value(share["members"].clone()).unwrap();
            assert_eq!((members.len(), members.iter().sum::<u64>()), (4, 600));
            assert!(share["fairness"].as_f64().unwrap() > 0.0);
        },
    );
}

#[test]
fn a_broker_that_serves_no_share_is_asked_whether_it_knows_any() {
    let broker = Scripted::start(|_| Deed::Lose);
    bench([
        "shared",
        "-h",
        "127.0.0.1",
        "-p",
        &broker.port,
        "--count",
        "20",
    ])
    .status(8)
    .stderr_any()
    .stdout_contains("not one message came: does this broker know shared subscriptions?")
    .run();
}

#[test]
fn a_round_trip_is_over_when_the_answer_is_there() {
    for line in [
        "req --publishers 3 --count 300 -q 0",
        "req --publishers 2 --subscribers 3 --count 300 -q 1 --rate 2k",
        "req --publishers 1 --count 50 -q 2 -V 5",
    ] {
        on_both(line, |found| {
            assert_eq!(
                found["delivery"]["received"], found["messages"]["sent"],
                "{found:#}"
            );
            let service = &found["latency_us"]["service"]["samples"];
            assert_eq!(*service, found["messages"]["sent"]);
        });
    }
}

#[test]
fn clients_that_come_and_go_are_timed_each_time() {
    on_both("churn --clients 5 --rate 50 --duration 500ms", |found| {
        assert_eq!(found["connections"]["made"], 25, "{found:#}");
        assert_eq!(
            found["connections"]["latency_us"]["response"]["samples"],
            25
        );
    });
}

#[test]
fn a_storm_is_over_when_everyone_is_back() {
    for line in ["reconnect-storm -c 30", "takeover-storm -c 30 --rate 200"] {
        on_both(line, |found| {
            assert_eq!(found["connections"]["made"], 30, "{found:#}");
            assert_eq!(found["latency_us"]["completion"]["samples"], 30);
            assert!(is_valid(&found), "{found:#}");
            assert!(found["measured_s"].as_f64().unwrap() < 29.0);
        });
    }
}

#[test]
fn every_will_is_counted_and_timed_from_the_cut() {
    on_both("will-storm -c 30 --subscribers 2 -V 5", |found| {
        assert_eq!(found["delivery"]["expected"], 60, "{found:#}");
        assert_eq!(found["delivery"]["received"], 60);
        assert_eq!(found["latency_us"]["response"]["samples"], 60);
        assert_eq!(found["rate_per_s"]["delivered"], Value::Null);
    });
}

#[test]
fn a_will_that_never_comes_is_a_broken_promise() {
    let broker = Scripted::start(|_| Deed::Deliver);
    let arguments = [
        "will-storm",
        "-c",
        "3",
        "-h",
        "127.0.0.1",
        "-p",
        &broker.port,
    ];
    let found = report(&arguments, 8);
    assert_eq!(found["delivery"]["lost_acknowledged"], 3, "{found:#}");
}

#[test]
fn retained_messages_come_to_everyone_who_asks_and_are_taken_away_again() {
    on_both("retained-storm --count 200 --subscribers 3", |found| {
        assert_eq!(found["delivery"]["expected"], 600, "{found:#}");
        assert_eq!(found["delivery"]["received"], 600);
        assert_eq!(found["delivery"]["foreign"], 0);
        assert_eq!(found["latency_us"]["completion"]["samples"], 3);
        assert_fetched(&found, 600.0);
    });
    let serve = MqttServe::start::<&str>([]);
    report(&["retained-storm", "--count", "50", "-L", &serve.url()], 0);
    // Nothing is left for who asks next: --retained-only ends by itself, with nothing printed.
    crate::harness::Mqtt::new(["sub", "-L", &serve.url(), "-t", "#", "--retained-only"]).run();
}

/// The rate of what was fetched is that of the last client to be done.
fn assert_fetched(found: &Value, messages: f64) {
    let slowest_us = found["latency_us"]["completion"]["max"].as_f64().unwrap();
    match found["rate_per_s"]["delivered"].as_f64() {
        Some(rate) => assert!(
            (rate * slowest_us / 1e6 / messages - 1.0).abs() < 0.01,
            "{found:#}"
        ),
        None => assert!(slowest_us < 1000.0, "{found:#}"),
    }
}

#[test]
fn who_got_nothing_is_not_called_done() {
    let broker = Scripted::start(|_| Deed::Lose);
    let arguments = [
        "retained-storm",
        "--count",
        "5",
        "-h",
        "127.0.0.1",
        "-p",
        &broker.port,
    ];
    let found = report(&arguments, 8);
    assert_eq!(found["delivery"]["lost_acknowledged"], 50, "{found:#}");
    assert_eq!(found["latency_us"]["completion"], Value::Null);
    assert_eq!(found["rate_per_s"]["delivered"], Value::Null);
}

#[test]
fn a_session_has_everything_that_was_published_while_its_client_was_away() {
    for version in ["311", "5"] {
        on_both(
            &format!("offline --publishers 2 --subscribers 4 --count 400 -V {version}"),
            |found| {
                assert_eq!(found["delivery"]["expected"], 800, "{found:#}");
                assert_eq!(found["delivery"]["received"], 800);
                assert_eq!(found["latency_us"]["completion"]["samples"], 4);
                assert_fetched(&found, 800.0);
            },
        );
    }
}
