//! Shared subscriptions (MQTT 5, 4.8.2): groups of sessions that take turns.
//!
//! Every partition has all groups, changes them only by records of the log, and takes a turn for every message of the
//! log. So all partitions choose the same member for each message without asking each other, and the one
//! that owns it delivers. Which messages a member was given, and giving them back, is the session's business.

use std::collections::HashMap;
use std::rc::Rc;

use foldhash::fast::RandomState;
use slab::Slab;

use super::tree::Tree;
use crate::mqtt::topic;

/// A session in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// The partition that owns the session.
    pub partition: usize,
    /// The session's number there.
    pub number: u32,
    /// Its place there, to find it by; the number tells whether it is still the same.
    pub place: u32,
}

/// What happens to a member of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Change {
    /// It subscribes, or its client is back: it takes its turns.
    Joins = 0,
    /// Its client is away: it is only given messages when everybody is.
    Rests = 1,
    /// It unsubscribes, or its session ends.
    Leaves = 2,
}

impl Change {
    /// The change with this number.
    pub fn from_number(number: u8) -> Change {
        match number {
            0 => Change::Joins,
            1 => Change::Rests,
            _ => Change::Leaves,
        }
    }
}

#[derive(Debug)]
struct Group {
    share: Rc<str>,
    active: Vec<Member>,
    resting: Vec<Member>,
    turn: usize,
}

impl Group {
    /// Whose turn it is. Members that are away only count when nobody is there.
    fn choose(&mut self) -> Option<Member> {
        let members = if self.active.is_empty() {
            &self.resting
        } else {
            &self.active
        };
        let member = *members.get(self.turn % members.len().max(1))?;
        self.turn = (self.turn + 1) % members.len();
        Some(member)
    }
}

/// All groups of the broker.
#[derive(Debug, Default)]
pub struct Groups {
    tree: Tree<()>,
    by_share: HashMap<Rc<str>, u32, RandomState>,
    groups: Slab<Group>,
}

impl Groups {
    /// Applies a change to the group of a valid `$share/group/filter`. A group without members is forgotten.
    pub fn change(&mut self, share: &str, member: Member, change: Change) {
        let Some(shared) = topic::share_of(share) else {
            return;
        };
        let place = match self.by_share.get(share) {
            Some(place) => *place,
            None if change == Change::Leaves => return,
            None => {
                let share: Rc<str> = share.into();
                let group = Group {
                    share: Rc::clone(&share),
                    active: Vec::new(),
                    resting: Vec::new(),
                    turn: 0,
                };
                let place = self.groups.insert(group) as u32;
                self.by_share.insert(share, place);
                self.tree.insert(shared.filter, place, ());
                place
            }
        };
        let group = &mut self.groups[place as usize];
        group.active.retain(|other| *other != member);
        group.resting.retain(|other| *other != member);
        match change {
            Change::Joins => group.active.push(member),
            Change::Rests => group.resting.push(member),
            Change::Leaves => {}
        }
        if group.active.is_empty() && group.resting.is_empty() {
            self.tree.remove(shared.filter, place);
            self.by_share.remove(share);
            self.groups.remove(place as usize);
        }
    }

    /// Takes one turn in every group whose filter matches, and calls `found` with who is chosen.
    pub fn each_turn(&mut self, topic: &str, mut found: impl FnMut(&Rc<str>, Member)) {
        if self.tree.is_empty() {
            return;
        }
        let Groups { tree, groups, .. } = self;
        tree.each_match(topic, |place, ()| {
            let group = &mut groups[place as usize];
            if let Some(member) = group.choose() {
                found(&group.share, member);
            }
        });
    }

    /// Takes one turn in this group alone, for a message that was given back to it.
    pub fn turn_of(&mut self, share: &str) -> Option<(Rc<str>, Member)> {
        let place = *self.by_share.get(share)?;
        let group = &mut self.groups[place as usize];
        let member = group.choose()?;
        Some((Rc::clone(&group.share), member))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(number: u32) -> Member {
        Member {
            partition: 0,
            number,
            place: number,
        }
    }

    fn turns(groups: &mut Groups, topic: &str, count: usize) -> Vec<(String, u32)> {
        let mut chosen = Vec::new();
        for _ in 0..count {
            groups.each_turn(topic, |share, member| {
                chosen.push((share.to_string(), member.number))
            });
        }
        chosen
    }

    #[test]
    fn members_take_turns_and_those_away_only_when_nobody_is_there() {
        let mut groups = Groups::default();
        for number in 1..=3 {
            groups.change("$share/g/a/+", member(number), Change::Joins);
        }
        let numbers = |turns: Vec<(String, u32)>| {
            turns
                .into_iter()
                .map(|(_, number)| number)
                .collect::<Vec<_>>()
        };
        assert_eq!(numbers(turns(&mut groups, "a/b", 4)), [1, 2, 3, 1]);
        groups.change("$share/g/a/+", member(2), Change::Rests);
        assert_eq!(numbers(turns(&mut groups, "a/b", 4)), [3, 1, 3, 1]);
        groups.change("$share/g/a/+", member(1), Change::Leaves);
        groups.change("$share/g/a/+", member(3), Change::Leaves);
        assert_eq!(numbers(turns(&mut groups, "a/b", 2)), [2, 2]);
        groups.change("$share/g/a/+", member(2), Change::Leaves);
        assert!(
            turns(&mut groups, "a/b", 1).is_empty()
                && groups.by_share.is_empty()
                && groups.tree.is_empty()
        );
    }

    #[test]
    fn groups_of_one_name_but_different_filters_are_different_groups() {
        let mut groups = Groups::default();
        groups.change("$share/g/a", member(1), Change::Joins);
        groups.change("$share/g/#", member(2), Change::Joins);
        let mut chosen = turns(&mut groups, "a", 1);
        chosen.sort();
        assert_eq!(
            chosen,
            [("$share/g/#".to_owned(), 2), ("$share/g/a".to_owned(), 1)]
        );
        assert_eq!(
            groups
                .turn_of("$share/g/a")
                .map(|(_, member)| member.number),
            Some(1)
        );
        assert_eq!(groups.turn_of("$share/h/a"), None);
    }
}
