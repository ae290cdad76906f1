//! Brokers that lose, double, reorder, refuse, hang up or are not there.

use std::io::{Read, Write};
use std::net::TcpListener;

use super::scripted::{Deed, Scripted};
use super::{WARNING, bench, json, report};
use crate::harness::Mqtt;
use crate::servers::Mosquitto;

/// The words of a command line for the broker at this port.
fn at<'a>(port: &'a str, line: &'a str) -> Vec<&'a str> {
    ["-h", "127.0.0.1", "-p", port]
        .into_iter()
        .chain(line.split(' '))
        .collect()
}

#[test]
fn a_broker_that_loses_doubles_and_reorders_is_found_out_exactly() {
    let broker = Scripted::start(|sequence| match sequence % 50 {
        7 => Deed::Lose,
        17 => Deed::Double,
        27 => Deed::Swap,
        _ => Deed::Deliver,
    });
    let arguments = at(&broker.port, "--publishers 4 --subscribers 8 --count 1000");
    let found = report(&arguments, 8);
    // 4 publishers with 250 messages each: 5 of each deed, and everyone has 2 subscribers.
    assert_eq!(found["delivery"]["expected"], 2000, "{found:#}");
    assert_eq!(found["delivery"]["received"], 1960);
    assert_eq!(found["delivery"]["lost_acknowledged"], 40);
    assert_eq!(found["delivery"]["lost_unacknowledged"], 0);
    assert_eq!(found["delivery"]["duplicates"], 40);
    assert_eq!(found["delivery"]["reordered"], 40);
    assert_eq!(found["check"]["passed"], false);
    let text = bench(arguments).status(8).stdout_any().run().stdout_text();
    assert!(
        text.contains(
            "DELIVERY CHECK FAILED  40 acknowledged and lost; 40 delivered out of order\n"
        ),
        "{text}"
    );
}

#[test]
fn a_second_copy_may_be_marked_and_changed_bytes_are_a_fault() {
    let broker = Scripted::start(|sequence| match sequence {
        3 | 4 => Deed::Redeliver,
        7 => Deed::Double,
        9 => Deed::Corrupt,
        _ => Deed::Deliver,
    });
    let arguments = at(&broker.port, "--publishers 1 --subscribers 1 --count 20");
    let found = report(&arguments, 8);
    assert_eq!(found["delivery"]["received"], 20, "{found:#}");
    assert_eq!(found["delivery"]["duplicates"], 3);
    assert_eq!(found["delivery"]["duplicates_marked"], 2);
    assert_eq!(found["delivery"]["corrupted"], 1);
    assert_eq!(
        found["check"]["faults"],
        serde_json::json!(["1 with other bytes than were sent"])
    );
    let text = bench(arguments).status(8).stdout_any().run().stdout_text();
    assert!(
        text.contains("3 duplicates, 2 of them marked DUP, 1 corrupted"),
        "{text}"
    );
}

#[test]
fn a_shared_subscription_sees_marked_copies_and_changed_bytes_as_well() {
    let broker = Scripted::start(|sequence| match sequence {
        3 | 4 => Deed::Redeliver,
        7 => Deed::Double,
        9 => Deed::Corrupt,
        _ => Deed::Deliver,
    });
    let line = "shared --run 00c0ffee --filter $share/g/bench/00c0ffee/1 --publishers 1 --subscribers 1 --count 20";
    let found = report(&at(&broker.port, line), 8);
    assert_eq!(found["delivery"]["received"], 20, "{found:#}");
    assert_eq!(found["delivery"]["duplicates"], 3);
    assert_eq!(found["delivery"]["duplicates_marked"], 2);
    assert_eq!(found["delivery"]["corrupted"], 1);
    assert_eq!(
        found["check"]["faults"],
        serde_json::json!(["1 with other bytes than were sent"])
    );
}

#[test]
fn too_few_open_files_are_told_before_the_run_with_what_lifts_them() {
    Mqtt::shell("ulimit -n 100; exec mqtt bench conn --clients 200 -h 127.0.0.1 -p 1")
        .status(1)
        .stderr(format!(
            "{WARNING}mqtt: 200 connections need 264 open files, and this process may have 100: run `ulimit -n 264` first, \
             as root if it is refused\n"
        ))
        .run();
}

