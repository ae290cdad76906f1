//! TLS, by rustls with ring: what to trust ([`trust`]), who we are ([`identity`]), and what went wrong ([`words`]).
//!
//! Certificates and keys are read when a [`Tls`] is made, the system's trusted certificates only then and only if nothing
//! else is named. Pre-shared keys are left out: rustls has none.

mod identity;
mod key_log;
mod old_pem;
mod suites;
mod trust;
mod words;

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio_rustls::TlsConnector;

use self::identity::Identity;
use self::trust::Trust;
use super::stream::Stream;

/// TLS over another stream.
pub type TlsStream = tokio_rustls::client::TlsStream<Stream>;

/// What TLS is to use and to trust: plain data.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct TlsOptions {
    /// Who is at the other end.
    pub peer: Peer,
    /// PEM file with the certificates of trusted issuers.
    pub ca_file: Option<PathBuf>,
    /// Folder of such files.
    pub ca_directory: Option<PathBuf>,
    /// Trust the system's issuers beside those of the file and the folder. Without these they are trusted anyway.
    pub use_os_store: bool,
    /// PEM file with our certificate and those of its issuers.
    pub certificate: Option<PathBuf>,
    /// PEM file with its private key; the same file when `None`.
    pub key: Option<PathBuf>,
    /// PKCS#12 file with both.
    pub pkcs12: Option<PathBuf>,
    /// What the key or the PKCS#12 file is encrypted with.
    pub key_password: Option<Bytes>,
    /// The name the broker's certificate has to have, and which is told to it (SNI); the host when `None`.
    pub server_name: Option<String>,
    /// Protocols to offer (ALPN), most wanted first.
    pub alpn: Vec<String>,
    /// The broker's key has to be one of these; empty for any.
    pub pins: Vec<Pin>,
    /// Do not check the broker's name; nor who issued its certificate, unless a CA file or folder is named.
    pub insecure: bool,
    /// The oldest version to speak.
    pub minimum_version: TlsVersion,
    /// Cipher suites, by their IANA or OpenSSL names; empty for all.
    pub ciphers: Vec<String>,
    /// Where to append the secrets of each connection, for a program that decrypts a recording of it.
    pub key_log: Option<PathBuf>,
}

/// Who is at the other end of TLS.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Peer {
    /// The broker.
    #[default]
    Broker,
    /// A proxy on the way to it.
    Proxy,
}

impl fmt::Display for Peer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Peer::Broker => "the broker",
            Peer::Proxy => "the proxy",
        })
    }
}

impl Peer {
    /// The option that names whom to trust.
    fn trust_option(self) -> &'static str {
        match self {
            Peer::Broker => "--cafile",
            Peer::Proxy => "--proxy-cafile",
        }
    }

    /// What one that does not speak TLS may be.
    fn without_tls(self) -> &'static str {
        match self {
            Peer::Broker => "is it a port without TLS (mqtt://, ws://)?",
            Peer::Proxy => "is it a proxy without TLS (http://)?",
        }
    }
}

impl TlsOptions {
    /// The file of our key, if its contents are encrypted; reads it.
    pub fn encrypted_key(&self) -> Option<&PathBuf> {
        let file = [&self.key, &self.certificate, &self.pkcs12];
        let file = file.into_iter().flatten().next();
        file.filter(|_| identity::is_encrypted(self))
    }
}

/// A password shows neither in a log nor in a panic.
impl fmt::Debug for TlsOptions {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("TlsOptions")
            .field("ca_file", &self.ca_file)
            .field("certificate", &self.certificate)
            .field("insecure", &self.insecure)
            .finish_non_exhaustive()
    }
}

/// A version of TLS.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TlsVersion {
    /// TLS 1.2.
    #[default]
    V12,
    /// TLS 1.3.
    V13,
}

/// The SHA-256 digest of a public key (SubjectPublicKeyInfo), written `sha256//BASE64` as curl does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Pin([u8; 32]);

impl Pin {
    /// Of this key.
    fn of(public_key: &[u8]) -> Pin {
        let digest = ring::digest::digest(&ring::digest::SHA256, public_key);
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest.as_ref());
        Pin(bytes)
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "sha256//{}", BASE64.encode(self.0))
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl FromStr for Pin {
    type Err = String;

    fn from_str(text: &str) -> Result<Pin, String> {
        let digest = text.strip_prefix("sha256//").unwrap_or_default();
        BASE64
            .decode(digest)
            .ok()
            .and_then(|digest| <[u8; 32]>::try_from(digest).ok())
            .map(Pin)
            .ok_or_else(|| {
                "a pin is sha256// and 44 characters of base64; a mismatch says what the broker's is".to_owned()
            })
    }
}

/// TLS, ready to be used for any number of connections to one host.
pub(super) struct Tls {
    connector: TlsConnector,
    name: ServerName<'static>,
    identity: Arc<Identity>,
    peer: Peer,
}

