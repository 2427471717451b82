use kro_api::metadata as wire;
use kro_graph::{Gvk, Node, NodeIndex};
use kro_value::Value;

use super::readiness::Readiness;
use super::{Apply, Halt, NodePlan, NodeState, Planner, Seen, Settled};
use crate::digest::Digest;
use crate::drift;
use crate::marks::{Place, mark_child};
use crate::object::{self, ObjectId};
use crate::snapshot::{Lookup, Observed, Outcome, Record};

/// Where one wanted object stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Target {
    /// As wanted: the live object.
    Current(Value),
    /// Being applied, or about to be.
    Busy,
    /// Terminating: it has to go before it can be made again.
    Deleting(String),
    /// Its apply failed, or it must not be applied; the live object where there is one.
    Failed(String, Option<Value>),
}

impl<'a> Planner<'a> {
    pub(super) fn resource(&mut self, index: NodeIndex, node: &'a Node) -> Result<Seen, Halt> {
        let shared = self.shared_values(node)?;
        let object = self.render(node, &shared, &[], None)?;
        let id = self.claim(index, node, &object)?;
        let target = self.target(index, node, &id, object, None);
        let mut seen = self.settle(index, node, target);
        seen.plan.objects.push(id);
        Ok(seen)
    }

    /// What becomes of a node with one object.
    fn settle(&mut self, index: NodeIndex, node: &Node, target: Target) -> Seen {
        let unobserved = || Readiness::Waiting(format!("node {:?}: no observed state", node.id));
        match target {
            Target::Busy => {
                let plan = NodePlan { is_busy: true, ..NodePlan::new(NodeState::InProgress, "") };
                Seen { plan, readiness: unobserved() }
            }
            Target::Deleting(why) => Seen { plan: NodePlan::new(NodeState::Deleting, why), readiness: unobserved() },
            Target::Failed(why, live) => {
                let readiness = live.as_ref().map_or_else(unobserved, |live| self.readiness(node, live));
                self.observe(index, live);
                let plan = NodePlan { is_apply_failure: true, ..NodePlan::new(NodeState::Error, why) };
                Seen { plan, readiness }
            }
            Target::Current(live) => {
                let readiness = self.readiness(node, &live);
                self.observe(index, Some(live));
                Seen { plan: ready_plan(node, &readiness), readiness }
            }
        }
    }

    /// Registers the identity of a wanted object. Two nodes that want the same one are a conflict, two items of one
    /// collection an error.
    pub(super) fn claim(&mut self, index: NodeIndex, node: &Node, object: &Value) -> Result<ObjectId, Halt> {
        let Some(id) = ObjectId::of(object) else {
            return Err(Halt::Hard(format!("node {:?}: the rendered object has no kind or name", node.id)));
        };
        match self.desired.insert(id.clone(), index) {
            Some(other) if other == index => {
                Err(Halt::Hard(format!("node {:?} identity collision: duplicate identity: {id}", node.id)))
            }
            Some(other) => {
                let other = &self.input.graph.node(other).id;
                self.conflicts.push(format!("resourceID: {} conflicts with resourceID: {other}", node.id));
                Ok(id)
            }
            None => Ok(id),
        }
    }

    /// Compares a wanted object with the live one, and applies it where they differ.
    pub(super) fn target(
        &mut self,
        index: NodeIndex,
        node: &Node,
        id: &ObjectId,
        mut body: Value,
        item: Option<(usize, usize)>,
    ) -> Target {
        let live = match self.input.snapshot.object(index, id) {
            Lookup::Unknown => return Target::Busy,
            Lookup::Failed(why) => {
                return Target::Failed(
                    format!("node {:?}: cannot watch {}: {why}", node.id, super::resource_name(node)),
                    None,
                );
            }
            Lookup::Missing => None,
            Lookup::Found(live) => Some(live),
        };
        if let Some(target) = live.and_then(|live| self.untouchable(node, &live.object)) {
            return target;
        }
        mark_child(&mut body, self.input.owner, Place { node_id: &node.id, wave: node.wave, item });
        let digest = Digest::of(&body);
        let record = self.input.snapshot.record(id);
        // An object of which too much was dropped is applied once more: the answer shows it whole.
        let is_short = live.is_some_and(|live| !live.shows(&node.reads));
        let live = live.filter(|_| !is_short);
        match decide(record, digest, &body, live) {
            Decision::Keep(live) => {
                self.settled.push(Settled { node: index, id: id.clone(), body: digest, own_digest: live.own_digest });
                Target::Current(live.object.clone())
            }
            Decision::Wait => Target::Busy,
            Decision::Fail(message) => {
                Target::Failed(format!("node {:?}: {message}", node.id), live.map(|live| live.object.clone()))
            }
            Decision::Apply => {
                self.applies.push(Apply { node: index, id: id.clone(), body, digest });
                Target::Busy
            }
        }
    }

