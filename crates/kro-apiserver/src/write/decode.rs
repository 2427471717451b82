//! Request bodies to objects.

use kro_apimachinery::{FieldError, Status};
use kro_value::{JsonError, Value, from_json_bytes};

use super::{Call, FieldValidation, PatchType, duplicates};
use crate::Headers;

/// The types of bodies that are understood, for error texts.
pub(crate) const BODY_TYPES: &str = "application/json, application/yaml, application/vnd.kubernetes.protobuf";
const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";
/// The deepest nesting that Go's readers take.
const GO_DEPTH_MAX: usize = 10_000;
/// The largest body.
pub(crate) const BODY_BYTES_MAX: usize = 3 * 1024 * 1024;

/// The media type of a body, without parameters; JSON when the client says nothing.
pub(crate) fn content_type(headers: &Headers) -> &str {
    let given = headers.get("Content-Type").and_then(|text| text.split(';').next()).map(str::trim);
    given.filter(|text| !text.is_empty()).unwrap_or("application/json")
}

pub(crate) fn unsupported_body() -> Status {
    let message =
        format!("the body of the request was in an unknown format - accepted media types include: {BODY_TYPES}");
    Status::failure(415, "UnsupportedMediaType", message)
}

/// Reads a body as JSON or YAML.
pub(crate) fn value(headers: &Headers, body: &[u8]) -> Result<Value, Status> {
    let malformed = |error: String| {
        Status::bad_request(format!("the object provided is unrecognized: {error} ({})", excerpt(body)))
    };
    match content_type(headers) {
        "application/json" => from_json_bytes(body).map_err(|error| malformed(go_error(&error, body))),
        "application/yaml" => yaml(body).map(|(value, _)| value).map_err(malformed),
        PROTOBUF => crate::protobuf::decode(body).map_err(malformed),
        _ => Err(unsupported_body()),
    }
}

/// Reads a body as DeleteOptions.
pub(crate) fn options(headers: &Headers, body: &[u8]) -> Result<Value, Status> {
    let value = match content_type(headers) {
        "application/json" => from_json_bytes(body).map_err(|error| {
            Status::bad_request(format!("couldn't get version/kind; json parse error: {}", json_error(&error, body)))
        })?,
        _ => value(headers, body)?,
    };
    let is_number = |value: &Value| matches!(value, Value::Int(_) | Value::Null);
    if value.get("gracePeriodSeconds").is_none_or(is_number) {
        return Ok(value);
    }
    let error = "json: cannot unmarshal string into Go struct field DeleteOptions.gracePeriodSeconds of type int64";
    Err(Status::bad_request(error))
}

/// Reads the first document of a YAML text, with what is said of keys that occur twice (the last one counts).
fn yaml(body: &[u8]) -> Result<(Value, Vec<String>), String> {
    let text = String::from_utf8_lossy(body);
    let parsed = kro_yaml::parse(&text, kro_diagnostics::FileId(0));
    let mut duplicates = Vec::new();
    for error in parsed.diagnostics.iter() {
        if error.severity != kro_diagnostics::Severity::Error {
            continue;
        }
        let Some(key) = error.message.strip_prefix("duplicate key ") else {
            return Err(format!("yaml: {}", go_yaml_error(&error.message, body)));
        };
        let start = error.span.map_or(0, |span| span.start as usize).min(text.len());
        let line = text.as_bytes()[..start].iter().filter(|byte| **byte == b'\n').count() + 1;
        duplicates.push(format!("line {line}: key {key} already set in map"));
    }
    Ok((parsed.values().into_iter().next().unwrap_or_default(), duplicates))
}

/// What Go's reader says of a bracket that is not closed, and of depth; other errors have our own words.
fn go_yaml_error(message: &str, body: &[u8]) -> String {
    if message.starts_with("unclosed bracket") {
        return "line 1: did not find expected node content".to_owned();
    }
    if message.starts_with("nested deeper") {
        // Go's limit where it is exceeded too, else the one that holds here.
        let limit = if brackets_deeper_than(GO_DEPTH_MAX, body) { GO_DEPTH_MAX } else { kro_yaml::DEPTH_MAX };
        return format!("exceeded max depth of {limit}");
    }
    message.to_owned()
}

