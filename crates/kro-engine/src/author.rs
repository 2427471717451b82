//! The conditions that the author of a definition declares in `status.conditions`.

use kro_api::condition as wire;
use kro_cel::value::{CelValue, Condition as Made, Opaque};
use kro_graph::Graph;
use kro_value::{Map, Str, Value};

use crate::conditions::{Condition, ConditionSet};
use crate::eval::{Scope, run};
use crate::object;
use crate::plan::without_status;
use crate::{Timestamp, Views};

/// What became of the author's conditions.
#[derive(Debug, Clone, PartialEq)]
pub struct Authored {
    /// `status.conditions`.
    pub list: Value,
    /// Some expression failed for another reason than missing data, or two gave the same type.
    pub is_degraded: bool,
}

/// Evaluates the author's conditions, in their order. `own` are kro's, which expressions can read through `schema`.
pub fn author_conditions(
    graph: &Graph,
    views: &Views,
    instance: &Value,
    observed: &[Option<Value>],
    own: &ConditionSet,
    now: Timestamp,
) -> Authored {
    let schema = CelValue::from_json(with_conditions(instance, own));
    let nodes = views.bind(observed);
    let scope = Scope { graph, schema: &schema, nodes: &nodes, locals: &[] };
    let (mut made, mut is_incomplete, mut is_degraded) = (Vec::new(), false, false);
    for expression in &graph.conditions {
        match run(expression, scope).map(|value| conditions_of(&value)) {
            Ok(Some(conditions)) => made.extend(conditions),
            Ok(None) => is_degraded = true,
            Err(failure) => {
                is_incomplete = true;
                is_degraded |= !failure.is_unavailable;
            }
        }
    }
    is_degraded |= drop_repeated(&mut made);
    let persisted = persisted(instance);
    let generation = object::generation(instance);
    let mut list: Vec<Value> = made.iter().map(|made| written(made, &persisted, generation, now)).collect();
    if is_incomplete || is_degraded {
        list.extend(kept(instance, &made));
    }
    Authored { list: Value::from(list), is_degraded }
}

/// The instance with kro's own conditions in place of its status.
fn with_conditions(instance: &Value, own: &ConditionSet) -> Value {
    let entry = |condition: &Condition| {
        let fields = [
            ("type", &condition.kind),
            ("status", &condition.status),
            ("reason", &condition.reason),
            ("message", &condition.message),
        ];
        Value::map(fields.map(|(key, text)| (key, Value::String(text.clone()))))
    };
    let mut schema = without_status(instance);
    schema.set_at(&["status", "conditions"], own.iter().map(entry).collect());
    schema
}

/// One condition or a list of them; `None` for anything else.
fn conditions_of(value: &CelValue) -> Option<Vec<Made>> {
    match value {
        CelValue::Opaque(Opaque::Condition(condition)) => Some(vec![(**condition).clone()]),
        CelValue::List(list) => {
            let nested: Option<Vec<Vec<Made>>> = list.iter().map(|item| conditions_of(&item.ok()?)).collect();
            Some(nested?.into_iter().flatten().collect())
        }
        _ => None,
    }
}

/// Of a type that occurs more than once nothing is written. True if there was one.
fn drop_repeated(made: &mut Vec<Made>) -> bool {
    let before = made.len();
    let kinds: Vec<Str> = made.iter().map(|condition| condition.kind.clone()).collect();
    made.retain(|condition| kinds.iter().filter(|kind| **kind == condition.kind).count() == 1);
    made.len() != before
}

fn persisted(instance: &Value) -> Vec<Condition> {
    let list = instance.at(&["status", "conditions"]).and_then(Value::as_list).unwrap_or_default();
    list.iter().filter_map(Condition::read).collect()
}

/// Persisted conditions of types that were not made now. Those of kro itself, which were written while the instance could
/// not even be marked, are over.
fn kept<'a>(instance: &'a Value, made: &'a [Made]) -> impl Iterator<Item = Value> + 'a {
    let list = instance.at(&["status", "conditions"]).and_then(Value::as_list).unwrap_or_default();
    let is_made = |kind: &str| made.iter().any(|condition| condition.kind == kind);
    let has = |kind: &str| list.iter().any(|entry| entry.str_at(&["type"]) == Some(kind));
    let are_own = OWN.iter().all(|kind| has(kind));
    let is_kept = move |kind: &str| !is_made(kind) && (!are_own || !OWN.contains(&kind));
    list.iter().filter(move |entry| entry.str_at(&["type"]).is_some_and(&is_kept)).cloned()
}

