//! `--remove-retained`: an empty retained message in the place of each that came.

use std::collections::{HashMap, VecDeque};

use crate::client::{Event, Session};
use crate::exit::Exit;
use crate::mqtt::packet::Publish;
use crate::mqtt::{ByteString, Properties, QoS, ReasonCode};
use crate::output::say;

/// The retained messages that are to be deleted.
#[derive(Default)]
pub(super) struct Removal {
    topics: VecDeque<ByteString>,
    /// Those that are being deleted, each at the number of its publish.
    under_way: HashMap<u64, ByteString>,
}

impl Removal {
    /// Deletes this topic's message when it has its turn. The topic is copied: it is a part of all that was read with it.
    pub(super) fn add(&mut self, topic: &str) {
        self.topics.push_back(topic.into());
    }

    /// Sends what there is room for.
    ///
    /// # Errors
    /// When the broker does not take such messages.
    pub(super) fn send(&mut self, session: &mut Session) -> anyhow::Result<()> {
        while session.has_room()
            && let Some(topic) = self.topics.pop_front()
        {
            let empty = Publish {
                dup: false,
                qos: QoS::AtLeastOnce,
                retain: true,
                topic: topic.clone(),
                packet_id: 0,
                properties: Properties::default(),
                payload: Default::default(),
            };
            let number = session
                .publish(empty)
                .map_err(|unfit| Exit::Denied.because(unfit.to_string()))?;
            self.under_way.insert(number, topic);
        }
        Ok(())
    }

    /// The broker has answered.
    pub(super) fn complete(&mut self, number: u64, reason: ReasonCode) {
        if let Some(topic) = self.under_way.remove(&number)
            && reason.is_failure()
        {
            say(format_args!(
                "cannot remove the retained message of {topic}: {reason}"
            ));
        }
    }

    /// Returns when the broker has acknowledged the last one.
    ///
    /// # Errors
    /// When the connection is lost for good before.
    pub(super) async fn finish(&mut self, session: &mut Session) -> anyhow::Result<()> {
        self.send(session)?;
        while !self.topics.is_empty() || !self.under_way.is_empty() {
            match session.next().await {
                Event::Complete { number, reason } => self.complete(number, reason),
                Event::Lost {
                    failure,
                    retry_in: None,
                    ..
                } => return Err(failure.into_error()),
                // What comes now is not acknowledged: it is for whoever takes the session next.
                _ => {}
            }
            self.send(session)?;
        }
        Ok(())
    }
}
