//! managedFields: who owns which field.

use kro_apimachinery::fieldset::PathElement;
use kro_apimachinery::managedfields::{self, Applied, FieldFilter, Request, VersionError, Versions};
use kro_apimachinery::typed::Type;
use kro_apimachinery::{Status, normalize};
use kro_value::{Map, Value};

use super::Call;
use super::metadata::time_text;

/// Records what a write that is no apply changed; `live` is the object before it, in the version of the request.
pub(super) fn track_update(call: &Call, live: Option<&Value>, new: &mut Value) {
    *new = with_request(call, |request| managedfields::update(live, new, request));
    if call.subresource == "scale" {
        undate_scale(new);
    }
}

/// Writes through the scale are not dated, and so come first.
fn undate_scale(object: &mut Value) {
    let entries = object.at(&["metadata", "managedFields"]).and_then(Value::as_list).unwrap_or_default().to_vec();
    let is_scale = |entry: &Value| entry.str_at(&["subresource"]) == Some("scale");
    let (mut scale, others): (Vec<Value>, Vec<Value>) = entries.into_iter().partition(is_scale);
    scale.iter_mut().for_each(|entry| drop(entry.remove_at(&["time"])));
    let is_apply = |entry: &Value| entry.str_at(&["operation"]) == Some("Apply");
    let (applied, updated): (Vec<Value>, Vec<Value>) = others.into_iter().partition(is_apply);
    let all: Vec<Value> = applied.into_iter().chain(scale).chain(updated).collect();
    if !all.is_empty() {
        object.set_at(&["metadata", "managedFields"], all.into());
    }
}

/// Merges an applied object into the live one.
pub(super) fn apply(call: &Call, live: Option<&Value>, applied: &Value) -> Result<Applied, Status> {
    with_request(call, |request| managedfields::apply(live, applied, request, call.force))
}

/// When nothing changed but the times of managedFields, the stored times stay: a write that changes nothing writes
/// nothing.
pub(super) fn keep_times_of_unchanged(object: &mut Value, live: &Value) {
    *object = managedfields::restore_times(live, object);
}

fn with_request<T>(call: &Call, run: impl FnOnce(&Request<'_>) -> T) -> T {
    let api_version = call.api_version();
    let now = time_text(call.now);
    run(&Request {
        versions: &CallVersions { call },
        api_version: &api_version,
        kind: &call.resource.kind,
        manager: &call.manager,
        subresource: &call.subresource,
        now: &now,
    })
}

/// The versions of the kind of a call, and what its endpoint resets.
struct CallVersions<'a> {
    call: &'a Call,
}

impl CallVersions<'_> {
    /// Where the object has its replicas.
    fn replicas_path(&self) -> Vec<PathElement> {
        let own = self.call.resource.versions[self.call.version].scale.as_ref();
        let path = own.map_or(".spec.replicas", |scale| scale.spec_replicas.as_str());
        path.split('.').filter(|key| !key.is_empty()).map(PathElement::field).collect()
    }
}

impl Versions for CallVersions<'_> {
    fn type_at(&self, api_version: &str) -> Option<Type> {
        let resource = &self.call.resource;
        if resource.id.resource == "events" && matches!(api_version, "v1" | "events.k8s.io/v1") {
            return event_type(api_version);
        }
        let index = (0..resource.versions.len()).find(|index| resource.api_version(*index) == api_version)?;
        Some(resource.structure(index))
    }

    fn convert(&self, object: &Value, api_version: &str) -> Result<Value, VersionError> {
        Ok(crate::conversion::between(&self.call.resource, object, api_version))
    }

    fn new_object(&self, api_version: &str, kind: &str) -> Value {
        let schema = self.call.schema().filter(|_| !self.call.resource.custom);
        let zero = schema.and_then(|schema| normalize(schema, &Value::Map(Map::new())).ok());
        let mut object = zero.map_or_else(|| Value::Map(Map::new()), |zero| zero.value);
        object.set_at(&["apiVersion"], api_version.into());
        object.set_at(&["kind"], kind.into());
        object
    }

    fn filter_at(&self, _api_version: &str) -> FieldFilter {
        match self.call.subresource.as_str() {
            "scale" => FieldFilter::Only(vec![self.replicas_path()]),
            "status" if crate::kinds::status_takes_metadata(&self.call.resource) => {
                FieldFilter::except_fields(&["spec"])
            }
            "status" => FieldFilter::except_fields(&["metadata", "spec"]),
            "" if self.call.resource.has_status(self.call.version) => FieldFilter::except_fields(&["status"]),
            _ => FieldFilter::All,
        }
    }
}

/// The type of events as one of their two groups has it.
fn event_type(api_version: &str) -> Option<Type> {
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    kro_schema::builtin::resolve(group, "v1", "Event").map(|schema| Type::from_schema(&schema))
}
