//! Connecting for the first time, with everything that may come of it: trying again, an older MQTT, another broker.

use crate::client::{self, ConnectOptions, Failure, Obstacle, Retry, Session, chance};
use crate::mqtt::{ReasonCode, Version};
use crate::output::say;

/// So many brokers may send us on, lest they send us in a circle.
const REDIRECTIONS: u32 = 5;

/// Connects as the options say. `usual` is how to try again when a connection that once stood is lost, unless they say
/// otherwise; the first time it is tried again only if they say so.
///
/// # Errors
/// Why the last attempt failed.
pub async fn connect(options: &ConnectOptions, usual: Retry) -> Result<Session, Failure> {
    let mut options = options.clone();
    let first = options.retry(Retry::NEVER);
    let (mut failures, mut redirections) = (0, 0);
    loop {
        let failure = match client::connect(&options, options.retry(usual)).await {
            Ok(session) => return Ok(session),
            Err(failure) => failure,
        };
        if options.falls_back && is_too_new(&failure) {
            say(format_args!(
                "{} does not know MQTT 5; going on with MQTT 3.1.1",
                options.endpoint
            ));
            options.version = Version::V311;
            options.falls_back = false;
            continue;
        }
        if let Failure::Moved {
            broker,
            reference: Some(reference),
            ..
        } = &failure
            && options.follows_redirects
            && redirections < REDIRECTIONS
            && let Some(elsewhere) = options.redirected(reference)
        {
            say(format_args!("{broker} sends us to {}", elsewhere.endpoint));
            options = elsewhere;
            redirections += 1;
            continue;
        }
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
        say(format_args!(
            "{failure}; trying again in {:.1} s",
            delay.as_secs_f64()
        ));
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

/// Whether the broker has said that it does not speak MQTT 5.
fn is_too_new(failure: &Failure) -> bool {
    let unsupported = ReasonCode::UNSUPPORTED_PROTOCOL_VERSION;
    matches!(failure, Failure::Refused { reason, .. } if *reason == unsupported)
}
