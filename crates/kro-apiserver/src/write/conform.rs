use kro_apimachinery::{FieldError, Status, normalize, normalize_metadata};
use kro_schema::structural::{Schema, default, prune};
use kro_value::{Str, Value, format_smolstr, to_json};

use super::{Call, FieldValidation};
use crate::kinds::defaults;
use crate::state::State;

/// Where a decoded object comes from, which decides how its errors are worded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// The body of a create or update.
    Body,
    /// What a patch made of the live object.
    Patched,
}

impl State {
    /// Makes a decoded object conform to its kind: unknown fields go (or are refused), values take their canonical
    /// form, defaults come.
    pub(super) fn conform(&self, call: &mut Call, object: &mut Value, stage: Stage) -> Result<(), Status> {
        let given = object.clone();
        let conformed = if call.resource.custom { custom(call, object) } else { builtin(call, object) };
        let unknown = conformed.map_err(|error| malformed(call, object, &error, stage))?;
        report(call, &unknown, &given, stage)
    }
}

/// Prunes and defaults a custom object; returns the paths of its unknown fields.
fn custom(call: &Call, object: &mut Value) -> Result<Vec<Str>, String> {
    let mut unknown = Vec::new();
    if let Some(metadata) = object.get("metadata") {
        let normalized = normalize_metadata(metadata)?;
        unknown = normalized.unknown;
        object.set_at(&["metadata"], normalized.value);
    }
    if let Some(schema) = call.schema() {
        embedded(schema, object, "", &mut unknown)?;
        unknown.extend(prune(schema, object));
        default(schema, object);
    }
    Ok(unknown)
}

/// Brings the metadata of embedded resources into canonical form.
fn embedded(schema: &Schema, value: &mut Value, path: &str, unknown: &mut Vec<Str>) -> Result<(), String> {
    if !path.is_empty()
        && schema.embedded_resource()
        && let Some(metadata) = value.get("metadata")
    {
        let normalized = normalize_metadata(metadata)?;
        unknown.extend(normalized.unknown.iter().map(|field| format_smolstr!("{path}.{field}")));
        value.set_at(&["metadata"], normalized.value);
    }
    let names: Vec<Str> = schema.property_names().cloned().collect();
    for name in names {
        let (Some(property), Some(child)) =
            (schema.property(&name), value.as_map_mut().and_then(|map| map.get_mut(&name)))
        else {
            continue;
        };
        let place = if path.is_empty() { name.to_string() } else { format!("{path}.{name}") };
        embedded(&property, child, &place, unknown)?;
    }
    if let (Some(items), Some(list)) = (schema.items(), value.as_list_mut()) {
        for (index, item) in list.iter_mut().enumerate() {
            embedded(&items, item, &format!("{path}[{index}]"), unknown)?;
        }
    }
    Ok(())
}

/// Brings a built-in object into the form that its Go type gives it; returns the paths of its unknown fields.
fn builtin(call: &Call, object: &mut Value) -> Result<Vec<Str>, String> {
    let Some(schema) = call.schema() else { return Ok(Vec::new()) };
    let normalized = normalize(schema, object)?;
    *object = normalized.value;
    defaults::apply(&call.resource.id, object);
    Ok(normalized.unknown)
}

/// A value of the wrong type.
fn malformed(call: &Call, object: &Value, error: &str, stage: Stage) -> Status {
    match stage {
        Stage::Body => Status::bad_request(cannot_be_handled(call, error)),
        Stage::Patched => {
            let error = FieldError::invalid("patch", &Value::from(to_json(object)), error);
            Status::invalid("", "", "", &[error])
        }
    }
}

fn cannot_be_handled(call: &Call, error: &str) -> String {
    let (kind, version) = (&call.resource.kind, &call.resource.versions[call.version].name);
    format!("{kind} in version \"{version}\" cannot be handled as a {kind}: {error}")
}

fn report(call: &mut Call, unknown: &[Str], object: &Value, stage: Stage) -> Result<(), Status> {
    let mut texts = std::mem::take(&mut call.findings);
    // Keys that YAML has twice are said by its reader, in its own form.
    if texts.first().is_some_and(|text| text.starts_with("line ")) {
        texts = match call.validation {
            FieldValidation::Strict => vec![format!("yaml: unmarshal errors:\n  {}", texts.join("\n  "))],
            _ => texts,
        };
    }
    texts.extend(unknown.iter().map(|path| format!("unknown field \"{path}\"")));
    match call.validation {
        FieldValidation::Strict if !texts.is_empty() => {
            let error = format!("strict decoding error: {}", texts.join(", "));
            Err(malformed(call, object, &error, stage))
        }
        FieldValidation::Warn => {
            texts.into_iter().for_each(|text| call.warn(text));
            Ok(())
        }
        _ => Ok(()),
    }
}
