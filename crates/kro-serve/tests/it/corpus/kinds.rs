//! Short names of collections in scripts.

/// A collection that a script may name shortly.
pub struct Kind {
    pub alias: &'static str,
    /// `v1`, `apps/v1`
    pub api_version: &'static str,
    pub kind: &'static str,
    pub plural: &'static str,
    pub namespaced: bool,
}

const fn kind(
    alias: &'static str,
    api_version: &'static str,
    kind: &'static str,
    plural: &'static str,
    namespaced: bool,
) -> Kind {
    Kind { alias, api_version, kind, plural, namespaced }
}

const RBAC: &str = "rbac.authorization.k8s.io/v1";
const ADMISSION: &str = "admissionregistration.k8s.io/v1";

const KINDS: &[Kind] = &[
    kind("cm", "v1", "ConfigMap", "configmaps", true),
    kind("secret", "v1", "Secret", "secrets", true),
    kind("svc", "v1", "Service", "services", true),
    kind("pod", "v1", "Pod", "pods", true),
    kind("sa", "v1", "ServiceAccount", "serviceaccounts", true),
    kind("pvc", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", true),
    kind("pv", "v1", "PersistentVolume", "persistentvolumes", false),
    kind("ns", "v1", "Namespace", "namespaces", false),
    kind("node", "v1", "Node", "nodes", false),
    kind("event", "v1", "Event", "events", true),
    kind("quota", "v1", "ResourceQuota", "resourcequotas", true),
    kind("limits", "v1", "LimitRange", "limitranges", true),
    kind("ep", "v1", "Endpoints", "endpoints", true),
    kind("rc", "v1", "ReplicationController", "replicationcontrollers", true),
    kind("pt", "v1", "PodTemplate", "podtemplates", true),
    kind("deploy", "apps/v1", "Deployment", "deployments", true),
    kind("rs", "apps/v1", "ReplicaSet", "replicasets", true),
    kind("sts", "apps/v1", "StatefulSet", "statefulsets", true),
    kind("ds", "apps/v1", "DaemonSet", "daemonsets", true),
    kind("job", "batch/v1", "Job", "jobs", true),
    kind("cronjob", "batch/v1", "CronJob", "cronjobs", true),
    kind("hpa", "autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", true),
    kind("hpa1", "autoscaling/v1", "HorizontalPodAutoscaler", "horizontalpodautoscalers", true),
    kind("ing", "networking.k8s.io/v1", "Ingress", "ingresses", true),
    kind("ic", "networking.k8s.io/v1", "IngressClass", "ingressclasses", false),
    kind("netpol", "networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", true),
    kind("pdb", "policy/v1", "PodDisruptionBudget", "poddisruptionbudgets", true),
    kind("role", RBAC, "Role", "roles", true),
    kind("rolebinding", RBAC, "RoleBinding", "rolebindings", true),
    kind("clusterrole", RBAC, "ClusterRole", "clusterroles", false),
    kind("clusterrolebinding", RBAC, "ClusterRoleBinding", "clusterrolebindings", false),
    kind("lease", "coordination.k8s.io/v1", "Lease", "leases", true),
    kind("ev", "events.k8s.io/v1", "Event", "events", true),
    kind("es", "discovery.k8s.io/v1", "EndpointSlice", "endpointslices", true),
    kind("pc", "scheduling.k8s.io/v1", "PriorityClass", "priorityclasses", false),
    kind("sc", "storage.k8s.io/v1", "StorageClass", "storageclasses", false),
    kind("vap", ADMISSION, "ValidatingAdmissionPolicy", "validatingadmissionpolicies", false),
    kind("vapb", ADMISSION, "ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings", false),
    kind("vwc", ADMISSION, "ValidatingWebhookConfiguration", "validatingwebhookconfigurations", false),
    kind("crd", "apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions", false),
    kind("apiservice", "apiregistration.k8s.io/v1", "APIService", "apiservices", false),
    kind("w", "example.com/v1", "Widget", "widgets", true),
    kind("w2", "example.com/v2", "Widget", "widgets", true),
];

/// The path that a short one stands for (`cm/a?x=y`, `all-cm`), and the kind it names.
pub fn expand(short: &str) -> (String, Option<&'static Kind>) {
    let end = short.find(['/', '?']).unwrap_or(short.len());
    let (alias, rest) = short.split_at(end);
    let everywhere = alias.strip_prefix("all-");
    let Some(kind) = KINDS.iter().find(|kind| kind.alias == everywhere.unwrap_or(alias)) else {
        return (short.to_owned(), None);
    };
    let root = if kind.api_version.contains('/') { "apis" } else { "api" };
    let namespace = if kind.namespaced && everywhere.is_none() { "namespaces/default/" } else { "" };
    (format!("/{root}/{}/{namespace}{}{rest}", kind.api_version, kind.plural), Some(kind))
}
