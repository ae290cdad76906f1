//! From the options of `mqtt sub` to what is to be done.

use std::io::IsTerminal;
use std::time::Duration;

use colored::control::SHOULD_COLORIZE;
use jiff::tz::TimeZone;

use super::selection::Selection;
use super::sink::{Commands, Form, Sink};
use super::workers::Workers;
use crate::cli::subscribe::{EncodingArg, RetainHandlingArg, SubscribeArgs, When};
use crate::client::ConnectOptions;
use crate::commands::client::{add, set_client};
use crate::commands::connection::{self, UrlTopic};
use crate::commands::exec::Exec;
use crate::commands::limit::Limit;
use crate::dialect::Dialect;
use crate::exit::Exit;
use crate::mqtt::packet::{RetainHandling, Subscription};
use crate::mqtt::{ByteString, Properties, Property, QoS, topic};
use crate::output::{Encoding, Files, MessageFormat, Outlet, Rotation};

/// A count below this is also the most the broker may send ahead, so that it keeps the rest for others.
const FEW: u64 = 20;

/// What is to be done.
pub(super) struct Plan {
    pub(super) options: ConnectOptions,
    pub(super) request: Request,
    pub(super) removes_retained: bool,
    /// At most one message of a topic in this span.
    pub(super) throttle: Option<Duration>,
    pub(super) end: End,
    pub(super) dialect: Dialect,
}

/// What the broker is asked for.
pub(super) struct Request {
    pub(super) subscriptions: Vec<Subscription>,
    pub(super) properties: Properties,
    pub(super) unsubscriptions: Vec<ByteString>,
    pub(super) unsubscribe_properties: Properties,
}

/// What ends the command, beside a signal.
pub(super) struct End {
    /// So many messages printed.
    pub(super) count: Option<u64>,
    /// The time of the whole command.
    pub(super) limit: Limit,
    /// So long without a message.
    pub(super) idle: Option<Duration>,
    /// The broker's answer to what it was asked for.
    pub(super) answered: bool,
    /// The first message that was not retained, or quiet before it.
    pub(super) live: bool,
}

impl Plan {
    /// The plan, which messages are meant, and where they go.
    ///
    /// # Errors
    /// [`Exit::Usage`] when options contradict each other or say what MQTT cannot; [`Exit::Failed`] when there is no such
    /// command.
    pub(super) fn new(
        args: &SubscribeArgs,
        dialect: Dialect,
    ) -> anyhow::Result<(Plan, Selection, Sink)> {
        let target = connection::target_as(&args.connection, dialect)?;
        let mut options = target.options;
        connection::set_session(&mut options, &args.session)?;
        options.will = connection::will(&args.will, &mut options)?;
        if let (Some(count @ ..FEW), None) = (args.count, options.receive_maximum) {
            options.receive_maximum = u16::try_from(count).ok();
        }
        if asks_for_mqtt_5(args) {
            options.need_version_5();
        }
        let carried = set_client(&args.client, &mut options, dialect)?;
        let mut request = Request::new(args, target.topic)?;
        for property in carried.subscribe.0 {
            add(&mut request.properties, property)?;
        }
        request.unsubscribe_properties = carried.unsubscribe;
        let selection = Selection::new(args)?;
        let limit = Limit::new(args.timeout, dialect, &mut options);
        let plan = Plan {
            options,
            removes_retained: args.remove_retained,
            throttle: args.throttle,
            end: End {
                count: args.count,
                limit,
                idle: args.idle,
                answered: args.exit_after_subscribe || request.subscriptions.is_empty(),
                live: args.retained_only,
            },
            request,
            dialect,
        };
        Ok((plan, selection, sink(args, dialect)?))
    }
}

/// Where messages go.
fn sink(args: &SubscribeArgs, dialect: Dialect) -> anyhow::Result<Sink> {
    if let Some(exec) = Exec::of(&args.exec)? {
        let workers = Workers::new(exec, args.exec_workers);
        return Ok(Sink::Commands(Commands::new(workers, args.ack_after_exec)));
    }
    let format = format(args, dialect);
    let form = Form {
        zone: format.zone(),
        format,
        line_feed: !args.no_line_feed,
    };
    let Some(name) = &args.output else {
        return Ok(Sink::Stdout(form, Outlet::stdout()));
    };
    let rotation = Rotation {
        size: args.rotate_size,
        age: args.rotate_every,
        keep: args.keep,
    };
    if rotation.keep.is_some() {
        if rotation.size.is_none() && rotation.age.is_none() && !name.has_time() {
            return Err(Exit::Usage.because(
                "--keep is for files that follow each other; add --rotate-size, --rotate-every or a time in the name of --output",
            ));
        }
        if name.has_time_in_folder() {
            return Err(Exit::Usage.because(
                "--keep counts the files of one folder; put the time in the file's name and not in that of the folder",
            ));
        }
    }
    let files = Files::new(name.clone(), rotation, TimeZone::system());
    Ok(Sink::Files(form, files))
}

