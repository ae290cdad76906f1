//! What has become of every message, and who is told: the user on stderr, a program on stdout, the terminal's progress.

use std::collections::VecDeque;
use std::io::{IsTerminal, Stdout};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;
use tokio::time::Instant;

use super::feed::Origin;
use crate::dialect::{Dialect, reason_name};
use crate::exit::Exit;
use crate::mqtt::packet::Publish;
use crate::mqtt::{ByteString, QoS, ReasonCode};
use crate::output::delivery::{self, About, Step};
use crate::output::{Outlet, Unwritable, Voice, say, say_either, voice};

/// How often the progress is drawn.
const REDRAW: Duration = Duration::from_millis(200);

/// Who wants to know.
#[derive(Debug, Clone, Copy)]
pub(super) struct Audience {
    /// Each delivery on stderr, and the sum.
    pub(super) verbose: bool,
    /// Each step on stdout.
    pub(super) steps: bool,
    /// No subscriber is as bad as a refusal.
    pub(super) require_subscribers: bool,
    /// How many messages there will be, if that is known.
    pub(super) expected: Option<u64>,
    /// Whose words a refusal has.
    pub(super) dialect: Dialect,
}

/// The books of one run.
pub(super) struct Books {
    audience: Audience,
    steps: Outlet<Stdout>,
    bar: Option<ProgressBar>,
    started: Instant,
    /// What the session will say of messages, in the order of its numbers; taken out when a delivery is complete.
    under_way: VecDeque<Option<Entry>>,
    /// The session's number of the first of these.
    first: u64,
    totals: Totals,
    /// Messages of QoS 0 went out, of which the broker says nothing.
    is_trusting: bool,
    /// The first refusal. The messages after it are sent all the same.
    refused: Option<anyhow::Error>,
    /// The first line that was no message.
    unusable: Option<String>,
}

struct Entry {
    number: u64,
    topic: ByteString,
    qos: QoS,
    bytes: usize,
}

#[derive(Default)]
struct Totals {
    messages: u64,
    bytes: u64,
    delivered: u64,
    without_subscribers: u64,
    refused: u64,
    lost: u64,
    unusable: u64,
}

impl Books {
    pub(super) fn new(audience: Audience) -> Books {
        let is_long = audience.expected.is_none_or(|count| count > 1);
        Books {
            bar: (is_long && voice() == Voice::Ours && std::io::stderr().is_terminal())
                .then(|| bar(audience.expected)),
            audience,
            steps: Outlet::stdout(),
            started: Instant::now(),
            under_way: VecDeque::new(),
            first: 0,
            totals: Totals::default(),
            is_trusting: false,
            refused: None,
            unusable: None,
        }
    }

    /// A message was taken from its source; its number, from 1.
    pub(super) fn accepted(&mut self, message: &Publish) -> u64 {
        let number = self.totals.messages + 1;
        self.accepted_as(number, message);
        number
    }

    /// A message was taken from its source, and has this number.
    pub(super) fn accepted_as(&mut self, number: u64, message: &Publish) {
        self.totals.messages += 1;
        self.totals.bytes += message.payload.len() as u64;
        if self.audience.steps {
            self.step(&Step::Accepted, about(number, message));
        }
    }

    /// The session took it, under a number of its own, which grow.
    pub(super) fn handed_over(&mut self, session_number: u64, number: u64, message: &Publish) {
        if self.under_way.is_empty() {
            self.first = session_number;
        }
        let index = session_number.wrapping_sub(self.first) as usize;
        self.under_way
            .resize_with(index.max(self.under_way.len()), || None);
        self.under_way.push_back(Some(Entry {
            number,
            topic: message.topic.clone(),
            qos: message.qos,
            bytes: message.payload.len(),
        }));
    }

    /// The session did not take it.
    pub(super) fn unfit(&mut self, number: u64, message: &Publish, words: String) {
        if self.audience.steps {
            self.step(&Step::Refused(words.clone()), about(number, message));
        }
        let mosquitto = format!("Error: cannot publish to {}: {words}", message.topic);
        self.refuse(&message.topic, &words, &mosquitto);
    }