/// What kro writes where an author has not declared any.
const OWN: [&str; 4] = [wire::INSTANCE_MANAGED, wire::GRAPH_RESOLVED, wire::RESOURCES_READY, wire::READY];

fn written(made: &Made, persisted: &[Condition], generation: i64, now: Timestamp) -> Value {
    let previous = persisted.iter().find(|earlier| earlier.kind == made.kind && earlier.status == made.status);
    let since = previous.and_then(|previous| previous.last_transition).unwrap_or(now);
    let mut map = Map::new();
    map.insert("type", Value::String(made.kind.clone()));
    map.insert("status", Value::String(made.status.clone()));
    map.insert("lastTransitionTime", Value::String(since.to_rfc3339()));
    map.insert("observedGeneration", Value::Int(generation));
    for (key, text) in [("reason", &made.reason), ("message", &made.message)] {
        if !text.is_empty() {
            map.insert(key, Value::String(text.clone()));
        }
    }
    Value::Map(map)
}

/// The conditions of an instance with author conditions while it is deleted: the last ones, with kro's own view in front.
pub fn deletion_conditions(instance: &Value, own: &ConditionSet) -> Value {
    let list = instance.at(&["status", "conditions"]).and_then(Value::as_list).unwrap_or_default();
    let others = list.iter().filter(|entry| entry.str_at(&["type"]) != Some(wire::RESOURCES_READY)).cloned();
    let first = own.get(wire::RESOURCES_READY).map(Condition::to_value);
    first.into_iter().chain(others).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(kind: &str, status: &str) -> Made {
        Made { kind: kind.into(), status: status.into(), ..Made::default() }
    }

    #[test]
    fn repeated_types_are_all_dropped() {
        let mut all = vec![made("A", "True"), made("B", "True"), made("A", "False")];
        assert!(drop_repeated(&mut all));
        assert_eq!(all, [made("B", "True")]);
        assert!(!drop_repeated(&mut all));
    }

    #[test]
    fn lists_are_flattened_and_other_values_refused() {
        let condition = |kind: &str| CelValue::Opaque(Opaque::Condition(std::sync::Arc::new(made(kind, "True"))));
        let nested = CelValue::list([condition("A"), CelValue::list([condition("B")])]);
        assert_eq!(conditions_of(&nested).map(|all| all.len()), Some(2));
        assert_eq!(conditions_of(&CelValue::list([])), Some(Vec::new()));
        assert_eq!(conditions_of(&CelValue::Int(1)), None);
    }

    #[test]
    fn times_are_kept_while_the_status_is() {
        let then = Timestamp::parse("2026-01-01T00:00:00Z").unwrap();
        let instance = kro_value::from_json(
            r#"{"status":{"conditions":[{"type":"A","status":"True","lastTransitionTime":"2026-01-01T00:00:00Z"}]}}"#,
        )
        .unwrap();
        let now = then.plus_ms(60_000);
        let time = |status: &str| written(&made("A", status), &persisted(&instance), 3, now);
        assert_eq!(time("True").str_at(&["lastTransitionTime"]), Some("2026-01-01T00:00:00Z"));
        assert_eq!(time("False").str_at(&["lastTransitionTime"]), Some("2026-01-01T00:01:00Z"));
        assert_eq!(time("True").at(&["reason"]), None);
        assert_eq!(kept(&instance, &[made("B", "True")]).count(), 1);
        assert_eq!(kept(&instance, &[made("A", "True")]).count(), 0);
    }

    #[test]
    fn conditions_of_a_failure_before_the_first_pass_do_not_stay() {
        let with = |kinds: &[&str]| {
            let mut instance = Value::Null;
            let entries = kinds.iter().map(|kind| Value::map([("type", Value::from(*kind))]));
            instance.set_at(&["status", "conditions"], entries.collect());
            kept(&instance, &[]).count()
        };
        assert_eq!(with(&["A", "InstanceManaged", "GraphResolved", "ResourcesReady", "Ready"]), 1);
        // An author may declare a type that kro has too.
        assert_eq!(with(&["A", "Ready"]), 2);
    }
}
