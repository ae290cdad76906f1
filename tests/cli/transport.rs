//! The ways to a broker: TLS, WebSocket and unix sockets, with mosquitto at the other end.

use std::io::{Read, Write};
use std::net::TcpListener;

use rcgen::{BasicConstraints, IsCa, date_time_ymd};

use crate::certificates::Authority;
use crate::harness::Mqtt;
use crate::proxies::Proxy;
use crate::servers::{Mosquitto, MqttServe, free_port};

/// Mosquitto with a TLS listener for the certificate `name` of this authority, and more lines.
#[track_caller]
fn secure(authority: &Authority, name: &str, more: &[&str]) -> Mosquitto {
    let listener = authority.listener(name);
    Mosquitto::start(
        listener
            .iter()
            .map(String::as_str)
            .chain(more.iter().copied()),
    )
}

/// Mosquitto with a WebSocket listener on the port returned, beside a plain one, without which 2.0 does not start.
#[track_caller]
fn web(more: &[String]) -> (Mosquitto, u16) {
    let port = free_port();
    let listener = [
        format!("listener {port} 127.0.0.1"),
        "protocol websockets".to_owned(),
    ];
    let broker = Mosquitto::start(listener.iter().chain(more).map(String::as_str));
    (broker, port)
}

/// Publishes a retained message over the way `pub_way` and reads it back over `sub_way`.
#[track_caller]
fn round_trip(pub_way: &[&str], sub_way: &[&str]) {
    let publish = ["pub", "-t", "way", "-m", "there", "-q", "1", "-r"];
    Mqtt::new(publish.iter().chain(pub_way)).run();
    let subscribe = ["sub", "-t", "way", "-C", "1", "-W", "20"];
    Mqtt::new(subscribe.iter().chain(sub_way))
        .stdout("there\n")
        .run();
}

