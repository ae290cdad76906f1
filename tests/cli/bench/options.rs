//! What clients say of themselves and of their messages: CONNECT and its properties, wills, message properties, aliases.

use mqtt_toolbox::mqtt::packet::Publish;
use mqtt_toolbox::mqtt::{Properties, Property, QoS, Version};

use super::scripted::{Deed, Scripted};
use super::{bench, report};
use crate::harness::Mqtt;
use crate::servers::MqttServe;

#[test]
fn every_option_of_connect_and_of_messages_is_on_the_wire_and_in_the_plan() {
    let allowed = || Properties(vec![Property::TopicAliasMaximum(10)]);
    let load = "pub --publishers 2 --count 6 -t t/%i -r -m hi --topic-alias --content-type text/plain --message-expiry-interval 60 \
                --payload-format-indicator --response-topic answer --correlation-data c1 --user-property a=b --user-property a=c \
                --disable-clean-session -x 30 --receive-maximum 7 --maximum-packet-size 1000 --topic-alias-maximum 3 \
                --connect-user-property who=bench --will-topic will/%i --will-payload gone --will-qos 1 --will-retain \
                --will-delay-interval 5 --will-content-type x --header none";
    let load: Vec<&str> = load.split_whitespace().collect();
    let printed = bench(load.iter().copied().chain(["--print-plan"]));
    let printed = printed.stderr("").stdout_any().run().stdout_text();
    for by_plan in [false, true] {
        let broker = Scripted::allowing(|_| Deed::Deliver, allowed());
        let target = [
            "-h",
            "127.0.0.1",
            "-p",
            &broker.port,
            "-u",
            "user-%i",
            "-P",
            "secret",
            "-i",
            "c%i",
        ];
        let run = match by_plan {
            true => bench(["--plan", "-"].into_iter().chain(target)).stdin(printed.as_str()),
            false => bench(load.iter().copied().chain(target)),
        };
        let text = run.stdout_any().run().stdout_text();
        assert!(text.contains("with MQTT 5\n"), "{text}");
        let mut connects = broker.connects();
        connects.sort_by(|a, b| a.client_id.cmp(&b.client_id));
        let connect = &connects[1];
        assert_eq!(connect.version, Version::V5);
        assert_eq!(
            (&*connect.client_id, connect.username.as_deref()),
            ("c2", Some("user-2"))
        );
        assert!(!connect.clean_start);
        assert_eq!(
            connect.properties.0,
            [
                Property::SessionExpiryInterval(30),
                Property::ReceiveMaximum(7),
                Property::MaximumPacketSize(1000),
                Property::TopicAliasMaximum(3),
                Property::UserProperty("who".into(), "bench".into()),
            ]
        );
        let will = connect.will.as_ref().unwrap();
        assert_eq!((&*will.topic, &will.payload[..]), ("will/2", &b"gone"[..]));
        assert_eq!((will.qos, will.retain), (QoS::AtLeastOnce, true));
        assert_eq!(
            will.properties.0,
            [
                Property::ContentType("x".into()),
                Property::WillDelayInterval(5)
            ]
        );
        // Three messages of each publisher, then the empty one that takes the retained one away.
        let published = broker.published();
        let of = |topic: &str| -> Vec<&Publish> {
            let all = published.iter();
            all.filter(|publish| publish.topic == *topic).collect()
        };
        assert_eq!((of("t/1").len(), of("").len()), (2, 4));
        let properties = |alias| {
            let common = [
                Property::TopicAlias(alias),
                Property::PayloadFormatIndicator(1),
                Property::MessageExpiryInterval(60),
                Property::ContentType("text/plain".into()),
                Property::ResponseTopic("answer".into()),
                Property::CorrelationData("c1".into()),
                Property::UserProperty("a".into(), "b".into()),
                Property::UserProperty("a".into(), "c".into()),
            ];
            common.to_vec()
        };
        for publish in of("t/1")[..1].iter().chain(&of("")) {
            assert_eq!(publish.properties.0, properties(1));
            assert_eq!((&publish.payload[..], publish.retain), (&b"hi"[..], true));
        }
        let last = of("t/1")[1];
        assert!(last.payload.is_empty() && last.retain && last.properties.is_empty());
    }
}

