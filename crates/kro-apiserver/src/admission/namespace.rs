use kro_apimachinery::{Cause, Status};
use kro_value::Str;

use crate::GroupResource;
use crate::state::State;
use crate::store::Key;
use crate::write::Call;

const PROTECTED: &[&str] = &["default", "kube-system", "kube-public"];

/// Nothing new in a namespace that does not exist or is being deleted.
pub(super) fn admit_create(state: &State, call: &Call) -> Result<(), Status> {
    if !call.resource.namespaced || call.resource.id.group == "authorization.k8s.io" {
        return Ok(());
    }
    let name = &call.namespace;
    let namespaces = GroupResource::new("", "namespaces");
    let Some(namespace) = state.store.get(&namespaces, &Key::new("", name)) else {
        return Err(Status::not_found("", "namespaces", name));
    };
    if namespace.value.str_at(&["metadata", "deletionTimestamp"]).is_none() {
        return Ok(());
    }
    let why = format!("unable to create new content in namespace {name} because it is being terminated");
    let mut status = call.forbidden(&call.name, &why);
    if let Some(details) = &mut status.details {
        details.causes.push(Cause {
            reason: Str::new("NamespaceTerminating"),
            message: format!("namespace {name} is being terminated"),
            field: "metadata.namespace".to_owned(),
        });
    }
    Err(status)
}

/// The namespaces that every cluster has stay.
pub(super) fn admit_delete(call: &Call) -> Result<(), Status> {
    if call.resource.id.is("", "namespaces") && PROTECTED.contains(&call.name.as_str()) {
        return Err(call.forbidden(&call.name, "this namespace may not be deleted"));
    }
    Ok(())
}
