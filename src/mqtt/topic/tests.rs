use super::*;

/// The examples of 4.7.1 and 4.7.2, and what follows from them: filter, topic, whether they match.
const EXAMPLES: &[(&str, &str, bool)] = &[
    // 4.7.1.2, multi-level wildcard
    ("sport/tennis/player1/#", "sport/tennis/player1", true),
    (
        "sport/tennis/player1/#",
        "sport/tennis/player1/ranking",
        true,
    ),
    (
        "sport/tennis/player1/#",
        "sport/tennis/player1/score/wimbledon",
        true,
    ),
    ("sport/tennis/player1/#", "sport/tennis/player2", false),
    ("sport/tennis/player1/#", "sport/tennis", false),
    ("sport/#", "sport", true),
    ("sport/#", "sports", false),
    ("sport/#", "sport/", true),
    ("#", "sport/tennis", true),
    ("#", "/", true),
    // 4.7.1.3, single-level wildcard
    ("sport/tennis/+", "sport/tennis/player1", true),
    ("sport/tennis/+", "sport/tennis/player2", true),
    ("sport/tennis/+", "sport/tennis/player1/ranking", false),
    ("sport/+", "sport", false),
    ("sport/+", "sport/", true),
    ("+", "sport", true),
    ("+", "sport/tennis", false),
    ("+/tennis/#", "sport/tennis", true),
    ("+/tennis/#", "sport/tennis/player1/ranking", true),
    ("sport/+/player1", "sport/tennis/player1", true),
    ("sport/+/player1", "sport//player1", true),
    ("sport/+/player1", "sport/player1", false),
    ("+/+", "/finance", true),
    ("/+", "/finance", true),
    ("+", "/finance", false),
    // 4.7.2, topics beginning with $
    ("#", "$SYS/uptime", false),
    ("+/monitor/Clients", "$SYS/monitor/Clients", false),
    ("$SYS/#", "$SYS/uptime", true),
    ("$SYS/#", "$SYS", true),
    ("$SYS/monitor/+", "$SYS/monitor/Clients", true),
    ("+", "$SYS", false),
    ("+/#", "$SYS", false),
    ("sport/+", "sport/$SYS", true),
    ("sport/#", "sport/$SYS", true),
    // 4.7.3, topic semantics
    ("ACCOUNTS", "Accounts", false),
    ("Accounts payable", "Accounts payable", true),
    ("/finance", "finance", false),
    ("finance/", "finance", false),
    ("/", "/", true),
    ("+/+", "/", true),
    ("//", "/", false),
    ("a//b", "a/b", false),
    // Characters of more than one byte, at the beginning too
    ("温度/+", "温度/客厅", true),
    ("+/客厅", "温度/客厅", true),
    ("#", "温度", true),
    ("温度/#", "温度", true),
    ("温", "温度", false),
    ("🏠/+/💡", "🏠/🛋️/💡", true),
    ("🏠/#", "🏠/🛋️/💡", true),
    ("+", "é", true),
    // Not normalised: composed and decomposed are two topics.
    ("\u{e9}", "e\u{301}", false),
    ("\u{feff}a", "a", false),
];

#[test]
fn the_examples_of_the_specification_match_as_it_says() {
    for &(filter, topic, expected) in EXAMPLES {
        assert!(is_valid_topic_filter(filter), "{filter}");
        assert!(is_valid_topic_name(topic), "{topic}");
        assert_eq!(matches(filter, topic), expected, "{filter} and {topic}");
    }
}

#[test]
fn topic_filters_are_valid_as_the_specification_says() {
    let longest = "x".repeat(MAXIMUM_LENGTH);
    let valid = [
        "#",
        "+",
        "/",
        "//",
        "sport/tennis/#",
        "sport/+",
        "+/tennis/#",
        "sport/+/player1",
        "/+",
        "+/+",
        "$SYS/#",
        "$share",
        "$",
        "a b",
        "温度/+/#",
        "🏠",
        "+/",
        "/#",
        &longest,
    ];
    for filter in valid {
        assert!(is_valid_topic_filter(filter), "{filter}");
    }
    let too_long = "x".repeat(MAXIMUM_LENGTH + 1);
    let invalid = [
        "",
        "sport/tennis#",
        "sport/tennis/#/ranking",
        "sport+",
        "+sport",
        "sport/+a/b",
        "##",
        "++",
        "#/",
        "#/#",
        "a/#b",
        "a\0b",
        "温度#",
        "温+",
        &too_long,
    ];
    for filter in invalid {
        assert!(!is_valid_topic_filter(filter), "{filter}");
    }
}

