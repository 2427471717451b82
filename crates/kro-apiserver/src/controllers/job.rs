//! Jobs: Pods that end.

mod indexes;
mod progress;

use std::time::Duration;

use jiff::Timestamp;
use kro_value::Value;

use self::progress::{Finish, Progress};
use super::api::Deletion;
use super::delays::after;
use super::driver::Controller;
use super::known::{JOBS, Known, PODS};
use super::queue::Queue;
use super::template::{PodName, pod, sort_for_removal};
use super::{Api, Key, object, value};
use crate::Change;

const INDEX: &str = "batch.kubernetes.io/job-completion-index";

/// The Job controller.
pub(super) struct JobController;

impl Controller for JobController {
    const NAME: &'static str = "job-controller";
    const WATCHES: &'static [&'static Known] = &[&JOBS, &PODS];

    fn observe(&mut self, change: &Change, now: Timestamp, queue: &mut Queue<Key>) {
        let object = &change.object;
        let key = if JOBS.is(&change.resource.id) {
            Some(object::key(object))
        } else {
            object::controller_key(object, "Job")
        };
        if let Some(key) = key {
            queue.add(key, now);
        }
    }

    fn sync(&mut self, key: &Key, api: &mut Api<'_, '_>, now: Timestamp) -> Option<Timestamp> {
        let job = api.get(&JOBS, &key.namespace, &key.name).filter(|job| !object::is_terminating(job))?;
        if object::is_true(&job, "Complete") || object::is_true(&job, "Failed") {
            return expire(&job, api, now);
        }
        let pods = api.claimed(&PODS, &job);
        let mut progress = Progress::of(job, pods, now);
        let finish = progress.finish();
        if finish.is_some() || progress.is_suspended() {
            remove_active(&mut progress, 0, api);
        } else {
            adjust(&mut progress, api);
        }
        let status = progress.status(finish.as_ref(), now);
        let written = api.replace_status(&JOBS, &progress.job, status);
        if let (Some(finish), Some(_)) = (&finish, written) {
            tell(&progress.job, finish, api);
        }
        progress.deadline().filter(|deadline| finish.is_none() && *deadline > now)
    }
}

/// Makes or deletes Pods until as many run as may.
fn adjust(progress: &mut Progress, api: &mut Api<'_, '_>) {
    let wanted = progress.wanted();
    remove_active(progress, wanted, api);
    let template = progress.job.at(&["spec", "template"]).cloned().unwrap_or_default();
    while progress.active.len() < wanted {
        let made = match progress.is_indexed().then(|| progress.next_index()) {
            Some(None) => break,
            Some(Some(index)) => indexed_pod(&progress.job, &template, index),
            None => pod(&progress.job, &template, PodName::Prefix(object::name(&progress.job))),
        };
        let Some(made) = api.create(&PODS, object::namespace(&progress.job), made) else { break };
        api.event(&progress.job, "Normal", "SuccessfulCreate", &format!("Created pod: {}", object::name(&made)));
        progress.active.push(made);
    }
}

fn indexed_pod(job: &Value, template: &Value, index: i64) -> Value {
    let name = format!("{}-{index}", object::name(job));
    let mut pod = pod(job, template, PodName::Prefix(&name));
    pod.set_at(&["metadata", "labels", INDEX], index.to_string().into());
    pod.set_at(&["metadata", "annotations", INDEX], index.to_string().into());
    pod.set_at(&["spec", "hostname"], name.into());
    pod
}

/// Deletes Pods until no more than so many are left.
fn remove_active(progress: &mut Progress, left: usize, api: &mut Api<'_, '_>) {
    let surplus = progress.active.len().saturating_sub(left);
    sort_for_removal(&mut progress.active);
    for surplus in progress.active.drain(..surplus) {
        api.delete(&PODS, &surplus, Deletion::default());
        api.event(&progress.job, "Normal", "SuccessfulDelete", &format!("Deleted pod: {}", object::name(&surplus)));
    }
}

fn tell(job: &Value, finish: &Finish, api: &mut Api<'_, '_>) {
    match finish {
        Finish::Complete => api.event(job, "Normal", "Completed", "Job completed"),
        Finish::Failed { reason, message } => api.event(job, "Warning", reason, message),
    }
}

/// A finished Job goes by itself when it says how long it is kept.
fn expire(job: &Value, api: &mut Api<'_, '_>, now: Timestamp) -> Option<Timestamp> {
    let seconds = u64::try_from(job.at(&["spec", "ttlSecondsAfterFinished"])?.as_i64()?).ok()?;
    let ended = ["Complete", "Failed"].into_iter().find_map(|kind| {
        object::condition(job, kind).and_then(|condition| object::time_at(condition, &["lastTransitionTime"]))
    })?;
    let due = after(ended, Duration::from_secs(seconds));
    if due <= now {
        api.delete(&JOBS, job, Deletion::BACKGROUND);
    }
    Some(due)
}

/// A condition that is true.
fn holds(kind: &str, reason: &str, message: &str, now: Timestamp) -> Value {
    value!({
        "type": kind, "status": "True", "reason": reason, "message": message,
        "lastProbeTime": (object::time(now))
    })
}
