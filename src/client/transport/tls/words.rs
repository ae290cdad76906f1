//! What went wrong with TLS, in words for people who have never seen rustls: what was found, and what to do next.

use std::fmt;

use jiff::Timestamp;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{AlertDescription, CertificateError, InvalidMessage};
use x509_parser::prelude::{FromDer, GeneralName, ParsedExtension, X509Certificate, X509Version};

use super::{Peer, Pin};

/// Whose certificate is not believed, and why.
#[derive(Debug)]
pub(super) struct Disbelief {
    pub(super) peer: Peer,
    pub(super) why: Distrust,
}

/// Why a certificate is not believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Distrust {
    /// Its validity has ended, at this time.
    Expired(String),
    /// Its validity begins at this time.
    NotYetValid(String),
    /// It is for others than the one expected.
    Name {
        expected: String,
        found: Vec<String>,
    },
    /// It names nobody in the place that counts; perhaps in the old one.
    NoName { old: Option<String> },
    /// Nobody trusted has issued it.
    Issuer { issuer: String, is_own: bool },
    /// Its key is none of those pinned.
    Pin(Pin),
    /// It is so old in form that nothing in it can say what it is for.
    OldForm,
    /// It is no certificate.
    Unreadable,
    /// In the library's words.
    Other(String),
}

impl std::error::Error for Disbelief {}

impl fmt::Display for Disbelief {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Disbelief { peer, why } = self;
        let trust = peer.trust_option();
        write!(out, "{peer}'s certificate ")?;
        match why {
            Distrust::Expired(date) => write!(
                out,
                "expired on {date}; it has to be renewed, if this machine's clock is right"
            ),
            Distrust::NotYetValid(date) => write!(
                out,
                "is not valid before {date}; is this machine's clock right?"
            ),
            Distrust::Name { expected, found } => write!(
                out,
                "is for {}, not for {expected}; {}",
                found.join(", "),
                match peer {
                    Peer::Broker => "use such a name as --host, or say it with --tls-server-name",
                    Peer::Proxy => "use such a name in --proxy",
                }
            ),
            Distrust::NoName { old } => {
                out.write_str("names no host as subject alternative name")?;
                if let Some(name) = old {
                    write!(out, ", only {name} as common name, which does not count any more")?;
                }
                match peer {
                    Peer::Broker => write!(out, "; it needs one, or --insecure beside {trust} leaves the name unchecked"),
                    Peer::Proxy => out.write_str("; it needs one"),
                }
            }
            Distrust::Issuer { issuer, is_own: true } => write!(
                out,
                "is issued by itself ({issuer}) and not trusted; trust it with {trust} FILE"
            ),
            Distrust::Issuer { issuer, is_own: false } => write!(
                out,
                "is issued by {issuer}, which is not trusted; trust that issuer with {trust} FILE"
            ),
            Distrust::Pin(pin) => write!(out, "has the key {pin}, which is not that of --tls-pin"),
            Distrust::OldForm => out.write_str(
                "is an X.509 certificate of version 1, as openssl makes without extensions; it needs a subject alternative name",
            ),
            Distrust::Unreadable => out.write_str("cannot be read"),
            Distrust::Other(words) => write!(out, "is not accepted: {words}"),
        }
    }
}

/// What an error of the library means. `is_asked`: the other side has asked for our certificate; `is_known`: we have one.
pub(super) fn of(error: &rustls::Error, peer: Peer, is_asked: bool, is_known: bool) -> String {
    match error {
        rustls::Error::InvalidCertificate(CertificateError::Other(other)) => other.to_string(),
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType)
        | rustls::Error::InvalidMessage(InvalidMessage::UnknownProtocolVersion) => {
            format!(
                "what answers there does not speak TLS; {}",
                peer.without_tls()
            )
        }
        rustls::Error::AlertReceived(alert) => alerted(*alert, peer, is_asked, is_known),
        rustls::Error::NoApplicationProtocol => {
            format!("{peer} speaks none of the protocols of --tls-alpn")
        }
        rustls::Error::PeerIncompatible(why) => {
            format!("{peer}'s TLS and this program's do not fit: {why:?}")
        }
        error => format!("TLS failed: {error}"),
    }
}

fn alerted(alert: AlertDescription, peer: Peer, is_asked: bool, is_known: bool) -> String {
    use AlertDescription as Alert;
    match alert {
        Alert::CertificateRequired => wants_certificate(peer),
        Alert::HandshakeFailure | Alert::BadCertificate | Alert::AccessDenied
            if is_asked && !is_known =>
        {
            wants_certificate(peer)
        }
        Alert::BadCertificate
        | Alert::UnsupportedCertificate
        | Alert::CertificateRevoked
        | Alert::CertificateExpired
        | Alert::CertificateUnknown
        | Alert::UnknownCA
        | Alert::DecryptError
        | Alert::AccessDenied
            if is_known =>
        {
            format!(
                "{peer} does not accept the certificate of --cert: {}",
                spaced(alert)
            )
        }
        Alert::HandshakeFailure | Alert::InsufficientSecurity => {
            format!(
                "{peer} and this program have no cipher in common; check --ciphers and --tls-version"
            )
        }
        Alert::ProtocolVersion => {
            format!("{peer} speaks no version of TLS that this program does; check --tls-version")
        }
        Alert::NoApplicationProtocol => {
            format!("{peer} speaks none of the protocols of --tls-alpn")
        }
        Alert::UnrecognisedName => {
            format!("{peer} does not know the host by this name; --tls-server-name gives another")
        }
        alert => format!("{peer} broke TLS off: {}", spaced(alert)),
    }
}

