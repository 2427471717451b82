use kro_value::{Map, Str, Value};

use super::{groups, resources_of, strings, subresources, verbs};
use crate::Resource;
use crate::registry::Registry;

/// The aggregated document of the core group, or of all others.
pub(super) fn document(registry: &Registry, core: bool) -> Value {
    let groups = groups(registry).into_iter().filter(|(group, _)| group.is_empty() == core);
    let items = groups.map(|(group, versions)| item(registry, &group, &versions)).collect();
    Value::map([
        ("kind", Value::from("APIGroupDiscoveryList")),
        ("apiVersion", "apidiscovery.k8s.io/v2".into()),
        ("metadata", Map::new().into()),
        ("items", items),
    ])
}

fn item(registry: &Registry, group: &str, versions: &[Str]) -> Value {
    let mut metadata = Map::new();
    if !group.is_empty() {
        metadata.insert("name", group.into());
    }
    let versions = versions.iter().map(|version| {
        let resources =
            resources_of(registry, group, version).map(|(resource, index)| entry(resource, index)).collect();
        Value::map([
            ("version", Value::from(version.clone())),
            ("freshness", "Current".into()),
            ("resources", resources),
        ])
    });
    Value::map([("metadata", Value::from(metadata)), ("versions", versions.collect())])
}

fn entry(resource: &Resource, version: usize) -> Value {
    let scope = if resource.namespaced { "Namespaced" } else { "Cluster" };
    let mut entry = Value::map([
        ("resource", Value::from(resource.id.resource.clone())),
        ("responseKind", own_kind(resource, version, &resource.kind)),
        ("scope", scope.into()),
        ("singularResource", resource.singular.clone().into()),
        ("verbs", verbs(resource)),
    ]);
    if !resource.short_names.is_empty() {
        entry.set_at(&["shortNames"], strings(&resource.short_names));
    }
    if !resource.categories.is_empty() {
        entry.set_at(&["categories"], strings(&resource.categories));
    }
    let subresources = subresources(resource, version).into_iter().map(|subresource| {
        let response_kind = if subresource.group.is_empty() && subresource.version.is_empty() {
            own_kind(resource, version, &subresource.kind)
        } else {
            kind(&subresource.group, &subresource.version, &subresource.kind)
        };
        Value::map([
            ("subresource", Value::from(subresource.name.clone())),
            ("responseKind", response_kind),
            ("verbs", strings(&subresource.verbs)),
        ])
    });
    let subresources: Vec<Value> = subresources.collect();
    if !subresources.is_empty() {
        entry.set_at(&["subresources"], subresources.into());
    }
    entry
}

/// Built-in kinds leave group and version to the document.
fn own_kind(resource: &Resource, version: usize, name: &str) -> Value {
    if resource.custom { kind(&resource.id.group, &resource.versions[version].name, name) } else { kind("", "", name) }
}

fn kind(group: &str, version: &str, kind: &str) -> Value {
    Value::map([("group", Value::from(group)), ("version", version.into()), ("kind", kind.into())])
}
