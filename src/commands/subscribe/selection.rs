//! Which of the messages that come are the ones asked for.

use super::changed::Changes;
use super::plan::not_a_filter;
use crate::cli::subscribe::SubscribeArgs;
use crate::condition::Condition;
use crate::mqtt::packet::Publish;
use crate::mqtt::topic;

/// What a message must be to be printed.
pub(super) struct Selection {
    filters_out: Vec<String>,
    conditions: Vec<Condition>,
    shows_retained: bool,
    shows_live: bool,
    /// From 0 to 1.
    share: Option<f64>,
    changes: Option<Changes>,
}

impl Selection {
    pub(super) fn new(args: &SubscribeArgs) -> anyhow::Result<Selection> {
        for filter in &args.filter_out {
            if !topic::is_valid_topic_filter(filter) {
                return Err(not_a_filter(filter));
            }
        }
        Ok(Selection {
            filters_out: args.filter_out.clone(),
            conditions: args.conditions.clone(),
            shows_retained: !args.no_retained,
            shows_live: !args.retained_only,
            share: args.random_filter.map(|percent| percent / 100.0),
            changes: args.changed.then(Changes::new),
        })
    }

    /// Whether it is of the kind, retained or not, that was asked for, its topic is not one that was filtered out, and it
    /// meets all conditions.
    pub(super) fn wants(&self, message: &Publish) -> bool {
        let is_its_kind = match message.retain {
            true => self.shows_retained,
            false => self.shows_live,
        };
        let is_out = |filter: &String| topic::matches(filter, &message.topic);
        is_its_kind
            && !self.filters_out.iter().any(is_out)
            && self
                .conditions
                .iter()
                .all(|condition| condition.is_met(message))
    }

    /// Whether a message that is [wanted](Selection::wants) is to be printed. `chance` is a number from 0 up to 1,
    /// another one for each message.
    pub(super) fn shows(&mut self, message: &Publish, chance: impl FnOnce() -> f64) -> bool {
        self.share.is_none_or(|share| chance() < share)
            && (self.changes.as_mut()).is_none_or(|changes| changes.is_change(message))
    }
}
