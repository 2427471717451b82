//! Which groups, versions and resources there are.

mod aggregated;
mod legacy;

use std::sync::Arc;

use kro_value::{Str, Value, to_json};
use sha2::{Digest, Sha512};

use crate::crd::definition::{TERMINATING_VERBS, priority};
use crate::negotiation::clauses;
use crate::registry::Registry;
use crate::route::Route;
use crate::{Headers, Resource, Response};

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// Answers a discovery request; `None` when there is no such group or version.
pub(crate) fn respond(registry: &Registry, route: &Route, headers: &Headers) -> Option<Response> {
    let aggregated = wants_aggregated(headers);
    if matches!(route, Route::CoreVersions | Route::Groups) && wants_older(headers) {
        return Some(crate::handler::failure(&crate::negotiation::not_acceptable(&clauses(headers.get("Accept")))));
    }
    let value = match route {
        Route::CoreVersions if aggregated => return Some(aggregate(registry, true, headers)),
        Route::Groups if aggregated => return Some(aggregate(registry, false, headers)),
        Route::CoreVersions => legacy::core_versions(),
        Route::Groups => legacy::groups(registry),
        Route::Group(group) => legacy::group(registry, group)?,
        Route::GroupVersion { group, version } => legacy::resources(registry, group, version)?,
        _ => return None,
    };
    Some(Response::json(200, &value))
}

fn wants_aggregated(headers: &Headers) -> bool {
    let clauses = clauses(headers.get("Accept"));
    let first = clauses.iter().find(|clause| clause.takes_json());
    first.is_some_and(|clause| {
        clause.parameter("g") == Some("apidiscovery.k8s.io")
            && clause.parameter("v") == Some("v2")
            && clause.parameter("as") == Some("APIGroupDiscoveryList")
    })
}

/// True when only an older form of the aggregated document will do.
fn wants_older(headers: &Headers) -> bool {
    let clauses = clauses(headers.get("Accept"));
    !clauses.is_empty()
        && clauses.iter().all(|clause| {
            clause.parameter("as") == Some("APIGroupDiscoveryList") && clause.parameter("v") != Some("v2")
        })
}

fn aggregate(registry: &Registry, core: bool, headers: &Headers) -> Response {
    let text = to_json(&aggregated::document(registry, core));
    let etag = format!("\"{}\"", hash(text.as_bytes()));
    let mut response = if headers.get("If-None-Match") == Some(etag.as_str()) {
        Response::new(304, AGGREGATED, "")
    } else {
        Response::new(200, AGGREGATED, text)
    };
    response.headers.set("Cache-Control", "public");
    response.with_header("ETag", etag).with_header("Vary", "Accept")
}

/// The SHA-512 of a document in upper-case hexadecimal.
pub(crate) fn hash(text: &[u8]) -> String {
    Sha512::digest(text).iter().map(|byte| format!("{byte:02X}")).collect()
}

/// The groups in the order of discovery, each with its versions, preferred first.
pub(crate) fn groups(registry: &Registry) -> Vec<(Str, Vec<Str>)> {
    let mut groups: Vec<(Str, Vec<Str>)> = Vec::new();
    for resource in registry.iter() {
        let group = &resource.id.group;
        let index = groups.iter().position(|(known, _)| known == group).unwrap_or_else(|| {
            groups.push((group.clone(), Vec::new()));
            groups.len() - 1
        });
        for version in resource.versions.iter().filter(|version| version.served) {
            if !groups[index].1.contains(&version.name) {
                groups[index].1.push(version.name.clone());
            }
        }
    }
    for (_, versions) in &mut groups {
        versions.sort_by_key(|name| std::cmp::Reverse(priority(name)));
    }
    groups.retain(|(_, versions)| !versions.is_empty());
    groups
}

/// The resources of a group at a version, each with the index of the version.
pub(crate) fn resources_of<'a>(
    registry: &'a Registry,
    group: &'a str,
    version: &'a str,
) -> impl Iterator<Item = (&'a Arc<Resource>, usize)> {
    let of_group = registry.iter().filter(move |resource| resource.id.group == group);
    of_group.filter_map(move |resource| Some((resource, resource.version(version)?)))
}

fn strings(items: &[Str]) -> Value {
    items.iter().map(|item| Value::from(item.clone())).collect()
}

/// The verbs that a resource shows.
fn verbs(resource: &Resource) -> Value {
    if resource.terminating {
        return TERMINATING_VERBS.iter().map(|verb| Value::from(*verb)).collect();
    }
    strings(&resource.verbs)
}

/// A subresource as both kinds of discovery show it.
struct ShownSubresource {
    name: Str,
    group: Str,
    version: Str,
    kind: Str,
    verbs: Vec<Str>,
}

/// Group and version are empty where they are those of the resource.
fn subresources(resource: &Resource, version: usize) -> Vec<ShownSubresource> {
    let name = &resource.versions[version].name;
    let builtin = kro_schema::builtin::resource_of_kind(&resource.id.group, name, &resource.kind);
    if let Some(row) = builtin.filter(|_| !resource.custom) {
        let show = |row: &kro_schema::builtin::Subresource| ShownSubresource {
            name: row.name.clone(),
            group: row.group.clone().unwrap_or_default(),
            version: row.version.clone().unwrap_or_default(),
            kind: row.kind.clone(),
            verbs: row.verbs.clone(),
        };
        return row.subresources.iter().map(show).collect();
    }
    let verbs: Vec<Str> = ["get", "patch", "update"].map(Str::new_static).to_vec();
    let show = |name: &Str| {
        let scale = name == "scale";
        ShownSubresource {
            name: name.clone(),
            group: if scale { Str::new_static("autoscaling") } else { Str::default() },
            version: if scale { Str::new_static("v1") } else { Str::default() },
            kind: if scale { Str::new_static("Scale") } else { resource.kind.clone() },
            verbs: verbs.clone(),
        }
    };
    let mut shown: Vec<_> = resource.versions[version].subresources.iter().map(show).collect();
    shown.sort_by_key(|subresource| std::cmp::Reverse(subresource.name.clone())); // status before scale
    shown
}
