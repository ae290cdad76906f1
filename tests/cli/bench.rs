//! `mqtt bench`: against mosquitto, our own broker, and brokers that lose, double, reorder, refuse and hang up.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use bytes::BytesMut;
use mqtt_toolbox::mqtt::codec;
use mqtt_toolbox::mqtt::packet::{Acknowledgement, ConnAck, Publish, SubAck};
use mqtt_toolbox::mqtt::{Packet, Properties, QoS, ReasonCode, Version};
use serde_json::Value;

use crate::harness::{Finished, Mqtt};
use crate::servers::{Mosquitto, MqttServe};

/// What a program built without optimisation says before it measures.
const WARNING: &str = if cfg!(debug_assertions) {
    "mqtt: warning: built without optimisation, the numbers say little; use cargo build --release\n"
} else {
    ""
};

pub fn bench<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Mqtt {
    Mqtt::new(std::iter::once("bench").chain(arguments)).stderr(WARNING)
}

/// Runs it with `--json`.
pub fn report(arguments: &[&str], status: i32) -> Value {
    let all = arguments.iter().copied().chain(["--json"]);
    json(&bench(all).status(status).stdout_any().run())
}

pub fn json(finished: &Finished) -> Value {
    serde_json::from_slice(&finished.stdout).expect("the report is JSON")
}

#[test]
fn it_measures_its_own_broker_without_being_told_anything_else() {
    let finished = bench(["--serve", "--duration", "1s", "--warmup", "100ms"])
        .stdout_any()
        .run();
    let text = finished.stdout_text();
    assert!(text.starts_with(
        "10 publishers to 10 subscribers, QoS 1, 64 bytes, as fast as flow control allows\n"
    ));
    for words in [
        "DELIVERY CHECK PASSED",
        "delivered",
        "p99.99",
        "none lost, doubled or out of order",
    ] {
        assert!(text.contains(words), "no {words:?} in\n{text}");
    }
    assert!(!text.contains('\x1b'), "colour in a pipe:\n{text}");
    assert!(
        !text.contains("response"),
        "nothing is due without a rate:\n{text}"
    );
}

#[test]
fn counts_are_exact_at_every_quality_of_service_in_every_version() {
    // By its default limits mosquitto drops acknowledged messages when a subscriber falls behind.
    let mosquitto = Mosquitto::start(["max_queued_messages 0", "max_inflight_messages 0"]);
    let serve = MqttServe::start::<&str>([]);
    for port in [mosquitto.port(), serve.port()] {
        for (qos, version) in [
            ("0", "311"),
            ("1", "31"),
            ("1", "5"),
            ("2", "311"),
            ("2", "5"),
        ] {
            let report = report(
                &[
                    "-h",
                    "127.0.0.1",
                    "-p",
                    &port,
                    "-q",
                    qos,
                    "-V",
                    version,
                    "--publishers",
                    "3",
                    "--subscribers",
                    "3",
                    "--count",
                    "1000",
                    "--rate",
                    "5k",
                ],
                0,
            );
            assert_eq!(report["messages"]["sent"], 1000, "{report:#}");
            assert_eq!(report["delivery"]["expected"], 1000);
            assert_eq!(report["delivery"]["received"], 1000);
            assert_eq!(report["latency_us"]["response"]["samples"], 1000);
            assert_eq!(report["latency_us"]["service"]["samples"], 1000);
            assert_eq!(report["latency_us"]["send_delay"]["samples"], 1000);
            assert!(report["latency_us"]["response"]["p99"].is_u64());
            assert!(
                report["latency_us"]["response"]["p99.9"].is_null(),
                "too few samples"
            );
            assert_eq!(report["rate_per_s"]["offered"], 5000.0);
            let acknowledged = &report["messages"]["acknowledged"];
            assert!(match qos {
                "0" => acknowledged.is_null(),
                _ => *acknowledged == 1000,
            });
        }
    }
}

#[test]
fn the_report_says_what_was_done_to_whom_and_in_which_form() {
    let serve = MqttServe::start::<&str>([]);
    let report = report(
        &[
            "-L",
            &serve.url(),
            "--publishers",
            "1",
            "--subscribers",
            "1",
            "--count",
            "50",
            "-t",
            "a/%i%%",
            "--size",
            "100",
            "--window",
            "7",
            "-V",
            "5",
        ],
        0,
    );
    assert_eq!(report["schema"], 1);
    assert_eq!(report["tool"]["name"], "mqtt bench");
    assert_eq!(report["broker"]["endpoint"], serve.url());
    assert_eq!(report["broker"]["version"], "5");
    assert_eq!(report["broker"]["embedded"], false);
    assert_eq!(report["broker"]["window"], 7);
    assert_eq!(report["plan"]["topic"], "a/%i%%");
    assert_eq!(report["plan"]["stop"]["count"], 50);
    assert_eq!(report["plan"]["size"], 100);
    assert!(report["plan"]["rate_per_s"].is_null());
    assert!(
        report["latency_us"]["response"].is_null(),
        "nothing is due without a rate"
    );
    assert!(report["latency_us"]["service"]["p50"].is_u64());
    assert!(report["environment"]["cpus"].is_u64());
    assert_eq!(report["environment"]["debug_build"], cfg!(debug_assertions));
}

