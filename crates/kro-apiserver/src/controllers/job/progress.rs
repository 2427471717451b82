use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use kro_value::Value;

use super::super::delays::after;
use super::super::{object, value};
use super::{INDEX, holds, indexes};

/// A Job with its Pods.
pub(super) struct Progress {
    pub(super) job: Value,
    pub(super) active: Vec<Value>,
    succeeded: i64,
    failed: i64,
    /// Indexes that are done; of Indexed Jobs only.
    done: BTreeSet<i64>,
    started: Timestamp,
    now: Timestamp,
}

/// How a Job ends.
pub(super) enum Finish {
    Complete,
    Failed { reason: &'static str, message: &'static str },
}

impl Progress {
    pub(super) fn of(job: Value, pods: Vec<Value>, now: Timestamp) -> Self {
        let in_phase =
            |phase: &'static str| pods.iter().filter(move |pod| pod.str_at(&["status", "phase"]) == Some(phase));
        let mut done = indexes::parse(job.str_at(&["status", "completedIndexes"]).unwrap_or_default());
        done.extend(in_phase("Succeeded").filter_map(index));
        let count = |phase| i64::try_from(in_phase(phase).count()).unwrap_or(i64::MAX);
        // Pods that somebody removed after they ended still count.
        let succeeded = count("Succeeded").max(object::int(&job, &["status", "succeeded"]));
        let failed = count("Failed").max(object::int(&job, &["status", "failed"]));
        let started = object::time_at(&job, &["status", "startTime"]).unwrap_or(now);
        let active = pods.into_iter().filter(object::is_active).collect();
        let mut progress = Self { job, active, succeeded, failed, done, started, now };
        if progress.is_indexed() {
            progress.succeeded = i64::try_from(progress.done.len()).unwrap_or(i64::MAX);
        }
        progress
    }

    pub(super) fn is_indexed(&self) -> bool {
        self.job.str_at(&["spec", "completionMode"]) == Some("Indexed")
    }

    pub(super) fn is_suspended(&self) -> bool {
        self.job.at(&["spec", "suspend"]).and_then(Value::as_bool) == Some(true)
    }

    fn completions(&self) -> Option<i64> {
        self.job.at(&["spec", "completions"]).and_then(Value::as_i64)
    }

    /// When the Job has run too long.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        let seconds = self.job.at(&["spec", "activeDeadlineSeconds"])?.as_i64()?;
        Some(after(self.started, Duration::from_secs(u64::try_from(seconds).ok()?)))
    }

    /// Whether and how the Job is over.
    pub(super) fn finish(&self) -> Option<Finish> {
        let limit = self.job.at(&["spec", "backoffLimit"]).and_then(Value::as_i64).unwrap_or(6);
        if self.failed > limit {
            let message = "Job has reached the specified backoff limit";
            return Some(Finish::Failed { reason: "BackoffLimitExceeded", message });
        }
        if !self.is_suspended() && self.deadline().is_some_and(|deadline| deadline <= self.now) {
            let message = "Job was active longer than specified deadline";
            return Some(Finish::Failed { reason: "DeadlineExceeded", message });
        }
        let complete = match self.completions() {
            Some(completions) => self.succeeded >= completions,
            None => self.succeeded > 0 && self.active.is_empty(),
        };
        complete.then_some(Finish::Complete)
    }

    /// How many Pods should run now.
    pub(super) fn wanted(&self) -> usize {
        let parallelism = self.job.at(&["spec", "parallelism"]).and_then(Value::as_i64).unwrap_or(1);
        let wanted = match self.completions() {
            Some(completions) => parallelism.min(completions - self.succeeded),
            // Once one succeeded, no new ones start.
            None if self.succeeded > 0 => return self.active.len(),
            None => parallelism,
        };
        usize::try_from(wanted).unwrap_or_default()
    }

    /// The first index that is neither done nor running.
    pub(super) fn next_index(&self) -> Option<i64> {
        let running: BTreeSet<i64> = self.active.iter().filter_map(index).collect();
        (0..self.completions()?).find(|index| !self.done.contains(index) && !running.contains(index))
    }

    pub(super) fn status(&self, finish: Option<&Finish>, now: Timestamp) -> Value {
        let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let ready = self.active.iter().filter(|pod| object::is_true(pod, "Ready")).count();
        let mut status = object::counts(&[
            ("active", count(self.active.len())),
            ("succeeded", self.succeeded),
            ("failed", self.failed),
        ]);
        status.insert("ready", count(ready).into());
        status.insert("terminating", 0.into());
        status.insert("uncountedTerminatedPods", value!({}));
        if !self.is_suspended() {
            status.insert("startTime", object::time(self.started).into());
        }
        if !self.done.is_empty() {
            status.insert("completedIndexes", indexes::format(&self.done).into());
        }
        let mut conditions = self.suspension(now);
        match finish {
            None => {}
            Some(Finish::Complete) => {
                let message = "Reached expected number of succeeded pods";
                for kind in ["SuccessCriteriaMet", "Complete"] {
                    let condition = holds(kind, "CompletionsReached", message, now);
                    conditions = object::with_condition(&conditions, condition, now);
                }
                status.insert("completionTime", object::time(now).into());
            }
            Some(Finish::Failed { reason, message }) => {
                for kind in ["FailureTarget", "Failed"] {
                    conditions = object::with_condition(&conditions, holds(kind, reason, message, now), now);
                }
            }
        }
        if !conditions.is_empty() {
            status.insert("conditions", conditions.into());
        }
        status.into()
    }

    fn suspension(&self, now: Timestamp) -> Vec<Value> {
        let conditions = object::list(&self.job, &["status", "conditions"]);
        let was = object::condition(&self.job, "Suspended").is_some();
        let (state, reason, message) = match (self.is_suspended(), was) {
            (true, _) => ("True", "JobSuspended", "Job suspended"),
            (false, true) => ("False", "JobResumed", "Job resumed"),
            (false, false) => return conditions.to_vec(),
        };
        if object::condition(&self.job, "Suspended").and_then(|it| it.str_at(&["status"])) == Some(state) {
            return conditions.to_vec();
        }
        let mut condition = holds("Suspended", reason, message, now);
        condition.set_at(&["status"], state.into());
        object::with_condition(conditions, condition, now)
    }
}

fn index(pod: &Value) -> Option<i64> {
    object::annotation(pod, INDEX)?.parse().ok()
}
