//! Everything that must be refused, one row a fault. Plain data without a dependency, so that the tests which
//! throw the same packets at a running broker read it too.

/// A packet with one fault.
pub(crate) struct Row {
    /// The protocol levels in which it is a fault: 3, 4, 5. Of CONNECT, the level it names.
    pub(crate) levels: &'static [u8],
    /// The first byte.
    pub(crate) header: u8,
    /// All that the remaining length counts; the length itself is right unless the row says otherwise.
    pub(crate) body: &'static [u8],
    /// The reason code that answers it in MQTT 5.
    pub(crate) reason: u8,
    /// The fault, in the codec's own words.
    pub(crate) fault: &'static str,
}

impl Row {
    /// The packet as it goes over the wire. No body here needs a second byte for its length.
    pub(crate) fn wire(&self) -> Vec<u8> {
        [&[self.header, self.body.len() as u8], self.body].concat()
    }
}

/// Bytes that are refused for their fixed header, as they go over the wire: levels, bytes, reason code, fault.
pub(crate) const FIXED_HEADERS: &[(&[u8], &[u8], u8, &str)] = &[
    (ALL, b"\x00\x00", MALFORMED, "packet type 0 is reserved"),
    (ALL, b"\x0F\x00", MALFORMED, "packet type 0 is reserved"),
    (
        ALL,
        b"\x11\x0d\0\x04MQTT\x04\x02\0\x3c\0\x01c",
        MALFORMED,
        "the flags of CONNECT are 0001",
    ),
    (
        ALL,
        b"\x28\x02\0\0",
        MALFORMED,
        "the flags of CONNACK are 1000",
    ),
    (
        ALL,
        b"\x42\x02\0\x01",
        MALFORMED,
        "the flags of PUBACK are 0010",
    ),
    (
        ALL,
        b"\x52\x02\0\x01",
        MALFORMED,
        "the flags of PUBREC are 0010",
    ),
    (
        ALL,
        b"\x60\x02\0\x01",
        MALFORMED,
        "the flags of PUBREL are 0000",
    ),
    (
        FROM_3_1_1,
        b"\x6A\x02\0\x01",
        MALFORMED,
        "the flags of PUBREL are 1010",
    ),
    (
        ALL,
        b"\x72\x02\0\x01",
        MALFORMED,
        "the flags of PUBCOMP are 0010",
    ),
    (
        ALL,
        b"\x80\x06\0\x01\0\x01f\0",
        MALFORMED,
        "the flags of SUBSCRIBE are 0000",
    ),
    (
        ALL,
        b"\x83\x06\0\x01\0\x01f\0",
        MALFORMED,
        "the flags of SUBSCRIBE are 0011",
    ),
    (
        FROM_3_1_1,
        b"\x8A\x06\0\x01\0\x01f\0",
        MALFORMED,
        "the flags of SUBSCRIBE are 1010",
    ),
    (
        ALL,
        b"\xA0\x05\0\x01\0\x01f",
        MALFORMED,
        "the flags of UNSUBSCRIBE are 0000",
    ),
    (ALL, b"\xC1\x00", MALFORMED, "the flags of PINGREQ are 0001"),
    (
        ALL,
        b"\xD4\x00",
        MALFORMED,
        "the flags of PINGRESP are 0100",
    ),
    (
        ALL,
        b"\xE8\x00",
        MALFORMED,
        "the flags of DISCONNECT are 1000",
    ),
    (ALL, b"\xF1\x00", MALFORMED, "the flags of AUTH are 0001"),
    (
        BEFORE_5,
        b"\xF0\x00",
        MALFORMED,
        "AUTH exists only in MQTT 5",
    ),
    (
        ALL,
        b"\x36\x05\0\x01t\0\x01",
        MALFORMED,
        "PUBLISH with quality of service 3",
    ),
    (
        ALL,
        b"\x3F\x05\0\x01t\0\x01",
        MALFORMED,
        "PUBLISH with quality of service 3",
    ),
    (
        ALL,
        b"\x38\x03\0\x01t",
        MALFORMED,
        "PUBLISH with quality of service 0 is marked as a duplicate",
    ),
    (
        ALL,
        b"\xC0\x80\x80\x80\x80\x00",
        MALFORMED,
        "a variable byte integer has more than four bytes",
    ),
    (
        ALL,
        b"\x30\xFF\xFF\xFF\xFF\x7F",
        MALFORMED,
        "a variable byte integer has more than four bytes",
    ),
    (
        ALL,
        b"\x30\xFF\xFF\xFF\x80",
        MALFORMED,
        "a variable byte integer has more than four bytes",
    ),
    (
        V5,
        b"\xC0\x80\x00",
        MALFORMED,
        "the remaining length is written with more bytes than it needs",
    ),
    (
        V5,
        b"\xE0\x81\x80\x00\x00",
        MALFORMED,
        "the remaining length is written with more bytes than it needs",
    ),
    (
        V5,
        b"\x10\x8E\x00\0\x04MQTT\x05\x02\0\0\0\0\x01c",
        MALFORMED,
        "the remaining length is written with more bytes than it needs",
    ),
];

