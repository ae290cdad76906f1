//! The files a run writes while it goes on.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;

use super::scrape::Scrape;
use crate::bench::load::{Event, Struck};
use crate::bench::measure::series::{Interval, Moment, Series, Timeline};
use crate::bench::plan::Scenario;
use crate::output::series::{HistogramLog, Table};

/// What is written as the run goes on, a line for each second.
pub(super) struct Files {
    scenario: Scenario,
    series: Series,
    timeline: Timeline,
    log: Option<(PathBuf, HistogramLog<BufWriter<File>>)>,
    table: Option<(PathBuf, Table<BufWriter<File>>)>,
    scrape: Option<Scrape>,
    /// The faults of late.
    struck: Vec<Struck>,
    /// What could not be written, once: the run goes on without.
    failure: Option<anyhow::Error>,
}

impl Files {
    /// `log` as an HdrHistogram log, `table` as comma-separated values; both opened before the run.
    ///
    /// # Errors
    /// When a file cannot be made.
    pub(super) fn new(
        scenario: Scenario,
        log: Option<&Path>,
        table: Option<&Path>,
    ) -> anyhow::Result<Files> {
        let create = |path: &Path| File::create(path).map(BufWriter::new);
        let failed = |path: &Path| format!("could not write {}", path.display());
        let log = log.map(|path| {
            let log = create(path).and_then(HistogramLog::new);
            log.map(|log| (path.to_owned(), log))
                .with_context(|| failed(path))
        });
        let table = table.map(|path| {
            let table = create(path).and_then(Table::new);
            table
                .map(|table| (path.to_owned(), table))
                .with_context(|| failed(path))
        });
        Ok(Files {
            scenario,
            series: Series::new(Duration::from_secs(1)),
            timeline: Timeline::default(),
            log: log.transpose()?,
            table: table.transpose()?,
            scrape: None,
            struck: Vec::new(),
            failure: None,
        })
    }

    /// Shows the run at an endpoint as well.
    pub(super) fn show_at(&mut self, scrape: Scrape) {
        self.scrape = Some(scrape);
    }

    /// Connections where they are what is measured, otherwise what follows them; the interval that has ended with it, if
    /// one has, and whether it is the last one.
    pub(super) fn take(&mut self, event: &Event) -> Option<(Interval, bool)> {
        if let (Some(scrape), Event::Connecting(now) | Event::Shown(now) | Event::Ended(now)) =
            (&self.scrape, event)
        {
            scrape.show(now);
        }
        if let Event::Struck(struck) = event {
            self.struck.clone_from(struck);
        }
        let (snapshot, last) = match event {
            Event::Connecting(snapshot) if self.scenario == Scenario::Conn => (snapshot, false),
            Event::Shown(snapshot) if self.scenario != Scenario::Conn => (snapshot, false),
            Event::Ended(snapshot) => (snapshot, true),
            _ => return None,
        };
        let interval = self.series.take(snapshot, last)?;
        self.timeline.add(&interval);
        let log = self
            .log
            .as_mut()
            .map(|(path, log)| (path, log.write(&interval)));
        let table = self
            .table
            .as_mut()
            .map(|(path, table)| (path, table.write(&interval, &self.struck)));
        for (path, written) in log.into_iter().chain(table) {
            if let (Err(error), None) = (written, &self.failure) {
                let words = format!("could not write {}", path.display());
                self.failure = Some(anyhow::Error::new(error).context(words));
            }
        }
        Some((interval, last))
    }

    /// The faults that were on in an interval that has just ended.
    pub(super) fn struck_in(&self, interval: &Interval) -> Vec<Struck> {
        let on = |fault: &&Struck| fault.was_on(interval.from, interval.to);
        self.struck.iter().filter(on).cloned().collect()
    }

    /// The intervals of the run that has ended, for its report.
    pub(super) fn moments(&mut self) -> Vec<Moment> {
        self.series = Series::new(Duration::from_secs(1));
        std::mem::take(&mut self.timeline).into_moments()
    }

    /// Says whether everything could be written.
    ///
    /// # Errors
    /// The first thing that could not.
    pub(super) fn finish(self) -> anyhow::Result<()> {
        self.failure.map_or(Ok(()), Err)
    }
}
