//! Request bodies to objects.

use kro_apimachinery::{FieldError, Status};
use kro_value::{JsonError, Value, from_json_bytes};

use super::{Call, PatchType};
use crate::Headers;

/// The types of bodies that are understood, for error texts.
pub(crate) const BODY_TYPES: &str = "application/json, application/yaml, application/vnd.kubernetes.protobuf";
const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";
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
        "application/json" => from_json_bytes(body).map_err(|error| malformed(go_error(&error))),
        "application/yaml" => yaml(body).map_err(malformed),
        PROTOBUF => crate::protobuf::decode(body).map_err(malformed),
        _ => Err(unsupported_body()),
    }
}

/// Reads the first document of a YAML text.
fn yaml(body: &[u8]) -> Result<Value, String> {
    let text = String::from_utf8_lossy(body);
    let parsed = kro_yaml::parse(&text, kro_diagnostics::FileId(0));
    match parsed.diagnostics.iter().find(|diagnostic| diagnostic.severity == kro_diagnostics::Severity::Error) {
        Some(error) => Err(format!("yaml: {}", error.message)),
        None => Ok(parsed.values().into_iter().next().unwrap_or_default()),
    }
}

/// Reads the body of a create or update as an object of the request's kind.
pub(crate) fn object(call: &mut Call, headers: &Headers, body: &[u8]) -> Result<Value, Status> {
    let value = match content_type(headers) {
        "application/json" => from_json_bytes(body).map_err(|error| undecodable(call, &go_error(&error), body))?,
        "application/yaml" => yaml(body).map_err(|error| undecodable(call, &error, body))?,
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
        return Err(undecodable(call, "json: cannot unmarshal value into Go value of type struct", body));
    }
    let wanted = call.api_version();
    if call.resource.custom {
        check_custom_kind(call, &value, &kind, &api_version, body)?;
    } else if kind.is_empty() && api_version.is_empty() {
        value.set_at(&["kind"], call.resource.kind.clone().into());
        value.set_at(&["apiVersion"], wanted.into());
    } else {
        check_builtin_kind(call, &kind, &api_version)?;
        value.set_at(&["kind"], call.resource.kind.clone().into());
        value.set_at(&["apiVersion"], wanted.into());
    }
    Ok(value)
}

fn check_builtin_kind(call: &Call, kind: &str, api_version: &str) -> Result<(), Status> {
    let own = &call.resource.kind;
    let kind = if kind.is_empty() { own.as_str() } else { kind };
    let wanted = call.api_version();
    let version = &call.resource.versions[call.version].name;
    if !api_version.is_empty() && api_version != wanted {
        let given = api_version.rsplit('/').next().unwrap_or_default();
        return Err(Status::bad_request(format!(
            "{kind} in version \"{given}\" cannot be handled as a {own}: no kind \"{own}\" is registered for version \"{api_version}\" in scheme \"pkg/runtime/scheme.go:111\""
        )));
    }
    if kind != own {
        return Err(Status::bad_request(format!(
            "{kind} in version \"{version}\" cannot be handled as a {own}: converting (v1.{kind}) to (core.{own}): unknown conversion"
        )));
    }
    Ok(())
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
    let prefix = if call.resource.custom { "" } else { "couldn't get version/kind; json parse error: " };
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
pub(crate) fn go_error(error: &JsonError) -> String {
    if error.message.starts_with("EOF") {
        return "unexpected end of JSON input".to_owned();
    }
    error.message.clone()
}

/// Reads the body of a patch.
pub(crate) fn patch(call: &mut Call, kind: PatchType, body: &[u8]) -> Result<Value, Status> {
    if kind == PatchType::Apply {
        return yaml(body).map_err(|error| {
            let error = error.trim_start_matches("yaml: ");
            Status::bad_request(format!("error decoding YAML: error converting YAML to JSON: yaml: {error}"))
        });
    }
    let _ = &call;
    from_json_bytes(body).map_err(|error| {
        let error = go_error(&error);
        match kind {
            PatchType::Strategic => Status::bad_request(error),
            PatchType::Apply => {
                Status::bad_request(format!("error decoding YAML: error converting YAML to JSON: {error}"))
            }
            PatchType::Json | PatchType::Merge => Status::bad_request(format!("error decoding patch: {error}")),
        }
    })
}
