//! A span of time as it is typed and as it stands in a plan: `250ms`, `1m 30s`, or a bare number of seconds.

use std::time::Duration;

/// The longest. Any moment of today can be put off by it, whatever the clock counts in.
const LONGEST: Duration = Duration::from_secs(100 * 366 * 24 * 3600);

/// Reads a span.
///
/// # Errors
/// Says what a span looks like when the text is none, and when it is out of range.
pub fn parse(text: &str) -> Result<Duration, String> {
    let span = match text.trim().parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).ok(),
        Err(_) => Some(
            humantime::parse_duration(text.trim())
                .map_err(|error| format!("{error}; write for example 500ms, 10s, 1m 30s or 2.5"))?,
        ),
    };
    span.filter(|span| *span <= LONGEST)
        .ok_or_else(|| format!("{text} is out of range, 0 to 100 years"))
}

/// Reads a span that is not nothing.
///
/// # Errors
/// As for [`parse`], and for none at all.
pub fn positive(text: &str) -> Result<Duration, String> {
    match parse(text)? {
        Duration::ZERO => Err("it is longer than 0".to_owned()),
        span => Ok(span),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_span_has_units_or_is_in_seconds() {
        for (text, milliseconds) in [
            ("250ms", Some(250)),
            (" 1m 30s ", Some(90_000)),
            ("0.5", Some(500)),
            ("0", Some(0)),
            ("100y", Some(100 * 31_557_600_000)),
            ("101y", None),
            ("1e19", None),
            ("18446744073709551615s", None),
            ("-1", None),
            ("inf", None),
            ("NaN", None),
            ("", None),
            ("fast", None),
        ] {
            let expected = milliseconds.map(Duration::from_millis);
            assert_eq!(parse(text).ok(), expected, "{text}");
        }
        assert!(positive("0s").is_err());
    }

    proptest! {
        #[test]
        fn whatever_is_read_can_be_waited_for(text in "[0-9.e]{0,12} ?(ns|ms|s|m|h|days|y|)") {
            if let Ok(span) = parse(&text) {
                prop_assert!(Instant::now().checked_add(span).is_some());
            }
        }
    }
}
