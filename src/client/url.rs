//! Where a broker is, as a URL: `mqtt://`, `mqtts://`, `ws://`, `wss://` and `unix://`.
//!
//! For MQTT over TCP or TLS everything after the slash is a topic, as in mosquitto's `-L`. For WebSocket it is the path
//! that HTTP asks for, and for a unix socket the path of the file; the topic then stands elsewhere.

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;

/// Where a broker listens. IPv6 addresses are written in brackets.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// The transport.
    pub scheme: Scheme,
    /// A name or an address, without brackets. Empty for a unix socket.
    pub host: String,
    /// TCP port, never 0. 0 for a unix socket.
    pub port: u16,
    /// What a WebSocket server is asked for, `/mqtt` unless said, with its query; or the file that is a unix socket.
    /// Else empty.
    pub path: String,
}

/// The transport an endpoint is reached by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// MQTT over TCP.
    Mqtt,
    /// MQTT over TLS.
    Mqtts,
    /// MQTT in WebSocket frames over TCP (6.0).
    Ws,
    /// MQTT in WebSocket frames over TLS.
    Wss,
    /// MQTT over a unix stream socket.
    Unix,
}

impl Scheme {
    /// The port that is meant when none is written.
    pub fn default_port(self) -> u16 {
        match self {
            Scheme::Mqtt => 1883,
            Scheme::Mqtts => 8883,
            Scheme::Ws => 80,
            Scheme::Wss => 443,
            Scheme::Unix => 0,
        }
    }

    /// Whether everything is encrypted.
    pub fn has_tls(self) -> bool {
        matches!(self, Scheme::Mqtts | Scheme::Wss)
    }

    /// Whether MQTT travels in WebSocket frames.
    pub fn has_websocket(self) -> bool {
        matches!(self, Scheme::Ws | Scheme::Wss)
    }

    /// The same, in WebSocket frames.
    pub fn with_websocket(self) -> Scheme {
        match self {
            Scheme::Mqtt => Scheme::Ws,
            Scheme::Mqtts => Scheme::Wss,
            other => other,
        }
    }

    /// The same, encrypted. A unix socket stays what it is: it does not leave the machine.
    pub fn with_tls(self) -> Scheme {
        match self {
            Scheme::Mqtt => Scheme::Mqtts,
            Scheme::Ws => Scheme::Wss,
            other => other,
        }
    }
}

impl Endpoint {
    /// Over TCP, TLS or WebSocket, with the default path.
    pub fn new(scheme: Scheme, host: impl Into<String>, port: u16) -> Endpoint {
        let path = if scheme.has_websocket() {
            DEFAULT_PATH
        } else {
            ""
        };
        Endpoint {
            scheme,
            host: host.into(),
            port,
            path: path.to_owned(),
        }
    }

    /// A unix socket.
    pub fn unix(path: impl Into<String>) -> Endpoint {
        Endpoint {
            scheme: Scheme::Unix,
            host: String::new(),
            port: 0,
            path: path.into(),
        }
    }
}

/// The path that MQTT brokers offer WebSocket at.
pub const DEFAULT_PATH: &str = "/mqtt";

impl Default for Endpoint {
    fn default() -> Endpoint {
        Endpoint::new(Scheme::Mqtt, "localhost", Scheme::Mqtt.default_port())
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Scheme::Mqtt => "mqtt",
            Scheme::Mqtts => "mqtts",
            Scheme::Ws => "ws",
            Scheme::Wss => "wss",
            Scheme::Unix => "unix",
        })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Endpoint {
            scheme,
            host,
            port,
            path,
        } = self;
        match (scheme, host.contains(':')) {
            (Scheme::Unix, _) => write!(out, "unix://{}", path.replace('%', "%25")),
            (_, true) => write!(
                out,
                "{scheme}://[{}]:{port}{path}",
                host.replace('%', "%25")
            ),
            (_, false) => write!(out, "{scheme}://{host}:{port}{path}"),
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
                ..
            } => Ok(endpoint),
            _ => Err(UrlError::NotOnlyAnEndpoint),
        }
    }
}

