use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::mqtt::{Properties, QoS};

fn message(topic: &str, payload: &[u8]) -> Publish {
    Publish {
        dup: false,
        qos: QoS::AtMostOnce,
        retain: false,
        topic: topic.into(),
        packet_id: 0,
        properties: Properties::default(),
        payload: Bytes::copy_from_slice(payload),
    }
}

#[track_caller]
fn is_met(condition: &str, topic: &str, payload: &[u8]) -> bool {
    let parsed: Condition = condition
        .parse()
        .unwrap_or_else(|error| panic!("{condition}: {error}"));
    parsed.is_met(&message(topic, payload))
}

#[test]
fn a_topic_and_its_levels_are_compared_as_text() {
    let topic = "home/kitchen/2";
    for (condition, expected) in [
        ("topic=home/kitchen/2", true),
        ("topic = home/kitchen/2", true),
        ("topic=home", false),
        ("topic!=home", true),
        ("topic[0]=home", true),
        ("topic[1]=kitchen", true),
        ("topic[1]==kitchen", true),
        ("topic[-1]=2", true),
        ("topic[-3]=home", true),
        ("topic[2]>=2", true),
        ("topic[2]>10", false),
        ("topic[2]>\"10\"", true),
        ("topic[1]~^kit", true),
        ("topic ~ /k.*/2$", true),
        ("topic!~bath", true),
        // There is no such level, whatever is asked of it.
        ("topic[3]!=x", false),
        ("topic[-4]!~x", false),
    ] {
        assert_eq!(is_met(condition, topic, b""), expected, "{condition}");
    }
}

#[test]
fn a_member_of_a_json_payload_is_compared_as_what_it_is() {
    let payload = r#"{"temperature": 21.5, "name": "K 1", "on": true, "none": null, "big": 9007199254740993,
        "list": [1, {"a/b": 2, "m~n": 3}], "a=b": 4, "code": "07", "exp": 1e2, "empty": {}}"#;
    for (condition, expected) in [
        ("/temperature>21.4", true),
        ("/temperature > 21.5", false),
        ("/temperature>=21.50", true),
        ("/temperature<=2e1", false),
        ("/temperature=\"21.5\"", false),
        ("/temperature!=21.5", false),
        ("/name=K 1", true),
        ("/name=\"K 1\"", true),
        ("/name<L", true),
        ("/name>5", false),
        ("/name!=5", true),
        ("/name~^k", false),
        ("/name~(?i)^k", true),
        ("/on=true", true),
        ("/on=1", false),
        ("/on=\"true\"", false),
        ("/on~true", true),
        ("/none=null", true),
        ("/none", true),
        ("/missing", false),
        ("/missing!=1", false),
        ("/missing!~x", false),
        ("/big=9007199254740993", true),
        ("/big>9007199254740992", true),
        ("/big=9007199254740992", false),
        ("/list/0=1", true),
        ("/list/1/a~1b=2", true),
        ("/list/1/m~0n<4", true),
        ("/list=[1,{\"a/b\":2,\"m~n\":3}]", true),
        ("/empty={}", true),
        ("\"/a=b\" = 4", true),
        ("/code=07", true),
        ("/code=7", false),
        ("/exp=100", true),
        ("/name ~1", true),
        ("/list~1", false),
    ] {
        assert_eq!(
            is_met(condition, "t", payload.as_bytes()),
            expected,
            "{condition}"
        );
    }
    for payload in [&b"no json"[..], b"", b"{\"a\":1}trailing", b"\xff", b"7"] {
        assert!(!is_met("/a!=2", "t", payload), "{payload:?}");
    }
}

#[test]
fn a_payload_is_compared_as_a_number_where_both_are_one() {
    for (condition, payload, expected) in [
        ("payload>21.5", &b"21.6"[..], true),
        ("payload>21.5", b" 21.6\n", true),
        ("payload<100", b"20", true),
        ("payload<100", b"off", false),
        ("payload>100", b"off", false),
        ("payload!=100", b"off", true),
        ("payload=on", b"on", true),
        ("payload=21.5", b"21.50", true),
        ("payload=\"21.5\"", b"21.50", false),
        ("payload=", b"", true),
        ("payload!=", b"", false),
        ("payload~^\\xff$", b"\xc3\xbf", true),
        ("payload~(?-u)^\\xff$", b"\xff", true),
        ("payload~error|warning", b"a warning", true),
        ("payload=\"a \"", b"a ", true),
    ] {
        assert_eq!(is_met(condition, "t", payload), expected, "{condition}");
    }
}

