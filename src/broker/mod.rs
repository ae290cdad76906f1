//! The embedded broker: MQTT 3.1, 3.1.1 and 5 on one TCP port.
//!
//! ```text
//! socket -> connection -> session (QoS handshakes) -> LOG (rumqttd, one filter) -> every partition
//!        <- connection <- session's queue <- match the partition's own subscriptions <-
//! ```
//! Each partition is a thread with the sessions of the client ids that hash to it; nothing is shared between them but
//! the log. `log` is the only file that names rumqttd. Nothing here prints or knows of flags.

pub mod agenda;
pub mod connection;
pub mod counters;
pub mod delivery;
pub mod front;
pub mod gathering;
pub mod groups;
pub mod in_flight;
pub mod lifecycle;
pub mod link;
pub mod log;
pub mod message;
pub mod observe;
pub mod partition;
pub mod protocol;
pub mod record;
pub mod retained;
pub mod session;
pub mod subscriptions;
pub mod trace;
pub mod tree;
pub mod worker;

use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::sync::oneshot;
use tokio::task::LocalSet;
use tokio::time::Instant;

use counters::Counters;
use front::Mail;
use log::Seat;
use observe::Observer;
use partition::Partition;
use trace::Trace;

/// How the broker is started.
#[derive(Debug, Clone)]
pub struct Config {
    /// Name or address to listen on.
    pub host: String,
    /// Port to listen on, 0 for any free one.
    pub port: u16,
    /// Partitions, each a thread; at least 1.
    pub workers: usize,
    /// Largest packet taken from a client, in bytes on the wire.
    pub max_packet_size: u32,
    /// Longest keep alive granted, in seconds; none: whatever the client asks for.
    pub max_keep_alive: Option<u16>,
    /// Publishes above QoS 0 taken from a client of MQTT 5 before the first is answered to its end, at least 1.
    pub receive_maximum: u16,
    /// Messages kept for a session whose client is away or does not keep up; beyond it new ones are dropped.
    pub max_queued: usize,
    /// Bytes kept for such a session.
    pub max_queued_bytes: usize,
    /// Whether QoS 0 messages are kept too for clients that are away.
    pub queue_qos0: bool,
    /// Time between two updates of the `$SYS` tree; zero for none.
    pub sys_interval: Duration,
    /// The packet trace, if there is one.
    pub trace: Option<Arc<Trace>>,
    /// Name or address, and port, of the Prometheus endpoint.
    pub metrics: Option<(String, u16)>,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            host: "127.0.0.1".into(),
            port: 1883,
            workers: thread::available_parallelism().map_or(1, usize::from),
            max_packet_size: PACKET_LIMIT,
            max_keep_alive: None,
            receive_maximum: u16::MAX,
            max_queued: 100_000,
            max_queued_bytes: 256 << 20,
            queue_qos0: false,
            sys_interval: Duration::from_secs(10),
            trace: None,
            metrics: None,
        }
    }
}

/// The largest packet MQTT knows: the largest remaining length and the fixed header.
pub const PACKET_LIMIT: u32 = crate::mqtt::codec::MAXIMUM_REMAINING_LENGTH + 5;

/// Connections the kernel may hold ready for us; a storm of clients comes faster than it can be taken in.
const BACKLOG: i32 = 4096;

