//! Where a load becomes too much, found by doubling and bisection; arithmetic only, the loads are somebody else's.
//!
//! The answer is confirmed: the highest load that passed is tried again, and one that passed by luck is taken back.

/// What is searched.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    /// Where it begins.
    pub from: f64,
    /// Nothing below is tried.
    pub least: f64,
    /// Nothing above is tried.
    pub most: f64,
    /// Only whole numbers are tried: clients, and not messages per second.
    pub whole: bool,
    /// The answer may be too low by this share of it.
    pub precision: f64,
    /// How often the answer must pass again.
    pub confirmations: u32,
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Next {
    /// Try this load.
    Try(f64),
    /// Try this load again: it is the answer if it passes.
    Confirm(f64),
    /// This is the answer; `None` when even the least load is too much.
    Found(Option<f64>),
}

/// What became of a load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It held.
    Passed,
    /// It was too much.
    Failed,
    /// It was too little to tell: a percentile wants more samples. What is above it may tell, what is below it will not.
    Silent,
}

/// A search under way.
#[derive(Debug, Clone)]
pub struct Search {
    range: Range,
    /// Loads that passed and were not taken back, ascending.
    passed: Vec<f64>,
    /// The lowest load that failed.
    failed: Option<f64>,
    /// The highest load that told nothing.
    silent: Option<f64>,
    confirmed: u32,
}

impl Search {
    /// A new one.
    pub fn new(range: Range) -> Search {
        Search {
            range,
            passed: Vec::new(),
            failed: None,
            silent: None,
            confirmed: 0,
        }
    }

    /// What to do next.
    pub fn next(&self) -> Next {
        let Range {
            from, least, most, ..
        } = self.range;
        let best = self.passed.last().copied();
        let load = match (best, self.failed) {
            (None, None) => match self.silent {
                None => from.clamp(least, most),
                Some(silent) if silent >= most => return Next::Found(None),
                Some(silent) => (silent * 2.0).min(most),
            },
            (Some(best), None) if best >= most => return self.confirm(best),
            (Some(best), None) => (best * 2.0).min(most),
            (None, Some(failed)) if failed <= least => return Next::Found(None),
            (None, Some(failed)) => match self.silent.map(|silent| self.between(silent, failed)) {
                None => (failed / 2.0).max(least),
                Some(None) => return Next::Found(None),
                Some(Some(middle)) => middle,
            },
            (Some(best), Some(failed)) => match self.between(best, failed) {
                None => return self.confirm(best),
                Some(middle) => middle,
            },
        };
        Next::Try(self.rounded(load))
    }

    /// The geometric middle, because rates are far apart or near each other by their ratio; `None` when they are near enough.
    fn between(&self, low: f64, failed: f64) -> Option<f64> {
        let middle = self.rounded((low * failed).sqrt());
        let is_near = failed <= low * (1.0 + self.range.precision);
        (!is_near && middle > low && middle < failed).then_some(middle)
    }

    fn confirm(&self, best: f64) -> Next {
        match self.confirmed >= self.range.confirmations {
            true => Next::Found(Some(best)),
            false => Next::Confirm(best),
        }
    }

    fn rounded(&self, load: f64) -> f64 {
        match self.range.whole {
            true => load.round(),
            // Three digits are more than a load of some seconds tells.
            false => {
                let unit = 10_f64.powf(load.log10().floor() - 2.0);
                (load / unit).round() * unit
            }
        }
    }

