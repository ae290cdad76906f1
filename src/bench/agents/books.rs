//! What was sent, on its way to the machines where it arrived: a ledger can only be closed by who knows both.
//!
//! Streams that have the same books and whose numbers are evenly apart become one line, so that a hundred thousand
//! publishers that each sent a hundred messages take no more room than one.

use serde::{Deserialize, Serialize};

use crate::bench::measure::ledger::{Sent, Sequences};
use crate::mqtt::QoS;

/// The books of some streams.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Books(Vec<Line>);

/// Streams with the same books.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    /// The first one's number, then every `step`-th, so many times.
    first: u32,
    #[serde(default, skip_serializing_if = "is_default")]
    step: u32,
    #[serde(default = "one", skip_serializing_if = "is_one")]
    times: u32,
    /// How many messages each sent.
    count: u64,
    qos: u8,
    #[serde(default, skip_serializing_if = "is_default")]
    varies: bool,
    /// From and to, the latter not included, of those the broker did not acknowledge.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    unacknowledged: Vec<(u64, u64)>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn one() -> u32 {
    1
}

fn is_one(times: &u32) -> bool {
    *times == 1
}

impl Books {
    /// Those of the streams that sent something.
    pub fn of(sent: &[Sent]) -> Books {
        let mut lines: Vec<Line> = Vec::new();
        for (number, sent) in (0..).zip(sent).filter(|(_, sent)| sent.count > 0) {
            let line = Line {
                first: number,
                step: 0,
                times: 1,
                count: sent.count,
                qos: sent.qos.number(),
                varies: sent.varies,
                unacknowledged: sent.unacknowledged.ranges().collect(),
            };
            match lines.last_mut().filter(|last| last.goes_on_with(&line)) {
                Some(last) => {
                    last.step = line.first.wrapping_sub(last.first) / last.times;
                    last.times += 1;
                }
                None => lines.push(line),
            }
        }
        Books(lines)
    }

    /// Enters them where they belong.
    ///
    /// # Errors
    /// When there is no such stream, or no such quality of service.
    pub fn enter(self, sent: &mut [Sent]) -> Result<(), String> {
        for line in self.0 {
            let books = Sent {
                count: line.count,
                qos: QoS::from_number(line.qos)
                    .ok_or("books of a quality of service there is not")?,
                varies: line.varies,
                unacknowledged: Sequences::of(&line.unacknowledged)?,
            };
            for turn in 0..u64::from(line.times) {
                let number = u64::from(line.first) + turn * u64::from(line.step);
                let place = usize::try_from(number).ok();
                let place = place.and_then(|place| sent.get_mut(place));
                *place
                    .ok_or_else(|| format!("books of a stream {number} that the plan has not"))? =
                    books.clone();
            }
        }
        Ok(())
    }

    /// Adds those of other streams.
    pub fn extend(&mut self, others: Books) {
        self.0.extend(others.0);
    }
}

impl Line {
    /// Whether the next stream is alike and where it is expected. The second one decides how far apart they are.
    fn goes_on_with(&self, next: &Line) -> bool {
        let is_alike = (self.count, self.qos, self.varies) == (next.count, next.qos, next.varies)
            && self.unacknowledged == next.unacknowledged;
        let expected = u64::from(self.first) + u64::from(self.step) * u64::from(self.times);
        is_alike && (self.times == 1 || expected == u64::from(next.first))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sent(count: u64, unacknowledged: &[u64]) -> Sent {
        let mut sequences = Sequences::default();
        unacknowledged
            .iter()
            .for_each(|number| sequences.insert(*number));
        Sent {
            count,
            qos: QoS::AtLeastOnce,
            varies: false,
            unacknowledged: sequences,
        }
    }

    #[test]
    fn streams_that_sent_alike_take_one_line() {
        let mut all = vec![Sent::default(); 100_000];
        all.iter_mut()
            .skip(1)
            .step_by(3)
            .for_each(|one| *one = sent(50, &[]));
        all[7] = sent(50, &[3, 4, 9]);
        let books = Books::of(&all);
        let json = serde_json::to_string(&books).unwrap();
        assert_eq!(
            json,
            r#"[{"first":1,"step":3,"times":2,"count":50,"qos":1},{"first":7,"count":50,"qos":1,"unacknowledged":[[3,5],[9,10]]},{"first":10,"step":3,"times":33330,"count":50,"qos":1}]"#
        );
    }

    #[test]
    fn books_that_make_no_sense_are_an_error() {
        let books = |json: &str| serde_json::from_str::<Books>(json).unwrap();
        for json in [
            r#"[{"first":5,"count":1,"qos":0}]"#,
            r#"[{"first":1,"step":4294967295,"times":4294967295,"count":1,"qos":0}]"#,
            r#"[{"first":0,"count":1,"qos":3}]"#,
            r#"[{"first":0,"count":1,"qos":2,"unacknowledged":[[9,3]]}]"#,
            r#"[{"first":0,"count":1,"qos":2,"unacknowledged":[[2,5],[4,6]]}]"#,
        ] {
            assert!(
                books(json).enter(&mut vec![Sent::default(); 5]).is_err(),
                "{json}"
            );
        }
    }

    proptest! {
        #[test]
        fn books_come_back_as_they_were(
            all in proptest::collection::vec((0u64..3, 0u8..3, any::<bool>(), proptest::collection::btree_set(0u64..20, 0..3)), 0..60),
        ) {
            let all: Vec<Sent> = all.into_iter().map(|(count, qos, varies, missing)| Sent {
                count: count * 10,
                qos: QoS::from_number(qos).unwrap(),
                varies,
                unacknowledged: sent(1, &missing.into_iter().collect::<Vec<_>>()).unacknowledged,
            }).collect();
            let json = serde_json::to_string(&Books::of(&all)).unwrap();
            let mut back = vec![Sent::default(); all.len()];
            serde_json::from_str::<Books>(&json).unwrap().enter(&mut back).unwrap();
            for (back, sent) in back.iter().zip(&all) {
                prop_assert!(back == sent || sent.count == 0 && back.count == 0);
            }
        }
    }
}
