//! How to reach a broker: the options shared by every command that connects to one.
//!
//! `MQTT_URL`, `MQTT_USERNAME` and `MQTT_PASSWORD` are read by `commands::connection`, not by clap, which
//! would report a conflict between a flag and the environment instead of letting the flag win.

use std::ffi::OsString;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::properties::name_and_value;
use super::tls::TlsArgs;
use crate::client::transport::websocket::Header;
use crate::span;

/// Options of the connection, flattened into `pub`, `sub`, `req`, `reply` and `bench`.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Connection")]
pub struct ConnectionArgs {
    /// Take what is not typed from the context NAME, and from no other place; '' for none [env: MQTT_CONTEXT]
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,

    /// Host name or address of the broker [default: localhost]
    #[arg(short = 'h', long, value_name = "HOST", conflicts_with = "url")]
    pub host: Option<String>,

    /// Port of the broker [default: 1883, with TLS 8883, WebSocket 80, both 443]
    #[arg(short, long, value_name = "PORT", conflicts_with = "url", value_parser = clap::value_parser!(u16).range(1..))]
    pub port: Option<u16>,

    /// Broker as one URL: mqtt[s]://[USER[:PASSWORD]@]HOST[:PORT][/TOPIC], ws[s]://HOST[:PORT][/PATH] or unix:///PATH [env: MQTT_URL]
    #[arg(short = 'L', long, value_name = "URL")]
    pub url: Option<String>,

    /// Connect to the unix socket PATH
    #[arg(long, value_name = "PATH", conflicts_with_all = ["host", "port", "url"])]
    pub unix: Option<String>,

    /// Speak WebSocket to --host
    #[arg(long, conflicts_with_all = ["url", "unix"])]
    pub ws: bool,

    /// Path to ask the WebSocket server for [default: /mqtt]
    #[arg(long, value_name = "PATH")]
    pub ws_path: Option<String>,

    /// Send this header to the WebSocket server; may be repeated
    #[arg(long, value_name = "NAME: VALUE")]
    pub ws_header: Vec<Header>,

    /// Connect through a proxy: socks5h://, socks5://, http:// or https://[USER:PASSWORD@]HOST[:PORT], or none [env: ALL_PROXY, HTTPS_PROXY]
    #[arg(long, value_name = "URL")]
    pub proxy: Option<String>,

    /// Trust the issuers in FILE (PEM) to say who an https:// proxy is [default: those this system trusts]
    #[arg(long, value_name = "FILE")]
    pub proxy_cafile: Option<PathBuf>,

    /// Connect from this address of this machine
    #[arg(short = 'A', long, value_name = "ADDRESS")]
    pub bind: Option<String>,

    /// Does nothing, as what is written always goes out at once; for those who know it from mosquitto
    #[arg(long, hide = true)]
    pub nodelay: bool,

    /// Take --host for a domain whose SRV records, _mqtt._tcp or with TLS _secure-mqtt._tcp, name the hosts and ports
    #[arg(short = 'S', long, conflicts_with_all = ["port", "unix", "ws", "proxy"])]
    pub srv: bool,

    /// Ask this name server for SRV records and the broker's addresses, not those of this system [env: MQTT_NAMESERVER]
    #[arg(long, value_name = "ADDRESS[:PORT]", value_parser = nameserver)]
    pub nameserver: Option<SocketAddr>,

    /// User name [env: MQTT_USERNAME]
    #[arg(short, long, value_name = "NAME")]
    pub username: Option<String>,

    /// Password; the three options below and MQTT_PASSWORD keep it out of the process list [env: MQTT_PASSWORD]
    #[arg(
        short = 'P',
        long = "password",
        visible_alias = "pw",
        value_name = "PASSWORD",
        allow_hyphen_values = true
    )]
    pub password: Option<OsString>,

    /// Read the password from the first line of FILE
    #[arg(long, value_name = "FILE", conflicts_with = "password")]
    pub password_file: Option<PathBuf>,

    /// Run COMMAND and take the first line it prints as the password; quotes part its words, but no shell sees them
    #[arg(long, value_name = "COMMAND", conflicts_with_all = ["password", "password_file"])]
    pub password_command: Option<String>,

    /// Ask for the password on the terminal
    #[arg(long, conflicts_with_all = ["password", "password_file", "password_command"])]
    pub ask_password: bool,

    /// Protocol version
    #[arg(short = 'V', long, value_name = "VERSION", default_value = "311")]
    pub protocol_version: ProtocolVersion,

    /// Seconds between keep alive packets on an idle connection, 5 to 65535, or 0 for none [default: 60]
    #[arg(short, long, value_name = "SECONDS", value_parser = keep_alive)]
    pub keepalive: Option<u16>,

    /// Longest time from the first look-up to the broker's CONNACK
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = span::positive)]
    pub connect_timeout: Duration,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub tls: TlsArgs,
}

