//! The status of an instance: projected fields, conditions and state.

use crate::Views;
use kro_api::condition as wire;
use kro_graph::Graph;
use kro_value::{FieldPath, Segment, Value};

use crate::conditions::ConditionSet;
use crate::eval::{Scope, evaluate};
use crate::plan::{InstanceState, NodeState, Plan, without_status};

/// Conditions an instance's `Ready` depends on.
pub const INSTANCE_DEPENDENTS: &[&str] = &[wire::INSTANCE_MANAGED, wire::GRAPH_RESOLVED, wire::RESOURCES_READY];

/// Projected status fields.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Projection {
    /// A map; empty when no field has a value.
    pub fields: Value,
    /// Fields whose expression failed for another reason than missing data, with that reason.
    pub failures: Vec<(FieldPath, String)>,
}

/// Evaluates the graph's status fields over what was observed. Fields whose data is missing are left out; a list
/// appears only when all its elements have a value.
pub fn project(graph: &Graph, views: &Views, instance: &Value, observed: &[Option<Value>]) -> Projection {
    let (schema, nodes) = (views.instance(&without_status(instance)), views.bind(observed));
    let scope = Scope { graph, schema: &schema, nodes: &nodes, locals: &[] };
    let mut projection = Projection { fields: Value::Map(kro_value::Map::new()), failures: Vec::new() };
    let mut values = Vec::new();
    let mut missing: Vec<FieldPath> = Vec::new();
    for field in &graph.status {
        if is_reserved(&field.path) {
            continue;
        }
        match evaluate(&field.expression, scope, None).map(|value| drop_nulls(value.unwrap_or_default())) {
            Ok(Value::Null) => missing.push(list_above(&field.path)),
            Ok(value) => values.push((&field.path, value)),
            Err(failure) => {
                missing.push(list_above(&field.path));
                if !failure.is_unavailable {
                    projection.failures.push((field.path.clone(), failure.message));
                }
            }
        }
    }
    for (path, value) in values {
        if !missing.iter().any(|list| !list.is_root() && path.starts_with(list)) {
            put(&mut projection.fields, path.segments(), value);
        }
    }
    projection
}

/// `state` and `conditions` belong to kro.
fn is_reserved(path: &FieldPath) -> bool {
    matches!(path.segments().first(), Some(Segment::Field(name)) if name == "state" || name == "conditions")
}

/// The path of the outermost list that a path goes through; the root without any.
fn list_above(path: &FieldPath) -> FieldPath {
    let is_index = |segment: &Segment| matches!(segment, Segment::Index(_));
    let end = path.segments().iter().position(is_index).unwrap_or_default();
    path.segments()[..end].iter().cloned().collect()
}

fn put(place: &mut Value, path: &[Segment], value: Value) {
    match path.split_first() {
        None => *place = value,
        Some((Segment::Field(name), rest)) => put(place.ensure_map().entry_or_null(name), rest, value),
        Some((Segment::Index(index), rest)) => {
            if place.as_list().is_none() {
                *place = Value::list([]);
            }
            if let Some(list) = place.as_list_mut() {
                if list.len() <= *index {
                    list.resize(*index + 1, Value::Null);
                }
                put(&mut list[*index], rest, value);
            }
        }
    }
}

/// The API server would drop them from a status, so it would never compare equal.
fn drop_nulls(value: Value) -> Value {
    match value {
        Value::Map(map) => {
            let kept = map.into_iter().filter(|(_, value)| !value.is_null());
            Value::Map(kept.map(|(key, value)| (key, drop_nulls(value))).collect())
        }
        other => other,
    }
}

/// What a plan means for `ResourcesReady`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// `True` or `False`.
    pub status: &'static str,
    /// Machine-readable reason.
    pub reason: &'static str,
    /// For people.
    pub message: String,
}

/// The `ResourcesReady` condition after a plan.
pub fn verdict(plan: &Plan) -> Verdict {
    let not_ready = |message: String| Verdict {
        status: wire::FALSE,
        reason: "NotReady",
        message: format!("resource reconciliation failed: {message}"),
    };
    if let Some(conflict) = &plan.conflict {
        return not_ready(conflict.clone());
    }
    if let Some(node) = plan.nodes.iter().find(|node| node.state == NodeState::Deleting) {
        return Verdict { status: wire::FALSE, reason: "ResourceDeleting", message: node.message.clone() };
    }
    let hard = plan.nodes.iter().filter(|node| node.state == NodeState::Error && !node.is_apply_failure);
    let hard: Vec<&str> = hard.map(|node| node.message.as_str()).collect();
    let is_open = |state| matches!(state, NodeState::Error | NodeState::WaitingForReadiness);
    let open: Vec<&str> =
        plan.nodes.iter().filter(|node| is_open(node.state)).map(|node| node.message.as_str()).collect();
    if hard.len() == open.len() && !hard.is_empty() {
        return not_ready(hard.join("\n"));
    }
    if !open.is_empty() {
        return not_ready(format!("apply results contain errors: {}", open.join("\n")));
    }
    if let Some(node) = plan.nodes.iter().find(|node| node.is_pending) {
        let message = if node.message.is_empty() { "its inputs are under way" } else { &node.message };
        return not_ready(format!("waiting for unresolved resource: {message}"));
    }
    if plan.is_busy() {
        return Verdict {
            status: wire::FALSE,
            reason: "NotReady",
            message: "awaiting resource readiness: applying".into(),
        };
    }
    Verdict { status: wire::TRUE, reason: "AllResourcesReady", message: "all resources are created and ready".into() }
}

/// Assembles `status`.
pub fn assemble(fields: Value, conditions: Value, state: InstanceState) -> Value {
    let mut status = fields;
    status.ensure_map().insert("conditions", conditions);
    status.ensure_map().insert("state", Value::from(state.as_str()));
    status
}

/// The conditions of an instance, continued from what is persisted.
pub fn instance_conditions(instance: &Value, now: crate::Timestamp) -> ConditionSet {
    ConditionSet::load(instance, INSTANCE_DEPENDENTS, now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_put_at_their_paths() {
        let mut fields = Value::Map(kro_value::Map::new());
        for (path, value) in [("a.b", Value::Int(1)), ("list[1]", Value::Int(2)), ("list[0]", Value::Int(3))] {
            put(&mut fields, FieldPath::parse(path).unwrap().segments(), value);
        }
        assert_eq!(fields.to_string(), r#"{"a":{"b":1},"list":[3,2]}"#);
    }

    #[test]
    fn the_outermost_list_of_a_path() {
        for (path, expected) in [("a.b", ""), ("a.l[0].m[1]", "a.l"), ("l[0]", "l")] {
            assert_eq!(list_above(&FieldPath::parse(path).unwrap()).to_string(), expected);
        }
    }
}
