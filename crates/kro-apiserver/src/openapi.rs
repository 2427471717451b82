//! OpenAPI documents, synthesised from what is served.

mod paths;
mod schemas;

use std::collections::BTreeMap;

use bytes::Bytes;
use kro_schema::builtin;
use kro_value::{Map, Str, Value, to_json};

use crate::discovery::{groups, hash, resources_of};
use crate::negotiation::clauses;
use crate::registry::Registry;
use crate::uri::Query;
use crate::{Headers, Response};

/// Documents that were asked for, with the hash they were made under.
#[derive(Default)]
pub(crate) struct Cache {
    documents: BTreeMap<String, (String, Bytes)>,
}

/// The index: a path with a hash for each group and version.
pub(crate) fn index(registry: &Registry, headers: &Headers) -> Response {
    let mut paths = Map::new();
    for (group, versions) in groups(registry) {
        for version in versions {
            let key = key(&group, &version);
            let url = format!("/openapi/v3/{key}?hash={}", fingerprint(registry, &group, &version));
            paths.insert(key, Value::map([("serverRelativeURL", Value::from(url))]));
        }
    }
    let text = to_json(&Value::map([("paths", Value::from(paths))]));
    let etag = format!("\"{}\"", hash(text.as_bytes()));
    if headers.get("If-None-Match") == Some(etag.as_str()) {
        return Response::new(304, "text/plain; charset=utf-8", "").with_header("ETag", etag);
    }
    Response::new(200, "text/plain; charset=utf-8", text).with_header("ETag", etag)
}

/// The document of a group and version.
pub(crate) fn document(
    registry: &Registry,
    cache: &mut Cache,
    key: &str,
    query: &Query,
    headers: &Headers,
) -> Response {
    let Some((group, version)) = split_key(key).filter(|(group, version)| is_served(registry, group, version)) else {
        let mut nothing = Response::new(404, "", "");
        nothing.headers = Headers::new();
        return nothing;
    };
    if !clauses(headers.get("Accept")).iter().any(|clause| clause.takes_json() || clause.media_type == "application/*")
    {
        return Response::text(406, "406 Not Acceptable");
    }
    let current = fingerprint(registry, group, version);
    let asked = query.text("hash");
    if !asked.is_empty() && asked != current {
        let location = format!("/openapi/v3/{key}?hash={current}");
        return Response::new(301, "application/json", "").with_header("Location", location);
    }
    let etag = format!("\"{current}\"");
    let mut response = if headers.get("If-None-Match") == Some(etag.as_str()) {
        Response::new(304, "application/json", "")
    } else {
        Response::new(200, "application/json", cache.get(registry, key, group, version, &current))
    };
    if !asked.is_empty() {
        response.headers.set("Cache-Control", "public, immutable");
        response = response.with_header("Expires", "Fri, 31 Dec 9999 23:59:59 GMT");
    }
    response.with_header("ETag", etag).with_header("Vary", "Accept")
}

/// All definitions in one document of version 2.
pub(crate) fn version_2(registry: &Registry, headers: &Headers) -> Response {
    let accepted = clauses(headers.get("Accept"));
    if !accepted.iter().any(|clause| clause.takes_json() || clause.media_type == "application/*") {
        return Response::text(406, "406 Not Acceptable");
    }
    let mut definitions = Map::new();
    let mut all_paths = Map::new();
    for (group, versions) in groups(registry) {
        for version in versions {
            definitions.extend(schemas::of(registry, &group, &version));
            all_paths.extend(paths::of(registry, &group, &version));
        }
    }
    let definitions = schemas::to_version_2(&definitions.into());
    let document = Value::map([
        ("swagger", Value::from("2.0")),
        ("info", info()),
        ("paths", paths::to_version_2(&all_paths.into())),
        ("definitions", definitions),
    ]);
    Response::json(200, &document)
}

impl Cache {
    fn get(&mut self, registry: &Registry, key: &str, group: &str, version: &str, current: &str) -> Bytes {
        if let Some((_, text)) = self.documents.get(key).filter(|(made_under, _)| made_under == current) {
            return text.clone();
        }
        let text = Bytes::from(to_json(&make(registry, group, version)));
        self.documents.insert(key.to_owned(), (current.to_owned(), text.clone()));
        text
    }
}

fn make(registry: &Registry, group: &str, version: &str) -> Value {
    let components = Value::map([("schemas", Value::from(schemas::of(registry, group, version)))]);
    Value::map([
        ("openapi", Value::from("3.0.0")),
        ("info", info()),
        ("paths", paths::of(registry, group, version).into()),
        ("components", components),
    ])
}

fn info() -> Value {
    Value::map([("title", Value::from("Kubernetes")), ("version", builtin::kubernetes_version().into())])
}

fn key(group: &str, version: &str) -> String {
    if group.is_empty() { format!("api/{version}") } else { format!("apis/{group}/{version}") }
}

fn split_key(key: &str) -> Option<(&str, &str)> {
    match key.strip_prefix("apis/") {
        Some(rest) => rest.split_once('/'),
        None => key.strip_prefix("api/").map(|version| ("", version)),
    }
}

fn is_served(registry: &Registry, group: &str, version: &str) -> bool {
    resources_of(registry, group, version).next().is_some()
}

/// Changes whenever the document does; known without making the document.
fn fingerprint(registry: &Registry, group: &str, version: &str) -> String {
    let mut text = format!("{} {group} {version}", builtin::kubernetes_version());
    for (resource, index) in resources_of(registry, group, version).filter(|(resource, _)| resource.custom) {
        let schema = resource.schema(index).map(kro_schema::structural::Schema::to_json).unwrap_or_default();
        let names = [&resource.id.resource, &resource.kind, &resource.list_kind, &resource.singular];
        let version = &resource.versions[index];
        text.push_str(&format!("{names:?} {:?} {:?} {schema}", version.subresources, version.selectable_fields));
    }
    hash(text.as_bytes())
}

/// The name of a custom kind's schema: `org.example.v1.Mailbox`.
fn component_name(group: &str, version: &str, kind: &str) -> Str {
    let mut parts: Vec<&str> = group.split('.').rev().collect();
    parts.extend([version, kind]);
    parts.join(".").into()
}
