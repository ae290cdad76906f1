//! Connecting again, to a broker that kept the session and to one that did not.

use super::*;

// The library drops everything it has queued when the broker has not kept the session.
#[tokio::test]
async fn nothing_unacknowledged_is_forgotten_when_the_broker_forgot_the_session() {
    for version in VERSIONS {
        let broker = Broker::new(version).await;
        let options = broker.options();
        let (mut session, mut peer) = established(&broker, &options, SOON).await;
        let payloads = ["0", "1", "2", "3", "4", "5"];
        for payload in payloads {
            session.publish(message(QoS::AtLeastOnce, payload)).unwrap();
        }
        let mut complete = Vec::new();
        let work = async {
            while complete.len() < payloads.len() {
                if let Event::Complete { number, reason } = session.next().await {
                    assert_eq!(reason, ReasonCode::SUCCESS);
                    complete.push(number);
                }
            }
        };
        let script = async {
            let mut ids = Vec::new();
            for _ in payloads {
                ids.push(peer.publish().await.packet_id);
            }
            // Out of order, and then the end.
            peer.acknowledge(ids[1]).await;
            drop(peer);
            let mut peer = broker.welcome(false, Properties::default()).await;
            for payload in ["0", "2", "3", "4", "5"] {
                let publish = peer.publish().await;
                assert_eq!(publish.payload, payload);
                assert!(!publish.dup, "to this session it is new");
                peer.acknowledge(publish.packet_id).await;
            }
            peer
        };
        let ((), _peer) = tokio::join!(work, script);
        assert_eq!(complete, [1, 0, 2, 3, 4, 5]);
        assert!(session.is_complete());
    }
}

#[tokio::test]
async fn a_kept_session_gets_the_unacknowledged_messages_again_and_each_completes_once() {
    for version in VERSIONS {
        let broker = Broker::new(version).await;
        let mut options = broker.options();
        options.clean_start = false;
        options.session_expiry = u32::MAX;
        let (mut session, mut peer) = established(&broker, &options, SOON).await;
        for payload in ["0", "1", "2"] {
            session.publish(message(QoS::AtLeastOnce, payload)).unwrap();
        }
        let mut complete = Vec::new();
        let work = async {
            while complete.len() < 3 {
                if let Event::Complete { number, .. } = session.next().await {
                    complete.push(number);
                }
            }
        };
        let script = async {
            let ids = [
                peer.publish().await.packet_id,
                peer.publish().await.packet_id,
                peer.publish().await.packet_id,
            ];
            peer.acknowledge(ids[0]).await;
            // The end may overtake nothing: the client has read the acknowledgement when it connects again.
            drop(peer);
            let mut peer = broker.welcome(true, Properties::default()).await;
            let mut again = Vec::new();
            while again.len() < 2 {
                let publish = peer.publish().await;
                assert!(publish.dup);
                again.push((publish.packet_id, publish.payload.clone()));
                peer.acknowledge(publish.packet_id).await;
            }
            assert_eq!(again, [(ids[1], "1".into()), (ids[2], "2".into())]);
            peer
        };
        let ((), _peer) = tokio::join!(work, script);
        assert_eq!(complete, [0, 1, 2]);
    }
}

#[tokio::test]
async fn a_broker_that_forgot_the_session_is_subscribed_to_again() {
    for version in VERSIONS {
        let broker = Broker::new(version).await;
        let options = broker.options();
        let (mut session, mut peer) = established(&broker, &options, SOON).await;
        session.subscribe(to("a/#"), Properties::default()).unwrap();
        let work = async {
            let mut granted = 0;
            while granted < 2 {
                if let Event::Subscribed(reasons) = session.next().await {
                    assert_eq!(reasons, [ReasonCode::GRANTED_QOS_2]);
                    granted += 1;
                }
            }
        };
        let script = async {
            grant(&mut peer).await;
            drop(peer);
            let mut peer = broker.welcome(false, Properties::default()).await;
            grant(&mut peer).await;
            peer
        };
        let ((), _peer) = tokio::join!(work, script);
    }
}

async fn grant(peer: &mut Peer) {
    let Packet::Subscribe(subscribe) = peer.read().await else {
        panic!("no SUBSCRIBE");
    };
    peer.write(Packet::SubAck(SubAck {
        packet_id: subscribe.packet_id,
        reasons: vec![ReasonCode::GRANTED_QOS_2; subscribe.filters.len()],
        properties: Properties::default(),
    }))
    .await;
}

// The library forgets what it was told to acknowledge when the connection ends before it has.
#[tokio::test]
async fn a_qos_2_message_whose_pubrec_was_lost_is_not_delivered_twice() {
    for version in VERSIONS {
        let broker = Broker::new(version).await;
        let mut options = broker.options();
        options.clean_start = false;
        let (mut session, mut peer) = established(&broker, &options, SOON).await;
        let mut publish = message(QoS::ExactlyOnce, "once");
        publish.packet_id = 5;
        peer.write(Packet::Publish(publish.clone())).await;
        assert!(matches!(session.next().await, Event::Message(_)));
        drop(peer);
        assert!(matches!(session.next().await, Event::Lost { .. }));
        // Dealt with only now.
        session.acknowledge(QoS::ExactlyOnce, 5);
        publish.dup = true;
        let mut last = message(QoS::AtMostOnce, "another");
        last.packet_id = 0;
        let script = async {
            let mut peer = broker.welcome(true, Properties::default()).await;
            peer.write(Packet::Publish(publish)).await;
            assert!(matches!(peer.read().await, Packet::PubRec(rec) if rec.packet_id == 5));
            peer.write(Packet::PubRel(Acknowledgement::success(5)))
                .await;
            assert!(matches!(peer.read().await, Packet::PubComp(comp) if comp.packet_id == 5));
            peer.write(Packet::Publish(last)).await;
            peer
        };
        let work = async {
            loop {
                if let Event::Message(message) = session.next().await {
                    return message.payload;
                }
            }
        };
        let (payload, _peer) = tokio::join!(work, script);
        assert_eq!(payload, "another");
    }
}
