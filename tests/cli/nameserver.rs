//! A scripted name server: it knows the records it is given, notes what it is asked, and says of everything else that it does
//! not exist.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex};

use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, SRV};
use hickory_resolver::proto::rr::{Name, RData, Record};

/// Records, each with its name.
pub type Zone = Vec<(String, RData)>;

pub struct Nameserver {
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Nameserver {
    /// Answers until the test process ends.
    pub fn start(zone: Zone) -> Nameserver {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let notes = Arc::clone(&asked);
        std::thread::spawn(move || {
            let mut buffer = [0; 1500];
            while let Ok((count, from)) = socket.recv_from(&mut buffer) {
                let query = Message::from_vec(&buffer[..count]).unwrap();
                let question = query.queries[0].clone();
                let name = question.name().to_string();
                notes.lock().unwrap().push(name.clone());
                let mut answer = Message::response(query.metadata.id, query.metadata.op_code);
                answer.add_query(question.clone());
                let known: Vec<&RData> = zone
                    .iter()
                    .filter(|(owner, _)| *owner == name)
                    .map(|(_, data)| data)
                    .collect();
                for data in &known {
                    if data.record_type() == question.query_type() {
                        let record =
                            Record::from_rdata(question.name().clone(), 60, (*data).clone());
                        answer.add_answer(record);
                    }
                }
                if known.is_empty() {
                    answer.metadata.response_code = ResponseCode::NXDomain;
                }
                let _ = socket.send_to(&answer.to_vec().unwrap(), from);
            }
        });
        Nameserver { address, asked }
    }

    /// Whether this name was asked for.
    pub fn was_asked_for(&self, name: &str) -> bool {
        self.asked.lock().unwrap().iter().any(|each| each == name)
    }
}

/// A record that says that this host serves MQTT at this port.
pub fn srv(owner: &str, priority: u16, weight: u16, port: u16, target: &str) -> (String, RData) {
    let target = Name::from_ascii(target).unwrap();
    let data = RData::SRV(SRV::new(priority, weight, port, target));
    (owner.to_owned(), data)
}

/// A record that says that this host is 127.0.0.1.
pub fn here(owner: &str) -> (String, RData) {
    (owner.to_owned(), RData::A(A(Ipv4Addr::LOCALHOST)))
}
