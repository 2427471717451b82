//! Volumes: claims get bound, are kept while a Pod uses them, and their volumes go with them.

use std::time::Duration;

use jiff::Timestamp;
use kro_value::{Value, format_smolstr};

use super::api::{Deletion, reference};
use super::delays::after;
use super::driver::Controller;
use super::known::{Known, PODS, VOLUME_CLAIMS, VOLUMES};
use super::outcome::{Outcome, delay, outcome};
use super::queue::Queue;
use super::{Api, Delays, Key, object, value};
use crate::{Change, ChangeKind};

const CLAIM_FINALIZER: &str = "kubernetes.io/pvc-protection";
const VOLUME_FINALIZER: &str = "kubernetes.io/pv-protection";
const PROVISIONER: &str = "sim.kro.run";

/// Binds claims to a volume that fits, or makes one: every storage class provisions.
pub(super) struct VolumeBinder {
    pub(super) delays: Delays,
}

impl Controller for VolumeBinder {
    const NAME: &'static str = "persistentvolume-binder";
    const WATCHES: &'static [&'static Known] = &[&VOLUME_CLAIMS, &VOLUMES, &PODS];

    fn observe(&mut self, change: &Change, now: Timestamp, queue: &mut Queue<Key>) {
        let object = &change.object;
        if PODS.is(&change.resource.id) {
            // A Pod that is gone or has ended uses its claims no longer.
            if change.kind == ChangeKind::Deleted || !object::is_active(object) {
                for claim in claims(object) {
                    queue.add(Key::new(object::namespace(object), claim), now);
                }
            }
            return;
        }
        if VOLUME_CLAIMS.is(&change.resource.id) {
            let binds = phase(object) != Some("Bound") && !object::is_terminating(object);
            let usual = if binds { delay(&[object], self.delays.bind_volume) } else { Duration::ZERO };
            queue.add(object::key(object), after(now, usual));
            if let Some(volume) = object.str_at(&["spec", "volumeName"]) {
                queue.add(Key::new("", volume), now);
            }
        } else if change.kind != ChangeKind::Deleted {
            queue.add(object::key(object), now);
        }
    }

    fn sync(&mut self, key: &Key, api: &mut Api<'_, '_>, now: Timestamp) -> Option<Timestamp> {
        if key.namespace.is_empty() {
            sync_volume(&api.get(&VOLUMES, "", &key.name)?, api);
            return None;
        }
        let claim = api.get(&VOLUME_CLAIMS, &key.namespace, &key.name)?;
        if object::is_terminating(&claim) {
            release(&claim, api);
        } else if phase(&claim) == Some("Bound") {
            resize(&claim, api);
        } else {
            bind(&claim, api, now);
        }
        None
    }
}

fn phase(object: &Value) -> Option<&str> {
    object.str_at(&["status", "phase"])
}

/// Names of the claims that a Pod uses.
fn claims(pod: &Value) -> impl Iterator<Item = &str> {
    let volumes = object::list(pod, &["spec", "volumes"]).iter();
    volumes.filter_map(|volume| volume.str_at(&["persistentVolumeClaim", "claimName"]))
}

fn bind(claim: &Value, api: &mut Api<'_, '_>, now: Timestamp) {
    if outcome(&[claim]) != Outcome::Succeed {
        return;
    }
    let class = claim.str_at(&["spec", "storageClassName"]);
    let found = api.list(&VOLUMES, None).into_iter().find(|volume| fits(volume, claim));
    let volume = match found {
        Some(volume) => volume,
        // An empty class asks for a volume that somebody made.
        None if class == Some("") => return,
        None => match api.create(&VOLUMES, "", volume_for(claim)) {
            Some(volume) => volume,
            None => return,
        },
    };
    let reference = value!({ "spec": { "claimRef": (reference(claim)) } });
    let is_named = volume.str_at(&["spec", "claimRef", "uid"]) == Some(object::uid(claim));
    let volume = if is_named { Some(volume) } else { api.patch(&VOLUMES, &volume, &reference) };
    let Some(volume) = volume else { return };
    let mut status = value!({ "phase": "Bound", "lastPhaseTransitionTime": (object::time(now)) });
    if phase(&volume) == Some("Bound") {
        status = volume.get("status").cloned().unwrap_or(status);
    }
    api.replace_status(&VOLUMES, &volume, status);
    let patch = value!({
        "metadata": { "annotations": {
            "pv.kubernetes.io/bind-completed": "yes",
            "pv.kubernetes.io/bound-by-controller": "yes"
        } },
        "spec": { "volumeName": (object::name(&volume)) }
    });
    let Some(claim) = api.patch(&VOLUME_CLAIMS, claim, &patch) else { return };
    let status = value!({
        "phase": "Bound",
        "accessModes": (volume.at(&["spec", "accessModes"]).cloned().unwrap_or_default()),
        "capacity": (volume.at(&["spec", "capacity"]).cloned().unwrap_or_default())
    });
    api.replace_status(&VOLUME_CLAIMS, &claim, status);
}

