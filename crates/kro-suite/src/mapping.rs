use std::fmt;

use kro_value::Value;

use crate::{Answer, Cluster};

/// An object as scenarios name it: `apps/v1/Deployment default/web`, `v1/Namespace dev`. Often used kinds and those of
/// `kro.run/v1alpha1` go by their kind alone, and objects in the namespace of the run by their name: `ConfigMap a`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectRef {
    /// `apps/v1`, `v1`
    pub api_version: String,
    /// `Deployment`
    pub kind: String,
    /// Empty when cluster-scoped or not named.
    pub namespace: String,
    /// Where a namespaced object is whose namespace is not named.
    pub fallback: String,
    /// The name.
    pub name: String,
}

impl ObjectRef {
    /// Reads the text form.
    ///
    /// # Errors
    /// When it has another shape.
    pub fn parse(text: &str) -> Result<Self, String> {
        let malformed = || format!("an object is written \"group/version/Kind namespace/name\", not {text:?}");
        let (kind, name) = text.trim().split_once(' ').ok_or_else(malformed)?;
        let (api_version, kind) = kind.rsplit_once('/').unwrap_or_else(|| (api_version_of(kind), kind));
        let (namespace, name) = name.split_once('/').unwrap_or(("", name));
        Ok(Self {
            api_version: api_version.to_owned(),
            kind: kind.to_owned(),
            namespace: namespace.to_owned(),
            fallback: "default".to_owned(),
            name: name.to_owned(),
        })
    }

    /// The object that a manifest describes; a namespaced one without a namespace is in `fallback`.
    pub fn of(manifest: &Value, fallback: &str) -> Self {
        let text = |keys: &[&str]| manifest.str_at(keys).unwrap_or_default().to_owned();
        Self {
            api_version: text(&["apiVersion"]),
            kind: text(&["kind"]),
            namespace: text(&["metadata", "namespace"]),
            fallback: fallback.to_owned(),
            name: text(&["metadata", "name"]),
        }
    }

    /// The request path; `None` while the kind is not served.
    pub fn path(&self, cluster: &mut dyn Cluster) -> Option<String> {
        let (base, plural, namespaced) = self.locate(cluster)?;
        let namespace = if self.namespace.is_empty() { &self.fallback } else { &self.namespace };
        let scope = if namespaced { format!("/namespaces/{namespace}") } else { String::new() };
        Some(format!("{base}{scope}/{plural}/{}", self.name))
    }

    /// The path of all objects of the kind.
    pub fn collection_path(&self, cluster: &mut dyn Cluster) -> Option<String> {
        let (base, plural, _) = self.locate(cluster)?;
        Some(format!("{base}/{plural}"))
    }

    /// Where the kind is served, its plural, and whether it is namespaced.
    fn locate(&self, cluster: &mut dyn Cluster) -> Option<(String, String, bool)> {
        let prefix = if self.api_version.contains('/') { "/apis/" } else { "/api/" };
        let base = format!("{prefix}{}", self.api_version);
        let discovery = cluster.request("GET", &base, "", None);
        let resources = discovery.body.get("resources").and_then(Value::as_list)?;
        let matching = |resource: &&Value| {
            resource.str_at(&["kind"]) == Some(&self.kind)
                && resource.str_at(&["name"]).is_some_and(|name| !name.contains('/'))
        };
        let resource = resources.iter().find(matching)?;
        let plural = resource.str_at(&["name"])?;
        let namespaced = resource.get("namespaced").and_then(Value::as_bool)?;
        Some((base, plural.to_owned(), namespaced))
    }

    /// Reads the object; `None` when it, or its kind, does not exist.
    pub fn get(&self, cluster: &mut dyn Cluster) -> Option<Value> {
        let path = self.path(cluster)?;
        let Answer { status, body } = cluster.request("GET", &path, "", None);
        (status == 200).then_some(body)
    }
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{} ", self.api_version, self.kind)?;
        if !self.namespace.is_empty() {
            write!(formatter, "{}/", self.namespace)?;
        }
        formatter.write_str(&self.name)
    }
}

/// Of a kind that is named alone.
fn api_version_of(kind: &str) -> &'static str {
    match kind {
        "ConfigMap" | "Secret" | "Service" | "Namespace" | "ServiceAccount" | "Pod" | "PersistentVolume" => "v1",
        "Deployment" | "StatefulSet" | "DaemonSet" => "apps/v1",
        "Ingress" | "NetworkPolicy" => "networking.k8s.io/v1",
        "ClusterRole" | "ClusterRoleBinding" | "Role" | "RoleBinding" => "rbac.authorization.k8s.io/v1",
        "PriorityClass" => "scheduling.k8s.io/v1",
        "CustomResourceDefinition" => "apiextensions.k8s.io/v1",
        "GraphRevision" => "internal.kro.run/v1alpha1",
        _ => "kro.run/v1alpha1",
    }
}
