//! Going on where trying the same again would meet the same answer: with another broker, which the one we know names
//! (MQTT 5, 4.11), or with an older MQTT. Pure.

use super::failure::{Failure, Obstacle};
use super::options::ConnectOptions;
use super::url::Endpoint;
use crate::mqtt::{ReasonCode, Version};

/// So many brokers in a row may send us on.
const MOST: usize = 5;

/// Another way, about to be gone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)]
pub enum Detour {
    /// To the broker that is named.
    #[error("{from} sends us to {to}")]
    Elsewhere { from: String, to: String },
    /// With MQTT 3.1.1, because the broker says that it does not know MQTT 5.
    #[error("{broker} does not know MQTT 5; going on with MQTT 3.1.1")]
    Older { broker: String },
    /// With MQTT 3.1.1 for once, because a broker that does not know MQTT 5 may say so without a word.
    #[error("{broker} closed the connection upon a CONNECT of MQTT 5; trying MQTT 3.1.1")]
    PerhapsOlder { broker: String },
}

/// The detours of one client.
#[derive(Debug, Default)]
pub struct Detours {
    /// The brokers of this chain, each of which sent us to the next.
    chain: Vec<Endpoint>,
    /// The older MQTT is only a try.
    is_trying: bool,
}

impl Detours {
    /// What is to be done about a failure: another way, for which the options are changed, or nothing.
    ///
    /// # Errors
    /// The failure, where it is as it is, or why the way it points to is not gone.
    pub fn after(
        &mut self,
        failure: Failure,
        options: &mut ConnectOptions,
    ) -> Result<Detour, Failure> {
        if std::mem::take(&mut self.is_trying) {
            // It was not the version: the next attempt, if there is one, begins as the first did.
            options.version = Version::V5;
            options.falls_back = true;
            return Err(failure);
        }
        let broker = options.endpoint.to_string();
        match failure {
            Failure::Refused { reason, .. }
                if options.falls_back && reason == ReasonCode::UNSUPPORTED_PROTOCOL_VERSION =>
            {
                fall_back(options);
                Ok(Detour::Older { broker })
            }
            Failure::NotReached {
                obstacle: Obstacle::Closed,
                ..
            } if options.falls_back => {
                fall_back(options);
                self.is_trying = true;
                Ok(Detour::PerhapsOlder { broker })
            }
            Failure::Moved {
                reference: Some(reference),
                ..
            } if options.follows_redirects => self.elsewhere(&reference, options),
            failure => Err(failure),
        }
    }

    /// The broker has accepted us and works.
    pub fn forget(&mut self) {
        self.chain.clear();
    }

    /// The broker has accepted us.
    pub fn arrived(&mut self) {
        self.is_trying = false;
    }

    fn elsewhere(
        &mut self,
        reference: &str,
        options: &mut ConnectOptions,
    ) -> Result<Detour, Failure> {
        let from = options.endpoint.clone();
        let Some(elsewhere) = options.redirected(reference) else {
            return Err(Failure::Astray(format!(
                "{from} sends us to {reference:?}, which is no broker to go to: it is no host and no URL of one, or would give TLS up"
            )));
        };
        let to = elsewhere.endpoint.clone();
        self.chain.push(from.clone());
        let is_circle = self.chain.contains(&to);
        if is_circle || self.chain.len() > MOST {
            let chain: Vec<String> = self.chain.drain(..).map(|each| each.to_string()).collect();
            let chain = chain.join(" to ");
            return Err(Failure::Astray(match is_circle {
                true => format!("the brokers send us in a circle: {chain} to {to}"),
                false => format!("{} brokers in a row send us on: {chain} to {to}", MOST + 1),
            }));
        }
        *options = elsewhere;
        Ok(Detour::Elsewhere {
            from: from.to_string(),
            to: to.to_string(),
        })
    }
}

fn fall_back(options: &mut ConnectOptions) {
    options.version = Version::V311;
    options.falls_back = false;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(url: &str) -> ConnectOptions {
        let mut options = ConnectOptions::new(url.parse().unwrap());
        options.version = Version::V5;
        options
    }

    fn moved(reference: &str) -> Failure {
        Failure::Moved {
            broker: "mqtt://x".to_owned(),
            reason: ReasonCode::USE_ANOTHER_SERVER,
            text: None,
            reference: Some(reference.to_owned()),
            was_up: false,
        }
    }

    #[test]
    fn a_chain_of_brokers_is_followed_so_far_and_a_circle_is_named() {
        let mut options = options("mqtt://a");
        assert_eq!(
            Detours::default().after(moved("b"), &mut options),
            Err(moved("b"))
        );
        options.follows_redirects = true;
        let mut detours = Detours::default();
        for next in ["b", "c", "d", "e", "f"] {
            let detour = detours.after(moved(next), &mut options).unwrap();
            assert!(
                detour
                    .to_string()
                    .ends_with(&format!(" sends us to mqtt://{next}:1883"))
            );
        }
        assert_eq!(
            detours
                .after(moved("g"), &mut options)
                .unwrap_err()
                .to_string(),
            "6 brokers in a row send us on: mqtt://a:1883 to mqtt://b:1883 to mqtt://c:1883 to mqtt://d:1883 to mqtt://e:1883 to \
             mqtt://f:1883 to mqtt://g:1883"
        );
        assert_eq!(options.endpoint.host, "f");
        for next in ["g", "h"] {
            detours.after(moved(next), &mut options).unwrap();
        }
        let words = detours.after(moved("g"), &mut options).unwrap_err();
        assert_eq!(
            words.to_string(),
            "the brokers send us in a circle: mqtt://f:1883 to mqtt://g:1883 to mqtt://h:1883 to mqtt://g:1883"
        );
        assert!(words.is_final());
        // After a while with a broker it is no circle.
        detours.after(moved("g"), &mut options).unwrap();
        detours.forget();
        detours.after(moved("h"), &mut options).unwrap();
        assert_eq!(
            detours
                .after(moved(":::"), &mut options)
                .unwrap_err()
                .to_string(),
            "mqtt://h:1883 sends us to \":::\", which is no broker to go to: it is no host and no URL of one, or would give TLS up"
        );
    }

    #[test]
    fn an_older_mqtt_is_spoken_for_good_when_the_broker_says_so_and_else_for_one_try() {
        let refused = Failure::Refused {
            broker: "mqtt://a".to_owned(),
            version: Version::V5,
            reason: ReasonCode::UNSUPPORTED_PROTOCOL_VERSION,
            text: None,
        };
        let hung_up = Failure::obstructed(Obstacle::Closed, "closed");
        let mut options = options("mqtt://a");
        let mut detours = Detours::default();
        for failure in [&refused, &hung_up] {
            assert_eq!(
                detours.after(failure.clone(), &mut options).as_ref(),
                Err(failure)
            );
        }
        options.falls_back = true;
        let broker = "mqtt://a:1883".to_owned();
        for _ in 0..2 {
            let perhaps = Detour::PerhapsOlder {
                broker: broker.clone(),
            };
            assert_eq!(detours.after(hung_up.clone(), &mut options), Ok(perhaps));
            assert_eq!(options.version, Version::V311);
            assert!(detours.after(hung_up.clone(), &mut options).is_err());
            assert_eq!(options.version, Version::V5);
        }
        let older = Detour::Older { broker };
        assert_eq!(detours.after(refused, &mut options), Ok(older));
        assert!(detours.after(hung_up.clone(), &mut options).is_err());
        assert_eq!(options.version, Version::V311);
    }
}
