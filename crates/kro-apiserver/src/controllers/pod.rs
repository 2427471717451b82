//! The kubelet: runs the Pods of every node, without running anything.

mod references;
mod status;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use kro_value::{Str, Value};

use self::references::Missing;
use super::api::Deletion;
use super::delays::after;
use super::driver::Controller;
use super::known::{CONFIG_MAPS, DAEMON_SETS, DEPLOYMENTS, JOBS, Known, PODS, SECRETS, STATEFUL_SETS, VOLUME_CLAIMS};
use super::outcome::{Outcome, delay, outcome};
use super::queue::Queue;
use super::{Api, Delays, Key, object};
use crate::{Change, ChangeKind};

/// Moves Pods from Pending to Running, those of Jobs to their end, and lets deleted ones go.
pub(super) struct Kubelet {
    delays: Delays,
    /// When the next step of a Pod (by uid) is due. Lost in a restart: the step then takes its full time again.
    steps: BTreeMap<Str, Step>,
    /// Pods that wait for a ConfigMap, a Secret, a volume, or another outcome of their workload.
    waiting: BTreeSet<Key>,
    /// Counts addresses.
    addresses: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Start,
    Finish,
    Terminate,
}

struct Step {
    stage: Stage,
    at: Timestamp,
}

impl Kubelet {
    pub(super) fn new(delays: Delays) -> Self {
        Self { delays, steps: BTreeMap::new(), waiting: BTreeSet::new(), addresses: 0 }
    }

    /// When a step that takes so long is due; it begins when it is first asked for.
    fn due(&mut self, pod: &Value, stage: Stage, delay: Duration, now: Timestamp) -> Timestamp {
        let step = self.steps.entry(Str::new(object::uid(pod))).or_insert(Step { stage, at: after(now, delay) });
        if step.stage != stage {
            *step = Step { stage, at: after(now, delay) };
        }
        step.at
    }

    fn terminate(&mut self, pod: &Value, api: &mut Api<'_, '_>, now: Timestamp) -> Option<Timestamp> {
        let grace = object::int(pod, &["metadata", "deletionGracePeriodSeconds"]);
        if grace == 0 {
            return None; // finalizers keep it
        }
        let grace = Duration::from_secs(u64::try_from(grace).unwrap_or_default());
        let due = self.due(pod, Stage::Terminate, self.delays.terminate.min(grace), now);
        if due <= now {
            api.delete(&PODS, pod, Deletion { propagation: None, grace: Some(0) });
        }
        Some(due)
    }

    fn start(&mut self, pod: &Value, api: &mut Api<'_, '_>, now: Timestamp) -> Option<Timestamp> {
        let owner = owner(pod, api);
        let asked = [Some(pod), owner.as_ref()].into_iter().flatten().collect::<Vec<_>>();
        let usual = self.delays.start;
        let delay = if is_of_job(pod) { usual } else { delay(&asked, usual) };
        let due = self.due(pod, Stage::Start, delay, now);
        if pod.at(&["status", "startTime"]).is_none() {
            api.replace_status(&PODS, pod, status::creating(pod, "ContainerCreating", "", now));
        }
        if due > now {
            return Some(due);
        }
        match outcome(&asked) {
            Outcome::Never => {
                self.waiting.insert(object::key(pod));
                return None;
            }
            Outcome::Fail if !is_of_job(pod) => {
                self.waiting.insert(object::key(pod));
                let message = "Back-off pulling image";
                api.replace_status(&PODS, pod, status::creating(pod, "ImagePullBackOff", message, now));
                return None;
            }
            _ => {}
        }
        if let Some(missing) = references::missing(pod, api) {
            self.wait(pod, &missing, api, now);
            return None;
        }
        self.addresses += 1;
        let crashing = outcome(&asked) == Outcome::Crash;
        let running = status::running(pod, &address(self.addresses), crashing, now);
        if api.replace_status(&PODS, pod, running).is_some() {
            api.event(pod, "Normal", "Started", "Container started");
        }
        None
    }

