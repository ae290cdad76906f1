//! `mqtt sub`: subscribe to topics and print what arrives.

mod changed;
mod plan;
mod removal;
mod selection;
mod sink;
mod throttle;
mod workers;

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use self::plan::Plan;
pub(super) use self::plan::check_filter;
use self::removal::Removal;
use self::selection::Selection;
use self::sink::Sink;
use self::throttle::Throttle;
use super::connection;
use super::limit::reached;
use super::owed::{Owed, Ticket};
use super::signals::Signals;
use crate::cli::subscribe::SubscribeArgs;
use crate::client::{Event, Failure, Retry, Session, chance};
use crate::dialect::Dialect;
use crate::exit::Exit;
use crate::mqtt::packet::Publish;
use crate::mqtt::{ByteString, ReasonCode};
use crate::output::say;

/// How long finishing the handshakes and DISCONNECT may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// With `--retained-only`: that much silence means that there are no more.
const QUIET: Duration = Duration::from_secs(1);

/// Prints messages, or runs a command for each, until the count, the time, a signal, the reader of stdout or the broker ends it.
///
/// # Errors
/// By exit status: 1 when a command failed or a file cannot be written, 2 for options that contradict each other, 3 when the broker is not reached, 4 when it refuses the
/// connection, 5 when it refuses every filter, 7 when it ended the connection for good.
pub fn run(args: SubscribeArgs, dialect: Dialect) -> anyhow::Result<Exit> {
    let (plan, selection, sink) = Plan::new(&args, dialect)?;
    super::runtime::run(async move {
        let limit = &plan.end.limit;
        let mut signals = Signals::new()?;
        let interrupted = match plan.end.count {
            Some(_) => Exit::Interrupted,
            None => Exit::Done,
        };
        let retry = match plan.dialect {
            Dialect::Ours => Retry::FOREVER,
            Dialect::Mosquitto(_) => Retry::EVERY_SECOND,
        };
        let session = tokio::select! {
            session = connection::connect(&plan.options, retry) => {
                session.map_err(Failure::into_error)?
            }
            () = signals.next() => return Ok(interrupted),
            () = limit.reached() => return Ok(limit.timed_out()),
        };
        let mut subscriber = Subscriber::new(session, &plan, selection, sink);
        let (outcome, at_once) = tokio::select! {
            outcome = subscriber.receive() => {
                let at_once = outcome.is_err();
                (outcome, at_once)
            }
            () = signals.next() => (Ok(interrupted), true),
            () = limit.reached() => (Ok(limit.timed_out()), true),
        };
        // A second signal does not wait for commands either.
        let finished = tokio::select! {
            finished = subscriber.finish(at_once) => finished,
            () = signals.next() => Ok(None),
        };
        // Nobody waits longer than this for a broker that does not answer any more.
        let _ = tokio::time::timeout(PATIENCE, subscriber.session.disconnect()).await;
        let exit = outcome?;
        let exit = finished?.unwrap_or(exit);
        match subscriber.sink.complaint() {
            Some(words) if exit == Exit::Done => Err(Exit::Failed.because(words)),
            _ => Ok(exit),
        }
    })
}

struct Subscriber<'a> {
    session: Session,
    plan: &'a Plan,
    selection: Selection,
    throttle: Option<Throttle>,
    /// What the throttle lets pass.
    passing: Vec<Received>,
    sink: Sink,
    owed: Owed,
    /// Messages that went into the sink.
    shown: u64,
    /// How many messages were there the last time.
    taken: usize,
    /// Answers to SUBSCRIBE and UNSUBSCRIBE that have not come.
    unanswered: u32,
    /// Since when no message has come, once the broker has answered.
    quiet_since: Option<Instant>,
    removal: Removal,
}

/// A message and when it came.
struct Received {
    publish: Publish,
    at: Timestamp,
}

/// Whether to go on.
enum Next {
    Message,
    Stop(Exit),
}

