//! Field labels: what field selectors may name, and the text that is compared.

use std::borrow::Cow;

use kro_value::{FieldPath, Value};

use crate::Resource;
use crate::conversion::core_label;

const POD: &[&str] = &[
    "spec.nodeName",
    "spec.host",
    "spec.restartPolicy",
    "spec.schedulerName",
    "spec.serviceAccountName",
    "spec.hostNetwork",
    "status.phase",
    "status.podIP",
    "status.podIPs",
    "status.nominatedNodeName",
];
const CORE_EVENT: &[&str] = &[
    "involvedObject.kind",
    "involvedObject.namespace",
    "involvedObject.name",
    "involvedObject.uid",
    "involvedObject.apiVersion",
    "involvedObject.resourceVersion",
    "involvedObject.fieldPath",
    "reason",
    "reportingComponent",
    "source",
    "type",
];
const EVENT: &[&str] = &[
    "regarding.kind",
    "regarding.namespace",
    "regarding.name",
    "regarding.uid",
    "regarding.apiVersion",
    "regarding.resourceVersion",
    "regarding.fieldPath",
    "reason",
    "reportingController",
    "type",
];

/// Checks that objects can be selected by a field label.
///
/// # Errors
/// The reference's text when they cannot.
pub(crate) fn check_label(resource: &Resource, version: usize, label: &str) -> Result<(), String> {
    if label == "metadata.name" || label == "metadata.namespace" && resource.namespaced {
        return Ok(());
    }
    if resource.custom {
        let fields = resource.versions.get(version).map(|version| version.selectable_fields.as_slice());
        let known = fields.unwrap_or_default().iter().any(|field| field.strip_prefix('.') == Some(label));
        return if known { Ok(()) } else { Err(format!("field label not supported: {label}")) };
    }
    match own_labels(resource) {
        Some(labels) if labels.contains(&label) => Ok(()),
        Some(_) => Err(format!("field label not supported: {label}")),
        None => Err(format!("{label:?} is not a known field selector: only \"metadata.name\", \"metadata.namespace\"")),
    }
}

fn own_labels(resource: &Resource) -> Option<&'static [&'static str]> {
    Some(match (resource.id.group.as_str(), resource.id.resource.as_str()) {
        ("", "pods") => POD,
        ("", "events") => CORE_EVENT,
        ("events.k8s.io", "events") => EVENT,
        ("", "namespaces") => &["status.phase"],
        ("", "secrets") => &["type"],
        ("", "services") => &["spec.clusterIP", "spec.type"],
        ("", "nodes") => &["spec.unschedulable"],
        ("", "replicationcontrollers") => &["status.replicas"],
        ("batch", "jobs") => &["status.successful"],
        ("certificates.k8s.io", "certificatesigningrequests") => &["spec.signerName"],
        _ => return None,
    })
}

/// The text of a field; empty when it is missing.
pub(crate) fn text<'a>(resource: &Resource, object: &'a Value, label: &str) -> Cow<'a, str> {
    let id = &resource.id;
    let core = if id.group == "events.k8s.io" { core_label(label) } else { label.into() };
    let label = match core.as_str() {
        "spec.host" => "spec.nodeName",
        "status.successful" => "status.succeeded",
        "source" if id.resource == "events" => "source.component",
        other => other,
    };
    if label == "status.podIPs" {
        let ips = object.at(&["status", "podIPs"]).and_then(Value::as_list).unwrap_or_default();
        let ips: Vec<&str> = ips.iter().filter_map(|ip| ip.str_at(&["ip"])).collect();
        return Cow::Owned(ips.join(","));
    }
    let path = FieldPath::parse(label).unwrap_or_default();
    match object.at_path(&path) {
        Some(Value::String(text)) => Cow::Borrowed(text.as_str()),
        Some(Value::Null) | None => Cow::Borrowed(zero_of(id.resource.as_str(), label)),
        Some(other) => Cow::Owned(other.to_string()),
    }
}

/// What the reference prints for a field that a built-in object lacks.
fn zero_of(resource: &str, label: &str) -> &'static str {
    match (resource, label) {
        ("pods", "spec.hostNetwork") | ("nodes", "spec.unschedulable") => "false",
        ("jobs", "status.succeeded") | ("replicationcontrollers", "status.replicas") => "0",
        _ => "",
    }
}
