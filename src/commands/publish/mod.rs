//! `mqtt pub`: publish a message, a message repeatedly, files, or what stdin holds record by record.

mod books;
mod durable;
mod feed;
mod pace;
mod publisher;

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;

use self::books::{Audience, Books};
use self::durable::{Durable, Patience};
use self::feed::Feed;
use self::pace::Pace;
use self::publisher::{End, Publisher, Tempo};
use super::client::{add, set_client};
use super::connection::{self, UrlTopic};
use super::limit::Limit;
use super::properties::message_properties;
use super::signals::Signals;
use crate::cli::publish::{PublishArgs, SpoolSync};
use crate::client::{self, ConnectOptions, Courier, Retry};
use crate::dialect::Dialect;
use crate::exit::Exit;
use crate::mqtt::{ByteString, Properties, Property, QoS, Version};
use crate::output::say;
use crate::payload::compose::{self, Composer};
use crate::payload::{Dice, Piece, Shape, Source};
use crate::spool::{self, Spool};

/// Attempts to regain a lost connection before giving up: about a minute.
const ATTEMPTS: u32 = 8;

/// How long DISCONNECT may take when a signal ends the program.
const PATIENCE: Duration = Duration::from_secs(2);

/// Publishes what the options say and returns when every delivery is complete.
///
/// # Errors
/// By exit status: 2 for options that contradict each other, 3 when the broker is not reached, 4 when it refuses the
/// connection, 5 when it refuses a message, 7 when the connection is lost, 1 for what cannot be read or is no message.
pub fn run(args: PublishArgs, dialect: Dialect) -> anyhow::Result<Exit> {
    let plan = Plan::new(&args, dialect)?;
    match plan.spool.clone() {
        None => super::runtime::run(publish(plan)),
        Some(options) => super::runtime::run(publish_durably(plan, options)),
    }
}

/// What is to be done.
struct Plan {
    options: ConnectOptions,
    /// Nothing to drain a spool only.
    feed: Option<Feed>,
    spool: Option<spool::Options>,
    composer: Composer,
    tempo: Tempo,
    audience: Audience,
    limit: Limit,
    dialect: Dialect,
}

impl Plan {
    fn new(args: &PublishArgs, dialect: Dialect) -> anyhow::Result<Plan> {
        let target = connection::target_as(&args.connection, dialect)?;
        let mut options = target.options;
        connection::set_session(&mut options, &args.session)?;
        options.will = connection::will(&args.will, &mut options)?;
        let carried = set_client(&args.client, &mut options, dialect)?;
        let mut properties = properties_of(args, &mut options)?;
        for property in carried.publish.0 {
            add(&mut properties, property)?;
        }
        let source = source(args)?;
        let topics = topics(&args.topic, target.topic);
        if topics.is_empty() && !args.drain && !source.names_topics() {
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
            needs_handshake: needs_handshake(args),
        };
        check(&composer, args.json || args.drain)?;
        let spool = spool_of(args, &mut options);
        let limit = Limit::new(args.timeout, dialect, &mut options);
        let feed = match args.drain {
            true => None,
            false => {
                let feed = Feed::new(source, args.repeat);
                Some(feed.map_err(|error| match &args.file[..] {
                    [path, ..] if dialect != Dialect::Ours => unreadable(path, dialect),
                    _ => error,
                })?)
            }
        };
        if let Some(Feed::Pieces(pieces)) = &feed
            && let Some(first) = pieces.first()
        {
            if args.stdin_file && first.is_empty() && dialect != Dialect::Ours {
                let words = "Error: Zero length input.\nError loading input from stdin.";
                return Err(dialect.because(Exit::Failed, "stdin is empty", words));
            }
            try_out(&composer, first)?;
        }
        Ok(Plan {
            audience: Audience {
                verbose: args.verbose,
                steps: args.report_acks,
                require_subscribers: args.require_subscribers,
                dialect,
                expected: (feed.as_ref().and_then(Feed::length))
                    .map(|length| length.saturating_mul(composer.topics.len() as u64)),
            },
            options,
            feed,
            spool,
            composer,
            limit,
            dialect,
            tempo: match args.rate {
                Some(rate) => Tempo::Paced(Pace::new(rate)),
                // mosquitto_pub waits for the end of each delivery.
                None if args.repeat_delay.is_zero() && dialect == Dialect::Ours => Tempo::Free,
                None if args.stdin_line => Tempo::Free,
                None => Tempo::Pause(args.repeat_delay),
            },
        })
    }

