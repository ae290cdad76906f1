//! `mqtt pub`: publish a message, a message repeatedly, files, or what stdin holds record by record.

mod books;
mod feed;
mod pace;
mod publisher;

use std::time::Duration;

use bytes::Bytes;

use self::books::{Audience, Books};
use self::feed::Feed;
use self::pace::Pace;
use self::publisher::{End, Publisher, Tempo};
use super::connection::{self, UrlTopic};
use super::properties::message_properties;
use super::signals::Signals;
use crate::cli::publish::PublishArgs;
use crate::client::{self, ConnectOptions, Retry};
use crate::exit::Exit;
use crate::mqtt::{ByteString, Properties, Property, QoS, Version};
use crate::payload::compose::{self, Composer};
use crate::payload::{Dice, Piece, Shape, Source};

/// Attempts to regain a lost connection before giving up: about a minute.
const ATTEMPTS: u32 = 8;

/// How long DISCONNECT may take when a signal ends the program.
const PATIENCE: Duration = Duration::from_secs(2);

/// Publishes what the options say and returns when every delivery is complete.
///
/// # Errors
/// By exit status: 2 for options that contradict each other, 3 when the broker is not reached, 4 when it refuses the
/// connection, 5 when it refuses a message, 7 when the connection is lost, 1 for what cannot be read or is no message.
pub fn run(args: PublishArgs) -> anyhow::Result<Exit> {
    let plan = Plan::new(&args)?;
    super::runtime::run(publish(plan))
}

/// What is to be done.
struct Plan {
    options: ConnectOptions,
    feed: Feed,
    composer: Composer,
    tempo: Tempo,
    audience: Audience,
}

impl Plan {
    fn new(args: &PublishArgs) -> anyhow::Result<Plan> {
        let target = connection::target(&args.connection)?;
        let mut options = target.options;
        connection::set_session(&mut options, &args.session)?;
        options.will = connection::will(&args.will)?;
        let properties = properties_of(args, &mut options)?;
        let source = source(args)?;
        let names_topics = matches!(
            source,
            Source::Records {
                shape: Shape::Json | Shape::TopicAndPayload(_),
                ..
            }
        );
        let topics = topics(&args.topic, target.topic);
        if topics.is_empty() && !names_topics {
            return Err(Exit::Usage.because("no topic; add --topic TOPIC"));
        }
        let composer = Composer {
            topics,
            qos: QoS::from_number(args.qos).unwrap_or_default(),
            retain: args.retain,
            properties,
            encoding: args.format.into(),
            dice: args.template.then(|| Dice::new(args.seed)),
            version: options.version,
            require_subscribers: args.require_subscribers,
        };
        let is_json = matches!(
            &source,
            Source::Records {
                shape: Shape::Json,
                ..
            }
        );
        check(&composer, is_json)?;
        let feed = Feed::new(source, args.repeat)?;
        if let Feed::Pieces(pieces) = &feed
            && let Some(first) = pieces.first()
        {
            try_out(&composer, first)?;
        }
        Ok(Plan {
            audience: Audience {
                verbose: args.verbose,
                steps: args.report_acks,
                require_subscribers: args.require_subscribers,
                expected: (feed.length())
                    .map(|length| length.saturating_mul(composer.topics.len() as u64)),
            },
            options,
            feed,
            composer,
            tempo: match args.rate {
                Some(rate) => Tempo::Paced(Pace::new(rate)),
                None if args.repeat_delay.is_zero() => Tempo::Free,
                None => Tempo::Pause(args.repeat_delay),
            },
        })
    }

    /// One message is not worth waiting a minute for: the caller can send it again. A stream cannot be.
    fn retry(&self) -> Retry {
        match self.audience.expected {
            Some(1) => Retry::NEVER,
            _ => Retry::attempts(ATTEMPTS),
        }
    }
}

