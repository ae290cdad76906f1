//! Who takes part in a run: those who answer, or in words who does not and why.

use std::time::{Duration, Instant};

use super::{Agent, Coordinator, Fleet, State};
use crate::bench::agents::words::{Call, Card, PROTOCOL, Presence};
use crate::bench::load::standing::Standing;
use crate::cli::bench::Wanted;
use crate::commands::signals::Signals;
use crate::exit::Exit;
use crate::mqtt::QoS;
use crate::output;

/// How often it is asked who is there.
const CALL: Duration = Duration::from_secs(1);

impl Coordinator<'_> {
    /// Looks for the agents; whether no signal came meanwhile.
    pub(super) async fn find(
        &mut self,
        fleet: &Fleet,
        signals: &mut Signals,
    ) -> anyhow::Result<bool> {
        let Fleet {
            wanted, patience, ..
        } = fleet;
        let (group, timeout) = (fleet.group.as_deref(), *patience);
        let deadline = tokio::time::sleep(timeout);
        let mut deadline = std::pin::pin!(deadline);
        let mut call = tokio::time::interval(CALL);
        loop {
            tokio::select! {
                heard = self.hear() => { heard?; }
                _ = call.tick() => {
                    let topic = self.topics.call();
                    self.post.send(&topic, &Call::Who, QoS::AtLeastOnce);
                }
                () = signals.next() => return Err(Exit::Interrupted.because("interrupted before the load had started")),
                () = &mut deadline => return Err(self.too_few(wanted, group, timeout)),
            }
            if let Wanted::Named(names) = wanted
                && let Some(words) = names.iter().find_map(|name| self.is_foreign(name))
            {
                return Err(Exit::Failed.because(format!("agent {words}")));
            }
            let free = |(name, presence): (&String, &Presence)| match presence {
                Presence::Here(card) if is_free(card, group) => Some((name.clone(), card.clone())),
                _ => None,
            };
            let mut found: Vec<(String, Card)> = self.cards.iter().filter_map(free).collect();
            let is_enough = match wanted {
                Wanted::Any(count) => {
                    found.truncate(*count);
                    found.len() == *count
                }
                Wanted::Named(names) => {
                    let place = |name: &String| names.iter().position(|wanted| wanted == name);
                    found.retain(|(name, _)| place(name).is_some());
                    // The order in which they were typed says who is which machine.
                    found.sort_by_key(|(name, _)| place(name));
                    found.len() == names.len()
                }
            };
            if is_enough {
                let agent = |(name, card): (String, Card)| Agent {
                    name,
                    host: card.host,
                    heard: Instant::now(),
                    state: State::Asked,
                    standing: Standing::default(),
                    clock: None,
                    books: None,
                    report: None,
                };
                self.agents = found.into_iter().map(agent).collect();
                return Ok(true);
            }
        }
    }

    /// What to say of an agent that speaks another version.
    fn is_foreign(&self, name: &str) -> Option<String> {
        let Some(Presence::Foreign { protocol, version }) = self.cards.get(name) else {
            return None;
        };
        Some(format!(
            "{name} speaks version {protocol} of the control protocol (mqtt {version}), this program version {PROTOCOL} \
             (mqtt {}): use the same release",
            env!("CARGO_PKG_VERSION")
        ))
    }

    /// Which agents there are and which there are not, and what to do.
    fn too_few(&self, wanted: &Wanted, group: Option<&str>, timeout: Duration) -> anyhow::Error {
        let of_group = group.map_or(String::new(), |group| format!(" of group {group}"));
        let mut facts = Vec::new();
        let mut free = Vec::new();
        for (name, presence) in &self.cards {
            match presence {
                Presence::Here(card) if is_free(card, group) => free.push(name.as_str()),
                Presence::Here(Card { run: Some(run), .. }) => {
                    facts.push(format!("{name} is busy with run {run}"));
                }
                Presence::Here(_) => facts.push(format!("{name} is of another group")),
                Presence::Foreign { .. } => facts.extend(self.is_foreign(name)),
                Presence::Gone => facts.push(format!("{name} is gone")),
            }
        }
        let mut words = match wanted {
            Wanted::Any(count) => format!(
                "of {count} agents{of_group} {} answered within {} at {} under {}",
                free.len(),
                output::figures::time(timeout),
                self.endpoint,
                self.topics
            ),
            Wanted::Named(names) => {
                let missing: Vec<&str> = names
                    .iter()
                    .map(String::as_str)
                    .filter(|name| !free.contains(name))
                    .collect();
                format!(
                    "no answer within {} at {} under {} from the agents{of_group} {}",
                    output::figures::time(timeout),
                    self.endpoint,
                    self.topics,
                    missing.join(", ")
                )
            }
        };
        if !free.is_empty() {
            facts.insert(0, format!("free are {}", free.join(", ")));
        }
        if !facts.is_empty() {
            words += &format!(": {}", facts.join("; "));
        }
        words += "; start one on each machine with `mqtt bench agent`, connected to this broker";
        Exit::Failed.because(words)
    }
}

/// Whether an agent can be asked.
fn is_free(card: &Card, group: Option<&str>) -> bool {
    card.run.is_none() && (group.is_none() || card.group.as_deref() == group)
}
