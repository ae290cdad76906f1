//! `mqtt sub`: subscribe to topics and print what arrives.

mod changed;
mod owed;
mod plan;
mod selection;
mod throttle;

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::time::Instant;

use self::owed::Owed;
use self::plan::Plan;
use self::selection::Selection;
use self::throttle::Throttle;
use super::signals::Signals;
use crate::cli::subscribe::SubscribeArgs;
use crate::client::{self, Event, Failure, Retry, Session, chance};
use crate::exit::Exit;
use crate::mqtt::packet::Publish;
use crate::mqtt::{ByteString, Properties, QoS, ReasonCode};
use crate::output::{Output, Unwritable, say};

/// How long finishing the handshakes and DISCONNECT may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// With `--retained-only`: that much silence means that there are no more.
const QUIET: Duration = Duration::from_secs(1);

/// Prints messages until the count, the time, a signal, the reader of stdout or the broker ends it.
///
/// # Errors
/// By exit status: 2 for options that contradict each other, 3 when the broker is not reached, 4 when it refuses the
/// connection, 5 when it refuses every filter, 7 when it ended the connection for good.
pub fn run(args: SubscribeArgs) -> anyhow::Result<Exit> {
    let (plan, selection) = Plan::new(&args)?;
    super::runtime::run(async move {
        let timeout = plan.end.timeout;
        let deadline = timeout.map(|limit| Instant::now() + limit);
        let mut signals = Signals::new()?;
        let interrupted = match plan.end.count {
            Some(_) => Exit::Interrupted,
            None => Exit::Done,
        };
        let session = tokio::select! {
            session = client::connect(&plan.options, Retry::FOREVER) => {
                session.map_err(Failure::into_error)?
            }
            () = signals.next() => return Ok(interrupted),
            () = reached(deadline) => return Ok(timed_out(timeout)),
        };
        let mut subscriber = Subscriber::new(session, &plan, selection);
        let outcome = tokio::select! {
            outcome = subscriber.receive() => outcome,
            () = signals.next() => Ok(interrupted),
            () = reached(deadline) => Ok(timed_out(timeout)),
        };
        let outcome = outcome.and_then(|exit| subscriber.finish(exit));
        // Nobody waits longer than this for a broker that does not answer any more.
        let _ = tokio::time::timeout(PATIENCE, subscriber.session.disconnect()).await;
        outcome
    })
}

