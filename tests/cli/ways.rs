//! Ways to mosquitto, for tests that try whether they lead there.

use crate::certificates::Authority;
use crate::harness::Mqtt;
use crate::servers::{Mosquitto, free_port};

/// Mosquitto with a TLS listener for the certificate `name` of this authority, and more lines.
#[track_caller]
pub fn secure(authority: &Authority, name: &str, more: &[&str]) -> Mosquitto {
    let listener = authority.listener(name);
    Mosquitto::start(
        listener
            .iter()
            .map(String::as_str)
            .chain(more.iter().copied()),
    )
}

/// Mosquitto with a WebSocket listener on the port returned, beside a plain one, without which 2.0 does not start.
#[track_caller]
pub fn web(more: &[String]) -> (Mosquitto, u16) {
    let port = free_port();
    let listener = [
        format!("listener {port} 127.0.0.1"),
        "protocol websockets".to_owned(),
    ];
    let broker = Mosquitto::start(listener.iter().chain(more).map(String::as_str));
    (broker, port)
}

/// Publishes a retained message over the way `pub_way` and reads it back over `sub_way`.
#[track_caller]
pub fn round_trip(pub_way: &[&str], sub_way: &[&str]) {
    let publish = ["pub", "-t", "way", "-m", "there", "-q", "1", "-r"];
    Mqtt::new(publish.iter().chain(pub_way)).run();
    let subscribe = ["sub", "-t", "way", "-C", "1", "-W", "20"];
    Mqtt::new(subscribe.iter().chain(sub_way))
        .stdout("there\n")
        .run();
}

/// A publish over this way, which is to fail with status 3 and exactly these words.
#[track_caller]
pub fn fails(way: &[&str], words: String) {
    let publish = ["pub", "-t", "a", "-m", "b"];
    Mqtt::new(publish.iter().chain(way))
        .status(3)
        .stderr(format!("mqtt: {words}\n"))
        .run();
}
