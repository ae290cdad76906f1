//! `mqtt reply`: subscribe to requests and answer them.
//!
//! Requests are answered beside each other, up to a limit, so that a delay of one is none of the next. A request of QoS 1
//! or 2 is acknowledged when the broker has its reply, or when there will be none; a reply of QoS 0 counts as with the
//! broker when it has been handed to the connection.
//!
//! While the broker takes no more replies its requests are read all the same, because its acknowledgements come behind
//! them. What waits meanwhile is limited: those of QoS 1 and 2 by the receive maximum, those of QoS 0 by leaving them
//! unanswered.

use std::collections::{HashMap, VecDeque};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::connection::{self, UrlTopic};
use super::exec::{Exec, Failed};
use super::limit::Limit;
use super::owed::{Owed, Ticket};
use super::properties::message_properties;
use super::signals::Signals;
use super::subscribe::{check_filter, refused};
use crate::cli::reply::ReplyArgs;
use crate::client::{ConnectOptions, Event, Failure, Retry, Session, chance};
use crate::dialect::Dialect;
use crate::exit::Exit;
use crate::mqtt::packet::{Publish, RetainHandling, Subscription};
use crate::mqtt::{ByteString, Properties, Property, QoS, Version, topic};
use crate::output::{Template, say};
use crate::payload::Piece;

/// How long finishing the handshakes and DISCONNECT may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// Requests that are being answered at a time, where no command limits it, and of QoS 1 and 2 at the broker's risk where
/// nobody has said how many.
const MOST: u16 = 1024;

/// Requests whose replies wait while the broker takes none, before those of QoS 0 are left unanswered.
const MOST_WAITING: usize = 1 << 16;

/// Bytes of their payloads, and of the replies.
const MOST_WAITING_BYTES: usize = 1 << 24;

/// Answers requests until the count, the time or a signal ends it.
///
/// # Errors
/// By exit status: 1 when there is no such command, 2 for options that contradict each other, 3 when the broker is not
/// reached, 4 when it refuses the connection, 5 when it refuses a subscription, 7 when it ended the connection for good.
pub fn run(args: ReplyArgs) -> anyhow::Result<Exit> {
    let plan = Plan::new(&args)?;
    super::runtime::run(async move {
        let interrupted = match plan.count {
            Some(_) => Exit::Interrupted,
            None => Exit::Done,
        };
        let mut signals = Signals::new()?;
        let session = tokio::select! {
            session = connection::connect(&plan.options, Retry::FOREVER) => session.map_err(Failure::into_error)?,
            () = signals.next() => return Ok(interrupted),
            () = plan.limit.reached() => return Ok(plan.limit.timed_out()),
        };
        let mut replier = Replier::new(session, &plan);
        let outcome = tokio::select! {
            outcome = replier.work() => outcome,
            () = signals.next() => Ok(interrupted),
            () = plan.limit.reached() => Ok(plan.limit.timed_out()),
        };
        replier.tell_left();
        // Nobody waits longer than this for a broker that does not answer any more.
        let _ = tokio::time::timeout(PATIENCE, replier.session.disconnect()).await;
        outcome
    })
}

/// What is to be done.
struct Plan {
    options: ConnectOptions,
    subscriptions: Vec<Subscription>,
    response_topic: Template,
    reply: Arc<Reply>,
    delay: RangeInclusive<Duration>,
    /// The share of requests without a reply, 0 to 1.
    fail: f64,
    properties: Properties,
    /// Requests that may be answered beside each other.
    workers: usize,
    count: Option<u64>,
    limit: Limit,
    is_verbose: bool,
}

/// Where the payload of a reply comes from.
enum Reply {
    Echo,
    Fixed(Bytes),
    Form(Template, TimeZone),
    Command(Exec),
}

