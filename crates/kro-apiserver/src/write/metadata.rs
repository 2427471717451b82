//! `metadata`: what the server sets, what nobody may change, what is valid.

use jiff::Timestamp;
use kro_apimachinery::{FieldError, FieldErrorKind, Status, names};
use kro_value::{Str, Value, to_json};

use super::Call;
use crate::kinds::NameRule;
use crate::random::Random;

const GENERATED_PREFIX_MAX: usize = 58;
const ANNOTATION_BYTES_MAX: usize = 262_144;

/// RFC 3339 with whole seconds in UTC.
pub(crate) fn time_text(time: Timestamp) -> Str {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string().into()
}

/// The text at a key of `metadata`, empty when absent.
pub(crate) fn text<'a>(object: &'a Value, key: &str) -> &'a str {
    object.str_at(&["metadata", key]).unwrap_or_default()
}

/// The items of a list of strings in `metadata`.
pub(crate) fn strings(object: &Value, key: &str) -> Vec<Str> {
    let items = object.at(&["metadata", key]).and_then(Value::as_list).unwrap_or_default();
    items.iter().filter_map(Value::as_str).map(Str::new).collect()
}

/// True when the object is being deleted.
pub(crate) fn is_terminating(object: &Value) -> bool {
    !text(object, "deletionTimestamp").is_empty()
}

/// Makes the namespaces of URL and body agree.
pub(super) fn settle_namespace(call: &Call, object: &mut Value) -> Result<(), Status> {
    let given = text(object, "namespace");
    if !call.resource.namespaced {
        object.remove_at(&["metadata", "namespace"]);
        return Ok(());
    }
    if !given.is_empty() && given != call.namespace {
        let message = "the namespace of the provided object does not match the namespace sent on the request";
        return Err(Status::bad_request(message));
    }
    object.set_at(&["metadata", "namespace"], call.namespace.clone().into());
    Ok(())
}

/// Gives an object that has only `generateName` a name; `taken` tells whether one is in use.
pub(super) fn generate_name(object: &mut Value, random: &mut Random, taken: impl Fn(&str) -> bool) {
    const ATTEMPTS_MAX: usize = 8;
    let mut prefix = text(object, "generateName").to_owned();
    if prefix.is_empty() || !text(object, "name").is_empty() {
        return;
    }
    while prefix.len() > GENERATED_PREFIX_MAX {
        prefix.pop();
    }
    let mut name = String::new();
    for _ in 0..ATTEMPTS_MAX {
        name = format!("{prefix}{}", random.suffix());
        if !taken(&name) {
            break;
        }
    }
    object.set_at(&["metadata", "name"], name.into());
}

/// Drops what a client cannot say of a new object.
pub(super) fn clear_new(object: &mut Value) {
    for key in ["deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"] {
        object.remove_at(&["metadata", key]);
    }
}

/// Sets what the server decides in the metadata of a new object.
pub(super) fn fill_new(object: &mut Value, uid: Str, now: Timestamp, has_generation: bool) {
    clear_new(object);
    let metadata = object.ensure_map().entry_or_null("metadata").ensure_map();
    metadata.insert("uid", uid.into());
    metadata.insert("creationTimestamp", time_text(now).into());
    if has_generation {
        metadata.insert("generation", Value::Int(1));
    }
}

/// Keeps what an update can never change, and fills in what it may leave out.
pub(super) fn restore(object: &mut Value, live: &Value) {
    for key in ["creationTimestamp", "generation"] {
        copy(object, live, key);
    }
    for key in ["uid", "deletionTimestamp", "deletionGracePeriodSeconds"] {
        let absent = object.at(&["metadata", key]).is_none_or(|value| value.is_null() || value.as_str() == Some(""));
        if absent {
            copy(object, live, key);
        }
    }
    object.remove_at(&["metadata", "selfLink"]);
}

/// Takes a member of `metadata` from another object, absence included.
pub(super) fn copy(object: &mut Value, from: &Value, key: &str) {
    match from.at(&["metadata", key]) {
        Some(value) => object.set_at(&["metadata", key], value.clone()),
        None => {
            object.remove_at(&["metadata", key]);
        }
    }
}

