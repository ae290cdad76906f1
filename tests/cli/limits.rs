//! `mqtt bench` and its limits: those of a broker (`max`), its own (`calibrate`), and a stall that nothing hides.

use std::io::{Read, Write};
use std::net::TcpStream;

use mqtt_toolbox::bench::measure::histograms::Histograms;

use crate::bench::scripted::{Deed, Scripted};
use crate::bench::{bench, json};
use crate::harness::{Mqtt, eventually};
use crate::servers::MqttServe;

#[test]
fn the_null_broker_forwards_everything_at_every_quality_of_service_in_every_version() {
    for (qos, version, more) in [
        ("0", "5", &["--subscribers", "3"][..]),
        ("1", "31", &["--subscribers", "3"]),
        ("1", "5", &["--subscribers", "1"]),
        ("2", "311", &["--subscribers", "3", "-t", "all"]),
    ] {
        let all = [
            "calibrate",
            "--count",
            "300",
            "--rate",
            "5k",
            "--publishers",
            "3",
            "-q",
            qos,
            "-V",
            version,
            "--json",
        ];
        let limits = json(
            &bench(all.into_iter().chain(more.iter().copied()))
                .stdout_any()
                .run(),
        );
        for end in ["floor", "ceiling"] {
            let report = &limits[end];
            assert_eq!(report["messages"]["sent"], 300, "{report:#}");
            assert_eq!(
                report["delivery"]["expected"],
                report["delivery"]["received"]
            );
            assert_eq!(report["check"]["passed"], true, "{report:#}");
            assert_eq!(report["rate_per_s"]["offered"].is_null(), end == "ceiling");
        }
    }
    let text = bench(["calibrate", "conn", "--clients", "20"])
        .stdout_any()
        .run()
        .stdout_text();
    assert!(text.contains("ceiling: "), "{text}");
    Mqtt::new(["bench", "calibrate", "sub", "-t", "a"])
        .status(2)
        .stderr_contains("there is nothing to calibrate in `mqtt bench sub`")
        .run();
}

#[test]
fn a_run_says_how_much_of_its_latency_is_its_own() {
    let text = bench(["--serve", "--calibrate", "--rate", "1k", "--count", "500"])
        .stdout_any()
        .run()
        .stdout_text();
    let row = text.lines().find(|line| line.starts_with("null broker"));
    assert!(row.is_some_and(|row| row.ends_with(" 500")), "{text}");
}

#[test]
fn the_highest_load_is_found_and_held_again() {
    let all = [
        "max",
        "idle",
        "--serve",
        "--of",
        "clients",
        "--from",
        "2",
        "--to",
        "8",
        "--duration",
        "200ms",
        "--slo",
        "disconnects=0",
    ];
    let found = json(
        &bench(all.into_iter().chain(["--json", "--confirm", "1"]))
            .stdout_any()
            .run(),
    );
    assert_eq!(found["found"], 8.0, "{found:#}");
    let steps = found["steps"].as_array().unwrap();
    let loads: Vec<f64> = steps
        .iter()
        .map(|step| step["load"].as_f64().unwrap())
        .collect();
    assert_eq!(loads, [2.0, 4.0, 8.0, 8.0]);
    assert_eq!(
        (&steps[3]["again"], &found["confirmed"]),
        (&true.into(), &1.into())
    );
}

#[test]
fn connections_and_subscribers_are_raised_to_what_a_broker_takes_and_no_further() {
    let broker = Scripted::start(|_| Deed::Deliver);
    broker.takes_clients_up_to(12);
    let at = [
        "-h",
        "127.0.0.1",
        "-p",
        &broker.port,
        "--from",
        "4",
        "--to",
        "64",
    ];
    for (line, most, first_above, limit) in [
        (
            "max conn --of clients --slo refused=0",
            12.0,
            13.0,
            "refused=0: 1",
        ),
        (
            "max idle --of clients --duration 100ms --slo max<60m",
            12.0,
            13.0,
            " closed the connection without CONNACK: it takes no more, ",
        ),
        (
            "max --of subscribers --publishers 1 --count 50 --slo loss=0",
            12.0,
            13.0,
            " closed the connection without CONNACK: it takes no more, ",
        ),
    ] {
        let words: Vec<&str> = line.split(' ').chain(at).collect();
        let all = words.iter().copied().chain(["--confirm", "1", "--json"]);
        let found = json(&bench(all).stdout_any().run());
        assert_eq!(
            (&found["found"], &found["confirmed"]),
            (&most.into(), &1.into()),
            "{found:#}"
        );
        let steps = found["steps"].as_array().unwrap();
        let above = steps.iter().find(|step| step["load"] == first_above);
        let why = above.unwrap_or_else(|| panic!("{found:#}"))["failures"][0].as_str();
        assert!(why.is_some_and(|why| why.contains(limit)), "{why:?}");
        let text = bench(words).stdout_any().run().stdout_text();
        let of = found["of"].as_str().unwrap();
        for words in [
            format!("\n{of} {most}  the highest that holds "),
            "held again 2 times\n".to_owned(),
            "\nlimited by  ".to_owned(),
            format!(" at {first_above}\n"),
        ] {
            assert!(text.contains(&words), "no {words:?} in\n{text}");
        }
    }
}

