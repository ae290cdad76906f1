//! `-D` of a bench: properties by the packet that carries them, put where the options of the same meaning are. From there on
//! nobody knows which way they were typed.

use crate::cli::bench::LoadArgs;
use crate::cli::connection::Extent;
use crate::commands::client::typed_properties;
use crate::exit::Exit;
use crate::mqtt::Property;
use crate::mqtt::typed::{Carrier, TypedProperty};

/// The same options with every `-D` among them.
///
/// # Errors
/// [`Exit::Usage`] when a property is none, is said twice, or is one that a bench's packets do not carry.
pub(super) fn spelled_out(args: &LoadArgs) -> anyhow::Result<LoadArgs> {
    let mut args = args.clone();
    for TypedProperty { carrier, property } in typed_properties(&args.properties.property)? {
        match carrier {
            Carrier::Connect => connect(&mut args, property)?,
            Carrier::Publish => publish(&mut args, property)?,
            Carrier::Will => will(&mut args, property)?,
            Carrier::Subscribe | Carrier::Unsubscribe | Carrier::Disconnect => {
                return Err(Exit::Usage.because(
                    "-D in `mqtt bench` is for connect, publish and will: its clients subscribe and leave without properties",
                ));
            }
        }
    }
    Ok(args)
}

fn connect(args: &mut LoadArgs, property: Property) -> anyhow::Result<()> {
    let session = &mut args.session;
    match property {
        Property::SessionExpiryInterval(seconds) => once(
            "connect",
            &mut session.session_expiry_interval,
            Extent(seconds),
        ),
        Property::ReceiveMaximum(most) => once("connect", &mut session.receive_maximum, most),
        Property::MaximumPacketSize(bytes) => {
            once("connect", &mut session.maximum_packet_size, bytes)
        }
        Property::TopicAliasMaximum(most) => {
            once("connect", &mut session.topic_alias_maximum, most)
        }
        Property::UserProperty(name, value) => {
            let pair = (name.to_string(), value.to_string());
            session.connect_user_property.push(pair);
            Ok(())
        }
        other => Err(not_carried(&other)),
    }
}

fn publish(args: &mut LoadArgs, property: Property) -> anyhow::Result<()> {
    let messages = &mut args.messages;
    let properties = &mut messages.properties;
    match property {
        Property::PayloadFormatIndicator(is_text) => {
            properties.payload_format_indicator = is_text == 1;
            Ok(())
        }
        Property::MessageExpiryInterval(seconds) => {
            once("publish", &mut properties.message_expiry_interval, seconds)
        }
        Property::ContentType(text) => {
            once("publish", &mut properties.content_type, text.to_string())
        }
        Property::ResponseTopic(topic) => {
            once("publish", &mut messages.asking.response_topic, topic.to_string())
        }
        Property::CorrelationData(bytes) => {
            once("publish", &mut messages.asking.correlation_data, text(&bytes)?.into())
        }
        Property::UserProperty(name, value) => {
            let pair = (name.to_string(), value.to_string());
            properties.user_property.push(pair);
            Ok(())
        }
        Property::TopicAlias(_) => Err(Exit::Usage.because(
            "-D publish topic-alias would give all topics one number; --topic-alias gives each its own",
        )),
        other => Err(not_carried(&other)),
    }
}

fn will(args: &mut LoadArgs, property: Property) -> anyhow::Result<()> {
    let will = &mut args.will;
    if will.will_topic.is_none() {
        return Err(Exit::Usage.because("a property of the will, and no --will-topic"));
    }
    match property {
        Property::PayloadFormatIndicator(is_text) => {
            will.will_payload_format_indicator = is_text == 1;
            Ok(())
        }
        Property::MessageExpiryInterval(seconds) => {
            once("will", &mut will.will_message_expiry_interval, seconds)
        }
        Property::WillDelayInterval(seconds) => {
            once("will", &mut will.will_delay_interval, seconds)
        }
        Property::ContentType(text) => once("will", &mut will.will_content_type, text.to_string()),
        Property::ResponseTopic(topic) => {
            once("will", &mut will.will_response_topic, topic.to_string())
        }
        Property::CorrelationData(bytes) => once(
            "will",
            &mut will.will_correlation_data,
            text(&bytes)?.into(),
        ),
        Property::UserProperty(name, value) => {
            let pair = (name.to_string(), value.to_string());
            will.will_user_property.push(pair);
            Ok(())
        }
        other => Err(not_carried(&other)),
    }
}

/// A packet has one property of a kind (MQTT 5, 2.2.2.2), whichever way it was typed.
fn once<T: std::fmt::Debug>(carrier: &str, place: &mut Option<T>, value: T) -> anyhow::Result<()> {
    match place.replace(value) {
        None => Ok(()),
        Some(first) => Err(Exit::Usage.because(format!(
            "a property of {carrier} is given twice, once as {first:?}"
        ))),
    }
}

fn text(bytes: &[u8]) -> anyhow::Result<String> {
    let text = std::str::from_utf8(bytes).map(str::to_owned);
    text.map_err(|_| Exit::Usage.because("correlation data of a bench is UTF-8 text"))
}

fn not_carried(property: &Property) -> anyhow::Error {
    Exit::Usage.because(format!(
        "the packets of a bench do not carry this property: {property:?}"
    ))
}
