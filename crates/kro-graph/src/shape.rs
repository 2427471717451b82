//! First stage: reads the shape of a definition, with the defaults and rules of its CRD.

mod entry;
mod names;
mod reader;
mod schema;

use kro_api::metadata::ANNOTATION_DEFAULT_NAMESPACE;
use kro_diagnostics::Diagnostic;
use kro_diagnostics::codes::shape as codes;
use kro_value::{FieldPath, Str, Value};

use crate::CompileOptions;
use crate::definition::Definition;
use crate::report::Report;
use reader::Object;

/// Object names end up in label values.
const NAME_BYTES_MAX: usize = 63;

/// Reads a definition. What cannot be read is reported and left out, so that later stages check the rest.
pub(crate) fn read(report: &mut Report<'_>, options: &CompileOptions) -> Definition {
    let source = report.source();
    let root = FieldPath::root();
    let mut definition = Definition::default();
    let Some(object) = Object::read(report, &source.value, &root) else { return definition };
    object.check_keys(report, &["apiVersion", "kind", "metadata", "spec", "status"]);
    check_type(report, &object);
    read_metadata(report, &object, &mut definition);
    let Some(spec) = object.required(report, "spec").and_then(|(value, path)| Object::read(report, value, &path))
    else {
        return definition;
    };
    spec.check_keys(report, &["schema", "resources"]);
    definition.schema = spec.object(report, "schema").map(|block| schema::read(report, &block));
    let (entries, path) = spec.list(report, "resources");
    if entries.len() > options.resources_max {
        let message =
            format!("limit resources_max: {} resources, at most {} are allowed", entries.len(), options.resources_max);
        report.error(codes::LIMIT, &path, message);
        return definition;
    }
    definition.resources = entry::read_all(report, entries, &path);
    names::check(report, &definition, options);
    definition
}

fn check_type(report: &mut Report<'_>, object: &Object<'_>) {
    for (key, wanted) in [("apiVersion", kro_api::RGD_API_VERSION), ("kind", kro_api::RGD_KIND)] {
        match object.required(report, key) {
            Some((value, path)) if value.as_str() != Some(wanted) => {
                report.error(codes::NOT_A_DEFINITION, &path, format!("{key} must be {wanted:?}, got {value}"));
            }
            _ => {}
        }
    }
}

fn read_metadata(report: &mut Report<'_>, object: &Object<'_>, definition: &mut Definition) {
    let Some(metadata) = object.object(report, "metadata") else {
        if object.get("metadata").is_none() {
            report.error(codes::REQUIRED, &FieldPath::fields(["metadata", "name"]), "metadata.name is required");
        }
        return;
    };
    if let Some((name, path)) = metadata.required_string(report, "name") {
        if name.len() > NAME_BYTES_MAX {
            let message = format!(
                "limit name_bytes_max: the name has {} bytes, at most {NAME_BYTES_MAX} are allowed",
                name.len()
            );
            report.push(
                Diagnostic::error(codes::LIMIT, message)
                    .at(path)
                    .note("the name becomes a label value on every instance"),
            );
        }
        definition.name = name;
    }
    let annotation = |value: &Value| Some(Str::new(value.get(ANNOTATION_DEFAULT_NAMESPACE)?.as_str()?));
    definition.default_namespace = metadata.get("annotations").and_then(annotation);
}
