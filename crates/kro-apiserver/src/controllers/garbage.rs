//! The garbage collector: what goes when its owners go.

use std::collections::BTreeSet;
use std::mem;
use std::sync::Arc;

use jiff::Timestamp;
use kro_value::{Str, Value};

use super::api::Deletion;
use super::queue::Queue;
use super::{Api, object, value};
use crate::{Access, Change, ChangeKind, Propagation, Reactor, Resource};

const NAME: &str = "generic-garbage-collector";
const FOREGROUND: &str = "foregroundDeletion";
const ORPHAN: &str = "orphan";

/// Something to look at, by uid.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Item {
    /// An object: whether it should go, or wait for its dependents.
    Object(Str),
    /// Everything that names this uid as an owner.
    DependentsOf(Str),
}

/// Deletes objects without owners left, lets owners that are deleted in the foreground wait for their dependents, and
/// frees the dependents of owners that are deleted with `Orphan`. It works from the live state, so only changes are
/// remembered, not objects.
pub(super) struct GarbageCollector {
    queue: Queue<Item>,
    /// Objects with an owner of a kind that is not served: looked at again when kinds change.
    unresolved: BTreeSet<Str>,
}

/// What an owner reference amounts to.
enum Reference {
    /// Its owner is there.
    Solid,
    /// Its owner is there and waits for its dependents.
    Waiting,
    /// Its owner is gone.
    Dangling,
}

/// Why the references of an object say nothing.
enum Unclear {
    /// The kind of an owner is not served.
    UnknownKind,
    /// The object has no namespace but names an owner in one.
    InvalidNamespace,
}

impl GarbageCollector {
    pub(super) fn new() -> Self {
        Self { queue: Queue::new(), unresolved: BTreeSet::new() }
    }

    fn object(&mut self, uid: &str, now: Timestamp) {
        self.queue.add(Item::Object(Str::new(uid)), now);
    }

    fn owners_of(&mut self, object: &Value, now: Timestamp) {
        for uid in object::owners(object).iter().filter_map(|owner| owner.str_at(&["uid"])) {
            self.object(uid, now);
        }
    }

    fn check(&mut self, uid: &str, api: &mut Api<'_, '_>, now: Timestamp) {
        let Some((resource, object)) = api.access().by_uid(uid) else { return };
        if object::is_terminating(&object) {
            if object::has_finalizer(&object, ORPHAN) {
                orphan(&resource, &object, api);
            } else if object::has_finalizer(&object, FOREGROUND) {
                self.wait_for_dependents(&resource, &object, api, now);
            }
        } else if !object::owners(&object).is_empty() {
            self.collect(&resource, &object, api);
        }
    }

    /// An owner that is deleted in the foreground: goes when no dependent blocks it.
    fn wait_for_dependents(&mut self, resource: &Arc<Resource>, owner: &Value, api: &mut Api<'_, '_>, now: Timestamp) {
        let dependents = api.access().dependents(object::uid(owner));
        if !dependents.iter().any(|(_, dependent)| blocks(dependent, object::uid(owner))) {
            remove_finalizer(resource, owner, FOREGROUND, api);
            return;
        }
        for (_, dependent) in dependents {
            if !object::is_terminating(&dependent) {
                self.object(object::uid(&dependent), now);
            }
        }
    }

    /// An object with owners: goes when none of them holds it.
    fn collect(&mut self, resource: &Arc<Resource>, object: &Value, api: &mut Api<'_, '_>) {
        let (mut solid, mut waiting, mut kept) = (0, 0, Vec::new());
        for reference in object::owners(object) {
            match classify(resource, object, reference, api.access()) {
                Ok(Reference::Solid) => {
                    solid += 1;
                    kept.push(reference.clone());
                }
                Ok(Reference::Waiting) => waiting += 1,
                Ok(Reference::Dangling) => {}
                Err(Unclear::UnknownKind) => {
                    self.unresolved.insert(Str::new(object::uid(object)));
                    return;
                }
                Err(Unclear::InvalidNamespace) => return refuse(object, reference, api),
            }
        }
        if solid == object::owners(object).len() {
            return;
        }
        if solid > 0 {
            set_owners(resource, object, kept, api);
        } else {
            delete(resource, object, waiting > 0, api);
        }
    }
}

impl Reactor for GarbageCollector {
    fn name(&self) -> &'static str {
        NAME
    }

    fn observe(&mut self, change: &Change, now: Timestamp) {
        let object = &change.object;
        if change.kind == ChangeKind::Deleted {
            self.queue.add(Item::DependentsOf(Str::new(object::uid(object))), now);
            self.owners_of(object, now);
        } else if !object::owners(object).is_empty() || object::is_terminating(object) {
            self.object(object::uid(object), now);
        }
        let previous = change.previous.as_ref();
        if let Some(previous) = previous.filter(|previous| object::owners(previous) != object::owners(object)) {
            self.owners_of(previous, now);
            self.owners_of(object, now);
        }
        if let Some(previous) = previous.filter(|_| object::is_terminating(object)) {
            // What waits for an owner differs from what has one: its deletion begins, or its finalizers changed.
            if !object::is_terminating(previous) || !object::finalizers(previous).eq(object::finalizers(object)) {
                self.queue.add(Item::DependentsOf(Str::new(object::uid(object))), now);
            }
        }
        if change.resource.id.is("apiextensions.k8s.io", "customresourcedefinitions") {
            for uid in mem::take(&mut self.unresolved) {
                self.object(&uid, now);
            }
        }
    }

    fn run(&mut self, access: &mut Access<'_>, now: Timestamp) {
        while let Some(item) = self.queue.pop(now) {
            match item {
                Item::Object(uid) => self.check(&uid, &mut Api::new(access, NAME, now), now),
                Item::DependentsOf(uid) => {
                    for (_, dependent) in access.dependents(&uid) {
                        self.object(object::uid(&dependent), now);
                    }
                }
            }
        }
    }

    fn next_due(&self) -> Option<Timestamp> {
        self.queue.next_due()
    }
}

