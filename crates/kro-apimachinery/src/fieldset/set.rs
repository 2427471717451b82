use std::cmp::Ordering;

use super::{Path, PathElement};

/// One entry of a [`Set`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// How it is reached from its parent.
    pub element: PathElement,
    /// Whether the path to here is owned.
    pub member: bool,
    /// What is owned below.
    pub set: Set,
}

impl Node {
    fn is_empty(&self) -> bool {
        !self.member && self.set.is_empty()
    }
}

/// A set of paths. Every node is a member or has members below.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Set {
    /// Sorted by element, which are unique.
    nodes: Vec<Node>,
}

impl Set {
    /// The empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// A set of some paths.
    pub fn of<'a>(paths: impl IntoIterator<Item = &'a [PathElement]>) -> Self {
        let mut set = Self::new();
        for path in paths {
            set.insert(path);
        }
        set
    }

    /// The nodes at the top, in order.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// True without any member.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// How many members there are, at any depth.
    pub fn len(&self) -> usize {
        self.nodes.iter().map(|node| usize::from(node.member) + node.set.len()).sum()
    }

    /// True when the path itself is a member. The empty path never is.
    pub fn contains(&self, path: &[PathElement]) -> bool {
        match path {
            [] => false,
            [element] => self.node(element).is_some_and(|node| node.member),
            [element, rest @ ..] => self.node(element).is_some_and(|node| node.set.contains(rest)),
        }
    }

    /// True when an element at the top is a member.
    pub fn contains_element(&self, element: &PathElement) -> bool {
        self.node(element).is_some_and(|node| node.member)
    }

    /// What is owned below an element; `None` when nothing is.
    pub fn below(&self, element: &PathElement) -> Option<&Set> {
        self.node(element).map(|node| &node.set).filter(|set| !set.is_empty())
    }

    /// Makes a path a member. The empty path changes nothing.
    pub fn insert(&mut self, path: &[PathElement]) {
        let Some((element, rest)) = path.split_first() else { return };
        let node = self.node_or_insert(element);
        if rest.is_empty() {
            node.member = true;
        } else {
            node.set.insert(rest);
        }
    }

    /// Adds a node behind all others, or into its place; empty nodes are not added.
    pub fn push(&mut self, node: Node) {
        if node.is_empty() {
            return;
        }
        if self.nodes.last().is_none_or(|last| last.element < node.element) {
            self.nodes.push(node);
            return;
        }
        let known = self.node_or_insert(&node.element);
        known.member |= node.member;
        known.set = if known.set.is_empty() { node.set } else { known.set.union(&node.set) };
    }

    /// Members of either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        self.combine(other, |left, right| match (left, right) {
            (Some(left), Some(right)) => Some(Node {
                element: left.element.clone(),
                member: left.member || right.member,
                set: left.set.union(&right.set),
            }),
            (one, other) => one.or(other).cloned(),
        })
    }

    /// Members of both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        self.combine(other, |left, right| {
            let (left, right) = (left?, right?);
            Some(Node {
                element: left.element.clone(),
                member: left.member && right.member,
                set: left.set.intersection(&right.set),
            })
        })
    }

    /// Members that are not members of the other. Only equal paths go: what is owned below one that goes stays.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        self.combine(other, |left, right| {
            let left = left?;
            let Some(right) = right else { return Some(left.clone()) };
            Some(Node {
                element: left.element.clone(),
                member: left.member && !right.member,
                set: left.set.difference(&right.set),
            })
        })
    }

    /// Members that are neither members of the other nor below one.
    #[must_use]
    pub fn recursive_difference(&self, other: &Self) -> Self {
        self.combine(other, |left, right| {
            let left = left?;
            let Some(right) = right else { return Some(left.clone()) };
            if right.member {
                return None;
            }
            let set = left.set.recursive_difference(&right.set);
            Some(Node { element: left.element.clone(), member: left.member, set })
        })
    }

    /// All member paths in order, a parent before what is below it.
    pub fn paths(&self) -> Vec<Path> {
        let mut paths = Vec::new();
        self.collect(&mut Vec::new(), &mut paths);
        paths
    }

    /// The paths of all members, at each level those that end there before those that lead on: the order in which the
    /// reference tells conflicts.
    pub fn paths_by_level(&self) -> Vec<Path> {
        let mut paths = Vec::new();
        self.collect_by_level(&mut Vec::new(), &mut paths);
        paths
    }

    fn collect_by_level(&self, prefix: &mut Path, paths: &mut Vec<Path>) {
        for node in self.nodes.iter().filter(|node| node.member) {
            prefix.push(node.element.clone());
            paths.push(prefix.clone());
            prefix.pop();
        }
        for node in &self.nodes {
            prefix.push(node.element.clone());
            node.set.collect_by_level(prefix, paths);
            prefix.pop();
        }
    }

    fn collect(&self, prefix: &mut Path, paths: &mut Vec<Path>) {
        for node in &self.nodes {
            prefix.push(node.element.clone());
            if node.member {
                paths.push(prefix.clone());
            }
            node.set.collect(prefix, paths);
            prefix.pop();
        }
    }

    fn node(&self, element: &PathElement) -> Option<&Node> {
        let index = self.nodes.binary_search_by(|node| node.element.cmp(element)).ok()?;
        self.nodes.get(index)
    }

    fn node_or_insert(&mut self, element: &PathElement) -> &mut Node {
        let index = match self.nodes.binary_search_by(|node| node.element.cmp(element)) {
            Ok(index) => index,
            Err(index) => {
                self.nodes.insert(index, Node { element: element.clone(), member: false, set: Self::new() });
                index
            }
        };
        &mut self.nodes[index]
    }

    /// Walks both side by side and keeps what `pick` makes of each pair, unless it is empty.
    fn combine(&self, other: &Self, pick: impl Fn(Option<&Node>, Option<&Node>) -> Option<Node>) -> Self {
        let (mut left, mut right) = (self.nodes.iter().peekable(), other.nodes.iter().peekable());
        let mut nodes = Vec::with_capacity(self.nodes.len());
        loop {
            let order = match (left.peek(), right.peek()) {
                (Some(left), Some(right)) => left.element.cmp(&right.element),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => break,
            };
            let picked = match order {
                Ordering::Less => pick(left.next(), None),
                Ordering::Equal => pick(left.next(), right.next()),
                Ordering::Greater => pick(None, right.next()),
            };
            nodes.extend(picked.filter(|node| !node.is_empty()));
        }
        Self { nodes }
    }
}

impl FromIterator<Node> for Set {
    fn from_iter<I: IntoIterator<Item = Node>>(nodes: I) -> Self {
        let mut set = Self::new();
        for node in nodes {
            set.push(node);
        }
        set
    }
}
