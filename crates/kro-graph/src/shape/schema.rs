//! `spec.schema`.

use kro_api::metadata::{INTERNAL_PREFIX, PREFIX};
use kro_diagnostics::Diagnostic;
use kro_diagnostics::codes::shape as codes;
use kro_value::{FieldPath, Map, Str, Value};

use super::reader::{Object, index_path, wrong_type};
use crate::definition::SchemaBlock;
use crate::names;
use crate::report::Report;

const KEYS: &[&str] = &[
    "kind",
    "apiVersion",
    "group",
    "scope",
    "spec",
    "types",
    "status",
    "additionalPrinterColumns",
    "shortNames",
    "categories",
    "metadata",
];
const KIND_BYTES_MAX: usize = 63;
const ALIASES_MAX: usize = 32;
/// The types that the API server takes for a printer column.
const COLUMN_TYPES: &[&str] = &["integer", "number", "string", "boolean", "date"];
/// The formats.
const COLUMN_FORMATS: &[&str] = &["int32", "int64", "float", "double", "byte", "date", "date-time", "password"];

pub(super) fn read(report: &mut Report<'_>, block: &Object<'_>) -> SchemaBlock {
    block.check_keys(report, KEYS);
    let metadata = block.object(report, "metadata");
    if let Some(metadata) = &metadata {
        metadata.check_keys(report, &["labels", "annotations"]);
    }
    let mut meta = |key| metadata.as_ref().map_or(Value::Null, |object| string_map(report, object, key));
    let (labels, annotations) = (meta("labels"), meta("annotations"));
    SchemaBlock {
        kind: kind(report, block),
        version: version(report, block),
        group: group(report, block),
        namespaced: is_namespaced(report, block),
        status: free_form(report, block, "status"),
        printer_columns: printer_columns(report, block),
        short_names: aliases(report, block, "shortNames"),
        categories: aliases(report, block, "categories"),
        labels,
        annotations,
    }
}

fn kind(report: &mut Report<'_>, block: &Object<'_>) -> Str {
    let Some((kind, path)) = block.required_string(report, "kind") else { return Str::default() };
    if !names::is_upper_camel(&kind) {
        let message =
            format!("naming convention violation: kind '{kind}' is not a valid KRO kind name: must be UpperCamelCase");
        let mut diagnostic = Diagnostic::error(codes::KIND, message).at(path);
        let better = names::camel(&kind);
        if names::is_upper_camel(&better) {
            diagnostic = diagnostic.help(format!("write {better:?}"));
        }
        report.push(diagnostic);
    } else if kind.len() > KIND_BYTES_MAX {
        let message = format!("kind '{kind}' has {} characters, at most {KIND_BYTES_MAX} are allowed", kind.len());
        report.error(codes::KIND, &path, message);
    }
    kind
}

fn version(report: &mut Report<'_>, block: &Object<'_>) -> Str {
    let Some((version, path)) = block.required_string(report, "apiVersion") else { return Str::default() };
    if !names::is_version(&version) {
        let message = format!("schema.apiVersion {version:?} is not a version such as v1, v1alpha1 or v2beta3");
        let mut diagnostic = Diagnostic::error(codes::API, message).at(path);
        if let Some((group, version)) = version.split_once('/') {
            diagnostic = diagnostic.help(format!("write group: {group} and apiVersion: {version}"));
        }
        report.push(diagnostic);
    }
    version
}

fn group(report: &mut Report<'_>, block: &Object<'_>) -> Str {
    match block.string(report, "group") {
        Some((group, path)) if !group.is_empty() => {
            if !names::is_dns_1123_subdomain(&group) {
                report.error(codes::API, &path, format!("schema.group {group:?} is not a DNS subdomain"));
            }
            group
        }
        _ => Str::new_static(kro_api::GROUP),
    }
}

