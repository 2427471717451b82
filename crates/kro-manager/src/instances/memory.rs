//! What is remembered of one instance.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kro_engine::Timestamp;
use kro_engine::object::ObjectId;
use kro_engine::status::Verdict;
use kro_graph::{Graph, NodeIndex};
use kro_value::Str;

use super::children_memory::Children;
use crate::retry::Failure;
use crate::view::NodeView;
use crate::watches::Wanted;

/// What is remembered of one instance.
#[derive(Debug, Default)]
pub(crate) struct InstanceMemory {
    /// The definition it belongs to.
    pub graph: Str,
    /// Its ApplySet.
    pub applyset: Str,
    /// The last apply of each child.
    pub children: Children,
    /// Children whose apply failed.
    pub failures: BTreeMap<ObjectId, Failure>,
    /// Children whose deletion failed.
    pub delete_failures: BTreeMap<ObjectId, Failure>,
    /// Requests about the instance itself that failed.
    pub own_failures: BTreeMap<Own, Failure>,
    /// The request about the instance itself that is under way.
    pub own_in_flight: Option<Own>,
    /// Children that are being deleted: their UIDs.
    pub deleting: BTreeSet<Str>,
    /// Deletes under way.
    pub deletes_in_flight: usize,
    /// Objects that nobody owns although somebody else wrote fields of them: those may be taken.
    pub inspected: BTreeSet<ObjectId>,
    /// Objects that it wants and somebody else has.
    pub contested: BTreeSet<ObjectId>,
    /// Watches that it needs besides those of its definition.
    pub watches: Vec<Wanted>,
    /// `ResourcesReady` of an instance without a status of its own, and the revision it is about.
    pub verdict: Option<(i64, Verdict)>,
    /// For the live view.
    pub shown: Shown,
    /// What the deletion was last said to wait for.
    pub blocked_by: String,
}

/// What the live view shows of an instance.
#[derive(Debug, Default, Clone)]
pub(crate) struct Shown {
    pub state: Str,
    pub message: String,
    pub is_ready: bool,
    pub since: Timestamp,
    /// The graph whose nodes follow; `None` before the first plan.
    pub graph: Option<Arc<Graph>>,
    /// In apply order.
    pub nodes: Vec<ShownNode>,
}

/// What the live view shows of a node, besides what its graph says.
#[derive(Debug, Clone)]
pub(crate) struct ShownNode {
    /// Name of its object, or how many there are; empty while unknown.
    pub name: Str,
    pub state: &'static str,
    pub reason: Option<Box<str>>,
    pub since: Timestamp,
}

impl Shown {
    /// The nodes as they are displayed.
    pub fn node_views(&self) -> Vec<NodeView> {
        let Some(graph) = &self.graph else { return Vec::new() };
        let view = |(index, shown): (&NodeIndex, &ShownNode)| {
            let node = graph.node(*index);
            NodeView {
                id: node.id.clone(),
                kind: node.gvk.kind.clone(),
                name: shown.name.clone(),
                state: Str::new_static(shown.state),
                reason: shown.reason.as_deref().unwrap_or_default().to_owned(),
                since: shown.since,
            }
        };
        graph.order.iter().zip(&self.nodes).map(view).collect()
    }
}

/// Requests about an instance itself: one at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Own {
    Mark,
    Inventory,
    Status,
    RemoveFinalizer,
    Refresh,
}

impl InstanceMemory {
    /// The earliest retry that is still to come.
    pub fn next_retry(&self, now: Timestamp) -> Option<Timestamp> {
        let children = self.failures.values().chain(self.delete_failures.values());
        children.chain(self.own_failures.values()).map(|failure| failure.retry_at).filter(|at| *at > now).min()
    }

    /// Children whose apply is not answered yet.
    pub fn is_applying(&self) -> bool {
        self.children.is_applying()
    }

    /// An apply got no answer a moment ago: the server may have acted on it, and the watch may not show it yet.
    pub fn is_unsure(&self, now: Timestamp) -> bool {
        self.failures.values().any(|failure| failure.status == 0 && !failure.is_due(now))
    }

    /// What failed because somebody else was faster is tried again at once, a few times.
    pub(super) fn retry_conflicts(&mut self, now: Timestamp) {
        let conflicts = self.own_failures.values_mut().filter(|failure| failure.status == 409 && failure.attempts <= 3);
        conflicts.for_each(|failure| failure.retry_at = now);
    }

    /// The failure of a request about the instance, while it waits for its retry.
    pub(super) fn blocked(&self, own: Own, now: Timestamp) -> Option<&Failure> {
        self.own_failures.get(&own).filter(|failure| !failure.is_due(now))
    }
}
