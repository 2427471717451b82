//! What a kind requires of its objects.

mod access;
mod admission;
mod container;
mod data;
mod job;
pub(crate) mod network;
mod place;
mod pod;
mod policy;
mod scheduling;
mod storage;
mod volumes;
mod workload;

use kro_apimachinery::FieldError;
use kro_apimachinery::validation::{blocks_rules, rules_not_checked, validate};
use kro_value::Value;

use crate::write::Call;

/// Everything that is wrong with an object.
pub(crate) fn object(call: &mut Call, object: &Value, live: Option<&Value>) -> Vec<FieldError> {
    if call.resource.custom {
        return custom(call, object, live);
    }
    if call.is_status() {
        return live.map(|live| status(call, object, live)).unwrap_or_default();
    }
    warn(call, object, live);
    let id = &call.resource.id;
    match (id.group.as_str(), id.resource.as_str()) {
        ("apiextensions.k8s.io", _) => {
            for format in crate::crd::validation::unknown_formats(object) {
                call.warn(format!("unrecognized format {format:?}"));
            }
            crate::crd::validation::definition(object, live)
        }
        ("apps", "deployments" | "replicasets" | "statefulsets" | "daemonsets") => workload::selected(id, object, live),
        ("batch", "jobs") => job::job(object, live),
        ("batch", "cronjobs") => job::cron_job(object),
        ("", "pods") => pod::pod(object, live.filter(|_| call.subresource.is_empty())),
        ("", "replicationcontrollers") => workload::replication_controller(object),
        ("", "podtemplates") => workload::pod_template(object),
        ("rbac.authorization.k8s.io", "rolebindings" | "clusterrolebindings") => access::binding(object, live),
        ("rbac.authorization.k8s.io", "roles" | "clusterroles") => access::role(object),
        ("", "events") if live.is_none() => data::event(object, false),
        ("events.k8s.io", "events") if live.is_none() => data::event(object, true),
        ("coordination.k8s.io", "leases") => data::lease(object),
        ("scheduling.k8s.io", "priorityclasses") => policy::priority_class(object, live),
        ("storage.k8s.io", "storageclasses") => storage::class(object, live),
        ("storage.k8s.io", "csidrivers") => storage::csi_driver(object),
        ("node.k8s.io", "runtimeclasses") => data::runtime_class(object, live),
        ("autoscaling", "horizontalpodautoscalers") if call.version == call.resource.storage => {
            policy::autoscaler(object)
        }
        ("policy", "poddisruptionbudgets") => policy::budget(object),
        ("admissionregistration.k8s.io", "validatingwebhookconfigurations" | "mutatingwebhookconfigurations") => {
            admission::webhooks(object)
        }
        ("admissionregistration.k8s.io", "validatingadmissionpolicies") => admission::policy(object),
        ("admissionregistration.k8s.io", "validatingadmissionpolicybindings") => admission::binding(object),
        ("networking.k8s.io", "networkpolicies") => network::network_policy(object),
        ("networking.k8s.io", "ingresses") => network::ingress(object),
        ("networking.k8s.io", "ingressclasses") => network::ingress_class(object, live),
        ("discovery.k8s.io", "endpointslices") => network::endpoint_slice(object, live),
        ("", "endpoints") => network::endpoints(object),
        ("", "services") => network::service(object, live),
        ("", "configmaps") => data::config_map(object, live),
        ("", "secrets") => data::secret(object, live),
        ("", "nodes") => data::node(object),
        ("", "namespaces") => data::namespace(object),
        ("", "resourcequotas") => policy::quota(object, live),
        ("", "limitranges") => policy::limit_range(object),
        ("", "persistentvolumeclaims") => storage::claim(object, live),
        ("", "persistentvolumes") => storage::volume(object, live),
        _ => Vec::new(),
    }
}

/// Everything that is wrong with a status.
fn status(call: &Call, object: &Value, live: &Value) -> Vec<FieldError> {
    match (call.resource.id.group.as_str(), call.resource.id.resource.as_str()) {
        ("", "pods") => pod::status(object, live),
        ("", "namespaces") => data::namespace_status(object),
        ("policy", "poddisruptionbudgets") => policy::budget_status(object),
        ("apps", "deployments" | "replicasets" | "statefulsets" | "daemonsets") => {
            workload::status(&call.resource.id, object)
        }
        ("", "replicationcontrollers") => workload::status(&call.resource.id, object),
        ("batch", "jobs") => job::status(object),
        ("", "services") => network::service_status(object),
        _ => Vec::new(),
    }
}

/// What is odd about an object, though allowed.
fn warn(call: &mut Call, object: &Value, live: Option<&Value>) {
    let group = call.resource.id.group.clone();
    let is = |resource: &str| call.resource.id.resource == resource;
    let mut warnings = Vec::new();
    if is("services") && group.is_empty() {
        warnings.extend(network::service_warnings(object));
    }
    if is("statefulsets")
        && object.at(&["spec", "revisionHistoryLimit"]).and_then(Value::as_i64).is_some_and(|limit| limit < 0)
    {
        warnings.push(
            "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended"
                .to_owned(),
        );
    }
    if live.is_none() && matches!(group.as_str(), "" | "apps" | "batch") {
        warnings.extend(workload::port_warnings(object));
        let path: &[&str] = if is("pods") { &["spec"] } else { &["spec", "template", "spec"] };
        warnings.extend(pod::warnings(object, path));
    }
    warnings.into_iter().for_each(|warning| call.warn(warning));
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
