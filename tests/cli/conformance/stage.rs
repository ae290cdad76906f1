//! Plays a case of [`super::script`] on a broker, whichever it is, and says where it first does otherwise.

use std::collections::HashMap;
use std::fmt;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use mqtt_toolbox::mqtt::packet::*;
use mqtt_toolbox::mqtt::{Properties, Property, ReasonCode, Version, codec};

use super::client::kept;
use super::script::{self, Action, Answer, Case, Step, Token};
use crate::wire::connect;

/// How a case went.
pub type Outcome = Result<(), Box<Deviation>>;

/// Where a broker did otherwise.
#[derive(Debug, Clone)]
pub struct Deviation {
    /// The step that did not go as written.
    pub step: Step,
    /// What came instead.
    pub found: Found,
}

/// What came.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// A packet.
    Packet(Packet),
    /// The end of the connection where words were due before it: less than asked for, but allowed.
    ClosedWithoutAWord,
    /// The end of the connection.
    Closed,
    /// Nothing for as long as anybody would wait.
    Nothing,
    /// Bytes that are no packet.
    Nonsense(String),
    /// A packet without the property it should have, or with one it should not.
    Property,
}

impl fmt::Display for Deviation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "`{}`, but found {}", self.step.line, self.found)
    }
}

impl fmt::Display for Found {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Found::Packet(packet) => out.write_str(&in_short(packet)),
            Found::ClosedWithoutAWord => out.write_str("closed without a word"),
            Found::Closed => out.write_str("closed"),
            Found::Nothing => out.write_str("nothing"),
            Found::Nonsense(why) => write!(out, "no packet: {why}"),
            Found::Property => out.write_str("the opposite"),
        }
    }
}

/// A packet in a few words.
fn in_short(packet: &Packet) -> String {
    let acknowledgement = |name: &str, answer: &Acknowledgement| match answer.reason.0 {
        0 => format!("{name} of {}", answer.packet_id),
        code => format!("{name} of {} with 0x{code:02X}", answer.packet_id),
    };
    let codes = |name: &str, answer: &SubAck| {
        let codes: Vec<String> = answer
            .reasons
            .iter()
            .map(|code| format!("0x{:02X}", code.0))
            .collect();
        format!("{name} of {} with {}", answer.packet_id, codes.join(" "))
    };
    match packet {
        Packet::ConnAck(answer) => format!("CONNACK with 0x{:02X}", answer.reason.0),
        Packet::Publish(message) => {
            let mut words = format!("PUBLISH with QoS {}", message.qos);
            words += if message.retain { ", retained" } else { "" };
            words += if message.dup { ", again" } else { "" };
            let kinds: Vec<String> = message
                .properties
                .0
                .iter()
                .map(|property| format!("{:02X}", kind(property)))
                .collect();
            words
                + &if kinds.is_empty() {
                    String::new()
                } else {
                    format!(", properties {}", kinds.join(" "))
                }
        }
        Packet::PubAck(answer) => acknowledgement("PUBACK", answer),
        Packet::PubRec(answer) => acknowledgement("PUBREC", answer),
        Packet::PubRel(answer) => acknowledgement("PUBREL", answer),
        Packet::PubComp(answer) => acknowledgement("PUBCOMP", answer),
        Packet::SubAck(answer) => codes("SUBACK", answer),
        Packet::UnsubAck(answer) => codes("UNSUBACK", answer),
        Packet::PingResp => "PINGRESP".to_owned(),
        Packet::Disconnect(goodbye) => format!("DISCONNECT with 0x{:02X}", goodbye.reason.0),
        other => format!("{other:?}"),
    }
}

/// Plays the case on the broker at this port; `own` is the word of its own, `patience` how long a step is waited for.
pub fn play(case: &Case, port: u16, own: &str, patience: impl Fn(&Step) -> Duration) -> Outcome {
    let mut stage = Stage {
        port,
        own,
        clients: HashMap::new(),
        patience: Duration::ZERO,
    };
    for step in &case.steps {
        stage.patience = patience(step);
        let deviation = |found| Deviation {
            step: step.clone(),
            found,
        };
        stage
            .act(step)
            .map_err(|found| Box::new(deviation(found)))?;
    }
    Ok(())
}

struct Stage<'a> {
    port: u16,
    own: &'a str,
    clients: HashMap<char, Client>,
    patience: Duration,
}

struct Client {
    stream: TcpStream,
    version: Version,
    incoming: BytesMut,
    /// Numbers that the broker chose, by the names the case gave them.
    names: HashMap<String, u16>,
    last: Option<Packet>,
}

