//! Workloads, and what they make Pods from.

use kro_apimachinery::{FieldError, LabelSelector};
use kro_value::Value;

use super::place::{Findings, Place};
use super::{items, pod, text};
use crate::GroupResource;

const UPDATE: &[(&str, &str)] = &[("Type", "type"), ("RollingUpdate", "rollingUpdate")];
const MISMATCH: &str = "`selector` does not match template `labels`";

/// Deployments and their like select the Pods of their template, always the same ones.
pub(super) fn selected(id: &GroupResource, object: &Value, live: Option<&Value>) -> Vec<FieldError> {
    let findings = Findings::default();
    let spec = Place::root(object, &findings).get("spec");
    let is_template_checked = selector(&spec, id);
    for key in ["replicas", "minReadySeconds"] {
        spec.get(key).non_negative();
    }
    if id.resource != "statefulsets" {
        spec.get("revisionHistoryLimit").non_negative();
    }
    if is_template_checked {
        template(&spec, id);
    }
    match id.resource.as_str() {
        "deployments" => deployment(&spec),
        "statefulsets" => stateful_set(&spec),
        "daemonsets" => daemon_set(&spec),
        _ => {}
    }
    if let Some(live) = live {
        let old = Place::root(live, &findings).get("spec");
        if id.resource == "statefulsets" {
            stateful_set_changes(&spec, &old);
        } else {
            spec.get("selector").immutable(&old.get("selector"));
        }
    }
    findings.into_errors()
}

/// The selector; false when the template is not looked at because of it.
fn selector(spec: &Place<'_>, id: &GroupResource) -> bool {
    let selector = spec.get("selector");
    let labels = spec.at(&["template", "metadata", "labels"]);
    let Some(value) = selector.value else {
        selector.required("");
        labels.invalid(MISMATCH);
        return true;
    };
    let before = value.get("matchExpressions").is_some() || value.get("matchLabels").is_some();
    selector.label_selector();
    let parsed = LabelSelector::from_value(value);
    if parsed.is_everything() || !before {
        selector.invalid(format!("empty selector is invalid for {}", kind_word(id)));
        return true;
    }
    if !is_selector(value) {
        selector.invalid("invalid label selector");
        return id.resource == "daemonsets";
    }
    if !parsed.matches(labels.value.and_then(Value::as_map)) {
        labels.invalid(MISMATCH);
    }
    true
}

/// True when a selector can be understood.
fn is_selector(selector: &Value) -> bool {
    let findings = Findings::default();
    Place::root(selector, &findings).label_selector();
    findings.into_errors().is_empty()
}

fn kind_word(id: &GroupResource) -> &'static str {
    match id.resource.as_str() {
        "replicasets" => "replicaset",
        "statefulsets" => "statefulset",
        "daemonsets" => "daemonset",
        _ => "deployment",
    }
}

/// The template of Pods that run for ever.
fn template(spec: &Place<'_>, id: &GroupResource) {
    let template = spec.get("template");
    pod::template(&template);
    let pods = template.get("spec");
    let policy = pods.get("restartPolicy");
    if policy.text() != "Always" {
        policy.unsupported(&["Always"]);
    }
    let owner = match id.resource.as_str() {
        "daemonsets" => "DaemonSet",
        "statefulsets" => "StatefulSet",
        _ => "ReplicaSet",
    };
    let deadline = pods.get("activeDeadlineSeconds");
    if deadline.is_set() {
        deadline.forbidden(format!("activeDeadlineSeconds in {owner} is not Supported"));
    }
}

fn deployment(spec: &Place<'_>) {
    let deadline = spec.get("progressDeadlineSeconds");
    deadline.non_negative();
    if deadline.int().is_some_and(|deadline| deadline <= spec.get("minReadySeconds").int().unwrap_or_default()) {
        deadline.invalid("must be greater than minReadySeconds");
    }
    let strategy = spec.get("strategy");
    let rolling = strategy.get("rollingUpdate");
    match strategy.get("type").text() {
        "Recreate" => {
            if rolling.is_set() {
                rolling.forbidden("may not be specified when strategy `type` is 'Recreate'");
            }
        }
        "RollingUpdate" => {
            let (surge, unavailable) = (rolling.get("maxSurge"), rolling.get("maxUnavailable"));
            surge.int_or_percent();
            unavailable.int_or_percent();
            if rolling.is_set() && surge.amount() == 0 && unavailable.amount() == 0 {
                unavailable.invalid("may not be 0 when `maxSurge` is 0");
            }
            unavailable.at_most_100_percent();
        }
        _ => strategy.unsupported_raw(strategy.go_struct(UPDATE), &["Recreate", "RollingUpdate"]),
    }
}