    /// It was handed over, and is not sent after all.
    pub(super) fn withdraw(&mut self, session_number: u64) {
        let index = session_number.wrapping_sub(self.first) as usize;
        if let Some(slot) = self.under_way.get_mut(index) {
            *slot = None;
        }
        self.forget_complete();
    }

    /// It is on its way.
    pub(super) fn sent(&mut self, session_number: u64, packet_id: u16, again: bool) {
        if !self.audience.steps {
            return;
        }
        let index = session_number.wrapping_sub(self.first) as usize;
        if let Some(Some(entry)) = self.under_way.get(index) {
            let step = Step::Sent { packet_id, again };
            write_step(&mut self.steps, &step, entry.about());
        }
    }

    /// Its delivery is complete, for better or worse.
    pub(super) fn complete(&mut self, session_number: u64, reason: ReasonCode) {
        let index = session_number.wrapping_sub(self.first) as usize;
        let Some(entry) = self.under_way.get_mut(index).and_then(Option::take) else {
            return;
        };
        self.forget_complete();
        self.is_trusting |= entry.qos == QoS::AtMostOnce;
        if self.audience.steps {
            let step = match entry.qos {
                QoS::AtMostOnce => Step::Sent {
                    packet_id: 0,
                    again: false,
                },
                _ => Step::Acknowledged(reason),
            };
            write_step(&mut self.steps, &step, entry.about());
        }
        let is_unheard = reason == ReasonCode::NO_MATCHING_SUBSCRIBERS;
        self.totals.without_subscribers += u64::from(is_unheard);
        if reason.is_failure() || is_unheard && self.audience.require_subscribers {
            if self.audience.dialect != Dialect::Ours {
                let (number, name) = (entry.number, reason_name(reason));
                say_either(
                    "",
                    format_args!("Warning: Publish {number} failed: {name}."),
                );
            }
            return self.refuse(&entry.topic, &reason.to_string(), "");
        }
        self.totals.delivered += 1;
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
        if self.audience.verbose {
            let outcome = match entry.qos {
                QoS::AtMostOnce => "sent",
                _ if is_unheard => "delivered, no subscribers",
                _ => "delivered",
            };
            let Entry {
                number,
                topic,
                qos,
                bytes,
            } = &entry;
            self.say(format_args!(
                "{outcome}: message {number} to {topic}, QoS {qos}, {bytes} bytes"
            ));
        }
    }

    /// The connection is gone, and with it every message of QoS 0 that is not complete.
    pub(super) fn lost(&mut self) {
        for slot in &mut self.under_way {
            if slot
                .as_ref()
                .is_some_and(|entry| entry.qos == QoS::AtMostOnce)
            {
                *slot = None;
                self.totals.lost += 1;
            }
        }
        self.forget_complete();
    }

    fn forget_complete(&mut self) {
        while let Some(None) = self.under_way.front() {
            self.under_way.pop_front();
            self.first += 1;
        }
    }

    /// A part of the source was no message.
    pub(super) fn unusable(&mut self, origin: &Origin, words: &str) {
        self.totals.unusable += 1;
        let words = format!("{origin} was not sent: {words}");
        match &self.unusable {
            None => self.unusable = Some(words),
            Some(_) => self.say(words),
        }
    }

    /// Says something on stderr without disturbing the progress.
    pub(super) fn say(&self, words: impl std::fmt::Display) {
        match &self.bar {
            Some(bar) => bar.suspend(|| say(words)),
            None => say(words),
        }
    }

    /// Whether there were messages that only a connection which ends well has delivered.
    pub(super) fn trusted_the_connection(&self) -> bool {
        self.is_trusting
    }

    /// How far it has come, for who ends it before its end.
    pub(super) fn delivered(&self) -> String {
        let Totals {
            messages,
            delivered,
            ..
        } = self.totals;
        match self.audience.expected {
            Some(all) => format!("{delivered} of {all} messages were delivered"),
            None => format!("{delivered} of the {messages} messages read were delivered"),
        }
    }

    /// Writes what has been collected for stdout.
    ///
    /// # Errors
    /// When nobody reads it, or it cannot be written.
    pub(super) async fn flush(&mut self) -> Result<(), Unwritable> {
        self.steps.flush().await
    }

