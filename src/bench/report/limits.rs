//! What limits a run before it starts: this machine's, and what the broker's CONNACK says.

use serde::{Deserialize, Serialize};

use crate::mqtt::packet::ConnAck;

/// What the broker allows (MQTT 5, 3.2.2.3); `null` where it set no limit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrokerLimits {
    /// Publishes at QoS 1 and 2 it takes without acknowledging one.
    pub receive_maximum: Option<u16>,
    /// Highest quality of service it takes.
    pub maximum_qos: Option<u8>,
    /// Largest packet it takes, in bytes.
    pub maximum_packet_bytes: Option<u32>,
    /// Its own keep alive in place of the asked one, in seconds.
    pub keep_alive_s: Option<u16>,
}

impl BrokerLimits {
    /// What this CONNACK says.
    pub fn of(connack: &ConnAck) -> BrokerLimits {
        let properties = &connack.properties;
        BrokerLimits {
            receive_maximum: properties.receive_maximum(),
            maximum_qos: properties.maximum_qos(),
            maximum_packet_bytes: properties.maximum_packet_size(),
            keep_alive_s: properties.server_keep_alive(),
        }
    }
}

/// What a run takes from this machine.
#[derive(Debug, Clone, Copy)]
pub struct Need {
    /// Connections.
    pub connections: u64,
    /// Pairs of a source and a broker address they are spread over, each with local ports of its own.
    pub ways: u64,
    /// The broker is in this process and has the other end of each.
    pub embedded: bool,
    /// A proxy in this process stands between, with two more ends of each.
    pub proxied: bool,
}

impl Need {
    /// Ends of connections in this process.
    fn ends(self) -> u64 {
        self.connections * (1 + u64::from(self.embedded) + 2 * u64::from(self.proxied))
    }

    /// Open files in all.
    pub fn open_files(self) -> u64 {
        self.ends() + OTHER_FILES
    }
}

/// What this machine has; `None` where it does not say.
#[derive(Debug, Clone, Copy, Default)]
pub struct Machine {
    /// Most open files of this process.
    pub open_files: Option<u64>,
    /// Ports for outgoing connections.
    pub ports: Option<u64>,
    /// Memory that is free, in bytes.
    pub memory: Option<u64>,
}

/// Something there is too little of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shortage {
    /// What is too little, and what lifts it.
    pub words: String,
    /// The run cannot succeed.
    pub certain: bool,
}

/// Open files beside the connections: standard streams, timers, threads.
const OTHER_FILES: u64 = 64;

/// Memory of one connection on this side: up to 3 KiB of ours, the rest the kernel's.
const CONNECTION_BYTES: u64 = 16 * 1024;

/// Ports from 1024 to 65535.
const MOST_PORTS: u64 = 64_512;

/// What is too little for the run.
pub fn shortages(need: Need, machine: Machine) -> Vec<Shortage> {
    let mut found = Vec::new();
    let connections = need.connections;
    let files = need.open_files();
    if let Some(have) = machine.open_files.filter(|have| *have < files) {
        found.push(Shortage {
            words: format!(
                "{connections} connections need {files} open files, and this process may have {have}: \
                 run `ulimit -n {files}` first, as root if it is refused"
            ),
            certain: true,
        });
    }
    let ports = connections.div_ceil(need.ways.max(1));
    if let Some(have) = machine.ports.filter(|have| *have < ports) {
        let remedy = match ports <= MOST_PORTS {
            true => "`sysctl -w net.ipv4.ip_local_port_range='1024 65535'` gives 64512",
            false => {
                "no address has more than 64512; add addresses with --source or --broker, or spread the load over several machines"
            }
        };
        found.push(Shortage {
            words: format!(
                "{ports} connections from one address to another need as many local ports, and this machine gives {have}: {remedy}"
            ),
            certain: true,
        });
    }
    let memory = need.ends() * CONNECTION_BYTES;
    if let Some(have) = machine.memory.filter(|have| *have < memory) {
        found.push(Shortage {
            words: format!(
                "{connections} connections may take {} MB of memory, and {} MB are free",
                memory / 1_000_000,
                have / 1_000_000
            ),
            certain: false,
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_little_is_told_with_what_lifts_it() {
        let machine = Machine {
            open_files: Some(1024),
            ports: Some(28_232),
            memory: Some(1_000_000_000),
        };
        let found = |connections, embedded| {
            let need = Need {
                connections,
                ways: 1,
                embedded,
                proxied: false,
            };
            shortages(need, machine)
                .into_iter()
                .map(|one| one.words)
                .collect::<Vec<_>>()
        };
        assert_eq!(found(960, false), Vec::<String>::new());
        assert!(found(961, false)[0].contains("`ulimit -n 1025`"));
        assert!(found(500, true)[0].contains("need 1064 open files"));
        assert!(
            found(30_000, false)[1].contains("sysctl -w net.ipv4.ip_local_port_range='1024 65535'")
        );
        assert!(found(70_000, false)[1].contains("several machines"));
        assert!(found(70_000, false)[2].contains("1146 MB of memory, and 1000 MB are free"));
        let spread = Need {
            connections: 70_000,
            ways: 3,
            embedded: false,
            proxied: false,
        };
        let roomy = Machine {
            open_files: None,
            memory: None,
            ..machine
        };
        assert!(shortages(spread, roomy).is_empty());
        let unknown = Machine::default();
        let need = Need {
            connections: 1 << 24,
            ways: 1,
            embedded: true,
            proxied: false,
        };
        assert!(shortages(need, unknown).is_empty());
    }
}
