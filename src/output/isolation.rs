//! Whether slow subscribers are the others' business, in words.

use std::time::Duration;

use super::figures::{seconds, time, whole};
use super::without_controls;
use crate::bench::report::isolation::{Isolation, Others};

/// The verdict: `ISOLATED` or not, and on what it rests.
pub(super) fn verdict(isolation: &Isolation) -> (&'static str, String) {
    let figures = |others: &Option<Others>| match others {
        Some(others) => {
            let latency = &others.latency_us;
            let p99 = latency.p99.unwrap_or(latency.max);
            format!(
                "{}/s at p99 {}",
                whole(others.rate_per_s.round()),
                time(Duration::from_micros(p99))
            )
        }
        None => "nothing".to_owned(),
    };
    let beside = figures(&isolation.beside);
    match isolation.isolated {
        Some(isolated) => (
            if isolated { "ISOLATED" } else { "NOT ISOLATED" },
            format!(
                "the others had {} before and {beside} beside the slow one",
                figures(&isolation.before)
            ),
        ),
        None => (
            "NOT COMPARED",
            format!("the others had {beside} beside the slow one, and there was no time before it"),
        ),
    }
}

/// What the slow ones read, and what became of them.
pub(super) fn fate(isolation: &Isolation) -> Vec<String> {
    let Isolation {
        clients,
        reads,
        from_s,
        read,
        delivery,
        disconnected,
        ..
    } = isolation;
    let who = match clients {
        1 => "1 subscriber".to_owned(),
        clients => format!("{} subscribers", whole((*clients).into())),
    };
    let speed = match reads.as_str() {
        "none" => "nothing".to_owned(),
        reads => reads.to_owned(),
    };
    let from = seconds(*from_s);
    let mut lines = vec![format!(
        "{who} read {speed} from {from} on, {} messages up to the end of the load",
        whole(*read as f64)
    )];
    let mut facts = vec![format!(
        "{} of {} arrived in the end",
        whole(delivery.received as f64),
        whole(delivery.expected as f64)
    )];
    let dropped = delivery.lost_acknowledged + delivery.lost_unacknowledged;
    if dropped > 0 {
        facts.push(format!("the broker dropped {}", whole(dropped as f64)));
    }
    if delivery.lost_disconnected > 0 {
        let lost = whole(delivery.lost_disconnected as f64);
        facts.push(format!("{lost} lost with the connection"));
    }
    match disconnected.as_slice() {
        [] => facts.push("the broker kept the connection".to_owned()),
        [one, ..] => facts.push(format!(
            "{} lost the connection after {:.1} s: {}",
            without_controls(&one.client),
            one.at_s,
            without_controls(&one.reason)
        )),
    }
    lines.push(facts.join(", "));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::load::tally::LostConnection;
    use crate::bench::measure::histograms::Encoded;
    use crate::bench::measure::latency::Latency;
    use crate::bench::measure::ledger::Delivery;

    fn others(rate_per_s: f64, p99: u64) -> Option<Others> {
        Some(Others {
            rate_per_s,
            latency_us: Latency {
                samples: 5000,
                min: 100,
                mean: 500.0,
                p50: Some(400),
                p90: Some(800),
                p99: Some(p99),
                p99_9: None,
                p99_99: None,
                max: p99 * 2,
            },
            histogram: Encoded::default(),
        })
    }

    #[test]
    fn the_verdict_is_said_in_words_and_so_is_what_became_of_the_slow_one() {
        let mut isolation = Isolation {
            clients: 1,
            reads: "none".to_owned(),
            from_s: 6.0,
            before: others(1000.0, 900),
            beside: others(990.0, 1100),
            isolated: Some(true),
            read: 0,
            delivery: Delivery {
                expected: 10_000,
                received: 6000,
                lost_acknowledged: 4000,
                ..Delivery::default()
            },
            disconnected: Vec::new(),
        };
        assert_eq!(
            verdict(&isolation),
            (
                "ISOLATED",
                "the others had 1,000/s at p99 900 µs before and 990/s at p99 1.10 ms beside the slow one".to_owned()
            )
        );
        assert_eq!(
            fate(&isolation),
            [
                "1 subscriber read nothing from 6.00 s on, 0 messages up to the end of the load",
                "6,000 of 10,000 arrived in the end, the broker dropped 4,000, the broker kept the connection"
            ]
        );
        isolation.isolated = Some(false);
        isolation.beside = None;
        isolation.delivery.lost_acknowledged = 0;
        isolation.delivery.lost_disconnected = 4000;
        isolation.disconnected.push(LostConnection {
            client: "subscriber 11".to_owned(),
            at_s: 7.25,
            reason: "the broker disconnected: quota exceeded (0x97)".to_owned(),
        });
        let (word, words) = verdict(&isolation);
        assert_eq!(word, "NOT ISOLATED");
        assert!(
            words.ends_with("before and nothing beside the slow one"),
            "{words}"
        );
        assert_eq!(
            fate(&isolation)[1],
            "6,000 of 10,000 arrived in the end, 4,000 lost with the connection, \
             subscriber 11 lost the connection after 7.2 s: the broker disconnected: quota exceeded (0x97)"
        );
    }
}
