//! What CONNECT says, and what becomes of a connection that a broker refuses, sends elsewhere or does not take yet.

use std::thread::JoinHandle;

use mqtt_toolbox::mqtt::packet::{ConnAck, Connect};
use mqtt_toolbox::mqtt::{Packet, Properties, Property, ReasonCode, Version};

use crate::harness::Mqtt;
use crate::servers::{Mosquitto, MqttServe};
use crate::wire::{Wire, listen};

/// A broker that answers one connection after the other with what stands in the list, `None` for none at all, and returns the
/// CONNECTs.
pub fn broker(answers: Vec<(Version, Option<ConnAck>)>) -> (String, JoinHandle<Vec<Connect>>) {
    let (listener, url) = listen();
    let thread = std::thread::spawn(move || {
        let mut seen = Vec::new();
        for (version, answer) in answers {
            let mut peer = Wire::accept(&listener, version);
            let Packet::Connect(connect) = peer.receive() else {
                panic!("the first packet is no CONNECT");
            };
            seen.push(*connect);
            let Some(answer) = answer else { continue };
            let accepts = !answer.reason.is_failure();
            // An old broker answers in the old form, whatever it was asked in.
            let form = match answer.reason {
                ReasonCode::UNSUPPORTED_PROTOCOL_VERSION => Version::V311,
                _ => version,
            };
            peer.version = form;
            peer.send(Packet::ConnAck(answer));
            peer.version = version;
            while accepts && peer.receive_or_end().is_some() {}
        }
        seen
    });
    (url, thread)
}

pub fn answer(reason: ReasonCode, properties: Vec<Property>) -> Option<ConnAck> {
    Some(ConnAck {
        session_present: false,
        reason,
        properties: Properties(properties),
    })
}

pub fn welcome() -> Option<ConnAck> {
    answer(ReasonCode::SUCCESS, Vec::new())
}

/// `mqtt pub` of one message of QoS 0 there.
pub fn publish(url: &str, more: &[&str]) -> Mqtt {
    let arguments = ["pub", "-t", "a", "-m", "b", "-L", url];
    Mqtt::new(arguments.iter().chain(more))
}

#[test]
fn connect_says_what_the_options_say() {
    let (url, thread) = broker(vec![(Version::V5, welcome())]);
    let folder = tempfile::tempdir().unwrap();
    let payload = folder.path().join("will");
    std::fs::write(&payload, b"from a file").unwrap();
    let session = "-i me -x 7 --receive-maximum 9 --maximum-packet-size 4096 --topic-alias-maximum 5 --connect-user-property a=b";
    let will = "--will-topic w --will-qos 1 --will-retain --will-delay-interval 30 --will-message-expiry-interval 60 \
                --will-content-type text/plain --will-payload-format-indicator --will-response-topic r \
                --will-correlation-data c --will-user-property x=y=z";
    let mut arguments: Vec<&str> = session
        .split_whitespace()
        .chain(will.split_whitespace())
        .collect();
    arguments.extend(["--will-payload-file", payload.to_str().unwrap()]);
    publish(&url, &arguments).run();
    let connect = thread.join().unwrap().remove(0);
    assert_eq!(connect.client_id, "me");
    assert!(connect.clean_start);
    let sorted = |properties: &Properties| {
        let mut said: Vec<String> = properties
            .0
            .iter()
            .map(|each| format!("{each:?}"))
            .collect();
        said.sort();
        said.join(" ")
    };
    assert_eq!(
        sorted(&connect.properties),
        "MaximumPacketSize(4096) ReceiveMaximum(9) SessionExpiryInterval(7) TopicAliasMaximum(5) UserProperty(\"a\", \"b\")"
    );
    let will = connect.will.unwrap();
    assert_eq!(
        (&*will.topic, &*will.payload, will.retain),
        ("w", &b"from a file"[..], true)
    );
    assert_eq!(
        sorted(&will.properties),
        "ContentType(\"text/plain\") CorrelationData(b\"c\") MessageExpiryInterval(60) PayloadFormatIndicator(1) \
         ResponseTopic(\"r\") UserProperty(\"x\", \"y=z\") WillDelayInterval(30)"
    );
}

#[test]
fn topics_come_whole_although_the_broker_uses_aliases_for_them() {
    let serve = MqttServe::start([""; 0]);
    let url = serve.url();
    publish(&url, &["-r"]).run();
    let subscribe = [
        "sub",
        "-L",
        &url,
        "-t",
        "a",
        "-v",
        "-C",
        "4",
        "--topic-alias-maximum",
        "1",
    ];
    let mut subscriber = Mqtt::new(subscribe).start();
    subscriber.wait_for_output(b"a b\n");
    publish(&url, &["--repeat", "3"]).run();
    let finished = subscriber.wait();
    assert_eq!(
        (finished.status, finished.stdout_text()),
        (0, "a b\na b\na b\na b\n".to_owned())
    );
}

