//! The objects that every cluster has from the start.

use kro_value::{Str, Value, from_json};

use crate::User;
use crate::state::State;
use crate::write::{Call, FieldValidation};

const NAMESPACES: &[&str] = &["default", "kube-node-lease", "kube-public", "kube-system"];

/// Creates them.
pub(crate) fn populate(state: &mut State) {
    for name in NAMESPACES {
        let metadata = Value::map([("name", Value::from(*name))]);
        create(state, "", "namespaces", "", Value::map([("metadata", metadata)]));
    }
    populate_others(state);
}

/// The API server as a Service, priorities and the roles that people use.
fn populate_others(state: &mut State) {
    for (group, resource, namespace, text) in OBJECTS {
        if let Ok(object) = from_json(text) {
            if let Some(part) = aggregated_part(&object) {
                create(state, group, resource, namespace, part);
            }
            create(state, group, resource, namespace, object);
        }
    }
}

/// The role that an aggregated role takes its rules from, as in a real cluster: without it, the controller of
/// aggregated roles would find nothing and empty them.
fn aggregated_part(role: &Value) -> Option<Value> {
    role.get("aggregationRule")?;
    let name = role.str_at(&["metadata", "name"])?;
    let label = format!("{RBAC}/aggregate-to-{name}");
    let labels = Value::map(
        [("kubernetes.io/bootstrapping", "rbac-defaults"), (label.as_str(), "true")]
            .map(|(key, text)| (Str::new(key), Value::from(text))),
    );
    let metadata = Value::map([("name", Value::from(format!("system:aggregate-to-{name}"))), ("labels", labels)]);
    Some(Value::map([("metadata", metadata), ("rules", role.get("rules")?.clone())]))
}

const RBAC: &str = "rbac.authorization.k8s.io";