impl<'a> Subscriber<'a> {
    fn new(session: Session, plan: &'a Plan, selection: Selection, sink: Sink) -> Subscriber<'a> {
        Subscriber {
            session,
            plan,
            selection,
            throttle: plan.throttle.map(Throttle::new),
            passing: Vec::new(),
            sink,
            owed: Owed::default(),
            shown: 0,
            taken: 0,
            unanswered: 0,
            quiet_since: None,
            removal: Removal::default(),
        }
    }

    async fn receive(&mut self) -> anyhow::Result<Exit> {
        self.ask()?;
        let exit = loop {
            if let Some(exit) = self.take_what_is_there().await? {
                break exit;
            }
            self.session.rest();
            let patience = match (self.plan.end.live, self.plan.dialect) {
                (true, Dialect::Ours) => Some(QUIET),
                _ => self.plan.end.idle,
            };
            let quiet = self.quiet_since.zip(patience);
            tokio::select! {
                () = self.session.ready(), if !self.sink.is_choked() => {}
                ended = self.sink.next() => self.sink.ended(ended, &mut self.owed)?,
                () = reached(quiet.map(|(since, patience)| since + patience)) => break Exit::Done,
                () = reached(self.throttle.as_ref().and_then(Throttle::next)) => {}
            }
        };
        self.removal.finish(&mut self.session).await?;
        Ok(exit)
    }

    /// Shows what is still held back, which nothing shall swallow, lets commands come to their end, and acknowledges what
    /// has been dealt with by then. With `at_once` no further command begins.
    async fn finish(&mut self, at_once: bool) -> anyhow::Result<Option<Exit>> {
        let rest = self.throttle.as_mut().map(Throttle::rest);
        for received in rest.unwrap_or_default() {
            if !self.is_count_reached() {
                self.show(received, None)?;
            }
        }
        if at_once {
            self.sink.drop_waiting();
        }
        while !self.sink.is_idle() {
            tokio::select! {
                ended = self.sink.next() => self.sink.ended(ended, &mut self.owed)?,
                // A message that comes now is not acknowledged: it is for whoever takes the session next.
                event = self.session.next() => self.come_back(&event),
            }
        }
        self.hand_on().await
    }

    fn ask(&mut self) -> anyhow::Result<()> {
        let request = &self.plan.request;
        if !request.subscriptions.is_empty() {
            self.unanswered += 1;
            self.session
                .subscribe(request.subscriptions.clone(), request.properties.clone())
                .map_err(anyhow::Error::msg)?;
        }
        if !request.unsubscriptions.is_empty() {
            self.unanswered += 1;
            self.session
                .unsubscribe(
                    request.unsubscriptions.clone(),
                    request.unsubscribe_properties.clone(),
                )
                .map_err(anyhow::Error::msg)?;
        }
        Ok(())
    }

    /// Works through everything that has arrived; returns how to end, if that came up.
    async fn take_what_is_there(&mut self) -> anyhow::Result<Option<Exit>> {
        self.taken = 0;
        while !self.sink.is_choked()
            && let Some(event) = self.session.next_ready()
        {
            self.taken += usize::from(matches!(event, Event::Message(_)));
            let next = self.take(event);
            let is_pressing = !matches!(next, Ok(Next::Message));
            if (is_pressing || self.sink.is_full() || self.plan.options.tracer.is_some())
                && let Some(exit) = self.hand_on().await?
            {
                return Ok(Some(exit));
            }
            if let Next::Stop(exit) = next? {
                return Ok(Some(exit));
            }
        }
        if let Some(throttle) = &mut self.throttle {
            throttle.release(Instant::now(), &mut self.passing);
            if let Next::Stop(exit) = self.show_passing()? {
                return Ok(self.hand_on().await?.or(Some(exit)));
            }
        }
        if self.taken > 0 && self.quiet_since.is_some() {
            self.quiet_since = Some(Instant::now());
        }
        self.removal.send(&mut self.session)?;
        // The connection has run dry: whoever reads stdout shall see now what came.
        self.hand_on().await
    }

    /// Writes what was taken, and only then acknowledges it. Returns how to end when nobody reads it.
    async fn hand_on(&mut self) -> anyhow::Result<Option<Exit>> {
        if let Some(exit) = self.sink.hand_on(&mut self.owed).await? {
            return Ok(Some(exit));
        }
        // Without a connection they wait for the next one, on which the broker asks for them again.
        while self.session.is_up()
            && let Some((qos, packet_id)) = self.owed.next()
        {
            self.session.acknowledge(qos, packet_id);
        }
        Ok(None)
    }

    fn take(&mut self, event: Event) -> anyhow::Result<Next> {
        match event {
            Event::Message(message) => return self.message(message),
            Event::Subscribed(reasons) => {
                self.subscribed(&reasons)?;
                // mosquitto_sub does not wait for the end of what it unsubscribes from.
                return Ok(match (self.plan.end.answered, self.plan.dialect) {
                    (true, Dialect::Mosquitto(_)) => Next::Stop(Exit::Done),
                    _ => self.answered(),
                });
            }
            Event::Unsubscribed(reasons) => {
                let filters = self.plan.request.unsubscriptions.iter();
                if let Some(words) = refused("unsubscribe from", filters, &reasons) {
                    return Err(Exit::Denied.because(words));
                }
                return Ok(self.answered());
            }
            Event::Connected => {
                self.come_back(&event);
                say("connected again");
            }
            Event::Lost {
                failure, retry_in, ..
            } => {
                let Some(delay) = retry_in else {
                    return Err(failure.into_error());
                };
                say(failure.and_again_in(delay));
            }
            Event::Complete { number, reason } => self.removal.complete(number, reason),
            Event::Sent { .. } => {}
        }
        Ok(Next::Message)
    }

    /// Notes what concerns the acknowledgements of messages from before the connection was lost.
    fn come_back(&mut self, event: &Event) {
        match event {
            Event::Connected => self.owed.reconnected(self.session.is_resumed()),
            Event::Message(message) => drop(self.owed.has(message)),
            _ => {}
        }
    }

    fn message(&mut self, message: Publish) -> anyhow::Result<Next> {
        // Who only arranges subscriptions leaves the messages to whoever takes the session next.
        if self.plan.end.answered || self.owed.has(&message) {
            return Ok(Next::Message);
        }
        let ticket = self.owed.add(&message);
        if self.plan.end.live && !message.retain {
            self.settle(ticket);
            return Ok(Next::Stop(Exit::Done));
        }
        let is_wanted = self.selection.wants(&message);
        if is_wanted && self.plan.removes_retained && message.retain {
            self.removal.add(&message.topic);
        }
        if !is_wanted || !self.selection.shows(&message, chance) {
            self.settle(ticket);
            // mosquitto_sub counts what only chance has left out.
            self.shown += u64::from(is_wanted && self.plan.dialect != Dialect::Ours);
            return Ok(self.next_unless_enough());
        }
        let received = Received {
            publish: message,
            at: Timestamp::now(),
        };
        match &mut self.throttle {
            None => self.show(received, ticket),
            Some(throttle) => {
                throttle.take(received, Instant::now(), &mut self.passing);
                self.settle(ticket);
                self.show_passing()
            }
        }
    }

    fn settle(&mut self, ticket: Option<Ticket>) {
        if let Some(ticket) = ticket {
            self.owed.settle(ticket);
        }
    }

    fn show_passing(&mut self) -> anyhow::Result<Next> {
        for received in std::mem::take(&mut self.passing) {
            if let Next::Stop(exit) = self.show(received, None)? {
                return Ok(Next::Stop(exit));
            }
        }
        Ok(Next::Message)
    }

    fn show(&mut self, received: Received, ticket: Option<Ticket>) -> anyhow::Result<Next> {
        self.sink.take(received, ticket, &mut self.owed)?;
        self.shown += 1;
        Ok(self.next_unless_enough())
    }

    fn next_unless_enough(&self) -> Next {
        match self.is_count_reached() {
            true => Next::Stop(Exit::Done),
            false => Next::Message,
        }
    }

    fn is_count_reached(&self) -> bool {
        (self.plan.end.count).is_some_and(|count| self.shown >= count)
    }

    fn subscribed(&self, reasons: &[ReasonCode]) -> anyhow::Result<()> {
        let filters = || {
            let subscriptions = self.plan.request.subscriptions.iter();
            subscriptions.map(|subscription| &subscription.filter)
        };
        let Some(words) = refused("subscribe to", filters(), reasons) else {
            return Ok(());
        };
        if reasons.iter().all(|reason| reason.is_failure()) {
            let denied = "All subscription requests were denied.";
            return Err(self.plan.dialect.because(Exit::Denied, words, denied));
        }
        say(words);
        Ok(())
    }

    fn answered(&mut self) -> Next {
        self.unanswered = self.unanswered.saturating_sub(1);
        if self.unanswered > 0 {
            return Next::Message;
        }
        self.quiet_since.get_or_insert_with(Instant::now);
        match self.plan.end.answered {
            true => Next::Stop(Exit::Done),
            false => Next::Message,
        }
    }
}

/// What to say when the broker refused some of these filters.
pub(super) fn refused<'a>(
    what: &str,
    filters: impl Iterator<Item = &'a ByteString>,
    reasons: &[ReasonCode],
) -> Option<String> {
    let refused: Vec<String> = filters
        .zip(reasons)
        .filter(|(_, reason)| reason.is_failure())
        .map(|(filter, reason)| format!("{filter} ({})", reason.name()))
        .collect();
    match refused.is_empty() {
        true => None,
        false => Some(format!(
            "the broker refused to {what} {}",
            refused.join(", ")
        )),
    }
}

#[cfg(test)]
mod tests;
