//! Reading what every object has: names, labels, owners, conditions.

use jiff::Timestamp;
use kro_apimachinery::LabelSelector;
use kro_value::{Map, Str, Value, format_smolstr};

use super::{Key, value};

pub(super) fn name(object: &Value) -> &str {
    object.str_at(&["metadata", "name"]).unwrap_or_default()
}

/// Empty for cluster-scoped objects.
pub(super) fn namespace(object: &Value) -> &str {
    object.str_at(&["metadata", "namespace"]).unwrap_or_default()
}

pub(super) fn key(object: &Value) -> Key {
    Key::new(namespace(object), name(object))
}

pub(super) fn uid(object: &Value) -> &str {
    object.str_at(&["metadata", "uid"]).unwrap_or_default()
}

pub(super) fn labels(object: &Value) -> Option<&Map> {
    object.at(&["metadata", "labels"])?.as_map()
}

pub(super) fn annotation<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object.str_at(&["metadata", "annotations", key])
}

pub(super) fn is_terminating(object: &Value) -> bool {
    object.at(&["metadata", "deletionTimestamp"]).is_some()
}

pub(super) fn list<'a>(object: &'a Value, path: &[&str]) -> &'a [Value] {
    object.at(path).and_then(Value::as_list).unwrap_or_default()
}

/// An integer, or 0 where there is none.
pub(super) fn int(object: &Value, path: &[&str]) -> i64 {
    object.at(path).and_then(Value::as_i64).unwrap_or_default()
}

/// `spec.replicas`, which is 1 where it is absent.
pub(super) fn replicas(object: &Value) -> i64 {
    object.at(&["spec", "replicas"]).and_then(Value::as_i64).unwrap_or(1)
}

pub(super) fn generation(object: &Value) -> i64 {
    int(object, &["metadata", "generation"])
}

pub(super) fn finalizers(object: &Value) -> impl Iterator<Item = &str> {
    list(object, &["metadata", "finalizers"]).iter().filter_map(Value::as_str)
}

pub(super) fn has_finalizer(object: &Value, finalizer: &str) -> bool {
    finalizers(object).any(|present| present == finalizer)
}

pub(super) fn owners(object: &Value) -> &[Value] {
    list(object, &["metadata", "ownerReferences"])
}

/// The owner reference of the controller of an object.
pub(super) fn controller(object: &Value) -> Option<&Value> {
    owners(object).iter().find(|owner| owner.get("controller").and_then(Value::as_bool) == Some(true))
}

pub(super) fn is_controlled_by(object: &Value, owner_uid: &str) -> bool {
    controller(object).and_then(|owner| owner.str_at(&["uid"])) == Some(owner_uid)
}

/// The key of the controller of an object when it is of this kind, in the same namespace.
pub(super) fn controller_key(object: &Value, kind: &str) -> Option<Key> {
    let owner = controller(object).filter(|owner| owner.str_at(&["kind"]) == Some(kind))?;
    Some(Key::new(namespace(object), owner.str_at(&["name"])?))
}

/// An owner reference that names `owner` as the controller and blocks its foreground deletion.
pub(super) fn controller_reference(owner: &Value) -> Value {
    value!({
        "apiVersion": (owner.str_at(&["apiVersion"]).unwrap_or_default()),
        "kind": (owner.str_at(&["kind"]).unwrap_or_default()),
        "name": (name(owner)),
        "uid": (uid(owner)),
        "controller": true,
        "blockOwnerDeletion": true
    })
}

/// `spec.selector` of a workload; one without requirements, or none, selects nothing.
pub(super) fn selector(object: &Value) -> Option<LabelSelector> {
    object.at(&["spec", "selector"]).map(LabelSelector::from_value).filter(|selector| !selector.is_everything())
}

/// A moment as the API writes it: whole seconds.
pub(super) fn time(moment: Timestamp) -> Str {
    let second = Timestamp::from_second(moment.as_second()).unwrap_or(moment);
    format_smolstr!("{second}")
}

pub(super) fn parse_time(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

/// A moment in an object.
pub(super) fn time_at(object: &Value, path: &[&str]) -> Option<Timestamp> {
    object.str_at(path).and_then(parse_time)
}

/// The condition of a type.
pub(super) fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    list(object, &["status", "conditions"]).iter().find(|condition| condition.str_at(&["type"]) == Some(kind))
}

pub(super) fn is_true(object: &Value, kind: &str) -> bool {
    condition(object, kind).and_then(|condition| condition.str_at(&["status"])) == Some("True")
}

/// A list of conditions with one set: the transition time changes with the status only; members that `condition` does
/// not have are kept.
pub(super) fn with_condition(conditions: &[Value], condition: Value, now: Timestamp) -> Vec<Value> {
    let kind = condition.str_at(&["type"]).unwrap_or_default();
    let mut conditions = conditions.to_vec();
    let place = conditions.iter().position(|present| present.str_at(&["type"]) == Some(kind));
    let mut merged = place.map_or(Value::Null, |place| conditions[place].clone());
    let flipped = merged.get("status") != condition.get("status");
    for (key, item) in condition.as_map().into_iter().flatten() {
        merged.ensure_map().insert(key.clone(), item.clone());
    }
    if flipped {
        merged.set_at(&["lastTransitionTime"], time(now).into());
    }
    match place {
        Some(place) => conditions[place] = merged,
        None => conditions.push(merged),
    }
    conditions
}

/// A map of counts without the zeros, as Go leaves them out.
pub(super) fn counts(entries: &[(&'static str, i64)]) -> Map {
    entries.iter().filter(|(_, count)| *count != 0).map(|(key, count)| (Str::from(*key), Value::Int(*count))).collect()
}

/// A Pod that counts: not finished, not going away.
pub(super) fn is_active(pod: &Value) -> bool {
    !is_terminating(pod) && !matches!(pod.str_at(&["status", "phase"]), Some("Succeeded" | "Failed"))
}

/// When a Pod that has been ready for `seconds` became or becomes available; `None` while it is not ready.
pub(super) fn available_at(pod: &Value, seconds: i64) -> Option<Timestamp> {
    let ready = condition(pod, "Ready").filter(|ready| ready.str_at(&["status"]) == Some("True"))?;
    let since = time_at(ready, &["lastTransitionTime"])?;
    Timestamp::from_second(since.as_second().saturating_add(seconds)).ok()
}
