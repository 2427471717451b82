use std::collections::BTreeSet;

use kro_apimachinery::{FieldError, LabelSelector, names};
use kro_value::Value;

use super::{immutable, items, text};
use crate::GroupResource;

/// Deployments and their like select the Pods of their template, always the same ones.
pub(super) fn selected(id: &GroupResource, object: &Value, live: Option<&Value>) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let selector = object.at(&["spec", "selector"]);
    let labels = object.at(&["spec", "template", "metadata", "labels"]);
    match selector {
        None | Some(Value::Null) => {
            errors.push(FieldError::required("spec.selector", ""));
            let detail = "`selector` does not match template `labels`";
            let labels = labels.cloned().unwrap_or_default();
            errors.push(FieldError::invalid("spec.template.metadata.labels", &labels, detail));
        }
        Some(selector) => {
            let parsed = LabelSelector::from_value(selector);
            let empty = Value::Null;
            if parsed.is_everything() {
                let detail = "empty selector is invalid for deployment".replace("deployment", kind_word(id));
                errors.push(FieldError::invalid("spec.selector", selector, detail));
            } else if !parsed.matches(labels.and_then(Value::as_map)) {
                let detail = "`selector` does not match template `labels`";
                errors.push(FieldError::invalid("spec.template.metadata.labels", labels.unwrap_or(&empty), detail));
            }
        }
    }
    if let Some(live) = live {
        errors.extend(immutable(object, live, &["spec", "selector"]));
    }
    if id.resource == "statefulsets"
        && let Some(live) = live
    {
        errors.extend(stateful_set_changes(object, live));
    }
    errors.extend(negative(object, &["spec", "replicas"]));
    errors.extend(recreate(object));
    errors.extend(template(object, &["Always"]));
    errors
}

fn kind_word(id: &GroupResource) -> &'static str {
    match id.resource.as_str() {
        "replicasets" => "replicaset",
        "statefulsets" => "statefulset",
        "daemonsets" => "daemonset",
        _ => "deployment",
    }
}

fn negative(object: &Value, path: &[&str]) -> Option<FieldError> {
    let value = object.at(path).filter(|value| value.as_i64().is_some_and(|number| number < 0))?;
    Some(FieldError::invalid(path.join("."), value, "must be greater than or equal to 0"))
}

fn recreate(object: &Value) -> Option<FieldError> {
    let strategy = object.at(&["spec", "strategy"])?;
    let clashes = text(strategy, &["type"]) == "Recreate" && strategy.get("rollingUpdate").is_some();
    let detail = "may not be specified when strategy `type` is 'Recreate'";
    clashes.then(|| FieldError::forbidden("spec.strategy.rollingUpdate", detail))
}

fn stateful_set_changes(object: &Value, live: &Value) -> Option<FieldError> {
    const FREE: &[&str] = &[
        "replicas",
        "ordinals",
        "template",
        "updateStrategy",
        "revisionHistoryLimit",
        "persistentVolumeClaimRetentionPolicy",
        "minReadySeconds",
    ];
    let fixed = |object: &Value| {
        let mut spec = object.get("spec").cloned().unwrap_or_default();
        FREE.iter().for_each(|key| {
            spec.remove_at(&[key]);
        });
        spec
    };
    let detail = "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";
    (fixed(object) != fixed(live)).then(|| FieldError::forbidden("spec", detail))
}

pub(super) fn job(object: &Value, live: Option<&Value>) -> Vec<FieldError> {
    let mut errors = template(object, &["OnFailure", "Never"]);
    if let Some(live) = live {
        for path in
            [&["spec", "completions"][..], &["spec", "selector"], &["spec", "template"], &["spec", "completionMode"]]
        {
            errors.extend(immutable(object, live, path));
        }
    }
    errors
}

pub(super) fn cron_job(object: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let schedule = text(object, &["spec", "schedule"]);
    let fields: Vec<&str> = schedule.split_whitespace().collect();
    if schedule.is_empty() {
        errors.push(FieldError::required("spec.schedule", ""));
    } else if fields.len() != 5 && !schedule.starts_with('@') {
        let detail = format!("expected exactly 5 fields, found {}: [{}]", fields.len(), fields.join(" "));
        errors.push(FieldError::invalid("spec.schedule", &schedule.into(), detail));
    }
    let name = text(object, &["metadata", "name"]);
    if name.len() > 52 {
        errors.push(FieldError::invalid("metadata.name", &name.into(), "must be no more than 52 characters"));
    }
    let job = object.at(&["spec", "jobTemplate"]).cloned().unwrap_or_default();
    for mut error in template(&job, &["OnFailure", "Never"]) {
        error.field = error.field.replacen("spec.", "spec.jobTemplate.spec.", 1);
        errors.push(error);
    }
    errors
}

