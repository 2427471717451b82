use std::sync::Arc;

use kro_apimachinery::{FieldError, Status};
use kro_value::Value;

use super::conform::Stage;
use super::create::dedup_owners;
use super::{Call, Written, metadata, tracking};
use crate::state::State;
use crate::store::Stored;
use crate::{admission, conversion, kinds};

const MODIFIED: &str = "the object has been modified; please apply your changes to the latest version and try again";

impl State {
    /// Replaces an object: PUT.
    pub(crate) fn update(&mut self, call: &mut Call, mut object: Value) -> Result<Written, Status> {
        check_name(call, &object)?;
        metadata::settle_namespace(call, &mut object)?;
        let Some(live) = self.store.get(&call.resource.id, &call.key()).cloned() else {
            return self.create_on_update(call, object);
        };
        self.conform(call, &mut object, Stage::Body)?;
        check_uid(call, &object, &live)?;
        self.replace(call, &live, object, Origin::Put)
    }

    fn create_on_update(&mut self, call: &mut Call, object: Value) -> Result<Written, Status> {
        if !kinds::creates_on_update(&call.resource) || !call.subresource.is_empty() {
            return Err(call.not_found());
        }
        self.create(call, object)
    }

    /// Replaces an object by a complete one that was made from it.
    pub(crate) fn replace_whole(
        &mut self,
        call: &mut Call,
        live: &Arc<Stored>,
        object: Value,
    ) -> Result<Written, Status> {
        self.replace(call, live, object, Origin::Patch)
    }

    /// As [`replace_whole`](Self::replace_whole), with managedFields that are settled already.
    pub(crate) fn replace_settled(
        &mut self,
        call: &mut Call,
        live: &Arc<Stored>,
        object: Value,
    ) -> Result<Written, Status> {
        self.replace(call, live, object, Origin::Apply)
    }

    /// Puts a complete new object in the place of the live one.
    pub(super) fn replace(
        &mut self,
        call: &mut Call,
        live: &Arc<Stored>,
        mut object: Value,
        origin: Origin,
    ) -> Result<Written, Status> {
        let old = call.view(live);
        check_revision(call, &object, live, origin)?;
        if origin != Origin::Apply {
            dedup_owners(call, &mut object);
            tracking::track_update(call, Some(&old), &mut object);
        }
        admission::admit_update(self, call, &mut object, &old)?;
        metadata::restore(&mut object, &old);
        object.set_at(&["metadata", "resourceVersion"], metadata::text(&old, "resourceVersion").into());
        restore_other_parts(call, &mut object, &old);
        kinds::prepare::update(self, call, &mut object, &old)?;
        bump_generation(call, &mut object, &old);
        let errors = self.validate(call, &object, Some(&old));
        if !errors.is_empty() {
            return Err(call.invalid(&call.name, &errors));
        }
        admission::validate(self, call, &object, Some(&old))?;
        self.commit_update(call, live, object, &old)
    }

    fn commit_update(
        &mut self,
        call: &mut Call,
        live: &Arc<Stored>,
        mut object: Value,
        old: &Value,
    ) -> Result<Written, Status> {
        if is_released(call, &object, old) {
            return Ok(self.finish_deletion(call, object, live));
        }
        tracking::keep_times_of_unchanged(&mut object, old);
        conversion::to_storage(&call.resource, &mut object);
        if object == live.value {
            return Ok(Written { created: false, stored: Arc::clone(live) });
        }
        Ok(Written { created: false, stored: self.commit(call, object) })
    }

    /// The last finalizer is gone: so is the object. The answer shows it without the finalizer.
    fn finish_deletion(&mut self, call: &Call, mut object: Value, live: &Stored) -> Written {
        conversion::to_storage(&call.resource, &mut object);
        if !call.dry_run {
            self.remove(&call.resource.id, &call.key());
        }
        Written { created: false, stored: Arc::new(Stored::new(object, live.revision, call.resource.revision)) }
    }
}

/// Where the new object of an update comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Put,
    Patch,
    /// Its managedFields are settled already.
    Apply,
}

pub(super) fn check_name(call: &Call, object: &Value) -> Result<(), Status> {
    let given = metadata::text(object, "name");
    if given.is_empty() {
        return Err(Status::bad_request(format!(
            "the name of the object ({} based on URL) was undeterminable: name must be provided",
            call.name
        )));
    }
    if given != call.name {
        return Err(Status::bad_request(format!(
            "the name of the object ({given}) does not match the name on the URL ({})",
            call.name
        )));
    }
    Ok(())
}

/// A uid in the body of a PUT is a precondition.
fn check_uid(call: &Call, object: &Value, live: &Stored) -> Result<(), Status> {
    let given = metadata::text(object, "uid");
    if given.is_empty() || given == live.uid() {
        return Ok(());
    }
    let id = &call.resource.id;
    let group = if id.group.is_empty() { String::new() } else { format!("{}/", id.group) };
    let namespace = if call.namespace.is_empty() { String::new() } else { format!("{}/", call.namespace) };
    let key = format!("/registry/{group}{}/{namespace}{}", id.resource, call.name);
    Err(call.conflict(&format!(
        "StorageError: invalid object, Code: 4, Key: {key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: {given}, UID in object meta: {}",
        live.uid()
    )))
}

