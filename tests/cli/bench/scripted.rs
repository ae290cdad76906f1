//! A broker of a few lines that does to each publish what a script says.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::BytesMut;
use mqtt_toolbox::mqtt::codec;
use mqtt_toolbox::mqtt::packet::{Acknowledgement, ConnAck, Connect, Publish, SubAck};
use mqtt_toolbox::mqtt::{Packet, Properties, QoS, ReasonCode, Version};

/// What a scripted broker does with a publish.
#[derive(Clone, Copy)]
pub enum Deed {
    Deliver,
    Lose,
    Double,
    /// Deliver it twice, the second time marked as sent before (DUP).
    Redeliver,
    /// Change the last byte of its payload.
    Corrupt,
    /// Leave the last byte of its payload out.
    Shorten,
    /// Deliver it under another topic.
    Misaddress,
    /// Deliver it and do not acknowledge it.
    Silence,
    /// Deliver it after the publisher's next one.
    Swap,
    /// Close the publisher's connection instead.
    HangUp,
    /// Answer with what is no packet.
    Babble,
}

/// A broker that acknowledges everything and does to each publisher's n-th publish what it is told.
pub struct Scripted {
    pub port: String,
    published: Published,
    connects: Connects,
    most: Arc<AtomicUsize>,
}

/// Every publish that has come.
type Published = Arc<Mutex<Vec<Publish>>>;

/// Every CONNECT.
type Connects = Arc<Mutex<Vec<Connect>>>;

type Subscriptions = Arc<Mutex<Vec<(String, QoS, Version, TcpStream)>>>;

impl Scripted {
    pub fn start(script: fn(u64) -> Deed) -> Scripted {
        Scripted::allowing(script, Properties::default())
    }

    /// One whose CONNACK has these properties.
    pub fn allowing(script: fn(u64) -> Deed, properties: Properties) -> Scripted {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("a bound listener").port();
        let subscriptions = Subscriptions::default();
        let published = Published::default();
        let connects = Connects::default();
        let seen = (Arc::clone(&published), Arc::clone(&connects));
        let most = Arc::new(AtomicUsize::new(usize::MAX));
        let limit = Arc::clone(&most);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let limit = limit.load(Ordering::Relaxed);
                let subscriptions = Arc::clone(&subscriptions);
                let (seen, properties) = (seen.clone(), properties.clone());
                std::thread::spawn(move || {
                    serve(stream, script, &subscriptions, &seen, &properties, limit);
                });
            }
        });
        Scripted {
            port: port.to_string(),
            published,
            connects,
            most,
        }
    }

    /// From now on the connection of a client whose name ends with a larger number is closed.
    pub fn takes_clients_up_to(&self, number: usize) {
        self.most.store(number, Ordering::Relaxed);
    }

    /// Every CONNECT, in the order of its coming.
    pub fn connects(&self) -> Vec<Connect> {
        self.connects.lock().unwrap().clone()
    }

    /// Every publish that has come, in the order of its coming.
    pub fn published(&self) -> Vec<Publish> {
        self.published.lock().unwrap().clone()
    }

    /// Their payloads as text.
    pub fn texts(&self) -> Vec<String> {
        let text = |publish: &Publish| String::from_utf8_lossy(&publish.payload).into_owned();
        self.published().iter().map(text).collect()
    }
}

