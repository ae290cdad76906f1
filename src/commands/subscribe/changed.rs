//! `--changed`: a message whose payload is the one its topic had before is not printed.
//!
//! Of each topic and payload only a hash of 64 bits is kept, keyed anew in every run so that nobody can aim at it, and
//! only of the topics last seen: between [`LEAST`] and twice as many, about 4 MB. Of a topic that was forgotten the next
//! message is printed.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use crate::mqtt::packet::Publish;

/// Topics that are remembered at least.
const LEAST: usize = 65_536;

/// The last payload of each topic.
pub(super) struct Changes {
    keys: RandomState,
    /// Once this is full it becomes `older`, and what was there is forgotten.
    newer: HashMap<u64, u64>,
    older: HashMap<u64, u64>,
    least: usize,
}

impl Changes {
    pub(super) fn new() -> Changes {
        Changes::remembering(LEAST)
    }

    fn remembering(least: usize) -> Changes {
        Changes {
            keys: RandomState::new(),
            newer: HashMap::new(),
            older: HashMap::new(),
            least,
        }
    }

    /// Whether the payload is another one than that of the topic's last message, which it becomes.
    pub(super) fn is_change(&mut self, message: &Publish) -> bool {
        let topic = self.keys.hash_one(&*message.topic);
        let payload = self.keys.hash_one(&*message.payload);
        let before = self.newer.get(&topic).or_else(|| self.older.get(&topic));
        let is_change = before != Some(&payload);
        if self.newer.len() >= self.least && !self.newer.contains_key(&topic) {
            self.older = std::mem::take(&mut self.newer);
        }
        self.newer.insert(topic, payload);
        is_change
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::message;
    use super::*;

    #[test]
    fn only_another_payload_of_the_same_topic_is_a_change() {
        let mut changes = Changes::new();
        for (topic, payload, expected) in [
            ("a", "1", true),
            ("a", "1", false),
            ("b", "1", true),
            ("a", "2", true),
            ("a", "1", true),
            ("b", "1", false),
            ("b", "", true),
            ("b", "", false),
        ] {
            assert_eq!(
                changes.is_change(&message(topic, payload)),
                expected,
                "{topic} {payload}"
            );
        }
    }

    #[test]
    fn the_topics_last_seen_are_remembered_and_never_more_than_twice_the_least() {
        let mut changes = Changes::remembering(100);
        for number in 0..1000 {
            // One that is seen again and again is never forgotten.
            assert_eq!(changes.is_change(&message("often", "x")), number == 0);
            assert!(changes.is_change(&message(&number.to_string(), "x")));
            assert!(changes.newer.len() + changes.older.len() <= 200);
        }
        for number in 901..1000 {
            assert!(
                !changes.is_change(&message(&number.to_string(), "x")),
                "{number}"
            );
        }
        assert!(changes.is_change(&message("0", "x")));
    }
}
