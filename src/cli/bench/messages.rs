//! What the messages of a load are like: their payload, and where the measurement header goes.

use std::path::PathBuf;

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};

use crate::bench::plan::content::Order;
use crate::bench::plan::size::Size;
use crate::bench::role::message::Form;
use crate::cli::properties::{AskingArgs, PropertyArgs};

/// The messages of all publishers.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Messages")]
pub struct MessageArgs {
    /// Bytes of payload: 64, 4k or 1M; drawn for each message as uniform:64..4k, normal:1k:200 (mean and standard
    /// deviation) or exp:512 (mean); or a mix, 64:80%,4k:20%. At least 16 where it begins with the measurement header
    /// [default: 64]
    #[arg(long, value_name = "SIZE", conflicts_with_all = ["payload", "payload_file", "payload_lines"])]
    pub size: Option<Size>,

    /// Send TEXT instead of so many bytes; several, one after the other
    #[arg(
        short = 'm',
        long,
        value_name = "TEXT",
        allow_hyphen_values = true,
        conflicts_with_all = ["payload_file", "payload_lines"]
    )]
    pub payload: Vec<String>,

    /// Send the contents of FILE; several, one after the other
    #[arg(
        long,
        value_name = "FILE",
        value_hint = clap::ValueHint::FilePath,
        conflicts_with = "payload_lines"
    )]
    pub payload_file: Vec<PathBuf>,

    /// Send the lines of FILE, one after the other and then from the start
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub payload_lines: Option<PathBuf>,

    /// Which of several payloads a message carries; at random follows from --run
    #[arg(long, value_name = "ORDER", default_value = "turn")]
    pub payload_order: Order,

    /// Fill in {{count}}, {{now}}, {{uuid}}, {{rand 1 6}} and {{env NAME}} in the payloads, as mqtt pub does
    #[arg(long)]
    pub template: bool,

    /// Where a message carries what it is known again by [default: payload, with --payload and the like property]
    #[arg(long, value_name = "WHERE")]
    pub header: Option<Form>,

    /// Let the broker keep each topic's last message; at the end of the run they are taken away again
    #[arg(short, long)]
    pub retain: bool,

    /// Name each topic by a number from its second message on, as far as the broker allows (MQTT 5)
    #[arg(long)]
    pub topic_alias: bool,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub properties: PropertyArgs,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub asking: AskingArgs,
}

impl ValueEnum for Form {
    fn value_variants<'a>() -> &'a [Form] {
        &[Form::Payload, Form::Compact, Form::Property, Form::None]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self {
            Form::Payload => {
                "At the beginning of the payload: 32 bytes, in one that is smaller 20 or 16; before a text that is given"
            }
            Form::Compact => "The same with 20 bytes, or 16 where the payload has no more",
            Form::Property => "In a user property of MQTT 5; the payload stays as it is",
            Form::None => "Nowhere: rates only, neither latency nor what was lost",
        };
        Some(PossibleValue::new(self.name()).help(help))
    }
}

impl ValueEnum for Order {
    fn value_variants<'a>() -> &'a [Order] {
        &[Order::Turn, Order::Random]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self {
            Order::Turn => "One after the other",
            Order::Random => "Any of them",
        };
        Some(PossibleValue::new(self.name()).help(help))
    }
}
