use base64::Engine;
use kro_apimachinery::FieldError;
use kro_value::Value;

use super::{immutable, items, text};

const BYTES_MAX: usize = 1024 * 1024;
const KEY: &str = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

pub(super) fn config_map(object: &Value, live: Option<&Value>) -> Vec<FieldError> {
    let mut errors = keys(object, "data");
    errors.extend(keys(object, "binaryData"));
    let binary = object.get("binaryData").and_then(Value::as_map).cloned().unwrap_or_default();
    for key in object.get("data").and_then(Value::as_map).into_iter().flat_map(kro_value::Map::keys) {
        if binary.contains_key(key) {
            let detail = "duplicate of key present in binaryData";
            errors.push(FieldError::invalid(format!("data[{key}]"), &key.clone().into(), detail));
        }
    }
    errors.extend(size(object, &["data", "binaryData"], "[]"));
    errors.extend(fixed(object, live, &["data", "binaryData"]));
    errors
}

pub(super) fn secret(object: &Value, live: Option<&Value>) -> Vec<FieldError> {
    let mut errors = keys(object, "data");
    errors.extend(size(object, &["data"], "data"));
    errors.extend(required_keys(object));
    if let Some(live) = live {
        errors.extend(immutable(object, live, &["type"]));
    }
    errors.extend(fixed(object, live, &["data"]));
    errors
}

fn required_keys(object: &Value) -> Vec<FieldError> {
    let keys: &[&str] = match text(object, &["type"]) {
        "kubernetes.io/tls" => &["tls.crt", "tls.key"],
        "kubernetes.io/dockerconfigjson" => &[".dockerconfigjson"],
        "kubernetes.io/ssh-auth" => &["ssh-privatekey"],
        _ => &[],
    };
    let missing = keys.iter().filter(|key| object.at(&["data", key]).is_none());
    let mut errors: Vec<FieldError> = missing.map(|key| FieldError::required(format!("data[{key}]"), "")).collect();
    match text(object, &["type"]) {
        "kubernetes.io/basic-auth"
            if ["username", "password"].iter().all(|key| object.at(&["data", key]).is_none()) =>
        {
            errors.push(FieldError::required("data[username]", ""));
            errors.push(FieldError::required("data[password]", ""));
        }
        "kubernetes.io/service-account-token" => {
            let name = "kubernetes.io/service-account.name";
            if text(object, &["metadata", "annotations", name]).is_empty() {
                errors.push(FieldError::required(format!("metadata.annotations[{name}]"), ""));
            }
        }
        "kubernetes.io/dockerconfigjson" => errors.extend(docker_config(object)),
        _ => {}
    }
    errors
}

/// The configuration is JSON; the message does not show it.
fn docker_config(object: &Value) -> Option<FieldError> {
    let text = text(object, &["data", ".dockerconfigjson"]);
    let bytes = base64::engine::general_purpose::STANDARD.decode(text).ok().filter(|_| !text.is_empty())?;
    if kro_value::from_json_bytes(&bytes).is_ok() {
        return None;
    }
    let first = String::from_utf8_lossy(&bytes).chars().next().unwrap_or_default();
    let detail = match first {
        '{' | '[' | '"' => "unexpected end of JSON input".to_owned(),
        other => format!("invalid character {other:?} looking for beginning of value"),
    };
    Some(FieldError::invalid("data[.dockerconfigjson]", &"<secret contents redacted>".into(), detail))
}

fn keys(object: &Value, member: &str) -> Vec<FieldError> {
    let map = object.get(member).and_then(Value::as_map);
    let allowed = |key: &str| key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    let problem = |key: &str| match key {
        "." => Some("must not be '.'"),
        key if key.starts_with("..") => Some(if key == ".." { "must not be '..'" } else { "must not start with '..'" }),
        key if key.is_empty() || !allowed(key) => Some(KEY),
        _ => None,
    };
    let keys = map.into_iter().flat_map(kro_value::Map::keys);
    let bad = keys.filter_map(|key| Some((key, problem(key)?)));
    bad.map(|(key, detail)| FieldError::invalid(format!("{member}[{key}]"), &key.clone().into(), detail)).collect()
}

