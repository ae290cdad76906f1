//! A proxy on the way: SOCKS 5 (RFC 1928) or HTTP CONNECT (RFC 9110, 9.3.6), the latter over TLS with the proxy as well.
//!
//! Beyond it everything is as if there were none: the broker's TLS, if it has one, is with the broker.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_socks::TargetAddr;
use tokio_socks::tcp::Socks5Stream;

use super::stream::Stream;
use super::tls::{Peer, Tls, TlsOptions};
use super::{is_closed, plain, tcp};
use crate::client::url::{self, Endpoint, UrlError};

/// The longest answer of an HTTP proxy that is read, in bytes.
const LONGEST_ANSWER: usize = 16 * 1024;

const NO_HTTP: &str = "does not speak HTTP; is it a SOCKS proxy (socks5h://)?";

/// Where a proxy is, how to speak to it, and who we are to it. Written
/// `socks5h://[USER[:PASSWORD]@]HOST[:PORT]`, `socks5://...`, `http://...` or `https://...`.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    kind: Kind,
    host: String,
    port: u16,
    /// Name and password.
    user: Option<(String, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// SOCKS 5; the proxy looks the broker's name up.
    Socks5h,
    /// SOCKS 5; the name is looked up here.
    Socks5,
    /// HTTP CONNECT; the proxy looks the name up.
    Http,
    /// The same over TLS.
    Https,
}

impl Kind {
    fn scheme(self) -> &'static str {
        match self {
            Kind::Socks5h => "socks5h",
            Kind::Socks5 => "socks5",
            Kind::Http => "http",
            Kind::Https => "https",
        }
    }
}

/// Without the password.
impl fmt::Display for Proxy {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.kind.scheme();
        write!(out, "{scheme}://{}", url::authority(&self.host, self.port))
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl FromStr for Proxy {
    type Err = ProxyError;

    fn from_str(text: &str) -> Result<Proxy, ProxyError> {
        // Without a scheme it is HTTP, as the variables of the environment have it.
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        let (kind, port) = match scheme.to_ascii_lowercase().as_str() {
            "socks5h" => (Kind::Socks5h, 1080),
            "socks5" => (Kind::Socks5, 1080),
            "http" => (Kind::Http, 80),
            "https" => (Kind::Https, 443),
            other => return Err(ProxyError::Scheme(other.to_owned())),
        };
        let authority = match rest.split_once('/') {
            None | Some((_, "")) => rest.trim_end_matches('/'),
            Some(_) => return Err(ProxyError::Path),
        };
        let parts = url::parts(authority)?;
        let user = match (parts.username, parts.password) {
            (Some(name), password) => {
                let password = String::from_utf8(password.unwrap_or_default().to_vec());
                Some((name, password.map_err(|_| UrlError::NotText)?))
            }
            (None, _) => None,
        };
        if let (Kind::Socks5 | Kind::Socks5h, Some((name, password))) = (kind, &user) {
            // One byte for each length, and a name has one letter at least (RFC 1929).
            if !(1..256).contains(&name.len()) || !(1..256).contains(&password.len()) {
                return Err(ProxyError::User);
            }
        }
        Ok(Proxy {
            kind,
            host: parts.host,
            port: parts.port.unwrap_or(port),
            user,
        })
    }
}

/// What is wrong with the URL of a proxy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)]
pub enum ProxyError {
    #[error("unsupported scheme {0}://; use socks5h, socks5, http or https")]
    Scheme(String),
    #[error("the URL of a proxy ends after its port")]
    Path,
    #[error("SOCKS takes a user name and a password of 1 to 255 bytes each, or neither")]
    User,
    #[error("no host; a proxy is written http://HOST:PORT, or socks5h:// and so on")]
    NoHost,
    #[error(transparent)]
    Url(UrlError),
}

impl From<UrlError> for ProxyError {
    fn from(error: UrlError) -> ProxyError {
        match error {
            UrlError::NoHost => ProxyError::NoHost,
            error => ProxyError::Url(error),
        }
    }
}

impl Proxy {
    /// The addresses of the proxy itself.
    ///
    /// # Errors
    /// Why they are not to be had, in words.
    pub(super) async fn addresses(&self) -> Result<Vec<SocketAddr>, String> {
        tcp::addresses(&self.host, self.port)
            .await
            .map_err(|error| {
                format!(
                    "cannot find the address of the proxy {}: {error}",
                    self.host
                )
            })
    }