impl Stage<'_> {
    fn act(&mut self, step: &Step) -> Result<(), Found> {
        match step.action {
            Action::Opens => self.open(step),
            Action::Joins => return self.join(step, false, false),
            Action::Stays => return self.join(step, true, false),
            Action::Resumes => return self.join(step, true, true),
            Action::Passes(seconds) => return self.wait(step.client, seconds),
            _ if !self.clients.contains_key(&step.client) => self.join(step, false, false)?,
            _ => {}
        }
        let (own, patience) = (self.own, self.patience);
        let client = self
            .clients
            .get_mut(&step.client)
            .expect("it has just joined");
        match &step.action {
            Action::Sends(tokens) => client.send(&script::framed(&client.bytes(tokens, own))),
            Action::SendsBytes(tokens) => client.send(&client.bytes(tokens, own)),
            Action::Receives(answers) => return client.receives(answers, own, patience),
            Action::Pings => {
                client.send(&[0xC0, 0]);
                match client.next(patience) {
                    Found::Packet(Packet::PingResp) => {}
                    other => return Err(other),
                }
            }
            Action::Leaves => {
                client.send(&[0xE0, 0]);
                return client.is_closed(patience);
            }
            Action::Vanishes => {
                // Already gone is as good.
                let _ = client.stream.shutdown(Shutdown::Write);
                return client.is_closed(patience);
            }
            Action::Property { id, present } => {
                let found = client
                    .last
                    .as_ref()
                    .is_some_and(|packet| has_property(packet, *id));
                return if found == *present {
                    Ok(())
                } else {
                    Err(Found::Property)
                };
            }
            Action::Opens | Action::Joins | Action::Stays | Action::Resumes | Action::Passes(_) => {
            }
        }
        Ok(())
    }

    fn open(&mut self, step: &Step) {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the broker listens");
        stream.set_nodelay(true).expect("a TCP socket");
        let client = Client {
            stream,
            version: step.version,
            incoming: BytesMut::new(),
            names: HashMap::new(),
            last: None,
        };
        self.clients.insert(step.client, client);
    }

    fn join(&mut self, step: &Step, stays: bool, resumes: bool) -> Result<(), Found> {
        // What a client was sent on its last connection it may be sent again: the names live as long as the case.
        let names = self.clients.remove(&step.client).map(|client| client.names);
        self.open(step);
        let client_id = format!("{}{}", step.client, self.own);
        let greeting = match stays {
            true => kept(step.version, &client_id),
            false => connect(step.version, &client_id),
        };
        let client = self
            .clients
            .get_mut(&step.client)
            .expect("it has just been opened");
        client.names = names.unwrap_or_default();
        let mut bytes = Vec::new();
        codec::write(&Packet::Connect(greeting), step.version, &mut bytes)
            .expect("an ordinary CONNECT");
        client.send(&bytes);
        match client.next(self.patience) {
            Found::Packet(Packet::ConnAck(answer))
                if answer.reason == ReasonCode::SUCCESS && answer.session_present == resumes =>
            {
                Ok(())
            }
            other => Err(other),
        }
    }

    /// Waits for a will that is delayed by so many seconds: nobody but the broker looks at a clock.
    fn wait(&mut self, name: char, seconds: u32) -> Result<(), Found> {
        let script = format!(
            "case 5 | - | time passes\n\
             a > SUBSCRIBE #1 {{}} 'time/{name}~' 00\n\
             a < SUBACK #1 {{}} 00\n\
             b opens\n\
             b > CONNECT 'MQTT' 05 06 #60 {{ 11 0000FFFF }} 'time{name}~' {{ 18 {seconds:08X} }} 'time/{name}~' ''\n\
             b < CONNACK 00 00 {{}}\n\
             b vanishes\n\
             a < PUBLISH 'time/{name}~' {{}}\n"
        );
        let [case] = &script::cases("time", &script)[..] else {
            unreachable!("it is one case at one level");
        };
        let own = format!("{name}{}", self.own);
        let patience = self.patience;
        play(case, self.port, &own, |_| patience).map_err(|deviation| deviation.found)
    }
}

impl Client {
    fn bytes(&self, tokens: &[Token], own: &str) -> Vec<u8> {
        let named = |name: &str| {
            let found = self.names.get(name);
            *found.unwrap_or_else(|| panic!("nothing has been called {name} yet"))
        };
        script::bytes(tokens, own, &named)
    }

    /// A broker that has closed already is seen when the next packet is awaited.
    fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// The next packet, or what is there instead.
    fn next(&mut self, patience: Duration) -> Found {
        let deadline = Instant::now() + patience;
        loop {
            // A refusal may be in the form of another version than was asked for: before MQTT 5 it has two bytes.
            let version = match self.incoming[..] {
                [0x20, 2, ..] => Version::V311,
                [0x20, ..] => Version::V5,
                _ => self.version,
            };
            match codec::read(&mut self.incoming, version, u32::MAX) {
                Ok(Some(packet)) => {
                    self.last = Some(packet.clone());
                    return Found::Packet(packet);
                }
                Ok(None) => {}
                Err(malformed) => return Found::Nonsense(malformed.message.into_owned()),
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Found::Nothing;
            }
            self.stream
                .set_read_timeout(Some(left))
                .expect("it is not zero");
            let mut buffer = [0; 1 << 14];
            match self.stream.read(&mut buffer) {
                Ok(0) => return Found::Closed,
                Ok(count) => self.incoming.extend_from_slice(&buffer[..count]),
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(_) => return Found::Closed,
            }
        }
    }

