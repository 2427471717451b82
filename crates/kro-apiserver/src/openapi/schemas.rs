use std::collections::BTreeSet;

use kro_schema::builtin;
use kro_schema::structural::Schema;
use kro_value::{Map, Str, Value};

use super::component_name;
use crate::Resource;
use crate::discovery::resources_of;
use crate::registry::Registry;

const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.";
const REFERENCE: &str = "#/components/schemas/";
/// What every document needs: bodies and answers of its paths.
const SHARED: &[&str] = &["DeleteOptions", "ListMeta", "ObjectMeta", "Patch", "Status"];

/// The schemas of a group and version with everything they refer to.
pub(super) fn of(registry: &Registry, group: &str, version: &str) -> Map {
    let mut schemas = Map::new();
    let mut wanted: Vec<Str> = SHARED.iter().map(|name| Str::new(format!("{META}{name}"))).collect();
    for (resource, index) in resources_of(registry, group, version) {
        if resource.custom {
            schemas.insert(component_name(group, version, &resource.kind), custom(resource, index));
            schemas.insert(component_name(group, version, &resource.list_kind), custom_list(resource, index));
        } else if let Some(name) = resource.schema(index).and_then(Schema::reference) {
            wanted.extend([Str::new(name), Str::new(format!("{name}List"))]);
        }
    }
    add_with_references(&mut schemas, wanted);
    schemas
}

fn add_with_references(schemas: &mut Map, mut wanted: Vec<Str>) {
    let mut seen = BTreeSet::new();
    while let Some(name) = wanted.pop() {
        if !seen.insert(name.clone()) {
            continue;
        }
        let Some(schema) = builtin::described().get(&name) else { continue };
        let mut json = schema.to_json();
        clean(&mut json, &mut wanted);
        schemas.insert(name, json);
    }
}

/// Removes our own keywords and notes what is referred to.
fn clean(json: &mut Value, references: &mut Vec<Str>) {
    match json {
        Value::Map(map) => {
            map.retain(|key, _| !key.starts_with("x-kro-"));
            if let Some(name) = map.get("$ref").and_then(Value::as_str).and_then(|text| text.strip_prefix(REFERENCE)) {
                references.push(Str::new(name));
            }
            map.iter_mut().for_each(|(_, value)| clean(value, references));
        }
        Value::List(_) => json.as_list_mut().into_iter().flatten().for_each(|item| clean(item, references)),
        _ => {}
    }
}

fn custom(resource: &Resource, version: usize) -> Value {
    let schema = resource.schema(version).map(Schema::to_json).unwrap_or_default();
    let mut schema = with_object_members(schema, true);
    let name = &resource.versions[version].name;
    schema.set_at(&["x-kubernetes-group-version-kind"], kinds(&resource.id.group, name, &resource.kind));
    show_selectable_fields(resource, version, &mut schema);
    schema
}

/// Gives the root and embedded resources the members of every object.
fn with_object_members(mut schema: Value, is_object: bool) -> Value {
    let is_object = is_object || schema.get("x-kubernetes-embedded-resource").and_then(Value::as_bool) == Some(true);
    if let Some(map) = schema.as_map_mut() {
        for key in ["items", "additionalProperties"] {
            if let Some(inner) = map.get_mut(key).filter(|inner| inner.as_map().is_some()) {
                *inner = with_object_members(std::mem::take(inner), false);
            }
        }
        if let Some(properties) = map.get_mut("properties").and_then(Value::as_map_mut) {
            for (_, property) in properties.iter_mut() {
                *property = with_object_members(std::mem::take(property), false);
            }
        }
    }
    if schema.get("x-kubernetes-int-or-string").and_then(Value::as_bool) == Some(true) && schema.get("anyOf").is_none()
    {
        let of_type = |name: &str| Value::map([("type", Value::from(name))]);
        schema.set_at(&["anyOf"], Value::list(["integer", "string"].map(of_type)));
    }
    if is_object {
        schema.set_at(&["type"], "object".into());
        for (name, property) in object_members() {
            schema.set_at(&["properties", name], property);
        }
    }
    schema
}

