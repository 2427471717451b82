//! The namespace controller: empties a namespace that is being deleted, then lets it go.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use kro_value::{Str, Value};

use super::api::Deletion;
use super::known::{NAMESPACES, PODS};
use super::queue::Queue;
use super::{Api, object, value};
use crate::{Access, Change, ChangeKind, Reactor, Resource};

const NAME: &str = "namespace-controller";
const FINALIZER: &str = "kubernetes";

/// Deletes the content of terminating namespaces, Pods first, and says in their conditions what is left.
pub(super) struct NamespaceController {
    queue: Queue<Str>,
    terminating: BTreeSet<Str>,
}

impl NamespaceController {
    pub(super) fn new() -> Self {
        Self { queue: Queue::new(), terminating: BTreeSet::new() }
    }

    fn note(&mut self, namespace: &Value, now: Timestamp) {
        let name = Str::new(object::name(namespace));
        if object::is_terminating(namespace) {
            self.terminating.insert(name.clone());
            self.queue.add(name, now);
        } else {
            self.terminating.remove(&name);
        }
    }
}

impl Reactor for NamespaceController {
    fn name(&self) -> &'static str {
        NAME
    }

    fn observe(&mut self, change: &Change, now: Timestamp) {
        if NAMESPACES.is(&change.resource.id) {
            if change.kind == ChangeKind::Deleted {
                self.terminating.remove(object::name(&change.object));
            } else {
                self.note(&change.object, now);
            }
        } else if let Some(name) = self.terminating.get(object::namespace(&change.object)) {
            self.queue.add(name.clone(), now);
        }
    }

    fn run(&mut self, access: &mut Access<'_>, now: Timestamp) {
        while let Some(name) = self.queue.pop(now) {
            let mut api = Api::new(access, NAME, now);
            let namespace = api.get(&NAMESPACES, "", &name);
            if let Some(namespace) = namespace.filter(object::is_terminating) {
                sync(&namespace, &mut api, now);
            }
        }
    }

    fn next_due(&self) -> Option<Timestamp> {
        self.queue.next_due()
    }
}

/// What a namespace still holds.
#[derive(Default)]
struct Remaining {
    /// `widgets.example.com` to a count.
    resources: BTreeMap<String, usize>,
    finalizers: BTreeMap<Str, usize>,
    pods: usize,
}

fn sync(namespace: &Value, api: &mut Api<'_, '_>, now: Timestamp) {
    let kept = object::list(namespace, &["spec", "finalizers"]);
    if !kept.iter().any(|finalizer| finalizer.as_str() == Some(FINALIZER)) {
        return;
    }
    let name = object::name(namespace);
    delete_content(name, true, api);
    if remaining(name, api).pods == 0 {
        delete_content(name, false, api);
    }
    let left = remaining(name, api);
    let Some(namespace) = api.get(&NAMESPACES, "", name) else { return };
    let namespace = write_conditions(&namespace, &left, api, now).unwrap_or(namespace);
    if left.resources.is_empty() {
        let kept = object::list(&namespace, &["spec", "finalizers"]).iter();
        let kept: Vec<Value> = kept.filter(|finalizer| finalizer.as_str() != Some(FINALIZER)).cloned().collect();
        let mut finalized = namespace.clone();
        finalized.set_at(&["spec", "finalizers"], kept.into());
        api.replace(&NAMESPACES, finalized, "finalize");
    }
}

fn deletable(api: &Api<'_, '_>) -> Vec<Arc<Resource>> {
    let resources = api.access().resources();
    resources.filter(|resource| resource.namespaced && resource.has_verb("delete")).cloned().collect()
}

fn delete_content(namespace: &str, pods: bool, api: &mut Api<'_, '_>) {
    for resource in deletable(api).into_iter().filter(|resource| PODS.is(&resource.id) == pods) {
        for object in api.access().list(&resource, Some(namespace)) {
            if !object::is_terminating(&object) {
                api.delete_any(&resource, &object, Deletion::BACKGROUND);
            }
        }
    }
}

fn remaining(namespace: &str, api: &Api<'_, '_>) -> Remaining {
    let mut left = Remaining::default();
    for resource in deletable(api) {
        for object in api.access().list(&resource, Some(namespace)) {
            // The core group leaves a dot at the end, as the reference does.
            *left.resources.entry(format!("{}.{}", resource.id.resource, resource.id.group)).or_default() += 1;
            left.pods += usize::from(PODS.is(&resource.id));
            for finalizer in object::finalizers(&object) {
                *left.finalizers.entry(Str::new(finalizer)).or_default() += 1;
            }
        }
    }
    left
}

fn write_conditions(namespace: &Value, left: &Remaining, api: &mut Api<'_, '_>, now: Timestamp) -> Option<Value> {
    let list = |counts: Vec<String>| counts.join(", ");
    let resources = left.resources.iter().map(|(resource, count)| format!("{resource} has {count} resource instances"));
    let finalizers =
        left.finalizers.iter().map(|(finalizer, count)| format!("{finalizer} in {count} resource instances"));
    let conditions = [
        (
            "NamespaceDeletionDiscoveryFailure",
            false,
            "ResourcesDiscovered",
            "All resources successfully discovered".to_owned(),
        ),
        (
            "NamespaceDeletionGroupVersionParsingFailure",
            false,
            "ParsedGroupVersions",
            "All legacy kube types successfully parsed".to_owned(),
        ),
        (
            "NamespaceDeletionContentFailure",
            false,
            "ContentDeleted",
            "All content successfully deleted, may be waiting on finalization".to_owned(),
        ),
        remains(
            "NamespaceContentRemaining",
            ("SomeResourcesRemain", "Some resources are remaining: ", list(resources.collect())),
            ("ContentRemoved", "All content successfully removed"),
        ),
        remains(
            "NamespaceFinalizersRemaining",
            (
                "SomeFinalizersRemain",
                "Some content in the namespace has finalizers remaining: ",
                list(finalizers.collect()),
            ),
            ("ContentHasNoFinalizers", "All content-preserving finalizers finished"),
        ),
    ];
    let mut status = namespace.get("status").cloned().unwrap_or_default();
    let mut written = object::list(namespace, &["status", "conditions"]).to_vec();
    for (kind, holds, reason, message) in conditions {
        let state = if holds { "True" } else { "False" };
        let condition = value!({ "type": kind, "status": state, "reason": reason, "message": message });
        written = object::with_condition(&written, condition, now);
    }
    status.set_at(&["conditions"], written.into());
    api.replace_status(&NAMESPACES, namespace, status)
}

type Condition = (&'static str, bool, &'static str, String);

fn remains(
    kind: &'static str,
    (reason, prefix, what): (&'static str, &str, String),
    (absent, message): (&'static str, &str),
) -> Condition {
    if what.is_empty() {
        (kind, false, absent, message.to_owned())
    } else {
        (kind, true, reason, prefix.to_owned() + &what)
    }
}