pub(super) async fn reached(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

pub(super) fn timed_out(timeout: Option<Duration>) -> Exit {
    if let Some(limit) = timeout {
        say(format_args!(
            "timed out after {}",
            humantime::format_duration(limit)
        ));
    }
    Exit::TimedOut
}

struct Subscriber<'a> {
    session: Session,
    plan: &'a Plan,
    selection: Selection,
    zone: TimeZone,
    output: Output<std::io::Stdout>,
    owed: Owed,
    throttle: Option<Throttle>,
    /// What the throttle lets pass.
    passing: Vec<Received>,
    printed: u64,
    /// Answers to SUBSCRIBE and UNSUBSCRIBE that have not come.
    unanswered: u32,
    /// Since when no message has come, once the broker has answered.
    quiet_since: Option<Instant>,
    /// Topics whose retained message is to be deleted.
    to_remove: VecDeque<ByteString>,
    /// Those that are being deleted, each at the number of its publish.
    removing: HashMap<u64, ByteString>,
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
    fn new(session: Session, plan: &'a Plan, selection: Selection) -> Subscriber<'a> {
        Subscriber {
            session,
            plan,
            selection,
            zone: TimeZone::system(),
            output: Output::new(std::io::stdout()),
            owed: Owed::default(),
            throttle: plan.throttle.map(Throttle::new),
            passing: Vec::new(),
            printed: 0,
            unanswered: 0,
            quiet_since: None,
            to_remove: VecDeque::new(),
            removing: HashMap::new(),
        }
    }

    async fn receive(&mut self) -> anyhow::Result<Exit> {
        self.ask()?;
        let exit = loop {
            if let Some(exit) = self.take_what_is_there()? {
                break exit;
            }
            let patience = match self.plan.end.live {
                true => Some(QUIET),
                false => self.plan.end.idle,
            };
            let quiet = self.quiet_since.zip(patience);
            tokio::select! {
                () = self.session.ready() => {}
                () = reached(quiet.map(|(since, patience)| since + patience)) => break Exit::Done,
                () = reached(self.throttle.as_ref().and_then(Throttle::next)) => {}
            }
        };
        self.finish_removing().await?;
        Ok(exit)
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
                .unsubscribe(request.unsubscriptions.clone(), Properties::default())
                .map_err(anyhow::Error::msg)?;
        }
        Ok(())
    }

    /// Works through everything that has arrived; returns how to end, if that came up.
    fn take_what_is_there(&mut self) -> anyhow::Result<Option<Exit>> {
        let mut any = false;
        while let Some(event) = self.session.next_ready() {
            any |= matches!(event, Event::Message(_));
            let next = self.take(event);
            let is_pressing = !matches!(next, Ok(Next::Message));
            if (is_pressing || self.output.is_full())
                && let Some(exit) = self.hand_on_or_stop()?
            {
                return Ok(Some(exit));
            }
            if let Next::Stop(exit) = next? {
                return Ok(Some(exit));
            }
        }
        if let Some(throttle) = &mut self.throttle {
            throttle.release(Instant::now(), &mut self.passing);
            if let Next::Stop(exit) = self.show_passing() {
                return Ok(self.hand_on_or_stop()?.or(Some(exit)));
            }
        }
        if any && self.quiet_since.is_some() {
            self.quiet_since = Some(Instant::now());
        }
        self.remove_retained()?;
        // The connection has run dry: whoever reads stdout shall see now what came.
        self.hand_on_or_stop()
    }

    fn hand_on_or_stop(&mut self) -> anyhow::Result<Option<Exit>> {
        match self.hand_on() {
            Ok(()) => Ok(None),
            Err(Unwritable::Closed) => Ok(Some(Exit::Done)),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes what was formatted, and only then acknowledges it.
    fn hand_on(&mut self) -> Result<(), Unwritable> {
        if !self.output.buffer.is_empty() {
            self.output.flush()?;
        }
        self.owed.settle_all();
        // Without a connection they wait for the next one, on which the broker asks for them again.
        while self.session.is_up()
            && let Some((qos, packet_id)) = self.owed.next()
        {
            self.session.acknowledge(qos, packet_id);
        }
        Ok(())
    }

    fn take(&mut self, event: Event) -> anyhow::Result<Next> {
        match event {
            Event::Message(message) => return Ok(self.message(message)),
            Event::Subscribed(reasons) => {
                self.subscribed(&reasons)?;
                return Ok(self.answered());
            }
            Event::Unsubscribed(reasons) => {
                let filters = self.plan.request.unsubscriptions.iter();
                if let Some(words) = refused("unsubscribe from", filters, &reasons) {
                    return Err(Exit::Denied.because(words));
                }
                return Ok(self.answered());
            }
            Event::Connected => {
                if !self.session.is_resumed() {
                    self.owed.forget();
                }
                say("connected again");
            }
            Event::Lost {
                failure, retry_in, ..
            } => {
                let Some(delay) = retry_in else {
                    return Err(failure.into_error());
                };
                say(format_args!(
                    "{failure}; trying again in {:.1} s",
                    delay.as_secs_f64()
                ));
            }
            Event::Complete { number, reason } => self.removed(number, reason),
            Event::Sent { .. } => {}
        }
        Ok(Next::Message)
    }

    fn message(&mut self, message: Publish) -> Next {
        // Who only arranges subscriptions leaves the messages to whoever takes the session next.
        if self.plan.end.answered || self.owed.has(&message) {
            return Next::Message;
        }
        self.owed.add(&message);
        if self.plan.end.live && !message.retain {
            return Next::Stop(Exit::Done);
        }
        if !self.selection.wants(&message) {
            return Next::Message;
        }
        if self.plan.removes_retained && message.retain {
            self.to_remove.push_back(message.topic.clone());
        }
        if !self.selection.shows(&message, chance) {
            return Next::Message;
        }
        let received = Received {
            publish: message,
            at: Timestamp::now(),
        };
        match &mut self.throttle {
            None => self.show(&received),
            Some(throttle) => {
                throttle.take(received, Instant::now(), &mut self.passing);
                self.show_passing()
            }
        }
    }

    fn show_passing(&mut self) -> Next {
        for received in std::mem::take(&mut self.passing) {
            if let Next::Stop(exit) = self.show(&received) {
                return Next::Stop(exit);
            }
        }
        Next::Message
    }

    fn show(&mut self, received: &Received) -> Next {
        let complaint = self.plan.format.write(
            &received.publish,
            received.at,
            &self.zone,
            self.plan.line_feed,
            &mut self.output.buffer,
        );
        if let Some(complaint) = complaint {
            say(complaint);
        }
        self.printed += 1;
        match self.is_count_reached() {
            true => Next::Stop(Exit::Done),
            false => Next::Message,
        }
    }

    fn is_count_reached(&self) -> bool {
        (self.plan.end.count).is_some_and(|count| self.printed >= count)
    }

    /// Shows what is still held back, which nothing shall swallow.
    fn finish(&mut self, exit: Exit) -> anyhow::Result<Exit> {
        for received in self
            .throttle
            .as_mut()
            .map(Throttle::rest)
            .unwrap_or_default()
        {
            if !self.is_count_reached() {
                self.show(&received);
            }
        }
        Ok(self.hand_on_or_stop()?.unwrap_or(exit))
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
            return Err(Exit::Denied.because(words));
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

    fn remove_retained(&mut self) -> anyhow::Result<()> {
        while self.session.has_room()
            && let Some(topic) = self.to_remove.pop_front()
        {
            let empty = Publish {
                dup: false,
                qos: QoS::AtLeastOnce,
                retain: true,
                topic: topic.clone(),
                packet_id: 0,
                properties: Properties::default(),
                payload: Default::default(),
            };
            let number = self
                .session
                .publish(empty)
                .map_err(|unfit| Exit::Denied.because(unfit.to_string()))?;
            self.removing.insert(number, topic);
        }
        Ok(())
    }

    fn removed(&mut self, number: u64, reason: ReasonCode) {
        if let Some(topic) = self.removing.remove(&number)
            && reason.is_failure()
        {
            say(format_args!(
                "cannot remove the retained message of {topic}: {reason}"
            ));
        }
    }

    /// Returns when the broker has acknowledged the last removal.
    async fn finish_removing(&mut self) -> anyhow::Result<()> {
        self.remove_retained()?;
        while !self.to_remove.is_empty() || !self.session.is_complete() {
            match self.session.next().await {
                Event::Complete { number, reason } => self.removed(number, reason),
                Event::Lost {
                    failure,
                    retry_in: None,
                    ..
                } => return Err(failure.into_error()),
                // What comes now is not acknowledged: it is for whoever takes the session next.
                _ => {}
            }
            self.remove_retained()?;
        }
        Ok(())
    }
}

/// What to say when the broker refused some of these filters.
fn refused<'a>(
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
mod tests {
    use super::*;

    pub(super) fn message(topic: &str, payload: &str) -> Publish {
        Publish {
            dup: false,
            qos: QoS::AtMostOnce,
            retain: false,
            topic: topic.into(),
            packet_id: 0,
            properties: Properties::default(),
            payload: payload.to_owned().into(),
        }
    }

    pub(super) fn received(topic: &str, payload: &str) -> Received {
        Received {
            publish: message(topic, payload),
            at: Timestamp::UNIX_EPOCH,
        }
    }
}
