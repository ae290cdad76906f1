//! The way to a broker: from an [`Endpoint`] and a [`Route`] to a connected [`Stream`], leg by leg, each with its time.
//!
//! One file a leg: [`names`] finds hosts and addresses, [`tcp`] connects, [`proxy`] has another connect, [`tls`] encrypts, [`websocket`] frames. Files are read once, by
//! [`Dialer::new`]; after that a dialer can be used any number of times and by many connections at once. What is spoken
//! over the stream, how long all of it may take and whether to try again is for the caller.

mod names;
pub mod proxy;
mod stream;
mod tcp;
pub mod tls;
pub mod websocket;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use self::names::Names;
use self::proxy::Proxy;
pub use self::stream::{Stream, unix as connect_unix};
pub use self::tcp::{Hosts, connect as connect_tcp};
use self::tls::{Tls, TlsOptions};
use super::failure::{Failure, Obstacle};
use super::retry::chance;
use super::url::{Endpoint, Scheme};

/// How to get to an endpoint: plain data.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Route {
    /// What TLS is to use and to trust, for an endpoint that has it.
    pub tls: TlsOptions,
    /// What to ask a WebSocket server for beside the path.
    pub headers: Vec<websocket::Header>,
    /// The proxy that connects to the endpoint, if there is one.
    pub proxy: Option<Proxy>,
    /// PEM file with the issuers that are trusted to say who a proxy with TLS is; those of the system when `None`.
    pub proxy_ca_file: Option<PathBuf>,
    /// The address of ours to connect from.
    pub bind: Option<IpAddr>,
    /// The host is a domain, and its SRV records say which hosts and ports serve it.
    pub srv: bool,
    /// Whom to ask for SRV records and addresses; `None` for whom this system asks.
    pub nameserver: Option<SocketAddr>,
}

/// A part of the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Leg {
    /// Looking up the address of the name.
    Name,
    /// Connecting, to the first address that answers.
    Connect,
    /// The proxy connects to the endpoint.
    Proxy,
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
    /// Until the proxy had connected.
    pub proxy: Option<Duration>,
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
            proxy,
            tls,
            websocket,
        } = *self;
        [name, connect, proxy, tls, websocket]
            .into_iter()
            .flatten()
            .sum()
    }
}

