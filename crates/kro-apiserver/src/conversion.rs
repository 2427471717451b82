//! Objects between versions and schemas.

mod autoscaling;
mod event;

pub(crate) use event::core_label;
use kro_schema::structural::{default, prune};
use kro_value::Value;

use crate::Resource;
use crate::store::Stored;

/// Metadata of a custom resource that an apply may leave empty: because it says so, or as null when it removes the last entry
/// of what another manager owns as a whole. The reference stores that, shows nothing of it, and writes the object again at
/// the next occasion.
const REMAINS: [&str; 4] = ["annotations", "finalizers", "labels", "ownerReferences"];

/// Takes what an apply left of metadata over into what will be stored.
pub(crate) fn keep_remains(merged: &Value, object: &mut Value) {
    for key in REMAINS {
        let path = ["metadata", key];
        if let Some(nothing) = merged.at(&path).filter(|value| is_nothing(value) && object.at(&path).is_none()) {
            object.set_at(&path, nothing.clone());
        }
    }
}

/// True when something is stored that is not shown.
pub(crate) fn has_remains(object: &Value) -> bool {
    REMAINS.iter().any(|key| object.at(&["metadata", key]).is_some_and(is_nothing))
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::List(items) => items.is_empty(),
        Value::Map(map) => map.is_empty(),
        _ => false,
    }
}

/// A stored object in one version, under the current schema: fields that the schema no longer has are hidden, new
/// defaults of the version it is stored at show.
pub(crate) fn read(resource: &Resource, version: usize, stored: &Stored) -> Value {
    let mut value = stored.value.clone();
    if !resource.custom {
        from_storage(resource, version, &mut value);
        return value;
    }
    if let Some(metadata) = value.as_map_mut().and_then(|object| object.get_mut("metadata")) {
        for key in REMAINS {
            if metadata.get(key).is_some_and(is_nothing) {
                metadata.remove_at(&[key]);
            }
        }
    }
    if let Some(schema) = resource.schema(resource.storage) {
        prune(schema, &mut value);
        default(schema, &mut value);
    }
    set_version(resource, version, &mut value);
    if let Some(schema) = resource.schema(version).filter(|_| version != resource.storage) {
        prune(schema, &mut value);
    }
    value
}

/// An object of a version as it is stored.
pub(crate) fn to_storage(resource: &Resource, value: &mut Value) {
    // Empty lists that are always written come back from the reference's storage as null.
    let list: &[&str] = match (resource.id.group.as_str(), resource.id.resource.as_str()) {
        ("rbac.authorization.k8s.io", "roles" | "clusterroles") => &["rules"],
        ("", "limitranges") => &["spec", "limits"],
        _ => &[],
    };
    if resource.id.is("batch", "jobs") && value.at(&["metadata", "labels"]).is_none() {
        // The labels of the template are those of a Job that has none.
        if let Some(labels) = value.at(&["spec", "template", "metadata", "labels"]).cloned() {
            value.set_at(&["metadata", "labels"], labels);
        }
    }
    if value.at(list).and_then(Value::as_list).is_some_and(<[Value]>::is_empty) {
        value.set_at(list, Value::Null);
    }
    if event::is_view(resource) {
        event::to_core(value);
    } else if resource.id.is("autoscaling", "horizontalpodautoscalers") {
        if value.str_at(&["apiVersion"]) == Some("autoscaling/v1") {
            autoscaling::to_v2(value);
        }
        set_version(resource, resource.storage, value);
    } else {
        let own = resource.api_version(resource.storage);
        let is_other = value.str_at(&["apiVersion"]) != Some(own.as_str());
        set_version(resource, resource.storage, value);
        if let Some(schema) = resource.schema(resource.storage).filter(|_| resource.custom && is_other) {
            prune(schema, value);
        }
    }
}

/// True when what is stored is what a client of this version sees.
pub(crate) fn is_stored_as_shown(resource: &Resource, version: usize) -> bool {
    version == resource.storage && !event::is_view(resource)
}

/// An object seen at another version of its kind, for the books of managedFields.
pub(crate) fn between(resource: &Resource, value: &Value, api_version: &str) -> Value {
    let mut value = value.clone();
    let from = value.str_at(&["apiVersion"]).unwrap_or_default().to_owned();
    match (from.as_str(), api_version) {
        ("v1", "events.k8s.io/v1") if resource.id.resource == "events" => event::from_core(&mut value),
        ("events.k8s.io/v1", "v1") if resource.id.resource == "events" => event::to_core(&mut value),
        ("autoscaling/v2", "autoscaling/v1") => autoscaling::to_v1(&mut value),
        ("autoscaling/v1", "autoscaling/v2") => autoscaling::to_v2(&mut value),
        _ => {}
    }
    value.set_at(&["apiVersion"], api_version.into());
    value
}

fn from_storage(resource: &Resource, version: usize, value: &mut Value) {
    if event::is_view(resource) {
        event::from_core(value);
        return;
    }
    set_version(resource, version, value);
    if value.str_at(&["apiVersion"]) == Some("autoscaling/v1") && resource.id.resource == "horizontalpodautoscalers" {
        autoscaling::to_v1(value);
    }
}

fn set_version(resource: &Resource, version: usize, value: &mut Value) {
    value.set_at(&["apiVersion"], resource.api_version(version).into());
}
