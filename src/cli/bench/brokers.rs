//! Several brokers: `--host`, `--port` and `--url` may be repeated here and nowhere else.

use clap::{ArgMatches, Args, Command, Error, FromArgMatches};

/// Everything that was typed for these options, of which [`super::ConnectionArgs`] has the first.
#[derive(Debug, Clone, Default)]
pub struct BrokersArgs {
    /// `--host`, in order.
    pub hosts: Vec<String>,
    /// `--port`, in order.
    pub ports: Vec<u16>,
    /// `--url`, in order.
    pub urls: Vec<String>,
}

/// They are declared with the connection; here they are only read, and have to be read before it.
impl Args for BrokersArgs {
    fn augment_args(command: Command) -> Command {
        command
    }

    fn augment_args_for_update(command: Command) -> Command {
        command
    }
}

impl FromArgMatches for BrokersArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<BrokersArgs, Error> {
        fn all<T: Clone + Send + Sync + 'static>(matches: &ArgMatches, id: &str) -> Vec<T> {
            let values = matches.get_many(id);
            values.into_iter().flatten().cloned().collect()
        }
        Ok(BrokersArgs {
            hosts: all(matches, "host"),
            ports: all(matches, "port"),
            urls: all(matches, "url"),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = BrokersArgs::from_arg_matches(matches)?;
        Ok(())
    }
}
