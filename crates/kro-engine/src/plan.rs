//! What to do next for one instance: a pure function of graph, instance and what is known of its objects.
//!
//! Nodes are gone through in topological order. A node whose objects are as wanted feeds its dependents at once; one
//! that has to be applied holds its dependents back until the answer is there, so that they read what was applied.
//! Independent nodes do not wait for each other, and an error stays with its node and those that depend on it.

mod collection;
mod external;
mod include;
mod readiness;
mod render;
mod target;

use std::collections::BTreeMap;

use kro_cel::value::CelValue;
use kro_graph::{Graph, Gvk, Node, NodeIndex, NodeKind};
use kro_value::{Str, Value};

use crate::applyset::Inventory;
use crate::eval::Scope;
use crate::marks::Owner;
use crate::object::{GroupKind, ObjectId};
use crate::snapshot::{ExternalTarget, Snapshot};
use readiness::Readiness;
pub use target::foreign_owner;

/// The state of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NodeState {
    /// Under way, or waiting for its inputs.
    InProgress,
    /// As wanted, and ready.
    Synced,
    /// Left out by `includeWhen`.
    Skipped,
    /// As wanted, not ready.
    WaitingForReadiness,
    /// Its object is terminating.
    Deleting,
    /// Failed.
    Error,
}

impl NodeState {
    /// The state as the wire contract names it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "IN_PROGRESS",
            Self::Synced => "SYNCED",
            Self::Skipped => "SKIPPED",
            Self::WaitingForReadiness => "WAITING_FOR_READINESS",
            Self::Deleting => "DELETING",
            Self::Error => "ERROR",
        }
    }
}

/// The state of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InstanceState {
    /// All nodes are synced or skipped.
    Active,
    /// Something is under way or waited for.
    InProgress,
    /// Some node failed.
    Error,
    /// Deletion was asked for.
    Deleting,
}

impl InstanceState {
    /// The state as it is written to `status.state`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::InProgress => "IN_PROGRESS",
            Self::Error => "ERROR",
            Self::Deleting => "DELETING",
        }
    }
}

/// What is asked of a plan.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    /// The compiled definition.
    pub graph: &'a Graph,
    /// How expressions see objects: [`crate::Views::of`] the graph.
    pub views: &'a crate::Views,
    /// The live instance.
    pub instance: &'a Value,
    /// Whom children belong to.
    pub owner: &'a Owner,
    /// What is known of objects.
    pub snapshot: &'a dyn Snapshot,
    /// Largest number of items of one collection.
    pub collection_size_max: usize,
}

/// One object to be applied now.
#[derive(Debug, Clone, PartialEq)]
pub struct Apply {
    /// Its node.
    pub node: NodeIndex,
    /// Its identity.
    pub id: ObjectId,
    /// The body.
    pub body: Value,
    /// Digest of the body.
    pub digest: u64,
}

/// An object that is as wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// Its node.
    pub node: NodeIndex,
    /// Its identity.
    pub id: ObjectId,
    /// Digest of the body that was compared.
    pub body: u64,
    /// Digest of what we own of the live object.
    pub own_digest: u64,
}

/// What became of one node.
#[derive(Debug, Clone, PartialEq)]
pub struct NodePlan {
    /// Its state.
    pub state: NodeState,
    /// Why it is not synced; empty when it is.
    pub message: String,
    /// True when it waits for its inputs: its objects are not known.
    pub is_pending: bool,
    /// True while something is under way that it waits for.
    pub is_busy: bool,
    /// True when an apply of it failed, as opposed to an expression.
    pub is_apply_failure: bool,
    /// The identities of its objects; empty while unknown. External objects are not among them.
    pub objects: Vec<ObjectId>,
}

/// What to do next for one instance.
#[derive(Debug, Clone)]
pub struct Plan {
    /// By the index of the node.
    pub nodes: Vec<NodePlan>,
    /// What to apply now, in order; independent of each other.
    pub applies: Vec<Apply>,
    /// Objects that are as wanted.
    pub settled: Vec<Settled>,
    /// All wanted objects that are known, with their nodes.
    pub desired: BTreeMap<ObjectId, NodeIndex>,
    /// The kinds and namespaces of wanted objects, and the kinds of nodes that still wait for their inputs.
    pub inventory: Inventory,
    /// External objects that this plan read or wanted to read.
    pub externals: Vec<ExternalTarget>,
    /// Two nodes want the same object: nothing is applied.
    pub conflict: Option<String>,
    /// What every node's id stands for, for status expressions.
    pub observed: Vec<Option<Value>>,
}

