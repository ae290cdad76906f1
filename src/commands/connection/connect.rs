//! Connecting for the first time, with everything that may come of it: trying again, an older MQTT, another broker.

use crate::client::{self, ConnectOptions, Detours, Failure, Obstacle, Retry, Session, chance};
use crate::output::say;

/// Connects as the options say. `usual` is how to try again when a connection that once stood is lost, unless they say
/// otherwise; the first time it is tried again only if they say so.
///
/// # Errors
/// Why the last attempt failed.
pub async fn connect(options: &ConnectOptions, usual: Retry) -> Result<Session, Failure> {
    let mut options = options.clone();
    let mut detours = Detours::default();
    let first = options.retry(Retry::NEVER);
    let mut failures = 0;
    loop {
        let failure = match client::connect(&options, options.retry(usual)).await {
            Ok(session) => return Ok(session),
            Err(failure) => failure,
        };
        let failure = match detours.after(failure, &mut options) {
            Ok(detour) => {
                say(detour);
                continue;
            }
            Err(failure) => failure,
        };
        let retry = match was_connected(&failure) && options.answer_timeout.is_some() {
            // To mosquitto's clients that is the loss of a connection like any other.
            true => options.retry(usual),
            false => first,
        };
        let delay = match failure.is_final() {
            true => None,
            false => retry.delay(failures, chance()),
        };
        let Some(delay) = delay else {
            return Err(failure);
        };
        say(failure.and_again_in(delay));
        failures += 1;
        tokio::time::sleep(delay).await;
    }
}

/// Whether there was a connection, though no CONNACK came.
fn was_connected(failure: &Failure) -> bool {
    let obstacle = match failure {
        Failure::NotReached { obstacle, .. } => *obstacle,
        _ => return false,
    };
    matches!(obstacle, Obstacle::Silence | Obstacle::Closed)
}
