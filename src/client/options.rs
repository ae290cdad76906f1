//! How a broker is reached and what CONNECT says: plain data, parsed from a URL and printed as one.
//!
//! It opens nothing and reads no flag, file or environment; `commands::connection` does that once.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;

use super::Takeover;
use crate::mqtt::Version;
pub use crate::mqtt::packet::Will;

/// Where a broker listens. Written `mqtt://HOST[:PORT]`, IPv6 addresses in brackets.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// The transport.
    pub scheme: Scheme,
    /// A name or an address, without brackets.
    pub host: String,
    /// TCP port, never 0.
    pub port: u16,
}

/// The transport an endpoint is reached by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// MQTT over TCP.
    Mqtt,
}

impl Scheme {
    /// The port that is meant when none is written.
    pub fn default_port(self) -> u16 {
        match self {
            Scheme::Mqtt => 1883,
        }
    }
}

impl Default for Endpoint {
    fn default() -> Endpoint {
        Endpoint {
            scheme: Scheme::Mqtt,
            host: "localhost".to_owned(),
            port: Scheme::Mqtt.default_port(),
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Scheme::Mqtt => "mqtt",
        })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Endpoint { scheme, host, port } = self;
        match host.contains(':') {
            true => write!(out, "{scheme}://[{}]:{port}", host.replace('%', "%25")),
            false => write!(out, "{scheme}://{host}:{port}"),
        }
    }
}

impl FromStr for Endpoint {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Endpoint, UrlError> {
        let url: BrokerUrl = text.parse()?;
        match url {
            BrokerUrl {
                endpoint,
                username: None,
                password: None,
                topic: None,
            } => Ok(endpoint),
            _ => Err(UrlError::NotOnlyAnEndpoint),
        }
    }
}

/// A broker with what else a URL can say: `mqtt://[USER[:PASSWORD]@]HOST[:PORT][/TOPIC]`.
///
/// Everything after the slash is the topic, `?` and `#` included, as in mosquitto's `-L`. User, password and
/// topic are percent-decoded.
#[derive(Clone, PartialEq, Eq)]
pub struct BrokerUrl {
    /// Scheme, host and port.
    pub endpoint: Endpoint,
    /// User name.
    pub username: Option<String>,
    /// Password.
    pub password: Option<Bytes>,
    /// Topic or topic filter; `None` when nothing follows the host.
    pub topic: Option<String>,
}

/// What is wrong with a URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)]
pub enum UrlError {
    #[error("no scheme; a broker URL looks like mqtt://HOST[:PORT][/TOPIC]")]
    NoScheme,
    #[error("unsupported scheme {0}://; use mqtt://")]
    UnsupportedScheme(String),
    #[error("no host; a broker URL looks like mqtt://HOST[:PORT][/TOPIC]")]
    NoHost,
    #[error("no ] after the IPv6 address")]
    OpenBracket,
    #[error("an IPv6 address stands in brackets, as in mqtt://[::1]:1883")]
    NoBrackets,
    #[error("{0:?} is no port (1 to 65535)")]
    Port(String),
    #[error("a % is followed by two hexadecimal digits; write a plain one as %25")]
    PercentCode,
    #[error("percent codes do not decode to UTF-8 text")]
    NotText,
    #[error("only a scheme, a host and a port are expected here")]
    NotOnlyAnEndpoint,
}

impl FromStr for BrokerUrl {
    type Err = UrlError;

    fn from_str(url: &str) -> Result<BrokerUrl, UrlError> {
        let (scheme, rest) = url.split_once("://").ok_or(UrlError::NoScheme)?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "mqtt" | "tcp" => Scheme::Mqtt,
            other => return Err(UrlError::UnsupportedScheme(other.to_owned())),
        };
        let (authority, topic) = match rest.split_once('/') {
            Some((authority, topic)) => (authority, topic),
            None => (rest, ""),
        };
        // The last @ ends the user information, so that one forgotten in a password does no harm.
        let (user, address) = match authority.rsplit_once('@') {
            Some((user, address)) => (Some(user), address),
            None => (None, authority),
        };
        let (username, password) = match user.map(|user| user.split_once(':').ok_or(user)) {
            None => (None, None),
            Some(Ok((name, password))) => (Some(text(name)?), Some(decoded(password)?.into())),
            Some(Err(name)) => (Some(text(name)?), None),
        };
        let (host, port) = host_and_port(address)?;
        let port = match port {
            Some(port) => match port.parse() {
                Ok(port) if port != 0 => port,
                _ => return Err(UrlError::Port(port.to_owned())),
            },
            None => scheme.default_port(),
        };
        Ok(BrokerUrl {
            endpoint: Endpoint { scheme, host, port },
            username,
            password,
            topic: match topic {
                "" => None,
                topic => Some(text(topic)?),
            },
        })
    }
}

fn host_and_port(address: &str) -> Result<(String, Option<&str>), UrlError> {
    let (host, rest) = match address.strip_prefix('[') {
        Some(address) => {
            let (host, rest) = address.split_once(']').ok_or(UrlError::OpenBracket)?;
            (text(host)?, rest)
        }
        None => {
            let end = address.find(':').unwrap_or(address.len());
            let (host, rest) = address.split_at(end);
            if rest.len() > 1 && rest[1..].contains(':') {
                return Err(UrlError::NoBrackets);
            }
            (host.to_owned(), rest)
        }
    };
    if host.is_empty() {
        return Err(UrlError::NoHost);
    }
    match rest {
        "" => Ok((host, None)),
        rest => match rest.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None => Err(UrlError::Port(rest.to_owned())),
        },
    }
}

fn text(encoded: &str) -> Result<String, UrlError> {
    String::from_utf8(decoded(encoded)?).map_err(|_| UrlError::NotText)
}

