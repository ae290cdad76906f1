//! The command at a scripted broker, in a time that the test makes pass.

use std::path::Path;
use std::pin::pin;

use tokio::time::advance;

use super::*;
use crate::cli::Command;
use crate::client::connect;
use crate::client::tests::broker::{Broker, Peer, StoppedClock};
use crate::mqtt::packet::SubAck;
use crate::mqtt::{Packet, Properties, QoS, Version};
use crate::settings;

pub(super) fn message(topic: &str, payload: &str) -> Publish {
    Publish {
        dup: false,
        qos: QoS::AtMostOnce,
        retain: false,
        topic: topic.into(),
        packet_id: 0,
        properties: Properties::default(),
        payload: payload.to_owned().into(),
    }
}

pub(super) fn received(topic: &str, payload: &str) -> Received {
    Received {
        publish: message(topic, payload),
        at: Timestamp::UNIX_EPOCH,
    }
}

/// What the broker does, and what is to be seen then.
enum Step {
    /// This message comes.
    Comes(&'static str, &'static str),
    /// So many seconds pass.
    Passes(u64),
    /// By now this is written, one `topic payload` a word, and nothing else. A message that comes last shows that those
    /// before it are dealt with.
    Written(&'static str),
}
use Step::*;

/// How the command ends when all this has happened and so many seconds more have passed, and not before.
async fn played(line: &str, steps: &[Step], end: u64) -> Exit {
    let _clock = StoppedClock::new();
    let broker = Broker::new(Version::V311).await;
    let url = broker.options().endpoint.to_string();
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("output");
    let words = "mqtt sub -k 0 -t # -F %t%p"
        .split(' ')
        .chain(line.split(' '));
    let words = words.chain(["-L", &url, "--output", output.to_str().unwrap()]);
    let (dialect, cli) = settings::understand(words.map(Into::into), []);
    let Command::Sub(args) = cli.unwrap().command else {
        unreachable!("it is sub");
    };
    let (plan, selection, sink) = Plan::new(&args, dialect).unwrap();
    let (session, mut peer) = tokio::join!(
        connect(&plan.options, Retry::NEVER),
        broker.welcome(false, Properties::default())
    );
    let mut subscriber = Subscriber::new(session.unwrap(), &plan, selection, sink);
    let mut receiving = pin!(async {
        tokio::select! {
            exit = subscriber.receive() => exit.unwrap(),
            () = plan.end.limit.reached() => Exit::TimedOut,
        }
    });
    tokio::select! {
        exit = &mut receiving => panic!("{exit:?} too early"),
        () = play(&mut peer, &output, steps) => {}
    }
    advance(Duration::from_secs(end)).await;
    receiving.await
}

async fn play(peer: &mut Peer, output: &Path, steps: &[Step]) {
    let Packet::Subscribe(subscribe) = peer.read().await else {
        panic!("no SUBSCRIBE");
    };
    peer.write(Packet::SubAck(SubAck {
        packet_id: subscribe.packet_id,
        reasons: vec![ReasonCode::SUCCESS],
        properties: Properties::default(),
    }))
    .await;
    for step in steps {
        match step {
            Comes(topic, payload) => peer.write(Packet::Publish(message(topic, payload))).await,
            Passes(seconds) => advance(Duration::from_secs(*seconds)).await,
            Written(words) => loop {
                let written = std::fs::read_to_string(output).unwrap_or_default();
                if written.split_whitespace().eq(words.split_whitespace()) {
                    break;
                }
                tokio::task::yield_now().await;
            },
        }
    }
}

#[tokio::test(start_paused = true)]
async fn idle_counts_from_the_last_message() {
    let script = [
        Comes("a", "1"),
        Written("a1"),
        Passes(3000),
        Comes("a", "2"),
        Written("a1 a2"),
        Passes(3599),
        Comes("a", "3"),
        Written("a1 a2 a3"),
        Passes(3599),
        Comes("a", "4"),
        Written("a1 a2 a3 a4"),
    ];
    assert_eq!(played("--idle 1h", &script, 3600).await, Exit::Done);
}

#[tokio::test(start_paused = true)]
async fn the_timeout_counts_from_the_start_whatever_comes() {
    let script = [Passes(3599), Comes("a", "1"), Written("a1")];
    assert_eq!(played("-W 1h --idle 59m", &script, 1).await, Exit::TimedOut);
}

#[tokio::test(start_paused = true)]
async fn what_is_held_back_is_written_when_its_time_has_come() {
    let script = [
        Comes("a", "1"),
        Comes("a", "2"),
        Comes("b", "1"),
        Written("a1 b1"),
        Passes(9),
        Comes("a", "3"),
        Comes("c", "1"),
        Written("a1 b1 c1"),
        Passes(1),
        Written("a1 b1 c1 a3"),
        Comes("a", "4"),
        Comes("d", "1"),
        Written("a1 b1 c1 a3 d1"),
        Passes(9),
        Comes("e", "1"),
        Written("a1 b1 c1 a3 d1 e1"),
        Passes(1),
        Written("a1 b1 c1 a3 d1 e1 a4"),
    ];
    assert_eq!(
        played("--throttle 10s --idle 1h", &script, 3600).await,
        Exit::Done
    );
}
