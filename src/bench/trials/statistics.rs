//! Two samples compared, as pure arithmetic: is one larger, by how much, how sure is that, and what would have been seen.
//!
//! The samples are runs, few and not normal, with an outlier now and then. So the difference is the Hodges-Lehmann shift
//! (the median of all differences between one of each), its interval comes from the Mann-Whitney distribution, and so does
//! the p-value: the three cannot contradict each other. What would have been detected is asked of Welch's t-test, for which
//! there is a formula. The distributions of Student and Gauss are `statrs`'s.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

/// Both sides of an interval together are left out with this probability.
pub const ALPHA: f64 = 0.05;

/// With this probability the smallest detectable effect is detected.
pub const POWER: f64 = 0.8;

/// Up to so many pairs the distribution is counted out, where no two values are equal; beyond it is taken for normal.
const COUNTED: usize = 2500;

/// How the second sample differs from the first, in the unit of the samples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// The median of all differences, second less first.
    pub shift: f64,
    /// Where it lies with 95 %; `null` when the samples are too small for that.
    pub interval: Option<(f64, f64)>,
    /// How probable a difference at least as clear is between samples that do not differ: Mann-Whitney, two-sided.
    pub p: f64,
    /// Whether the distribution was counted out rather than taken for normal.
    pub exact: bool,
    /// The smallest difference of means that would have been found with 80 %; `null` with fewer than two values in each.
    pub detectable: Option<f64>,
}

/// Compares two samples. Both must hold something, and nothing but numbers.
pub fn difference(first: &[f64], second: &[f64]) -> Difference {
    let mut differences: Vec<f64> = second
        .iter()
        .flat_map(|b| first.iter().map(move |a| b - a))
        .collect();
    differences.sort_by(f64::total_cmp);
    let ranks = Ranks::of(first, second);
    Difference {
        shift: median(&differences),
        interval: ranks.critical().map(|place| {
            (
                differences[place],
                differences[differences.len() - 1 - place],
            )
        }),
        p: ranks.p(),
        exact: ranks.exact,
        detectable: detectable(first, second),
    }
}

/// The middle of sorted values, which must not be empty.
pub fn median(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    match sorted.len() % 2 {
        1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

/// Holm's correction: what `p` becomes when there are several, so that the chance to be wrong anywhere stays [`ALPHA`].
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|one, other| p[*one].total_cmp(&p[*other]));
    let mut adjusted = vec![0.0; p.len()];
    let mut least = 0.0_f64;
    for (place, &index) in order.iter().enumerate() {
        least = least.max(p[index] * (p.len() - place) as f64).min(1.0);
        adjusted[index] = least;
    }
    adjusted
}

/// What the Mann-Whitney test knows of two samples.
struct Ranks {
    n: usize,
    m: usize,
    /// Pairs in which the second is larger; equal ones are half a pair.
    u: f64,
    /// Sum of t³ - t over groups of t equal values.
    ties: f64,
    exact: bool,
}

impl Ranks {
    fn of(first: &[f64], second: &[f64]) -> Ranks {
        let (n, m) = (first.len(), second.len());
        let wins = second
            .iter()
            .flat_map(|b| first.iter().map(move |a| b.total_cmp(a)));
        let u = wins
            .map(|order| f64::from(order as i8) / 2.0 + 0.5)
            .sum::<f64>();
        let mut all: Vec<f64> = first.iter().chain(second).copied().collect();
        all.sort_by(f64::total_cmp);
        let ties: f64 = all
            .chunk_by(|one, other| one == other)
            .map(|equal| (equal.len() as f64).powi(3) - equal.len() as f64)
            .sum();
        Ranks {
            n,
            m,
            u,
            ties,
            exact: ties == 0.0 && n * m <= COUNTED,
        }
    }

    fn p(&self) -> f64 {
        let pairs = (self.n * self.m) as f64;
        let u = self.u.max(pairs - self.u);
        if self.exact {
            let beyond: f64 = self.distribution()[u as usize..].iter().sum();
            return (2.0 * beyond).min(1.0);
        }
        let deviation = self.deviation();
        if deviation == 0.0 {
            return 1.0; // All values are equal.
        }
        // Half a pair less: the normal distribution is continuous and U is not.
        let z = (u - pairs / 2.0 - 0.5) / deviation;
        (2.0 * (1.0 - normal().cdf(z))).min(1.0)
    }

    /// From which place of the sorted differences the interval begins, and at which place from the end it ends; `None`
    /// when even the whole range is not sure enough.
    fn critical(&self) -> Option<usize> {
        let half = ALPHA / 2.0;
        if self.ties == 0.0 && self.n * self.m <= COUNTED {
            let mut below = 0.0;
            let inside = self.distribution().into_iter().position(|share| {
                below += share;
                below > half
            });
            return inside?.checked_sub(1);
        }
        let pairs = (self.n * self.m) as f64;
        let place = pairs / 2.0 + normal().inverse_cdf(half) * self.deviation();
        (place >= 1.0).then(|| place as usize - 1)
    }

