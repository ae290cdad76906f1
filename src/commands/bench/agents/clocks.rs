//! How far apart the clocks of the agents are from ours.

use std::time::{Duration, Instant};

use super::Coordinator;
use super::hear::Heard;
use crate::bench::agents::clock::{Offset, Round};
use crate::bench::agents::words::Order;
use crate::commands::signals::Signals;
use crate::exit::Exit;

/// How often the clocks are compared before the run, and again after it.
const ROUNDS: u32 = 40;

/// How long the answer of a clock may take.
const ROUND: Duration = Duration::from_secs(1);

impl Coordinator<'_> {
    /// Asks every clock often, each time another one first.
    pub(super) async fn compare_clocks(
        &mut self,
        signals: &mut Signals,
    ) -> anyhow::Result<Vec<Option<Offset>>> {
        let count = self.agents.len();
        let mut rounds: Vec<Vec<Round>> = vec![Vec::new(); count];
        for round in 0..ROUNDS {
            let mut asked = vec![None; count];
            for turn in 0..count {
                let place = (turn + round as usize) % count;
                asked[place] = Some(Instant::now());
                self.order(place, Order::Clock { round });
            }
            let until = Instant::now() + ROUND;
            while asked.iter().any(Option::is_some) && Instant::now() < until {
                match self.listen(signals).await? {
                    Heard::Time(place, number, came, went, at) if number == round => {
                        if let Some(asked) = asked[place].take() {
                            rounds[place].push(Round {
                                asked: self.watch.shows(asked),
                                came,
                                went,
                                answered: self.watch.shows(at),
                            });
                        }
                    }
                    Heard::Signal => return Err(Exit::Interrupted.because("interrupted")),
                    _ => {}
                }
            }
        }
        Ok(rounds.iter().map(|rounds| Offset::of(rounds)).collect())
    }
}
