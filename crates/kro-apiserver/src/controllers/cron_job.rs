//! CronJobs: Jobs by the clock. Time zones other than UTC are not simulated: the schedule is read as UTC then.

mod schedule;

use std::time::Duration;

use jiff::Timestamp;
use kro_value::{Value, format_smolstr};

use self::schedule::Schedule;
use super::api::{Deletion, reference};
use super::delays::after;
use super::driver::Controller;
use super::known::{CRON_JOBS, JOBS, Known};
use super::queue::Queue;
use super::{Api, Key, object, value};
use crate::Change;

const SCHEDULED: &str = "batch.kubernetes.io/cronjob-scheduled-timestamp";
/// Starts missed beyond this are not counted one by one.
const MISSED_MAX: usize = 100;

/// The CronJob controller.
pub(super) struct CronJobController;

impl Controller for CronJobController {
    const NAME: &'static str = "cronjob-controller";
    const WATCHES: &'static [&'static Known] = &[&CRON_JOBS, &JOBS];

    fn observe(&mut self, change: &Change, now: Timestamp, queue: &mut Queue<Key>) {
        let object = &change.object;
        let key = if CRON_JOBS.is(&change.resource.id) {
            Some(object::key(object))
        } else {
            object::controller_key(object, "CronJob")
        };
        if let Some(key) = key {
            queue.add(key, now);
        }
    }

    fn sync(&mut self, key: &Key, api: &mut Api<'_, '_>, now: Timestamp) -> Option<Timestamp> {
        let cron = api.get(&CRON_JOBS, &key.namespace, &key.name).filter(|cron| !object::is_terminating(cron))?;
        remove_history(&cron, api);
        let schedule = Schedule::parse(cron.str_at(&["spec", "schedule"])?);
        let suspended = cron.at(&["spec", "suspend"]).and_then(Value::as_bool) == Some(true);
        let started = match &schedule {
            Some(schedule) if !suspended => start_missed(&cron, schedule, api, now),
            _ => None,
        };
        write_status(&cron, started, api);
        schedule.filter(|_| !suspended)?.next_after(now)
    }
}

/// Starts a Job when a start was due since the last one; says which.
fn start_missed(cron: &Value, schedule: &Schedule, api: &mut Api<'_, '_>, now: Timestamp) -> Option<Timestamp> {
    let created = object::time_at(cron, &["metadata", "creationTimestamp"])?;
    let last = object::time_at(cron, &["status", "lastScheduleTime"]).unwrap_or(created);
    let due = latest_due(schedule, last, now)?;
    let too_late = cron
        .at(&["spec", "startingDeadlineSeconds"])
        .and_then(Value::as_i64)
        .is_some_and(|seconds| after(due, Duration::from_secs(u64::try_from(seconds).unwrap_or_default())) < now);
    if too_late {
        return None;
    }
    let active: Vec<Value> = jobs(cron, api).into_iter().filter(|job| !is_finished(job)).collect();
    match cron.str_at(&["spec", "concurrencyPolicy"]) {
        Some("Forbid") if !active.is_empty() => {
            api.event(
                cron,
                "Normal",
                "JobAlreadyActive",
                "Not starting job because prior execution is running and concurrency policy is Forbid",
            );
            return None;
        }
        Some("Replace") => active.iter().for_each(|job| api.delete(&JOBS, job, Deletion::BACKGROUND)),
        _ => {}
    }
    let job = api.create(&JOBS, object::namespace(cron), job_of(cron, due))?;
    api.event(cron, "Normal", "SuccessfulCreate", &format!("Created job {}", object::name(&job)));
    Some(due)
}

fn latest_due(schedule: &Schedule, since: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let starts = std::iter::successors(schedule.next_after(since), |start| schedule.next_after(*start));
    starts.take_while(|start| *start <= now).take(MISSED_MAX).last()
}

fn job_of(cron: &Value, due: Timestamp) -> Value {
    let template = cron.at(&["spec", "jobTemplate"]).cloned().unwrap_or_default();
    let mut job = value!({ "metadata": {}, "spec": (template.get("spec").cloned().unwrap_or_default()) });
    for key in ["labels", "annotations"] {
        if let Some(item) = template.at(&["metadata", key]) {
            job.set_at(&["metadata", key], item.clone());
        }
    }
    job.set_at(&["metadata", "name"], format_smolstr!("{}-{}", object::name(cron), due.as_second() / 60).into());
    job.set_at(&["metadata", "annotations", SCHEDULED], object::time(due).into());
    job.set_at(&["metadata", "ownerReferences"], value!([(object::controller_reference(cron))]));
    job
}

fn jobs(cron: &Value, api: &Api<'_, '_>) -> Vec<Value> {
    api.controlled(&JOBS, cron)
}

fn is_finished(job: &Value) -> bool {
    object::is_true(job, "Complete") || object::is_true(job, "Failed")
}

fn write_status(cron: &Value, started: Option<Timestamp>, api: &mut Api<'_, '_>) {
    let mut status = cron.get("status").and_then(Value::as_map).cloned().unwrap_or_default();
    let jobs = jobs(cron, api);
    let active: Vec<Value> = jobs.iter().filter(|job| !is_finished(job)).map(reference).collect();
    // A reference in a status must not change with every change of the Job.
    let active: Vec<Value> = active
        .into_iter()
        .map(|mut reference| {
            reference.remove_at(&["resourceVersion"]);
            reference
        })
        .collect();
    status.remove("active");
    if !active.is_empty() {
        status.insert("active", active.into());
    }
    if let Some(started) = started {
        status.insert("lastScheduleTime", object::time(started).into());
    }
    let successes = jobs.iter().filter(|job| object::is_true(job, "Complete"));
    let latest = successes.filter_map(|job| object::time_at(job, &["status", "completionTime"])).max();
    let known = object::time_at(cron, &["status", "lastSuccessfulTime"]);
    if let Some(latest) = latest.max(known) {
        status.insert("lastSuccessfulTime", object::time(latest).into());
    }
    api.replace_status(&CRON_JOBS, cron, status.into());
}

/// Deletes the oldest finished Jobs beyond the limits.
fn remove_history(cron: &Value, api: &mut Api<'_, '_>) {
    for (kind, key, default) in [("Complete", "successfulJobsHistoryLimit", 3), ("Failed", "failedJobsHistoryLimit", 1)]
    {
        let limit = cron.at(&["spec", key]).and_then(Value::as_i64).unwrap_or(default);
        let mut finished: Vec<Value> = jobs(cron, api).into_iter().filter(|job| object::is_true(job, kind)).collect();
        finished.sort_by_key(|job| object::time_at(job, &["metadata", "creationTimestamp"]));
        let surplus = finished.len().saturating_sub(usize::try_from(limit).unwrap_or_default());
        for job in &finished[..surplus] {
            api.delete(&JOBS, job, Deletion::BACKGROUND);
        }
    }
}