    fn deviation(&self) -> f64 {
        let (n, m) = (self.n as f64, self.m as f64);
        let all = n + m;
        let spread = all + 1.0 - self.ties / (all * (all - 1.0));
        (n * m / 12.0 * spread).max(0.0).sqrt()
    }

    /// The probability of every U from 0 to n·m when the samples do not differ: in how many of all orders it occurs.
    fn distribution(&self) -> Vec<f64> {
        let (n, m) = (self.n, self.m);
        // ways[j][u]: orders of i firsts and j seconds with this U; a last first adds j pairs won.
        let mut ways = vec![vec![1.0]; m + 1];
        for i in 1..=n {
            let mut next: Vec<Vec<f64>> = vec![vec![1.0]];
            for j in 1..=m {
                let mut counts = vec![0.0; i * j + 1];
                for (u, count) in ways[j].iter().enumerate() {
                    counts[u + j] += count;
                }
                for (u, count) in next[j - 1].iter().enumerate() {
                    counts[u] += count;
                }
                next.push(counts);
            }
            ways = next;
        }
        let counts = std::mem::take(&mut ways[m]);
        let all: f64 = counts.iter().sum();
        counts.into_iter().map(|count| count / all).collect()
    }
}

fn normal() -> Normal {
    Normal::standard()
}

/// `(t(1 - α/2) + t(power)) · s`, with Welch's standard error s and degrees of freedom.
fn detectable(first: &[f64], second: &[f64]) -> Option<f64> {
    let (one, other) = (error_of_mean(first)?, error_of_mean(second)?);
    let squared = one + other;
    if squared == 0.0 {
        return Some(0.0);
    }
    let freedom = squared.powi(2)
        / (one.powi(2) / (first.len() - 1) as f64 + other.powi(2) / (second.len() - 1) as f64);
    let student = StudentsT::new(0.0, 1.0, freedom).ok()?;
    let reach = student.inverse_cdf(1.0 - ALPHA / 2.0) + student.inverse_cdf(POWER);
    Some(reach * squared.sqrt())
}

/// The square of the standard error of the mean; `None` of fewer than two values.
fn error_of_mean(values: &[f64]) -> Option<f64> {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (values.len() > 1).then(|| squares / (n - 1.0) / n)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn samples_apart_are_told_apart_and_the_shift_is_that_of_the_middle() {
        let first = [10.0, 11.0, 12.0, 13.0, 14.0];
        let second = first.map(|value| value + 100.0);
        let found = difference(&first, &second);
        assert_eq!(found.shift, 100.0);
        // Two of the 252 orders of five and five are as clear as this.
        assert!((found.p - 2.0 / 252.0).abs() < 1e-12);
        // Of the differences 96, 97, 97, 98 ... the third on either side: 4 of the 252 orders lie beyond, 1.6 %.
        assert_eq!(found.interval, Some((97.0, 103.0)));
        let detectable = found.detectable.unwrap();
        assert!(detectable > 0.5 && detectable < 10.0, "{detectable}");
    }

    #[test]
    fn three_runs_of_each_prove_nothing() {
        let found = difference(&[1.0, 2.0, 3.0], &[101.0, 102.0, 103.0]);
        assert_eq!(found.p, 0.1);
        assert_eq!(found.interval, None);
        let one = difference(&[1.0], &[2.0]);
        assert_eq!((one.shift, one.p, one.detectable), (1.0, 1.0, None));
    }

    #[test]
    fn what_is_always_the_same_does_not_differ() {
        let found = difference(&[5.0; 6], &[5.0; 6]);
        assert_eq!((found.shift, found.p), (0.0, 1.0));
        assert_eq!(found.detectable, Some(0.0));
        assert!(!found.exact);
    }

    #[test]
    fn several_figures_need_clearer_differences() {
        let adjusted = holm(&[0.01, 0.04, 0.03]);
        let close = |a: f64, b: f64| (a - b).abs() < 1e-12;
        assert!(close(adjusted[0], 0.03) && close(adjusted[1], 0.06) && close(adjusted[2], 0.06));
        assert_eq!(holm(&[]), Vec::<f64>::new());
    }

    proptest! {
        #[test]
        fn whoever_is_second_only_turns_the_sign(
            first in proptest::collection::vec(-1e6..1e6_f64, 1..12),
            second in proptest::collection::vec(-1e6..1e6_f64, 1..12),
        ) {
            let (one, other) = (difference(&first, &second), difference(&second, &first));
            prop_assert!((one.shift + other.shift).abs() < 1e-6);
            prop_assert!((one.p - other.p).abs() < 1e-9);
            prop_assert!((0.0..=1.0).contains(&one.p));
            if let (Some((from, to)), Some((low, high))) = (one.interval, other.interval) {
                prop_assert!((from + high).abs() < 1e-6 && (to + low).abs() < 1e-6);
                prop_assert!(from <= one.shift && one.shift <= to);
            }
        }
    }
}
