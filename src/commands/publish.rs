//! `mqtt pub`: publish a message, a message repeatedly, or the lines of stdin.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;

use super::connection::{self, UrlTopic};
use super::properties::{check_payload, message_properties};
use super::signals::Signals;
use crate::cli::publish::PublishArgs;
use crate::client::{self, ConnectOptions, Event, Retry, Session};
use crate::exit::Exit;
use crate::mqtt::packet::Publish;
use crate::mqtt::{Properties, Property, QoS, ReasonCode, Version, topic};
use crate::output::say;
use crate::payload::{self, PayloadSource};

/// Attempts to regain a lost connection before giving up: about a minute.
const ATTEMPTS: u32 = 8;

/// How long DISCONNECT may take when a signal ends the program.
const PATIENCE: Duration = Duration::from_secs(2);

/// Publishes what the options say and returns when every delivery is complete.
///
/// # Errors
/// By exit status: 2 for options that contradict each other, 3 when the broker is not reached, 4 when it refuses the
/// connection, 5 when it refuses a message, 7 when the connection is lost, 1 for a payload that cannot be read.
pub fn run(args: PublishArgs) -> anyhow::Result<Exit> {
    let plan = Plan::new(&args)?;
    super::runtime::run(publish(plan))
}

/// What is to be done.
struct Plan {
    options: ConnectOptions,
    /// Every message is this one with its own payload.
    message: Publish,
    payloads: Payloads,
    is_verbose: bool,
}

enum Payloads {
    Lines,
    Same {
        payload: Bytes,
        times: u64,
        pause: Duration,
    },
}

impl Plan {
    fn new(args: &PublishArgs) -> anyhow::Result<Plan> {
        let target = connection::target(&args.connection)?;
        let mut options = target.options;
        connection::set_session(&mut options, &args.session)?;
        options.will = connection::will(&args.will)?;
        let topic = own_topic(args.topic.as_ref(), target.topic)?;
        let properties = properties_of(args, &mut options)?;
        let source = PayloadSource::of(
            args.message.as_ref(),
            args.file.as_ref(),
            args.stdin_file,
            args.stdin_line,
        );
        let payload = source.read(std::io::stdin().lock())?;
        if let Some(payload) = &payload {
            check_payload(&args.properties, payload)?;
        }
        let payloads = match payload {
            None => Payloads::Lines,
            Some(payload) => Payloads::Same {
                payload,
                times: args.repeat,
                pause: args.repeat_delay,
            },
        };
        Ok(Plan {
            options,
            message: Publish {
                dup: false,
                qos: QoS::from_number(args.qos).unwrap_or_default(),
                retain: args.retain,
                topic: topic.into(),
                packet_id: 0,
                properties,
                payload: Bytes::new(),
            },
            payloads,
            is_verbose: args.verbose,
        })
    }

    /// One message is not worth waiting a minute for: the caller can send it again. A stream cannot be.
    fn retry(&self) -> Retry {
        match self.payloads {
            Payloads::Same { times: 1, .. } => Retry::NEVER,
            _ => Retry::attempts(ATTEMPTS),
        }
    }
}

fn properties_of(args: &PublishArgs, options: &mut ConnectOptions) -> anyhow::Result<Properties> {
    let mut properties = message_properties(&args.properties, options)?;
    if let Some(topic) = &args.response_topic {
        check_topic(topic)?;
        properties.push(Property::ResponseTopic(topic.clone().into()));
    }
    if let Some(data) = &args.correlation_data {
        if data.len() > usize::from(u16::MAX) {
            return Err(Exit::Usage.because("--correlation-data is longer than 65535 bytes"));
        }
        properties.push(Property::CorrelationData(data.clone().into()));
    }
    if !properties.is_empty() {
        options.version = Version::V5;
    }
    Ok(properties)
}

/// The topic to publish to: the one typed, or the URL's.
pub(super) fn own_topic(typed: Option<&String>, url: Option<UrlTopic>) -> anyhow::Result<String> {
    let url = url.map(|topic| match topic {
        UrlTopic::Typed(topic) | UrlTopic::Environment(topic) => topic,
    });
    let Some(topic) = typed.cloned().or(url) else {
        return Err(Exit::Usage.because("no topic; add --topic TOPIC"));
    };
    check_topic(&topic)?;
    Ok(topic)
}

/// Whether it can be published to.
pub(super) fn check_topic(topic: &str) -> anyhow::Result<()> {
    if topic::is_valid_topic_name(topic) {
        return Ok(());
    }
    Err(Exit::Usage.because(match topic.len() {
        0 => "the topic is empty".to_owned(),
        65_536.. => "the topic is longer than 65535 bytes".to_owned(),
        _ => format!("{topic:?} is no topic to publish to: + and # stand in topic filters only"),
    }))
}

async fn publish(plan: Plan) -> anyhow::Result<Exit> {
    let mut signals = Signals::new()?;
    let session = tokio::select! {
        session = client::connect(&plan.options, plan.retry()) => {
            session.map_err(client::Failure::into_error)?
        }
        () = signals.next() => return Ok(Exit::Interrupted),
    };
    let mut publisher = Publisher {
        session,
        message: plan.message,
        is_verbose: plan.is_verbose,
        lengths: VecDeque::new(),
        refused: None,
    };
    let work = async {
        match plan.payloads {
            Payloads::Lines => publisher.lines().await,
            Payloads::Same {
                payload,
                times,
                pause,
            } => publisher.repeat(payload, times, pause).await,
        }
    };
    let outcome = tokio::select! {
        outcome = work => outcome,
        () = signals.next() => {
            let _ = tokio::time::timeout(PATIENCE, publisher.session.disconnect()).await;
            return Ok(Exit::Interrupted);
        }
    };
    let Publisher {
        session, refused, ..
    } = publisher;
    outcome?;
    tokio::select! {
        farewell = session.disconnect() => farewell.map_err(client::Failure::into_error)?,
        () = signals.next() => return Ok(Exit::Interrupted),
    }
    match refused {
        Some(error) => Err(error),
        None => Ok(Exit::Done),
    }
}