impl Plan {
    /// True while something is under way: no status is written yet.
    pub fn is_busy(&self) -> bool {
        self.conflict.is_none() && (!self.applies.is_empty() || self.nodes.iter().any(|node| node.is_busy))
    }

    /// True when every wanted object is known and applied, so whatever else belongs to the instance is retired.
    pub fn is_prunable(&self) -> bool {
        let settled = |node: &NodePlan| !node.is_pending && !node.is_busy && node.state != NodeState::Error;
        self.conflict.is_none()
            && self.applies.is_empty()
            && self.nodes.iter().all(|node| settled(node) && node.state != NodeState::Deleting)
    }

    /// The state of the instance.
    pub fn state(&self) -> InstanceState {
        let any = |state| self.nodes.iter().any(|node| node.state == state);
        let done = |node: &NodePlan| matches!(node.state, NodeState::Synced | NodeState::Skipped);
        if any(NodeState::Error) {
            InstanceState::Error
        } else if self.conflict.is_none() && self.nodes.iter().all(done) {
            InstanceState::Active
        } else {
            InstanceState::InProgress
        }
    }
}

/// Makes the plan.
pub fn plan(input: Input<'_>) -> Plan {
    let mut planner = Planner::new(input);
    for index in &input.graph.order {
        planner.node(*index);
    }
    planner.finish()
}

/// Why a node gets no further.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Halt {
    /// An input is not there yet.
    Pending(String),
    /// An input is under way: nothing to report.
    Busy,
    /// It failed.
    Hard(String),
}

/// What dependents see of a node.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Seen {
    /// What the node became.
    pub plan: NodePlan,
    /// Readiness of what is observed.
    pub readiness: Readiness,
}

impl NodePlan {
    fn new(state: NodeState, message: impl Into<String>) -> Self {
        Self {
            state,
            message: message.into(),
            is_pending: false,
            is_busy: false,
            is_apply_failure: false,
            objects: Vec::new(),
        }
    }
}

pub(crate) struct Planner<'a> {
    pub input: Input<'a>,
    /// The instance without its status.
    pub schema: CelValue,
    pub seen: Vec<Option<Seen>>,
    pub observed: Vec<Option<Value>>,
    /// The same as expressions see it.
    pub bound: Vec<Option<CelValue>>,
    pub applies: Vec<Apply>,
    pub settled: Vec<Settled>,
    pub desired: BTreeMap<ObjectId, NodeIndex>,
    pub conflicts: Vec<String>,
    pub externals: Vec<ExternalTarget>,
}

impl<'a> Planner<'a> {
    fn new(input: Input<'a>) -> Self {
        let count = input.graph.nodes.len();
        Self {
            input,
            schema: input.views.instance(&without_status(input.instance)),
            seen: vec![None; count],
            observed: vec![None; count],
            bound: vec![None; count],
            applies: Vec::new(),
            settled: Vec::new(),
            desired: BTreeMap::new(),
            conflicts: Vec::new(),
            externals: Vec::new(),
        }
    }

    /// The variables of expressions that read no iterator.
    pub fn scope<'b>(&'b self, locals: &'b [(Str, CelValue)]) -> Scope<'b> {
        Scope { graph: self.input.graph, schema: &self.schema, nodes: &self.bound, locals }
    }

    /// What a node's id stands for from now on.
    pub fn observe(&mut self, index: NodeIndex, value: Option<Value>) {
        self.bound[index.get()] = value.as_ref().map(|value| self.input.views.node(index, value));
        self.observed[index.get()] = value;
    }

    fn node(&mut self, index: NodeIndex) {
        let node = self.input.graph.node(index);
        let seen = match self.enter(index, node) {
            Ok(None) => Seen { plan: NodePlan::new(NodeState::Skipped, ""), readiness: Readiness::Ready },
            Ok(Some(seen)) => seen,
            Err(halt) => self.halted(node, halt),
        };
        self.seen[index.get()] = Some(seen);
    }

    /// `None`: the node is left out.
    fn enter(&mut self, index: NodeIndex, node: &'a Node) -> Result<Option<Seen>, Halt> {
        if self.is_skipped(node)? {
            return Ok(None);
        }
        self.gate(node)?;
        Ok(Some(match node.kind {
            NodeKind::Resource => self.resource(index, node)?,
            NodeKind::Collection => self.collection(index, node)?,
            NodeKind::External => self.external(index, node)?,
            NodeKind::ExternalCollection => self.external_collection(index, node)?,
        }))
    }

