//! A reader of stdout, or a command, that takes its time: the broker has to wait, but still hears of the client.

use std::fs::OpenOptions;
use std::io::Write;

use mqtt_toolbox::mqtt::packet::Packet;
use mqtt_toolbox::mqtt::{Property, QoS, ReasonCode, Version};

use crate::harness::Mqtt;
use crate::wire::{Wire, accepted, listen, publish};

/// More than all queues and buffers of the client and what is behind it take in.
const MANY: u16 = 100;
const LONG: usize = 50_000;

/// A broker that wants to hear of its client every second. It sends its messages, opens the gate when it has heard of the
/// client several times, and ends the session when everything is acknowledged.
fn broker(gate: std::path::PathBuf) -> (String, std::thread::JoinHandle<()>) {
    let (listener, url) = listen();
    let thread = std::thread::spawn(move || {
        let mut wire = Wire::answered(
            &listener,
            Version::V5,
            accepted(false, vec![Property::ServerKeepAlive(1)]),
        );
        wire.grant(vec![ReasonCode::GRANTED_QOS_1]);
        let mut other_way = wire.stream.try_clone().unwrap();
        let flood = std::thread::spawn(move || {
            for packet_id in 1..=MANY {
                let payload = vec![b'a' + (packet_id % 26) as u8; LONG];
                let mut bytes = Vec::new();
                let message = publish("a", &payload, QoS::AtLeastOnce, packet_id);
                mqtt_toolbox::mqtt::codec::write(&message, Version::V5, &mut bytes).unwrap();
                other_way.write_all(&bytes).unwrap();
            }
        });
        let (mut heard, mut acknowledged) = (0, 0);
        while acknowledged < MANY {
            match wire.receive() {
                Packet::PingReq => {
                    heard += 1;
                    if heard == 3 {
                        assert!(
                            acknowledged < MANY / 2,
                            "{acknowledged} messages went nowhere"
                        );
                        std::fs::write(gate.with_extension("open"), "").unwrap();
                        let mut gate = OpenOptions::new().write(true).open(&gate).unwrap();
                        gate.write_all(b"go\n").unwrap();
                    }
                    if heard > 3 {
                        wire.send(Packet::PingResp);
                    }
                }
                Packet::PubAck(answer) => {
                    acknowledged += 1;
                    assert_eq!(answer.packet_id, acknowledged);
                }
                other => panic!("{other:?}"),
            }
        }
        flood.join().unwrap();
        wire.rest();
    });
    (url, thread)
}

#[test]
fn a_slow_reader_of_stdout_costs_neither_the_connection_nor_a_message() {
    let folder = tempfile::tempdir().unwrap();
    let gate = folder.path().join("gate");
    Mqtt::program("mkfifo", [&gate]).run();
    let (url, thread) = broker(gate.clone());
    let gate = gate.display();
    Mqtt::shell(&format!(
        "mqtt sub -V 5 -L {url} -t a -q 1 -C {MANY} | {{ read -r go < {gate}; cut -c 1,{LONG}- | tr -d '\\n'; }}"
    ))
    .stdout(
        (1..=MANY)
            .flat_map(|number| [b'a' + (number % 26) as u8; 2])
            .collect::<Vec<u8>>(),
    )
    .run();
    thread.join().unwrap();
}

#[test]
fn a_slow_command_costs_neither_the_connection_nor_a_message() {
    let folder = tempfile::tempdir().unwrap();
    let gate = folder.path().join("gate");
    Mqtt::program("mkfifo", [&gate]).run();
    let (url, thread) = broker(gate.clone());
    let script = format!(
        "test -e {0}.open || read -r go < {0}; head -c 1; cat > /dev/null",
        gate.display()
    );
    let count = MANY.to_string();
    Mqtt::new([
        "sub", "-V", "5", "-L", &url, "-t", "a", "-q", "1", "-C", &count, "--exec", "sh", "-c",
        &script,
    ])
    .stdout(
        (1..=MANY)
            .map(|number| b'a' + (number % 26) as u8)
            .collect::<Vec<u8>>(),
    )
    .run();
    thread.join().unwrap();
}
