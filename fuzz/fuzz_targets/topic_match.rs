//! A filter and a topic, divided by the first line feed: never a panic, and the same answer as a matcher written the
//! slow way.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mqtt_toolbox::mqtt::topic::{
    is_valid_subscription, is_valid_topic_filter, is_valid_topic_name, matches, share_of,
};

fuzz_target!(|text: &str| {
    let Some((filter, topic)) = text.split_once('\n') else {
        return;
    };
    let matched = matches(filter, topic);
    if let Some(shared) = share_of(filter) {
        assert!(is_valid_subscription(filter));
        assert!(is_valid_topic_filter(shared.filter));
        assert_eq!(format!("$share/{}/{}", shared.group, shared.filter), filter);
    }
    if !is_valid_topic_filter(filter) || !is_valid_topic_name(topic) {
        return;
    }
    assert!(matches("#", topic) != topic.starts_with('$'));
    if is_valid_topic_filter(topic) {
        assert!(matches(topic, topic));
    }
    let filter_levels: Vec<&str> = filter.split('/').collect();
    let topic_levels: Vec<&str> = topic.split('/').collect();
    let hidden = topic.starts_with('$') && matches!(filter_levels[0], "+" | "#");
    assert_eq!(matched, !hidden && slowly(&filter_levels, &topic_levels));
});

fn slowly(filter: &[&str], topic: &[&str]) -> bool {
    match (filter, topic) {
        (["#"], _) | ([], []) => true,
        (["+", filter @ ..], [_, topic @ ..]) => slowly(filter, topic),
        ([wanted, filter @ ..], [level, topic @ ..]) => wanted == level && slowly(filter, topic),
        _ => false,
    }
}