fn size(object: &Value, members: &[&str], field: &str) -> Option<FieldError> {
    let maps = members.iter().filter_map(|member| object.get(member)?.as_map());
    let bytes: usize = maps.flat_map(|map| map.values()).filter_map(Value::as_str).map(str::len).sum();
    (bytes > BYTES_MAX).then(|| FieldError::too_long(field, BYTES_MAX))
}

/// Nothing changes once `immutable` is set.
fn fixed(object: &Value, live: Option<&Value>, members: &[&str]) -> Vec<FieldError> {
    let is_fixed = |object: &Value| object.get("immutable").and_then(Value::as_bool) == Some(true);
    let Some(live) = live.filter(|live| is_fixed(live)) else { return Vec::new() };
    let detail = "field is immutable when `immutable` is set";
    let mut errors = Vec::new();
    if !is_fixed(object) {
        errors.push(FieldError::forbidden("immutable", detail));
    }
    let changed = members.iter().filter(|member| object.get(member) != live.get(member));
    errors.extend(changed.map(|member| FieldError::forbidden(*member, detail)));
    errors
}

pub(super) fn volume_claim(object: &Value, live: Option<&Value>) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if items(object, &["spec", "accessModes"]).is_empty() {
        errors.push(FieldError::required("spec.accessModes", "at least 1 access mode is required"));
    }
    if object.at(&["spec", "resources", "requests", "storage"]).is_none() {
        errors.push(FieldError::required("spec.resources[storage]", ""));
    }
    let fixed = |object: &Value| {
        let mut spec = object.get("spec").cloned().unwrap_or_default();
        for path in [&["resources", "requests"][..], &["volumeAttributesClassName"], &["volumeName"]] {
            spec.remove_at(path);
        }
        spec
    };
    if live.is_some_and(|live| fixed(live) != fixed(object)) {
        let detail =
            "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";
        errors.push(FieldError::forbidden("spec", detail));
    }
    errors
}

/// What an Event is about is where the Event is; Events of the new group say when and what sort they are.
pub(super) fn event(object: &Value, is_new_group: bool) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let name = if is_new_group { "regarding" } else { "involvedObject" };
    let about = text(object, &[name, "namespace"]);
    let own = text(object, &["metadata", "namespace"]);
    let fits = if about.is_empty() { own == "default" || own.is_empty() } else { about == own };
    if !fits {
        let detail = "does not match event.namespace";
        errors.push(FieldError::invalid("involvedObject.namespace", &about.into(), detail));
    }
    if is_new_group {
        if object.get("eventTime").is_none_or(Value::is_null) {
            errors.push(FieldError::required("eventTime", ""));
        }
        let kind = text(object, &["type"]);
        if !matches!(kind, "Normal" | "Warning") {
            errors.push(FieldError::invalid("type", &"".into(), format!("has invalid value: {kind}")));
        }
    }
    errors
}

pub(super) fn lease(object: &Value) -> Vec<FieldError> {
    let positive = |key: &str| {
        let value = object.at(&["spec", key]).filter(|value| value.as_i64().is_some_and(|number| number <= 0))?;
        Some(FieldError::invalid(format!("spec.{key}"), value, "must be greater than 0"))
    };
    positive("leaseDurationSeconds").into_iter().collect()
}

/// The value of a class of priorities stays.
pub(super) fn priority_class(object: &Value, live: Option<&Value>) -> Vec<FieldError> {
    let changed = live.is_some_and(|live| live.get("value") != object.get("value"));
    changed.then(|| FieldError::forbidden("value", "may not be changed in an update.")).into_iter().collect()
}

pub(super) fn storage_class(object: &Value, live: Option<&Value>) -> Vec<FieldError> {
    let Some(live) = live else { return Vec::new() };
    let fixed = ["provisioner", "reclaimPolicy", "volumeBindingMode"].into_iter();
    let mut errors: Vec<FieldError> = fixed.filter_map(|key| immutable(object, live, &[key])).collect();
    if object.get("parameters") != live.get("parameters") {
        errors.push(FieldError::forbidden("parameters", "updates to parameters are forbidden."));
    }
    errors
}
