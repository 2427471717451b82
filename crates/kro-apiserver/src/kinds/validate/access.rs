use kro_apimachinery::{FieldError, FieldErrorKind};
use kro_value::Value;

use super::{items, text};

const RBAC: &str = "rbac.authorization.k8s.io";

pub(super) fn binding(object: &Value, live: Option<&Value>) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let group = text(object, &["roleRef", "apiGroup"]);
    if group != RBAC {
        errors.push(FieldError::not_supported("roleRef.apiGroup", &group.into(), &[RBAC]));
    }
    let kind = text(object, &["roleRef", "kind"]);
    let supported: &[&str] =
        if text(object, &["kind"]) == "ClusterRoleBinding" { &["ClusterRole"] } else { &["Role", "ClusterRole"] };
    if !supported.contains(&kind) {
        errors.push(FieldError::not_supported("roleRef.kind", &kind.into(), supported));
    }
    if text(object, &["roleRef", "name"]).is_empty() {
        errors.push(FieldError::required("roleRef.name", ""));
    }
    for (index, subject) in items(object, &["subjects"]).iter().enumerate() {
        subject_errors(subject, &format!("subjects[{index}]"), &mut errors);
    }
    let role = |object: &Value| object.get("roleRef").cloned().unwrap_or_default();
    if let Some(live) = live.filter(|live| role(live) != role(object)) {
        let _ = live;
        let part = |key: &str| text(object, &["roleRef", key]);
        let value =
            format!("{{\"APIGroup\":{:?},\"Kind\":{:?},\"Name\":{:?}}}", part("apiGroup"), part("kind"), part("name"));
        let error = FieldError::new(FieldErrorKind::Invalid, "roleRef", "cannot change roleRef");
        errors.push(FieldError { value: Some(value), ..error });
    }
    errors
}

fn subject_errors(subject: &Value, field: &str, errors: &mut Vec<FieldError>) {
    if text(subject, &["name"]).is_empty() {
        errors.push(FieldError::required(format!("{field}.name"), ""));
    }
    let (kind, group) = (text(subject, &["kind"]), text(subject, &["apiGroup"]));
    let wanted = match kind {
        "ServiceAccount" => "",
        "User" | "Group" => RBAC,
        _ => {
            let supported = ["ServiceAccount", "User", "Group"];
            errors.push(FieldError::not_supported(format!("{field}.kind"), &kind.into(), &supported));
            return;
        }
    };
    if group != wanted {
        errors.push(FieldError::not_supported(format!("{field}.apiGroup"), &group.into(), &[wanted]));
    }
}

pub(super) fn service(object: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let kind = text(object, &["spec", "type"]);
    let supported = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
    if !supported.contains(&kind) {
        errors.push(FieldError::not_supported("spec.type", &kind.into(), &supported));
    }
    let ports = items(object, &["spec", "ports"]);
    let is_headless = text(object, &["spec", "clusterIP"]) == "None";
    if ports.is_empty() && !is_headless && kind != "ExternalName" {
        errors.push(FieldError::required("spec.ports", ""));
    }
    if kind == "ExternalName" && text(object, &["spec", "externalName"]).is_empty() {
        errors.push(FieldError::required("spec.externalName", ""));
    }
    let mut names = Vec::new();
    for (index, port) in ports.iter().enumerate() {
        let name = text(port, &["name"]);
        if name.is_empty() && ports.len() > 1 {
            errors.push(FieldError::required(format!("spec.ports[{index}].name"), ""));
        } else if !name.is_empty() && names.contains(&name) {
            errors.push(FieldError::duplicate(format!("spec.ports[{index}].name"), &name.into()));
        }
        names.push(name);
        let number = port.get("port").and_then(Value::as_i64).unwrap_or_default();
        if !(1..=65_535).contains(&number) {
            let field = format!("spec.ports[{index}].port");
            errors.push(FieldError::invalid(field, &Value::Int(number), "must be between 1 and 65535, inclusive"));
        }
        if let Some(target) = port.get("targetPort").and_then(Value::as_i64).filter(|port| !(1..=65_535).contains(port))
        {
            let field = format!("spec.ports[{index}].targetPort");
            errors.push(FieldError::invalid(field, &Value::Int(target), "must be between 1 and 65535, inclusive"));
        }
        errors.extend(same_port(port, index, &ports[..index]));
    }
    errors
}