/// Percent-decoding (RFC 3986, 2.1).
fn decoded(encoded: &str) -> Result<Vec<u8>, UrlError> {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.bytes();
    while let Some(byte) = rest.next() {
        let mut digit = || {
            rest.next()
                .and_then(|digit| char::from(digit).to_digit(16))
                .ok_or(UrlError::PercentCode)
        };
        bytes.push(match byte {
            b'%' => (digit()? * 16 + digit()?) as u8,
            byte => byte,
        });
    }
    Ok(bytes)
}

/// Everything needed to connect: the endpoint and the contents of CONNECT (3.1).
#[derive(Clone)]
pub struct ConnectOptions {
    /// Where the broker is.
    pub endpoint: Endpoint,
    /// The protocol version to speak.
    pub version: Version,
    /// Empty: the broker assigns one, which MQTT 3.1 does not know.
    pub client_id: String,
    /// User name.
    pub username: Option<String>,
    /// Password: bytes, not text. Before MQTT 5 only beside a user name.
    pub password: Option<Bytes>,
    /// Seconds; 0 for no keep alive.
    pub keep_alive: u16,
    /// Clean session (3.1.1) or clean start (5).
    pub clean_start: bool,
    /// Seconds the broker keeps the session after the connection; `u32::MAX` for ever. MQTT 5 only.
    pub session_expiry: u32,
    /// The most QoS 1 and 2 messages the broker may send before they are acknowledged. MQTT 5 only.
    pub receive_maximum: Option<u16>,
    /// What to do when another client takes the session.
    pub takeover: Takeover,
    /// Will message.
    pub will: Option<Will>,
    /// From the first look-up to CONNACK.
    pub connect_timeout: Duration,
}

impl ConnectOptions {
    /// A clean MQTT 3.1.1 session at `endpoint`: keep alive 60 s, 10 s to connect, client id chosen by the broker.
    pub fn new(endpoint: Endpoint) -> ConnectOptions {
        ConnectOptions {
            endpoint,
            version: Version::V311,
            client_id: String::new(),
            username: None,
            password: None,
            keep_alive: 60,
            clean_start: true,
            session_expiry: 0,
            receive_maximum: None,
            takeover: Takeover::default(),
            will: None,
            connect_timeout: Duration::from_secs(10),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> BrokerUrl {
        text.parse()
            .unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn an_endpoint_is_printed_as_it_is_parsed() {
        for (written, printed) in [
            ("mqtt://localhost", "mqtt://localhost:1883"),
            ("mqtt://localhost:1884", "mqtt://localhost:1884"),
            ("MQTT://10.0.0.1", "mqtt://10.0.0.1:1883"),
            ("tcp://broker.example", "mqtt://broker.example:1883"),
            ("mqtt://[::1]", "mqtt://[::1]:1883"),
            (
                "mqtt://[fe80::1%25eth0]:7000",
                "mqtt://[fe80::1%25eth0]:7000",
            ),
            ("mqtt://münchen", "mqtt://münchen:1883"),
        ] {
            let endpoint: Endpoint = written.parse().unwrap();
            assert_eq!(endpoint.to_string(), printed);
            assert_eq!(printed.parse(), Ok(endpoint));
        }
    }

    #[test]
    fn a_zone_is_part_of_the_host() {
        assert_eq!(url("mqtt://[fe80::1%25eth0]").endpoint.host, "fe80::1%eth0");
    }

    #[test]
    fn user_password_and_topic_are_percent_decoded() {
        let url = url("mqtt://al%40home:p%3Aq%2F%C3%BC@h:1/a%20b/c?d#");
        assert_eq!(url.username.as_deref(), Some("al@home"));
        assert_eq!(url.password.as_deref(), Some("p:q/ü".as_bytes()));
        assert_eq!(url.topic.as_deref(), Some("a b/c?d#"));
    }

    #[test]
    fn a_password_may_be_missing_or_empty_and_need_not_be_text() {
        assert_eq!(url("mqtt://u@h").password, None);
        assert_eq!(url("mqtt://u:@h").password.as_deref(), Some(&b""[..]));
        assert_eq!(
            url("mqtt://u:%ff%00@h").password.as_deref(),
            Some(&b"\xff\0"[..])
        );
    }

    #[test]
    fn a_slash_alone_is_no_topic_but_a_second_one_is() {
        assert_eq!(url("mqtt://h/").topic, None);
        assert_eq!(url("mqtt://h//a").topic.as_deref(), Some("/a"));
    }

    #[test]
    fn every_fault_has_its_own_words() {
        for (text, error) in [
            ("localhost:1883", UrlError::NoScheme),
            ("http://h/t", UrlError::UnsupportedScheme("http".to_owned())),
            ("mqtt://", UrlError::NoHost),
            ("mqtt://:1883", UrlError::NoHost),
            ("mqtt://u@/t", UrlError::NoHost),
            ("mqtt://[::1/t", UrlError::OpenBracket),
            ("mqtt://::1/t", UrlError::NoBrackets),
            ("mqtt://h:0", UrlError::Port("0".to_owned())),
            ("mqtt://h:65536", UrlError::Port("65536".to_owned())),
            ("mqtt://h:", UrlError::Port(String::new())),
            ("mqtt://[::1]x", UrlError::Port("x".to_owned())),
            ("mqtt://u:100%@h", UrlError::PercentCode),
            ("mqtt://h/%zz", UrlError::PercentCode),
            ("mqtt://h/%ff", UrlError::NotText),
        ] {
            assert_eq!(text.parse::<BrokerUrl>().err(), Some(error), "{text}");
        }
        assert_eq!(
            "mqtt://u@h".parse::<Endpoint>(),
            Err(UrlError::NotOnlyAnEndpoint)
        );
    }
}
