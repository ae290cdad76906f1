use proptest::prelude::*;

use std::path::PathBuf;

use super::content::{Content, Order, Source};
use super::disturbance::tests::any_fault;
use super::properties::MessageProperties;
use super::session::Testament;
use super::size::Size;
use super::speed::Speed;
use super::*;
use crate::bench::role::message::Form;

/// A plan to be varied: pairs, fan-in or fan-out at QoS 1, 100 messages.
pub fn plan(publishers: u32, subscribers: u32) -> Plan {
    let numbers = Some(publishers.min(subscribers)).filter(|numbers| *numbers > 0);
    let mut plan = Plan {
        scenario: Scenario::PubSub,
        run: Run(0xC0FFEE),
        warmup: Warmup::default(),
        stop: Stop::Count(100),
        session: Session::default(),
        publish: vec![Publishers {
            clients: publishers,
            topic: vec!["t/%i".parse().unwrap()],
            numbers,
            qos: QoS::AtLeastOnce,
            rate: Pace::Max,
            window: 10,
            size: Some(Size::Fixed(64)),
            header: None,
            retain: false,
            reply: None,
            payload: None,
            persistent: false,
            topic_alias: false,
            properties: MessageProperties::default(),
        }],
        subscribe: vec![Subscribers {
            clients: subscribers,
            filter: "t/%i".parse().unwrap(),
            numbers,
            qos: QoS::AtLeastOnce,
            when: When::Always,
            answers: false,
            reads: Speed::All,
            from: Duration::ZERO,
            persistent: false,
        }],
        connect: Vec::new(),
        fault: Vec::new(),
    };
    plan.publish.retain(|group| group.clients > 0);
    plan.subscribe.retain(|group| group.clients > 0);
    plan
}

fn audience(plan: &Plan) -> Vec<Vec<u32>> {
    plan.audience().unwrap()
}

#[test]
fn everyone_has_a_partner() {
    assert_eq!(audience(&plan(3, 3)), [[0], [1], [2]], "pairs");
    assert_eq!(audience(&plan(1, 3)), [[0], [0], [0]], "fan-out");
    assert_eq!(audience(&plan(3, 1)), [[0, 1, 2]], "fan-in");
    assert_eq!(audience(&plan(2, 4)), [[0], [1], [0], [1]]);
    assert_eq!(audience(&plan(4, 2)), [[0, 2], [1, 3]]);
    assert!(audience(&plan(2, 0)).is_empty());
}

#[test]
fn one_topic_for_all_is_a_broadcast() {
    let mut plan = plan(2, 2);
    plan.publish[0].topic = vec!["all".parse().unwrap()];
    plan.subscribe[0].filter = "all".parse().unwrap();
    assert_eq!(audience(&plan), [[0, 1], [0, 1]]);
}

#[test]
fn a_filter_of_its_own_keeps_the_numbers_as_they_are() {
    let mut plan = plan(12, 2);
    plan.publish[0].numbers = None;
    plan.subscribe[0].numbers = None;
    plan.subscribe[0].filter = "t/+".parse().unwrap();
    let all: Vec<u32> = (0..12).collect();
    assert_eq!(audience(&plan), [all.clone(), all]);
    plan.subscribe[0].filter = "t/1%i".parse().unwrap();
    assert_eq!(audience(&plan), [[10], [11]]);
}

#[test]
fn every_topic_of_a_publisher_is_a_stream_of_its_own() {
    let mut plan = plan(2, 1);
    plan.publish[0].topic = ["a/%i", "b/%i", "c/%s"]
        .map(|topic| topic.parse().unwrap())
        .into();
    plan.publish[0].numbers = None;
    plan.publish[0].rate = "6".parse().unwrap();
    plan.subscribe[0].filter = "b/+".parse().unwrap();
    assert_eq!((plan.streams(), plan.streams_of(1)), (6, 3..6));
    assert_eq!(audience(&plan), [[1, 4]]);
    plan.subscribe[0].filter = "c/#".parse().unwrap();
    assert_eq!(audience(&plan), [[2, 5]]);
    plan.subscribe[0].filter = "c/7".parse().unwrap();
    assert!(
        plan.audience()
            .unwrap_err()
            .contains("the filter c/7 asks for some of the messages to c/...")
    );
    // Publisher 1's second message to b is its fifth: due after 9 of all.
    let due_ns = plan.timetable().due_ns(4, 1);
    assert_eq!(due_ns, Some(1_500_000_000));
}

