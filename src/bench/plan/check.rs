//! Whether a plan can be carried out and measured.

use std::fmt;
use std::time::Duration;

use super::disturbance::{Clientele, Disturbance};
use super::pace::Pace;
use super::speed::Speed;
use super::{Clients, Fate, Pattern, Plan, Publishers, Scenario, Stop, Subscribers, When};
use crate::bench::role::message::{self, Form};
use crate::mqtt::codec::MAXIMUM_REMAINING_LENGTH;
use crate::mqtt::{QoS, Version, topic};

/// The longest measurement and the longest warm-up. Times are nanoseconds in 64 bits, which end after 584 years.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

/// What is wrong with a plan, and where. Displayed, it names the place in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// The table: `publish`, `subscribe`, `connect`, or none.
    pub table: &'static str,
    /// Which of several such tables, from 1.
    pub group: Option<usize>,
    /// The key in it.
    pub key: &'static str,
    /// What it must be.
    pub words: String,
}

impl fmt::Display for Wrong {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Wrong {
            table,
            group,
            key,
            words,
        } = self;
        match (table.is_empty(), group) {
            (true, _) => write!(out, "{key} {words}"),
            (false, None) => write!(out, "{table}.{key} {words}"),
            (false, Some(group)) => write!(out, "[[{table}]] number {group}: {key} {words}"),
        }
    }
}

impl Wrong {
    /// The same in one of so many groups, by its place.
    fn of(self, place: usize, groups: usize) -> Wrong {
        Wrong {
            group: (groups > 1).then_some(place + 1),
            ..self
        }
    }
}

fn wrong<T>(table: &'static str, key: &'static str, words: impl Into<String>) -> Result<T, Wrong> {
    Err(Wrong {
        table,
        group: None,
        key,
        words: words.into(),
    })
}

impl Plan {
    /// Whether the run can be carried out and measured.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<(), Wrong> {
        fn each<'a, G: 'a>(
            groups: &'a [G],
            check: impl Fn(&'a G) -> Result<(), Wrong>,
        ) -> Result<(), Wrong> {
            let mut places = groups.iter().enumerate();
            places.try_for_each(|(place, group)| {
                check(group).map_err(|wrong| wrong.of(place, groups.len()))
            })
        }
        each(&self.publish, Publishers::check)?;
        each(&self.subscribe, Subscribers::check)?;
        each(&self.connect, Clients::check)?;
        if self.connections() == 0 {
            return wrong(
                "",
                "plan",
                "has no clients: add [[publish]], [[subscribe]] or [[connect]]",
            );
        }
        let most = message::MOST_STREAMS;
        if self.streams() > most {
            return wrong(
                "publish",
                "clients",
                format!("and their topics must not be more than {most}"),
            );
        }
        self.check_stop()?;
        self.check_warmup()?;
        self.check_faults()?;
        self.check_speeds()?;
        // What stands for the placeholders of the last client makes them longest.
        let values = match self.clients() {
            0 if self.publishers() > 0 => self.publisher_values(self.publishers() - 1),
            0 => self.subscriber_values(self.subscribers() - 1),
            clients => self.client_values(clients - 1),
        };
        if let Err((key, words)) = self.session.check(values) {
            return wrong("session", key, words);
        }
        self.check_names()
    }

    /// Whether this version of MQTT can say it.
    ///
    /// # Errors
    /// What it has no words for, and what to do.
    pub fn check_version(&self, version: Version) -> Result<(), String> {
        let is_property = |group: &Publishers| group.form() == Form::Property;
        match version < Version::V5 && self.publish.iter().any(is_property) {
            true => Err(format!(
                "the measurement header of these messages is a user property, so that their payload stays as it is, and \
                 MQTT {version} has none: run with -V 5, or put the header in front of the payload (--header payload), or \
                 do without (--header none), which measures rates only"
            )),
            false => Ok(()),
        }
    }

