//! `mqtt reply`: a device in one line, asked by `mqtt req` and by mosquitto_rr.

use std::net::TcpListener;

use mqtt_toolbox::mqtt::packet::{Acknowledgement, ConnAck, Packet, Publish, SubAck};
use mqtt_toolbox::mqtt::{Properties, Property, QoS, ReasonCode, Version};

use crate::clients::{brokers, publish, subscribe};
use crate::harness::{Mqtt, Running, eventually};
use crate::servers::MqttServe;
use crate::wire::{Wire, listen};

/// `mqtt reply`, running and known to answer.
#[track_caller]
fn replier(url: &str, arguments: &[&str]) -> Running {
    let mut running = Mqtt::new(["reply", "-L", url, "-t", "ping"].iter().chain(arguments)).start();
    eventually("it answers", || {
        assert!(running.is_running(), "{}", running.stderr());
        let asked = Mqtt::new([
            "req", "-L", url, "-t", "ping", "-m", "x", "-q", "1", "-W", "5",
        ])
        .stdout_any()
        .stderr_any()
        .start()
        .wait();
        // Before it has subscribed nobody is there, which the broker says.
        (asked.status == 0).then_some(())
    });
    running
}

fn ask(url: &str, topic: &str, payload: &str) -> Mqtt {
    Mqtt::new([
        "req", "-L", url, "-t", topic, "-m", payload, "-q", "1", "-W", "30",
    ])
}

#[test]
fn a_request_is_answered_on_its_response_topic_with_its_correlation_data() {
    let broker = MqttServe::start([""; 0]);
    let url = broker.url();
    for (source, expected) in [
        (&["--echo"][..], "what?\n"),
        (&["-m", "42"], "42\n"),
        (
            &["-F", "{\"topic\":\"%t\",\"asked\":\"%p\"}"],
            "{\"topic\":\"dev/7\",\"asked\":\"what?\"}\n",
        ),
        (
            &[
                "--exec",
                "sh",
                "-c",
                "tr a-z A-Z; printf \" on $MQTT_TOPIC\"",
            ],
            "WHAT? on dev/7\n",
        ),
    ] {
        let _running = replier(&url, &[&["-t", "dev/+", "-q", "1"], source].concat());
        ask(&url, "dev/7", "what?").stdout(expected).run();
    }
}

#[test]
fn mosquitto_rr_gets_its_reply_too() {
    for broker in brokers() {
        let port = broker.url.rsplit_once(':').unwrap().1.to_owned();
        let serve = [
            "reply",
            "-L",
            &broker.url,
            "-t",
            "dev/7",
            "--echo",
            "-q",
            "1",
        ];
        let mut running = Mqtt::new(serve).start();
        eventually("it answers", || {
            let arguments = [
                "-p", &port, "-t", "dev/7", "-e", "answers", "-m", "hello", "-W", "1", "-q", "1",
            ];
            let asked = Mqtt::program("mosquitto_rr", arguments).start().wait();
            (asked.stdout == b"hello\n").then_some(())
        });
        assert_eq!(running.stop("TERM").status, 0, "{}", broker.name);
    }
}

#[test]
fn before_mqtt_5_the_reply_goes_where_both_sides_expect_it() {
    let broker = MqttServe::start([""; 0]);
    let url = broker.url();
    for (arguments, place) in [
        (&[][..], "dev/7/reply"),
        (&["-e", "answers/%t"], "answers/dev/7"),
    ] {
        let all = [
            &["reply", "-L", &url, "-V", "311", "-t", "dev/7", "--echo"],
            arguments,
        ]
        .concat();
        let _running = Mqtt::new(all).start();
        eventually("it answers", || {
            let asked = [
                "req", "-L", &url, "-V", "311", "-t", "dev/7", "-e", place, "-m", "hi", "-W",
                "500ms",
            ];
            let asked = Mqtt::new(asked).start().wait();
            (asked.stdout == b"hi\n").then_some(())
        });
    }
}

