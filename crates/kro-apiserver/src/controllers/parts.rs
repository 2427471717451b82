use std::collections::BTreeSet;

use kro_value::Str;

use super::{Delays, Timeline};
use crate::Profile;

/// A part of the cluster that can be switched on and off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// Objects go with their owners.
    GarbageCollection,
    /// Namespaces that are deleted are emptied and go.
    Namespaces,
    /// The ServiceAccount `default` and the ConfigMap `kube-root-ca.crt` of every namespace.
    NamespaceDefaults,
    /// Aggregated ClusterRoles.
    ClusterRoles,
    /// One node.
    Nodes,
    /// Deployments make ReplicaSets.
    Deployments,
    /// ReplicaSets make Pods.
    ReplicaSets,
    /// StatefulSets make Pods and claims.
    StatefulSets,
    /// DaemonSets make Pods.
    DaemonSets,
    /// Jobs make Pods and end.
    Jobs,
    /// CronJobs make Jobs.
    CronJobs,
    /// Pods get a node, run, end and go.
    Pods,
    /// Services have EndpointSlices.
    Endpoints,
    /// Services of type LoadBalancer get an address.
    LoadBalancers,
    /// Ingresses get an address.
    Ingresses,
    /// PersistentVolumeClaims are bound.
    Volumes,
}

impl Part {
    /// Every part.
    pub const ALL: [Self; 16] = [
        Self::GarbageCollection,
        Self::Namespaces,
        Self::NamespaceDefaults,
        Self::ClusterRoles,
        Self::Nodes,
        Self::Deployments,
        Self::ReplicaSets,
        Self::StatefulSets,
        Self::DaemonSets,
        Self::Jobs,
        Self::CronJobs,
        Self::Pods,
        Self::Endpoints,
        Self::LoadBalancers,
        Self::Ingresses,
        Self::Volumes,
    ];

    /// The parts that a real control plane has without nodes and a cloud.
    const CONTROL_PLANE: [Self; 4] =
        [Self::GarbageCollection, Self::Namespaces, Self::NamespaceDefaults, Self::ClusterRoles];
}

/// Which controllers run, and how fast.
#[derive(Debug, Clone)]
pub struct Options {
    /// What runs.
    pub parts: BTreeSet<Part>,
    /// How long things take.
    pub delays: Delays,
    /// PEM of the authority that signed the server's certificate, for `kube-root-ca.crt`; empty when there is none.
    pub root_certificate: Str,
    /// What becomes of objects of further kinds.
    pub timelines: Vec<Timeline>,
}

impl Options {
    /// What a profile runs, with the usual delays.
    pub fn of(profile: Profile) -> Self {
        let parts = match profile {
            Profile::Bare => BTreeSet::new(),
            Profile::ControlPlane => Part::CONTROL_PLANE.into(),
            Profile::Dev => Part::ALL.into(),
        };
        Self { parts, delays: Delays::default(), root_certificate: Str::default(), timelines: Vec::new() }
    }

    /// The same without a part.
    #[must_use]
    pub fn without(mut self, part: Part) -> Self {
        self.parts.remove(&part);
        self
    }
}