/// Whether brackets are nested deeper than this; those in texts count too, as this is for the wording of an error only.
fn brackets_deeper_than(limit: usize, body: &[u8]) -> bool {
    let mut depth = 0_usize;
    body.iter().any(|byte| {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > limit
    })
}

/// A JSON error in the words of Go's decoder, which sees the text.
fn json_error(error: &JsonError, body: &[u8]) -> String {
    if error.message.starts_with("trailing") {
        let rest = String::from_utf8_lossy(body.get(error.column.saturating_sub(1)..).unwrap_or_default()).into_owned();
        if let Some(character) = rest.chars().find(|character| !character.is_whitespace()) {
            return format!("invalid character {character:?} after top-level value");
        }
    }
    go_error(error, body)
}

/// Reads the body of a create or update as an object of the request's kind.
pub(crate) fn object(call: &mut Call, headers: &Headers, body: &[u8]) -> Result<Value, Status> {
    let value = match content_type(headers) {
        "application/json" => {
            let value = from_json_bytes(body).map_err(|error| undecodable(call, &json_error(&error, body), body))?;
            call.findings =
                duplicates::fields(body).into_iter().map(|path| format!("duplicate field \"{path}\"")).collect();
            value
        }
        "application/yaml" => {
            let (value, duplicates) = yaml(body).map_err(|error| undecodable(call, &error, body))?;
            call.findings = duplicates;
            value
        }
        PROTOBUF if !call.resource.custom => {
            crate::protobuf::decode(body).map_err(|error| undecodable(call, &error, body))?
        }
        _ => return Err(unsupported_body()),
    };
    check_kind(call, value, body)
}

/// Requires the kind of the endpoint; built-in kinds take it from the URL when the body names none.
pub(crate) fn check_kind(call: &Call, mut value: Value, body: &[u8]) -> Result<Value, Status> {
    let kind = value.str_at(&["kind"]).unwrap_or_default().to_owned();
    let api_version = value.str_at(&["apiVersion"]).unwrap_or_default().to_owned();
    if value.is_null() {
        value = Value::Map(kro_value::Map::new());
    }
    if value.as_map().is_none() {
        let found = if value.as_list().is_some() { "array" } else { value.type_name() };
        let error = format!(
            "json: cannot unmarshal {found} into Go value of type struct {{ APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }}"
        );
        return Err(undecodable(call, &error, body));
    }
    let wanted = call.api_version();
    if call.resource.custom {
        check_custom_kind(call, &value, &kind, &api_version, body)?;
    } else {
        check_metadata(call, &value)?;
        if !kind.is_empty() || !api_version.is_empty() {
            check_builtin_kind(call, &kind, &api_version)?;
        }
        value.set_at(&["kind"], call.resource.kind.clone().into());
        value.set_at(&["apiVersion"], wanted.into());
    }
    Ok(value)
}

/// Metadata is a map.
fn check_metadata(call: &Call, value: &Value) -> Result<(), Status> {
    let found = match value.get("metadata") {
        None | Some(Value::Null | Value::Map(_)) => return Ok(()),
        Some(Value::Bool(_)) => "bool",
        Some(Value::Int(_) | Value::Float(_)) => "number",
        Some(Value::String(_)) => "string",
        Some(Value::List(_)) => "array",
    };
    let (kind, version) = (&call.resource.kind, &call.resource.versions[call.version].name);
    Err(Status::bad_request(format!(
        "{kind} in version \"{version}\" cannot be handled as a {kind}: json: cannot unmarshal {found} into Go struct field {kind}.metadata of type v1.ObjectMeta"
    )))
}

fn check_builtin_kind(call: &Call, kind: &str, api_version: &str) -> Result<(), Status> {
    let own = &call.resource.kind;
    let kind = if kind.is_empty() { own.as_str() } else { kind };
    let wanted = call.api_version();
    let api_version = if api_version.is_empty() { wanted.as_str() } else { api_version };
    if kind == own && api_version == wanted {
        return Ok(());
    }
    let (group, version) = api_version.rsplit_once('/').unwrap_or(("", api_version));
    let why = if kro_schema::builtin::resolve(group, version, kind).is_some() {
        let package = go_package(&call.resource.id.group);
        format!("converting ({version}.{kind}) to ({package}.{own}): unknown conversion")
    } else {
        format!(
            "no kind \"{kind}\" is registered for version \"{api_version}\" in scheme \"pkg/runtime/scheme.go:111\""
        )
    };
    Err(Status::bad_request(format!("{kind} in version \"{version}\" cannot be handled as a {own}: {why}")))
}

