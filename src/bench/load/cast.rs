//! Who plays here: the clients of a plan that one machine has, when several share a run.
//!
//! The plan stays whole on every machine. A client has the same number, topic, schedule and streams wherever it is, so
//! nothing is divided and nothing has to be put together again: a run on three machines is the run on one.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::bench::plan::pace::Pace;
use crate::bench::plan::{Fate, Plan, shared};

/// How the clients are spread over the machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Spread {
    /// Clients of the same number are on the same machine: both ends of a pair, so that one clock times them.
    #[default]
    Together,
    /// They are on different machines: every message of a pair goes from one machine to another.
    Apart,
    /// The first half of the machines publishes and connects, the second subscribes.
    Roles,
}

/// Which machine of how many this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// From 0.
    pub machine: u32,
    /// At least 1.
    pub machines: u32,
    /// How the clients are spread.
    pub spread: Spread,
}

impl Place {
    /// The only machine.
    pub const ALONE: Place = Place {
        machine: 0,
        machines: 1,
        spread: Spread::Together,
    };

    /// All machines of a run.
    pub fn all(machines: u32, spread: Spread) -> impl Iterator<Item = Place> {
        (0..machines).map(move |machine| Place {
            machine,
            machines,
            spread,
        })
    }

    /// The machine of a client that publishes or only connects.
    fn of_active(self, plan: &Plan, number: u32) -> u32 {
        match self.halves(plan) {
            Some((active, _)) => number % active,
            None => number % self.machines,
        }
    }

    fn of_subscriber(self, plan: &Plan, number: u32) -> u32 {
        match self.halves(plan) {
            Some((active, passive)) => active + number % passive,
            None if self.spread == Spread::Apart => number.wrapping_add(1) % self.machines,
            None => number % self.machines,
        }
    }

    /// How many machines are active and how many passive, where they are told apart.
    fn halves(self, plan: &Plan) -> Option<(u32, u32)> {
        let (active, passive) = (self.machines.div_ceil(2), self.machines / 2);
        let has_both = plan.subscribers() > 0 && plan.publishers() + plan.clients() > 0;
        (self.spread == Spread::Roles && passive > 0 && has_both).then_some((active, passive))
    }
}

/// The numbers, ascending, of a machine's clients in each role.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Cast {
    pub publishers: Vec<u32>,
    pub subscribers: Vec<u32>,
    pub clients: Vec<u32>,
}

impl Cast {
    /// Those of one machine. The members of a shared subscription are all where its first one is: they have a ledger in
    /// common.
    pub fn of(plan: &Plan, place: Place) -> Cast {
        let is_here = |machine: u32| machine == place.machine;
        let mut homes: HashMap<String, u32> = HashMap::new();
        let mut home = |number: u32| {
            let usual = place.of_subscriber(plan, number);
            if place.machines == 1 {
                return usual;
            }
            let filter = plan.filter_of(number);
            match shared(&filter) {
                Some(_) => *homes.entry(filter).or_insert(usual),
                None => usual,
            }
        };
        Cast {
            publishers: (0..plan.publishers())
                .filter(|number| is_here(place.of_active(plan, *number)))
                .collect(),
            subscribers: (0..plan.subscribers())
                .filter(|number| is_here(home(*number)))
                .collect(),
            clients: (0..plan.clients())
                .filter(|number| is_here(place.of_active(plan, *number)))
                .collect(),
        }
    }

    /// How many connections they are.
    pub fn connections(&self) -> u32 {
        (self.publishers.len() + self.subscribers.len() + self.clients.len()) as u32
    }

    /// How many of them have something to do in the load.
    pub fn actors(&self, plan: &Plan) -> u32 {
        let active = |number: &&u32| plan.client(**number).group.fate != Fate::Stay;
        (self.publishers.len() + self.clients.iter().filter(active).count()) as u32
    }

    /// Messages per second asked of them; `None` when some publisher of the plan is not paced.
    pub fn rate(&self, plan: &Plan) -> Option<f64> {
        let groups = plan.publish.iter().map(|group| (group.rate, group.clients));
        let places = self
            .publishers
            .iter()
            .map(|number| plan.publisher(*number).place);
        plan.rate().map(|_| part_of_rate(groups, places))
    }