impl Plan {
    fn new(args: &ReplyArgs) -> anyhow::Result<Plan> {
        let target = connection::target(&args.connection)?;
        let mut options = target.options;
        connection::set_session(&mut options, &args.session)?;
        options.receive_maximum.get_or_insert(MOST);
        options.will = connection::will(&args.will, &mut options)?;
        let properties = message_properties(&args.properties, &mut options)?;
        let mut filters = args.topic.clone();
        match target.topic {
            Some(UrlTopic::Typed(topic)) => filters.push(topic),
            Some(UrlTopic::Environment(topic)) if filters.is_empty() => filters.push(topic),
            _ => {}
        }
        if filters.is_empty() {
            return Err(Exit::Usage.because("no requests to answer; add --topic FILTER"));
        }
        filters.iter().try_for_each(|filter| check_filter(filter))?;
        let subscription = |filter: String| Subscription {
            qos: QoS::from_number(args.qos).unwrap_or_default(),
            // A reply is no request, wherever it goes. MQTT does not allow it for what is shared (3.8.3.1).
            no_local: options.version == Version::V5 && topic::share_of(&filter).is_none(),
            retain_as_published: false,
            // What was asked before is not asked now.
            retain_handling: RetainHandling::Never,
            filter: filter.into(),
        };
        let reply = match (&args.message, &args.file, &args.format) {
            (Some(text), ..) => Reply::Fixed(text.clone().into()),
            (_, Some(file), _) => Reply::Fixed(Piece::File(file.clone()).read(std::io::empty())?),
            (.., Some(template)) => Reply::Form(template.clone(), TimeZone::system()),
            _ if args.echo => Reply::Echo,
            _ => match Exec::of(&args.exec)? {
                Some(exec) => Reply::Command(exec),
                None => Reply::Fixed(Bytes::new()),
            },
        };
        Ok(Plan {
            subscriptions: filters.into_iter().map(subscription).collect(),
            workers: match reply {
                Reply::Command(_) => args.exec_workers,
                _ => usize::from(MOST),
            },
            limit: Limit::new(args.timeout, Dialect::Ours, &mut options),
            options,
            response_topic: args.response_topic.clone(),
            reply: Arc::new(reply),
            delay: args.delay.clone(),
            fail: args.fail / 100.0,
            properties,
            count: args.count,
            is_verbose: args.verbose,
        })
    }

    /// Where the reply to this request goes.
    ///
    /// # Errors
    /// Says why there is no such place.
    fn place(&self, request: &Publish) -> Result<ByteString, String> {
        let from = &request.topic;
        if let Some(topic) = request.properties.response_topic() {
            return match topic::is_valid_topic_name(&topic) {
                true => Ok(topic),
                false => Err(format!(
                    "the request on {from} has a response topic that is none: {:?}",
                    &*topic
                )),
            };
        }
        let mut bytes = Vec::new();
        let zone = TimeZone::UTC;
        self.response_topic
            .write(request, Timestamp::UNIX_EPOCH, &zone, &mut bytes);
        let place = ByteString::try_from(bytes).unwrap_or_default();
        if !topic::is_valid_topic_name(&place) {
            return Err(format!(
                "--response-topic makes of the request on {from} what is no topic: {:?}",
                &*place
            ));
        }
        let would_come_back = self.subscriptions.iter().any(|subscription| {
            let filter = &*subscription.filter;
            let filter = topic::share_of(filter).map_or(filter, |shared| shared.filter);
            topic::matches(filter, &place)
        });
        match would_come_back {
            // Two that reply would answer each other for ever.
            true => Err(format!(
                "the request on {from} names no response topic, and a reply on {place} would be a request again; see --response-topic"
            )),
            false => Ok(place),
        }
    }
}

impl Reply {
    async fn to(&self, request: &Publish) -> Result<Bytes, Failed> {
        Ok(match self {
            Reply::Echo => request.payload.clone(),
            Reply::Fixed(payload) => payload.clone(),
            Reply::Form(template, zone) => {
                let mut payload = Vec::new();
                if let Some(complaint) =
                    template.write(request, Timestamp::now(), zone, &mut payload)
                {
                    return Err(Failed::Run {
                        words: complaint.to_string(),
                    });
                }
                payload.into()
            }
            Reply::Command(exec) => exec.answer(request).await?.into(),
        })
    }
}

