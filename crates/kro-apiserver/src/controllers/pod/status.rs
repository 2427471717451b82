use std::fmt::Write as _;

use jiff::Timestamp;
use kro_value::{Map, Value};

use super::super::node::ADDRESS;
use super::super::template::fnv64;
use super::super::{object, outcome, value};

/// A Pod on its node whose containers do not run yet, and why.
pub(super) fn creating(pod: &Value, reason: &str, message: &str, now: Timestamp) -> Value {
    let mut waiting = value!({ "reason": reason });
    if !message.is_empty() {
        waiting.set_at(&["message"], message.into());
    }
    let state = value!({ "waiting": waiting });
    let names: Vec<&str> = containers(pod, "containers").filter_map(|container| container.str_at(&["name"])).collect();
    let not_ready = format!("containers with unready status: [{}]", names.join(" "));
    let mut conditions = Conditions::of(pod, now);
    conditions.set("PodReadyToStartContainers", false, None);
    conditions.set("Initialized", true, None);
    conditions.set("Ready", false, Some(("ContainersNotReady", &not_ready)));
    conditions.set("ContainersReady", false, Some(("ContainersNotReady", &not_ready)));
    conditions.set("PodScheduled", true, None);
    let mut status = base(pod, "Pending", now);
    status.insert("conditions", conditions.list.into());
    status.insert("containerStatuses", statuses(pod, "containers", &state, false));
    status.into()
}

/// A Pod whose containers run, or start and crash.
pub(super) fn running(pod: &Value, address: &str, crashing: bool, now: Timestamp) -> Value {
    let state = if crashing {
        value!({ "waiting": { "reason": "CrashLoopBackOff", "message": "back-off 10s restarting failed container" } })
    } else {
        value!({ "running": { "startedAt": (object::time(now)) } })
    };
    let mut conditions = Conditions::of(pod, now);
    let reason = crashing.then_some(("ContainersNotReady", "containers with unready status"));
    conditions.set("PodReadyToStartContainers", true, None);
    conditions.set("Initialized", true, None);
    conditions.set("Ready", !crashing, reason);
    conditions.set("ContainersReady", !crashing, reason);
    conditions.set("PodScheduled", true, None);
    let own = pod.at(&["spec", "hostNetwork"]).and_then(Value::as_bool) == Some(true);
    let address = if own { ADDRESS } else { address };
    let mut status = base(pod, "Running", now);
    status.insert("conditions", conditions.list.into());
    status.insert("podIP", address.into());
    status.insert("podIPs", value!([{ "ip": address }]));
    status.insert("containerStatuses", statuses(pod, "containers", &state, !crashing));
    if containers(pod, "initContainers").next().is_some() {
        let done = terminated("Completed", 0, now);
        status.insert("initContainerStatuses", statuses(pod, "initContainers", &done, true));
    }
    outcome::with_asked_status(pod, status.into())
}

/// A Pod whose containers came to an end.
pub(super) fn finished(pod: &Value, failed: bool, now: Timestamp) -> Value {
    let (phase, reason, code) = if failed { ("Failed", "Error", 1) } else { ("Succeeded", "Completed", 0) };
    let mut conditions = Conditions::of(pod, now);
    let why = Some((if failed { "PodFailed" } else { "PodCompleted" }, ""));
    conditions.set("PodReadyToStartContainers", false, None);
    conditions.set("Initialized", true, why);
    conditions.set("Ready", false, why);
    conditions.set("ContainersReady", false, why);
    let mut status = base(pod, phase, now);
    status.insert("conditions", conditions.list.into());
    status.insert("containerStatuses", statuses(pod, "containers", &terminated(reason, code, now), false));
    status.into()
}

fn containers<'a>(pod: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    object::list(pod, &["spec", key]).iter()
}

/// The status so far with what every stage has.
fn base(pod: &Value, phase: &str, now: Timestamp) -> Map {
    let mut status = pod.get("status").and_then(Value::as_map).cloned().unwrap_or_default();
    status.insert("phase", phase.into());
    status.insert("hostIP", ADDRESS.into());
    status.insert("hostIPs", value!([{ "ip": ADDRESS }]));
    status.insert("observedGeneration", object::generation(pod).max(1).into());
    if !status.contains_key("startTime") {
        status.insert("startTime", object::time(now).into());
    }
    status
}

fn terminated(reason: &str, code: i64, now: Timestamp) -> Value {
    let time = object::time(now);
    value!({ "terminated": { "exitCode": code, "reason": reason, "startedAt": (time.clone()), "finishedAt": time } })
}

/// The statuses of all containers of a list, in one state.
fn statuses(pod: &Value, key: &str, state: &Value, ready: bool) -> Value {
    containers(pod, key)
        .map(|container| {
            let name = container.str_at(&["name"]).unwrap_or_default();
            let restarts = i64::from(state.str_at(&["waiting", "reason"]) == Some("CrashLoopBackOff"));
            let started = state.get("waiting").is_none();
            let mut status = value!({
                "name": name, "image": (container.str_at(&["image"]).unwrap_or_default()), "imageID": "",
                "ready": ready, "restartCount": restarts, "started": (started && state.get("running").is_some()),
                "state": (state.clone()), "lastState": {}
            });
            if started {
                status.set_at(&["imageID"], format!("sim://sha256:{}", digest(&container.to_string())).into());
                let id = digest(&format!("{}/{name}", object::uid(pod)));
                status.set_at(&["containerID"], format!("containerd://{id}").into());
            }
            status
        })
        .collect()
}

/// 64 hexadecimal digits that depend on a text; not for security.
fn digest(text: &str) -> String {
    let mut digits = String::new();
    for part in 0..4 {
        let _ = write!(digits, "{:016x}", fnv64(&format!("{part}{text}"))); // writing to a String cannot fail
    }
    digits
}

/// The conditions of a Pod while they change.
struct Conditions {
    list: Vec<Value>,
    generation: i64,
    now: Timestamp,
}

impl Conditions {
    fn of(pod: &Value, now: Timestamp) -> Self {
        let list = object::list(pod, &["status", "conditions"]).to_vec();
        Self { list, generation: object::generation(pod).max(1), now }
    }

    fn set(&mut self, kind: &str, holds: bool, why: Option<(&str, &str)>) {
        let mut condition = value!({
            "type": kind, "status": (if holds { "True" } else { "False" }),
            "lastProbeTime": null, "observedGeneration": (self.generation)
        });
        if let Some((reason, message)) = why {
            condition.set_at(&["reason"], reason.into());
            if !message.is_empty() {
                condition.set_at(&["message"], message.into());
            }
        }
        for present in self.list.iter_mut().filter(|present| present.str_at(&["type"]) == Some(kind)) {
            present.remove_at(&["reason"]);
            present.remove_at(&["message"]);
        }
        self.list = object::with_condition(&self.list, condition, self.now);
    }
}