    /// New connections per second asked of them; `None` when some of the plan are not paced.
    pub fn connect_rate(&self, plan: &Plan) -> Option<f64> {
        let groups = plan.connect.iter().map(|group| (group.rate, group.clients));
        let places = self.clients.iter().map(|number| plan.client(*number).place);
        plan.connect_rate().map(|_| part_of_rate(groups, places))
    }

    /// The streams their messages and wills are in.
    fn streams(&self, plan: &Plan) -> impl Iterator<Item = u32> {
        let published = self
            .publishers
            .iter()
            .flat_map(|number| plan.streams_of(*number));
        let wills = self
            .clients
            .iter()
            .filter_map(|number| Some(plan.will_of(*number)?.1));
        published.chain(wills)
    }
}

/// How much of the rate of some groups is that of clients in these `places` among them.
fn part_of_rate(
    groups: impl Iterator<Item = (Pace, u32)>,
    places: impl Iterator<Item = usize>,
) -> f64 {
    let mut here: Vec<u32> = Vec::new();
    for place in places {
        here.resize(here.len().max(place + 1), 0);
        here[place] += 1;
    }
    let parts = groups.zip(here).filter_map(|((rate, clients), here)| {
        let share = f64::from(here) / f64::from(clients.max(1));
        Some(rate.per_second(clients)? * share)
    });
    parts.sum()
}