#[test]
fn a_message_to_many_subscribers_is_counted_for_each() {
    let serve = MqttServe::start::<&str>([]);
    let run = |more: &[&str]| {
        let port = serve.port();
        let all = [&["-h", "127.0.0.1", "-p", &port, "--count", "100"], more].concat();
        let report = report(&all, 0);
        (
            report["delivery"]["expected"].as_u64(),
            report["delivery"]["received"].as_u64(),
        )
    };
    assert_eq!(
        run(&["--publishers", "1", "--subscribers", "20"]),
        (Some(2000), Some(2000)),
        "fan-out"
    );
    assert_eq!(
        run(&["--publishers", "20", "--subscribers", "1"]),
        (Some(100), Some(100)),
        "fan-in"
    );
    assert_eq!(
        run(&["--publishers", "4", "--subscribers", "3", "-t", "all"]),
        (Some(300), Some(300)),
        "broadcast"
    );
    assert_eq!(
        run(&[
            "--publishers",
            "4",
            "--subscribers",
            "2",
            "-t",
            "%i/温度",
            "--filter",
            "+/温度"
        ]),
        (Some(200), Some(200)),
        "a filter with a wildcard"
    );
    assert_eq!(
        run(&["--publishers", "2", "--subscribers", "0"]),
        (Some(0), Some(0)),
        "nobody listens"
    );
}

#[test]
fn payloads_may_be_as_small_as_the_header_or_larger_than_any_buffer() {
    let serve = MqttServe::start::<&str>([]);
    for (size, count) in [
        ("16", "500"),
        ("31", "500"),
        ("32", "500"),
        ("1000000", "20"),
    ] {
        let report = report(
            &[
                "-h",
                "127.0.0.1",
                "-p",
                &serve.port(),
                "--publishers",
                "2",
                "--subscribers",
                "2",
                "--size",
                size,
                "--count",
                count,
                "--rate",
                "5k",
            ],
            0,
        );
        assert_eq!(report["delivery"]["received"].to_string(), count);
        assert_eq!(
            report["latency_us"]["response"]["samples"].to_string(),
            count
        );
    }
}