/// A way that was prepared and can be gone any number of times.
pub struct Dialer {
    endpoint: Endpoint,
    tls: Option<Tls>,
    headers: Vec<websocket::Header>,
    proxy: Option<Proxy>,
    proxy_tls: Option<Tls>,
    bind: Option<IpAddr>,
    names: Names,
    srv: bool,
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
        let proxy_tls = match &route.proxy {
            Some(proxy) => proxy.tls(route.proxy_ca_file.as_ref()),
            None => Ok(None),
        };
        Ok(Dialer {
            endpoint: endpoint.clone(),
            tls,
            headers: route.headers.clone(),
            proxy: route.proxy.clone(),
            proxy_tls: proxy_tls.map_err(Failure::Unusable)?,
            bind: route.bind,
            names: Names::new(route).map_err(Failure::Unusable)?,
            srv: route.srv,
        })
    }

    /// No longer connects from a certain address of ours: that address, if there was one.
    pub fn unbind(&mut self) -> Option<IpAddr> {
        self.bind.take()
    }

    /// Goes the whole way. `begins` is told when a leg begins, so that whoever runs out of patience knows where.
    ///
    /// # Errors
    /// [`Failure::NotReached`] with the leg that failed, in words.
    pub async fn dial(&self, begins: impl Fn(Leg)) -> Result<(Stream, Legs), Failure> {
        begins(Leg::Name);
        let start = Instant::now();
        let hosts = self.addresses().await?;
        let name = start.elapsed();
        let (stream, mut legs) = self.dial_to(&hosts, begins).await?;
        if self.endpoint.scheme != Scheme::Unix {
            legs.name = Some(name);
        }
        Ok((stream, legs))
    }

    /// The addresses of the endpoint, to be used with [`Dialer::dial_to`]; none for a unix socket, which needs none.
    ///
    /// # Errors
    /// [`Failure::NotReached`] when the name has none.
    pub async fn addresses(&self) -> Result<Hosts, Failure> {
        let Endpoint {
            scheme, host, port, ..
        } = &self.endpoint;
        if *scheme == Scheme::Unix {
            return Ok(Vec::new());
        }
        if let Some(proxy) = &self.proxy {
            let found = proxy.addresses().await;
            return found.map_or_else(
                |words| Err(Failure::not_reached(words)),
                |found| Ok(vec![found]),
            );
        }
        let found = match self.srv {
            true => self.names.served(*scheme, host, chance).await,
            false => self
                .names
                .addresses(host, *port)
                .await
                .map(|found| vec![found]),
        };
        found.map_err(|words| Failure::obstructed(Obstacle::Name, words))
    }

    /// Goes the way from the addresses on, also where a unix socket would need none: then something that has one leads there.
    ///
    /// # Errors
    /// As [`Dialer::dial`].
    pub async fn dial_to(
        &self,
        hosts: &[Vec<SocketAddr>],
        begins: impl Fn(Leg),
    ) -> Result<(Stream, Legs), Failure> {
        let mut legs = Legs::default();
        begins(Leg::Connect);
        let start = Instant::now();
        let mut stream = self.connect(hosts).await?;
        legs.connect = Some(start.elapsed());
        if let Some(proxy) = &self.proxy {
            begins(Leg::Proxy);
            let start = Instant::now();
            if let Some(tls) = &self.proxy_tls {
                let secured = tls.connect(stream).await;
                stream = secured.map_err(|words| {
                    self.not_reached(Obstacle::Other, &format!("the proxy {proxy}: {words}"))
                })?;
            }
            stream = proxy
                .open(stream, &self.endpoint)
                .await
                .map_err(|words| self.not_reached(Obstacle::Other, &words))?;
            legs.proxy = Some(start.elapsed());
        }
        if let Some(tls) = &self.tls {
            begins(Leg::Tls);
            let start = Instant::now();
            stream = tls
                .connect(stream)
                .await
                .map_err(|words| self.not_reached(Obstacle::Tls, &words))?;
            legs.tls = Some(start.elapsed());
        }
        if self.endpoint.scheme.has_websocket() {
            begins(Leg::WebSocket);
            let start = Instant::now();
            stream = websocket::open(stream, &self.endpoint, &self.headers)
                .await
                .map_err(|words| self.not_reached(Obstacle::Other, &words))?;
            legs.websocket = Some(start.elapsed());
        }
        Ok((stream, legs))
    }

    /// What a read or a write of the stream complains about, in words.
    pub fn words(&self, error: &io::Error) -> String {
        self.words_of_tls(error).unwrap_or_else(|| plain(error))
    }

    /// The same, if it is TLS that complains.
    pub fn words_of_tls(&self, error: &io::Error) -> Option<String> {
        let layers = [&self.tls, &self.proxy_tls];
        let mut layers = layers.into_iter().flatten();
        layers.find_map(|tls| tls.words(error))
    }

    /// The proxy on the way.
    pub fn proxy(&self) -> Option<&Proxy> {
        self.proxy.as_ref()
    }

    /// Whether the stream can end because the broker asked for a client certificate that was not given.
    pub fn lacks_certificate(&self) -> bool {
        self.tls.as_ref().is_some_and(Tls::lacks_certificate)
    }

    async fn connect(&self, hosts: &[Vec<SocketAddr>]) -> Result<Stream, Failure> {
        let socket = match self.endpoint.scheme {
            Scheme::Unix if hosts.is_empty() => stream::unix(&self.endpoint.path).await,
            _ => tcp::connect(hosts, self.bind).await.map(Stream::Tcp),
        };
        let error = match (socket, &self.proxy) {
            (Ok(socket), _) => return Ok(socket),
            (Err(error), None) => error,
            (Err(error), Some(proxy)) => {
                let words = format!("the proxy {proxy} is not reached: {}", plain(&error));
                return Err(self.not_reached(Obstacle::Other, &words));
            }
        };
        let advice = match (error.kind(), self.endpoint.scheme) {
            (io::ErrorKind::ConnectionRefused, _) => {
                "; is a broker running there? `mqtt serve` starts one"
            }
            (io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied, Scheme::Unix) => {
                "; check --unix"
            }
            (io::ErrorKind::AddrNotAvailable, _) if self.bind.is_none() => {
                "; this machine has no more ports for connections to there"
            }
            _ if error.raw_os_error() == Some(EMFILE) => "; raise the limit with ulimit -n",
            _ => "",
        };
        let obstacle = error
            .raw_os_error()
            .map_or(Obstacle::Other, Obstacle::System);
        Err(self.not_reached(obstacle, &format!("{}{advice}", plain(&error))))
    }

    fn not_reached(&self, obstacle: Obstacle, words: &str) -> Failure {
        let words = format!("cannot connect to {}: {words}", self.endpoint);
        Failure::obstructed(obstacle, words)
    }
}

/// Too many open files; the number is the same on every Unix, and the standard library has no name for it.
const EMFILE: i32 = 24;

/// An I/O error without its number: `connection refused`.
fn plain(error: &io::Error) -> String {
    match error.raw_os_error() {
        // The library's word for it is an entity.
        Some(_) if error.kind() == io::ErrorKind::NotFound => "there is no such file".to_owned(),
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
