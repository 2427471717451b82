//! Columns of Pods and what makes them.

use jiff::Timestamp;
use kro_value::Value;

use super::column::{
    AGE, Column, NAME, age_at, boolean, integer, items, labels, members, number, selector, string, string_or, text,
    wide,
};
use super::duration::human;

const TEMPLATE: &[&str] = &["spec", "template", "spec", "containers"];
const JOB_TEMPLATE: &[&str] = &["spec", "jobTemplate", "spec", "template", "spec", "containers"];

const CONTAINERS: Column = wide("Containers", |object, _| members(object, TEMPLATE, "name"));
const IMAGES: Column = wide("Images", |object, _| members(object, TEMPLATE, "image"));
const SELECTOR: Column = wide("Selector", |object, _| selector(object, &["spec", "selector"]));

pub(super) const PODS: &[Column] = &[
    NAME,
    text("Ready", |pod, _| {
        let ready = container_statuses(pod).filter(|status| is_true(status, "ready")).count();
        format!("{ready}/{}", items(pod, &["spec", "containers"]).len()).into()
    }),
    text("Status", |pod, _| pod_status(pod).into()),
    text("Restarts", |pod, _| {
        let restarts: i64 = container_statuses(pod).map(|status| number(status, &["restartCount"])).sum();
        restarts.to_string().into()
    }),
    AGE,
    wide("IP", |pod, _| string_or(pod, &["status", "podIP"], "<none>")),
    wide("Node", |pod, _| string_or(pod, &["spec", "nodeName"], "<none>")),
    wide("Nominated Node", |pod, _| string_or(pod, &["status", "nominatedNodeName"], "<none>")),
    wide("Readiness Gates", |pod, _| readiness_gates(pod).into()),
];

/// How many of the conditions that a Pod names are true.
fn readiness_gates(pod: &Value) -> String {
    let gates = items(pod, &["spec", "readinessGates"]);
    if gates.is_empty() {
        return "<none>".to_owned();
    }
    let holds = |gate: &&Value| {
        items(pod, &["status", "conditions"]).iter().any(|condition| {
            string(condition, &["type"]) == string(gate, &["conditionType"]) && string(condition, &["status"]) == "True"
        })
    };
    format!("{}/{}", gates.iter().filter(holds).count(), gates.len())
}

pub(super) const POD_TEMPLATES: &[Column] = &[
    NAME,
    text("Containers", |object, _| members(object, &["template", "spec", "containers"], "name")),
    text("Images", |object, _| members(object, &["template", "spec", "containers"], "image")),
    text("Pod Labels", |object, _| labels(object, &["template", "metadata", "labels"])),
];

pub(super) const DEPLOYMENTS: &[Column] = &[
    NAME,
    text("Ready", |object, _| ready_of_desired(object)),
    text("Up-to-date", |object, _| number(object, &["status", "updatedReplicas"]).into()),
    text("Available", |object, _| number(object, &["status", "availableReplicas"]).into()),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
];

const DESIRED: Column = integer("Desired", |object, _| number(object, &["spec", "replicas"]).into());
const CURRENT: Column = integer("Current", |object, _| number(object, &["status", "replicas"]).into());
const READY: Column = integer("Ready", |object, _| number(object, &["status", "readyReplicas"]).into());

pub(super) const REPLICA_SETS: &[Column] = &[NAME, DESIRED, CURRENT, READY, AGE, CONTAINERS, IMAGES, SELECTOR];

pub(super) const REPLICATION_CONTROLLERS: &[Column] = &[
    NAME,
    DESIRED,
    CURRENT,
    READY,
    AGE,
    CONTAINERS,
    IMAGES,
    wide("Selector", |object, _| labels(object, &["spec", "selector"])),
];

pub(super) const STATEFUL_SETS: &[Column] =
    &[NAME, text("Ready", |object, _| ready_of_desired(object)), AGE, CONTAINERS, IMAGES];

pub(super) const DAEMON_SETS: &[Column] = &[
    NAME,
    integer("Desired", |object, _| number(object, &["status", "desiredNumberScheduled"]).into()),
    integer("Current", |object, _| number(object, &["status", "currentNumberScheduled"]).into()),
    integer("Ready", |object, _| number(object, &["status", "numberReady"]).into()),
    integer("Up-to-date", |object, _| number(object, &["status", "updatedNumberScheduled"]).into()),
    integer("Available", |object, _| number(object, &["status", "numberAvailable"]).into()),
    text("Node Selector", |object, _| labels(object, &["spec", "template", "spec", "nodeSelector"])),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
];

pub(super) const JOBS: &[Column] = &[
    NAME,
    text("Status", |job, _| job_status(job).into()),
    text("Completions", |job, _| {
        let succeeded = number(job, &["status", "succeeded"]);
        match job.at(&["spec", "completions"]).and_then(Value::as_i64) {
            Some(wanted) => format!("{succeeded}/{wanted}").into(),
            None => match number(job, &["spec", "parallelism"]) {
                parallel @ 2.. => format!("{succeeded}/1 of {parallel}").into(),
                _ => format!("{succeeded}/1").into(),
            },
        }
    }),
    text("Duration", job_duration),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
];

