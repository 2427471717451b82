use kro_value::Value;

use super::{each, empty_map, fill, member, text};

const RBAC: &str = "rbac.authorization.k8s.io";

/// Roles, users and groups are in RBAC's group unless somebody says otherwise; ServiceAccounts are in the core group.
pub(super) fn binding(object: &mut Value) {
    if text(object, &["roleRef", "apiGroup"]).is_empty() {
        object.set_at(&["roleRef", "apiGroup"], RBAC.into());
    }
    each(object, "subjects", |subject| {
        let kind = text(subject, &["kind"]);
        if text(subject, &["apiGroup"]).is_empty() && matches!(kind.as_str(), "User" | "Group") {
            subject.set_at(&["apiGroup"], RBAC.into());
        }
    });
}

pub(super) fn namespace(object: &mut Value) {
    fill(object, &["status", "phase"], "Active");
    let name = text(object, &["metadata", "name"]);
    if !name.is_empty() {
        object.set_at(&["metadata", "labels", "kubernetes.io/metadata.name"], name.into());
    }
}

/// Policies, their bindings and webhook configurations.
pub(super) fn admission(object: &mut Value) {
    let is_policy = object.str_at(&["kind"]).is_some_and(|kind| kind.ends_with("AdmissionPolicy"));
    member(object, "spec", |spec| {
        if is_policy {
            fill(spec, &["failurePolicy"], "Fail");
        }
        member(spec, "matchConstraints", match_resources);
        member(spec, "matchResources", match_resources);
    });
    each(object, "webhooks", |webhook| {
        fill(webhook, &["failurePolicy"], "Fail");
        fill(webhook, &["timeoutSeconds"], Value::Int(10));
        match_resources(webhook);
        each(webhook, "rules", scope);
        member(webhook, "clientConfig", |config| {
            member(config, "service", |service| fill(service, &["port"], Value::Int(443)));
        });
    });
}

fn match_resources(resources: &mut Value) {
    fill(resources, &["matchPolicy"], "Equivalent");
    fill(resources, &["namespaceSelector"], empty_map());
    fill(resources, &["objectSelector"], empty_map());
    each(resources, "resourceRules", scope);
    each(resources, "excludeResourceRules", scope);
}

fn scope(rule: &mut Value) {
    fill(rule, &["scope"], "*");
}
