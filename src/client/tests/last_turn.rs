//! What the broker says in the turn in which the connection ends, which the library's MQTT 5 half forgets.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixListener;

use super::*;

/// More than the library takes of one read before it writes its answers to them.
const MANY: u8 = 200;

/// A broker that accepts, takes [`MANY`] messages of QoS 2 and one of QoS 1, and from then on hears nothing, while it answers
/// all of them at once: every write of the client fails, and the first of them is PUBREL.
fn deaf(listener: &UnixListener, version: Version) -> std::io::Result<impl Send + use<>> {
    let (mut stream, _) = listener.accept()?;
    let connack: &[u8] = match version {
        Version::V5 => &[0x20, 3, 0, 0, 0],
        _ => &[0x20, 2, 0, 0],
    };
    let answers: Vec<u8> = (1..=MANY)
        .flat_map(|packet_id| [0x50, 2, 0, packet_id])
        .chain([0x40, 2, 0, MANY + 1])
        .collect();
    let (mut received, mut piece) = (Vec::new(), [0; 1024]);
    for (end, answer) in [(&b"tester"[..], connack), (b"last", &answers)] {
        while !received.ends_with(end) {
            let count = stream.read(&mut piece)?;
            received.extend_from_slice(&piece[..count]);
        }
        if end == b"last" {
            stream.shutdown(Shutdown::Read)?;
        }
        stream.write_all(answer)?;
    }
    Ok(stream)
}

// The library's MQTT 5 half forgets what one read brought when a write fails in the same turn: the session would wait for
// ever for an acknowledgement that had come.
#[tokio::test]
async fn what_came_before_a_write_failed_still_counts() {
    for version in VERSIONS {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let listener = UnixListener::bind(&path).unwrap();
        let broker = std::thread::spawn(move || deaf(&listener, version));
        let url = format!("unix://{}", path.display());
        let mut options = ConnectOptions::new(url.parse().unwrap());
        options.version = version;
        options.client_id = "tester".to_owned();
        let mut session = connect(&options, Retry::NEVER).await.unwrap();
        for _ in 0..MANY {
            session.publish(message(QoS::ExactlyOnce, "")).unwrap();
        }
        let last = session.publish(message(QoS::AtLeastOnce, "last")).unwrap();
        let mut complete = Vec::new();
        let failure = loop {
            match session.next().await {
                Event::Complete { number, .. } => complete.push(number),
                Event::Lost { failure, .. } => break failure,
                _ => {}
            }
        };
        assert_eq!(complete, [last], "{version}");
        let words = failure.to_string();
        assert_eq!(words, "the connection broke: broken pipe", "{version}");
        broker.join().unwrap().unwrap();
    }
}

// One cannot know any more what is complete, and the library would not send again what was.
#[tokio::test]
async fn a_broker_that_breaks_the_protocol_while_messages_are_under_way_is_left() {
    for version in VERSIONS {
        let broker = Broker::new(version).await;
        let options = broker.options();
        let (mut session, mut peer) = established(&broker, &options, SOON).await;
        for payload in ["one", "two"] {
            session.publish(message(QoS::AtLeastOnce, payload)).unwrap();
        }
        let script = async {
            peer.read().await;
            peer.read().await;
            // The second is for no message of ours.
            peer.write_bytes(&[0x40, 2, 0, 1, 0x40, 2, 0, 99]).await;
        };
        let watching = async {
            let mut complete = 0;
            loop {
                match session.next().await {
                    Event::Complete { .. } => complete += 1,
                    Event::Lost {
                        failure, retry_in, ..
                    } => break (failure, retry_in.is_some(), complete),
                    _ => {}
                }
            }
        };
        let ((failure, tries_again, complete), ()) = tokio::join!(watching, script);
        let words = failure.to_string();
        assert!(
            words.starts_with("the broker broke the protocol: "),
            "{words}"
        );
        let expected = match version {
            Version::V5 => (false, 0),
            _ => (true, 1),
        };
        assert_eq!((tries_again, complete), expected, "{version}");
    }
}
