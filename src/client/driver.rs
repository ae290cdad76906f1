//! The task that owns a rumqttc event loop and is the only one to poll it, because a poll that is cancelled can
//! lose an acknowledgement.
//!
//! It turns the events of either half of the library, MQTT 3 and 5, into [`Signal`]s and passes them on in
//! batches: all that one read or write brought. After a failure it hands over what the library still holds back,
//! and then waits until it is told to try again.

use std::task::Poll;
use std::time::Duration;

use tokio::sync::mpsc;

use super::accepted::Accepted;
use super::driblets;
use super::failure::Failure;
use super::notes::Notes;
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
    /// PUBREC came and did not refuse.
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

/// One half of rumqttc, seen from the driver.
pub(super) trait Events: Send + 'static {
    /// The next event; `None` for one that means nothing here. The error is what the library makes of the end.
    fn poll(&mut self) -> impl Future<Output = Result<Option<Signal>, Failure>> + Send;
    /// An event the library has ready but not yet returned.
    fn ready(&mut self) -> Option<Option<Signal>>;
    /// If PINGREQ is not answered yet, that is no matter.
    fn forgive_silence(&mut self);
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
        let mut held = Vec::new();
        let connected = connection(&mut events, &notes, &signals, &mut held);
        let Some(failure) = connected.await else {
            return;
        };
        notes.set_up(false);
        // What came in the same read as the end of the connection waits in the library's queue.
        held.extend(ready(&mut events, &notes));
        held.push(Signal::Lost(failure));
        if signals.send(held).await.is_err() {
            return;
        }
        let Some(delay) = attempts.recv().await else {
            return;
        };
        tokio::time::sleep(delay).await;
    }
}

/// One connection from its first attempt to its failure; `None` after a DISCONNECT of ours. What nobody has taken by then
/// is left in `held`.
///
/// While nobody takes what has arrived, nothing more is read: the broker has to wait, and memory is bounded. But the
/// library goes on, so that the keep alive is kept and acknowledgements go out. The answers to its PINGREQs stand behind
/// what is not read, so it is made to believe that it has them.
async fn connection(
    events: &mut impl Events,
    notes: &Notes,
    signals: &mpsc::Sender<Vec<Signal>>,
    held: &mut Vec<Signal>,
) -> Option<Failure> {
    notes.set_reading(true);
    tokio::select! {
        biased;
        polled = events.poll() => match polled {
            Ok(signal) => held.extend(signal),
            Err(failure) => return Some(notes.failure(failure)),
        },
        () = notes.patience() => return Some(notes.too_slow()),
    }
    notes.set_up(true);
    loop {
        held.extend(ready(events, notes));
        let is_over = (held.iter()).any(|signal| matches!(signal, Signal::Disconnected));
        if is_over {
            let _ = signals.send(std::mem::take(held)).await;
            return None;
        }
        if !held.is_empty()
            && let Ok(place) = signals.try_reserve()
        {
            let is_driblet = held.len() < driblets::FEW;
            place.send(std::mem::take(held));
            if is_driblet {
                give_way().await;
            }
        }
        notes.set_reading(held.is_empty());
        if !held.is_empty() {
            events.forgive_silence();
        }
        let mut poll = std::pin::pin!(events.poll());
        let polled = loop {
            tokio::select! {
                polled = &mut poll => break polled,
                place = signals.reserve(), if !held.is_empty() => {
                    let Ok(place) = place else { return None };
                    place.send(std::mem::take(held));
                    // It is looked at again at once: the library is polled by the same task.
                    notes.set_reading(true);
                }
            }
        };
        match polled {
            Ok(signal) => held.extend(signal.filter(|signal| !is_thrown_away(signal, notes))),
            Err(failure) => return Some(notes.failure(failure)),
        }
    }
}

/// Lets whoever takes the signals answer them first: that goes out in one write with what the library itself has to say.
/// Not `tokio::task::yield_now`: that one has the runtime look for news of the sockets first, a system call each time.
async fn give_way() {
    let mut is_given = false;
    std::future::poll_fn(|context| match std::mem::replace(&mut is_given, true) {
        true => Poll::Ready(()),
        false => {
            context.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await;
}

/// The events the library has ready.
fn ready(events: &mut impl Events, notes: &Notes) -> impl Iterator<Item = Signal> {
    std::iter::from_fn(|| events.ready())
        .flatten()
        .filter(|signal| !is_thrown_away(signal, notes))
}

/// Whether the library takes for written what the wire has thrown away. That matters for QoS 0 alone: the others are sent
/// again.
fn is_thrown_away(signal: &Signal, notes: &Notes) -> bool {
    matches!(signal, Signal::Sent(0)) && notes.is_failing()
}
