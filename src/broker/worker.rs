//! A partition at work: its tasks, and the mail it gets from outside. Everything runs on the thread, the clock and the streams
//! it is given; threads and sockets are the business of whoever calls.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::spawn_local;
use tokio::time::Instant;

use super::front::{Mail, Newcomer};
use super::link::{Buffers, Link};
use super::log::{LogEnded, Reader};
use super::partition::{Partition, Shared};
use super::trace::Direction;
use super::{connection, delivery, gathering, lifecycle};
use crate::mqtt::ReasonCode;
use crate::mqtt::packet::Packet;

/// Longest time for the last packets to reach the clients when the broker stops.
const FAREWELL: Duration = Duration::from_secs(1);

/// Runs a partition until it is told to stop, in a set of local tasks. `open` makes a newcomer's stream usable here.
///
/// # Errors
/// When the log ends.
pub async fn run<S, T: AsyncRead + AsyncWrite + Unpin + 'static>(
    partition: Partition,
    reader: Reader,
    mail: UnboundedReceiver<Mail<S>>,
    open: impl Fn(S) -> io::Result<T>,
) -> Result<(), LogEnded> {
    let shared: Shared = Rc::new(RefCell::new(partition));
    spawn_local(delivery::walk_retained(Rc::clone(&shared)));
    spawn_local(gathering::append_gathered(Rc::clone(&shared)));
    spawn_local(gathering::acknowledge_passed(Rc::clone(&shared)));
    spawn_local(lifecycle::keep_agenda(Rc::clone(&shared)));
    tokio::select! {
        ended = delivery::read_log(Rc::clone(&shared), reader) => Err(ended),
        () = take_in(shared, mail, open) => Ok(()),
    }
}

/// Attaches newcomers until told to stop; then says goodbye to everyone and waits a moment for it to be heard.
async fn take_in<S, T: AsyncRead + AsyncWrite + Unpin + 'static>(
    shared: Shared,
    mut mail: UnboundedReceiver<Mail<S>>,
    open: impl Fn(S) -> io::Result<T>,
) {
    let buffers = Rc::new(Buffers::default());
    while let Some(mail) = mail.recv().await {
        match mail {
            Mail::Newcomer(newcomer) => {
                let address = newcomer.address;
                match newcomer.try_map(&open) {
                    Ok(newcomer) => welcome(&shared, newcomer, &buffers),
                    Err(error) => tracing::warn!("could not take in {address}: {error}"),
                }
            }
            Mail::Census(answer) => {
                let _ = answer.send(shared.borrow().census());
            }
            Mail::Publish(topics) => shared.borrow_mut().publish_own(&topics),
            Mail::Stop => break,
        }
    }
    shared.borrow_mut().stopping = true;
    let links: Vec<Rc<Link>> = shared
        .borrow()
        .sessions
        .iter()
        .filter_map(|(_, session)| session.link.clone())
        .collect();
    for link in &links {
        link.close(ReasonCode::SERVER_SHUTTING_DOWN);
    }
    let end = Instant::now() + FAREWELL;
    while shared
        .borrow()
        .sessions
        .iter()
        .any(|(_, session)| session.link.is_some())
        && Instant::now() < end
    {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

fn welcome<T: AsyncRead + AsyncWrite + Unpin + 'static>(
    shared: &Shared,
    newcomer: Newcomer<T>,
    buffers: &Rc<Buffers>,
) {
    let Newcomer {
        id,
        stream,
        address,
        connect,
        identity,
        assigned,
        early,
    } = newcomer;
    tracing::info!(
        "client {:?} connected from {address}, MQTT {}{}",
        connect.client_id,
        connect.version,
        if connect.clean_start {
            ", clean session"
        } else {
            ""
        }
    );
    let config = Arc::clone(&shared.borrow().config);
    let tracer = config
        .trace
        .as_ref()
        .and_then(|trace| trace.connection(id, &connect.client_id, address, connect.version));
    if let Some(tracer) = &tracer {
        tracer.packet(
            Direction::Received,
            Packet::Connect(Box::new(connect.clone())),
        );
    }
    let counters = Arc::clone(&shared.borrow().means.counters);
    let link = Link::new(connect.version, Rc::clone(buffers), counters);
    let mut peer = shared
        .borrow_mut()
        .attach(connect, identity, assigned, link);
    peer.tracer = tracer;
    spawn_local(connection::serve(Rc::clone(shared), stream, peer, early));
}
