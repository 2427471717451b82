use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kro_schema::builtin;
use kro_value::{Str, Value};
use sha2::{Digest, Sha256};

use super::{ShownSubresource, resources_of, strings, subresources, verbs};
use crate::Resource;
use crate::registry::Registry;

/// `/api`
pub(super) fn core_versions() -> Value {
    let address = Value::map([("clientCIDR", Value::from("0.0.0.0/0")), ("serverAddress", "127.0.0.1".into())]);
    Value::map([
        ("kind", Value::from("APIVersions")),
        ("versions", Value::list([Value::from("v1")])),
        ("serverAddressByClientCIDRs", Value::list([address])),
    ])
}

/// `/apis`
pub(super) fn groups(registry: &Registry) -> Value {
    let groups = super::groups(registry).into_iter().filter(|(group, _)| !group.is_empty());
    Value::map([
        ("kind", Value::from("APIGroupList")),
        ("apiVersion", "v1".into()),
        ("groups", groups.map(|(group, versions)| group_entries(&group, &versions)).collect()),
    ])
}

/// `/apis/GROUP`
pub(super) fn group(registry: &Registry, group: &str) -> Option<Value> {
    let (name, versions) = super::groups(registry).into_iter().find(|(name, _)| name == group && !name.is_empty())?;
    let mut value = group_entries(&name, &versions);
    value.set_at(&["kind"], "APIGroup".into());
    value.set_at(&["apiVersion"], "v1".into());
    Some(value)
}

fn group_entries(group: &str, versions: &[Str]) -> Value {
    let entry = |version: &Str| {
        Value::map([("groupVersion", Value::from(format!("{group}/{version}"))), ("version", version.clone().into())])
    };
    Value::map([
        ("name", Value::from(group)),
        ("versions", versions.iter().map(entry).collect()),
        ("preferredVersion", versions.first().map(entry).unwrap_or_default()),
    ])
}

/// `/api/v1`, `/apis/GROUP/VERSION`
pub(super) fn resources(registry: &Registry, group: &str, version: &str) -> Option<Value> {
    let entries: Vec<Value> =
        resources_of(registry, group, version).flat_map(|(resource, index)| entries(resource, index)).collect();
    if entries.is_empty() {
        return None;
    }
    let group_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    Some(Value::map([
        ("kind", Value::from("APIResourceList")),
        ("apiVersion", "v1".into()),
        ("groupVersion", group_version.into()),
        ("resources", entries.into()),
    ]))
}

fn entries(resource: &Resource, version: usize) -> Vec<Value> {
    let mut entries = vec![main_entry(resource, version)];
    entries.extend(subresources(resource, version).iter().map(|subresource| subresource_entry(resource, subresource)));
    entries
}

fn main_entry(resource: &Resource, version: usize) -> Value {
    let mut entry = Value::map([
        ("name", Value::from(resource.id.resource.clone())),
        ("singularName", resource.singular.clone().into()),
        ("namespaced", resource.namespaced.into()),
        ("kind", resource.kind.clone().into()),
        ("verbs", verbs(resource)),
    ]);
    if !resource.short_names.is_empty() {
        entry.set_at(&["shortNames"], strings(&resource.short_names));
    }
    if !resource.categories.is_empty() {
        entry.set_at(&["categories"], strings(&resource.categories));
    }
    let hash = storage_version_hash(resource, version);
    if !hash.is_empty() {
        entry.set_at(&["storageVersionHash"], hash.into());
    }
    entry
}

fn subresource_entry(resource: &Resource, subresource: &ShownSubresource) -> Value {
    let mut entry = Value::map([
        ("name", Value::from(format!("{}/{}", resource.id.resource, subresource.name))),
        ("singularName", "".into()),
        ("namespaced", resource.namespaced.into()),
        ("kind", subresource.kind.clone().into()),
        ("verbs", strings(&subresource.verbs)),
    ]);
    if !subresource.version.is_empty() {
        entry.set_at(&["group"], subresource.group.clone().into());
        entry.set_at(&["version"], subresource.version.clone().into());
    }
    entry
}

fn storage_version_hash(resource: &Resource, version: usize) -> Str {
    let name = &resource.versions[version].name;
    if !resource.custom {
        let row = builtin::resource_of_kind(&resource.id.group, name, &resource.kind);
        return row.map(|row| row.storage_version_hash.clone()).unwrap_or_default();
    }
    let stored = &resource.versions[resource.storage].name;
    let digest = Sha256::digest(format!("{}/{stored}/{}", resource.id.group, resource.kind).as_bytes());
    STANDARD.encode(&digest[..8]).into()
}
