//! Numbers that look random and follow from their seed, on every machine and in every version alike: a plan that is
//! run again has the same arrivals, topics and payload sizes. A general crate promises that for its slow generators
//! only, and these numbers are drawn for every message.

/// A stream of numbers (splitmix64, by Steele, Lea and Flood).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Random(u64);

impl Random {
    /// The stream that follows from these numbers, in this order.
    pub fn of(seeds: &[u64]) -> Random {
        let mut random = Random(0x6D71_7474);
        for seed in seeds {
            random = Random(random.next() ^ seed);
        }
        random
    }

    /// The next 64 bits.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }

    /// Evenly from 0 up to and without 1.
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Evenly from `from` to `to`, both included.
    pub fn between(&mut self, from: u64, to: u64) -> u64 {
        let count = u128::from(to - from) + 1;
        // The upper half of a product: less than 2^-64 away from even.
        from + ((u128::from(self.next()) * count) >> 64) as u64
    }

    /// Exponential with mean 1: the gaps of a Poisson process of one event a unit of time.
    pub fn exponential(&mut self) -> f64 {
        -(1.0 - self.unit()).ln()
    }

    /// Normal with mean 0 and standard deviation 1 (Box and Muller).
    pub fn normal(&mut self) -> f64 {
        let radius = (2.0 * self.exponential()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANY: usize = 100_000;

    /// Mean and variance.
    fn moments(mut draw: impl FnMut(&mut Random) -> f64) -> (f64, f64) {
        let mut random = Random::of(&[1, 2, 3]);
        let drawn: Vec<f64> = (0..MANY).map(|_| draw(&mut random)).collect();
        let mean = drawn.iter().sum::<f64>() / MANY as f64;
        let squares = drawn.iter().map(|value| (value - mean).powi(2));
        (mean, squares.sum::<f64>() / MANY as f64)
    }

    fn close(found: (f64, f64), mean: f64, variance: f64) {
        // Six standard errors and more of the mean, and about as much of the variance.
        let slack = 0.02 * (1.0 + variance);
        assert!((found.0 - mean).abs() < slack, "mean {found:?}");
        assert!(
            (found.1 - variance).abs() < 2.0 * slack,
            "variance {found:?}"
        );
    }

    #[test]
    fn the_distributions_have_their_moments() {
        close(moments(Random::unit), 0.5, 1.0 / 12.0);
        close(moments(Random::exponential), 1.0, 1.0);
        close(moments(Random::normal), 0.0, 1.0);
        close(
            moments(|random| random.between(1, 6) as f64),
            3.5,
            35.0 / 12.0,
        );
    }

    #[test]
    fn a_range_is_used_to_both_ends_and_never_left() {
        let mut random = Random::of(&[]);
        let mut seen = [false; 4];
        for _ in 0..1000 {
            seen[random.between(5, 8) as usize - 5] = true;
        }
        assert_eq!(seen, [true; 4]);
        assert_eq!(random.between(7, 7), 7);
        random.between(0, u64::MAX);
    }

    #[test]
    fn the_same_seeds_give_the_same_numbers_and_others_give_others() {
        assert_eq!(Random::of(&[1, 2]).next(), Random::of(&[1, 2]).next());
        assert_ne!(Random::of(&[1, 2]).next(), Random::of(&[2, 1]).next());
        assert_ne!(Random::of(&[1]).next(), Random::of(&[1, 0]).next());
    }
}
