//! A warm-up that ends by itself.

use super::{bench, report};
use crate::harness::Mqtt;
use crate::servers::MqttServe;

#[test]
fn a_count_begins_when_the_load_is_steady_or_has_had_its_time() {
    let serve = MqttServe::start::<&str>([]);
    let arguments = [
        "--publishers",
        "2",
        "--subscribers",
        "2",
        "--rate",
        "1000",
        "--warmup",
        "auto:3s",
    ];
    let url = ["-L", &serve.url()];
    let found = report(&[&arguments[..], &["--count", "150"], &url].concat(), 0);
    assert_eq!(found["plan"]["warmup"], "auto:3s");
    assert_eq!(found["latency_us"]["service"]["samples"], 150, "{found:#}");
    assert_eq!(found["check"]["passed"], true);
    let sent = found["messages"]["sent"].as_u64().unwrap();
    assert!(sent > 150, "the warm-up comes on top: {sent}");
    assert!(found["warm_up"]["steady"].is_boolean(), "{found:#}");
    assert!(
        found["warm_up"]["lasted_s"].as_f64().unwrap() >= 2.0,
        "ten intervals"
    );
    // By time, and with a rate that is as high as it can be.
    let by_time = [
        "--publishers",
        "1",
        "--subscribers",
        "1",
        "--duration",
        "300ms",
        "--warmup",
        "auto:500ms",
    ];
    let found = report(&[&by_time[..], &url].concat(), 0);
    assert_eq!(
        found["warm_up"]["steady"], false,
        "there was no time for ten intervals"
    );
    assert_eq!(found["measured_s"], 0.3);
    assert_eq!(found["check"]["passed"], true);
}

#[test]
fn a_load_that_does_not_become_steady_is_measured_all_the_same_and_the_report_says_so() {
    let serve = MqttServe::start::<&str>([]);
    let arguments = [
        "sub",
        "-t",
        "nobody/#",
        "--subscribers",
        "1",
        "--warmup",
        "auto:300ms",
        "--duration",
        "100ms",
    ];
    let text = bench(arguments.into_iter().chain(["-L", &serve.url()]))
        .stdout_any()
        .run()
        .stdout_text();
    let line = text.lines().nth(2).unwrap();
    assert!(
        line.starts_with("measured for 100 ms after ")
            && line.ends_with(" of warm-up, in which the load did not become steady"),
        "{text}"
    );
}

#[test]
fn a_warm_up_that_could_not_end_is_refused() {
    for (more, words) in [
        (
            &["--warmup", "auto", "--rate", "ramp:1..100:5s"][..],
            "--warmup must be a time and not auto where the rate changes: the load is never steady",
        ),
        (
            &["--warmup", "auto", "--fault", "at=1s cut=30%"],
            "--warmup must be a time and not auto in a plan with faults",
        ),
        (&["--warmup", "auto:"], "auto or auto:30s"),
    ] {
        let arguments = ["bench"].iter().chain(more);
        Mqtt::new(arguments).status(2).stderr_contains(words).run();
    }
}