/// The form that was asked for; if none was, the pretty one for a terminal and the plain one for anything else.
fn format(args: &SubscribeArgs, dialect: Dialect) -> MessageFormat {
    let is_form_typed = args.verbose || args.no_line_feed || args.encode.is_some();
    let is_pretty = match args.pretty {
        When::Always => true,
        When::Never => false,
        // mosquitto_sub prints on a terminal what it prints elsewhere.
        When::Auto if dialect != Dialect::Ours => false,
        When::Auto => !is_form_typed && args.output.is_none() && std::io::stdout().is_terminal(),
    };
    let encoding = match args.encode {
        None => Encoding::Raw,
        Some(EncodingArg::Hex) => Encoding::Hexadecimal,
        Some(EncodingArg::Base64) => Encoding::Base64,
    };
    match (&args.format, args.json, args.verbose) {
        (Some(template), ..) => {
            let json = dialect.json(args.pretty == When::Always);
            MessageFormat::Template(template.clone().with_json(json))
        }
        (None, true, _) => MessageFormat::Json,
        _ if is_pretty => MessageFormat::Pretty {
            in_color: args.output.is_none() && SHOULD_COLORIZE.should_colorize(),
        },
        (None, false, true) => MessageFormat::Verbose(encoding),
        (None, false, false) => MessageFormat::Payload(encoding),
    }
}

/// Whether an option was typed that the older versions cannot say.
fn asks_for_mqtt_5(args: &SubscribeArgs) -> bool {
    args.no_local
        || args.retain_as_published
        || args.retain_handling.is_some()
        || args.subscription_identifier.is_some()
}

impl Request {
    fn new(args: &SubscribeArgs, from_url: Option<UrlTopic>) -> anyhow::Result<Request> {
        let mut filters = args.topics.filters.clone();
        match from_url {
            Some(UrlTopic::Typed(topic)) => filters.push((topic, args.topics.qos)),
            Some(UrlTopic::Environment(topic))
                if filters.is_empty() && args.unsubscribe.is_empty() =>
            {
                filters.push((topic, args.topics.qos));
            }
            _ => {}
        }
        if filters.is_empty() && args.unsubscribe.is_empty() {
            return Err(Exit::Usage.because("nothing to subscribe to; add --topic FILTER"));
        }
        for filter in filters
            .iter()
            .map(|(filter, _)| filter)
            .chain(&args.unsubscribe)
        {
            check_filter(filter)?;
            if args.no_local && topic::share_of(filter).is_some() {
                return Err(Exit::Usage.because(format!(
                    "{filter} is shared with others, and MQTT does not allow --no-local for it"
                )));
            }
        }
        let retain_handling = match (args.no_retained, args.retain_handling) {
            (true, _) | (false, Some(RetainHandlingArg::Never)) => RetainHandling::Never,
            (false, Some(RetainHandlingArg::New)) => RetainHandling::IfNew,
            (false, Some(RetainHandlingArg::Always) | None) => RetainHandling::Always,
        };
        let subscription = |(filter, qos): (String, u8)| Subscription {
            filter: filter.into(),
            qos: QoS::from_number(qos).unwrap_or_default(),
            no_local: args.no_local,
            retain_as_published: args.retain_as_published,
            retain_handling,
        };
        let identifier = args
            .subscription_identifier
            .map(Property::SubscriptionIdentifier);
        Ok(Request {
            subscriptions: filters.into_iter().map(subscription).collect(),
            properties: Properties(identifier.into_iter().collect()),
            unsubscriptions: args
                .unsubscribe
                .iter()
                .map(|filter| filter.as_str().into())
                .collect(),
            unsubscribe_properties: Properties::default(),
        })
    }
}

/// Whether a filter may be subscribed to.
///
/// # Errors
/// [`Exit::Usage`] when it may not.
pub(in crate::commands) fn check_filter(filter: &str) -> anyhow::Result<()> {
    match topic::is_valid_subscription(filter) {
        true => Ok(()),
        false => Err(not_a_filter(filter)),
    }
}

/// The words for a filter that is none.
pub(super) fn not_a_filter(filter: &str) -> anyhow::Error {
    Exit::Usage.because(match filter.len() {
        0 => "a topic filter is empty".to_owned(),
        65_536.. => "a topic filter is longer than 65535 bytes".to_owned(),
        _ => format!(
            "{filter:?} is no topic filter: + stands for a whole level, # for all that follow and at the end only"
        ),
    })
}
