//! What a kind decides about its objects between admission and validation.

use kro_apimachinery::{FieldError, Status, normalize};
use kro_value::Value;

use crate::crd;
use crate::kinds::{service, workload};
use crate::state::State;
use crate::write::Call;
use crate::write::metadata::time_text;

/// A new object has the status that its kind gives to an object nobody looked at yet.
pub(crate) fn reset_status(call: &Call, object: &mut Value) {
    object.remove_at(&["status"]);
    let Some(schema) = call.schema().filter(|_| !call.resource.custom) else { return };
    let empty = Value::Map(kro_value::Map::new());
    let zero = normalize(schema, &empty).ok().and_then(|zero| zero.value.get("status").cloned());
    if let Some(zero) = zero {
        object.set_at(&["status"], zero);
    }
}

/// Drops what is behind feature gates that are closed by default.
fn drop_gated(call: &Call, object: &mut Value) {
    let gated: &[&[&str]] = match kind(call) {
        ("coordination.k8s.io", "leases") => &[&["spec", "strategy"], &["spec", "preferredHolder"]],
        ("apps", "statefulsets") => &[&["spec", "updateStrategy", "rollingUpdate", "maxUnavailable"]],
        _ => &[],
    };
    gated.iter().for_each(|path| drop(object.remove_at(path)));
}

/// Completes a new object.
pub(crate) fn create(state: &mut State, call: &mut Call, object: &mut Value) -> Result<(), Status> {
    drop_gated(call, object);
    match kind(call) {
        ("", "namespaces") => super::namespace::prepare_create(object),
        ("", "services") => refuse(call, &service::allocate(state, object, None))?,
        ("", "pods") => {
            workload::prepare_grace(object);
            workload::prepare_pod(object);
        }
        // Where nodes are simulated they are ready at once.
        ("", "nodes") if state.config.profile != crate::Profile::Dev => workload::prepare_node(object),
        ("apps", "daemonsets") => workload::prepare_daemon_set(object, None),
        ("batch", "jobs") => workload::prepare_job(object),
        ("", "persistentvolumeclaims") => {
            super::volume::prepare_claim(object);
            object.set_at(&["status", "phase"], "Pending".into());
        }
        ("", "persistentvolumes") => {
            object.set_at(&["status", "phase"], "Pending".into());
            object.set_at(&["status", "lastPhaseTransitionTime"], time_text(call.now).into());
        }
        ("apiextensions.k8s.io", "customresourcedefinitions") => crd::strategy::prepare_create(object),
        _ => {}
    }
    Ok(())
}

/// Completes a changed object.
pub(crate) fn update(state: &mut State, call: &mut Call, object: &mut Value, old: &Value) -> Result<(), Status> {
    drop_gated(call, object);
    let looks_at_all = matches!(kind(call), ("", "namespaces") | ("apiextensions.k8s.io", _));
    if !call.subresource.is_empty() && !looks_at_all {
        return Ok(());
    }
    match kind(call) {
        ("", "services") => refuse(call, &service::allocate(state, object, Some(old)))?,
        ("", "pods") => workload::prepare_grace(object),
        ("apps", "daemonsets") => workload::prepare_daemon_set(object, Some(old)),
        ("", "namespaces") => super::namespace::prepare_update(call, object, old),
        ("apiextensions.k8s.io", "customresourcedefinitions") => crd::strategy::prepare_update(object),
        _ => {}
    }
    Ok(())
}

/// Adds what keeps an object that is to be deleted.
pub(crate) fn hold(call: &Call, object: &mut Value) {
    if call.resource.id == crd::id() {
        crd::strategy::hold(object);
    }
}

/// Completes an object that was marked for deletion.
pub(crate) fn deletion(call: &Call, object: &mut Value) {
    match kind(call) {
        ("", "namespaces") => super::namespace::prepare_deletion(object),
        ("apiextensions.k8s.io", "customresourcedefinitions") => crd::strategy::mark_terminating(call, object),
        _ => {}
    }
}

fn refuse(call: &Call, errors: &[FieldError]) -> Result<(), Status> {
    if errors.is_empty() { Ok(()) } else { Err(call.invalid(&call.name, errors)) }
}

fn kind(call: &Call) -> (&str, &str) {
    (&call.resource.id.group, &call.resource.id.resource)
}
