//! `/scale`: the replicas of an object as an object of its own.

use kro_apimachinery::{FieldError, LabelSelector, Status, patch};
use kro_value::{Str, Value};

use crate::resource::ScalePaths;
use crate::state::State;
use crate::write::{Call, PatchType, Written};

/// Where an object keeps what its scale shows.
pub(super) fn paths(call: &Call) -> ScalePaths {
    call.resource.versions[call.version].scale.clone().unwrap_or_else(|| ScalePaths {
        spec_replicas: Str::new_static(".spec.replicas"),
        status_replicas: Str::new_static(".status.replicas"),
        label_selector: Str::new_static(".spec.selector"),
    })
}

/// The scale of an object.
pub(super) fn of(call: &Call, parent: &Value) -> Result<Value, Status> {
    let paths = paths(call);
    let Some(replicas) = parent.at(&keys(&paths.spec_replicas)).and_then(Value::as_i64) else {
        let error = format!("the spec replicas field {:?} does not exist", paths.spec_replicas.as_str());
        return Err(Status::internal(&error));
    };
    let mut metadata = Value::Map(kro_value::Map::new());
    for key in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
        if let Some(value) = parent.at(&["metadata", key]) {
            metadata.set_at(&[key], value.clone());
        }
    }
    let observed = parent.at(&keys(&paths.status_replicas)).and_then(Value::as_i64).unwrap_or_default();
    let mut status = Value::map([("replicas", Value::Int(observed))]);
    let selector = selector(parent, &paths);
    if !selector.is_empty() {
        status.set_at(&["selector"], selector.into());
    }
    Ok(Value::map([
        ("kind", Value::from("Scale")),
        ("apiVersion", "autoscaling/v1".into()),
        ("metadata", metadata),
        ("spec", Value::map([("replicas", Value::Int(replicas))])),
        ("status", status),
    ]))
}

fn selector(parent: &Value, paths: &ScalePaths) -> String {
    let value = Some(&paths.label_selector).filter(|path| !path.is_empty()).and_then(|path| parent.at(&keys(path)));
    match value {
        Some(Value::String(text)) => text.to_string(),
        Some(map) if map.get("matchLabels").is_some() || map.get("matchExpressions").is_some() => {
            LabelSelector::from_value(map).to_string()
        }
        Some(Value::Map(labels)) => {
            let pairs = labels.iter().filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)));
            LabelSelector::of_labels(pairs).to_string()
        }
        _ => String::new(),
    }
}

/// A scale that was changed by a patch.
pub(super) fn patched(scale: &Value, kind: PatchType, body: &Value) -> Result<Value, Status> {
    match kind {
        PatchType::Json => patch::apply_json_patch(scale, body),
        PatchType::Merge | PatchType::Strategic => patch::apply_merge_patch(scale, body),
        PatchType::Apply => {
            let why = "apply to a scale is not implemented: patch or apply the object itself";
            Err(Status::failure(501, "NotImplemented", why))
        }
    }
}

/// Writes the replicas of a scale to its object.
pub(super) fn write(state: &mut State, call: &mut Call, scale: &Value) -> Result<Written, Status> {
    let wanted = scale.at(&["spec", "replicas"]).cloned().unwrap_or(Value::Int(0));
    if wanted.as_i64().is_none_or(|count| count < 0) {
        let field =
            if call.resource.custom { paths(call).spec_replicas.to_string() } else { "spec.replicas".to_owned() };
        let detail = if call.resource.custom {
            "should be a non-negative integer"
        } else {
            "must be greater than or equal to 0"
        };
        return Err(call.invalid(&call.name, &[FieldError::invalid(field, &wanted, detail)]));
    }
    let live = state.store.get(&call.resource.id, &call.key()).cloned().ok_or_else(|| call.not_found())?;
    let mut parent = call.view(&live);
    parent.set_at(&keys(&paths(call).spec_replicas), wanted);
    match scale.str_at(&["metadata", "resourceVersion"]) {
        Some(revision) => parent.set_at(&["metadata", "resourceVersion"], revision.into()),
        None => {
            parent.remove_at(&["metadata", "resourceVersion"]);
        }
    }
    state.replace_whole(call, &live, parent)
}

fn keys(path: &str) -> Vec<&str> {
    path.split('.').filter(|key| !key.is_empty()).collect()
}
