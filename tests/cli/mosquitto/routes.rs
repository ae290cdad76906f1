//! Ways to a broker: a Unix socket, TLS and a proxy, by the same command lines.

use super::beside::{Clients, Whose, all_hold, words};
use super::cases::{Case, Place, broker, case, same};
use crate::certificates::Authority;
use crate::proxies::Proxy;
use crate::servers::free_port;

#[test]
fn a_unix_socket_is_reached_alike() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("socket").display().to_string();
    let listener = format!("listener 0 {socket}");
    let broker = broker([&*listener]);
    let place = Place {
        names: vec![("SOCKET", socket)],
        ..Place::at(broker.port)
    };
    same(UNIX, &place);
}

pub const UNIX: &[Case] = &[
    case("!pub --unix SOCKET -t a -m x -d -i me -q 1"),
    case("!sub --unix SOCKET -t r/# -C 2 -v"),
    case("!rr --unix SOCKET -t echo -e echo -m x -W 5"),
    case("!sub -h SOCKET -p 0 -t r/1 -C 1"),
    case("!sub -p 0 --unix SOCKET -t r/1 -C 1"),
    case("!sub -p PORT --unix SOCKET -t r/1 -C 1"),
    case("!sub --unix SOCKET -p PORT -h 127.0.0.1 -t r/1 -C 1"),
    case("!sub --unix SOCKET.none -t r/1 -C 1"),
    case("!sub -t r/1 -C 1").file("--unix /nonexistent\n"),
];

#[test]
fn tls_is_spoken_alike() {
    let authority = Authority::new("Test CA");
    authority.issue("here", &["localhost", "127.0.0.1"]);
    authority.issue("elsewhere", &["elsewhere.example"]);
    authority.issue("client", &["me"]);
    authority.openssl("rehash .");
    let stranger = Authority::new("Stranger");
    let [here, elsewhere, closed] = [free_port(), free_port(), free_port()];
    let mut lines = Vec::new();
    for (port, name) in [(here, "here"), (elsewhere, "elsewhere"), (closed, "here")] {
        lines.push(format!("listener {port} 127.0.0.1"));
        lines.extend(authority.listener(name));
    }
    lines.push("require_certificate true".to_owned());
    let broker = broker(lines.iter().map(String::as_str));
    let place = Place {
        names: vec![
            ("ELSEWHERE", elsewhere.to_string()),
            ("CLOSED", closed.to_string()),
            ("HERE", here.to_string()),
            ("CA", authority.ca()),
            ("FOLDER", authority.folder.path().display().to_string()),
            ("STRANGER", stranger.ca()),
            ("CRT", authority.file("client.crt")),
            ("KEY", authority.file("client.key")),
        ],
        ..Place::at(broker.port)
    };
    same(TLS, &place);
    let clients = Clients::new();
    all_hold(REFUSED, |(case, why)| {
        let theirs = case.run(&clients, Whose::Theirs, &place);
        let ours = case.run(&clients, Whose::Ours, &place);
        let is_said = ours
            .stderr
            .starts_with("Error: A TLS error occurred.\nError: ")
            && ours.stderr.contains(why);
        match [1, 7, 8, 14].contains(&theirs.status) && ours.status == 8 && is_said {
            true => Ok(()),
            false => Err(format!(
                "{}\n  theirs {theirs:?}\n  ours   {ours:?}",
                case.line
            )),
        }
    });
}