    /// Whether an alias can stand for the topic: mosquitto_pub has it so, and where nothing is tried again the connection on
    /// which the broker learned it is the only one.
    fn trusts_alias(&self) -> bool {
        let is_alias = |property: &Property| matches!(property, Property::TopicAlias(_));
        self.dialect != Dialect::Ours
            && self.attempts() == 0
            && self.composer.properties.0.iter().any(is_alias)
    }

    /// Whether it matters that the broker hears DISCONNECT, when it has acknowledged every message.
    fn misses_a_farewell(&self) -> bool {
        self.options.will.is_some() || !self.options.disconnect.is_empty()
    }

    /// One message is not worth waiting a minute for: the caller can send it again. A stream cannot be.
    fn attempts(&self) -> u32 {
        match (self.dialect, self.audience.expected) {
            (Dialect::Ours, Some(1)) | (Dialect::Mosquitto(_), Some(_)) => 0,
            (Dialect::Ours, _) => ATTEMPTS,
            (Dialect::Mosquitto(_), None) => u32::MAX,
        }
    }
}

/// A file, as mosquitto_pub cannot open it.
fn unreadable(path: &Path, dialect: Dialect) -> anyhow::Error {
    let path = path.display();
    let words =
        format!("Error: Unable to open file \"{path}\".\nError loading input file \"{path}\".");
    dialect.because(Exit::Failed, format!("cannot open {path}"), &words)
}

/// Why QoS 0 will not do.
fn needs_handshake(args: &PublishArgs) -> Option<&'static str> {
    if args.spool.is_some() {
        return Some("a --spool takes QoS 1 and 2, which have a handshake to complete");
    }
    (args.require_subscribers)
        .then_some("--require-subscribers takes QoS 1 and 2, which the broker answers")
}

/// The spool that was asked for. Its session outlives the connection, or nobody could take up what is in it.
fn spool_of(args: &PublishArgs, options: &mut ConnectOptions) -> Option<spool::Options> {
    let directory = args.spool.clone()?;
    options.clean_start = false;
    options.session_expiry = u32::MAX;
    Some(spool::Options {
        directory,
        client_id: options.client_id.clone(),
        is_made_up: args.session.id.is_none() && args.session.id_prefix.is_none(),
        syncs: args.spool_sync == SpoolSync::Always,
        limit: args.spool_limit,
    })
}

