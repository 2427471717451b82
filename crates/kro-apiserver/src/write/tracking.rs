//! managedFields: who owns which field.

use kro_apimachinery::Status;
use kro_apimachinery::fieldset::PathElement;
use kro_apimachinery::managedfields::{self, Applied, FieldFilter, Request, Versions};
use kro_apimachinery::typed::Type;
use kro_value::Value;

use super::Call;
use super::metadata::time_text;

/// Records what a write that is no apply changed; `live` is the object before it, in the version of the request.
pub(super) fn track_update(call: &Call, live: Option<&Value>, new: &mut Value) {
    *new = with_request(call, |request| managedfields::update(live, new, request));
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

impl Versions for CallVersions<'_> {
    fn type_at(&self, api_version: &str) -> Option<Type> {
        let resource = &self.call.resource;
        let index = (0..resource.versions.len()).find(|index| resource.api_version(*index) == api_version)?;
        Some(resource.structure(index))
    }

    fn filter_at(&self, _api_version: &str) -> FieldFilter {
        match self.call.subresource.as_str() {
            "scale" => FieldFilter::Only(vec![vec![PathElement::field("spec"), PathElement::field("replicas")]]),
            "status" => FieldFilter::except_fields(&["metadata", "spec"]),
            "" if self.call.resource.has_status(self.call.version) => FieldFilter::except_fields(&["status"]),
            _ => FieldFilter::All,
        }
    }
}