/// A publish over this way, which is to fail with status 3 and exactly these words.
#[track_caller]
fn fails(way: &[&str], words: String) {
    let publish = ["pub", "-t", "a", "-m", "b"];
    Mqtt::new(publish.iter().chain(way))
        .status(3)
        .stderr(format!("mqtt: {words}\n"))
        .run();
}

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
fn large_messages_pass_through_tls_and_websocket_unchanged() {
    let authority = Authority::new("Test CA");
    authority.issue("server", &["localhost"]);
    let (broker, web) = web(&authority.listener("server"));
    let encrypted = secure(&authority, "server", &[]);
    let ca = authority.ca();
    let payload: Vec<u8> = (0..3_000_000_u32)
        .map(|number| (number.wrapping_mul(number) >> 7) as u8)
        .collect();
    let (web, tls) = (
        format!("wss://localhost:{web}/mqtt"),
        format!("mqtts://localhost:{}", encrypted.port()),
    );
    // Read back without WebSocket: Debian's mosquitto gets stuck when it has to write more than the socket takes.
    for (to, from) in [(&web, &broker.url()), (&tls, &tls)] {
        let publish = ["pub", "-t", "large", "-s", "-q", "2", "-r"];
        Mqtt::new(publish.iter().chain(&["-L", to, "--cafile", &ca]))
            .stdin(payload.clone())
            .run();
        let subscribe = ["sub", "-t", "large", "-C", "1", "-N"];
        let way: &[&str] = match from.starts_with("mqtts") {
            true => &["-L", from, "--cafile", &ca],
            false => &["-L", from],
        };
        Mqtt::new(subscribe.iter().chain(way))
            .stdout(payload.clone())
            .run();
    }
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
        ("old", &ca, "expired on 2020-02-29 00:00 UTC"),
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
            "names no host as subject alternative name, only nameless as common name, which does not count any more",
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
    authority.openssl("req -new -key pkcs1.key -subj /CN=rsa -out rsa.csr");
    let both = [
        std::fs::read(authority.path("client.crt")).unwrap(),
        std::fs::read(authority.path("client.key")).unwrap(),
    ];
    std::fs::write(authority.path("both.pem"), both.concat()).unwrap();
    let file = |name: &str| authority.file(name);
    let (cert, password) = (file("client.crt"), file("password"));
    for arguments in [
        &["--cert", &cert, "--key", &file("client.key")][..],
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
    let old = file("old.key");
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
            &["--cert", &cert, "--key", &old, "--key-password", "p w"],
            format!(
                "the key in --key {old} is encrypted in an old form that is easily broken; openssl pkcs8 -topk8 -in {old} -out NEW.key makes a new one of it"
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
                said.contains("the broker does not accept the certificate of --cert: unknown ca")
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
                "cannot connect to {url}: it closes the connection when TLS begins; is it a port for plain MQTT (mqtt://)?"
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
            "cannot connect to {url}: what answers there does not speak TLS; is it a port for plain MQTT (mqtt://)?"
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

#[test]
fn mqtt_in_websocket_frames_is_understood_by_mosquitto() {
    let authority = Authority::new("Test CA");
    authority.issue("server", &["localhost"]);
    let (_plain, port) = web(&[]);
    let (_encrypted, encrypted) = web(&authority.listener("server"));
    let (url, port) = (format!("ws://127.0.0.1:{port}"), port.to_string());
    round_trip(
        &["-L", &url],
        &[
            "-h",
            "localhost",
            "-p",
            &port,
            "--ws",
            "--ws-header",
            "X-Tester: yes",
        ],
    );
    let (url, ca) = (format!("wss://localhost:{encrypted}/mqtt"), authority.ca());
    round_trip(
        &["-L", &url, "--cafile", &ca, "-V", "5"],
        &["-L", &url, "--cafile", &ca, "-V", "31"],
    );
}

#[test]
fn what_is_no_websocket_server_says_so() {
    let plain = Mosquitto::start([]);
    let url = format!("ws://localhost:{}/mqtt", plain.port());
    fails(
        &["-L", &url],
        format!(
            "cannot connect to {url}: it closes the connection when asked for WebSocket; is it a port for MQTT without it, or with TLS (wss://)?"
        ),
    );
    for (answer, words) in [
        (
            "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
            "no WebSocket at /x: HTTP status 404 Not Found; check the path (--ws-path)",
        ),
        (
            "HTTP/1.1 301 Moved Permanently\r\nLocation: wss://h/x\r\nContent-Length: 0\r\n\r\n",
            "no WebSocket at /x: HTTP status 301 Moved Permanently to wss://h/x; it is elsewhere: check the scheme and the path",
        ),
        (
            "hello\r\n\r\n",
            "what answers there does not speak HTTP; is it a port for MQTT without WebSocket?",
        ),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = std::thread::spawn(move || {
            let (mut peer, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                peer.read_exact(&mut byte).unwrap();
                request.push(byte[0]);
            }
            peer.write_all(answer.as_bytes()).unwrap();
            String::from_utf8(request).unwrap()
        });
        let url = format!("ws://{address}/x");
        fails(
            &["-L", &url, "--ws-header", "Authorization: Bearer t"],
            format!("cannot connect to {url}: {words}"),
        );
        let request = server.join().unwrap().to_ascii_lowercase();
        for line in [
            &format!("host: {address}"),
            "sec-websocket-protocol: mqtt",
            "authorization: bearer t",
        ] {
            assert!(request.contains(&format!("\r\n{line}\r\n")), "{request}");
        }
    }
}

#[test]
fn a_unix_socket_is_a_way_to_mosquitto() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder
        .path()
        .join("broker.sock")
        .to_str()
        .unwrap()
        .to_owned();
    let _broker = Mosquitto::start([&*format!("listener 0 {path}")]);
    round_trip(&["--unix", &path], &["-L", &format!("unix://{path}")]);
    fails(
        &["--unix", "/nonexistent/sock"],
        "cannot connect to unix:///nonexistent/sock: entity not found; check --unix".to_owned(),
    );
}

#[test]
fn a_socks_proxy_is_asked_for_the_brokers_name_and_then_stands_aside() {
    let authority = Authority::new("Test CA");
    authority.issue("server", &["localhost"]);
    let broker = secure(&authority, "server", &[]);
    let (port, ca) = (broker.port(), authority.ca());
    let url = format!("mqtts://localhost:{port}");
    for (user, scheme, expected) in [
        (None, "socks5h://", format!("localhost:{port}")),
        (
            Some("al:p@w"),
            "socks5h://al:p%40w@",
            format!("al:p@w localhost:{port}"),
        ),
        (
            Some("a:b"),
            "socks5h://a:b@",
            format!("a:b localhost:{port}"),
        ),
    ] {
        let proxy = Proxy::socks(user, 0);
        let through = format!("{scheme}{}", proxy.address);
        let publish = [
            "pub", "-t", "a", "-m", "b", "-q", "1", "-L", &url, "--cafile", &ca,
        ];
        Mqtt::new(publish.iter().chain(&["--proxy", &through])).run();
        assert_eq!(proxy.asked(), expected);
    }
    // With socks5 the name is looked up here.
    let plain = Mosquitto::start([]);
    let proxy = Proxy::socks(None, 0);
    let through = format!("socks5://{}", proxy.address);
    let url = format!("mqtt://127.0.0.1:{}", plain.port());
    Mqtt::new(["pub", "-t", "a", "-m", "b", "-L", &url, "--proxy", &through]).run();
    assert_eq!(proxy.asked(), format!("127.0.0.1:{}", plain.port()));
}

#[test]
fn an_http_proxy_is_asked_to_connect() {
    let broker = Mosquitto::start([]);
    let url = format!("mqtt://localhost:{}", broker.port());
    let proxy = Proxy::http("HTTP/1.1 200 Connection established");
    let through = format!("http://al:p%40w@{}", proxy.address);
    Mqtt::new(["pub", "-t", "a", "-m", "b", "-L", &url, "--proxy", &through]).run();
    let target = format!("localhost:{}", broker.port());
    assert_eq!(
        proxy.asked(),
        format!(
            "CONNECT {target} HTTP/1.1\r\nHost: {target}\r\nProxy-Authorization: Basic YWw6cEB3\r\n\r\n"
        )
    );
    // The environment leads the same way, but not to this machine itself.
    let proxy = Proxy::http("HTTP/1.1 502 Bad Gateway");
    let publish = ["pub", "-t", "a", "-m", "b", "-L"];
    Mqtt::new(publish.iter().chain(&["mqtt://broker.invalid"]))
        .env("ALL_PROXY", format!("http://{}", proxy.address))
        .status(3)
        .stderr(format!(
            "mqtt: cannot connect to mqtt://broker.invalid:1883: the proxy http://{} does not connect to broker.invalid:1883: 502 Bad Gateway\n",
            proxy.address
        ))
        .run();
    proxy.asked();
    Mqtt::new(publish.iter().chain(&[&*url]))
        .env("ALL_PROXY", "http://127.0.0.1:1")
        .run();
}

#[test]
fn what_a_proxy_refuses_is_said_in_words() {
    let url = "mqtt://broker.example:1883";
    let wants = "wants a user name and a password";
    for (proxy, scheme, words) in [
        (
            Proxy::socks(None, 5),
            "socks5h://",
            "cannot connect to the broker: connection refused".to_owned(),
        ),
        (
            Proxy::socks(None, 4),
            "socks5h://",
            "cannot connect to the broker: host unreachable".to_owned(),
        ),
        (
            Proxy::socks(Some("a:b"), 0),
            "socks5h://",
            format!("{wants}: socks5h://USER:PASSWORD@..."),
        ),
        (
            Proxy::socks(Some("a:b"), 0),
            "socks5h://a:x@",
            "does not accept this user name and password".to_owned(),
        ),
        (
            Proxy::http("HTTP/1.1 407 Proxy Authentication Required"),
            "http://",
            format!("{wants}: http://USER:PASSWORD@..."),
        ),
        (
            Proxy::http("HTTP/1.1 403 Forbidden"),
            "http://",
            "does not connect to broker.example:1883: 403 Forbidden".to_owned(),
        ),
        (
            Proxy::http("SSH-2.0-x"),
            "http://",
            "does not speak HTTP; is it a SOCKS proxy (socks5h://)?".to_owned(),
        ),
    ] {
        let through = format!("{scheme}{}", proxy.address);
        let shown = format!("{}://{}", scheme.split(':').next().unwrap(), proxy.address);
        fails(
            &["-L", url, "--proxy", &through],
            format!("cannot connect to {url}: the proxy {shown} {words}"),
        );
        proxy.asked();
    }
    let port = free_port();
    fails(
        &["-L", url, "--proxy", &format!("http://127.0.0.1:{port}")],
        format!(
            "cannot connect to {url}: the proxy http://127.0.0.1:{port} is not reached: connection refused"
        ),
    );
}

#[test]
fn a_connection_comes_from_the_address_it_is_bound_to() {
    let mut broker = Mosquitto::start([]);
    let (url, port) = (broker.url(), broker.port());
    Mqtt::new(["pub", "-L", &url, "-A", "127.0.0.9", "-t", "a", "-m", "b"]).run();
    broker
        .process
        .wait_for_stderr(|line| line.contains("New connection from 127.0.0.9:"));
    fails(
        &["-h", "127.0.0.1", "-p", &port, "--bind", "::1"],
        format!("cannot connect to {url}: it has no IPv6 address to be reached from ::1 (--bind)"),
    );
    fails(
        &["-h", "127.0.0.1", "-p", &port, "-A", "192.0.2.1"],
        format!(
            "cannot connect to {url}: cannot use the address 192.0.2.1 (--bind): Cannot assign requested address (os error 99)"
        ),
    );
}

#[test]
fn srv_records_are_for_domains_and_say_the_port_themselves() {
    for (arguments, words) in [
        (
            &["-S", "-L", "mqtt://h:1"][..],
            "--srv finds the port itself; leave it out of the URL",
        ),
        (
            &["-S", "-h", "10.0.0.1"],
            "--srv needs the name of a domain, not an address",
        ),
        (
            &["-S", "-L", "ws://h"],
            "--srv knows mqtt:// and mqtts:// only, not ws://",
        ),
        (
            &["-A", "no such name"],
            "--bind no such name: no such address or name",
        ),
    ] {
        let publish = ["pub", "-t", "a", "-m", "b"];
        Mqtt::new(publish.iter().chain(arguments))
            .status(2)
            .stderr(format!("mqtt: {words}\n"))
            .run();
    }
    // No name server of this machine knows a domain that cannot exist; whether it says so or nothing at all, it is not reached.
    Mqtt::new([
        "pub",
        "-S",
        "-h",
        "broker.invalid",
        "-t",
        "a",
        "-m",
        "b",
        "--connect-timeout",
        "1",
    ])
    .status(3)
    .stderr_like(|said| said.contains("broker.invalid") && said.lines().count() == 1)
    .run();
}
