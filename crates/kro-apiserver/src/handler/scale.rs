//! `/scale`: the replicas of an object as an object of its own.

use kro_apimachinery::fieldset::PathElement;
use kro_apimachinery::managedfields::{
    self, FieldFilter, Managers, Request, Versions, managers_of_parent, managers_of_scale,
};
use kro_apimachinery::typed::Type;
use kro_apimachinery::{FieldError, LabelSelector, Status, patch};
use kro_value::{Str, Value};

use crate::resource::ScalePaths;
use crate::state::State;
use crate::write::metadata::time_text;
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
        PatchType::Apply => Err(Status::internal("an apply is no patch")), // `apply` below
    }
}

/// The one version of scales, for their books.
struct ScaleVersions;

impl Versions for ScaleVersions {
    fn type_at(&self, api_version: &str) -> Option<Type> {
        let schema =
            kro_schema::builtin::resolve("autoscaling", "v1", "Scale").filter(|_| api_version == API_VERSION)?;
        Some(Type::from_schema(&schema))
    }

    fn filter_at(&self, _api_version: &str) -> FieldFilter {
        FieldFilter::Only(vec![replicas_path()])
    }
}

fn replicas_path() -> Vec<PathElement> {
    vec![PathElement::field("spec"), PathElement::field("replicas")]
}

/// Server-side apply of a scale: who owns the replicas of the object owns those of its scale.
pub(super) fn apply(state: &mut State, call: &mut Call, applied: &Value) -> Result<Written, Status> {
    if call.resource.custom {
        let name = &call.name;
        return Err(Status::plain(format!(
            "failed to convert new object (/{name}; {API_VERSION}, Kind=Scale) to proper version: request to convert CR to an invalid group/version: {API_VERSION}"
        )));
    }
    let live = state.store.get(&call.resource.id, &call.key()).cloned().ok_or_else(|| call.not_found())?;
    let mut parent = call.view(&live);
    let path = |_: &str| Some(replicas_path());
    let managers = Managers::of(&parent).unwrap_or_default();
    let mut scale = of(call, &parent)?;
    managers_of_scale(&managers, &path).write(&mut scale);
    let now = time_text(call.now);
    let request = Request {
        versions: &ScaleVersions,
        api_version: API_VERSION,
        kind: "Scale",
        manager: &call.manager,
        subresource: "scale",
        now: &now,
    };
    let scale = managedfields::apply(Some(&scale), applied, &request, call.force)?.object;
    let replicas = scale.at(&["spec", "replicas"]).cloned().unwrap_or(Value::Int(0));
    parent.set_at(&["spec", "replicas"], replicas);
    let own = Managers::of(&scale).unwrap_or_default();
    managers_of_parent(&managers, &own, &call.api_version(), &path).write(&mut parent);
    parent.remove_at(&["metadata", "resourceVersion"]);
    state.replace_settled(call, &live, parent)
}

const API_VERSION: &str = "autoscaling/v1";

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
        let error = FieldError::invalid(field, &wanted, detail);
        return Err(if call.resource.custom {
            call.invalid(&call.name, &[error])
        } else {
            Status::invalid("autoscaling", "Scale", &call.name, &[error])
        });
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
