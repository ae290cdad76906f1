//! TLS: whom to trust, who we are, and what is said when it fails, with mosquitto at the other end.

use std::io::{Read, Write};
use std::net::TcpListener;

use rcgen::{BasicConstraints, IsCa, date_time_ymd};

use crate::certificates::Authority;
use crate::harness::Mqtt;
use crate::servers::{Mosquitto, MqttServe};
use crate::ways::{fails, round_trip, secure};

#[test]
fn a_broker_is_trusted_through_a_file_a_folder_or_the_system() {
    let authority = Authority::new("Test CA");
    authority.issue("server", &["localhost", "127.0.0.1"]);
    let broker = secure(&authority, "server", &[]);
    let (port, ca) = (broker.port(), authority.ca());
    let folder = authority.folder.path().to_str().unwrap();
    let by_name = format!("mqtts://localhost:{port}");
    let by_address = format!("ssl://127.0.0.1:{port}");
    round_trip(
        &["-L", &by_name, "--cafile", &ca],
        &["-h", "127.0.0.1", "-p", &port, "--cafile", &ca],
    );
    round_trip(
        &["-L", &by_address, "--capath", folder],
        &["-L", &by_name, "--cafile", &ca, "--tls-version", "tlsv1.3"],
    );
    Mqtt::new([
        "sub",
        "-t",
        "way",
        "-C",
        "1",
        "-L",
        &by_name,
        "--tls-use-os-certs",
    ])
    .env("SSL_CERT_FILE", &ca)
    .stdout("there\n")
    .run();
    Mqtt::new([
        "sub",
        "-t",
        "way",
        "-C",
        "1",
        "-L",
        &by_name,
        "--ciphers",
        "ECDHE-ECDSA-AES128-GCM-SHA256:TLS_AES_128_GCM_SHA256",
    ])
    .env("SSL_CERT_FILE", &ca)
    .stdout("there\n")
    .run();
}

#[test]
fn a_certificate_that_is_not_believed_says_why() {
    let authority = Authority::new("Test CA");
    authority.issue("good", &["localhost"]);
    authority.issue("other", &["a.example", "10.1.2.3"]);
    authority.issue("nameless", &[]);
    authority.issue_with("old", &["localhost"], |params| {
        params.not_before = date_time_ymd(2019, 1, 1);
        params.not_after = date_time_ymd(2020, 2, 29);
    });
    authority.issue_with("early", &["localhost"], |params| {
        params.not_before = date_time_ymd(2900, 1, 1)
    });
    authority.self_signed("own", &["localhost"], |_| {});
    let stranger = Authority::new("Stranger");
    let (ca, strange) = (authority.ca(), stranger.ca());
    for (name, ca, words) in [
        (
            "old",
            &ca,
            "expired on 2020-02-29 00:00 UTC; it has to be renewed, if this machine's clock is right",
        ),
        (
            "early",
            &ca,
            "is not valid before 2900-01-01 00:00 UTC; is this machine's clock right?",
        ),
        (
            "other",
            &ca,
            "is for a.example, 10.1.2.3, not for localhost; use such a name as --host, or say it with --tls-server-name",
        ),
        (
            "nameless",
            &ca,
            "names no host as subject alternative name, only nameless as common name, which does not count any more; it needs one, or --insecure beside --cafile leaves the name unchecked",
        ),
        (
            "good",
            &strange,
            "is issued by CN=Test CA, which is not trusted; trust that issuer with --cafile FILE",
        ),
        (
            "own",
            &ca,
            "is issued by itself (CN=own) and not trusted; trust it with --cafile FILE",
        ),
    ] {
        let broker = secure(&authority, name, &[]);
        let url = format!("mqtts://localhost:{}", broker.port());
        fails(
            &["-L", &url, "--cafile", ca],
            format!("cannot connect to {url}: the broker's certificate {words}"),
        );
        let warning = "mqtt: warning: --insecure: the broker's certificate is not checked, so this may be anybody\n";
        Mqtt::new(["pub", "-L", &url, "--insecure", "-t", "a", "-m", "b"])
            .stderr(warning)
            .run();
    }
    let broker = secure(&authority, "other", &[]);
    let url = format!("mqtts://localhost:{}", broker.port());
    round_trip(
        &[
            "-L",
            &url,
            "--cafile",
            &ca,
            "--tls-server-name",
            "a.example",
        ],
        &["-L", &url, "--cafile", &ca, "--tls-server-name", "10.1.2.3"],
    );
    Mqtt::new([
        "pub",
        "-L",
        &url,
        "--cafile",
        &ca,
        "--insecure",
        "-t",
        "a",
        "-m",
        "b",
    ])
    .stderr("mqtt: warning: --insecure: the name in the broker's certificate is not checked\n")
    .run();
    // With a CA named, --insecure spares the name and nothing else, as in mosquitto's clients.
    let words =
        "is issued by CN=Test CA, which is not trusted; trust that issuer with --cafile FILE";
    Mqtt::new([
        "pub",
        "-L",
        &url,
        "--cafile",
        &strange,
        "--insecure",
        "-t",
        "a",
        "-m",
        "b",
    ])
    .status(3)
    .stderr(format!(
        "mqtt: warning: --insecure: the name in the broker's certificate is not checked\n\
             mqtt: cannot connect to {url}: the broker's certificate {words}\n"
    ))
    .run();
}

