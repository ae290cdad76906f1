//! What the options of `-D`, `-M` and `-d` mean for a client.

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::cli::client::ClientArgs;
use crate::client::ConnectOptions;
use crate::client::trace::Tracer;
use crate::dialect::Dialect;
use crate::exit::Exit;
use crate::mqtt::typed::{Carrier, TypedProperty};
use crate::mqtt::{Properties, Property};
use crate::output::debug::DebugLines;
use crate::output::say;

/// The properties of `-D`, by the packet that carries them.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct CarriedProperties {
    pub(super) publish: Properties,
    pub(super) subscribe: Properties,
    pub(super) unsubscribe: Properties,
}

/// Puts what concerns the connection into `options`, whose will must be there already, and returns the rest.
///
/// # Errors
/// [`Exit::Usage`] when a property is none, is given twice, or is of a will that is not there.
pub(super) fn set_client(
    args: &ClientArgs,
    options: &mut ConnectOptions,
    dialect: Dialect,
) -> anyhow::Result<CarriedProperties> {
    options.tracer = args.debug.then(|| tracer(dialect, args.quiet));
    options.max_in_flight = args
        .max_inflight
        .map(|most| u16::try_from(most).unwrap_or(u16::MAX));
    if dialect != Dialect::Ours {
        // Mosquitto's library says so of itself in every CONNECT.
        options.receive_maximum.get_or_insert(20);
        // And waits for CONNACK until a PINGRESP would be missed.
        options.answer_timeout = Some(Duration::from_secs(options.keep_alive.into()));
    }
    let mut carried = CarriedProperties::default();
    for TypedProperty { carrier, property } in typed(args)? {
        options.need_version_5();
        match (carrier, property) {
            (Carrier::Connect, Property::SessionExpiryInterval(seconds)) => {
                options.session_expiry = seconds;
            }
            (Carrier::Connect, Property::ReceiveMaximum(most)) => {
                options.receive_maximum = Some(most);
            }
            (Carrier::Connect, property) => add(&mut options.properties, property)?,
            (Carrier::Will, property) => {
                let Some(will) = &mut options.will else {
                    return Err(Exit::Usage.because("a property of the will, and no --will-topic"));
                };
                add(&mut will.properties, property)?;
            }
            (Carrier::Publish, property) => add(&mut carried.publish, property)?,
            (Carrier::Subscribe, property) => add(&mut carried.subscribe, property)?,
            (Carrier::Unsubscribe, property) => add(&mut carried.unsubscribe, property)?,
            (Carrier::Disconnect, property) => add(&mut options.disconnect, property)?,
        }
    }
    Ok(carried)
}

/// Says each packet: on stdout as one of mosquitto's clients, else on stderr.
fn tracer(dialect: Dialect, is_quiet: bool) -> Tracer {
    let lines = Mutex::new(DebugLines::new(
        dialect.mosquitto().map(|mosquitto| mosquitto.program),
        is_quiet,
    ));
    Tracer::new(move |direction, packet| {
        let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = lines.of(direction, packet);
        match dialect {
            Dialect::Ours => lines.lines().for_each(say),
            // A reader who has left is noticed where messages are written.
            Dialect::Mosquitto(_) => drop(std::io::stdout().write_all(lines.as_bytes())),
        }
    })
}

fn typed(args: &ClientArgs) -> anyhow::Result<Vec<TypedProperty>> {
    let mut all = typed_properties(&args.properties.property)?;
    all.extend(args.property_on_wire.iter().cloned());
    checked(all)
}

/// The words of all `-D` stand behind each other; each property knows how many are its own.
///
/// # Errors
/// [`Exit::Usage`] when a property is none, or MQTT does not allow its value.
pub(super) fn typed_properties(words: &[OsString]) -> anyhow::Result<Vec<TypedProperty>> {
    let words: Vec<&OsStr> = words.iter().map(AsRef::as_ref).collect();
    let mut rest = &words[..];
    let mut all = Vec::new();
    while !rest.is_empty() {
        let (property, taken) = TypedProperty::parse(rest, |text| text.parse().ok())
            .map_err(|fault| Exit::Usage.because(format!("--property: {fault}")))?;
        all.push(property);
        rest = &rest[taken..];
    }
    checked(all)
}