/// A broker with what else a URL can say: `mqtt://[USER[:PASSWORD]@]HOST[:PORT][/TOPIC]`.
///
/// The topic of `mqtt` and `mqtts` is everything after the slash, `?` and `#` included, as in mosquitto's `-L`; a
/// WebSocket path is kept as it is written. User, password, topic and the path of a unix socket are percent-decoded.
#[derive(Clone, PartialEq, Eq)]
pub struct BrokerUrl {
    /// Scheme, host, port and path.
    pub endpoint: Endpoint,
    /// Whether the port was written.
    pub has_port: bool,
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
    #[error("unsupported scheme {0}://; use mqtt, mqtts, ws, wss or unix")]
    UnsupportedScheme(String),
    #[error("no host; a broker URL looks like mqtt://HOST[:PORT][/TOPIC]")]
    NoHost,
    #[error("{0:?} is no host")]
    Host(String),
    #[error("no ] after the IPv6 address")]
    OpenBracket,
    #[error("an IPv6 address stands in brackets, as in mqtt://[::1]:1883")]
    NoBrackets,
    #[error("a / in a user name or password is written %2F, because it ends the host otherwise")]
    SlashInUser,
    #[error("{0:?} is no port (1 to 65535)")]
    Port(String),
    #[error("a % is followed by two hexadecimal digits; write a plain one as %25")]
    PercentCode,
    #[error("percent codes do not decode to UTF-8 text")]
    NotText,
    #[error("a unix socket is written unix:///PATH, with three slashes and no host")]
    NotAUnixPath,
    #[error("{0:?} is no path of a WebSocket URL: it contains a space or a control character")]
    NotAWebSocketPath(String),
    #[error("only a scheme, a host and a port are expected here")]
    NotOnlyAnEndpoint,
}

impl FromStr for BrokerUrl {
    type Err = UrlError;

    fn from_str(url: &str) -> Result<BrokerUrl, UrlError> {
        let (scheme, rest) = url.split_once("://").ok_or(UrlError::NoScheme)?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "mqtt" | "tcp" => Scheme::Mqtt,
            "mqtts" | "ssl" | "tls" => Scheme::Mqtts,
            "ws" => Scheme::Ws,
            "wss" => Scheme::Wss,
            "unix" => Scheme::Unix,
            other => return Err(UrlError::UnsupportedScheme(other.to_owned())),
        };
        let (authority, path) = match rest.split_once('/') {
            Some((authority, path)) => (authority, path),
            None => (rest, ""),
        };
        let (username, password, address) = user(authority)?;
        let (endpoint, has_port) = endpoint(scheme, address, path).map_err(|error| {
            // What stands where a port should be is part of a password, which is not to be repeated.
            let is_cut = matches!(error, UrlError::Port(_)) && path.contains('@');
            if is_cut { UrlError::SlashInUser } else { error }
        })?;
        let topic = match scheme {
            Scheme::Mqtt | Scheme::Mqtts if !path.is_empty() => Some(text(path)?),
            _ => None,
        };
        Ok(BrokerUrl {
            endpoint,
            has_port,
            username,
            password,
            topic,
        })
    }
}

/// The endpoint, and whether its port was written.
fn endpoint(scheme: Scheme, address: &str, path: &str) -> Result<(Endpoint, bool), UrlError> {
    if scheme == Scheme::Unix {
        return match (address, path) {
            ("", "") => Err(UrlError::NotAUnixPath),
            ("", path) => Ok((Endpoint::unix(format!("/{}", text(path)?)), false)),
            _ => Err(UrlError::NotAUnixPath),
        };
    }
    let (host, port) = host_and_port(address)?;
    let has_port = port.is_some();
    let mut endpoint = Endpoint::new(scheme, host, port.unwrap_or(scheme.default_port()));
    if scheme.has_websocket() && !path.is_empty() {
        if path.contains(|each: char| each.is_whitespace() || each.is_control()) {
            return Err(UrlError::NotAWebSocketPath(format!("/{path}")));
        }
        endpoint.path = format!("/{path}");
    }
    Ok((endpoint, has_port))
}

/// What stands between the slashes of any URL.
pub(super) struct Parts {
    pub(super) username: Option<String>,
    pub(super) password: Option<Bytes>,
    pub(super) host: String,
    pub(super) port: Option<u16>,
}

/// `[USER[:PASSWORD]@]HOST[:PORT]`.
pub(super) fn parts(authority: &str) -> Result<Parts, UrlError> {
    let (username, password, address) = user(authority)?;
    let (host, port) = host_and_port(address)?;
    Ok(Parts {
        username,
        password,
        host,
        port,
    })
}