#[test]
fn topic_names_are_valid_as_the_specification_says() {
    let longest = "x".repeat(MAXIMUM_LENGTH);
    for topic in [
        "/",
        "a",
        " ",
        "/a",
        "a/",
        "$SYS",
        "温度",
        "🏠/💡",
        "\u{feff}",
        &longest,
    ] {
        assert!(is_valid_topic_name(topic), "{topic}");
    }
    let too_long = "x".repeat(MAXIMUM_LENGTH + 1);
    for topic in ["", "+", "#", "a/+", "a#", "\0", "a\0", "温/#", &too_long] {
        assert!(!is_valid_topic_name(topic), "{topic}");
    }
}

#[test]
fn a_shared_subscription_has_a_group_and_a_filter() {
    let shared = |group, filter| Some(SharedFilter { group, filter });
    assert_eq!(
        share_of("$share/consumer1/sport/tennis/+"),
        shared("consumer1", "sport/tennis/+")
    );
    assert_eq!(
        share_of("$share/consumer1//finance"),
        shared("consumer1", "/finance")
    );
    assert_eq!(share_of("$share/组/#"), shared("组", "#"));
    assert_eq!(share_of("$share/$g/$SYS/#"), shared("$g", "$SYS/#"));
    for invalid in [
        "$share/",
        "$share//",
        "$share//a",
        "$share/g",
        "$share/g/",
        "$share/g+/a",
        "$share/#/a",
        "$share/g/a#",
    ] {
        assert_eq!(share_of(invalid), None, "{invalid}");
        assert!(!is_valid_subscription(invalid), "{invalid}");
    }
    for plain in [
        "$share",
        "$shared/g/a",
        "share/g/a",
        "/$share/g/a",
        "$SHARE/g/a",
    ] {
        assert_eq!(share_of(plain), None, "{plain}");
        assert!(is_valid_subscription(plain), "{plain}");
    }
    assert!(is_valid_subscription("$share/g/a"));
    assert!(!is_valid_subscription(&format!(
        "$share/g/{}",
        "x".repeat(MAXIMUM_LENGTH - 8)
    )));
}

/// All texts of one to three of these levels.
fn texts(levels: &[&str]) -> Vec<String> {
    let mut texts: Vec<Vec<&str>> = vec![vec![]];
    let mut all = Vec::new();
    for _ in 0..3 {
        texts = texts
            .iter()
            .flat_map(|text| {
                levels
                    .iter()
                    .map(move |&level| [text.as_slice(), &[level]].concat())
            })
            .collect();
        all.extend(texts.iter().map(|text| text.join("/")));
    }
    all
}

/// Chapter 4.7 once more, by recursion over levels.
fn naive(filter: &[&str], topic: &[&str]) -> bool {
    match (filter, topic) {
        (["#"], _) | ([], []) => true,
        (["+", filter @ ..], [_, topic @ ..]) => naive(filter, topic),
        ([wanted, filter @ ..], [level, topic @ ..]) => wanted == level && naive(filter, topic),
        _ => false,
    }
}

#[test]
fn every_small_filter_and_topic_match_as_by_a_naive_matcher() {
    let (mut pairs, mut matched) = (0, 0);
    let filters = texts(&["a", "b", "+", "#", "", "$x"]);
    let topics = texts(&["a", "b", "", "$x"]);
    for filter in filters
        .iter()
        .filter(|filter| is_valid_topic_filter(filter))
    {
        for topic in topics.iter().filter(|topic| is_valid_topic_name(topic)) {
            let filter_levels: Vec<&str> = filter.split('/').collect();
            let topic_levels: Vec<&str> = topic.split('/').collect();
            let hidden = topic.starts_with('$') && matches!(filter_levels[0], "+" | "#");
            let expected = !hidden && naive(&filter_levels, &topic_levels);
            assert_eq!(matches(filter, topic), expected, "{filter} and {topic}");
            pairs += 1;
            matched += usize::from(expected);
        }
    }
    assert!(pairs > 10_000 && matched > 500, "{pairs} {matched}");
}

#[test]
fn a_filter_of_small_levels_is_valid_unless_a_multi_level_wildcard_is_followed_by_more() {
    for filter in texts(&["a", "+", "#", ""]) {
        let expected = !filter.is_empty() && !filter.contains("#/");
        assert_eq!(is_valid_topic_filter(&filter), expected, "{filter}");
    }
}
