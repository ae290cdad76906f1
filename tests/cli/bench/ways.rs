//! How the clients of a load connect: over TLS and WebSocket, to several brokers, from several addresses, each by a name
//! of its own.

use std::io::{Read, Write};
use std::sync::mpsc::{Receiver, channel};

use bytes::BytesMut;
use mqtt_toolbox::mqtt::packet::Connect;
use mqtt_toolbox::mqtt::{Packet, Version, codec};

use super::{bench, json, report};
use crate::certificates::Authority;
use crate::harness::Mqtt;
use crate::servers::{Mosquitto, MqttServe, free_port};
use crate::wire::listen;

#[test]
fn a_load_goes_over_tls_and_websocket_as_over_tcp() {
    let authority = Authority::new("Test CA");
    authority.issue("server", &["localhost", "127.0.0.1"]);
    let more = ["max_queued_messages 0", "max_inflight_messages 0"];
    let tls = authority.listener("server");
    let tls = Mosquitto::start(tls.iter().map(String::as_str).chain(more));
    let port = free_port();
    let web = [
        format!("listener {port} 127.0.0.1"),
        "protocol websockets".to_owned(),
    ];
    let _web = Mosquitto::start(web.iter().map(String::as_str).chain(more));
    for (url, size) in [
        (format!("mqtts://localhost:{}", tls.port()), "64"),
        (format!("mqtts://localhost:{}", tls.port()), "50000"),
        (format!("ws://127.0.0.1:{port}"), "64"),
        // Larger ones can make mosquitto 2.0.11 stop in the middle of a WebSocket message.
        (format!("ws://127.0.0.1:{port}"), "1000"),
    ] {
        let ca = authority.ca();
        let mut words = vec!["-L", &url, "--count", "200", "--size", size];
        words.extend(["--publishers", "2", "--subscribers", "2"]);
        if url.starts_with("mqtts") {
            words.extend(["--cafile", &ca]);
        }
        let found = report(&words, 0);
        assert_eq!(found["delivery"]["received"], 200, "{found:#}");
        assert_eq!(found["check"]["passed"], true);
        assert_eq!(found["connections"]["latency_us"]["tls"]["samples"], 4);
    }
}

/// A broker that answers every CONNECT and tells who it was, and from where.
pub fn doorman() -> (String, Receiver<(String, Connect)>) {
    let (listener, url) = listen();
    let (tell, told) = channel();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let tell = tell.clone();
            std::thread::spawn(move || {
                let mut bytes = BytesMut::new();
                let mut buffer = [0; 1024];
                while let Ok(count @ 1..) = stream.read(&mut buffer) {
                    bytes.extend_from_slice(&buffer[..count]);
                    while let Ok(Some(packet)) = codec::read(&mut bytes, Version::V311, u32::MAX) {
                        match packet {
                            Packet::Connect(connect) => {
                                let from = stream.peer_addr().unwrap().ip().to_string();
                                let _ = tell.send((from, *connect));
                                let _ = stream.write_all(&[0x20, 2, 0, 0]);
                            }
                            _ => drop(stream.write_all(&[0xD0, 0])),
                        }
                    }
                }
            });
        }
    });
    (url, told)
}

#[test]
fn hosts_ports_and_urls_may_be_repeated_and_are_taken_in_turn() {
    let port = |url: &str| url.rsplit(':').next().unwrap().to_owned();
    for form in ["ports", "hosts and ports", "urls"] {
        let (one, at_one) = doorman();
        let (other, at_other) = doorman();
        let (first, second) = (port(&one), port(&other));
        let brokers = match form {
            "ports" => vec!["-h", "127.0.0.1", "-p", &first, "-p", &second],
            "hosts and ports" => {
                vec![
                    "-h",
                    "127.0.0.1",
                    "-h",
                    "localhost",
                    "-p",
                    &first,
                    "-p",
                    &second,
                ]
            }
            _ => vec!["-L", &one, "-L", &other],
        };
        let found = report(
            &[&["conn", "-c", "3", "-i", "c%i"], &brokers[..]].concat(),
            0,
        );
        assert_eq!(found["connections"]["made"], 3, "{form} {found:#}");
        let host = if form == "hosts and ports" {
            "localhost"
        } else {
            "127.0.0.1"
        };
        assert_eq!(
            found["broker"]["endpoint"],
            format!("{one}, mqtt://{host}:{second}"),
            "{form}"
        );
        let names = |told: Receiver<(String, Connect)>| {
            let mut names: Vec<String> = told
                .try_iter()
                .map(|(_, connect)| connect.client_id.to_string())
                .collect();
            names.sort();
            names
        };
        assert_eq!(names(at_one), ["c1", "c3"], "{form}");
        assert_eq!(names(at_other), ["c2"], "{form}");
    }
    for (brokers, words) in [
        (
            &["-h", "a", "-h", "b", "-h", "c", "-p", "1", "-p", "2"][..],
            "mqtt: 3 hosts and 2 ports do not go together: give one port, one for each host, or one host\n",
        ),
        (
            &["-L", "mqtt://u@a", "-L", "mqtt://b"],
            "mqtt: the URLs have several users, and the clients have one: name it by --username and --password\n",
        ),
        (&["-h", "a", "-L", "mqtt://b"], "cannot be used with"),
    ] {
        let arguments = ["bench", "conn"].iter().chain(brokers);
        Mqtt::new(arguments).status(2).stderr_contains(words).run();
    }
    Mqtt::new([
        "pub",
        "-t",
        "a",
        "-m",
        "b",
        "-h",
        "127.0.0.1",
        "-h",
        "localhost",
        "-p",
        "1",
    ])
    .status(3)
    .stderr_contains("localhost:1")
    .run();
}

