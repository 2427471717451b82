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
            let detail = format!("duplicate of key present in binaryData: {key}");
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
    missing.map(|key| FieldError::required(format!("data[{key}]"), "")).collect()
}

fn keys(object: &Value, member: &str) -> Vec<FieldError> {
    let map = object.get(member).and_then(Value::as_map);
    let allowed = |key: &str| key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    let bad = map.into_iter().flat_map(kro_value::Map::keys).filter(|key| key.is_empty() || !allowed(key));
    bad.map(|key| FieldError::invalid(format!("{member}[{key}]"), &key.clone().into(), KEY)).collect()
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