pub(super) const CRON_JOBS: &[Column] = &[
    NAME,
    text("Schedule", |job, _| string(job, &["spec", "schedule"]).into()),
    text("Timezone", |job, _| string_or(job, &["spec", "timeZone"], "<none>")),
    boolean("Suspend", |job, _| {
        let suspended = job.at(&["spec", "suspend"]).and_then(Value::as_bool).unwrap_or(false);
        (if suspended { "True" } else { "False" }).into()
    }),
    integer("Active", |job, _| super::column::count(job, &["status", "active"]).into()),
    text("Last Schedule", |job, now| age_at(job, &["status", "lastScheduleTime"], now, "<none>")),
    AGE,
    wide("Containers", |job, _| members(job, JOB_TEMPLATE, "name")),
    wide("Images", |job, _| members(job, JOB_TEMPLATE, "image")),
    wide("Selector", |job, _| selector(job, &["spec", "jobTemplate", "spec", "selector"])),
];

pub(super) const CONTROLLER_REVISIONS: &[Column] = &[
    NAME,
    text("Controller", |object, _| {
        let owners = items(object, &["metadata", "ownerReferences"]);
        let controller = owners.iter().find(|owner| is_true(owner, "controller"));
        let named = controller.map(|owner| {
            let group =
                string(owner, &["apiVersion"]).split_once('/').map_or(String::new(), |(group, _)| format!(".{group}"));
            format!("{}{group}/{}", string(owner, &["kind"]).to_lowercase(), string(owner, &["name"]))
        });
        named.unwrap_or_else(|| "<none>".to_owned()).into()
    }),
    text("Revision", |object, _| number(object, &["revision"]).into()),
    AGE,
];

pub(super) const AUTOSCALERS: &[Column] = &[
    NAME,
    text("Reference", |object, _| {
        let target = object.at(&["spec", "scaleTargetRef"]).cloned().unwrap_or_default();
        format!("{}/{}", string(&target, &["kind"]), string(&target, &["name"])).into()
    }),
    text("Targets", |object, _| targets(object).into()),
    text("MinPods", |object, _| match object.at(&["spec", "minReplicas"]).and_then(Value::as_i64) {
        Some(least) => least.to_string().into(),
        None => "<unset>".into(),
    }),
    text("MaxPods", |object, _| number(object, &["spec", "maxReplicas"]).into()),
    text("Replicas", |object, _| number(object, &["status", "currentReplicas"]).into()),
    AGE,
];

pub(super) const DISRUPTION_BUDGETS: &[Column] = &[
    NAME,
    text("Min Available", |object, _| int_or_string(object, &["spec", "minAvailable"])),
    text("Max Unavailable", |object, _| int_or_string(object, &["spec", "maxUnavailable"])),
    integer("Allowed Disruptions", |object, _| number(object, &["status", "disruptionsAllowed"]).into()),
    AGE,
];

fn int_or_string(object: &Value, path: &[&str]) -> Value {
    match object.at(path) {
        Some(Value::String(text)) => text.clone().into(),
        Some(Value::Int(number)) => number.to_string().into(),
        _ => "N/A".into(),
    }
}

fn targets(object: &Value) -> String {
    let of_metric = |metric: &Value| {
        let target = |key: &str| metric.at(&["resource", "target", key]).cloned().unwrap_or_default();
        let wanted = match target("averageValue").as_str() {
            Some(value) => value.to_owned(),
            None => format!("{}%", target("averageUtilization").as_i64().unwrap_or_default()),
        };
        format!("{}: <unknown>/{wanted}", string(metric, &["resource", "name"]))
    };
    let texts: Vec<String> = items(object, &["spec", "metrics"]).iter().map(of_metric).collect();
    if texts.is_empty() { "<none>".to_owned() } else { texts.join(", ") }
}

fn ready_of_desired(object: &Value) -> Value {
    format!("{}/{}", number(object, &["status", "readyReplicas"]), number(object, &["spec", "replicas"])).into()
}

fn container_statuses(pod: &Value) -> impl Iterator<Item = &Value> {
    items(pod, &["status", "containerStatuses"]).iter()
}

fn is_true(value: &Value, key: &str) -> bool {
    value.get(key).and_then(Value::as_bool) == Some(true)
}

/// The phase, or the reason that a container gives for not running.
fn pod_status(pod: &Value) -> String {
    if pod.str_at(&["metadata", "deletionTimestamp"]).is_some() {
        return "Terminating".to_owned();
    }
    let mut status = string(pod, &["status", "phase"]).to_owned();
    if let Some(reason) = pod.str_at(&["status", "reason"]).filter(|reason| !reason.is_empty()) {
        reason.clone_into(&mut status);
    }
    for container in items(pod, &["status", "containerStatuses"]).iter().rev() {
        let reason = |state| container.str_at(&["state", state, "reason"]).filter(|reason| !reason.is_empty());
        if let Some(reason) = reason("waiting").or_else(|| reason("terminated")) {
            reason.clone_into(&mut status);
        }
    }
    status
}

fn job_status(job: &Value) -> &'static str {
    let holds = |name: &str| {
        let conditions = items(job, &["status", "conditions"]);
        conditions.iter().any(|one| string(one, &["type"]) == name && string(one, &["status"]) == "True")
    };
    match () {
        () if holds("Complete") => "Complete",
        () if holds("Failed") => "Failed",
        () if job.str_at(&["metadata", "deletionTimestamp"]).is_some() => "Terminating",
        () if holds("Suspended") => "Suspended",
        () if holds("FailureTarget") => "FailureTarget",
        () if holds("SuccessCriteriaMet") => "SuccessCriteriaMet",
        () => "Running",
    }
}

fn job_duration(job: &Value, now: Timestamp) -> Value {
    let time = |key: &str| job.str_at(&["status", key]).and_then(|text| text.parse::<Timestamp>().ok());
    let Some(start) = time("startTime") else { return "".into() };
    let end = time("completionTime").unwrap_or(now);
    human(end.as_second() - start.as_second()).into()
}