#[test]
fn clients_take_brokers_and_addresses_in_turn_and_each_has_a_name() {
    let (one, at_one) = doorman();
    let (other, at_other) = doorman();
    let words = "conn -c 4 --source 127.0.0.1,127.0.0.2 -i dev-%i-of-%n -u user%i -P %r{1..1}%%";
    let words = words
        .split(' ')
        .chain(["--broker", &one, "--broker", &other]);
    let found = report(&words.collect::<Vec<_>>(), 0);
    assert_eq!(found["connections"]["made"], 4, "{found:#}");
    let seen = |told: Receiver<(String, Connect)>| {
        let mut seen: Vec<String> = told
            .try_iter()
            .map(|(from, connect)| {
                let password = connect.password.unwrap();
                let password = String::from_utf8_lossy(&password);
                format!(
                    "{from} {} {} {password}",
                    connect.client_id,
                    connect.username.unwrap()
                )
            })
            .collect();
        seen.sort();
        seen
    };
    assert_eq!(
        seen(at_one),
        [
            "127.0.0.1 dev-1-of-4 user1 1%",
            "127.0.0.2 dev-3-of-4 user3 1%"
        ]
    );
    assert_eq!(
        seen(at_other),
        [
            "127.0.0.1 dev-2-of-4 user2 1%",
            "127.0.0.2 dev-4-of-4 user4 1%"
        ]
    );
}

#[test]
fn a_name_or_a_password_that_is_no_pattern_is_refused_without_showing_the_password() {
    Mqtt::new(["bench", "conn", "-u", "a", "-P", "5%x"])
        .status(2)
        .stderr_like(|text| text.contains("--pw: ") && text.contains("%%") && !text.contains("5%x"))
        .run();
}

#[test]
fn each_of_several_brokers_has_its_part_in_the_report() {
    let (serve, mosquitto) = (MqttServe::start::<&str>([]), Mosquitto::start([]));
    let folder = tempfile::tempdir().unwrap();
    let (saved, page) = (folder.path().join("run"), folder.path().join("page"));
    let (first, second) = (
        serve.url(),
        format!("mqtt://127.0.0.1:{}", mosquitto.port()),
    );
    let (saved_at, page_at) = (
        format!("--json={}", saved.display()),
        format!("--html={}", page.display()),
    );
    let brokers = ["-L", &first, "-L", &second];
    // 25 messages of each publisher; two thirds of the clients are at the first broker.
    let load = "pubsub --publishers 3 --subscribers 3 --count 75 -q 1".split(' ');
    let finished = bench(load.chain(brokers).chain([&*saved_at, &*page_at]))
        .stdout_any()
        .run();
    let text = finished.stdout_text();
    let lines: Vec<Vec<&str>> = text
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    for (endpoint, counts) in [(&first, ["4", "50", "50"]), (&second, ["2", "25", "25"])] {
        let is_row = |line: &&Vec<&str>| line.len() > 4 && line.last() == Some(&endpoint.as_str());
        let line = lines.iter().find(is_row).unwrap();
        assert_eq!(line[1..4], counts, "{text}");
    }
    let run = std::fs::read_to_string(&saved).unwrap();
    let found: serde_json::Value = serde_json::from_str(&run).unwrap();
    for (place, sent) in [(0, 50), (1, 25)] {
        let broker = &found["brokers"][place];
        assert_eq!(broker["sent"], sent, "{broker:#}");
        assert_eq!(broker["latency_us"]["samples"], sent, "{broker:#}");
    }
    assert!(
        std::fs::read_to_string(&page)
            .unwrap()
            .contains("<h2>The brokers</h2>")
    );
    // Merged, each has what it had in both.
    let merged = Mqtt::new(["bench", "report", "--json", "-"])
        .stdin(run.clone() + &run)
        .stdout_any()
        .run();
    let merged = json(&merged);
    assert_eq!(merged["brokers"][0]["delivered"], 100, "{merged:#}");
    assert_eq!(merged["brokers"][1]["latency_us"]["samples"], 50);

    for (load, samples) in [("conn -c 6", 3), ("pub --publishers 2 --count 40", 20)] {
        let found = report(
            &[&load.split(' ').collect::<Vec<_>>()[..], &brokers].concat(),
            0,
        );
        for place in 0..2 {
            let latency = &found["brokers"][place]["latency_us"];
            assert_eq!(latency["samples"], samples, "{load} {latency:#}");
        }
    }
    let found = report(&["conn", "-c", "2", "-L", &first], 0);
    assert!(found.get("brokers").is_none(), "{found:#}");
}
