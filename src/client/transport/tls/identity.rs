//! Who we are: the client's certificate and key, from PEM files or a PKCS#12 file, also encrypted ones.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use p12_keystore::{KeyStore, Pkcs12ImportPolicy};
use pkcs8::EncryptedPrivateKeyInfoRef;
use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;

use super::old_pem::OldPem;
use super::{TlsOptions, read};

/// The certificate, if there is one, and whether a broker has asked for it.
#[derive(Debug)]
pub(super) struct Identity {
    known: Option<Arc<CertifiedKey>>,
    asked_for: AtomicBool,
}

impl Identity {
    /// Reads the files.
    ///
    /// # Errors
    /// Which of them cannot be used, why, and what can be done about it.
    pub(super) fn load(
        options: &TlsOptions,
        provider: &CryptoProvider,
    ) -> Result<Identity, String> {
        let password = options.key_password.as_deref();
        let (source, pair) = match (&options.certificate, &options.pkcs12) {
            (Some(certificate), _) => {
                let source = match &options.key {
                    Some(key) => format!("--key {}", key.display()),
                    None => format!("--cert {}", certificate.display()),
                };
                (
                    source,
                    Some(pem(certificate, options.key.as_deref(), password)?),
                )
            }
            (None, Some(path)) => (
                format!("--pkcs12 {}", path.display()),
                Some(pkcs12(path, password)?),
            ),
            (None, None) => (String::new(), None),
        };
        let known = match pair {
            Some((certificates, key)) => {
                let known = CertifiedKey::from_der(certificates, key, provider);
                Some(Arc::new(known.map_err(|error| match error {
                    rustls::Error::InconsistentKeys(_) => {
                        format!("{source}: the key does not belong to the certificate of --cert")
                    }
                    error => format!("{source}: the key cannot be used: {error}"),
                })?))
            }
            None => None,
        };
        Ok(Identity {
            known,
            asked_for: AtomicBool::new(false),
        })
    }

    /// Whether there is a certificate.
    pub(super) fn is_known(&self) -> bool {
        self.known.is_some()
    }

    /// Whether a broker has asked for one.
    pub(super) fn is_asked_for(&self) -> bool {
        self.asked_for.load(Ordering::Relaxed)
    }
}

impl ResolvesClientCert for Identity {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.asked_for.store(true, Ordering::Relaxed);
        self.known.clone()
    }

    fn has_certs(&self) -> bool {
        self.is_known()
    }
}

type Pair = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn pem(certificate: &Path, key: Option<&Path>, password: Option<&[u8]>) -> Result<Pair, String> {
    let text = read(certificate, "--cert")?;
    let certificates =
        certificates(&text).ok_or_else(|| not_pem(certificate, "--cert", "certificate", "x509"))?;
    let (path, option, text) = match key {
        Some(path) => (path, "--key", read(path, "--key")?),
        None => (certificate, "--cert", text),
    };
    match private_key(&text, password) {
        Ok(Some(key)) => Ok((certificates, key)),
        Ok(None) if key.is_none() => Err(format!(
            "--cert {} contains no private key; add --key FILE",
            path.display()
        )),
        Ok(None) => Err(not_pem(path, option, "private key", "pkey")),
        Err(why) => Err(why.words(path, option)),
    }
}

/// What to do about a file without what is looked for.
pub(super) fn not_pem(path: &Path, option: &str, what: &str, command: &str) -> String {
    let path = path.display();
    format!(
        "{option} {path} contains no {what} in PEM form; one in DER form becomes that with: openssl {command} -inform der -in {path}"
    )
}

/// The certificates of a PEM text; `None` if there are none.
pub(super) fn certificates(text: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    certificates.ok().filter(|found| !found.is_empty())
}

/// Whether the key that the options name is encrypted, whatever they say about its password. One that cannot be read is not: what
/// is wrong with it is said when it is used.
pub(super) fn is_encrypted(options: &TlsOptions) -> bool {
    let pem = options.key.as_ref().or(options.certificate.as_ref());
    match (pem, &options.pkcs12) {
        (Some(path), _) => std::fs::read(path)
            .is_ok_and(|text| matches!(private_key(&text, None), Err(Locked::NoPassword))),
        (None, Some(path)) => std::fs::read(path).is_ok_and(|data| {
            let store = KeyStore::from_pkcs12(&data, "", Pkcs12ImportPolicy::Strict);
            matches!(store, Err(p12_keystore::error::Error::MacError(_)))
        }),
        (None, None) => false,
    }
}