/// `HOST:PORT`, with brackets where they belong.
pub(super) fn authority(host: &str, port: u16) -> String {
    match host.contains(':') {
        true => format!("[{host}]:{port}"),
        false => format!("{host}:{port}"),
    }
}

/// User name and password, and what follows them.
fn user(authority: &str) -> Result<(Option<String>, Option<Bytes>, &str), UrlError> {
    // The last @ ends the user information, so that one forgotten in a password does no harm.
    let Some((user, address)) = authority.rsplit_once('@') else {
        return Ok((None, None, authority));
    };
    let (name, password) = match user.split_once(':') {
        Some((name, password)) => (name, Some(decoded(password)?.into())),
        None => (user, None),
    };
    Ok((Some(text(name)?), password, address))
}

fn host_and_port(address: &str) -> Result<(String, Option<u16>), UrlError> {
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
    if host.contains(['/', '@', '[', ']']) {
        return Err(UrlError::Host(host));
    }
    match rest {
        "" => Ok((host, None)),
        rest => {
            let port = rest.strip_prefix(':').unwrap_or(rest);
            match port.parse() {
                Ok(number) if number != 0 && rest.starts_with(':') => Ok((host, Some(number))),
                _ => Err(UrlError::Port(port.to_owned())),
            }
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
            ("mqtts://h", "mqtts://h:8883"),
            ("SSL://h", "mqtts://h:8883"),
            ("tls://[::1]:1", "mqtts://[::1]:1"),
            ("ws://h", "ws://h:80/mqtt"),
            ("ws://h/", "ws://h:80/mqtt"),
            ("wss://h:8/a/%20b?c=d", "wss://h:8/a/%20b?c=d"),
            ("unix:///run/broker.sock", "unix:///run/broker.sock"),
            ("unix:///a%25b", "unix:///a%25b"),
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
    fn what_follows_the_host_is_a_topic_or_a_path() {
        let secure = url("mqtts://u:p@h/a/b");
        assert_eq!(
            (secure.topic.as_deref(), &*secure.endpoint.path),
            (Some("a/b"), "")
        );
        let websocket = url("wss://u:p@h/a/b");
        assert_eq!((websocket.topic, &*websocket.endpoint.path), (None, "/a/b"));
        let unix = url("unix://u:p@/run/a%20b.sock");
        assert_eq!((unix.topic, &*unix.endpoint.path), (None, "/run/a b.sock"));
        assert_eq!(unix.username.as_deref(), Some("u"));
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
            ("mqtt://[a%2Fb]", UrlError::Host("a/b".to_owned())),
            ("mqtt://[::1/t", UrlError::OpenBracket),
            ("mqtt://::1/t", UrlError::NoBrackets),
            ("mqtt://h:0", UrlError::Port("0".to_owned())),
            ("mqtt://h:65536", UrlError::Port("65536".to_owned())),
            ("mqtt://h:", UrlError::Port(String::new())),
            ("mqtt://[::1]x", UrlError::Port("x".to_owned())),
            ("mqtt://u:100%@h", UrlError::PercentCode),
            ("mqtt://ann:pa/ss@h", UrlError::SlashInUser),
            ("mqtt://h/%zz", UrlError::PercentCode),
            ("mqtt://h/%ff", UrlError::NotText),
            ("unix://", UrlError::NotAUnixPath),
            ("unix://h/p", UrlError::NotAUnixPath),
            ("ws://h/a b", UrlError::NotAWebSocketPath("/a b".to_owned())),
        ] {
            assert_eq!(text.parse::<BrokerUrl>().err(), Some(error), "{text}");
        }
        assert_eq!(
            "mqtt://u@h".parse::<Endpoint>(),
            Err(UrlError::NotOnlyAnEndpoint)
        );
    }

    proptest! {
        /// No text makes the parser panic, and what it takes is printed as something it takes for the same.
        #[test]
        fn whatever_is_accepted_is_printed_as_the_same_endpoint(
            scheme in "mqtt|mqtts|ws|wss|unix|tcp",
            rest in "[a-z0-9:/@%\\[\\]?#. üß]{0,24}",
        ) {
            if let Ok(url) = format!("{scheme}://{rest}").parse::<BrokerUrl>() {
                let printed = url.endpoint.to_string();
                prop_assert_eq!(printed.parse::<Endpoint>(), Ok(url.endpoint), "{}", printed);
            }
        }
    }
}