struct Replier<'a> {
    session: Session,
    plan: &'a Plan,
    owed: Owed,
    /// To be answered when one of those before is.
    requests: VecDeque<Request>,
    answering: JoinSet<Answer>,
    /// To be sent when there is room.
    replies: VecDeque<(Publish, Option<Ticket>)>,
    /// Payloads of all these.
    bytes: usize,
    /// What is settled when a reply is complete, by the number of the reply.
    unfinished: HashMap<u64, Ticket>,
    /// Requests so far.
    taken: u64,
    /// Requests left unanswered because too many replies were waiting, since that was last said.
    left: u64,
}

/// A request that is to be answered.
struct Request {
    message: Publish,
    ticket: Option<Ticket>,
    place: ByteString,
    came: Instant,
}

/// What became of it.
struct Answer {
    request: Request,
    payload: Result<Bytes, Failed>,
}

impl<'a> Replier<'a> {
    fn new(session: Session, plan: &'a Plan) -> Replier<'a> {
        Replier {
            session,
            plan,
            owed: Owed::default(),
            requests: VecDeque::new(),
            answering: JoinSet::new(),
            replies: VecDeque::new(),
            bytes: 0,
            unfinished: HashMap::new(),
            taken: 0,
            left: 0,
        }
    }

    async fn work(&mut self) -> anyhow::Result<Exit> {
        self.session
            .subscribe(self.plan.subscriptions.clone(), Properties::default())
            .map_err(anyhow::Error::msg)?;
        loop {
            while self.reads()
                && let Some(event) = self.session.next_ready()
            {
                self.take(event)?;
            }
            self.begin();
            self.send();
            self.acknowledge();
            if self.is_count_reached() && self.is_idle() {
                return Ok(Exit::Done);
            }
            let reads = self.reads();
            tokio::select! {
                () = self.session.ready(), if reads => {}
                Some(answer) = self.answering.join_next() => match answer {
                    Ok(answer) => self.answered(answer)?,
                    Err(error) => std::panic::resume_unwind(error.into_panic()),
                },
                else => {}
            }
        }
    }

    /// Whether to look at what comes: while there is capacity for a request, and while replies wait for the broker's
    /// acknowledgements.
    fn reads(&self) -> bool {
        let has_capacity = self.requests.is_empty()
            && self.answering.len() < self.plan.workers
            && self.bytes < MOST_WAITING_BYTES;
        has_capacity || !self.replies.is_empty()
    }

    fn is_idle(&self) -> bool {
        self.requests.is_empty()
            && self.answering.is_empty()
            && self.replies.is_empty()
            && self.session.is_complete()
    }

    fn is_count_reached(&self) -> bool {
        self.plan.count.is_some_and(|count| self.taken >= count)
    }

    fn take(&mut self, event: Event) -> anyhow::Result<()> {
        match event {
            Event::Message(request) => self.request(request),
            Event::Subscribed(reasons) => {
                let filters = self.plan.subscriptions.iter().map(|each| &each.filter);
                if let Some(words) = refused("subscribe to", filters, &reasons) {
                    return Err(Exit::Denied.because(words));
                }
            }
            Event::Connected => {
                self.owed.reconnected(self.session.is_resumed());
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
            Event::Complete { number, reason } => {
                if reason.is_failure() {
                    say(format_args!("the broker did not take a reply: {reason}"));
                }
                let ticket = self.unfinished.remove(&number);
                self.settle(ticket);
            }
            Event::Sent { .. } | Event::Unsubscribed(_) => {}
        }
        Ok(())
    }

    fn request(&mut self, message: Publish) {
        if self.owed.has(&message) || self.is_count_reached() {
            return;
        }
        let ticket = self.owed.add(&message);
        self.taken += 1;
        let place = match self.plan.place(&message) {
            Ok(place) => place,
            Err(words) => {
                say(words);
                return self.settle(ticket);
            }
        };
        let from = &message.topic;
        if chance() < self.plan.fail {
            self.report(format_args!("left the request on {from} unanswered"));
            return self.settle(ticket);
        }
        let is_full = self.requests.len() + self.replies.len() >= MOST_WAITING
            || self.bytes >= MOST_WAITING_BYTES;
        if is_full && message.qos == QoS::AtMostOnce {
            if self.left == 0 {
                say(
                    "requests come faster than the broker takes replies; some of QoS 0 are left unanswered",
                );
            }
            self.left += 1;
            return;
        }
        self.bytes += message.payload.len();
        self.requests.push_back(Request {
            message,
            ticket,
            place,
            came: Instant::now(),
        });
        self.begin();
    }

    /// Begins to answer what there is capacity for.
    fn begin(&mut self) {
        while self.answering.len() < self.plan.workers
            && let Some(request) = self.requests.pop_front()
        {
            let (shortest, longest) = (*self.plan.delay.start(), *self.plan.delay.end());
            let delay = shortest + (longest - shortest).mul_f64(chance());
            let reply = Arc::clone(&self.plan.reply);
            self.answering.spawn(async move {
                if !delay.is_zero() {
                    tokio::time::sleep(delay).await;
                }
                let payload = reply.to(&request.message).await;
                Answer { request, payload }
            });
        }
    }

    fn answered(&mut self, Answer { request, payload }: Answer) -> anyhow::Result<()> {
        self.bytes -= request.message.payload.len();
        let from = &request.message.topic;
        let payload = match payload {
            Ok(payload) => payload,
            Err(failed @ Failed::NoProgram { .. }) => return Err(failed.into()),
            Err(failed) => {
                say(format_args!("{failed}; the request is left unanswered"));
                self.settle(request.ticket);
                return Ok(());
            }
        };
        self.report(format_args!(
            "answered the request on {from} on {} after {:.1?}",
            request.place,
            request.came.elapsed()
        ));
        let mut properties = self.plan.properties.clone();
        if self.plan.options.version == Version::V5 {
            let correlation = request.message.properties.correlation_data();
            properties
                .0
                .extend(correlation.map(Property::CorrelationData));
        }
        self.bytes += payload.len();
        let reply = Publish {
            dup: false,
            qos: self.plan.subscriptions[0].qos,
            retain: false,
            topic: request.place,
            packet_id: 0,
            properties,
            payload,
        };
        self.replies.push_back((reply, request.ticket));
        self.send();
        Ok(())
    }

    /// Hands on what there is room for.
    fn send(&mut self) {
        while self.session.has_room()
            && let Some((reply, ticket)) = self.replies.pop_front()
        {
            self.bytes -= reply.payload.len();
            let (topic, qos) = (reply.topic.clone(), reply.qos);
            match (self.session.publish(reply), ticket) {
                (Ok(number), Some(ticket)) if qos != QoS::AtMostOnce => {
                    self.unfinished.insert(number, ticket);
                }
                (Ok(_), ticket) => self.settle(ticket),
                (Err(unfit), ticket) => {
                    say(format_args!("cannot reply on {topic}: {unfit}"));
                    self.settle(ticket);
                }
            }
        }
        if self.replies.is_empty() {
            self.tell_left();
        }
    }

    fn acknowledge(&mut self) {
        while self.session.is_up()
            && let Some((qos, packet_id)) = self.owed.next()
        {
            self.session.acknowledge(qos, packet_id);
        }
    }

    /// Says how many requests had no reply because too many were waiting.
    fn tell_left(&mut self) {
        match std::mem::take(&mut self.left) {
            0 => {}
            left => say(format_args!(
                "requests of QoS 0 left unanswered because too many replies waited for the broker: {left}"
            )),
        }
    }

    fn settle(&mut self, ticket: Option<Ticket>) {
        if let Some(ticket) = ticket {
            self.owed.settle(ticket);
        }
    }

    fn report(&self, words: impl std::fmt::Display) {
        if self.plan.is_verbose {
            say(words);
        }
    }
}
