//! Two clients with one client id.

use std::net::TcpListener;
use std::thread;

use mqtt_toolbox::mqtt::Version;

use crate::clients::{subscribe, subscribed};
use crate::harness::{Mqtt, eventually};
use crate::servers::{Mosquitto, MqttServe};
use crate::wire::{Wire, accepted, listen};

const CONTESTED: &str = "mqtt: the broker accepted the connection and closed it at once, 3 times in a row: another client seems to \
    use the client id \"twin\" as well; give each its own --id, or see --takeover\n";

/// Accepts this many connections and closes each after its CONNACK, as a broker does for whom another client came.
fn closing(version: Version, times: usize) -> (String, thread::JoinHandle<TcpListener>) {
    let (listener, url) = listen();
    let server = thread::spawn(move || {
        for _ in 0..times {
            let _wire = Wire::answered(&listener, version, accepted(false, Vec::new()));
        }
        listener
    });
    (url, server)
}

#[test]
fn a_connection_that_is_closed_at_once_three_times_is_taken_for_a_takeover() {
    for (version, name) in [(Version::V311, "311"), (Version::V5, "5")] {
        let (url, server) = closing(version, 3);
        let finished = subscribe(&url, &["-t", "a", "-i", "twin", "-V", name])
            .status(7)
            .stderr_any()
            .run();
        server.join().unwrap();
        assert!(finished.stderr.ends_with(CONTESTED), "{}", finished.stderr);
    }
}

#[test]
fn who_fights_or_has_a_name_of_its_own_comes_back() {
    for arguments in [&["-i", "twin", "--takeover", "fight"][..], &[]] {
        let (url, server) = closing(Version::V311, 4);
        let mut subscriber = subscribe(&url, &[&["-t", "a"], arguments].concat()).start();
        // A fourth connection was made.
        drop(server.join().unwrap());
        assert!(!subscriber.stderr().contains("another client"));
        subscriber.stop("TERM");
    }
}

#[test]
fn of_two_that_come_back_each_time_one_stops_in_the_end() {
    let broker = Mosquitto::start([]);
    let arguments = ["-t", "a", "-i", "twin"];
    let mut first = subscribed(&broker.url(), &arguments);
    let mut second = subscribed(&broker.url(), &arguments);
    let stopped = eventually("one of them stops", || {
        match (first.is_running(), second.is_running()) {
            (true, true) => None,
            (false, _) => Some(first.wait()),
            (_, false) => Some(second.wait()),
        }
    });
    assert_eq!(stopped.status, 7);
    assert!(stopped.stderr.ends_with(CONTESTED), "{}", stopped.stderr);
    assert!(first.is_running() != second.is_running());
}

#[test]
fn who_fights_takes_the_session_back_and_says_so() {
    let broker = MqttServe::start([""; 0]);
    let fighter = ["-t", "a", "-i", "twin", "-V", "5", "--takeover", "fight"];
    let mut fighter = subscribed(&broker.url(), &fighter);
    let mut other = subscribed(&broker.url(), &["-t", "a", "-i", "twin", "-V", "5"]);
    fighter.wait_for_stderr(|line| line.contains("session taken over"));
    fighter.wait_for_stderr(|line| line == "mqtt: connected again");
    assert_eq!(other.wait().status, 7);
}

#[test]
fn a_request_and_a_stream_of_messages_are_told_too() {
    let broker = MqttServe::start([""; 0]);
    let port = broker.port();
    let id = ["-p", &port, "-V", "5", "-i", "twin"];
    for command in [
        &["pub", "-t", "a", "-l"][..],
        &["req", "-t", "a", "-m", "x"],
    ] {
        let arguments = [&command[..1], &id, &command[1..]].concat();
        // Somebody listens, so that the request waits.
        let _listener = subscribed(&broker.url(), &["-t", "a"]);
        let mut running = Mqtt::new(arguments).stdin_open().start();
        eventually("it is connected and thrown out", || {
            let other = [&["sub", "-t", "b", "-E"], &id[..]].concat();
            // It may be thrown out as well, when the one under test has only just begun.
            Mqtt::new(other).start().wait();
            (!running.is_running()).then_some(())
        });
        let finished = running.wait();
        assert_eq!(finished.status, 7, "{command:?}");
        assert!(
            finished
                .stderr
                .contains("another client connected with the same client id"),
            "{}",
            finished.stderr
        );
    }
}
