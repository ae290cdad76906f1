//! Connecting, to brokers that refuse, are silent, old, slow or none.

use super::*;

async fn refusal(options: &ConnectOptions) -> Failure {
    match connect(options, SOON).await {
        Ok(_) => panic!("it connected"),
        Err(failure) => failure,
    }
}

// The library waits for the rest of a CONNACK of MQTT 5 until its timeout.
#[tokio::test]
async fn an_old_broker_is_recognised_at_once_by_its_connack() {
    let broker = Broker::new(Version::V5).await;
    let options = broker.options();
    let (failure, ()) = tokio::join!(refusal(&options), async {
        let mut peer = broker.accept().await;
        peer.write_bytes(&[0x20, 0x02, 0x00, 0x01]).await;
        assert!(peer.read_if_open().await.is_none());
    });
    assert_eq!(failure.exit(), Exit::Refused);
    let words = failure.to_string();
    assert!(
        words.ends_with("unsupported protocol version; try --protocol-version auto or 311, and no option that only MQTT 5 has"),
        "{words}"
    );
}

// The library reports a refusal without the reason string.
#[tokio::test]
async fn a_refusal_is_reported_in_the_brokers_words() {
    let broker = Broker::new(Version::V5).await;
    let options = broker.options();
    let (failure, ()) = tokio::join!(refusal(&options), async {
        let mut peer = broker.accept().await;
        let reason_string = Property::ReasonString("not on Sundays".into());
        peer.write(Packet::ConnAck(ConnAck {
            session_present: false,
            reason: ReasonCode::BANNED,
            properties: Properties(vec![reason_string]),
        }))
        .await;
    });
    assert_eq!(failure.exit(), Exit::Refused);
    let words = failure.to_string();
    assert!(words.ends_with("banned (not on Sundays)"), "{words}");
}

#[tokio::test]
async fn a_broker_that_is_silent_after_connect_is_named() {
    for version in VERSIONS {
        let broker = Broker::new(version).await;
        let mut options = broker.options();
        options.connect_timeout = Duration::from_secs(1);
        let (failure, _peer) = tokio::join!(refusal(&options), broker.accept());
        let endpoint = &options.endpoint;
        assert_eq!(
            failure,
            Failure::obstructed(
                Obstacle::Silence,
                format!(
                    "{endpoint} takes connections but sent no CONNACK within 1s (--connect-timeout); is it an MQTT broker?"
                )
            )
        );
    }
}

#[tokio::test]
async fn an_answer_may_have_a_limit_of_its_own() {
    let broker = Broker::new(Version::V311).await;
    let mut options = broker.options();
    options.connect_timeout = Duration::from_secs(600);
    options.answer_timeout = Some(Duration::from_secs(1));
    let (failure, _peer) = tokio::join!(refusal(&options), broker.accept());
    let words = failure.to_string();
    assert!(
        words.contains("sent no CONNACK within 1s (--keepalive)"),
        "{words}"
    );
}

#[tokio::test]
async fn a_broker_that_hangs_up_before_connack_was_not_reached() {
    let broker = Broker::new(Version::V311).await;
    let options = broker.options();
    let (failure, ()) = tokio::join!(refusal(&options), async {
        drop(broker.accept().await);
    });
    assert_eq!(failure.exit(), Exit::NotReached);
    let words = failure.to_string();
    assert!(
        words
            .ends_with("the broker closed the connection before CONNACK; does it take MQTT 3.1.1, or only TLS (mqtts://)?"),
        "{words}"
    );
}

// Polling the library under a time limit while it connects starts anew each time.
#[tokio::test]
async fn waiting_for_an_event_may_be_cancelled_while_connecting() {
    let broker = Broker::new(Version::V311).await;
    let options = broker.options();
    let (mut session, peer) = established(&broker, &options, SOON).await;
    drop(peer);
    assert!(matches!(session.next().await, Event::Lost { .. }));
    let slow = async {
        let mut peer = broker.accept().await;
        // Longer than each of the waits.
        tokio::time::sleep(Duration::from_millis(50)).await;
        peer.write_bytes(&[0x20, 2, 0, 0]).await;
        peer
    };
    let impatient = async {
        loop {
            let wait = tokio::time::timeout(Duration::from_millis(5), session.next());
            if let Ok(event) = wait.await {
                return event;
            }
        }
    };
    let (event, _peer) = tokio::join!(impatient, slow);
    assert!(matches!(event, Event::Connected), "{event:?}");
}

#[tokio::test]
async fn an_mqtt_3_1_broker_is_spoken_to_in_its_version() {
    let broker = Broker::new(Version::V31).await;
    let options = broker.options();
    let (mut session, mut peer) = established(&broker, &options, Retry::NEVER).await;
    session.publish(message(QoS::AtMostOnce, "x")).unwrap();
    assert_eq!(peer.publish().await.payload, "x");
}
