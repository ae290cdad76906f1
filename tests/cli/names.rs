//! SRV records and name servers, played by a scripted one.

use std::collections::HashMap;

use crate::certificates::Authority;
use crate::harness::Mqtt;
use crate::nameserver::{Nameserver, here, srv};
use crate::servers::{Mosquitto, free_port};
use crate::ways::secure;

const SERVICE: &str = "_mqtt._tcp.example.org.";

/// `mqtt pub` to the domain example.org, whose records this server has.
fn publish(server: &Nameserver, more: &[&str]) -> Mqtt {
    let server = server.address.to_string();
    let publish = [
        "pub",
        "-S",
        "-h",
        "example.org",
        "-t",
        "a",
        "-m",
        "b",
        "-q",
        "1",
        "--nameserver",
        &server,
    ];
    Mqtt::new(publish.iter().chain(more))
}

/// Whom this broker has taken in since the last time.
fn has_taken(broker: &mut Mosquitto) {
    broker
        .process
        .wait_for_stderr(|line| line.contains("New client connected"));
}

#[test]
fn the_host_of_the_lowest_priority_is_taken_and_the_next_where_it_fails() {
    let mut first = Mosquitto::start([]);
    let mut second = Mosquitto::start([]);
    let zone = vec![
        srv(SERVICE, 20, 0, second.port, "second.example.org."),
        srv(SERVICE, 10, 0, first.port, "first.example.org."),
        here("first.example.org."),
        here("second.example.org."),
    ];
    let server = Nameserver::start(zone);
    publish(&server, &[]).run();
    has_taken(&mut first);
    first.process.stop("TERM");
    publish(&server, &[]).run();
    has_taken(&mut second);
    for name in [SERVICE, "first.example.org.", "second.example.org."] {
        assert!(server.was_asked_for(name), "{name}");
    }
    // A host without an address spoils nothing, and the environment names the server as well.
    let zone = vec![
        srv(SERVICE, 1, 0, 1883, "gone.example.org."),
        srv(SERVICE, 2, 0, second.port, "second.example.org."),
        here("second.example.org."),
    ];
    let server = Nameserver::start(zone);
    Mqtt::new(["pub", "-S", "-h", "example.org", "-t", "a", "-m", "b"])
        .env("MQTT_NAMESERVER", server.address.to_string())
        .run();
    has_taken(&mut second);
}

#[test]
fn hosts_of_one_priority_are_taken_as_often_as_their_weight_says() {
    let brokers = [Mosquitto::start([]), Mosquitto::start([])];
    let server = Nameserver::start(vec![
        srv(SERVICE, 5, 0, brokers[0].port, "localhost."),
        srv(SERVICE, 5, 60_000, brokers[1].port, "localhost."),
    ]);
    for _ in 0..5 {
        publish(&server, &[]).run();
    }
    let mut taken = HashMap::new();
    for broker in &brokers {
        let count = broker
            .process
            .stderr()
            .matches("New client connected")
            .count();
        taken.insert(broker.port, count);
    }
    // The one without weight has one chance in 60,001 each time.
    assert_eq!(taken[&brokers[1].port], 5, "{taken:?}");
}

#[test]
fn tls_expects_the_domain_that_was_typed_and_not_the_host_that_dns_names() {
    let authority = Authority::new("Test CA");
    authority.issue("domain", &["example.org"]);
    authority.issue("host", &["localhost"]);
    let ca = authority.ca();
    for (certificate, is_right) in [("domain", true), ("host", false)] {
        let broker = secure(&authority, certificate, &[]);
        let owner = "_secure-mqtt._tcp.example.org.";
        let server = Nameserver::start(vec![srv(owner, 0, 0, broker.port, "localhost.")]);
        let words = "mqtt: cannot connect to mqtts://example.org:8883: the broker's certificate is for localhost, not for example.org; \
                     use such a name as --host, or say it with --tls-server-name\n";
        publish(&server, &["--cafile", &ca])
            .status(if is_right { 0 } else { 3 })
            .stderr(if is_right { "" } else { words })
            .run();
        if !is_right {
            publish(
                &server,
                &["--cafile", &ca, "--tls-server-name", "localhost"],
            )
            .run();
        }
    }
}

#[test]
fn a_name_server_of_ones_own_knows_hosts_too_and_what_it_does_not_know_is_said() {
    let broker = Mosquitto::start([]);
    let server = Nameserver::start(vec![here("lab.example."), srv(SERVICE, 0, 0, 0, ".")]);
    let address = server.address.to_string();
    let port = broker.port();
    let publish_to = |host| {
        let publish = [
            "pub",
            "-p",
            &port,
            "-t",
            "a",
            "-m",
            "b",
            "--nameserver",
            &address,
            "-h",
        ];
        Mqtt::new(publish.iter().chain(&[host]))
    };
    publish_to("lab.example").run();
    publish_to("127.0.0.1").run();
    publish_to("other.example")
        .status(3)
        .stderr("mqtt: cannot find the address of other.example: DNS knows none; check --host\n")
        .run();
    publish(&server, &[])
        .status(3)
        .stderr(format!(
            "mqtt: the SRV record {SERVICE} says that example.org has no such service\n"
        ))
        .run();
    let server = Nameserver::start(vec![srv(SERVICE, 0, 0, free_port(), "localhost.")]);
    publish(&server, &[])
        .status(3)
        .stderr(
            "mqtt: cannot connect to mqtt://example.org:1883: connection refused; is a broker running there? `mqtt serve` starts one\n",
        )
        .run();
    for (server, variable) in [(&["--nameserver", "dns"][..], ""), (&[], "dns")] {
        let publish = ["pub", "-t", "a", "-m", "b"];
        Mqtt::new(publish.iter().chain(server))
            .env("MQTT_NAMESERVER", variable)
            .status(2)
            .stderr_contains("it is an address, as 9.9.9.9, 127.0.0.1:5353 or [::1]:53")
            .run();
    }
}

#[test]
fn srv_records_are_for_domains_and_say_the_port_themselves() {
    for (arguments, words) in [
        (
            &["-S", "-L", "mqtt://h:1"][..],
            "--srv finds the port itself; leave it out of the URL",
        ),
        (
            &["-S", "-h", "10.0.0.1"],
            "--srv needs the name of a domain, not an address",
        ),
        (
            &["-S", "-L", "ws://h"],
            "--srv knows mqtt:// and mqtts:// only, not ws://",
        ),
        (
            &["-A", "no such name"],
            "--bind no such name: no such address or name",
        ),
    ] {
        let publish = ["pub", "-t", "a", "-m", "b"];
        Mqtt::new(publish.iter().chain(arguments))
            .status(2)
            .stderr(format!("mqtt: {words}\n"))
            .run();
    }
    // No name server of this machine knows a domain that cannot exist; whether it says so or nothing at all, it is not reached.
    Mqtt::new([
        "pub",
        "-S",
        "-h",
        "broker.invalid",
        "-t",
        "a",
        "-m",
        "b",
        "--connect-timeout",
        "1",
    ])
    .status(3)
    .stderr_like(|said| said.contains("broker.invalid") && said.lines().count() == 1)
    .run();
}