/// Drops equal owner references but the first; true (with their uids) when there were any.
pub(super) fn dedup_owners(object: &mut Value) -> Vec<Str> {
    let references = object.at(&["metadata", "ownerReferences"]).and_then(Value::as_list).unwrap_or_default();
    let mut kept: Vec<Value> = Vec::with_capacity(references.len());
    let mut duplicates = Vec::new();
    for reference in references {
        if kept.contains(reference) {
            duplicates.push(Str::new(reference.str_at(&["uid"]).unwrap_or_default()));
        } else {
            kept.push(reference.clone());
        }
    }
    if !duplicates.is_empty() {
        object.set_at(&["metadata", "ownerReferences"], kept.into());
        duplicates.dedup();
    }
    duplicates
}

/// What is wrong with the metadata of an object that is to be stored.
pub(super) fn errors(object: &Value, call: &Call, rule: NameRule) -> Vec<FieldError> {
    let mut errors = name_errors(object, rule);
    label_errors(object, &mut errors);
    annotation_errors(object, &mut errors);
    owner_errors(object, &mut errors);
    let is_core = !call.resource.custom && call.resource.id != crate::crd::id();
    finalizer_errors(object, is_core, &mut errors);
    errors
}

fn name_errors(object: &Value, rule: NameRule) -> Vec<FieldError> {
    let (name, generate) = (text(object, "name"), text(object, "generateName"));
    if name.is_empty() {
        return vec![FieldError::required("metadata.name", "name or generateName is required")];
    }
    let invalid = |field: &str, text: &str| {
        let problems = rule.errors(text);
        problems.into_iter().map(|detail| FieldError::invalid(field, &Value::from(text), detail)).collect::<Vec<_>>()
    };
    let mut errors = Vec::new();
    if !generate.is_empty() {
        // A prefix may end in a dash; the generated part mends that.
        let prefix = generate.strip_suffix('-').map_or_else(|| generate.to_owned(), |prefix| format!("{prefix}a"));
        let problems = rule.errors(&prefix).into_iter();
        errors.extend(problems.map(|detail| FieldError::invalid("metadata.generateName", &generate.into(), detail)));
    }
    errors.extend(invalid("metadata.name", name));
    errors
}

fn label_errors(object: &Value, errors: &mut Vec<FieldError>) {
    let labels = object.at(&["metadata", "labels"]).and_then(Value::as_map);
    for (key, value) in labels.into_iter().flatten() {
        for detail in names::label_key_errors(key) {
            errors.push(FieldError::invalid("metadata.labels", &key.clone().into(), detail));
        }
        for detail in names::label_value_errors(value.as_str().unwrap_or_default()) {
            errors.push(FieldError::invalid("metadata.labels", value, detail));
        }
    }
}

fn annotation_errors(object: &Value, errors: &mut Vec<FieldError>) {
    let annotations = object.at(&["metadata", "annotations"]).and_then(Value::as_map);
    let mut bytes = 0;
    for (key, value) in annotations.into_iter().flatten() {
        for detail in names::qualified_name_errors(&key.to_lowercase()) {
            errors.push(FieldError::invalid("metadata.annotations", &key.clone().into(), detail));
        }
        bytes += key.len() + value.as_str().map_or(0, str::len);
    }
    if bytes > ANNOTATION_BYTES_MAX {
        errors.push(FieldError::too_long("metadata.annotations", ANNOTATION_BYTES_MAX));
    }
}

fn owner_errors(object: &Value, errors: &mut Vec<FieldError>) {
    let references = object.at(&["metadata", "ownerReferences"]).and_then(Value::as_list).unwrap_or_default();
    let mut controller: Option<String> = None;
    for reference in references {
        let text = |key: &str| reference.str_at(&[key]).unwrap_or_default();
        let empty = Value::from("");
        let mut require = |key: &str, value: &str, detail: &str| {
            if value.is_empty() {
                errors.push(FieldError::invalid(format!("metadata.ownerReferences.{key}"), &empty, detail));
            }
        };
        require("apiVersion", text("apiVersion"), "version must not be empty");
        require("kind", text("kind"), "must not be empty");
        require("name", text("name"), "must not be empty");
        require("uid", text("uid"), "must not be empty");
        if text("apiVersion").matches('/').count() > 1 {
            let (field, value) = ("metadata.ownerReferences.apiVersion", Value::from(text("apiVersion")));
            errors.push(FieldError::invalid(field, &value, "version must not be empty"));
        }
        if text("kind") == "Event" && matches!(text("apiVersion"), "v1" | "events.k8s.io/v1") {
            let version = text("apiVersion");
            let version = if version.contains('/') { version.to_owned() } else { format!("/{version}") };
            let detail = format!("{version}, Kind=Event is disallowed from being an owner");
            errors.push(FieldError::invalid("metadata.ownerReferences", reference, detail));
        }
        if reference.get("controller").and_then(Value::as_bool) == Some(true) {
            match &controller {
                None => controller = Some(format!("{}/{}", text("kind"), text("name"))),
                Some(first) => {
                    let detail = format!(
                        "Only one reference can have Controller set to true. Found \"true\" in references for {first} and {}/{}",
                        text("kind"),
                        text("name")
                    );
                    let all = object.at(&["metadata", "ownerReferences"]).cloned().unwrap_or_default();
                    let error = FieldError::new(FieldErrorKind::Invalid, "metadata.ownerReferences", detail);
                    errors.push(FieldError { value: Some(go_owners(&all)), ..error });
                }
            }
        }
    }
}