#[test]
fn a_broker_that_loses_doubles_and_reorders_is_found_out_exactly() {
    let broker = Scripted::start(|sequence| match sequence % 50 {
        7 => Deed::Lose,
        17 => Deed::Double,
        27 => Deed::Swap,
        _ => Deed::Deliver,
    });
    let arguments = [
        "-h",
        "127.0.0.1",
        "-p",
        &broker.port,
        "--publishers",
        "4",
        "--subscribers",
        "8",
        "--count",
        "1000",
    ];
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
fn a_duplicate_breaks_the_promise_of_qos_2_only() {
    let broker = Scripted::start(|sequence| match sequence {
        3 => Deed::Double,
        _ => Deed::Deliver,
    });
    let run = |qos, status| {
        let arguments = [
            "-h",
            "127.0.0.1",
            "-p",
            &broker.port,
            "--publishers",
            "1",
            "--subscribers",
            "1",
            "--count",
            "10",
        ];
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
    let arguments = [
        "-h",
        "127.0.0.1",
        "-p",
        &broker.port,
        "-q",
        "0",
        "--publishers",
        "1",
        "--subscribers",
        "1",
        "--count",
        "100",
    ];
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
    let finished = bench([
        "-h",
        "127.0.0.1",
        "-p",
        &broker.port,
        "--publishers",
        "1",
        "--subscribers",
        "1",
        "--count",
        "10",
    ])
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
    let report = Mqtt::new([
        "bench",
        "-h",
        "127.0.0.1",
        "-p",
        &broker.port,
        "--publishers",
        "1",
        "--subscribers",
        "1",
        "--count",
        "10",
        "--json",
    ])
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
    Mqtt::new([
        "bench",
        "-h",
        "127.0.0.1",
        "-p",
        "1",
        "--publishers",
        "1",
        "--subscribers",
        "0",
    ])
    .status(3)
    .stderr_contains("mqtt: publisher 1: cannot connect to mqtt://127.0.0.1:1: connection refused; is a broker running there? `mqtt serve` starts one\n")
    .run();
}

#[test]
fn a_server_that_does_not_answer_or_speaks_something_else_is_status_3() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port().to_string();
    Mqtt::new([
        "bench",
        "-h",
        "127.0.0.1",
        "-p",
        &port,
        "--publishers",
        "1",
        "--subscribers",
        "0",
        "--connect-timeout",
        "300ms",
    ])
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
    Mqtt::new([
        "bench",
        "-h",
        "127.0.0.1",
        "-p",
        &port,
        "--publishers",
        "1",
        "--subscribers",
        "0",
    ])
    .status(3)
    .stderr_contains("is no MQTT broker: ")
    .run();
}

#[test]
fn a_refused_connection_is_status_4() {
    let mosquitto = Mosquitto::start(["allow_anonymous false"]);
    for (version, reason) in [
        ("311", "bad user name or password"),
        ("5", "not authorized"),
    ] {
        let _ = reason;
        Mqtt::new([
            "bench",
            "-h",
            "127.0.0.1",
            "-p",
            &mosquitto.port(),
            "-V",
            version,
            "--publishers",
            "1",
            "--subscribers",
            "1",
        ])
        .status(4)
        .stderr_contains("refused the connection: not authorized")
        .run();
    }
}

#[test]
fn a_refused_subscription_is_status_5() {
    let broker = Scripted::start(|_| Deed::Deliver);
    Mqtt::new([
        "bench",
        "-h",
        "127.0.0.1",
        "-p",
        &broker.port,
        "--publishers",
        "1",
        "--subscribers",
        "1",
        "-t",
        "forbidden",
    ])
    .status(5)
    .stderr_contains("subscriber 1: subscription to forbidden refused: unspecified error (0x80)")
    .run();
}

#[test]
fn a_wrong_command_line_is_status_2() {
    for (arguments, words) in [
        (&["--size", "15"][..], "--size must be at least 16"),
        (&["-t", "a/#"], "is no topic to publish to"),
        (&["-t", "a/%n"], "there is %i"),
        (&["--rate", "fast"], "is no rate"),
        (&["--publishers", "0"], "--publishers must be 1"),
        (
            &["conn", "--size", "64"],
            "--size has no meaning in `mqtt bench conn`",
        ),
        (
            &["pub", "--filter", "a"],
            "--filter has no meaning in `mqtt bench pub`",
        ),
        (&["idle", "--clients", "0"], "--clients must be 1"),
        (&["idle", "--duration", "0s"], "--duration must not be 0"),
        (&["sub"], "needs a topic filter"),
        (
            &["sub", "-t", "a/#/b"],
            "--topic: \"a/#/b\" is no topic filter",
        ),
        (
            &["sub", "-t", "a", "--serve"],
            "nobody else knows the broker",
        ),
        (&["--serve", "-p", "1883"], "cannot be used with"),
        (&["--count", "5", "--duration", "5s"], "cannot be used with"),
        (&["--slo", "p98<1ms"], "\"p98\" is not measured"),
        (&["--slo", "p99<1"], "a latency is compared with a time"),
    ] {
        Mqtt::new([&["bench"], arguments].concat())
            .status(2)
            .stderr_contains(words)
            .run();
    }
}

#[test]
fn the_first_signal_ends_the_run_and_the_report_is_printed() {
    let serve = MqttServe::start::<&str>([]);
    let mut running = bench([
        "-h",
        "127.0.0.1",
        "-p",
        &serve.port(),
        "--duration",
        "1h",
        "--rate",
        "1000",
        "--warmup",
        "0s",
        "-v",
        "--json",
    ])
    .start();
    running.wait_for_stderr(|line| line.contains("delivered"));
    let finished = running.stop("INT");
    assert_eq!(finished.status, 130, "{}", finished.stderr);
    assert!(
        finished.stderr.contains("ending the run"),
        "{}",
        finished.stderr
    );
    let report = json(&finished);
    assert_eq!(report["interrupted"], true);
    assert_eq!(
        report["delivery"]["expected"],
        report["delivery"]["received"]
    );
    assert_eq!(report["check"]["passed"], true);
}

#[test]
fn the_second_signal_leaves_at_once() {
    let broker = Scripted::start(|_| Deed::Lose);
    let mut running = bench([
        "-h",
        "127.0.0.1",
        "-p",
        &broker.port,
        "--duration",
        "1h",
        "--rate",
        "100",
        "-v",
    ])
    .start();
    running.wait_for_stderr(|line| line.contains("sent"));
    running.signal("INT");
    running.wait_for_stderr(|line| line.contains("ending the run"));
    let finished = running.stop("INT");
    assert_eq!(finished.status, 130);
    assert!(finished.stdout.is_empty(), "{}", finished.stdout_text());
}

#[test]
fn a_reader_who_leaves_is_no_error() {
    Mqtt::shell("mqtt bench --serve --count 10 --json 2>/dev/null | head -c 1; echo")
        .stdout("{\n")
        .run();
}

/// What a scripted broker does with a publish.
#[derive(Clone, Copy)]
enum Deed {
    Deliver,
    Lose,
    Double,
    /// Deliver it after the publisher's next one.
    Swap,
    /// Close the publisher's connection instead.
    HangUp,
    /// Answer with what is no packet.
    Babble,
}

/// A broker that acknowledges everything and does to each publisher's n-th publish what it is told.
struct Scripted {
    port: String,
}

type Subscriptions = Arc<Mutex<Vec<(String, QoS, TcpStream)>>>;

impl Scripted {
    fn start(script: fn(u64) -> Deed) -> Scripted {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("a bound listener").port();
        let subscriptions = Subscriptions::default();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let subscriptions = Arc::clone(&subscriptions);
                std::thread::spawn(move || serve(stream, script, &subscriptions));
            }
        });
        Scripted {
            port: port.to_string(),
        }
    }
}