#[test]
fn clients_are_numbered_through_all_groups_of_their_role() {
    let mut plan = plan(2, 1);
    let mut more = plan.publish[0].clone();
    more.clients = 3;
    more.topic = ["x", "y"].map(|topic| topic.parse().unwrap()).into();
    plan.publish.push(more);
    assert_eq!((plan.publishers(), plan.streams()), (5, 8));
    let last = plan.publisher(4);
    assert_eq!((last.place, last.index), (1, 2));
    assert_eq!(plan.streams_of(4), 6..8);
    assert_ne!(plan.publisher_values(0).seed, plan.publisher_values(2).seed);
}

#[test]
fn the_shares_add_up_to_the_count() {
    for (publishers, count) in [(1, 1), (3, 10), (7, 3), (10, 1_000_000)] {
        let mut plan = plan(publishers, 1);
        plan.stop = Stop::Count(count);
        let shares = (0..publishers).map(|publisher| plan.share_of(publisher).unwrap());
        assert_eq!(shares.sum::<u64>(), count);
    }
}

#[test]
fn the_rate_is_known_when_everyone_has_one() {
    let mut plan = plan(2, 2);
    assert_eq!((plan.rate(), plan.is_paced()), (None, false));
    plan.publish[0].rate = "50".parse().unwrap();
    plan.publish.push(plan.publish[0].clone());
    assert_eq!((plan.rate(), plan.is_paced()), (Some(100.0), true));
    plan.publish[0].rate = Pace::Max;
    assert_eq!((plan.rate(), plan.is_paced()), (None, true));
}

#[test]
fn what_cannot_be_carried_out_is_refused_with_its_place() {
    let refused = |change: fn(&mut Plan)| {
        let mut plan = plan(2, 2);
        change(&mut plan);
        plan.check().unwrap_err().to_string()
    };
    assert!(
        refused(|plan| plan.publish[0].clients = 0)
            .starts_with("publish.clients must be at least 1")
    );
    assert!(
        refused(|plan| plan.publish[0].size = Some(Size::Fixed(15))).starts_with("publish.size")
    );
    assert!(
        refused(|plan| plan.publish[0].size = Some(Size::Fixed(1 << 29)))
            .starts_with("publish.size")
    );
    assert!(refused(|plan| plan.publish[0].window = 0).starts_with("publish.window"));
    assert!(refused(|plan| plan.publish[0].numbers = Some(0)).starts_with("publish.numbers"));
    assert!(refused(|plan| plan.publish[0].topic = Vec::new()).starts_with("publish.topic"));
    assert!(
        refused(|plan| plan.publish[0].topic[0] = "a/+".parse().unwrap())
            .starts_with("publish.topic")
    );
    assert!(refused(|plan| plan.subscribe[0].clients = u32::MAX).starts_with("subscribe.clients"));
    assert!(
        refused(|plan| plan.subscribe[0].filter = "a/#/b".parse().unwrap())
            .starts_with("subscribe.filter")
    );
    assert!(refused(|plan| plan.subscribe[0].filter = "a/%s".parse().unwrap()).contains("%s"));
    assert!(refused(|plan| plan.warmup = Warmup::Fixed(Duration::MAX)).starts_with("warmup"));
    assert!(refused(|plan| plan.stop = Stop::After(Duration::MAX)).starts_with("duration"));
    assert!(refused(|plan| plan.stop = Stop::Count(0)).starts_with("count"));
    assert!(refused(|plan| plan.stop = Stop::After(Duration::ZERO)).starts_with("duration"));
    assert!(
        refused(|plan| (plan.publish, plan.subscribe) = Default::default()).contains("no clients")
    );
    assert_eq!(plan(2, 2).check(), Ok(()));
}

#[test]
fn the_end_is_known_when_time_or_rate_say_so() {
    let mut plan = plan(2, 2);
    plan.warmup = Warmup::Fixed(Duration::from_secs(1));
    assert_eq!(plan.end(), None);
    plan.publish[0].rate = "50".parse().unwrap();
    assert_eq!(
        plan.end(),
        Some(Duration::from_millis(2980)),
        "message 150, from 0"
    );
    plan.stop = Stop::After(Duration::from_secs(5));
    assert_eq!(plan.end(), Some(Duration::from_secs(6)));
}

