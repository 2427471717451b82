//! StatefulSets: numbered Pods with volumes of their own, one after the other.

use std::collections::BTreeMap;

use jiff::Timestamp;
use kro_value::{Value, format_smolstr};

use super::api::Deletion;
use super::driver::Controller;
use super::known::{Known, PODS, STATEFUL_SETS, VOLUME_CLAIMS};
use super::queue::Queue;
use super::revisions::{self, HASH_LABEL, Revision};
use super::template::{PodName, pod};
use super::{Api, Key, object, value};
use crate::Change;

/// The StatefulSet controller.
pub(super) struct StatefulSetController;

impl Controller for StatefulSetController {
    const NAME: &'static str = "statefulset-controller";
    const WATCHES: &'static [&'static Known] = &[&STATEFUL_SETS, &PODS];

    fn observe(&mut self, change: &Change, now: Timestamp, queue: &mut Queue<Key>) {
        let object = &change.object;
        let key = if STATEFUL_SETS.is(&change.resource.id) {
            Some(object::key(object))
        } else {
            object::controller_key(object, "StatefulSet")
        };
        if let Some(key) = key {
            queue.add(key, now);
        }
    }

    fn sync(&mut self, key: &Key, api: &mut Api<'_, '_>, now: Timestamp) -> Option<Timestamp> {
        let set = api.get(&STATEFUL_SETS, &key.namespace, &key.name)?;
        let revision = revisions::ensure(&set, api);
        let mut replicas = Replicas::of(set, revision, api, now);
        if !object::is_terminating(&replicas.set) {
            replicas.step(api);
        }
        let again = replicas.write_status(api);
        let names = [replicas.revision.name.as_str(), replicas.current_revision()];
        revisions::remove_history(&replicas.set, &names, api);
        again
    }
}

/// A StatefulSet with its Pods by number.
struct Replicas {
    set: Value,
    pods: BTreeMap<i64, Value>,
    revision: Revision,
    now: Timestamp,
}

impl Replicas {
    fn of(set: Value, revision: Revision, api: &mut Api<'_, '_>, now: Timestamp) -> Self {
        let prefix = format!("{}-", object::name(&set));
        let number = |pod: &Value| object::name(pod).strip_prefix(&prefix)?.parse::<i64>().ok();
        let pods = api.claimed(&PODS, &set).into_iter().filter_map(|pod| Some((number(&pod)?, pod))).collect();
        Self { set, pods, revision, now }
    }

    fn numbers(&self) -> std::ops::Range<i64> {
        let first = object::int(&self.set, &["spec", "ordinals", "start"]);
        first..first.saturating_add(object::replicas(&self.set))
    }

    fn is_parallel(&self) -> bool {
        self.set.str_at(&["spec", "podManagementPolicy"]) == Some("Parallel")
    }

    fn available_at(&self, pod: &Value) -> Option<Timestamp> {
        object::available_at(pod, object::int(&self.set, &["spec", "minReadySeconds"]))
    }

    fn is_available(&self, pod: &Value) -> bool {
        !object::is_terminating(pod) && self.available_at(pod).is_some_and(|at| at <= self.now)
    }

    fn is_updated(&self, pod: &Value) -> bool {
        pod.str_at(&["metadata", "labels", HASH_LABEL]) == Some(&self.revision.name)
    }

    fn current_revision(&self) -> &str {
        let written = self.set.str_at(&["status", "currentRevision"]).filter(|written| !written.is_empty());
        written.unwrap_or(&self.revision.name)
    }

    /// The next thing to do: fill gaps in order, then shrink from the end, then replace from the end.
    fn step(&mut self, api: &mut Api<'_, '_>) {
        for number in self.numbers() {
            match self.pods.get(&number) {
                None => {
                    if let Some(pod) = self.make(number, api) {
                        self.pods.insert(number, pod);
                    }
                }
                Some(pod) if matches!(pod.str_at(&["status", "phase"]), Some("Failed" | "Succeeded")) => {
                    api.delete(&PODS, pod, Deletion::default());
                }
                Some(_) => {}
            }
            let ready = self.pods.get(&number).is_some_and(|pod| self.is_available(pod));
            if !ready && !self.is_parallel() {
                return;
            }
        }
        if !self.shrink(api) {
            self.update(api);
        }
    }

    /// True while there is one Pod too many.
    fn shrink(&self, api: &mut Api<'_, '_>) -> bool {
        let surplus = self.pods.iter().rev().filter(|(number, _)| !self.numbers().contains(number));
        let mut some = false;
        for (_, pod) in surplus {
            some = true;
            if !object::is_terminating(pod) {
                self.delete(pod, api);
            }
            if !self.is_parallel() {
                break;
            }
        }
        some
    }