const MALFORMED: u8 = 0x81;
const PROTOCOL_ERROR: u8 = 0x82;
const UNSUPPORTED_VERSION: u8 = 0x84;
const CLIENT_IDENTIFIER: u8 = 0x85;
const TOPIC_NAME: u8 = 0x90;
const TOPIC_ALIAS: u8 = 0x94;

const ALL: &[u8] = &[3, 4, 5];
const BEFORE_5: &[u8] = &[3, 4];
const FROM_3_1_1: &[u8] = &[4, 5];
const V31: &[u8] = &[3];
const V311: &[u8] = &[4];
const V5: &[u8] = &[5];

const fn row(
    levels: &'static [u8],
    header: u8,
    body: &'static [u8],
    reason: u8,
    fault: &'static str,
) -> Row {
    Row {
        levels,
        header,
        body,
        reason,
        fault,
    }
}

/// CONNECT (3.1).
#[rustfmt::skip]
pub(crate) const CONNECT: &[Row] = &[
    row(V311, 0x10, b"", MALFORMED, "the packet ends inside the protocol name"),
    row(V311, 0x10, b"\0", MALFORMED, "the packet ends inside the protocol name"),
    row(V311, 0x10, b"\0\x04MQT", MALFORMED, "the packet ends inside the protocol name"),
    row(V311, 0x10, b"\0\x04MQTT", MALFORMED, "the packet ends inside the protocol level"),
    row(V311, 0x10, b"\0\x04MQTT\x04", MALFORMED, "the packet ends inside the connect flags"),
    row(V311, 0x10, b"\0\x04MQTT\x04\x02\0", MALFORMED, "the packet ends inside the keep alive"),
    row(V311, 0x10, b"\0\x04MQTT\x04\x02\0\x3c", MALFORMED, "the packet ends inside the client identifier"),
    row(V311, 0x10, b"\0\x04MQTT\x04\x02\0\x3c\0\x02c", MALFORMED, "the packet ends inside the client identifier"),
    // Protocol name and level
    row(V311, 0x10, b"\0\x04mqtt\x04\x02\0\x3c\0\x01c", UNSUPPORTED_VERSION, "protocol \"mqtt\" level 4"),
    row(V311, 0x10, b"\0\x04MQTS\x04\x02\0\x3c\0\x01c", UNSUPPORTED_VERSION, "protocol \"MQTS\" level 4"),
    row(V311, 0x10, b"\0\x02\xff\0\x04\x02\0\x3c\0\x01c", UNSUPPORTED_VERSION, "protocol \"\\xff\\x00\" level 4"),
    row(V311, 0x10, b"\0\0\x04\x02\0\x3c\0\x01c", UNSUPPORTED_VERSION, "protocol \"\" level 4"),
    row(V311, 0x10, b"\0\x04MQTT\x00\x02\0\x3c\0\x01c", UNSUPPORTED_VERSION, "protocol \"MQTT\" level 0"),
    row(V311, 0x10, b"\0\x04MQTT\x03\x02\0\x3c\0\x01c", UNSUPPORTED_VERSION, "protocol \"MQTT\" level 3"),
    row(V5, 0x10, b"\0\x04MQTT\x06\x02\0\x3c\0\0\x01c", UNSUPPORTED_VERSION, "protocol \"MQTT\" level 6"),
    row(V311, 0x10, b"\0\x04MQTT\x84\x02\0\x3c\0\x01c", UNSUPPORTED_VERSION, "protocol \"MQTT\" level 132"),
    row(V311, 0x10, b"\0\x06MQIsdp\x04\x02\0\x3c\0\x01c", UNSUPPORTED_VERSION, "protocol \"MQIsdp\" level 4"),
    row(V311, 0x10, b"\0\x06MQIsdp\x05\x02\0\x3c\0\0\x01c", UNSUPPORTED_VERSION, "protocol \"MQIsdp\" level 5"),
    // Connect flags
    row(V311, 0x10, b"\0\x04MQTT\x04\x03\0\x3c\0\x01c", MALFORMED, "the reserved connect flag is set"),
    row(V5, 0x10, b"\0\x04MQTT\x05\x03\0\x3c\0\0\x01c", MALFORMED, "the reserved connect flag is set"),
    row(V31, 0x10, b"\0\x06MQIsdp\x03\x1E\0\x3c\0\x01c\0\x01w\0\0", MALFORMED, "the will has quality of service 3"),
    row(V311, 0x10, b"\0\x04MQTT\x04\x1E\0\x3c\0\x01c\0\x01w\0\0", MALFORMED, "the will has quality of service 3"),
    row(V5, 0x10, b"\0\x04MQTT\x05\x1E\0\x3c\0\0\x01c\0\0\x01w\0\0", MALFORMED, "the will has quality of service 3"),
    row(V311, 0x10, b"\0\x04MQTT\x04\x0A\0\x3c\0\x01c", MALFORMED, "will quality of service or will retain without a will"),
    row(V311, 0x10, b"\0\x04MQTT\x04\x22\0\x3c\0\x01c", MALFORMED, "will quality of service or will retain without a will"),
    row(V5, 0x10, b"\0\x04MQTT\x05\x12\0\x3c\0\0\x01c", MALFORMED, "will quality of service or will retain without a will"),
    row(V5, 0x10, b"\0\x04MQTT\x05\x22\0\x3c\0\0\x01c", MALFORMED, "will quality of service or will retain without a will"),
    row(V31, 0x10, b"\0\x06MQIsdp\x03\x42\0\x3c\0\x01c\0\x01p", MALFORMED, "a password without a user name, which only MQTT 5 allows"),
    row(V311, 0x10, b"\0\x04MQTT\x04\x42\0\x3c\0\x01c\0\x01p", MALFORMED, "a password without a user name, which only MQTT 5 allows"),
    // Client identifier
    row(V31, 0x10, b"\0\x06MQIsdp\x03\x02\0\x3c\0\0", CLIENT_IDENTIFIER, "the client identifier is empty, and so no session can be kept for it"),
    row(V311, 0x10, b"\0\x04MQTT\x04\0\0\x3c\0\0", CLIENT_IDENTIFIER, "the client identifier is empty, and so no session can be kept for it"),
    row(V311, 0x10, b"\0\x04MQTT\x04\x02\0\x3c\0\x02\xc3\x28", MALFORMED, "the client identifier is not well-formed UTF-8"),
    row(V5, 0x10, b"\0\x04MQTT\x05\x02\0\x3c\0\0\x03\xed\xa0\x80", MALFORMED, "the client identifier is not well-formed UTF-8"),
    row(V311, 0x10, b"\0\x04MQTT\x04\x02\0\x3c\0\x02c\0", MALFORMED, "the client identifier contains the null character"),
    row(V5, 0x10, b"\0\x04MQTT\x05\x02\0\x3c\0\0\x01\0", MALFORMED, "the client identifier contains the null character"),
    // Will
    row(V311, 0x10, b"\0\x04MQTT\x04\x06\0\x3c\0\x01c", MALFORMED, "the packet ends inside the will topic"),
    row(V311, 0x10, b"\0\x04MQTT\x04\x06\0\x3c\0\x01c\0\x01w", MALFORMED, "the packet ends inside the will payload"),
    row(V311, 0x10, b"\0\x04MQTT\x04\x06\0\x3c\0\x01c\0\x01w\0\x02x", MALFORMED, "the packet ends inside the will payload"),
    row(V311, 0x10, b"\0\x04MQTT\x04\x06\0\x3c\0\x01c\0\0\0\0", TOPIC_NAME, "the will topic \"\" is empty or contains a wildcard"),
    row(V311, 0x10, b"\0\x04MQTT\x04\x06\0\x3c\0\x01c\0\x03w/#\0\0", TOPIC_NAME, "the will topic \"w/#\" is empty or contains a wildcard"),
    row(V5, 0x10, b"\0\x04MQTT\x05\x06\0\x3c\0\0\x01c\0\0\x03+/w\0\0", TOPIC_NAME, "the will topic \"+/w\" is empty or contains a wildcard"),
    row(V5, 0x10, b"\0\x04MQTT\x05\x06\0\x3c\0\0\x01c\0\0\0\0\0", TOPIC_NAME, "the will topic \"\" is empty or contains a wildcard"),
    row(V311, 0x10, b"\0\x04MQTT\x04\x06\0\x3c\0\x01c\0\x02\xff\xfe\0\0", MALFORMED, "the will topic is not well-formed UTF-8"),
    row(V311, 0x10, b"\0\x04MQTT\x04\x06\0\x3c\0\x01c\0\x02w\0\0\0", MALFORMED, "the will topic contains the null character"),
    row(V5, 0x10, b"\0\x04MQTT\x05\x06\0\x3c\0\0\x01c", MALFORMED, "the packet ends inside the property length"),
    row(V5, 0x10, b"\0\x04MQTT\x05\x06\0\x3c\0\0\x01c\x05\x18\0\0", MALFORMED, "the packet ends inside the properties"),
    row(V5, 0x10, b"\0\x04MQTT\x05\x06\0\x3c\0\0\x01c\x02\x01\x02\0\x01w\0\0", PROTOCOL_ERROR, "the payload format indicator is neither 0 nor 1"),
    row(V5, 0x10, b"\0\x04MQTT\x05\x06\0\x3c\0\0\x01c\x03\x23\0\x01\0\x01w\0\0", MALFORMED, "the topic alias is no property of a will"),
    row(V5, 0x10, b"\0\x04MQTT\x05\x06\0\x3c\0\0\x01c\x05\x08\0\x02r+\0\x01w\0\0", PROTOCOL_ERROR, "the response topic is empty or contains wildcards"),
    row(V5, 0x10, b"\0\x04MQTT\x05\x06\0\x3c\0\0\x01c\x0a\x18\0\0\0\x01\x18\0\0\0\x01\0\x01w\0\0", PROTOCOL_ERROR, "the will delay interval is given twice"),
    // User name and password
    row(V311, 0x10, b"\0\x04MQTT\x04\x82\0\x3c\0\x01c", MALFORMED, "the packet ends inside the user name"),
    row(V311, 0x10, b"\0\x04MQTT\x04\xC2\0\x3c\0\x01c\0\x01u", MALFORMED, "the packet ends inside the password"),
    row(V31, 0x10, b"\0\x06MQIsdp\x03\xC2\0\x3c\0\x01c\0\x01u\0", MALFORMED, "the packet ends inside the password"),
    row(V5, 0x10, b"\0\x04MQTT\x05\x42\0\x3c\0\0\x01c\0\x02p", MALFORMED, "the packet ends inside the password"),
    row(V311, 0x10, b"\0\x04MQTT\x04\x82\0\x3c\0\x01c\0\x01\xff", MALFORMED, "the user name is not well-formed UTF-8"),
    row(V311, 0x10, b"\0\x04MQTT\x04\x82\0\x3c\0\x01c\0\x01\0", MALFORMED, "the user name contains the null character"),
    row(V31, 0x10, b"\0\x06MQIsdp\x03\x02\0\x3c\0\x01c!", MALFORMED, "CONNECT goes on for 1 bytes after its end"),
    row(V311, 0x10, b"\0\x04MQTT\x04\x02\0\x3c\0\x01c\0\x01u", MALFORMED, "CONNECT goes on for 3 bytes after its end"),
    row(V5, 0x10, b"\0\x04MQTT\x05\x02\0\x3c\0\0\x01c\0", MALFORMED, "CONNECT goes on for 1 bytes after its end"),
    // Properties
    row(V5, 0x10, b"\0\x04MQTT\x05\x02\0\x3c", MALFORMED, "the packet ends inside the property length"),
    row(V5, 0x10, b"\0\x04MQTT\x05\x02\0\x3c\x80", MALFORMED, "the packet ends inside the property length"),
    row(V5, 0x10, b"\0\x04MQTT\x05\x02\0\x3c\x80\0\0\x01c", MALFORMED, "the property length is written with more bytes than it needs"),
    row(V5, 0x10, b"\0\x04MQTT\x05\x02\0\x3c\x80\x80\x80\x80\0\0\x01c", MALFORMED, "a variable byte integer has more than four bytes"),
    row(V5, 0x10, b"\0\x04MQTT\x05\x02\0\x3c\x04\0\x01c", MALFORMED, "the packet ends inside the properties"),
    row(V5, 0x10, b"\0\x04MQTT\x05\x02\0\x3c\xff\xff\xff\x7f\0\x01c", MALFORMED, "the packet ends inside the properties"),
    row(V5, 0x10, b"\0\x04MQTT\x05\x02\0\x3c\x02\0\0\0\x01c", MALFORMED, "there is no property 0x00"),
    row(V5, 0x10, b"\0\x04MQTT\x05\x02\0\x3c\x02\x7f\0\0\x01c", MALFORMED, "there is no property 0x7F"),
    row(V5, 0x10, b"\0\x04MQTT\x05\x02\0\x3c\x03\x80\x01\0\0\x01c", MALFORMED, "there is no property 0x80"),
    row(V5, 0x10, b"\0\x04MQTT\x05\x02\0\x3c\x04\x11\0\0\0\0\x01c", MALFORMED, "the packet ends inside the session expiry interval"),
    row(V5, 0x10, b"\0\x04MQTT\x05\x02\0\x3c\x05\x18\0\0\0\x01\0\x01c", MALFORMED, "the will delay interval is no property of CONNECT"),
    row(V5, 0x10, b"\0\x04MQTT\x05\x02\0\x3c\x04\x12\0\x01a\0\x01c", MALFORMED, "the assigned client identifier is no property of CONNECT"),
    row(V5, 0x10, b"\0\x04MQTT\x05\x02\0\x3c\x0a\x11\0\0\0\x01\x11\0\0\0\x01\0\x01c", PROTOCOL_ERROR, "the session expiry interval is given twice"),
    row(V5, 0x10, b"\0\x04MQTT\x05\x02\0\x3c\x06\x21\0\x01\x21\0\x02\0\x01c", PROTOCOL_ERROR, "the receive maximum is given twice"),
    row(V5, 0x10, b"\0\x04MQTT\x05\x02\0\x3c\x03\x21\0\0\0\x01c", PROTOCOL_ERROR, "the receive maximum is 0"),
    row(V5, 0x10, b"\0\x04MQTT\x05\x02\0\x3c\x05\x27\0\0\0\0\0\x01c", PROTOCOL_ERROR, "the maximum packet size is 0"),
    row(V5, 0x10, b"\0\x04MQTT\x05\x02\0\x3c\x02\x17\x02\0\x01c", PROTOCOL_ERROR, "the request problem information is neither 0 nor 1"),
    row(V5, 0x10, b"\0\x04MQTT\x05\x02\0\x3c\x02\x19\xff\0\x01c", PROTOCOL_ERROR, "the request response information is neither 0 nor 1"),
    row(V5, 0x10, b"\0\x04MQTT\x05\x02\0\x3c\x04\x16\0\x01d\0\x01c", PROTOCOL_ERROR, "authentication data without an authentication method"),
    row(V5, 0x10, b"\0\x04MQTT\x05\x02\0\x3c\x07\x26\0\x01k\0\x02v\0\x01c", MALFORMED, "the packet ends inside the user property"),
    row(V5, 0x10, b"\0\x04MQTT\x05\x02\0\x3c\x07\x26\0\x01k\0\x01\xff\0\x01c", MALFORMED, "the user property is not well-formed UTF-8"),
    row(V5, 0x10, b"\0\x04MQTT\x05\x02\0\x3c\x07\x26\0\x01\0\0\x01v\0\x01c", MALFORMED, "the user property contains the null character"),
];

