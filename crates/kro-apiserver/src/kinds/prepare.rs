//! What a kind decides about its objects between admission and validation.

use kro_apimachinery::Status;
use kro_value::Value;

use crate::state::State;
use crate::write::Call;

/// Completes a new object.
pub(crate) fn create(state: &mut State, call: &mut Call, object: &mut Value) -> Result<(), Status> {
    let _ = &state;
    if call.resource.id.is("", "namespaces") {
        super::namespace::prepare_create(object);
    }
    Ok(())
}

/// Completes a changed object.
pub(crate) fn update(state: &mut State, call: &mut Call, object: &mut Value, old: &Value) -> Result<(), Status> {
    let _ = &state;
    if call.resource.id.is("", "namespaces") {
        super::namespace::prepare_update(call, object, old);
    }
    Ok(())
}

/// Completes an object that was marked for deletion.
pub(crate) fn deletion(call: &Call, object: &mut Value) {
    if call.resource.id.is("", "namespaces") {
        super::namespace::prepare_deletion(object);
    }
}