    /// Says what became of the load that [`Search::next`] asked for.
    pub fn tell(&mut self, load: f64, outcome: Outcome) {
        let confirming = matches!(self.next(), Next::Confirm(_));
        match outcome {
            Outcome::Passed if confirming => self.confirmed += 1,
            Outcome::Passed => {
                self.passed.push(load);
                self.passed.sort_by(f64::total_cmp);
            }
            Outcome::Silent if self.passed.is_empty() => {
                self.silent = Some(self.silent.map_or(load, |silent| silent.max(load)));
            }
            Outcome::Failed | Outcome::Silent => {
                self.confirmed = 0;
                self.passed.retain(|known| *known < load);
                self.failed = Some(self.failed.map_or(load, |failed| failed.min(load)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RANGE: Range = Range {
        from: 1000.0,
        least: 1.0,
        most: 1e7,
        whole: false,
        precision: 0.05,
        confirmations: 2,
    };

    /// Everything that was tried, and the answer.
    fn search(range: Range, mut passes: impl FnMut(f64) -> bool) -> (Vec<f64>, Option<f64>) {
        search_where(range, |load| match passes(load) {
            true => Outcome::Passed,
            false => Outcome::Failed,
        })
    }

    fn search_where(
        range: Range,
        mut outcome: impl FnMut(f64) -> Outcome,
    ) -> (Vec<f64>, Option<f64>) {
        let mut search = Search::new(range);
        let mut tried = Vec::new();
        loop {
            match search.next() {
                Next::Try(load) | Next::Confirm(load) => {
                    tried.push(load);
                    search.tell(load, outcome(load));
                }
                Next::Found(found) => return (tried, found),
            }
            assert!(tried.len() < 200, "{tried:?}");
        }
    }

    #[test]
    fn it_doubles_until_it_fails_and_then_halves_the_rest() {
        let (tried, found) = search(RANGE, |load| load <= 5000.0);
        assert_eq!(tried[..4], [1000.0, 2000.0, 4000.0, 8000.0]);
        assert_eq!(tried[4], 5660.0);
        let found = found.unwrap();
        assert!((4750.0..=5000.0).contains(&found), "{found}");
        assert_eq!(tried[tried.len() - 2..], [found, found], "confirmed twice");
    }

    #[test]
    fn a_load_that_passed_by_luck_is_taken_back() {
        let mut lucky = 1;
        let (_, found) = search(RANGE, |load| {
            load <= 3000.0 || ((3900.0..=4000.0).contains(&load) && std::mem::take(&mut lucky) == 1)
        });
        assert!(
            found.is_some_and(|found| found <= 3000.0 && found > 2800.0),
            "{found:?}"
        );
    }

    #[test]
    fn loads_too_small_to_tell_lead_upwards() {
        let clients = Range {
            whole: true,
            from: 10.0,
            ..RANGE
        };
        let limited = |limit: f64| {
            search_where(clients, move |load| match load {
                ..1000.0 => Outcome::Silent,
                load if load <= limit => Outcome::Passed,
                _ => Outcome::Failed,
            })
        };
        let (tried, found) = limited(3000.0);
        assert_eq!(
            tried[..8],
            [10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 640.0, 1280.0]
        );
        assert!(
            found.is_some_and(|found| (2850.0..=3000.0).contains(&found)),
            "{found:?}"
        );
        let (tried, found) = limited(1100.0);
        assert!(
            found.is_some_and(|found| (1000.0..=1100.0).contains(&found)),
            "{tried:?}"
        );
        assert_eq!(limited(1.0).1, None, "too much as soon as it tells");
        let few = Range {
            most: 100.0,
            ..clients
        };
        assert_eq!(search_where(few, |_| Outcome::Silent).1, None);
    }

    #[test]
    fn the_ends_of_the_range_are_answers_too() {
        assert_eq!(search(RANGE, |_| false).1, None);
        assert_eq!(search(RANGE, |_| true).1, Some(RANGE.most));
        let whole = Range {
            whole: true,
            from: 10.0,
            precision: 0.001,
            ..RANGE
        };
        assert_eq!(search(whole, |load| load <= 37.0).1, Some(37.0));
        assert_eq!(search(whole, |load| load <= 1.0).1, Some(1.0));
    }

    proptest! {
        #[test]
        fn the_answer_is_never_too_much_and_hardly_too_little(limit in 1.0..1e7_f64, from in 1.0..1e7_f64) {
            let (tried, found) = search(Range { from, ..RANGE }, |load| load <= limit);
            prop_assert!(tried.len() < 45, "{tried:?}");
            let found = found.unwrap_or(0.0);
            prop_assert!(found <= limit && found >= limit / 1.07, "{found} of {limit}");
        }
    }
}