#[test]
fn a_reply_is_never_taken_for_a_request() {
    let broker = MqttServe::start([""; 0]);
    let url = broker.url();
    let mut running = replier(&url, &["-t", "dev/#", "-m", "ok"]);
    let mut watcher = subscribe(&url, &["-t", "dev/#", "-v", "-C", "2"]).start();
    eventually("it watches", || {
        publish(&url, &["-t", "dev/a", "-m", "hi"]).run();
        (!watcher.stdout().is_empty()).then_some(())
    });
    let line = running.wait_for_stderr(|line| line.contains("would be a request again"));
    assert_eq!(
        line,
        "mqtt: the request on dev/a names no response topic, and a reply on dev/a/reply would be a request again; see --response-topic"
    );
    // One that does name a place is answered there, even though it is among the requests.
    let place = ["req", "-L", &url, "-t", "dev/b", "-e", "dev/c", "-n"];
    Mqtt::new(place).stdout("ok\n").run();
    watcher.kill();
}

#[test]
fn a_share_of_the_requests_is_left_without_a_reply_and_each_is_reported() {
    let broker = MqttServe::start([""; 0]);
    let url = broker.url();
    let deaf = [
        "reply", "-L", &url, "-t", "dev/7", "--echo", "--fail", "100%", "-v", "-C", "1", "-q", "1",
    ];
    let mut running = Mqtt::new(deaf).start();
    eventually("it hears", || {
        let asked = [
            "req", "-L", &url, "-t", "dev/7", "-n", "-q", "1", "-W", "200ms",
        ];
        let asked = Mqtt::new(asked).start().wait();
        assert!(asked.status == 27 || asked.status == 5, "{asked:?}");
        (!running.is_running()).then_some(())
    });
    let finished = running.wait();
    assert_eq!(
        (finished.status, &*finished.stderr),
        (0, "mqtt: left the request on dev/7 unanswered\n")
    );
}

#[test]
fn a_delay_holds_up_each_reply_and_not_one_behind_the_other() {
    let broker = MqttServe::start([""; 0]);
    let url = broker.url();
    // Twenty one behind the other would take longer than anyone waits here.
    let _running = replier(&url, &["-t", "slow", "--echo", "--delay", "1s..2s"]);
    let mut all: Vec<Running> = (0..20).map(|_| ask(&url, "slow", "x").start()).collect();
    for asking in &mut all {
        assert_eq!(asking.wait().stdout_text(), "x\n");
    }
    let never = [
        "reply", "-L", &url, "-t", "never", "--echo", "--delay", "1h", "-q", "1",
    ];
    let _never = Mqtt::new(never).start();
    eventually("it is there", || {
        let asked = [
            "req", "-L", &url, "-t", "never", "-n", "-q", "1", "-W", "300ms",
        ];
        let asked = Mqtt::new(asked).start().wait();
        // Until it has subscribed nobody is there, which the broker says.
        assert!(asked.status == 27 || asked.status == 5, "{asked:?}");
        (asked.status == 27).then_some(())
    });
}

#[test]
fn a_command_that_fails_leaves_its_request_unanswered() {
    let broker = MqttServe::start([""; 0]);
    let url = broker.url();
    let script = "read word; test $word != bad && echo $word";
    let mut running = replier(&url, &["-t", "dev/7", "--exec", "sh", "-c", script]);
    Mqtt::new(["req", "-L", &url, "-t", "dev/7", "-m", "bad", "-W", "500ms"])
        .stderr("mqtt: timed out after 500ms\n")
        .status(27)
        .run();
    running.wait_for_stderr(|line| {
        line == "mqtt: sh failed on topic dev/7: it ended with status 1; the request is left unanswered"
    });
    ask(&url, "dev/7", "good").stdout("good\n\n").run();
    Mqtt::new(["reply", "-t", "a"])
        .status(2)
        .stderr_contains("--echo")
        .run();
}

/// A broker's end of a connection to `mqtt reply -q 1 --echo`, which takes one unacknowledged reply at a time.
struct NarrowBroker {
    running: Running,
    listener: TcpListener,
}

impl NarrowBroker {
    fn new(arguments: &[&str]) -> NarrowBroker {
        let (listener, url) = listen();
        let reply = ["reply", "-L", &url, "-t", "ping", "-q", "1", "--echo"];
        let running = Mqtt::new(reply.iter().chain(arguments)).start();
        NarrowBroker { running, listener }
    }

