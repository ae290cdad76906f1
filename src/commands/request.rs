//! `mqtt req`: publish a request, print the reply.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use tokio::time::Instant;

use super::client::{add, set_client};
use super::connection;
use super::limit::Limit;
use super::properties::{check_payload, message_properties};
use super::publish::{check_topic, own_topic};
use super::signals::Signals;
use crate::cli::request::RequestArgs;
use crate::client::{ConnectOptions, Event, Failure, Retry, Session};
use crate::dialect::{self, Dialect, reason_name};
use crate::exit::Exit;
use crate::mqtt::packet::{Publish, RetainHandling, Subscription};
use crate::mqtt::{Properties, Property, QoS, ReasonCode, Version};
use crate::output::{Encoding, MessageFormat, Outlet, Unwritable, say, say_either};
use crate::payload::{Piece, compose};

/// How long finishing the handshakes and DISCONNECT may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// Asks, and prints replies until there are as many as wanted.
///
/// # Errors
/// By exit status: 2 for options that contradict each other, 3 when the broker is not reached, 4 when it refuses the
/// connection, 5 when it refuses the request or nobody is there to answer it, 7 when the connection is lost.
pub fn run(args: RequestArgs, dialect: Dialect) -> anyhow::Result<Exit> {
    super::runtime::run(ask(Plan::new(&args, dialect)?))
}

async fn ask(plan: Plan) -> anyhow::Result<Exit> {
    let mut signals = Signals::new()?;
    let mut session = tokio::select! {
        session = connection::connect(&plan.options, Retry::NEVER) => session.map_err(Failure::into_error)?,
        () = signals.next() => return Ok(Exit::Interrupted),
        () = plan.limit.reached() => return Ok(plan.limit.timed_out()),
    };
    let outcome = tokio::select! {
        outcome = exchange(&mut session, &plan) => outcome,
        () = signals.next() => Ok(Exit::Interrupted),
        () = plan.limit.reached() => Ok(plan.limit.timed_out()),
    };
    // Nobody waits longer than this for a broker that does not answer any more.
    let _ = tokio::time::timeout(PATIENCE, session.disconnect()).await;
    outcome
}

/// What is to be done.
struct Plan {
    options: ConnectOptions,
    /// But for the response topic.
    request: Publish,
    response_topic: ResponseTopic,
    /// What a reply has to repeat, if it has any.
    correlation: Option<Bytes>,
    /// Properties of SUBSCRIBE.
    subscribe: Properties,
    /// Whether the subscription is to bring what the broker has kept.
    retain_handling: RetainHandling,
    dialect: Dialect,
    replies: u64,
    limit: Limit,
    says_latency: bool,
    format: MessageFormat,
    line_feed: bool,
}

/// Where the reply is to come.
enum ResponseTopic {
    /// There.
    Typed(String),
    /// To a topic of our own, which ends like this. It begins as the broker wants it, and with `reply/` where it does not
    /// say.
    Own(String),
}

/// What is asked, and where the answer comes.
struct Question {
    request: Publish,
    response_topic: String,
}

impl Plan {
    fn new(args: &RequestArgs, dialect: Dialect) -> anyhow::Result<Plan> {
        let target = connection::target_as(&args.connection, dialect)?;
        let mut options = target.options;
        connection::set_session(&mut options, &args.session)?;
        options.will = connection::will(&args.will, &mut options)?;
        if dialect != Dialect::Ours {
            // mosquitto_rr wants one message, and says so.
            options.receive_maximum.get_or_insert(1);
        }
        let carried = set_client(&args.client, &mut options, dialect)?;
        let topic = own_topic(args.topic.as_ref(), target.topic)?;
        let random = || RandomState::new().hash_one(0);
        let mut properties = message_properties(&args.properties, &mut options)?;
        for property in carried.publish.0 {
            add(&mut properties, property)?;
        }
        let response_topic = match (&args.response_topic, options.version) {
            (Some(topic), _) => {
                check_topic(topic)?;
                ResponseTopic::Typed(topic.clone())
            }
            (None, Version::V5) => {
                if options.properties.request_response_information().is_none() {
                    let ask = Property::RequestResponseInformation(1);
                    options.properties.push(ask);
                }
                // Only there can the other side be told.
                options.need_version_5();
                ResponseTopic::Own(format!("{:016x}{:016x}", random(), random()))
            }
            (None, version) => {
                return Err(Exit::Usage.because(format!(
                    "MQTT {version} cannot tell the other side where to reply; agree on a topic and add --response-topic TOPIC"
                )));
            }
        };
        let mut correlation = properties.correlation_data();
        if options.version == Version::V5 {
            if properties.response_topic().is_some() {
                return Err(Exit::Usage.because(
                    "the response topic is that of --response-topic; leave it out of -D",
                ));
            }
            if correlation.is_none() && dialect == Dialect::Ours {
                let random = Bytes::from(format!("{:016x}", random()));
                properties.push(Property::CorrelationData(random.clone()));
                correlation = Some(random);
            }
        }
        let piece = match (&args.message, &args.file) {
            (Some(text), _) => Piece::Typed(text.clone()),
            (None, Some(file)) => Piece::File(file.clone()),
            (None, None) if args.stdin_file => Piece::Stdin,
            (None, None) => Piece::Empty,
        };
        let payload = piece.read(std::io::stdin().lock())?;
        check_payload(&args.properties, &payload)?;
        Ok(Plan {
            limit: Limit::new(args.timeout, dialect, &mut options),
            options,
            request: Publish {
                dup: false,
                qos: QoS::from_number(args.qos).unwrap_or_default(),
                retain: false,
                topic: topic.into(),
                packet_id: 0,
                properties,
                payload,
            },
            response_topic,
            subscribe: carried.subscribe,
            correlation,
            retain_handling: match dialect == Dialect::Ours {
                true => RetainHandling::Never,
                false => RetainHandling::Always,
            },
            dialect,
            replies: args.replies,
            says_latency: args.latency,
            format: match (&args.format, args.json, args.verbose) {
                (Some(template), ..) => {
                    MessageFormat::Template(template.clone().with_json(dialect.json(args.pretty)))
                }
                (None, true, _) => MessageFormat::Json,
                (None, false, true) => MessageFormat::Verbose(Encoding::Raw),
                (None, false, false) => MessageFormat::Payload(Encoding::Raw),
            },
            line_feed: !args.no_line_feed,
        })
    }

