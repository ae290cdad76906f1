//! What `mqtt sub` asks the broker for: filters with their qualities of service, options of MQTT 5, an end of
//! subscriptions and of retained messages.

use mqtt_toolbox::mqtt::packet::{RetainHandling, Subscribe};
use mqtt_toolbox::mqtt::{Packet, QoS, Version};

use crate::clients::{brokers, publish, subscribe, subscribed};
use crate::harness::Mqtt;
use crate::servers::{Mosquitto, MqttServe};
use crate::wire::{Wire, accepted, listen};

/// The SUBSCRIBE that these arguments cause.
fn asked(version: Version, arguments: &[&str]) -> Subscribe {
    let (listener, url) = listen();
    let _running = subscribe(&url, arguments).start();
    let mut wire = Wire::answered(&listener, version, accepted(false, Vec::new()));
    match wire.receive() {
        Packet::Subscribe(subscribe) => subscribe,
        other => panic!("{other:?} is no SUBSCRIBE"),
    }
}

#[test]
fn each_topic_has_the_quality_of_service_typed_after_it() {
    let subscribe = asked(
        Version::V311,
        &["-t", "a", "-q", "2", "-t", "b/#", "-q", "0", "-t", "c"],
    );
    let filters: Vec<(&str, QoS)> = subscribe
        .filters
        .iter()
        .map(|each| (&*each.filter, each.qos))
        .collect();
    assert_eq!(
        filters,
        [
            ("a", QoS::ExactlyOnce),
            ("b/#", QoS::AtMostOnce),
            ("c", QoS::AtMostOnce)
        ]
    );
}

#[test]
fn every_option_of_mqtt_5_is_said_to_the_broker() {
    let subscribe = asked(
        Version::V5,
        &[
            "-t",
            "a",
            "--no-local",
            "--retain-as-published",
            "--retain-handling",
            "new",
            "--subscription-identifier",
            "268435455",
        ],
    );
    let [filter] = &subscribe.filters[..] else {
        panic!("{subscribe:?}");
    };
    assert!(filter.no_local && filter.retain_as_published);
    assert_eq!(filter.retain_handling, RetainHandling::IfNew);
    assert_eq!(
        subscribe.properties.subscription_identifier(),
        Some(268_435_455)
    );
}

#[test]
fn options_of_mqtt_5_have_their_effect_at_a_broker() {
    let broker = MqttServe::start([""; 0]);
    let url = broker.url();
    publish(&url, &["-t", "kept", "-m", "old", "-r", "-q", "1"]).run();
    let printed = |options: &[&'static str]| {
        let form = ["-t", "kept", "-F", "%p %r %S"];
        let mut subscriber = subscribed(&url, &[options, &form].concat());
        publish(&url, &["-t", "kept", "-m", "new", "-r", "-q", "1"]).run();
        let printed = subscriber.wait().stdout_text();
        publish(&url, &["-t", "kept", "-m", "old", "-r", "-q", "1"]).run();
        printed
    };
    // `ready`, which tells that it is subscribed, is retained too.
    assert_eq!(
        printed(&["-C", "3", "--subscription-identifier", "7"]),
        "old 1 7\nready 1 7\nnew 0 7\n"
    );
    assert_eq!(
        printed(&["-C", "3", "--retain-as-published"]),
        "old 1 \nready 1 \nnew 1 \n"
    );
    subscribe(
        &url,
        &["-t", "kept", "--retain-handling=never", "-W", "300ms"],
    )
    .status(27)
    .stderr("mqtt: timed out after 300ms\n")
    .run();
}

#[test]
fn a_shared_subscription_cannot_be_deaf_to_itself() {
    subscribe("mqtt://127.0.0.1:1", &["-t", "$share/g/a", "--no-local"])
        .status(2)
        .stderr(
            "mqtt: $share/g/a is shared with others, and MQTT does not allow --no-local for it\n",
        )
        .run();
}

