//! What a CustomResourceDefinition must be.

mod columns;

use std::collections::BTreeSet;

use kro_apimachinery::validation::structural_errors;
use kro_apimachinery::{FieldError, FieldErrorKind, names};
use kro_schema::structural::Schema;
use kro_value::{Str, Value};

use super::condition;

const SCOPES: &[&str] = &["Cluster", "Namespaced"];

/// Everything that is wrong with a definition.
pub(crate) fn definition(object: &Value, live: Option<&Value>) -> Vec<FieldError> {
    let mut errors = names_errors(object, live.is_none());
    errors.extend(version_errors(object));
    if let Some(live) = live {
        errors.extend(change_errors(object, live));
    }
    errors
}

/// Formats of the schemas that nobody checks.
pub(crate) fn unknown_formats(object: &Value) -> BTreeSet<Str> {
    const KNOWN: &[&str] = &[
        "bsonobjectid",
        "uri",
        "email",
        "hostname",
        "ipv4",
        "ipv6",
        "cidr",
        "mac",
        "uuid",
        "uuid3",
        "uuid4",
        "uuid5",
        "isbn",
        "isbn10",
        "isbn13",
        "creditcard",
        "ssn",
        "hexcolor",
        "rgbcolor",
        "byte",
        "password",
        "date",
        "duration",
        "datetime",
        "date-time",
        "int32",
        "int64",
        "float",
        "double",
        "k8s-short-name",
        "k8s-long-name",
    ];
    fn walk(schema: &Value, found: &mut BTreeSet<Str>) {
        match schema {
            Value::Map(map) => {
                for (key, value) in map {
                    match value.as_str() {
                        Some(format) if key == "format" && !format.is_empty() && !KNOWN.contains(&format) => {
                            found.insert(Str::new(format));
                        }
                        _ => walk(value, found),
                    }
                }
            }
            Value::List(items) => items.iter().for_each(|item| walk(item, found)),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    let versions = object.at(&["spec", "versions"]).and_then(Value::as_list).unwrap_or_default();
    versions.iter().filter_map(|version| version.get("schema")).for_each(|schema| walk(schema, &mut found));
    found
}

fn text<'a>(object: &'a Value, path: &[&str]) -> &'a str {
    object.str_at(path).unwrap_or_default()
}

fn names_errors(object: &Value, is_new: bool) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let group = text(object, &["spec", "group"]);
    let plural = text(object, &["spec", "names", "plural"]);
    let name = text(object, &["metadata", "name"]);
    if is_new && name != format!("{plural}.{group}") {
        let detail = "must be spec.names.plural+\".\"+spec.group";
        errors.push(FieldError::invalid("metadata.name", &name.into(), detail));
    }
    if group.is_empty() {
        errors.push(FieldError::required("spec.group", ""));
    } else if !group.contains('.') {
        errors.push(FieldError::invalid("spec.group", &group.into(), "should be a domain with at least one dot"));
    }
    let scope = text(object, &["spec", "scope"]);
    if scope.is_empty() {
        errors.push(FieldError::required("spec.scope", ""));
    } else if !SCOPES.contains(&scope) {
        errors.push(FieldError::not_supported("spec.scope", &scope.into(), SCOPES));
    }
    conversion(object, &mut errors);
    for key in ["plural", "singular"] {
        label(object, key, false, &mut errors);
    }
    for key in ["kind", "listKind"] {
        label(object, key, true, &mut errors);
    }
    for key in ["shortNames", "categories"] {
        for (index, name) in super::texts(object.at(&["spec", "names", key])).iter().enumerate() {
            let problems = names::dns_1035_label_errors(name);
            if !problems.is_empty() {
                let field = format!("spec.names.{key}[{index}]");
                errors.push(FieldError::invalid(field, &name.clone().into(), problems.join(",")));
            }
        }
    }
    if object.at(&["spec", "preserveUnknownFields"]).and_then(Value::as_bool) == Some(true) {
        let detail =
            "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead";
        errors.push(FieldError::invalid("spec.preserveUnknownFields", &true.into(), detail));
    }
    let kind = text(object, &["spec", "names", "kind"]);
    if !kind.is_empty() && kind == text(object, &["spec", "names", "listKind"]) {
        let detail = "kind and listKind may not be the same";
        errors.push(FieldError::invalid("spec.names.listKind", &kind.into(), detail));
    }
    errors
}