fn source(args: &PublishArgs) -> anyhow::Result<Source> {
    let pieces = match (&args.message, &args.file[..]) {
        (Some(text), _) => vec![Piece::Text(text.clone())],
        (None, []) if args.stdin_file => vec![Piece::Stdin],
        (None, []) => vec![Piece::Empty],
        (None, files) => files.iter().cloned().map(Piece::File).collect(),
    };
    let shape = match &args.topic_from {
        _ if args.json => Shape::Json,
        Some(separator) => Shape::TopicAndPayload(separator.0.clone()),
        None => Shape::Payload,
    };
    if args.json || args.stdin_line {
        let delimiter = (args.delimiter.as_ref()).map_or(b"\n".to_vec(), |bytes| bytes.0.clone());
        return Ok(Source::Records { delimiter, shape });
    }
    match args.delimiter {
        Some(_) => Err(Exit::Usage.because(
            "--delimiter says where the messages of stdin end; add --stdin-line or --json",
        )),
        None => Ok(Source::Pieces(pieces)),
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
    if !properties.is_empty() || args.require_subscribers {
        options.version = Version::V5;
    }
    Ok(properties)
}

/// The topics to publish to: those typed, or the URL's.
fn topics(typed: &[String], url: Option<UrlTopic>) -> Vec<ByteString> {
    match (typed, url) {
        ([], None) => Vec::new(),
        ([], Some(UrlTopic::Typed(topic) | UrlTopic::Environment(topic))) => vec![topic.into()],
        (typed, _) => typed.iter().map(|topic| topic.as_str().into()).collect(),
    }
}

/// The topic to publish to: the one typed, or the URL's.
pub(super) fn own_topic(typed: Option<&String>, url: Option<UrlTopic>) -> anyhow::Result<String> {
    match topics(typed.map_or(&[], std::slice::from_ref), url).pop() {
        None => Err(Exit::Usage.because("no topic; add --topic TOPIC")),
        Some(topic) => {
            check_topic(&topic)?;
            Ok(topic.to_string())
        }
    }
}

/// Whether it can be published to.
pub(super) fn check_topic(topic: &str) -> anyhow::Result<()> {
    compose::check_topic(topic).map_err(|words| Exit::Usage.because(words))
}

/// What can be said of every message before there is one.
fn check(composer: &Composer, is_json: bool) -> anyhow::Result<()> {
    if composer.require_subscribers && composer.qos == QoS::AtMostOnce && !is_json {
        return Err(Exit::Usage.because(
            "--require-subscribers needs an acknowledgement of the broker; add --qos 1 or --qos 2",
        ));
    }
    composer
        .check_topics()
        .map_err(|words| Exit::Usage.because(words))
}

/// Whether the first message can be made, so that a mistake is found before anything is connected.
fn try_out(composer: &Composer, first: &Bytes) -> anyhow::Result<()> {
    let outcome = composer
        .clone()
        .compose(first.clone().into(), 1, jiff::Timestamp::now);
    match outcome {
        Ok(_) => Ok(()),
        Err(words) => Err(Exit::Usage.because(words)),
    }
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
        composer: plan.composer,
        tempo: plan.tempo,
        books: Books::new(plan.audience),
    };
    let outcome = tokio::select! {
        outcome = publisher.publish(plan.feed) => outcome,
        () = signals.next() => {
            let _ = tokio::time::timeout(PATIENCE, publisher.session.disconnect()).await;
            return Ok(Exit::Interrupted);
        }
    };
    let Publisher { session, books, .. } = publisher;
    let is_unread = match outcome {
        Ok(()) => false,
        Err(End::Unread) => true,
        Err(End::Failed(error)) => return Err(error),
    };
    tokio::select! {
        farewell = session.disconnect() => farewell.map_err(client::Failure::into_error)?,
        () = signals.next() => return Ok(Exit::Interrupted),
    }
    match is_unread {
        true => Ok(Exit::Done),
        false => books.close(),
    }
}