fn classify(
    resource: &Arc<Resource>,
    object: &Value,
    reference: &Value,
    access: &Access<'_>,
) -> Result<Reference, Unclear> {
    let text = |key: &str| reference.str_at(&[key]).unwrap_or_default();
    let owners = access.resource_of(text("apiVersion"), text("kind")).ok_or(Unclear::UnknownKind)?;
    if owners.namespaced && !resource.namespaced {
        return Err(Unclear::InvalidNamespace);
    }
    let namespace = if owners.namespaced { object::namespace(object) } else { "" };
    let owner = access.get(&owners, namespace, text("name"));
    let Some(owner) = owner.filter(|owner| object::uid(owner) == text("uid")) else { return Ok(Reference::Dangling) };
    let waits = object::is_terminating(&owner) && object::has_finalizer(&owner, FOREGROUND);
    Ok(if waits { Reference::Waiting } else { Reference::Solid })
}

/// True when this dependent keeps the owner from going.
fn blocks(dependent: &Value, owner_uid: &str) -> bool {
    object::owners(dependent).iter().any(|reference| {
        reference.str_at(&["uid"]) == Some(owner_uid)
            && reference.get("blockOwnerDeletion").and_then(Value::as_bool) == Some(true)
    })
}

fn delete(resource: &Arc<Resource>, object: &Value, waited_for: bool, api: &mut Api<'_, '_>) {
    let dependents = if waited_for { api.access().dependents(object::uid(object)) } else { Vec::new() };
    let propagation = if !dependents.is_empty() {
        let waits = |(_, dependent): &(_, Value)| {
            object::is_terminating(dependent) && object::has_finalizer(dependent, FOREGROUND)
        };
        if dependents.iter().any(waits) {
            unblock(resource, object, api); // or a circle of owners would wait for itself
        }
        Propagation::Foreground
    } else if object::has_finalizer(object, ORPHAN) {
        Propagation::Orphan
    } else if object::has_finalizer(object, FOREGROUND) {
        Propagation::Foreground
    } else {
        Propagation::Background
    };
    api.delete_any(resource, object, Deletion { propagation: Some(propagation), grace: None });
}

fn unblock(resource: &Arc<Resource>, object: &Value, api: &mut Api<'_, '_>) {
    let owners = object::owners(object).iter().map(|reference| {
        let mut reference = reference.clone();
        reference.set_at(&["blockOwnerDeletion"], false.into());
        reference
    });
    set_owners(resource, object, owners.collect(), api);
}

/// Frees every dependent of an owner that goes without them.
fn orphan(resource: &Arc<Resource>, owner: &Value, api: &mut Api<'_, '_>) {
    let uid = object::uid(owner);
    for (of, dependent) in api.access().dependents(uid) {
        let mut owners = object::owners(&dependent).to_vec();
        owners.retain(|reference| reference.str_at(&["uid"]) != Some(uid));
        set_owners(&of, &dependent, owners, api);
    }
    if api.access().dependents(uid).is_empty() {
        remove_finalizer(resource, owner, ORPHAN, api);
    }
}

fn set_owners(resource: &Arc<Resource>, object: &Value, owners: Vec<Value>, api: &mut Api<'_, '_>) {
    let owners = if owners.is_empty() { Value::Null } else { owners.into() };
    let patch = value!({ "metadata": { "ownerReferences": owners } });
    api.patch_any(resource, object, &patch);
}

fn remove_finalizer(resource: &Arc<Resource>, object: &Value, finalizer: &str, api: &mut Api<'_, '_>) {
    let kept: Vec<Value> =
        object::finalizers(object).filter(|present| *present != finalizer).map(Value::from).collect();
    let kept = if kept.is_empty() { Value::Null } else { kept.into() };
    let patch = value!({ "metadata": { "finalizers": kept } });
    api.patch_any(resource, object, &patch);
}

fn refuse(object: &Value, reference: &Value, api: &mut Api<'_, '_>) {
    let text = |key: &str| reference.str_at(&[key]).unwrap_or_default();
    let message = format!(
        "ownerRef [{}/{}, namespace: , name: {}, uid: {}] does not exist in namespace \"\"",
        text("apiVersion"),
        text("kind"),
        text("name"),
        text("uid"),
    );
    api.event(object, "Warning", "OwnerRefInvalidNamespace", &message);
}