/// Serves one client until it leaves or the script hangs up.
fn serve(
    mut stream: TcpStream,
    script: fn(u64) -> Deed,
    subscriptions: &Subscriptions,
    (published, connects): &(Published, Connects),
    properties: &Properties,
    most: usize,
) {
    let mut version = Version::V311;
    let mut bytes = BytesMut::new();
    let mut buffer = vec![0; 1 << 16];
    let mut sequence = 0;
    let mut held = None;
    loop {
        let packet = match codec::read(&mut bytes, version, u32::MAX) {
            Ok(Some(packet)) => packet,
            Ok(None) => match stream.read(&mut buffer) {
                Ok(count @ 1..) => {
                    bytes.extend_from_slice(&buffer[..count]);
                    continue;
                }
                _ => return,
            },
            Err(malformed) => panic!("{malformed}"),
        };
        let ack = |packet_id| Acknowledgement::success(packet_id);
        let answer = match packet {
            Packet::Connect(connect) => {
                version = connect.version;
                let name = &connect.client_id;
                let number = &name[name.trim_end_matches(|c: char| c.is_ascii_digit()).len()..];
                if number.parse().is_ok_and(|number: usize| number > most) {
                    return;
                }
                connects.lock().unwrap().push(*connect);
                Packet::ConnAck(ConnAck {
                    session_present: false,
                    reason: ReasonCode::SUCCESS,
                    properties: properties.clone(),
                })
            }
            Packet::Subscribe(subscribe) => {
                let wanted = &subscribe.filters[0];
                let refused = wanted.filter == "forbidden";
                let own = stream.try_clone().expect("a second handle");
                subscriptions.lock().unwrap().push((
                    wanted.filter.to_string(),
                    wanted.qos,
                    version,
                    own,
                ));
                Packet::SubAck(SubAck {
                    packet_id: subscribe.packet_id,
                    reasons: vec![if refused {
                        ReasonCode::UNSPECIFIED_ERROR
                    } else {
                        ReasonCode(wanted.qos.number())
                    }],
                    properties: Properties::default(),
                })
            }
            Packet::Publish(publish) => {
                published.lock().unwrap().push(publish.clone());
                let deed = script(sequence);
                sequence += 1;
                let answer = match publish.qos {
                    QoS::AtMostOnce => None,
                    QoS::AtLeastOnce => Some(Packet::PubAck(ack(publish.packet_id))),
                    QoS::ExactlyOnce => Some(Packet::PubRec(ack(publish.packet_id))),
                };
                let late = held.take();
                match deed {
                    Deed::HangUp => return,
                    Deed::Babble => drop(stream.write_all(&[0x40, 0x02, 0x00, 0x00])),
                    Deed::Swap => held = Some(publish),
                    Deed::Lose => {}
                    Deed::Deliver => deliver(&publish, 1, subscriptions),
                    Deed::Silence => {
                        deliver(&publish, 1, subscriptions);
                        continue;
                    }
                    Deed::Misaddress => deliver_as("elsewhere", &publish, subscriptions),
                    Deed::Double => deliver(&publish, 2, subscriptions),
                    Deed::Redeliver => {
                        deliver(&publish, 1, subscriptions);
                        let again = Publish {
                            dup: true,
                            ..publish
                        };
                        deliver(&again, 1, subscriptions);
                    }
                    Deed::Shorten => {
                        let length = publish.payload.len() - 1;
                        let payload = publish.payload.slice(..length);
                        deliver(&Publish { payload, ..publish }, 1, subscriptions);
                    }
                    Deed::Corrupt => {
                        let mut payload = publish.payload.to_vec();
                        *payload.last_mut().expect("a payload") ^= 1;
                        let payload = payload.into();
                        deliver(&Publish { payload, ..publish }, 1, subscriptions);
                    }
                }
                if let Some(late) = late {
                    deliver(&late, 1, subscriptions);
                }
                match answer {
                    Some(answer) => answer,
                    None => continue,
                }
            }
            Packet::PubRel(release) => Packet::PubComp(ack(release.packet_id)),
            // To a subscriber: the second half of QoS 2.
            Packet::PubRec(received) => Packet::PubRel(ack(received.packet_id)),
            Packet::PingReq => Packet::PingResp,
            Packet::Disconnect(_) => return,
            _ => continue,
        };
        send(&mut stream, &answer, version);
    }
}

/// Sends the publish to everyone whose filter is its topic, under another one.
fn deliver_as(topic: &'static str, publish: &Publish, subscriptions: &Subscriptions) {
    let wanted = publish.topic.clone();
    for (filter, qos, version, stream) in subscriptions.lock().unwrap().iter_mut() {
        if *filter == *wanted {
            let copy = Publish {
                topic: topic.into(),
                qos: QoS::AtMostOnce.min(*qos),
                packet_id: 0,
                ..publish.clone()
            };
            send(stream, &Packet::Publish(copy), *version);
        }
    }
}

/// Sends the publish this often to everyone whose filter is its topic.
fn deliver(publish: &Publish, times: u16, subscriptions: &Subscriptions) {
    // One identifier for each copy, never the same one for two messages that can be open at a time.
    static NEXT: std::sync::atomic::AtomicU16 = std::sync::atomic::AtomicU16::new(0);
    for (filter, qos, version, stream) in subscriptions.lock().unwrap().iter_mut() {
        for _ in 0..times {
            // Of a group everybody gets a copy here.
            let shared = filter.strip_prefix("$share/");
            let plain = shared.and_then(|shared| shared.split_once('/'));
            if plain.map_or(filter.as_str(), |(_, plain)| plain) == &*publish.topic {
                let id = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed) % 60_000 + 1;
                let copy = Publish {
                    qos: *qos,
                    packet_id: if *qos == QoS::AtMostOnce { 0 } else { id },
                    ..publish.clone()
                };
                send(stream, &Packet::Publish(copy), *version);
            }
        }
    }
}

/// Whoever has left does not get it.
fn send(stream: &mut TcpStream, packet: &Packet, version: Version) {
    let mut bytes = Vec::new();
    codec::write(packet, version, &mut bytes).expect("small packets");
    let _ = stream.write_all(&bytes);
}
