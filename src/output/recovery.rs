//! What a fault did, in words.

use std::time::Duration;

use super::figures::{seconds, time, whole};
use crate::bench::report::recovery::Recovery;

/// When, what and whom: `2.00 s: cut=50% for 501 ms, 10 of 20 connections hit`.
pub(super) fn head(recovery: &Recovery) -> String {
    let Recovery {
        fault,
        at_s,
        lasted_s,
        open,
        hit,
        ..
    } = recovery;
    let lasted = match *lasted_s > 0.0 {
        true => format!(" for {}", seconds(*lasted_s)),
        false => String::new(),
    };
    format!(
        "{}: {fault}{lasted}, {} of {} connections hit",
        seconds(*at_s),
        whole(*hit as f64),
        whole(*open as f64)
    )
}

/// What came of it: who was back when, and when everything was as before.
pub(super) fn outcome(recovery: &Recovery) -> Vec<String> {
    let Recovery {
        lost,
        back,
        resumed,
        attempts,
        not_made,
        back_after_s,
        recovered_after_s,
        worst_us,
        rate_before_per_s,
        lasted_s,
        ..
    } = recovery;
    let mut lines = Vec::new();
    if *lost > 0 {
        let who = match back_after_s {
            Some(last) => format!(
                "{} clients lost their connection, the last was back after {}",
                whole(*lost as f64),
                seconds(*last)
            ),
            None => format!(
                "{} clients lost their connection, {} were back",
                whole(*lost as f64),
                whole(*back as f64)
            ),
        };
        let sessions = match *resumed {
            0 => String::new(),
            resumed => format!(", {} to their sessions", whole(resumed as f64)),
        };
        lines.push(format!(
            "{who}, with {} attempts{sessions}",
            whole(*attempts as f64)
        ));
    }
    if *not_made > 0 {
        let count = whole(*not_made as f64);
        lines.push(format!(
            "{count} connections could not be made because of it"
        ));
    }
    // Where there are no messages there is nothing to say of them.
    if rate_before_per_s.is_none() && worst_us.is_none() {
        return lines;
    }
    let mut facts = vec![match (recovered_after_s, rate_before_per_s) {
        (Some(recovered), _) if recovered <= lasted_s && *lasted_s > 0.0 => {
            "rate and latency as before when it was over".to_owned()
        }
        (Some(recovered), _) if *recovered <= 0.0 => {
            "rate and latency as before at once".to_owned()
        }
        (Some(recovered), _) => {
            format!("rate and latency as before after {}", seconds(*recovered))
        }
        (None, Some(_)) => "rate and latency not as before by the end or the next fault".to_owned(),
        (None, None) => "too few messages before it to tell when all was as before".to_owned(),
    }];
    if let Some(worst) = worst_us {
        let worst = time(Duration::from_micros(*worst));
        facts.push(format!("worst latency {worst}"));
    }
    lines.push(facts.join(", "));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_told_with_what_came_of_it() {
        let recovery = Recovery {
            fault: "cut=30%".to_owned(),
            at_s: 10.0,
            lasted_s: 2.0,
            open: 20,
            hit: 6,
            lost: 6,
            back: 6,
            resumed: 6,
            attempts: 31,
            not_made: 1204,
            back_after_s: Some(2.31),
            recovered_after_s: Some(2.8),
            worst_us: Some(2_900_000),
            rate_before_per_s: Some(1000.0),
            p99_before_us: Some(900),
        };
        assert_eq!(
            head(&recovery),
            "10.0 s: cut=30% for 2.00 s, 6 of 20 connections hit"
        );
        assert_eq!(
            outcome(&recovery),
            [
                "6 clients lost their connection, the last was back after 2.31 s, with 31 attempts, 6 to their sessions",
                "1,204 connections could not be made because of it",
                "rate and latency as before after 2.80 s, worst latency 2.90 s"
            ]
        );
        let away = Recovery {
            fault: "half-open=6".to_owned(),
            lasted_s: 0.0,
            back: 4,
            resumed: 0,
            not_made: 0,
            back_after_s: None,
            recovered_after_s: None,
            worst_us: None,
            ..recovery.clone()
        };
        assert_eq!(head(&away), "10.0 s: half-open=6, 6 of 20 connections hit");
        assert_eq!(
            outcome(&away),
            [
                "6 clients lost their connection, 4 were back, with 31 attempts",
                "rate and latency not as before by the end or the next fault"
            ]
        );
        let stall = Recovery {
            lost: 0,
            not_made: 0,
            recovered_after_s: Some(2.0),
            worst_us: Some(2_000_000),
            ..recovery
        };
        assert_eq!(
            outcome(&stall),
            ["rate and latency as before when it was over, worst latency 2.00 s"]
        );
    }
}