#[test]
fn a_small_file_is_a_plan_and_what_it_leaves_out_has_a_default() {
    let text = "
        stop = { after = 2.5 }
        [[publish]]
        topic = ['a/%i', 'b']
        rate = '2k'
        [[subscribe]]
        clients = 3
        filter = '#'
        qos = 0
    ";
    let plan = Plan::from_toml(text).unwrap();
    assert_eq!(plan.check(), Ok(()));
    assert_eq!(plan.stop, Stop::After(Duration::from_millis(2500)));
    assert_eq!(
        (plan.publishers(), plan.subscribers(), plan.streams()),
        (1, 3, 2)
    );
    assert_eq!(
        (plan.rate(), plan.qos(), plan.window()),
        (Some(2000.0), QoS::AtLeastOnce, 100)
    );
    assert_ne!(plan.run, Plan::from_toml(text).unwrap().run);
}

#[test]
fn what_a_file_says_wrong_is_named_with_its_line() {
    for (text, line, words) in [
        (
            "stop = { after = '5s' }\nspeed = 3\n",
            2,
            "unknown field `speed`",
        ),
        (
            "stop = { after = '5s' }\n[[publish]]\ntopic = 'a'\nretains = 1\n",
            4,
            "unknown field `retains`",
        ),
        (
            "stop = { after = '5s' }\n[[subscribe]]\n\nfilter = 'a%'\n",
            4,
            "there are %i",
        ),
        (
            "stop = { after = '5s' }\n[[publish]]\nrate = 'fast'\n",
            3,
            "is no rate",
        ),
        ("stop = { after = 'long' }\n", 1, "write for example 500ms"),
        (
            "stop = { after = '5s' }\n[[subscribe]]\nfilter = 'a'\nqos = 3\n",
            4,
            "0, 1 or 2",
        ),
        (
            "run = 'xyz'\nstop = { count = 1 }\n",
            1,
            "eight hexadecimal digits",
        ),
        (
            "scenario = 'pubsub'\n[[publish]]\n",
            2,
            "missing field `topic`",
        ),
        ("stop = \n", 1, ""),
    ] {
        let error = Plan::from_toml(text).unwrap_err();
        assert!(
            error.starts_with(&format!("line {line}: ")) && error.contains(words),
            "{error}"
        );
        assert!(!error.contains('\n'), "{error}");
    }
}

prop_compose! {
    fn any_properties()(
        payload_format_indicator: bool, message_expiry_interval: Option<u32>, content_type in proptest::option::of(".{0,8}"),
        response_topic in proptest::option::of("[a-z/]{1,8}"), correlation_data in proptest::option::of(".{0,8}"),
        user_property in proptest::collection::vec((".{0,4}", ".{0,4}"), 0..3),
    ) -> MessageProperties {
        MessageProperties {
            payload_format_indicator, message_expiry_interval, content_type, response_topic, correlation_data, user_property,
        }
    }
}

prop_compose! {
    fn any_session()(
        keep: bool, keep_alive in proptest::option::of(5_u16..), expiry_interval: Option<u32>, receive_maximum: Option<u16>, maximum_packet_size: Option<u32>,
        topic_alias_maximum: Option<u16>, user_property in proptest::collection::vec((".{0,4}", ".{0,4}"), 0..3),
        will in proptest::option::of((any_pattern(), ".{0,8}", any_qos(), any::<bool>(), any_properties())),
    ) -> Session {
        let will = will.map(|(topic, payload, qos, retain, properties)| Testament {
            topic, payload, qos, retain, delay_interval: expiry_interval, properties,
        });
        Session { keep, keep_alive, expiry_interval, receive_maximum, maximum_packet_size, topic_alias_maximum, user_property, will }
    }
}

fn any_header() -> impl Strategy<Value = Option<Form>> {
    let forms = [Form::Payload, Form::Compact, Form::Property, Form::None];
    proptest::option::of(proptest::sample::select(forms.to_vec()))
}

fn any_content() -> impl Strategy<Value = Content> {
    let texts = proptest::collection::vec(".{0,8}", 1..3);
    let source = prop_oneof![
        texts.prop_map(Source::Texts),
        proptest::collection::vec("[a-z]{1,8}".prop_map(PathBuf::from), 1..3)
            .prop_map(Source::Files),
        "[a-z]{1,8}".prop_map(|path| Source::Lines(path.into())),
    ];
    let order = prop_oneof![Just(Order::Turn), Just(Order::Random)];
    (source, order, any::<bool>()).prop_map(|(source, order, template)| Content {
        source,
        order,
        template,
    })
}