#[test]
fn messages_by_alias_arrive_with_every_header_and_topic() {
    let serve = MqttServe::start::<&str>([]);
    let plan = "
        stop = { count = 400 }
        session = { topic_alias_maximum = 20 }
        [[publish]]
        clients = 2
        topic = ['a/%i', 'b/%i']
        topic_alias = true
        size = 'uniform:0..90'
        header = 'property'
        properties = { user_property = [['bench', 'another']] }
        [[publish]]
        clients = 2
        topic = 'a/c%i'
        qos = 2
        topic_alias = true
        [[subscribe]]
        filter = '+/+'
        qos = 2
        [[subscribe]]
        filter = 'a/+'
    ";
    let arguments = ["--plan", "-", "--json", "-L", &serve.url()];
    let found = super::json(&bench(arguments).stdin(plan).stdout_any().run());
    // 100 messages of each publisher, those of the first two half to a and half to b.
    assert_eq!(found["delivery"]["expected"], 400 + 300, "{found:#}");
    assert_eq!(found["delivery"]["received"], 700);
    assert_eq!(found["delivery"]["foreign"], 0);
    assert_eq!(found["delivery"]["corrupted"], 0);
    assert_eq!(found["check"]["passed"], true);
}

#[test]
fn retained_messages_are_taken_away_unseen_by_who_is_there() {
    let serve = MqttServe::start::<&str>([]);
    let arguments = [
        "--publishers",
        "2",
        "--subscribers",
        "2",
        "--count",
        "40",
        "-r",
        "-t",
        "kept/%i",
        "-L",
        &serve.url(),
    ];
    let found = report(&arguments, 0);
    assert_eq!(found["delivery"]["received"], 40, "{found:#}");
    assert_eq!(found["delivery"]["foreign"], 0);
    // What is kept comes in the order of the topics: had one been left, it would come before this one.
    let url = serve.url();
    Mqtt::new([
        "pub",
        "-t",
        "kept/last",
        "-m",
        "x",
        "-r",
        "-q",
        "1",
        "-L",
        &url,
    ])
    .run();
    Mqtt::new(["sub", "-t", "kept/#", "-C", "1", "-F", "%t", "-L", &url])
        .stdout("kept/last\n")
        .run();
}

#[test]
fn a_broker_that_wants_less_in_flight_or_no_alias_is_named() {
    let serve = MqttServe::start(["--receive-maximum", "5"]);
    let arguments = [
        "--publishers",
        "1",
        "--subscribers",
        "1",
        "--count",
        "40",
        "-V",
        "5",
        "-L",
        &serve.url(),
    ];
    let text = bench(arguments).stdout_any().run().stdout_text();
    let words = "\n             each publisher had at most 5 in flight and not 100, as the broker's receive maximum wants it\n";
    assert!(text.contains(words), "{text}");
    let text = bench(arguments.into_iter().chain(["--window", "5"]))
        .stdout_any()
        .run()
        .stdout_text();
    assert!(!text.contains("in flight"), "{text}");
    let broker = Scripted::start(|_| Deed::Deliver);
    bench([
        "pub",
        "--publishers",
        "1",
        "--topic-alias",
        "-h",
        "127.0.0.1",
        "-p",
        &broker.port,
    ])
    .status(5)
    .stderr_contains("the broker takes no topic aliases; run without --topic-alias\n")
    .run();
}

