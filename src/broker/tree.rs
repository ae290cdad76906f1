//! Subscriptions by topic filter: a tree of levels that is walked once per message (4.7).
//!
//! It holds values under filters and finds those whose filter matches a topic name. What a value means, and
//! that one session may be found by several of its filters, is the partition's business.

use std::collections::HashMap;

use foldhash::fast::RandomState;

/// Values stored under topic filters. Each value has an owner, and an owner has at most one value per filter.
#[derive(Debug)]
pub struct Tree<V> {
    root: Node<V>,
    size: usize,
}

#[derive(Debug)]
struct Node<V> {
    children: HashMap<Box<str>, Node<V>, RandomState>,
    /// The level `+`.
    plus: Option<Box<Node<V>>>,
    /// Values of the filter that ends here.
    here: Vec<(u32, V)>,
    /// Values of the filter that goes on with `#`.
    hash: Vec<(u32, V)>,
}

impl<V> Default for Node<V> {
    fn default() -> Node<V> {
        Node {
            children: HashMap::default(),
            plus: None,
            here: Vec::new(),
            hash: Vec::new(),
        }
    }
}

impl<V> Default for Tree<V> {
    fn default() -> Tree<V> {
        Tree {
            root: Node::default(),
            size: 0,
        }
    }
}

impl<V> Tree<V> {
    /// How many values are stored.
    pub fn len(&self) -> usize {
        self.size
    }

    /// Whether none is stored.
    pub fn is_empty(&self) -> bool {
        self.size == 0
    }

    /// Stores `value` for `owner` under a valid topic filter; returns the value it replaces.
    pub fn insert(&mut self, filter: &str, owner: u32, value: V) -> Option<V> {
        let mut node = &mut self.root;
        let mut levels = filter.split('/').peekable();
        let values = loop {
            match levels.next() {
                Some("#") => break &mut node.hash,
                Some("+") => node = node.plus.get_or_insert_default(),
                Some(level) => {
                    if !node.children.contains_key(level) {
                        node.children.insert(level.into(), Node::default());
                    }
                    node = node.children.get_mut(level).expect("it was just inserted");
                }
                None => break &mut node.here,
            }
        };
        match values.iter_mut().find(|(other, _)| *other == owner) {
            Some((_, old)) => Some(std::mem::replace(old, value)),
            None => {
                values.reserve_exact(usize::from(values.is_empty()));
                values.push((owner, value));
                self.size += 1;
                None
            }
        }
    }

    /// Takes out the value of `owner` under this filter, and the branches that are left empty.
    pub fn remove(&mut self, filter: &str, owner: u32) -> Option<V> {
        let removed = self.root.remove(filter.split('/'), owner);
        self.size -= usize::from(removed.is_some());
        removed
    }

    /// Calls `found` with every value whose filter matches the topic name.
    pub fn each_match<'tree>(&'tree self, topic: &str, mut found: impl FnMut(u32, &'tree V)) {
        // [MQTT-4.7.2-1]: a leading wildcard does not match a topic that begins with $.
        let wildcards_apply = !topic.starts_with('$');
        self.root
            .each_match(Some(topic), wildcards_apply, &mut found);
    }
}

impl<V> Node<V> {
    fn each_match<'tree>(
        &'tree self,
        rest: Option<&str>,
        wildcards_apply: bool,
        found: &mut impl FnMut(u32, &'tree V),
    ) {
        if wildcards_apply {
            self.hash
                .iter()
                .for_each(|(owner, value)| found(*owner, value));
        }
        let Some(rest) = rest else {
            self.here
                .iter()
                .for_each(|(owner, value)| found(*owner, value));
            return;
        };
        let (level, rest) = match rest.split_once('/') {
            Some((level, rest)) => (level, Some(rest)),
            None => (rest, None),
        };
        if let Some(child) = self.children.get(level) {
            child.each_match(rest, true, found);
        }
        if wildcards_apply && let Some(plus) = &self.plus {
            plus.each_match(rest, true, found);
        }
    }

    fn is_empty(&self) -> bool {
        self.children.is_empty()
            && self.plus.is_none()
            && self.here.is_empty()
            && self.hash.is_empty()
    }

