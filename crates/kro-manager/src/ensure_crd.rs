//! What has to happen to the CRD of a definition.

use kro_api::metadata as wire;
use kro_engine::marks::{Definition, instance_labels};
use kro_engine::object;
use kro_graph::{InstanceApi, evolution};
use kro_value::{Str, Value};

use crate::crds;

/// What has to happen.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum CrdAction {
    /// Nothing: it is as wanted.
    Keep,
    /// It does not exist.
    Create(Value),
    /// A merge patch.
    Patch(Value),
    /// It must not be touched: why.
    Refuse(String),
}

/// The CRD with kro's labels.
pub(crate) fn desired(api: &InstanceApi, definition: &Definition, version: &str) -> Value {
    let mut crd = api.crd.clone();
    for (key, value) in instance_labels(definition, version) {
        crd.set_at(&["metadata", "labels", key], Value::String(value));
    }
    crd
}

/// Compares the wanted CRD with the live one. `allow_breaking` lets a change through that could break instances: where the
/// author says so, and where the wanted CRD was in place before, so that the live one differs by an edit of somebody else.
pub(crate) fn decide(
    desired: &Value,
    live: Option<&Value>,
    definition: &Definition,
    allow_breaking: bool,
) -> CrdAction {
    let Some(live) = live else {
        return CrdAction::Create(desired.clone());
    };
    let name = object::name(desired);
    if !crds::is_owned(live) {
        return CrdAction::Refuse(format!("failed to update CRD {name}: CRD already exists and is not owned by KRO"));
    }
    let owner = crds::definition_of(live);
    if owner != definition.name {
        return CrdAction::Refuse(format!(
            "failed to update CRD {name}: CRD is owned by another ResourceGraphDefinition {owner}"
        ));
    }
    if object::is_terminating(live) {
        return CrdAction::Refuse(format!("CRD {name} is being deleted; it is created again once it is gone"));
    }
    let is_same = is_same_spec(desired, live);
    if is_same && has_labels(desired, live) {
        return CrdAction::Keep;
    }
    if let (false, false, Some(breaking)) = (is_same, allow_breaking, breaking_changes(live, desired)) {
        return CrdAction::Refuse(format!("cannot update CRD {name}: breaking changes detected: {breaking}"));
    }
    CrdAction::Patch(patch(desired, live))
}

/// True when the live CRD serves what is wanted, so instances of it fit the graph.
pub(crate) fn fits(desired: &Value, live: &Value) -> bool {
    crds::is_owned(live) && is_same_spec(desired, live)
}

/// Labels of the definition; a version label of another release is good enough.
fn has_labels(desired: &Value, live: &Value) -> bool {
    let all = |field: &str| {
        let wanted = desired.at(&["metadata", field]).and_then(Value::as_map);
        wanted.into_iter().flatten().all(|(key, value)| {
            let found = live.at(&["metadata", field, key]);
            if key == wire::LABEL_KRO_VERSION { found.is_some() } else { found == Some(value) }
        })
    };
    all("labels") && all("annotations")
}

fn is_same_spec(desired: &Value, live: &Value) -> bool {
    let same = |path: &[&str]| is_same(desired.at(path), live.at(path));
    let names = ["plural", "singular", "kind", "listKind", "shortNames", "categories"];
    same(&["spec", "group"])
        && same(&["spec", "scope"])
        && names.iter().all(|name| same(&["spec", "names", name]))
        && same(&["spec", "versions"])
}

/// Equal, where an absent, a null and an empty value are the same.
fn is_same(left: Option<&Value>, right: Option<&Value>) -> bool {
    match (left, right) {
        (Some(Value::Map(left)), Some(Value::Map(right))) => {
            let of_left = left.iter().all(|(key, value)| is_same(Some(value), right.get(key)));
            of_left && right.iter().all(|(key, value)| left.contains_key(key) || is_blank(Some(value)))
        }
        (Some(Value::List(left)), Some(Value::List(right))) => {
            left.len() == right.len()
                && left.iter().zip(right.iter()).all(|(left, right)| is_same(Some(left), Some(right)))
        }
        (left, right) => (is_blank(left) && is_blank(right)) || left == right,
    }
}

