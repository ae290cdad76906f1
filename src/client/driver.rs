//! The task that owns a rumqttc event loop and is the only one to poll it, because a poll that is cancelled can
//! lose an acknowledgement.
//!
//! It turns the events of either half of the library, MQTT 3 and 5, into [`Signal`]s and passes them on in
//! batches: all that one read or write brought. After a failure it hands over what the library still holds back,
//! and then waits until it is told to try again.

use std::time::Duration;

use tokio::sync::mpsc;

use super::failure::Failure;
use super::wire::Notes;
use crate::mqtt::ReasonCode;
use crate::mqtt::packet::Publish;

/// Something that happened on the connection.
#[derive(Debug)]
pub(super) enum Signal {
    /// CONNACK said yes.
    Connected(Accepted),
    /// A PUBLISH arrived.
    Message(Publish),
    /// A PUBLISH was written; 0 for QoS 0, whose delivery is complete with it.
    Sent(u16),
    /// PUBREC came with a reason that is neither plain success nor a refusal.
    Received(u16, ReasonCode),
    /// The delivery with this packet identifier is complete, or was refused.
    Acknowledged(u16, ReasonCode),
    /// PUBACK was sent.
    Settled,
    /// PUBCOMP was sent: the QoS 2 message with this packet identifier has arrived for good.
    Released(u16),
    /// One reason code for each filter of the last SUBSCRIBE.
    SubAck(Vec<ReasonCode>),
    /// One reason code for each filter of the last UNSUBSCRIBE; none before MQTT 5.
    UnsubAck(Vec<ReasonCode>),
    /// DISCONNECT was written.
    Disconnected,
    /// The connection, or the attempt to make one, has ended. Nothing follows until the driver is told to go on.
    Lost(Failure),
}

/// What CONNACK said (3.2). Before MQTT 5 there are no limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Accepted {
    /// Whether the broker had kept the session.
    pub(super) session_present: bool,
    /// The largest packet it takes, in bytes on the wire.
    pub(super) maximum_packet_size: Option<u32>,
    /// The highest quality of service it takes.
    pub(super) maximum_qos: Option<u8>,
    /// Whether it keeps retained messages.
    pub(super) retain_available: bool,
}

/// One half of rumqttc, seen from the driver.
pub(super) trait Events: Send + 'static {
    /// The next event; `None` for one that means nothing here. The error is the library's words.
    fn poll(&mut self) -> impl Future<Output = Result<Option<Signal>, String>> + Send;
    /// An event the library has ready but not yet returned.
    fn ready(&mut self) -> Option<Option<Signal>>;
}

/// Runs until DISCONNECT is written or nobody listens any more. The library and its socket are let go of before
/// `signals` ends.
///
/// `attempts` gives, for each connection after the first, how long to wait before it is tried.
pub(super) async fn drive(
    events: impl Events,
    notes: Notes,
    signals: mpsc::Sender<Vec<Signal>>,
    mut attempts: mpsc::Receiver<Duration>,
) {
    // A local variable is dropped before the parameters.
    let mut events = events;
    loop {
        let failure = match connection(&mut events, &notes, &signals).await {
            Some(failure) => failure,
            None => return,
        };
        notes.set_up(false);
        // What came in the same read as the end of the connection waits in the library's queue.
        let mut batch: Vec<Signal> = std::iter::from_fn(|| events.ready())
            .flatten()
            .filter(|signal| !matches!(signal, Signal::Sent(0)))
            .collect();
        batch.push(Signal::Lost(failure));
        if signals.send(batch).await.is_err() {
            return;
        }
        let Some(delay) = attempts.recv().await else {
            return;
        };
        tokio::time::sleep(delay).await;
    }
}

/// One connection from its first attempt to its failure; `None` after a DISCONNECT of ours.
async fn connection(
    events: &mut impl Events,
    notes: &Notes,
    signals: &mpsc::Sender<Vec<Signal>>,
) -> Option<Failure> {
    let mut first = tokio::select! {
        biased;
        outcome = events.poll() => match outcome {
            Ok(signal) => signal,
            Err(words) => return Some(notes.failure(words)),
        },
        () = notes.patience() => return Some(notes.too_slow()),
    };
    notes.set_up(true);
    loop {
        let mut batch: Vec<Signal> = first.into_iter().collect();
        batch.extend(std::iter::from_fn(|| events.ready()).flatten());
        let is_over = batch
            .iter()
            .any(|signal| matches!(signal, Signal::Disconnected));
        if !batch.is_empty() && signals.send(batch).await.is_err() || is_over {
            return None;
        }
        first = match events.poll().await {
            Ok(signal) => signal,
            Err(words) => return Some(notes.failure(words)),
        };
    }
}