    fn remove<'filter>(
        &mut self,
        mut levels: impl Iterator<Item = &'filter str>,
        owner: u32,
    ) -> Option<V> {
        match levels.next() {
            None => take(&mut self.here, owner),
            Some("#") => take(&mut self.hash, owner),
            Some("+") => {
                let plus = self.plus.as_mut()?;
                let removed = plus.remove(levels, owner);
                if plus.is_empty() {
                    self.plus = None;
                }
                removed
            }
            Some(level) => {
                let child = self.children.get_mut(level)?;
                let removed = child.remove(levels, owner);
                if child.is_empty() {
                    self.children.remove(level);
                    if self.children.is_empty() {
                        self.children.shrink_to_fit();
                    }
                }
                removed
            }
        }
    }
}

fn take<V>(values: &mut Vec<(u32, V)>, owner: u32) -> Option<V> {
    let place = values.iter().position(|(other, _)| *other == owner)?;
    let (_, value) = values.swap_remove(place);
    if values.is_empty() {
        values.shrink_to_fit();
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mqtt::topic;
    use proptest::prelude::*;

    fn matches(tree: &Tree<&'static str>, topic: &str) -> Vec<&'static str> {
        let mut found = Vec::new();
        tree.each_match(topic, |_, value| found.push(*value));
        found.sort_unstable();
        found
    }

    #[test]
    fn filters_find_the_topics_of_the_specification() {
        let mut tree = Tree::default();
        for filter in [
            "sport/#",
            "sport/+",
            "+/+",
            "/+",
            "#",
            "$SYS/#",
            "$SYS/monitor/+",
            "sport/tennis/player1",
            "体育/#",
        ] {
            tree.insert(filter, 1, filter);
        }
        assert_eq!(matches(&tree, "sport"), ["#", "sport/#"]);
        assert_eq!(
            matches(&tree, "sport/tennis/player1"),
            ["#", "sport/#", "sport/tennis/player1"]
        );
        assert_eq!(matches(&tree, "/finance"), ["#", "+/+", "/+"]);
        assert_eq!(
            matches(&tree, "$SYS/monitor/Clients"),
            ["$SYS/#", "$SYS/monitor/+"]
        );
        assert_eq!(matches(&tree, "体育/网球"), ["#", "+/+", "体育/#"]);
    }

    #[test]
    fn a_second_value_of_one_owner_replaces_the_first() {
        let mut tree = Tree::default();
        assert_eq!(tree.insert("a", 1, "old"), None);
        assert_eq!(tree.insert("a", 1, "new"), Some("old"));
        assert_eq!(tree.insert("a", 2, "other"), None);
        assert_eq!(matches(&tree, "a"), ["new", "other"]);
        assert_eq!(tree.len(), 2);
    }

    proptest! {
        #[test]
        fn the_tree_agrees_with_matching_one_filter_at_a_time(
            filters in proptest::collection::vec("[ab$+]{0,1}(/[ab+]{0,1}){0,3}(/#)?", 1..12),
            topics in proptest::collection::vec("[ab$]{0,1}(/[ab]{0,1}){0,3}", 1..12),
        ) {
            let filters: Vec<String> = filters.into_iter().filter(|f| topic::is_valid_topic_filter(f)).collect();
            let mut tree = Tree::default();
            for (owner, filter) in filters.iter().enumerate() {
                tree.insert(filter, owner as u32, ());
            }
            for name in topics.iter().filter(|name| topic::is_valid_topic_name(name)) {
                let mut found = Vec::new();
                tree.each_match(name, |owner, ()| found.push(owner));
                found.sort_unstable();
                let expected: Vec<u32> = (0..filters.len() as u32)
                    .filter(|owner| topic::matches(&filters[*owner as usize], name))
                    .collect();
                prop_assert_eq!(&found, &expected, "topic {}", name);
            }
            for (owner, filter) in filters.iter().enumerate() {
                prop_assert!(tree.remove(filter, owner as u32).is_some());
                prop_assert!(tree.remove(filter, owner as u32).is_none());
            }
            prop_assert!(tree.is_empty() && tree.root.is_empty());
        }
    }
}
