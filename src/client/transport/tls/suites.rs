//! Cipher suites by name: those of IANA and those of OpenSSL.

use rustls::crypto::{CryptoProvider, ring};
use rustls::{CipherSuite, SupportedCipherSuite};

/// The cryptography, restricted to the suites named. As in OpenSSL, naming suites of one TLS version leaves those of
/// the other as they are.
///
/// # Errors
/// For a name nobody knows, with those there are.
pub(super) fn provider(names: &[String]) -> Result<CryptoProvider, String> {
    let mut provider = ring::default_provider();
    let mut wanted = Vec::new();
    for name in names {
        let suite = provider
            .cipher_suites
            .iter()
            .find(|suite| is_called(suite.suite(), name));
        wanted.push(*suite.ok_or_else(|| unknown(name, &provider))?);
    }
    let is_restricted = |is_13: bool| wanted.iter().any(|suite| suite.tls13().is_some() == is_13);
    let restricted = [is_restricted(false), is_restricted(true)];
    let of_version = |suite: &SupportedCipherSuite| usize::from(suite.tls13().is_some());
    provider.cipher_suites = provider
        .cipher_suites
        .into_iter()
        .filter(|suite| !restricted[of_version(suite)])
        .chain(wanted)
        .collect();
    Ok(provider)
}

fn unknown(name: &str, provider: &CryptoProvider) -> String {
    let known: Vec<String> = provider
        .cipher_suites
        .iter()
        .map(|suite| openssl_name(suite.suite()))
        .collect();
    format!(
        "--ciphers: {name} is none of those this program has: {}",
        known.join(":")
    )
}

fn is_called(suite: CipherSuite, name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    name == iana_name(suite) || name == openssl_name(suite)
}

/// `TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256`, `TLS_AES_128_GCM_SHA256`.
fn iana_name(suite: CipherSuite) -> String {
    let name = format!("{suite:?}");
    name.replacen("TLS13_", "TLS_", 1)
}

/// `ECDHE-RSA-AES128-GCM-SHA256`; those of TLS 1.3 are called as IANA calls them.
fn openssl_name(suite: CipherSuite) -> String {
    let name = iana_name(suite);
    match name.strip_prefix("TLS_ECDHE") {
        None => name,
        Some(rest) => format!("ECDHE{rest}")
            .replace("_WITH_", "_")
            .replace("_AES_", "_AES")
            .replace("POLY1305_SHA256", "POLY1305")
            .replace('_', "-"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(names: &[&str]) -> Vec<String> {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let provider = provider(&names).unwrap();
        provider
            .cipher_suites
            .iter()
            .map(|suite| openssl_name(suite.suite()))
            .collect()
    }

    #[test]
    fn suites_are_known_by_the_names_of_openssl_and_of_iana() {
        let all = chosen(&[]);
        assert!(
            all.contains(&"ECDHE-ECDSA-AES256-GCM-SHA384".to_owned()),
            "{all:?}"
        );
        assert!(
            all.contains(&"ECDHE-RSA-CHACHA20-POLY1305".to_owned()),
            "{all:?}"
        );
        assert!(
            all.contains(&"TLS_AES_128_GCM_SHA256".to_owned()),
            "{all:?}"
        );
        let older = chosen(&["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"]);
        let newer = all.iter().filter(|name| name.starts_with("TLS_")).cloned();
        let expected: Vec<String> = newer
            .chain(["ECDHE-RSA-AES128-GCM-SHA256".to_owned()])
            .collect();
        assert_eq!(older, expected);
        assert_eq!(chosen(&["ecdhe-rsa-aes128-gcm-sha256"]), expected);
    }

    #[test]
    fn an_unknown_suite_is_an_error_that_lists_the_others() {
        let error = provider(&["RC4-MD5".to_owned()]).unwrap_err();
        assert!(
            error.starts_with(
                "--ciphers: RC4-MD5 is none of those this program has: TLS_AES_256_GCM_SHA384:"
            ),
            "{error}"
        );
    }
}
