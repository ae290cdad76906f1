//! Brokers for a test: ours, and Debian's mosquitto as the other implementation. Both listen on a free port
//! of 127.0.0.1 and are killed when dropped.

use std::ffi::OsStr;
use std::net::TcpListener;
use std::path::Path;

use crate::harness::{Mqtt, Running};

/// `mqtt serve` on a free port.
pub struct MqttServe {
    pub process: Running,
    pub port: u16,
}

impl MqttServe {
    /// Starts the broker with further arguments and waits for its ready line.
    #[track_caller]
    pub fn start<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> MqttServe {
        let mut all: Vec<std::ffi::OsString> = ["serve", "-p", "0"].map(Into::into).into();
        all.extend(arguments.into_iter().map(|each| each.as_ref().to_owned()));
        let mut process = Mqtt::new(all).start();
        let line = process.wait_for_stdout(|_| true);
        let port = line
            .strip_prefix("listening on mqtt://127.0.0.1:")
            .and_then(|port| port.parse().ok())
            .unwrap_or_else(|| panic!("{line:?} is not the ready line"));
        MqttServe { process, port }
    }

    /// The port as an argument.
    pub fn port(&self) -> String {
        self.port.to_string()
    }

    /// `mqtt://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("mqtt://127.0.0.1:{}", self.port)
    }
}

/// Debian's mosquitto on a free port, with its own configuration in a folder of its own.
pub struct Mosquitto {
    pub process: Running,
    pub port: u16,
    _directory: tempfile::TempDir,
}

impl Mosquitto {
    /// Starts mosquitto with further configuration lines and waits until it says that it runs.
    /// Anonymous clients are allowed and nothing is persisted unless the lines say otherwise.
    #[track_caller]
    pub fn start<'a>(lines: impl IntoIterator<Item = &'a str>) -> Mosquitto {
        let lines: Vec<&str> = lines.into_iter().collect();
        // Another process may take the free port before mosquitto does; then it says so and the next one is tried.
        for _ in 0..10 {
            if let Some(started) = Mosquitto::try_start(&lines) {
                return started;
            }
        }
        panic!("ten free ports in a row were taken by others");
    }

    #[track_caller]
    fn try_start(lines: &[&str]) -> Option<Mosquitto> {
        let port = free_port();
        let directory = tempfile::tempdir().expect("a temporary folder");
        let configuration = directory.path().join("mosquitto.conf");
        let mut text = format!("listener {port} 127.0.0.1\nlog_dest stderr\nlog_type all\n");
        for (name, value) in [("allow_anonymous", "true"), ("user", "root")] {
            if !lines.iter().any(|line| line.starts_with(name)) {
                text += &format!("{name} {value}\n");
            }
        }
        text += &lines.join("\n");
        text += "\n";
        std::fs::write(&configuration, text).expect("a file in the temporary folder");
        let arguments = [Path::new("-c"), &configuration];
        let mut process = Mqtt::program(mosquitto(), arguments).start();
        let line = process.wait_for_stderr(|line| {
            line.contains(" running") || line.contains("Address already in use")
        });
        line.contains(" running").then_some(Mosquitto {
            process,
            port,
            _directory: directory,
        })
    }

    /// The port as an argument.
    pub fn port(&self) -> String {
        self.port.to_string()
    }

    /// `mqtt://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("mqtt://127.0.0.1:{}", self.port)
    }
}

/// A port of 127.0.0.1 that nobody listens on at this moment.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("a bound listener").port()
}

/// Debian puts the broker where an ordinary user's PATH does not look.
fn mosquitto() -> &'static str {
    let place = "/usr/sbin/mosquitto";
    if Path::new(place).exists() {
        place
    } else {
        "mosquitto"
    }
}