    fn is_closed(&mut self, patience: Duration) -> Result<(), Found> {
        match self.next(patience) {
            Found::Closed => Ok(()),
            other => Err(other),
        }
    }

    fn receives(&mut self, answers: &[Answer], own: &str, patience: Duration) -> Result<(), Found> {
        let found = self.next(patience);
        for answer in answers {
            match (answer, &found) {
                (Answer::Packet(tokens), Found::Packet(packet)) if self.is(packet, tokens, own) => {
                    return Ok(());
                }
                (Answer::Closed, Found::Closed) => return Ok(()),
                (Answer::Ends(_), Found::Closed) if self.version < Version::V5 => return Ok(()),
                (Answer::Ends(codes), Found::Packet(Packet::Disconnect(goodbye)))
                    if codes.contains(&goodbye.reason.0) =>
                {
                    return self.is_closed(patience);
                }
                (Answer::Refused(codes), Found::Packet(Packet::ConnAck(refusal)))
                    if codes.contains(&refusal.reason.0) && !refusal.session_present =>
                {
                    return self.is_closed(patience);
                }
                _ => {}
            }
        }
        let words_due = answers
            .iter()
            .any(|answer| matches!(answer, Answer::Ends(_) | Answer::Refused(_)));
        Err(match found {
            Found::Closed if words_due => Found::ClosedWithoutAWord,
            found => found,
        })
    }

    /// Whether a packet is what was asked for; then it gives the numbers that have names their values.
    fn is(&mut self, packet: &Packet, tokens: &[Token], own: &str) -> bool {
        let number = packet_id(packet);
        let named = |name: &str| self.names.get(name).copied().unwrap_or(number.max(1));
        let bytes = script::framed(&script::bytes(tokens, own, &named));
        let expected = codec::decode(Bytes::from(bytes.clone()), self.version);
        let expected = expected.unwrap_or_else(|error| panic!("{tokens:?} is no packet: {error}"));
        let same = match (&expected, packet) {
            (Packet::ConnAck(expected), Packet::ConnAck(found)) => {
                let has = |property: &Property| found.properties.0.contains(property);
                expected.session_present == found.session_present
                    && expected.reason == found.reason
                    && expected.properties.0.iter().all(has)
            }
            _ => plain(&expected) == below(plain(packet), script::limit(tokens)),
        };
        if same {
            for token in tokens {
                if let Token::Name(name) = token {
                    self.names.insert(name.clone(), number);
                }
            }
        }
        same
    }
}

/// A packet without what a broker may add, and with its properties in the order of their identifiers.
fn plain(packet: &Packet) -> Packet {
    let mut packet = packet.clone();
    let quiet = |properties: &mut Properties| {
        properties.0.retain(|property| {
            !matches!(
                property,
                Property::ReasonString(_) | Property::UserProperty(..)
            )
        });
    };
    match &mut packet {
        Packet::Publish(message) => message.properties.0.sort_by_key(kind),
        Packet::PubAck(answer) | Packet::PubRec(answer) => {
            quiet(&mut answer.properties);
            if answer.reason == ReasonCode::NO_MATCHING_SUBSCRIBERS {
                answer.reason = ReasonCode::SUCCESS;
            }
        }
        Packet::PubRel(answer) | Packet::PubComp(answer) => quiet(&mut answer.properties),
        Packet::SubAck(answer) | Packet::UnsubAck(answer) => quiet(&mut answer.properties),
        Packet::Disconnect(goodbye) => quiet(&mut goodbye.properties),
        _ => {}
    }
    packet
}

/// A message with as much time left as may be left, if it has less than that.
fn below(mut packet: Packet, limit: Option<u32>) -> Packet {
    if let (Packet::Publish(message), Some(limit)) = (&mut packet, limit) {
        for property in &mut message.properties.0 {
            if let Property::MessageExpiryInterval(left) = property
                && *left < limit
            {
                *left = limit - 1;
            }
        }
    }
    packet
}

fn packet_id(packet: &Packet) -> u16 {
    match packet {
        Packet::Publish(message) => message.packet_id,
        Packet::PubAck(answer)
        | Packet::PubRec(answer)
        | Packet::PubRel(answer)
        | Packet::PubComp(answer) => answer.packet_id,
        _ => 0,
    }
}

/// The identifier of a property (2.2.2.2).
fn kind(property: &Property) -> u8 {
    let mut bytes = Vec::new();
    codec::write_property(property, &mut bytes).expect("it has come over a wire");
    bytes[0]
}

fn has_property(packet: &Packet, id: u8) -> bool {
    let properties = match packet {
        Packet::ConnAck(answer) => &answer.properties,
        Packet::Publish(message) => &message.properties,
        Packet::PubAck(answer)
        | Packet::PubRec(answer)
        | Packet::PubRel(answer)
        | Packet::PubComp(answer) => &answer.properties,
        Packet::SubAck(answer) | Packet::UnsubAck(answer) => &answer.properties,
        Packet::Disconnect(goodbye) => &goodbye.properties,
        _ => return false,
    };
    properties.0.iter().any(|property| kind(property) == id)
}