/// The Go package of a group's internal types.
pub(crate) fn go_package(group: &str) -> &str {
    match group {
        "" => "core",
        group => group.split('.').next().unwrap_or_default(),
    }
}

fn check_custom_kind(call: &Call, value: &Value, kind: &str, api_version: &str, body: &[u8]) -> Result<(), Status> {
    if kind.is_empty() {
        let text = String::from_utf8_lossy(body);
        return Err(undecodable(call, &format!("Object 'Kind' is missing in '{}'", text.trim()), body));
    }
    let wanted = call.api_version();
    if api_version != wanted {
        return Err(Status::bad_request(format!(
            "the API version in the data ({api_version}) does not match the expected API version ({wanted})"
        )));
    }
    if kind != call.resource.kind {
        let detail = format!("must be {}", call.resource.kind);
        let error = FieldError::invalid("kind", &Value::from(kind), detail);
        let name = value.str_at(&["metadata", "name"]).unwrap_or_default();
        return Err(Status::invalid(&call.resource.id.group, kind, name, &[error]));
    }
    Ok(())
}

/// 400: the body is no object.
pub(crate) fn undecodable(call: &Call, error: &str, body: &[u8]) -> Status {
    // The JSON of a custom object without a kind was read; errors of YAML are those of another reader.
    let is_read = error.starts_with("Object 'Kind'") || error.starts_with("yaml: ");
    let prefix = if is_read { "" } else { "couldn't get version/kind; json parse error: " };
    Status::bad_request(format!(
        "the object provided is unrecognized (must be of type {}): {prefix}{error} ({})",
        call.resource.kind,
        excerpt(body)
    ))
}

/// The first bytes of a body: as text when it looks like JSON, else in hexadecimal.
fn excerpt(body: &[u8]) -> String {
    const SHOWN: usize = 30;
    if body.is_empty() {
        return "<empty>".to_owned();
    }
    let shown = &body[..body.len().min(SHOWN)];
    let text = if body.first() == Some(&b'{') {
        String::from_utf8_lossy(shown).into_owned()
    } else {
        shown.iter().map(|byte| format!("{byte:02x}")).collect()
    };
    if body.len() > SHOWN { format!("{text} ...") } else { text }
}

/// A JSON error in the words of Go's decoder, where they are known.
pub(crate) fn go_error(error: &JsonError, body: &[u8]) -> String {
    if error.message.starts_with("EOF") {
        return "unexpected end of JSON input".to_owned();
    }
    if error.message.starts_with("recursion limit") {
        let line = body.split(|byte| *byte == b'\n').nth(error.line.saturating_sub(1)).unwrap_or_default();
        let bracket = if line.get(error.column.saturating_sub(1)) == Some(&b'[') { '[' } else { '{' };
        return format!("invalid character '{bracket}' exceeded max depth");
    }
    error.message.clone()
}

/// Reads the body of a patch.
pub(crate) fn patch(call: &mut Call, kind: PatchType, body: &[u8]) -> Result<Value, Status> {
    if kind == PatchType::Apply {
        let (value, duplicates) = yaml(body).map_err(|error| {
            let error = error.trim_start_matches("yaml: ");
            Status::bad_request(format!("error decoding YAML: error converting YAML to JSON: yaml: {error}"))
        })?;
        return match call.validation {
            FieldValidation::Strict if !duplicates.is_empty() => Err(Status::bad_request(format!(
                "error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n  {}",
                duplicates.join("\n  ")
            ))),
            FieldValidation::Warn => {
                duplicates.into_iter().for_each(|text| call.warn(text));
                Ok(value)
            }
            _ => Ok(value),
        };
    }
    from_json_bytes(body).map_err(|error| {
        let error = go_error(&error, body);
        match kind {
            PatchType::Strategic => Status::bad_request(error),
            PatchType::Apply => {
                Status::bad_request(format!("error decoding YAML: error converting YAML to JSON: {error}"))
            }
            PatchType::Json | PatchType::Merge => Status::bad_request(format!("error decoding patch: {error}")),
        }
    })
}