    fn wait(&mut self, pod: &Value, missing: &Missing, api: &mut Api<'_, '_>, now: Timestamp) {
        let reason = if missing.is_volume { "ContainerCreating" } else { "CreateContainerConfigError" };
        let message = if missing.is_volume { "" } else { &missing.text };
        let waiting = status::creating(pod, reason, message, now);
        if self.waiting.insert(object::key(pod)) {
            let reason = if missing.is_volume { "FailedMount" } else { "Failed" };
            api.event(pod, "Warning", reason, &missing.text);
        }
        api.replace_status(&PODS, pod, waiting);
    }

    /// The Pod of a Job ends after a while; any other runs for ever.
    fn finish(&mut self, pod: &Value, api: &mut Api<'_, '_>, now: Timestamp) -> Option<Timestamp> {
        if !is_of_job(pod) {
            return None;
        }
        let owner = owner(pod, api);
        let asked = [Some(pod), owner.as_ref()].into_iter().flatten().collect::<Vec<_>>();
        let due = self.due(pod, Stage::Finish, delay(&asked, self.delays.run), now);
        let failed = match outcome(&asked) {
            Outcome::Succeed => false,
            Outcome::Fail | Outcome::Crash => true,
            Outcome::Never => return None,
        };
        if due <= now {
            api.replace_status(&PODS, pod, status::finished(pod, failed, now));
        }
        Some(due)
    }
}

impl Controller for Kubelet {
    const NAME: &'static str = "kubelet";
    const WATCHES: &'static [&'static Known] =
        &[&PODS, &CONFIG_MAPS, &SECRETS, &VOLUME_CLAIMS, &DEPLOYMENTS, &STATEFUL_SETS, &DAEMON_SETS, &JOBS];

    fn observe(&mut self, change: &Change, now: Timestamp, queue: &mut Queue<Key>) {
        if !PODS.is(&change.resource.id) {
            if !change.resource.id.group.is_empty() && !asks_otherwise(change) {
                return;
            }
            let namespace = object::namespace(&change.object);
            for key in self.waiting.iter().filter(|key| key.namespace == namespace) {
                queue.add(key.clone(), now);
            }
        } else if change.kind == ChangeKind::Deleted {
            self.steps.remove(object::uid(&change.object));
            self.waiting.remove(&object::key(&change.object));
        } else {
            queue.add(object::key(&change.object), now);
        }
    }

    fn sync(&mut self, key: &Key, api: &mut Api<'_, '_>, now: Timestamp) -> Option<Timestamp> {
        let pod = api.get(&PODS, &key.namespace, &key.name)?;
        if object::is_terminating(&pod) {
            return self.terminate(&pod, api, now);
        }
        if pod.str_at(&["spec", "nodeName"]).is_none_or(str::is_empty) {
            return None;
        }
        match pod.str_at(&["status", "phase"]) {
            Some("Succeeded" | "Failed") => None,
            Some("Running") => {
                self.waiting.remove(key);
                self.finish(&pod, api, now)
            }
            _ => self.start(&pod, api, now),
        }
    }
}

fn is_of_job(pod: &Value) -> bool {
    object::controller(pod).and_then(|owner| owner.str_at(&["kind"])) == Some("Job")
}

/// The workload behind a Pod, whose annotations count for its Pods: the controller, or that one's controller.
fn owner(pod: &Value, api: &Api<'_, '_>) -> Option<Value> {
    let above = |object: &Value| Some(api.access().by_uid(object::controller(object)?.str_at(&["uid"])?)?.1);
    let owner = above(pod)?;
    Some(above(&owner).unwrap_or(owner))
}

/// True when a change of a workload changes what it asks for its Pods.
fn asks_otherwise(change: &Change) -> bool {
    let asked = |object: &Value| (outcome(&[object]), delay(&[object], Duration::ZERO));
    change.previous.as_ref().is_some_and(|previous| asked(previous) != asked(&change.object))
}

/// Addresses of 10.244.0.0/16, in turn.
fn address(number: u32) -> String {
    let number = number % 64_000;
    format!("10.244.{}.{}", number / 250, number % 250 + 2)
}
