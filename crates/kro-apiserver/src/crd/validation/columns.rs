//! What a version says besides its schema: columns, selectable fields, scale.

use kro_apimachinery::FieldError;
use kro_schema::structural::{Schema, SchemaType};
use kro_value::Value;

use super::text;

const TYPES: &[&str] = &["boolean", "date", "integer", "number", "string"];
const FORMATS: &[&str] = &["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];
const SELECTABLE_MAX: usize = 8;

/// Everything that is wrong with them; `place` is `spec` or one of `spec.versions`.
pub(super) fn errors(version: &Value, place: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let list = |key: &str| version.get(key).and_then(Value::as_list).unwrap_or_default();
    for (index, column) in list("additionalPrinterColumns").iter().enumerate() {
        column_errors(column, &format!("{place}.additionalPrinterColumns[{index}]"), &mut errors);
    }
    selectable_errors(version, list("selectableFields"), &format!("{place}.selectableFields"), &mut errors);
    if let Some(scale) = version.at(&["subresources", "scale"]) {
        scale_errors(scale, &format!("{place}.subresources.scale"), &mut errors);
    }
    errors
}

fn column_errors(column: &Value, field: &str, errors: &mut Vec<FieldError>) {
    if text(column, &["name"]).is_empty() {
        errors.push(FieldError::required(format!("{field}.name"), ""));
    }
    let kind = text(column, &["type"]);
    if kind.is_empty() {
        errors.push(FieldError::required(format!("{field}.type"), format!("must be one of {}", TYPES.join(","))));
    } else if !TYPES.contains(&kind) {
        let detail = format!("must be one of {}", TYPES.join(","));
        errors.push(FieldError::invalid(format!("{field}.type"), &kind.into(), detail));
    }
    let format = text(column, &["format"]);
    if !format.is_empty() && !FORMATS.contains(&format) {
        let detail = format!("must be one of {}", FORMATS.join(","));
        errors.push(FieldError::invalid(format!("{field}.format"), &format.into(), detail));
    }
    let path = text(column, &["jsonPath"]);
    if path.is_empty() {
        errors.push(FieldError::required(format!("{field}.JSONPath"), ""));
    } else if !is_simple(path) {
        let detail = "must be a simple json path starting with .";
        errors.push(FieldError::invalid(format!("{field}.JSONPath"), &path.into(), detail));
    }
}

/// As far as columns may go: steps by name, index and filter.
fn is_simple(path: &str) -> bool {
    path.starts_with('.') && path.matches('[').count() == path.matches(']').count()
}

fn selectable_errors(version: &Value, fields: &[Value], field: &str, errors: &mut Vec<FieldError>) {
    if fields.len() > SELECTABLE_MAX {
        errors.push(FieldError::too_many(field, fields.len(), SELECTABLE_MAX));
    }
    let schema = version.at(&["schema", "openAPIV3Schema"]).map(Schema::from_json);
    for (index, entry) in fields.iter().enumerate() {
        let path = text(entry, &["jsonPath"]);
        let place = format!("{field}[{index}].jsonPath");
        if path.is_empty() {
            errors.push(FieldError::required(place, ""));
        } else if fields[..index].iter().any(|other| text(other, &["jsonPath"]) == path) {
            errors.push(FieldError::duplicate(place, &path.into()));
        } else {
            let found = schema.as_ref().and_then(|schema| at(schema, path));
            let detail = match found.and_then(|schema| schema.schema_type()) {
                None => "is an invalid path: does not refer to a valid field",
                Some(SchemaType::String | SchemaType::Boolean | SchemaType::Integer) => continue,
                Some(_) => {
                    "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed."
                }
            };
            errors.push(FieldError::invalid(place, &path.into(), detail));
        }
    }
}

fn at(schema: &Schema, path: &str) -> Option<Schema> {
    path.strip_prefix('.')?.split('.').try_fold(schema.clone(), |schema, name| schema.property(name))
}

fn scale_errors(scale: &Value, field: &str, errors: &mut Vec<FieldError>) {
    for (key, roots) in [
        ("specReplicasPath", &[".spec."][..]),
        ("statusReplicasPath", &[".status."]),
        ("labelSelectorPath", &[".spec.", ".status."]),
    ] {
        let path = text(scale, &[key]);
        let place = format!("{field}.{key}");
        if path.is_empty() {
            if key != "labelSelectorPath" {
                errors.push(FieldError::required(place, ""));
            }
        } else if !roots.iter().any(|root| path.starts_with(root)) {
            let roots: Vec<&str> = roots.iter().map(|root| root.trim_end_matches('.')).collect();
            let detail = format!("should be a json path under {}", roots.join(" or "));
            errors.push(FieldError::invalid(place, &path.into(), detail));
        }
    }
}
