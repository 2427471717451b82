use std::collections::BTreeMap;

use kro_value::{Str, Value};

use super::kubectl;
use super::update::{Force, empty_object, reconciled, record, release, strip, without_managers};
use super::versions::kind_text;
use super::{Conflict, Entry, Identity, Managers, Operation, Request, VersionError};
use crate::Status;
use crate::fieldset::Set;
use crate::typed::{Duplicates, Type, TypeError, check, field_set, merge, remove, with_named_fields};

const BEFORE_FIRST_APPLY: &str = "before-first-apply";

/// The outcome of an apply.
#[derive(Debug, Clone, PartialEq)]
pub struct Applied {
    /// The object to default, validate and store, with its `metadata.managedFields`.
    pub object: Value,
    /// True when nothing but the books may have changed.
    pub unchanged: bool,
}

/// Server-side apply. `live` is `None` when the object does not exist.
///
/// # Errors
/// 400 for an object of another kind or with managed fields, 409 for conflicts, 500 for one that does not fit the type.
pub fn apply(live: Option<&Value>, applied: &Value, request: &Request<'_>, force: bool) -> Result<Applied, Status> {
    check_kind(applied, request)?;
    let managers = live.map_or(Ok(Managers::new()), Managers::of);
    let managers = managers.map_err(|why| Status::plain(format!("failed to decode managed fields: {why}")))?;
    let empty = empty_object(request);
    let live = without_managers(live.unwrap_or(&empty));
    let managers = if managers.is_empty() { before_first_apply(&live, request)? } else { managers };
    let outcome = apply_unless_in_conflict(&live, applied, managers.clone(), request, force)?;
    let outcome = match outcome {
        Outcome::Conflicts(conflicts) if kubectl::may_take(&live, &conflicts, request) => {
            apply_unless_in_conflict(&live, applied, managers, request, true)?
        }
        other => other,
    };
    match outcome {
        Outcome::Conflicts(conflicts) => Err(Conflict::status_of_all(conflicts)),
        Outcome::Applied { object, unchanged, managers } => {
            let mut object = kubectl::refresh_annotation(object, applied, request);
            managers.write(&mut object);
            Ok(Applied { object, unchanged })
        }
    }
}

fn check_kind(applied: &Value, request: &Request<'_>) -> Result<(), Status> {
    let text = |key: &str| applied.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (api_version, kind) = (text("apiVersion"), text("kind"));
    if api_version != request.api_version || kind != request.kind {
        return Err(Status::bad_request(format!("invalid object type: {}", kind_text(&api_version, &kind))));
    }
    let managed = applied.at(&["metadata", "managedFields"]);
    if managed.is_some_and(|managed| !managed.is_null()) {
        return Err(Status::bad_request("metadata.managedFields must be nil"));
    }
    Ok(())
}

/// Everything in an object that nobody owns yet is owned as of its first apply.
fn before_first_apply(live: &Value, request: &Request<'_>) -> Result<Managers, Status> {
    let identity = Identity::new(BEFORE_FIRST_APPLY, Operation::Update, request.api_version, request.subresource);
    let empty = empty_object(request);
    record(Some(&empty), live, Managers::new(), request, identity)
        .map_err(|why| Status::plain(format!("failed to create manager for existing fields: {why}")))
}

enum Outcome {
    Conflicts(Vec<Conflict>),
    Applied { object: Value, unchanged: bool, managers: Managers },
}

