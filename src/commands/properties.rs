//! From options to the MQTT 5 properties of a message.

use bytes::Bytes;

use crate::cli::properties::PropertyArgs;
use crate::client::ConnectOptions;
use crate::exit::Exit;
use crate::mqtt::{Properties, Property};

/// The properties that were asked for. If there are any, the connection will speak MQTT 5, as mosquitto_pub's does with
/// `-D`.
///
/// # Errors
/// [`Exit::Usage`] when one is longer than MQTT can say.
pub(super) fn message_properties(
    args: &PropertyArgs,
    options: &mut ConnectOptions,
) -> anyhow::Result<Properties> {
    let mut properties = Properties::default();
    if args.payload_format_indicator {
        properties.push(Property::PayloadFormatIndicator(1));
    }
    if let Some(seconds) = args.message_expiry_interval {
        properties.push(Property::MessageExpiryInterval(seconds));
    }
    if let Some(content_type) = &args.content_type {
        check("--content-type", content_type)?;
        properties.push(Property::ContentType(content_type.clone().into()));
    }
    add_user_properties(&mut properties, &args.user_property, "--user-property")?;
    if !properties.is_empty() {
        options.need_version_5();
    }
    Ok(properties)
}

/// Adds user properties in their order.
///
/// # Errors
/// As [`message_properties`].
pub(super) fn add_user_properties(
    properties: &mut Properties,
    pairs: &[(String, String)],
    option: &str,
) -> anyhow::Result<()> {
    for (name, value) in pairs {
        check(&format!("the name of a {option}"), name)?;
        check(&format!("the value of a {option}"), value)?;
        properties.push(Property::UserProperty(
            name.clone().into(),
            value.clone().into(),
        ));
    }
    Ok(())
}

/// Whether MQTT can say it: at most 65,535 bytes without NUL (1.5.4).
pub(super) fn check(what: &str, text: &str) -> anyhow::Result<()> {
    match text.len() {
        65_536.. => Err(Exit::Usage.because(format!("{what} is longer than 65535 bytes"))),
        _ if text.contains('\0') => Err(Exit::Usage.because(format!("{what} contains NUL"))),
        _ => Ok(()),
    }
}

/// Whether a payload may be sent that was announced as text.
///
/// # Errors
/// [`Exit::Usage`] when it is not UTF-8.
pub(super) fn check_payload(args: &PropertyArgs, payload: &Bytes) -> anyhow::Result<()> {
    match args.payload_format_indicator && std::str::from_utf8(payload).is_err() {
        true => Err(Exit::Usage
            .because("the payload is not UTF-8, but --payload-format-indicator says that it is")),
        false => Ok(()),
    }
}
