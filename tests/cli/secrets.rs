//! Passwords that are not typed into the command line: from another program, and from whoever sits at the terminal.

use std::path::Path;

use mqtt_toolbox::mqtt::Version;
use mqtt_toolbox::mqtt::packet::Packet;

use crate::harness::Mqtt;

/// What a command says of itself in its CONNECT, user name and password, to a broker that then refuses it.
#[track_caller]
pub fn said_by(run: impl FnOnce(String) -> Mqtt) -> (String, String) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    let broker = std::thread::spawn(move || {
        let mut wire = crate::wire::Wire::accept(&listener, Version::V311);
        match wire.receive() {
            Packet::Connect(connect) => {
                wire.send(Packet::ConnAck(mqtt_toolbox::mqtt::packet::ConnAck {
                    session_present: false,
                    reason: mqtt_toolbox::mqtt::ReasonCode::NOT_AUTHORIZED,
                    properties: Default::default(),
                }));
                wire.rest();
                connect
            }
            other => panic!("{other:?} is not CONNECT"),
        }
    });
    run(port.to_string()).stderr_any().status(4).run();
    let connect = broker.join().expect("the broker has seen it");
    let text = |bytes: Option<&[u8]>| String::from_utf8_lossy(bytes.unwrap_or(b"-")).into_owned();
    (
        text(connect.username.as_deref().map(str::as_bytes)),
        text(connect.password.as_deref()),
    )
}

const MESSAGE: [&str; 4] = ["-t", "a", "-m", "x"];

#[test]
fn a_password_command_gives_the_password_and_leaves_stdin_alone() {
    let (_, password) = said_by(|port| {
        let options = ["-p", &port, "-u", "ann", "-t", "a", "-l"];
        let command = ["--password-command", "sh -c 'cat; echo secret; echo more'"];
        Mqtt::new([&["pub"], &options[..], &command].concat()).stdin("a line\n")
    });
    assert_eq!(password, "secret");
}

#[test]
fn a_password_command_that_fails_ends_the_command_with_what_it_said() {
    let command = [
        "--password-command",
        "sh -c 'echo the vault is locked >&2; exit 3'",
    ];
    Mqtt::new([&["pub", "-u", "ann"], &MESSAGE[..], &command].concat())
        .stderr("the vault is locked\nmqtt: --password-command \"sh -c 'echo the vault is locked >&2; exit 3'\" failed: exit status: 3\n")
        .status(1)
        .run();
}

#[test]
fn a_password_is_asked_for_on_the_terminal_and_not_shown() {
    let peer = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/terminal.py");
    let said = said_by(|port| {
        let mut words = vec![peer.to_string_lossy().into_owned()];
        let mqtt = env!("CARGO_BIN_EXE_mqtt");
        words.extend(["password of ann: ", "s3cret", mqtt, "pub", "-p", &port].map(String::from));
        words.extend(["-u", "ann", "--ask-password"].map(String::from));
        words.extend(MESSAGE.map(String::from));
        Mqtt::program("python3", words).stdout_like(|shown| {
            shown.starts_with("password of ann: \nmqtt: ") && !shown.contains("s3cret")
        })
    });
    assert_eq!(said, ("ann".to_owned(), "s3cret".to_owned()));
}

#[test]
fn nobody_is_asked_for_a_password_where_there_is_no_terminal() {
    // In a session of its own there is none.
    let mqtt = [
        env!("CARGO_BIN_EXE_mqtt"),
        "pub",
        "-u",
        "ann",
        "--ask-password",
    ];
    Mqtt::program("setsid", [&["--wait"], &mqtt[..], &MESSAGE].concat())
        .stderr_like(|text| {
            text.starts_with("mqtt: --ask-password: no terminal to ask on (")
                && text.ends_with("); give it with --password-file or --password-command\n")
        })
        .status(2)
        .run();
}