fn checked(all: Vec<TypedProperty>) -> anyhow::Result<Vec<TypedProperty>> {
    match all.iter().find_map(TypedProperty::fault) {
        Some(words) => Err(Exit::Usage.because(format!("--property: {words}"))),
        None => Ok(all),
    }
}

/// A packet has one property of a kind, but user properties as often as wanted (MQTT 5, 2.2.2.2).
pub(super) fn add(properties: &mut Properties, property: Property) -> anyhow::Result<()> {
    let kind = std::mem::discriminant(&property);
    let is_there = |other: &Property| std::mem::discriminant(other) == kind;
    if !matches!(property, Property::UserProperty(..)) && properties.0.iter().any(is_there) {
        return Err(Exit::Usage.because(format!("a property is given twice: {property:?}")));
    }
    properties.push(property);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Endpoint;
    use crate::mqtt::Version;
    use clap::Parser;

    #[derive(Parser)]
    struct Options {
        #[command(flatten)]
        client: ClientArgs,
    }

    fn meant(line: &str) -> anyhow::Result<(ConnectOptions, CarriedProperties)> {
        let words = std::iter::once("mqtt").chain(line.split_whitespace());
        let args = Options::try_parse_from(words)?.client;
        let mut options = ConnectOptions::new(Endpoint::default());
        let carried = set_client(&args, &mut options, Dialect::Ours)?;
        Ok((options, carried))
    }

    #[test]
    fn each_packet_gets_its_own_properties() {
        let (options, carried) = meant(
            "-D publish user-property k -1 -D publish content-type x -d -D connect session-expiry-interval 9 \
             -D connect topic-alias-maximum 3 -D disconnect reason-string bye -M 5",
        )
        .unwrap();
        assert_eq!(options.version, Version::V5);
        assert_eq!(
            (options.session_expiry, options.max_in_flight),
            (9, Some(5))
        );
        assert_eq!(options.properties.0, [Property::TopicAliasMaximum(3)]);
        assert_eq!(
            carried.publish.0,
            [
                Property::UserProperty("k".into(), "-1".into()),
                Property::ContentType("x".into())
            ]
        );
        assert_eq!(options.disconnect.0, [Property::ReasonString("bye".into())]);
    }

    #[test]
    fn wrong_words_are_usage_errors() {
        for (line, words) in [
            (
                "-D publish content-type a b",
                "--property: a property is a command, a name and a value",
            ),
            (
                "-D publish user-property a -d",
                "--property: a property is a command",
            ),
            (
                "-D publish colour a",
                "--property: there is no property \"colour\"",
            ),
            (
                "-D publish topic-alias a",
                "--property: topic-alias takes a whole number, not \"a\"",
            ),
            (
                "-D connect receive-maximum 0",
                "--property: the receive maximum is 0",
            ),
            (
                "-D connect maximum-packet-size 0",
                "--property: the maximum packet size is 0",
            ),
            (
                "-D subscribe subscription-identifier 0",
                "--property: the subscription identifier is 0",
            ),
            (
                "-D publish payload-format-indicator 2",
                "--property: the payload format indicator is neither 0 nor 1",
            ),
            (
                "-D will response-topic a/#",
                "--property: the response topic is empty or contains wildcards",
            ),
            (
                "-D publish topic-alias 0",
                "--property: the topic alias is 0",
            ),
            (
                "-D publish content-type a -D publish content-type b",
                "a property is given twice: ContentType",
            ),
        ] {
            let error = meant(line).err().unwrap();
            assert!(error.to_string().starts_with(words), "{line}: {error}");
            assert_eq!(crate::exit::of(&error), Exit::Usage);
        }
    }
}
