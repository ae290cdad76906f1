//! A reader that takes nothing for a while: the broker has to wait, but still hears of us.

use super::*;

/// Longer than the sockets and everything above them hold.
const LONG: usize = 100_000;
const MANY: u16 = 200;

#[tokio::test(start_paused = true)]
async fn who_reads_nothing_for_several_keep_alives_stays_connected_and_misses_nothing() {
    for version in VERSIONS {
        let broker = Broker::new(version).await;
        let mut options = broker.options();
        options.keep_alive = 10;
        let (mut session, peer) = established(&broker, &options, SOON).await;
        session.subscribe(to("a"), Properties::default()).unwrap();
        let (mut from_client, mut to_client) = peer.split();
        let Packet::Subscribe(_) = from_client.read().await else {
            panic!("no SUBSCRIBE");
        };
        let flood = tokio::spawn(async move {
            for packet_id in 1..=MANY {
                let mut publish = message(QoS::AtLeastOnce, &"x".repeat(LONG));
                publish.packet_id = packet_id;
                to_client.write(Packet::Publish(publish)).await;
            }
            to_client
        });
        for _ in 0..5 {
            // They are not answered: the answers would stand behind what is not read.
            assert_eq!(from_client.read().await, Packet::PingReq);
        }
        assert!(!flood.is_finished(), "the broker has to wait");
        let mut next = 1;
        while next <= MANY {
            match session.next().await {
                Event::Message(publish) => {
                    assert_eq!((publish.packet_id, publish.payload.len()), (next, LONG));
                    session.acknowledge(QoS::AtLeastOnce, next);
                    next += 1;
                }
                event => panic!("{event:?}"),
            }
        }
        let mut to_client = flood.await.unwrap();
        let mut acknowledged = 0;
        while acknowledged < MANY {
            match from_client.read().await {
                Packet::PubAck(answer) => {
                    acknowledged += 1;
                    assert_eq!(answer.packet_id, acknowledged);
                }
                Packet::PingReq => to_client.write(Packet::PingResp).await,
                packet => panic!("{packet:?}"),
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_broker_that_answers_no_pingreq_is_given_up_by_whoever_reads() {
    for version in VERSIONS {
        let broker = Broker::new(version).await;
        let mut options = broker.options();
        options.keep_alive = 10;
        let (mut session, mut peer) = established(&broker, &options, Retry::NEVER).await;
        let Event::Lost { failure, .. } = session.next().await else {
            panic!("not lost");
        };
        assert_eq!(peer.read().await, Packet::PingReq);
        let words = "the broker did not answer PINGREQ within --keepalive";
        assert_eq!(failure.to_string(), words);
    }
}
