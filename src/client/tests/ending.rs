//! How a connection ends.

use super::*;

// The library takes `E0 01 xx` for the beginning of a longer packet and swallows it.
#[tokio::test]
async fn a_disconnect_without_properties_says_its_reason() {
    let broker = Broker::new(Version::V5).await;
    let options = broker.options();
    let (mut session, mut peer) = established(&broker, &options, SOON).await;
    peer.write_bytes(&[0xE0, 0x01, 0x8E]).await;
    let Event::Lost {
        failure, retry_in, ..
    } = session.next().await
    else {
        panic!("not lost");
    };
    assert_eq!(
        failure.to_string(),
        "the broker ended the connection: session taken over: another client connected with the same client id; \
         give each its own --id, or see --takeover"
    );
    // Coming back would throw the other one out.
    assert_eq!((failure.exit(), retry_in), (Exit::Lost, None));
}

// The library returns an error and keeps the messages before it in its queue.
#[tokio::test]
async fn messages_that_arrive_together_with_the_end_are_not_withheld() {
    for version in VERSIONS {
        let broker = Broker::new(version).await;
        let options = broker.options();
        let (mut session, mut peer) = established(&broker, &options, Retry::NEVER).await;
        let mut bytes = Vec::new();
        for payload in ["one", "two", "three"] {
            let packet = Packet::Publish(message(QoS::AtMostOnce, payload));
            codec::write(&packet, version, &mut bytes).unwrap();
        }
        peer.write_bytes(&bytes).await;
        drop(peer);
        for payload in ["one", "two", "three"] {
            let event = session.next().await;
            let Event::Message(message) = event else {
                panic!("{version}: {payload} is missing: {event:?}");
            };
            assert_eq!(message.payload, payload);
        }
        let Event::Lost { failure, .. } = session.next().await else {
            panic!("not lost");
        };
        assert_eq!(failure.to_string(), "the broker closed the connection");
    }
}

// The library's MQTT 5 half waits without end for a socket that takes nothing.
#[tokio::test]
async fn a_broker_that_takes_nothing_any_more_is_given_up() {
    for version in VERSIONS {
        let broker = Broker::new(version).await;
        let mut options = broker.options();
        options.keep_alive = 1;
        let (mut session, peer) = established(&broker, &options, Retry::NEVER).await;
        let large = message(QoS::AtMostOnce, &"x".repeat(32_000_000));
        session.publish(large).unwrap();
        loop {
            if let Event::Lost { failure, .. } = session.next().await {
                assert_eq!(
                    failure.to_string(),
                    "the broker took nothing for 1s 500ms (1.5 times --keepalive)"
                );
                break;
            }
        }
        drop(peer);
    }
}
