use kro_value::Value;

use super::{each, fill, member, pod, storage, text};

fn template(spec: &mut Value) {
    member(spec, "template", pod::template);
}

pub(super) fn deployment(object: &mut Value) {
    member(object, "spec", |spec| {
        template(spec);
        fill(spec, &["replicas"], Value::Int(1));
        fill(spec, &["strategy", "type"], "RollingUpdate");
        if text(spec, &["strategy", "type"]) == "RollingUpdate" {
            fill(spec, &["strategy", "rollingUpdate", "maxUnavailable"], "25%");
            fill(spec, &["strategy", "rollingUpdate", "maxSurge"], "25%");
        }
        fill(spec, &["revisionHistoryLimit"], Value::Int(10));
        fill(spec, &["progressDeadlineSeconds"], Value::Int(600));
    });
}

pub(super) fn replica_set(object: &mut Value) {
    member(object, "spec", |spec| {
        template(spec);
        fill(spec, &["replicas"], Value::Int(1));
    });
}

pub(super) fn replication_controller(object: &mut Value) {
    let labels = object.at(&["spec", "template", "metadata", "labels"]).cloned();
    if let Some(labels) = labels {
        fill(object, &["metadata", "labels"], labels.clone());
        fill(object, &["spec", "selector"], labels);
    }
    replica_set(object);
}

pub(super) fn stateful_set(object: &mut Value) {
    member(object, "spec", |spec| {
        template(spec);
        fill(spec, &["replicas"], Value::Int(1));
        fill(spec, &["podManagementPolicy"], "OrderedReady");
        fill(spec, &["updateStrategy", "type"], "RollingUpdate");
        if text(spec, &["updateStrategy", "type"]) == "RollingUpdate" {
            fill(spec, &["updateStrategy", "rollingUpdate", "partition"], Value::Int(0));
        }
        fill(spec, &["revisionHistoryLimit"], Value::Int(10));
        fill(spec, &["persistentVolumeClaimRetentionPolicy", "whenDeleted"], "Retain");
        fill(spec, &["persistentVolumeClaimRetentionPolicy", "whenScaled"], "Retain");
        each(spec, "volumeClaimTemplates", |claim| {
            storage::volume_claim(claim);
            fill(claim, &["apiVersion"], "v1");
            fill(claim, &["kind"], "PersistentVolumeClaim");
        });
    });
}

pub(super) fn daemon_set(object: &mut Value) {
    // Every conversion of the reference writes it; the count itself comes later.
    fill(object, &["metadata", "annotations", crate::kinds::TEMPLATE_GENERATION], "0");
    member(object, "spec", |spec| {
        template(spec);
        fill(spec, &["updateStrategy", "type"], "RollingUpdate");
        if text(spec, &["updateStrategy", "type"]) == "RollingUpdate" {
            fill(spec, &["updateStrategy", "rollingUpdate", "maxUnavailable"], Value::Int(1));
            fill(spec, &["updateStrategy", "rollingUpdate", "maxSurge"], Value::Int(0));
        }
        fill(spec, &["revisionHistoryLimit"], Value::Int(10));
    });
}

pub(super) fn job(object: &mut Value) {
    let labels = object.at(&["spec", "template", "metadata", "labels"]).cloned();
    if let Some(labels) = labels {
        fill(object, &["metadata", "labels"], labels);
    }
    member(object, "spec", |spec| {
        template(spec);
        if spec.get("completions").is_none() && spec.get("parallelism").is_none() {
            spec.set_at(&["completions"], Value::Int(1));
        }
        fill(spec, &["parallelism"], Value::Int(1));
        if spec.get("backoffLimitPerIndex").is_none() {
            fill(spec, &["backoffLimit"], Value::Int(6));
        }
        fill(spec, &["completionMode"], "NonIndexed");
        fill(spec, &["suspend"], false);
        fill(spec, &["manualSelector"], false);
        let policy = if spec.get("podFailurePolicy").is_some() { "Failed" } else { "TerminatingOrFailed" };
        fill(spec, &["podReplacementPolicy"], policy);
    });
}

pub(super) fn cron_job(object: &mut Value) {
    member(object, "spec", |spec| {
        fill(spec, &["concurrencyPolicy"], "Allow");
        fill(spec, &["suspend"], false);
        fill(spec, &["successfulJobsHistoryLimit"], Value::Int(3));
        fill(spec, &["failedJobsHistoryLimit"], Value::Int(1));
        member(spec, "jobTemplate", |job| member(job, "spec", template));
    });
}

/// How fast an autoscaler goes, where it says anything of that.
fn scaling(behavior: &mut Value) {
    let policy = |kind: &str, value: i64| {
        Value::map([("type", Value::from(kind)), ("value", Value::Int(value)), ("periodSeconds", Value::Int(15))])
    };
    for (direction, policies) in
        [("scaleUp", vec![policy("Pods", 4), policy("Percent", 100)]), ("scaleDown", vec![policy("Percent", 100)])]
    {
        fill(behavior, &[direction, "selectPolicy"], "Max");
        fill(behavior, &[direction, "policies"], Value::from(policies));
    }
    fill(behavior, &["scaleUp", "stabilizationWindowSeconds"], Value::Int(0));
}

pub(super) fn autoscaler(object: &mut Value) {
    let is_first_version = object.str_at(&["apiVersion"]) == Some("autoscaling/v1");
    member(object, "spec", |spec| {
        fill(spec, &["minReplicas"], Value::Int(1));
        let has_metrics = spec.get("metrics").and_then(Value::as_list).is_some_and(|metrics| !metrics.is_empty());
        if !is_first_version && !has_metrics {
            let target = Value::map([("type", Value::from("Utilization")), ("averageUtilization", Value::Int(80))]);
            let resource = Value::map([("name", Value::from("cpu")), ("target", target)]);
            let metric = Value::map([("type", Value::from("Resource")), ("resource", resource)]);
            spec.set_at(&["metrics"], Value::list([metric]));
        }
        member(spec, "behavior", scaling);
    });
}
