//! Options of TLS. Any of them turns it on.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::client::transport::tls::Pin;

/// What TLS is to trust and to use, flattened into the connection.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "TLS (any of these options turns it on, and so does port 8883)")]
pub struct TlsArgs {
    /// Trust the issuers whose certificates are in FILE (PEM) [default: those this system trusts]
    #[arg(long, value_name = "FILE")]
    pub cafile: Option<PathBuf>,

    /// Trust the issuers whose certificates are in the files of DIR
    #[arg(long, value_name = "DIR")]
    pub capath: Option<PathBuf>,

    /// Trust the issuers this system trusts, beside those of --cafile and --capath
    #[arg(long)]
    pub tls_use_os_certs: bool,

    /// Certificate of this client (PEM), with those of its issuers if the broker needs them
    #[arg(long, value_name = "FILE", conflicts_with = "pkcs12")]
    pub cert: Option<PathBuf>,

    /// Private key of --cert (PEM), encrypted or not [default: the key in the file of --cert]
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub key: Option<PathBuf>,

    /// Form of the key; pem is the only one
    #[arg(long, value_name = "FORM", requires = "key", hide = true)]
    pub keyform: Option<KeyForm>,

    /// Certificate and key of this client in one PKCS#12 file (.p12, .pfx)
    #[arg(long, value_name = "FILE")]
    pub pkcs12: Option<PathBuf>,

    /// Password of the key or the PKCS#12 file; --key-password-file keeps it out of the process list [default: asked for on the terminal]
    #[arg(long, value_name = "PASSWORD", allow_hyphen_values = true)]
    pub key_password: Option<String>,

    /// Read that password from the first line of FILE
    #[arg(long, value_name = "FILE", conflicts_with = "key_password")]
    pub key_password_file: Option<PathBuf>,

    /// Expect the broker's certificate to be for NAME, and say NAME to it (SNI) [default: the host]
    #[arg(long, value_name = "NAME")]
    pub tls_server_name: Option<String>,

    /// Accept only a broker with this public key, sha256//BASE64; with --insecure nothing else is checked. May be repeated
    #[arg(long, value_name = "PIN")]
    pub tls_pin: Vec<Pin>,

    /// Do not check the broker's name; without --cafile and --capath, nor who issued its certificate
    #[arg(long)]
    pub insecure: bool,

    /// Offer this protocol to the broker (ALPN); may be repeated
    #[arg(long, value_name = "PROTOCOL")]
    pub tls_alpn: Vec<String>,

    /// Speak this version of TLS or a newer one
    #[arg(long, value_name = "VERSION", default_value = "tlsv1.2")]
    pub tls_version: TlsVersion,

    /// Use only these cipher suites, by their names in OpenSSL or at IANA, separated by colons
    #[arg(long, value_name = "LIST", value_delimiter = ':')]
    pub ciphers: Vec<String>,

    /// Append the secrets of the connection to FILE, so that Wireshark can decrypt it [env: SSLKEYLOGFILE]
    #[arg(long, value_name = "FILE", alias = "tls-keylog")]
    pub tls_key_log: Option<PathBuf>,

    /// No TLS, not even on port 8883
    #[arg(long, conflicts_with_all = ["cafile", "capath", "tls_use_os_certs", "cert", "pkcs12", "tls_pin", "insecure"])]
    pub no_tls: bool,

    /// Not possible: TLS with a key that both sides know
    #[arg(long, value_name = "HEX", hide = true)]
    pub psk: Option<String>,

    /// Not possible: the name of --psk
    #[arg(long, value_name = "NAME", hide = true)]
    pub psk_identity: Option<String>,

    /// Not possible: keys in an engine of OpenSSL
    #[arg(long, value_name = "ENGINE", hide = true)]
    pub tls_engine: Option<String>,

    /// Not possible: keys in an engine of OpenSSL
    #[arg(long, value_name = "HEX", hide = true)]
    pub tls_engine_kpass_sha1: Option<String>,
}

impl TlsArgs {
    /// Whether any option was given that only makes sense with TLS.
    pub fn is_wanted(&self) -> bool {
        let TlsArgs {
            cafile,
            capath,
            tls_use_os_certs,
            cert,
            pkcs12,
            tls_server_name,
            tls_pin,
            insecure,
            tls_alpn,
            ciphers,
            tls_key_log,
            ..
        } = self;
        let files = [cafile, capath, cert, pkcs12, tls_key_log];
        files.into_iter().any(Option::is_some)
            || *tls_use_os_certs
            || *insecure
            || tls_server_name.is_some()
            || self.tls_version == TlsVersion::V13
            || !(tls_pin.is_empty() && tls_alpn.is_empty() && ciphers.is_empty())
    }
}

/// Where a key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KeyForm {
    /// In a PEM file.
    Pem,
    /// In an engine of OpenSSL.
    Engine,
}

/// The oldest version of TLS that is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TlsVersion {
    /// TLS 1.2
    #[value(name = "tlsv1.2", alias = "1.2")]
    V12,
    /// TLS 1.3
    #[value(name = "tlsv1.3", alias = "1.3")]
    V13,
}