    /// All that the node reads must be ready; what it only follows must not be under way.
    fn gate(&self, node: &Node) -> Result<(), Halt> {
        for dependency in &node.dependencies {
            self.require_ready(*dependency).map_err(|halt| match halt {
                Halt::Pending(why) => {
                    let id = &self.input.graph.node(*dependency).id;
                    Halt::Pending(format!("node {:?}: dependent node {id:?} not ready: {why}", node.id))
                }
                other => other,
            })?;
        }
        let is_busy = |index: &NodeIndex| self.seen[index.get()].as_ref().is_some_and(|seen| seen.plan.is_busy);
        if node.soft_dependencies.iter().any(is_busy) { Err(Halt::Busy) } else { Ok(()) }
    }

    /// Whether what is observed of a node is ready.
    pub fn require_ready(&self, index: NodeIndex) -> Result<(), Halt> {
        let Some(seen) = &self.seen[index.get()] else {
            return Err(Halt::Pending("not reached yet".into()));
        };
        match &seen.readiness {
            _ if seen.plan.is_busy => Err(Halt::Busy),
            Readiness::Ready => Ok(()),
            Readiness::Waiting(why) => Err(Halt::Pending(why.clone())),
            Readiness::Failed(why) => Err(Halt::Pending(why.clone())),
        }
    }

    fn halted(&self, node: &Node, halt: Halt) -> Seen {
        let unobserved = Readiness::Waiting(format!("node {:?}: no observed state", node.id));
        match halt {
            Halt::Busy => {
                let plan = NodePlan { is_pending: true, is_busy: true, ..NodePlan::new(NodeState::InProgress, "") };
                Seen { plan, readiness: unobserved }
            }
            Halt::Pending(why) => {
                let message = format!("gvr {:?}: {why}", resource_name(node));
                let plan = NodePlan { is_pending: true, ..NodePlan::new(NodeState::InProgress, message) };
                Seen { plan, readiness: unobserved }
            }
            Halt::Hard(why) => Seen { plan: NodePlan::new(NodeState::Error, why), readiness: unobserved },
        }
    }

    fn finish(mut self) -> Plan {
        let nodes: Vec<NodePlan> = std::mem::take(&mut self.seen)
            .into_iter()
            .map(|seen| seen.map_or_else(|| NodePlan::new(NodeState::InProgress, "not reached"), |seen| seen.plan))
            .collect();
        let inventory = self.inventory(&nodes);
        let conflict = (!self.conflicts.is_empty())
            .then(|| format!("found resources with conflicts: {}", self.conflicts.join(", ")));
        if conflict.is_some() {
            self.applies.clear();
        }
        Plan {
            nodes,
            applies: self.applies,
            settled: self.settled,
            desired: self.desired,
            inventory,
            externals: self.externals,
            conflict,
            observed: self.observed,
        }
    }

    fn inventory(&self, nodes: &[NodePlan]) -> Inventory {
        let mut inventory = Inventory::default();
        for (node, plan) in self.input.graph.nodes.iter().zip(nodes) {
            if plan.is_pending && !node.kind.is_external() {
                inventory.group_kinds.insert(group_kind(&node.gvk));
            }
        }
        for id in self.desired.keys() {
            inventory.group_kinds.insert(id.group_kind.clone());
            if !id.namespace.is_empty() && id.namespace != self.input.owner.namespace {
                inventory.namespaces.insert(id.namespace.clone());
            }
        }
        inventory
    }
}

/// An object as expressions see the instance.
pub(crate) fn without_status(instance: &Value) -> Value {
    let mut schema = instance.clone();
    schema.remove_at(&["status"]);
    schema.remove_at(&["metadata", "managedFields"]);
    schema
}

/// Group and kind of a kind with a version.
pub fn group_kind(gvk: &Gvk) -> GroupKind {
    GroupKind { kind: gvk.kind.clone(), group: gvk.group.clone() }
}

/// `apps/v1, Resource=deployments`; `/v1, Resource=configmaps` for the core group.
pub fn resource_name(node: &Node) -> String {
    format!("{}/{}, Resource={}", node.gvk.group, node.gvk.version, node.plural)
}