struct Publisher {
    session: Session,
    message: Publish,
    is_verbose: bool,
    /// Kept when verbose: number and length of each message under way.
    lengths: VecDeque<(u64, usize)>,
    /// The first refusal. The messages after it are sent all the same.
    refused: Option<anyhow::Error>,
}

impl Publisher {
    async fn repeat(&mut self, payload: Bytes, times: u64, pause: Duration) -> anyhow::Result<()> {
        for count in 0..times {
            if count > 0 && !pause.is_zero() {
                self.complete().await?;
                self.pause(pause).await?;
            }
            self.send(payload.clone()).await?;
        }
        self.complete().await
    }

    async fn lines(&mut self) -> anyhow::Result<()> {
        let mut lines = stdin_lines()?;
        loop {
            let block = tokio::select! {
                block = lines.recv() => block,
                event = self.session.next() => {
                    self.take(event)?;
                    continue;
                }
            };
            match block {
                None => break,
                Some(Ok(block)) => {
                    for line in block {
                        self.send(line).await?;
                    }
                }
                Some(Err(error)) => {
                    self.complete().await?;
                    return Err(anyhow::Error::new(error).context("cannot read stdin"));
                }
            }
        }
        self.complete().await
    }

    /// Sends one message as soon as there is room for it.
    async fn send(&mut self, payload: Bytes) -> anyhow::Result<()> {
        while !self.session.has_room() {
            let event = self.session.next().await;
            self.take(event)?;
        }
        let length = payload.len();
        let message = Publish {
            payload,
            ..self.message.clone()
        };
        match self.session.publish(message) {
            Ok(number) if self.is_verbose => self.lengths.push_back((number, length)),
            Ok(_) => {}
            Err(error) => self.refuse(&error.to_string()),
        }
        Ok(())
    }

    async fn complete(&mut self) -> anyhow::Result<()> {
        while !self.session.is_complete() {
            let event = self.session.next().await;
            self.take(event)?;
        }
        Ok(())
    }

    async fn pause(&mut self, pause: Duration) -> anyhow::Result<()> {
        let end = tokio::time::Instant::now() + pause;
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(end) => return Ok(()),
                event = self.session.next() => self.take(event)?,
            }
        }
    }

    fn take(&mut self, event: Event) -> anyhow::Result<()> {
        match event {
            Event::Complete { number, reason } => {
                if self.is_verbose {
                    self.report(number, reason);
                }
                if reason.is_failure() {
                    self.refuse(&reason.to_string());
                }
            }
            Event::Lost {
                failure,
                retry_in,
                unwritten,
            } => {
                if unwritten > 0 {
                    say(format_args!("{unwritten} messages of QoS 0 were not sent"));
                }
                let Some(delay) = retry_in else {
                    return Err(match failure.exit() {
                        Exit::Refused => failure.into_error(),
                        _ => Exit::Lost
                            .because(format!("{failure}; not every message was delivered")),
                    });
                };
                say(format_args!(
                    "{failure}; trying again in {}",
                    rounded(delay)
                ));
            }
            Event::Connected => say("connected again"),
            Event::Message(_) | Event::Subscribed(_) | Event::Unsubscribed(_) => {}
        }
        Ok(())
    }

    fn refuse(&mut self, reason: &str) {
        let words = format!("cannot publish to {}: {reason}", self.message.topic);
        match &self.refused {
            None => self.refused = Some(Exit::Denied.because(words)),
            Some(_) => say(words),
        }
    }

    fn report(&mut self, number: u64, reason: ReasonCode) {
        let Some(index) = self.lengths.iter().position(|(each, _)| *each == number) else {
            return;
        };
        let (_, length) = self.lengths.remove(index).unwrap_or_default();
        let Publish { topic, qos, .. } = &self.message;
        let outcome = match (qos, reason) {
            (_, reason) if reason.is_failure() => return,
            (_, ReasonCode::NO_MATCHING_SUBSCRIBERS) => "delivered, no subscribers",
            (QoS::AtMostOnce, _) => "sent",
            _ => "delivered",
        };
        say(format_args!(
            "{outcome}: message {} to {topic}, QoS {qos}, {length} bytes",
            number + 1
        ));
    }
}

/// Reads stdin on a thread of its own, because reading it cannot be cancelled; bounded, so that a fast writer waits.
fn stdin_lines() -> anyhow::Result<mpsc::Receiver<std::io::Result<Vec<Bytes>>>> {
    let (sender, receiver) = mpsc::channel(2);
    std::thread::Builder::new()
        .name("stdin".to_owned())
        .spawn(move || {
            let outcome = payload::read_lines(std::io::stdin().lock(), |lines| {
                sender.blocking_send(Ok(lines)).is_ok()
            });
            if let Err(error) = outcome {
                let _ = sender.blocking_send(Err(error));
            }
        })?;
    Ok(receiver)
}

/// A delay as a person would say it.
fn rounded(delay: Duration) -> String {
    format!("{:.1} s", delay.as_secs_f64())
}
