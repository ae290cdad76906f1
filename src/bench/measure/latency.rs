//! What is told of a histogram: percentiles, as far as there are samples for them.

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// One distribution in microseconds. A percentile is `null` when fewer than ten samples lie beyond it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Latency {
    pub samples: u64,
    pub min: u64,
    pub mean: f64,
    pub p50: Option<u64>,
    pub p90: Option<u64>,
    pub p99: Option<u64>,
    #[serde(rename = "p99.9")]
    pub p99_9: Option<u64>,
    #[serde(rename = "p99.99")]
    pub p99_99: Option<u64>,
    pub max: u64,
}

impl Latency {
    /// What a histogram of microseconds says; `None` when it is empty.
    pub fn of(histogram: &Histogram<u64>) -> Option<Latency> {
        let samples = histogram.len();
        let quantile = |quantile: f64| {
            let beyond = samples as f64 * (1.0 - quantile);
            // A millionth of slack: 1 - 0.9 is a little more than a tenth.
            (beyond >= 10.0 - 1e-6).then(|| histogram.value_at_quantile(quantile))
        };
        (samples > 0).then(|| Latency {
            samples,
            min: histogram.min(),
            mean: histogram.mean(),
            p50: quantile(0.5),
            p90: quantile(0.9),
            p99: quantile(0.99),
            p99_9: quantile(0.999),
            p99_99: quantile(0.9999),
            max: histogram.max(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_needs_ten_samples_beyond_it() {
        let given = |samples: u64| {
            let mut histogram = Histogram::new(3).unwrap();
            (0..samples).for_each(|us| histogram.record(us).unwrap());
            let Latency {
                p50,
                p90,
                p99,
                p99_9,
                p99_99,
                ..
            } = Latency::of(&histogram)?;
            Some([p50, p90, p99, p99_9, p99_99].map(|percentile| percentile.is_some()))
        };
        assert_eq!(given(0), None);
        assert_eq!(given(19), Some([false; 5]));
        assert_eq!(given(20), Some([true, false, false, false, false]));
        assert_eq!(given(99), Some([true, false, false, false, false]));
        assert_eq!(given(100), Some([true, true, false, false, false]));
        assert_eq!(given(1000), Some([true, true, true, false, false]));
        assert_eq!(given(10_000), Some([true, true, true, true, false]));
        assert_eq!(given(100_000), Some([true; 5]));
    }
}
