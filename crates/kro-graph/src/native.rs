//! Native references: objects that a template names by the fields Kubernetes has for that.
//!
//! They give order only (a namespaced object after its Namespace, a workload after what it mounts). Names are compared
//! as they are written, so that a name made by an expression matches where both sides write the same.

use foldhash::HashMap;
use kro_value::Value;

use crate::Gvk;

/// An object as far as references are concerned.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Object<'a> {
    pub gvk: &'a Gvk,
    pub template: &'a Value,
    /// False for cluster-scoped kinds.
    pub namespaced: bool,
    /// Where a namespaced template goes that names no namespace, where that is known.
    pub default_namespace: Option<&'a str>,
}

/// What is referred to: kind, name, and whether it is in the namespace of the referring object.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Target<'a> {
    group: Option<&'a str>,
    kind: &'a str,
    name: &'a str,
    namespace: Scope<'a>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope<'a> {
    Cluster,
    Same,
    Named(&'a str),
}

impl<'a> Object<'a> {
    fn name(&self) -> Option<&'a str> {
        self.template.str_at(&["metadata", "name"])
    }

    fn namespace(&self) -> Option<&'a str> {
        self.template.str_at(&["metadata", "namespace"]).filter(|text| !text.is_empty()).or(self.default_namespace)
    }

    /// Group and kind that a CustomResourceDefinition defines.
    fn defined_kind(&self) -> Option<(&'a str, &'a str)> {
        if self.gvk.group != "apiextensions.k8s.io" || self.gvk.kind != "CustomResourceDefinition" {
            return None;
        }
        Some((self.template.str_at(&["spec", "group"])?, self.template.str_at(&["spec", "names", "kind"])?))
    }
}

/// For each object the positions of those it refers to, sorted; never itself.
pub(crate) fn references(objects: &[Object<'_>]) -> Vec<Vec<usize>> {
    let mut by_name: HashMap<(&str, &str), Vec<usize>> = HashMap::default();
    let mut by_defined_kind: HashMap<(&str, &str), usize> = HashMap::default();
    for (position, object) in objects.iter().enumerate() {
        by_name.entry((&object.gvk.kind, object.name().unwrap_or_default())).or_default().push(position);
        by_defined_kind.extend(object.defined_kind().map(|kind| (kind, position)));
    }
    let mut result = Vec::with_capacity(objects.len());
    for (position, object) in objects.iter().enumerate() {
        let definition = by_defined_kind.get(&(object.gvk.group.as_str(), object.gvk.kind.as_str()));
        let mut found: Vec<usize> = definition.copied().into_iter().collect();
        for target in targets(object) {
            let candidates = by_name.get(&(target.kind, target.name)).map(Vec::as_slice).unwrap_or_default();
            found.extend(candidates.iter().filter(|candidate| is_target(&objects[**candidate], &target, object)));
        }
        found.retain(|other| *other != position);
        found.sort_unstable();
        found.dedup();
        result.push(found);
    }
    result
}

fn is_target(object: &Object<'_>, target: &Target<'_>, from: &Object<'_>) -> bool {
    let is_namespace_right = match target.namespace {
        Scope::Cluster => !object.namespaced,
        Scope::Same => object.namespaced && object.namespace() == from.namespace(),
        Scope::Named(name) => object.namespaced && object.namespace() == Some(name),
    };
    object.gvk.kind == target.kind
        && target.group.is_none_or(|group| object.gvk.group == group)
        && object.name() == Some(target.name)
        && is_namespace_right
}

fn targets<'a>(object: &Object<'a>) -> Vec<Target<'a>> {
    let mut found = Found { targets: Vec::new() };
    if object.namespaced
        && let Some(namespace) = object.namespace()
    {
        found.add(Some(""), "Namespace", Some(namespace), Scope::Cluster);
    }
    let template = object.template;
    match (object.gvk.group.as_str(), object.gvk.kind.as_str()) {
        ("", "Pod") => found.pod(template.get("spec")),
        ("" | "apps" | "batch", "Deployment" | "ReplicaSet" | "DaemonSet" | "Job" | "ReplicationController") => {
            found.pod(template.at(&["spec", "template", "spec"]));
        }
        ("apps", "StatefulSet") => {
            found.pod(template.at(&["spec", "template", "spec"]));
            found.add(Some(""), "Service", template.str_at(&["spec", "serviceName"]), Scope::Same);
            list(template.at(&["spec", "volumeClaimTemplates"])).iter().for_each(|claim| found.claim(claim));
        }
        ("batch", "CronJob") => found.pod(template.at(&["spec", "jobTemplate", "spec", "template", "spec"])),
        ("", "ServiceAccount") => found.account(template),
        ("", "PersistentVolumeClaim") => found.claim(template),
        ("", "PersistentVolume") => {
            let class = template.str_at(&["spec", "storageClassName"]);
            found.add(Some("storage.k8s.io"), "StorageClass", class, Scope::Cluster);
        }
        ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding") => found.binding(template),
        ("networking.k8s.io", "Ingress") => found.ingress(template),
        ("autoscaling", "HorizontalPodAutoscaler") => found.object_reference(template.at(&["spec", "scaleTargetRef"])),
        ("admissionregistration.k8s.io", _) => list(template.get("webhooks")).iter().for_each(|webhook| {
            found.service(webhook.at(&["clientConfig", "service"]));
        }),
        ("apiregistration.k8s.io", "APIService") => found.service(template.at(&["spec", "service"])),
        _ => {}
    }
    found.targets
}

