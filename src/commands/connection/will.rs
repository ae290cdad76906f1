//! The will message the options describe.

use anyhow::Context;

use crate::cli::connection::WillArgs;
use crate::client::{ConnectOptions, Will};
use crate::commands::properties::{add_user_properties, check};
use crate::exit::Exit;
use crate::mqtt::{Properties, Property, QoS, topic};

/// The will the options describe. Properties make the connection one of MQTT 5.
///
/// # Errors
/// [`Exit::Usage`] when its topic cannot be published to or its payload is too long for CONNECT; [`Exit::Failed`] when its
/// payload cannot be read.
pub fn will(args: &WillArgs, options: &mut ConnectOptions) -> anyhow::Result<Option<Will>> {
    let Some(will_topic) = &args.will_topic else {
        return Ok(None);
    };
    if !topic::is_valid_topic_name(will_topic) {
        return Err(Exit::Usage.because(format!(
            "{will_topic:?} is no topic for a will: it must not be empty or contain + or #"
        )));
    }
    let payload = match (&args.will_payload, &args.will_payload_file) {
        (_, Some(path)) => std::fs::read(path)
            .with_context(|| format!("cannot read --will-payload-file {path:?}"))?,
        (text, None) => text.clone().unwrap_or_default().into_encoded_bytes(),
    };
    if payload.len() > usize::from(u16::MAX) {
        return Err(Exit::Usage.because("the payload of a will is at most 65535 bytes long"));
    }
    if args.will_payload_format_indicator && std::str::from_utf8(&payload).is_err() {
        return Err(Exit::Usage.because(
            "the payload of the will is not UTF-8, but --will-payload-format-indicator says that it is",
        ));
    }
    let properties = properties(args)?;
    if !properties.is_empty() {
        options.need_version_5();
    }
    Ok(Some(Will {
        topic: will_topic.as_str().into(),
        payload: payload.into(),
        qos: QoS::from_number(args.will_qos).unwrap_or_default(),
        retain: args.will_retain,
        properties,
    }))
}

fn properties(args: &WillArgs) -> anyhow::Result<Properties> {
    let mut properties = Properties::default();
    let mut add = |property: Option<Property>| properties.0.extend(property);
    add(args.will_delay_interval.map(Property::WillDelayInterval));
    add(args
        .will_payload_format_indicator
        .then_some(Property::PayloadFormatIndicator(1)));
    add(args
        .will_message_expiry_interval
        .map(Property::MessageExpiryInterval));
    if let Some(content_type) = &args.will_content_type {
        check("--will-content-type", content_type)?;
        add(Some(Property::ContentType(content_type.clone().into())));
    }
    if let Some(topic) = &args.will_response_topic {
        if !topic::is_valid_topic_name(topic) {
            return Err(Exit::Usage.because(format!(
                "{topic:?} is no topic to reply to: it must not be empty or contain + or #"
            )));
        }
        add(Some(Property::ResponseTopic(topic.clone().into())));
    }
    if let Some(data) = &args.will_correlation_data {
        if data.len() > usize::from(u16::MAX) {
            return Err(Exit::Usage.because("--will-correlation-data is longer than 65535 bytes"));
        }
        add(Some(Property::CorrelationData(
            data.clone().into_encoded_bytes().into(),
        )));
    }
    add_user_properties(
        &mut properties,
        &args.will_user_property,
        "--will-user-property",
    )?;
    Ok(properties)
}
