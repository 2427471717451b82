//! The columns of each built-in kind.

use super::column::Column;
use super::{cluster, workloads};
use crate::GroupResource;

pub(super) fn columns(id: &GroupResource) -> &'static [Column] {
    match (id.group.as_str(), id.resource.as_str()) {
        ("", "pods") => workloads::PODS,
        ("", "replicationcontrollers") => workloads::REPLICATION_CONTROLLERS,
        ("apps", "deployments") => workloads::DEPLOYMENTS,
        ("apps", "replicasets") => workloads::REPLICA_SETS,
        ("apps", "statefulsets") => workloads::STATEFUL_SETS,
        ("apps", "daemonsets") => workloads::DAEMON_SETS,
        ("apps", "controllerrevisions") => workloads::CONTROLLER_REVISIONS,
        ("batch", "jobs") => workloads::JOBS,
        ("batch", "cronjobs") => workloads::CRON_JOBS,
        ("autoscaling", _) => workloads::AUTOSCALERS,
        ("policy", "poddisruptionbudgets") => workloads::DISRUPTION_BUDGETS,
        ("", "podtemplates") => workloads::POD_TEMPLATES,
        ("", "endpoints") => cluster::ENDPOINTS,
        ("", "resourcequotas") => cluster::QUOTAS,
        ("", "services") => cluster::SERVICES,
        ("", "configmaps") => cluster::CONFIG_MAPS,
        ("", "secrets") => cluster::SECRETS,
        ("", "namespaces") => cluster::NAMESPACES,
        ("", "nodes") => cluster::NODES,
        ("", "persistentvolumeclaims") => cluster::VOLUME_CLAIMS,
        ("", "persistentvolumes") => cluster::VOLUMES,
        ("", "limitranges") | ("apiextensions.k8s.io", _) => cluster::CREATED,
        ("" | "events.k8s.io", "events") => cluster::EVENTS,
        ("networking.k8s.io", "ingresses") => cluster::INGRESSES,
        ("networking.k8s.io", "ingressclasses") => cluster::INGRESS_CLASSES,
        ("networking.k8s.io", "networkpolicies") => cluster::NETWORK_POLICIES,
        ("discovery.k8s.io", _) => cluster::ENDPOINT_SLICES,
        ("storage.k8s.io", "storageclasses") => cluster::STORAGE_CLASSES,
        ("rbac.authorization.k8s.io", "roles" | "clusterroles") => cluster::CREATED,
        ("rbac.authorization.k8s.io", _) => cluster::BINDINGS,
        ("coordination.k8s.io", _) => cluster::LEASES,
        ("scheduling.k8s.io", _) => cluster::PRIORITY_CLASSES,
        ("apiregistration.k8s.io", _) => cluster::API_SERVICES,
        ("admissionregistration.k8s.io", "validatingadmissionpolicies") => cluster::ADMISSION_POLICIES,
        ("admissionregistration.k8s.io", "validatingadmissionpolicybindings") => cluster::ADMISSION_BINDINGS,
        _ => cluster::PLAIN,
    }
}
