//! Where a load comes from: this machine, or the agents of others. Each verb that runs loads has one.

use super::agents::{self, Fleet};
use super::files::Files;
use super::trial::{Target, Trial, warn_of_debug_build};
use crate::bench::plan::Plan;
use crate::bench::report::Report;
use crate::cli::bench::{AgentsArgs, LoadArgs};
use crate::exit::{self, Exit};

/// Who puts the load on the broker.
pub(super) enum Site {
    /// This machine, with so many threads as asked for.
    Here(Box<Target>, Option<u16>),
    /// Others.
    Agents(Box<Fleet>),
}

impl Site {
    /// For the broker that was typed.
    ///
    /// # Errors
    /// When it is not said which, our own cannot be started, or something was said that has no place here.
    pub(super) fn new(load: &LoadArgs, args: &AgentsArgs) -> anyhow::Result<Site> {
        Site::of(Target::new(load)?, load, args)
    }

    /// For the broker of a URL.
    ///
    /// # Errors
    /// When the URL is none, an option names another broker, or it is not said where the agents are.
    pub(super) fn at(url: &str, load: &LoadArgs, args: &AgentsArgs) -> anyhow::Result<Site> {
        if args.agents.is_some() && args.control.is_none() {
            return Err(Exit::Usage.because(
                "of two brokers neither is the one that the agents talk over: name that by --control",
            ));
        }
        Site::of(Target::at(url, load)?, load, args)
    }

    fn of(target: Target, load: &LoadArgs, args: &AgentsArgs) -> anyhow::Result<Site> {
        match &args.agents {
            Some(wanted) => {
                let fleet = Fleet::new(wanted, args, load, target)?;
                Ok(Site::Agents(Box::new(fleet)))
            }
            None => Ok(Site::Here(Box::new(target), load.workers)),
        }
    }

    /// The numbers of this program built without optimisation say little.
    pub(super) fn warn_of_debug_build(&self) {
        if let Site::Here(..) = self {
            warn_of_debug_build();
        }
    }

    /// Runs a plan to its end; `None` when a second signal asked to leave at once.
    ///
    /// # Errors
    /// When not everyone could connect and subscribe, or the agents are not there.
    pub(super) fn run(
        &self,
        plan: Plan,
        files: &mut Files,
        verbose: bool,
    ) -> anyhow::Result<Option<Report>> {
        match self {
            Site::Here(target, workers) => Trial {
                plan,
                target,
                workers: *workers,
            }
            .run(files, verbose),
            Site::Agents(fleet) => fleet.run(plan, files, verbose),
        }
    }

    /// Whether a run that failed so says something of its load, and not of who put it there.
    pub(super) fn is_of_the_load(&self, error: &anyhow::Error) -> bool {
        match (exit::of(error), self) {
            (Exit::Interrupted | Exit::Usage, _) => false,
            (_, Site::Here(..)) => true,
            (_, Site::Agents(_)) => agents::is_of_an_agent(error),
        }
    }

    /// Ends our own broker.
    pub(super) fn stop(self) {
        if let Site::Here(target, _) = self {
            target.stop();
        }
    }
}