    fn check_speeds(&self) -> Result<(), Wrong> {
        for group in self
            .subscribe
            .iter()
            .filter(|group| group.reads != Speed::All)
        {
            if group.when != When::Always
                || group.answers
                || group.filter.to_string().starts_with("$share/")
            {
                return wrong(
                    "subscribe",
                    "reads",
                    "must be all where they come late, are away, answer, or share a subscription",
                );
            }
            if self.end().is_some_and(|end| group.from >= end) {
                return wrong("subscribe", "from", "must be before the end of the load");
            }
        }
        Ok(())
    }

    fn check_faults(&self) -> Result<(), Wrong> {
        if self.fault.is_empty() {
            return Ok(());
        }
        let severs = |fault: &Disturbance| fault.severs() && fault.of.includes(Clientele::Clients);
        if self.wills() > 0 && self.fault.iter().any(severs) {
            return wrong(
                "fault",
                "of",
                "must be subscribers where clients leave wills: whom a fault cuts off leaves its will before its time; \
                 delay and rate may be of all",
            );
        }
        if self.publish.iter().any(|group| group.topic_alias) {
            return wrong(
                "publish",
                "topic_alias",
                "must not be given in a plan with faults: an alias ends with its connection, and what is sent again names it",
            );
        }
        let end = self.end().unwrap_or(Duration::MAX);
        match self.fault.iter().any(|fault| fault.at >= end) {
            true => wrong(
                "fault",
                "at",
                format!(
                    "must be before the end of the load, which is after {}",
                    humantime::format_duration(end)
                ),
            ),
            false => Ok(()),
        }
    }

    /// What ends by itself must be able to.
    fn check_warmup(&self) -> Result<(), Wrong> {
        let changes = self.publish.iter().any(|group| group.rate.changes());
        let words = match self.warmup.fixed() {
            Some(_) => return Ok(()),
            None if changes => "where the rate changes: the load is never steady",
            None if !self.fault.is_empty() => {
                "in a plan with faults, whose times count from the start"
            }
            None if self.has_slow() => "beside subscribers that read slowly from a certain time on",
            None if self.publish.is_empty() && self.subscribe.is_empty() => {
                "without messages: nobody publishes or subscribes"
            }
            None => return Ok(()),
        };
        wrong("", "warmup", format!("must be a time and not auto {words}"))
    }

    fn check_stop(&self) -> Result<(), Wrong> {
        match self.stop {
            Stop::After(Duration::ZERO) if self.scenario != Scenario::Conn => {
                wrong("", "duration", "must not be 0")
            }
            Stop::Count(0) => wrong("", "count", "must not be 0"),
            Stop::Count(_) if self.publish.is_empty() && self.subscribe.is_empty() => wrong(
                "",
                "count",
                "counts messages, and nobody publishes or subscribes",
            ),
            Stop::After(duration) if duration > LONGEST => {
                wrong("", "duration", "must be at most a year")
            }
            _ if self.warmup.longest() > LONGEST => wrong("", "warmup", "must be at most a year"),
            Stop::After(_) | Stop::Count(_) => Ok(()),
        }
    }

    /// The topics and filters of the last client of each group, whose numbers are the longest.
    fn check_names(&self) -> Result<(), Wrong> {
        let mut number = 0;
        for (place, group) in self.publish.iter().enumerate() {
            number += group.clients;
            let mut values = self.publisher_values(number - 1);
            values.sequence = 1;
            for topic in group.topic.iter().map(|topic| topic.with(values)) {
                if !topic::is_valid_topic_name(&topic) {
                    return wrong(
                        "publish",
                        "topic",
                        format!(
                            "must be a topic to publish to, which {topic:?} is not; subscribe with wildcards by --filter"
                        ),
                    )
                    .map_err(|wrong: Wrong| wrong.of(place, self.publish.len()));
                }
            }
        }
        let mut number = 0;
        for (place, group) in self.subscribe.iter().enumerate() {
            number += group.clients;
            let filter = self.filter_of(number - 1);
            if !topic::is_valid_topic_filter(&filter) {
                return wrong(
                    "subscribe",
                    "filter",
                    format!("must be a topic filter, which {filter:?} is not"),
                )
                .map_err(|wrong: Wrong| wrong.of(place, self.subscribe.len()));
            }
        }
        Ok(())
    }
}