fn object_members() -> [(&'static str, Value); 3] {
    let described = |name: &str| {
        let schema = builtin::described().get("io.k8s.api.core.v1.ConfigMap").and_then(|schema| schema.property(name));
        schema.and_then(|schema| schema.description().map(ToOwned::to_owned)).unwrap_or_default()
    };
    let text = |name: &str| Value::map([("type", Value::from("string")), ("description", described(name).into())]);
    let reference = Value::map([("$ref", Value::from(format!("{REFERENCE}{META}ObjectMeta")))]);
    let metadata =
        Value::map([("description", Value::from(described("metadata"))), ("allOf", Value::list([reference]))]);
    [("apiVersion", text("apiVersion")), ("kind", text("kind")), ("metadata", metadata)]
}

fn custom_list(resource: &Resource, version: usize) -> Value {
    let name = &resource.versions[version].name;
    let item = component_name(&resource.id.group, name, &resource.kind);
    let reference = |name: &str| Value::map([("$ref", Value::from(format!("{REFERENCE}{name}")))]);
    let [api_version, kind, _] = object_members();
    let items = Value::map([
        (
            "description",
            Value::from(format!(
                "List of {}. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md",
                resource.id.resource
            )),
        ),
        ("type", "array".into()),
        ("items", reference(&item)),
    ]);
    let metadata = Value::map([
        (
            "description",
            Value::from(
                "Standard list metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds",
            ),
        ),
        ("allOf", Value::list([reference(&format!("{META}ListMeta"))])),
    ]);
    let mut list = Value::map([
        ("description", Value::from(format!("{} is a list of {}", resource.list_kind, resource.kind))),
        ("type", "object".into()),
        ("required", Value::list([Value::from("items")])),
        ("properties", Value::map([api_version, kind, ("items", items), ("metadata", metadata)])),
        ("x-kubernetes-group-version-kind", kinds(&resource.id.group, name, &resource.list_kind)),
    ]);
    show_selectable_fields(resource, version, &mut list);
    list
}

fn show_selectable_fields(resource: &Resource, version: usize, schema: &mut Value) {
    let selectable = &resource.versions[version].selectable_fields;
    if !selectable.is_empty() {
        let entry = |path: &Str| {
            let path = path.strip_prefix('.').unwrap_or(path);
            Value::map([("fieldPath", Value::from(path))])
        };
        schema.set_at(&["x-kubernetes-selectable-fields"], selectable.iter().map(entry).collect());
    }
}

/// `x-kubernetes-group-version-kind` of a schema.
fn kinds(group: &str, version: &str, kind: &str) -> Value {
    Value::list([super::paths::kind(group, version, kind)])
}

/// Schemas as version 2 of OpenAPI can say them.
pub(super) fn to_version_2(schemas: &Value) -> Value {
    match schemas {
        Value::Map(map) => {
            if let Some([only]) = map.get("allOf").and_then(Value::as_list)
                && let Some(reference) = only.get("$ref")
            {
                let mut entries = vec![(Str::new_static("$ref"), to_version_2(reference))];
                entries.extend(map.get("description").map(|text| (Str::new_static("description"), text.clone())));
                return Value::map(entries);
            }
            let dropped = ["default", "nullable", "oneOf", "anyOf", "not"];
            let kept = map.iter().filter(|(key, value)| {
                // A property may have the name of a keyword; a schema is what tells them apart.
                !dropped.contains(&key.as_str()) || value.get("type").is_some() || value.get("$ref").is_some()
            });
            Value::map(kept.map(|(key, value)| (key.clone(), to_version_2(value))))
        }
        Value::List(items) => items.iter().map(to_version_2).collect(),
        Value::String(text) => match text.strip_prefix(REFERENCE) {
            Some(name) => format!("#/definitions/{name}").into(),
            None => schemas.clone(),
        },
        other => other.clone(),
    }
}