/// PUBLISH and its acknowledgements (3.3 to 3.7).
#[rustfmt::skip]
pub(crate) const PUBLISH: &[Row] = &[
    row(ALL, 0x30, b"", MALFORMED, "the packet ends inside the topic name"),
    row(ALL, 0x30, b"\0", MALFORMED, "the packet ends inside the topic name"),
    row(ALL, 0x30, b"\0\x02t", MALFORMED, "the packet ends inside the topic name"),
    row(ALL, 0x30, b"\xff\xfft\0", MALFORMED, "the packet ends inside the topic name"),
    row(ALL, 0x30, b"\0\x02\xff\xfe\0", MALFORMED, "the topic name is not well-formed UTF-8"),
    row(ALL, 0x30, b"\0\x02\xc0\xaf\0", MALFORMED, "the topic name is not well-formed UTF-8"), // over-long /
    row(ALL, 0x30, b"\0\x03\xed\xa0\x80\0", MALFORMED, "the topic name is not well-formed UTF-8"), // U+D800
    row(ALL, 0x30, b"\0\x03\xed\xbf\xbf\0", MALFORMED, "the topic name is not well-formed UTF-8"), // U+DFFF
    row(ALL, 0x30, b"\0\x04\xf4\x90\x80\x80\0", MALFORMED, "the topic name is not well-formed UTF-8"), // above U+10FFFF
    row(ALL, 0x30, b"\0\x02t\xe6\0", MALFORMED, "the topic name is not well-formed UTF-8"), // cut inside a character
    row(ALL, 0x30, b"\0\x02\xc0\x80\0", MALFORMED, "the topic name is not well-formed UTF-8"), // U+0000 the long way
    row(ALL, 0x30, b"\0\x03a\0b\0", MALFORMED, "the topic name contains the null character"),
    row(ALL, 0x30, b"\0\x01+\0", TOPIC_NAME, "the topic name \"+\" contains a wildcard"),
    row(ALL, 0x30, b"\0\x03a/#\0", TOPIC_NAME, "the topic name \"a/#\" contains a wildcard"),
    row(ALL, 0x30, b"\0\x03a+b\0", TOPIC_NAME, "the topic name \"a+b\" contains a wildcard"),
    row(BEFORE_5, 0x30, b"\0\0x", TOPIC_NAME, "the topic name is empty"),
    row(V5, 0x30, b"\0\0\0x", PROTOCOL_ERROR, "the topic name is empty and there is no topic alias"),
    row(ALL, 0x32, b"\0\x01t", MALFORMED, "the packet ends inside the packet identifier"),
    row(ALL, 0x34, b"\0\x01t\0", MALFORMED, "the packet ends inside the packet identifier"),
    row(ALL, 0x32, b"\0\x01t\0\0\0", PROTOCOL_ERROR, "the packet identifier is 0"),
    row(ALL, 0x3C, b"\0\x01t\0\0\0", PROTOCOL_ERROR, "the packet identifier is 0"),
    row(V5, 0x30, b"\0\x01t", MALFORMED, "the packet ends inside the property length"),
    row(V5, 0x30, b"\0\x01t\xff", MALFORMED, "the packet ends inside the property length"),
    row(V5, 0x30, b"\0\x01t\x05\x01\x01", MALFORMED, "the packet ends inside the properties"),
    row(V5, 0x30, b"\0\x01t\x82\0\x01\x01", MALFORMED, "the property length is written with more bytes than it needs"),
    row(V5, 0x30, b"\0\x01t\x01\x01", MALFORMED, "the packet ends inside the payload format indicator"),
    row(V5, 0x30, b"\0\x01t\x02\x01\x02", PROTOCOL_ERROR, "the payload format indicator is neither 0 nor 1"),
    row(V5, 0x30, b"\0\x01t\x04\x01\x01\x01\x01", PROTOCOL_ERROR, "the payload format indicator is given twice"),
    row(V5, 0x30, b"\0\x01t\x03\x23\0\0", TOPIC_ALIAS, "the topic alias is 0"),
    row(V5, 0x30, b"\0\0\x03\x23\0\0", TOPIC_ALIAS, "the topic alias is 0"),
    row(V5, 0x30, b"\0\x01t\x06\x23\0\x01\x23\0\x01", PROTOCOL_ERROR, "the topic alias is given twice"),
    row(V5, 0x30, b"\0\x01t\x02\x0b\0", PROTOCOL_ERROR, "the subscription identifier is 0"),
    row(V5, 0x30, b"\0\x01t\x03\x0b\x81\0", MALFORMED, "the subscription identifier is written with more bytes than it needs"),
    row(V5, 0x30, b"\0\x01t\x06\x0b\x80\x80\x80\x80\x01", MALFORMED, "a variable byte integer has more than four bytes"),
    row(V5, 0x30, b"\0\x01t\x04\x0b\x01\x0b\x80\x01", MALFORMED, "the packet ends inside the subscription identifier"),
    row(V5, 0x30, b"\0\x01t\x03\x08\0\0", PROTOCOL_ERROR, "the response topic is empty or contains wildcards"),
    row(V5, 0x30, b"\0\x01t\x06\x08\0\x03r/#", PROTOCOL_ERROR, "the response topic is empty or contains wildcards"),
    row(V5, 0x30, b"\0\x01t\x04\x03\0\x01\xff", MALFORMED, "the content type is not well-formed UTF-8"),
    row(V5, 0x30, b"\0\x01t\x03\x09\0\x01", MALFORMED, "the packet ends inside the correlation data"),
    row(V5, 0x30, b"\0\x01t\x05\x11\0\0\0\x01", MALFORMED, "the session expiry interval is no property of PUBLISH"),
    row(V5, 0x30, b"\0\x01t\x04\x1f\0\x01r", MALFORMED, "the reason string is no property of PUBLISH"),
    // PUBACK, PUBREC, PUBREL, PUBCOMP
    row(ALL, 0x40, b"", MALFORMED, "the packet ends inside the packet identifier"),
    row(ALL, 0x50, b"\0", MALFORMED, "the packet ends inside the packet identifier"),
    row(ALL, 0x40, b"\0\0", PROTOCOL_ERROR, "the packet identifier is 0"),
    row(ALL, 0x50, b"\0\0", PROTOCOL_ERROR, "the packet identifier is 0"),
    row(ALL, 0x62, b"\0\0", PROTOCOL_ERROR, "the packet identifier is 0"),
    row(ALL, 0x70, b"\0\0", PROTOCOL_ERROR, "the packet identifier is 0"),
    row(BEFORE_5, 0x40, b"\0\x01\0", MALFORMED, "PUBACK goes on for 1 bytes after its end"),
    row(BEFORE_5, 0x62, b"\0\x01\0\0", MALFORMED, "PUBREL goes on for 2 bytes after its end"),
    row(V5, 0x40, b"\0\x01\x01", PROTOCOL_ERROR, "PUBACK with reason code granted QoS 1 (0x01)"),
    row(V5, 0x50, b"\0\x01\x92", PROTOCOL_ERROR, "PUBREC with reason code packet identifier not found (0x92)"),
    row(V5, 0x62, b"\0\x01\x10", PROTOCOL_ERROR, "PUBREL with reason code no matching subscribers (0x10)"),
    row(V5, 0x70, b"\0\x01\xff", PROTOCOL_ERROR, "PUBCOMP with reason code unknown reason code (0xFF)"),
    row(V5, 0x40, b"\0\x01\0\x01", MALFORMED, "the packet ends inside the properties"),
    row(V5, 0x40, b"\0\x01\0\0\0", MALFORMED, "PUBACK goes on for 1 bytes after its end"),
    row(V5, 0x40, b"\0\x01\0\x03\x21\0\x01", MALFORMED, "the receive maximum is no property of an acknowledgement"),
    row(V5, 0x50, b"\0\x01\0\x06\x1f\0\0\x1f\0\0", PROTOCOL_ERROR, "the reason string is given twice"),
];

