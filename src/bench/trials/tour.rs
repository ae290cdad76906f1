//! A tour: a few short runs one after the other, each of a plan of its own, and what they say together.

use serde::{Deserialize, Serialize};

use crate::bench::report::Report;
use crate::bench::report::merge;

/// The runs of a tour.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Tour {
    /// The version of this structure, and of the runs in it. Fields may be added within a version.
    pub schema: u32,
    /// One for each stage, in their order; fewer when a signal came.
    pub runs: Vec<Report>,
}

impl Tour {
    /// The tour of these stages.
    pub fn new(runs: Vec<Report>) -> Tour {
        Tour {
            schema: Report::SCHEMA,
            runs,
        }
    }

    /// Makes one of several, stage by stage.
    ///
    /// # Errors
    /// When they have not the same stages, or there is none.
    pub fn merge(tours: Vec<Tour>) -> Result<Tour, String> {
        let stages = tours.first().map_or(0, |tour| tour.runs.len());
        if stages == 0 || tours.iter().any(|tour| tour.runs.len() != stages) {
            return Err("tours with different stages cannot be merged".to_owned());
        }
        let mut of_stage: Vec<Vec<Report>> = vec![Vec::new(); stages];
        for tour in tours {
            for (all, run) in of_stage.iter_mut().zip(tour.runs) {
                all.push(run);
            }
        }
        let merged: Result<Vec<Report>, String> = of_stage.into_iter().map(merge::merge).collect();
        merged.map(Tour::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::report::tests::report;

    #[test]
    fn tours_are_merged_stage_by_stage() {
        let tour = || Tour::new(vec![report(1, |_| {}), report(2, |_| {})]);
        let merged = Tour::merge(vec![tour(), tour(), tour()]).unwrap();
        let parts: Vec<usize> = merged.runs.iter().map(|run| run.parts.len()).collect();
        assert_eq!(parts, [3, 3]);
        assert_eq!(merged.runs[1].plan.qos().number(), 2);
        let shorter = Tour::new(vec![report(1, |_| {})]);
        assert!(Tour::merge(vec![tour(), shorter.clone()]).is_err());
        let other = Tour::new(vec![report(2, |_| {})]);
        let refused = Tour::merge(vec![shorter, other]).unwrap_err();
        assert!(refused.contains("different plans"), "{refused}");
        assert!(Tour::merge(Vec::new()).is_err());
    }
}
