//! The ways to a broker beside TCP: WebSocket and unix sockets, with mosquitto at the other end.

use std::io::{Read, Write};
use std::net::TcpListener;

use crate::certificates::Authority;
use crate::harness::Mqtt;
use crate::servers::Mosquitto;
use crate::ways::{fails, round_trip, secure, web};

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
        "cannot connect to unix:///nonexistent/sock: there is no such file; check --unix"
            .to_owned(),
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
