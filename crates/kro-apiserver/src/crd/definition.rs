//! What a definition serves.

use std::sync::OnceLock;

use kro_schema::structural::Schema;
use kro_value::{Str, Value, format_smolstr};

use super::{condition, texts};
use crate::resource::{PrinterColumn, ScalePaths, Version};
use crate::{GroupResource, Resource};

const VERBS: &[&str] = &["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];
/// What discovery shows of a definition that is being deleted.
pub(crate) const TERMINATING_VERBS: &[&str] = &["delete", "deletecollection", "get", "list", "watch"];

/// The resource of a definition under its accepted names; `None` before it has any.
pub(crate) fn resource(definition: &Value, revision: u64) -> Option<Resource> {
    let holds = |name: &str| condition(definition, name) == Some("True");
    if !holds("NamesAccepted") && !holds("Established") {
        return None;
    }
    let spec = definition.get("spec")?;
    let names = definition.at(&["status", "acceptedNames"])?;
    let group = text(spec, "group");
    let kind = text(names, "kind");
    let mut versions: Vec<(Version, bool)> = versions(spec, &group, &kind);
    versions.sort_by_key(|(version, _)| std::cmp::Reverse(priority(&version.name)));
    let storage = versions.iter().position(|(_, stores)| *stores)?;
    let is_terminating = definition.str_at(&["metadata", "deletionTimestamp"]).is_some();
    Some(Resource {
        id: GroupResource { group, resource: text(names, "plural") },
        list_kind: text(names, "listKind"),
        singular: text(names, "singular"),
        namespaced: spec.str_at(&["scope"]) == Some("Namespaced"),
        short_names: texts(names.get("shortNames")),
        categories: texts(names.get("categories")),
        verbs: VERBS.iter().map(|verb| Str::new_static(verb)).collect(),
        versions: versions.into_iter().map(|(version, _)| version).collect(),
        storage,
        custom: true,
        terminating: is_terminating,
        revision,
        kind,
    })
}

/// The versions, each with whether objects are stored in it.
fn versions(spec: &Value, group: &str, kind: &str) -> Vec<(Version, bool)> {
    let list = spec.get("versions").and_then(Value::as_list).unwrap_or_default();
    let preferred = list
        .iter()
        .filter(|version| flag(version, "served") && !flag(version, "deprecated"))
        .map(|version| text(version, "name"))
        .max_by_key(|name| priority(name));
    // Nobody is sent to an older version.
    let better = |entry: &Value| {
        let name = text(entry, "name");
        preferred.clone().filter(|preferred| priority(preferred) > priority(&name))
    };
    let whole = |entry| (version(entry, group, kind, better(entry).as_deref()), flag(entry, "storage"));
    list.iter().map(whole).collect()
}

fn version(entry: &Value, group: &str, kind: &str, preferred: Option<&str>) -> Version {
    let subresources = entry.get("subresources").and_then(Value::as_map);
    let name = text(entry, "name");
    let own_warning = entry.str_at(&["deprecationWarning"]).map(Str::new);
    let default_warning = || match preferred {
        Some(preferred) => format_smolstr!("{group}/{name} {kind} is deprecated; use {group}/{preferred} {kind}"),
        None => format_smolstr!("{group}/{name} {kind} is deprecated"),
    };
    let columns = entry.get("additionalPrinterColumns").and_then(Value::as_list).unwrap_or_default();
    let selectable = entry.get("selectableFields").and_then(Value::as_list).unwrap_or_default();
    Version {
        served: flag(entry, "served"),
        schema: entry.at(&["schema", "openAPIV3Schema"]).map(Schema::from_json),
        subresources: subresources.into_iter().flatten().map(|(name, _)| name.clone()).collect(),
        scale: subresources.and_then(|map| map.get("scale")).map(scale),
        columns: columns.iter().map(column).collect(),
        selectable_fields: selectable.iter().map(|field| text(field, "jsonPath")).collect(),
        deprecation: if flag(entry, "deprecated") {
            own_warning.unwrap_or_else(default_warning)
        } else {
            Str::default()
        },
        structure: OnceLock::new(),
        rules: OnceLock::new(),
        name,
    }
}

fn scale(scale: &Value) -> ScalePaths {
    ScalePaths {
        spec_replicas: text(scale, "specReplicasPath"),
        status_replicas: text(scale, "statusReplicasPath"),
        label_selector: text(scale, "labelSelectorPath"),
    }
}

fn column(column: &Value) -> PrinterColumn {
    PrinterColumn {
        name: text(column, "name"),
        value_type: text(column, "type"),
        format: text(column, "format"),
        description: text(column, "description"),
        priority: column.get("priority").and_then(Value::as_i64).unwrap_or_default(),
        json_path: text(column, "jsonPath"),
    }
}

/// Sorts versions as Kubernetes does: stable before beta before alpha, higher numbers first, others last.
pub(crate) fn priority(name: &str) -> (u8, u64, u64, std::cmp::Reverse<Str>) {
    let parsed = parse_version(name);
    let rest = std::cmp::Reverse(Str::new(name));
    match parsed {
        Some((major, "", _)) => (3, major, 0, rest),
        Some((major, "beta", minor)) => (2, major, minor, rest),
        Some((major, _, minor)) => (1, major, minor, rest),
        None => (0, 0, 0, rest),
    }
}

/// `v2beta3` as `(2, "beta", 3)`.
fn parse_version(name: &str) -> Option<(u64, &str, u64)> {
    let rest = name.strip_prefix('v')?;
    let digits = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
    let (major, rest) = rest.split_at(digits);
    let major = major.parse().ok()?;
    if rest.is_empty() {
        return Some((major, "", 0));
    }
    let stage = ["alpha", "beta"].into_iter().find(|stage| rest.starts_with(stage))?;
    Some((major, stage, rest[stage.len()..].parse().ok()?))
}

fn text(value: &Value, key: &str) -> Str {
    value.str_at(&[key]).map(Str::new).unwrap_or_default()
}

fn flag(value: &Value, key: &str) -> bool {
    value.get(key).and_then(Value::as_bool).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_sorted_as_kubernetes_sorts() {
        let mut names =
            ["foo10", "v1alpha1", "v2", "v11beta2", "v10", "v1", "foo1", "v3beta1", "v11alpha2", "v12alpha1"];
        names.sort_by_key(|name| std::cmp::Reverse(priority(name)));
        let expected =
            ["v10", "v2", "v1", "v11beta2", "v3beta1", "v12alpha1", "v11alpha2", "v1alpha1", "foo1", "foo10"];
        assert_eq!(names, expected);
    }
}
