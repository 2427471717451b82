//! ReplicaSets: so many Pods of one template.

use jiff::Timestamp;
use kro_value::Value;

use super::api::Deletion;
use super::driver::Controller;
use super::known::{Known, PODS, REPLICA_SETS};
use super::queue::Queue;
use super::template::{PodName, pod, sort_for_removal};
use super::{Api, Key, object};
use crate::Change;

/// The ReplicaSet controller.
pub(super) struct ReplicaSetController;

impl Controller for ReplicaSetController {
    const NAME: &'static str = "replicaset-controller";
    const WATCHES: &'static [&'static Known] = &[&REPLICA_SETS, &PODS];

    fn observe(&mut self, change: &Change, now: Timestamp, queue: &mut Queue<Key>) {
        let object = &change.object;
        let key = if REPLICA_SETS.is(&change.resource.id) {
            Some(object::key(object))
        } else {
            object::controller_key(object, "ReplicaSet")
        };
        if let Some(key) = key {
            queue.add(key, now);
        }
    }

    fn sync(&mut self, key: &Key, api: &mut Api<'_, '_>, now: Timestamp) -> Option<Timestamp> {
        let set = api.get(&REPLICA_SETS, &key.namespace, &key.name)?;
        let pods: Vec<Value> = api.claimed(&PODS, &set).into_iter().filter(object::is_active).collect();
        let pods = if object::is_terminating(&set) { pods } else { scale(&set, pods, api) };
        write_status(&set, &pods, api, now)
    }
}

/// Makes or deletes Pods until there are as many as wanted.
fn scale(set: &Value, mut pods: Vec<Value>, api: &mut Api<'_, '_>) -> Vec<Value> {
    let wanted = usize::try_from(object::replicas(set)).unwrap_or_default();
    let template = set.at(&["spec", "template"]).cloned().unwrap_or_default();
    while pods.len() < wanted {
        let made = api.create(&PODS, object::namespace(set), pod(set, &template, PodName::Prefix(object::name(set))));
        let Some(made) = made else { break };
        api.event(set, "Normal", "SuccessfulCreate", &format!("Created pod: {}", object::name(&made)));
        pods.push(made);
    }
    if pods.len() > wanted {
        sort_for_removal(&mut pods);
        for surplus in pods.drain(..pods.len() - wanted) {
            api.delete(&PODS, &surplus, Deletion::default());
            api.event(set, "Normal", "SuccessfulDelete", &format!("Deleted pod: {}", object::name(&surplus)));
        }
    }
    pods
}

/// Writes the status; says when the next Pod becomes available.
fn write_status(set: &Value, pods: &[Value], api: &mut Api<'_, '_>, now: Timestamp) -> Option<Timestamp> {
    let seconds = object::int(set, &["spec", "minReadySeconds"]);
    let times: Vec<Timestamp> = pods.iter().filter_map(|pod| object::available_at(pod, seconds)).collect();
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let mut status = object::counts(&[
        ("fullyLabeledReplicas", count(pods.iter().filter(|pod| is_fully_labelled(pod, set)).count())),
        ("readyReplicas", count(times.len())),
        ("availableReplicas", count(times.iter().filter(|time| **time <= now).count())),
        ("observedGeneration", object::generation(set)),
    ]);
    status.insert("replicas", count(pods.len()).into());
    if let Some(conditions) = set.at(&["status", "conditions"]) {
        status.insert("conditions", conditions.clone());
    }
    api.replace_status(&REPLICA_SETS, set, status.into());
    times.into_iter().filter(|time| *time > now).min()
}

/// True when a Pod has every label of the template.
fn is_fully_labelled(pod: &Value, set: &Value) -> bool {
    let wanted = set.at(&["spec", "template", "metadata", "labels"]).and_then(Value::as_map).into_iter().flatten();
    let labels = object::labels(pod);
    wanted.into_iter().all(|(key, text)| labels.and_then(|labels| labels.get(key)) == Some(text))
}
