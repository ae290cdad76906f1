//! Retained messages by topic (3.3.1.3). Every partition keeps the same ones, because every partition reads the same
//! log; a subscription sees exactly what was retained at its place in that order.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::rc::Rc;

use tokio::time::Instant;

use super::message::Message;
use crate::mqtt::{QoS, topic};

/// The retained message of every topic that has one.
#[derive(Debug, Default)]
pub struct Retained {
    messages: BTreeMap<Box<str>, Rc<Message>>,
    /// Stores left until expired messages are looked for again.
    until_sweep: usize,
}

impl Retained {
    /// How many topics have one.
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Whether no topic has one.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// Keeps the message for its topic; an empty payload removes what is kept [MQTT-3.3.1-6]. Expired messages are
    /// swept out once for as many stores as there are messages, so a store costs the same however many there are.
    pub fn store(&mut self, message: Rc<Message>, now: Instant) {
        if message.payload().is_empty() {
            self.messages.remove(message.topic());
        } else {
            self.messages.insert(message.topic().into(), message);
        }
        match self.until_sweep.checked_sub(1) {
            Some(left) => self.until_sweep = left,
            None => {
                self.messages.retain(|_, message| !message.has_expired(now));
                self.until_sweep = self.messages.len();
            }
        }
    }

    /// Goes through the retained messages whose topic matches, in the order of the topics, from behind the topic `after`; looks
    /// at no more than `most` topics. Returns where to go on, if there is more. Only topics that share the filter's text
    /// before its first wildcard are looked at.
    pub fn walk(
        &self,
        filter: &str,
        after: Option<&str>,
        most: usize,
        mut found: impl FnMut(&Rc<Message>),
    ) -> Option<Box<str>> {
        let Some(wildcard) = filter.find(['+', '#']) else {
            self.messages.get(filter).into_iter().for_each(found);
            return None;
        };
        // `a/#` also matches `a`, so the separator before a wildcard is not part of the prefix.
        let prefix = filter[..wildcard].trim_end_matches('/');
        let from = after.map_or(Bound::Included(prefix), Bound::Excluded);
        let mut left = most;
        for (name, message) in self.messages.range::<str, _>((from, Bound::Unbounded)) {
            if !name.starts_with(prefix) {
                return None;
            }
            if topic::matches(filter, name) {
                found(message);
            }
            left -= 1;
            if left == 0 {
                return Some(name.clone());
            }
        }
        None
    }
}

/// A new subscription on its way through the retained messages.
#[derive(Debug)]
pub struct Walk {
    /// The session's place.
    pub place: u32,
    /// The session's number.
    pub number: u32,
    /// The subscription's topic filter.
    pub filter: Box<str>,
    /// Its granted quality of service.
    pub qos: QoS,
    /// Whether it is not for what this client published itself [MQTT-3.8.3-3].
    pub no_local: bool,
    /// Its subscription identifier, 0 for none.
    pub identifier: u32,
    /// The topic it has come to.
    pub after: Option<Box<str>>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::record::Envelope;

    fn message(topic: &str, payload: &str) -> Rc<Message> {
        let envelope = Envelope {
            publisher: 0,
            qos: QoS::AtMostOnce,
            retain: true,
            topic,
            properties: &[],
            payload: payload.as_bytes(),
        };
        Message::new(&envelope, Instant::now())
    }

    fn topics(retained: &Retained, filter: &str) -> Vec<String> {
        // In steps of one, of two, and at once it must be the same.
        let mut walks = [1, 2, 100].map(|most| {
            let (mut topics, mut after) = (Vec::new(), None);
            loop {
                let found = |message: &Rc<Message>| topics.push(message.topic().to_owned());
                after = retained.walk(filter, after.as_deref(), most, found);
                if after.is_none() {
                    return topics;
                }
            }
        });
        assert!(walks[0] == walks[1] && walks[1] == walks[2], "{walks:?}");
        std::mem::take(&mut walks[0])
    }

    #[test]
    fn wildcards_find_what_they_match_and_an_empty_payload_removes() {
        let mut retained = Retained::default();
        for topic in ["a", "a/b", "a/b/c", "ab", "/a", "$SYS/a", "温度/1"] {
            retained.store(message(topic, "x"), Instant::now());
        }
        assert_eq!(topics(&retained, "a/#"), ["a", "a/b", "a/b/c"]);
        assert_eq!(topics(&retained, "a/+"), ["a/b"]);
        assert_eq!(
            topics(&retained, "#"),
            ["/a", "a", "a/b", "a/b/c", "ab", "温度/1"]
        );
        assert_eq!(topics(&retained, "+/a"), ["/a"]);
        assert_eq!(topics(&retained, "$SYS/#"), ["$SYS/a"]);
        assert_eq!(topics(&retained, "温度/+"), ["温度/1"]);
        retained.store(message("a/b", ""), Instant::now());
        assert_eq!(topics(&retained, "a/+"), Vec::<String>::new());
        assert_eq!(topics(&retained, "a"), ["a"]);
    }
}