#[test]
fn mistakes_are_named() {
    for (condition, words) in [
        (
            "",
            "it begins with topic, topic[N], payload or a JSON pointer such as /temperature",
        ),
        (
            "temperature>5",
            "it begins with topic, topic[N], payload or a JSON pointer such as /temperature",
        ),
        (
            "topic",
            "one of = != < <= > >= ~ !~ is expected after topic",
        ),
        (
            "topics=a",
            "one of = != < <= > >= ~ !~ is expected before s=a",
        ),
        ("topic[1=a", "there is no ] after topic["),
        (
            "topic[x]=a",
            "\"x\" is no level of a topic: 0 is the first, -1 the last",
        ),
        (
            "payload~(",
            "\"(\" is no regular expression: unclosed group",
        ),
        (
            "payload!5",
            "one of = != < <= > >= ~ !~ is expected before !5",
        ),
        ("\"/a", "the double quotes do not end"),
        ("\"a\"=1", "\"a\" is no JSON pointer, which begins with /"),
    ] {
        let error = condition.parse::<Condition>().err();
        assert_eq!(error.as_deref(), Some(words), "{condition}");
    }
}

fn member(pointer: &str) -> Subject {
    Subject::Member(Pointer::new(pointer).unwrap())
}

fn operators() -> impl Strategy<Value = (&'static str, Operator)> {
    prop::sample::select(vec![
        ("=", Operator::Equal),
        ("!=", Operator::NotEqual),
        ("<", Operator::Less),
        ("<=", Operator::LessOrEqual),
        (">", Operator::Greater),
        (">=", Operator::GreaterOrEqual),
    ])
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,40}") {
        let _ = text.parse::<Condition>();
    }

    #[test]
    fn nothing_near_the_grammar_makes_it_panic(
        text in "(topic|topic\\[-?[0-9]{0,22}\\]?|payload|/[a~01/ \"]{0,6}|\"/[a\\\\\"]{0,4})[=!<>~ ]{0,3}[a-z0-9(\\[*\" ]{0,6}",
        payload in prop::collection::vec(any::<u8>(), 0..20),
    ) {
        if let Ok(condition) = text.parse::<Condition>() {
            condition.is_met(&message("a/b", &payload));
        }
    }

    #[test]
    fn what_is_written_is_what_is_parsed(
        subject in prop::sample::select(vec![
            ("topic", Subject::Topic), ("topic[2]", Subject::Level(2)), ("topic[-1]", Subject::Level(-1)),
            ("payload", Subject::Payload), ("/a/b c/~0~1", member("/a/b c/~0~1")),
            ("\"/a=b \"", member("/a=b ")),
        ]),
        (sign, operator) in operators(),
        space in " {0,2}",
        value in "[a-z0-9./\"]{0,8}",
    ) {
        // `<` and `=` written without a space between them are another operator.
        prop_assume!(!value.starts_with('='));
        let text = format!("{}{space}{sign}{space}{value}", subject.0);
        let condition: Condition = text.parse().unwrap();
        prop_assert_eq!(condition.subject, subject.1);
        match condition.test {
            Test::Compare(found, typed) => {
                prop_assert_eq!(found, operator);
                prop_assert_eq!(typed, operand(&value));
            }
            other => prop_assert!(false, "{other:?}"),
        }
    }

    #[test]
    fn numbers_have_the_order_of_numbers_however_they_are_written(a in -1000_i32..1000, b in -1000_i32..1000, point in any::<bool>()) {
        let written = if point { format!("{b}.0") } else { b.to_string() };
        for payload in [a.to_string(), format!("{a}.0"), format!("{{\"n\":{a}}}")] {
            let subject = if payload.starts_with('{') { "/n" } else { "payload" };
            let holds = |sign: &str| is_met(&format!("{subject}{sign}{written}"), "t", payload.as_bytes());
            prop_assert_eq!(holds("<"), a < b);
            prop_assert_eq!(holds("<="), a <= b);
            prop_assert_eq!(holds(">"), a > b);
            prop_assert_eq!(holds(">="), a >= b);
            prop_assert_eq!(holds("="), a == b);
            prop_assert_eq!(holds("!="), a != b);
        }
    }
}
