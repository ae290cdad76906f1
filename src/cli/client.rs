//! What the clients have in common beside the connection: how much they say, how much they send ahead, `-D` and `-F`.

use clap::Args;
use clap::builder::{OsStringValueParser, TypedValueParser};

use super::properties::PacketPropertyArgs;
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

    #[command(flatten)]
    #[allow(missing_docs)]
    pub properties: PacketPropertyArgs,

    /// The same, in the one word that `TypedProperty` is displayed as
    #[arg(long, hide = true)]
    pub property_on_wire: Vec<TypedProperty>,
}
