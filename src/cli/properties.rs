//! The properties of MQTT 5 as options: those of a publish (3.3.2.3) by their names, and any by the packet that carries it.

use std::ffi::OsString;

use clap::Args;

/// Properties a publisher may give a message; flattened into `pub`, `req`, `reply` and `bench`. Any of them makes the
/// connection one of MQTT 5.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "MQTT 5 properties of the message")]
pub struct PropertyArgs {
    /// Content type, for example application/json
    #[arg(long, value_name = "TYPE", allow_hyphen_values = true)]
    pub content_type: Option<String>,

    /// Seconds after which the broker does not deliver the message any more
    #[arg(long, value_name = "SECONDS")]
    pub message_expiry_interval: Option<u32>,

    /// Say that the payload is UTF-8 text; one that is not is refused before it is sent
    #[arg(long)]
    pub payload_format_indicator: bool,

    /// Name and value of a user property, as often as wanted; their order is kept
    #[arg(long, value_name = "NAME=VALUE", value_parser = name_and_value, allow_hyphen_values = true)]
    pub user_property: Vec<(String, String)>,
}

/// Properties by which a message asks for a reply, for whoever does not wait for it; flattened into `pub` and `bench`.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "MQTT 5 properties of the message")]
pub struct AskingArgs {
    /// Topic a reply should go to, as an MQTT 5 property
    #[arg(long, value_name = "TOPIC", allow_hyphen_values = true)]
    pub response_topic: Option<String>,

    /// What a reply should repeat, as an MQTT 5 property
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub correlation_data: Option<OsString>,
}

/// Properties by the packet that carries them; flattened into `pub`, `sub`, `req` and `bench`.
#[derive(Debug, Clone, Default, Args)]
pub struct PacketPropertyArgs {
    /// Property of MQTT 5 for a packet, as often as wanted, as in -D publish content-type text/plain
    ///
    /// COMMAND is connect, publish, subscribe, unsubscribe, disconnect or will, and NAME one of the properties that packet
    /// may carry, as the specification writes it, with hyphens. A user-property has a name and a value of its own: -D publish
    /// user-property colour red. Makes the connection one of MQTT 5.
    #[arg(
        short = 'D',
        long,
        value_names = ["COMMAND", "NAME", "VALUE"],
        num_args = 3..=4,
        allow_negative_numbers = true,
        help_heading = "MQTT 5 properties"
    )]
    pub property: Vec<OsString>,
}

/// A user property, `NAME=VALUE`.
pub(super) fn name_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
        None => Err("write NAME=VALUE".to_owned()),
    }
}