#[test]
fn a_self_made_certificate_is_trusted_when_it_is_named_itself() {
    let authority = Authority::new("Test CA");
    // What `openssl req -x509` makes: its own issuer, and a CA at that.
    let as_ca = |params: &mut rcgen::CertificateParams| {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.extended_key_usages.clear();
    };
    authority.self_signed("own", &["localhost"], as_ca);
    let broker = secure(&authority, "own", &[]);
    let (url, own) = (
        format!("mqtts://localhost:{}", broker.port()),
        authority.file("own.crt"),
    );
    round_trip(
        &["-L", &url, "--cafile", &own],
        &["-L", &url, "--cafile", &own],
    );
    fails(
        &[
            "-L",
            &format!("mqtts://127.0.0.1:{}", broker.port()),
            "--cafile",
            &own,
        ],
        format!(
            "cannot connect to mqtts://127.0.0.1:{}: the broker's certificate is for localhost, not for 127.0.0.1; \
             use such a name as --host, or say it with --tls-server-name",
            broker.port()
        ),
    );
    fails(
        &["-L", &url, "--cafile", &authority.ca()],
        format!(
            "cannot connect to {url}: the broker's certificate is issued by itself (CN=own) and not trusted; trust it with --cafile FILE"
        ),
    );
}

#[test]
fn a_pin_is_checked_beside_the_issuer_and_instead_of_it_with_insecure() {
    let authority = Authority::new("Test CA");
    authority.issue("server", &["localhost"]);
    authority.issue("other", &["localhost"]);
    let (right, wrong) = (authority.pin("server"), authority.pin("other"));
    let broker = secure(&authority, "server", &[]);
    let (url, ca) = (
        format!("mqtts://localhost:{}", broker.port()),
        authority.ca(),
    );
    round_trip(
        &["-L", &url, "--cafile", &ca, "--tls-pin", &right],
        &[
            "-L",
            &url,
            "--insecure",
            "--tls-pin",
            &wrong,
            "--tls-pin",
            &right,
        ],
    );
    let mismatch = format!(
        "cannot connect to {url}: the broker's certificate has the key {right}, which is not that of --tls-pin"
    );
    fails(
        &["-L", &url, "--cafile", &ca, "--tls-pin", &wrong],
        mismatch.clone(),
    );
    fails(&["-L", &url, "--insecure", "--tls-pin", &wrong], mismatch);
    let strange = Authority::new("Stranger").folder;
    let strange = strange.path().join("ca.crt").to_str().unwrap().to_owned();
    fails(
        &["-L", &url, "--cafile", &strange, "--tls-pin", &right],
        format!(
            "cannot connect to {url}: the broker's certificate is issued by CN=Test CA, which is not trusted; trust that issuer with --cafile FILE"
        ),
    );
}