/// The Pods of a template restart in one of these ways.
fn template(object: &Value, policies: &[&str]) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let empty = Value::Null;
    let spec = object.at(&["spec", "template", "spec"]).unwrap_or(&empty);
    containers(spec, "spec.template.spec", &mut errors);
    let policy = text(spec, &["restartPolicy"]);
    let field = "spec.template.spec.restartPolicy";
    if policies.contains(&policy) {
        return errors;
    }
    if let [always] = policies {
        errors.push(FieldError::not_supported(field, &policy.into(), &[always]));
    } else if policy == "Always" {
        errors.push(FieldError::required(field, "valid values: \"OnFailure\", \"Never\""));
    } else {
        errors.push(FieldError::not_supported(field, &policy.into(), policies));
    }
    errors
}

pub(super) fn pod(object: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let empty = Value::Null;
    let spec = object.get("spec").unwrap_or(&empty);
    containers(spec, "spec", &mut errors);
    let policy = text(spec, &["restartPolicy"]);
    let supported = ["Always", "OnFailure", "Never"];
    if !supported.contains(&policy) {
        errors.push(FieldError::not_supported("spec.restartPolicy", &policy.into(), &supported));
    }
    errors
}

fn containers(spec: &Value, field: &str, errors: &mut Vec<FieldError>) {
    let list = items(spec, &["containers"]);
    if list.is_empty() {
        errors.push(FieldError::required(format!("{field}.containers"), ""));
    }
    let mut seen = BTreeSet::new();
    for (key, list) in [("containers", list), ("initContainers", items(spec, &["initContainers"]))] {
        for (index, container) in list.iter().enumerate() {
            container_errors(container, &format!("{field}.{key}[{index}]"), &mut seen, errors);
        }
    }
}

fn container_errors<'a>(container: &'a Value, field: &str, seen: &mut BTreeSet<&'a str>, errors: &mut Vec<FieldError>) {
    let name = text(container, &["name"]);
    if name.is_empty() {
        errors.push(FieldError::required(format!("{field}.name"), ""));
    } else if !seen.insert(name) {
        errors.push(FieldError::duplicate(format!("{field}.name"), &name.into()));
    } else {
        let problems = names::dns_label_errors(name).into_iter();
        errors.extend(problems.map(|detail| FieldError::invalid(format!("{field}.name"), &name.into(), detail)));
    }
    if text(container, &["image"]).is_empty() {
        errors.push(FieldError::required(format!("{field}.image"), ""));
    }
    for (index, port) in items(container, &["ports"]).iter().enumerate() {
        let number = port.get("containerPort").and_then(Value::as_i64).unwrap_or_default();
        if !(1..=65_535).contains(&number) {
            let field = format!("{field}.ports[{index}].containerPort");
            errors.push(FieldError::invalid(field, &Value::Int(number), "must be between 1 and 65535, inclusive"));
        }
    }
}

/// What is odd about the ports of new Pods, though allowed: several definitions of one port.
pub(super) fn port_warnings(object: &Value) -> Vec<String> {
    let places: [(&[&str], &str); 3] = [
        (&["spec"], "spec"),
        (&["spec", "template", "spec"], "spec.template.spec"),
        (&["spec", "jobTemplate", "spec", "template", "spec"], "spec.jobTemplate.spec.template.spec"),
    ];
    let mut warnings = Vec::new();
    for (path, field) in places {
        let Some(spec) = object.at(path) else { continue };
        let mut seen: Vec<(i64, &str, String)> = Vec::new();
        for (at, container) in items(spec, &["containers"]).iter().enumerate() {
            for (index, port) in items(container, &["ports"]).iter().enumerate() {
                let number = port.get("containerPort").and_then(Value::as_i64).unwrap_or_default();
                let protocol = text(port, &["protocol"]);
                let place = format!("{field}.containers[{at}].ports[{index}]");
                let same = seen.iter().filter(|(known, other, _)| *known == number && *other == protocol);
                warnings.extend(same.map(|(_, _, first)| format!("{place}: duplicate port definition with {first}")));
                seen.push((number, protocol, place));
            }
        }
    }
    warnings
}
