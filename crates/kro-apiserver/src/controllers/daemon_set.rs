//! DaemonSets: one Pod per node.

use jiff::Timestamp;
use kro_value::Value;

use super::api::Deletion;
use super::driver::Controller;
use super::known::{DAEMON_SETS, Known, NODES, PODS};
use super::queue::Queue;
use super::revisions::{self, HASH_LABEL, Revision};
use super::template::{PodName, pod};
use super::{Api, Key, object};
use crate::Change;

const GENERATION_LABEL: &str = "pod-template-generation";
const GENERATION: &str = "deprecated.daemonset.template.generation";

/// The DaemonSet controller. It names the node in the Pod itself instead of leaving that to the scheduler.
pub(super) struct DaemonSetController;

impl Controller for DaemonSetController {
    const NAME: &'static str = "daemonset-controller";
    const WATCHES: &'static [&'static Known] = &[&DAEMON_SETS, &PODS, &NODES];

    fn observe(&mut self, change: &Change, now: Timestamp, queue: &mut Queue<Key>) {
        let object = &change.object;
        if NODES.is(&change.resource.id) {
            // Which nodes there are concerns every DaemonSet.
            let same = change.previous.as_ref().is_some_and(|previous| previous.get("spec") == object.get("spec"));
            if !same {
                queue.add(Key::new("", ""), now);
            }
            return;
        }
        let key = if DAEMON_SETS.is(&change.resource.id) {
            Some(object::key(object))
        } else {
            object::controller_key(object, "DaemonSet")
        };
        if let Some(key) = key {
            queue.add(key, now);
        }
    }

    fn sync(&mut self, key: &Key, api: &mut Api<'_, '_>, now: Timestamp) -> Option<Timestamp> {
        if key.name.is_empty() {
            let sets = api.list(&DAEMON_SETS, None);
            return sets.iter().filter_map(|set| sync_set(set, api, now)).min();
        }
        let set = api.get(&DAEMON_SETS, &key.namespace, &key.name)?;
        sync_set(&set, api, now)
    }
}

fn sync_set(set: &Value, api: &mut Api<'_, '_>, now: Timestamp) -> Option<Timestamp> {
    let revision = revisions::ensure(set, api);
    let nodes = api.list(&NODES, None);
    let nodes: Vec<&str> = nodes.iter().map(object::name).collect();
    let mut pods = api.claimed(&PODS, set);
    if !object::is_terminating(set) {
        place(set, &revision, &nodes, &mut pods, api);
        replace_old(set, &revision, &pods, api, now);
    }
    revisions::remove_history(set, &[&revision.name], api);
    write_status(set, &revision, &nodes, &pods, api, now)
}

/// A Pod on every node that has none, no Pod on nodes that are gone, and none that has ended.
fn place(set: &Value, revision: &Revision, nodes: &[&str], pods: &mut Vec<Value>, api: &mut Api<'_, '_>) {
    for pod in pods.iter().filter(|pod| !object::is_terminating(pod)) {
        let misplaced = node(pod).is_none_or(|node| !nodes.contains(&node));
        if misplaced || !object::is_active(pod) {
            api.delete(&PODS, pod, Deletion::default());
        }
    }
    for name in nodes {
        if pods.iter().any(|pod| node(pod) == Some(name)) {
            continue;
        }
        let template = set.at(&["spec", "template"]).cloned().unwrap_or_default();
        let mut pod = pod(set, &template, PodName::Prefix(object::name(set)));
        pod.set_at(&["metadata", "labels", HASH_LABEL], revision.hash.as_str().into());
        let generation = object::annotation(set, GENERATION).unwrap_or("1");
        pod.set_at(&["metadata", "labels", GENERATION_LABEL], generation.into());
        pod.set_at(&["spec", "nodeName"], (*name).into());
        if let Some(made) = api.create(&PODS, object::namespace(set), pod) {
            api.event(set, "Normal", "SuccessfulCreate", &format!("Created pod: {}", object::name(&made)));
            pods.push(made);
        }
    }
}

/// Deletes Pods of old templates, as many at a time as may be unavailable.
fn replace_old(set: &Value, revision: &Revision, pods: &[Value], api: &mut Api<'_, '_>, now: Timestamp) {
    if set.str_at(&["spec", "updateStrategy", "type"]) == Some("OnDelete") {
        return;
    }
    let unavailable = pods.iter().filter(|pod| !is_available(set, pod, now)).count();
    let limit = object::int(set, &["spec", "updateStrategy", "rollingUpdate", "maxUnavailable"]).max(1);
    let mut room = usize::try_from(limit).unwrap_or(1).saturating_sub(unavailable);
    for pod in pods.iter().filter(|pod| !is_updated(pod, revision) && !object::is_terminating(pod)) {
        // What does not run anyway costs nothing.
        if is_available(set, pod, now) {
            if room == 0 {
                continue;
            }
            room -= 1;
        }
        api.delete(&PODS, pod, Deletion::default());
        api.event(set, "Normal", "SuccessfulDelete", &format!("Deleted pod: {}", object::name(pod)));
    }
}

fn node(pod: &Value) -> Option<&str> {
    pod.str_at(&["spec", "nodeName"])
}

fn is_updated(pod: &Value, revision: &Revision) -> bool {
    pod.str_at(&["metadata", "labels", HASH_LABEL]) == Some(&revision.hash)
}

fn available_at(set: &Value, pod: &Value) -> Option<Timestamp> {
    object::available_at(pod, object::int(set, &["spec", "minReadySeconds"]))
}

fn is_available(set: &Value, pod: &Value, now: Timestamp) -> bool {
    !object::is_terminating(pod) && available_at(set, pod).is_some_and(|at| at <= now)
}

fn write_status(
    set: &Value,
    revision: &Revision,
    nodes: &[&str],
    pods: &[Value],
    api: &mut Api<'_, '_>,
    now: Timestamp,
) -> Option<Timestamp> {
    let live: Vec<&Value> = pods.iter().filter(|pod| !object::is_terminating(pod)).collect();
    let count =
        |test: &dyn Fn(&Value) -> bool| i64::try_from(live.iter().filter(|pod| test(pod)).count()).unwrap_or(i64::MAX);
    let desired = i64::try_from(nodes.len()).unwrap_or(i64::MAX);
    let available = count(&|pod| is_available(set, pod, now));
    let mut status = object::counts(&[
        ("observedGeneration", object::generation(set)),
        ("updatedNumberScheduled", count(&|pod| is_updated(pod, revision))),
        ("numberAvailable", available),
        ("numberUnavailable", desired - available),
    ]);
    status.insert("currentNumberScheduled", count(&|_| true).into());
    status.insert("desiredNumberScheduled", desired.into());
    status.insert("numberMisscheduled", 0.into());
    status.insert("numberReady", count(&|pod| object::is_true(pod, "Ready")).into());
    api.replace_status(&DAEMON_SETS, set, status.into());
    live.into_iter().filter_map(|pod| available_at(set, pod)).filter(|at| *at > now).min()
}
