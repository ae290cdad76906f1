//! The topic of every message, known again when it arrives: a broker that delivers under another one has not kept its word.

use super::pattern::Values;
use super::{Pattern, Plan};

/// The topics of all streams, by their numbers.
#[derive(Debug, Clone, Default)]
pub struct Topics(Vec<Topic>);

/// The topic of a stream.
#[derive(Debug, Clone)]
enum Topic {
    Fixed(Box<str>),
    /// It follows from the message's number, which is counted by its publisher: this is topic `place` of `among`.
    Varying {
        pattern: Pattern,
        values: Values,
        place: u64,
        among: u64,
    },
}

impl Plan {
    /// Where the messages of each stream are published.
    pub fn topics(&self) -> Topics {
        let mut topics = Vec::new();
        for publisher in 0..self.publishers() {
            let values = self.publisher_values(publisher);
            let patterns = &self.publisher(publisher).group.topic;
            let among = patterns.len() as u64;
            for (place, pattern) in (0..).zip(patterns) {
                topics.push(match pattern.varies() {
                    false => Topic::Fixed(pattern.with(values).into()),
                    true => Topic::Varying {
                        pattern: pattern.clone(),
                        values,
                        place,
                        among,
                    },
                });
            }
        }
        let wills = (0..self.clients()).filter_map(|client| self.will_of(client));
        let mut wills: Vec<(String, u32)> = wills.collect();
        wills.sort_unstable_by_key(|(_, stream)| *stream);
        topics.extend(
            wills
                .into_iter()
                .map(|(topic, _)| Topic::Fixed(topic.into())),
        );
        Topics(topics)
    }
}

impl Topics {
    /// Whether message `sequence` of `stream` was published to `topic`; `None` when nobody knows the stream.
    pub fn is(&self, stream: u32, sequence: u64, topic: &str) -> Option<bool> {
        Some(match self.0.get(stream as usize)? {
            Topic::Fixed(own) => **own == *topic,
            Topic::Varying {
                pattern,
                values,
                place,
                among,
            } => {
                let number = sequence.checked_mul(*among)?.checked_add(*place)?;
                let values = Values {
                    sequence: number.checked_add(1)?,
                    ..*values
                };
                pattern.with(values) == topic
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::plan::tests::plan;

    #[test]
    fn every_message_is_known_by_its_topic() {
        let mut plan = plan(2, 1);
        plan.publish[0].numbers = None;
        plan.publish[0].topic = ["all/%i", "one/%i/%s", "any/%r{1..9}"]
            .map(|topic| topic.parse().unwrap())
            .to_vec();
        let topics = plan.topics();
        let found = |stream, sequence, topic| topics.is(stream, sequence, topic);
        assert_eq!(found(0, 5, "all/1"), Some(true));
        assert_eq!(found(3, 5, "all/2"), Some(true));
        assert_eq!(found(3, 5, "all/1"), Some(false));
        // The second of three topics has the publisher's messages 2, 5, 8 ...
        assert_eq!(found(4, 0, "one/2/2"), Some(true));
        assert_eq!(found(4, 2, "one/2/8"), Some(true));
        assert_eq!(found(4, 2, "one/2/9"), Some(false));
        assert_eq!(found(6, 0, "all/3"), None);
        assert_eq!(found(4, u64::MAX, "one"), None);
        let values = Values {
            sequence: 6,
            ..plan.publisher_values(1)
        };
        let drawn = plan.publish[0].topic[2].with(values);
        assert_eq!(found(5, 1, &drawn), Some(true));
        assert_eq!(found(5, 1, "any/10"), Some(false));
    }
}
