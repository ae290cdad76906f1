//! `mqtt sub`: subscribe to topics and print what arrives.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::time::Instant;

use super::connection::{self, UrlTopic};
use super::signals::Signals;
use crate::cli::subscribe::SubscribeArgs;
use crate::client::{self, ConnectOptions, Event, Failure, Retry, Session};
use crate::exit::Exit;
use crate::mqtt::packet::{Publish, RetainHandling, Subscription};
use crate::mqtt::{QoS, ReasonCode, topic};
use crate::output::{MessageFormat, Output, Unwritable, say};

/// How long finishing the handshakes and DISCONNECT may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// With `--retained-only`: that much silence means that there are no more.
const QUIET: Duration = Duration::from_secs(1);

/// A count below this is also the most the broker may send ahead, so that it keeps the rest for others.
const FEW: u64 = 20;

/// Prints messages until the count, the time, a signal, the reader of stdout or the broker ends it.
///
/// # Errors
/// By exit status: 2 for options that contradict each other, 3 when the broker is not reached, 4 when it refuses the
/// connection, 5 when it refuses every filter, 7 when it ended the connection for good.
pub fn run(args: SubscribeArgs) -> anyhow::Result<Exit> {
    let plan = Plan::new(&args)?;
    super::runtime::run(async move {
        let deadline = plan.timeout.map(|limit| Instant::now() + limit);
        let mut signals = Signals::new()?;
        let interrupted = match plan.count {
            Some(_) => Exit::Interrupted,
            None => Exit::Done,
        };
        let session = tokio::select! {
            session = client::connect(&plan.options, Retry::FOREVER) => {
                session.map_err(Failure::into_error)?
            }
            () = signals.next() => return Ok(interrupted),
            () = reached(deadline) => return Ok(timed_out(plan.timeout)),
        };
        let mut subscriber = Subscriber::new(session, &plan);
        let outcome = tokio::select! {
            outcome = subscriber.receive() => outcome,
            () = signals.next() => Ok(interrupted),
            () = reached(deadline) => Ok(timed_out(plan.timeout)),
        };
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

/// What is to be done.
struct Plan {
    options: ConnectOptions,
    filters: Vec<Subscription>,
    filters_out: Vec<String>,
    shows_retained: bool,
    shows_live: bool,
    format: MessageFormat,
    line_feed: bool,
    count: Option<u64>,
    timeout: Option<Duration>,
}

impl Plan {
    fn new(args: &SubscribeArgs) -> anyhow::Result<Plan> {
        let target = connection::target(&args.connection)?;
        let mut options = target.options;
        connection::set_session(&mut options, &args.session)?;
        options.will = connection::will(&args.will)?;
        options.receive_maximum = match args.count {
            Some(count @ ..FEW) => u16::try_from(count).ok(),
            _ => None,
        };
        let mut filters = args.topic.clone();
        match target.topic {
            Some(UrlTopic::Typed(topic)) => filters.push(topic),
            Some(UrlTopic::Environment(topic)) if filters.is_empty() => filters.push(topic),
            _ => {}
        }
        if filters.is_empty() {
            return Err(Exit::Usage.because("nothing to subscribe to; add --topic FILTER"));
        }
        for filter in &filters {
            if !topic::is_valid_subscription(filter) {
                return Err(not_a_filter(filter));
            }
        }
        for filter in &args.filter_out {
            if !topic::is_valid_topic_filter(filter) {
                return Err(not_a_filter(filter));
            }
        }
        let subscription = |filter: String| Subscription {
            filter: filter.into(),
            qos: QoS::from_number(args.qos).unwrap_or_default(),
            no_local: false,
            retain_as_published: false,
            retain_handling: match args.no_retained {
                true => RetainHandling::Never,
                false => RetainHandling::Always,
            },
        };
        Ok(Plan {
            options,
            filters: filters.into_iter().map(subscription).collect(),
            filters_out: args.filter_out.clone(),
            shows_retained: !args.no_retained,
            shows_live: !args.retained_only,
            format: match (&args.format, args.json, args.verbose) {
                (Some(template), ..) => MessageFormat::Template(template.clone()),
                (None, true, _) => MessageFormat::Json,
                (None, false, true) => MessageFormat::Verbose,
                (None, false, false) => MessageFormat::Payload,
            },
            line_feed: !args.no_line_feed,
            count: args.count,
            timeout: args.timeout,
        })
    }

    /// Whether a message is one of those asked for.
    fn shows(&self, message: &Publish) -> bool {
        let wanted = match message.retain {
            true => self.shows_retained,
            false => self.shows_live,
        };
        wanted
            && !self
                .filters_out
                .iter()
                .any(|filter| topic::matches(filter, &message.topic))
    }
}

fn not_a_filter(filter: &str) -> anyhow::Error {
    Exit::Usage.because(match filter.len() {
        0 => "a topic filter is empty".to_owned(),
        65_536.. => "a topic filter is longer than 65535 bytes".to_owned(),
        _ => format!(
            "{filter:?} is no topic filter: + stands for a whole level, # for all that follow and at the end only"
        ),
    })
}

struct Subscriber<'a> {
    session: Session,
    plan: &'a Plan,
    zone: TimeZone,
    output: Output<std::io::Stdout>,
    /// Printed, or not to be printed, and to be acknowledged once stdout has taken what was.
    unacknowledged: Vec<(QoS, u16)>,
    printed: u64,
    is_subscribed: bool,
}

/// Whether to go on.
enum Next {
    Message,
    Stop(Exit),
}

impl<'a> Subscriber<'a> {
    fn new(session: Session, plan: &'a Plan) -> Subscriber<'a> {
        Subscriber {
            session,
            plan,
            zone: TimeZone::system(),
            output: Output::new(std::io::stdout()),
            unacknowledged: Vec::new(),
            printed: 0,
            is_subscribed: false,
        }
    }

    async fn receive(&mut self) -> anyhow::Result<Exit> {
        self.session
            .subscribe(self.plan.filters.clone())
            .map_err(anyhow::Error::msg)?;
        loop {
            while let Some(event) = self.session.next_ready() {
                let next = self.take(event);
                let is_pressing = !matches!(next, Ok(Next::Message));
                if (is_pressing || self.output.is_full())
                    && let Some(exit) = self.hand_on_or_stop()?
                {
                    return Ok(exit);
                }
                if let Next::Stop(exit) = next? {
                    return Ok(exit);
                }
            }
            // The connection has run dry: whoever reads stdout shall see now what came.
            if let Some(exit) = self.hand_on_or_stop()? {
                return Ok(exit);
            }
            let quiet = match self.is_subscribed && !self.plan.shows_live {
                true => Some(Instant::now() + QUIET),
                false => None,
            };
            tokio::select! {
                () = self.session.ready() => {}
                () = reached(quiet) => return Ok(Exit::Done),
            }
        }
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
        for (qos, packet_id) in self.unacknowledged.drain(..) {
            self.session.acknowledge(qos, packet_id);
        }
        Ok(())
    }

    fn take(&mut self, event: Event) -> anyhow::Result<Next> {
        match event {
            Event::Message(message) => return Ok(self.message(&message)),
            Event::Subscribed(reasons) => {
                self.subscribed(&reasons)?;
                self.is_subscribed = true;
            }
            Event::Connected => say("connected again"),
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
            Event::Complete { .. } => {}
        }
        Ok(Next::Message)
    }

    fn message(&mut self, message: &Publish) -> Next {
        self.unacknowledged.push((message.qos, message.packet_id));
        if !self.plan.shows_live && !message.retain {
            return Next::Stop(Exit::Done);
        }
        if !self.plan.shows(message) {
            return Next::Message;
        }
        let complaint = self.plan.format.write(
            message,
            Timestamp::now(),
            &self.zone,
            self.plan.line_feed,
            &mut self.output.buffer,
        );
        if let Some(complaint) = complaint {
            say(complaint);
        }
        self.printed += 1;
        match self.plan.count {
            Some(count) if self.printed >= count => Next::Stop(Exit::Done),
            _ => Next::Message,
        }
    }

    fn subscribed(&self, reasons: &[ReasonCode]) -> anyhow::Result<()> {
        let refused: Vec<String> = self
            .plan
            .filters
            .iter()
            .zip(reasons)
            .filter(|(_, reason)| reason.is_failure())
            .map(|(subscription, reason)| format!("{} ({})", subscription.filter, reason.name()))
            .collect();
        if refused.is_empty() {
            return Ok(());
        }
        let words = format!("the broker refused to subscribe to {}", refused.join(", "));
        if refused.len() == self.plan.filters.len() {
            return Err(Exit::Denied.because(words));
        }
        say(words);
        Ok(())
    }
}
