//! Our own clients as subjects: shorthand for running them, against our broker and against the other one.

use std::any::Any;

use crate::harness::{Mqtt, Running};
use crate::servers::{Mosquitto, MqttServe};

/// A broker of either make.
pub struct Broker {
    pub name: &'static str,
    pub url: String,
    _process: Box<dyn Any>,
}

/// Mosquitto, without a limit on what it queues, and `mqtt serve`.
#[track_caller]
pub fn brokers() -> [Broker; 2] {
    let mosquitto = Mosquitto::start(["max_queued_messages 0"]);
    let serve = MqttServe::start([""; 0]);
    [
        Broker {
            name: "mosquitto",
            url: mosquitto.url(),
            _process: Box::new(mosquitto),
        },
        Broker {
            name: "mqtt serve",
            url: serve.url(),
            _process: Box::new(serve),
        },
    ]
}

/// `mqtt pub` to this broker.
pub fn publish<'a>(url: &'a str, arguments: &[&'a str]) -> Mqtt {
    Mqtt::new(["pub", "-L", url].iter().chain(arguments))
}

/// `mqtt sub` at this broker.
pub fn subscribe<'a>(url: &'a str, arguments: &[&'a str]) -> Mqtt {
    Mqtt::new(["sub", "-L", url].iter().chain(arguments))
}

/// `mqtt sub`, running and known to be subscribed: it has printed a retained message, `ready`, which counts for `-C`.
#[track_caller]
pub fn subscribed<'a>(url: &'a str, arguments: &[&'a str]) -> Running {
    publish(url, &["-t", "ready", "-m", "ready", "-r", "-q", "1"]).run();
    let mut running = subscribe(url, &[arguments, &["-t", "ready"]].concat()).start();
    running.wait_for_output(b"ready");
    running
}

/// The numbers from 1 to `count`, one a line.
pub fn numbers(count: u32) -> String {
    (1..=count).map(|number| format!("{number}\n")).collect()
}
