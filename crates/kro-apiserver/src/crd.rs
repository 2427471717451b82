//! CustomResourceDefinitions: from the object to what is served.

pub(crate) mod definition;
mod lifecycle;
mod naming;
pub(crate) mod strategy;
pub(crate) mod validation;

pub(crate) use lifecycle::Lifecycle;

use kro_value::{Str, Value};

use crate::GroupResource;

/// Where CustomResourceDefinitions are.
pub(crate) fn id() -> GroupResource {
    GroupResource::new("apiextensions.k8s.io", "customresourcedefinitions")
}

/// Keeps a definition until its objects are gone.
pub(crate) const FINALIZER: &str = "customresourcecleanup.apiextensions.k8s.io";

/// The status of a condition: `True`, `False`, or nothing.
fn condition<'a>(definition: &'a Value, name: &str) -> Option<&'a str> {
    let conditions = definition.at(&["status", "conditions"])?.as_list()?;
    conditions.iter().find(|condition| condition.str_at(&["type"]) == Some(name))?.str_at(&["status"])
}

/// Sets a condition; the time changes only when its status does.
fn set_condition(definition: &mut Value, name: &str, status: &str, reason: &str, message: &str, time: &Str) {
    let mut conditions = definition.at(&["status", "conditions"]).and_then(Value::as_list).unwrap_or_default().to_vec();
    let known = conditions.iter_mut().find(|condition| condition.str_at(&["type"]) == Some(name));
    let unchanged = known.as_ref().filter(|known| known.str_at(&["status"]) == Some(status));
    let time = unchanged.and_then(|known| known.str_at(&["lastTransitionTime"])).map_or(time.clone(), Str::new);
    let condition = Value::map([
        ("type", Value::from(name)),
        ("status", status.into()),
        ("reason", reason.into()),
        ("message", message.into()),
        ("lastTransitionTime", time.into()),
    ]);
    match known {
        Some(known) => *known = condition,
        None => conditions.push(condition),
    }
    definition.set_at(&["status", "conditions"], conditions.into());
}

/// The texts of a list.
fn texts(value: Option<&Value>) -> Vec<Str> {
    let items = value.and_then(Value::as_list).unwrap_or_default();
    items.iter().filter_map(Value::as_str).map(Str::new).collect()
}