    /// The next connection, accepted.
    fn accept(&self, session_present: bool) -> Wire {
        let mut wire = Wire::accept(&self.listener, Version::V5);
        assert!(matches!(wire.receive(), Packet::Connect(_)));
        wire.send(Packet::ConnAck(ConnAck {
            session_present,
            reason: ReasonCode::SUCCESS,
            properties: Properties(vec![Property::ReceiveMaximum(1)]),
        }));
        if !session_present {
            let Packet::Subscribe(subscribe) = wire.receive() else {
                panic!("no SUBSCRIBE");
            };
            wire.send(Packet::SubAck(SubAck {
                packet_id: subscribe.packet_id,
                reasons: vec![ReasonCode(1)],
                properties: Properties::default(),
            }));
        }
        wire
    }
}

fn request(packet_id: u16, dup: bool, payload: Vec<u8>) -> Packet {
    Packet::Publish(Publish {
        dup,
        qos: match packet_id {
            0 => QoS::AtMostOnce,
            _ => QoS::AtLeastOnce,
        },
        retain: false,
        topic: "ping".into(),
        packet_id,
        properties: Properties(vec![Property::ResponseTopic("answers".into())]),
        payload: payload.into(),
    })
}

fn puback(packet_id: u16) -> Packet {
    Packet::PubAck(Acknowledgement::success(packet_id))
}

#[track_caller]
fn reply(wire: &mut Wire) -> Publish {
    match wire.receive() {
        Packet::Publish(reply) => reply,
        other => panic!("{other:?} is no reply"),
    }
}

#[test]
fn a_request_is_acknowledged_when_the_broker_has_its_reply() {
    let session = ["-c", "-i", "device", "--retry-max-delay", "20ms"];
    let mut broker = NarrowBroker::new(&session);
    let mut wire = broker.accept(false);
    for packet_id in 1..=3 {
        wire.send(request(packet_id, false, vec![b'0' + packet_id as u8]));
    }
    assert_eq!(reply(&mut wire).payload, "1");
    // It is not known whether that arrived.
    wire.stream.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(wire.rest(), []);
    let mut wire = broker.accept(true);
    for packet_id in 1..=3 {
        wire.send(request(packet_id, true, vec![b'0' + packet_id as u8]));
    }
    let mut seen = Vec::new();
    while !seen.contains(&"request 3".to_owned()) {
        match wire.receive() {
            Packet::Publish(reply) => {
                seen.push(format!("reply {}", String::from_utf8_lossy(&reply.payload)));
                wire.send(puback(reply.packet_id));
            }
            Packet::PubAck(Acknowledgement { packet_id, .. }) => {
                seen.push(format!("request {packet_id}"))
            }
            other => panic!("{other:?}"),
        }
    }
    for number in 1..=3 {
        let place = |word: &str| {
            seen.iter()
                .position(|each| *each == format!("{word} {number}"))
        };
        assert!(place("reply") < place("request"), "{seen:?}");
    }
    assert_eq!(seen.len(), 6, "{seen:?}");
    assert_eq!(broker.running.stop("TERM").status, 0);
}

#[test]
fn requests_beyond_what_may_wait_for_the_broker_are_left_unanswered_and_counted() {
    let mut broker = NarrowBroker::new(&[]);
    let mut wire = broker.accept(false);
    let mut played = wire.stream.try_clone().unwrap();
    // 32 MiB, of which a half may wait.
    let sent = 512;
    let sender = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let packet = request(0, false, vec![b'x'; 1 << 16]);
        mqtt_toolbox::mqtt::codec::write(&packet, Version::V5, &mut bytes).unwrap();
        for _ in 0..sent {
            std::io::Write::write_all(&mut played, &bytes).unwrap();
        }
    });
    let mut first = reply(&mut wire);
    sender.join().unwrap();
    broker
        .running
        .wait_for_stderr(|line| line.contains("requests come faster"));
    // One of QoS 1 is taken all the same, and being the last it ends the replies.
    wire.send(request(1, false, b"last".to_vec()));
    let mut replies = 1;
    while first.payload != "last" {
        wire.send(puback(first.packet_id));
        first = reply(&mut wire);
        replies += 1;
    }
    wire.send(puback(first.packet_id));
    let left = broker
        .running
        .wait_for_stderr(|line| line.starts_with("mqtt: requests of QoS 0 left unanswered"));
    let count = sent + 1 - replies;
    assert_eq!(
        left,
        format!(
            "mqtt: requests of QoS 0 left unanswered because too many replies waited for the broker: {count}"
        )
    );
    assert!((200..300).contains(&replies), "{replies}");
    assert_eq!(broker.running.stop("TERM").status, 0);
}