/// Of all pairs of a stream and who hears it, how many have their ends on two machines, and how many pairs there are:
/// only there do two clocks matter.
///
/// # Errors
/// When nobody can say who hears whom, see [`Plan::audience`].
pub fn crossings(plan: &Plan, casts: &[Cast]) -> Result<(u64, u64), String> {
    let audience = plan.audience()?;
    let mut home = vec![0; plan.streams() as usize];
    for (machine, cast) in casts.iter().enumerate() {
        for stream in cast.streams(plan) {
            home[stream as usize] = machine;
        }
    }
    let (mut crossing, mut all) = (0, 0);
    for (machine, cast) in casts.iter().enumerate() {
        for subscriber in &cast.subscribers {
            // An answer is timed where it was asked for.
            if plan.subscriber(*subscriber).group.answers {
                continue;
            }
            let streams = &audience[*subscriber as usize];
            all += streams.len() as u64;
            let away = |stream: &&u32| home[**stream as usize] != machine;
            crossing += streams.iter().filter(away).count() as u64;
        }
    }
    Ok((crossing, all))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::bench::plan::tests::plan;
    use crate::bench::plan::{Clients, Plan};

    fn casts(plan: &Plan, machines: u32, spread: Spread) -> Vec<Cast> {
        let places = Place::all(machines, spread);
        places.map(|place| Cast::of(plan, place)).collect()
    }

    #[test]
    fn the_spread_decides_which_messages_go_from_one_machine_to_another() {
        for (publishers, subscribers, machines, spread, expected) in [
            (10, 10, 1, Spread::Together, (0, 10)),
            (10, 10, 2, Spread::Together, (0, 10)),
            (10, 10, 3, Spread::Together, (0, 10)),
            (10, 10, 2, Spread::Apart, (10, 10)),
            (10, 10, 1, Spread::Apart, (0, 10)),
            (10, 10, 2, Spread::Roles, (10, 10)),
            (10, 10, 3, Spread::Roles, (10, 10)),
            (10, 10, 1, Spread::Roles, (0, 10)),
            // A fan-in: the subscriber is with half of them.
            (10, 1, 2, Spread::Together, (5, 10)),
            (10, 1, 2, Spread::Roles, (10, 10)),
        ] {
            let plan = plan(publishers, subscribers);
            let found = crossings(&plan, &casts(&plan, machines, spread));
            assert_eq!(
                found,
                Ok(expected),
                "{publishers} to {subscribers}, {machines} {spread:?}"
            );
        }
    }

    #[test]
    fn half_of_the_machines_is_not_left_idle_where_nobody_subscribes_or_publishes() {
        for (publishers, subscribers) in [(4, 0), (0, 4)] {
            let plan = plan(publishers, subscribers);
            let casts = casts(&plan, 2, Spread::Roles);
            assert_eq!(casts[0].connections(), 2);
            assert_eq!(casts[1].connections(), 2);
        }
    }

    #[test]
    fn the_members_of_a_shared_subscription_are_on_one_machine() {
        let mut plan = plan(4, 6);
        plan.subscribe[0].filter = "$share/g/t/+".parse().unwrap();
        let casts = casts(&plan, 3, Spread::Apart);
        let members: Vec<usize> = casts.iter().map(|cast| cast.subscribers.len()).collect();
        assert_eq!(members, [0, 6, 0]);
    }

    #[test]
    fn alone_everyone_is_here_and_the_rates_are_the_plan_s() {
        let mut plan = plan(3, 2);
        plan.publish[0].rate = "10/client".parse().unwrap();
        plan.connect.push(Clients {
            clients: 4,
            rate: "50".parse().unwrap(),
            fate: Fate::Churn,
            will: None,
        });
        let cast = Cast::of(&plan, Place::ALONE);
        assert_eq!(cast.connections(), plan.connections());
        assert_eq!(cast.actors(&plan), plan.actors());
        assert_eq!(cast.rate(&plan), plan.rate());
        assert_eq!(cast.connect_rate(&plan), plan.connect_rate());
        let unpaced = crate::bench::plan::tests::plan(1, 1);
        assert_eq!(Cast::of(&unpaced, Place::ALONE).rate(&unpaced), None);
    }

    proptest! {
        #[test]
        fn every_client_is_on_exactly_one_machine_and_the_rates_add_up(
            publishers in 0u32..30, subscribers in 0u32..30, clients in 0u32..30, machines in 1u32..9,
            spread in prop_oneof![Just(Spread::Together), Just(Spread::Apart), Just(Spread::Roles)], is_shared: bool,
        ) {
            let mut plan = plan(publishers, subscribers);
            plan.publish.iter_mut().for_each(|group| group.rate = "1000".parse().unwrap());
            if is_shared {
                plan.subscribe.iter_mut().for_each(|group| group.filter = "$share/g/t/+".parse().unwrap());
            }
            plan.connect.push(Clients { clients, rate: "10/client".parse().unwrap(), fate: Fate::Cut, will: Some("w/%i".parse().unwrap()) });
            let casts = casts(&plan, machines, spread);
            let sorted = |of: fn(&Cast) -> &Vec<u32>| {
                let mut numbers: Vec<u32> = casts.iter().flat_map(of).copied().collect();
                numbers.sort_unstable();
                numbers
            };
            prop_assert_eq!(sorted(|cast| &cast.publishers), (0..publishers).collect::<Vec<_>>());
            prop_assert_eq!(sorted(|cast| &cast.subscribers), (0..subscribers).collect::<Vec<_>>());
            prop_assert_eq!(sorted(|cast| &cast.clients), (0..clients).collect::<Vec<_>>());
            let mut streams: Vec<u32> = casts.iter().flat_map(|cast| cast.streams(&plan)).collect();
            streams.sort_unstable();
            prop_assert_eq!(streams, (0..plan.streams()).collect::<Vec<_>>());
            prop_assert_eq!(casts.iter().map(|cast| cast.actors(&plan)).sum::<u32>(), plan.actors());
            if publishers > 0 {
                let rate: f64 = casts.iter().filter_map(|cast| cast.rate(&plan)).sum();
                prop_assert!((rate - 1000.0).abs() < 1e-6);
            }
            let connect: f64 = casts.iter().filter_map(|cast| cast.connect_rate(&plan)).sum();
            prop_assert!((connect - 10.0 * f64::from(clients)).abs() < 1e-6);
            if spread == Spread::Together && !is_shared && publishers == subscribers {
                prop_assert_eq!(crossings(&plan, &casts).unwrap().0, 0);
            }
        }
    }
}
