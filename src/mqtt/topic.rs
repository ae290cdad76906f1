//! Topic names and topic filters: validity and matching (4.7 of both specifications), and shared subscriptions
//! (MQTT 5, 4.8.2). Pure text, no storage: the broker's index of subscriptions is its own.

/// The most bytes a topic name or topic filter may have [MQTT-4.7.3-3].
pub const MAXIMUM_LENGTH: usize = 65_535;

/// Whether `topic` may be published to (4.7.1, 4.7.3): 1 to 65,535 bytes, no `+`, `#` or NUL.
pub fn is_valid_topic_name(topic: &str) -> bool {
    !topic.is_empty() && topic.len() <= MAXIMUM_LENGTH && has_no_wildcard(topic)
}

/// Whether there is no `+`, `#` or NUL in `topic`, whatever its length.
#[inline]
pub(super) fn has_no_wildcard(topic: &str) -> bool {
    // A fold and not `any`: without the early end it is vectorised.
    !topic
        .bytes()
        .fold(false, |found, byte| found | matches!(byte, b'+' | b'#' | 0))
}

/// Whether `filter` may be subscribed to as it is (4.7.1, 4.7.3): 1 to 65,535 bytes, no NUL, `+` only as a whole
/// level, `#` only as the whole last level. What follows `$share/` is for [`is_valid_subscription`].
pub fn is_valid_topic_filter(filter: &str) -> bool {
    if filter.is_empty() || filter.len() > MAXIMUM_LENGTH || filter.contains('\0') {
        return false;
    }
    let mut levels = filter.split('/').peekable();
    while let Some(level) = levels.next() {
        let valid = match level {
            "+" => true,
            "#" => levels.peek().is_none(),
            _ => !level.contains(['+', '#']),
        };
        if !valid {
            return false;
        }
    }
    true
}

/// Whether `filter` may stand in a SUBSCRIBE of MQTT 5: a topic filter, or `$share/` with a group and one.
pub fn is_valid_subscription(filter: &str) -> bool {
    match filter.starts_with(SHARE) {
        true => share_of(filter).is_some(),
        false => is_valid_topic_filter(filter),
    }
}

const SHARE: &str = "$share/";

/// A shared subscription, taken apart (4.8.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SharedFilter<'a> {
    /// The share name: whoever subscribes with the same one and the same filter shares the messages.
    pub group: &'a str,
    /// The topic filter that messages are matched with.
    pub filter: &'a str,
}

/// Group and topic filter of `$share/group/filter`. `None` if `filter` is not a shared subscription, or not a
/// valid one: the group has at least one character and no wildcard, and a valid filter follows.
pub fn share_of(filter: &str) -> Option<SharedFilter<'_>> {
    if filter.len() > MAXIMUM_LENGTH {
        return None;
    }
    let (group, filter) = filter.strip_prefix(SHARE)?.split_once('/')?;
    let valid = is_valid_topic_name(group) && is_valid_topic_filter(filter);
    valid.then_some(SharedFilter { group, filter })
}

/// Whether a message published to `topic` reaches a subscription to `filter`, both being valid (4.7.1, 4.7.2).
/// A filter that begins with a wildcard does not reach topics that begin with `$`.
pub fn matches(filter: &str, topic: &str) -> bool {
    if topic.starts_with('$') && filter.starts_with(['+', '#']) {
        return false;
    }
    let mut levels = topic.split('/');
    for wanted in filter.split('/') {
        // Also when the topic is used up: `sport/#` reaches `sport`.
        if wanted == "#" {
            return true;
        }
        match levels.next() {
            Some(level) if wanted == "+" || wanted == level => {}
            _ => return false,
        }
    }
    levels.next().is_none()
}

#[cfg(test)]
mod tests;