/// Why a broker could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its address cannot be listened on.
    #[error("could not listen on {0} port {1}")]
    Listen(String, u16, #[source] io::Error),
    /// The address of its Prometheus endpoint cannot be listened on.
    #[error("could not listen for metrics on {0} port {1}")]
    Metrics(String, u16, #[source] io::Error),
    /// A thread, or the log, could not be started.
    #[error("could not start the broker")]
    Threads(#[from] io::Error),
}

/// A broker that runs on threads of its own until it is stopped or dropped.
#[derive(Debug)]
pub struct Broker {
    address: SocketAddr,
    metrics_address: Option<SocketAddr>,
    mailboxes: Vec<UnboundedSender<Mail>>,
    stop_front: Option<oneshot::Sender<()>>,
    threads: Vec<JoinHandle<()>>,
    failed: Option<oneshot::Receiver<String>>,
}

impl Broker {
    /// Binds, then starts; when it returns, clients can connect.
    ///
    /// # Errors
    /// When the host has no address, the port cannot be bound, or a thread cannot be started.
    pub fn start(config: Config) -> Result<Broker, StartError> {
        let (host, port) = (&config.host, config.port);
        let listener =
            bind(host, port).map_err(|error| StartError::Listen(host.clone(), port, error))?;
        let address = listener.local_addr()?;
        let metrics = match &config.metrics {
            Some((host, port)) => {
                let failed = |error| StartError::Metrics(host.clone(), *port, error);
                Some(bind(host, *port).map_err(failed)?)
            }
            None => None,
        };
        let metrics_address = metrics.as_ref().map(TcpListener::local_addr).transpose()?;
        let started = Instant::now();
        let seats = log::open(config.workers.max(1)).map_err(io::Error::other)?;
        let config = Arc::new(config);
        let (failure, failed) = mpsc::unbounded_channel();
        let mut mailboxes = Vec::new();
        let mut all_counters = Vec::new();
        let mut threads = Vec::new();
        for (index, seat) in seats.into_iter().enumerate() {
            let (mailbox, mail) = mpsc::unbounded_channel();
            mailboxes.push(mailbox);
            let counters = Arc::new(Counters::default());
            all_counters.push(Arc::clone(&counters));
            let (config, failure) = (Arc::clone(&config), failure.clone());
            let work = move || {
                let _guard = Watch {
                    index,
                    failure: failure.clone(),
                };
                if let Err(ended) = run_partition(index, config, counters, started, seat, mail) {
                    let _ = failure.send(ended.to_string());
                }
            };
            threads.push(
                thread::Builder::new()
                    .name(format!("partition-{index}"))
                    .spawn(work)?,
            );
        }
        let (stop_front, stopped) = oneshot::channel();
        let (report, reported) = oneshot::channel();
        let observer = Observer {
            counters: all_counters,
            partitions: mailboxes.clone(),
            started,
        };
        let work = move || run_front(listener, metrics, observer, config, stopped, failed, report);
        threads.push(thread::Builder::new().name("front".into()).spawn(work)?);
        Ok(Broker {
            address,
            metrics_address,
            mailboxes,
            stop_front: Some(stop_front),
            threads,
            failed: Some(reported),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where its Prometheus endpoint listens.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics_address
    }

    /// Returns, with the reason, when the broker has come to an end by itself. A broker that cannot deliver any more
    /// should end its process: a zombie is worse than a crash.
    pub async fn failed(&mut self) -> String {
        match &mut self.failed {
            Some(failed) => failed
                .await
                .unwrap_or_else(|_| "the broker's front has ended".into()),
            None => std::future::pending().await,
        }
    }

    /// Takes no more connections, tells the clients goodbye, and ends.
    pub fn stop(mut self) {
        self.shut_down();
    }

    fn shut_down(&mut self) {
        if let Some(stop) = self.stop_front.take() {
            let _ = stop.send(());
        }
        for mailbox in &self.mailboxes {
            let _ = mailbox.send(Mail::Stop);
        }
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.shut_down();
    }
}

/// Reports a partition whose thread unwinds.
struct Watch {
    index: usize,
    failure: UnboundedSender<String>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        if thread::panicking() {
            let _ = self
                .failure
                .send(format!("partition {} has failed", self.index));
        }
    }
}

fn bind(host: &str, port: u16) -> io::Result<TcpListener> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in (host, port).to_socket_addrs()? {
        match bind_one(address) {
            Ok(listener) => return Ok(listener),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn bind_one(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = socket2::Socket::new(
        socket2::Domain::for_address(address),
        socket2::Type::STREAM,
        None,
    )?;
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}

fn run_front(
    listener: TcpListener,
    metrics: Option<TcpListener>,
    observer: Observer,
    config: Arc<Config>,
    stopped: oneshot::Receiver<()>,
    mut failed: UnboundedReceiver<String>,
    report: oneshot::Sender<String>,
) {
    let outcome = runtime().and_then(|runtime| {
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            if let Some(metrics) = metrics {
                let metrics = tokio::net::TcpListener::from_std(metrics)?;
                tokio::spawn(observe::serve_metrics(metrics, observer.clone()));
            }
            if !config.sys_interval.is_zero() {
                tokio::spawn(observe::publish_system_topics(
                    observer.clone(),
                    config.sys_interval,
                ));
            }
            let partitions = observer.partitions;
            tokio::select! {
                () = front::accept(listener, partitions, config) => Ok(None),
                _ = stopped => Ok(None),
                reason = failed.recv() => Ok(reason),
            }
        })
    });
    let reason = match outcome {
        Ok(None) => return,
        Ok(Some(reason)) => reason,
        Err(error) => format!("could not accept connections: {error}"),
    };
    let _ = report.send(reason);
}

fn run_partition(
    index: usize,
    config: Arc<Config>,
    counters: Arc<Counters>,
    started: Instant,
    seat: Seat,
    mail: UnboundedReceiver<Mail>,
) -> Result<(), Box<dyn std::error::Error>> {
    let Seat {
        writer,
        reader,
        passage,
    } = seat;
    let partition = Partition::new(index, config, counters, started, writer, passage);
    let work = worker::run(partition, reader, mail, TcpStream::from_std);
    Ok(LocalSet::new().block_on(&runtime()?, work)?)
}