fn wants_certificate(peer: Peer) -> String {
    match peer {
        Peer::Broker => "the broker wants a client certificate; add --cert and --key".to_owned(),
        Peer::Proxy => "the proxy wants a client certificate, which no option gives it".to_owned(),
    }
}

/// `UnknownCA` as `unknown ca`.
fn spaced(alert: AlertDescription) -> String {
    let mut words = String::new();
    let mut was_lower = false;
    for letter in format!("{alert:?}").chars() {
        if letter.is_uppercase() && was_lower {
            words.push(' ');
        }
        was_lower = letter.is_lowercase();
        words.extend(letter.to_lowercase());
    }
    words
}

/// Why the library does not accept a certificate, with what the certificate says.
pub(super) fn distrust(
    error: &rustls::Error,
    certificate: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    name: &ServerName<'_>,
) -> Distrust {
    let Ok((_, parsed)) = X509Certificate::from_der(certificate) else {
        return Distrust::Unreadable;
    };
    let rustls::Error::InvalidCertificate(error) = error else {
        return Distrust::Other(error.to_string());
    };
    match error {
        _ if parsed.version() != X509Version::V3 => Distrust::OldForm,
        CertificateError::ExpiredContext { not_after, .. } => {
            Distrust::Expired(date(not_after.as_secs()))
        }
        CertificateError::NotValidYetContext { not_before, .. } => {
            Distrust::NotYetValid(date(not_before.as_secs()))
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            wrong_name(&parsed, name)
        }
        CertificateError::UnknownIssuer => {
            // The end of the chain is where trust would have to begin.
            let last = intermediates.last().unwrap_or(certificate);
            let last = X509Certificate::from_der(last).map(|(_, last)| last);
            let last = last.as_ref().unwrap_or(&parsed);
            Distrust::Issuer {
                issuer: last.issuer().to_string(),
                is_own: intermediates.is_empty() && parsed.issuer() == parsed.subject(),
            }
        }
        // A self-made certificate that is its own issuer and is not among the trusted ones.
        _ if parsed.is_ca() && parsed.issuer() == parsed.subject() => Distrust::Issuer {
            issuer: parsed.issuer().to_string(),
            is_own: true,
        },
        CertificateError::BadSignature => Distrust::Other(format!(
            "it is not signed by its issuer, {}",
            parsed.issuer()
        )),
        error => Distrust::Other(error.to_string()),
    }
}

fn wrong_name(certificate: &X509Certificate<'_>, expected: &ServerName<'_>) -> Distrust {
    let found = names(certificate);
    if found.is_empty() {
        let old = certificate.subject().iter_common_name().next();
        return Distrust::NoName {
            old: old.and_then(|name| name.as_str().ok()).map(str::to_owned),
        };
    }
    Distrust::Name {
        expected: expected.to_str().into_owned(),
        found,
    }
}

/// The host names and addresses a certificate is for.
fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let mut names = Vec::new();
    for extension in certificate.extensions() {
        let ParsedExtension::SubjectAlternativeName(alternative) = extension.parsed_extension()
        else {
            continue;
        };
        for name in &alternative.general_names {
            match name {
                GeneralName::DNSName(name) => names.push((*name).to_owned()),
                GeneralName::IPAddress(bytes) => {
                    let four = <[u8; 4]>::try_from(*bytes).map(std::net::IpAddr::from);
                    let address =
                        four.or_else(|_| <[u8; 16]>::try_from(*bytes).map(std::net::IpAddr::from));
                    names.extend(address.map(|address| address.to_string()));
                }
                _ => {}
            }
        }
    }
    names
}

/// What is left to check of a certificate that is trusted itself: its time and its name.
pub(super) fn check_trusted(
    certificate: &CertificateDer<'_>,
    name: &ServerName<'_>,
    checks_name: bool,
    now: UnixTime,
    error: &rustls::Error,
) -> Result<(), Distrust> {
    let Ok((_, parsed)) = X509Certificate::from_der(certificate) else {
        return Err(Distrust::Unreadable);
    };
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    let validity = parsed.validity();
    let seconds = |time: i64| u64::try_from(time).unwrap_or_default();
    if now < validity.not_before.timestamp() {
        return Err(Distrust::NotYetValid(date(seconds(
            validity.not_before.timestamp(),
        ))));
    }
    if now > validity.not_after.timestamp() {
        return Err(Distrust::Expired(date(seconds(
            validity.not_after.timestamp(),
        ))));
    }
    if !checks_name {
        return Ok(());
    }
    let usable = ParsedCertificate::try_from(certificate)
        .map_err(|_| distrust(error, certificate, &[], name))?;
    rustls::client::verify_server_name(&usable, name).map_err(|_| wrong_name(&parsed, name))
}

/// The public key of a certificate with its algorithm (SubjectPublicKeyInfo).
pub(super) fn public_key(certificate: &CertificateDer<'_>) -> Option<Vec<u8>> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    Some(parsed.public_key().raw.to_vec())
}

/// Seconds since 1970 as a date.
fn date(seconds: u64) -> String {
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .map_or_else(
            || "an unknown date".to_owned(),
            |time| time.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        )
}
