//! The fifteen control packets as plain values (chapter 3 of both specifications).
//!
//! A 3.1.1 packet is the same value with empty properties and the reason codes of 5 left at success; the
//! codec maps what the older wire format can say. Strings and payloads share the buffer they were read from.

use bytes::Bytes;

use super::{ByteString, Properties, QoS, ReasonCode, Version};

/// Any control packet, in either direction.
#[derive(Debug, Clone, PartialEq)]
pub enum Packet {
    /// 3.1
    Connect(Box<Connect>),
    /// 3.2
    ConnAck(ConnAck),
    /// 3.3
    Publish(Publish),
    /// 3.4
    PubAck(Acknowledgement),
    /// 3.5
    PubRec(Acknowledgement),
    /// 3.6
    PubRel(Acknowledgement),
    /// 3.7
    PubComp(Acknowledgement),
    /// 3.8
    Subscribe(Subscribe),
    /// 3.9
    SubAck(SubAck),
    /// 3.10
    Unsubscribe(Unsubscribe),
    /// 3.11
    UnsubAck(SubAck),
    /// 3.12
    PingReq,
    /// 3.13
    PingResp,
    /// 3.14
    Disconnect(Disconnect),
    /// 3.15, MQTT 5 only
    Auth(Auth),
}

/// The first packet of a client (3.1).
#[derive(Debug, Clone, PartialEq)]
pub struct Connect {
    /// Which of the three protocol levels the client speaks.
    pub version: Version,
    /// Clean session (3.1.1) or clean start (5).
    pub clean_start: bool,
    /// Seconds; 0 turns the keep alive mechanism off.
    pub keep_alive: u16,
    /// May be empty: the server then assigns one where the version and the flags allow it.
    pub client_id: ByteString,
    /// Published by the server when the connection ends without a normal DISCONNECT.
    pub will: Option<Will>,
    /// User name.
    pub username: Option<ByteString>,
    /// Password: bytes, not text.
    pub password: Option<Bytes>,
    /// MQTT 5 properties; empty before.
    pub properties: Properties,
}

/// The will message carried by CONNECT (3.1.2.5).
#[derive(Debug, Clone, PartialEq)]
pub struct Will {
    /// Topic name.
    pub topic: ByteString,
    /// Payload.
    pub payload: Bytes,
    /// Quality of service it is published with.
    pub qos: QoS,
    /// Whether it is published as a retained message.
    pub retain: bool,
    /// MQTT 5 will properties, will delay interval included.
    pub properties: Properties,
}

/// The server's answer to CONNECT (3.2).
#[derive(Debug, Clone, PartialEq)]
pub struct ConnAck {
    /// Whether the server had stored a session for this client.
    pub session_present: bool,
    /// In MQTT 5 a reason code as it is; before, the codec translates to and from the return codes 0 to 5.
    pub reason: ReasonCode,
    /// MQTT 5 properties; empty before.
    pub properties: Properties,
}

/// An application message on its way (3.3).
#[derive(Debug, Clone, PartialEq)]
pub struct Publish {
    /// Set on a re-delivery only.
    pub dup: bool,
    /// Quality of service.
    pub qos: QoS,
    /// Retain flag.
    pub retain: bool,
    /// Topic name; empty only in MQTT 5 with a topic alias.
    pub topic: ByteString,
    /// 0 exactly when the quality of service is 0.
    pub packet_id: u16,
    /// MQTT 5 properties; empty before.
    pub properties: Properties,
    /// Payload: bytes of any kind, possibly none.
    pub payload: Bytes,
}

/// PUBACK, PUBREC, PUBREL or PUBCOMP (3.4 to 3.7).
#[derive(Debug, Clone, PartialEq)]
pub struct Acknowledgement {
    /// The packet identifier of the publish it belongs to; never 0.
    pub packet_id: u16,
    /// Always success before MQTT 5.
    pub reason: ReasonCode,
    /// MQTT 5 properties; empty before.
    pub properties: Properties,
}

impl Acknowledgement {
    /// The plain acknowledgement: success, without properties.
    pub fn success(packet_id: u16) -> Acknowledgement {
        Acknowledgement {
            packet_id,
            reason: ReasonCode::SUCCESS,
            properties: Properties::default(),
        }
    }
}

/// A request for one or more subscriptions (3.8).
#[derive(Debug, Clone, PartialEq)]
pub struct Subscribe {
    /// Never 0.
    pub packet_id: u16,
    /// At least one.
    pub filters: Vec<Subscription>,
    /// MQTT 5 properties; empty before.
    pub properties: Properties,
}

/// One topic filter with its subscription options (3.8.3.1).
#[derive(Debug, Clone, PartialEq)]
pub struct Subscription {
    /// As sent, `$share/...` included; not yet validated as a topic filter.
    pub filter: ByteString,
    /// The most the subscriber wants.
    pub qos: QoS,
    /// MQTT 5: do not send back what this client published itself.
    pub no_local: bool,
    /// MQTT 5: keep the retain flag as the publisher set it.
    pub retain_as_published: bool,
    /// MQTT 5: which retained messages this SUBSCRIBE asks for.
    pub retain_handling: RetainHandling,
}

/// When a subscription is sent the retained messages (3.8.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub enum RetainHandling {
    /// At every SUBSCRIBE, as before MQTT 5.
    #[default]
    Always = 0,
    /// Only when the subscription did not exist yet.
    IfNew = 1,
    /// Never.
    Never = 2,
}

/// SUBACK or UNSUBACK (3.9, 3.11).
#[derive(Debug, Clone, PartialEq)]
pub struct SubAck {
    /// The packet identifier of the request.
    pub packet_id: u16,
    /// One per filter, in order; empty in a 3.1.1 UNSUBACK, whose wire format has none.
    pub reasons: Vec<ReasonCode>,
    /// MQTT 5 properties; empty before.
    pub properties: Properties,
}

/// A request to end subscriptions (3.10).
#[derive(Debug, Clone, PartialEq)]
pub struct Unsubscribe {
    /// Never 0.
    pub packet_id: u16,
    /// At least one.
    pub filters: Vec<ByteString>,
    /// MQTT 5 properties; empty before.
    pub properties: Properties,
}

/// The last packet of a connection (3.14).
#[derive(Debug, Clone, PartialEq)]
pub struct Disconnect {
    /// Always normal disconnection before MQTT 5.
    pub reason: ReasonCode,
    /// MQTT 5 properties; empty before.
    pub properties: Properties,
}

/// A step of extended authentication (3.15).
#[derive(Debug, Clone, PartialEq)]
pub struct Auth {
    /// Success, continue authentication or re-authenticate.
    pub reason: ReasonCode,
    /// Authentication method and data, among others.
    pub properties: Properties,
}
