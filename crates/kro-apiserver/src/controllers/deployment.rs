//! Deployments: a ReplicaSet per template, replaced step by step.

mod rollout;
mod status;

use jiff::Timestamp;
use kro_value::{Map, Value, format_smolstr};

use self::rollout::{Rollout, Strategy};
use super::api::Deletion;
use super::driver::Controller;
use super::known::{DEPLOYMENTS, Known, REPLICA_SETS};
use super::queue::Queue;
use super::{Api, Key, object, template, value};
use crate::Change;

const HASH_LABEL: &str = "pod-template-hash";
const REVISION: &str = "deployment.kubernetes.io/revision";
const DESIRED: &str = "deployment.kubernetes.io/desired-replicas";
const MAX: &str = "deployment.kubernetes.io/max-replicas";
/// Annotations of a Deployment that its ReplicaSets do not get.
const NOT_COPIED: [&str; 4] = ["kubectl.kubernetes.io/last-applied-configuration", REVISION, DESIRED, MAX];

/// The Deployment controller.
pub(super) struct DeploymentController;

impl Controller for DeploymentController {
    const NAME: &'static str = "deployment-controller";
    const WATCHES: &'static [&'static Known] = &[&DEPLOYMENTS, &REPLICA_SETS];

    fn observe(&mut self, change: &Change, now: Timestamp, queue: &mut Queue<Key>) {
        let object = &change.object;
        let key = if DEPLOYMENTS.is(&change.resource.id) {
            Some(object::key(object))
        } else {
            object::controller_key(object, "Deployment")
        };
        if let Some(key) = key {
            queue.add(key, now);
        }
    }

    fn sync(&mut self, key: &Key, api: &mut Api<'_, '_>, now: Timestamp) -> Option<Timestamp> {
        let deployment = api.get(&DEPLOYMENTS, &key.namespace, &key.name)?;
        object::selector(&deployment)?;
        let sets = api.claimed(&REPLICA_SETS, &deployment);
        let mut rollout = Rollout::new(deployment, sets);
        if object::is_terminating(&rollout.deployment) {
            return status::write(&rollout, api, now);
        }
        let paused = rollout.deployment.at(&["spec", "paused"]).and_then(Value::as_bool) == Some(true);
        if !paused {
            ensure_new_set(&mut rollout, api);
        }
        if paused || rollout.is_only_scaled() {
            scale_active(&mut rollout, api);
        } else {
            advance(&mut rollout, api);
        }
        copy_annotations(&mut rollout, api);
        let again = status::write(&rollout, api, now);
        if status::is_complete(&rollout) {
            remove_history(&rollout, api);
        }
        again
    }
}

/// Makes the ReplicaSet of the current template, or numbers the one that is there as the newest.
fn ensure_new_set(rollout: &mut Rollout, api: &mut Api<'_, '_>) {
    let newest = rollout.old.iter().map(revision).max().unwrap_or_default() + 1;
    let number = match &rollout.new {
        Some(set) if revision(set) >= newest => revision(set),
        Some(set) => {
            let patch = value!({ "metadata": { "annotations": { REVISION: (newest.to_string()) } } });
            rollout.new = api.patch(&REPLICA_SETS, set, &patch).or_else(|| rollout.new.clone());
            newest
        }
        None => {
            let replicas = rollout.replicas_of_new();
            let set = new_set(rollout, newest, replicas);
            rollout.new = api.create(&REPLICA_SETS, object::namespace(&rollout.deployment), set);
            if let Some(set) = &rollout.new {
                scaled_event(&rollout.deployment, set, 0, replicas, api);
                rollout.created = true;
            }
            newest
        }
    };
    if object::annotation(&rollout.deployment, REVISION) != Some(&number.to_string()) {
        let patch = value!({ "metadata": { "annotations": { REVISION: (number.to_string()) } } });
        if let Some(patched) = api.patch(&DEPLOYMENTS, &rollout.deployment, &patch) {
            rollout.deployment = patched;
        }
    }
}

fn new_set(rollout: &Rollout, number: i64, replicas: i64) -> Value {
    let deployment = &rollout.deployment;
    let mut template = deployment.at(&["spec", "template"]).cloned().unwrap_or_default();
    let hash = template::hash(&template);
    template.set_at(&["metadata", "labels", HASH_LABEL], hash.as_str().into());
    let mut selector = deployment.at(&["spec", "selector"]).cloned().unwrap_or_default();
    selector.set_at(&["matchLabels", HASH_LABEL], hash.as_str().into());
    let mut annotations = copied_annotations(rollout);
    annotations.insert(REVISION, number.to_string().into());
    let mut set = value!({
        "metadata": {
            "name": (format_smolstr!("{}-{hash}", object::name(deployment))),
            "labels": (template.at(&["metadata", "labels"]).cloned().unwrap_or_default()),
            "annotations": annotations,
            "ownerReferences": [(object::controller_reference(deployment))]
        },
        "spec": { "replicas": replicas, "selector": selector, "template": template }
    });
    if let Some(seconds) = deployment.at(&["spec", "minReadySeconds"]) {
        set.set_at(&["spec", "minReadySeconds"], seconds.clone());
    }
    set
}