#[test]
fn a_client_certificate_is_read_in_every_form_that_openssl_writes() {
    let authority = Authority::new("Test CA");
    authority.issue("server", &["localhost"]);
    authority.issue("client", &[]);
    let broker = secure(
        &authority,
        "server",
        &["require_certificate true", "use_identity_as_username true"],
    );
    let url = format!("mqtts://localhost:{}", broker.port());
    let way = |more: &[&str]| -> Vec<String> {
        let ca = authority.ca();
        let way = ["-L", &url, "--cafile", &ca];
        way.iter()
            .chain(more)
            .map(|&each| each.to_owned())
            .collect()
    };
    std::fs::write(authority.path("password"), "p w\n").unwrap();
    authority.openssl("ec -in client.key -out sec1.key");
    authority.openssl("pkcs8 -topk8 -in client.key -out aes.key -passout file:password");
    authority.openssl("pkcs8 -topk8 -v2 des3 -v2prf hmacWithSHA1 -in client.key -out 3des.key -passout file:password");
    authority.openssl("ec -aes128 -in client.key -out old.key -passout file:password");
    authority.openssl("genrsa -traditional -out pkcs1.key 2048");
    authority.openssl(
        "pkcs12 -export -in client.crt -inkey client.key -out new.p12 -passout file:password",
    );
    authority.openssl("pkcs12 -export -legacy -in client.crt -inkey client.key -out old.p12 -passout file:password");
    authority.openssl("ec -des3 -in client.key -out old3des.key -passout file:password");
    authority.openssl("ec -camellia128 -in client.key -out camellia.key -passout file:password");
    authority
        .openssl("rsa -traditional -aes256 -in pkcs1.key -out oldrsa.key -passout file:password");
    authority.openssl("req -new -key pkcs1.key -subj /CN=rsa -out rsa.csr");
    let both = [
        std::fs::read(authority.path("client.crt")).unwrap(),
        std::fs::read(authority.path("client.key")).unwrap(),
    ];
    std::fs::write(authority.path("both.pem"), both.concat()).unwrap();
    let file = |name: &str| authority.file(name);
    let (cert, password) = (file("client.crt"), file("password"));
    let (old, camellia) = (file("old.key"), file("camellia.key"));
    for arguments in [
        &["--cert", &cert, "--key", &file("client.key")][..],
        &["--cert", &cert, "--key", &old, "--key-password", "p w"],
        &[
            "--cert",
            &cert,
            "--key",
            &file("old3des.key"),
            "--key-password-file",
            &password,
        ],
        &[
            "--cert",
            &cert,
            "--key",
            &file("sec1.key"),
            "--keyform",
            "pem",
        ],
        &["--cert", &file("both.pem")],
        &[
            "--cert",
            &cert,
            "--key",
            &file("aes.key"),
            "--key-password-file",
            &password,
        ],
        &[
            "--cert",
            &cert,
            "--key",
            &file("3des.key"),
            "--key-password",
            "p w",
        ],
        &[
            "--pkcs12",
            &file("new.p12"),
            "--key-password-file",
            &password,
        ],
        &[
            "--pkcs12",
            &file("old.p12"),
            "--key-password-file",
            &password,
        ],
    ] {
        let publish = ["pub", "-t", "a", "-m", "b", "-q", "1"].map(str::to_owned);
        Mqtt::new(publish.iter().chain(&way(arguments))).run();
    }
    for (arguments, words) in [
        (
            &["--cert", &cert][..],
            format!("--cert {cert} contains no private key; add --key FILE"),
        ),
        (
            &["--cert", &cert, "--key", &file("aes.key")],
            format!(
                "the key in --key {} is encrypted; add --key-password-file FILE",
                file("aes.key")
            ),
        ),
        (
            &[
                "--cert",
                &cert,
                "--key",
                &file("aes.key"),
                "--key-password",
                "wrong",
            ],
            format!(
                "the password does not open the key in --key {}",
                file("aes.key")
            ),
        ),
        (
            &["--cert", &cert, "--key", &old, "--key-password", "wrong"],
            format!("the password does not open the key in --key {old}"),
        ),
        (
            &["--cert", &cert, "--key", &camellia, "--key-password", "p w"],
            format!(
                "the key in --key {camellia} is encrypted with CAMELLIA-128-CBC, which this program does not know; openssl pkcs8 -topk8 -in {camellia} -out NEW.key makes one of it that can be read"
            ),
        ),
        (
            &["--pkcs12", &cert],
            format!(
                "--pkcs12 {cert} is in PEM form and no PKCS#12; such files are for --cert and --key"
            ),
        ),
        (
            &["--tls-server-name", "two words"],
            "--tls-server-name \"two words\" is no name that a certificate can have".to_owned(),
        ),
        (
            &[
                "--cert",
                &cert,
                "--key",
                &file("oldrsa.key"),
                "--key-password-file",
                &password,
            ],
            format!(
                "--key {}: the key does not belong to the certificate of --cert",
                file("oldrsa.key")
            ),
        ),
        (
            &["--cert", &cert, "--key", &file("pkcs1.key")],
            format!(
                "--key {}: the key does not belong to the certificate of --cert",
                file("pkcs1.key")
            ),
        ),
        (
            &["--pkcs12", &file("new.p12")],
            format!(
                "--pkcs12 {} is encrypted; add --key-password-file FILE",
                file("new.p12")
            ),
        ),
        (
            &["--pkcs12", &file("new.p12"), "--key-password", "wrong"],
            format!("the password does not open --pkcs12 {}", file("new.p12")),
        ),
        (
            &["--cert", &password],
            format!(
                "--cert {password} contains no certificate in PEM form; one in DER form becomes that with: openssl x509 -inform der -in {password}"
            ),
        ),
        (
            &["--cert", "/nonexistent"],
            "cannot read --cert /nonexistent: No such file or directory (os error 2)".to_owned(),
        ),
    ] {
        let publish = ["pub", "-t", "a", "-m", "b"].map(str::to_owned);
        Mqtt::new(publish.iter().chain(&way(arguments)))
            .status(1)
            .stderr(format!("mqtt: {words}\n"))
            .run();
    }
}

