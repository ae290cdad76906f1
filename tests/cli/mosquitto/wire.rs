//! Command lines whose packets are compared: both programs send a scripted broker the same, but for the client id where
//! none was given, the order of properties, how many filters go into one UNSUBSCRIBE, and after a lost connection the
//! packet identifier of SUBSCRIBE and the DUP flag, which ours does not set for a broker that has not kept the session.

use std::ffi::OsString;
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};

use mqtt_toolbox::mqtt::packet::*;
use mqtt_toolbox::mqtt::{Properties, Property, QoS, ReasonCode, Version};

use super::beside::{Clients, Outcome, Whose, all_hold, words};
use crate::wire::{Wire, publish};

/// How the broker answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broker {
    /// With success.
    Kind,
    /// With this reason to CONNECT.
    Refusing(u8),
    /// No to every filter.
    Denying,
    /// No to the first filter.
    DenyingSome,
    /// With this reason to PUBLISH.
    Unwilling(u8),
    /// It closes the first connection when it has a message or a subscription, and has a message for who subscribes then.
    Losing,
    /// It closes the first connection instead of sending CONNACK.
    Closing,
}

use Broker::*;

/// The line, with what comes from stdin behind ` < `, the version it leads to, and the broker.
pub type Case = (&'static str, Version, Broker);

const V31: Version = Version::V31;
const V4: Version = Version::V311;
const V5: Version = Version::V5;

#[test]
fn the_packets_are_the_same() {
    let clients = Clients::new();
    all_hold(SAME, |case| {
        let theirs = run(&clients, Whose::Theirs, case);
        let ours = run(&clients, Whose::Ours, case);
        match theirs == ours {
            true => Ok(()),
            false => Err(format!(
                "{case:?}\n  theirs {theirs:#?}\n  ours   {ours:#?}"
            )),
        }
    });
}

pub const SAME: &[Case] = &[
    ("pub -t a -m x", V4, Kind),
    ("pub -t a -m x -i me -k 5", V4, Kind),
    ("pub -t a -m x -q 1 -r", V4, Kind),
    ("pub -t a -n -q 2 -i me", V4, Kind),
    ("pub -t a -m x -V 31 -i me", V31, Kind),
    ("pub -t a -m x -V 31", V31, Kind),
    ("pub -t a -m x -V 5", V5, Kind),
    ("pub -t a -m x -V 5 -q 1", V5, Kind),
    ("pub -t a -m x -V 5 -q 2 -r", V5, Kind),
    ("pub -t a -m x -u user -P word", V4, Kind),
    ("pub -t a -m x -u user", V4, Kind),
    ("pub -t a -m x -u ~ -P ~", V4, Kind),
    ("pub -t a -m x -P word -V 5", V5, Kind),
    ("pub -t a -m x -c -i me", V4, Kind),
    ("pub -t a -m x -c -i me -V 5", V5, Kind),
    ("pub -t a -m x -c -i me -V 5 -x 0", V5, Kind),
    ("pub -t a -m x -x 60 -V 5", V5, Kind),
    ("pub -t a -m x -x 0x10 -V 5", V5, Kind),
    ("pub -t a -m x -x -1 -V 5 -i me", V5, Kind),
    ("pub -t a -m x -x ∞ -V 5 -i me", V5, Kind),
    ("pub -t a -m x -x 60", V4, Kind),
    ("pub -t a -m x --will-topic w", V4, Kind),
    (
        "pub -t a -m x --will-topic w --will-payload gone --will-qos 2 --will-retain",
        V4,
        Kind,
    ),
    (
        "pub -t a -m x --will-topic w --will-payload gone -V 5",
        V5,
        Kind,
    ),
    ("pub -t 'ä/b c' -m '€ 𝄞'", V4, Kind),
    ("pub -t a -m x --repeat 2 -q 1 -i me", V4, Kind),
    ("pub -t a -m x -D publish content-type text/plain", V5, Kind),
    ("pub -t a -m x -D publish correlation-data 'c d'", V5, Kind),
    (
        "pub -t a -m x -D publish message-expiry-interval 60",
        V5,
        Kind,
    ),
    (
        "pub -t a -m x -D publish payload-format-indicator 1",
        V5,
        Kind,
    ),
    (
        "pub -t a -m x -D publish payload-format-indicator abc",
        V5,
        Kind,
    ),
    ("pub -t a -m x -D publish response-topic b/c", V5, Kind),
    (
        "pub -t a -m x -D publish user-property k v -D publish user-property k w",
        V5,
        Kind,
    ),
    ("pub -t a -m x -D publish user-property -k -v", V5, Kind),
    (
        "pub -t a -m x -D connect authentication-data x -D connect authentication-method y",
        V5,
        Kind,
    ),
    (
        "pub -t a -m x -D connect maximum-packet-size 1000",
        V5,
        Kind,
    ),
    ("pub -t a -m x -D connect receive-maximum 7", V5, Kind),
    (
        "pub -t a -m x -D connect request-problem-information 0",
        V5,
        Kind,
    ),
    (
        "pub -t a -m x -D connect request-response-information 1",
        V5,
        Kind,
    ),
    (
        "pub -t a -m x -D connect session-expiry-interval 5",
        V5,
        Kind,
    ),
    ("pub -t a -m x -D connect topic-alias-maximum 5", V5, Kind),
    ("pub -t a -m x -D connect user-property k v", V5, Kind),
    (
        "pub -t a -m x -D will content-type x --will-topic w",
        V5,
        Kind,
    ),
    (
        "pub -t a -m x -D will correlation-data x --will-topic w",
        V5,
        Kind,
    ),
    (
        "pub -t a -m x -D will message-expiry-interval 5 --will-topic w",
        V5,
        Kind,
    ),
    (
        "pub -t a -m x -D will payload-format-indicator 1 --will-topic w",
        V5,
        Kind,
    ),
    (
        "pub -t a -m x -D will response-topic x --will-topic w",
        V5,
        Kind,
    ),
    (
        "pub -t a -m x -D will will-delay-interval 5 --will-topic w",
        V5,
        Kind,
    ),
    (
        "pub -t a -m x -D will user-property k v --will-topic w",
        V5,
        Kind,
    ),
    ("pub -t a -m x -D will content-type x", V5, Kind),
    ("pub -t a -m x -D disconnect reason-string bye", V5, Kind),
    (
        "pub -t a -m x -D disconnect session-expiry-interval 5",
        V5,
        Kind,
    ),
    ("pub -t a -m x -D disconnect user-property k v", V5, Kind),
    ("pub -t a -m x -D subscribe user-property k v", V5, Kind),
    (
        "sub -t a -E -D subscribe subscription-identifier 300",
        V5,
        Kind,
    ),
    ("sub -t a -E -D subscribe user-property k v", V5, Kind),
    ("sub -t a -E -D unsubscribe user-property k v", V5, Kind),
    ("sub -t a -E", V4, Kind),
    ("sub -t a -t b/+ -t '$share/g/c/#' -q 2 -E", V4, Kind),
    ("sub -t a -E -R", V4, Kind),
    ("sub -t a -E -R -V 5", V5, Kind),
    ("sub -t a -E --retain-as-published -V 5", V5, Kind),
    ("sub -t a -E --retain-as-published", V4, Kind),
    ("sub -t a -C 3 -W 1 -V 5", V5, Kind),
    ("sub -t a -C 20 -W 1 -V 5", V5, Kind),
    ("sub -t a -E -c -i me", V4, Kind),
    ("sub -t a -E -c -i me -V 5", V5, Kind),
    ("sub -t a -E -V 31 -i me", V31, Kind),
    ("sub -t a -E -q 1 --will-topic w --will-qos 1", V4, Kind),
    ("rr -t a -e b -m x -W 1", V5, Kind),
    ("rr -t a -e b -m x -W 1 -q 1", V5, Kind),
    (
        "rr -t a -e b -m x -W 1 -D publish correlation-data z",
        V5,
        Kind,
    ),
    (
        "rr -t a -e b -m x -W 1 -D publish content-type z -R",
        V5,
        Kind,
    ),
    ("pub -t a -m x", V4, Refusing(0x84)),
    ("pub -t a -m x", V4, Refusing(0x85)),
    ("pub -t a -m x", V4, Refusing(0x86)),
    ("pub -t a -m x", V4, Refusing(0x87)),
    ("pub -t a -m x", V4, Refusing(0x88)),
    ("pub -t a -m x --quiet", V4, Refusing(0x87)),
    ("pub -t a -m x -l", V4, Kind),
    ("pub -t a -m x -V 5", V5, Refusing(0x80)),
    ("pub -t a -m x -V 5", V5, Refusing(0x84)),
    ("pub -t a -m x -V 5", V5, Refusing(0x87)),
    ("pub -t a -m x -V 5", V5, Refusing(0x89)),
    ("pub -t a -m x -V 5", V5, Refusing(0x8A)),
    ("pub -t a -m x -V 5", V5, Refusing(0x95)),
    ("pub -t a -m x -V 5", V5, Refusing(0x9C)),
    ("sub -t a", V4, Refusing(0x87)),
    ("sub -t a -V 5", V5, Refusing(0x86)),
    ("sub -t a -t b -E", V4, DenyingSome),
    ("pub -t a -m x -q 1 -i me", V4, Losing),
    ("pub -t a -m x -q 2 -i me -V 5", V5, Losing),
    ("pub -t a -l -q 1 -i me < one", V4, Losing),
    ("pub -t a -l -q 2 -i me < one", V4, Losing),
    ("pub -t a -l -q 1 -i me -c < one", V4, Losing),
    ("sub -t a -q 1 -C 1 -i me", V4, Losing),
    ("sub -t a -q 2 -C 1 -i me -V 5", V5, Losing),
    ("rr -t a -e b -m x -q 1 -i me", V5, Losing),
    ("sub -t a -q 1 -C 1 -i me", V4, Closing),
    ("rr -t a -e b -m x -i me --nodelay -M 3", V5, Losing),
    ("pub -t a -l -q 1 -i me < one", V4, Closing),
];

/// What both did differently on purpose: statuses theirs and ours, and with `--strict`.
#[test]
fn a_refusal_is_a_failure_unless_mosquittos_numbers_are_wanted() {
    let clients = Clients::new();
    all_hold(REFUSED, |(line, version, broker, words)| {
        let theirs = run(&clients, Whose::Theirs, &(line, *version, *broker)).1;
        let ours = run(&clients, Whose::Ours, &(line, *version, *broker)).1;
        let strict: &'static str = Box::leak(format!("{line} --strict").into_boxed_str());
        let strict = run(&clients, Whose::Ours, &(strict, *version, *broker)).1;
        let status = (theirs.status, ours.status, strict.status);
        let said = [&theirs, &ours, &strict].map(|outcome| outcome.stderr.as_str());
        match status == (0, 5, 0) && said == [*words; 3] {
            true => Ok(()),
            false => Err(format!("{line}: {status:?} {said:?}")),
        }
    });
}

const REFUSED: &[(&str, Version, Broker, &str)] = &[
    (
        "sub -t a",
        V4,
        Denying,
        "All subscription requests were denied.\n",
    ),
    (
        "sub -t a -t b",
        V4,
        Denying,
        "All subscription requests were denied.\n",
    ),
    (
        "sub -t a -V 5",
        V5,
        Denying,
        "All subscription requests were denied.\n",
    ),
    (
        "pub -t a -m x -q 1 -V 5",
        V5,
        Unwilling(0x87),
        "Warning: Publish 1 failed: Not authorized.\n",
    ),
    (
        "pub -t a -m x -q 2 -V 5",
        V5,
        Unwilling(0x97),
        "Warning: Publish 1 failed: Quota exceeded.\n",
    ),
];

/// The packets in a form in which they can be compared, and what the program did.
pub fn run(
    clients: &Clients,
    whose: Whose,
    (line, version, broker): &Case,
) -> (Vec<String>, Outcome) {
    let (line, stdin) = line.split_once(" < ").unwrap_or((line, ""));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener
        .local_addr()
        .expect("it is bound")
        .port()
        .to_string();
    let mut words = words(line);
    words[0] = format!("mosquitto_{}", words[0].display()).into();
    words.splice(1..1, ["-h", "127.0.0.1", "-p", &port].map(OsString::from));
    let is_named = words.iter().any(|word| word == "-i");
    let home = tempfile::tempdir().expect("a temporary folder");
    let is_over = AtomicBool::new(false);
    let packets = std::thread::scope(|scope| {
        let outcome = scope.spawn(|| clients.run(whose, &words, stdin.as_bytes(), home.path()));
        // The broker waits for another connection: when the program has ended it is met with one of our own.
        let met = scope.spawn(|| play(&listener, *version, *broker, &is_over));
        let outcome = outcome.join().expect("it ends");
        is_over.store(true, Ordering::Release);
        drop(std::net::TcpStream::connect((
            "127.0.0.1",
            listener.local_addr().expect("bound").port(),
        )));
        (met.join().expect("a broker"), outcome)
    });
    let (mut packets, outcome) = packets;
    let connects = packets
        .iter()
        .filter(|packet| matches!(packet, Packet::Connect(_)));
    if connects.count() > 1 {
        for packet in &mut packets {
            match packet {
                Packet::Publish(publish) => publish.dup = false,
                Packet::Subscribe(subscribe) => subscribe.packet_id = 1,
                _ => {}
            }
        }
    }
    (shown(packets, is_named), outcome)
}

fn play(
    listener: &TcpListener,
    version: Version,
    broker: Broker,
    is_over: &AtomicBool,
) -> Vec<Packet> {
    let mut packets = Vec::new();
    for count in 1.. {
        let mut wire = Wire::accept(listener, version);
        if is_over.load(Ordering::Acquire) {
            break;
        }
        let is_first = count == 1;
        while let Some(packet) = wire.receive_or_end() {
            let is_work = matches!(packet, Packet::Publish(_) | Packet::Subscribe(_));
            let brings = matches!(packet, Packet::Subscribe(_)) && broker_brings(broker, is_first);
            let ends = match broker {
                Losing => is_first && is_work,
                Closing => is_first,
                _ => false,
            };
            let answers = answers(&packet, version, broker);
            packets.push(packet);
            if ends {
                break;
            }
            for answer in answers {
                wire.send(answer);
            }
            if brings {
                wire.send(publish("a", b"x", QoS::AtLeastOnce, 1));
            }
        }
    }
    packets
}

fn broker_brings(broker: Broker, is_first: bool) -> bool {
    matches!(broker, Losing | Closing) && !is_first
}

fn answers(packet: &Packet, version: Version, broker: Broker) -> Vec<Packet> {
    let none = Properties::default;
    let acknowledgement = |packet_id, reason| Acknowledgement {
        packet_id,
        reason,
        properties: none(),
    };
    let verdict = match broker {
        Unwilling(code) => ReasonCode(code),
        _ => ReasonCode::SUCCESS,
    };
    match packet {
        Packet::Connect(connect) => vec![Packet::ConnAck(ConnAck {
            session_present: false,
            reason: match broker {
                Refusing(code) => ReasonCode(code),
                _ => ReasonCode::SUCCESS,
            },
            properties: {
                let method = connect.properties.authentication_method();
                let mut properties = Vec::from_iter(method.map(Property::AuthenticationMethod));
                if version == Version::V5 && connect.client_id.is_empty() {
                    properties.push(Property::AssignedClientIdentifier("given".into()));
                }
                Properties(properties)
            },
        })],
        Packet::Subscribe(subscribe) => {
            let reasons = subscribe.filters.iter().enumerate();
            let reason = |(place, filter): (usize, &Subscription)| match (broker, place) {
                (Denying, _) | (DenyingSome, 0) => ReasonCode::UNSPECIFIED_ERROR,
                _ => ReasonCode(filter.qos.number()),
            };
            vec![Packet::SubAck(SubAck {
                packet_id: subscribe.packet_id,
                reasons: reasons.map(reason).collect(),
                properties: none(),
            })]
        }
        Packet::Unsubscribe(unsubscribe) => vec![Packet::UnsubAck(SubAck {
            packet_id: unsubscribe.packet_id,
            reasons: match version {
                Version::V5 => vec![ReasonCode::SUCCESS; unsubscribe.filters.len()],
                _ => Vec::new(),
            },
            properties: none(),
        })],
        Packet::Publish(publish) => match publish.qos {
            QoS::AtMostOnce => Vec::new(),
            QoS::AtLeastOnce => vec![Packet::PubAck(acknowledgement(publish.packet_id, verdict))],
            QoS::ExactlyOnce => vec![Packet::PubRec(acknowledgement(publish.packet_id, verdict))],
        },
        Packet::PubRel(release) => {
            vec![Packet::PubComp(acknowledgement(
                release.packet_id,
                ReasonCode::SUCCESS,
            ))]
        }
        _ => Vec::new(),
    }
}

/// What a client of mosquitto and a command of ours have in common: what either tells the broker unasked is left out. That
/// is, with MQTT 5, how much mosquitto's takes at a time, what ours wants repeated in a reply, and that it wants no old one.
pub fn common(packets: Vec<String>) -> Vec<String> {
    let without = |packet: String| {
        let mut packet = packet.replace("retain_handling: Never", "retain_handling: Always");
        for name in ["ReceiveMaximum(", "CorrelationData("] {
            while let Some(start) = packet.find(name) {
                let end = packet[start..]
                    .find(')')
                    .map_or(packet.len(), |end| start + end + 1);
                packet.replace_range(start..end, "");
            }
        }
        packet
            .replace("[, ", "[")
            .replace(", ]", "]")
            .replace(", , ", ", ")
    };
    packets.into_iter().map(without).collect()
}

fn shown(packets: Vec<Packet>, is_named: bool) -> Vec<String> {
    let sorted = |properties: &mut Properties| {
        let is_user = |property: &Property| matches!(property, Property::UserProperty(..));
        // Stable: user properties stay in their order.
        properties
            .0
            .sort_by_key(|property| match is_user(property) {
                true => String::from("~"),
                false => format!("{property:?}"),
            });
    };
    let mut all = Vec::new();
    for mut packet in packets {
        match &mut packet {
            Packet::Connect(connect) => {
                if !is_named {
                    connect.client_id = "".into();
                }
                sorted(&mut connect.properties);
                if let Some(will) = &mut connect.will {
                    sorted(&mut will.properties);
                }
            }
            Packet::Publish(publish) => sorted(&mut publish.properties),
            // Ours says goodbye in the ordinary way when its time is over.
            Packet::Disconnect(disconnect) => disconnect.reason = ReasonCode::SUCCESS,
            _ => {}
        }
        all.push(format!("{packet:?}"));
    }
    all
}
