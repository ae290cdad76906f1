//! Numbers and times as people read them.

use std::time::Duration;

/// A duration with three digits and the unit that fits: `120 µs`, `3.42 ms`, `1.20 s`.
pub fn time(duration: Duration) -> String {
    let us = duration.as_secs_f64() * 1e6;
    let (value, unit) = match us {
        ..999.5 => return format!("{us:.0} µs"),
        ..999_500.0 => (us / 1e3, "ms"),
        _ => (us / 1e6, "s"),
    };
    let digits = match value {
        ..9.995 => 2,
        ..99.95 => 1,
        _ => 0,
    };
    format!("{value:.digits$} {unit}")
}

/// A time in seconds, as it stands in a saved run. What is no time is none.
pub fn seconds(seconds: f64) -> String {
    time(Duration::try_from_secs_f64(seconds).unwrap_or_default())
}

/// A number without fractions, its thousands apart; below ten with what it needs.
pub fn whole(number: f64) -> String {
    if number < 10.0 && number.fract() > 0.005 {
        return format!("{number:.2}");
    }
    let digits = format!("{number:.0}");
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_three_digits_and_the_unit_that_fits() {
        for (us, expected) in [
            (0, "0 µs"),
            (7, "7 µs"),
            (999, "999 µs"),
            (1000, "1.00 ms"),
            (12_345, "12.3 ms"),
            (999_499, "999 ms"),
            (999_500, "1.00 s"),
            (61_000_000, "61.0 s"),
        ] {
            assert_eq!(time(Duration::from_micros(us)), expected);
        }
    }

    #[test]
    fn thousands_are_apart() {
        for (number, expected) in [
            (0.0, "0"),
            (0.5, "0.50"),
            (12.6, "13"),
            (999.0, "999"),
            (1000.0, "1,000"),
            (1_234_567.0, "1,234,567"),
        ] {
            assert_eq!(whole(number), expected);
        }
    }
}
