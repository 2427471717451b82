use kro_schema::structural::Schema;
use kro_value::{Map, Value};

use super::component_name;
use crate::Resource;
use crate::discovery::resources_of;
use crate::registry::Registry;

const LIST_PARAMETERS: &[&str] = &[
    "allowWatchBookmarks",
    "continue",
    "fieldSelector",
    "labelSelector",
    "limit",
    "resourceVersion",
    "resourceVersionMatch",
    "sendInitialEvents",
    "timeoutSeconds",
    "watch",
];
const WRITE_PARAMETERS: &[&str] = &["dryRun", "fieldManager", "fieldValidation"];
const PATCH_PARAMETERS: &[&str] = &["dryRun", "fieldManager", "fieldValidation", "force"];
const DELETE_PARAMETERS: &[&str] = &["dryRun", "gracePeriodSeconds", "orphanDependents", "propagationPolicy"];
const BODY_TYPES: &[&str] = &["application/json", "application/yaml"];
const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.";

/// The paths of a group and version.
pub(super) fn of(registry: &Registry, group: &str, version: &str) -> Map {
    let mut paths = Map::new();
    for (resource, index) in resources_of(registry, group, version) {
        Paths { resource, index }.add(&mut paths);
    }
    paths
}

/// `{group, version, kind}`
pub(super) fn kind(group: &str, version: &str, kind: &str) -> Value {
    Value::map([("group", Value::from(group)), ("version", version.into()), ("kind", kind.into())])
}

struct Paths<'a> {
    resource: &'a Resource,
    index: usize,
}

impl Paths<'_> {
    fn add(&self, paths: &mut Map) {
        let resource = self.resource;
        let group = &resource.id.group;
        let version = &resource.versions[self.index].name;
        let root = if group.is_empty() { format!("/api/{version}") } else { format!("/apis/{group}/{version}") };
        let plural = &resource.id.resource;
        let collection = match resource.namespaced {
            true => format!("{root}/namespaces/{{namespace}}/{plural}"),
            false => format!("{root}/{plural}"),
        };
        let verbs: Vec<&str> = resource.verbs.iter().map(|verb| verb.as_str()).collect();
        if resource.namespaced && verbs.contains(&"list") {
            paths.insert(format!("{root}/{plural}"), self.path(&["list"], &[]));
        }
        let of_collection = ["list", "create", "deletecollection"].into_iter().filter(|verb| verbs.contains(verb));
        let of_object = ["get", "update", "patch", "delete"].into_iter().filter(|verb| verbs.contains(verb));
        let in_namespace: &[&str] = if resource.namespaced { &["namespace"] } else { &[] };
        let of_name: &[&str] = if resource.namespaced { &["name", "namespace"] } else { &["name"] };
        let object = format!("{collection}/{{name}}");
        for subresource in &resource.versions[self.index].subresources {
            if matches!(subresource.as_str(), "status" | "scale") {
                paths.insert(format!("{object}/{subresource}"), self.path(&["get", "update", "patch"], of_name));
            }
        }
        paths.insert(collection, self.path(&of_collection.collect::<Vec<_>>(), in_namespace));
        paths.insert(object, self.path(&of_object.collect::<Vec<_>>(), of_name));
    }

    fn path(&self, verbs: &[&str], path_parameters: &[&str]) -> Value {
        let mut path = Map::new();
        for verb in verbs {
            let (method, operation) = self.operation(verb);
            path.insert(method, operation);
        }
        let parameters = path_parameters.iter().map(|name| parameter(name, "path"));
        path.insert("parameters", parameters.chain([parameter("pretty", "query")]).collect());
        path.into()
    }

    fn operation(&self, verb: &str) -> (&'static str, Value) {
        let (method, action, parameters) = match verb {
            "list" => ("get", "list", LIST_PARAMETERS),
            "create" => ("post", "post", WRITE_PARAMETERS),
            "deletecollection" => ("delete", "deletecollection", LIST_PARAMETERS),
            "update" => ("put", "put", WRITE_PARAMETERS),
            "patch" => ("patch", "patch", PATCH_PARAMETERS),
            "delete" => ("delete", "delete", DELETE_PARAMETERS),
            _ => ("get", "get", &["resourceVersion"][..]),
        };
        let name = &self.resource.versions[self.index].name;
        let mut operation = Value::map([
            ("parameters", parameters.iter().map(|name| parameter(name, "query")).collect()),
            ("responses", self.responses(verb)),
            ("x-kubernetes-action", action.into()),
            ("x-kubernetes-group-version-kind", kind(&self.resource.id.group, name, &self.resource.kind)),
        ]);
        if let Some(mut body) = self.body(verb) {
            if !verb.starts_with("delete") {
                body.set_at(&["required"], true.into());
            }
            operation.set_at(&["requestBody"], body);
        }
        (method, operation)
    }

    fn body(&self, verb: &str) -> Option<Value> {
        let (types, schema): (&[&str], Value) = match verb {
            "create" | "update" => (BODY_TYPES, self.schema(&self.resource.kind)),
            "delete" | "deletecollection" => (BODY_TYPES, reference(&format!("{META}DeleteOptions"))),
            "patch" => (self.patch_types(), reference(&format!("{META}Patch"))),
            _ => return None,
        };
        Some(Value::map([("content", content(types, &schema))]))
    }

    fn patch_types(&self) -> &'static [&'static str] {
        const ALL: &[&str] = &[
            "application/apply-patch+yaml",
            "application/json-patch+json",
            "application/merge-patch+json",
            "application/strategic-merge-patch+json",
        ];
        if self.resource.custom { &ALL[..3] } else { ALL }
    }

    fn responses(&self, verb: &str) -> Value {
        let kind = if verb == "list" { &self.resource.list_kind } else { &self.resource.kind };
        let schema = if verb.starts_with("delete") { reference(&format!("{META}Status")) } else { self.schema(kind) };
        let answer = Value::map([("description", Value::from("OK")), ("content", content(&BODY_TYPES[..1], &schema))]);
        Value::map([("200", answer)])
    }

    fn schema(&self, kind: &str) -> Value {
        let version = &self.resource.versions[self.index].name;
        if self.resource.custom {
            return reference(&component_name(&self.resource.id.group, version, kind));
        }
        let name = self.resource.schema(self.index).and_then(Schema::reference).unwrap_or_default();
        let suffix = if kind == self.resource.list_kind { "List" } else { "" };
        reference(&format!("{name}{suffix}"))
    }
}

