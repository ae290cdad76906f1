//! What is known about a connection, shared by the wire, which lives inside rumqttc, and the session: where it leads, how
//! far it has come, and what was seen to go wrong, in words.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{Notify, SetOnce};
use tokio::time::Instant;

use super::failure::{Failure, Obstacle};
use super::options::ConnectOptions;
use super::trace::Trace;
use super::transport::{Dialer, Leg, Stream};
use super::url::{Endpoint, Scheme};
use crate::mqtt::Version;

/// Bytes thrown away at once.
const LARGE: usize = 64 * 1024;

/// What is known about the connection.
#[derive(Clone)]
pub(super) struct Notes {
    destination: Arc<Mutex<Arc<Destination>>>,
    pub(super) version: Version,
    connect_timeout: Duration,
    /// From the stream to CONNACK, where that has a limit of its own.
    answer_timeout: Option<Duration>,
    /// Told when a connection stands, and is being made into a stream.
    first_reached: Option<Arc<SetOnce<Instant>>>,
    /// Told when there is a stream.
    arrival: Arc<Notify>,
    /// The longest a write may make no progress: 1.5 times the keep alive, after which the peer may leave as well (3.1.2.10).
    pub(super) stall: Option<Duration>,
    attempt: Arc<Mutex<Attempt>>,
    is_up: Arc<AtomicBool>,
    /// Whether anybody takes what is read, and how often this was said.
    is_reading: Arc<AtomicBool>,
    turn: Arc<AtomicU64>,
    /// How long to rest the next time there is nothing to read, in nanoseconds.
    rest: Arc<AtomicU64>,
    trace: Option<Arc<Mutex<Trace>>>,
}

/// A broker and the way to it.
pub(super) struct Destination {
    pub(super) endpoint: Endpoint,
    pub(super) dialer: Dialer,
}

impl Destination {
    fn new(options: &ConnectOptions) -> Result<Destination, Failure> {
        Ok(Destination {
            endpoint: options.endpoint.clone(),
            dialer: Dialer::new(&options.endpoint, &options.route)?,
        })
    }
}

/// The present attempt, or the connection it became.
#[derive(Default)]
pub(super) struct Attempt {
    reached: Reached,
    /// What was seen to go wrong, in better words than the library's.
    failure: Option<Failure>,
    /// Put here when the library drops it after DISCONNECT.
    pub(super) socket: Option<Stream>,
    /// From now on a flush is a write.
    pub(super) closing: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reached {
    #[default]
    Nothing,
    /// This leg has begun.
    Way(Leg),
    /// There is a stream.
    End,
    Broker,
}

impl Notes {
    /// # Errors
    /// When the way to the broker cannot be prepared.
    pub(super) fn new(options: &ConnectOptions) -> Result<Notes, Failure> {
        let keep_alive = Duration::from_secs(u64::from(options.keep_alive));
        Ok(Notes {
            destination: Arc::new(Mutex::new(Arc::new(Destination::new(options)?))),
            version: options.version,
            connect_timeout: options.connect_timeout,
            answer_timeout: options.answer_timeout,
            first_reached: options.first_reached.clone(),
            arrival: Arc::default(),
            stall: (!keep_alive.is_zero()).then(|| keep_alive.mul_f64(1.5)),
            attempt: Arc::default(),
            is_up: Arc::default(),
            is_reading: Arc::new(AtomicBool::new(true)),
            turn: Arc::default(),
            rest: Arc::default(),
            trace: options.tracer.clone().map(|tracer| {
                let trace = Trace::new(tracer, options.version);
                Arc::new(Mutex::new(trace))
            }),
        })
    }

