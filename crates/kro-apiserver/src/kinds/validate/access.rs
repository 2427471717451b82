//! Roles, bindings, and what else says who may do what.

use kro_apimachinery::{FieldError, names};
use kro_value::Value;

use super::place::{Findings, Place};

const RBAC: &str = "rbac.authorization.k8s.io";
const ROLE_REF: &[(&str, &str)] = &[("APIGroup", "apiGroup"), ("Kind", "kind"), ("Name", "name")];

pub(super) fn binding(object: &Value, live: Option<&Value>) -> Vec<FieldError> {
    let findings = Findings::default();
    let root = Place::root(object, &findings);
    let reference = root.get("roleRef");
    let group = reference.get("apiGroup");
    if group.text() != RBAC {
        group.unsupported(&[RBAC]);
    }
    let is_cluster = root.get("kind").text() == "ClusterRoleBinding";
    let kinds: &[&str] = if is_cluster { &["ClusterRole"] } else { &["Role", "ClusterRole"] };
    if !kinds.contains(&reference.get("kind").text()) {
        reference.get("kind").unsupported(kinds);
    }
    let name = reference.get("name");
    if name.require("") {
        name.invalid_each(names::path_segment_errors(name.text()));
    }
    root.get("subjects").items().iter().for_each(|place| subject(place, is_cluster));
    if let Some(live) = live
        && live.get("roleRef") != object.get("roleRef")
    {
        reference.invalid_raw(reference.go_struct(ROLE_REF), "cannot change roleRef");
    }
    findings.into_errors()
}

fn subject(subject: &Place<'_>, is_cluster: bool) {
    let (name, kind, group) = (subject.get("name"), subject.get("kind"), subject.get("apiGroup"));
    name.require("");
    let wanted = match kind.text() {
        "ServiceAccount" => {
            name.if_set(Place::subdomain);
            if is_cluster {
                subject.get("namespace").require("");
            }
            ""
        }
        "User" | "Group" => RBAC,
        _ => return kind.unsupported(&["ServiceAccount", "User", "Group"]),
    };
    if group.text() != wanted {
        group.unsupported(&[wanted]);
    }
}

/// The rules of a role name something.
pub(super) fn role(object: &Value) -> Vec<FieldError> {
    let findings = Findings::default();
    let root = Place::root(object, &findings);
    let is_namespaced = root.get("kind").text() == "Role";
    root.get("rules").items().iter().for_each(|place| rule(place, is_namespaced));
    let aggregation = root.get("aggregationRule");
    if aggregation.is_set() {
        let selectors = aggregation.get("clusterRoleSelectors");
        selectors.require("at least one clusterRoleSelector required if aggregationRule is non-nil");
        for selector in selectors.items() {
            let inner = Findings::default();
            Place::root(selector.value.unwrap_or(&Value::Null), &inner).label_selector();
            selector.label_selector();
            if !inner.is_empty() {
                selector.invalid_as(Value::Null, "invalid label selector.");
            }
        }
    }
    findings.into_errors()
}

fn rule(rule: &Place<'_>, is_namespaced: bool) {
    rule.get("verbs").require("verbs must contain at least one value");
    let urls = rule.get("nonResourceURLs");
    if urls.is_empty() {
        rule.get("apiGroups").require("resource rules must supply at least one api group");
        rule.get("resources").require("resource rules must supply at least one resource");
        return;
    }
    if is_namespaced {
        urls.invalid("namespaced rules cannot apply to non-resource URLs");
    } else if ["apiGroups", "resources", "resourceNames"].iter().any(|key| !rule.get(key).is_empty()) {
        urls.invalid("rules cannot apply to both regular resources and non-resource URLs");
    }
}
