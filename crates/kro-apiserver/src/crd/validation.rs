//! What a CustomResourceDefinition must be.

use kro_apimachinery::{FieldError, names};
use kro_value::Value;

use super::condition;

const SCOPES: &[&str] = &["Cluster", "Namespaced"];

/// Everything that is wrong with a definition.
pub(crate) fn definition(object: &Value, live: Option<&Value>) -> Vec<FieldError> {
    let mut errors = names_errors(object);
    errors.extend(version_errors(object));
    if let Some(live) = live {
        errors.extend(change_errors(object, live));
    }
    errors
}

fn text<'a>(object: &'a Value, path: &[&str]) -> &'a str {
    object.str_at(path).unwrap_or_default()
}

fn names_errors(object: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let group = text(object, &["spec", "group"]);
    let plural = text(object, &["spec", "names", "plural"]);
    let name = text(object, &["metadata", "name"]);
    if name != format!("{plural}.{group}") {
        let detail = "must be spec.names.plural+\".\"+spec.group";
        errors.push(FieldError::invalid("metadata.name", &name.into(), detail));
    }
    if group.is_empty() {
        errors.push(FieldError::required("spec.group", ""));
    } else if !group.contains('.') {
        errors.push(FieldError::invalid("spec.group", &group.into(), "should be a domain with at least one dot"));
    }
    let scope = text(object, &["spec", "scope"]);
    if !SCOPES.contains(&scope) {
        errors.push(FieldError::not_supported("spec.scope", &scope.into(), SCOPES));
    }
    for key in ["plural", "singular"] {
        label(object, key, |name| name.to_owned(), &mut errors);
    }
    for key in ["kind", "listKind"] {
        label(object, key, str::to_lowercase, &mut errors);
    }
    let kind = text(object, &["spec", "names", "kind"]);
    if !kind.is_empty() && kind == text(object, &["spec", "names", "listKind"]) {
        let detail = "kind and listKind may not be the same";
        errors.push(FieldError::invalid("spec.names.listKind", &kind.into(), detail));
    }
    errors
}

fn label(object: &Value, key: &str, form: impl Fn(&str) -> String, errors: &mut Vec<FieldError>) {
    let name = text(object, &["spec", "names", key]);
    let field = format!("spec.names.{key}");
    if name.is_empty() {
        errors.push(FieldError::required(field, ""));
        return;
    }
    let problems = names::dns_1035_label_errors(&form(name));
    if !problems.is_empty() {
        errors.push(FieldError::invalid(field, &name.into(), problems.join(",")));
    }
}

fn version_errors(object: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let versions = object.at(&["spec", "versions"]).and_then(Value::as_list).unwrap_or_default();
    let storing =
        versions.iter().filter(|version| version.get("storage").and_then(Value::as_bool) == Some(true)).count();
    if versions.is_empty() {
        errors.push(FieldError::required("spec.versions", ""));
    } else if storing != 1 {
        let value = Value::from(versions.to_vec());
        errors.push(FieldError::invalid(
            "spec.versions",
            &value,
            "must have exactly one version marked as storage version",
        ));
    }
    let mut seen: Vec<&str> = Vec::new();
    for (index, version) in versions.iter().enumerate() {
        let name = text(version, &["name"]);
        let field = format!("spec.versions[{index}]");
        let problems = names::dns_1035_label_errors(name);
        if !problems.is_empty() {
            errors.push(FieldError::invalid(format!("{field}.name"), &name.into(), problems.join(",")));
        }
        if seen.contains(&name) {
            errors.push(FieldError::duplicate(format!("{field}.name"), &name.into()));
        }
        seen.push(name);
        let schema = version.at(&["schema", "openAPIV3Schema"]);
        let place = if versions.len() == 1 { "spec.validation".to_owned() } else { format!("{field}.schema") };
        match schema {
            None | Some(Value::Null) => {
                errors.push(FieldError::required(format!("{field}.schema.openAPIV3Schema"), "schemas are required"));
            }
            Some(schema) => schema_errors(schema, &format!("{place}.openAPIV3Schema"), true, &mut errors),
        }
    }
    errors
}

/// The rules for structural schemas that mistakes break most often.
fn schema_errors(schema: &Value, field: &str, is_root: bool, errors: &mut Vec<FieldError>) {
    let flag = |key: &str| schema.get(key).and_then(Value::as_bool) == Some(true);
    let kind = text(schema, &["type"]);
    let is_free = flag("x-kubernetes-int-or-string") || flag("x-kubernetes-preserve-unknown-fields");
    if kind.is_empty() && (is_root || !is_free) {
        let detail =
            if is_root { "must not be empty at the root" } else { "must not be empty for specified object fields" };
        errors.push(FieldError::required(format!("{field}.type"), detail));
    } else if is_root && kind != "object" {
        errors.push(FieldError::invalid(format!("{field}.type"), &kind.into(), "must be object at the root"));
    }
    let supported = ["array", "boolean", "integer", "number", "object", "string"];
    if !kind.is_empty() && !supported.contains(&kind) {
        errors.push(FieldError::not_supported(format!("{field}.type"), &kind.into(), &supported));
    }
    if kind == "array" && schema.get("items").is_none() {
        errors.push(FieldError::required(format!("{field}.items"), "must be specified"));
    }
    if schema.get("properties").is_some() && schema.get("additionalProperties").is_some() {
        let detail = "additionalProperties and properties are mutual exclusive";
        errors.push(FieldError::forbidden(format!("{field}.additionalProperties"), detail));
    }
    for key in ["definitions", "dependencies", "patternProperties", "additionalItems"] {
        if schema.get(key).is_some() {
            errors.push(FieldError::forbidden(format!("{field}.{key}"), format!("{key} is not supported")));
        }
    }
    for (name, property) in schema.get("properties").and_then(Value::as_map).into_iter().flatten() {
        let is_metadata = is_root && matches!(name.as_str(), "metadata" | "kind" | "apiVersion");
        if !is_metadata {
            schema_errors(property, &format!("{field}.properties[{name}]"), false, errors);
        }
    }
    for key in ["items", "additionalProperties"] {
        if let Some(inner) = schema.get(key).filter(|inner| inner.as_map().is_some()) {
            schema_errors(inner, &format!("{field}.{key}"), false, errors);
        }
    }
}

fn change_errors(object: &Value, live: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut fixed = vec![&["spec", "group"][..], &["spec", "names", "plural"]];
    if condition(live, "Established") == Some("True") {
        fixed.extend([&["spec", "scope"][..], &["spec", "names", "kind"]]);
    }
    for path in fixed {
        let value = object.at(path).cloned().unwrap_or_default();
        if value != live.at(path).cloned().unwrap_or_default() {
            errors.push(FieldError::invalid(path.join("."), &value, "field is immutable"));
        }
    }
    let versions = object.at(&["spec", "versions"]).and_then(Value::as_list).unwrap_or_default();
    let has = |name: &str| versions.iter().any(|version| text(version, &["name"]) == name);
    for (index, stored) in super::texts(object.at(&["status", "storedVersions"])).iter().enumerate() {
        if !has(stored) {
            let detail = format!(
                "missing from spec.versions; {stored} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in {stored} and removes {stored} from status.storedVersions"
            );
            let field = format!("status.storedVersions[{index}]");
            errors.push(FieldError::invalid(field, &stored.clone().into(), detail));
        }
    }
    errors
}