/// The versions as mosquitto's clients name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ProtocolVersion {
    /// MQTT 3.1
    #[value(name = "31", alias = "mqttv31", alias = "3.1")]
    V31,
    /// MQTT 3.1.1
    #[value(name = "311", alias = "mqttv311", alias = "3.1.1")]
    V311,
    /// MQTT 5
    #[value(name = "5", alias = "mqttv5")]
    V5,
    /// MQTT 5, or 3.1.1 with a broker that refuses 5 or hangs up; standard error says so
    #[value(name = "auto")]
    Auto,
}

/// The client's name and session; flattened into `pub`, `sub`, `req` and `reply`.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Session")]
pub struct SessionArgs {
    /// Client id [default: a random one]
    #[arg(short = 'i', long, value_name = "ID", conflicts_with = "id_prefix")]
    pub id: Option<String>,

    /// Client id made of PREFIX and the process id
    #[arg(short = 'I', long, value_name = "PREFIX")]
    pub id_prefix: Option<String>,

    /// Keep the session on the broker when this client leaves; needs --id
    #[arg(short = 'c', long)]
    pub disable_clean_session: bool,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub properties: SessionPropertyArgs,

    /// Try so often again when the broker is not reached or lost, or forever [default: the first time not at all; see below]
    #[arg(long, value_name = "N", value_parser = retries)]
    pub retry: Option<Extent>,

    /// Longest pause between two attempts; it begins with half a second and doubles
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = span::positive)]
    pub retry_max_delay: Duration,

    /// Go to the broker that this one names when it refuses or leaves because another is to be used (MQTT 5)
    #[arg(long)]
    pub follow_redirects: bool,

    /// When another client takes the session, by connecting with the same id: end with status 7, or come back each time
    ///
    /// An MQTT 5 broker says what happened. Before, a connection that is accepted and closed at once, three times in a row,
    /// is taken for it. A random id, the default, is nobody else's, and the question does not arise.
    #[arg(long, value_name = "POLICY", default_value = "stop")]
    pub takeover: TakeoverPolicy,
}

/// What CONNECT says of the session in MQTT 5; flattened into [`SessionArgs`] and `bench`.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Session")]
pub struct SessionPropertyArgs {
    /// Seconds the broker keeps the session after the connection has ended, or never for no end (MQTT 5)
    #[arg(short = 'x', long, value_name = "SECONDS", value_parser = session_expiry, allow_hyphen_values = true)]
    pub session_expiry_interval: Option<Extent>,

    /// Take at most N messages of QoS 1 and 2 that are not acknowledged yet (MQTT 5)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub receive_maximum: Option<u16>,

    /// Take no packet larger than this; the broker drops what would need one (MQTT 5)
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(16..))]
    pub maximum_packet_size: Option<u32>,

    /// Let the broker use up to N numbers in place of topics (MQTT 5)
    #[arg(long, value_name = "N")]
    pub topic_alias_maximum: Option<u16>,

    /// User property of the connection, as often as wanted (MQTT 5)
    #[arg(long, value_name = "NAME=VALUE", value_parser = name_and_value, allow_hyphen_values = true)]
    pub connect_user_property: Vec<(String, String)>,
}

/// What to do about another client with the same id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TakeoverPolicy {
    /// Leave the session to the other client
    Stop,
    /// Come back each time
    Fight,
}

/// The will message; flattened into `pub`, `sub`, `req` and `reply`.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Will")]
pub struct WillArgs {
    /// Topic of the message the broker publishes when this client is cut off
    #[arg(long, value_name = "TOPIC")]
    pub will_topic: Option<String>,

