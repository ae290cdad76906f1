//! The time of `-W`: from when it counts, and what is said when it is over.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::SetOnce;
use tokio::time::Instant;

use crate::client::ConnectOptions;
use crate::dialect::Dialect;
use crate::exit::Exit;
use crate::output::say;

/// A limit on the time of a whole command, which may be none.
#[derive(Debug)]
pub(super) struct Limit {
    length: Option<Duration>,
    /// When it began, or will have.
    since: Arc<SetOnce<Instant>>,
}

impl Limit {
    /// It counts from now; as one of mosquitto's clients from when the broker has taken the connection of these options, so
    /// that looking for it is not limited.
    pub(super) fn new(
        length: Option<Duration>,
        dialect: Dialect,
        options: &mut ConnectOptions,
    ) -> Limit {
        let since = Arc::new(match dialect {
            Dialect::Ours => SetOnce::new_with(Some(Instant::now())),
            Dialect::Mosquitto(_) => SetOnce::new(),
        });
        if dialect != Dialect::Ours && length.is_some() {
            options.first_reached = Some(Arc::clone(&since));
        }
        Limit { length, since }
    }

    /// Returns when the time is over.
    pub(super) async fn reached(&self) {
        let Some(length) = self.length else {
            return std::future::pending().await;
        };
        let since = *self.since.wait().await;
        tokio::time::sleep_until(since + length).await;
    }

    /// Says that it is, and how to end.
    pub(super) fn timed_out(&self) -> Exit {
        say(self.words());
        Exit::TimedOut
    }

    /// As an error, with what has come of it.
    pub(super) fn timed_out_with(&self, state: &str) -> anyhow::Error {
        Exit::TimedOut.because(format!("{}; {state}", self.words()))
    }

    fn words(&self) -> String {
        let length = humantime::format_duration(self.length.unwrap_or_default());
        format!("timed out after {length}")
    }
}

/// Returns at that moment; without one, never.
pub(super) async fn reached(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Endpoint;
    use crate::dialect::{Mosquitto, Program};
    use crate::output::JsonForm;

    const LIMIT: Duration = Duration::from_secs(5);
    const AFTER: Duration = Duration::from_secs(3600);

    fn options() -> ConnectOptions {
        ConnectOptions::new(Endpoint::default())
    }

    async fn is_reached_within(limit: &Limit, time: Duration) -> bool {
        tokio::time::timeout(time, limit.reached()).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn ours_counts_from_the_start_of_the_program() {
        let mut options = options();
        let limit = Limit::new(Some(LIMIT), Dialect::Ours, &mut options);
        tokio::time::advance(LIMIT / 2).await;
        assert!(options.first_reached.is_none());
        let start = Instant::now();
        limit.reached().await;
        assert_eq!(start.elapsed(), LIMIT / 2);
        assert_eq!(limit.timed_out(), Exit::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn mosquittos_counts_from_the_connection() {
        let mosquitto = Dialect::Mosquitto(Mosquitto {
            program: Program::Sub,
            is_strict: false,
            json: JsonForm::default(),
        });
        let mut options = options();
        let limit = Limit::new(Some(LIMIT), mosquitto, &mut options);
        assert!(!is_reached_within(&limit, AFTER).await);
        let reached = options.first_reached.unwrap();
        reached.set(Instant::now()).unwrap();
        let start = Instant::now();
        limit.reached().await;
        assert_eq!(start.elapsed(), LIMIT);
    }

    #[tokio::test(start_paused = true)]
    async fn without_one_it_is_never_over() {
        let limit = Limit::new(None, Dialect::Ours, &mut options());
        assert!(!is_reached_within(&limit, AFTER).await);
        assert!(
            tokio::time::timeout(AFTER, super::reached(None))
                .await
                .is_err()
        );
    }
}
