//! Certificates made for one test, in a folder of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

/// A certification authority, and the folder with everything it has issued. Its own certificate is `ca.crt`.
pub struct Authority {
    pub folder: tempfile::TempDir,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub fn new(name: &str) -> Authority {
        let folder = tempfile::tempdir().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        std::fs::write(folder.path().join("ca.crt"), certificate.pem()).unwrap();
        Authority {
            folder,
            issuer: Issuer::new(params, key),
        }
    }

    /// Issues `NAME.crt` and `NAME.key`, for a server and a client of these host names.
    pub fn issue(&self, name: &str, hosts: &[&str]) {
        self.issue_with(name, hosts, |_| {});
    }

    pub fn issue_with(
        &self,
        name: &str,
        hosts: &[&str],
        change: impl FnOnce(&mut CertificateParams),
    ) {
        let (params, key) = leaf(name, hosts, change);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        self.save(name, &certificate.pem(), &key);
    }

    /// Makes `NAME.crt` and `NAME.key` that nobody but the certificate itself has issued, as a CA if it says so.
    pub fn self_signed(
        &self,
        name: &str,
        hosts: &[&str],
        change: impl FnOnce(&mut CertificateParams),
    ) {
        let (params, key) = leaf(name, hosts, change);
        let certificate = params.self_signed(&key).unwrap();
        self.save(name, &certificate.pem(), &key);
    }

    fn save(&self, name: &str, certificate: &str, key: &KeyPair) {
        std::fs::write(self.path(&format!("{name}.crt")), certificate).unwrap();
        std::fs::write(self.path(&format!("{name}.key")), key.serialize_pem()).unwrap();
    }

    pub fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    /// The path of a file as an argument.
    pub fn file(&self, file: &str) -> String {
        self.path(file).to_str().unwrap().to_owned()
    }

    /// The path of `ca.crt` as an argument.
    pub fn ca(&self) -> String {
        self.file("ca.crt")
    }

    /// Lines for mosquitto that turn its listener into one for TLS with this certificate.
    pub fn listener(&self, name: &str) -> Vec<String> {
        vec![
            format!("cafile {}", self.ca()),
            format!("certfile {}", self.file(&format!("{name}.crt"))),
            format!("keyfile {}", self.file(&format!("{name}.key"))),
        ]
    }

    /// Runs openssl in the folder, for the forms of files that only it makes.
    #[track_caller]
    pub fn openssl(&self, arguments: &str) -> Vec<u8> {
        openssl(self.folder.path(), arguments)
    }

    /// The pin of a certificate, as curl's documentation says to make it.
    #[track_caller]
    pub fn pin(&self, name: &str) -> String {
        use base64::Engine;
        self.openssl(&format!(
            "x509 -in {name}.crt -pubkey -noout -out {name}.pub"
        ));
        self.openssl(&format!(
            "pkey -pubin -in {name}.pub -outform der -out {name}.der"
        ));
        let digest = self.openssl(&format!("dgst -sha256 -binary {name}.der"));
        let digest = base64::engine::general_purpose::STANDARD.encode(digest);
        format!("sha256//{digest}")
    }
}

fn leaf(
    name: &str,
    hosts: &[&str],
    change: impl FnOnce(&mut CertificateParams),
) -> (CertificateParams, KeyPair) {
    let hosts: Vec<String> = hosts.iter().map(|&host| host.to_owned()).collect();
    let mut params = CertificateParams::new(hosts).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::ClientAuth,
    ];
    change(&mut params);
    (params, KeyPair::generate().unwrap())
}

#[track_caller]
fn openssl(folder: &Path, arguments: &str) -> Vec<u8> {
    let output = Command::new("openssl")
        .args(arguments.split_whitespace())
        .current_dir(folder)
        .output()
        .expect("openssl is installed by tests/setup");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "openssl {arguments}: {said}");
    output.stdout
}