    /// What TLS with it asks of it, with the file of trusted issuers where one is named; `None` for a proxy without TLS.
    ///
    /// # Errors
    /// Why it cannot be asked, in words.
    pub(super) fn tls(&self, ca_file: Option<&PathBuf>) -> Result<Option<Tls>, String> {
        if self.kind != Kind::Https {
            return Ok(None);
        }
        let options = TlsOptions {
            peer: Peer::Proxy,
            ca_file: ca_file.cloned(),
            ..TlsOptions::default()
        };
        Tls::new(&options, &self.host).map(Some)
    }

    /// Has the proxy, to which this is the connection, connect to the endpoint.
    ///
    /// # Errors
    /// Why it does not, in words.
    pub(super) async fn open(&self, stream: Stream, endpoint: &Endpoint) -> Result<Stream, String> {
        let opened = match self.kind {
            Kind::Http | Kind::Https => self.connect(stream, endpoint).await,
            Kind::Socks5 | Kind::Socks5h => self.socks(stream, endpoint).await,
        };
        opened.map_err(|words| format!("the proxy {self} {words}"))
    }

    async fn socks(&self, stream: Stream, endpoint: &Endpoint) -> Result<Stream, String> {
        let target = match (endpoint.host.parse(), self.kind) {
            (Ok(address), _) => TargetAddr::Ip(SocketAddr::new(address, endpoint.port)),
            (Err(_), Kind::Socks5) => {
                let found = tcp::addresses(&endpoint.host, endpoint.port).await;
                let words = |why: &dyn fmt::Display| {
                    format!(
                        "needs the address of {}: {why}; with socks5h:// it looks it up itself",
                        endpoint.host
                    )
                };
                let found = found.map_err(|error| words(&error))?;
                TargetAddr::Ip(*found.first().ok_or_else(|| words(&"it has none"))?)
            }
            (Err(_), _) => TargetAddr::Domain(endpoint.host.as_str().into(), endpoint.port),
        };
        let opened = match &self.user {
            None => Socks5Stream::connect_with_socket(stream, target).await,
            Some((name, password)) => {
                Socks5Stream::connect_with_password_and_socket(stream, target, name, password).await
            }
        };
        opened
            .map(Socks5Stream::into_inner)
            .map_err(|error| socks_words(&error))
    }