    /// What to ask a broker that says this of topics for replies.
    ///
    /// # Errors
    /// When what it says makes no topic.
    fn question(&self, information: Option<&str>) -> anyhow::Result<Question> {
        let response_topic = match (&self.response_topic, information) {
            (ResponseTopic::Typed(topic), _) => topic.clone(),
            (ResponseTopic::Own(end), None) => format!("reply/{end}"),
            (ResponseTopic::Own(end), Some(root)) => {
                let topic = format!("{}/{end}", root.trim_end_matches('/'));
                compose::check_topic(&topic).map_err(|_| {
                    Exit::Denied.because(format!(
                        "the broker's response information {root:?} makes no topic for the reply; name one with --response-topic"
                    ))
                })?;
                topic
            }
        };
        let mut request = self.request.clone();
        if self.options.version == Version::V5 {
            let place = Property::ResponseTopic(response_topic.clone().into());
            request.properties.push(place);
        }
        Ok(Question {
            request,
            response_topic,
        })
    }

    /// Whether a message answers this request. One without correlation data may: many devices do not repeat it. To
    /// mosquitto_rr whatever comes is the answer.
    fn is_answered_by(&self, question: &Question, message: &Publish) -> bool {
        if self.dialect != Dialect::Ours {
            return true;
        }
        *message.topic == *question.response_topic
            && !message.retain
            && message
                .properties
                .correlation_data()
                .is_none_or(|given| (self.correlation.as_ref()).is_none_or(|own| given == *own))
    }
}

/// Subscribes, then asks, then listens: in this order, so that no reply is missed.
async fn exchange(session: &mut Session, plan: &Plan) -> anyhow::Result<Exit> {
    let question = &plan.question(session.response_information())?;
    session
        .subscribe(
            vec![Subscription {
                filter: question.response_topic.clone().into(),
                qos: plan.request.qos,
                no_local: false,
                retain_as_published: false,
                // A reply that was kept is a reply to somebody else.
                retain_handling: plan.retain_handling,
            }],
            plan.subscribe.clone(),
        )
        .map_err(anyhow::Error::msg)?;
    let zone = plan.format.zone();
    let mut output = Outlet::stdout();
    let mut asked = None;
    let mut replies = 0;
    loop {
        match session.next().await {
            Event::Subscribed(reasons) => {
                if let Some(reason) = reasons.into_iter().find(|reason| reason.is_failure()) {
                    let (topic, name) = (&question.response_topic, reason.name());
                    let words = format!("the broker refused to subscribe to {topic}: {name}");
                    let mosquitto = reason_name(reason);
                    return Err(plan.dialect.because(Exit::Denied, words, &mosquitto));
                }
                asked.get_or_insert_with(Instant::now);
                // After a reconnection the session sends again itself what it has not seen through. What the broker before
                // had taken may be lost with it, and is asked anew.
                if session.is_complete() {
                    session
                        .publish(question.request.clone())
                        .map_err(|unfit| Exit::Denied.because(unfit.to_string()))?;
                }
            }
            Event::Complete { reason, .. } => check_request(plan, reason)?,
            Event::Message(message) => {
                session.acknowledge(message.qos, message.packet_id);
                let Some(asked) = asked.filter(|_| plan.is_answered_by(question, &message)) else {
                    continue;
                };
                let complaint = plan.format.write(
                    &message,
                    Timestamp::now(),
                    &zone,
                    plan.line_feed,
                    &mut output.buffer,
                );
                if let Some(complaint) = complaint {
                    say_either(&complaint, complaint.mosquitto());
                }
                match output.flush().await {
                    Ok(()) => {}
                    Err(Unwritable::Closed) => return Ok(Exit::Done),
                    Err(error) => return Err(error.into()),
                }
                if plan.says_latency {
                    say(format_args!("reply after {:.1?}", asked.elapsed()));
                }
                replies += 1;
                if replies == plan.replies {
                    return Ok(Exit::Done);
                }
            }
            Event::Lost {
                failure,
                retry_in: Some(delay),
                ..
            } => say(failure.and_again_in(delay)),
            Event::Lost { failure, .. } => {
                return Err(match failure.exit() {
                    Exit::Refused => failure.into_error(),
                    _ => {
                        let words = format!("{failure}; there was no reply before");
                        plan.dialect.because(Exit::Lost, words, dialect::LOST)
                    }
                });
            }
            Event::Connected | Event::Sent { .. } | Event::Unsubscribed(_) => {}
        }
    }
}