#[test]
fn the_password_of_a_key_is_asked_for_on_the_terminal() {
    let authority = Authority::new("Test CA");
    authority.issue("server", &["localhost"]);
    authority.issue("client", &[]);
    std::fs::write(authority.path("password"), "p w\n").unwrap();
    authority.openssl("ec -aes128 -in client.key -out old.key -passout file:password");
    authority.openssl(
        "pkcs12 -export -in client.crt -inkey client.key -out new.p12 -passout file:password",
    );
    let broker = secure(&authority, "server", &["require_certificate true"]);
    let url = format!("mqtts://localhost:{}", broker.port());
    let file = |name: &str| authority.file(name);
    let (ca, cert, key, both) = (
        authority.ca(),
        file("client.crt"),
        file("old.key"),
        file("new.p12"),
    );
    let peer = format!("{}/tests/peers/terminal.py", env!("CARGO_MANIFEST_DIR"));
    for (asked, identity) in [
        (&key, &["--cert", &cert, "--key", &key][..]),
        (&both, &["--pkcs12", &both]),
    ] {
        let prompt = format!("password of {asked}: ");
        let mqtt = env!("CARGO_BIN_EXE_mqtt");
        let program = [&peer, &prompt, "p w", mqtt, "pub", "-t", "a", "-m", "b"];
        let way = ["-L", &url, "--cafile", &ca];
        Mqtt::program("python3", [&program[..], &way, identity].concat())
            .stdout(format!("{prompt}\n"))
            .run();
    }
}

#[test]
fn a_broker_that_wants_another_certificate_or_one_at_all_is_understood() {
    let authority = Authority::new("Test CA");
    authority.issue("server", &["localhost"]);
    let stranger = Authority::new("Stranger");
    stranger.issue("client", &[]);
    let (ca, cert, key) = (
        authority.ca(),
        stranger.file("client.crt"),
        stranger.file("client.key"),
    );
    for version in ["tlsv1.3", "tlsv1.2"] {
        let version = format!("tls_version {version}");
        let broker = secure(
            &authority,
            "server",
            &["require_certificate true", &version],
        );
        let url = format!("mqtts://localhost:{}", broker.port());
        let publish = ["pub", "-t", "a", "-m", "b", "-L", &url, "--cafile", &ca];
        Mqtt::new(publish)
            .status(3)
            .stderr_like(|said| {
                said.ends_with(": the broker wants a client certificate; add --cert and --key\n")
            })
            .run();
        Mqtt::new(publish.iter().chain(&["--cert", &cert, "--key", &key]))
            .status(3)
            .stderr_like(|said| {
                said.starts_with("mqtt: cannot connect to mqtts://localhost:")
                    && said.ends_with(
                        ": the broker does not accept the certificate of --cert: unknown ca\n",
                    )
            })
            .run();
    }
}

