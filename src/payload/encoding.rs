//! Payloads written as text that stands for bytes: hexadecimal digits or base64.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;

/// Base64 with or without the padding at its end.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// How a payload is written where it is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encoding {
    /// As it is.
    #[default]
    Plain,
    /// Two hexadecimal digits a byte.
    Hex,
    /// Base64 (RFC 4648, 4).
    Base64,
}

impl Encoding {
    /// The bytes that are meant. White space between the digits does not count.
    ///
    /// # Errors
    /// Says what is wrong, and where.
    pub fn decode(self, written: Bytes) -> Result<Bytes, String> {
        match self {
            Encoding::Plain => Ok(written),
            Encoding::Hex => hex(&written),
            Encoding::Base64 => base64(&written),
        }
    }
}

/// The bytes that base64 stands for, white space between the digits aside.
///
/// # Errors
/// Says that it is none.
pub(super) fn base64(written: &[u8]) -> Result<Bytes, String> {
    let digits: Vec<u8> = written
        .iter()
        .copied()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    match BASE64.decode(digits) {
        Ok(bytes) => Ok(bytes.into()),
        Err(error) => Err(format!("it is not base64: {error}").to_lowercase()),
    }
}

fn hex(written: &[u8]) -> Result<Bytes, String> {
    let mut bytes = Vec::with_capacity(written.len() / 2);
    let mut high = None;
    for (position, byte) in written.iter().enumerate() {
        if byte.is_ascii_whitespace() {
            continue;
        }
        let digit = char::from(*byte).to_digit(16).ok_or_else(|| {
            format!(
                "it is not hexadecimal: {:?} at byte {}",
                char::from(*byte),
                position + 1
            )
        })? as u8;
        match high.take() {
            None => high = Some(digit),
            Some(high) => bytes.push(high * 16 + digit),
        }
    }
    match high {
        Some(_) => Err("it is not hexadecimal: the number of digits is odd".to_owned()),
        None => Ok(bytes.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn digits_become_bytes() {
        for (encoding, written, bytes) in [
            (Encoding::Plain, "0a", &b"0a"[..]),
            (Encoding::Hex, "", b""),
            (Encoding::Hex, "00 fF\n0a\n", b"\0\xff\n"),
            (Encoding::Base64, "AP8K", b"\0\xff\n"),
            (Encoding::Base64, "AP8=\n", b"\0\xff"),
            (Encoding::Base64, "AP8", b"\0\xff"),
            (Encoding::Base64, "\nA P8\n", b"\0\xff"),
        ] {
            assert_eq!(
                encoding.decode(written.into()).unwrap(),
                bytes,
                "{written:?}"
            );
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (encoding, written, words) in [
            (
                Encoding::Hex,
                "0",
                "it is not hexadecimal: the number of digits is odd",
            ),
            (Encoding::Hex, "0 x", "it is not hexadecimal: 'x' at byte 3"),
            (Encoding::Base64, "?", "it is not base64: "),
        ] {
            let error = encoding.decode(written.into()).unwrap_err();
            assert!(error.starts_with(words), "{error}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_survive(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            prop_assert_eq!(Encoding::Hex.decode(hex.into()), Ok(bytes.clone().into()));
            let base64 = base64::engine::general_purpose::STANDARD.encode(&bytes);
            prop_assert_eq!(Encoding::Base64.decode(base64.into()), Ok(bytes.into()));
        }

        #[test]
        fn anything_is_decoded_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..20)) {
            let _ = Encoding::Hex.decode(bytes.clone().into());
            let _ = Encoding::Base64.decode(bytes.into());
        }
    }
}