/// A request that nobody gets needs no waiting for, but in mosquitto's numbers.
fn check_request(plan: &Plan, reason: ReasonCode) -> anyhow::Result<()> {
    let topic = &plan.request.topic;
    if (plan.dialect.mosquitto()).is_some_and(|mosquitto| mosquitto.is_strict) {
        return Ok(());
    }
    if reason == ReasonCode::NO_MATCHING_SUBSCRIBERS && plan.dialect == Dialect::Ours {
        return Err(Exit::Denied.because(format!(
            "nobody subscribes to {topic}, so nobody will reply"
        )));
    }
    match reason.is_failure() {
        true => Err(Exit::Denied.because(format!("cannot publish to {topic}: {reason}"))),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Command;
    use crate::client::tests::broker::{Broker, Peer, StoppedClock};
    use crate::mqtt::Packet;
    use crate::mqtt::packet::{Acknowledgement, SubAck};
    use crate::settings;
    use std::pin::pin;
    use tokio::time::advance;

    fn plan(broker: &Broker, line: &str) -> Plan {
        let url = broker.options().endpoint.to_string();
        let words = "mqtt req -V 5 -k 0 -t a -m x"
            .split(' ')
            .chain(line.split(' '));
        let words = words.chain(["-L", &url]).map(Into::into);
        let (dialect, cli) = settings::understand(words, []);
        let Command::Req(args) = cli.unwrap().command else {
            unreachable!("it is req");
        };
        Plan::new(&args, dialect).unwrap()
    }

    /// The request, taken.
    async fn request(broker: &Broker) -> (Peer, Publish) {
        let mut peer = broker.welcome(false, Properties::default()).await;
        let Packet::Subscribe(subscribe) = peer.read().await else {
            panic!("no SUBSCRIBE");
        };
        peer.write(Packet::SubAck(SubAck {
            packet_id: subscribe.packet_id,
            reasons: vec![ReasonCode::GRANTED_QOS_1],
            properties: Properties::default(),
        }))
        .await;
        let request = peer.publish().await;
        peer.write(Packet::PubAck(Acknowledgement::success(request.packet_id)))
            .await;
        (peer, request)
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_for_all_replies_together_is_limited() {
        let _clock = StoppedClock::new();
        let broker = Broker::new(Version::V5).await;
        let mut asking = pin!(ask(plan(&broker, "-q 1 -W 1h --replies 2")));
        let mut peer = tokio::select! {
            outcome = &mut asking => panic!("{outcome:?}"),
            peer = async {
                let (mut peer, request) = request(&broker).await;
                advance(Duration::from_secs(1800)).await;
                let reply = Publish {
                    packet_id: 7,
                    topic: request.properties.response_topic().unwrap(),
                    properties: Properties::default(),
                    ..request
                };
                peer.write(Packet::Publish(reply)).await;
                assert!(matches!(peer.read().await, Packet::PubAck(_)));
                advance(Duration::from_secs(1799)).await;
                peer
            } => peer,
        };
        advance(Duration::from_secs(1)).await;
        let (outcome, end) = tokio::join!(asking, async {
            let end = peer.read().await;
            drop(peer);
            end
        });
        assert_eq!(outcome.unwrap(), Exit::TimedOut);
        assert!(matches!(end, Packet::Disconnect(_)), "{end:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_broker_that_says_nothing_at_all_counts_too() {
        let _clock = StoppedClock::new();
        let broker = Broker::new(Version::V5).await;
        let mut asking = pin!(ask(plan(&broker, "-W 3s")));
        let _peer = tokio::select! {
            outcome = &mut asking => panic!("{outcome:?}"),
            peer = async {
                let peer = broker.accept().await;
                advance(Duration::from_millis(2999)).await;
                peer
            } => peer,
        };
        advance(Duration::from_millis(1)).await;
        assert_eq!(asking.await.unwrap(), Exit::TimedOut);
    }
}