fn check_revision(call: &Call, object: &Value, live: &Stored, origin: Origin) -> Result<(), Status> {
    let given = metadata::text(object, "resourceVersion");
    if matches!(given, "" | "0") {
        if origin == Origin::Put && kinds::requires_revision(&call.resource) {
            let error =
                FieldError::invalid("metadata.resourceVersion", &Value::Int(0), "must be specified for an update");
            let id = &call.resource.id;
            return Err(Status::invalid(&id.group, &id.resource, &call.name, &[error]));
        }
        return Ok(());
    }
    match given.parse::<u64>() {
        Ok(revision) if revision == live.revision => Ok(()),
        Ok(_) => Err(call.conflict(MODIFIED)),
        Err(_) => Err(Status::plain(format!("strconv.ParseUint: parsing {given:?}: invalid syntax"))),
    }
}

/// The status endpoint changes only the status, the main endpoint everything but.
fn restore_other_parts(call: &Call, object: &mut Value, old: &Value) {
    if call.is_status() {
        let mut whole = old.clone();
        replace_member(&mut whole, object, "status");
        if kinds::status_takes_metadata(&call.resource) {
            for key in ["labels", "annotations"] {
                metadata::copy(&mut whole, object, key);
            }
        }
        for key in ["managedFields", "uid", "deletionTimestamp"] {
            metadata::copy(&mut whole, object, key);
        }
        *object = whole;
    } else if call.subresource.is_empty() && call.resource.has_status(call.version) {
        replace_member(object, old, "status");
    }
}

fn replace_member(object: &mut Value, from: &Value, key: &str) {
    match from.get(key) {
        Some(value) => object.set_at(&[key], value.clone()),
        None => {
            object.remove_at(&[key]);
        }
    }
}

/// Counts a change of anything but metadata and (where it has an endpoint of its own) status.
fn bump_generation(call: &Call, object: &mut Value, old: &Value) {
    if !kinds::has_generation(&call.resource) {
        return;
    }
    if call.resource.id.is("scheduling.k8s.io", "priorityclasses") {
        return; // created with one, and not counted
    }
    let ignores_status = call.resource.has_status(call.version) || !call.resource.custom;
    let ignored =
        |key: &str| key == "metadata" || key == "apiVersion" || key == "kind" || ignores_status && key == "status";
    // Nothing and an empty list are the same to Go's types, not to free JSON.
    let equal = |left: &Value, right: &Value| {
        if call.resource.custom { left == right } else { semantically_equal(left, right) }
    };
    let changed = |left: &Value, right: &Value| {
        left.as_map()
            .into_iter()
            .flatten()
            .any(|(key, value)| !ignored(key) && !equal(value, right.get(key).unwrap_or(&Value::Null)))
    };
    if changed(object, old) || changed(old, object) {
        let generation = old.at(&["metadata", "generation"]).and_then(Value::as_i64).unwrap_or_default();
        object.set_at(&["metadata", "generation"], Value::Int(generation + 1));
    }
}

/// Equal where null, an empty map and an empty list are the same.
pub(crate) fn semantically_equal(left: &Value, right: &Value) -> bool {
    let is_empty = |value: &Value| match value {
        Value::Null => true,
        Value::List(items) => items.is_empty(),
        Value::Map(map) => map.is_empty(),
        _ => false,
    };
    if left.same(right) || is_empty(left) && is_empty(right) {
        return true;
    }
    match (left, right) {
        (Value::Map(left), Value::Map(right)) => {
            let null = Value::Null;
            left.iter().all(|(key, value)| semantically_equal(value, right.get(key).unwrap_or(&null)))
                && right.iter().all(|(key, value)| left.contains_key(key) || is_empty(value))
        }
        (Value::List(left), Value::List(right)) => {
            left.len() == right.len()
                && left.iter().zip(right.iter()).all(|(left, right)| semantically_equal(left, right))
        }
        _ => left == right,
    }
}

/// True when an update removes what kept a deleted object alive.
fn is_released(call: &Call, object: &Value, old: &Value) -> bool {
    let grace = old.at(&["metadata", "deletionGracePeriodSeconds"]).and_then(Value::as_i64).unwrap_or_default();
    metadata::is_terminating(old)
        && grace == 0
        && !call.is_status()
        && metadata::strings(object, "finalizers").is_empty()
        && !kinds::is_held(&call.resource, object)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kro_value::from_json;

    #[test]
    fn equality_of_nothing() {
        for (left, right, equal) in [
            ("{}", r#"{"a":null,"b":{},"c":[]}"#, true),
            (r#"{"a":[{}]}"#, r#"{"a":[null]}"#, true),
            (r#"{"a":""}"#, "{}", false),
            (r#"{"a":1}"#, r#"{"a":1.0}"#, true),
            (r#"{"a":[1]}"#, r#"{"a":[1,2]}"#, false),
        ] {
            let (left, right) = (from_json(left).unwrap(), from_json(right).unwrap());
            assert_eq!(semantically_equal(&left, &right), equal, "{left} {right}");
            assert_eq!(semantically_equal(&right, &left), equal, "{right} {left}");
        }
    }
}