#[test]
fn a_property_may_be_typed_by_the_packet_that_carries_it() {
    let broker = Scripted::allowing(|_| Deed::Deliver, Properties::default());
    let by_packet = [
        "connect session-expiry-interval 9",
        "connect receive-maximum 7",
        "connect user-property site north",
        "publish content-type text/plain",
        "publish message-expiry-interval 60",
        "publish payload-format-indicator 1",
        "publish user-property colour red",
        "publish response-topic answers",
        "publish correlation-data 12",
        "will content-type text/plain",
        "will will-delay-interval 5",
    ];
    let by_name = "--session-expiry-interval 9 --receive-maximum 7 --connect-user-property site=north --content-type text/plain \
                   --message-expiry-interval 60 --payload-format-indicator --user-property colour=red --response-topic answers \
                   --correlation-data 12 --will-content-type text/plain --will-delay-interval 5";
    let common = [
        "--print-plan",
        "--run",
        "00000007",
        "--will-topic",
        "w",
        "-m",
        "x",
    ];
    let plan = |words: &[&str]| {
        let all = ["bench"].iter().chain(words).chain(&common);
        Mqtt::new(all).stdout_any().run().stdout_text()
    };
    let words: Vec<&str> = by_packet
        .iter()
        .flat_map(|property| std::iter::once("-D").chain(property.split(' ')))
        .collect();
    let printed = plan(&words);
    assert!(printed.contains("receive_maximum = 7"), "{printed}");
    assert_eq!(
        printed,
        plan(&by_name.split_whitespace().collect::<Vec<_>>())
    );
    let at = ["-h", "127.0.0.1", "-p", &broker.port];
    let line = "pub --publishers 1 --count 1 -V 5 -D publish content-type text/plain -D connect user-property site north";
    report(&line.split(' ').chain(at).collect::<Vec<_>>(), 0);
    assert_eq!(
        broker.published()[0].properties.content_type(),
        Some("text/plain".into())
    );
    assert!(!broker.connects()[0].properties.0.is_empty());
    for (line, words) in [
        (
            "-D publish colour red",
            "--property: there is no property \"colour\"",
        ),
        (
            "-D publish topic-alias 3",
            "--topic-alias gives each its own",
        ),
        (
            "-D subscribe user-property a b",
            "-D in `mqtt bench` is for connect, publish and will",
        ),
        (
            "-D connect request-problem-information 0",
            "do not carry this property",
        ),
        (
            "-D will content-type x",
            "a property of the will, and no --will-topic",
        ),
        (
            "-D publish content-type a --content-type b",
            "a property of publish is given twice, once as \"b\"",
        ),
        (
            "conn -D publish content-type a",
            "an MQTT 5 property of messages has no meaning",
        ),
        ("--plan - -D publish content-type a", "cannot be used with"),
    ] {
        Mqtt::new(["bench"].into_iter().chain(line.split(' ')))
            .status(2)
            .stderr_contains(words)
            .run();
    }
}

#[test]
fn what_mqtt_cannot_say_is_refused_by_its_option() {
    for (more, words) in [
        (
            &["--topic-alias", "-t", "a/%s", "--filter", "a/+"][..],
            "--topic-alias needs topics that stay the same, without %s and %r",
        ),
        (
            &["--response-topic", "a/#"],
            "--response-topic must be a topic to publish to, which \"a/#\" is not",
        ),
        (
            &["--will-topic", "a/+"],
            "the will must have a topic to publish to without %s, which \"a/+\" is not",
        ),
        (&["--will-payload", "x"], "--will-topic <TOPIC>"),
        (
            &["conn", "--content-type", "x"],
            "an MQTT 5 property of messages has no meaning in `mqtt bench conn`",
        ),
        (
            &["--topic-alias", "--fault", "at=1s cut=30%"],
            "--topic-alias must not be given in a plan with faults: an alias ends with its connection",
        ),
        (&["--plan", "-", "--retain"], "cannot be used with"),
    ] {
        let arguments = ["bench"]
            .iter()
            .chain(more)
            .chain(&["-h", "127.0.0.1", "-p", "1"]);
        Mqtt::new(arguments).status(2).stderr_contains(words).run();
    }
}
