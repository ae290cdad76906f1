//! The files a run writes while it goes on.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;

use crate::bench::load::Event;
use crate::bench::plan::Scenario;
use crate::bench::series::Series;
use crate::cli::bench::BenchArgs;
use crate::output::series::{HistogramLog, Table};

/// What is written as the run goes on, a line for each second.
pub(super) struct Files {
    scenario: Scenario,
    series: Series,
    log: Option<(PathBuf, HistogramLog<BufWriter<File>>)>,
    table: Option<(PathBuf, Table<BufWriter<File>>)>,
    /// What could not be written, once: the run goes on without.
    failure: Option<anyhow::Error>,
}

impl Files {
    pub(super) fn new(args: &BenchArgs) -> anyhow::Result<Files> {
        let create = |path: &Path| File::create(path).map(BufWriter::new);
        let failed = |path: &Path| format!("could not write {}", path.display());
        let log = args.hlog.as_ref().map(|path| {
            let log = create(path).and_then(HistogramLog::new);
            log.map(|log| (path.clone(), log))
                .with_context(|| failed(path))
        });
        let table = args.csv.as_ref().map(|path| {
            let table = create(path).and_then(Table::new);
            table
                .map(|table| (path.clone(), table))
                .with_context(|| failed(path))
        });
        Ok(Files {
            scenario: args.scenario,
            series: Series::new(Duration::from_secs(1)),
            log: log.transpose()?,
            table: table.transpose()?,
            failure: None,
        })
    }

    /// Connections where they are what is measured, otherwise what follows them.
    pub(super) fn take(&mut self, event: &Event) {
        if self.log.is_none() && self.table.is_none() {
            return;
        }
        let (snapshot, last) = match event {
            Event::Connecting(snapshot) if self.scenario == Scenario::Conn => (snapshot, false),
            Event::Shown(snapshot) if self.scenario != Scenario::Conn => (snapshot, false),
            Event::Ended(snapshot) => (snapshot, true),
            _ => return,
        };
        let Some(interval) = self.series.take(snapshot, last) else {
            return;
        };
        let log = self
            .log
            .as_mut()
            .map(|(path, log)| (path, log.write(&interval)));
        let table = self
            .table
            .as_mut()
            .map(|(path, table)| (path, table.write(&interval)));
        for (path, written) in log.into_iter().chain(table) {
            if let (Err(error), None) = (written, &self.failure) {
                let words = format!("could not write {}", path.display());
                self.failure = Some(anyhow::Error::new(error).context(words));
            }
        }
    }

    pub(super) fn finish(self) -> anyhow::Result<()> {
        self.failure.map_or(Ok(()), Err)
    }
}
