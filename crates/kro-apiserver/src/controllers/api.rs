use std::sync::Arc;

use jiff::Timestamp;
use kro_apimachinery::Status;
use kro_value::{Str, Value};

use super::known::{EVENTS, Known};
use super::outcome::merge;
use super::{object, template, value};
use crate::{Access, DeleteOptions, ObjectRef, Propagation, Resource};

/// What a controller does to the cluster: reads of the live state and writes in its own name.
pub(super) struct Api<'a, 'b> {
    access: &'a mut Access<'b>,
    name: &'static str,
    now: Timestamp,
    refused: bool,
}

/// How to delete an object.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Deletion {
    /// The kind's default without one.
    pub(super) propagation: Option<Propagation>,
    /// Seconds; the object's own grace period without one.
    pub(super) grace: Option<i64>,
}

impl Deletion {
    /// Dependents go later.
    pub(super) const BACKGROUND: Self = Self { propagation: Some(Propagation::Background), grace: None };
}

impl<'a, 'b> Api<'a, 'b> {
    pub(super) fn new(access: &'a mut Access<'b>, name: &'static str, now: Timestamp) -> Self {
        Self { access, name, now, refused: false }
    }

    /// True when a write was refused for any reason but that its object is gone or changed meanwhile.
    pub(super) fn was_refused(&self) -> bool {
        self.refused
    }

    pub(super) fn now(&self) -> Timestamp {
        self.now
    }

