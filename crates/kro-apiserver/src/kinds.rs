//! What is special about built-in kinds.

pub(crate) mod defaults;
mod namespace;
pub(crate) mod prepare;
mod service;
pub(crate) mod validate;
mod volume;
mod workload;

use kro_apimachinery::names;
use kro_value::Value;
pub(crate) use workload::TEMPLATE_GENERATION;

use crate::{GroupResource, Resource};

/// What names a kind allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameRule {
    /// RFC 1123 subdomain: most kinds.
    Subdomain,
    /// RFC 1123 label: namespaces, services.
    Label,
    /// Any segment of a path: RBAC.
    PathSegment,
}

impl NameRule {
    /// What is wrong with a name.
    pub(crate) fn errors(self, name: &str) -> Vec<String> {
        match self {
            Self::Subdomain => names::subdomain_errors(name),
            Self::Label => names::dns_label_errors(name),
            Self::PathSegment => names::path_segment_errors(name),
        }
    }

    pub(crate) fn of(id: &GroupResource) -> Self {
        match (id.group.as_str(), id.resource.as_str()) {
            ("", "namespaces" | "services") => Self::Label,
            ("rbac.authorization.k8s.io", _) | ("" | "events.k8s.io", "events") => Self::PathSegment,
            _ => Self::Subdomain,
        }
    }
}

/// True when objects of the kind count changes of their spec in `metadata.generation`.
pub(crate) fn has_generation(resource: &Resource) -> bool {
    resource.custom
        || matches!(
            (resource.id.group.as_str(), resource.id.resource.as_str()),
            ("apiextensions.k8s.io", "customresourcedefinitions")
                | ("apps", "deployments" | "replicasets" | "statefulsets" | "daemonsets")
                | ("batch", "jobs" | "cronjobs")
                | ("networking.k8s.io", "ingresses" | "ingressclasses" | "networkpolicies")
                | ("policy", "poddisruptionbudgets")
                | ("", "pods" | "podtemplates" | "replicationcontrollers")
                | ("scheduling.k8s.io", "priorityclasses")
                | ("discovery.k8s.io", "endpointslices")
                | ("admissionregistration.k8s.io", _)
                | ("flowcontrol.apiserver.k8s.io", _)
                | ("resource.k8s.io", "deviceclasses" | "resourceslices")
        )
}

/// True when a PUT must carry a resource version.
pub(crate) fn requires_revision(resource: &Resource) -> bool {
    resource.custom
        || matches!(
            (resource.id.group.as_str(), resource.id.resource.as_str()),
            ("coordination.k8s.io", "leases")
                | ("policy", "poddisruptionbudgets")
                | ("admissionregistration.k8s.io", _)
                | ("node.k8s.io", "runtimeclasses")
                | ("storage.k8s.io", "csidrivers" | "csinodes" | "volumeattachments")
                | ("apiextensions.k8s.io", _)
        )
}

/// True when a PUT of a missing object creates it.
pub(crate) fn creates_on_update(resource: &Resource) -> bool {
    matches!(
        (resource.id.group.as_str(), resource.id.resource.as_str()),
        ("coordination.k8s.io", "leases")
            | ("", "endpoints" | "events" | "limitranges" | "services")
            | ("events.k8s.io", "events")
            | ("node.k8s.io", "runtimeclasses")
            | ("rbac.authorization.k8s.io", _)
    )
}

/// True when a DELETE answers with the object, not with a Status.
pub(crate) fn returns_deleted(resource: &Resource) -> bool {
    matches!(
        (resource.id.group.as_str(), resource.id.resource.as_str()),
        (
            "",
            "pods"
                | "services"
                | "serviceaccounts"
                | "persistentvolumeclaims"
                | "persistentvolumes"
                | "namespaces"
                | "podtemplates"
                | "resourcequotas"
        ) | (
            "storage.k8s.io",
            "storageclasses" | "csidrivers" | "csinodes" | "volumeattachments" | "volumeattributesclasses"
        ) | ("resource.k8s.io", _)
    )
}

/// True when deleting an object leaves its dependents alone unless the client says otherwise.
pub(crate) fn orphans_by_default(resource: &Resource) -> bool {
    resource.id.is("batch", "jobs") || resource.id.is("", "replicationcontrollers")
}

/// True when something besides `metadata.finalizers` keeps a deleted object.
pub(crate) fn is_held(resource: &Resource, object: &Value) -> bool {
    resource.id.is("", "namespaces") && namespace::is_held(object)
}

/// True for the few kinds whose status endpoint lets labels and annotations through.
pub(crate) fn status_takes_metadata(resource: &Resource) -> bool {
    resource.id.is("networking.k8s.io", "ingresses") || resource.id.is("", "pods")
}

/// How long a deleted object stays: only Pods that run somewhere take time.
pub(crate) fn grace_seconds(resource: &Resource, object: &Value, asked: Option<i64>) -> i64 {
    if !resource.id.is("", "pods") {
        return 0;
    }
    let is_scheduled = object.str_at(&["spec", "nodeName"]).is_some_and(|node| !node.is_empty());
    let is_over = matches!(object.str_at(&["status", "phase"]), Some("Succeeded" | "Failed"));
    if !is_scheduled || is_over {
        return 0;
    }
    let own = object.at(&["spec", "terminationGracePeriodSeconds"]).and_then(Value::as_i64);
    asked.or(own).unwrap_or(30).max(0)
}
