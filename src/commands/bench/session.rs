//! What the options say of every client's session and of every message beside its payload.

use std::ffi::OsString;
use std::fs;

use anyhow::Context;

use crate::bench::plan::Session;
use crate::bench::plan::properties::MessageProperties;
use crate::bench::plan::session::Testament;
use crate::cli::bench::LoadArgs;
use crate::cli::bench::messages::MessageArgs;
use crate::cli::connection::WillArgs;
use crate::exit::Exit;
use crate::mqtt::QoS;

/// The session of every client.
///
/// # Errors
/// When the will's payload cannot be read.
pub(super) fn session(args: &LoadArgs) -> anyhow::Result<Session> {
    let properties = &args.session;
    Ok(Session {
        keep: args.disable_clean_session,
        keep_alive: None,
        expiry_interval: properties.session_expiry_interval.map(|extent| extent.0),
        receive_maximum: properties.receive_maximum,
        maximum_packet_size: properties.maximum_packet_size,
        topic_alias_maximum: properties.topic_alias_maximum,
        user_property: properties.connect_user_property.clone(),
        will: will(&args.will)?,
    })
}

fn will(args: &WillArgs) -> anyhow::Result<Option<Testament>> {
    let Some(topic) = &args.will_topic else {
        return Ok(None);
    };
    let payload = match &args.will_payload_file {
        Some(path) => fs::read_to_string(path)
            .with_context(|| format!("cannot read --will-payload-file {path:?} as text"))?,
        None => text("--will-payload", args.will_payload.as_ref())?.unwrap_or_default(),
    };
    Ok(Some(Testament {
        topic: topic
            .parse()
            .map_err(|words| Exit::Usage.because(format!("--will-topic: {words}")))?,
        payload,
        qos: QoS::from_number(args.will_qos).unwrap_or_default(),
        retain: args.will_retain,
        delay_interval: args.will_delay_interval,
        properties: MessageProperties {
            payload_format_indicator: args.will_payload_format_indicator,
            message_expiry_interval: args.will_message_expiry_interval,
            content_type: args.will_content_type.clone(),
            response_topic: args.will_response_topic.clone(),
            correlation_data: text(
                "--will-correlation-data",
                args.will_correlation_data.as_ref(),
            )?,
            user_property: args.will_user_property.clone(),
        },
    }))
}

/// What was typed, as a plan can say it.
fn text(option: &str, typed: Option<&OsString>) -> anyhow::Result<Option<String>> {
    let text = |typed: &OsString| {
        let text = typed.to_str().map(str::to_owned);
        text.ok_or_else(|| Exit::Usage.because(format!("{option} of a bench is UTF-8 text")))
    };
    typed.map(text).transpose()
}

/// What every message says beside its payload.
pub(super) fn message_properties(args: &MessageArgs) -> anyhow::Result<MessageProperties> {
    let MessageArgs {
        properties, asking, ..
    } = args;
    Ok(MessageProperties {
        payload_format_indicator: properties.payload_format_indicator,
        message_expiry_interval: properties.message_expiry_interval,
        content_type: properties.content_type.clone(),
        response_topic: asking.response_topic.clone(),
        correlation_data: text("--correlation-data", asking.correlation_data.as_ref())?,
        user_property: properties.user_property.clone(),
    })
}
