//! What would make the numbers a lie, and whether the report says so: a generator that stood still, messages that never
//! came, topics that are others.

use super::scripted::{Deed, Scripted};
use super::{bench, json, report};
use crate::servers::MqttServe;

#[test]
fn a_message_under_another_topic_and_one_that_is_never_acknowledged_are_counted() {
    let broker = Scripted::start(|sequence| match sequence {
        3 | 4 => Deed::Misaddress,
        7..37 => Deed::Silence,
        _ => Deed::Deliver,
    });
    let line = "--publishers 2 --subscribers 2 --count 400 --slo ack.p90<60m,ack.p50<60m";
    let line: Vec<&str> = ["-h", "127.0.0.1", "-p", &broker.port]
        .into_iter()
        .chain(line.split(' '))
        .collect();
    let found = report(&line, 8);
    assert_eq!(found["delivery"]["received"], 400, "{found:#}");
    assert_eq!(found["delivery"]["misaddressed"], 4);
    assert_eq!(found["messages"]["never_acknowledged"], 60);
    assert_eq!(
        found["check"]["faults"],
        serde_json::json!(["4 delivered under another topic"])
    );
    let text = bench(line).status(8).stdout_any().run().stdout_text();
    for words in [
        "DELIVERY CHECK FAILED  4 delivered under another topic\n",
        "OBJECTIVE MISSED  ack.p90<3600s: not known, too many of those that were due never came\n",
        "OBJECTIVE MET  ack.p50<3600s: ",
        "400 of 400 arrived, 4 under another topic, 60 sent and never acknowledged\n",
    ] {
        assert!(text.contains(words), "no {words:?} in\n{text}");
    }
}

#[test]
fn what_never_arrived_is_not_left_out_of_a_percentile_in_silence() {
    let broker = Scripted::start(|sequence| match sequence % 20 {
        0 => Deed::Lose,
        _ => Deed::Deliver,
    });
    let line = "--publishers 1 --subscribers 1 -q 0 --count 2000 --slo p99<60m,p90<60m";
    let text = bench(
        ["-h", "127.0.0.1", "-p", &broker.port]
            .into_iter()
            .chain(line.split(' ')),
    )
    .status(8)
    .stdout_any()
    .run()
    .stdout_text();
    for words in [
        "OBJECTIVE MISSED  p99<3600s: not known, too many of those that were due never came\n",
        "OBJECTIVE MET  p90<3600s: ",
        "\n5.00 % of what was due never arrived and has no latency: the percentiles are those of the rest\n",
    ] {
        assert!(text.contains(words), "no {words:?} in\n{text}");
    }
}

#[test]
fn a_load_tester_that_stood_still_says_that_the_run_is_worth_nothing() {
    let serve = MqttServe::start::<&str>([]);
    // Unpaced: nothing is due, so the rate and the latency alone would put it down to the broker.
    let line = "--publishers 1 --subscribers 1 --duration 1h --warmup 0s -v --json";
    let mut running = bench(line.split(' ').chain(["-L", &serve.url()]))
        .stderr_any()
        .stdout_any()
        .start();
    running.wait_for_stderr(|line| line.contains("delivered "));
    running.signal("STOP");
    // Somebody else's second.
    bench(["idle", "-c", "1", "--duration", "1s", "-L", &serve.url()])
        .stdout_any()
        .run();
    running.signal("CONT");
    running.wait_for_stderr(|line| line.contains("delivered "));
    running.wait_for_stderr(|line| line.contains("delivered "));
    let found = json(&running.stop("INT"));
    assert_eq!(found["verdict"]["valid"], false, "{found:#}");
    let reason = found["verdict"]["reasons"][0].as_str().unwrap();
    assert!(
        reason.starts_with("the load tester stood still for "),
        "{reason}"
    );
}

#[test]
fn where_nobody_is_let_in_nothing_was_measured() {
    let found = report(&["conn", "-c", "3", "-h", "127.0.0.1", "-p", "1"], 3);
    assert_eq!(found["connections"]["made"], 0, "{found:#}");
    let reasons = found["verdict"]["reasons"].to_string();
    assert!(reasons.contains("no connection was made"), "{found:#}");
}
