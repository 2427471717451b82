//! Bringing objects into the cluster, as `kubectl apply --server-side` does.

use kro_apiserver::Method;
use kro_value::Value;

use super::cluster::Cluster;

const APPLY: &str = "application/apply-patch+yaml";
const MANAGER: &str = "kro-dev";

/// What became of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is in the cluster.
    Applied,
    /// Its kind is not served (yet): it may be one that a definition is about to define.
    NotServed,
    /// The API says no.
    Refused(String),
}

/// Applies one object.
pub fn apply(cluster: &Cluster, object: &Value) -> Outcome {
    let Some(path) = path_of(cluster, object) else { return Outcome::NotServed };
    let target = format!("{path}?fieldManager={MANAGER}&force=true");
    let answer = cluster.request(Method::Patch, &target, Some((APPLY, object)));
    if answer.is_success() { Outcome::Applied } else { Outcome::Refused(answer.message()) }
}

/// Deletes one object; true when it was there.
pub fn delete(cluster: &Cluster, object: &Value) -> bool {
    path_of(cluster, object).is_some_and(|path| cluster.request(Method::Delete, &path, None).is_success())
}

/// The order that works in one go: namespaces, then kinds, then everything else as it was given.
pub fn rank(object: &Value) -> u8 {
    match object.str_at(&["kind"]) {
        Some("Namespace") => 0,
        Some("CustomResourceDefinition") => 1,
        Some("ResourceGraphDefinition") => 2,
        _ => 3,
    }
}

/// What makes two documents the same object.
pub fn identity(object: &Value) -> [String; 4] {
    let text = |keys: &[&str]| object.str_at(keys).unwrap_or_default().to_owned();
    let api_version = text(&["apiVersion"]);
    let group = api_version.split_once('/').map_or("", |(group, _)| group).to_owned();
    [group, text(&["kind"]), text(&["metadata", "namespace"]), text(&["metadata", "name"])]
}

fn path_of(cluster: &Cluster, object: &Value) -> Option<String> {
    let api_version = object.str_at(&["apiVersion"])?;
    let kind = object.str_at(&["kind"])?;
    let name = object.str_at(&["metadata", "name"])?;
    let base = if api_version.contains('/') { format!("/apis/{api_version}") } else { format!("/api/{api_version}") };
    let resources = cluster.request(Method::Get, &base, None).body;
    let resources = resources.get("resources").and_then(Value::as_list)?;
    let resource = resources.iter().find(|resource| {
        resource.str_at(&["kind"]) == Some(kind) && resource.str_at(&["name"]).is_some_and(|name| !name.contains('/'))
    })?;
    let plural = resource.str_at(&["name"])?;
    let namespace = object.str_at(&["metadata", "namespace"]).unwrap_or("default");
    Some(match resource.get("namespaced").and_then(Value::as_bool) {
        Some(true) => format!("{base}/namespaces/{namespace}/{plural}/{name}"),
        _ => format!("{base}/{plural}/{name}"),
    })
}