impl fmt::Debug for Tls {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Tls")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Tls {
    /// Reads what the options name, for connections to this host.
    ///
    /// # Errors
    /// Which file or option is of no use, and why.
    pub(super) fn new(options: &TlsOptions, host: &str) -> Result<Tls, String> {
        let name = server_name(options, host)?;
        let provider = Arc::new(suites::provider(&options.ciphers)?);
        let versions: &[_] = match options.minimum_version {
            TlsVersion::V12 => &[&rustls::version::TLS13, &rustls::version::TLS12],
            TlsVersion::V13 => &[&rustls::version::TLS13],
        };
        let identity = Arc::new(Identity::load(options, &provider)?);
        let trust = Trust::load(options, &provider)?;
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .map_err(|_| "--ciphers leaves none for this --tls-version".to_owned())?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(trust))
            .with_client_cert_resolver(identity.clone());
        config.alpn_protocols = options
            .alpn
            .iter()
            .map(|protocol| protocol.clone().into_bytes())
            .collect();
        if let Some(path) = &options.key_log {
            config.key_log = Arc::new(key_log::Appended::open(path)?);
        }
        Ok(Tls {
            connector: TlsConnector::from(Arc::new(config)),
            name,
            identity,
            peer: options.peer,
        })
    }

    /// The handshake.
    ///
    /// # Errors
    /// Why it failed, in words.
    pub(super) async fn connect(&self, stream: Stream) -> Result<Stream, String> {
        let stream = self.connector.connect(self.name.clone(), stream).await;
        match stream {
            Ok(stream) => Ok(Stream::Tls(Box::new(stream))),
            Err(error) if super::is_closed(&error) => Err(format!(
                "it closes the connection when TLS begins; {}",
                self.peer.without_tls()
            )),
            Err(error) => Err(self
                .words(&error)
                .unwrap_or_else(|| format!("TLS failed: {}", super::plain(&error)))),
        }
    }

    /// What rustls has to say, in words; `None` when the error is none of its own.
    pub(super) fn words(&self, error: &io::Error) -> Option<String> {
        let error = error.get_ref()?.downcast_ref::<rustls::Error>()?;
        Some(words::of(
            error,
            self.peer,
            self.identity.is_asked_for(),
            self.identity.is_known(),
        ))
    }

    /// Whether a broker has asked for a certificate, and we have none.
    pub(super) fn lacks_certificate(&self) -> bool {
        self.identity.is_asked_for() && !self.identity.is_known()
    }
}

fn server_name(options: &TlsOptions, host: &str) -> Result<ServerName<'static>, String> {
    let (name, flag) = match &options.server_name {
        Some(name) => (name.as_str(), "--tls-server-name"),
        // The zone of an IPv6 address is our own business.
        None => (
            host.split('%').next().unwrap_or(host),
            match options.peer {
                Peer::Broker => "--host",
                Peer::Proxy => "--proxy",
            },
        ),
    };
    ServerName::try_from(name.to_owned()).map_err(|_| {
        let advice = match (&options.server_name, options.peer) {
            (None, Peer::Broker) => "; --tls-server-name gives another",
            _ => "",
        };
        format!("{flag} {name:?} is no name that a certificate can have{advice}")
    })
}

/// The contents of a file that an option names.
fn read(path: &std::path::Path, option: &str) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("cannot read {option} {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_pin_is_a_digest_in_base64() {
        let pin = Pin::of(b"");
        let written = "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
        assert_eq!(pin.to_string(), written);
        assert_eq!(written.parse(), Ok(pin));
        for wrong in ["", "sha256//", "sha256//AAAA", &written[8..], "sha1//AAAA"] {
            assert!(wrong.parse::<Pin>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_name_to_check_is_the_host_without_its_zone_or_another_one() {
        let plain = TlsOptions::default();
        let name = |options: &TlsOptions, host| {
            server_name(options, host).map(|name| name.to_str().into_owned())
        };
        assert_eq!(name(&plain, "a.example").as_deref(), Ok("a.example"));
        assert_eq!(name(&plain, "fe80::1%eth0").as_deref(), Ok("fe80::1"));
        let other = TlsOptions {
            server_name: Some("b.example".to_owned()),
            ..TlsOptions::default()
        };
        assert_eq!(name(&other, "10.0.0.1").as_deref(), Ok("b.example"));
        assert!(
            name(&plain, "a b")
                .unwrap_err()
                .starts_with("--host \"a b\" is no name")
        );
    }

    proptest! {
        #[test]
        fn any_digest_can_be_written_and_read(bytes: [u8; 32]) {
            prop_assert_eq!(Pin(bytes).to_string().parse(), Ok(Pin(bytes)));
        }

        #[test]
        fn no_text_makes_the_parser_of_pins_panic(text in ".*") {
            let _ = text.parse::<Pin>();
        }
    }
}