    /// What is told of the packets that pass, if somebody watches.
    pub(super) fn trace(&self) -> Option<MutexGuard<'_, Trace>> {
        let trace = self.trace.as_ref()?;
        Some(trace.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// An attempt begins.
    pub(super) fn begin(&self) {
        *self.attempt() = Attempt::default();
    }

    /// The attempt has come so far.
    pub(super) fn reach(&self, reached: Reached) {
        self.attempt().reached = reached;
        if let Some(first) = &self.first_reached
            && reached > Reached::Way(Leg::Connect)
        {
            // Only the first counts.
            let _ = first.set(Instant::now());
        }
        if reached == Reached::End {
            self.arrival.notify_one();
        }
    }

    /// From the next attempt on it is the broker of these options.
    ///
    /// # Errors
    /// When the way there cannot be prepared.
    pub(super) fn go_to(&self, options: &ConnectOptions) -> Result<(), Failure> {
        if self.destination().endpoint == options.endpoint {
            return Ok(());
        }
        let destination = Arc::new(Destination::new(options)?);
        *self
            .destination
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = destination;
        Ok(())
    }

    pub(super) fn destination(&self) -> Arc<Destination> {
        let destination = self.destination.lock();
        Arc::clone(&destination.unwrap_or_else(PoisonError::into_inner))
    }

    /// Why the attempt or the connection ended: what was seen here, else what the library says.
    pub(super) fn failure(&self, library: Failure) -> Failure {
        let attempt = self.attempt();
        match (&attempt.failure, attempt.reached) {
            (Some(failure), _) => failure.clone(),
            (None, Reached::Broker) => library,
            (None, _) => {
                let endpoint = &self.destination().endpoint;
                Failure::not_reached(format!("cannot connect to {endpoint}: {library}"))
            }
        }
    }

    /// Whether something was seen to go wrong: what is written from now on does not arrive.
    pub(super) fn is_failing(&self) -> bool {
        self.attempt().failure.is_some()
    }

    /// Waits for as long as the present attempt may take.
    pub(super) async fn patience(&self) {
        let arrived = self.arrival.notified();
        match self.answer_timeout {
            None => tokio::time::sleep(self.connect_timeout).await,
            Some(limit) => {
                if tokio::time::timeout(self.connect_timeout, arrived)
                    .await
                    .is_ok()
                {
                    tokio::time::sleep(limit).await;
                }
            }
        }
    }

    /// What to say when the attempt did not end within its time.
    pub(super) fn too_slow(&self) -> Failure {
        let limit = humantime::format_duration(self.connect_timeout);
        let endpoint = &self.destination().endpoint;
        let reached = self.attempt().reached;
        let answer_limit = match self.answer_timeout {
            Some(own) => format!("{} (--keepalive)", humantime::format_duration(own)),
            None => format!("{limit} (--connect-timeout)"),
        };
        let obstacle = match reached {
            Reached::End | Reached::Broker => Obstacle::Silence,
            _ => Obstacle::Other,
        };
        let words = match reached {
            Reached::Nothing | Reached::Way(Leg::Name) => format!(
                "cannot find the address of {} within {limit} (--connect-timeout)",
                endpoint.host
            ),
            Reached::Way(Leg::Connect) => format!(
                "no answer from {endpoint} within {limit} (--connect-timeout); is it the right host, and reachable?"
            ),
            Reached::Way(Leg::Proxy) => {
                let proxy = self.destination().dialer.proxy().map(ToString::to_string);
                let proxy = proxy.unwrap_or_default();
                format!(
                    "the proxy {proxy} did not connect to {endpoint} within {limit} (--connect-timeout); is it a proxy of this kind?"
                )
            }
            Reached::Way(Leg::Tls) => format!(
                "{endpoint} takes connections but did not finish the TLS handshake within {limit} (--connect-timeout); does it speak TLS?"
            ),
            Reached::Way(Leg::WebSocket) => format!(
                "{endpoint} takes connections but did not answer the WebSocket handshake within {limit} (--connect-timeout)"
            ),
            Reached::End | Reached::Broker => format!(
                "{endpoint} takes connections but sent no CONNACK within {answer_limit}; is it an MQTT broker?"
            ),
        };
        Failure::obstructed(obstacle, words)
    }

    /// Whether the library may be handed something. Once it has put its messages aside for the next connection, what
    /// it gets would outlive a session that the broker has not kept.
    pub(super) fn is_up(&self) -> bool {
        self.is_up.load(Ordering::Relaxed)
    }

    /// Said by the driver in the same turn in which the library connects or fails.
    pub(super) fn set_up(&self, is_up: bool) {
        self.is_up.store(is_up, Ordering::Relaxed);
    }

    /// Whether to read from the socket.
    pub(super) fn is_reading(&self) -> bool {
        self.is_reading.load(Ordering::Relaxed)
    }

    /// Grows with each [`Notes::set_reading`]: so often the driver has passed on what was read.
    pub(super) fn turn(&self) -> u64 {
        self.turn.load(Ordering::Relaxed)
    }

    /// Said by the driver, which polls the library afterwards.
    pub(super) fn set_reading(&self, is_reading: bool) {
        self.is_reading.store(is_reading, Ordering::Relaxed);
        self.turn.fetch_add(1, Ordering::Relaxed);
    }

    /// Asks the wire to rest, once, when it has written everything and there is nothing to read.
    pub(super) fn rest(&self, rest: Duration) {
        let nanoseconds = u64::try_from(rest.as_nanos()).unwrap_or(u64::MAX);
        self.rest.store(nanoseconds, Ordering::Relaxed);
    }

    /// How long the wire is to rest now.
    pub(super) fn take_rest(&self) -> Option<Duration> {
        let nanoseconds = self.rest.swap(0, Ordering::Relaxed);
        (nanoseconds > 0).then(|| Duration::from_nanos(nanoseconds))
    }

    /// From now on everything written goes out at once: the next packet is DISCONNECT.
    pub(super) fn close_soon(&self) {
        self.attempt().closing = true;
    }

    /// Whether TLS or WebSocket have a farewell of their own.
    pub(super) fn has_farewell(&self) -> bool {
        let scheme = self.destination().endpoint.scheme;
        scheme.has_tls() || scheme.has_websocket()
    }

    /// Half-closes the socket the library has let go of and, if anything may be on its way to us, waits for the peer to
    /// do the same. Merely closing it while something unread has arrived resets the connection, and the broker might
    /// never read our DISCONNECT.
    pub(super) async fn close(&self, waits: bool) {
        let Some(mut socket) = self.attempt().socket.take() else {
            return;
        };
        if socket.shutdown().await.is_ok() && waits {
            let mut waste = vec![0; LARGE];
            while matches!(socket.read(&mut waste).await, Ok(1..)) {}
        }
    }

    pub(super) fn attempt(&self) -> MutexGuard<'_, Attempt> {
        self.attempt.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes the first failure of the attempt; the error only ends the library's work.
    pub(super) fn fail(&self, failure: Failure) -> io::Error {
        let error = io::Error::other(failure.to_string());
        self.attempt().failure.get_or_insert(failure);
        error
    }

    /// What an error of the stream means.
    pub(super) fn broken(&self, error: &io::Error) -> String {
        format!(
            "the connection broke: {}",
            self.destination().dialer.words(error)
        )
    }

    /// Notes that reading has failed. TLS may only now say what is wrong with our certificate: in TLS 1.3 the broker looks at it
    /// after the handshake has ended on this side.
    pub(super) fn broke(&self, error: &io::Error) -> io::Error {
        let Destination { endpoint, dialer } = &*self.destination();
        let reached = self.attempt().reached;
        match dialer.words_of_tls(error) {
            Some(words) if reached != Reached::Broker => {
                let words = format!("cannot connect to {endpoint}: {words}");
                self.fail(Failure::obstructed(Obstacle::Tls, words))
            }
            _ => self.lost(&self.broken(error)),
        }
    }

    pub(super) fn lost(&self, words: &str) -> io::Error {
        let reached = self.attempt().reached;
        let Destination { endpoint, dialer } = &*self.destination();
        self.fail(match reached {
            Reached::Broker => Failure::Lost(words.to_owned()),
            _ if dialer.lacks_certificate() => Failure::obstructed(
                Obstacle::Tls,
                format!("{endpoint}: the broker wants a client certificate; add --cert and --key"),
            ),
            _ => {
                let or_tls = match endpoint.scheme {
                    Scheme::Mqtt => ", or only TLS (mqtts://)",
                    _ => "",
                };
                let words = format!(
                    "{endpoint}: {words} before CONNACK; does it take MQTT {}{or_tls}?",
                    self.version
                );
                Failure::obstructed(Obstacle::Closed, words)
            }
        })
    }
}