/// The other packets a client sends: SUBSCRIBE, UNSUBSCRIBE, PINGREQ, DISCONNECT and AUTH.
#[rustfmt::skip]
pub(crate) const REQUESTS: &[Row] = &[
    row(ALL, 0x82, b"", MALFORMED, "the packet ends inside the packet identifier"),
    row(ALL, 0x82, b"\0\0\0\0\x01f\0", PROTOCOL_ERROR, "the packet identifier is 0"),
    row(BEFORE_5, 0x82, b"\0\x01", PROTOCOL_ERROR, "SUBSCRIBE without a topic filter"),
    row(V5, 0x82, b"\0\x01\0", PROTOCOL_ERROR, "SUBSCRIBE without a topic filter"),
    row(V5, 0x82, b"\0\x01", MALFORMED, "the packet ends inside the property length"),
    row(BEFORE_5, 0x82, b"\0\x01\0", MALFORMED, "the packet ends inside the topic filter"),
    row(BEFORE_5, 0x82, b"\0\x01\0\x05f", MALFORMED, "the packet ends inside the topic filter"),
    row(BEFORE_5, 0x82, b"\0\x01\0\x01f", MALFORMED, "the packet ends inside the subscription options"),
    row(V5, 0x82, b"\0\x01\0\0\x01f", MALFORMED, "the packet ends inside the subscription options"),
    row(BEFORE_5, 0x82, b"\0\x01\0\x01f\0\0\x01g", MALFORMED, "the packet ends inside the subscription options"),
    row(BEFORE_5, 0x82, b"\0\x01\0\x01\xff\0", MALFORMED, "the topic filter is not well-formed UTF-8"),
    row(V5, 0x82, b"\0\x01\0\0\x01\0\0", MALFORMED, "the topic filter contains the null character"),
    row(BEFORE_5, 0x82, b"\0\x01\0\x01f\x03", MALFORMED, "a subscription with quality of service 3"),
    row(V5, 0x82, b"\0\x01\0\0\x01f\x03", PROTOCOL_ERROR, "a subscription with quality of service 3"),
    row(BEFORE_5, 0x82, b"\0\x01\0\x01f\x04", MALFORMED, "reserved subscription options are set"),
    row(V5, 0x82, b"\0\x01\0\0\x01f\x40", MALFORMED, "reserved subscription options are set"),
    row(V5, 0x82, b"\0\x01\0\0\x01f\x80", MALFORMED, "reserved subscription options are set"),
    row(V5, 0x82, b"\0\x01\0\0\x01f\x30", PROTOCOL_ERROR, "a subscription with retain handling 3"),
    row(V5, 0x82, b"\0\x01\0\0\x0a$share/g/f\x05", PROTOCOL_ERROR, "a shared subscription with the no local option"),
    row(V5, 0x82, b"\0\x01\x02\x0b\0\0\x01f\0", PROTOCOL_ERROR, "the subscription identifier is 0"),
    row(V5, 0x82, b"\0\x01\x04\x0b\x01\x0b\x02\0\x01f\0", PROTOCOL_ERROR, "the subscription identifier is given twice"),
    row(V5, 0x82, b"\0\x01\x03\x23\0\x01\0\x01f\0", MALFORMED, "the topic alias is no property of SUBSCRIBE"),
    row(ALL, 0xA2, b"\0", MALFORMED, "the packet ends inside the packet identifier"),
    row(ALL, 0xA2, b"\0\0\0\0\x01f", PROTOCOL_ERROR, "the packet identifier is 0"),
    row(BEFORE_5, 0xA2, b"\0\x01", PROTOCOL_ERROR, "UNSUBSCRIBE without a topic filter"),
    row(V5, 0xA2, b"\0\x01\0", PROTOCOL_ERROR, "UNSUBSCRIBE without a topic filter"),
    row(BEFORE_5, 0xA2, b"\0\x01\0\x02f", MALFORMED, "the packet ends inside the topic filter"),
    row(V5, 0xA2, b"\0\x01\0\0\x01\xff", MALFORMED, "the topic filter is not well-formed UTF-8"),
    row(V5, 0xA2, b"\0\x01\x02\x0b\x01\0\x01f", MALFORMED, "the subscription identifier is no property of UNSUBSCRIBE"),
    row(ALL, 0xC0, b"\0", MALFORMED, "PINGREQ goes on for 1 bytes after its end"),
    row(BEFORE_5, 0xE0, b"\0", MALFORMED, "DISCONNECT goes on for 1 bytes after its end"),
    row(BEFORE_5, 0xE0, b"\0\0", MALFORMED, "DISCONNECT goes on for 2 bytes after its end"),
    row(V5, 0xE0, b"\x01", PROTOCOL_ERROR, "DISCONNECT with reason code granted QoS 1 (0x01)"),
    row(V5, 0xE0, b"\0\x01", MALFORMED, "the packet ends inside the properties"),
    row(V5, 0xE0, b"\0\0\0", MALFORMED, "DISCONNECT goes on for 1 bytes after its end"),
    row(V5, 0xE0, b"\0\x04\x03\0\x01t", MALFORMED, "the content type is no property of DISCONNECT"),
    row(V5, 0xE0, b"\0\x0a\x11\0\0\0\0\x11\0\0\0\0", PROTOCOL_ERROR, "the session expiry interval is given twice"),
    row(V5, 0xF0, b"\x18", MALFORMED, "the packet ends inside the property length"),
    row(V5, 0xF0, b"\x18\0", PROTOCOL_ERROR, "AUTH without an authentication method"),
    row(V5, 0xF0, b"\x01\x04\x15\0\x01m", PROTOCOL_ERROR, "AUTH with reason code granted QoS 1 (0x01)"),
    row(V5, 0xF0, b"\x18\x04\x16\0\x01d", PROTOCOL_ERROR, "authentication data without an authentication method"),
    row(V5, 0xF0, b"\x18\x05\x11\0\0\0\x01", MALFORMED, "the session expiry interval is no property of AUTH"),
];

