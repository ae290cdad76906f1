//! A load by the name that others measure by, and how much of it.

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};

use super::LOAD;
use crate::bench::plan::preset::{ALL, Preset};

/// A named load.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Presets")]
pub struct PresetArgs {
    /// A case of the Open MQTT Benchmark Suite: QoS 1, payloads of 16 bytes, keep alive 300 s unless -k says otherwise, 30 minutes
    /// unless --duration says less. --print-plan prints it, to be changed and run with --plan
    #[arg(
        long,
        value_name = "NAME",
        ignore_case = true,
        conflicts_with_all = LOAD,
        conflicts_with = "plan"
    )]
    pub preset: Option<Preset>,

    /// So much of the preset, as 0.01, 1% or 1/100, for a machine that cannot do all: that many fewer clients, each of which does the
    /// same; of a fan-out fewer subscribers, of connections also fewer a second
    #[arg(long, value_name = "FACTOR", default_value = "1", requires = "preset", value_parser = factor)]
    pub scale: f64,
}

impl ValueEnum for Preset {
    fn value_variants<'a>() -> &'a [Preset] {
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name).help(self.words))
    }
}

/// `0.01`, `1%` or `1/100`, from a ten-thousandth to ten.
fn factor(text: &str) -> Result<f64, String> {
    let number = |text: &str| text.trim().parse::<f64>().ok();
    let factor = match (text.split_once('/'), text.strip_suffix('%')) {
        (Some((one, other)), _) => number(one)
            .zip(number(other))
            .map(|(one, other)| one / other),
        (None, Some(percent)) => number(percent).map(|percent| percent / 100.0),
        (None, None) => number(text),
    };
    factor
        .filter(|factor| (0.0001..=10.0).contains(factor))
        .ok_or_else(|| "a factor from 0.0001 to 10 is wanted, as 0.01, 1% or 1/100".to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_factor_has_three_forms() {
        for text in ["0.01", "1%", "1/100", " 2 / 200 "] {
            assert_eq!(factor(text), Ok(0.01), "{text}");
        }
        for text in [
            "", "0", "-1", "1/0", "0/0", "nan", "inf", "11", "%", "1/", "a",
        ] {
            assert!(factor(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_factor_within_bounds_or_refused(text in ".{0,12}") {
            if let Ok(factor) = factor(&text) {
                prop_assert!((0.0001..=10.0).contains(&factor));
            }
        }
    }
}