/// How objects get from one version to another: only by their names here, though others may be said.
fn conversion(object: &Value, errors: &mut Vec<FieldError>) {
    let conversion = object.at(&["spec", "conversion"]).cloned().unwrap_or_default();
    let strategy = conversion.str_at(&["strategy"]).unwrap_or("None");
    let field = "spec.conversion";
    match strategy {
        "None" => {
            if conversion.get("webhook").is_some() {
                let detail = "should not be set when strategy is not set to Webhook";
                errors.push(FieldError::forbidden(format!("{field}.webhookClientConfig"), detail));
            }
        }
        "Webhook" => {
            if conversion.at(&["webhook", "clientConfig"]).is_none() {
                let detail = "required when strategy is set to Webhook";
                errors.push(FieldError::required(format!("{field}.webhookClientConfig"), detail));
            }
            if super::texts(conversion.at(&["webhook", "conversionReviewVersions"])).is_empty() {
                errors.push(FieldError::required(format!("{field}.conversionReviewVersions"), ""));
            }
        }
        other => {
            let supported = ["None", "Webhook"];
            errors.push(FieldError::not_supported(format!("{field}.strategy"), &other.into(), &supported));
        }
    }
}

fn label(object: &Value, key: &str, is_mixed: bool, errors: &mut Vec<FieldError>) {
    let name = text(object, &["spec", "names", key]);
    let field = format!("spec.names.{key}");
    if name.is_empty() {
        errors.push(FieldError::required(field, ""));
        return;
    }
    let form = if is_mixed { name.to_lowercase() } else { name.to_owned() };
    let problems = names::dns_1035_label_errors(&form).join(",");
    if !problems.is_empty() {
        let hint = if is_mixed { "may have mixed case, but should otherwise match: " } else { "" };
        errors.push(FieldError::invalid(field, &name.into(), format!("{hint}{problems}")));
    }
}

fn version_errors(object: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let versions = object.at(&["spec", "versions"]).and_then(Value::as_list).unwrap_or_default();
    let stores = |version: &&Value| version.get("storage").and_then(Value::as_bool) == Some(true);
    let is_single = versions.len() == 1;
    for (index, version) in versions.iter().enumerate() {
        let field = format!("spec.versions[{index}]");
        let name = text(version, &["name"]);
        let problems = names::dns_1035_label_errors(name);
        if !problems.is_empty() {
            errors.push(FieldError::invalid(format!("{field}.name"), &name.into(), problems.join(",")));
            if is_single {
                errors.push(FieldError::invalid("spec.version", &name.into(), problems.join(",")));
            }
        }
        if versions[..index].iter().any(|other| text(other, &["name"]) == name) {
            errors.push(FieldError::invalid(format!("{field}.name"), &name.into(), "must be unique"));
        }
        // The reference hoists what all versions share.
        let place = if is_single { "spec".to_owned() } else { field.clone() };
        errors.extend(columns::errors(version, &place));
        let Some(schema) = version.at(&["schema", "openAPIV3Schema"]).filter(|schema| !schema.is_null()) else {
            errors.push(FieldError::required(format!("{field}.schema.openAPIV3Schema"), ""));
            continue;
        };
        let place = if is_single { "spec.validation".to_owned() } else { format!("{field}.schema") };
        let place = format!("{place}.openAPIV3Schema");
        let structure = structural_errors(schema, &place);
        let rules = crate::rules::definition_errors(&Schema::from_json(schema), &place, structure.is_empty());
        errors.extend(structure);
        errors.extend(rules);
    }
    if versions.iter().filter(stores).count() != 1 {
        let detail = "must have exactly one version marked as storage version";
        let error = FieldError::new(FieldErrorKind::Invalid, "spec.versions", detail);
        errors.push(FieldError { value: Some(go_versions(versions)), ..error });
    }
    if !versions.iter().any(|version| stores(&version)) {
        errors.push(FieldError::invalid(
            "status.storedVersions",
            &Value::Null,
            "must have at least one stored version",
        ));
    }
    errors
}

/// The list of versions as Go prints it in JSON; what one version alone says was hoisted away.
fn go_versions(versions: &[Value]) -> String {
    let flag = |version: &Value, key: &str| version.get(key).and_then(Value::as_bool).unwrap_or_default();
    let print = |version: &Value| {
        format!(
            "{{\"Name\":{},\"Served\":{},\"Storage\":{},\"Deprecated\":{},\"DeprecationWarning\":null,\"Schema\":null,\"Subresources\":null,\"AdditionalPrinterColumns\":null,\"SelectableFields\":null}}",
            kro_value::to_json(&text(version, &["name"]).into()),
            flag(version, "served"),
            flag(version, "storage"),
            flag(version, "deprecated"),
        )
    };
    format!("[{}]", versions.iter().map(print).collect::<Vec<_>>().join(","))
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
