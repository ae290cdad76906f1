//! Numbers as C's `atoi`, `atof` and `strtol` read them: what comes behind the number does not matter, and where there is
//! none it is 0.

/// The whole number at the beginning of a text; one out of range becomes the nearest that is not.
pub(super) fn atol(text: &str) -> i64 {
    let text = text.trim_start_matches([' ', '\t', '\n', '\x0B', '\x0C', '\r']);
    let (sign, digits) = match text.as_bytes() {
        [b'-', ..] => (-1, &text[1..]),
        [b'+', ..] => (1, &text[1..]),
        _ => (1, text),
    };
    let digits = digits.bytes().take_while(u8::is_ascii_digit);
    digits.fold(0, |number: i64, digit| {
        number
            .saturating_mul(10)
            .saturating_add(sign * i64::from(digit - b'0'))
    })
}

/// As [`atol`], in 32 bits, of which the upper ones are lost.
pub(super) fn atoi(text: &str) -> i32 {
    atol(text) as i32
}

/// The decimal number at the beginning of a text.
pub(super) fn atof(text: &str) -> f64 {
    let text = text.trim_start_matches([' ', '\t', '\n', '\x0B', '\x0C', '\r']);
    let ends = (0..=text.len())
        .rev()
        .filter(|end| text.is_char_boundary(*end));
    let numbers = ends.filter(|end| {
        text[..*end]
            .bytes()
            .all(|byte| b"+-.eE0123456789".contains(&byte))
    });
    numbers
        .filter_map(|end| text[..end].parse().ok())
        .next()
        .unwrap_or(0.0)
}

/// A whole text as a number, in octal after `0` and hexadecimal after `0x`; `None` if it is none.
pub(super) fn strtol(text: &str) -> Option<i64> {
    let text = text.trim_start();
    let (negative, digits) = match text.strip_prefix(['-', '+']) {
        Some(digits) => (text.starts_with('-'), digits),
        None => (false, text),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', _, ..] => (16, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    let number = i64::from_str_radix(digits, radix).unwrap_or(i64::MAX);
    Some(if negative { -number } else { number })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_read_as_c_reads_them() {
        for (text, number) in [
            ("", 0),
            ("abc", 0),
            ("-", 0),
            (" 12x", 12),
            ("-5", -5),
            ("+7", 7),
            ("99999999999999999999", i64::MAX),
            ("-99999999999999999999", i64::MIN),
        ] {
            assert_eq!(atol(text), number, "{text}");
        }
        for (text, number) in [
            ("", 0.0),
            ("x", 0.0),
            (".5x", 0.5),
            ("1e1-", 10.0),
            ("-2.5", -2.5),
            ("5.", 5.0),
        ] {
            assert_eq!(atof(text), number, "{text}");
        }
        for (text, number) in [
            ("", None),
            ("5z", None),
            ("0x", None),
            ("0x10", Some(16)),
            ("010", Some(8)),
            ("0", Some(0)),
            ("-1", Some(-1)),
        ] {
            assert_eq!(strtol(text), number, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_number_with_anything_behind_it_is_itself(number: i64, behind in "([^0-9].*)?") {
            prop_assert_eq!(atol(&format!("{number}{behind}")), number);
        }

        #[test]
        fn no_text_is_too_strange(text: String) {
            let _ = (atol(&text), atoi(&text), atof(&text), strtol(&text));
        }
    }
}
