use kro_schema::structural::Schema;

const PROTOCOLS: &[&str] = &["SCTP", "TCP", "UDP"];
const WEBHOOK_FAILURES: &[&str] = &["Fail", "Ignore"];
const WEBHOOK_MATCHES: &[&str] = &["Equivalent", "Exact"];
const WEBHOOK_EFFECTS: &[&str] = &["None", "NoneOnDryRun"];

/// Fields of built-in kinds with a closed set of values, which the bundled schemas do not have: definition, field, values;
/// sorted.
const ENUMS: &[(&str, &str, &[&str])] = &[
    ("admissionregistration.v1.MutatingWebhook", "failurePolicy", WEBHOOK_FAILURES),
    ("admissionregistration.v1.MutatingWebhook", "matchPolicy", WEBHOOK_MATCHES),
    ("admissionregistration.v1.MutatingWebhook", "sideEffects", WEBHOOK_EFFECTS),
    ("admissionregistration.v1.ValidatingWebhook", "failurePolicy", WEBHOOK_FAILURES),
    ("admissionregistration.v1.ValidatingWebhook", "matchPolicy", WEBHOOK_MATCHES),
    ("admissionregistration.v1.ValidatingWebhook", "sideEffects", WEBHOOK_EFFECTS),
    ("apps.v1.DaemonSetUpdateStrategy", "type", &["OnDelete", "RollingUpdate"]),
    ("apps.v1.DeploymentStrategy", "type", &["Recreate", "RollingUpdate"]),
    ("apps.v1.StatefulSetSpec", "podManagementPolicy", &["OrderedReady", "Parallel"]),
    ("apps.v1.StatefulSetUpdateStrategy", "type", &["OnDelete", "RollingUpdate"]),
    ("autoscaling.v2.MetricTarget", "type", &["AverageValue", "Utilization", "Value"]),
    ("batch.v1.CronJobSpec", "concurrencyPolicy", &["Allow", "Forbid", "Replace"]),
    ("batch.v1.JobSpec", "completionMode", &["Indexed", "NonIndexed"]),
    ("core.v1.Container", "imagePullPolicy", &["Always", "IfNotPresent", "Never"]),
    ("core.v1.Container", "terminationMessagePolicy", &["FallbackToLogsOnError", "File"]),
    ("core.v1.ContainerPort", "protocol", PROTOCOLS),
    ("core.v1.NodeSelectorRequirement", "operator", &["DoesNotExist", "Exists", "Gt", "In", "Lt", "NotIn"]),
    ("core.v1.PersistentVolumeClaimSpec", "volumeMode", &["Block", "Filesystem"]),
    ("core.v1.PodSpec", "dnsPolicy", &["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"]),
    ("core.v1.PodSpec", "preemptionPolicy", &["Never", "PreemptLowerPriority"]),
    ("core.v1.PodSpec", "restartPolicy", &["Always", "Never", "OnFailure"]),
    ("core.v1.SeccompProfile", "type", &["Localhost", "RuntimeDefault", "Unconfined"]),
    ("core.v1.ServicePort", "protocol", PROTOCOLS),
    ("core.v1.ServiceSpec", "externalTrafficPolicy", &["Cluster", "Local"]),
    ("core.v1.ServiceSpec", "internalTrafficPolicy", &["Cluster", "Local"]),
    ("core.v1.ServiceSpec", "ipFamilyPolicy", &["PreferDualStack", "RequireDualStack", "SingleStack"]),
    ("core.v1.ServiceSpec", "sessionAffinity", &["ClientIP", "None"]),
    ("core.v1.ServiceSpec", "type", &["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"]),
    ("core.v1.Toleration", "effect", &["NoExecute", "NoSchedule", "PreferNoSchedule"]),
    ("core.v1.TopologySpreadConstraint", "whenUnsatisfiable", &["DoNotSchedule", "ScheduleAnyway"]),
    ("networking.v1.HTTPIngressPath", "pathType", &["Exact", "ImplementationSpecific", "Prefix"]),
    ("networking.v1.NetworkPolicyPort", "protocol", PROTOCOLS),
    ("rbac.v1.RoleRef", "kind", &["ClusterRole", "Role"]),
    ("rbac.v1.Subject", "kind", &["Group", "ServiceAccount", "User"]),
    ("storage.v1.StorageClass", "volumeBindingMode", &["Immediate", "WaitForFirstConsumer"]),
];

/// The values of a field of a built-in kind; `None` where any may be right. An empty string counts as absent there.
pub(super) fn values(object: &Schema, field: &str, literal: &str) -> Option<&'static [&'static str]> {
    if literal.is_empty() {
        return None;
    }
    let definition = object.reference()?.strip_prefix("io.k8s.api.")?;
    let row = ENUMS.binary_search_by(|(of, name, _)| (*of, *name).cmp(&(definition, field))).ok()?;
    Some(ENUMS[row].2)
}

#[cfg(test)]
mod tests {
    use kro_schema::builtin;

    use super::ENUMS;

    #[test]
    fn all_fields_exist() {
        assert!(ENUMS.is_sorted_by_key(|(definition, field, _)| (*definition, *field)));
        for (definition, field, values) in ENUMS {
            let schema = builtin::definition(&format!("io.k8s.api.{definition}")).unwrap();
            assert!(schema.property(field).is_some(), "{definition}.{field}");
            assert!(values.is_sorted(), "{definition}.{field}");
        }
    }
}
