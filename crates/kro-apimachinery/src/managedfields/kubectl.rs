//! The road from `kubectl apply` on the client's side to server-side apply.

use kro_value::{Value, from_json, to_json};

use super::{Conflict, Request};
use crate::fieldset::Set;
use crate::typed::{Duplicates, check, compare, field_set};

const MANAGER: &str = "kubectl";
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Whether kubectl may take the fields in conflict, because it applied their present values from the client's side.
pub(super) fn may_take(live: &Value, conflicts: &[Conflict], request: &Request<'_>) -> bool {
    if request.manager != MANAGER {
        return false;
    }
    let Some(allowed) = last_applied_fields(live, request) else { return false };
    conflicts.iter().all(|conflict| allowed.contains(&conflict.path))
}

/// Fields of the last applied object that still have their values.
fn last_applied_fields(live: &Value, request: &Request<'_>) -> Option<Set> {
    let last_applied = from_json(live.str_at(&["metadata", "annotations", LAST_APPLIED])?).ok()?;
    if last_applied.str_at(&["apiVersion"]) != Some(request.api_version) {
        return None;
    }
    let kind = request.kind_type().ok()?;
    if !check(&kind, &last_applied, Duplicates::Allowed).is_empty() {
        return None;
    }
    let changes = compare(&kind, &last_applied, live);
    let fields = field_set(&kind, &last_applied);
    Some(fields.difference(&changes.modified).difference(&changes.added).difference(&changes.removed))
}

/// Keeps the annotation of client-side apply up to date, where there is one, so that going back stays possible.
pub(super) fn refresh_annotation(mut object: Value, applied: &Value, request: &Request<'_>) -> Value {
    let path = ["metadata", "annotations", LAST_APPLIED];
    if request.manager != MANAGER || object.str_at(&path).is_none_or(str::is_empty) {
        return object;
    }
    let mut applied = applied.clone();
    applied.remove_at(&path);
    object.set_at(&path, Value::from(format!("{}\n", to_json(&applied))));
    object
}