fn apply_unless_in_conflict(
    live: &Value,
    applied: &Value,
    managers: Managers,
    request: &Request<'_>,
    force: bool,
) -> Result<Outcome, Status> {
    let kind = request.kind_type().map_err(plain)?;
    let misfit = |what: &str, object: &Value, errors: &[TypeError]| {
        let (name, errors) = (request.name_of(object), TypeError::text_of_all(errors));
        Status::plain(format!("failed to create typed {what} object ({name}): {errors}"))
    };
    let errors = check(&kind, applied, Duplicates::Refused);
    if !errors.is_empty() {
        return Err(misfit("patch", applied, &errors));
    }
    let errors = check(&kind, live, Duplicates::Allowed);
    if !errors.is_empty() {
        return Err(misfit("live", live, &errors));
    }
    let mut managers = reconciled(live, managers, request).map_err(plain)?;
    let writer = request.identity(Operation::Apply);
    let former = managers.take(&writer);
    let fields = request.versions.filter_at(request.api_version).filter(&field_set(&kind, applied));
    let time = former.as_ref().and_then(|entry| entry.time.clone());
    managers.put(Entry { identity: writer.clone(), api_version: Str::new(request.api_version), time, fields });
    let merged = merge(&kind, live, applied);
    let object = match former.filter(|entry| !entry.fields.is_empty()) {
        Some(former) => prune(&merged, &managers, &former, request)
            .map_err(|why| Status::plain(format!("failed to prune fields: {why}")))?,
        None => merged,
    };
    let force = if force { Force::Yes } else { Force::No };
    let released = release(live, &object, &mut managers, request, Some(&writer), force).map_err(plain)?;
    if !released.conflicts.is_empty() {
        return Ok(Outcome::Conflicts(released.conflicts));
    }
    let unchanged = object == *live;
    finish_entry(&mut managers, &writer, request, unchanged);
    Ok(Outcome::Applied { object, unchanged, managers })
}

/// The writer's entry without what nobody owns, dated when the object changed.
fn finish_entry(managers: &mut Managers, writer: &Identity, request: &Request<'_>, unchanged: bool) {
    if let Some(mut entry) = managers.take(writer) {
        entry.fields = strip(&entry.fields);
        if !unchanged {
            entry.time = request.time();
        }
        if !entry.fields.is_empty() {
            managers.put(entry);
        }
    }
}

fn plain(error: VersionError) -> Status {
    Status::plain(error.to_string())
}

/// Removes what the applier applied before and does not now, unless somebody owns it.
fn prune(merged: &Value, managers: &Managers, former: &Entry, request: &Request<'_>) -> Result<Value, String> {
    let version = &former.api_version;
    let (kind, merged) = match request.at_version(merged, version) {
        Ok(converted) => converted,
        Err(VersionError::Missing) => return Ok(merged.clone()),
        Err(error) => return Err(format!("failed to convert merged object to last applied version: {error}")),
    };
    let pruned = remove(&kind, &merged, &with_named_fields(&kind, &former.fields));
    let pruned = add_back_owned(&merged, pruned, version, managers, request)
        .map_err(|error| format!("failed add back owned items: {error}"))?;
    let pruned = add_back_dangling(&kind, &merged, &pruned, former, request)
        .map_err(|error| format!("failed add back dangling items: {error}"))?;
    let converted = request.at_version(&pruned, request.api_version);
    Ok(converted.map_err(|error| format!("failed to convert pruned object: {error}"))?.1)
}

/// Puts back what is owned by anybody, the applier's new fields included: first at the pruned version.
fn add_back_owned(
    merged: &Value,
    pruned: Value,
    version: &Str,
    managers: &Managers,
    request: &Request<'_>,
) -> Result<Value, VersionError> {
    let mut owned: BTreeMap<(bool, &Str), Set> = BTreeMap::new();
    for entry in managers.entries() {
        let fields = owned.entry((entry.api_version != *version, &entry.api_version)).or_default();
        *fields = fields.union(&entry.fields);
    }
    let mut pruned = pruned;
    for ((_, version), fields) in owned {
        let (kind, merged) = match request.at_version(merged, version) {
            Ok(converted) => converted,
            Err(VersionError::Missing) => continue,
            Err(error) => return Err(error),
        };
        let (_, converted) = request.at_version(&pruned, version)?;
        let kept = named(&kind, &converted).union(&with_named_fields(&kind, &fields));
        pruned = remove(&kind, &merged, &named(&kind, &merged).difference(&kept));
    }
    Ok(pruned)
}

/// Puts back what went though the applier never owned it, such as items that lost their container.
fn add_back_dangling(
    kind: &Type,
    merged: &Value,
    pruned: &Value,
    former: &Entry,
    request: &Request<'_>,
) -> Result<Value, VersionError> {
    let (_, pruned) = request.at_version(pruned, &former.api_version)?;
    let gone = named(kind, merged).difference(&named(kind, &pruned));
    Ok(remove(kind, merged, &gone.intersection(&with_named_fields(kind, &former.fields))))
}

fn named(kind: &Type, object: &Value) -> Set {
    with_named_fields(kind, &field_set(kind, object))
}
