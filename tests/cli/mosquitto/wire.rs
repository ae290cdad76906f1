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
    /// It says nothing at all.
    Silent,
}

use Broker::*;

/// The line, with what comes from stdin behind ` < `, the version it leads to, and the broker.
pub type Case = (&'static str, Version, Broker);

#[test]
fn the_packets_are_the_same() {
    let clients = Clients::new();
    all_hold(&same(), |case| {
        let theirs = run(&clients, Whose::Theirs, *case);
        let ours = run(&clients, Whose::Ours, *case);
        match theirs == ours {
            true => Ok(()),
            false => Err(format!(
                "{case:?}\n  theirs {theirs:#?}\n  ours   {ours:#?}"
            )),
        }
    });
}

/// What is said to a broker that is kind.
const KIND: &[&str] = &[
    "pub -t a -m x",
    "pub -t a -m x -i me -k 5",
    "pub -t a -m x -q 1 -r",
    "pub -t a -n -q 2 -i me",
    "pub -t a -m x -V 31 -i me",
    "pub -t a -m x -V 31",
    "pub -t a -m x -V 5",
    "pub -t a -m x -V 5 -q 1",
    "pub -t a -m x -V 5 -q 2 -r",
    "pub -t a -m x -u user -P word",
    "pub -t a -m x -u user",
    "pub -t a -m x -u ~ -P ~",
    "pub -t a -m x -P word -V 5",
    "pub -t a -m x -c -i me",
    "pub -t a -m x -c -i me -V 5",
    "pub -t a -m x -c -i me -V 5 -x 0",
    "pub -t a -m x -x 60 -V 5",
    "pub -t a -m x -x 0x10 -V 5",
    "pub -t a -m x -x -1 -V 5 -i me",
    "pub -t a -m x -x ∞ -V 5 -i me",
    "pub -t a -m x -x 60",
    "pub -t a -m x --will-topic w",
    "pub -t a -m x --will-topic w --will-payload gone --will-qos 2 --will-retain",
    "pub -t a -m x --will-topic w --will-payload gone -V 5",
    "pub -t 'ä/b c' -m '€ 𝄞'",
    "pub -t a -m x --repeat 2 -q 1 -i me",
    "pub -t a -m x -D publish content-type text/plain",
    "pub -t a -m x -D publish correlation-data 'c d'",
    "pub -t a -m x -D publish message-expiry-interval 60",
    "pub -t a -m x -D publish payload-format-indicator 1",
    "pub -t a -m x -D publish payload-format-indicator abc",
    "pub -t a -m x -D publish response-topic b/c",
    "pub -t a -m x -D publish user-property k v -D publish user-property k w",
    "pub -t a -m x -D publish user-property -k -v",
    "pub -t a -m x -D connect authentication-data x -D connect authentication-method y",
    "pub -t a -m x -D connect maximum-packet-size 1000",
    "pub -t a -m x -D connect receive-maximum 7",
    "pub -t a -m x -D connect request-problem-information 0",
    "pub -t a -m x -D connect request-response-information 1",
    "pub -t a -m x -D connect session-expiry-interval 5",
    "pub -t a -m x -D connect topic-alias-maximum 5",
    "pub -t a -m x -D connect user-property k v",
    "pub -t a -m x -D will content-type x --will-topic w",
    "pub -t a -m x -D will correlation-data x --will-topic w",
    "pub -t a -m x -D will message-expiry-interval 5 --will-topic w",
    "pub -t a -m x -D will payload-format-indicator 1 --will-topic w",
    "pub -t a -m x -D will response-topic x --will-topic w",
    "pub -t a -m x -D will will-delay-interval 5 --will-topic w",
    "pub -t a -m x -D will user-property k v --will-topic w",
    "pub -t a -m x -D will content-type x",
    "pub -t a -m x -D disconnect reason-string bye",
    "pub -t a -m x -D disconnect session-expiry-interval 5",
    "pub -t a -m x -D disconnect user-property k v",
    "pub -t a -m x -D subscribe user-property k v",
    "sub -t a -E -D subscribe subscription-identifier 300",
    "sub -t a -E -D subscribe user-property k v",
    "sub -t a -E -D unsubscribe user-property k v",
    "sub -t a -E",
    "sub -t a -t b/+ -t '$share/g/c/#' -q 2 -E",
    "sub -t a -E -R",
    "sub -t a -E -R -V 5",
    "sub -t a -E --retain-as-published -V 5",
    "sub -t a -E --retain-as-published",
    "sub -t a -C 3 -W 1 -V 5",
    "sub -t a -C 20 -W 1 -V 5",
    "sub -t a -E -c -i me",
    "sub -t a -E -c -i me -V 5",
    "sub -t a -E -V 31 -i me",
    "sub -t a -E -q 1 --will-topic w --will-qos 1",
    "rr -t a -e b -m x -W 1",
    "rr -t a -e b -m x -W 1 -q 1",
    "rr -t a -e b -m x -W 1 -D publish correlation-data z",
    "rr -t a -e b -m x -W 1 -D publish content-type z -R",
    "pub -t a -m x -l",
];

/// What is said to one that is not.
const UNKIND: &[(&str, Broker)] = &[
    ("pub -t a -m x", Refusing(0x84)),
    ("pub -t a -m x", Refusing(0x85)),
    ("pub -t a -m x", Refusing(0x86)),
    ("pub -t a -m x", Refusing(0x87)),
    ("pub -t a -m x", Refusing(0x88)),
    ("pub -t a -m x --quiet", Refusing(0x87)),
    ("pub -t a -m x -V 5", Refusing(0x80)),
    ("pub -t a -m x -V 5", Refusing(0x84)),
    ("pub -t a -m x -V 5", Refusing(0x87)),
    ("pub -t a -m x -V 5", Refusing(0x89)),
    ("pub -t a -m x -V 5", Refusing(0x8A)),
    ("pub -t a -m x -V 5", Refusing(0x95)),
    ("pub -t a -m x -V 5", Refusing(0x9C)),
    ("sub -t a", Refusing(0x87)),
    ("sub -t a -V 5", Refusing(0x86)),
    ("sub -t a -t b -E", DenyingSome),
    ("pub -t a -m x -q 1 -i me", Losing),
    ("pub -t a -m x -q 2 -i me -V 5", Losing),
    ("pub -t a -l -q 1 -i me < one", Losing),
    ("pub -t a -l -q 2 -i me < one", Losing),
    ("pub -t a -l -q 1 -i me -c < one", Losing),
    ("sub -t a -q 1 -C 1 -i me", Losing),
    ("sub -t a -q 2 -C 1 -i me -V 5", Losing),
    ("rr -t a -e b -m x -q 1 -i me", Losing),
    ("sub -t a -q 1 -C 1 -i me", Closing),
    ("rr -t a -e b -m x -i me --nodelay -M 3", Losing),
    ("pub -t a -l -q 1 -i me < one", Closing),
];

/// All of it.
pub fn same() -> Vec<Case> {
    let kind = KIND.iter().map(|line| (*line, version(line), Kind));
    let unkind = UNKIND
        .iter()
        .map(|(line, broker)| (*line, version(line), *broker));
    kind.chain(unkind).collect()
}

/// The version a line leads to.
fn version(line: &str) -> Version {
    let words = words(line);
    let has = |typed: &[&str]| words.windows(typed.len()).any(|part| part == typed);
    match line {
        _ if has(&["-V", "31"]) => Version::V31,
        _ if has(&["-V", "5"]) || has(&["-D"]) || has(&["rr"]) => Version::V5,
        _ => Version::V311,
    }
}

/// What both do differently on purpose, and what all have in common.
#[test]
fn a_refusal_is_a_failure_unless_mosquittos_numbers_are_wanted() {
    let clients = Clients::new();
    all_hold(REFUSED, |(line, broker, statuses, words)| {
        let of = |whose, line: &str| run(&clients, whose, (line, version(line), *broker)).1;
        let outcomes = [
            of(Whose::Theirs, line),
            of(Whose::Ours, line),
            of(Whose::Ours, &format!("{line} --strict")),
        ];
        let ours = of(Whose::OursByName, line);
        let found = [&outcomes[0], &outcomes[1], &outcomes[2], &ours].map(|each| each.status);
        let are_said = outcomes.iter().all(|outcome| outcome.stderr == *words);
        match found == *statuses && are_said {
            true => Ok(()),
            false => Err(format!("{line}: {found:?} {outcomes:#?}")),
        }
    });
}

/// What mosquitto's clients do not notice, or too late: theirs and ours, with status and words.
#[test]
fn what_the_broker_cannot_do_is_said() {
    let clients = Clients::new();
    all_hold(UNNOTICED, |(line, broker, theirs, ours)| {
        for (whose, expected) in [(Whose::Theirs, theirs), (Whose::Ours, ours)] {
            let outcome = run(&clients, whose, (line, version(line), *broker)).1;
            if (outcome.status, &*outcome.stderr) != *expected {
                return Err(format!("{line} {whose:?}: {outcome:?}"));
            }
        }
        Ok(())
    });
}

/// A status, and what stands on stderr.
type Ending = (i32, &'static str);

const UNNOTICED: &[(&str, Broker, Ending, Ending)] = &[
    (
        "rr -t a -e b -m x -q 1 -W 1",
        Unwilling(0x87),
        (27, "Timed out\n"),
        (5, "Error: cannot publish to a: not authorized (0x87)\n"),
    ),
    (
        "pub -t a -m x -D publish topic-alias 3",
        Kind,
        (0, ""),
        (
            5,
            "Error: cannot publish to a: its topic alias is 3, and the broker takes none; leave topic-alias out\n",
        ),
    ),
];

/// As theirs: it waits.
#[test]
fn a_refused_request_is_waited_for_where_mosquittos_numbers_are_wanted() {
    let line = "rr -t a -e b -m x -q 1 -W 1 --strict";
    let outcome = run(
        &Clients::new(),
        Whose::Ours,
        (line, Version::V5, Unwilling(0x87)),
    )
    .1;
    assert_eq!((outcome.status, &*outcome.stderr), (27, "Timed out\n"));
}

/// The keep alive decides how long CONNACK is waited for; 2.0.11 has no word for it.
#[test]
fn a_broker_without_connack_is_given_up_after_the_keep_alive() {
    let clients = Clients::new();
    all_hold(&["pub -t a -m x -k 5", "rr -t a -e b -m x -k 5"], |line| {
        for (whose, words) in [
            (Whose::Theirs, "Error: Unknown error.\n"),
            (Whose::Ours, "Error: Keepalive exceeded\n"),
        ] {
            let outcome = run(&clients, whose, (line, version(line), Silent)).1;
            if (outcome.status, &*outcome.stderr) != (19, words) {
                return Err(format!("{line} {whose:?}: {outcome:?}"));
            }
        }
        Ok(())
    });
}

/// With statuses theirs, ours, with `--strict`, and of our own command, and what the first three say.
const REFUSED: &[(&str, Broker, [i32; 4], &str)] = &[
    ("sub -t a", Denying, [0, 5, 0, 5], DENIED),
    ("sub -t a -t b", Denying, [0, 5, 0, 5], DENIED),
    ("sub -t a -V 5", Denying, [0, 5, 0, 5], DENIED),
    (
        "rr -t a -e b -m x",
        Denying,
        [0, 5, 0, 5],
        "Unspecified error\n",
    ),
    (
        "pub -t a -m x -q 1 -V 5",
        Unwilling(0x87),
        [0, 5, 0, 5],
        "Warning: Publish 1 failed: Not authorized.\n",
    ),
    (
        "pub -t a -m x -q 2 -V 5",
        Unwilling(0x97),
        [0, 5, 0, 5],
        "Warning: Publish 1 failed: Quota exceeded.\n",
    ),
    (
        "pub -t a -m x",
        Refusing(0x87),
        [5, 5, 5, 4],
        "Connection error: Connection Refused: not authorised.\nError: The connection was refused.\n",
    ),
    (
        "sub -t a -V 5",
        Refusing(0x87),
        [135, 135, 135, 4],
        "Connection error: Not authorized\n",
    ),
    ("pub -t a -m x -q 1", Losing, [7, 7, 7, 7], LOST),
    ("rr -t a -e b -m x", Losing, [7, 7, 7, 7], LOST),
    (
        "rr -t a -e b -m x -W 1",
        Kind,
        [27, 27, 27, 27],
        "Timed out\n",
    ),
    ("sub -t a -W 1", Kind, [27, 27, 27, 27], "Timed out\n"),
];

const DENIED: &str = "All subscription requests were denied.\n";
const LOST: &str = "Error: The connection was lost.\n";

/// The packets in a form in which they can be compared, and what the program did.
pub fn run(
    clients: &Clients,
    whose: Whose,
    (line, version, broker): (&str, Version, Broker),
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
        let met = scope.spawn(|| play(&listener, version, broker, &is_over));
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
            let answers = match broker {
                Silent => Vec::new(),
                _ => answers(&packet, version, broker),
            };
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