fn is_namespaced(report: &mut Report<'_>, block: &Object<'_>) -> bool {
    match block.string(report, "scope") {
        Some((scope, path)) if !matches!(scope.as_str(), "Namespaced" | "Cluster" | "") => {
            let message = format!("schema.scope must be Namespaced or Cluster, got {scope:?}");
            report.error(codes::API, &path, message);
            true
        }
        Some((scope, _)) => scope != "Cluster",
        None => true,
    }
}

fn free_form(report: &mut Report<'_>, block: &Object<'_>, key: &str) -> Value {
    match block.get(key) {
        Some(value @ Value::Map(_)) => value.clone(),
        Some(other) => {
            wrong_type(report, &block.at(key), "object", other);
            Value::Null
        }
        None => Value::Null,
    }
}

fn printer_columns(report: &mut Report<'_>, block: &Object<'_>) -> Vec<Value> {
    let (items, path) = block.list(report, "additionalPrinterColumns");
    for (index, item) in items.iter().enumerate() {
        let Some(column) = Object::read(report, item, &index_path(&path, index)) else { continue };
        column.check_keys(report, &["name", "type", "jsonPath", "description", "format", "priority"]);
        column.required_string(report, "name");
        column.required_string(report, "jsonPath");
        let kind = column.required_string(report, "type");
        check_column(report, kind, "type", COLUMN_TYPES);
        let format = column.string(report, "format").filter(|(format, _)| !format.is_empty());
        check_column(report, format, "format", COLUMN_FORMATS);
        column.string(report, "description");
        if let Some(priority) = column.get("priority")
            && priority.as_i64().and_then(|number| i32::try_from(number).ok()).is_none()
        {
            wrong_type(report, &column.at("priority"), "integer", priority);
        }
    }
    items.to_vec()
}

fn check_column(report: &mut Report<'_>, given: Option<(Str, FieldPath)>, what: &str, known: &[&str]) {
    if let Some((word, path)) = given.filter(|(word, _)| !known.contains(&word.as_str())) {
        let message = format!("the {what} of a printer column must be one of {}, got {word:?}", known.join(", "));
        report.error(codes::API, &path, message);
    }
}

/// Short names or categories: unique RFC 1035 labels.
fn aliases(report: &mut Report<'_>, block: &Object<'_>, key: &str) -> Vec<Str> {
    let mut aliases: Vec<Str> = Vec::new();
    for (alias, path) in block.strings(report, key) {
        if !names::is_dns_1035_label(&alias) {
            let message =
                format!("{key} entry {alias:?} must be at most 63 of a-z, 0-9 and '-', a letter first, no '-' last");
            report.error(codes::ALIAS, &path, message);
        } else if aliases.contains(&alias) {
            report.error(codes::ALIAS, &path, format!("{key} has {alias:?} twice"));
        }
        aliases.push(alias);
    }
    if aliases.len() > ALIASES_MAX {
        let message = format!("{key} has {} entries, at most {ALIASES_MAX} are allowed", aliases.len());
        report.error(codes::ALIAS, &block.at(key), message);
    }
    aliases
}

/// Labels or annotations for the CRD.
fn string_map(report: &mut Report<'_>, object: &Object<'_>, key: &str) -> Value {
    let Some(entries) = object.object(report, key) else { return Value::Null };
    let mut result = Map::new();
    for (name, value) in entries.map {
        let path = entries.at(name);
        warn_of_reserved_prefix(report, name, &path);
        match value {
            Value::String(_) => drop(result.insert(name.clone(), value.clone())),
            other => wrong_type(report, &path, "string", other),
        }
    }
    result.into()
}

fn warn_of_reserved_prefix(report: &mut Report<'_>, name: &str, path: &FieldPath) {
    if let Some(prefix) = [PREFIX, INTERNAL_PREFIX].into_iter().find(|prefix| name.starts_with(prefix)) {
        let message = format!("keys with prefix {prefix:?} are reserved for internal use: kro's own values win");
        report.push_key(Diagnostic::warning(codes::RESERVED_KEY, message).at(path.clone()));
    }
}
