//! Admission: what is decided about a write before it is validated and stored.

mod completion;
mod namespace;
mod policies;
mod priority;

use kro_apimachinery::Status;
use kro_value::Value;

use self::policies::Operation;
use crate::authorization::escalation;
use crate::state::State;
use crate::write::Call;

/// Decides about a new object and completes it.
pub(crate) fn admit_create(state: &State, call: &mut Call, object: &mut Value) -> Result<(), Status> {
    namespace::admit_create(state, call)?;
    if call.resource.terminating {
        let why = "create not allowed while custom resource definition is terminating";
        return Err(call.forbidden(&call.name, why));
    }
    let id = &call.resource.id;
    if id.is("", "pods") && call.subresource.is_empty() {
        priority::settle(state, call, object)?;
    }
    completion::complete(state.config.profile, &id.group, &id.resource, object);
    Ok(())
}

/// Decides about a changed object and completes it.
pub(crate) fn admit_update(state: &State, call: &mut Call, object: &mut Value, old: &Value) -> Result<(), Status> {
    let _ = (state, call, object, old);
    Ok(())
}

/// Decides about a deletion.
pub(crate) fn admit_delete(state: &State, call: &mut Call, object: &Value) -> Result<(), Status> {
    namespace::admit_delete(call)?;
    policies::validate(state, call, &Operation { name: "DELETE", object: None, old: Some(object) })
}

/// The last word on a valid object.
pub(crate) fn validate(state: &State, call: &mut Call, object: &Value, old: Option<&Value>) -> Result<(), Status> {
    escalation::check(state, call, object, old)?;
    let name = if old.is_some() { "UPDATE" } else { "CREATE" };
    policies::validate(state, call, &Operation { name, object: Some(object), old })
}