fn is_blank(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(Value::List(list)) => list.is_empty(),
        Some(Value::Map(map)) => map.is_empty(),
        Some(Value::Bool(value)) => !value,
        _ => false,
    }
}

/// The body of a merge patch: everything kro decides about, and nothing else. Empty alias lists are cleared.
fn patch(desired: &Value, live: &Value) -> Value {
    let mut body = Value::Map(kro_value::Map::new());
    for path in [&["spec", "group"][..], &["spec", "scope"], &["spec", "versions"]] {
        body.set_at(path, desired.at(path).cloned().unwrap_or_default());
    }
    for name in ["plural", "singular", "kind", "listKind", "shortNames", "categories"] {
        let path = ["spec", "names", name];
        body.set_at(&path, desired.at(&path).cloned().unwrap_or_default());
    }
    for field in ["labels", "annotations"] {
        let path = ["metadata", field];
        if let Some(map) = desired.at(&path).filter(|value| !is_blank(Some(value))) {
            body.set_at(&path, map.clone());
        }
    }
    let version = Str::new(object::resource_version(live));
    body.set_at(&["metadata", "resourceVersion"], Value::String(version));
    body
}

/// A summary of what could break instances; `None` when nothing does.
fn breaking_changes(live: &Value, desired: &Value) -> Option<String> {
    match evolution::compare(live, desired, evolution::CompareOptions::default()) {
        Ok(evolution) => evolution.is_breaking().then(|| evolution.summary()),
        Err(error) => Some(format!("failed to check schema compatibility: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition() -> Definition {
        Definition { name: "web".into(), uid: "u".into() }
    }

    fn wanted() -> Value {
        let mut crd = kro_value::from_json(
            r#"{"metadata":{"name":"webs.x.io"},"spec":{"group":"x.io","scope":"Namespaced","names":{"kind":"Web","plural":"webs","shortNames":[]},
            "versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object"}}}]}}"#,
        )
        .unwrap();
        for (key, value) in instance_labels(&definition(), "v1") {
            crd.set_at(&["metadata", "labels", key], Value::String(value));
        }
        crd
    }

    #[test]
    fn a_crd_as_the_server_completes_it_is_kept() {
        let mut live = wanted();
        live.set_at(&["spec", "conversion", "strategy"], Value::from("None"));
        live.remove_at(&["spec", "names", "shortNames"]);
        live.set_at(&["metadata", "labels", wire::LABEL_KRO_VERSION], Value::from("v0"));
        assert_eq!(decide(&wanted(), Some(&live), &definition(), false), CrdAction::Keep);
        assert_eq!(decide(&wanted(), None, &definition(), false), CrdAction::Create(wanted()));
    }

    #[test]
    fn foreign_crds_are_left_alone() {
        let mut live = wanted();
        live.set_at(&["metadata", "labels", wire::LABEL_RGD_NAME], Value::from("other"));
        let refused = |live: &Value| match decide(&wanted(), Some(live), &definition(), false) {
            CrdAction::Refuse(why) => why,
            other => panic!("{other:?}"),
        };
        assert!(refused(&live).ends_with("CRD is owned by another ResourceGraphDefinition other"));
        live.remove_at(&["metadata", "labels"]);
        assert!(refused(&live).ends_with("CRD already exists and is not owned by KRO"));
    }

    #[test]
    fn a_recreated_definition_takes_its_crd_over() {
        let mut live = wanted();
        live.set_at(&["metadata", "labels", wire::LABEL_RGD_ID], Value::from("old"));
        assert!(matches!(decide(&wanted(), Some(&live), &definition(), false), CrdAction::Patch(_)));
    }
}