fn source(args: &PublishArgs) -> anyhow::Result<Source> {
    let pieces = match (&args.message, &args.file[..]) {
        (Some(text), _) => vec![Piece::Typed(text.clone())],
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
    if let Some(topic) = &args.asking.response_topic {
        check_topic(topic)?;
        properties.push(Property::ResponseTopic(topic.clone().into()));
    }
    if let Some(data) = &args.asking.correlation_data {
        if data.len() > usize::from(u16::MAX) {
            return Err(Exit::Usage.because("--correlation-data is longer than 65535 bytes"));
        }
        properties.push(Property::CorrelationData(
            data.clone().into_encoded_bytes().into(),
        ));
    }
    if !properties.is_empty() || args.require_subscribers {
        options.need_version_5();
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

/// What can be said of every message before there is one. With JSON each says its quality of service itself.
fn check(composer: &Composer, is_open: bool) -> anyhow::Result<()> {
    if let Some(why) = composer.needs_handshake
        && composer.qos == QoS::AtMostOnce
        && !is_open
    {
        return Err(Exit::Usage.because(format!("{why}; add --qos 1 or --qos 2")));
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
    let retry = Retry::attempts(plan.attempts());
    let is_missed = plan.misses_a_farewell();
    let session = tokio::select! {
        session = connection::connect(&plan.options, retry) => {
            session.map_err(client::Failure::into_error)?
        }
        () = signals.next() => return Ok(Exit::Interrupted),
        () = plan.limit.reached() => return Ok(plan.limit.timed_out()),
    };
    let mut publisher = Publisher {
        trusts_alias: plan.trusts_alias(),
        dialect: plan.dialect,
        composer: Composer {
            version: session.version(),
            ..plan.composer
        },
        session,
        tempo: plan.tempo,
        books: Books::new(plan.audience),
    };
    let work = async {
        match plan.feed {
            Some(feed) => publisher.publish(feed).await,
            None => Ok(()),
        }
    };
    let outcome = tokio::select! {
        outcome = work => outcome,
        () = signals.next() => {
            let _ = tokio::time::timeout(PATIENCE, publisher.session.disconnect()).await;
            return Ok(Exit::Interrupted);
        }
        () = plan.limit.reached() => {
            let _ = tokio::time::timeout(PATIENCE, publisher.session.disconnect()).await;
            publisher.books.say_the_rest();
            return Err(plan.limit.timed_out_with(&publisher.books.delivered()));
        }
    };
    let Publisher {
        session, mut books, ..
    } = publisher;
    let is_unread = is_unread(outcome, &mut books)?;
    let is_missed = is_missed || books.trusted_the_connection();
    tokio::select! {
        farewell = session.disconnect() => match farewell {
            Err(failure) if is_missed => return Err(failure.into_error()),
            _ => {}
        },
        () = signals.next() => return Ok(Exit::Interrupted),
        // Every delivery is complete.
        () = plan.limit.reached() => {}
    }
    match is_unread {
        true => Ok(Exit::Done),
        false => books.close(),
    }
}

async fn publish_durably(mut plan: Plan, options: spool::Options) -> anyhow::Result<Exit> {
    let mut signals = Signals::new()?;
    let directory = options.directory.clone();
    if plan.feed.is_none() && !directory.exists() {
        // Not an error: the first run of whoever drains before each publish finds none.
        say(format_args!(
            "there is no spool {}, so nothing is delivered",
            directory.display()
        ));
        return Ok(Exit::Done);
    }
    let named = (!options.is_made_up).then(|| options.client_id.clone());
    let spool = Spool::open(options)?;
    plan.options.client_id = client_id(&spool, named, &directory)?;
    if plan.audience.verbose && !spool.is_empty() {
        let (messages, are) = durable::messages(spool.len());
        say(format_args!(
            "{messages} of an earlier run {are} in {}",
            directory.display()
        ));
    }
    let retries = plan.options.retries;
    let patience = Patience {
        first: retries.unwrap_or_default(),
        later: retries.unwrap_or(plan.attempts()),
    };
    let is_missed = plan.misses_a_farewell();
    if plan.feed.is_none() {
        plan.audience.expected = Some(spool.len());
    }
    let books = Books::new(plan.audience);
    let home = spool.home().map(str::to_owned);
    let mut durable = Durable::new(
        spool,
        Courier::new(&plan.options, home).map_err(client::Failure::into_error)?,
        directory,
        patience,
        (plan.composer, plan.tempo, books),
        plan.feed,
    );
    let outcome = tokio::select! {
        outcome = durable.publish() => Some(outcome),
        () = signals.next() => None,
        () = plan.limit.reached() => {
            Some(Err(End::Failed(plan.limit.timed_out_with(&durable.kept()))))
        }
    };
    let Durable {
        spool,
        courier,
        mut books,
        ..
    } = durable;
    // A session that is the spool's alone has no use any more when nothing is left.
    let ends_session =
        courier.version() == Version::V5 && spool.is_empty() && spool.has_session_of_its_own();
    spool.close()?;
    let farewell = tokio::time::timeout(PATIENCE, courier.disconnect(ends_session)).await;
    let Some(outcome) = outcome else {
        return Ok(Exit::Interrupted);
    };
    if is_unread(outcome, &mut books)? {
        return Ok(Exit::Done);
    }
    match farewell {
        Ok(Err(failure)) if is_missed => Err(failure.into_error()),
        _ => books.close(),
    }
}

/// The spool's client id, which cannot be changed by giving another.
fn client_id(spool: &Spool, named: Option<String>, directory: &Path) -> anyhow::Result<String> {
    let own = spool.client_id();
    match named {
        Some(named) if named != own => Err(Exit::Usage.because(format!(
            "the spool {} belongs to the client id {own}; leave --id away, or give another --spool",
            directory.display()
        ))),
        _ => Ok(own.to_owned()),
    }
}

/// Whether the work ended because nobody reads what it has to say.
fn is_unread(outcome: Result<(), End>, books: &mut Books) -> anyhow::Result<bool> {
    books.put_away();
    match outcome {
        Ok(()) => Ok(false),
        Err(End::Unread) => Ok(true),
        Err(End::Failed(error)) => {
            books.say_the_rest();
            Err(error)
        }
    }
}