/// No two ports with one number and protocol; the value is the Go struct with what tells them apart.
fn same_port(port: &Value, index: usize, others: &[Value]) -> Option<FieldError> {
    let key = |port: &Value| (port.get("protocol").cloned(), port.get("port").cloned());
    if !others.iter().any(|other| key(other) == key(port)) {
        return None;
    }
    let number = port.get("port").and_then(Value::as_i64).unwrap_or_default();
    let value = format!(
        "{{\"Name\":\"\",\"Protocol\":{:?},\"AppProtocol\":null,\"Port\":{number},\"TargetPort\":0,\"NodePort\":0}}",
        text(port, &["protocol"])
    );
    let error = FieldError::new(FieldErrorKind::Duplicate, format!("spec.ports[{index}]"), "");
    Some(FieldError { value: Some(value), ..error })
}

/// The rules of a role name something.
pub(super) fn role(object: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let is_namespaced = text(object, &["kind"]) == "Role";
    for (index, rule) in items(object, &["rules"]).iter().enumerate() {
        let has = |key: &str| rule.get(key).and_then(Value::as_list).is_some_and(|list| !list.is_empty());
        let mut require = |key: &str, detail: &str| {
            if !has(key) {
                errors.push(FieldError::required(format!("rules[{index}].{key}"), detail));
            }
        };
        require("verbs", "verbs must contain at least one value");
        if has("nonResourceURLs") {
            let urls = rule.get("nonResourceURLs").cloned().unwrap_or_default();
            let field = format!("rules[{index}].nonResourceURLs");
            if is_namespaced {
                let detail = "namespaced rules cannot apply to non-resource URLs";
                errors.push(FieldError::invalid(field, &urls, detail));
            } else if has("apiGroups") || has("resources") || has("resourceNames") {
                let detail = "rules cannot apply to both regular resources and non-resource URLs";
                errors.push(FieldError::invalid(field, &urls, detail));
            }
            continue;
        }
        require("apiGroups", "resource rules must supply at least one api group");
        require("resources", "resource rules must supply at least one resource");
    }
    errors
}

pub(super) fn network_policy(object: &Value) -> Vec<FieldError> {
    let supported = ["Ingress", "Egress"];
    let types = items(object, &["spec", "policyTypes"]).iter().enumerate();
    let bad = types.filter(|(_, kind)| !kind.as_str().is_some_and(|kind| supported.contains(&kind)));
    bad.map(|(index, kind)| FieldError::not_supported(format!("spec.policyTypes[{index}]"), kind, &supported)).collect()
}

pub(super) fn ingress(object: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let rules = items(object, &["spec", "rules"]);
    if rules.is_empty() && object.at(&["spec", "defaultBackend"]).is_none() {
        let detail = "either `defaultBackend` or `rules` must be specified";
        let spec = object.get("spec").filter(|spec| spec.as_map().is_some_and(|map| !map.is_empty()));
        errors.push(FieldError::invalid("spec", &spec.cloned().unwrap_or_default(), detail));
    }
    for (rule_index, rule) in rules.iter().enumerate() {
        for (index, path) in items(rule, &["http", "paths"]).iter().enumerate() {
            if text(path, &["pathType"]).is_empty() {
                let field = format!("spec.rules[{rule_index}].http.paths[{index}].pathType");
                errors.push(FieldError::required(field, "pathType must be specified"));
            }
            let place = text(path, &["path"]);
            if matches!(text(path, &["pathType"]), "Prefix" | "Exact") && !place.starts_with('/') {
                let field = format!("spec.rules[{rule_index}].http.paths[{index}].path");
                errors.push(FieldError::invalid(field, &place.into(), "must be an absolute path"));
            }
        }
    }
    errors
}
