//! The handshakes of QoS 1 and 2, in both directions.

use super::*;

// The library acknowledges whatever it has read, at most 128 messages ahead of us.
#[tokio::test]
async fn only_what_was_dealt_with_is_acknowledged() {
    for version in VERSIONS {
        let broker = Broker::new(version).await;
        let options = broker.options();
        let (mut session, mut peer) = established(&broker, &options, Retry::NEVER).await;
        for packet_id in 1..=3 {
            let mut publish = message(QoS::AtLeastOnce, "x");
            publish.packet_id = packet_id;
            peer.write(Packet::Publish(publish)).await;
        }
        for packet_id in 1..=3 {
            let Event::Message(message) = session.next().await else {
                panic!("no message");
            };
            assert_eq!(message.packet_id, packet_id);
        }
        session.acknowledge(QoS::AtLeastOnce, 1);
        session.acknowledge(QoS::AtLeastOnce, 2);
        let farewell = async {
            let mut packets = Vec::new();
            while let Some(packet) = peer.read_if_open().await {
                packets.push(packet);
            }
            drop(peer);
            packets
        };
        let (outcome, packets) = tokio::join!(session.disconnect(), farewell);
        outcome.unwrap();
        let acknowledgement = |id| Packet::PubAck(Acknowledgement::success(id));
        assert_eq!(packets[..2], [acknowledgement(1), acknowledgement(2)]);
        assert!(
            matches!(packets[2..], [Packet::Disconnect(_)]),
            "{packets:?}"
        );
    }
}

#[tokio::test]
async fn leaving_waits_until_a_qos_2_message_has_arrived_for_good() {
    for version in VERSIONS {
        let broker = Broker::new(version).await;
        let options = broker.options();
        let (mut session, mut peer) = established(&broker, &options, Retry::NEVER).await;
        let mut publish = message(QoS::ExactlyOnce, "x");
        publish.packet_id = 9;
        peer.write(Packet::Publish(publish)).await;
        assert!(matches!(session.next().await, Event::Message(_)));
        session.acknowledge(QoS::ExactlyOnce, 9);
        let script = async {
            assert!(matches!(peer.read().await, Packet::PubRec(rec) if rec.packet_id == 9));
            peer.write(Packet::PubRel(Acknowledgement::success(9)))
                .await;
            assert!(matches!(peer.read().await, Packet::PubComp(comp) if comp.packet_id == 9));
            assert!(matches!(peer.read().await, Packet::Disconnect(_)));
        };
        let (outcome, ()) = tokio::join!(session.disconnect(), script);
        outcome.unwrap();
    }
}

#[tokio::test]
async fn a_refused_publish_completes_with_its_reason() {
    let broker = Broker::new(Version::V5).await;
    let options = broker.options();
    let (mut session, mut peer) = established(&broker, &options, Retry::NEVER).await;
    for qos in [QoS::AtLeastOnce, QoS::ExactlyOnce] {
        let number = session.publish(message(qos, "x")).unwrap();
        let publish = peer.publish().await;
        let refusal = Acknowledgement {
            reason: ReasonCode::NOT_AUTHORIZED,
            ..Acknowledgement::success(publish.packet_id)
        };
        peer.write(match qos {
            QoS::AtLeastOnce => Packet::PubAck(refusal),
            _ => Packet::PubRec(refusal),
        })
        .await;
        assert!(matches!(
            session.next().await,
            Event::Sent { again: false, .. }
        ));
        let Event::Complete {
            number: complete,
            reason,
        } = session.next().await
        else {
            panic!("not complete");
        };
        assert_eq!((complete, reason), (number, ReasonCode::NOT_AUTHORIZED));
    }
    assert!(session.is_complete());
}

// The library's PUBCOMP does not repeat what PUBREC said.
#[tokio::test]
async fn a_publish_nobody_subscribes_to_completes_with_that_reason() {
    let broker = Broker::new(Version::V5).await;
    let options = broker.options();
    let (mut session, mut peer) = established(&broker, &options, Retry::NEVER).await;
    session
        .publish(message(QoS::ExactlyOnce, "unheard"))
        .unwrap();
    session.publish(message(QoS::ExactlyOnce, "heard")).unwrap();
    let script = async {
        for reason in [ReasonCode::NO_MATCHING_SUBSCRIBERS, ReasonCode::SUCCESS] {
            let publish = peer.publish().await;
            let answer = Acknowledgement::success(publish.packet_id);
            let received = Acknowledgement {
                reason,
                ..answer.clone()
            };
            peer.write(Packet::PubRec(received)).await;
        }
        for _ in 0..2 {
            let Packet::PubRel(released) = peer.read().await else {
                panic!("no PUBREL");
            };
            let answer = Acknowledgement::success(released.packet_id);
            peer.write(Packet::PubComp(answer)).await;
        }
    };
    let watching = async {
        let mut reasons = Vec::new();
        while !session.is_complete() {
            if let Event::Complete { reason, .. } = session.next().await {
                reasons.push(reason);
            }
        }
        reasons
    };
    let (reasons, ()) = tokio::join!(watching, script);
    assert_eq!(
        reasons,
        [ReasonCode::NO_MATCHING_SUBSCRIBERS, ReasonCode::SUCCESS]
    );
}
