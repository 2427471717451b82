//! `spec.resources[]`: entries with `template` or `externalRef`, and plain manifests.

use foldhash::HashSet;
use kro_diagnostics::Diagnostic;
use kro_diagnostics::codes::shape as codes;
use kro_value::{FieldPath, Map, Str, Value, format_smolstr};

use super::reader::{Object, index_path, string, wrong_type};
use crate::definition::{Entry, Text};
use crate::names;
use crate::report::Report;

const KEYS: &[&str] = &["id", "template", "externalRef", "readyWhen", "includeWhen", "forEach"];
/// What may stand in a plain manifest without being part of the object.
const CONTROL_KEYS: &[&str] = &["id", "readyWhen", "includeWhen", "forEach"];

pub(super) fn read_all(report: &mut Report<'_>, entries: &[Value], path: &FieldPath) -> Vec<Entry> {
    let explicit = |entry: &Value| entry.get("id").and_then(Value::as_str).map(Str::new);
    let mut taken: HashSet<Str> = entries.iter().filter_map(explicit).collect();
    let mut result = Vec::with_capacity(entries.len());
    for (index, entry) in entries.iter().enumerate() {
        let path = index_path(path, index);
        if let Some(object) = Object::read(report, entry, &path) {
            result.push(read(report, &object, &mut taken));
        }
    }
    result
}

fn read(report: &mut Report<'_>, entry: &Object<'_>, taken: &mut HashSet<Str>) -> Entry {
    if is_manifest(entry.map) {
        return read_manifest(report, entry, taken);
    }
    entry.check_keys(report, KEYS);
    let id = entry.required_string(report, "id").map(|(id, _)| id).unwrap_or_default();
    let is_external = entry.get("externalRef").is_some();
    let key = if is_external { "externalRef" } else { "template" };
    let object = entry.get(key).cloned();
    check_combination(report, entry, &id);
    let object = match object {
        Some(object @ Value::Map(_)) if is_external => external_object(report, entry, &object),
        Some(object @ Value::Map(_)) => object,
        Some(other) => {
            wrong_type(report, &entry.at(key), "object", &other);
            Value::Null
        }
        None => Value::Null, // the rest of the entry is checked all the same
    };
    Entry { id, object, object_path: entry.at(key), is_external, ..conditions(report, entry) }
}

/// A plain manifest: no template and no reference, but what makes an object.
fn is_manifest(entry: &Map) -> bool {
    let has = |key| entry.contains_key(key);
    !has("template") && !has("externalRef") && (has("apiVersion") || has("kind") || has("metadata"))
}

fn read_manifest(report: &mut Report<'_>, entry: &Object<'_>, taken: &mut HashSet<Str>) -> Entry {
    let mut object = entry.map.clone();
    CONTROL_KEYS.iter().for_each(|key| drop(object.remove(key)));
    let object = Value::Map(object);
    let id = match entry.string(report, "id") {
        Some((id, _)) => id,
        None => free_id(&object, taken),
    };
    Entry { id, object, object_path: entry.path.clone(), ..conditions(report, entry) }
}

/// The derived id; where it is taken, with the namespace and at last with a number.
fn free_id(object: &Value, taken: &mut HashSet<Str>) -> Str {
    let text = |keys: &[&str]| object.str_at(keys).unwrap_or_default();
    let (kind, name) = (text(&["kind"]), literal(text(&["metadata", "name"])));
    let id = names::derive_id(kind, &name);
    let namespaced = format_smolstr!("{id}{}", names::camel(&literal(text(&["metadata", "namespace"]))));
    let numbered = (2_u32..).map(|number| format_smolstr!("{namespaced}{number}"));
    let mut candidates = [id, namespaced.clone()].into_iter().chain(numbered);
    candidates.find(|candidate| taken.insert(candidate.clone())).unwrap_or_default()
}

/// A string without its expressions.
fn literal(text: &str) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        result.push_str(&rest[..start]);
        result.push(' ');
        rest = rest[start..].find('}').map_or("", |end| &rest[start + end + 1..]);
    }
    result + rest
}

