//! What the clients have in common beside the connection: how much they say, how much they send ahead, and `-D`.

use std::ffi::OsString;

use clap::Args;
use clap::builder::{OsStringValueParser, TypedValueParser};

use crate::mqtt::typed::TypedProperty;
use crate::output::Template;

/// A format string, which may have bytes in it that are no UTF-8.
pub(super) fn format_string() -> impl TypedValueParser<Value = Template> {
    OsStringValueParser::new().try_map(|text| Template::parse(text.as_encoded_bytes()))
}

/// Flattened into `pub`, `sub` and `req`.
#[derive(Debug, Clone, Default, Args)]
pub struct ClientArgs {
    /// Say on stderr which packets are sent and received
    #[arg(short, long)]
    pub debug: bool,

    /// Say nothing on stderr once the command line is understood; the exit status tells
    #[arg(long)]
    pub quiet: bool,

    /// Most messages of QoS 1 and 2 under way at a time [default: 1000; at QoS 2 before MQTT 5, 20]
    #[arg(short = 'M', long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Session")]
    pub max_inflight: Option<u32>,

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

    /// The same, in the one word that `TypedProperty` is displayed as
    #[arg(long, hide = true)]
    pub property_on_wire: Vec<TypedProperty>,
}