struct Found<'a> {
    targets: Vec<Target<'a>>,
}

impl<'a> Found<'a> {
    fn add(&mut self, group: Option<&'a str>, kind: &'a str, name: Option<&'a str>, namespace: Scope<'a>) {
        if let Some(name) = name.filter(|name| !name.is_empty()) {
            self.targets.push(Target { group, kind, name, namespace });
        }
    }

    /// An object of the core group in the same namespace.
    fn core(&mut self, kind: &'a str, name: Option<&'a str>) {
        self.add(Some(""), kind, name, Scope::Same);
    }

    fn pod(&mut self, spec: Option<&'a Value>) {
        let Some(spec) = spec else { return };
        self.core("ServiceAccount", spec.str_at(&["serviceAccountName"]));
        self.add(Some("scheduling.k8s.io"), "PriorityClass", spec.str_at(&["priorityClassName"]), Scope::Cluster);
        self.add(Some("node.k8s.io"), "RuntimeClass", spec.str_at(&["runtimeClassName"]), Scope::Cluster);
        list(spec.get("imagePullSecrets")).iter().for_each(|secret| self.core("Secret", secret.str_at(&["name"])));
        list(spec.get("volumes")).iter().for_each(|volume| self.volume(volume));
        for containers in ["containers", "initContainers", "ephemeralContainers"] {
            list(spec.get(containers)).iter().for_each(|container| self.container(container));
        }
    }

    fn volume(&mut self, volume: &'a Value) {
        self.core("ConfigMap", volume.str_at(&["configMap", "name"]));
        self.core("Secret", volume.str_at(&["secret", "secretName"]));
        self.core("PersistentVolumeClaim", volume.str_at(&["persistentVolumeClaim", "claimName"]));
        for source in list(volume.at(&["projected", "sources"])) {
            self.core("ConfigMap", source.str_at(&["configMap", "name"]));
            self.core("Secret", source.str_at(&["secret", "name"]));
        }
    }

    fn container(&mut self, container: &'a Value) {
        for variable in list(container.get("env")) {
            self.core("ConfigMap", variable.str_at(&["valueFrom", "configMapKeyRef", "name"]));
            self.core("Secret", variable.str_at(&["valueFrom", "secretKeyRef", "name"]));
        }
        for source in list(container.get("envFrom")) {
            self.core("ConfigMap", source.str_at(&["configMapRef", "name"]));
            self.core("Secret", source.str_at(&["secretRef", "name"]));
        }
    }

    fn account(&mut self, account: &'a Value) {
        for key in ["secrets", "imagePullSecrets"] {
            list(account.get(key)).iter().for_each(|secret| self.core("Secret", secret.str_at(&["name"])));
        }
    }

    fn claim(&mut self, claim: &'a Value) {
        let class = claim.str_at(&["spec", "storageClassName"]);
        self.add(Some("storage.k8s.io"), "StorageClass", class, Scope::Cluster);
        self.add(Some(""), "PersistentVolume", claim.str_at(&["spec", "volumeName"]), Scope::Cluster);
    }

    fn binding(&mut self, binding: &'a Value) {
        let rbac = Some("rbac.authorization.k8s.io");
        let name = binding.str_at(&["roleRef", "name"]);
        match binding.str_at(&["roleRef", "kind"]) {
            Some("ClusterRole") => self.add(rbac, "ClusterRole", name, Scope::Cluster),
            _ => self.add(rbac, "Role", name, Scope::Same),
        }
        for subject in list(binding.get("subjects")) {
            if subject.str_at(&["kind"]) == Some("ServiceAccount") {
                let scope = subject.str_at(&["namespace"]).map_or(Scope::Same, Scope::Named);
                self.add(Some(""), "ServiceAccount", subject.str_at(&["name"]), scope);
            }
        }
    }

    fn ingress(&mut self, ingress: &'a Value) {
        let class = ingress.str_at(&["spec", "ingressClassName"]);
        self.add(Some("networking.k8s.io"), "IngressClass", class, Scope::Cluster);
        self.core("Service", ingress.str_at(&["spec", "defaultBackend", "service", "name"]));
        for rule in list(ingress.at(&["spec", "rules"])) {
            for path in list(rule.at(&["http", "paths"])) {
                self.core("Service", path.str_at(&["backend", "service", "name"]));
            }
        }
        list(ingress.at(&["spec", "tls"])).iter().for_each(|tls| self.core("Secret", tls.str_at(&["secretName"])));
    }