fn reference(name: &str) -> Value {
    Value::map([("$ref", Value::from(format!("#/components/schemas/{name}")))])
}

fn content(types: &[&str], schema: &Value) -> Value {
    Value::map(types.iter().map(|media_type| (*media_type, Value::map([("schema", schema.clone())]))))
}

fn parameter(name: &str, place: &str) -> Value {
    let value_type = match name {
        "limit" | "timeoutSeconds" | "gracePeriodSeconds" => "integer",
        "allowWatchBookmarks" | "sendInitialEvents" | "watch" | "force" | "orphanDependents" => "boolean",
        _ => "string",
    };
    let schema = Value::map([("type", Value::from(value_type)), ("uniqueItems", true.into())]);
    let mut parameter = Value::map([("name", Value::from(name)), ("in", place.into()), ("schema", schema)]);
    if place == "path" {
        parameter.set_at(&["required"], true.into());
    }
    parameter
}

/// Paths as version 2 of OpenAPI says them: parameters have types, bodies are parameters.
pub(super) fn to_version_2(paths: &Value) -> Value {
    let path = |path: &Value| {
        let entries = path.as_map().into_iter().flatten();
        Value::map(entries.map(|(key, value)| {
            let value = if key == "parameters" { parameters_2(value) } else { operation_2(value) };
            (key.clone(), value)
        }))
    };
    Value::map(paths.as_map().into_iter().flatten().map(|(key, value)| (key.clone(), path(value))))
}

fn operation_2(operation: &Value) -> Value {
    let mut converted = operation.clone();
    converted.remove_at(&["requestBody"]);
    let mut parameters = parameters_2(operation.get("parameters").unwrap_or(&Value::Null));
    let bodies = operation.at(&["requestBody", "content"]).and_then(Value::as_map);
    if let Some((_, body)) = bodies.and_then(|map| map.iter().next()) {
        let schema = super::schemas::to_version_2(body.get("schema").unwrap_or(&Value::Null));
        let parameter = Value::map([("name", Value::from("body")), ("in", "body".into()), ("schema", schema)]);
        if let Some(list) = parameters.as_list_mut() {
            list.push(parameter);
        }
        let types = bodies.into_iter().flatten().map(|(media_type, _)| Value::from(media_type.clone()));
        converted.set_at(&["consumes"], types.collect());
    }
    converted.set_at(&["parameters"], parameters);
    let schema = operation.at(&["responses", "200", "content", "application/json", "schema"]);
    let schema = super::schemas::to_version_2(schema.unwrap_or(&Value::Null));
    let answer = Value::map([("description", Value::from("OK")), ("schema", schema)]);
    converted.set_at(&["responses"], Value::map([("200", answer)]));
    converted
}

fn parameters_2(parameters: &Value) -> Value {
    let convert = |parameter: &Value| {
        let mut parameter = parameter.clone();
        for (key, value) in parameter.remove_at(&["schema"]).as_ref().and_then(Value::as_map).into_iter().flatten() {
            parameter.set_at(&[key], value.clone());
        }
        parameter
    };
    parameters.as_list().unwrap_or_default().iter().map(convert).collect()
}
