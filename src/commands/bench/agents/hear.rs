//! What the agents say, and what follows from their silence.

use std::time::{Duration, Instant};

use super::{Coordinator, State};
use crate::bench::agents::words::{Answer, Presence};
use crate::commands::bench::post::{Letter, Mail};
use crate::commands::signals::Signals;
use crate::exit::Exit;
use crate::output::say;

/// An agent that is not heard of for so long in a run is given up: it speaks every second.
const SILENCE: Duration = Duration::from_secs(10);

/// How often it is looked whether the run has come further.
const LOOK: Duration = Duration::from_millis(50);

/// An agent cannot go on with a run, and says why.
#[derive(Debug, thiserror::Error)]
#[error("agent {name}: {words}")]
pub(super) struct AgentFailed {
    name: String,
    words: String,
}

/// What there is to hear.
pub(super) enum Heard {
    /// The time of an agent, by its place: to which question, when it came and went there, when it was here.
    Time(usize, u32, i64, i64, Instant),
    /// Something else, that was taken note of.
    Note,
    /// Nothing for a while.
    Nothing,
    /// A signal.
    Signal,
}

impl Coordinator<'_> {
    /// What comes next, or a signal, or nothing for a moment.
    ///
    /// # Errors
    /// When an agent has failed, is gone, or has not been heard of for too long.
    pub(super) async fn listen(&mut self, signals: &mut Signals) -> anyhow::Result<Heard> {
        let heard = tokio::select! {
            biased;
            () = signals.next() => {
                self.signals += 1;
                return Ok(Heard::Signal);
            }
            heard = self.hear() => heard?,
            () = tokio::time::sleep(LOOK) => Heard::Nothing,
        };
        let silent = self
            .agents
            .iter()
            .find(|agent| agent.heard.elapsed() > SILENCE);
        match silent {
            Some(agent) => Err(Exit::Lost.because(format!(
                "agent {} on {} has not been heard of for {} s; the run was ended on all machines",
                agent.name,
                agent.host,
                SILENCE.as_secs()
            ))),
            None => Ok(heard),
        }
    }

    pub(super) async fn hear(&mut self) -> anyhow::Result<Heard> {
        match self.post.next().await? {
            Mail::Letter(letter) => self.take(letter),
            Mail::Nonsense(words) => {
                say(words);
                Ok(Heard::Note)
            }
            Mail::Lost(failure, _) => {
                let words = format!("the control connection: {failure}");
                Err(failure.exit().because(words))
            }
            Mail::Back => Ok(Heard::Note),
        }
    }

    fn take(&mut self, letter: Letter) -> anyhow::Result<Heard> {
        let Some((from, name)) = letter.topic.rsplit_once('/') else {
            return Ok(Heard::Note);
        };
        let place = self.agents.iter().position(|agent| agent.name == name);
        if self.topics.presence(name) == letter.topic {
            self.meet(name, place, &letter.text)?;
            return Ok(Heard::Note);
        }
        let Some(place) = place.filter(|_| self.topics.from(self.run, name) == letter.topic) else {
            return Ok(Heard::Note);
        };
        let answer = serde_json::from_str(&letter.text);
        let answer: Answer = answer.map_err(|error| {
            Exit::Failed.because(format!(
                "agent {name} said on {from} what is no answer: {error}"
            ))
        })?;
        let agent = &mut self.agents[place];
        agent.heard = letter.at;
        match answer {
            Answer::Prepared => agent.state = agent.state.max(State::Prepared),
            Answer::Ready => agent.state = State::Ready,
            Answer::Standing { standing } => agent.standing = standing,
            Answer::Second { second } => {
                self.seconds.take(place, second);
                self.show_seconds();
            }
            Answer::Books { books } => agent.books = Some(books),
            Answer::Saved { report } => agent.report = Some(report),
            Answer::Clock {
                round,
                came_ns,
                went_ns,
            } => return Ok(Heard::Time(place, round, came_ns, went_ns, letter.at)),
            Answer::Failed { words, status } => {
                let name = name.to_owned();
                return Err(Exit::numbered(status).because_of(AgentFailed { name, words }));
            }
        }
        Ok(Heard::Note)
    }

    /// An agent shows itself, or that it is gone.
    fn meet(&mut self, name: &str, place: Option<usize>, text: &str) -> anyhow::Result<()> {
        let presence = match Presence::read(text) {
            Ok(presence) => presence,
            Err(words) => {
                say(format_args!(
                    "agent {name} said what is no announcement: {words}"
                ));
                return Ok(());
            }
        };
        if let (Presence::Gone, Some(place)) = (&presence, place) {
            return Err(Exit::Lost.because(format!(
                "agent {name} on {} is gone; the run was ended on all machines",
                self.agents[place].host
            )));
        }
        self.cards.insert(name.to_owned(), presence);
        Ok(())
    }
}
