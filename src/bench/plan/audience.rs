//! Who hears whom: which streams of messages each subscription must bring.

use std::collections::{HashMap, HashSet};

use super::Plan;
use crate::mqtt::topic;

/// Stands for what differs from message to message; no topic may contain it.
const UNKNOWN: char = '\0';

/// How much of a stream a filter asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Match {
    All,
    None,
    /// Depends on the message.
    Some,
}

impl Plan {
    /// For each subscriber the streams, ascending, whose messages it must receive.
    ///
    /// # Errors
    /// When a filter asks for a part of a stream: then nobody could say which messages were lost.
    pub fn audience(&self) -> Result<Vec<Vec<u32>>, String> {
        let mut fixed: HashMap<String, Vec<u32>> = HashMap::new();
        let mut varying: Vec<(String, u32)> = Vec::new();
        for publisher in 0..self.publishers() {
            let values = self.publisher_values(publisher);
            let topics = &self.publisher(publisher).group.topic;
            for (stream, topic) in self.streams_of(publisher).zip(topics) {
                match topic.varies() {
                    true => varying.push((topic.outline(values, UNKNOWN), stream)),
                    false => fixed.entry(topic.with(values)).or_default().push(stream),
                }
            }
        }
        for client in 0..self.clients() {
            if let Some((topic, stream)) = self.will_of(client) {
                fixed.entry(topic).or_default().push(stream);
            }
        }
        let mut known: HashMap<String, Vec<u32>> = HashMap::new();
        let mut audience = Vec::new();
        for subscriber in 0..self.subscribers() {
            let filter = self.filter_of(subscriber);
            let filter = shared(&filter).map_or(filter.clone(), |(_, plain)| plain.to_owned());
            if let Some(streams) = known.get(&filter) {
                audience.push(streams.clone());
                continue;
            }
            let mut streams: Vec<u32> = match topic::is_valid_topic_name(&filter) {
                true => fixed.get(&filter).cloned().unwrap_or_default(),
                false => fixed
                    .iter()
                    .filter(|(topic, _)| topic::matches(&filter, topic))
                    .flat_map(|(_, streams)| streams.iter().copied())
                    .collect(),
            };
            for (outline, stream) in &varying {
                match matches(&filter, outline) {
                    Match::All => streams.push(*stream),
                    Match::None => {}
                    Match::Some => {
                        let topic = outline.replace(UNKNOWN, "...");
                        return Err(format!(
                            "the filter {filter} asks for some of the messages to {topic} and not for others, so \
                             nobody could say what was lost; put + or # where the topic varies"
                        ));
                    }
                }
            }
            streams.sort_unstable();
            known.insert(filter, streams.clone());
            audience.push(streams);
        }
        Ok(audience)
    }

    /// For each stream how many hear it: a group of a shared subscription counts once, and who expects answers hears its own.
    pub fn listeners(&self, audience: &[Vec<u32>]) -> Vec<u64> {
        let mut listeners = vec![0; self.streams() as usize];
        let mut counted = HashSet::new();
        for (subscriber, streams) in (0..).zip(audience) {
            let filter = self.filter_of(subscriber);
            let again = shared(&filter).is_some() && !counted.insert(filter);
            if !again && !self.subscriber(subscriber).group.answers {
                streams
                    .iter()
                    .for_each(|stream| listeners[*stream as usize] += 1);
            }
        }
        for publisher in 0..self.publishers() {
            if self.publisher(publisher).group.reply.is_some() {
                self.streams_of(publisher)
                    .for_each(|stream| listeners[stream as usize] += 1);
            }
        }
        listeners
    }
}

/// The group and the plain filter of a shared subscription (4.8.2 of MQTT 5).
pub fn shared(filter: &str) -> Option<(&str, &str)> {
    filter.strip_prefix("$share/")?.split_once('/')
}

/// How much of what is published to a topic of this outline a filter asks for.
fn matches(filter: &str, outline: &str) -> Match {
    let mut found = Match::All;
    let mut levels = outline.split('/');
    for wanted in filter.split('/') {
        if wanted == "#" {
            return found;
        }
        let Some(level) = levels.next() else {
            return Match::None;
        };
        if wanted == "+" || wanted == level {
            continue;
        }
        match level.split_once(UNKNOWN) {
            None => return Match::None,
            Some((start, rest)) => {
                let end = rest.rsplit(UNKNOWN).next().unwrap_or_default();
                let between = wanted
                    .strip_prefix(start)
                    .and_then(|wanted| wanted.strip_suffix(end));
                // What varies is a number; between two of them anything may stand.
                let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
                match between {
                    Some(text)
                        if !text.is_empty() && (rest.contains(UNKNOWN) || is_number(text)) =>
                    {
                        found = Match::Some;
                    }
                    _ => return Match::None,
                }
            }
        }
    }
    match levels.next() {
        None => found,
        Some(_) => Match::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_asks_for_all_of_a_varying_topic_for_nothing_or_for_a_part() {
        for (filter, expected) in [
            ("a/+/c", Match::All),
            ("a/#", Match::All),
            ("#", Match::All),
            ("a/b7/c", Match::Some),
            ("a/b77/#", Match::Some),
            ("a/b/c", Match::None),
            ("a/bx/c", Match::None),
            ("a/x7/c", Match::None),
            ("a/+", Match::None),
            ("a/+/c/d", Match::None),
            ("a/b7/d", Match::None),
        ] {
            assert_eq!(matches(filter, "a/b\0/c"), expected, "{filter}");
        }
    }
}