fn check_combination(report: &mut Report<'_>, entry: &Object<'_>, id: &str) {
    let has = |key| entry.get(key).is_some();
    let message = match (has("template"), has("externalRef"), has("forEach")) {
        (false, false, _) => "exactly one of template or externalRef must be provided",
        (true, true, _) => "cannot use externalRef with template",
        (false, true, true) => "cannot use externalRef with forEach",
        _ => return,
    };
    let message = format!("resource {id:?}: {message}");
    report.push(Diagnostic::error(codes::COMBINATION, message).about(id).at(entry.path.clone()));
}

/// The object that an external reference stands for: `{apiVersion, kind, metadata}` without empty fields.
fn external_object(report: &mut Report<'_>, entry: &Object<'_>, reference: &Value) -> Value {
    let path = entry.at("externalRef");
    let Some(reference) = Object::read(report, reference, &path) else { return Value::Null };
    reference.check_keys(report, &["apiVersion", "kind", "metadata"]);
    for key in ["apiVersion", "kind", "metadata"] {
        reference.required(report, key);
    }
    if let Some(metadata) = reference.object(report, "metadata") {
        metadata.check_keys(report, &["name", "namespace", "selector"]);
        check_identity(report, &metadata);
    }
    let mut object = reference.map.clone();
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_map_mut) {
        metadata.retain(|key, value| !value.is_null() && (key == "selector" || value.as_str() != Some("")));
    }
    object.into()
}

/// The rules of a reference; the types of its values are checked with the templates.
fn check_identity(report: &mut Report<'_>, metadata: &Object<'_>) {
    let has_name = metadata.get("name").is_some_and(|name| name.as_str() != Some(""));
    if has_name == metadata.get("selector").is_some() {
        report.error(codes::EXTERNAL_IDENTITY, &metadata.path, "exactly one of name or selector must be provided");
    }
    let Some(Value::Map(selector)) = metadata.get("selector") else { return };
    let selector = Object { map: selector, path: metadata.at("selector") };
    let requirements = selector.get("matchExpressions").and_then(Value::as_list).unwrap_or_default();
    let path = selector.at("matchExpressions");
    for (index, requirement) in requirements.iter().enumerate() {
        if let Some(operator) = requirement.str_at(&["operator"]) {
            check_operator(report, operator, &index_path(&path, index).field("operator"));
        }
    }
}

fn check_operator(report: &mut Report<'_>, operator: &str, path: &FieldPath) {
    let known = ["In", "NotIn", "Exists", "DoesNotExist"];
    if !operator.contains("${") && !known.contains(&operator) {
        let message = format!("{operator:?} is not a valid label selector operator");
        let help = format!("one of {}", known.join(", "));
        report.push(Diagnostic::error(codes::EXTERNAL_IDENTITY, message).at(path.clone()).help(help));
    }
}

/// An entry without an object, with the conditions and loops of an entry.
fn conditions(report: &mut Report<'_>, entry: &Object<'_>) -> Entry {
    let mut texts = |key| {
        let strings = entry.strings(report, key);
        strings.into_iter().map(|(text, path)| Text { text, path }).collect()
    };
    Entry {
        id: Str::default(),
        path: entry.path.clone(),
        object: Value::Null,
        object_path: entry.path.clone(),
        is_external: false,
        ready_when: texts("readyWhen"),
        include_when: texts("includeWhen"),
        for_each: dimensions(report, entry),
    }
}

fn dimensions(report: &mut Report<'_>, entry: &Object<'_>) -> Vec<(Str, Text)> {
    let (items, path) = entry.list(report, "forEach");
    let mut dimensions = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let path = index_path(&path, index);
        let Some(object) = Object::read(report, item, &path) else { continue };
        if object.map.len() != 1 {
            let message = format!("each forEach entry must have exactly one iterator, got {}", object.map.len());
            report.error(codes::FOR_EACH, &path, message);
        }
        for (name, value) in object.map {
            let path = object.at(name);
            dimensions.extend(string(report, value, &path).map(|text| (name.clone(), Text { text, path })));
        }
    }
    dimensions
}