fn stateful_set(spec: &Place<'_>) {
    let policy = spec.get("podManagementPolicy");
    if !matches!(policy.text(), "OrderedReady" | "Parallel") {
        policy.invalid("must be 'OrderedReady' or 'Parallel'");
    }
    let strategy = spec.get("updateStrategy");
    let rolling = strategy.get("rollingUpdate");
    match strategy.get("type").text() {
        "RollingUpdate" => rolling.get("partition").non_negative(),
        "OnDelete" => {
            if rolling.is_set() {
                let shown = rolling.go_struct(&[("Partition", "partition"), ("MaxUnavailable", "maxUnavailable")]);
                rolling.invalid_raw(shown, "only allowed for updateStrategy 'RollingUpdate'");
            }
        }
        _ => strategy.invalid_raw(strategy.go_struct(UPDATE), "must be 'RollingUpdate' or 'OnDelete'"),
    }
    spec.at(&["ordinals", "start"]).non_negative();
    for key in ["whenDeleted", "whenScaled"] {
        spec.at(&["persistentVolumeClaimRetentionPolicy", key]).one_of(&["Retain", "Delete"]);
    }
    spec.get("serviceName").if_set(Place::dns_label);
}

fn stateful_set_changes(spec: &Place<'_>, old: &Place<'_>) {
    const FREE: &[&str] = &[
        "replicas",
        "ordinals",
        "template",
        "updateStrategy",
        "revisionHistoryLimit",
        "persistentVolumeClaimRetentionPolicy",
        "minReadySeconds",
    ];
    let fixed = |spec: &Place<'_>| {
        let mut spec = spec.value.cloned().unwrap_or_default();
        FREE.iter().for_each(|key| drop(spec.remove_at(&[key])));
        spec
    };
    if fixed(spec) != fixed(old) {
        spec.forbidden("updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden");
    }
}

fn daemon_set(spec: &Place<'_>) {
    let strategy = spec.get("updateStrategy");
    match strategy.get("type").text() {
        "OnDelete" => {}
        "RollingUpdate" => {
            let rolling = strategy.get("rollingUpdate");
            let (surge, unavailable) = (rolling.get("maxSurge"), rolling.get("maxUnavailable"));
            for place in [&surge, &unavailable] {
                place.int_or_percent();
                place.at_most_100_percent();
            }
            match (unavailable.amount() != 0, surge.amount() != 0) {
                (true, true) => surge.invalid("may not be set when maxUnavailable is non-zero"),
                (false, false) => unavailable.required("cannot be 0 when maxSurge is 0"),
                _ => {}
            }
        }
        _ => strategy.unsupported_raw(strategy.go_struct(UPDATE), &["RollingUpdate", "OnDelete"]),
    }
}

/// The numbers of a status fit each other.
pub(super) fn status(id: &GroupResource, object: &Value) -> Vec<FieldError> {
    const DAEMONS: &[&str] = &[
        "currentNumberScheduled",
        "numberMisscheduled",
        "desiredNumberScheduled",
        "numberReady",
        "observedGeneration",
        "updatedNumberScheduled",
        "numberAvailable",
        "numberUnavailable",
        "collisionCount",
    ];
    const REPLICAS: &[&str] = &[
        "replicas",
        "fullyLabeledReplicas",
        "readyReplicas",
        "availableReplicas",
        "updatedReplicas",
        "currentReplicas",
        "unavailableReplicas",
        "observedGeneration",
        "collisionCount",
    ];
    let findings = Findings::default();
    let status = Place::root(object, &findings).get("status");
    let is_daemon = id.resource == "daemonsets";
    let counts = if is_daemon { DAEMONS } else { REPLICAS };
    counts.iter().for_each(|key| status.get(key).non_negative());
    if is_daemon {
        return findings.into_errors();
    }
    let parts: &[&str] = match id.resource.as_str() {
        "deployments" => &["updatedReplicas", "readyReplicas", "availableReplicas"],
        "statefulsets" => &["readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"],
        _ => &["fullyLabeledReplicas", "readyReplicas", "availableReplicas"],
    };
    let number = |key: &str| status.get(key).int().unwrap_or_default();
    for part in parts {
        if number(part) > number("replicas") {
            status.get(part).invalid_as(number(part), "cannot be greater than status.replicas");
        }
    }
    if number("availableReplicas") > number("readyReplicas") {
        let place = status.get("availableReplicas");
        place.invalid_as(number("availableReplicas"), "cannot be greater than readyReplicas");
    }
    findings.into_errors()
}

/// A ReplicationController selects by labels alone.
pub(super) fn replication_controller(object: &Value) -> Vec<FieldError> {
    let findings = Findings::default();
    let spec = Place::root(object, &findings).get("spec");
    let (selector, template) = (spec.get("selector"), spec.get("template"));
    for key in ["replicas", "minReadySeconds"] {
        spec.get(key).non_negative();
    }
    selector.require("");
    if !template.is_set() {
        template.required("");
        return findings.into_errors();
    }
    let labels = template.at(&["metadata", "labels"]);
    let differs = |(key, value): &(&str, Place<'_>)| labels.get(key).text() != value.text();
    if selector.entries().iter().any(differs) {
        labels.invalid(MISMATCH);
    }
    pod::template(&template);
    let policy = template.at(&["spec", "restartPolicy"]);
    if policy.text() != "Always" {
        policy.unsupported(&["Always"]);
    }
    findings.into_errors()
}

pub(super) fn pod_template(object: &Value) -> Vec<FieldError> {
    let findings = Findings::default();
    pod::template(&Place::root(object, &findings).get("template"));
    findings.into_errors()
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
