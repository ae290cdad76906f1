//! How much may be sent and received at once.

use super::*;

// The library cuts off at 10 KiB, closes the connection, and does so again for ever if the message is retained.
#[tokio::test]
async fn a_large_message_is_no_poison() {
    for version in VERSIONS {
        let broker = Broker::new(version).await;
        let options = broker.options();
        let (mut session, mut peer) = established(&broker, &options, Retry::NEVER).await;
        let large = "x".repeat(3_000_000);
        let packet = Packet::Publish(message(QoS::AtMostOnce, &large));
        let (event, ()) = tokio::join!(async { session.next().await }, peer.write(packet));
        let Event::Message(message) = event else {
            panic!("{version}: {event:?}");
        };
        assert!(message.payload == large, "{version}");
    }
}

// The library would send it, lose the connection, and send it again for ever.
#[tokio::test]
async fn what_the_broker_said_it_does_not_take_is_not_sent() {
    let broker = Broker::new(Version::V5).await;
    let options = broker.options();
    let limits = Properties(vec![
        Property::MaximumPacketSize(100),
        Property::MaximumQoS(1),
        Property::RetainAvailable(0),
        Property::TopicAliasMaximum(3),
    ]);
    let (session, mut peer) = tokio::join!(
        connect(&options, Retry::NEVER),
        broker.welcome(false, limits)
    );
    let mut session = session.unwrap();
    // 1 + 1 for the fixed header, 3 for the topic, 2 for the packet id, 1 for the properties.
    let mut retained = message(QoS::AtMostOnce, "x");
    retained.retain = true;
    let mut aliased = message(QoS::AtMostOnce, "x");
    aliased.properties.push(Property::TopicAlias(4));
    for (publish, error) in [
        (
            message(QoS::AtLeastOnce, &"x".repeat(93)),
            Unfit::TooLarge {
                length: 101,
                maximum: 100,
            },
        ),
        (retained, Unfit::RetainNotAvailable),
        (
            aliased,
            Unfit::NoSuchAlias {
                alias: 4,
                maximum: 3,
            },
        ),
        (message(QoS::ExactlyOnce, "x"), Unfit::QoSNotAvailable(1)),
    ] {
        assert_eq!(session.publish(publish), Err(error));
    }
    let fits = message(QoS::AtLeastOnce, &"x".repeat(92));
    session.publish(fits.clone()).unwrap();
    assert_eq!(peer.publish().await.payload, fits.payload);
}

// Unset, the library reserves 16 MB in its MQTT 5 half.
#[tokio::test]
async fn no_more_messages_are_under_way_than_the_broker_wants() {
    let broker = Broker::new(Version::V5).await;
    let options = broker.options();
    let limit = Properties(vec![Property::ReceiveMaximum(2)]);
    let (session, mut peer) = tokio::join!(
        connect(&options, Retry::NEVER),
        broker.welcome(false, limit)
    );
    let mut session = session.unwrap();
    for _ in 0..5 {
        assert!(session.has_room());
        session.publish(message(QoS::AtLeastOnce, "x")).unwrap();
    }
    let work = async {
        while !session.is_complete() {
            session.next().await;
        }
    };
    let script = async {
        for expected in [1, 2] {
            assert_eq!(peer.publish().await.packet_id, expected);
        }
        for _ in 0..3 {
            let nothing = tokio::time::timeout(Duration::from_millis(20), peer.publish()).await;
            assert!(
                nothing.is_err(),
                "a third message before the first is acknowledged"
            );
            peer.acknowledge(1).await;
            assert_eq!(peer.publish().await.packet_id, 1);
        }
        peer.acknowledge(1).await;
        peer.acknowledge(2).await;
    };
    tokio::join!(work, script);
}