    /// A live object that must not be applied over: it is terminating, or belongs to somebody else.
    fn untouchable(&self, node: &Node, live: &Value) -> Option<Target> {
        let name = object::display_name(live);
        if object::is_terminating(live) {
            let why = crate::deletion::describe_holdup(live);
            return Some(Target::Deleting(format!(
                "resource {name:?} for node {:?} is currently being deleted; it is created again once it is gone ({why})",
                node.id
            )));
        }
        Some(Target::Failed(foreign_owner(live, &node.gvk, &self.input.owner.applyset)?, None))
    }
}

/// Why a live object must not be applied over: it belongs to another ApplySet than `own`.
pub fn foreign_owner(live: &Value, gvk: &Gvk, own: &str) -> Option<String> {
    let owner = object::label(live, wire::LABEL_APPLYSET_PART_OF).filter(|id| !id.is_empty() && *id != own)?;
    let (name, whose) = (object::display_name(live), describe_owner(live));
    Some(format!(
        "resource belongs to a different ApplySet: {name} ({gvk}) belongs to ApplySet {owner:?}, cannot reassign to {own:?}{whose}"
    ))
}

/// ` (owner: WebApp "default/web", by metadata.labels["applyset.kubernetes.io/part-of"])`, from the labels of the object.
fn describe_owner(live: &Value) -> String {
    let label = |key| object::label(live, key).filter(|text| !text.is_empty());
    let field = format!("metadata.labels[{:?}]", wire::LABEL_APPLYSET_PART_OF);
    let (Some(kind), Some(name)) = (label(wire::LABEL_INSTANCE_KIND), label(wire::LABEL_INSTANCE_NAME)) else {
        return format!(" (by {field})");
    };
    let namespace = label(wire::LABEL_INSTANCE_NAMESPACE).map(|namespace| format!("{namespace}/")).unwrap_or_default();
    format!(" (owner: {kind} \"{namespace}{name}\", by {field})")
}

/// The state of a node whose objects are as wanted.
pub(super) fn ready_plan(node: &Node, readiness: &Readiness) -> NodePlan {
    match readiness {
        Readiness::Ready => NodePlan::new(NodeState::Synced, ""),
        Readiness::Waiting(why) => {
            NodePlan::new(NodeState::WaitingForReadiness, format!("waiting for node {:?}: {why}", node.id))
        }
        Readiness::Failed(why) => NodePlan::new(NodeState::Error, format!("node {:?}: {why}", node.id)),
    }
}

enum Decision<'a> {
    Keep(&'a Observed),
    Apply,
    Wait,
    Fail(String),
}

fn decide<'a>(record: Option<&Record>, digest: u64, body: &Value, live: Option<&'a Observed>) -> Decision<'a> {
    match record {
        Some(Record { outcome: Outcome::InFlight, .. }) => return Decision::Wait,
        Some(Record { outcome: Outcome::Failed { message, is_due: false }, body }) if *body == digest => {
            return Decision::Fail(message.to_string());
        }
        _ => {}
    }
    let Some(live) = live else {
        return Decision::Apply;
    };
    let holds = match record {
        Some(Record { outcome: Outcome::Applied { own_digest }, body }) => {
            *body == digest && *own_digest == live.own_digest
        }
        // What was dropped cannot be compared.
        _ => live.kept.is_none() && drift::holds(body, &live.object, live.own_fields.as_ref()),
    };
    if holds { Decision::Keep(live) } else { Decision::Apply }
}
