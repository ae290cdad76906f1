//! Connections through SOCKS and HTTP proxies, with mosquitto behind them.

use crate::certificates::Authority;
use crate::harness::Mqtt;
use crate::proxies::{Proxy, behind_tls};
use crate::servers::{Mosquitto, free_port};
use crate::ways::{fails, secure};

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
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let through = format!("socks5h://{}", silent.local_addr().unwrap());
    fails(
        &["-L", url, "--connect-timeout", "200ms", "--proxy", &through],
        format!(
            "the proxy {through} did not connect to {url} within 200ms (--connect-timeout); is it a proxy of this kind?"
        ),
    );
}

#[test]
fn an_http_proxy_may_want_tls_itself() {
    let authority = Authority::new("Test CA");
    authority.issue("server", &["localhost"]);
    authority.issue("proxy", &["localhost"]);
    authority.issue("other", &["a.example"]);
    let ca = authority.ca();
    let (plain, secure) = (Mosquitto::start([]), secure(&authority, "server", &[]));
    let encrypted = format!("mqtts://localhost:{}", secure.port());
    for way in [
        &["-L", &plain.url()][..],
        // TLS with the broker within TLS with the proxy.
        &["-L", &encrypted, "--cafile", &ca],
    ] {
        let proxy = Proxy::http("HTTP/1.1 200 Connection established");
        let front = behind_tls(&authority, "proxy", &proxy.address);
        let through = format!("https://al:p%40w@{front}");
        let publish = ["pub", "-t", "a", "-m", "b", "-q", "1", "--proxy", &through];
        Mqtt::new(publish.iter().chain(&["--proxy-cafile", &ca]).chain(way)).run();
        let asked = proxy.asked();
        assert!(
            asked.starts_with("CONNECT ") && asked.contains("Basic YWw6cEB3\r\n"),
            "{asked}"
        );
    }
    // What this system trusts is trusted, and the environment leads there too.
    let proxy = Proxy::http("HTTP/1.1 403 Forbidden");
    let front = behind_tls(&authority, "proxy", &proxy.address);
    Mqtt::new(["pub", "-t", "a", "-m", "b", "-L", "mqtt://broker.invalid"])
        .env("ALL_PROXY", format!("https://{front}"))
        .env("SSL_CERT_FILE", &ca)
        .status(3)
        .stderr(format!(
            "mqtt: cannot connect to mqtt://broker.invalid:1883: the proxy https://{front} does not connect to broker.invalid:1883: 403 Forbidden\n"
        ))
        .run();
    let stranger = Authority::new("Stranger").folder;
    let strange = stranger.path().join("ca.crt").to_str().unwrap().to_owned();
    for (certificate, ca, words) in [
        (
            "proxy",
            &strange,
            "the proxy's certificate is issued by CN=Test CA, which is not trusted; trust that issuer with --proxy-cafile FILE",
        ),
        (
            "other",
            &ca,
            "the proxy's certificate is for a.example, not for localhost; use such a name in --proxy",
        ),
    ] {
        let front = behind_tls(&authority, certificate, "127.0.0.1:1");
        let through = format!("https://{front}");
        fails(
            &[
                "-L",
                &plain.url(),
                "--proxy",
                &through,
                "--proxy-cafile",
                ca,
            ],
            format!(
                "cannot connect to {}: the proxy {through}: {words}",
                plain.url()
            ),
        );
    }
    // A proxy without TLS: the answer to the first bytes of TLS is none.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let through = format!(
        "https://localhost:{}",
        listener.local_addr().unwrap().port()
    );
    let answer = std::thread::spawn(move || {
        let (mut peer, _) = listener.accept().unwrap();
        std::io::Write::write_all(&mut peer, b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        let _ = std::io::Read::read(&mut peer, &mut [0; 4096]);
    });
    fails(
        &[
            "-L",
            &plain.url(),
            "--proxy",
            &through,
            "--proxy-cafile",
            &ca,
        ],
        format!(
            "cannot connect to {}: the proxy {through}: what answers there does not speak TLS; is it a proxy without TLS (http://)?",
            plain.url()
        ),
    );
    answer.join().unwrap();
    Mqtt::new([
        "pub",
        "-t",
        "a",
        "-m",
        "b",
        "--proxy",
        &through,
        "--proxy-cafile",
        "/nonexistent",
    ])
    .status(1)
    .stderr(
        "mqtt: cannot read --proxy-cafile /nonexistent: No such file or directory (os error 2)\n",
    )
    .run();
}
