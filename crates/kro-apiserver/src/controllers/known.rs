//! The resources that controllers work with.

use crate::GroupResource;

/// A built-in resource.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) group: &'static str,
    pub(super) plural: &'static str,
    pub(super) namespaced: bool,
}

impl Known {
    const fn new(group: &'static str, plural: &'static str) -> Self {
        Self { group, plural, namespaced: true }
    }

    const fn cluster(self) -> Self {
        Self { namespaced: false, ..self }
    }

    /// True when it is this resource.
    pub(super) fn is(&self, id: &GroupResource) -> bool {
        id.group == self.group && id.resource == self.plural
    }
}

pub(super) const NAMESPACES: Known = Known::new("", "namespaces").cluster();
pub(super) const NODES: Known = Known::new("", "nodes").cluster();
pub(super) const PODS: Known = Known::new("", "pods");
pub(super) const SERVICES: Known = Known::new("", "services");
pub(super) const CONFIG_MAPS: Known = Known::new("", "configmaps");
pub(super) const SECRETS: Known = Known::new("", "secrets");
pub(super) const SERVICE_ACCOUNTS: Known = Known::new("", "serviceaccounts");
pub(super) const EVENTS: Known = Known::new("", "events");
pub(super) const VOLUME_CLAIMS: Known = Known::new("", "persistentvolumeclaims");
pub(super) const VOLUMES: Known = Known::new("", "persistentvolumes").cluster();
pub(super) const DEPLOYMENTS: Known = Known::new("apps", "deployments");
pub(super) const REPLICA_SETS: Known = Known::new("apps", "replicasets");
pub(super) const STATEFUL_SETS: Known = Known::new("apps", "statefulsets");
pub(super) const DAEMON_SETS: Known = Known::new("apps", "daemonsets");
pub(super) const REVISIONS: Known = Known::new("apps", "controllerrevisions");
pub(super) const JOBS: Known = Known::new("batch", "jobs");
pub(super) const CRON_JOBS: Known = Known::new("batch", "cronjobs");
pub(super) const ENDPOINT_SLICES: Known = Known::new("discovery.k8s.io", "endpointslices");
pub(super) const INGRESSES: Known = Known::new("networking.k8s.io", "ingresses");
pub(super) const CLUSTER_ROLES: Known = Known::new("rbac.authorization.k8s.io", "clusterroles").cluster();