#[test]
fn auto_speaks_3_1_1_to_a_broker_that_does_not_know_5_and_says_so() {
    let unsupported = || answer(ReasonCode::UNSUPPORTED_PROTOCOL_VERSION, Vec::new());
    let (url, thread) = broker(vec![
        (Version::V5, unsupported()),
        (Version::V311, welcome()),
    ]);
    publish(&url, &["-V", "auto"])
        .stderr(format!(
            "mqtt: {url} does not know MQTT 5; going on with MQTT 3.1.1\n"
        ))
        .run();
    let versions: Vec<Version> = thread
        .join()
        .unwrap()
        .iter()
        .map(|connect| connect.version)
        .collect();
    assert_eq!(versions, [Version::V5, Version::V311]);
    // What only MQTT 5 can say is not dropped silently, and who asks for 5 gets 5.
    for more in [&["-V", "auto", "--content-type", "x"][..], &["-V", "5"]] {
        let (url, thread) = broker(vec![(Version::V5, unsupported())]);
        publish(&url, more)
            .status(4)
            .stderr(format!(
                "mqtt: {url} refused the connection: unsupported protocol version; try --protocol-version auto or 311, and no option that only MQTT 5 has\n"
            ))
            .run();
        thread.join().unwrap();
    }
    let mosquitto = Mosquitto::start([]);
    publish(&mosquitto.url(), &["-V", "auto", "-q", "1"]).run();
}

#[test]
fn auto_tries_3_1_1_once_with_a_broker_that_hangs_up_upon_5() {
    let perhaps = |url: &str| {
        format!("mqtt: {url} closed the connection upon a CONNECT of MQTT 5; trying MQTT 3.1.1\n")
    };
    let hung_up = |url: &str, version| {
        format!(
            "mqtt: {url}: the broker closed the connection before CONNACK; does it take MQTT {version}, or only TLS (mqtts://)?"
        )
    };
    let (url, thread) = broker(vec![(Version::V5, None), (Version::V311, welcome())]);
    publish(&url, &["-V", "auto"]).stderr(perhaps(&url)).run();
    thread.join().unwrap();
    // It was not the version: the next attempt begins with MQTT 5 again.
    let (url, thread) = broker(vec![
        (Version::V5, None),
        (Version::V311, None),
        (Version::V5, welcome()),
    ]);
    let retry = ["-V", "auto", "--retry", "1", "--retry-max-delay", "1ms"];
    publish(&url, &retry)
        .stderr(format!(
            "{}{}; trying again in 0.0 s\n",
            perhaps(&url),
            hung_up(&url, "3.1.1")
        ))
        .run();
    thread.join().unwrap();
    let (url, thread) = broker(vec![(Version::V5, None)]);
    publish(&url, &["-V", "5"])
        .status(3)
        .stderr(hung_up(&url, "5") + "\n")
        .run();
    thread.join().unwrap();
}

#[test]
fn a_request_falls_back_by_itself_where_both_sides_know_the_response_topic() {
    let unsupported = || answer(ReasonCode::UNSUPPORTED_PROTOCOL_VERSION, Vec::new());
    let (url, thread) = broker(vec![
        (Version::V5, unsupported()),
        (Version::V311, None),
        (Version::V5, unsupported()),
    ]);
    let ask = ["req", "-L", &url, "-t", "a", "-n"];
    Mqtt::new(ask.iter().chain(&["-e", "b"]))
        .status(3)
        .stderr(format!(
            "mqtt: {url} does not know MQTT 5; going on with MQTT 3.1.1\n\
             mqtt: {url}: the broker closed the connection before CONNACK; does it take MQTT 3.1.1, or only TLS (mqtts://)?\n"
        ))
        .run();
    Mqtt::new(ask)
        .status(4)
        .stderr(format!(
            "mqtt: {url} refused the connection: unsupported protocol version; try --protocol-version auto or 311, and no option that only MQTT 5 has\n"
        ))
        .run();
    thread.join().unwrap();
}

#[test]
fn the_first_connection_is_tried_again_only_on_request() {
    let retry = ["--retry", "2", "--retry-max-delay", "1ms"];
    let (url, thread) = broker(vec![(Version::V311, None), (Version::V311, welcome())]);
    publish(&url, &retry)
        .stderr_like(|said| {
            said.contains("before CONNACK")
                && said.ends_with("; trying again in 0.0 s\n")
                && said.lines().count() == 1
        })
        .run();
    assert_eq!(thread.join().unwrap().len(), 2);
    let nobody = format!("mqtt://127.0.0.1:{}", crate::servers::free_port());
    let words = format!(
        "mqtt: cannot connect to {nobody}: connection refused; is a broker running there? `mqtt serve` starts one"
    );
    publish(&nobody, &retry)
        .status(3)
        .stderr(format!(
            "{words}; trying again in 0.0 s\n{words}; trying again in 0.0 s\n{words}\n"
        ))
        .run();
    publish(&nobody, &[])
        .status(3)
        .stderr(format!("{words}\n"))
        .run();
}

#[test]
fn what_a_session_or_a_will_cannot_be_is_refused() {
    for (arguments, words) in [
        (
            &["-x", "never"][..],
            "a session without end is that of a named client; add --id NAME",
        ),
        (
            &["--will-topic", "w", "--will-response-topic", "a/#"],
            "\"a/#\" is no topic to reply to: it must not be empty or contain + or #",
        ),
    ] {
        publish("mqtt://h", arguments)
            .status(2)
            .stderr(format!("mqtt: {words}\n"))
            .run();
    }
}