#[test]
fn a_session_is_made_and_its_subscriptions_end_without_touching_its_messages() {
    for broker in brokers() {
        let url = &broker.url;
        for version in ["311", "5"] {
            let id = format!("arranged-{version}");
            let session = ["-i", &id, "-c", "-V", version];
            let with = |more: &[&'static str]| {
                let all: Vec<&str> = session
                    .iter()
                    .copied()
                    .chain(more.iter().copied())
                    .collect();
                subscribe(url, &all).stdout_any().run().stdout_text()
            };
            assert_eq!(with(&["-t", "jobs", "-t", "more", "-q", "1", "-E"]), "");
            publish(url, &["-t", "jobs", "-q", "1", "-m", "one"]).run();
            assert_eq!(with(&["-U", "jobs"]), "");
            assert_eq!(with(&["-t", "more", "-q", "1", "-E"]), "");
            publish(url, &["-t", "jobs", "-q", "1", "-m", "not any more"]).run();
            publish(url, &["-t", "more", "-q", "1", "-m", "two"]).run();
            assert_eq!(
                with(&["-t", "more", "-q", "1", "-C", "2"]),
                "one\ntwo\n",
                "{} {version}",
                broker.name
            );
        }
    }
}

#[test]
fn a_kept_session_takes_messages_and_subscriptions_again() {
    // rumqttc's MQTT 5 half would drop both without a word: the session is one it did not make itself.
    for broker in brokers() {
        for version in ["311", "5"] {
            let id = format!("kept-{version}");
            let session = ["-V", version, "-i", &id, "-c", "-q", "1", "-t"];
            subscribe(&broker.url, &[&session[..], &["a", "-E"]].concat()).run();
            publish(&broker.url, &[&session[..], &["b", "-m", "x"]].concat()).run();
            let mut subscriber = subscribed(&broker.url, &[&session[..], &["b"]].concat());
            publish(&broker.url, &["-t", "b", "-m", "new"]).run();
            subscriber.wait_for_stdout(|line| line == "new");
        }
    }
}

#[test]
fn retained_messages_are_removed_but_for_those_filtered_out() {
    for broker in brokers() {
        let url = &broker.url;
        for topic in ["r/1", "r/2", "r/keep"] {
            publish(url, &["-t", topic, "-m", "old", "-r", "-q", "1"]).run();
        }
        let remove = ["-t", "r/#", "-T", "r/keep", "--remove-retained"];
        let finished = subscribe(url, &[&remove[..], &["--retained-only", "-v"]].concat())
            .stdout_any()
            .run();
        let text = finished.stdout_text();
        let mut lines: Vec<&str> = text.lines().collect();
        lines.sort_unstable();
        assert_eq!(lines, ["r/1 old", "r/2 old"], "{}", broker.name);
        subscribe(url, &["-t", "r/#", "--retained-only", "-v"])
            .stdout("r/keep old\n")
            .run();
    }
}

#[test]
fn what_is_to_be_removed_is_not_kept_in_memory_with_its_payload() {
    const COUNT: usize = 1000;
    let broker = Mosquitto::start([]);
    let url = broker.url();
    let lines: String = (0..COUNT)
        .map(|number| format!("r/{number} {}\n", "x".repeat(60_000)))
        .collect();
    publish(&url, &["-l", "--topic-from", " ", "-r", "-q", "1"])
        .stdin(lines)
        .run();
    let mut running = subscribe(&url, &["-t", "r/#", "--remove-retained", "-F", "%t"]).start();
    for _ in 0..COUNT {
        running.wait_for_stdout(|line| line.starts_with("r/"));
    }
    // They were 60 MB, and come before the first of them is removed. In a debug build the program itself takes about 20 MB.
    let peak = running.peak_memory();
    assert!(peak < 50_000, "{peak} KiB");
}

#[test]
fn silence_ends_it_when_that_was_asked_for() {
    let broker = MqttServe::start([""; 0]);
    publish(&broker.url(), &["-t", "a", "-m", "x", "-r", "-q", "1"]).run();
    subscribe(&broker.url(), &["-t", "a", "--idle", "200ms"])
        .stdout("x\n")
        .run();
}

#[test]
fn a_random_share_is_a_share() {
    let broker = MqttServe::start([""; 0]);
    let mut subscriber = subscribed(
        &broker.url(),
        &["-t", "n", "-q", "1", "-t", "end", "--random-filter", "100"],
    );
    publish(&broker.url(), &["-t", "n", "-m", "all"]).run();
    subscriber.wait_for_stdout(|line| line == "all");
    let arguments = ["sub", "-t", "a", "--random-filter", "0.05"];
    Mqtt::new(arguments)
        .status(2)
        .stderr_contains("it is between 0.1 and 100")
        .run();
}