impl Publishers {
    fn check(&self) -> Result<(), Wrong> {
        clients("publish", self.clients)?;
        numbers("publish", self.numbers)?;
        if self.topic.is_empty() {
            return wrong("publish", "topic", "must be given");
        }
        if self.reply.as_ref().is_some_and(Pattern::varies) {
            return wrong("publish", "reply", "must be without %s and %r");
        }
        self.check_payload()?;
        if self.window == 0 && self.qos > QoS::AtMostOnce {
            return wrong("publish", "window", "must be at least 1");
        }
        Ok(())
    }

    fn check_payload(&self) -> Result<(), Wrong> {
        let (size, form) = (self.size(), self.form());
        if self.payload.is_some() && self.size.is_some() {
            return wrong(
                "publish",
                "size",
                "says how much filler to send, and a payload is given",
            );
        }
        if size.largest() > MAXIMUM_REMAINING_LENGTH {
            return wrong(
                "publish",
                "size",
                format!("must be at most {MAXIMUM_REMAINING_LENGTH}, the largest packet of MQTT"),
            );
        }
        if form == Form::Compact && self.rate.is_random() {
            return wrong(
                "publish",
                "header",
                "must not be compact where arrivals are random: it has no room for the due time",
            );
        }
        let least = self.least();
        let is_small = !size.has_tail() && (size.smallest() as usize) < least;
        match least {
            _ if self.payload.is_some() || !is_small => {}
            message::FULL => {
                return wrong(
                    "publish",
                    "size",
                    format!(
                        "must be at least {least} where arrivals are random: a smaller header has no room for the due time"
                    ),
                );
            }
            _ => {
                return wrong(
                    "publish",
                    "size",
                    format!("must be at least {least}: the payload carries the measurement header"),
                );
            }
        }
        if let Err(words) = self.properties.check() {
            return wrong("publish", "properties", words);
        }
        if self.topic_alias && self.topic.iter().any(Pattern::varies) {
            return wrong(
                "publish",
                "topic_alias",
                "needs topics that stay the same, without %s and %r",
            );
        }
        if self.reply.is_some() && !self.is_marked() {
            return wrong(
                "publish",
                "header",
                "must not be none where answers are expected: nobody could tell to what",
            );
        }
        Ok(())
    }
}

impl Clients {
    fn check(&self) -> Result<(), Wrong> {
        clients("connect", self.clients)?;
        if self.fate == Fate::Churn && self.rate == Pace::Max {
            return wrong(
                "connect",
                "rate",
                "must be given: how often somebody leaves and comes",
            );
        }
        match &self.will {
            Some(_) if self.fate != Fate::Cut => wrong(
                "connect",
                "will",
                "needs fate = \"cut\": otherwise nobody is cut off",
            ),
            Some(will) if will.varies() || will.to_string().is_empty() => {
                wrong("connect", "will", "must be a topic without %s and %r")
            }
            _ => Ok(()),
        }
    }
}

impl Subscribers {
    fn check(&self) -> Result<(), Wrong> {
        clients("subscribe", self.clients)?;
        numbers("subscribe", self.numbers)?;
        if self.when == When::Late && self.filter.to_string().starts_with("$share/") {
            return wrong(
                "subscribe",
                "when",
                "must not be late: retained messages are not sent to shared subscriptions",
            );
        }
        if self.filter.counts() {
            return wrong(
                "subscribe",
                "filter",
                "must be without %s: a filter belongs to no message; give a filter with + in that place",
            );
        }
        Ok(())
    }
}

fn clients(table: &'static str, clients: u32) -> Result<(), Wrong> {
    let most = message::MOST_STREAMS;
    match clients {
        0 => wrong(table, "clients", "must be at least 1"),
        _ if clients > most => wrong(table, "clients", format!("must be at most {most}")),
        _ => Ok(()),
    }
}

fn numbers(table: &'static str, numbers: Option<u32>) -> Result<(), Wrong> {
    match numbers {
        Some(0) => wrong(table, "numbers", "must be at least 1"),
        _ => Ok(()),
    }
}