/// What only a server sends: CONNACK, SUBACK, UNSUBACK and PINGRESP.
#[rustfmt::skip]
pub(crate) const ANSWERS: &[Row] = &[
    row(ALL, 0x20, b"", MALFORMED, "the packet ends inside the acknowledge flags"),
    row(ALL, 0x20, b"\0", MALFORMED, "the packet ends inside the reason code"),
    row(BEFORE_5, 0x20, b"\x02\0", MALFORMED, "reserved acknowledge flags are set"),
    row(V5, 0x20, b"\x80\0\0", MALFORMED, "reserved acknowledge flags are set"),
    row(BEFORE_5, 0x20, b"\0\x06", PROTOCOL_ERROR, "CONNACK with the reserved return code 6"),
    row(BEFORE_5, 0x20, b"\0\0\0", MALFORMED, "CONNACK goes on for 1 bytes after its end"),
    row(BEFORE_5, 0x20, b"\x01\x05", PROTOCOL_ERROR, "CONNACK refuses the connection and reports a session"),
    row(V5, 0x20, b"\x01\x87\0", PROTOCOL_ERROR, "CONNACK refuses the connection and reports a session"),
    row(V5, 0x20, b"\0\0", MALFORMED, "the packet ends inside the property length"),
    row(V5, 0x20, b"\0\x01\0", PROTOCOL_ERROR, "CONNACK with reason code granted QoS 1 (0x01)"),
    row(V5, 0x20, b"\0\0\x02\x24\x02", PROTOCOL_ERROR, "the maximum quality of service is neither 0 nor 1"),
    row(V5, 0x20, b"\0\0\x02\x25\x02", PROTOCOL_ERROR, "the retain available is neither 0 nor 1"),
    row(V5, 0x20, b"\0\0\x02\x2a\x02", PROTOCOL_ERROR, "the shared subscription available is neither 0 nor 1"),
    row(V5, 0x20, b"\0\0\x03\x21\0\0", PROTOCOL_ERROR, "the receive maximum is 0"),
    row(V5, 0x20, b"\0\0\x02\x17\x01", MALFORMED, "the request problem information is no property of CONNACK"),
    row(V5, 0x20, b"\0\0\x04\x16\0\x01d", PROTOCOL_ERROR, "authentication data without an authentication method"),
    row(V5, 0x20, b"\0\0\0\0", MALFORMED, "CONNACK goes on for 1 bytes after its end"),
    row(ALL, 0x90, b"\0", MALFORMED, "the packet ends inside the packet identifier"),
    row(ALL, 0x90, b"\0\0\0\0", PROTOCOL_ERROR, "the packet identifier is 0"),
    row(BEFORE_5, 0x90, b"\0\x01", PROTOCOL_ERROR, "SUBACK without a reason code"),
    row(V5, 0x90, b"\0\x01\0", PROTOCOL_ERROR, "SUBACK without a reason code"),
    row(BEFORE_5, 0x90, b"\0\x01\x03", PROTOCOL_ERROR, "SUBACK with the reserved return code 3"),
    row(V5, 0x90, b"\0\x01\0\x03", PROTOCOL_ERROR, "SUBACK with reason code unknown reason code (0x03)"),
    row(V5, 0x90, b"\0\x01\x02\x0b\x01\0", MALFORMED, "the subscription identifier is no property of SUBACK or UNSUBACK"),
    row(BEFORE_5, 0xB0, b"\0\x01\0", MALFORMED, "UNSUBACK goes on for 1 bytes after its end"),
    row(V5, 0xB0, b"\0\x01\0", PROTOCOL_ERROR, "UNSUBACK without a reason code"),
    row(V5, 0xB0, b"\0\x01\0\x01", PROTOCOL_ERROR, "UNSUBACK with reason code granted QoS 1 (0x01)"),
    row(ALL, 0xD0, b"\0", MALFORMED, "PINGRESP goes on for 1 bytes after its end"),
];