    fn update(&self, api: &mut Api<'_, '_>) {
        if self.set.str_at(&["spec", "updateStrategy", "type"]) == Some("OnDelete") {
            return;
        }
        let partition = object::int(&self.set, &["spec", "updateStrategy", "rollingUpdate", "partition"]);
        let first = self.numbers().start + partition;
        for (_, pod) in self.pods.range(first.max(0)..).rev() {
            if !self.is_updated(pod) && !object::is_terminating(pod) {
                return self.delete(pod, api);
            }
            if !self.is_available(pod) {
                return;
            }
        }
    }

    fn delete(&self, pod: &Value, api: &mut Api<'_, '_>) {
        api.delete(&PODS, pod, Deletion::default());
        let message = format!("delete Pod {} in StatefulSet {} successful", object::name(pod), object::name(&self.set));
        api.event(&self.set, "Normal", "SuccessfulDelete", &message);
    }

    fn make(&self, number: i64, api: &mut Api<'_, '_>) -> Option<Value> {
        let set = &self.set;
        let namespace = object::namespace(set);
        let name = format!("{}-{number}", object::name(set));
        let template = set.at(&["spec", "template"]).cloned().unwrap_or_default();
        let mut pod = pod(set, &template, PodName::Exact(&name));
        for (label, text) in [
            ("statefulset.kubernetes.io/pod-name", name.clone()),
            ("apps.kubernetes.io/pod-index", number.to_string()),
            (HASH_LABEL, self.revision.name.clone()),
        ] {
            pod.set_at(&["metadata", "labels", label], text.into());
        }
        pod.set_at(&["spec", "hostname"], name.as_str().into());
        if let Some(service) = set.str_at(&["spec", "serviceName"]).filter(|service| !service.is_empty()) {
            pod.set_at(&["spec", "subdomain"], service.into());
        }
        let mut volumes = object::list(&template, &["spec", "volumes"]).to_vec();
        for claim in object::list(set, &["spec", "volumeClaimTemplates"]) {
            let volume = object::name(claim);
            let claim_name = format!("{volume}-{name}");
            if api.get(&VOLUME_CLAIMS, namespace, &claim_name).is_none() {
                api.create(&VOLUME_CLAIMS, namespace, self.claim(claim, &claim_name));
            }
            volumes.retain(|present| present.str_at(&["name"]) != Some(volume));
            volumes.push(value!({ "name": volume, "persistentVolumeClaim": { "claimName": claim_name } }));
        }
        if !volumes.is_empty() {
            pod.set_at(&["spec", "volumes"], volumes.into());
        }
        let made = api.create(&PODS, namespace, pod)?;
        let message = format!("create Pod {name} in StatefulSet {} successful", object::name(set));
        api.event(set, "Normal", "SuccessfulCreate", &message);
        Some(made)
    }

    fn claim(&self, template: &Value, name: &str) -> Value {
        let mut claim = template.clone();
        claim.remove_at(&["status"]);
        claim.set_at(&["metadata", "name"], name.into());
        for (key, text) in
            self.set.at(&["spec", "selector", "matchLabels"]).and_then(Value::as_map).into_iter().flatten()
        {
            claim.set_at(&["metadata", "labels", key], text.clone());
        }
        if self.set.str_at(&["spec", "persistentVolumeClaimRetentionPolicy", "whenDeleted"]) == Some("Delete") {
            claim.set_at(&["metadata", "ownerReferences"], value!([(object::controller_reference(&self.set))]));
        }
        claim
    }

    /// Writes the status; says when the next Pod becomes available.
    fn write_status(&self, api: &mut Api<'_, '_>) -> Option<Timestamp> {
        let pods: Vec<&Value> = self.pods.values().filter(|pod| !object::is_terminating(pod)).collect();
        let count = |test: &dyn Fn(&Value) -> bool| {
            i64::try_from(pods.iter().filter(|pod| test(pod)).count()).unwrap_or(i64::MAX)
        };
        let (replicas, updated) = (count(&|_| true), count(&|pod| self.is_updated(pod)));
        let ready = count(&|pod| object::is_true(pod, "Ready"));
        let all_updated = updated == object::replicas(&self.set) && replicas == updated && ready == updated;
        let current = if all_updated { self.revision.name.as_str() } else { self.current_revision() };
        let is_current = |pod: &Value| pod.str_at(&["metadata", "labels", HASH_LABEL]) == Some(current);
        let mut status = object::counts(&[
            ("observedGeneration", object::generation(&self.set)),
            ("readyReplicas", ready),
            ("currentReplicas", count(&is_current)),
            ("updatedReplicas", updated),
        ]);
        status.insert("replicas", replicas.into());
        status.insert("availableReplicas", count(&|pod| self.is_available(pod)).into());
        status.insert("collisionCount", 0.into());
        status.insert("currentRevision", current.into());
        status.insert("updateRevision", format_smolstr!("{}", self.revision.name).into());
        api.replace_status(&STATEFUL_SETS, &self.set, status.into());
        pods.into_iter().filter_map(|pod| self.available_at(pod)).filter(|at| *at > self.now).min()
    }
}