/// True when a volume is meant for the claim, or is free and of its class, modes and size. Sizes are compared as
/// written: a larger volume is taken only when it names the claim.
fn fits(volume: &Value, claim: &Value) -> bool {
    if let Some(holder) = volume.at(&["spec", "claimRef"]) {
        let same = |key: &str| holder.str_at(&[key]) == claim.str_at(&["metadata", key]);
        return same("name") && same("namespace") && holder.get("uid").is_none_or(|_| same("uid"));
    }
    if let Some(name) = claim.str_at(&["spec", "volumeName"]).filter(|name| !name.is_empty()) {
        return object::name(volume) == name;
    }
    let class = |object: &Value| object.str_at(&["spec", "storageClassName"]).unwrap_or_default().to_owned();
    let modes = object::list(volume, &["spec", "accessModes"]);
    !object::is_terminating(volume)
        && class(volume) == class(claim)
        && object::list(claim, &["spec", "accessModes"]).iter().all(|mode| modes.contains(mode))
        && volume.at(&["spec", "capacity", "storage"]) == claim.at(&["spec", "resources", "requests", "storage"])
}

fn volume_for(claim: &Value) -> Value {
    let spec = |path: &[&str]| claim.at(path).cloned().unwrap_or_default();
    let name = format_smolstr!("pvc-{}", object::uid(claim));
    let mut volume = value!({
        "metadata": { "name": (name.clone()), "annotations": { "pv.kubernetes.io/provisioned-by": PROVISIONER } },
        "spec": {
            "capacity": { "storage": (spec(&["spec", "resources", "requests", "storage"])) },
            "accessModes": (spec(&["spec", "accessModes"])),
            "volumeMode": (claim.str_at(&["spec", "volumeMode"]).unwrap_or("Filesystem")),
            "persistentVolumeReclaimPolicy": "Delete",
            "claimRef": (reference(claim)),
            "csi": { "driver": PROVISIONER, "volumeHandle": name }
        }
    });
    if let Some(class) = claim.str_at(&["spec", "storageClassName"]) {
        volume.set_at(&["spec", "storageClassName"], class.into());
    }
    volume
}

/// A bound claim that asks for more gets more.
fn resize(claim: &Value, api: &mut Api<'_, '_>) {
    let wanted = claim.at(&["spec", "resources", "requests", "storage"]);
    let Some(wanted) = wanted.filter(|wanted| Some(*wanted) != claim.at(&["status", "capacity", "storage"])) else {
        return;
    };
    let volume = claim.str_at(&["spec", "volumeName"]).and_then(|name| api.get(&VOLUMES, "", name));
    // A larger volume that somebody made is as it is.
    let Some(volume) = volume.filter(|it| object::annotation(it, "pv.kubernetes.io/provisioned-by").is_some()) else {
        return;
    };
    api.patch(&VOLUMES, &volume, &value!({ "spec": { "capacity": { "storage": (wanted.clone()) } } }));
    let mut status = claim.get("status").cloned().unwrap_or_default();
    status.set_at(&["capacity", "storage"], wanted.clone());
    api.replace_status(&VOLUME_CLAIMS, claim, status);
}

/// A claim that is deleted goes when no Pod uses it.
fn release(claim: &Value, api: &mut Api<'_, '_>) {
    let pods = api.list(&PODS, Some(object::namespace(claim)));
    let is_used = |pod: &Value| {
        let ended = matches!(phase(pod), Some("Succeeded" | "Failed"));
        !ended && claims(pod).any(|name| name == object::name(claim))
    };
    if !pods.iter().any(is_used) {
        remove_finalizer(&VOLUME_CLAIMS, claim, CLAIM_FINALIZER, api);
    }
}

fn sync_volume(volume: &Value, api: &mut Api<'_, '_>) {
    let holder = volume.at(&["spec", "claimRef"]);
    let claim = holder.and_then(|holder| {
        let text = |key: &str| holder.str_at(&[key]).unwrap_or_default();
        let claim = api.get(&VOLUME_CLAIMS, text("namespace"), text("name"));
        claim.filter(|claim| holder.get("uid").is_none() || object::uid(claim) == text("uid"))
    });
    if object::is_terminating(volume) {
        if claim.is_none() {
            remove_finalizer(&VOLUMES, volume, VOLUME_FINALIZER, api);
        }
        return;
    }
    let is_claimed = holder.is_some_and(|holder| holder.get("uid").is_some());
    if is_claimed && claim.is_none() {
        if volume.str_at(&["spec", "persistentVolumeReclaimPolicy"]) == Some("Delete") {
            return api.delete(&VOLUMES, volume, Deletion::BACKGROUND);
        }
        api.replace_status(&VOLUMES, volume, with_phase(volume, "Released"));
    } else if !is_claimed && phase(volume) != Some("Available") {
        api.replace_status(&VOLUMES, volume, with_phase(volume, "Available"));
        // Claims may wait for it.
        for waiting in api.list(&VOLUME_CLAIMS, None) {
            let pending = phase(&waiting) != Some("Bound") && !object::is_terminating(&waiting);
            if pending && fits(volume, &waiting) {
                let now = api.now();
                bind(&waiting, api, now);
                break;
            }
        }
    }
}

fn with_phase(volume: &Value, phase: &str) -> Value {
    let mut status = volume.get("status").cloned().unwrap_or_default();
    status.set_at(&["phase"], phase.into());
    status
}

fn remove_finalizer(of: &Known, object: &Value, finalizer: &str, api: &mut Api<'_, '_>) {
    if object::has_finalizer(object, finalizer) {
        let kept = object::finalizers(object).filter(|present| *present != finalizer).map(Value::from);
        let kept: Vec<Value> = kept.collect();
        let kept = if kept.is_empty() { Value::Null } else { kept.into() };
        api.patch(of, object, &value!({ "metadata": { "finalizers": kept } }));
    }
}
