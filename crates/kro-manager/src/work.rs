//! Work items, and a queue that serves definitions in turn.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use kro_engine::object::ObjectId;
use kro_value::Str;

use crate::outbox::Resource;

/// Something to be looked at again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum WorkItem {
    /// A definition, by name.
    Graph(Str),
    /// An instance.
    Instance(ObjectId),
}

/// Why a request was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::large_enum_variant)] // short-lived, one for each request in flight
pub(crate) enum Purpose {
    /// For a definition.
    Graph(Str, GraphStep),
    /// For an instance.
    Instance(ObjectId, InstanceStep),
}

/// A request of the definition side.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum GraphStep {
    /// Put the finalizer on.
    AddFinalizer,
    /// Take the finalizer off.
    RemoveFinalizer,
    /// Create a revision.
    CreateRevision(i64),
    /// Adopt a revision that lost its owner.
    AdoptRevision,
    /// Write the status of a revision.
    RevisionStatus,
    /// Put the finalizer on a revision.
    RevisionFinalizer,
    /// Take the finalizer off a revision, by its UID.
    ReleaseRevision(Str),
    /// Delete a revision that is too old.
    DeleteRevision,
    /// Create, change or delete the CRD.
    Crd,
    /// Write the status.
    Status,
    /// Read the definition again after a conflict.
    Refresh,
    /// Read where the schemas of a group version are: of an aggregated API server, or of a Kubernetes newer than the bundle.
    Locate(Str, Str),
    /// Read which resources it has.
    Discover(Str, Str),
    /// Read their schemas.
    Describe(Str, Str),
}

/// A request of the instance side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum InstanceStep {
    /// Finalizer, labels and inventory.
    Mark,
    /// Inventory.
    Inventory,
    /// One child.
    Apply {
        /// Where it is served.
        resource: Resource,
        /// Which.
        id: ObjectId,
        /// Digest of the body.
        digest: u64,
        /// The template lets the object be replaced where a field cannot be changed.
        may_replace: bool,
        /// Whether fields of other managers are taken.
        is_forced: bool,
    },
    /// Read a child that cannot be applied because somebody else owns fields of it.
    Inspect {
        /// Where it is served.
        resource: Resource,
        /// Which.
        id: ObjectId,
        /// Digest of the body that was to be applied.
        digest: u64,
    },
    /// Delete one child.
    Delete {
        /// Where it is served.
        resource: Resource,
        /// Which.
        id: ObjectId,
        /// The UID that was meant.
        uid: Str,
    },
    /// Status.
    Status,
    /// Take the finalizer off.
    RemoveFinalizer,
    /// Read the instance again after a conflict.
    Refresh,
}

/// How soon an item is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Priority {
    /// A user or the cluster did something: edits, deletions, answers.
    Fresh,
    /// Nothing happened to the item itself: a new revision, a re-list.
    Resync,
}

/// Work items, each at most once. Fresh ones go first; within a priority the definitions take turns, so that one with
/// ten thousand instances does not hold up another with one.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    fresh: Lane,
    resync: Lane,
}

#[derive(Debug, Default)]
struct Lane {
    turns: BTreeMap<Str, VecDeque<WorkItem>>,
    queued: BTreeSet<WorkItem>,
    last: Str,
}

impl Queue {
    /// Adds an item of a definition.
    pub fn push(&mut self, graph: &Str, item: WorkItem, priority: Priority) {
        match priority {
            Priority::Fresh => self.fresh.push(graph, item),
            Priority::Resync if self.fresh.queued.contains(&item) => {}
            Priority::Resync => self.resync.push(graph, item),
        }
    }

    /// How many items wait.
    pub fn len(&self) -> usize {
        self.fresh.queued.len() + self.resync.queued.len()
    }

    /// How many of them are definitions, and how many instances.
    pub fn lengths(&self) -> (usize, usize) {
        let items = || self.fresh.queued.iter().chain(&self.resync.queued);
        let graphs = items().filter(|item| matches!(item, WorkItem::Graph(_))).count();
        (graphs, self.len() - graphs)
    }

    /// The next item.
    pub fn pop(&mut self) -> Option<WorkItem> {
        self.fresh.pop().or_else(|| self.resync.pop())
    }
}

impl Lane {
    fn push(&mut self, graph: &Str, item: WorkItem) {
        if self.queued.insert(item.clone()) {
            self.turns.entry(graph.clone()).or_default().push_back(item);
        }
    }

    fn pop(&mut self) -> Option<WorkItem> {
        let after = (std::ops::Bound::Excluded(self.last.clone()), std::ops::Bound::Unbounded);
        let next = self.turns.range(after).next().or_else(|| self.turns.iter().next());
        let graph = next.map(|(graph, _)| graph.clone())?;
        let items = self.turns.get_mut(&graph)?;
        let item = items.pop_front();
        if items.is_empty() {
            self.turns.remove(&graph);
        }
        self.last = graph;
        if let Some(item) = &item {
            self.queued.remove(item);
        }
        item
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(name: &str) -> WorkItem {
        WorkItem::Graph(name.into())
    }

    #[test]
    fn definitions_take_turns_and_fresh_items_go_first() {
        let mut queue = Queue::default();
        for name in ["a1", "a2", "a3"] {
            queue.push(&"a".into(), item(name), Priority::Resync);
        }
        queue.push(&"b".into(), item("b1"), Priority::Resync);
        queue.push(&"a".into(), item("a1"), Priority::Resync);
        queue.push(&"c".into(), item("c1"), Priority::Fresh);
        queue.push(&"c".into(), item("c1"), Priority::Resync);
        let order: Vec<WorkItem> = std::iter::from_fn(|| queue.pop()).collect();
        assert_eq!(order, ["c1", "a1", "b1", "a2", "a3"].map(item));
    }
}