    async fn connect(&self, mut stream: Stream, endpoint: &Endpoint) -> Result<Stream, String> {
        let target = url::authority(&endpoint.host, endpoint.port);
        let mut request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n");
        if let Some((name, password)) = &self.user {
            let user = BASE64.encode(format!("{name}:{password}"));
            request += &format!("Proxy-Authorization: Basic {user}\r\n");
        }
        request += "\r\n";
        let broken = |error: io::Error| match is_closed(&error) {
            true => "closes the connection; is it a proxy?".to_owned(),
            false => format!("fails: {}", plain(&error)),
        };
        stream.write_all(request.as_bytes()).await.map_err(broken)?;
        stream.flush().await.map_err(broken)?;
        let mut answer = Vec::new();
        // Byte by byte, because what follows the answer is the broker's already.
        while !answer.ends_with(b"\r\n\r\n") {
            if answer.len() == LONGEST_ANSWER {
                return Err("gives an answer without end; is it a proxy?".to_owned());
            }
            answer.push(stream.read_u8().await.map_err(broken)?);
            if answer.iter().zip(b"HTTP/").any(|(is, should)| is != should) {
                return Err(NO_HTTP.to_owned());
            }
        }
        match status(&answer).ok_or(NO_HTTP)? {
            (200..=299, _) => Ok(stream),
            (407, _) => Err(match self.user {
                None => format!(
                    "wants a user name and a password: {}://USER:PASSWORD@...",
                    self.kind.scheme()
                ),
                Some(_) => "does not accept this user name and password".to_owned(),
            }),
            (code, reason) => Err(format!("does not connect to {target}: {code} {reason}")),
        }
    }
}

/// Code and words of an HTTP answer.
fn status(answer: &[u8]) -> Option<(u16, String)> {
    let line = answer.split(|byte| *byte == b'\r').next()?;
    let line = std::str::from_utf8(line).ok()?;
    let (version, rest) = line.split_once(' ')?;
    let (code, reason) = rest.split_once(' ').unwrap_or((rest, ""));
    let code = code
        .parse()
        .ok()
        .filter(|_| version.starts_with("HTTP/1."))?;
    Some((code, reason.to_owned()))
}

fn socks_words(error: &tokio_socks::Error) -> String {
    use tokio_socks::Error;
    match error {
        Error::Io(error) if is_closed(error) => {
            "closes the connection; is it a SOCKS 5 proxy?".to_owned()
        }
        Error::Io(error) => format!("fails: {}", plain(error)),
        Error::InvalidResponseVersion | Error::InvalidReservedByte | Error::UnknownAddressType => {
            "does not speak SOCKS 5; is it an HTTP proxy (http://)?".to_owned()
        }
        Error::NoAcceptableAuthMethods | Error::UnknownAuthMethod => {
            "wants a user name and a password: socks5h://USER:PASSWORD@...".to_owned()
        }
        Error::PasswordAuthFailure(_) => "does not accept this user name and password".to_owned(),
        error => {
            let words = error.to_string();
            let mut letters = words.chars();
            let first = letters
                .next()
                .map(|letter| letter.to_lowercase().to_string());
            format!(
                "cannot connect to the broker: {}{}",
                first.unwrap_or_default(),
                letters.as_str()
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_proxy_is_a_url_and_shows_no_password() {
        for (written, printed) in [
            ("socks5h://h", "socks5h://h:1080"),
            ("SOCKS5://u:p%40w@[::1]:9/", "socks5://[::1]:9"),
            ("http://u@h:3128", "http://h:3128"),
            ("https://h", "https://h:443"),
            ("h:3128", "http://h:3128"),
        ] {
            let proxy: Proxy = written.parse().unwrap();
            assert_eq!(proxy.to_string(), printed);
            assert_eq!(format!("{proxy:?}"), printed);
        }
        let proxy: Proxy = "socks5h://a%3Ab:p%40w@h".parse().unwrap();
        assert_eq!(proxy.user, Some(("a:b".to_owned(), "p@w".to_owned())));
    }

    #[test]
    fn every_fault_of_a_proxy_has_its_own_words() {
        for (text, error) in [
            ("ftp://h", ProxyError::Scheme("ftp".to_owned())),
            ("http://h/x", ProxyError::Path),
            ("socks5h://u@h", ProxyError::User),
            ("socks5h://", ProxyError::NoHost),
            ("", ProxyError::NoHost),
            (
                "http://h:x",
                ProxyError::Url(UrlError::Port("x".to_owned())),
            ),
        ] {
            assert_eq!(text.parse::<Proxy>(), Err(error), "{text}");
        }
    }

    #[test]
    fn an_answer_of_http_has_a_code_and_words() {
        for (answer, expected) in [
            ("HTTP/1.1 200 OK\r\n", Some((200, "OK"))),
            ("HTTP/1.0 200\r\n", Some((200, ""))),
            ("HTTP/1.1 502 Bad Gateway\r\n", Some((502, "Bad Gateway"))),
            ("SSH-2.0-x\r\n", None),
            ("ICY 200 OK\r\n", None),
            ("HTTP/1.1 x y\r\n", None),
        ] {
            let expected = expected.map(|(code, words)| (code, words.to_owned()));
            assert_eq!(status(answer.as_bytes()), expected, "{answer}");
        }
    }

    #[tokio::test]
    async fn what_does_not_speak_http_is_seen_by_its_first_bytes() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let (mut peer, _) = listener.accept().await.unwrap();
        // And then nothing: whoever waits for the end of an answer waits for ever.
        peer.write_all(b"SSH-2.0-x\r\n").await.unwrap();
        let proxy: Proxy = "http://h".parse().unwrap();
        let opened = proxy.open(Stream::Tcp(stream), &Endpoint::default()).await;
        assert_eq!(
            opened.err().as_deref(),
            Some("the proxy http://h:80 does not speak HTTP; is it a SOCKS proxy (socks5h://)?")
        );
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_of_proxies_panic(text in "(socks5h?://|https?://)?.*") {
            let _ = text.parse::<Proxy>();
        }

        #[test]
        fn no_answer_makes_its_parser_panic(answer: Vec<u8>) {
            let _ = status(&answer);
        }
    }
}