    /// Payload of the will [default: empty]
    #[arg(
        long,
        value_name = "TEXT",
        requires = "will_topic",
        allow_hyphen_values = true
    )]
    pub will_payload: Option<OsString>,

    /// Contents of FILE as the payload of the will
    #[arg(
        long,
        value_name = "FILE",
        requires = "will_topic",
        conflicts_with = "will_payload"
    )]
    pub will_payload_file: Option<PathBuf>,

    /// Quality of service of the will
    #[arg(long, value_name = "QOS", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=2))]
    pub will_qos: u8,

    /// Make the will a retained message
    #[arg(long, requires = "will_topic")]
    pub will_retain: bool,

    /// Seconds the broker waits before it publishes the will; if the client comes back, it does not (MQTT 5)
    #[arg(long, value_name = "SECONDS", requires = "will_topic")]
    pub will_delay_interval: Option<u32>,

    /// Seconds after which the will is not delivered any more (MQTT 5)
    #[arg(long, value_name = "SECONDS", requires = "will_topic")]
    pub will_message_expiry_interval: Option<u32>,

    /// Content type of the will (MQTT 5)
    #[arg(
        long,
        value_name = "TYPE",
        requires = "will_topic",
        allow_hyphen_values = true
    )]
    pub will_content_type: Option<String>,

    /// Say that the will's payload is UTF-8 text (MQTT 5)
    #[arg(long, requires = "will_topic")]
    pub will_payload_format_indicator: bool,

    /// Topic a reply to the will should go to (MQTT 5)
    #[arg(
        long,
        value_name = "TOPIC",
        requires = "will_topic",
        allow_hyphen_values = true
    )]
    pub will_response_topic: Option<String>,

    /// What a reply to the will should repeat (MQTT 5)
    #[arg(
        long,
        value_name = "TEXT",
        requires = "will_topic",
        allow_hyphen_values = true
    )]
    pub will_correlation_data: Option<OsString>,

    /// User property of the will, as often as wanted (MQTT 5)
    #[arg(long, value_name = "NAME=VALUE", requires = "will_topic", value_parser = name_and_value, allow_hyphen_values = true)]
    pub will_user_property: Vec<(String, String)>,
}

/// How often or how long; an option with such a value has a word for no end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent(pub u32);

impl Extent {
    /// No end.
    pub const ENDLESS: Extent = Extent(u32::MAX);
}

/// Seconds a session is kept; `never`, `-1` or all ones for no end, as mosquitto's clients have it.
fn session_expiry(text: &str) -> Result<Extent, String> {
    match text {
        "never" | "-1" | "\u{221e}" => Ok(Extent::ENDLESS),
        _ => text
            .parse()
            .map(Extent)
            .map_err(|_| format!("it is a number of seconds up to {}, or never", u32::MAX)),
    }
}

/// The address of a name server, whose port is 53 unless it is said.
///
/// # Errors
/// Says what it looks like when the text is none.
pub fn nameserver(text: &str) -> Result<SocketAddr, String> {
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    match (text.parse(), bare.unwrap_or(text).parse::<IpAddr>()) {
        (Ok(server), _) => Ok(server),
        (_, Ok(address)) => Ok(SocketAddr::new(address, 53)),
        _ => Err("it is an address, as 9.9.9.9, 127.0.0.1:5353 or [::1]:53".to_owned()),
    }
}

/// A number of attempts.
fn retries(text: &str) -> Result<Extent, String> {
    match text {
        "forever" => Ok(Extent::ENDLESS),
        _ => text
            .parse()
            .map(Extent)
            .map_err(|_| "it is a number, or forever".to_owned()),
    }
}

/// A keep alive time: 0, or what mosquitto's clients allow.
fn keep_alive(text: &str) -> Result<u16, String> {
    match text.parse() {
        Ok(seconds) if seconds == 0 || seconds >= 5 => Ok(seconds),
        _ => Err("it is 0 or between 5 and 65535 seconds".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_server_is_an_address_and_perhaps_a_port() {
        for (text, expected) in [
            ("9.9.9.9", Some("9.9.9.9:53")),
            ("127.0.0.1:5353", Some("127.0.0.1:5353")),
            ("::1", Some("[::1]:53")),
            ("[::1]", Some("[::1]:53")),
            ("[::1]:5", Some("[::1]:5")),
            ("dns.example", None),
            ("", None),
        ] {
            let found = nameserver(text).ok().map(|server| server.to_string());
            assert_eq!(found.as_deref(), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parsers_panic(text in ".*") {
            let _ = (nameserver(&text), session_expiry(&text));
        }
    }
}