#[test]
fn when_no_load_holds_that_is_status_8_and_the_reason_is_said() {
    let all = [
        "max",
        "--serve",
        "--from",
        "4",
        "--duration",
        "200ms",
        "--warmup",
        "0s",
        "--slo",
        "max<0ms",
    ];
    let text = bench(all).status(8).stdout_any().run().stdout_text();
    assert!(
        text.contains("NO LOAD HOLDS  max<0ns, rate>=99%\n"),
        "{text}"
    );
    assert!(text.contains("limited by  max<0ns: "), "{text}");
    assert!(text.contains(" at 1/s\n"), "{text}");
}

#[test]
fn prometheus_sees_the_run_while_it_goes_on() {
    let mut running = bench([
        "--serve",
        "--rate",
        "200",
        "--duration",
        "1h",
        "--prometheus",
        "127.0.0.1:0",
    ])
    .stderr_any()
    .stdout_any()
    .start();
    let line = running.wait_for_stderr(|line| line.contains("metrics at http://"));
    let address = line
        .split("http://")
        .nth(1)
        .unwrap()
        .split('/')
        .next()
        .unwrap()
        .to_owned();
    let page = eventually("something is delivered", || {
        let mut stream = TcpStream::connect(&address).unwrap();
        stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let delivered = answer.contains("latency=\"response\",quantile=\"0.99\"");
        delivered.then_some(answer)
    });
    assert!(page.starts_with("HTTP/1.0 200 OK"), "{page}");
    assert!(
        page.contains("# TYPE mqtt_bench_delivered_total counter\n"),
        "{page}"
    );
    assert_eq!(running.stop("INT").status, 130);
}

#[test]
fn a_broker_that_stands_still_delays_all_that_was_due_meanwhile() {
    let serve = MqttServe::start::<&str>([]);
    let port = serve.port();
    // One message is under way at a time, so a tester that waited for its broker would see one late message.
    let mut running = bench([
        "-h",
        "127.0.0.1",
        "-p",
        &port,
        "--publishers",
        "1",
        "--subscribers",
        "1",
        "--rate",
        "1k",
        "--window",
        "1",
        "--duration",
        "1h",
        "--warmup",
        "0s",
        "-v",
        "--json",
    ])
    .stderr_any()
    .stdout_any()
    .start();
    running.wait_for_stderr(|line| line.contains("delivered ") && line.contains("p99 "));
    serve.process.signal("STOP");
    running.wait_for_stderr(|line| line.contains("delivered 0/s"));
    serve.process.signal("CONT");
    // What was due meanwhile comes now, one after the other.
    let mut seen = 0;
    while seen < 300 {
        let line = running.wait_for_stderr(|line| line.contains("delivered "));
        let rate = line
            .split("delivered ")
            .nth(1)
            .and_then(|rest| rest.split('/').next());
        seen += rate.map_or(0, |rate| rate.replace(',', "").parse().unwrap_or(0));
    }
    let report = json(&running.stop("INT"));
    let histograms: Histograms = serde_json::from_value(report["histograms"].clone()).unwrap();
    // A whole second passed without a delivery: a thousand messages were due in it and more than half of them waited for
    // longer than this, and one was under way. Some hundreds of them have been delivered since.
    let late = |tag| {
        let histogram = histograms.tagged(tag).unwrap();
        histogram.count_between(400_000, u64::MAX)
    };
    let (response, service) = (late("response"), late("service"));
    assert!(
        response > 10 * (service + 1),
        "{response} late responses, {service} late services"
    );
    assert_eq!(
        report["delivery"]["expected"],
        report["delivery"]["received"]
    );
}
