//! The way to a broker: from an [`Endpoint`] and a [`Route`] to a connected [`Stream`], leg by leg, each with its time.
//!
//! One file a leg: [`tcp`] finds addresses and connects, [`tls`] encrypts, [`websocket`] frames. Files are read once, by
//! [`Dialer::new`]; after that a dialer can be used any number of times and by many connections at once. What is spoken
//! over the stream, how long all of it may take and whether to try again is for the caller.

mod stream;
mod tcp;
pub mod tls;
pub mod websocket;

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

pub use self::stream::Stream;
use self::tls::{Tls, TlsOptions};
use super::failure::Failure;
use super::url::{Endpoint, Scheme};

/// How to get to an endpoint: plain data.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Route {
    /// What TLS is to use and to trust, for an endpoint that has it.
    pub tls: TlsOptions,
    /// What to ask a WebSocket server for beside the path.
    pub headers: Vec<websocket::Header>,
}

/// A part of the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Leg {
    /// Looking up the address of the name.
    Name,
    /// Connecting, to the first address that answers.
    Connect,
    /// The TLS handshake.
    Tls,
    /// The opening handshake of WebSocket.
    WebSocket,
}

/// How long each leg took; `None` for one that this way does not have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Legs {
    /// From the question to the addresses.
    pub name: Option<Duration>,
    /// Until the TCP connection, or that of the unix socket, was there.
    pub connect: Option<Duration>,
    /// The TLS handshake.
    pub tls: Option<Duration>,
    /// The opening handshake of WebSocket.
    pub websocket: Option<Duration>,
}

impl Legs {
    /// All of the way.
    pub fn total(&self) -> Duration {
        let Legs {
            name,
            connect,
            tls,
            websocket,
        } = *self;
        [name, connect, tls, websocket].into_iter().flatten().sum()
    }
}

/// A way that was prepared and can be gone any number of times.
#[derive(Debug)]
pub struct Dialer {
    endpoint: Endpoint,
    tls: Option<Tls>,
    headers: Vec<websocket::Header>,
}

impl Dialer {
    /// Reads the files that the route names, if the endpoint has a use for them.
    ///
    /// # Errors
    /// [`Failure::Unusable`] for a file that cannot be read or used, and for names that TLS cannot check.
    pub fn new(endpoint: &Endpoint, route: &Route) -> Result<Dialer, Failure> {
        let tls = match endpoint.scheme.has_tls() {
            true => Some(Tls::new(&route.tls, &endpoint.host).map_err(Failure::Unusable)?),
            false => None,
        };
        Ok(Dialer {
            endpoint: endpoint.clone(),
            tls,
            headers: route.headers.clone(),
        })
    }

    /// Goes the whole way. `begins` is told when a leg begins, so that whoever runs out of patience knows where.
    ///
    /// # Errors
    /// [`Failure::NotReached`] with the leg that failed, in words.
    pub async fn dial(&self, begins: impl Fn(Leg)) -> Result<(Stream, Legs), Failure> {
        begins(Leg::Name);
        let start = Instant::now();
        let addresses = self.addresses().await?;
        let name = start.elapsed();
        let (stream, mut legs) = self.dial_to(&addresses, begins).await?;
        if self.endpoint.scheme != Scheme::Unix {
            legs.name = Some(name);
        }
        Ok((stream, legs))
    }

    /// The addresses of the endpoint, to be used with [`Dialer::dial_to`]; none for a unix socket, which needs none.
    ///
    /// # Errors
    /// [`Failure::NotReached`] when the name has none.
    pub async fn addresses(&self) -> Result<Vec<SocketAddr>, Failure> {
        let Endpoint {
            scheme, host, port, ..
        } = &self.endpoint;
        if *scheme == Scheme::Unix {
            return Ok(Vec::new());
        }
        tcp::addresses(host, *port).await.map_err(|error| {
            Failure::NotReached(format!(
                "cannot find the address of {host}: {error}; check --host"
            ))
        })
    }

    /// Goes the way from the addresses on.
    ///
    /// # Errors
    /// As [`Dialer::dial`].
    pub async fn dial_to(
        &self,
        addresses: &[SocketAddr],
        begins: impl Fn(Leg),
    ) -> Result<(Stream, Legs), Failure> {
        let mut legs = Legs::default();
        begins(Leg::Connect);
        let start = Instant::now();
        let mut stream = self.connect(addresses).await?;
        legs.connect = Some(start.elapsed());
        if let Some(tls) = &self.tls {
            begins(Leg::Tls);
            let start = Instant::now();
            stream = tls
                .connect(stream)
                .await
                .map_err(|words| self.not_reached(&words))?;
            legs.tls = Some(start.elapsed());
        }
        if self.endpoint.scheme.has_websocket() {
            begins(Leg::WebSocket);
            let start = Instant::now();
            stream = websocket::open(stream, &self.endpoint, &self.headers)
                .await
                .map_err(|words| self.not_reached(&words))?;
            legs.websocket = Some(start.elapsed());
        }
        Ok((stream, legs))
    }

    /// What a read or a write of the stream complains about, in words.
    pub fn words(&self, error: &io::Error) -> String {
        let tls = self.tls.as_ref();
        tls.and_then(|tls| tls.words(error))
            .unwrap_or_else(|| plain(error))
    }

    /// Whether the stream can end because the broker asked for a client certificate that was not given.
    pub fn lacks_certificate(&self) -> bool {
        self.tls.as_ref().is_some_and(Tls::lacks_certificate)
    }

    async fn connect(&self, addresses: &[SocketAddr]) -> Result<Stream, Failure> {
        let (socket, advice) = match self.endpoint.scheme {
            Scheme::Unix => (stream::unix(&self.endpoint.path).await, "--unix"),
            _ => (tcp::connect(addresses).await.map(Stream::Tcp), "--host"),
        };
        socket.map_err(|error| {
            let advice = match error.kind() {
                io::ErrorKind::ConnectionRefused => {
                    "; is a broker running there? `mqtt serve` starts one".to_owned()
                }
                io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => {
                    format!("; check {advice}")
                }
                _ => String::new(),
            };
            self.not_reached(&format!("{}{advice}", plain(&error)))
        })
    }

    fn not_reached(&self, words: &str) -> Failure {
        Failure::NotReached(format!("cannot connect to {}: {words}", self.endpoint))
    }
}

/// An I/O error without its number: `connection refused`.
fn plain(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(_) if error.kind().to_string() != "uncategorized error" => error.kind().to_string(),
        _ => error.to_string(),
    }
}

/// Whether the other side has ended the connection, in one way or the other.
fn is_closed(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(
        error.kind(),
        Kind::UnexpectedEof | Kind::ConnectionReset | Kind::ConnectionAborted | Kind::BrokenPipe
    )
}
