use kro_apimachinery::FieldError;
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
        errors.push(FieldError::invalid("roleRef", &role(object), "cannot change roleRef"));
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
    }
    errors
}

pub(super) fn ingress(object: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let rules = items(object, &["spec", "rules"]);
    if rules.is_empty() && object.at(&["spec", "defaultBackend"]).is_none() {
        let detail = "either `defaultBackend` or `rules` must be specified";
        let spec = object.get("spec").cloned().unwrap_or_default();
        errors.push(FieldError::invalid("spec", &spec, detail));
    }
    for (rule_index, rule) in rules.iter().enumerate() {
        for (index, path) in items(rule, &["http", "paths"]).iter().enumerate() {
            if text(path, &["pathType"]).is_empty() {
                let field = format!("spec.rules[{rule_index}].http.paths[{index}].pathType");
                errors.push(FieldError::required(field, "pathType must be specified"));
            }
        }
    }
    errors
}