    fn service(&mut self, service: Option<&'a Value>) {
        let Some(service) = service else { return };
        let scope = service.str_at(&["namespace"]).map_or(Scope::Same, Scope::Named);
        self.add(Some(""), "Service", service.str_at(&["name"]), scope);
    }

    /// A reference with `apiVersion`, `kind` and `name`.
    fn object_reference(&mut self, reference: Option<&'a Value>) {
        let Some(reference) = reference else { return };
        let Some(kind) = reference.str_at(&["kind"]) else { return };
        let group = reference.str_at(&["apiVersion"]).map(|text| text.split_once('/').map_or("", |(group, _)| group));
        self.add(group, kind, reference.str_at(&["name"]), Scope::Same);
    }
}

fn list(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_list).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use kro_value::from_json;

    use super::*;

    /// Positions of what each object refers to; objects are JSON with `apiVersion` and `kind`.
    fn found(objects: &[&str]) -> Vec<Vec<usize>> {
        let values: Vec<Value> = objects.iter().map(|text| from_json(text).unwrap()).collect();
        let gvks: Vec<Gvk> = values
            .iter()
            .map(|value| {
                let (group, version) = value.str_at(&["apiVersion"]).unwrap().split_once('/').unwrap_or(("", "v1"));
                Gvk::new(group, version, value.str_at(&["kind"]).unwrap())
            })
            .collect();
        let object = |(template, gvk): (_, &'_ Gvk)| (template, gvk.clone());
        let pairs: Vec<(&Value, Gvk)> = values.iter().zip(&gvks).map(object).collect();
        let objects: Vec<Object<'_>> = pairs
            .iter()
            .map(|(template, gvk)| Object {
                gvk,
                template,
                namespaced: !matches!(gvk.kind.as_str(), "Namespace" | "ClusterRole" | "CustomResourceDefinition"),
                default_namespace: Some("default"),
            })
            .collect();
        references(&objects)
    }

    #[test]
    fn finds_what_templates_name() {
        let config = r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"}}"#;
        let pod = |spec: &str| format!(r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"p"}},"spec":{spec}}}"#);
        for spec in [
            r#"{"volumes":[{"configMap":{"name":"c"}}]}"#,
            r#"{"volumes":[{"projected":{"sources":[{"configMap":{"name":"c"}}]}}]}"#,
            r#"{"containers":[{"envFrom":[{"configMapRef":{"name":"c"}}]}]}"#,
            r#"{"initContainers":[{"env":[{"valueFrom":{"configMapKeyRef":{"name":"c"}}}]}]}"#,
        ] {
            assert_eq!(found(&[&pod(spec), config]), [vec![1], vec![]], "{spec}");
        }
        assert_eq!(
            found(&[&pod(r#"{"volumes":[{"configMap":{"name":"d"}}]}"#), config]),
            [Vec::<usize>::new(), Vec::new()]
        );
    }

    #[test]
    fn keeps_namespaces_apart() {
        let namespace = r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"n"}}"#;
        let inside = r#"{"apiVersion":"v1","kind":"Service","metadata":{"name":"s","namespace":"n"}}"#;
        let ingress = |namespace: &str| {
            format!(
                r#"{{"apiVersion":"networking.k8s.io/v1","kind":"Ingress","metadata":{{"name":"i","namespace":"{namespace}"}},
                "spec":{{"defaultBackend":{{"service":{{"name":"s"}}}}}}}}"#
            )
        };
        assert_eq!(found(&[&ingress("n"), inside, namespace]), [vec![1, 2], vec![2], vec![]]);
        assert_eq!(found(&[&ingress("m"), inside, namespace]), [vec![], vec![2], vec![]]);
    }

    #[test]
    fn orders_custom_resources_bindings_and_scalers() {
        let crd = r#"{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"x"},
            "spec":{"group":"e.org","names":{"kind":"Thing"}}}"#;
        let thing = r#"{"apiVersion":"e.org/v1","kind":"Thing","metadata":{"name":"t"}}"#;
        let binding = r#"{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"RoleBinding","metadata":{"name":"b"},
            "roleRef":{"kind":"ClusterRole","name":"r"},"subjects":[{"kind":"ServiceAccount","name":"a"}]}"#;
        let role = r#"{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{"name":"r"}}"#;
        let account = r#"{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"a"}}"#;
        let scaler = r#"{"apiVersion":"autoscaling/v2","kind":"HorizontalPodAutoscaler","metadata":{"name":"h"},
            "spec":{"scaleTargetRef":{"apiVersion":"e.org/v1","kind":"Thing","name":"t"}}}"#;
        assert_eq!(
            found(&[crd, thing, binding, role, account, scaler]),
            [vec![], vec![0], vec![3, 4], vec![], vec![], vec![1]]
        );
    }
}
