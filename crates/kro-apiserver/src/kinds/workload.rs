//! What the server decides about workloads.

use kro_value::{Str, Value};

pub(crate) const TEMPLATE_GENERATION: &str = "deprecated.daemonset.template.generation";

/// A Job that names no selector selects its Pods by its own uid.
pub(super) fn prepare_job(job: &mut Value) {
    if job.at(&["spec", "manualSelector"]).and_then(Value::as_bool) == Some(true) {
        return;
    }
    let uid: Str = job.str_at(&["metadata", "uid"]).map(Str::new).unwrap_or_default();
    let name: Str = job.str_at(&["metadata", "name"]).map(Str::new).unwrap_or_default();
    let labels = [
        ("batch.kubernetes.io/controller-uid", &uid),
        ("batch.kubernetes.io/job-name", &name),
        ("controller-uid", &uid),
        ("job-name", &name),
    ];
    for (key, value) in labels {
        job.set_at(&["spec", "template", "metadata", "labels", key], value.clone().into());
    }
    job.set_at(&["spec", "selector", "matchLabels", "batch.kubernetes.io/controller-uid"], uid.into());
}

/// Counts the changes of a DaemonSet's template.
pub(super) fn prepare_daemon_set(object: &mut Value, old: Option<&Value>) {
    let count = match old {
        None => 1,
        Some(old) => {
            let known = old.str_at(&["metadata", "annotations", TEMPLATE_GENERATION]);
            let known: i64 = known.and_then(|text| text.parse().ok()).unwrap_or(1);
            let path = ["spec", "template"];
            if object.at(&path) == old.at(&path) { known } else { known + 1 }
        }
    };
    object.set_at(&["metadata", "annotations", TEMPLATE_GENERATION], count.to_string().into());
}

/// A new node is not ready before somebody says so.
pub(super) fn prepare_node(node: &mut Value) {
    const NOT_READY: &str = "node.kubernetes.io/not-ready";
    let mut taints = node.at(&["spec", "taints"]).and_then(Value::as_list).unwrap_or_default().to_vec();
    if taints.iter().any(|taint| taint.str_at(&["key"]) == Some(NOT_READY)) {
        return;
    }
    taints.push(Value::map([("key", Value::from(NOT_READY)), ("effect", "NoSchedule".into())]));
    node.set_at(&["spec", "taints"], taints.into());
}

/// Less than no time is the shortest time.
pub(super) fn prepare_grace(pod: &mut Value) {
    let path = ["spec", "terminationGracePeriodSeconds"];
    if pod.at(&path).and_then(Value::as_i64).is_some_and(|seconds| seconds < 0) {
        pod.set_at(&path, Value::Int(1));
    }
}

/// A new Pod waits for a node.
pub(super) fn prepare_pod(pod: &mut Value) {
    pod.set_at(&["status", "phase"], "Pending".into());
    pod.set_at(&["status", "qosClass"], quality(pod).into());
}

/// The class of a Pod follows from its requests and limits of CPU and memory.
fn quality(pod: &Value) -> &'static str {
    let of = |key: &str| pod.at(&["spec", key]).and_then(Value::as_list).unwrap_or_default();
    let containers = || of("containers").iter().chain(of("initContainers"));
    let amounts = |container: &Value, key: &str| {
        let map = container.at(&["resources", key]).and_then(Value::as_map).cloned().unwrap_or_default();
        ["cpu", "memory"].map(|resource| map.get(resource).cloned())
    };
    let is_guaranteed = |container: &Value| {
        let limits = amounts(container, "limits");
        limits.iter().all(Option::is_some) && limits == amounts(container, "requests")
    };
    let has_any = |container: &Value| {
        ["limits", "requests"].into_iter().any(|key| amounts(container, key).iter().any(Option::is_some))
    };
    if containers().all(is_guaranteed) && containers().next().is_some() {
        "Guaranteed"
    } else if containers().any(has_any) {
        "Burstable"
    } else {
        "BestEffort"
    }
}
