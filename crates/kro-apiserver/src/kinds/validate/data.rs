use base64::Engine;
use kro_apimachinery::FieldError;
use kro_value::Value;

use super::place::{Findings, Place, Seen};
use super::scheduling::EFFECTS;
use super::{immutable, text};

const BYTES_MAX: usize = 1024 * 1024;
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
        "kubernetes.io/dockercfg" => &[".dockercfg"],
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
    let keys = object.get(member).and_then(Value::as_map).into_iter().flat_map(kro_value::Map::keys);
    let of = |key: &kro_value::Str| {
        let details = kro_apimachinery::names::config_key_errors(key).into_iter();
        details
            .map(|detail| FieldError::invalid(format!("{member}[{key}]"), &key.clone().into(), detail))
            .collect::<Vec<_>>()
    };
    keys.flat_map(of).collect()
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
    let findings = Findings::default();
    let spec = Place::root(object, &findings).get("spec");
    spec.get("leaseDurationSeconds").positive("must be greater than 0");
    spec.get("leaseTransitions").non_negative();
    findings.into_errors()
}

pub(super) fn node(object: &Value) -> Vec<FieldError> {
    let findings = Findings::default();
    let root = Place::root(object, &findings);
    let mut seen = Seen::default();
    let taints = root.at(&["spec", "taints"]).named("metadata.taints");
    for taint in taints.items() {
        let (key, effect) = (taint.get("key"), taint.get("effect"));
        key.qualified_name();
        effect.require_one_of(EFFECTS);
        if !seen.is_new(&format!("{}:{}", key.text(), effect.text())) {
            let value = taint.get("value").text();
            let shown = format!(
                "{{\"Key\":{:?},\"Value\":{value:?},\"Effect\":{:?},\"TimeAdded\":null}}",
                key.text(),
                effect.text()
            );
            taint.duplicate_raw(shown, "taints must be unique by key and effect pair");
        }
    }
    let (one, several) = (root.at(&["spec", "podCIDR"]), root.at(&["spec", "podCIDRs"]));
    if several.is_empty() {
        one.named("spec.podCIDRs[0]").if_set(Place::cidr);
    }
    several.items().iter().for_each(Place::cidr);
    findings.into_errors()
}

pub(super) fn runtime_class(object: &Value, live: Option<&Value>) -> Vec<FieldError> {
    let findings = Findings::default();
    let handler = Place::root(object, &findings).get("handler");
    match live {
        Some(live) => handler.immutable(&Place::root(live, &findings).get("handler")),
        None => handler.dns_label(),
    }
    findings.into_errors()
}

/// Finalizers of the spec of a namespace.
pub(super) fn namespace(object: &Value) -> Vec<FieldError> {
    let findings = Findings::default();
    let finalizers = Place::root(object, &findings).at(&["spec", "finalizers"]);
    for finalizer in finalizers.items() {
        let named = finalizer.named(&finalizers.path);
        let problems = kro_apimachinery::names::qualified_name_errors(finalizer.text());
        if problems.is_empty() && !finalizer.text().contains('/') && finalizer.text() != "kubernetes" {
            named.invalid("name is neither a standard finalizer name nor is it fully qualified");
        }
        named.invalid_each(problems);
    }
    findings.into_errors()
}

/// A namespace ends by its deletion alone.
pub(super) fn namespace_status(object: &Value) -> Vec<FieldError> {
    let findings = Findings::default();
    let root = Place::root(object, &findings);
    let phase = root.at(&["status", "phase"]).named("status.Phase");
    let is_deleted = root.at(&["metadata", "deletionTimestamp"]).is_set();
    if !is_deleted && phase.text() != "Active" {
        phase.invalid("may only be 'Active' if `deletionTimestamp` is empty");
    }
    findings.into_errors()
}
