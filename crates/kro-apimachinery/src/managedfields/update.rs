use std::collections::HashMap;

use kro_value::{Str, Value};

use super::cap::cap;
use super::{Conflict, Entry, Identity, Managers, Operation, Request, VersionError};
use crate::fieldset::{PathElement, Set};
use crate::typed::{Comparison, Duplicates, TypeError, check, compare, reconcile};

/// Keeps the books for a write that is no apply: create, update or patch. `live` is `None` on create.
///
/// The result is `new` with its `metadata.managedFields` set. It never fails: where the books cannot be kept, the
/// object goes without.
pub fn update(live: Option<&Value>, new: &Value, request: &Request<'_>) -> Value {
    let managers = managers_before(live, new, request);
    let mut object = new.clone();
    object.remove_at(&["metadata", "managedFields"]);
    let is_tracked = live.is_none() || !managers.is_empty();
    let managers = if is_tracked { tracked(live, &object, managers, request).unwrap_or_default() } else { managers };
    managers.write(&mut object);
    object
}

/// The entries to start from: those of the request where it gives any that can be read, else the stored ones.
fn managers_before(live: Option<&Value>, new: &Value, request: &Request<'_>) -> Managers {
    let stored = || live.and_then(|live| Managers::of(live).ok()).unwrap_or_default();
    if !request.subresource.is_empty() {
        return stored();
    }
    if is_reset(new.at(&["metadata", "managedFields"])) {
        return Managers::new();
    }
    match Managers::of(new) {
        Ok(managers) if !managers.is_empty() => managers,
        _ => stored(),
    }
}

/// `[]` and `[{}]` ask for the books to be thrown away.
fn is_reset(list: Option<&Value>) -> bool {
    match list.and_then(Value::as_list) {
        Some([]) => true,
        Some([only]) => only.as_map().is_some_and(kro_value::Map::is_empty),
        _ => false,
    }
}

fn tracked(
    live: Option<&Value>,
    new: &Value,
    managers: Managers,
    request: &Request<'_>,
) -> Result<Managers, VersionError> {
    let managers = record(live, new, managers, request, request.identity(Operation::Update))?;
    Ok(cap(managers))
}

/// Records what changed between two objects as owned by a writer.
pub(super) fn record(
    live: Option<&Value>,
    new: &Value,
    managers: Managers,
    request: &Request<'_>,
    identity: Identity,
) -> Result<Managers, VersionError> {
    let empty = request.versions.new_object(request.api_version, request.kind);
    let live = without_managers(live.unwrap_or(&empty));
    fits(new, request)?;
    fits(&live, request)?;
    let mut managers = reconciled(&live, managers, request)?;
    let changes = release(&live, new, &mut managers, request, None, Force::Yes)?.changes;
    let owned = changes.added.union(&changes.modified);
    let owned = strip(&request.versions.filter_at(request.api_version).filter(&owned));
    if !owned.is_empty() {
        let known = managers.get(&identity).map(|entry| entry.fields.clone()).unwrap_or_default();
        let api_version = Str::new(request.api_version);
        managers.put(Entry { identity, api_version, time: request.time(), fields: owned.union(&known) });
    }
    Ok(managers)
}

/// An object with nothing but its kind.
pub(super) fn empty_object(request: &Request<'_>) -> Value {
    Value::map([("apiVersion", Value::from(request.api_version)), ("kind", Value::from(request.kind))])
}

pub(super) fn without_managers(object: &Value) -> Value {
    let mut object = object.clone();
    object.remove_at(&["metadata", "managedFields"]);
    object
}

fn fits(object: &Value, request: &Request<'_>) -> Result<(), VersionError> {
    let kind = request.kind_type()?;
    match check(&kind, object, Duplicates::Allowed) {
        errors if errors.is_empty() => Ok(()),
        errors => Err(VersionError::Failed(TypeError::text_of_all(&errors))),
    }
}

/// Brings every entry in line with the present schema of its version; entries of versions that are gone go.
pub(super) fn reconciled(live: &Value, managers: Managers, request: &Request<'_>) -> Result<Managers, VersionError> {
    let mut kept = Managers::new();
    for mut entry in managers.entries().iter().cloned() {
        match request.at_version(live, &entry.api_version) {
            Err(VersionError::Missing) => continue,
            Err(error) => return Err(error),
            Ok((kind, _)) => entry.fields = reconcile(&kind, &entry.fields),
        }
        kept.put(entry);
    }
    Ok(kept)
}

/// Whether other owners give way.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Force {
    Yes,
    No,
}

pub(super) struct Released {
    /// How the object changes, seen at the request's version, without what its endpoint resets.
    pub changes: Comparison,
    /// Fields that others own; empty with force.
    pub conflicts: Vec<Conflict>,
}

/// Takes changed and removed fields away from everybody but `writer`.
pub(super) fn release(
    live: &Value,
    new: &Value,
    managers: &mut Managers,
    request: &Request<'_>,
    writer: Option<&Identity>,
    force: Force,
) -> Result<Released, VersionError> {
    let mut comparisons = HashMap::new();
    let changes = changes_at(live, new, request, request.api_version)?;
    comparisons.insert(Str::new(request.api_version), changes.clone());
    let mut conflicts = Vec::new();
    let mut released = Vec::new();
    for entry in managers.entries().iter().filter(|entry| Some(&entry.identity) != writer) {
        if !comparisons.contains_key(&entry.api_version) {
            match changes_at(live, new, request, &entry.api_version) {
                Ok(changes) => comparisons.insert(entry.api_version.clone(), changes),
                Err(VersionError::Missing) => {
                    released.push((entry.identity.clone(), entry.fields.clone()));
                    continue;
                }
                Err(error) => return Err(error),
            };
        }
        let Some(changes) = comparisons.get(&entry.api_version) else { continue };
        let lost = entry.fields.intersection(&changes.modified.union(&changes.added));
        if force == Force::No {
            let conflict = |path| Conflict { owner: entry.identity.clone(), path };
            conflicts.extend(lost.paths_by_level().into_iter().map(conflict));
        }
        released.push((entry.identity.clone(), lost.union(&changes.removed)));
    }
    if conflicts.is_empty() {
        for entry in managers.entries_mut() {
            if let Some((_, lost)) = released.iter().find(|(identity, _)| *identity == entry.identity) {
                entry.fields = entry.fields.difference(lost);
            }
        }
        managers.drop_empty();
    }
    Ok(Released { changes, conflicts })
}

fn changes_at(live: &Value, new: &Value, request: &Request<'_>, version: &str) -> Result<Comparison, VersionError> {
    let (kind, live) = request.at_version(live, version)?;
    let (_, new) = request.at_version(new, version)?;
    let changes = compare(&kind, &live, &new);
    let filter = request.versions.filter_at(version);
    Ok(Comparison {
        added: filter.filter(&changes.added),
        modified: filter.filter(&changes.modified),
        removed: filter.filter(&changes.removed),
    })
}

/// Removes what nobody owns: the identity of the object and what the server alone writes.
pub(super) fn strip(set: &Set) -> Set {
    const METADATA: [&str; 9] = [
        "clusterName",
        "creationTimestamp",
        "generation",
        "managedFields",
        "name",
        "namespace",
        "resourceVersion",
        "selfLink",
        "uid",
    ];
    let field = |name: &'static str| PathElement::Field(Str::new_static(name));
    let top = ["apiVersion", "kind", "metadata"].map(|name| vec![field(name)]);
    let metadata = METADATA.map(|name| vec![field("metadata"), field(name)]);
    set.difference(&Set::of(top.iter().chain(&metadata).map(Vec::as_slice)))
}