pub const TLS: &[Case] = &[
    case("!sub -h localhost -p HERE --cafile CA -t r/# -C 2 -v"),
    case("!pub -h 127.0.0.1 -p HERE --cafile CA -t a -m x -q 2 -d -i me"),
    case("!rr -h localhost -p HERE --cafile CA -t echo -e echo -m x -W 5"),
    case("!sub -h localhost -p HERE --capath FOLDER -t r/1 -C 1"),
    case("!sub -L mqtts://localhost:HERE/r/1 --cafile CA -C 1"),
    case("!sub -h localhost -p HERE --cafile CA --tls-version tlsv1.3 -t r/1 -C 1"),
    case("!sub -h localhost -p HERE --cafile CA --tls-version tlsv1.2 -t r/1 -C 1"),
    case("!sub -h localhost -p HERE --cafile CA --tls-version tlsv1.1 -t r/1 -C 1"),
    case("!sub -h localhost -p HERE --cafile CA --tls-alpn mqtt -t r/1 -C 1"),
    case(
        "!sub -h localhost -p HERE --cafile CA --ciphers ECDHE-ECDSA-AES128-GCM-SHA256 -t r/1 -C 1",
    ),
    case("!sub -h localhost -p HERE --cafile CA --tls-use-os-certs -t r/1 -C 1"),
    case("!pub -h localhost -p HERE -t a -m x -i me").says_more(),
    case("!sub -h localhost -p ELSEWHERE --cafile CA --insecure -t r/1 -C 1"),
    case("!sub -h localhost -p CLOSED --cafile CA --cert CRT --key KEY -t r/1 -C 1"),
    case("!sub -h localhost -p CLOSED --cafile CA --cert CRT --key KEY --keyform pem -t r/1 -C 1"),
    case("!rr -h localhost -p HERE --capath FOLDER -t echo -e echo -m x -W 5"),
    case("!rr -h localhost -p CLOSED --cafile CA --cert CRT --key KEY -t echo -e echo -m x -W 5"),
];

/// Mosquitto's clients have a status for what goes wrong while they connect, and others for what comes to light later, which
/// depends on the moment. Ours has one, and says why.
pub const REFUSED: &[(Case, &str)] = &[
    (
        case("!sub -h localhost -p HERE --cafile STRANGER -t r/1 -C 1"),
        "--cafile",
    ),
    (
        case("!sub -h localhost -p HERE --cafile STRANGER --insecure -t r/1 -C 1"),
        "--cafile",
    ),
    (
        case("!sub -h localhost -p HERE --tls-use-os-certs -t r/1 -C 1"),
        "--cafile",
    ),
    (
        case("!pub -h localhost -p HERE --tls-use-os-certs -t a -m x"),
        "--cafile",
    ),
    (
        case("!rr -h localhost -p HERE --tls-use-os-certs -t echo -e echo -m x -W 5"),
        "--cafile",
    ),
    (
        case("!sub -h localhost -p ELSEWHERE --cafile CA -t r/1 -C 1"),
        "elsewhere.example",
    ),
    (
        case("!sub -h localhost -p CLOSED --cafile CA -t r/1 -C 1"),
        "--cert",
    ),
    (case("sub --cafile CA -t r/1 -C 1"), "without TLS"),
];

/// The name is looked up by the proxy, and its user is told.
#[test]
fn a_socks_proxy_is_asked_alike() {
    let broker = broker([]);
    let clients = Clients::new();
    let home = tempfile::tempdir().unwrap();
    for (user, typed, target) in SOCKS {
        let asked = [Whose::Theirs, Whose::Ours].map(|whose| {
            let proxy = Proxy::socks(*user, 0);
            let line = format!(
                "mosquitto_sub -h localhost -p {} --proxy socks5h://{typed}{} -t r/1 -C 1",
                broker.port, proxy.address
            );
            let outcome = clients.run(whose, &words(&line), b"", home.path());
            assert_eq!(
                (outcome.status, &*outcome.stdout),
                (0, "one\n"),
                "{outcome:?}"
            );
            proxy.asked()
        });
        let target = format!("{target}localhost:{}", broker.port);
        assert_eq!(asked, [target.clone(), target]);
    }
}

/// The user the proxy wants, how it is typed, and what the proxy hears.
const SOCKS: &[(Option<&str>, &str, &str)] = &[
    (None, "", ""),
    (Some("al:pw"), "al:pw@", "al:pw "),
    (Some("al:p:w%"), "al:p%3Aw%25@", "al:p:w% "),
];
