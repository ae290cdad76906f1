//! Whom to believe: the broker's certificate against trusted issuers, its name and its pinned key.

use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme};

use super::words::{Disbelief, Distrust};
use super::{Peer, Pin, TlsOptions, identity, read, words};

/// What is asked of a certificate.
#[derive(Debug)]
pub(super) struct Trust {
    /// Checks issuers, validity and name; `None` for nothing of this.
    chain: Option<Arc<WebPkiServerVerifier>>,
    /// The trusted certificates by digest. A broker that uses one of them itself, as is common with self-made ones, is
    /// trusted, although it is not the certificate of an ordinary server.
    trusted: Vec<Pin>,
    checks_name: bool,
    pins: Vec<Pin>,
    peer: Peer,
    provider: Arc<CryptoProvider>,
}

impl Trust {
    /// Reads the trusted certificates.
    ///
    /// # Errors
    /// When there are none where they should be.
    pub(super) fn load(
        options: &TlsOptions,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Trust, String> {
        let mut roots = Vec::new();
        if let Some(path) = &options.ca_file {
            roots.extend(certificate_file(path, options.peer)?);
        }
        if let Some(path) = &options.ca_directory {
            roots.extend(certificate_directory(path)?);
        }
        let is_named = options.ca_file.is_some() || options.ca_directory.is_some();
        if options.use_os_store || !is_named && !options.insecure {
            roots.extend(os_store(is_named, options.peer)?);
        }
        let trusted = roots.iter().map(|root| Pin::of(root)).collect();
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(roots);
        let chain = match store.is_empty() {
            true if options.insecure && !is_named => None,
            true => {
                return Err(match &options.ca_file {
                    Some(path) => format!(
                        "{} {}: none of its certificates can be used",
                        options.peer.trust_option(),
                        path.display()
                    ),
                    None => "none of the trusted certificates can be used".to_owned(),
                });
            }
            false => Some(
                WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider.clone())
                    .build()
                    .map_err(|error| format!("the trusted certificates cannot be used: {error}"))?,
            ),
        };
        Ok(Trust {
            chain,
            trusted,
            checks_name: !options.insecure,
            pins: options.pins.clone(),
            peer: options.peer,
            provider: provider.clone(),
        })
    }

    fn check(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), Distrust> {
        if !self.pins.is_empty() {
            let pin = words::public_key(certificate).map(|key| Pin::of(&key));
            let pin = pin.ok_or(Distrust::Unreadable)?;
            if !self.pins.contains(&pin) {
                return Err(Distrust::Pin(pin));
            }
        }
        let Some(chain) = &self.chain else {
            return Ok(());
        };
        let verdict = chain.verify_server_cert(certificate, intermediates, name, &[], now);
        let Err(error) = verdict else { return Ok(()) };
        match error {
            rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            ) if !self.checks_name => Ok(()),
            error if self.trusted.contains(&Pin::of(certificate)) => {
                words::check_trusted(certificate, name, self.checks_name, now, &error)
            }
            error => Err(words::distrust(&error, certificate, intermediates, name)),
        }
    }
}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match self.check(certificate, intermediates, name, now) {
            Ok(()) => Ok(ServerCertVerified::assertion()),
            // Our own words travel inside the library's error.
            Err(why) => {
                let peer = self.peer;
                let disbelief = Arc::new(Disbelief { peer, why });
                Err(CertificateError::Other(OtherError(disbelief)).into())
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

fn certificate_file(path: &Path, peer: Peer) -> Result<Vec<CertificateDer<'static>>, String> {
    let option = peer.trust_option();
    identity::certificates(&read(path, option)?)
        .ok_or_else(|| identity::not_pem(path, option, "certificate", "x509"))
}

/// The certificates of all files; other files may lie beside them.
fn certificate_directory(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let unreadable = |error| format!("cannot read --capath {}: {error}", path.display());
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path).map_err(unreadable)? {
        let file = entry.map_err(unreadable)?.path();
        if file.is_file()
            && let Ok(text) = std::fs::read(&file)
        {
            found.extend(identity::certificates(&text).unwrap_or_default());
        }
    }
    match found.is_empty() {
        true => Err(format!(
            "--capath {}: no file in it contains a certificate in PEM form",
            path.display()
        )),
        false => Ok(found),
    }
}

/// What this system trusts. That some of it cannot be read is no reason not to use the rest.
fn os_store(is_optional: bool, peer: Peer) -> Result<Vec<CertificateDer<'static>>, String> {
    let found = rustls_native_certs::load_native_certs();
    match (found.certs.is_empty(), is_optional) {
        (true, false) => Err(format!(
            "this system has no trusted certificates (Debian: ca-certificates); name {peer}'s CA with {}",
            peer.trust_option()
        )),
        _ => Ok(found.certs),
    }
}