fn any_pace() -> impl Strategy<Value = Pace> {
    let text = prop_oneof![
        Just("max".to_owned()),
        (1u64..1 << 39).prop_map(|thousandths| format!("{}", thousandths as f64 / 1000.0)),
        (1u64..9000).prop_map(|rate| format!("poisson:{rate}/client")),
        (0u64..9000, 1u64..9000).prop_map(|(from, to)| format!("ramp:{from}..{to}:1m 30s 5ms")),
        (1u32..9000).prop_map(|count| format!("burst:{count}:2h/client")),
    ];
    text.prop_map(|text| text.parse().unwrap())
}

fn any_qos() -> impl Strategy<Value = QoS> {
    (0u8..3).prop_map(|number| QoS::from_number(number).unwrap())
}

fn any_pattern() -> impl Strategy<Value = Pattern> {
    "([a-z/\"'\\\\é]|%i|%n|%%|%r\\{1\\.\\.9\\}){1,12}".prop_map(|text| text.parse().unwrap())
}

prop_compose! {
    fn any_publishers()(
        clients: u32, topic in proptest::collection::vec(any_pattern(), 0..3), numbers: Option<u32>, qos in any_qos(),
        rate in any_pace(), window: u16, size in proptest::option::of((0u32..1 << 30).prop_map(Size::Fixed)), (retain, persistent) in any::<(bool, bool)>(), header in any_header(), payload in proptest::option::of(any_content()),
        reply in proptest::option::of(any_pattern()), (topic_alias, properties) in (any::<bool>(), any_properties()),
    ) -> Publishers {
        Publishers { clients, topic, numbers, qos, rate, window, size: if payload.is_some() { size } else { size.or(Some(Size::Fixed(64))) }, header, retain, reply, payload, persistent, topic_alias, properties }
    }
}

fn any_speed() -> impl Strategy<Value = Speed> {
    proptest::sample::select(vec!["all", "none", "10/s", "5kB/s"])
        .prop_map(|text| text.parse().unwrap())
}

prop_compose! {
    fn any_subscribers()(clients: u32, filter in any_pattern(), numbers: Option<u32>, qos in any_qos(), answers: bool, persistent: bool, reads in any_speed(), from_ms in 0u64..1 << 40) -> Subscribers {
        Subscribers { clients, filter, numbers, qos, when: When::Away, answers, persistent, reads, from: Duration::from_millis(from_ms) }
    }
}

prop_compose! {
    fn any_clients()(clients: u32, rate in any_pace(), will in proptest::option::of(any_pattern())) -> Clients {
        Clients { clients, rate, fate: Fate::Cut, will }
    }
}

prop_compose! {
    /// Any plan, whether it can be carried out or not.
    pub fn any_plan()(
        run: u32, warmup_ns in 0u64..1 << 50, stop in prop_oneof![
            (0u64..1 << 50).prop_map(|ns| Stop::After(Duration::from_nanos(ns))), (0u64..1 << 60).prop_map(Stop::Count),
        ],
        publish in proptest::collection::vec(any_publishers(), 0..3),
        subscribe in proptest::collection::vec(any_subscribers(), 0..3),
        connect in proptest::collection::vec(any_clients(), 0..3),
        fault in proptest::collection::vec(any_fault(), 0..3),
        session in any_session(),
    ) -> Plan {
        Plan {
            scenario: Scenario::Mixed, run: Run(run), warmup: Warmup::Fixed(Duration::from_nanos(warmup_ns)), stop, session, publish, subscribe, connect, fault,
        }
    }
}

proptest! {
    #[test]
    fn a_plan_comes_back_from_toml_and_from_json_as_it_was(plan in any_plan()) {
        let text = plan.to_toml();
        prop_assert_eq!(&Plan::from_toml(&text).unwrap(), &plan, "{}", text);
        let json = serde_json::to_string(&plan).unwrap();
        prop_assert_eq!(serde_json::from_str::<Plan>(&json).unwrap(), plan);
    }

    #[test]
    fn any_text_is_read_or_refused(text: String) {
        let _ = Plan::from_toml(&text);
    }
}