/// Why an encrypted key stays closed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Locked {
    NoPassword,
    WrongPassword,
    /// It is locked with a cipher that is not known here.
    Cipher(String),
    Broken(String),
}

impl Locked {
    fn words(self, path: &Path, option: &str) -> String {
        let path = path.display();
        match self {
            Locked::NoPassword => {
                format!("the key in {option} {path} is encrypted; add --key-password-file FILE")
            }
            Locked::WrongPassword => {
                format!("the password does not open the key in {option} {path}")
            }
            Locked::Cipher(name) => format!(
                "the key in {option} {path} is encrypted with {name}, which this program does not know; openssl pkcs8 -topk8 -in {path} -out NEW.key makes one of it that can be read"
            ),
            Locked::Broken(error) => format!("the key in {option} {path} cannot be read: {error}"),
        }
    }
}

/// The first private key of a PEM text; `None` if there is none.
fn private_key(
    text: &[u8],
    password: Option<&[u8]>,
) -> Result<Option<PrivateKeyDer<'static>>, Locked> {
    let words = String::from_utf8_lossy(text);
    if let Some(encoded) = between(
        &words,
        "-----BEGIN ENCRYPTED PRIVATE KEY-----",
        "-----END ENCRYPTED PRIVATE KEY-----",
    ) {
        let password = password.ok_or(Locked::NoPassword)?;
        return decrypted(encoded, password).map(Some);
    }
    if let Some(key) = OldPem::find(&words) {
        return key.open(password.ok_or(Locked::NoPassword)?).map(Some);
    }
    match PrivateKeyDer::from_pem_slice(text) {
        Ok(key) => Ok(Some(key)),
        Err(rustls::pki_types::pem::Error::NoItemsFound) => Ok(None),
        Err(error) => Err(Locked::Broken(error.to_string())),
    }
}

fn decrypted(encoded: &str, password: &[u8]) -> Result<PrivateKeyDer<'static>, Locked> {
    let encoded: String = encoded.split_whitespace().collect();
    let broken = |error: &dyn std::fmt::Display| Locked::Broken(error.to_string());
    let der = BASE64.decode(encoded).map_err(|error| broken(&error))?;
    let locked = EncryptedPrivateKeyInfoRef::try_from(&der[..]).map_err(|error| broken(&error))?;
    let key = locked.decrypt(password).map_err(|error| match error {
        pkcs8::Error::EncryptedPrivateKey(pkcs8::pkcs5::Error::DecryptFailed) => {
            Locked::WrongPassword
        }
        error => Locked::Broken(error.to_string()),
    })?;
    Ok(PrivatePkcs8KeyDer::from(key.as_bytes().to_vec()).into())
}

fn between<'a>(text: &'a str, begin: &str, end: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(begin)?;
    Some(rest.split_once(end)?.0)
}

fn pkcs12(path: &Path, password: Option<&[u8]>) -> Result<Pair, String> {
    let data = read(path, "--pkcs12")?;
    let option = format!("--pkcs12 {}", path.display());
    if data.starts_with(b"-----BEGIN ") {
        return Err(format!(
            "{option} is in PEM form and no PKCS#12; such files are for --cert and --key"
        ));
    }
    let password = std::str::from_utf8(password.unwrap_or_default())
        .map_err(|_| format!("the password of {option} is not UTF-8 text"))?;
    let store = KeyStore::from_pkcs12(&data, password, Pkcs12ImportPolicy::Strict).map_err(
        |error| match (error, password) {
            (p12_keystore::error::Error::MacError(_), "") => {
                format!("{option} is encrypted; add --key-password-file FILE")
            }
            (p12_keystore::error::Error::MacError(_), _) => {
                format!("the password does not open {option}")
            }
            (error, _) => format!("{option} cannot be read: {error}"),
        },
    )?;
    let (_, chain) = store
        .private_key_chain()
        .ok_or_else(|| format!("{option} contains no private key with a certificate"))?;
    let certificates = chain
        .certs()
        .iter()
        .map(|certificate| CertificateDer::from(certificate.as_der().to_vec()))
        .collect();
    let key = PrivatePkcs8KeyDer::from(chain.key().as_der().to_vec());
    Ok((certificates, key.into()))
}
