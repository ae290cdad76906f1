//! What the TLS options mean.

use std::ffi::OsString;
use std::path::PathBuf;

use bytes::Bytes;

use super::password;
use crate::cli::tls::{KeyForm, TlsArgs, TlsVersion};
use crate::client::ConnectOptions;
use crate::client::transport::tls::{self, TlsOptions};
use crate::exit::Exit;

/// The options as plain data. `key_log` is the variable of the environment that browsers and curl know.
pub(super) fn options(args: &TlsArgs, key_log: Option<OsString>) -> anyhow::Result<TlsOptions> {
    let key_password = match (&args.key_password, &args.key_password_file) {
        (Some(password), _) => Some(Bytes::from(password.clone())),
        (None, Some(path)) => Some(password::first_line(path, "--key-password-file")?),
        (None, None) => None,
    };
    if args
        .tls_alpn
        .iter()
        .any(|each| each.is_empty() || each.len() > 255)
    {
        return Err(Exit::Usage.because("a protocol of --tls-alpn has 1 to 255 bytes"));
    }
    let mut options = TlsOptions {
        ca_file: args.cafile.clone(),
        ca_directory: args.capath.clone(),
        use_os_store: args.tls_use_os_certs,
        certificate: args.cert.clone(),
        key: args.key.clone(),
        pkcs12: args.pkcs12.clone(),
        key_password,
        server_name: args.tls_server_name.clone(),
        alpn: args.tls_alpn.clone(),
        pins: args.tls_pin.clone(),
        peer: tls::Peer::Broker,
        insecure: args.insecure,
        minimum_version: match args.tls_version {
            TlsVersion::V12 => tls::TlsVersion::V12,
            TlsVersion::V13 => tls::TlsVersion::V13,
        },
        ciphers: args.ciphers.clone(),
        key_log: args.tls_key_log.clone().or(key_log.map(PathBuf::from)),
    };
    if let (None, Some(key)) = (&options.key_password, options.encrypted_key()) {
        options.key_password = password::of_key(key);
    }
    Ok(options)
}

/// What mosquitto's clients can and this program cannot, because its TLS library has none of it.
///
/// # Errors
/// [`Exit::Usage`] with what to use instead.
pub(super) fn refuse_the_impossible(args: &TlsArgs) -> anyhow::Result<()> {
    if args.psk.is_some() || args.psk_identity.is_some() {
        return Err(Exit::Usage.because(
            "--psk: TLS with a pre-shared key is not possible, because the TLS library of this program (rustls) has none; \
             use certificates with --cafile",
        ));
    }
    let uses_engine = args.tls_engine.is_some() || args.tls_engine_kpass_sha1.is_some();
    if uses_engine || args.keyform == Some(KeyForm::Engine) {
        return Err(Exit::Usage.because(
            "engines of OpenSSL cannot be used, because this program does not use OpenSSL; \
             the key has to be in a file: --key or --pkcs12",
        ));
    }
    Ok(())
}

/// What to say before connecting without the protection that TLS is expected to give. A pin is protection enough.
pub(super) fn warning(options: &ConnectOptions) -> Option<&'static str> {
    let tls = &options.route.tls;
    let has_issuers = tls.ca_file.is_some() || tls.ca_directory.is_some() || tls.use_os_store;
    match (
        options.endpoint.scheme.has_tls() && tls.insecure,
        has_issuers,
    ) {
        (false, _) => None,
        (true, _) if !tls.pins.is_empty() => None,
        (true, true) => {
            Some("warning: --insecure: the name in the broker's certificate is not checked")
        }
        (true, false) => Some(
            "warning: --insecure: the broker's certificate is not checked, so this may be anybody",
        ),
    }
}
