//! Numbers of bytes as people write them. How many make sense is for whoever asks for them.

/// `64`, `500k`, `10M` or `1G`, by powers of 1024; `10 MiB` and `10MB` are the same.
pub fn bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.trim_end_matches(|letter: char| !letter.is_ascii_digit());
    let unit = text[digits.len()..].trim_start().to_ascii_lowercase();
    let factor = match &*unit {
        "" | "b" => 1,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        _ => return None,
    };
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.parse::<u64>().ok().filter(|_| is_number)?;
    number.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_unit_is_a_power_of_1024() {
        for (text, expected) in [
            ("0", Some(0)),
            ("4095", Some(4095)),
            (" 8k ", Some(8192)),
            ("8K", Some(8192)),
            ("500kB", Some(500 << 10)),
            ("3m", Some(3 << 20)),
            ("10 MiB", Some(10 << 20)),
            ("10MB", Some(10 << 20)),
            ("7B", Some(7)),
            ("1G", Some(1 << 30)),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", None),
            ("99999999999999G", None),
            ("", None),
            ("k", None),
            ("-1", None),
            ("+1", None),
            ("1.5G", None),
            ("1kk", None),
            ("1kiBB", None),
            ("1iB", None),
            ("1 k 1", None),
            ("1T", None),
            ("1ü", None),
        ] {
            assert_eq!(bytes(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(number in 0_u64..1 << 30, (unit, factor) in prop::sample::select(vec![
            ("", 1), ("k", 1 << 10), ("M", 1 << 20), ("G", 1 << 30),
        ])) {
            prop_assert_eq!(bytes(&format!("{number}{unit}")), Some(number * factor));
        }

        #[test]
        fn no_text_makes_it_panic(text in "[0-9kKMG iBü.+-]{0,12}") {
            let _ = bytes(&text);
        }
    }
}
