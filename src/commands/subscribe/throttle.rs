//! `--throttle`: at most one message of a topic in a span of time; of several the last one.
//!
//! A topic's first message passes at once and begins a span. What comes within the span takes the place of what came
//! before it, and the last of it passes at the end of the span, which begins another. What is held back is given out in
//! the end. Times are handed in.
//!
//! What is held back is limited to [`MOST_BYTES`] and [`MOST_TOPICS`]: when there is more, the spans that are the oldest
//! end before their time.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use super::Received;
use crate::mqtt::ByteString;

/// Payload held back.
const MOST_BYTES: usize = 4 << 20;
/// Topics with a span.
const MOST_TOPICS: usize = 16_384;

/// The topics that have had a message lately.
pub(super) struct Throttle {
    span: Duration,
    held: HashMap<ByteString, Option<Received>>,
    bytes: usize,
    /// When each span ends, in order.
    ends: VecDeque<(Instant, ByteString)>,
}

impl Throttle {
    pub(super) fn new(span: Duration) -> Throttle {
        Throttle {
            span,
            held: HashMap::new(),
            bytes: 0,
            ends: VecDeque::new(),
        }
    }

    /// Takes a message that comes now; what may pass is added to `passing`.
    pub(super) fn take(&mut self, message: Received, now: Instant, passing: &mut Vec<Received>) {
        self.release(now, passing);
        match self.held.get_mut(&message.publish.topic) {
            Some(place) => {
                self.bytes += message.publish.payload.len();
                if let Some(old) = place.replace(message) {
                    self.bytes -= old.publish.payload.len();
                }
            }
            None => {
                self.begin(message.publish.topic.clone(), now);
                passing.push(message);
            }
        }
        while self.bytes > MOST_BYTES || self.ends.len() > MOST_TOPICS {
            self.end_first(now, passing);
        }
    }

    /// When something may pass next, or be forgotten.
    pub(super) fn next(&self) -> Option<Instant> {
        self.ends.front().map(|(end, _)| *end)
    }

    /// Adds to `passing` what may pass by now.
    pub(super) fn release(&mut self, now: Instant, passing: &mut Vec<Received>) {
        while self.next().is_some_and(|end| end <= now) {
            self.end_first(now, passing);
        }
    }

    /// Everything that is held back, in the order in which it would have passed.
    pub(super) fn rest(&mut self) -> Vec<Received> {
        let ends = self.ends.drain(..);
        let rest = ends
            .filter_map(|(_, topic)| self.held.remove(&topic)?)
            .collect();
        self.bytes = 0;
        rest
    }

    fn begin(&mut self, topic: ByteString, now: Instant) {
        self.ends.push_back((now + self.span, topic.clone()));
        self.held.insert(topic, None);
    }

    fn end_first(&mut self, now: Instant, passing: &mut Vec<Received>) {
        let Some((_, topic)) = self.ends.pop_front() else {
            return;
        };
        if let Some(message) = self.held.remove(&topic).flatten() {
            self.bytes -= message.publish.payload.len();
            self.begin(topic, now);
            passing.push(message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::received;
    use super::*;
    use proptest::prelude::*;

    const SPAN: Duration = Duration::from_secs(10);

    fn shown(passing: &[Received]) -> Vec<String> {
        let shown = |each: &Received| {
            let payload = String::from_utf8_lossy(&each.publish.payload);
            format!("{}{payload}", each.publish.topic)
        };
        passing.iter().map(shown).collect()
    }

    #[test]
    fn the_first_passes_at_once_and_the_last_at_the_end_of_the_span() {
        let mut throttle = Throttle::new(SPAN);
        let start = Instant::now();
        let mut passing = Vec::new();
        for (after, topic, payload) in [
            (0, "a", "1"),
            (1, "a", "2"),
            (2, "b", "1"),
            (3, "a", "3"),
            // The span has ended: 3 passes, and 4 waits for the end of the next.
            (12, "a", "4"),
            // In b nothing was held back, so its next message passes at once.
            (13, "b", "2"),
        ] {
            throttle.take(
                received(topic, payload),
                start + Duration::from_secs(after),
                &mut passing,
            );
        }
        assert_eq!(shown(&passing), ["a1", "b1", "a3", "b2"]);
        assert_eq!(throttle.next(), Some(start + Duration::from_secs(22)));
        throttle.release(start + Duration::from_secs(22), &mut passing);
        assert_eq!(shown(&passing)[4..], ["a4"]);
        assert!(throttle.rest().is_empty());
        assert_eq!(throttle.next(), None);
    }

    #[test]
    fn more_than_may_be_held_back_passes_before_its_time() {
        let mut throttle = Throttle::new(SPAN);
        let now = Instant::now();
        let mut passing = Vec::new();
        let large = "x".repeat(1 << 20);
        for topic in 0..6 {
            for _ in 0..2 {
                throttle.take(received(&topic.to_string(), &large), now, &mut passing);
            }
        }
        // Six first ones, and two of those held back.
        assert_eq!(passing.len(), 8);
        assert_eq!(throttle.rest().len(), 4);
        for topic in 0..2 * MOST_TOPICS {
            throttle.take(received(&topic.to_string(), "x"), now, &mut passing);
        }
        assert_eq!(throttle.ends.len(), MOST_TOPICS);
    }

    proptest! {
        #[test]
        fn no_topic_passes_twice_within_a_span_and_its_last_message_always_passes(
            steps in prop::collection::vec((0_u64..8, 0_usize..3), 1..60),
        ) {
            let mut throttle = Throttle::new(SPAN);
            let mut now = Instant::now();
            let mut last_passed: [Option<Instant>; 3] = [None; 3];
            let mut last_sent: [Option<String>; 3] = Default::default();
            let mut last_shown: [Option<String>; 3] = Default::default();
            let mut note = |passing: &mut Vec<Received>, now: Instant, spaced: bool| {
                for message in passing.drain(..) {
                    let topic: usize = message.publish.topic.parse().unwrap();
                    if let Some(before) = last_passed[topic].replace(now) {
                        assert!(!spaced || now >= before + SPAN);
                    }
                    last_shown[topic] = Some(String::from_utf8_lossy(&message.publish.payload).into_owned());
                }
            };
            let mut passing = Vec::new();
            for (number, (pause, topic)) in steps.into_iter().enumerate() {
                now += Duration::from_secs(pause);
                throttle.release(now, &mut passing);
                note(&mut passing, now, true);
                throttle.take(received(&topic.to_string(), &number.to_string()), now, &mut passing);
                note(&mut passing, now, true);
                last_sent[topic] = Some(number.to_string());
            }
            let mut rest = throttle.rest();
            note(&mut rest, now, false);
            prop_assert_eq!(last_shown, last_sent);
        }
    }
}