    pub(super) fn access(&self) -> &Access<'b> {
        self.access
    }

    pub(super) fn get(&self, of: &Known, namespace: &str, name: &str) -> Option<Value> {
        self.access.get(&*self.resource(of)?, namespace, name)
    }

    pub(super) fn list(&self, of: &Known, namespace: Option<&str>) -> Vec<Value> {
        self.resource(of).map(|resource| self.access.list(&resource, namespace)).unwrap_or_default()
    }

    /// The objects of a resource whose controller is this owner, by name.
    pub(super) fn controlled(&self, of: &Known, owner: &Value) -> Vec<Value> {
        let dependents = self.access.dependents(object::uid(owner)).into_iter();
        let of_resource = dependents.filter(|(resource, _)| of.is(&resource.id)).map(|(_, dependent)| dependent);
        of_resource.filter(|dependent| object::is_controlled_by(dependent, object::uid(owner))).collect()
    }

    /// The objects that this workload controls, after it took over those that nobody controls and that it selects.
    pub(super) fn claimed(&mut self, of: &Known, owner: &Value) -> Vec<Value> {
        for orphan in self.orphans(of, owner) {
            let mut owners = object::owners(&orphan).to_vec();
            owners.push(object::controller_reference(owner));
            let patch = value!({ "metadata": { "ownerReferences": owners } });
            self.patch(of, &orphan, &patch);
        }
        self.controlled(of, owner)
    }

    fn orphans(&self, of: &Known, owner: &Value) -> Vec<Value> {
        let selector = object::selector(owner).filter(|_| !object::is_terminating(owner));
        let (Some(selector), Some(resource)) = (selector, self.resource(of)) else { return Vec::new() };
        let mut orphans = self.access.select(&resource, Some(object::namespace(owner)), &selector);
        orphans.retain(|orphan| object::controller(orphan).is_none() && !object::is_terminating(orphan));
        orphans
    }

    pub(super) fn create(&mut self, of: &Known, namespace: &str, mut object: Value) -> Option<Value> {
        let resource = self.resource(of)?;
        if of.namespaced {
            object.set_at(&["metadata", "namespace"], namespace.into());
        }
        let answer = self.access.create(&resource, object);
        self.settle(answer)
    }

    /// Merges a patch into an object.
    pub(super) fn patch(&mut self, of: &Known, target: &Value, patch: &Value) -> Option<Value> {
        let resource = self.resource(of)?;
        self.patch_any(&resource, target, patch)
    }

    /// Merges a patch into an object of any resource, unless another object has taken its name.
    pub(super) fn patch_any(&mut self, resource: &Arc<Resource>, target: &Value, patch: &Value) -> Option<Value> {
        // Nobody else writes between this read and the write, so a replacement is as good as a patch.
        let mut live = self.access.get(resource, object::namespace(target), object::name(target))?;
        if object::uid(&live) != object::uid(target) {
            return None;
        }
        merge(&mut live, patch);
        let answer = self.access.update(resource, live);
        self.settle(answer)
    }

    /// Writes a status in place of the object's own, unless they are equal.
    pub(super) fn replace_status(&mut self, of: &Known, target: &Value, status: Value) -> Option<Value> {
        let mut live = self.get(of, object::namespace(target), object::name(target))?;
        if object::uid(&live) != object::uid(target) || live.get("status") == Some(&status) {
            return None;
        }
        live.set_at(&["status"], status);
        self.replace(of, live, "status")
    }

    /// Replaces an object, or what one of its subresources covers.
    pub(super) fn replace(&mut self, of: &Known, object: Value, subresource: &str) -> Option<Value> {
        let resource = self.resource(of)?;
        let answer = self.access.update_subresource(&resource, subresource, object);
        self.settle(answer)
    }

    /// Deletes exactly this object: not one of the same name that came later.
    pub(super) fn delete(&mut self, of: &Known, target: &Value, deletion: Deletion) {
        if let Some(resource) = self.resource(of) {
            self.delete_any(&resource, target, deletion);
        }
    }

    /// As [`delete`](Self::delete), for any resource.
    pub(super) fn delete_any(&mut self, resource: &Arc<Resource>, target: &Value, deletion: Deletion) {
        let options = DeleteOptions {
            propagation: deletion.propagation,
            grace_seconds: deletion.grace,
            uid: Some(Str::new(object::uid(target))),
            ..DeleteOptions::default()
        };
        let answer = self.access.delete(&ObjectRef::of(resource, target), &options);
        self.settle(answer);
    }

    /// Records what happened to an object, as `kubectl describe` shows it. The same again counts up.
    pub(super) fn event(&mut self, about: &Value, kind: &'static str, reason: &'static str, message: &str) {
        // An event that cannot be written, say in a namespace that is going away, is not worth a retry.
        let refused = self.refused;
        let now = object::time(self.now);
        let namespace = Some(object::namespace(about)).filter(|namespace| !namespace.is_empty()).unwrap_or("default");
        let what = format!("{}/{kind}/{reason}/{message}/{}", object::uid(about), self.name);
        let name = format!("{}.{:016x}", object::name(about), template::fnv64(&what));
        if let Some(before) = self.get(&EVENTS, namespace, &name) {
            let count = object::int(&before, &["count"]) + 1;
            self.patch(&EVENTS, &before, &value!({ "count": count, "lastTimestamp": now }));
        } else {
            let event = value!({
                "metadata": { "name": name },
                "involvedObject": (reference(about)),
                "type": kind, "reason": reason, "message": message,
                "source": { "component": (self.name) },
                "reportingComponent": (self.name), "reportingInstance": "",
                "firstTimestamp": (now.clone()), "lastTimestamp": now, "count": 1
            });
            self.create(&EVENTS, namespace, event);
        }
        self.refused = refused;
    }

    fn resource(&self, of: &Known) -> Option<Arc<Resource>> {
        self.access.resource(of.group, of.plural)
    }

    fn settle<T>(&mut self, answer: Result<T, Status>) -> Option<T> {
        match answer {
            Ok(answer) => Some(answer),
            Err(status) => {
                // Gone or changed since it was read: that change has queued the next look.
                self.refused |= !matches!(status.code, 404 | 409);
                None
            }
        }
    }
}

/// An ObjectReference.
pub(super) fn reference(object: &Value) -> Value {
    let mut reference = value!({
        "apiVersion": (object.str_at(&["apiVersion"]).unwrap_or_default()),
        "kind": (object.str_at(&["kind"]).unwrap_or_default()),
        "name": (object::name(object)),
        "uid": (object::uid(object)),
        "resourceVersion": (object.str_at(&["metadata", "resourceVersion"]).unwrap_or_default())
    });
    if !object::namespace(object).is_empty() {
        reference.set_at(&["namespace"], object::namespace(object).into());
    }
    reference
}
