//! Ways to the control broker that are narrow or uneven.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use super::*;
use crate::servers::{Mosquitto, MqttServe};

#[test]
fn parcels_are_as_small_as_the_control_broker_wants_them() {
    let control = Mosquitto::start(["max_packet_size 2000"]);
    let target = MqttServe::start([""; 0]);
    let url = control.url();
    let agents = [
        agent(&url, "a", &["-V", "5"]),
        agent(&url, "b", &["-V", "5"]),
    ];
    let port = target.port();
    let load = at(&port, "-V 5 --count 2000 -q 0");
    let found = report(&url, "2", &load, 0);
    assert_eq!(found["broker"]["version"], "5");
    assert_eq!(found["delivery"]["received"], 2000, "{found:#}");
    dismiss(agents);
}

/// How late what comes from the server is at the client.
const LATE: Duration = Duration::from_millis(40);

/// A way to a server that is quick there and slow back.
fn slow_back(server: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let relay = |mut from: TcpStream, mut to: TcpStream, late: Duration| {
        std::thread::spawn(move || {
            let mut buffer = [0; 65_536];
            while let Ok(count @ 1..) = from.read(&mut buffer) {
                let until = Instant::now() + late;
                while Instant::now() < until {
                    std::thread::park_timeout(until.saturating_duration_since(Instant::now()));
                }
                if to.write_all(&buffer[..count]).is_err() {
                    return;
                }
            }
            let _ = to.shutdown(Shutdown::Both);
        });
    };
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let upstream = TcpStream::connect(&server).unwrap();
            relay(
                client.try_clone().unwrap(),
                upstream.try_clone().unwrap(),
                Duration::ZERO,
            );
            relay(upstream, client, LATE);
        }
    });
    address
}

#[test]
fn a_way_that_is_slower_back_than_there_does_not_deceive_the_clocks() {
    let (control, target) = (MqttServe::start([""; 0]), MqttServe::start([""; 0]));
    let url = control.url();
    let slow = format!(
        "mqtt://{}",
        slow_back(format!("127.0.0.1:{}", control.port()))
    );
    let agents = [agent(&slow, "far", &[]), agent(&url, "near", &[])];
    let port = target.port();
    let load = at(&port, "--spread apart --rate 500 --duration 1s");
    let found = report(&url, "far,near", &load, 0);
    for machine in found["machines"].as_array().unwrap() {
        // All clocks are this machine's, and none is ahead.
        for clock in ["clock", "clock_after"] {
            let ahead = machine[clock]["ahead_ns"].as_i64().unwrap();
            let uncertainty = machine[clock]["uncertainty_ns"].as_i64().unwrap();
            assert!(ahead.abs() <= uncertainty, "{machine}");
            let least = if machine["name"] == "far" {
                LATE.as_nanos() as i64 / 2
            } else {
                0
            };
            assert!(uncertainty >= least, "{machine}");
        }
    }
    assert_eq!(found["clocks"]["between_machines"], 10);
    assert!(
        found["clocks"]["uncertainty_us"].as_u64().unwrap() >= 20_000,
        "{found:#}"
    );
    assert_eq!(found["delivery"]["received"], found["delivery"]["expected"]);
    dismiss(agents);
}