    /// Takes the progress away, so that something else can be said.
    pub(super) fn put_away(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    /// Says what has been kept back for the end, because something else has become the end.
    pub(super) fn say_the_rest(&mut self) {
        self.put_away();
        let refused = self.refused.take().map(|error| error.to_string());
        for words in [refused, self.unusable.take()].into_iter().flatten() {
            say(words);
        }
    }

    /// Takes the progress away and says the sum; then how the program ends.
    ///
    /// # Errors
    /// The first refusal; else the first line that was no message.
    pub(super) fn close(mut self) -> anyhow::Result<Exit> {
        self.put_away();
        let Totals {
            messages, unusable, ..
        } = self.totals;
        if self.audience.verbose && (messages + unusable).max(self.totals.delivered) > 1 {
            say(self.totals.sum(self.started.elapsed()));
        }
        if let Some(error) = self.refused {
            if let Some(words) = self.unusable {
                say(words);
            }
            return Err(error);
        }
        match self.unusable {
            Some(words) => Err(Exit::Failed.because(words)),
            None => Ok(Exit::Done),
        }
    }

    /// One of mosquitto's clients says this of it in the end, if it has not said so before.
    fn refuse(&mut self, topic: &str, reason: &str, mosquitto: &str) {
        self.totals.refused += 1;
        let words = format!("cannot publish to {topic}: {reason}");
        match &self.refused {
            None => {
                self.refused = Some(
                    self.audience
                        .dialect
                        .because(Exit::Denied, words, mosquitto),
                )
            }
            Some(_) => self.say(words),
        }
    }

    fn step(&mut self, step: &Step, about: About<'_>) {
        write_step(&mut self.steps, step, about);
    }
}

fn write_step(steps: &mut Outlet<Stdout>, step: &Step, about: About<'_>) {
    delivery::write(step, about, Timestamp::now(), &mut steps.buffer);
}

fn about(number: u64, message: &Publish) -> About<'_> {
    About {
        number,
        topic: &message.topic,
        qos: message.qos,
        bytes: message.payload.len(),
    }
}

impl Entry {
    fn about(&self) -> About<'_> {
        About {
            number: self.number,
            topic: &self.topic,
            qos: self.qos,
            bytes: self.bytes,
        }
    }
}

impl Totals {
    /// `3 messages, 12 bytes, in 0.1 s (30/s): 2 delivered, 1 refused`; without messages of its own `2 delivered, in 0.1 s`
    fn sum(&self, elapsed: Duration) -> String {
        let seconds = elapsed.as_secs_f64();
        if self.messages == 0 {
            return format!("{} delivered, in {seconds:.1} s", self.delivered);
        }
        let rate = self.messages as f64 / seconds.max(1e-9);
        let mut words = format!(
            "{} messages, {} bytes, in {seconds:.1} s ({rate:.0}/s): {} delivered",
            self.messages, self.bytes, self.delivered
        );
        for (count, what) in [
            (self.without_subscribers, "without subscribers"),
            (self.refused, "refused"),
            (self.lost, "lost with the connection"),
            (self.unusable, "not sent because they are no messages"),
        ] {
            if count > 0 {
                words += &format!(", {count} {what}");
            }
        }
        words
    }
}

fn bar(expected: Option<u64>) -> ProgressBar {
    let (bar, template) = match expected {
        Some(count) => (
            ProgressBar::new(count),
            "{bar:24} {human_pos} of {human_len} messages, {per_sec}, {elapsed}",
        ),
        None => (
            ProgressBar::new_spinner(),
            "{spinner} {human_pos} messages, {per_sec}, {elapsed}",
        ),
    };
    bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(5));
    let style = ProgressStyle::with_template(template);
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.enable_steady_tick(REDRAW);
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_says_what_became_of_all() {
        let mut totals = Totals {
            messages: 30,
            bytes: 120,
            delivered: 30,
            ..Totals::default()
        };
        let second = Duration::from_secs(1);
        assert_eq!(
            totals.sum(second),
            "30 messages, 120 bytes, in 1.0 s (30/s): 30 delivered"
        );
        (totals.delivered, totals.refused, totals.unusable) = (28, 2, 1);
        assert_eq!(
            totals.sum(second),
            "30 messages, 120 bytes, in 1.0 s (30/s): 28 delivered, 2 refused, 1 not sent because they are no messages"
        );
    }
}