/// Group, resource, namespace, object.
const OBJECTS: &[(&str, &str, &str, &str)] = &[
    (
        "",
        "services",
        "default",
        r#"{"metadata":{"name":"kubernetes","labels":{"component":"apiserver","provider":"kubernetes"}},"spec":{"clusterIP":"10.96.0.1","ports":[{"name":"https","port":443,"targetPort":6443}]}}"#,
    ),
    (
        "scheduling.k8s.io",
        "priorityclasses",
        "",
        r#"{"metadata":{"name":"system-cluster-critical"},"value":2000000000,"description":"Used for system critical pods that must run in the cluster, but can be moved to another node if necessary."}"#,
    ),
    (
        "scheduling.k8s.io",
        "priorityclasses",
        "",
        r#"{"metadata":{"name":"system-node-critical"},"value":2000001000,"description":"Used for system critical pods that must not be moved from their current node."}"#,
    ),
    (
        RBAC,
        "clusterroles",
        "",
        r#"{"metadata":{"name":"cluster-admin","labels":{"kubernetes.io/bootstrapping":"rbac-defaults"}},"rules":[{"apiGroups":["*"],"resources":["*"],"verbs":["*"]},{"nonResourceURLs":["*"],"verbs":["*"]}]}"#,
    ),
    (
        RBAC,
        "clusterroles",
        "",
        r#"{"metadata":{"name":"admin","labels":{"kubernetes.io/bootstrapping":"rbac-defaults"}},"aggregationRule":{"clusterRoleSelectors":[{"matchLabels":{"rbac.authorization.k8s.io/aggregate-to-admin":"true"}}]},"rules":[{"apiGroups":["","apps","batch","autoscaling","networking.k8s.io","policy","rbac.authorization.k8s.io"],"resources":["*"],"verbs":["*"]}]}"#,
    ),
    (
        RBAC,
        "clusterroles",
        "",
        r#"{"metadata":{"name":"edit","labels":{"kubernetes.io/bootstrapping":"rbac-defaults","rbac.authorization.k8s.io/aggregate-to-admin":"true"}},"aggregationRule":{"clusterRoleSelectors":[{"matchLabels":{"rbac.authorization.k8s.io/aggregate-to-edit":"true"}}]},"rules":[{"apiGroups":["","apps","batch","autoscaling","networking.k8s.io","policy"],"resources":["*"],"verbs":["*"]}]}"#,
    ),
    (
        RBAC,
        "clusterroles",
        "",
        r#"{"metadata":{"name":"view","labels":{"kubernetes.io/bootstrapping":"rbac-defaults","rbac.authorization.k8s.io/aggregate-to-edit":"true"}},"aggregationRule":{"clusterRoleSelectors":[{"matchLabels":{"rbac.authorization.k8s.io/aggregate-to-view":"true"}}]},"rules":[{"apiGroups":["apps","batch","autoscaling","networking.k8s.io","policy"],"resources":["*"],"verbs":["get","list","watch"]}]}"#,
    ),
    (
        RBAC,
        "clusterroles",
        "",
        r#"{"metadata":{"name":"system:discovery","labels":{"kubernetes.io/bootstrapping":"rbac-defaults"}},"rules":[{"nonResourceURLs":["/api","/api/*","/apis","/apis/*","/healthz","/livez","/openapi","/openapi/*","/readyz","/version","/version/"],"verbs":["get"]}]}"#,
    ),
    (
        RBAC,
        "clusterroles",
        "",
        r#"{"metadata":{"name":"system:basic-user","labels":{"kubernetes.io/bootstrapping":"rbac-defaults"}},"rules":[{"apiGroups":["authorization.k8s.io"],"resources":["selfsubjectaccessreviews","selfsubjectrulesreviews"],"verbs":["create"]},{"apiGroups":["authentication.k8s.io"],"resources":["selfsubjectreviews"],"verbs":["create"]}]}"#,
    ),
    (
        RBAC,
        "clusterroles",
        "",
        r#"{"metadata":{"name":"system:public-info-viewer","labels":{"kubernetes.io/bootstrapping":"rbac-defaults"}},"rules":[{"nonResourceURLs":["/healthz","/livez","/readyz","/version","/version/"],"verbs":["get"]}]}"#,
    ),
    (
        RBAC,
        "clusterrolebindings",
        "",
        r#"{"metadata":{"name":"cluster-admin","labels":{"kubernetes.io/bootstrapping":"rbac-defaults"}},"subjects":[{"kind":"Group","name":"system:masters"}],"roleRef":{"kind":"ClusterRole","name":"cluster-admin"}}"#,
    ),
    (
        RBAC,
        "clusterrolebindings",
        "",
        r#"{"metadata":{"name":"system:discovery","labels":{"kubernetes.io/bootstrapping":"rbac-defaults"}},"subjects":[{"kind":"Group","name":"system:authenticated"}],"roleRef":{"kind":"ClusterRole","name":"system:discovery"}}"#,
    ),
    (
        RBAC,
        "clusterrolebindings",
        "",
        r#"{"metadata":{"name":"system:basic-user","labels":{"kubernetes.io/bootstrapping":"rbac-defaults"}},"subjects":[{"kind":"Group","name":"system:authenticated"}],"roleRef":{"kind":"ClusterRole","name":"system:basic-user"}}"#,
    ),
    (
        RBAC,
        "clusterrolebindings",
        "",
        r#"{"metadata":{"name":"system:public-info-viewer","labels":{"kubernetes.io/bootstrapping":"rbac-defaults"}},"subjects":[{"kind":"Group","name":"system:authenticated"},{"kind":"Group","name":"system:unauthenticated"}],"roleRef":{"kind":"ClusterRole","name":"system:public-info-viewer"}}"#,
    ),
];

/// Creates an object of a built-in kind; what exists stays.
fn create(state: &mut State, group: &str, resource: &str, namespace: &str, mut object: Value) {
    let Some(resource) = state.registry.find(group, resource).cloned() else { return };
    object.set_at(&["kind"], resource.kind.clone().into());
    object.set_at(&["apiVersion"], resource.api_version(0).into());
    let mut call = Call {
        version: 0,
        resource,
        namespace: Str::new(namespace),
        name: Str::default(),
        subresource: Str::default(),
        user: User::admin(),
        now: state.now,
        manager: Str::new("kube-apiserver"),
        dry_run: false,
        validation: FieldValidation::Ignore,
        force: false,
        findings: Vec::new(),
        warnings: Vec::new(),
    };
    // The objects are part of the program; the only possible failure is that one exists.
    let _ = state.create(&mut call, object);
}