#[test]
fn a_duplicate_breaks_the_promise_of_qos_2_only() {
    let broker = Scripted::start(|sequence| match sequence {
        3 => Deed::Double,
        _ => Deed::Deliver,
    });
    let run = |qos, status| {
        let arguments = at(&broker.port, "--publishers 1 --subscribers 1 --count 10");
        report(&[&arguments[..], &["-q", qos]].concat(), status)
    };
    assert_eq!(run("0", 0)["delivery"]["duplicates"], 1);
    assert_eq!(run("1", 0)["delivery"]["duplicates"], 1);
    assert_eq!(run("2", 8)["delivery"]["duplicates"], 1);
}

#[test]
fn loss_at_qos_0_is_a_number_and_no_fault() {
    let broker = Scripted::start(|sequence| match sequence % 2 {
        0 => Deed::Deliver,
        _ => Deed::Lose,
    });
    let arguments = at(
        &broker.port,
        "-q 0 --publishers 1 --subscribers 1 --count 100",
    );
    let report = report(&arguments, 0);
    assert_eq!(report["delivery"]["lost_unacknowledged"], 50);
    assert_eq!(report["check"]["passed"], true);
}

#[test]
fn a_lost_connection_is_named_and_ends_with_status_7() {
    let broker = Scripted::start(|sequence| match sequence {
        5 => Deed::HangUp,
        _ => Deed::Deliver,
    });
    let finished = bench(at(
        &broker.port,
        "--publishers 1 --subscribers 1 --count 10",
    ))
    .status(7)
    .stderr(format!(
        "{WARNING}mqtt: publisher 1 lost its connection: the broker closed the connection\n"
    ))
    .stdout_any()
    .run();
    let text = finished.stdout_text();
    assert!(text.contains("INVALID  a connection was lost\n"), "{text}");
    assert!(
        text.contains("publisher 1 lost its connection after"),
        "{text}"
    );
}

#[test]
fn a_broker_that_forgets_mqtt_loses_the_connection() {
    let broker = Scripted::start(|sequence| match sequence {
        5 => Deed::Babble,
        _ => Deed::Deliver,
    });
    let report = Mqtt::new(
        [
            &["bench"],
            &*at(
                &broker.port,
                "--publishers 1 --subscribers 1 --count 10 --json",
            ),
        ]
        .concat(),
    )
    .status(7)
    .stderr_contains("publisher 1 lost its connection: what the broker sent is not MQTT: ")
    .stdout_any()
    .run();
    let report = json(&report);
    assert_eq!(report["lost_connections"][0]["client"], "publisher 1");
    assert_eq!(report["verdict"]["valid"], false);
    assert_eq!(report["delivery"]["lost_acknowledged"], 0, "{report:#}");
}

#[test]
fn a_broker_that_is_not_there_is_status_3() {
    // Port 1 belongs to a service that died out, so nobody takes it meanwhile.
    Mqtt::new([&["bench"], &*at("1", "--publishers 1 --subscribers 0")].concat())
    .status(3)
    .stderr_contains("mqtt: publisher 1: cannot connect to mqtt://127.0.0.1:1: connection refused; is a broker running there? `mqtt serve` starts one\n")
    .run();
}

#[test]
fn a_server_that_does_not_answer_or_speaks_something_else_is_status_3() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port().to_string();
    Mqtt::new(
        [
            &["bench"],
            &*at(
                &port,
                "--publishers 1 --subscribers 0 --connect-timeout 300ms",
            ),
        ]
        .concat(),
    )
    .status(3)
    .stderr_contains("within 300ms (--connect-timeout)")
    .run();
    let web = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = web.local_addr().unwrap().port().to_string();
    std::thread::spawn(move || {
        let (mut stream, _) = web.accept().unwrap();
        let _ = stream.read(&mut [0; 100]);
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    Mqtt::new([&["bench"], &*at(&port, "--publishers 1 --subscribers 0")].concat())
        .status(3)
        .stderr_contains("is no MQTT broker: ")
        .run();
}

#[test]
fn a_refused_connection_is_status_4() {
    let mosquitto = Mosquitto::start(["allow_anonymous false"]);
    for version in ["311", "5"] {
        let line = format!("-V {version} --publishers 1 --subscribers 1");
        Mqtt::new([&["bench"], &*at(&mosquitto.port(), &line)].concat())
            .status(4)
            .stderr_contains("refused the connection: not authorized")
            .run();
    }
}

#[test]
fn a_refused_subscription_is_status_5() {
    let broker = Scripted::start(|_| Deed::Deliver);
    Mqtt::new(
        [
            &["bench"],
            &*at(&broker.port, "--publishers 1 --subscribers 1 -t forbidden"),
        ]
        .concat(),
    )
    .status(5)
    .stderr_contains("subscriber 1: subscription to forbidden refused: unspecified error (0x80)")
    .run();
}
