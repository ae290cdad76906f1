//! MQTT 5 properties as options of `pub` and `req`.

use mqtt_toolbox::mqtt::packet::Packet;
use mqtt_toolbox::mqtt::{Property, QoS, Version};

use crate::harness::Mqtt;
use crate::servers::{Mosquitto, MqttServe};
use crate::wire::Wire;

const ALL: [&str; 14] = [
    "--payload-format-indicator",
    "--message-expiry-interval",
    "60",
    "--content-type",
    "text/plain",
    "--user-property",
    "b=1",
    "--user-property",
    "a==",
    "--response-topic",
    "answers",
    "--correlation-data",
    "温度",
    "-q1",
];

#[test]
fn every_property_of_a_publish_arrives_and_user_properties_in_their_order() {
    let (ours, theirs) = (MqttServe::start([""; 0]), Mosquitto::start([]));
    for port in [ours.port, theirs.port] {
        let mut wire = Wire::session(port, Version::V5, "subscriber");
        wire.subscribe("t", QoS::AtMostOnce);
        let port = port.to_string();
        let mut arguments = vec!["pub", "-p", &port, "-t", "t", "-m", "hé"];
        arguments.extend(ALL);
        Mqtt::new(arguments).run();
        let Packet::Publish(publish) = wire.receive() else {
            panic!("no publish")
        };
        let mut properties = publish.properties.0;
        // The order of the kinds is each broker's own; that of the user properties is the publisher's.
        let users: Vec<Property> = properties
            .extract_if(.., |property| {
                matches!(property, Property::UserProperty(..))
            })
            .collect();
        let user = |name: &str, value: &str| Property::UserProperty(name.into(), value.into());
        assert_eq!(users, [user("b", "1"), user("a", "=")]);
        properties.sort_by_key(|property| format!("{property:?}"));
        assert_eq!(
            properties,
            [
                Property::ContentType("text/plain".into()),
                Property::CorrelationData("温度".into()),
                Property::MessageExpiryInterval(60),
                Property::PayloadFormatIndicator(1),
                Property::ResponseTopic("answers".into()),
            ]
        );
    }
}

#[test]
fn a_payload_announced_as_text_is_text() {
    Mqtt::new(["pub", "-t", "t", "-s", "--payload-format-indicator"])
        .stdin(b"\xff".to_vec())
        .status(2)
        .stderr("mqtt: the payload is not UTF-8, but --payload-format-indicator says that it is\n")
        .run();
    Mqtt::new(["pub", "-t", "t", "-n", "--response-topic", "a/#"])
        .status(2)
        .stderr("mqtt: \"a/#\" is no topic to publish to: + and # stand in topic filters only\n")
        .run();
    Mqtt::new(["pub", "-t", "t", "-n", "--user-property", "x"])
        .status(2)
        .stderr_contains("write NAME=VALUE")
        .run();
}