/// Owner references with their members in the order of the Go type.
fn go_owners(references: &Value) -> String {
    const MEMBERS: [&str; 6] = ["apiVersion", "kind", "name", "uid", "controller", "blockOwnerDeletion"];
    let member = |reference: &Value, key: &str| Some(format!("\"{key}\":{}", to_json(reference.get(key)?)));
    let print = |reference: &Value| {
        let members: Vec<String> = MEMBERS.iter().filter_map(|key| member(reference, key)).collect();
        format!("{{{}}}", members.join(","))
    };
    let texts: Vec<String> = references.as_list().unwrap_or_default().iter().map(print).collect();
    format!("[{}]", texts.join(","))
}

/// Built-in kinds require a domain, but for the finalizers of Kubernetes itself.
fn finalizer_errors(object: &Value, needs_domain: bool, errors: &mut Vec<FieldError>) {
    const STANDARD: &[&str] = &["kubernetes", "orphan", "foregroundDeletion"];
    let all = strings(object, "finalizers");
    if STANDARD[1..].iter().all(|wanted| all.iter().any(|finalizer| finalizer == wanted)) {
        let value = object.at(&["metadata", "finalizers"]).cloned().unwrap_or_default();
        let detail = "finalizer orphan and foregroundDeletion cannot be both set";
        errors.push(FieldError::invalid("metadata.finalizers", &value, detail));
    }
    for (index, finalizer) in strings(object, "finalizers").iter().enumerate() {
        for detail in names::qualified_name_errors(finalizer) {
            errors.push(FieldError::invalid("metadata.finalizers", &finalizer.clone().into(), detail));
        }
        if needs_domain && !finalizer.contains('/') && !STANDARD.contains(&finalizer.as_str()) {
            let detail = "name is neither a standard finalizer name nor is it fully qualified";
            let field = format!("metadata.finalizers[{index}]");
            errors.push(FieldError::invalid(field, &finalizer.clone().into(), detail));
        }
    }
}

/// What an update changes in the metadata although it must not. The reference looks twice, and so says it twice.
pub(super) fn update_errors(object: &Value, live: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for key in ["name", "namespace", "uid", "deletionTimestamp", "deletionGracePeriodSeconds"] {
        let value = object.at(&["metadata", key]).cloned().unwrap_or_default();
        if value != live.at(&["metadata", key]).cloned().unwrap_or_default() {
            errors.push(FieldError::invalid(format!("metadata.{key}"), &value, "field is immutable"));
        }
    }
    errors.extend(new_finalizers(object, live));
    let again = errors.clone();
    errors.extend(again);
    errors
}

/// Finalizers that an object gets although it is being deleted.
fn new_finalizers(object: &Value, live: &Value) -> Option<FieldError> {
    let known = strings(live, "finalizers");
    let all = strings(object, "finalizers").into_iter();
    let added: Vec<String> = all.filter(|new| !known.contains(new)).map(|new| format!("{new:?}")).collect();
    let detail = format!(
        "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
        added.join(", ")
    );
    (is_terminating(live) && !added.is_empty()).then(|| FieldError::forbidden("metadata.finalizers", detail))
}

/// Warns of finalizers of custom objects that better had a domain.
pub(super) fn warn_of_finalizers(call: &mut Call, object: &Value) {
    let plain = strings(object, "finalizers").into_iter().filter(|name| !name.contains('/'));
    for finalizer in plain.filter(|name| !matches!(name.as_str(), "orphan" | "foregroundDeletion")) {
        call.warn(format!(
            "metadata.finalizers: {finalizer:?}: prefer a domain-qualified finalizer name to avoid accidental conflicts with other finalizer writers"
        ));
    }
}