/// Serves one client until it leaves or the script hangs up.
fn serve(mut stream: TcpStream, script: fn(u64) -> Deed, subscriptions: &Subscriptions) {
    let mut bytes = BytesMut::new();
    let mut buffer = vec![0; 1 << 16];
    let mut sequence = 0;
    let mut held = None;
    loop {
        let packet = match codec::read(&mut bytes, Version::V311, u32::MAX) {
            Ok(Some(packet)) => packet,
            Ok(None) => match stream.read(&mut buffer) {
                Ok(count @ 1..) => {
                    bytes.extend_from_slice(&buffer[..count]);
                    continue;
                }
                _ => return,
            },
            Err(malformed) => panic!("{malformed}"),
        };
        let ack = |packet_id| Acknowledgement::success(packet_id);
        let answer = match packet {
            Packet::Connect(_) => Packet::ConnAck(ConnAck {
                session_present: false,
                reason: ReasonCode::SUCCESS,
                properties: Properties::default(),
            }),
            Packet::Subscribe(subscribe) => {
                let wanted = &subscribe.filters[0];
                let refused = wanted.filter == "forbidden";
                let own = stream.try_clone().expect("a second handle");
                subscriptions
                    .lock()
                    .unwrap()
                    .push((wanted.filter.to_string(), wanted.qos, own));
                Packet::SubAck(SubAck {
                    packet_id: subscribe.packet_id,
                    reasons: vec![if refused {
                        ReasonCode::UNSPECIFIED_ERROR
                    } else {
                        ReasonCode(wanted.qos.number())
                    }],
                    properties: Properties::default(),
                })
            }
            Packet::Publish(publish) => {
                let deed = script(sequence);
                sequence += 1;
                let answer = match publish.qos {
                    QoS::AtMostOnce => None,
                    QoS::AtLeastOnce => Some(Packet::PubAck(ack(publish.packet_id))),
                    QoS::ExactlyOnce => Some(Packet::PubRec(ack(publish.packet_id))),
                };
                let late = held.take();
                match deed {
                    Deed::HangUp => return,
                    Deed::Babble => drop(stream.write_all(&[0x40, 0x02, 0x00, 0x00])),
                    Deed::Swap => held = Some(publish),
                    Deed::Lose => {}
                    Deed::Deliver => deliver(&publish, 1, subscriptions),
                    Deed::Double => deliver(&publish, 2, subscriptions),
                }
                if let Some(late) = late {
                    deliver(&late, 1, subscriptions);
                }
                match answer {
                    Some(answer) => answer,
                    None => continue,
                }
            }
            Packet::PubRel(release) => Packet::PubComp(ack(release.packet_id)),
            // To a subscriber: the second half of QoS 2.
            Packet::PubRec(received) => Packet::PubRel(ack(received.packet_id)),
            Packet::PingReq => Packet::PingResp,
            Packet::Disconnect(_) => return,
            _ => continue,
        };
        send(&mut stream, &answer);
    }
}

/// Sends the publish this often to everyone whose filter is its topic.
fn deliver(publish: &Publish, times: u16, subscriptions: &Subscriptions) {
    // One identifier for each copy, never the same one for two messages that can be open at a time.
    static NEXT: std::sync::atomic::AtomicU16 = std::sync::atomic::AtomicU16::new(0);
    for (filter, qos, stream) in subscriptions.lock().unwrap().iter_mut() {
        for _ in 0..times {
            if *filter == *publish.topic {
                let id = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed) % 60_000 + 1;
                let copy = Publish {
                    qos: *qos,
                    packet_id: if *qos == QoS::AtMostOnce { 0 } else { id },
                    ..publish.clone()
                };
                send(stream, &Packet::Publish(copy));
            }
        }
    }
}

/// Whoever has left does not get it.
fn send(stream: &mut TcpStream, packet: &Packet) {
    let mut bytes = Vec::new();
    codec::write(packet, Version::V311, &mut bytes).expect("small packets");
    let _ = stream.write_all(&bytes);
}
