//! What a kind requires of its objects.

mod access;
mod data;
mod workload;

use kro_apimachinery::FieldError;
use kro_apimachinery::validation::{blocks_rules, rules_not_checked, validate};
use kro_value::Value;

use crate::write::Call;

/// Everything that is wrong with an object.
pub(crate) fn object(call: &mut Call, object: &Value, live: Option<&Value>) -> Vec<FieldError> {
    let id = call.resource.id.clone();
    if call.resource.custom {
        return custom(call, object, live);
    }
    if call.is_status() {
        return Vec::new();
    }
    if live.is_none() && matches!(id.group.as_str(), "" | "apps" | "batch") {
        workload::port_warnings(object).into_iter().for_each(|warning| call.warn(warning));
    }
    let id = &call.resource.id;
    match (id.group.as_str(), id.resource.as_str()) {
        ("apiextensions.k8s.io", _) => {
            for format in crate::crd::validation::unknown_formats(object) {
                call.warn(format!("unrecognized format {format:?}"));
            }
            crate::crd::validation::definition(object, live)
        }
        ("apps", "deployments" | "replicasets" | "statefulsets" | "daemonsets") => workload::selected(id, object, live),
        ("batch", "jobs") => workload::job(object, live),
        ("batch", "cronjobs") => workload::cron_job(object),
        ("", "pods") => workload::pod(object),
        ("rbac.authorization.k8s.io", "rolebindings" | "clusterrolebindings") => access::binding(object, live),
        ("rbac.authorization.k8s.io", "roles" | "clusterroles") => access::role(object),
        ("", "events") if live.is_none() => data::event(object, false),
        ("events.k8s.io", "events") if live.is_none() => data::event(object, true),
        ("coordination.k8s.io", "leases") => data::lease(object),
        ("scheduling.k8s.io", _) => data::priority_class(object, live),
        ("storage.k8s.io", "storageclasses") => data::storage_class(object, live),
        ("networking.k8s.io", "networkpolicies") => access::network_policy(object),
        ("", "services") => access::service(object),
        ("", "configmaps") => data::config_map(object, live),
        ("", "secrets") => data::secret(object, live),
        ("", "persistentvolumeclaims") => data::volume_claim(object, live),
        ("networking.k8s.io", "ingresses") => access::ingress(object),
        _ => Vec::new(),
    }
}

/// A custom object is valid when its schema says so, and then its rules.
fn custom(call: &mut Call, object: &Value, live: Option<&Value>) -> Vec<FieldError> {
    let Some(schema) = call.schema().cloned() else { return Vec::new() };
    let mut errors = validate(&schema, object, live);
    if let Some(scale) = call.resource.versions[call.version].scale.as_ref() {
        errors.extend(replicas(object, &scale.spec_replicas));
    }
    let Some(rules) = call.resource.rules(call.version) else { return errors };
    if blocks_rules(&errors) {
        errors.push(rules_not_checked());
        return errors;
    }
    let outcome = crate::rules::check(&rules, object, live);
    outcome.warnings.into_iter().for_each(|warning| call.warn(warning));
    errors.extend(outcome.errors);
    errors
}

/// Replicas are not negative.
fn replicas(object: &Value, path: &str) -> Option<FieldError> {
    let keys: Vec<&str> = path.split('.').filter(|key| !key.is_empty()).collect();
    let value = object.at(&keys).filter(|value| value.as_i64().is_some_and(|count| count < 0))?;
    Some(FieldError::invalid(path, value, "should be a non-negative integer"))
}

/// The items of a list.
fn items<'a>(object: &'a Value, path: &[&str]) -> &'a [Value] {
    object.at(path).and_then(Value::as_list).unwrap_or_default()
}

fn text<'a>(object: &'a Value, path: &[&str]) -> &'a str {
    object.str_at(path).unwrap_or_default()
}

/// The finding that a field was changed that must not be.
fn immutable(object: &Value, live: &Value, path: &[&str]) -> Option<FieldError> {
    let value = object.at(path).cloned().unwrap_or_default();
    let same = crate::write::semantically_equal(&value, live.at(path).unwrap_or(&Value::Null));
    (!same).then(|| FieldError::invalid(path.join("."), &value, "field is immutable"))
}