/// What the new ReplicaSet's annotations take from the Deployment.
fn copied_annotations(rollout: &Rollout) -> Map {
    let deployment = &rollout.deployment;
    let own = deployment.at(&["metadata", "annotations"]).and_then(Value::as_map).into_iter().flatten();
    let mut copied: Map = own
        .filter(|(key, _)| !NOT_COPIED.contains(&key.as_str()))
        .map(|(key, text)| (key.clone(), text.clone()))
        .collect();
    copied.insert(DESIRED, object::replicas(deployment).to_string().into());
    copied.insert(MAX, (object::replicas(deployment) + rollout.strategy.surge()).to_string().into());
    copied
}

fn copy_annotations(rollout: &mut Rollout, api: &mut Api<'_, '_>) {
    let copied = copied_annotations(rollout);
    let Some(set) = &rollout.new else { return };
    let differs = |(key, text): (&kro_value::Str, &Value)| object::annotation(set, key) != text.as_str();
    if copied.iter().any(differs) {
        let patched = api.patch(&REPLICA_SETS, set, &value!({ "metadata": { "annotations": copied } }));
        rollout.new = patched.or_else(|| rollout.new.take());
    }
}

/// One step from the old ReplicaSets to the new one; the changes it causes lead to the next.
fn advance(rollout: &mut Rollout, api: &mut Api<'_, '_>) {
    match rollout.strategy {
        Strategy::Recreate => {
            if rollout.old.iter().any(|set| object::replicas(set) > 0) {
                scale_old(rollout, vec![0; rollout.old.len()], api);
            } else if rollout.old.iter().all(|set| object::int(set, &["status", "replicas"]) == 0) {
                scale_new(rollout, object::replicas(&rollout.deployment), api);
            }
        }
        Strategy::Rolling { .. } => {
            let wanted = rollout.replicas_of_new();
            scale_new(rollout, wanted, api);
            let wanted = rollout.replicas_of_old();
            scale_old(rollout, wanted, api);
        }
    }
}

/// A change of `spec.replicas` outside of a rollout goes to the ReplicaSet that runs.
fn scale_active(rollout: &mut Rollout, api: &mut Api<'_, '_>) {
    let wanted = object::replicas(&rollout.deployment);
    let active = rollout.old.iter().rposition(|set| object::replicas(set) > 0);
    match active.filter(|_| rollout.new.as_ref().is_none_or(|set| object::replicas(set) == 0)) {
        Some(index) => {
            let mut replicas: Vec<i64> = rollout.old.iter().map(object::replicas).collect();
            replicas[index] = wanted;
            scale_old(rollout, replicas, api);
        }
        None => scale_new(rollout, wanted, api),
    }
}

fn scale_new(rollout: &mut Rollout, replicas: i64, api: &mut Api<'_, '_>) {
    if let Some(set) = rollout.new.take() {
        rollout.new = Some(scale(&rollout.deployment, set, replicas, api));
    }
}

fn scale_old(rollout: &mut Rollout, replicas: Vec<i64>, api: &mut Api<'_, '_>) {
    let sets = std::mem::take(&mut rollout.old);
    rollout.old =
        sets.into_iter().zip(replicas).map(|(set, replicas)| scale(&rollout.deployment, set, replicas, api)).collect();
}

fn scale(deployment: &Value, set: Value, replicas: i64, api: &mut Api<'_, '_>) -> Value {
    let before = object::replicas(&set);
    if before == replicas {
        return set;
    }
    match api.patch(&REPLICA_SETS, &set, &value!({ "spec": { "replicas": replicas } })) {
        Some(scaled) => {
            scaled_event(deployment, &scaled, before, replicas, api);
            scaled
        }
        None => set,
    }
}

fn scaled_event(deployment: &Value, set: &Value, before: i64, after: i64, api: &mut Api<'_, '_>) {
    let direction = if after > before { "up" } else { "down" };
    let message = format!("Scaled {direction} replica set {} from {before} to {after}", object::name(set));
    api.event(deployment, "Normal", "ScalingReplicaSet", &message);
}

/// Deletes the oldest ReplicaSets beyond the history limit.
fn remove_history(rollout: &Rollout, api: &mut Api<'_, '_>) {
    let limit = rollout.deployment.at(&["spec", "revisionHistoryLimit"]).and_then(Value::as_i64).unwrap_or(10);
    let surplus = rollout.old.len().saturating_sub(usize::try_from(limit).unwrap_or_default());
    for set in &rollout.old[..surplus] {
        let idle = object::replicas(set) == 0 && object::int(set, &["status", "replicas"]) == 0;
        if idle && !object::is_terminating(set) {
            api.delete(&REPLICA_SETS, set, Deletion::BACKGROUND);
        }
    }
}

fn revision(set: &Value) -> i64 {
    object::annotation(set, REVISION).and_then(|text| text.parse().ok()).unwrap_or_default()
}