#[test]
fn tls_on_a_port_without_it_and_the_reverse_are_said_in_words() {
    let authority = Authority::new("Test CA");
    authority.issue("server", &["localhost"]);
    let (plain, encrypted) = (Mosquitto::start([]), secure(&authority, "server", &[]));
    let (own, ca) = (MqttServe::start([""; 0]), authority.ca());
    for port in [plain.port(), own.port()] {
        let url = format!("mqtts://localhost:{port}");
        fails(
            &["-L", &url, "--cafile", &ca],
            format!(
                "cannot connect to {url}: it closes the connection when TLS begins; is it a port without TLS (mqtt://, ws://)?"
            ),
        );
    }
    let url = format!("mqtt://localhost:{}", encrypted.port());
    Mqtt::new(["pub", "-t", "a", "-m", "b", "-L", &url])
        .status(3)
        .stderr_like(|said| said.contains("TLS (mqtts://)"))
        .run();
    // Something that answers, but neither in TLS nor in MQTT.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("mqtts://{}", listener.local_addr().unwrap());
    let answer = std::thread::spawn(move || {
        let (mut peer, _) = listener.accept().unwrap();
        peer.write_all(b"SSH-2.0-tester\r\n").unwrap();
        let _ = peer.read(&mut [0; 1024]);
    });
    fails(
        &["-L", &url, "--cafile", &ca],
        format!(
            "cannot connect to {url}: what answers there does not speak TLS; is it a port without TLS (mqtt://, ws://)?"
        ),
    );
    answer.join().unwrap();
}

#[test]
fn the_secrets_of_a_connection_are_appended_to_a_file_of_ones_own() {
    use std::os::unix::fs::PermissionsExt;
    let authority = Authority::new("Test CA");
    authority.issue("server", &["localhost"]);
    let broker = secure(&authority, "server", &[]);
    let (url, ca, log) = (
        format!("mqtts://localhost:{}", broker.port()),
        authority.ca(),
        authority.file("keys.log"),
    );
    let publish = ["pub", "-t", "a", "-m", "b", "-L", &url, "--cafile", &ca];
    Mqtt::new(publish.iter().chain(&["--tls-key-log", &log])).run();
    let once = std::fs::read_to_string(&log).unwrap();
    assert!(
        once.starts_with("CLIENT_HANDSHAKE_TRAFFIC_SECRET "),
        "{once}"
    );
    Mqtt::new(publish).env("SSLKEYLOGFILE", &log).run();
    assert_eq!(
        std::fs::read_to_string(&log).unwrap().lines().count(),
        2 * once.lines().count()
    );
    let mode = std::fs::metadata(&log).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn what_mosquittos_clients_can_and_this_program_cannot_is_refused_in_words() {
    for (arguments, words) in [
        (
            &["--psk", "ab", "--psk-identity", "me"][..],
            "--psk: TLS with a pre-shared key is not possible, because the TLS library of this program (rustls) has none; \
             use certificates with --cafile",
        ),
        (
            &["--tls-engine", "x"],
            "engines of OpenSSL cannot be used, because this program does not use OpenSSL; \
             the key has to be in a file: --key or --pkcs12",
        ),
        (
            &["--unix", "/x", "--insecure"],
            "there is no TLS on a unix socket",
        ),
        (
            &["-L", "mqtts://h", "--no-tls"],
            "--no-tls contradicts mqtts://",
        ),
        (
            &["--ws-path", "/x"],
            "--ws-path needs WebSocket; add --ws, or use --url ws[s]://HOST",
        ),
    ] {
        let publish = ["pub", "-t", "a", "-m", "b"];
        Mqtt::new(publish.iter().chain(arguments))
            .status(2)
            .stderr(format!("mqtt: {words}\n"))
            .run();
    }
}
